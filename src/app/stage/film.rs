//! The film of a reconstruction as a file.

use std::borrow::Cow;

use eframe::egui::{Color32, ColorImage, Theme, Visuals};
use gif::{DisposalMethod, Encoder, Frame, Repeat};

use crate::app::textures::{image, tiles};
use crate::app::{Role, Showing};
use crate::error::{Error, Result};
use crate::run::caption::{Letters, lines};
use crate::run::scene::Picture;

/// Height of every picture, in pixels.
const SIDE: usize = 224;
/// Between the pictures and around them.
const GAP: usize = 14;
/// The line around a picture.
const LINE: usize = 2;
/// Height of the bar below the stolen picture.
const BAR: usize = 5;
/// Height of the words below the pictures.
const WORDS: usize = 22;
/// Size of their letters.
const LETTERS: f32 = 17.0;
/// Height of a line of the caption, and size of its letters.
const LINE_OF_WORDS: usize = 17;
const SMALL: f32 = 13.0;
/// How light they are.
const INK: f32 = 220.0;
/// Pictures at most: a film of four seconds.
const MAX_FRAMES: usize = 80;
/// What a mail or a slide bears.
const MAX_BYTES: usize = 2_000_000;
/// In hundredths of a second.
const DELAY: u16 = 5;
/// Of the last picture.
const LAST_DELAY: u16 = 150;
/// Steps of red, green and blue: with the drawing's four colours they fill the palette.
const STEPS: [usize; 3] = [6, 7, 6];
/// Colours of pictures.
const COLORS: usize = STEPS[0] * STEPS[1] * STEPS[2];

/// The stolen image as it emerged, beside the patient's and the numbers between them, as an animated GIF with a caption.
///
/// # Errors
/// Where there is no film.
pub fn gif(showing: &Showing, caption: &str) -> Result<Vec<u8>> {
    let none = || Error::input("no attack has made pictures yet");
    let film = &showing.film;
    let patient = film.patient().and_then(image).ok_or_else(none)?;
    let scene = showing.scene.as_ref().filter(|scene| Some(&scene.original) == film.patient());
    let wire = scene.and_then(|scene| tiles(&scene.smashed));
    let mut most = MAX_FRAMES;
    loop {
        let frames = thinned(&film.frames, most);
        let bytes = Sheet::new(&patient, wire.as_ref(), frames.last().ok_or_else(none)?, caption)?.film(&frames)?;
        if bytes.len() <= MAX_BYTES || most <= 8 {
            return Ok(bytes);
        }
        most = (most * MAX_BYTES / bytes.len()).clamp(8, most - 1);
    }
}

/// At most so many pictures, the first and the last among them.
fn thinned(frames: &[(usize, Picture)], most: usize) -> Vec<ColorImage> {
    let count = frames.len().min(most);
    let place = |i: usize| if count < 2 { frames.len() - 1 } else { i * (frames.len() - 1) / (count - 1) };
    (0..count).filter_map(|i| image(&frames[place(i)].1)).collect()
}

/// Pixels, each a place in the palette.
struct Sheet {
    size: [usize; 2],
    pixels: Vec<u8>,
    /// Whether pictures have colours; greys are kept finer where they have none.
    colored: bool,
    /// Left, top, width and height of what moves: the stolen picture and its bar.
    moving: [usize; 4],
}

/// The drawing's own colours, after those of pictures.
#[derive(Clone, Copy)]
enum Ink {
    Ground,
    Patient,
    Plain,
    Attacker,
}

impl Ink {
    fn place(self) -> u8 {
        (COLORS + self as usize) as u8
    }
}

impl Sheet {
    /// What stays: ground, frames, the patient's picture and the wire.
    fn new(patient: &ColorImage, wire: Option<&ColorImage>, stolen: &ColorImage, caption: &str) -> Result<Self> {
        let colored = patient.pixels.iter().chain(&stolen.pixels).any(|p| p.r() != p.g() || p.g() != p.b());
        let mut left = GAP;
        let mut places = Vec::new();
        for (picture, ink, words) in [
            (Some(patient), Ink::Patient, t!("original")),
            (wire, Ink::Plain, t!("what crosses")),
            (Some(stolen), Ink::Attacker, t!("stolen")),
        ] {
            let Some(picture) = picture else { continue };
            places.push((left, width_of(picture), picture, ink, words));
            left += width_of(picture) + GAP;
        }
        let small = Letters::of(SMALL)?;
        let lines = lines(caption, |line| small.width(line) <= (left - 2 * GAP) as f32);
        let size = [left, SIDE + 3 * GAP + WORDS + LINE_OF_WORDS * lines.len()];
        let mut sheet =
            Self { size, pixels: vec![Ink::Ground.place(); size[0] * size[1]], colored, moving: [0, 0, 0, 0] };
        let letters = Letters::of(LETTERS)?;
        for (left, width, picture, ink, words) in places {
            let line = [left - LINE, GAP - LINE, width + 2 * LINE, SIDE + 2 * LINE];
            sheet.fill(line, ink.place());
            sheet.picture(left, width, picture);
            let middle = left as f32 + (width as f32 - letters.width(words)) / 2.0;
            sheet.words(&letters, words, middle, GAP + SIDE + GAP + WORDS - 4);
            sheet.moving = [left, GAP, width, SIDE + LINE + GAP / 2 + BAR];
        }
        for (i, line) in lines.iter().enumerate() {
            sheet.words(&small, line, GAP as f32, SIDE + 2 * GAP + WORDS + LINE_OF_WORDS * (i + 1) - 4);
        }
        Ok(sheet)
    }

    /// Words that begin at `left`.
    fn words(&mut self, letters: &Letters, words: &str, left: f32, baseline: usize) {
        let ground = f32::from(Visuals::dark().panel_fill.r());
        let [columns, rows] = self.size;
        let colored = self.colored;
        letters.draw(words, left, baseline as f32, |x, y, cover| {
            let (x, y) = (x as usize, y as usize);
            if cover > 0.05 && x < columns && y < rows {
                let light = Color32::from_gray((ground + (INK - ground) * cover) as u8);
                self.pixels[y * columns + x] = place_of(light, colored);
            }
        });
    }

    fn fill(&mut self, [left, top, width, height]: [usize; 4], place: u8) {
        for y in top..top + height {
            self.pixels[y * self.size[0] + left..][..width].fill(place);
        }
    }

    /// A picture, each of its pixels as large as fits.
    fn picture(&mut self, left: usize, width: usize, picture: &ColorImage) {
        let [w, h] = picture.size;
        for y in 0..SIDE {
            for x in 0..width {
                let color = picture.pixels[y * h / SIDE * w + x * w / width];
                self.pixels[(GAP + y) * self.size[0] + left + x] = place_of(color, self.colored);
            }
        }
    }

    /// The sheet with these pictures in the stolen one's place, one after the other, for ever.
    fn film(mut self, frames: &[ColorImage]) -> Result<Vec<u8>> {
        let failed = |e: gif::EncodingError| Error::Internal(format!("the film cannot be written: {e}"));
        let mut bytes = Vec::new();
        let mut encoder = Encoder::new(&mut bytes, self.size[0] as u16, self.size[1] as u16, &palette(self.colored))
            .map_err(failed)?;
        encoder.set_repeat(Repeat::Infinite).map_err(failed)?;
        let [left, _, width, height] = self.moving;
        for (i, frame) in frames.iter().enumerate() {
            self.picture(left, width, frame);
            let bar = [left, GAP + height - BAR, width, BAR];
            self.fill(bar, Ink::Plain.place());
            let done = width * (i + 1) / frames.len();
            self.fill([left, bar[1], done, BAR], Ink::Attacker.place());
            // The first shows everything, the others what has moved.
            let part = if i == 0 { [0, 0, self.size[0], self.size[1]] } else { self.moving };
            encoder.write_frame(&self.frame(part, i + 1 == frames.len())).map_err(failed)?;
        }
        drop(encoder);
        Ok(bytes)
    }

    fn frame(&self, [left, top, width, height]: [usize; 4], last: bool) -> Frame<'static> {
        let row = |y: usize| self.pixels[y * self.size[0] + left..][..width].iter().copied();
        Frame {
            left: left as u16,
            top: top as u16,
            width: width as u16,
            height: height as u16,
            delay: if last { LAST_DELAY } else { DELAY },
            dispose: DisposalMethod::Keep,
            buffer: Cow::Owned((top..top + height).flat_map(row).collect()),
            ..Frame::default()
        }
    }
}

/// As wide as its shape asks for, within reason.
fn width_of(picture: &ColorImage) -> usize {
    (SIDE * picture.size[0] / picture.size[1].max(1)).clamp(SIDE / 4, 2 * SIDE)
}

/// A picture's colour in the palette.
fn place_of(color: Color32, colored: bool) -> u8 {
    if !colored {
        return (usize::from(color.r()) * (COLORS - 1)).div_euclid(255) as u8;
    }
    let step = |value: u8, steps: usize| (usize::from(value) * (steps - 1) + 127) / 255;
    let [r, g, b] = [step(color.r(), STEPS[0]), step(color.g(), STEPS[1]), step(color.b(), STEPS[2])];
    ((r * STEPS[1] + g) * STEPS[2] + b) as u8
}

/// Red, green and blue of every place.
fn palette(colored: bool) -> Vec<u8> {
    let value = |step: usize, steps: usize| (step * 255 / (steps - 1)) as u8;
    let mut all = Vec::with_capacity(3 * 256);
    for i in 0..COLORS {
        if colored {
            let [r, g, b] = [i / (STEPS[1] * STEPS[2]), i / STEPS[2] % STEPS[1], i % STEPS[2]];
            all.extend([value(r, STEPS[0]), value(g, STEPS[1]), value(b, STEPS[2])]);
        } else {
            all.extend([value(i, COLORS); 3]);
        }
    }
    let visuals = Visuals::dark();
    let plain = visuals.widgets.noninteractive.bg_stroke.color;
    let [patient, attacker] = [Role::Patient, Role::Attacker].map(|role| role.color_of(Theme::Dark));
    for color in [visuals.panel_fill, patient, plain, attacker] {
        all.extend([color.r(), color.g(), color.b()]);
    }
    all
}

#[cfg(test)]
mod tests {
    use ::image::codecs::gif::GifDecoder;
    use ::image::{AnimationDecoder, Frame};

    use super::*;
    use crate::run::scene::AttackProgress;
    use crate::run::scene::Scene;

    /// A film of a gradient that comes out of noise.
    fn showing(count: usize, shape: [usize; 3]) -> Showing {
        let size: usize = shape.iter().product();
        let truth: Vec<f32> = (0..size).map(|i| (i % shape[2]) as f32 / shape[2] as f32).collect();
        let noise: Vec<f32> = (0..size).map(|i| (i * 7919 % 257) as f32 / 257.0).collect();
        let mut showing = Showing::default();
        for i in 1..=count {
            let share = i as f32 / count as f32;
            let values = truth.iter().zip(&noise).map(|(t, n)| share * t + (1.0 - share) * n).collect();
            showing.see(Scene {
                original: Picture { shape, values: truth.clone() },
                smashed: Picture { shape: [36, 7, 7], values: (0..36 * 49).map(|i| (i % 11) as f32).collect() },
                reconstruction: Picture { shape, values },
                progress: Some(AttackProgress { attack: "rmle".to_owned(), iteration: i, planned: count, loss: 0.1 }),
                ..Scene::default()
            });
        }
        showing
    }

    fn decoded(bytes: &[u8]) -> Vec<Frame> {
        GifDecoder::new(std::io::Cursor::new(bytes)).unwrap().into_frames().collect_frames().unwrap()
    }

    #[test]
    fn a_film_plays_from_noise_to_the_picture_and_rests_on_the_last() {
        let bytes = gif(&showing(20, [1, 28, 28]), "rmle, step 20 of 20.").unwrap();
        let frames = decoded(&bytes);
        assert_eq!(frames.len(), 20);
        let [first, last] = [&frames[0], &frames[19]];
        assert_ne!(first.buffer(), last.buffer());
        let rest = |frame: &Frame| frame.delay().numer_denom_ms().0;
        assert_eq!([rest(first), rest(last)], [50, 1500]);
        // The patient stays where it was, and the stolen one is like it in the end.
        let column = |frame: &Frame, left: usize| frame.buffer().get_pixel((left + 200) as u32, 100).0;
        let stolen = 3 * GAP + 2 * SIDE;
        assert_eq!(column(first, GAP), column(last, GAP));
        assert_eq!(column(last, stolen), column(last, GAP));
        if let Some(folder) = std::env::var_os("CUTLAYER_PICTURES") {
            for (name, frame) in [("first", first), ("last", last)] {
                frame.buffer().save(std::path::Path::new(&folder).join(format!("film-{name}.png"))).unwrap();
            }
        }
    }

    #[test]
    fn a_long_film_of_large_pictures_is_thinned_until_it_is_small() {
        for shape in [[3, 64, 64], [1, 128, 128]] {
            let showing = showing(190, shape);
            let bytes = gif(&showing, "").unwrap();
            let count = decoded(&bytes).len();
            assert!(bytes.len() <= MAX_BYTES && (8..=MAX_FRAMES).contains(&count), "{} {count}", bytes.len());
        }
        assert!(gif(&Showing::default(), "").is_err());
    }
}

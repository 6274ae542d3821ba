//! Pictures as textures, each pixel sharp.

use eframe::egui::{ColorImage, Context, TextureHandle, TextureOptions, Vec2};

use super::showing::{Showing, Source};
use super::theme::{image_color, map_color};
use crate::live::Shown;
use crate::run::maps::Maps;
use crate::run::scene::Picture;

/// Longer sides are thinned out: no screen shows them, and no graphics card takes them all.
const MAX_SIDE: usize = 1024;

/// The textures of what is shown; none where there is no such picture.
#[derive(Default)]
pub struct Textures {
    /// The image itself.
    pub original: Option<TextureHandle>,
    /// The gradient map, with its signs.
    pub map: Option<TextureHandle>,
    /// What entered the client's layers.
    pub sent: Option<TextureHandle>,
    /// Smashed data, channel beside channel.
    pub smashed: Option<TextureHandle>,
    /// Recovered features, channel beside channel.
    pub features: Option<TextureHandle>,
    /// The recovered gradient map, with its signs.
    pub recovered: Option<TextureHandle>,
    /// The sizes of both, on one grid and one scale.
    pub sent_size: Option<TextureHandle>,
    pub found_size: Option<TextureHandle>,
    /// How alike these are.
    pub correlation: Option<f64>,
    /// What the attacker made of it.
    pub stolen: Option<TextureHandle>,
    /// |original − stolen image|.
    pub error: Option<TextureHandle>,
    /// The line-up.
    pub lineup: Vec<Option<TextureHandle>>,
    /// What was shown when they were made.
    of: Option<(u64, Option<usize>)>,
}

impl Textures {
    /// Makes what is new, and nothing where nothing is.
    pub fn show(&mut self, ctx: &Context, showing: &Showing) {
        let of = Some((showing.generation, showing.film.pinned));
        if self.of == of && (showing.scene.is_some() || self.original.is_some()) {
            return;
        }
        self.of = of;
        let Some(scene) = &showing.scene else {
            let patient = showing.facts.as_ref().map(|facts| &facts.patient);
            *self = Self::default();
            if let Some(patient) = patient {
                put(ctx, "original", &mut self.original, image(patient));
            }
            return;
        };
        // A drawing is shown as it is drawn, before anybody has answered.
        let original = match &showing.image {
            Shown::Own(own) if showing.source != Source::Run => own,
            _ => &scene.original,
        };
        put(ctx, "original", &mut self.original, image(original));
        put(ctx, "map", &mut self.map, map(&scene.map));
        put(ctx, "sent", &mut self.sent, image(&scene.sent));
        put(ctx, "smashed", &mut self.smashed, tiles(&scene.smashed));
        let opinion = scene.opinion.as_ref();
        put(ctx, "features", &mut self.features, opinion.and_then(|opinion| tiles(&opinion.features)));
        put(ctx, "recovered", &mut self.recovered, opinion.and_then(|opinion| map(&opinion.map)));
        // A map that cannot be compared is shown all the same.
        let maps = Maps::of(scene).ok().flatten();
        put(ctx, "sent map", &mut self.sent_size, maps.as_ref().and_then(|maps| map(&maps.sent)));
        put(ctx, "found map", &mut self.found_size, maps.as_ref().and_then(|maps| map(&maps.found)));
        self.correlation = maps.and_then(|maps| maps.correlation);
        let stolen = showing.reconstruction();
        put(ctx, "stolen", &mut self.stolen, stolen.and_then(image));
        put(ctx, "error", &mut self.error, stolen.and_then(|stolen| error(&scene.original, stolen)));
        let line = scene.lineup.as_ref().map_or(&[][..], |lineup| &lineup.pictures);
        self.lineup.resize_with(line.len(), || None);
        for (i, (slot, picture)) in self.lineup.iter_mut().zip(line).enumerate() {
            put(ctx, &format!("line-up {i}"), slot, image(picture));
        }
    }
}

fn put(ctx: &Context, name: &str, slot: &mut Option<TextureHandle>, image: Option<ColorImage>) {
    match (slot.as_mut(), image) {
        (Some(texture), Some(image)) => texture.set(image, TextureOptions::NEAREST),
        (None, Some(image)) => *slot = Some(ctx.load_texture(name, image, TextureOptions::NEAREST)),
        (_, None) => *slot = None,
    }
}

/// Channels side by side in a grid that is about square, all on one scale: black is their least, white their largest.
pub fn tiles(picture: &Picture) -> Option<ColorImage> {
    let [n, h, w] = picture.shape;
    if picture.values.is_empty() || picture.values.len() != n * h * w {
        return None;
    }
    if n == 1 && h == 1 {
        return tiles(&wrapped(picture));
    }
    let finite = || picture.values.iter().copied().filter(|v| v.is_finite());
    let (least, most) = (finite().fold(f32::INFINITY, f32::min), finite().fold(f32::NEG_INFINITY, f32::max));
    let scale = if most > least { 1.0 / (most - least) } else { 0.0 };
    let columns = square(n);
    let rows = n.div_ceil(columns);
    let gap = usize::from(n > 1);
    let mut sheet = Picture { shape: [1, rows * (h + gap) - gap, columns * (w + gap) - gap], values: Vec::new() };
    sheet.values = vec![0.0; sheet.shape[1] * sheet.shape[2]];
    for (i, value) in picture.values.iter().enumerate() {
        let (channel, y, x) = (i / (h * w), i / w % h, i % w);
        let (top, left) = (channel / columns * (h + gap), channel % columns * (w + gap));
        sheet.values[(top + y) * sheet.shape[2] + left + x] = (value - least) * scale;
    }
    image(&sheet)
}

/// The columns of a grid of `n` that is about square.
pub fn square(n: usize) -> usize {
    (n as f32).sqrt().ceil() as usize
}

/// The channel of which [`tiles`] draws a number at a place, and its row and column there; `at` is the place's share of
/// the width and of the height. A vector has rows and columns as it is drawn.
pub fn tile_at(shape: [usize; 3], at: Vec2) -> (usize, [usize; 2]) {
    let [n, h, w] = shape.map(|side| side.max(1));
    let ([n, h, w], gap) = if n == 1 && h == 1 { ([1, square(w).max(2), square(w)], 0) } else { ([n, h, w], 1) };
    let columns = square(n);
    let rows = n.div_ceil(columns);
    let place = |share: f32, count: usize, side: usize| {
        let pixel = (share.clamp(0.0, 1.0) * (count * (side + gap) - gap) as f32) as usize;
        // The line between two tiles belongs to the first of them.
        let tile = (pixel / (side + gap)).min(count - 1);
        (tile, (pixel - tile * (side + gap)).min(side - 1))
    };
    let ((row, y), (column, x)) = (place(at.y, rows, h), place(at.x, columns, w));
    ((row * columns + column).min(n - 1), [y, x])
}

/// A vector as rows of a square.
fn wrapped(picture: &Picture) -> Picture {
    let side = square(picture.values.len());
    let mut values = picture.values.clone();
    values.resize(side * side.max(2), 0.0);
    Picture { shape: [1, side.max(2), side], values }
}

/// Grey or RGB, values in [0, 1].
pub fn image(picture: &Picture) -> Option<ColorImage> {
    pixels(picture, |at| image_color(if picture.shape[0] == 3 { [at(0), at(1), at(2)] } else { [at(0); 3] }))
}

/// The first plane, values in [−1, 1].
pub fn map(picture: &Picture) -> Option<ColorImage> {
    pixels(picture, |at| map_color(at(0)))
}

/// |a − b|: black where they agree.
pub fn error(a: &Picture, b: &Picture) -> Option<ColorImage> {
    if a.shape != b.shape || a.values.len() != b.values.len() {
        return None;
    }
    let values = a.values.iter().zip(&b.values).map(|(a, b)| (a - b.clamp(0.0, 1.0)).abs()).collect();
    image(&Picture { shape: a.shape, values })
}

/// `color` gets a function that gives a channel's value at the pixel.
fn pixels(picture: &Picture, color: impl Fn(&dyn Fn(usize) -> f32) -> eframe::egui::Color32) -> Option<ColorImage> {
    let [c, h, w] = picture.shape;
    if picture.values.is_empty() || picture.values.len() != c * h * w {
        return None;
    }
    let step = h.max(w).div_ceil(MAX_SIDE);
    let (rows, columns) = (h.div_ceil(step), w.div_ceil(step));
    let place = |i: usize| (i / columns * step, i % columns * step);
    let pixel = |i: usize| {
        let (y, x) = place(i);
        color(&|channel| picture.values[(channel * h + y) * w + x])
    };
    Some(ColorImage::new([columns, rows], (0..rows * columns).map(pixel).collect()))
}

#[cfg(test)]
mod tests {
    use eframe::egui::{Color32, vec2};

    use super::*;

    #[test]
    fn pixels_are_where_they_belong() {
        let rgb = Picture { shape: [3, 1, 2], values: vec![1.0, 0.0, 0.0, 0.0, 0.0, 1.0] };
        let shown = image(&rgb).unwrap();
        assert_eq!((shown.size, shown.pixels[0], shown.pixels[1]), ([2, 1], Color32::RED, Color32::BLUE));
        let grey = |v| Picture { shape: [1, 1, 1], values: vec![v] };
        assert_eq!(error(&grey(1.0), &grey(7.0)).unwrap().pixels, [Color32::BLACK]);
        assert!(error(&rgb, &grey(0.0)).is_none() && image(&Picture::default()).is_none());
        let long = Picture { shape: [1, 1, 3000], values: vec![0.0; 3000] };
        assert_eq!(image(&long).unwrap().size, [1000, 1]);
    }

    #[test]
    fn a_place_of_the_tiles_is_found_where_it_was_drawn() {
        // Three channels of 4×2, two beside each other: 5×9 pixels, of which each has its own number.
        let shape = [3, 4, 2];
        for (channel, row, column) in (0..24).map(|i| (i / 8, i / 2 % 4, i % 2)) {
            let mut picture = Picture { shape, values: vec![0.0; 24] };
            picture.values[(channel * 4 + row) * 2 + column] = 1.0;
            let sheet = tiles(&picture).unwrap();
            let at = sheet.pixels.iter().position(|pixel| *pixel == Color32::WHITE).unwrap();
            let [width, height] = sheet.size;
            let share = |i: usize, of: usize| (i as f32 + 0.5) / of as f32;
            let place = vec2(share(at % width, width), share(at / width, height));
            assert_eq!(tile_at(shape, place), (channel, [row, column]));
        }
        assert_eq!(tile_at([1, 1, 5], vec2(0.9, 0.4)), (0, [1, 2]));
        assert_eq!(tile_at(shape, vec2(7.0, 7.0)).0, 2, "the last place of the grid is empty");
    }

    #[test]
    fn channels_lie_side_by_side_on_one_scale() {
        let planes = Picture { shape: [3, 1, 2], values: vec![0.0, 1.0, 2.0, 3.0, 4.0, 4.0] };
        let sheet = tiles(&planes).unwrap();
        // Two columns and two rows of 1×2 with a gap of one pixel.
        assert_eq!(sheet.size, [5, 3]);
        let grey = |v: u8| Color32::from_gray(v);
        assert_eq!(
            [sheet.pixels[0], sheet.pixels[1], sheet.pixels[3], sheet.pixels[4]],
            [grey(0), grey(64), grey(128), grey(191)]
        );
        assert_eq!(sheet.pixels[10], grey(255));
        let row = Picture { shape: [1, 1, 5], values: vec![1.0; 5] };
        assert_eq!(tiles(&row).unwrap().size, [3, 3]);
        assert!(tiles(&Picture::default()).is_none());
    }
}

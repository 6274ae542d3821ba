//! Words under a sheet of pictures: what each column is, and what all of it is.

use ab_glyph::{Font, FontRef, GlyphId, PxScale, ScaleFont, point};
use image::{Rgb, RgbImage};

use crate::error::{Error, Result};

/// Height of the letters, in pixels.
const SIZE: f32 = 15.0;
/// From one line of words to the next.
const LINE: u32 = 19;
/// Around all words.
const MARGIN: u32 = 5;
/// What words stand on. It tells a caption from the pictures above: these have another colour at the sheet's edge.
pub(super) const PAPER: Rgb<u8> = Rgb([255; 3]);
/// Of the letters.
const INK: f32 = 24.0;

/// What a sheet says of itself.
#[derive(Clone, Debug, Default)]
pub struct Caption {
    /// A word under each column.
    pub columns: Vec<String>,
    /// What all of it is, under these; it takes as many lines as it needs.
    pub text: String,
}

/// A caption that is to go under pictures of a known width.
pub(super) struct Strip<'a> {
    columns: &'a [String],
    lines: Vec<String>,
    letters: Letters,
}

impl<'a> Strip<'a> {
    /// The caption, its text in lines that fit into so many pixels.
    pub(super) fn new(caption: &'a Caption, width: u32) -> Result<Self> {
        let letters = Letters::of(SIZE)?;
        let lines = lines(&caption.text, |text| letters.width(text) <= width.saturating_sub(2 * MARGIN) as f32);
        Ok(Self { columns: &caption.columns, lines, letters })
    }

    /// In pixels; 0 where there are no words.
    pub(super) fn height(&self) -> u32 {
        let lines = self.lines.len() as u32 + u32::from(!self.columns.is_empty());
        if lines == 0 { 0 } else { lines * LINE + 2 * MARGIN }
    }

    /// Draws the words below `top`, those of each column in the middle of its tile, which begins at `left(i)`.
    pub(super) fn draw(&self, page: &mut RgbImage, top: u32, tile: u32, left: impl Fn(usize) -> u32) {
        for y in top..page.height() {
            (0..page.width()).for_each(|x| page.put_pixel(x, y, PAPER));
        }
        let mut baseline = top + MARGIN + SIZE as u32;
        for (i, word) in self.columns.iter().enumerate() {
            let free = tile as f32 - self.letters.width(word);
            self.write(page, word, left(i) as f32 + (free / 2.0).max(0.0), baseline);
        }
        if !self.columns.is_empty() {
            baseline += LINE;
        }
        for line in &self.lines {
            self.write(page, line, MARGIN as f32, baseline);
            baseline += LINE;
        }
    }

    fn write(&self, page: &mut RgbImage, text: &str, left: f32, baseline: u32) {
        self.letters.draw(text, left, baseline as f32, |x, y, cover| {
            if let Some(pixel) = page.get_pixel_mut_checked(x, y) {
                let mixed = |paper: u8| (f32::from(paper) + (INK - f32::from(paper)) * cover).round() as u8;
                *pixel = Rgb(pixel.0.map(mixed));
            }
        });
    }
}

/// Letters of one size.
pub struct Letters {
    font: FontRef<'static>,
    scale: PxScale,
}

impl Letters {
    /// Letters so many pixels high.
    ///
    /// # Errors
    /// Where there is no font.
    pub fn of(size: f32) -> Result<Self> {
        let font = FontRef::try_from_slice(epaint_default_fonts::UBUNTU_LIGHT);
        let font = font.map_err(|e| Error::Internal(format!("captions: {e}")))?;
        Ok(Self { font, scale: PxScale::from(size) })
    }

    /// Each letter of a text, from the left, and where the text ends.
    fn placed(&self, text: &str) -> (Vec<(GlyphId, f32)>, f32) {
        let scaled = self.font.as_scaled(self.scale);
        let (mut placed, mut x) = (Vec::new(), 0.0);
        for id in text.chars().map(|letter| self.font.glyph_id(letter)) {
            x += placed.last().map_or(0.0, |(last, _)| scaled.kern(*last, id));
            placed.push((id, x));
            x += scaled.h_advance(id);
        }
        (placed, x)
    }

    /// Width of a text in pixels.
    pub fn width(&self, text: &str) -> f32 {
        self.placed(text).1
    }

    /// Draws a text: `put` is told of each pixel x, y that a letter covers, and how much of it, from 0 to 1.
    pub fn draw(&self, text: &str, left: f32, baseline: f32, mut put: impl FnMut(u32, u32, f32)) {
        for (id, x) in self.placed(text).0 {
            let glyph = id.with_scale_and_position(self.scale, point(left + x, baseline));
            let Some(outline) = self.font.outline_glyph(glyph) else { continue };
            let from = outline.px_bounds().min;
            outline.draw(|dx, dy, cover| {
                let [x, y] = [i64::from(dx) + from.x as i64, i64::from(dy) + from.y as i64].map(u32::try_from);
                if let (Ok(x), Ok(y)) = (x, y) {
                    put(x, y, cover.clamp(0.0, 1.0));
                }
            });
        }
    }
}

/// A picture with words below it, in as many lines as they need.
///
/// # Errors
/// Where there is no font.
pub fn captioned(picture: &RgbImage, text: &str) -> Result<RgbImage> {
    let caption = Caption { columns: Vec::new(), text: text.to_owned() };
    let strip = Strip::new(&caption, picture.width())?;
    let mut page = RgbImage::from_pixel(picture.width(), picture.height() + strip.height(), PAPER);
    image::imageops::replace(&mut page, picture, 0, 0);
    strip.draw(&mut page, picture.height(), 0, |_| 0);
    Ok(page)
}

/// The words in as few lines as fit; a word that does not fit has a line of its own.
pub fn lines(text: &str, fits: impl Fn(&str) -> bool) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if fits(&format!("{line} {word}")) => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_as_long_as_fits_and_no_word_is_lost() {
        let text = "one two three fourteen five";
        assert_eq!(lines(text, |line| line.len() <= 8), ["one two", "three", "fourteen", "five"]);
        assert_eq!(lines("fourteenth six", |line| line.len() <= 8), ["fourteenth", "six"]);
        assert!(lines("  ", |_| true).is_empty());
    }

    #[test]
    fn letters_are_drawn_where_they_belong() {
        let caption = Caption { columns: vec!["left".to_owned(), "right".to_owned()], text: String::new() };
        let strip = Strip::new(&caption, 200).unwrap();
        let mut page = RgbImage::new(200, strip.height());
        strip.draw(&mut page, 0, 90, |i| 5 + 100 * i as u32);
        let ink = |from: u32, to: u32| {
            let dark = |x: &u32| (0..page.height()).any(|y| page.get_pixel(*x, y).0[0] < 100);
            (from..to).filter(dark).collect::<Vec<_>>()
        };
        // In the middle of each tile, and nowhere else.
        for [from, to] in [[5, 95], [105, 195]] {
            let columns = ink(from, to);
            let middle = f64::from(columns[0] + columns[columns.len() - 1]) / 2.0;
            assert!((middle - f64::from(from + to) / 2.0).abs() < 2.5 && columns.len() > 8, "{columns:?}");
        }
        assert!(ink(0, 5).is_empty() && ink(95, 105).is_empty());
        assert_eq!(Strip::new(&Caption::default(), 200).unwrap().height(), 0);
    }
}

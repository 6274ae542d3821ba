//! A look at a set: some images of each class on one sheet, and whether reading them again gives the same.

use std::io::Cursor;

use image::{ImageFormat, Rgb, RgbImage, imageops};
use rayon::prelude::*;

use super::{Dataset, Part};
use crate::error::{Error, Result};

/// Images of each class on a sheet.
const EACH: usize = 12;
/// Height and width of an image there, in pixels.
const TILE: usize = 64;
/// Pixels between images.
const GAP: usize = 2;
/// Classes on a sheet, the first ones of more.
const CLASSES: usize = 40;

/// Some images of each class as a PNG: a row a class, in their order, the first training images of each or else test
/// images.
///
/// # Errors
/// Returns an error if an image cannot be read.
pub fn contact_sheet(set: &Dataset) -> Result<Vec<u8>> {
    let rows: Vec<Vec<RgbImage>> =
        (0..set.classes.len().min(CLASSES)).map(|class| row(set, class as u32)).collect::<Result<_>>()?;
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0).max(1);
    let side = |n: usize| (n * (TILE + GAP) + GAP) as u32;
    let mut page = RgbImage::from_pixel(side(columns), side(rows.len().max(1)), Rgb([64; 3]));
    for (y, row) in rows.iter().enumerate() {
        for (x, tile) in row.iter().enumerate() {
            let place = |n: usize, length: u32| i64::from(side(n)) + (TILE as i64 - i64::from(length)) / 2;
            imageops::replace(&mut page, tile, place(x, tile.width()), place(y, tile.height()));
        }
    }
    let mut bytes = Cursor::new(Vec::new());
    page.write_to(&mut bytes, ImageFormat::Png).map_err(|e| Error::Internal(format!("picture: {e}")))?;
    Ok(bytes.into_inner())
}

fn row(set: &Dataset, class: u32) -> Result<Vec<RgbImage>> {
    let of = |part: &Part| -> Result<Vec<RgbImage>> {
        let members = (0..part.len()).filter(|i| part.labels()[*i] == class).take(EACH);
        members.map(|i| Ok(tile(&part.image(i)?, part.shape()))).collect()
    };
    let train = of(&set.train)?;
    if train.is_empty() { of(&set.test) } else { Ok(train) }
}

/// An image as large as a tile, its shape kept; whole multiples stay sharp.
fn tile(pixels: &[u8], [c, h, w]: [usize; 3]) -> RgbImage {
    let plane = h * w;
    let at = |x: u32, y: u32| {
        let i = y as usize * w + x as usize;
        Rgb([0, 1, 2].map(|channel| pixels[if c == 3 { channel * plane } else { 0 } + i]))
    };
    let image = RgbImage::from_fn(w as u32, h as u32, at);
    let ratio = TILE as f64 / h.max(w) as f64;
    let scaled = |side: usize| ((side as f64 * ratio).round() as u32).max(1);
    let filter = if ratio > 1.0 { imageops::FilterType::Nearest } else { imageops::FilterType::Triangle };
    imageops::resize(&image, scaled(w), scaled(h), filter)
}

/// Reads every image again and compares it with what was read before; the number of images.
///
/// # Errors
/// Returns an error if an image cannot be read, or is not what it was.
pub fn reread(set: &Dataset) -> Result<usize> {
    let parts = [&set.train, &set.validation, &set.test];
    for part in parts {
        (0..part.len()).into_par_iter().try_for_each(|i| {
            let (values, again) = (part.values(i)?, part.values(i)?);
            if values.iter().any(|value| !(0.0..=1.0).contains(value)) {
                return Err(Error::input(format!("image {i} of {} is not between black and white", set.name)));
            }
            if values == again {
                Ok(())
            } else {
                Err(Error::input(format!("image {i} of {} changed while it was read", set.name)))
            }
        })?;
    }
    Ok(parts.iter().map(|part| part.len()).sum())
}

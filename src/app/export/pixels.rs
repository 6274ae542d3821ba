//! The window's own pixels, cut out and written.

use eframe::egui::{ColorImage, Rect};
use image::{ImageFormat, RgbImage};

use crate::error::{Error, Result};

/// The part of a picture that is at `rect`, in points of so many pixels, as far as it is there.
pub(super) fn cut(whole: &ColorImage, rect: Rect, scale: f32) -> ColorImage {
    let [width, height] = whole.size;
    let pixel = |at: f32, most: usize| ((at * scale).round().max(0.0) as usize).min(most);
    let [left, right] = [rect.left(), rect.right()].map(|x| pixel(x, width));
    let [top, bottom] = [rect.top(), rect.bottom()].map(|y| pixel(y, height));
    whole.region_by_pixels([left, top], [right - left, bottom - top])
}

/// A picture as a PNG file.
pub(super) fn png(picture: &ColorImage) -> Result<Vec<u8>> {
    written(&rgb(picture)?)
}

/// Its pixels without what lies behind them.
///
/// # Errors
/// Returns an error if there are none.
pub(super) fn rgb(picture: &ColorImage) -> Result<RgbImage> {
    let [width, height] = picture.size.map(|side| side as u32);
    let rgb = picture.pixels.iter().flat_map(|pixel| [pixel.r(), pixel.g(), pixel.b()]).collect();
    RgbImage::from_raw(width, height, rgb).ok_or_else(|| Error::Internal("picture of the window: no pixels".to_owned()))
}

/// As a PNG file.
///
/// # Errors
/// Returns an error if it cannot be written.
pub(super) fn written(page: &RgbImage) -> Result<Vec<u8>> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    let wrong = |e| Error::Internal(format!("picture of the window: {e}"));
    page.write_to(&mut bytes, ImageFormat::Png).map_err(wrong)?;
    Ok(bytes.into_inner())
}

#[cfg(test)]
mod tests {
    use eframe::egui::{Color32, pos2};

    use super::*;

    #[test]
    fn a_part_is_cut_out_of_the_window_at_any_scale() {
        let pixels = (0..12 * 8).map(|i| Color32::from_rgb(i as u8, 0, 7)).collect();
        let whole = ColorImage::new([12, 8], pixels);
        let part = cut(&whole, Rect::from_min_max(pos2(2.0, 1.0), pos2(5.0, 3.0)), 2.0);
        assert_eq!((part.size, part.pixels[0].r(), part.pixels[6].r()), ([6, 4], 28, 40));
        // What reaches out of the window is not there.
        assert_eq!(cut(&whole, Rect::from_min_max(pos2(-3.0, 2.0), pos2(99.0, 9.0)), 1.0).size, [12, 6]);
        let written = image::load_from_memory(&png(&part).unwrap()).unwrap().to_rgb8();
        assert_eq!((written.dimensions(), written.get_pixel(0, 1).0), ((6, 4), [40, 0, 7]));
    }
}

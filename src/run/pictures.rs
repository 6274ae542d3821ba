//! `images/*.png`: what was sent, what was stolen, and the maps behind it.

use image::{ImageFormat, Rgb, RgbImage};

use super::scene::Picture;
use crate::error::{Error, Result};

/// Pixels between pictures.
const GAP: u32 = 4;
/// Between and around pictures.
const PAPER: Rgb<u8> = Rgb([128, 128, 128]);

/// A picture on its way to the page.
#[derive(Clone, Debug)]
pub enum Tile {
    /// Values in [0, 1], grey or RGB.
    Image(Picture),
    /// Values in [−1, 1], one plane: blue below 0, black at 0, orange above.
    Map(Picture),
    /// |a − b| in [0, 1]: black where they agree.
    Error(Picture, Picture),
}

impl Tile {
    fn shape(&self) -> [usize; 3] {
        match self {
            Self::Image(p) | Self::Map(p) | Self::Error(p, _) => p.shape,
        }
    }

    fn pixel(&self, x: usize, y: usize) -> Rgb<u8> {
        let [c, h, w] = self.shape();
        let at = |p: &Picture, channel: usize| p.values.get((channel * h + y) * w + x).copied().unwrap_or(0.0);
        let byte = |v: f32| (v.clamp(0.0, 1.0) * 255.0).round() as u8;
        let rgb = |f: &dyn Fn(usize) -> f32| {
            if c == 3 { Rgb([byte(f(0)), byte(f(1)), byte(f(2))]) } else { Rgb([byte(f(0)); 3]) }
        };
        match self {
            Self::Image(p) => rgb(&|channel| at(p, channel)),
            Self::Error(a, b) => rgb(&|channel| (at(a, channel) - at(b, channel)).abs()),
            Self::Map(p) => {
                let v = at(p, 0);
                // Equal maps look equal in every picture: the scale is fixed, its root shows small values.
                let strength = v.abs().sqrt();
                if v > 0.0 {
                    Rgb([byte(strength), byte(0.6 * strength), 0])
                } else {
                    Rgb([0, byte(0.55 * strength), byte(strength)])
                }
            }
        }
    }
}

/// Rows of tiles as a PNG, each pixel enlarged so that a tile is about a hundred pixels wide.
///
/// # Errors
/// Where there is no tile.
pub fn sheet(rows: &[Vec<Tile>]) -> Result<Vec<u8>> {
    let wrong = |e: &dyn std::fmt::Display| Error::Internal(format!("picture: {e}"));
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let Some([_, h, w]) = rows.iter().flatten().map(Tile::shape).next() else { return Err(wrong(&"no tiles")) };
    let zoom = (112 / w.max(1)).max(1) as u32;
    let (tile_w, tile_h) = (w as u32 * zoom, h as u32 * zoom);
    let side = |n: usize, tile: u32| n as u32 * (tile + GAP) + GAP;
    let mut page = RgbImage::from_pixel(side(columns, tile_w), side(rows.len(), tile_h), PAPER);
    for (row, tiles) in rows.iter().enumerate() {
        for (column, tile) in tiles.iter().enumerate() {
            let (left, top) = (side(column, tile_w), side(row, tile_h));
            for y in 0..tile_h {
                for x in 0..tile_w {
                    page.put_pixel(left + x, top + y, tile.pixel((x / zoom) as usize, (y / zoom) as usize));
                }
            }
        }
    }
    let mut bytes = std::io::Cursor::new(Vec::new());
    page.write_to(&mut bytes, ImageFormat::Png).map_err(|e| wrong(&e))?;
    Ok(bytes.into_inner())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sheet_has_its_pixels_where_they_belong() {
        let picture = |v| Picture { shape: [1, 2, 2], values: vec![v; 4] };
        let tiles = vec![Tile::Image(picture(1.0)), Tile::Map(picture(-1.0)), Tile::Error(picture(0.2), picture(0.7))];
        let page = image::load_from_memory(&sheet(&[tiles]).unwrap()).unwrap().to_rgb8();
        assert_eq!(page.dimensions(), (3 * 116 + 4, 120));
        assert_eq!(page.get_pixel(0, 0), &PAPER);
        assert_eq!(page.get_pixel(50, 50), &Rgb([255; 3]));
        assert_eq!(page.get_pixel(170, 50), &Rgb([0, 140, 255]));
        assert_eq!(page.get_pixel(290, 50), &Rgb([128; 3]));
    }
}

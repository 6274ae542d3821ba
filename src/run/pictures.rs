//! `images/*.png`: what was sent, what was stolen, and the maps behind it.

use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::{ImageFormat, Rgb, RgbImage};

use super::caption::{self, Caption, Strip};
use super::scene::Picture;
use crate::error::{Error, Result};

/// Pixels between pictures.
const GAP: u32 = 4;
/// Most pictures on a sheet that is read: more than a run ever draws.
const MAX_TILES: usize = 256;
/// No caption is higher, in pixels.
const MAX_CAPTION: u32 = 1000;
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
        let rgb = |f: &dyn Fn(usize) -> f32| {
            if c == 3 { Rgb([byte(f(0)), byte(f(1)), byte(f(2))]) } else { Rgb([byte(f(0)); 3]) }
        };
        match self {
            Self::Image(p) => rgb(&|channel| at(p, channel)),
            Self::Error(a, b) => rgb(&|channel| (at(a, channel) - at(b, channel)).abs()),
            Self::Map(p) => Rgb(map_rgb(at(p, 0))),
        }
    }
}

/// How much a picture so many pixels wide is enlarged.
fn zoom(width: usize) -> u32 {
    (112 / width.max(1)).max(1) as u32
}

/// Where tile `n` begins, and so the length of `n` of them.
fn side(n: usize, tile: u32) -> u32 {
    n as u32 * (tile + GAP) + GAP
}

/// A value in [0, 1] as a byte.
pub fn byte(value: f32) -> u8 {
    (value.clamp(0.0, 1.0) * 255.0).round() as u8
}

/// A map's value in [−1, 1] as a pixel: blue below 0, black at 0, orange above. Equal maps look equal in every
/// picture: the scale is fixed, and its root shows small values.
pub fn map_rgb(value: f32) -> [u8; 3] {
    let strength = value.abs().sqrt();
    if value > 0.0 { [byte(strength), byte(0.6 * strength), 0] } else { [0, byte(0.55 * strength), byte(strength)] }
}

/// Rows of tiles as a PNG, each pixel enlarged so that a tile is about a hundred pixels wide, and a caption beneath.
///
/// # Errors
/// Where there is no tile.
pub fn sheet(rows: &[Vec<Tile>], caption: &Caption) -> Result<Vec<u8>> {
    let wrong = |e: &dyn std::fmt::Display| Error::Internal(format!("picture: {e}"));
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let Some([_, h, w]) = rows.iter().flatten().map(Tile::shape).next() else { return Err(wrong(&"no tiles")) };
    let zoom = zoom(w);
    let (tile_w, tile_h) = (w as u32 * zoom, h as u32 * zoom);
    let [width, height] = [side(columns, tile_w), side(rows.len(), tile_h)];
    let strip = Strip::new(caption, width)?;
    let mut page = RgbImage::from_pixel(width, height + strip.height(), PAPER);
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
    strip.draw(&mut page, height, tile_w, |column| side(column, tile_w));
    let mut bytes = std::io::Cursor::new(Vec::new());
    page.write_to(&mut bytes, ImageFormat::Png).map_err(|e| wrong(&e))?;
    Ok(bytes.into_inner())
}

/// The pictures of a sheet whose tiles are of `shape` (C, H, W), in rows: the inverse of [`sheet`], to 8 bits.
/// Of pictures that are neither grey nor RGB a sheet shows the first channel alone, so they cannot be read back.
///
/// # Errors
/// Where the bytes are no PNG, or no sheet of such tiles.
pub fn tiles(png: &[u8], shape: [usize; 3]) -> Result<Vec<Vec<Picture>>> {
    let wrong = |e: &dyn std::fmt::Display| Error::input(format!("it is no sheet of {shape:?} pictures: {e}"));
    let [c, h, w] = shape;
    if !matches!(c, 1 | 3) || h == 0 || w == 0 {
        return Err(wrong(&"they are neither grey nor in colour"));
    }
    let zoom = zoom(w);
    let (tile_w, tile_h) = (w as u32 * zoom, h as u32 * zoom);
    let mut reader = image::ImageReader::with_format(std::io::Cursor::new(png), ImageFormat::Png);
    let mut limits = image::Limits::default();
    limits.max_image_width = Some(side(MAX_TILES, tile_w));
    limits.max_image_height = Some(side(MAX_TILES, tile_h) + MAX_CAPTION);
    limits.max_alloc = Some(256 << 20);
    reader.limits(limits);
    let page = reader.decode().map_err(|e| wrong(&e))?.into_rgb8();
    let height = uncaptioned(&page);
    let count = |length: u32, tile: u32| {
        let n = (length.saturating_sub(GAP) / (tile + GAP)) as usize;
        (n > 0 && side(n, tile) == length).then_some(n)
    };
    let (columns, rows) = match (count(page.width(), tile_w), count(height, tile_h)) {
        (Some(columns), Some(rows)) if columns * rows <= MAX_TILES => (columns, rows),
        _ => return Err(wrong(&format!("{} \u{d7} {} pixels", page.width(), page.height()))),
    };
    let tile = |row: usize, column: usize| {
        let (left, top) = (side(column, tile_w), side(row, tile_h));
        let mut values = Vec::with_capacity(c * h * w);
        for (channel, y) in (0..c).flat_map(|channel| (0..h as u32).map(move |y| (channel, y))) {
            let at = |x: u32| f32::from(page.get_pixel(left + x * zoom, top + y * zoom).0[channel]) / 255.0;
            values.extend((0..w as u32).map(at));
        }
        Picture { shape, values }
    };
    Ok((0..rows).map(|row| (0..columns).map(|column| tile(row, column)).collect()).collect())
}

/// How high a sheet is without its caption, which older sheets do not have.
fn uncaptioned(page: &RgbImage) -> u32 {
    let captioned = (0..page.height()).rev().take_while(|y| page.get_pixel(0, *y) == &caption::PAPER).count() as u32;
    page.height() - captioned
}

/// The pictures of a sheet without its caption, packed as small as PNG can: for a page that says the words itself.
/// None where the bytes are no PNG of a size that a sheet has.
pub fn bare(png: &[u8]) -> Option<Vec<u8>> {
    const MOST: u32 = 1 << 14;
    let mut reader = image::ImageReader::with_format(std::io::Cursor::new(png), ImageFormat::Png);
    let mut limits = image::Limits::default();
    limits.max_image_width = Some(MOST);
    limits.max_image_height = Some(MOST);
    limits.max_alloc = Some(256 << 20);
    reader.limits(limits);
    let page = reader.decode().ok()?.into_rgb8();
    let bare = image::imageops::crop_imm(&page, 0, 0, page.width(), uncaptioned(&page)).to_image();
    let mut bytes = Vec::new();
    let packed = PngEncoder::new_with_quality(&mut bytes, CompressionType::Best, FilterType::Adaptive);
    bare.write_with_encoder(packed).ok()?;
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sheet_has_its_pixels_where_they_belong() {
        let picture = |v| Picture { shape: [1, 2, 2], values: vec![v; 4] };
        let tiles = vec![Tile::Image(picture(1.0)), Tile::Map(picture(-1.0)), Tile::Error(picture(0.2), picture(0.7))];
        let page = image::load_from_memory(&sheet(&[tiles], &Caption::default()).unwrap()).unwrap().to_rgb8();
        assert_eq!(page.dimensions(), (3 * 116 + 4, 120));
        assert_eq!(page.get_pixel(0, 0), &PAPER);
        assert_eq!(page.get_pixel(50, 50), &Rgb([255; 3]));
        assert_eq!(page.get_pixel(170, 50), &Rgb([0, 140, 255]));
        assert_eq!(page.get_pixel(290, 50), &Rgb([128; 3]));
    }

    #[test]
    fn a_sheet_gives_its_pictures_back() {
        for shape in [[1, 5, 3], [3, 4, 6], [1, 28, 28], [3, 2, 200]] {
            let [c, h, w] = shape;
            let picture = |step: usize| {
                let values = (0..c * h * w).map(|i| (i * step % 256) as f32 / 255.0).collect();
                Picture { shape, values }
            };
            let rows = vec![vec![picture(7), picture(31), picture(58)], vec![picture(3), picture(101), picture(77)]];
            let drawn: Vec<Vec<Tile>> = rows.iter().map(|row| row.iter().cloned().map(Tile::Image).collect()).collect();
            let caption = Caption { columns: vec!["of three".to_owned()], text: "words ".repeat(40) };
            let bytes = sheet(&drawn, &Caption::default()).unwrap();
            let captioned = sheet(&drawn, &caption).unwrap();
            assert_eq!(tiles(&bytes, shape).unwrap(), rows, "{shape:?}");
            assert_eq!(tiles(&captioned, shape).unwrap(), rows, "{shape:?}");
            let height = |png: &[u8]| image::load_from_memory(png).unwrap().height();
            let bared = bare(&captioned).unwrap();
            assert_eq!((tiles(&bared, shape).unwrap(), height(&bared)), (rows.clone(), height(&bytes)), "{shape:?}");
            assert!(height(&captioned) > height(&bytes) + 30, "{shape:?}");
            assert!(tiles(&bytes, [c, h + 1, w]).is_err() && tiles(&bytes, [2, h, w]).is_err());
            assert!(tiles(&bytes[..bytes.len() / 2], shape).is_err() && tiles(b"", shape).is_err());
        }
        // What is not of 8 bits comes back rounded, what is out of range clamped.
        let wild = Picture { shape: [1, 1, 3], values: vec![0.5003, -1.0, 7.0] };
        let back = tiles(&sheet(&[vec![Tile::Image(wild)]], &Caption::default()).unwrap(), [1, 1, 3]).unwrap();
        assert_eq!(back[0][0].values, [128.0 / 255.0, 0.0, 1.0]);
    }
}

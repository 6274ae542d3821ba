//! Decodes the file of a picture: PNG, JPEG, PGM and its relatives, TIFF and BMP, of 8 or 16 bits, turned as its EXIF
//! data say.
//!
//! What a file is, is told by its first bytes and not by its name. Sides and bytes are checked against the limits here
//! before anything is allocated; no more of a file is looked at for its [`head`] than needs be.

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Seek};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use image::codecs::pnm::PnmDecoder;
use image::metadata::Orientation;
use image::{ColorType, DynamicImage, ImageDecoder, ImageError, ImageFormat, ImageReader, Limits};

use super::pictures::{Head, Picture};

/// Endings of the files that are read, in small letters.
pub(super) const ENDINGS: [&str; 10] = ["png", "jpg", "jpeg", "pgm", "ppm", "pbm", "pnm", "tif", "tiff", "bmp"];
/// Most bytes of a file.
const MAX_FILE: u64 = 256 << 20;
/// Longest side of a picture, in pixels: it is scaled down, so it may be longer than that of an image.
const MAX_SIDE: u32 = 16_384;
/// Most bytes of a decoded picture.
const MAX_DECODED: u64 = 128 << 20;
/// Most bytes of what stands beside the pixels of a PNG file, such as a profile of colours: a small file can have it packed.
const BESIDE: u64 = 16 << 20;
/// What is done to a picture that is seen through in places.
const ON_BLACK: &str = "Transparent parts are put on black";
/// What is done to a picture that lies on its side.
const TURNED: &str = "Pictures are turned as their EXIF data say";

/// Whether a file's name is that of a picture.
pub(super) fn is_picture(path: &Path) -> bool {
    path.extension().is_some_and(|ending| ENDINGS.iter().any(|known| ending.eq_ignore_ascii_case(known)))
}

/// What a file declares, without decoding it. The problem is told without a path.
pub(super) fn head(path: &Path) -> Result<Head, String> {
    let file = BufReader::new(opened(path)?);
    guarded(|| Ok(Opened::of(file)?.head))
}

/// Decodes a file. The problem is told without a path.
pub(super) fn picture(path: &Path) -> Result<Picture, String> {
    let mut bytes = Vec::new();
    let file = opened(path)?;
    file.take(MAX_FILE).read_to_end(&mut bytes).map_err(|error| format!("cannot be read ({error})"))?;
    decoded(&bytes)
}

/// Decodes what stands in a file.
fn decoded(bytes: &[u8]) -> Result<Picture, String> {
    guarded(|| {
        let Opened { head, decoder, turned, format } = Opened::of(std::io::Cursor::new(bytes))?;
        if format == ImageFormat::Jpeg && !has_end(bytes) {
            // It would be decoded, grey where something is lacking.
            return Err("is cut short: this JPEG file has no end".to_owned());
        }
        let mut image = DynamicImage::from_decoder(decoder).map_err(|error| told(&error))?;
        image.apply_orientation(turned);
        pixels(&image, &head)
    })
}

fn opened(path: &Path) -> Result<File, String> {
    let metadata = path.metadata().map_err(|error| format!("cannot be read ({error})"))?;
    if !metadata.is_file() {
        return Err("is no file".to_owned());
    }
    if metadata.len() > MAX_FILE {
        return Err(format!("has {} bytes; at most {MAX_FILE} are read", metadata.len()));
    }
    File::open(path).map_err(|error| format!("cannot be opened ({error})"))
}

/// What strangers write has made decoders panic before now: one picture is lost then, not the set.
fn guarded<T>(decode: impl FnOnce() -> Result<T, String>) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(decode)).unwrap_or_else(|_| Err("is damaged: decoding it failed".to_owned()))
}

/// A file of which the head has been read.
struct Opened<'a> {
    head: Head,
    decoder: Box<dyn ImageDecoder + 'a>,
    turned: Orientation,
    format: ImageFormat,
}

impl<'a> Opened<'a> {
    fn of(mut file: impl BufRead + Seek + 'a) -> Result<Self, String> {
        let failed = |error: std::io::Error| format!("cannot be read ({error})");
        let mut start = [0; 24];
        let known = file.by_ref().take(24).read(&mut start).map_err(failed)?;
        file.rewind().map_err(failed)?;
        let format = match image::guess_format(&start[..known]) {
            Ok(
                format @ (ImageFormat::Png
                | ImageFormat::Jpeg
                | ImageFormat::Pnm
                | ImageFormat::Tiff
                | ImageFormat::Bmp),
            ) => format,
            _ if known == 0 => return Err("is empty".to_owned()),
            _ => return Err("is no picture that is read: PNG, JPEG, PGM, TIFF and BMP files are".to_owned()),
        };
        let mut most = u16::MAX;
        if format == ImageFormat::Pnm {
            // The decoder stretches what has fewer than 16 bits over all of them; how many there were, the header says.
            let header = PnmDecoder::new(&mut file).map_err(|error| told(&error))?.into_inner().1;
            most = u16::try_from(header.maximal_sample()).unwrap_or(u16::MAX);
            file.rewind().map_err(failed)?;
        }
        let mut limits = Limits::no_limits();
        limits.max_image_width = Some(MAX_SIDE);
        limits.max_image_height = Some(MAX_SIDE);
        // A decoder may need as much again.
        let room = if format == ImageFormat::Png { png_bytes(&start) } else { u64::MAX };
        limits.max_alloc = Some(room.min(2 * MAX_DECODED));
        let mut reader = ImageReader::with_format(file, format);
        reader.limits(limits);
        let mut decoder: Box<dyn ImageDecoder + 'a> = Box::new(reader.into_decoder().map_err(|error| told(&error))?);
        let (width, height) = decoder.dimensions();
        if width == 0 || height == 0 {
            return Err(format!("declares {height} × {width} pixels"));
        }
        let bytes = u64::from(width) * u64::from(height) * u64::from(decoder.color_type().bytes_per_pixel());
        if bytes > MAX_DECODED {
            return Err(format!("declares {bytes} bytes of pixels; at most {MAX_DECODED} are read"));
        }
        let turned = decoder.orientation().unwrap_or(Orientation::NoTransforms);
        let head = head_of(decoder.color_type(), [height, width], turned, most)?;
        Ok(Self { head, decoder, turned, format })
    }
}

/// Most bytes that decoding a PNG file may take: its pixels twice, by the sides that its first chunk declares, four channels
/// of 16 bits each, and what stands beside them.
fn png_bytes(start: &[u8; 24]) -> u64 {
    let [_, _, _, _, width, height]: [u32; 6] = std::array::from_fn(|i| {
        let at = 4 * i;
        u32::from_be_bytes([start[at], start[at + 1], start[at + 2], start[at + 3]])
    });
    (u64::from(width) * u64::from(height)).saturating_mul(2 * 8).saturating_add(BESIDE)
}

fn head_of(color: ColorType, [height, width]: [u32; 2], turned: Orientation, most: u16) -> Result<Head, String> {
    let white = match color {
        ColorType::L8 | ColorType::La8 | ColorType::Rgb8 | ColorType::Rgba8 => 255,
        ColorType::L16 | ColorType::La16 | ColorType::Rgb16 | ColorType::Rgba16 => most,
        _ => return Err("has pixels that are no whole numbers of 8 or 16 bits".to_owned()),
    };
    let on_its_side = matches!(
        turned,
        Orientation::Rotate90 | Orientation::Rotate270 | Orientation::Rotate90FlipH | Orientation::Rotate270FlipH
    );
    let [h, w] = if on_its_side { [width, height] } else { [height, width] }.map(|side| side as usize);
    let said = [color.has_alpha().then_some(ON_BLACK), (turned != Orientation::NoTransforms).then_some(TURNED)];
    let shape = [if color.has_color() { 3 } else { 1 }, h, w];
    Ok(Head { shape, white, said: said.into_iter().flatten().collect() })
}

/// A decoded image as pixels: each channel by itself, what is seen through on black.
fn pixels(image: &DynamicImage, head: &Head) -> Result<Picture, String> {
    let planes = match image {
        DynamicImage::ImageLuma8(image) => planes::<1, 1>(image.as_raw(), 255),
        DynamicImage::ImageLumaA8(image) => planes::<2, 1>(image.as_raw(), 255),
        DynamicImage::ImageRgb8(image) => planes::<3, 3>(image.as_raw(), 255),
        DynamicImage::ImageRgba8(image) => planes::<4, 3>(image.as_raw(), 255),
        DynamicImage::ImageLuma16(image) => planes::<1, 1>(image.as_raw(), 65535),
        DynamicImage::ImageLumaA16(image) => planes::<2, 1>(image.as_raw(), 65535),
        DynamicImage::ImageRgb16(image) => planes::<3, 3>(image.as_raw(), 65535),
        DynamicImage::ImageRgba16(image) => planes::<4, 3>(image.as_raw(), 65535),
        _ => return Err("has pixels that are no whole numbers of 8 or 16 bits".to_owned()),
    };
    let mut picture = Picture { shape: head.shape, pixels: planes, white: head.white };
    if !matches!(head.white, 255 | u16::MAX) {
        // Back to what stands in the file: the stretch was to more steps, so nothing is lost either way.
        let own = u32::from(head.white);
        picture.pixels.iter_mut().for_each(|pixel| *pixel = ((u32::from(*pixel) * own + 32_767) / 65_535) as u16);
    }
    Ok(picture)
}

/// The first `COLOURS` of `ALL` channels, each by itself; the one after them, where there is one, is how much is seen.
fn planes<const ALL: usize, const COLOURS: usize>(pixels: &[impl Copy + Into<u32>], most: u32) -> Vec<u16> {
    planes_of::<_, ALL, COLOURS>(pixels.as_chunks().0, most)
}

fn planes_of<T: Copy + Into<u32>, const ALL: usize, const COLOURS: usize>(pixels: &[[T; ALL]], most: u32) -> Vec<u16> {
    let seen = |pixel: &[T; ALL], channel: usize| {
        let value: u32 = pixel[channel].into();
        // No overflow: both are below 2^16.
        let value = pixel.get(COLOURS).map_or(value, |alpha| (value * (*alpha).into() + most / 2) / most);
        value as u16
    };
    (0..COLOURS).flat_map(|channel| pixels.iter().map(move |pixel| seen(pixel, channel))).collect()
}

/// Whether a JPEG file's last scan is followed by the mark of its end.
fn has_end(bytes: &[u8]) -> bool {
    let last = |mark: u8| bytes.windows(2).rposition(|pair| pair == [0xff, mark]);
    last(0xd9) > last(0xda)
}

/// A decoder's problem, in one line.
fn told(error: &ImageError) -> String {
    match error {
        ImageError::Limits(_) => {
            format!("is too large: at most {MAX_SIDE} × {MAX_SIDE} pixels and {MAX_DECODED} bytes of them are read")
        }
        other => {
            let words: String =
                other.to_string().chars().map(|c| if c.is_control() { ' ' } else { c }).take(200).collect();
            format!("cannot be decoded ({words})")
        }
    }
}

#[cfg(test)]
mod tests;

use std::io::Cursor;

use image::{ImageBuffer, Luma, LumaA, Rgb, RgbImage, Rgba};

use super::*;
use crate::data::wild::each;
use crate::random::Seed;

fn encoded(image: &DynamicImage, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    image.write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

fn grey(w: u32, h: u32) -> DynamicImage {
    ImageBuffer::from_fn(w, h, |x, y| Luma([(16 * x + y) as u8])).into()
}

fn deep(w: u32, h: u32) -> DynamicImage {
    ImageBuffer::from_fn(w, h, |x, y| Luma([(1000 * x + y) as u16])).into()
}

fn colour(w: u32, h: u32) -> DynamicImage {
    RgbImage::from_fn(w, h, |x, y| Rgb([x as u8, y as u8, 200])).into()
}

/// A chunk of a PNG file; a decoder checks its sum.
fn chunk(kind: &[u8], data: &[u8]) -> Vec<u8> {
    let mut sum = flate2::Crc::new();
    sum.update(kind);
    sum.update(data);
    [&(data.len() as u32).to_be_bytes(), kind, data, &sum.sum().to_be_bytes()].concat()
}

/// Mends the sums of a PNG file's chunks, so that a decoder goes on to what is in them.
fn mend_sums(bytes: &mut [u8]) {
    let mut at = 8;
    while let Some(head) = bytes.get(at..at + 4) {
        let length = u32::from_be_bytes(head.try_into().unwrap()) as usize;
        let Some(summed) = bytes.get(at + 4..at + 8 + length) else { break };
        let mut sum = flate2::Crc::new();
        sum.update(summed);
        let Some(place) = bytes.get_mut(at + 8 + length..at + 12 + length) else { break };
        place.copy_from_slice(&sum.sum().to_be_bytes());
        at += 12 + length;
    }
}

fn png_of(width: u32, height: u32) -> Vec<u8> {
    let sides = [width.to_be_bytes(), height.to_be_bytes()].concat();
    [
        b"\x89PNG\r\n\x1a\n".as_slice(),
        &chunk(b"IHDR", &[&sides, [8, 0, 0, 0, 0].as_slice()].concat()),
        &chunk(b"IDAT", &[]),
    ]
    .concat()
}

#[test]
fn every_form_is_read_with_all_its_bits() {
    for format in [ImageFormat::Png, ImageFormat::Pnm, ImageFormat::Tiff, ImageFormat::Bmp] {
        let picture = decoded(&encoded(&grey(3, 2), format)).unwrap();
        // Whoever writes a BMP file writes grey as a palette.
        let pixels = &picture.pixels[..6];
        assert_eq!((pixels, picture.white), (&[0, 16, 32, 1, 17, 33][..], 255), "{format:?}");
        let picture = decoded(&encoded(&colour(2, 2), format)).unwrap();
        assert_eq!(picture.shape, [3, 2, 2]);
        assert_eq!(picture.pixels, [0, 1, 0, 1, 0, 0, 1, 1, 200, 200, 200, 200], "{format:?}");
    }
    for format in [ImageFormat::Png, ImageFormat::Pnm, ImageFormat::Tiff] {
        let picture = decoded(&encoded(&deep(3, 2), format)).unwrap();
        assert_eq!(
            (picture.pixels.as_slice(), picture.white),
            (&[0, 1000, 2000, 1, 1001, 2001][..], u16::MAX),
            "{format:?}"
        );
    }
    let picture = decoded(&encoded(&grey(16, 16), ImageFormat::Jpeg)).unwrap();
    assert_eq!(picture.shape, [1, 16, 16]);
    assert!(picture.pixels[5].abs_diff(80) < 12, "{:?}", &picture.pixels[..16]);
}

#[test]
fn twelve_bits_of_a_pgm_stay_what_they_are() {
    let all: Vec<u16> = (0..4096).collect();
    let bytes: Vec<u8> = all.iter().flat_map(|pixel| pixel.to_be_bytes()).collect();
    let picture = decoded(&[b"P5\n64 64\n4095\n", bytes.as_slice()].concat()).unwrap();
    assert_eq!((picture.white, picture.pixels), (4095, all));
    let few = decoded(b"P2 2 1 15 0 15").unwrap();
    assert_eq!((few.white, few.pixels.as_slice()), (255, &[0, 255][..]));
    let bits = decoded(b"P1 3 1 1 0 1").unwrap();
    assert_eq!((bits.white, bits.pixels.as_slice()), (255, &[0, 255, 0][..]), "1 is black there");
}

#[test]
fn what_is_seen_through_stands_on_black() {
    let image: DynamicImage = ImageBuffer::from_pixel(1, 1, Rgba([200_u8, 100, 50, 128])).into();
    let bytes = encoded(&image, ImageFormat::Png);
    assert_eq!(decoded(&bytes).unwrap().pixels, [100, 50, 25]);
    let image: DynamicImage = ImageBuffer::from_pixel(1, 1, LumaA([60_000_u16, 0])).into();
    let bytes = encoded(&image, ImageFormat::Png);
    assert_eq!(decoded(&bytes).unwrap().pixels, [0]);
    assert_eq!(Opened::of(Cursor::new(bytes)).unwrap().head.said, [ON_BLACK]);
}

#[test]
fn a_picture_is_turned_as_its_exif_data_say() {
    // A little TIFF with the tag of the orientation alone: 6 is a quarter to the right.
    let exif = |orientation: u8| {
        let mut all = b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0".to_vec();
        all.extend([orientation, 0, 0, 0, 0, 0, 0, 0]);
        all
    };
    let plain = encoded(&grey(3, 2), ImageFormat::Png);
    // After the head, which is 8 + 25 bytes.
    let with = |orientation| [&plain[..33], &chunk(b"eXIf", &exif(orientation)), &plain[33..]].concat();
    let turned = decoded(&with(6)).unwrap();
    assert_eq!((turned.shape, turned.pixels.as_slice()), ([1, 3, 2], &[1, 0, 17, 16, 33, 32][..]));
    assert_eq!(decoded(&with(2)).unwrap().pixels, [32, 16, 0, 33, 17, 1]);
    let head = Opened::of(Cursor::new(with(6))).unwrap().head;
    assert_eq!((head.shape, head.said.as_slice()), ([1, 3, 2], &[TURNED][..]));
    assert_eq!(decoded(&with(99)).unwrap(), decoded(&plain).unwrap(), "nonsense turns nothing");
}

#[test]
fn what_is_too_large_or_has_no_pixels_is_told() {
    let too_large = |bytes: &[u8]| decoded(bytes).unwrap_err();
    assert!(too_large(&png_of(65_535, 65_535)).contains("too large"), "{}", too_large(&png_of(65_535, 65_535)));
    assert!(too_large(&png_of(16_384, 16_384)).contains("bytes of pixels"));
    for header in ["P5 65535 65535 255\n", "P5 4000000000 4000000000 255\n", "P6 16384 16384 65535\n"] {
        assert!(decoded(header.as_bytes()).is_err(), "{header}");
    }
    let mut bmp = encoded(&colour(2, 2), ImageFormat::Bmp);
    bmp[18..22].copy_from_slice(&65_535_u32.to_le_bytes());
    bmp[22..26].copy_from_slice(&65_535_u32.to_le_bytes());
    assert!(too_large(&bmp).contains("too large"), "{}", too_large(&bmp));
    assert!(decoded(&png_of(0, 5)).is_err());
    assert!(decoded(b"P5 0 5 255\n").is_err());
    assert_eq!(decoded(&[]).unwrap_err(), "is empty");
    assert!(decoded(b"GIF89a\x01\0\x01\0").unwrap_err().starts_with("is no picture that is read"));
    assert_eq!(head(Path::new("/")).unwrap_err(), "is no file");
}

#[test]
fn what_stands_beside_the_pixels_is_not_unpacked_without_end() {
    let mut packed = flate2::write::ZlibEncoder::new(b"name\0\0".to_vec(), flate2::Compression::best());
    for _ in 0..64 {
        std::io::Write::write_all(&mut packed, &vec![0; 1 << 20]).unwrap();
    }
    let profile = chunk(b"iCCP", &packed.finish().unwrap());
    let plain = encoded(&grey(3, 2), ImageFormat::Png);
    // After the head, which is 8 + 25 bytes.
    let bytes = [&plain[..33], &profile, &plain[33..]].concat();
    assert!(bytes.len() < 100_000);
    assert_eq!(Opened::of(Cursor::new(&bytes)).unwrap().decoder.icc_profile().unwrap(), None);
    assert_eq!(decoded(&bytes).unwrap(), decoded(&plain).unwrap());
}

#[test]
fn a_jpeg_that_is_cut_short_is_no_picture() {
    let whole = encoded(&grey(64, 64), ImageFormat::Jpeg);
    assert!(decoded(&whole).is_ok());
    let told = decoded(&whole[..whole.len() - 20]).unwrap_err();
    assert!(told.starts_with("is cut short"), "{told}");
}

/// No bytes panic, hang or take memory beyond the limit; a head that is read is that of the picture.
#[test]
fn any_bytes_are_a_picture_or_a_problem() {
    let mut good = vec![png_of(65_535, 3), b"P2 2 2 255 1 2 3 4".to_vec(), b"P3 1 1 4095 1 2 3".to_vec()];
    for format in [ImageFormat::Png, ImageFormat::Pnm, ImageFormat::Tiff, ImageFormat::Bmp, ImageFormat::Jpeg] {
        good.extend([grey(9, 7), colour(5, 6)].map(|image| encoded(&image, format)));
    }
    good.extend([ImageFormat::Png, ImageFormat::Pnm, ImageFormat::Tiff].map(|format| encoded(&deep(5, 4), format)));
    let (mut read, mut refused) = (0, 0);
    each(2400, |case| {
        let mut random = Seed(case).stream("bytes", 0);
        let mut bytes = good[case as usize % good.len()].clone();
        if case % 8 == 0 {
            // A good beginning and nonsense.
            bytes.truncate(random.below(40));
            bytes.extend((0..random.below(300)).map(|_| random.below(256) as u8));
        } else {
            for _ in 0..=random.below(6) {
                let at = random.below(bytes.len());
                bytes[at] = [random.below(256) as u8, 0, 255, bytes[at] ^ 1][random.below(4)];
            }
            if case % 5 == 0 {
                bytes.truncate(random.below(bytes.len()));
            }
            if case % 3 > 0 && bytes.starts_with(b"\x89PNG") {
                mend_sums(&mut bytes);
            }
        }
        match decoded(&bytes) {
            Ok(picture) => {
                read += 1;
                assert_eq!(picture.pixels.len(), picture.shape.iter().product::<usize>());
                assert!(picture.pixels.iter().all(|pixel| *pixel <= picture.white), "{case}");
                let head = Opened::of(Cursor::new(bytes)).unwrap_or_else(|told| panic!("{case}: {told}")).head;
                assert_eq!((head.shape, head.white), (picture.shape, picture.white), "{case}");
            }
            Err(told) => {
                refused += 1;
                assert!(!told.is_empty() && told.len() < 400 && !told.contains('\n'), "{told}");
            }
        }
    });
    assert!(read > 300 && refused > 300, "{read} read, {refused} refused");
}

//! NumPy's arrays for other programs and from them: `.npz` written, images of a `.npy` or `.npz` read.
//!
//! A set of labelled images to train on is read by [`load`](super::load); this is for arrays without labels.

use std::fs::File;
use std::io::{BufReader, Cursor, Read, Seek, SeekFrom, Write};
use std::path::Path;

use zip::write::{SimpleFileOptions, ZipWriter};
use zip::{CompressionMethod, DateTime, ZipArchive};

use super::readers::npz::Header;
use super::{MAX_BYTES, about_path, payload_bytes, read_payload};
use crate::error::{Error, Result};

/// Names of an archive's entries that a message lists.
const LISTED: usize = 8;

/// A named array in C order.
#[derive(Clone, Debug, PartialEq)]
pub struct Array {
    /// Its name in the file.
    pub name: String,
    /// Its sides; their product is the number of values.
    pub shape: Vec<usize>,
    /// What it holds.
    pub values: Values,
}

/// The numbers of an [`Array`].
#[derive(Clone, Debug, PartialEq)]
pub enum Values {
    /// float32.
    F32(Vec<f32>),
    /// float64.
    F64(Vec<f64>),
    /// int64, for classes and places.
    I64(Vec<i64>),
}

impl Array {
    /// An array of float32.
    pub fn f32(name: &str, shape: &[usize], values: Vec<f32>) -> Self {
        Self { name: name.to_owned(), shape: shape.to_vec(), values: Values::F32(values) }
    }

    /// A row of float64.
    pub fn f64(name: &str, values: Vec<f64>) -> Self {
        Self { name: name.to_owned(), shape: vec![values.len()], values: Values::F64(values) }
    }

    /// A row of whole numbers.
    pub fn classes(name: &str, values: impl IntoIterator<Item = u32>) -> Self {
        let values: Vec<i64> = values.into_iter().map(i64::from).collect();
        Self { name: name.to_owned(), shape: vec![values.len()], values: Values::I64(values) }
    }

    /// Bytes of the values.
    pub fn bytes(&self) -> usize {
        match &self.values {
            Values::F32(values) => 4 * values.len(),
            Values::F64(values) => 8 * values.len(),
            Values::I64(values) => 8 * values.len(),
        }
    }

    fn write(&self, file: &mut impl Write) -> std::io::Result<()> {
        let kind = match &self.values {
            Values::F32(_) => "<f4",
            Values::F64(_) => "<f8",
            Values::I64(_) => "<i8",
        };
        let sides: Vec<String> = self.shape.iter().map(|side| format!("{side},")).collect();
        let mut header = format!("{{'descr': '{kind}', 'fortran_order': False, 'shape': ({}), }}", sides.join(" "));
        // Ten bytes come before; the values begin at a multiple of 64.
        let padded = (10 + header.len() + 1).next_multiple_of(64) - 11;
        header = format!("{header:padded$}\n");
        file.write_all(b"\x93NUMPY\x01\x00")?;
        file.write_all(&(header.len() as u16).to_le_bytes())?;
        file.write_all(header.as_bytes())?;
        match &self.values {
            Values::F32(values) => values.iter().try_for_each(|v| file.write_all(&v.to_le_bytes())),
            Values::F64(values) => values.iter().try_for_each(|v| file.write_all(&v.to_le_bytes())),
            Values::I64(values) => values.iter().try_for_each(|v| file.write_all(&v.to_le_bytes())),
        }
    }
}

/// The arrays as an `.npz` file, not compressed. Equal arrays give equal bytes.
///
/// # Errors
/// Returns an error if two arrays have the same name.
pub fn npz(arrays: &[Array]) -> Result<Vec<u8>> {
    let wrong = |e: &dyn std::fmt::Display| Error::Internal(format!("arrays: {e}"));
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Stored)
        // The clock is none of the arrays' business.
        .last_modified_time(DateTime::default());
    let room = arrays.iter().map(|array| array.bytes() + 512).sum();
    let mut archive = ZipWriter::new(Cursor::new(Vec::with_capacity(room)));
    for array in arrays {
        archive.start_file(format!("{}.npy", array.name), options).map_err(|e| wrong(&e))?;
        array.write(&mut archive).map_err(|e| wrong(&e))?;
    }
    Ok(archive.finish().map_err(|e| wrong(&e))?.into_inner())
}

/// Reads images of `shape` (C, H, W) from a `.npy` or `.npz` file: (N, C, H, W), or (N, H, W) where C is 1; float32 or
/// float64 in [0, 1], or bytes, which are divided by 255. Gives N·C·H·W values. Of an `.npz` the array `images` is
/// read, or the only one.
///
/// # Errors
/// Says what the file holds and what was wanted; the path comes last.
pub fn read_images(path: &Path, shape: [usize; 3]) -> Result<Vec<f32>> {
    let file = File::open(path).map_err(Error::opening("open the images", path))?;
    read(BufReader::new(file), shape).map_err(|problem| about_path(&problem, path))
}

fn read(mut file: impl Read + Seek, shape: [usize; 3]) -> Result<Vec<f32>, String> {
    let damaged = |e: std::io::Error| format!("the file cannot be read ({e})");
    let mut start = Vec::new();
    file.by_ref().take(2).read_to_end(&mut start).map_err(damaged)?;
    file.seek(SeekFrom::Start(0)).map_err(damaged)?;
    if start != b"PK" {
        return images(&mut file, shape).map_err(|problem| format!("the file {problem}"));
    }
    let mut archive = ZipArchive::new(file).map_err(|e| format!("not a readable .npz (zip) file ({e})"))?;
    // What has a name of no known letters is none of ours.
    let names: Vec<String> = archive.file_names().filter_map(|name| Some(name.ok()?.into_owned())).collect();
    let name = match names.iter().find(|name| *name == "images.npy") {
        Some(name) => name,
        None => match names.as_slice() {
            [only] => only,
            [] => return Err("this .npz file holds no array".to_owned()),
            several => {
                let listed = several.iter().take(LISTED).cloned().collect::<Vec<_>>().join(", ");
                let more = if several.len() > LISTED { ", …" } else { "" };
                return Err(format!("this .npz file holds several arrays, none called images: {listed}{more}"));
            }
        },
    };
    let mut member = archive.by_name(name).map_err(|e| format!("the entry {name} cannot be read ({e})"))?;
    images(&mut member, shape).map_err(|problem| format!("the entry {name} {problem}"))
}

fn images(file: &mut dyn Read, shape: [usize; 3]) -> Result<Vec<f32>, String> {
    let header = Header::read(file)?;
    let [c, h, w] = shape.map(|side| side as u64);
    let count = match *header.shape {
        [count, ref image @ ..] if image == [c, h, w] || (c == 1 && image == [h, w]) => count,
        _ => {
            let flat = if c == 1 { format!(" or (N, {h}, {w})") } else { String::new() };
            let last = header.shape.get(1..) == Some(&[h, w, c][..]);
            let hint = if last { "; put the channels before height and width" } else { "" };
            return Err(format!(
                "has the shape {:?}; the run's images are (N, {c}, {h}, {w}){flat}{hint}",
                header.shape
            ));
        }
    };
    if count == 0 {
        return Err("holds no image".to_owned());
    }
    let numbers = payload_bytes(count, [c, h, w], MAX_BYTES)?;
    let raw = |file, size: u64| read_payload(file, size * numbers);
    let big = header.descr.starts_with('>');
    let values: Vec<f32> = match (header.kind, header.size) {
        ('u', 1) => raw(file, 1)?.into_iter().map(|byte| f32::from(byte) / 255.0).collect(),
        ('f', 4) => numbers_of(&raw(file, 4)?, if big { f32::from_be_bytes } else { f32::from_le_bytes }),
        ('f', 8) => {
            numbers_of(&raw(file, 8)?, |b| (if big { f64::from_be_bytes(b) } else { f64::from_le_bytes(b) }) as f32)
        }
        _ => {
            return Err(format!(
                "holds elements of type {}; allowed are bytes (|u1) from 0 to 255, and float32 or float64 from 0 to 1",
                header.descr
            ));
        }
    };
    if let Some(wrong) = values.iter().find(|v| !(0.0..=1.0).contains(*v)) {
        return Err(format!("holds the value {wrong}; allowed is 0 to 1, or 0 to 255 in bytes (|u1)"));
    }
    Ok(if header.fortran { in_c_order(&values, count as usize, shape) } else { values })
}

fn numbers_of<const SIZE: usize>(bytes: &[u8], number: impl Fn([u8; SIZE]) -> f32) -> Vec<f32> {
    bytes.as_chunks().0.iter().map(|bytes| number(*bytes)).collect()
}

/// Values whose first index runs fastest, brought into C order.
fn in_c_order(values: &[f32], count: usize, [c, h, w]: [usize; 3]) -> Vec<f32> {
    let mut out = Vec::with_capacity(values.len());
    for n in 0..count {
        for (k, y) in (0..c).flat_map(|k| (0..h).map(move |y| (k, y))) {
            out.extend((0..w).map(|x| values[n + count * (k + c * (y + h * x))]));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A `.npy` file of two images of 1 × 2 × 3.
    fn npy(descr: &str, shape: &str, fortran: &str, data: &[u8]) -> Vec<u8> {
        let text = format!("{{'descr': '{descr}', 'fortran_order': {fortran}, 'shape': {shape}, }}\n");
        let mut file = b"\x93NUMPY\x01\x00".to_vec();
        file.extend((text.len() as u16).to_le_bytes());
        file.extend_from_slice(text.as_bytes());
        file.extend_from_slice(data);
        file
    }

    fn got(file: &[u8]) -> Result<Vec<f32>, String> {
        read(Cursor::new(file), [1, 2, 3])
    }

    const VALUES: [f32; 12] = [0.0, 0.25, 0.5, 0.75, 1.0, 0.125, 1.0, 0.5, 0.0, 0.0, 0.25, 0.375];

    #[test]
    fn what_is_written_is_read_again() {
        let arrays = [Array::f32("images", &[2, 1, 2, 3], VALUES.to_vec()), Array::classes("labels", [3, 1])];
        let file = npz(&arrays).unwrap();
        assert_eq!(got(&file).unwrap(), VALUES);
        assert_eq!(npz(&arrays).unwrap(), file, "the same bytes at any time");
        let mut archive = ZipArchive::new(Cursor::new(&file)).unwrap();
        let mut labels = Vec::new();
        archive.by_name("labels.npy").unwrap().read_to_end(&mut labels).unwrap();
        assert_eq!((labels.len() - 16) % 64, 0, "the values are aligned");
        let header = Header::read(&mut labels.as_slice()).unwrap();
        assert_eq!((header.descr.as_str(), header.shape.as_slice(), header.fortran), ("<i8", &[2][..], false));
        assert_eq!(labels[labels.len() - 16..], [3_i64.to_le_bytes(), 1_i64.to_le_bytes()].concat());
        assert!(npz(&[arrays[0].clone(), arrays[0].clone()]).is_err());
    }

    #[test]
    fn every_layout_of_floats_and_bytes_is_read() {
        let little: Vec<u8> = VALUES.iter().flat_map(|v| v.to_le_bytes()).collect();
        let big: Vec<u8> = VALUES.iter().flat_map(|v| f64::from(*v).to_be_bytes()).collect();
        for shape in ["(2, 1, 2, 3)", "(2, 2, 3)"] {
            assert_eq!(got(&npy("<f4", shape, "False", &little)).unwrap(), VALUES);
            assert_eq!(got(&npy(">f8", shape, "False", &big)).unwrap(), VALUES);
        }
        let bytes = got(&npy("|u1", "(2, 2, 3)", "False", &[0, 51, 255, 0, 0, 0, 0, 0, 0, 0, 0, 102])).unwrap();
        assert_eq!((bytes[1], bytes[2], bytes[11]), (0.2, 1.0, 0.4));
        // The first index fastest: image, then row, then column.
        let fortran: Vec<u8> = (0..12).collect();
        let turned = got(&npy("|u1", "(2, 2, 3)", "True", &fortran)).unwrap();
        let places: Vec<f32> = turned.iter().map(|v| (v * 255.0).round()).collect();
        assert_eq!(places, [0.0, 4.0, 8.0, 2.0, 6.0, 10.0, 1.0, 5.0, 9.0, 3.0, 7.0, 11.0]);
    }

    #[test]
    fn what_is_no_image_of_the_run_is_refused_in_words() {
        let floats = |v: f32| [v; 12].iter().flat_map(|v| v.to_le_bytes()).collect::<Vec<u8>>();
        let several = npz(&[Array::classes("a", [1]), Array::classes("b", [1])]).unwrap();
        for (file, words) in [
            (npy("<f4", "(2, 3, 2)", "False", &floats(0.0)), "the shape [2, 3, 2]; the run's images are (N, 1, 2, 3)"),
            (npy("<f4", "(2, 2, 3, 1)", "False", &floats(0.0)), "put the channels before"),
            (npy("<f4", "(12,)", "False", &floats(0.0)), "or (N, 2, 3)"),
            (npy("<f4", "(2, 2, 3)", "False", &floats(255.0)), "the value 255; allowed is 0 to 1"),
            (npy("<f4", "(2, 2, 3)", "False", &floats(f32::NAN)), "the value NaN"),
            (npy("<f4", "(2, 2, 3)", "False", &floats(0.0)[1..]), "cut short: 47 of 48"),
            (npy("<i8", "(2, 2, 3)", "False", &[0; 96]), "type <i8; allowed are bytes"),
            (npy("<f2", "(2, 2, 3)", "False", &[0; 24]), "type <f2"),
            (npy("<f4", "(0, 2, 3)", "False", &[]), "no image"),
            (npy("<f4", "(99999999999, 2, 3)", "False", &[]), "99999999999 images"),
            (b"GIF89a".to_vec(), "the file"),
            (b"PK\x03\x04".to_vec(), "not a readable .npz"),
            (Vec::new(), "damaged or cut short"),
            (several, "several arrays, none called images: "),
            (npz(&[]).unwrap(), "no array"),
        ] {
            let told = got(&file).unwrap_err();
            assert!(told.contains(words), "{words}: {told}");
        }
    }
}

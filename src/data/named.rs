//! Named arrays of an `.npz` file, as another program hands them over: numbers of any shape, and images of them.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::BufReader;
use std::path::Path;
use std::sync::Arc;

use zip::ZipArchive;

use super::readers::npz::Header;
use super::{MAX_BYTES, Part, Source, about_path, read_payload};
use crate::error::{Error, Result};

/// An array of numbers in C order.
#[derive(Clone, Debug, PartialEq)]
pub struct Numbers {
    /// Its sides.
    pub shape: Vec<usize>,
    /// Their product of values.
    pub values: Vec<f32>,
    /// Whether they were bytes.
    pub bytes: bool,
    /// Whether they were whole numbers.
    pub whole: bool,
}

/// The arrays of these names, as far as the file has them, and the names of all that it has.
///
/// # Errors
/// Names the file and the array that cannot be read.
pub fn named(path: &Path, wanted: &[&str]) -> Result<(BTreeMap<String, Numbers>, Vec<String>)> {
    let file = File::open(path).map_err(Error::opening("open the arrays", path))?;
    let about = |problem: String| about_path(&problem, path);
    let mut archive = ZipArchive::new(BufReader::new(file))
        .map_err(|e| about(format!("not a readable .npz (zip) file ({e}); numpy.savez writes one")))?;
    let entries: Vec<String> = archive.file_names().filter_map(|name| Some(name.ok()?.into_owned())).collect();
    let name_of = |entry: &String| entry.strip_suffix(".npy").unwrap_or(entry).to_owned();
    let mut arrays = BTreeMap::new();
    for entry in entries.iter().filter(|entry| wanted.contains(&name_of(entry).as_str())) {
        let name = name_of(entry);
        let mut member = archive.by_name(entry).map_err(|e| about(format!("the array {name} cannot be read ({e})")))?;
        let numbers = numbers(&mut member).map_err(|problem| about(format!("the array {name} {problem}")))?;
        arrays.insert(name, numbers);
    }
    Ok((arrays, entries.iter().map(name_of).collect()))
}

fn numbers(file: &mut dyn std::io::Read) -> Result<Numbers, String> {
    let header = Header::read(file)?;
    let count = header.shape.iter().try_fold(1_u64, |count, side| count.checked_mul(*side));
    let bytes = count.and_then(|count| count.checked_mul(header.size as u64)).filter(|bytes| *bytes <= MAX_BYTES);
    let Some(bytes) = bytes else {
        return Err(format!("declares the shape {:?}; at most {MAX_BYTES} bytes are read", header.shape));
    };
    let big = header.descr.starts_with('>');
    let wrong = || {
        let descr = &header.descr;
        format!("holds elements of type {descr}; allowed are float32, float64 and whole numbers of up to 64 bits")
    };
    let each: fn(&[u8]) -> f32 = match (header.kind, header.size) {
        ('u' | 'b', 1) => |b| f32::from(b[0]),
        ('i', 1) => |b| f32::from(i8::from_le_bytes([b[0]])),
        ('u', 2) => |b| f32::from(u16::from_le_bytes([b[0], b[1]])),
        ('i', 2) => |b| f32::from(i16::from_le_bytes([b[0], b[1]])),
        ('u', 4) => |b| u32::from_le_bytes(b.try_into().unwrap_or_default()) as f32,
        ('i', 4) => |b| i32::from_le_bytes(b.try_into().unwrap_or_default()) as f32,
        ('u', 8) => |b| u64::from_le_bytes(b.try_into().unwrap_or_default()) as f32,
        ('i', 8) => |b| i64::from_le_bytes(b.try_into().unwrap_or_default()) as f32,
        ('f', 4) => |b| f32::from_le_bytes(b.try_into().unwrap_or_default()),
        ('f', 8) => |b| f64::from_le_bytes(b.try_into().unwrap_or_default()) as f32,
        _ => return Err(wrong()),
    };
    let mut raw = read_payload(file, bytes)?;
    if big {
        raw.chunks_exact_mut(header.size).for_each(<[u8]>::reverse);
    }
    let shape: Vec<usize> = header.shape.iter().map(|side| *side as usize).collect();
    let values: Vec<f32> = raw.chunks_exact(header.size).map(each).collect();
    let values = if header.fortran { in_c_order(&values, &shape) } else { values };
    let whole = header.kind != 'f';
    Ok(Numbers { shape, values, bytes: (header.kind, header.size) == ('u', 1), whole })
}

/// Values whose first index runs fastest, brought into C order.
fn in_c_order(values: &[f32], shape: &[usize]) -> Vec<f32> {
    let mut strides = vec![1; shape.len()];
    for i in 1..shape.len() {
        strides[i] = strides[i - 1] * shape[i - 1];
    }
    let place = |mut i: usize| {
        shape.iter().zip(&strides).rev().fold(0, |place, (side, stride)| {
            let at = i % side;
            i /= side;
            place + at * stride
        })
    };
    (0..values.len()).map(|i| values[place(i)]).collect()
}

/// Images (N, C, H, W) or (N, H, W), of bytes or of numbers from 0 to 1, with the class of each.
#[derive(Debug)]
pub struct Loose {
    shape: [usize; 3],
    values: Vec<f32>,
    labels: Vec<u32>,
}

impl Loose {
    /// As a part of a set.
    ///
    /// # Errors
    /// Returns an error if the array is no images, a value is outside, or there are not as many labels.
    pub fn part(numbers: Numbers, labels: Vec<u32>) -> Result<Part, String> {
        let (count, shape) = match *numbers.shape {
            [n, c, h, w] => (n, [c, h, w]),
            [n, h, w] => (n, [1, h, w]),
            _ => return Err(format!("has the shape {:?}; wanted is (N, C, H, W) or (N, H, W)", numbers.shape)),
        };
        if count == 0 || shape.contains(&0) {
            return Err(format!("has the shape {:?}: there is no image in it", numbers.shape));
        }
        if labels.len() != count {
            return Err(format!("holds {count} images, and there are {} labels", labels.len()));
        }
        let values =
            if numbers.bytes { numbers.values.into_iter().map(|byte| byte / 255.0).collect() } else { numbers.values };
        if let Some(value) = values.iter().find(|value| !(0.0..=1.0).contains(*value)) {
            return Err(format!("holds the value {value}; allowed is 0 to 1, or 0 to 255 in bytes (uint8)"));
        }
        Ok(Part::all(Arc::new(Self { shape, values, labels })))
    }

    fn one(&self, i: usize) -> &[f32] {
        let size = self.shape.iter().product::<usize>();
        &self.values[i * size..(i + 1) * size]
    }
}

impl Source for Loose {
    fn shape(&self) -> [usize; 3] {
        self.shape
    }

    fn len(&self) -> usize {
        self.labels.len()
    }

    fn labels(&self) -> &[u32] {
        &self.labels
    }

    fn white(&self) -> u32 {
        1
    }

    fn read(&self, i: usize, out: &mut [u8]) -> Result<()> {
        out.iter_mut().zip(self.one(i)).for_each(|(out, value)| *out = (value * 255.0).round() as u8);
        Ok(())
    }

    fn values(&self, i: usize, out: &mut [f32]) -> Result<()> {
        out.copy_from_slice(self.one(i));
        Ok(())
    }

    fn digest(&self, i: usize) -> Result<[u8; 32]> {
        let bytes: Vec<u8> = self.one(i).iter().flat_map(|value| value.to_le_bytes()).collect();
        Ok(*blake3::hash(&bytes).as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::numpy::{Array, npz};
    use crate::whole_files::Writer;

    fn file(arrays: &[Array]) -> (tempfile::TempDir, std::path::PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.npz");
        Writer::default().write(&path, &npz(arrays).unwrap()).unwrap();
        (folder, path)
    }

    #[test]
    fn the_wanted_arrays_are_read_and_the_others_named() {
        let values: Vec<f32> = (0..12).map(|i| i as f32 / 16.0).collect();
        let arrays =
            [Array::f32("smashed", &[2, 6], values.clone()), Array::classes("labels", [3, 1]), Array::f64("x", vec![])];
        let (_folder, path) = file(&arrays);
        let (found, all) = named(&path, &["smashed", "labels", "images"]).unwrap();
        assert_eq!(found["smashed"], Numbers { shape: vec![2, 6], values, bytes: false, whole: false });
        assert_eq!((found["labels"].values.as_slice(), found["labels"].whole), (&[3.0, 1.0][..], true));
        assert_eq!((found.len(), all.len()), (2, 3));
    }

    #[test]
    fn fortran_order_is_turned() {
        // Element (i, j, k) is 100 i + 10 j + k.
        let shape = [2, 3, 4];
        let number = |i: usize| (i / 12 * 100 + i / 4 % 3 * 10 + i % 4) as f32;
        let wanted: Vec<f32> = (0..24).map(number).collect();
        let mut fortran = vec![0.0; 24];
        for i in 0..24 {
            fortran[i / 12 + 2 * (i / 4 % 3) + 6 * (i % 4)] = wanted[i];
        }
        assert_eq!(in_c_order(&fortran, &shape), wanted);
    }

    #[test]
    fn images_keep_their_numbers_and_others_are_refused_in_words() {
        let numbers =
            |shape: &[usize], values: Vec<f32>, bytes| Numbers { shape: shape.to_vec(), values, bytes, whole: bytes };
        let part = Loose::part(numbers(&[2, 1, 2], vec![0.123_456_7, 0.5, 1.0, 0.0], false), vec![0, 1]).unwrap();
        assert_eq!((part.shape(), part.values(0).unwrap()), ([1, 1, 2], vec![0.123_456_7, 0.5]));
        assert_eq!(part.image(1).unwrap().as_ref(), [255, 0]);
        let bytes = Loose::part(numbers(&[1, 1, 2], vec![51.0, 255.0], true), vec![0]).unwrap();
        assert_eq!(bytes.values(0).unwrap(), [0.2, 1.0]);
        for (shape, values, labels, says) in [
            (&[2, 2][..], vec![0.0; 4], 2, "wanted is (N, C, H, W) or (N, H, W)"),
            (&[0, 2, 2], vec![], 0, "there is no image in it"),
            (&[1, 2, 2], vec![0.0; 4], 2, "holds 1 images, and there are 2 labels"),
            (&[1, 1, 2], vec![0.0, 200.0], 1, "holds the value 200; allowed is 0 to 1"),
            (&[1, 1, 2], vec![0.0, f32::NAN], 1, "holds the value NaN"),
        ] {
            let told = Loose::part(numbers(shape, values, false), vec![0; labels]).unwrap_err();
            assert!(told.contains(says), "{told}");
        }
    }
}

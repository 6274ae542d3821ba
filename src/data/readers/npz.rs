//! `.npz`, a zip of NumPy arrays: images (u8 or u16, N × H × W or N × H × W × 3) and labels (integers, N or N × 1), as
//! MedMNIST has them: `{train,val,test}_images` and `{train,val,test}_labels`, or Keras: `x_{train,test}` and
//! `y_{train,test}`. They are found by name, since their order varies.
//!
//! Which images are of one patient may stand beside them: `{train,val,test}_patients`, or `…_groups` where it is not
//! patients that images have in common; integers or texts, one an image, the same for the same patient in all parts.
//!
//! Of 16 bits the largest pixel of the set tells how many are in use: up to 255, 4,095 or 65,535 is white.
//!
//! The arrays' headers are read here, strictly, and not by a general reader of Python literals: the
//! text is a stranger's, and such readers allocate what it declares, multiply its shape unchecked and
//! recurse as deep as it nests.

use std::fs::File;
use std::io::{BufReader, Read, Seek};
use std::path::Path;
use std::sync::Arc;

use zip::read::ZipFile;
use zip::result::ZipError;
use zip::{CompressionMethod, ZipArchive};

use crate::data::disk::{Layout, Pixel, Pixels, Place, large, most_bytes};
use crate::data::reader::{Kind, Sniff, has_ending};
use crate::data::{
    Groups, Images, MAX_CLASSES, MAX_IMAGES, Noun, Numbering, Source, about_path, grouped, payload_bytes, read_payload,
};
use crate::error::{Error, Result};

/// What the arrays of images and labels are called, for training, validation and test. Files without those for validation
/// have no such images.
const NAMES: &[[[&str; 2]; 3]] = &[
    [["train_images", "train_labels"], ["val_images", "val_labels"], ["test_images", "test_labels"]],
    [["x_train", "y_train"], ["x_val", "y_val"], ["x_test", "y_test"]],
];

/// The parts as arrays of groups name them.
const PARTS: [&str; 3] = ["train", "val", "test"];
/// What the arrays of groups are called, after that of the part.
const GROUPS: [(&str, Noun); 2] = [("patients", Noun::PATIENT), ("groups", Noun::GROUP)];
/// Longest name of a group, in bytes.
const MAX_GROUP: usize = 256;

/// Longest header of an array, in bytes; NumPy writes 118.
const MAX_HEADER: u64 = 4096;

/// Its card.
pub static KIND: Kind = Kind {
    id: "npz",
    title: "an .npz file",
    about: "a MedMNIST or Keras .npz file",
    endings: &["npz"],
    sniff: |path| match path {
        _ if has_ending(path, "npz") => Sniff::Yes(path.to_owned()),
        _ if path.is_file() => Sniff::Perhaps,
        _ => Sniff::No,
    },
    read: |path, _| Ok(read_file(path, large()?)?.into()),
};

/// Reads a file: training, validation, test. Arrays of so many bytes as are `large` stay in the file where they are not
/// packed.
fn read_file(path: &Path, large: u64) -> Result<[Arc<dyn Source>; 3]> {
    let file = File::open(path).map_err(Error::io("open the .npz file", path))?;
    read(BufReader::new(file), Some(Place { path, start: 0, large })).map_err(|problem| about_path(&problem, path))
}

/// Reads training, validation and test images; they may stay at `place`, the file's beginning. The problem is told with
/// the entry, without a path.
pub(in crate::data) fn read(file: impl Read + Seek, place: Option<Place<'_>>) -> Result<[Arc<dyn Source>; 3], String> {
    let mut archive = ZipArchive::new(file).map_err(|error| format!("not a readable .npz (zip) file ({error})"))?;
    let has = |archive: &ZipArchive<_>, name: &str| archive.index_for_name(&file_of(name)).is_some();
    let known = NAMES.iter().find(|[[images, _], ..]| has(&archive, images));
    let [train, validation, test] = known.unwrap_or(&NAMES[0]);
    let chosen_by = validation.iter().any(|name| has(&archive, name));
    let grouped_by = GROUPS.iter().find(|(word, _)| PARTS.iter().any(|part| has(&archive, &format!("{part}_{word}"))));
    let mut ids = Numbering::default();
    let mut part = |name: &str, [pixels, classes]: &[&str; 2]| {
        let pixels = entry(&mut archive, &file_of(pixels), |member| {
            let plain = member.compression() == CompressionMethod::Stored && !member.encrypted();
            let start = member.data_start().filter(|_| plain);
            images(member, place.zip(start).map(|(place, start)| Place { start, ..place }))
        })?;
        let labels = entry(&mut archive, &file_of(classes), |member| labels(member))?;
        let of_group = |(word, noun): &(&str, Noun)| {
            let found = entry(&mut archive, &file_of(&format!("{name}_{word}")), |member| group_ids(member))?;
            Ok::<_, String>(Groups { numbers: found.into_iter().map(|id| ids.number(id)).collect(), noun: *noun })
        };
        Ok::<_, String>(Found { pixels, labels, groups: grouped_by.map(of_group).transpose()? })
    };
    let train = part(PARTS[0], train)?;
    let validation = if chosen_by { Some(part(PARTS[1], validation)?) } else { None };
    let test = part(PARTS[2], test)?;
    // One white for all of the set.
    let largest = train.pixels.largest.max(test.pixels.largest);
    let largest = validation.as_ref().map_or(largest, |part| largest.max(part.pixels.largest));
    let train = train.source(largest);
    let validation = validation.map_or_else(|| Images::none(train.shape()).into(), |part| part.source(largest));
    Ok([train, validation, test.source(largest)])
}

/// What is found of one part.
struct Found {
    pixels: Pixels,
    labels: Vec<u32>,
    groups: Option<Groups>,
}

impl Found {
    /// The images, in a set whose largest pixel is this.
    fn source(mut self, largest: Option<u16>) -> Arc<dyn Source> {
        self.pixels.largest = largest;
        let images = self.pixels.labelled(self.labels);
        match self.groups {
            Some(groups) => grouped(images, groups),
            None => images,
        }
    }
}

/// The member of the archive that an array is in.
fn file_of(array: &str) -> String {
    format!("{array}.npy")
}

/// Opens one member of the archive and reads it.
fn entry<R: Read + Seek, T>(
    archive: &mut ZipArchive<R>,
    name: &str,
    read: impl Fn(&mut ZipFile<'_, R>) -> Result<T, String>,
) -> Result<T, String> {
    let mut member = archive.by_name(name).map_err(|error| match error {
        ZipError::FileNotFound => format!("this .npz file lacks the entry {name}"),
        error => format!("the entry {name} cannot be read ({error})"),
    })?;
    read(&mut member).map_err(|problem| format!("the entry {name} {problem}"))
}

/// The images of an array, channels brought to the front; they may stay at `place`, where the array begins in a file.
fn images(file: &mut dyn Read, place: Option<Place<'_>>) -> Result<Pixels, String> {
    let header = Header::read(file)?;
    let (count, [height, width], channels) = match *header.shape {
        [count, height, width] => (count, [height, width], 1),
        [count, height, width, channels @ (1 | 3)] => (count, [height, width], channels),
        _ => {
            return Err(format!("has the shape {:?}, not (N, H, W) or (N, H, W, 3)", header.shape));
        }
    };
    let pixel = match (header.kind, header.size) {
        ('u', 1) => Pixel::Byte,
        ('u', 2) if header.descr.starts_with('>') => Pixel::Big16,
        ('u', 2) => Pixel::Little16,
        _ => {
            let found = &header.descr;
            return Err(format!("holds elements of type {found}, not unsigned integers of 8 or 16 bits (|u1, <u2)"));
        }
    };
    if header.fortran {
        return Err("is stored in Fortran order; store it in C order".into());
    }
    payload_bytes(count, [channels * pixel.bytes() as u64, height, width], most_bytes(place))?;
    let shape = [channels, height, width].map(|side| side as usize);
    let place = place.map(|place| Place { start: place.start + header.bytes, ..place });
    Pixels::read(file, count, Layout { shape, interleaved: channels > 1, pixel }, place)
}

/// The labels of an array of integers of any width.
fn labels(file: &mut dyn Read) -> Result<Vec<u32>, String> {
    let header = Header::read(file)?;
    let ([count] | [count, 1]) = *header.shape else {
        return Err(format!("has the shape {:?}, not (N,) or (N, 1): one label an image", header.shape));
    };
    if !matches!((header.kind, header.size), ('u' | 'i', 1 | 2 | 4 | 8)) {
        return Err(format!("holds elements of type {}, not integers", header.descr));
    }
    if count > MAX_IMAGES {
        return Err(format!("declares {count} labels; at most {MAX_IMAGES} are read"));
    }
    let bytes = read_payload(file, count * header.size as u64)?;
    let label = |bytes: &[u8]| {
        let value = header.integer(bytes);
        let small = u32::try_from(value).ok().filter(|&label| label < MAX_CLASSES);
        small.ok_or_else(|| format!("holds the label {value}; 0 to {} are allowed", MAX_CLASSES - 1))
    };
    bytes.chunks_exact(header.size).map(label).collect()
}

/// What an array says of which group each image is in: integers of any width, or texts, the same for the same group.
fn group_ids(file: &mut dyn Read) -> Result<Vec<Vec<u8>>, String> {
    let header = Header::read(file)?;
    let ([count] | [count, 1]) = *header.shape else {
        return Err(format!("has the shape {:?}, not (N,) or (N, 1): one group an image", header.shape));
    };
    let bytes = match (header.kind, header.size) {
        ('u' | 'i', size @ (1 | 2 | 4 | 8)) => size,
        ('S', size) if (1..=MAX_GROUP).contains(&size) => size,
        // A letter takes four bytes.
        ('U', letters) if (1..=MAX_GROUP / 4).contains(&letters) => 4 * letters,
        _ => return Err(format!("holds elements of type {}, not integers or short texts", header.descr)),
    };
    if count > MAX_IMAGES {
        return Err(format!("declares the groups of {count} images; at most {MAX_IMAGES} are read"));
    }
    let all = read_payload(file, count * bytes as u64)?;
    let whole = matches!(header.kind, 'u' | 'i');
    // Texts end in zeros, so that in a wider array they are the same.
    let text = |bytes: &[u8]| bytes[..bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1)].to_vec();
    let id = |bytes: &[u8]| if whole { header.integer(bytes).to_le_bytes().to_vec() } else { text(bytes) };
    Ok(all.chunks_exact(bytes).map(id).collect())
}

/// What a NumPy array declares of itself.
pub(in crate::data) struct Header {
    /// The element type as written, such as `<i8`: byte order, kind, size.
    pub descr: String,
    /// `u` unsigned, `i` signed, or another.
    pub kind: char,
    /// Bytes an element, where the kind is a number.
    pub size: usize,
    /// Whether the first index runs fastest.
    pub fortran: bool,
    /// Its sides.
    pub shape: Vec<u64>,
    /// Bytes before the first element.
    bytes: u64,
}

impl Header {
    /// Reads up to the first byte of data: magic, version, length, then a Python dict in the one form
    /// that NumPy and other writers use: `{'descr': '|u1', 'fortran_order': False, 'shape': (9, 1), }`.
    pub fn read(file: &mut dyn Read) -> Result<Self, String> {
        let damaged = |error| format!("is damaged or cut short ({error})");
        let mut start = [0; 8];
        file.read_exact(&mut start).map_err(damaged)?;
        let mut length = [0; 4];
        match start {
            [0x93, b'N', b'U', b'M', b'P', b'Y', 1, _] => file.read_exact(&mut length[..2]).map_err(damaged)?,
            [0x93, b'N', b'U', b'M', b'P', b'Y', 2 | 3, _] => file.read_exact(&mut length).map_err(damaged)?,
            _ => return Err("is not a NumPy array of a known version".into()),
        }
        let long = start[6] > 1;
        let length = u64::from(u32::from_le_bytes(length));
        if length > MAX_HEADER {
            return Err(format!("declares a header of {length} bytes; at most {MAX_HEADER} are read"));
        }
        let mut text = String::new();
        file.take(length).read_to_string(&mut text).map_err(damaged)?;
        let bytes = if long { 12 } else { 10 } + length;
        Self::parse(&text, bytes).ok_or_else(|| "has a header that is not understood".into())
    }

    fn parse(text: &str, bytes: u64) -> Option<Self> {
        let field = |key: &str| text.split_once(&format!("'{key}':")).map(|(_, rest)| rest.trim_start());
        let (descr, _) = field("descr")?.strip_prefix('\'')?.split_once('\'')?;
        let mut letters = descr.chars();
        letters.next()?;
        let (kind, size) = (letters.next()?, letters.as_str().parse().ok()?);
        let fortran = match field("fortran_order")? {
            value if value.starts_with("True") => true,
            value if value.starts_with("False") => false,
            _ => return None,
        };
        let (shape, _) = field("shape")?.strip_prefix('(')?.split_once(')')?;
        let sides = shape.split(',').map(str::trim).filter(|side| !side.is_empty());
        let shape = sides.map(|side| side.parse().ok()).collect::<Option<_>>()?;
        Some(Self { descr: descr.to_owned(), kind, size, fortran, shape, bytes })
    }

    /// The value of one element, `size` bytes.
    fn integer(&self, bytes: &[u8]) -> i128 {
        let bits = 8 * bytes.len();
        let join = |value: i128, &byte: &u8| value << 8 | i128::from(byte);
        let unsigned =
            if self.descr.starts_with('>') { bytes.iter().fold(0, join) } else { bytes.iter().rev().fold(0, join) };
        let negative = self.kind == 'i' && unsigned >> (bits - 1) == 1;
        if negative { unsigned - (1 << bits) } else { unsigned }
    }
}

#[cfg(test)]
mod tests;

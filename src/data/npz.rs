//! `.npz`, a zip of NumPy arrays: images (u8, N × H × W or N × H × W × 3) and labels (integers, N or N × 1), as MedMNIST
//! has them: `{train,val,test}_images` and `{train,val,test}_labels`, or Keras: `x_{train,test}` and `y_{train,test}`. They are found by name, since their order varies.
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

use crate::data::disk::{LARGE, Layout, Pixels, Place, most_bytes};
use crate::data::reader::{Contents, Kind, Sniff, has_ending};
use crate::data::{Images, MAX_CLASSES, MAX_IMAGES, Source, about_path, payload_bytes, read_payload};
use crate::error::{Error, Result};

/// What the arrays of images and labels are called, for training, validation and test. Files without those for validation
/// have no such images.
const NAMES: &[[[&str; 2]; 3]] = &[
    [["train_images", "train_labels"], ["val_images", "val_labels"], ["test_images", "test_labels"]],
    [["x_train", "y_train"], ["x_val", "y_val"], ["x_test", "y_test"]],
];

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
    read: |path| Ok(Contents { parts: read_file(path, LARGE)?, classes: None }),
};

/// Reads a file: training, validation, test. Arrays of so many bytes as are `large` stay in the file where they are not
/// packed.
fn read_file(path: &Path, large: u64) -> Result<[Arc<dyn Source>; 3]> {
    let file = File::open(path).map_err(Error::io("open the .npz file", path))?;
    read(BufReader::new(file), Some(Place { path, start: 0, large })).map_err(|problem| about_path(&problem, path))
}

/// Reads training, validation and test images; they may stay at `place`, the file's beginning. The problem is told with
/// the entry, without a path.
pub(super) fn read(file: impl Read + Seek, place: Option<Place<'_>>) -> Result<[Arc<dyn Source>; 3], String> {
    let mut archive = ZipArchive::new(file).map_err(|error| format!("not a readable .npz (zip) file ({error})"))?;
    let has = |archive: &ZipArchive<_>, name: &str| archive.index_for_name(&file_of(name)).is_some();
    let known = NAMES.iter().find(|[[images, _], ..]| has(&archive, images));
    let [train, validation, test] = known.unwrap_or(&NAMES[0]);
    let chosen_by = validation.iter().any(|name| has(&archive, name));
    let mut part = |[pixels, classes]: &[&str; 2]| {
        let pixels = entry(&mut archive, &file_of(pixels), |member| {
            let plain = member.compression() == CompressionMethod::Stored && !member.encrypted();
            let start = member.data_start().filter(|_| plain);
            images(member, place.zip(start).map(|(place, start)| Place { start, ..place }))
        })?;
        let labels = entry(&mut archive, &file_of(classes), |member| labels(member))?;
        Ok::<_, String>(pixels.labelled(labels))
    };
    let train = part(train)?;
    let validation = if chosen_by { part(validation)? } else { Images::none(train.shape()).into() };
    Ok([train, validation, part(test)?])
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
    if (header.kind, header.size) != ('u', 1) {
        return Err(format!("holds elements of type {}, not unsigned bytes (|u1)", header.descr));
    }
    if header.fortran {
        return Err("is stored in Fortran order; store it in C order".into());
    }
    payload_bytes(count, [channels, height, width], most_bytes(place))?;
    let shape = [channels, height, width].map(|side| side as usize);
    let place = place.map(|place| Place { start: place.start + header.bytes, ..place });
    Pixels::read(file, count, Layout { shape, interleaved: channels > 1 }, place)
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

/// What a NumPy array declares of itself.
pub(super) struct Header {
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
mod tests {
    use std::io::{Cursor, Write};

    use zip::write::{SimpleFileOptions, ZipWriter};

    use super::*;
    use crate::data::{Part, READERS_HERE, load};

    fn npy(descr: &str, shape: &str, data: &[u8]) -> Vec<u8> {
        let text = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}\n");
        let mut file = b"\x93NUMPY\x01\x00".to_vec();
        file.extend((text.len() as u16).to_le_bytes());
        file.extend_from_slice(text.as_bytes());
        file.extend_from_slice(data);
        file
    }

    fn npz(entries: &[(&str, Vec<u8>)]) -> Vec<u8> {
        let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
        for (name, data) in entries {
            writer.start_file(format!("{name}.npy"), SimpleFileOptions::default()).unwrap();
            writer.write_all(data).unwrap();
        }
        writer.finish().unwrap().into_inner()
    }

    /// A good file, one image of 1 × 2 and one label a part, with one entry replaced.
    #[expect(clippy::needless_pass_by_value, reason = "every caller makes the content on the spot")]
    fn with(name: &str, content: Vec<u8>) -> Vec<u8> {
        let mut entries = Vec::new();
        for part in ["val", "test", "train"] {
            entries.push((format!("{part}_labels"), npy("|u1", "(1, 1)", &[1])));
            entries.push((format!("{part}_images"), npy("|u1", "(1, 1, 2)", &[8, 9])));
        }
        let entries: Vec<_> = entries
            .iter()
            .map(|(entry, data)| (entry.as_str(), if entry == name { content.clone() } else { data.clone() }))
            .collect();
        npz(&entries)
    }

    /// Training, validation, test.
    fn parts(file: Vec<u8>) -> [Part; 3] {
        read(Cursor::new(file), None).unwrap().map(Part::all)
    }

    fn train(file: Vec<u8>) -> Part {
        let [train, _, _] = parts(file);
        train
    }

    #[test]
    fn colours_become_planes() {
        let images = train(with("train_images", npy("|u1", "(1, 1, 2, 3)", &[1, 2, 3, 4, 5, 6])));
        assert_eq!((images.shape(), images.pixels()), ([3, 1, 2], vec![1, 4, 2, 5, 3, 6]));
    }

    #[test]
    fn labels_of_every_width_are_read() {
        for (descr, bytes) in [
            ("|u1", vec![3]),
            ("|i1", vec![3]),
            ("<u2", vec![3, 0]),
            (">u2", vec![0, 3]),
            ("<i4", vec![3, 0, 0, 0]),
            (">i8", vec![0, 0, 0, 0, 0, 0, 0, 3]),
            ("<i8", vec![3, 0, 0, 0, 0, 0, 0, 0]),
        ] {
            for shape in ["(1,)", "(1, 1)"] {
                assert_eq!(train(with("train_labels", npy(descr, shape, &bytes))).labels(), [3], "{descr} {shape}");
            }
        }
    }

    #[test]
    fn a_file_without_images_for_validation_has_none() {
        let [images, labels] = [npy("|u1", "(1, 1, 2)", &[8, 9]), npy("|u1", "(1,)", &[1])];
        let mut entries = Vec::new();
        for part in ["train", "test"] {
            entries.push((format!("{part}_images"), images.clone()));
            entries.push((format!("{part}_labels"), labels.clone()));
        }
        let file = |entries: &[(String, Vec<u8>)]| {
            npz(&entries.iter().map(|(name, data)| (name.as_str(), data.clone())).collect::<Vec<_>>())
        };
        let [train, validation, test] = parts(file(&entries));
        assert_eq!(train, test);
        assert_eq!(validation, Images::none([1, 1, 2]).into());
        entries.push(("val_labels".to_owned(), labels));
        assert_eq!(
            read(Cursor::new(file(&entries)), None).unwrap_err(),
            "this .npz file lacks the entry val_images.npy"
        );
    }

    #[test]
    fn a_file_with_the_names_of_keras_is_read() {
        let images = npy("|u1", "(2, 1, 2)", &[1, 2, 3, 4]);
        let labels = npy("<i8", "(2,)", &[[3, 0, 0, 0, 0, 0, 0, 0], [0; 8]].concat());
        let all = [("x_test", &images), ("x_train", &images), ("y_test", &labels), ("y_train", &labels)];
        let file = npz(&all.map(|(name, data)| (name, data.clone())));
        let [train, validation, test] = parts(file);
        assert_eq!(train, Images { shape: [1, 1, 2], pixels: vec![1, 2, 3, 4], labels: vec![3, 0] }.into());
        assert_eq!((validation.len(), test), (0, train));
        let lacking = npz(&[("x_train", images)]);
        assert_eq!(read(Cursor::new(lacking), None).unwrap_err(), "this .npz file lacks the entry y_train.npy");
    }

    #[test]
    fn broken_entries_are_named_with_their_problem() {
        let mut long_header = b"\x93NUMPY\x02\x00".to_vec();
        long_header.extend(u32::MAX.to_le_bytes());
        let fortran = String::from_utf8_lossy(&npy("|u1", "(1, 1, 2)", &[8, 9])[10..]).replace("False", "True ");
        let fortran = [&npy("|u1", "(1, 1, 2)", &[])[..10], fortran.as_bytes()].concat();
        let cases = [
            ("train_images", npy("<f4", "(1, 1, 2)", &[0; 8]), "type <f4"),
            ("train_images", npy("|u1", "(1, 2)", &[8, 9]), "the shape [1, 2]"),
            ("train_images", npy("|u1", "(1, 1, 2, 4)", &[0; 8]), "the shape [1, 1, 2, 4]"),
            ("train_images", npy("|u1", "(1, 1, 2)", &[8]), "1 of 2 bytes"),
            ("train_images", npy("|u1", "(1, 1, 2)", &[8, 9, 9]), "goes on"),
            ("train_images", npy("|u1", "(99999999999, 1, 2)", &[]), "99999999999 images"),
            ("train_images", npy("|u1", "(1, 0, 2)", &[]), "0 × 2 pixels"),
            ("train_images", npy("|u1", "(1000000, 4096, 4096)", &[]), "bytes of pixels"),
            ("train_images", npy("|u1", &format!("({}1, 1, 2)", "9".repeat(40)), &[]), "not understood"),
            ("train_images", npy("|u1", &"(".repeat(3000), &[]), "not understood"),
            ("test_images", long_header, "header of 4294967295 bytes"),
            ("test_images", fortran, "Fortran"),
            ("test_images", b"plain".to_vec(), "cut short"),
            ("test_images", b"plain text".to_vec(), "not a NumPy array"),
            ("val_labels", npy("<f8", "(1,)", &[0; 8]), "type <f8"),
            ("val_labels", npy("|i1", "(1,)", &[0xff]), "the label -1"),
            ("val_labels", npy("<u4", "(1,)", &[0xff; 4]), "the label 4294967295"),
            ("val_labels", npy("|u1", "(1, 14)", &[0; 14]), "one label an image"),
            ("val_labels", npy("<i8", "(99999999999,)", &[]), "99999999999 labels"),
        ];
        for (name, content, expected) in cases {
            let text = read(Cursor::new(with(name, content)), None).unwrap_err();
            assert!(text.contains(expected) && text.contains(&format!("{name}.npy")), "{name}, {expected}: {text}");
        }
    }

    #[test]
    fn large_arrays_that_are_not_packed_stay_in_the_file() {
        let write = |options: SimpleFileOptions| {
            let mut writer = ZipWriter::new(tempfile::NamedTempFile::new().unwrap());
            for part in ["train", "val", "test"] {
                let pixels = (0..12).map(|i| i * part.len() as u8).collect::<Vec<_>>();
                for (name, data) in [
                    (format!("{part}_images.npy"), npy("|u1", "(2, 1, 2, 3)", &pixels)),
                    (format!("{part}_labels.npy"), npy("|u1", "(2,)", &[0, 1])),
                ] {
                    writer.start_file(name, options).unwrap();
                    writer.write_all(&data).unwrap();
                }
            }
            writer.finish().unwrap()
        };
        let plain = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
        let packed = write(SimpleFileOptions::default());
        let plain = write(plain);
        let read = |file: &tempfile::NamedTempFile, large| read_file(file.path(), large).unwrap().map(Part::all);
        let wanted = read(&packed, 1);
        for (file, large, streams) in [(&packed, 1, false), (&plain, 12, true), (&plain, 13, false)] {
            let parts = read(file, large);
            assert!(parts.iter().all(|part| part.streams() == streams), "{large}");
            assert_eq!(parts, wanted);
        }
        // The sum is checked although nothing is kept.
        let mut bytes = std::fs::read(plain.path()).unwrap();
        let at = bytes.windows(4).position(|four| four == [5, 10, 15, 20]).unwrap();
        bytes[at] = 6;
        let mut damaged = tempfile::NamedTempFile::new().unwrap();
        damaged.write_all(&bytes).unwrap();
        let told = read_file(damaged.path(), 1).unwrap_err().to_string();
        assert!(told.starts_with("the entry train_images.npy is damaged or cut short"), "{told}");
    }

    #[test]
    fn files_are_told_apart_and_named() {
        let open = |content: &[u8]| {
            let mut file = tempfile::Builder::new().prefix("tiny").suffix(".npz").tempfile().unwrap();
            file.write_all(content).unwrap();
            let path = file.path().to_str().unwrap();
            load(path, READERS_HERE).map_err(|error| match error {
                Error::Input(text) if text.ends_with(path) => text,
                other => panic!("{other:?}"),
            })
        };
        let good = with("", Vec::new());
        let set = open(&good).unwrap();
        assert_eq!((set.shape(), set.classes.len(), set.validation.len()), ([1, 1, 2], 2, 1));
        assert!(set.name.starts_with("tiny"));
        assert!(open(b"not a zip").unwrap_err().contains("not a readable .npz"));
        assert!(open(&good[..good.len() / 2]).unwrap_err().contains("not a readable .npz"));
        let lacking = npz(&[("train_images", npy("|u1", "(1, 1, 2)", &[8, 9]))]);
        assert!(open(&lacking).unwrap_err().contains("lacks the entry train_labels.npy"));
        let uneven = with("test_labels", npy("|u1", "(2,)", &[0, 1]));
        assert!(open(&uneven).unwrap_err().contains("test set has 1 images and 2 labels"));
        let empty = with("train_images", npy("|u1", "(0, 1, 2)", &[]));
        assert!(open(&empty).unwrap_err().contains("training set has 0 images"));
    }
}

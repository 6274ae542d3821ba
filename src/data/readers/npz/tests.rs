//! Archives as they come, and as they must not be believed.

mod forms;
mod wild;

use std::io::{Cursor, Write};

use zip::write::{SimpleFileOptions, ZipWriter};

use super::*;
use crate::data::{Part, Progress, READERS_HERE, plain};

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
    given(contents(file, &Wanted::default()).unwrap())
}

fn contents(file: Vec<u8>, wanted: &Wanted) -> Result<Contents, String> {
    read(Cursor::new(file), wanted, None)
}

fn given(contents: Contents) -> [Part; 3] {
    match contents.parts {
        Parts::Given(parts) => parts.map(Part::all),
        Parts::Whole(_) => panic!("not parted"),
    }
}

fn refused(file: Vec<u8>) -> String {
    contents(file, &Wanted::default()).unwrap_err()
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
    let told = refused(file(&entries));
    assert_eq!(
        told,
        "this .npz file lacks the entry val_images.npy; it holds train_images.npy, train_labels.npy, test_images.npy, \
         test_labels.npy, val_labels.npy"
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
    assert_eq!(refused(lacking), "this .npz file lacks the entry y_train.npy; it holds x_train.npy");
}

/// Bytes of a member that holds texts of `letters` letters.
fn texts(letters: usize, all: &[&str]) -> Vec<u8> {
    let text = |text: &&str| {
        let mut codes: Vec<u32> = text.chars().map(u32::from).collect();
        codes.resize(letters, 0);
        codes
    };
    npy(
        &format!("<U{letters}"),
        &format!("({},)", all.len()),
        &all.iter().flat_map(text).flat_map(u32::to_le_bytes).collect::<Vec<_>>(),
    )
}

/// Three images for training, one for validation, two for testing, and more.
fn six_and(more: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let mut entries = Vec::new();
    for (part, n) in [("train", 3_u8), ("val", 1), ("test", 2)] {
        let pixels: Vec<u8> = (0..2 * n).collect();
        entries.push((format!("{part}_images"), npy("|u1", &format!("({n}, 1, 2)"), &pixels)));
        entries.push((format!("{part}_labels"), npy("|u1", &format!("({n},)"), &pixels[..n.into()])));
    }
    let entries = entries.iter().map(|(name, data)| (name.as_str(), data.clone()));
    npz(&entries.chain(more.iter().cloned()).collect::<Vec<_>>())
}

#[test]
fn patients_are_numbered_by_first_appearance_whatever_they_are_called() {
    let numbers = |train: Vec<u8>, val: Vec<u8>, test: Vec<u8>, word: &str| {
        let more =
            [("train", train), ("val", val), ("test", test)].map(|(part, data)| (format!("{part}_{word}"), data));
        let parts = parts(six_and(&more.each_ref().map(|(name, data)| (name.as_str(), data.clone()))));
        let noun = parts[0].groups().unwrap().noun.one;
        (noun, parts.map(|part| part.groups().unwrap().numbers.to_vec()))
    };
    let wanted = [vec![0, 1, 0], vec![2], vec![1, 3]];
    // The same patient has the same number in all parts, be the arrays of one type or not.
    let whole = numbers(
        npy("<i8", "(3, 1)", &[70_i64, 8, 70].map(i64::to_le_bytes).concat()),
        npy("|i1", "(1,)", &[0xff]),
        npy(">u2", "(2,)", &[0, 8, 1, 0]),
        "patients",
    );
    assert_eq!(whole, ("patient", wanted.clone()));
    let named =
        numbers(texts(4, &["Ms X", "b", "Ms X"]), npy("|S3", "(1,)", b"c\0\0"), texts(2, &["b", "Ms"]), "groups");
    assert_eq!(named, ("group", wanted));
    assert!(parts(six_and(&[])).iter().all(|part| part.groups().is_none()));
}

#[test]
fn groups_that_are_broken_are_named_with_their_problem() {
    let three = npy("|u1", "(3,)", &[1, 2, 2]);
    let train = |data| ("train_patients", data);
    for (more, expected) in [
        (vec![train(three.clone())], "lacks the entry val_patients.npy"),
        (vec![("test_groups", three.clone())], "lacks the entry train_groups.npy"),
        (
            vec![train(npy("<f4", "(3,)", &[0; 12]))],
            "train_patients.npy holds elements of type <f4, not integers or short",
        ),
        (vec![train(npy("|S9999", "(3,)", &[0; 3]))], "type |S9999"),
        (vec![train(npy("|u1", "(3, 2)", &[0; 6]))], "one group an image"),
        (vec![train(npy("|u1", "(99999999999,)", &[]))], "the groups of 99999999999 images"),
        (vec![train(npy("|u1", "(3,)", &[0; 2]))], "2 of 3 bytes"),
    ] {
        let told = refused(six_and(&more));
        assert!(told.contains(expected), "{expected}: {told}");
    }
}

#[test]
fn sixteen_bits_are_as_bright_as_the_whole_set_says() {
    let labels = npy("|u1", "(1,)", &[0]);
    let sixteen = |descr: &str, pixels: [u16; 2], to_bytes: fn(u16) -> [u8; 2]| {
        with("train_images", npy(descr, "(1, 1, 2)", &pixels.map(to_bytes).concat()))
    };
    // Other parts of this file have bytes.
    assert_eq!(
        refused(sixteen("<u2", [1, 4000], u16::to_le_bytes)),
        "train_images.npy and val_images.npy hold values of different types, 16-bit and bytes: store all of them alike"
    );
    let small = parts(sixteen("<u2", [1, 200], u16::to_le_bytes));
    assert_eq!(small.each_ref().map(Part::white), [255; 3], "which in sixteen bits are the same");
    let twelve = npy("<u2", "(1, 1, 2)", &[1, 0, 0xa0, 0x0f]);
    let one = [("x_train", &twelve), ("x_test", &twelve), ("y_train", &labels), ("y_test", &labels)];
    let [train, _, _] = parts(npz(&one.map(|(name, data)| (name, data.clone()))));
    assert_eq!((train.white(), train.values(0).unwrap()), (4095, vec![1.0 / 4095.0, 4000.0 / 4095.0]));
    let part = |pixels: [u16; 6]| npy(">u2", "(1, 1, 2, 3)", &pixels.map(u16::to_be_bytes).concat());
    let entries = [
        ("x_train", part([1, 2, 3, 4, 5, 6])),
        ("y_train", labels.clone()),
        ("x_test", part([60_000; 6])),
        ("y_test", labels),
    ];
    let [train, validation, test] = parts(npz(&entries));
    assert_eq!([&train, &validation, &test].map(Part::white), [65535, 255, 65535]);
    // Colours become planes.
    assert_eq!(train.values(0).unwrap(), [1.0, 4.0, 2.0, 5.0, 3.0, 6.0].map(|pixel: f32| pixel / 65535.0));
}

#[test]
fn broken_entries_are_named_with_their_problem() {
    let mut long_header = b"\x93NUMPY\x02\x00".to_vec();
    long_header.extend(u32::MAX.to_le_bytes());
    let not = [0.5_f32, f32::NAN].map(f32::to_le_bytes).concat();
    let cases = [
        ("train_images", npy("<c8", "(1, 1, 2)", &[0; 16]), "type <c8, not numbers"),
        ("train_images", npy("<f4", "(1, 1, 2)", &not), "holds NaN at image 0, row 0, column 1"),
        ("train_images", npy("|u1", "(1, 2)", &[8, 9]), "the shape [1, 2]"),
        ("train_images", npy("|u1", "(1, 2, 2, 4)", &[0; 16]), "the shape [1, 2, 2, 4]"),
        ("train_images", npy("|u1", "(1, 1, 2)", &[8]), "1 of 2 bytes"),
        ("train_images", npy("|u1", "(1, 1, 2)", &[8, 9, 9]), "goes on"),
        ("train_images", npy("|u1", "(99999999999, 1, 2)", &[]), "99999999999 images"),
        ("train_images", npy("|u1", "(1, 0, 2)", &[]), "0 × 2 pixels"),
        ("train_images", npy("|u1", "(1000000, 4096, 4096)", &[]), "(numpy.savez)"),
        (
            "train_images",
            npy("<f4", "(1000000, 4096, 4096)", &[]),
            "save fewer or smaller images, or store them as bytes",
        ),
        ("train_images", npy("<i2", "(9, 4096, 4096, 4096)", &[]), "too many bytes in each volume"),
        ("train_images", npy("|u1", &format!("({}1, 1, 2)", "9".repeat(40)), &[]), "not understood"),
        ("train_images", npy("|u1", &"(".repeat(3000), &[]), "not understood"),
        ("train_labels", npy("|O", "(1, 1)", &[0]), "type |O, not whole numbers: number the classes from 0"),
        ("train_labels", npy("<U3", "(1, 1)", &[0; 12]), "type <U3, not whole numbers: number the classes from 0"),
        ("test_images", long_header, "header of 4294967295 bytes"),
        ("test_images", b"plain".to_vec(), "cut short"),
        ("test_images", b"plain text".to_vec(), "not a NumPy array"),
        ("val_labels", npy("<f8", "(1,)", &0.5_f64.to_le_bytes()), "the label 0.5"),
        ("val_labels", npy("<f4", "(1,)", &f32::NAN.to_le_bytes()), "the label NaN"),
        ("val_labels", npy("|S1", "(1,)", b"a"), "type |S1"),
        ("val_labels", npy("|i1", "(1,)", &[0xff]), "the label -1"),
        ("val_labels", npy("<u4", "(1,)", &[0xff; 4]), "the label 4294967295"),
        ("val_labels", npy("|u1", "(1, 1, 1)", &[0]), "one label an image"),
        ("val_labels", npy("|u1", "(1, 1001)", &[0; 1001]), "one label an image"),
        ("val_labels", npy("|u1", "(1, 14)", &[0; 14]), "14 labels an image, and train_labels.npy has 1"),
        ("val_labels", npy("<i8", "(99999999999,)", &[]), "99999999999 labels"),
    ];
    for (name, content, expected) in cases {
        let text = refused(with(name, content));
        assert!(text.contains(expected) && text.contains(&format!("{name}.npy")), "{name}, {expected}: {text}");
    }
}

#[test]
fn large_arrays_stay_in_the_file_or_are_unpacked_onto_the_disk() {
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
    let (wanted, progress) = (Wanted::default(), Progress::default());
    let ask = Ask { wanted: &wanted, progress: &progress };
    let read = |file: &tempfile::NamedTempFile, large| given(read_file(file.path(), &ask, large).unwrap());
    let wanted = read(&packed, 1);
    for (file, large, streams) in [(&packed, 1, false), (&packed, 0, true), (&plain, 12, true), (&plain, 13, false)] {
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
    let told = read_file(damaged.path(), &ask, 1).unwrap_err().to_string();
    assert!(told.starts_with("the entry train_images.npy is damaged or cut short"), "{told}");
    progress.stop();
    assert!(matches!(read_file(plain.path(), &ask, 1), Err(Error::Stopped)));
}

#[test]
fn files_are_told_apart_and_named() {
    let open = |content: &[u8]| {
        let mut file = tempfile::Builder::new().prefix("tiny").suffix(".npz").tempfile().unwrap();
        file.write_all(content).unwrap();
        let path = file.path().to_str().unwrap();
        plain(path, READERS_HERE).map_err(|error| match error {
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

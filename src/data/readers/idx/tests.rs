//! Folders as they come, and as they must not be believed.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;

use super::*;
use crate::data::wild::{each, wild};
use crate::data::{Part, Progress, READERS_HERE, Wanted, load, plain};

fn idx(sizes: &[u32], data: &[u8]) -> Vec<u8> {
    let mut file = vec![0, 0, 8, sizes.len() as u8];
    file.extend(sizes.iter().flat_map(|size| size.to_be_bytes()));
    file.extend_from_slice(data);
    file
}

fn gz(data: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(data).unwrap();
    encoder.finish().unwrap()
}

#[expect(clippy::disallowed_methods, reason = "a test's file need not be atomic")]
fn put(folder: &Path, name: &str, content: &[u8]) {
    std::fs::write(folder.join(name), content).unwrap();
}

/// A good folder, half of it gzip'd: three training and two test images of 2 × 3.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    put(folder.path(), "train-images-idx3-ubyte.gz", &gz(&idx(&[3, 2, 3], &[7; 18])));
    put(folder.path(), "train-labels-idx1-ubyte", &idx(&[3], &[0, 4, 1]));
    put(folder.path(), "t10k-images-idx3-ubyte", &idx(&[2, 2, 3], &(0..12).collect::<Vec<_>>()));
    put(folder.path(), "t10k-labels-idx1-ubyte.gz", &gz(&idx(&[2], &[1, 0])));
    folder
}

fn problem(folder: &Path) -> String {
    match plain(folder, READERS_HERE) {
        Err(Error::Input(text)) => text,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_folder_is_read_plain_or_packed() -> Result<()> {
    let folder = folder();
    let set = plain(folder.path(), READERS_HERE)?;
    assert_eq!(set.shape(), [1, 2, 3]);
    let by_file = plain(folder.path().join("t10k-images-idx3-ubyte"), READERS_HERE)?;
    assert_eq!((by_file.name, by_file.train), (set.name.clone(), set.train.clone()), "a file stands for its folder");
    assert_eq!(set.classes, ["0", "1", "2", "3", "4"]);
    assert_eq!((set.train.labels(), set.validation.len()), (&[0, 4, 1][..], 0));
    assert_eq!(*set.test.image(1)?, [6, 7, 8, 9, 10, 11]);
    Ok(())
}

#[test]
fn large_files_stay_where_they_are_or_are_unpacked() -> Result<()> {
    let folder = folder();
    let ask = Ask { wanted: &Wanted::default(), progress: &Progress::default() };
    let read = |large| match read_set(folder.path(), &ask, large)?.parts {
        Parts::Given(parts) => Ok::<_, Error>(parts.map(Part::all)),
        Parts::Whole(_) => panic!("not parted"),
    };
    let (disk, memory) = (read(1)?, read(u64::MAX)?);
    assert_eq!(disk.each_ref().map(Part::streams), [false, false, true], "a packed one cannot");
    assert_eq!(disk, memory);
    let unpacked = read(0)?;
    assert_eq!(unpacked.each_ref().map(Part::streams), [true, false, true], "unless it is too large for memory");
    assert_eq!(unpacked, memory);
    Ok(())
}

#[test]
fn broken_files_are_named_with_their_problem() {
    let train = "train-images-idx3-ubyte";
    let packed = gz(&idx(&[3, 2, 3], &[7; 18]));
    let mut flipped = packed.clone();
    let sum = flipped.len() - 8;
    flipped[sum] ^= 1;
    let cases: [(&str, Vec<u8>, &str); 10] = [
        ("packed, cut short", packed[..packed.len() - 12].to_vec(), "cut short"),
        ("packed, wrong sum", flipped, "damaged"),
        ("plain, cut short", idx(&[3, 2, 3], &[7; 17]), "17 of 18"),
        ("plain, too long", idx(&[3, 2, 3], &[7; 19]), "goes on"),
        ("empty", Vec::new(), "cut short"),
        ("labels for images", idx(&[3], &[0, 1, 2]), "[00, 00, 08, 01]"),
        ("text", b"hello, world".to_vec(), "begins with"),
        ("huge count", idx(&[u32::MAX, 2, 3], &[]), "4294967295 images"),
        ("huge side", idx(&[1, 2, 5000], &[]), "2 × 5000 pixels"),
        ("huge product", idx(&[1_000_000, 4096, 4096], &[]), "bytes of pixels"),
    ];
    for (what, content, expected) in cases {
        let folder = folder();
        std::fs::remove_file(folder.path().join(format!("{train}.gz"))).unwrap();
        put(folder.path(), train, &content);
        let text = problem(folder.path());
        assert!(text.contains(expected) && text.ends_with(train), "{what}: {text}");
    }
}

#[test]
fn a_missing_file_and_uneven_counts_are_named() {
    let folder = folder();
    put(folder.path(), "train-labels-idx1-ubyte", &idx(&[2], &[0, 1]));
    assert!(problem(folder.path()).contains("training set has 3 images and 2 labels"));
    put(folder.path(), "train-labels-idx1-ubyte", &idx(&[u32::MAX], &[]));
    assert!(problem(folder.path()).contains("4294967295 labels"));
    std::fs::remove_file(folder.path().join("train-labels-idx1-ubyte")).unwrap();
    assert!(problem(folder.path()).contains("lacks train-labels-idx1-ubyte"));
}

/// A folder with the files of a set, made by `name` from the part and what is in it.
fn named(name: impl Fn(&str, &str) -> String, labels: &[u8]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    add(folder.path(), name, labels);
    folder
}

fn add(folder: &Path, name: impl Fn(&str, &str) -> String, labels: &[u8]) {
    let n = labels.len() as u32;
    for part in ["train", "test"] {
        // Images of 2 × 3 as they are stored, 40, 80, …, 240.
        let pixels = [40, 80, 120, 160, 200, 240].repeat(labels.len());
        put(folder, &name(part, "images"), &idx(&[n, 2, 3], &pixels));
        put(folder, &name(part, "labels"), &idx(&[n], labels));
    }
}

fn kind(what: &str) -> &str {
    if what == "images" { "idx3" } else { "idx1" }
}

fn seen(path: &Path, view: &str) -> Result<crate::data::Dataset> {
    let wanted = Wanted { view: view.to_owned(), ..Wanted::default() };
    load(path, &Ask { wanted: &wanted, progress: &Progress::default() }, READERS_HERE)
}

#[test]
fn names_with_dots_are_read() {
    let folder = named(|part, what| format!("{part}-{what}.{}-ubyte", kind(what)), &[0, 1]);
    let set = plain(folder.path(), READERS_HERE).unwrap();
    assert_eq!((set.test.labels(), set.test.shape(), set.findings.notes.len()), (&[0, 1][..], [1, 2, 3], 0));
    assert_eq!(set.findings.range, "bytes, 0–255: scaled by 255");
}

#[test]
fn a_set_of_emnist_is_chosen_turned_upright_and_its_letters_named() {
    let of =
        |set: &'static str| move |part: &str, what: &str| format!("emnist-{set}-{part}-{what}-{}-ubyte", kind(what));
    let folder = named(of("letters"), &[1, 26]);
    add(folder.path(), of("digits"), &[0, 9]);
    put(folder.path(), "emnist-balanced-train-images-idx3-ubyte", &[]);
    let first = seen(folder.path(), "").unwrap();
    assert_eq!(first.classes.len(), 10, "the first that is whole");
    let notes = first.findings.notes.join(" ");
    assert!(notes.contains("emnist-balanced, emnist-digits, emnist-letters. This is emnist-digits;"), "{notes}");
    assert!(notes.contains("turned upright"), "{notes}");
    // What stands there as two rows of three lies on its side.
    assert_eq!(
        (first.test.shape(), first.test.image(0).unwrap().to_vec()),
        ([1, 3, 2], vec![40, 160, 80, 200, 120, 240])
    );
    for view in ["letters", "emnist-letters", "Letters"] {
        let letters = seen(folder.path(), view).unwrap();
        assert_eq!(
            (letters.test.labels(), letters.classes.len(), letters.classes[25].as_str()),
            (&[0, 25][..], 26, "Z")
        );
        assert!(letters.findings.notes.iter().any(|note| note.contains("begin at 1")));
    }
    let by_file = seen(&folder.path().join("emnist-letters-train-images-idx3-ubyte"), "").unwrap();
    assert_eq!(by_file.classes[0], "A");
    let told = seen(folder.path(), "byclass").unwrap_err().to_string();
    assert!(told.contains("no set data.view = \"byclass\": it has emnist-balanced, emnist-digits"), "{told}");
    let told = seen(folder.path(), "balanced").unwrap_err().to_string();
    assert!(told.contains("emnist-balanced-train-images-idx3-ubyte"), "{told}");
}

#[test]
fn rows_of_labels_begin_with_the_class() {
    let folder = named(|part, what| format!("qmnist-{part}-{what}-{}-ubyte", kind(what)), &[0, 0]);
    for part in ["train", "test"] {
        std::fs::remove_file(folder.path().join(format!("qmnist-{part}-labels-idx1-ubyte"))).unwrap();
        let row = |class: i32| [class, 4, 1027, 9, 50, 77, 0, 0].map(i32::to_be_bytes).concat();
        let header = [&[0, 0, 12, 2][..], &2_u32.to_be_bytes(), &8_u32.to_be_bytes()].concat();
        put(folder.path(), &format!("qmnist-{part}-labels-idx2-int"), &[header, row(7), row(3)].concat());
    }
    let set = plain(folder.path(), READERS_HERE).unwrap();
    assert_eq!(set.train.labels(), [7, 3]);
    assert_eq!(set.findings.notes, ["Labels are rows of 8 numbers, of which the first is the class."]);
    let below = [&[0, 0, 12, 2, 0, 0, 0, 1, 0, 0, 0, 1][..], &(-1_i32).to_be_bytes()].concat();
    assert_eq!(labels(below.as_slice()).unwrap_err(), "holds the label -1; labels begin at 0");
    let wide = [0, 0, 12, 2, 0, 0, 0, 1, 255, 0, 0, 0];
    assert!(labels(wide.as_slice()).unwrap_err().contains("rows of 4278190080 labels"));
}

#[test]
fn members_and_what_trails_them_are_read() {
    let folder = folder();
    let file = idx(&[3, 2, 3], &(100..118).collect::<Vec<_>>());
    let members: Vec<u8> = file.chunks(5).flat_map(gz).chain([0; 100]).collect();
    put(folder.path(), "train-images-idx3-ubyte.gz", &members);
    assert_eq!(*plain(folder.path(), READERS_HERE).unwrap().train.image(2).unwrap(), [112, 113, 114, 115, 116, 117]);
}

#[test]
fn wishes_that_do_not_fit_are_refused() {
    let folder = folder();
    let ask = |wanted: &Wanted| {
        load(folder.path(), &Ask { wanted, progress: &Progress::default() }, READERS_HERE).map(|set| set.test)
    };
    let told = ask(&Wanted { labels: "2".to_owned(), ..Wanted::default() }).unwrap_err().to_string();
    assert!(told.contains("data.labels = \"2\""), "{told}");
    let told = ask(&Wanted { view: "letters".to_owned(), ..Wanted::default() }).unwrap_err().to_string();
    assert!(told.contains("no set data.view = \"letters\": it has mnist"), "{told}");
    let scaled = ask(&Wanted { range: Range::Between(0.0, 10.0), ..Wanted::default() }).unwrap();
    assert_eq!(scaled.values(0).unwrap(), [0.0, 0.1, 0.2, 0.3, 0.4, 0.5]);
    let progress = Progress::default();
    progress.stop();
    let stopped = load(folder.path(), &Ask { wanted: &Wanted::default(), progress: &progress }, READERS_HERE);
    assert!(matches!(stopped, Err(Error::Stopped)));
}

#[test]
fn wild_bytes_are_read_or_refused() {
    let plain_images = idx(&[3, 4, 5], &(0..60).collect::<Vec<_>>());
    let rows = [&[0, 0, 12, 2, 0, 0, 0, 3, 0, 0, 0, 2][..], &[0; 24]].concat();
    let two = [gz(&plain_images[..20]), gz(&plain_images[20..])].concat();
    let mut read = [0; 2];
    for (good, is_images) in
        [(plain_images.clone(), true), (two, true), (idx(&[9], &[1; 9]), false), (gz(&rows), false), (rows, false)]
    {
        each(1000, |i| {
            let bytes = wild(&good, i);
            if is_images {
                if let Ok(pixels) = images(bytes.as_slice(), None, i % 2 == 0) {
                    let shape = pixels.shape();
                    let all = pixels.labelled(Vec::new(), Scale::BYTES);
                    let mut out = vec![0; shape.iter().product()];
                    (0..all.len()).for_each(|i| all.read(i, &mut out).unwrap());
                    read[0] += 1;
                }
            } else if let Ok((labels, _)) = labels(bytes.as_slice()) {
                assert!(labels.len() <= bytes.len() * 1100);
                read[1] += 1;
            }
        });
    }
    assert!(read.iter().all(|read| *read > 20), "some are still good: {read:?}");
}

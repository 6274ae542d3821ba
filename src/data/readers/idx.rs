//! IDX, the format of MNIST and its relatives: a header (two zeros, element type 8 = unsigned byte,
//! number of dimensions, then each dimension as a big-endian u32), then the bytes. Plain or gzip'd,
//! which is told from the content, not the name.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::sync::Arc;

use flate2::bufread::GzDecoder;

use crate::data::disk::{Layout, Pixel, Pixels, Place, large, most_bytes};
use crate::data::reader::{Kind, Sniff};
use crate::data::{Images, MAX_IMAGES, Source, about_path, payload_bytes, read_payload};
use crate::error::{Error, Result};

/// Its card.
pub static KIND: Kind = Kind {
    id: "idx",
    title: "IDX files",
    about: "a folder of IDX files",
    endings: &[],
    sniff,
    read: |folder, _| Ok(read_folder(folder, large()?)?.into()),
};

/// A folder is told by its files, and a file of one stands for the folder.
fn sniff(path: &Path) -> Sniff {
    if !path.is_dir() {
        let folder = path.parent().filter(|_| is_idx(path) && path.is_file());
        return folder.map_or(Sniff::No, |folder| Sniff::Yes(folder.to_owned()));
    }
    let mut inside = path.read_dir().into_iter().flatten().flatten();
    if inside.any(|entry| is_idx(&entry.path())) { Sniff::Yes(path.to_owned()) } else { Sniff::Perhaps }
}

/// A file as data sets name them: `train-images-idx3-ubyte`, `t10k-labels.idx1-ubyte.gz`.
fn is_idx(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
    ["idx1", "idx3"].iter().any(|kind| name.contains(kind)) && name.contains("ubyte")
}

/// Reads `train-images-idx3-ubyte`, `train-labels-idx1-ubyte`, `t10k-images-idx3-ubyte` and
/// `t10k-labels-idx1-ubyte` (each with or without `.gz`) from a folder: training, an empty validation
/// set, test. Images of so many bytes as are `large` stay in a file that is not packed.
fn read_folder(folder: &Path, large: u64) -> Result<[Arc<dyn Source>; 3]> {
    let part = |name: &str| {
        let pixels = in_file(folder, &format!("{name}-images-idx3-ubyte"), |file, path| {
            images(file, Some(Place { path, start: 0, large }))
        })?;
        let labels = in_file(folder, &format!("{name}-labels-idx1-ubyte"), |file, _| labels(file))?;
        Ok::<_, Error>(pixels.labelled(labels))
    };
    let (train, test) = (part("train")?, part("t10k")?);
    let validation = Images::none(train.shape()).into();
    Ok([train, validation, test])
}

/// Reads one pair of files that are in memory. The problem is told without a path.
pub(in crate::data) fn read_pair(image_file: &[u8], label_file: &[u8]) -> Result<Arc<dyn Source>, String> {
    Ok(images(image_file, None)?.labelled(labels(label_file)?))
}

/// Opens `name` or `name.gz` in `folder` and reads it.
fn in_file<T>(folder: &Path, name: &str, read: impl Fn(BufReader<File>, &Path) -> Result<T, String>) -> Result<T> {
    let names = [folder.join(name), folder.join(format!("{name}.gz"))];
    let Some(path) = names.iter().find(|path| path.is_file()) else {
        return Err(about_path(&format!("this folder of IDX files lacks {name} (or {name}.gz)"), folder));
    };
    let file = File::open(path).map_err(Error::io("open the IDX file", path))?;
    read(BufReader::new(file), path).map_err(|problem| about_path(&format!("this IDX file {problem}"), path))
}

/// Magic and three sides come before the pixels.
const HEADER: u64 = 16;

/// The images of an image file; they may stay at `place`, the file's beginning.
fn images(file: impl BufRead, place: Option<Place<'_>>) -> Result<Pixels, String> {
    let (mut file, packed) = decoded(file)?;
    let place = place.filter(|_| !packed).map(|place| Place { start: HEADER, ..place });
    let [count, height, width] = dimensions(&mut file)?;
    payload_bytes(count, [1, height, width], most_bytes(place))?;
    let shape = [1, height as usize, width as usize];
    Pixels::read(&mut file, count, Layout { shape, interleaved: false, pixel: Pixel::Byte }, place)
}

/// The labels of a label file.
fn labels(file: impl BufRead) -> Result<Vec<u32>, String> {
    let (mut file, _) = decoded(file)?;
    let [count] = dimensions(&mut file)?;
    if count > MAX_IMAGES {
        return Err(format!("declares {count} labels; at most {MAX_IMAGES} are read"));
    }
    Ok(read_payload(file, count)?.into_iter().map(u32::from).collect())
}

/// The file's content, unpacked where it begins as gzip does, and whether it does.
fn decoded<'a>(mut file: impl BufRead + 'a) -> Result<(Box<dyn Read + 'a>, bool), String> {
    let start = file.fill_buf().map_err(|error| format!("cannot be read ({error})"))?;
    let packed = start.starts_with(&[0x1f, 0x8b]);
    Ok((if packed { Box::new(GzDecoder::new(file)) } else { Box::new(file) }, packed))
}

/// The header of an array of bytes with `N` dimensions.
fn dimensions<const N: usize>(file: &mut impl Read) -> Result<[u64; N], String> {
    let mut word = || {
        let mut bytes = [0; 4];
        file.read_exact(&mut bytes).map_err(|error| format!("is damaged or cut short ({error})"))?;
        Ok::<_, String>(bytes)
    };
    let magic = word()?;
    if magic != [0, 0, 8, N as u8] {
        return Err(format!("begins with {magic:02x?}, not with [00, 00, 08, {N:02x}]"));
    }
    let mut sizes = [0; N];
    for size in &mut sizes {
        *size = u32::from_be_bytes(word()?).into();
    }
    Ok(sizes)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;
    use crate::data::{READERS_HERE, plain};

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
        assert_eq!(
            (by_file.name, by_file.train),
            (set.name.clone(), set.train.clone()),
            "a file stands for its folder"
        );
        assert_eq!(set.classes, ["0", "1", "2", "3", "4"]);
        assert_eq!((set.train.labels(), set.validation.len()), (&[0, 4, 1][..], 0));
        assert_eq!(*set.test.image(1)?, [6, 7, 8, 9, 10, 11]);
        Ok(())
    }

    #[test]
    fn large_plain_files_stay_where_they_are() -> Result<()> {
        let folder = folder();
        let read = |large| Ok::<_, Error>(read_folder(folder.path(), large)?.map(crate::data::Part::all));
        let (disk, memory) = (read(1)?, read(u64::MAX)?);
        assert_eq!(disk.each_ref().map(crate::data::Part::streams), [false, false, true], "a packed one cannot");
        assert_eq!(disk, memory);
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
}

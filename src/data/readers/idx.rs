//! IDX, the format of MNIST and its relatives: a header (two zeros, element type 8 = unsigned byte,
//! number of dimensions, then each dimension as a big-endian u32), then the bytes. Plain or gzip'd,
//! which is told from the content, not the name.
//!
//! Its relatives: Fashion-MNIST and KMNIST have MNIST's names; EMNIST has several sets in a folder, of images that lie on
//! their side; QMNIST's labels are rows of eight numbers, of which the first is the class.

mod gzip;
mod names;
#[cfg(test)]
mod tests;

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use self::gzip::Members;
use self::names::{Named, What, sets};
use crate::data::array::{Pixels, most_bytes};
use crate::data::disk::{Place, large};
use crate::data::layout::{Layout, Pixel};
use crate::data::range::{Scale, Seen, found};
use crate::data::reader::{Contents, Findings, Kind, Parts, Sniff};
use crate::data::watched::{Watched, unless_stopped};
use crate::data::{Ask, Images, MAX_IMAGES, Range, Source, about_path, payload_bytes, read_payload, unpacked};
use crate::error::{Error, Result};

/// Its card.
pub static KIND: Kind = Kind {
    id: "idx",
    title: "IDX files",
    about: "a folder of IDX files",
    endings: &[],
    sniff,
    read: |path, ask| read_set(path, ask, large()?),
};

/// A folder is told by its files, and a file of one stands for the folder; where there are several sets, for its own.
fn sniff(path: &Path) -> Sniff {
    if path.is_dir() {
        if !sets(path).is_empty() {
            return Sniff::Yes(path.to_owned());
        }
        let near = path.read_dir().into_iter().flatten().flatten().any(|entry| is_near(&entry.path()));
        return if near { Sniff::Perhaps } else { Sniff::No };
    }
    let is_one = || Named::of(path).is_some() || is_near(path);
    let Some(folder) = path.parent().filter(|_| path.is_file() && is_one()) else { return Sniff::No };
    // What was given as a bare name is in the folder that is looked from.
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    Sniff::Yes(if sets(folder).len() > 1 { path } else { folder }.to_owned())
}

/// A file that is named nearly as data sets do it: what is amiss is told when it is read.
fn is_near(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
    ["idx1", "idx3"].iter().any(|kind| name.contains(kind)) && name.contains("ubyte")
}

/// Reads the set that is wanted of a folder, or that a file is of: training, validation, which most do not have, and test.
/// Images of so many bytes as are `large` stay in a file that is not packed.
fn read_set(path: &Path, ask: &Ask<'_>, large: u64) -> Result<Contents> {
    let own = Named::of(path).filter(|_| path.is_file());
    let folder = if own.is_some() { path.parent().unwrap_or(path) } else { path };
    let mut findings = Findings::default();
    let set = chosen(folder, own, &ask.wanted.view, &mut findings)?;
    if !ask.wanted.labels.is_empty() {
        let problem =
            format!("there is one label an image: data.labels = \"{}\" is for sets with several", ask.wanted.labels);
        return Err(about_path(&problem, path));
    }
    let lying = set.starts_with("emnist");
    let files = Files { folder, set: &set, ask, large };
    let mut parts = Vec::new();
    for part in [0, 1, 2] {
        if part != 1 || files.has(part) {
            parts.push((part, files.images(part, lying)?, files.labels(part, &mut findings)?));
        }
    }
    if lying {
        findings.notes.push("EMNIST's images lie on their side; they are turned upright.".to_owned());
    }
    let classes = letters(&set, &mut parts, &mut findings);
    let seen = parts.iter().map(|(_, pixels, _)| pixels.seen).reduce(Seen::and);
    let scale = seen.map_or(Scale::BYTES, |seen| found(seen, ask.wanted.range, &mut findings));
    let none: Arc<dyn Source> = Images::none(parts[0].1.shape()).into();
    let mut all = [none.clone(), none.clone(), none];
    for (part, pixels, labels) in parts {
        all[part] = pixels.labelled(labels, scale);
    }
    Ok(Contents { parts: Parts::Given(all), classes, findings })
}

/// The set of a folder that a file is of, or that is wanted, or the first that is whole.
fn chosen(folder: &Path, own: Option<Named>, wanted: &str, findings: &mut Findings) -> Result<String> {
    let all = sets(folder);
    if let Some(own) = own.filter(|_| wanted.is_empty()) {
        return Ok(own.set);
    }
    if wanted.is_empty() {
        let first = all.iter().find(|(_, whole)| **whole).or_else(|| all.iter().next());
        let first = first.map(|(set, _)| set.clone()).unwrap_or_default();
        if all.len() > 1 {
            let listed = listed(all.keys());
            findings.notes.push(format!(
                "The folder holds several sets: {listed}. This is {}; data.view names another.",
                called(&first)
            ));
        }
        return Ok(first);
    }
    let lower = wanted.trim().to_lowercase();
    let fits = |set: &&String| **set == lower || set.rsplit('-').next() == Some(&lower) || called(set) == lower;
    all.keys().find(fits).cloned().ok_or_else(|| {
        let problem = format!("this folder has no set data.view = \"{wanted}\": it has {}", listed(all.keys()));
        about_path(&problem, folder)
    })
}

/// What a set is called; one whose files are only those of a part has no name.
fn called(set: &str) -> &str {
    if set.is_empty() { "mnist" } else { set }
}

/// The names of sets, as far as a message takes them.
fn listed<'a>(sets: impl ExactSizeIterator<Item = &'a String>) -> String {
    let more = if sets.len() > 8 { ", …" } else { "" };
    let names: Vec<String> = sets.take(8).map(|set| called(set).escape_debug().to_string()).collect();
    if names.is_empty() { "none".to_owned() } else { names.join(", ") + more }
}

/// The names of EMNIST's letters, whose labels begin at 1, as its other sets' do not.
fn letters(set: &str, parts: &mut [(usize, Pixels, Vec<u32>)], findings: &mut Findings) -> Option<Vec<String>> {
    let labels = || parts.iter().flat_map(|(_, _, labels)| labels);
    if !set.ends_with("letters") || !labels().all(|label| (1..=26).contains(label)) {
        return None;
    }
    parts.iter_mut().flat_map(|(_, _, labels)| labels).for_each(|label| *label -= 1);
    findings.notes.push("Labels begin at 1, which is A.".to_owned());
    Some(('A'..='Z').map(String::from).collect())
}

/// The files of a set.
struct Files<'a> {
    folder: &'a Path,
    set: &'a str,
    ask: &'a Ask<'a>,
    large: u64,
}

impl Files<'_> {
    /// Whether there is any file of a part.
    fn has(&self, part: usize) -> bool {
        [What::Images, What::Labels].into_iter().any(|what| self.path(part, what).is_some())
    }

    fn path(&self, part: usize, what: What) -> Option<PathBuf> {
        names::file(self.folder, self.set, part, what)
    }

    fn images(&self, part: usize, transposed: bool) -> Result<Pixels> {
        self.read(part, What::Images, |file, path| {
            images(file, Some(Place { path, start: 0, large: self.large, packed: false }), transposed)
        })
    }

    fn labels(&self, part: usize, findings: &mut Findings) -> Result<Vec<u32>> {
        let (labels, note) = self.read(part, What::Labels, |file, _| labels(file))?;
        findings.notes.extend(note.filter(|note| !findings.notes.contains(note)));
        Ok(labels)
    }

    fn read<T>(
        &self,
        part: usize,
        what: What,
        read: impl Fn(BufReader<Watched<'_>>, &Path) -> Result<T, String>,
    ) -> Result<T> {
        let Some(path) = self.path(part, what) else {
            let name = names::usual(self.set, part, what);
            return Err(about_path(&format!("this folder of IDX files lacks {name} (or {name}.gz)"), self.folder));
        };
        let file = File::open(&path).map_err(Error::opening("open the IDX file", &path))?;
        let done = read(BufReader::new(Watched::new(file, self.ask.progress)), &path);
        unless_stopped(done, self.ask.progress, |problem| about_path(&format!("this IDX file {problem}"), &path))
    }
}

/// Reads files that are in memory: the images and the labels for training, and those for testing. The problem is told
/// without a path.
pub(in crate::data) fn read_pairs(files: [[&[u8]; 2]; 2]) -> Result<Contents, String> {
    let mut parts = Vec::new();
    for [images_in, labels_in] in files {
        parts.push((images(images_in, None, false)?, labels(labels_in)?.0));
    }
    let mut findings = Findings::default();
    let seen = parts.iter().map(|(pixels, _)| pixels.seen).reduce(Seen::and);
    let scale = seen.map_or(Scale::BYTES, |seen| found(seen, Range::Auto, &mut findings));
    let mut all = parts.into_iter().map(|(pixels, labels)| pixels.labelled(labels, scale));
    let (train, test) = all.next().zip(all.next()).ok_or("holds no images")?;
    let none = Images::none(train.shape()).into();
    Ok(Contents { findings, ..[train, none, test].into() })
}

/// Magic and three sides come before the pixels.
const HEADER: u64 = 16;

/// The images of an image file, which may stand column by column; they may stay at `place`, the file's beginning, where
/// they are not packed.
fn images(file: impl BufRead, place: Option<Place<'_>>, transposed: bool) -> Result<Pixels, String> {
    let (mut file, packed) = decoded(file)?;
    let place = place.map(|place| Place { start: HEADER, packed, ..place });
    let magic = word(&mut file)?;
    if magic != [0, 0, BYTES, 3] {
        return Err(format!("begins with {magic:02x?}, not with [00, 00, 08, 03]"));
    }
    let [count, height, width] = [side(&mut file)?, side(&mut file)?, side(&mut file)?];
    payload_bytes(count, [1, height, width], most_bytes(place))?;
    let [stored_rows, stored_columns] = [height, width].map(|side| side as usize);
    let [height, width] = if transposed { [stored_columns, stored_rows] } else { [stored_rows, stored_columns] };
    let layout = Layout { transposed, ..Layout::plain([1, height, width], Pixel::Byte) };
    unpacked::read(&mut file, count, layout, place)
}

/// The element types of IDX that labels have.
const BYTES: u8 = 8;
const WORDS: u8 = 12;
/// Most numbers in a row of labels.
const MAX_COLUMNS: u64 = 64;

/// The labels of a label file, and what there is to say: a row of numbers begins with the class.
fn labels(file: impl BufRead) -> Result<(Vec<u32>, Option<String>), String> {
    let (mut file, _) = decoded(file)?;
    let magic = word(&mut file)?;
    let (size, rows) = match magic {
        [0, 0, kind @ (BYTES | WORDS), sides @ (1 | 2)] => (if kind == BYTES { 1 } else { 4 }, sides == 2),
        _ => {
            return Err(format!("begins with {magic:02x?}, not with [00, 00, 08, 01], nor as rows, [00, 00, 0c, 02]"));
        }
    };
    let count = side(&mut file)?;
    let columns = if rows { side(&mut file)? } else { 1 };
    if count > MAX_IMAGES {
        return Err(format!("declares {count} labels; at most {MAX_IMAGES} are read"));
    }
    if !(1..=MAX_COLUMNS).contains(&columns) {
        return Err(format!("declares rows of {columns} labels; 1 to {MAX_COLUMNS} are read"));
    }
    let bytes = read_payload(file, count * columns * size)?;
    let class = |row: &[u8]| match row {
        [a, b, c, d, ..] if size == 4 => {
            let value = i32::from_be_bytes([*a, *b, *c, *d]);
            u32::try_from(value).map_err(|_| format!("holds the label {value}; labels begin at 0"))
        }
        _ => Ok(row[0].into()),
    };
    let labels = bytes.chunks_exact((columns * size) as usize).map(class).collect::<Result<_, _>>()?;
    Ok((labels, rows.then(|| format!("Labels are rows of {columns} numbers, of which the first is the class."))))
}

/// The file's content, unpacked where it begins as gzip does, and whether it does.
fn decoded<'a>(mut file: impl BufRead + 'a) -> Result<(Box<dyn Read + 'a>, bool), String> {
    let start = file.fill_buf().map_err(|error| format!("cannot be read ({error})"))?;
    let packed = start.starts_with(&gzip::MAGIC);
    Ok((if packed { Box::new(Members::new(file)) } else { Box::new(file) }, packed))
}

/// Four bytes.
fn word(file: &mut impl Read) -> Result<[u8; 4], String> {
    let mut bytes = [0; 4];
    file.read_exact(&mut bytes).map_err(|error| format!("is damaged or cut short ({error})"))?;
    Ok(bytes)
}

/// The length of a side.
fn side(file: &mut impl Read) -> Result<u64, String> {
    Ok(u32::from_be_bytes(word(file)?).into())
}

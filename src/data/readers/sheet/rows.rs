//! The rows of a table of pictures.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use csv::{ByteRecord, ReaderBuilder};

use super::super::folder::{PARTS, files, natural, part_of};
use crate::data::decode::{ENDINGS, is_picture};
use crate::data::pictures::{Item, Listing};
use crate::data::reader::{Findings, Skipped};
use crate::data::{MAX_CLASSES, MAX_IMAGES, Noun, Numbering, about_path};
use crate::error::{Error, Result};

/// Most bytes of a table.
const MAX_BYTES: u64 = 256 << 20;
/// Most bytes of its first line.
const MAX_HEAD: u64 = 1 << 16;
/// Largest number that is taken for a label.
const MAX_NUMBER: f64 = 1e15;

/// What columns are called, in the order in which they are looked for.
const PATH: [&str; 8] = ["path", "file", "filename", "file_name", "image", "image_path", "image_id", "image_name"];
const LABEL: [&str; 4] = ["label", "class", "target", "diagnosis"];
const PATIENT: [&str; 3] = ["patient", "patient_id", "subject"];
const SPLIT: [&str; 3] = ["split", "set", "fold"];

/// Whether the first line of a file names the columns that are needed.
pub fn fits(path: &Path) -> bool {
    let mut line = Vec::new();
    let read = File::open(path).map(|file| BufReader::new(file.take(MAX_HEAD)).read_until(b'\n', &mut line));
    let Ok(Ok(_)) = read else { return false };
    let Ok(names) = header(&line) else { return false };
    let has = |known: &[&str]| names.iter().any(|name| known.contains(&name.as_str()));
    has(&PATH) && has(&LABEL)
}

/// What stands between the columns, told by the first line: whichever there is most of outside quotes.
fn delimiter(line: &[u8]) -> u8 {
    let mut quoted = false;
    let outside: Vec<u8> = line
        .iter()
        .copied()
        .take_while(|byte| *byte != b'\n')
        .filter(|byte| {
            quoted ^= *byte == b'"';
            !quoted
        })
        .collect();
    let count = |wanted: u8| outside.split(|byte| *byte == wanted).count();
    [b';', b'\t', b','].into_iter().max_by_key(|byte| count(*byte)).unwrap_or(b',')
}

fn without_mark(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes)
}

/// The columns' names, in small letters and without what differs from one program to the next.
fn header(bytes: &[u8]) -> Result<Vec<String>, String> {
    let bytes = without_mark(bytes);
    let mut first = ByteRecord::new();
    let mut reader =
        ReaderBuilder::new().has_headers(false).delimiter(delimiter(bytes)).flexible(true).from_reader(bytes);
    reader.read_byte_record(&mut first).map_err(|error| format!("has a first line that cannot be read ({error})"))?;
    Ok(first.iter().map(|name| plain(&String::from_utf8_lossy(name))).collect())
}

fn plain(name: &str) -> String {
    name.trim().to_lowercase().replace([' ', '-'], "_")
}

/// Where the columns are.
struct Columns {
    path: usize,
    label: usize,
    patient: Option<usize>,
    split: Option<usize>,
    names: Vec<String>,
}

impl Columns {
    /// `labels` names the column of the labels, if one is wanted that is not found by itself.
    fn of(names: Vec<String>, labels: &str) -> Result<Self, String> {
        let one = |what: &str, known: &[&str]| {
            let mut found: Vec<usize> = (0..names.len()).filter(|i| known.contains(&names[*i].as_str())).collect();
            // The plain word is meant whatever else there is.
            let plain = found.iter().filter(|i| names[**i] == known[0]).count();
            found.retain(|i| plain == 0 || names[*i] == known[0]);
            match found.as_slice() {
                [one, other, ..] => {
                    Err(format!("has two columns that may be the {what}: {} and {}", names[*one], names[*other]))
                }
                found => Ok(found.first().copied()),
            }
        };
        let all = || if names.is_empty() { "none".to_owned() } else { names.join(", ") };
        let lacks =
            |what, known: &[&str]| format!("has no column {what} (or {}): there are {}", known[1..].join(", "), all());
        let path = one("path", &PATH)?.ok_or_else(|| lacks("path", &PATH))?;
        let label = if labels.is_empty() {
            let found = one("label", &LABEL).map_err(|problem| format!("{problem}; data.labels chooses"))?;
            found.ok_or_else(|| format!("{}; data.labels can name another", lacks("label", &LABEL)))?
        } else {
            let wanted = plain(labels);
            let found = names.iter().position(|name| *name == wanted);
            found.ok_or_else(|| format!("has no column {labels}, which data.labels names: there are {}", all()))?
        };
        Ok(Self { path, label, patient: one("patient", &PATIENT)?, split: one("split", &SPLIT)?, names })
    }
}

/// A row as it stands.
struct Row {
    line: u64,
    path: PathBuf,
    label: String,
    patient: Option<u32>,
    split: Option<String>,
}

/// Lists the pictures of a table; `labels` names the column of their classes, or nothing for the usual one.
///
/// # Errors
/// Returns an error if the table is damaged, lacks a column or a cell, or lists no picture; it ends with the path.
pub fn listed(path: &Path, labels: &str) -> Result<Listing> {
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(Error::opening("open the CSV file", path))?;
    file.take(MAX_BYTES + 1).read_to_end(&mut bytes).map_err(Error::io("read the CSV file", path))?;
    let told = |problem: String| about_path(&format!("this CSV file {problem}"), path);
    let (columns, rows) = rows(&bytes, labels).map_err(told)?;
    let (classes, names) = classes(&rows, &columns.names[columns.label]).map_err(told)?;
    let parts = parts(&rows, &columns).map_err(told)?;
    let mut findings = Findings::default();
    let mut places = Places::of(path);
    let mut first = BTreeMap::<PathBuf, (u64, u32)>::new();
    let mut items = Vec::new();
    for ((row, label), part) in rows.into_iter().zip(classes).zip(parts) {
        let line = row.line;
        let Some(found) = places.find(&row.path)? else {
            let why = format!("is listed in line {line}, and there is no such file");
            findings.skipped.push(Skipped { path: places.folder.join(row.path), why });
            continue;
        };
        if let Some((before, other)) = first.get(&found) {
            let as_other = if *other == label { "" } else { " as another class" };
            let why = format!("is listed in line {line} again, after line {before}{as_other}");
            findings.skipped.push(Skipped { path: found, why });
            continue;
        }
        first.insert(found.clone(), (line, label));
        items.push(Item { path: found, label, group: row.patient, part });
    }
    if items.is_empty() {
        let first = findings.skipped.first().map_or_else(String::new, |one| format!(": {}", one.path.display()));
        return Err(told(format!("lists no picture that is there{first}")));
    }
    Ok(Listing { items, classes: Some(names), noun: Noun::PATIENT, findings })
}

/// The columns and the rows of a table. A patient is a number from here on.
fn rows(bytes: &[u8], labels: &str) -> Result<(Columns, Vec<Row>), String> {
    if bytes.len() as u64 > MAX_BYTES {
        return Err(format!("has more than {MAX_BYTES} bytes"));
    }
    if [[0xff, 0xfe], [0xfe, 0xff]].iter().any(|mark| bytes.starts_with(mark)) {
        return Err("is stored in UTF-16: store it as CSV in UTF-8".to_owned());
    }
    let bytes = without_mark(bytes);
    let columns = Columns::of(header(bytes)?, labels)?;
    let mut reader = ReaderBuilder::new().delimiter(delimiter(bytes)).flexible(true).from_reader(bytes);
    let (mut record, mut rows, mut patients) = (ByteRecord::new(), Vec::new(), Numbering::default());
    while reader.read_byte_record(&mut record).map_err(|error| format!("cannot be read ({error})"))? {
        let line = record.position().map_or(0, |position| line_of(bytes, position));
        if record.iter().all(|cell| cell.trim_ascii().is_empty()) {
            continue;
        }
        if rows.len() as u64 == MAX_IMAGES {
            return Err(format!("has more than {MAX_IMAGES} rows"));
        }
        let cell = |column: usize| match record.get(column).map(<[u8]>::trim_ascii) {
            None | Some([]) => Err(format!("has an empty cell in line {line}, column {}", columns.names[column])),
            Some(cell) => Ok(cell),
        };
        let text = |column| cell(column).map(|cell| String::from_utf8_lossy(cell).into_owned());
        rows.push(Row {
            line,
            path: path_of(cell(columns.path)?),
            label: text(columns.label)?,
            patient: columns
                .patient
                .map(|column| Ok::<_, String>(patients.number(cell(column)?.to_vec())))
                .transpose()?,
            split: columns.split.map(text).transpose()?,
        });
    }
    if rows.is_empty() { Err("has no rows".to_owned()) } else { Ok((columns, rows)) }
}

/// The line that a record stands in: its position is before the end of the line above and before empty lines.
fn line_of(bytes: &[u8], position: &csv::Position) -> u64 {
    let before = bytes.get(position.byte() as usize..).unwrap_or_default();
    let skipped = before.iter().take_while(|byte| matches!(byte, b'\n' | b'\r'));
    position.line() + skipped.fold(0, |lines, byte| lines + u64::from(*byte == b'\n'))
}

#[cfg(unix)]
fn path_of(cell: &[u8]) -> PathBuf {
    use std::os::unix::ffi::OsStrExt;
    std::ffi::OsStr::from_bytes(cell).into()
}

#[cfg(not(unix))]
fn path_of(cell: &[u8]) -> PathBuf {
    String::from_utf8_lossy(cell).into_owned().into()
}

/// The class of each row, and the names of the classes: numbers by their value, else in alphabetical order.
fn classes(rows: &[Row], column: &str) -> Result<(Vec<u32>, Vec<String>), String> {
    let number = |row: &Row| row.label.parse::<f64>().ok();
    let numbers = rows.iter().all(|row| number(row).is_some());
    // As first written, by what is compared.
    let mut names = BTreeMap::<(u64, &str), &str>::new();
    let mut keys = Vec::with_capacity(rows.len());
    for row in rows {
        let value = number(row);
        let nonsense = value.is_some_and(|value| value.is_nan() || (numbers && value.abs() > MAX_NUMBER));
        if nonsense {
            return Err(format!(
                "has the label {} in line {}, column {column}, which is no class",
                row.label, row.line
            ));
        }
        let key = if numbers { (ordered(value.unwrap_or_default()), "") } else { (0, row.label.as_str()) };
        names.entry(key).or_insert(&row.label);
        keys.push(key);
        if names.len() > MAX_CLASSES as usize {
            let line = row.line;
            return Err(format!(
                "has more than {MAX_CLASSES} different labels in column {column} up to line {line}: is it something measured?"
            ));
        }
    }
    if let (1, Some(one)) = (names.len(), names.first_key_value()) {
        return Err(format!("has one class only in column {column}, {}: a set needs two at least", one.1));
    }
    let mut order: Vec<_> = names.keys().copied().collect();
    if !numbers {
        order.sort_by(|a, b| natural(a.1.as_ref(), b.1.as_ref()));
    }
    let place: BTreeMap<_, u32> = order.iter().zip(0..).map(|(key, i)| (*key, i)).collect();
    let labels = keys.iter().map(|key| place[key]).collect();
    Ok((labels, order.iter().map(|key| names[key].to_owned()).collect()))
}

/// A number so that whole numbers are in the order of the values.
fn ordered(value: f64) -> u64 {
    // Zero has two forms.
    let bits = (value + 0.0).to_bits();
    if bits >> 63 == 1 { !bits } else { bits | 1 << 63 }
}

/// The part of each row, where there is a column for it.
fn parts(rows: &[Row], columns: &Columns) -> Result<Vec<Option<usize>>, String> {
    let Some(column) = columns.split else { return Ok(vec![None; rows.len()]) };
    let named = |row: &Row| row.split.as_deref().and_then(part_of);
    // Numbers of folds say nothing of who trains on what.
    if columns.names[column] == "fold" && rows.iter().all(|row| named(row).is_none()) {
        return Ok(vec![None; rows.len()]);
    }
    let part = |row: &Row| {
        named(row).map(Some).ok_or_else(|| {
            let [column, found] = [&columns.names[column], row.split.as_deref().unwrap_or_default()];
            let allowed = PARTS.map(|words| words[0]).join(", ");
            format!("has {found:?} in line {}, column {column}: allowed are {allowed}", row.line)
        })
    };
    rows.iter().map(part).collect()
}

/// Finds the files that rows name.
struct Places {
    folder: PathBuf,
    /// Pictures in the folder and below by name, with and without ending; looked for when they are first needed. Of
    /// several of one name none is the one that is meant.
    below: Option<BTreeMap<PathBuf, Option<PathBuf>>>,
}

impl Places {
    fn of(table: &Path) -> Self {
        let folder = table.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        Self { folder: folder.to_owned(), below: None }
    }

    /// The file that is named: as it is, or from another system, or without its ending, or in some folder below.
    fn find(&mut self, named: &Path) -> Result<Option<PathBuf>> {
        let there = |path: &Path| Some(self.folder.join(path)).filter(|path| path.is_file());
        let turned = PathBuf::from(named.to_string_lossy().replace('\\', "/"));
        if let Some(path) = there(named).or_else(|| there(&turned)) {
            return Ok(Some(path));
        }
        let mut ended = ENDINGS.iter().filter(|_| !is_picture(named)).map(|ending| {
            let mut name = turned.clone().into_os_string();
            name.push(".");
            name.push(ending);
            PathBuf::from(name)
        });
        if let Some(path) = ended.find_map(|path| there(&path)) {
            return Ok(Some(path));
        }
        // A name alone may be that of a file in a folder beside the table.
        if turned.components().count() != 1 {
            return Ok(None);
        }
        if self.below.is_none() {
            self.below = Some(below(&self.folder)?);
        }
        Ok(self.below.as_ref().and_then(|below| below.get(&turned).cloned().flatten()))
    }
}

fn below(folder: &Path) -> Result<BTreeMap<PathBuf, Option<PathBuf>>> {
    let mut all = BTreeMap::new();
    for path in files(folder, folder, &mut Vec::new())?.into_iter().filter(|path| is_picture(path)) {
        for name in [path.file_name(), path.file_stem()].into_iter().flatten() {
            all.entry(PathBuf::from(name)).and_modify(|one| *one = None).or_insert_with(|| Some(path.clone()));
        }
    }
    Ok(all)
}

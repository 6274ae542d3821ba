//! DICOM: a file, or a folder of them, each an image in levels of its window.
//!
//! A file is a stranger's and about somebody. Its elements are read here and not by a general library: such a one recurses
//! as deep as sequences nest, takes memory by the length that an element declares, and puts values into its messages.
//! Here nothing recurses, memory grows with the file, and a message names an element by its tag, never its value. Whose
//! an image is goes no further than a number by first appearance.

mod elements;
mod files;
mod frames;
mod levels;
mod rle;
mod syntax;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use rayon::prelude::*;

use self::files::{Labels, by_folders, by_table, has_dicom, in_folder, is_dicom_file, is_index};
use self::frames::{Colours, Frames, Header, PatientId};
use self::levels::{Levels, extremes};
use crate::data::pictures::{Decode, Head, Item, Listing, Picture, gather};
use crate::data::reader::{Contents, Findings, Kind, Skipped, Sniff};
use crate::data::{Ask, Noun, Numbering, Range, Wanted, about_path};
use crate::error::{Error, Result};

/// Its card.
pub static KIND: Kind = Kind {
    id: "dicom",
    title: "DICOM files",
    about: "a DICOM file or a folder of them",
    endings: &files::ENDINGS,
    sniff,
    read,
};

/// A file is told by how it begins, a folder by one of its files; an index stands for its folder.
fn sniff(path: &Path) -> Sniff {
    let set = if path.is_dir() {
        has_dicom(path).then_some(path)
    } else if is_dicom_file(path) {
        if is_index(path) { path.parent() } else { Some(path) }
    } else {
        None
    };
    set.map_or(Sniff::No, |set| Sniff::Yes(set.to_owned()))
}

/// Which frame of several.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum View {
    Middle,
    /// Counted from 1.
    Frame(usize),
}

impl View {
    fn of(wanted: &str) -> Result<Self> {
        let number = |text: &str| text.parse().ok().filter(|number| *number > 0);
        match (wanted, wanted.strip_prefix("frame:").and_then(number)) {
            ("" | "middle", _) => Ok(Self::Middle),
            (_, Some(number)) => Ok(Self::Frame(number)),
            _ => Err(Error::input(format!(
                "data.view is \"{wanted}\": for DICOM allowed are middle, or a frame counted from 1 as in \"frame:1\""
            ))),
        }
    }

    /// The place of the frame among so many.
    fn place(self, frames: usize) -> Result<usize, String> {
        match self {
            Self::Middle => Ok(frames / 2),
            Self::Frame(number) if number <= frames => Ok(number - 1),
            Self::Frame(number) => Err(format!("has {frames} frames and no frame {number} (data.view)")),
        }
    }
}

/// A file whose header could be read.
struct Seen {
    path: PathBuf,
    header: Header,
    patient: Option<PatientId>,
}

fn read(path: &Path, ask: &Ask<'_>) -> Result<Contents> {
    let view = View::of(&ask.wanted.view)?;
    let mut findings = Findings::default();
    let (folder, all) =
        if path.is_dir() { (Some(path), in_folder(path, &mut findings)?) } else { (None, vec![path.to_owned()]) };
    let seen = seen(all, ask, &mut findings)?;
    let (seen, labels) = match folder {
        Some(folder) => labelled(folder, seen, &ask.wanted.labels, &mut findings)?,
        None if ask.wanted.labels.is_empty() => (seen, None),
        None => return Err(about_path(NO_TABLE, path)),
    };
    findings.unlabelled = labels.is_none();
    if let (true, Some(Skipped { path, why })) = (seen.is_empty(), findings.skipped.first()) {
        return Err(about_path(&format!("no DICOM file can be read: the first {why}"), path));
    }
    let items = items(&seen, labels.as_ref());
    let levels = levels(&seen, view, ask)?;
    findings.range = range(&seen, &levels);
    findings.notes.extend(notes(&seen, view, findings.unlabelled));
    let classes = Some(labels.map_or_else(|| vec!["unlabelled".to_owned()], |labels| labels.classes));
    let listing = Listing { items, classes, noun: Noun::PATIENT, findings };
    // What is black and white is seen to here: levels are taken as they are.
    let range = Range::Between(0.0, levels.white.into());
    let wanted = Wanted { range, ..ask.wanted.clone() };
    let pictures = Pictures { known_as: format!("{} {levels:?}", KIND.id), seen, view, levels };
    gather(listing, pictures, &Ask { wanted: &wanted, ..*ask }).map_err(|error| match error {
        // What is wrong with one file names it.
        Error::Input(problem) if !problem.contains(&*path.to_string_lossy()) => about_path(&problem, path),
        error => error,
    })
}

/// The files as pictures.
struct Pictures {
    seen: Vec<Seen>,
    view: View,
    levels: Levels,
    known_as: String,
}

impl Decode for Pictures {
    fn picture(&self, i: usize) -> Result<Picture, String> {
        let mut file = Frames::of_file(&self.seen[i].path)?;
        let header = file.header;
        let stored = file.stored(self.view.place(header.frames)?)?;
        Ok(self.levels.picture(&stored, &header))
    }

    fn head(&self, i: usize) -> Result<Head, String> {
        let header = &self.seen[i].header;
        self.view.place(header.frames)?;
        Ok(Head { shape: header.shape(), white: self.levels.white, said: vec![] })
    }

    fn known_as(&self) -> Option<&str> {
        Some(&self.known_as)
    }
}

/// The headers of the files, those that cannot be read left out and listed.
fn seen(all: Vec<PathBuf>, ask: &Ask<'_>, findings: &mut Findings) -> Result<Vec<Seen>> {
    ask.progress.begin(all.len());
    let one = |path: PathBuf| {
        ask.progress.step()?;
        Ok::<_, Error>(match Frames::of_file(&path) {
            Ok(Frames { header, patient, .. }) => Ok(Seen { path, header, patient }),
            Err(why) => Err(Skipped { path, why }),
        })
    };
    let all: Vec<Result<Seen, Skipped>> = all.into_par_iter().map(one).collect::<Result<_>>()?;
    let mut seen = Vec::new();
    for one in all {
        match one {
            Ok(one) => seen.push(one),
            Err(skipped) => findings.skipped.push(skipped),
        }
    }
    Ok(seen)
}

/// Why labels that are asked for are not there.
const NO_TABLE: &str = "data.labels names a column of the CSV file beside the DICOM files, and there is no such file";

/// What a table or folders say of the files, those that a table leaves out left out; nothing where nobody says anything.
fn labelled(
    folder: &Path,
    seen: Vec<Seen>,
    column: &str,
    findings: &mut Findings,
) -> Result<(Vec<Seen>, Option<Labels>)> {
    if let Some(table) = by_table(folder, column, findings)? {
        let (kept, left): (Vec<_>, Vec<_>) = seen.into_iter().partition(|one| table.of.contains_key(&one.path));
        let why = "the CSV file has no row of it";
        findings.skipped.extend(left.into_iter().map(|one| Skipped { path: one.path, why: why.to_owned() }));
        return Ok((kept, Some(table)));
    }
    if !column.is_empty() {
        return Err(about_path(NO_TABLE, folder));
    }
    let paths: Vec<&Path> = seen.iter().map(|one| one.path.as_path()).collect();
    let labels = by_folders(folder, &paths)?;
    if labels.is_some() && of_patients(folder, &seen) {
        let why = "Each folder has one patient's files further down: folders are not taken for classes.";
        findings.notes.push(why.to_owned());
        return Ok((seen, None));
    }
    Ok((seen, labels))
}

/// Whether the first folders are patients and not classes: each of one patient of its own, whose files lie further down.
fn of_patients(root: &Path, seen: &[Seen]) -> bool {
    let mut folders = BTreeMap::<_, BTreeSet<&PatientId>>::new();
    for one in seen {
        let mut below = one.path.strip_prefix(root).unwrap_or(&one.path).components();
        let (Some(first), Some(id)) = (below.next(), &one.patient) else { return false };
        if below.count() < 2 {
            return false;
        }
        folders.entry(first).or_default().insert(id);
    }
    let patients: BTreeSet<_> = folders.values().flatten().collect();
    folders.values().all(|ids| ids.len() == 1) && patients.len() == folders.len()
}

/// What is known of each file.
fn items(seen: &[Seen], labels: Option<&Labels>) -> Vec<Item> {
    let by_table = labels.is_some_and(|labels| labels.of.values().any(|said| said.patient.is_some()));
    let mut patients = Numbering::default();
    let one = |one: &Seen| {
        let path = one.path.clone();
        let said = labels.and_then(|labels| labels.of.get(&path));
        let own = one.patient.clone().map(|id| patients.number(id));
        let group = if by_table { said.and_then(|said| said.patient) } else { own };
        Item { label: said.map_or(0, |said| said.label), group, part: said.and_then(|said| said.part), path }
    };
    seen.iter().map(one).collect()
}

/// What makes levels of values: where it is neither said nor in a file, by the values of all such files.
fn levels(seen: &[Seen], view: View, ask: &Ask<'_>) -> Result<Levels> {
    let deep = seen.iter().any(|one| one.header.bits > 8);
    let levels = Levels { given: None, found: [0.0, 1.0], white: if deep { u16::MAX } else { 255 } };
    if let Range::Between(black, white) = ask.wanted.range {
        return Ok(Levels { given: Some([black, white]), ..levels });
    }
    let without: Vec<&Seen> = seen.iter().filter(|one| windowless(&one.header)).collect();
    ask.progress.begin(without.len());
    let of = |one: &&Seen| {
        ask.progress.step()?;
        // A file that cannot be read says so when its picture is wanted.
        let stored = Frames::of_file(&one.path).and_then(|mut file| file.stored(view.place(file.header.frames)?));
        Ok::<_, Error>(stored.ok().and_then(|stored| extremes(&stored, &one.header)))
    };
    let all: Vec<_> = without.par_iter().map(of).collect::<Result<_>>()?;
    let found = all.into_iter().flatten().reduce(|[a, b], [c, d]| [a.min(c), b.max(d)]);
    Ok(Levels { found: found.unwrap_or(levels.found), ..levels })
}

/// Whether a file says of grey values neither which are black nor which are white.
fn windowless(header: &Header) -> bool {
    header.window.is_none() && header.colours != Colours::Rgb
}

/// Which values are black and white, in a line.
fn range(seen: &[Seen], levels: &Levels) -> String {
    let bits: BTreeSet<u32> = seen.iter().map(|one| one.header.bits).collect();
    let bits = match (bits.first(), bits.last()) {
        (Some(least), Some(most)) if least != most => format!("{least}- to {most}-bit"),
        (Some(bits), _) => format!("{bits}-bit"),
        _ => return String::new(),
    };
    let from_to = |[black, white]: [f64; 2]| {
        let short = |value: f64| (100.0 * value).round() / 100.0;
        format!("{}–{}", short(black), short(white))
    };
    if let Some(given) = levels.given {
        return format!("{bits}, {} as wanted: black to white", from_to(given));
    }
    let windows: Vec<_> = seen.iter().filter_map(|one| one.header.window).collect();
    let without = seen.iter().filter(|one| windowless(&one.header)).count();
    let values = from_to(levels.found);
    match (windows.first(), without) {
        (None, 0) => format!("{bits} colours, whole"),
        (None, _) => {
            format!("{bits}, no window: {values}, the least and the largest value of all files, are black and white")
        }
        (Some(first), 0) if windows.iter().all(|window| window == first) => {
            format!("{bits}, window {}: black to white", from_to(first.ends()))
        }
        (Some(_), 0) => format!("{bits}, black to white by the first window of each file"),
        (Some(_), 1) => format!("{bits}, black to white by the first window of each file, of one without it {values}"),
        (Some(_), _) => {
            format!("{bits}, black to white by the first window of each file, of {without} without it {values}")
        }
    }
}

/// What was made of the files, a sentence each.
fn notes(seen: &[Seen], view: View, unlabelled: bool) -> Vec<String> {
    let count = |which: &dyn Fn(&Header) -> bool| seen.iter().filter(|one| which(&one.header)).count();
    let files = |count: usize| if count == 1 { "1 file".to_owned() } else { format!("{count} files") };
    let mut all = Vec::new();
    let several = count(&|header| header.frames > 1);
    if several > 0 {
        let which = match view {
            View::Middle => "the middle one is taken; data.view = \"frame:1\" takes the first".to_owned(),
            View::Frame(number) => format!("frame {number} is taken"),
        };
        all.push(format!("Of {} with several frames {which}.", files(several)));
    }
    let inverted = count(&|header| header.colours == Colours::WhiteFirst);
    if inverted > 0 {
        all.push(format!("The lowest value is white in {} (MONOCHROME1): turned round.", files(inverted)));
    }
    if unlabelled {
        let how = "folders named by the classes, or a CSV file beside the images with the columns path and label";
        all.push(format!("There are no labels, so nothing can be learned; they come from {how}."));
    }
    all
}

/// What the pixels of a file are as they are stored, before rescale and window: of all frames.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// The least value.
    pub min: i32,
    /// The largest value.
    pub max: i32,
    /// The sum of all values.
    pub sum: i64,
    /// The first values of the first row, at most four.
    pub first_row: Vec<i32>,
    /// How the file is written, as the standard calls it.
    pub transfer_syntax: &'static str,
}

/// Reads the stored values of a file, to be compared with what others read.
///
/// # Errors
/// Returns an error if the file is damaged, beyond the limits or of a form that is not read; it ends with the path.
pub fn stored(path: &Path) -> Result<Stored> {
    let read = || {
        let mut file = Frames::of_file(path)?;
        let header = file.header;
        let transfer_syntax = file.syntax.name;
        let mut all = Stored { min: i32::MAX, max: i32::MIN, sum: 0, first_row: Vec::new(), transfer_syntax };
        for frame in 0..header.frames {
            let values = file.stored(frame)?;
            if frame == 0 {
                all.first_row = values[..header.sides[1].min(4)].to_vec();
            }
            all.min = values.iter().copied().fold(all.min, i32::min);
            all.max = values.iter().copied().fold(all.max, i32::max);
            all.sum += values.into_iter().map(i64::from).sum::<i64>();
        }
        Ok(all)
    };
    read().map_err(|problem: String| about_path(&format!("this DICOM file {problem}"), path))
}

#[cfg(test)]
pub(super) mod tests;

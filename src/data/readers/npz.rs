//! `.npz`, a zip of NumPy arrays: images and labels as MedMNIST has them, `{train,val,test}_images` and
//! `{train,val,test}_labels`, or Keras, `x_{train,test}` and `y_{train,test}`, or all together, `images` and `labels`.
//! They are found by name, since their order varies, in a folder of the archive too.
//!
//! Images are N × H × W, N × H × W × 3 or N × 3 × H × W, in C or Fortran order, of whole numbers of any width or of
//! floats: see `data::range`. Of volumes, N × D × H × W, one plane is the picture. Labels are N or
//! N × 1, or N × K: one-hot, or several of which one is learned.
//!
//! Which images are of one patient may stand beside them: `{train,val,test}_patients`, or `…_films` numbered as those of
//! MIAS, or `…_groups` where it is not patients that images have in common; integers or texts, one an image, the same for
//! the same patient in all parts.

mod header;
mod images;
mod labels;
mod members;
mod patients;
#[cfg(test)]
mod tests;
mod views;

use std::fs::File;
use std::io::{BufReader, Read, Seek};
use std::path::Path;
use std::sync::Arc;

use zip::CompressionMethod;

pub(in crate::data) use self::header::Header;
use self::labels::{Labels, classes};
use self::members::{Members, Names, PARTS, Pair};
use self::patients::{KINDS, group_ids};
use crate::data::array::Pixels;
use crate::data::disk::{Place, large};
use crate::data::range::{Scale, Seen, found};
use crate::data::reader::{Contents, Findings, Kind, Parts, Sniff, has_ending};
use crate::data::watched::{Watched, unless_stopped};
use crate::data::{Ask, Groups, Images, Numbering, Source, Wanted, about_path, grouped};
use crate::error::{Error, Result};

/// Its card.
pub static KIND: Kind = Kind {
    id: "npz",
    title: "an .npz file",
    about: "a MedMNIST or Keras .npz file",
    endings: &["npz"],
    sniff: |path| match path {
        _ if has_ending(path, "npz") => Sniff::Yes(path.to_owned()),
        _ if is_zip(path) => Sniff::Perhaps,
        _ => Sniff::No,
    },
    read: |path, ask| read_file(path, ask, large()?),
};

/// Whether a file begins as zip files do.
fn is_zip(path: &Path) -> bool {
    let mut start = [0; 2];
    path.is_file() && File::open(path).and_then(|mut file| file.read_exact(&mut start)).is_ok() && start == *b"PK"
}

/// Reads a file. Arrays of so many bytes as are `large` stay in the file where they are not packed; much larger ones that
/// are packed are unpacked onto the disk.
fn read_file(path: &Path, ask: &Ask<'_>, large: u64) -> Result<Contents> {
    let file = File::open(path).map_err(Error::opening("open the .npz file", path))?;
    let file = BufReader::new(Watched::new(file, ask.progress));
    let contents = read(file, ask.wanted, Some(Place { path, start: 0, large, packed: false }));
    unless_stopped(contents, ask.progress, |problem| about_path(problem, path))
}

/// Reads the images as they are wanted; they may stay at `place`, the file's beginning. The problem is told with the entry,
/// without a path.
pub(in crate::data) fn read(
    file: impl Read + Seek,
    wanted: &Wanted,
    place: Option<Place<'_>>,
) -> Result<Contents, String> {
    let mut members = Members::open(file)?;
    let mut findings = Findings::default();
    if !members.others.is_empty() {
        let others = members.others.join(", ");
        findings
            .notes
            .push(format!("The file holds several sets: that in {} is read, not {others}.", members.folder()));
    }
    let parts: Vec<(&str, Pair)> = match members.names {
        Names::Whole(pair) => vec![("", pair)],
        Names::Parted([train, validation, test]) => {
            let chosen_by = validation.iter().any(|name| members.has(name));
            let all = [Some(train), chosen_by.then_some(validation), Some(test)];
            PARTS.into_iter().zip(all).filter_map(|(part, pair)| Some((part, pair?))).collect()
        }
    };
    // Before any of them is read, which may take long.
    parts.iter().flat_map(|(_, pair)| pair).try_for_each(|array| members.expect(array))?;
    let view = cut_already(&members, parts[0].0, &wanted.view, &mut findings);
    let mut pixels = Vec::new();
    for (_, [images, _]) in &parts {
        let (found, note) = members.read(images, |member| {
            let start = member.data_start();
            let packed = start.is_none() || member.compression() != CompressionMethod::Stored;
            let start = start.unwrap_or_default();
            images::images(member, view, place.map(|place| Place { start, packed, ..place }))
        })?;
        findings.notes.extend(note.filter(|note| !findings.notes.contains(note)));
        pixels.push(found);
    }
    let mut labels = Vec::new();
    for (_, [_, array]) in &parts {
        labels.push((format!("{array}.npy"), members.read(array, |member| Labels::read(member))?));
    }
    let labels = classes(&labels, &wanted.labels, &mut findings)?;
    let groups = groups(&mut members, &parts.iter().map(|(part, _)| *part).collect::<Vec<_>>(), &mut findings)?;
    let scale = one_scale(&parts, &pixels, wanted, &mut findings)?;
    let mut sources = Vec::new();
    for ((pixels, labels), groups) in pixels.into_iter().zip(labels).zip(groups) {
        let images = pixels.labelled(labels, scale);
        sources.push(match groups {
            Some(groups) => grouped(images, groups),
            None => images,
        });
    }
    Ok(Contents { parts: parted(sources), classes: None, findings })
}

/// How the values of all parts become pixels.
fn one_scale(
    parts: &[(&str, Pair)],
    pixels: &[Pixels],
    wanted: &Wanted,
    findings: &mut Findings,
) -> Result<Scale, String> {
    let seen = pixels.iter().map(|pixels| pixels.seen);
    let Some((first, all)) = pixels.first().map(|pixels| pixels.seen.number()).zip(seen.clone().reduce(Seen::and))
    else {
        return Ok(Scale::BYTES);
    };
    let scale = found(all, wanted.range, findings);
    let other = seen.map(Seen::number).position(|number| !number.like(first));
    // Bytes are bytes in any dress.
    if let Some(other) = other.filter(|_| scale != Scale::BYTES) {
        let [one, two] = [0, other].map(|i| (parts[i].1[0], pixels[i].seen.number()));
        return Err(format!(
            "{}.npy and {}.npy hold values of different types, {} and {}: store all of them alike",
            one.0, two.0, one.1, two.1
        ));
    }
    Ok(scale)
}

/// The groups of the images of each part; none where no array says so.
/// The name of an array of a part.
fn array(part: &str, word: &str) -> String {
    if part.is_empty() { word.to_owned() } else { format!("{part}_{word}") }
}

/// What MIAS's films may have been cut to.
const CUT: [&str; 2] = ["patch", "film"];

/// The plane that is wanted of volumes. MIAS's films by their numbers are patches or whole films already: there is nothing left
/// to choose.
fn cut_already<'a, R: Read + Seek>(
    members: &Members<R>,
    part: &str,
    view: &'a str,
    findings: &mut Findings,
) -> &'a str {
    if !members.has(&array(part, "films")) || !CUT.contains(&view) {
        return view;
    }
    findings.notes.push(format!("data.view = \"{view}\" changes nothing: the images are taken as the file has them."));
    ""
}

fn groups<R: Read + Seek>(
    members: &mut Members<R>,
    parts: &[&str],
    findings: &mut Findings,
) -> Result<Vec<Option<Groups>>, String> {
    let Some(kind) = KINDS.iter().find(|kind| parts.iter().any(|part| members.has(&array(part, kind.word)))) else {
        return Ok(parts.iter().map(|_| None).collect());
    };
    findings.notes.extend(kind.note.map(str::to_owned));
    let mut ids = Numbering::default();
    let mut all = Vec::new();
    for part in parts {
        let found = members.read(&array(part, kind.word), |member| group_ids(member, kind))?;
        let numbers = found.into_iter().map(|id| ids.number(id)).collect();
        all.push(Some(Groups { numbers, noun: kind.noun }));
    }
    Ok(all)
}

fn parted(mut sources: Vec<Arc<dyn Source>>) -> Parts {
    let test = sources.pop();
    let validation = if sources.len() > 1 { sources.pop() } else { None };
    let none = |shape| Images::none(shape).into();
    match (sources.pop(), test) {
        (Some(train), Some(test)) => {
            Parts::Given([train.clone(), validation.unwrap_or_else(|| none(train.shape())), test])
        }
        (_, whole) => Parts::Whole(whole.unwrap_or_else(|| none([1, 1, 1]))),
    }
}

//! A set of pictures that each stand in a file of their own: decoded side by side, brought to one shape, and those that
//! cannot be read left out and listed. Readers of folders say which pictures there are, and decode one.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use rayon::prelude::*;

use super::reader::{Contents, Findings, Parts, Skipped};
use super::shaped::{fitted, wanted_shape};
use super::source::BYTE_WHITE;
use super::{Ask, Channels, DeepImages, Groups, Images, Noun, Range, Source, grouped};
use crate::error::{Error, Result};

/// What is known of a picture before it is decoded.
#[derive(Clone, Debug)]
pub struct Item {
    /// Its file, to be named where it cannot be read.
    pub path: PathBuf,
    /// Its class.
    pub label: u32,
    /// The number of its group, such as its patient's; none where that is not known.
    pub group: Option<u32>,
    /// 0 for training, 1 for validation, 2 for testing; none where nobody says.
    pub part: Option<usize>,
}

/// Pictures that are to be a set.
#[derive(Debug)]
pub struct Listing {
    /// The pictures.
    pub items: Vec<Item>,
    /// Names of the classes; none where labels are numbers already.
    pub classes: Option<Vec<String>>,
    /// What a group is.
    pub noun: Noun,
    /// What was found while they were listed.
    pub findings: Findings,
}

/// A decoded picture.
#[derive(Clone, Debug, PartialEq)]
pub struct Picture {
    /// Channels (1 or 3), height, width.
    pub shape: [usize; 3],
    /// Each channel by itself, row by row.
    pub pixels: Vec<u16>,
    /// The value that is white: 255 for bytes, 4,095 for 12 bits, 65,535 for 16.
    pub white: u16,
}

/// Decodes all pictures of a listing with `decode`, which is handed a place in it, and makes them a set: as large as is
/// wanted, or as most of them are.
///
/// # Errors
/// Returns an error if no picture is left, or [`Error::Stopped`]. Pictures that `decode` refuses are listed as skipped.
pub fn gather(
    listing: Listing,
    decode: impl Fn(usize) -> Result<Picture, String> + Sync,
    ask: &Ask<'_>,
) -> Result<Contents> {
    let Listing { items, classes, noun, mut findings } = listing;
    ask.progress.begin(items.len());
    let one = |i| {
        ask.progress.step()?;
        Ok::<_, Error>(decode(i).map_err(|why| Skipped { path: items[i].path.clone(), why }))
    };
    let all: Vec<Result<Picture, Skipped>> = (0..items.len()).into_par_iter().map(one).collect::<Result<_>>()?;
    let mut kept = Vec::new();
    for (item, picture) in items.iter().zip(all) {
        match picture {
            Ok(picture) => kept.push((item, picture)),
            Err(skipped) => findings.skipped.push(skipped),
        }
    }
    if kept.is_empty() {
        let why =
            findings.skipped.first().map_or_else(String::new, |one| format!("; {}: {}", one.path.display(), one.why));
        return Err(Error::input(format!("no picture can be read{why}")));
    }
    let shape = common_shape(kept.iter().map(|(_, picture)| picture.shape), ask, &mut findings);
    let white = common_white(kept.iter().map(|(_, picture)| picture.white), ask.wanted.range, &mut findings);
    let items: Vec<&Item> = kept.iter().map(|(item, _)| *item).collect();
    let pixels: Vec<Vec<u16>> = kept.par_iter().map(|(_, picture)| brought(picture, shape, white)).collect();
    let parts = parts(&items, &pixels, shape, white, noun);
    Ok(Contents { parts, classes, findings })
}

/// The shape that all are brought to, and a sentence where not all have it.
fn common_shape(all: impl Iterator<Item = [usize; 3]>, ask: &Ask<'_>, findings: &mut Findings) -> [usize; 3] {
    let mut counts = BTreeMap::<[usize; 2], usize>::new();
    let mut colour = false;
    for [c, h, w] in all {
        *counts.entry([h, w]).or_default() += 1;
        colour |= c == 3;
    }
    let most = counts.iter().max_by_key(|(_, count)| **count).map_or([1, 1], |(sides, _)| *sides);
    let own = if colour && ask.wanted.channels == Channels::Own { 3 } else { 1 };
    let shape = wanted_shape([own, most[0], most[1]], ask.wanted);
    if counts.len() > 1 || shape[1..] != most {
        let sizes = if counts.len() == 1 { String::new() } else { format!(" of {} sizes", counts.len()) };
        let say = format!("Pictures{sizes} are scaled to {} × {}, each whole on a black ground.", shape[1], shape[2]);
        findings.notes.push(say);
    }
    shape
}

/// The white that all are brought to.
fn common_white(all: impl Iterator<Item = u16>, range: Range, findings: &mut Findings) -> u16 {
    let _ = range;
    let whites: std::collections::BTreeSet<u16> = all.collect();
    let white = if whites.len() == 1 { whites.first().copied().unwrap_or(255) } else { u16::MAX };
    if findings.range.is_empty() {
        let bits = if u32::from(white) > BYTE_WHITE { 16 } else { 8 };
        findings.range = format!("{bits}-bit, 0–{white}: scaled by {white}");
    }
    white
}

/// A picture's pixels in the common shape, `white` the value of white.
fn brought(picture: &Picture, shape: [usize; 3], white: u16) -> Vec<u16> {
    if picture.shape == shape && picture.white == white {
        return picture.pixels.clone();
    }
    let values: Vec<f32> = picture.pixels.iter().map(|pixel| f32::from(*pixel) / f32::from(picture.white)).collect();
    let values = fitted(&values, picture.shape, shape);
    values.into_iter().map(|value| (value * f32::from(white)).round() as u16).collect()
}

fn parts(items: &[&Item], pixels: &[Vec<u16>], shape: [usize; 3], white: u16, noun: Noun) -> Parts {
    let of = |members: &[usize]| {
        let pixels = members.iter().flat_map(|i| pixels[*i].iter().copied());
        let labels = members.iter().map(|i| items[*i].label).collect();
        let source: Arc<dyn Source> = if u32::from(white) == BYTE_WHITE {
            Images { shape, pixels: pixels.map(|pixel| pixel as u8).collect(), labels }.into()
        } else {
            DeepImages { shape, pixels: pixels.collect(), white, labels }.into()
        };
        let numbers: Option<Arc<[u32]>> = members.iter().map(|i| items[*i].group).collect();
        match numbers {
            Some(numbers) if items.iter().any(|item| item.group.is_some()) => grouped(source, Groups { numbers, noun }),
            _ => source,
        }
    };
    let everywhere = items.iter().all(|item| item.part.is_some());
    let has = |part| items.iter().any(|item| item.part == Some(part));
    if everywhere && has(0) && has(2) {
        let members = |part| (0..items.len()).filter(|i| items[*i].part == Some(part)).collect::<Vec<_>>();
        Parts::Given([0, 1, 2].map(|part| of(&members(part))))
    } else {
        Parts::Whole(of(&(0..items.len()).collect::<Vec<_>>()))
    }
}

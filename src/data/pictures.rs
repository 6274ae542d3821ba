//! A set of pictures that each stand in a file of their own: decoded side by side, brought to one shape, and those that
//! cannot be read left out and listed. Readers of folders say which pictures there are, and decode one.
//!
//! There are two passes. The first looks at heads alone, and what all are brought to is agreed on; the second decodes,
//! some pictures at a time, in order. So memory holds a few pictures however many there are: a large set goes into a file
//! of the `store`, image after image, and stays there. A set that is known by its files is found there again.

mod agreed;
mod decoded;
mod spool;
mod store;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rayon::prelude::*;

use self::agreed::{Agreed, common_shape, common_white, range_of};
pub(super) use self::decoded::Decoded;
use self::spool::decode_all;
use self::store::Key;
pub(super) use self::store::{Saving, Store};
use super::array::Pixels;
use super::deep::white_of;
use super::disk::large;
use super::joined::joined;
use super::layout::{Layout, Pixel};
use super::range::{self, Scale};
use super::reader::{Contents, Findings, Parts, Skipped};
use super::{Ask, Groups, Images, MAX_IMAGES, Noun, Numbering, Part, Range, Source, grouped};
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
    /// The value that is white: 255 for bytes, 4,095 for 12 bits, 65,535 for 16. Of the last, the largest pixel of the set
    /// tells how many bits are in use.
    pub white: u16,
}

/// What is known of a picture without its pixels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// Channels (1 or 3), height, width.
    pub shape: [usize; 3],
    /// The value that is white, as a [`Picture`] has it.
    pub white: u16,
    /// What is done to it that is to be said, each the beginning of a sentence that goes on with the number of pictures.
    pub said: Vec<&'static str>,
}

/// How the pictures of a listing are decoded, each by its place there. A function that makes a [`Picture`] of a place is
/// one.
pub trait Decode: Sync {
    /// Decodes a picture.
    ///
    /// # Errors
    /// Tells the problem without a path; the picture is left out.
    fn picture(&self, i: usize) -> Result<Picture, String>;

    /// Tells what is known of a picture before it is decoded. Whoever can do so without decoding it, should.
    ///
    /// # Errors
    /// Tells the problem without a path; the picture is left out.
    fn head(&self, i: usize) -> Result<Head, String> {
        self.picture(i).map(|picture| Head { shape: picture.shape, white: picture.white, said: Vec::new() })
    }

    /// A name of what decides how pictures come out, beside their files and what is wanted of size, channels, range and
    /// view. Decoded pictures are kept for the next time under it; without one they are not.
    fn known_as(&self) -> Option<&str> {
        None
    }
}

impl<F: Fn(usize) -> Result<Picture, String> + Sync> Decode for F {
    fn picture(&self, i: usize) -> Result<Picture, String> {
        self(i)
    }
}

/// Decodes all pictures of a listing and makes them a set: as large as is wanted, or as they are, or where they differ as
/// most models take them. Many stay on disk.
///
/// # Errors
/// Returns an error if no picture is left, if there is no room for them, or [`Error::Stopped`]. Pictures that `decode`
/// refuses are listed as skipped.
#[expect(clippy::needless_pass_by_value, reason = "a function is written where it is handed over")]
pub fn gather(listing: Listing, decode: impl Decode, ask: &Ask<'_>) -> Result<Contents> {
    gather_with(listing, &decode, ask, &Store::usual()?, large()?)
}

/// The same with a store and a size from which pictures stay on disk.
fn gather_with(listing: Listing, decode: &dyn Decode, ask: &Ask<'_>, store: &Store, large: u64) -> Result<Contents> {
    let Listing { items, classes, noun, mut findings } = listing;
    if items.len() as u64 > MAX_IMAGES {
        return Err(Error::input(format!("there are {} pictures; at most {MAX_IMAGES} are read", items.len())));
    }
    let paths: Vec<&Path> = items.iter().map(|item| item.path.as_path()).collect();
    let key = decode.known_as().and_then(|name| Key::of(name, ask.wanted, &paths));
    let kept = key.as_ref().and_then(|key| store.found(key, large, ask.progress).transpose()).transpose()?;
    let (decoded, pixels) = match kept {
        Some(kept) => kept,
        None => anew(&paths, decode, ask, store, key.as_ref(), large)?,
    };
    findings.notes.extend(decoded.notes);
    let skipped = |(i, why): (u32, String)| Skipped { path: items[i as usize].path.clone(), why };
    findings.skipped.extend(decoded.skipped.into_iter().map(skipped));
    let scale = scale((decoded.white, decoded.largest), &pixels, ask.wanted.range, &mut findings);
    let items: Vec<&Item> = decoded.kept.iter().map(|i| &items[*i as usize]).collect();
    let source = pixels.labelled(items.iter().map(|item| item.label).collect(), scale);
    Ok(Contents { parts: parts(&items, source, noun, &mut findings), classes, findings })
}

/// Decodes what no store has.
fn anew(
    paths: &[&Path],
    decode: &dyn Decode,
    ask: &Ask<'_>,
    store: &Store,
    key: Option<&Key>,
    large: u64,
) -> Result<(Decoded, Pixels)> {
    ask.progress.begin(paths.len());
    let head = |i| {
        ask.progress.step()?;
        Ok::<_, Error>(decode.head(i))
    };
    let heads: Vec<Result<Head, String>> = (0..paths.len()).into_par_iter().map(head).collect::<Result<_>>()?;
    let (mut known, mut skipped) = (Vec::new(), Vec::new());
    for (i, head) in heads.into_iter().enumerate() {
        match head {
            Ok(head) => known.push((i as u32, head)),
            Err(why) => skipped.push((i as u32, why)),
        }
    }
    let none = |skipped: &[(u32, String)]| {
        let first = skipped.first().map_or_else(String::new, |(i, why)| {
            let others = if skipped.len() == 1 {
                String::new()
            } else {
                format!("; so or otherwise {} more", skipped.len() - 1)
            };
            format!(": the first {why}{others}: {}", paths[*i as usize].display())
        });
        Error::input(format!("no picture can be read{first}"))
    };
    if known.is_empty() {
        return Err(none(&skipped));
    }
    let mut notes = Vec::new();
    let shape = common_shape(&known, ask.wanted, &mut notes);
    let agreed = Agreed { shape, ..common_white(&known, ask, decode)? };
    let places: Vec<u32> = known.iter().map(|(i, _)| *i).collect();
    drop(known);
    let found = Decoded { white: agreed.white, shape, notes, skipped, ..Decoded::default() };
    let (decoded, pixels) = decode_all(&places, decode, ask.progress, (agreed, found), (store, key), large)?;
    if decoded.kept.is_empty() {
        return Err(none(&decoded.skipped));
    }
    Ok((decoded, pixels))
}

/// How the pixels of pictures become values, whose white is this: bytes are looked at as those of arrays are, and of 16 bits
/// the largest pixel tells how many are in use.
fn scale((white, largest): (u16, Option<u16>), pixels: &Pixels, wanted: Range, findings: &mut Findings) -> Scale {
    let said = std::mem::take(&mut findings.range);
    let scale = match wanted {
        Range::Auto if white == 255 => range::found(pixels.seen, wanted, findings),
        Range::Auto if white == u16::MAX => Scale::to(white_of(largest.unwrap_or_default())),
        _ => Scale::to(white),
    };
    // What the reader said of its own files is the more exact.
    if !said.is_empty() {
        findings.range = said;
    } else if findings.range.is_empty() {
        findings.range = range_of(white, largest, wanted);
    }
    scale
}

/// How the images of a shape and a white stand in memory and on disk.
fn layout(shape: [usize; 3], white: u16) -> Layout {
    Layout::plain(shape, if white > 255 { Pixel::Little16 } else { Pixel::Byte })
}

/// The parts of a set, where every picture has one; groups are numbered as the parts have them.
fn parts(items: &[&Item], source: Arc<dyn Source>, noun: Noun, findings: &mut Findings) -> Parts {
    let of_part = |part: usize| (0..items.len()).filter(move |i| items[*i].part == Some(part));
    let given =
        items.iter().all(|item| item.part.is_some()) && [0, 2].into_iter().all(|part| of_part(part).next().is_some());
    if !given && items.iter().any(|item| item.part.is_some()) {
        let say = "Parts are drawn from all pictures: it is not said of every one which part it is of, or training or test \
                   pictures are lacking.";
        findings.notes.push(say.to_owned());
    }
    let members: [Vec<usize>; 3] = if given {
        [0, 1, 2].map(|part| of_part(part).collect())
    } else {
        [(0..items.len()).collect(), Vec::new(), Vec::new()]
    };
    let mut numbering = Numbering::default();
    let mut numbers = vec![0; items.len()];
    for i in members.iter().flatten() {
        // By first appearance in the set, whatever was left out.
        numbers[*i] = items[*i].group.map_or(0, |group| numbering.number(group));
    }
    let known = items.iter().all(|item| item.group.is_some());
    let source = if known { grouped(source, Groups { numbers: numbers.into(), noun }) } else { source };
    if !given {
        return Parts::Whole(source);
    }
    let shape = source.shape();
    let all = Part::all(source);
    Parts::Given(
        members.map(
            |members| {
                if members.is_empty() { Images::none(shape).into() } else { joined(&[&all.select(&members)]) }
            },
        ),
    )
}

#[cfg(test)]
mod tests;

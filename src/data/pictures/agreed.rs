//! What all pictures of a set are brought to: one size, one number of channels, one white.

use std::collections::{BTreeMap, BTreeSet};

use rayon::prelude::*;

use super::{Decode, Head, Picture};
use crate::data::deep::white_of;
use crate::data::shaped::{fitted, wanted_shape};
use crate::data::{Ask, Channels, MAX_SIDE, Range, Wanted};
use crate::error::{Error, Result};

/// Sides that models take.
const USUAL: [usize; 6] = [28, 32, 64, 96, 128, 224];

/// What pictures are brought to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Agreed {
    /// Channels, height, width.
    pub shape: [usize; 3],
    /// The value of white.
    pub white: u16,
    /// The values that are black and white, where somebody says so.
    pub range: Option<(f64, f64)>,
    /// What is white in a picture of 16 bits.
    pub deep: u16,
}

impl Agreed {
    /// The bytes of a picture, as a [`layout`](super::layout) of shape and white has them.
    pub fn bytes(&self, picture: &Picture) -> Vec<u8> {
        let own = if picture.white == u16::MAX { self.deep } else { picture.white };
        if picture.shape == self.shape && own == self.white && self.range.is_none() {
            return self.stored(picture.pixels.iter().map(|pixel| (*pixel).min(self.white)));
        }
        let (black, white) = self.range.unwrap_or((0.0, own.into()));
        let value = |pixel: &u16| ((f64::from(*pixel) - black) / (white - black)).clamp(0.0, 1.0) as f32;
        let values: Vec<f32> = picture.pixels.iter().map(value).collect();
        let values = fitted(&values, picture.shape, self.shape);
        self.stored(values.into_iter().map(|value| (value * f32::from(self.white)).round() as u16))
    }

    /// The largest of a picture's pixels, where they keep their values and what is white is still to be found; what is
    /// white otherwise, and nothing of bytes.
    pub fn largest(&self, picture: &Picture) -> Option<u16> {
        let found = self.range.is_none() && self.deep == u16::MAX;
        let largest = if found { picture.pixels.iter().copied().max() } else { Some(self.white) };
        largest.filter(|_| self.white > 255)
    }

    fn stored(&self, pixels: impl Iterator<Item = u16>) -> Vec<u8> {
        if self.white > 255 {
            pixels.flat_map(u16::to_le_bytes).collect()
        } else {
            pixels.map(|pixel| pixel as u8).collect()
        }
    }
}

/// The shape that all are brought to, and sentences that say so where not all have it.
pub(super) fn common_shape(all: &[(u32, Head)], wanted: &Wanted, notes: &mut Vec<String>) -> [usize; 3] {
    let mut sizes = BTreeMap::<[usize; 2], usize>::new();
    let mut said = BTreeMap::<&str, usize>::new();
    let mut coloured = 0;
    for (_, Head { shape: [c, h, w], said: of_one, .. }) in all {
        *sizes.entry([*h, *w]).or_default() += 1;
        coloured += usize::from(*c == 3);
        for what in of_one {
            *said.entry(what).or_default() += 1;
        }
    }
    let same = sizes
        .first_key_value()
        .map(|(size, _)| *size)
        .filter(|size| sizes.len() == 1 && size.iter().all(|side| *side as u64 <= MAX_SIDE));
    let [h, w] = same.unwrap_or_else(|| [nearest(median(&sizes)); 2]);
    let channels = if coloured > 0 { 3 } else { 1 };
    let shape = wanted_shape([channels, h, w], wanted);
    let all_of = |count: usize| {
        if count == all.len() { "all pictures".to_owned() } else { format!("{count} of {} pictures", all.len()) }
    };
    if same != Some([shape[1], shape[2]]) {
        let from = match (sizes.first_key_value(), sizes.len()) {
            (Some(([h, w], _)), 1) => format!("Pictures of {h} × {w} pixels"),
            (_, count) => format!("Pictures of {count} sizes"),
        };
        notes.push(format!("{from} are scaled to {} × {} pixels, each whole on a black ground.", shape[1], shape[2]));
    }
    if shape[0] == 3 && coloured < all.len() {
        let more = if wanted.channels == Channels::Own { ", since others are in colour" } else { "" };
        notes.push(format!(
            "Grey pictures are given three channels that are the same{more} ({}).",
            all_of(all.len() - coloured)
        ));
    } else if shape[0] == 1 && coloured > 0 {
        notes.push(format!("Colours are made grey ({}).", all_of(coloured)));
    }
    notes.extend(said.into_iter().map(|(what, count)| format!("{what} ({}).", all_of(count))));
    shape
}

/// The side, the longer one of a picture, that half of the pictures do not exceed.
fn median(sizes: &BTreeMap<[usize; 2], usize>) -> usize {
    let mut sides: Vec<(usize, usize)> = sizes.iter().map(|([h, w], count)| (*h.max(w), *count)).collect();
    sides.sort_unstable();
    let (all, mut before) = (sides.iter().map(|(_, count)| count).sum::<usize>(), 0);
    let middle = sides.iter().find(|(_, count)| {
        before += count;
        2 * before >= all
    });
    middle.map_or(0, |(side, _)| *side)
}

fn nearest(side: usize) -> usize {
    USUAL.into_iter().min_by_key(|usual| usual.abs_diff(side)).unwrap_or(USUAL[0])
}

/// The white that all are brought to; the shape is still to come.
///
/// Where all have one white, pixels keep their values, and if that is of 16 bits, how many of them are in use is found
/// when all are decoded. Where whites differ that must be known before, and the pictures of 16 bits are decoded for it.
pub(super) fn common_white(all: &[(u32, Head)], ask: &Ask<'_>, decode: &dyn Decode) -> Result<Agreed> {
    let whites: BTreeSet<u16> = all.iter().map(|(_, head)| head.white).collect();
    let agreed = Agreed { shape: [0; 3], white: whites.first().copied().unwrap_or(255), range: None, deep: u16::MAX };
    if let Range::Between(black, white) = ask.wanted.range {
        let bytes = whites.iter().all(|white| *white <= 255) && (black, white) == (0.0, 255.0);
        // What is white may be a value that pixels have; they keep theirs then.
        let own = (black == 0.0 && white.fract() == 0.0 && (256.0..65536.0).contains(&white)).then_some(white as u16);
        let white_now = if bytes { 255 } else { own.unwrap_or(u16::MAX) };
        return Ok(Agreed { white: white_now, range: Some((black, white)), ..agreed });
    }
    if whites.len() < 2 {
        return Ok(agreed);
    }
    let deep: Vec<u32> = all.iter().filter(|(_, head)| head.white == u16::MAX).map(|(i, _)| *i).collect();
    ask.progress.begin(deep.len());
    let largest = |i: &u32| {
        ask.progress.step()?;
        // One that cannot be decoded is told of later.
        Ok::<_, Error>(decode.picture(*i as usize).map_or(0, |picture| picture.pixels.into_iter().max().unwrap_or(0)))
    };
    let largest = deep.par_iter().map(largest).try_reduce(|| 0, |a, b| Ok(a.max(b)))?;
    let deep = white_of(largest);
    let found: BTreeSet<u16> = whites.into_iter().map(|white| if white == u16::MAX { deep } else { white }).collect();
    let one = found.first().copied().filter(|_| found.len() == 1);
    Ok(Agreed { white: one.unwrap_or(u16::MAX), deep, ..agreed })
}

/// Which values are black and white, in one line.
pub(super) fn range_of(white: u16, largest: Option<u16>, range: Range) -> String {
    let bits = if white > 255 { 16 } else { 8 };
    match range {
        Range::Auto => {
            let white = if white == u16::MAX { white_of(largest.unwrap_or(white)) } else { white };
            format!("{bits}-bit, 0–{white}: scaled by {white}")
        }
        Range::Between(black, white) => format!("{bits}-bit, {black} is black and {white} is white, as was asked for"),
    }
}

//! What of the palette's entries matches what is typed.

use std::borrow::Cow;
use std::cmp::Reverse;

use nucleo_matcher::pattern::{CaseMatching, Normalization, Pattern};
use nucleo_matcher::{Config, Matcher, Utf32Str};

use super::entries::{COMMANDS, Entry, SETTINGS};

/// Things that are listed at most: nobody reads further.
pub const MOST: usize = 60;
/// Of each kind but commands where nothing is typed.
pub const FEW: usize = 5;
/// What all others are ahead of settings by: less than a letter's match.
const FAVOUR: u32 = 10;
/// What a letter of a text beside the words counts, about as much as one within a word.
const LETTER: u32 = 18;

/// An entry that matches.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    /// Its place among the entries.
    pub item: usize,
    /// Letters that match, by their place in the words.
    pub letters: Vec<u32>,
}

/// What matches, best first; among equals settings last, then the shorter one first. What matches far worse than the best
/// is left out. What is of one kind stands together, the kind of the best first.
pub fn found(items: &[Entry], query: &str) -> Vec<Found> {
    let query = query.trim();
    if query.is_empty() {
        return first_ones(items);
    }
    let pattern = Pattern::parse(query, CaseMatching::Ignore, Normalization::Smart);
    let (small, length) = (query.to_lowercase(), query.chars().count() as u32);
    let mut matcher = Matcher::new(Config::DEFAULT);
    let mut buffer = Vec::new();
    let mut all = Vec::new();
    for (item, Entry { group, words, before, key, text, .. }) in items.iter().enumerate() {
        let own = words.strip_prefix(before).unwrap_or(words);
        let whole = if key.is_empty() { Cow::Borrowed(own) } else { Cow::Owned(format!("{own} {key}")) };
        let mut letters = Vec::new();
        let score = pattern.indices(Utf32Str::new(&whole, &mut buffer), &mut matcher, &mut letters);
        let of_text = (!text.is_empty() && text.contains(&small)).then_some(LETTER * length);
        let Some(score) = score.max(of_text) else { continue };
        let (count, shift) = (words.chars().count(), (words.len() - own.len()) as u32);
        // Places in the words; what matches the key is not shown.
        letters = letters.into_iter().map(|at| at + shift).filter(|at| (*at as usize) < count).collect();
        let favour = if *group == SETTINGS { 0 } else { FAVOUR };
        all.push((score + favour, count, Found { item, letters }));
    }
    all.sort_by_key(|(score, length, _)| (Reverse(*score), *length));
    let least = all.first().map_or(0, |(best, ..)| best / 2);
    let best = all.into_iter().take_while(|(score, ..)| *score >= least).take(MOST).map(|(.., found)| found);
    let mut groups: Vec<(&str, Vec<Found>)> = Vec::new();
    for found in best {
        let group = items[found.item].group;
        match groups.iter_mut().find(|(its, _)| *its == group) {
            Some((_, list)) => list.push(found),
            None => groups.push((group, vec![found])),
        }
    }
    groups.into_iter().flat_map(|(_, list)| list).collect()
}

/// Where nothing is typed: commands, and the first few of every other kind.
pub fn first_ones(items: &[Entry]) -> Vec<Found> {
    let mut count = 0;
    let mut group = "";
    let mut first = Vec::new();
    for (item, entry) in items.iter().enumerate() {
        count = if std::mem::replace(&mut group, entry.group) == entry.group { count + 1 } else { 1 };
        if count <= if entry.group == COMMANDS { MOST } else { FEW } {
            first.push(Found { item, letters: Vec::new() });
        }
    }
    first
}

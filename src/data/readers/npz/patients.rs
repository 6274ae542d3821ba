//! Arrays that say which images belong together.

use std::io::Read;

use super::header::Header;
use crate::data::{MAX_IMAGES, Noun, read_payload};

/// Longest name of a group, in bytes.
const MAX_GROUP: usize = 256;

/// An array of groups: its name after that of the part, what a group is called, and how it is read.
pub(super) struct Kind {
    pub word: &'static str,
    pub noun: Noun,
    pub note: Option<&'static str>,
    read: fn(&Header, &[u8]) -> Result<Vec<u8>, String>,
}

/// The first that a file has counts.
pub(super) const KINDS: [Kind; 3] = [
    Kind { word: "patients", noun: Noun::PATIENT, note: None, read: id },
    Kind {
        word: "films",
        noun: Noun::PATIENT,
        note: Some("Films are numbered as MIAS does it: 2k − 1 and 2k are of one patient."),
        read: film,
    },
    Kind { word: "groups", noun: Noun::GROUP, note: None, read: id },
];

/// What an array says of which group each image is in: integers of any width, or texts, the same for the same group.
pub(super) fn group_ids(file: &mut dyn Read, kind: &Kind) -> Result<Vec<Vec<u8>>, String> {
    let header = Header::read(file)?;
    let ([count] | [count, 1]) = *header.shape else {
        return Err(format!("has the shape {:?}, not (N,) or (N, 1): one group an image", header.shape));
    };
    let bytes = match (header.kind, header.size) {
        ('u' | 'i', size @ (1 | 2 | 4 | 8)) => size,
        ('S', size) if (1..=MAX_GROUP).contains(&size) => size,
        // A letter takes four bytes.
        ('U', letters) if (1..=MAX_GROUP / 4).contains(&letters) => 4 * letters,
        _ => return Err(format!("holds elements of type {}, not integers or short texts", header.descr)),
    };
    if count > MAX_IMAGES {
        return Err(format!("declares the groups of {count} images; at most {MAX_IMAGES} are read"));
    }
    let all = read_payload(file, count * bytes as u64)?;
    all.chunks_exact(bytes).map(|one| (kind.read)(&header, one)).collect()
}

/// What tells a group from another, whatever type its array has.
#[expect(clippy::unnecessary_wraps, reason = "as every kind is read")]
fn id(header: &Header, bytes: &[u8]) -> Result<Vec<u8>, String> {
    if matches!(header.kind, 'u' | 'i') {
        return Ok(header.integer(bytes).to_le_bytes().to_vec());
    }
    // Texts end in zeros, so that in a wider array they are the same.
    Ok(bytes[..bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1)].to_vec())
}

/// The patient of a film of MIAS: left and right come in turn, from 1 on.
fn film(header: &Header, bytes: &[u8]) -> Result<Vec<u8>, String> {
    if !matches!(header.kind, 'u' | 'i') {
        return Err(format!("holds elements of type {}, not the numbers of films", header.descr));
    }
    match header.integer(bytes) {
        number @ 1.. => Ok(((number - 1) / 2).to_le_bytes().to_vec()),
        _ => Err("holds a film below 1; films are numbered from 1".to_owned()),
    }
}

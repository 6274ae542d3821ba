//! The second pass: decodes in order, some pictures at a time, into memory or a file.

use rayon::prelude::*;

use super::agreed::Agreed;
use super::decoded::Decoded;
use super::store::{Key, Saving, Store};
use super::{Decode, layout};
use crate::data::array::Pixels;
use crate::data::disk::MAX_BYTES_ON_DISK;
use crate::data::range::Seen;
use crate::data::{Progress, payload_bytes};
use crate::error::{Error, Result};

/// Most bytes of brought pictures that wait to be written.
const WAITING: usize = 32 << 20;

/// Decodes the pictures at `places` and adds what comes of it to what was `found`. So many bytes as are `large` stay on
/// disk; with a key they are kept in the store.
pub(super) fn decode_all(
    places: &[u32],
    decode: &dyn Decode,
    progress: &Progress,
    (agreed, found): (Agreed, Decoded),
    (store, key): (&Store, Option<&Key>),
    large: u64,
) -> Result<(Decoded, Pixels)> {
    let layout = layout(agreed.shape, agreed.white);
    let size = layout.size();
    let [c, h, w] = agreed.shape.map(|side| side as u64);
    let bytes = payload_bytes(places.len() as u64, [c * layout.pixel.bytes() as u64, h, w], MAX_BYTES_ON_DISK);
    let bytes = bytes.map_err(|problem| Error::input(format!("this set of pictures {problem}")))?;
    let mut saving = if bytes >= large.max(1) { Some(Saving::begin(store)?) } else { None };
    let (mut held, mut digests, mut decoded) = (Vec::new(), Vec::new(), found);
    let mut seen = Seen::nothing(layout.number());
    progress.begin(places.len());
    let one = |i: &u32| {
        progress.step()?;
        let brought = decode.picture(*i as usize).map(|picture| {
            let bytes = agreed.bytes(&picture);
            (*blake3::hash(&bytes).as_bytes(), layout.seen(&bytes), bytes, agreed.largest(&picture))
        });
        Ok::<_, Error>(brought)
    };
    for some in places.chunks((WAITING / size.max(1)).clamp(4, 4096)) {
        let all: Vec<_> = some.par_iter().map(one).collect::<Result<_>>()?;
        for (i, brought) in some.iter().zip(all) {
            match brought {
                Ok((digest, values, bytes, largest)) => {
                    seen = seen.and(values);
                    decoded.kept.push(*i);
                    decoded.largest = decoded.largest.max(largest);
                    digests.push(digest);
                    match &mut saving {
                        Some(saving) => saving.add(&bytes)?,
                        None => held.extend_from_slice(&bytes),
                    }
                }
                Err(why) => decoded.skipped.push((*i, why)),
            }
        }
    }
    decoded.skipped.sort_unstable();
    if decoded.kept.is_empty() {
        return Ok((decoded, Pixels::held(layout, held)));
    }
    if let Some(saving) = saving {
        let (file, path) = saving.end(&decoded, &digests, key)?;
        return Ok((decoded, Pixels::kept(file, path, layout, digests, seen)));
    }
    if let Some(key) = key {
        store.keep(key, &held, &decoded, &digests);
    }
    Ok((decoded, Pixels::held(layout, held)))
}

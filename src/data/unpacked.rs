//! Packed arrays that are too large for memory: they are unpacked once onto the disk, where decoded pictures go, into a file
//! that is gone when the set is closed.

use std::io::Read;

use super::MAX_BYTES;
use super::array::Pixels;
use super::disk::{Place, digests};
use super::layout::{Layout, Pixel};
use super::pictures::{Decoded, Saving, Store};

/// It takes disk, which arrays that stay where they are do not: only what is so many times as large as these is unpacked.
const WORTH: u64 = 32;

/// Reads an array of `count` images to its end, as [`Pixels::read`] does; a large one that is packed at its `place` is
/// unpacked onto the disk.
pub(super) fn read(
    file: &mut dyn Read,
    count: u64,
    layout: Layout,
    place: Option<Place<'_>>,
) -> Result<Pixels, String> {
    let Some(packed) = place.filter(|place| place.packed) else { return Pixels::read(file, count, layout, place) };
    // Bytes of more than that are not held.
    let large = packed.large.saturating_mul(WORTH).clamp(1, MAX_BYTES + 1);
    if count * (layout.size() as u64) < large {
        return Pixels::read(file, count, layout, None);
    }
    let failed = |error: crate::error::Error| format!("is too large for memory and has to be unpacked: {error}");
    let store = Store::usual().map_err(failed)?;
    let mut saving = Saving::begin(&store).map_err(failed)?;
    let (digests, seen) = digests(file, count, layout, &mut |image| saving.add(image).map_err(failed))?;
    let (file, path) = saving.end(&Decoded::default(), &digests, None).map_err(failed)?;
    let pixel = if layout.pixel == Pixel::Byte { Pixel::Byte } else { Pixel::Little16 };
    Ok(Pixels::kept(file, path, Layout::plain(layout.shape, pixel), digests, seen))
}

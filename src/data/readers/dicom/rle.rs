//! Runs of equal bytes (DICOM PS3.5 annex G): a header of 64 bytes, then a segment for each byte of a sample, the high one
//! first.

/// Number of words of the header: how many segments there are, and where up to 15 of them begin.
const WORDS: usize = 16;

/// Unpacks a frame into `segments` rows of `length` bytes each.
///
/// # Errors
/// Tells what is wrong with it.
pub fn unpacked(frame: &[u8], segments: usize, length: usize) -> Result<Vec<Vec<u8>>, String> {
    let header = frame.get(..4 * WORDS).ok_or("has a frame of RLE without its header of 64 bytes")?;
    let words: Vec<usize> = header.as_chunks().0.iter().map(|word| u32::from_le_bytes(*word) as usize).collect();
    if words[0] != segments || segments >= WORDS {
        return Err(format!("has a frame of RLE with {} segments, not {segments}", words[0]));
    }
    let one = |i: usize| {
        let end = if i + 1 < segments { words[i + 2] } else { frame.len() };
        let packed =
            frame.get(words[i + 1]..end).ok_or(format!("has no segment {} of RLE where it should be", i + 1))?;
        segment(packed, length).ok_or(format!("is cut short or damaged in segment {} of RLE", i + 1))
    };
    (0..segments).map(one).collect()
}

/// Unpacks a segment: none where it ends before there are `length` bytes.
fn segment(mut packed: &[u8], length: usize) -> Option<Vec<u8>> {
    // It grows with what there is: two bytes make 128 at most.
    let mut out = Vec::new();
    while out.len() < length {
        let (control, rest) = packed.split_first()?;
        packed = match *control {
            count @ 0..=127 => {
                let (literal, rest) = rest.split_at_checked(usize::from(count) + 1)?;
                out.extend_from_slice(literal);
                rest
            }
            128 => rest,
            count => {
                let (byte, rest) = rest.split_first()?;
                out.resize(out.len() + 257 - usize::from(count), *byte);
                rest
            }
        };
    }
    out.truncate(length);
    Some(out)
}

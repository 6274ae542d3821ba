//! Bytes that nobody meant, for tests of readers: of any kind, or a good file that came to harm.

use crate::random::Seed;

/// Input number `i`: one in four is random bytes, the others are `good` with bytes changed, cut out, doubled, or the end cut
/// off.
pub(super) fn wild(good: &[u8], i: u64) -> Vec<u8> {
    let mut draw = Seed(i).stream("wild", 0);
    if i.is_multiple_of(4) {
        let length = draw.below(400);
        // A known beginning takes them farther.
        let kept = draw.below(2) * draw.below(good.len().min(24) + 1);
        return good[..kept].iter().copied().chain((0..length).map(|_| draw.below(256) as u8)).collect();
    }
    let mut bytes = good.to_vec();
    for _ in 0..=draw.below(6) {
        if bytes.is_empty() {
            break;
        }
        let at = draw.below(bytes.len());
        match draw.below(9) {
            0 => bytes.truncate(at),
            1 => drop(bytes.drain(at..(at + draw.below(9)).min(bytes.len()))),
            2 => {
                let again = bytes[at..(at + 12).min(bytes.len())].to_vec();
                bytes.splice(at..at, again);
            }
            3 => bytes[at] = [0, 1, 0x7f, 0x80, 0xff][draw.below(5)],
            4 => bytes[at] = b"0123456789(),'L-"[draw.below(16)],
            _ => bytes[at] ^= 1 << draw.below(8),
        }
    }
    bytes
}

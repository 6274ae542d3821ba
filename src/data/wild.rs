//! Bytes that nobody meant, for tests of readers: of any kind, or a good file that came to harm.

use std::time::{Duration, Instant};

use crate::random::Seed;

/// The variable of the environment that says how many inputs each test of this kind tries, in place of its usual few.
const INPUTS: &str = "CUTLAYER_INPUTS";
/// A reader that takes longer over one small input hangs, however busy the machine is.
const PATIENCE: Duration = Duration::from_secs(10);

/// Tries the inputs 0, 1, 2, …, as many as are usual or as the environment says, and prints how many there were. If one
/// fails, its number is told.
pub(super) fn each(usual: u64, mut tried: impl FnMut(u64)) {
    let inputs = std::env::var(INPUTS).map_or(usual, |inputs| inputs.parse().unwrap());
    let mut slowest = Duration::ZERO;
    for i in 0..inputs {
        let (number, begin) = (Number(i), Instant::now());
        tried(i);
        let took = begin.elapsed();
        assert!(took < PATIENCE, "it took {took:?}");
        slowest = slowest.max(took);
        drop(number);
    }
    println!("{inputs} inputs, the slowest took {:.1} ms", 1e3 * slowest.as_secs_f64());
}

/// Tells the number of the input that fails.
struct Number(u64);

impl Drop for Number {
    fn drop(&mut self) {
        if std::thread::panicking() {
            println!("input number {} failed", self.0);
        }
    }
}

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

//! How soon the window draws anew while a worker works.

use std::time::{Duration, Instant};

/// Between the begins of two frames, at least.
const FRAME: Duration = Duration::from_millis(50);
/// As often as it takes itself, a frame lasts until the next: where there is no graphics card, drawing takes cores from the worker.
const REST: u32 = 4;
/// Between the begins of two frames, at most.
const SLOWEST: Duration = Duration::from_millis(400);
/// Between two looks at what a frame takes.
const PROBE: Duration = Duration::from_secs(2);

/// Follows what frames take. The windowing library tells only what comes before a frame is handed to the graphics driver, which is
/// less than half of it where the driver draws by the processor; so now and then a frame is followed by the next at once.
pub struct Pace {
    begun: Instant,
    probed: Option<Instant>,
    /// Whether the next frame was asked for at once.
    probing: bool,
    took: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self { begun: Instant::now(), probed: None, probing: false, took: Duration::ZERO }
    }
}

impl Pace {
    /// From now, the begin of a frame, to that of the next.
    pub fn next(&mut self) -> Duration {
        self.at(Instant::now())
    }

    fn at(&mut self, now: Instant) -> Duration {
        if self.probing {
            self.took = now - self.begun;
        }
        self.begun = now;
        self.probing = self.probed.is_none_or(|last| now - last >= PROBE);
        if self.probing {
            self.probed = Some(now);
            return Duration::ZERO;
        }
        (self.took * REST).clamp(FRAME, SLOWEST)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is waited after frames that take so long.
    fn rest(took: Duration) -> Duration {
        let (mut pace, begin) = (Pace::default(), Instant::now());
        assert_eq!(pace.at(begin), Duration::ZERO);
        pace.at(begin + took)
    }

    #[test]
    fn a_dear_frame_is_followed_by_a_long_rest() {
        let ms = Duration::from_millis;
        assert_eq!(rest(ms(3)), FRAME);
        assert_eq!(rest(ms(40)), ms(160));
        assert_eq!(rest(ms(900)), SLOWEST);
    }

    #[test]
    fn what_a_frame_takes_is_looked_at_anew() {
        let ms = Duration::from_millis;
        let (mut pace, begin) = (Pace::default(), Instant::now());
        pace.at(begin);
        assert_eq!(pace.at(begin + ms(90)), ms(360));
        // A frame asked for later tells nothing.
        assert_eq!(pace.at(begin + ms(450)), ms(360));
        assert_eq!(pace.at(begin + PROBE), Duration::ZERO);
        assert_eq!(pace.at(begin + PROBE + ms(5)), FRAME);
    }
}

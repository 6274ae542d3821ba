//! Training and an attack at the same time, as during a run that is watched: what each keeps of its speed.
//!
//! Each has an operating-system thread of its own, as the worker and the live mirror have, and both hand their parallel
//! pieces to the one pool of kernel threads (the policy is in [`engine`](crate::engine)).

use std::sync::Barrier;
use std::thread::{Builder, scope};
use std::time::{Duration, Instant};

use serde::Serialize;

use super::{Case, WARM_UP};
use crate::error::{Error, Result};

/// The name that it goes by.
pub const TOGETHER: &str = "together";

/// Alone, alone and together, so many times in turn, so that a slow moment of the machine meets them all.
const ROUNDS: u32 = 3;
/// Candle walks its graphs recursively.
const STACK_BYTES: usize = 64 << 20;

/// What two that share the processor keep of their speed.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Together {
    /// Always [`TOGETHER`].
    pub case: &'static str,
    /// Steps of `train_small`.
    pub training: Share,
    /// Iterations of `rmle_b1`.
    pub attack: Share,
}

/// The speed of one of them.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Share {
    /// With the machine to itself.
    pub alone: f64,
    /// Beside the other.
    pub together: f64,
    /// Of both rates.
    pub unit: &'static str,
    /// `together / alone`.
    pub share: f64,
}

/// One of the two, its steps counted.
struct Side {
    case: Case,
    alone: Count,
    together: Count,
}

/// Steps, and how long they took.
#[derive(Default)]
struct Count {
    steps: usize,
    secs: f64,
}

impl Together {
    /// Measures for so long, a third of it each alone and a third together.
    ///
    /// # Errors
    /// Where a step fails, or the system gives no thread.
    pub fn measure(long: Duration) -> Result<Self> {
        let mut training = Side::of("train_small")?;
        let mut attack = Side::of("rmle_b1")?;
        let each = long / (3 * ROUNDS);
        for _ in 0..ROUNDS {
            at_once([(&mut training.case, &mut training.alone)], each)?;
            at_once([(&mut attack.case, &mut attack.alone)], each)?;
            at_once([(&mut training.case, &mut training.together), (&mut attack.case, &mut attack.together)], each)?;
        }
        Ok(Self { case: TOGETHER, training: training.share(), attack: attack.share() })
    }
}

impl Side {
    fn of(name: &str) -> Result<Self> {
        Ok(Self { case: Case::named(name)?, alone: Count::default(), together: Count::default() })
    }

    fn share(&self) -> Share {
        let rate = |count: &Count| (self.case.per * count.steps) as f64 / count.secs;
        let (alone, together) = (rate(&self.alone), rate(&self.together));
        Share { alone, together, unit: self.case.unit, share: together / alone }
    }
}

/// Steps through all of them, a thread each, for so long.
fn at_once<const N: usize>(sides: [(&mut Case, &mut Count); N], long: Duration) -> Result<()> {
    let warm = Barrier::new(N);
    scope(|threads| {
        let mut running = Vec::new();
        for (case, count) in sides {
            let warm = &warm;
            let thread = Builder::new()
                .name(format!("cutlayer-bench-{}", case.name))
                .stack_size(STACK_BYTES)
                .spawn_scoped(threads, move || count_steps(case, count, warm, long));
            running.push(thread.map_err(|e| Error::Internal(format!("no thread for a benchmark: {e}")))?);
        }
        for thread in running {
            thread.join().map_err(|_| Error::Internal("a benchmark's thread was lost".to_owned()))??;
        }
        Ok(())
    })
}

fn count_steps(case: &mut Case, count: &mut Count, warm: &Barrier, long: Duration) -> Result<()> {
    // A step that fails is told of after the barrier, at which the other waits.
    let warmed = (0..WARM_UP).try_for_each(|_| (case.step)());
    warm.wait();
    warmed?;
    let begin = Instant::now();
    let mut steps = 0;
    while steps == 0 || begin.elapsed() < long {
        (case.step)()?;
        steps += 1;
    }
    count.steps += steps;
    count.secs += begin.elapsed().as_secs_f64();
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_go_on_while_the_other_works() {
        let Together { training, attack, .. } = Together::measure(Duration::from_millis(200)).unwrap();
        for share in [training, attack] {
            assert!(share.alone > 0.0 && share.together > 0.0 && share.share.is_finite(), "{share:?}");
        }
    }
}

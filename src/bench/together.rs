//! Training and an attack at the same time, as during a run that is watched: what each keeps of its speed.
//!
//! Each has an operating-system thread of its own, as the worker and the live mirror have. Training hands its pieces to
//! the pool of kernel threads, the attack keeps to its thread (the policy is in [`engine`](crate::engine)).

use std::sync::Barrier;
use std::thread::{Builder, scope};
use std::time::{Duration, Instant};

use serde::Serialize;

use super::{Case, WARM_UP};
use crate::engine::{alone, give_way, lead};
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
    place: Place,
    alone: Count,
    together: Count,
}

/// Where kernels run.
#[derive(Clone, Copy)]
enum Place {
    Pool,
    OwnThread,
}

/// What one thread does.
struct Counted<'a> {
    case: &'a mut Case,
    place: Place,
    count: &'a mut Count,
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
        let mut training = Side::of("train_small", Place::Pool)?;
        let mut attack = Side::of("rmle_b1", Place::OwnThread)?;
        let each = long / (3 * ROUNDS);
        for _ in 0..ROUNDS {
            at_once([training.alone()], each)?;
            at_once([attack.alone()], each)?;
            at_once([training.together(), attack.together()], each)?;
        }
        Ok(Self { case: TOGETHER, training: training.share(), attack: attack.share() })
    }
}

impl Side {
    fn of(name: &str, place: Place) -> Result<Self> {
        Ok(Self {
            case: Case::named(name, &candle_core::Device::Cpu)?,
            place,
            alone: Count::default(),
            together: Count::default(),
        })
    }

    fn alone(&mut self) -> Counted<'_> {
        Counted { case: &mut self.case, place: self.place, count: &mut self.alone }
    }

    fn together(&mut self) -> Counted<'_> {
        Counted { case: &mut self.case, place: self.place, count: &mut self.together }
    }

    fn share(&self) -> Share {
        let rate = |count: &Count| (self.case.per * count.steps) as f64 / count.secs;
        let (alone, together) = (rate(&self.alone), rate(&self.together));
        Share { alone, together, unit: self.case.unit, share: together / alone }
    }
}

/// Steps through all of them, a thread each, for so long.
fn at_once<const N: usize>(sides: [Counted<'_>; N], long: Duration) -> Result<()> {
    let warm = Barrier::new(N);
    scope(|threads| {
        let mut running = Vec::new();
        for counted in sides {
            let warm = &warm;
            let thread = Builder::new()
                .name(format!("cutlayer-bench-{}", counted.case.name))
                .stack_size(STACK_BYTES)
                .spawn_scoped(threads, move || count_steps(counted, warm, long));
            running.push(thread.map_err(|e| Error::Internal(format!("no thread for a benchmark: {e}")))?);
        }
        for thread in running {
            thread.join().map_err(|_| Error::Internal("a benchmark's thread was lost".to_owned()))??;
        }
        Ok(())
    })
}

fn count_steps(Counted { case, place, count }: Counted<'_>, warm: &Barrier, long: Duration) -> Result<()> {
    let _team = match place {
        Place::Pool => Some(lead()),
        Place::OwnThread => {
            alone();
            None
        }
    };
    // A step that fails is told of after the barrier, at which the other waits.
    let warmed = (0..WARM_UP).try_for_each(|_| (case.step)());
    warm.wait();
    warmed?;
    let begin = Instant::now();
    let mut steps = 0;
    while steps == 0 || begin.elapsed() < long {
        (case.step)()?;
        // As the live mirror does.
        if matches!(place, Place::OwnThread) {
            give_way();
        }
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

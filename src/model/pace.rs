//! How fast both parties learn in the course of a training.

use std::f64::consts::PI;

use serde::{Deserialize, Serialize};

/// What becomes of the learning rate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Schedule {
    /// It stays.
    #[default]
    Constant,
    /// It falls along half a cosine, towards nothing (Loshchilov & Hutter 2017, without restarts).
    Cosine,
    /// A tenth after half of the epochs, a hundredth after three quarters (He et al. 2016).
    Step,
}

/// The schedule of a training.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// What becomes of the rate.
    pub schedule: Schedule,
    /// Epochs at the start in which it rises evenly to its full height.
    pub warmup: usize,
    /// Epochs in all.
    pub epochs: usize,
    /// Steps in an epoch.
    pub an_epoch: usize,
}

impl Pace {
    /// The factor of the rate in a step, which has `epoch` whole epochs and `step` steps of its own epoch before it.
    pub fn factor(&self, epoch: usize, step: usize) -> f64 {
        let done = (epoch * self.an_epoch + step) as f64;
        let warmup = (self.warmup * self.an_epoch) as f64;
        if done < warmup {
            return (done + 1.0) / warmup;
        }
        let all = (self.epochs * self.an_epoch) as f64;
        match self.schedule {
            Schedule::Cosine => 0.5 + 0.5 * (PI * (done - warmup) / (all - warmup).max(1.0)).cos(),
            Schedule::Step if 4 * epoch >= 3 * self.epochs => 0.01,
            Schedule::Step if 2 * epoch >= self.epochs => 0.1,
            Schedule::Constant | Schedule::Step => 1.0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn factors(schedule: Schedule, warmup: usize) -> Vec<f64> {
        let pace = Pace { schedule, warmup, epochs: 8, an_epoch: 5 };
        (0..40).map(|done| pace.factor(done / 5, done % 5)).collect()
    }

    #[test]
    fn the_rate_stays_falls_along_a_cosine_or_by_steps() {
        assert_eq!(factors(Schedule::Constant, 0), [1.0; 40]);
        let cosine = factors(Schedule::Cosine, 0);
        assert!(cosine[0] == 1.0 && (cosine[20] - 0.5).abs() < 1e-12 && cosine[39] < 0.002 && cosine[39] > 0.0);
        assert!(cosine.windows(2).all(|two| two[1] < two[0]));
        let step = factors(Schedule::Step, 0);
        assert_eq!((step[19], step[20], step[29], step[30], step[39]), (1.0, 0.1, 0.1, 0.01, 0.01));
    }

    #[test]
    fn it_rises_before_it_falls() {
        let warm = factors(Schedule::Cosine, 2);
        assert_eq!((warm[0], warm[4], warm[9], warm[10]), (0.1, 0.5, 1.0, 1.0));
        assert!(warm[11] < 1.0 && (warm[25] - 0.5).abs() < 1e-12);
        // As long as the training: it never falls.
        assert_eq!(factors(Schedule::Constant, 8)[39], 1.0);
    }
}

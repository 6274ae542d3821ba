//! Named streams of random numbers: everything random in the program is drawn here.
//!
//! A stream is named by what it is for and an index (an epoch, a restart), and its key is a hash of
//! the experiment's seed, that name and that index. Streams are therefore independent of each other
//! and of the order in which they are asked for, and a run that is resumed needs no stored positions:
//! epoch 4's order is the same whoever asks for it, whenever.

use candle_core::{Device, Shape, Tensor};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};

use crate::error::Result;

/// The experiment's seed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seed(pub u64);

impl Seed {
    /// The stream called `name`, number `index`.
    ///
    /// ```
    /// use cutlayer::random::Seed;
    /// let first = Seed(1).stream("order", 0).permutation(5);
    /// assert_eq!(first, Seed(1).stream("order", 0).permutation(5));
    /// ```
    pub fn stream(self, name: &str, index: u64) -> Stream {
        let mut hash = blake3::Hasher::new();
        hash.update(&self.0.to_le_bytes());
        hash.update(&index.to_le_bytes());
        hash.update(name.as_bytes());
        Stream(ChaCha8Rng::from_seed(*hash.finalize().as_bytes()))
    }
}

/// Where in a run something is drawn. It keys the draw, so that a run which goes on draws the same, and what is drawn for a
/// sample does not depend on those that are asked about beside it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum At<'a> {
    /// In a training step.
    Train {
        /// Whole epochs before it.
        epoch: usize,
        /// Steps before it in its epoch.
        step: usize,
    },
    /// When the trained client asks for a diagnosis.
    Ask {
        /// Which sample each of the batch is; by its place in the batch where that is not said.
        samples: &'a [usize],
        /// How often it was asked about before: after how many epochs, in a run.
        draw: usize,
    },
}

impl At<'_> {
    /// A question about samples that nobody has numbered.
    pub const ONCE: At<'static> = At::Ask { samples: &[], draw: 0 };

    /// The stream called `name` of sample `i` of the batch.
    pub fn stream(self, seed: Seed, name: &str, i: usize) -> Stream {
        match self {
            Self::Train { epoch, step } => seed.stream(&format!("{name}.train.{epoch}.{step}"), i as u64),
            Self::Ask { samples, draw } => {
                let sample = samples.get(i).copied().unwrap_or(i);
                seed.stream(&format!("{name}.ask.{draw}"), sample as u64)
            }
        }
    }
}

/// One stream of random numbers.
#[derive(Debug)]
pub struct Stream(ChaCha8Rng);

impl Stream {
    /// Uniform in `[low, high)`.
    pub fn uniform(&mut self, low: f64, high: f64) -> f64 {
        // 53 bits, as many as a double's mantissa holds.
        let unit = (self.0.next_u64() >> 11) as f64 / (1u64 << 53) as f64;
        low + (high - low) * unit
    }

    /// Normal with mean 0 and variance 1.
    pub fn normal(&mut self) -> f64 {
        StandardNormal.sample(&mut self.0)
    }

    /// Uniform in `0..n`.
    ///
    /// # Panics
    /// Where `n` is 0.
    pub fn below(&mut self, n: usize) -> usize {
        // Multiply-shift; the bias is below n / 2^64.
        ((u128::from(self.0.next_u64()) * n as u128) >> 64) as usize
    }

    /// `0..n` in random order (Fisher–Yates).
    pub fn permutation(&mut self, n: usize) -> Vec<usize> {
        let mut order: Vec<usize> = (0..n).collect();
        for i in (1..n).rev() {
            order.swap(i, self.below(i + 1));
        }
        order
    }

    /// A float32 tensor of uniform values in `[low, high)`.
    ///
    /// # Errors
    /// Where the device has no memory left.
    pub fn uniform_tensor(&mut self, low: f64, high: f64, shape: impl Into<Shape>, device: &Device) -> Result<Tensor> {
        let shape = shape.into();
        let values: Vec<f32> = (0..shape.elem_count()).map(|_| self.uniform(low, high) as f32).collect();
        Ok(Tensor::from_vec(values, shape, device)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_differ_by_seed_name_and_index() {
        let draw = |seed, name, index| Seed(seed).stream(name, index).below(1 << 40);
        let base = draw(0, "order", 0);
        assert_eq!(base, draw(0, "order", 0));
        assert_ne!(base, draw(1, "order", 0));
        assert_ne!(base, draw(0, "init", 0));
        assert_ne!(base, draw(0, "order", 1));
    }

    #[test]
    fn what_is_drawn_for_a_sample_does_not_depend_on_its_batch() {
        let draw = |at: At<'_>, i| at.stream(Seed(0), "noise", i).below(1 << 40);
        let asked = |samples, draw| At::Ask { samples, draw };
        assert_eq!(draw(asked(&[3, 7], 1), 1), draw(asked(&[7], 1), 0));
        assert_eq!(draw(At::ONCE, 7), draw(asked(&[7], 0), 0));
        assert_ne!(draw(asked(&[7], 1), 0), draw(asked(&[7], 2), 0));
        assert_ne!(draw(asked(&[7], 1), 0), draw(asked(&[8], 1), 0));
        let step = |epoch, step| At::Train { epoch, step };
        assert_eq!(draw(step(1, 2), 0), draw(step(1, 2), 0));
        assert_ne!(draw(step(1, 2), 0), draw(step(2, 1), 0));
        assert_ne!(draw(step(1, 2), 0), draw(step(1, 2), 1));
    }

    #[test]
    fn a_permutation_holds_each_index_once() {
        let mut order = Seed(3).stream("order", 0).permutation(100);
        assert_ne!(order, (0..100).collect::<Vec<_>>());
        order.sort_unstable();
        assert_eq!(order, (0..100).collect::<Vec<_>>());
    }

    #[test]
    fn moments_are_those_of_the_distribution() {
        let mut stream = Seed(9).stream("moments", 0);
        let uniform: f64 = (0..20_000).map(|_| stream.uniform(-1.0, 3.0)).sum::<f64>() / 20_000.0;
        let square: f64 = (0..20_000).map(|_| stream.normal().powi(2)).sum::<f64>() / 20_000.0;
        assert!((uniform - 1.0).abs() < 0.05, "{uniform}");
        assert!((square - 1.0).abs() < 0.05, "{square}");
    }
}

//! The optimisers' steps: each parameter, its gradient and its state in one pass over memory.
//!
//! All are n float32 of one tensor. The pass reads and writes each number once, in pieces that are shared out among the
//! threads; every number depends on its own column alone, so the bits are the same with any number of threads.

use std::sync::Mutex;

use candle_core::{CpuStorage, InplaceOp2, Layout, Result, Tensor, Var};
use rayon::prelude::*;

use super::kept::Kept;
use super::own::own_kernels;

/// Numbers that a thread takes at once.
const PIECE: usize = 65_536;

/// β₁ and β₂ of Adam.
const BETA: (f64, f64) = (0.9, 0.999);

/// One step of one parameter.
#[derive(Debug)]
pub enum Step<'a> {
    /// Adam (Kingma & Ba 2015), with AMSGrad's largest second moment (Reddi et al. 2018) unless `largest` is empty.
    Adam {
        /// Learning rate.
        rate: f64,
        /// Added to the root of the second moment.
        epsilon: f64,
        /// Steps taken, this one included.
        steps: u32,
        /// First moments.
        first: &'a mut Kept,
        /// Second moments.
        second: &'a mut Kept,
        /// The largest second moments so far.
        largest: &'a mut Kept,
    },
    /// Stochastic gradient descent, with a heavy ball (Polyak 1964) as PyTorch has it, v ← momentum·v + g and p ← p − rate·v,
    /// unless `velocity` is empty.
    Sgd {
        /// Learning rate.
        rate: f64,
        /// Share of the velocity that stays.
        momentum: f64,
        /// v; zero before the first step.
        velocity: &'a mut Kept,
    },
}

/// Takes the step.
///
/// # Errors
/// Where gradient and parameter are not float32 of one shape.
pub fn take(parameter: &Var, gradient: &Tensor, step: Step<'_>) -> Result<()> {
    if parameter.shape() != gradient.shape() {
        candle_core::bail!("a gradient of {:?} came for {:?}", gradient.shape(), parameter.shape());
    }
    if !own_kernels(parameter.device()) {
        return composed(parameter, &gradient.detach(), step);
    }
    let numbers = match step {
        Step::Adam { rate, epsilon, steps, first, second, largest } => Numbers::Adam {
            shared: AdamNumbers::new(rate, epsilon, steps),
            moments: [first.here()?, second.here()?],
            largest: largest.here()?,
        },
        Step::Sgd { rate, momentum, velocity } => Numbers::Sgd { rate, momentum, velocity: velocity.here()? },
    };
    // candle hands the operation out shared; the lock is never contended.
    parameter.inplace_op2(&gradient.contiguous()?, &Update(Mutex::new(numbers)))
}

/// The same from candle's own operations, for other devices.
fn composed(parameter: &Var, gradient: &Tensor, step: Step<'_>) -> Result<()> {
    let before = parameter.as_detached_tensor();
    let mixed = |old: &Tensor, share: f64, new: &Tensor, rest: f64| (old * share)? + (new * rest)?;
    let change = match step {
        Step::Adam { rate, epsilon, steps, first, second, largest } => {
            let AdamNumbers { scale, root, epsilon } = AdamNumbers::new(rate, epsilon, steps);
            let mean = mixed(&first.there(parameter)?, BETA.0, gradient, 1.0 - BETA.0)?;
            let square = mixed(&second.there(parameter)?, BETA.1, &gradient.sqr()?, 1.0 - BETA.1)?;
            let mut under = square.clone();
            if !largest.is_empty() {
                under = largest.there(parameter)?.maximum(&square)?;
                largest.put(&under);
            }
            let under = under.sqrt()?.affine(1.0 / f64::from(root), f64::from(epsilon))?;
            let change = (&mean / under)?;
            first.put(&mean);
            second.put(&square);
            (change * f64::from(scale))?
        }
        Step::Sgd { rate, velocity, .. } if velocity.is_empty() => (gradient * rate)?,
        Step::Sgd { rate, momentum, velocity } => {
            let moving = mixed(&velocity.there(parameter)?, momentum, gradient, 1.0)?;
            velocity.put(&moving);
            (moving * rate)?
        }
    };
    parameter.set(&(before - change)?)
}

/// What a kernel works on.
enum Numbers<'a> {
    Adam { shared: AdamNumbers, moments: [&'a mut [f32]; 2], largest: &'a mut [f32] },
    Sgd { rate: f64, momentum: f64, velocity: &'a mut [f32] },
}

struct Update<'a>(Mutex<Numbers<'a>>);

impl InplaceOp2 for Update<'_> {
    fn name(&self) -> &'static str {
        "optimiser step"
    }

    fn cpu_fwd(&self, s1: &mut CpuStorage, l1: &Layout, s2: &CpuStorage, l2: &Layout) -> Result<()> {
        let (CpuStorage::F32(parameter), CpuStorage::F32(gradient)) = (s1, s2) else {
            candle_core::bail!("an optimiser works on f32")
        };
        let (Some((from, to)), Some((grad_from, grad_to))) = (l1.contiguous_offsets(), l2.contiguous_offsets()) else {
            candle_core::bail!("an optimiser wants contiguous tensors")
        };
        let mut step = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        step.apply(&mut parameter[from..to], &gradient[grad_from..grad_to]);
        Ok(())
    }
}

impl AdamNumbers {
    fn new(rate: f64, epsilon: f64, steps: u32) -> Self {
        let steps = i32::try_from(steps).unwrap_or(i32::MAX);
        Self {
            scale: (rate / (1.0 - BETA.0.powi(steps))) as f32,
            root: (1.0 - BETA.1.powi(steps)).sqrt() as f32,
            epsilon: epsilon as f32,
        }
    }
}

impl Numbers<'_> {
    fn apply(&mut self, parameter: &mut [f32], gradient: &[f32]) {
        match self {
            Self::Adam { shared, moments: [first, second], largest } => {
                adam(*shared, parameter, gradient, (first, second), largest);
            }
            Self::Sgd { rate, momentum, velocity } => {
                sgd(*rate as f32, *momentum as f32, parameter, gradient, velocity);
            }
        }
    }
}

/// What all numbers of a step share.
#[derive(Clone, Copy)]
struct AdamNumbers {
    scale: f32,
    root: f32,
    epsilon: f32,
}

fn adam(
    AdamNumbers { scale, root, epsilon }: AdamNumbers,
    parameter: &mut [f32],
    gradient: &[f32],
    (first, second): (&mut [f32], &mut [f32]),
    largest: &mut [f32],
) {
    let (b1, b2) = (BETA.0 as f32, BETA.1 as f32);
    let (c1, c2) = ((1.0 - BETA.0) as f32, (1.0 - BETA.1) as f32);
    let pieces = parameter
        .par_chunks_mut(PIECE)
        .zip(gradient.par_chunks(PIECE))
        .zip(first.par_chunks_mut(PIECE).zip(second.par_chunks_mut(PIECE)));
    if largest.is_empty() {
        pieces.for_each(|((p, g), (m, v))| {
            for (((p, &g), m), v) in p.iter_mut().zip(g).zip(m).zip(v) {
                *m = b1 * *m + c1 * g;
                *v = b2 * *v + c2 * g * g;
                *p -= scale * *m / (v.sqrt() / root + epsilon);
            }
        });
    } else {
        pieces.zip(largest.par_chunks_mut(PIECE)).for_each(|(((p, g), (m, v)), largest)| {
            for ((((p, &g), m), v), largest) in p.iter_mut().zip(g).zip(m).zip(v).zip(largest) {
                *m = b1 * *m + c1 * g;
                *v = b2 * *v + c2 * g * g;
                *largest = largest.max(*v);
                *p -= scale * *m / (largest.sqrt() / root + epsilon);
            }
        });
    }
}

fn sgd(rate: f32, momentum: f32, parameter: &mut [f32], gradient: &[f32], velocity: &mut [f32]) {
    let pieces = parameter.par_chunks_mut(PIECE).zip(gradient.par_chunks(PIECE));
    if velocity.is_empty() {
        pieces.for_each(|(p, g)| p.iter_mut().zip(g).for_each(|(p, g)| *p -= rate * g));
    } else {
        pieces.zip(velocity.par_chunks_mut(PIECE)).for_each(|((p, g), v)| {
            for ((p, &g), v) in p.iter_mut().zip(g).zip(v) {
                *v = momentum * *v + g;
                *p -= rate * *v;
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use candle_core::Device;

    use super::*;
    use crate::random::Seed;

    #[test]
    fn the_number_of_threads_does_not_change_a_bit() {
        let n = 3 * PIECE + 17;
        let noise = |name| Seed(1).stream(name, 0).uniform_tensor(-1.0, 1.0, &[n], &Device::Cpu).unwrap();
        let run = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| {
                let parameter = Var::from_tensor(&noise("p")).unwrap();
                let [mut first, mut second, mut most, mut velocity] = [0; 4].map(|_| Kept::zeros(n));
                let [mut no_most, mut no_velocity] = [0; 2].map(Kept::zeros);
                for steps in 1..5 {
                    // Plain Adam and SGD first, then AMSGrad and the heavy ball.
                    let plain = steps < 3;
                    let (first, second) = (&mut first, &mut second);
                    let largest = if plain { &mut no_most } else { &mut most };
                    let adam = Step::Adam { rate: 0.1, epsilon: 1e-8, steps, first, second, largest };
                    take(&parameter, &noise("g"), adam).unwrap();
                    let velocity = if plain { &mut no_velocity } else { &mut velocity };
                    let sgd = Step::Sgd { rate: 0.1, momentum: 0.9, velocity };
                    take(&parameter, &noise("h"), sgd).unwrap();
                }
                parameter.to_vec1::<f32>().unwrap()
            })
        };
        let one = run(1);
        assert!(one == run(2) && one == run(5));
    }

    #[test]
    fn a_gradient_of_another_shape_is_refused() {
        let parameter = Var::new(&[1f32, 2.0], &Device::Cpu).unwrap();
        let gradient = Tensor::new(&[1f32], &Device::Cpu).unwrap();
        let step = Step::Sgd { rate: 1.0, momentum: 0.0, velocity: &mut Kept::default() };
        assert!(take(&parameter, &gradient, step).unwrap_err().to_string().contains("a gradient of [1] came for [2]"));
    }
}

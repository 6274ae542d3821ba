//! The benchmark cases: the same shapes and the same work as `benches/peer_torch.py` and `benches/peer_jax.py` do, under
//! the same names, so that the rates can be divided.
//!
//! | case | one step |
//! |---|---|
//! | `train_small` | a split step on 64 images of 1×28×28: two convolutions and pools at the client, one and two linear layers at the server |
//! | `train_psgl` | a whole PSGL step on 64 such images: head's own step, map, attack, recovery, three streams, all Adam steps |
//! | `rmle_b1`, `rmle_b16` | an iteration of white-box inversion of `train_small`'s client on 1 or 16 images |
//! | `apg_64x28` | recovery of 64 matrices of 28×28, 15 iterations |

use std::time::{Duration, Instant};

use candle_core::{Device, Tensor};
use serde::Serialize;

use crate::attack::rmle::{Rmle, Settings};
use crate::attack::{Inversion, Knowledge, Observation};
use crate::error::{Error, Result};
use crate::experiment::{Experiment, PsglSpec};
use crate::model::adam::AdamSettings;
use crate::model::spec::LayerSpec;
use crate::model::split::{SplitModel, SplitPlan};
use crate::psgl::recovery::Recovery;
use crate::random::Seed;
use crate::setting::near;

/// The cases, in the peers' order.
pub const CASES: [&str; 5] = ["train_small", "train_psgl", "rmle_b1", "rmle_b16", "apg_64x28"];

/// Steps before the clock starts.
const WARM_UP: usize = 3;

/// One case, ready to be stepped through.
pub struct Case {
    name: &'static str,
    /// What one step counts for.
    per: usize,
    unit: &'static str,
    step: Box<dyn FnMut() -> Result<()>>,
}

/// How fast a case was.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Timing {
    /// Its name.
    pub case: &'static str,
    /// From the median of single steps.
    pub rate: f64,
    /// Of the rate.
    pub unit: &'static str,
    /// Milliseconds a step.
    pub median_ms: f64,
}

impl Case {
    /// The case of this name.
    ///
    /// # Errors
    /// Lists the cases and says which is near.
    pub fn named(name: &str) -> Result<Self> {
        match name {
            "train_small" => train("train_small", small_plan()),
            "train_psgl" => train("train_psgl", psgl_plan()?),
            "rmle_b1" => rmle("rmle_b1", 1),
            "rmle_b16" => rmle("rmle_b16", 16),
            "apg_64x28" => apg(),
            _ => {
                let hint = near(name, CASES).map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
                Err(Error::input(format!("unknown case \"{name}\"{hint}\ncases: {}", CASES.join(", "))))
            }
        }
    }

    /// Steps through it for so long, and at least three times.
    ///
    /// # Errors
    /// Where a step fails.
    pub fn time(mut self, long: Duration) -> Result<Timing> {
        for _ in 0..WARM_UP {
            (self.step)()?;
        }
        let mut times = Vec::new();
        let begin = Instant::now();
        while begin.elapsed() < long || times.len() < 3 {
            let start = Instant::now();
            (self.step)()?;
            times.push(start.elapsed().as_secs_f64());
        }
        times.sort_by(f64::total_cmp);
        let median = times[times.len() / 2];
        Ok(Timing { case: self.name, rate: self.per as f64 / median, unit: self.unit, median_ms: 1e3 * median })
    }
}

/// Numbers in [0, 1] of this shape.
fn random(shape: &[usize], index: u64) -> Result<Tensor> {
    Seed(0).stream("bench", index).uniform_tensor(0.0, 1.0, shape, &Device::Cpu)
}

fn conv(channels: usize) -> LayerSpec {
    LayerSpec::Conv { channels, kernel: 3, stride: 1, padding: 1, bias: true }
}

fn small_plan() -> SplitPlan {
    use LayerSpec::{Flatten, Linear, MaxPool, Relu};
    let client = [conv(16), Relu, MaxPool(2), conv(32), Relu, MaxPool(2)];
    let server = [conv(64), Relu, Flatten, Linear(128), Relu, Linear(10)];
    SplitPlan {
        name: "vanilla",
        cut: client.len(),
        layers: client.into_iter().chain(server).collect(),
        image: [1, 28, 28],
        classes: 10,
        psgl: None,
        rate: 1e-3,
    }
}

/// The default experiment's: 12 iterations of recovery, 78 of 784 pixels moved.
fn psgl_plan() -> Result<SplitPlan> {
    let psgl = PsglSpec { gamma: 0.1, theta: 1.0, iterations: 12, ..PsglSpec::default() };
    let experiment = Experiment { psgl, ..Experiment::default() };
    Ok(experiment.split_plans([1, 28, 28], 10)?.swap_remove(0))
}

fn train(name: &'static str, plan: SplitPlan) -> Result<Case> {
    const BATCH: usize = 64;
    let mut model = SplitModel::new(plan, Seed(0), &Device::Cpu)?;
    let x = random(&[BATCH, 1, 28, 28], 0)?;
    let mut stream = Seed(0).stream("bench.labels", 0);
    let labels: Vec<u32> = (0..BATCH).map(|_| stream.below(10) as u32).collect();
    let labels = Tensor::from_vec(labels, BATCH, &Device::Cpu)?;
    let step = Box::new(move || model.step(&x, &labels).map(|_| ()));
    Ok(Case { name, per: BATCH, unit: "images/s", step })
}

fn rmle(name: &'static str, images: usize) -> Result<Case> {
    let model = SplitModel::new(small_plan(), Seed(0), &Device::Cpu)?;
    let (smashed, _) = model.ask(&random(&[images, 1, 28, 28], 0)?)?;
    let knowledge = Knowledge {
        image: [1, 28, 28],
        classes: 10,
        client: Some(model.client.body()),
        packs: false,
        auxiliary: None,
        defence: None,
        seed: Seed(0),
        name: name.to_owned(),
    };
    let adam = AdamSettings { rate: 0.01, epsilon: 1e-8, amsgrad: false };
    let settings = Settings { iterations: usize::MAX, adam, tv: 0.01, boxed: false };
    let mut attack = Rmle::new(&Observation::new(smashed), &knowledge, settings)?;
    Ok(Case { name, per: 1, unit: "iterations/s", step: Box::new(move || attack.advance()) })
}

fn apg() -> Result<Case> {
    const MATRICES: usize = 64;
    let values: Vec<f32> = random(&[MATRICES, 28, 28], 0)?.flatten_all()?.to_vec1()?;
    let recovery = Recovery { iterations: 15, ..PsglSpec::default().feature_recovery() };
    let step = Box::new(move || {
        // The result is looked at, so that nobody may leave the work out.
        let parts = recovery.solve(&values, 28, 28);
        if parts.low_rank.iter().all(|v| v.is_finite()) {
            Ok(())
        } else {
            Err(Error::Diverged("the recovery is not finite".to_owned()))
        }
    });
    Ok(Case { name: "apg_64x28", per: MATRICES, unit: "matrices/s", step })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_case_can_be_stepped_through() {
        for name in CASES {
            let timing = Case::named(name).unwrap().time(Duration::ZERO).unwrap();
            assert!(timing.case == name && timing.median_ms > 0.0 && timing.rate.is_finite(), "{timing:?}");
        }
        let error = Case::named("train_smal").err().unwrap().to_string();
        assert!(error.contains("did you mean `train_small`?") && error.contains("apg_64x28"), "{error}");
    }

    #[test]
    fn the_shapes_are_the_peers() {
        assert_eq!(small_plan().smashed().unwrap(), [32, 7, 7]);
        let psgl = psgl_plan().unwrap();
        assert_eq!((psgl.input(), psgl.smashed().unwrap()), ([5, 14, 14], vec![32, 14, 14]));
    }
}

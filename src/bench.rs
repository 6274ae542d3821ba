//! The benchmark cases: the same shapes and the same work as `benches/peer_torch.py` and `benches/peer_jax.py` do, under
//! the same names, so that the rates can be divided.
//!
//! | case | one step |
//! |---|---|
//! | `train_small` | a split step on 64 images of 1×28×28: two convolutions and pools at the client, one and two linear layers at the server |
//! | `train_resnet` | the same on 32 images of 3×32×32 for a residual block of 64 channels on each side, BatchNorm in training |
//! | `train_psgl` | a whole PSGL step on 64 such images: head's own step, map, attack, recovery, three streams, all Adam steps |
//! | `rmle_b1`, `rmle_b16` | an iteration of white-box inversion of `train_small`'s client on 1 or 16 images |
//! | `prior_step` | an iteration of a learned prior's search: 64 latents through a generator of 28×28 pixels and that client |
//! | `inverse_step` | a step of the inverse network on 32 pairs from that client |
//! | `unsplit_step` | UnSplit on one image: a step on the image, and one on its clone of a client with 8 and 16 kernels of 5×5 |
//! | `fsha_step` | an iteration of feature-space hijacking at `train_small`'s cut, 64 images, width 16: pilot and decoder, critic with its penalty, and the victim's client |
//! | `dlg_b1` | an Adam iteration of gradient matching (squared ℓ2; image and soft label) on the DLG LeNet, one image |
//! | `inverting_step` | an iteration of Inverting Gradients (cosine, 1e-4 TV, signed Adam, clamped) on `train_small`'s model, second derivatives through relu and max-pooling |
//! | `apg_64x28` | recovery of 64 matrices of 28×28, 15 iterations |
//! | `apg_128x4096` | recovery of 4 matrices of 128×4096, 15 iterations |
//!
//! Those for a GPU, timed on a processor only where they are asked for:
//!
//! | case | one step |
//! |---|---|
//! | `train_resnet_large` | `train_resnet` on 256 images of 3×64×64 |
//! | `train_psgl_large` | `train_psgl` on 64 images of 1×128×128 |
//! | `fsha_wide` | `fsha_step` at its authors' width, 64 |

mod attacks;
#[cfg(feature = "gui")]
mod frames;
mod together;

use std::time::{Duration, Instant};

use candle_core::{Device, Tensor};
use serde::Serialize;

use crate::defence::Stack;
use crate::defence::psgl::recovery::Recovery;
use crate::engine::matrix::{Matrix, Spread, product};
use crate::engine::own::own_kernels;
use crate::error::{Error, Result};
use crate::experiment::{Experiment, PsglSpec};
use crate::model::adam::AdamSettings;
use crate::model::optimiser::OptimiserSettings;
use crate::model::spec::LayerSpec;
use crate::random::At;
use crate::random::Seed;
use crate::setting::near;
use crate::split::UNDEFENDED;
use crate::split::{SplitModel, SplitPlan};

#[cfg(feature = "gui")]
pub use frames::{FRAMES, FrameTimes, Frames, Headless};
pub use together::{Share, TOGETHER, Together};

/// The cases, in the peers' order.
pub const CASES: [&str; 13] = [
    "train_small",
    "train_resnet",
    "train_psgl",
    "rmle_b1",
    "rmle_b16",
    "prior_step",
    "inverse_step",
    "unsplit_step",
    "fsha_step",
    "dlg_b1",
    "inverting_step",
    "apg_64x28",
    "apg_128x4096",
];

/// Those that a GPU is made for, in the peers' order.
pub const LARGE: [&str; 3] = ["train_resnet_large", "train_psgl_large", "fsha_wide"];

/// A product of two 2048×2048 matrices: what the others' rates are a share of. Not one of the peers' cases.
pub const MATRIX_PRODUCT: &str = "matmul_2048";

/// A frame of the window with 60 curves of 100,000 points each. Not one of the peers' cases.
#[cfg(feature = "gui")]
pub const CURVES: &str = "curves_60";

/// Those that are timed only where they are asked for.
const ALONE: &[&str] = &[
    MATRIX_PRODUCT,
    #[cfg(feature = "gui")]
    CURVES,
    #[cfg(feature = "gui")]
    FRAMES,
];

/// Steps before the clock starts.
const WARM_UP: usize = 3;

/// One case, ready to be stepped through.
pub struct Case {
    name: &'static str,
    /// What one step counts for.
    per: usize,
    unit: &'static str,
    device: Device,
    step: Box<dyn FnMut() -> Result<()> + Send>,
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
    /// Those of the fastest step, which tells more where other programs are running.
    #[serde(skip)]
    pub best_ms: f64,
}

impl Case {
    /// The case of this name on this device.
    ///
    /// # Errors
    /// Lists the cases and says which is near.
    pub fn named(name: &str, on: &Device) -> Result<Self> {
        match name {
            "train_small" => train("train_small", small_plan(28, 10), 64, on),
            "train_resnet" => train("train_resnet", resnet_plan(32), 32, on),
            "train_resnet_large" => train("train_resnet_large", resnet_plan(64), 256, on),
            "train_psgl" => train("train_psgl", psgl_plan(28)?, 64, on),
            "train_psgl_large" => train("train_psgl_large", psgl_plan(128)?, 64, on),
            "rmle_b1" => attacks::rmle("rmle_b1", 1, on),
            "rmle_b16" => attacks::rmle("rmle_b16", 16, on),
            "prior_step" => attacks::prior(on),
            "inverse_step" => attacks::inverse(on),
            "unsplit_step" => attacks::unsplit(on),
            "fsha_step" => attacks::fsha("fsha_step", 16, on),
            "fsha_wide" => attacks::fsha("fsha_wide", 64, on),
            "dlg_b1" => attacks::dlg(on),
            "inverting_step" => attacks::inverting(on),
            "apg_64x28" => apg("apg_64x28", 64, [28, 28], on),
            "apg_128x4096" => apg("apg_128x4096", 4, [128, 4096], on),
            MATRIX_PRODUCT => matrix_product(on),
            #[cfg(feature = "gui")]
            CURVES => Ok(curves()),
            _ => {
                let names = || CASES.into_iter().chain(LARGE).chain([TOGETHER]).chain(ALONE.iter().copied());
                let hint = near(name, names()).map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
                let all: Vec<&str> = names().collect();
                Err(Error::input(format!("unknown case \"{name}\"{hint}\ncases: {}", all.join(", "))))
            }
        }
    }

    /// Steps through it for so long, and at least three times. A step ends when the device has done all of it.
    ///
    /// # Errors
    /// Where a step fails.
    pub fn time(mut self, long: Duration) -> Result<Timing> {
        for _ in 0..WARM_UP {
            self.once()?;
        }
        let mut times = Vec::new();
        let begin = Instant::now();
        while begin.elapsed() < long || times.len() < 3 {
            let start = Instant::now();
            self.once()?;
            times.push(start.elapsed().as_secs_f64());
        }
        times.sort_by(f64::total_cmp);
        let median = times[times.len() / 2];
        Ok(Timing {
            case: self.name,
            rate: self.per as f64 / median,
            unit: self.unit,
            median_ms: 1e3 * median,
            best_ms: 1e3 * times[0],
        })
    }

    fn once(&mut self) -> Result<()> {
        (self.step)()?;
        Ok(self.device.synchronize()?)
    }
}

#[cfg(feature = "gui")]
fn curves() -> Case {
    let mut frame = crate::app::panes::curves::many_curves();
    let step = move || {
        frame();
        Ok(())
    };
    Case { name: CURVES, per: 1, unit: "frames/s", device: Device::Cpu, step: Box::new(step) }
}

/// Numbers in [0, 1] of this shape.
fn random(shape: &[usize], index: u64, on: &Device) -> Result<Tensor> {
    Seed(0).stream("bench", index).uniform_tensor(0.0, 1.0, shape, on)
}

fn conv(channels: usize) -> LayerSpec {
    LayerSpec::Conv { channels, kernel: 3, stride: 1, padding: 1, bias: true }
}

/// The network of `train_small` for images of 1×`side`×`side` and so many classes.
pub fn small_plan(side: usize, classes: usize) -> SplitPlan {
    use LayerSpec::{Flatten, Linear, MaxPool, Relu};
    let client = [conv(16), Relu, MaxPool(2), conv(32), Relu, MaxPool(2)];
    let server = [conv(64), Relu, Flatten, Linear(128), Relu, Linear(classes)];
    SplitPlan {
        name: UNDEFENDED.to_owned(),
        cut: client.len(),
        layers: client.into_iter().chain(server).collect(),
        image: [1, side, side],
        classes,
        defences: Stack::default(),
        optimiser: OptimiserSettings::Adam(AdamSettings::new(1e-3)),
        class_weights: None,
    }
}

/// The default experiment's: 12 iterations of recovery, a tenth of the pixels moved.
fn psgl_plan(side: usize) -> Result<SplitPlan> {
    let psgl = PsglSpec { gamma: 0.1, theta: 1.0, iterations: 12, ..PsglSpec::default() };
    let experiment = Experiment { psgl, ..Experiment::default() };
    Ok(experiment.split_plans([1, side, side], 10)?.swap_remove(0))
}

fn resnet_plan(side: usize) -> SplitPlan {
    use LayerSpec::{BatchNorm, Flatten, Linear, MeanPool, Relu};
    let conv = || LayerSpec::Conv { channels: 64, kernel: 3, stride: 1, padding: 1, bias: false };
    let block = || LayerSpec::Residual { inner: vec![conv(), BatchNorm, Relu, conv(), BatchNorm], project: Vec::new() };
    let client = [conv(), BatchNorm, Relu, block(), Relu];
    let server = [block(), Relu, MeanPool, Flatten, Linear(10)];
    SplitPlan {
        cut: client.len(),
        layers: client.into_iter().chain(server).collect(),
        image: [3, side, side],
        ..small_plan(28, 10)
    }
}

fn train(name: &'static str, plan: SplitPlan, images: usize, on: &Device) -> Result<Case> {
    let step = Box::new(training_step(plan, images, on)?);
    Ok(Case { name, per: images, unit: "images/s", device: on.clone(), step })
}

/// A training step that can be taken again and again, on random images with random labels.
///
/// # Errors
/// Where the plan's layers do not fit.
pub fn training_step(plan: SplitPlan, images: usize, on: &Device) -> Result<impl FnMut() -> Result<()> + Send + use<>> {
    let [channels, height, width] = plan.image;
    let x = random(&[images, channels, height, width], 0, on)?;
    let mut stream = Seed(0).stream("bench.labels", 0);
    let labels: Vec<u32> = (0..images).map(|_| stream.below(plan.classes) as u32).collect();
    let labels = Tensor::from_vec(labels, images, on)?;
    let mut model = SplitModel::new(plan, Seed(0), on)?;
    Ok(move || model.step(&x, &labels, At::Train { epoch: 0, step: 0 }).map(|_| ()))
}

fn matrix_product(on: &Device) -> Result<Case> {
    const SIDE: usize = 2048;
    let square = random(&[SIDE, SIDE], 0, on)?;
    let case = |step| Case { name: MATRIX_PRODUCT, per: 1, unit: "products/s", device: on.clone(), step };
    if !own_kernels(on) {
        return Ok(case(Box::new(move || square.matmul(&square).map(drop).map_err(Error::from))));
    }
    let values: Vec<f32> = square.flatten_all()?.to_vec1()?;
    let mut out = vec![0.0; SIDE * SIDE];
    Ok(case(Box::new(move || {
        let matrix = || Matrix::new(&values, SIDE, SIDE);
        product(matrix(), matrix(), &mut out, false, Spread::AllThreads);
        Ok(())
    })))
}

fn apg(name: &'static str, matrices: usize, [rows, cols]: [usize; 2], on: &Device) -> Result<Case> {
    let matrices_in = random(&[matrices, rows, cols], 0, on)?;
    let recovery = Recovery { iterations: 15, ..PsglSpec::default().feature_recovery() };
    let case = |step| Case { name, per: matrices, unit: "matrices/s", device: on.clone(), step };
    if !own_kernels(on) {
        return Ok(case(Box::new(move || recovery.split(&matrices_in, rows, cols).map(drop))));
    }
    let values: Vec<f32> = matrices_in.flatten_all()?.to_vec1()?;
    Ok(case(Box::new(move || {
        // The result is looked at, so that nobody may leave the work out.
        let parts = recovery.solve(&values, rows, cols);
        if parts.low_rank.iter().all(|v| v.is_finite()) {
            Ok(())
        } else {
            Err(Error::Diverged("the recovery is not finite".to_owned()))
        }
    })))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::own::composed;
    use crate::model::parameters::Parameters;

    #[test]
    fn every_case_can_be_stepped_through() {
        for name in CASES {
            let timing = Case::named(name, &Device::Cpu).unwrap().time(Duration::ZERO).unwrap();
            assert!(timing.case == name && timing.median_ms > 0.0 && timing.rate.is_finite(), "{timing:?}");
        }
        let error = Case::named("train_smal", &Device::Cpu).err().unwrap().to_string();
        assert!(error.contains("did you mean `train_small`?") && error.contains("apg_64x28"), "{error}");
    }

    #[test]
    fn every_case_keeps_to_operations_that_another_device_has() {
        for name in CASES {
            composed(|| Case::named(name, &Device::Cpu)?.time(Duration::ZERO))
                .unwrap_or_else(|e| panic!("{name}: {e}"));
        }
    }

    #[test]
    fn the_shapes_are_the_peers() {
        assert_eq!(small_plan(28, 10).smashed().unwrap(), [32, 7, 7]);
        let psgl = psgl_plan(28).unwrap();
        let resnet = resnet_plan(32);
        assert_eq!(resnet.smashed().unwrap(), [64, 32, 32]);
        let model = SplitModel::new(resnet, Seed(0), &Device::Cpu).unwrap();
        // PyTorch's: 9·3·64 + 4·9·64² + five normalisations of 2·64 + 650.
        let count = |parameters: &Parameters| parameters.trained().map(|(_, var)| var.elem_count()).sum::<usize>();
        assert_eq!(count(model.client.parameters()) + count(model.server.parameters()), 1728 + 147_456 + 640 + 650);
        assert_eq!((psgl.input(), psgl.smashed().unwrap()), ([5, 14, 14], vec![32, 14, 14]));
    }
}

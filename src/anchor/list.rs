//! The anchors.

use super::{Anchor, Value};
use crate::attack::kind::HE_2019;

/// dB that a replica of He et al. may be below them, and SSIM.
const PSNR_SHORT: f64 = 1.5;
/// As above.
const SSIM_SHORT: f64 = 0.05;

const fn he(psnr: f64, ssim: f64) -> [Value; 2] {
    [
        Value { metric: "psnr", published: psnr, short: PSNR_SHORT },
        Value { metric: "ssim", published: ssim, short: SSIM_SHORT },
    ]
}

/// LeNet-5 behind its first convolution and relu, and behind the second.
const CONV1: &[&str] = &["model.name=lenet5", "model.cut=2"];
const RELU2: &[&str] = &["model.name=lenet5", "model.cut=5"];

/// All of them.
pub static ANCHORS: [Anchor; 4] = [
    Anchor {
        name: "rmle-conv1",
        attack: "rmle",
        setting: "MNIST, LeNet-5 cut at conv1",
        source: HE_2019,
        experiment: CONV1,
        quick: &["train.epochs=3", "attack.rmle.images=16"],
        paper: &["train.epochs=10", "attack.rmle.images=64", "attack.rmle.iterations=5000"],
        values: &he(39.69, 0.997),
    },
    Anchor {
        name: "rmle-relu2",
        attack: "rmle",
        setting: "MNIST, LeNet-5 cut at ReLU2",
        source: HE_2019,
        experiment: RELU2,
        quick: &["train.epochs=3", "attack.rmle.images=16", "attack.rmle.tv=0.01"],
        paper: &["train.epochs=10", "attack.rmle.images=64", "attack.rmle.iterations=5000", "attack.rmle.tv=0.01"],
        values: &he(15.10, 0.600),
    },
    Anchor {
        name: "inverse-conv1",
        attack: "inverse",
        setting: "MNIST, LeNet-5 cut at conv1",
        source: HE_2019,
        experiment: CONV1,
        quick: &["train.epochs=3"],
        paper: &["train.epochs=10", "attack.inverse.epochs=50"],
        values: &he(40.72, 0.995),
    },
    Anchor {
        name: "inverse-relu2",
        attack: "inverse",
        setting: "MNIST, LeNet-5 cut at ReLU2",
        source: HE_2019,
        experiment: RELU2,
        quick: &["train.epochs=3"],
        paper: &["train.epochs=10", "attack.inverse.epochs=50"],
        values: &he(20.81, 0.805),
    },
];

//! The anchors.

use super::{Anchor, Replica, Value};
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
/// What He et al. reached there by rMLE, an inverse network, and a shadow client.
const RMLE_CONV1: &[Value] = &he(39.69, 0.997);
const RMLE_RELU2: &[Value] = &he(15.10, 0.600);
const INVERSE_CONV1: &[Value] = &he(40.72, 0.995);
const INVERSE_RELU2: &[Value] = &he(20.81, 0.805);
const SHADOW_CONV1: &[Value] = &he(21.53, 0.912);
const SHADOW_RELU2: &[Value] = &he(9.27, 0.465);

/// Where the values of feature-space hijacking stand: the outputs of the authors' notebooks.
const PASQUINI_2021: &str = "Pasquini 2021";
/// The published client (setting 4) and rates; digits are scaled to 32×32, and stay grey.
const HIJACKED: &[&str] = &[
    "model.layers=[{ conv = 64, kernel = 3, padding = 1 }, \"batchnorm\", \"relu\", { maxpool = 2 }, \
     { residual = [\"relu\", { conv = 64, kernel = 3, padding = 1 }, \"relu\", { conv = 64, kernel = 3, padding = 1 }] }, \
     { residual = [\"relu\", { conv = 128, kernel = 3, stride = 2, padding = 1 }, \"relu\", \
     { conv = 128, kernel = 3, padding = 1 }], project = [{ conv = 128, kernel = 3, stride = 2, padding = 1 }] }, \
     { residual = [\"relu\", { conv = 128, kernel = 3, padding = 1 }, \"relu\", \
     { conv = 128, kernel = 3, padding = 1 }] }, \
     { residual = [\"relu\", { conv = 256, kernel = 3, stride = 2, padding = 1 }, \"relu\", \
     { conv = 256, kernel = 3, padding = 1 }], project = [{ conv = 256, kernel = 3, stride = 2, padding = 1 }] }, \
     \"flatten\", { linear = 10 }]",
    "model.cut=8",
    "data.size=32",
    "data.aux=0.2",
    "train.epochs=1",
    "train.rate=1e-5",
    "attack.fsha.width=64",
    "attack.fsha.rate=1e-5",
    "attack.fsha.critic_rate=1e-4",
    "attack.fsha.brake=0",
    "attack.fsha.warm_up=0",
    "attack.fsha.tanh=true",
];

/// The mean squared error, in [0, 1], of the worse of the authors' two runs from cold networks; a quarter more is allowed.
const fn hijacked(published: f64) -> [Value; 1] {
    // Theirs is of images in [−1, 1].
    [Value { metric: "mse", published: published / 4.0, short: published / 16.0 }]
}

/// Where the labels read off gradients stand.
const ZHAO_2020: &str = "Zhao 2020";
/// The sigmoid network of DLG, its weights drawn from ±.5 and not trained; the epoch that a run must have is a short one.
const UNTRAINED: &[&str] = &[
    "model.name=dlg-lenet",
    "model.cut=2",
    "train.epochs=1",
    "data.train=200",
    "data.test=1000",
    "evaluate.mu_images=1",
];

/// How many labels are right, in percent; two standard errors of 500 images may be lacking.
const fn labels(published: f64) -> [Value; 1] {
    [Value { metric: "labels_right", published, short: 2.7 }]
}

/// All of them.
pub static ANCHORS: [Anchor; 9] = [
    Anchor {
        name: "rmle-conv1",
        attack: "rmle",
        setting: "MNIST, LeNet-5 cut at conv1",
        source: HE_2019,
        experiment: CONV1,
        quick: Replica { set: &["train.epochs=3", "attack.rmle.images=16"], values: RMLE_CONV1 },
        paper: Replica {
            set: &["train.epochs=10", "attack.rmle.images=64", "attack.rmle.iterations=5000"],
            values: RMLE_CONV1,
        },
    },
    Anchor {
        name: "rmle-relu2",
        attack: "rmle",
        setting: "MNIST, LeNet-5 cut at ReLU2",
        source: HE_2019,
        experiment: RELU2,
        quick: Replica { set: &["train.epochs=3", "attack.rmle.images=16", "attack.rmle.tv=0.01"], values: RMLE_RELU2 },
        paper: Replica {
            set: &["train.epochs=10", "attack.rmle.images=64", "attack.rmle.iterations=5000", "attack.rmle.tv=0.01"],
            values: RMLE_RELU2,
        },
    },
    Anchor {
        name: "inverse-conv1",
        attack: "inverse",
        setting: "MNIST, LeNet-5 cut at conv1",
        source: HE_2019,
        experiment: CONV1,
        quick: Replica { set: &["train.epochs=3"], values: INVERSE_CONV1 },
        paper: Replica { set: &["train.epochs=10", "attack.inverse.epochs=50"], values: INVERSE_CONV1 },
    },
    Anchor {
        name: "inverse-relu2",
        attack: "inverse",
        setting: "MNIST, LeNet-5 cut at ReLU2",
        source: HE_2019,
        experiment: RELU2,
        quick: Replica { set: &["train.epochs=3"], values: INVERSE_RELU2 },
        paper: Replica { set: &["train.epochs=10", "attack.inverse.epochs=50"], values: INVERSE_RELU2 },
    },
    Anchor {
        name: "shadow-conv1",
        attack: "shadow",
        setting: "MNIST, LeNet-5 cut at conv1",
        source: HE_2019,
        experiment: CONV1,
        quick: Replica { set: &["train.epochs=3", "attack.shadow.images=16"], values: SHADOW_CONV1 },
        paper: Replica { set: &["train.epochs=10", "attack.shadow.images=64"], values: SHADOW_CONV1 },
    },
    Anchor {
        name: "shadow-relu2",
        attack: "shadow",
        setting: "MNIST, LeNet-5 cut at ReLU2",
        source: HE_2019,
        experiment: RELU2,
        quick: Replica { set: &["train.epochs=3", "attack.shadow.images=16"], values: SHADOW_RELU2 },
        paper: Replica { set: &["train.epochs=10", "attack.shadow.images=64"], values: SHADOW_RELU2 },
    },
    Anchor {
        name: "fsha",
        attack: "fsha",
        setting: "MNIST at 32×32, residual client cut at 256×4×4, from cold networks",
        source: PASQUINI_2021,
        experiment: HIJACKED,
        quick: Replica { set: &["attack.fsha.steps=1000"], values: &hijacked(0.19) },
        paper: Replica { set: &["attack.fsha.steps=5000"], values: &hijacked(0.042) },
    },
    Anchor {
        name: "dlg-labels",
        attack: "dlg",
        setting: "MNIST, sigmoid LeNet as drawn, one image a gradient",
        source: ZHAO_2020,
        experiment: UNTRAINED,
        quick: Replica { set: &["attack.dlg.early=[0]", "attack.dlg.images=16"], values: &labels(89.9) },
        paper: Replica { set: &["attack.dlg.early=[0]", "attack.dlg.images=500"], values: &labels(89.9) },
    },
    Anchor {
        name: "idlg-labels",
        attack: "idlg",
        setting: "MNIST, sigmoid LeNet as drawn, one image a gradient",
        source: ZHAO_2020,
        experiment: UNTRAINED,
        quick: Replica { set: &["attack.idlg.early=[0]", "attack.idlg.images=16"], values: &labels(100.0) },
        paper: Replica { set: &["attack.idlg.early=[0]", "attack.idlg.images=500"], values: &labels(100.0) },
    },
];

//! A model in Python with PyTorch: client, server and, under PSGL, all that lies between them.
//!
//! The Python is in files of its own (`torch/*.py`), which are put together behind a few lines that hold the model's
//! layers and settings.

use std::fmt::Write as _;

use crate::model::spec::LayerSpec;
use crate::model::split::SplitPlan;
use crate::psgl::fusion::DecisionWeights;
use crate::psgl::recovery::MapNorm;
use crate::psgl::saliency::Apply;
use crate::psgl::{Inference, Jacobian, Options};

const START: &str = include_str!("torch/start.py");
const PLAIN: &str = include_str!("torch/plain.py");
const PSGL: &str = include_str!("torch/psgl.py");
const END: &str = include_str!("torch/end.py");

/// A Python module whose `load()` gives the model with the weights that lie beside it in `client.safetensors` and
/// `server.safetensors`. It computes what [`SplitModel::answer`](crate::model::split::SplitModel::answer) does.
/// `weights` are those of the streams' decisions in use; without PSGL they count for nothing.
pub fn loader(plan: &SplitPlan, weights: Option<DecisionWeights>) -> String {
    let (client, smashed) = modules(&plan.layers[..plan.cut], &plan.input());
    let (server, _) = modules(&plan.layers[plan.cut..], &smashed);
    let party = if plan.psgl.is_some() { PSGL } else { PLAIN };
    let head = heading(plan);
    let mut settings = format!(
        "IMAGE = {}  # channels, height, width\nCLASSES = {}\nSMASHED = {}\n",
        tuple(&plan.image),
        plan.classes,
        tuple(&smashed)
    );
    if let Some(options) = &plan.psgl {
        settings += &psgl_settings(options, weights.unwrap_or(options.weights));
    }
    let parties = format!("def client_layers():\n    return {client}\n\n\ndef server_layers():\n    return {server}\n");
    format!("{head}{START}\n\n{settings}\n\n{parties}\n\n{party}\n\n{END}")
}

/// What the module is, and how it is used.
fn heading(plan: &SplitPlan) -> String {
    let [c, h, w] = plan.image;
    let kind = if plan.psgl.is_some() { "A model under proximal gradient split learning" } else { "A split model" };
    format!(
        "\"\"\"{kind}, trained with Cutlayer: the weights lie beside this file. For research, not for clinical use.\n\n    \
         model = load()\n    \
         model.decide(x)  # predicted classes of images x, (N, {c}, {h}, {w}) in [0, 1]\n    \
         model.smash(x)   # what crosses the wire\n    \
         model.logits(x)\n\"\"\"\n\n"
    )
}

/// PSGL's choices.
fn psgl_settings(options: &Options, weights: DecisionWeights) -> String {
    let Options {
        strength,
        mirror,
        jacobian,
        recovery,
        fuse_relu,
        weights: _,
        weights_from: _,
        inference,
        image_recovery: _,
    } = *options;
    let word = |yes: bool| if yes { "True" } else { "False" };
    let apply = match strength.apply {
        Apply::Sparse => "sparse",
        Apply::Dense => "dense",
    };
    let jacobian = match jacobian {
        Jacobian::Head => "head",
        Jacobian::Server => "server",
    };
    let norm = match recovery.map_norm {
        MapNorm::L1 => "l1",
        MapNorm::Nuclear => "nuclear",
    };
    let inference = match inference {
        Inference::Attacked => "attacked",
        Inference::Clean => "clean",
    };
    let mut lines = String::new();
    for (name, value, why) in [
        ("APPLY", format!("\"{apply}\""), "sparse: the strongest pixels of the map move; dense: all"),
        ("GAMMA", format!("{:?}", strength.gamma), "share of the pixels that move where it is sparse"),
        ("THETA", format!("{:?}", strength.theta), "how far they move"),
        ("MIRROR", word(mirror).to_owned(), "also where beta < 0 < alpha"),
        ("JACOBIAN", format!("\"{jacobian}\""), "head: of the client's own head; server: of the fused stream"),
        ("MU", format!("{:?}", recovery.mu), "the recovery's last threshold"),
        ("ITERATIONS", recovery.iterations.to_string(), ""),
        ("MAP_NORM", format!("\"{norm}\""), "l1 or nuclear"),
        ("FUSE_RELU", word(fuse_relu).to_owned(), ""),
        (
            "WEIGHTS",
            format!("({:?}, {:?}, {:?})", weights.recovered, weights.fused, weights.attacked),
            "of the recovered, the fused and the attacked stream's decision",
        ),
        ("INFERENCE", format!("\"{inference}\""), "attacked: images are disguised; clean: they are sent as they are"),
    ] {
        // Writing to a string cannot fail.
        let _ = if why.is_empty() {
            writeln!(lines, "{name} = {value}")
        } else {
            writeln!(lines, "{name} = {value}  # {why}")
        };
    }
    lines
}

/// A tuple of Python.
fn tuple(sides: &[usize]) -> String {
    let sides: Vec<String> = sides.iter().map(ToString::to_string).collect();
    if let [one] = sides.as_slice() { format!("({one},)") } else { format!("({})", sides.join(", ")) }
}

/// `nn.Sequential(…)` for layers, and the shape that they give.
fn modules(layers: &[LayerSpec], input: &[usize]) -> (String, Vec<usize>) {
    let (list, shape) = list(layers, input, 1);
    (format!("nn.Sequential({list})"), shape)
}

/// The layers, one a line, `depth` levels within Python's function; a block's own are further in.
fn list(layers: &[LayerSpec], input: &[usize], depth: usize) -> (String, Vec<usize>) {
    let mut shape = input.to_vec();
    let mut words = Vec::new();
    for layer in layers {
        words.push(match layer {
            LayerSpec::Conv { channels, kernel, stride, padding, bias } => {
                let bias = if *bias { "" } else { ", bias=False" };
                format!("nn.Conv2d({}, {channels}, {kernel}, {stride}, {padding}{bias})", shape[0])
            }
            LayerSpec::BatchNorm if shape.len() == 3 => format!("nn.BatchNorm2d({})", shape[0]),
            LayerSpec::BatchNorm => format!("nn.BatchNorm1d({})", shape[0]),
            LayerSpec::GroupNorm(groups) => format!("nn.GroupNorm({groups}, {})", shape[0]),
            LayerSpec::Linear(n) => format!("nn.Linear({}, {n})", shape[0]),
            LayerSpec::MaxPool(k) => format!("nn.MaxPool2d({k})"),
            LayerSpec::AvgPool(k) => format!("nn.AvgPool2d({k})"),
            LayerSpec::MeanPool => "nn.AdaptiveAvgPool2d(1)".to_owned(),
            LayerSpec::Relu => "nn.ReLU()".to_owned(),
            LayerSpec::Sigmoid => "nn.Sigmoid()".to_owned(),
            LayerSpec::Tanh => "nn.Tanh()".to_owned(),
            LayerSpec::Flatten => "nn.Flatten()".to_owned(),
            LayerSpec::Residual { inner, project } if project.is_empty() => {
                format!("Residual({})", list(inner, &shape, depth + 1).0)
            }
            LayerSpec::Residual { inner, project } => {
                let (inner, project) = (list(inner, &shape, depth + 1).0, list(project, &shape, depth + 2).0);
                let outside = "    ".repeat(depth + 1);
                // The inner layers end with a comma and their indent.
                format!("Residual({inner}    project=[{project}],\n{outside})")
            }
        });
        // The plan was checked when the run was made.
        shape = layer.output_shape(&shape).unwrap_or_default();
    }
    if words.is_empty() {
        return (String::new(), shape);
    }
    let (inside, outside) = ("    ".repeat(depth + 1), "    ".repeat(depth));
    let lines: Vec<String> = words.iter().map(|word| format!("{inside}{word},\n")).collect();
    (format!("\n{}{outside}", lines.concat()), shape)
}

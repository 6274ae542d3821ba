//! A model in Python with PyTorch: client, server and all that a defence puts between them.
//!
//! The Python is in files of its own (`torch/*.py`, and beside each defence), which are put together behind a few lines
//! that hold the model's layers and settings.

use crate::defence::Setup;
use crate::defence::kind::Torch;
use crate::error::{Error, Result};
use crate::model::spec::LayerSpec;
use crate::split::SplitPlan;

const START: &str = include_str!("torch/start.py");
const PLAIN: &str = include_str!("torch/plain.py");
const END: &str = include_str!("torch/end.py");

/// A Python module whose `load()` gives the model with the weights that lie beside it in `client.safetensors` and
/// `server.safetensors`. It computes what [`SplitModel::answer`](crate::split::SplitModel::answer) does.
/// `votes` are the weights of the streams' decisions in use, where there are streams.
///
/// # Errors
/// Returns an error if a defence of the model has no form in PyTorch.
pub fn loader(plan: &SplitPlan, votes: Option<&[f64]>) -> Result<String> {
    let (client, smashed) = modules(&plan.layers[..plan.cut], &plan.input());
    let (server, _) = modules(&plan.layers[plan.cut..], &smashed);
    let Torch { title, settings, party } = between(plan, votes)?;
    let head = heading(plan, title);
    let settings = format!(
        "IMAGE = {}  # channels, height, width\nCLASSES = {}\nSMASHED = {}\n{settings}",
        tuple(&plan.image),
        plan.classes,
        tuple(&smashed)
    );
    let parties = format!("def client_layers():\n    return {client}\n\n\ndef server_layers():\n    return {server}\n");
    Ok(format!("{head}{START}\n\n{settings}\n\n{parties}\n\n{party}\n\n{END}"))
}

/// What lies between client and server.
fn between(plan: &SplitPlan, votes: Option<&[f64]>) -> Result<Torch> {
    let lacking = |setup: &Setup| Error::input(format!("a model under {} has no form in PyTorch", setup.kind.title));
    match plan.defences.iter().collect::<Vec<_>>().as_slice() {
        [] => Ok(Torch { title: "A split model", settings: String::new(), party: PLAIN }),
        [one] => one.kind.torch.ok_or_else(|| lacking(one))?(&one.values, votes),
        [one, ..] => Err(lacking(one)),
    }
}

/// What the module is, and how it is used.
fn heading(plan: &SplitPlan, title: &str) -> String {
    let [c, h, w] = plan.image;
    format!(
        "\"\"\"{title}, trained with Cutlayer: the weights lie beside this file. For research, not for clinical use.\n\n    \
         model = load()\n    \
         model.decide(x)  # predicted classes of images x, (N, {c}, {h}, {w}) in [0, 1]\n    \
         model.smash(x)   # what crosses the wire\n    \
         model.logits(x)\n\"\"\"\n\n"
    )
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

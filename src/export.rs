//! Runs in the forms that other programs read.

use crate::model::spec::LayerSpec;
use crate::model::split::SplitPlan;

/// A few lines of Python that load an exported model: client and server (under PSGL its three streams) as
/// `torch.nn.Sequential`, with the weights in them.
pub fn loader(plan: &SplitPlan) -> String {
    let input = plan.input();
    let (client, smashed) = modules(&plan.layers[..plan.cut], &input);
    let (server, _) = modules(&plan.layers[plan.cut..], &smashed);
    let streams = if plan.psgl.is_some() { r#"["attacked.", "recovered.", "fused."]"# } else { r#"[""]"# };
    format!(
        r#"import torch, torch.nn as nn
from safetensors.torch import load_file

class Residual(nn.Sequential):
    def __init__(self, *inner, project=()): super().__init__(*inner); self.count = len(inner); self.project = nn.Sequential(*project)
    def forward(self, x):
        y = x
        for layer in list(self)[:self.count]: y = layer(y)
        return self.project(x) + y

def load(net, path, prefix):
    net.load_state_dict({{k.removeprefix(prefix): v for k, v in load_file(path).items() if k.startswith(prefix) and k.removeprefix(prefix)[0].isdigit()}}); return net.eval()
client = load({client}, "client.safetensors", "client.")
streams = [load({server}, "server.safetensors", "server." + stream) for stream in {streams}]
z = client(torch.zeros(1, {c}, {h}, {w})); print(tuple(z.shape), [tuple(stream(z).shape) for stream in streams])
"#,
        c = input[0],
        h = input[1],
        w = input[2],
    )
}

/// `nn.Sequential(…)` for layers, and the shape that they give.
fn modules(layers: &[LayerSpec], input: &[usize]) -> (String, Vec<usize>) {
    let (list, shape) = list(layers, input);
    (format!("nn.Sequential({list})"), shape)
}

fn list(layers: &[LayerSpec], input: &[usize]) -> (String, Vec<usize>) {
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
                format!("Residual({})", list(inner, &shape).0)
            }
            LayerSpec::Residual { inner, project } => {
                format!("Residual({}, project=[{}])", list(inner, &shape).0, list(project, &shape).0)
            }
        });
        // The plan was checked when the run was made.
        shape = layer.output_shape(&shape).unwrap_or_default();
    }
    (words.join(", "), shape)
}

//! The layer list: what a user writes, and the shapes that follow from it.
//!
//! `layers = [{ conv = 8, kernel = 5, padding = 2 }, "relu", { maxpool = 2 }, "flatten", { linear = 10 }]`
//!
//! A residual block that halves the sides and doubles the channels projects its skip connection:
//! `{ residual = [{ conv = 32, kernel = 3, stride = 2, padding = 1, bias = false }, "batchnorm"],
//! project = [{ conv = 32, kernel = 1, stride = 2, bias = false }, "batchnorm"] }`

mod document;

use serde::{Deserialize, Serialize};

use self::document::RawLayer;
pub use self::document::{KEYS, WORDS};
use crate::error::{Error, Result};

/// One layer. Every entry of the list counts, those without weights too.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "RawLayer", into = "RawLayer")]
pub enum LayerSpec {
    /// Two-dimensional convolution.
    Conv {
        /// Output channels.
        channels: usize,
        /// Side of the square kernel.
        kernel: usize,
        /// Step between outputs.
        stride: usize,
        /// Zeros added on each side.
        padding: usize,
        /// A number added to each output channel. A normalisation right behind takes it away again.
        bias: bool,
    },
    /// Each channel less its mean over its standard deviation, of the batch in training and running ones in
    /// evaluation; then scaled and shifted. Of (C, H, W) or of features.
    BatchNorm,
    /// The same of so many groups of neighbouring channels of each sample.
    GroupNorm(usize),
    /// max(x, 0).
    Relu,
    /// 1 / (1 + e^-x).
    Sigmoid,
    /// Hyperbolic tangent.
    Tanh,
    /// Largest value of each window; window = stride, what is left over at the edge is dropped.
    MaxPool(usize),
    /// Mean of each window; window = stride, what is left over at the edge is dropped.
    AvgPool(usize),
    /// Mean over all positions: (C, H, W) to (C, 1, 1).
    MeanPool,
    /// (C, H, W) to (C·H·W).
    Flatten,
    /// Fully connected layer with bias: output features.
    Linear(usize),
    /// project(x) + inner(x), which have the same shape.
    Residual {
        /// The block's layers.
        inner: Vec<LayerSpec>,
        /// The skip connection's; none leave x as it is, and the inner layers keep the shape.
        project: Vec<LayerSpec>,
    },
}

impl LayerSpec {
    /// What it is, in a word or two: `conv 3×3, 16`.
    pub fn words(&self) -> String {
        match self {
            Self::Conv { channels, kernel, stride: 1, .. } => format!("conv {kernel}×{kernel}, {channels}"),
            Self::Conv { channels, kernel, stride, .. } => format!("conv {kernel}×{kernel}, {channels}, step {stride}"),
            Self::BatchNorm => "batch norm".to_owned(),
            Self::GroupNorm(groups) => format!("group norm {groups}"),
            Self::Relu => "relu".to_owned(),
            Self::Sigmoid => "sigmoid".to_owned(),
            Self::Tanh => "tanh".to_owned(),
            Self::MaxPool(side) => format!("max-pool {side}"),
            Self::AvgPool(side) => format!("mean-pool {side}"),
            Self::MeanPool => "mean over positions".to_owned(),
            Self::Flatten => "flatten".to_owned(),
            Self::Linear(features) => format!("linear {features}"),
            Self::Residual { project, .. } if project.is_empty() => "residual block".to_owned(),
            Self::Residual { .. } => "residual block, projected".to_owned(),
        }
    }

    /// The output's shape without the batch: `[C, H, W]` or `[features]`.
    ///
    /// # Errors
    /// Says what the layer wanted and what it found.
    pub fn output_shape(&self, input: &[usize]) -> Result<Vec<usize>, String> {
        match (self, input) {
            (Self::Conv { channels, kernel, stride, padding, .. }, &[_, h, w]) => {
                let side = |n: usize| (n + 2 * padding).checked_sub(*kernel).map(|room| room / stride + 1);
                match (side(h), side(w)) {
                    (Some(h), Some(w)) => Ok(vec![*channels, h, w]),
                    _ => Err(format!(
                        "a {kernel}×{kernel} kernel with padding {padding} is larger than the {h}×{w} input"
                    )),
                }
            }
            (Self::MaxPool(k) | Self::AvgPool(k), &[c, h, w]) if h >= *k && w >= *k => Ok(vec![c, h / k, w / k]),
            (Self::MaxPool(k) | Self::AvgPool(k), &[_, h, w]) => {
                Err(format!("a {k}×{k} window is larger than the {h}×{w} input"))
            }
            (Self::Linear(n), &[_]) => Ok(vec![*n]),
            (Self::Linear(_), _) => {
                Err(format!("wants a flat input, found {}; put \"flatten\" before it", shape_text(input)))
            }
            (Self::MeanPool, &[c, _, _]) => Ok(vec![c, 1, 1]),
            (Self::Conv { .. } | Self::MaxPool(_) | Self::AvgPool(_) | Self::MeanPool, _) => {
                Err(format!("wants channels × height × width, found {}", shape_text(input)))
            }
            (Self::GroupNorm(groups), &[channels, ..]) if !channels.is_multiple_of(*groups) => {
                Err(format!("{groups} groups do not divide the {channels} channels of {}", shape_text(input)))
            }
            (Self::Flatten, _) => Ok(vec![input.iter().product()]),
            (Self::Residual { inner, project }, _) => block_shape(input, inner, project),
            (Self::Relu | Self::Sigmoid | Self::Tanh | Self::BatchNorm | Self::GroupNorm(_), _) => Ok(input.to_vec()),
        }
    }
}

/// What both branches of a residual block give.
fn block_shape(input: &[usize], inner: &[LayerSpec], project: &[LayerSpec]) -> Result<Vec<usize>, String> {
    let last = |layers: &[LayerSpec], what: &str| {
        let shapes = shapes(input, layers).map_err(|e| format!("{what}: {e}"))?;
        Ok::<_, String>(shapes.last().cloned().unwrap_or_else(|| input.to_vec()))
    };
    if inner.is_empty() {
        return Err("a residual block needs at least one layer inside".to_owned());
    }
    let (got, wanted) = (last(inner, "residual")?, last(project, "project")?);
    let (found, wanted_text) = (shape_text(&got), shape_text(&wanted));
    if got == wanted {
        Ok(got)
    } else if project.is_empty() {
        Err(format!(
            "the inner layers must keep the shape: wanted {wanted_text}, found {found}; or bring the skip connection to it \
             with project = […]"
        ))
    } else {
        Err(format!("the inner layers and project must give the same shape: found {found} and {wanted_text}"))
    }
}

/// `32×14×14`.
pub fn shape_text(shape: &[usize]) -> String {
    shape.iter().map(ToString::to_string).collect::<Vec<_>>().join("×")
}

/// The shape after every layer, without the batch; `shapes(..)[i]` is what layer `i` gives.
///
/// # Errors
/// Names the first layer that does not fit, what it wanted and what it found.
pub fn shapes(input: &[usize], layers: &[LayerSpec]) -> Result<Vec<Vec<usize>>> {
    let mut shape = input.to_vec();
    let mut all = Vec::with_capacity(layers.len());
    for (i, layer) in layers.iter().enumerate() {
        shape = layer.output_shape(&shape).map_err(|e| Error::input(format!("model.layers[{i}]: {e}")))?;
        all.push(shape.clone());
    }
    Ok(all)
}

/// Weights that training changes, biases included, of layers that see `input`.
///
/// # Errors
/// Names the first layer that does not fit.
pub fn weights(input: &[usize], layers: &[LayerSpec]) -> Result<usize> {
    let outputs = shapes(input, layers)?;
    let inputs = std::iter::once(input).chain(outputs.iter().map(Vec::as_slice));
    let of = |(layer, input): (&LayerSpec, &[usize])| {
        Ok(match layer {
            LayerSpec::Conv { channels, kernel, bias, .. } => {
                channels * (input[0] * kernel * kernel + usize::from(*bias))
            }
            LayerSpec::Linear(features) => features * (input[0] + 1),
            LayerSpec::BatchNorm | LayerSpec::GroupNorm(_) => 2 * input[0],
            LayerSpec::Residual { inner, project } => weights(input, inner)? + weights(input, project)?,
            _ => 0,
        })
    };
    layers.iter().zip(inputs).map(of).sum()
}

/// Whether a training batch must have two samples, because a batch normalisation sees a single position of each.
pub fn needs_two_samples(input: &[usize], layers: &[LayerSpec]) -> bool {
    let outputs = shapes(input, layers).unwrap_or_default();
    let inputs = std::iter::once(input).chain(outputs.iter().map(Vec::as_slice));
    layers.iter().zip(inputs).any(|(layer, input)| match layer {
        LayerSpec::BatchNorm => input[1..].iter().product::<usize>() == 1,
        LayerSpec::Residual { inner, project } => needs_two_samples(input, inner) || needs_two_samples(input, project),
        _ => false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Deserialize, Serialize, PartialEq)]
    struct Document {
        layers: Vec<LayerSpec>,
    }

    const EXAMPLE: &str = r#"layers = [{ conv = 8, kernel = 5, stride = 1, padding = 2 }, "relu", { maxpool = 2 },
        { residual = [{ conv = 8, kernel = 3, padding = 1 }, "relu"] }, "flatten", { linear = 10 }]"#;

    #[test]
    fn a_layer_list_reads_writes_and_infers_its_shapes() {
        let document: Document = toml::from_str(EXAMPLE).unwrap();
        let again: Document = toml::from_str(&toml::to_string(&document).unwrap()).unwrap();
        assert_eq!(document, again);
        let shapes = shapes(&[1, 28, 28], &document.layers).unwrap();
        assert_eq!(shapes, [vec![8, 28, 28], vec![8, 28, 28], vec![8, 14, 14], vec![8, 14, 14], vec![1568], vec![10]]);
    }

    const DEEP: &str = r#"layers = [{ conv = 4, kernel = 3, padding = 1, bias = false }, "batchnorm", "relu",
        { residual = [{ conv = 8, kernel = 3, stride = 2, padding = 1, bias = false }, { groupnorm = 4 }],
        project = [{ conv = 8, kernel = 1, stride = 2, bias = false }, "batchnorm"] }, "relu", "meanpool", "flatten",
        "batchnorm", { linear = 10 }]"#;

    #[test]
    fn normalised_and_projected_layers_read_write_and_have_words() {
        let document: Document = toml::from_str(DEEP).unwrap();
        let text = toml::to_string(&document).unwrap();
        assert_eq!(document, toml::from_str(&text).unwrap());
        assert_eq!(text.matches("bias = false").count(), 3);
        let shapes = shapes(&[1, 9, 7], &document.layers).unwrap();
        assert_eq!(shapes[2..6], [vec![4, 9, 7], vec![8, 5, 4], vec![8, 5, 4], vec![8, 1, 1]]);
        let words: Vec<String> = document.layers.iter().map(LayerSpec::words).collect();
        assert_eq!(
            [&words[1], &words[3], &words[5]],
            ["batch norm", "residual block, projected", "mean over positions"]
        );
        let LayerSpec::Residual { inner, .. } = &document.layers[3] else { panic!("a block") };
        assert_eq!([inner[0].words(), inner[1].words()], ["conv 3×3, 8, step 2", "group norm 4"]);
    }

    #[test]
    fn blocks_and_norms_that_do_not_fit_say_so() {
        let told = |layers: &str| {
            let document: Document = toml::from_str(&format!("layers = {layers}")).unwrap();
            shapes(&[4, 8, 8], &document.layers).unwrap_err().to_string()
        };
        assert_eq!(told("[{ groupnorm = 3 }]"), "model.layers[0]: 3 groups do not divide the 4 channels of 4×8×8");
        assert!(told("[\"flatten\", \"meanpool\"]").contains("wants channels × height × width, found 256"));
        let halved = "residual = [{ conv = 4, kernel = 3, stride = 2, padding = 1 }]";
        assert!(told(&format!("[{{ {halved} }}]")).contains("wanted 4×8×8, found 4×4×4; or bring"));
        let project = "project = [{ conv = 8, kernel = 1, stride = 2 }]";
        assert!(told(&format!("[{{ {halved}, {project} }}]")).ends_with("found 4×4×4 and 8×4×4"));
        assert!(told("[{ residual = [] }]").contains("at least one layer inside"));
    }

    #[test]
    fn an_error_names_the_layer_what_it_wanted_and_what_it_found() {
        let layers: Document = toml::from_str(r#"layers = ["relu", { linear = 10 }]"#).unwrap();
        let error = shapes(&[1, 8, 8], &layers.layers).unwrap_err().to_string();
        assert_eq!(error, "model.layers[1]: wants a flat input, found 1×8×8; put \"flatten\" before it");
        let kernel: Document = toml::from_str("layers = [{ conv = 1, kernel = 9 }]").unwrap();
        assert!(shapes(&[1, 8, 8], &kernel.layers).unwrap_err().to_string().contains("larger than the 8×8 input"));
        for wrong in [
            "[\"rely\"]",
            "[{ conv = 8 }]",
            "[{ linear = 0 }]",
            "[{ maxpool = 2, stride = 1 }]",
            "[{ pool = 2 }]",
            "[{ groupnorm = 0 }]",
            "[{ conv = 8, kernel = 1, bias = 0 }]",
            "[{ residual = [\"relu\"], project = [\"rely\"] }]",
        ] {
            assert!(toml::from_str::<Document>(&format!("layers = {wrong}")).is_err(), "{wrong}");
        }
    }
}

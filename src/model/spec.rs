//! The layer list: what a user writes, and the shapes that follow from it.
//!
//! `layers = [{ conv = 8, kernel = 5, padding = 2 }, "relu", { maxpool = 2 }, "flatten", { linear = 10 }]`

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// One layer. Every entry of the list counts, those without weights too.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "RawLayer", into = "RawLayer")]
pub enum LayerSpec {
    /// Two-dimensional convolution with bias.
    Conv {
        /// Output channels.
        channels: usize,
        /// Side of the square kernel.
        kernel: usize,
        /// Step between outputs.
        stride: usize,
        /// Zeros added on each side.
        padding: usize,
    },
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
    /// (C, H, W) to (C·H·W).
    Flatten,
    /// Fully connected layer with bias: output features.
    Linear(usize),
    /// x + inner(x); the inner layers keep the shape.
    Residual(Vec<LayerSpec>),
}

/// The layer as TOML has it: a bare word or an inline table.
#[derive(Clone, Serialize, Deserialize)]
#[serde(untagged)]
enum RawLayer {
    Word(String),
    Table(toml::Table),
}

const WORDS: [&str; 4] = ["relu", "sigmoid", "tanh", "flatten"];
const KEYS: [&str; 5] = ["conv", "maxpool", "avgpool", "linear", "residual"];

impl TryFrom<RawLayer> for LayerSpec {
    type Error = String;

    fn try_from(raw: RawLayer) -> Result<Self, String> {
        match raw {
            RawLayer::Word(word) => Ok(match word.as_str() {
                "relu" => Self::Relu,
                "sigmoid" => Self::Sigmoid,
                "tanh" => Self::Tanh,
                "flatten" => Self::Flatten,
                _ => return Err(unknown_layer(&word)),
            }),
            RawLayer::Table(table) => Self::from_table(table),
        }
    }
}

fn unknown_layer(word: &str) -> String {
    let all = WORDS.iter().map(|w| format!("\"{w}\"")).chain(KEYS.iter().map(|k| format!("{{ {k} = … }}")));
    format!("unknown layer \"{word}\"; allowed: {}", all.collect::<Vec<_>>().join(", "))
}

impl LayerSpec {
    fn from_table(mut table: toml::Table) -> Result<Self, String> {
        let kind = KEYS.into_iter().find(|key| table.contains_key(*key));
        let Some(kind) = kind else {
            return Err(unknown_layer(&table.keys().cloned().collect::<Vec<_>>().join(" ")));
        };
        let value = table.remove(kind).expect("the key was just found");
        let layer = match kind {
            "conv" => Self::Conv {
                channels: count(kind, &value)?,
                kernel: table
                    .remove("kernel")
                    .map_or(Err("a conv layer needs `kernel`".to_owned()), |v| count("kernel", &v))?,
                stride: table.remove("stride").map_or(Ok(1), |v| count("stride", &v))?,
                padding: table.remove("padding").map_or(Ok(0), |v| whole("padding", &v))?,
            },
            "maxpool" => Self::MaxPool(count(kind, &value)?),
            "avgpool" => Self::AvgPool(count(kind, &value)?),
            "linear" => Self::Linear(count(kind, &value)?),
            _ => Self::Residual(value.try_into().map_err(|e: toml::de::Error| format!("residual: {}", e.message()))?),
        };
        match table.keys().next() {
            Some(extra) => Err(format!("a {kind} layer has no `{extra}`")),
            None => Ok(layer),
        }
    }

    /// What it is, in a word or two: `conv 3×3, 16`.
    pub fn words(&self) -> String {
        match self {
            Self::Conv { channels, kernel, .. } => format!("conv {kernel}×{kernel}, {channels}"),
            Self::Relu => "relu".to_owned(),
            Self::Sigmoid => "sigmoid".to_owned(),
            Self::Tanh => "tanh".to_owned(),
            Self::MaxPool(side) => format!("max-pool {side}"),
            Self::AvgPool(side) => format!("mean-pool {side}"),
            Self::Flatten => "flatten".to_owned(),
            Self::Linear(features) => format!("linear {features}"),
            Self::Residual(_) => "residual block".to_owned(),
        }
    }

    /// The output's shape without the batch: `[C, H, W]` or `[features]`.
    ///
    /// # Errors
    /// Says what the layer wanted and what it found.
    pub fn output_shape(&self, input: &[usize]) -> Result<Vec<usize>, String> {
        match (self, input) {
            (Self::Conv { channels, kernel, stride, padding }, &[_, h, w]) => {
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
            (Self::Conv { .. } | Self::MaxPool(_) | Self::AvgPool(_), _) => {
                Err(format!("wants channels × height × width, found {}", shape_text(input)))
            }
            (Self::Flatten, _) => Ok(vec![input.iter().product()]),
            (Self::Residual(inner), _) => {
                let shapes = shapes(input, inner).map_err(|e| e.to_string())?;
                match shapes.last() {
                    Some(last) if last == input => Ok(last.clone()),
                    Some(last) => Err(format!(
                        "the inner layers must keep the shape: wanted {}, found {}",
                        shape_text(input),
                        shape_text(last)
                    )),
                    None => Err("a residual block needs at least one layer inside".to_owned()),
                }
            }
            (Self::Relu | Self::Sigmoid | Self::Tanh, _) => Ok(input.to_vec()),
        }
    }
}

fn whole(key: &str, value: &toml::Value) -> Result<usize, String> {
    let limit = 65_536;
    match value.as_integer().and_then(|n| usize::try_from(n).ok()) {
        Some(n) if n <= limit => Ok(n),
        _ => Err(format!("`{key}` = {value}: allowed is a whole number up to {limit}")),
    }
}

fn count(key: &str, value: &toml::Value) -> Result<usize, String> {
    match whole(key, value)? {
        0 => Err(format!("`{key}` = 0: must be at least 1")),
        n => Ok(n),
    }
}

impl From<LayerSpec> for RawLayer {
    fn from(layer: LayerSpec) -> Self {
        let number = |n: usize| toml::Value::Integer(i64::try_from(n).unwrap_or(i64::MAX));
        let table = |key: &str, value: toml::Value| {
            let mut table = toml::Table::new();
            table.insert(key.to_owned(), value);
            table
        };
        match layer {
            LayerSpec::Relu => Self::Word("relu".to_owned()),
            LayerSpec::Sigmoid => Self::Word("sigmoid".to_owned()),
            LayerSpec::Tanh => Self::Word("tanh".to_owned()),
            LayerSpec::Flatten => Self::Word("flatten".to_owned()),
            LayerSpec::MaxPool(k) => Self::Table(table("maxpool", number(k))),
            LayerSpec::AvgPool(k) => Self::Table(table("avgpool", number(k))),
            LayerSpec::Linear(n) => Self::Table(table("linear", number(n))),
            LayerSpec::Conv { channels, kernel, stride, padding } => {
                let mut conv = table("conv", number(channels));
                for (key, value) in [("kernel", kernel), ("stride", stride), ("padding", padding)] {
                    conv.insert(key.to_owned(), number(value));
                }
                Self::Table(conv)
            }
            LayerSpec::Residual(inner) => {
                let inner = inner.into_iter().map(|layer| match Self::from(layer) {
                    Self::Word(word) => toml::Value::String(word),
                    Self::Table(table) => toml::Value::Table(table),
                });
                Self::Table(table("residual", toml::Value::Array(inner.collect())))
            }
        }
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

    #[test]
    fn an_error_names_the_layer_what_it_wanted_and_what_it_found() {
        let layers: Document = toml::from_str(r#"layers = ["relu", { linear = 10 }]"#).unwrap();
        let error = shapes(&[1, 8, 8], &layers.layers).unwrap_err().to_string();
        assert_eq!(error, "model.layers[1]: wants a flat input, found 1×8×8; put \"flatten\" before it");
        let kernel: Document = toml::from_str("layers = [{ conv = 1, kernel = 9 }]").unwrap();
        assert!(shapes(&[1, 8, 8], &kernel.layers).unwrap_err().to_string().contains("larger than the 8×8 input"));
        for wrong in
            ["[\"rely\"]", "[{ conv = 8 }]", "[{ linear = 0 }]", "[{ maxpool = 2, stride = 1 }]", "[{ pool = 2 }]"]
        {
            assert!(toml::from_str::<Document>(&format!("layers = {wrong}")).is_err(), "{wrong}");
        }
    }
}

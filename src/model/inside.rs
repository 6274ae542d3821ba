//! A client looked into: how each number that its last convolution gives comes about, product by product.

use std::collections::BTreeMap;

use candle_core::{Device, Tensor};

use super::network::{Layer, Network};
use super::parameters::Parameters;
use super::spec::LayerSpec;
use crate::engine::norm::Tail;
use crate::error::{Error, Result};

/// A client as it was for one image, as plain numbers: its layers, their weights and what entered the first of them.
/// Later training does not touch it.
#[derive(Clone, Debug, PartialEq)]
pub struct Inside {
    layers: Vec<LayerSpec>,
    input: Planes,
    weights: BTreeMap<String, (Vec<usize>, Vec<f32>)>,
}

/// Numbers in planes, channel by channel, row by row; a vector is one row.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Planes {
    /// Channels, height, width.
    pub shape: [usize; 3],
    /// C·H·W values.
    pub values: Vec<f32>,
}

/// The kernels of one convolution.
#[derive(Clone, Debug, PartialEq)]
pub struct Kernels {
    /// Which of the client's layers it is, from 0.
    pub layer: usize,
    /// What it is, in a word or two.
    pub words: String,
    /// Output channels, input channels, and the kernel's side twice.
    pub shape: [usize; 4],
    /// The weights, output channel by output channel.
    pub weights: Vec<f32>,
}

/// What a client turned out to be made of.
#[derive(Clone, Debug)]
pub struct Opened {
    /// The kernels that see the image; none where the first layers have none.
    pub first: Option<Kernels>,
    /// The convolution behind what the client sends, or why it is not one alone, as a sentence.
    pub last: Result<LastConvolution, String>,
}

/// The last convolution of a client, what entered it, and what became of its outputs.
#[derive(Clone, Debug)]
pub struct LastConvolution {
    /// Its kernels.
    pub kernels: Kernels,
    bias: Vec<f32>,
    stride: usize,
    padding: usize,
    input: Planes,
    output: Planes,
    after: Vec<Stage>,
}

/// A layer behind the last convolution, and what it gave.
#[derive(Clone, Debug)]
struct Stage {
    spec: LayerSpec,
    output: Planes,
}

/// One number on its way out of the client.
#[derive(Clone, Debug, PartialEq)]
pub struct Explanation {
    /// Channel, row and column of the convolution's output that it is from: of a pooling window, the one that won, or the
    /// first where the mean is taken.
    pub at: [usize; 3],
    /// Row and column of the input at which the patch begins; below 0 in the padding.
    pub corner: [isize; 2],
    /// What each input channel adds, in their order.
    pub inputs: Vec<Input>,
    /// What is added to the sum of all of them.
    pub bias: f32,
    /// The convolution's output there.
    pub convolved: f32,
    /// What the layers behind it make of that, in their order.
    pub steps: Vec<Step>,
    /// What leaves the client's layers.
    pub value: f32,
}

/// What one input channel adds: patch ⊙ kernel, summed.
#[derive(Clone, Debug, PartialEq)]
pub struct Input {
    /// The channel.
    pub channel: usize,
    /// K·K values of the input, row by row; 0 in the padding.
    pub patch: Vec<f32>,
    /// K·K weights.
    pub kernel: Vec<f32>,
    /// Their products.
    pub products: Vec<f32>,
    /// The sum of these.
    pub sum: f32,
}

/// One layer behind the convolution.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// What it is, in a word or two.
    pub words: String,
    /// The values of the pooling window, row by row; empty where nothing is pooled.
    pub window: Vec<f32>,
    /// What it gives.
    pub value: f32,
}

impl Planes {
    /// One sample, (1, C, H, W) or (1, features).
    fn of(t: &Tensor) -> Result<Self> {
        let shape = match t.dims() {
            &[1, c, h, w] => [c, h, w],
            &[1, n] => [1, 1, n],
            other => return Err(Error::Internal(format!("{other:?} is not one sample's numbers"))),
        };
        Ok(Self { shape, values: t.flatten_all()?.to_vec1()? })
    }

    fn at(&self, [c, y, x]: [usize; 3]) -> f32 {
        let [_, h, w] = self.shape;
        self.values[(c * h + y) * w + x]
    }
}

impl Kernels {
    /// The weights from input channel `input` to output channel `output`, row by row; empty where there is no such
    /// channel.
    pub fn of(&self, output: usize, input: usize) -> &[f32] {
        let [outputs, inputs, height, width] = self.shape;
        if output >= outputs || input >= inputs {
            return &[];
        }
        let size = height * width;
        &self.weights[(output * inputs + input) * size..][..size]
    }
}

impl Inside {
    /// A client with these layers and weights (`client.0.weight` and so on; others are left out), into which `input`
    /// (1, C, H, W) went.
    ///
    /// # Errors
    /// Returns an error if there is no memory left.
    pub fn of<'a>(
        layers: &[LayerSpec],
        weights: impl IntoIterator<Item = (&'a String, &'a Tensor)>,
        input: &Tensor,
    ) -> Result<Self> {
        let own = |name: &str| {
            name.strip_prefix("client.").is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
        };
        let plain =
            |(name, t): (&String, &Tensor)| Ok((name.clone(), (t.dims().to_vec(), t.flatten_all()?.to_vec1()?)));
        let weights = weights.into_iter().filter(|(name, _)| own(name)).map(plain).collect::<Result<_>>()?;
        Ok(Self { layers: layers.to_vec(), input: Planes::of(input)?, weights })
    }

    /// Runs the layers once more, one by one, and keeps what the last convolution got and gave.
    ///
    /// # Errors
    /// Returns an error if the weights are not of these layers.
    pub fn open(&self) -> Result<Opened> {
        let mut tensors = BTreeMap::new();
        for (name, (shape, values)) in &self.weights {
            tensors.insert(name.clone(), Tensor::from_slice(values, shape.as_slice(), &Device::Cpu)?);
        }
        let network = Network::of("client", &self.layers, &Parameters::of(tensors)?)?.frozen();
        let kernels = |(layer, spec): (usize, &Layer)| match spec {
            Layer::Conv { weight, .. } => Some(Kernels::read(layer, self.layers[layer].words(), weight)),
            _ => None,
        };
        let first = network.layers().iter().enumerate().find_map(kernels).transpose()?;
        let last = match self.last_convolution() {
            Ok(at) => Ok(self.follow(&network, at)?),
            Err(why) => Err(why),
        };
        Ok(Opened { first, last })
    }

    /// Which layer the last convolution is; an error says why what is sent is not from one alone.
    fn last_convolution(&self) -> Result<usize, String> {
        let told = |i: usize, what: &str| Err(format!("Layer {} is {what}: not a plain convolution.", i + 1));
        for (i, layer) in self.layers.iter().enumerate().rev() {
            match layer {
                LayerSpec::Conv { .. } => return Ok(i),
                LayerSpec::Residual { .. } => return told(i, "a residual block, the sum of two paths"),
                LayerSpec::Linear(_) => return told(i, "fully connected, a sum over everything before it"),
                _ => {}
            }
        }
        Err("There is no convolution before the cut.".to_owned())
    }

    fn follow(&self, network: &Network, at: usize) -> Result<LastConvolution> {
        let [c, h, w] = self.input.shape;
        let mut x = Tensor::from_slice(&self.input.values, (1, c, h, w), &Device::Cpu)?;
        for layer in &network.layers()[..at] {
            x = layer.forward(&x, Tail::default())?;
        }
        let Layer::Conv { weight, bias, stride, padding, .. } = &network.layers()[at] else {
            return Err(Error::Internal(format!("layer {at} is no convolution")));
        };
        let input = Planes::of(&x)?;
        x = network.layers()[at].forward(&x, Tail::default())?;
        let output = Planes::of(&x)?;
        let mut after = Vec::new();
        for (layer, spec) in network.layers().iter().zip(&self.layers).skip(at + 1) {
            x = layer.forward(&x, Tail::default())?;
            after.push(Stage { spec: spec.clone(), output: Planes::of(&x)? });
        }
        let kernels = Kernels::read(at, self.layers[at].words(), weight)?;
        let (stride, padding) = (*stride, *padding);
        Ok(LastConvolution { kernels, bias: bias.to_vec1()?, stride, padding, input, output, after })
    }
}

impl Kernels {
    fn read(layer: usize, words: String, weight: &Tensor) -> Result<Self> {
        let (o, c, h, w) = weight.dims4()?;
        Ok(Self { layer, words, shape: [o, c, h, w], weights: weight.flatten_all()?.to_vec1()? })
    }
}

impl LastConvolution {
    /// What entered it: the image as the first layer sees it, or what the layers before made of it.
    pub fn input(&self) -> &Planes {
        &self.input
    }

    /// What leaves the client's layers, before a defence does anything to it.
    pub fn sent(&self) -> &Planes {
        self.after.last().map_or(&self.output, |stage| &stage.output)
    }

    /// How the number at `[channel, row, column]` of what is sent came about; none where there is no such place.
    pub fn explain(&self, at: [usize; 3]) -> Option<Explanation> {
        if at.iter().zip(self.sent().shape).any(|(at, side)| *at >= side) {
            return None;
        }
        // Back to where in the convolution's output it is from, then forth again with its value.
        let mut place = at;
        let mut places = Vec::with_capacity(self.after.len());
        for (i, stage) in self.after.iter().enumerate().rev() {
            let output = place;
            place = stage.source(output, self.before(i));
            places.push((output, place));
        }
        let (corner, inputs) = self.products(place);
        let bias = self.bias[place[0]];
        let sum: f64 = inputs.iter().map(|input| f64::from(input.sum)).sum();
        let convolved = (sum + f64::from(bias)) as f32;
        let mut value = convolved;
        let mut steps = Vec::new();
        for (i, (stage, (output, source))) in self.after.iter().zip(places.into_iter().rev()).enumerate() {
            let step = stage.step(value, output, source, self.before(i));
            value = step.value;
            if stage.spec != LayerSpec::Flatten {
                steps.push(step);
            }
        }
        Some(Explanation { at: place, corner, inputs, bias, convolved, steps, value })
    }

    /// What entered the layer `i` of those behind the convolution.
    fn before(&self, i: usize) -> &Planes {
        i.checked_sub(1).map_or(&self.output, |i| &self.after[i].output)
    }

    fn products(&self, [output, row, column]: [usize; 3]) -> ([isize; 2], Vec<Input>) {
        let [channels, height, width] = self.input.shape;
        let [_, _, side, _] = self.kernels.shape;
        let corner = [row, column].map(|at| (at * self.stride) as isize - self.padding as isize);
        let value = |channel: usize, i: usize| {
            let [y, x] = [corner[0] + (i / side) as isize, corner[1] + (i % side) as isize];
            let inside = (0..height as isize).contains(&y) && (0..width as isize).contains(&x);
            if inside { self.input.at([channel, y as usize, x as usize]) } else { 0.0 }
        };
        let input = |channel: usize| {
            let kernel = self.kernels.of(output, channel).to_vec();
            let patch: Vec<f32> = (0..side * side).map(|i| value(channel, i)).collect();
            let products: Vec<f32> = patch.iter().zip(&kernel).map(|(a, b)| a * b).collect();
            let sum = products.iter().map(|product| f64::from(*product)).sum::<f64>() as f32;
            Input { channel, patch, kernel, products, sum }
        };
        (corner, (0..channels).map(input).collect())
    }
}

impl Stage {
    /// The rows and columns of what entered it that are pooled into one place; none where nothing is pooled.
    fn window(&self, [_, row, column]: [usize; 3], before: &Planes) -> Option<Vec<[usize; 2]>> {
        let [_, h, w] = before.shape;
        let of = |rows: usize, columns: usize, top: usize, left: usize| {
            (0..rows * columns).map(|i| [top + i / columns, left + i % columns]).collect()
        };
        match self.spec {
            LayerSpec::MaxPool(side) | LayerSpec::AvgPool(side) => Some(of(side, side, row * side, column * side)),
            LayerSpec::MeanPool => Some(of(h, w, 0, 0)),
            _ => None,
        }
    }

    /// Which place of what entered it the number at a place of what it gave is from.
    fn source(&self, place: [usize; 3], before: &Planes) -> [usize; 3] {
        if self.spec == LayerSpec::Flatten {
            let [_, h, w] = before.shape;
            return [place[2] / (h * w), place[2] / w % h, place[2] % w];
        }
        let Some(window) = self.window(place, before) else { return place };
        let mut best = window[0];
        if let LayerSpec::MaxPool(_) = self.spec {
            for at in window {
                if before.at([place[0], at[0], at[1]]) > before.at([place[0], best[0], best[1]]) {
                    best = at;
                }
            }
        }
        [place[0], best[0], best[1]]
    }

    /// What it makes of `value`, which entered it at `source`.
    fn step(&self, value: f32, output: [usize; 3], source: [usize; 3], before: &Planes) -> Step {
        let window: Vec<f32> = self
            .window(output, before)
            .unwrap_or_default()
            .iter()
            .map(|at| before.at([source[0], at[0], at[1]]))
            .collect();
        let mean = || (window.iter().map(|v| f64::from(*v)).sum::<f64>() / window.len() as f64) as f32;
        let value = match self.spec {
            LayerSpec::Relu => value.max(0.0),
            LayerSpec::Sigmoid => 1.0 / (1.0 + (-value).exp()),
            LayerSpec::Tanh => value.tanh(),
            LayerSpec::MaxPool(_) | LayerSpec::Flatten => value,
            LayerSpec::AvgPool(_) | LayerSpec::MeanPool => mean(),
            // A normalisation depends on more than this number: as the layer gave it.
            _ => self.output.at(output),
        };
        Step { words: self.spec.words(), window, value }
    }
}

impl Explanation {
    /// The input channels that add most, by size, `most` of them at most; how many others there are, and their sum.
    pub fn strongest(&self, most: usize) -> (Vec<&Input>, usize, f32) {
        let mut all: Vec<&Input> = self.inputs.iter().collect();
        all.sort_by(|a, b| b.sum.abs().total_cmp(&a.sum.abs()));
        let others = all.split_off(most.min(all.len()));
        let sum: f64 = others.iter().map(|input| f64::from(input.sum)).sum();
        (all, others.len(), sum as f32)
    }
}

#[cfg(test)]
mod tests;

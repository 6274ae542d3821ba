//! The attacker's three networks, made to the shapes at the cut: of the published ones for 32×32 images and smashed data of
//! 4×4, whose widths are all multiples of 64.

use candle_core::Tensor;

use crate::error::{Error, Result};
use crate::model::network::Network;
use crate::model::parameters::{Init, Parameters};
use crate::model::spec::LayerSpec::{self, Conv, Flatten, Linear, Relu, Residual};

/// Residual blocks of the critic.
const BLOCKS: usize = 6;
/// The critic works on sides up to this.
const CRITIC_SIDE: usize = 4;
/// Sides above this are halved before a pilot's numbers are mixed to features.
const FLAT_SIDE: usize = 8;

/// A network with its weights.
pub struct Part {
    name: &'static str,
    specs: Vec<LayerSpec>,
    /// The layers.
    pub network: Network,
    /// Their weights.
    pub parameters: Parameters,
}

impl Part {
    fn new(name: &'static str, input: &[usize], specs: Vec<LayerSpec>, init: Init<'_>) -> Result<Self> {
        let mut parameters = Parameters::default();
        Network::init(name, input, &specs, &mut parameters, init)?;
        // As the authors' Keras draws them: at their rates of 1e-5, smaller ones cost hundreds of steps.
        parameters.draw_as_glorot(init)?;
        Ok(Self { network: Network::of(name, &specs, &parameters)?, parameters, name, specs })
    }
}

/// The pilot f̃, which is put in the client's place: from what enters a client to what leaves one.
pub struct Pilot {
    /// Network and weights.
    pub part: Part,
    /// Height and width that its images are padded to with zeros.
    pub sides: [usize; 2],
}

impl Pilot {
    /// From `input` (C, H, W) to the shape of smashed data, with `width` channels after the first layer; `ending` is what
    /// the client ends with, if that is no convolution or linear layer.
    ///
    /// # Errors
    /// Returns an error if the smashed data are neither (C, H, W) nor features.
    pub fn new(
        input: [usize; 3],
        smashed: &[usize],
        width: usize,
        ending: Option<&LayerSpec>,
        init: Init<'_>,
    ) -> Result<Self> {
        let [channels, h, w] = input;
        let wide = |halved: usize| width << halved.min(2);
        let (mut specs, sides) = match *smashed {
            [channels, height, width] => {
                let halvings = halvings(h, height).max(halvings(w, width));
                let mut specs: Vec<_> = (0..halvings).flat_map(|i| [conv(wide(i), 2), Relu]).collect();
                if halvings < 2 {
                    specs.extend([conv(wide(2), 1), Relu]);
                }
                specs.push(conv(channels, 1));
                (specs, [height << halvings, width << halvings])
            }
            [features] => {
                let halvings = halvings(h, FLAT_SIDE).max(halvings(w, FLAT_SIDE));
                let mut specs: Vec<_> = (0..halvings).flat_map(|i| [conv(wide(i), 2), Relu]).collect();
                specs.extend([Flatten, Linear(features)]);
                (specs, [h, w])
            }
            _ => return Err(Error::Internal(format!("smashed data of shape {smashed:?}"))),
        };
        specs.insert(0, Conv { channels, kernel: 1, stride: 1, padding: 0, bias: true });
        specs.extend(ending.cloned());
        let part = Part::new("pilot", &[channels, sides[0], sides[1]], specs, init)?;
        centre(&part.parameters, channels)?;
        Ok(Self { part, sides })
    }

    /// The same layers with other weights, for images that need no padding.
    ///
    /// # Errors
    /// Returns an error if a weight is missing.
    pub fn of(&self, weights: &Parameters) -> Result<Network> {
        Network::of(self.part.name, &self.part.specs, weights)
    }

    /// What it sends for what enters a client (N, C, H, W).
    ///
    /// # Errors
    /// Returns an error if the shapes do not fit.
    pub fn forward(&self, input: &Tensor) -> Result<Tensor> {
        let mut x = input.clone();
        for (side, wanted) in [(2, self.sides[0]), (3, self.sides[1])] {
            let more = wanted.saturating_sub(x.dim(side)?);
            x = x.pad_with_zeros(side, more / 2, more - more / 2)?;
        }
        self.part.network.forward(&x.contiguous()?)
    }
}

/// Has the first layer, of 1×1, map images in [0, 1] to [−1, 1], as the authors' are: where black is 0, a black margin hides
/// the first weights from their gradients, and at the published rates the pilot needs twice as many steps.
fn centre(pilot: &Parameters, channels: usize) -> Result<()> {
    let weight = pilot.get("pilot.0.weight")?;
    let doubled = Tensor::eye(channels, weight.dtype(), weight.device())?.affine(2.0, 0.0)?;
    weight.set(&doubled.reshape((channels, channels, 1, 1))?)?;
    let bias = pilot.get("pilot.0.bias")?;
    Ok(bias.set(&bias.ones_like()?.neg()?)?)
}

/// The critic D: smashed data (N, …) to scores (N, 1).
///
/// # Errors
/// Returns an error if the layers do not fit.
pub fn critic(smashed: &[usize], width: usize, init: Init<'_>) -> Result<Part> {
    let wide = 4 * width;
    let specs: Vec<LayerSpec> = match *smashed {
        [_, height, width] => {
            let halvings = halvings(height.max(width), CRITIC_SIDE);
            let block = Residual { inner: vec![Relu, conv(wide, 1), Relu, conv(wide, 1)], project: Vec::new() };
            let mut specs = vec![conv(wide, if halvings > 0 { 2 } else { 1 })];
            specs.extend((1..halvings).map(|_| conv(wide, 2)));
            specs.extend(vec![block; BLOCKS]);
            specs.extend([conv(wide, 2), Flatten, Linear(1)]);
            specs
        }
        _ => vec![Linear(4 * wide), Relu, Linear(4 * wide), Relu, Linear(1)],
    };
    Part::new("critic", smashed, specs, init)
}

/// A convolution of 3×3 that keeps the sides, or halves them.
fn conv(channels: usize, stride: usize) -> LayerSpec {
    Conv { channels, kernel: 3, stride, padding: 1, bias: true }
}

/// How often `from` has to be halved, after being padded where need be, to become `to`.
fn halvings(from: usize, to: usize) -> usize {
    (0..usize::BITS as usize).take_while(|n| (to.max(1) << n) < from).count()
}

//! The attacker's networks, made to the shapes at the cut.

use candle_core::{Device, Tensor};

use crate::engine::linear::linear;
use crate::engine::tape::{join, masked, reshape};
use crate::error::{Error, Result};
use crate::model::decoder::Decoder;
use crate::model::network::Network;
use crate::model::parameters::{Init, Parameters};
use crate::model::spec::LayerSpec::{self, Conv, Flatten, Linear, Relu};
use crate::random::Stream;

/// Channels of a discriminator's layers.
const WIDE: usize = 64;
/// The side that they bring images and smashed data down to.
const SIDE: usize = 4;
/// Share of a discriminator's features that are dropped in training.
const DROPPED: f64 = 0.4;

/// A label told to a network: for each class a plane of learnt numbers as one more channel, or as many more features as
/// there are classes.
pub struct Telling {
    classes: usize,
    shape: Vec<usize>,
}

impl Telling {
    /// Of so many classes, to a network whose input has this shape without the batch.
    fn new(name: &str, classes: usize, shape: &[usize], parameters: &mut Parameters, init: Init<'_>) -> Result<Self> {
        if let [_, height, width] = *shape {
            parameters.add(&format!("{name}.label"), &[height * width, classes], 1, init)?;
        }
        Ok(Self { classes, shape: shape.to_vec() })
    }

    /// The input's shape with the label.
    fn told(classes: usize, shape: &[usize]) -> Vec<usize> {
        match *shape {
            [channels, height, width] => vec![channels + 1, height, width],
            [features] => vec![features + classes],
            _ => shape.to_vec(),
        }
    }

    /// x (N, …) with the labels (N).
    fn tell(&self, name: &str, parameters: &Parameters, x: &Tensor, labels: &[u32]) -> Result<Tensor> {
        let which = one_hot(labels, self.classes, x.device())?;
        let [_, height, width] = *self.shape else { return Ok(join(x, &which, 1)?) };
        let get = |part| Ok::<_, Error>(parameters.get(&format!("{name}.label.{part}"))?.as_tensor().clone());
        let planes = linear(&which, &get("weight")?, &get("bias")?)?;
        Ok(join(x, &reshape(&planes, (labels.len(), 1, height, width))?, 1)?)
    }
}

/// (N, K) with a 1 at each label.
fn one_hot(labels: &[u32], classes: usize, device: &Device) -> Result<Tensor> {
    let mut rows = vec![0f32; labels.len() * classes];
    labels.iter().zip(rows.chunks_exact_mut(classes)).for_each(|(label, row)| row[*label as usize] = 1.0);
    Ok(Tensor::from_vec(rows, (labels.len(), classes), device)?)
}

/// Tells the victim's from the attacker's own, given what they show: a logit for each.
pub struct Discriminator {
    name: &'static str,
    telling: Telling,
    features: Network,
    /// Its weights.
    pub parameters: Parameters,
}

impl Discriminator {
    /// Of images or smashed data of this shape, without the batch.
    ///
    /// # Errors
    /// Returns an error if the layers do not fit.
    pub fn new(name: &'static str, classes: usize, shape: &[usize], init: Init<'_>) -> Result<Self> {
        let mut parameters = Parameters::default();
        let telling = Telling::new(name, classes, shape, &mut parameters, init)?;
        let told = Telling::told(classes, shape);
        let specs: Vec<LayerSpec> = match *shape {
            [_, height, width] => {
                let halvings = (0..usize::BITS as usize).take_while(|n| SIDE << n < height.max(width)).count();
                let conv = |stride| Conv { channels: WIDE, kernel: 3, stride, padding: 1, bias: true };
                let mut specs = vec![conv(1), Relu];
                specs.extend((0..halvings).flat_map(|_| [conv(2), Relu]));
                specs.push(Flatten);
                specs
            }
            _ => vec![Linear(4 * WIDE), Relu, Linear(4 * WIDE), Relu],
        };
        let out = crate::model::spec::shapes(&told, &specs).map_err(|e| Error::Internal(e.to_string()))?;
        let features = out.last().map_or(0, |shape| shape.iter().product());
        Network::init(name, &told, &specs, &mut parameters, init)?;
        parameters.add(&format!("{name}.score"), &[1, features], features, init)?;
        Ok(Self { name, telling, features: Network::of(name, &specs, &parameters)?, parameters })
    }

    /// Logits (N, 1) in training: some features are dropped, drawn from `stream`.
    ///
    /// # Errors
    /// Returns an error if the shapes do not fit.
    pub fn forward(&self, x: &Tensor, labels: &[u32], stream: &mut Stream) -> Result<Tensor> {
        let x = self.telling.tell(self.name, &self.parameters, x, labels)?;
        let features = self.features.forward(&x)?;
        let kept: Vec<f32> = (0..features.elem_count())
            .map(|_| if stream.uniform(0.0, 1.0) < DROPPED { 0.0 } else { (1.0 / (1.0 - DROPPED)) as f32 })
            .collect();
        let mask = Tensor::from_vec(kept, features.shape(), features.device())?;
        let get =
            |part| Ok::<_, Error>(self.parameters.get(&format!("{}.score.{part}", self.name))?.as_tensor().clone());
        Ok(linear(&masked(&features, &mask)?, &get("weight")?, &get("bias")?)?)
    }
}

/// The decoder, which is told what an image shows.
pub struct TellingDecoder {
    telling: Telling,
    labels: Parameters,
    decoder: Decoder,
}

impl TellingDecoder {
    /// From smashed data of this shape, without the batch, to images (C, H, W).
    ///
    /// # Errors
    /// Returns an error if the smashed data are neither (C, H, W) nor features.
    pub fn new(classes: usize, smashed: &[usize], image: [usize; 3], init: Init<'_>) -> Result<Self> {
        let mut labels = Parameters::default();
        let telling = Telling::new("decoder", classes, smashed, &mut labels, init)?;
        let decoder = Decoder::new(&Telling::told(classes, smashed), image, init)?;
        Ok(Self { telling, labels, decoder })
    }

    /// Smashed data (N, …) and what they show (N) to images (N, C, H, W).
    ///
    /// # Errors
    /// Returns an error if the shapes do not fit.
    pub fn forward(&self, z: &Tensor, labels: &[u32]) -> Result<Tensor> {
        self.decoder.forward(&self.telling.tell("decoder", &self.labels, z, labels)?)
    }

    /// Its weights.
    pub fn parameters(&self) -> [&Parameters; 2] {
        [&self.labels, self.decoder.parameters()]
    }
}

/// The simulator e: the client's architecture, with weights of the attacker's.
pub struct Simulator {
    layers: Vec<LayerSpec>,
    /// In training.
    pub network: Network,
    /// Its weights.
    pub parameters: Parameters,
}

impl Simulator {
    /// Of these layers, with fresh weights, for what enters a client (C, H, W).
    ///
    /// # Errors
    /// Returns an error if the layers do not fit.
    pub fn new(input: [usize; 3], layers: &[LayerSpec], init: Init<'_>) -> Result<Self> {
        let mut parameters = Parameters::default();
        Network::init("simulator", &input, layers, &mut parameters, init)?;
        let network = Network::of("simulator", layers, &parameters)?;
        Ok(Self { layers: layers.to_vec(), network, parameters })
    }

    /// The same layers with other weights.
    ///
    /// # Errors
    /// Returns an error if a weight is missing.
    pub fn of(&self, weights: &Parameters) -> Result<Network> {
        Network::of("simulator", &self.layers, weights)
    }
}

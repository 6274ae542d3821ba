//! A client of the attacker's own making: fitted to pairs of images and smashed data, so that attacks which look into the
//! client work where neither its layers nor its weights are known. It imitates whatever stood before the wire, a home-made
//! defence too, as far as a network of this size can.

use candle_core::Tensor;

use crate::data::Part;
use crate::engine::loss::carry_on;
use crate::engine::tape::Tape;
use crate::error::{Error, Result};
use crate::model::adam::{Adam, AdamSettings};
use crate::model::network::Network;
use crate::model::parameters::{Init, Parameters};
use crate::model::spec::LayerSpec::{self, Conv, Flatten, Linear, MaxPool, Relu};
use crate::random::Seed;

/// Channels of its own.
const WIDE: usize = 32;
/// Steps at least, and passes over the pairs at least.
const PLANNED: [usize; 2] = [600, 10];
const BATCH: usize = 32;
const RATE: f64 = 2e-3;
/// Share of the pairs on which it is measured.
const HELD_OUT: f64 = 0.1;

/// A surrogate at work.
pub struct Surrogate {
    images: Part,
    pairs: Tensor,
    layers: Vec<LayerSpec>,
    parameters: Parameters,
    network: Network,
    adam: Adam,
    seed: Seed,
    order: Vec<usize>,
    step: usize,
    loss: f64,
}

impl Surrogate {
    /// Nothing fitted yet, to pairs of images and smashed data (N, …); of the client's own layers, where those are known.
    ///
    /// # Errors
    /// Returns an error if there are fewer than two pairs, or no such network makes such smashed data of such images.
    pub fn new(images: &Part, pairs: &Tensor, known: &[LayerSpec], seed: Seed) -> Result<Self> {
        if images.len() < 2 {
            return Err(Error::input("a surrogate of the client needs two pairs of images and smashed data or more"));
        }
        let layers = if known.is_empty() {
            layers(images.shape(), &pairs.dims()[1..], nowhere_negative(pairs)?)?
        } else {
            known.to_vec()
        };
        let mut parameters = Parameters::default();
        let init = Init { seed, model: "surrogate", device: pairs.device() };
        Network::init("client", &images.shape(), &layers, &mut parameters, init)?;
        let network = Network::of("client", &layers, &parameters)?;
        let adam = Adam::new(&parameters, AdamSettings::new(RATE));
        let (images, pairs) = (images.clone(), pairs.clone());
        Ok(Self { images, pairs, layers, parameters, network, adam, seed, order: Vec::new(), step: 0, loss: f64::NAN })
    }

    fn fitted_to(&self) -> usize {
        let n = self.images.len();
        n - ((n as f64 * HELD_OUT) as usize).clamp(1, n - 1)
    }

    /// Steps done and planned.
    pub fn progress(&self) -> (usize, usize) {
        let [steps, passes] = PLANNED;
        (self.step, steps.max(passes * self.fitted_to().div_ceil(BATCH)))
    }

    /// One step; true once it is fitted.
    ///
    /// # Errors
    /// Returns an error if its numbers stop being finite.
    pub fn advance(&mut self) -> Result<bool> {
        let (done, planned) = self.progress();
        if done == planned {
            return Ok(true);
        }
        let an_epoch = self.fitted_to().div_ceil(BATCH);
        let (epoch, within) = (self.step / an_epoch, self.step % an_epoch);
        if within == 0 {
            self.order = self.seed.stream("surrogate", epoch as u64).permutation(self.fitted_to());
        }
        let rows: Vec<usize> = self.order.chunks(BATCH).nth(within).unwrap_or_default().to_vec();
        // The rate falls to a tenth, in a straight line.
        self.adam.settings.rate = RATE * (1.0 - 0.9 * done as f64 / planned as f64);
        let (x, wanted) = self.batch(&rows)?;
        let mut tape = Tape::default();
        let got = tape.record(|| self.network.forward(&x))?;
        let apart = (got.detach() - wanted)?;
        self.loss = f64::from(apart.sqr()?.mean_all()?.to_scalar::<f32>()?);
        if !self.loss.is_finite() {
            return Err(Error::Diverged(format!("the surrogate's loss is {} at step {}", self.loss, self.step)));
        }
        let end = tape.record(|| carry_on(&got, &(&apart * (2.0 / apart.elem_count() as f64))?))?;
        self.adam.step(&tape.backward(&end)?)?;
        self.step += 1;
        Ok(false)
    }

    fn batch(&self, rows: &[usize]) -> Result<(Tensor, Tensor)> {
        let device = self.pairs.device();
        let index: Vec<u32> = rows.iter().map(|row| *row as u32).collect();
        let wanted = self.pairs.index_select(&Tensor::new(index.as_slice(), device)?, 0)?;
        Ok((self.images.tensor_of(rows, device)?, wanted))
    }

    /// The surrogate, to be looked into.
    ///
    /// # Errors
    /// Where there is no memory left.
    pub fn network(&self) -> Result<Network> {
        Network::of("client", &self.layers, &self.parameters).map(|network| network.frozen())
    }

    /// How much of the variance of smashed data that were held out it explains: 1 is all, 0 no more than their mean does.
    ///
    /// # Errors
    /// Where there is no memory left.
    pub fn explained(&self) -> Result<f64> {
        let held: Vec<usize> = (self.fitted_to()..self.images.len()).collect();
        let (x, truth) = self.batch(&held)?;
        let square = |t: Tensor| Ok::<_, Error>(f64::from(t.sqr()?.mean_all()?.to_scalar::<f32>()?));
        let mean = self.pairs.narrow(0, 0, self.fitted_to())?.mean_keepdim(0)?;
        let apart = square((self.network()?.forward(&x)?.detach() - &truth)?)?;
        Ok(1.0 - apart / square(truth.broadcast_sub(&mean)?)?.max(f64::MIN_POSITIVE))
    }
}

/// Whether a relu may stand at the end.
fn nowhere_negative(pairs: &Tensor) -> Result<bool> {
    Ok(pairs.min_all()?.to_scalar::<f32>()? >= 0.0)
}

/// Layers from such images to such smashed data: convolutions, a halving for each that the client did, and what is left over
/// by a convolution without a rim.
fn layers([_, h, w]: [usize; 3], smashed: &[usize], relu: bool) -> Result<Vec<LayerSpec>> {
    let conv = |channels, kernel, padding| Conv { channels, kernel, stride: 1, padding, bias: true };
    let mut layers = vec![conv(WIDE, 3, 1), Relu];
    match *smashed {
        [channels, height, width] => {
            let (mut rows, mut columns) = (h, w);
            while rows / 2 >= height && columns / 2 >= width {
                layers.extend([MaxPool(2), conv(WIDE, 3, 1), Relu]);
                (rows, columns) = (rows / 2, columns / 2);
            }
            if rows < height || columns < width || rows - height != columns - width {
                return Err(Error::input(format!(
                    "no surrogate makes smashed data of shape {smashed:?} of images of {h} × {w}: give the client's layers"
                )));
            }
            let rim = rows - height;
            layers.push(if rim == 0 { conv(channels, 3, 1) } else { conv(channels, rim + 1, 0) });
        }
        [features] => {
            for _ in 0..2 {
                if h.min(w) >= 8 {
                    layers.extend([MaxPool(2), conv(WIDE, 3, 1), Relu]);
                }
            }
            layers.extend([Flatten, Linear(features)]);
        }
        _ => return Err(Error::input(format!("no surrogate makes smashed data of shape {smashed:?}"))),
    }
    layers.extend(relu.then_some(Relu));
    Ok(layers)
}

#[cfg(test)]
mod tests {
    use candle_core::Device;

    use super::*;
    use crate::data;
    use crate::model::spec::shapes;

    #[test]
    fn there_are_layers_for_every_usual_cut() {
        for (image, smashed) in [
            ([1, 28, 28], &[16, 28, 28][..]),
            ([1, 28, 28], &[32, 14, 14]),
            ([1, 28, 28], &[8, 24, 24]),
            ([1, 28, 28], &[16, 4, 4]),
            ([3, 64, 64], &[64, 16, 16]),
            ([1, 28, 28], &[64]),
        ] {
            let layers = layers(image, smashed, true).unwrap_or_else(|e| panic!("{smashed:?}: {e}"));
            assert_eq!(shapes(&image, &layers).unwrap().pop().unwrap(), smashed);
        }
        assert!(layers([1, 28, 28], &[1, 56, 56], true).unwrap_err().to_string().contains("no surrogate makes"));
    }

    #[test]
    fn it_comes_to_send_what_the_client_sends() {
        let images = data::built_in("mnist").unwrap().train.take(200);
        let conv = Conv { channels: 4, kernel: 3, stride: 1, padding: 1, bias: true };
        let victim = [conv, Relu, MaxPool(2)];
        let mut parameters = Parameters::default();
        let init = Init { seed: Seed(5), model: "victim", device: &Device::Cpu };
        Network::init("client", &[1, 28, 28], &victim, &mut parameters, init).unwrap();
        let client = Network::of("client", &victim, &parameters).unwrap().frozen();
        let pairs = client.forward(&images.tensor(&Device::Cpu).unwrap()).unwrap();
        let mut surrogate = Surrogate::new(&images, &pairs, &[], Seed(0)).unwrap();
        for _ in 0..120 {
            assert!(!surrogate.advance().unwrap());
        }
        let explained = surrogate.explained().unwrap();
        assert!(explained > 0.8, "{explained}");
    }
}

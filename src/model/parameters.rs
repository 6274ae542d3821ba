//! Named weights of one party.

use std::collections::{BTreeMap, BTreeSet};

use candle_core::{Device, Tensor, Var};

use crate::error::{Error, Result};
use crate::random::Seed;

/// Weights by name (`client.0.weight`), in the order of their names, and with them running statistics
/// (`client.1.running_mean`), which belong to the model and no optimiser trains.
#[derive(Clone, Debug, Default)]
pub struct Parameters {
    vars: BTreeMap<String, Var>,
    /// Names of the statistics.
    statistics: BTreeSet<String>,
}

/// Where the values of new weights come from.
#[derive(Clone, Copy, Debug)]
pub struct Init<'a> {
    /// The experiment's seed.
    pub seed: Seed,
    /// Prefix of the stream's name, so that two models of one run start differently.
    pub model: &'a str,
    /// Where the weights live.
    pub device: &'a Device,
}

impl Parameters {
    /// Weights as they are, for passes that train nothing.
    ///
    /// # Errors
    /// Returns an error if there is no memory left.
    pub fn of(values: BTreeMap<String, Tensor>) -> Result<Self> {
        let var = |(name, value): (String, Tensor)| Ok((name, Var::from_tensor(&value)?));
        Ok(Self { vars: values.into_iter().map(var).collect::<Result<_>>()?, statistics: BTreeSet::new() })
    }

    /// Adds a weight and its bias, drawn uniformly from ±1/√`fan_in`: PyTorch's default for
    /// convolutions and linear layers. The bias has as many entries as the weight's first side.
    ///
    /// # Errors
    /// Where the device has no memory left.
    pub fn add(&mut self, layer: &str, shape: &[usize], fan_in: usize, init: Init<'_>) -> Result<()> {
        self.draw(&format!("{layer}.weight"), shape, fan_in, init)?;
        self.draw(&format!("{layer}.bias"), &shape[..1], fan_in, init)
    }

    /// Adds a weight alone, drawn as [`Parameters::add`] does.
    ///
    /// # Errors
    /// Where the device has no memory left.
    pub fn add_unbiased(&mut self, layer: &str, shape: &[usize], fan_in: usize, init: Init<'_>) -> Result<()> {
        self.draw(&format!("{layer}.weight"), shape, fan_in, init)
    }

    fn draw(&mut self, name: &str, shape: &[usize], fan_in: usize, init: Init<'_>) -> Result<()> {
        let bound = 1.0 / (fan_in as f64).sqrt();
        let mut stream = init.seed.stream(&format!("init.{}.{name}", init.model), 0);
        let values = stream.uniform_tensor(-bound, bound, shape, init.device)?;
        self.vars.insert(name.to_owned(), Var::from_tensor(&values)?);
        Ok(())
    }

    /// Adds a normalisation: `weight` 1 and `bias` 0 and, where it is of the batch, `running_mean` 0 and
    /// `running_var` 1, as PyTorch begins.
    ///
    /// # Errors
    /// Where the device has no memory left.
    pub fn add_norm(&mut self, layer: &str, channels: usize, batch: bool, init: Init<'_>) -> Result<()> {
        let parts = [("weight", 1f32), ("bias", 0.0), ("running_mean", 0.0), ("running_var", 1.0)];
        for (part, value) in parts.into_iter().take(if batch { 4 } else { 2 }) {
            let name = format!("{layer}.{part}");
            if part.starts_with("running") {
                self.statistics.insert(name.clone());
            }
            self.vars.insert(name, Var::from_tensor(&Tensor::full(value, channels, init.device)?)?);
        }
        Ok(())
    }

    /// Draws all weights anew, uniformly from ±√(6 / (fan in + fan out)), and sets biases to 0: Keras's default (Glorot
    /// and Bengio 2010, eq. 16), which keeps a signal's size through many layers. Normalisations stay as they are.
    ///
    /// # Errors
    /// Where the device has no memory left.
    pub fn draw_as_glorot(&self, init: Init<'_>) -> Result<()> {
        for (name, var) in self.trained() {
            let shape = var.dims();
            if let [out, into, kernel @ ..] = shape {
                let fans = (out + into) * kernel.iter().product::<usize>();
                let bound = (6.0 / fans as f64).sqrt();
                let mut stream = init.seed.stream(&format!("init.{}.{name}", init.model), 0);
                var.set(&stream.uniform_tensor(-bound, bound, shape, init.device)?)?;
            } else if name.rsplit('.').next() == Some("bias") {
                var.set(&var.zeros_like()?)?;
            }
        }
        Ok(())
    }

    /// The weight called `name`.
    ///
    /// # Errors
    /// Where there is none.
    pub fn get(&self, name: &str) -> Result<&Var> {
        self.vars.get(name).ok_or_else(|| Error::Internal(format!("there is no weight called {name}")))
    }

    /// All weights and statistics, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&String, &Var)> {
        self.vars.iter()
    }

    /// The weights without the statistics: what an optimiser trains.
    pub fn trained(&self) -> impl Iterator<Item = (&String, &Var)> {
        self.vars.iter().filter(|(name, _)| !self.statistics.contains(*name))
    }

    /// Number of values, statistics included.
    pub fn count(&self) -> usize {
        self.vars.values().map(|var| var.elem_count()).sum()
    }

    /// Sets every weight from `values`; nothing is changed where one is missing or of another shape.
    ///
    /// # Errors
    /// Names the weight that is missing or does not fit.
    pub fn load(&self, values: &BTreeMap<String, Tensor>) -> Result<()> {
        for (name, var) in &self.vars {
            match values.get(name) {
                None => return Err(Error::input(format!("the weights lack {name}"))),
                Some(value) if value.shape() != var.shape() => {
                    let (wanted, found) = (var.dims(), value.dims());
                    return Err(Error::input(format!("the weight {name} is {found:?}, the model wants {wanted:?}")));
                }
                Some(_) => {}
            }
        }
        for (name, var) in &self.vars {
            var.set(&values[name].to_dtype(var.dtype())?.to_device(var.device())?)?;
        }
        Ok(())
    }

    /// A copy of all weights that later training does not touch.
    ///
    /// # Errors
    /// Where there is no memory left.
    pub fn snapshot(&self) -> Result<BTreeMap<String, Tensor>> {
        self.vars.iter().map(|(name, var)| Ok((name.clone(), var.as_detached_tensor().copy()?))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn glorots_weights_are_within_their_bounds_and_of_their_size() {
        let init = Init { seed: Seed(3), model: "m", device: &Device::Cpu };
        let mut parameters = Parameters::default();
        parameters.add("conv", &[64, 32, 3, 3], 32 * 9, init).unwrap();
        parameters.add_norm("norm", 64, true, init).unwrap();
        let before = parameters.snapshot().unwrap();
        parameters.draw_as_glorot(init).unwrap();
        let values =
            |name: &str| -> Vec<f32> { parameters.get(name).unwrap().flatten_all().unwrap().to_vec1().unwrap() };
        let weights = values("conv.weight");
        let variance = weights.iter().map(|w| w * w).sum::<f32>() / weights.len() as f32;
        let wanted = 2.0 / (96.0 * 9.0);
        assert!((variance / wanted - 1.0).abs() < 0.05, "{variance} is not {wanted}");
        assert!(weights.iter().all(|w| w.abs() <= (3.0 * wanted).sqrt()));
        assert!(values("conv.bias").iter().all(|bias| *bias == 0.0));
        for name in ["norm.weight", "norm.running_var"] {
            let old: Vec<f32> = before[name].to_vec1().unwrap();
            assert_eq!(values(name), old, "{name}");
        }
    }
}

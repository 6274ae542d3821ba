//! Stochastic gradient descent with momentum, as PyTorch computes it, with a state that can be saved.

use std::collections::BTreeMap;

use candle_core::backprop::GradStore;
use candle_core::{Tensor, Var};

use super::parameters::Parameters;
use crate::engine::kept::Kept;
use crate::engine::optimiser::{Step, take};
use crate::error::{Error, Result};

/// Learning rate and momentum.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SgdSettings {
    /// Learning rate.
    pub rate: f64,
    /// Share of the last step's velocity that stays, 0 for none, below 1.
    pub momentum: f64,
}

/// The optimiser of one party: its parameters and their velocities.
#[derive(Debug)]
pub struct Sgd {
    /// May be changed between steps (a schedule).
    pub settings: SgdSettings,
    /// Velocities are empty without momentum.
    slots: Vec<(String, Var, Kept)>,
}

impl Sgd {
    /// An optimiser of all `parameters` (float32) but running statistics.
    pub fn new(parameters: &Parameters, settings: SgdSettings) -> Self {
        let slot = |(name, var): (&String, &Var)| {
            let velocities = if settings.momentum > 0.0 { var.elem_count() } else { 0 };
            (name.clone(), var.clone(), Kept::zeros(velocities))
        };
        Self { settings, slots: parameters.trained().map(slot).collect() }
    }

    /// One step with these gradients. Parameters that have none are left alone.
    ///
    /// # Errors
    /// Where a gradient does not fit its parameter.
    pub fn step(&mut self, gradients: &GradStore) -> Result<()> {
        let SgdSettings { rate, momentum } = self.settings;
        for (_, var, velocity) in &mut self.slots {
            if let Some(gradient) = gradients.get(var) {
                take(var, gradient, Step::Sgd { rate, momentum, velocity })?;
            }
        }
        Ok(())
    }

    /// The velocities, named `{parameter}.velocity`.
    ///
    /// # Errors
    /// Where there is no memory left.
    pub fn state(&self) -> Result<BTreeMap<String, Tensor>> {
        let moving = self.slots.iter().filter(|(_, _, velocity)| !velocity.is_empty());
        let named = moving.map(|(name, var, velocity)| Ok((format!("{name}.velocity"), velocity.saved(var)?)));
        named.collect()
    }

    /// Takes back what [`Sgd::state`] gave.
    ///
    /// # Errors
    /// Names the entry that is missing or does not fit.
    pub fn load(&mut self, state: &BTreeMap<String, Tensor>) -> Result<()> {
        for (name, _, velocity) in self.slots.iter_mut().filter(|(_, _, velocity)| !velocity.is_empty()) {
            let key = format!("{name}.velocity");
            let value = state.get(&key).ok_or_else(|| Error::input(format!("the optimiser's state lacks {key}")))?;
            if value.elem_count() != velocity.count() {
                return Err(Error::input(format!("the optimiser's {key} is of another model")));
            }
            *velocity = Kept::loaded(value)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use candle_core::Device;

    use super::*;
    use crate::model::parameters::Init;
    use crate::random::Seed;

    fn parameters() -> (Parameters, Var) {
        let mut parameters = Parameters::default();
        let init = Init { seed: Seed(1), model: "test", device: &Device::Cpu };
        parameters.add_unbiased("x", &[1, 3], 3, init).unwrap();
        let x = parameters.get("x.weight").unwrap().clone();
        (parameters, x)
    }

    /// The gradient of Σx².
    fn step(sgd: &mut Sgd, x: &Var) {
        sgd.step(&x.sqr().unwrap().sum_all().unwrap().backward().unwrap()).unwrap();
    }

    fn numbers(x: &Var) -> Vec<f32> {
        x.flatten_all().unwrap().to_vec1().unwrap()
    }

    #[test]
    fn steps_are_pytorchs() {
        for momentum in [0.0, 0.9] {
            let (parameters, x) = parameters();
            let mut sgd = Sgd::new(&parameters, SgdSettings { rate: 0.05, momentum });
            let mut wanted: Vec<(f64, f64)> = numbers(&x).into_iter().map(|x| (f64::from(x), 0.0)).collect();
            for i in 0..20 {
                step(&mut sgd, &x);
                for (x, v) in &mut wanted {
                    // PyTorch's first velocity is the gradient itself.
                    *v = if i == 0 { 2.0 * *x } else { momentum * *v + 2.0 * *x };
                    *x -= 0.05 * *v;
                }
            }
            for (got, (want, _)) in numbers(&x).into_iter().zip(wanted) {
                assert!((f64::from(got) - want).abs() < 1e-6, "{got} {want} momentum {momentum}");
            }
        }
    }

    #[test]
    fn a_state_taken_and_given_back_goes_on_the_same() {
        let settings = SgdSettings { rate: 0.1, momentum: 0.9 };
        let (first, x) = parameters();
        let mut sgd = Sgd::new(&first, settings);
        step(&mut sgd, &x);
        let (second, y) = parameters();
        y.set(&x.as_detached_tensor().copy().unwrap()).unwrap();
        let mut other = Sgd::new(&second, settings);
        other.load(&sgd.state().unwrap()).unwrap();
        step(&mut sgd, &x);
        step(&mut other, &y);
        assert_eq!(numbers(&x), numbers(&y));
        assert!(other.load(&BTreeMap::new()).unwrap_err().to_string().contains("x.weight.velocity"));
        let mut plain = Sgd::new(&second, SgdSettings { momentum: 0.0, ..settings });
        assert!(plain.state().unwrap().is_empty() && plain.load(&BTreeMap::new()).is_ok());
    }
}

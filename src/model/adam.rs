//! Adam, with AMSGrad as an option (Kingma & Ba 2015; Reddi et al. 2018), as PyTorch computes it.
//!
//! Our own because candle's keeps its moments private, so a run could not be resumed exactly, and
//! because inverting a network wants AMSGrad. Each parameter has its own step count, and one without
//! a gradient is left alone.

use std::collections::BTreeMap;

use candle_core::backprop::GradStore;
use candle_core::{Device, Tensor, Var};

use super::parameters::Parameters;
use crate::engine::kept::Kept;
use crate::engine::optimiser::{Step, take};
use crate::error::{Error, Result};

/// Learning rate and the rest.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AdamSettings {
    /// Learning rate.
    pub rate: f64,
    /// Added to the root of the second moment.
    pub epsilon: f64,
    /// Divide by the largest second moment so far.
    pub amsgrad: bool,
}

impl AdamSettings {
    /// PyTorch's defaults (ε 10⁻⁸) at this rate.
    pub fn new(rate: f64) -> Self {
        Self { rate, epsilon: 1e-8, amsgrad: false }
    }
}

/// The moments of one parameter.
#[derive(Clone, Debug, Default)]
struct Moments {
    steps: u32,
    first: Kept,
    second: Kept,
    /// Empty without AMSGrad.
    largest: Kept,
}

/// The optimiser of one party: its parameters and their moments.
#[derive(Debug)]
pub struct Adam {
    /// May be changed between steps (a schedule).
    pub settings: AdamSettings,
    slots: Vec<(String, Var, Moments)>,
}

impl Adam {
    /// An optimiser of all `parameters` (float32) but running statistics.
    pub fn new(parameters: &Parameters, settings: AdamSettings) -> Self {
        Self::of(parameters.trained().map(|(name, var)| (name.clone(), var.clone())), settings)
    }

    /// An optimiser of these variables (float32).
    pub fn of(vars: impl IntoIterator<Item = (String, Var)>, settings: AdamSettings) -> Self {
        let slot = |(name, var): (String, Var)| {
            let n = var.elem_count();
            let largest = Kept::zeros(if settings.amsgrad { n } else { 0 });
            (name, var, Moments { steps: 0, first: Kept::zeros(n), second: Kept::zeros(n), largest })
        };
        Self { settings, slots: vars.into_iter().map(slot).collect() }
    }

    /// One step with these gradients. Parameters that have none are left alone.
    ///
    /// # Errors
    /// Where a gradient does not fit its parameter.
    pub fn step(&mut self, gradients: &GradStore) -> Result<()> {
        for (_, var, moments) in &mut self.slots {
            let Some(gradient) = gradients.get(var) else { continue };
            moments.steps += 1;
            let AdamSettings { rate, epsilon, .. } = self.settings;
            let Moments { steps, first, second, largest } = moments;
            take(var, gradient, Step::Adam { rate, epsilon, steps: *steps, first, second, largest })?;
        }
        Ok(())
    }

    /// The moments and step counts, named `{parameter}.m`, `.v`, `.vmax` and `.steps`.
    ///
    /// # Errors
    /// Where there is no memory left.
    pub fn state(&self) -> Result<BTreeMap<String, Tensor>> {
        let mut state = BTreeMap::new();
        for (name, var, moments) in &self.slots {
            let mut put = |part: &str, values: &Kept| -> Result<()> {
                state.insert(format!("{name}.{part}"), values.saved(var)?);
                Ok(())
            };
            put("m", &moments.first)?;
            put("v", &moments.second)?;
            if !moments.largest.is_empty() {
                put("vmax", &moments.largest)?;
            }
            state.insert(format!("{name}.steps"), Tensor::new(&[moments.steps], &Device::Cpu)?);
        }
        Ok(state)
    }

    /// Takes back what [`Adam::state`] gave.
    ///
    /// # Errors
    /// Names the entry that is missing or does not fit.
    pub fn load(&mut self, state: &BTreeMap<String, Tensor>) -> Result<()> {
        for (name, var, moments) in &mut self.slots {
            let part = |part: &str| -> Result<Kept> {
                let key = format!("{name}.{part}");
                let value =
                    state.get(&key).ok_or_else(|| Error::input(format!("the optimiser's state lacks {key}")))?;
                if value.elem_count() != var.elem_count() {
                    return Err(Error::input(format!("the optimiser's {key} is of another model")));
                }
                Ok(Kept::loaded(value)?)
            };
            moments.first = part("m")?;
            moments.second = part("v")?;
            if !moments.largest.is_empty() {
                moments.largest = part("vmax")?;
            }
            let key = format!("{name}.steps");
            let steps = state.get(&key).ok_or_else(|| Error::input(format!("the optimiser's state lacks {key}")))?;
            moments.steps = steps.flatten_all()?.get(0)?.to_scalar()?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn walk(settings: AdamSettings, steps: usize) -> (Adam, Var) {
        let x = Var::new(&[1.0f32, -2.0], &Device::Cpu).unwrap();
        let mut adam = Adam::of([("x".to_owned(), x.clone())], settings);
        for i in 0..steps {
            let loss = (x.sqr().unwrap() * (1.0 + i as f64 % 3.0)).unwrap().sum_all().unwrap();
            adam.step(&loss.backward().unwrap()).unwrap();
        }
        (adam, x)
    }

    /// The textbook's formula in double precision.
    fn reference(settings: AdamSettings, steps: usize) -> Vec<f64> {
        let one = |mut x: f64| {
            let (mut m, mut v, mut largest) = (0.0, 0.0, 0.0f64);
            for i in 0..steps {
                let g = 2.0 * x * (1.0 + i as f64 % 3.0);
                let n = i as i32 + 1;
                m = 0.9 * m + 0.1 * g;
                v = 0.999 * v + 0.001 * g * g;
                largest = largest.max(v);
                let second: f64 = if settings.amsgrad { largest } else { v };
                x -= settings.rate * (m / (1.0 - 0.9f64.powi(n)))
                    / ((second / (1.0 - 0.999f64.powi(n))).sqrt() + settings.epsilon);
            }
            x
        };
        vec![one(1.0), one(-2.0)]
    }

    #[test]
    fn steps_are_the_textbooks() {
        for amsgrad in [false, true] {
            let settings = AdamSettings { amsgrad, ..AdamSettings::new(0.05) };
            let (_, x) = walk(settings, 60);
            for (got, want) in x.to_vec1::<f32>().unwrap().into_iter().zip(reference(settings, 60)) {
                assert!((f64::from(got) - want).abs() < 1e-4, "{got} {want} amsgrad {amsgrad}");
            }
        }
    }

    #[test]
    fn a_state_taken_and_given_back_goes_on_the_same() {
        let settings = AdamSettings { amsgrad: true, ..AdamSettings::new(0.1) };
        let (adam, x) = walk(settings, 3);
        let y = Var::from_tensor(&x.as_detached_tensor().copy().unwrap()).unwrap();
        let mut other = Adam::of([("x".to_owned(), y.clone())], settings);
        other.load(&adam.state().unwrap()).unwrap();
        let mut adam = adam;
        for (adam, x) in [(&mut adam, &x), (&mut other, &y)] {
            adam.step(&x.sqr().unwrap().sum_all().unwrap().backward().unwrap()).unwrap();
        }
        assert_eq!(x.to_vec1::<f32>().unwrap(), y.to_vec1::<f32>().unwrap());
        assert!(other.load(&BTreeMap::new()).is_err());
    }
}

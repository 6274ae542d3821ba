//! Every operation on numbers of no meaning, in shapes that are not even, with its gradients: what another device has to
//! compute as the processor does.

mod list;
#[cfg(test)]
mod tests;

use std::fmt;

use candle_core::{DType, Device, Tensor, Var};

pub use list::trials;

use crate::error::{Error, Result};
use crate::random::Seed;

/// What is done with an operation's arguments.
type Work = Box<dyn Fn(&[Tensor]) -> Result<Tensor>>;

/// One operation, to be tried on a device.
pub struct Trial {
    /// Its name and what is odd about its shapes.
    pub name: String,
    shapes: Vec<Vec<usize>>,
    work: Work,
}

impl fmt::Debug for Trial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Trial({} of {:?})", self.name, self.shapes)
    }
}

/// Numbers that came out of a trial.
#[derive(Clone, Debug, PartialEq)]
pub struct Came {
    /// "values", or by which argument they are the gradient.
    pub what: String,
    /// All of them.
    pub numbers: Vec<f64>,
}

impl Trial {
    /// Of arguments (float32) of these shapes.
    pub fn new(
        name: impl Into<String>,
        shapes: &[&[usize]],
        work: impl Fn(&[Tensor]) -> Result<Tensor> + 'static,
    ) -> Self {
        let shapes = shapes.iter().map(|shape| shape.to_vec()).collect();
        Self { name: name.into(), shapes, work: Box::new(work) }
    }

    /// The values on this device, and their gradients by each argument that they depend on: of a sum in which each counts
    /// otherwise.
    ///
    /// # Errors
    /// Returns an error if the device lacks what the operation takes.
    pub fn on(&self, device: &Device) -> Result<Vec<Came>> {
        let draw = |name: &str, shape: &[usize]| Seed(5).stream(name, 0).uniform_tensor(-1.0, 1.0, shape, device);
        let one = |(i, shape): (usize, &Vec<usize>)| Ok(Var::from_tensor(&draw(&format!("argument {i}"), shape)?)?);
        let vars = self.shapes.iter().enumerate().map(one).collect::<Result<Vec<_>>>()?;
        let arguments: Vec<Tensor> = vars.iter().map(|var| var.as_tensor().clone()).collect();
        let values = (self.work)(&arguments)?;
        if !values.device().same_device(device) {
            return Err(Error::Internal("the result is on another device".to_owned()));
        }
        let mut came = vec![Came { what: "values".to_owned(), numbers: numbers(&values)? }];
        if values.track_op() {
            let end = (&values * draw("loss", values.dims())?.to_dtype(values.dtype())?)?.sum_all()?;
            let gradients = end.backward()?;
            for (i, var) in vars.iter().enumerate() {
                if let Some(gradient) = gradients.get(var) {
                    came.push(Came { what: format!("gradient by argument {}", i + 1), numbers: numbers(gradient)? });
                }
            }
        }
        Ok(came)
    }
}

/// How far numbers are from what they ought to be, as a share of the largest of these; infinite where one is no number or
/// there are more or fewer.
pub fn gap(got: &[f64], wanted: &[f64]) -> f64 {
    if got.len() != wanted.len() {
        return f64::INFINITY;
    }
    let largest = wanted.iter().fold(0.0, |most: f64, v| most.max(v.abs()));
    let apart = got.iter().zip(wanted).map(|(a, b)| (a - b).abs());
    let most = apart.fold(0.0, |most: f64, d| if d.is_nan() { f64::INFINITY } else { most.max(d) });
    if most == 0.0 { 0.0 } else { most / largest.max(1e-30) }
}

/// All numbers of a tensor.
///
/// # Errors
/// Returns an error if the device fails.
pub fn numbers(t: &Tensor) -> Result<Vec<f64>> {
    Ok(t.detach().flatten_all()?.to_dtype(DType::F64)?.to_vec1()?)
}

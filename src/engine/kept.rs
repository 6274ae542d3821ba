//! What an optimiser keeps of a parameter from step to step: where the parameter is, so that a step copies nothing.

use candle_core::{DType, Device, Result, Tensor, Var};

use super::own::own_kernels;

/// A number for each of a parameter's; empty where the optimiser keeps none.
#[derive(Clone, Debug, Default)]
pub struct Kept(Where);

#[derive(Clone, Debug)]
enum Where {
    Here(Vec<f32>),
    /// On the parameter's device, in its shape.
    There(Tensor),
}

impl Default for Where {
    fn default() -> Self {
        Self::Here(Vec::new())
    }
}

impl Kept {
    /// So many zeros.
    pub fn zeros(count: usize) -> Self {
        Self(Where::Here(vec![0.0; count]))
    }

    /// Whether nothing is kept.
    pub fn is_empty(&self) -> bool {
        self.count() == 0
    }

    /// How many numbers there are.
    pub fn count(&self) -> usize {
        match &self.0 {
            Where::Here(numbers) => numbers.len(),
            Where::There(tensor) => tensor.elem_count(),
        }
    }

    /// The numbers in the shape of the parameter, on the processor, for a checkpoint.
    ///
    /// # Errors
    /// Where the device fails.
    pub fn saved(&self, parameter: &Var) -> Result<Tensor> {
        match &self.0 {
            Where::Here(numbers) => Tensor::from_slice(numbers, parameter.shape(), &Device::Cpu),
            Where::There(tensor) => tensor.to_device(&Device::Cpu),
        }
    }

    /// Those of a checkpoint.
    ///
    /// # Errors
    /// Where the device fails.
    pub fn loaded(saved: &Tensor) -> Result<Self> {
        Ok(Self(Where::Here(saved.to_dtype(DType::F32)?.flatten_all()?.to_vec1()?)))
    }

    /// The numbers for a kernel.
    pub(super) fn here(&mut self) -> Result<&mut [f32]> {
        if let Where::There(tensor) = &self.0 {
            self.0 = Where::Here(tensor.flatten_all()?.to_vec1()?);
        }
        match &mut self.0 {
            Where::Here(numbers) => Ok(numbers),
            Where::There(_) => candle_core::bail!("an optimiser's numbers are on another device"),
        }
    }

    /// The numbers beside a parameter that no kernel works on.
    pub(super) fn there(&self, parameter: &Var) -> Result<Tensor> {
        match &self.0 {
            Where::There(tensor) => Ok(tensor.clone()),
            Where::Here(numbers) => Tensor::from_slice(numbers, parameter.shape(), parameter.device()),
        }
    }

    /// Takes what has become of them there.
    pub(super) fn put(&mut self, tensor: &Tensor) {
        debug_assert!(!tensor.device().is_cpu() || !own_kernels(tensor.device()), "a kernel's numbers are here");
        self.0 = Where::There(tensor.detach());
    }
}

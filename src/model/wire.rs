//! The wire between hospital and server: the only things that cross it, and their bytes.

use candle_core::Tensor;

use crate::error::Result;

/// What the client sends up: the output of its last layer, cut off from its graph.
#[derive(Clone, Debug)]
pub struct Smashed(Tensor);

/// What the server sends down: ∂loss/∂z, shaped as the smashed data.
#[derive(Clone, Debug)]
pub struct CutGradient(Tensor);

impl Smashed {
    /// Cuts `z` (N, C, H, W or N, features) off from the client's graph.
    pub(crate) fn new(z: &Tensor) -> Self {
        Self(z.detach())
    }

    /// The numbers on the wire.
    pub fn tensor(&self) -> &Tensor {
        &self.0
    }

    /// Number of samples.
    ///
    /// # Errors
    /// Where it is a scalar, which it never is.
    pub fn samples(&self) -> Result<usize> {
        Ok(self.0.dim(0)?)
    }

    /// Samples `start..start + len`.
    ///
    /// # Errors
    /// Where there are fewer.
    pub fn narrow(&self, start: usize, len: usize) -> Result<Self> {
        Ok(Self(self.0.narrow(0, start, len)?.contiguous()?))
    }

    fn bytes(&self) -> u64 {
        bytes(&self.0)
    }
}

impl CutGradient {
    /// Cuts the gradient off from the server's graph.
    pub(crate) fn new(gradient: &Tensor) -> Self {
        Self(gradient.detach())
    }

    /// The numbers on the wire.
    pub fn tensor(&self) -> &Tensor {
        &self.0
    }
}

fn bytes(t: &Tensor) -> u64 {
    (t.elem_count() * t.dtype().size_in_bytes()) as u64
}

/// Bytes that have crossed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct WireCount {
    /// Smashed data, up.
    pub smashed_bytes: u64,
    /// Gradients, down.
    pub gradient_bytes: u64,
    /// Of the smashed data, how many bytes were those of undisguised images.
    pub leaked_clean_bytes: u64,
}

impl WireCount {
    /// Counts disguised smashed data going up.
    pub fn up(&mut self, z: &Smashed) {
        self.smashed_bytes += z.bytes();
    }

    /// Counts smashed data of undisguised images going up.
    pub fn up_clean(&mut self, z: &Smashed) {
        self.smashed_bytes += z.bytes();
        self.leaked_clean_bytes += z.bytes();
    }

    /// Counts a gradient going down.
    pub fn down(&mut self, gradient: &CutGradient) {
        self.gradient_bytes += bytes(&gradient.0);
    }

    /// Both counts together.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self {
            smashed_bytes: self.smashed_bytes + other.smashed_bytes,
            gradient_bytes: self.gradient_bytes + other.gradient_bytes,
            leaked_clean_bytes: self.leaked_clean_bytes + other.leaked_clean_bytes,
        }
    }
}

//! What a GPU says when it fails, and what a person can do about it.

use std::fmt;

/// How a device failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// What it was out of, or what happened to it.
    pub kind: Kind,
    /// The driver's own words.
    pub said: String,
    /// What it was at, and what is to be lowered, once that is known.
    pub at: Option<Load>,
}

/// Which failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// There was no memory left on it.
    Memory,
    /// It gave up, or is gone.
    Gone,
}

/// What a device was at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Load {
    /// As in "the GPU ran out of its memory at …".
    pub work: String,
    /// As in "lower …".
    pub lower: String,
}

/// Words of drivers and libraries when memory is out. (CUDA, cuBLAS, Metal.)
const MEMORY: [&str; 4] = ["OUT_OF_MEMORY", "out of memory", "STATUS_ALLOC_FAILED", "failed to allocate"];

/// Those for everything else that is the device's.
const GONE: [&str; 5] = ["CUDA_ERROR_", "CUBLAS_STATUS_", "CURAND_STATUS_", "DriverError", "Metal error"];

impl Failure {
    /// That which `text` tells of, if it does.
    pub fn told_by(text: &str) -> Option<Self> {
        let of = |words: &[&str]| words.iter().any(|word| text.contains(word));
        let kind = if of(&MEMORY) {
            Kind::Memory
        } else if of(&GONE) {
            Kind::Gone
        } else {
            return None;
        };
        Some(Self { kind, said: text.split_whitespace().collect::<Vec<_>>().join(" "), at: None })
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, said, at } = self;
        let what = match kind {
            Kind::Memory => "the GPU ran out of its memory",
            Kind::Gone => "the GPU failed",
        };
        write!(f, "{what}")?;
        if let Some(Load { work, lower }) = at {
            write!(f, " at {work}: ")?;
            match kind {
                Kind::Memory => write!(f, "lower {lower}, or leave the GPU to this program alone")?,
                Kind::Gone => write!(f, "if it fails again, lower {lower}, or see what its driver has logged")?,
            }
            write!(f, "; set device = \"cpu\" in the run's experiment.toml to go on without the GPU")?;
        }
        write!(f, " ({said})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Error;

    /// As candle hands them on, of cudarc's and cuBLAS's.
    const TEXTS: [(&str, Option<Kind>); 6] = [
        ("DriverError(CUDA_ERROR_OUT_OF_MEMORY, \"out of memory\")", Some(Kind::Memory)),
        ("CublasError(CUBLAS_STATUS_ALLOC_FAILED)", Some(Kind::Memory)),
        ("DriverError(CUDA_ERROR_ILLEGAL_ADDRESS, \"an illegal memory access was encountered\")", Some(Kind::Gone)),
        ("DriverError(CUDA_ERROR_ECC_UNCORRECTABLE, \"uncorrectable ECC error encountered\")", Some(Kind::Gone)),
        ("CublasError(CUBLAS_STATUS_EXECUTION_FAILED)", Some(Kind::Gone)),
        ("shape mismatch in add, lhs: [2], rhs: [3]", None),
    ];

    #[test]
    fn what_drivers_say_is_told_from_defects() {
        for (text, kind) in TEXTS {
            assert_eq!(Failure::told_by(text).map(|failure| failure.kind), kind, "{text}");
            let error = Error::from(candle_core::Error::Cuda(text.into()));
            assert_eq!(matches!(error, Error::Device(_)), kind.is_some(), "{text}");
        }
    }

    #[test]
    fn the_message_names_the_batch_and_what_to_lower() {
        let error = Error::from(candle_core::Error::Cuda(TEXTS[0].0.into()));
        let told = error.at(|| Load { work: "a training step of 256 images".into(), lower: "train.batch".into() });
        assert_eq!(
            told.to_string(),
            "the GPU ran out of its memory at a training step of 256 images: lower train.batch, or leave the GPU to this \
             program alone; set device = \"cpu\" in the run's experiment.toml to go on without the GPU \
             (DriverError(CUDA_ERROR_OUT_OF_MEMORY, \"out of memory\"))"
        );
        let again = told.at(|| Load { work: "another".into(), lower: "nothing".into() });
        assert!(again.to_string().contains("256 images"), "the first to know has said it: {again}");
        assert!(Error::Stopped.at(|| unreachable!()).to_string() == "stopped");
    }
}

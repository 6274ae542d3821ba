//! One file a format: how it is recognised, and what is made of it. [`workbench`](mod@crate::workbench) lists them.

pub mod dicom;
pub mod folder;
pub mod idx;
pub mod mias;
#[cfg(test)]
mod mixed;
pub mod npz;
#[cfg(test)]
mod real;
pub mod sheet;

//! The images that an attacker has.

use std::ops::Range;

use candle_core::{Device, Tensor};

use crate::data::Part;
use crate::error::{Error, Result};

/// Images of the same kind as the victim's, that the attacker has (never trained on by the victim, never scored). They
/// become numbers when they are asked for, so that an attack takes the memory of the few that it works on.
#[derive(Clone, Debug)]
pub struct Auxiliary {
    part: Part,
    device: Device,
    labelled: bool,
}

impl Auxiliary {
    /// Of a part of a set, for attacks that work on `device`.
    pub fn new(part: Part, device: &Device) -> Self {
        Self { part, device: device.clone(), labelled: true }
    }

    /// Number of images.
    pub fn len(&self) -> usize {
        self.part.len()
    }

    /// Whether there is no image.
    pub fn is_empty(&self) -> bool {
        self.part.is_empty()
    }

    /// All images, (N, C, H, W) in [0, 1]: four bytes a pixel.
    ///
    /// # Errors
    /// Returns an error if an image cannot be read.
    pub fn images(&self) -> Result<Tensor> {
        self.range(0..self.len())
    }

    /// The images at `rows`, in that order.
    ///
    /// # Errors
    /// Returns an error if an image cannot be read.
    ///
    /// # Panics
    /// Panics if a row is not below [`Self::len`].
    pub fn batch(&self, rows: &[usize]) -> Result<Tensor> {
        self.part.tensor_of(rows, &self.device)
    }

    /// The images of a range, as far as there are any.
    ///
    /// # Errors
    /// Returns an error if an image cannot be read.
    pub fn range(&self, rows: Range<usize>) -> Result<Tensor> {
        self.batch(&(rows.start..rows.end.min(self.len())).collect::<Vec<_>>())
    }

    /// The mean of the images at `rows`, (1, C, H, W): the same to the last bit as that of a tensor of them all.
    ///
    /// # Errors
    /// Returns an error if an image cannot be read.
    ///
    /// # Panics
    /// Panics if a row is not below [`Self::len`].
    pub fn mean(&self, rows: &[usize]) -> Result<Tensor> {
        let [c, h, w] = self.part.shape();
        let mut sum = vec![0.0_f32; c * h * w];
        for &row in rows {
            sum.iter_mut().zip(self.part.values(row)?).for_each(|(sum, value)| *sum += value);
        }
        Ok((Tensor::from_vec(sum, (1, c, h, w), &self.device)? * (1.0 / rows.len() as f64))?)
    }

    /// The same to somebody who does not know the classes.
    #[must_use]
    pub fn without_labels(self) -> Self {
        Self { labelled: false, ..self }
    }

    /// The class of each image.
    ///
    /// # Errors
    /// Returns an error if they are not known.
    pub fn labels(&self) -> Result<&[u32]> {
        let undeclared = "the attack uses the labels of similar images and does not declare Knows::AuxiliaryLabels";
        if self.labelled { Ok(self.part.labels()) } else { Err(Error::Internal(undeclared.into())) }
    }

    /// The labels as unsigned 32-bit integers, N.
    ///
    /// # Errors
    /// Returns an error if they are not known, or the device does not take them.
    pub fn label_tensor(&self) -> Result<Tensor> {
        self.labels()?;
        self.part.label_tensor(&self.device)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Images;

    #[test]
    fn a_mean_is_that_of_all_images_at_once() {
        let pixels = (0..70 * 6).map(|i| (i * 7919 % 256) as u8).collect();
        let labels = (0..70).map(|i| i % 3).collect();
        let own = Auxiliary::new(Part::from(Images { shape: [1, 2, 3], pixels, labels }), &Device::Cpu);
        let bits = |t: Tensor| -> Vec<u32> {
            t.flatten_all().unwrap().to_vec1::<f32>().unwrap().into_iter().map(f32::to_bits).collect()
        };
        for rows in [(0..70).collect::<Vec<_>>(), vec![69, 3, 3, 40], vec![5]] {
            let whole = own.batch(&rows).unwrap().mean_keepdim(0).unwrap();
            let mean = own.mean(&rows).unwrap();
            assert_eq!(mean.dims(), [1, 1, 2, 3]);
            assert_eq!(bits(mean), bits(whole), "{rows:?}");
        }
        assert_eq!(own.range(60..99).unwrap().dims(), [10, 1, 2, 3]);
        assert_eq!(bits(own.range(68..70).unwrap()), bits(own.batch(&[68, 69]).unwrap()));
    }
}

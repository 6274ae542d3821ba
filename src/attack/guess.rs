//! What an attacker guesses of images that it held out without looking at the wire: what its attack has to beat.

use std::collections::BTreeMap;

use candle_core::Tensor;

use super::Auxiliary;
use crate::error::Result;

/// The mean (1, C, H, W) of the first `kept` images.
///
/// # Errors
/// Returns an error if an image cannot be read.
pub(super) fn mean_image(images: &Auxiliary, kept: usize) -> Result<Tensor> {
    images.mean(&(0..kept).collect::<Vec<_>>())
}

/// For each image after the first `kept` ones the mean of those of its class among them (N, C, H, W); of all where there are
/// none of its class.
///
/// # Errors
/// Returns an error if the labels are not known, or an image cannot be read.
pub(super) fn class_means(images: &Auxiliary, kept: usize) -> Result<Tensor> {
    let labels = images.labels()?;
    let mut known: BTreeMap<u32, Tensor> = BTreeMap::new();
    let class_mean = |label: &u32| -> Result<Tensor> {
        if let Some(known) = known.get(label) {
            return Ok(known.clone());
        }
        let same: Vec<usize> = (0..kept).filter(|i| labels[*i] == *label).collect();
        let of_class = if same.is_empty() { mean_image(images, kept)? } else { images.mean(&same)? };
        known.insert(*label, of_class.clone());
        Ok(of_class)
    };
    Ok(Tensor::cat(&labels[kept..].iter().map(class_mean).collect::<Result<Vec<_>>>()?, 0)?)
}

#[cfg(test)]
mod tests {
    use candle_core::Device;

    use super::*;
    use crate::data::{Images, Part};

    #[test]
    fn a_guess_is_of_the_images_that_were_kept() {
        let pixels = vec![0, 100, 200, 50, 7, 7];
        let own = Images { shape: [1, 1, 1], pixels, labels: vec![0, 1, 0, 1, 0, 2] };
        let own = Auxiliary::new(Part::from(own), &Device::Cpu);
        let near = |t: Tensor, wanted: &[f32]| {
            let got: Vec<f32> = t.flatten_all().unwrap().to_vec1().unwrap();
            assert!(
                got.len() == wanted.len() && got.iter().zip(wanted).all(|(a, b)| (a * 255.0 - b).abs() < 1e-3),
                "{got:?}"
            );
        };
        near(mean_image(&own, 3).unwrap(), &[100.0]);
        // Of class 2 there is none among those kept.
        near(class_means(&own, 3).unwrap(), &[100.0, 100.0, 100.0]);
        near(class_means(&own, 4).unwrap(), &[100.0, 87.5]);
        assert!(class_means(&own.without_labels(), 3).is_err());
    }
}

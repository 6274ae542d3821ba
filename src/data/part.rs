//! A view of some images of a source, in some order: nothing is copied, so it is cheap to make and to clone.

use std::borrow::Cow;
use std::fmt;
use std::sync::{Arc, Weak};

use candle_core::{Device, Tensor};

use super::source::level;
use super::{Groups, Images, Source};
use crate::error::Result;

/// Some images of a source: whose they are is decided once, and everybody else is handed their part.
#[derive(Clone)]
pub struct Part {
    source: Arc<dyn Source>,
    /// Which images of the source, in this part's order.
    rows: Arc<[u32]>,
    /// Their classes.
    labels: Arc<[u32]>,
    groups: Option<Groups>,
}

/// A view of images that may be gone.
pub(super) struct WeakPart {
    source: Weak<dyn Source>,
    rows: Arc<[u32]>,
    labels: Arc<[u32]>,
    groups: Option<Groups>,
}

impl WeakPart {
    /// The view, if somebody has its images.
    pub fn upgrade(&self) -> Option<Part> {
        let (rows, labels, groups) = (self.rows.clone(), self.labels.clone(), self.groups.clone());
        Some(Part { source: self.source.upgrade()?, rows, labels, groups })
    }
}

impl Part {
    /// All images of a source that has a label for each.
    pub fn all(source: Arc<dyn Source>) -> Self {
        let labels: Arc<[u32]> = source.labels().into();
        Self { rows: (0..labels.len() as u32).collect(), labels, groups: source.groups().cloned(), source }
    }

    /// The bytes of image `i`, as [`Source::held`] has them.
    pub(super) fn held(&self, i: usize) -> Option<&[u8]> {
        self.source.held(self.rows[i] as usize)
    }

    /// The view without keeping its images.
    pub(super) fn downgrade(&self) -> WeakPart {
        let Self { source, rows, labels, groups } = self.clone();
        WeakPart { source: Arc::downgrade(&source), rows, labels, groups }
    }

    /// Where its images come from.
    #[cfg(test)]
    pub(super) fn source(&self) -> &Arc<dyn Source> {
        &self.source
    }

    /// Number of images.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there is no image.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Channels, height, width of every image.
    pub fn shape(&self) -> [usize; 3] {
        self.source.shape()
    }

    /// The class of each image.
    pub fn labels(&self) -> &[u32] {
        &self.labels
    }

    /// Which images belong together, such as those of one patient; none where that is not known.
    pub fn groups(&self) -> Option<&Groups> {
        self.groups.as_ref()
    }

    /// The same images to somebody who does not know which belong together.
    #[must_use]
    pub fn without_groups(self) -> Self {
        Self { groups: None, ..self }
    }

    /// The value of a white pixel as the source has it: see [`Source::white`].
    pub fn white(&self) -> u32 {
        self.source.white()
    }

    /// Whether reading an image means waiting for a disk.
    pub fn streams(&self) -> bool {
        self.source.streams()
    }

    /// The bytes of image `i`, C × H × W; 0 is black, 255 white. What has more than eight bits is rounded, to be shown.
    ///
    /// # Errors
    /// Returns an error if the image cannot be read.
    ///
    /// # Panics
    /// Panics if there is no image `i`.
    pub fn image(&self, i: usize) -> Result<Cow<'_, [u8]>> {
        let row = self.rows[i] as usize;
        if let Some(bytes) = self.source.held(row) {
            return Ok(Cow::Borrowed(bytes));
        }
        let mut bytes = vec![0; self.size()];
        self.source.read(row, &mut bytes)?;
        Ok(Cow::Owned(bytes))
    }

    /// The pixels of image `i` as values in \[0, 1\], with all the bits that the source has.
    ///
    /// # Errors
    /// Returns an error if the image cannot be read.
    ///
    /// # Panics
    /// Panics if there is no image `i`.
    pub fn values(&self, i: usize) -> Result<Vec<f32>> {
        self.values_of(&[i])
    }

    /// The same of the images at `indices`, one after another.
    ///
    /// # Errors
    /// Returns an error if an image cannot be read.
    ///
    /// # Panics
    /// Panics if an index is not below [`Self::len`].
    pub fn values_of(&self, indices: &[usize]) -> Result<Vec<f32>> {
        let mut values = Vec::with_capacity(indices.len() * self.size());
        for &i in indices {
            let row = self.rows[i] as usize;
            if let Some(bytes) = self.source.held(row) {
                values.extend(bytes.iter().copied().map(level));
            } else {
                let from = values.len();
                values.resize(from + self.size(), 0.0);
                self.source.values(row, &mut values[from..])?;
            }
        }
        Ok(values)
    }

    /// BLAKE3 of the bytes of image `i`: see [`Source::digest`].
    ///
    /// # Errors
    /// Returns an error if the image cannot be read.
    ///
    /// # Panics
    /// Panics if there is no image `i`.
    pub fn digest(&self, i: usize) -> Result<[u8; 32]> {
        self.source.digest(self.rows[i] as usize)
    }

    /// The images at `indices`, in that order.
    ///
    /// # Panics
    /// Panics if an index is not below [`Self::len`].
    #[must_use]
    pub fn select(&self, indices: &[usize]) -> Self {
        let of = |all: &[u32]| indices.iter().map(|&i| all[i]).collect();
        let groups = self.groups.as_ref().map(|groups| groups.select(indices.iter().copied()));
        Self { source: self.source.clone(), rows: of(&self.rows), labels: of(&self.labels), groups }
    }

    /// The first `n` images, or all where there are fewer.
    #[must_use]
    pub fn take(&self, n: usize) -> Self {
        if n >= self.len() {
            return self.clone();
        }
        let groups = self.groups.as_ref().map(|groups| groups.select(0..n));
        Self { source: self.source.clone(), rows: self.rows[..n].into(), labels: self.labels[..n].into(), groups }
    }

    /// All images as float32, N × C × H × W, in \[0, 1\].
    ///
    /// # Errors
    /// Returns an error if an image cannot be read, or the device does not take them.
    pub fn tensor(&self, device: &Device) -> Result<Tensor> {
        self.tensor_of(&(0..self.len()).collect::<Vec<_>>(), device)
    }

    /// The images at `indices` as float32, N × C × H × W, in \[0, 1\].
    ///
    /// # Errors
    /// Returns an error if an image cannot be read, or the device does not take them.
    ///
    /// # Panics
    /// Panics if an index is not below [`Self::len`].
    pub fn tensor_of(&self, indices: &[usize], device: &Device) -> Result<Tensor> {
        let [channels, height, width] = self.shape();
        Ok(Tensor::from_vec(self.values_of(indices)?, (indices.len(), channels, height, width), device)?)
    }

    /// The labels as unsigned 32-bit integers, N.
    ///
    /// # Errors
    /// Returns an error if the device does not take them.
    pub fn label_tensor(&self, device: &Device) -> Result<Tensor> {
        Ok(Tensor::from_slice(&self.labels, self.len(), device)?)
    }

    /// The images at `indices` (float32, N × C × H × W, in \[0, 1\]) and their labels (u32, N).
    ///
    /// # Errors
    /// Returns an error if an image cannot be read, or the device does not take them.
    ///
    /// # Panics
    /// Panics if an index is not below [`Self::len`].
    pub fn batch(&self, indices: &[usize], device: &Device) -> Result<(Tensor, Tensor)> {
        let labels: Vec<u32> = indices.iter().map(|&i| self.labels[i]).collect();
        Ok((self.tensor_of(indices, device)?, Tensor::from_vec(labels, indices.len(), device)?))
    }

    /// How many images each of the first `classes` classes has.
    pub fn class_counts(&self, classes: usize) -> Vec<usize> {
        let mut counts = vec![0; classes];
        for &label in self.labels() {
            if let Some(count) = counts.get_mut(label as usize) {
                *count += 1;
            }
        }
        counts
    }

    /// Pixels of one image, each channel's for itself.
    fn size(&self) -> usize {
        self.shape().iter().product()
    }
}

impl From<Images> for Part {
    fn from(images: Images) -> Self {
        Self::all(images.into())
    }
}

impl fmt::Debug for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} images of {:?}", self.len(), self.shape())
    }
}

/// The same images with the same labels, in the same order.
#[cfg(test)]
impl PartialEq for Part {
    fn eq(&self, other: &Self) -> bool {
        self.shape() == other.shape() && self.labels == other.labels && self.pixels() == other.pixels()
    }
}

#[cfg(test)]
impl Part {
    /// The bytes of all images.
    ///
    /// # Panics
    /// Panics if an image cannot be read.
    pub fn pixels(&self) -> Vec<u8> {
        (0..self.len()).flat_map(|i| self.image(i).unwrap().into_owned()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_are_selected_and_scaled() -> Result<()> {
        let part = Part::from(Images { shape: [1, 1, 2], pixels: vec![0, 51, 102, 255], labels: vec![1, 0] });
        assert_eq!(part.select(&[1, 0, 1]).labels(), [0, 1, 0]);
        assert_eq!(part.select(&[1, 0, 1]).pixels(), [102, 255, 0, 51, 102, 255]);
        assert_eq!(part.take(1).pixels(), [0, 51]);
        assert_eq!(part.take(9), part);
        let (pixels, labels) = part.batch(&[1, 0], &Device::Cpu)?;
        assert_eq!(pixels.dims(), [2, 1, 1, 2]);
        assert_eq!(pixels.flatten_all()?.to_vec1::<f32>()?, [0.4, 1.0, 0.0, 0.2]);
        assert_eq!(labels.to_vec1::<u32>()?, [0, 1]);
        assert_eq!(part.take(0).tensor(&Device::Cpu)?.dims(), [0, 1, 1, 2]);
        Ok(())
    }

    #[test]
    fn views_share_the_images_of_their_source() {
        let source: Arc<dyn Source> = Images { shape: [1, 1, 1], pixels: vec![7, 8, 9], labels: vec![0; 3] }.into();
        let part = Part::all(source.clone());
        let views = [part.take(2), part.select(&[2, 2]), part.select(&[2, 1, 0]).select(&[1]), part.clone()];
        assert_eq!(Arc::strong_count(&source), 2 + views.len());
        assert_eq!(views[2].pixels(), [8], "a view of a view");
        assert!(matches!(part.image(0), Ok(Cow::Borrowed([7]))), "and no image is copied to be looked at");
    }
}

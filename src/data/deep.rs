//! Images of more than eight bits a pixel: they reach a model with all of them.

use std::sync::Arc;

use super::Source;
use crate::error::Result;

/// What may be white in images of 16 bits: 8, 12 and 16 of them are in use.
const WHITES: [u16; 3] = [255, 4095, u16::MAX];

/// The value that is white in a set whose largest is this: the least of 255, 4,095 and 65,535 that is not below it. One
/// for the whole set, so that its parts are as bright as each other.
pub(super) fn white_of(largest: u16) -> u16 {
    WHITES.into_iter().find(|white| largest <= *white).unwrap_or(u16::MAX)
}

/// A pixel as a value in \[0, 1\].
fn level(pixel: u16, white: u16) -> f32 {
    (f32::from(pixel) / f32::from(white)).min(1.0)
}

/// A pixel as a byte, rounded.
fn byte(pixel: u16, white: u16) -> u8 {
    // No overflow: both are below 2^16.
    ((u32::from(pixel) * 255 + u32::from(white) / 2) / u32::from(white)).min(255) as u8
}

/// The pixels of an image that stand as bytes, the low one first.
pub(super) fn pixels(bytes: &[u8]) -> impl Iterator<Item = u16> {
    bytes.as_chunks().0.iter().map(|pixel| u16::from_le_bytes(*pixel))
}

/// Fills `out` with the values of an image.
pub(super) fn fill_values(pixels: impl Iterator<Item = u16>, white: u16, out: &mut [f32]) {
    out.iter_mut().zip(pixels).for_each(|(out, pixel)| *out = level(pixel, white));
}

/// Fills `out` with an image cut down to bytes.
pub(super) fn fill_bytes(pixels: impl Iterator<Item = u16>, white: u16, out: &mut [u8]) {
    out.iter_mut().zip(pixels).for_each(|(out, pixel)| *out = byte(pixel, white));
}

/// Images of 9 to 16 bits a pixel, in memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeepImages {
    /// Channels, height, width.
    pub shape: [usize; 3],
    /// Image after image, each channel by channel, row by row; 0 is black.
    pub pixels: Vec<u16>,
    /// The value that is white, not 0: 4,095 for 12 bits. What is above it is white too.
    pub white: u16,
    /// The class of each image.
    pub labels: Vec<u32>,
}

impl DeepImages {
    fn image(&self, i: usize) -> impl Iterator<Item = u16> {
        let size = self.shape.iter().product::<usize>();
        self.pixels[i * size..][..size].iter().copied()
    }
}

impl Source for DeepImages {
    fn shape(&self) -> [usize; 3] {
        self.shape
    }

    fn len(&self) -> usize {
        self.pixels.len() / self.shape.iter().product::<usize>().max(1)
    }

    fn labels(&self) -> &[u32] {
        &self.labels
    }

    fn white(&self) -> u32 {
        self.white.into()
    }

    fn read(&self, i: usize, out: &mut [u8]) -> Result<()> {
        fill_bytes(self.image(i), self.white, out);
        Ok(())
    }

    fn values(&self, i: usize, out: &mut [f32]) -> Result<()> {
        fill_values(self.image(i), self.white, out);
        Ok(())
    }

    fn digest(&self, i: usize) -> Result<[u8; 32]> {
        let bytes: Vec<u8> = self.image(i).flat_map(u16::to_le_bytes).collect();
        Ok(*blake3::hash(&bytes).as_bytes())
    }
}

impl From<DeepImages> for Arc<dyn Source> {
    fn from(images: DeepImages) -> Self {
        Arc::new(images)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{Images, Part};

    fn part(white: u16, pixels: &[u16]) -> Part {
        Part::all(
            DeepImages { shape: [1, 1, 2], pixels: pixels.to_vec(), white, labels: vec![0; pixels.len() / 2] }.into(),
        )
    }

    #[test]
    fn all_bits_of_a_pixel_survive() {
        let twelve = part(4095, &[0, 1, 2048, 4095]);
        assert_eq!(twelve.values(0).unwrap(), [0.0, 1.0 / 4095.0]);
        assert_eq!(twelve.values_of(&[1, 0]).unwrap()[..2], [2048.0 / 4095.0, 1.0]);
        assert_eq!(twelve.pixels(), [0, 0, 128, 255], "cut down to bytes only to be shown");
        // Two images that are one and the same in eight bits.
        let near = part(u16::MAX, &[1000, 2000, 1001, 2000]);
        assert_eq!(*near.image(0).unwrap(), *near.image(1).unwrap());
        assert_ne!(near.values(0).unwrap(), near.values(1).unwrap());
        assert_ne!(near.digest(0).unwrap(), near.digest(1).unwrap());
        assert_eq!(near.values(0).unwrap()[0], 1000.0 / 65535.0);
    }

    #[test]
    fn eight_bits_in_sixteen_are_eight_bits() {
        let bytes: Vec<u8> = (0..=255).collect();
        let wide = part(255, &bytes.iter().map(|byte| u16::from(*byte)).collect::<Vec<_>>());
        let plain = Part::from(Images { shape: [1, 1, 2], pixels: bytes, labels: vec![0; 128] });
        let all: Vec<usize> = (0..128).collect();
        let bits = |part: &Part| part.values_of(&all).unwrap().into_iter().map(f32::to_bits).collect::<Vec<_>>();
        assert_eq!(bits(&wide), bits(&plain));
        assert_eq!(wide.pixels(), plain.pixels());
    }

    #[test]
    fn white_is_the_least_that_is_white_enough() {
        let all = [0, 255, 256, 4095, 4096, 65535].map(white_of);
        assert_eq!(all, [255, 255, 4095, 4095, 65535, 65535]);
        assert_eq!(part(4095, &[5000, 0]).values(0).unwrap()[0], 1.0);
        assert_eq!(part(4095, &[5000, 0]).pixels(), [255, 0]);
    }
}

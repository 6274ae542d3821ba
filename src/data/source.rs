//! Where images come from: something that holds labels, and reads any image when it is asked.

use std::fmt::Debug;
use std::sync::Arc;

use super::Groups;
use crate::error::Result;

/// Images of one size, each with its class. Images may be anywhere; labels and groups are in memory.
pub trait Source: Debug + Send + Sync {
    /// Channels, height, width of every image.
    fn shape(&self) -> [usize; 3];

    /// Number of images.
    fn len(&self) -> usize;

    /// Whether there is no image.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The class of each image, an index into the names of the classes.
    fn labels(&self) -> &[u32];

    /// Which images belong together, such as those of one patient; none where that is not known.
    fn groups(&self) -> Option<&Groups> {
        None
    }

    /// The value of a white pixel as the source has it: 255 for bytes, 4,095 for 12 bits, 65,535 for 16, 1 for numbers
    /// from 0 to 1. The same in all parts of a set.
    fn white(&self) -> u32 {
        BYTE_WHITE
    }

    /// Reads image `i` into `out`, C × H × W bytes: each channel by itself, row by row; 0 is black, 255 white. What has
    /// more than eight bits is rounded, to be shown.
    ///
    /// # Errors
    /// Returns an error if the image cannot be read; the message ends with the path.
    ///
    /// # Panics
    /// May panic if there is no image `i`, or if `out` has another length.
    fn read(&self, i: usize, out: &mut [u8]) -> Result<()>;

    /// Reads image `i` into `out`, C × H × W values in \[0, 1\] with all the bits that the source has: each channel by
    /// itself, row by row; 0 is black, 1 white. Models learn from these.
    ///
    /// # Errors
    /// Returns an error if the image cannot be read; the message ends with the path.
    ///
    /// # Panics
    /// May panic if there is no image `i`, or if `out` has another length.
    fn values(&self, i: usize, out: &mut [f32]) -> Result<()> {
        let mut bytes = vec![0; self.shape().iter().product()];
        self.read(i, &mut bytes)?;
        out.iter_mut().zip(bytes).for_each(|(out, byte)| *out = level(byte));
        Ok(())
    }

    /// The bytes of image `i`, if they are in memory anyway and there is nothing finer.
    fn held(&self, _i: usize) -> Option<&[u8]> {
        None
    }

    /// Whether reading an image means waiting for a disk.
    fn streams(&self) -> bool {
        false
    }

    /// BLAKE3 of the bytes of image `i`; of a pixel of more than eight bits all of them, the low byte first.
    ///
    /// # Errors
    /// Returns an error if the image cannot be read.
    fn digest(&self, i: usize) -> Result<[u8; 32]> {
        if let Some(bytes) = self.held(i) {
            return Ok(*blake3::hash(bytes).as_bytes());
        }
        let mut bytes = vec![0; self.shape().iter().product()];
        self.read(i, &mut bytes)?;
        Ok(*blake3::hash(&bytes).as_bytes())
    }
}

/// What is white in bytes.
pub(super) const BYTE_WHITE: u32 = 255;

/// A byte as a value in \[0, 1\].
pub(super) fn level(byte: u8) -> f32 {
    f32::from(byte) / 255.0
}

/// Images in memory. Their pixels stay bytes, so they take a quarter of their size as floats.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Images {
    /// Channels, height, width.
    pub shape: [usize; 3],
    /// Image after image, each channel by channel, row by row; 0 is black, 255 white.
    pub pixels: Vec<u8>,
    /// The class of each image.
    pub labels: Vec<u32>,
}

impl Images {
    /// No image of this shape.
    pub fn none(shape: [usize; 3]) -> Self {
        Self { shape, pixels: Vec::new(), labels: Vec::new() }
    }

    fn size(&self) -> usize {
        self.shape.iter().product()
    }
}

impl Source for Images {
    fn shape(&self) -> [usize; 3] {
        self.shape
    }

    fn len(&self) -> usize {
        self.pixels.len() / self.size().max(1)
    }

    fn labels(&self) -> &[u32] {
        &self.labels
    }

    fn read(&self, i: usize, out: &mut [u8]) -> Result<()> {
        out.copy_from_slice(&self.pixels[i * self.size()..][..self.size()]);
        Ok(())
    }

    fn held(&self, i: usize) -> Option<&[u8]> {
        self.pixels.get(i * self.size()..(i + 1) * self.size())
    }
}

impl From<Images> for Arc<dyn Source> {
    fn from(images: Images) -> Self {
        Arc::new(images)
    }
}

/// Tells a source which of its images belong together.
pub fn grouped(source: Arc<dyn Source>, groups: Groups) -> Arc<dyn Source> {
    Arc::new(Grouped { source, groups })
}

#[derive(Debug)]
struct Grouped {
    source: Arc<dyn Source>,
    groups: Groups,
}

impl Source for Grouped {
    fn shape(&self) -> [usize; 3] {
        self.source.shape()
    }

    fn len(&self) -> usize {
        self.source.len()
    }

    fn labels(&self) -> &[u32] {
        self.source.labels()
    }

    fn groups(&self) -> Option<&Groups> {
        Some(&self.groups)
    }

    fn white(&self) -> u32 {
        self.source.white()
    }

    fn read(&self, i: usize, out: &mut [u8]) -> Result<()> {
        self.source.read(i, out)
    }

    fn values(&self, i: usize, out: &mut [f32]) -> Result<()> {
        self.source.values(i, out)
    }

    fn held(&self, i: usize) -> Option<&[u8]> {
        self.source.held(i)
    }

    fn streams(&self) -> bool {
        self.source.streams()
    }

    fn digest(&self, i: usize) -> Result<[u8; 32]> {
        self.source.digest(i)
    }
}

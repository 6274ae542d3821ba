//! How the bytes of an image stand in a file, and how they become pixels.

use super::Source;
use super::deep::{fill_bytes, fill_values, pixels};
use super::range::{Number, Scale, Seen};
use super::source::level;
use crate::error::Result;

/// How the bytes of an image stand in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Layout {
    /// Channels, height, width, as the image is seen.
    pub shape: [usize; 3],
    /// Whether the channels of a pixel stand side by side, in place of each by itself.
    pub interleaved: bool,
    /// Whether it stands column by column, in place of row by row; of those only whose channels stand by themselves.
    pub transposed: bool,
    /// How a channel of a pixel stands there.
    pub pixel: Pixel,
}

/// How a number is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pixel {
    /// 8 bits.
    Byte,
    /// 16 bits, the low byte first.
    Little16,
    /// 16 bits, the high byte first.
    Big16,
}

impl Pixel {
    /// Bytes of one.
    pub fn bytes(self) -> usize {
        if self == Self::Byte { 1 } else { 2 }
    }
}

impl Layout {
    /// Channel by channel and row by row.
    pub const fn plain(shape: [usize; 3], pixel: Pixel) -> Self {
        Self { shape, interleaved: false, transposed: false, pixel }
    }

    /// Bytes of an image.
    pub fn size(self) -> usize {
        self.shape.iter().product::<usize>() * self.pixel.bytes()
    }

    /// Brings images, as they stand in a file, into the order of [`Source::read`], the low byte first.
    pub fn planar(self, mut stored: Vec<u8>) -> Vec<u8> {
        if self.pixel == Pixel::Big16 {
            stored.as_chunks_mut().0.iter_mut().for_each(|pixel: &mut [u8; 2]| pixel.reverse());
        }
        let ([channels, height, width], bytes) = (self.shape, self.pixel.bytes());
        if self.interleaved {
            let planes = |image| (0..channels).flat_map(move |channel| every(image, channel, channels, bytes));
            return stored.chunks_exact(self.size()).flat_map(planes).collect();
        }
        if self.transposed {
            let rows = |plane| (0..height).flat_map(move |y| every(plane, y, height, bytes));
            return stored.chunks_exact(height * width * bytes).flat_map(rows).collect();
        }
        stored
    }

    /// What values planar images have.
    pub fn seen(self, planar: &[u8]) -> Seen {
        match self.pixel {
            Pixel::Byte => Seen::bytes(planar),
            Pixel::Little16 | Pixel::Big16 => {
                let bounds = pixels(planar).min().zip(pixels(planar).max());
                Seen::whole(self.number(), bounds.as_ref().map(|(least, largest)| (least, largest)))
            }
        }
    }

    /// What its numbers are called.
    pub fn number(self) -> Number {
        if self.pixel == Pixel::Byte { Number::Byte } else { Number::Unsigned(16) }
    }

    /// Fills `out` with the values of a planar image.
    pub fn fill_values(self, planar: &[u8], scale: Scale, out: &mut [f32]) {
        match self.pixel {
            Pixel::Byte if scale == Scale::BYTES => {
                out.iter_mut().zip(planar).for_each(|(out, byte)| *out = level(*byte));
            }
            _ => fill_values(self.scaled(planar, scale), scale.white, out),
        }
    }

    /// Fills `out` with a planar image as bytes, to be shown.
    pub fn fill_bytes(self, planar: &[u8], scale: Scale, out: &mut [u8]) {
        match self.pixel {
            Pixel::Byte if scale == Scale::BYTES => out.copy_from_slice(planar),
            _ => fill_bytes(self.scaled(planar, scale), scale.white, out),
        }
    }

    fn scaled(self, planar: &[u8], scale: Scale) -> impl Iterator<Item = u16> {
        let bytes = if self.pixel == Pixel::Byte { planar } else { &[] };
        let deep = if self.pixel == Pixel::Byte { &[] } else { planar };
        let all = bytes.iter().map(|byte| u16::from(*byte)).chain(pixels(deep));
        all.map(move |number| if scale.keeps() { number } else { scale.pixel(number.into()) })
    }
}

/// Every so many pixels, from one on.
fn every(stored: &[u8], from: usize, step: usize, bytes: usize) -> impl Iterator<Item = u8> {
    stored.chunks_exact(bytes).skip(from).step_by(step).flatten().copied()
}

/// Images in memory as a file has them, whose pixels are not 0 to white there.
#[derive(Debug)]
pub(super) struct Scaled {
    pub layout: Layout,
    /// Planar, the low byte first.
    pub planar: Vec<u8>,
    pub scale: Scale,
    pub labels: Vec<u32>,
}

impl Scaled {
    fn image(&self, i: usize) -> &[u8] {
        &self.planar[i * self.layout.size()..][..self.layout.size()]
    }
}

impl Source for Scaled {
    fn shape(&self) -> [usize; 3] {
        self.layout.shape
    }

    fn len(&self) -> usize {
        self.planar.len() / self.layout.size().max(1)
    }

    fn labels(&self) -> &[u32] {
        &self.labels
    }

    fn white(&self) -> u32 {
        self.scale.white.into()
    }

    fn read(&self, i: usize, out: &mut [u8]) -> Result<()> {
        self.layout.fill_bytes(self.image(i), self.scale, out);
        Ok(())
    }

    fn values(&self, i: usize, out: &mut [f32]) -> Result<()> {
        self.layout.fill_values(self.image(i), self.scale, out);
        Ok(())
    }

    /// Of the bytes as the file has them, as of images that stay there.
    fn digest(&self, i: usize) -> Result<[u8; 32]> {
        Ok(*blake3::hash(self.image(i)).as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_that_lie_are_turned_upright() {
        let lying = Layout { transposed: true, ..Layout::plain([1, 2, 3], Pixel::Byte) };
        // Two images of two rows and three columns, column by column.
        let stored = vec![1, 4, 2, 5, 3, 6, 11, 14, 12, 15, 13, 16];
        assert_eq!(lying.planar(stored), [1, 2, 3, 4, 5, 6, 11, 12, 13, 14, 15, 16]);
        let deep = Layout { transposed: true, ..Layout::plain([1, 2, 1], Pixel::Big16) };
        assert_eq!(deep.planar(vec![1, 2, 3, 4]), [2, 1, 4, 3]);
    }
}

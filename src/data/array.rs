//! An array of images as a file has it, of which neither the labels are known yet nor what is black and white: that
//! takes all arrays of a set.

use std::fs::File;
use std::io::Read;
use std::path::PathBuf;
use std::sync::Arc;

use super::deep::pixels;
use super::disk::{OnDisk, Place};
use super::element::Element;
use super::layout::{Layout, Pixel, Scaled};
use super::range::{Scale, Seen};
use super::{DeepImages, Images, MAX_BYTES, Source, read_payload};

/// An array of images.
#[derive(Debug)]
pub(super) struct Pixels {
    stored: Stored,
    /// What values it has.
    pub seen: Seen,
}

/// Where images are.
#[derive(Debug)]
enum Stored {
    /// In memory, planar, the low byte first.
    Held(Layout, Vec<u8>),
    /// In memory, planar, as numbers that must be converted.
    Numbers([usize; 3], Element, Vec<u8>),
    /// On disk.
    OnDisk(OnDisk),
}

impl Pixels {
    /// Reads an array of `count` images to its end. At a `place` a large one stays on disk; it is looked at once all the
    /// same, so that damage is told now and each image is known again.
    pub fn read(file: &mut dyn Read, count: u64, layout: Layout, place: Option<Place<'_>>) -> Result<Self, String> {
        let bytes = count * layout.size() as u64;
        if let Some(place) = place.filter(|place| bytes >= place.large.max(1)) {
            let (images, seen) = OnDisk::read(file, count, layout, place)?;
            return Ok(Self { stored: Stored::OnDisk(images), seen });
        }
        Ok(Self::held(layout, layout.planar(read_payload(file, bytes)?)))
    }

    /// Images in memory, planar, the low byte first.
    pub fn held(layout: Layout, planar: Vec<u8>) -> Self {
        Self { seen: layout.seen(&planar), stored: Stored::Held(layout, planar) }
    }

    /// Planar images at the beginning of an open file, which may have no name any more; `digests` are those of what stands
    /// there, `seen` its values.
    pub fn kept(file: File, path: PathBuf, layout: Layout, digests: Vec<[u8; 32]>, seen: Seen) -> Self {
        Self { stored: Stored::OnDisk(OnDisk::kept(file, path, layout, digests)), seen }
    }

    /// Images of a shape (C, H, W) in memory, planar, of numbers that become pixels by their values.
    ///
    /// # Errors
    /// Names the place of a number that is infinite or none.
    pub fn numbers(shape: [usize; 3], element: Element, planar: Vec<u8>) -> Result<Self, String> {
        match Seen::of(element.number(), element.values(&planar)) {
            Ok(seen) => Ok(Self { seen, stored: Stored::Numbers(shape, element, planar) }),
            Err(at) => {
                let [_, height, width] = shape;
                let value = element.value(&planar[at * element.size..][..element.size]);
                let image = at / shape.iter().product::<usize>();
                let (row, column) = (at / width % height, at % width);
                Err(format!("holds {value} at image {image}, row {row}, column {column}; allowed are finite numbers"))
            }
        }
    }

    /// Channels, height, width.
    pub fn shape(&self) -> [usize; 3] {
        match &self.stored {
            Stored::Held(layout, _) => layout.shape,
            Stored::Numbers(shape, ..) => *shape,
            Stored::OnDisk(images) => images.layout().shape,
        }
    }

    /// The images with their labels, scaled as the values of their set say.
    pub fn labelled(self, labels: Vec<u32>, scale: Scale) -> Arc<dyn Source> {
        match self.stored {
            Stored::Held(Layout { shape, pixel: Pixel::Byte, .. }, pixels) if scale == Scale::BYTES => {
                Images { shape, pixels, labels }.into()
            }
            Stored::Held(Layout { shape, pixel: Pixel::Little16 | Pixel::Big16, .. }, bytes) if scale.keeps() => {
                DeepImages { shape, pixels: pixels(&bytes).collect(), white: scale.white, labels }.into()
            }
            Stored::Held(layout, planar) => Arc::new(Scaled { layout, planar, scale, labels }),
            Stored::Numbers(shape, element, planar) => {
                let pixels = element.values(&planar).map(|value| scale.pixel(value)).collect();
                DeepImages { shape, pixels, white: scale.white, labels }.into()
            }
            Stored::OnDisk(images) => Arc::new(images.labelled(labels, scale)),
        }
    }
}

/// Most bytes of an array that is read from there.
pub(super) fn most_bytes(place: Option<Place<'_>>) -> u64 {
    place.map_or(MAX_BYTES, Place::most)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::reader::Findings;
    use crate::data::{Part, Range, range};

    fn part(pixels: Pixels, wanted: Range) -> Part {
        let scale = range::found(pixels.seen, wanted, &mut Findings::default());
        Part::all(pixels.labelled(vec![0; 2], scale))
    }

    #[test]
    fn pixels_of_any_kind_are_their_values() {
        let bytes = |data: &[u8]| Pixels::held(Layout::plain([1, 1, 2], Pixel::Byte), data.to_vec());
        let binary = part(bytes(&[0, 1, 1, 0]), Range::Auto);
        assert_eq!((binary.values(0).unwrap(), binary.pixels()), (vec![0.0, 1.0], vec![0, 255, 255, 0]));
        assert_eq!(part(bytes(&[0, 1, 1, 0]), Range::Between(0.0, 255.0)).values(0).unwrap(), [0.0, 1.0 / 255.0]);
        assert_eq!(
            part(bytes(&[0, 30, 40, 99]), Range::Between(20.0, 40.0)).values_of(&[0, 1]).unwrap(),
            [0.0, 0.5, 1.0, 1.0]
        );
        let numbers = |descr, data: &[u8]| Pixels::numbers([1, 1, 2], Element::of_numpy(descr).unwrap(), data.to_vec());
        let signed = part(numbers("|i1", &[0x80, 0x7f, 0, 0xff]).unwrap(), Range::Auto);
        assert_eq!(signed.values_of(&[0, 1]).unwrap(), [0.0, 1.0, 128.0 / 255.0, 127.0 / 255.0]);
        let not: Vec<u8> = [0.5, 0.5, 0.5, f32::NAN].into_iter().flat_map(f32::to_be_bytes).collect();
        assert_eq!(
            numbers(">f4", &not).unwrap_err(),
            "holds NaN at image 1, row 0, column 1; allowed are finite numbers"
        );
    }
}

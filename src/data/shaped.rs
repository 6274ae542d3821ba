//! Images in another size, or with other channels, than a file has them.

use std::sync::Arc;

use image::imageops::{FilterType, resize};
use image::{ImageBuffer, Luma};

use rayon::prelude::*;

use super::deep::{fill_bytes, fill_values};
use super::source::BYTE_WHITE;
use super::{Channels, Dataset, DeepImages, Groups, Images, Part, Source, Wanted, grouped};
use crate::error::Result;

/// What an image is scaled with: of a smaller one every pixel counts.
const FILTER: FilterType = FilterType::Triangle;
/// Most numbers of a part that are held.
const HELD: usize = 256 << 20;
/// How much red, green and blue count for grey (ITU-R BT.601).
const LUMA: [f32; 3] = [0.299, 0.587, 0.114];

/// The set with images as they are wanted; itself where they are.
pub(super) fn shaped(set: Dataset, wanted: &Wanted) -> Result<Dataset, String> {
    let own = set.shape();
    let shape = wanted_shape(own, wanted);
    if shape == own {
        return Ok(set);
    }
    let part = |part: &Part| Shaped::of(part.clone(), shape).source().map_err(|error| error.to_string());
    let parts = [part(&set.train)?, part(&set.validation)?, part(&set.test)?].map(Part::all);
    let mut set = set.with_parts(parts)?;
    Arc::make_mut(&mut set.findings).notes.extend(changed(own, shape));
    Ok(set)
}

/// The shape (C, H, W) of images that have another one.
pub(super) fn wanted_shape([c, h, w]: [usize; 3], wanted: &Wanted) -> [usize; 3] {
    let c = match wanted.channels {
        Channels::Own => c,
        Channels::Grey => 1,
        Channels::Colour => 3,
    };
    if wanted.size == 0 { [c, h, w] } else { [c, wanted.size, wanted.size] }
}

/// What is done to images, a sentence each.
fn changed([c, h, w]: [usize; 3], now: [usize; 3]) -> Vec<String> {
    let mut all = Vec::new();
    if [h, w] != now[1..] {
        let square = if h == w { "" } else { ", the whole picture on a black square" };
        all.push(format!("Images of {h} × {w} pixels are scaled to {} × {}{square}.", now[1], now[2]));
    }
    match (c, now[0]) {
        (3, 1) => all.push("Colours are made grey.".to_owned()),
        (1, 3) => all.push("Grey images are given three channels that are the same.".to_owned()),
        _ => {}
    }
    all
}

/// Images that are brought into a shape when they are read. Their pixels are whole numbers up to white, wherever they are:
/// bytes stay bytes, anything else becomes 16 bits.
#[derive(Debug)]
struct Shaped {
    images: Part,
    labels: Vec<u32>,
    shape: [usize; 3],
    white: u16,
}

impl Shaped {
    fn of(images: Part, shape: [usize; 3]) -> Self {
        let white = if images.white() == BYTE_WHITE { 255 } else { u16::MAX };
        Self { labels: images.labels().to_vec(), images, shape, white }
    }

    /// As a source: made once and held where they fit into memory, else made whenever they are read.
    fn source(self) -> Result<Arc<dyn Source>> {
        let pixels = self.labels.len() * self.shape.iter().product::<usize>();
        if self.images.streams() || pixels > HELD {
            return Ok(Arc::new(self));
        }
        let all: Vec<Vec<u16>> =
            (0..self.labels.len()).into_par_iter().map(|i| self.pixels(i)).collect::<Result<_>>()?;
        let (shape, white, groups) = (self.shape, self.white, self.images.groups().cloned());
        let (labels, pixels) = (self.labels, all.into_iter().flatten());
        let held: Arc<dyn Source> = if white == 255 {
            Images { shape, pixels: pixels.map(|pixel| pixel as u8).collect(), labels }.into()
        } else {
            DeepImages { shape, pixels: pixels.collect(), white, labels }.into()
        };
        Ok(match groups {
            Some(groups) => grouped(held, groups),
            None => held,
        })
    }

    fn pixels(&self, i: usize) -> Result<Vec<u16>> {
        let values = fitted(&self.images.values(i)?, self.images.shape(), self.shape);
        Ok(values.into_iter().map(|value| (value * f32::from(self.white)).round() as u16).collect())
    }
}

impl Source for Shaped {
    fn shape(&self) -> [usize; 3] {
        self.shape
    }

    fn len(&self) -> usize {
        self.labels.len()
    }

    fn labels(&self) -> &[u32] {
        &self.labels
    }

    fn groups(&self) -> Option<&Groups> {
        self.images.groups()
    }

    fn white(&self) -> u32 {
        self.white.into()
    }

    fn read(&self, i: usize, out: &mut [u8]) -> Result<()> {
        fill_bytes(self.pixels(i)?.into_iter(), self.white, out);
        Ok(())
    }

    fn values(&self, i: usize, out: &mut [f32]) -> Result<()> {
        fill_values(self.pixels(i)?.into_iter(), self.white, out);
        Ok(())
    }

    fn streams(&self) -> bool {
        self.images.streams()
    }

    fn digest(&self, i: usize) -> Result<[u8; 32]> {
        let deep = self.white > 255;
        let bytes = self.pixels(i)?.into_iter().flat_map(u16::to_le_bytes);
        // Of bytes the high half is nothing.
        let bytes: Vec<u8> =
            bytes.enumerate().filter(|(at, _)| deep || at.is_multiple_of(2)).map(|(_, byte)| byte).collect();
        Ok(*blake3::hash(&bytes).as_bytes())
    }
}

/// An image of values in \[0, 1\], each channel by itself, brought from one shape (C, H, W) into another: scaled so that
/// all of it is seen, black around what does not fill it, which is in the middle.
///
/// # Panics
/// May panic if a side is 0, if there are not as many values as `from` has, or if channels are neither 1 nor 3.
pub fn fitted(values: &[f32], from: [usize; 3], to: [usize; 3]) -> Vec<f32> {
    let channels = with_channels(values, from, to[0]);
    if from[1..] == to[1..] {
        return channels;
    }
    channels
        .chunks_exact(from[1] * from[2])
        .flat_map(|plane| scaled(plane, [from[1], from[2]], [to[1], to[2]]))
        .collect()
}

fn with_channels(values: &[f32], [c, h, w]: [usize; 3], wanted: usize) -> Vec<f32> {
    let plane = h * w;
    match (c, wanted) {
        (1, 3) => values.repeat(3),
        (3, 1) => (0..plane).map(|i| (0..3).map(|c| LUMA[c] * values[c * plane + i]).sum::<f32>().min(1.0)).collect(),
        _ => values.to_vec(),
    }
}

/// One channel in another size.
fn scaled(plane: &[f32], [h, w]: [usize; 2], [tall, wide]: [usize; 2]) -> Vec<f32> {
    let ratio = (tall as f64 / h as f64).min(wide as f64 / w as f64);
    let side = |own: usize, most: usize| ((own as f64 * ratio).round() as usize).clamp(1, most);
    let [inner_h, inner_w] = [side(h, tall), side(w, wide)];
    let Some(image) = ImageBuffer::<Luma<f32>, _>::from_raw(w as u32, h as u32, plane.to_vec()) else {
        unreachable!("as many values as pixels")
    };
    let small = resize(&image, inner_w as u32, inner_h as u32, FILTER);
    let (top, left) = ((tall - inner_h) / 2, (wide - inner_w) / 2);
    let mut out = vec![0.0; tall * wide];
    for (y, row) in small.into_raw().chunks_exact(inner_w).enumerate() {
        let to = (top + y) * wide + left;
        out[to..to + inner_w].iter_mut().zip(row).for_each(|(out, value)| *out = value.clamp(0.0, 1.0));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Images;

    #[test]
    fn an_image_is_scaled_whole_onto_black() {
        // A white picture twice as wide as it is tall: black above and below.
        let out = fitted(&[1.0; 8], [1, 2, 4], [1, 4, 4]);
        let rows: Vec<&[f32]> = out.chunks(4).collect();
        assert_eq!(rows, [&[0.0; 4], &[1.0; 4], &[1.0; 4], &[0.0; 4]]);
        // Every pixel of a larger one counts.
        let half: Vec<f32> = (0..16).map(|i| if i % 2 == 0 { 1.0 } else { 0.0 }).collect();
        let out = fitted(&half, [1, 4, 4], [1, 1, 1]);
        assert!((out[0] - 0.5).abs() < 1e-6, "{out:?}");
        assert_eq!(fitted(&half, [1, 4, 4], [1, 4, 4]), half);
    }

    #[test]
    fn grey_and_colours_become_each_other() {
        assert_eq!(fitted(&[0.2, 0.4], [1, 1, 2], [3, 1, 2]), [0.2, 0.4, 0.2, 0.4, 0.2, 0.4]);
        let grey = fitted(&[1.0, 0.0, 0.0, 1.0, 0.0, 0.0], [3, 1, 2], [1, 1, 2]);
        assert!((grey[0] - 0.299).abs() < 1e-6 && (grey[1] - 0.587).abs() < 1e-6, "{grey:?}");
        assert_eq!(fitted(&[1.0; 3], [3, 1, 1], [1, 1, 1]), [1.0]);
    }

    #[test]
    fn a_set_is_shaped_and_says_so() {
        let images = Images { shape: [1, 2, 4], pixels: vec![255; 16], labels: vec![0, 1] };
        let set =
            Dataset::new("x", "", None, [images.clone(), Images::none([1, 2, 4]), images].map(Into::into)).unwrap();
        let wanted = Wanted { size: 4, channels: Channels::Colour, ..Wanted::default() };
        let same = shaped(set.clone(), &Wanted::default()).unwrap();
        assert_eq!((same.shape(), same.findings.notes.len()), ([1, 2, 4], 0));
        let now = shaped(set, &wanted).unwrap();
        assert_eq!(now.shape(), [3, 4, 4]);
        assert_eq!(
            now.findings.notes[0],
            "Images of 2 × 4 pixels are scaled to 4 × 4, the whole picture on a black square."
        );
        let image = now.test.image(1).unwrap();
        assert_eq!((&image[..4], &image[4..8], image.len()), (&[0; 4][..], &[255; 4][..], 48));
        assert_eq!(now.test.labels(), [0, 1]);
    }

    #[test]
    fn held_or_not_they_are_the_same() {
        let of = |white: u16| -> Arc<dyn Source> {
            let pixels: Vec<u16> = (0..60_u32).map(|i| (i * u32::from(white) / 60) as u16).collect();
            DeepImages { shape: [1, 3, 4], pixels, white, labels: vec![0; 5] }.into()
        };
        let bytes = Images { shape: [1, 3, 4], pixels: (0..60).collect(), labels: vec![0; 5] };
        for (source, white) in [(of(4095), 65535), (of(1), 65535), (bytes.into(), 255)] {
            let shaped = || Shaped::of(Part::all(source.clone()), [1, 5, 5]);
            let (lazy, held) = (Part::all(Arc::new(shaped())), Part::all(shaped().source().unwrap()));
            assert_eq!((lazy.white(), held.white()), (white, white));
            for i in 0..5 {
                assert_eq!(lazy.values(i).unwrap(), held.values(i).unwrap());
                assert_eq!(lazy.image(i).unwrap(), held.image(i).unwrap());
                assert_eq!(lazy.digest(i).unwrap(), held.digest(i).unwrap());
            }
        }
    }
}

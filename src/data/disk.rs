//! Images that stay on disk: a large array that stands in a file as it is, unpacked, is read image by image.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::deep::{fill_bytes, fill_values, pixels, white_of};
use super::source::{BYTE_WHITE, level};
use super::{DeepImages, Images, MAX_BYTES, Source, about_path, read_payload};
use crate::error::{Error, Result};

/// Arrays of fewer bytes are held in memory, unless [`STREAM_FROM`] says otherwise.
const LARGE: u64 = 64 << 20;
/// The variable of the environment with another number of bytes in place of [`LARGE`]: for tests, and for machines with
/// little memory. Where images are changes no number of a run.
const STREAM_FROM: &str = "CUTLAYER_STREAM_FROM";
/// Most bytes in one array that stays on disk.
pub(super) const MAX_BYTES_ON_DISK: u64 = 1 << 40;

/// How many bytes an array has that stays on disk where it can.
///
/// # Errors
/// Returns an error if the environment names something that is no number.
pub(super) fn large() -> Result<u64> {
    let Some(named) = std::env::var_os(STREAM_FROM).filter(|named| !named.is_empty()) else { return Ok(LARGE) };
    named.to_str().and_then(|named| named.parse().ok()).ok_or_else(|| {
        let named = named.display();
        Error::input(format!("{STREAM_FROM} = \"{named}\" in the environment: allowed is a whole number of bytes"))
    })
}

/// Images where they stand in a file.
#[derive(Debug)]
pub(super) struct OnDisk {
    file: File,
    path: PathBuf,
    /// Where in the file the first image begins.
    start: u64,
    layout: Layout,
    /// The value of a white pixel, where there are more than eight bits.
    white: u16,
    labels: Vec<u32>,
    /// Of each image as it was when the file was opened.
    digests: Vec<[u8; 32]>,
}

/// How the bytes of an image stand in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Layout {
    /// Channels, height, width.
    pub shape: [usize; 3],
    /// Whether the channels of a pixel stand side by side, in place of each by itself.
    pub interleaved: bool,
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
    /// Bytes of an image.
    pub fn size(self) -> usize {
        self.shape.iter().product::<usize>() * self.pixel.bytes()
    }

    /// Brings images, as they stand in a file, into the order of [`Source::read`], the low byte first.
    pub fn planar(self, mut stored: Vec<u8>) -> Vec<u8> {
        if self.pixel == Pixel::Big16 {
            stored.as_chunks_mut().0.iter_mut().for_each(|pixel: &mut [u8; 2]| pixel.reverse());
        }
        if !self.interleaved {
            return stored;
        }
        let (channels, bytes) = (self.shape[0], self.pixel.bytes());
        let planes = |image| (0..channels).flat_map(move |channel| plane(image, channel, channels, bytes));
        stored.chunks_exact(self.size()).flat_map(planes).collect()
    }

    /// The largest pixel of planar images, where there are more than eight bits.
    fn largest(self, planar: &[u8]) -> Option<u16> {
        if self.pixel == Pixel::Byte { None } else { pixels(planar).max() }
    }
}

fn plane(image: &[u8], channel: usize, channels: usize, bytes: usize) -> impl Iterator<Item = u8> {
    image.chunks_exact(bytes).skip(channel).step_by(channels).flatten().copied()
}

/// An array of images, of which the labels are not known yet.
pub(super) struct Pixels {
    place: Placed,
    /// The largest pixel of the set that this belongs to, where there are more than eight bits: it tells what is white.
    pub largest: Option<u16>,
}

/// Where images are.
enum Placed {
    /// In memory, each channel by itself.
    Held(Layout, Vec<u8>),
    /// On disk.
    OnDisk(OnDisk),
}

/// A file that images may stay in, and where the array begins there.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    pub path: &'a Path,
    pub start: u64,
    /// Arrays of fewer bytes are held in memory all the same.
    pub large: u64,
}

impl Pixels {
    /// Reads an array of `count` images to its end. At a `place` a large one stays on disk; it is looked at once all the
    /// same, so that damage is told now and each image is known again.
    pub fn read(file: &mut dyn Read, count: u64, layout: Layout, place: Option<Place<'_>>) -> Result<Self, String> {
        let bytes = count * layout.size() as u64;
        let Some(place) = place.filter(|place| bytes >= place.large.max(1)) else {
            let planar = layout.planar(read_payload(file, bytes)?);
            return Ok(Self { largest: layout.largest(&planar), place: Placed::Held(layout, planar) });
        };
        let (digests, largest) = digests(file, count, layout)?;
        let opened = File::open(place.path).map_err(|error| format!("cannot be opened again ({error})"))?;
        let (path, start) = (place.path.to_owned(), place.start);
        let images = OnDisk { file: opened, path, start, layout, white: u16::MAX, labels: Vec::new(), digests };
        Ok(Self { place: Placed::OnDisk(images), largest })
    }

    /// Planar images that are in memory.
    pub fn held(layout: Layout, planar: Vec<u8>, largest: Option<u16>) -> Self {
        Self { place: Placed::Held(layout, planar), largest }
    }

    /// Planar images at the beginning of an open file, which may have no name any more; `digests` are those of what
    /// stands there.
    pub fn kept(file: File, path: PathBuf, layout: Layout, digests: Vec<[u8; 32]>, largest: Option<u16>) -> Self {
        let images = OnDisk { file, path, start: 0, layout, white: u16::MAX, labels: Vec::new(), digests };
        Self { place: Placed::OnDisk(images), largest }
    }

    /// The images with their labels; of more than eight bits, the largest pixel tells what is white.
    pub fn labelled(self, labels: Vec<u32>) -> Arc<dyn Source> {
        self.labelled_under(labels, u16::MAX)
    }

    /// The same where `white` is white; of 65,535, the largest pixel tells.
    pub fn labelled_under(self, labels: Vec<u32>, white: u16) -> Arc<dyn Source> {
        let white = if white == u16::MAX { white_of(self.largest.unwrap_or_default()) } else { white };
        match self.place {
            Placed::Held(Layout { shape, pixel: Pixel::Byte, .. }, pixels) => Images { shape, pixels, labels }.into(),
            Placed::Held(Layout { shape, .. }, bytes) => {
                DeepImages { shape, pixels: pixels(&bytes).collect(), white, labels }.into()
            }
            Placed::OnDisk(images) => Arc::new(OnDisk { white, labels, ..images }),
        }
    }
}

/// Most bytes of an array that is read from there.
pub(super) fn most_bytes(place: Option<Place<'_>>) -> u64 {
    place.map_or(MAX_BYTES, |_| MAX_BYTES_ON_DISK)
}

/// The digest of each image, and the largest pixel as [`Layout::largest`] has it; a wrong length is told as by
/// [`read_payload`].
fn digests(file: &mut dyn Read, count: u64, layout: Layout) -> Result<(Vec<[u8; 32]>, Option<u16>), String> {
    let damaged = |error: io::Error| format!("is damaged or cut short ({error})");
    let (size, bytes) = (layout.size() as u64, count * layout.size() as u64);
    let (mut digests, mut largest) = (Vec::new(), None);
    for i in 0..count {
        let mut image = Vec::with_capacity(layout.size());
        file.take(size).read_to_end(&mut image).map_err(damaged)?;
        if (image.len() as u64) < size {
            return Err(format!("is cut short: {} of {bytes} bytes of data", i * size + image.len() as u64));
        }
        let planar = layout.planar(image);
        digests.push(*blake3::hash(&planar).as_bytes());
        largest = largest.max(layout.largest(&planar));
    }
    // At its end a zip checks its sum.
    match file.read(&mut [0]).map_err(damaged)? {
        0 => Ok((digests, largest)),
        _ => Err(format!("goes on after the {bytes} bytes of data that it declares")),
    }
}

impl OnDisk {
    /// The bytes of an image, in the order of [`Source::read`], the low one of a pixel first.
    fn planar(&self, i: usize) -> Result<Vec<u8>> {
        let mut stored = vec![0; self.layout.size()];
        let at = self.start + (i * stored.len()) as u64;
        read_at(&self.file, &mut stored, at).map_err(Error::io("read an image", &self.path))?;
        let image = self.layout.planar(stored);
        if *blake3::hash(&image).as_bytes() != self.digests[i] {
            let problem = "the data changed while they were in use; open them anew, or bring back what was there";
            return Err(about_path(problem, &self.path));
        }
        Ok(image)
    }
}

impl Source for OnDisk {
    fn shape(&self) -> [usize; 3] {
        self.layout.shape
    }

    fn len(&self) -> usize {
        self.digests.len()
    }

    fn labels(&self) -> &[u32] {
        &self.labels
    }

    fn white(&self) -> u32 {
        if self.layout.pixel == Pixel::Byte { BYTE_WHITE } else { self.white.into() }
    }

    fn read(&self, i: usize, out: &mut [u8]) -> Result<()> {
        let image = self.planar(i)?;
        match self.layout.pixel {
            Pixel::Byte => out.copy_from_slice(&image),
            Pixel::Little16 | Pixel::Big16 => fill_bytes(pixels(&image), self.white, out),
        }
        Ok(())
    }

    fn values(&self, i: usize, out: &mut [f32]) -> Result<()> {
        let image = self.planar(i)?;
        match self.layout.pixel {
            Pixel::Byte => out.iter_mut().zip(image).for_each(|(out, byte)| *out = level(byte)),
            Pixel::Little16 | Pixel::Big16 => fill_values(pixels(&image), self.white, out),
        }
        Ok(())
    }

    fn streams(&self) -> bool {
        true
    }

    fn digest(&self, i: usize) -> Result<[u8; 32]> {
        Ok(self.digests[i])
    }
}

/// Fills `out` with what begins `at` so many bytes; threads do not get into each other's way.
#[cfg(unix)]
pub(crate) fn read_at(file: &File, out: &mut [u8], at: u64) -> io::Result<()> {
    std::os::unix::fs::FileExt::read_exact_at(file, out, at)
}

/// Fills `out` with what begins `at` so many bytes; threads do not get into each other's way.
#[cfg(windows)]
pub(crate) fn read_at(file: &File, mut out: &mut [u8], mut at: u64) -> io::Result<()> {
    while !out.is_empty() {
        match std::os::windows::fs::FileExt::seek_read(file, out, at)? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            read => {
                out = &mut out[read..];
                at += read as u64;
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::io::{Seek, Write};

    use tempfile::NamedTempFile;

    use super::*;
    use crate::data::Part;

    const COLOURS: Layout = Layout { shape: [3, 1, 2], interleaved: true, pixel: Pixel::Byte };

    /// Ten bytes of something else, then three images of six bytes.
    fn file() -> NamedTempFile {
        let mut file = NamedTempFile::new().unwrap();
        file.write_all(&[255; 10]).unwrap();
        file.write_all(&(0..18).collect::<Vec<u8>>()).unwrap();
        file
    }

    fn read(file: &NamedTempFile, count: u64, large: u64) -> Result<Pixels, String> {
        read_as(COLOURS, file, count, large)
    }

    fn read_as(layout: Layout, file: &NamedTempFile, count: u64, large: u64) -> Result<Pixels, String> {
        let mut reader = File::open(file.path()).unwrap();
        reader.read_exact(&mut [0; 10]).unwrap();
        Pixels::read(&mut reader, count, layout, Some(Place { path: file.path(), start: 10, large }))
    }

    fn part(pixels: Pixels) -> Part {
        Part::all(pixels.labelled(vec![2, 0, 1]))
    }

    #[test]
    fn images_on_disk_are_those_in_memory() {
        let file = file();
        let (disk, memory) = (part(read(&file, 3, 18).unwrap()), part(read(&file, 3, 19).unwrap()));
        assert_eq!((disk.streams(), memory.streams()), (true, false), "what is large stays");
        assert_eq!(disk, memory);
        assert_eq!(*disk.image(1).unwrap(), [6, 9, 7, 10, 8, 11]);
        for i in 0..3 {
            assert_eq!(disk.digest(i).unwrap(), memory.digest(i).unwrap());
        }
        let order = [2, 0, 1, 2];
        assert_eq!(disk.select(&order), memory.select(&order));
    }

    #[test]
    fn sixteen_bits_are_the_same_on_disk_and_in_memory_from_either_end() {
        let file = file();
        let ends = [(Pixel::Little16, 0x1110, [0x0100, 0x0706]), (Pixel::Big16, 0x1011, [0x0001, 0x0607])];
        for (pixel, largest, first) in ends {
            // Three images of one pixel in three colours.
            let layout = Layout { shape: [3, 1, 1], interleaved: true, pixel };
            let [disk, memory] = [1, u64::MAX].map(|large| read_as(layout, &file, 3, large).unwrap());
            assert_eq!((disk.largest, memory.largest), (Some(largest), Some(largest)));
            let (disk, memory) = (part(disk), part(memory));
            assert_eq!((disk.streams(), memory.streams(), disk.white(), memory.white()), (true, false, 65535, 65535));
            let all = [0, 1, 2];
            assert_eq!(disk.values_of(&all).unwrap(), memory.values_of(&all).unwrap());
            assert_eq!(disk, memory, "as bytes too");
            assert!(all.iter().all(|i| disk.digest(*i).unwrap() == memory.digest(*i).unwrap()));
            let red = first.map(|pixel: u16| f32::from(pixel) / 65535.0);
            assert_eq!([0, 1].map(|i| disk.values(i).unwrap()[0]), red);
        }
    }

    #[test]
    fn a_wrong_length_is_told_before_any_image_is_used() {
        let told = |count, large| read(&file(), count, large).err().unwrap();
        for large in [1, u64::MAX] {
            assert_eq!(told(4, large), "is cut short: 18 of 24 bytes of data");
            assert_eq!(told(2, large), "goes on after the 12 bytes of data that it declares");
        }
    }

    #[test]
    fn a_file_that_changes_is_told_of() {
        let mut file = file();
        let disk = part(read(&file, 3, 1).unwrap());
        assert!(disk.image(2).is_ok());
        file.seek(io::SeekFrom::Start(10 + 13)).unwrap();
        file.write_all(&[77]).unwrap();
        assert!(disk.image(1).is_ok());
        let told = disk.image(2).unwrap_err().to_string();
        assert!(told.starts_with("the data changed while") && told.ends_with(file.path().to_str().unwrap()), "{told}");
        file.as_file().set_len(20).unwrap();
        let told = disk.values(2).unwrap_err().to_string();
        assert!(told.starts_with("could not read an image") && told.ends_with(file.path().to_str().unwrap()), "{told}");
    }
}

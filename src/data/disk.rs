//! Images that stay on disk: a large array that stands in a file as it is, unpacked, is read image by image.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::{Images, MAX_BYTES, Source, about_path, read_payload};
use crate::error::{Error, Result};

/// Arrays of fewer bytes are held in memory.
pub(super) const LARGE: u64 = 64 << 20;
/// Most bytes in one array that stays on disk.
pub(super) const MAX_BYTES_ON_DISK: u64 = 1 << 40;

/// Images where they stand in a file.
#[derive(Debug)]
pub(super) struct OnDisk {
    file: File,
    path: PathBuf,
    /// Where in the file the first image begins.
    start: u64,
    layout: Layout,
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
}

impl Layout {
    fn size(self) -> usize {
        self.shape.iter().product()
    }

    /// Brings images, as they stand in a file, into the order of [`Source::read`].
    pub fn planar(self, stored: Vec<u8>) -> Vec<u8> {
        if !self.interleaved {
            return stored;
        }
        let channels = self.shape[0];
        let planes = |image| (0..channels).flat_map(move |channel| plane(image, channel, channels));
        stored.chunks_exact(self.size()).flat_map(planes).collect()
    }
}

fn plane(image: &[u8], channel: usize, channels: usize) -> impl Iterator<Item = u8> {
    image.iter().skip(channel).step_by(channels).copied()
}

/// An array of images, of which the labels are not known yet.
pub(super) enum Pixels {
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
            return Ok(Self::Held(layout, layout.planar(read_payload(file, bytes)?)));
        };
        let digests = digests(file, count, layout)?;
        let opened = File::open(place.path).map_err(|error| format!("cannot be opened again ({error})"))?;
        let (path, start) = (place.path.to_owned(), place.start);
        Ok(Self::OnDisk(OnDisk { file: opened, path, start, layout, labels: Vec::new(), digests }))
    }

    /// The images with their labels.
    pub fn labelled(self, labels: Vec<u32>) -> std::sync::Arc<dyn Source> {
        match self {
            Self::Held(layout, pixels) => Images { shape: layout.shape, pixels, labels }.into(),
            Self::OnDisk(images) => std::sync::Arc::new(OnDisk { labels, ..images }),
        }
    }
}

/// Most bytes of an array that is read from there.
pub(super) fn most_bytes(place: Option<Place<'_>>) -> u64 {
    place.map_or(MAX_BYTES, |_| MAX_BYTES_ON_DISK)
}

/// The digest of each image; a wrong length is told as by [`read_payload`].
fn digests(file: &mut dyn Read, count: u64, layout: Layout) -> Result<Vec<[u8; 32]>, String> {
    let damaged = |error: io::Error| format!("is damaged or cut short ({error})");
    let (size, bytes) = (layout.size() as u64, count * layout.size() as u64);
    let mut digests = Vec::new();
    for i in 0..count {
        let mut image = Vec::with_capacity(layout.size());
        file.take(size).read_to_end(&mut image).map_err(damaged)?;
        if (image.len() as u64) < size {
            return Err(format!("is cut short: {} of {bytes} bytes of data", i * size + image.len() as u64));
        }
        digests.push(*blake3::hash(&layout.planar(image)).as_bytes());
    }
    // At its end a zip checks its sum.
    match file.read(&mut [0]).map_err(damaged)? {
        0 => Ok(digests),
        _ => Err(format!("goes on after the {bytes} bytes of data that it declares")),
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

    fn read(&self, i: usize, out: &mut [u8]) -> Result<()> {
        let mut stored = vec![0; self.layout.size()];
        let at = self.start + (i * stored.len()) as u64;
        read_at(&self.file, &mut stored, at).map_err(Error::io("read an image", &self.path))?;
        let image = self.layout.planar(stored);
        if *blake3::hash(&image).as_bytes() != self.digests[i] {
            let problem = "the data changed while they were in use; open them anew, or bring back what was there";
            return Err(about_path(problem, &self.path));
        }
        out.copy_from_slice(&image);
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

    const COLOURS: Layout = Layout { shape: [3, 1, 2], interleaved: true };

    /// Ten bytes of something else, then three images of six bytes.
    fn file() -> NamedTempFile {
        let mut file = NamedTempFile::new().unwrap();
        file.write_all(&[255; 10]).unwrap();
        file.write_all(&(0..18).collect::<Vec<u8>>()).unwrap();
        file
    }

    fn read(file: &NamedTempFile, count: u64, large: u64) -> Result<Pixels, String> {
        let mut reader = File::open(file.path()).unwrap();
        reader.read_exact(&mut [0; 10]).unwrap();
        Pixels::read(&mut reader, count, COLOURS, Some(Place { path: file.path(), start: 10, large }))
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

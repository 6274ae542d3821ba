//! Images that stay on disk: a large array that stands in a file as it is, unpacked, is read image by image.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::layout::Layout;
use super::range::{Scale, Seen};
use super::{Source, about_path};
use crate::error::{Error, Result};

/// Arrays of fewer bytes are held in memory, unless [`STREAM_FROM`] says otherwise.
const LARGE: u64 = 64 << 20;
/// The variable of the environment with another number of bytes in place of [`LARGE`]: for tests, and for machines with
/// little memory. Where images are changes no number of a run.
const STREAM_FROM: &str = "CUTLAYER_STREAM_FROM";
/// Most bytes in one array that stays on disk.
pub(super) const MAX_BYTES_ON_DISK: u64 = 1 << 40;
/// Most bytes in one that is packed, which take room on the disk where nobody expects it: a few can declare very many.
const MAX_BYTES_UNPACKED: u64 = 64 << 30;

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
    scale: Scale,
    labels: Vec<u32>,
    /// Of each image as it was when the file was opened.
    digests: Vec<[u8; 32]>,
}

/// A file that images may stay in, and where the array begins there.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    pub path: &'a Path,
    pub start: u64,
    /// Arrays of fewer bytes are held in memory all the same.
    pub large: u64,
    /// Whether it is packed there: then images are somewhere else.
    pub packed: bool,
}

impl Place<'_> {
    /// Most bytes of an array that is read from there.
    pub fn most(self) -> u64 {
        if self.packed { MAX_BYTES_UNPACKED } else { MAX_BYTES_ON_DISK }
    }
}

impl OnDisk {
    /// Looks at each of `count` images and leaves them where they are; says what values they have.
    pub fn read(file: &mut dyn Read, count: u64, layout: Layout, place: Place<'_>) -> Result<(Self, Seen), String> {
        let (digests, seen) = digests(file, count, layout, &mut |_| Ok(()))?;
        let opened = File::open(place.path).map_err(|error| format!("cannot be opened again ({error})"))?;
        let (path, start) = (place.path.to_owned(), place.start);
        let labels = Vec::new();
        Ok((Self { file: opened, path, start, layout, scale: Scale::BYTES, labels, digests }, seen))
    }

    /// Planar images at the beginning of an open file; `digests` are those of what stands there.
    pub fn kept(file: File, path: PathBuf, layout: Layout, digests: Vec<[u8; 32]>) -> Self {
        Self { file, path, start: 0, layout, scale: Scale::BYTES, labels: Vec::new(), digests }
    }

    /// The images with their labels, and how their numbers become pixels.
    pub fn labelled(self, labels: Vec<u32>, scale: Scale) -> Self {
        Self { scale, labels, ..self }
    }

    /// How they stand in the file.
    pub fn layout(&self) -> Layout {
        self.layout
    }
}

/// The digest of each image, and what values there are; each is handed over, planar. A wrong length is told as by
/// [`read_payload`](super::read_payload).
pub(super) fn digests(
    file: &mut dyn Read,
    count: u64,
    layout: Layout,
    each: &mut dyn FnMut(&[u8]) -> Result<(), String>,
) -> Result<(Vec<[u8; 32]>, Seen), String> {
    let damaged = |error: io::Error| format!("is damaged or cut short ({error})");
    let (size, bytes) = (layout.size() as u64, count * layout.size() as u64);
    let (mut digests, mut seen) = (Vec::new(), Seen::nothing(layout.number()));
    for i in 0..count {
        let mut image = Vec::with_capacity(layout.size());
        file.take(size).read_to_end(&mut image).map_err(damaged)?;
        if (image.len() as u64) < size {
            return Err(format!("is cut short: {} of {bytes} bytes of data", i * size + image.len() as u64));
        }
        let planar = layout.planar(image);
        digests.push(*blake3::hash(&planar).as_bytes());
        seen = seen.and(layout.seen(&planar));
        each(&planar)?;
    }
    // At its end a zip checks its sum.
    match file.read(&mut [0]).map_err(damaged)? {
        0 => Ok((digests, seen)),
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
        self.scale.white.into()
    }

    fn read(&self, i: usize, out: &mut [u8]) -> Result<()> {
        self.layout.fill_bytes(&self.planar(i)?, self.scale, out);
        Ok(())
    }

    fn values(&self, i: usize, out: &mut [f32]) -> Result<()> {
        self.layout.fill_values(&self.planar(i)?, self.scale, out);
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
    use crate::data::array::Pixels;
    use crate::data::layout::Pixel;
    use crate::data::reader::Findings;
    use crate::data::{Part, Range, range};

    const COLOURS: Layout = Layout { interleaved: true, ..Layout::plain([3, 1, 2], Pixel::Byte) };

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
        Pixels::read(&mut reader, count, layout, Some(Place { path: file.path(), start: 10, large, packed: false }))
    }

    fn part(pixels: Pixels, wanted: Range) -> Part {
        let scale = range::found(pixels.seen, wanted, &mut Findings::default());
        Part::all(pixels.labelled(vec![2, 0, 1], scale))
    }

    #[test]
    fn images_on_disk_are_those_in_memory() {
        let file = file();
        for wanted in [Range::Auto, Range::Between(0.0, 17.0), Range::Between(2.0, 9.5)] {
            let [disk, memory] = [18, 19].map(|large| part(read(&file, 3, large).unwrap(), wanted));
            assert_eq!((disk.streams(), memory.streams()), (true, false), "what is large stays");
            assert_eq!((&disk, disk.white()), (&memory, memory.white()));
            assert_eq!(disk.values_of(&[0, 1, 2]).unwrap(), memory.values_of(&[0, 1, 2]).unwrap());
            for i in 0..3 {
                assert_eq!(disk.digest(i).unwrap(), memory.digest(i).unwrap());
            }
            let order = [2, 0, 1, 2];
            assert_eq!(disk.select(&order), memory.select(&order));
        }
        let disk = part(read(&file, 3, 18).unwrap(), Range::Auto);
        assert_eq!(*disk.image(1).unwrap(), [6, 9, 7, 10, 8, 11]);
    }

    #[test]
    fn sixteen_bits_are_the_same_on_disk_and_in_memory_from_either_end() {
        let file = file();
        for (pixel, first) in [(Pixel::Little16, [0x0100, 0x0706]), (Pixel::Big16, [0x0001, 0x0607])] {
            // Three images of one pixel in three colours.
            let layout = Layout { interleaved: true, ..Layout::plain([3, 1, 1], pixel) };
            let [disk, memory] = [1, u64::MAX].map(|large| read_as(layout, &file, 3, large).unwrap());
            assert_eq!(disk.seen, memory.seen);
            let (disk, memory) = (part(disk, Range::Auto), part(memory, Range::Auto));
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
        let disk = part(read(&file, 3, 1).unwrap(), Range::Auto);
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

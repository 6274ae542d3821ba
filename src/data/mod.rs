//! Images with labels: the sets that are built in, those read from files, and who gets which part.
//!
//! Pixels stay bytes until a tensor is asked for, so a set costs a quarter of its float size. Files
//! come from strangers: every reader checks counts, sides and bytes against the limits below before
//! it allocates, and memory grows with what a file holds, never with what it declares.

pub mod catalogue;
mod draw;
mod embedded;
mod idx;
mod medmnist;
mod noun;
pub mod numpy;

use std::ffi::OsStr;
use std::io::{ErrorKind, Read};
use std::path::Path;

use candle_core::{Device, Tensor};

pub use catalogue::Catalogue;
pub use draw::{Draw, drawn, unfair};
pub use noun::Noun;

use crate::error::{Error, Result};
use crate::place;
use crate::random::Seed;

/// The names [`load`] knows without a file.
pub const BUILT_IN: [&str; 2] = ["mnist", "brainmri"];

/// Most images in one array of a file.
const MAX_IMAGES: u64 = 1_000_000;
/// Longest side of an image, in pixels.
const MAX_SIDE: u64 = 4096;
/// Most decoded bytes in one array of a file.
const MAX_BYTES: u64 = 2 << 30;
/// Most classes; a label is below it.
const MAX_CLASSES: u32 = 1000;

/// Images of one size, each with its class.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Images {
    /// Channels, height, width.
    pub shape: [usize; 3],
    /// Image after image, each channel by channel, row by row; 0 is black, 255 white.
    pub pixels: Vec<u8>,
    /// The class of each image, an index into [`Dataset::classes`].
    pub labels: Vec<u32>,
}

impl Images {
    /// The number of images.
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// Whether there is no image.
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// The pixels of image `i`, C × H × W.
    ///
    /// # Panics
    /// Where there is no image `i`.
    pub fn image(&self, i: usize) -> &[u8] {
        let size = self.size();
        &self.pixels[i * size..(i + 1) * size]
    }

    /// The pixels of image `i` as values in \[0, 1\].
    ///
    /// # Panics
    /// If there is no image `i`.
    pub fn values(&self, i: usize) -> Vec<f32> {
        self.image(i).iter().map(|pixel| f32::from(*pixel) / 255.0).collect()
    }

    /// The images at `indices`, in that order.
    ///
    /// # Panics
    /// Where an index is not below [`Self::len`].
    #[must_use]
    pub fn select(&self, indices: &[usize]) -> Self {
        let mut pixels = Vec::with_capacity(indices.len() * self.size());
        for &i in indices {
            pixels.extend_from_slice(self.image(i));
        }
        Self { shape: self.shape, pixels, labels: indices.iter().map(|&i| self.labels[i]).collect() }
    }

    /// The first `n` images, or all where there are fewer.
    #[must_use]
    pub fn take(&self, n: usize) -> Self {
        let n = n.min(self.len());
        Self { shape: self.shape, pixels: self.pixels[..n * self.size()].to_vec(), labels: self.labels[..n].to_vec() }
    }

    /// All images as float32, N × C × H × W, in \[0, 1\].
    ///
    /// # Errors
    /// Where the device has no memory left.
    pub fn tensor(&self, device: &Device) -> Result<Tensor> {
        let [channels, height, width] = self.shape;
        let values: Vec<f32> = self.pixels.iter().map(|&pixel| f32::from(pixel) / 255.0).collect();
        Ok(Tensor::from_vec(values, (self.len(), channels, height, width), device)?)
    }

    /// The labels as unsigned 32-bit integers, N.
    ///
    /// # Errors
    /// Where the device has no memory left.
    pub fn label_tensor(&self, device: &Device) -> Result<Tensor> {
        Ok(Tensor::from_slice(&self.labels, self.len(), device)?)
    }

    /// The images at `indices` (float32, N × C × H × W, in \[0, 1\]) and their labels (u32, N).
    ///
    /// # Errors
    /// Where the device has no memory left.
    ///
    /// # Panics
    /// Where an index is not below [`Self::len`].
    pub fn batch(&self, indices: &[usize], device: &Device) -> Result<(Tensor, Tensor)> {
        let chosen = self.select(indices);
        Ok((chosen.tensor(device)?, chosen.label_tensor(device)?))
    }

    /// How many images each of the first `classes` classes has.
    pub fn class_counts(&self, classes: usize) -> Vec<usize> {
        let mut counts = vec![0; classes];
        for &label in &self.labels {
            if let Some(count) = counts.get_mut(label as usize) {
                *count += 1;
            }
        }
        counts
    }

    /// Bytes of one image.
    fn size(&self) -> usize {
        self.shape.iter().product()
    }
}

/// A set of images for training, choosing and judging.
#[derive(Clone, Debug)]
pub struct Dataset {
    /// The name to load it by, or that of the file or folder.
    pub name: String,
    /// One line: what it is, whose it is and under which licence.
    pub about: String,
    /// The classes' names; a label is an index into them.
    pub classes: Vec<String>,
    /// What victim and attacker share out between them: see [`split`].
    pub train: Images,
    /// Empty where the source has none, as IDX folders.
    pub validation: Images,
    /// What accuracies are measured on and targets are drawn from.
    pub test: Images,
}

impl Dataset {
    /// Checks the parts (training, validation, test) against each other. Without names the classes
    /// are called "0" to the largest label. The problem is told without a path.
    fn new(name: &str, about: &str, names: Option<&[&str]>, parts: [Images; 3]) -> Result<Self, String> {
        let [train, validation, test] = parts;
        let sets = [("training", &train), ("validation", &validation), ("test", &test)];
        for (part, images) in sets {
            let pixels = images.len() * images.size();
            if images.pixels.len() != pixels {
                let found = images.pixels.len() / images.size().max(1);
                return Err(format!("the {part} set has {found} images and {} labels", images.len()));
            }
            if images.is_empty() && part != "validation" {
                return Err(format!("the {part} set is empty"));
            }
            if images.shape != train.shape {
                let [wanted, found] = [train.shape, images.shape];
                return Err(format!("{part} images are {found:?} (C, H, W), training images {wanted:?}"));
            }
        }
        let largest = sets.iter().flat_map(|(_, images)| &images.labels).copied().max().unwrap_or(0);
        let limit = names.map_or(MAX_CLASSES, |names| names.len() as u32);
        if largest >= limit {
            return Err(format!("label {largest} is too large: {limit} classes are allowed"));
        }
        let classes = match names {
            Some(names) => names.iter().map(ToString::to_string).collect(),
            None => (0..=largest).map(|label| label.to_string()).collect(),
        };
        Ok(Self { name: name.to_owned(), about: about.to_owned(), classes, train, validation, test })
    }

    /// Channels, height, width of every image.
    pub fn shape(&self) -> [usize; 3] {
        self.train.shape
    }

    /// The accuracy on the test set, in percent, of always guessing its largest class.
    pub fn majority(&self) -> f64 {
        let largest = self.test.class_counts(self.classes.len()).into_iter().max().unwrap_or(0);
        100.0 * largest as f64 / self.test.len() as f64
    }
}

/// Loads a built-in set by name, or reads a folder of IDX files (plain or `.gz`) or a MedMNIST
/// `.npz` file. A built-in name wins over a file of that name; `./mnist` is the file. Paths are as [`place::found`]
/// takes them.
///
/// ```
/// let digits = cutlayer::data::load("mnist")?;
/// assert_eq!((digits.train.len(), digits.shape()), (8000, [1, 28, 28]));
/// # Ok::<(), cutlayer::error::Error>(())
/// ```
///
/// # Errors
/// [`Error::Input`] where there is no such set, or a file is damaged or beyond the limits;
/// [`Error::Io`] where the system refuses to open it.
pub fn load(name_or_path: impl AsRef<OsStr>) -> Result<Dataset> {
    let given = name_or_path.as_ref();
    match given.to_str() {
        Some("mnist") => return embedded::mnist(),
        Some("brainmri") => return embedded::brainmri(),
        _ => {}
    }
    let path = place::found(given)?;
    let path = path.as_path();
    let kind = match path.metadata() {
        Ok(metadata) => metadata.file_type(),
        Err(error)
            if [ErrorKind::NotFound, ErrorKind::InvalidInput, ErrorKind::NotADirectory].contains(&error.kind()) =>
        {
            return Err(unknown(&given.to_string_lossy()));
        }
        Err(error) => return Err(Error::io("look at the data", path)(error)),
    };
    let name = path.file_stem().unwrap_or(given).to_string_lossy();
    let (format, parts) = if kind.is_dir() {
        ("IDX files", idx::read_folder(path)?)
    } else if kind.is_file() {
        ("a MedMNIST file", medmnist::read_file(path)?)
    } else {
        return Err(about_path("neither a folder of IDX files nor an .npz file", path));
    };
    let about = format!("images read from {format}; for the licence see their source");
    Dataset::new(&name, &about, None, parts).map_err(|problem| about_path(&problem, path))
}

/// The error for a name that is neither built in nor a path, with the likely name where one is near.
fn unknown(name: &str) -> Error {
    let lower = name.to_lowercase();
    let near = |known: &&str| strsim::jaro_winkler(&lower, known);
    let likely = BUILT_IN.into_iter().max_by(|a, b| near(a).total_cmp(&near(b))).filter(|known| near(known) >= 0.8);
    let hint = likely.map_or_else(String::new, |known| format!("; did you mean \"{known}\"?"));
    Error::input(format!(
        "no data set, file or folder is called {name:?}: built in are {}; a path may be a folder of IDX files or a \
         MedMNIST .npz file{hint}",
        BUILT_IN.join(" and ")
    ))
}

/// A problem found in a file, with its path last.
fn about_path(problem: &str, path: &Path) -> Error {
    Error::input(format!("{problem}: {}", path.display()))
}

/// The bytes of `count` images of `shape`, if all three are within the limits.
fn payload_bytes(count: u64, [channels, height, width]: [u64; 3]) -> Result<u64, String> {
    if count > MAX_IMAGES {
        return Err(format!("declares {count} images; at most {MAX_IMAGES} are read"));
    }
    if [height, width].iter().any(|side| !(1..=MAX_SIDE).contains(side)) {
        return Err(format!("declares images of {height} × {width} pixels; sides of 1 to {MAX_SIDE} are read"));
    }
    // No overflow: 10^6 × 3 × 4096² is below 2^64.
    let bytes = count * channels * height * width;
    if bytes > MAX_BYTES {
        return Err(format!("declares {bytes} bytes of pixels; at most {MAX_BYTES} are read"));
    }
    Ok(bytes)
}

/// Reads `bytes` bytes and finds the end there, which is also where gzip and zip check their sums.
fn read_payload(reader: impl Read, bytes: u64) -> Result<Vec<u8>, String> {
    let mut data = Vec::new();
    reader.take(bytes + 1).read_to_end(&mut data).map_err(|error| format!("is damaged or cut short ({error})"))?;
    match data.len() as u64 {
        found if found < bytes => Err(format!("is cut short: {found} of {bytes} bytes of data")),
        found if found > bytes => Err(format!("goes on after the {bytes} bytes of data that it declares")),
        _ => Ok(data),
    }
}

/// Who has which training images.
#[derive(Clone, Debug)]
pub struct Split {
    /// What the victims train on.
    pub victim: Images,
    /// What the attacker knows: like the victim's images, but none of them.
    pub aux: Images,
}

/// Gives the share `aux` (0 to 1) of the training images to the attacker and leaves the rest, at
/// least one, to the victim. Both come in an order drawn by `seed`, so that the first n of either are
/// a fair sample, and a larger share holds the smaller.
pub fn split(dataset: &Dataset, aux: f64, seed: Seed) -> Split {
    let all = dataset.train.len();
    let order = seed.stream("aux", 0).permutation(all);
    let count = ((aux * all as f64).round() as usize).min(all.saturating_sub(1));
    let (aux, victim) = order.split_at(count);
    Split { victim: dataset.train.select(victim), aux: dataset.train.select(aux) }
}

/// The indices of `n` test images to attack, or of all where there are fewer: one of each class in
/// turn, each class in an order drawn by `seed`. A smaller `n` gives the beginning of a larger.
///
/// # Panics
/// Where a label of `test` is not below `classes`.
pub fn targets(test: &Images, classes: usize, n: usize, seed: Seed) -> Vec<usize> {
    draw::in_turn(test, classes, n, seed.stream("targets", 0))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `labels.len()` images of 1 × 1 × 2, image i being [i, i].
    fn small(labels: &[u32]) -> Images {
        let pixels = (0..labels.len()).flat_map(|i| [i as u8, i as u8]).collect();
        Images { shape: [1, 1, 2], pixels, labels: labels.to_vec() }
    }

    #[test]
    fn images_are_selected_and_scaled() -> Result<()> {
        let images = Images { shape: [1, 1, 2], pixels: vec![0, 51, 102, 255], labels: vec![1, 0] };
        assert_eq!(images.select(&[1, 0, 1]).labels, [0, 1, 0]);
        assert_eq!(images.take(1).pixels, [0, 51]);
        assert_eq!(images.take(9), images);
        let (pixels, labels) = images.batch(&[1, 0], &Device::Cpu)?;
        assert_eq!(pixels.dims(), [2, 1, 1, 2]);
        assert_eq!(pixels.flatten_all()?.to_vec1::<f32>()?, [0.4, 1.0, 0.0, 0.2]);
        assert_eq!(labels.to_vec1::<u32>()?, [0, 1]);
        assert_eq!(images.take(0).tensor(&Device::Cpu)?.dims(), [0, 1, 1, 2]);
        Ok(())
    }

    #[test]
    fn inconsistent_sets_are_refused() {
        let refused = |parts| Dataset::new("x", "", Some(&["a", "b"]), parts).unwrap_err();
        let good = small(&[0, 1, 1]);
        let none = good.take(0);
        assert!(refused([none.clone(), none.clone(), good.clone()]).contains("training set is empty"));
        assert!(refused([good.clone(), none.clone(), none.clone()]).contains("test set is empty"));
        assert!(refused([good.clone(), none.clone(), small(&[2])]).contains("label 2"));
        let uneven = Images { labels: vec![0, 1], ..good.clone() };
        assert!(refused([good.clone(), none.clone(), uneven]).contains("3 images and 2 labels"));
        let wide = Images { shape: [1, 1, 3], pixels: vec![0; 9], labels: vec![0; 3] };
        assert!(refused([good.clone(), none.clone(), wide]).contains("[1, 1, 3]"));
        assert!(
            (Dataset::new("x", "", None, [good.clone(), none, good]).unwrap().majority() - 200.0 / 3.0).abs() < 1e-9
        );
    }

    #[test]
    fn an_unknown_name_is_met_with_the_known_ones() {
        let text = |name: &str| match load(name) {
            Err(Error::Input(text)) => text,
            other => panic!("{other:?}"),
        };
        assert!(text("mnsit").ends_with("did you mean \"mnist\"?"), "{}", text("mnsit"));
        assert!(text("BrainMRI").ends_with("did you mean \"brainmri\"?"));
        assert!(text("no/such/folder").contains("mnist and brainmri"));
        assert!(!text("no/such/folder").contains("did you mean"));
        assert!(!text("").contains("did you mean"));
    }

    #[test]
    fn victim_and_attacker_share_no_image() {
        let train = small(&[0; 80]);
        let none = train.take(0);
        let dataset = Dataset::new("x", "", None, [train.clone(), none, train.clone()]).unwrap();
        let Split { victim, aux } = split(&dataset, 0.125, Seed(1));
        assert_eq!((victim.len(), aux.len()), (70, 10));
        let mut all: Vec<u8> = victim.pixels.iter().chain(&aux.pixels).step_by(2).copied().collect();
        all.sort_unstable();
        assert_eq!(all, (0..80).collect::<Vec<u8>>());
        assert_eq!(split(&dataset, 0.125, Seed(1)).aux, aux);
        assert_ne!(split(&dataset, 0.125, Seed(2)).aux, aux);
        assert_eq!(split(&dataset, 0.25, Seed(1)).aux.take(10), aux);
        assert_eq!((split(&dataset, 0.0, Seed(1)).aux.len(), split(&dataset, 1.0, Seed(1)).victim.len()), (0, 1));
    }

    #[test]
    fn targets_take_the_classes_in_turn() {
        let test = small(&[0, 0, 0, 0, 0, 1, 1, 1, 2]);
        let chosen = targets(&test, 3, 7, Seed(4));
        assert_eq!(chosen.iter().map(|&i| test.labels[i]).collect::<Vec<_>>(), [0, 1, 2, 0, 1, 0, 1]);
        assert_eq!(targets(&test, 3, 4, Seed(4)), chosen[..4]);
        let mut all = targets(&test, 3, 100, Seed(4));
        all.sort_unstable();
        assert_eq!(all, (0..9).collect::<Vec<_>>());
        assert!((0..9).any(|seed| targets(&test, 3, 7, Seed(seed)) != chosen));
    }
}

//! A victim that another program trained: smashed data of its targets, and whatever of it the attacker has. Its client with
//! weights, or pairs of images and what the client sent for them, which pass any home-made defence.
//!
//! | given | what it is |
//! |---|---|
//! | `MODEL.toml` | `input` (C, H, W) and `layers`, as in an experiment: the client's part alone |
//! | `CLIENT.safetensors` | its weights, `0.weight` or `client.0.weight`: PyTorch's state dict of a `nn.Sequential` |
//! | `Z.npz` | `smashed` (N, …), which is attacked; only for scoring `images` (N, C, H, W) or (N, H, W) and `labels` (N) |
//! | `A.npz` | the attacker's own: `images` with their `smashed`, or alone; `labels`, where known |

pub mod job;
mod kept;
pub mod surrogate;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use candle_core::{Device, Tensor};
use serde::Deserialize;

use crate::attack::{Auxiliary, Evidence, Knowledge, Oracle};
use crate::data::named::{Loose, Numbers, named};
use crate::data::{Part, targets};
use crate::defence::entry::AS_THEY_ARE;
use crate::error::{Error, Result};
use crate::model::network::Network;
use crate::model::parameters::{Init, Parameters};
use crate::model::spec::{LayerSpec, shapes};
use crate::model::wire::Smashed;
use crate::random::Seed;

pub use crate::score::verdict::VICTIM;

/// Arrays of the files.
const SMASHED: &str = "smashed";
/// As above.
const IMAGES: &str = "images";
/// As above.
const LABELS: &str = "labels";

/// The class of targets of which none is known: no image of the attacker has it.
const UNKNOWN: u32 = 65_536;

/// Where the parts of a victim are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Paths {
    /// The client's layers.
    pub model: Option<PathBuf>,
    /// Its weights.
    pub client: Option<PathBuf>,
    /// What crossed the cut.
    pub smashed: PathBuf,
    /// What the attacker has.
    pub own: Option<PathBuf>,
}

/// A victim, checked to be whole.
#[derive(Debug)]
pub struct Victim {
    /// Shape of the images (C, H, W).
    pub image: [usize; 3],
    /// What crossed (N, …).
    pub smashed: Tensor,
    /// The client's layers, where they are known; none else.
    pub layers: Vec<LayerSpec>,
    /// The same with their weights.
    pub client: Option<Network>,
    /// The targets, where they are known: for scoring alone.
    pub truth: Option<Part>,
    /// Whether the targets' classes are known, and mean something beside the attacker's images.
    pub labelled: bool,
    /// The attacker's images; there may be none.
    pub own: Option<Part>,
    /// What the client sent for these, in their order.
    pub pairs: Option<Tensor>,
    /// Number of classes.
    pub classes: usize,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Model {
    input: [usize; 3],
    layers: Vec<LayerSpec>,
}

impl Victim {
    /// Reads all parts and checks that they fit each other.
    ///
    /// # Errors
    /// Names the file with its layer or array, what was wanted and what was found.
    pub fn open(paths: &Paths) -> Result<Self> {
        let device = Device::Cpu;
        let (mut arrays, all) = named(&paths.smashed, &[SMASHED, IMAGES, LABELS])?;
        let smashed = take(&mut arrays, SMASHED, &paths.smashed, &all)?;
        let crossed = smashed.shape[1..].to_vec();
        let smashed = tensor(smashed, &paths.smashed, &device)?;
        let model = paths.model.as_deref().map(|path| model(path, &crossed)).transpose()?;
        let client = match (&model, paths.client.as_deref()) {
            (Some(model), Some(path)) => Some(client(model, path, &device)?),
            // Layers alone are what attacks know that fit a clone.
            (_, None) => None,
            (None, Some(_)) => return Err(Error::input("a victim's weights need its layers: give --model too")),
        };
        let classes = classes(&arrays, &paths.smashed)?;
        let own = paths.own.as_deref().map(|path| Ok::<_, Error>((path, named(path, &[SMASHED, IMAGES, LABELS])?)));
        let own = own.transpose()?;
        // Classes of targets mean nothing beside images of no known class.
        let mean_nothing = own.as_ref().is_some_and(|(_, (arrays, _))| !arrays.contains_key(LABELS));
        let labelled = arrays.contains_key(LABELS) && !mean_nothing;
        if let Some(labels) = arrays.get_mut(LABELS).filter(|_| mean_nothing) {
            labels.values.fill(UNKNOWN as f32);
        }
        let truth = part(&mut arrays, &paths.smashed, smashed.dim(0)?, UNKNOWN)?;
        let (image, layers) = model.map(|model| (model.input, model.layers)).unwrap_or_default();
        let mut victim = Self { image, layers, smashed, client, truth, labelled, own: None, pairs: None, classes };
        if let Some((path, arrays)) = own {
            victim.take_own(path, arrays, &crossed, &device)?;
        }
        victim.check(paths)
    }

    fn take_own(
        &mut self,
        path: &Path,
        (mut arrays, all): (BTreeMap<String, Numbers>, Vec<String>),
        crossed: &[usize],
        device: &Device,
    ) -> Result<()> {
        self.classes = self.classes.max(classes(&arrays, path)?);
        let count = arrays.get(IMAGES).and_then(|images| images.shape.first().copied());
        let Some(count) = count else {
            return Err(lacking(IMAGES, path, &all));
        };
        if let Some(pairs) = arrays.remove(SMASHED) {
            if pairs.shape != [&[count], crossed].concat() {
                let (found, wanted) = (&pairs.shape, [&[count], crossed].concat());
                return Err(about(path, format!("the array smashed is {found:?}, wanted is {wanted:?}")));
            }
            self.pairs = Some(tensor(pairs, path, device)?);
        }
        self.own = part(&mut arrays, path, count, 0)?;
        Ok(())
    }

    fn check(mut self, paths: &Paths) -> Result<Self> {
        let of = |part: &Option<Part>| part.as_ref().map(Part::shape);
        let own = paths.own.as_deref().unwrap_or(&paths.smashed);
        if self.image == [0; 3] {
            self.image = of(&self.own).or(of(&self.truth)).ok_or_else(|| {
                Error::input(
                    "nothing says what the images are like: give the client (--model, --client), or pairs of images and \
                     smashed data of the attacker's own (--aux)",
                )
            })?;
        }
        for (found, path) in [(of(&self.truth), paths.smashed.as_path()), (of(&self.own), own)] {
            if let Some(found) = found.filter(|found| *found != self.image) {
                let wanted = self.image;
                return Err(about(path, format!("the images are {found:?}, wanted is {wanted:?} (C, H, W)")));
            }
        }
        Ok(self)
    }

    /// What an attacker of this name knows of it; the client is one of `surrogate`, where its own is not known.
    pub fn knowledge(&self, surrogate: Option<&Network>, seed: Seed, name: &str) -> Knowledge {
        let pairs = self.pairs.clone().map(Oracle::recorded);
        Knowledge {
            image: self.image,
            classes: self.classes,
            layers: self.layers.clone(),
            client: self.client.as_ref().or(surrogate).cloned(),
            // What was recorded is what the victim sent, whatever a surrogate would.
            oracle: pairs,
            server: None,
            entry: &AS_THEY_ARE,
            auxiliary: self.own.clone().map(|own| Auxiliary::new(own, self.smashed.device())),
            samples: None,
            defence: None,
            seed,
            name: name.to_owned(),
        }
    }

    /// The same for a rehearsal: the targets are `n` of the attacker's own images, balanced by class, for which it knows what
    /// the client sends or can work it out; it keeps the others.
    ///
    /// # Errors
    /// Returns an error if it has too few images, or neither the client nor pairs.
    pub fn rehearsal(self, n: usize) -> Result<Self> {
        let none = |what: &str| Error::input(format!("there is nothing to rehearse on: the attacker has {what}"));
        let own = self.own.ok_or_else(|| none("no images of its own"))?;
        let chosen = targets(&own, self.classes.max(1), n, Seed(0));
        let kept: Vec<usize> = (0..own.len()).filter(|i| !chosen.contains(i)).collect();
        if chosen.len() < n || kept.len() < own.len() / 2 {
            return Err(none(&format!("{} images, and a rehearsal takes {n}", own.len())));
        }
        let sent = match (&self.pairs, &self.client) {
            (Some(pairs), _) => pairs.clone(),
            (None, Some(client)) => client.forward(&own.tensor(self.smashed.device())?)?.detach(),
            (None, None) => return Err(none("neither the client nor pairs")),
        };
        let rows = |of: &[usize]| {
            let rows: Vec<u32> = of.iter().map(|i| *i as u32).collect();
            Ok::<_, Error>(sent.index_select(&Tensor::from_slice(&rows, rows.len(), sent.device())?, 0)?)
        };
        let pairs = self.pairs.is_some().then(|| rows(&kept)).transpose()?;
        Ok(Self {
            smashed: rows(&chosen)?,
            truth: Some(own.select(&chosen)),
            own: Some(own.select(&kept)),
            pairs,
            ..self
        })
    }

    /// The attacker's images, from which guesses are made; there may be none.
    ///
    /// # Errors
    /// Returns an error if neither they nor the targets are known.
    pub fn pool(&self) -> Result<Part> {
        let none = || self.truth.as_ref().map(|truth| truth.take(0));
        self.own.clone().or_else(none).ok_or_else(|| Error::Internal("a victim of no images".to_owned()))
    }

    /// What was seen of `count` targets from this one on.
    ///
    /// # Errors
    /// Returns an error if there are not as many.
    pub fn evidence(&self, from: usize, count: usize) -> Result<Evidence> {
        Evidence::new(Smashed::new(&self.smashed.narrow(0, from, count)?.contiguous()?))
    }

    /// Number of targets.
    pub fn targets(&self) -> usize {
        self.smashed.dims()[0]
    }
}

fn model(path: &Path, crossed: &[usize]) -> Result<Model> {
    let bytes = std::fs::read(path).map_err(Error::io("read the victim's layers", path))?;
    let text = String::from_utf8(bytes).map_err(|_| about(path, "no text, and so no TOML".to_owned()))?;
    let model: Model = toml::from_str(&text).map_err(|e| about(path, e.message().to_owned()))?;
    if model.layers.is_empty() || model.input.contains(&0) {
        return Err(about(path, "input and layers may not be empty".to_owned()));
    }
    let shapes = shapes(&model.input, &model.layers)
        .map_err(|e| about(path, e.to_string().replace("model.layers[", "layers[")))?;
    let last = shapes.last().map(Vec::as_slice).unwrap_or_default();
    if last != crossed {
        return Err(about(
            path,
            format!("the layers make {last:?} of an image, and the array smashed has {crossed:?} of each"),
        ));
    }
    Ok(model)
}

/// The client with weights that are not trained, its running statistics among them.
fn client(model: &Model, path: &Path, device: &Device) -> Result<Network> {
    let (mut parameters, init) = (Parameters::default(), Init { seed: Seed(0), model: VICTIM, device });
    Network::init("client", &model.input, &model.layers, &mut parameters, init)?;
    let tensors = candle_core::safetensors::load(path, device)
        .map_err(|e| about(path, format!("not a readable safetensors file ({e})")))?;
    let name = |name: String| if name.starts_with("client.") { name } else { format!("client.{name}") };
    let tensors: BTreeMap<String, Tensor> = tensors.into_iter().map(|(key, value)| (name(key), value)).collect();
    let bad = tensors.iter().filter(|(name, _)| parameters.get(name).is_ok());
    for (name, tensor) in bad {
        if !finite(tensor)? {
            return Err(about(path, format!("the weight {name} is not finite")));
        }
    }
    parameters.load(&tensors).map_err(|error| about(path, error.to_string()))?;
    Ok(Network::of("client", &model.layers, &parameters)?.frozen())
}

fn finite(tensor: &Tensor) -> Result<bool> {
    let values = tensor.to_dtype(candle_core::DType::F32)?.flatten_all()?.to_vec1::<f32>()?;
    Ok(values.iter().all(|value| value.is_finite()))
}

fn take(arrays: &mut BTreeMap<String, Numbers>, name: &str, path: &Path, all: &[String]) -> Result<Numbers> {
    let numbers = arrays.remove(name).ok_or_else(|| lacking(name, path, all))?;
    if numbers.shape.len() < 2 || numbers.shape.contains(&0) {
        let found = &numbers.shape;
        return Err(about(
            path,
            format!("the array {name} is {found:?}, wanted is (N, C, H, W) or (N, D), N at least 1"),
        ));
    }
    Ok(numbers)
}

fn tensor(numbers: Numbers, path: &Path, device: &Device) -> Result<Tensor> {
    if numbers.values.iter().any(|value| !value.is_finite()) {
        return Err(about(path, "the array smashed holds a number that is not finite".to_owned()));
    }
    Ok(Tensor::from_vec(numbers.values, numbers.shape, device)?)
}

/// Classes in labels; one where there are none.
fn classes(arrays: &BTreeMap<String, Numbers>, path: &Path) -> Result<usize> {
    let Some(labels) = arrays.get(LABELS) else { return Ok(1) };
    let fits = |label: &f32| (0.0..=65_535.0).contains(label) && label.fract() == 0.0;
    match labels.values.iter().find(|label| !fits(label)) {
        Some(label) => {
            Err(about(path, format!("the array labels holds {label}; allowed are whole numbers from 0 to 65535")))
        }
        None => Ok(labels.values.iter().fold(0.0_f32, |most, label| most.max(*label)) as usize + 1),
    }
}

/// The images of a file with their labels. Where there are none, all are of class `unknown`: no line-up is made of what nobody
/// knows.
fn part(arrays: &mut BTreeMap<String, Numbers>, path: &Path, count: usize, unknown: u32) -> Result<Option<Part>> {
    let labels = arrays.remove(LABELS);
    let Some(images) = arrays.remove(IMAGES) else { return Ok(None) };
    let labels = labels.map(|labels| labels.values.iter().map(|label| *label as u32).collect::<Vec<_>>());
    let labels = labels.unwrap_or_else(|| vec![unknown; count]);
    if images.shape.first() != Some(&count) {
        let found = &images.shape;
        return Err(about(path, format!("the array images is {found:?}, and there are {count} samples")));
    }
    Loose::part(images, labels).map(Some).map_err(|problem| about(path, format!("the array images {problem}")))
}

fn lacking(name: &str, path: &Path, all: &[String]) -> Error {
    let found = if all.is_empty() { "none".to_owned() } else { all.join(", ") };
    about(path, format!("there is no array {name}; it holds {found}"))
}

fn about(path: &Path, problem: impl std::fmt::Display) -> Error {
    Error::input(format!("{problem}: {}", path.display()))
}

#[cfg(test)]
mod tests;

//! One file from which a run goes on, exactly: weights and optimiser states of all parties, attacks
//! that are due, results so far, and where the run is.
//!
//! A safetensors file. Its metadata holds the run's position as JSON, the experiment's hash and a
//! checksum of all tensors. Random streams need no positions: they are keyed by name and index. Nothing
//! in it depends on the clock, so that a run which was interrupted ends with the same bytes as one which
//! was not; the times are in a file of their own.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use candle_core::safetensors::BufferedSafetensors;
use candle_core::{CpuStorage, DType, Device, Storage, Tensor};
use safetensors::tensor::{Dtype, SafeTensors, TensorView, serialize};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::attack_order::{AttackId, Order};
use super::attack_saved::{self, Amid};
use super::course::{Course, Stage, per_model};
use super::summary::{AttackRecord, EpochRow};
use crate::error::{Error, Result};
use crate::experiment::TrainSpec;
use crate::model::wire::WireCount;
use crate::score::utility::final_epoch;
use crate::split::SplitModel;

/// Where a run is, and what it found so far. Everything but the tensors and the metric rows.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Position {
    /// How far each model's training is.
    pub courses: Vec<Course>,
    /// Rows of `metrics.csv` up to here.
    pub metric_rows: usize,
    /// Test accuracies.
    pub epochs: Vec<EpochRow>,
    /// Finished attacks, their seconds left at 0.
    pub attacks: Vec<AttackRecord>,
    /// Vanilla's predictions on images reconstructed from its own smashed data.
    pub inverted: Option<Vec<u32>>,
    /// Bytes that crossed, by model.
    pub wire: Vec<WireCount>,
    /// Weights of the streams' votes in use, by model.
    pub weights: Vec<Option<Vec<f64>>>,
}

/// Seconds spent, beside the checkpoint.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Times {
    /// On the run.
    pub run: f64,
    /// On each finished attack, in their order.
    pub attacks: Vec<f64>,
    /// On training steps of images that are on disk, and of that waiting for them; none where they are in memory.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fed: Option<[f64; 2]>,
    /// On the attack at work.
    #[serde(default)]
    pub attack: f64,
}

/// A checkpoint in memory.
#[derive(Clone, Debug, Default)]
pub struct Checkpoint {
    /// Where the run is.
    pub position: Position,
    /// Attacks that are due, in order; the first may have begun.
    pub waiting: Vec<Order>,
    /// Tensors by name, but those of attacks.
    pub tensors: BTreeMap<String, Tensor>,
}

/// The metadata's one entry, a checksum and a line of JSON: a map of several would be written in any order.
const ENTRY: &str = "cutlayer";
/// The form of the file. In form 1 the position had room for the course of one model; up to form 2 each attack that was
/// due had tensors of its own, and one at work began again.
const FORM: u32 = 3;

#[derive(Serialize, Deserialize)]
struct Head {
    schema: u32,
    experiment: String,
    position: Position,
    pending: Vec<AttackId>,
    /// How far the first of these had come.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    amid: Option<Amid>,
}

impl Checkpoint {
    /// The tensors whose names start with `prefix`, which is cut off.
    pub fn part(&self, prefix: &str) -> BTreeMap<String, Tensor> {
        let named =
            self.tensors.iter().filter_map(|(name, t)| Some((name.strip_prefix(prefix)?.to_owned(), t.clone())));
        named.collect()
    }

    /// Adds tensors under `prefix`.
    pub fn put(&mut self, prefix: &str, tensors: BTreeMap<String, Tensor>) {
        self.tensors.extend(tensors.into_iter().map(|(name, t)| (format!("{prefix}{name}"), t)));
    }

    /// Adds what is needed of the run's `i`-th model: nothing before its training, since its first weights come from
    /// the seed; its weights (`{name}.client.0.weight`) after, which stay the model's own; and optimiser states only
    /// meanwhile. A Stop waits for every byte.
    ///
    /// # Errors
    /// Where there is no memory left.
    pub fn put_model(&mut self, i: usize, model: &SplitModel) -> Result<()> {
        let name = model.plan.name.as_str();
        let (begun, done) = self.course(i);
        // Its defences may have taught it something before its first step.
        let begun = begun || model.plan.defended() && self.preparing(i);
        if begun {
            for parameters in [model.client.parameters(), model.server.parameters()] {
                let shared = parameters.iter().map(|(name, var)| (name.to_owned(), var.as_detached_tensor()));
                self.put(&format!("{name}."), shared.collect());
            }
        }
        if begun && !done {
            self.put(&format!("adam.{name}."), model.client.optimiser_state()?);
            self.put(&format!("adam.{name}."), model.server.optimiser_state()?);
        }
        if begun {
            self.put(&format!("defence.{name}."), model.defence_state()?);
        }
        Ok(())
    }

    /// Loads what there is of the run's `i`-th model, which is as new, and all that its answers depend on.
    ///
    /// # Errors
    /// Where it is of another model.
    pub fn restore(&self, i: usize, model: &mut SplitModel) -> Result<()> {
        let (begun, done) = self.course(i);
        let weights = self.part(&format!("{}.", model.plan.name));
        let begun = begun || model.plan.defended() && self.preparing(i) && !weights.is_empty();
        if begun {
            model.client.parameters().load(&weights)?;
            model.server.parameters().load(&weights)?;
        }
        if begun && !done {
            let state = self.part(&format!("adam.{}.", model.plan.name));
            model.client.load_optimiser(&state)?;
            model.server.load_optimiser(&state)?;
        }
        if begun {
            model.load_defences(&self.part(&format!("defence.{}.", model.plan.name)))?;
        }
        if let Some(Some(votes)) = self.position.weights.get(i) {
            model.server.set_votes(votes);
        }
        Ok(())
    }

    /// Whether the run's `i`-th model is in training, or its defences prepare it for that.
    fn preparing(&self, i: usize) -> bool {
        self.position.courses.get(i).is_some_and(|course| course.stage == Stage::Train)
    }

    /// Whether the run's `i`-th model has learnt anything, and whether it has learnt all.
    fn course(&self, i: usize) -> (bool, bool) {
        self.position.courses.get(i).map_or((false, false), |course| (course.begun(), course.done()))
    }

    /// Whole epochs that a model was trained for.
    pub fn epochs_of(&self, model: &str) -> usize {
        self.position.epochs.iter().filter(|row| row.model == model).count()
    }

    /// The run's `i`-th model, if it has been trained, and after how many epochs the weights are that it is judged with.
    pub(super) fn final_epoch(&self, i: usize, name: &str, train: &TrainSpec) -> Option<(String, usize)> {
        let takes_best = train.takes_best();
        self.course(i).1.then(|| (name.to_owned(), final_epoch(&self.position.epochs, name, takes_best)))
    }

    /// The file's bytes.
    ///
    /// # Errors
    /// Where there is no memory left.
    pub fn to_bytes(&self, experiment_hash: &str) -> Result<Vec<u8>> {
        let head = Head {
            schema: FORM,
            experiment: experiment_hash.to_owned(),
            position: self.position.clone(),
            pending: self.waiting.iter().map(|order| order.id.clone()).collect(),
            amid: Amid::of(&self.waiting),
        };
        let head = serde_json::to_string(&head).map_err(|e| Error::Internal(format!("checkpoint: {e}")))?;
        let mut tensors = self.tensors.clone();
        attack_saved::put(&self.waiting, &mut tensors);
        let raw = raw_tensors(&tensors)?;
        let sum = checksum(&head, raw.iter().map(|raw| (raw.0.as_str(), raw.3.as_slice())));
        let metadata = HashMap::from([(ENTRY.to_owned(), format!("{sum}\n{head}"))]);
        file_of(&raw, Some(metadata))
    }

    /// Reads a checkpoint of the experiment with this hash.
    ///
    /// # Errors
    /// Where it is missing, damaged or of another experiment; the message ends with the path.
    pub fn load(path: &Path, experiment_hash: &str) -> Result<Self> {
        let bytes = std::fs::read(path).map_err(Error::io("read", path))?;
        Self::from_bytes(&bytes, experiment_hash).map_err(|e| Error::input(format!("{e}: {}", path.display())))
    }

    pub(super) fn from_bytes(bytes: &[u8], experiment_hash: &str) -> Result<Self, String> {
        let damaged = |e: &dyn std::fmt::Display| format!("the checkpoint is damaged ({e})");
        let (_, metadata) = SafeTensors::read_metadata(bytes).map_err(|e| damaged(&e))?;
        let text = metadata.metadata().as_ref().and_then(|entries| entries.get(ENTRY));
        let (sum, text) =
            text.and_then(|text| text.split_once('\n')).ok_or("the file is no checkpoint of this program")?;
        let tensors = SafeTensors::deserialize(bytes).map_err(|e| damaged(&e))?;
        let mut names: Vec<_> = tensors.names().into_iter().map(str::to_owned).collect();
        names.sort();
        let views = names.iter().map(|name| tensors.tensor(name).map(|view| (name.as_str(), view)));
        let views = views.collect::<Result<Vec<_>, _>>().map_err(|e| damaged(&e))?;
        if checksum(text, views.iter().map(|(name, view)| (*name, view.data()))) != sum {
            return Err(damaged(&"its checksum does not fit"));
        }
        let mut head: Value = serde_json::from_str(text).map_err(|e| damaged(&e))?;
        let form = head.get("schema").and_then(Value::as_u64).unwrap_or(1);
        if form > FORM.into() {
            return Err(format!(
                "the checkpoint was made by a newer version: it has form {form}, this one reads forms up to {FORM}; update it"
            ));
        }
        if let Some(position) = head.get_mut("position") {
            per_model(position).map_err(|e| damaged(&e))?;
        }
        let head: Head = serde_json::from_value(head).map_err(|e| damaged(&e))?;
        if head.experiment != experiment_hash {
            return Err("the checkpoint is of another experiment than the experiment.toml beside it".to_owned());
        }
        let loaded = BufferedSafetensors::new(bytes.to_vec()).map_err(|e| damaged(&e))?;
        let tensors = names.iter().map(|name| Ok((name.clone(), loaded.load(name, &Device::Cpu)?)));
        let mut tensors: BTreeMap<_, _> =
            tensors.collect::<candle_core::Result<_>>().map_err(|e| damaged(&Error::from(e)))?;
        let waiting = attack_saved::take(&mut tensors, head.pending, head.amid, form < 3).map_err(|e| damaged(&e))?;
        Ok(Self { position: head.position, waiting, tensors })
    }
}

type Raw = (String, Dtype, Vec<usize>, Vec<u8>);

/// Tensors as little-endian bytes, by name.
fn raw_tensors(tensors: &BTreeMap<String, Tensor>) -> Result<Vec<Raw>> {
    let raw = |(name, t): (&String, &Tensor)| {
        let dtype = if t.dtype() == DType::U32 { DType::U32 } else { DType::F32 };
        let host = t.to_device(&Device::Cpu)?.to_dtype(dtype)?.contiguous()?;
        let (storage, layout) = host.storage_and_layout();
        let range = layout.start_offset()..layout.start_offset() + host.elem_count();
        let (dtype, bytes) = match &*storage {
            Storage::Cpu(CpuStorage::U32(values)) => (Dtype::U32, little_endian(&values[range], u32::to_le_bytes)),
            Storage::Cpu(CpuStorage::F32(values)) => (Dtype::F32, little_endian(&values[range], f32::to_le_bytes)),
            _ => return Err(Error::Internal(format!("{name} is no tensor that a checkpoint can hold"))),
        };
        Ok((name.clone(), dtype, t.dims().to_vec(), bytes))
    };
    tensors.iter().map(raw).collect()
}

/// The values' bytes, four at a time: a Stop waits for millions of them.
fn little_endian<T: Copy>(values: &[T], bytes_of: impl Fn(T) -> [u8; 4]) -> Vec<u8> {
    let mut bytes = vec![0; 4 * values.len()];
    for (to, &v) in bytes.chunks_exact_mut(4).zip(values) {
        to.copy_from_slice(&bytes_of(v));
    }
    bytes
}

/// Of the position and all tensors, in the order of their names.
fn checksum<'a>(head: &str, tensors: impl Iterator<Item = (&'a str, &'a [u8])>) -> String {
    let mut hash = blake3::Hasher::new();
    hash.update(head.as_bytes());
    for (name, bytes) in tensors {
        hash.update(name.as_bytes());
        hash.update(bytes);
    }
    hash.finalize().to_hex().to_string()
}

/// A safetensors file of weights alone, for other programs.
///
/// # Errors
/// Where there is no memory left.
pub fn weights_file(tensors: &BTreeMap<String, Tensor>) -> Result<Vec<u8>> {
    file_of(&raw_tensors(tensors)?, None)
}

fn file_of(raw: &[Raw], metadata: Option<HashMap<String, String>>) -> Result<Vec<u8>> {
    let wrong = |e: safetensors::SafeTensorError| Error::Internal(format!("weights: {e}"));
    let views = raw.iter().map(|(name, dtype, shape, bytes)| {
        Ok((name.as_str(), TensorView::new(*dtype, shape.clone(), bytes).map_err(wrong)?))
    });
    serialize(views.collect::<Result<Vec<_>>>()?, metadata).map_err(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn example() -> Checkpoint {
        let mut checkpoint = Checkpoint::default();
        checkpoint.position.courses = vec![Course { epoch: 3, ..Course::default() }];
        let weight = Tensor::new(&[[1f32, -2.0], [3.0, 4.5]], &Device::Cpu).unwrap();
        checkpoint.put("dropout.", BTreeMap::from([("client.0.weight".to_owned(), weight)]));
        checkpoint.put("adam.", BTreeMap::from([("steps".to_owned(), Tensor::new(&[7u32], &Device::Cpu).unwrap())]));
        checkpoint
    }

    #[test]
    fn what_goes_in_comes_out() {
        let bytes = example().to_bytes("hash").unwrap();
        let back = Checkpoint::from_bytes(&bytes, "hash").unwrap();
        assert_eq!(back.position, example().position);
        assert_eq!(back.to_bytes("hash").unwrap(), bytes);
        assert!(Checkpoint::from_bytes(&bytes, "other").unwrap_err().contains("another experiment"));
    }

    #[test]
    fn damage_anywhere_is_noticed() {
        let bytes = example().to_bytes("hash").unwrap();
        for at in (0..bytes.len()).step_by(7).chain(bytes.len() - 24..bytes.len()) {
            let mut broken = bytes.clone();
            broken[at] ^= 0x20;
            let wrong = Checkpoint::from_bytes(&broken, "hash").is_ok();
            assert!(
                !wrong,
                "byte {at}: {:?}",
                String::from_utf8_lossy(&bytes[at.saturating_sub(30)..bytes.len().min(at + 20)])
            );
            assert!(Checkpoint::from_bytes(&bytes[..at], "hash").is_err(), "cut at {at}");
        }
    }
}

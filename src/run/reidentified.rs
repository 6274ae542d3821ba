//! Who is found again by what the attacks of a run stole: read from the files that it keeps of them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use candle_core::{DType, Tensor};

use super::attack_files::{IMAGES, PATIENTS, RECONSTRUCTIONS};
use super::attack_order::AttackId;
use super::folder::KEPT;
use super::summary::AttackRecord;
use crate::error::{Error, Result};
use crate::random::Seed;
use crate::score::people::{People, Reidentified};
use crate::score::verdict::is_attack;

/// What the bootstrap draws by.
const SEED: Seed = Seed(0);

/// What one attack's file has.
#[derive(Default)]
pub(super) struct Stolen {
    /// What it made of the targets.
    pub reconstructions: Vec<Vec<f32>>,
    images: Vec<Vec<f32>>,
    patients: Option<Vec<u32>>,
    width: usize,
}

/// Who is found by the attacks after the training, over all these runs together, whose patients are numbered alike. Empty
/// where patients are not known, or fewer than eight have two targets.
///
/// # Errors
/// Returns an error if a file is damaged; the path comes last.
pub(super) fn reidentified(runs: &[PathBuf], attacks: &[AttackRecord]) -> Result<Vec<Reidentified>> {
    let last = attacks.iter().map(|record| record.epoch).max().unwrap_or(0);
    let after = |record: &&AttackRecord| is_attack(record) && record.epoch == last && record.has_images();
    let (mut found, mut all) = (Vec::new(), Vec::new());
    let mut people = None;
    // Attacks at the most targets are those that say most; all of them have the same ones then.
    let most = attacks.iter().filter(after).map(|record| record.images).max().unwrap_or(0);
    for record in attacks.iter().filter(after).filter(|record| record.images == most) {
        let mut stolen: Option<Stolen> = None;
        for run in runs {
            let stem = AttackId::file_stem_of(&record.target, record.epoch, &record.name, record.adaptive);
            let path = run.join(KEPT).join(format!("{stem}.npz"));
            let more = Stolen::read(&path)?;
            stolen = Some(match stolen {
                Some(all) => all.and(more),
                None => more,
            });
        }
        let Some(Stolen { reconstructions, images, patients: Some(patients), width }) = stolen else {
            return Ok(Vec::new());
        };
        if people.is_none() {
            people = People::of(&images, &patients, width);
            if people.is_none() {
                return Ok(Vec::new());
            }
        }
        let row = Reidentified {
            name: record.name.clone(),
            target: Some(record.target.clone()),
            adaptive: Some(record.adaptive),
            ..Reidentified::default()
        };
        all.push((row, reconstructions));
    }
    if let Some(people) = people {
        found = people.found(&all, SEED);
    }
    Ok(found)
}

impl Stolen {
    /// Reads a file.
    ///
    /// # Errors
    /// Returns an error if it is missing or damaged; the path comes last.
    pub fn read(path: &Path) -> Result<Self> {
        let damaged = |e: &dyn std::fmt::Display| Error::input(format!("damaged ({e}): {}", path.display()));
        let arrays: BTreeMap<String, Tensor> = Tensor::read_npz(path).map_err(|e| damaged(&e))?.into_iter().collect();
        let images = |name: &str| -> Result<Vec<Vec<f32>>> {
            let tensor = arrays.get(name).ok_or_else(|| damaged(&format!("it has no {name}")))?;
            tensor.flatten_from(1).and_then(|rows| rows.to_vec2()).map_err(|e| damaged(&e))
        };
        let patients = arrays.get(PATIENTS).map(|t| t.to_dtype(DType::U32).and_then(|t| t.to_vec1::<u32>()));
        let patients = patients.transpose().map_err(|e| damaged(&e))?;
        let (reconstructions, clean) = (images(RECONSTRUCTIONS)?, images(IMAGES)?);
        let wrong = patients.as_ref().is_some_and(|patients| patients.len() != clean.len());
        if wrong || reconstructions.len() != clean.len() {
            return Err(damaged(&"its arrays differ in length"));
        }
        let width = arrays.get(IMAGES).and_then(|t| t.dims().last().copied()).unwrap_or(1);
        Ok(Self { reconstructions, images: clean, patients, width })
    }

    /// This and those of other targets.
    fn and(mut self, more: Self) -> Self {
        self.reconstructions.extend(more.reconstructions);
        self.images.extend(more.images);
        self.patients = self.patients.zip(more.patients).map(|(own, more)| [own, more].concat());
        self
    }
}

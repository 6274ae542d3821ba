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

/// The images of one attack's file.
#[derive(Default)]
struct Stolen {
    reconstructions: Vec<Vec<f32>>,
    images: Vec<Vec<f32>>,
    patients: Vec<u32>,
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
        let mut stolen = Stolen::default();
        for run in runs {
            let stem = AttackId::file_stem_of(&record.target, record.epoch, &record.name, record.adaptive);
            let path = run.join(KEPT).join(format!("{stem}.npz"));
            if !stolen.add(&path)? {
                return Ok(Vec::new());
            }
        }
        if people.is_none() {
            people = People::of(&stolen.images, &stolen.patients, stolen.width);
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
        all.push((row, stolen.reconstructions));
    }
    if let Some(people) = people {
        found = people.found(&all, SEED);
    }
    Ok(found)
}

impl Stolen {
    /// Adds the images of a file; false where it does not tell whose they are.
    fn add(&mut self, path: &Path) -> Result<bool> {
        let damaged = |e: &dyn std::fmt::Display| Error::input(format!("damaged ({e}): {}", path.display()));
        let arrays: BTreeMap<String, Tensor> = Tensor::read_npz(path).map_err(|e| damaged(&e))?.into_iter().collect();
        let Some(patients) = arrays.get(PATIENTS) else { return Ok(false) };
        let images = |name: &str| -> Result<Vec<Vec<f32>>> {
            let tensor = arrays.get(name).ok_or_else(|| damaged(&format!("it has no {name}")))?;
            tensor.flatten_from(1).and_then(|rows| rows.to_vec2()).map_err(|e| damaged(&e))
        };
        let patients = patients.to_dtype(DType::U32).and_then(|t| t.to_vec1::<u32>()).map_err(|e| damaged(&e))?;
        let (reconstructions, clean) = (images(RECONSTRUCTIONS)?, images(IMAGES)?);
        if reconstructions.len() != patients.len() || clean.len() != patients.len() {
            return Err(damaged(&"its arrays differ in length"));
        }
        self.width = arrays[IMAGES].dims().last().copied().unwrap_or(1);
        self.reconstructions.extend(reconstructions);
        self.images.extend(clean);
        self.patients.extend(patients);
        Ok(true)
    }
}

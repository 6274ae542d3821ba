//! What can be read off stolen images: a classifier of the judge's own, trained on the run's training images as they are, is
//! shown what attacks made of the targets. A picture that nobody would recognise may still tell the diagnosis.

use std::collections::HashMap;
use std::path::Path;

use candle_core::Tensor;

use super::attack_order::AttackId;
use super::folder::KEPT;
use super::prepared::Prepared;
use super::reidentified::Stolen;
use super::summary::AttackRecord;
use crate::data::Part;
use crate::error::Result;
use crate::experiment::ClassWeights;
use crate::random::{At, Seed};
use crate::score::read_off::ReadOff;
use crate::score::verdict::is_attack;
use crate::split::{SplitModel, SplitPlan};
use crate::workbench::load;

/// The run's own labels, in the list of those that are to be read.
const OWN: &str = "own";
/// What the classifier is trained for, and with.
const EPOCHS: usize = 10;
const BATCH: usize = 16;
/// Images that it is shown at once.
const CHUNK: usize = 32;
/// What the bootstrap draws by.
const BOOTSTRAP: Seed = Seed(0);

/// Labelings that are to be read, each in turn.
#[derive(Default)]
pub(super) struct Readers {
    /// Those still to come; none before it was asked.
    waiting: Option<Vec<String>>,
    at_work: Option<Reader>,
    rows: Vec<ReadOff>,
    warnings: Vec<String>,
}

/// One classifier.
struct Reader {
    labels: String,
    classes: usize,
    images: Part,
    /// Of the training images.
    truth: Vec<u32>,
    /// Of the targets; none where the set does not say.
    targets: Vec<Option<u32>>,
    model: SplitModel,
    epoch: usize,
    step: usize,
    order: Vec<usize>,
}

impl Readers {
    /// A slice: one training step, or all that is shown to a trained classifier. True once everything is read.
    ///
    /// # Errors
    /// Returns an error if an image or a file cannot be read.
    pub fn advance(&mut self, setup: &Prepared, run: Option<&Path>, attacks: &[AttackRecord]) -> Result<bool> {
        let waiting = self.waiting.get_or_insert_with(|| wanted(&setup.experiment.evaluate.read));
        if setup.targets.is_empty() {
            return Ok(true);
        }
        if let Some(reader) = &mut self.at_work {
            if !reader.train(setup)? {
                return Ok(false);
            }
            if let Some(reader) = self.at_work.take() {
                self.rows.extend(reader.read(setup, run, attacks)?);
            }
            return Ok(false);
        }
        if waiting.is_empty() {
            return Ok(true);
        }
        let labels = waiting.remove(0);
        match Reader::new(&labels, setup) {
            Ok(reader) => self.at_work = Some(reader),
            Err(error) => self.warnings.push(format!("evaluate.read: {labels} cannot be read off: {error}")),
        }
        Ok(false)
    }

    /// What was read.
    pub fn rows(&self) -> &[ReadOff] {
        &self.rows
    }

    /// What could not be.
    pub fn warnings(&mut self) -> Vec<String> {
        std::mem::take(&mut self.warnings)
    }
}

/// The names in a list; none of the word for none.
fn wanted(list: &str) -> Vec<String> {
    let names = list.split(',').map(str::trim).filter(|name| !name.is_empty() && *name != "none");
    names.map(str::to_owned).collect()
}

impl Reader {
    fn new(labels: &str, setup: &Prepared) -> Result<Self> {
        let images = setup.victim.and(&setup.auxiliary);
        let (truth, targets, classes) = if labels == OWN {
            let of = |part: &Part| part.labels().iter().map(|label| Some(*label)).collect::<Vec<_>>();
            (of(&images), of(&setup.targets), setup.classes())
        } else {
            let mut wanted = setup.experiment.data.wanted()?;
            labels.clone_into(&mut wanted.labels);
            let set = load(&setup.experiment.data.name, &wanted)?;
            // The same images, parted otherwise: what was stratified by other labels.
            let mut known = HashMap::new();
            for part in [&set.train, &set.validation, &set.test] {
                for i in 0..part.len() {
                    known.insert(part.digest(i)?, part.labels()[i]);
                }
            }
            let of = |part: &Part| {
                (0..part.len()).map(|i| Ok(known.get(&part.digest(i)?).copied())).collect::<Result<Vec<_>>>()
            };
            (of(&images)?, of(&setup.targets)?, set.classes.len())
        };
        let labelled: Vec<usize> = (0..images.len()).filter(|i| truth[*i].is_some()).collect();
        let (images, truth) = (images.select(&labelled), truth.into_iter().flatten().collect::<Vec<_>>());
        let mut counts = vec![0; classes];
        for label in &truth {
            counts[*label as usize] += 1;
        }
        let plan = setup.experiment.undefended().split_plans(images.shape(), classes)?.swap_remove(0);
        // Weights of its own: it is no copy of the run's model.
        let name = format!("reader.{labels}");
        let plan = SplitPlan { class_weights: ClassWeights::Balanced.of(&counts), name, ..plan };
        let model = SplitModel::new(plan, setup.seed(), &setup.device)?;
        let labels = labels.to_owned();
        Ok(Self { labels, classes, images, truth, targets, model, epoch: 0, step: 0, order: Vec::new() })
    }

    /// One step; true once it is trained.
    fn train(&mut self, setup: &Prepared) -> Result<bool> {
        if self.epoch == EPOCHS || self.images.is_empty() {
            return Ok(true);
        }
        if self.step == 0 {
            self.order = setup.seed().stream("reader", self.epoch as u64).permutation(self.images.len());
        }
        let from = self.step * BATCH;
        let indices = &self.order[from..(from + BATCH).min(self.order.len())];
        let x = self.images.batch(indices, &setup.device)?.0;
        let labels: Vec<u32> = indices.iter().map(|i| self.truth[*i]).collect();
        let labels = Tensor::new(labels.as_slice(), &setup.device)?;
        self.model.step(&x, &labels, At::Train { epoch: self.epoch, step: self.step })?;
        self.step += 1;
        if self.step * BATCH >= self.order.len() {
            (self.epoch, self.step) = (self.epoch + 1, 0);
        }
        Ok(false)
    }

    /// What it makes of the targets as they are, and as attacks after the training have them.
    fn read(&self, setup: &Prepared, run: Option<&Path>, attacks: &[AttackRecord]) -> Result<Vec<ReadOff>> {
        let n = setup.targets.len();
        let clean: Vec<Vec<f32>> = (0..n).map(|i| setup.targets.values(i)).collect::<Result<_>>()?;
        let mut rows = vec![self.row(setup, &clean, ReadOff { name: "original".to_owned(), ..ReadOff::default() })?];
        let last = setup.experiment.train.epochs;
        for record in attacks.iter().filter(|one| is_attack(one) && one.epoch == last && one.has_images()) {
            let stem = AttackId::file_stem_of(&record.target, record.epoch, &record.name, record.adaptive);
            let Some(run) = run else { continue };
            let stolen = Stolen::read(&run.join(KEPT).join(format!("{stem}.npz")))?;
            let (target, adaptive) = (Some(record.target.clone()), Some(record.adaptive));
            let row = ReadOff { name: record.name.clone(), target, adaptive, ..ReadOff::default() };
            rows.push(self.row(setup, &stolen.reconstructions, row)?);
        }
        Ok(rows)
    }

    fn row(&self, setup: &Prepared, images: &[Vec<f32>], row: ReadOff) -> Result<ReadOff> {
        let [c, h, w] = self.images.shape();
        let mut predicted = Vec::new();
        for chunk in images.chunks(CHUNK) {
            let x = Tensor::from_vec(chunk.concat(), (chunk.len(), c, h, w), &setup.device)?;
            predicted.extend(self.model.answer(&x, At::ONCE)?.predicted()?);
        }
        let known: Vec<usize> = (0..predicted.len()).filter(|i| self.targets[*i].is_some()).collect();
        let units = setup.targets.groups().map(|groups| known.iter().map(|i| groups.numbers[*i]).collect());
        let row = ReadOff {
            labels: self.labels.clone(),
            classes: self.classes,
            predicted: known.iter().map(|i| predicted[*i]).collect(),
            truth: known.iter().filter_map(|i| self.targets[*i]).collect(),
            units,
            ..row
        };
        Ok(row.measured(BOOTSTRAP))
    }
}

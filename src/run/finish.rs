//! What a run leaves when it is done: its summary and its pictures.

use super::attack_order::PICTURED;
use super::by_model::ByModel;
use super::caption::Caption;
use super::closing::Closing;
use super::event::Event;
use super::judge::stream_order;
use super::pictures::{Tile, sheet};
use super::reidentified::reidentified;
use super::scene::Picture;
use super::session::Session;
use super::summary::{AttackRecord, EpochRow, Machine, SCHEMA, Summary, WireTotals};
use crate::error::Result;
use crate::model::wire::WireCount;
use crate::score::utility::{best_epoch, final_epoch};
use crate::split::UNDEFENDED;
use crate::workbench::usual_defence;

/// Images, maps and what was sent, of a model that makes maps.
pub const MAPS_FILE: &str = "images/maps.png";

impl Session {
    /// The last measurements, slice by slice, and then the summary.
    pub(super) fn close(&mut self, mut closing: Closing) -> Result<Option<Summary>> {
        let folder = self.recorder.as_ref().map(|recorder| recorder.folder().path());
        let done = closing.advance(&self.evaluated(), &self.setup.targets)?
            && closing.readers.advance(&self.setup, folder, &self.position.attacks)?;
        for warning in closing.readers.warnings() {
            self.emit(Event::Warning(warning));
        }
        if !done {
            self.closing = Some(closing);
            return Ok(None);
        }
        let summary = self.summary(closing)?;
        if let Some(recorder) = &self.recorder {
            if let Some(sheet) = self.maps_sheet()? {
                recorder.put(MAPS_FILE, &sheet)?;
            }
            recorder.save_summary(&summary)?;
        }
        Ok(Some(summary))
    }

    /// Original, gradient map and disguised image of the first targets; none where no defence makes maps.
    ///
    /// # Errors
    /// Where the model fails.
    fn maps_sheet(&self) -> Result<Option<Vec<u8>>> {
        let targets = &self.setup.targets;
        let few = targets.take(PICTURED.min(targets.len()));
        let Some(model) = self.evaluated().defended else { return Ok(None) };
        if few.is_empty() {
            return Ok(None);
        }
        let outgoing = model.disguise(&few.tensor(&self.setup.device)?)?;
        let Some(map) = outgoing.map else { return Ok(None) };
        let rows = (0..few.len()).map(|i| {
            Ok(vec![
                Tile::Image(Picture::of_image(&few, i)?),
                Tile::Map(Picture::of_tensor(&map.get(i)?)?),
                Tile::Image(Picture::of_tensor(&outgoing.images.get(i)?)?),
            ])
        });
        let caption = Caption {
            columns: ["original", "gradient map", "sent, disguised"].map(str::to_owned).to_vec(),
            text: "Gradient map: blue below 0, black at 0, orange above.".to_owned(),
        };
        sheet(&rows.collect::<Result<Vec<_>>>()?, &caption).map(Some)
    }

    /// Everything a run came to.
    ///
    /// # Errors
    /// Returns an error if an image cannot be read.
    fn summary(&mut self, closing: Closing) -> Result<Summary> {
        let attacks = self.attacks_in_order()?;
        let folder = self.recorder.as_ref().map(|recorder| recorder.folder().path().to_owned());
        let reidentified = folder.map_or_else(|| Ok(Vec::new()), |folder| reidentified(&[folder], &attacks))?;
        let (setup, evaluated) = (&self.setup, self.evaluated());
        let wire_of = |defended| self.models.iter().find(|m| m.plan.defended() == defended).map(|m| m.wire);
        // Both keys have always been there, also of a model that was not trained.
        let name = match evaluated.defended {
            Some(model) => model.plan.name.as_str(),
            None => usual_defence().id,
        };
        let each = [(name.to_owned(), wire_of(true)), (UNDEFENDED.to_owned(), wire_of(false))];
        let total = self.models.iter().fold(WireCount::default(), |sum, model| sum.plus(model.wire));
        let epochs = self.epochs_in_order();
        let summary = Summary {
            schema: SCHEMA,
            best_epoch: self.best_epochs(&epochs),
            best_weights: self.best_weights(),
            final_epoch: self.final_epochs(&epochs),
            experiment: setup.experiment.clone(),
            seed: setup.experiment.seed,
            machine: Machine::here(rayon::current_num_threads()),
            epochs,
            streams: evaluated.defended.and_then(|model| stream_order(model, &closing.verdict.rows)),
            attacks,
            verdicts: Vec::new(),
            diagnosis: Vec::new(),
            recovery: closing.recovery(&evaluated),
            wire: WireTotals { total, models: ByModel::new(each) },
            client_ms_per_image: closing.client_cost(name),
            rows: closing.verdict.rows,
            gain: closing.verdict.gain,
            merged: closing.verdict.merged,
            reidentified,
            read_off: closing.readers.rows().to_vec(),
            class_names: setup.class_names.clone(),
            target_patients: setup.targets.groups().map(|groups| groups.numbers.to_vec()),
            seconds: self.times.run,
        };
        Ok(summary.with(Vec::new()))
    }

    /// The best epoch of each model; none where there is no validation set.
    fn best_epochs(&self, epochs: &[EpochRow]) -> Option<ByModel<usize>> {
        let names = self.models.iter().map(|model| model.plan.name.clone());
        let all: Vec<_> = names.map(|name| (name.clone(), best_epoch(epochs, &name))).collect();
        all.iter().any(|(_, best)| best.is_some()).then(|| ByModel::new(all))
    }

    /// Of each model the epoch whose weights are judged; none where it is the last that was planned of all.
    fn final_epochs(&self, epochs: &[EpochRow]) -> Option<ByModel<usize>> {
        let train = &self.setup.experiment.train;
        let of = |name: &str| Some(final_epoch(epochs, name, train.takes_best()));
        let names = self.models.iter().map(|model| model.plan.name.clone());
        let all: Vec<_> = names.map(|name| (name.clone(), of(&name))).collect();
        all.iter().any(|(_, epoch)| *epoch != Some(train.epochs)).then(|| ByModel::new(all))
    }

    /// Tests of one model after another, whichever came first.
    fn epochs_in_order(&self) -> Vec<EpochRow> {
        let mut rows = self.position.epochs.clone();
        rows.sort_by_key(|row| self.models.iter().position(|model| model.plan.name == row.model));
        rows
    }

    /// What is guessed of the very targets of each attack; a slice of measuring it, and none, where that is not done.
    ///
    /// # Errors
    /// Returns an error if an image cannot be read.
    pub(super) fn floors(&mut self) -> Result<Option<Vec<AttackRecord>>> {
        let setup = &self.setup;
        let mut counts: Vec<usize> = setup.experiment.attacks.iter().map(|spec| spec.images).collect();
        for n in &mut counts {
            *n = (*n).min(setup.targets.len());
        }
        counts.sort_unstable();
        counts.dedup();
        let mut all = Vec::new();
        for n in counts.into_iter().filter(|n| *n > 0) {
            let Some(bench) = self.attacks.bench(n, setup)? else {
                return Ok(None);
            };
            all.extend(bench.floors().iter().cloned());
        }
        Ok(Some(all))
    }

    /// Attacks by target and name, early epochs before the last, then the floors beside them.
    fn attacks_in_order(&mut self) -> Result<Vec<AttackRecord>> {
        let measured = self.floors()?.unwrap_or_default();
        let setup = &self.setup;
        let mut records = self.timed_attacks();
        let rank = |record: &AttackRecord| {
            let name = setup.experiment.attacks.iter().position(|spec| spec.name() == record.name);
            (record.target != UNDEFENDED, name, record.adaptive, record.epoch)
        };
        records.sort_by_key(rank);
        for model in self.models.iter().rev() {
            records.extend(measured.iter().map(|record| AttackRecord {
                target: model.plan.name.clone(),
                epoch: setup.experiment.train.epochs,
                ..record.clone()
            }));
        }
        Ok(records)
    }
}

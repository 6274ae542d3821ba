//! What is known of an experiment once its data are loaded: plain values for those who show it.

use super::prepared::Prepared;
use super::scene::Picture;
use super::summary::MetricRow;
use crate::data::{Noun, Part, Wanted};
use crate::defence::Bytes;
use crate::error::Result;
use crate::experiment::{DataSpec, Experiment};
use crate::model::spec::LayerSpec;
use crate::model::wire::{Crossing, WireCount};
use crate::split::SplitPlan;

/// What is known of an experiment once its data are loaded.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Facts {
    /// The data's name.
    pub data: String,
    /// How its images are wanted.
    pub wanted: Option<Wanted>,
    /// Layers on the hospital's side, as the document counts them.
    pub cut: usize,
    /// Whether it has attacks.
    pub attacked: bool,
    /// The first patient's image; empty where there are no test images.
    pub patient: Picture,
    /// Test images that can be shown.
    pub patients: usize,
    /// Names of the classes.
    pub classes: Vec<String>,
    /// Whether it is known which test images are of one patient.
    pub grouped: bool,
    /// Training images of the hospital.
    pub images: usize,
    /// Images in a step.
    pub batch: usize,
    /// Defended and undefended, where each is trained.
    pub models: [Option<WireFacts>; 2],
    /// The network, layer by layer.
    pub layers: Vec<LayerFacts>,
}

/// One layer, as the handle of the cut passes it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LayerFacts {
    /// What it is, in a word or two.
    pub words: String,
    /// Shape of what crosses where the network is cut after it; none where it cannot be.
    pub crosses: Option<Vec<usize>>,
}

/// What of one image crosses the wire in training.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WireFacts {
    /// Shape of the smashed data.
    pub smashed: Vec<usize>,
    /// Bytes.
    pub image: WireCount,
}

impl Facts {
    /// What a prepared experiment tells.
    ///
    /// # Errors
    /// Returns an error if a model does not fit, or an image cannot be read.
    pub fn of(prepared: &Prepared) -> Result<Self> {
        let some: &Part = if prepared.targets.is_empty() { &prepared.test } else { &prepared.targets };
        let of = |defended| prepared.plans.iter().find(|plan| plan.defended() == defended);
        let facts_of = |defended| of(defended).map(WireFacts::of).transpose();
        let mut facts = Self {
            patient: if some.is_empty() { Picture::default() } else { Picture::of_image(some, 0)? },
            patients: prepared.test.len(),
            classes: prepared.class_names.clone(),
            grouped: prepared.test.groups().is_some(),
            images: prepared.victim.len(),
            models: [facts_of(true)?, facts_of(false)?],
            ..Self::default()
        };
        facts.know(&prepared.experiment, prepared.experiment.defended());
        Ok(facts)
    }

    /// Whether these are facts of an experiment's images.
    pub fn are_of(&self, data: &DataSpec) -> bool {
        self.data == data.name && self.wanted == data.wanted().ok()
    }

    /// Adds what the experiment says of itself; `defended` is which of its models can be cut where.
    pub fn know(&mut self, experiment: &Experiment, defended: bool) {
        self.data.clone_from(&experiment.data.name);
        self.wanted = experiment.data.wanted().ok();
        self.cut = experiment.model.cut;
        self.attacked = !experiment.attacks.is_empty();
        self.batch = experiment.train.batch;
        self.layers = layers(experiment, defended, self.patient.shape, self.classes.len());
    }

    /// What crossed in a training step of model `which`; the last step of an epoch may be smaller.
    pub fn wire_of_step(&self, which: usize, row: &MetricRow) -> WireCount {
        let steps = self.images.div_ceil(self.batch.max(1)).max(1);
        let before = row.step.saturating_sub(1) % steps * self.batch;
        let images = self.images.saturating_sub(before).min(self.batch) as u64;
        let one = self.models[which].as_ref().map(|model| model.image).unwrap_or_default();
        WireCount {
            smashed_bytes: images * one.smashed_bytes,
            gradient_bytes: images * one.gradient_bytes,
            leaked_clean_bytes: images * one.leaked_clean_bytes,
        }
    }

    /// What one of its images is called.
    pub fn noun(&self) -> Noun {
        Noun::of(&self.data)
    }

    /// A class in words.
    pub fn class(&self, class: usize) -> String {
        self.classes.get(class).cloned().unwrap_or_else(|| class.to_string())
    }
}

/// The network's layers, and after which of them it can be cut.
fn layers(experiment: &Experiment, defended: bool, shape: [usize; 3], classes: usize) -> Vec<LayerFacts> {
    let Ok(all) = experiment.layers(classes) else { return Vec::new() };
    let at = |cut: usize| {
        let mut moved = experiment.clone();
        moved.model.cut = cut;
        let plans = moved.both_plans(shape, classes, false).ok();
        plans.and_then(|plans| plans.into_iter().nth(usize::from(!defended)).flatten())
    };
    let facts = |(i, layer): (usize, &LayerSpec)| LayerFacts {
        words: layer.words(),
        crosses: at(i + 1).and_then(|plan| plan.smashed().ok()),
    };
    all.iter().enumerate().map(facts).collect()
}

impl WireFacts {
    /// Of a model.
    ///
    /// # Errors
    /// Where its layers do not fit.
    pub fn of(plan: &SplitPlan) -> Result<Self> {
        let smashed = plan.smashed()?;
        let packed = plan.bytes()?;
        let itself = [(Crossing::Smashed, packed.up), (Crossing::CutGradient, packed.down)];
        // What a defence asks the server before is not packed.
        let whole = Bytes::whole(smashed.iter().product());
        let asked = plan
            .defences
            .asks()?
            .into_iter()
            .map(|crossing| (crossing, if crossing.up() { whole.up } else { whole.down }));
        let each = itself.into_iter().chain(asked).map(|(crossing, bytes)| WireCount::of_bytes(crossing, bytes as u64));
        let image = each.fold(WireCount::default(), WireCount::plus);
        Ok(Self { smashed, image })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_step_of_an_epoch_is_smaller() {
        let image = WireCount { smashed_bytes: 10, gradient_bytes: 20, leaked_clean_bytes: 0 };
        let model = WireFacts { smashed: vec![5], image };
        let facts = Facts { images: 70, batch: 32, models: [Some(model), None], ..Facts::default() };
        let up = |step| facts.wire_of_step(0, &MetricRow { step, ..MetricRow::default() }).smashed_bytes;
        assert_eq!([1, 2, 3, 4, 6].map(up), [320, 320, 60, 320, 60]);
        assert_eq!(facts.wire_of_step(1, &MetricRow::default()), WireCount::default());
    }
}

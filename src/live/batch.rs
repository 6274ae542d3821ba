//! What an attacker sees at once: of who sees gradients, the shown image and those whose gradient is averaged with its.

use candle_core::Tensor;

use super::question::{Question, Shown};
use crate::attack::Evidence;
use crate::attack::matching::labels::by_class;
use crate::attack::threat_model::Sees;
use crate::data::Part;
use crate::error::Result;
use crate::model::wire::Smashed;
use crate::random::At;
use crate::run::attack_gradients::{self, Batches};
use crate::score::image::mse;
use crate::score::order::cheapest;
use crate::split::SplitModel;

/// The images that one gradient is of.
#[derive(Default)]
pub(super) struct Batch {
    /// Their values, those of the shown one first; empty where no gradient is seen.
    truth: Vec<Vec<f32>>,
    /// What the gradient says of each class; see [`by_class`].
    pub classes: Vec<f32>,
}

impl Batch {
    /// What there is to see of the shown image (1, C, H, W). With it in a gradient are the test images that follow it, or the
    /// first ones where it is a drawing. To train on one that nobody has labelled, the hospital would take the class that
    /// the model says.
    ///
    /// # Errors
    /// Returns an error if an image cannot be read or does not fit the model.
    pub fn seen(
        model: &SplitModel,
        x: &Tensor,
        label: Option<usize>,
        question: &Question,
        patients: &Part,
    ) -> Result<(Self, Evidence)> {
        let (smashed, _) = model.ask(x, At::ONCE)?;
        let Some(n) = wanted(question, patients) else { return Ok((Self::default(), Evidence::new(smashed)?)) };
        let label = match label {
            Some(label) => label as u32,
            None => model.answer_to(&smashed)?.predicted()?.first().copied().unwrap_or_default(),
        };
        let others = others(&question.image, n - 1, patients);
        let (x, smashed) = if others.is_empty() {
            (x.clone(), smashed)
        } else {
            let x = Tensor::cat(&[x, &others.tensor(x.device())?], 0)?;
            let smashed: Smashed = model.ask(&x, At::ONCE)?.0;
            (x, smashed)
        };
        let labels: Vec<u32> = std::iter::once(label).chain(others.labels().iter().copied()).collect();
        let taken = vec![model.weight_gradients(&x, &Tensor::from_slice(&labels, n, x.device())?, At::ONCE)?];
        let sees_last = question.attack.kind.sees.contains(&Sees::ServerGradient);
        // A network that ends otherwise than in a layer of these classes tells nothing of them.
        let classes = taken.first().filter(|_| sees_last).and_then(|both| by_class(&both[1], model.plan.classes).ok());
        let batches = Batches { batch: n, samples: n };
        let class_weights = model.plan.class_weights.as_ref();
        let seen = attack_gradients::evidence(Evidence::new(smashed)?, batches, &taken, class_weights);
        Ok((Self { truth: x.flatten_from(1)?.to_vec2()?, classes: classes.unwrap_or_default() }, seen))
    }

    /// How many images it is of; 0 where no gradient is seen.
    pub fn len(&self) -> usize {
        self.truth.len()
    }

    /// Where the shown image stands among those that the attacker found (N, C, H, W): a gradient does not tell their order, so
    /// it is the one in which they are most like the originals, as a run scores them.
    ///
    /// # Errors
    /// Returns an error if they are no images.
    pub fn place(&self, found: &Tensor) -> Result<usize> {
        if self.len() < 2 {
            return Ok(0);
        }
        let found: Vec<Vec<f32>> = found.flatten_from(1)?.to_vec2()?;
        let row = |truth: &Vec<f32>| found.iter().map(|found| mse(found, truth)).collect();
        let costs: Vec<Vec<f64>> = self.truth.iter().map(row).collect();
        Ok(cheapest(&costs).first().copied().unwrap_or_default())
    }
}

/// How many images a gradient is of, as far as there are so many; none where the attack sees no gradient.
fn wanted(question: &Question, patients: &Part) -> Option<usize> {
    let batch = Batches::seen(&question.attack, 1)?.batch;
    let most = patients.len() + usize::from(matches!(question.image, Shown::Own(_)));
    Some(batch.min(most).max(1))
}

/// The test images that share a gradient with the shown one.
fn others(image: &Shown, n: usize, patients: &Part) -> Part {
    let from = match image {
        Shown::Patient(at) => at + 1,
        Shown::Own(_) => 0,
    };
    let indices: Vec<usize> = (from..from + n).map(|at| at % patients.len().max(1)).collect();
    patients.select(&indices)
}

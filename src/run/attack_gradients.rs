//! Gradients by weights that attacks declare to see: of training on their targets, batch by batch.
//!
//! Computed only where such an attack is launched. Plain split learning sends none of them up; they stand for training in
//! which clients share what they learnt.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use candle_core::Tensor;

use crate::attack::Evidence;
use crate::attack::WeightGradients;
use crate::attack::threat_model::Sees;
use crate::error::{Error, Result};
use crate::experiment::AttackSpec;
use crate::random::At;
use crate::split::SplitModel;

/// How gradients were taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Batches {
    /// Samples in a batch; the last may have fewer.
    pub batch: usize,
    /// Samples in all.
    pub samples: usize,
}

/// Of every batch the gradients by the client's weights and by the server's.
pub type Taken = Vec<[Vec<Tensor>; 2]>;

/// Everything that was taken at a model.
pub type Gradients = BTreeMap<Batches, Taken>;

impl Batches {
    /// Those that an attack at so many targets declares to see, if any.
    pub fn seen(spec: &AttackSpec, targets: usize) -> Option<Self> {
        let sees = [Sees::ClientGradient, Sees::ServerGradient].iter().any(|what| spec.kind.sees.contains(what));
        let batch = spec.values.whole(WeightGradients::BATCH).unwrap_or(1).max(1);
        sees.then(|| Self { batch, samples: spec.images.min(targets) })
    }

    /// How many gradients that makes.
    pub fn count(self) -> usize {
        self.samples.div_ceil(self.batch)
    }

    /// The place of batch `i`: where it begins, and its samples.
    pub fn place(self, i: usize) -> (usize, usize) {
        let from = i * self.batch;
        (from, self.batch.min(self.samples - from))
    }
}

/// The targets of attacks.
#[derive(Clone, Debug)]
pub struct Targets {
    /// Images (N, C, H, W).
    pub images: Tensor,
    /// Their classes.
    pub labels: Vec<u32>,
    /// Which of the run's test images they are.
    pub places: Vec<usize>,
}

impl Targets {
    /// The first `n`, or as many as there are.
    ///
    /// # Errors
    /// Returns an error if there are none.
    pub fn first(&self, n: usize) -> Result<Self> {
        let images = self.images.narrow(0, 0, n.min(self.images.dim(0)?))?.contiguous()?;
        Ok(Self { images, labels: self.labels.clone(), places: self.places.clone() })
    }
}

/// Gradients that are still to be taken, one at a time.
pub struct Taking {
    left: VecDeque<(Batches, usize)>,
    taken: Gradients,
}

impl Taking {
    /// All that these attacks declare to see of so many targets; what two see alike is taken once.
    pub fn of(specs: &[AttackSpec], targets: usize) -> Self {
        let mut all: Vec<Batches> = specs.iter().filter_map(|spec| Batches::seen(spec, targets)).collect();
        all.sort_unstable();
        all.dedup();
        let left = all.into_iter().flat_map(|batches| (0..batches.count()).map(move |i| (batches, i))).collect();
        Self { left, taken: Gradients::new() }
    }

    /// Whether all were taken.
    pub fn done(&self) -> bool {
        self.left.is_empty()
    }

    /// What was taken.
    pub fn taken(&self) -> Gradients {
        self.taken.clone()
    }

    /// Takes one, at the model as it is, which asks as it asked about the targets.
    ///
    /// # Errors
    /// Returns an error if the images do not fit.
    pub fn advance(&mut self, model: &SplitModel, targets: &Targets, epoch: usize) -> Result<()> {
        let Some((batches, i)) = self.left.pop_front() else { return Ok(()) };
        let (from, n) = batches.place(i);
        let x = targets.images.narrow(0, from, n)?.contiguous()?;
        let lacking = || Error::Internal("a target without a class".to_owned());
        let labels = Tensor::from_slice(targets.labels.get(from..from + n).ok_or_else(lacking)?, n, x.device())?;
        let samples = targets.places.get(from..from + n).unwrap_or_default();
        let taken = model.weight_gradients(&x, &labels, At::Ask { samples, draw: epoch })?;
        self.taken.entry(batches).or_default().push(taken);
        Ok(())
    }
}

/// Evidence with the gradients that were taken so.
pub fn evidence(seen: Evidence, batches: Batches, taken: &Taken, class_weights: Option<&Arc<[f64]>>) -> Evidence {
    let of = |party: usize| WeightGradients {
        batch: batches.batch,
        each: taken.iter().map(|both| both[party].clone()).collect(),
        class_weights: class_weights.cloned(),
    };
    seen.with_gradients(of(0), of(1))
}

/// Where a checkpoint has gradients.
const PREFIX: &str = "gradient.";

/// Names for a checkpoint: `gradient.BATCH.SAMPLES.WHICH.PARTY.WEIGHT`.
pub fn named(gradients: &Gradients) -> impl Iterator<Item = (String, Tensor)> + '_ {
    gradients.iter().flat_map(|(Batches { batch, samples }, taken)| {
        let one = move |(i, both): (usize, &'_ [Vec<Tensor>; 2])| {
            let all = both.iter().enumerate().flat_map(|(party, all)| all.iter().enumerate().map(move |a| (party, a)));
            let name = |(party, (w, t)): (usize, (usize, &Tensor))| {
                (format!("{PREFIX}{batch}.{samples}.{i}.{party}.{w}"), t.clone())
            };
            all.map(name).collect::<Vec<_>>()
        };
        taken.iter().enumerate().flat_map(one).collect::<Vec<_>>()
    })
}

/// Takes those that [`named`] gave out of others.
///
/// # Errors
/// Returns an error if a name is no such, or some are missing in between.
pub fn take(tensors: &mut BTreeMap<String, Tensor>) -> Result<Gradients> {
    let (own, others) = std::mem::take(tensors).into_iter().partition(|(name, _)| name.starts_with(PREFIX));
    *tensors = others;
    let own: BTreeMap<String, Tensor> = own;
    let mut numbered = BTreeMap::new();
    for (name, tensor) in own {
        let wrong = || Error::input(format!("nothing is called {name}"));
        let numbers = name[PREFIX.len()..].split('.').map(|n| n.parse::<usize>().ok()).collect::<Option<Vec<_>>>();
        let numbers: [usize; 5] = numbers.and_then(|all| all.try_into().ok()).ok_or_else(wrong)?;
        if numbers[0] == 0 || numbers[3] > 1 {
            return Err(wrong());
        }
        numbered.insert(numbers, tensor);
    }
    let mut all = Gradients::new();
    for ([batch, samples, i, party, weight], tensor) in numbered {
        let taken = all.entry(Batches { batch, samples }).or_default();
        if taken.len() == i {
            taken.push(Default::default());
        }
        let place = taken.get_mut(i).map(|both| &mut both[party]).filter(|all| all.len() == weight);
        place
            .ok_or_else(|| Error::input(format!("it lacks gradients before {PREFIX}{batch}.{samples}.{i}")))?
            .push(tensor);
    }
    Ok(all)
}

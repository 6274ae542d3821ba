//! A model's weights as plain numbers, for those outside the worker who want to ask it something.

use std::collections::BTreeMap;
use std::path::Path;

use candle_core::{Device, Tensor};

use super::best::{self, Kept, Which};
use super::checkpoint::{Checkpoint, Position};
use super::folder::{CHECKPOINT, experiment_of};
use super::identity::plans;
use crate::error::{Error, Result};
use crate::experiment::Experiment;
use crate::model::spec::LayerSpec;
use crate::split::{SplitModel, SplitPlan};

/// Weights of a run's models at one moment.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Weights {
    /// The models, by name.
    pub models: BTreeMap<String, ModelWeights>,
}

/// Weights of one model.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ModelWeights {
    /// What it was trained on and for how long, in words.
    pub trained: String,
    /// All layers.
    pub layers: Vec<LayerSpec>,
    /// Layers on the client's side.
    pub cut: usize,
    /// Weights by name (`client.0.weight`): shape and values.
    pub values: BTreeMap<String, (Vec<usize>, Vec<f32>)>,
    /// Weights of the streams' votes, where the server has streams.
    pub votes: Option<Vec<f64>>,
}

impl ModelWeights {
    /// A model's weights as they are now.
    ///
    /// # Errors
    /// Where there is no memory left.
    pub fn of(model: &SplitModel, trained: String) -> Result<Self> {
        let mut values = BTreeMap::new();
        for party in [model.client.parameters(), model.server.parameters()] {
            for (name, var) in party.iter() {
                values.insert(name.clone(), (var.dims().to_vec(), var.flatten_all()?.to_vec1()?));
            }
        }
        let votes = model.server.votes();
        let SplitPlan { layers, cut, .. } = model.plan.clone();
        Ok(Self { trained, layers, cut, values, votes })
    }

    /// Puts them into a model. False, and nothing is changed, where they are of another network. A plain
    /// network may be cut elsewhere than it was in training: its layers are the same.
    ///
    /// # Errors
    /// Where there is no memory left.
    pub fn load_into(&self, model: &mut SplitModel) -> Result<bool> {
        if self.layers != model.plan.layers {
            return Ok(false);
        }
        let moved = |name: &str| self.source(name, &model.plan);
        let take = |name: &str| -> Option<Result<Tensor>> {
            let (shape, values) = self.values.get(&moved(name)?)?;
            Some(Tensor::from_slice(values, shape.as_slice(), &Device::Cpu).map_err(Error::from))
        };
        let parties = [model.client.parameters(), model.server.parameters()];
        let mut all = BTreeMap::new();
        for (name, var) in parties.iter().flat_map(|party| party.iter()) {
            match take(name) {
                Some(tensor) => {
                    let tensor = tensor?;
                    if tensor.shape() != var.shape() {
                        return Ok(false);
                    }
                    all.insert(name.clone(), tensor);
                }
                None => return Ok(false),
            }
        }
        for party in parties {
            party.load(&all)?;
        }
        if let Some(votes) = &self.votes {
            model.server.set_votes(votes);
        }
        Ok(true)
    }

    /// The name under which these weights hold what `plan` calls `name`; none where nothing can stand for it.
    fn source(&self, name: &str, plan: &SplitPlan) -> Option<String> {
        if plan.cut == self.cut {
            return Some(name.to_owned());
        }
        if plan.defended() {
            return None;
        }
        let (party, rest) = name.split_once('.')?;
        let (layer, part) = rest.split_once('.')?;
        let offset = if party == "server" { plan.cut } else { 0 };
        let layer = layer.parse::<usize>().ok()? + offset;
        let own = if layer < self.cut { format!("client.{layer}") } else { format!("server.{}", layer - self.cut) };
        Some(format!("{own}.{part}"))
    }
}

impl Weights {
    /// The weights of a run in a folder, finished or not, its experiment, and what it had measured.
    ///
    /// # Errors
    /// Where there is no checkpoint yet, or it is damaged.
    pub fn of_run(folder: &Path) -> Result<(Experiment, Self, Position)> {
        let experiment = experiment_of(folder)?;
        let checkpoint = folder.join(CHECKPOINT);
        if !checkpoint.exists() {
            return Err(Error::input(format!("the run has no trained model yet: {}", folder.display())));
        }
        let checkpoint = Checkpoint::load(&checkpoint, &experiment.hash())?;
        let mut models = BTreeMap::new();
        for (i, plan) in plans(folder, &experiment)?.into_iter().enumerate() {
            let mut model = SplitModel::new(plan, crate::random::Seed(experiment.seed), &Device::Cpu)?;
            checkpoint.restore(i, &mut model)?;
            let ended = checkpoint.final_epoch(i, &model.plan.name, &experiment.train);
            let epochs = ended.map_or_else(|| checkpoint.epochs_of(&model.plan.name), |(_, epoch)| epoch);
            let words = trained(&experiment, model.plan.defended(), epochs);
            models.insert(model.plan.name.clone(), ModelWeights::of(&model, words)?);
        }
        Ok((experiment, Self { models }, checkpoint.position))
    }

    /// The weights of each model's best epoch, of a run in a folder.
    ///
    /// # Errors
    /// Returns an error if the run kept none, or a file is damaged.
    pub fn best_of_run(folder: &Path) -> Result<Self> {
        let (experiment, kept) = best::models(folder, Which::Best)?;
        let weights = |Kept { model, epochs, by }: Kept| {
            let by = by.map(|by| format!(", best by accuracy on {}", by.words())).unwrap_or_default();
            let words = trained(&experiment, model.plan.defended(), epochs) + &by;
            Ok((model.plan.name.clone(), ModelWeights::of(&model, words)?))
        };
        Ok(Self { models: kept.into_iter().map(weights).collect::<Result<_>>()? })
    }
}

/// `mnist, 6 epochs, dropout p 0.3, seed 0`: what a model was trained on and for how long.
pub fn trained(experiment: &Experiment, defended: bool, epochs: usize) -> String {
    let defence = match experiment.stack() {
        Ok(stack) if defended => format!(", {}", stack.words()),
        _ => String::new(),
    };
    let plural = if epochs == 1 { "" } else { "s" };
    format!("{}, {epochs} epoch{plural}{defence}, seed {}", experiment.data.name, experiment.seed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{At, Seed};

    fn model(experiment: &Experiment, seed: u64) -> SplitModel {
        let plan = experiment.split_plans([1, 28, 28], 10).unwrap().swap_remove(0);
        SplitModel::new(plan, Seed(seed), &Device::Cpu).unwrap()
    }

    #[test]
    fn a_plain_network_keeps_its_weights_wherever_it_is_cut() {
        let mut experiment = Experiment::preset("quick").unwrap();
        experiment = experiment.undefended();
        let trained = ModelWeights::of(&model(&experiment, 1), "x".to_owned()).unwrap();
        let x = Tensor::ones((1, 1, 28, 28), candle_core::DType::F32, &Device::Cpu).unwrap();
        let logits = |m: &SplitModel| m.plain_logits(&x).unwrap().to_vec2::<f32>().unwrap();
        let whole = logits(&model(&experiment, 1));
        for cut in [1, 2, 4, 7] {
            experiment.model.cut = cut;
            let mut moved = model(&experiment, 9);
            assert_ne!(logits(&moved), whole);
            assert!(trained.load_into(&mut moved).unwrap());
            assert_eq!(logits(&moved), whole, "cut {cut}");
        }
    }

    #[test]
    fn running_statistics_go_along_wherever_the_network_is_cut() {
        let mut experiment = Experiment::preset("quick").unwrap();
        experiment = experiment.undefended();
        experiment.set("model.name=resnet8").unwrap();
        let mut first = model(&experiment, 1);
        let x = Tensor::ones((3, 1, 28, 28), candle_core::DType::F32, &Device::Cpu).unwrap();
        let at = At::Train { epoch: 0, step: 0 };
        first.step(&x, &Tensor::new(&[0u32, 1, 2], &Device::Cpu).unwrap(), at).unwrap();
        let trained = ModelWeights::of(&first, "x".to_owned()).unwrap();
        assert_ne!(trained.values["client.1.running_mean"].1, vec![0.0; 16]);
        let logits = |m: &SplitModel| m.plain_logits(&x).unwrap().to_vec2::<f32>().unwrap();
        for cut in [1, 4, 8] {
            experiment.model.cut = cut;
            let mut moved = model(&experiment, 9);
            assert!(trained.load_into(&mut moved).unwrap());
            assert_eq!(logits(&moved), logits(&first), "cut {cut}");
        }
    }

    #[test]
    fn a_defended_network_takes_only_weights_of_its_own_cut() {
        let mut experiment = Experiment::preset("quick").unwrap();
        let trained = ModelWeights::of(&model(&experiment, 1), "x".to_owned()).unwrap();
        let mut same = model(&experiment, 2);
        assert!(trained.load_into(&mut same).unwrap());
        assert_eq!(ModelWeights::of(&same, "x".to_owned()).unwrap(), trained);
        experiment.model.cut = 2;
        let mut other = model(&experiment, 2);
        let before = ModelWeights::of(&other, String::new()).unwrap();
        assert!(!trained.load_into(&mut other).unwrap());
        assert_eq!(ModelWeights::of(&other, String::new()).unwrap(), before);
    }
}

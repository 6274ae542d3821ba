//! A model whose diagnosis is asked, as a finished run left it.

use crate::data::Part;
use crate::error::{Error, Result};
use crate::model::network::Network;
use crate::model::seat::Answer;
use crate::random::{At, Seed};
use crate::run::attacker::server_of;
use crate::run::checkpoint::Checkpoint;
use crate::run::prepared::Prepared;
use crate::score::diagnosis::Answers;
use crate::split::{SplitModel, UNDEFENDED};

/// Over how many draws the expectation is taken, where a defence draws.
const DRAWS: usize = 8;
/// As the table of results calls them: what the streams decide, and what an only stream says.
const FUSED: &str = "fused";
const DEFENDED: &str = "defended";

/// A model that is asked.
pub(super) struct Subject {
    pub(super) model: SplitModel,
    /// The server's layers as somebody takes them who knows no defence.
    pub(super) plain: Network,
    /// After how many epochs: part of what its defence draws by.
    pub(super) epochs: usize,
    /// Over how many draws an adversary takes the expectation.
    pub(super) draws: usize,
    /// Its answers to the images as they are; filled in first.
    pub(super) clean: Answers,
}

impl Subject {
    /// Model `i` of the run, as it was left.
    pub(super) fn new(i: usize, checkpoint: &Checkpoint, setup: &Prepared, images: &Part) -> Result<Self> {
        let plan = &setup.plans[i];
        let mut model = SplitModel::new(plan.clone(), Seed(setup.experiment.seed), &setup.device)?;
        checkpoint.restore(i, &mut model)?;
        let trained = checkpoint.final_epoch(i, &plan.name, &setup.experiment.train);
        // As in the run's own table.
        let epochs = if trained.is_some() { setup.experiment.train.epochs } else { checkpoint.epochs_of(&plan.name) };
        let plain = server_of(&model.server.parameters().snapshot()?, plan, &setup.device)?;
        let x = images.tensor_of(&[0], &setup.device)?;
        let asked = |draw| Ok::<_, Error>(model.ask(&x, At::Ask { samples: &[0], draw })?.0.tensor().flatten_all()?);
        let drawn = asked(epochs)?.to_vec1::<f32>()? != asked(epochs + 1)?.to_vec1::<f32>()?;
        Ok(Self { plain, epochs, draws: if drawn { DRAWS } else { 1 }, clean: Answers::new(), model })
    }

    /// Where a client is asked about these.
    pub(super) fn at<'a>(&self, samples: &'a [usize]) -> At<'a> {
        At::Ask { samples, draw: self.epochs }
    }
}

/// Adds the classes of each stream, and of the decision.
pub(super) fn add(answers: &mut Answers, model: &SplitModel, answer: &Answer) -> Result<()> {
    let mut add = |name: String, classes: Vec<u32>| answers.entry(name).or_default().extend(classes);
    for (name, classes) in answer.stream_predictions()? {
        add(format!("stream_{name}"), classes);
    }
    let decision = match (answer.is_plain(), model.plan.defended()) {
        (false, _) => FUSED,
        (true, true) => DEFENDED,
        (true, false) => UNDEFENDED,
    };
    add(decision.to_owned(), answer.predicted()?);
    Ok(())
}

//! Filling in the table of METHOD §3 once all models are trained: rows and gains.
//!
//! Works in slices of a few test images, so that it can be stopped.

use candle_core::{D, Device, Tensor};
use candle_nn::ops::softmax;

use super::predictions::{Predictions, Truth, Verdict, at_gamma};
use super::summary::{Row, StreamOrder};
use crate::attack::adversarial::table::{Disguise, fgsm};
use crate::data::Part;
use crate::error::Result;
use crate::experiment::EvaluateSpec;
use crate::model::seat::classes_of;
use crate::random::At;
use crate::split::SplitModel;

/// Test images a slice.
const CHUNK: usize = 20;

/// The judge at work.
pub struct Judge {
    /// Next test image.
    position: usize,
    /// So far; shares of the rows on clean images.
    predictions: Predictions,
}

/// The trained models, and what they are evaluated on.
#[derive(Clone, Copy)]
pub struct Evaluated<'a> {
    /// The defended model, if trained.
    pub defended: Option<&'a SplitModel>,
    /// The undefended one, if trained.
    pub undefended: Option<&'a SplitModel>,
    /// After how many epochs they are judged.
    pub epochs: usize,
    /// The held-out images.
    pub test: &'a Part,
    /// Number of classes.
    pub classes: usize,
    /// Their names.
    pub class_names: &'a [String],
    /// The class that sensitivity is of, where there are two.
    pub positive: usize,
    /// Of the attacked and recovered rows.
    pub disguise: Disguise,
    /// What to measure.
    pub evaluate: &'a EvaluateSpec,
    /// Where the networks run.
    pub device: &'a Device,
}

impl Judge {
    /// Nothing judged yet; `inverted` are vanilla's predictions on images reconstructed from its own
    /// smashed data, where an inverse network was launched at it.
    pub fn new(inverted: Option<Vec<u32>>) -> Self {
        let classes = inverted.map(|classes| ("vanilla_inverted".to_owned(), classes)).into_iter().collect();
        Self { position: 0, predictions: Predictions { classes, ..Predictions::default() } }
    }

    /// Test images judged and in all.
    pub fn progress(&self, evaluated: &Evaluated<'_>) -> (usize, usize) {
        (self.position, evaluated.test.len())
    }

    /// Judges the next few test images.
    ///
    /// # Errors
    /// Where a model fails.
    pub fn advance(&mut self, evaluated: &Evaluated<'_>) -> Result<()> {
        let end = (self.position + CHUNK).min(evaluated.test.len());
        let indices: Vec<usize> = (self.position..end).collect();
        let (x, _) = evaluated.test.batch(&indices, evaluated.device)?;
        if let Some(model) = evaluated.defended {
            let answer = model.answer(&x, At::Ask { samples: &indices, draw: evaluated.epochs })?;
            if answer.is_plain() {
                self.add_with_shares("defended", &answer.scores, true)?;
            } else {
                for (name, logits) in &answer.streams {
                    self.add_with_shares(&format!("stream_{name}"), logits, true)?;
                }
                self.add_with_shares("fused", &answer.scores, false)?;
            }
        }
        if let Some(model) = evaluated.undefended {
            self.judge_vanilla(evaluated, model, &x)?;
        }
        self.position = end;
        Ok(())
    }

    fn judge_vanilla(&mut self, evaluated: &Evaluated<'_>, model: &SplitModel, x: &Tensor) -> Result<()> {
        let classes = |x: &Tensor| classes_of(&model.plain_logits(x)?);
        self.add_with_shares("vanilla_clean", &model.plain_logits(x)?, true)?;
        self.predictions.add("vanilla_fgsm", classes(&fgsm(model, x, evaluated.evaluate.fgsm_epsilon)?)?);
        let map = evaluated.disguise.map(model, x)?;
        for gamma in strengths(evaluated) {
            let attacked = evaluated.disguise.attacked(x, &map, gamma)?;
            let recovered = evaluated.disguise.cleaned(&attacked, evaluated.disguise.mu())?.0;
            self.predictions.add(&at_gamma("vanilla_attacked", gamma), classes(&attacked)?);
            self.predictions.add(&at_gamma("vanilla_recovered", gamma), classes(&recovered.clamp(0.0, 1.0)?)?);
        }
        Ok(())
    }

    /// Adds the classes of scores (N, K), and the shares that they give each class.
    fn add_with_shares(&mut self, row: &str, scores: &Tensor, logits: bool) -> Result<()> {
        self.predictions.add(row, classes_of(scores)?);
        let shares = if logits { softmax(scores, D::Minus1)? } else { scores.clone() };
        self.predictions.shares.entry(row.to_owned()).or_default().extend(shares.flatten_all()?.to_vec1::<f32>()?);
        Ok(())
    }

    /// What every row answered to every test image, for the run's folder.
    ///
    /// # Errors
    /// Returns an error if it cannot be packed.
    pub fn predictions_file(&self, evaluated: &Evaluated<'_>) -> Result<Vec<u8>> {
        self.predictions.file(&evaluated.truth())
    }

    /// The table, once every test image is judged.
    ///
    /// # Errors
    /// Returns an error if classes are to be merged that there are not.
    pub fn verdict(&self, evaluated: &Evaluated<'_>) -> Result<Verdict> {
        self.predictions.judged(&evaluated.truth(), evaluated.class_names)
    }
}

impl<'a> Evaluated<'a> {
    fn truth(&self) -> Truth<'a> {
        Truth {
            labels: self.test.labels(),
            classes: self.classes,
            units: self.test.groups().map(|groups| &*groups.numbers),
            positive: self.positive,
            gamma: self.disguise.gamma(),
            evaluate: self.evaluate,
        }
    }
}

/// The curve's γ and the run's own.
fn strengths(evaluated: &Evaluated<'_>) -> Vec<f64> {
    let mut all = evaluated.evaluate.gammas.clone();
    if !all.contains(&evaluated.disguise.gamma()) {
        all.push(evaluated.disguise.gamma());
    }
    all
}

/// The order of the three streams beside the paper's.
pub fn stream_order(model: &SplitModel, rows: &[Row]) -> Option<StreamOrder> {
    Some(StreamOrder::of(<[f64; 3]>::try_from(model.server.votes()?).ok()?, rows))
}

impl StreamOrder {
    /// Of the table's rows.
    pub fn of(weights: [f64; 3], rows: &[Row]) -> Self {
        let accuracy = |name: &str| rows.iter().find(|row| row.name == name).map_or(0.0, |row| row.accuracy);
        let mut order = ["stream_recovered", "stream_fused", "stream_attacked"];
        order.sort_by(|a, b| accuracy(b).total_cmp(&accuracy(a)));
        let strictly = accuracy("stream_recovered") > accuracy("stream_fused")
            && accuracy("stream_fused") > accuracy("stream_attacked");
        Self {
            order: order.map(|name| name.trim_start_matches("stream_").to_owned()).to_vec(),
            as_in_paper: strictly,
            weights,
        }
    }
}

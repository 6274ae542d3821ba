//! Filling in the table of METHOD §3 once all models are trained: rows and gains.
//!
//! Works in slices of a few test images, so that it can be stopped.

use std::collections::BTreeMap;

use candle_core::{D, Device, Tensor};
use candle_nn::ops::softmax;

use super::summary::{Gain, GammaGain, Row, StreamOrder};
use crate::attack::adversarial::{Disguise, fgsm};
use crate::data::Part;
use crate::data::numpy::{Array, npz};
use crate::error::Result;
use crate::experiment::EvaluateSpec;
use crate::model::seat::classes_of;
use crate::random::{At, Seed};
use crate::score::classification::Confusion;
use crate::score::intervals::Answers;
use crate::score::utility::difference;
use crate::split::SplitModel;

/// What the bootstrap draws by, the same for all rows and runs: their intervals differ by what was measured alone.
const BOOTSTRAP: Seed = Seed(0);

/// Test images a slice.
const CHUNK: usize = 20;

/// The judge at work.
pub struct Judge {
    /// Next test image.
    position: usize,
    /// Predicted classes by row name, in the order of the test set.
    predictions: BTreeMap<String, Vec<u32>>,
    /// Of the rows on clean images, what share each class gets of each image (N, K), in the order of the test set.
    shares: BTreeMap<String, Vec<f32>>,
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
    /// Of the attacked and recovered rows.
    pub disguise: Disguise,
    /// What to measure.
    pub evaluate: &'a EvaluateSpec,
    /// Where the networks run.
    pub device: &'a Device,
}

/// What the judge found.
pub struct Verdict {
    /// The table.
    pub rows: Vec<Row>,
    /// Gains, where both models were trained.
    pub gain: Option<Gain>,
}

/// Rows of the table, in its order.
const ROWS: [&str; 10] = [
    "vanilla_clean",
    "vanilla_attacked",
    "vanilla_fgsm",
    "vanilla_recovered",
    "vanilla_inverted",
    "stream_attacked",
    "stream_recovered",
    "stream_fused",
    "fused",
    "defended",
];

fn at_gamma(row: &str, gamma: f64) -> String {
    format!("{row} {gamma}")
}

impl Judge {
    /// Nothing judged yet; `inverted` are vanilla's predictions on images reconstructed from its own
    /// smashed data, where an inverse network was launched at it.
    pub fn new(inverted: Option<Vec<u32>>) -> Self {
        let predictions = inverted.map(|classes| ("vanilla_inverted".to_owned(), classes)).into_iter().collect();
        Self { position: 0, predictions, shares: BTreeMap::new() }
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
        self.add("vanilla_fgsm", classes(&fgsm(model, x, evaluated.evaluate.fgsm_epsilon)?)?);
        let map = evaluated.disguise.map(model, x)?;
        for gamma in strengths(evaluated) {
            let attacked = evaluated.disguise.attacked(x, &map, gamma)?;
            let recovered = evaluated.disguise.cleaned(&attacked, evaluated.disguise.mu())?.0;
            self.add(&at_gamma("vanilla_attacked", gamma), classes(&attacked)?);
            self.add(&at_gamma("vanilla_recovered", gamma), classes(&recovered.clamp(0.0, 1.0)?)?);
        }
        Ok(())
    }

    /// Adds the classes of scores (N, K), and the shares that they give each class.
    fn add_with_shares(&mut self, row: &str, scores: &Tensor, logits: bool) -> Result<()> {
        self.add(row, classes_of(scores)?);
        let shares = if logits { softmax(scores, D::Minus1)? } else { scores.clone() };
        self.shares.entry(row.to_owned()).or_default().extend(shares.flatten_all()?.to_vec1::<f32>()?);
        Ok(())
    }

    /// The class shares of every test image, by row of the table, with the images' classes.
    ///
    /// # Errors
    /// Returns an error if they cannot be packed.
    pub fn predictions_file(&self, evaluated: &Evaluated<'_>) -> Result<Vec<u8>> {
        let n = evaluated.test.len();
        let rows = self.shares.iter().map(|(name, all)| Array::f32(name, &[n, evaluated.classes], all.clone()));
        let labels = Array::classes("labels", evaluated.test.labels().iter().copied());
        npz(&rows.chain([labels]).collect::<Vec<_>>())
    }

    fn add(&mut self, row: &str, classes: Vec<u32>) {
        self.predictions.entry(row.to_owned()).or_default().extend(classes);
    }

    /// The table, once every test image is judged.
    pub fn verdict(&self, evaluated: &Evaluated<'_>) -> Verdict {
        let own = evaluated.disguise.gamma();
        let rows: Vec<Row> = ROWS
            .iter()
            .filter_map(|name| {
                let plain = self.predictions.get(*name);
                let predicted = plain.or_else(|| self.predictions.get(&at_gamma(name, own)))?;
                let shares = self.shares.get(*name).map(Vec::as_slice);
                let (labels, classes) = (evaluated.test.labels(), evaluated.classes);
                let units = evaluated.test.groups().map(|groups| &*groups.numbers);
                let answers = Answers { predicted, labels, classes, shares, units };
                Some(Row::measured(name, predicted, labels, classes, shares).with_intervals(&answers, BOOTSTRAP))
            })
            .collect();
        Verdict { gain: self.gain(evaluated, &rows), rows }
    }

    fn gain(&self, evaluated: &Evaluated<'_>, rows: &[Row]) -> Option<Gain> {
        let accuracy = |name: &str| Some(rows.iter().find(|row| row.name == name)?.accuracy);
        // The paper's gains are those of a fused decision; another defence has none to be compared with them.
        let fused = accuracy("fused")?;
        let at = |name: &str, gamma| Some(accuracy_of(self.predictions.get(&at_gamma(name, gamma))?, evaluated));
        let by_gamma = evaluated.evaluate.gammas.iter().filter_map(|&gamma| {
            Some(GammaGain {
                gamma,
                over_attacked: fused - at("vanilla_attacked", gamma)?,
                over_reconstructed: fused - at("vanilla_recovered", gamma)?,
            })
        });
        let of = |name: &str| {
            self.predictions.get(name).or_else(|| self.predictions.get(&at_gamma(name, evaluated.disguise.gamma())))
        };
        let error = |name: &str| Some(difference(of("fused")?, of(name)?, evaluated.test.labels()).1);
        let errors = ["vanilla_attacked", "vanilla_recovered", "vanilla_clean"].map(error);
        Some(Gain {
            errors: if let [Some(a), Some(r), Some(c)] = errors { Some([a, r, c]) } else { None },
            over_attacked: fused - accuracy("vanilla_attacked")?,
            over_reconstructed: fused - accuracy("vanilla_recovered")?,
            over_clean: fused - accuracy("vanilla_clean")?,
            by_gamma: by_gamma.collect(),
        })
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

fn accuracy_of(predicted: &[u32], evaluated: &Evaluated<'_>) -> f64 {
    Confusion::new(predicted, evaluated.test.labels(), evaluated.classes).accuracy()
}

/// The order of the three streams beside the paper's.
pub fn stream_order(model: &SplitModel, rows: &[Row]) -> Option<StreamOrder> {
    let weights = model.server.votes()?;
    let accuracy = |name: &str| rows.iter().find(|row| row.name == name).map_or(0.0, |row| row.accuracy);
    let mut order = ["stream_recovered", "stream_fused", "stream_attacked"];
    order.sort_by(|a, b| accuracy(b).total_cmp(&accuracy(a)));
    let strictly = accuracy("stream_recovered") > accuracy("stream_fused")
        && accuracy("stream_fused") > accuracy("stream_attacked");
    Some(StreamOrder {
        order: order.map(|name| name.trim_start_matches("stream_").to_owned()).to_vec(),
        as_in_paper: strictly,
        weights: <[f64; 3]>::try_from(weights).ok()?,
    })
}

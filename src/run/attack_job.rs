//! Attacks in a run: what they are given, how they are scored.
//!
//! Of a run this is the one place that holds both an attack and the truth; the attack is handed neither.

use std::sync::Arc;
use std::time::Instant;

use candle_core::{Device, Tensor};

use super::attack_gradients::Batches;
use super::attack_order::{Begun, Capture, Order, PICTURED};
use super::attacker::Attacker;
use super::launch::Means;
use super::prepared::Prepared;
use super::scene::{AttackProgress, Gallery, Lineup, Picture, Scene, Stamp};
use super::summary::AttackRecord;
use crate::attack::Outcome;
use crate::attack::threat_model::Sees;
use crate::data::Part;
use crate::error::{Error, Result};
use crate::model::inside::Inside;
use crate::model::wire::Smashed;
use crate::random::Seed;
use crate::score::image::mse;
use crate::score::judging::Bench;
use crate::score::order::cheapest;
use crate::split::{SplitPlan, UNDEFENDED};

/// What attacks are scored on, made once for each number of targets.
#[derive(Default)]
pub struct Benches {
    all: Vec<Arc<Bench>>,
    making: Option<Bench>,
}

impl Benches {
    /// The bench of `n` targets, once it is made; a slice of making it otherwise.
    ///
    /// # Errors
    /// Returns an error if an image cannot be read.
    pub fn of(&mut self, n: usize, targets: &Part, auxiliary: &Part, seed: Seed) -> Result<Option<Arc<Bench>>> {
        let n = n.min(targets.len());
        if let Some(made) = self.all.iter().find(|bench| bench.len() == n) {
            return Ok(Some(made.clone()));
        }
        let kept = self.making.take().filter(|bench| bench.len() == n);
        let mut bench = kept.map_or_else(|| Bench::new(targets, n, auxiliary, seed), Ok)?;
        if bench.advance(auxiliary)? {
            self.all.push(Arc::new(bench));
            return Ok(self.all.last().cloned());
        }
        self.making = Some(bench);
        Ok(None)
    }
}

/// A running attack and what is needed to score it.
pub struct Job {
    /// What was ordered.
    pub order: Order,
    attacker: Attacker,
    truth: Part,
    /// Which of the run's test images they are.
    places: Vec<usize>,
    bench: Arc<Bench>,
    lineup: Lineup,
    cut: usize,
    /// The client that was asked about the first target.
    inside: Arc<Inside>,
    seconds: f64,
}

/// The client as it was when it was asked about the first target.
fn inside(capture: &Capture, plan: &SplitPlan) -> Result<Inside> {
    let map = plan.defended().then(|| capture.maps.narrow(0, 0, 1)).transpose()?;
    let input = (plan.entry().enter)(&capture.sent.narrow(0, 0, 1)?, map.as_ref())?;
    Inside::of(&plan.layers[..plan.cut], &capture.client, &input)
}

/// A finished attack.
pub struct Finished {
    /// Its scores.
    pub record: AttackRecord,
    /// Reconstructions of the first few targets; empty where it makes no images.
    pub reconstructions: Vec<Picture>,
    /// Of all targets, C·H·W values each.
    pub images: Option<Vec<Vec<f32>>>,
    /// The classes that it inferred.
    pub labels: Option<Vec<u32>>,
    /// A number for each target.
    pub scores: Option<Vec<f64>>,
}

impl Job {
    /// Starts an ordered attack, or goes on with one that had begun, and gives back what its model had deciphered for the
    /// table, where it was at that.
    ///
    /// # Errors
    /// Returns an error if the attack lacks what it needs.
    pub fn start(
        mut order: Order,
        plan: &SplitPlan,
        setup: &Prepared,
        bench: Arc<Bench>,
    ) -> Result<(Self, Option<Vec<u32>>)> {
        let start = Instant::now();
        let mut attacker = Attacker::new(&order, plan, setup)?;
        let (mut before, mut deciphered) = (0.0, None);
        if let Some(begun) = order.begun.take() {
            match attacker.load(&begun.state, setup) {
                Ok(()) => (before, deciphered) = (begun.seconds, begun.deciphered),
                // It ends the same: an attack of another build, or of one's own that was changed meanwhile.
                Err(error) => {
                    tracing::warn!("{} begins again: {error}", order.id.words());
                    attacker = Attacker::new(&order, plan, setup)?;
                }
            }
        }
        let truth = setup.targets.take(order.images());
        let label = truth.labels().first().copied();
        let lineup = Lineup::of(&Picture::of_image(&truth, 0)?, label, &setup.auxiliary, setup.seed())?;
        let places = setup.places[..truth.len()].to_vec();
        let inside = Arc::new(inside(attacker.capture(), plan)?);
        let seconds = before + start.elapsed().as_secs_f64();
        Ok((Self { order, attacker, truth, places, bench, lineup, cut: plan.cut, inside, seconds }, deciphered))
    }

    /// The same as an order that goes on from here; one that begins again where the attack keeps no state.
    ///
    /// # Errors
    /// Returns an error if a tensor cannot be made.
    pub fn saved(&self, deciphered: Option<Vec<u32>>) -> Result<Order> {
        let begun = |state| Begun { state, seconds: self.seconds, deciphered };
        Ok(Order { begun: self.attacker.state()?.map(begun), ..self.order.clone() })
    }

    /// Seconds that it has taken.
    pub fn seconds(&self) -> f64 {
        self.seconds
    }

    /// One slice of work.
    ///
    /// # Errors
    /// Where the attack diverges.
    pub fn advance(&mut self, setup: &Prepared) -> Result<()> {
        let start = Instant::now();
        self.attacker.advance(&self.order.id, setup)?;
        self.seconds += start.elapsed().as_secs_f64();
        Ok(())
    }

    /// Whether all iterations are done, or its time is over.
    pub fn done(&self) -> bool {
        self.attacker.done() || self.out_of_time()
    }

    /// Whether its time is over, and not all iterations are done.
    pub fn out_of_time(&self) -> bool {
        let limit = self.order.id.spec.seconds;
        limit > 0 && self.seconds >= limit as f64 && !self.attacker.done()
    }

    /// Whether there is anything yet that it can hand over.
    ///
    /// # Errors
    /// Where there is no memory left.
    pub fn has_something(&self) -> Result<bool> {
        let Outcome { images, labels, scores } = self.attacker.outcome()?;
        Ok(images.is_some() || labels.is_some() || scores.is_some())
    }

    /// Why it may not have done its best: the clock cut it short, or as it says itself.
    fn doubt(&self) -> Result<Option<String>> {
        let limit = self.order.id.spec.seconds;
        if self.out_of_time() {
            let (done, planned) = self.attacker.progress();
            return Ok(Some(format!("its {limit} seconds were over after {done} of {planned} steps")));
        }
        Ok(self.attacker.doubt()?.map(|doubt| doubt.to_string()))
    }

    /// What the finished attack makes of other smashed data; none for attacks that optimise each image anew.
    ///
    /// # Errors
    /// Returns an error if z does not fit.
    pub fn reconstruct(&self, other: &Smashed) -> Result<Option<Tensor>> {
        self.attacker.reconstruct(other)
    }

    /// What it works on.
    pub fn capture(&self) -> &Capture {
        self.attacker.capture()
    }

    /// How far it is.
    pub fn progress(&self) -> AttackProgress {
        let (iteration, planned) = self.attacker.progress();
        AttackProgress { attack: self.order.id.words(), iteration, planned, loss: self.attacker.loss() }
    }

    /// The first target as everybody sees it now.
    ///
    /// # Errors
    /// Where there is no memory left.
    pub fn scene(&self) -> Result<Scene> {
        let first = |t: &Tensor| Picture::of_tensor(&t.get(0)?);
        let (id, capture) = (&self.order.id, self.capture());
        let defended = id.target != UNDEFENDED;
        let reconstruction = self.first()?.map_or_else(|| Ok(Picture::default()), |t| Picture::of_tensor(&t))?;
        let trained = (id.epoch > 0).then(|| format!("{} epoch{}", id.epoch, if id.epoch == 1 { "" } else { "s" }));
        Ok(Scene {
            original: self.original(0)?,
            label: self.truth.labels().first().map(|label| *label as usize),
            sent: first(&capture.sent)?,
            map: if defended { first(&capture.maps)? } else { Picture::default() },
            smashed: Picture::of_features(&capture.smashed.get(0)?)?,
            crossed: capture.smashed.dims()[1..].to_vec(),
            inside: Some(self.inside.clone()),
            opinion: capture.opinion.clone(),
            lineup: (!reconstruction.is_empty() && !self.has_no_order()).then(|| self.lineup.judged(&reconstruction)),
            reconstruction,
            labels: Vec::new(),
            classes: Vec::new(),
            progress: Some(self.progress()),
            stamp: Stamp {
                defended,
                attack: id.spec.name().to_owned(),
                kind: id.spec.kind.id.to_owned(),
                adaptive: id.adaptive,
                cut: self.cut,
                trained,
                batch: self.batches().map_or(0, |batches| batches.place(0).1),
            },
        })
    }

    /// Scores the finished attack against the truth.
    ///
    /// # Errors
    /// Returns an error if it hands over nothing, or not one of a sort for each target.
    pub fn finish(&self) -> Result<Finished> {
        let Outcome { images, labels, scores } = self.handed_over()?;
        let (iterations, _) = self.attacker.progress();
        let n = self.truth.len();
        let list = |got: &Tensor| -> Result<Vec<Vec<f32>>> {
            (0..n).map(|i| Ok(got.get(i)?.flatten_all()?.to_vec1()?)).collect()
        };
        let values = images.as_ref().map(list).transpose()?;
        // To be told the classes and tell them again is no attack.
        let told = self.order.id.spec.kind.sees.contains(&Sees::Labels);
        let inferred = labels.as_deref().filter(|_| !told);
        let mut scored = self.bench.score_all(values.as_deref(), inferred)?;
        if self.has_no_order() {
            scored = scored.in_best_order();
        }
        let doubt = self.doubt()?;
        let converged = Some(doubt.is_none());
        if let Some(judged) = &mut scored.judged {
            judged.doubt = doubt;
        }
        let (kind, adaptive) = (self.order.id.spec.kind, self.order.id.adaptive);
        let words = |all: Vec<&str>| all.into_iter().map(str::to_owned).collect();
        let record = AttackRecord {
            name: self.order.id.spec.name().to_owned(),
            kind: self.order.id.spec.label.as_ref().map(|_| self.order.id.spec.kind.id.to_owned()),
            adaptive: self.order.id.adaptive,
            target: self.order.id.target.clone(),
            epoch: self.order.id.epoch,
            iterations,
            seconds: self.seconds,
            sees: words(kind.seen()),
            knows: words(kind.known(adaptive)),
            copy_accuracy: self.attacker.copy_accuracy(),
            budget: Some(Means::told(&self.order.id.spec).to_owned()),
            converged,
            ..scored
        };
        let few = |images: &Tensor| (0..PICTURED.min(n)).map(|i| Picture::of_tensor(&images.get(i)?)).collect();
        let reconstructions = images.as_ref().map(few).transpose()?.unwrap_or_default();
        Ok(Finished { record, reconstructions, images: values, labels, scores })
    }

    /// What the attack hands over, one of a sort for each target.
    fn handed_over(&self) -> Result<Outcome> {
        let (outcome, n) = (self.attacker.outcome()?, self.truth.len());
        let [c, h, w] = self.truth.shape();
        let wrong = |what: String| Err(Error::input(format!("the attack {} {what}", self.order.id.words())));
        if let Some(images) = outcome.images.as_ref().filter(|images| images.dims() != [n, c, h, w]) {
            let found = images.dims();
            return wrong(format!("hands over images {found:?}, where its targets are {:?}", [n, c, h, w]));
        }
        let lists =
            [("labels", outcome.labels.as_ref().map(Vec::len)), ("scores", outcome.scores.as_ref().map(Vec::len))];
        if let Some((what, found)) = lists.into_iter().find_map(|(what, m)| Some((what, m.filter(|m| *m != n)?))) {
            return wrong(format!("hands over {found} {what} for {n} targets"));
        }
        if outcome.images.is_none() && outcome.labels.is_none() && outcome.scores.is_none() {
            return wrong("hands over nothing".to_owned());
        }
        self.in_order(outcome)
    }

    /// Whether what it saw is of several images at once.
    fn has_no_order(&self) -> bool {
        self.batches().is_some_and(|batches| batches.batch > 1)
    }

    /// How the gradients were taken that it sees, if it sees any.
    fn batches(&self) -> Option<Batches> {
        Batches::seen(&self.order.id.spec, self.truth.len())
    }

    /// A gradient of several images does not tell their order: of each batch the images are taken in the order in which they
    /// are most like the originals, or the classes where there are no images.
    fn in_order(&self, outcome: Outcome) -> Result<Outcome> {
        let Some(batches) = self.batches() else { return Ok(outcome) };
        if batches.batch == 1 {
            return Ok(outcome);
        }
        let numbers = |t: Tensor| -> Result<Vec<Vec<f32>>> { Ok(t.flatten_from(1)?.to_vec2()?) };
        let got = outcome.images.clone().map(numbers).transpose()?;
        let wanted = numbers(self.truth.tensor(&Device::Cpu)?)?;
        let cost = |target: usize, found: usize| match (&got, &outcome.labels) {
            (Some(got), _) => mse(&got[found], &wanted[target]),
            (None, Some(labels)) => f64::from(u8::from(labels[found] != self.truth.labels()[target])),
            (None, None) => 0.0,
        };
        let mut order = Vec::with_capacity(self.truth.len());
        for i in 0..batches.count() {
            let (from, n) = batches.place(i);
            let row = |target| (from..from + n).map(|found| cost(target, found)).collect();
            let costs: Vec<Vec<f64>> = (from..from + n).map(row).collect();
            order.extend(cheapest(&costs).into_iter().map(|found| from + found));
        }
        let images = outcome.images.as_ref().map(|images| {
            let rows: Vec<u32> = order.iter().map(|found| *found as u32).collect();
            images.index_select(&Tensor::from_slice(&rows, rows.len(), images.device())?, 0)
        });
        let labels = outcome.labels.map(|labels| order.iter().map(|found| labels[*found]).collect());
        let scores = outcome.scores.map(|scores| order.iter().map(|found| scores[*found]).collect());
        Ok(Outcome { images: images.transpose()?, labels, scores })
    }

    /// The first target's reconstruction now (C, H, W), if there is one.
    fn first(&self) -> Result<Option<Tensor>> {
        if self.has_no_order() && self.attacker.first()?.is_some() {
            return Ok(self.handed_over()?.images.map(|images| images.get(0)).transpose()?);
        }
        self.attacker.first()
    }

    /// The clean images of the targets: what the attack is scored against.
    pub fn truth(&self) -> &Part {
        &self.truth
    }

    /// Which of the run's test images the targets are.
    pub fn places(&self) -> &[usize] {
        &self.places
    }

    /// The clean image of target `i`.
    ///
    /// # Errors
    /// Returns an error if it cannot be read.
    pub fn original(&self, i: usize) -> Result<Picture> {
        Picture::of_image(&self.truth, i)
    }

    /// The pictures of the first few targets.
    ///
    /// # Errors
    /// Where there is no memory left.
    pub fn gallery(&self, finished: &Finished) -> Result<Gallery> {
        let id = &self.order.id;
        let few = finished.reconstructions.len();
        Ok(Gallery {
            name: id.spec.name().to_owned(),
            adaptive: id.adaptive,
            target: id.target.clone(),
            epoch: id.epoch,
            originals: (0..few).map(|i| self.original(i)).collect::<Result<_>>()?,
            sent: (0..few).map(|i| Picture::of_tensor(&self.capture().sent.get(i)?)).collect::<Result<_>>()?,
            stolen: finished.reconstructions.clone(),
        })
    }
}

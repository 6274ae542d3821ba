//! The work behind the live mirror: data and models kept between questions, and the running attack.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::batch::Batch;
use super::question::{Question, Shown};
use super::theft::{Basis, Held, Kept, Theft};
use crate::attack::threat_model::Knows;
use crate::attack::{Auxiliary, Knowledge, Outcome};
use crate::data::{Part, also_in, drawn, split, targets, unowned_targets};
use crate::engine::give_way;
use crate::error::{Error, Result};
use crate::experiment::{DataSpec, Experiment};
use crate::random::Seed;
use crate::run::attacker::server_of;
use crate::run::facts::{Facts, WireFacts};
use crate::run::prepared::none_left;
use crate::run::scene::AttackProgress;
use crate::run::scene::{Lineup, Picture, Scene};
use crate::split::{SplitModel, SplitPlan, UNDEFENDED};
use crate::workbench::load;

/// Between scenes of a running attack.
const SCENE_EVERY: Duration = Duration::from_millis(33);
/// Between looks at who lets it go on.
const WAIT: Duration = Duration::from_millis(4);
/// How a watched attack shares its time out: the smaller, the more of it the first iterations get.
const EARLY: f64 = 0.35;
/// Test images that can be chosen.
const PATIENTS: usize = 200;
/// Of the attacker's own images it works from so many at most: an answer is to come in seconds.
pub const OWN_IMAGES: usize = 1000;
/// Attacks of which something is kept. A network's pairs take tens of megabytes.
const KEPT: usize = 3;

/// What the mirror does next, by those who watch it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// An iteration of the attack.
    Work,
    /// Nothing yet: it is paused, or goes in slow motion.
    Wait,
    /// Another question.
    Leave,
}

/// Answers questions, one at a time.
#[derive(Default)]
pub struct Mirror {
    grounds: Option<Arc<Grounds>>,
    model: Option<Made>,
    job: Option<Job>,
    /// What the last few attacks left, for the next question: one may go to and fro between attackers.
    kept: Vec<Kept>,
}

/// The data of an experiment.
struct Grounds {
    data: DataSpec,
    seed: u64,
    facts: Facts,
    patients: Part,
    /// Whether the attacker has every one of them already: there is nothing to steal then.
    owned: bool,
    auxiliary: Part,
}

/// What a model depends on.
#[derive(Clone, PartialEq)]
struct Key {
    plan: SplitPlan,
    seed: u64,
    weights: Held,
}

/// A model that was made for a question.
struct Made {
    key: Key,
    model: SplitModel,
    trained: Option<String>,
}

/// The question at work.
struct Job {
    /// The attack, or why there is none.
    theft: Result<Theft>,
    scene: Scene,
    /// None of a blank canvas, where there is nothing to pick, nor of several images, whose order is found with the truth.
    lineup: Option<Lineup>,
    batch: Batch,
    question: Question,
    start: Instant,
    shown: Option<Instant>,
    /// Whether an iteration was done since.
    unseen: bool,
}

impl Grounds {
    fn of(experiment: &Experiment) -> Result<Self> {
        let dataset = load(&experiment.data.name, &experiment.data.wanted()?)?;
        let seed = Seed(experiment.seed);
        let parts = split(&dataset, experiment.data.aux, seed);
        // The same images in the same order as a run's targets.
        let (data, classes) = (&experiment.data, dataset.classes.len());
        let test = drawn(dataset.test, data.test, data.draw, classes, seed);
        let mut chosen = unowned_targets(&test, &also_in(&test, &parts.aux)?, classes, PATIENTS, seed);
        let owned = chosen.is_empty();
        if owned {
            chosen = targets(&test, classes, PATIENTS, seed);
        }
        let patients = test.select(&chosen);
        let train = experiment.data.train;
        let facts = Facts {
            patient: if patients.is_empty() { Picture::default() } else { Picture::of_image(&patients, 0)? },
            patients: patients.len(),
            classes: dataset.classes.clone(),
            grouped: test.groups().is_some(),
            images: if train == 0 { parts.victim.len() } else { train.min(parts.victim.len()) },
            ..Facts::default()
        };
        let auxiliary = parts.aux.take(OWN_IMAGES);
        Ok(Self { data: experiment.data.clone(), seed: experiment.seed, facts, patients, owned, auxiliary })
    }

    fn is_of(&self, experiment: &Experiment) -> bool {
        self.data == experiment.data && self.seed == experiment.seed
    }
}

impl Mirror {
    /// The facts of a question's experiment. Where its model does not fit its data, they are known all the same, for who is
    /// to mend that.
    ///
    /// # Errors
    /// Returns an error if the data cannot be loaded.
    pub fn know(&mut self, question: &Question) -> Result<Arc<Facts>> {
        self.job = None;
        let grounds = match self.grounds.take() {
            Some(grounds) if grounds.is_of(&question.experiment) => grounds,
            _ => {
                // What was learnt from other images is of no use.
                self.kept.clear();
                Arc::new(Grounds::of(&question.experiment)?)
            }
        };
        let mut facts = grounds.facts.clone();
        facts.know(&question.experiment, question.defended);
        if let Ok(plans) = plans(question, &grounds) {
            for (model, plan) in facts.models.iter_mut().zip(&plans) {
                *model = plan.as_ref().and_then(|plan| WireFacts::of(plan).ok());
            }
        }
        self.grounds = Some(grounds);
        Ok(Arc::new(facts))
    }

    /// Takes a question: everything but the attack is computed at once. The facts of the experiment.
    ///
    /// # Errors
    /// Where the experiment does not fit its data, or the image does not fit the experiment.
    pub fn ask(&mut self, question: Question) -> Result<Arc<Facts>> {
        let facts = self.know(&question)?;
        self.answer(question).map(|()| facts)
    }

    /// Takes a question whose facts are known.
    ///
    /// # Errors
    /// As [`Self::ask`].
    pub fn answer(&mut self, question: Question) -> Result<()> {
        question.experiment.validate()?;
        let Some(grounds) = self.grounds.clone() else {
            return Err(Error::Internal("a question was answered before its images were known".to_owned()));
        };
        let [defended, undefended] = plans(&question, &grounds)?;
        let plan = if question.defended { defended } else { undefended };
        let plan =
            plan.ok_or_else(|| Error::input("the experiment has no defence: switch one on to see what it does"))?;
        self.begin(question, &grounds, plan)
    }

    fn begin(&mut self, question: Question, grounds: &Grounds, plan: SplitPlan) -> Result<()> {
        let (original, label) = shown(&question.image, &grounds.patients)?;
        let key = Key { plan, seed: question.experiment.seed, weights: Held(question.weights.clone()) };
        let made = match self.model.take() {
            Some(made) if made.key == key => made,
            _ => made(key, &question)?,
        };
        let x = original.tensor()?;
        let mut scene = Scene::of(&made.model, &x)?;
        scene.label = label;
        question.attack.name().clone_into(&mut scene.stamp.attack);
        question.attack.kind.id.clone_into(&mut scene.stamp.kind);
        scene.stamp.adaptive = question.adaptive;
        // As the document counts: the twin has a pooling layer more.
        scene.stamp.cut = question.experiment.model.cut;
        scene.stamp.trained.clone_from(&made.trained);
        let (batch, evidence) = match Batch::seen(&made.model, &x, label, &question, &grounds.patients) {
            Ok((batch, evidence)) => (batch, Ok(evidence)),
            Err(error) => (Batch::default(), Err(error)),
        };
        scene.stamp.batch = batch.len();
        scene.classes.clone_from(&batch.classes);
        let basis = Basis::of(&question, &made.key.plan);
        let kept = self.kept.iter().position(|kept| kept.serves(&basis)).map(|at| self.kept.remove(at));
        // Without auxiliary images, say: everything but the attacker's part is shown all the same.
        let knowledge = knowledge(&made.model, &question, &grounds.auxiliary)?;
        let theft = if grounds.owned && matches!(question.image, Shown::Patient(_)) {
            Err(none_left(&grounds.data.name))
        } else {
            evidence.and_then(|seen| Theft::begin(basis, &question, &knowledge, seen, kept))
        };
        let class = label.map(|label| label as u32);
        let seed = Seed(question.experiment.seed);
        let picks = original.has_content() && batch.len() < 2;
        let lineup = picks.then(|| Lineup::of(&original, class, &grounds.auxiliary, seed)).transpose()?;
        self.model = Some(made);
        self.job =
            Some(Job { theft, scene, lineup, batch, question, start: Instant::now(), shown: None, unseen: false });
        Ok(())
    }

    /// Goes on with the attack until there is something new to see; none once it is over, or where `next` says to
    /// leave, which is asked before each iteration and told whether that one is due.
    ///
    /// # Errors
    /// Where there is no attack on this question, once the rest of it was shown; where the attack diverges.
    pub fn advance(&mut self, next: &dyn Fn(bool) -> Next) -> Result<Option<Scene>> {
        let Some(job) = &mut self.job else { return Ok(None) };
        if job.shown.is_none() {
            // First what the hospital and the server have, and what the attacker has from before.
            job.shown = Some(Instant::now());
            return job.scene().map(Some);
        }
        while job.theft.as_ref().is_ok_and(|theft| !theft.done()) {
            match next(!job.early()) {
                Next::Work => {}
                Next::Wait => {
                    // A single step is seen too, though it came right after the last picture.
                    if job.unseen && job.shown.is_some_and(|last| last.elapsed() >= SCENE_EVERY) {
                        job.unseen = false;
                        job.shown = Some(Instant::now());
                        return job.scene().map(Some);
                    }
                    std::thread::sleep(WAIT);
                    continue;
                }
                Next::Leave => {
                    self.keep()?;
                    return Ok(None);
                }
            }
            if let Ok(theft) = &mut job.theft {
                theft.advance()?;
            }
            job.unseen = true;
            give_way();
            let done = job.theft.as_ref().is_ok_and(Theft::done);
            if done || job.shown.is_some_and(|last| last.elapsed() >= SCENE_EVERY) {
                job.unseen = false;
                job.shown = Some(Instant::now());
                return job.scene().map(Some);
            }
        }
        self.keep()?;
        Ok(None)
    }

    /// Keeps what serves the next question. An attack that could not be begun is told now.
    fn keep(&mut self) -> Result<()> {
        let Some(job) = self.job.take() else { return Ok(()) };
        if let Some(kept) = job.theft?.keep(&job.question)? {
            self.kept.truncate(KEPT - 1);
            self.kept.insert(0, kept);
        }
        Ok(())
    }
}

impl Job {
    /// Whether a watched attack is ahead of its time. Most is seen in the first iterations, so they get more of it.
    fn early(&self) -> bool {
        let (Some(spread), Ok(theft)) = (self.question.spread, &self.theft) else { return false };
        let (done, planned) = theft.progress();
        self.start.elapsed() < spread.mul_f64((done as f64 / planned.max(1) as f64).powf(EARLY))
    }

    fn scene(&self) -> Result<Scene> {
        let mut scene = self.scene.clone();
        let Ok(theft) = &self.theft else { return Ok(scene) };
        if let Some(Outcome { images: Some(images), labels, .. }) = theft.stolen()? {
            let own = self.batch.place(&images)?;
            scene.reconstruction = Picture::of_tensor(&images.get(own)?)?;
            // The shown image's first, then the others' as they come.
            scene.labels = labels.unwrap_or_default().into_iter().map(|label| label as usize).collect();
            scene.labels.get_mut(..=own).into_iter().for_each(|labels| labels.rotate_right(1));
        }
        scene.lineup = self.lineup.as_ref().map(|lineup| lineup.judged(&scene.reconstruction));
        let mode = if self.question.adaptive { ", adaptive" } else { "" };
        let attack = format!("{}{mode}", self.question.attack.name());
        let (iteration, planned) = theft.progress();
        scene.progress = Some(AttackProgress { attack, iteration, planned, loss: theft.loss() });
        Ok(scene)
    }
}

/// The defended and the undefended model.
fn plans(question: &Question, grounds: &Grounds) -> Result<[Option<SplitPlan>; 2]> {
    let twin = question.weights.as_ref().is_some_and(|weights| weights.models.contains_key(UNDEFENDED));
    question.experiment.both_plans(grounds.patients.shape(), grounds.facts.classes.len(), twin)
}

fn shown(image: &Shown, patients: &Part) -> Result<(Picture, Option<usize>)> {
    match image {
        Shown::Patient(_) if patients.is_empty() => Err(Error::input("the data have no test images to show")),
        Shown::Patient(i) => {
            let i = i % patients.len();
            Ok((Picture::of_image(patients, i)?, Some(patients.labels()[i] as usize)))
        }
        Shown::Own(picture) if picture.shape == patients.shape() => Ok((picture.clone(), None)),
        Shown::Own(picture) => {
            let [found, wanted] = [picture.shape, patients.shape()];
            Err(Error::input(format!("the image is {found:?} (C, H, W), the experiment's are {wanted:?}")))
        }
    }
}

fn made(key: Key, question: &Question) -> Result<Made> {
    let device = candle_core::Device::Cpu;
    let mut model = SplitModel::new(key.plan.clone(), Seed(key.seed), &device)?;
    let weights = question.weights.as_ref().and_then(|weights| weights.models.get(&key.plan.name));
    let trained = match weights {
        Some(weights) if weights.load_into(&mut model)? => Some(weights.trained.clone()),
        _ => None,
    };
    Ok(Made { key, model, trained })
}

fn knowledge(model: &SplitModel, question: &Question, auxiliary: &Part) -> Result<Knowledge> {
    let device = candle_core::Device::Cpu;
    let plan = &model.plan;
    let kind = question.attack.kind;
    let server = || server_of(&model.server.parameters().snapshot()?, plan, &device);
    let knows_server = kind.knowledge(question.adaptive).contains(&Knows::ServerWeights);
    let knowledge = Knowledge {
        image: plan.image,
        classes: plan.classes,
        layers: plan.layers[..plan.cut].to_vec(),
        client: Some(model.client.body()),
        oracle: None,
        server: knows_server.then(server).transpose()?,
        entry: plan.entry(),
        auxiliary: Some(Auxiliary::new(auxiliary.clone(), &device)),
        samples: None,
        defence: if question.adaptive { plan.defences.imitation()? } else { None },
        seed: Seed(question.experiment.seed),
        name: "live".to_owned(),
    };
    Ok(knowledge.masked(kind.knowledge(question.adaptive)))
}

#[cfg(test)]
mod tests;

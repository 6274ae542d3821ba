//! The work behind the live mirror: data and models kept between questions, and the running attack.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::question::{Question, Shown};
use super::theft::{Basis, Held, Kept, Theft};
use crate::attack::kind::Knows;
use crate::attack::{Auxiliary, Knowledge};
use crate::data::{Part, drawn, split, targets};
use crate::engine::give_way;
use crate::error::{Error, Result};
use crate::experiment::{DataSpec, Experiment};
use crate::random::{At, Seed};
use crate::run::attack_job::server_of;
use crate::run::event::AttackProgress;
use crate::run::facts::{Facts, WireFacts};
use crate::run::scene::{Lineup, Picture, Scene};
use crate::split::{SplitModel, SplitPlan, UNDEFENDED};
use crate::workbench::load;

/// Between scenes of a running attack.
const SCENE_EVERY: Duration = Duration::from_millis(33);
/// How a watched attack shares its time out: the smaller, the more of it the first iterations get.
const EARLY: f64 = 0.35;
/// Test images that can be chosen.
const PATIENTS: usize = 200;
/// Of the attacker's own images it works from so many at most: an answer is to come in seconds.
pub const OWN_IMAGES: usize = 1000;
/// Attacks of which something is kept. A network's pairs take tens of megabytes.
const KEPT: usize = 3;

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
    /// None of a blank canvas, where there is nothing to pick.
    lineup: Option<Lineup>,
    question: Question,
    start: Instant,
    shown: Option<Instant>,
}

impl Grounds {
    fn of(experiment: &Experiment) -> Result<Self> {
        let dataset = load(&experiment.data.name)?;
        let seed = Seed(experiment.seed);
        let parts = split(&dataset, experiment.data.aux, seed);
        // The same images in the same order as a run's targets.
        let (data, classes) = (&experiment.data, dataset.classes.len());
        let test = drawn(dataset.test, data.test, data.draw, classes, seed);
        let chosen = targets(&test, classes, PATIENTS.min(test.len()), seed);
        let patients = test.select(&chosen);
        let train = experiment.data.train;
        let facts = Facts {
            patient: if patients.is_empty() { Picture::default() } else { Picture::of_image(&patients, 0)? },
            patients: patients.len(),
            classes: dataset.classes.clone(),
            images: if train == 0 { parts.victim.len() } else { train.min(parts.victim.len()) },
            ..Facts::default()
        };
        let auxiliary = parts.aux.take(OWN_IMAGES);
        Ok(Self { data: experiment.data.clone(), seed: experiment.seed, facts, patients, auxiliary })
    }

    fn is_of(&self, experiment: &Experiment) -> bool {
        self.data == experiment.data && self.seed == experiment.seed
    }
}

impl Mirror {
    /// Takes a question: everything but the attack is computed at once. The facts of the experiment.
    ///
    /// # Errors
    /// Where the experiment does not fit its data, or the image does not fit the experiment.
    pub fn ask(&mut self, question: Question) -> Result<Arc<Facts>> {
        self.job = None;
        question.experiment.validate()?;
        let grounds = match self.grounds.take() {
            Some(grounds) if grounds.is_of(&question.experiment) => grounds,
            _ => {
                // What was learnt from other images is of no use.
                self.kept.clear();
                Arc::new(Grounds::of(&question.experiment)?)
            }
        };
        self.grounds = Some(grounds.clone());
        let shape = grounds.patients.shape();
        let twin = question.weights.as_ref().is_some_and(|weights| weights.models.contains_key(UNDEFENDED));
        let plans = question.experiment.both_plans(shape, grounds.facts.classes.len(), twin)?;
        let mut facts = grounds.facts.clone();
        facts.know(&question.experiment, question.defended);
        for (model, plan) in facts.models.iter_mut().zip(&plans) {
            *model = plan.as_ref().map(WireFacts::of).transpose()?;
        }
        let [defended, undefended] = plans;
        let plan = if question.defended { defended } else { undefended };
        let plan =
            plan.ok_or_else(|| Error::input("the experiment has no defence: switch one on to see what it does"))?;
        self.begin(question, &grounds, plan)?;
        Ok(Arc::new(facts))
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
        let (smashed, _) = made.model.ask(&x, At::ONCE)?;
        let basis = Basis::of(&question, &made.key.plan);
        let kept = self.kept.iter().position(|kept| kept.serves(&basis)).map(|at| self.kept.remove(at));
        // Without auxiliary images, say: everything but the attacker's part is shown all the same.
        let knowledge = knowledge(&made.model, &question, &grounds.auxiliary)?;
        let theft = Theft::begin(basis, &question, &knowledge, smashed, kept);
        let class = label.map(|label| label as u32);
        let seed = Seed(question.experiment.seed);
        let lineup =
            original.has_content().then(|| Lineup::of(&original, class, &grounds.auxiliary, seed)).transpose()?;
        self.model = Some(made);
        self.job = Some(Job { theft, scene, lineup, question, start: Instant::now(), shown: None });
        Ok(())
    }

    /// Goes on with the attack until there is something new to see; none once it is over, or `interrupted`.
    ///
    /// # Errors
    /// Where there is no attack on this question, once the rest of it was shown; where the attack diverges.
    pub fn advance(&mut self, interrupted: &dyn Fn() -> bool) -> Result<Option<Scene>> {
        let Some(job) = &mut self.job else { return Ok(None) };
        if job.shown.is_none() {
            // First what the hospital and the server have, and what the attacker has from before.
            job.shown = Some(Instant::now());
            return job.scene().map(Some);
        }
        while job.theft.as_ref().is_ok_and(|theft| !theft.done()) {
            if interrupted() {
                self.keep()?;
                return Ok(None);
            }
            if job.early() {
                std::thread::sleep(Duration::from_millis(4));
                continue;
            }
            if let Ok(theft) = &mut job.theft {
                theft.advance()?;
            }
            give_way();
            let done = job.theft.as_ref().is_ok_and(Theft::done);
            if done || job.shown.is_some_and(|last| last.elapsed() >= SCENE_EVERY) {
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
        if let Some(stolen) = theft.reconstruction()? {
            scene.reconstruction = Picture::of_tensor(&stolen.get(0)?)?;
        }
        scene.lineup = self.lineup.as_ref().map(|lineup| lineup.judged(&scene.reconstruction));
        let mode = if self.question.adaptive { ", adaptive" } else { "" };
        let attack = format!("{}{mode}", self.question.attack.name());
        let (iteration, planned) = theft.progress();
        scene.progress = Some(AttackProgress { attack, iteration, planned, loss: theft.loss() });
        Ok(scene)
    }
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
        client: Some(model.client.body()),
        oracle: None,
        server: knows_server.then(server).transpose()?,
        entry: plan.entry(),
        auxiliary: Some(Auxiliary::new(auxiliary.clone(), &device)),
        defence: if question.adaptive { plan.defences.imitation()? } else { None },
        seed: Seed(question.experiment.seed),
        name: "live".to_owned(),
    };
    Ok(knowledge.masked(kind, question.adaptive))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::live::attack_of;

    fn last_scene(mirror: &mut Mirror, question: Question) -> Scene {
        mirror.ask(question).unwrap();
        let mut last = None;
        while let Some(scene) = mirror.advance(&|| false).unwrap() {
            last = Some(scene);
        }
        last.unwrap()
    }

    fn psnr(scene: &Scene) -> f64 {
        crate::score::image::psnr(crate::score::image::mse(&scene.original.values, &scene.reconstruction.values))
    }

    #[test]
    fn the_opening_steals_the_patient_from_an_untrained_client() {
        for preset in ["psgl-digits", "psgl-brain"] {
            let mut question = Question::opening(&Experiment::preset(preset).unwrap());
            question.spread = None;
            let scene = last_scene(&mut Mirror::default(), question);
            assert!(psnr(&scene) > 25.0, "{preset}: {}", psnr(&scene));
            assert_eq!(scene.lineup.as_ref().and_then(Lineup::correct), Some(true), "{preset}");
            assert_eq!((scene.stamp.defended, scene.stamp.trained), (false, None));
        }
    }

    #[test]
    fn a_stroke_goes_on_from_what_the_attacker_has() {
        let mut experiment = Experiment::preset("quick").unwrap();
        experiment.psgl.enabled = false;
        let mut mirror = Mirror::default();
        let ask =
            |picture: &Picture| Question { image: Shown::Own(picture.clone()), ..Question::new(experiment.clone()) };
        let mut drawn = Picture { shape: [1, 28, 28], values: vec![0.0; 784] };
        drawn.values[200..220].fill(1.0);
        last_scene(&mut mirror, ask(&drawn));
        drawn.values[228..232].fill(1.0);
        mirror.ask(ask(&drawn)).unwrap();
        mirror.advance(&|| false).unwrap();
        let warm = mirror.advance(&|| false).unwrap().unwrap();
        let cold = {
            let mut fresh = Mirror::default();
            fresh.ask(ask(&drawn)).unwrap();
            fresh.job.as_mut().unwrap().theft.as_mut().unwrap().advance().unwrap();
            fresh.job.as_ref().unwrap().scene().unwrap()
        };
        assert!(psnr(&warm) > psnr(&cold) + 3.0, "{} against {}", psnr(&warm), psnr(&cold));
    }

    #[test]
    fn a_network_learns_once_and_serves_every_image() {
        let mut experiment = Experiment::preset("quick").unwrap();
        experiment.psgl.enabled = false;
        let ask = |image: usize, experiment: &Experiment| Question {
            attack: attack_of(experiment, "inverse"),
            image: Shown::Patient(image),
            ..Question::new(experiment.clone())
        };
        let mut mirror = Mirror::default();
        let learnt = last_scene(&mut mirror, ask(0, &experiment));
        let progress = learnt.progress.as_ref().unwrap();
        assert_eq!((learnt.stamp.attack.as_str(), progress.attack.as_str()), ("inverse", "inverse"));
        assert!(progress.iteration == progress.planned && progress.planned >= 200, "{progress:?}");
        assert!(psnr(&learnt) > 12.0, "{}", psnr(&learnt));
        // Another image is stolen in one pass, and as well as if the network had learnt for it.
        mirror.ask(ask(1, &experiment)).unwrap();
        let at_once = mirror.advance(&|| false).unwrap().unwrap();
        assert_eq!(at_once.progress.as_ref().unwrap().iteration, progress.planned);
        assert!(mirror.advance(&|| false).unwrap().is_none());
        let alone = last_scene(&mut Mirror::default(), ask(1, &experiment));
        assert_eq!(at_once.reconstruction, alone.reconstruction);
        // To rMLE and back: nothing is learnt again. Other layers are.
        last_scene(&mut mirror, Question::new(experiment.clone()));
        mirror.ask(ask(0, &experiment)).unwrap();
        let back = mirror.advance(&|| false).unwrap().unwrap();
        assert_eq!(back.reconstruction, learnt.reconstruction);
        experiment.model.cut = 2;
        mirror.ask(ask(0, &experiment)).unwrap();
        let first = mirror.advance(&|| false).unwrap().unwrap();
        assert!(first.reconstruction.is_empty() && first.progress.unwrap().iteration == 0);
    }

    #[test]
    fn learning_is_interrupted_at_once_and_goes_on_where_it_was() {
        let experiment = Experiment::preset("quick").unwrap();
        let ask = |gamma: f64, adaptive: bool| {
            let mut experiment = experiment.clone();
            experiment.psgl.gamma = gamma;
            Question { attack: attack_of(&experiment, "inverse"), adaptive, ..Question::new(experiment) }
        };
        let mut mirror = Mirror::default();
        let iteration = |scene: &Scene| scene.progress.as_ref().unwrap().iteration;
        mirror.ask(ask(0.1, false)).unwrap();
        let mut reached = 0;
        while reached < 5 {
            reached = iteration(&mirror.advance(&|| false).unwrap().unwrap());
        }
        assert!(mirror.advance(&|| true).unwrap().is_none(), "it gives way before its next step");
        // Who does not know the defence learns nothing of its strength; who does begins anew.
        mirror.ask(ask(0.2, false)).unwrap();
        assert!(iteration(&mirror.advance(&|| false).unwrap().unwrap()) >= reached);
        mirror.ask(ask(0.2, true)).unwrap();
        assert_eq!(iteration(&mirror.advance(&|| false).unwrap().unwrap()), 0);
    }

    #[test]
    fn an_attack_that_cannot_be_shown_says_why_and_the_rest_is_shown() {
        let mut experiment = Experiment::preset("quick").unwrap();
        experiment.data.aux = 0.01;
        let mut question = Question { attack: attack_of(&experiment, "inverse"), ..Question::new(experiment) };
        let mut mirror = Mirror::default();
        mirror.ask(question.clone()).unwrap();
        // As if the share came to no image at all.
        question.image = Shown::Patient(1);
        let grounds = Arc::get_mut(mirror.grounds.as_mut().unwrap()).unwrap();
        grounds.auxiliary = grounds.auxiliary.take(1);
        mirror.kept.clear();
        mirror.job = None;
        mirror.ask(question).unwrap();
        let scene = mirror.advance(&|| false).unwrap().unwrap();
        assert!(scene.reconstruction.is_empty() && scene.progress.is_none() && !scene.smashed.is_empty());
        let error = mirror.advance(&|| false).unwrap_err().to_string();
        assert!(error.contains("two auxiliary images or more: raise data.aux"), "{error}");
        assert!(mirror.advance(&|| false).unwrap().is_none());
    }

    #[test]
    fn of_a_blank_canvas_nobody_is_picked() {
        let experiment = Experiment::preset("quick").unwrap();
        let blank = Picture { shape: [1, 28, 28], values: vec![0.0; 784] };
        let question = Question { image: Shown::Own(blank), ..Question::new(experiment) };
        let scene = last_scene(&mut Mirror::default(), question);
        assert!(!scene.reconstruction.is_empty() && scene.lineup.is_none());
        assert!(scene.original.score_of(&scene.reconstruction).is_none());
    }

    #[test]
    fn the_defence_shows_its_disguise_and_its_strength_moves_it() {
        let mut experiment = Experiment::preset("quick").unwrap();
        let mut mirror = Mirror::default();
        let first = |mirror: &mut Mirror, experiment: &Experiment| {
            mirror.ask(Question::new(experiment.clone())).unwrap();
            mirror.advance(&|| false).unwrap().unwrap()
        };
        let weak = first(&mut mirror, &experiment);
        experiment.psgl.gamma = 0.4;
        let strong = first(&mut mirror, &experiment);
        let moved =
            |scene: &Scene| scene.original.values.iter().zip(&scene.sent.values).filter(|(a, b)| a != b).count();
        assert!(moved(&strong) > 2 * moved(&weak) && moved(&weak) > 0);
        assert_eq!(weak.opinion.as_ref().unwrap().streams.len(), 3);
        assert!(!weak.smashed.is_empty() && !weak.map.is_empty() && weak.reconstruction.is_empty());
    }

    #[test]
    fn what_does_not_fit_is_told() {
        let experiment = Experiment::preset("quick").unwrap();
        let picture = Picture { shape: [3, 2, 2], values: vec![0.0; 12] };
        let question = Question { image: Shown::Own(picture), ..Question::new(experiment) };
        let error = Mirror::default().ask(question).unwrap_err().to_string();
        assert!(error.starts_with("the image is [3, 2, 2] (C, H, W)"), "{error}");
    }
}

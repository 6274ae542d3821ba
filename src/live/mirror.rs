//! The work behind the live mirror: data and models kept between questions, and the running attack.

use std::sync::Arc;
use std::time::{Duration, Instant};

use candle_core::Tensor;

use super::question::{Question, Shown};
use crate::attack::rmle::Rmle;
use crate::attack::{Auxiliary, Inversion, Knowledge, Observation};
use crate::data::{Images, load, split, targets};
use crate::engine::give_way;
use crate::error::{Error, Result};
use crate::experiment::{DataSpec, Experiment};
use crate::model::split::{SplitModel, SplitPlan};
use crate::random::Seed;
use crate::run::event::AttackProgress;
use crate::run::facts::{Facts, WireFacts};
use crate::run::scene::{Lineup, Picture, Scene};
use crate::run::weights::Weights;

/// Between scenes of a running attack.
const SCENE_EVERY: Duration = Duration::from_millis(33);
/// How a watched attack shares its time out: the smaller, the more of it the first iterations get.
const EARLY: f64 = 0.35;
/// Test images that can be chosen.
const PATIENTS: usize = 200;

/// Answers questions, one at a time.
#[derive(Default)]
pub struct Mirror {
    grounds: Option<Arc<Grounds>>,
    model: Option<Made>,
    job: Option<Job>,
    /// The last reconstruction and what it was made under, to start the next one from.
    last: Option<(Key, Tensor)>,
}

/// The data of an experiment.
struct Grounds {
    data: DataSpec,
    seed: u64,
    facts: Facts,
    patients: Images,
    auxiliary: Images,
}

/// What a model depends on.
#[derive(Clone, PartialEq)]
struct Key {
    plan: SplitPlan,
    seed: u64,
    /// Weights are compared by where they are: they never change in place.
    weights: Option<usize>,
    adaptive: bool,
}

/// A model that was made for a question.
struct Made {
    key: Key,
    model: SplitModel,
    trained: Option<String>,
    /// Keeps the weights' place from being used again.
    _weights: Option<Arc<Weights>>,
}

/// The running attack.
struct Job {
    rmle: Rmle,
    scene: Scene,
    lineup: Lineup,
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
        let test = if experiment.data.test == 0 { dataset.test } else { dataset.test.take(experiment.data.test) };
        let chosen = targets(&test, dataset.classes.len(), PATIENTS.min(test.len()), seed);
        let patients = test.select(&chosen);
        let train = experiment.data.train;
        let facts = Facts {
            patient: if patients.is_empty() { Picture::default() } else { Picture::of_image(&patients, 0) },
            patients: patients.len(),
            classes: dataset.classes.clone(),
            images: if train == 0 { parts.victim.len() } else { train.min(parts.victim.len()) },
            ..Facts::default()
        };
        Ok(Self { data: experiment.data.clone(), seed: experiment.seed, facts, patients, auxiliary: parts.aux })
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
            _ => Arc::new(Grounds::of(&question.experiment)?),
        };
        self.grounds = Some(grounds.clone());
        let shape = grounds.patients.shape;
        let twin = question.weights.as_ref().is_some_and(|weights| weights.models.contains_key("vanilla"));
        let plans = question.experiment.both_plans(shape, grounds.facts.classes.len(), twin)?;
        let mut facts = grounds.facts.clone();
        facts.know(&question.experiment, question.defended);
        for (model, plan) in facts.models.iter_mut().zip(&plans) {
            *model = plan.as_ref().map(WireFacts::of).transpose()?;
        }
        let [psgl, vanilla] = plans;
        let plan = if question.defended { psgl } else { vanilla };
        let plan = plan.ok_or_else(|| Error::input("psgl.enabled = false: switch PSGL on to see its disguise"))?;
        self.begin(question, &grounds, plan)?;
        Ok(Arc::new(facts))
    }

    fn begin(&mut self, question: Question, grounds: &Grounds, plan: SplitPlan) -> Result<()> {
        let (original, label) = shown(&question.image, &grounds.patients)?;
        let weights = question.weights.as_ref().map(|weights| Arc::as_ptr(weights) as usize);
        let key = Key { plan, seed: question.experiment.seed, weights, adaptive: question.adaptive };
        let made = match self.model.take() {
            Some(made) if made.key == key => made,
            _ => made(key.clone(), &question)?,
        };
        let mut scene = Scene::of(&made.model, &original.tensor()?)?;
        scene.label = label;
        scene.stamp.adaptive = question.adaptive;
        // As the document counts: the twin has a pooling layer more.
        scene.stamp.cut = question.experiment.model.cut;
        scene.stamp.trained.clone_from(&made.trained);
        let (smashed, _) = made.model.ask(&original.tensor()?)?;
        let knowledge = knowledge(&made.model, &question, &grounds.auxiliary)?;
        let mut rmle = Rmle::new(&Observation::new(smashed), &knowledge, question.attack.settings())?;
        // Between two strokes a drawing changes little: the attacker may go on from what it has.
        let drawn = matches!(question.image, Shown::Own(_));
        if let Some((_, image)) = self.last.as_ref().filter(|(last, _)| *last == key && drawn) {
            rmle.start_from(image)?;
        }
        let seed = Seed(question.experiment.seed);
        let lineup = Lineup::of(&original, label.map(|label| label as u32), &grounds.auxiliary, seed);
        self.model = Some(made);
        self.job = Some(Job { rmle, scene, lineup, question, start: Instant::now(), shown: None });
        Ok(())
    }

    /// Goes on with the attack until there is something new to see; none once it is over, or `interrupted`.
    ///
    /// # Errors
    /// Where the attack diverges.
    pub fn advance(&mut self, interrupted: &dyn Fn() -> bool) -> Result<Option<Scene>> {
        let Some(job) = &mut self.job else { return Ok(None) };
        if job.shown.is_none() {
            // First what the hospital and the server have; the attacker has not begun.
            job.shown = Some(Instant::now());
            return job.scene().map(Some);
        }
        while !job.rmle.done() {
            if interrupted() {
                self.keep()?;
                return Ok(None);
            }
            if job.early() {
                std::thread::sleep(Duration::from_millis(4));
                continue;
            }
            job.rmle.advance()?;
            give_way();
            if job.shown.is_some_and(|last| last.elapsed() >= SCENE_EVERY) || job.rmle.done() {
                job.shown = Some(Instant::now());
                return job.scene().map(Some);
            }
        }
        self.keep()?;
        Ok(None)
    }

    /// Keeps the reconstruction for the next question.
    fn keep(&mut self) -> Result<()> {
        if let (Some(job), Some(made)) = (self.job.take(), &self.model)
            && matches!(job.question.image, Shown::Own(_))
            && !job.question.adaptive
        {
            self.last = Some((made.key.clone(), job.rmle.reconstruction()?));
        }
        Ok(())
    }
}

impl Job {
    /// Whether a watched attack is ahead of its time. Most is seen in the first iterations, so they get more of it.
    fn early(&self) -> bool {
        let Some(spread) = self.question.spread else { return false };
        let (done, planned) = self.rmle.progress();
        self.start.elapsed() < spread.mul_f64((done as f64 / planned.max(1) as f64).powf(EARLY))
    }

    fn scene(&self) -> Result<Scene> {
        let (iteration, planned) = self.rmle.progress();
        let mut scene = self.scene.clone();
        if iteration > 0 {
            scene.reconstruction = Picture::of_tensor(&self.rmle.reconstruction()?.get(0)?)?;
        }
        scene.lineup = Some(self.lineup.judged(&scene.reconstruction));
        let words = if self.question.adaptive { "rmle, adaptive" } else { "rmle" };
        let loss = self.rmle.loss();
        scene.progress = Some(AttackProgress { attack: words.to_owned(), iteration, planned, loss });
        Ok(scene)
    }
}

fn shown(image: &Shown, patients: &Images) -> Result<(Picture, Option<usize>)> {
    match image {
        Shown::Patient(_) if patients.is_empty() => Err(Error::input("the data have no test images to show")),
        Shown::Patient(i) => {
            let i = i % patients.len();
            Ok((Picture::of_image(patients, i), Some(patients.labels[i] as usize)))
        }
        Shown::Own(picture) if picture.shape == patients.shape => Ok((picture.clone(), None)),
        Shown::Own(picture) => {
            let [found, wanted] = [picture.shape, patients.shape];
            Err(Error::input(format!("the image is {found:?} (C, H, W), the experiment's are {wanted:?}")))
        }
    }
}

fn made(key: Key, question: &Question) -> Result<Made> {
    let device = candle_core::Device::Cpu;
    let mut model = SplitModel::new(key.plan.clone(), Seed(key.seed), &device)?;
    let weights = question.weights.as_ref().and_then(|weights| weights.models.get(key.plan.name));
    let trained = match weights {
        Some(weights) if weights.load_into(&mut model)? => Some(weights.trained.clone()),
        _ => None,
    };
    Ok(Made { key, model, trained, _weights: question.weights.clone() })
}

fn knowledge(model: &SplitModel, question: &Question, auxiliary: &Images) -> Result<Knowledge> {
    let device = candle_core::Device::Cpu;
    let plan = &model.plan;
    let auxiliary = if question.adaptive {
        Some(Auxiliary { images: auxiliary.tensor(&device)?, labels: auxiliary.label_tensor(&device)? })
    } else {
        None
    };
    Ok(Knowledge {
        image: plan.image,
        classes: plan.classes,
        client: Some(model.client.body()),
        packs: plan.psgl.is_some(),
        auxiliary,
        defence: plan.psgl.filter(|_| question.adaptive),
        seed: Seed(question.experiment.seed),
        name: "live".to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

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
            fresh.job.as_mut().unwrap().rmle.advance().unwrap();
            fresh.job.as_ref().unwrap().scene().unwrap()
        };
        assert!(psnr(&warm) > psnr(&cold) + 3.0, "{} against {}", psnr(&warm), psnr(&cold));
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

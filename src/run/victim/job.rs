//! Attacks at a victim of another program, one after another, in slices.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use candle_core::Tensor;

use super::kept::{Finished, Kept};
use super::surrogate::Surrogate;
use super::{VICTIM, Victim};
use crate::attack::threat_model::{Knows, Sees};
use crate::attack::{Inversion, Outcome};
use crate::error::{Error, Result};
use crate::experiment::AttackSpec;
use crate::model::network::Network;
use crate::random::Seed;
use crate::run::event::{Event, Progress, Sink};
use crate::run::launch::Means;
use crate::run::scene::{AttackProgress, Gallery, Picture, Scene, Stamp};
use crate::run::summary::AttackRecord;
use crate::score::judging::Bench;

/// Between pictures of a running attack.
const PICTURE_EVERY: Duration = Duration::from_millis(60);
/// Targets whose pictures are kept.
const PICTURED: usize = 8;
/// A surrogate that explains less of what it was fitted to says little of the client.
const FEW_EXPLAINED: f64 = 0.5;

/// What is to be done at a victim, and where its results go.
#[derive(Clone, Debug)]
pub struct Task {
    /// The attacks.
    pub attacks: Vec<AttackSpec>,
    /// How many of the targets are attacked; all without.
    pub images: Option<usize>,
    /// Whether one that lacks what it needs is left out; else it is an error.
    pub lenient: bool,
    /// The folder of the results.
    pub out: PathBuf,
}

/// The attacks at work.
pub struct VictimJob {
    victim: Victim,
    waiting: Vec<AttackSpec>,
    fitting: Option<Surrogate>,
    surrogate: Option<Network>,
    bench: Option<Bench>,
    measured: bool,
    active: Option<Active>,
    kept: Kept,
    records: Vec<AttackRecord>,
    pictured: Option<Instant>,
    /// Targets that are attacked.
    images: usize,
    /// Whether an attack that lacks what it needs is left out.
    lenient: bool,
    sink: Sink,
}

struct Active {
    spec: AttackSpec,
    inversion: Box<dyn Inversion>,
    seconds: f64,
    images: usize,
}

impl VictimJob {
    /// Orders the attacks.
    ///
    /// # Errors
    /// Returns an error if an attack lacks what it needs and the task is not lenient, or if the folder holds something already
    /// or cannot be made.
    pub fn new(victim: Victim, task: Task, mut sink: Sink) -> Result<Self> {
        let (mut waiting, mut left_out) = (Vec::new(), Vec::new());
        for spec in task.attacks {
            match lacks(&spec, &victim) {
                None => waiting.push(spec),
                Some(why) if task.lenient => left_out.push(format!("{}: {why}; it is left out", spec.name())),
                Some(why) => return Err(Error::input(format!("the attack {}: {why}", spec.name()))),
            }
        }
        let looks_into = |spec: &AttackSpec| spec.kind.knows.contains(&Knows::ClientWeights);
        let mut fitting = None;
        if let (None, Some(own), Some(pairs)) = (&victim.client, &victim.own, &victim.pairs)
            && waiting.iter().any(looks_into)
        {
            match Surrogate::new(own, pairs, &victim.layers, Seed(0)) {
                Err(Error::Input(why)) if task.lenient => {
                    waiting.retain(|spec| !looks_into(spec));
                    left_out.push(format!("attacks that look into the client: {why}; they are left out"));
                }
                other => fitting = Some(other?),
            }
        }
        let images = task.images.unwrap_or(usize::MAX).min(victim.targets());
        let bench = bench(&victim, images)?;
        let kept = Kept::new(&task.out)?;
        sink.emit(Event::Started { folder: Some(task.out), resumed: false });
        for text in left_out {
            sink.emit(Event::Warning(text));
        }
        if victim.truth.is_none() {
            sink.emit(Event::Note(
                "There are no images to compare with: reconstructions are kept, and nothing is said of how good they are."
                    .to_owned(),
            ));
        }
        Ok(Self {
            bench,
            lenient: task.lenient,
            images,
            victim,
            waiting,
            fitting,
            surrogate: None,
            measured: false,
            active: None,
            kept,
            records: Vec::new(),
            pictured: None,
            sink,
        })
    }

    /// One slice of work; the records once all is done.
    ///
    /// # Errors
    /// Returns an error if an attack fails otherwise than by leaving the finite numbers, or the disk refuses.
    pub fn advance(&mut self) -> Result<Option<Vec<AttackRecord>>> {
        self.sink.flush();
        if self.fitting.is_some() {
            self.fit()?;
            return Ok(None);
        }
        if let Some(bench) = self.bench.as_mut().filter(|_| !self.measured) {
            let pool = self.victim.pool()?;
            self.measured = bench.advance(&pool)?;
            return Ok(None);
        }
        let Some(mut active) = self.active.take() else { return self.next() };
        let start = Instant::now();
        match active.inversion.advance() {
            Err(Error::Diverged(why)) => {
                self.leave_out(&active.spec, &why);
                return Ok(None);
            }
            other => other?,
        }
        active.seconds += start.elapsed().as_secs_f64();
        let over = active.spec.seconds > 0 && active.seconds >= active.spec.seconds as f64;
        let done = active.inversion.done();
        self.show(&active, done || over)?;
        if done || over {
            self.conclude(&active)?;
        } else {
            self.active = Some(active);
        }
        Ok(None)
    }

    /// One step of the surrogate.
    fn fit(&mut self) -> Result<()> {
        let Some(surrogate) = &mut self.fitting else { return Ok(()) };
        let fitted = match surrogate.advance() {
            Err(Error::Diverged(why)) => {
                self.fitting = None;
                self.waiting.retain(|spec| !spec.kind.knows.contains(&Knows::ClientWeights));
                self.sink.emit(Event::Warning(format!("{why}: attacks that look into the client are left out")));
                return Ok(());
            }
            other => other?,
        };
        let (done, total) = surrogate.progress();
        let untold = self.waiting.iter().map(|spec| spec.name().to_owned()).collect();
        let phase = "a surrogate of the client".to_owned();
        let progress = Progress { phase, done, total, seconds_left: None, untold };
        self.sink.emit(Event::Progress(progress));
        if fitted {
            let explained = surrogate.explained()?;
            let text = format!(
                "The surrogate of the client explains {:.1} % of smashed data that it was not fitted to",
                100.0 * explained.max(0.0)
            );
            self.sink.emit(if explained < FEW_EXPLAINED {
                Event::Warning(format!("{text}: attacks that look into it prove nothing"))
            } else {
                Event::Note(text)
            });
            self.surrogate = Some(surrogate.network()?);
            self.fitting = None;
        }
        Ok(())
    }

    /// Takes up the next attack; all records where there is none.
    fn next(&mut self) -> Result<Option<Vec<AttackRecord>>> {
        if self.waiting.is_empty() {
            return Ok(Some(std::mem::take(&mut self.records)));
        }
        let spec = self.waiting.remove(0);
        let images = self.images;
        let seed = Seed(spec.seed as u64);
        let known = self.victim.knowledge(self.surrogate.as_ref(), seed, spec.name()).masked(spec.kind.knows);
        let mut seen = self.victim.evidence(0, images)?;
        if let Some(truth) = self.victim.truth.as_ref().filter(|_| spec.kind.sees.contains(&Sees::Labels)) {
            seen = seen.with_labels(truth.take(images).label_tensor(self.victim.smashed.device())?);
        }
        let inversion = match spec.kind.make.from_evidence(&seen.masked(spec.kind.sees), &known, &spec.values) {
            Err(Error::Input(why)) if self.lenient => {
                self.leave_out(&spec, &why);
                return Ok(None);
            }
            Err(Error::Diverged(why)) => {
                self.leave_out(&spec, &why);
                return Ok(None);
            }
            other => other?,
        };
        self.active = Some(Active { spec, inversion, seconds: 0.0, images });
        Ok(None)
    }

    fn conclude(&mut self, active: &Active) -> Result<()> {
        let Outcome { images, labels, .. } = active.inversion.outcome()?;
        let n = active.images;
        let [c, h, w] = self.victim.image;
        let odd = images.as_ref().is_some_and(|images| images.dims() != [n, c, h, w])
            || labels.as_ref().is_some_and(|labels| labels.len() != n);
        if odd || images.is_none() && labels.is_none() {
            let why =
                if odd { "it hands over another number of images or labels" } else { "it made nothing in its time" };
            self.leave_out(&active.spec, why);
            return Ok(());
        }
        let list =
            |all: &Tensor| (0..n).map(|i| Ok(all.get(i)?.flatten_all()?.to_vec1::<f32>()?)).collect::<Result<Vec<_>>>();
        let values = images.as_ref().map(list).transpose()?;
        if values.iter().flatten().flatten().any(|value| !value.is_finite()) {
            self.leave_out(&active.spec, "its images are not finite");
            return Ok(());
        }
        let scored = match &self.bench {
            // To be told the classes and tell them again is no attack, and what nobody knows is not scored.
            Some(bench) => {
                let scored = self.victim.labelled && !active.spec.kind.sees.contains(&Sees::Labels);
                bench.score_all(values.as_deref(), labels.as_deref().filter(|_| scored))?
            }
            None => AttackRecord::without_images(n),
        };
        let record = self.record(active, scored)?;
        self.records.push(record.clone());
        let finished = Finished { record: record.clone(), images: values, labels };
        let floors = self.bench.as_ref().map(Bench::floors).unwrap_or_default();
        self.kept.keep(&self.victim, finished, floors)?;
        self.sink.emit(Event::Attack(record));
        if let Some(images) = &images {
            let gallery = self.gallery(active, images)?;
            self.sink.emit(Event::Gallery(Box::new(gallery)));
        }
        Ok(())
    }

    fn leave_out(&mut self, spec: &AttackSpec, why: &str) {
        self.sink.emit(Event::Warning(format!("{}: {why}; it is left out", spec.name())));
    }

    fn record(&self, active: &Active, mut scored: AttackRecord) -> Result<AttackRecord> {
        let (kind, (done, planned)) = (active.spec.kind, active.inversion.progress());
        let doubt = if done < planned {
            Some(format!("its {} seconds were over after {done} of {planned} steps", active.spec.seconds))
        } else {
            active.inversion.doubt()?.map(|doubt| doubt.to_string())
        };
        let converged = Some(doubt.is_none());
        if let Some(judged) = &mut scored.judged {
            judged.doubt = doubt;
        }
        let words = |all: Vec<&str>| all.into_iter().map(str::to_owned).collect::<Vec<String>>();
        let mut knows = words(kind.known(false));
        if self.victim.client.is_none() {
            // What stands for weights and answers alike.
            let own = [Knows::ClientWeights.words(), Knows::ClientOracle.words()];
            let before = knows.len();
            knows.retain(|known| !own.contains(&known.as_str()));
            if knows.len() < before {
                knows.push("pairs of images and smashed data".to_owned());
            }
        }
        Ok(AttackRecord {
            name: active.spec.name().to_owned(),
            target: VICTIM.to_owned(),
            epoch: 0,
            iterations: done,
            seconds: active.seconds,
            sees: words(kind.seen()),
            knows,
            budget: Some(Means::told(&active.spec).to_owned()),
            converged,
            ..scored
        })
    }

    fn gallery(&self, active: &Active, images: &Tensor) -> Result<Gallery> {
        let few = PICTURED.min(active.images);
        let originals = match &self.victim.truth {
            Some(truth) => (0..few).map(|i| Picture::of_image(truth, i)).collect::<Result<_>>()?,
            None => vec![Picture::default(); few],
        };
        let stolen = (0..few).map(|i| Picture::of_tensor(&images.get(i)?)).collect::<Result<_>>()?;
        let (name, target) = (active.spec.name().to_owned(), VICTIM.to_owned());
        Ok(Gallery { name, adaptive: false, target, epoch: 0, sent: originals.clone(), originals, stolen })
    }

    fn show(&mut self, active: &Active, last: bool) -> Result<()> {
        let (iteration, planned) = active.inversion.progress();
        let attack = active.spec.name().to_owned();
        let seconds_left = (iteration > 0).then(|| active.seconds / iteration as f64 * (planned - iteration) as f64);
        let untold = self.waiting.iter().map(|spec| spec.name().to_owned()).collect();
        let progress = Progress { phase: attack.clone(), done: iteration, total: planned, seconds_left, untold };
        self.sink.emit(Event::Progress(progress));
        if !last && self.pictured.is_some_and(|at| at.elapsed() < PICTURE_EVERY) {
            return Ok(());
        }
        self.pictured = Some(Instant::now());
        let progress = AttackProgress { attack, iteration, planned, loss: active.inversion.loss() };
        let first = active.inversion.first()?;
        let original = self.victim.truth.as_ref().map(|truth| Picture::of_image(truth, 0)).transpose()?;
        let original = original.unwrap_or_default();
        self.sink.slots.pictures.put(Scene {
            sent: original.clone(),
            original,
            smashed: Picture::of_features(&self.victim.smashed.get(0)?)?,
            crossed: self.victim.smashed.dims()[1..].to_vec(),
            reconstruction: first.map_or_else(|| Ok(Picture::default()), |t| Picture::of_tensor(&t))?,
            progress: Some(progress),
            stamp: Stamp {
                attack: active.spec.name().to_owned(),
                kind: active.spec.kind.id.to_owned(),
                ..Stamp::default()
            },
            ..Scene::default()
        });
        Ok(())
    }

    /// The guesses at the same targets, once they are measured.
    pub fn floors(&self) -> &[AttackRecord] {
        self.bench.as_ref().map(Bench::floors).unwrap_or_default()
    }

    /// The stream's end, for what comes after.
    pub fn into_sink(self) -> Sink {
        self.sink
    }
}

/// What an attack needs that the victim does not have, in words; none where it has all.
fn lacks(spec: &AttackSpec, victim: &Victim) -> Option<String> {
    let kind = spec.kind;
    let (own, pairs, client) = (victim.own.is_some(), victim.pairs.is_some(), victim.client.is_some());
    let knows = |what| kind.knows.contains(&what);
    let other = kind.sees.iter().find(|sees| !matches!(sees, Sees::Smashed | Sees::Labels));
    let why = if kind.make.trains() {
        "it is at work while a model trains, and this victim is trained already"
    } else if let Some(sees) = other {
        return Some(format!("it sees {}, which no file of a victim has", sees.words()));
    } else if knows(Knows::ServerWeights) {
        "it knows the server's weights, which no file of a victim has"
    } else if kind.sees.contains(&Sees::Labels) && !victim.labelled {
        "it sees the targets' labels: give `images` and `labels` beside `smashed`"
    } else if kind.knows.is_empty() && victim.layers.is_empty() {
        "it needs the client's layers (--model)"
    } else if knows(Knows::Auxiliary) && !own {
        "it needs images of the attacker's own: give them with --aux"
    } else if (knows(Knows::ClientWeights) || knows(Knows::ClientOracle)) && !client && !pairs {
        "it needs the client (--model, --client), or pairs of images and smashed data (--aux)"
    } else {
        let (least, what) = kind.least_images;
        let found = victim.own.as_ref().map_or(0, crate::data::Part::len);
        let short = knows(Knows::Auxiliary) && found < least;
        return short.then(|| format!("it has {found} images of its own, and {least} are the fewest that {what} them"));
    };
    Some(why.to_owned())
}

fn bench(victim: &Victim, images: usize) -> Result<Option<Bench>> {
    let Some(truth) = &victim.truth else { return Ok(None) };
    Bench::new(truth, images, &victim.pool()?, Seed(0)).map(Some)
}

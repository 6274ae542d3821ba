//! Defences that go over the training images before the first step and before every epoch, in slices.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::common::{assert_same_run, scratch};
use candle_core::Tensor;
use cutlayer::defence::{Defence, Kind, Pass, Setup, Stack};
use cutlayer::error::Result;
use cutlayer::experiment::Experiment;
use cutlayer::random::At;
use cutlayer::run::checkpoint::Checkpoint;
use cutlayer::run::event::stream;
use cutlayer::run::folder::RunFolder;
use cutlayer::run::identity::DataChoice;
use cutlayer::run::prepared::Prepared;
use cutlayer::run::recorder::Recorder;
use cutlayer::run::session::Session;
use cutlayer::run::whole_files::Writer;
use cutlayer::setting::Values;
use cutlayer::split::SplitPlan;

/// Images a slice, and in all.
const CHUNK: usize = 24;
const IMAGES: usize = 100;
/// How often a defence was taken up again amid a pass.
static AMID: AtomicUsize = AtomicUsize::new(0);

/// Sends how far smashed data are from their mean over the training images, which it measures before every epoch; before
/// the first it goes over them once more, to count them.
#[derive(Debug, Default)]
struct Centred {
    counted: usize,
    /// Of which epoch, counted from 1, and how many images are in the sum.
    epoch: usize,
    summed: usize,
    sum: Option<Tensor>,
}

static CENTRED: Kind = Kind { id: "centred", make: |_, _| Ok(Box::<Centred>::default()), ..Kind::BASE };

fn numbers(values: [usize; 3]) -> Result<Tensor> {
    Ok(Tensor::new(&values.map(|n| n as u32), &candle_core::Device::Cpu)?)
}

impl Defence for Centred {
    fn begin(&mut self, pass: &mut Pass<'_>) -> Result<bool> {
        self.counted = (self.counted + CHUNK).min(pass.images.len());
        Ok(self.counted == pass.images.len())
    }

    fn epoch(&mut self, pass: &mut Pass<'_>, epoch: usize) -> Result<bool> {
        if self.epoch != epoch + 1 {
            (self.epoch, self.summed, self.sum) = (epoch + 1, 0, None);
        }
        let to = (self.summed + CHUNK).min(pass.images.len());
        if to > self.summed {
            let sum = pass.smash(&(self.summed..to).collect::<Vec<_>>())?.0.sum(0)?;
            self.sum = Some(self.sum.take().map_or_else(|| Ok(sum.clone()), |before| before + &sum)?);
            self.summed = to;
        }
        Ok(to == pass.images.len())
    }

    fn up(&self, z: Tensor, _: At<'_>) -> Result<Tensor> {
        match &self.sum {
            Some(sum) => Ok(z.broadcast_sub(&(sum / self.summed as f64)?)?),
            None => Ok(z),
        }
    }

    fn state(&self) -> Result<BTreeMap<String, Tensor>> {
        let sum = self.sum.iter().map(|sum| ("sum".to_owned(), sum.clone()));
        let count = ("count".to_owned(), numbers([self.counted, self.epoch, self.summed])?);
        Ok(sum.chain([count]).collect())
    }

    fn load(&mut self, state: &BTreeMap<String, Tensor>) -> Result<()> {
        let count = state["count"].to_vec1::<u32>()?;
        [self.counted, self.epoch, self.summed] = [0, 1, 2].map(|i| count[i] as usize);
        AMID.fetch_add(usize::from((1..IMAGES).contains(&self.summed)), Ordering::Relaxed);
        self.sum = state.get("sum").cloned();
        Ok(())
    }
}

fn experiment() -> Experiment {
    let mut experiment = Experiment::preset("quick").unwrap().undefended();
    for setting in ["attack=[]", "train.epochs=2", "data.train=100", "evaluate.mu_images=4"] {
        experiment.set(setting).unwrap();
    }
    experiment
}

/// `quick`'s undefended model under the defence, which no document can name: it is none of the program's.
fn defended(mut setup: Prepared) -> Prepared {
    let stack = Stack::new([Setup { kind: &CENTRED, values: Values::of(&[]) }]).unwrap();
    let plain = setup.plans[0].clone();
    setup.plans = vec![SplitPlan { name: CENTRED.id.to_owned(), defences: stack, ..plain.clone() }, plain];
    setup
}

/// Goes on with a run, or begins it, for so many slices, and saves it. False once the run is done.
fn leg(run: &Path, slices: usize) -> bool {
    let (experiment, writer) = (experiment(), Arc::new(Writer::default()));
    let hash = experiment.hash();
    let path = run.join("checkpoint.safetensors");
    let (sink, _events, _slots) = stream();
    let mut session = if path.exists() {
        let checkpoint = Checkpoint::load(&path, &hash).unwrap();
        let setup = defended(Prepared::of_run(run, experiment, &DataChoice::default()).unwrap());
        Session::resume(setup, Recorder::new(RunFolder::open(run).unwrap(), writer), &checkpoint, sink).unwrap()
    } else {
        let folder = RunFolder::create(run, &experiment.to_toml(), false, &writer).unwrap();
        Session::new(defended(Prepared::new(experiment).unwrap()), Some(Recorder::new(folder, writer)), sink).unwrap()
    };
    for _ in 0..slices {
        if session.advance().unwrap().is_some() {
            return false;
        }
    }
    session.save().unwrap();
    true
}

#[test]
fn a_run_stopped_amid_a_pass_goes_on_inside_it_and_ends_the_same() {
    let folder = scratch();
    let [unbroken, broken] = ["unbroken", "broken"].map(|name| folder.path().join(name));
    assert!(!leg(&unbroken, usize::MAX));
    // What comes after the training begins again whenever it is stopped.
    for _ in 0..12 {
        assert!(leg(&broken, 7));
    }
    assert!(!leg(&broken, usize::MAX));
    assert!(AMID.load(Ordering::Relaxed) >= 1, "it was stopped amid none");
    assert_same_run(&unbroken, &broken);
    // Each epoch has its own mean, of all images.
    let done = Checkpoint::load(&broken.join("checkpoint.safetensors"), &experiment().hash()).unwrap();
    assert!(done.position.courses.iter().all(|course| course.epoch == 2 && course.done()));
}

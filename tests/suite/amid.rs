//! Runs that are stopped amid an attack go on inside it, and end with the same bytes.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use crate::common::{assert_same_run, quick, scratch, succeed};
use cutlayer::attack::kind::Kind;
use cutlayer::experiment::Experiment;
use cutlayer::run::checkpoint::Checkpoint;
use cutlayer::run::event::stream;
use cutlayer::run::folder::RunFolder;
use cutlayer::run::identity::DataChoice;
use cutlayer::run::prepared::Prepared;
use cutlayer::run::recorder::Recorder;
use cutlayer::run::session::Session;
use cutlayer::run::whole_files::Writer;
use cutlayer::state::State;
use cutlayer::workbench::attacks;
use tempfile::TempDir;

/// Every attack that can be launched at a client that begins with a convolution.
fn kinds() -> impl Iterator<Item = &'static Kind> {
    attacks().iter().copied().filter(|kind| kind.id != "analytic")
}

/// Little training and every attack, each of many slices: two batches of rMLE, three chunks of auxiliary images.
fn settings() -> Vec<String> {
    let own = |id: &str| match id {
        "rmle" => "images = 18, iterations = 6",
        "inverse" => "images = 30, epochs = 1",
        "prior" => "images = 4, steps = 6, iterations = 4, restarts = 2, pixels = 3",
        "shadow" => "images = 4, steps = 5, iterations = 4",
        "unsplit" => "images = 2, rounds = 2, steps = 3",
        "fsha" => "images = 3, steps = 4, warm_up = 1, width = 2",
        "sdar" => "images = 3, iterations = 4",
        "dlg" | "idlg" => "images = 2, iterations = 1, restarts = 1",
        "inverting" => "images = 2, iterations = 5",
        _ => "images = 9",
    };
    let one = |id: &str| format!("{{ name = \"{id}\", early = [], {} }}", own(id));
    let all: Vec<String> = kinds().map(|kind| one(kind.id)).collect();
    let few = ["train.epochs=1", "data.train=64", "data.aux=0.04", "evaluate.mu_images=4"];
    few.into_iter().map(str::to_owned).chain([format!("attack=[{}]", all.join(", "))]).collect()
}

fn experiment() -> Experiment {
    let mut experiment = Experiment::preset("quick").unwrap();
    for setting in settings() {
        experiment.set(&setting).unwrap();
    }
    experiment
}

/// The same run, never stopped.
fn unbroken() -> &'static Path {
    static RUN: OnceLock<(TempDir, PathBuf)> = OnceLock::new();
    let (_, path) = RUN.get_or_init(|| {
        let (folder, settings) = (scratch(), settings());
        let more: Vec<&str> = settings.iter().flat_map(|setting| ["--set", setting]).collect();
        let path = quick(folder.path(), "unbroken", &more);
        (folder, path)
    });
    path
}

/// The attack at work in a checkpoint: name, whether it is adaptive, target, whether it deciphers the test set.
type Key = (String, bool, String, bool);

fn begun(checkpoint: &Checkpoint) -> Option<Key> {
    let order = checkpoint.waiting.first()?;
    let deciphers = order.begun.as_ref()?.deciphered.is_some();
    Some((order.id.spec.name().to_owned(), order.id.adaptive, order.id.target.clone(), deciphers))
}

/// Goes on with a run, or begins it, until an attack is at work that was not met before or many slices are done. Every
/// slice is saved, as if the program could end at any. False once the run is done.
fn leg(run: &Path, met: &mut BTreeMap<Key, usize>) -> bool {
    let (experiment, writer) = (experiment(), Arc::new(Writer::default()));
    let hash = experiment.hash();
    let path = run.join("checkpoint.safetensors");
    let (sink, _events, _slots) = stream();
    let mut session = if path.exists() {
        let checkpoint = Checkpoint::load(&path, &hash).unwrap();
        let setup = Prepared::of_run(run, experiment, &DataChoice::default()).unwrap();
        let recorder = Recorder::new(RunFolder::open(run).unwrap(), writer);
        Session::resume(setup, recorder, &checkpoint, sink).unwrap()
    } else {
        let folder = RunFolder::create(run, &experiment.to_toml(), false, &writer).unwrap();
        Session::new(Prepared::new(experiment).unwrap(), Some(Recorder::new(folder, writer)), sink).unwrap()
    };
    for slice in 0.. {
        if session.advance().unwrap().is_some() {
            return false;
        }
        session.save().unwrap();
        let checkpoint = Checkpoint::load(&path, &hash).unwrap();
        let Some(key) = begun(&checkpoint) else { continue };
        let times = met.entry(key).or_default();
        // What every attack is scored on is made again first, in slices.
        if *times == 0 || slice >= 70 {
            *times += 1;
            return true;
        }
    }
    unreachable!("a run ends")
}

#[test]
fn stopped_amid_every_attack_and_resumed_equals_unbroken() {
    let folder = scratch();
    let run = folder.path().join("stopped");
    let mut met = BTreeMap::new();
    let mut legs = 1;
    while leg(&run, &mut met) {
        legs += 1;
        assert!(legs < 200, "it does not get on: {met:?}");
    }
    for kind in kinds() {
        for (adaptive, target) in [(false, "psgl"), (true, "psgl"), (false, "vanilla")] {
            let key = (kind.id.to_owned(), adaptive, target.to_owned(), false);
            assert!(met.contains_key(&key), "never stopped amid {key:?}: {met:?}");
        }
    }
    assert!(met.contains_key(&("inverse".to_owned(), false, "vanilla".to_owned(), true)), "amid the table: {met:?}");
    assert_same_run(unbroken(), &run);
}

#[test]
fn what_a_model_was_asked_stands_once_for_all_attacks_that_wait() {
    let folder = scratch();
    let run = folder.path().join("run");
    // Stopped at the first attack: all others wait.
    assert!(leg(&run, &mut BTreeMap::new()));
    let tensors =
        candle_core::safetensors::load(run.join("checkpoint.safetensors"), &candle_core::Device::Cpu).unwrap();
    let checkpoint = Checkpoint::load(&run.join("checkpoint.safetensors"), &experiment().hash()).unwrap();
    assert!(checkpoint.waiting.len() >= kinds().count() * 2 - 1, "{}", checkpoint.waiting.len());
    let smashed: Vec<_> = tensors.iter().filter(|(name, _)| name.ends_with(".smashed")).collect();
    let models: BTreeSet<_> = checkpoint.waiting.iter().map(|order| &order.id.target).collect();
    assert_eq!(smashed.len(), models.len(), "{smashed:?}");
    // As many as the attack at the most images takes, of which the others take the first.
    assert!(smashed.iter().all(|(_, tensor)| tensor.dims()[0] == 30), "{smashed:?}");
    for order in &checkpoint.waiting {
        assert_eq!((order.images(), order.smashed().unwrap().dims()[0]), (order.id.spec.images, order.id.spec.images));
    }
}

#[test]
fn an_attack_whose_state_is_another_builds_begins_again_and_ends_the_same() {
    let folder = scratch();
    let run = folder.path().join("run");
    assert!(leg(&run, &mut BTreeMap::new()));
    let (path, hash) = (run.join("checkpoint.safetensors"), experiment().hash());
    let mut checkpoint = Checkpoint::load(&path, &hash).unwrap();
    let begun = checkpoint.waiting[0].begun.as_mut().unwrap();
    begun.state = State::of(begun.state.tensors().clone().into_iter().filter(|(name, _)| name != "losses").collect());
    Writer::default().write(&path, &checkpoint.to_bytes(&hash).unwrap()).unwrap();
    succeed(["run", "--resume", run.to_str().unwrap()]);
    assert_same_run(unbroken(), &run);
}

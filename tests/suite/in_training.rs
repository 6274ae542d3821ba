//! Attacks of one's own that are at work in a training: one listens, one takes the server's chair. The run's own models stay
//! what they are without them.
#![cfg(unix)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use candle_core::{D, DType, Device, Tensor};
use cutlayer::attack::kind::{Kind, Make};
use cutlayer::attack::threat_model::{Knows, Sees};
use cutlayer::attack::{Doubt, Evidence, Heard, Inversion, Knowledge, Outcome, TrainingAttack};
use cutlayer::error::Result;
use cutlayer::model::wire::Crossing;
use cutlayer::state::State;
use serde_json::Value;
use tempfile::TempDir;

use crate::common::{assert_same_run, copy_run, file, names, quick, scratch};

/// It listens to smashed data and labels, and takes for a target's class the one whose mean is nearest; its image is the mean
/// of the attacker's own images of that class.
static EARS: Kind = Kind {
    id: "ears",
    sees: &[Sees::Smashed, Sees::Training(Crossing::Smashed), Sees::TrainingLabels],
    knows: &[Knows::Auxiliary, Knows::AuxiliaryLabels],
    knows_adaptive: &[Knows::Auxiliary, Knows::AuxiliaryLabels, Knows::Defence],
    images: 40,
    make: Make::Listening(|known, _| Ok(Box::new(Means::new(known, false)))),
    ..Kind::BASE
};

/// It sends down the gradient of ½‖z‖², so that the client learns to send nothing; it infers labels as the other does, makes no
/// images, and hands over how large the numbers are that its targets' clients send.
static CHAIR: Kind = Kind {
    id: "chair",
    sees: &[Sees::Smashed, Sees::Training(Crossing::Smashed), Sees::TrainingLabels],
    images: 40,
    make: Make::InTheChair(|known, _| Ok(Box::new(Means::new(known, true)))),
    ..Kind::BASE
};

/// Steps that attacks of this process have heard.
static STEPS: AtomicUsize = AtomicUsize::new(0);

/// Sums of smashed data by class (K, D), and how many they are of.
#[derive(Clone)]
struct Means {
    hijacks: bool,
    sums: Option<Tensor>,
    counts: Vec<usize>,
}

impl Means {
    fn new(known: &Knowledge, hijacks: bool) -> Self {
        Self { hijacks, sums: None, counts: vec![0; known.classes] }
    }
}

impl TrainingAttack for Means {
    fn hear(&mut self, step: &Heard) -> Result<()> {
        let (z, labels) = (step.crossed(Crossing::Smashed)?.flatten_from(1)?, step.labels()?);
        let classes = Tensor::arange(0, self.counts.len() as u32, z.device())?.unsqueeze(1)?;
        // (K, N): of which class each one is.
        let which = classes.broadcast_eq(&labels.unsqueeze(0)?)?.to_dtype(z.dtype())?;
        let more = which.matmul(&z)?;
        self.sums = Some(match &self.sums {
            Some(sums) => (sums + more)?,
            None => more,
        });
        labels.to_vec1::<u32>()?.into_iter().for_each(|class| self.counts[class as usize] += 1);
        let stop = std::env::var("CUTLAYER_TEST_STOP").ok().and_then(|steps| steps.parse().ok());
        if Some(STEPS.fetch_add(1, Ordering::SeqCst) + 1) == stop {
            // As Ctrl-C does.
            Command::new("kill").args(["-INT", &std::process::id().to_string()]).status().expect("a signal");
            std::thread::sleep(std::time::Duration::from_millis(500));
        }
        Ok(())
    }

    fn answer(&mut self, step: &Heard) -> Result<Option<Tensor>> {
        let z = step.crossed(Crossing::Smashed)?;
        Ok(Some((z / z.dim(0)? as f64)?))
    }

    fn state(&self) -> Result<State> {
        let mut state = State::default();
        state.put_wholes("counts", &self.counts)?;
        if let Some(sums) = &self.sums {
            state.put("sums", sums);
        }
        Ok(state)
    }

    fn load(&mut self, state: &State) -> Result<()> {
        self.counts = state.wholes("counts")?;
        self.sums = state.has("sums").then(|| state.tensor("sums").cloned()).transpose()?;
        Ok(())
    }

    fn attack(&self, seen: &Evidence, known: &Knowledge) -> Result<Box<dyn Inversion>> {
        let z = seen.smashed()?.tensor().flatten_from(1)?;
        let means: Vec<f32> = self.counts.iter().map(|n| 1.0 / (*n).max(1) as f32).collect();
        let means = Tensor::from_vec(means, (self.counts.len(), 1), z.device())?;
        let means = self.sums.as_ref().expect("a step").broadcast_mul(&means)?;
        let apart = z.unsqueeze(1)?.broadcast_sub(&means.unsqueeze(0)?)?.sqr()?.sum(D::Minus1)?;
        let labels: Vec<u32> = apart.argmin(1)?.to_vec1()?;
        let scores = z.abs()?.mean(1)?.to_vec1::<f32>()?.into_iter().map(f64::from).collect();
        let images = if self.hijacks { None } else { Some(of_classes(known, &labels)?) };
        let labels = Some(labels);
        Ok(Box::new(Guessed { outcome: Outcome { images, labels, scores: Some(scores) }, slices: 0 }))
    }
}

/// The mean of the attacker's own images of each of these classes.
fn of_classes(known: &Knowledge, labels: &[u32]) -> Result<Tensor> {
    let own = known.auxiliary()?;
    let (images, classes) = (own.images()?, own.labels()?);
    let mean = |label: &u32| {
        let rows: Vec<u32> = (0..classes.len() as u32).filter(|i| classes[*i as usize] == *label).collect();
        let rows = Tensor::from_vec(rows.clone(), rows.len(), images.device())?;
        Ok(images.index_select(&rows, 0)?.mean_keepdim(0)?)
    };
    Ok(Tensor::cat(&labels.iter().map(mean).collect::<Result<Vec<_>>>()?, 0)?)
}

/// It was done before it began, and takes two slices to say so.
struct Guessed {
    outcome: Outcome,
    slices: usize,
}

impl Inversion for Guessed {
    fn advance(&mut self) -> Result<()> {
        self.slices += 1;
        Ok(())
    }

    fn progress(&self) -> (usize, usize) {
        (self.slices, 2)
    }

    fn loss(&self) -> f64 {
        0.0
    }

    fn doubt(&self) -> Result<Option<Doubt>> {
        Ok(Some(Doubt::OnlyOwnImages))
    }

    fn outcome(&self) -> Result<Outcome> {
        Ok(self.outcome.clone())
    }
}

/// What a process of its own does below: kinds are plugged in once a process.
#[test]
#[ignore = "for a process of its own"]
fn the_program_with_attacks_that_are_at_work_in_training() {
    let Ok(arguments) = std::env::var("CUTLAYER_TEST_TRAINING") else { return };
    let code = cutlayer::workbench().attack(&EARS).attack(&CHAIR).main_with(arguments.split('\n').map(Into::into));
    println!("ended with {code:?}");
}

fn child(home: &Path, stop: Option<usize>, arguments: &[&str]) -> Output {
    let mut child = Command::new(std::env::current_exe().unwrap());
    child.args(["--ignored", "--nocapture", "the_program_with_attacks_that_are_at_work"]);
    child
        .env("CUTLAYER_HOME", home)
        .env("CUTLAYER_TEST_TRAINING", ["cutlayer"].iter().chain(arguments).copied().collect::<Vec<_>>().join("\n"));
    if let Some(stop) = stop {
        child.env("CUTLAYER_TEST_STOP", stop.to_string());
    }
    child.output().unwrap()
}

fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// Little of everything but the targets.
const SMALL: [&str; 6] = ["--set", "train.epochs=2", "--set", "data.train=256", "--set", "evaluate.mu_images=4"];
const BOTH: [&str; 2] = ["--set", "attack=[{ name = \"ears\", early = [1] }, { name = \"chair\", early = [] }]"];

fn json(run: &Path, name: &str) -> Value {
    serde_json::from_slice(&file(run, name)).unwrap()
}

/// The tensors of a checkpoint's models, to the bit.
fn models(run: &Path) -> BTreeMap<String, Vec<u32>> {
    let tensors = candle_core::safetensors::load(run.join("checkpoint.safetensors"), &Device::Cpu).unwrap();
    let floats = |t: &Tensor| t.flatten_all().unwrap().to_dtype(DType::F32).unwrap().to_vec1::<f32>().unwrap();
    let bits = |t: &Tensor| floats(t).into_iter().map(f32::to_bits).collect();
    tensors.iter().map(|(name, t)| (name.clone(), bits(t))).collect()
}

/// A column of the CSV that an attack's numbers stand in.
fn column(run: &Path, stem: &str, name: &str) -> Vec<f64> {
    let csv = String::from_utf8(file(run, &format!("attacks/{stem}.csv"))).unwrap();
    let mut lines = csv.lines().map(|line| line.split(',').collect::<Vec<_>>());
    let at = lines.next().unwrap().iter().position(|column| *column == name).unwrap();
    lines.map(|cells| cells[at].parse().unwrap()).collect()
}

/// A run with both, in a process of its own that the given step stops.
fn begin(home: &Path, out: &Path, stop: Option<usize>) -> Output {
    child(home, stop, &[&["run", "quick", "--out", out.to_str().unwrap()][..], &SMALL, &BOTH].concat())
}

/// The same, never stopped; others read it.
fn unbroken() -> &'static Path {
    static RUN: OnceLock<(TempDir, PathBuf)> = OnceLock::new();
    let (_, path) = RUN.get_or_init(|| {
        let folder = scratch();
        let path = folder.path().join("run");
        let told = begin(folder.path(), &path, None);
        assert!(path.join("summary.json").is_file(), "{}", text(&told));
        (folder, path)
    });
    path
}

fn records(run: &Path) -> Vec<Value> {
    json(run, "summary.json")["attacks"].as_array().unwrap().clone()
}

#[test]
fn the_runs_own_models_are_those_of_a_run_without_such_attacks() {
    let (folder, run) = (scratch(), unbroken());
    let plain = quick(folder.path(), "plain", &[&SMALL[..], &["--set", "attack=[]"]].concat());
    assert!(file(&plain, "metrics.csv") == file(run, "metrics.csv"));
    assert!(models(&plain) == models(run) && !models(run).is_empty());
    for key in ["rows", "epochs", "wire", "gain", "recovery"] {
        assert_eq!(json(&plain, "summary.json")[key], json(run, "summary.json")[key], "{key}");
    }
    // The client of the copy obeys who sits in the chair, and the run's own does not.
    for target in ["psgl", "vanilla"] {
        let mean = |name: &str| {
            let all = column(run, &format!("{target}-e2-{name}-naive"), "scores");
            all.iter().sum::<f64>() / all.len() as f64
        };
        assert!(mean("chair") < 0.1 * mean("ears"), "{target}: {} {}", mean("chair"), mean("ears"));
    }
}

#[test]
fn images_and_labels_are_scored_and_what_makes_no_images_is_shown_without() {
    let (folder, run) = (scratch(), unbroken());
    let attacks = records(run);
    let of = |name: &str, target: &str, epoch: usize| {
        let fits = |one: &&Value| one["name"] == name && one["target"] == target && one["epoch"] == epoch;
        attacks.iter().find(fits).unwrap_or_else(|| panic!("no {name} at {target}: {attacks:?}"))
    };
    let ears = of("ears", "vanilla", 2);
    let right = ears["labels_right"].as_f64().unwrap();
    assert!(right > 3.0 * ears["labels_chance"].as_f64().unwrap() && ears["ssim"].as_f64().unwrap() > 0.1, "{ears}");
    // Sixteen steps in two epochs, and the two slices after them.
    assert_eq!((&ears["iterations"], &of("ears", "vanilla", 1)["iterations"]), (&18.into(), &10.into()));
    let chair = of("chair", "psgl", 2);
    assert!(chair.get("ssim").is_none() && chair["lineup"].is_null(), "{chair}");
    assert_eq!(chair["judged"]["lead"]["of"], "labels_right");
    assert_eq!(chair["judged"]["lead"]["floor"], chair["labels_chance"]);
    let kept = names(&run.join("images"));
    assert!(kept.contains(&"vanilla-e2-ears-naive.png".to_owned()), "{kept:?}");
    assert!(!kept.iter().any(|name| name.contains("chair")), "no picture of what makes none: {kept:?}");
    let shown = text(&child(folder.path(), None, &["show", run.to_str().unwrap()]));
    let row = shown.lines().find(|line| line.starts_with("| adaptive chair ")).unwrap_or_else(|| panic!("{shown}"));
    assert!(shown.contains("labels right, % \u{b1} s.e.") && row.matches(" none |").count() == 3, "{row}");
}

#[test]
fn stopped_amid_the_training_of_one_and_resumed_equals_unbroken() {
    let folder = scratch();
    // The last is the last step of a training.
    for (name, steps) in [("amid-ears", 5), ("amid-chair", 70), ("at-an-end", 16)] {
        let stopped = folder.path().join(name);
        let told = text(&begin(folder.path(), &stopped, Some(steps)));
        assert!(told.contains("Stopped and saved"), "{told}");
        assert!(models_of_replays(&stopped) > 0, "{name}: it was stopped outside");
        child(folder.path(), None, &["run", "--resume", stopped.to_str().unwrap()]);
        assert_same_run(unbroken(), &stopped);
    }
}

#[test]
fn launched_at_the_finished_run_they_get_the_same() {
    let (folder, run) = (scratch(), unbroken());
    let later = folder.path().join("later");
    copy_run(run, &later);
    for name in ["ears", "chair"] {
        let told = text(&child(folder.path(), None, &["attack", later.to_str().unwrap(), "--with", name]));
        assert!(told.contains("labels right"), "{told}");
    }
    let (within, afterwards) = (records(run), json(&later, "attacks.json"));
    let timeless = |one: &Value| {
        let mut one = one.clone();
        one.as_object_mut().unwrap().remove("seconds");
        one
    };
    for again in afterwards.as_array().unwrap() {
        let fits = |one: &&Value| ["name", "target", "epoch", "adaptive"].iter().all(|key| one[*key] == again[*key]);
        assert_eq!(timeless(within.iter().find(fits).unwrap()), timeless(again));
    }
    assert_eq!(afterwards.as_array().unwrap().len(), 6, "naive and adaptive at PSGL, once at its twin, of each");
    for name in names(&later.join("attacks")).iter().filter(|name| name.contains("-afterwards")) {
        let first = name.replace("-afterwards", "");
        assert!(file(&later, &format!("attacks/{name}")) == file(run, &format!("attacks/{first}")), "{name}");
    }
}

/// Tensors that a checkpoint holds of a training that an attack is at work in.
fn models_of_replays(run: &Path) -> usize {
    let tensors = candle_core::safetensors::load(run.join("checkpoint.safetensors"), &Device::Cpu).unwrap();
    tensors.keys().filter(|name| name.starts_with("amid.replay.model.")).count()
}

//! A setting that an attack gets in a later release: a run that was stopped before there was it goes on, with what its
//! absence meant.
#![cfg(unix)]

use std::path::Path;
use std::process::{Command, Output};

use candle_core::Tensor;
use cutlayer::attack::kind::{Kind, Make};
use cutlayer::attack::{Doubt, Evidence, Inversion, Knowledge, Outcome};
use cutlayer::error::Result;
use cutlayer::experiment::SCHEMA;
use cutlayer::run::summary::Summary;
use cutlayer::setting::{Plain, Setting, whole};

use crate::common::{file, scratch};

/// The attack before: it takes one step, and stops the run that it is a part of.
static BEFORE: Kind = Kind {
    id: "own",
    make: Make::FromEvidence(|seen, known, _| Grey::boxed(seen, known, 1, true)),
    settings: &[],
    ..Kind::BASE
};

/// The attack of a later release: how many steps it takes can be set.
static LATER: Kind = Kind {
    id: "own",
    make: Make::FromEvidence(|seen, known, values| Grey::boxed(seen, known, values.whole("steps")?, false)),
    settings: &[Setting::new("steps", "Steps", "", whole(1, 9), "How many.")
        .default(Plain::Whole(5))
        .since(SCHEMA + 1, Plain::Whole(1))],
    ..Kind::BASE
};

struct Grey {
    image: Tensor,
    steps: [usize; 2],
    stops: bool,
}

impl Grey {
    fn boxed(seen: &Evidence, known: &Knowledge, steps: usize, stops: bool) -> Result<Box<dyn Inversion>> {
        let ([c, h, w], z) = (known.image, seen.smashed()?.tensor());
        let image = Tensor::full(0.5f32, (z.dim(0)?, c, h, w), z.device())?;
        Ok(Box::new(Self { image, steps: [0, steps], stops }))
    }
}

impl Inversion for Grey {
    fn advance(&mut self) -> Result<()> {
        if self.stops {
            // As Ctrl-C does; this step is never finished.
            Command::new("kill").args(["-INT", &std::process::id().to_string()]).status().expect("a signal");
            std::thread::sleep(std::time::Duration::from_millis(500));
        } else {
            self.steps[0] += 1;
        }
        Ok(())
    }

    fn progress(&self) -> (usize, usize) {
        (self.steps[0], self.steps[1])
    }

    fn loss(&self) -> f64 {
        0.0
    }

    fn doubt(&self) -> Result<Option<Doubt>> {
        Ok(None)
    }

    fn outcome(&self) -> Result<Outcome> {
        Ok(Outcome::of_images(self.image.clone()))
    }
}

/// What a process of its own does below: kinds are plugged in once a process.
#[test]
#[ignore = "for a process of its own"]
fn the_program_with_the_attack_that_the_environment_names() {
    let Ok(arguments) = std::env::var("CUTLAYER_TEST_YOUNGER") else { return };
    let mut words = arguments.split('\n').map(Into::into);
    let kind = if words.next() == Some("before".into()) { &BEFORE } else { &LATER };
    let code = cutlayer::workbench().attack(kind).main_with(words);
    println!("ended with {code:?}");
}

fn child(home: &Path, arguments: &[&str]) -> Output {
    let mut child = Command::new(std::env::current_exe().unwrap());
    child.args(["--ignored", "--nocapture", "the_program_with_the_attack"]);
    child.env("CUTLAYER_HOME", home).env("CUTLAYER_TEST_YOUNGER", arguments.join("\n"));
    child.output().unwrap()
}

#[test]
fn a_run_from_before_a_setting_of_its_attack_goes_on() {
    let folder = scratch();
    let run = folder.path().join("run");
    let out = run.to_str().unwrap();
    let small =
        ["--set", "train.epochs=1", "--set", "data.train=64", "--set", "attack=[{ name = \"own\", early = [] }]"];
    let begin = [&["before", "cutlayer", "run", "quick", "--out", out][..], &small].concat();
    let told = child(folder.path(), &begin);
    let text = String::from_utf8_lossy(&told.stderr).into_owned();
    assert!(text.contains("Stopped and saved"), "{text}");
    let before = file(&run, "experiment.toml");
    assert!(!run.join("summary.json").exists() && !String::from_utf8_lossy(&before).contains("steps"));
    let told = child(folder.path(), &["later", "cutlayer", "run", "--resume", out]);
    assert!(run.join("summary.json").is_file(), "{}", String::from_utf8_lossy(&told.stderr));
    assert!(file(&run, "experiment.toml") == before, "nothing is rewritten");
    // Plain JSON, since this process has no such attack.
    let summary: serde_json::Value = serde_json::from_slice(&file(&run, "summary.json")).unwrap();
    let steps: Vec<_> = summary["attacks"].as_array().unwrap().iter().filter(|one| one["name"] == "own").collect();
    assert!(!steps.is_empty() && steps.iter().all(|one| one["iterations"] == 1), "{steps:?}");
    assert_eq!(summary["experiment"]["attack"][0]["steps"], 1);
    // And one that begins now takes as many as the later release does.
    let fresh = folder.path().join("fresh");
    let begin = [&["later", "cutlayer", "run", "quick", "--out", fresh.to_str().unwrap()][..], &small].concat();
    child(folder.path(), &begin);
    let summary: serde_json::Value = serde_json::from_slice(&file(&fresh, "summary.json")).unwrap();
    assert_eq!(summary["experiment"]["attack"][0]["steps"], 5);
    assert!(serde_json::from_value::<Summary>(summary).is_err(), "only a program with the attack reads it");
}

//! A short run there beside the same one on the processor, and runs that go on where they did not begin.

use std::path::Path;

use super::{Line, There};
use crate::engine::own::compose_from_now_on;
use crate::error::{Error, Result};
use crate::experiment::{Device, Experiment};
use crate::run::control::Command;
use crate::run::event::Event;
use crate::run::folder::EXPERIMENT;
use crate::run::identity::DataChoice;
use crate::run::prepared::Prepared;
use crate::run::resume::Resumed;
use crate::run::session::Session;
use crate::run::summary::Summary;
use crate::run::worker::{Outcome, Worker};
use crate::whole_files::Writer;

/// Points of accuracy that the same training may come apart by when it rounds otherwise.
const POINTS: f64 = 1.0;
/// And what a reconstruction's structural similarity may.
const SSIM: f64 = 0.02;

/// Where a part of a run is done.
#[derive(Clone, Copy, PartialEq)]
enum At {
    /// By the processor's kernels.
    Here,
    There,
}

/// The run on both, and begun on each and ended on the other, in folders of `into`.
pub fn runs(experiment: &Experiment, there: &There, into: &Path) -> Vec<Line> {
    let whole = |at: At, name: &str| whole_run(experiment, there, at, &into.join(name));
    let here = match whole(At::Here, "here") {
        Ok(summary) => summary,
        Err(error) => return vec![Line::failed("the run on the processor", &error)],
    };
    let mut lines = match whole(At::There, "there") {
        Ok(other) => beside(&here, &other),
        Err(error) => vec![Line::failed("the run there", &error)],
    };
    for (ways, name) in [([At::There, At::Here], "there-here"), ([At::Here, At::There], "here-there")] {
        let what = if ways[0] == At::There { "begun there, ended here" } else { "begun here, ended there" };
        lines.extend(match resumed(experiment, there, ways, &into.join(name)) {
            Ok(other) => accuracies(what, &here, &other),
            Err(error) => vec![Line::failed(what, &error)],
        });
    }
    lines
}

/// The table and the attacks of both.
fn beside(here: &Summary, there: &Summary) -> Vec<Line> {
    let mut lines = accuracies("run", here, there);
    if here.attacks.len() != there.attacks.len() {
        lines.push(Line::failed("attacks", &format!("{} in place of {}", there.attacks.len(), here.attacks.len())));
    }
    for (a, b) in here.attacks.iter().zip(&there.attacks) {
        let how = if a.adaptive { ", adaptive" } else { "" };
        let what =
            format!("SSIM of {}{how} at {} after epoch {}: {:.3} and {:.3}", a.name, a.target, a.epoch, a.ssim, b.ssim);
        lines.push(Line::of(what, (a.ssim - b.ssim).abs(), SSIM));
    }
    lines
}

fn accuracies(what: &str, here: &Summary, there: &Summary) -> Vec<Line> {
    let other = |name: &str| there.rows.iter().find(|row| row.name == name).map_or(f64::NAN, |row| row.accuracy);
    let line = |name: &str, accuracy: f64| {
        let other = other(name);
        let apart = (accuracy - other).abs();
        let gap = if apart.is_nan() { f64::INFINITY } else { apart };
        Line::of(format!("{what}, accuracy {name}: {accuracy:.2} and {other:.2}"), gap, POINTS)
    };
    here.rows.iter().map(|row| line(&row.name, row.accuracy)).collect()
}

/// The experiment as the document has it for a place.
fn placed(experiment: &Experiment, there: &There, at: At) -> Experiment {
    let device = if at == At::There { there.named } else { Device::Cpu };
    Experiment { device, ..experiment.clone() }
}

/// What a worker does before anything else.
fn settled(there: &There, at: At) -> bool {
    at == At::There && there.named == Device::Cpu
}

fn whole_run(experiment: &Experiment, there: &There, at: At, folder: &Path) -> Result<Summary> {
    ended(begun(experiment, there, at, folder)?, |_| false)?.ok_or(Error::Stopped)
}

fn begun(experiment: &Experiment, there: &There, at: At, folder: &Path) -> Result<Worker> {
    let setup = Prepared::new(placed(experiment, there, at))?;
    let recorder = setup.begin(folder, true)?;
    let composes = settled(there, at);
    Worker::start(move |sink| {
        if composes {
            compose_from_now_on();
        }
        Session::new(setup, Some(recorder), sink)
    })
}

/// Begun at the first of two places and stopped after the first epoch, ended at the second.
fn resumed(experiment: &Experiment, there: &There, [first, second]: [At; 2], folder: &Path) -> Result<Summary> {
    let epoch = |event: &Event| matches!(event, Event::Epoch(_));
    if ended(begun(experiment, there, first, folder)?, epoch)?.is_some() {
        return Err(Error::Internal("the run was over before it could be stopped".to_owned()));
    }
    let written = folder.join(EXPERIMENT);
    Writer::default().write(&written, placed(experiment, there, second).to_toml().as_bytes())?;
    let resumed = Resumed::open(folder, &DataChoice::default())?;
    let composes = settled(there, second);
    let worker = Worker::start(move |sink| {
        if composes {
            compose_from_now_on();
        }
        resumed.session(sink)
    })?;
    ended(worker, |_| false)?.ok_or(Error::Stopped)
}

/// Follows a worker to its end, and stops it where `stops` says so; none where it was stopped.
fn ended(worker: Worker, stops: impl Fn(&Event) -> bool) -> Result<Option<Summary>> {
    let control = worker.control.clone();
    let outcome = worker.join(|event| {
        if stops(&event) {
            control.send(Command::Stop);
        }
    });
    match outcome {
        Outcome::Done(summary) => Ok(Some(*summary)),
        Outcome::Stopped => Ok(None),
        Outcome::Failed(error) => Err(error),
        Outcome::Attacked(_) | Outcome::Diagnosed(_) => Err(Error::Internal("a run ended as attacks do".to_owned())),
    }
}

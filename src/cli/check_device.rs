//! `cutlayer check-device`: whether a GPU computes what the processor does.

use std::path::{Path, PathBuf};

use clap::Args;
use serde::Serialize;

use super::{device, place, print, set_threads, tell};
use crate::check::reference::references;
use crate::check::runs::runs;
use crate::check::{Line, There, operations};
use crate::engine::lead;
use crate::error::{Error, Result};
use crate::experiment::preset::DIGITS;
use crate::experiment::{Device, Experiment};
use crate::whole_files::Writer;

/// Epochs of the short run.
const EPOCHS: usize = 2;

#[derive(Debug, Args)]
pub(super) struct CheckDeviceArgs {
    /// Which: cuda or metal; cpu to have the processor take the way that these take.
    #[arg(long, value_name = "DEVICE", default_value = "cuda", value_parser = device(), hide_possible_values = true)]
    device: Device,
    /// Where the result is written as JSON, and the runs as folders.
    #[arg(long, value_name = "FOLDER", default_value = "check-device", value_parser = place())]
    out: PathBuf,
    /// The reference values.
    #[arg(long, value_name = "FOLDER", default_value = "tests/golden", value_parser = place())]
    golden: PathBuf,
    /// The preset whose short run is compared; "none" leaves runs out.
    #[arg(long, value_name = "PRESET", default_value = DIGITS)]
    run: String,
}

/// What is written.
#[derive(Serialize)]
struct Found<'a> {
    version: &'static str,
    device: &'a str,
    good: bool,
    seconds: f64,
    lines: &'a [Line],
}

pub(super) fn check_device(args: &CheckDeviceArgs) -> Result<()> {
    let experiment = if args.run == "none" { None } else { Some(short(&args.run)?) };
    set_threads(0);
    let there = There::open(args.device)?;
    let start = std::time::Instant::now();
    std::fs::create_dir_all(&args.out).map_err(Error::io("make the folder", &args.out))?;
    let mut lines = Vec::new();
    let mut part = |title: &str, found: Vec<Line>| -> Result<()> {
        print(&table(title, &found))?;
        lines.extend(found);
        // What is known is kept, whatever comes after.
        written(&args.out, &there, start.elapsed().as_secs_f64(), &lines)
    };
    {
        let _team = lead();
        part("operations and gradients", operations(&there))?;
        part("steps with reference values", references(&args.golden, &there))?;
    }
    if let Some(experiment) = experiment {
        tell(&format!("{} for {} epochs, four times", args.run, experiment.train.epochs));
        part("runs", runs(&experiment, &there, &args.out))?;
    }
    let wrong = lines.iter().filter(|line| !line.good()).count();
    let (count, words) = (lines.len(), there.words());
    if wrong > 0 {
        return Err(Error::Failed(format!("{wrong} of {count} differ on {words}")));
    }
    print(&format!("all {count} agree on {words}\n"))
}

/// The preset, with fewer epochs.
fn short(preset: &str) -> Result<Experiment> {
    let mut experiment = Experiment::preset(preset)?;
    experiment.train.epochs = experiment.train.epochs.min(EPOCHS);
    Ok(experiment)
}

/// What differs line by line, and of the rest how many there are and the nearest to differing.
fn table(title: &str, lines: &[Line]) -> String {
    let told = |line: &Line| {
        let gap = line.gap.map_or_else(|| "failed".to_owned(), |gap| format!("{gap:.1e}"));
        let note = line.note.as_deref().map(|note| format!(" ({note})")).unwrap_or_default();
        format!("  {gap:>8} of {:.0e}  {}{note}\n", line.allowed, line.what)
    };
    let (good, wrong): (Vec<&Line>, Vec<&Line>) = lines.iter().partition(|line| line.good());
    let share = |line: &Line| line.gap.unwrap_or_default() / line.allowed;
    let nearest = good.iter().copied().max_by(|a, b| share(a).total_cmp(&share(b)));
    let mut text = format!("{title}: {} agree, {} differ\n", good.len(), wrong.len());
    text.extend(wrong.into_iter().map(told));
    text.extend(nearest.map(|line| format!("  nearest to differing:\n{}", told(line))));
    text
}

fn written(out: &Path, there: &There, seconds: f64, lines: &[Line]) -> Result<()> {
    let good = lines.iter().all(Line::good);
    let found = Found { version: env!("CARGO_PKG_VERSION"), device: there.words(), good, seconds, lines };
    let json = serde_json::to_string_pretty(&found).map_err(|e| Error::Internal(format!("check-device: {e}")))?;
    Writer::default().write(&out.join("check-device.json"), json.as_bytes())
}

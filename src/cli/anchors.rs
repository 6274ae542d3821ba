//! `cutlayer anchors`: small replicas of published attacks, our values beside theirs.

use std::fmt::Write as _;

use clap::Args;

use super::replica::without_folder;
use super::{print, set_threads, tell};
use crate::anchor::{ANCHORS, Anchor, Checked};
use crate::error::{Error, Result};
use crate::run::launch::Means;

#[derive(Debug, Args)]
pub(super) struct AnchorsArgs {
    /// Which; all without.
    #[arg(value_name = "NAME")]
    names: Vec<String>,
    /// In little time, or with the means of the papers, be it for hours.
    #[arg(long, value_name = "MEANS", default_value = "quick", value_parser = [Means::Quick.name(), Means::Paper.name()])]
    budget: String,
    /// Images in place of the built-in part of MNIST.
    #[arg(long, value_name = "PATH")]
    data: Option<String>,
    /// Print the results as JSON.
    #[arg(long)]
    json: bool,
}

pub(super) fn anchors(args: &AnchorsArgs) -> Result<()> {
    let chosen: Vec<&Anchor> = if args.names.is_empty() {
        ANCHORS.iter().collect()
    } else {
        args.names.iter().map(|name| Anchor::named(name)).collect::<Result<_>>()?
    };
    let means = Means::named(&args.budget).unwrap_or(Means::Quick);
    set_threads(0);
    let mut all = Vec::new();
    for anchor in chosen {
        let checked = check(anchor, means, args.data.as_deref())?;
        if !args.json {
            print(&text(&checked))?;
        }
        all.push(checked);
    }
    if args.json {
        print(&(serde_json::to_string_pretty(&all).map_err(|e| Error::Internal(format!("anchors: {e}")))? + "\n"))?;
    }
    let weak = all.iter().filter(|checked| checked.is_weak()).count();
    if weak > 0 {
        tell(&format!("{weak} of {} weaker than published by more than stated", all.len()));
    }
    Ok(())
}

/// Runs a replica without a folder.
fn check(anchor: &Anchor, means: Means, data: Option<&str>) -> Result<Checked> {
    tell(&format!("{}: {} ({})", anchor.name, anchor.setting, anchor.source));
    anchor.compare(means, &without_folder(anchor.replica(means, data)?)?)
}

fn text(checked: &Checked) -> String {
    let mut text = format!("{} ({} images, {}):\n", checked.anchor, checked.images, checked.data);
    for value in &checked.values {
        let Some(metric) = value.metric() else { continue };
        let digits = metric.digits;
        let flag = if value.is_weak() { "  WEAKER than stated" } else { "" };
        let _ = writeln!(
            text,
            "  {}: ours {}, {} {}, allowed short by {}{flag}",
            metric.name,
            metric.with_unit(&format!("{:.digits$}", value.ours)),
            checked.source,
            metric.with_unit(&format!("{:.digits$}", value.published)),
            value.short,
        );
    }
    text + &format!("  {}; {:.0} s\n", checked.badge(), checked.seconds)
}

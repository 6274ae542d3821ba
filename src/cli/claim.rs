//! `cutlayer claim`: a claim of others, put to the test by several models.

use std::ffi::OsString;

use clap::Args;

use super::replica::without_folder;
use super::{print, set_threads, tell};
use crate::claim::{SEEDS, Wanted, report, tested};
use crate::error::{Error, Result};
use crate::run::launch::Means;

/// The one claim so far.
const NOISE: &str = "noise";

#[derive(Debug, Args)]
pub(super) struct ClaimArgs {
    /// Which: noise on images or on weights does not stop deep leakage from gradients.
    #[arg(value_name = "NAME", value_parser = [NOISE])]
    name: String,
    /// In little time, or with the attacks' own means, be it for hours.
    #[arg(long, value_name = "MEANS", default_value = Means::Quick.name(),
          value_parser = [Means::Quick.name(), Means::Paper.name()])]
    budget: String,
    /// Change a setting of every model's experiment, as in --set train.epochs=3.
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<OsString>,
    /// Print the result as JSON.
    #[arg(long)]
    json: bool,
}

pub(super) fn claim(args: &ClaimArgs) -> Result<()> {
    let unicode = |set: &OsString| {
        let wrong = || Error::input(format!("--set {}: settings are written in Unicode", set.display()));
        set.to_str().map(str::to_owned).ok_or_else(wrong)
    };
    let set: Vec<String> = args.set.iter().map(unicode).collect::<Result<_>>()?;
    let means = Means::named(&args.budget).unwrap_or(Means::Quick);
    set_threads(0);
    let found = tested(Wanted { means, seeds: &SEEDS, set: &set }, &mut |words, experiment| {
        tell(words);
        without_folder(experiment)
    })?;
    if !args.json {
        return print(&report(&found));
    }
    let json = serde_json::to_string_pretty(&found);
    print(&(json.map_err(|e| Error::Internal(format!("claim: {e}")))? + "\n"))
}

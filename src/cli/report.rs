//! `cutlayer report`: one page over finished runs.

use std::path::PathBuf;

use clap::Args;

use super::{place, print, tell};
use crate::error::Result;
use crate::export::folder::check_new_file;
use crate::report;
use crate::whole_files::Writer;

#[derive(Debug, Args)]
pub(super) struct ReportArgs {
    /// Runs' folders, or folders with runs somewhere in them.
    #[arg(required = true, value_name = "DIR", value_parser = place())]
    runs: Vec<PathBuf>,
    /// The file: HTML, with everything inside; or PDF, by its ending, where there is a browser to print it.
    #[arg(long, value_name = "FILE", value_parser = place())]
    out: PathBuf,
    /// Also write how defences stand beside their controls: JSON.
    #[arg(long, value_name = "FILE", value_parser = place())]
    controls: Option<PathBuf>,
    /// Replace the files if they are there.
    #[arg(long)]
    force: bool,
}

/// Writes the report and prints its verdicts. That there is none is no failure.
pub(super) fn report(args: &ReportArgs) -> Result<()> {
    if !args.force {
        check_new_file("--out", &args.out)?;
        args.controls.as_ref().map_or(Ok(()), |file| check_new_file("--controls", file))?;
    }
    let runs = report::read::read(&args.runs)?;
    for run in &runs.unfinished {
        tell(&format!("Not finished, and not in the report: {}", run.display()));
    }
    report::pdf::write(&report::page(&runs), &args.out)?;
    if let Some(file) = &args.controls {
        Writer::default().write(file, report::controls_file(&runs).as_bytes())?;
    }
    let told = report::told(&runs).join("\n");
    print(&format!("{told}\nThe report is in {}\n", args.out.display()))
}

//! `cutlayer lesson`: the lessons, a check of one's own, and hand-outs.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use clap::Subcommand;

use super::{place, print, tell};
use crate::error::{Error, Result};
use crate::export::folder::check_new_file;
use crate::lesson::read::Read;
use crate::lesson::{LESSONS, Lesson, check, find, hand_out, notes, seconds};
use crate::run::whole_files::Writer;

#[derive(Debug, Subcommand)]
pub(super) enum LessonCommand {
    /// List the lessons that come with the program.
    List,
    /// Say what is wrong in a lesson of your own, line by line.
    Check {
        /// A lesson's file (TOML).
        #[arg(value_name = "FILE")]
        file: OsString,
    },
    /// Print a lesson as a hand-out: one HTML page with room to write.
    Print {
        /// A lesson's name or its file (TOML).
        #[arg(value_name = "NAME|FILE")]
        lesson: OsString,
        /// A new file for it; without it, it goes to standard output.
        #[arg(long, value_name = "FILE", value_parser = place())]
        out: Option<PathBuf>,
        /// For the instructor: with the answers and the notes.
        #[arg(long)]
        with_notes: bool,
    },
}

pub(super) fn lesson(command: &LessonCommand) -> Result<()> {
    match command {
        LessonCommand::List => list(),
        LessonCommand::Check { file } => check_file(file),
        LessonCommand::Print { lesson, out, with_notes } => print_out(lesson, out.as_deref(), *with_notes),
    }
}

fn list() -> Result<()> {
    let lessons = LESSONS.iter().map(|lesson| find(lesson.name)).collect::<Result<Vec<_>>>()?;
    let widest = lessons.iter().map(|lesson| lesson.name.len()).max().unwrap_or(0);
    let line = |lesson: &Lesson| {
        let Lesson { name, minutes, title, summary, .. } = lesson;
        format!("{name:widest$}  {minutes:2} min  {title}: {summary}\n")
    };
    print(&lessons.iter().map(line).collect::<String>())
}

/// Warnings are told; problems end the program with code 2.
fn check_file(file: &OsStr) -> Result<()> {
    let Read { lesson, problems, warnings } = check(file)?;
    for problem in &problems {
        tell(&format!("{}:{problem}", file.display()));
    }
    for mut warning in warnings {
        warning.text.insert_str(0, "warning: ");
        tell(&format!("{}:{warning}", file.display()));
    }
    let Some(lesson) = lesson else {
        let count = problems.len();
        let problems = if count == 1 { "1 problem".to_owned() } else { format!("{count} problems") };
        return Err(Error::input(format!("{problems} in the lesson: {}", file.display())));
    };
    let (steps, minutes) = (lesson.steps.len(), seconds(&lesson).div_ceil(60));
    let [s, m] = [steps as u32, minutes].map(|count| if count == 1 { "" } else { "s" });
    print(&format!("ok: {steps} step{s}, about {minutes} minute{m}\n"))
}

fn print_out(name: &OsStr, out: Option<&Path>, with_notes: bool) -> Result<()> {
    let lesson = find(name)?;
    let notes = if with_notes { Some(notes(&lesson)?.unwrap_or_default()) } else { None };
    let page = hand_out(&lesson, notes.as_deref());
    let Some(out) = out else { return print(&page) };
    check_new_file("--out", out)?;
    Writer::default().write(out, page.as_bytes())?;
    tell(&format!("The hand-out is in {}", out.display()));
    Ok(())
}

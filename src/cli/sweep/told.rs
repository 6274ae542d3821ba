//! What is told of a sweep: a bar where somebody looks, a line a cell, a table in the end.

use std::path::Path;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use crate::cli::tell;
use crate::run::recorder::read_summary;
use crate::run::report;
use crate::sweep::folder::SweepFolder;
use crate::sweep::local::{News, Progress};
use crate::sweep::record::Standing;
use crate::sweep::{Cell, Sweep, slurm};

/// The terminal's view of a sweep.
pub(super) struct Teller {
    bar: ProgressBar,
    /// Seconds until the end, as they were told last.
    left: Option<f64>,
    ended: usize,
    cells: usize,
}

impl Teller {
    pub(super) fn new(sweep: &Sweep, jobs: usize, out: &Path) -> Self {
        let cells = sweep.cells.len();
        let bar = ProgressBar::new(cells as u64);
        if let Ok(style) = ProgressStyle::with_template("[{bar:30}] {pos}/{len} {prefix} {wide_msg}") {
            bar.set_style(style.progress_chars("█▌ "));
        }
        let at_once = if jobs > 0 { format!(", {jobs} at once") } else { String::new() };
        tell(&format!("{cells} cells in {}{at_once}", out.display()));
        Self { bar, left: None, ended: 0, cells }
    }

    /// Takes the bar away.
    pub(super) fn end(&self) {
        self.bar.finish_and_clear();
    }

    fn say(&self, text: &str) {
        if self.bar.is_hidden() {
            tell(text);
        } else {
            self.bar.println(text);
        }
    }

    pub(super) fn local(&mut self, news: &News<'_>) {
        match news {
            News::Begun(_) => {}
            News::Ended(name, standing) => self.cell_ended(name, standing),
            News::Progress(progress) => self.progress(progress),
        }
    }

    fn progress(&mut self, progress: &Progress<'_>) {
        let Progress { done, failed, at_work, seconds_left, .. } = progress;
        self.left = *seconds_left;
        self.ended = done + failed;
        self.bar.set_position(self.ended as u64);
        let failures = if *failed > 0 { format!("{failed} failed, ") } else { String::new() };
        self.bar.set_prefix(format!("{failures}{}", self.left()));
        let one = |(name, told): &(&str, &crate::sweep::local::Told)| match (told.done * 100).checked_div(told.total) {
            Some(percent) => format!("{name}: {} {percent} %", told.phase),
            None => (*name).to_owned(),
        };
        self.bar.set_message(at_work.iter().map(one).collect::<Vec<_>>().join(" · "));
    }

    fn left(&self) -> String {
        self.left.map(|seconds| format!("{} left", clock(seconds))).unwrap_or_default()
    }

    fn cell_ended(&mut self, name: &str, standing: &Standing) {
        if *standing == Standing::Waiting {
            return;
        }
        self.ended += 1;
        let left =
            if self.ended < self.cells && self.left.is_some() { format!("; {}", self.left()) } else { String::new() };
        let (ended, cells) = (self.ended, self.cells);
        match standing {
            Standing::Done { seconds } => {
                self.say(&format!("{ended}/{cells} {name}: done in {}{left}", clock(*seconds)));
            }
            Standing::Failed { error } => {
                self.say(&format!("{ended}/{cells} {name}: failed: {}{left}", error.replace('\n', "; ")));
            }
            Standing::Waiting | Standing::Running => {}
        }
    }

    pub(super) fn slurm(&mut self, news: &slurm::News<'_>) {
        match news {
            slurm::News::Submitted(array, count) => self.say(&format!("Submitted {count} cells as job {array}")),
            slurm::News::Ended(name, standing) => self.cell_ended(name, standing),
            slurm::News::Again(name, why) => {
                self.say(&format!("{name} is submitted again: {}", why.replace('\n', "; ")));
            }
            slurm::News::Silent(why) => self.say(&format!("Slurm does not answer, and is asked again: {why}")),
            slurm::News::Count(count) => {
                self.ended = count.done + count.failed;
                self.bar.set_position(self.ended as u64);
                let reason = match count.reason.as_str() {
                    "" | "None" => String::new(),
                    reason => format!(" ({reason})"),
                };
                let slurm::Count { done, failed, running, pending, .. } = count;
                let told = format!("{done} done, {failed} failed, {running} running, {pending} pending{reason}");
                self.bar.set_message(told.clone());
                if self.bar.is_hidden() {
                    tell(&told);
                }
            }
        }
    }
}

fn clock(seconds: f64) -> String {
    humantime::format_duration(Duration::from_secs(seconds.ceil().max(0.0) as u64)).to_string()
}

/// The cells with their numbers, how far each is where there is a folder, and what each sets.
pub(super) fn plan(sweep: &Sweep, folder: Option<&SweepFolder>) -> String {
    let sets = |cell: &Cell| cell.set.iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>().join(" ");
    let rows = sweep.cells.iter().enumerate().map(|(i, cell)| {
        let mut row = vec![(i + 1).to_string(), cell.name.clone()];
        row.extend(folder.map(|folder| folder.standing(&cell.name).word().to_owned()));
        row.push(sets(cell));
        row
    });
    let mut heading = vec!["", "cell"];
    heading.extend(folder.map(|_| "state"));
    heading.push("sets");
    let mut table = report::table(&heading);
    table.add_rows(rows);
    format!("{table}\n")
}

/// What came of each cell: its accuracy, and how far that is from the one without a defence.
pub(super) fn table(sweep: &Sweep, folder: &SweepFolder, standings: &[Standing]) -> String {
    let accuracy = |name: &str| {
        let summary = read_summary(&folder.run(name)).ok()?;
        // Of the only model, which has no twin beside it: whichever answer is its own comes last.
        summary.epochs.last().map(|row| row.accuracy).or_else(|| Some(summary.rows.last()?.accuracy))
    };
    let rows = sweep.cells.iter().zip(standings).map(|(cell, standing)| {
        let own = accuracy(&cell.name);
        let plain = cell.undefended.as_deref().and_then(accuracy);
        let seconds = match standing {
            Standing::Done { seconds } => clock(*seconds),
            _ => String::new(),
        };
        vec![
            cell.name.clone(),
            standing.word().to_owned(),
            own.map(|own| format!("{own:.2} %")).unwrap_or_default(),
            own.zip(plain).map(|(own, plain)| format!("{:+.2}", own - plain)).unwrap_or_default(),
            seconds,
        ]
    });
    let mut table = report::table(&["cell", "state", "accuracy", "to undefended", "took"]);
    table.add_rows(rows);
    format!("{table}\n")
}

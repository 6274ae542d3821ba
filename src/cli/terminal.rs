//! The terminal as a reader of the stream: a bar where somebody looks, a line now and then where a file or pipe listens.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use super::tell;
use crate::run::event::{Event, Progress};
use crate::score::metrics::{ACCURACY, LABELS, Metric, PSNR, SSIM};
use crate::score::record::AttackRecord;
use crate::score::verdict::VICTIM;

/// Between lines of progress where there is no bar.
const LINE_EVERY: Duration = Duration::from_secs(10);

/// The terminal's view of the stream.
pub(super) struct Terminal {
    bar: ProgressBar,
    /// What the beginning is called: that of a new run, that of one that goes on.
    beginning: [&'static str; 2],
    start: Instant,
    seen_reconstruction: bool,
    /// When the last line of progress was written.
    line: Instant,
    /// Phases that were told of. They may take turns.
    phases: BTreeSet<String>,
    /// Attacks that have ended.
    attacks: usize,
}

impl Terminal {
    pub(super) fn new(beginning: [&'static str; 2]) -> Self {
        let bar = ProgressBar::new(1);
        if let Ok(style) = ProgressStyle::with_template("{msg} [{bar:30}] {pos}/{len} {prefix}") {
            bar.set_style(style.progress_chars("█▌ "));
        }
        let (start, line) = (Instant::now(), Instant::now());
        Self { bar, beginning, start, seen_reconstruction: false, line, phases: BTreeSet::new(), attacks: 0 }
    }

    /// Takes the bar away; how many attacks have ended.
    pub(super) fn end(self) -> usize {
        self.bar.finish_and_clear();
        self.attacks
    }

    fn say(&self, text: &str) {
        if self.bar.is_hidden() {
            tell(text);
        } else {
            self.bar.println(text);
        }
    }

    pub(super) fn read(&mut self, event: &Event) {
        match event {
            Event::Started { folder, resumed } => {
                let verb = self.beginning[usize::from(*resumed)];
                if let Some(folder) = folder {
                    self.say(&format!("{verb} {}", folder.display()));
                }
            }
            Event::Progress(progress) => self.progress(progress),
            Event::Reconstruction(_) if !self.seen_reconstruction => {
                self.seen_reconstruction = true;
                self.say(&format!("First reconstruction after {:.1} s", self.start.elapsed().as_secs_f64()));
            }
            Event::Epoch(row) => {
                let streams = [("a", row.attacked), ("r", row.recovered), ("f", row.fused_stream)];
                let streams: String =
                    streams.iter().filter_map(|(name, v)| v.map(|v| format!("{name} {v:.2} "))).collect();
                let validation =
                    row.validation.map(|v| format!(", on the validation set {v:.2} %")).unwrap_or_default();
                let (name, accuracy) = (ACCURACY.name, row.accuracy);
                self.say(&format!("{} epoch {}: {streams}{name} {accuracy:.2} %{validation}", row.model, row.epoch));
            }
            Event::Attack(a) => {
                self.attacks += 1;
                let form = if a.adaptive { "adaptive " } else { "" };
                let told = |metric: &&Metric<AttackRecord>| {
                    Some(format!("{} {}", metric.name, metric.with_unit(&metric.plain(a)?)))
                };
                let scores: Vec<String> = [&SSIM, &PSNR, &LABELS].iter().filter_map(told).collect();
                let scores = if scores.is_empty() { "not scored".to_owned() } else { scores.join(", ") };
                let when = if a.target == VICTIM { String::new() } else { format!(" after epoch {}", a.epoch) };
                self.say(&format!("{form}{} at {}{when}: {scores} ({:.1} s)", a.name, a.target, a.seconds));
            }
            Event::Warning(text) => self.say(&format!("Warning: {text}")),
            Event::Note(text) => self.say(text),
            Event::Fold { fold, of, .. } => self.say(&format!("Fold {fold} of {of}")),
            // How it ended is said once the worker has left, and here nobody is behind for long.
            Event::Reconstruction(_)
            | Event::Missed(_)
            | Event::Steps(_)
            | Event::Live(_)
            | Event::Saved
            | Event::Gallery(_)
            | Event::Past(_)
            | Event::Attacked(_)
            | Event::Done(_)
            | Event::Stopped
            | Event::Failed(_) => {}
        }
    }

    fn progress(&mut self, progress: &Progress) {
        let clock = |s: f64| humantime::format_duration(Duration::from_secs(s.ceil() as u64)).to_string();
        let left = progress.left(clock);
        self.bar.set_length(progress.total as u64);
        self.bar.set_position(progress.done as u64);
        self.bar.set_prefix(left.clone());
        self.bar.set_message(progress.phase.clone());
        // Where standard error is a file or a pipe, a line now and then.
        let due = self.line.elapsed() > LINE_EVERY || !self.phases.contains(&progress.phase);
        if self.bar.is_hidden() && due {
            self.line = Instant::now();
            self.phases.insert(progress.phase.clone());
            tell(&format!("{}: {}/{} {left}", progress.phase, progress.done, progress.total));
        }
    }
}

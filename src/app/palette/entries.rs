//! What can be found in the palette. A further source is one more part of [`entries`].

use std::time::SystemTime;

use eframe::egui::Context;

use crate::app::act::CompareAct;
use crate::app::command::{Command, commands};
use crate::app::panes::ago;
use crate::app::{Act, LessonAct, Look, Popup, RunEntry};
use crate::setting::split;
use crate::texts::say;
use crate::workbench::method;

/// What menus and keys do. This heading and those below stand in their order where nothing is typed.
pub const COMMANDS: &str = later!("Commands");
/// Experiments to begin with.
pub const PRESETS: &str = later!("Presets");
/// Lessons to begin.
pub const LESSONS: &str = later!("Lessons");
/// Runs to open.
pub const RUNS: &str = later!("Runs");
/// Groups of runs to compare.
pub const GROUPS: &str = later!("Groups");
/// Sections of the method to read.
pub const SECTIONS: &str = later!("Method");
/// Settings to look at.
pub const SETTINGS: &str = later!("Settings");

/// Something that can be chosen.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// The heading that it stands under.
    pub(super) group: &'static str,
    /// What it is called.
    pub(super) words: String,
    /// What all words of its group begin with, which is not looked through: it would match too much.
    pub(super) before: &'static str,
    /// At the right: keys, a setting's key, a time.
    pub(super) beside: String,
    /// Letters that it is found by as by its words.
    pub(super) key: String,
    /// A longer text that it is found by where all of what is typed stands in it; in small letters.
    pub(super) text: String,
    /// What it does, in a sentence.
    pub(super) help: String,
    /// What is asked for when it is chosen.
    pub(super) act: Act,
}

impl Entry {
    /// An entry that is found by its words.
    pub fn new(group: &'static str, words: impl Into<String>, help: impl Into<String>, act: Act) -> Self {
        let (words, help) = (words.into(), help.into());
        let [beside, key, text] = [const { String::new() }; 3];
        Self { group, words, before: "", beside, key, text, help, act }
    }
}

/// Everything that can be chosen.
pub fn entries(ctx: &Context, look: Look<'_>) -> Vec<Entry> {
    let mut all = of_commands(ctx);
    // The sort keeps their order.
    all.sort_by_key(|entry| [COMMANDS, PRESETS, LESSONS].iter().position(|group| *group == entry.group));
    all.extend(of_runs(look));
    all.extend(of_groups(look));
    all.extend(of_the_method());
    all.extend(of_settings(look));
    all
}

/// Commands; those that choose a preset or begin a lesson are found as such.
fn of_commands(ctx: &Context) -> Vec<Entry> {
    // The palette itself is no choice.
    let here = Act::Popup(Some(Popup::Palette));
    let entry = |command: &Command| {
        let (group, before) = match command.act {
            Act::Preset(_) => (PRESETS, t!("Preset ")),
            Act::Lesson(LessonAct::Begin(_)) => (LESSONS, t!("Lesson: ")),
            _ => (COMMANDS, ""),
        };
        let beside = command.keys.map(|keys| ctx.format_shortcut(&keys)).unwrap_or_default();
        let key = if before.is_empty() { String::new() } else { say(group).to_owned() };
        Entry { before, beside, key, ..Entry::new(group, &command.words, &command.help, command.act.clone()) }
    };
    commands().iter().filter(|command| command.act != here).map(entry).collect()
}

/// Runs, found by their names and by what is noted of them.
fn of_runs(look: Look<'_>) -> impl Iterator<Item = Entry> {
    let now = SystemTime::now();
    look.library.runs.iter().map(move |run| Entry {
        before: t!("Open run "),
        beside: ago(run.changed, now),
        text: run.notes.text.to_lowercase(),
        ..Entry::new(RUNS, t!("Open run {name}", name = run.name), help_of(run), Act::ShowRun(run.path.clone()))
    })
}

/// Groups of runs that were kept.
fn of_groups(look: Look<'_>) -> impl Iterator<Item = Entry> {
    look.groups.iter().map(|group| {
        let help = t!("Tick its {n} runs and compare them.", n = group.runs.len());
        let words = t!("Open group {name}", name = group.name);
        let act = Act::Compare(CompareAct::Open(group.name.clone()));
        Entry { before: t!("Open group "), key: say(GROUPS).to_owned(), ..Entry::new(GROUPS, words, help, act) }
    })
}

/// Where a run is, and how its notes begin.
fn help_of(run: &RunEntry) -> String {
    match run.notes.text.lines().find(|line| !line.trim().is_empty()) {
        Some(line) => format!("{line} ({})", run.path.display()),
        None => run.path.display().to_string(),
    }
}

/// Sections of the method.
fn of_the_method() -> impl Iterator<Item = Entry> {
    method().map(|section| {
        let help = t!("Read this section, with its formulas: {source}.", source = section.source);
        let words = t!("Method: {title}", title = section.title);
        Entry {
            before: t!("Method: "),
            key: say(SECTIONS).to_owned(),
            ..Entry::new(SECTIONS, words, help, Act::Method(Some(section.id)))
        }
    })
}

/// Settings, but those of attacks that the experiment does not launch; found by their keys, too.
fn of_settings(look: Look<'_>) -> impl Iterator<Item = Entry> {
    let attacks = &look.document.experiment().attacks;
    let has = |key: &str| {
        let name = split(key).0.strip_prefix("attack.");
        name.is_none_or(|name| attacks.iter().any(|attack| attack.name() == name))
    };
    look.document.experiment().settings().into_iter().filter(move |setting| has(setting.key)).map(|setting| Entry {
        before: t!("Setting: "),
        beside: setting.key.to_owned(),
        key: setting.key.to_owned(),
        ..Entry::new(
            SETTINGS,
            t!("Setting: {label}", label = say(setting.label)),
            say(setting.help),
            Act::FindSetting(setting.key.to_owned()),
        )
    })
}

//! The one table of commands: menus, keys, the palette and the list of shortcuts all read it.

mod pressed;
mod run;
mod view;
mod why_not;

use eframe::egui::{Key, KeyboardShortcut, Modifiers};

pub use pressed::pressed;
pub use why_not::why_not;

use self::run::runs;
use self::view::views;
use super::act::Popup;
use super::copied::Copied;
use super::day::DayAct;
use super::purpose::{Of, Purpose};
use super::workspace::Pane;
use super::{Act, LessonAct};
use crate::experiment::PRESETS;
use crate::lesson::lessons;
use crate::texts::PerLanguage;

/// Where in the menus a command is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Menu {
    /// Experiments and files.
    File,
    /// The document.
    Edit,
    /// The run.
    Run,
    /// What is shown, and how.
    View,
    /// Words about the program.
    Help,
}

impl Menu {
    /// All, in their order.
    pub const ALL: [Self; 5] = [Self::File, Self::Edit, Self::Run, Self::View, Self::Help];

    /// Its word in the bar.
    pub fn word(self) -> &'static str {
        match self {
            Self::File => t!("File"),
            Self::Edit => t!("Edit"),
            Self::Run => t!("Run"),
            Self::View => t!("View"),
            Self::Help => t!("Help"),
        }
    }
}

/// One command.
#[derive(Clone, Debug)]
pub struct Command {
    /// Where it is in the menus.
    pub menu: Menu,
    /// What it is called; `…` where it asks for more.
    pub words: String,
    /// What it does, in a sentence.
    pub help: String,
    /// Its keys.
    pub keys: Option<KeyboardShortcut>,
    /// What it asks for.
    pub act: Act,
}

const CTRL: Modifiers = Modifiers::COMMAND;
const NONE: Modifiers = Modifiers::NONE;
const CTRL_SHIFT: Modifiers = Modifiers::COMMAND.plus(Modifiers::SHIFT);

fn command(menu: Menu, words: &str, help: &str, keys: Option<(Modifiers, Key)>, act: Act) -> Command {
    let keys = keys.map(|(modifiers, key)| KeyboardShortcut::new(modifiers, key));
    Command { menu, words: words.to_owned(), help: help.to_owned(), keys, act }
}

/// Every command. Every frame asks for them, so they are made once a language.
pub fn commands() -> &'static [Command] {
    static ALL: PerLanguage<Vec<Command>> = PerLanguage::new();
    ALL.get(|| [files(), edits(), runs(), views(), day(), help()].concat())
}

fn files() -> Vec<Command> {
    use Menu::File;
    let mut all = vec![
        command(
            File,
            t!("Open…"),
            t!("Open a run, an experiment of your own, a data set or an image."),
            Some((CTRL, Key::O)),
            Act::Ask(Purpose::Open),
        ),
        command(
            File,
            t!("Open run…"),
            t!("Open the folder of a run, wherever it is."),
            Some((CTRL_SHIFT, Key::O)),
            Act::Ask(Purpose::Run),
        ),
        command(
            File,
            t!("Open victim…"),
            t!(
                "Attack a client that another program trained, by its files: any PyTorch model, any defence of your own."
            ),
            None,
            Act::Popup(Some(Popup::Victim)),
        ),
        command(
            File,
            t!("Save experiment…"),
            t!("Write the experiment to a TOML file."),
            Some((CTRL, Key::S)),
            Act::Ask(Purpose::Save),
        ),
        command(
            File,
            t!("Save what is shown…"),
            t!("Experiment, image or drawing, levers and attacker in a small file that opens here as it is now."),
            None,
            Act::Ask(Purpose::Shared),
        ),
        command(
            File,
            t!("Open image…"),
            t!("Put an image of your own on the stage."),
            Some((CTRL, Key::I)),
            Act::Ask(Purpose::Image),
        ),
    ];
    for (purpose, words, help) in [
        (Purpose::CurvesCsv, t!("Save curves as CSV…"), t!("Every value behind the curves.")),
        (Purpose::CurvesPng, t!("Save curves as PNG…"), t!("The curves as pixels.")),
        (Purpose::CurvesSvg, t!("Save curves as SVG…"), t!("The curves as lines that scale.")),
        (Purpose::Table, t!("Save table…"), t!("The run's table: Markdown, CSV or LaTeX, by the file's ending.")),
        (Purpose::TableLatex, t!("Save table as LaTeX…"), t!("The run's table for a paper, as a .tex file.")),
        (Purpose::Film, t!("Save reconstruction as GIF…"), t!("The stolen image as it emerged, beside the original.")),
        (
            Purpose::Picture(Of::Stage),
            t!("Save stage as picture…"),
            t!("The stage as it is seen now: PNG, or SVG by the ending."),
        ),
        (
            Purpose::Attacks,
            t!("Save attacks as arrays…"),
            t!("Every reconstruction of the run's attacks with its scores, as .npz and .csv."),
        ),
    ] {
        all.push(command(File, words, help, None, Act::Ask(purpose)));
    }
    for pane in Pane::ALL {
        let words = t!("Save {title} as picture…", title = pane.title());
        let help = t!("The pane as it is seen now, with a caption: PNG, or SVG by the ending.");
        all.push(command(File, &words, help, None, Act::Ask(Purpose::Picture(Of::Pane(pane)))));
    }
    for (i, (name, about, _)) in PRESETS.iter().enumerate() {
        all.push(command(File, &t!("Preset {name}", name), about, None, Act::Preset(i)));
    }
    all
}

fn edits() -> Vec<Command> {
    use Menu::Edit;
    let mut all = vec![
        command(Edit, t!("Undo"), t!("Take the last change of the experiment back."), Some((CTRL, Key::Z)), Act::Undo),
        command(Edit, t!("Redo"), t!("Do again what was taken back."), Some((CTRL_SHIFT, Key::Z)), Act::Redo),
        command(
            Edit,
            t!("All settings…"),
            t!("Every setting of the experiment, with the paper's values."),
            Some((CTRL, Key::Comma)),
            Act::Popup(Some(Popup::Settings)),
        ),
    ];
    all.push(command(
        Edit,
        t!("Share for students…"),
        t!("Copy what is shown, with the controls hidden that students are not to pull."),
        None,
        Act::Popup(Some(Popup::Students)),
    ));
    all.push(command(
        Edit,
        t!("Paste what was shared"),
        t!("Take a state from a text that Cutlayer copied; Ctrl+V outside of a field does the same."),
        None,
        Act::Paste,
    ));
    all.extend(Copied::ALL.map(|what| command(Edit, what.words(), what.help(), None, Act::CopyAs(what))));
    all
}

/// What a day's work asks for.
fn day() -> Vec<Command> {
    let plain = |menu, words: &str, help: &str, act| command(menu, words, help, None, Act::Day(act));
    vec![
        plain(
            Menu::File,
            t!("Bring back the last session"),
            t!("Experiment with its changes, run, image and workspace as they were when the window was closed last."),
            DayAct::BringBack,
        ),
        plain(
            Menu::Run,
            t!("Show the best epoch's weights"),
            t!("Of the open run: the epoch that was right most often on held-out images. Show trained weights is \
                 the way back."),
            DayAct::Best(true),
        ),
        plain(
            Menu::Run,
            t!("Open the run's folder"),
            t!("In the desktop's own program for folders."),
            DayAct::ShownFolder,
        ),
        command(
            Menu::View,
            t!("Find in the log"),
            t!("Open the log and type what to look for."),
            Some((CTRL, Key::F)),
            Act::Day(DayAct::FindInLog),
        ),
        plain(
            Menu::View,
            t!("Notify when long runs end"),
            t!("The desktop tells of a run that took more than a minute, if the window is not in front then."),
            DayAct::Notify(true),
        ),
        plain(
            Menu::View,
            t!("Do not notify when long runs end"),
            t!("The desktop tells nothing."),
            DayAct::Notify(false),
        ),
    ]
}

fn help() -> Vec<Command> {
    let lessons = lessons().iter().map(|lesson| {
        let act = Act::Lesson(LessonAct::Begin(lesson.name.clone()));
        command(Menu::Help, &t!("Lesson: {title}", title = lesson.title), &lesson.summary, None, act)
    });
    let mut all: Vec<Command> = lessons.collect();
    all.extend([
        command(
            Menu::Help,
            t!("Method"),
            t!("What Cutlayer computes, as equations, with the source of each claim."),
            None,
            Act::Method(None),
        ),
        command(
            Menu::Help,
            t!("Shortcuts"),
            t!("Every key that does something."),
            Some((NONE, Key::F1)),
            Act::Popup(Some(Popup::Shortcuts)),
        ),
        command(
            Menu::Help,
            t!("About Cutlayer"),
            t!("Version, licences, and where runs are kept."),
            None,
            Act::Popup(Some(Popup::About)),
        ),
    ]);
    all
}

#[cfg(test)]
mod tests {
    use super::pressed::ALSO;
    use super::*;

    #[test]
    fn no_two_shortcuts_clash_and_every_command_has_its_words() {
        let all = commands();
        let mut keys: Vec<KeyboardShortcut> = all.iter().filter_map(|command| command.keys).collect();
        keys.extend(ALSO.map(|(modifiers, key, _)| KeyboardShortcut::new(modifiers, key)));
        for (i, one) in keys.iter().enumerate() {
            assert!(!keys[..i].contains(one), "{one:?} twice");
        }
        for (i, command) in all.iter().enumerate() {
            assert!(!command.words.is_empty() && !command.help.is_empty(), "{command:?}");
            assert!(all[..i].iter().all(|other| other.words != command.words), "{} twice", command.words);
        }
        // What needs more input says so.
        for command in all {
            let asks = matches!(command.act, Act::Ask(_));
            assert!(!asks || command.words.ends_with('…'), "{}", command.words);
        }
    }

    #[test]
    fn every_menu_has_commands() {
        let all = commands();
        assert!(Menu::ALL.iter().all(|menu| all.iter().any(|command| command.menu == *menu)));
    }
}

//! The one table of commands: menus, keys, the palette and the list of shortcuts all read it.

use eframe::egui::{Context, Key, KeyboardShortcut, Modifiers, ThemePreference};

use super::act::{Act, Popup};
use super::copied::Copied;
use super::day::DayAct;
use super::export::Of;
use super::hidden::WHY;
use super::lessons::LessonAct;
use super::lookers::who;
use super::play::{PlayAct, Speed};
use super::purpose::Purpose;
use super::subject::Subject;
use super::typing::Typing;
use super::workspace::{Pane, Workspace};
use super::{Activity, Look};
use crate::experiment::PRESETS;
use crate::lesson::{LESSONS, find};
use crate::workbench;

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
            Self::File => "File",
            Self::Edit => "Edit",
            Self::Run => "Run",
            Self::View => "View",
            Self::Help => "Help",
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

/// Every command.
pub fn commands() -> Vec<Command> {
    let mut all = files();
    all.extend(edits());
    all.extend(runs());
    all.extend(views());
    all.extend(day());
    all.extend(help());
    all
}

fn files() -> Vec<Command> {
    use Menu::File;
    let mut all = vec![
        command(
            File,
            "Open…",
            "Open a run, an experiment of your own, a data set or an image.",
            Some((CTRL, Key::O)),
            Act::Ask(Purpose::Open),
        ),
        command(
            File,
            "Open run…",
            "Open the folder of a run, wherever it is.",
            Some((CTRL_SHIFT, Key::O)),
            Act::Ask(Purpose::Run),
        ),
        command(
            File,
            "Save experiment…",
            "Write the experiment to a TOML file.",
            Some((CTRL, Key::S)),
            Act::Ask(Purpose::Save),
        ),
        command(
            File,
            "Save what is shown…",
            "Experiment, image or drawing, levers and attacker in a small file that opens here as it is now.",
            None,
            Act::Ask(Purpose::Shared),
        ),
        command(
            File,
            "Open image…",
            "Put an image of your own on the stage.",
            Some((CTRL, Key::I)),
            Act::Ask(Purpose::Image),
        ),
    ];
    for (purpose, words, help) in [
        (Purpose::CurvesCsv, "Save curves as CSV…", "Every value behind the curves."),
        (Purpose::CurvesPng, "Save curves as PNG…", "The curves as pixels."),
        (Purpose::CurvesSvg, "Save curves as SVG…", "The curves as lines that scale."),
        (Purpose::Table, "Save table…", "The run's table: Markdown, CSV or LaTeX, by the file's ending."),
        (Purpose::TableLatex, "Save table as LaTeX…", "The run's table for a paper, as a .tex file."),
        (Purpose::Film, "Save reconstruction as GIF…", "The stolen image as it emerged, beside the original."),
        (
            Purpose::Picture(Of::Stage),
            "Save stage as picture…",
            "The stage as it is seen now: PNG, or SVG by the ending.",
        ),
        (
            Purpose::Attacks,
            "Save attacks as arrays…",
            "Every reconstruction of the run's attacks with its scores, as .npz and .csv.",
        ),
    ] {
        all.push(command(File, words, help, None, Act::Ask(purpose)));
    }
    for pane in Pane::ALL {
        let words = format!("Save {} as picture…", pane.title());
        let help = "The pane as it is seen now, with a caption: PNG, or SVG by the ending.";
        all.push(command(File, &words, help, None, Act::Ask(Purpose::Picture(Of::Pane(pane)))));
    }
    for (i, (name, about, _)) in PRESETS.iter().enumerate() {
        all.push(command(File, &format!("Preset {name}"), about, None, Act::Preset(i)));
    }
    all
}

fn edits() -> Vec<Command> {
    use Menu::Edit;
    let mut all = vec![
        command(Edit, "Undo", "Take the last change of the experiment back.", Some((CTRL, Key::Z)), Act::Undo),
        command(Edit, "Redo", "Do again what was taken back.", Some((CTRL_SHIFT, Key::Z)), Act::Redo),
        command(
            Edit,
            "All settings…",
            "Every setting of the experiment, with the paper's values.",
            Some((CTRL, Key::Comma)),
            Act::Popup(Some(Popup::Settings)),
        ),
    ];
    all.push(command(
        Edit,
        "Share for students…",
        "Copy what is shown, with the controls hidden that students are not to pull.",
        None,
        Act::Popup(Some(Popup::Students)),
    ));
    all.push(command(
        Edit,
        "Paste what was shared",
        "Take a state from a text that Cutlayer copied; Ctrl+V outside of a field does the same.",
        None,
        Act::Paste,
    ));
    all.extend(Copied::ALL.map(|what| command(Edit, what.words(), what.help(), None, Act::CopyAs(what))));
    all
}

/// Letting each attacker look.
fn lookers() -> impl Iterator<Item = Command> {
    workbench::attacks().iter().map(|kind| {
        let who = who(kind);
        let help = format!("The stage shows what is stolen so. {}", kind.looker.tip);
        command(Menu::Run, &format!("Let {who} look"), &help, None, Act::Attacker(kind.id))
    })
}

/// Launching each attack that there is at the open run.
fn attacks() -> impl Iterator<Item = Command> {
    let keys = [Key::F7, Key::F8, Key::F9].map(Some).into_iter().chain(std::iter::repeat(None));
    workbench::attacks().iter().zip(keys).map(|(kind, key)| {
        let words = format!("Attack with {}", kind.title);
        let help = format!("Launch it at the open run, naive and adaptive. {}", kind.about);
        command(Menu::Run, &words, &help, key.map(|key| (NONE, key)), Act::AttackShown(kind.id))
    })
}

/// How fast training and the attacker on the stage go.
fn speeds() -> Vec<Command> {
    use Menu::Run;
    let of = |whose: &str, speed: Speed, act| {
        let help = "Of training and of the attacker, each by itself.";
        command(Run, &format!("{whose}: {}", speed.words()), help, None, Act::PlayAs(act))
    };
    let training = Speed::ALL.map(|speed| of("Training", speed, PlayAct::Training(speed)));
    let attacker = Speed::ALL.map(|speed| of("Attacker", speed, PlayAct::Attacker(speed)));
    let mut all: Vec<Command> = training.into_iter().chain(attacker).collect();
    let waits = "The attacker on the stage, while training goes on or waits.";
    for (words, act) in [
        ("Hold the attacker", PlayAct::Wait(true)),
        ("Let the attacker go on", PlayAct::Wait(false)),
        ("Step the attacker", PlayAct::Step),
    ] {
        all.push(command(Run, words, waits, None, Act::PlayAs(act)));
    }
    all
}

fn runs() -> Vec<Command> {
    use Menu::Run;
    let mut all = vec![
        command(
            Run,
            "Run or pause",
            "Train, attack and judge; or wait before the next slice of work.",
            Some((NONE, Key::F5)),
            Act::RunOrPause,
        ),
        command(Run, "Step", "One slice of work, then wait.", Some((NONE, Key::F10)), Act::Step),
        command(Run, "Stop", "Save what was measured and end the run.", Some((Modifiers::SHIFT, Key::F5)), Act::Stop),
        command(
            Run,
            "Reset",
            "Forget the shown run and play the opening again; its folder is kept.",
            Some((CTRL_SHIFT, Key::R)),
            Act::Reset,
        ),
        command(
            Run,
            "Reset for the next class",
            "Preset, seed, cut, levers, drawing and stage as at the start. Undo brings everything back.",
            Some((CTRL_SHIFT, Key::N)),
            Act::NextClass,
        ),
    ];
    all.extend(speeds());
    all.extend(attacks());
    all.extend([
        command(
            Run,
            "Follow the run",
            "Let the stage show the run again, after a look at something else.",
            Some((CTRL, Key::B)),
            Act::Follow,
        ),
        command(Run, "Next image", "Show the next test image.", Some((CTRL, Key::ArrowRight)), Act::Patient(1)),
        command(Run, "Previous image", "Show the test image before.", Some((CTRL, Key::ArrowLeft)), Act::Patient(-1)),
        command(
            Run,
            "Show undefended",
            "Show the model without a defence.",
            Some((CTRL, Key::U)),
            Act::Defended(false),
        ),
        command(
            Run,
            "Show under the defence",
            "Show the model under its defence.",
            Some((CTRL, Key::G)),
            Act::Defended(true),
        ),
    ]);
    all.extend(lookers());
    all.extend([
        command(
            Run,
            "Show trained weights",
            "Those of the open run, or those that come with the program.",
            None,
            Act::Untrained(false),
        ),
        command(Run, "Show untrained weights", "Fresh weights, drawn by the seed.", None, Act::Untrained(true)),
        command(
            Run,
            "Attack without knowledge",
            "A naive attacker does not know of the defence.",
            None,
            Act::Adaptive(false),
        ),
        command(
            Run,
            "Attack with knowledge",
            "An adaptive attacker knows the defence and undoes it.",
            None,
            Act::Adaptive(true),
        ),
    ]);
    all
}

fn views() -> Vec<Command> {
    use Menu::View;
    let digits = [Key::Num1, Key::Num2, Key::Num3, Key::Num4, Key::Num5, Key::Num6, Key::Num7];
    let mut all = vec![command(
        View,
        "Commands…",
        "Every command, found by typing.",
        Some((CTRL, Key::K)),
        Act::Popup(Some(Popup::Palette)),
    )];
    for (pane, key) in Pane::ALL.into_iter().zip(digits) {
        all.push(command(View, &format!("Show {}", pane.title()), pane.about(), Some((CTRL, key)), Act::Pane(pane)));
    }
    for (words, help, subject) in [
        ("Inspect the original", "The image large, with its numbers.", Subject::Original),
        ("Inspect the smashed data", "Each number that crosses the wire, and how it comes about.", Subject::Smashed(0)),
        ("Inspect the stolen image", "The attacker's picture large, with its numbers.", Subject::Stolen),
    ] {
        all.push(command(View, words, help, None, Act::Inspect(subject, None)));
    }
    let help = "The window over the whole screen; Esc or F11 leaves it.";
    all.push(command(View, "Full screen", help, Some((NONE, Key::F11)), Act::FullScreen));
    let help = "Stage, verdict and lesson so large that they are read from the last row; the same again leaves it.";
    all.push(command(View, "Presenter's size", help, Some((Modifiers::SHIFT, Key::F11)), Act::Present));
    all.push(command(View, "Log", "What happened, line by line, below everything.", Some((CTRL, Key::L)), Act::Log));
    for (workspace, key) in Workspace::ALL.into_iter().zip(digits) {
        let words = format!("Workspace {}", workspace.title());
        let keys = Some((Modifiers::ALT, key));
        all.push(command(View, &words, workspace.about(), keys, Act::Workspace(workspace)));
    }
    let help = "The panes of this workspace where they were at first.";
    all.push(command(View, "Arrange the panes anew", help, None, Act::Arrange));
    for (words, theme) in [
        ("Dark", ThemePreference::Dark),
        ("Light", ThemePreference::Light),
        ("Theme of the system", ThemePreference::System),
    ] {
        all.push(command(View, words, "Colours of the window.", None, Act::Theme(theme)));
    }
    let help = "Those that a shared state hides.";
    all.push(command(View, "Show all controls", help, None, Act::ShowAll));
    for (words, help, calm) in [
        ("Reduced motion", "Nothing slides, and the opening shows at once what it came to.", true),
        ("Full motion", "Panes slide as they are scrolled, and the opening plays.", false),
    ] {
        all.push(command(View, words, help, None, Act::Calm(calm)));
    }
    for percent in [75, 100, 125, 150, 200] {
        let keys = (percent == 100).then_some((CTRL, Key::Num0));
        let words = format!("Text at {percent} %");
        all.push(command(View, &words, "Size of all text and controls.", keys, Act::Scale(percent as f32 / 100.0)));
    }
    all.extend([
        command(
            View,
            "Play the reconstruction",
            "Play how the stolen image emerged, or stop.",
            Some((NONE, Key::Space)),
            Act::Play,
        ),
        command(View, "Next frame", "One picture on.", Some((NONE, Key::ArrowRight)), Act::Frame(1)),
        command(View, "Previous frame", "One picture back.", Some((NONE, Key::ArrowLeft)), Act::Frame(-1)),
    ]);
    all
}

/// What a day's work asks for.
fn day() -> Vec<Command> {
    let plain = |menu, words: &str, help: &str, act| command(menu, words, help, None, Act::Day(act));
    vec![
        plain(
            Menu::File,
            "Bring back the last session",
            "Experiment with its changes, run, image and workspace as they were when the window was closed last.",
            DayAct::BringBack,
        ),
        plain(
            Menu::Run,
            "Show the best epoch's weights",
            "Of the open run: the epoch that was right most often on held-out images. Show trained weights is the way back.",
            DayAct::Best(true),
        ),
        plain(Menu::Run, "Open the run's folder", "In the desktop's own program for folders.", DayAct::ShownFolder),
        command(
            Menu::View,
            "Find in the log",
            "Open the log and type what to look for.",
            Some((CTRL, Key::F)),
            Act::Day(DayAct::FindInLog),
        ),
        plain(
            Menu::View,
            "Notify when long runs end",
            "The desktop tells of a run that took more than a minute, if the window is not in front then.",
            DayAct::Notify(true),
        ),
        plain(Menu::View, "Do not notify when long runs end", "The desktop tells nothing.", DayAct::Notify(false)),
    ]
}

fn help() -> Vec<Command> {
    let lessons = LESSONS.iter().filter_map(|built_in| {
        let lesson = find(built_in.name).ok()?;
        let act = Act::Lesson(LessonAct::Begin(built_in.name.to_owned()));
        Some(command(Menu::Help, &format!("Lesson: {}", lesson.title), &lesson.summary, None, act))
    });
    let mut all: Vec<Command> = lessons.collect();
    all.extend([
        command(
            Menu::Help,
            "Method",
            "What Cutlayer computes, as equations, with the source of each claim.",
            None,
            Act::Method(None),
        ),
        command(
            Menu::Help,
            "Shortcuts",
            "Every key that does something.",
            Some((NONE, Key::F1)),
            Act::Popup(Some(Popup::Shortcuts)),
        ),
        command(
            Menu::Help,
            "About Cutlayer",
            "Version, licences, and where runs are kept.",
            None,
            Act::Popup(Some(Popup::About)),
        ),
    ]);
    all
}

/// Keys that do what another command's do.
const ALSO: [(Modifiers, Key, Act); 2] = [(CTRL, Key::P, Act::Popup(Some(Popup::Palette))), (CTRL, Key::Y, Act::Redo)];

/// Why an act cannot be done now; none where it can.
pub fn why_not(act: &Act, look: &Look<'_>) -> Option<&'static str> {
    let idle = look.activity == Activity::Idle;
    let stopping = look.activity == Activity::Stopping;
    match act {
        act if look.hidden.hides(act) => Some(WHY),
        Act::ShowAll if !look.hidden.any() => Some("None is hidden"),
        Act::Stop | Act::Pause if idle => Some("No run is going"),
        Act::CopyAs(what) => what.why_not(look),
        Act::Day(act) => act.why_not(look),
        Act::NextClass | Act::Run | Act::RunOrPause | Act::Step | Act::Stop | Act::Pause if stopping => {
            Some("The run is being saved")
        }
        Act::Ask(Purpose::Run) if !idle => Some("Can be done once the run has ended"),
        Act::AttackShown(_) | Act::Ask(Purpose::Attacks) if look.state.folder.is_none() => Some("No run is open"),
        Act::AttackShown(_) | Act::Reset | Act::ShowRun(_) | Act::Attack(..) | Act::Continue(_) if !idle => {
            Some("Can be done once the run has ended")
        }
        Act::Undo if look.document.history().0 == 0 && !look.drawing => Some("Nothing was changed"),
        Act::Redo if look.document.history().1 == 0 => Some("Nothing was taken back"),
        Act::Inspect(subject, _) if subject.of(*look, None).is_none() => Some("There is no such picture yet"),
        Act::Play | Act::Frame(_) if look.showing.film.frames.len() < 2 => Some("No attack has made pictures yet"),
        Act::Follow if look.showing.source == super::Source::Run => Some("The stage follows the run"),
        Act::Follow if !look.followed => Some("There is no picture of a run to go back to"),
        Act::Ask(Purpose::CurvesCsv | Purpose::CurvesPng | Purpose::CurvesSvg) if look.state.rows.is_empty() => {
            Some("Nothing has been measured yet")
        }
        Act::Ask(Purpose::Table | Purpose::TableLatex) if !look.state.measured() => {
            Some("Nothing has been measured yet")
        }
        Act::Ask(Purpose::Film) if look.showing.film.frames.is_empty() => Some("No attack has made pictures yet"),
        _ => None,
    }
}

/// What was asked for by keys since the last frame. Keys without Ctrl or a function key are left to a focused control,
/// and Undo to a field in which something was typed.
pub fn pressed(ctx: &Context, typing: &Typing) -> Vec<Act> {
    let busy = ctx.memory(|memory| memory.focused().is_some());
    let mut acts = Vec::new();
    let mut all = commands();
    // The one with more modifiers first: Ctrl+Shift+Z is no Ctrl+Z.
    all.sort_by_key(|command| command.keys.map_or(0, |keys| -i32::from(keys.modifiers.shift)));
    // Also where the field has taken Ctrl+Shift+Z: a shortcut without Shift would be pressed with it, too.
    let with_shift: Vec<Key> = all
        .iter()
        .filter_map(|one| one.keys)
        .filter(|keys| keys.modifiers.shift)
        .map(|keys| keys.logical_key)
        .collect();
    let shift = ctx.input(|input| input.modifiers.shift);
    let table = all.into_iter().filter_map(|command| Some((command.keys?, command.act)));
    let also = ALSO.into_iter().map(|(modifiers, key, act)| (KeyboardShortcut::new(modifiers, key), act));
    for (keys, act) in table.chain(also) {
        if shift && !keys.modifiers.shift && with_shift.contains(&keys.logical_key) {
            continue;
        }
        let plain = keys.modifiers == NONE && !is_function(keys.logical_key);
        let own = match act {
            Act::Undo => typing.takes_undo(),
            Act::Redo => typing.takes_redo(),
            Act::Patient(_) => busy,
            _ => plain && busy,
        };
        if own {
            continue;
        }
        if ctx.input_mut(|input| input.consume_shortcut(&keys)) {
            acts.push(act);
        }
    }
    acts
}

fn is_function(key: Key) -> bool {
    key >= Key::F1 && key <= Key::F35
}

#[cfg(test)]
mod tests {
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
        for command in &all {
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

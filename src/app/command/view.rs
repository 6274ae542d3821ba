//! Commands of the menu View.

use eframe::egui::{Key, Modifiers, ThemePreference};

use super::{CTRL, Command, Menu, NONE, command};
use crate::app::act::{Act, Popup};
use crate::app::subject::Subject;
use crate::app::workspace::{Pane, Workspace};

pub(super) fn views() -> Vec<Command> {
    use Menu::View;
    let digits = [Key::Num1, Key::Num2, Key::Num3, Key::Num4, Key::Num5, Key::Num6, Key::Num7, Key::Num8];
    let mut all = vec![command(
        View,
        t!("Commands…"),
        t!("Every command, found by typing."),
        Some((CTRL, Key::K)),
        Act::Popup(Some(Popup::Palette)),
    )];
    for (pane, key) in Pane::ALL.into_iter().zip(digits) {
        all.push(command(
            View,
            &t!("Show {title}", title = pane.title()),
            pane.about(),
            Some((CTRL, key)),
            Act::Pane(pane),
        ));
    }
    for (words, help, subject) in [
        (t!("Inspect the original"), t!("The image large, with its numbers."), Subject::Original),
        (
            t!("Inspect the smashed data"),
            t!("Each number that crosses the wire, and how it comes about."),
            Subject::Smashed(0),
        ),
        (t!("Inspect the stolen image"), t!("The attacker's picture large, with its numbers."), Subject::Stolen),
    ] {
        all.push(command(View, words, help, None, Act::Inspect(subject, None)));
    }
    let help = t!("The window over the whole screen; Esc or F11 leaves it.");
    all.push(command(View, t!("Full screen"), help, Some((NONE, Key::F11)), Act::FullScreen));
    let help = t!("Stage, verdict and lesson so large that they are read from the last row; the same again leaves it.");
    all.push(command(View, t!("Presenter's size"), help, Some((Modifiers::SHIFT, Key::F11)), Act::Present));
    all.push(command(
        View,
        t!("Log"),
        t!("What happened, line by line, below everything."),
        Some((CTRL, Key::L)),
        Act::Log,
    ));
    for (workspace, key) in Workspace::ALL.into_iter().zip(digits) {
        let words = t!("Workspace {title}", title = workspace.title());
        let keys = Some((Modifiers::ALT, key));
        all.push(command(View, &words, workspace.about(), keys, Act::Workspace(workspace)));
    }
    let help = t!("The panes of this workspace where they were at first.");
    all.push(command(View, t!("Arrange the panes anew"), help, None, Act::Arrange));
    for (words, theme) in [
        (t!("Dark theme"), ThemePreference::Dark),
        (t!("Light theme"), ThemePreference::Light),
        (t!("Theme of the system"), ThemePreference::System),
    ] {
        all.push(command(View, words, t!("Colours of the window."), None, Act::Theme(theme)));
    }
    let help = t!("Those that a shared state hides.");
    all.push(command(View, t!("Show all controls"), help, None, Act::ShowAll));
    for (words, help, calm) in [
        (t!("Reduced motion"), t!("Nothing slides, and the opening shows at once what it came to."), true),
        (t!("Full motion"), t!("Panes slide as they are scrolled, and the opening plays."), false),
    ] {
        all.push(command(View, words, help, None, Act::Calm(calm)));
    }
    for percent in [75, 100, 125, 150, 200] {
        let keys = (percent == 100).then_some((CTRL, Key::Num0));
        let words = t!("Text at {percent} %", percent);
        all.push(command(View, &words, t!("Size of all text and controls."), keys, Act::Scale(percent as f32 / 100.0)));
    }
    all.extend([
        command(
            View,
            t!("Play the reconstruction"),
            t!("Play how the stolen image emerged, or stop."),
            Some((NONE, Key::Space)),
            Act::Play,
        ),
        command(View, t!("Next frame"), t!("One picture on."), Some((NONE, Key::ArrowRight)), Act::Frame(1)),
        command(View, t!("Previous frame"), t!("One picture back."), Some((NONE, Key::ArrowLeft)), Act::Frame(-1)),
    ]);
    all
}

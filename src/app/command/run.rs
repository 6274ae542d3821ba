//! Commands of the menu Run.

use eframe::egui::{Key, Modifiers};

use super::{CTRL, CTRL_SHIFT, Command, Menu, NONE, command};
use crate::app::Act;
use crate::app::lookers::who;
use crate::app::play::{PlayAct, Speed};
use crate::workbench;

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

pub(super) fn runs() -> Vec<Command> {
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

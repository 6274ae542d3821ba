//! Commands of the menu Run.

use eframe::egui::{Key, Modifiers};

use super::{CTRL, CTRL_SHIFT, Command, Menu, NONE, command};
use crate::app::Act;
use crate::app::PlayAct;
use crate::app::Popup;
use crate::app::act::CompareAct;
use crate::app::lookers::who_exactly;
use crate::app::speed::Speed;
use crate::texts::say;
use crate::workbench;

/// Letting each attacker look.
fn lookers() -> impl Iterator<Item = Command> {
    workbench::attacks().iter().map(|kind| {
        let who = who_exactly(kind);
        let help = t!("The stage shows what is stolen so. {tip}", tip = say(kind.looker.tip));
        command(Menu::Run, &t!("Let {who} look", who), &help, None, Act::Attacker(kind.id))
    })
}

/// Launching each attack that there is at the open run.
fn attacks() -> impl Iterator<Item = Command> {
    let keys = [Key::F7, Key::F8, Key::F9].map(Some).into_iter().chain(std::iter::repeat(None));
    workbench::attacks().iter().zip(keys).map(|(kind, key)| {
        let words = t!("Attack with {title}", title = kind.title);
        let help = t!("Launch it at the open run, naive and adaptive. {about}", about = say(kind.about));
        command(Menu::Run, &words, &help, key.map(|key| (NONE, key)), Act::AttackShown(kind.id))
    })
}

/// How fast training and the attacker on the stage go.
fn speeds() -> Vec<Command> {
    use Menu::Run;
    let of = |whose: &str, speed: Speed, act| {
        let help = t!("Of training and of the attacker, each by itself.");
        command(Run, &format!("{whose}: {}", speed.words()), help, None, Act::PlayAs(act))
    };
    let training = Speed::ALL.map(|speed| of(t!("Training"), speed, PlayAct::Training(speed)));
    let attacker = Speed::ALL.map(|speed| of(t!("Attacker"), speed, PlayAct::Attacker(speed)));
    let mut all: Vec<Command> = training.into_iter().chain(attacker).collect();
    let waits = t!("The attacker on the stage, while training goes on or waits.");
    for (words, act) in [
        (t!("Hold the attacker"), PlayAct::Wait(true)),
        (t!("Let the attacker go on"), PlayAct::Wait(false)),
        (t!("Step the attacker"), PlayAct::Step),
    ] {
        all.push(command(Run, words, waits, None, Act::PlayAs(act)));
    }
    all
}

/// What works in processes of its own.
fn apart() -> [Command; 2] {
    use Menu::Run;
    [
        command(
            Run,
            t!("Sweep…"),
            t!("Many experiments that differ in a few settings: begin a sweep, watch it, open its runs."),
            None,
            Act::Popup(Some(Popup::Sweep)),
        ),
        command(
            Run,
            t!("Audit images…"),
            t!(
                "From images of your own to a page in plain words: a model is trained on them, attacked by a fixed suite, and \
                 judged."
            ),
            None,
            Act::Popup(Some(Popup::Audit)),
        ),
    ]
}

/// Several runs beside each other.
fn compares() -> [Command; 3] {
    use Menu::Run;
    [
        command(
            Run,
            t!("Compare all runs of the list"),
            t!("Tick every finished run in Runs, as the list is filtered."),
            None,
            Act::Compare(CompareAct::All),
        ),
        command(Run, t!("Compare no runs"), t!("Untick all runs in Runs."), None, Act::Compare(CompareAct::None)),
        command(
            Run,
            t!("Save the compared runs as a group…"),
            t!("Keep the ticked runs under a name, to compare them again another day."),
            None,
            Act::Compare(CompareAct::Ask),
        ),
    ]
}

pub(super) fn runs() -> Vec<Command> {
    use Menu::Run;
    let mut all = vec![
        command(
            Run,
            t!("Run or pause"),
            t!("Train, attack and judge; or wait before the next slice of work."),
            Some((NONE, Key::F5)),
            Act::RunOrPause,
        ),
        command(Run, t!("Step"), t!("One slice of work, then wait."), Some((NONE, Key::F10)), Act::Step),
        command(
            Run,
            t!("Stop"),
            t!("Save what was measured and end the run."),
            Some((Modifiers::SHIFT, Key::F5)),
            Act::Stop,
        ),
        command(
            Run,
            t!("Reset"),
            t!("Forget the shown run and play the opening again; its folder is kept."),
            Some((CTRL_SHIFT, Key::R)),
            Act::Reset,
        ),
        command(
            Run,
            t!("Reset for the next class"),
            t!("Preset, seed, cut, levers, drawing and stage as at the start. Undo brings everything back."),
            Some((CTRL_SHIFT, Key::N)),
            Act::NextClass,
        ),
    ];
    all.extend(apart());
    all.extend(speeds());
    all.extend(attacks());
    all.extend([
        command(
            Run,
            t!("Follow the run"),
            t!("Let the stage show the run again, after a look at something else."),
            Some((CTRL, Key::B)),
            Act::Follow,
        ),
        command(Run, t!("Next image"), t!("Show the next test image."), Some((CTRL, Key::ArrowRight)), Act::Patient(1)),
        command(
            Run,
            t!("Previous image"),
            t!("Show the test image before."),
            Some((CTRL, Key::ArrowLeft)),
            Act::Patient(-1),
        ),
        command(
            Run,
            t!("Show undefended"),
            t!("Show the model without a defence."),
            Some((CTRL, Key::U)),
            Act::Defended(false),
        ),
        command(
            Run,
            t!("Show under the defence"),
            t!("Show the model under its defence."),
            Some((CTRL, Key::G)),
            Act::Defended(true),
        ),
    ]);
    all.extend(lookers());
    all.extend(compares());
    all.extend([
        command(
            Run,
            t!("Show trained weights"),
            t!("Those of the open run, or those that come with the program."),
            None,
            Act::Untrained(false),
        ),
        command(Run, t!("Show untrained weights"), t!("Fresh weights, drawn by the seed."), None, Act::Untrained(true)),
        command(
            Run,
            t!("Attack without knowledge"),
            t!("A naive attacker does not know of the defence."),
            None,
            Act::Adaptive(false),
        ),
        command(
            Run,
            t!("Attack with knowledge"),
            t!("An adaptive attacker knows the defence and undoes it."),
            None,
            Act::Adaptive(true),
        ),
    ]);
    all
}

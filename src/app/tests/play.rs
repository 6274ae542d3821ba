//! Speeds, pauses and the goal.

use egui_kittest::kittest::Queryable as _;

use super::*;
use crate::app::PlayAct;
use crate::app::play::Play;
use crate::app::speed::Speed;

fn iteration(app: &App) -> usize {
    app.showing().scene.as_ref().and_then(|scene| scene.progress.as_ref()).map_or(0, |progress| progress.iteration)
}

#[test]
fn the_attacker_is_held_and_stepped_while_the_rest_of_the_stage_follows() {
    let mut window = Window::open(quick());
    window.rest();
    window.act(Act::PlayAs(PlayAct::Wait(true)));
    window.act(Act::Patient(1));
    window.until("the next image", |app| app.showing().scene.as_ref().is_some_and(|_| !app.showing().waits));
    assert_eq!((iteration(window.app()), window.app().showing().reconstruction().is_some()), (0, false));
    window.harness.get_by_label_contains("The attacker is held");
    window.act(Act::PlayAs(PlayAct::Step));
    window.until("one iteration", |app| iteration(app) == 1);
    for _ in 0..10 {
        window.harness.step();
    }
    assert_eq!(iteration(window.app()), 1, "and no more");
    window.harness.get_by_label_contains("Held: step 1 of");
    window.click("Attack on");
    window.rest();
    assert!(iteration(window.app()) > 1);
}

#[test]
fn a_run_waits_after_the_epoch_and_goes_on() {
    let mut window = Window::open(quick());
    window.rest();
    window.act(Act::PlayAs(PlayAct::PauseAfter(Some(1))));
    window.click("Run");
    window.until("the pause", |app| app.activity() == Activity::Paused);
    window.until("both tests", |app| app.state().epochs.len() == 2);
    assert!(window.app().state().epochs.iter().all(|(_, row)| row.epoch == 1));
    window.harness.get_by_label("To epoch 1");
    window.click("Run");
    window.until("more training", |app| app.state().rows.iter().any(|(_, row)| row.epoch == 2));
    // In slow motion nothing is said of the time left, which is up to who holds it back.
    window.act(Act::PlayAs(PlayAct::Training(Speed::ALL[1])));
    assert!(window.harness.query_all_by_label_contains("Slow motion: ").next().is_some());
    window.act(Act::Stop);
    window.until("the end", |app| app.activity() == Activity::Idle);
}

#[test]
fn a_goal_is_set_beside_the_levers_and_kept_until_the_next_class() {
    let mut window = Window::open(quick());
    window.rest();
    window.click("Goal");
    window.harness.get_by_label("not tested yet");
    window.harness.get_by_label("no attack has been judged yet");
    window.act(Act::PlayAs(PlayAct::Attacker(Speed::ALL[2])));
    let again = memory::Memory::load(&window.home.path().join("window.json"));
    assert_eq!(again.play, window.app().memory.play);
    assert!(again.play.goal.is_some() && again.play.attacker.slow());
    window.act(Act::NextClass);
    assert_eq!(window.app().memory.play, Play::default());
    window.act(Act::Undo);
    assert_eq!(window.app().memory.play, again.play);
}

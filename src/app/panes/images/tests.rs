//! Which pictures are shown, in which order.

use egui_kittest::Harness;
use egui_kittest::kittest::Queryable;

use super::*;
use crate::app::panes::fixture::made;
use crate::app::test_look::Shop;
use crate::experiment::fixture::DEFENDED;
use crate::run::scene::Picture;
use crate::run::summary::AttackRecord;

pub fn record(name: &str, adaptive: bool, target: &str, epoch: usize) -> AttackRecord {
    AttackRecord {
        name: name.to_owned(),
        adaptive,
        target: target.to_owned(),
        epoch,
        images: 8,
        iterations: 20,
        mse: 0.05,
        psnr: 13.0,
        ssim: 0.5,
        ssim_se: 0.01,
        lineup: Some(87.5),
        seconds: 3.0,
        ..AttackRecord::default()
    }
}

/// Three patients; the first is stolen exactly, the others with an error.
pub fn gallery(name: &str, adaptive: bool, target: &str, epoch: usize, error: f32) -> Gallery {
    let picture = |step: usize, error: f32| {
        let values = (0..144).map(|i| ((i * step % 97) as f32 / 96.0 + error * (i % 2) as f32).min(1.0)).collect();
        Picture { shape: [1, 12, 12], values }
    };
    let all = |error: f32| vec![picture(31, 0.0), picture(58, error), picture(13, 2.0 * error)];
    Gallery {
        name: name.to_owned(),
        adaptive,
        target: target.to_owned(),
        epoch,
        originals: all(0.0),
        sent: all(0.3),
        stolen: all(error),
    }
}

pub fn state() -> State {
    let mut state = State::started("quick, seed 0".to_owned());
    for (name, adaptive, target, epoch) in [
        ("rmle", true, DEFENDED, 2),
        ("rmle", false, DEFENDED, 2),
        ("inverse", false, DEFENDED, 1),
        ("rmle", false, "vanilla", 2),
    ] {
        state.galleries.push(gallery(name, adaptive, target, epoch, 0.4));
        state.attacks.push(record(name, adaptive, target, epoch));
    }
    state
}

#[test]
fn columns_are_those_of_the_chosen_model_and_epoch() {
    let galleries = state().galleries;
    let at = |name, epochs| columns(&galleries, name, epochs, 2, 4);
    assert_eq!(at(DEFENDED, Epochs::Last), [0, 1]);
    assert_eq!(at(DEFENDED, Epochs::At(1)), [2]);
    assert_eq!(at(DEFENDED, Epochs::All), [0, 1, 2]);
    assert_eq!(at("vanilla", Epochs::All), [3]);
    assert_eq!(columns(&galleries, DEFENDED, Epochs::All, 2, 1), [0]);
}

#[test]
fn the_worst_leak_is_on_top_over_all_attacks() {
    let scores = [vec![Some(0.1), Some(0.5), None], vec![Some(0.9), Some(0.2), None]];
    assert_eq!(worst_first(&scores, 3), [0, 1, 2]);
    assert_eq!(worst_first(&scores[..1], 3), [1, 0, 2]);
    assert_eq!(worst_first(&[], 2), [0, 1]);
}

type Pane = (Shop, ImagesView, Vec<Act>);

fn harness(state: State, size: [f32; 2]) -> Harness<'static, Pane> {
    let draw = |ui: &mut Ui, (made, view, acts): &mut Pane| images_ui(ui, made.look(), view, acts);
    Harness::builder().with_size(size).build_ui_state(draw, (made(state), ImagesView::default(), Vec::new()))
}

#[test]
fn a_click_looks_into_any_of_the_pictures() {
    let mut harness = harness(state(), [800.0, 600.0]);
    (0..6).for_each(|_| harness.step());
    for (name, which) in [
        ("digit 1, stolen by rmle, adaptive, after epoch 2: SSIM 1.00", Which::Stolen),
        ("digit 1, disguised", Which::Disguised),
    ] {
        harness.get_by_label(name).click();
        (0..3).for_each(|_| harness.step());
        let acts = std::mem::take(&mut harness.state_mut().2);
        let [Act::Inspect(Subject::Kept(gallery, 0, asked), None)] = acts.as_slice() else { panic!("{acts:?}") };
        assert_eq!((harness.state().0.state.galleries[*gallery].name.as_str(), *asked), ("rmle", which));
    }
    let told = told(&state(), 0, 0);
    assert!(told.starts_with("rmle, adaptive, at ") && told.contains(", epoch 2; SSIM 1.000; PSNR "), "{told}");
    assert_eq!(super::told(&state(), 99, 0), "");
}

#[test]
fn the_undefended_have_no_disguise_and_an_empty_pane_says_why() {
    let mut full = harness(state(), [800.0, 600.0]);
    (0..6).for_each(|_| full.step());
    full.get_by_label("digit 1, disguised");
    full.get_by_label("undefended").click();
    (0..3).for_each(|_| full.step());
    assert!(full.query_by_label("digit 1, disguised").is_none());
    full.get_by_label_contains("digit 1, stolen by rmle, naive");
    let mut empty = harness(State::default(), [400.0, 300.0]);
    empty.step();
    empty.get_by_label_contains("Start a run");
}

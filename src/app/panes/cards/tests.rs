//! Verdicts on made-up summaries, and the cards drawn.

use egui_kittest::Harness;
use egui_kittest::kittest::Queryable;

use super::claims::{CLAIMS, Finding, Verdict};
use super::*;
use crate::app::State;
use crate::app::panes::Pane;
use crate::app::panes::fixture::{made, summary};
use crate::app::test_look::Shop;
use crate::run::summary::AttackRecord;

fn judged(title: &str, summary: &Summary) -> Option<Finding> {
    let claim = CLAIMS.iter().find(|claim| claim.title.contains(title)).unwrap();
    (claim.judge)(summary)
}

fn verdict(title: &str, summary: &Summary) -> Verdict {
    judged(title, summary).unwrap().verdict
}

/// A summary that was changed.
fn with(change: impl FnOnce(&mut Summary)) -> Summary {
    let mut made = summary();
    change(&mut made);
    made
}

#[test]
fn gains_agree_where_the_papers_size_is_within_reach() {
    let claim = "disguised (attacked) images";
    // The gains go from 20 to 69.2.
    let agreeing = judged(claim, &summary()).unwrap();
    assert_eq!((agreeing.verdict, agreeing.here.as_str()), (Verdict::Agrees, "+69.2"));
    assert!(agreeing.sentence.contains("from +20.0 to +69.2"), "{}", agreeing.sentence);
    let far = with(|s| s.gain.as_mut().unwrap().by_gamma.clear());
    assert_eq!(verdict(claim, &far), Verdict::NotComparable);
    let nothing = with(|s| s.gain.as_mut().unwrap().over_attacked = -0.1);
    assert_eq!(verdict(claim, &nothing), Verdict::Differs);
    // From 0 to 49.2, 17.9 within.
    assert_eq!(verdict("cleaned (reconstructed)", &summary()), Verdict::Agrees);
    let low = with(|s| s.gain.as_mut().unwrap().by_gamma[0].over_reconstructed = 18.0);
    assert_eq!(verdict("cleaned (reconstructed)", &low), Verdict::NotComparable);
    assert_eq!(judged(claim, &with(|s| s.gain = None)), None);
}

#[test]
fn what_the_paper_does_not_give_is_compared_with_nothing() {
    let clean = judged("on clean images", &summary()).unwrap();
    assert_eq!((clean.verdict, clean.here.as_str()), (Verdict::NotComparable, "\u{2212}1.2"));
    assert!(clean.sentence.starts_with("The defence costs accuracy"));
    assert_eq!(verdict("third gain", &summary()), Verdict::NotComparable);
}

#[test]
fn an_order_needs_a_distance() {
    assert_eq!(verdict("Streams", &summary()), Verdict::Agrees);
    let near = with(|s| s.rows.iter_mut().for_each(|row| row.accuracy = 96.0));
    assert_eq!(verdict("Streams", &near), Verdict::NotComparable);
    let other = with(|s| {
        let streams = s.streams.as_mut().unwrap();
        streams.order.swap(0, 1);
        streams.as_in_paper = false;
    });
    // Fused 94 and disguised 90 are first and last.
    let other = judged("Streams", &other).unwrap();
    assert_eq!((other.verdict, other.here.as_str()), (Verdict::Differs, "fused > cleaned > disguised"));
}

#[test]
fn the_best_mu_must_be_measured_and_must_help() {
    assert_eq!(verdict("\u{3bc}", &summary()), Verdict::Agrees);
    let worse = with(|s| s.recovery.as_mut().unwrap().mse_attacked = 0.0050);
    let worse = judged("\u{3bc}", &worse).unwrap();
    assert!(worse.verdict == Verdict::Differs && worse.sentence.contains("worse"), "{worse:?}");
    let other = with(|s| s.recovery.as_mut().unwrap().mse_by_mu[0].1 = 0.001);
    let other = judged("\u{3bc}", &other).unwrap();
    assert_eq!((other.verdict, other.here.as_str()), (Verdict::Differs, "\u{3bc} 0.2"));
    let without = with(|s| {
        s.recovery.as_mut().unwrap().mse_by_mu.remove(1);
    });
    assert_eq!(verdict("\u{3bc}", &without), Verdict::NotComparable);
}

fn attack(name: &str, adaptive: bool, ssim: f64, lineup: f64) -> AttackRecord {
    AttackRecord {
        name: name.to_owned(),
        adaptive,
        target: "psgl".to_owned(),
        epoch: 2,
        images: 64,
        iterations: 20,
        mse: 0.05,
        psnr: 13.0,
        ssim,
        ssim_se: 0.01,
        lineup: Some(lineup),
        seconds: 3.0,
        ..AttackRecord::default()
    }
}

#[test]
fn a_defence_is_as_good_as_against_the_adaptive_attacker() {
    let claim = "defends";
    let judge = |attacks: Vec<AttackRecord>| judged(claim, &with(|s| s.attacks = attacks));
    let nearest = || attack("nearest", false, 0.4, 90.0);
    assert_eq!(judge(vec![]), None);
    // Judged by a naive attacker only.
    assert_eq!(judge(vec![attack("rmle", false, 0.1, 12.5), nearest()]).unwrap().verdict, Verdict::NotComparable);
    let pair = |ssim, lineup| vec![attack("rmle", false, 0.1, 12.5), attack("rmle", true, ssim, lineup), nearest()];
    assert_eq!(judge(pair(0.3, 14.0)).unwrap().verdict, Verdict::Agrees);
    let few = pair(0.3, 14.0).into_iter().map(|attack| AttackRecord { images: 4, ..attack }).collect();
    assert_eq!(judge(few).unwrap().verdict, Verdict::NotComparable);
    let nearer = judge(pair(0.5, 14.0)).unwrap();
    assert_eq!((nearer.verdict, nearer.here.as_str()), (Verdict::Differs, "SSIM 0.50 (adaptive)"));
    let picked = judge(pair(0.3, 60.0)).unwrap();
    assert!(picked.verdict == Verdict::Differs && picked.sentence.contains("60.0 %"), "{picked:?}");
    // Attacks at the undefended model say nothing of the defence.
    let mut elsewhere = pair(0.3, 14.0);
    elsewhere.push(AttackRecord { target: "vanilla".to_owned(), ..attack("rmle", false, 0.99, 100.0) });
    assert_eq!(judge(elsewhere).unwrap().verdict, Verdict::Agrees);
}

#[test]
fn costs_leaks_and_the_majority_have_their_rules() {
    assert_eq!(verdict("IoMT", &summary()), Verdict::Differs);
    let cheap = with(|s| s.client_ms_per_image.psgl = Some(0.15));
    assert_eq!(verdict("IoMT", &cheap), Verdict::NotComparable);
    assert_eq!(judged("IoMT", &with(|s| s.client_ms_per_image.vanilla = None)), None);
    assert_eq!(verdict("gradient map", &summary()), Verdict::NotComparable);
    let leaky = with(|s| s.wire.psgl.as_mut().unwrap().leaked_clean_bytes = 2_000_000);
    let leaky = judged("gradient map", &leaky).unwrap();
    assert_eq!((leaky.verdict, leaky.here.as_str()), (Verdict::Differs, "2.0 MB"));
    assert_eq!(verdict("accuracy means", &summary()), Verdict::Agrees);
    let always = with(|s| s.rows.iter_mut().for_each(|row| row.majority = 95.0));
    assert_eq!(verdict("accuracy means", &always), Verdict::Differs);
}

#[test]
fn every_card_is_drawn_and_its_button_asks_for_something_that_can_be_done() {
    for (state, word) in [
        (State::default(), "not measured yet"),
        (State { summary: Some(Box::new(summary())), ..State::default() }, "agrees"),
    ] {
        let mut harness: Harness<'_, (Shop, Vec<Act>)> = Harness::builder()
            .with_size([700.0, 1600.0])
            .build_ui_state(|ui, (made, acts)| cards_ui(ui, made.look(), acts), (made(state), Vec::new()));
        (0..3).for_each(|_| harness.step());
        assert!(harness.query_all_by_label(word).count() > 1, "{word}");
        for claim in &CLAIMS {
            harness.get_by_label(claim.title);
        }
        harness.get_by_label("Error against \u{3bc}").click();
        harness.step();
        assert_eq!(harness.state().1, [Act::Pane(Pane::Curves)]);
        let mut document = made(State::default()).document;
        for claim in &CLAIMS {
            if let Act::Set(key, value) = (claim.test.2)() {
                document.set(&key, &value).unwrap();
            }
        }
    }
}

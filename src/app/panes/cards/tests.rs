//! Verdicts on made-up summaries, and the cards drawn.

use egui_kittest::Harness;
use egui_kittest::kittest::Queryable;

use super::claims::CLAIMS;
use super::findings::{Finding, Verdict};
use super::*;
use crate::app::State;
use crate::app::panes::fixture::{by_model, made, summary};
use crate::app::test_look::Shop;
use crate::app::words::phase;
use crate::app::workspace::Pane;
use crate::experiment::fixture::{DEFENDED, TITLE};
use crate::model::wire::WireCount;
use crate::report::controls::{Held, Question};
use crate::report::points::Spread;
use crate::run::summary::{AttackRecord, EpochRow};
use crate::score::record::{Judged, Lead};

fn judged(title: &str, summary: &Summary) -> Option<Finding> {
    let claim = CLAIMS.iter().find(|claim| claim.title.contains(title)).unwrap();
    claim.judge.finding(Some(summary))
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
fn gains_agree_where_sizes_do_at_settings_fixed_before() {
    let claim = "disguised (attacked) images";
    // +69.2 ± 2 against 36.9; that smaller strengths would give the paper's size is no agreement.
    let other = judged(claim, &summary()).unwrap();
    assert_eq!((other.verdict, other.here.as_str()), (Verdict::SameDirection, "+69.2 ± 2.0"));
    assert!(other.sentence.contains("from +20.0 to +69.2"), "{}", other.sentence);
    assert!(other.sentence.ends_with("Always naming the commonest class gains \u{2212}15.0."), "{}", other.sentence);
    let own = |points: f64| with(|s| s.gain.as_mut().unwrap().over_attacked = points);
    for (points, verdict) in [
        (38.0, Verdict::Agrees),
        (-10.0, Verdict::Differs),
        (1.0, Verdict::NotComparable),
        (20.0, Verdict::SameDirection),
    ] {
        assert_eq!(self::verdict(claim, &own(points)), verdict, "{points}");
    }
    let useless = with(|s| s.rows.iter_mut().for_each(|row| row.majority = row.accuracy));
    let useless = judged(claim, &useless).unwrap();
    assert_eq!((useless.verdict, useless.here.as_str()), (Verdict::NotComparable, "no gain"));
    assert_eq!(judged(claim, &with(|s| s.gain = None)), None);
}

#[test]
fn what_the_paper_does_not_give_is_compared_with_nothing() {
    let clean = judged("on clean images", &summary()).unwrap();
    assert_eq!((clean.verdict, clean.here.as_str()), (Verdict::NotComparable, "\u{2212}1.2 ± 0.6"));
    assert!(clean.sentence.starts_with("The defence costs accuracy in this run"));
    let chance = with(|s| s.gain.as_mut().unwrap().over_clean = -1.0);
    assert!(judged("on clean images", &chance).unwrap().sentence.contains("cannot be told from nothing"));
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

/// An attack on 64 images that leads the floor by so many points.
fn attack(name: &str, adaptive: bool, ssim: f64, lead: f64) -> AttackRecord {
    let p = if lead > 0.0 { 1e-9 } else { 1.0 };
    let lead = Lead { over: "class_mean".to_owned(), of: "lineup".to_owned(), floor: 12.0, mean: lead, se: 4.0, p };
    AttackRecord {
        name: name.to_owned(),
        adaptive,
        target: DEFENDED.to_owned(),
        epoch: 2,
        images: 64,
        ssim,
        ssim_se: 0.01,
        lineup: Some(12.0 + lead.mean),
        judged: Some(Judged { lead: Some(lead), ..Judged::default() }),
        ..AttackRecord::default()
    }
}

#[test]
fn a_defence_is_as_good_as_against_the_adaptive_attacker() {
    let claim = "defends";
    let judge = |attacks: Vec<AttackRecord>| {
        let epochs = vec![EpochRow { model: DEFENDED.to_owned(), epoch: 2, accuracy: 96.0, ..EpochRow::default() }];
        judged(claim, &with(|s| (s.attacks, s.epochs) = (attacks, epochs)))
    };
    assert_eq!(judge(vec![]), None);
    // Judged by a naive attacker only.
    assert_eq!(judge(vec![attack("rmle", false, 0.1, 0.0)]).unwrap().verdict, Verdict::NotComparable);
    let pair = |ssim, lead| vec![attack("rmle", false, 0.1, 0.0), attack("rmle", true, ssim, lead)];
    assert_eq!(judge(pair(0.3, 0.0)).unwrap().verdict, Verdict::Agrees);
    let few = pair(0.3, 0.0).into_iter().map(|attack| AttackRecord { images: 8, ..attack }).collect();
    assert_eq!(judge(few).unwrap().verdict, Verdict::NotComparable);
    let broke = judge(pair(0.5, 48.0)).unwrap();
    assert_eq!((broke.verdict, broke.here.as_str()), (Verdict::Differs, "broke, worst SSIM 0.50 ± 0.01"));
    assert!(
        broke.sentence.contains(&format!("Worst leak of {TITLE}: adaptive rmle")) && broke.sentence.contains("+48.0"),
        "{broke:?}"
    );
    // Attacks at the undefended model say nothing of the defence.
    let mut elsewhere = pair(0.3, 0.0);
    elsewhere.push(AttackRecord { target: "vanilla".to_owned(), ..attack("rmle", false, 0.99, 80.0) });
    assert_eq!(judge(elsewhere).unwrap().verdict, Verdict::Agrees);
}

#[test]
fn costs_leaks_and_the_majority_have_their_rules() {
    assert_eq!(verdict("IoMT", &summary()), Verdict::Differs);
    let cheap = with(|s| s.client_ms_per_image = by_model(Some(0.1), Some(0.15)));
    assert_eq!(verdict("IoMT", &cheap), Verdict::NotComparable);
    assert_eq!(judged("IoMT", &with(|s| s.client_ms_per_image = by_model(None, Some(0.3)))), None);
    assert_eq!(verdict("gradient map", &summary()), Verdict::NotComparable);
    let leaky = with(|s| {
        s.wire.models = by_model(None, Some(WireCount { leaked_clean_bytes: 2_000_000, ..WireCount::default() }));
    });
    let leaky = judged("gradient map", &leaky).unwrap();
    assert_eq!((leaky.verdict, leaky.here.as_str()), (Verdict::Differs, "2.0 MB"));
    assert_eq!(verdict("accuracy means", &summary()), Verdict::Agrees);
    let always = with(|s| s.rows.iter_mut().for_each(|row| row.majority = 95.0));
    assert_eq!(verdict("accuracy means", &always), Verdict::Differs);
}

#[test]
fn a_kept_claim_needs_no_run_and_says_when_and_how_it_was_measured() {
    let title = "deep leakage";
    let claim = CLAIMS.iter().find(|claim| claim.title.contains(title)).unwrap();
    let found = claim.judge.finding(None);
    assert_eq!(found, claim.judge.finding(Some(&summary())), "whatever is run");
    let Some(tested) = crate::claim::kept().results.first() else {
        assert_eq!(found, None);
        return;
    };
    let found = found.unwrap();
    assert_eq!(found.verdict, kept::verdict(tested.says()));
    assert!(found.sentence.contains(&crate::claim::kept().date), "{}", found.sentence);
    let whole = |name: &str| found.here.contains(name);
    assert!(tested.models.iter().all(|model| whole(&phase(&model.name))), "{}", found.here);
}

#[test]
fn recognition_is_judged_by_all_that_a_defence_is_held_against() {
    let spread = |mean: f64| Spread::of(vec![mean; 5]).unwrap();
    let held = |difference: f64, ends: [f64; 2]| Held {
        words: "a control".to_owned(),
        setting: String::new(),
        right: spread(96.0 - difference),
        seeds: 5,
        means: [96.0, 96.0 - difference],
        difference,
        by_seed: Some(ends),
        by_image: None,
        weights: None,
        doubt: None,
    };
    let (more, less, covers) = (held(1.5, [0.5, 2.5]), held(-1.0, [-1.5, -0.5]), held(0.2, [-0.3, 0.7]));
    for (held, verdict, here, words) in [
        (
            vec![more.clone()],
            Verdict::Agrees,
            "+1.5 to +1.5",
            "right than 1 of them, less often than 0; no evidence beside 0.",
        ),
        (vec![less.clone()], Verdict::Differs, "\u{2212}1.0 to", "right than 0 of them, less often than 1;"),
        (vec![more, less, covers], Verdict::NotComparable, "\u{2212}1.0 to +1.5", "5 seeds, 3 models beside it"),
    ] {
        let question = Question {
            defence: "x".to_owned(),
            setting: String::new(),
            metric: "accuracy".to_owned(),
            right: spread(96.0),
            held,
            lacking: Vec::new(),
            weights: None,
        };
        let found = kept::beside_controls(&question, "2026-11-29");
        assert_eq!(found.verdict, verdict);
        assert!(found.here.starts_with(here) && found.sentence.contains(words), "{found:?}");
        assert!(found.sentence.starts_with("Measured on 2026-11-29, not in this run:"), "{found:?}");
    }
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

//! When a verdict is given, and when not.

use super::super::gather::Gathered;
use super::super::samples;
use super::*;
use crate::run::summary::Summary;
use crate::score::record::Lead;

fn outcome(run: &Summary) -> Outcome {
    let all = Gathered::of([run]);
    Outcome::of(&all.settings[0])
}

fn refusal(run: &Summary) -> Refusal {
    match outcome(run) {
        Outcome::NoVerdict(why) => why.into_iter().next().unwrap(),
        other => panic!("{other:?}"),
    }
}

/// A defended run at which no attack leads.
fn held() -> Summary {
    let mut run = samples::defended(0, "dropout", &[]);
    for record in &mut run.attacks {
        let lead = record.judged.as_mut().unwrap().lead.as_mut().unwrap();
        *lead = Lead { mean: -1.0, p: 1.0, ..lead.clone() };
    }
    run
}

#[test]
fn a_leak_is_a_leak_in_any_seed_and_however_weak_the_attacker() {
    let mut run = samples::defended(0, "dropout", &[]);
    run.attacks[0].judged.as_mut().unwrap().doubt = Some("it still got better".to_owned());
    assert_eq!(outcome(&run), Outcome::Leaks { seeds: 1 });
    let other = Summary { seed: 1, ..held() };
    let all = Gathered::of([&run, &other]);
    assert_eq!(Outcome::of(&all.settings[0]), Outcome::Leaks { seeds: 1 });
    assert_eq!(outcome(&held()), Outcome::NotShown);
}

#[test]
fn no_verdict_rests_on_weak_attackers() {
    let mut run = held();
    run.attacks.clear();
    assert_eq!(refusal(&run), Refusal::NoAttack);
    let mut run = held();
    run.attacks.iter_mut().for_each(|record| record.images = 31);
    assert_eq!(refusal(&run), Refusal::FewTargets { most: 31 });
    assert_eq!(refusal(&run).why(), "At most 31 images were attacked, and a verdict takes 32.");
    let mut run = held();
    run.attacks.retain(|record| !record.adaptive);
    assert_eq!(refusal(&run), Refusal::NaiveAlone);
    let mut run = held();
    for record in &mut run.attacks {
        record.judged.as_mut().unwrap().doubt = Some("it still got better".to_owned());
    }
    let Refusal::Attackers(doubts) = refusal(&run) else { panic!() };
    assert!(doubts.len() == 1 && doubts[0].0 == "adaptive inverse after epoch 2", "{doubts:?}");
    assert!(doubts[0].1.contains("it still got better"), "{doubts:?}");
}

#[test]
fn no_verdict_rests_on_models_that_are_not_ready() {
    let mut run = held();
    run.epochs[0].accuracy = 70.0;
    assert_eq!(refusal(&run), Refusal::StillLearning(vec![(0, Some(70.0), 90.0)]));
    run.epochs.remove(0);
    assert!(refusal(&run).why().ends_with("rose to 90.0 % in the only one (seed 0)."));
    let mut run = held();
    run.rows.iter_mut().for_each(|row| row.accuracy = 12.5);
    assert!(refusal(&run).why().starts_with("The model is of no use: it is right for 12.5"));
    let mut run = held();
    run.rows.iter_mut().for_each(|row| row.images = 100);
    let small = refusal(&run);
    assert!(small.why().starts_with("The test set is too small: on its 100 images"), "{small:?}");
    // ± 1.96 · 3 points are 11.76, so that (11.76 / 10)² as many are needed.
    assert_eq!(small.needed(), "Test on about 139 images or more.");
}

#[test]
fn a_model_at_its_best_epoch_has_stopped_learning() {
    let mut run = held();
    run.epochs[0].accuracy = 70.0;
    let target = run.epochs[0].model.clone();
    run.final_epoch = Some(crate::run::by_model::ByModel::new([(target, Some(1))]));
    assert_eq!(outcome(&run), Outcome::NotShown);
}

//! What the scores come to, on made-up records.

use super::*;
use crate::score::image::mean_and_error;
use crate::score::labels::labels_right;
use crate::score::paired::lead;
use crate::score::record::{Each, Judged, Lead};

/// An attack that picked the first `hits` of `n` targets, where the best guess picks every eighth.
fn attack(name: &str, adaptive: bool, epoch: usize, hits: usize, n: usize) -> AttackRecord {
    let picked: Vec<f64> = (0..n).map(|i| if i < hits { 100.0 } else { 0.0 }).collect();
    let guessed: Vec<f64> = (0..n).map(|i| if i % 8 == 7 { 100.0 } else { 0.0 }).collect();
    let (mean, se, p) = lead(&picked, &guessed);
    let floor = mean_and_error(&guessed).0;
    let ssim: Vec<f64> = picked.iter().map(|p| 0.3 + p / 200.0).collect();
    AttackRecord {
        name: name.to_owned(),
        adaptive,
        target: "dropout".to_owned(),
        epoch,
        images: n,
        iterations: 300,
        ssim: mean_and_error(&ssim).0,
        lineup: Some(mean_and_error(&picked).0),
        judged: Some(Judged {
            each: Each { ssim, picked: picked.iter().map(|p| Some(p / 100.0)).collect(), patients: None },
            lead: Some(Lead { over: "class_image".to_owned(), of: "lineup".to_owned(), floor, mean, se, p }),
            ..Judged::default()
        }),
        ..AttackRecord::default()
    }
}

fn doubted(mut record: AttackRecord) -> AttackRecord {
    record.judged.as_mut().unwrap().doubt = Some("only 20 steps".to_owned());
    record
}

fn rows(accuracy: f64) -> Vec<Row> {
    let name = "fused".to_owned();
    vec![Row { name, accuracy, balanced_accuracy: accuracy, majority: 12.0, images: 400, ..Row::default() }]
}

fn epochs(accuracy: f64) -> Vec<EpochRow> {
    (1..=6).map(|epoch| EpochRow { model: "dropout".to_owned(), epoch, accuracy, ..EpochRow::default() }).collect()
}

fn verdict(attacks: &[AttackRecord], accuracy: f64) -> Verdict {
    let (rows, epochs) = (rows(accuracy), epochs(accuracy));
    Case { attacks, epochs: &epochs, rows: &rows }.verdicts().swap_remove(0)
}

fn standing(attacks: &[AttackRecord], accuracy: f64) -> Standing {
    verdict(attacks, accuracy).standing
}

#[test]
fn an_attack_that_leads_the_floor_broke_it_and_one_that_does_not_shows_that_it_held() {
    let naive = attack("inverse", false, 6, 9, 64);
    assert_eq!(standing(&[naive.clone(), attack("inverse", true, 6, 60, 64)], 95.0), Standing::Broke);
    assert_eq!(standing(&[naive.clone(), attack("inverse", true, 6, 9, 64)], 95.0), Standing::Held);
    assert_eq!(standing(&[naive], 95.0), Standing::ProvesNothing, "a naive attacker shows nothing for a defence");
    let nobody = Case { attacks: &[], epochs: &[], rows: &[] };
    assert!(nobody.verdicts().is_empty() && nobody.rulings().is_empty());
}

#[test]
fn weak_evidence_can_break_and_never_shows_that_it_held() {
    let weak = doubted(attack("inverse", true, 6, 9, 64));
    assert_eq!(standing(&[weak], 95.0), Standing::TooWeak);
    assert_eq!(standing(&[doubted(attack("inverse", true, 6, 60, 64))], 95.0), Standing::Broke);
    assert_eq!(standing(&[attack("inverse", true, 6, 9, 64)], 13.0), Standing::TooWeak, "a model at majority");
    assert_eq!(standing(&[attack("inverse", true, 0, 9, 64)], 95.0), Standing::TooWeak, "untrained");
    for (hits, n) in [(1, 1), (8, 8), (31, 31)] {
        assert_eq!(standing(&[attack("rmle", true, 6, hits, n)], 95.0), Standing::TooWeak, "{n} targets");
    }
    let going = Case { attacks: &[attack("inverse", true, 6, 9, 64)], epochs: &epochs(95.0), rows: &[] };
    assert_eq!(going.verdicts()[0].standing, Standing::TooWeak, "the table is not filled in yet");
}

#[test]
fn the_worst_leak_is_the_highest_mean_at_whatever_epoch_and_whenever_launched() {
    let mut afterwards = attack("rmle", false, 6, 20, 64);
    let all = [attack("inverse", true, 1, 60, 64), attack("inverse", true, 6, 40, 64), afterwards.clone()];
    let words = |all: &[AttackRecord]| verdict(all, 95.0).sentences[0].clone();
    assert!(
        words(&all).starts_with("Worst leak of dropout: adaptive inverse after epoch 1, SSIM 0.769"),
        "{}",
        words(&all)
    );
    afterwards.ssim = 0.9;
    assert!(
        words(&[all[0].clone(), afterwards]).starts_with("Worst leak of dropout: naive rmle after epoch 6, SSIM 0.900")
    );
    let guess = AttackRecord { name: "nearest".to_owned(), iterations: 0, ssim: 0.99, ..all[0].clone() };
    assert!(words(&[guess, all[1].clone()]).contains("inverse after epoch 6"), "an oracle is no attack");
}

#[test]
fn looking_at_many_attacks_is_paid_for() {
    // Seven more than the guess of 64: worth .02 alone.
    let one = attack("inverse", true, 6, 16, 64);
    let p = lead_of(&one).unwrap().p;
    assert!(p < ALPHA && p * 20.0 > ALPHA, "{p}");
    assert_eq!(standing(std::slice::from_ref(&one), 95.0), Standing::Broke);
    let many: Vec<AttackRecord> = (0..20).map(|_| one.clone()).collect();
    assert_eq!(standing(&many, 95.0), Standing::Held);
    // Attacks at another model are another question.
    let elsewhere = many.iter().map(|record| AttackRecord { target: "vanilla".to_owned(), ..record.clone() });
    let all: Vec<AttackRecord> = elsewhere.chain([one]).collect();
    assert_eq!(standing(&all, 95.0), Standing::Broke);
}

#[test]
fn the_upper_bound_stands_apart_and_its_floor_has_as_many_tries() {
    let mut guess = attack("class_image", false, 6, 8, 64);
    guess.iterations = 0;
    guess.judged.as_mut().unwrap().tries = vec![0.31, 0.41, 0.51];
    let (mut a, mut b) = (attack("inverse", true, 6, 60, 64), attack("rmle", true, 6, 60, 64));
    a.judged.as_mut().unwrap().each.ssim = [vec![0.8; 32], vec![0.2; 32]].concat();
    b.judged.as_mut().unwrap().each.ssim = [vec![0.2; 32], vec![0.6; 32]].concat();
    let few = attack("rmle", false, 6, 8, 8);
    let sentences = verdict(&[guess, a, b, few], 95.0).sentences;
    let upper = sentences.last().unwrap();
    assert!(
        upper.starts_with("Upper bound for dropout, no attacker's: the best of 2 attacks for each of 64"),
        "{upper}"
    );
    assert!(upper.contains("similarity of 0.700; the best of as many random images of the class: 0.410."), "{upper}");
    assert!(!sentences[0].contains("0.700"), "it never leads");
    assert_eq!(verdict(&[attack("inverse", true, 6, 60, 64)], 95.0).sentences.len(), 2, "one attack has no best of");
}

#[test]
fn records_of_older_builds_are_shown_and_not_judged() {
    let old = AttackRecord { judged: None, ..attack("rmle", true, 6, 60, 64) };
    let verdict = verdict(&[old], 95.0);
    assert_eq!(verdict.standing, Standing::NotMeasured);
    assert!(verdict.sentences[0].contains("older build") && verdict.sentences[1].contains("attack the run again"));
    let json = serde_json::to_value(&verdict).unwrap();
    assert_eq!(json["standing"], "not measured");
}

#[test]
fn an_attack_without_images_is_judged_by_its_labels_and_one_with_both_by_its_images() {
    let truth: Vec<u32> = (0..64).map(|i| i % 4).collect();
    let labelled = |found: &[u32], images: Option<AttackRecord>| {
        let (right, chance, lead) = labels_right(found, &truth);
        let made_none = AttackRecord {
            judged: Some(Judged { lead: Some(lead), ..Judged::default() }),
            target: "dropout".to_owned(),
            adaptive: true,
            epoch: 6,
            ..AttackRecord::without_images(64)
        };
        AttackRecord { labels_right: Some(right), labels_chance: Some(chance), ..images.unwrap_or(made_none) }
    };
    let told = |records: &[AttackRecord]| {
        let (rows, epochs) = (rows(95.0), epochs(95.0));
        let case = Case { attacks: records, epochs: &epochs, rows: &rows };
        (case.rulings()[0].clone().unwrap(), case.verdicts().swap_remove(0))
    };
    let (ruling, verdict) = told(&[labelled(&truth, None)]);
    assert_eq!((ruling.standing, verdict.standing), (Standing::Broke, Standing::Broke));
    assert!(ruling.why.starts_with("Leads \u{201c}chance\u{201d} (25.0 %): +75.0 \u{b1} 5.5 points of labels right"));
    assert_eq!(verdict.sentences.len(), 1, "no worst picture where there is none: {:?}", verdict.sentences);
    assert_eq!(told(&[labelled(&[0; 64], None)]).0.standing, Standing::Held, "a constant answer is no leak");
    // Images decide, and what the labels come to stands beside.
    let (ruling, verdict) = told(&[labelled(&truth, Some(attack("both", true, 6, 60, 64))), labelled(&truth, None)]);
    let beside = " Labels right: 100.0 \u{b1} 1.5 % (always naming the commonest class: 25.0 %).";
    assert!(ruling.why.contains("points of line-ups") && ruling.why.ends_with(beside), "{}", ruling.why);
    assert!(!verdict.sentences.iter().any(|sentence| sentence.starts_with("Upper bound")), "one of two has images");
    let scores = AttackRecord { target: "dropout".to_owned(), epoch: 6, ..AttackRecord::without_images(64) };
    assert_eq!(told(std::slice::from_ref(&scores)).0.standing, Standing::NotMeasured);
    assert!(told(&[scores]).0.why.starts_with("It hands over neither images nor labels"));
}

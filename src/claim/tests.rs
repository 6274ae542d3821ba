//! The rule on made-up results, the search on a made-up model, and the test of the claim on made-up runs.

use super::noise::matched;
use super::*;
use crate::anchor::Kept;
use crate::error::Error;
use crate::run::launch::Means;
use crate::run::summary::{EpochRow, Summary};
use crate::score::record::{Each, Judged, Lead};

fn lead(mean: f64, se: f64) -> Lead {
    let p = if mean > 0.0 { 1e-6 } else { 1.0 };
    Lead { over: "class_mean".to_owned(), of: "lineup".to_owned(), floor: 12.0, mean, se, p }
}

fn attack(name: &str, mean: f64, se: f64, doubt: Option<&str>) -> Attacked {
    let judged = Judged { lead: Some(lead(mean, se)), doubt: doubt.map(str::to_owned), ..Judged::default() };
    let record = AttackRecord {
        name: name.to_owned(),
        target: "noise".to_owned(),
        images: 36,
        iterations: 9,
        epoch: 4,
        ssim: 0.5,
        judged: Some(judged),
        ..AttackRecord::default()
    };
    Attacked { record, leads: vec![mean; 3] }
}

fn model(part: Part, attacks: Vec<Attacked>) -> Model {
    let trained = |seed| Trained { seed, accuracy: 88.0, strength: 0.3, apart: 0.5 };
    Model {
        name: format!("{part:?}"),
        symbol: "σ".to_owned(),
        part,
        trained: (0..3).map(trained).collect(),
        attacks,
        guesses: Vec::new(),
    }
}

/// One kind of noise, attacked so, where `dlg` and `inverting` work undefended and `idlg` does not.
fn under(noise: Model) -> Tested {
    let undefended =
        [attack("dlg", 50.0, 8.0, None), attack("inverting", 80.0, 5.0, None), attack("idlg", 9.0, 8.0, None)];
    Tested { models: vec![model(Part::Undefended, undefended.into()), noise], ..Tested::default() }
}

fn says(noise: Model) -> Says {
    under(noise).says()
}

#[test]
fn noise_does_not_stop_what_gets_through_it_and_works_without_it() {
    let noise = |attacks| model(Part::Noise, attacks);
    assert_eq!(under(noise(Vec::new())).working(), ["dlg", "inverting"]);
    let nothing = || vec![attack("dlg", 1.0, 8.0, None), attack("inverting", -3.0, 5.0, None)];
    for (more, expected) in [
        (attack("dlg", 30.0, 8.0, None), Says::Holds),
        // A doubt is nothing against an attack that gets through.
        (attack("dlg", 30.0, 8.0, Some("it was short")), Says::Holds),
        (attack("dlg", 15.0, 8.0, None), Says::DoesNotHold),
        (attack("dlg", 15.0, 8.0, Some("it was short")), Says::NoEvidence),
        // What does not work undefended is no witness, neither way.
        (attack("idlg", 60.0, 8.0, None), Says::DoesNotHold),
        (attack("idlg", 1.0, 8.0, Some("it was short")), Says::DoesNotHold),
        (Attacked { leads: vec![90.0, 0.0, 0.0], ..attack("dlg", 30.0, 8.0, None) }, Says::DoesNotHold),
    ] {
        let attacks = nothing().into_iter().chain([more.clone()]).collect();
        assert_eq!(says(noise(attacks)), expected, "{more:?}");
    }
}

#[test]
fn few_targets_poor_models_other_accuracies_and_weak_attacks_are_no_evidence() {
    let noise = || model(Part::Noise, vec![attack("inverting", 70.0, 6.0, None)]);
    assert_eq!(says(noise()), Says::Holds);
    let with = |change: fn(&mut Model)| {
        let mut noise = noise();
        change(&mut noise);
        let tested = under(noise);
        (tested.says(), tested.ruling(&tested.models[1]).why)
    };
    for (change, why) in [
        ((|noise| noise.attacks[0].record.images = 31) as fn(&mut Model), "31 targets are too few"),
        (|noise| noise.trained[1].accuracy = 79.9, "of no use"),
        (|noise| noise.trained[2].apart = 1.1, "the nearest, σ 0.300, is +1.1 points away"),
    ] {
        let (says, found) = with(change);
        assert!(says == Says::NoEvidence && found.contains(why), "{found}");
    }
    let mut weak = under(noise());
    weak.models[0].attacks.iter_mut().for_each(|attacked| attacked.leads[0] = -1.0);
    assert_eq!(weak.says(), Says::NoEvidence);
    assert_eq!(Tested::default().says(), Says::NoEvidence);
    // One kind of noise that stops them is enough, one of which nothing is known leaves it open.
    let mut both = under(noise());
    both.models.push(Model { trained: model(Part::Noise, vec![]).trained, ..model(Part::Noise, Vec::new()) });
    assert_eq!(both.says(), Says::NoEvidence);
    both.models[2].attacks = vec![attack("inverting", 0.0, 6.0, None)];
    assert_eq!(both.says(), Says::DoesNotHold);
}

#[test]
fn a_strength_is_found_within_a_point_or_the_nearest_is_taken() {
    let tries = std::cell::Cell::new(0);
    let mut falls = |strength: f64| {
        tries.set(tries.get() + 1);
        Ok(95.0 - 3.0 * strength)
    };
    let found = matched(88.0, 5.0, None, &mut falls).unwrap();
    assert!((95.0 - 3.0 * found - 88.0).abs() <= 1.0, "{found}");
    assert!(tries.get() <= 6, "{tries:?}");
    assert_eq!(matched(88.0, 5.0, Some(2.2), &mut falls).unwrap(), 2.2, "what fitted before is asked first");
    assert_eq!(matched(60.0, 5.0, None, &mut falls).unwrap(), 5.0, "the strongest is the nearest");
    // A cliff: from the top to the bottom.
    let found = matched(88.0, 5.0, None, &mut |strength| Ok(if strength < 0.31 { 92.0 } else { 11.0 })).unwrap();
    assert!(found < 0.31, "{found}");
    assert!(matched(88.0, 5.0, None, &mut |_| Err(Error::Stopped)).is_err());
}

/// What a run of one model comes to, if accuracy falls with the strength of noise.
fn made(experiment: &crate::experiment::Experiment, seen: usize) -> Summary {
    let name = experiment.stack().unwrap().label();
    let name = if name.is_empty() { crate::split::UNDEFENDED.to_owned() } else { name };
    let sigma = experiment.defences.first().map(|spec| spec.0.values.real("sigma").unwrap());
    let accuracy = sigma.map_or(if experiment.defended() { 88.0 } else { 93.0 }, |sigma| 93.0 - 4.0 * sigma);
    let record = |name: &str, iterations| AttackRecord {
        name: name.to_owned(),
        adaptive: experiment.attacks.iter().all(|spec| !spec.naive),
        target: name.to_owned(),
        epoch: 4,
        images: seen,
        iterations,
        ssim: 0.6,
        judged: Some(Judged {
            each: Each {
                ssim: vec![0.6; seen],
                picked: vec![Some(if iterations > 0 { 1.0 } else { 0.0 }); seen],
                patients: None,
            },
            lead: Some(lead(80.0, 5.0)),
            ..Judged::default()
        }),
        ..AttackRecord::default()
    };
    let attacks = experiment.attacks.iter().map(|spec| AttackRecord { target: name.clone(), ..record(spec.name(), 9) });
    let guess = (!experiment.attacks.is_empty()).then(|| AttackRecord { adaptive: false, ..record("class_mean", 0) });
    Summary {
        experiment: experiment.clone(),
        seed: experiment.seed,
        epochs: vec![EpochRow { model: name.clone(), epoch: 4, accuracy, ..EpochRow::default() }],
        attacks: attacks.chain(guess).collect(),
        ..Summary::default()
    }
}

#[test]
fn every_model_is_trained_for_each_seed_and_noise_brought_to_one_accuracy() {
    let mut told = Vec::new();
    let mut experiments = Vec::new();
    let set = ["data.test=500".to_owned()];
    let wanted = Wanted { means: Means::Quick, seeds: &SEEDS, set: &set };
    let tested = tested(wanted, &mut |words, experiment| {
        told.push(words.to_owned());
        experiments.push(experiment.clone());
        Ok(made(&experiment, 12))
    })
    .unwrap();
    let parts: Vec<Part> = tested.models.iter().map(|model| model.part).collect();
    assert_eq!(parts, [Part::Undefended, Part::Noise, Part::Noise, Part::Beside]);
    for model in &tested.models {
        assert_eq!(model.trained.iter().map(|one| one.seed).collect::<Vec<_>>(), SEEDS);
        assert_eq!(model.attacks.len(), 3, "{}", model.name);
        assert!(model.attacks.iter().all(|one| one.record.images == 36 && one.leads.len() == 3), "{}", model.name);
        assert_eq!(model.label_only().map(|guess| guess.images), Some(36));
        let apart =
            |one: &Trained| model.part != Part::Noise || (one.accuracy - 88.0).abs() <= 1.0 && one.apart.abs() <= 1.0;
        assert!(model.trained.iter().all(apart), "{:?}", model.trained);
    }
    assert!(experiments.iter().all(|experiment| experiment.data.test == 500));
    assert!(told[0].starts_with("seed 0: ") && experiments.iter().any(|one| one.attacks.is_empty()));
    assert_eq!(tested.says(), Says::Holds);
    let text = report(&tested);
    assert!(text.contains("The claim: holds") && text.contains("with data.test=500"), "{text}");
    assert!(text.contains("image-noise: does not stop them. Leads"), "{text}");
    // It comes back from its file as it was.
    let kept = Kept { results: vec![tested], ..Kept::default() };
    let again: Kept<Tested> = serde_json::from_str(&serde_json::to_string(&kept).unwrap()).unwrap();
    assert_eq!(again.results, kept.results);
}

#[test]
fn the_kept_result_can_be_read_and_was_made_by_the_rules() {
    let kept: Kept<Tested> = serde_json::from_str(include_str!("../../assets/claim.json")).unwrap();
    for tested in &kept.results {
        assert!(!kept.date.is_empty() && kept.command.starts_with("cutlayer claim noise"));
        assert!(tested.set.iter().all(|set| kept.command.contains(set)), "the command says all that was changed");
        let parts: Vec<Part> = tested.models.iter().map(|model| model.part).collect();
        assert_eq!(parts, [Part::Undefended, Part::Noise, Part::Noise, Part::Beside]);
        for model in &tested.models {
            assert_eq!(model.trained.len(), SEEDS.len());
            assert!(model.attacks.iter().all(|one| crate::workbench::attack(one.record.kind()).is_some()));
            assert!(model.label_only().is_some());
        }
    }
}

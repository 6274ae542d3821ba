//! What a report says of patients: how leaks are spread over them, and who is found again.

use std::fmt::Write as _;

use super::table;
use crate::random::Seed;
use crate::run::summary::Summary;
use crate::score::patients::{Spread, by_patient};
use crate::score::people::{Excess, Reidentified};
use crate::score::record::AttackRecord;
use crate::score::verdict::{attack_words, is_attack};
use crate::workbench;

/// What the bootstrap draws by.
const SEED: Seed = Seed(0);

/// How SSIM is spread over patients, each counted by the most exposed of their images; of images where patients are not known.
pub fn spread(record: &AttackRecord, patients: Option<&[u32]>) -> Option<Spread> {
    let judged = record.judged.as_ref()?;
    let each = &judged.each.ssim;
    let images: Vec<u32> = (0..each.len() as u32).collect();
    // Attacks at fewer images have the first ones.
    let known = judged.each.patients.as_deref().or(patients).and_then(|patients| patients.get(..each.len()));
    let unit = if known.is_some() { "patient" } else { "image" };
    Spread::of(&by_patient(each, known.unwrap_or(&images)), unit, SEED)
}

/// The same of each attack after the training.
pub fn spreads<'a>(records: &'a [AttackRecord], patients: Option<&[u32]>) -> Vec<(&'a AttackRecord, Spread)> {
    let attacks = || records.iter().filter(|record| is_attack(record));
    let last = attacks().map(|record| record.epoch).max();
    let of_last = attacks().filter(|record| Some(record.epoch) == last);
    of_last.filter_map(|record| Some((record, spread(record, patients)?))).collect()
}

/// What finds patients beyond what an outline and two numbers do: above both by the same measure.
pub fn beyond(rows: &[Reidentified]) -> Vec<&Reidentified> {
    let real = |row: &&Reidentified| {
        let both = row.over_silhouette.zip(row.over_two_numbers);
        both.is_some_and(|(outline, numbers)| (0..2).any(|k| outline[k].is_real() && numbers[k].is_real()))
    };
    rows.iter().filter(real).collect()
}

/// Leaks by patient, of the attacks after the training; nothing where there is none.
pub(super) fn leaks(summary: &Summary) -> String {
    let all = spreads(&summary.attacks, summary.target_patients.as_deref());
    let Some((_, first)) = all.first() else { return String::new() };
    let unit = first.unit.clone();
    let mut own = table(&["attack", "mean", "median", "95th percentile", "worst", &format!("which {unit}")]);
    for (record, spread) in &all {
        let mean = match spread.ci {
            Some([low, high]) => format!("{:.3} [{low:.3}, {high:.3}]", spread.mean),
            None => format!("{:.3}", spread.mean),
        };
        let which = if unit == "patient" {
            format!("{}, target {}", spread.worst_unit, spread.worst_image)
        } else {
            spread.worst_image.to_string()
        };
        own.add_row([
            format!("{}: {}", workbench::paper_word(&record.target), attack_words(record)),
            mean,
            format!("{:.3}", spread.median),
            format!("{:.3}", spread.p95),
            format!("{:.3}", spread.worst),
            which,
        ]);
    }
    let whose = if unit == "patient" { " (each by the most exposed of their images; numbers, not names)" } else { "" };
    format!("\nSSIM by {unit}{whose}: a mean hides the one who is recognised\n{own}\n")
}

/// Who is found again; nothing where that was not measured.
pub(super) fn found(summary: &Summary) -> String {
    let Some(first) = summary.reidentified.first() else { return String::new() };
    let mut own = table(&[
        "found by",
        "first of all, % [95 %]",
        "same person or not, AUC [95 %]",
        "above the silhouette: %, AUC",
        "above area and brightness: %, AUC",
    ]);
    for row in &summary.reidentified {
        own.add_row([
            words(row),
            format!("{:.1} [{:.1}, {:.1}]", row.rank1, row.rank1_ci[0], row.rank1_ci[1]),
            format!("{:.3} [{:.3}, {:.3}]", row.verification, row.verification_ci[0], row.verification_ci[1]),
            excess(row.over_silhouette.as_ref()),
            excess(row.over_two_numbers.as_ref()),
        ]);
    }
    let mut text = format!(
        "\nPatients found again among {} by another image of theirs (chance {:.1} %; * is beyond chance at 95 %, paired over \
         patients)\n{own}\n",
        first.probes / 2,
        first.chance
    );
    let told: Vec<String> = beyond(&summary.reidentified).into_iter().map(words).collect();
    let _ = match told.as_slice() {
        [] => writeln!(
            text,
            "No attack finds patients better than an outline, or two numbers, would: re-identification is not shown."
        ),
        told => {
            writeln!(text, "Beyond what outline, area and brightness give, patients are found by {}.", told.join("; "))
        }
    };
    text
}

/// What is read off stolen images; nothing where that was not asked for.
pub(super) fn read_off(summary: &Summary) -> String {
    if summary.read_off.is_empty() {
        return String::new();
    }
    let mut own =
        table(&["labels", "read off", "images", "balanced, % [95 %]", "right, %", "majority, %", "chance, %"]);
    for one in &summary.read_off {
        let balanced = match one.row.ci.get("balanced_accuracy") {
            Some([low, high]) => format!("{:.1} [{low:.1}, {high:.1}]", one.row.balanced_accuracy),
            None => format!("{:.1}", one.row.balanced_accuracy),
        };
        let what = match &one.target {
            Some(target) => of_attack(&one.name, target, one.adaptive),
            None => "the images as they are".to_owned(),
        };
        own.add_row([
            one.labels.clone(),
            what,
            one.row.images.to_string(),
            balanced,
            format!("{:.1}", one.row.accuracy),
            format!("{:.1}", one.row.majority),
            format!("{:.1}", 100.0 / one.classes as f64),
        ]);
    }
    format!(
        "\nRead off stolen images by a classifier of the judge's own, trained on clean training images (where it reads nothing off \
         the images as they are, the rest means nothing)\n{own}\n"
    )
}

fn of_attack(name: &str, target: &str, adaptive: Option<bool>) -> String {
    let mode = match (target, adaptive) {
        ("vanilla", _) | (_, None) => "",
        (_, Some(true)) => "adaptive ",
        (_, Some(false)) => "naive ",
    };
    format!("{}: {mode}{name}", workbench::paper_word(target))
}

/// What a row is of.
pub fn words(row: &Reidentified) -> String {
    let what = match (row.name.as_str(), &row.target) {
        (name, Some(target)) => of_attack(name, target, row.adaptive),
        ("original", _) => "the undisguised image itself".to_owned(),
        ("silhouette", _) => "its silhouette alone".to_owned(),
        ("two_numbers", _) => "its area and brightness alone".to_owned(),
        ("mean", _) => "the same image for all".to_owned(),
        ("noise", _) => "noise".to_owned(),
        (name, None) => name.to_owned(),
    };
    if row.outline_removed { format!("{what}, outline removed") } else { what }
}

/// `+3.1*, +0.012`.
fn excess(two: Option<&[Excess; 2]>) -> String {
    let Some([rank, verification]) = two else { return "–".to_owned() };
    let star = |excess: &Excess| if excess.is_real() { "*" } else { "" };
    format!("{:+.1}{}, {:+.3}{}", rank.value, star(rank), verification.value, star(verification))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::fixture::{DEFENDED, TITLE};
    use crate::score::record::{Each, Judged};

    fn record(ssim: Vec<f64>) -> AttackRecord {
        let judged =
            Some(Judged { each: Each { picked: vec![None; ssim.len()], ssim, patients: None }, ..Judged::default() });
        AttackRecord {
            name: "rmle".into(),
            target: "vanilla".into(),
            epoch: 2,
            images: 4,
            iterations: 1,
            judged,
            ..AttackRecord::default()
        }
    }

    #[test]
    fn leaks_are_told_by_patient_with_the_worst() {
        let attacks = vec![record(vec![0.1, 0.9, 0.3, 0.2])];
        let summary = Summary { attacks, target_patients: Some(vec![7, 7, 8, 9, 9]), ..Summary::default() };
        let text = leaks(&summary);
        assert!(text.contains("| 0.467 |  0.300 |") && text.contains("| 0.900 |   7, target 1 |"), "{text}");
        let text = leaks(&Summary { target_patients: None, ..summary });
        assert!(text.contains("SSIM by image:") && text.contains("0.375"), "{text}");
        assert_eq!(leaks(&Summary::default()), "");
    }

    #[test]
    fn only_what_is_above_outline_and_numbers_is_said_to_find_anybody() {
        let excess = |low: f64| Some([Excess { value: low + 1.0, ci: [low, low + 2.0] }; 2]);
        let row = |silhouette: f64, numbers: f64| Reidentified {
            name: "inverse".into(),
            target: Some(DEFENDED.into()),
            adaptive: Some(true),
            probes: 322,
            over_silhouette: excess(silhouette),
            over_two_numbers: excess(numbers),
            ..Reidentified::default()
        };
        let told = |row: Reidentified| found(&Summary { reidentified: vec![row], ..Summary::default() });
        let text = told(row(0.5, 0.5));
        assert!(
            text.contains("among 161") && text.contains(&format!("patients are found by {TITLE}: adaptive inverse.")),
            "{text}"
        );
        assert!(text.contains("+1.5*, +1.500*"), "{text}");
        assert!(told(row(0.5, -0.5)).contains("re-identification is not shown"));
        assert_eq!(found(&Summary::default()), "");
    }
}

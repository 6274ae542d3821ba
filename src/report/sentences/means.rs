//! Which means were used, which were not, and the regulator's words for both.

use std::collections::BTreeSet;

use super::listed;
use crate::report::gather::{Gathered, Model};
use crate::run::summary::AttackRecord;
use crate::score::verdict::is_attack;
use crate::workbench;

/// Each attacker that was tried: what it saw and knew, on how many images, with what effort, and whether it did its best.
pub fn tried(all: &Gathered) -> Vec<String> {
    let records: Vec<&AttackRecord> = models(all).flat_map(Model::last_attacks).collect();
    let mut seen = BTreeSet::new();
    let mut told = Vec::new();
    for record in &records {
        if seen.insert((&record.name, record.adaptive)) {
            let same = |other: &&&AttackRecord| (&other.name, other.adaptive) == (&record.name, record.adaptive);
            let alike: Vec<&AttackRecord> = records.iter().filter(same).copied().collect();
            told.push(one(&alike));
        }
    }
    told.sort();
    told
}

fn models(all: &Gathered) -> impl Iterator<Item = &Model> {
    all.settings.iter().flat_map(|setting| &setting.models)
}

/// What is told of one attacker, from its records.
fn one(records: &[&AttackRecord]) -> String {
    let record = records[0];
    let (name, knows) = (&record.name, if record.adaptive { ", knowing the defence" } else { "" });
    let most = records.iter().map(|record| record.images).max().unwrap_or(0);
    let budgets: BTreeSet<&str> = records.iter().filter_map(|record| record.budget.as_deref()).collect();
    let effort = match budgets.into_iter().collect::<Vec<_>>().as_slice() {
        [] => String::new(),
        budgets => format!("; effort: {}", listed(budgets)),
    };
    let saw = if record.sees.is_empty() {
        String::new()
    } else {
        let known = if record.knows.is_empty() { "the architecture alone".to_owned() } else { listed(&record.knows) };
        format!(" saw {} and knew {known};", listed(&record.sees))
    };
    let doubted = records.iter().filter(|record| record.judged.as_ref().is_some_and(|judged| judged.doubt.is_some()));
    let best = match (doubted.count(), records.len()) {
        (0, _) => String::new(),
        (n, all) if n == all => "; it may not have done its best".to_owned(),
        (n, all) => format!("; in {n} of {all} attacks it may not have done its best"),
    };
    format!("{name}{knows}:{saw} at most {most} images a model{effort}{best}.")
}

/// What was not tried.
pub fn untried(all: &Gathered) -> Vec<String> {
    let records: Vec<&AttackRecord> =
        models(all).flat_map(|model| &model.attacks).filter(|record| is_attack(record)).collect();
    let used: BTreeSet<&str> = records.iter().map(|record| record.kind()).collect();
    let others: Vec<&str> = workbench::attacks().iter().map(|kind| kind.id).filter(|id| !used.contains(id)).collect();
    let mut told = Vec::new();
    if !others.is_empty() {
        told.push(format!("Of the attacks that this program has: {}.", listed(&others)));
    }
    let defended = || all.settings.iter().filter(|setting| setting.defended());
    let naive: Vec<&str> = defended()
        .filter(|setting| !setting.models.iter().any(|model| model.last_attacks().any(|record| record.adaptive)))
        .map(|setting| setting.label.as_str())
        .collect();
    if !naive.is_empty() {
        told.push(format!("An attacker who knows the defence, at {}.", listed(&naive)));
    }
    told.push(
        "Attacks that are not published yet, or that have more time, more images of their own or other knowledge."
            .to_owned(),
    );
    told.push(
        "A person who knows the patient and looks at the stolen picture: line-ups are judged by a computer.".to_owned(),
    );
    told.push(
        "Everything outside the cut: the machines, the people, the labels, other data about the same patients."
            .to_owned(),
    );
    told
}

/// The regulator's wording, and which means it is about here.
pub fn regulator(all: &Gathered) -> String {
    let used: BTreeSet<&str> = models(all).flat_map(Model::last_attacks).map(|record| record.name.as_str()).collect();
    let used: Vec<&str> = used.into_iter().collect();
    let used = match used.as_slice() {
        [] => "no means was used".to_owned(),
        [one] => format!("the means used was the attack {one}"),
        all => format!("the means used were the attacks {}", listed(all)),
    };
    format!(
        "The European Data Protection Board (Opinion 28/2024, on AI models) calls a model anonymous only where the likelihood of \
         obtaining personal data from it is insignificant, taking into account \u{201c}all the means reasonably likely to be \
         used\u{201d} by the controller or another person. Held against what crosses this cut, {used}, as listed here; those listed as \
         not tried were not. Whether what remains is an insignificant likelihood, and whether these are all the means reasonably \
         likely to be used, is for the controller to judge, and no measurement decides it."
    )
}

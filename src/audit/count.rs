//! From the attacks' records to what is said of a model.

use super::line::line;
use super::{Attacked, Audited, Mean, Rehearsed, Suite};
use crate::run::summary::AttackRecord;
use crate::score::floor::Guess;
use crate::score::image::mean_and_error;
use crate::score::metrics::LINEUP;
use crate::score::verdict::Case;

/// What the records of a suite's attacks come to, model by model, the defended one first: `records` of all seeds, those of the
/// rehearsal, and what was guessed of the same targets.
pub fn counted(
    suite: &Suite,
    records: &[AttackRecord],
    rehearsal: &[AttackRecord],
    floors: &[AttackRecord],
    not_covered: &[String],
) -> Vec<Audited> {
    let targets = Case { attacks: records, epochs: &[], rows: &[] }.targets();
    let one = |model: &str| {
        let attacks = attacks(suite, model, records, rehearsal);
        let chosen = chosen(&attacks)?;
        let mut audited = Audited {
            model: model.to_owned(),
            floor_lineup: floor(floors, |record| record.lineup),
            floor_ssim: floor(floors, |record| Some(record.ssim)),
            bound: bound(model, records),
            bound_floor: tries(floors, attacks.len()),
            rehearsed: attacks.iter().any(|attack| attack.rehearsed.is_some()),
            attacks,
            chosen,
            line: String::new(),
        };
        audited.line = line(suite.suite, &audited, not_covered);
        Some(audited)
    };
    targets.into_iter().filter_map(one).collect()
}

/// All attacks of the suite at a model, each form by itself.
fn attacks(suite: &Suite, model: &str, records: &[AttackRecord], rehearsal: &[AttackRecord]) -> Vec<Attacked> {
    let mut all = Vec::new();
    for part in &suite.attacks {
        for adaptive in [false, true] {
            let same = |record: &&AttackRecord| {
                record.name == part.name && record.adaptive == adaptive && record.target == model
            };
            let own: Vec<&AttackRecord> = records.iter().filter(same).collect();
            let before = rehearsal.iter().find(same);
            all.extend(attacked(&own, before));
        }
    }
    all
}

/// One attack over its seeds: each target's mean over them, and the mean of those.
fn attacked(own: &[&AttackRecord], rehearsal: Option<&AttackRecord>) -> Option<Attacked> {
    let first = own.first()?;
    let each = |of: &dyn Fn(&AttackRecord, usize) -> Option<f64>| -> Option<Mean> {
        let seeds = own.len() as f64;
        let of_target = |i: usize| Some(own.iter().map(|record| of(record, i)).sum::<Option<f64>>()? / seeds);
        let all: Vec<f64> = (0..first.images).filter_map(of_target).collect();
        let (mean, error) = mean_and_error(&all);
        (!all.is_empty()).then_some(Mean { mean, error: if error.is_finite() { error } else { 0.0 } })
    };
    let lineups = of_lineups(first);
    let picked =
        |record: &AttackRecord, i: usize| Some(100.0 * record.judged.as_ref()?.each.picked.get(i).copied().flatten()?);
    let ssim = |record: &AttackRecord, i: usize| record.judged.as_ref()?.each.ssim.get(i).copied();
    Some(Attacked {
        name: first.name.clone(),
        adaptive: first.adaptive,
        lineup: lineups.then(|| each(&picked)).flatten(),
        ssim: each(&ssim)?,
        by_seed: own.iter().map(|record| record.ssim).collect(),
        rehearsed: rehearsal.map(|record| Rehearsed { lineup: record.lineup.filter(|_| lineups), ssim: record.ssim }),
        doubt: own.iter().find_map(|record| record.judged.as_ref()?.doubt.clone()),
    })
}

/// Whether an attack is compared by line-ups: at least half of its targets have one.
fn of_lineups(record: &AttackRecord) -> bool {
    let lead = record.judged.as_ref().and_then(|judged| judged.lead.as_ref());
    lead.is_some_and(|lead| lead.of == LINEUP.key)
}

/// The attack that did best in the rehearsal, which its owner would launch. One that was not rehearsed is not chosen, unless
/// none was: then it is the one that did best. Of those that are equal in line-ups it is the one whose images are most alike.
fn chosen(attacks: &[Attacked]) -> Option<usize> {
    let measured = |attack: &Attacked| Rehearsed { lineup: attack.lineup.map(|one| one.mean), ssim: attack.ssim.mean };
    let none = attacks.iter().all(|attack| attack.rehearsed.is_none());
    let rated = |i: &usize| {
        let attack = &attacks[*i];
        let reached = if none { Some(measured(attack)) } else { attack.rehearsed };
        reached.map_or([f64::NEG_INFINITY; 2], |reached| [reached.lineup.unwrap_or(0.0), reached.ssim])
    };
    (0..attacks.len()).rev().max_by(|a, b| {
        let ([first, second], [other, another]) = (rated(a), rated(b));
        first.total_cmp(&other).then(second.total_cmp(&another))
    })
}

/// The best guess from the label alone.
fn floor(floors: &[AttackRecord], of: impl Fn(&AttackRecord) -> Option<f64>) -> Option<f64> {
    let of_label =
        |record: &&AttackRecord| matches!(Guess::named(&record.name), Some(Guess::ClassMean | Guess::ClassImage));
    floors.iter().filter(of_label).filter_map(of).filter(|value| value.is_finite()).max_by(f64::total_cmp)
}

/// The best attack for each target, chosen with the truth, over all forms and seeds.
fn bound(model: &str, records: &[AttackRecord]) -> f64 {
    let lists: Vec<&Vec<f64>> = records
        .iter()
        .filter(|record| record.target == model)
        .filter_map(|record| Some(&record.judged.as_ref()?.each.ssim))
        .filter(|list| !list.is_empty())
        .collect();
    let n = lists.iter().map(|list| list.len()).min().unwrap_or(0);
    let best = |i: usize| lists.iter().map(|list| list[i]).fold(f64::NEG_INFINITY, f64::max);
    mean_and_error(&(0..n).map(best).collect::<Vec<_>>()).0
}

/// The best of `n` random images of the class.
fn tries(floors: &[AttackRecord], n: usize) -> Option<f64> {
    let tries = floors.iter().filter_map(|record| record.judged.as_ref()).map(|judged| &judged.tries);
    let tries = tries.into_iter().find(|tries| !tries.is_empty())?;
    tries.get(n.saturating_sub(1)).or(tries.last()).copied()
}

//! A goal that somebody sets, as a teacher does: so accurate, and recognised so seldom. Whether a run has reached it.

use std::cmp::Ordering;

use serde::{Deserialize, Serialize};

use super::names::UNDEFENDED;
use super::record::{AttackRecord, EpochRow};
use super::verdict::{ENOUGH, Ruling, Standing, attack_words, is_attack};

/// What a model is to reach.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Goal {
    /// At least so many percent of the test images right.
    pub accuracy: f64,
    /// Less than so many percent of the targets picked from their line-ups, by the most successful attack.
    pub recognised: f64,
}

impl Default for Goal {
    fn default() -> Self {
        Self { accuracy: 95.0, recognised: 50.0 }
    }
}

/// Whether one half of a goal is reached.
#[derive(Clone, Debug, PartialEq)]
pub struct Check {
    /// None where nothing can be said yet.
    pub met: Option<bool>,
    /// What was measured, or why nothing can be said.
    pub words: String,
}

impl Check {
    fn new(met: Option<bool>, words: impl Into<String>) -> Self {
        Self { met, words: words.into() }
    }
}

impl Goal {
    /// Whether the model is accurate enough, by its last test.
    pub fn accuracy_of(&self, last: Option<&EpochRow>) -> Check {
        match last {
            Some(row) => {
                let words = format!("right {:.1} % after epoch {}", row.accuracy, row.epoch);
                Check::new(Some(row.accuracy >= self.accuracy), words)
            }
            None => Check::new(None, "not tested yet"),
        }
    }

    /// Whether the model `target` is recognised seldom enough, by its last attacks and what the one judge rules of each.
    ///
    /// That it is recognised too often is proved by any attacker with enough targets; that it is seldom enough only by
    /// one that knows the defence and did its best.
    pub fn recognised_of(&self, attacks: &[AttackRecord], rulings: &[Option<Ruling>], target: &str) -> Check {
        let of = |(record, _): &(&AttackRecord, &Option<Ruling>)| record.target == target && is_attack(record);
        let all: Vec<_> = attacks.iter().zip(rulings).filter(of).collect();
        let Some(last) = all.iter().map(|(record, _)| record.epoch).max() else {
            return Check::new(None, "no attack has been judged yet");
        };
        let latest = || all.iter().filter(|(record, _)| record.epoch == last);
        let counted = latest().filter_map(|(record, _)| Some((*record, picked(record)?)));
        let worst = counted.max_by(|(_, a), (_, b)| rate(*a).partial_cmp(&rate(*b)).unwrap_or(Ordering::Equal));
        let Some((record, (right, of))) = worst else {
            return Check::new(None, "no attack so far has line-ups");
        };
        let measured = format!("{right:.0} of {of} recognised by {}", attack_words(record));
        if of < ENOUGH {
            return Check::new(None, format!("{measured}: too few to judge"));
        }
        if rate((right, of)) >= self.recognised {
            return Check::new(Some(false), measured);
        }
        let knows = |record: &AttackRecord| target == UNDEFENDED || record.adaptive;
        let strong = |ruling: &Option<Ruling>| {
            let standing = ruling.as_ref().map(|ruling| ruling.standing);
            matches!(standing, Some(Standing::Broke | Standing::Held | Standing::ProvesNothing))
        };
        if latest().any(|(record, ruling)| knows(record) && strong(ruling)) {
            return Check::new(Some(true), measured);
        }
        let why = if latest().any(|(record, _)| knows(record)) {
            "the attackers are too weak to judge"
        } else {
            "no attacker who knows the defence has tried"
        };
        Check::new(None, format!("{measured}, but {why}"))
    }
}

/// Targets that were picked from their line-ups, and how many had one.
fn picked(record: &AttackRecord) -> Option<(f64, usize)> {
    let picked = &record.judged.as_ref()?.each.picked;
    let (mut right, mut of) = (0.0, 0);
    for share in picked.iter().copied().flatten() {
        right += share;
        of += 1;
    }
    (of > 0).then_some((right, of))
}

/// In percent.
fn rate((right, of): (f64, usize)) -> f64 {
    100.0 * right / of as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::score::record::{Each, Judged, Lead, Row};
    use crate::score::verdict::Case;

    fn record(adaptive: bool, right: usize, of: usize) -> AttackRecord {
        let picked = (0..of).map(|i| Some(if i < right { 1.0 } else { 0.0 })).collect();
        let lead = Some(Lead { of: "lineup".to_owned(), floor: 12.5, mean: 5.0, p: 0.5, ..Lead::default() });
        AttackRecord {
            name: "rmle".to_owned(),
            target: "dropout".to_owned(),
            adaptive,
            epoch: 2,
            images: of,
            judged: Some(Judged { each: Each { picked, ..Each::default() }, lead, ..Judged::default() }),
            ..AttackRecord::default()
        }
    }

    fn recognised(attacks: &[AttackRecord]) -> Check {
        let epochs = [EpochRow { model: "dropout".to_owned(), epoch: 2, accuracy: 96.0, ..EpochRow::default() }];
        let rows = [Row { majority: 11.0, images: 1000, ..Row::default() }];
        let rulings = Case { attacks, epochs: &epochs, rows: &rows }.rulings();
        Goal::default().recognised_of(attacks, &rulings, "dropout")
    }

    #[test]
    fn often_recognised_is_a_miss_and_seldom_is_a_hit_only_for_one_who_knew() {
        assert_eq!(recognised(&[]).met, None);
        let miss = Check::new(Some(false), "61 of 64 recognised by naive rmle after epoch 2");
        assert_eq!(recognised(&[record(false, 61, 64), record(true, 3, 64)]), miss);
        assert_eq!(recognised(&[record(true, 8, 8)]).met, None, "eight are no evidence");
        let unaware = recognised(&[record(false, 3, 64)]);
        assert!(unaware.met.is_none() && unaware.words.ends_with("no attacker who knows the defence has tried"));
        assert_eq!(recognised(&[record(false, 2, 64), record(true, 3, 64)]).met, Some(true));
        let mut doubtful = record(true, 3, 64);
        doubtful.judged.as_mut().unwrap().doubt = Some("it did not converge".to_owned());
        assert_eq!(recognised(&[doubtful]).met, None);
    }

    #[test]
    fn accuracy_is_that_of_the_last_test() {
        let row = EpochRow { epoch: 2, accuracy: 96.0, ..EpochRow::default() };
        let goal = Goal::default();
        assert_eq!(goal.accuracy_of(Some(&row)), Check::new(Some(true), "right 96.0 % after epoch 2"));
        assert_eq!(goal.accuracy_of(Some(&EpochRow { accuracy: 94.9, ..row })).met, Some(false));
        assert_eq!(goal.accuracy_of(None).met, None);
    }
}

//! Whether a setting leaks, or why that cannot be said and what it would take.
//!
//! It leaks where in any seed an attack leads every guess beyond chance ([`score::verdict`](crate::score::verdict)). It was
//! not shown to leak where in every seed an attacker who knows the defence, did its best and had enough targets is no better
//! than a guess. No verdict is given of models that are of no use or still learn, on too small a test set, at too few
//! targets, or where attackers may not have done their best. An attacker that did not converge and leads all the same has
//! shown a leak.

use super::gather::{Model, Setting};
use crate::score::metrics::ACCURACY;
use crate::score::paired::share_error;
use crate::score::record::{EpochRow, Row};
use crate::score::verdict::{ENOUGH, Standing, attack_words};

/// The widest 95 % interval of the accuracy that a verdict is given on, in points.
pub const WIDEST: f64 = 10.0;

/// What is said of a setting.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// An attack leads every guess, in so many of its seeds.
    Leaks {
        /// In these many.
        seeds: usize,
    },
    /// No attacker that was tried, each at its best, is better than a guess.
    NotShown,
    /// Nothing can be said, for these reasons.
    NoVerdict(Vec<Refusal>),
}

/// Why no verdict is given.
#[derive(Clone, Debug, PartialEq)]
pub enum Refusal {
    /// Nobody attacked the finished model.
    NoAttack,
    /// No attack had enough targets.
    FewTargets {
        /// The most that one had.
        most: usize,
    },
    /// Nobody who knows the defence attacked.
    NaiveAlone,
    /// Attackers that may not have done their best: which, and why.
    Attackers(Vec<(String, String)>),
    /// Models whose accuracy still rose in their last epoch: the seed, percent before that epoch, if there was one, and after it.
    StillLearning(Vec<(u64, Option<f64>, f64)>),
    /// Models whose answers are no better than a constant's: the seed, and the answers in words.
    AtChance(Vec<(u64, String)>),
    /// The test set does not tell its accuracy well enough.
    SmallTest {
        /// Images in it.
        images: usize,
        /// Points between the ends of the accuracy's 95 % interval.
        width: f64,
    },
}

impl Outcome {
    /// What is said of a setting.
    pub fn of(setting: &Setting) -> Self {
        let mut why = models(setting);
        let broken = setting.models.iter().filter(|model| broke(model)).count();
        if broken == 0 {
            why.extend(attackers(setting));
        }
        match (why.is_empty(), broken) {
            (false, _) => Self::NoVerdict(why),
            (true, 0) => Self::NotShown,
            (true, seeds) => Self::Leaks { seeds },
        }
    }

    /// In a word or three.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Leaks { .. } => "leaks",
            Self::NotShown => "not shown to leak",
            Self::NoVerdict(_) => "no verdict",
        }
    }
}

/// Whether an attack leads every guess, at whatever epoch.
fn broke(model: &Model) -> bool {
    model.case().verdicts().iter().any(|verdict| verdict.target == model.target && verdict.standing == Standing::Broke)
}

/// What is wrong with the models, and with what they are tested on.
fn models(setting: &Setting) -> Vec<Refusal> {
    let mut why = unfit(setting);
    // All are tested on the same images.
    let widths = setting.models.iter().filter_map(|model| Some((model.row()?, width(model.row()?))));
    if let Some((row, width)) = widths.max_by(|a, b| a.1.total_cmp(&b.1)).filter(|(_, width)| *width > WIDEST) {
        why.push(Refusal::SmallTest { images: row.images, width });
    }
    why
}

/// Models that are of no use, or still learn: nothing is concluded from their answers.
pub(super) fn unfit(setting: &Setting) -> Vec<Refusal> {
    let (mut useless, mut learning) = (Vec::new(), Vec::new());
    for model in &setting.models {
        let Some(row) = model.row() else { continue };
        if !row.is_useful() {
            useless.push((model.seed, row.use_words()));
        } else if let Some((before, after)) = still_learning(model, row) {
            learning.push((model.seed, before, after));
        }
    }
    let mut why = Vec::new();
    if !useless.is_empty() {
        why.push(Refusal::AtChance(useless));
    }
    if !learning.is_empty() {
        why.push(Refusal::StillLearning(learning));
    }
    why
}

/// Points between the ends of the accuracy's 95 % interval.
fn width(row: &Row) -> f64 {
    let ends = (ACCURACY.interval)(row).map(|[low, high]| high - low);
    ends.unwrap_or_else(|| 2.0 * 1.96 * row.error())
}

/// The accuracy before and after the epoch that a model was judged after, if it rose by more than two standard errors, or
/// there was no other.
fn still_learning(model: &Model, row: &Row) -> Option<(Option<f64>, f64)> {
    let own: Vec<&EpochRow> = model.epochs.iter().filter(|one| one.model == model.target).collect();
    let judged = model.final_epoch.unwrap_or(own.len());
    // One that is best before the last has stopped getting better.
    if judged < own.len() {
        return None;
    }
    let last = own.last()?.accuracy;
    let Some(before) = own.len().checked_sub(2).map(|at| own[at].accuracy) else { return Some((None, last)) };
    let error = share_error(last, row.images).hypot(share_error(before, row.images));
    (last - before > 2.0 * error).then_some((Some(before), last))
}

/// What is wrong with the attackers, none of whom leads.
fn attackers(setting: &Setting) -> Option<Refusal> {
    let mut doubts: Vec<(String, String)> = Vec::new();
    for model in &setting.models {
        let all: Vec<_> = model.last_attacks().filter(|record| record.judged.is_some()).collect();
        let Some(most) = all.iter().map(|record| record.images).max() else { return Some(Refusal::NoAttack) };
        if most < ENOUGH {
            return Some(Refusal::FewTargets { most });
        }
        let knowing: Vec<_> = all.into_iter().filter(|record| record.adaptive || !setting.defended()).collect();
        if knowing.is_empty() {
            return Some(Refusal::NaiveAlone);
        }
        let rulings = model.case().rulings();
        let fit = model
            .attacks
            .iter()
            .zip(&rulings)
            .filter(|(record, _)| knowing.iter().any(|one| std::ptr::eq(*one, *record)));
        let (mut shown, mut own) = (false, Vec::new());
        for (record, ruling) in fit {
            let Some(ruling) = ruling else { continue };
            shown |= matches!(ruling.standing, Standing::Held | Standing::ProvesNothing);
            if ruling.standing == Standing::TooWeak {
                own.push((attack_words(record), ruling.why.clone()));
            }
        }
        if !shown {
            doubts.extend(own);
        }
    }
    doubts.dedup();
    (!doubts.is_empty()).then_some(Refusal::Attackers(doubts))
}

impl Refusal {
    /// Why, in a sentence.
    pub fn why(&self) -> String {
        match self {
            Self::NoAttack => "Nobody attacked the finished model.".to_owned(),
            Self::FewTargets { most } => {
                let were = if *most == 1 { "image was" } else { "images were" };
                format!("At most {most} {were} attacked, and a verdict takes {ENOUGH}.")
            }
            Self::NaiveAlone => {
                "Nobody who knows the defence attacked: what holds against a naive attacker says nothing.".to_owned()
            }
            Self::Attackers(doubts) => {
                let all: Vec<String> = doubts.iter().map(|(who, why)| format!("{who}: {why}")).collect();
                format!("Attackers may not have done their best. {}", all.join(" "))
            }
            Self::StillLearning(models) => {
                let one = |(seed, before, after): &(u64, Option<f64>, f64)| match before {
                    Some(before) => format!("from {before:.1} to {after:.1} % (seed {seed})"),
                    None => format!("to {after:.1} % in the only one (seed {seed})"),
                };
                let all: Vec<String> = models.iter().map(one).collect();
                format!("The model still learns: in its last epoch its accuracy rose {}.", all.join(", "))
            }
            Self::AtChance(models) => {
                let all: Vec<String> = models.iter().map(|(seed, words)| format!("{words} (seed {seed})")).collect();
                format!("The model is of no use: it is {}.", all.join("; "))
            }
            Self::SmallTest { images, width } => format!(
                "The test set is too small: on its {images} images the accuracy's 95 % interval is {width:.1} points wide, and a \
                 verdict takes {WIDEST:.0} at most."
            ),
        }
    }

    /// What would be needed, in a sentence.
    pub fn needed(&self) -> String {
        match self {
            Self::NoAttack => {
                format!("Attack it: `cutlayer attack RUN --with all --adaptive --images {ENOUGH}`, or more.")
            }
            Self::FewTargets { .. } => {
                format!("Attack {ENOUGH} images or more: `cutlayer attack RUN --with all --images 64`.")
            }
            Self::NaiveAlone => {
                "Attack with knowledge of the defence: `cutlayer attack RUN --with all --adaptive`.".to_owned()
            }
            Self::Attackers(_) => "Give these attackers more steps or more images of their own.".to_owned(),
            Self::StillLearning(_) => "Train for more epochs.".to_owned(),
            Self::AtChance(_) => {
                "Train until the model beats a constant answer, or choose a weaker defence.".to_owned()
            }
            Self::SmallTest { images, width } => {
                let needed = (*images as f64 * (width / WIDEST).powi(2)).ceil();
                format!("Test on about {needed:.0} images or more.")
            }
        }
    }
}

#[cfg(test)]
#[path = "verdict/tests.rs"]
mod tests;

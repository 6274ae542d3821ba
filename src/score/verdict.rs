//! The one judge: from scores to words. The terminal, `summary.json`, the window, its cards and its exports all ask here.
//!
//! An attack *broke* what it was aimed at where it leads the best guess made without the wire ([`floor`](super::floor)),
//! target by target, beyond what chance gives to one who looks at so many attacks and epochs (Holm). A defence *held*
//! only against an attacker who knows it, did its best, had enough targets, and at a model that is of use. A weak
//! attacker can break a defence and never show that it held.

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};

use super::floor::Guess;
use super::lineup::CHANCE;
use super::metrics::{LABELS, LINEUP, SSIM};
use super::paired::holm;
use super::record::{AttackRecord, EpochRow, Row};
use super::utility::beats;

/// Probability, after Holm's correction, below which a lead is no chance.
pub const ALPHA: f64 = 0.05;
/// What a victim is called that another program trained: nobody knows for how long, nor what the attackers know of a defence.
pub const VICTIM: &str = "victim";
/// Fewer targets give no verdict.
pub const ENOUGH: usize = 32;

/// What an attack, or all attacks at one model, came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Standing {
    /// It leads the floor beyond chance.
    #[serde(rename = "broke")]
    Broke,
    /// An attacker who knows the defence and did its best does not.
    #[serde(rename = "held")]
    Held,
    /// The attack is no better than a guess, and nothing follows for a defence.
    #[serde(rename = "proves nothing")]
    ProvesNothing,
    /// Too few targets, an attacker that did not converge, a model of no use.
    #[serde(rename = "too weak to judge")]
    TooWeak,
    /// There is no attack, or none that was judged in this way.
    #[serde(rename = "not measured")]
    NotMeasured,
}

impl Standing {
    /// In words.
    pub fn word(self) -> &'static str {
        match self {
            Self::Broke => "broke",
            Self::Held => "held",
            Self::ProvesNothing => "proves nothing",
            Self::TooWeak => "too weak to judge",
            Self::NotMeasured => "not measured",
        }
    }
}

/// What is said of one attack.
#[derive(Clone, Debug, PartialEq)]
pub struct Ruling {
    /// In a word.
    pub standing: Standing,
    /// Why, in a sentence or two.
    pub why: String,
}

/// What is said of one model, from all attacks at it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Verdict {
    /// The model, by its name in the run.
    pub target: String,
    /// In a word.
    pub standing: Standing,
    /// In sentences: the worst leak, the standing with its reason, the upper bound.
    pub sentences: Vec<String>,
}

/// What verdicts are made of.
#[derive(Clone, Copy, Debug)]
pub struct Case<'a> {
    /// Attacks of the run and those launched at it afterwards; guesses among them.
    pub attacks: &'a [AttackRecord],
    /// Test accuracies by epoch.
    pub epochs: &'a [EpochRow],
    /// The table; empty while a run goes on.
    pub rows: &'a [Row],
}

/// Whether a record is of an attack, and not of a guess.
pub fn is_attack(record: &AttackRecord) -> bool {
    Guess::of(record).is_none()
}

/// `adaptive inverse after epoch 6`.
pub fn attack_words(record: &AttackRecord) -> String {
    if record.target == VICTIM {
        return record.name.clone();
    }
    let mode = match (record.target.as_str(), record.adaptive) {
        ("vanilla", _) => "",
        (_, true) => "adaptive ",
        (_, false) => "naive ",
    };
    let when = if record.epoch == 0 { "untrained".to_owned() } else { format!("after epoch {}", record.epoch) };
    format!("{mode}{} {when}", record.name)
}

impl<'a> Case<'a> {
    fn at(&self, target: &str) -> Vec<&'a AttackRecord> {
        self.attacks.iter().filter(|record| record.target == target && is_attack(record)).collect()
    }

    /// The models that were attacked, the defended one first.
    pub fn targets(&self) -> Vec<&'a str> {
        let mut all: Vec<&str> = Vec::new();
        for record in self.attacks.iter().filter(|record| is_attack(record)) {
            if !all.contains(&record.target.as_str()) {
                all.push(&record.target);
            }
        }
        all.sort_by_key(|target| *target == "vanilla");
        all
    }

    /// A ruling for each record, in their order; none for a guess.
    pub fn rulings(&self) -> Vec<Option<Ruling>> {
        let mut rulings: Vec<Option<Ruling>> = vec![None; self.attacks.len()];
        for target in self.targets() {
            let of = |i: &usize| self.attacks[*i].target == target && is_attack(&self.attacks[*i]);
            let places: Vec<usize> = (0..self.attacks.len()).filter(of).collect();
            let p = |i: &usize| lead_of(&self.attacks[*i]).map_or(1.0, |lead| lead.p);
            let corrected = holm(&places.iter().map(p).collect::<Vec<_>>());
            for (place, p) in places.iter().zip(&corrected) {
                let record = &self.attacks[*place];
                let Ruling { standing, why } = self.ruling(record, *p, places.len());
                rulings[*place] = Some(Ruling { standing, why: why + &labels_words(record) });
            }
        }
        rulings
    }

    fn ruling(&self, record: &AttackRecord, p: f64, looks: usize) -> Ruling {
        let rule = |standing, why: String| Ruling { standing, why };
        if record.judged.is_some() && !record.has_images() && record.labels_right.is_none() {
            let why = "It hands over neither images nor labels that can be scored; what there is stands in its files.";
            return rule(Standing::NotMeasured, why.to_owned());
        }
        if record.judged.as_ref().is_some_and(|judged| judged.in_best_order) {
            let why = "It is of gradients of several images, whose order was found with the truth: that is no lead over guesses, \
                       which have an order.";
            return rule(Standing::NotMeasured, why.to_owned());
        }
        let (Some(judged), Some(lead)) = (&record.judged, lead_of(record)) else {
            return rule(
                Standing::NotMeasured,
                "It was scored by an older build's rules; attack the run again.".to_owned(),
            );
        };
        if record.images < ENOUGH {
            let n = record.images;
            let why = format!("{n} target{} too few: a verdict takes {ENOUGH}.", if n == 1 { " is" } else { "s are" });
            return rule(Standing::TooWeak, why);
        }
        let mut compared = lead_words(record);
        let _ = write!(compared, " ({}, Holm over {looks} look{}).", p_words(p), if looks == 1 { "" } else { "s" });
        if lead.mean > 0.0 && p <= ALPHA {
            return rule(Standing::Broke, compared);
        }
        if let Some(doubt) = &judged.doubt {
            return rule(
                Standing::TooWeak,
                format!("No lead over a guess, but the attacker may not have done its best: {doubt}."),
            );
        }
        if let Some(why) = self.useless(&record.target, record.epoch) {
            return rule(Standing::TooWeak, format!("No lead over a guess, but {why}."));
        }
        match (record.target.as_str(), record.adaptive) {
            ("vanilla", _) => rule(Standing::ProvesNothing, format!("No better than a guess. {compared}")),
            (_, true) => {
                rule(Standing::Held, format!("An attacker who knows the defence is no better than a guess. {compared}"))
            }
            (_, false) => rule(
                Standing::ProvesNothing,
                format!("No better than a guess; it did not know the defence, so this says nothing for it. {compared}"),
            ),
        }
    }

    /// Why the model as it was then cannot show that a defence held; none where it can.
    fn useless(&self, target: &str, epoch: usize) -> Option<String> {
        if epoch == 0 {
            return Some("the model was untrained".to_owned());
        }
        let Some(row) = self.rows.iter().find(|row| row.majority.is_finite()) else {
            return Some("how often a constant answer is right is not known before the table is filled in".to_owned());
        };
        // The table is of the weights in the end, whichever they are.
        if let Some(row) = self.final_row(target).filter(|_| self.is_last(epoch)) {
            let why = format!("the model's own answers are of no use: {}", row.use_words());
            return (!row.is_useful()).then_some(why);
        }
        let tested = self.epochs.iter().find(|tested| tested.model == target && tested.epoch == epoch);
        let accuracy = tested.map_or(f64::NAN, |tested| tested.accuracy);
        let why = format!(
            "the model's own answers ({accuracy:.1} %) do not beat always naming the largest class ({:.1} %) by two \
             standard errors",
            row.majority
        );
        (!beats(accuracy, row.majority, row.images)).then_some(why)
    }

    /// The table's row of a model's decision.
    pub fn final_row(&self, target: &str) -> Option<&'a Row> {
        let names: &[&str] = if target == "vanilla" { &["vanilla_clean"] } else { &["fused", "defended"] };
        names.iter().find_map(|name| self.rows.iter().find(|row| row.name == *name))
    }

    /// Whether no attack was later.
    fn is_last(&self, epoch: usize) -> bool {
        self.attacks.iter().filter(|record| is_attack(record)).all(|record| record.epoch <= epoch)
    }

    /// The attack at a model with the highest mean SSIM, at whatever epoch and whenever launched.
    pub fn worst(&self, target: &str) -> Option<&'a AttackRecord> {
        let finite = self.at(target).into_iter().filter(|record| record.ssim.is_finite());
        finite.max_by(|a, b| a.ssim.total_cmp(&b.ssim))
    }

    /// What all attacks at each model came to.
    pub fn verdicts(&self) -> Vec<Verdict> {
        let rulings = self.rulings();
        self.targets().into_iter().map(|target| self.verdict(target, &rulings)).collect()
    }

    fn verdict(&self, target: &str, rulings: &[Option<Ruling>]) -> Verdict {
        let ruled: Vec<(&AttackRecord, &Ruling)> = self
            .attacks
            .iter()
            .zip(rulings)
            .filter(|(record, _)| record.target == target)
            .filter_map(|(record, ruling)| Some((record, ruling.as_ref()?)))
            .collect();
        let order = [Standing::Broke, Standing::Held, Standing::TooWeak, Standing::ProvesNothing];
        let found = order.into_iter().find(|standing| ruled.iter().any(|(_, ruling)| ruling.standing == *standing));
        let standing = found.unwrap_or(Standing::NotMeasured);
        let mut sentences: Vec<String> = self.worst(target).map(worst_words).into_iter().collect();
        sentences.push(standing_words(target, standing, &ruled));
        sentences.extend(self.upper_bound(target));
        Verdict { target: target.to_owned(), standing, sentences }
    }

    /// The best attack for each single target, chosen with the truth, over the attacks with the most targets; beside it
    /// the best of as many draws of a random image of the class.
    fn upper_bound(&self, target: &str) -> Option<String> {
        let each =
            |record: &'a AttackRecord| record.judged.as_ref().map(|judged| &judged.each.ssim).filter(|l| !l.is_empty());
        let all = self.at(target);
        let most = all.iter().filter(|record| each(record).is_some()).map(|record| record.images).max()?;
        let lists: Vec<&Vec<f64>> = all
            .into_iter()
            .filter(|record| record.images == most)
            .filter_map(each)
            .filter(|l| l.len() == most)
            .collect();
        if lists.len() < 2 || most == 0 {
            return None;
        }
        let best = |i: usize| lists.iter().map(|list| list[i]).fold(f64::NEG_INFINITY, f64::max);
        let mean = (0..most).map(best).sum::<f64>() / most as f64;
        let draws =
            self.attacks.iter().filter(|record| record.images == most).filter_map(|record| record.judged.as_ref());
        let tries = draws.map(|judged| &judged.tries).find(|tries| !tries.is_empty());
        let floor = tries.and_then(|tries| tries.get(lists.len() - 1).or(tries.last()));
        let floor = floor.map(|floor| format!("; the best of as many random images of the class: {floor:.3}"));
        Some(format!(
            "Upper bound for {target}, no attacker's: the best of {} attacks for each of {most} targets, chosen with the \
             truth, has a mean similarity of {mean:.3}{}.",
            lists.len(),
            floor.unwrap_or_default()
        ))
    }
}

fn lead_of(record: &AttackRecord) -> Option<&super::record::Lead> {
    record.judged.as_ref()?.lead.as_ref()
}

fn p_words(p: f64) -> String {
    if p < 0.001 { "p < .001".to_owned() } else { format!("p = {p:.3}").replace("0.", ".") }
}

/// `Leads label only: class mean (13.8 %) by +80.1 ± 4.9 points of line-ups`.
pub fn lead_words(record: &AttackRecord) -> String {
    let Some(lead) = lead_of(record) else { return String::new() };
    let over = Guess::named(&lead.over).map_or("chance", Guess::words);
    let verb = if lead.mean > 0.0 { "Leads" } else { "Does not lead" };
    let (metric, digits) = (lead.metric(), lead.metric().digits);
    let floor = format!("{:.digits$}", lead.floor);
    let ahead = format!("{:+.digits$} ± {:.digits$}", lead.mean, lead.se);
    if metric.unit == LINEUP.unit {
        let of = if metric == &LABELS { metric.name } else { "line-ups" };
        format!("{verb} \u{201c}{over}\u{201d} ({}): {ahead} points of {of}", metric.with_unit(&floor))
    } else {
        format!("{verb} \u{201c}{over}\u{201d} ({} {floor}): {ahead}; there are too few line-ups", metric.name)
    }
}

/// ` Labels right: 93.8 ± 3.0 % (always naming the commonest class: 12.5 %).`, beside a verdict that is by its images.
fn labels_words(record: &AttackRecord) -> String {
    let (Some(right), Some(chance)) = (LABELS.plain(record).filter(|_| record.has_images()), record.labels_chance)
    else {
        return String::new();
    };
    let chance = LABELS.with_unit(&format!("{chance:.0$}", LABELS.digits));
    let right = LABELS.with_unit(&right);
    format!(" {}: {right} (always naming the commonest class: {chance}).", capitalised(LABELS.name))
}

/// `Worst leak of dropout: adaptive inverse after epoch 1, SSIM 0.692 ± 0.010; …`.
fn worst_words(record: &AttackRecord) -> String {
    let lineup = match (record.lineup, &record.judged) {
        (Some(_), Some(_)) => format!(
            "; the stolen image picks its target out of eight of its class for {} (chance {CHANCE})",
            LINEUP.with_unit(&LINEUP.plain(record).unwrap_or_default())
        ),
        (None, Some(_)) => "; no line-up: the attacker has fewer than seven images of each class".to_owned(),
        (_, None) => "; scored by an older build, whose line-ups had far decoys".to_owned(),
    };
    format!(
        "Worst leak of {}: {}, {} {} over {} target{}{lineup}.",
        record.target,
        attack_words(record),
        SSIM.name,
        SSIM.plain(record).unwrap_or_default(),
        record.images,
        if record.images == 1 { "" } else { "s" }
    )
}

fn standing_words(target: &str, standing: Standing, ruled: &[(&AttackRecord, &Ruling)]) -> String {
    let these: Vec<_> = ruled.iter().filter(|(_, ruling)| ruling.standing == standing).collect();
    // The one that leads by most, or else the nearest one, speaks for all.
    let rank = |(record, _): &&&(&AttackRecord, &Ruling)| {
        lead_of(record).map_or(f64::NEG_INFINITY, |lead| lead.mean / lead.floor.abs().max(1e-9))
    };
    let Some((record, ruling)) = these.iter().max_by(|a, b| rank(a).total_cmp(&rank(b))) else {
        return format!("{target}: {}. No attack at it was finished.", standing.word());
    };
    let undefended = if target == "vanilla" && standing == Standing::Broke { " (it has no defence)" } else { "" };
    let how_many = match (standing, these.len(), ruled.len()) {
        (Standing::Broke, n, all) if all > 1 => format!(" {n} of {all} attacks did."),
        (Standing::Held, n, all) if all > n => format!(" {n} of {all} attacks were fit to show it."),
        _ => String::new(),
    };
    format!(
        "{target}: {}{undefended}. {}: {}{how_many}",
        standing.word(),
        capitalised(&attack_words(record)),
        ruling.why
    )
}

fn capitalised(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

#[cfg(test)]
mod tests;

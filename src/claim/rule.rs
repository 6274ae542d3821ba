//! From scores to words: what the attacks at one model came to, and with it the claim.
//!
//! An attack *gets through* a defence where it leads every guess made without the wire by two standard errors or more over all
//! targets, beyond what chance gives to one who looks at so many attacks (Holm), and leads at each seed. Noise *does not stop* the
//! attacks where one gets through that works at the undefended model. Where none does, noise stops them only if all that work
//! did their best. All else is no evidence.

use serde::{Deserialize, Serialize};

use super::{Attacked, Model, Part, Tested};
use crate::score::paired::holm;
use crate::score::record::Lead;
use crate::score::verdict::{ALPHA, ENOUGH, attack_words, lead_words};

/// Points by which accuracies may differ that count as one.
pub const ALIKE: f64 = 1.0;
/// Standard errors that a lead takes.
const ERRORS: f64 = 2.0;
/// Percent of right answers below which a model is of no use, and its images nobody's concern.
const USEFUL: f64 = 80.0;

/// What is said of noise, or of the claim that it does not stop the attacks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Says {
    /// It does not stop them.
    #[serde(rename = "holds")]
    Holds,
    /// It does.
    #[serde(rename = "does not hold")]
    DoesNotHold,
    /// Nothing follows.
    #[serde(rename = "no evidence")]
    NoEvidence,
}

impl Says {
    /// In words, of the claim.
    pub fn word(self) -> &'static str {
        match self {
            Self::Holds => "holds",
            Self::DoesNotHold => "does not hold",
            Self::NoEvidence => "no evidence",
        }
    }

    /// In words, of a defence.
    pub fn of_defence(self) -> &'static str {
        match self {
            Self::Holds => "does not stop them",
            Self::DoesNotHold => "stops them",
            Self::NoEvidence => "no evidence",
        }
    }
}

/// What is said of one defence.
#[derive(Clone, Debug, PartialEq)]
pub struct Ruling {
    /// In a word.
    pub says: Says,
    /// Why, in a sentence.
    pub why: String,
}

impl Tested {
    /// What the claim comes to, over all noise that it is about.
    pub fn says(&self) -> Says {
        let noises = self.models.iter().filter(|model| model.part == Part::Noise);
        let all: Vec<Says> = noises.map(|model| self.ruling(model).says).collect();
        if all.contains(&Says::DoesNotHold) {
            Says::DoesNotHold
        } else if all.is_empty() || all.contains(&Says::NoEvidence) {
            Says::NoEvidence
        } else {
            Says::Holds
        }
    }

    /// Names of the attacks that get through where there is no defence: only of these anything follows.
    pub fn working(&self) -> Vec<&str> {
        let undefended = self.models.iter().filter(|model| model.part == Part::Undefended);
        undefended.flat_map(through).map(|attacked| attacked.record.name.as_str()).collect()
    }

    /// What is said of one of the defences.
    pub fn ruling(&self, model: &Model) -> Ruling {
        let (says, why) = self.ruled(model);
        Ruling { says, why }
    }

    fn ruled(&self, model: &Model) -> (Says, String) {
        if let Some(why) = unfit(model) {
            return (Says::NoEvidence, why);
        }
        let working = self.working();
        if working.is_empty() {
            return (
                Says::NoEvidence,
                "No attack gets through without a defence, so none could show anything.".to_owned(),
            );
        }
        let works = |attacked: &&Attacked| working.contains(&attacked.record.name.as_str());
        if let Some(worst) =
            through(model).into_iter().filter(works).max_by(|a, b| by_errors(a).total_cmp(&by_errors(b)))
        {
            let words = attack_words(&worst.record);
            return (Says::Holds, format!("{}, {words}.", lead_words(&worst.record)));
        }
        let doubt = |attacked: &Attacked| attacked.record.judged.as_ref().and_then(|judged| judged.doubt.clone());
        if let Some(doubt) = model.attacks.iter().filter(works).find_map(doubt) {
            let why = format!("No attack leads a guess, but one may not have done its best: {doubt}.");
            return (Says::NoEvidence, why);
        }
        (Says::DoesNotHold, format!("None of the attacks that work undefended ({}) leads a guess.", working.join(", ")))
    }
}

/// Why nothing follows from a model, whatever the attacks; none where something can.
fn unfit(model: &Model) -> Option<String> {
    if model.targets() < ENOUGH {
        return Some(format!("{} targets are too few: it takes {ENOUGH}.", model.targets()));
    }
    if let Some(trained) = model.trained.iter().find(|trained| trained.accuracy < USEFUL) {
        let (seed, accuracy) = (trained.seed, trained.accuracy);
        return Some(format!(
            "At seed {seed} the model is right for {accuracy:.1} % and of no use (below {USEFUL} %)."
        ));
    }
    let trained = model.trained.iter().find(|trained| trained.apart.abs() > ALIKE)?;
    let (seed, apart, strength) = (trained.seed, trained.apart, trained.strength);
    Some(format!(
        "At seed {seed} no strength gives the wanted accuracy; the nearest, {} {strength:.3}, is {apart:+.1} points away.",
        model.symbol
    ))
}

/// The attacks that get through.
fn through(model: &Model) -> Vec<&Attacked> {
    let p: Vec<f64> = model.attacks.iter().map(|attacked| lead(attacked).map_or(1.0, |lead| lead.p)).collect();
    let leads = |(attacked, p): &(&Attacked, f64)| {
        let clear = lead(attacked).is_some_and(|lead| lead.mean > 0.0 && lead.mean >= ERRORS * lead.se);
        clear && *p <= ALPHA && attacked.leads.iter().all(|lead| *lead > 0.0)
    };
    model.attacks.iter().zip(holm(&p)).filter(leads).map(|(attacked, _)| attacked).collect()
}

fn lead(attacked: &Attacked) -> Option<&Lead> {
    attacked.record.judged.as_ref()?.lead.as_ref()
}

/// A lead in standard errors.
fn by_errors(attacked: &Attacked) -> f64 {
    lead(attacked).map_or(f64::NEG_INFINITY, |lead| lead.mean / lead.se.max(1e-9))
}

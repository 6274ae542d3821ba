//! The verdict on what the stage shows: of a run's attack over all its targets, or else of the one image that is shown.

use super::showing::Source;
use super::words::{capitalised, decimal, named};
use super::{Look, Showing};
use crate::live::Shown;
use crate::run::scene::Lineup;
use crate::score::metrics::LINEUP;
use crate::score::record::{AttackRecord, Judged};
use crate::score::verdict::{Ruling, Standing, is_attack};
use crate::split::UNDEFENDED;
use crate::texts::say;

/// What is said, in a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Says {
    /// What was stolen tells whose image it is.
    Recognised,
    /// It is no better than a guess.
    Guess,
    /// There is too little to go by.
    TooWeak,
    /// Nothing yet.
    Waiting,
}

/// What is said.
#[derive(Clone, Debug, PartialEq)]
pub struct Said {
    /// In a word.
    pub says: Says,
    /// In a few.
    pub words: String,
    /// Why, and what it is not.
    pub tip: String,
}

impl Said {
    fn new(says: Says, words: impl Into<String>, tip: impl Into<String>) -> Self {
        Self { says, words: words.into(), tip: tip.into() }
    }
}

const ONE: &str = later!(
    "One image is no verdict on a model: by chance one in eight is picked. How often it holds, over many \
                   images, is measured by a run."
);

/// The verdict on what the stage shows.
pub fn said(look: Look<'_>) -> Said {
    let showing = look.showing;
    if let Some(said) = not_yet(showing, look.play.waits && showing.source != Source::Run) {
        return said;
    }
    match ruled(look) {
        Some((record, ruling)) => of_record(record, &ruling),
        None => of_image(showing),
    }
}

/// What is said while there is nothing to be judged. `held` is an attacker who is made to wait.
fn not_yet(showing: &Showing, held: bool) -> Option<Said> {
    let waits = |words: &str, tip: &str| Some(Said::new(Says::Waiting, words, tip));
    if showing.nothing_to_steal() {
        return waits(
            t!("Nothing to steal"),
            t!("The image is blank. Whatever the attacker makes of it, nothing leaks."),
        );
    }
    if showing.trouble.is_some() || showing.reconstruction().is_none() {
        return waits(t!("Nothing stolen yet"), t!("The verdict appears here once the attack is over."));
    }
    if showing.waits {
        return waits(t!("The levers have moved"), t!("The pictures are those from before; the answer comes."));
    }
    let progress = showing.scene.as_ref().and_then(|scene| scene.progress.as_ref());
    let going = progress.filter(|progress| progress.iteration < progress.planned && showing.film.pinned.is_none());
    let progress = going?;
    let word = if held { t!("Held") } else { t!("Stealing") };
    let words =
        t!("{word}: step {iteration} of {planned}", word, iteration = progress.iteration, planned = progress.planned);
    waits(&words, t!("The verdict appears here once the attack is over."))
}

/// The run's own record of the attack that the stage shows, and what the one judge says of it: where the stage shows the
/// run, or one of its images under the run's own settings and weights.
fn ruled(look: Look<'_>) -> Option<(&AttackRecord, Ruling)> {
    let showing = look.showing;
    let same = || look.weights.is_some() && look.run == Some(look.document.experiment());
    let of_the_run = match (&showing.image, showing.source) {
        (_, Source::Run) => true,
        (Shown::Patient(_), Source::Live) => same(),
        _ => false,
    };
    let stamp = &showing.scene.as_ref().filter(|_| of_the_run)?.stamp;
    let its = |record: &AttackRecord| {
        is_attack(record)
            && record.name == stamp.attack
            && (record.target != UNDEFENDED) == stamp.defended
            && (record.adaptive == stamp.adaptive || !stamp.defended)
    };
    let last = look.state.attacks.iter().rposition(its)?;
    let ruling = look.state.judgement().rulings.get(last)?.clone()?;
    Some((&look.state.attacks[last], ruling))
}

fn of_record(record: &AttackRecord, ruling: &Ruling) -> Said {
    let mode = match (record.target.as_str(), record.adaptive) {
        (UNDEFENDED, _) => "",
        (_, true) => t!(", which knows the defence"),
        (_, false) => t!(", which does not know of the defence"),
    };
    let unaware = record.target != UNDEFENDED && !record.adaptive && ruling.standing == Standing::Broke;
    let unaware = if unaware { t!("It leaks even to an attacker unaware of the defence. ") } else { "" };
    let tip = format!("{unaware}{}{mode}. {}", capitalised(&record.name), ruling.why);
    match ruling.standing {
        Standing::Broke => Said::new(Says::Recognised, broke_words(record), tip),
        Standing::Held | Standing::ProvesNothing => {
            Said::new(Says::Guess, t!("No better than guessing from the label"), tip)
        }
        Standing::TooWeak | Standing::NotMeasured => Said::new(Says::TooWeak, t!("Too weak to judge"), tip),
    }
}

/// `Recognised: 61 of 64`; where there are no line-ups, what leaks.
fn broke_words(record: &AttackRecord) -> String {
    let judged = record.judged.as_ref();
    let picked: Vec<f64> = judged.iter().flat_map(|judged| judged.each.picked.iter().copied().flatten()).collect();
    let lead = judged.and_then(|judged: &Judged| judged.lead.as_ref());
    match lead {
        Some(lead) if lead.metric() != &LINEUP || picked.is_empty() => {
            let metric = lead.metric();
            t!(
                "Leaks: {named}, a guess {floor}",
                named = named(metric, lead.floor + lead.mean),
                floor = decimal(lead.floor, metric.short)
            )
        }
        _ => t!("Recognised: {sum:.0} of {picked}", sum = picked.iter().sum::<f64>(), picked = picked.len()),
    }
}

/// What one image tells: being recognised is a leak; not being so is no proof of anything.
fn of_image(showing: &Showing) -> Said {
    let n = showing.gradient_of();
    if n > 1 {
        let tip = t!(
            "The attacker found {n} images in one gradient, which does not tell their order. The one most like the original \
             is shown, and the original was needed to choose it: that is no evidence.",
            n
        );
        return Said::new(Says::TooWeak, t!("One of {n} images: no verdict", n), tip);
    }
    match showing.shown_lineup().as_ref().and_then(Lineup::correct) {
        Some(true) => {
            let tip = t!("The stolen image picks its original out of eight of its class. {one}", one = say(ONE));
            Said::new(Says::Recognised, t!("Recognised, out of eight"), tip)
        }
        Some(false) => {
            let tip = t!("The stolen image does not pick its original out of eight. {one}", one = say(ONE));
            Said::new(Says::TooWeak, t!("One image: too weak to judge"), tip)
        }
        None => Said::new(
            Says::TooWeak,
            t!("No line-up: too weak to judge"),
            t!("There are too few images of this class to see whether the stolen image picks its original."),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::score::record::{Each, Lead};

    fn ruling(standing: Standing) -> Ruling {
        Ruling { standing, why: "Why.".to_owned() }
    }

    #[test]
    fn a_record_is_said_in_three_ways() {
        let picked = (0..64).map(|i| Some(if i < 61 { 1.0 } else { 0.0 })).collect();
        let lead = Some(Lead { of: "lineup".to_owned(), floor: 20.0, mean: 75.0, ..Lead::default() });
        let judged = Judged { each: Each { picked, ..Each::default() }, lead, ..Judged::default() };
        let record = AttackRecord {
            name: "rmle".to_owned(),
            target: "dropout".to_owned(),
            judged: Some(judged),
            ..AttackRecord::default()
        };
        let say = |standing| of_record(&record, &ruling(standing));
        let broke = say(Standing::Broke);
        assert_eq!((broke.says, broke.words.as_str()), (Says::Recognised, "Recognised: 61 of 64"));
        let tip = "It leaks even to an attacker unaware of the defence. Rmle, which does not know of the defence. Why.";
        assert_eq!(broke.tip, tip);
        for standing in [Standing::Held, Standing::ProvesNothing] {
            let said = say(standing);
            assert_eq!((said.says, said.words.as_str()), (Says::Guess, "No better than guessing from the label"));
        }
        for standing in [Standing::TooWeak, Standing::NotMeasured] {
            assert_eq!(say(standing).says, Says::TooWeak);
        }
        let lead = Some(Lead { of: "ssim".to_owned(), floor: 0.31, mean: 0.25, ..Lead::default() });
        let record = AttackRecord { judged: Some(Judged { lead, ..Judged::default() }), ..record };
        assert_eq!(broke_words(&record), "Leaks: SSIM 0.56, a guess 0.31");
    }

    #[test]
    fn of_nothing_nothing_is_said() {
        let said = not_yet(&Showing::default(), false).unwrap();
        assert_eq!((said.says, said.words.as_str()), (Says::Waiting, "Nothing stolen yet"));
    }
}

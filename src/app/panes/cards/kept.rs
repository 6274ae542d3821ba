//! What comes with the program of claims that no single run can judge.

use super::findings::{Finding, Verdict, found};
use crate::app::words::{decimal, measured, phase, points};
use crate::claim::{Model, Part, Says, Tested, kept};
use crate::report::controls::{self, Helps, Question, Stands};
use crate::score::metrics::LINEUP;
use crate::texts::say;

/// Whether noise stops gradient matching.
pub(super) fn noise() -> Option<Finding> {
    let tested = kept().results.first()?;
    let one = |model: &Model| Some(format!("{} {}", phase(&model.name), measured(&LINEUP, &model.worst()?.record)));
    let each: Vec<String> = tested.models.iter().filter_map(one).collect();
    let floor = tested.models.first().and_then(Model::label_only).and_then(LINEUP.value).unwrap_or(f64::NAN);
    let here = t!(
        "{lineup} of the best attack: {each}; a guess from the label alone {floor}",
        lineup = say(LINEUP.name),
        each = each.join(", "),
        floor = LINEUP.with_unit(&decimal(floor, LINEUP.digits))
    );
    Some(found(verdict(tested.says()), here, sentence(tested)))
}

/// What the claim came to as a card has it.
pub(super) fn verdict(says: Says) -> Verdict {
    match says {
        Says::Holds => Verdict::Agrees,
        Says::DoesNotHold => Verdict::Differs,
        Says::NoEvidence => Verdict::NotComparable,
    }
}

fn sentence(tested: &Tested) -> String {
    let defended = || tested.models.iter().filter(|model| model.part != Part::Undefended);
    let accuracies = || defended().flat_map(|model| &model.trained).map(|trained| trained.accuracy);
    let (least, most) = (accuracies().fold(f64::INFINITY, f64::min), accuracies().fold(f64::NEG_INFINITY, f64::max));
    let one = |model: &Model| {
        let ruling = tested.ruling(model);
        let stops = match ruling.says {
            Says::Holds => t!("does not stop them"),
            Says::DoesNotHold => t!("stops them"),
            Says::NoEvidence => t!("no evidence"),
        };
        format!("{}: {stops}", phase(&model.name))
    };
    let all: Vec<String> = defended().map(one).collect();
    t!(
        "Measured on {date}, not in this run: {seeds} seeds, {n} targets, models right for {least} to {most} %; {all}.",
        date = kept().date,
        seeds = defended().next().map_or(0, |model| model.trained.len()),
        n = defended().next().map_or(0, Model::targets),
        least = decimal(least, 1),
        most = decimal(most, 1),
        all = all.join("; ")
    )
}

/// Whether the default defence helps recognition.
pub(super) fn recognition() -> Option<Finding> {
    let kept = controls::kept();
    kept.results.first().map(|question| beside_controls(question, &kept.date))
}

/// How a defence stands beside its controls, as measured on a day.
pub(super) fn beside_controls(question: &Question, date: &str) -> Finding {
    let apart = || question.held.iter().map(|held| held.difference);
    let (least, most) = (apart().fold(f64::INFINITY, f64::min), apart().fold(f64::NEG_INFINITY, f64::max));
    let here = t!("{least} to {most} points beside its controls", least = points(least), most = points(most));
    let count = |stands: Stands| question.held.iter().filter(|held| held.stands() == stands).count();
    let sentence = t!(
        "Measured on {date}, not in this run: {seeds} seeds, {n} models beside it, most of them with as many weights. More often \
         right than {more} of them, less often than {less}; no evidence beside {unknown}.",
        date,
        seeds = question.right.each.len(),
        n = question.held.len(),
        more = count(Stands::More),
        less = count(Stands::Less),
        unknown = count(Stands::NoEvidence)
    );
    let verdict = match question.helps() {
        Helps::Yes => Verdict::Agrees,
        Helps::No => Verdict::Differs,
        Helps::NoEvidence => Verdict::NotComparable,
    };
    found(verdict, here, sentence)
}

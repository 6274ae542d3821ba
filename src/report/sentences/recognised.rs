//! How many were recognised above what a label tells.

use std::collections::BTreeSet;

use super::counted;
use crate::report::gather::{Model, Setting};
use crate::report::points::worst;
use crate::score::image::mean_and_error;
use crate::score::metrics::LINEUP;
use crate::score::record::{AttackRecord, Lead};
use crate::score::verdict::ENOUGH;

/// Line-ups over the seeds of a setting, by one attack.
struct Counts {
    /// The attack's name, and whether it knows the defence.
    who: String,
    /// Line-ups.
    shown: usize,
    /// Picked rightly; where several looked alike a share of one.
    picked: f64,
    /// What a guess without the wire picks.
    guessed: f64,
}

/// How many of the images that were attacked were recognised, by the attack that recognises most; and how many of them above
/// what a label tells.
pub fn recognised(setting: &Setting) -> String {
    let Some(counts) = counts(setting) else {
        return "Nobody can say how many were recognised: no attack makes images, or the attacker has too few images of a class for \
                a line-up."
            .to_owned();
    };
    let Counts { who, shown, picked, guessed } = counts;
    let models = setting.models.len();
    let over = if models > 1 { format!(" over {models} models") } else { String::new() };
    let above = (picked - guessed).round().max(0.0);
    let comes_to = if above < 1.0 {
        "so nobody was recognised above what a label tells".to_owned()
    } else {
        format!("so about {above:.0} of {shown} were recognised above what a label tells")
    };
    format!(
        "The attacker who gets most, {who}, made a picture of each of {}{over} from what crossed the cut alone. For {picked:.0} of \
         {shown} that picture picks the right one out of eight images of the same class. A guess without the wire, as from the label, \
         picks {guessed:.0}; {comes_to}.",
        counted(shown, "test image", "test images")
    )
}

/// How many patients have at least one image recognised; none where patients are not known.
pub fn patients(setting: &Setting) -> Option<String> {
    let (mut all, mut found) = (0, 0);
    for model in &setting.models {
        let record = strongest(setting, model)?;
        let picked = &record.judged.as_ref()?.each.picked;
        // Of a part of them nothing is said of all.
        let patients = model.patients.as_ref()?.get(..picked.len())?;
        let own = || patients.iter().zip(picked);
        let of = |shown: &dyn Fn(f64) -> bool| {
            let its = own().filter(|(_, picked)| picked.is_some_and(shown)).map(|(patient, _)| *patient);
            its.collect::<BTreeSet<u32>>().len()
        };
        all += of(&|_| true);
        found += of(&|picked| picked >= 1.0);
    }
    (all > 0).then(|| {
        format!(
            "These are images of {}. Whoever is recognised once is recognised: {found} of {all} have an image that was picked.",
            counted(all, "patient", "patients")
        )
    })
}

fn counts(setting: &Setting) -> Option<Counts> {
    let records: Vec<&AttackRecord> =
        setting.models.iter().map(|model| strongest(setting, model)).collect::<Option<_>>()?;
    let mut counts = Counts { who: who(records.first()?, setting), shown: 0, picked: 0.0, guessed: 0.0 };
    for record in records {
        let picked: Vec<f64> = record.judged.as_ref()?.each.picked.iter().flatten().copied().collect();
        let floor = lead(record).map_or(LINEUP_CHANCE, |lead| lead.floor);
        counts.shown += picked.len();
        counts.picked += picked.iter().sum::<f64>();
        counts.guessed += floor / 100.0 * picked.len() as f64;
    }
    (counts.shown > 0).then_some(counts)
}

const LINEUP_CHANCE: f64 = crate::score::lineup::CHANCE;

/// The lead over guesses, where it is one of line-ups.
fn lead(record: &AttackRecord) -> Option<&Lead> {
    record.judged.as_ref()?.lead.as_ref().filter(|lead| lead.of == LINEUP.key)
}

/// `the inverse attack with knowledge of the defence`.
fn who(record: &AttackRecord, setting: &Setting) -> String {
    let knows = match (setting.defended(), record.adaptive) {
        (false, _) => "",
        (true, true) => ", who knows the defence",
        (true, false) => ", who does not know the defence",
    };
    format!("\u{201c}{}\u{201d}{knows}", record.name)
}

/// The attack of this model that is of the kind that picks most over all seeds of its setting.
fn strongest<'a>(setting: &Setting, model: &'a Model) -> Option<&'a AttackRecord> {
    let of = |model: &Model| {
        let both = [false, true].into_iter().filter_map(|adaptive| worst(model, adaptive, &LINEUP));
        both.map(|record| (record.name.clone(), record.adaptive)).collect::<Vec<_>>()
    };
    let kinds: Vec<(String, bool)> = setting.models.iter().flat_map(of).collect();
    let rate = |kind: &(String, bool)| {
        let each: Option<Vec<f64>> =
            setting.models.iter().map(|model| find(model, kind).and_then(LINEUP.value)).collect();
        each.map_or(f64::NEG_INFINITY, |each| mean_and_error(&each).0)
    };
    let kind = kinds.into_iter().max_by(|a, b| rate(a).total_cmp(&rate(b)))?;
    find(model, &kind)
}

/// The last attack of a kind at a model, at enough targets if there is one.
fn find<'a>(model: &'a Model, (name, adaptive): &(String, bool)) -> Option<&'a AttackRecord> {
    let of = |enough: usize| {
        let mut all = model.last_attacks().filter(|record| record.images >= enough);
        all.find(|record| record.name == *name && record.adaptive == *adaptive && record.lineup.is_some())
    };
    of(ENOUGH).or_else(|| of(0))
}

//! Which formulas the stage's parts have now, and what their symbols are: from the scene, and from the settings that it was
//! made with.

use crate::app::Look;
use crate::app::lookers::Attacker;
use crate::app::showing::Source;
use crate::experiment::Experiment;
use crate::live::attack_of;
use crate::method::common::PARTIES;
use crate::method::{Formula, Live, Place, Section, Sight, Step};
use crate::run::scene::Scene;
use crate::setting::Values;
use crate::workbench::attack;

/// A formula of the stage, with its numbers.
#[derive(Debug)]
pub(super) struct AtWork {
    pub section: &'static Section,
    pub formula: &'static Formula,
    pub live: Vec<Live>,
}

/// The formulas of a part of the stage that are at work in what it shows; none while its pictures are about to change.
pub(super) fn at_work(look: Look<'_>, place: Place) -> Option<Vec<AtWork>> {
    let scene = look.showing.scene.as_ref().filter(|_| !look.showing.waits)?;
    let experiment = experiment(look);
    let mut all = Vec::new();
    let mut add = |sections: &'static [Section], values: &Values| {
        let sight = sight(scene, values);
        for section in sections {
            for formula in section.formulas.iter().filter(|formula| formula.place == Some(place)) {
                all.extend((formula.live)(&sight).map(|live| AtWork { section, formula, live }));
            }
        }
    };
    if place == Place::Attacker {
        if let Some((kind, values)) = attacking(look, experiment) {
            add(kind.method, &values);
        }
        return Some(all);
    }
    add(std::slice::from_ref(&PARTIES), &Values::of(&[]));
    if let Ok(stack) = experiment.stack()
        && scene.stamp.defended
    {
        stack.iter().for_each(|setup| add(setup.kind.method, &setup.values));
    }
    Some(all)
}

/// The experiment that the stage's pictures are of.
fn experiment(look: Look<'_>) -> &Experiment {
    look.run.filter(|_| look.showing.source == Source::Run).unwrap_or(look.document.experiment())
}

/// Who attacks on the stage, with its settings.
fn attacking(look: Look<'_>, experiment: &Experiment) -> Option<(&'static crate::attack::kind::Kind, Values)> {
    let kind = attack(Attacker::shown(look)?.attack)?;
    let scene = look.showing.scene.as_ref()?;
    let named = experiment.attacks.iter().find(|spec| spec.kind.id == kind.id && spec.name() == scene.stamp.attack);
    let values = named.map_or_else(|| attack_of(experiment, kind.id).values, |spec| spec.values.clone());
    Some((kind, values))
}

fn sight<'a>(scene: &'a Scene, values: &'a Values) -> Sight<'a> {
    let opinion = scene.opinion.as_ref();
    Sight {
        values,
        image: scene.original.shape,
        original: &scene.original.values,
        sent: &scene.sent.values,
        map: &scene.map.values,
        crossed: &scene.crossed,
        shares: opinion.map(|opinion| opinion.streams.iter().map(|vote| vote.share).collect()).unwrap_or_default(),
        of_decided: opinion.map_or(&[], |opinion| &opinion.of_decided),
        weights: opinion.map_or(&[], |opinion| &opinion.weights),
        decided: opinion.map(|opinion| opinion.decision.share),
        stolen: &scene.reconstruction.values,
        step: scene.progress.as_ref().map(|progress| Step {
            done: progress.iteration,
            planned: progress.planned,
            loss: progress.loss,
        }),
    }
}

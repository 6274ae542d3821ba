//! What attacks want of a run: auxiliary images enough, and a client that they can be launched at. One that finds only after
//! hours of training that it lacks something has cost those hours.

use crate::data::{Dataset, split};
use crate::error::{Error, Result};
use crate::experiment::{AttackSpec, Experiment};
use crate::random::Seed;
use crate::split::SplitPlan;

/// The fewest auxiliary images from which a defence can be imitated at all.
const LEAST_TO_IMITATE: usize = 1;

/// Checks that each attack has what it wants, of `found` auxiliary images and of the models. If `lenient`, those that have
/// not are taken off the experiment, as long as others are left; what is said of each.
///
/// # Errors
/// Names the attack that lacks something, and what.
pub(super) fn met(
    experiment: &mut Experiment,
    plans: &[SplitPlan],
    found: usize,
    dataset: &Dataset,
    lenient: bool,
) -> Result<Vec<String>> {
    let lacking = |spec: &AttackSpec| images(spec, experiment, found, dataset).or_else(|| client(spec, plans));
    let lacks: Vec<Option<String>> = experiment.attacks.iter().map(lacking).collect();
    let each = experiment.attacks.iter().zip(&lacks);
    let told: Vec<String> =
        each.filter_map(|(spec, lack)| Some(format!("attack.{}: {}", spec.name(), lack.as_ref()?))).collect();
    match told.first() {
        Some(first) if !lenient || told.len() == lacks.len() => Err(Error::input(first)),
        _ => {
            let mut lacks = lacks.iter();
            experiment.attacks.retain(|_| lacks.next().is_some_and(Option::is_none));
            Ok(told.into_iter().map(|one| one + "; it is left out").collect())
        }
    }
}

/// What it lacks of auxiliary images.
fn images(spec: &AttackSpec, experiment: &Experiment, found: usize, dataset: &Dataset) -> Option<String> {
    // To imitate the defence an attacker learns from them.
    let needs = [spec.kind.least_images, (LEAST_TO_IMITATE, "to imitate the defence it needs")];
    let adaptive = spec.adaptive && experiment.defended();
    let (least, why) = if adaptive && needs[1].0 >= needs[0].0 { needs[1] } else { needs[0] };
    if found >= least {
        return None;
    }
    let gives = |aux: f64| split(dataset, aux, Seed(experiment.seed)).aux.len() >= least;
    // In thousandths, as a person would write it, and no more than is allowed. A larger share gives no fewer.
    let shares: Vec<f64> = (1..=500).map(|thousandths| f64::from(thousandths) / 1000.0).collect();
    let advice = match shares.get(shares.partition_point(|aux| !gives(*aux))) {
        Some(aux) => format!("set data.aux to {aux} or more"),
        None => "the set is too small for it: bring more training images, or leave it out".to_owned(),
    };
    Some(format!(
        "{why} {least} or more auxiliary images; data.aux = {} of {} training images gives {found}; {advice}",
        experiment.data.aux,
        dataset.train.len()
    ))
}

/// Why it cannot be launched at one of the models' clients.
fn client(spec: &AttackSpec, plans: &[SplitPlan]) -> Option<String> {
    let misfit = |plan: &SplitPlan| (spec.kind.misfit)(&plan.layers[..plan.cut], [plan.input(), plan.image]);
    plans.iter().find_map(misfit)
}

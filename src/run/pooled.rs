//! The summary of all folds together: every test image once, answered by the model that was not trained on its fold.

use std::path::Path;

use super::by_model::ByModel;
use super::fold::{folder_of, of_fold};
use super::folder::PREDICTIONS;
use super::predictions::{Predictions, Truth, Verdict};
use super::recorder::read_summary;
use super::reidentified::reidentified;
use super::summary::{EpochRow, Machine, RecoveryFigure, SCHEMA, StreamOrder, Summary, WireTotals};
use crate::error::{Error, Result};
use crate::experiment::Experiment;
use crate::model::wire::WireCount;
use crate::random::Seed;
use crate::score::meters::Meters;
use crate::score::pooled::pooled as pooled_attacks;
use crate::score::read_off::pooled as pooled_readings;

/// Reads the folds of a run and puts them together. Means are over test images.
///
/// # Errors
/// Returns an error if a fold is missing, damaged or of another experiment; the path comes last.
pub(super) fn pooled(run: &Path, experiment: &Experiment) -> Result<Summary> {
    let (mut all, mut predictions, mut labels) = (Vec::new(), Predictions::default(), Vec::new());
    let mut units = Some(Vec::new());
    for fold in 1..=experiment.data.folds {
        let path = folder_of(run, fold);
        let summary = read_summary(&path)?;
        if summary.experiment.hash() != of_fold(experiment, fold).hash() {
            return Err(Error::input(format!("this fold is of another experiment: {}", path.display())));
        }
        let (more, its, whose) = Predictions::read(&path.join(PREDICTIONS)).map_err(|error| {
            Error::input(format!("{error}; remove {} and resume the run, to have this fold run again", path.display()))
        })?;
        predictions.append(more);
        labels.extend(its);
        units = units.zip(whose).map(|(mut units, whose)| {
            units.extend(whose);
            units
        });
        all.push(summary);
    }
    let classes = all[0].class_names.len().max(labels.iter().max().map_or(0, |label| *label as usize + 1));
    let truth = Truth {
        labels: &labels,
        classes,
        units: units.as_deref(),
        positive: experiment.evaluate.positive(&all[0].class_names)?,
        gamma: experiment.disguise().gamma(),
        evaluate: &experiment.evaluate,
    };
    let summary = together(experiment, &all, predictions.judged(&truth, &all[0].class_names)?);
    let folders: Vec<_> = (1..=experiment.data.folds).map(|fold| folder_of(run, fold)).collect();
    Ok(Summary { reidentified: reidentified(&folders, &all[0].attacks)?, ..summary })
}

fn together(experiment: &Experiment, all: &[Summary], verdict: Verdict) -> Summary {
    let attacks: Vec<_> = all.iter().map(|summary| summary.attacks.as_slice()).collect();
    let summary = Summary {
        schema: SCHEMA,
        experiment: experiment.clone(),
        seed: experiment.seed,
        machine: Machine::here(rayon::current_num_threads()),
        epochs: epochs(all),
        streams: streams(all, &verdict),
        attacks: pooled_attacks(&attacks),
        recovery: recovery(all),
        read_off: pooled_readings(&all.iter().map(|one| one.read_off.as_slice()).collect::<Vec<_>>(), Seed(0)),
        wire: wire(all),
        client_ms_per_image: cost(all),
        class_names: all[0].class_names.clone(),
        target_patients: all
            .iter()
            .map(|summary| summary.target_patients.clone())
            .collect::<Option<Vec<_>>>()
            .map(|each| each.concat()),
        seconds: all.iter().map(|summary| summary.seconds).sum(),
        rows: verdict.rows,
        gain: verdict.gain,
        merged: verdict.merged,
        ..Summary::default()
    };
    summary.with(Vec::new())
}

/// Test accuracy by epoch, over the folds that went so far.
fn epochs(all: &[Summary]) -> Vec<EpochRow> {
    let tested = |summary: &Summary| summary.rows.first().map_or(1, |row| row.images.max(1)) as f64;
    let mut rows: Vec<EpochRow> = Vec::new();
    for row in all.iter().flat_map(|summary| &summary.epochs) {
        if rows.iter().any(|other| other.model == row.model && other.epoch == row.epoch) {
            continue;
        }
        let same: Vec<(f64, &EpochRow)> = all
            .iter()
            .filter_map(|summary| {
                let its = summary.epochs.iter().find(|its| its.model == row.model && its.epoch == row.epoch)?;
                Some((tested(summary), its))
            })
            .collect();
        let weight: f64 = same.iter().map(|(weight, _)| weight).sum();
        let mean = |of: &dyn Fn(&EpochRow) -> Option<f64>| {
            let values: Option<Vec<f64>> = same.iter().map(|(weight, row)| Some(weight * of(row)?)).collect();
            values.map(|values| values.iter().sum::<f64>() / weight)
        };
        rows.push(EpochRow {
            model: row.model.clone(),
            epoch: row.epoch,
            attacked: mean(&|row| row.attacked),
            recovered: mean(&|row| row.recovered),
            fused_stream: mean(&|row| row.fused_stream),
            accuracy: mean(&|row| Some(row.accuracy)).unwrap_or(f64::NAN),
            validation: None,
            validation_balanced: None,
            meters: mean_meters(&same),
        });
    }
    let first = |model: &str| all[0].epochs.iter().position(|row| row.model == model);
    rows.sort_by_key(|row| (first(&row.model), row.epoch));
    rows
}

/// What the meters show on average over rows with their weights; none where a row has none.
fn mean_meters(rows: &[(f64, &EpochRow)]) -> Option<Meters> {
    let all: Option<Vec<(f64, Meters)>> = rows.iter().map(|(weight, row)| Some((*weight, row.meters?))).collect();
    Meters::mean(&all?)
}

/// The order of the streams over all folds, with the weights of the first.
fn streams(all: &[Summary], verdict: &Verdict) -> Option<StreamOrder> {
    let weights = all[0].streams.as_ref()?.weights;
    Some(StreamOrder::of(weights, &verdict.rows))
}

fn recovery(all: &[Summary]) -> Option<RecoveryFigure> {
    let figures: Vec<&RecoveryFigure> = all.iter().map(|summary| summary.recovery.as_ref()).collect::<Option<_>>()?;
    let mean = |of: &dyn Fn(&RecoveryFigure) -> f64| {
        figures.iter().map(|figure| of(figure)).sum::<f64>() / figures.len() as f64
    };
    let by_mu = figures[0].mse_by_mu.iter().enumerate();
    Some(RecoveryFigure {
        mse_by_mu: by_mu
            .map(|(i, (mu, _))| (*mu, mean(&|figure| figure.mse_by_mu.get(i).map_or(f64::NAN, |(_, mse)| *mse))))
            .collect(),
        mse_attacked: mean(&|figure| figure.mse_attacked),
        map_correlation: mean(&|figure| figure.map_correlation),
    })
}

fn wire(all: &[Summary]) -> WireTotals {
    let total = all.iter().fold(WireCount::default(), |sum, summary| sum.plus(summary.wire.total));
    let of = |name: &str| {
        let its =
            |summary: &Summary| summary.wire.models.iter().find(|(model, _)| *model == name).map(|(_, count)| count);
        all.iter().map(its).try_fold(WireCount::default(), |sum, count| Some(sum.plus(count?)))
    };
    let names = all[0].wire.models.iter().map(|(name, _)| name.to_owned());
    WireTotals { total, models: ByModel::new(names.map(|name| (name.clone(), of(&name)))) }
}

fn cost(all: &[Summary]) -> ByModel<f64> {
    let of = |name: &str| {
        let its =
            |summary: &Summary| summary.client_ms_per_image.iter().find(|(model, _)| *model == name).map(|(_, ms)| ms);
        let each: Option<Vec<f64>> = all.iter().map(its).collect();
        each.map(|each| each.iter().sum::<f64>() / each.len() as f64)
    };
    let names = all[0].client_ms_per_image.iter().map(|(name, _)| name.to_owned());
    ByModel::new(names.map(|name| (name.clone(), of(&name))))
}

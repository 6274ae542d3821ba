//! What a run leaves when it is done: its summary and its pictures.

use super::attacks::{Finished, Job};
use super::folder::IMAGES;
use super::judge::{Verdict, client_cost, recovery_figure, stream_order, yardsticks};
use super::orders::{AttackId, PICTURED};
use super::pictures::{Tile, sheet};
use super::scene::Picture;
use super::session::Session;
use super::summary::{AttackRecord, Machine, SCHEMA, Summary, WireTotals};
use crate::error::Result;
use crate::model::wire::WireCount;
use crate::random::Seed;

/// Images, maps and what was sent, under PSGL.
pub const MAPS_FILE: &str = "images/maps.png";

/// The picture of an attack, within the run's folder.
pub fn attack_file(id: &AttackId) -> String {
    format!("{IMAGES}/{}.png", id.slug())
}

/// Original, sent, reconstruction and error, a row for each of the first targets.
///
/// # Errors
/// Where there is no target.
pub fn attack_sheet(job: &Job, finished: &Finished) -> Result<Vec<u8>> {
    let rows = finished.reconstructions.iter().enumerate().map(|(i, stolen)| {
        let original = job.original(i);
        let sent = Picture::of_tensor(&job.order.sent.get(i)?)?;
        let error = Tile::Error(original.clone(), stolen.clone());
        Ok(vec![Tile::Image(original), Tile::Image(sent), Tile::Image(stolen.clone()), error])
    });
    sheet(&rows.collect::<Result<Vec<_>>>()?)
}

/// Original, gradient map and disguised image of the first targets; none without PSGL.
///
/// # Errors
/// Where the model fails.
pub fn maps_sheet(session: &Session) -> Result<Option<Vec<u8>>> {
    let targets = &session.setup.targets;
    let few = targets.take(PICTURED.min(targets.len()));
    let Some(model) = session.court().psgl else { return Ok(None) };
    if few.is_empty() {
        return Ok(None);
    }
    let disguised = model.disguise(&few.tensor(&session.setup.device)?)?.0;
    let rows = (0..few.len()).map(|i| {
        Ok(vec![
            Tile::Image(Picture::of_image(&few, i)),
            Tile::Map(Picture::of_tensor(&disguised.map.get(i)?)?),
            Tile::Image(Picture::of_tensor(&disguised.attacked.get(i)?)?),
        ])
    });
    sheet(&rows.collect::<Result<Vec<_>>>()?).map(Some)
}

/// Everything a run came to.
///
/// # Errors
/// Where a model fails.
pub fn summary(session: &Session, verdict: Verdict) -> Result<Summary> {
    let (setup, court) = (&session.setup, session.court());
    let wire_of = |name: &str| session.models.iter().find(|m| m.plan.name == name).map(|m| m.wire);
    let total = session.models.iter().fold(WireCount::default(), |sum, model| sum.plus(model.wire));
    Ok(Summary {
        schema: SCHEMA,
        experiment: setup.experiment.clone(),
        seed: setup.experiment.seed,
        machine: Machine::here(rayon::current_num_threads()),
        epochs: session.position.epochs.clone(),
        streams: court.psgl.and_then(|model| stream_order(model, &verdict.rows)),
        attacks: attacks(session)?,
        recovery: recovery_figure(&court, &setup.targets)?,
        wire: WireTotals { total, psgl: wire_of("psgl"), vanilla: wire_of("vanilla") },
        client_ms_per_image: client_cost(&court)?,
        rows: verdict.rows,
        gain: verdict.gain,
        seconds: session.times.run,
    })
}

/// Attacks by target and name, early epochs before the last, then the yardsticks beside them.
fn attacks(session: &Session) -> Result<Vec<AttackRecord>> {
    let setup = &session.setup;
    let mut records = session.timed_attacks();
    let rank = |record: &AttackRecord| {
        let name = setup.experiment.attacks.iter().position(|spec| spec.name() == record.name);
        (record.target == "psgl", name, record.adaptive, record.epoch)
    };
    records.sort_by_key(rank);
    let most = setup.experiment.attacks.iter().map(crate::experiment::AttackSpec::images).max().unwrap_or(0);
    let targets = setup.targets.take(most.min(setup.targets.len()));
    if !targets.is_empty() {
        let measured = yardsticks(&targets, &setup.auxiliary, Seed(setup.experiment.seed))?;
        for model in session.models.iter().rev() {
            records.extend(measured.iter().map(|record| AttackRecord {
                target: model.plan.name.to_owned(),
                epoch: setup.experiment.train.epochs,
                ..record.clone()
            }));
        }
    }
    Ok(records)
}

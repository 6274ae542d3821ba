//! Whether the disk has room for what a run will write, and lets it write at all: asked before the first step.
//!
//! The standard library does not tell a disk's free room, so a file of that size is written and taken away again.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use super::attack_gradients::Batches;
use super::attack_order::{PICTURED, is_due, knows_server};
use super::folder::{CHECKPOINT, IMAGES, METRICS};
use super::prepared::Prepared;
use crate::error::{Error, Result};
use crate::experiment::AttackSpec;
use crate::model::optimiser::OptimiserSettings;
use crate::random::Seed;
use crate::split::{SplitModel, SplitPlan};

/// A row of `metrics.csv`, about.
const ROW_BYTES: u64 = 120;
/// A value of a picture on a sheet, about: a sheet is in colour and enlarged, and packed.
const VALUE_BYTES: u64 = 3;
/// Pictures in a row of a sheet.
const COLUMNS: u64 = 4;
/// Experiment, summary and the like.
const SMALL_FILES: u64 = 64 << 10;
/// Written at once; as random as weights are, for disks that pack.
const BLOCK: usize = 1 << 20;

/// Bytes that a run has on its disk at its fullest, about: two checkpoints, since one is written before the last is
/// taken away, the weights of the best epochs, metrics and pictures.
///
/// # Errors
/// Where a model does not fit.
pub(super) fn of_run(setup: &Prepared) -> Result<u64> {
    let parties = setup.plans.iter().map(weights).collect::<Result<Vec<_>>>()?;
    let weights: Vec<u64> = parties.iter().map(|[client, server]| client + server).collect();
    let moments = match setup.experiment.train.optimiser() {
        OptimiserSettings::Adam(_) => 2,
        OptimiserSettings::Sgd(_) => 1,
    };
    let learning = weights.iter().max().map_or(0, |most| moments * most);
    let waiting = setup.plans.iter().zip(&parties).map(|(plan, parties)| orders(setup, plan, *parties));
    let waiting = waiting.sum::<Result<u64>>()?;
    let at_work = setup.plans.iter().zip(&weights).map(|(plan, weights)| state(setup, plan, (1 + moments) * weights));
    let at_work = at_work.collect::<Result<Vec<_>>>()?;
    let at_work = at_work.into_iter().max().unwrap_or(0);
    let checkpoint = 4 * (weights.iter().sum::<u64>() + learning + waiting + at_work);
    let train = &setup.experiment.train;
    let steps = setup.victim.len().div_ceil(train.batch) * train.epochs * setup.plans.len();
    let best = 4 * weights.iter().sum::<u64>();
    Ok(2 * checkpoint + best + ROW_BYTES * steps as u64 + pictures(setup) + SMALL_FILES)
}

/// Bytes that attacks at a finished run write, about.
pub(super) fn of_attacks(setup: &Prepared) -> u64 {
    pictures(setup) + SMALL_FILES
}

/// A model's numbers: the client's and the server's.
fn weights(plan: &SplitPlan) -> Result<[u64; 2]> {
    let model = SplitModel::new(plan.clone(), Seed(0), &candle_core::Device::Cpu)?;
    Ok([model.client.parameters().count() as u64, model.server.parameters().count() as u64])
}

/// Numbers that a checkpoint holds for the attacks that are due at a model, if those after every epoch waited at once:
/// what was captured stands there once for all attacks after an epoch, and the weights of then.
fn orders(setup: &Prepared, plan: &SplitPlan, [client, server]: [u64; 2]) -> Result<u64> {
    let (last, attacks) = (setup.experiment.train.epochs, &setup.experiment.attacks);
    let smashed = plan.smashed()?.iter().product::<usize>();
    let image = setup.test.shape().iter().product::<usize>();
    let after = |epoch: usize| {
        let due = || attacks.iter().filter(|spec| is_due(spec, epoch, last));
        let targets = due().map(|spec| spec.images.min(setup.targets.len())).max();
        let weights = client + if due().any(knows_server) { server } else { 0 };
        let captured = |targets: usize| (targets * smashed + 2 * PICTURED.min(targets) * image) as u64;
        // Each as many numbers as there are weights, and once for all attacks that see the same.
        let mut gradients: Vec<Batches> = due().filter_map(|spec| Batches::seen(spec, setup.targets.len())).collect();
        gradients.sort_unstable();
        gradients.dedup();
        let gradients = gradients.iter().map(|batches| batches.count() as u64 * (client + server)).sum::<u64>();
        targets.map_or(0, |targets| captured(targets) + weights + gradients)
    };
    Ok((0..=last).map(after).sum())
}

/// Numbers of the largest state of an attack at a model, which has so many itself while it trains.
fn state(setup: &Prepared, plan: &SplitPlan, training: u64) -> Result<u64> {
    let smashed = plan.smashed()?;
    // An adaptive attacker's head, behind a pooling by two, with its moments.
    let head = if plan.defended() { 3 * setup.classes() * smashed.iter().product::<usize>() / 4 } else { 0 };
    let one = |spec: &AttackSpec| {
        let targets = spec.images.min(setup.targets.len());
        let own = if spec.kind.make.trains() { training } else { 0 };
        own + ((spec.kind.saves)(&smashed, setup.test.shape(), targets) + head) as u64
    };
    Ok(setup.experiment.attacks.iter().map(one).max().unwrap_or(0))
}

fn forms(spec: &AttackSpec, plan: &SplitPlan) -> u64 {
    if plan.defended() { u64::from(spec.naive) + u64::from(spec.adaptive) } else { 1 }
}

/// Bytes of the sheets of all attacks and of the one of maps, and of all reconstructions beside their originals.
fn pictures(setup: &Prepared) -> u64 {
    let image = setup.test.shape().iter().product::<usize>() as u64;
    let sheet = VALUE_BYTES * COLUMNS * PICTURED as u64 * image;
    let of_attack = |spec: &AttackSpec| {
        let arrays = 2 * 4 * spec.images.min(setup.targets.len()) as u64 * image;
        let last = setup.experiment.train.epochs;
        (sheet + arrays) * (0..=last).filter(|epoch| is_due(spec, *epoch, last)).count() as u64
    };
    let of_plan =
        |plan: &SplitPlan| setup.experiment.attacks.iter().map(|spec| forms(spec, plan) * of_attack(spec)).sum::<u64>();
    sheet + setup.plans.iter().map(of_plan).sum::<u64>()
}

/// Checks that a run can write so many bytes in its folder, be it one that is still to be made. What it has already
/// written there it does not need again.
///
/// # Errors
/// Where the disk has less room, or the folder cannot be written; the message ends with the path.
pub(super) fn check(run: &Path, bytes: u64) -> Result<()> {
    let held: u64 = [CHECKPOINT, METRICS].iter().filter_map(|name| Some(run.join(name).metadata().ok()?.len())).sum();
    let Some(folder) = run.ancestors().map(or_here).find(|folder| folder.is_dir()) else { return Ok(()) };
    let images = run.join(IMAGES);
    for (folder, bytes) in [(folder, bytes.saturating_sub(held)), (images.as_path(), 0)] {
        match try_write(folder, bytes) {
            Err(error) if is_full(&error) => {
                return Err(Error::input(format!(
                    "the disk has less room than the run may take, about {}: {error}; make room, or use another \
                     folder: {}",
                    size(bytes),
                    run.display()
                )));
            }
            // Whoever makes the folder will say it better.
            Err(_) if !folder.starts_with(run) => {}
            Err(error) if folder.exists() => {
                return Err(Error::input(format!("the folder cannot be written: {error}: {}", folder.display())));
            }
            _ => {}
        }
    }
    Ok(())
}

/// The parent of a relative path of one part is called "".
fn or_here(path: &Path) -> &Path {
    if path.as_os_str().is_empty() { Path::new(".") } else { path }
}

fn is_full(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge)
}

fn size(bytes: u64) -> String {
    let mb = bytes as f64 / 1e6;
    if mb < 10.0 { format!("{mb:.1} MB") } else { format!("{mb:.0} MB") }
}

/// Writes a file of so many bytes in a folder; nothing is left of it.
fn try_write(folder: &Path, bytes: u64) -> io::Result<()> {
    let path = folder.join(format!(".room-{}", std::process::id()));
    let file = OpenOptions::new().write(true).create(true).truncate(true).open(&path)?;
    // Where the system takes a name away from a file in use, not even a kill leaves anything.
    let left = Left(fs::remove_file(&path).is_err().then_some(path));
    let written = fill(file, bytes);
    drop(left);
    written
}

fn fill(mut file: File, bytes: u64) -> io::Result<()> {
    let mut block = vec![0; BLOCK.min(usize::try_from(bytes).unwrap_or(BLOCK))];
    blake3::Hasher::new().finalize_xof().fill(&mut block);
    let mut left = bytes;
    while left > 0 {
        let part = BLOCK.min(usize::try_from(left).unwrap_or(BLOCK));
        file.write_all(&block[..part])?;
        left -= part as u64;
    }
    // Some disks find only now that they are full; some know no such thing as a sync.
    match file.sync_data() {
        Err(error) if is_full(&error) => Err(error),
        _ => Ok(()),
    }
}

/// A file to be taken away in the end.
struct Left(Option<PathBuf>);

impl Drop for Left {
    fn drop(&mut self) {
        if let Some(path) = &self.0 {
            // Best effort: the run itself will tell what is wrong with the disk.
            let _ = fs::remove_file(path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::Experiment;

    #[test]
    fn nothing_is_left_and_what_cannot_be_written_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let run = folder.path().join("below").join("run");
        check(&run, 3 * BLOCK as u64 + 1).unwrap();
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
        fs::create_dir_all(&run).unwrap();
        check(&run, 7).unwrap();
        assert_eq!(fs::read_dir(&run).unwrap().count(), 0);
        // Pictures must find a folder of theirs.
        OpenOptions::new().write(true).create_new(true).open(run.join(IMAGES)).unwrap();
        let error = check(&run, 7).unwrap_err().to_string();
        assert!(error.starts_with("the folder cannot be written: ") && error.ends_with(IMAGES), "{error}");
    }

    #[test]
    fn sizes_follow_the_models_and_what_is_kept() {
        let mut experiment = Experiment::preset("quick").unwrap();
        let of = |experiment: &Experiment| of_run(&Prepared::new(experiment.clone()).unwrap()).unwrap();
        let all = of(&experiment);
        // What `quick` is known to leave: .5 MB of pictures, besides reconstructions and originals of each attack, and two
        // checkpoints of .2 MB to 1 MB: the most amid the inverse network, if attacks after all epochs waited at once.
        assert!((1_500_000..4_000_000).contains(&all), "{all}");
        experiment.train.epochs *= 100;
        let steps = 2 * 2 * 16;
        assert_eq!(of(&experiment) - all, ROW_BYTES * (99 * steps));
        experiment.set("model.layers=[\"flatten\", { linear = 4096 }, \"relu\", { linear = 10 }]").unwrap();
        experiment.set("model.cut=1").unwrap();
        experiment.attacks.clear();
        let experiment = experiment.undefended();
        let large = of(&experiment);
        let weights = 785 * 4096 + 4097 * 10;
        assert!(
            (28 * weights..29 * weights).contains(&large),
            "two checkpoints of weights and two moments, the best weights: {large}"
        );
    }
}

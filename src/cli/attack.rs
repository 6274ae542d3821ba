//! `cutlayer attack`: attacks at the trained models of a run.

use std::path::Path;
use std::sync::Arc;

use indicatif::ProgressBar;

use super::{AttackArgs, print, set_threads};
use crate::error::{Error, Result};
use crate::experiment::{AttackSpec, Experiment};
use crate::model::split::SplitModel;
use crate::random::Seed;
use crate::run::attacks::{Job, Order};
use crate::run::checkpoint::Checkpoint;
use crate::run::files::Writer;
use crate::run::finish::{attack_file, attack_sheet};
use crate::run::folder::{ATTACKS, CHECKPOINT, EXPERIMENT, RunFolder, read_text};
use crate::run::prepared::Prepared;
use crate::run::record::Recorder;
use crate::run::report::attack_table;
use crate::run::summary::AttackRecord;

pub(super) fn attack(args: &AttackArgs) -> Result<()> {
    let folder = RunFolder::open(&args.run)?;
    let file = folder.file(EXPERIMENT);
    let mut experiment = Experiment::from_toml(&read_text(&file)?, &file.display().to_string())?;
    let hash = experiment.hash();
    let known = experiment.attacks.iter().find(|spec| spec.name() == args.with);
    let spec = known.map_or_else(|| AttackSpec::named(&args.with), |spec| Ok(spec.clone()))?;
    let forms = if args.adaptive || args.naive { (args.naive, args.adaptive) } else { (true, true) };
    // The same checks as for the document: the attack becomes its only one.
    experiment.attacks = vec![spec];
    experiment.set(&format!("attack.0.naive={}", forms.0 || forms == (false, false)))?;
    experiment.set(&format!("attack.0.adaptive={}", forms.1))?;
    if !forms.0 && forms.1 {
        experiment.set("attack.0.naive=false")?;
    }
    if let Some(images) = &args.images {
        experiment.set(&format!("attack.0.images={images}"))?;
    }
    experiment.validate()?;
    set_threads(experiment.threads);
    let checkpoint = folder.file(CHECKPOINT);
    if !checkpoint.exists() {
        return Err(Error::input(format!(
            "the run has no trained model yet; go on with `cutlayer run --resume {}`",
            args.run.display()
        )));
    }
    let checkpoint = Checkpoint::load(&checkpoint, &hash)?;
    let setup = Prepared::new(experiment)?;
    let earlier = earlier(&args.run)?;
    let records = launch(&setup, &checkpoint, &Recorder::new(folder, Arc::new(Writer::default())))?;
    save(&args.run, earlier, &records)?;
    print(&attack_table(&records))
}

fn launch(setup: &Prepared, checkpoint: &Checkpoint, recorder: &Recorder) -> Result<Vec<AttackRecord>> {
    let spec = &setup.experiment.attacks[0];
    let seed = Seed(setup.experiment.seed);
    let targets = setup.targets.tensor(&setup.device)?;
    let mut records = Vec::new();
    for plan in &setup.plans {
        let mut model = SplitModel::new(plan.clone(), seed, &setup.device)?;
        checkpoint.load_model(&mut model)?;
        let epochs = checkpoint.position.epochs.iter().filter(|row| row.model == plan.name).count();
        for order in Order::at(&model, spec, epochs, &targets)? {
            let mut job = Job::start(order, plan, &setup.auxiliary, &setup.targets, seed)?;
            let bar = ProgressBar::new(0).with_message(job.order.id.words());
            while !job.done() {
                job.advance()?;
                let progress = job.progress();
                bar.set_length(progress.planned as u64);
                bar.set_position(progress.iteration as u64);
            }
            bar.finish_and_clear();
            let finished = job.finish()?;
            let name = attack_file(&job.order.id).replace(".png", "-afterwards.png");
            recorder.put(&name, &attack_sheet(&job, &finished)?)?;
            records.push(finished.record);
        }
    }
    Ok(records)
}

/// Attacks launched at the run before.
fn earlier(run: &Path) -> Result<Vec<AttackRecord>> {
    let path = run.join(ATTACKS);
    if !path.is_file() {
        return Ok(Vec::new());
    }
    serde_json::from_str(&read_text(&path)?).map_err(|e| Error::input(format!("damaged: {e}: {}", path.display())))
}

/// Adds the records to the run's `attacks.json`.
fn save(run: &Path, mut all: Vec<AttackRecord>, records: &[AttackRecord]) -> Result<()> {
    all.extend_from_slice(records);
    let text = serde_json::to_vec_pretty(&all).map_err(|e| Error::Internal(format!("attacks: {e}")))?;
    Writer::default().write(&run.join(ATTACKS), &text)
}

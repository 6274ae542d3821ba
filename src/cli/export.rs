//! `cutlayer export --torch`: weights for PyTorch.

use std::fs;
use std::path::Path;

use candle_core::Device;

use super::print;
use crate::error::{Error, Result};
use crate::experiment::Experiment;
use crate::export::loader;
use crate::model::split::{SplitModel, SplitPlan};
use crate::random::Seed;
use crate::run::checkpoint::{Checkpoint, weights_file};
use crate::run::files::Writer;
use crate::run::folder::{CHECKPOINT, EXPERIMENT, check_is_run, read_text};
use crate::run::identity::plans;

pub(super) fn export(run: &Path, out: &Path) -> Result<()> {
    check_is_run(run)?;
    let file = run.join(EXPERIMENT);
    let experiment = Experiment::from_toml(&read_text(&file)?, &file.display().to_string())?;
    let checkpoint = run.join(CHECKPOINT);
    if !checkpoint.exists() {
        return Err(Error::input(format!("the run has no weights yet: {}", run.display())));
    }
    let checkpoint = Checkpoint::load(&checkpoint, &experiment.hash())?;
    let plans = plans(run, &experiment)?;
    let load = |(i, plan): (usize, &SplitPlan)| {
        let mut model = SplitModel::new(plan.clone(), Seed(experiment.seed), &Device::Cpu)?;
        checkpoint.restore(i, &mut model)?;
        Ok(model)
    };
    // All of them before anything is written.
    let models = plans.iter().enumerate().map(load).collect::<Result<Vec<_>>>()?;
    if fs::read_dir(out).is_ok_and(|mut entries| entries.next().is_some()) {
        return Err(Error::input(format!("--torch cannot be used: the folder is not empty: {}", out.display())));
    }
    let writer = Writer::default();
    for (i, model) in models.iter().enumerate() {
        // The run's own model; its vanilla twin, where there is one, in a folder beside it.
        let folder = if i == 0 { out.to_owned() } else { out.join(model.plan.name) };
        fs::create_dir_all(&folder)
            .map_err(|e| Error::input(format!("--torch cannot be used: {e}: {}", folder.display())))?;
        for (party, weights) in [("client", model.client.parameters()), ("server", model.server.parameters())] {
            let bytes = weights_file(&weights.snapshot()?)?;
            writer.write(&folder.join(format!("{party}.safetensors")), &bytes)?;
        }
        writer.write(&folder.join("load.py"), loader(&model.plan).as_bytes())?;
    }
    print(&format!("Weights are in {}; load.py there loads them.\n", out.display()))
}

//! `cutlayer export --torch`: weights for PyTorch.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use candle_core::Tensor;

use super::print;
use crate::error::{Error, Result};
use crate::experiment::Experiment;
use crate::export::loader;
use crate::run::checkpoint::{Checkpoint, weights_file};
use crate::run::files::Writer;
use crate::run::folder::{CHECKPOINT, EXPERIMENT, check_is_run, read_text};
use crate::run::prepared::Prepared;

pub(super) fn export(run: &Path, out: &Path) -> Result<()> {
    check_is_run(run)?;
    let file = run.join(EXPERIMENT);
    let experiment = Experiment::from_toml(&read_text(&file)?, &file.display().to_string())?;
    let checkpoint = run.join(CHECKPOINT);
    if !checkpoint.exists() {
        return Err(Error::input(format!("the run has no weights yet: {}", run.display())));
    }
    let checkpoint = Checkpoint::load(&checkpoint, &experiment.hash())?;
    let setup = Prepared::new(experiment)?;
    if fs::read_dir(out).is_ok_and(|mut entries| entries.next().is_some()) {
        return Err(Error::input(format!("--torch cannot be used: the folder is not empty: {}", out.display())));
    }
    let writer = Writer::default();
    for (i, plan) in setup.plans.iter().enumerate() {
        // The run's own model; its vanilla twin, where there is one, in a folder beside it.
        let folder = if i == 0 { out.to_owned() } else { out.join(plan.name) };
        fs::create_dir_all(&folder)
            .map_err(|e| Error::input(format!("--torch cannot be used: {e}: {}", folder.display())))?;
        let weights = checkpoint.part(&format!("{}.", plan.name));
        for party in ["client", "server"] {
            let own: BTreeMap<String, Tensor> = weights
                .iter()
                .filter(|(name, _)| name.starts_with(party))
                .map(|(n, t)| (n.clone(), t.clone()))
                .collect();
            writer.write(&folder.join(format!("{party}.safetensors")), &weights_file(&own)?)?;
        }
        writer.write(&folder.join("load.py"), loader(plan).as_bytes())?;
    }
    print(&format!("Weights are in {}; load.py there loads them.\n", out.display()))
}

//! What is handed to `sbatch`: its options and the job's script.

use std::path::Path;

use super::Wishes;
use super::array::{Chunk, ranges};
use crate::sweep::call::Call;

/// The options of a submission.
pub fn options(chunk: &Chunk, name: &str, logs: &Path, wishes: &Wishes) -> Vec<String> {
    let at_once = wishes.jobs.map(|jobs| format!("%{jobs}")).unwrap_or_default();
    let mut options = vec![
        format!("--array={}{at_once}", ranges(&chunk.indexes)),
        format!("--job-name={name}"),
        format!("--output={}", logs.join("%A_%a.txt").display()),
        "--open-mode=append".to_owned(),
        // A lost node is no reason to give up: a cell goes on where it was.
        "--requeue".to_owned(),
    ];
    options.extend(wishes.options());
    options
}

/// A job's script: one cell, in place of the shell, so that it hears itself when it is to stop.
pub fn text(chunk: &Chunk, call: &Call) -> String {
    let number = format!("$(({} + SLURM_ARRAY_TASK_ID))", chunk.offset + 1);
    format!("#!/bin/sh\nexec {}\n", call.line(&number))
}

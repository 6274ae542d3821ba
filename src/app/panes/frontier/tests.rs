//! What the pane makes of a list of runs.

use std::time::SystemTime;

use super::made::Made;
use crate::app::library::Notes;
use crate::app::{RunEntry, Standing};
use crate::report::points::{Leak, Scored};
use crate::report::samples;
use crate::run::summary::Summary;

fn entry(name: &str, summary: Summary) -> RunEntry {
    RunEntry {
        path: format!("/runs/{name}").into(),
        name: name.to_owned(),
        changed: SystemTime::now(),
        experiment: Some(summary.experiment.clone()),
        standing: Standing::Finished(Box::new(summary)),
        afterwards: Vec::new(),
        notes: Notes::default(),
    }
}

#[test]
fn runs_of_other_images_and_of_older_rules_stand_apart() {
    let mut other = samples::summary(0);
    other.experiment.data.name = "brainmri".to_owned();
    let mut old = samples::summary(5);
    old.attacks[0].judged = None;
    let all = [samples::summary(0), samples::summary(1), other, old];
    let runs: Vec<RunEntry> = all.into_iter().enumerate().map(|(i, one)| entry(&format!("r{i}"), one)).collect();
    let made = Made::of(&runs);
    let told: Vec<(&str, usize, usize)> = made.sets[..2]
        .iter()
        .map(|set| (set.name.as_str(), set.points(Leak::Lineup, Scored::All).len(), set.left_out))
        .collect();
    assert_eq!(told, [("mnist", 1, 1), ("brainmri", 1, 0)]);
    assert_eq!(made.sets[0].run(0).unwrap(), &std::path::PathBuf::from("/runs/r0"));
    // What was recorded comes last, and has no run to open.
    let alone = Made::of(&[]);
    assert_eq!((made.recorded(), alone.recorded(), alone.sets.len()), (Some(2), Some(0), 1));
    assert!(alone.sets[0].run(0).is_none());
}

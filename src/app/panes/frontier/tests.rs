//! What the pane makes of a list of runs.

use std::time::SystemTime;

use super::made::Made;
use crate::app::library::Notes;
use crate::app::{RunEntry, Standing};
use crate::report::points::Leak;
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
    let told: Vec<(&str, usize, usize)> =
        made.sets.iter().map(|set| (set.name.as_str(), set.points(Leak::Lineup).len(), set.left_out)).collect();
    assert_eq!(told, [("mnist", 1, 1), ("brainmri", 1, 0)]);
    assert_eq!(made.sets[0].run(0).unwrap(), &std::path::PathBuf::from("/runs/r0"));
    assert!(Made::of(&[]).sets.is_empty());
}

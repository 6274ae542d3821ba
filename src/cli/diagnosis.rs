//! `cutlayer attack --with fgsm,pgd`: attacks on the diagnoses of a run.

use std::path::Path;

use super::interrupt::obey_interrupts;
use super::terminal::Terminal;
use super::{set_threads, tell};
use crate::attack::adversarial::Kind;
use crate::error::{Error, Result};
use crate::run::diagnosis::{Diagnosis, Ordered};
use crate::run::folder::{DIAGNOSIS, RunFolder, experiment_of};
use crate::run::identity::DataChoice;
use crate::run::launch::{ALL, Launch};
use crate::run::worker::{Outcome, Worker};
use crate::score::diagnosis::DiagnosisRow;
use crate::workbench;

/// The attacks of a launch that manipulate diagnoses.
pub(super) struct Diagnoses {
    kinds: Vec<&'static Kind>,
    launch: Launch,
}

impl Diagnoses {
    /// What of a launch steals, and what manipulates diagnoses; with "all" both do. A setting belongs to the attack that it
    /// names; one that names none goes to those that steal, if there are any.
    pub fn part(launch: Launch) -> (Option<Launch>, Option<Self>) {
        let all = launch.attacks.iter().any(|name| name == ALL);
        let (kinds, names): (Vec<_>, Vec<_>) =
            launch.attacks.iter().cloned().partition(|name| workbench::adversarial(name).is_some());
        let kinds: Vec<&'static Kind> = if all {
            workbench::ADVERSARIAL.to_vec()
        } else {
            kinds.iter().filter_map(|name| workbench::adversarial(name)).collect()
        };
        if kinds.is_empty() {
            return (Some(launch), None);
        }
        let steals = !names.is_empty();
        let ours = |set: &String| {
            let key = set.split('=').next().unwrap_or_default();
            let key = key.strip_prefix("attack.").unwrap_or(key);
            key.split_once('.').map_or(!steals, |(name, _)| workbench::adversarial(name.trim()).is_some())
        };
        let (own, others): (Vec<String>, Vec<String>) = launch.set.iter().cloned().partition(ours);
        let own = own.iter().map(|set| set.strip_prefix("attack.").unwrap_or(set).to_owned()).collect();
        let diagnoses = Self { kinds, launch: Launch { set: own, ..launch.clone() } };
        (steals.then_some(Launch { attacks: names, set: others, ..launch }), Some(diagnoses))
    }

    /// Launches them at a run.
    pub fn launch(&self, run: &Path, data: &DataChoice) -> Result<Vec<DiagnosisRow>> {
        let launch = &self.launch;
        let mut ordered = Ordered::new(&self.kinds, launch.means, &launch.set, [launch.naive, launch.adaptive])?;
        let whole = |name: &str, text: &String| {
            let wrong = |_| Error::input(format!("{name} {text}: allowed is a whole number"));
            text.parse::<u64>().map_err(wrong)
        };
        if let Some(images) = &launch.images {
            ordered.images = whole("--images", images)?.try_into().unwrap_or(usize::MAX);
        }
        ordered.seed = launch.seed.as_ref().map(|seed| whole("--seed", seed)).transpose()?;
        // As for those that steal, 0 is the run's own.
        ordered.seed = ordered.seed.filter(|seed| *seed > 0);
        let folder = RunFolder::open(run)?;
        set_threads(experiment_of(folder.path())?.threads);
        let (file, data) = (folder.file(DIAGNOSIS), data.clone());
        let worker = Worker::start(move |sink| Diagnosis::new(folder, &ordered, &data, sink))?;
        obey_interrupts(&worker, format!("Left at once. What was finished is kept in {}", file.display()));
        let mut terminal = Terminal::new(["Attacking diagnoses of"; 2]);
        let outcome = worker.join(|event| terminal.read(&event));
        terminal.end();
        match outcome {
            Outcome::Diagnosed(rows) => Ok(rows),
            // Only other work ends so.
            Outcome::Done(_) | Outcome::Attacked(_) => Ok(Vec::new()),
            Outcome::Stopped => {
                tell(&format!("Stopped. Finished attacks are kept in {}", file.display()));
                Err(Error::Stopped)
            }
            Outcome::Failed(error) => Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_launch_is_parted_by_what_each_attack_is_for() {
        let part = |names: &[&str], set: &[&str]| {
            let own = |all: &[&str]| all.iter().map(|one| (*one).to_owned()).collect();
            Diagnoses::part(Launch { attacks: own(names), set: own(set), ..Launch::default() })
        };
        let (steals, diagnoses) = part(&["rmle", "pgd"], &["tv=1", "pgd.epsilon=0.1"]);
        let (steals, diagnoses) = (steals.unwrap(), diagnoses.unwrap());
        assert_eq!((steals.attacks, steals.set), (vec!["rmle".to_owned()], vec!["tv=1".to_owned()]));
        assert_eq!((diagnoses.kinds[0].id, diagnoses.launch.set), ("pgd", vec!["pgd.epsilon=0.1".to_owned()]));
        let (steals, diagnoses) = part(&["fgsm"], &["epsilon=0.1"]);
        assert!(steals.is_none() && diagnoses.unwrap().launch.set == ["epsilon=0.1"]);
        let (steals, diagnoses) = part(&["all"], &[]);
        assert!(steals.unwrap().attacks == ["all"] && diagnoses.unwrap().kinds.len() == workbench::ADVERSARIAL.len());
        assert!(part(&["rmel"], &[]).1.is_none());
    }
}

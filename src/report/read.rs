//! Which runs a report is of: the finished ones in the folders that were given. What is not finished is named, and runs that
//! cannot stand beside each other are refused.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use crate::data::Catalogue;
use crate::error::{Error, Result};
use crate::run::folder::SUMMARY;
use crate::run::found::is_run;
use crate::run::identity::kept;
use crate::run::report::finished;
use crate::run::summary::Summary;
use crate::score::verdict::is_attack;

/// Folders below folders that are looked into, at most.
const DEEPEST: usize = 6;

/// A finished run.
#[derive(Clone, Debug)]
pub struct Run {
    /// Its folder.
    pub folder: PathBuf,
    /// What it came to, with the attacks launched at it afterwards.
    pub summary: Summary,
    /// What it keeps of its data; none in runs of builds that kept nothing.
    pub data: Option<Catalogue>,
}

/// What was found in the folders.
#[derive(Clone, Debug, Default)]
pub struct Runs {
    /// Finished runs, in the order of their folders.
    pub finished: Vec<Run>,
    /// Runs that are not finished.
    pub unfinished: Vec<PathBuf>,
}

impl Run {
    /// What its folder is called.
    pub fn name(&self) -> String {
        name(&self.folder)
    }
}

/// What a folder is called; its path where it has no name of its own, as `.`.
pub fn name(folder: &Path) -> String {
    let whole = folder.canonicalize();
    let named = folder.file_name().or_else(|| whole.as_ref().ok()?.file_name());
    named.map_or_else(|| folder.display().to_string(), |name| name.to_string_lossy().into_owned())
}

/// Reads the runs at these places: each is a run's folder, or a folder with runs somewhere in it.
///
/// # Errors
/// Returns an error if there is no run, or none that is finished; if one is damaged, or made by a newer version; and if one
/// cannot stand beside the others. The message ends with the folder.
pub fn read(places: &[PathBuf]) -> Result<Runs> {
    let (mut folders, mut seen) = (Vec::new(), BTreeSet::new());
    for place in places {
        if !search(place, 0, &mut seen, &mut folders)? {
            return Err(Error::input(format!("there is no run in this folder: {}", place.display())));
        }
    }
    let (done, unfinished): (Vec<PathBuf>, Vec<PathBuf>) =
        folders.into_iter().partition(|folder| folder.join(SUMMARY).is_file());
    if let ([], [first, ..]) = (done.as_slice(), unfinished.as_slice()) {
        let none = if unfinished.len() == 1 { "the run is not finished" } else { "none of the runs is finished" };
        return Err(Error::input(format!(
            "{none}; go on with `cutlayer run --resume {}`: {}",
            first.display(),
            first.display()
        )));
    }
    let read = |folder: PathBuf| Ok(Run { summary: finished(&folder)?, data: kept(&folder)?, folder });
    let finished = done.into_iter().map(read).collect::<Result<Vec<_>>>()?;
    check(&finished)?;
    Ok(Runs { finished, unfinished })
}

fn whole(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| path.to_owned())
}

/// Runs in `place`, each once however it is reached, and whether there is any. A run's folder is not looked into: what is in it
/// is its own.
fn search(place: &Path, depth: usize, seen: &mut BTreeSet<PathBuf>, found: &mut Vec<PathBuf>) -> Result<bool> {
    let metadata = fs::metadata(place).map_err(Error::opening("open the folder", place))?;
    if !metadata.is_dir() {
        return Err(Error::input(format!("it is a file, and runs are folders: {}", place.display())));
    }
    if !seen.insert(whole(place)) {
        return Ok(true);
    }
    if is_run(place) {
        found.push(place.to_owned());
        return Ok(true);
    }
    if depth == DEEPEST {
        return Ok(false);
    }
    let entries = fs::read_dir(place).map_err(Error::opening("open the folder", place))?;
    let hidden = |path: &PathBuf| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
    let mut below: Vec<PathBuf> =
        entries.flatten().map(|entry| entry.path()).filter(|path| path.is_dir() && !hidden(path)).collect();
    below.sort();
    let mut any = false;
    for folder in below {
        any |= search(&folder, depth + 1, seen, found)?;
    }
    Ok(any)
}

/// Refuses runs whose numbers do not mean the same, or are of different images.
fn check(runs: &[Run]) -> Result<()> {
    let Some((first, others)) = runs.split_first() else { return Ok(()) };
    for other in others {
        if let Some(why) = apart(first, other) {
            return Err(Error::input(format!(
                "{why}, and one report would mix them; give them apart from {}: {}",
                first.folder.display(),
                other.folder.display()
            )));
        }
    }
    Ok(())
}

/// Why two runs cannot stand beside each other; none where they can.
fn apart(a: &Run, b: &Run) -> Option<String> {
    if a.summary.schema != b.summary.schema {
        let [a, b] = [a, b].map(|run| run.summary.schema);
        return Some(format!("the runs' summaries are of different schemas, {a} and {b}"));
    }
    if let [Some(a), Some(b)] = [a, b].map(|run| judged(&run.summary))
        && a != b
    {
        return Some("an older build judged one of the runs by other rules (attack it again)".to_owned());
    }
    let tested = |run: &Run| (run.summary.experiment.data.test, run.summary.experiment.data.draw);
    if tested(a) != tested(b) {
        return Some("the runs are of different data: other test images were taken (data.test, data.draw)".to_owned());
    }
    if let (Some(a), Some(b)) = (&a.data, &b.data) {
        let names = || format!("{} and {}", a.name, b.name);
        return a.difference(b).map(|difference| {
            // Of one name it tells what has changed.
            format!("the runs are of different data: {}", if a.name == b.name { difference } else { names() })
        });
    }
    let [x, y] = [a, b].map(|run| &run.summary);
    let same = x.experiment.data.same_images(&y.experiment.data) && x.class_names == y.class_names;
    (!same)
        .then(|| format!("the runs are of different data: {} and {}", x.experiment.data.name, y.experiment.data.name))
}

/// Whether a run's attacks were judged by the present rules; none where it has no attacks.
fn judged(summary: &Summary) -> Option<bool> {
    let mut attacks = summary.attacks.iter().filter(|record| is_attack(record)).peekable();
    attacks.peek()?;
    Some(attacks.all(|record| record.judged.is_some()))
}

#[cfg(test)]
mod tests {
    use super::super::samples;
    use super::*;

    #[test]
    fn runs_are_found_wherever_they_are_and_each_once() {
        let home = tempfile::tempdir().unwrap();
        let at = |name: &str| home.path().join(name);
        samples::keep(&at("sweep/a"), &samples::summary(0));
        samples::keep(&at("sweep/deeper/b"), &samples::summary(1));
        samples::keep(&at("sweep/a/fold-1"), &samples::summary(7));
        samples::begin(&at("sweep/c"), &samples::summary(2));
        fs::create_dir_all(at("sweep/.hidden")).unwrap();
        let runs = read(&[at("sweep"), at("sweep/a")]).unwrap();
        let names: Vec<String> = runs.finished.iter().map(Run::name).collect();
        assert_eq!(names, ["a", "b"], "what is in a run's folder is the run's own");
        assert_eq!(runs.unfinished, [at("sweep/c")]);
    }

    #[test]
    fn what_is_no_report_is_refused_with_its_folder() {
        let home = tempfile::tempdir().unwrap();
        let at = |name: &str| home.path().join(name);
        fs::create_dir_all(at("empty")).unwrap();
        samples::begin(&at("begun"), &samples::summary(0));
        samples::keep(&at("a"), &samples::summary(0));
        let mut other = samples::summary(1);
        other.experiment.data.name = "brainmri".to_owned();
        samples::keep(&at("other"), &other);
        samples::keep(&at("fewer"), &samples::with(1, &["data.test=500"]));
        let old = Summary { schema: 0, ..samples::summary(1) };
        samples::keep(&at("old"), &old);
        let mut unjudged = samples::summary(1);
        unjudged.attacks.iter_mut().for_each(|record| record.judged = None);
        samples::keep(&at("unjudged"), &unjudged);
        for (places, says, last) in [
            (&["empty"][..], "there is no run in this folder", "empty"),
            (&["gone"], "could not open the folder", "gone"),
            (&["begun"], "the run is not finished", "begun"),
            (&["a", "other"], "different data: mnist and brainmri", "other"),
            (&["a", "fewer"], "other test images were taken", "fewer"),
            (&["a", "old"], "different schemas, 1 and 0", "old"),
            (&["a", "unjudged"], "an older build judged", "unjudged"),
        ] {
            let places: Vec<PathBuf> = places.iter().map(|name| at(name)).collect();
            let error = read(&places).unwrap_err();
            let text = error.to_string();
            assert!(error.exit_code() == 2 && text.contains(says) && text.ends_with(last), "{text}");
        }
    }
}

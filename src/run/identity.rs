//! A run and its data: what it keeps of them, and whether those that are found now are the same.

use std::path::Path;

use super::folder::{DATA, read_text};
use crate::data::{BUILT_IN, Catalogue, Dataset};
use crate::error::{Error, Result};
use crate::experiment::Experiment;
use crate::place::{found, written};
use crate::split::SplitPlan;
use crate::workbench::load;

/// Which images a run that was made before is to go on with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DataChoice {
    /// Where they are now, if no longer where the run has them.
    pub place: Option<String>,
    /// Take them also if they are not those of the run.
    pub other: bool,
}

/// What a run keeps of its data; none where it was made before runs kept anything.
///
/// # Errors
/// Where that is damaged; the message ends with the path.
pub fn kept(run: &Path) -> Result<Option<Catalogue>> {
    let path = run.join(DATA);
    if !path.is_file() {
        return Ok(None);
    }
    let wrong = |problem: String| Error::input(format!("{problem}: {}", path.display()));
    Catalogue::from_json(&read_text(&path)?).map(Some).map_err(wrong)
}

/// What is known of a run's data: what it keeps, or else what its images tell.
///
/// # Errors
/// Where it keeps nothing and the images are not there.
pub fn catalogue(run: &Path, experiment: &Experiment) -> Result<Catalogue> {
    match kept(run)? {
        Some(kept) => Ok(kept),
        None => Catalogue::of(&load(&experiment.data.name, &experiment.data.wanted()?)?),
    }
}

/// A run's models. No image is needed for that.
///
/// # Errors
/// As [`catalogue`]; or where the model does not fit the data.
pub fn plans(run: &Path, experiment: &Experiment) -> Result<Vec<SplitPlan>> {
    let data = catalogue(run, experiment)?;
    experiment.split_plans(data.shape, data.classes.len())
}

/// A run's images, and what is to be told of them where they are others and `choice` insists.
///
/// # Errors
/// Where they cannot be read, or are not those of the run.
pub(super) fn images_of(
    run: &Path,
    experiment: &Experiment,
    choice: &DataChoice,
) -> Result<(Dataset, Catalogue, Option<String>)> {
    let own = experiment.data.name.as_str();
    let name = choice.place.as_deref().unwrap_or(own);
    let gone = || Ok::<_, Error>(found(own)?.try_exists().is_ok_and(|there| !there));
    if choice.place.is_none() && !BUILT_IN.contains(&own) && gone()? {
        return Err(Error::input(format!(
            "the images of this run are not where they were; if they have moved, say where they are with --data \
             (`cutlayer run --resume`, `cutlayer attack`): {own}"
        )));
    }
    let data = load(name, &experiment.data.wanted()?)?;
    let now = Catalogue::of(&data)?;
    let (difference, grouped) = match kept(run) {
        Ok(then) => {
            let grouped = then.as_ref().is_some_and(|then| then.groups.is_some());
            (then.and_then(|then| then.difference(&now)), grouped)
        }
        Err(damaged) if choice.other => (Some(damaged.to_string()), true),
        Err(damaged) => return Err(damaged),
    };
    // A run that began before it was known which images are of one patient must go on with the images that it had.
    let ungrouped = difference.is_none() && !grouped;
    let (data, now) = if ungrouped { (data.without_groups(), Catalogue { groups: None, ..now }) } else { (data, now) };
    match difference {
        Some(difference) if !choice.other => Err(Error::input(format!(
            "these are not the images of this run: {difference}; bring back its own, or insist on these with \
             --other-data (`cutlayer run --resume`, `cutlayer attack`): {name}"
        ))),
        Some(difference) => {
            Ok((data, now, Some(format!("these are not the images of this run, and were insisted on: {difference}"))))
        }
        None => Ok((data, now, None)),
    }
}

/// A path to data as it is understood from every folder; none for what already is, or names no file here.
pub(crate) fn absolute(name: &str) -> Option<String> {
    // A home is a home everywhere.
    let at_home = name == "~" || name.starts_with("~/") || name.starts_with("~\\");
    if BUILT_IN.contains(&name) || at_home {
        return None;
    }
    let path = written(&std::path::absolute(found(name).ok()?).ok()?);
    // It must be allowed in a document.
    let setting = crate::workbench::find("data.name")?;
    setting.kind.check(setting.key, &toml::Value::String(path.clone())).is_ok().then_some(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_become_absolute_and_other_names_stay() {
        let here = std::env::current_dir().unwrap();
        let below = here.join("x.npz").to_str().map(str::to_owned);
        assert_eq!(absolute("./x.npz"), below);
        assert_eq!(absolute(below.as_deref().unwrap()), below);
        for name in ["mnist", "brainmri", "~/x.npz", "~"] {
            assert_eq!(absolute(name), None, "{name}");
        }
        assert_eq!(absolute("./mnist"), here.join("mnist").to_str().map(str::to_owned));
        assert_eq!(absolute(&format!("./{}", "long/".repeat(300))), None, "a document could not hold it");
    }
}

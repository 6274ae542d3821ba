//! What is launched at a finished run: which attacks, in which form, and with what means.

use super::folder::{RunFolder, experiment_of};
use crate::attack::adversarial;
use crate::attack::kind::{Budget, Kind};
use crate::error::{Error, Result};
use crate::experiment::{AttackSpec, Experiment};
use crate::setting::{Values, near, shorten};
use crate::workbench;

/// Every attack that there is, in place of names.
pub const ALL: &str = "all";

/// What to launch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Launch {
    /// Names of attacks, each with the run's own settings for it, if it has them; [`ALL`] for every one.
    pub attacks: Vec<String>,
    /// Without knowledge of the defence.
    pub naive: bool,
    /// With it. Neither means both.
    pub adaptive: bool,
    /// How many test images, if not as many as the settings say.
    pub images: Option<String>,
    /// What the attackers' randomness is drawn by, if not by the run's own seed.
    pub seed: Option<String>,
    /// With what means.
    pub means: Means,
    /// Settings to change, as in `rmle.tv=0.01`, or `tv=0.01` for all that have one.
    pub set: Vec<String>,
}

/// With what means an attack is launched.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Means {
    /// In little time.
    Quick,
    /// With its defaults, or with what the run's own attack of this name has.
    #[default]
    Default,
    /// As published, be it for hours.
    Paper,
}

impl Means {
    /// All, as the command line lists them.
    pub const ALL: [Self; 3] = [Self::Quick, Self::Default, Self::Paper];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Quick => "quick",
            Self::Default => "default",
            Self::Paper => "paper",
        }
    }

    /// The one of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|means| means.name() == name)
    }

    fn of(self, kind: &Kind) -> Budget {
        match self {
            Self::Quick => kind.quick,
            Self::Default => &[],
            Self::Paper => kind.paper,
        }
    }

    /// The settings of an attack on diagnoses with such means.
    ///
    /// # Errors
    /// Returns an error if its card gives a setting that it does not have.
    pub fn values(self, kind: &adversarial::Kind) -> Result<Values> {
        let mut values = Values::of(kind.settings);
        let own = match self {
            Self::Quick => kind.quick,
            Self::Default => &[],
            Self::Paper => kind.paper,
        };
        for (key, value) in own {
            values.put(key, value.value())?;
        }
        Ok(values)
    }

    /// All settings of a kind of attack with such means, the number of targets first.
    pub fn settings(self, kind: &'static Kind) -> Vec<(&'static str, toml::Value)> {
        let spec = with(kind, self).unwrap_or_else(|_| AttackSpec::of(kind));
        let images = ("images", toml::Value::Integer(spec.images as i64));
        std::iter::once(images).chain(spec.values.iter().map(|(key, value)| (key, value.clone()))).collect()
    }

    /// What an attack was given, `own` where that is none of these. Of equal ones it is the default.
    pub fn told(spec: &AttackSpec) -> &'static str {
        let given = |means: &Self| with(spec.kind, *means).is_ok_and(|other| other.values == spec.values);
        let all = [Self::Default, Self::Quick, Self::Paper];
        all.iter().find(|means| given(means)).map_or("own", |means| means.name())
    }
}

/// An attack with such means.
fn with(kind: &'static Kind, means: Means) -> Result<AttackSpec> {
    let mut spec = AttackSpec::of(kind);
    for (key, value) in means.of(kind) {
        match value.value().as_integer().filter(|_| *key == "images") {
            Some(images) => spec.images = usize::try_from(images).unwrap_or(spec.images),
            None => spec.values.put(key, value.value()).map_err(|error| Error::Internal(error.to_string()))?,
        }
    }
    Ok(spec)
}

/// What a launch comes to at one run.
#[derive(Clone, Debug)]
pub struct Launched {
    /// The run's experiment with the launched attacks as its only ones.
    pub experiment: Experiment,
    /// The hash under which its checkpoint was written.
    pub hash: String,
    /// Whether an attack that lacks what it needs is left out, as where all are launched; else it is an error.
    pub lenient: bool,
}

/// What a launch comes to at a run.
///
/// # Errors
/// Returns an error if the folder's experiment is damaged, an attack is unknown or named twice, or a setting does not fit.
pub fn launched(folder: &RunFolder, launch: &Launch) -> Result<Launched> {
    let mut experiment = experiment_of(folder.path())?;
    let hash = experiment.hash();
    experiment.attacks = specs(launch, &experiment)?;
    let (naive, adaptive) =
        if launch.naive || launch.adaptive { (launch.naive, launch.adaptive) } else { (true, true) };
    let count = experiment.attacks.len();
    let mut all = |key: &str, value: &str| {
        // The same checks as for the document: the attacks become its only ones.
        (0..count).try_for_each(|i| experiment.set(&format!("attack.{i}.{key}={value}")))
    };
    all("naive", &naive.to_string())?;
    all("adaptive", &adaptive.to_string())?;
    for (key, value) in [("images", &launch.images), ("seed", &launch.seed)] {
        value.iter().try_for_each(|value| all(key, value))?;
    }
    for assignment in &launch.set {
        set(&mut experiment, assignment)?;
    }
    experiment.validate()?;
    Ok(Launched { experiment, hash, lenient: launch.attacks.iter().any(|name| name == ALL) })
}

/// Attacks that are launched at a victim of another program, whose form is what it is.
///
/// # Errors
/// Returns an error if an attack is unknown or named twice, or a setting does not fit.
pub fn at_victim(launch: &Launch) -> Result<Vec<AttackSpec>> {
    let mut experiment = Experiment { attacks: Vec::new(), ..Experiment::default() };
    experiment.attacks = specs(launch, &experiment)?;
    let images = |set: &&String| set.split('=').next().is_some_and(|key| leaf(key.trim()) == "images");
    if let Some(set) = launch.set.iter().find(images) {
        return Err(Error::input(format!(
            "--set {}: a victim's targets are the same for all; use --images",
            shorten(set)
        )));
    }
    for i in 0..experiment.attacks.len() {
        for (key, value) in [("images", &launch.images), ("seed", &launch.seed)] {
            value.iter().try_for_each(|value| experiment.set(&format!("attack.{i}.{key}={value}")))?;
        }
    }
    launch.set.iter().try_for_each(|assignment| set(&mut experiment, assignment))?;
    experiment.validate()?;
    Ok(experiment.attacks)
}

/// The launched attacks.
fn specs(launch: &Launch, experiment: &Experiment) -> Result<Vec<AttackSpec>> {
    let names: Vec<&str> = if launch.attacks.iter().any(|name| name == ALL) {
        workbench::attacks().iter().map(|kind| kind.id).collect()
    } else {
        launch.attacks.iter().map(String::as_str).collect()
    };
    if names.is_empty() {
        return Err(Error::input(format!("no attack is named; name some, or \"{ALL}\" for every one")));
    }
    if let Some((_, name)) = names.iter().enumerate().find(|(i, name)| names[..*i].contains(name)) {
        return Err(Error::input(format!("the attack \"{}\" is named twice", shorten(name))));
    }
    names.into_iter().map(|name| spec(name, launch.means, experiment)).collect()
}

/// One launched attack: the run's own of this name, or else a kind's.
fn spec(name: &str, means: Means, experiment: &Experiment) -> Result<AttackSpec> {
    let own = experiment.attacks.iter().find(|spec| spec.name() == name);
    let spec = own.map_or_else(|| AttackSpec::named(name), |spec| Ok(spec.clone()));
    let spec = spec.map_err(|error| with_labels(error, experiment))?;
    let label = spec.label.clone();
    Ok(if means == Means::Default { spec } else { AttackSpec { label, ..with(spec.kind, means)? } })
}

/// An error that tells of the run's own attacks too, where they have labels.
fn with_labels(error: Error, experiment: &Experiment) -> Error {
    let labels: Vec<&str> = experiment.attacks.iter().filter_map(|spec| spec.label.as_deref()).collect();
    if labels.is_empty() { error } else { Error::input(format!("{error}; the run itself has {}", labels.join(", "))) }
}

/// Changes a setting of one launched attack (`attack.rmle.tv=0.01`, `rmle.tv=0.01`), or of all that have it (`tv=0.01`).
fn set(experiment: &mut Experiment, assignment: &str) -> Result<()> {
    let (key, value) = assignment.split_once('=').ok_or_else(|| {
        Error::input(format!("--set {}: wanted is KEY=VALUE, as in rmle.tv=0.01", shorten(assignment)))
    })?;
    let key = key.trim();
    let key = key.strip_prefix("attack.").unwrap_or(key);
    let names: Vec<String> = experiment.attacks.iter().map(|spec| spec.name().to_owned()).collect();
    if names.iter().any(|name| key.strip_prefix(name.as_str()).is_some_and(|rest| rest.starts_with('.'))) {
        return experiment.set(&format!("attack.{key}={value}"));
    }
    let has = |spec: &AttackSpec| spec.settings().iter().any(|setting| leaf(setting.key) == key);
    let having: Vec<usize> = (0..names.len()).filter(|i| has(&experiment.attacks[*i])).collect();
    if having.is_empty() {
        let all: Vec<&str> =
            experiment.attacks.iter().flat_map(AttackSpec::settings).map(|setting| leaf(setting.key)).collect();
        let near = near(key, all).map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
        return Err(Error::input(format!(
            "{}: none of the launched attacks ({}) has such a setting, and the run's own stay as they are{near}",
            shorten(key),
            names.join(", ")
        )));
    }
    having.into_iter().try_for_each(|i| experiment.set(&format!("attack.{i}.{key}={value}")))
}

/// The last part of a setting's key.
fn leaf(key: &str) -> &str {
    key.rsplit('.').next().unwrap_or(key)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::Experiment;

    fn with_attacks(names: &[&str]) -> Experiment {
        let attacks = names.iter().map(|name| AttackSpec::named(name).unwrap()).collect();
        Experiment { attacks, ..Experiment::default() }
    }

    #[test]
    fn every_attack_has_means_that_are_allowed_and_told_by_name() {
        for kind in workbench::attacks() {
            for means in Means::ALL {
                let spec = with(kind, means).unwrap_or_else(|error| panic!("{} {}: {error}", kind.id, means.name()));
                let told = Means::told(&spec);
                assert!(means != Means::Default || told == "default", "{}: {told}", kind.id);
                assert!(told == means.name() || means.of(kind).iter().all(|(key, _)| *key == "images"), "{}", kind.id);
                let experiment = Experiment { attacks: vec![spec], ..Experiment::default() };
                experiment.validate().unwrap_or_else(|error| panic!("{} {}: {error}", kind.id, means.name()));
            }
        }
        for kind in workbench::ADVERSARIAL {
            for (means, budget) in [(Means::Quick, kind.quick), (Means::Paper, kind.paper)] {
                let values = means.values(kind).unwrap_or_else(|error| panic!("{} {}: {error}", kind.id, means.name()));
                for (key, value) in budget {
                    let setting = kind.settings.iter().find(|setting| setting.key == *key).unwrap();
                    setting.kind.check(key, &value.value()).unwrap();
                    assert_eq!(values.iter().find(|(own, _)| own == key).unwrap().1, &value.value());
                }
            }
        }
        let mut own = AttackSpec::named("rmle").unwrap();
        own.values.put("tv", 0.5.into()).unwrap();
        assert_eq!(Means::told(&own), "own");
        assert_eq!(Means::named("quick"), Some(Means::Quick));
        assert_eq!(Means::named("huge"), None);
    }

    #[test]
    fn all_attacks_are_launched_by_one_word_and_none_twice() {
        let experiment = Experiment::default();
        let launch = |names: &[&str]| Launch {
            attacks: names.iter().map(|name| (*name).to_owned()).collect(),
            ..Launch::default()
        };
        let all = specs(&launch(&[ALL]), &experiment).unwrap();
        assert_eq!(all.len(), workbench::attacks().len());
        for (names, says) in [
            (&[][..], "no attack is named"),
            (&["rmle", "rmle"], "the attack \"rmle\" is named twice"),
            (&["rlme"], "did you mean \"rmle\"?"),
        ] {
            let error = specs(&launch(names), &experiment).unwrap_err().to_string();
            assert!(error.contains(says), "{error}");
        }
    }

    #[test]
    fn a_setting_is_changed_of_one_attack_or_of_all_that_have_it() {
        let mut experiment = with_attacks(&["rmle", "inverse", "nearest"]);
        set(&mut experiment, "rmle.tv=0.25").unwrap();
        set(&mut experiment, "attack.inverse.images=5").unwrap();
        assert_eq!(experiment.values()["attack.rmle.tv"], toml::Value::Float(0.25));
        assert_eq!(experiment.attacks[1].images, 5);
        set(&mut experiment, "images=7").unwrap();
        assert!(experiment.attacks.iter().all(|spec| spec.images == 7));
        let refused = |assignment: &str| set(&mut experiment.clone(), assignment).unwrap_err().to_string();
        assert!(refused("tvv=1").ends_with("did you mean `tv`?"), "{}", refused("tvv=1"));
        assert!(refused("train.epochs=3").contains("the run's own stay as they are"));
        assert!(refused("tv").contains("wanted is KEY=VALUE"));
        assert!(refused("rmle.tv=-1").starts_with("attack.rmle.tv = -1: allowed is"), "{}", refused("rmle.tv=-1"));
    }
}

//! The attacks of the document: `[[attack]]`, each with the settings that its kind has.

use serde::de::Error as _;
use serde::ser::SerializeMap as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use toml::{Table, Value};

use crate::attack::kind::{Kind, Values};
use crate::error::{Error, Result};
use crate::setting::{Setting, near, shorten, shown};
use crate::workbench;

/// Characters of a label at most.
const MAX_LABEL: usize = 40;

/// One `[[attack]]`; its `name` says which settings it has.
#[derive(Clone, Debug)]
pub struct AttackSpec {
    /// What it is.
    pub kind: &'static Kind,
    /// What it is called in place of the kind's name, so that one kind can be launched twice.
    pub label: Option<String>,
    /// Test images to reconstruct.
    pub images: usize,
    /// Whether to attack without knowledge of the defence.
    pub naive: bool,
    /// Whether to attack with it.
    pub adaptive: bool,
    /// Epochs after which to attack too, besides the last; 0 is untrained.
    pub early: Vec<usize>,
    /// Attack too whenever so many more epochs are over; 0 for no such.
    pub every: usize,
    /// What its randomness is drawn by; 0 for the run's own seed.
    pub seed: usize,
    /// Seconds after which it hands over what it has; 0 for no limit.
    pub seconds: usize,
    /// The kind's own settings.
    pub values: Values,
}

impl AttackSpec {
    /// An attack with its defaults.
    ///
    /// # Errors
    /// An unknown name: lists the known ones and the near one.
    pub fn named(name: &str) -> Result<Self> {
        let unknown = || Error::input(format!("unknown attack \"{}\": {}", shorten(name), known(name)));
        workbench::attack(name).map(Self::of).ok_or_else(unknown)
    }

    /// The same of a kind.
    pub fn of(kind: &'static Kind) -> Self {
        let (images, values) = (kind.images, Values::of(kind.settings));
        // There is nothing to hear before the first step.
        let early = if kind.make.trains() { Vec::new() } else { vec![0] };
        let (every, seed, seconds) = (0, 0, 0);
        Self { kind, label: None, images, naive: true, adaptive: true, early, every, seed, seconds, values }
    }

    /// Its name on the command line, in files and in tables: its label, or else its kind's.
    pub fn name(&self) -> &str {
        self.label.as_deref().unwrap_or(self.kind.id)
    }

    /// What it is called in a sentence: "attacked by …".
    pub fn title(&self) -> &str {
        self.label.as_deref().unwrap_or(self.kind.title)
    }

    /// Its settings, named by it: `attack.rmle.images`, or with its label `attack.rmle-2.images`.
    pub fn settings(&self) -> &'static [Setting] {
        self.kind.document_settings(self.name())
    }
}

/// Checks that a label can be part of a file's name everywhere, and be told from a number and from the attacks' own names.
///
/// # Errors
/// Returns what is allowed.
pub(super) fn check_label(label: &str) -> Result<(), String> {
    let fits = |c: char| c.is_alphanumeric() || "+-_=.".contains(c);
    let good = label.chars().all(fits)
        && (1..=MAX_LABEL).contains(&label.chars().count())
        && label.starts_with(char::is_alphanumeric)
        && !label.ends_with('.');
    if !good {
        return Err(format!(
            "allowed are 1 to {MAX_LABEL} letters, digits, dots and + - _ =, a letter or digit first and no dot last"
        ));
    }
    if label.chars().all(|c| c.is_ascii_digit()) {
        return Err("a number alone counts attacks, as in attack.0.images; allowed is a word".to_owned());
    }
    let taken = workbench::attacks().iter().any(|kind| same_name(kind.id, label));
    if taken { Err("is the name of an attack; allowed is another word".to_owned()) } else { Ok(()) }
}

/// Whether two names would share their files: some disks take no account of capitals.
pub(super) fn same_name(a: &str, b: &str) -> bool {
    a.to_lowercase() == b.to_lowercase()
}

impl PartialEq for AttackSpec {
    fn eq(&self, other: &Self) -> bool {
        let own = |spec: &Self| (spec.kind.id, spec.images, spec.naive, spec.adaptive);
        let more = |spec: &Self| (spec.every, spec.seed, spec.seconds);
        (own(self), more(self)) == (own(other), more(other))
            && (&self.label, &self.early, &self.values) == (&other.label, &other.early, &other.values)
    }
}

impl Serialize for AttackSpec {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("name", self.kind.id)?;
        if let Some(label) = &self.label {
            map.serialize_entry("label", label)?;
        }
        map.serialize_entry("images", &self.images)?;
        map.serialize_entry("naive", &self.naive)?;
        map.serialize_entry("adaptive", &self.adaptive)?;
        map.serialize_entry("early", &self.early)?;
        for (key, number) in [("every", self.every), ("seed", self.seed), ("seconds", self.seconds)] {
            map.serialize_entry(key, &number)?;
        }
        for (key, value) in self.values.iter() {
            map.serialize_entry(key, value)?;
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for AttackSpec {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        let mut table = Table::deserialize(deserializer)?;
        let name = table.remove("name");
        let name = name.as_ref().and_then(Value::as_str).ok_or_else(|| D::Error::missing_field("name"))?;
        let mut spec = Self::named(name).map_err(D::Error::custom)?;
        if let Some(label) = table.remove("label") {
            // Checked here too: a checkpoint's attacks come without a document, and labels go into files' names.
            let wrong = |why: String| D::Error::custom(format!("label = {}: {why}", shown(&label)));
            let text = label.as_str().ok_or_else(|| wrong("allowed is a text".to_owned()))?;
            check_label(text).map_err(wrong)?;
            spec.label = Some(text.to_owned());
        }
        for (key, value) in table {
            let as_it_should_be = match key.as_str() {
                "images" => value.try_into().map(|images| spec.images = images),
                "naive" => value.try_into().map(|naive| spec.naive = naive),
                "adaptive" => value.try_into().map(|adaptive| spec.adaptive = adaptive),
                "early" => value.try_into().map(|early| spec.early = early),
                "every" => value.try_into().map(|every| spec.every = every),
                "seed" => value.try_into().map(|seed| spec.seed = seed),
                "seconds" => value.try_into().map(|seconds| spec.seconds = seconds),
                own => {
                    spec.values.put(own, value).map_err(D::Error::custom)?;
                    Ok(())
                }
            };
            as_it_should_be.map_err(|e| D::Error::custom(format!("{key}: {}", e.message())))?;
        }
        Ok(spec)
    }
}

/// `allowed is "rmle" or "inverse"; did you mean "rmle"?`
pub(super) fn known(name: &str) -> String {
    let ids = || workbench::attacks().iter().map(|kind| kind.id);
    let all = ids().map(|id| format!("\"{id}\"")).collect::<Vec<_>>().join(" or ");
    let near = near(name, ids()).map(|near| format!("; did you mean \"{near}\"?")).unwrap_or_default();
    format!("allowed is {all}{near}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::Experiment;

    const TWICE: &str = "[[attack]]\nname = \"rmle\"\ntv = 0.001\n\
                         [[attack]]\nname = \"rmle\"\nlabel = \"rmle-λ.01\"\ntv = 0.01";

    #[test]
    fn an_attack_stands_twice_with_a_label_and_goes_by_it() {
        let mut experiment = Experiment::from_toml(TWICE, "x").unwrap();
        assert_eq!(experiment.attack_names(), ["rmle", "rmle-λ.01"]);
        assert_eq!(experiment.attacks[1].kind.id, "rmle");
        experiment.set("attack.rmle-λ.01.images=3").unwrap();
        experiment.set("attack.rmle.images=5").unwrap();
        assert_eq!([0, 1].map(|i| experiment.attacks[i].images), [5, 3]);
        let refused = |assignment: &str| experiment.clone().set(assignment).unwrap_err().to_string();
        assert_eq!(
            refused("attack.rmle-λ.01.images=0"),
            "attack.rmle-λ.01.images = 0: allowed is a whole number from 1 to 10000"
        );
        assert_eq!(
            refused("attack.rmle-λ.01.imges=1"),
            "attack.rmle-λ.01.imges: no such field; did you mean `images`?"
        );
        assert!(refused("attack.1.label=x").starts_with("attack.1.label cannot be set"));
        let values = experiment.values();
        assert_eq!(values["attack.rmle.tv"], Value::Float(0.001));
        assert_eq!(values["attack.rmle-λ.01.tv"], Value::Float(0.01));
        assert_eq!(experiment.setting("attack.rmle-λ.01.tv").unwrap().label, "Smoothness λ");
        assert_eq!(Experiment::from_toml(&experiment.to_toml(), "x").unwrap(), experiment);
        experiment.validate().unwrap();
        let mut other = experiment.clone();
        other.attacks[1].label = Some("smooth".to_owned());
        assert!(other != experiment && other.hash() != experiment.hash());
    }

    #[test]
    fn without_a_label_a_document_is_written_as_ever() {
        let text = Experiment::default().to_toml();
        assert!(text.contains("[[attack]]\nname = \"rmle\"\nimages = 8\n"), "{text}");
    }

    #[test]
    fn a_label_that_no_file_could_bear_or_nobody_could_tell_is_refused() {
        for (label, says) in [
            ("\"\"", "allowed are 1 to 40 letters"),
            ("\"../../x\"", "allowed are 1 to 40 letters"),
            ("\"a b\"", "allowed are 1 to 40 letters"),
            ("\"-x\"", "a letter or digit first"),
            ("\"x.\"", "no dot last"),
            ("\"12\"", "a number alone counts attacks"),
            ("\"Inverse\"", "is the name of an attack"),
            ("7", "allowed is a text"),
        ] {
            let text = format!("[[attack]]\nname = \"rmle\"\nlabel = {label}");
            let error = Experiment::from_toml(&text, "x").unwrap_err().to_string();
            assert!(error.starts_with("attack[0].label = ") && error.contains(says), "{error}");
            // A checkpoint's attacks are read without a document around them.
            let text = format!("name = \"rmle\"\nlabel = {label}");
            let error = toml::from_str::<AttackSpec>(&text).unwrap_err().to_string();
            assert!(error.contains(says), "{error}");
        }
        let long = format!("name = \"rmle\"\nlabel = \"{}\"", "x".repeat(41));
        assert!(toml::from_str::<AttackSpec>(&long).is_err());
        let same = TWICE.replace("\nname = \"rmle\"\ntv", "\nname = \"rmle\"\nlabel = \"RMLE-Λ.01\"\ntv");
        let error = Experiment::from_toml(&same, "x").unwrap_err().to_string();
        assert!(
            error.starts_with("attack[1].label = \"rmle-λ.01\": another attack has it; give each its own"),
            "{error}"
        );
    }
}

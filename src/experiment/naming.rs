//! What an experiment is called: the nearest preset, and what differs from it.

use std::collections::BTreeMap;

use toml::Value;

use super::{AttackSpec, Experiment, PRESETS};
use crate::data::BUILT_IN;
use crate::data::known::is_known;
use crate::setting::{Setting, split};
use crate::workbench;

/// Differences that a title names; the rest are counted.
const NAMED: usize = 4;
/// Longest part of a folder's name that is made from a title, in bytes.
pub(crate) const LONGEST: usize = 80;
/// A Greek letter and its name in ASCII, for folders.
const GREEK: [(char, &str); 10] = [
    ('α', "alpha"),
    ('β', "beta"),
    ('γ', "gamma"),
    ('ε', "epsilon"),
    ('θ', "theta"),
    ('κ', "kappa"),
    ('λ', "lambda"),
    ('μ', "mu"),
    ('ρ', "rho"),
    ('σ', "sigma"),
];

/// Values by key; a key that the experiment has not is missing.
pub type Values = BTreeMap<&'static str, Value>;

impl Experiment {
    /// Every setting of the experiment: those of all attacks that it launches, under the names that they have in it, and
    /// of each kind that it does not launch under the kind's.
    pub fn settings(&self) -> Vec<&'static Setting> {
        let general = workbench::settings().iter().filter(|setting| !setting.key.starts_with("attack."));
        let of_attacks = workbench::attacks().iter().flat_map(|kind| {
            let own = self.attacks.iter().filter(|spec| spec.kind.id == kind.id);
            let own: Vec<&'static Setting> = own.flat_map(AttackSpec::settings).collect();
            if own.is_empty() { kind.document_settings(kind.id).iter().collect() } else { own }
        });
        general.chain(of_attacks).collect()
    }

    /// What its attacks are called, in their order.
    pub fn attack_names(&self) -> Vec<&str> {
        self.attacks.iter().map(AttackSpec::name).collect()
    }

    /// The setting with exactly this key; those of its attacks go by their labels, where they have one.
    pub fn setting(&self, key: &str) -> Option<&'static Setting> {
        let labelled = self.attacks.iter().filter(|spec| spec.label.is_some());
        let own = labelled.flat_map(AttackSpec::settings).find(|setting| setting.key == key);
        own.or_else(|| workbench::find(key))
    }

    /// All values of the experiment, by the settings' keys.
    pub fn values(&self) -> Values {
        let Ok(table) = self.to_table() else { return Values::new() };
        let value = |key: &str| {
            let (section, leaf) = split(key);
            match (section, section.strip_prefix("attack.")) {
                ("", _) => table.get(leaf),
                (section, _) if section.starts_with("defence.") => {
                    let its =
                        |one: &&Value| one.get("name").and_then(Value::as_str) == section.strip_prefix("defence.");
                    table.get("defence")?.as_array()?.iter().find(its)?.get(leaf)
                }
                (_, Some(name)) => {
                    let attacks = table.get("attack")?.as_array()?;
                    let called =
                        |attack: &'_ Value| attack.get("label").or(attack.get("name"))?.as_str().map(str::to_owned);
                    let its = |attack: &&Value| called(attack).as_deref() == Some(name);
                    attacks.iter().find(its)?.get(leaf)
                }
                (section, None) => table.get(section)?.get(leaf),
            }
        };
        self.settings().into_iter().filter_map(|setting| Some((setting.key, value(setting.key)?.clone()))).collect()
    }

    /// What it is called: the nearest preset and what differs from it, as in `quick γ.2 s1`.
    pub fn title(&self) -> String {
        with_seed(self.title_without_seed(), self.seed)
    }

    /// The same for an experiment that has a name of its own: that name, and what differs from `kept`, which it is the
    /// name of.
    pub fn title_beside(&self, name: &str, kept: &Self) -> String {
        with_seed(beside(name, &differences(kept, self)), self.seed)
    }

    /// The part of a new run's folder name that says what is run: `quick-gamma.2-1`, the seed last. With a name of its
    /// own it is that name, and what differs from `kept`.
    pub fn folder_name(&self, own: Option<(&str, &Self)>) -> String {
        let title = match own {
            Some((name, kept)) => beside(name, &differences(kept, self)),
            None => self.title_without_seed(),
        };
        format!("{}-{}", safe(&title), self.seed)
    }

    fn title_without_seed(&self) -> String {
        let near = PRESETS.iter().filter_map(|(name, ..)| Some((*name, differences(&Self::preset(name).ok()?, self))));
        near.min_by_key(|(_, all)| all.len()).map_or_else(|| "own".to_owned(), |(name, all)| beside(name, &all))
    }
}

/// What the run in a folder is called: what it runs, where the folder has the name that it was made with, and else the
/// folder's name, which somebody chose.
pub fn run_title(folder: &str, experiment: Option<&Experiment>) -> String {
    let Some(rest) = folder.split_once('-').filter(|(stamp, _)| is_stamp(stamp)).map(|(_, rest)| rest) else {
        return folder.to_owned();
    };
    let Some(experiment) = experiment else { return rest.to_owned() };
    let made = experiment.folder_name(None);
    let before = PRESETS.iter().map(|preset| preset.0).chain(["own"]);
    let mut names = before.map(|name| format!("{name}-{}", experiment.seed)).chain([made]);
    // A second run within a second has a number behind it.
    let is = |name: &str| {
        let more = rest.strip_prefix(name);
        more.is_some_and(|more| more.is_empty() || more.strip_prefix('-').is_some_and(|n| n.parse::<u32>().is_ok()))
    };
    if names.any(|name| is(&name)) { experiment.title() } else { rest.to_owned() }
}

/// `20261124T121916Z`.
fn is_stamp(text: &str) -> bool {
    let form = |(i, c): (usize, char)| match i {
        8 => c == 'T',
        15 => c == 'Z',
        _ => c.is_ascii_digit(),
    };
    text.len() == 16 && text.chars().enumerate().all(form)
}

fn with_seed(title: String, seed: u64) -> String {
    if seed == 0 { title } else { format!("{title} s{seed}") }
}

fn beside(name: &str, differences: &[String]) -> String {
    let mut words = vec![name.to_owned()];
    words.extend(differences.iter().take(NAMED).cloned());
    if differences.len() > NAMED {
        words.push(format!("+{}", differences.len() - NAMED));
    }
    words.join(" ")
}

/// What differs, a word or two each, but for the seed.
fn differences(from: &Experiment, to: &Experiment) -> Vec<String> {
    let (old, new) = (from.values(), to.values());
    let mut all: Vec<String> = Vec::new();
    for setting in to.settings() {
        let key = setting.key;
        let (before, now) = (old.get(key), new.get(key));
        // Threads and device make no other numbers. Attacks that one of the two has not come below.
        let told = !matches!(key, "seed" | "threads" | "device") && (!key.starts_with("attack.") || before.is_some());
        // Layers go by the model's name, where it has one of its own.
        let named = key == "model.layers" && old.get("model.name") != new.get("model.name");
        // Where a set that is to be fetched lies is no difference.
        let named =
            named || key == "data.name" && is_known(&from.data.name) && !BUILT_IN.contains(&to.data.name.as_str());
        if let Some(now) = now.filter(|now| told && !named && before != Some(*now)) {
            all.push(setting_words(key, now));
        }
    }
    for gone in from.defences.iter().filter(|one| !to.defences.iter().any(|other| other.name() == one.name())) {
        all.push(format!("without {}", gone.name()));
    }
    let launched = to.attack_names();
    if from.attack_names() != launched {
        all.push(if launched.is_empty() { "no attacks".to_owned() } else { launched.join("+") });
    }
    all
}

/// A difference in a defence that has a section of its own: `γ.2`, `undefended`.
fn of_defence(key: &str, value: &Value) -> Option<String> {
    let (section, leaf) = split(key);
    let kind = workbench::defences().iter().find(|kind| kind.section == Some(section))?;
    if leaf == "enabled" {
        return Some(if value.as_bool() == Some(false) { "undefended" } else { kind.title }.to_owned());
    }
    let lever = kind.levers.iter().find(|lever| lever.key == leaf)?;
    Some(format!("{}{}", lever.symbol, short(value)))
}

/// A setting's value in a word or two: `γ.2`, `cut 2`, `undefended`.
pub fn setting_words(key: &str, value: &Value) -> String {
    let text = short(value);
    if let Some(words) = of_defence(key, value) {
        return words;
    }
    match (key, value) {
        ("data.name", Value::String(name)) => last_part(name).to_owned(),
        ("model.name", _) => text,
        ("model.layers", _) => "own layers".to_owned(),
        ("train.epochs", _) => format!("{text} epochs"),
        _ => {
            let (section, leaf) = split(key);
            let leaf = leaf.replace('_', " ");
            let whose = section.strip_prefix("attack.").or(section.strip_prefix("defence."));
            let whose = whose.map(|name| format!("{name} ")).unwrap_or_default();
            let images = if matches!(key, "data.train" | "data.test") { "images " } else { "" };
            format!("{whose}{leaf} {images}{text}")
        }
    }
}

/// A value in few letters: `.2` for 0.2.
pub(crate) fn short(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Float(x) => {
            let text = x.to_string();
            text.strip_prefix('0').filter(|rest| rest.starts_with('.')).map_or(text.clone(), str::to_owned)
        }
        Value::Boolean(on) => if *on { "on" } else { "off" }.to_owned(),
        Value::Array(items) => items.iter().map(short).collect::<Vec<_>>().join(","),
        other => other.to_string(),
    }
}

/// A file's or folder's own name.
fn last_part(path: &str) -> &str {
    path.trim_end_matches(['/', '\\']).rsplit(['/', '\\']).next().unwrap_or(path)
}

/// A title as a folder's name that every file system takes: ASCII letters and digits, dots, commas, plus and dashes.
pub(crate) fn safe(title: &str) -> String {
    let mut name = String::new();
    for c in title.chars() {
        match GREEK.iter().find(|(letter, _)| *letter == c) {
            Some((_, word)) => name.push_str(word),
            None if c.is_ascii_alphanumeric() || ".,+".contains(c) => name.push(c),
            None if name.ends_with('-') => {}
            None => name.push('-'),
        }
    }
    name.truncate(LONGEST);
    let name = name.trim_matches(['-', '.']);
    if name.is_empty() { "run".to_owned() } else { name.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changed(preset: &str, assignments: &[&str]) -> Experiment {
        let mut experiment = Experiment::preset(preset).unwrap();
        for assignment in assignments {
            experiment.set(assignment).unwrap();
        }
        experiment
    }

    #[test]
    fn an_experiment_is_called_by_what_differs_from_its_preset() {
        for (preset, assignments, title, folder) in [
            ("quick", &[][..], "quick", "quick-0"),
            ("quick", &["psgl.gamma=0.2", "seed=1"], "quick γ.2 s1", "quick-gamma.2-1"),
            ("quick", &["seed=3", "threads=2"], "quick s3", "quick-3"),
            (
                "psgl-digits",
                &["model.cut=2", "train.epochs=3"],
                "psgl-digits cut 2 3 epochs",
                "psgl-digits-cut-2-3-epochs-0",
            ),
            (
                "quick",
                &["psgl.enabled=false", "attack=[]"],
                "quick undefended no attacks",
                "quick-undefended-no-attacks-0",
            ),
            ("quick", &["data.name=/d/own images"], "quick own images", "quick-own-images-0"),
            ("quick", &["attack.rmle.iterations=30"], "quick rmle iterations 30", "quick-rmle-iterations-30-0"),
            ("quick", &["data.train=64"], "quick train images 64", "quick-train-images-64-0"),
        ] {
            let experiment = changed(preset, assignments);
            assert_eq!((experiment.title().as_str(), experiment.folder_name(None).as_str()), (title, folder));
        }
        let many =
            ["psgl.gamma=0.2", "psgl.theta=0.5", "psgl.mu=2", "train.batch=16", "train.rate=0.01", "data.test=50"];
        assert_eq!(changed("quick", &many).title(), "quick test images 50 γ.2 θ.5 μ2 +2");
        for (preset, ..) in PRESETS {
            assert_eq!(changed(preset, &[]).title(), preset, "each preset is nearest to itself");
        }
    }

    #[test]
    fn a_name_of_ones_own_wins() {
        let kept = changed("quick", &["psgl.gamma=0.2"]);
        let experiment = changed("quick", &["psgl.gamma=0.3", "seed=2"]);
        assert_eq!(kept.title_beside("lesson", &kept), "lesson");
        assert_eq!(experiment.title_beside("lesson", &kept), "lesson γ.3 s2");
        assert_eq!(experiment.folder_name(Some(("my lesson", &kept))), "my-lesson-gamma.3-2");
        let title = |folder: &str| run_title(folder, Some(&experiment));
        assert_eq!(title("20261124T121916Z-quick-gamma.3-2"), "quick γ.3 s2");
        assert_eq!(title("20261124T121916Z-quick-gamma.3-2-5"), "quick γ.3 s2", "the fifth within a second");
        assert_eq!(title("20261124T121916Z-own-2"), "quick γ.3 s2", "as older builds named it");
        assert_eq!(title("20261124T121916Z-my-lesson-gamma.3-2"), "my-lesson-gamma.3-2");
        assert_eq!(title("the best so far"), "the best so far");
        assert_eq!(title("20261124T121916Z"), "20261124T121916Z");
        assert_eq!(run_title("20261124T121916Z-quick-0", None), "quick-0", "what was run cannot be read");
    }

    #[test]
    fn folder_names_are_safe_whatever_the_title_holds() {
        for (title, name) in [
            ("a/b\\c:d*e?\"<>|f", "a-b-c-d-e-f"),
            ("..", "run"),
            ("", "run"),
            ("ünïcode γ.2", "n-code-gamma.2"),
            ("  two  words ", "two-words"),
        ] {
            assert_eq!(safe(title), name, "{title}");
        }
        assert!(safe(&"x".repeat(500)).len() <= LONGEST);
    }
}

//! Reads documents of older schemas with the meaning they had, and keeps the hash they had.
//!
//! A setting that is newer than the first schema says so in its own line ([`Setting::since`]); nothing else has to. An
//! older document without it gets the value that its absence meant, and the hash leaves the setting out where it has that
//! value. So a run that was begun before the setting existed goes on.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use toml::{Table, Value};

use super::attack::AttackSpec;
use super::defence;
use super::document::{Experiment, SCHEMA};
use crate::setting::{Plain, Setting, shorten, shown, split};
use crate::workbench::{self, settings};

/// The schema of a document that does not name one.
const FIRST: i64 = 1;

/// Checks the number of a document's schema.
///
/// # Errors
/// Returns what is allowed, or that the document was made by a newer version.
pub(super) fn check(value: &Value) -> Result<(), String> {
    match value.as_integer() {
        Some(n) if (FIRST..=SCHEMA.into()).contains(&n) => Ok(()),
        Some(n) if n > SCHEMA.into() => Err(newer(n)),
        _ => Err(format!("schema = {}: allowed is a whole number from {FIRST} to {SCHEMA}", shown(value))),
    }
}

/// What is said of a document with a later schema.
fn newer(schema: i64) -> String {
    let version = env!("CARGO_PKG_VERSION");
    format!(
        "schema = {schema}: this was made by a newer version of Cutlayer; version {version} reads schemas up to {SCHEMA}: \
         update it"
    )
}

/// Returns what is to be said of a document whose schema is later than this build's.
pub(super) fn later(document: &Table) -> Option<String> {
    let schema = document.get("schema").and_then(Value::as_integer)?;
    (schema > SCHEMA.into()).then(|| newer(schema))
}

/// Returns what a run's document has that this build lacks: a later schema, an attack or a defence. `None` if it can be
/// read, or if something else is wrong with it.
pub fn lacking(document: &Table) -> Option<String> {
    let names = |list: &str| {
        let entries = document.get(list).and_then(Value::as_array).into_iter().flatten();
        entries.filter_map(|entry| entry.get("name")?.as_str()).collect::<Vec<_>>()
    };
    let attack =
        names("attack").into_iter().find(|name| workbench::attack(name).is_none()).map(|name| ("attack", name));
    let listed = |name: &str| defence::listed().any(|kind| kind.id == name);
    let defence = names("defence").into_iter().find(|name| !listed(name)).map(|name| ("defence", name));
    later(document).or_else(|| {
        let (sort, name) = attack.or(defence)?;
        let name = shorten(name);
        Some(format!(
            "this run has the {sort} \"{name}\", which this program lacks: open it with a newer version, or with the \
             program that adds {name}"
        ))
    })
}

/// Makes a document of any schema one of the present schema: what it does not say and its own schema did not have gets
/// the value that its absence meant.
pub(super) fn migrate(document: &mut Table, settings: &[Setting]) {
    let from = document.get("schema").and_then(Value::as_integer).unwrap_or(FIRST);
    let other: Vec<_> = settings.iter().filter_map(|setting| Some((setting, meant(setting, from)?))).collect();
    // Without a list of its own a document has the default attacks, as its own schema had them.
    let by_default = !document.contains_key("attack") && other.iter().any(|(one, _)| one.key.starts_with("attack."));
    if by_default && let Ok(attacks) = Value::try_from(Experiment::default().attacks) {
        document.insert("attack".to_owned(), attacks);
    }
    for (setting, before) in other {
        let (section, leaf) = split(setting.key);
        if !matters(setting, document) {
            continue;
        }
        for table in places(document, section) {
            if by_default && section.starts_with("attack.") {
                table.remove(leaf);
            }
            table.entry(leaf).or_insert_with(|| before.value());
        }
    }
    document.insert("schema".to_owned(), Value::Integer(SCHEMA.into()));
}

/// Returns what the absence of a setting meant in schema `from`, if that may be something else than it means now.
fn meant(setting: &Setting, from: i64) -> Option<Plain> {
    let later = [setting.since, setting.was].into_iter().flatten().filter(|change| from < change.schema.into());
    later.min_by_key(|change| change.schema).map(|change| change.before)
}

/// The tables that have a section's settings: the section, which is made where there is none, or the entries of a list
/// that are of one kind (`attack.rmle`).
fn places<'a>(document: &'a mut Table, section: &str) -> Vec<&'a mut Table> {
    if section.is_empty() {
        return vec![document];
    }
    let Some((list, name)) = section.split_once('.') else {
        let table = document.entry(section).or_insert_with(|| Value::Table(Table::new()));
        return table.as_table_mut().into_iter().collect();
    };
    let entries = document.get_mut(list).and_then(Value::as_array_mut).into_iter().flatten();
    entries.filter_map(Value::as_table_mut).filter(|entry| named(entry) == Some(name)).collect()
}

fn named(entry: &Table) -> Option<&str> {
    entry.get("name")?.as_str()
}

/// Whether a setting has any effect in a document.
fn matters(setting: &Setting, document: &Table) -> bool {
    let Some(count) = setting.matters_with else { return true };
    let (section, leaf) = split(count);
    let table = if section.is_empty() { Some(document) } else { document.get(section).and_then(Value::as_table) };
    table.and_then(|table| table.get(leaf)).and_then(Value::as_integer).is_some_and(|n| n != 0)
}

/// Returns the part of a document's text that counts for its hash: all but newer settings without effect or with the value
/// that their absence meant. The schema is always given as the first, as in the hashes of its time.
pub(super) fn counted(text: &str, settings: &[Setting]) -> String {
    let document: Table = toml::from_str(text).unwrap_or_default();
    let (mut counted, mut head, mut section) = (String::new(), String::new(), String::new());
    for line in text.split_inclusive('\n') {
        let bare = line.trim_end();
        let header = bare.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
        if bare.is_empty() || header.is_some() {
            // Kept until something below it counts.
            if bare.is_empty() {
                head.clear();
            }
            head.push_str(line);
            if let Some(header) = header {
                header.trim_matches(['[', ']']).clone_into(&mut section);
            }
            continue;
        }
        let (leaf, value) = bare.split_once(" = ").unwrap_or((bare, ""));
        if leaf == "schema" && section.is_empty() {
            counted.push_str("schema = 1\n");
            continue;
        }
        if leaf == "name" && matches!(section.as_str(), "attack" | "defence") {
            section = format!("{section}.{}", value.trim_matches('"'));
        }
        let key = if section.is_empty() { leaf.to_owned() } else { format!("{section}.{leaf}") };
        let change = settings.iter().find_map(|setting| Some((setting, setting.since?)).filter(|_| setting.key == key));
        if change.is_none_or(|(setting, since)| {
            matters(setting, &document) && value.parse::<Value>().ok() != Some(since.before.value())
        }) {
            counted.push_str(&head);
            counted.push_str(line);
            head.clear();
        }
    }
    counted
}

/// Reads the experiment of a record, which may be of any schema.
///
/// # Errors
/// Returns an error if it is no experiment, or of a later schema.
pub fn any_schema<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Experiment, D::Error> {
    let mut document = Table::deserialize(deserializer)?;
    if let Some(problem) = later(&document) {
        return Err(D::Error::custom(problem));
    }
    migrate(&mut document, settings());
    document.try_into().map_err(|e: toml::de::Error| D::Error::custom(e.message()))
}

/// Reads the attack of a record. A record has every setting that there was when it was written, so what it lacks is newer.
///
/// # Errors
/// Returns an error if it is no attack, or one that this build lacks.
pub fn any_schema_attack<'de, D: Deserializer<'de>>(deserializer: D) -> Result<AttackSpec, D::Error> {
    let attack = Table::deserialize(deserializer)?;
    let mut document = Table::from_iter([("attack".to_owned(), Value::Array(vec![Value::Table(attack)]))]);
    migrate(&mut document, settings());
    let attack = document.remove("attack").and_then(|list| list.as_array()?.first().cloned());
    let attack = attack.ok_or_else(|| D::Error::missing_field("attack"))?;
    attack.try_into().map_err(|e: toml::de::Error| D::Error::custom(e.message()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::setting::{Kind, whole};

    const OF_SGD: Setting = Setting::new("train.decay", "", "", whole(0, 9), "").since(2, Plain::Whole(4));
    /// What other releases might change: new settings of a section, an attack, a defence and a section of its own, one
    /// without effect where its count is 0, and a new default.
    static NEWER: [Setting; 6] = [
        OF_SGD,
        Setting::new("attack.rmle.restarts", "", "", whole(1, 9), "").since(2, Plain::Whole(1)),
        Setting::new("defence.dropout.rescale", "", "", Kind::Switch, "").since(3, Plain::Switch(false)),
        Setting::new("net.port", "", "", whole(0, 9), "").since(2, Plain::Whole(0)),
        Setting::new("train.clip", "", "", whole(0, 9), "").since(2, Plain::Whole(3)).matters_with("train.clips"),
        Setting::new("train.epochs", "", "", whole(1, 9), "").was(3, Plain::Whole(6)),
    ];

    const OLD: &str = "schema = 1\nseed = 3\n\n[train]\nepochs = 2\n\n[[defence]]\nname = \"dropout\"\np = 0.5\n\n\
                       [[attack]]\nname = \"rmle\"\nimages = 2\n\n[[attack]]\nname = \"inverse\"\nimages = 8\n";
    const NOW: &str = "schema = 2\nseed = 3\n\n[train]\nepochs = 2\ndecay = 4\nclip = 9\nclips = 0\n\n[net]\nport = 0\n\n\
                       [[defence]]\nname = \"dropout\"\np = 0.5\nrescale = false\n\n\
                       [[attack]]\nname = \"rmle\"\nlabel = \"a\"\nimages = 2\nrestarts = 1\n\n\
                       [[attack]]\nname = \"inverse\"\nimages = 8\n";

    fn migrated(text: &str) -> Table {
        let mut document = toml::from_str(text).unwrap();
        migrate(&mut document, &NEWER);
        document
    }

    #[test]
    fn an_older_document_is_read_with_what_it_meant() {
        let read = migrated(OLD);
        assert_eq!(
            (&read["schema"], &read["train"]["decay"], &read["net"]["port"]),
            (&i64::from(SCHEMA).into(), &4.into(), &0.into())
        );
        assert_eq!((&read["defence"][0]["rescale"], &read["attack"][0]["restarts"]), (&false.into(), &1.into()));
        // Another attack, and what has no effect, are left alone.
        assert!(read["attack"][1].get("restarts").is_none() && read["train"].get("clip").is_none());
        // What it says stays, and a document of the present schema has the present defaults.
        assert_eq!(migrated(&OLD.replace("epochs = 2", "decay = 7"))["train"]["decay"], 7.into());
        let read = migrated(&OLD.replace("schema = 1", "schema = 2"));
        assert!(read["train"].get("decay").is_none() && read.get("net").is_none());
        assert_eq!(read["defence"][0]["rescale"], false.into(), "newer still");
        // Without a schema a document is of the first, and without attacks it has the default ones of then.
        let read = migrated("seed = 1");
        let attacks = read["attack"].as_array().unwrap();
        assert_eq!((named(attacks[0].as_table().unwrap()), &attacks[0]["restarts"]), (Some("rmle"), &1.into()));
        assert_eq!((&read["train"]["decay"], &read["train"]["epochs"]), (&4.into(), &6.into()));
        // What a setting meant is what it meant then, however often that changed.
        let often = OF_SGD.was(4, Plain::Whole(8));
        let all = [Some(4), Some(8), Some(8), None].map(|n| n.map(Plain::Whole));
        assert_eq!([1, 2, 3, 4].map(|from| meant(&often, from)), all);
    }

    #[test]
    fn a_newer_setting_does_not_change_an_older_documents_hash() {
        let now = NOW.replace("label = \"a\"\n", "").replace("clips = 0\n", "");
        assert_eq!(counted(OLD, &NEWER), OLD);
        assert_eq!(counted(&now, &NEWER), OLD);
        for (said, other) in [
            ("decay = 4", "decay = 5"),
            ("port = 0", "port = 1"),
            ("rescale = false", "rescale = true"),
            ("restarts = 1", "restarts = 2"),
            ("images = 8", "images = 9"),
            ("epochs = 2", "epochs = 6"),
        ] {
            let other = now.replace(said, other);
            assert_ne!(counted(&other, &NEWER), OLD, "{other}");
        }
        // A setting counts once it has an effect.
        let counts = |text: &str| counted(text, &NEWER).contains("clip = 9");
        assert!(!counts(NOW) && counts(&NOW.replace("clips = 0", "clips = 1")));
        assert!(counted(NOW, &NEWER).contains("label = \"a\"\nimages = 2\n\n[[attack]]"));
    }

    #[test]
    fn the_attack_of_a_record_has_what_it_was_launched_with() {
        #[derive(Deserialize)]
        struct Record(#[serde(deserialize_with = "any_schema_attack")] AttackSpec);
        let written = AttackSpec { label: Some("a".to_owned()), images: 3, ..AttackSpec::named("rmle").unwrap() };
        let Record(read) = serde_json::from_str(&serde_json::to_string(&written).unwrap()).unwrap();
        assert_eq!(read, written);
        for wrong in ["{}", "3", "{\"name\": \"own\"}", "{\"name\": \"rmle\", \"tvv\": 1}"] {
            assert!(serde_json::from_str::<Record>(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_a_run_has_and_this_build_lacks_is_named() {
        let told = |text: &str| Experiment::from_run(text, "/runs/x/experiment.toml").unwrap_err();
        let newer = format!("schema = {}", SCHEMA + 1);
        let says_newer = format!("{newer}: this was made by a newer version of Cutlayer");
        for (text, says) in [
            (&*format!("{newer}\nfuture = true"), &*says_newer),
            ("[[attack]]\nname = \"own\"\nk = 3", "this run has the attack \"own\", which this program lacks"),
            ("[[defence]]\nname = \"own\"", "this run has the defence \"own\", which this program lacks"),
        ] {
            let error = told(text);
            assert!(matches!(error, crate::error::Error::Lacking(_)) && error.exit_code() == 2);
            let text = error.to_string();
            assert!(text.starts_with(says) && text.ends_with("\nin /runs/x/experiment.toml"), "{text}");
        }
        // What is wrong otherwise is damage, and in a file of one's own a slip of the pen.
        assert!(matches!(told("seed = ["), crate::error::Error::Input(_)));
        let error = Experiment::from_toml("[[attack]]\nname = \"rmel\"", "x").unwrap_err().to_string();
        assert!(error.contains("did you mean \"rmle\"?"), "{error}");
    }

    #[test]
    fn the_schema_is_that_of_the_newest_setting() {
        for setting in settings() {
            for change in [setting.since, setting.was].into_iter().flatten() {
                assert!((2..=SCHEMA).contains(&change.schema), "{}", setting.key);
                assert_eq!(setting.kind.check(setting.key, &change.before.value()), Ok(()));
            }
            assert!(setting.matters_with.is_none_or(|count| workbench::find(count).is_some()), "{}", setting.key);
        }
    }
}

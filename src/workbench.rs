//! What is plugged in: the list of attacks, and every setting there is with theirs among them.
//!
//! One more attack is a file with its [`Kind`](crate::attack::kind::Kind), and a line in [`ATTACKS`].

use std::sync::OnceLock;

use crate::attack::kind::Kind;
use crate::attack::{inverse, nearest, rmle};
use crate::error::{Error, Result};
use crate::setting::{SETTINGS, Setting, near, shorten, split};

/// The attacks that come with the program, in the order in which they are shown.
const ATTACKS: [&Kind; 3] = [&rmle::KIND, &inverse::KIND, &nearest::KIND];

/// What a process has, from its first look on.
struct Plugged {
    attacks: Vec<&'static Kind>,
    settings: Vec<Setting>,
}

static PLUGGED: OnceLock<Plugged> = OnceLock::new();

impl Plugged {
    fn with(own: &[&'static Kind]) -> Self {
        let attacks: Vec<&'static Kind> = ATTACKS.into_iter().chain(own.iter().copied()).collect();
        let settings =
            SETTINGS.iter().chain(attacks.iter().flat_map(|kind| kind.document_settings(kind.id))).copied().collect();
        Self { attacks, settings }
    }
}

fn plugged() -> &'static Plugged {
    PLUGGED.get_or_init(|| Plugged::with(&[]))
}

/// Adds attacks of one's own for the rest of the process.
///
/// # Errors
/// Returns an error if an attack of that id is there already, if an id could not stand in files' names, or if the list has
/// been read before.
pub fn plug(own: &[&'static Kind]) -> Result<()> {
    if own.is_empty() {
        return Ok(());
    }
    for (i, kind) in own.iter().enumerate() {
        let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-_".contains(c);
        if !kind.id.starts_with(|c: char| c.is_ascii_lowercase()) || !kind.id.chars().all(fits) {
            let found = shorten(kind.id);
            return Err(Error::input(format!(
                "\"{found}\" is no id of an attack: allowed are a to z, digits, - and _"
            )));
        }
        if ATTACKS.iter().chain(&own[..i]).any(|other| other.id == kind.id) {
            return Err(Error::input(format!("there is an attack \"{}\" already: give yours another id", kind.id)));
        }
    }
    PLUGGED.set(Plugged::with(own)).map_err(|_| Error::Internal("attacks are plugged in before anything else".into()))
}

/// Every attack.
pub fn attacks() -> &'static [&'static Kind] {
    &plugged().attacks
}

/// The attack of this id.
pub fn attack(id: &str) -> Option<&'static Kind> {
    attacks().iter().copied().find(|kind| kind.id == id)
}

/// Every setting of the document but `schema` and the attacks' `name`, which say how to read the rest. Attacks' settings
/// are named by the attack: `attack.rmle.iterations`.
pub fn settings() -> &'static [Setting] {
    &plugged().settings
}

/// The setting with exactly this key.
pub fn find(key: &str) -> Option<&'static Setting> {
    settings().iter().find(|setting| setting.key == key)
}

/// The key that a misspelt one was meant to be: a near name in the same section first, then the same name elsewhere.
///
/// ```
/// assert_eq!(cutlayer::workbench::nearest("psgl.gama"), Some("psgl.gamma"));
/// assert_eq!(cutlayer::workbench::nearest("gamma"), Some("psgl.gamma"));
/// ```
pub fn nearest(key: &str) -> Option<&'static str> {
    let (section, leaf) = split(key);
    let keys = || settings().iter().map(|setting| setting.key);
    if let Some(leaf) = near(leaf, keys().filter(|key| split(key).0 == section).map(|key| split(key).1)) {
        return keys().find(|key| split(key) == (section, leaf));
    }
    let short: String = key.chars().take(60).collect();
    let same_name = keys().filter(|key| split(key).1 == leaf);
    same_name.min_by_key(|key| strsim::osa_distance(&short, key)).or_else(|| near(key, keys()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::setting::Mark;

    #[test]
    fn keys_are_unique_and_every_setting_has_its_words() {
        for (i, setting) in settings().iter().enumerate() {
            assert!(settings()[..i].iter().all(|other| other.key != setting.key), "{} twice", setting.key);
            assert!(!setting.label.is_empty() && setting.help.ends_with('.'), "{}", setting.key);
            assert!(setting.help.len() < 400, "{}: a tooltip, not a page", setting.key);
            assert_eq!(find(setting.key), Some(setting));
            assert_eq!(nearest(setting.key), Some(setting.key));
        }
        assert_eq!([Mark::Abstract, Mark::Equations, Mark::Here].map(|m| m.to_string()), ["[A]", "[E]", "here"]);
    }

    #[test]
    fn an_attack_without_an_id_is_refused() {
        use crate::attack::kind::Kind;
        static NAMELESS: Kind = Kind::BASE;
        static PATH: Kind = Kind { id: "../x", ..Kind::BASE };
        for kind in [&NAMELESS, &PATH] {
            let error = plug(&[kind]).unwrap_err().to_string();
            assert_eq!(error, format!("\"{}\" is no id of an attack: allowed are a to z, digits, - and _", kind.id));
        }
    }

    #[test]
    fn a_misspelt_key_finds_the_one_that_was_meant() {
        for (wrong, meant) in [
            ("psgl.gama", "psgl.gamma"),
            ("PSGL.Gamma", "psgl.gamma"),
            ("psg.gamma", "psgl.gamma"),
            ("gamma", "psgl.gamma"),
            ("data.epochs", "train.epochs"),
            ("trian.rate", "train.rate"),
            ("attack.rmle.iteration", "attack.rmle.iterations"),
            ("attack.inverse.iterations", "attack.rmle.iterations"),
            ("sed", "seed"),
        ] {
            assert_eq!(nearest(wrong), Some(meant), "{wrong}");
        }
        for wrong in ["", ".", "zzzzzzzz.qqqqqqqq", &"psgl.".repeat(100_000)] {
            assert_eq!(nearest(wrong), None);
        }
    }
}

//! Every setting once: key, words, unit, range, and the paper's value with its mark.
//!
//! The TOML reader, `--set`, the window's controls and the lessons all read [`SETTINGS`], so that a range or a word is
//! never typed twice. Attacks' settings are named by the attack: `attack.rmle.iterations`.

mod table;

use std::fmt;

use toml::Value;

pub use table::SETTINGS;

/// One setting of the experiment.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Setting {
    /// The dotted key, as in `psgl.gamma`.
    pub key: &'static str,
    /// A few words for a control.
    pub label: &'static str,
    /// What it does, in one or two sentences.
    pub help: &'static str,
    /// What the number counts; empty where it is a pure number or no number.
    pub unit: &'static str,
    /// What is allowed.
    pub kind: Kind,
    /// What the paper has, or what we chose where it is silent.
    pub paper: Option<Paper>,
}

/// A value to compare with, and where it comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Paper {
    /// The value in words.
    pub value: &'static str,
    /// Whose word it is. [`Mark::Here`] says that the paper is silent and the value is ours.
    pub mark: Mark,
}

/// The source of a claim; nobody may read our choice as the paper's word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    /// The paper's abstract.
    Abstract,
    /// The paper's equations, known at second hand.
    Equations,
    /// Our own choice.
    Here,
}

impl fmt::Display for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Abstract => "[A]",
            Self::Equations => "[E]",
            Self::Here => "here",
        })
    }
}

/// What a setting may hold.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kind {
    /// True or false.
    Switch,
    /// A whole number.
    Whole {
        /// Smallest.
        min: i64,
        /// Largest.
        max: i64,
    },
    /// A finite number.
    Real {
        /// Smallest.
        min: f64,
        /// Largest.
        max: f64,
        /// A control spaces it by powers of ten.
        log: bool,
        /// The smallest itself is not allowed.
        open_min: bool,
    },
    /// One of some words.
    Choice(&'static [&'static str]),
    /// Free text on one line.
    Text,
    /// A list of numbers.
    List {
        /// What each entry may be.
        item: &'static Kind,
        /// Fewest entries.
        min_len: usize,
        /// Most entries.
        max_len: usize,
        /// No entry may come twice.
        distinct: bool,
    },
    /// The model's layers; their own words are checked by [`LayerSpec`](crate::model::spec::LayerSpec).
    Layers,
}

/// Threads that may be asked for.
pub const MOST_THREADS: usize = 256;

/// Layers of one model at most, those inside residual blocks counted; shapes cannot overflow below it.
pub const MAX_LAYERS: usize = 64;
/// Characters of a free text at most.
const MAX_TEXT: usize = 1024;

impl Kind {
    /// Checks a value; `key` is only for the message.
    ///
    /// # Errors
    /// One line: the key, what was found, what is allowed and, for a misspelt word, the near one.
    pub fn check(&self, key: &str, value: &Value) -> Result<(), String> {
        match (self, value) {
            (Self::Switch, Value::Boolean(_)) => Ok(()),
            (Self::Whole { min, max }, Value::Integer(n)) if (min..=max).contains(&n) => Ok(()),
            #[expect(clippy::cast_precision_loss, reason = "a number of this size is far out of every range")]
            (Self::Real { .. }, Value::Integer(n)) if self.holds(*n as f64) => Ok(()),
            (Self::Real { .. }, Value::Float(x)) if self.holds(*x) => Ok(()),
            (Self::Choice(words), Value::String(word)) if words.contains(&word.as_str()) => Ok(()),
            (Self::Text, Value::String(text)) if text_fits(text) => Ok(()),
            (Self::List { min_len, max_len, .. }, Value::Array(list)) if (min_len..=max_len).contains(&&list.len()) => {
                self.check_list(key, list)
            }
            (Self::Layers, Value::Array(list)) if (2..=MAX_LAYERS).contains(&list.len()) => Ok(()),
            _ => Err(self.complaint(key, value)),
        }
    }

    /// Whether a number lies in the range. Written so that NaN, which no comparison holds for, does not.
    fn holds(&self, x: f64) -> bool {
        match *self {
            Self::Real { min, max, open_min, .. } => x <= max && if open_min { x > min } else { x >= min },
            _ => false,
        }
    }

    fn check_list(&self, key: &str, list: &[Value]) -> Result<(), String> {
        let Self::List { item, distinct, .. } = *self else { return Ok(()) };
        for (i, value) in list.iter().enumerate() {
            item.check(&format!("{key}[{i}]"), value)?;
            if distinct && list[..i].contains(value) {
                return Err(format!("{key}[{i}] = {}: is in the list twice", shown(value)));
            }
        }
        Ok(())
    }

    fn complaint(&self, key: &str, value: &Value) -> String {
        let hint = match (self, value) {
            (Self::Choice(words), Value::String(word)) => {
                near(word, words.iter().copied()).map(|near| format!("; did you mean \"{near}\"?")).unwrap_or_default()
            }
            (Self::Switch, Value::String(word)) if word.parse::<bool>().is_ok() => ", without quotes".to_owned(),
            (Self::Whole { .. } | Self::Real { .. }, Value::String(word)) if word.trim().parse::<f64>().is_ok() => {
                ", without quotes".to_owned()
            }
            (Self::Whole { .. }, Value::Float(x)) if x.fract() == 0.0 => ", without a decimal point".to_owned(),
            (Self::List { .. } | Self::Layers, Value::Array(list)) => format!("; this one has {}", list.len()),
            _ => String::new(),
        };
        format!("{key} = {}: allowed is {}{hint}", shown(value), self.allowed())
    }

    /// What is allowed, in words: `a number above 0, up to 1`.
    pub fn allowed(&self) -> String {
        match self {
            Self::Switch => "true or false".to_owned(),
            Self::Whole { min, max } => format!("a whole number from {min} to {max}"),
            Self::Real { min, max, open_min: true, .. } => {
                format!("a number above {}, up to {}", plain(*min), plain(*max))
            }
            Self::Real { min, max, .. } => format!("a number from {} to {}", plain(*min), plain(*max)),
            Self::Choice(words) => words.iter().map(|word| format!("\"{word}\"")).collect::<Vec<_>>().join(" or "),
            Self::Text => format!("a text in quotes on one line, 1 to {MAX_TEXT} characters"),
            Self::List { item, min_len, max_len, .. } if min_len == max_len => {
                format!("a list of {min_len}, each {}", item.allowed())
            }
            Self::List { item, min_len, max_len, .. } => {
                format!("a list of {min_len} to {max_len}, each {}", item.allowed())
            }
            Self::Layers => format!("a list of 2 to {MAX_LAYERS} layers"),
        }
    }
}

/// A limit as a person writes it.
fn plain(x: f64) -> String {
    if x != 0.0 && (x.abs() < 1e-3 || x.abs() >= 1e7) { format!("{x:e}") } else { x.to_string() }
}

fn text_fits(text: &str) -> bool {
    !text.trim().is_empty() && text.chars().count() <= MAX_TEXT && !text.chars().any(char::is_control)
}

/// A value for a message: as TOML writes it, on one line and not longer than a message can bear.
pub fn shown(value: &Value) -> String {
    match value {
        // `Display` would spread a text with line breaks over several lines.
        Value::String(text) => format!("\"{}\"", shorten(text)),
        other => shorten(&other.to_string()),
    }
}

/// A text for a message: control characters replaced, cut after 60 characters.
pub fn shorten(text: &str) -> String {
    let mut short: String = text.chars().take(60).map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect();
    if text.chars().nth(60).is_some() {
        short.push('…');
    }
    short
}

/// The setting with exactly this key.
pub fn find(key: &str) -> Option<&'static Setting> {
    SETTINGS.iter().find(|setting| setting.key == key)
}

/// The key that a misspelt one was meant to be: a near name in the same section first, then the same name elsewhere.
///
/// ```
/// assert_eq!(cutlayer::setting::nearest("psgl.gama"), Some("psgl.gamma"));
/// assert_eq!(cutlayer::setting::nearest("gamma"), Some("psgl.gamma"));
/// ```
pub fn nearest(key: &str) -> Option<&'static str> {
    let (section, leaf) = split(key);
    let beside = SETTINGS.iter().map(|s| s.key).filter(|key| split(key).0 == section);
    if let Some(leaf) = near(leaf, beside.map(|key| split(key).1)) {
        return SETTINGS.iter().map(|s| s.key).find(|key| split(key) == (section, leaf));
    }
    let same_name = SETTINGS.iter().map(|s| s.key).filter(|key| split(key).1 == leaf);
    let short: String = key.chars().take(60).collect();
    same_name.min_by_key(|key| strsim::osa_distance(&short, key)).or_else(|| near(key, SETTINGS.iter().map(|s| s.key)))
}

/// `("attack.rmle", "iterations")`; a key without a section has the empty one.
pub fn split(key: &str) -> (&str, &str) {
    key.rsplit_once('.').unwrap_or(("", key))
}

/// The one of some words that a misspelt one was probably meant to be.
pub fn near<'a>(word: &str, among: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word = word.trim().to_lowercase();
    let length = word.chars().count();
    // The distance takes time and memory with the product of the lengths.
    if length > 60 {
        return None;
    }
    let distance = |candidate: &str| match strsim::osa_distance(&word, &candidate.to_lowercase()) {
        edits if edits <= (length.max(candidate.len()) / 3).max(1) => Some(edits),
        // A part of the name is a good hint too, but any spelling that is nearer wins.
        _ if length >= 3 && candidate.contains(&word) => Some(usize::MAX),
        _ => None,
    };
    among.into_iter().filter_map(|c| Some((distance(c)?, c))).min_by_key(|(edits, _)| *edits).map(|(_, c)| c)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_unique_and_every_setting_has_its_words() {
        for (i, setting) in SETTINGS.iter().enumerate() {
            assert!(SETTINGS[..i].iter().all(|other| other.key != setting.key), "{} twice", setting.key);
            assert!(!setting.label.is_empty() && setting.help.ends_with('.'), "{}", setting.key);
            assert!(setting.help.len() < 400, "{}: a tooltip, not a page", setting.key);
            assert_eq!(find(setting.key), Some(setting));
            assert_eq!(nearest(setting.key), Some(setting.key));
        }
        assert_eq!([Mark::Abstract, Mark::Equations, Mark::Here].map(|m| m.to_string()), ["[A]", "[E]", "here"]);
    }

    #[test]
    fn ranges_hold_their_ends_and_refuse_what_is_no_number() {
        let share = Kind::Real { min: 0.0, max: 1.0, log: false, open_min: true };
        for good in [Value::Float(1e-300), Value::Float(1.0), Value::Integer(1)] {
            assert_eq!(share.check("k", &good), Ok(()));
        }
        let bad = [0.0, -0.0, -1.0, 1.0 + f64::EPSILON, f64::NAN, -f64::NAN, f64::INFINITY, f64::NEG_INFINITY];
        for bad in bad.map(Value::Float).into_iter().chain([Value::Integer(0), Value::Integer(i64::MAX)]) {
            let text = share.check("k", &bad).unwrap_err();
            assert!(text.starts_with("k = ") && text.ends_with("allowed is a number above 0, up to 1"), "{text}");
        }
        let whole = Kind::Whole { min: 0, max: 9 };
        assert_eq!(whole.check("k", &Value::Integer(9)), Ok(()));
        let text = whole.check("k", &Value::Float(3.0)).unwrap_err();
        assert_eq!(text, "k = 3.0: allowed is a whole number from 0 to 9, without a decimal point");
        let text = whole.check("k", &Value::String("3".to_owned())).unwrap_err();
        assert_eq!(text, "k = \"3\": allowed is a whole number from 0 to 9, without quotes");
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

    #[test]
    fn what_is_found_is_shown_on_one_short_line() {
        let long = Value::String("a\nb".repeat(1_000));
        assert!(!shown(&long).contains('\n') && shown(&long).chars().count() < 70);
        assert_eq!(shown(&Value::Float(f64::NAN)), "nan");
    }
}

//! What a setting is: key, words, unit, range, and the paper's value with its mark; and all but the attacks' own.
//!
//! The TOML reader, `--set` and the window's controls read [`workbench::settings`](crate::workbench::settings), which has
//! the attacks' too, so that a range or a word is never typed twice.

mod table;
mod values;

use std::fmt;

use toml::Value;

pub use table::{MU, SETTINGS, SHARE};
pub use values::Values;

/// One setting of the experiment.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Setting {
    /// The dotted key, as in `train.rate`.
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
    /// Its value where a document does not say; for attacks' settings, others have theirs in the document's types.
    pub default: Option<Plain>,
    /// Since when documents have it; none if they always had.
    pub since: Option<Change>,
    /// When its default changed; none if it never did.
    pub was: Option<Change>,
    /// The key of a count without which it has no effect: it counts for nothing where that is 0 or not said.
    pub matters_with: Option<&'static str>,
}

/// A change of what documents mean that do not have a setting.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Change {
    /// The first schema after it.
    pub schema: u32,
    /// What older documents mean.
    pub before: Plain,
}

/// A value that a constant can hold.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Plain {
    /// True or false.
    Switch(bool),
    /// A whole number.
    Whole(i64),
    /// A number.
    Real(f64),
    /// A word.
    Word(&'static str),
}

impl Plain {
    /// The same as TOML has it.
    pub fn value(self) -> Value {
        match self {
            Self::Switch(on) => Value::Boolean(on),
            Self::Whole(n) => Value::Integer(n),
            Self::Real(x) => Value::Float(x),
            Self::Word(word) => Value::String(word.to_owned()),
        }
    }
}

impl Setting {
    /// A setting without a value of the paper's.
    pub const fn new(
        key: &'static str,
        label: &'static str,
        unit: &'static str,
        kind: Kind,
        help: &'static str,
    ) -> Self {
        Self { key, label, help, unit, kind, paper: None, default: None, since: None, was: None, matters_with: None }
    }

    /// The paper's own value.
    #[must_use]
    pub const fn paper(mut self, value: &'static str) -> Self {
        self.paper = Some(Paper { value, mark: Mark::Equations });
        self
    }

    /// Our value where the paper is silent.
    #[must_use]
    pub const fn here(mut self, value: &'static str) -> Self {
        self.paper = Some(Paper { value, mark: Mark::Here });
        self
    }

    /// The value that another paper has: `source` is its short name.
    #[must_use]
    pub const fn published(mut self, source: &'static str, value: &'static str) -> Self {
        self.paper = Some(Paper { value, mark: Mark::Published(source) });
        self
    }

    /// Says that documents have it since `schema`, and what older ones meant without it: they are read so, and keep their
    /// hash.
    #[must_use]
    pub const fn since(mut self, schema: u32, before: Plain) -> Self {
        self.since = Some(Change { schema, before });
        self
    }

    /// Says that its default is another since `schema`, and which it was: older documents are read with that one.
    #[must_use]
    pub const fn was(mut self, schema: u32, before: Plain) -> Self {
        self.was = Some(Change { schema, before });
        self
    }

    /// Names the count without which it has no effect.
    #[must_use]
    pub const fn matters_with(mut self, count: &'static str) -> Self {
        self.matters_with = Some(count);
        self
    }

    /// Its value where a document does not say.
    #[must_use]
    pub const fn default(mut self, value: Plain) -> Self {
        self.default = Some(value);
        self
    }
}

/// A whole number, both ends allowed.
pub const fn whole(min: i64, max: i64) -> Kind {
    Kind::Whole { min, max }
}

/// A number on a linear scale, both ends allowed.
pub const fn real(min: f64, max: f64) -> Kind {
    Kind::Real { min, max, log: false, open_min: false }
}

/// A number on a scale of powers of ten, both ends allowed.
pub const fn log(min: f64, max: f64) -> Kind {
    Kind::Real { min, max, log: true, open_min: false }
}

/// A list of so many entries; `distinct` lets none come twice.
pub const fn list(item: &'static Kind, min_len: usize, max_len: usize, distinct: bool) -> Kind {
    Kind::List { item, min_len, max_len, distinct }
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
    /// The paper that an attack is of, by its short name.
    Published(&'static str),
}

impl fmt::Display for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Abstract => "[A]",
            Self::Equations => "[E]",
            Self::Here => "here",
            Self::Published(source) => source,
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
    fn what_is_found_is_shown_on_one_short_line() {
        let long = Value::String("a\nb".repeat(1_000));
        assert!(!shown(&long).contains('\n') && shown(&long).chars().count() < 70);
        assert_eq!(shown(&Value::Float(f64::NAN)), "nan");
    }
}

//! What an attack on a diagnosis says of itself: its card.

use super::{Adversary, Start, Target};
use crate::attack::kind::Budget;
use crate::attack::threat_model::{Knows, Sees};
use crate::error::{Error, Result};
use crate::setting::{Setting, Values};

/// What an attack moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Changes {
    /// The image, before the client sees it.
    Image,
    /// The smashed data, on their way to the server.
    Smashed,
}

impl Changes {
    /// `the image before the client sees it`.
    pub fn words(self) -> &'static str {
        match self {
            Self::Image => "the image before the client sees it",
            Self::Smashed => "the smashed data on the wire",
        }
    }
}

/// Makes an attack against a target, with its settings.
pub type Make = fn(&dyn Target, Start<'_>, &Values) -> Result<Box<dyn Adversary>>;

/// An attack's card.
#[derive(Debug)]
pub struct Kind {
    /// Its name on the command line and in records.
    pub id: &'static str,
    /// What it is called in a sentence.
    pub title: &'static str,
    /// How it works, in a sentence.
    pub about: &'static str,
    /// What it moves.
    pub changes: Changes,
    /// What it sees cross the wire.
    pub sees: &'static [Sees],
    /// What it knows without knowledge of the defence.
    pub knows: &'static [Knows],
    /// The same where it knows the defence, all but what that draws.
    pub knows_adaptive: &'static [Knows],
    /// Its settings, each with its default; keys without a section.
    pub settings: &'static [Setting],
    /// How far it may go, in a few words, and the number that says so.
    pub budget: fn(&Values) -> Result<(String, f64)>,
    /// How it is made.
    pub make: Make,
    /// Its settings with little time, those that differ from the defaults.
    pub quick: Budget,
    /// The same as published.
    pub paper: Budget,
}

impl Kind {
    /// What most have in common: `..Kind::BASE` spares a card the lines that say nothing.
    pub const BASE: Self = Self {
        id: "",
        title: "",
        about: "",
        changes: Changes::Image,
        sees: &[],
        knows: &[Knows::ClientWeights, Knows::ServerWeights],
        knows_adaptive: &[Knows::ClientWeights, Knows::ServerWeights, Knows::Defence],
        settings: &[],
        budget: |_| Ok((String::new(), 0.0)),
        make: |_, _, _| Err(Error::Internal("an attack's card lacks how it is made".to_owned())),
        quick: &[],
        paper: &[],
    };

    /// Its settings with one changed, as `epsilon=0.1` says.
    ///
    /// # Errors
    /// Returns an error if there is no such setting, or the value is not allowed.
    pub fn set(&self, values: &mut Values, assignment: &str) -> Result<()> {
        let (key, text) =
            assignment.split_once('=').ok_or_else(|| Error::input(format!("{assignment}: this is no KEY=VALUE")))?;
        let setting = self.settings.iter().find(|setting| setting.key == key).ok_or_else(|| {
            let all: Vec<&str> = self.settings.iter().map(|setting| setting.key).collect();
            Error::input(format!("{} has no setting {key}; it has {}", self.id, all.join(", ")))
        })?;
        let wrong = |e: &dyn std::fmt::Display| Error::input(format!("{}.{key} = {text}: {e}", self.id));
        let table: toml::Table = format!("v = {text}").parse().map_err(|_| wrong(&"this is no value"))?;
        let value = table.get("v").cloned().ok_or_else(|| wrong(&"this is no value"))?;
        setting.kind.check(key, &value).map_err(|e| wrong(&e))?;
        values.put(key, value)
    }
}

//! What the table tells of the run's images.

use crate::app::state::State;

/// What the run's images say of themselves.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Set<'a> {
    /// Names of the classes; empty where they are not known.
    classes: &'a [String],
    /// Whether intervals are over patients, as several images are of one.
    patients: bool,
}

impl<'a> Set<'a> {
    /// Of a run that was watched or opened.
    pub fn of(state: &'a State) -> Self {
        match (&state.facts, &state.data) {
            (Some(facts), _) => Self { classes: &facts.classes, patients: facts.grouped },
            (None, Some(kept)) => Self { classes: &kept.classes, patients: kept.groups.is_some() },
            (None, None) => Self::default(),
        }
    }

    /// A class in words.
    pub fn class(self, class: usize) -> String {
        self.classes.get(class).cloned().unwrap_or_else(|| class.to_string())
    }

    /// What the 95 % intervals are by.
    pub fn by(self) -> &'static str {
        if self.patients {
            t!("by bootstrap over the patients of the test images")
        } else {
            t!("by bootstrap over the test images")
        }
    }
}

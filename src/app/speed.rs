//! How fast training or an attacker goes.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::run::control::Command;

/// Steps or iterations a second; none are as fast as can be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Speed(Option<u16>);

impl Speed {
    /// Those that can be chosen.
    pub const ALL: [Self; 5] = [Self(None), Self(Some(30)), Self(Some(10)), Self(Some(3)), Self(Some(1))];

    /// Whether it is slower than can be.
    pub fn slow(self) -> bool {
        self.0.is_some()
    }

    /// What it is called.
    pub fn words(self) -> String {
        self.0.map_or_else(|| t!("Full speed").to_owned(), |each| t!("{each} a second", each))
    }

    /// What tells so whoever is at work.
    pub(super) fn command(self) -> Command {
        let between = |each: u16| Duration::from_secs_f64(1.0 / f64::from(each.max(1)));
        Command::Pace(self.0.map(between))
    }
}

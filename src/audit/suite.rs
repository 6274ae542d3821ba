//! The frozen list of attacks.

use serde::Deserialize;

use crate::error::{Error, Result};
use crate::run::launch::{Launch, Means};
use crate::workbench;

/// All suites, each with its number.
pub const SUITES: [(u32, &str); 1] = [(1, include_str!("../../assets/suites/1.toml"))];
/// The one that is taken where none is named.
pub const NEWEST: u32 = 1;

/// A list of attacks.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct Suite {
    /// Its number.
    pub suite: u32,
    /// Test images to steal.
    pub targets: usize,
    /// The attackers' own images to rehearse on.
    pub rehearsal: usize,
    /// The attacks.
    #[serde(rename = "attack")]
    pub attacks: Vec<Part>,
}

/// One attack of a suite.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct Part {
    /// Its name.
    pub name: String,
    /// Once for each of these seeds.
    pub seeds: Vec<u64>,
    /// Every setting that it has: a default that changes one day changes no suite.
    pub set: toml::Table,
}

impl Part {
    /// A setting that is newer than the suite has the value that its absence meant.
    fn complete(&mut self) {
        let settings = workbench::attack(&self.name).map_or(&[][..], |kind| kind.settings);
        for (setting, change) in settings.iter().filter_map(|setting| Some((setting, setting.since?))) {
            self.set.entry(setting.key).or_insert_with(|| change.before.value());
        }
    }
}

impl Suite {
    /// The suite of this number.
    ///
    /// # Errors
    /// Returns an error if there is none.
    pub fn of(number: u32) -> Result<Self> {
        let Some((_, text)) = SUITES.iter().find(|(own, _)| *own == number) else {
            let all: Vec<String> = SUITES.iter().map(|(own, _)| own.to_string()).collect();
            return Err(Error::input(format!("there is no suite {number}; there is {}", all.join(", "))));
        };
        let mut suite: Self = toml::from_str(text).map_err(|e| Error::Internal(format!("suite {number}: {e}")))?;
        suite.attacks.iter_mut().for_each(Part::complete);
        Ok(suite)
    }

    /// Every seed of it, in order.
    pub fn seeds(&self) -> Vec<u64> {
        let mut all: Vec<u64> = self.attacks.iter().flat_map(|part| part.seeds.iter().copied()).collect();
        all.sort_unstable();
        all.dedup();
        all
    }

    /// The seed under which every attack is launched.
    pub fn first_seed(&self) -> u64 {
        self.seeds().first().copied().unwrap_or_default()
    }

    /// What is launched under one seed, at so many targets, in both forms.
    pub fn launch(&self, seed: u64, targets: usize) -> Launch {
        let parts = self.attacks.iter().filter(|part| part.seeds.contains(&seed));
        let (mut attacks, mut set) = (Vec::new(), Vec::new());
        for Part { name, set: own, .. } in parts {
            attacks.push(name.clone());
            set.extend(own.iter().map(|(key, value)| format!("{name}.{key}={value}")));
        }
        // Of `quick` nothing is left, since the suite says every setting; but nothing of the run's own attacks comes in.
        let (images, seed) = (Some(targets.to_string()), Some(seed.to_string()));
        Launch { attacks, images, seed, means: Means::Quick, set, ..Launch::default() }
    }
}

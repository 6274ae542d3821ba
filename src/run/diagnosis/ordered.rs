//! What is launched at a run's diagnoses.

use crate::attack::adversarial::Kind;
use crate::error::{Error, Result};
use crate::run::launch::Means;
use crate::setting::Values;

/// Test images where it is not said.
pub const IMAGES: usize = 200;

/// What to launch.
#[derive(Clone, Debug)]
pub struct Ordered {
    /// The attacks with their settings.
    pub attacks: Vec<(&'static Kind, Values)>,
    /// Without knowledge of the defence.
    pub naive: bool,
    /// With it.
    pub adaptive: bool,
    /// Test images.
    pub images: usize,
    /// What images and random starts are drawn by; the run's own seed if none.
    pub seed: Option<u64>,
}

impl Ordered {
    /// Attacks by their cards, with such means and with settings changed: `epsilon=0.1` for all that have it, `pgd.epsilon=0.1` for one. Neither
    /// form is both.
    ///
    /// # Errors
    /// Returns an error if none of them has the setting, or a value is not allowed.
    pub fn new(kinds: &[&'static Kind], means: Means, set: &[String], [naive, adaptive]: [bool; 2]) -> Result<Self> {
        let given = |kind: &&'static Kind| Ok((*kind, means.values(kind)?));
        let mut attacks = kinds.iter().map(given).collect::<Result<Vec<_>>>()?;
        for assignment in set {
            let (name, _) = assignment.split_once('=').unwrap_or((assignment, ""));
            let (only, key) = name.split_once('.').map_or((None, name), |(only, key)| (Some(only), key));
            let own = assignment.get(name.len() - key.len()..).unwrap_or(assignment);
            let meant = |kind: &Kind| {
                only.map_or_else(|| kind.settings.iter().any(|setting| setting.key == key), |only| only == kind.id)
            };
            if !kinds.iter().any(|kind| meant(kind)) {
                return Err(Error::input(format!("--set {assignment}: none of the attacks has this setting")));
            }
            attacks.iter_mut().filter(|(kind, _)| meant(kind)).try_for_each(|(kind, values)| kind.set(values, own))?;
        }
        let both = naive == adaptive;
        Ok(Self { attacks, naive: naive || both, adaptive: adaptive || both, images: IMAGES, seed: None })
    }
}

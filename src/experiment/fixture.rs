//! The defence that made-up experiments and runs of tests are under, as documents, records and the window name it.

use super::Experiment;
pub use super::preset::{BRAIN, DIGITS, PAPER_DIGITS};

/// The defended model.
pub const DEFENDED: &str = "psgl";
/// The defence's title.
pub const TITLE: &str = "PSGL";
/// The key of its strength, which shows on the stage at once.
pub const GAMMA: &str = "psgl.gamma";
/// The key of its cleaning.
pub const MU: &str = "psgl.mu";
/// Switches it off.
pub const OFF: &str = "psgl.enabled=false";
/// Makes more cross the wire than smashed data.
pub const MAP_FROM_SERVER: &str = "psgl.jacobian=server";
/// Makes training steps short.
pub const FEW_CLEANINGS: &str = "psgl.iterations=1";

/// Moves pixels so far.
pub fn moved_by(theta: f64) -> String {
    format!("psgl.theta={theta}")
}

/// Its strength.
pub fn gamma(experiment: &Experiment) -> f64 {
    experiment.disguise().gamma()
}

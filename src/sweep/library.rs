//! The sweeps that come with the program.

use crate::error::Error;
use crate::setting::{near, shorten};

/// A sweep that comes with the program.
#[derive(Debug)]
pub struct BuiltIn {
    /// What [`Sweep::load`](super::Sweep::load) knows it by.
    pub name: &'static str,
    /// What it shows, in a line.
    pub about: &'static str,
    /// Its TOML.
    pub text: &'static str,
}

macro_rules! built_in {
    ($name:literal, $about:literal) => {
        BuiltIn { name: $name, about: $about, text: include_str!(concat!("../../assets/sweeps/", $name, ".toml")) }
    };
}

/// The sweeps that come with the program, the shortest first.
pub static SWEEPS: [BuiltIn; 5] = [
    built_in!("tiny", "Twelve cells of a second or two: to try things, not to judge them"),
    built_in!("digits-small", "Each defence at some strengths on a few digits: a first look, in some minutes"),
    built_in!("recognition", "Whether the default defence helps recognition: controls of equal capacity, five seeds"),
    built_in!("digits-frontier", "Accuracy against leakage on digits: each defence, its strengths, three seeds"),
    built_in!("mias-frontier", "Patients found again on whole mammograms, by folds; wants the films (data.path)"),
];

/// The sweep of this name that comes with the program.
pub fn built_in(name: &str) -> Option<&'static BuiltIn> {
    SWEEPS.iter().find(|sweep| sweep.name == name)
}

/// What to say about a name that is none.
pub(super) fn unknown(name: &str) -> Error {
    let names = SWEEPS.iter().map(|sweep| sweep.name);
    let hint = near(name, names.clone()).map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
    let names = names.collect::<Vec<_>>().join(", ");
    Error::input(format!(
        "unknown sweep \"{}\"{hint}\nsweeps: {names}; or give the path of a .toml file",
        shorten(name)
    ))
}

//! The experiments that come with the program.

use crate::error::{Error, Result};
use crate::setting::{near, shorten};

/// Handwritten digits under PSGL, what one begins with.
pub const DIGITS: &str = "psgl-digits";
/// Digits without a defence.
pub const PLAIN_DIGITS: &str = "vanilla-digits";
/// Digits under PSGL as its formulas have it.
pub const PAPER_DIGITS: &str = "psgl-paper-digits";
/// Brain planes under PSGL.
pub const BRAIN: &str = "psgl-brain";
/// Mammograms under PSGL: patches.
pub const MIAS: &str = "psgl-mias";
/// Mammograms under PSGL: whole films.
pub const MIAS_FILM: &str = "psgl-mias-film";
/// Breast ultrasound under PSGL.
pub const BREAST: &str = "psgl-breast";
/// Chest X-rays under PSGL.
pub const PNEUMONIA: &str = "psgl-pneumonia";
/// For trying things.
pub const QUICK: &str = "quick";

/// Name, what it shows in a line, and its TOML.
pub const PRESETS: [(&str, &str, &str); 9] = [
    (
        DIGITS,
        "Handwritten digits under PSGL, beside an undefended twin, with two attacks; the default",
        include_str!("../../assets/presets/psgl-digits.toml"),
    ),
    (
        PLAIN_DIGITS,
        "The same digits and attacks without a defence: what leaks",
        include_str!("../../assets/presets/vanilla-digits.toml"),
    ),
    (
        PAPER_DIGITS,
        "Digits under PSGL as near to the paper's formulas as can be computed",
        include_str!("../../assets/presets/psgl-paper-digits.toml"),
    ),
    (
        BRAIN,
        "Planes of an average brain MRI under PSGL: few images, three classes",
        include_str!("../../assets/presets/psgl-brain.toml"),
    ),
    (
        BREAST,
        "Breast ultrasound images under PSGL (BreastMNIST, to be fetched): few images, uneven classes",
        include_str!("../../assets/presets/psgl-breast.toml"),
    ),
    (
        PNEUMONIA,
        "Chest X-rays under PSGL (PneumoniaMNIST, to be fetched): some thousand images",
        include_str!("../../assets/presets/psgl-pneumonia.toml"),
    ),
    (
        MIAS,
        "Patches of mammograms under PSGL (mini-MIAS, to be fetched): the paper's own set, in five folds",
        include_str!("../../assets/presets/psgl-mias.toml"),
    ),
    (
        MIAS_FILM,
        "Whole mammograms under PSGL (mini-MIAS, to be fetched): are patients found again by what is stolen?",
        include_str!("../../assets/presets/psgl-mias-film.toml"),
    ),
    (
        QUICK,
        "A tiny network on a few digits, a whole run in seconds: to try things, not to judge them",
        include_str!("../../assets/presets/quick.toml"),
    ),
];

/// The TOML of a preset.
pub(super) fn text(name: &str) -> Option<&'static str> {
    PRESETS.iter().find(|preset| preset.0 == name).map(|preset| preset.2)
}

/// What to say about a name that is none; `also` is what else it could have been.
pub(super) fn unknown(name: &str, also: &str) -> Error {
    let names = PRESETS.map(|preset| preset.0);
    let near = near(name, names).map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
    Error::input(format!("unknown preset \"{}\"{near}\npresets: {}{also}", shorten(name), names.join(", ")))
}

/// The TOML of a preset that must exist.
pub(super) fn text_or_near(name: &str) -> Result<&'static str> {
    text(name).ok_or_else(|| unknown(name, ""))
}

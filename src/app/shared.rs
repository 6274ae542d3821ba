//! The whole state of the window as a short text that can be mailed, put on a slide or kept in a file: experiment, seed,
//! image or drawing, cut, levers, attacker, view, lesson and goal; and which controls are hidden.
//!
//! `cutlayer1.` and then, in the letters of URLs, JSON that was deflated, and a check sum. Line breaks and blanks that a
//! mail put in are left out of account.

use std::ffi::OsStr;
use std::fmt::Write as _;
use std::fs::File;
use std::io::{Read as _, Write as _};
use std::path::Path;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as URL;
use flate2::Compression;
use flate2::read::DeflateDecoder;
use flate2::write::DeflateEncoder;
use serde::{Deserialize, Serialize};

use super::App;
use super::hidden::{Control, Hidden};
use super::lessons::resumed;
use super::panes::curves::Shown as Curves;
use super::panes::frontier::FrontierView;
use super::settings::share::nearest;
use super::showing::Source;
use super::workspace::Workspace;
use crate::error::{Error, Result};
use crate::experiment::Experiment;
use crate::lesson::{Progress, Saved, built_in};
use crate::live::Shown;
use crate::run::pictures::byte;
use crate::run::scene::Picture;
use crate::score::goal::Goal;
use crate::texts::english;
use crate::workbench::attack;

/// What such a text begins with; the number is that of its form.
const HEAD: &str = "cutlayer1.";
/// Without the number.
const NAME: &str = "cutlayer";
/// A text that becomes longer than this is none of ours.
const MOST: u64 = 4 << 20;
/// Pixels of a drawing at most.
const MOST_PIXELS: usize = 3 << 20;

/// What is shared.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(clippy::struct_excessive_bools, reason = "independent choices, each with its own control")]
pub struct Shared {
    /// The program's version that wrote it.
    version: String,
    /// The nearest preset.
    preset: String,
    /// What differs from it, as `--set` takes it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    set: Vec<String>,
    /// In place of both, where `--set` cannot say it: the experiment as TOML.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    toml: Option<String>,
    /// Whether the stage shows the opening.
    #[serde(default, skip_serializing_if = "is_false")]
    opening: bool,
    #[serde(default, skip_serializing_if = "is_false")]
    defended: bool,
    #[serde(default, skip_serializing_if = "is_false")]
    adaptive: bool,
    #[serde(default, skip_serializing_if = "is_false")]
    untrained: bool,
    /// The kind of the attack.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    attack: Option<String>,
    /// Which test image.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    image: Option<usize>,
    /// In its place: a drawing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    drawing: Option<Drawing>,
    workspace: Workspace,
    /// How far the wipe covers the stolen image, in percent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    wipe: Option<u8>,
    /// Which curves, by their title; none for utility and leakage.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    curves: Option<String>,
    /// What is to be reached.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    goal: Option<Goal>,
    /// The epoch after which a run waits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pause_after: Option<usize>,
    /// The lesson in progress, of those that come with the program, and how far it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    lesson: Option<Saved>,
    /// Controls that are not to be seen.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) hide: Vec<Control>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Drawing {
    shape: [usize; 3],
    /// A byte a pixel, in the letters of URLs.
    pixels: String,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands the field over so")]
fn is_false(value: &bool) -> bool {
    !value
}

impl Shared {
    /// As a text.
    ///
    /// # Errors
    /// Returns an error if there is no memory left.
    pub fn to_text(&self) -> Result<String> {
        let wrong = |e: &dyn std::fmt::Display| Error::Internal(format!("a state to share: {e}"));
        let json = serde_json::to_vec(self).map_err(|e| wrong(&e))?;
        let mut deflated = DeflateEncoder::new(Vec::new(), Compression::best());
        deflated.write_all(&json).map_err(|e| wrong(&e))?;
        let deflated = deflated.finish().map_err(|e| wrong(&e))?;
        Ok(format!("{HEAD}{}.{}", URL.encode(deflated), check(&json)))
    }

    /// What [`Self::to_text`] wrote.
    ///
    /// # Errors
    /// Returns an error if it is another text, cut short, changed, or of a version that is not understood.
    pub fn from_text(text: &str) -> Result<Self> {
        let text: String = text.chars().filter(|letter| !letter.is_whitespace()).take(MOST as usize).collect();
        let Some(rest) = text.strip_prefix(HEAD) else {
            let newer = text.strip_prefix(NAME).is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
            return Err(Error::input(if newer {
                "this text is of a newer Cutlayer: this one reads what begins with cutlayer1."
            } else {
                "this is no state that Cutlayer shared: such a text begins with cutlayer1."
            }));
        };
        let damaged = || Error::input("the shared text is cut short or was changed: copy all of it again");
        let (letters, sum) = rest.split_once('.').ok_or_else(damaged)?;
        let deflated = URL.decode(letters).map_err(|_| damaged())?;
        let mut json = Vec::new();
        DeflateDecoder::new(deflated.as_slice()).take(MOST).read_to_end(&mut json).map_err(|_| damaged())?;
        if check(&json) != sum {
            return Err(damaged());
        }
        let shared: Self = serde_json::from_slice(&json).map_err(|e| {
            let made = serde_json::from_slice::<serde_json::Value>(&json).ok();
            let version = made.as_ref().and_then(|made| made.get("version")?.as_str()).unwrap_or("an unknown version");
            Error::input(format!("the shared text is of version {version} and has what this one does not know: {e}"))
        })?;
        shared.check()?;
        Ok(shared)
    }

    /// That in a file.
    ///
    /// # Errors
    /// Returns an error if the file cannot be read, or as [`Self::from_text`].
    pub fn read(path: &Path) -> Result<Self> {
        let mut bytes = Vec::new();
        let opened = File::open(path).and_then(|file| file.take(MOST).read_to_end(&mut bytes));
        opened.map_err(Error::io("open", path))?;
        let text = String::from_utf8_lossy(&bytes);
        Self::from_text(&text).map_err(|error| Error::input(format!("{error}: {}", path.display())))
    }

    /// Whether all that it names is there.
    pub(super) fn check(&self) -> Result<()> {
        self.experiment()?.validate()?;
        if let Some(name) = &self.attack {
            attack(name)
                .ok_or_else(|| Error::input(format!("the shared state names an attack that is not here: {name}")))?;
        }
        if let Some(saved) = &self.lesson {
            built_in(OsStr::new(&saved.lesson)).ok_or_else(|| {
                Error::input(format!("the shared state has a lesson that is not here: {}", saved.lesson))
            })?;
        }
        if let Some(title) = &self.curves {
            Curves::titled(title)
                .ok_or_else(|| Error::input(format!("the shared state names curves that are not here: {title}")))?;
        }
        self.picture().map(|_| ())
    }

    fn experiment(&self) -> Result<Experiment> {
        if let Some(toml) = &self.toml {
            return Experiment::from_toml(toml, "the shared state");
        }
        let mut experiment = Experiment::preset(&self.preset)?;
        self.set.iter().try_for_each(|assignment| experiment.set(assignment))?;
        Ok(experiment)
    }

    fn picture(&self) -> Result<Option<Picture>> {
        let Some(Drawing { shape, pixels }) = &self.drawing else { return Ok(None) };
        let wrong = || Error::input("the drawing in the shared state is damaged");
        let count = shape.iter().try_fold(1_usize, |product, side| product.checked_mul(*side)).ok_or_else(wrong)?;
        let bytes = URL.decode(pixels).map_err(|_| wrong())?;
        if count == 0 || count > MOST_PIXELS || bytes.len() != count {
            return Err(wrong());
        }
        Ok(Some(Picture { shape: *shape, values: bytes.iter().map(|byte| f32::from(*byte) / 255.0).collect() }))
    }
}

/// Whether a text says that it is such a state, whatever else is wrong with it.
pub fn is_shared(text: &str) -> bool {
    let text = text.trim_start();
    text.strip_prefix(NAME).is_some_and(|rest| rest.starts_with(|letter: char| letter.is_ascii_digit()))
}

/// Eight digits that differ where anything does.
fn check(json: &[u8]) -> String {
    blake3::hash(json).as_bytes()[..4].iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Whether everybody has the lesson.
fn is_built_in(saved: &Saved) -> bool {
    built_in(OsStr::new(&saved.lesson)).is_some()
}

impl App {
    /// The window's state, to be shared.
    pub(super) fn shared(&self) -> Shared {
        let (experiment, showing) = (self.document.experiment(), &self.showing);
        let near = nearest(experiment).map(|(name, set)| (name.to_owned(), set));
        let toml = near.is_none().then(|| experiment.to_toml());
        let (preset, set) = near.unwrap_or_default();
        let (image, drawing) = match &showing.image {
            Shown::Patient(at) => (Some(*at), None),
            Shown::Own(picture) => {
                let pixels: Vec<u8> = picture.values.iter().map(|value| byte(*value)).collect();
                (None, Some(Drawing { shape: picture.shape, pixels: URL.encode(pixels) }))
            }
        };
        Shared {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            preset,
            set,
            toml,
            opening: showing.source == Source::Opening,
            defended: showing.defended,
            adaptive: showing.adaptive,
            untrained: showing.untrained,
            attack: showing.attack.map(str::to_owned),
            image,
            drawing,
            workspace: self.memory.workspace,
            wipe: self.view.wipe.share.map(|share| (100.0 * share).round() as u8),
            curves: Some(self.view.curves.shown)
                .filter(|shown| *shown != Curves::default())
                .map(|shown| english(|| shown.title()).into()),
            goal: self.memory.play.goal,
            pause_after: self.memory.play.pause_after,
            lesson: self.progress.as_ref().map(Progress::saved).filter(is_built_in),
            hide: self.hidden.list(),
        }
    }

    /// Takes a state that was shared. Undo brings the experiment back.
    pub(super) fn take_shared(&mut self, shared: &Shared) -> Result<()> {
        let (experiment, picture) = (shared.experiment()?, shared.picture()?);
        self.document.take(experiment);
        let showing = &mut self.showing;
        (showing.defended, showing.adaptive) = (shared.defended, shared.adaptive);
        showing.untrained = shared.untrained;
        showing.attack = shared.attack.as_deref().and_then(attack).map(|kind| kind.id);
        self.view.pad = super::stage::pad::PadView::default();
        showing.image = match picture {
            Some(picture) => {
                self.view.pad.drawing = true;
                Shown::Own(picture)
            }
            None => Shown::Patient(shared.image.unwrap_or(0)),
        };
        self.view.curves.shown = shared.curves.as_deref().and_then(Curves::titled).unwrap_or_default();
        (self.memory.play.goal, self.memory.play.pause_after) = (shared.goal, shared.pause_after);
        if let Some(progress) = shared.lesson.as_ref().and_then(resumed) {
            self.memory.lesson = Some(progress.saved());
            self.progress = Some(progress);
            self.view.frontier = FrontierView::recorded();
        }
        self.hidden = Hidden::of(&shared.hide);
        self.go_to(shared.workspace);
        self.look(if shared.opening { Source::Opening } else { Source::Live });
        self.view.wipe.share = shared.wipe.map(|percent| f32::from(percent.min(100)) / 100.0);
        self.toasts.say(t!("The shared state is here; Undo brings the experiment back."), false);
        Ok(())
    }
}

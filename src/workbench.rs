//! What is plugged in: the lists of attacks, of defences and of readers of data, and every setting there is.
//!
//! One more attack is a file with its [`Kind`], and a line in `ATTACKS`; one more defence a file with its
//! [`defence::Kind`], and a line in `DEFENCES`; one more reader a file with its [`reader::Kind`], and a line in
//! `READERS`.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::sync::OnceLock;

use crate::attack::kind::Kind;
use crate::attack::{
    adversarial, analytic, dlg, fsha, idlg, inverse, inverting, nearest, prior, rmle, sdar, shadow, unsplit,
};
use crate::data::{Ask, Dataset, Progress, Wanted, dicom, folder, idx, mias, npz, reader, recognise, sheet};
use crate::defence;
use crate::defence::{
    binarise, cem, dropout, gaussian, image_noise, laplace, nopeek, orthogonal, psgl, quantise, ressfl, top_k,
    weight_noise,
};
use crate::engine::trial::Trial;
use crate::error::{Error, Result};
use crate::method::Section;
use crate::method::common::{JUDGING, PARTIES};
use crate::score::names::{WORDS, Word};
use crate::setting::{SETTINGS, Setting, near, shorten, split};
use crate::split::UNDEFENDED;

/// The attacks that come with the program, in the order in which they are shown.
const ATTACKS: &[&Kind] = &[
    &rmle::KIND,
    &inverse::KIND,
    &nearest::KIND,
    &prior::KIND,
    &shadow::KIND,
    &unsplit::KIND,
    &fsha::KIND,
    &sdar::KIND,
    &dlg::KIND,
    &idlg::KIND,
    &inverting::KIND,
    &analytic::KIND,
];

/// The attacks on diagnoses, in the order in which they are shown.
pub const ADVERSARIAL: [&adversarial::Kind; 4] =
    [&adversarial::fgsm::KIND, &adversarial::pgd::KIND, &adversarial::jsma::KIND, &adversarial::pgd_z::KIND];

/// The defences that come with the program, in the order in which they are shown.
const DEFENCES: [&defence::Kind; 13] = [
    &psgl::KIND,
    &dropout::KIND,
    &image_noise::KIND,
    &weight_noise::KIND,
    &gaussian::KIND,
    &laplace::KIND,
    &orthogonal::KIND,
    &quantise::KIND,
    &binarise::KIND,
    &top_k::KIND,
    &nopeek::KIND,
    &cem::KIND,
    &ressfl::KIND,
];

/// The readers that come with the program, in the order in which they are asked.
// A folder of films or of DICOM files may hold a table or class folders too, so these are asked after them.
const READERS: [&reader::Kind; 6] = [&idx::KIND, &npz::KIND, &mias::KIND, &dicom::KIND, &sheet::KIND, &folder::KIND];

/// What defences compute beside the layers, to be tried on another device.
pub fn trials() -> Vec<Trial> {
    let projected = orthogonal::trials();
    psgl::trial::trials().into_iter().chain(projected).collect()
}

/// A whole step's reference values: the file's name, and the defence at work in it.
pub const REFERENCE_STEP: (&str, fn(f64) -> Result<defence::Stack>) = (psgl::trial::REFERENCE, psgl::trial::reference);

/// What is plugged in beside what comes with the program.
#[derive(Debug, Default)]
pub struct Own {
    /// Attacks.
    pub attacks: Vec<&'static Kind>,
    /// Defences.
    pub defences: Vec<&'static defence::Kind>,
    /// Readers of data.
    pub readers: Vec<&'static reader::Kind>,
}

/// What a process has, from its first look on.
struct Plugged {
    attacks: Vec<&'static Kind>,
    defences: Vec<&'static defence::Kind>,
    readers: Vec<&'static reader::Kind>,
    settings: Vec<Setting>,
}

static PLUGGED: OnceLock<Plugged> = OnceLock::new();

impl Plugged {
    fn with(own: &Own) -> Self {
        let attacks: Vec<&'static Kind> = ATTACKS.iter().copied().chain(own.attacks.iter().copied()).collect();
        let defences = DEFENCES.into_iter().chain(own.defences.iter().copied()).collect::<Vec<_>>();
        let of = |own_section| defences.iter().filter(move |kind| kind.section.is_some() == own_section);
        // Those that have a section of their own come where it has always stood: after the model, before the training.
        let training = SETTINGS.iter().position(|setting| setting.key.starts_with("train.")).unwrap_or(SETTINGS.len());
        let (before, after) = SETTINGS.split_at(training);
        let settings = before.iter().copied().chain(of(true).flat_map(|kind| kind.document_settings()));
        let settings = settings.chain(after.iter().copied());
        let settings = settings.chain(of(false).flat_map(|kind| kind.document_settings()));
        let settings =
            settings.chain(attacks.iter().flat_map(|kind| kind.document_settings(kind.id)).copied()).collect();
        // One's own are asked first: they may be of files that others would take for theirs.
        let readers = own.readers.iter().copied().chain(READERS).collect();
        Self { attacks, defences, readers, settings }
    }

    /// # Errors
    /// Returns an error if two of a sort have the same id.
    fn check(&self) -> Result<()> {
        distinct("attacks", self.attacks.iter().map(|kind| kind.id))?;
        distinct("defences", self.defences.iter().map(|kind| kind.id))?;
        // A model under a defence is called by its id, and so are its weights in a checkpoint.
        if let Some(kind) = self.defences.iter().find(|kind| RESERVED.contains(&kind.id) || has_epoch(kind.id)) {
            return Err(Error::input(format!("\"{}\" cannot be a defence's id: give yours another", kind.id)));
        }
        distinct("readers", self.readers.iter().map(|kind| kind.id))
    }
}

/// Names that a checkpoint has for other things than models, and that of the undefended model.
const RESERVED: [&str; 5] = [UNDEFENDED, "adam", "amid", "capture", "defence"];

/// Whether a part of an id looks like the epoch in a picture's name: `own-e2`.
fn has_epoch(id: &str) -> bool {
    let number = |rest: &str| !rest.is_empty() && rest.chars().all(|c| c.is_ascii_digit());
    id.split('-').skip(1).any(|part| part.strip_prefix('e').is_some_and(number))
}

fn distinct(what: &str, ids: impl Iterator<Item = &'static str>) -> Result<()> {
    let mut known = BTreeSet::new();
    for id in ids {
        // Ids stand in files' names.
        let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-_".contains(c);
        if !id.starts_with(|c: char| c.is_ascii_lowercase()) || !id.chars().all(fits) {
            let found = shorten(id);
            return Err(Error::input(format!("\"{found}\" cannot be an id: allowed are a to z, digits, - and _")));
        }
        if !known.insert(id) {
            return Err(Error::input(format!("two {what} are called \"{id}\": give yours another id")));
        }
    }
    Ok(())
}

fn plugged() -> &'static Plugged {
    PLUGGED.get_or_init(|| Plugged::with(&Own::default()))
}

/// Adds what is one's own for the rest of the process.
///
/// # Errors
/// Returns an error if two of a sort have the same id, if an id could not stand in files' names, or if the lists have been
/// read before.
pub fn plug(own: &Own) -> Result<()> {
    let all = Plugged::with(own);
    all.check()?;
    PLUGGED.set(all).map_err(|_| Error::Internal("what is one's own is plugged in before anything else".into()))
}

/// Every attack.
pub fn attacks() -> &'static [&'static Kind] {
    &plugged().attacks
}

/// The attack of this id.
pub fn attack(id: &str) -> Option<&'static Kind> {
    attacks().iter().copied().find(|kind| kind.id == id)
}

/// The attack on diagnoses of this id.
pub fn adversarial(id: &str) -> Option<&'static adversarial::Kind> {
    ADVERSARIAL.into_iter().find(|kind| kind.id == id)
}

/// Every defence.
pub fn defences() -> &'static [&'static defence::Kind] {
    &plugged().defences
}

/// The defence that one begins with: the first.
pub fn usual_defence() -> &'static defence::Kind {
    defences().first().copied().unwrap_or(DEFENCES[0])
}

/// The defence of this id.
pub fn defence(id: &str) -> Option<&'static defence::Kind> {
    defences().iter().copied().find(|kind| kind.id == id)
}

/// The method, section by section: what is common to all, each defence, each attack, those on diagnoses together, and how
/// all is judged.
pub fn method() -> impl Iterator<Item = &'static Section> {
    let defences = defences().iter().flat_map(|kind| kind.method);
    let attacks = attacks().iter().flat_map(|kind| kind.method);
    std::iter::once(&PARTIES).chain(defences).chain(attacks).chain([&adversarial::method::SECTION, &JUDGING])
}

/// Every reader of data.
pub fn readers() -> &'static [&'static reader::Kind] {
    &plugged().readers
}

/// Loads a built-in set by name, or reads the one at a path by whichever reader knows it, its images as they are wanted;
/// see [`recognise::load`].
///
/// # Errors
/// Returns an error if there is no such set, or if it is damaged or beyond the limits.
pub fn load(name_or_path: impl AsRef<OsStr>, wanted: &Wanted) -> Result<Dataset> {
    recognise::load(name_or_path, &Ask { wanted, progress: &Progress::default() }, readers())
}

/// The same for whoever wants to see how far it is, and may stop it.
///
/// # Errors
/// As [`load`]; [`Error::Stopped`] if it was stopped.
pub fn load_watched(name_or_path: impl AsRef<OsStr>, wanted: &Wanted, progress: &Progress) -> Result<Dataset> {
    recognise::load(name_or_path, &Ask { wanted, progress }, readers())
}

/// Every setting of the document but `schema` and the attacks' `name`, which say how to read the rest. Attacks' settings
/// are named by the attack: `attack.rmle.iterations`.
pub fn settings() -> &'static [Setting] {
    &plugged().settings
}

/// The setting with exactly this key.
pub fn find(key: &str) -> Option<&'static Setting> {
    settings().iter().find(|setting| setting.key == key)
}

/// The names of a thing that runs, the paper and the window speak of, by its key.
pub fn word(key: &str) -> Option<&'static Word> {
    WORDS.iter().chain(defences().iter().flat_map(|kind| kind.words)).find(|word| word.key == key)
}

/// The paper's term for a key; what has no name keeps its key.
pub fn paper_word(key: &str) -> &str {
    word(key).map_or(key, |word| word.paper)
}

/// The window's word for a key.
pub fn window_word(key: &str) -> &str {
    word(key).map_or(key, |word| word.window)
}

/// What a key means, in a sentence; empty for one without a name.
pub fn meaning(key: &str) -> &'static str {
    word(key).map_or("", |word| word.help)
}

/// The key that a misspelt one was meant to be: a near name in the same section first, then the same name elsewhere.
///
/// ```
/// assert_eq!(cutlayer::workbench::nearest("psgl.gama"), Some("psgl.gamma"));
/// assert_eq!(cutlayer::workbench::nearest("gamma"), Some("psgl.gamma"));
/// ```
pub fn nearest(key: &str) -> Option<&'static str> {
    let (section, leaf) = split(key);
    let keys = || settings().iter().map(|setting| setting.key);
    if let Some(leaf) = near(leaf, keys().filter(|key| split(key).0 == section).map(|key| split(key).1)) {
        return keys().find(|key| split(key) == (section, leaf));
    }
    let short: String = key.chars().take(60).collect();
    let same_name = keys().filter(|key| split(key).1 == leaf);
    same_name.min_by_key(|key| strsim::osa_distance(&short, key)).or_else(|| near(key, keys()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::score::floor::Guess;
    use crate::score::verdict::Standing;
    use crate::setting::Mark;

    static NAMELESS: Kind = Kind::BASE;
    static PATH: Kind = Kind { id: "../x", ..Kind::BASE };

    #[test]
    fn keys_are_unique_and_every_setting_has_its_words() {
        for (i, setting) in settings().iter().enumerate() {
            assert!(settings()[..i].iter().all(|other| other.key != setting.key), "{} twice", setting.key);
            assert!(!setting.label.is_empty() && setting.help.ends_with('.'), "{}", setting.key);
            assert!(setting.help.len() < 400, "{}: a tooltip, not a page", setting.key);
            assert_eq!(find(setting.key), Some(setting));
            assert_eq!(nearest(setting.key), Some(setting.key));
        }
        assert_eq!([Mark::Abstract, Mark::Equations, Mark::Here].map(|m| m.to_string()), ["[A]", "[E]", "here"]);
    }

    #[test]
    fn every_name_stands_once_and_the_docs_show_it() {
        let shown = include_str!("../docs/words.md");
        let all: Vec<&Word> = WORDS.iter().chain(defences().iter().flat_map(|kind| kind.words)).collect();
        for (i, word) in all.iter().enumerate() {
            assert!(all[..i].iter().all(|other| other.key != word.key), "{} twice", word.key);
            let row = format!("| `{}` | {} | {} |", word.key, word.paper, word.window);
            assert!(shown.contains(&row), "docs/words.md lacks: {row}");
        }
        for guess in Guess::ALL {
            assert_eq!(paper_word(guess.name()), guess.words());
        }
        for standing in
            [Standing::Broke, Standing::Held, Standing::ProvesNothing, Standing::TooWeak, Standing::NotMeasured]
        {
            assert_eq!(window_word(standing.word()), standing.word());
        }
        assert_eq!((paper_word("other"), window_word("other"), meaning("other")), ("other", "other", ""));
    }

    #[test]
    fn one_of_ones_own_needs_an_id_of_its_own() {
        assert!(Plugged::with(&Own::default()).check().is_ok());
        let error =
            Plugged::with(&Own { attacks: vec![&nearest::KIND], ..Own::default() }).check().unwrap_err().to_string();
        assert_eq!(error, "two attacks are called \"nearest\": give yours another id");
        let error =
            Plugged::with(&Own { readers: vec![&idx::KIND], ..Own::default() }).check().unwrap_err().to_string();
        assert_eq!(error, "two readers are called \"idx\": give yours another id");
        for kind in [&NAMELESS, &PATH] {
            let error = Plugged::with(&Own { attacks: vec![kind], ..Own::default() }).check().unwrap_err().to_string();
            assert_eq!(error, format!("\"{}\" cannot be an id: allowed are a to z, digits, - and _", kind.id));
        }
    }

    #[test]
    fn a_defences_id_is_no_other_name_and_holds_no_epoch() {
        static UNDEFENDED: defence::Kind = defence::Kind { id: "vanilla", ..defence::Kind::BASE };
        static EPOCH: defence::Kind = defence::Kind { id: "own-e2", ..defence::Kind::BASE };
        static FINE: defence::Kind = defence::Kind { id: "e2-own-early", ..defence::Kind::BASE };
        let told = |kind| Plugged::with(&Own { defences: vec![kind], ..Own::default() }).check();
        for kind in [&UNDEFENDED, &EPOCH] {
            let error = told(kind).unwrap_err().to_string();
            assert_eq!(error, format!("\"{}\" cannot be a defence's id: give yours another", kind.id));
        }
        told(&FINE).unwrap();
    }

    #[test]
    fn a_misspelt_key_finds_the_one_that_was_meant() {
        for (wrong, meant) in [
            ("psgl.gama", "psgl.gamma"),
            ("PSGL.Gamma", "psgl.gamma"),
            ("psg.gamma", "psgl.gamma"),
            ("gamma", "psgl.gamma"),
            ("data.epochs", "train.epochs"),
            ("trian.rate", "train.rate"),
            ("attack.rmle.iteration", "attack.rmle.iterations"),
            ("attack.inverse.iterations", "attack.inverting.iterations"),
            ("sed", "seed"),
        ] {
            assert_eq!(nearest(wrong), Some(meant), "{wrong}");
        }
        for wrong in ["", ".", "zzzzzzzz.qqqqqqqq", &"psgl.".repeat(100_000)] {
            assert_eq!(nearest(wrong), None);
        }
    }
}

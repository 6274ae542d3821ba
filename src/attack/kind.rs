//! What an attack says of itself: its card, its settings, and how it is made. One constant in each attack's own file;
//! [`workbench`](mod@crate::workbench) lists them.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

pub use super::make::Make;
use super::threat_model::{Knows, Sees};
use crate::error::{Error, Result};
use crate::method::Section;
use crate::model::spec::LayerSpec;
pub use crate::setting::Values;
use crate::setting::{Kind as Range, Mark, Plain, Setting, list, real, whole};

/// An attack's card.
#[derive(Debug)]
pub struct Kind {
    /// Its name in documents, on the command line and in records.
    pub id: &'static str,
    /// What it is called in a sentence: "attacked by …".
    pub title: &'static str,
    /// How it works, in a sentence.
    pub about: &'static str,
    /// Who attacks so.
    pub looker: Looker,
    /// What it sees of what crosses the wire.
    pub sees: &'static [Sees],
    /// What it knows without knowledge of the defence.
    pub knows: &'static [Knows],
    /// The same where it knows the defence.
    pub knows_adaptive: &'static [Knows],
    /// Test images it reconstructs where a document does not say.
    pub images: usize,
    /// What reconstructing one takes, in a sentence.
    pub images_help: &'static str,
    /// Settings of its own, each with its default; keys without a section.
    pub settings: &'static [Setting],
    /// Keys of those that matter most, whole numbers that are pulled while one looks.
    pub levers: &'static [&'static str],
    /// What has been published of it, to check an implementation against.
    pub published: &'static [Published],
    /// What it does, with its formulas.
    pub method: &'static [Section],
    /// The fewest auxiliary images that it can do with, and what for.
    pub least_images: (usize, &'static str),
    /// Why it cannot be launched at a client of these layers, given the shape (C, H, W) of what the first of them sees and
    /// that of images; none where it can.
    pub misfit: fn(&[LayerSpec], [[usize; 3]; 2]) -> Option<String>,
    /// Whether it learns first, and then serves any smashed data at once.
    pub learns: bool,
    /// Whether the table's row of stolen images is of what it makes of all test images.
    pub fills_the_table: bool,
    /// About how many numbers its state is at its largest: of the smashed data's shape, the images' and the number of
    /// targets. The model of a training of its own is not counted.
    pub saves: fn(&[usize], [usize; 3], usize) -> usize,
    /// How it is made, and with that where it stands.
    pub make: Make,
    /// Its settings with little time: those that differ from the defaults, by key; `images` may be among them.
    pub quick: Budget,
    /// The same as published.
    pub paper: Budget,
    /// Of an attack that is at work in a training, the steps for which the model trains at least before its targets are
    /// asked about at the end of a run, in whole epochs: who sits in the server's chair decides when the training is over.
    /// None trains as long as the run did.
    pub steps: fn(&Values) -> Result<Option<usize>>,
    /// Its settings where somebody waits and watches, given the number of auxiliary images.
    pub watched: fn(&Values, usize) -> Result<Values>,
}

/// Settings of an attack that differ from its defaults, by their keys without a section.
pub type Budget = &'static [(&'static str, Plain)];

/// Somebody who attacks, in words.
#[derive(Debug)]
pub struct Looker {
    /// Who that is: `the server, with the client's weights`.
    pub words: &'static str,
    /// The same in a word or two.
    pub brief: &'static str,
    /// What the attack does, in a sentence or two.
    pub tip: &'static str,
}

/// The source of what is published of two attacks: He, Zhang & Lee, "Model inversion attacks against collaborative
/// inference", ACSAC 2019.
pub const HE_2019: &str = "He 2019";

/// A published result of an attack, a mean over images.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Published {
    /// Data, network and cut.
    pub of: &'static str,
    /// dB.
    pub psnr: f64,
    /// Structural similarity.
    pub ssim: f64,
    /// Whose word it is.
    pub mark: Mark,
}

impl Published {
    /// One of He et al., tables 3, 4 and 6 (METHOD section 4).
    pub const fn he(of: &'static str, psnr: f64, ssim: f64) -> Self {
        Self { of, psnr, ssim, mark: Mark::Published(HE_2019) }
    }
}

/// An auxiliary image is needed by whoever scores the attack.
pub const ANY_IMAGE: (usize, &str) = (1, "what it found is measured against the mean of");

const IMAGES: Range = whole(1, 10_000);
const EPOCH: Range = whole(0, 10_000);
const NAIVE: &str = "Attack without knowledge of the defence. Alone it flatters the defence, so the adaptive form stands \
                     beside it.";
const ADAPTIVE: &str = "Attack with knowledge of the defence: imitate it and undo it. A defence is as good as it is \
                        against this form.";
const EARLY: &str = "Attack also after these epochs, besides the last; 0 is before any training, when a client leaks \
                     already.";
const EVERY: &str = "Attack also whenever so many more epochs are over, so that a leak is seen to grow or to shrink; 0 for no \
                     such.";
const SEED: &str = "What the attacker's own randomness is drawn by, so that the spread over attackers can be told from the spread \
                    over models; 0 for the run's own seed.";
const SECONDS: &str = "Seconds after which the attack hands over what it has by then; 0 for no limit. A result that a clock cut \
                       short is no evidence that a defence held, and another machine gets another one.";
/// The setting of an attack that lets it stop by its own loss.
pub const SETTLED: Setting = Setting::new(
    "settled",
    "Stop once settled",
    "%",
    real(0.0, 50.0),
    "A search ends, and counts whole, once its own loss fell over its last fifth by less than so many percent of what it began \
     with; 0 takes every step.",
)
.since(6, Plain::Real(0.0))
.default(Plain::Real(0.0));
/// The words of an attack's setting for Adam's ε.
pub const ADAM_EPSILON: &str = "The small number below Adam's step. Large values, as in He 2019's 1e-3, throttle the \
                                steps when the loss is small.";

impl Kind {
    /// What most attacks have in common: `..Kind::BASE` spares a card the lines that say nothing.
    pub const BASE: Self = Self {
        id: "",
        title: "",
        about: "",
        looker: Looker { words: "", brief: "", tip: "" },
        sees: &[Sees::Smashed],
        knows: &[],
        knows_adaptive: &[Knows::Defence],
        images: 1,
        images_help: "Test images to reconstruct.",
        settings: &[],
        levers: &[],
        published: &[],
        method: &[],
        least_images: ANY_IMAGE,
        misfit: |_, _| None,
        learns: false,
        fills_the_table: false,
        saves: |_, _, _| 0,
        make: Make::FromEvidence(|_, _, _| Err(Error::Internal("an attack's card lacks how it is made".to_owned()))),
        quick: &[],
        paper: &[],
        steps: |_| Ok(None),
        watched: |values, _| Ok(values.clone()),
    };

    /// Its settings as documents have them, those that every attack has before its own, for an attack of this name:
    /// `attack.rmle.images`. Made once a name; the keys stay for good.
    pub fn document_settings(&'static self, name: &str) -> &'static [Setting] {
        static MADE: Mutex<BTreeMap<(&'static str, String), &'static [Setting]>> = Mutex::new(BTreeMap::new());
        let mut made = MADE.lock().unwrap_or_else(PoisonError::into_inner);
        made.entry((self.id, name.to_owned())).or_insert_with(|| self.settings_named(name).leak())
    }

    fn settings_named(&self, name: &str) -> Vec<Setting> {
        let all = [
            Setting::new("images", "Targets", "images", IMAGES, self.images_help),
            Setting::new("naive", "Naive", "", Range::Switch, NAIVE),
            Setting::new("adaptive", "Adaptive", "", Range::Switch, ADAPTIVE),
            Setting::new("early", "Also after", "epochs", list(&EPOCH, 0, 64, true), EARLY),
            Setting::new("every", "Also every", "epochs", EPOCH, EVERY).since(5, Plain::Whole(0)),
            Setting::new("seed", "Attacker's seed", "", whole(0, 1_000_000_000), SEED).since(5, Plain::Whole(0)),
            Setting::new("seconds", "At most", "seconds", whole(0, 1_000_000), SECONDS).since(5, Plain::Whole(0)),
        ];
        let named = |setting: Setting| Setting { key: format!("attack.{name}.{}", setting.key).leak(), ..setting };
        all.into_iter().chain(self.settings.iter().copied()).map(named).collect()
    }

    /// What it knows, in either form.
    pub fn knowledge(&self, adaptive: bool) -> &'static [Knows] {
        if adaptive { self.knows_adaptive } else { self.knows }
    }

    /// `the client's weights, similar images and the defence`.
    pub fn knows_words(&self, adaptive: bool) -> String {
        let words = self.known(adaptive);
        if words.is_empty() { "the architecture alone".to_owned() } else { listed(&words) }
    }

    /// What it is said to know, each in words.
    pub fn known(&self, adaptive: bool) -> Vec<&'static str> {
        let all = self.knowledge(adaptive);
        // An oracle is asked with these.
        let said = |known: &&Knows| !(**known == Knows::Auxiliary && all.contains(&Knows::ClientOracle));
        all.iter().filter(said).map(|known| known.words()).collect()
    }

    /// `the smashed data and the labels`.
    pub fn sees_words(&self) -> String {
        let words = self.seen();
        if words.is_empty() { "nothing".to_owned() } else { listed(&words) }
    }

    /// What it sees, each in words.
    pub fn seen(&self) -> Vec<&'static str> {
        self.sees.iter().map(|seen| seen.words()).collect()
    }
}

fn listed(words: &[&str]) -> String {
    match words {
        [most @ .., last] if !most.is_empty() => format!("{} and {last}", most.join(", ")),
        words => words.concat(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workbench::attacks;

    #[test]
    fn every_kind_has_its_words_and_a_default_for_each_setting_that_is_allowed() {
        for kind in attacks() {
            assert!(!kind.sees.is_empty(), "{}", kind.id);
            // The table's stolen images are of what honest models sent.
            assert!(!(kind.make.hijacks() && kind.fills_the_table), "{}", kind.id);
            let texts = [kind.id, kind.title, kind.about, kind.looker.words, kind.looker.brief, kind.looker.tip];
            assert!(texts.iter().all(|text| !text.is_empty()) && kind.images > 0, "{}", kind.id);
            assert!(
                kind.knows_adaptive.contains(&Knows::Defence) && !kind.knows.contains(&Knows::Defence),
                "{}",
                kind.id
            );
            for setting in kind.settings {
                let default = setting.default.unwrap_or_else(|| panic!("{}.{} has no default", kind.id, setting.key));
                assert_eq!(setting.kind.check(setting.key, &default.value()), Ok(()), "{}", kind.id);
            }
            let watched = (kind.watched)(&Values::of(kind.settings), 100).unwrap();
            assert_eq!(watched.iter().count(), kind.settings.len());
        }
    }

    #[test]
    fn what_is_published_stands_so_in_the_method() {
        let method = include_str!("../../assets/method.md");
        for one in attacks().iter().flat_map(|kind| kind.published) {
            let ssim = format!("{:.3}", one.ssim);
            let written = format!("{:.2}/{}", one.psnr, ssim.trim_start_matches('0'));
            assert!(method.contains(&written), "{written}: {}", one.of);
        }
        assert!(attacks().iter().filter(|kind| !kind.published.is_empty()).count() >= 2);
    }
}

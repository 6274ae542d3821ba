//! What a defence says of itself: its card, its settings, and how it is made. One constant in each defence's own file;
//! [`workbench`](mod@crate::workbench) lists them.

use std::sync::Arc;

use super::Defence;
use super::entry::Entry;
use super::imitation::Imitation;
use crate::error::{Error, Result};
use crate::method::Section;
use crate::model::spec::LayerSpec;
use crate::model::wire::Crossing;
use crate::random::{At, Seed, Stream};
use crate::score::names::Word;
use crate::setting::{Plain, Setting, Values};

/// One of the few settings of a defence that matter most, and the words beside it in the window: it is pulled while one
/// looks. Each defence lists its own.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Lever {
    /// Which; without a section.
    pub key: &'static str,
    /// Its letter.
    pub symbol: &'static str,
    /// What it moves, in a word or two.
    pub words: &'static str,
    /// From where to where it is pulled; a document may go farther.
    pub range: [f64; 2],
}

/// A defence with a part of it left out, all else equal: what it is held against to tell what that part does to right answers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Control {
    /// What it is, as in "less often right than …".
    pub words: &'static str,
    /// Which of the defence's settings it has otherwise; without a section.
    pub set: &'static [(&'static str, Plain)],
}

/// What one sample takes on the wire, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bytes {
    /// Its smashed data, up.
    pub up: usize,
    /// The gradient by them, down.
    pub down: usize,
}

impl Bytes {
    /// So many numbers as they are, float32, both ways.
    pub const fn whole(numbers: usize) -> Self {
        let bytes = size_of::<f32>() * numbers;
        Self { up: bytes, down: bytes }
    }

    /// So many numbers as they are go up: what a defence moves one by one has no shorter form left.
    #[must_use]
    pub const fn whole_up(self, numbers: usize) -> Self {
        Self { up: Self::whole(numbers).up, down: self.down }
    }
}

/// A defence's card.
#[derive(Debug)]
pub struct Kind {
    /// Its name in documents, on the command line and in records.
    pub id: &'static str,
    /// What it is called in a sentence: "a model under …".
    pub title: &'static str,
    /// How it works, in a sentence.
    pub about: &'static str,
    /// The section of the document that is its own, for one that documents have had from the beginning; the others stand
    /// in the list `[[defence]]`.
    pub section: Option<&'static str>,
    /// Settings of its own, each with its default; keys without a section.
    pub settings: &'static [Setting],
    /// The letter of its strength.
    pub symbol: &'static str,
    /// How strong it is by its settings; 0 is no defence at all.
    pub strength: fn(&Values) -> Result<f64>,
    /// The form in which it has images enter the first layer, if not as they are.
    pub entry: Option<&'static Entry>,
    /// Whether it can do with smashed data of this shape, without the batch; else what it wants, in words.
    pub fits: fn(&Values, &[usize]) -> Result<(), String>,
    /// The layers that answer, given the server's own and the shape of what they see; else what it wants, in words.
    pub server: ServerLayers,
    /// What is to be told of these settings before a run, if anything.
    pub warning: fn(&Values) -> Option<String>,
    /// What a sample of so many numbers takes on the wire, given what it takes after the defences before this one.
    pub bytes: fn(&Values, usize, Bytes) -> Result<Bytes>,
    /// What crosses for an image before it is sent, besides the image itself.
    pub asks: fn(&Values) -> Result<&'static [Crossing]>,
    /// How it is put to work.
    pub make: fn(&Values, Draws) -> Result<Box<dyn Defence>>,
    /// What its values have to fulfil together, else why not, by field.
    pub check: fn(&Values) -> Result<(), String>,
    /// Why a setting of its own has no effect: given the values, whether it is in the stack, and the key.
    pub idle: fn(&Values, bool, &str) -> Option<&'static str>,
    /// What its settings serve while it is off, in a sentence; empty where nothing.
    pub while_off: &'static str,
    /// Whether its server answers with several streams and a decision fused of them, which the table's gains are of.
    pub fuses: fn(&Values) -> bool,
    /// What it is held against to tell whether it helps to answer right; nothing where nobody says that it does.
    pub controls: &'static [Control],
    /// The few settings that stand among the levers.
    pub levers: &'static [Lever],
    /// Names of what only a model under it has: rows of the table, streams, gains.
    pub words: &'static [Word],
    /// What it does, section by section, with its formulas.
    pub method: &'static [Section],
    /// Its part of a model in Python, given the weights of the streams' votes in use, if it has one.
    pub torch: Option<ToTorch>,
    /// What an attacker makes of knowing it.
    pub imitation: fn(&Values) -> Result<Arc<dyn Imitation>>,
}

impl Kind {
    /// A card to begin from: of a defence that changes nothing and has no settings.
    pub const BASE: Self = Self {
        id: "",
        title: "",
        about: "",
        section: None,
        settings: &[],
        symbol: "",
        strength: |_| Ok(1.0),
        entry: None,
        fits: |_, _| Ok(()),
        server: |_, layers, _| Ok(layers.to_vec()),
        warning: |_| None,
        bytes: |_, _, before| Ok(before),
        asks: |_| Ok(&[]),
        make: |_, _| Err(Error::Internal("a defence's card lacks how it is made".to_owned())),
        check: |_| Ok(()),
        idle: |_, _, _| None,
        while_off: "",
        fuses: |_| false,
        controls: &[],
        levers: &[],
        words: &[],
        method: &[],
        torch: None,
        imitation: |_| Err(Error::Internal("a defence's card lacks its imitation".to_owned())),
    };

    /// Where documents have its settings: its own section, or `defence.dropout`.
    pub fn place(&self) -> String {
        self.section.map_or_else(|| format!("defence.{}", self.id), str::to_owned)
    }

    /// What to set, and to what, for an experiment without a defence to have this one.
    pub fn switched_on(&self) -> [String; 2] {
        match self.section {
            Some(section) => [format!("{section}.enabled"), "true".to_owned()],
            None => ["defence".to_owned(), format!("[{{ name = \"{}\" }}]", self.id)],
        }
    }

    /// Its settings as documents have them: `defence.dropout.p`, or under the section of its own. Made once a process;
    /// the keys stay for good.
    pub fn document_settings(&'static self) -> Vec<Setting> {
        let section = self.place();
        let named = |setting: &Setting| Setting { key: format!("{section}.{}", setting.key).leak(), ..*setting };
        self.settings.iter().map(named).collect()
    }
}

/// The layers of a server under a defence, from the server's own and the shape of what they see.
pub type ServerLayers = fn(&Values, &[LayerSpec], &[usize]) -> Result<Vec<LayerSpec>, String>;

/// Makes a defence's part of a model in Python from its settings and the weights of the streams' votes.
pub type ToTorch = fn(&Values, Option<&[f64]>) -> Result<Torch>;

/// What a defence adds to a model in Python with PyTorch.
#[derive(Clone, Debug)]
pub struct Torch {
    /// What the module is: `A split model`.
    pub title: &'static str,
    /// Lines of settings.
    pub settings: String,
    /// What lies between `client_layers` and `server_layers`.
    pub party: &'static str,
}

/// A defence with its settings, before it is at work.
#[derive(Clone, Debug)]
pub struct Setup {
    /// Which.
    pub kind: &'static Kind,
    /// Its own settings.
    pub values: Values,
}

impl Setup {
    /// How strong it is, as its symbol has it: the lever of that letter, else its strength.
    pub fn shown(&self) -> f64 {
        let lever = self.kind.levers.iter().find(|lever| lever.symbol == self.kind.symbol);
        let pulled = lever.and_then(|lever| self.values.number(lever.key).ok());
        pulled.unwrap_or_else(|| (self.kind.strength)(&self.values).unwrap_or_default())
    }
}

impl PartialEq for Setup {
    fn eq(&self, other: &Self) -> bool {
        self.kind.id == other.kind.id && self.values == other.values
    }
}

/// Where a defence draws what is random in it.
#[derive(Clone, Debug)]
pub struct Draws {
    seed: Seed,
    name: String,
}

impl Draws {
    /// Those of the `place`-th defence of a model's stack.
    pub fn new(seed: Seed, model: &str, place: usize) -> Self {
        Self { seed, name: format!("defence.{model}.{place}") }
    }

    /// What everything random of the run comes from.
    pub fn seed(&self) -> Seed {
        self.seed
    }

    /// The name under which weights or numbers for a purpose are drawn.
    pub fn named(&self, purpose: &str) -> String {
        format!("{}.{purpose}", self.name)
    }

    /// The stream of sample `i` of a batch, for a purpose.
    pub fn stream(&self, purpose: &str, at: At<'_>, i: usize) -> Stream {
        at.stream(self.seed, &self.named(purpose), i)
    }
}

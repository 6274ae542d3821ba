//! Which picture of the window is spoken of, and its true numbers.

use std::borrow::Cow;

use super::Look;
use super::showing::Source;
use crate::live::Shown;
use crate::model::inside::{Kernels, Opened};
use crate::run::scene::{Gallery, Picture};
use crate::split::UNDEFENDED;
use crate::texts::say;

/// One picture of the window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    /// The patient's image, or what is drawn.
    Original,
    /// The gradient map that the hospital sends.
    Map,
    /// What entered the client's layers in the image's place.
    Disguised,
    /// A channel of what crosses.
    Smashed(usize),
    /// A channel of what the server keeps of it.
    Cleaned(usize),
    /// The gradient map that the server finds, its size or with its signs.
    Found(bool),
    /// What the attacker made.
    Stolen,
    /// How far that is from the original.
    Error,
    /// One of the line-up.
    Candidate(usize),
    /// A kernel of the client: of its first convolution or of its last, to an output and from an input channel.
    Kernel(Layer, usize, usize),
    /// One of a finished attack: its gallery, its place there, and which of the pictures.
    Kept(usize, usize, Which),
}

/// A convolution of the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layer {
    /// The one that sees the image.
    First,
    /// The one behind what is sent.
    Last,
}

/// One of the pictures that a finished attack left of an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    /// The image itself.
    Original,
    /// What entered the client's layers.
    Disguised,
    /// What was made of it.
    Stolen,
    /// How far the two are apart.
    Error,
}

impl Subject {
    /// The picture that it is, as plain numbers; none where there is no such picture now. `opened` is the client, where
    /// that is known.
    pub fn of<'a>(self, look: Look<'a>, opened: Option<&Opened>) -> Option<Cow<'a, Picture>> {
        let showing = look.showing;
        let scene = showing.scene.as_ref();
        let opinion = scene.and_then(|scene| scene.opinion.as_ref());
        let borrowed = match self {
            Self::Original => match &showing.image {
                Shown::Own(own) if showing.source != Source::Run => Some(own),
                _ => scene.map(|scene| &scene.original).or(showing.facts.as_ref().map(|facts| &facts.patient)),
            },
            Self::Map => scene.map(|scene| &scene.map),
            Self::Disguised => scene.filter(|scene| !scene.map.is_empty()).map(|scene| &scene.sent),
            Self::Smashed(_) => scene.map(|scene| &scene.smashed),
            Self::Cleaned(_) => opinion.map(|opinion| &opinion.features),
            Self::Found(signed) => opinion.map(|opinion| if signed { &opinion.map } else { &opinion.map_size }),
            Self::Stolen => showing.reconstruction(),
            Self::Candidate(i) => scene.and_then(|scene| scene.lineup.as_ref()?.pictures.get(i)),
            Self::Kept(gallery, at, which) => kept(look.state.galleries.get(gallery)?, at, which),
            Self::Error | Self::Kernel(..) => None,
        };
        let picture = match self {
            Self::Error => error(&scene?.original, showing.reconstruction()?).map(Cow::Owned),
            Self::Kept(gallery, at, Which::Error) => {
                let gallery = look.state.galleries.get(gallery)?;
                error(gallery.originals.get(at)?, gallery.stolen.get(at)?).map(Cow::Owned)
            }
            Self::Kernel(layer, output, input) => Some(Cow::Owned(kernel(layer.kernels(opened?)?, output, input))),
            _ => borrowed.map(Cow::Borrowed),
        };
        picture.filter(|picture| !picture.is_empty())
    }

    /// Which plane of its picture it is; none where it is the whole picture.
    pub fn channel(self) -> Option<usize> {
        match self {
            Self::Smashed(channel) | Self::Cleaned(channel) => Some(channel),
            _ => None,
        }
    }

    /// In a word or two, as the stage has it.
    pub fn word(self, look: Look<'_>) -> &'static str {
        match self {
            Self::Original | Self::Kept(_, _, Which::Original) => match look.showing.image {
                Shown::Own(_) if look.showing.source != Source::Run => t!("your image"),
                _ => say(look.noun().one),
            },
            Self::Map => t!("map sent"),
            Self::Disguised | Self::Kept(_, _, Which::Disguised) => t!("disguised"),
            Self::Smashed(_) => t!("smashed data"),
            Self::Cleaned(_) => t!("cleaned"),
            Self::Found(false) => t!("map found"),
            Self::Found(true) => t!("map found, signed"),
            Self::Stolen | Self::Kept(_, _, Which::Stolen) => t!("stolen"),
            Self::Error | Self::Kept(_, _, Which::Error) => t!("error"),
            Self::Candidate(_) => t!("line-up"),
            Self::Kernel(..) => t!("kernel"),
        }
    }

    /// The pictures beside it: those of the stage in the order in which the data flow, or those of the same image of a
    /// finished attack. Of several channels the first stands for all.
    pub fn beside(self, look: Look<'_>) -> Vec<Self> {
        let all = match self {
            Self::Kept(gallery, at, _) => {
                let disguised = look.state.galleries.get(gallery).is_some_and(|gallery| gallery.target != UNDEFENDED);
                let which = [Which::Original, Which::Disguised, Which::Stolen, Which::Error];
                let which = which.into_iter().filter(|which| disguised || *which != Which::Disguised);
                which.map(|which| Self::Kept(gallery, at, which)).collect()
            }
            _ => vec![
                Self::Original,
                Self::Map,
                Self::Disguised,
                Self::Smashed(0),
                Self::Cleaned(0),
                Self::Found(false),
                Self::Found(true),
                Self::Stolen,
                Self::Error,
            ],
        };
        all.into_iter().filter(|one| one.of(look, None).is_some()).collect()
    }

    /// All that ‹ and › go through.
    pub fn all(self, look: Look<'_>, opened: Option<&Opened>) -> Vec<Self> {
        match self {
            Self::Kernel(layer, ..) => {
                let Some(kernels) = opened.and_then(|opened| layer.kernels(opened)) else { return vec![self] };
                let [outputs, inputs, ..] = kernels.shape;
                (0..outputs * inputs).map(|i| Self::Kernel(layer, i / inputs, i % inputs)).collect()
            }
            Self::Candidate(_) => {
                let lineup = look.showing.scene.as_ref().and_then(|scene| scene.lineup.as_ref());
                (0..lineup.map_or(0, |lineup| lineup.pictures.len())).map(Self::Candidate).collect()
            }
            Self::Kept(gallery, ..) => {
                let images = look.state.galleries.get(gallery).map_or(0, |gallery| gallery.stolen.len());
                (0..images).flat_map(|at| Self::Kept(gallery, at, Which::Original).beside(look)).collect()
            }
            _ => self.beside(look).into_iter().flat_map(|one| one.channels(look)).collect(),
        }
    }

    /// Each channel of it, or itself.
    fn channels(self, look: Look<'_>) -> Vec<Self> {
        let count = self.of(look, None).map_or(0, |picture| picture.shape[0]);
        match self {
            Self::Smashed(_) => (0..count).map(Self::Smashed).collect(),
            Self::Cleaned(_) => (0..count).map(Self::Cleaned).collect(),
            _ => vec![self],
        }
    }
}

impl Layer {
    /// Its kernels, where it is there.
    pub fn kernels(self, opened: &Opened) -> Option<&Kernels> {
        match self {
            Self::First => opened.first.as_ref(),
            Self::Last => opened.last.as_ref().ok().map(|last| &last.kernels),
        }
    }
}

fn kept(gallery: &Gallery, at: usize, which: Which) -> Option<&Picture> {
    match which {
        Which::Original => gallery.originals.get(at),
        Which::Disguised => gallery.sent.get(at),
        Which::Stolen => gallery.stolen.get(at),
        Which::Error => None,
    }
}

fn kernel(kernels: &Kernels, output: usize, input: usize) -> Picture {
    let [_, _, height, width] = kernels.shape;
    Picture { shape: [1, height, width], values: kernels.of(output, input).to_vec() }
}

/// |original − stolen|, value by value.
fn error(original: &Picture, stolen: &Picture) -> Option<Picture> {
    let fits = original.shape == stolen.shape && original.values.len() == stolen.values.len();
    let values = original.values.iter().zip(&stolen.values).map(|(a, b)| (a - b).abs());
    fits.then(|| Picture { shape: original.shape, values: values.collect() })
}

//! What is looked into: its numbers, how they are drawn, and what is to be said of them.

use crate::app::Look;
use crate::app::panes::images;
use crate::app::stage::stamp;
use crate::app::subject::{Subject, Which};
use crate::app::words::phase;
use crate::model::inside::Opened;
use crate::run::scene::Picture;
use crate::texts::say;

/// Which values are which colours.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Scale {
    /// 0 is black, 1 is white, or the full colour.
    Image,
    /// The first is black, the second white.
    Grey(f32, f32),
    /// −x is blue, 0 black, x orange.
    Signed(f32),
}

/// A picture with its numbers, and what is to be said of it.
#[derive(Clone, Debug)]
pub struct Inspected {
    /// What it is.
    pub name: String,
    /// What it was made with.
    pub told: String,
    /// Its numbers: one plane, or three that are one colour picture.
    pub picture: Picture,
    /// How many planes there are to choose from.
    pub planes: usize,
    /// Whether it is a vector, which is drawn as rows of a square.
    pub vector: bool,
    /// How it is drawn.
    pub scale: Scale,
    /// Whether its numbers are as they are, or divided by something.
    pub note: &'static str,
}

impl Inspected {
    /// What is looked into; none where there is no such picture now. `plane` is the one that is chosen of several.
    pub fn of(look: Look<'_>, subject: Subject, plane: Option<usize>, opened: Option<&Opened>) -> Option<Self> {
        let whole = subject.of(look, opened)?;
        let [planes, height, _] = whole.shape;
        let vector = planes == 1 && height == 1;
        let one = subject.channel().or_else(|| if planes == 3 { plane } else { Some(plane.unwrap_or(0)) });
        let one = one.filter(|_| planes > 1);
        let picture = match one {
            Some(one) => of_plane(&whole, one)?,
            None => whole.clone().into_owned(),
        };
        let planes = if subject.channel().is_some() { 1 } else { planes };
        let scale = scale(subject, &whole, opened);
        Some(Self {
            name: name(look, subject, opened),
            told: told(look, subject),
            picture,
            planes,
            vector,
            scale,
            note: note(subject),
        })
    }
}

fn of_plane(picture: &Picture, plane: usize) -> Option<Picture> {
    let [planes, height, width] = picture.shape;
    let size = height * width;
    let values = picture.values.get(plane * size..(plane + 1) * size).filter(|_| plane < planes)?;
    Some(Picture { shape: [1, height, width], values: values.to_vec() })
}

fn scale(subject: Subject, whole: &Picture, opened: Option<&Opened>) -> Scale {
    let range = |values: &[f32]| {
        let finite = || values.iter().copied().filter(|value| value.is_finite());
        (finite().fold(f32::INFINITY, f32::min), finite().fold(f32::NEG_INFINITY, f32::max))
    };
    match subject {
        // On one scale with its other channels, as the tiles of the stage are.
        Subject::Smashed(_) | Subject::Cleaned(_) | Subject::Found(false) => {
            let (least, most) = range(&whole.values);
            let least = if subject == Subject::Found(false) { 0.0 } else { least };
            Scale::Grey(least, most)
        }
        Subject::Map | Subject::Found(true) => Scale::Signed(1.0),
        Subject::Kernel(layer, ..) => {
            let all = opened.and_then(|opened| layer.kernels(opened)).map_or(&[][..], |kernels| &kernels.weights);
            let (least, most) = range(all);
            Scale::Signed(least.abs().max(most.abs()))
        }
        _ => Scale::Image,
    }
}

fn name(look: Look<'_>, subject: Subject, opened: Option<&Opened>) -> String {
    let word = subject.word(look);
    match subject {
        Subject::Smashed(channel) | Subject::Cleaned(channel) => {
            let crossed = look.showing.scene.as_ref().map_or(0, |scene| scene.crossed.first().copied().unwrap_or(0));
            let shown = subject.of(look, None).map_or(0, |picture| picture.shape[0]);
            // Of very many only the first are kept for pictures; a vector is one row.
            let of = if shown > 1 { crossed.max(shown) } else { shown };
            let first = if of > shown { t!(", of which the first {shown} are shown", shown) } else { String::new() };
            t!(
                "{word}, channel {channel} (0 to {saturating_sub}{first})",
                word,
                channel,
                saturating_sub = of.saturating_sub(1),
                first
            )
        }
        Subject::Kernel(layer, output, input) => {
            let kernels = opened.and_then(|opened| layer.kernels(opened));
            let which = kernels.map_or_else(String::new, |kernels| t!(" of layer {layer}", layer = kernels.layer + 1));
            t!("kernel{which}, from input channel {input} to channel {output}", which, input, output)
        }
        Subject::Candidate(i) => t!("line-up, {i} of 8", i = i + 1),
        Subject::Kept(_, at, which) => {
            let noun = say(look.run_noun().one);
            let which = if which == Which::Original { String::new() } else { format!(", {word}") };
            format!("{noun} {}{which}", at + 1)
        }
        _ => word.to_owned(),
    }
}

/// Run or live, its weights; of what was stolen by whom and after how many steps.
fn told(look: Look<'_>, subject: Subject) -> String {
    if let Subject::Kept(gallery, at, _) = subject {
        return images::told(look.state, gallery, at);
    }
    let stamp = stamp(look);
    let progress = look.showing.scene.as_ref().and_then(|scene| scene.progress.as_ref());
    match (subject, progress) {
        (Subject::Stolen | Subject::Error, Some(progress)) => {
            let film = &look.showing.film;
            let pinned = film.pinned.and_then(|at| film.frames.get(at)).map(|frame| frame.0);
            let step = pinned.unwrap_or(progress.iteration);
            t!(
                "{attack}, step {step} of {planned}; {stamp}",
                attack = phase(&progress.attack),
                step,
                planned = progress.planned,
                stamp
            )
        }
        _ => stamp,
    }
}

fn note(subject: Subject) -> &'static str {
    match subject {
        Subject::Map => t!("As the hospital made it: each image's map lies between −1 and 1."),
        Subject::Found(true) => t!("Normalised: averaged over the channels, then divided by its own largest size."),
        Subject::Found(false) => t!("As it is: sizes averaged over the channels, not normalised."),
        Subject::Smashed(_) => t!("As it crosses the wire, not normalised."),
        Subject::Cleaned(_) => t!("As the server keeps it, not normalised."),
        Subject::Stolen | Subject::Kept(_, _, Which::Stolen) => t!("As the attacker hands it over."),
        Subject::Error | Subject::Kept(_, _, Which::Error) => {
            t!("The size of the difference, place by place. The attacker does not see this.")
        }
        Subject::Kernel(..) => t!("The weights themselves."),
        Subject::Original
        | Subject::Disguised
        | Subject::Candidate(_)
        | Subject::Kept(_, _, Which::Original | Which::Disguised) => {
            t!("As the network sees it: 0 is black, 1 is white.")
        }
    }
}

//! What formulas are put in from: the shown image's way, as plain numbers.

use super::{number, sides, whole};
use crate::setting::Values;

/// What the stage shows, and the settings that it was made with. Everything in it was computed by the engine.
#[derive(Clone, Debug)]
pub struct Sight<'a> {
    /// The settings of the defence or the attack whose formula it is.
    pub values: &'a Values,
    /// Shape of the image: channels, height, width.
    pub image: [usize; 3],
    /// The image, what entered the client's layers, and the map; the last one empty where there is none.
    pub original: &'a [f32],
    /// See above.
    pub sent: &'a [f32],
    /// See above.
    pub map: &'a [f32],
    /// Shape of what crossed.
    pub crossed: &'a [usize],
    /// Each stream's largest softmax, in the order of the answer; empty for a plain server.
    pub shares: Vec<f32>,
    /// Each stream's softmax of the class that was decided on.
    pub of_decided: &'a [f32],
    /// The weights of the streams in the decision, in the order of the votes.
    pub weights: &'a [f32],
    /// The decided class's share.
    pub decided: Option<f32>,
    /// The reconstruction now; empty before there is one.
    pub stolen: &'a [f32],
    /// How far the attack is.
    pub step: Option<Step>,
}

/// How far an attack is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Step {
    /// Iterations done.
    pub done: usize,
    /// Iterations planned.
    pub planned: usize,
    /// The attacker's own loss.
    pub loss: f64,
}

/// What a symbol is now.
#[derive(Clone, Debug, PartialEq)]
pub struct Live {
    /// The symbol, as the formula writes it; a name of its own where it is no symbol of the formula.
    pub sign: &'static str,
    /// Its value.
    pub text: String,
    /// Whether it is put in the formula in the symbol's place; else it is told beside it.
    pub put: bool,
}

impl Live {
    /// A number.
    pub fn real(sign: &'static str, value: f64) -> Self {
        Self { sign, text: number(value), put: true }
    }

    /// A count.
    pub fn count(sign: &'static str, value: usize) -> Self {
        Self { sign, text: whole(value), put: true }
    }

    /// What is told and not put in.
    pub fn told(sign: &'static str, text: impl Into<String>) -> Self {
        Self { sign, text: text.into(), put: false }
    }

    /// `16 × 14 × 14 = 3,136 numbers`.
    pub fn shape(sign: &'static str, shape: &[usize]) -> Self {
        let all = whole(shape.iter().product());
        Self::told(
            sign,
            if shape.len() > 1 { format!("{} = {all} numbers", sides(shape)) } else { format!("{all} numbers") },
        )
    }
}

impl Sight<'_> {
    /// Pixels of the image, counted in each channel.
    pub fn pixels(&self) -> usize {
        self.image.iter().product()
    }

    /// Numbers that crossed; none before anything has.
    pub fn numbers(&self) -> Option<usize> {
        (!self.crossed.is_empty()).then(|| self.crossed.iter().product())
    }
}

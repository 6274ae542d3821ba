//! The paper's claims, and the rules by which a run's numbers are set beside them.
//!
//! Marks: \[A\] the paper's abstract, \[E\] its equations at second hand, *here* our own choice.

use super::findings::{
    Finding, cost, defends, leaks, majority, optimum, order, over_attacked, over_clean, over_reconstructed, third,
};
use super::kept::{noise, recognition};
use crate::app::Act;
use crate::app::workspace::Pane;
use crate::defence::image_noise;
use crate::run::summary::Summary;
use crate::score::paper::{Figure, MU, OVER_ATTACKED, OVER_RECONSTRUCTED, THIRD};
use crate::texts::say;

/// What the paper says.
#[derive(Clone, Copy, Debug)]
pub enum Paper {
    /// A number.
    Figure(Figure),
    /// Something else, or nothing.
    Words(&'static str),
}

impl std::fmt::Display for Paper {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Figure(figure) => figure.fmt(f),
            Self::Words(words) => f.write_str(say(words)),
        }
    }
}

/// Whose measurements judge a claim.
#[derive(Clone, Copy)]
pub enum Judge {
    /// The run's.
    Run(fn(&Summary) -> Option<Finding>),
    /// Those that come with the program: of more runs than one.
    Kept(fn() -> Option<Finding>),
}

impl Judge {
    /// What comes of the claim, given the finished run if there is one.
    pub fn finding(self, summary: Option<&Summary>) -> Option<Finding> {
        match self {
            Self::Run(judge) => summary.and_then(judge),
            Self::Kept(judge) => judge(),
        }
    }
}

/// A claim.
pub struct Claim {
    /// What is claimed.
    pub title: &'static str,
    /// The paper's value, with its mark.
    pub paper: Paper,
    /// What a run will measure.
    pub measures: &'static str,
    /// How the verdict is reached.
    pub rule: &'static str,
    /// What comes of it; none where it was not measured.
    pub judge: Judge,
    /// A button that tests the reason: its text, what it does in words, and what it asks for.
    pub test: (&'static str, &'static str, fn() -> Act),
}

/// All, in the order of their cards.
pub const CLAIMS: [Claim; 12] = [
    Claim {
        title: later!("Fused beats the undefended on disguised (attacked) images"),
        paper: Paper::Figure(OVER_ATTACKED),
        measures: later!("The gain of the fused decision over the undefended model on disguised images."),
        rule: later!(
            "At the settings fixed before the run. Agrees where the size is the paper's, within two standard \
             errors; same direction where the gain is above 0 and of another size; differs where it is below 0. \
             Not comparable where it cannot be told from 0, or the model is of no use."
        ),
        judge: Judge::Run(over_attacked),
        test: (later!("Gain against \u{3b3}"), later!("Show how the gain grows with the disguise"), || {
            Act::Pane(Pane::Curves)
        }),
    },
    Claim {
        title: later!("Fused beats the undefended on cleaned (reconstructed) images"),
        paper: Paper::Figure(OVER_RECONSTRUCTED),
        measures: later!(
            "The gain of the fused decision over the undefended model on images that were disguised and cleaned."
        ),
        rule: later!("As for disguised images."),
        judge: Judge::Run(over_reconstructed),
        test: (later!("Gain against \u{3b3}"), later!("Show how the gain grows with the disguise"), || {
            Act::Pane(Pane::Curves)
        }),
    },
    Claim {
        title: later!("Fused against the undefended on clean images"),
        paper: Paper::Words(later!("not given")),
        measures: later!(
            "Fused less an undefended model that was trained equally long, on clean images: the one gain that \
                   cannot be inflated."
        ),
        rule: later!("The paper gives no value, so there is nothing to compare with."),
        judge: Judge::Run(over_clean),
        test: (
            later!("Weaken the disguise"),
            later!("Set \u{3b3} to 0.02: if the disguise costs accuracy, the next run loses less"),
            || Act::Set("psgl.gamma".to_owned(), "0.02".to_owned()),
        ),
    },
    Claim {
        title: later!("The abstract's third gain"),
        paper: Paper::Figure(THIRD),
        measures: later!("Nothing: what this gain is over is not known to us."),
        rule: later!("Its baseline is not known to us, so no number is set beside it."),
        judge: Judge::Run(third),
        test: (later!("All gains"), later!("Show the gains that are known"), || Act::Pane(Pane::Table)),
    },
    Claim {
        title: later!("Streams: cleaned (recovered) > fused > disguised (attacked)"),
        paper: Paper::Words(later!("that order [E]")),
        measures: later!("The accuracy of each of the three streams alone, on test images."),
        rule: later!(
            "Agrees where the streams have this order strictly, differs where not; not comparable where best and worst \
               are less than a point apart."
        ),
        judge: Judge::Run(order),
        test: (
            later!("Weights from own streams"),
            later!("Let the next run order its vote weights by its own streams"),
            || Act::Set("psgl.weights_from".to_owned(), "streams".to_owned()),
        ),
    },
    Claim {
        title: later!("The paper's \u{3bc} cleans best"),
        paper: Paper::Figure(MU),
        measures: later!("The error of cleaned images against the clean ones, over \u{3bc}."),
        rule: later!(
            "Agrees where it has the least error of the measured \u{3bc} and cleaning lowers it at all; differs where \
               another does, or cleaning makes it worse; not comparable where it was not measured."
        ),
        judge: Judge::Run(optimum),
        test: (later!("Error against \u{3bc}"), later!("Show the error of cleaned images over \u{3bc}"), || {
            Act::Pane(Pane::Curves)
        }),
    },
    Claim {
        title: later!("PSGL defends against model inversion"),
        paper: Paper::Words(later!("defends [A]")),
        measures: later!("Whether any attack at PSGL, at any epoch, leads the best guess made without the wire."),
        rule: later!(
            "Differs where PSGL broke: an attack leads every guess, target by target, beyond chance (Holm). Agrees \
             where it held: an attacker who knows it, did its best and had 32 targets or more has no lead. Else \
             not comparable: weak attackers can break a defence, never show that it held."
        ),
        judge: Judge::Run(defends),
        test: (
            later!("Let the attacker know"),
            later!("Show on the stage what an adaptive attacker makes of it"),
            || Act::Adaptive(true),
        ),
    },
    Claim {
        title: later!("IoMT devices are weak: the client must be cheap"),
        paper: Paper::Words(later!("no time at hand")),
        measures: later!("The hospital's milliseconds for an image, under PSGL and undefended."),
        rule: later!(
            "Differs where PSGL at least doubles the client's time. Else not comparable: this computer is no IoMT \
             device."
        ),
        judge: Judge::Run(cost),
        test: (later!("Costs in the table"), later!("Show time and bytes"), || Act::Pane(Pane::Table)),
    },
    Claim {
        title: later!("The gradient map gives nothing away"),
        paper: Paper::Words(later!("map from the server [E]")),
        measures: later!("The bytes of undisguised smashed data that cross the wire for the gradient map."),
        rule: later!(
            "Differs where any undisguised bytes crossed. Not comparable where none did: then the map came from a \
             small head at the hospital, which is our way and not the paper's."
        ),
        judge: Judge::Run(leaks),
        test: (
            later!("Take the paper's way"),
            later!("Set psgl.jacobian to server: the next run counts the undisguised bytes"),
            || Act::Set("psgl.jacobian".to_owned(), "server".to_owned()),
        ),
    },
    Claim {
        title: later!("The accuracy means something"),
        paper: Paper::Words(later!("tables not at hand")),
        measures: later!("The fused decision's accuracy beside that of always naming the commonest class."),
        rule: later!(
            "Differs where it does not beat the majority class by two standard errors: then the model is of no \
             use. Else agrees."
        ),
        judge: Judge::Run(majority),
        test: (later!("Balanced accuracy"), later!("Show it for every row"), || Act::Pane(Pane::Table)),
    },
    Claim {
        title: later!("Noise does not stop deep leakage from gradients"),
        paper: Paper::Words(later!("noise is ineffective [A]")),
        measures: later!(
            "Nothing in a run: three attacks on weight gradients at models under noise, brought to one accuracy, for three \
             seeds (cutlayer claim noise)."
        ),
        rule: later!(
            "Agrees where under each kind of noise an attack that works undefended leads every guess by two standard errors \
             (Holm) and at each seed. Differs where under one none does, though all did their best. Else, and with fewer \
             than 32 targets, accuracies more than a point apart or below 80 %, not comparable."
        ),
        judge: Judge::Kept(noise),
        test: (
            later!("Take noise on the image"),
            later!("Set it as the next run's listed defence, to attack it by DLG, iDLG or Inverting Gradients"),
            || {
                let [key, value] = image_noise::KIND.switched_on();
                Act::Set(key, value)
            },
        ),
    },
    Claim {
        title: later!("PSGL helps recognition"),
        paper: Paper::Words(later!("it does [A]")),
        measures: later!(
            "Nothing in a run: PSGL beside models of equal capacity, without its attack or with one stream in place of three, for \
             five seeds (cutlayer sweep recognition)."
        ),
        rule: later!(
            "Agrees where PSGL is more often right than each of them and than an undefended model: both 95 % intervals of the \
             difference, over seeds and over test images, are above 0, of five seeds or more. Differs where both are below 0 \
             beside each. Else not comparable."
        ),
        judge: Judge::Kept(recognition),
        test: (
            later!("Leave the attack out"),
            later!("Set psgl.attack to off: the next run's three streams learn from images as they are"),
            || Act::Set("psgl.attack".to_owned(), "false".to_owned()),
        ),
    },
];

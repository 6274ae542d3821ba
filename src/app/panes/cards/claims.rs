//! The paper's claims, and the rules by which a run's numbers are set beside them.
//!
//! Marks: \[A\] the paper's abstract, \[E\] its equations at second hand, *here* our own choice.

use crate::app::Act;
use crate::app::panes::table::stream;
use crate::app::words::{bytes, decimal, measured, named, phase, points};
use crate::app::workspace::Pane;
use crate::defence::psgl::Jacobian;
use crate::run::summary::{GammaGain, Summary};
use crate::score::gains::gain_lines;
use crate::score::metrics::{ACCURACY, OVER_CLEAN, SSIM};
use crate::score::paper::{Beside, Figure, MU, OVER_ATTACKED, OVER_RECONSTRUCTED, THIRD, beside};
use crate::score::verdict::Standing;
use crate::texts::say;

/// How a run's number stands to a claim. Sizes are compared; nothing is called reproduced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// By the claim's rule the number supports it.
    Agrees,
    /// It points the same way, and has another size.
    SameDirection,
    /// By the claim's rule it contradicts it.
    Differs,
    /// Nothing follows from it.
    NotComparable,
}

impl Verdict {
    /// In words.
    pub fn word(self) -> &'static str {
        match self {
            Self::Agrees => t!("agrees"),
            Self::SameDirection => t!("same direction"),
            Self::Differs => t!("differs"),
            Self::NotComparable => t!("not comparable"),
        }
    }
}

/// What a run says of a claim.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    /// By the claim's rule.
    pub verdict: Verdict,
    /// The one number, measured here.
    pub here: String,
    /// What it means, in a sentence or two.
    pub sentence: String,
}

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
    /// What the run says; none where it did not measure it.
    pub judge: fn(&Summary) -> Option<Finding>,
    /// A button that tests the reason: its text, what it does in words, and what it asks for.
    pub test: (&'static str, &'static str, fn() -> Act),
}

/// All, in the order of their cards.
pub const CLAIMS: [Claim; 10] = [
    Claim {
        title: later!("Fused beats the undefended on disguised (attacked) images"),
        paper: Paper::Figure(OVER_ATTACKED),
        measures: later!("The gain of the fused decision over the undefended model on disguised images."),
        rule: later!(
            "At the settings fixed before the run. Agrees where the size is the paper's, within two standard errors; \
               same direction where the gain is above 0 and of another size; differs where it is below 0. Not comparable \
               where it cannot be told from 0, or the model is of no use."
        ),
        judge: over_attacked,
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
        judge: over_reconstructed,
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
        judge: over_clean,
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
        judge: third,
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
        judge: order,
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
        judge: optimum,
        test: (later!("Error against \u{3bc}"), later!("Show the error of cleaned images over \u{3bc}"), || {
            Act::Pane(Pane::Curves)
        }),
    },
    Claim {
        title: later!("PSGL defends against model inversion"),
        paper: Paper::Words(later!("defends [A]")),
        measures: later!("Whether any attack at PSGL, at any epoch, leads the best guess made without the wire."),
        rule: later!(
            "Differs where PSGL broke: an attack leads every guess, target by target, beyond chance (Holm). Agrees where it \
               held: an attacker who knows it, did its best and had 32 targets or more has no lead. Else not comparable: \
               weak attackers can break a defence, never show that it held."
        ),
        judge: defends,
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
            "Differs where PSGL at least doubles the client's time. Else not comparable: this computer is no IoMT device."
        ),
        judge: cost,
        test: (later!("Costs in the table"), later!("Show time and bytes"), || Act::Pane(Pane::Table)),
    },
    Claim {
        title: later!("The gradient map gives nothing away"),
        paper: Paper::Words(later!("map from the server [E]")),
        measures: later!("The bytes of undisguised smashed data that cross the wire for the gradient map."),
        rule: later!(
            "Differs where any undisguised bytes crossed. Not comparable where none did: then the map came from a small \
               head at the hospital, which is our way and not the paper's."
        ),
        judge: leaks,
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
            "Differs where it does not beat the majority class by two standard errors: then the model is of no use. Else \
               agrees."
        ),
        judge: majority,
        test: (later!("Balanced accuracy"), later!("Show it for every row"), || Act::Pane(Pane::Table)),
    },
];

fn found(verdict: Verdict, here: String, sentence: String) -> Finding {
    Finding { verdict, here, sentence }
}

fn gain(summary: &Summary, key: &str, of: fn(&GammaGain) -> f64, paper: Figure) -> Option<Finding> {
    let all = summary.gain.as_ref()?;
    let lines = match gain_lines(all, &summary.rows) {
        Ok(lines) => lines,
        Err(why) => return Some(found(Verdict::NotComparable, t!("no gain").to_owned(), why)),
    };
    let own = lines.into_iter().find(|line| line.metric.key == key)?;
    let over = || all.by_gamma.iter().map(of).chain([own.points]);
    let (least, most) = (over().fold(f64::INFINITY, f64::min), over().fold(f64::NEG_INFINITY, f64::max));
    let range = t!("from {least} to {most} over \u{3b3}", least = points(least), most = points(most));
    let gamma = summary.experiment.disguise().gamma();
    let (verdict, sentence) = match beside(own.points, own.se, paper.value) {
        Beside::Agrees => (Verdict::Agrees, t!("Of the paper's size at \u{3b3} {gamma}, in this run.", gamma)),
        Beside::SameDirection => (
            Verdict::SameDirection,
            t!(
                "Above nothing, of another size than the paper's at \u{3b3} {gamma} ({range}), which is ours to choose.",
                gamma,
                range
            ),
        ),
        Beside::Differs => (Verdict::Differs, t!("At \u{3b3} {gamma} the defence loses here ({range}).", gamma, range)),
        Beside::NoGain => (
            Verdict::NotComparable,
            t!("At \u{3b3} {gamma} it cannot be told from no gain at all ({range}).", gamma, range),
        ),
    };
    let constant = own.constant.map(|gain| t!(" Always naming the commonest class gains {gain}.", gain = points(gain)));
    let here = format!("{} \u{b1} {}", points(own.points), decimal(own.se, 1));
    Some(found(verdict, here, sentence + &constant.unwrap_or_default()))
}

fn over_attacked(summary: &Summary) -> Option<Finding> {
    gain(summary, "over_attacked", |at| at.over_attacked, OVER_ATTACKED)
}

fn over_reconstructed(summary: &Summary) -> Option<Finding> {
    gain(summary, "over_reconstructed", |at| at.over_reconstructed, OVER_RECONSTRUCTED)
}

fn over_clean(summary: &Summary) -> Option<Finding> {
    let lines = match gain_lines(summary.gain.as_ref()?, &summary.rows) {
        Ok(lines) => lines,
        Err(why) => return Some(found(Verdict::NotComparable, t!("no gain").to_owned(), why)),
    };
    let own = lines.into_iter().find(|line| line.metric == &OVER_CLEAN)?;
    let what = match own.points {
        cost if cost < -2.0 * own.se => t!("The defence costs accuracy in this run"),
        gain if gain > 2.0 * own.se => t!("The defence brings accuracy in this run"),
        _ => t!("What the defence costs cannot be told from nothing in this run"),
    };
    Some(found(
        Verdict::NotComparable,
        format!("{} \u{b1} {}", points(own.points), decimal(own.se, 1)),
        t!("{what}, against an undefended model trained equally long. This gain cannot be inflated.", what),
    ))
}

fn third(summary: &Summary) -> Option<Finding> {
    let sentence = t!("Shown for completeness: what it is a gain over is not known to us, so it stays unmatched.");
    let finding = || found(Verdict::NotComparable, t!("unmatched").to_owned(), sentence.to_owned());
    summary.experiment.psgl.enabled.then(finding)
}

fn order(summary: &Summary) -> Option<Finding> {
    let streams = summary.streams.as_ref()?;
    let accuracy = |name: &String| Some(summary.row(&format!("stream_{name}"))?.accuracy);
    let best = streams.order.first().and_then(accuracy)?;
    let worst = streams.order.last().and_then(accuracy)?;
    let here: Vec<&str> = streams.order.iter().map(|name| stream(name)).collect();
    let spread = decimal(best - worst, 1);
    let (verdict, sentence) = if best - worst < 1.0 {
        (Verdict::NotComparable, t!("Best and worst are {spread} points apart: too near to be put in order.", spread))
    } else if streams.as_in_paper {
        (Verdict::Agrees, t!("The same order, {spread} points from best to worst.", spread))
    } else {
        let text = t!(
            "Another order, {spread} points from best to worst; the decision's weights .5, .3, .2 take the paper's for \
             granted.",
            spread
        );
        (Verdict::Differs, text)
    };
    Some(found(verdict, here.join(" > "), sentence))
}

fn optimum(summary: &Summary) -> Option<Finding> {
    let recovery = summary.recovery.as_ref()?;
    let (best, least) = *recovery.mse_by_mu.iter().min_by(|a, b| a.1.total_cmp(&b.1))?;
    let paper = MU.value;
    let here = format!("\u{3bc} {best}");
    let Some((_, at)) = recovery.mse_by_mu.iter().find(|(mu, _)| (mu - paper).abs() < 1e-9) else {
        return Some(found(Verdict::NotComparable, here, t!("The run did not measure \u{3bc} {paper}.", paper)));
    };
    let [at_words, least, left] = [*at, least, recovery.mse_attacked].map(|mse| decimal(mse, 4));
    let (verdict, sentence) = if *at >= recovery.mse_attacked {
        let text = t!(
            "At \u{3bc} {paper} cleaning makes the images worse: MSE {at_words} against {left} left disguised. Such \
             images are not low rank.",
            paper,
            at_words,
            left
        );
        (Verdict::Differs, text)
    } else if best == paper {
        (
            Verdict::Agrees,
            t!(
                "The least error of the measured \u{3bc}: MSE {at_words} against {left} left disguised.",
                at_words,
                left
            ),
        )
    } else {
        let text = t!(
            "MSE {least} here, {at_words} at \u{3bc} {paper}, {left} left disguised: the best \u{3bc} depends on the data.",
            least,
            at_words,
            paper,
            left
        );
        (Verdict::Differs, text)
    };
    Some(found(verdict, here, sentence))
}

fn defends(summary: &Summary) -> Option<Finding> {
    let case = summary.case();
    let verdict = case.verdicts().into_iter().find(|verdict| verdict.target == "psgl")?;
    let worst = case.worst("psgl")?;
    let stands = match verdict.standing {
        Standing::Broke => Verdict::Differs,
        Standing::Held => Verdict::Agrees,
        Standing::ProvesNothing | Standing::TooWeak | Standing::NotMeasured => Verdict::NotComparable,
    };
    let here = t!(
        "{word}, worst {named} \u{b1} {ssim_se}",
        word = say(verdict.standing.word()),
        named = named(&SSIM, worst.ssim),
        ssim_se = decimal(worst.ssim_se, SSIM.short)
    );
    Some(found(stands, here, phase(&verdict.sentences.join(" "))))
}

fn cost(summary: &Summary) -> Option<Finding> {
    let cost = &summary.client_ms_per_image;
    let (defended, undefended) = (cost.defended()?, cost.undefended().filter(|ms| *ms > 0.0)?);
    let verdict = if defended >= 2.0 * undefended { Verdict::Differs } else { Verdict::NotComparable };
    let sentence = t!(
        "{defended} times the {undefended} ms of an undefended client, on this computer, which is no IoMT device.",
        defended = decimal(defended / undefended, 1),
        undefended = decimal(undefended, 3)
    );
    Some(found(verdict, t!("{defended} ms an image", defended = decimal(defended, 3)), sentence))
}

fn leaks(summary: &Summary) -> Option<Finding> {
    let wire = summary.wire.models.defended()?;
    let here = bytes(wire.leaked_clean_bytes);
    if wire.leaked_clean_bytes > 0 {
        let sentence =
            t!("Undisguised smashed data that the server was sent for the map: the defence gives away what it hides.");
        return Some(found(Verdict::Differs, here, sentence.to_owned()));
    }
    let sentence = if summary.experiment.psgl.jacobian == Jacobian::Head {
        t!(
            "Nothing undisguised crossed: here a small head at the hospital makes the map. The paper's way would send it."
        )
    } else {
        t!("Nothing undisguised crossed.")
    };
    Some(found(Verdict::NotComparable, here, sentence.to_owned()))
}

fn majority(summary: &Summary) -> Option<Finding> {
    let row = summary.row("fused")?;
    let [majority, balanced] = [row.majority, row.balanced_accuracy].map(|value| decimal(value, 1));
    let (verdict, sentence) = if row.is_useful() {
        let text = t!(
            "Always naming the commonest class is right for {majority} %; balanced accuracy {balanced} %.",
            majority,
            balanced
        );
        (Verdict::Agrees, text)
    } else {
        let text = t!(
            "Always naming the commonest class is right for {majority} %, and this does not beat it by two standard \
             errors: the model is of no use (balanced accuracy {balanced} %).",
            majority,
            balanced
        );
        (Verdict::Differs, text)
    };
    Some(found(verdict, t!("right for {accuracy}", accuracy = measured(&ACCURACY, row)), sentence))
}

//! What a run says of each of the paper's claims, by the rule on its card.

use crate::app::panes::table::stream;
use crate::app::words::{bytes, decimal, measured, named, phase, points};
use crate::defence::psgl::Jacobian;
use crate::run::summary::{GammaGain, Summary};
use crate::score::gains::gain_lines;
use crate::score::metrics::{ACCURACY, OVER_CLEAN, SSIM};
use crate::score::paper::{Beside, Figure, MU, OVER_ATTACKED, OVER_RECONSTRUCTED, beside};
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

pub(super) fn found(verdict: Verdict, here: String, sentence: String) -> Finding {
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
                "Above nothing, of another size than the paper's at \u{3b3} {gamma} ({range}), which is ours to \
                 choose.",
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

pub(super) fn over_attacked(summary: &Summary) -> Option<Finding> {
    gain(summary, "over_attacked", |at| at.over_attacked, OVER_ATTACKED)
}

pub(super) fn over_reconstructed(summary: &Summary) -> Option<Finding> {
    gain(summary, "over_reconstructed", |at| at.over_reconstructed, OVER_RECONSTRUCTED)
}

pub(super) fn over_clean(summary: &Summary) -> Option<Finding> {
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

pub(super) fn third(summary: &Summary) -> Option<Finding> {
    let sentence = t!("Shown for completeness: what it is a gain over is not known to us, so it stays unmatched.");
    let finding = || found(Verdict::NotComparable, t!("unmatched").to_owned(), sentence.to_owned());
    summary.experiment.psgl.enabled.then(finding)
}

pub(super) fn order(summary: &Summary) -> Option<Finding> {
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

pub(super) fn optimum(summary: &Summary) -> Option<Finding> {
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
            "MSE {least} here, {at_words} at \u{3bc} {paper}, {left} left disguised: the best \u{3bc} depends on \
             the data.",
            least,
            at_words,
            paper,
            left
        );
        (Verdict::Differs, text)
    };
    Some(found(verdict, here, sentence))
}

pub(super) fn defends(summary: &Summary) -> Option<Finding> {
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

pub(super) fn cost(summary: &Summary) -> Option<Finding> {
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

pub(super) fn leaks(summary: &Summary) -> Option<Finding> {
    let wire = summary.wire.models.defended()?;
    let here = bytes(wire.leaked_clean_bytes);
    if wire.leaked_clean_bytes > 0 {
        let sentence =
            t!("Undisguised smashed data that the server was sent for the map: the defence gives away what it hides.");
        return Some(found(Verdict::Differs, here, sentence.to_owned()));
    }
    let sentence = if summary.experiment.psgl.jacobian == Jacobian::Head {
        t!("Nothing undisguised crossed: here a small head at the hospital makes the map. The paper's way would \
             send it.")
    } else {
        t!("Nothing undisguised crossed.")
    };
    Some(found(Verdict::NotComparable, here, sentence.to_owned()))
}

pub(super) fn majority(summary: &Summary) -> Option<Finding> {
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

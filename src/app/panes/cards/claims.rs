//! The paper's claims, and the rules by which a run's numbers are set beside them.
//!
//! Marks: \[A\] the paper's abstract, \[E\] its equations at second hand, *here* our own choice.

use crate::app::Act;
use crate::app::panes::Pane;
use crate::app::panes::table::stream;
use crate::app::words::{bytes, decimal, points, yardstick};

use crate::psgl::Jacobian;
use crate::run::report::{PAPER_MU, PAPER_OVER_ATTACKED, PAPER_OVER_RECONSTRUCTED, PAPER_THIRD};
use crate::run::summary::{AttackRecord, GammaGain, Summary};
use crate::score::lineup::{ENOUGH, beats_chance};

/// How a run's number stands to a claim. Sizes are compared; nothing is called reproduced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// By the claim's rule the number supports it.
    Agrees,
    /// By the claim's rule it contradicts it.
    Differs,
    /// Nothing follows from it.
    NotComparable,
}

impl Verdict {
    /// In words.
    pub fn word(self) -> &'static str {
        match self {
            Self::Agrees => "agrees",
            Self::Differs => "differs",
            Self::NotComparable => "not comparable",
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

/// A claim.
pub struct Claim {
    /// What is claimed.
    pub title: &'static str,
    /// The paper's value, with its mark.
    pub paper: &'static str,
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
        title: "Fused beats the undefended on disguised (attacked) images",
        paper: PAPER_OVER_ATTACKED,
        measures: "The gain of the fused decision over the undefended model on disguised images.",
        rule: "Differs where the gain is not above 0. Agrees where it is and the paper's value lies between the least \
               and the largest gain over \u{3b3}. Else not comparable: the size grows with \u{3b3}, which is ours to choose.",
        judge: over_attacked,
        test: ("Gain against \u{3b3}", "Show how the gain grows with the disguise", || Act::Pane(Pane::Curves)),
    },
    Claim {
        title: "Fused beats the undefended on cleaned (reconstructed) images",
        paper: PAPER_OVER_RECONSTRUCTED,
        measures: "The gain of the fused decision over the undefended model on images that were disguised and cleaned.",
        rule: "As for disguised images: differs at 0 or below, agrees where the paper's value lies within the gains over \
               \u{3b3}, else not comparable.",
        judge: over_reconstructed,
        test: ("Gain against \u{3b3}", "Show how the gain grows with the disguise", || Act::Pane(Pane::Curves)),
    },
    Claim {
        title: "Fused against the undefended on clean images",
        paper: "not given",
        measures: "Fused less an undefended model that was trained equally long, on clean images: the one gain that \
                   cannot be inflated.",
        rule: "The paper gives no value, so there is nothing to compare with.",
        judge: over_clean,
        test: (
            "Weaken the disguise",
            "Set \u{3b3} to 0.02: if the disguise costs accuracy, the next run loses less",
            || Act::Set("psgl.gamma".to_owned(), "0.02".to_owned()),
        ),
    },
    Claim {
        title: "The abstract's third gain",
        paper: PAPER_THIRD,
        measures: "Nothing: what this gain is over is not known to us.",
        rule: "Its baseline is not known to us, so no number is set beside it.",
        judge: third,
        test: ("All gains", "Show the gains that are known", || Act::Pane(Pane::Table)),
    },
    Claim {
        title: "Streams: cleaned (recovered) > fused > disguised (attacked)",
        paper: "that order [E]",
        measures: "The accuracy of each of the three streams alone, on test images.",
        rule: "Agrees where the streams have this order strictly, differs where not; not comparable where best and worst \
               are less than a point apart.",
        judge: order,
        test: ("Weights from own streams", "Let the next run order its vote weights by its own streams", || {
            Act::Set("psgl.weights_from".to_owned(), "streams".to_owned())
        }),
    },
    Claim {
        title: "\u{3bc} = .55 cleans best",
        paper: PAPER_MU,
        measures: "The error of cleaned images against the clean ones, over \u{3bc}.",
        rule: "Agrees where .55 has the least error of the measured \u{3bc} and cleaning lowers it at all; differs where \
               another does, or cleaning makes it worse; not comparable where .55 was not measured.",
        judge: optimum,
        test: ("Error against \u{3bc}", "Show the error of cleaned images over \u{3bc}", || Act::Pane(Pane::Curves)),
    },
    Claim {
        title: "PSGL defends against model inversion",
        paper: "defends [A]",
        measures: "The worst attacker that knows the defence, beside the same without that knowledge and the attacker's \
                   own nearest image.",
        rule: "Differs where any attack at PSGL picks patients out of the line-up more often than chance explains (two \
               standard errors), or comes nearer (SSIM) than the attacker's own nearest image. Agrees where neither. \
               Not comparable without an adaptive attack on at least eight images: a defence is as good as against the adaptive attacker.",
        judge: defends,
        test: ("Let the attacker know", "Show on the stage what an adaptive attacker makes of it", || {
            Act::Adaptive(true)
        }),
    },
    Claim {
        title: "IoMT devices are weak: the client must be cheap",
        paper: "no time at hand",
        measures: "The hospital's milliseconds for an image, under PSGL and undefended.",
        rule: "Differs where PSGL at least doubles the client's time. Else not comparable: this computer is no IoMT device.",
        judge: cost,
        test: ("Costs in the table", "Show time and bytes", || Act::Pane(Pane::Table)),
    },
    Claim {
        title: "The gradient map gives nothing away",
        paper: "map from the server [E]",
        measures: "The bytes of undisguised smashed data that cross the wire for the gradient map.",
        rule: "Differs where any undisguised bytes crossed. Not comparable where none did: then the map came from a small \
               head at the hospital, which is our way and not the paper's.",
        judge: leaks,
        test: (
            "Take the paper's way",
            "Set psgl.jacobian to server: the next run counts the undisguised bytes",
            || Act::Set("psgl.jacobian".to_owned(), "server".to_owned()),
        ),
    },
    Claim {
        title: "The accuracy means something",
        paper: "tables not at hand",
        measures: "The fused decision's accuracy beside that of always naming the commonest class.",
        rule: "Differs where it is less than 2 points above the majority class: then only the balanced accuracy says \
               anything. Else agrees.",
        judge: majority,
        test: ("Balanced accuracy", "Show it for every row", || Act::Pane(Pane::Table)),
    },
];

/// The number in a value with its mark.
fn number(paper: &str) -> Option<f64> {
    paper.split_whitespace().next()?.parse().ok()
}

fn found(verdict: Verdict, here: String, sentence: String) -> Finding {
    Finding { verdict, here, sentence }
}

fn gain(summary: &Summary, own: f64, of: fn(&GammaGain) -> f64, paper: &str) -> Option<Finding> {
    let (paper, gamma) = (number(paper)?, summary.experiment.psgl.gamma);
    let all = || summary.gain.iter().flat_map(|gain| &gain.by_gamma).map(of).chain([own]);
    let (least, most) = (all().fold(f64::INFINITY, f64::min), all().fold(f64::NEG_INFINITY, f64::max));
    let range = format!("from {} to {} over \u{3b3}", points(least), points(most));
    let (verdict, sentence) = if own <= 0.0 {
        (Verdict::Differs, format!("At \u{3b3} {gamma} the defence gains nothing here ({range})."))
    } else if (least..=most).contains(&paper) {
        let text = format!(
            "The paper's size lies within what \u{3b3} alone gives here, {range}: a choice of ours, no discovery."
        );
        (Verdict::Agrees, text)
    } else {
        let text =
            format!("Of another size at every \u{3b3} ({range}); it grows with \u{3b3}, which is ours to choose.");
        (Verdict::NotComparable, text)
    };
    Some(found(verdict, points(own), sentence))
}

fn over_attacked(summary: &Summary) -> Option<Finding> {
    gain(summary, summary.gain.as_ref()?.over_attacked, |at| at.over_attacked, PAPER_OVER_ATTACKED)
}

fn over_reconstructed(summary: &Summary) -> Option<Finding> {
    gain(summary, summary.gain.as_ref()?.over_reconstructed, |at| at.over_reconstructed, PAPER_OVER_RECONSTRUCTED)
}

fn over_clean(summary: &Summary) -> Option<Finding> {
    let own = summary.gain.as_ref()?.over_clean;
    let what = if own < 0.0 { "The defence costs accuracy" } else { "The defence costs no accuracy" };
    Some(found(
        Verdict::NotComparable,
        points(own),
        format!("{what} against an undefended model trained equally long. This gain cannot be inflated."),
    ))
}

fn third(summary: &Summary) -> Option<Finding> {
    let sentence = "Shown for completeness: what it is a gain over is not known to us, so it stays unmatched.";
    let finding = || found(Verdict::NotComparable, "unmatched".to_owned(), sentence.to_owned());
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
        (Verdict::NotComparable, format!("Best and worst are {spread} points apart: too near to be put in order."))
    } else if streams.as_in_paper {
        (Verdict::Agrees, format!("The same order, {spread} points from best to worst."))
    } else {
        let text = format!(
            "Another order, {spread} points from best to worst; the decision's weights .5, .3, .2 take the paper's for \
             granted."
        );
        (Verdict::Differs, text)
    };
    Some(found(verdict, here.join(" > "), sentence))
}

fn optimum(summary: &Summary) -> Option<Finding> {
    let recovery = summary.recovery.as_ref()?;
    let (best, least) = *recovery.mse_by_mu.iter().min_by(|a, b| a.1.total_cmp(&b.1))?;
    let paper = number(PAPER_MU)?;
    let here = format!("\u{3bc} {best}");
    let Some((_, at)) = recovery.mse_by_mu.iter().find(|(mu, _)| (mu - paper).abs() < 1e-9) else {
        return Some(found(Verdict::NotComparable, here, format!("The run did not measure \u{3bc} {paper}.")));
    };
    let [at_words, least, left] = [*at, least, recovery.mse_attacked].map(|mse| decimal(mse, 4));
    let (verdict, sentence) = if *at >= recovery.mse_attacked {
        let text = format!(
            "At \u{3bc} {paper} cleaning makes the images worse: MSE {at_words} against {left} left disguised. Such \
             images are not low rank."
        );
        (Verdict::Differs, text)
    } else if best == paper {
        (
            Verdict::Agrees,
            format!("The least error of the measured \u{3bc}: MSE {at_words} against {left} left disguised."),
        )
    } else {
        let text = format!(
            "MSE {least} here, {at_words} at \u{3bc} {paper}, {left} left disguised: the best \u{3bc} depends on the data."
        );
        (Verdict::Differs, text)
    };
    Some(found(verdict, here, sentence))
}

fn defends(summary: &Summary) -> Option<Finding> {
    let at_psgl = || summary.attacks.iter().filter(|attack| attack.target == "psgl");
    let real = || at_psgl().filter(|attack| yardstick(attack).is_none());
    let worst = |adaptive| real().filter(move |a| a.adaptive == adaptive).max_by(|a, b| a.ssim.total_cmp(&b.ssim));
    let nearest = at_psgl().find(|attack| attack.name == "nearest").map(|attack| attack.ssim);
    let ssim = |attack: Option<&AttackRecord>| decimal(attack.map_or(f64::NAN, |attack| attack.ssim), 2);
    let naive = worst(false);
    let Some(adaptive) = worst(true) else {
        let sentence = "No attacker knew the defence. A defence that is judged by a naive attacker only is not judged.";
        let finding = |a| found(Verdict::NotComparable, format!("SSIM {} (naive)", ssim(Some(a))), sentence.to_owned());
        return naive.map(finding);
    };
    let picks = |a: &&AttackRecord| a.lineup.is_some_and(|rate| beats_chance(rate, a.images));
    let picked = real().filter(picks).filter_map(|a| a.lineup).reduce(f64::max);
    let nearer = nearest.is_some_and(|nearest| real().any(|attack| attack.ssim > nearest));
    let few = real().filter(|a| a.adaptive).all(|a| a.images < ENOUGH || a.lineup.is_none());
    let verdict = match (picked.is_some() || nearer, few || nearest.is_none()) {
        (true, _) => Verdict::Differs,
        (false, true) => Verdict::NotComparable,
        (false, false) => Verdict::Agrees,
    };
    let own = nearest.map(|nearest| format!("; the attacker's own nearest image has {}", decimal(nearest, 2)));
    let line = match picked {
        Some(rate) => format!(" An attack picks the patient out of eight for {} % (chance 12.5).", decimal(rate, 1)),
        None if real().any(|a| a.lineup.is_some()) => " None picks the patient out of eight beyond chance.".to_owned(),
        None => String::new(),
    };
    let sentence = format!(
        "The worst that knows the defence is {}; not knowing it, {} is the worst{}.{line}",
        adaptive.name,
        ssim(naive),
        own.unwrap_or_default()
    );
    Some(found(verdict, format!("SSIM {} (adaptive)", ssim(Some(adaptive))), sentence))
}

fn cost(summary: &Summary) -> Option<Finding> {
    let cost = summary.client_ms_per_image;
    let (psgl, vanilla) = (cost.psgl?, cost.vanilla.filter(|ms| *ms > 0.0)?);
    let verdict = if psgl >= 2.0 * vanilla { Verdict::Differs } else { Verdict::NotComparable };
    let sentence = format!(
        "{} times the {} ms of an undefended client, on this computer, which is no IoMT device.",
        decimal(psgl / vanilla, 1),
        decimal(vanilla, 3)
    );
    Some(found(verdict, format!("{} ms an image", decimal(psgl, 3)), sentence))
}

fn leaks(summary: &Summary) -> Option<Finding> {
    let wire = summary.wire.psgl?;
    let here = bytes(wire.leaked_clean_bytes);
    if wire.leaked_clean_bytes > 0 {
        let sentence =
            "Undisguised smashed data that the server was sent for the map: the defence gives away what it hides.";
        return Some(found(Verdict::Differs, here, sentence.to_owned()));
    }
    let sentence = if summary.experiment.psgl.jacobian == Jacobian::Head {
        "Nothing undisguised crossed: here a small head at the hospital makes the map. The paper's way would send it."
    } else {
        "Nothing undisguised crossed."
    };
    Some(found(Verdict::NotComparable, here, sentence.to_owned()))
}

fn majority(summary: &Summary) -> Option<Finding> {
    let row = summary.row("fused")?;
    let [majority, balanced] = [row.majority, row.balanced_accuracy].map(|value| decimal(value, 1));
    let (verdict, sentence) = if row.accuracy < row.majority + 2.0 {
        let text = format!(
            "Always naming the commonest class is right for {majority} %: only the balanced accuracy, {balanced} %, says \
             anything here."
        );
        (Verdict::Differs, text)
    } else {
        let text =
            format!("Always naming the commonest class is right for {majority} %; balanced accuracy {balanced} %.");
        (Verdict::Agrees, text)
    };
    Some(found(verdict, format!("{} % right", decimal(row.accuracy, 1)), sentence))
}

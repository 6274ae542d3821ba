//! Figures that stand beside the paper's own: gains and thresholds.

use egui_plot::LineStyle;

use super::ink::{DASHED, DOTTED, Ink};
use super::raw::{Raw, Rule, Values};
use crate::app::theme::Role;
use crate::app::words::{decimal, points as points_of};
use crate::run::summary::{GammaGain, Summary};
use crate::score::gains::gain_lines;
use crate::score::paper::{Figure, MU, OVER_ATTACKED, OVER_RECONSTRUCTED};

/// Gains against attack strength, beside the abstract's.
pub fn gains(summary: &Summary) -> Raw {
    let Some(gain) = &summary.gain else { return Raw::default() };
    let series = |name: &str, tip, role, of: fn(&GammaGain) -> f64| {
        let mut points: Vec<[f64; 2]> = gain.by_gamma.iter().map(|at| [at.gamma, of(at)]).collect();
        points.sort_by(|a, b| a[0].total_cmp(&b[0]));
        Values { name: name.to_owned(), tip, ink: Ink::of(role), points, band: Vec::new() }
    };
    let paper = |figure: Figure, over: &str, role| Rule {
        name: t!("paper [{mark}], over {over}", mark = figure.mark, over),
        value: figure.text.to_owned(),
        note: t!("paper {figure} abstract", figure),
        tip: t!("The first version of the paper's abstract; whether it means points or a share is not said there."),
        at: figure.value,
        level: true,
        floor: false,
        ink: Ink::rule(Some(role), DASHED),
    };
    // Where the model is of no use there is no gain to draw.
    if gain_lines(gain, &summary.rows).is_err() {
        return Raw::default();
    }
    let clean = points_of(gain.over_clean);
    let gamma = summary.experiment.disguise().gamma();
    Raw {
        values: vec![
            series(
                t!("gain over disguised"),
                t!("Fused \u{2212} undefended on disguised images: what the fused decision gains over an \
                     undefended model that gets those. The paper's gain over attacked."),
                Role::Disguised,
                |at| at.over_attacked,
            ),
            series(
                t!("gain over cleaned"),
                t!("Fused \u{2212} undefended on images that were cleaned in image space."),
                Role::Cleaned,
                |at| at.over_reconstructed,
            ),
        ],
        rules: vec![
            paper(OVER_ATTACKED, t!("attacked"), Role::Disguised),
            paper(OVER_RECONSTRUCTED, t!("reconstructed"), Role::Cleaned),
            Rule {
                name: t!("fused \u{2212} clean").to_owned(),
                note: t!("fused \u{2212} clean {clean}", clean),
                value: clean,
                tip: t!("What the defence costs: its answer against an undefended model on clean images."),
                at: gain.over_clean,
                level: true,
                floor: false,
                ink: Ink { mark: None, width: 2.0, ..Ink::of(Role::Decision) },
            },
            Rule {
                name: t!("this run's γ").to_owned(),
                value: gamma.to_string(),
                note: t!("γ = {gamma}", gamma),
                tip: t!("The strength with which the model was trained."),
                at: gamma,
                level: false,
                floor: false,
                ink: Ink::rule(None, DOTTED),
            },
        ],
        x_label: t!("γ, share of pixels that move"),
    }
}

/// The cleaned image's error by threshold, beside that of the disguised one.
pub fn recovery(summary: &Summary) -> Raw {
    let Some(figure) = &summary.recovery else { return Raw::default() };
    let mut points: Vec<[f64; 2]> = figure.mse_by_mu.iter().map(|(mu, mse)| [*mu, *mse]).collect();
    points.retain(|[mu, _]| *mu > 0.0);
    points.sort_by(|a, b| a[0].total_cmp(&b[0]));
    let best = points.iter().copied().filter(|point| point[1].is_finite()).min_by(|a, b| a[1].total_cmp(&b[1]));
    let upright = |name: &str, at: f64, note: String, tip, style| Rule {
        name: name.to_owned(),
        value: at.to_string(),
        note,
        tip,
        at,
        level: false,
        floor: false,
        ink: Ink::rule(None, style),
    };
    let mut rules = vec![Rule {
        name: t!("disguised image").to_owned(),
        value: decimal(figure.mse_attacked, 4),
        note: t!("disguised, left as it is").to_owned(),
        tip: t!("The error of the disguised image without any cleaning: the paper's attacked image."),
        at: figure.mse_attacked,
        level: true,
        floor: false,
        ink: Ink { mark: None, ..Ink::of(Role::Disguised) },
    }];
    if let Some([mu, _]) = best {
        rules.push(upright(
            t!("own optimum, μ"),
            mu,
            t!("own optimum {mu}", mu),
            t!("The threshold with the least error here, among those tried."),
            LineStyle::Solid,
        ));
    }
    rules.push(upright(
        t!("paper [E], μ"),
        MU.value,
        t!("paper {value}", value = MU),
        t!("The paper's optimum on both of its sets, known at second hand."),
        DASHED,
    ));
    let values = Values {
        name: t!("cleaned image").to_owned(),
        tip: t!("The error of the image cleaned in image space: the paper's recovered image."),
        ink: Ink::of(Role::Cleaned),
        points,
        band: Vec::new(),
    };
    Raw { values: vec![values], rules, x_label: t!("threshold μ") }
}

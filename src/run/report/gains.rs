//! In the report: what the paper claims of the streams and of its recovery, as this run has it.

use std::fmt::Write as _;

use super::table;
use crate::run::summary::Summary;
use crate::score::gains::gain_lines;
use crate::score::metrics::MSE;
use crate::score::paper::{MU, THIRD};

/// Gains of the fused decision, beside what a constant answer gains.
pub(super) fn gain_text(summary: &Summary) -> String {
    let Some(gain) = &summary.gain else { return String::new() };
    let lines = match gain_lines(gain, &summary.rows) {
        Ok(lines) => lines,
        Err(why) => return format!("\n{why}\n"),
    };
    let mut own = table(&["", "fused", "± s.e.", "95 %", "balanced [95 %]", "always the majority", "paper"]);
    for line in &lines {
        let constant = line.constant.map_or("–".to_owned(), |v| format!("{v:+.1}"));
        let cells = [
            line.metric.name.to_owned(),
            format!("{:+.1}", line.points),
            format!("{:.1}", line.se),
            interval(line.ci),
            balanced(line.balanced, line.balanced_ci),
            constant,
            line.paper_words(),
        ];
        own.add_row(cells);
    }
    let mut by_gamma = table(&["γ", "over attacked", "over recovered"]);
    for point in &gain.by_gamma {
        let [a, r] = [point.over_attacked, point.over_reconstructed].map(|v| format!("{v:+.1}"));
        by_gamma.add_row([point.gamma.to_string(), a, r]);
    }
    let gamma = summary.experiment.disguise().gamma();
    let mut text =
        format!("\nGains of the fused decision at γ {gamma}, points, beside what a constant answer gains\n{own}\n");
    let _ = writeln!(text, "The abstract's third figure, {THIRD}, has a baseline that is not known to us.");
    let _ = write!(text, "\nThe same against the strength of the attack, which is ours to choose\n{by_gamma}\n");
    text
}

fn interval(ends: Option<[f64; 2]>) -> String {
    ends.map_or("–".to_owned(), |[low, high]| format!("{low:+.1} to {high:+.1}"))
}

fn balanced(value: Option<f64>, ends: Option<[f64; 2]>) -> String {
    value.map_or("–".to_owned(), |value| match ends {
        Some([low, high]) => format!("{value:+.1} [{low:+.1}, {high:+.1}]"),
        None => format!("{value:+.1}"),
    })
}

/// How far image-space recovery brings attacked images back, against μ.
pub(super) fn recovery_text(summary: &Summary) -> String {
    let Some(recovery) = &summary.recovery else { return String::new() };
    let mut text = format!("\nImage-space recovery of attacked images: {} against μ\n", MSE.name);
    let (mut table, digits) = (table(&["μ", MSE.name]), MSE.digits);
    let best = recovery.mse_by_mu.iter().min_by(|a, b| a.1.total_cmp(&b.1)).map(|(mu, _)| *mu);
    for (mu, mse) in &recovery.mse_by_mu {
        let ours = if Some(*mu) == best { "  best here" } else { "" };
        table.add_row([mu.to_string(), format!("{mse:.digits$}{ours}")]);
    }
    table.add_row(["not recovered".to_owned(), format!("{:.digits$}", recovery.mse_attacked)]);
    let _ = writeln!(text, "{table}");
    let _ = writeln!(text, "The paper's best μ is {MU}, on its own data.");
    let _ = writeln!(text, "Recovered map against the true one: correlation {:.2}.", recovery.map_correlation);
    text
}

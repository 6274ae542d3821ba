//! The summary as text: the table of METHOD §3 with the paper's values and what can be said of them.

use std::fmt::Write as _;

use comfy_table::{Cell, CellAlignment, Table};

use super::summary::{AttackRecord, Summary};

/// The paper's gain over attacked images, and where it is from.
pub const PAPER_OVER_ATTACKED: &str = "36.9 [A]";
/// Over reconstructed images.
pub const PAPER_OVER_RECONSTRUCTED: &str = "17.9 [A]";
/// The third figure of the paper's abstract, whose baseline is not known to us.
pub const PAPER_THIRD: &str = "14.0 [A]";
/// The paper's best μ.
pub const PAPER_MU: &str = ".55 [E]";

/// Words for a row of the table.
fn words(row: &str) -> &str {
    match row {
        "vanilla_clean" => "vanilla, clean images",
        "vanilla_attacked" => "vanilla, attacked images (JSMA)",
        "vanilla_fgsm" => "vanilla, attacked images (FGSM)",
        "vanilla_recovered" => "vanilla, images recovered by proximal gradient",
        "vanilla_inverted" => "vanilla, images stolen by the inverse network",
        "stream_attacked" => "PSGL, stream a (attacked)",
        "stream_recovered" => "PSGL, stream r (recovered)",
        "stream_fused" => "PSGL, stream f (fused)",
        "fused" => "PSGL, fused decision",
        other => other,
    }
}

fn table(heading: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_style(comfy_table::presets::ASCII_MARKDOWN);
    table.set_header(heading.iter().copied());
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}

/// The whole report, for a terminal.
pub fn report(summary: &Summary) -> String {
    let mut text = String::new();
    let data = &summary.experiment.data.name;
    let _ = writeln!(text, "Accuracy on the held-out images of {data}, % (seed {})", summary.seed);
    text.push_str(&rows_table(summary));
    if let Some(gain) = gain_table(summary) {
        let _ = write!(text, "\nGains of the fused decision, points\n{gain}");
    }
    if !summary.attacks.is_empty() {
        let _ = write!(
            text,
            "\nWhat attackers got, scored against the clean images (SSIM: Gaussian window, data range 1)\n{}",
            attack_table(&summary.attacks)
        );
    }
    text.push_str(&recovery_text(summary));
    text.push_str(&cost_text(summary));
    text.push_str(&reading(summary));
    text
}

fn rows_table(summary: &Summary) -> String {
    let mut table = table(&["", "accuracy", "balanced", "majority class"]);
    for row in &summary.rows {
        let numbers = [row.accuracy, row.balanced_accuracy, row.majority].map(|v| Cell::new(format!("{v:.1}")));
        table.add_row(std::iter::once(Cell::new(words(&row.name))).chain(numbers));
    }
    format!("{table}\n")
}

fn gain_table(summary: &Summary) -> Option<String> {
    let gain = summary.gain.as_ref()?;
    let own = summary.experiment.psgl.gamma;
    let mut table = table(&["γ", "over attacked", "over recovered", "over clean"]);
    for point in &gain.by_gamma {
        let clean = if point.gamma == own { format!("{:+.1}", gain.over_clean) } else { String::new() };
        let gains = [point.over_attacked, point.over_reconstructed].map(|v| format!("{v:+.1}"));
        table.add_row([point.gamma.to_string(), gains[0].clone(), gains[1].clone(), clean]);
    }
    if !gain.by_gamma.iter().any(|point| point.gamma == own) {
        let gains = [gain.over_attacked, gain.over_reconstructed, gain.over_clean].map(|v| format!("{v:+.1}"));
        table.add_row([own.to_string(), gains[0].clone(), gains[1].clone(), gains[2].clone()]);
    }
    table.add_row(["paper", PAPER_OVER_ATTACKED, PAPER_OVER_RECONSTRUCTED, "not given"]);
    Some(format!("{table}\n"))
}

/// Attacks and yardsticks, a row each.
pub fn attack_table(attacks: &[AttackRecord]) -> String {
    let mut table = table(&["attack", "at", "epoch", "images", "SSIM", "± s.e.", "PSNR dB", "line-up", "MSE", "s"]);
    for attack in attacks {
        let yardstick = matches!(attack.name.as_str(), "mean" | "noise" | "nearest");
        let form = match (yardstick, attack.adaptive) {
            (true, _) => "yardstick: ",
            (false, true) => "adaptive ",
            (false, false) if attack.target == "psgl" => "naive ",
            (false, false) => "",
        };
        table.add_row([
            format!("{form}{}", attack.name),
            attack.target.clone(),
            attack.epoch.to_string(),
            attack.images.to_string(),
            format!("{:.3}", attack.ssim),
            format!("{:.3}", attack.ssim_se),
            format!("{:.1}", attack.psnr),
            attack.lineup.map_or("–".to_owned(), |rate| format!("{rate:.0} %")),
            format!("{:.4}", attack.mse),
            format!("{:.1}", attack.seconds),
        ]);
    }
    format!("{table}\n")
}

fn recovery_text(summary: &Summary) -> String {
    let Some(recovery) = &summary.recovery else { return String::new() };
    let mut text = "\nImage-space recovery of attacked images: MSE against μ\n".to_owned();
    let mut table = table(&["μ", "MSE"]);
    let best = recovery.mse_by_mu.iter().min_by(|a, b| a.1.total_cmp(&b.1)).map(|(mu, _)| *mu);
    for (mu, mse) in &recovery.mse_by_mu {
        let ours = if Some(*mu) == best { "  best here" } else { "" };
        table.add_row([mu.to_string(), format!("{mse:.4}{ours}")]);
    }
    table.add_row(["not recovered".to_owned(), format!("{:.4}", recovery.mse_attacked)]);
    let _ = writeln!(text, "{table}");
    let _ = writeln!(text, "The paper's best μ is {PAPER_MU}, on its own data.");
    let _ = writeln!(text, "Recovered map against the true one: correlation {:.2}.", recovery.map_correlation);
    text
}

fn cost_text(summary: &Summary) -> String {
    let (wire, cost) = (&summary.wire.total, &summary.client_ms_per_image);
    let mega = |bytes: u64| bytes as f64 / 1e6;
    let mut text = format!(
        "\nWire: {:.1} MB of smashed data up, {:.1} MB of gradients down, {:.1} MB of them from undisguised images sent \
         for the map.\n",
        mega(wire.smashed_bytes),
        mega(wire.gradient_bytes),
        mega(wire.leaked_clean_bytes)
    );
    let ms = |v: Option<f64>| v.map_or("–".to_owned(), |v| format!("{v:.3} ms"));
    let _ = writeln!(text, "Client, per image: vanilla {}, PSGL {}.", ms(cost.vanilla), ms(cost.psgl));
    let _ = writeln!(
        text,
        "{:.0} s on {} ({} threads).",
        summary.seconds, summary.machine.processor, summary.machine.threads
    );
    text
}

/// What the numbers say, in sentences that the numbers choose.
fn reading(summary: &Summary) -> String {
    let mut lines = Vec::new();
    if let Some(gain) = &summary.gain {
        lines.push(format!(
            "Over clean is the gain that can't be inflated: {:+.1} points. The other two grow with the strength of the \
             attack, which is ours to choose; the paper's values are compared in size only.",
            gain.over_clean
        ));
    }
    if let Some(recovery) = &summary.recovery {
        let own = summary.experiment.psgl.mu;
        let at_own = recovery.mse_by_mu.iter().find(|(mu, _)| *mu == own);
        if let Some((mu, mse)) = at_own.filter(|(_, mse)| *mse >= recovery.mse_attacked) {
            lines.push(format!(
                "Recovery in image space at μ {mu} left the attacked images worse than they were (MSE {mse:.4} against \
                 {:.4}): such images are not low rank.",
                recovery.mse_attacked
            ));
        }
    }
    if let Some(streams) = &summary.streams {
        let verdict =
            if streams.as_in_paper { "the paper's order" } else { "not the paper's recovered > fused > attacked" };
        lines.push(format!("Streams by accuracy: {}; {verdict}.", streams.order.join(", ")));
    }
    let nearest = summary.attacks.iter().find(|attack| attack.name == "nearest").map(|attack| attack.ssim);
    let last = summary.attacks.iter().map(|attack| attack.epoch).max().unwrap_or(0);
    for target in ["psgl", "vanilla"] {
        let real = summary.attacks.iter().filter(|a| a.target == target && a.epoch == last && a.iterations > 0);
        let Some(worst) = real.max_by(|a, b| a.ssim.total_cmp(&b.ssim)) else { continue };
        let form = if worst.adaptive { "adaptive " } else { "" };
        let beside = match nearest {
            Some(nearest) if worst.ssim <= nearest => " No better than the nearest auxiliary image: it proves nothing.",
            _ => "",
        };
        lines.push(format!("Worst leak of {target}: {form}{}, SSIM {:.3}.{beside}", worst.name, worst.ssim));
    }
    format!("\n{}\nResearch and teaching, not for clinical use.\n", lines.join("\n"))
}

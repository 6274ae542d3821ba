//! Beside the curves: the attacks so far, what the run came to, and the log.

use eframe::egui::{Grid, RichText, ScrollArea, Ui};

use crate::app::state::{State, Status};
use crate::app::words::{bytes, decimal, duration, mode, points, row, target, yardstick};
use crate::app::{Act, Look};
use crate::run::summary::{AttackRecord, Gain, Summary};

/// Draws what the run came to, and its attacks.
pub fn table_ui(ui: &mut Ui, look: Look<'_>, _acts: &mut Vec<Act>) {
    ScrollArea::both().auto_shrink(false).show(ui, |ui| {
        results_ui(ui, look.state);
        ui.separator();
        attacks_ui(ui, look.state);
    });
}

/// The table as Markdown, CSV or LaTeX, by the ending of `path`.
pub fn text(_state: &State, _path: &std::path::Path) -> crate::error::Result<String> {
    Err(crate::error::Error::input("not yet"))
}

fn heading(ui: &mut Ui, cells: &[(&str, &str)]) {
    for (text, tip) in cells {
        ui.label(RichText::new(*text).weak()).on_hover_text(*tip);
    }
    ui.end_row();
}

fn attacks_ui(ui: &mut Ui, state: &State) {
    if state.attacks.is_empty() {
        ui.label(match state.status {
            Status::Going => "Attacks appear here as they finish, with how near each came to the patients' images.",
            Status::Fresh => "Each attack of the run gets a row here: what it was aimed at, and how near it came.",
            _ => "No attack was finished.",
        });
        return;
    }
    Grid::new("attacks").striped(true).spacing([12.0, 4.0]).show(ui, |ui| {
        heading(
            ui,
            &[
                ("attack", "Naive: does not know of the defence. Adaptive: knows it. Yardsticks steal nothing."),
                ("on", "The model that was attacked."),
                ("after", "How many epochs the model had been trained."),
                ("PSNR", "Mean over the images, dB. Higher is a worse leak."),
                ("SSIM", "Mean structural similarity and its standard error; 1 is the patient's image itself."),
                ("images", "How many patients' images were attacked."),
                ("time", "Spent by the attacker."),
            ],
        );
        state.attacks.iter().for_each(|record| attack_row(ui, record));
    });
}

fn attack_row(ui: &mut Ui, record: &AttackRecord) {
    let measure = yardstick(record);
    let name = ui.label(format!("{}, {}", record.name, mode(record)));
    if let Some(tip) = measure {
        name.on_hover_text(tip);
    }
    ui.label(target(&record.target));
    ui.label(if record.epoch == 0 { "untrained".to_owned() } else { format!("epoch {}", record.epoch) });
    ui.label(format!("{} dB", decimal(record.psnr, 1)));
    ui.label(format!("{} ± {}", decimal(record.ssim, 2), decimal(record.ssim_se, 2)));
    ui.label(record.images.to_string());
    ui.label(if measure.is_some() { String::new() } else { duration(record.seconds) });
    ui.end_row();
}

fn results_ui(ui: &mut Ui, state: &State) {
    let Some(summary) = &state.summary else {
        ui.label(match state.status {
            Status::Stopped | Status::Failed => "This run did not get as far as its table.",
            _ => {
                "The table of the run appears here when it is done: who is right how often, and what the defence gains."
            }
        });
        return;
    };
    Grid::new("rows").striped(true).spacing([14.0, 4.0]).show(ui, |ui| {
        heading(
            ui,
            &[
                ("on test images", ""),
                ("right", "Share of right answers."),
                ("balanced", "Mean of the classes' own shares."),
                ("majority", "What always naming the commonest class would reach."),
            ],
        );
        for one in &summary.rows {
            let (name, tip) = row(&one.name);
            ui.label(name).on_hover_text(tip);
            for value in [one.accuracy, one.balanced_accuracy, one.majority] {
                ui.label(format!("{} %", decimal(value, 1)));
            }
            ui.end_row();
        }
    });
    if let Some(gain) = &summary.gain {
        ui.add_space(8.0);
        gain_ui(ui, gain);
    }
    ui.add_space(8.0);
    cost_ui(ui, summary);
}

fn gain_ui(ui: &mut Ui, gain: &Gain) {
    ui.label(RichText::new("Gain of the fused decision, in points").strong());
    Grid::new("gains").striped(true).spacing([14.0, 4.0]).show(ui, |ui| {
        let rows = [
            (
                "over disguised images",
                gain.over_attacked,
                "Grows with the strength of the disguise, which the defence itself applies.",
            ),
            ("over cleaned images", gain.over_reconstructed, "Against images recovered in image space."),
            (
                "over clean images",
                gain.over_clean,
                "What the defence costs or brings: the one gain that cannot be inflated.",
            ),
        ];
        for (name, value, tip) in rows {
            ui.label(name).on_hover_text(tip);
            ui.label(RichText::new(points(value)).strong());
            ui.end_row();
        }
    });
}

fn cost_ui(ui: &mut Ui, summary: &Summary) {
    let total = summary.wire.total;
    ui.label(format!("Crossed in training: {} up, {} down", bytes(total.smashed_bytes), bytes(total.gradient_bytes)));
    let cost = summary.client_ms_per_image;
    let costs: Vec<String> = [("with PSGL", cost.psgl), ("undefended", cost.vanilla)]
        .into_iter()
        .filter_map(|(name, ms)| Some(format!("{} ms {name}", decimal(ms?, 2))))
        .collect();
    ui.label(format!("The hospital's time for an image: {}", costs.join(", ")));
    if let Some(streams) = &summary.streams {
        let paper = if streams.as_in_paper { "as in the paper" } else { "not the paper's order" };
        let names = |word: &String| match word.as_str() {
            "attacked" => "disguised",
            "recovered" => "cleaned",
            _ => "fused",
        };
        let order: Vec<&str> = streams.order.iter().map(names).collect();
        ui.label(format!("Streams, best first: {} ({paper})", order.join(", ")))
            .on_hover_text("The paper's decision weights take cleaned to be the best, then fused, then disguised.");
    }
}

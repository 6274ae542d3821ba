//! What the run came to: who is right how often, what the defence gains, what it costs.

use eframe::egui::{Grid, Label, RichText, Ui};

use super::rows::{looked_into_ui, rows_ui};
use super::set::Set;
use crate::app::state::{State, Status};
use crate::app::words::{bytes, decimal, points, target};
use crate::run::summary::{EpochRow, Summary};
use crate::score::gains;
use crate::score::metrics::ACCURACY;
use crate::score::paper::THIRD;
use crate::texts::say;

/// A line of a small table.
pub(super) struct Line {
    /// What it is called in the summary.
    pub key: &'static str,
    /// The measured number.
    pub value: f64,
    /// Its standard error, where it has one.
    pub error: Option<f64>,
    /// What a constant answer reaches in its place.
    pub constant: Option<f64>,
    /// Its cells: a name, then what is told of it.
    pub cells: Vec<String>,
    /// What it is, in a sentence.
    pub tip: &'static str,
}

/// Gains with those of a constant answer and the paper's beside them; the one that cannot be inflated comes first.
///
/// # Errors
/// Says why there is none: a model that does not beat the majority class gains nothing.
pub(super) fn gain_lines(summary: &Summary) -> Result<Vec<Line>, String> {
    let Some(gain) = &summary.gain else { return Ok(Vec::new()) };
    let line = |line: gains::GainLine| Line {
        key: line.metric.key,
        value: line.points,
        error: Some(line.se),
        constant: line.constant,
        cells: vec![
            say(line.metric.window).to_owned(),
            format!("{} \u{b1} {}", points(line.points), decimal(line.se, 1)),
            line.constant.map_or("\u{2013}".to_owned(), points),
            line.paper_words(),
        ],
        tip: say(line.metric.help),
    };
    Ok(gains::gain_lines(gain, &summary.rows)?.into_iter().map(line).collect())
}

/// Test accuracies so far, the latest epoch first.
pub(super) fn epoch_lines(epochs: &[(Option<f64>, EpochRow)]) -> Vec<Line> {
    let line = |row: &EpochRow| Line {
        key: ACCURACY.key,
        value: row.accuracy,
        error: None,
        constant: None,
        cells: vec![target(&row.model).to_owned(), row.epoch.to_string(), decimal(row.accuracy, ACCURACY.digits)],
        tip: t!("Share of right answers on test images after this epoch, in percent."),
    };
    epochs.iter().rev().map(|(_, row)| line(row)).collect()
}

fn heading(ui: &mut Ui, cells: &[(&str, &str)]) {
    for (text, tip) in cells {
        let label = ui.label(RichText::new(*text).weak());
        if !tip.is_empty() {
            label.on_hover_text(*tip);
        }
    }
    ui.end_row();
}

/// `width` is what can be seen at once: sentences wrap there. `chosen` is the row that is looked into.
pub(super) fn results_ui(ui: &mut Ui, state: &State, width: f32, chosen: &mut Option<String>) {
    let Some(summary) = &state.summary else {
        so_far_ui(ui, state);
        return;
    };
    let set = Set::of(state);
    // Beside each other where there is room.
    if summary.gain.is_some() && width > SIDE_BY_SIDE {
        ui.horizontal_top(|ui| {
            ui.vertical(|ui| rows_ui(ui, summary, set, chosen));
            ui.add_space(24.0);
            ui.vertical(|ui| {
                ui.set_max_width(GAIN_WIDTH);
                gain_ui(ui, summary, GAIN_WIDTH);
            });
        });
    } else {
        rows_ui(ui, summary, set, chosen);
        ui.add_space(8.0);
        gain_ui(ui, summary, width);
    }
    // Below both, as it may be wide.
    looked_into_ui(ui, summary, set, chosen.as_deref());
    ui.add_space(8.0);
    ui.scope(|ui| {
        ui.set_max_width(width);
        cost_ui(ui, summary);
    });
}

/// From this width on, rows and gains stand side by side.
const SIDE_BY_SIDE: f32 = 860.0;
/// Of the gains beside the rows.
const GAIN_WIDTH: f32 = 380.0;

fn so_far_ui(ui: &mut Ui, state: &State) {
    if state.epochs.is_empty() {
        ui.add(Label::new(match state.status {
            Status::Stopped | Status::Failed => t!("This run did not get as far as its table."),
            _ => {
                t!("The table of the run appears here when it is done: who is right how often, what the defence gains \
                 and what it costs.")
            }
        }));
        return;
    }
    ui.label(RichText::new(t!("Right answers on test images so far")).strong());
    Grid::new("epochs").striped(true).spacing([14.0, 4.0]).show(ui, |ui| {
        heading(
            ui,
            &[(t!("model"), t!("The defended model, or the undefended one.")), (t!("epoch"), ""), (t!("right"), "")],
        );
        // Many epochs would push the attacks out of sight.
        for line in epoch_lines(&state.epochs).into_iter().take(8) {
            ui.label(&line.cells[0]);
            ui.label(&line.cells[1]);
            ui.label(ACCURACY.with_unit(&line.cells[2])).on_hover_text(line.tip);
            ui.end_row();
        }
    });
    if state.status == Status::Going {
        ui.label(t!("The table of gains follows when the run is done."));
    }
}

fn gain_ui(ui: &mut Ui, summary: &Summary, width: f32) {
    if summary.gain.is_none() {
        return;
    }
    ui.label(RichText::new(t!("Gain of the fused decision, in points")).strong());
    let lines = match gain_lines(summary) {
        Ok(lines) => lines,
        Err(why) => {
            ui.set_max_width(width);
            ui.add(Label::new(why).wrap());
            return;
        }
    };
    Grid::new("gains").striped(true).spacing([14.0, 4.0]).show(ui, |ui| {
        heading(
            ui,
            &[
                ("", ""),
                (t!("here"), t!("Measured in this run, with its standard error over the test images.")),
                (
                    t!("constant"),
                    t!("What always naming the commonest class gains over the same model: a gain below it is none."),
                ),
                (
                    t!("paper"),
                    t!("[A v1]: its abstract's first version, which says over what. Points or relative: unstated."),
                ),
            ],
        );
        for line in lines {
            ui.label(&line.cells[0]).on_hover_text(line.tip);
            ui.label(RichText::new(&line.cells[1]).strong());
            ui.label(&line.cells[2]);
            ui.label(&line.cells[3]);
            ui.end_row();
        }
    });
    ui.scope(|ui| {
        ui.set_max_width(width);
        let text = t!(
            "Over clean images is the one gain that cannot be inflated; the others grow with \u{3b3} (here \
             {gamma}), which is ours to choose. The abstract's third figure, {third}, has a baseline that is not \
             known to us.",
            gamma = summary.experiment.disguise().gamma(),
            third = THIRD
        );
        ui.add(Label::new(RichText::new(text).weak()).wrap());
    });
}

fn cost_ui(ui: &mut Ui, summary: &Summary) {
    let total = summary.wire.total;
    let mut crossed = t!(
        "Crossed in training: {smashed_bytes} up, {gradient_bytes} down",
        smashed_bytes = bytes(total.smashed_bytes),
        gradient_bytes = bytes(total.gradient_bytes)
    );
    if total.leaked_clean_bytes > 0 {
        crossed += &t!("; {bytes} of it from undisguised images", bytes = bytes(total.leaked_clean_bytes));
    }
    ui.add(Label::new(crossed).wrap()).on_hover_text(t!("Smashed data up, their gradients down, over the whole run."));
    let cost = &summary.client_ms_per_image;
    let costs: Vec<String> = [(t!("defended"), cost.defended()), (t!("undefended"), cost.undefended())]
        .into_iter()
        .filter_map(|(name, ms)| Some(t!("{ms} ms {name}", ms = decimal(ms?, 2), name)))
        .collect();
    if !costs.is_empty() {
        ui.add(Label::new(t!("The hospital's time for an image: {costs}", costs = costs.join(", "))).wrap());
    }
    best_ui(ui, summary);
    if let Some(streams) = &summary.streams {
        let paper = if streams.as_in_paper { t!("as in the paper") } else { t!("not the paper's order") };
        let order: Vec<&str> = streams.order.iter().map(|name| stream(name)).collect();
        ui.add(Label::new(t!("Streams, best first: {order} ({paper})", order = order.join(", "), paper)).wrap())
            .on_hover_text(t!("The paper's decision weights take cleaned to be the best, then fused, then disguised."));
    }
}

/// Which epoch of each model was the best, and by which images.
fn best_ui(ui: &mut Ui, summary: &Summary) {
    let (best, images) = match (&summary.best_epoch, &summary.best_weights) {
        (Some(best), _) => (best, t!("validation images")),
        (None, Some(kept)) => (&kept.epochs, t!("test images")),
        (None, None) => return,
    };
    let best: Vec<String> = best.iter().map(|(model, epoch)| format!("{} {epoch}", target(model))).collect();
    let text = t!(
        "Best of {epochs} epochs on the {images}: {best}",
        epochs = summary.experiment.train.epochs,
        images,
        best = best.join(", ")
    );
    let tip = t!(
        "The epoch after which each model was right most often on held-out images. Table and attacks are of the last \
               epoch all the same: nothing was chosen. On the test images themselves the best epoch flatters the model."
    );
    let Some(judged) = &summary.final_epoch else {
        ui.add(Label::new(text).wrap()).on_hover_text(tip);
        return;
    };
    let judged: Vec<String> = judged.iter().map(|(model, epoch)| format!("{} {epoch}", target(model))).collect();
    ui.add(Label::new(text).wrap());
    ui.add(Label::new(t!("Table and last attacks: after epoch {epochs}", epochs = judged.join(", "))).wrap()).on_hover_text(
        t!(
            "Training ended early, or the weights of the best epoch on the validation images were taken in the end, as the \
             experiment says. The test images had no say."
        ),
    );
}

/// A stream in the window's words.
pub fn stream(name: &str) -> &str {
    match name {
        "attacked" => t!("disguised"),
        "recovered" => t!("cleaned"),
        other => other,
    }
}

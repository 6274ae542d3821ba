//! The rows of the table: who is right how often, and how sure that is. One of them is looked into.

use eframe::egui::{Grid, Label, RichText, Sense, Ui};

use super::confusion::confusion_ui;
use super::set::Set;
use crate::app::choice::selectable_ui;
use crate::app::words::{decimal, measured, measured_within, row};
use crate::run::summary::{Row, Summary};
use crate::score::metrics::{ACCURACY, BALANCED, MAJORITY, Metric, ROWS, leading};
use crate::texts::say;

/// The metrics that there is room for; the others of [`ROWS`] are told where the pointer rests on a row's first number.
const SHOWN: [&Metric<Row>; 3] = [&ACCURACY, &BALANCED, &MAJORITY];
/// The row that is looked into while none is chosen: the first of these, the decision.
const DECISIONS: [&str; 3] = ["fused", "defended", "vanilla_clean"];

pub(super) fn rows_ui(ui: &mut Ui, summary: &Summary, set: Set<'_>, chosen: &mut Option<String>) {
    let metrics = columns(&summary.rows);
    let looked_into = looked_into(&summary.rows, chosen.as_deref()).map(|row| row.name.clone());
    Grid::new("rows").striped(true).spacing([14.0, 4.0]).show(ui, |ui| {
        ui.label(RichText::new(t!("on test images")).weak());
        for metric in metrics {
            let tip = format!("{} {}", say(metric.help), beside(metric, metrics[0], &summary.rows, set));
            ui.label(RichText::new(say(metric.window)).weak()).on_hover_text(tip.trim_end());
        }
        ui.end_row();
        for one in &summary.rows {
            if row_ui(ui, one, metrics, set, looked_into.as_deref() == Some(&one.name)) {
                *chosen = Some(one.name.clone());
            }
            ui.end_row();
        }
    });
}

/// The answers of the row that is looked into, class by class.
pub(super) fn looked_into_ui(ui: &mut Ui, summary: &Summary, set: Set<'_>, chosen: Option<&str>) {
    if let Some(one) = looked_into(&summary.rows, chosen) {
        ui.add_space(8.0);
        confusion_ui(ui, one, set);
    }
}

/// The metrics in the order of their columns: the first is the one to read.
fn columns(rows: &[Row]) -> [&'static Metric<Row>; 3] {
    let (lead, mut metrics) = (leading(rows), SHOWN);
    metrics.sort_by_key(|metric| *metric != lead);
    metrics
}

/// The row whose answers are told class by class; none where no row has them.
fn looked_into<'a>(rows: &'a [Row], chosen: Option<&str>) -> Option<&'a Row> {
    let told = |name: &str| rows.iter().find(|row| row.name == name && row.confusion.is_some());
    chosen.and_then(told).or_else(|| DECISIONS.into_iter().find_map(told))
}

/// What stands beside a column's numbers, in a sentence.
fn beside(metric: &Metric<Row>, lead: &Metric<Row>, rows: &[Row], set: Set<'_>) -> String {
    if metric == lead && rows.iter().any(|row| (metric.interval)(row).is_some()) {
        return t!("In brackets its 95 % interval, {by}.", by = set.by());
    }
    if metric.has_error() { t!("Beside it its standard error over the test images.").to_owned() } else { String::new() }
}

/// A row's cells. True where it is clicked and can be looked into.
fn row_ui(ui: &mut Ui, one: &Row, metrics: [&Metric<Row>; 3], set: Set<'_>, chosen: bool) -> bool {
    let (name, tip) = row(&one.name);
    let into = one.confusion.is_some();
    let label = if into { selectable_ui(ui, chosen, name) } else { ui.label(name) };
    let mut clicked = into && label.clicked();
    label.on_hover_text(if into {
        t!("{tip}\nClick to see which class was taken for which.", tip).trim_start().to_owned()
    } else {
        tip.to_owned()
    });
    for metric in metrics {
        let lead = metric == metrics[0];
        let text = if lead { measured_within(metric, one) } else { measured(metric, one) };
        // Not a stop for the keyboard: the row's name is.
        let cell = ui.add(Label::new(text).sense(if into { Sense::CLICK } else { Sense::HOVER }));
        clicked |= into && cell.clicked();
        let tip = if lead { of_shares(one) } else { sure(metric, one, set) };
        if !tip.is_empty() {
            cell.on_hover_text(tip);
        }
    }
    clicked
}

/// How sure a number is: `95 % interval: 93.1 to 96.8, by bootstrap over the test images.` Empty where that is not known.
fn sure(metric: &Metric<Row>, one: &Row, set: Set<'_>) -> String {
    let Some([low, high]) = (metric.interval)(one) else { return String::new() };
    let [low, high] = [low, high].map(|value| decimal(value, metric.digits));
    t!("95 % interval: {low} to {high}, {by}.", low, high, by = set.by())
}

/// What else is told of a row, a line each: `AUROC 0.987 (0.970 to 0.995): Area under …`. Empty where there is nothing.
fn of_shares(one: &Row) -> String {
    let others = ROWS.iter().filter(|metric| !SHOWN.contains(metric) && (metric.value)(one).is_some());
    let lines: Vec<String> = others
        .map(|metric| format!("{} {}: {}", say(metric.window), measured_within(metric, one), say(metric.help)))
        .collect();
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(name: &str, told: bool) -> Row {
        let confusion = told.then(|| vec![vec![9, 1], vec![2, 8]]);
        Row {
            name: name.to_owned(),
            accuracy: 85.0,
            balanced_accuracy: 85.0,
            majority: 50.0,
            confusion,
            ..Row::default()
        }
    }

    #[test]
    fn the_decision_is_looked_into_until_another_row_is_chosen() {
        let rows = [row("vanilla_clean", true), row("stream_fused", true), row("fused", true), row("old", false)];
        let name = |chosen| looked_into(&rows, chosen).map(|row| row.name.as_str());
        assert_eq!(
            [name(None), name(Some("stream_fused")), name(Some("gone"))],
            [Some("fused"), Some("stream_fused"), Some("fused")]
        );
        assert_eq!(name(Some("old")), Some("fused"), "of older runs nothing is known class by class");
        assert_eq!(looked_into(&rows[..1], None).map(|row| row.name.as_str()), Some("vanilla_clean"));
        assert!(looked_into(&rows[3..], None).is_none());
    }

    #[test]
    fn uneven_classes_are_led_by_balanced_accuracy() {
        let even = row("fused", true);
        let uneven = Row { majority: 73.0, ..even.clone() };
        let first = |row: &Row| columns(std::slice::from_ref(row)).map(|metric| metric.key)[0];
        assert_eq!([first(&even), first(&uneven)], ["accuracy", "balanced_accuracy"]);
        assert_eq!(columns(&[uneven]).map(|metric| metric.key), ["balanced_accuracy", "accuracy", "majority"]);
    }
}

//! Runs beside each other, drawn: what they came to and what differs, their curves, and what was stolen from them.

use std::path::PathBuf;

use eframe::egui::{Align, Label, Layout, RichText, ScrollArea, TextStyle, Ui, vec2};

use super::RunsView;
use super::beside::{BesideView, beside_ui};
use super::columns::Chosen;
use super::compare::{Comparison, Group};
use super::overlaid::{OverlaidView, overlaid_ui};
use super::overlay::{Measure, Overlay};
use crate::app::choice::selectable_if_ui;
use crate::app::{Act, Look, RunEntry};

/// The comparison, and how it is looked at.
#[derive(Debug, Default)]
pub struct VersusView {
    made: Option<(Key, Option<Made>)>,
    /// Whether the seeds of a setting stand together; none where they do as soon as there are more than two runs.
    pooled: Option<bool>,
    curves: OverlaidView,
    pub(super) pictures: BesideView,
}

/// Of which runs in which list, and whether the seeds stand together.
type Key = (Vec<PathBuf>, u64, bool);

/// What was made of them, once.
#[derive(Debug)]
struct Made {
    compared: Comparison,
    /// By [`Measure::ALL`].
    curves: [Overlay; 2],
    /// Whether some differ in their seed alone.
    has_seeds: bool,
}

impl VersusView {
    /// Whether the seeds of a setting stand together in a comparison of so many runs.
    pub fn pools(&self, runs: usize) -> bool {
        self.pooled.unwrap_or(runs > 2)
    }
}

impl Made {
    fn of(runs: &[&RunEntry], pooled: bool) -> Option<Self> {
        let chosen = Chosen::of(runs)?;
        let curves = Measure::ALL.map(|measure| Overlay::of(&chosen, pooled, measure));
        Some(Self { compared: Comparison::of(runs, pooled)?, curves, has_seeds: chosen.has_seeds() })
    }

    fn curves(&self, measure: Measure) -> &Overlay {
        &self.curves[usize::from(measure == Measure::Leak)]
    }
}

/// Draws what differs between the ticked runs.
pub fn versus_ui(ui: &mut Ui, look: Look<'_>, view: &mut RunsView, acts: &mut Vec<Act>) {
    if view.ticked.len() < 2 {
        let words = t!("Tick more finished runs: what differs between them appears here, as many as you like.");
        ui.add(Label::new(words).wrap());
        return;
    }
    let pooled = view.versus.pools(view.ticked.len());
    let key = (view.ticked.clone(), look.library.generation, pooled);
    let runs: Option<Vec<&RunEntry>> = view.ticked.iter().map(|path| look.library.find(path)).collect();
    if view.versus.made.as_ref().is_none_or(|(of, _)| *of != key) {
        view.versus.made = Some((key, runs.as_ref().and_then(|runs| Made::of(runs, pooled))));
    }
    let (Some((_, Some(made))), Some(runs)) = (&view.versus.made, runs) else {
        ui.label(t!("One of them is no longer a finished run."));
        return;
    };
    let compared = &made.compared;
    let (mut swap, mut clear) = (false, false);
    for column in &compared.columns {
        let several = column.runs.len() > 1;
        let words = if several {
            t!("{letter}: {name}, {n} runs", letter = column.letter, name = column.name, n = column.runs.len())
        } else {
            format!("{}: {}", column.letter, column.name)
        };
        let names: Vec<&str> = column.runs.iter().map(|at| runs[*at].name.as_str()).collect();
        ui.add(Label::new(RichText::new(words).strong()).truncate()).on_hover_text(names.join("\n"));
    }
    ui.horizontal_wrapped(|ui| {
        if ui.button(t!("Copy as Markdown")).on_hover_text(t!("The table below, for a note or a paper.")).clicked() {
            acts.push(Act::Copy(compared.markdown()));
        }
        if view.ticked.len() == 2 {
            swap = ui.button(t!("Swap")).on_hover_text(t!("Take B less A the other way round.")).clicked();
        }
        clear = ui.button(t!("Untick all")).clicked();
        ui.separator();
        for (choice, words, tip) in [
            (
                true,
                t!("by setting"),
                t!("Runs that differ in their seed alone stand together: mean \u{b1} standard deviation."),
            ),
            (false, t!("by run"), t!("Each run has a column and a colour of its own.")),
        ] {
            let response = selectable_if_ui(ui, made.has_seeds, pooled == choice, words).on_hover_text(tip);
            let why = t!("No two of these runs differ in their seed alone.");
            if response.on_disabled_hover_text(why).clicked() {
                view.versus.pooled = Some(choice);
            }
        }
    });
    if compared.groups.is_empty() {
        ui.label(t!("They do not differ in anything that is listed here."));
    }
    ui.scope(|ui| table_ui(ui, compared));
    let marked = compared.groups.iter().flat_map(|group| &group.lines).any(|line| line.better.is_some());
    let key = if marked { t!("Underlined: the better of the two, where one is. ") } else { "" };
    ui.add(Label::new(RichText::new(format!("{key}{}", compared.equal_words())).weak()).wrap());
    let measured = |measure| !made.curves(measure).strands.is_empty();
    let (curves, columns) = (made.curves(view.versus.curves.measure), &compared.columns);
    overlaid_ui(ui, curves, columns.len(), measured, &mut view.versus.curves);
    beside_ui(ui, look, columns, &runs, &mut view.versus.pictures);
    if swap {
        view.ticked.swap(0, 1);
    }
    if clear {
        view.clear();
    }
}

/// The share of the width that is for what is compared; the columns have the rest, at least so many points each.
const HEAD: f32 = 0.34;
const LEAST: f32 = 86.0;
const GAP: f32 = 8.0;
/// Room for the bar that floats over the right edge.
const SCROLL_BAR: f32 = 12.0;

/// Widths of the first column and of the others, and whether they fit.
fn widths(available: f32, columns: usize) -> (f32, f32, bool) {
    let count = columns as f32;
    let room = (available - count * GAP - SCROLL_BAR).max(200.0);
    let least = LEAST * count + 110.0;
    let first = (HEAD * room).max(110.0).min((room - LEAST * count).max(110.0));
    (first, ((room - first) / count).max(LEAST), least <= room)
}

/// All rows have the same columns; where they are wider than the pane they are scrolled.
fn table_ui(ui: &mut Ui, compared: &Comparison) {
    let count = compared.columns.len() + usize::from(compared.is_pair());
    let (first, other, fits) = widths(ui.available_width(), count);
    let table = |ui: &mut Ui| {
        ui.spacing_mut().item_spacing.y = 3.0;
        head_ui(ui, compared, (first, other));
        for group in compared.all() {
            ui.add(Label::new(RichText::new(&group.title).strong()).extend());
            group_ui(ui, compared, group, (first, other));
            ui.add_space(3.0);
        }
    };
    if fits {
        table(ui);
    } else {
        ScrollArea::horizontal().id_salt("compared columns").auto_shrink([false, true]).show(ui, table);
    }
}

fn head_ui(ui: &mut Ui, compared: &Comparison, (first, other): (f32, f32)) {
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = GAP;
        cell(ui, first, RichText::new(""), "");
        for column in &compared.columns {
            cell(ui, other, RichText::new(&column.letter).weak(), &column.name);
        }
        if compared.is_pair() {
            cell(ui, other, RichText::new(t!("B \u{2212} A")).weak(), t!("The second less the first."));
        }
    });
}

fn group_ui(ui: &mut Ui, compared: &Comparison, group: &Group, (first, other): (f32, f32)) {
    for line in &group.lines {
        ui.horizontal(|ui| {
            ui.spacing_mut().item_spacing.x = GAP;
            cell(ui, first, RichText::new(&line.label), &line.tip);
            for (at, value) in line.values.iter().enumerate() {
                let text = RichText::new(value);
                let text = if line.better == Some(at) { text.strong().underline() } else { text };
                let column = compared.columns.get(at).map_or("", |column| &column.name);
                cell(ui, other, text, &format!("{value}\n{}\n{column}", line.label));
            }
            if compared.is_pair() {
                let tip = if line.change.is_empty() { "" } else { t!("B less A.") };
                cell(ui, other, RichText::new(&line.change), tip);
            }
        });
    }
}

fn cell(ui: &mut Ui, width: f32, text: RichText, tip: &str) {
    let size = vec2(width, ui.text_style_height(&TextStyle::Body));
    ui.allocate_ui_with_layout(size, Layout::left_to_right(Align::Center), |ui| {
        ui.set_min_width(width);
        let label = ui.add(Label::new(text).truncate());
        if !tip.is_empty() {
            label.on_hover_text(tip);
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_share_the_room_or_are_scrolled() {
        let (first, other, fits) = widths(800.0, 3);
        assert!(fits && first >= 110.0 && first + 3.0 * (other + GAP) <= 800.0 && other > LEAST);
        let (first, other, fits) = widths(400.0, 12);
        assert!(!fits && first >= 110.0 && other == LEAST);
    }
}

//! The frontier: every setting that was run as a point, right answers against a leak. The same points as in the report.

mod made;
mod plot;
#[cfg(test)]
mod tests;

use eframe::egui::{ComboBox, Label, Response, RichText, ScrollArea, TextStyle, Ui, vec2};

use self::made::{Made, Set};
use crate::app::choice::{selectable_if_ui, selectable_ui};
use crate::app::words::decimal;
use crate::app::{Act, Activity, Look};
use crate::report::points::{Leak, Point, Spread, utility};
use crate::score::metrics::Metric;
use crate::texts::say;

/// The plot's share of the height; the rest is the list of the points in words.
const PLOT: f32 = 0.62;
/// No plot is lower than this, in points.
const LEAST: f32 = 150.0;

/// How the frontier is looked at.
#[derive(Debug, Default)]
pub struct FrontierView {
    /// Made of the list of runs with this number, once.
    made: Option<(u64, Made)>,
    leak: Leak,
    /// Which of several sets of images, by its place.
    set: usize,
}

/// Draws it.
pub fn frontier_ui(ui: &mut Ui, look: Look<'_>, view: &mut FrontierView, acts: &mut Vec<Act>) {
    let generation = look.library.generation;
    if view.made.as_ref().is_none_or(|(of, _)| *of != generation) {
        view.made = Some((generation, Made::of(&look.library.runs)));
    }
    let Some((_, made)) = &view.made else { return };
    if made.sets.is_empty() {
        empty_ui(ui, look);
        return;
    }
    view.set = view.set.min(made.sets.len() - 1);
    let set = &made.sets[view.set];
    if set.points(view.leak).is_empty() {
        view.leak = Leak::ALL.into_iter().find(|leak| !set.points(*leak).is_empty()).unwrap_or_default();
    }
    choices_ui(ui, made, &mut view.set, &mut view.leak);
    let Some(set) = made.sets.get(view.set) else { return };
    let points = set.points(view.leak);
    let height = (PLOT * ui.available_height()).max(LEAST);
    if let Some(at) = plot::plot_ui(ui, set, points, view.leak, height) {
        open(look, set, at, acts);
    }
    list_ui(ui, look, set, points, view.leak, acts);
}

fn empty_ui(ui: &mut Ui, look: Look<'_>) {
    let words = if look.library.known {
        t!(
            "Every setting becomes a point here once a run of it is finished and was attacked: right answers against a leak. Run the \
             same images without a defence, then under several, with several strengths and seeds; what no other setting beats is the \
             front. `cutlayer report FOLDER --out report.html` writes the same as a page."
        )
    } else {
        t!("Looking for runs\u{2026}")
    };
    ui.add_sized(vec2(ui.available_width(), 0.0), Label::new(words).wrap());
}

/// Which images, and which leak.
fn choices_ui(ui: &mut Ui, made: &Made, set: &mut usize, leak: &mut Leak) {
    ui.horizontal_wrapped(|ui| {
        if made.sets.len() > 1 {
            let label = ui.label(t!("Images"));
            let chosen = made.sets[*set].name.clone();
            let combo = ComboBox::from_id_salt("frontier-images").selected_text(chosen);
            let response = combo.show_ui(ui, |ui| {
                for (i, one) in made.sets.iter().enumerate() {
                    if selectable_ui(ui, *set == i, one.name.clone()).clicked() {
                        *set = i;
                    }
                }
            });
            response.response.labelled_by(label.id);
        }
        ui.label(t!("Leak by"));
        for one in Leak::ALL {
            let measured = !made.sets[*set].points(one).is_empty();
            let tip = one.metric().map_or_else(
                || t!("How often a stolen image finds another image of the same patient first among all.").to_owned(),
                |metric| say(metric.help).to_owned(),
            );
            let response = selectable_if_ui(ui, measured, *leak == one, name(one));
            let response = response.on_hover_text(&tip).on_disabled_hover_text(t!("None of these runs measured it."));
            if response.clicked() {
                *leak = one;
            }
        }
    });
}

/// What a leak is called.
fn name(leak: Leak) -> &'static str {
    leak.metric().map_or_else(|| t!("patients found again"), |metric| say(metric.name))
}

/// A number over seeds with its unit.
fn number<T>(spread: &Spread, metric: Option<&Metric<T>>, digits: usize) -> String {
    let error = spread.error.map(|error| format!(" \u{b1} {}", decimal(error, digits))).unwrap_or_default();
    let number = format!("{}{error}", decimal(spread.mean, digits));
    metric.map_or_else(|| format!("{number} %"), |metric| metric.with_unit(&number))
}

/// A point in words.
fn words(set: &Set, point: &Point, leak: Leak) -> String {
    let setting = &set.all.settings[point.setting];
    let metric = utility(&set.all);
    let right = number(&point.utility, Some(metric), metric.digits);
    let told = |spread: &Spread| number(spread, leak.metric(), leak.digits());
    let leaks = match (setting.defended(), &point.naive, &point.adaptive) {
        (true, Some(naive), Some(adaptive)) => {
            t!("naive {naive}, adaptive {adaptive}", naive = told(naive), adaptive = told(adaptive))
        }
        (true, Some(naive), None) => t!("naive alone: {naive}", naive = told(naive)),
        (true, None, Some(adaptive)) => t!("adaptive {adaptive}", adaptive = told(adaptive)),
        _ => told(&point.leak),
    };
    let front = if point.front { t!(", on the front") } else { "" };
    let label = if setting.defended() { setting.label.clone() } else { undefended(&setting.label) };
    t!(
        "{number}. {label}: {utility} {right}; {leak} {leaks}{front}",
        number = point.setting + 1,
        label,
        utility = say(metric.name),
        right,
        leak = name(leak),
        leaks,
        front
    )
}

/// An undefended setting, and what tells it from others.
fn undefended(label: &str) -> String {
    match label.split_once(", ") {
        Some((_, rest)) => format!("{}, {rest}", t!("undefended")),
        None => t!("undefended").to_owned(),
    }
}

/// The points in words; each opens its run.
fn list_ui(ui: &mut Ui, look: Look<'_>, set: &Set, points: &[Point], leak: Leak, acts: &mut Vec<Act>) {
    ScrollArea::vertical().id_salt("frontier list").auto_shrink(false).show(ui, |ui| {
        ui.spacing_mut().item_spacing.y = 1.0;
        if set.left_out > 0 {
            let left_out = set.left_out;
            let words =
                t!("{left_out} older runs are left out: they were judged by other rules. Attack them again.", left_out);
            ui.add(Label::new(RichText::new(words).weak()).wrap());
        }
        for point in points {
            let text = words(set, point, leak);
            let rich = if point.front { RichText::new(&text).strong() } else { RichText::new(&text) };
            let label = Label::new(rich.text_style(TextStyle::Small)).truncate().sense(eframe::egui::Sense::click());
            let response: Response = ui.add(label);
            response.widget_info(|| eframe::egui::WidgetInfo::labeled(eframe::egui::Role::Button, true, &text));
            if response.on_hover_text(format!("{text}\n{}", t!("A click opens its run."))).clicked() {
                open(look, set, point.setting, acts);
            }
        }
    });
}

/// Opens the run of a setting: of its first seed.
fn open(look: Look<'_>, set: &Set, setting: usize, acts: &mut Vec<Act>) {
    if look.activity == Activity::Idle {
        acts.extend(set.run(setting).map(|path| Act::ShowRun(path.clone())));
    }
}

//! The frontier: every setting that was run as a point, right answers against a leak. The same points as in the report.

mod chosen;
mod example;
mod made;
mod plot;
#[cfg(test)]
mod tests;

use eframe::egui::{ComboBox, Label, Response, RichText, Role, ScrollArea, Sense, TextStyle, Ui, WidgetInfo};

use self::made::{Made, Set};
use crate::app::choice::{selectable_if_ui, selectable_ui};
use crate::app::theme::cut_short_ui;
use crate::app::words::{decimal, setting_label};
use crate::app::{Act, Activity, Look};
use crate::report::points::{Leak, Point, Scored, Spread, utility};
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
    /// What a leak is measured by.
    pub leak: Leak,
    /// Whose attacks count.
    pub scored: Scored,
    /// The point that somebody chose, by its setting's place in the set.
    pub chosen: Option<usize>,
    /// Which of several sets of images, by its place.
    set: usize,
    /// What was recorded is asked for, once it is known where it stands.
    wants_recorded: bool,
}

impl FrontierView {
    /// What was recorded, scored as papers often do: by attackers who do not know the defence.
    pub fn recorded() -> Self {
        Self { scored: Scored::Naive, wants_recorded: true, ..Self::default() }
    }
}

/// Draws it.
pub fn frontier_ui(ui: &mut Ui, look: Look<'_>, view: &mut FrontierView, acts: &mut Vec<Act>) {
    let generation = look.library.generation;
    if view.made.as_ref().is_none_or(|(of, _)| *of != generation) {
        // What was chosen is chosen still, where it has its place still.
        let place = |made: &Made, set: usize| made.sets.get(set).map(|set| (set.name.clone(), set.all.settings.len()));
        let made = Made::of(&look.library.runs);
        let before = view.made.as_ref().and_then(|(_, before)| place(before, view.set));
        if let Some(before) = before {
            view.set =
                (0..made.sets.len()).find(|at| place(&made, *at).is_some_and(|now| now.0 == before.0)).unwrap_or(0);
            view.chosen = view.chosen.filter(|_| place(&made, view.set) == Some(before));
        }
        view.made = Some((generation, made));
    }
    let Some((_, made)) = &view.made else { return };
    if made.sets.is_empty() {
        return;
    }
    if let Some(at) = made.recorded().filter(|_| std::mem::take(&mut view.wants_recorded)) {
        view.set = at;
    }
    view.set = view.set.min(made.sets.len() - 1);
    let (before, leak) = (view.set, &mut view.leak);
    let set = &made.sets[view.set];
    if set.points(*leak, Scored::All).is_empty() {
        *leak = Leak::ALL.into_iter().find(|leak| !set.points(*leak, Scored::All).is_empty()).unwrap_or_default();
    }
    choices_ui(ui, made, &mut view.set, leak);
    scored_ui(ui, &mut view.scored);
    if view.set != before {
        view.chosen = None;
    }
    let Some(set) = made.sets.get(view.set) else { return };
    if set.recorded {
        recorded_ui(ui, look);
    }
    let shown = Shown { set, points: set.points(view.leak, view.scored), leak: view.leak, scored: view.scored };
    let height = (PLOT * ui.available_height()).max(LEAST);
    if let Some(at) = plot::plot_ui(ui, shown, view.chosen, height) {
        view.chosen = Some(at);
    }
    let clicked = list_ui(ui, look, shown, view.chosen, acts);
    view.chosen = clicked.or(view.chosen);
}

/// What is drawn.
#[derive(Clone, Copy)]
struct Shown<'a> {
    set: &'a Set,
    points: &'a [Point],
    leak: Leak,
    scored: Scored,
}

/// That these are no runs of one's own, and how such come about.
fn recorded_ui(ui: &mut Ui, look: Look<'_>) {
    let brief = t!("Recorded example: few images, short attacks, two seeds.");
    let tip = if look.library.known {
        t!(
            "Every setting becomes a point here once a run of it is finished and was attacked: right answers against a leak. Run the \
             same images without a defence, then under several, with several strengths and seeds; what no other setting beats is the \
             front. `cutlayer report FOLDER --out report.html` writes the same as a page."
        )
    } else {
        t!("Looking for runs\u{2026}")
    };
    cut_short_ui(ui, RichText::new(brief).italics(), tip);
}

/// Whose attacks the points are scored by.
fn scored_ui(ui: &mut Ui, scored: &mut Scored) {
    ui.horizontal_wrapped(|ui| {
        ui.label(t!("Scored by"));
        for (one, words, tip) in [
            (
                Scored::Naive,
                t!("naive attackers"),
                t!("Attackers who do not know the defence. Scored so, every defence looks better than it is."),
            ),
            (
                Scored::All,
                t!("all attackers"),
                t!("The worst of attackers who know the defence and those who do not: what a defence has to stand up to."),
            ),
        ] {
            if selectable_ui(ui, *scored == one, words).on_hover_text(tip).clicked() {
                *scored = one;
            }
        }
    });
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
            let measured = !made.sets[*set].points(one, Scored::All).is_empty();
            // Digits have no patients.
            if !measured && one == Leak::Found {
                continue;
            }
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
fn words(Shown { set, leak, scored, .. }: Shown<'_>, point: &Point) -> String {
    let setting = &set.all.settings[point.setting];
    let metric = utility(&set.all);
    let right = number(&point.utility, Some(metric), metric.digits);
    let told = |spread: &Spread| number(spread, leak.metric(), leak.digits());
    let leaks = match (setting.defended(), &point.naive, &point.adaptive) {
        (true, Some(naive), _) if scored == Scored::Naive => t!("naive {naive}", naive = told(naive)),
        (true, Some(naive), Some(adaptive)) => {
            t!("naive {naive}, adaptive {adaptive}", naive = told(naive), adaptive = told(adaptive))
        }
        (true, Some(naive), None) => t!("naive alone: {naive}", naive = told(naive)),
        (true, None, Some(adaptive)) => t!("adaptive {adaptive}", adaptive = told(adaptive)),
        _ => told(&point.leak),
    };
    let front = if point.front { t!(", on the front") } else { "" };
    let label = setting_label(setting);
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

/// The chosen point, and all of them in words. Tells the setting that was clicked; a double click opens its run.
fn list_ui(ui: &mut Ui, look: Look<'_>, shown: Shown<'_>, chosen: Option<usize>, acts: &mut Vec<Act>) -> Option<usize> {
    let (set, points) = (shown.set, shown.points);
    let mut clicked = None;
    ScrollArea::vertical().id_salt("frontier list").auto_shrink(false).show(ui, |ui| {
        ui.spacing_mut().item_spacing.y = 1.0;
        if let Some(place) = chosen {
            chosen::chosen_ui(ui, look, shown, place, acts);
        }
        if set.left_out > 0 {
            let left_out = set.left_out;
            let words =
                t!("{left_out} older runs are left out: they were judged by other rules. Attack them again.", left_out);
            ui.add(Label::new(RichText::new(words).weak()).wrap());
        }
        for point in points {
            let text = words(shown, point);
            let rich = if point.front { RichText::new(&text).strong() } else { RichText::new(&text) };
            let is_chosen = chosen == Some(point.setting);
            let rich = if is_chosen { rich.underline() } else { rich };
            let label = Label::new(rich.text_style(TextStyle::Small)).truncate().sense(Sense::click());
            let response: Response = ui.add(label);
            response.widget_info(|| WidgetInfo::selected(Role::RadioButton, true, is_chosen, &text));
            if response.double_clicked() {
                open(look, set, point.setting, acts);
            }
            if response.on_hover_text(format!("{text}\n{}", tip(set))).clicked() {
                clicked = Some(point.setting);
            }
        }
    });
    clicked
}

/// What a click on a point does.
fn tip(set: &Set) -> &'static str {
    if set.recorded {
        t!("A click makes it your point.")
    } else {
        t!("A click makes it your point, a double click opens its run.")
    }
}

/// Opens the run of a setting: of its first seed.
fn open(look: Look<'_>, set: &Set, setting: usize, acts: &mut Vec<Act>) {
    if look.activity == Activity::Idle {
        acts.extend(set.run(setting).map(|path| Act::ShowRun(path.clone())));
    }
}

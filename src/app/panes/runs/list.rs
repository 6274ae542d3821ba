//! The list: a row a run, drawn only where it is seen, moved through by mouse and keys.

use std::path::PathBuf;
use std::time::SystemTime;

use eframe::egui::{
    Align, Checkbox, EventFilter, Key, Label, Layout, Modifiers, Rect, Response, RichText, Role, ScrollArea, Sense,
    StrokeKind, TextStyle, Ui, UiBuilder, WidgetInfo, vec2,
};

use super::chosen::{self, Doing};
use super::words::{ago, exact, standing, what};
use super::{FEW, RunsView};
use crate::app::{Act, Activity, Library, Look, RunEntry, Standing};

/// From this width on what was run and what it came to share a line.
const WIDE: f32 = 600.0;
/// Above and below a row's text.
const PAD: f32 = 3.0;
/// Letters of a run's notes that its row shows on hovering.
const NOTE: usize = 600;

/// How the list is looked at.
#[derive(Debug, Default)]
pub struct ListView {
    /// Places in the library of the rows to show, with the filter, the list and its length that they are of.
    shown: Vec<usize>,
    of: Option<(String, u64, usize)>,
    /// Runs that were pinned then.
    pinned: Vec<PathBuf>,
    /// The row to bring into view, and to give the keyboard's focus to.
    go_to: Option<PathBuf>,
}

impl ListView {
    /// The runs that the list shows.
    pub fn shown<'a>(&'a self, library: &'a Library, filter: &str) -> impl Iterator<Item = &'a RunEntry> {
        // Before it was drawn, and where it is of another list, all of them count.
        let of = self.of.as_ref().filter(|of| of.1 == library.generation && of.2 == library.runs.len());
        let all = of.is_none_or(|_| filter.is_empty());
        let every = 0..if all { library.runs.len() } else { 0 };
        let some = if all { &[][..] } else { &self.shown };
        every.chain(some.iter().copied()).filter_map(|at| library.runs.get(at))
    }

    /// Takes a new list or filter in.
    fn update(&mut self, look: Look<'_>, filter: &str) {
        let library = look.library;
        let filter = if library.runs.len() > FEW { filter } else { "" };
        let of = (filter, library.generation, library.runs.len());
        let same = self.of.as_ref().is_some_and(|its| (its.0.as_str(), its.1, its.2) == of);
        if same && self.pinned == *look.pinned {
            return;
        }
        let words: Vec<String> = filter.split_whitespace().map(str::to_lowercase).collect();
        let fits = |run: &RunEntry| {
            words.is_empty() || {
                let was_run = run.experiment.as_ref().map(what).unwrap_or_default();
                let text = format!("{} {was_run} {}", run.name, run.notes.text);
                let text = text.to_lowercase();
                words.iter().all(|word| text.contains(word))
            }
        };
        self.shown = (0..library.runs.len()).filter(|at| fits(&library.runs[*at])).collect();
        self.pinned.clone_from(look.pinned);
        // In the order in which they were pinned; the others stay as they are.
        let place = |path: &PathBuf| self.pinned.iter().position(|pinned| pinned == path).unwrap_or(usize::MAX);
        self.shown.sort_by_key(|at| place(&library.runs[*at].path));
        self.of = Some((filter.to_owned(), library.generation, library.runs.len()));
    }
}

/// Lines of a row.
fn lines(ui: &Ui) -> f32 {
    if ui.available_width() >= WIDE { 2.0 } else { 3.0 }
}

/// A row's height, where it gets the present width.
pub fn row_height(ui: &Ui) -> f32 {
    lines(ui) * (ui.text_style_height(&TextStyle::Body) + 1.0) + 2.0 * PAD
}

/// Draws the list in so much height.
pub fn list_ui(ui: &mut Ui, look: Look<'_>, view: &mut RunsView, acts: &mut Vec<Act>, height: f32) {
    let before = view.list.of.as_ref().map(|of| of.1);
    view.list.update(look, &view.filter);
    if before != Some(look.library.generation) && look.library.known {
        // What is gone cannot be chosen, nor what is not finished any more.
        view.ticked.retain(|path| look.library.find(path).is_some_and(|run| run.summary().is_some()));
        view.selected = view.selected.take().filter(|path| look.library.find(path).is_some());
    }
    if view.list.shown.is_empty() {
        ui.label(t!("No run has \"{filter}\" in its name or settings.", filter = view.filter.trim()));
        return;
    }
    ui.scope(|ui| {
        ui.spacing_mut().item_spacing.y = 2.0;
        let row = row_height(ui);
        let height = height.min(view.list.shown.len() as f32 * (row + 2.0));
        let mut area =
            ScrollArea::vertical().id_salt("runs").auto_shrink(false).max_height(height).min_scrolled_height(row);
        let place = |path: &PathBuf| view.list.shown.iter().position(|at| look.library.runs[*at].path == *path);
        let go_to = view.list.go_to.clone();
        if let Some(at) = go_to.as_ref().and_then(place) {
            // A row that is not drawn cannot keep the focus, so it is brought to the middle.
            let middle = at as f32 * (row + 2.0) + 0.5 * (row - height);
            area = area.vertical_scroll_offset(middle.max(0.0));
        }
        let now = SystemTime::now();
        area.show_rows(ui, row, view.list.shown.len(), |ui, range| {
            for at in range {
                let Some(run) = view.list.shown.get(at).and_then(|at| look.library.runs.get(*at)) else { continue };
                let response = row_ui(ui, look, view, run, now);
                if go_to.as_ref() == Some(&run.path) {
                    response.request_focus();
                    view.list.go_to = None;
                }
                used(ui, look, view, acts, (at, run), &response);
            }
        });
    });
}

/// What mouse and keys ask of a row.
fn used(
    ui: &Ui,
    look: Look<'_>,
    view: &mut RunsView,
    acts: &mut Vec<Act>,
    (at, run): (usize, &RunEntry),
    response: &Response,
) {
    if response.clicked() {
        view.select(&run.path);
        response.request_focus();
    }
    if response.double_clicked() && chosen::openable(run).is_ok() && look.activity == Activity::Idle {
        acts.push(Act::ShowRun(run.path.clone()));
    }
    if !response.has_focus() {
        return;
    }
    let arrows = EventFilter { vertical_arrows: true, ..EventFilter::default() };
    ui.memory_mut(|memory| memory.set_focus_lock_filter(response.id, arrows));
    let pressed = |key| ui.input_mut(|input| input.consume_key(Modifiers::NONE, key));
    let next = if pressed(Key::ArrowDown) {
        Some(at + 1)
    } else if pressed(Key::ArrowUp) {
        at.checked_sub(1)
    } else {
        None
    };
    if let Some(next) = next.and_then(|at| view.list.shown.get(at)).and_then(|at| look.library.runs.get(*at)) {
        view.select(&next.path);
        view.list.go_to = Some(next.path.clone());
        ui.ctx().request_repaint();
    }
    if chosen::at_work(look, run) {
        return;
    }
    if pressed(Key::F2) {
        view.select(&run.path);
        view.doing = Some(Doing::rename(run));
    } else if pressed(Key::Delete) {
        view.select(&run.path);
        view.doing = Some(Doing::Trash);
    }
}

fn row_ui(ui: &mut Ui, look: Look<'_>, view: &mut RunsView, run: &RunEntry, now: SystemTime) -> Response {
    let selected = view.selected.as_ref() == Some(&run.path);
    let (_, rect) = ui.allocate_space(vec2(ui.available_width(), row_height(ui)));
    // The place in the list changes, the run does not.
    let response = ui.interact(rect, ui.make_persistent_id(&run.path), Sense::click());
    let came_to = if chosen::at_work(look, run) {
        (t!("at work now").to_owned(), t!("Its worker is at it in this window.").to_owned())
    } else {
        standing(run)
    };
    let when = ago(run.changed, now);
    response.widget_info(|| {
        let pinned = if look.pinned.contains(&run.path) { t!(", pinned") } else { "" };
        let notes = if run.notes.text.is_empty() { "" } else { t!(", with notes") };
        let words = t!(
            "Run {name}, {when}, {came_to}{pinned}{notes}",
            name = run.name,
            when,
            came_to = came_to.0,
            pinned,
            notes
        );
        WidgetInfo::selected(Role::Button, ui.is_enabled(), selected, words)
    });
    let visuals = ui.visuals();
    if selected {
        ui.painter().rect_filled(rect, 4.0, visuals.selection.bg_fill.gamma_multiply(0.55));
    } else if response.hovered() {
        ui.painter().rect_filled(rect, 4.0, visuals.widgets.hovered.weak_bg_fill);
    }
    if response.has_focus() {
        ui.painter().rect_stroke(rect, 4.0, visuals.selection.stroke, StrokeKind::Inside);
    }
    let mut inside = rect.shrink2(vec2(4.0, PAD));
    // The scroll bar floats over the right edge.
    inside.max.x -= 6.0;
    ui.scope_builder(UiBuilder::new().max_rect(inside).layout(Layout::left_to_right(Align::Min)), |ui| {
        tick_ui(ui, view, run);
        let right = Rect::from_min_max(ui.cursor().min, inside.max);
        let column = UiBuilder::new().max_rect(right).layout(Layout::top_down(Align::Min));
        ui.scope_builder(column, |ui| text_ui(ui, look, run, &when, &came_to));
    });
    response
}

fn tick_ui(ui: &mut Ui, view: &mut RunsView, run: &RunEntry) {
    let mut on = view.ticked.contains(&run.path);
    let finished = run.summary().is_some();
    let tick = ui.add_enabled(finished, Checkbox::without_text(&mut on));
    tick.widget_info(|| WidgetInfo::selected(Role::CheckBox, finished, on, t!("Compare {name}", name = run.name)));
    if tick.changed() {
        view.tick(&run.path, on);
    }
    tick.on_hover_text(t!("Tick two runs or more to see what differs between them."))
        .on_disabled_hover_text(t!("Only finished runs can be compared."));
}

/// Name and time; what it came to; what was run.
fn text_ui(ui: &mut Ui, look: Look<'_>, run: &RunEntry, when: &str, came_to: &(String, String)) {
    let wide = ui.available_width() + 40.0 >= WIDE;
    ui.spacing_mut().item_spacing.y = 1.0;
    let height = ui.text_style_height(&TextStyle::Body);
    let size = vec2(ui.available_width(), height);
    let plain = |text: RichText| Label::new(text).selectable(false).truncate();
    ui.allocate_ui_with_layout(size, Layout::right_to_left(Align::Center), |ui| {
        ui.add(Label::new(RichText::new(when).weak()).selectable(false)).on_hover_text(exact(run.changed));
        if look.state.folder.as_ref() == Some(&run.path) {
            let tip = t!("This run is the one that curves, table and images show.");
            ui.add(Label::new(RichText::new(t!("open")).strong()).selectable(false)).on_hover_text(tip);
        }
        if look.pinned.contains(&run.path) {
            let tip = t!("It stays first in the list, and its curves stand pale behind those of the open run.");
            ui.add(Label::new(RichText::new(t!("pinned")).strong()).selectable(false)).on_hover_text(tip);
        }
        if !run.notes.text.is_empty() {
            let text: String = run.notes.text.chars().take(NOTE).collect();
            ui.add(Label::new(RichText::new(t!("notes")).italics()).selectable(false)).on_hover_text(text);
        }
        ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
            ui.add(plain(RichText::new(&run.name).strong())).on_hover_text(run.path.display().to_string());
            if let Some(parent) = run.path.parent().filter(|parent| *parent != look.runs.as_path()) {
                let tip = t!("It was opened from there, and is not among the program's own runs.");
                ui.add(plain(RichText::new(t!("in {path}", path = parent.display())).weak())).on_hover_text(tip);
            }
        });
    });
    let was_run = run.experiment.as_ref().map_or(t!("what was run cannot be read").to_owned(), what);
    let attacks = run.experiment.as_ref().map_or(String::new(), |experiment| {
        let names = experiment.attack_names();
        if names.is_empty() {
            t!("\nNo attacks.").to_owned()
        } else {
            t!("\nAttacks: {names}.", names = names.join(", "))
        }
    });
    let standing = plain(if matches!(run.standing, Standing::Lacking(_) | Standing::Damaged(_)) {
        RichText::new(&came_to.0).strong()
    } else {
        RichText::new(&came_to.0)
    });
    let setup = plain(RichText::new(&was_run).weak());
    if wide {
        ui.allocate_ui_with_layout(size, Layout::left_to_right(Align::Center), |ui| {
            let half = vec2(0.5 * size.x - 4.0, height);
            let to_left = Layout::left_to_right(Align::Center);
            ui.allocate_ui_with_layout(half, to_left, |ui| {
                ui.set_min_width(half.x);
                ui.add(standing).on_hover_text(&came_to.1);
            });
            ui.add(setup).on_hover_text(format!("{was_run}{attacks}"));
        });
    } else {
        ui.add(standing).on_hover_text(&came_to.1);
        ui.add(setup).on_hover_text(format!("{was_run}{attacks}"));
    }
}

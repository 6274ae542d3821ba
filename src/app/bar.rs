//! The top bar: what to run, Run, and how far it is.

use eframe::egui::{
    Align, Button, ComboBox, DragValue, Layout, ProgressBar, RichText, Role as Kind, ScrollArea, Ui, WidgetInfo,
};

use super::choice::selectable_ui;
use super::command::{Command, Menu, commands, why_not};
use super::hidden::Control;
use super::language::language_ui;
use super::lit::lit_ui;
use super::play::speed_ui;
use super::presets::{PresetsView, presets_ui};
use super::state::Status;
use super::theme::{cut_short_ui, warning_ui};
use super::words::{capitalised, clock, duration, phase};
use super::{Act, Activity, DayAct, Look, Workspace};
use crate::lesson::Part;
use crate::run::event::Progress;

const BUTTON: [f32; 2] = [64.0, 28.0];
/// Above and below a menu, in points.
const MARGIN: f32 = 16.0;
/// In less room, as with large text, the bar takes two rows.
const ONE_ROW: f32 = 760.0;
/// From this width on the bar has room for what is asked for once a lesson.
const ROOMY: f32 = 1000.0;

/// Draws the bar.
pub fn bar_ui(ui: &mut Ui, look: Look<'_>, presets: &mut PresetsView, acts: &mut Vec<Act>) {
    let one_row = ui.available_width() >= ONE_ROW;
    ui.add_space(4.0);
    ui.horizontal(|ui| {
        ui.spacing_mut().interact_size.y = BUTTON[1];
        menu_ui(ui, look, acts);
        let buttons = ui.scope(|ui| ui.horizontal(|ui| buttons_ui(ui, look, false, acts))).response.rect;
        lit_ui(ui, look, Part::Run, buttons);
        if one_row {
            ui.separator();
            rest_ui(ui, look, presets, acts);
        }
    });
    if !one_row {
        ui.horizontal(|ui| {
            ui.spacing_mut().interact_size.y = BUTTON[1];
            rest_ui(ui, look, presets, acts);
        });
    }
    ui.add_space(4.0);
}

/// What to run, and how far it is.
fn rest_ui(ui: &mut Ui, look: Look<'_>, presets: &mut PresetsView, acts: &mut Vec<Act>) {
    choice_ui(ui, look, presets, acts);
    ui.separator();
    ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
        let workspaces = ui.scope(|ui| workspaces_ui(ui, look, acts)).response.rect;
        lit_ui(ui, look, Part::Workspace, workspaces);
        ui.with_layout(Layout::left_to_right(Align::Center), |ui| progress_ui(ui, look));
    });
}

/// The workspaces; from right to left, as they are laid out.
fn workspaces_ui(ui: &mut Ui, look: Look<'_>, acts: &mut Vec<Act>) {
    let mut choice = |ui: &mut Ui, workspace: Workspace| {
        let chosen = look.workspace == workspace;
        let button = selectable_ui(ui, chosen, workspace.title()).on_hover_text(workspace.about());
        if button.clicked() {
            acts.push(Act::Workspace(workspace));
            ui.close();
        }
    };
    if ui.ctx().content_rect().width() >= ROOMY {
        Workspace::ALL.into_iter().rev().for_each(|workspace| choice(ui, workspace));
        ui.separator();
    } else {
        let now = ComboBox::from_id_salt("workspace").selected_text(look.workspace.title()).width(70.0);
        let list = now.show_ui(ui, |ui| Workspace::ALL.into_iter().for_each(|workspace| choice(ui, workspace)));
        let words = t!("Workspace: {title}", title = look.workspace.title());
        list.response.widget_info(|| WidgetInfo::labeled(Kind::ComboBox, true, &words));
        list.response.on_hover_text(t!("What the panes below the stage are for"));
    }
}

/// Every command, by menu.
pub fn menu_ui(ui: &mut Ui, look: Look<'_>, acts: &mut Vec<Act>) {
    ui.menu_button(t!("Menu"), |ui| {
        let all = commands();
        for menu in Menu::ALL {
            ui.menu_button(menu.word(), |ui| {
                // The longest has more items than a small screen has room for.
                let room = ui.ctx().content_rect().height() - 2.0 * MARGIN;
                ScrollArea::vertical().max_height(room).show(ui, |ui| {
                    let own = all.iter().filter(|command| command.menu == menu);
                    own.for_each(|command| item_ui(ui, look, command, acts));
                    if menu == Menu::View {
                        language_ui(ui, look, acts);
                    }
                });
            });
        }
    })
    .response
    .on_hover_text(t!("Every command"));
}

fn item_ui(ui: &mut Ui, look: Look<'_>, command: &Command, acts: &mut Vec<Act>) {
    let why = why_not(&command.act, &look);
    let keys = command.keys.map(|keys| ui.ctx().format_shortcut(&keys)).unwrap_or_default();
    let item = ui.add_enabled(why.is_none(), Button::new(&command.words).shortcut_text(keys));
    let item = item.on_hover_text(&command.help);
    if item.on_disabled_hover_text(why.unwrap_or_default()).clicked() {
        acts.push(command.act.clone());
        ui.close();
    }
}

/// Asks whether an unfinished run is to be continued.
pub fn unfinished_ui(ui: &mut Ui, path: &std::path::Path, acts: &mut Vec<Act>) {
    ui.add_space(4.0);
    ui.horizontal_wrapped(|ui| {
        let name = path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
        ui.label(t!("The run {name} was left unfinished.", name));
        if ui.button(t!("Continue")).on_hover_text(t!("Go on where it stopped")).clicked() {
            acts.push(Act::Continue(path.to_owned()));
        }
        if ui.button(t!("Leave it")).on_hover_text(t!("It stays in the list of runs")).clicked() {
            acts.push(Act::Leave);
        }
    });
    ui.add_space(4.0);
}

/// Says that the session was brought back, and offers to begin afresh.
pub fn session_ui(ui: &mut Ui, words: &str, acts: &mut Vec<Act>) {
    ui.add_space(4.0);
    ui.horizontal_wrapped(|ui| {
        ui.label(words);
        let tip = t!("Everything as at the first start; Undo brings this back. Runs and their folders stay");
        if ui.button(t!("Start afresh")).on_hover_text(tip).clicked() {
            acts.push(Act::NextClass);
        }
        if ui.button(t!("Go on")).on_hover_text(t!("Hide this line")).clicked() {
            acts.push(Act::Day(DayAct::KeepSession));
        }
    });
    ui.add_space(4.0);
}

/// Offers the way back from a reset.
pub fn reset_ui(ui: &mut Ui, words: &str, acts: &mut Vec<Act>) {
    ui.add_space(4.0);
    ui.horizontal(|ui| {
        ui.label(words);
        if ui.button(t!("Bring it back")).on_hover_text(t!("Undo: everything as it was before the reset")).clicked() {
            acts.push(Act::Undo);
        }
        if ui
            .button(t!("Keep the reset"))
            .on_hover_text(t!("Hide this line; Undo still brings everything back"))
            .clicked()
        {
            acts.push(Act::KeepReset);
        }
    });
    ui.add_space(4.0);
}

/// Draws what went wrong, until it is closed.
pub fn error_ui(ui: &mut Ui, error: &str, acts: &mut Vec<Act>) {
    ui.add_space(4.0);
    ui.horizontal(|ui| {
        warning_ui(ui);
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            if ui.button(t!("Close")).on_hover_text(t!("Hide this message; it stays in the log")).clicked() {
                acts.push(Act::CloseError);
            }
            ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                ui.add(eframe::egui::Label::new(RichText::new(error).strong()).wrap());
            });
        });
    });
    ui.add_space(4.0);
}

/// One of the buttons that command a run, which can be used, or why not; true where it was clicked.
fn button_ui(ui: &mut Ui, can: Result<(), &str>, button: Button<'_>, tip: &str) -> bool {
    let response = ui.add_enabled(can.is_ok(), button.min_size(BUTTON.into()));
    response.on_hover_text(tip).on_disabled_hover_text(can.err().unwrap_or_default()).clicked()
}

/// Run, Step and Stop, and unless there are to be few what is asked for less often.
pub fn buttons_ui(ui: &mut Ui, look: Look<'_>, few: bool, acts: &mut Vec<Act>) {
    if look.hidden.has(Control::Run) {
        return;
    }
    let (idle, stopping) = (look.activity == Activity::Idle, look.activity == Activity::Stopping);
    let roomy = ui.ctx().content_rect().width() >= ROOMY;
    let selection = ui.visuals().selection;
    let filled =
        |word: &str| Button::new(RichText::new(word).strong().color(selection.stroke.color)).fill(selection.bg_fill);
    let free = if stopping { Err(t!("The run is being saved")) } else { Ok(()) };
    if look.activity == Activity::Running {
        if button_ui(ui, Ok(()), filled(t!("Pause")), t!("Wait before the next slice of work")) {
            acts.push(Act::Pause);
        }
    } else if button_ui(ui, free, filled(t!("Run")), if idle { t!("Train, attack and judge") } else { t!("Go on") }) {
        acts.push(Act::Run);
    }
    if button_ui(ui, free, Button::new(t!("Step")), t!("One slice of work, then wait")) {
        acts.push(Act::Step);
    }
    let word = if stopping { t!("Stopping\u{2026}") } else { t!("Stop") };
    let going = if idle { Err(t!("No run is going")) } else { free };
    if button_ui(ui, going, Button::new(word), t!("Save what was measured and end the run")) {
        acts.push(Act::Stop);
    }
    if few {
        return;
    }
    // In a narrower window the menu has this and the last one.
    if roomy {
        speed_ui(ui, look, BUTTON[1], acts);
    }
    let ended = if idle { Ok(()) } else { Err(t!("Can be done once the run has ended")) };
    let tip = t!("Forget the shown run and play the opening again; its folder is kept");
    if button_ui(ui, ended, Button::new(t!("Reset")), tip) {
        acts.push(Act::Reset);
    }
    let tip =
        t!("Reset for the next class: preset, seed, cut, levers, drawing and stage as at the start. Undo brings \
               everything back");
    if roomy && look.workspace == Workspace::Teach && button_ui(ui, free, Button::new(t!("Next class")), tip) {
        acts.push(Act::NextClass);
    }
}

fn choice_ui(ui: &mut Ui, look: Look<'_>, presets: &mut PresetsView, acts: &mut Vec<Act>) {
    if look.hidden.has(Control::Experiment) {
        ui.label(t!("{name}, seed {seed}", name = look.document.name(), seed = look.document.experiment().seed));
        return;
    }
    presets_ui(ui, look, presets, acts);
    let label = ui.label(t!("Seed"));
    let mut seed = look.document.experiment().seed;
    let drag = ui.add(DragValue::new(&mut seed).range(0..=i64::MAX as u64).speed(0.05)).labelled_by(label.id);
    if drag.changed() {
        acts.push(Act::Set("seed".to_owned(), seed.to_string()));
    }
    drag.on_hover_text(t!("Everything random is drawn from it: same seed, same numbers"));
}

pub fn progress_ui(ui: &mut Ui, look: Look<'_>) {
    let state = look.state;
    let paused = match look.activity {
        Activity::Paused => t!("Paused: "),
        _ if look.play.training.slow() => t!("Slow motion: "),
        _ => "",
    };
    match (&state.progress, &state.status) {
        (Some(progress), Status::Going) => {
            let share = progress.done as f32 / progress.total.max(1) as f32;
            // What is left is a matter of who holds it back.
            let left = progress.seconds_left.filter(|_| !look.play.training.slow());
            let text = format!("{paused}{}", progress_text(&Progress { seconds_left: left, ..progress.clone() }));
            let bar = ProgressBar::new(share).desired_height(20.0).corner_radius(4);
            // Beside the bar and not in it: a bar's text has one colour on two grounds.
            let width = ui.available_width();
            bar_beside(ui, bar, (0.35 * width).min(160.0), &text, &left_tip(progress));
        }
        (None, Status::Going) => {
            ui.label(t!("{paused}Loading the images\u{2026}", paused));
        }
        (_, status) => {
            let text = match status {
                Status::Done => {
                    let seconds = state.summary.as_ref().map_or(0.0, |summary| summary.seconds);
                    t!("Done in {seconds}: {title}", seconds = duration(seconds), title = state.title)
                }
                Status::Stopped => t!("Stopped: {title}", title = state.title),
                Status::Failed => t!("Failed: {title}", title = state.title),
                Status::Fresh | Status::Going => t!("Ready").to_owned(),
            };
            let label = ui.add(eframe::egui::Label::new(text).truncate());
            if let Some(folder) = &state.folder {
                label.on_hover_text(t!("Kept in {folder}", folder = folder.display()));
            }
        }
    }
}

fn bar_beside(ui: &mut Ui, bar: ProgressBar, width: f32, text: &str, tip: &str) {
    let response = ui.add(bar.desired_width(width));
    response.widget_info(|| WidgetInfo::labeled(Kind::ProgressIndicator, true, text));
    cut_short_ui(ui, text.into(), &format!("{text}\n{tip}"));
}

/// `0:03 left: training dropout, 12 of 16`: what is asked for most comes first, since in little room the end is cut off.
fn progress_text(progress: &Progress) -> String {
    let left = progress.left(clock);
    let colon = if left.is_empty() { "" } else { ": " };
    let text = t!(
        "{left}{colon}{phase}, {done} of {total}",
        left,
        colon,
        phase = phase(&progress.phase),
        done = progress.done,
        total = progress.total
    );
    if left.is_empty() { text } else { capitalised(&text) }
}

/// What the time left is of, and which parts of it cannot be told yet.
fn left_tip(progress: &Progress) -> String {
    let whole = t!("Time left is of the whole run: training, attacks and the table").to_owned();
    if progress.untold.is_empty() {
        return whole;
    }
    let untold: Vec<String> = progress.untold.iter().map(|part| phase(part)).collect();
    t!("{whole}. What these will take is not known before they have begun: {untold}", whole, untold = untold.join(", "))
}

#[cfg(test)]
mod tests {
    use eframe::egui::{Event, Modifiers, MouseWheelSource, MouseWheelUnit, TouchPhase, vec2};
    use egui_kittest::Harness;
    use egui_kittest::kittest::Queryable as _;

    use super::*;
    use crate::app::test_look::Shop;
    use crate::experiment::fixture::{DEFENDED, TITLE};

    #[test]
    fn a_menu_with_more_items_than_the_screen_has_room_for_stays_on_it() {
        let shop = Shop::default();
        let (size, mut acts) = ([700.0, 400.0], Vec::new());
        let mut harness = Harness::builder().with_size(size).build_ui(|ui| menu_ui(ui, shop.look(), &mut acts));
        harness.get_by_label("Menu").click();
        harness.run_steps(3);
        harness.get_by_label_contains(Menu::Run.word()).click();
        harness.run_steps(3);
        let first = harness.get_by_label_contains("Run or pause").rect();
        assert!(first.top() >= 0.0 && first.bottom() <= size[1], "{first}");
        // The last is below, and comes into sight by the wheel.
        let last = || harness.get_by_label_contains("Show trained weights").rect();
        assert!(last().top() > size[1], "{}", last());
        harness.hover_at(first.center());
        harness.event(Event::MouseWheel {
            unit: MouseWheelUnit::Point,
            delta: vec2(0.0, -5000.0),
            phase: TouchPhase::Move,
            modifiers: Modifiers::NONE,
            source: MouseWheelSource::Unknown,
        });
        harness.run_steps(30);
        let last = harness.get_by_label_contains("Show trained weights").rect();
        assert!(last.bottom() <= size[1], "{last}");
    }

    #[test]
    fn progress_is_told_in_words() {
        let mut progress = Progress {
            phase: format!("training {DEFENDED}"),
            done: 12,
            total: 16,
            seconds_left: None,
            untold: Vec::new(),
        };
        assert_eq!(progress_text(&progress), format!("training {TITLE}, 12 of 16"));
        progress.seconds_left = Some(3.2);
        assert_eq!(progress_text(&progress), format!("0:03 left: training {TITLE}, 12 of 16"));
        progress.untold = vec!["inverse".to_owned(), "the table".to_owned()];
        assert_eq!(progress_text(&progress), format!("At least 0:03 left: training {TITLE}, 12 of 16"));
        assert!(left_tip(&progress).ends_with("begun: inverse, the table"));
        progress.phase = format!("training {DEFENDED} and vanilla");
        progress.seconds_left = None;
        assert!(progress_text(&progress).starts_with(&format!("training {TITLE} and the undefended model, 12")));
    }
}

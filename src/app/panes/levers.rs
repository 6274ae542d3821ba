//! The levers: the few settings that matter most. The stage follows each at once, from the present weights.

mod attacker;

use eframe::egui::{
    Button, Checkbox, DragValue, Id, Label, RichText, Role as Kind, ScrollArea, Slider, Ui, WidgetInfo, vec2,
};
use toml::Value;

use self::attacker::attacker_ui;
use super::goal::goal_ui;
use crate::app::hidden::Control;
use crate::app::settings::values::{assigned, shown};
use crate::app::{Act, Activity, Look, Popup, Purpose, Source};
use crate::attack::kind::Kind as Attack;
use crate::defence::Lever;
use crate::experiment::{AttackSpec, Experiment};
use crate::setting::{Kind as SettingKind, Setting};
use crate::texts::say;
use crate::workbench::{attacks, find, usual_defence};

/// Width of the names beside the levers.
const NAMES: f32 = 136.0;
/// In less room a lever stands below its name.
const BESIDE: f32 = 330.0;

/// Draws the levers.
pub fn levers_ui(ui: &mut Ui, look: Look<'_>, acts: &mut Vec<Act>) {
    ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
        ui.spacing_mut().item_spacing.y = 5.0;
        if look.hidden.has(Control::Levers) {
            ui.weak(t!("This state hides the levers."));
        } else {
            note_ui(ui, look);
            differs_ui(ui, look, acts);
            strength_ui(ui, look, acts);
            if !look.hidden.has(Control::Cut) {
                cut_ui(ui, look, acts);
            }
            if !look.hidden.has(Control::Attacker) {
                attacker_ui(ui, look, acts);
            }
            attacks_ui(ui, look, acts);
        }
        goal_ui(ui, look, acts);
        ui.add_space(4.0);
        ui.horizontal_wrapped(|ui| {
            let tip = t!("Every setting of the experiment, with what it does and the paper's value");
            if !look.hidden.has(Control::Settings) && ui.button(t!("All settings…")).on_hover_text(tip).clicked() {
                acts.push(Act::Popup(Some(Popup::Settings)));
            }
            history_ui(ui, look, acts);
            if ui.button(t!("Open…")).on_hover_text(t!("Open an experiment of your own, a TOML file")).clicked() {
                acts.push(Act::Ask(Purpose::Open));
            }
            if ui.button(t!("Save…")).on_hover_text(t!("Write the experiment to a TOML file")).clicked() {
                acts.push(Act::Ask(Purpose::Save));
            }
        });
    });
}

/// A lever beside its name, or below it where there is little room. It is handed the name's id.
fn row_ui(ui: &mut Ui, name: &str, tip: &str, lever: impl FnOnce(&mut Ui, Id)) {
    if ui.available_width() < BESIDE {
        let name = ui.add(Label::new(name).wrap()).on_hover_text(tip);
        ui.indent(name.id, |ui| lever(ui, name.id));
        return;
    }
    ui.horizontal_top(|ui| {
        let height = ui.spacing().interact_size.y;
        let name = ui
            .allocate_ui(vec2(NAMES, height), |ui| {
                ui.set_min_size(vec2(NAMES, height));
                ui.horizontal_centered(|ui| ui.add(Label::new(name).truncate()).on_hover_text(tip)).inner
            })
            .inner;
        ui.vertical(|ui| lever(ui, name.id));
    });
}

/// The settings that are not as the shown run has them: the ways to bring both together.
fn differs_ui(ui: &mut Ui, look: Look<'_>, acts: &mut Vec<Act>) {
    let Some(run) = look.run else { return };
    let here = look.document.experiment();
    if run == here {
        return;
    }
    let keys = differing(run, here);
    let words = match keys.as_slice() {
        _ if !run.data.same_images(&here.data) => t!("The shown run is of other images.").to_owned(),
        [one] => t!("{one} is not as in the shown run.", one),
        many => t!("{many} settings are not as in the shown run.", many = many.len()),
    };
    ui.horizontal_wrapped(|ui| {
        let words = RichText::new(words).color(ui.visuals().warn_fg_color);
        ui.add(Label::new(words).wrap()).on_hover_text(keys.join(", "));
        if ui.button(t!("Revert")).on_hover_text(t!("Every setting as the shown run has it")).clicked() {
            acts.push(Act::Take(Box::new(run.clone())));
        }
        let button = ui.add_enabled(look.activity == Activity::Idle, Button::new(t!("Run with these")));
        let button = button.on_hover_text(t!("Start a new run with the levers as they are"));
        if button.on_disabled_hover_text(t!("A run is going")).clicked() {
            acts.push(Act::Run);
        }
    });
}

/// Keys of the settings in which two experiments differ.
fn differing(a: &Experiment, b: &Experiment) -> Vec<&'static str> {
    let (a, b) = (a.values(), b.values());
    let mut keys: Vec<&'static str> = a.keys().chain(b.keys()).copied().collect();
    keys.sort_unstable();
    keys.dedup();
    keys.retain(|key| a.get(key) != b.get(key));
    keys
}

/// What the shown run has for a setting, where that is something else, and the way back to it.
fn of_the_run_ui(ui: &mut Ui, look: Look<'_>, setting: &'static Setting, acts: &mut Vec<Act>) {
    let here = look.document.experiment();
    let Some(run) = look.run.filter(|run| *run != here && run.data.same_images(&here.data)) else { return };
    let (mut its, own) = (run.values(), here.values());
    let Some(its) = its.remove(setting.key).filter(|its| own.get(setting.key).is_some_and(|own| own != its)) else {
        return;
    };
    row_ui(ui, "", "", |ui, _| {
        ui.horizontal(|ui| {
            let words = t!("run: {its}", its = shown(&its));
            ui.label(RichText::new(words).color(ui.visuals().warn_fg_color)).on_hover_text(t!(
                "The shown run has {its} for {key}",
                its = shown(&its),
                key = setting.key
            ));
            let tip = t!("Put {key} back to what the shown run has", key = setting.key);
            if ui.small_button(t!("Revert")).on_hover_text(tip).clicked() {
                acts.push(Act::Set(setting.key.to_owned(), assigned(&its)));
            }
        });
    });
}

/// Where the network is cut, as the wire's handle has it, and what the run has.
fn cut_ui(ui: &mut Ui, look: Look<'_>, acts: &mut Vec<Act>) {
    let Some(setting) = find("model.cut") else { return };
    let experiment = look.document.experiment();
    row_ui(ui, t!("Cut after layer"), say(setting.help), |ui, name| {
        let most = look.showing.facts.as_ref().map_or(experiment.model.cut, |facts| facts.layers.len().max(1));
        let mut cut = experiment.model.cut;
        let drag =
            ui.add(DragValue::new(&mut cut).range(1..=most).speed(0.05).update_while_editing(false)).labelled_by(name);
        if drag.on_hover_text(t!("The handle on the wire moves it too")).changed() {
            acts.push(Act::Cut(cut));
        }
    });
    of_the_run_ui(ui, look, setting, acts);
}

/// What pulling a lever does now.
fn note_ui(ui: &mut Ui, look: Look<'_>) {
    let experiment = look.document.experiment();
    let opening = t!(
        "The opening: undefended, cut after layer {first_cut}. The experiment is cut after layer {cut}: choose a \
         model above to see it there.",
        first_cut = experiment.first_cut(),
        cut = experiment.model.cut
    );
    let note = match (look.weights, look.activity) {
        _ if look.showing.source == Source::Opening => opening.as_str(),
        (_, Activity::Running | Activity::Paused | Activity::Stopping) => {
            t!("A run is going with the settings it was started with. Levers show on the stage at once, with its \
                 present weights, and count for the next run.")
        }
        (Some(_), _) => {
            t!("Levers show on the stage at once, with the weights of the open run; nothing is trained anew.")
        }
        (None, _) if look.trained && !look.showing.untrained => {
            t!("Levers show on the stage at once, with the weights that come with the program where they fit; \
                 nothing is trained anew.")
        }
        (None, _) => t!("Levers show on the stage at once, with a network that was never trained. Run trains it."),
    };
    ui.add(Label::new(RichText::new(note).weak()).wrap());
    ui.add_space(4.0);
}

fn history_ui(ui: &mut Ui, look: Look<'_>, acts: &mut Vec<Act>) {
    let (past, future) = look.document.history();
    let undo = ui.add_enabled(past > 0, Button::new(t!("Undo"))).on_hover_text(t!("Take the last change back"));
    if undo.on_disabled_hover_text(t!("Nothing was changed")).clicked() {
        acts.push(Act::Undo);
    }
    let redo = ui.add_enabled(future > 0, Button::new(t!("Redo"))).on_hover_text(t!("Do it again"));
    if redo.on_disabled_hover_text(t!("Nothing was taken back")).clicked() {
        acts.push(Act::Redo);
    }
}

/// The few settings of the experiment's defences that matter most, while one is on.
fn strength_ui(ui: &mut Ui, look: Look<'_>, acts: &mut Vec<Act>) {
    let Ok(stack) = look.document.experiment().stack() else { return };
    if stack.is_empty() || !look.defended() {
        let usual = usual_defence();
        let title = if stack.is_empty() { usual.title.to_owned() } else { stack.titles() };
        let words = t!("Undefended there is nothing to pull but the cut: {title} above switches a defence on.", title);
        ui.add(Label::new(RichText::new(words).weak()).wrap());
        return;
    }
    for setup in stack.iter() {
        for lever in setup.kind.levers {
            let value = setup.values.number(lever.key);
            let setting = find(&format!("{}.{}", setup.kind.place(), lever.key));
            if let (Ok(value), Some(setting)) = (value, setting) {
                lever_ui(ui, &Pulled { lever, setting, value }, acts);
                of_the_run_ui(ui, look, setting, acts);
            }
        }
    }
}

/// A lever as it stands.
struct Pulled<'a> {
    lever: &'a Lever,
    setting: &'static Setting,
    value: f64,
}

fn lever_ui(ui: &mut Ui, pulled: &Pulled<'_>, acts: &mut Vec<Act>) {
    let Pulled { lever, setting, value } = *pulled;
    let log = matches!(setting.kind, SettingKind::Real { log: true, .. });
    let tip = match setting.paper {
        Some(paper) => format!("{}\n{}: {}. {}", say(setting.help), paper.mark, paper.value, setting.key),
        None => format!("{}\n{}", say(setting.help), setting.key),
    };
    row_ui(ui, &format!("{}, {}", lever.symbol, say(lever.words)), &tip, |ui, name| {
        let mut value = value;
        let [from, to] = lever.range;
        let range = from.max(if log { 1e-3 } else { 0.0 })..=to.max(value);
        ui.spacing_mut().slider_width = (ui.available_width() - 66.0).clamp(50.0, 220.0);
        // What is half typed is no value yet.
        let slider = Slider::new(&mut value, range).logarithmic(log).max_decimals(3).update_while_editing(false);
        let slider = if matches!(setting.kind, SettingKind::Whole { .. }) { slider.integer() } else { slider };
        if ui.add(slider).labelled_by(name).on_hover_text(&tip).changed() {
            // γ and θ at their lowest would be refused: no pixel at all would move.
            let open = matches!(setting.kind, SettingKind::Real { open_min: true, .. });
            let value = if open { value.max(0.001) } else { value };
            acts.push(Act::Set(setting.key.to_owned(), format!("{value}")));
        }
    });
}

/// The attackers that a run launches.
fn attacks_ui(ui: &mut Ui, look: Look<'_>, acts: &mut Vec<Act>) {
    let tip = t!("The attackers that a run launches; each counts as it is set among all settings");
    row_ui(ui, t!("The run has"), tip, |ui, _| {
        ui.horizontal_wrapped(|ui| {
            let in_run = |kind: &Attack| look.document.experiment().attacks.iter().any(|spec| spec.kind.id == kind.id);
            let shown = |i: usize, kind: &Attack| i < SHOWN_ATTACKS || in_run(kind);
            let (near, others): (Vec<_>, Vec<_>) = attacks().iter().enumerate().partition(|(i, kind)| shown(*i, kind));
            for (_, kind) in near {
                tick_ui(ui, look, kind, acts);
            }
            ui.menu_button(t!("more"), |ui| {
                for (_, kind) in others {
                    tick_ui(ui, look, kind, acts);
                }
            })
            .response
            .on_hover_text(t!("Attackers that the run does not have"));
        });
    });
}

/// The first so many attackers are always among the levers, the others where a run has them.
const SHOWN_ATTACKS: usize = 3;

/// Whether a run launches the attack.
fn tick_ui(ui: &mut Ui, look: Look<'_>, kind: &Attack, acts: &mut Vec<Act>) {
    let attacks = &look.document.experiment().attacks;
    let mut on = attacks.iter().any(|spec| spec.kind.id == kind.id);
    let tick = ui.add(Checkbox::new(&mut on, say(kind.looker.brief)));
    let name = t!("{words}: in the run", words = say(kind.looker.words));
    tick.widget_info(|| WidgetInfo::selected(Kind::CheckBox, true, on, &name));
    let changed = tick.changed();
    tick.on_hover_text(name);
    if changed {
        let list = attack_list(attacks, look.document.kept(), kind.id, on);
        acts.push(Act::Set("attack".to_owned(), list));
    }
}

/// The experiment's attacks as `--set attack=` takes them, with those of one kind or without them.
fn attack_list(attacks: &[AttackSpec], kept: &Experiment, kind: &str, on: bool) -> String {
    let mut wanted: Vec<AttackSpec> = attacks.iter().filter(|spec| spec.kind.id != kind).cloned().collect();
    if on {
        // With the settings that they had.
        let before: Vec<AttackSpec> = kept.attacks.iter().filter(|spec| spec.kind.id == kind).cloned().collect();
        let none = before.is_empty();
        wanted.extend(before);
        wanted.extend(AttackSpec::named(kind).ok().filter(|_| none));
    }
    let list = wanted.iter().filter_map(|spec| Value::try_from(spec).ok()).collect();
    Value::Array(list).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::Document;

    #[test]
    fn attacks_are_switched_off_and_on_again() {
        let quick = Experiment::preset("quick").unwrap();
        let mut document = Document::new(quick.clone());
        for (name, on, left) in
            [("rmle", false, vec!["inverse"]), ("inverse", false, vec![]), ("rmle", true, vec!["rmle"])]
        {
            let list = attack_list(&document.experiment().attacks, document.kept(), name, on);
            document.set("attack", &list).unwrap();
            assert_eq!(document.experiment().attack_names(), left);
        }
        assert_eq!(document.experiment().attacks[0], quick.attacks[0], "with its own settings");
    }
}

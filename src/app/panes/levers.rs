//! The levers: the few settings that matter most. The stage follows each at once, from the present weights.

use eframe::egui::{
    Button, Checkbox, Id, Label, RadioButton, RichText, Role as Kind, ScrollArea, Slider, Ui, WidgetInfo, vec2,
};

use crate::app::lookers::{Attacker, MISSING};
use crate::app::{Act, Activity, Look, Popup, Purpose, Source};
use crate::attack::kind::Kind as Attack;
use crate::defence::{Lever, Stack};
use crate::experiment::{AttackSpec, Experiment};
use crate::setting::{Kind as SettingKind, Setting};
use crate::workbench::{attacks, find, usual_defence};

/// Width of the names beside the levers.
const NAMES: f32 = 136.0;
/// In less room a lever stands below its name.
const BESIDE: f32 = 330.0;

/// Draws the levers.
pub fn levers_ui(ui: &mut Ui, look: Look<'_>, acts: &mut Vec<Act>) {
    ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
        note_ui(ui, look);
        ui.spacing_mut().item_spacing.y = 5.0;
        defence_ui(ui, look, acts);
        strength_ui(ui, look, acts);
        attacker_ui(ui, look, acts);
        ui.add_space(4.0);
        ui.horizontal_wrapped(|ui| {
            let tip = "Every setting of the experiment, with what it does and the paper's value";
            if ui.button("All settings…").on_hover_text(tip).clicked() {
                acts.push(Act::Popup(Some(Popup::Settings)));
            }
            history_ui(ui, look, acts);
            if ui.button("Open…").on_hover_text("Open an experiment of your own, a TOML file").clicked() {
                acts.push(Act::Ask(Purpose::Open));
            }
            if ui.button("Save…").on_hover_text("Write the experiment to a TOML file").clicked() {
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

/// What pulling a lever does now.
fn note_ui(ui: &mut Ui, look: Look<'_>) {
    let experiment = look.document.experiment();
    let opening = format!(
        "The opening: undefended, never trained, cut after layer {}. The experiment is cut after layer {}: choose a model \
         below to see it there.",
        experiment.first_cut(),
        experiment.model.cut
    );
    let note = match (look.weights, look.activity) {
        _ if look.showing.source == Source::Opening => opening.as_str(),
        (_, Activity::Running | Activity::Paused | Activity::Stopping) => {
            "A run is going with the settings it was started with. Levers show on the stage at once, with its present \
             weights, and count for the next run."
        }
        (Some(_), _) => "Levers show on the stage at once, with the weights of the open run; nothing is trained anew.",
        (None, _) => "Levers show on the stage at once, with a network that was never trained. Run trains it.",
    };
    ui.add(Label::new(RichText::new(note).weak()).wrap());
    ui.add_space(4.0);
}

fn history_ui(ui: &mut Ui, look: Look<'_>, acts: &mut Vec<Act>) {
    let (past, future) = look.document.history();
    let undo = ui.add_enabled(past > 0, Button::new("Undo")).on_hover_text("Take the last change back");
    if undo.on_disabled_hover_text("Nothing was changed").clicked() {
        acts.push(Act::Undo);
    }
    let redo = ui.add_enabled(future > 0, Button::new("Redo")).on_hover_text("Do it again");
    if redo.on_disabled_hover_text("Nothing was taken back").clicked() {
        acts.push(Act::Redo);
    }
}

/// Undefended, or under the experiment's defences; the first of the list where it has none yet.
fn defence_ui(ui: &mut Ui, look: Look<'_>, acts: &mut Vec<Act>) {
    row_ui(ui, "Defence", "Which of the two models the stage shows", |ui, _| {
        ui.horizontal_wrapped(|ui| {
            let scene = look.showing.scene.as_ref().filter(|_| look.showing.source == Source::Run);
            let defended = scene.map_or(look.showing.defended, |scene| scene.stamp.defended);
            let tip = "The network without a defence: the hospital's layers see the image as it is";
            let opening = look.showing.source == Source::Opening;
            if ui.selectable_label(!defended && !opening, "Undefended").on_hover_text(tip).clicked() {
                acts.push(Act::Defended(false));
            }
            let usual = usual_defence();
            let stack = look.document.experiment().stack().ok().filter(|stack| !stack.is_empty());
            let words = stack.as_ref().map_or_else(|| usual.title.to_owned(), Stack::titles);
            let tip = stack.and_then(|stack| stack.iter().next().map(|first| first.kind.about));
            let tip = tip.unwrap_or(usual.about);
            if ui.selectable_label(defended, words).on_hover_text(tip).clicked() {
                acts.push(Act::Defended(true));
            }
        });
    });
}

/// The few settings of the experiment's defences that matter most.
fn strength_ui(ui: &mut Ui, look: Look<'_>, acts: &mut Vec<Act>) {
    let Ok(stack) = look.document.experiment().stack() else { return };
    let shown = look.showing.source == Source::Run || look.showing.defended;
    let why = (!shown).then_some("Choose the defence to see what it does");
    for setup in stack.iter() {
        for lever in setup.kind.levers {
            let value = setup.values.real(lever.key);
            let setting = find(&format!("{}.{}", setup.kind.place(), lever.key));
            if let (Ok(value), Some(setting)) = (value, setting) {
                lever_ui(ui, &Pulled { lever, setting, value, why }, acts);
            }
        }
    }
}

/// A lever as it stands.
struct Pulled<'a> {
    lever: &'a Lever,
    setting: &'static Setting,
    value: f64,
    /// Why it cannot be pulled; none where it can.
    why: Option<&'static str>,
}

fn lever_ui(ui: &mut Ui, pulled: &Pulled<'_>, acts: &mut Vec<Act>) {
    let Pulled { lever, setting, value, why } = *pulled;
    let log = matches!(setting.kind, SettingKind::Real { log: true, .. });
    let tip = match setting.paper {
        Some(paper) => format!("{}\n{}: {}. {}", setting.help, paper.mark, paper.value, setting.key),
        None => format!("{}\n{}", setting.help, setting.key),
    };
    row_ui(ui, &format!("{}, {}", lever.symbol, lever.words), &tip, |ui, name| {
        let mut value = value;
        let [from, to] = lever.range;
        let range = from.max(if log { 1e-3 } else { 0.0 })..=to.max(value);
        ui.spacing_mut().slider_width = (ui.available_width() - 66.0).clamp(50.0, 220.0);
        let slider = Slider::new(&mut value, range).logarithmic(log).max_decimals(3);
        let slider = ui.add_enabled(why.is_none(), slider).labelled_by(name).on_hover_text(&tip);
        if slider.on_disabled_hover_text(why.unwrap_or_default()).changed() {
            // γ and θ at their lowest would be refused: no pixel at all would move.
            let open = matches!(setting.kind, SettingKind::Real { open_min: true, .. });
            let value = if open { value.max(0.001) } else { value };
            acts.push(Act::Set(setting.key.to_owned(), format!("{value}")));
        }
    });
}

/// Who is looking, what that one knows of the defence, and both in a sentence.
fn attacker_ui(ui: &mut Ui, look: Look<'_>, acts: &mut Vec<Act>) {
    let asked = Attacker::asked(look.showing);
    let attacker = if look.showing.source == Source::Run { Attacker::shown(look).unwrap_or(asked) } else { asked };
    let tip = format!("The stage shows what this attacker steals. Not in this version: {}.", MISSING.join(", "));
    row_ui(ui, "Who is looking?", &tip, |ui, _| {
        for kind in attacks() {
            let chosen = attacker.attack == kind.id;
            if ui.add(RadioButton::new(chosen, kind.looker.words)).on_hover_text(kind.looker.tip).clicked() {
                acts.push(Act::Attacker(kind.id));
            }
        }
    });
    row_ui(
        ui,
        "The run has",
        "The attackers that a run launches; each counts as it is set among all settings",
        |ui, _| {
            ui.horizontal_wrapped(|ui| {
                for kind in attacks() {
                    tick_ui(ui, look, kind, acts);
                }
            });
        },
    );
    row_ui(ui, "It knows", "A defence is as good as it is against an attacker who knows it", |ui, _| {
        knows_ui(ui, look, attacker, acts);
        let words = format!("It {}.", attacker.words());
        ui.add(Label::new(RichText::new(words).weak()).wrap());
    });
}

/// Whether a run launches the attack.
fn tick_ui(ui: &mut Ui, look: Look<'_>, kind: &Attack, acts: &mut Vec<Act>) {
    let attacks = &look.document.experiment().attacks;
    let mut on = attacks.iter().any(|spec| spec.kind.id == kind.id);
    let tick = ui.add(Checkbox::new(&mut on, kind.looker.brief));
    let name = format!("{}: in the run", kind.looker.words);
    tick.widget_info(|| WidgetInfo::selected(Kind::CheckBox, true, on, &name));
    let changed = tick.changed();
    tick.on_hover_text(name);
    if changed {
        let list = attack_list(attacks, look.document.kept(), kind.id, on);
        acts.push(Act::Set("attack".to_owned(), list));
    }
}

/// Whether it knows the defence.
fn knows_ui(ui: &mut Ui, look: Look<'_>, attacker: Attacker<'_>, acts: &mut Vec<Act>) {
    ui.horizontal_wrapped(|ui| {
        let adaptive = if attacker.defended { attacker.adaptive } else { look.showing.adaptive };
        let tip = "Naive: the attacker does not know of the defence. Alone it flatters the defence.";
        if ui.selectable_label(!adaptive, "no defence").on_hover_text(tip).clicked() {
            acts.push(Act::Adaptive(false));
        }
        let tip = "Adaptive: the attacker imitates the defence and undoes it. It first trains a head of its own, which \
                   takes a while. Where the first layer is narrow or the disguise weak, that can come out worse: the worse \
                   of the two for the hospital counts.";
        let button = ui.add_enabled(attacker.defended, Button::selectable(adaptive, "the defence"));
        if button.on_hover_text(tip).on_disabled_hover_text("Undefended there is nothing to know").clicked() {
            acts.push(Act::Adaptive(true));
        }
    });
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
    let list = wanted.iter().filter_map(|spec| toml::Value::try_from(spec).ok()).collect();
    toml::Value::Array(list).to_string()
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

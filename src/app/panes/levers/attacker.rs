//! The levers of who attacks on the stage: the few settings of that attack that matter most, as its card lists them.

use eframe::egui::{DragValue, Ui};

use super::{of_the_run_ui, row_ui};
use crate::app::lookers::{Attacker, who_exactly};
use crate::app::{Act, Look};
use crate::live::attack_of;
use crate::setting::Kind as SettingKind;
use crate::texts::say;
use crate::workbench::attack;

/// Draws them. They are settings of the run's attack of this kind: without one there is nothing that could be set.
pub(super) fn attacker_ui(ui: &mut Ui, look: Look<'_>, acts: &mut Vec<Act>) {
    let Some(kind) = attack(Attacker::asked(look.showing).attack) else { return };
    let experiment = look.document.experiment();
    let spec = attack_of(experiment, kind.id);
    let in_run = experiment.attacks.contains(&spec);
    for key in kind.levers {
        let leaf = |full: &str| full.rsplit_once('.').is_some_and(|(_, leaf)| leaf == *key);
        let Some(setting) = spec.settings().iter().find(|setting| leaf(setting.key)) else { continue };
        let (SettingKind::Whole { min, max }, Ok(value)) = (setting.kind, spec.values.whole(key)) else { continue };
        let tip = format!("{}\n{}", say(setting.help), setting.key);
        row_ui(ui, say(setting.label), &tip, |ui, name| {
            let mut value = value as i64;
            // What is half typed is no value yet.
            let drag = DragValue::new(&mut value).range(min..=max).speed(0.05).update_while_editing(false);
            let drag = ui.add_enabled(in_run, drag).labelled_by(name).on_hover_text(&tip);
            let why = t!("Tick {who} below: what a run does not have has no settings", who = who_exactly(kind));
            if drag.on_disabled_hover_text(why).changed() {
                acts.push(Act::Set(setting.key.to_owned(), value.to_string()));
            }
        });
        of_the_run_ui(ui, look, setting, acts);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workbench::attacks;

    #[test]
    fn what_stands_among_the_levers_is_a_whole_number_of_the_attacks_own() {
        for kind in attacks() {
            for key in kind.levers {
                let setting = kind.settings.iter().find(|setting| setting.key == *key);
                assert!(matches!(setting.unwrap().kind, SettingKind::Whole { .. }), "{}: {key}", kind.id);
            }
        }
        assert!(attacks().iter().any(|kind| !kind.levers.is_empty()));
    }
}

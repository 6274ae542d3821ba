//! The goal below the levers: what is to be reached, and how far the shown run is.

use eframe::egui::{Checkbox, Color32, DragValue, Label, RichText, Ui};

use crate::app::PlayAct;
use crate::app::{Act, Look, Role, State};
use crate::score::goal::{Check, Goal};
use crate::split::UNDEFENDED;

/// Draws it.
pub fn goal_ui(ui: &mut Ui, look: Look<'_>, acts: &mut Vec<Act>) {
    ui.separator();
    let mut set = look.play.goal.is_some();
    let mut goal = look.play.goal.unwrap_or_default();
    ui.horizontal_wrapped(|ui| {
        let tick = ui.add(Checkbox::new(&mut set, RichText::new(t!("Goal")).strong()));
        let mut changed = tick.changed();
        tick.on_hover_text(t!("What a run is to reach: useful to the hospital and of no use to the attacker"));
        let label = ui.label(t!("right"));
        let accuracy = DragValue::new(&mut goal.accuracy).range(0.0..=100.0).max_decimals(1).speed(0.2);
        let drag = ui.add(accuracy.suffix(" %")).labelled_by(label.id);
        changed |= drag.changed() && set;
        drag.on_hover_text(t!("At least so many of the test images right"));
        let label = ui.label(t!("recognised under"));
        let recognised = DragValue::new(&mut goal.recognised).range(0.0..=100.0).max_decimals(1).speed(0.2);
        let drag = ui.add(recognised.suffix(" %")).labelled_by(label.id);
        changed |= drag.changed() && set;
        drag.on_hover_text(t!(
            "Fewer than so many of the targets picked from their line-ups, by the attack that does best"
        ));
        if changed {
            acts.push(Act::PlayAs(PlayAct::Goal(set.then_some(goal))));
        }
    });
    if look.play.goal.is_some() {
        let [accuracy, recognised] = checks(look.state, goal);
        check_ui(ui, &accuracy);
        check_ui(ui, &recognised);
    }
}

/// How far the shown run is: its defended model, or else the undefended one.
fn checks(state: &State, goal: Goal) -> [Check; 2] {
    let models = || state.epochs.iter().map(|(_, row)| &row.model);
    let target = models().find(|model| *model != UNDEFENDED).map_or(UNDEFENDED, String::as_str);
    let last = state.epochs.iter().rev().map(|(_, row)| row).find(|row| row.model == target);
    [goal.accuracy_of(last), goal.recognised_of(&state.attacks, &state.judgement().rulings, target)]
}

/// Told by a word as well as by colour.
fn check_ui(ui: &mut Ui, check: &Check) {
    let (word, color): (_, Color32) = match check.met {
        Some(true) => (t!("reached"), Role::Patient.color(ui)),
        Some(false) => (t!("missed"), Role::Attacker.color(ui)),
        None => (t!("open"), ui.visuals().weak_text_color()),
    };
    ui.horizontal_wrapped(|ui| {
        ui.label(RichText::new(word).strong().color(color));
        ui.add(Label::new(&check.words).wrap());
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::score::record::EpochRow;

    #[test]
    fn it_is_asked_of_the_defended_model_where_there_is_one() {
        let mut state = State::default();
        assert!(checks(&state, Goal::default()).iter().all(|check| check.met.is_none()));
        let row =
            |model: &str, accuracy| EpochRow { model: model.to_owned(), epoch: 1, accuracy, ..EpochRow::default() };
        state.epochs.push((None, row(UNDEFENDED, 99.0)));
        assert_eq!(checks(&state, Goal::default())[0].met, Some(true));
        state.epochs.insert(0, (None, row("dropout", 90.0)));
        assert_eq!(checks(&state, Goal::default())[0].words, "right 90.0 % after epoch 1");
    }
}

//! Play: how fast training and the attacker go, each paused and slowed by itself, the epoch after which training waits, and
//! a goal.

use eframe::egui::{Button, Checkbox, DragValue, Popup, PopupCloseBehavior, RichText, Ui};
use serde::{Deserialize, Serialize};

use super::choice::selectable_ui;
use super::speed::Speed;
use super::{Act, App, Look, PlayAct};
use crate::run::control::Command;
use crate::score::goal::Goal;

/// What is chosen. It is kept from run to run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Play {
    /// Of a run's training steps, and of its attacks' iterations in between.
    pub training: Speed,
    /// Of the attacker on the stage.
    pub attacker: Speed,
    /// Whether the attacker on the stage waits.
    pub waits: bool,
    /// The epoch after which a run waits.
    pub pause_after: Option<usize>,
    /// What is to be reached.
    pub goal: Option<Goal>,
}

impl App {
    pub(super) fn play(&mut self, act: PlayAct) {
        let play = &mut self.memory.play;
        match act {
            PlayAct::Training(speed) => {
                play.training = speed;
                self.send(speed.command());
            }
            PlayAct::PauseAfter(epoch) => {
                play.pause_after = epoch;
                self.send(Command::PauseAfter(epoch));
            }
            PlayAct::Attacker(speed) => play.attacker = speed,
            PlayAct::Wait(waits) => play.waits = waits,
            PlayAct::Step => play.waits = true,
            PlayAct::Goal(goal) => play.goal = goal,
        }
        if let Some(live) = &self.live {
            match act {
                PlayAct::Attacker(speed) => live.send(speed.command()),
                PlayAct::Wait(waits) => live.send(if waits { Command::Pause } else { Command::Run }),
                PlayAct::Step => live.send(Command::Step),
                _ => {}
            }
        }
        self.remember();
    }

    /// Tells a run that was just started how to go.
    pub(super) fn play_run(&mut self) {
        let play = self.memory.play;
        self.send(play.training.command());
        self.send(Command::PauseAfter(play.pause_after));
    }

    /// Tells the attacker on the stage, which was just started, how to go.
    pub(super) fn play_live(&self) {
        let play = self.memory.play;
        if let Some(live) = &self.live {
            live.send(play.attacker.command());
            live.send(if play.waits { Command::Pause } else { Command::Run });
        }
    }
}

/// The button in the bar; below it the choices while they are open. Its word says where a speed is not the usual one.
pub fn speed_ui(ui: &mut Ui, look: Look<'_>, height: f32, acts: &mut Vec<Act>) {
    let play = look.play;
    let text = match (play.training.slow(), play.pause_after) {
        (true, _) => RichText::new(play.training.words()).strong(),
        (false, Some(epoch)) => RichText::new(t!("To epoch {epoch}", epoch)).strong(),
        (false, None) => RichText::new(t!("Speed")),
    };
    let button = ui.add(Button::new(text).min_size([0.0, height].into()));
    let button = button.on_hover_text(t!("Slow motion, and the epoch after which training waits"));
    let popup = Popup::from_toggle_button_response(&button).close_behavior(PopupCloseBehavior::CloseOnClickOutside);
    popup.show(|ui| {
        let mut act = |act| acts.push(Act::PlayAs(act));
        ui.strong(t!("Training and attacks of a run"))
            .on_hover_text(t!("Training steps, and iterations of its attacks"));
        speeds_ui(ui, play.training, &mut |speed| act(PlayAct::Training(speed)));
        pause_ui(ui, look, &mut act);
        ui.separator();
        ui.strong(t!("The attacker on the stage"))
            .on_hover_text(t!("Iterations of its attack. It has a pause of its own"));
        speeds_ui(ui, play.attacker, &mut |speed| act(PlayAct::Attacker(speed)));
        ui.horizontal(|ui| attacker_ui(ui, look, &mut act));
    });
}

fn speeds_ui(ui: &mut Ui, now: Speed, choose: &mut dyn FnMut(Speed)) {
    ui.horizontal(|ui| {
        for speed in Speed::ALL {
            if selectable_ui(ui, now == speed, speed.words()).clicked() {
                choose(speed);
            }
        }
    });
}

/// The epoch after which a run waits.
fn pause_ui(ui: &mut Ui, look: Look<'_>, act: &mut dyn FnMut(PlayAct)) {
    ui.horizontal(|ui| {
        let most = look.run.unwrap_or_else(|| look.document.experiment()).train.epochs.max(1);
        let (mut on, mut epoch) = (look.play.pause_after.is_some(), look.play.pause_after.unwrap_or(1));
        let tip = t!(
            "The run waits there, saved by none and lost by none: Run goes on. Every model has finished the epoch and \
                   was tested"
        );
        let tick = ui.add(Checkbox::new(&mut on, t!("Pause after epoch")));
        let name = tick.id;
        let ticked = tick.changed();
        tick.on_hover_text(tip);
        let drag = ui.add(DragValue::new(&mut epoch).range(1..=most).speed(0.05)).labelled_by(name);
        if ticked || (drag.changed() && on) {
            act(PlayAct::PauseAfter(on.then_some(epoch)));
        }
    });
}

/// Pause or go on, and step, of the attacker on the stage.
fn attacker_ui(ui: &mut Ui, look: Look<'_>, act: &mut dyn FnMut(PlayAct)) {
    wait_ui(ui, look, act);
    let tip = t!("One iteration, then wait");
    if ui.button(t!("Step the attacker")).on_hover_text(tip).clicked() {
        act(PlayAct::Step);
    }
}

/// Lets the attacker on the stage wait, or go on; training does not care.
pub fn wait_ui(ui: &mut Ui, look: Look<'_>, act: &mut dyn FnMut(PlayAct)) {
    let waits = look.play.waits;
    let (word, tip) = if waits {
        (t!("Attack on"), t!("Let the attacker go on"))
    } else {
        (t!("Hold"), t!("Let the attacker on the stage wait; training goes on"))
    };
    if ui.button(word).on_hover_text(tip).clicked() {
        act(PlayAct::Wait(!waits));
    }
}

//! Controls that a shared state hides, so that a class looks at what it is to look at. Hidden is no lock: *Show all
//! controls* brings them back.

use eframe::egui::{Checkbox, Context, Id, Label, Modal, RichText};
use serde::{Deserialize, Serialize};

use super::{Act, App, Look, Pane, Purpose};

/// Controls that go together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Control {
    /// What is run: presets, seed.
    Experiment,
    /// Run, Step, Stop, Speed, Reset.
    Run,
    /// Which model, and its weights.
    Model,
    /// Who attacks, and what that one knows.
    Attacker,
    /// Where the network is cut.
    Cut,
    /// The defence's levers.
    Levers,
    /// Every setting.
    Settings,
    /// Which image, and the pencil.
    Image,
}

impl Control {
    /// All, in their order.
    pub const ALL: [Self; 8] = [
        Self::Experiment,
        Self::Run,
        Self::Model,
        Self::Attacker,
        Self::Cut,
        Self::Levers,
        Self::Settings,
        Self::Image,
    ];

    /// What it is called.
    pub fn words(self) -> &'static str {
        match self {
            Self::Experiment => t!("Presets and seed"),
            Self::Run => t!("Run, Step, Stop, Speed, Reset"),
            Self::Model => t!("Model and weights"),
            Self::Attacker => t!("The attacker and what it knows"),
            Self::Cut => t!("The cut"),
            Self::Levers => t!("The levers"),
            Self::Settings => t!("All settings"),
            Self::Image => t!("The image and the pencil"),
        }
    }

    /// The controls that an act is done by; none for those that are always there.
    fn of(act: &Act) -> Option<Self> {
        Some(match act {
            Act::Set(key, _) if key == "seed" => Self::Experiment,
            Act::Set(key, _) if key == "model.cut" => Self::Cut,
            Act::Preset(_) | Act::Take(_) => Self::Experiment,
            Act::Run
            | Act::RunOrPause
            | Act::Pause
            | Act::Step
            | Act::Stop
            | Act::Reset
            | Act::PlayAs(_)
            | Act::Attack(..)
            | Act::AttackShown(_)
            | Act::Continue(_) => Self::Run,
            Act::Defended(_) | Act::Untrained(_) => Self::Model,
            Act::Attacker(_) | Act::Adaptive(_) => Self::Attacker,
            Act::Cut(_) => Self::Cut,
            Act::Pane(Pane::Levers) => Self::Levers,
            Act::FindSetting(_) | Act::Popup(Some(super::Popup::Settings)) => Self::Settings,
            Act::Patient(_)
            | Act::Draw(_)
            | Act::Patients
            | Act::Ask(Purpose::Image)
            | Act::File(Purpose::Image, _) => Self::Image,
            // Whoever has levers or settings may pull them, and the rest is always there.
            _ => return None,
        })
    }
}

/// Those that are hidden.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Hidden(u8);

impl Hidden {
    /// Of a list.
    pub fn of(controls: &[Control]) -> Self {
        Self(controls.iter().fold(0, |bits, control| bits | Self::bit(*control)))
    }

    fn bit(control: Control) -> u8 {
        1 << control as u8
    }

    /// Whether a control is among them.
    pub fn has(self, control: Control) -> bool {
        self.0 & Self::bit(control) != 0
    }

    /// Whether there are any.
    pub fn any(self) -> bool {
        self.0 != 0
    }

    /// As a list.
    pub fn list(self) -> Vec<Control> {
        Control::ALL.into_iter().filter(|control| self.has(*control)).collect()
    }

    /// Whether an act is done by controls that are hidden; one that changes settings is, where none of those are there.
    pub fn hides(self, act: &Act) -> bool {
        let sets = matches!(act, Act::Set(..)) && self.has(Control::Levers) && self.has(Control::Settings);
        sets || Control::of(act).is_some_and(|control| self.has(control))
    }
}

/// What is said of an act whose controls are hidden.
pub const WHY: &str = later!("Hidden in the shared state; Show all controls brings it back");

/// What is to be hidden from those who open the shared state.
#[derive(Debug, Default)]
pub struct ShareView {
    hide: Hidden,
}

/// Draws the choice of what students see. False where it is closed.
pub fn share_ui(ctx: &Context, look: Look<'_>, view: &mut ShareView, acts: &mut Vec<Act>) -> bool {
    let mut open = true;
    let modal = Modal::new(Id::unique("share for students")).show(ctx, |ui| {
        ui.set_width(420.0);
        ui.heading(t!("Share for students"));
        let words =
            t!("The state that you see, with some of its controls hidden: what students are not to pull, they do not \
                     have to look at. It is no lock: the menu View brings all back.");
        ui.add(Label::new(RichText::new(words)).wrap());
        ui.add_space(6.0);
        ui.label(RichText::new(t!("Students see")).strong());
        for control in Control::ALL {
            let mut seen = !view.hide.has(control);
            if ui.add(Checkbox::new(&mut seen, control.words())).changed() {
                view.hide.0 ^= Hidden::bit(control);
            }
        }
        ui.add_space(6.0);
        ui.horizontal(|ui| {
            let tip = t!("A text to mail or to put on a slide; Ctrl+V in the window opens it");
            if ui.button(t!("Copy for students")).on_hover_text(tip).clicked() {
                acts.push(Act::Share(view.hide));
                open = false;
            }
            if ui.button(t!("Close")).clicked() {
                open = false;
            }
        });
        if look.hidden.any() {
            ui.weak(t!("Some controls are hidden here too."));
        }
    });
    open && !modal.should_close()
}

impl App {
    /// Copies the state with some controls hidden.
    pub(super) fn share_for_students(&mut self, hide: Hidden, ctx: &Context) -> crate::error::Result<()> {
        let mut shared = self.shared();
        shared.hide = hide.list();
        let text = shared.to_text()?;
        ctx.copy_text(text);
        self.toasts.say(t!("Copied, with what students see"), false);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_hidden_is_not_done_by_any_way() {
        let hidden = Hidden::of(&[Control::Run, Control::Levers, Control::Image]);
        assert_eq!(hidden.list(), [Control::Run, Control::Levers, Control::Image]);
        let set = |key: &str| Act::Set(key.to_owned(), "1".to_owned());
        for act in [Act::Run, Act::Step, Act::Patient(1), Act::Patients, Act::Pane(Pane::Levers)] {
            assert!(hidden.hides(&act), "{act:?}");
        }
        // All settings are there still.
        for act in [set("seed"), set("train.rate"), Act::Cut(2), Act::Attacker("rmle"), Act::Undo] {
            assert!(!hidden.hides(&act), "{act:?}");
        }
        assert!(Hidden::of(&[Control::Levers, Control::Settings]).hides(&set("train.rate")));
        assert!(!Hidden::default().any() && Hidden::of(&Control::ALL).list() == Control::ALL);
    }
}

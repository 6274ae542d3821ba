//! Controls that a shared state hides, so that a class looks at what it is to look at. Hidden is no lock: *Show all
//! controls* brings them back.

use serde::{Deserialize, Serialize};

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

    /// The other way round: hidden, or there.
    pub fn switch(&mut self, control: Control) {
        self.0 ^= Self::bit(control);
    }

    /// As a list.
    pub fn list(self) -> Vec<Control> {
        Control::ALL.into_iter().filter(|control| self.has(*control)).collect()
    }
}

/// What is said of an act whose controls are hidden.
pub const WHY: &str = later!("Hidden in the shared state; Show all controls brings it back");

//! An attack that is put together, to be launched at a finished run.

use eframe::egui::{DragValue, RadioButton, RichText, Ui};

use super::button::button;
use crate::app::{Act, Activity, Look, RunEntry};
use crate::attack::kind::Kind;
use crate::experiment::Experiment;
use crate::run::launch::{Launch, Means};
use crate::texts::say;
use crate::workbench::attacks;

/// An attack to launch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Form {
    /// Which of [`attacks`].
    attack: usize,
    /// Naive, adaptive, both.
    knows: usize,
    images: usize,
    /// Which of [`EFFORTS`].
    effort: usize,
    /// At most so many seconds; 0 without a limit.
    seconds: u32,
}

/// What the attacker knows: word, and what it means.
const KNOWS: [(&str, &str); 3] = [
    (later!("naive"), later!("Does not know of the defence. Alone it flatters the defence.")),
    (
        later!("adaptive"),
        later!("Knows the defence, imitates it and undoes it: a defence is as good as against this form."),
    ),
    (later!("both"), later!("One after the other.")),
];

/// With what means: which, word, and what it means.
const EFFORTS: [(Means, &str, &str); 3] = [
    (Means::Quick, later!("quick"), later!("In little time: half a minute or so for most.")),
    (Means::Default, later!("usual"), later!("As the run's own attack of this name, or else with its defaults.")),
    (
        Means::Paper,
        later!("as published"),
        later!("With the means of the papers, be it for hours. Stop keeps what is done."),
    ),
];

impl Form {
    pub(super) fn of(run: &RunEntry, attack: usize) -> Self {
        Self { attack, knows: 2, images: images(run, attack), effort: 1, seconds: 0 }
    }

    fn launch(self, run: &RunEntry, defended: bool) -> Launch {
        let knows = if defended { self.knows } else { 0 };
        Launch {
            attacks: choices(run).get(self.attack).map(|(name, ..)| (*name).to_owned()).into_iter().collect(),
            naive: knows != 1,
            adaptive: knows != 0,
            images: Some(self.images.to_string()),
            means: EFFORTS[self.effort].0,
            set: (self.seconds > 0).then(|| format!("seconds={}", self.seconds)).into_iter().collect(),
            ..Launch::default()
        }
    }
}

/// What can be launched at a run: every kind, and those of its own that have a label. Name, what it does, and as many
/// images as the run's own attack of this name took, or the kind's default.
fn choices(run: &RunEntry) -> Vec<(&str, &'static str, usize)> {
    let own = || run.experiment.iter().flat_map(|experiment| &experiment.attacks);
    let kind = |kind: &&'static Kind| {
        (kind.id, say(kind.about), own().find(|spec| spec.name() == kind.id).map_or(kind.images, |spec| spec.images))
    };
    let labelled = own().filter(|spec| spec.label.is_some());
    attacks().iter().map(kind).chain(labelled.map(|spec| (spec.name(), say(spec.kind.about), spec.images))).collect()
}

fn images(run: &RunEntry, attack: usize) -> usize {
    choices(run).get(attack).map_or(1, |choice| choice.2)
}

/// Draws it; whether it stays open.
pub(super) fn attack_ui(ui: &mut Ui, look: Look<'_>, run: &RunEntry, form: &mut Form, acts: &mut Vec<Act>) -> bool {
    let mut open = true;
    let defended = run.experiment.as_ref().is_some_and(Experiment::defended);
    ui.horizontal_wrapped(|ui| {
        ui.label(t!("Attack"));
        for (at, (name, about, _)) in choices(run).into_iter().enumerate() {
            if ui.radio(form.attack == at, name).on_hover_text(about).clicked() {
                *form = Form { attack: at, images: images(run, at), ..*form };
            }
        }
        ui.separator();
        // Each by itself: what is nested would have what is left of the line, however little.
        for (at, (word, tip)) in KNOWS.into_iter().enumerate() {
            let chosen = if defended { form.knows == at } else { at == 0 };
            let radio = ui.add_enabled(defended, RadioButton::new(chosen, say(word))).on_hover_text(say(tip));
            if radio.on_disabled_hover_text(t!("This run has no defence to know of.")).clicked() {
                form.knows = at;
            }
        }
        ui.separator();
        let label = ui.label(t!("images"));
        let tip = t!("How many images are attacked, from the first test image on.");
        ui.add(DragValue::new(&mut form.images).range(1..=10_000)).labelled_by(label.id).on_hover_text(tip);
        ui.separator();
        ui.label(t!("effort"));
        for (at, (_, word, tip)) in EFFORTS.into_iter().enumerate() {
            if ui.radio(form.effort == at, say(word)).on_hover_text(say(tip)).clicked() {
                form.effort = at;
            }
        }
        let label = ui.label(t!("for at most"));
        let tip = t!("Seconds for each form at each model; what is found by then counts. 0 sets no limit.");
        let seconds = DragValue::new(&mut form.seconds).range(0..=1_000_000).suffix(" s");
        ui.add(seconds).labelled_by(label.id).on_hover_text(tip);
        let may = if look.state.folder.as_ref() != Some(&run.path) {
            Err(t!("Open the run first: the attack is shown beside what it came to."))
        } else if look.activity != Activity::Idle {
            Err(t!("A run is at work: stop it first."))
        } else {
            Ok(())
        };
        let tip = t!("The result joins the run's table, and its attacks.json.");
        if button(ui, t!("Launch"), tip, may) {
            acts.push(Act::Attack(run.path.clone(), form.launch(run, defended)));
            open = false;
        }
        open &= !ui.button(t!("Cancel")).on_hover_text(t!("Esc does the same.")).clicked();
        if let Err(why) = may {
            ui.label(RichText::new(why).weak());
        }
    });
    open
}

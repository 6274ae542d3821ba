//! The sentence above the cards: which model, who attacks it, what that one sees and knows. Each of its words that can be
//! another one is a control.

use eframe::egui::{Button, Checkbox, ComboBox, RichText, Role as Kind, TextStyle, Ui, WidgetInfo};

use crate::app::best::Offer;
use crate::app::choice::{selectable_if_ui, selectable_ui};
use crate::app::hidden::Control;
use crate::app::lookers::{Attacker, instead, sees_words, who, who_exactly};
use crate::app::{Act, DayAct, Look, Source};
use crate::attack::threat_model::Knows;
use crate::defence::Stack;
use crate::texts::say;
use crate::workbench::{attack, attacks, usual_defence};

/// From this width on there is room for what an attacker sees, where both that and its name are of so many letters at most;
/// one more takes so much more.
const ROOMY: f32 = 1200.0;
const LETTERS: usize = 44;
const LETTER: f32 = 6.6;
/// Height of the list of attackers, in which all of them have room.
const LIST: f32 = 400.0;
/// In less room an attacker with a longer name has its brief one.
const NAME: usize = 28;

/// What an attacker may know that its kind tells by: the words, and what is said of them.
const KNOWN: [(Knows, &str, &str); 2] = [
    (
        Knows::ClientWeights,
        later!("client weights"),
        later!("Whoever has the client's layers can search for the image behind the numbers."),
    ),
    (
        Knows::Auxiliary,
        later!("similar images"),
        later!("Images of the same kind as the victim's, to learn from or to look up."),
    ),
];

/// Draws the sentence.
pub(super) fn sentence_ui(ui: &mut Ui, look: Look<'_>, acts: &mut Vec<Act>) {
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing.x = 5.0;
        // In letters of the plain size.
        let room = ui.available_width() * 13.5 / TextStyle::Body.resolve(ui.style()).size;
        // What is hidden is told all the same.
        if look.hidden.has(Control::Model) {
            ui.label(if look.defended() { t!("Model: under its defence") } else { t!("Model: undefended") });
        } else {
            model_ui(ui, look, acts);
            weights_ui(ui, look, acts);
        }
        ui.separator();
        if look.hidden.has(Control::Attacker) {
            let attacker = Attacker::shown(look).unwrap_or_else(|| Attacker::asked(look.showing));
            ui.label(t!("Attacker: {who}", who = attack(attacker.attack).map_or("", who)));
        } else {
            attacker_ui(ui, look, room, acts);
        }
    });
}

/// Undefended, or under the experiment's defences; the first of the list where it has none yet.
fn model_ui(ui: &mut Ui, look: Look<'_>, acts: &mut Vec<Act>) {
    ui.label(t!("Model:")).on_hover_text(t!("Which of the two models the stage shows"));
    let scene = look.showing.scene.as_ref().filter(|_| look.showing.source == Source::Run);
    let defended = scene.map_or(look.showing.defended, |scene| scene.stamp.defended);
    let opening = look.showing.source == Source::Opening;
    let tip = t!("The network without a defence: the hospital's layers see the image as it is");
    if selectable_ui(ui, !defended || opening, t!("Undefended")).on_hover_text(tip).clicked() {
        acts.push(Act::Defended(false));
    }
    let usual = usual_defence();
    let stack = look.document.experiment().stack().ok().filter(|stack| !stack.is_empty());
    let words = stack.as_ref().map_or_else(|| usual.title.to_owned(), Stack::titles);
    let tip = stack.and_then(|stack| stack.iter().next().map(|first| first.kind.about)).unwrap_or(usual.about);
    if selectable_ui(ui, defended && !opening, &words).on_hover_text(say(tip)).clicked() {
        acts.push(Act::Defended(true));
    }
}

/// Trained, or fresh weights.
fn weights_ui(ui: &mut Ui, look: Look<'_>, acts: &mut Vec<Act>) {
    let scene = look.showing.scene.as_ref().filter(|_| !look.showing.waits || look.showing.source == Source::Run);
    let trained = scene.map_or(look.trained && !look.showing.untrained, |scene| scene.stamp.trained.is_some());
    ui.label(t!("weights:")).on_hover_text(t!("Of the network on the stage"));
    let why = t!("No trained weights fit this network and these images: Run makes them");
    if let Some(best) = look.best.filter(|_| look.trained) {
        epoch_ui(ui, best, acts);
    } else {
        let button = selectable_if_ui(ui, look.trained || trained, trained, t!("trained"));
        let tip = t!("Those of the open run, or those that come with the program");
        if button.on_hover_text(tip).on_disabled_hover_text(why).clicked() {
            acts.push(Act::Untrained(false));
        }
    }
    let tip = t!("Fresh weights, drawn by the seed: what a client sends before it has learnt anything");
    if selectable_ui(ui, !trained, t!("untrained")).on_hover_text(tip).clicked() {
        acts.push(Act::Untrained(true));
    }
}

/// Of a run that was trained: its last epoch, or its best.
fn epoch_ui(ui: &mut Ui, best: Offer, acts: &mut Vec<Act>) {
    let words = t!("best epoch {epoch}", epoch = best.epoch);
    let now = if best.chosen { words.as_str() } else { t!("last epoch") };
    let menu = ComboBox::from_id_salt("weights").selected_text(now).width(0.0).show_ui(ui, |ui| {
        let tip = t!("Those that training ended with: table and attacks are of these");
        if selectable_ui(ui, !best.chosen, t!("last epoch")).on_hover_text(tip).clicked() {
            acts.push(Act::Untrained(false));
            ui.close();
        }
        let tip = t!(
            "Those of the epoch after which this model was right most often on {words}. Table and attacks are of \
             the last epoch whatever is shown here",
            words = best.by.words()
        );
        let button = selectable_if_ui(ui, best.why_not.is_none(), best.chosen, &words).on_hover_text(tip);
        if button.on_disabled_hover_text(best.why_not.unwrap_or_default()).clicked() {
            acts.push(Act::Day(DayAct::Best(true)));
            ui.close();
        }
    });
    menu.response.widget_info(|| WidgetInfo::labeled(Kind::ComboBox, true, t!("Trained weights: {now}", now)));
    menu.response
        .on_hover_text(t!("Which of the run's weights: those of its last epoch, or of its best on held-out images"));
}

/// Who attacks, and what that one sees and knows.
fn attacker_ui(ui: &mut Ui, look: Look<'_>, room: f32, acts: &mut Vec<Act>) {
    let asked = Attacker::asked(look.showing);
    let attacker = if look.showing.source == Source::Run { Attacker::shown(look).unwrap_or(asked) } else { asked };
    let kind = attack(attacker.attack).unwrap_or(attacks()[0]);
    let tip = t!("The stage shows what this attacker steals. {tip}", tip = say(kind.looker.tip));
    let label = ui.label(t!("Attacker:")).on_hover_text(&tip);
    let (name, sees) = (who_exactly(kind), sees_words(kind));
    let more = (name.chars().count() + sees.chars().count()).saturating_sub(LETTERS);
    let roomy = room >= ROOMY + LETTER * more as f32;
    let name = if room < ROOMY && name.chars().count() > NAME { say(kind.looker.brief).to_owned() } else { name };
    let menu = ComboBox::from_id_salt("attacker").selected_text(name).height(LIST).show_ui(ui, |ui| {
        for kind in attacks() {
            let chosen = attacker.attack == kind.id;
            if kind.make.trains() {
                let why = t!("It is at work while a model trains: put it into the run, under Levers");
                ui.add_enabled(false, Button::new(t!("{words}: in a run", words = say(kind.looker.words))))
                    .on_disabled_hover_text(why);
                continue;
            }
            if selectable_ui(ui, chosen, say(kind.looker.words)).on_hover_text(say(kind.looker.tip)).clicked() {
                acts.push(Act::Attacker(kind.id));
                ui.close();
            }
        }
    });
    menu.response.labelled_by(label.id).on_hover_text(tip);
    ui.label(if roomy { t!("sees {sees}, knows", sees) } else { t!("knows").to_owned() });
    for (known, words, tip) in KNOWN {
        let has = kind.knowledge(attacker.adaptive).contains(&known);
        let other = instead(kind, known, !has);
        let (words, tip) = (say(words).to_owned(), say(tip).to_owned());
        let why = t!("With what it knows of the defence it needs this, or no other attacker here is without");
        if tick_ui(ui, has, other.filter(|_| !attacker.adaptive).map(|_| ()).ok_or(why), &words, &tip)
            && let Some(other) = other
        {
            acts.push(Act::Attacker(other.id));
        }
    }
    defence_ui(ui, look, attacker, acts);
}

/// Whether it knows the defence.
fn defence_ui(ui: &mut Ui, look: Look<'_>, attacker: Attacker<'_>, acts: &mut Vec<Act>) {
    let adaptive = if attacker.defended { attacker.adaptive } else { look.showing.adaptive };
    let tip = t!(
        "Naive: the attacker does not know of the defence; alone that flatters it. Adaptive: the attacker imitates \
         the defence and undoes it. It first trains a head of its own, which takes a while. Where the first layer \
         is narrow or the disguise weak, that can come out worse: the worse of the two for the hospital counts."
    );
    let can = if attacker.defended { Ok(()) } else { Err(t!("Undefended there is nothing to know")) };
    if tick_ui(ui, adaptive && attacker.defended, can, t!("our defence"), tip) {
        acts.push(Act::Adaptive(!adaptive));
    }
}

/// A tick; true where it was changed. It cannot be where there is a reason.
fn tick_ui(ui: &mut Ui, on: bool, can: Result<(), &str>, words: &str, tip: &str) -> bool {
    let mut ticked = on;
    let text = if on { RichText::new(words).strong() } else { RichText::new(words) };
    let tick = ui.add_enabled(can.is_ok(), Checkbox::new(&mut ticked, text));
    tick.widget_info(|| WidgetInfo::selected(Kind::CheckBox, can.is_ok(), on, t!("It knows {words}", words)));
    let changed = tick.changed();
    tick.on_hover_text(tip).on_disabled_hover_text(can.err().unwrap_or_default());
    changed
}

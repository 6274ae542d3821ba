//! The sentence above the cards: which model, who attacks it, what that one sees and knows. Each of its words that can be
//! another one is a control.

use eframe::egui::{Button, Checkbox, Color32, ComboBox, RichText, Role, TextStyle, Ui, WidgetInfo};

use crate::app::best::Offer;
use crate::app::choice::{selectable_if_ui, selectable_ui};
use crate::app::hidden::Control;
use crate::app::lookers::{Attacker, instead, sees_words, who, who_exactly};
use crate::app::{Act, DayAct, Look, Source};
use crate::attack::kind::Kind;
use crate::attack::threat_model::Knows;
use crate::defence::Stack;
use crate::texts::say;
use crate::workbench::{attack, attacks, usual_defence};

/// Height of the list of attackers, in which all of them have room.
const LIST: f32 = 400.0;
/// Between the sentence's words.
const GAP: f32 = 5.0;

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

/// How many lines of the window the sentence takes, brief as it can be.
pub fn lines(ui: &Ui, look: Look<'_>) -> usize {
    let of = |text: &str| text_width(ui, text) + GAP;
    let spacing = ui.spacing();
    let button = |text: &str| of(text) + 2.0 * spacing.button_padding.x;
    let model = if look.hidden.has(Control::Model) {
        of(model_words(look))
    } else {
        let weights = match look.best.filter(|_| look.trained) {
            Some(best) => button(&epoch_words(&best)) + spacing.icon_spacing + spacing.icon_width,
            None => button(t!("trained")),
        };
        let model = of(t!("Model:")) + button(t!("Undefended")) + button(&defence_words(look));
        model + of(t!("weights:")) + weights + button(t!("untrained"))
    };
    let attacker = if look.hidden.has(Control::Attacker) {
        of(&attacker_words(look))
    } else {
        width(ui, say(shown_kind(look).1.looker.brief), t!("knows"))
    };
    // The line between both, and the window's margins.
    if model + 6.0 + GAP + attacker <= ui.available_width() - 16.0 { 1 } else { 2 }
}

/// Draws the sentence.
pub(super) fn sentence_ui(ui: &mut Ui, look: Look<'_>, lines: usize, acts: &mut Vec<Act>) {
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing.x = GAP;
        // What does not fit at a line's end goes to the next as a whole.
        let further = 0.8 * lines.saturating_sub(1) as f32 * ui.available_width();
        // What is hidden is told all the same.
        if look.hidden.has(Control::Model) {
            ui.label(model_words(look));
        } else {
            model_ui(ui, look, acts);
            weights_ui(ui, look, acts);
        }
        ui.separator();
        if look.hidden.has(Control::Attacker) {
            ui.label(attacker_words(look));
        } else {
            attacker_ui(ui, look, further, acts);
        }
    });
}

/// Which model it is, where that is not to be chosen.
fn model_words(look: Look<'_>) -> &'static str {
    if look.defended() { t!("Model: under its defence") } else { t!("Model: undefended") }
}

/// Who attacks, where that is not to be chosen.
fn attacker_words(look: Look<'_>) -> String {
    let attacker = Attacker::shown(look).unwrap_or_else(|| Attacker::asked(look.showing));
    t!("Attacker: {who}", who = attack(attacker.attack).map_or("", who))
}

/// The experiment's defences; the first of the list where it has none yet.
fn defence_words(look: Look<'_>) -> String {
    let stack = look.document.experiment().stack().ok().filter(|stack| !stack.is_empty());
    stack.as_ref().map_or_else(|| usual_defence().title.to_owned(), Stack::titles)
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
    let words = defence_words(look);
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

/// Whose weights are in use.
fn epoch_words(best: &Offer) -> String {
    if best.chosen { t!("best epoch {epoch}", epoch = best.epoch) } else { t!("last epoch").to_owned() }
}

/// Of a run that was trained: its last epoch, or its best.
fn epoch_ui(ui: &mut Ui, best: Offer, acts: &mut Vec<Act>) {
    let words = t!("best epoch {epoch}", epoch = best.epoch);
    let now = epoch_words(&best);
    let menu = ComboBox::from_id_salt("weights").selected_text(now.as_str()).width(0.0).show_ui(ui, |ui| {
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
    menu.response.widget_info(|| WidgetInfo::labeled(Role::ComboBox, true, t!("Trained weights: {now}", now)));
    menu.response
        .on_hover_text(t!("Which of the run's weights: those of its last epoch, or of its best on held-out images"));
}

/// Who attacks what the stage shows, or is asked about.
fn shown_kind(look: Look<'_>) -> (Attacker<'_>, &'static Kind) {
    let asked = Attacker::asked(look.showing);
    let attacker = if look.showing.source == Source::Run { Attacker::shown(look).unwrap_or(asked) } else { asked };
    (attacker, attack(attacker.attack).unwrap_or(attacks()[0]))
}

/// Who attacks, and what that one sees and knows, in what is left of the line and so much of further ones.
fn attacker_ui(ui: &mut Ui, look: Look<'_>, further: f32, acts: &mut Vec<Act>) {
    let (attacker, kind) = shown_kind(look);
    let tip = t!("The stage shows what this attacker steals. {tip}", tip = say(kind.looker.tip));
    let label = ui.label(t!("Attacker:")).on_hover_text(&tip);
    let room = ui.available_size_before_wrap().x + further;
    let (name, sees) = (who_exactly(kind), t!("sees {sees}, knows", sees = sees_words(kind)));
    let brief = t!("knows");
    let sees = if width(ui, &name, &sees) <= room { sees } else { brief.to_owned() };
    let name = if width(ui, &name, brief) <= room { name } else { say(kind.looker.brief).to_owned() };
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
    ui.label(sees);
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

/// What the sentence takes from the attacker on, with this name and what it sees.
fn width(ui: &Ui, name: &str, sees: &str) -> f32 {
    let of = |text: &str| text_width(ui, text) + GAP;
    let spacing = ui.spacing();
    let mark = spacing.icon_width + spacing.icon_spacing;
    let menu = of(name) + 2.0 * spacing.button_padding.x + mark;
    let ticks = KNOWN.map(|(_, words, _)| say(words)).into_iter().chain([t!("our defence")]);
    of(t!("Attacker:")) + menu + of(sees) + ticks.map(|words| of(words) + mark).sum::<f32>()
}

fn text_width(ui: &Ui, text: &str) -> f32 {
    let font = TextStyle::Body.resolve(ui.style());
    ui.painter().layout_no_wrap(text.to_owned(), font, Color32::PLACEHOLDER).size().x
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
    tick.widget_info(|| WidgetInfo::selected(Role::CheckBox, can.is_ok(), on, t!("It knows {words}", words)));
    let changed = tick.changed();
    tick.on_hover_text(tip).on_disabled_hover_text(can.err().unwrap_or_default());
    changed
}

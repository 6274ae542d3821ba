//! One setting: its words, its control, the paper's value, and the way back.

use std::collections::{BTreeMap, HashMap};

use eframe::egui::text_edit::TextEditState;
use eframe::egui::{
    Align, Button, Checkbox, ComboBox, DragValue, Id, Key, Label, Layout, Response, RichText, Slider, SliderClamping,
    Stroke, StrokeKind, TextEdit, Ui, vec2,
};
use toml::Value;

use super::values::{assigned, check, number, shown, typed, without_effect};
use crate::app::Act;
use crate::app::theme::warning_ui;
use crate::data::{self, BUILT_IN};
use crate::experiment::{Experiment, Values};
use crate::model::zoo;
use crate::setting::{Kind, Mark, Setting};
use crate::texts::say;

/// Height of a row.
const ROW: f32 = 22.0;
/// Width of a number beside its slider.
const NUMBER: f32 = 66.0;
/// Width of the menu beside the model's name.
const MENU: f32 = 58.0;
/// Width of the button that goes back.
const BACK: f32 = 46.0;

/// What rows show, and what is typed in them.
pub(super) struct Rows<'a> {
    /// As the settings are.
    pub experiment: &'a Experiment,
    pub values: &'a Values,
    /// As they were, and where that is from.
    pub base: &'a Values,
    pub base_name: &'a str,
    /// What is told of the paper, as `--set` takes it.
    pub papers: &'a BTreeMap<&'static str, String>,
    /// Classes of the images; none where they are not loaded yet.
    pub classes: Option<usize>,
    /// The setting that is lit up, and whether it is brought into sight.
    pub lit: Option<&'a str>,
    pub brings: bool,
    /// What is typed and not yet applied.
    pub drafts: &'a mut HashMap<&'static str, String>,
    /// What was refused.
    pub troubles: &'a mut HashMap<&'static str, String>,
    pub acts: &'a mut Vec<Act>,
}

impl Rows<'_> {
    /// Draws a setting.
    pub fn row_ui(&mut self, ui: &mut Ui, setting: &'static Setting) {
        let width = ui.available_width();
        let (words, control) = ((0.33 * width).max(150.0), (0.33 * width).max(170.0));
        let why = without_effect(setting.key, self.experiment);
        let lit = self.lit == Some(setting.key);
        let line = ui.horizontal(|ui| {
            ui.spacing_mut().item_spacing.x = 6.0;
            let label = cell(ui, words, |ui| self.words_ui(ui, setting));
            let enabled = ui.add_enabled_ui(why.is_none(), |ui| {
                let response = cell(ui, control, |ui| self.control_ui(ui, setting, label, control));
                let response = response.on_hover_ui(|ui| tip_ui(ui, setting));
                if lit && self.brings {
                    response.request_focus();
                }
                if let Some(why) = why {
                    response.on_disabled_hover_text(why);
                }
            });
            enabled.response.on_disabled_hover_text(why.unwrap_or_default());
            self.beside_ui(ui, setting, why.is_none());
        });
        if lit {
            let stroke = Stroke::new(2.0, ui.visuals().warn_fg_color);
            ui.painter().rect_stroke(line.response.rect.expand(1.0), 4.0, stroke, StrokeKind::Inside);
            if self.brings {
                ui.scroll_to_rect(line.response.rect, Some(Align::Center));
            }
        }
        if setting.kind == Kind::Layers {
            self.layers_ui(ui, setting);
        }
        if let Some(trouble) = self.troubles.get(setting.key) {
            ui.horizontal(|ui| {
                ui.add_space(words + 6.0);
                warning_ui(ui);
                ui.add(Label::new(trouble).wrap());
            });
        }
    }

    fn differs(&self, key: &str) -> bool {
        self.base.get(key) != self.values.get(key)
    }

    /// Name and unit; a dot where it differs.
    fn words_ui(&self, ui: &mut Ui, setting: &'static Setting) -> Id {
        let differs = self.differs(setting.key);
        let (rect, _) = ui.allocate_exact_size(vec2(7.0, ROW), eframe::egui::Sense::hover());
        let mut text = RichText::new(say(setting.label));
        if differs {
            ui.painter().circle_filled(rect.center(), 3.0, ui.visuals().selection.stroke.color);
            text = text.strong();
        }
        let label = ui.add(Label::new(text).truncate()).on_hover_ui(|ui| {
            tip_ui(ui, setting);
            if differs {
                let before = self.base.get(setting.key).map_or_else(|| t!("nothing here").to_owned(), shown);
                ui.label(t!("Differs: {base_name} has {before}.", base_name = self.base_name, before));
            }
        });
        if !setting.unit.is_empty() {
            let unit = Label::new(RichText::new(setting.unit).weak().small()).truncate();
            ui.add(unit).on_hover_text(setting.unit);
        }
        label.id
    }

    fn control_ui(&mut self, ui: &mut Ui, setting: &'static Setting, label: Id, width: f32) -> Response {
        match (setting.kind, self.values.get(setting.key)) {
            (Kind::Switch, Some(Value::Boolean(on))) => {
                let mut now = *on;
                let response = ui.add(Checkbox::without_text(&mut now)).labelled_by(label);
                if response.changed() {
                    self.apply(setting.key, now.to_string());
                }
                response
            }
            (Kind::Whole { min, max }, Some(Value::Integer(n))) => {
                let mut now = *n;
                let speed = (*n as f64 * 0.01).clamp(0.05, 1000.0);
                let drag = DragValue::new(&mut now).range(min..=max).speed(speed).update_while_editing(false);
                let response = ui.add(drag).labelled_by(label);
                if now != *n {
                    self.apply(setting.key, now.to_string());
                }
                response
            }
            (Kind::Real { .. }, Some(Value::Float(x))) => self.real_ui(ui, setting, *x, label, width),
            (Kind::Choice(words), Some(Value::String(word))) => {
                let combo = ComboBox::from_id_salt(setting.key).selected_text(word).width(110.0);
                let response = combo.show_ui(ui, |ui| {
                    for other in words {
                        if ui.selectable_label(word == other, *other).clicked() && word != other {
                            self.apply(setting.key, (*other).to_owned());
                        }
                    }
                });
                response.response.labelled_by(label)
            }
            (Kind::Layers, listed) => {
                let words = listed.map_or_else(|| t!("as {name} has them", name = self.experiment.model.name), shown);
                let open = self.drafts.contains_key(setting.key);
                let list = Button::new(if open { t!("Close list") } else { t!("Edit list\u{2026}") });
                let known = self.classes.is_some() || BUILT_IN.contains(&self.experiment.data.name.as_str());
                let button = ui.add_enabled(open || known, list);
                let why = t!("How many classes the images have is known once they are loaded");
                let button = button.on_disabled_hover_text(why);
                if button.clicked() && self.drafts.remove(setting.key).is_none() {
                    self.drafts.insert(setting.key, layer_list(self.experiment, self.classes));
                }
                ui.add(Label::new(RichText::new(words).weak()).truncate());
                button
            }
            (_, value) => {
                let current = value.map(shown).unwrap_or_default();
                let named = setting.key == "model.name";
                let width = if named { width - MENU } else { width };
                let response = self.text_ui(ui, setting, &current, label, width);
                if named {
                    self.models_ui(ui, setting);
                }
                response
            }
        }
    }

    /// A slider, and beside it the number to type.
    fn real_ui(&mut self, ui: &mut Ui, setting: &'static Setting, x: f64, label: Id, width: f32) -> Response {
        let Kind::Real { min, max, log, open_min } = setting.kind else { return ui.label("") };
        // A slider's end must be a value.
        let start = if open_min { min + (max - min) * 1e-3 } else { min };
        let mut now = x;
        ui.spacing_mut().slider_width = (width - NUMBER - 14.0).max(60.0);
        let slider = Slider::new(&mut now, start..=max).logarithmic(log).show_value(false);
        let slider = ui.add(slider.clamping(SliderClamping::Never)).labelled_by(label);
        let speed = if log { 0.01 * x.max(1e-9) } else { (max - min) * 1e-3 };
        let drag = DragValue::new(&mut now).speed(speed).update_while_editing(false);
        let drag = ui.add_sized([NUMBER, ui.spacing().interact_size.y], drag.custom_formatter(|x, _| number(x)));
        let drag = drag.accessible_name(t!("{label}, number", label = say(setting.label)));
        let text = number(now);
        if text != number(x) {
            self.apply(setting.key, text);
        }
        slider | drag
    }

    /// A field that is applied when it is left, or by Enter; Escape takes it back.
    fn text_ui(&mut self, ui: &mut Ui, setting: &'static Setting, current: &str, label: Id, width: f32) -> Response {
        let draft = self.drafts.entry(setting.key).or_insert_with(|| current.to_owned());
        let hint = if setting.key == "model.input" { t!("as the data are") } else { "" };
        let field = TextEdit::singleline(draft).desired_width(width - 12.0).hint_text(hint);
        let response = ui.add(field).labelled_by(label);
        if response.gained_focus() {
            select_all(ui, response.id, draft.chars().count());
        }
        if response.changed() {
            self.troubles.remove(setting.key);
        }
        if response.lost_focus() {
            let escaped = ui.input(|input| input.key_pressed(Key::Escape));
            let same = draft.trim() == current;
            if escaped || same {
                self.forget(setting.key);
            } else {
                let text = typed(setting.kind, draft);
                self.apply(setting.key, text);
            }
        } else if !response.has_focus() && !self.troubles.contains_key(setting.key) {
            self.drafts.remove(setting.key);
        }
        response
    }

    /// The models that have a name, to choose from.
    fn models_ui(&mut self, ui: &mut Ui, setting: &'static Setting) {
        let menu = ui.menu_button(t!("Known"), |ui| {
            for name in zoo::NAMES {
                if ui.button(name).on_hover_text(zoo::words(name)).clicked() {
                    self.apply(setting.key, name.to_owned());
                    ui.close();
                }
            }
        });
        menu.response.accessible_name(t!("Known models")).on_hover_text(t!("The models that Cutlayer knows"));
    }

    /// The list of layers, each on its line, over the row's whole width.
    fn layers_ui(&mut self, ui: &mut Ui, setting: &'static Setting) {
        let Some(draft) = self.drafts.get_mut(setting.key) else { return };
        let field = TextEdit::multiline(draft).code_editor().desired_rows(6).desired_width(f32::INFINITY);
        if ui.add(field).accessible_name(t!("List of layers as TOML")).changed() {
            self.troubles.remove(setting.key);
        }
        let text = typed(setting.kind, draft);
        ui.horizontal(|ui| {
            let tip = t!("Take these layers; they are checked first, and the cut with them");
            if ui.button(t!("Apply")).on_hover_text(tip).clicked() {
                self.apply(setting.key, text);
            }
            if ui.button(t!("Cancel")).clicked() {
                self.forget(setting.key);
            }
            ui.weak("\"relu\", \"flatten\", { conv = 8, kernel = 3, padding = 1 }, { maxpool = 2 }, { linear = 10 }");
        });
    }

    /// The paper's value, and the way back to what the preset or file has.
    fn beside_ui(&mut self, ui: &mut Ui, setting: &'static Setting, enabled: bool) {
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            ui.set_min_height(ROW);
            if let Some(back) = self.way_back(setting.key) {
                let reset = Button::new(t!("Reset")).small().min_size(vec2(BACK, 0.0));
                let tip = || t!("Back to what {base_name} has: {back}", base_name = self.base_name, back = back.1);
                let reset = ui.add(reset).accessible_name(t!("Reset {label}", label = say(setting.label)));
                if reset.on_hover_ui(|ui| drop(ui.label(tip()))).clicked() {
                    self.apply(back.0, back.2);
                    self.drafts.remove(setting.key);
                }
            } else {
                ui.add_space(BACK + ui.spacing().item_spacing.x);
            }
            ui.with_layout(Layout::left_to_right(Align::Center), |ui| self.paper_ui(ui, setting, enabled));
        });
    }

    fn paper_ui(&mut self, ui: &mut Ui, setting: &'static Setting, enabled: bool) {
        let Some(paper) = setting.paper else { return };
        let (text, whose) = match paper.mark {
            Mark::Here => (t!("here: {here}", here = paper.value), t!("Our own choice, since the paper is silent")),
            Mark::Equations => (
                t!("paper: {value} {mark}", value = paper.value, mark = paper.mark),
                t!("From the paper's equations, known at second hand"),
            ),
            Mark::Published(source) => {
                (format!("{source}: {}", paper.value), t!("From the paper that the attack is of"))
            }
            Mark::Abstract => {
                (t!("paper: {value} {mark}", value = paper.value, mark = paper.mark), t!("From the paper's abstract"))
            }
        };
        let same = |told: &String| self.values.get(setting.key).map(assigned).as_ref() == Some(told);
        if let Some(told) = self.papers.get(setting.key).filter(|told| !same(told)) {
            let button = ui.add_enabled(enabled, Button::new(&text).small().truncate());
            let button =
                button.accessible_name(t!("Set {label} to what stands {text}", label = say(setting.label), text));
            if button.on_hover_text(t!("{whose}. Click to set it: {text}", whose, text)).clicked() {
                self.apply(setting.key, told.clone());
                self.drafts.remove(setting.key);
            }
        } else {
            let label = Label::new(RichText::new(&text).small().weak()).truncate();
            ui.add(label).on_hover_text(format!("{whose}: {text}"));
        }
    }

    /// Key, value in words and value as `--set` takes it that undo a difference; none where there is none.
    fn way_back(&self, key: &'static str) -> Option<(&'static str, String, String)> {
        if !self.differs(key) {
            return None;
        }
        // Listed layers go when the model is named again.
        let key = if key == "model.layers" && !self.base.contains_key(key) { "model.name" } else { key };
        self.base.get(key).map(|value| (key, shown(value), assigned(value)))
    }

    /// Asks for a change, or tells below the control why it cannot be.
    fn apply(&mut self, key: &'static str, text: String) {
        match check(self.experiment, key, &text) {
            Ok(()) => {
                self.forget(key);
                self.acts.push(Act::Set(key.to_owned(), text));
            }
            Err(trouble) => {
                self.troubles.insert(key, trouble);
            }
        }
    }

    fn forget(&mut self, key: &str) {
        self.troubles.remove(key);
        self.drafts.remove(key);
    }
}

/// A part of a row with a fixed width.
fn cell<R>(ui: &mut Ui, width: f32, contents: impl FnOnce(&mut Ui) -> R) -> R {
    let layout = Layout::left_to_right(Align::Center);
    let cell = ui.allocate_ui_with_layout(vec2(width, ROW), layout, |ui| {
        ui.set_min_size(vec2(width, ROW));
        contents(ui)
    });
    cell.inner
}

/// What a setting does, its key and what is allowed.
fn tip_ui(ui: &mut Ui, setting: &Setting) {
    ui.set_max_width(360.0);
    ui.label(say(setting.help));
    ui.weak(format!("{}: {}", setting.key, setting.kind.allowed()));
}

fn select_all(ui: &Ui, id: Id, letters: usize) {
    use eframe::egui::text::{CCursor, CCursorRange};
    let mut state = TextEditState::load(ui.ctx(), id).unwrap_or_default();
    state.cursor.set_char_range(Some(CCursorRange::two(CCursor::new(0), CCursor::new(letters))));
    state.store(ui.ctx(), id);
}

/// The layers one on a line, listed or the named model's; its last one has an output for each class of the images.
pub(super) fn layer_list(experiment: &Experiment, classes: Option<usize>) -> String {
    let name = experiment.data.name.as_str();
    // Only what comes with the program is loaded here: that takes no time.
    let built_in =
        || BUILT_IN.contains(&name).then(|| data::built_in(name).ok()).flatten().map(|data| data.classes.len());
    let layers = classes.or_else(built_in).and_then(|classes| experiment.layers(classes).ok()).unwrap_or_default();
    let line = |layer| Value::try_from(layer).map_or_else(|_| String::new(), |value| format!("    {value},\n"));
    format!("[\n{}]", layers.iter().map(line).collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_of_layers_is_read_back_as_it_was() {
        let mut experiment = Experiment::default();
        let layers = experiment.layers(10).unwrap();
        let text = layer_list(&experiment, None);
        assert!(text.lines().count() == layers.len() + 2 && text.contains("    \"relu\",\n"), "{text}");
        experiment.set(&format!("model.layers={text}")).unwrap();
        assert_eq!(experiment.model.layers, Some(layers));
    }

    #[test]
    fn a_list_ends_with_an_output_for_each_class() {
        let mut experiment = Experiment::default();
        let last = |experiment: &Experiment, classes| {
            let text = layer_list(experiment, classes);
            text.lines().rev().find(|line| line.contains("linear")).unwrap_or_default().trim().to_owned()
        };
        assert_eq!(last(&experiment, None), "{ linear = 10 },");
        assert_eq!(last(&experiment, Some(7)), "{ linear = 7 },");
        "brainmri".clone_into(&mut experiment.data.name);
        assert_eq!(last(&experiment, None), "{ linear = 3 },");
    }
}

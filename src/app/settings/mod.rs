//! Over the panes: every setting, each with the paper's value beside it. The stage above follows each change.

mod row;
pub(super) mod share;
pub(super) mod values;

use std::collections::{BTreeMap, HashMap};

use eframe::egui::{Button, CollapsingHeader, Context, Key, Label, Rect, RichText, ScrollArea, TextEdit, Ui, Window};
use eframe::egui::{pos2, vec2};

pub use self::share::command_line;

use self::row::Rows;
use self::values::{heading, told};
use super::theme::warning_ui;
use super::{Act, Document, Look};
use crate::experiment::{AttackSpec, DefenceSpec, Experiment, Values};
use crate::setting::{Setting, split};
use crate::texts::say;
use crate::workbench::{self, defences};

/// Height of the buttons below the settings.
const FOOT: f32 = 34.0;
/// The same with the field for a pasted text.
const PASTE: f32 = 172.0;
/// Frames for which a setting that was looked for is brought into sight.
const BRINGS: u8 = 8;

/// What is typed in it.
#[derive(Debug, Default)]
pub struct SettingsView {
    filter: String,
    /// The setting that is lit up.
    lit: Option<String>,
    /// Frames for which it is brought into sight: a section may have to open first.
    brings: u8,
    drafts: HashMap<&'static str, String>,
    troubles: HashMap<&'static str, String>,
    shown: Option<Shown>,
    /// Attacks that were switched off, to come back as they were.
    put_away: Vec<AttackSpec>,
    paste: Option<Paste>,
    /// Something had the keyboard in the last frame: Escape is its own then.
    busy: bool,
}

#[derive(Debug, Default)]
struct Paste {
    text: String,
    trouble: Option<String>,
}

/// What rows are made from; renewed where the document has changed.
#[derive(Debug)]
struct Shown {
    experiment: Experiment,
    kept: Experiment,
    values: Values,
    base: Values,
    base_name: String,
    papers: BTreeMap<&'static str, String>,
}

impl SettingsView {
    /// Brings the setting with this key into sight and lights it up.
    pub fn find(&mut self, key: &str) {
        self.filter.clear();
        self.lit = Some(key.to_owned());
        self.brings = BRINGS;
    }

    /// Shows other values. A field in which nothing was typed shows them too; what was refused may be right now.
    fn renew(&mut self, shown: Shown, classes: Option<usize>) {
        if let Some(before) = &self.shown {
            let listed = row::layer_list(&before.experiment, classes);
            self.drafts.retain(|key, draft| match before.values.get(key) {
                _ if *key == "model.layers" => {
                    if *draft == listed {
                        *draft = row::layer_list(&shown.experiment, classes);
                    }
                    true
                }
                value => *draft != value.map(values::shown).unwrap_or_default(),
            });
        }
        self.shown = Some(shown);
        self.troubles.clear();
    }
}

impl Shown {
    fn of(document: &Document) -> Self {
        let (experiment, kept) = (document.experiment().clone(), document.kept().clone());
        let (base_name, base) = base(document);
        let mut base = base.values();
        // An attack that the base has not is compared with its own defaults.
        for (key, value) in attack_defaults(&experiment) {
            base.entry(key).or_insert(value);
        }
        let settings = experiment.settings();
        let papers = settings.iter().filter_map(|setting| Some((setting.key, told(setting, setting.paper?)?)));
        Self { values: experiment.values(), base, base_name, papers: papers.collect(), experiment, kept }
    }

    fn fits(&self, document: &Document) -> bool {
        self.experiment == *document.experiment() && self.kept == *document.kept()
    }

    fn differences(&self) -> usize {
        self.values.iter().filter(|(key, value)| self.base.get(*key) != Some(value)).count()
    }
}

/// What attacks have where nobody says otherwise, under the names that they have in the experiment.
fn attack_defaults(experiment: &Experiment) -> Values {
    let mut usual = Experiment::default();
    let labelled = experiment.attacks.iter().filter(|spec| spec.label.is_some());
    let fresh = |spec: &AttackSpec| AttackSpec { label: spec.label.clone(), ..AttackSpec::of(spec.kind) };
    usual.attacks.extend(labelled.map(fresh));
    usual.values().into_iter().filter(|(key, _)| key.starts_with("attack.")).collect()
}

/// What the settings are compared with: the file, the preset, or else the nearest preset.
fn base(document: &Document) -> (String, Experiment) {
    let kept = document.kept().clone();
    if let Some(path) = document.path() {
        let name = path.file_name().unwrap_or(path.as_os_str());
        return (name.to_string_lossy().into_owned(), kept);
    }
    let Some((name, differences)) = share::nearest(&kept) else { return (t!("the start").to_owned(), kept) };
    if differences.iter().all(|assignment| assignment.starts_with("seed=")) {
        return (name.to_owned(), kept);
    }
    (name.to_owned(), Experiment::preset(name).unwrap_or(kept))
}

/// Draws it. False where it is closed.
pub fn settings_ui(ctx: &Context, look: Look<'_>, view: &mut SettingsView, acts: &mut Vec<Act>) -> bool {
    let facts = look.showing.facts.as_ref();
    let facts = facts.filter(|facts| facts.are_of(&look.document.experiment().data) && !facts.classes.is_empty());
    let classes = facts.map(|facts| facts.classes.len());
    if !view.shown.as_ref().is_some_and(|shown| shown.fits(look.document)) {
        view.renew(Shown::of(look.document), classes);
    }
    let mut open = true;
    let window = Window::new(t!("All settings")).open(&mut open).default_rect(place(ctx)).collapsible(false);
    window.min_size([430.0, 220.0]).constrain(true).show(ctx, |ui| {
        head_ui(ui, view);
        ui.separator();
        let foot = if view.paste.is_some() { PASTE } else { FOOT };
        let height = (ui.available_height() - foot).max(80.0);
        let area = ScrollArea::vertical().auto_shrink(false).max_height(height);
        area.show(ui, |ui| sections_ui(ui, view, classes, acts));
        if view.brings > 0 {
            view.brings -= 1;
            ui.ctx().request_repaint();
        } else if ui.input(|input| input.pointer.any_pressed()) {
            view.lit = None;
        }
        ui.separator();
        foot_ui(ui, look, view, acts);
    });
    let escape = ctx.input(|input| input.key_pressed(Key::Escape));
    let busy = ctx.memory(|memory| memory.focused().is_some()) || eframe::egui::Popup::is_any_open(ctx);
    let was_busy = std::mem::replace(&mut view.busy, busy);
    let open = open && !(escape && !was_busy && !busy);
    if !open {
        view.troubles.clear();
    }
    open
}

/// Below the stage, as large as the panes are.
fn place(ctx: &Context) -> Rect {
    let screen = ctx.content_rect();
    let size = vec2((screen.width() - 30.0).min(800.0), (0.54 * screen.height() - 70.0).max(230.0));
    let corner = pos2(screen.right() - size.x - 15.0, screen.bottom() - size.y - 12.0);
    Rect::from_min_size(corner, size)
}

/// The filter, and what the settings are compared with.
fn head_ui(ui: &mut Ui, view: &mut SettingsView) {
    ui.horizontal(|ui| {
        let label = ui.label(t!("Find"));
        let field = TextEdit::singleline(&mut view.filter).desired_width(190.0).hint_text(t!("a word, or a key"));
        ui.add(field).labelled_by(label.id).on_hover_text(t!("Looks in names, keys and explanations"));
        if !view.filter.is_empty() && ui.button(t!("Show all")).clicked() {
            view.filter.clear();
        }
        let Some(shown) = &view.shown else { return };
        let words = match shown.differences() {
            0 => t!("All as in {base_name}", base_name = shown.base_name),
            1 => t!("1 setting differs from {base_name}", base_name = shown.base_name),
            n => t!("{n} settings differ from {base_name}", n, base_name = shown.base_name),
        };
        ui.add(Label::new(RichText::new(&words).weak()).truncate())
            .on_hover_text(t!("{words}. A dot marks what differs, Reset takes it back.", words));
    });
}

/// Whether a setting is looked for.
fn matches(setting: &Setting, filter: &str, experiment: &Experiment) -> bool {
    if experiment.setting(filter.trim()).is_some() {
        return setting.key == filter.trim();
    }
    let (label, help) = (say(setting.label).to_lowercase(), say(setting.help).to_lowercase());
    let holds = |word: &str| setting.key.contains(word) || label.contains(word) || help.contains(word);
    filter.to_lowercase().split_whitespace().all(holds)
}

fn sections_ui(ui: &mut Ui, view: &mut SettingsView, classes: Option<usize>, acts: &mut Vec<Act>) {
    let SettingsView { filter, lit, brings, drafts, troubles, shown: Some(shown), put_away, .. } = view else { return };
    let mut rows = Rows {
        experiment: &shown.experiment,
        values: &shown.values,
        base: &shown.base,
        base_name: &shown.base_name,
        papers: &shown.papers,
        classes,
        lit: lit.as_deref(),
        brings: *brings > 0,
        drafts,
        troubles,
        acts,
    };
    let filtered = !filter.trim().is_empty();
    let mut any = false;
    // Attacks that were switched off keep their place.
    let put_back =
        put_away.iter().filter(|away| !shown.experiment.attacks.iter().any(|spec| spec.name() == away.name()));
    let mut listed = shown.experiment.clone();
    listed.attacks.extend(put_back.cloned());
    let all = listed.settings();
    for section in all.chunk_by(|a, b| split(a.key).0 == split(b.key).0) {
        let name = split(section[0].key).0;
        let found: Vec<&'static Setting> =
            section.iter().copied().filter(|setting| matches(setting, filter, &listed)).collect();
        if found.is_empty() {
            continue;
        }
        any = true;
        let title = RichText::new(heading(name)).strong();
        let header = CollapsingHeader::new(title).id_salt(name).default_open(true);
        let opens = filtered || rows.brings && found.iter().any(|setting| rows.lit == Some(setting.key));
        let header = header.open(opens.then_some(true));
        header.show_unindented(ui, |ui| {
            ui.spacing_mut().item_spacing.y = 2.0;
            if let Some(attack) = name.strip_prefix("attack.") {
                launch_ui(ui, attack, &mut rows, put_away);
                if !rows.experiment.attacks.iter().any(|spec| spec.name() == attack) {
                    return;
                }
            }
            if let Some(defence) = name.strip_prefix("defence.") {
                defend_ui(ui, defence, &mut rows);
                if !rows.experiment.defences.iter().any(|spec| spec.name() == defence) {
                    return;
                }
            }
            if let Some(words) = while_off(rows.experiment, name).filter(|_| !filtered) {
                ui.weak(words);
            }
            for setting in found {
                rows.row_ui(ui, setting);
            }
        });
    }
    if !any {
        ui.add_space(8.0);
        ui.label(t!(
            "No setting has \u{201c}{filter}\u{201d} in its name, key or explanation.",
            filter = filter.trim()
        ));
    }
}

/// What to say of the settings of a defence that has a section of its own and is off.
fn while_off(experiment: &Experiment, section: &str) -> Option<&'static str> {
    let kind = defences().iter().find(|kind| kind.section == Some(section))?;
    let on = experiment.stack().is_ok_and(|stack| stack.iter().any(|setup| setup.kind.id == kind.id));
    (!on && !kind.while_off.is_empty()).then_some(say(kind.while_off))
}

/// Whether an attack is launched at all.
fn launch_ui(ui: &mut Ui, name: &str, rows: &mut Rows<'_>, put_away: &mut Vec<AttackSpec>) {
    let attacks = &rows.experiment.attacks;
    let at = attacks.iter().position(|spec| spec.name() == name);
    let mut on = at.is_some();
    let words = t!("Launch {name} in the run", name);
    let tip = t!("Once the networks are trained, and where the list below says so during the training");
    if !ui.checkbox(&mut on, words).on_hover_text(tip).changed() {
        return;
    }
    let mut list = attacks.clone();
    if let Some(at) = at {
        put_away.retain(|spec| spec.name() != name);
        put_away.push(list.remove(at));
    } else {
        let before = put_away.iter().find(|spec| spec.name() == name).cloned();
        list.extend(before.or_else(|| AttackSpec::named(name).ok()));
        list.sort_by_key(|spec| workbench::attacks().iter().position(|kind| kind.id == spec.kind.id));
    }
    if let Some(text) = share::list(&list) {
        rows.acts.push(Act::Set("attack".to_owned(), text));
    }
}

/// Whether a defence of the list stands in the stack.
fn defend_ui(ui: &mut Ui, name: &str, rows: &mut Rows<'_>) {
    let mut list = rows.experiment.defences.clone();
    let at = list.iter().position(|spec| spec.name() == name);
    let mut on = at.is_some();
    let about = workbench::defence(name).map_or("", |kind| say(kind.about));
    if !ui.checkbox(&mut on, t!("Defend with {name}", name)).on_hover_text(about).changed() {
        return;
    }
    match at {
        Some(at) => drop(list.remove(at)),
        None => list.extend(DefenceSpec::named(name).ok()),
    }
    if let Some(text) = share::list(&list) {
        rows.acts.push(Act::Set("defence".to_owned(), text));
    }
}

/// Copies, and the way back from one.
fn foot_ui(ui: &mut Ui, look: Look<'_>, view: &mut SettingsView, acts: &mut Vec<Act>) {
    ui.horizontal(|ui| {
        let tip = t!("The whole experiment as a text, defaults written out");
        if ui.button(t!("Copy as TOML")).on_hover_text(tip).clicked() {
            acts.push(Act::Copy(look.document.experiment().to_toml()));
        }
        let tip = t!("The command that runs this experiment: a preset, and what differs from it");
        if ui.button(t!("Copy as --set")).on_hover_text(tip).clicked() {
            match command_line(look.document.experiment()) {
                Ok(text) => acts.push(Act::Copy(text)),
                Err(error) => view.paste = Some(Paste { trouble: Some(error.to_string()), ..Paste::default() }),
            }
        }
        let tip = t!("Take an experiment from a text: TOML, or such a command");
        if ui.button(t!("Paste\u{2026}")).on_hover_text(tip).clicked() {
            view.paste = if view.paste.is_some() { None } else { Some(Paste::default()) };
        }
    });
    let Some(paste) = &mut view.paste else { return };
    let mut open = true;
    ScrollArea::vertical().id_salt("paste").max_height(PASTE - 100.0).show(ui, |ui| {
        let field = TextEdit::multiline(&mut paste.text).code_editor().desired_rows(4).desired_width(f32::INFINITY);
        if ui.add(field).accessible_name(t!("Experiment as TOML or as a command")).changed() {
            paste.trouble = None;
        }
    });
    ui.horizontal(|ui| {
        let some = !paste.text.trim().is_empty();
        let take =
            ui.add_enabled(some, Button::new(t!("Take it"))).on_disabled_hover_text(t!("Paste a text above first"));
        if take.clicked() {
            if super::shared::is_shared(&paste.text) {
                acts.push(Act::Shared(paste.text.clone()));
                open = false;
            } else {
                match share::read(&paste.text) {
                    Ok(experiment) => {
                        acts.push(Act::Take(Box::new(experiment)));
                        open = false;
                    }
                    Err(error) => paste.trouble = Some(error.to_string()),
                }
            }
        }
        open &= !ui.button(t!("Cancel")).clicked();
        if let Some(trouble) = &paste.trouble {
            let line = trouble.replace('\n', " ");
            warning_ui(ui);
            ui.add(Label::new(line).truncate()).on_hover_text(trouble);
        }
    });
    if !open {
        view.paste = None;
    }
}

#[cfg(test)]
mod tests;

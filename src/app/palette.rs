//! Over the panes: every command, setting and run, found by typing a few letters of it.

use std::ops::Range;

use eframe::egui::text::LayoutJob;
use eframe::egui::{
    Align, Align2, Button, Color32, Context, Id, Key, Modal, Modifiers, RichText, ScrollArea, Stroke, TextEdit,
    TextFormat, TextStyle, Ui, WidgetInfo, vec2,
};
use nucleo_matcher::pattern::{CaseMatching, Normalization, Pattern};
use nucleo_matcher::{Config, Matcher, Utf32Str};

use super::command::{commands, why_not};
use super::theme::cut_short_ui;
use super::{Act, Look};
use crate::setting::split;
use crate::workbench::method;

/// Things that are listed at most: nobody reads further.
const MOST: usize = 60;
/// Before every setting's name.
const SETTING: &str = "Setting: ";
/// What commands and runs are ahead of settings by: less than a letter's match.
const FAVOUR: u32 = 10;

/// What is typed in it.
#[derive(Debug, Default)]
pub struct PaletteView {
    query: String,
    items: Vec<Item>,
    /// Runs that were known when the list was made.
    runs: Option<usize>,
    found: Vec<Found>,
    /// What was looked for.
    of: Option<String>,
    chosen: usize,
    /// The chosen one was moved to and may be out of sight.
    moved: bool,
    opened: bool,
}

/// Something that can be chosen.
#[derive(Clone, Debug, PartialEq)]
struct Item {
    words: String,
    /// At the right: keys, or a setting's key. A setting is found by it, too.
    beside: String,
    /// Whether `beside` is looked through.
    by_key: bool,
    help: String,
    act: Act,
}

#[derive(Clone, Debug, PartialEq)]
struct Found {
    item: usize,
    /// Letters that match, by their place in the words.
    letters: Vec<u32>,
}

/// Draws it. False where it is closed.
pub fn palette_ui(ctx: &Context, look: Look<'_>, view: &mut PaletteView, acts: &mut Vec<Act>) -> bool {
    view.prepare(ctx, look);
    let mut done = false;
    let screen = ctx.content_rect();
    let area = Modal::default_area(Id::unique("palette")).anchor(Align2::CENTER_TOP, vec2(0.0, 60.0));
    let modal = Modal::new(Id::unique("palette")).area(area).show(ctx, |ui| {
        ui.set_width((screen.width() - 60.0).min(560.0));
        let enter = keys(ui, view);
        let field = TextEdit::singleline(&mut view.query).desired_width(f32::INFINITY);
        let field = ui.add(field.hint_text("A command, a setting or a run")).accessible_name("Search commands");
        if !std::mem::replace(&mut view.opened, true) {
            field.request_focus();
        }
        if field.changed() {
            view.look();
        }
        ui.add_space(4.0);
        let clicked = list_ui(ui, look, view, (screen.height() - 230.0).clamp(120.0, 380.0));
        let chosen = clicked.or(enter.then_some(view.chosen));
        if let Some(item) = chosen.and_then(|at| view.found.get(at)).map(|found| &view.items[found.item])
            && why_not(&item.act, &look).is_none()
        {
            acts.push(item.act.clone());
            done = true;
        }
        ui.separator();
        about_ui(ui, look, view);
    });
    !done && !modal.should_close()
}

/// Up and down, before the field takes them. True for Enter.
fn keys(ui: &Ui, view: &mut PaletteView) -> bool {
    let last = view.found.len().saturating_sub(1);
    ui.input_mut(|input| {
        for (key, by) in [(Key::ArrowDown, 1), (Key::ArrowUp, -1), (Key::PageDown, 8), (Key::PageUp, -8)] {
            if input.consume_key(Modifiers::NONE, key) {
                view.chosen = view.chosen.saturating_add_signed(by).min(last);
                view.moved = true;
            }
        }
        input.consume_key(Modifiers::NONE, Key::Enter)
    })
}

/// What was found. The place of the one that was clicked.
fn list_ui(ui: &mut Ui, look: Look<'_>, view: &mut PaletteView, height: f32) -> Option<usize> {
    let mut clicked = None;
    if view.found.is_empty() {
        ui.label(format!("Nothing is called \u{201c}{}\u{201d}.", view.query.trim()));
        return None;
    }
    ScrollArea::vertical().max_height(height).auto_shrink([false, true]).show(ui, |ui| {
        ui.spacing_mut().item_spacing.y = 1.0;
        for (i, found) in view.found.iter().enumerate() {
            let item = &view.items[found.item];
            let why = why_not(&item.act, &look);
            let chosen = i == view.chosen;
            let words = emphasised(ui, &item.words, &found.letters);
            let button = Button::selectable(chosen, words).truncate().shortcut_text(&item.beside);
            let response = ui.add_enabled(why.is_none(), button.min_size(vec2(ui.available_width(), 24.0)));
            response
                .widget_info(|| WidgetInfo::selected(eframe::egui::Role::Button, why.is_none(), chosen, &item.words));
            if chosen && std::mem::take(&mut view.moved) {
                response.scroll_to_me(None);
            }
            if response.on_hover_text(&item.help).on_disabled_hover_text(why.unwrap_or_default()).clicked() {
                clicked = Some(i);
            }
        }
    });
    clicked
}

/// What the chosen one does, or why it cannot be done.
fn about_ui(ui: &mut Ui, look: Look<'_>, view: &PaletteView) {
    let item = view.found.get(view.chosen).map(|found| &view.items[found.item]);
    let text = match item {
        Some(item) => match why_not(&item.act, &look) {
            Some(why) => format!("{why}."),
            None => item.help.clone(),
        },
        None => "Try fewer letters. Up and Down choose, Enter does it, Escape closes.".to_owned(),
    };
    cut_short_ui(ui, RichText::new(&text).weak(), &text);
}

/// The words, with a line below the letters that match.
fn emphasised(ui: &Ui, words: &str, letters: &[u32]) -> LayoutJob {
    let line = Stroke::new(1.5, ui.visuals().text_color());
    let format = |matches: bool| TextFormat {
        font_id: TextStyle::Button.resolve(ui.style()),
        // The button's own.
        color: Color32::PLACEHOLDER,
        underline: if matches { line } else { Stroke::NONE },
        valign: Align::Center,
        ..TextFormat::default()
    };
    let mut job = LayoutJob::default();
    for (range, matches) in parts(words, letters) {
        job.append(&words[range], 0.0, format(matches));
    }
    job
}

/// Runs of letters that match, and of those that do not.
fn parts(words: &str, letters: &[u32]) -> Vec<(Range<usize>, bool)> {
    let mut parts: Vec<(Range<usize>, bool)> = Vec::new();
    for (i, (at, c)) in words.char_indices().enumerate() {
        let matches = letters.contains(&(i as u32));
        match parts.last_mut() {
            Some((range, before)) if *before == matches => range.end = at + c.len_utf8(),
            _ => parts.push((at..at + c.len_utf8(), matches)),
        }
    }
    parts
}

impl PaletteView {
    /// Makes the list where it is new or runs have come.
    fn prepare(&mut self, ctx: &Context, look: Look<'_>) {
        if self.runs != Some(look.library.runs.len()) {
            self.runs = Some(look.library.runs.len());
            self.items = items(ctx, look);
            self.look();
        }
    }

    /// Looks for what is typed.
    fn look(&mut self) {
        if self.of.as_ref() != Some(&self.query) {
            self.chosen = 0;
            self.of = Some(self.query.clone());
        }
        self.found = found(&self.items, &self.query);
        self.chosen = self.chosen.min(self.found.len().saturating_sub(1));
        self.moved = true;
    }
}

/// Everything that can be chosen: commands, then sections of the method, then settings, then runs.
fn items(ctx: &Context, look: Look<'_>) -> Vec<Item> {
    // The palette itself is no choice.
    let here = Act::Popup(Some(super::Popup::Palette));
    let all = commands().into_iter().filter(|command| command.act != here).map(|command| Item {
        beside: command.keys.map(|keys| ctx.format_shortcut(&keys)).unwrap_or_default(),
        words: command.words,
        by_key: false,
        help: command.help,
        act: command.act,
    });
    let has = |key: &str| {
        let name = split(key).0.strip_prefix("attack.");
        name.is_none_or(|name| look.document.experiment().attacks.iter().any(|attack| attack.name() == name))
    };
    let settings =
        look.document.experiment().settings().into_iter().filter(|setting| has(setting.key)).map(|setting| Item {
            words: format!("{SETTING}{}", setting.label),
            beside: setting.key.to_owned(),
            by_key: true,
            help: setting.help.to_owned(),
            act: Act::FindSetting(setting.key.to_owned()),
        });
    let runs = look.library.runs.iter().map(|run| Item {
        words: format!("Open run {}", run.name),
        beside: String::new(),
        by_key: false,
        help: run.path.display().to_string(),
        act: Act::ShowRun(run.path.clone()),
    });
    let sections = method().map(|section| Item {
        words: format!("Method: {}", section.title),
        beside: String::new(),
        by_key: false,
        help: format!("Read this section, with its formulas: {}.", section.source),
        act: Act::Method(Some(section.id)),
    });
    all.chain(sections).chain(settings).chain(runs).collect()
}

/// What matches, best first; among equals commands first, then the shorter one. What matches far worse than the best is
/// left out.
fn found(items: &[Item], query: &str) -> Vec<Found> {
    if query.trim().is_empty() {
        return (0..items.len().min(MOST)).map(|item| Found { item, letters: Vec::new() }).collect();
    }
    let pattern = Pattern::parse(query.trim(), CaseMatching::Ignore, Normalization::Smart);
    let mut matcher = Matcher::new(Config::DEFAULT);
    let mut buffer = Vec::new();
    let mut all = Vec::new();
    for (item, Item { words, beside, by_key, .. }) in items.iter().enumerate() {
        // The word that all settings begin with would match too much.
        let before = if *by_key { SETTING.chars().count() } else { 0 };
        let text = if *by_key { format!("{} {beside}", &words[SETTING.len()..]) } else { words.clone() };
        let mut letters = Vec::new();
        if let Some(score) = pattern.indices(Utf32Str::new(&text, &mut buffer), &mut matcher, &mut letters) {
            let length = words.chars().count();
            // Places in the words; what matches the key is not shown.
            letters = letters.into_iter().map(|at| at + before as u32).filter(|at| (*at as usize) < length).collect();
            all.push((score + if *by_key { 0 } else { FAVOUR }, length, Found { item, letters }));
        }
    }
    all.sort_by_key(|(score, length, _)| (std::cmp::Reverse(*score), *length));
    let least = all.first().map_or(0, |(best, ..)| best / 2);
    all.into_iter().take_while(|(score, ..)| *score >= least).take(MOST).map(|(.., found)| found).collect()
}

#[cfg(test)]
mod tests {
    use egui_kittest::Harness;
    use egui_kittest::kittest::Queryable;

    use super::*;
    use crate::app::test_look::Shop;

    fn palette(shop: &Shop) -> Harness<'_, (PaletteView, Vec<Act>, bool)> {
        let draw = move |ui: &mut Ui, state: &mut (PaletteView, Vec<Act>, bool)| {
            state.2 &= palette_ui(ui.ctx(), shop.look(), &mut state.0, &mut state.1);
        };
        let state = (PaletteView::default(), Vec::new(), true);
        let mut harness = Harness::builder().with_size([900.0, 600.0]).build_ui_state(draw, state);
        harness.run_steps(3);
        harness
    }

    #[test]
    fn a_few_letters_and_enter_are_enough() {
        let shop = Shop::default();
        let mut harness = palette(&shop);
        assert!(harness.get_by_label("Search commands").is_focused());
        harness.get_by_label("Search commands").type_text("ste");
        harness.run_steps(2);
        harness.key_press(Key::Enter);
        harness.step();
        let (_, acts, open) = harness.state();
        assert_eq!((acts.as_slice(), *open), ([Act::Step].as_slice(), false));
    }

    #[test]
    fn arrows_and_the_mouse_choose_and_what_cannot_be_done_is_left() {
        let shop = Shop::default();
        let mut harness = palette(&shop);
        harness.get_by_label("Search commands").type_text("stop");
        harness.run_steps(2);
        harness.key_press(Key::Enter);
        harness.step();
        assert!(harness.state().1.is_empty() && harness.state().2, "no run is going");
        harness.get_by_label("No run is going.");
        harness.state_mut().0 = PaletteView::default();
        harness.run_steps(3);
        harness.key_press(Key::ArrowDown);
        harness.step();
        harness.get_by_label("Save experiment…").click();
        harness.run_steps(2);
        assert_eq!(harness.state().1, [Act::Ask(crate::app::Purpose::Save)]);
    }

    #[test]
    fn settings_are_found_by_their_key_and_nothing_found_says_so() {
        let shop = Shop::default();
        let mut harness = palette(&shop);
        harness.get_by_label("Search commands").type_text("train.rate");
        harness.run_steps(2);
        harness.key_press(Key::Enter);
        harness.step();
        assert_eq!(harness.state().1, [Act::FindSetting("train.rate".to_owned())]);
        harness.state_mut().0.query = "qqqq".to_owned();
        harness.state_mut().0.look();
        harness.run_steps(2);
        harness.get_by_label("Nothing is called “qqqq”.");
    }

    #[test]
    fn letters_that_match_stand_out() {
        assert_eq!(parts("Stöp", &[0, 2]), [(0..1, true), (1..2, false), (2..4, true), (4..5, false)]);
        let item = |words: &str| Item {
            words: words.to_owned(),
            beside: String::new(),
            by_key: false,
            help: String::new(),
            act: Act::Run,
        };
        let items = ["Show Table", "Reset", "Stop", "Step"].map(item);
        let order = |query: &str| found(&items, query).iter().map(|found| found.item).collect::<Vec<_>>();
        // Letters side by side first, then those that begin a word.
        assert_eq!(order("st"), [2, 3, 0, 1]);
        assert_eq!(order("table"), [0]);
        assert_eq!(order(""), [0, 1, 2, 3]);
        assert!(order("xyz").is_empty());
    }

    #[test]
    fn pictures() {
        let shop = Shop::default();
        let mut harness = palette(&shop);
        crate::app::test_look::picture(&mut harness, "palette-all");
        harness.get_by_label("Search commands").type_text("sav");
        harness.run_steps(2);
        crate::app::test_look::picture(&mut harness, "palette-sav");
    }
}

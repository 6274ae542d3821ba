//! The presets: a button with the present one's name, and cards that it opens.

use std::thread::Builder;

use crossbeam_channel::{Receiver, bounded};
use eframe::egui::{
    Button, Color32, Context, FontId, Image, Popup, PopupCloseBehavior, Rect, RectAlign, RichText, Role as Kind,
    ScrollArea, Sense, Shape, Stroke, StrokeKind, TextStyle, TextWrapMode, TextureHandle, TextureOptions, Ui,
    WidgetInfo, WidgetText, vec2,
};

use super::document::OWN;
use super::purpose::Purpose;
use super::textures::image;
use super::theme::Role;
use super::{Act, Look};
use crate::data::{self, BUILT_IN};
use crate::experiment::{AttackSpec, Experiment, PRESETS};
use crate::run::scene::Picture;
use crate::texts::say;

/// Side of a card's picture.
const SIDE: f32 = 56.0;
/// Around a card's contents.
const MARGIN: f32 = 6.0;
/// Width of a card.
const WIDTH: f32 = 640.0;
/// Recent files that are listed.
const RECENT: usize = 4;

/// The cards, made once.
#[derive(Default)]
pub struct PresetsView {
    cards: Vec<Card>,
    pictures: Vec<(&'static str, TextureHandle)>,
    coming: Option<Receiver<(&'static str, Picture)>>,
    open: bool,
}

#[derive(Debug)]
struct Card {
    name: &'static str,
    about: &'static str,
    facts: String,
    data: String,
    defended: bool,
}

impl Card {
    fn of(preset: &(&'static str, &'static str, &'static str)) -> Option<Self> {
        let (name, about, _) = *preset;
        let experiment = Experiment::preset(name).ok()?;
        let (facts, defended) = (facts(&experiment), experiment.defended());
        Some(Self { name, about, facts, data: experiment.data.name, defended })
    }
}

/// Defence and attacks in a few words.
fn facts(experiment: &Experiment) -> String {
    let defence = experiment.defence_titles();
    let defence = if defence.is_empty() { t!("undefended").to_owned() } else { defence };
    let attacks: Vec<&str> = experiment.attacks.iter().map(AttackSpec::title).collect();
    let attacks = if attacks.is_empty() { t!("no attacks").to_owned() } else { attacks.join(t!(" and ")) };
    let epochs = experiment.train.epochs;
    t!(
        "{name}, {defence}, {epochs} epochs, attacked by {attacks}",
        name = experiment.data.name,
        defence,
        epochs,
        attacks
    )
}

impl PresetsView {
    /// Makes the cards, and has their pictures read on a thread of their own.
    fn prepare(&mut self, ctx: &Context) {
        if self.cards.is_empty() {
            self.cards = PRESETS.iter().filter_map(Card::of).collect();
            let (sender, receiver) = bounded(BUILT_IN.len());
            let ctx = ctx.clone();
            let read = move || {
                for name in BUILT_IN {
                    let first = data::built_in(name).and_then(|data| Picture::of_image(&data.test, 0));
                    let Ok(first) = first else { continue };
                    // Nobody listens any more where the window was closed meanwhile.
                    let _ = sender.send((name, first));
                    ctx.request_repaint();
                }
            };
            // Without a thread the cards stay without pictures.
            let thread = Builder::new().name("cutlayer-thumbnails".to_owned()).spawn(read);
            self.coming = thread.ok().map(|_| receiver);
        }
        while let Some((name, picture)) = self.coming.as_ref().and_then(|coming| coming.try_recv().ok()) {
            if let Some(image) = image(&picture) {
                let options = TextureOptions::NEAREST;
                self.pictures.push((name, ctx.load_texture(t!("thumbnail {name}", name), image, options)));
            }
        }
    }
}

/// Draws the button, and the cards while they are open.
pub fn presets_ui(ui: &mut Ui, look: Look<'_>, view: &mut PresetsView, acts: &mut Vec<Act>) {
    let document = look.document;
    let changed = if document.changed() { " *" } else { "" };
    let name = document.name();
    let height = ui.spacing().interact_size.y;
    let width = (0.16 * ui.ctx().content_rect().width()).clamp(110.0, 170.0);
    let shown = if name == OWN { t!("Unsaved experiment") } else { name };
    let text = RichText::new(format!("{shown}{changed}"));
    let button = ui.add_sized([width, height], Button::new(text).truncate().right_text("    "));
    button.widget_info(|| WidgetInfo::labeled(Kind::Button, true, t!("Preset: {shown}{changed}", shown, changed)));
    triangle_ui(ui, button.rect);
    let about = PRESETS.iter().find(|preset| preset.0 == name).map(|preset| preset.1);
    let kind = if name == OWN { t!("An experiment of your own, in no file yet") } else { t!("From a file or a run") };
    let star = if document.changed() { t!("\nThe star: changed since it was loaded or saved.") } else { "" };
    let button = button.on_hover_text(t!("{about}{star}\nClick for all presets.", about = about.unwrap_or(kind), star));
    let room = ui.ctx().content_rect().shrink2(vec2(24.0, 40.0)).size();
    let popup = Popup::from_toggle_button_response(&button).align(RectAlign::BOTTOM_START);
    let popup = popup.close_behavior(PopupCloseBehavior::CloseOnClickOutside).accessible_name(t!("Presets"));
    let shown = popup.show(|ui| {
        view.prepare(ui.ctx());
        let first = !std::mem::replace(&mut view.open, true);
        ui.set_width(WIDTH.min(room.x));
        let height = room.y - 20.0;
        ScrollArea::vertical().max_height(height).min_scrolled_height(height).show(ui, |ui| {
            ui.spacing_mut().item_spacing.y = 4.0;
            cards_ui(ui, name, view, first, acts);
            recent_ui(ui, look, acts);
        });
    });
    if shown.is_none() {
        view.open = false;
    }
}

/// Says that the button opens something, as a combo box does.
fn triangle_ui(ui: &Ui, button: Rect) {
    let middle = button.right_center() - vec2(14.0, 0.0);
    let corners = [vec2(-4.0, -2.0), vec2(4.0, -2.0), vec2(0.0, 3.0)].map(|corner| middle + corner);
    ui.painter().add(Shape::convex_polygon(corners.to_vec(), ui.visuals().text_color(), Stroke::NONE));
}

fn cards_ui(ui: &mut Ui, chosen: &str, view: &PresetsView, first: bool, acts: &mut Vec<Act>) {
    for (i, card) in view.cards.iter().enumerate() {
        let picture = view.pictures.iter().find(|(data, _)| *data == card.data).map(|(_, texture)| texture);
        let size = vec2(ui.available_width(), SIDE + 2.0 * MARGIN);
        let (rect, response) = ui.allocate_exact_size(size, Sense::click());
        let selected = card.name == chosen;
        response.widget_info(|| WidgetInfo::selected(Kind::Button, true, selected, card.name));
        if first && selected {
            response.request_focus();
        }
        let visuals = ui.style().interact_selectable(&response, selected);
        ui.painter().rect(rect, 6.0, visuals.weak_bg_fill, visuals.bg_stroke, StrokeKind::Inside);
        card_ui(ui, rect.shrink(MARGIN), card, picture, visuals.text_color());
        let response = response.on_hover_text(format!("{}\n{}", say(card.about), card.facts));
        if response.clicked() {
            acts.push(Act::Preset(i));
            ui.close();
        }
    }
}

fn card_ui(ui: &mut Ui, rect: Rect, card: &Card, picture: Option<&TextureHandle>, color: Color32) {
    let square = Rect::from_min_size(rect.min, vec2(SIDE, SIDE));
    if let Some(texture) = picture {
        Image::from_texture((texture.id(), square.size())).paint_at(ui, square);
    } else {
        ui.painter().rect_filled(square, 0.0, ui.visuals().extreme_bg_color);
        // A file's name may be wider than the square, and has no place to break at.
        let (font, color) = (FontId::proportional(10.0), ui.visuals().weak_text_color());
        let name = ui.painter().layout(card.data.clone(), font, color, SIDE - 6.0);
        ui.painter().galley(square.center() - name.size() / 2.0, name, color);
    }
    let line = if card.defended { Role::Disguised } else { Role::Patient };
    ui.painter().rect_stroke(square, 0.0, Stroke::new(1.5, line.color(ui)), StrokeKind::Outside);
    // Painted, since the card itself is what is named and clicked.
    let mut top = square.right_top() + vec2(10.0, -1.0);
    let lines = [RichText::new(card.name).strong(), RichText::new(say(card.about)), RichText::new(&card.facts).small()];
    for line in lines {
        let wrap = Some(TextWrapMode::Truncate);
        let line = WidgetText::from(line.color(color)).into_galley(ui, wrap, rect.right() - top.x, TextStyle::Body);
        let height = line.size().y;
        ui.painter().galley(top, line, color);
        top.y += height + 2.0;
    }
}

/// Files that were opened before.
fn recent_ui(ui: &mut Ui, look: Look<'_>, acts: &mut Vec<Act>) {
    ui.separator();
    ui.horizontal(|ui| {
        ui.label(RichText::new(t!("Files of your own")).strong());
        if ui.small_button(t!("Open\u{2026}")).on_hover_text(t!("Open an experiment, a run or a data set")).clicked() {
            acts.push(Act::Ask(Purpose::Open));
            ui.close();
        }
    });
    if look.recent.is_empty() {
        ui.weak(t!("Experiments, runs and data that you open or save appear here."));
    }
    for path in look.recent.iter().take(RECENT) {
        let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy();
        let full = path.display().to_string();
        if ui.add(Button::new(name.as_ref()).truncate()).on_hover_text(full).clicked() {
            acts.push(Act::File(Purpose::Open, path.clone()));
            ui.close();
        }
    }
}

#[cfg(test)]
mod tests {
    use egui_kittest::Harness;
    use egui_kittest::kittest::Queryable;

    use super::*;
    use crate::app::test_look::{Shop, picture};
    use crate::experiment::fixture::{BRAIN, DIGITS, TITLE};

    fn bar(shop: &Shop, size: [f32; 2]) -> Harness<'_, (PresetsView, Vec<Act>)> {
        let draw = move |ui: &mut Ui, state: &mut (PresetsView, Vec<Act>)| {
            crate::app::bar::bar_ui(ui, shop.look(), &mut state.0, &mut state.1);
        };
        let mut harness = Harness::builder().with_size(size).build_ui_state(draw, Default::default());
        crate::app::theme::install(&harness.ctx);
        harness.run_steps(2);
        harness
    }

    #[test]
    fn a_card_chooses_its_preset() {
        let shop = Shop { recent: vec!["/a/mine.toml".into()], ..Shop::default() };
        for size in [[900.0, 600.0], [1280.0, 800.0], [600.0, 400.0]] {
            let mut harness = bar(&shop, size);
            assert!(harness.query_by_label("quick").is_none());
            harness.get_by_label(&format!("Preset: {DIGITS}")).click();
            harness.run_steps(4);
            let start = std::time::Instant::now();
            while harness.state().0.pictures.len() < 2 && start.elapsed().as_secs() < 20 {
                std::thread::sleep(std::time::Duration::from_millis(20));
                harness.step();
            }
            assert_eq!(harness.state().0.pictures.len(), 2);
            assert!(harness.get_by_label(DIGITS).is_focused());
            picture(&mut harness, &format!("presets-{}", size[0]));
            harness.get_by_label("vanilla-digits").click();
            harness.run_steps(3);
            assert_eq!(harness.state().1, [Act::Preset(1)]);
            assert!(harness.query_by_label("quick").is_none(), "it closes");
            harness.get_by_label(&format!("Preset: {DIGITS}")).click();
            harness.run_steps(4);
            harness.get_by_label("mine.toml").click_accesskit();
            harness.run_steps(3);
            assert_eq!(harness.state().1[1..], [Act::File(Purpose::Open, "/a/mine.toml".into())]);
        }
    }

    #[test]
    fn a_card_says_what_is_in_it() {
        let facts = |name: &str| facts(&Experiment::preset(name).unwrap());
        assert_eq!(facts(BRAIN), format!("brainmri, {TITLE}, 10 epochs, attacked by rMLE and an inverse network"));
        assert!(facts("vanilla-digits").contains("undefended"));
        assert_eq!(PRESETS.iter().filter_map(Card::of).count(), PRESETS.len());
    }
}

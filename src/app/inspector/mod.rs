//! The inspector: any picture of the window, large, with its true numbers; and of a number on the wire, how it came about.

mod asked;
mod convolution;
mod flicker;
mod grid;
mod inspected;
mod made;
mod numbers;
mod picture;
mod stats;

use std::sync::Arc;

use eframe::egui::{
    Button, Context, Id, Image, Layout, Modal, Popup, Response, RichText, Role as Kind, ScrollArea, Stroke,
    TextureHandle, TextureOptions, Ui, Vec2, WidgetInfo, vec2,
};

use self::flicker::{Flicker, flicker_ui};
use self::made::{Key, Made};
#[cfg(test)]
pub use self::stats::number;
use super::act::Popup as Over;
use super::choice::selectable_ui;
use super::subject::Subject;
use super::theme::cut_short_ui;
use super::{App, Look, textures};
use crate::model::inside::Inside;

/// Around it a little of the window is seen.
const AROUND: f32 = 44.0;
/// It is no wider, however wide the window.
const WIDEST: f32 = 1500.0;
/// Below this width what stands side by side stands one below the other.
const BESIDE: f32 = 720.0;
/// The picture's side where the convolution stands beside it.
const SMALL: f32 = 300.0;
/// Side of the pictures to choose from.
const THUMB: f32 = 38.0;

/// What is looked into, and how.
#[derive(Default)]
pub struct InspectorView {
    subject: Option<Subject>,
    mark: picture::Mark,
    /// One of several planes; none shows all as one colour picture.
    plane: Option<usize>,
    made: Option<Made>,
    asked: asked::Asked,
    inputs: convolution::Inputs,
    /// The pictures of a finished attack to choose from, and which they are.
    thumbs: Vec<(Subject, Option<TextureHandle>)>,
    /// What had the keyboard before.
    before: Option<Id>,
    /// Frames in which that is still to get it back: in the first one nothing below a window that was over it may.
    returns: usize,
    /// The picture is to get the keyboard.
    take_focus: bool,
    flicker: Flicker,
}

impl InspectorView {
    fn open(&mut self, subject: Subject, at: Option<[usize; 2]>) {
        self.flicker.end();
        if self.subject != Some(subject) {
            self.plane = None;
        }
        self.subject = Some(subject);
        if let Some(at) = at {
            self.mark = picture::Mark { at, held: true };
        }
        self.take_focus = true;
    }

    /// Puts all of it away where another window, or none, is open.
    pub fn close_without(&mut self, popup: Option<Over>, ctx: &Context) {
        if popup != Some(Over::Inspector) {
            self.close(ctx);
        }
    }

    /// Puts all of it away; the keyboard goes back to where it was.
    pub fn close(&mut self, ctx: &Context) {
        if self.subject.is_some() {
            *self = Self { before: self.before, returns: 2, ..Self::default() };
        }
        if let Some(before) = self.before.filter(|_| self.returns > 0) {
            ctx.memory_mut(|memory| memory.request_focus(before));
            ctx.request_repaint();
        }
        self.returns = self.returns.saturating_sub(1);
    }

    /// Whether an answer is to come.
    pub fn waits(&self) -> bool {
        self.asked.waits()
    }

    /// What is looked into.
    #[cfg(test)]
    pub fn subject(&self) -> Option<Subject> {
        self.subject
    }
}

impl App {
    /// Looks into a picture, at a row and a column of it.
    pub(super) fn inspect(&mut self, subject: Subject, at: Option<[usize; 2]>, ctx: &Context) {
        if self.popup != Some(Over::Inspector) {
            self.view.inspector.before = ctx.memory(eframe::egui::Memory::focused);
        }
        Popup::close_all(ctx);
        self.view.inspector.open(subject, at);
        self.popup = Some(Over::Inspector);
    }
}

/// Draws it. False where it is closed.
pub fn inspector_ui(ctx: &Context, look: Look<'_>, view: &mut InspectorView) -> bool {
    let Some(subject) = view.subject.map(|subject| view.flicker.now(ctx, subject).unwrap_or(subject)) else {
        return false;
    };
    view.subject = Some(subject);
    if let (Some(inside), Subject::Smashed(_) | Subject::Kernel(..)) = (inside(look), subject) {
        view.asked.ask(inside, ctx);
    }
    let opened = view.asked.opened().cloned();
    let key = Key::of(look, subject, view.plane, view.asked.number());
    if view.made.as_ref().is_none_or(|made| !made.is_of(key)) {
        view.made = Made::new(ctx, look, key, opened.as_deref());
    }
    let window = ctx.content_rect().size();
    let size = vec2((window.x - AROUND).min(WIDEST), window.y - AROUND);
    let mut open = true;
    let modal = Modal::new(Id::unique("inspector")).show(ctx, |ui| {
        ui.set_width(size.x);
        ui.set_height(size.y);
        open = head_ui(ui, look, subject, view);
        strip_ui(ui, look, subject, view);
        ui.separator();
        ScrollArea::vertical().auto_shrink(false).show(ui, |ui| body_ui(ui, look, subject, view));
    });
    open && !modal.should_close()
}

/// The client behind the shown pictures.
fn inside(look: Look<'_>) -> Option<&Arc<Inside>> {
    look.showing.scene.as_ref()?.inside.as_ref()
}

/// What it is, the way to the others, and out.
fn head_ui(ui: &mut Ui, look: Look<'_>, subject: Subject, view: &mut InspectorView) -> bool {
    let mut open = true;
    let (name, told) = match &view.made {
        Some(made) => (made.inspected.name.clone(), made.inspected.told.clone()),
        None => (subject.word(look).to_owned(), String::new()),
    };
    ui.horizontal(|ui| {
        ui.with_layout(Layout::right_to_left(eframe::egui::Align::Center), |ui| {
            open = !ui.button(t!("Close")).on_hover_text(t!("Back to the window (Esc)")).clicked();
            let mut further = |ui: &mut Ui, sign: &str, label: &str, by: isize| {
                let button = ui.add(Button::new(sign).min_size(vec2(28.0, 0.0)));
                button.widget_info(|| WidgetInfo::labeled(Kind::Button, true, label));
                if button.on_hover_text(label).clicked() {
                    step(look, view, by);
                }
            };
            further(ui, "\u{203a}", t!("The next channel or picture (arrow keys)"), 1);
            further(ui, "\u{2039}", t!("The channel or picture before (arrow keys)"), -1);
            ui.with_layout(Layout::left_to_right(eframe::egui::Align::Center), |ui| {
                ui.label(RichText::new(name).strong().size(17.0));
                cut_short_ui(ui, RichText::new(told).weak(), t!("What it was made with"));
            });
        });
    });
    open
}

/// So many pictures or channels further; after the last comes the first.
fn step(look: Look<'_>, view: &mut InspectorView, by: isize) {
    let Some(subject) = view.subject else { return };
    let opened = view.asked.opened().cloned();
    let all = subject.all(look, opened.as_deref());
    if all.is_empty() {
        return;
    }
    let at = all.iter().position(|one| *one == subject).unwrap_or(0);
    let to = (at as isize + by).rem_euclid(all.len() as isize) as usize;
    view.open(all[to], None);
}

/// The pictures beside it, to choose from.
fn strip_ui(ui: &mut Ui, look: Look<'_>, subject: Subject, view: &mut InspectorView) {
    let beside = subject.beside(look);
    if matches!(subject, Subject::Kept(..)) && view.thumbs.first().map(|one| one.0) != beside.first().copied() {
        let texture = |one: &Subject| {
            let image = one.of(look, None).and_then(|picture| textures::image(&picture))?;
            Some(ui.ctx().load_texture("to choose from", image, TextureOptions::NEAREST))
        };
        view.thumbs = beside.iter().map(|one| (*one, texture(one))).collect();
    }
    let mut chosen = None;
    ui.horizontal_wrapped(|ui| {
        for one in beside {
            let kept = view.thumbs.iter().find(|thumb| thumb.0 == one).and_then(|thumb| thumb.1.as_ref());
            let texture = kept.or(texture(look, one));
            if thumb_ui(ui, texture, one.word(look), same(one, subject)).clicked() {
                chosen = Some(one);
            }
        }
        flicker_ui(ui, subject, &mut view.flicker);
    });
    if let Some(chosen) = chosen {
        view.open(chosen, None);
    }
}

/// Whether it is the same picture, of whatever channel.
fn same(a: Subject, b: Subject) -> bool {
    matches!((a, b), (Subject::Smashed(_), Subject::Smashed(_)) | (Subject::Cleaned(_), Subject::Cleaned(_))) || a == b
}

/// The stage's own texture of a picture.
fn texture(look: Look<'_>, subject: Subject) -> Option<&TextureHandle> {
    let textures = look.textures;
    match subject {
        Subject::Original => textures.original.as_ref(),
        Subject::Map => textures.map.as_ref(),
        Subject::Disguised => textures.sent.as_ref(),
        Subject::Smashed(_) => textures.smashed.as_ref(),
        Subject::Cleaned(_) => textures.features.as_ref(),
        Subject::Found(false) => textures.found_size.as_ref(),
        Subject::Found(true) => textures.recovered.as_ref(),
        Subject::Stolen => textures.stolen.as_ref(),
        Subject::Error => textures.error.as_ref(),
        _ => None,
    }
}

fn thumb_ui(ui: &mut Ui, texture: Option<&TextureHandle>, word: &str, chosen: bool) -> Response {
    let visuals = ui.visuals();
    let line = if chosen { Stroke::new(1.5, visuals.strong_text_color()) } else { Stroke::NONE };
    let text = if chosen { RichText::new(word).strong() } else { RichText::new(word) };
    let button = match texture {
        Some(texture) => {
            let size = texture.size_vec2();
            let size = size * (THUMB / size.max_elem().max(1.0));
            Button::image_and_text(Image::from_texture((texture.id(), size)).fit_to_exact_size(size), text)
        }
        None => Button::new(text),
    };
    let button = ui.add(button.frame_when_inactive(chosen).fill(ui.visuals().panel_fill).stroke(line));
    button.widget_info(|| WidgetInfo::selected(Kind::RadioButton, true, chosen, t!("Look at: {word}", word)));
    button
}

fn body_ui(ui: &mut Ui, look: Look<'_>, subject: Subject, view: &mut InspectorView) {
    let Some(made) = view.made.take() else {
        let words = match (subject, view.asked.answer()) {
            (Subject::Kernel(..), Some(Err(why))) => t!("The client cannot be looked into: {why}", why),
            (Subject::Kernel(..), None) => t!("The client is being looked into.").to_owned(),
            _ => t!("There is no such picture now.").to_owned(),
        };
        ui.label(words);
        return;
    };
    planes_ui(ui, &made, view);
    let room = ui.available_size();
    let beside = room.x >= BESIDE;
    if let Subject::Smashed(channel) = subject {
        if beside {
            ui.horizontal_top(|ui| {
                ui.vertical(|ui| {
                    ui.set_width(SMALL.max(numbers::WIDTH));
                    column_ui(ui, look, &made, vec2(SMALL, (0.45 * room.y).max(120.0)), view);
                });
                ui.separator();
                ui.vertical(|ui| behind_ui(ui, look, channel, &made, view));
            });
        } else {
            column_ui(ui, look, &made, Vec2::splat(SMALL.min(room.x)), view);
            ui.separator();
            behind_ui(ui, look, channel, &made, view);
        }
    } else if beside {
        ui.horizontal_top(|ui| {
            let side = vec2(room.x - numbers::WIDTH - 24.0, room.y - 24.0);
            let wide = picture::sized(made.size, side, ui.pixels_per_point()).x;
            ui.vertical(|ui| {
                ui.set_width(wide);
                large_ui(ui, look, &made, side, view);
            });
            ui.add_space(10.0);
            ui.vertical(|ui| {
                numbers::around_ui(ui, &made, view.mark);
                ui.add_space(6.0);
                numbers::stats_ui(ui, &made);
            });
        });
        help_ui(ui);
    } else {
        column_ui(ui, look, &made, Vec2::splat(room.x.min(room.y.max(160.0))), view);
        help_ui(ui);
    }
    view.made = Some(made);
}

/// The picture, and below it its numbers.
fn column_ui(ui: &mut Ui, look: Look<'_>, made: &Made, room: Vec2, view: &mut InspectorView) {
    large_ui(ui, look, made, room, view);
    numbers::around_ui(ui, made, view.mark);
    numbers::stats_ui(ui, made);
}

fn large_ui(ui: &mut Ui, look: Look<'_>, made: &Made, room: Vec2, view: &mut InspectorView) {
    let (response, further) = picture::picture_ui(ui, made, room, &mut view.mark);
    let nobody = ui.memory(|memory| memory.focused().is_none());
    if std::mem::take(&mut view.take_focus) || nobody {
        response.request_focus();
    }
    if further != 0 {
        step(look, view, further);
    }
    let tip = if view.mark.held {
        t!("Held here. A click lets it follow the pointer again")
    } else {
        t!("A click holds the place")
    };
    response.on_hover_text_at_pointer(tip);
}

/// One channel of several, or all as one colour picture.
fn planes_ui(ui: &mut Ui, made: &Made, view: &mut InspectorView) {
    let planes = made.inspected.planes;
    if planes < 2 {
        return;
    }
    ui.horizontal_wrapped(|ui| {
        ui.label(t!("Channel:"));
        if planes == 3 && selectable_ui(ui, view.plane.is_none(), t!("all, as one picture")).clicked() {
            view.plane = None;
        }
        for plane in 0..planes.min(24) {
            let chosen = view.plane.or((planes != 3).then_some(0)) == Some(plane);
            let word =
                if planes == 3 { [t!("red"), t!("green"), t!("blue")][plane].to_owned() } else { plane.to_string() };
            if selectable_ui(ui, chosen, word).clicked() {
                view.plane = Some(plane);
            }
        }
    });
}

/// What is behind the marked number.
fn behind_ui(ui: &mut Ui, look: Look<'_>, channel: usize, made: &Made, view: &mut InspectorView) {
    let at = if made.inspected.vector {
        [channel, 0, view.mark.at[0] * made.size[0] + view.mark.at[1]]
    } else {
        [channel, view.mark.at[0], view.mark.at[1]]
    };
    // While another client is looked into, the numbers of the last one are its own.
    let sent = made.values_at(view.mark.at).first().copied().filter(|_| view.asked.is_of(inside(look)));
    match view.asked.answer().cloned() {
        Some(Ok(opened)) => {
            view.inputs.be_of(view.asked.number());
            if let Some(subject) = convolution::convolution_ui(ui, &opened, at, sent, &mut view.inputs) {
                view.open(subject, Some([0, 0]));
            }
        }
        Some(Err(why)) => drop(ui.label(t!("The client cannot be looked into: {why}", why))),
        None if inside(look).is_some() => drop(ui.label(t!("The client is being looked into."))),
        None => drop(ui.label(t!("The client's weights of that moment are not known any more."))),
    }
    help_ui(ui);
}

fn help_ui(ui: &mut Ui) {
    ui.add_space(4.0);
    let words = t!(
        "Arrow keys: other channels and pictures. Shift and arrow keys: the marked place. A click holds it. Esc closes."
    );
    ui.add(eframe::egui::Label::new(RichText::new(words).weak().small()).wrap());
}

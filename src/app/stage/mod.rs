//! The stage: hospital, wire, server and attacker, left to right as the data flow.

mod attacker;
mod band;
mod classes;
mod details;
pub mod film;
mod hospital;
mod maps;
pub mod pad;
mod plan;
mod presented;
mod sentence;
mod server;
mod wire;

use eframe::egui::{
    Align, Color32, CursorIcon, Frame, Image, Label, Layout, Rect, Response, RichText, Sense, Stroke, StrokeKind,
    TextureHandle, Ui, vec2,
};

pub use attacker::WipeView;
pub use maps::MapsView;
pub use plan::{BAR, Lectern, Plan, Shown};
pub use presented::{Large, presented_ui, said_who_ui, verdict_ui};
pub use sentence::lines;

use self::plan::{GAP, HEAD, LINE, MARGIN, SPACE};
use super::formula::button_ui;
use super::formula::lit::picture_ui;
use super::lit::lit_ui;
use super::showing::Source;
use super::state::Status;
use super::subject::Subject;
use super::textures::tile_at;
use super::theme::{Role, cut_short_ui, mark_ui};
use super::words::phase;
use super::{Act, Activity, Look, View};
use crate::lesson::Part;
use crate::method::{Ink, Place};
use crate::run::shipped::remade_by;
use crate::texts::say;

/// Said of every picture that can be looked into.
const CLOSER: &str = later!("Click to look closer: its numbers, and how they come about.");

/// What is chosen on the stage.
pub struct Views<'a> {
    /// The pencil.
    pub pad: &'a mut pad::PadView,
    /// How maps are drawn.
    pub maps: &'a mut MapsView,
    /// The wipe over the stolen image.
    pub wipe: &'a mut WipeView,
    /// The part whose formulas are open.
    pub formula: Option<Place>,
}

impl<'a> Views<'a> {
    /// Those of the window.
    pub fn of(view: &'a mut View) -> Self {
        Self { pad: &mut view.pad, maps: &mut view.maps, wipe: &mut view.wipe, formula: view.formula.open }
    }
}

/// Draws the stage as it was planned.
pub fn stage_ui(ui: &mut Ui, look: Look<'_>, plan: &Plan, views: &mut Views<'_>, acts: &mut Vec<Act>) {
    ui.add_space(2.0);
    if plan.columns == 4 {
        ui.horizontal(|ui| lead_ui(ui, look, acts));
    } else {
        narrow_lead_ui(ui, look, acts);
    }
    let sentence = ui.scope(|ui| sentence::sentence_ui(ui, look, plan.lines, acts)).response.rect;
    lit_ui(ui, look, Part::Sentence, sentence);
    ui.add_space(2.0);
    let sizes = plan.sizes;
    ui.spacing_mut().item_spacing = vec2(GAP, GAP);
    // Where they do not fit side by side, the two pictures that are compared stay beside each other.
    let rows: &[&[Card]] = match plan.columns {
        4 => &[&[Card::Hospital, Card::Wire, Card::Server, Card::Attacker]],
        2 => &[&[Card::Hospital, Card::Attacker], &[Card::Wire, Card::Server]],
        _ => &[&[Card::Hospital], &[Card::Attacker], &[Card::Wire], &[Card::Server]],
    };
    for row in rows {
        ui.horizontal_top(|ui| {
            for card in *row {
                let open = views.formula;
                let asked = card.ui(ui, look, plan, open, |ui| match card {
                    Card::Hospital => hospital::hospital_ui(ui, look, sizes, views, acts),
                    Card::Wire => wire::wire_ui(ui, look, sizes, acts),
                    Card::Server => server::server_ui(ui, look, sizes, views.maps, acts),
                    Card::Attacker => attacker::attacker_ui(ui, look, sizes, views.wipe, acts),
                });
                acts.extend(asked);
            }
        });
    }
}

/// One of the parties.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Card {
    Hospital,
    Wire,
    Server,
    Attacker,
}

impl Card {
    fn title(self) -> &'static str {
        match self {
            Self::Hospital => t!("Hospital"),
            Self::Wire => t!("Wire"),
            Self::Server => t!("Server"),
            Self::Attacker => t!("Attacker"),
        }
    }

    fn role(self) -> Option<Role> {
        match self {
            Self::Hospital => Some(Role::Patient),
            Self::Wire => None,
            Self::Server => Some(Role::Cleaned),
            Self::Attacker => Some(Role::Attacker),
        }
    }

    fn color(self, ui: &Ui) -> Color32 {
        self.role().map_or(ui.visuals().strong_text_color(), |role| role.color(ui))
    }

    /// What its large picture is, beside its name.
    fn caption(self, look: Look<'_>) -> String {
        match self {
            Self::Hospital => hospital::caption(look),
            Self::Attacker if look.textures.stolen.is_some() && look.showing.kept => t!("stolen earlier").to_owned(),
            Self::Attacker if look.textures.stolen.is_some() => attacker::caption(look),
            _ => String::new(),
        }
    }

    fn place(self) -> Place {
        match self {
            Self::Hospital => Place::Hospital,
            Self::Wire => Place::Wire,
            Self::Server => Place::Server,
            Self::Attacker => Place::Attacker,
        }
    }

    /// Draws it. Returns what its head was asked for.
    fn ui(
        self,
        ui: &mut Ui,
        look: Look<'_>,
        plan: &Plan,
        formula: Option<Place>,
        contents: impl FnOnce(&mut Ui),
    ) -> Option<Act> {
        let size = match self {
            Self::Hospital => plan.hospital,
            Self::Attacker => plan.attacker,
            Self::Wire => plan.wire,
            Self::Server => plan.server,
        };
        let frame = Frame::group(ui.style()).fill(ui.visuals().faint_bg_color).inner_margin(MARGIN);
        let part = match self {
            Self::Hospital => Part::Hospital,
            Self::Wire => Part::Wire,
            Self::Server => Part::Server,
            Self::Attacker => Part::Attacker,
        };
        lit_ui(ui, look, part, Rect::from_min_size(ui.cursor().min, size).shrink(3.0));
        ui.allocate_ui_with_layout(size, Layout::top_down(Align::Min), |ui| {
            frame
                .show(ui, |ui| {
                    ui.set_min_size(ui.available_size());
                    ui.set_max_size(ui.available_size());
                    ui.spacing_mut().item_spacing = vec2(6.0, SPACE);
                    let asked = self.head_ui(ui, look, formula);
                    contents(ui);
                    asked
                })
                .inner
        })
        .inner
    }

    /// Its name, the button for its formulas, and what its large picture is.
    fn head_ui(self, ui: &mut Ui, look: Look<'_>, formula: Option<Place>) -> Option<Act> {
        let size = vec2(ui.available_width(), HEAD - SPACE);
        ui.allocate_ui_with_layout(size, Layout::left_to_right(Align::Center), |ui| {
            ui.set_min_size(size);
            if let Some(role) = self.role() {
                mark_ui(ui, role);
            }
            ui.label(RichText::new(self.title()).size(16.0).strong().color(self.color(ui)));
            let asked = button_ui(ui, self.place(), formula);
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                let caption = self.caption(look);
                ui.add(Label::new(RichText::new(caption).color(self.color(ui))).truncate());
            });
            asked
        })
        .inner
    }
}

/// What the training is at while pictures of it are shown.
fn training_words(activity: Activity) -> &'static str {
    match activity {
        Activity::Running => t!("Training goes on."),
        Activity::Paused => t!("Training waits."),
        Activity::Stopping => t!("Training is being saved."),
        Activity::Idle => t!("Training has ended."),
    }
}

/// One sentence, what the pictures were made with, and the way back to the run.
fn lead_ui(ui: &mut Ui, look: Look<'_>, acts: &mut Vec<Act>) {
    let lead = lead(look);
    let width = (0.56 * ui.available_width()).max(300.0);
    ui.allocate_ui_with_layout(vec2(width, LINE), Layout::left_to_right(Align::Center), |ui| {
        ui.set_min_width(width);
        cut_short_ui(ui, RichText::new(&lead).size(15.0), &lead);
    });
    ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
        back_ui(ui, look, acts);
        let stamp = stamp(look);
        cut_short_ui(ui, RichText::new(&stamp).weak(), &stamp_tip(look));
    });
}

/// The same in little room, where it takes the lines that it needs.
fn narrow_lead_ui(ui: &mut Ui, look: Look<'_>, acts: &mut Vec<Act>) {
    ui.add(Label::new(RichText::new(lead(look)).size(15.0)).wrap());
    ui.horizontal_wrapped(|ui| {
        ui.add(Label::new(RichText::new(stamp(look)).weak()).wrap()).on_hover_text(stamp_tip(look));
        back_ui(ui, look, acts);
    });
}

fn back_ui(ui: &mut Ui, look: Look<'_>, acts: &mut Vec<Act>) {
    if look.followed && look.showing.source != Source::Run {
        let tip = t!("Let the stage show the run again, in place of your own question");
        if ui.small_button(t!("Back to the run")).on_hover_text(tip).clicked() {
            acts.push(Act::Follow);
        }
    }
}

/// What the stage shows, in a sentence.
pub fn lead(look: Look<'_>) -> String {
    let showing = look.showing;
    match (&showing.trouble, showing.source) {
        (Some(trouble), _) => t!("This cannot be shown: {trouble}", trouble = trouble.replace('\n', " ")),
        _ if showing.kept => {
            let attack = showing.scene.as_ref().and_then(|scene| scene.progress.as_ref());
            let words = attack.map_or_else(String::new, |progress| phase(&progress.attack));
            t!(
                "{training_words} The right was stolen earlier: {words}.",
                training_words = training_words(look.activity),
                words
            )
        }
        _ if showing.nothing_to_steal() => t!("The image is blank: there is nothing to steal.").to_owned(),
        _ if showing.waits && showing.scene.is_some() => t!("The levers have moved: the answer comes.").to_owned(),
        _ if showing.reconstruction().is_some() => match showing.gradient_of() {
            0 => t!("Only the middle leaves the hospital. The right was made from it.").to_owned(),
            1 => {
                t!("The image stays. The right was made from the weights' gradient, which training shares.").to_owned()
            }
            n => t!("The image stays. The right was made from one gradient, the mean over {n} images.", n),
        },
        (_, Source::Run) if look.state.status == Status::Going => {
            t!("A network is being trained, split between a hospital and a server.").to_owned()
        }
        (_, Source::Run) => t!(
            "{training_words} The stage shows the network as it was then.",
            training_words = training_words(look.activity)
        ),
        _ => t!("The hospital sends numbers, not the image. Watch what comes back out of them.").to_owned(),
    }
}

/// What the pictures were made with.
pub fn stamp(look: Look<'_>) -> String {
    let showing = look.showing;
    let Some(scene) = &showing.scene else { return String::new() };
    let weights = match &scene.stamp.trained {
        Some(trained) => t!("trained on {trained}", trained),
        None => t!("never trained").to_owned(),
    };
    let source = match showing.source {
        Source::Opening => t!("opening"),
        Source::Live => t!("live"),
        Source::Run => t!("run"),
    };
    // Of a run the wire's handle tells; the undefended twin counts a pooling layer more.
    let cut = match showing.source {
        Source::Run => String::new(),
        _ => t!(", cut after layer {cut}", cut = scene.stamp.cut),
    };
    format!("{source}: {weights}{cut}")
}

/// One of the two pictures that are compared: without a caption, its longer side of this many points, on whole pixels
/// of the screen.
fn large_ui(ui: &mut Ui, texture: &TextureHandle, side: f32, alt: &str) -> Response {
    let size = texture.size_vec2();
    let size = size * (side / size.max_elem());
    ui.add(Image::from_texture((texture.id(), size)).fit_to_exact_size(size).alt_text(alt).sense(Sense::click()))
}

/// Looks into a picture that was clicked, at the place where it was.
fn inspected(response: &Response, look: Look<'_>, subject: Subject, acts: &mut Vec<Act>) {
    if !response.clicked() {
        return;
    }
    let share = response.interact_pointer_pos().map(|at| (at - response.rect.min) / response.rect.size());
    let shape = subject.of(look, None).map(|picture| picture.shape);
    let (subject, at) = match (subject, share, shape) {
        (Subject::Smashed(_), Some(share), Some(shape)) => {
            let (channel, at) = tile_at(shape, share);
            (Subject::Smashed(channel), Some(at))
        }
        (Subject::Cleaned(_), Some(share), Some(shape)) => {
            let (channel, at) = tile_at(shape, share);
            (Subject::Cleaned(channel), Some(at))
        }
        (_, Some(share), Some([_, height, width])) => {
            let place = |share: f32, side: usize| ((share.clamp(0.0, 1.0) * side as f32) as usize).min(side.max(1) - 1);
            (subject, Some([place(share.y, height), place(share.x, width)]))
        }
        _ => (subject, None),
    };
    acts.push(Act::Inspect(subject, at));
}

fn stamp_tip(look: Look<'_>) -> String {
    let trained = look.showing.scene.as_ref().is_some_and(|scene| scene.stamp.trained.is_some());
    let shipped = trained && look.weights.is_none() && look.showing.source != Source::Run;
    let remade = if shipped {
        t!(" These weights come with the program; remade by: {remade_by}", remade_by = remade_by())
    } else {
        String::new()
    };
    t!("What the pictures were made with.{remade}", remade)
}

/// A picture with its caption.
struct Pane<'a> {
    caption: &'a str,
    tip: &'a str,
    /// Whose colour caption and frame have; none for the plain ones.
    role: Option<Role>,
    /// Of the symbols that stand for it in formulas.
    ink: Option<Ink>,
}

impl Pane<'_> {
    /// Draws it so that its longer side has this many points; the response is the picture's.
    fn ui(&self, ui: &mut Ui, texture: &TextureHandle, side: f32) -> Response {
        self.plain_ui(ui, texture, side).on_hover_text(format!("{}\n{}", self.tip, say(CLOSER)))
    }

    /// The same without words for who points at the picture.
    fn plain_ui(&self, ui: &mut Ui, texture: &TextureHandle, side: f32) -> Response {
        ui.vertical(|ui| {
            ui.spacing_mut().item_spacing.y = 3.0;
            let size = texture.size_vec2();
            let size = size * (side / size.max_elem());
            let color = self.role.map(|role| role.color(ui));
            // A row of words is no higher than they are.
            ui.spacing_mut().interact_size.y = 0.0;
            let caption = RichText::new(self.caption).color(color.unwrap_or(ui.visuals().text_color()));
            ui.horizontal(|ui| {
                ui.spacing_mut().item_spacing.x = 4.0;
                if let Some(role) = self.role {
                    mark_ui(ui, role);
                }
                ui.add(Label::new(caption).truncate()).on_hover_text(self.tip);
            });
            let image = Image::from_texture((texture.id(), size)).fit_to_exact_size(size);
            let image = image.alt_text(format!("{}: {}", self.caption, self.tip)).sense(Sense::click());
            let response = ui.add(image).on_hover_cursor(CursorIcon::ZoomIn);
            let line = color.unwrap_or(ui.visuals().widgets.noninteractive.bg_stroke.color);
            ui.painter().rect_stroke(response.rect, 0.0, Stroke::new(1.5, line), StrokeKind::Outside);
            if let Some(ink) = self.ink {
                picture_ui(ui, &response, ink);
            }
            response
        })
        .inner
    }
}

//! Many images, and what each attack made of them: the worst leak on top.

mod enlarged;
mod shown;

use eframe::egui::{Button, ComboBox, Grid, Image, Label, Panel, RichText, ScrollArea, TextureHandle, Ui, Vec2, vec2};

use crate::app::Look;
use crate::app::choice::selectable_ui;
use crate::app::state::{State, Status};
use crate::app::theme::{Role, cut_short_ui};
use crate::app::words::target;
use crate::data::Noun;
use crate::run::scene::Gallery;
use crate::split::UNDEFENDED;

/// From this width on, an enlarged picture stands beside the others, and below them in a narrower pane.
const BESIDE: f32 = 620.0;

/// What is chosen in this pane.
#[derive(Default)]
pub struct ImagesView {
    /// The attacked model; none takes the defended one where there is one.
    target: Option<String>,
    epoch: Epochs,
    /// The enlarged picture: its gallery and its place there.
    chosen: Option<(usize, usize)>,
    enlarged: enlarged::Enlarged,
    cache: shown::Cache,
}

/// Which attacks are shown, by what they were launched after.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Epochs {
    #[default]
    Last,
    At(usize),
    All,
}

impl Epochs {
    fn words(self, last: usize) -> String {
        match self {
            Self::Last => format!("the last ({})", epoch(last)),
            Self::At(at) => epoch(at),
            Self::All => "all epochs".to_owned(),
        }
    }
}

fn epoch(at: usize) -> String {
    if at == 0 { "untrained".to_owned() } else { format!("epoch {at}") }
}

/// Draws the grid.
pub fn images_ui(ui: &mut Ui, look: Look<'_>, view: &mut ImagesView) {
    let state = look.state;
    let noun = look.run_noun();
    let another = view.cache.prepare(ui.ctx(), state, noun);
    if another {
        view.chosen = None;
        view.enlarged.forget();
    }
    if state.galleries.is_empty() {
        empty_ui(ui, state, noun);
        return;
    }
    let (name, last) = choice_ui(ui, state, view);
    if is_brain(look) {
        ui.add(Label::new(RichText::new("stand-in: average of 152 adults, no patient").weak()).wrap());
    }
    let shown = columns(&state.galleries, &name, view.epoch, last, view.cache.ready().len());
    if let Some((gallery, patient)) = view.chosen.filter(|(gallery, _)| shown.contains(gallery)) {
        let (beside, mut open) = (ui.available_width() > BESIDE, true);
        let panel = if beside {
            Panel::right("enlarged beside").exact_size(0.46 * ui.available_width())
        } else {
            Panel::bottom("enlarged below").exact_size((0.55 * ui.available_height()).min(230.0))
        };
        panel.show(ui, |ui| open = view.enlarged.ui(ui, state, (&view.cache, noun), (gallery, patient), beside));
        if !open {
            view.chosen = None;
        }
    }
    ScrollArea::both().auto_shrink(false).show(ui, |ui| grid_ui(ui, state, view, noun, &shown));
}

fn empty_ui(ui: &mut Ui, state: &State, noun: Noun) {
    let words = match state.status {
        Status::Going => {
            format!("The {} appear here with the first attack that is done, and beside them what it stole.", noun.many)
        }
        Status::Fresh => format!(
            "Up to eight {} appear here, and beside each what every attack of a run made of the numbers on the wire. \
             Start a run, or open one under Runs.",
            noun.many
        ),
        _ => "No pictures were kept of this run: no attack of it was finished, or they cannot be read.".to_owned(),
    };
    ui.add(Label::new(words).wrap());
}

fn is_brain(look: Look<'_>) -> bool {
    let run = look.state.summary.as_ref().map(|summary| &summary.experiment);
    run.unwrap_or(look.document.experiment()).data.name == "brainmri"
}

/// The chosen model and its last epoch, after the choice.
fn choice_ui(ui: &mut Ui, state: &State, view: &mut ImagesView) -> (String, usize) {
    let has = |name: &str| state.galleries.iter().any(|gallery| gallery.target == name);
    let kept = view.target.clone().filter(|name| has(name));
    let defended = state.galleries.iter().map(|gallery| gallery.target.as_str()).find(|name| *name != UNDEFENDED);
    let mut name = kept.unwrap_or_else(|| defended.unwrap_or(UNDEFENDED).to_owned());
    let epochs = |name: &str| {
        let mut epochs: Vec<usize> =
            state.galleries.iter().filter(|gallery| gallery.target == name).map(|gallery| gallery.epoch).collect();
        epochs.sort_unstable();
        epochs.dedup();
        epochs
    };
    ui.horizontal_wrapped(|ui| {
        ui.label("Stolen from");
        for one in defended.into_iter().chain([UNDEFENDED]).filter(|one| has(one)) {
            let tip = if one == UNDEFENDED { "The model without a defence" } else { "The model under the defence" };
            if selectable_ui(ui, name == one, target(one)).on_hover_text(tip).clicked() {
                one.clone_into(&mut name);
                view.target = Some(name.clone());
            }
        }
        let all = epochs(&name);
        let last = all.last().copied().unwrap_or(0);
        let label = ui.label("after");
        let choice = ComboBox::from_id_salt("epochs").selected_text(view.epoch.words(last)).show_ui(ui, |ui| {
            ui.selectable_value(&mut view.epoch, Epochs::Last, Epochs::Last.words(last));
            for at in &all {
                ui.selectable_value(&mut view.epoch, Epochs::At(*at), epoch(*at));
            }
            ui.selectable_value(&mut view.epoch, Epochs::All, Epochs::All.words(last));
        });
        choice.response.labelled_by(label.id).on_hover_text("How long the attacked model had been trained");
    });
    let last = epochs(&name).last().copied().unwrap_or(0);
    (name, last)
}

/// The galleries to show, of those that are ready.
fn columns(galleries: &[Gallery], name: &str, epochs: Epochs, last: usize, ready: usize) -> Vec<usize> {
    let fits = |gallery: &Gallery| match epochs {
        Epochs::Last => gallery.epoch == last,
        Epochs::At(at) => gallery.epoch == at,
        Epochs::All => true,
    };
    let all = galleries.iter().enumerate().take(ready);
    all.filter(|(_, gallery)| gallery.target == name && fits(gallery)).map(|(i, _)| i).collect()
}

/// Images, the one with the worst leak first: the highest SSIM over the shown attacks.
fn worst_first(scores: &[Vec<Option<f64>>], patients: usize) -> Vec<usize> {
    let worst = |patient: usize| {
        let all = scores.iter().filter_map(|column| column.get(patient).copied().flatten());
        all.fold(f64::NEG_INFINITY, f64::max)
    };
    let mut order: Vec<usize> = (0..patients).collect();
    order.sort_by(|a, b| worst(*b).total_cmp(&worst(*a)));
    order
}

fn grid_ui(ui: &mut Ui, state: &State, view: &mut ImagesView, noun: Noun, columns: &[usize]) {
    let ready = view.cache.ready();
    if columns.is_empty() {
        ui.label("No attack at this model after this epoch.");
        return;
    }
    // Attacks differ in how many images they have; the latest one is as the model is now.
    let known = |patient: usize| columns.iter().rev().map(|i| &ready[*i]).find(|shown| patient < shown.originals.len());
    let scores: Vec<Vec<Option<f64>>> =
        columns.iter().map(|i| ready[*i].scores.iter().map(|score| score.map(|score| score.ssim)).collect()).collect();
    let patients = columns.iter().map(|i| ready[*i].stolen.len()).max().unwrap_or(0);
    let defended = state.galleries[columns[0]].target != UNDEFENDED;
    let count = columns.len() + 1 + usize::from(defended);
    let side = (ui.available_width() / count as f32 - 12.0).clamp(58.0, 120.0);
    let mut clicked = None;
    let grid = Grid::new("galleries").spacing([10.0, 6.0]).min_col_width(side).max_col_width(side);
    grid.show(ui, |ui| {
        head_ui(ui, side, noun.one, Some(Role::Patient), &format!("The {}, the worst leak on top.", noun.many));
        if defended {
            let tip = "What entered the network in place of the image itself: the paper's attacked image.";
            head_ui(ui, side, "disguised", Some(Role::Disguised), tip);
        }
        for i in columns {
            attack_head_ui(ui, side, state, *i, view.epoch);
        }
        ui.end_row();
        for patient in worst_first(&scores, patients) {
            let (name, first) = (format!("{} {}", noun.one, patient + 1), known(patient));
            cell_ui(ui, side, &name, |ui| {
                picture_ui(ui, first.and_then(|first| first.originals.get(patient)), side, &name);
            });
            if defended {
                let alt = format!("{name}, disguised");
                cell_ui(ui, side, "", |ui| picture_ui(ui, first.and_then(|first| first.sent.get(patient)), side, &alt));
            }
            for i in columns {
                let shown = &ready[*i];
                let Some(words) = shown.words.get(patient) else {
                    ui.label("");
                    continue;
                };
                cell_ui(ui, side, words, |ui| {
                    if stolen_ui(
                        ui,
                        shown.stolen.get(patient),
                        side,
                        &shown.alt[patient],
                        view.chosen == Some((*i, patient)),
                    ) {
                        clicked = Some((*i, patient));
                    }
                });
            }
            ui.end_row();
        }
    });
    if let Some(clicked) = clicked {
        // A second click puts it back.
        view.chosen = (view.chosen != Some(clicked)).then_some(clicked);
    }
}

fn head_ui(ui: &mut Ui, side: f32, text: &str, role: Option<Role>, tip: &str) {
    ui.vertical(|ui| {
        ui.set_max_width(side);
        let text = RichText::new(text).strong();
        let text = if let Some(role) = role { text.color(role.color(ui)) } else { text };
        cut_short_ui(ui, text, tip);
    });
}

/// Attack, mode, epoch where several are shown, and whether the defence held against it.
fn attack_head_ui(ui: &mut Ui, side: f32, state: &State, at: usize, epochs: Epochs) {
    let gallery = &state.galleries[at];
    ui.vertical(|ui| {
        ui.set_max_width(side);
        ui.spacing_mut().item_spacing.y = 0.0;
        ui.add(Label::new(RichText::new(&gallery.name).strong().color(Role::Attacker.color(ui))).truncate());
        if epochs == Epochs::All {
            ui.add(Label::new(RichText::new(epoch(gallery.epoch)).small()).truncate());
        }
        if gallery.target == UNDEFENDED {
            return;
        }
        let mode = if gallery.adaptive { "adaptive" } else { "naive" };
        let tip = "An adaptive attacker knows the defence, a naive one does not.";
        cut_short_ui(ui, RichText::new(mode).small(), tip);
        if let Some((word, tip)) = shown::record_of(state, at).and_then(|record| shown::stamp(state, record)) {
            cut_short_ui(ui, RichText::new(word).small().strong(), &tip);
        }
    });
}

fn cell_ui(ui: &mut Ui, side: f32, below: &str, contents: impl FnOnce(&mut Ui)) {
    ui.vertical(|ui| {
        ui.set_max_width(side);
        ui.spacing_mut().item_spacing.y = 1.0;
        contents(ui);
        if !below.is_empty() {
            ui.add(Label::new(RichText::new(below).small()).truncate());
        }
    });
}

/// The size at which a picture's longer side is `side`.
fn fitted(texture: &TextureHandle, side: f32) -> Vec2 {
    let size = texture.size_vec2();
    size * (side / size.max_elem().max(1.0))
}

fn picture_ui(ui: &mut Ui, texture: Option<&Option<TextureHandle>>, side: f32, alt: &str) {
    let Some(Some(texture)) = texture else {
        ui.allocate_space(vec2(side, side));
        return;
    };
    let size = fitted(texture, side);
    ui.add(Image::from_texture((texture.id(), size)).fit_to_exact_size(size).alt_text(alt));
}

/// True where it is clicked.
fn stolen_ui(ui: &mut Ui, texture: Option<&Option<TextureHandle>>, side: f32, alt: &str, chosen: bool) -> bool {
    let Some(Some(texture)) = texture else {
        ui.allocate_space(vec2(side, side));
        return false;
    };
    let size = fitted(texture, side);
    let image = Image::from_texture((texture.id(), size)).fit_to_exact_size(size).alt_text(alt);
    ui.spacing_mut().button_padding = Vec2::ZERO;
    let response = ui.add(Button::image(image).frame(false).min_size(size));
    if chosen {
        let stroke = eframe::egui::Stroke::new(2.0, Role::Attacker.color(ui));
        ui.painter().rect_stroke(response.rect, 0.0, stroke, eframe::egui::StrokeKind::Outside);
    }
    response.on_hover_text("Click to enlarge").clicked()
}

#[cfg(test)]
pub(super) mod tests;

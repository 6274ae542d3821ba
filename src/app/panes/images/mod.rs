//! Many images, and what each attack made of them: the worst leak on top.

mod shown;

use eframe::egui::{
    ComboBox, CursorIcon, Grid, Image, Label, RichText, ScrollArea, Sense, TextureHandle, Ui, Vec2, vec2,
};

use crate::app::choice::selectable_ui;
use crate::app::state::{State, Status};
use crate::app::subject::{Subject, Which};
use crate::app::theme::{Role, cut_short_ui};
use crate::app::words::{decimal, target};
use crate::app::{Act, Look};
use crate::data::Noun;
use crate::run::scene::Gallery;
use crate::score::judging::psnr_of;
use crate::score::metrics::{MSE, PSNR, SSIM};
use crate::split::UNDEFENDED;
use crate::texts::say;

/// Between pictures.
const GAP: f32 = 6.0;

/// What is chosen in this pane.
#[derive(Default)]
pub struct ImagesView {
    /// The attacked model; none takes the defended one where there is one.
    target: Option<String>,
    epoch: Epochs,
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

impl ImagesView {
    /// The one epoch after which the shown attacks were launched; none where the last or all are shown.
    pub fn epoch(&self) -> Option<usize> {
        if let Epochs::At(at) = self.epoch { Some(at) } else { None }
    }

    /// Shows the attacks after this epoch, or the last ones.
    pub fn show_epoch(&mut self, epoch: Option<usize>) {
        self.epoch = epoch.map_or(Epochs::Last, Epochs::At);
    }
}

impl Epochs {
    fn words(self, last: usize) -> String {
        match self {
            Self::Last => t!("the last ({epoch})", epoch = epoch(last)),
            Self::At(at) => epoch(at),
            Self::All => t!("all epochs").to_owned(),
        }
    }
}

fn epoch(at: usize) -> String {
    if at == 0 { t!("untrained").to_owned() } else { t!("epoch {epoch}", epoch = at) }
}

/// Draws the grid.
pub fn images_ui(ui: &mut Ui, look: Look<'_>, view: &mut ImagesView, acts: &mut Vec<Act>) {
    let state = look.state;
    let noun = look.run_noun();
    view.cache.prepare(ui.ctx(), state, noun);
    if state.galleries.is_empty() {
        empty_ui(ui, state, noun);
        return;
    }
    let (name, last) = choice_ui(ui, state, view);
    if is_brain(look) {
        ui.add(Label::new(RichText::new(t!("stand-in: average of 152 adults, no patient")).weak()).wrap());
    }
    let shown = columns(&state.galleries, &name, view.epoch, last, view.cache.ready().len());
    ScrollArea::both().auto_shrink(false).show(ui, |ui| grid_ui(ui, state, view, noun, &shown, acts));
}

fn empty_ui(ui: &mut Ui, state: &State, noun: Noun) {
    let words = match state.status {
        Status::Going => {
            t!(
                "The {many} appear here with the first attack that is done, and beside them what it stole.",
                many = say(noun.many)
            )
        }
        Status::Fresh => t!(
            "Up to eight {many} appear here, and beside each what every attack of a run made of the numbers on the \
             wire. Start a run, or open one under Runs.",
            many = say(noun.many)
        ),
        _ => t!("No pictures were kept of this run: no attack of it was finished, or they cannot be read.").to_owned(),
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
        ui.label(t!("Stolen from"));
        for one in defended.into_iter().chain([UNDEFENDED]).filter(|one| has(one)) {
            let tip =
                if one == UNDEFENDED { t!("The model without a defence") } else { t!("The model under the defence") };
            if selectable_ui(ui, name == one, target(one)).on_hover_text(tip).clicked() {
                one.clone_into(&mut name);
                view.target = Some(name.clone());
            }
        }
        let all = epochs(&name);
        let last = all.last().copied().unwrap_or(0);
        let label = ui.label(t!("after"));
        let shown = match view.epoch {
            Epochs::At(at) => Epochs::At(attacked(&state.galleries, &name, at)),
            other => other,
        };
        let choice = ComboBox::from_id_salt("epochs").selected_text(shown.words(last)).show_ui(ui, |ui| {
            ui.selectable_value(&mut view.epoch, Epochs::Last, Epochs::Last.words(last));
            for at in &all {
                ui.selectable_value(&mut view.epoch, Epochs::At(*at), epoch(*at));
            }
            ui.selectable_value(&mut view.epoch, Epochs::All, Epochs::All.words(last));
        });
        choice.response.labelled_by(label.id).on_hover_text(t!("How long the attacked model had been trained"));
    });
    let last = epochs(&name).last().copied().unwrap_or(0);
    (name, last)
}

/// The epoch of the latest attack until then; of the first one where there was none yet.
fn attacked(galleries: &[Gallery], name: &str, at: usize) -> usize {
    let all = || galleries.iter().filter(|gallery| gallery.target == name).map(|gallery| gallery.epoch);
    all().filter(|epoch| *epoch <= at).max().or(all().min()).unwrap_or(at)
}

/// The galleries to show, of those that are ready.
fn columns(galleries: &[Gallery], name: &str, epochs: Epochs, last: usize, ready: usize) -> Vec<usize> {
    let fits = |gallery: &Gallery| match epochs {
        Epochs::Last => gallery.epoch == last,
        Epochs::At(at) => gallery.epoch == attacked(galleries, name, at),
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

fn grid_ui(ui: &mut Ui, state: &State, view: &ImagesView, noun: Noun, columns: &[usize], acts: &mut Vec<Act>) {
    let ready = view.cache.ready();
    if columns.is_empty() {
        ui.label(t!("No attack at this model after this epoch."));
        return;
    }
    // Attacks differ in how many images they have; the latest one is as the model is now.
    let known = |patient: usize| columns.iter().rev().copied().find(|i| patient < ready[*i].originals.len());
    let scores: Vec<Vec<Option<f64>>> =
        columns.iter().map(|i| ready[*i].scores.iter().map(|score| score.map(|score| score.ssim)).collect()).collect();
    let patients = columns.iter().map(|i| ready[*i].stolen.len()).max().unwrap_or(0);
    let defended = state.galleries[columns[0]].target != UNDEFENDED;
    let count = columns.len() + 1 + usize::from(defended);
    // Naive and adaptive attacks by two attackers have room side by side in the pane as it is at first.
    let side = ((ui.available_width() + GAP) / count as f32 - GAP).floor().clamp(54.0, 120.0);
    let grid = Grid::new("galleries").spacing([GAP, GAP]).min_col_width(side).max_col_width(side);
    grid.show(ui, |ui| {
        head_ui(
            ui,
            side,
            say(noun.one),
            Some(Role::Patient),
            &t!("The {many}, the worst leak on top.", many = say(noun.many)),
        );
        if defended {
            let tip = t!("What entered the network in place of the image itself: the paper's attacked image.");
            head_ui(ui, side, t!("disguised"), Some(Role::Disguised), tip);
        }
        for i in columns {
            attack_head_ui(ui, side, state, *i, view.epoch);
        }
        ui.end_row();
        for patient in worst_first(&scores, patients) {
            let (name, first) = (format!("{} {}", say(noun.one), patient + 1), known(patient));
            let mut picture = |ui: &mut Ui, gallery: Option<usize>, which: Which, alt: &str| {
                let texture = gallery.and_then(|i| match which {
                    Which::Original => ready[i].originals.get(patient),
                    Which::Disguised => ready[i].sent.get(patient),
                    _ => ready[i].stolen.get(patient),
                });
                if picture_ui(ui, texture, side, alt)
                    && let Some(gallery) = gallery
                {
                    acts.push(Act::Inspect(Subject::Kept(gallery, patient, which), None));
                }
            };
            cell_ui(ui, side, &name, |ui| picture(ui, first, Which::Original, &name));
            if defended {
                let alt = t!("{name}, disguised", name);
                cell_ui(ui, side, "", |ui| picture(ui, first, Which::Disguised, &alt));
            }
            for i in columns {
                let shown = &ready[*i];
                let Some(words) = shown.words.get(patient) else {
                    ui.label("");
                    continue;
                };
                cell_ui(ui, side, words, |ui| picture(ui, Some(*i), Which::Stolen, &shown.alt[patient]));
            }
            ui.end_row();
        }
    });
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
        let mode = if gallery.adaptive { t!("adaptive") } else { t!("naive") };
        let tip = t!("An adaptive attacker knows the defence, a naive one does not.");
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

/// True where it is clicked.
fn picture_ui(ui: &mut Ui, texture: Option<&Option<TextureHandle>>, side: f32, alt: &str) -> bool {
    let Some(Some(texture)) = texture else {
        ui.allocate_space(vec2(side, side));
        return false;
    };
    let size = fitted(texture, side);
    let image = Image::from_texture((texture.id(), size)).fit_to_exact_size(size).alt_text(alt).sense(Sense::click());
    ui.add(image).on_hover_cursor(CursorIcon::ZoomIn).on_hover_text(t!("Click to look closer")).clicked()
}

/// What is said of an image of gallery `at`: who attacked it, when, how near the stolen one is, whether the defence held.
pub fn told(state: &State, at: usize, image: usize) -> String {
    let Some(gallery) = state.galleries.get(at) else { return String::new() };
    let mode = if gallery.adaptive { t!("adaptive") } else { t!("naive") };
    let at_model = target(&gallery.target);
    let mut words = vec![t!(
        "{name}, {mode}, at {at_model}, {epoch}",
        name = gallery.name,
        mode,
        at_model,
        epoch = epoch(gallery.epoch)
    )];
    let pair = gallery.originals.get(image).zip(gallery.stolen.get(image));
    if let Some(score) = pair.and_then(|(original, stolen)| original.score_of(stolen)) {
        let all = [(&SSIM, score.ssim), (&PSNR, psnr_of(score.mse)), (&MSE, score.mse)];
        words.extend(all.map(|(metric, value)| {
            format!("{} {}", say(metric.name), metric.with_unit(&decimal(value, metric.digits)))
        }));
    }
    if let Some((word, _)) = shown::record_of(state, at).and_then(|record| shown::stamp(state, record)) {
        words.push(word.to_owned());
    }
    words.join("; ")
}

#[cfg(test)]
pub(super) mod tests;

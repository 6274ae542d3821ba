//! A look at images before they are used: what they are, some of each class, what was found, and what is made of them.

mod reading;
mod seen;

use std::path::{Path, PathBuf};

use eframe::egui::{
    Button, ComboBox, Context, DragValue, Grid, Id, Image, Key, Label, Modal, ProgressBar, RichText, ScrollArea,
    TextEdit, TextureFilter, TextureHandle, TextureOptions, Ui,
};

use self::reading::{Reading, Seen};
use self::seen::{classes_ui, facts_ui, found_ui};
use super::purpose::Purpose;
use super::theme::warning_ui;
use super::trouble::About;
use super::{Act, App, AuditAct};
use crate::data::known::{is_known, known};
use crate::data::{Channels, Range, SplitBy, Wanted};
use crate::error::{Error, Result};
use crate::experiment::ClassWeights;

/// Heights and widths that are offered; 0 leaves images as they are.
const SIZES: [usize; 7] = [0, 28, 32, 64, 96, 128, 224];
/// Width of the dialog.
const WIDTH: f32 = 640.0;
/// Most room for the contact sheet.
const SHEET: [f32; 2] = [330.0, 300.0];

/// The dialog.
pub struct DataSheet {
    path: PathBuf,
    wanted: Wanted,
    /// How they were wanted when they were read last.
    read: Wanted,
    /// The range as it is typed, and what is wrong with it.
    range: String,
    /// The first so many of the victim's training images; 0 for all.
    train: usize,
    /// Whether images of rare classes count more.
    balanced: bool,
    reading: Option<Reading>,
    seen: Option<Box<Seen>>,
    trouble: Option<String>,
    texture: Option<TextureHandle>,
}

impl DataSheet {
    /// Opens a path, its images at first as they are `wanted`.
    ///
    /// # Errors
    /// Returns an error if the system gives no thread.
    pub fn open(path: PathBuf, wanted: Wanted, balanced: bool, ctx: &Context) -> Result<Self> {
        let reading = Some(Reading::start(path.clone(), wanted.clone(), ctx)?);
        let (range, seen, trouble, texture) = (wanted.range.to_string(), None, None, None);
        Ok(Self { path, read: wanted.clone(), wanted, range, train: 0, balanced, reading, seen, trouble, texture })
    }

    /// Whether images are being read.
    pub fn busy(&self) -> bool {
        self.reading.is_some()
    }

    /// Takes in what was read. False where nothing could be, and nothing was before: there is nothing to look at.
    fn hear(&mut self, ctx: &Context, acts: &mut Vec<Act>) -> bool {
        let Some(answer) = self.reading.as_ref().and_then(Reading::answer) else { return true };
        self.reading = None;
        match answer {
            Ok(seen) => {
                // Sharp points where they are enlarged, and none lost where there are more than the screen has.
                let options = TextureOptions { minification: TextureFilter::Linear, ..TextureOptions::NEAREST };
                self.texture = Some(ctx.load_texture("contact sheet", seen.sheet.clone(), options));
                (self.seen, self.trouble) = (Some(seen), None);
            }
            Err(error) if self.seen.is_none() && self.trouble.is_none() => {
                acts.push(Act::NoImages(error.to_string()));
                return false;
            }
            Err(error) => (self.seen, self.trouble) = (None, Some(error.to_string())),
        }
        true
    }

    /// Draws it. False where it is closed.
    pub fn show(&mut self, ctx: &Context, acts: &mut Vec<Act>) -> bool {
        if !self.hear(ctx, acts) {
            return false;
        }
        let mut open = true;
        let modal = Modal::new(Id::unique("images")).show(ctx, |ui| {
            ui.set_width(WIDTH.min(ui.ctx().content_rect().width() - 40.0));
            let name = self.seen.as_ref().map_or_else(|| file_name(&self.path), |seen| seen.name.clone());
            ui.heading(t!("Images: {name}", name));
            // The buttons stay in sight.
            let height = (ui.ctx().content_rect().height() - 170.0).max(120.0);
            let area = ScrollArea::vertical().max_height(height).min_scrolled_height(height);
            area.show(ui, |ui| self.contents_ui(ui));
            ui.add_space(8.0);
            open = self.buttons_ui(ui, acts);
        });
        open && !modal.should_close()
    }

    fn contents_ui(&mut self, ui: &mut Ui) {
        if let Some(seen) = &self.seen {
            facts_ui(ui, seen);
            ui.add_space(6.0);
            // The rows of few classes are long: they have the whole width.
            let long = self.texture.as_ref().is_some_and(|texture| texture.size_vec2().x > 3.0 * texture.size_vec2().y);
            if long {
                self.sheet_ui(ui, ui.available_width());
                classes_ui(ui, seen, SHEET[1]);
            } else {
                ui.horizontal_top(|ui| {
                    self.sheet_ui(ui, SHEET[0]);
                    classes_ui(ui, seen, SHEET[1]);
                });
            }
            found_ui(ui, seen);
        }
        if let Some(trouble) = &self.trouble {
            ui.horizontal_wrapped(|ui| {
                warning_ui(ui);
                ui.add(Label::new(RichText::new(trouble).strong()).wrap());
            });
        }
        if let Some(reading) = &self.reading {
            progress_ui(ui, reading);
        }
        ui.add_space(6.0);
        self.choices_ui(ui);
    }

    fn sheet_ui(&self, ui: &mut Ui, width: f32) {
        let Some(texture) = &self.texture else { return };
        let size = texture.size_vec2();
        let ratio = (width / size.x).min(SHEET[1] / size.y).min(1.0);
        let image = Image::new(texture).fit_to_exact_size(size * ratio);
        ui.add(image.alt_text(t!("Some images of each class, a row each")));
    }

    /// What is made of the images. A change reads them anew.
    fn choices_ui(&mut self, ui: &mut Ui) {
        Grid::new("wanted").num_columns(2).spacing([12.0, 4.0]).show(ui, |ui| {
            let label = ui.label(t!("Size"));
            let words =
                |size: usize| if size == 0 { t!("as they are").to_owned() } else { format!("{size} × {size}") };
            let list = ComboBox::from_id_salt("size").selected_text(words(self.wanted.size)).show_ui(ui, |ui| {
                for size in SIZES {
                    ui.selectable_value(&mut self.wanted.size, size, words(size));
                }
            });
            list.response.labelled_by(label.id).on_hover_text(t!("Each picture is scaled whole, onto a black square"));
            ui.end_row();
            let label = ui.label(t!("Colour"));
            let words = |channels| match channels {
                Channels::Own => t!("as they are"),
                Channels::Grey => t!("grey"),
                Channels::Colour => t!("three channels"),
            };
            let list = ComboBox::from_id_salt("colour").selected_text(words(self.wanted.channels)).show_ui(ui, |ui| {
                for channels in [Channels::Own, Channels::Grey, Channels::Colour] {
                    ui.selectable_value(&mut self.wanted.channels, channels, words(channels));
                }
            });
            list.response.labelled_by(label.id);
            ui.end_row();
            self.parts_ui(ui);
            let label = ui.label(t!("Black and white"));
            let tip = t!("The values that are black and white, as in 0..255; auto finds them");
            let field = ui.add(TextEdit::singleline(&mut self.range).desired_width(110.0)).labelled_by(label.id);
            if field.on_hover_text(tip).lost_focus() {
                self.take_range();
            }
            ui.end_row();
            text_row(
                ui,
                t!("Labels"),
                t!("Which labels, where a set has several; empty for the first"),
                &mut self.wanted.labels,
            );
            text_row(
                ui,
                t!("View"),
                t!("Which part of each picture, where a set has several; empty for the first"),
                &mut self.wanted.view,
            );
            let label = ui.label(t!("Training images"));
            let most = DragValue::new(&mut self.train).range(0..=10_000_000).speed(10.0);
            let most = most.custom_formatter(|n, _| if n == 0.0 { t!("all").to_owned() } else { n.to_string() });
            ui.add(most).labelled_by(label.id).on_hover_text(t!("The first so many of the victim's; 0 takes all"));
            ui.end_row();
            ui.label(t!("Class weights"));
            let tip = t!("Without, a model of an uneven set may name the largest class alone and look accurate");
            ui.checkbox(&mut self.balanced, t!("rare classes count more")).on_hover_text(tip);
            ui.end_row();
        });
        // What is being typed is not wanted yet.
        if self.wanted != self.read && !ui.ctx().egui_wants_keyboard_input() {
            self.begin_reading(ui.ctx());
        }
    }

    fn parts_ui(&mut self, ui: &mut Ui) {
        let label = ui.label(t!("Parts"));
        ui.horizontal(|ui| {
            // What the file does not part is drawn either way.
            let drawn = self.seen.as_ref().is_some_and(|seen| seen.drawn);
            if drawn {
                ui.label(t!("drawn"));
            } else {
                self.split_ui(ui, label.id);
            }
            if self.wanted.split == SplitBy::Drawn || drawn {
                let seed = ui.label(t!("by seed"));
                ui.add(DragValue::new(&mut self.wanted.split_seed).range(0..=4_294_967_295_u64)).labelled_by(seed.id);
            }
        });
        ui.end_row();
    }

    fn split_ui(&mut self, ui: &mut Ui, label: Id) {
        let words = |split| match split {
            SplitBy::Given => t!("as the file has them"),
            SplitBy::Drawn => t!("drawn anew"),
        };
        let list = ComboBox::from_id_salt("parts").selected_text(words(self.wanted.split)).show_ui(ui, |ui| {
            for split in [SplitBy::Given, SplitBy::Drawn] {
                ui.selectable_value(&mut self.wanted.split, split, words(split));
            }
        });
        let tip =
            t!("Which images are for training, validation and testing: drawn class by class and patient by patient");
        list.response.labelled_by(label).on_hover_text(tip);
    }

    fn take_range(&mut self) {
        match self.range.parse::<Range>() {
            Ok(range) => self.wanted.range = range,
            Err(allowed) => {
                self.trouble = Some(t!("Black and white: {allowed}", allowed));
                self.range = self.wanted.range.to_string();
            }
        }
    }

    fn begin_reading(&mut self, ctx: &Context) {
        self.read = self.wanted.clone();
        match Reading::start(self.path.clone(), self.wanted.clone(), ctx) {
            Ok(reading) => self.reading = Some(reading),
            Err(error) => self.trouble = Some(error.to_string()),
        }
    }

    fn buttons_ui(&mut self, ui: &mut Ui, acts: &mut Vec<Act>) -> bool {
        let mut open = true;
        ui.horizontal(|ui| {
            let seen = self.seen.as_ref().filter(|seen| seen.unfit.is_none() && self.reading.is_none());
            let (fit, classes) = (seen.is_some(), seen.map_or(0, |seen| seen.classes.len()));
            let use_them = ui.add_enabled(fit, Button::new(t!("Use these images")));
            let enter = ui.input(|input| input.key_pressed(Key::Enter)) && !ui.ctx().egui_wants_keyboard_input();
            if use_them.clicked() || fit && enter {
                acts.push(Act::Images(self.path.clone(), self.settings(), classes));
                open = false;
            }
            let tip = t!("A model is trained on them, attacked and judged: down to a page in plain words.");
            if ui.add_enabled(fit, Button::new(t!("Audit them…"))).on_hover_text(tip).clicked() {
                acts.push(Act::Audit(AuditAct::Ask(self.path.clone())));
                open = false;
            }
            open &= !ui.button(t!("Cancel")).clicked();
        });
        open
    }

    /// The experiment's settings that say how the images are wanted: keys and values as `--set` takes them.
    fn settings(&self) -> Vec<(String, String)> {
        let quoted =
            |text: &str| toml::Value::String(if text.is_empty() { "auto" } else { text }.to_owned()).to_string();
        let word =
            |value: Result<toml::Value, toml::ser::Error>| value.map_or_else(|_| String::new(), |v| v.to_string());
        let wanted = &self.wanted;
        let weights = if self.balanced { "balanced" } else { "alike" };
        [
            ("kind", quoted(&wanted.kind)),
            ("range", quoted(&wanted.range.to_string())),
            ("labels", quoted(&wanted.labels)),
            ("view", quoted(&wanted.view)),
            ("size", wanted.size.to_string()),
            ("channels", word(toml::Value::try_from(wanted.channels))),
            ("split", word(toml::Value::try_from(wanted.split))),
            ("split_seed", wanted.split_seed.to_string()),
            ("train", self.train.to_string()),
        ]
        .map(|(key, value)| (format!("data.{key}"), value))
        .into_iter()
        .chain([("train.class_weights".to_owned(), quoted(weights))])
        .collect()
    }
}

fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned()
}

fn text_row(ui: &mut Ui, words: &str, tip: &str, text: &mut String) {
    let label = ui.label(words);
    ui.add(TextEdit::singleline(text).desired_width(110.0).hint_text("auto")).labelled_by(label.id).on_hover_text(tip);
    ui.end_row();
}

fn progress_ui(ui: &mut Ui, reading: &Reading) {
    let (done, total) = reading.progress.seen();
    let seconds = reading.start.elapsed().as_secs_f64();
    let share = if total == 0 { 0.0 } else { done as f64 / total as f64 };
    let left = if done == 0 { 0.0 } else { seconds * (1.0 - share) / share };
    let words = match total {
        0 => t!("Reading…").to_owned(),
        _ if seconds < 1.0 => t!("{done} of {total}", done, total),
        _ => t!("{done} of {total}, {left:.0} s left", done, total, left),
    };
    ui.add(ProgressBar::new(share as f32).text(words));
    ui.ctx().request_repaint_after(std::time::Duration::from_millis(100));
}

/// Draws the dialog where it is open.
pub fn images_ui(sheet: &mut Option<DataSheet>, ctx: &Context, acts: &mut Vec<Act>) {
    if let Some(open) = sheet
        && !open.show(ctx, acts)
    {
        *sheet = None;
    }
}

impl App {
    /// Shows what is at a path, to be used or not.
    pub(super) fn begin_images(&mut self, path: PathBuf, ctx: &Context) -> Result<()> {
        // Images that the experiment waits for are wanted as it says.
        let data = &self.document.experiment().data;
        let wanted = if known(&data.name).is_some() { data.wanted()? } else { Wanted::default() };
        let balanced = self.document.experiment().train.class_weights == ClassWeights::Balanced;
        self.images = Some(DataSheet::open(path, wanted, balanced, ctx)?);
        Ok(())
    }

    /// Has the experiment's images where they were found before, or asks for them: they are of a set that does not come with
    /// the program.
    pub(super) fn fetch_images(&mut self, ctx: &Context) -> Result<()> {
        let Some(set) = known(&self.document.experiment().data.name) else { return Ok(()) };
        let found = self.memory.fetched.get(set.name).filter(|path| Path::new(path).exists()).cloned();
        match found {
            Some(path) => {
                let before = self.document.experiment().data.clone();
                self.document.set("data.path", &toml::Value::String(path).to_string())?;
                self.show_other(&before);
            }
            None => self.act(Act::Ask(Purpose::Fetch(set)), ctx),
        }
        Ok(())
    }

    /// The experiment is to be of these images, of so many classes.
    pub(super) fn take_images(
        &mut self,
        path: &Path,
        mut settings: Vec<(String, String)>,
        classes: usize,
    ) -> Result<()> {
        let before = self.document.experiment().data.clone();
        let name = path.to_str().ok_or_else(|| {
            Error::input(format!("an experiment can only name its images in Unicode; rename: {}", path.display()))
        })?;
        settings.insert(0, ("data.path".to_owned(), toml::Value::String(name.to_owned()).to_string()));
        let mut said = t!("{name}: for the stage and the next run", name = file_name(path));
        // Listed layers end with a number for each class of the images that they were listed for.
        if let Some(layers) = self.document.experiment().layers_for(classes) {
            let layers = toml::Value::try_from(layers).map_err(|e| Error::Internal(format!("layers: {e}")))?;
            settings.push(("model.layers".to_owned(), layers.to_string()));
            said = t!(
                "{name}: for the stage and the next run. The model's last layer now gives {classes} numbers, one for each \
                 class",
                name = file_name(path),
                classes
            );
        }
        self.document.set_all(&settings)?;
        if is_known(&before.name) {
            // Asked once.
            self.memory.fetched.insert(before.name.clone(), name.to_owned());
        }
        self.document.settle();
        self.memory.used(path);
        self.show_other(&before);
        self.mended(About::Opening);
        self.toasts.say(said, false);
        Ok(())
    }
}

//! The method as a page: sections to read, with their formulas in line and a mark at each claim.

use eframe::egui::{self, Align, Context, Id, Key, Label, Layout, Modal, RichText, ScrollArea, Ui, vec2};

use super::boxes::{Face, Tone, glyphs};
use super::draw::{laid_ui, mark_words};
use super::flow::{paragraph, tag};
use super::formula_ui;
use crate::app::choice::selectable_ui;
use crate::method::prose::{Block, plain};
use crate::method::{Node, Section};
use crate::workbench::method;

/// Size of what is read, and of formulas that stand by themselves.
const TEXT: f32 = 14.5;
const FORMULA: f32 = 18.0;
/// Letters in a line, about: more are hard to follow.
const LETTERS: usize = 72;
/// Width of the list of sections, and of the window without one.
const LIST: f32 = 210.0;
const NARROW: f32 = 640.0;
/// A line of usual words, by which letters are measured.
const SAMPLE: &str = "the image that would give the same numbers on the wire, one by one";

/// How the page is looked at.
#[derive(Default)]
pub struct MethodView {
    /// Sections parsed once; a section that cannot be read tells why.
    sections: Vec<(&'static Section, Result<Vec<Part>, String>)>,
    /// The section to go to.
    to: Option<&'static str>,
    /// The section that is read.
    at: &'static str,
}

impl std::fmt::Debug for MethodView {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MethodView").field("at", &self.at).finish_non_exhaustive()
    }
}

/// A part of a section.
enum Part {
    Text(Block, String),
    Formula { title: &'static str, mark: &'static str, node: Node, plain: String },
}

impl MethodView {
    /// Goes to a section.
    pub fn go_to(&mut self, section: Option<&'static str>) {
        self.to = section;
    }

    fn prepare(&mut self) {
        if self.sections.is_empty() {
            self.sections = method().map(|section| (section, parts(section))).collect();
        }
    }
}

fn parts(section: &'static Section) -> Result<Vec<Part>, String> {
    let part = |block: Block| match block {
        Block::Formula(id) => {
            let formula = section.formula(&id).ok_or_else(|| format!("section {} has no formula {id}", section.id))?;
            let node = formula.parsed()?;
            Ok(Part::Formula { title: formula.title, mark: formula.mark, plain: node.plain(), node })
        }
        Block::Paragraph(ref pieces) | Block::Item(ref pieces) => {
            let plain = plain(pieces);
            Ok(Part::Text(block, plain))
        }
    };
    section.blocks()?.into_iter().map(part).collect()
}

/// Draws the page. False where it is closed.
pub fn method_ui(ctx: &Context, view: &mut MethodView) -> bool {
    view.prepare();
    let screen = ctx.content_rect().size() - vec2(48.0, 48.0);
    let narrow = screen.x < NARROW;
    let mut open = true;
    let modal = Modal::new(Id::unique("method")).show(ctx, |ui| {
        let letters = glyphs(ctx, SAMPLE, Face { size: TEXT, slanted: false, tone: Tone::Text }).width;
        let column = letters / SAMPLE.chars().count() as f32 * LETTERS as f32;
        let list = if narrow { 0.0 } else { LIST + 20.0 };
        let width = (column + list + 34.0).min(screen.x);
        ui.set_width(width);
        ui.set_height(screen.y);
        ui.horizontal(|ui| {
            ui.heading(t!("Method"));
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                open = !ui.button(t!("Close")).clicked();
            });
        });
        ui.separator();
        let height = ui.available_height();
        ui.horizontal_top(|ui| {
            if !narrow {
                list_ui(ui, view, height);
                ui.separator();
            }
            ui.vertical(|ui| text_ui(ui, view, column.min(ui.available_width() - 16.0)));
        });
    });
    open && !modal.should_close()
}

/// The sections.
fn list_ui(ui: &mut Ui, view: &mut MethodView, height: f32) {
    ui.allocate_ui_with_layout(vec2(LIST, height), Layout::top_down(Align::Min), |ui| {
        ui.set_width(LIST);
        let mut to = None;
        for (section, _) in &view.sections {
            if selectable_ui(ui, view.at == section.id, section.title).on_hover_text(section.source).clicked() {
                to = Some(section.id);
            }
        }
        view.to = to.or(view.to);
    });
}

fn text_ui(ui: &mut Ui, view: &mut MethodView, width: f32) {
    let scroll = ScrollArea::vertical().id_salt("method's text").auto_shrink(false);
    keys(ui);
    scroll.show(ui, |ui| {
        ui.set_max_width(width);
        ui.spacing_mut().item_spacing.y = 6.0;
        legend_ui(ui);
        let top = ui.clip_rect().top();
        let mut at = None;
        for (section, parts) in &view.sections {
            ui.add_space(14.0);
            let heading = ui.heading(section.title);
            if view.to == Some(section.id) {
                heading.scroll_to_me(Some(Align::Min));
            }
            if at.is_none() || heading.rect.top() < top + 40.0 {
                at = Some(section.id);
            }
            ui.add(Label::new(RichText::new(section.source).weak().small()));
            match parts {
                Ok(parts) => parts.iter().for_each(|part| part_ui(ui, part, width)),
                Err(error) => drop(ui.label(error)),
            }
        }
        view.at = view.to.take().or(at).unwrap_or_default();
        ui.add_space(20.0);
        ui.weak(t!("All of it, with the figures behind it, stands in assets/method.md."));
    });
}

/// The keys by which a page is read, while nothing else has them.
fn keys(ui: &Ui) {
    let page = ui.clip_rect().height() - 60.0;
    let by = ui.input(|input| {
        let pressed = |key| f32::from(i8::from(input.key_pressed(key)));
        page * (pressed(Key::PageUp) - pressed(Key::PageDown))
            + 40.0 * (pressed(Key::ArrowUp) - pressed(Key::ArrowDown))
    });
    if by != 0.0 && ui.memory(egui::Memory::focused).is_none() {
        ui.scroll_with_delta(vec2(0.0, by));
    }
}

/// What the marks mean.
fn legend_ui(ui: &mut Ui) {
    let words = t!("What Cutlayer implements, as equations. Each claim about the paper has one of three marks:");
    ui.add(Label::new(RichText::new(words).size(TEXT)).wrap());
    for mark in ["A", "E", "here"] {
        ui.horizontal(|ui| {
            let laid = tag(ui.ctx(), mark, TEXT);
            laid_ui(ui, &laid, mark, &|_| None);
            ui.label(RichText::new(mark_words(mark)).size(TEXT));
        });
    }
    let words =
        t!("Symbols have the colours of their pictures on the stage. Point at one to read its name, or come to the \
         formula with Tab and go on with the arrow keys.");
    ui.add(Label::new(RichText::new(words).size(TEXT).weak()).wrap());
}

fn part_ui(ui: &mut Ui, part: &Part, width: f32) {
    match part {
        Part::Text(Block::Item(pieces), plain) => {
            ui.horizontal_top(|ui| {
                ui.label(RichText::new("•").size(TEXT));
                let laid = paragraph(ui.ctx(), pieces, TEXT, width - 20.0);
                laid_ui(ui, &laid, plain, &|_| None);
            });
        }
        Part::Text(Block::Paragraph(pieces), plain) => {
            let laid = paragraph(ui.ctx(), pieces, TEXT, width - 2.0);
            laid_ui(ui, &laid, plain, &|_| None);
        }
        Part::Text(Block::Formula(_), _) => {}
        Part::Formula { title, mark, node, plain } => {
            ui.indent(("formula", *title), |ui| {
                ui.horizontal(|ui| {
                    ui.label(RichText::new(*title).weak());
                    if !mark.is_empty() {
                        let laid = tag(ui.ctx(), mark, TEXT);
                        laid_ui(ui, &laid, &t!("Mark: {mark}", mark), &|_| None);
                    }
                });
                formula_ui(ui, node, FORMULA, plain, &|_| None);
            });
        }
    }
}

//! A picture made ready to be looked into: its texture and what its numbers come to, made once.

use eframe::egui::{ColorImage, Context, TextureHandle, TextureOptions};

use super::inspected::{Inspected, Scale};
use super::stats::Stats;
use crate::app::Look;
use crate::app::subject::Subject;
use crate::app::textures::square;
use crate::app::theme::image_color;
use crate::model::inside::Opened;

/// Longer sides are thinned out: no screen shows them.
pub(super) const MAX_SIDE: usize = 1024;

/// What it was made of: it is made anew where this is another.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Key {
    /// Which picture.
    pub subject: Subject,
    /// Which of its planes.
    pub plane: Option<usize>,
    generation: u64,
    pinned: Option<usize>,
    galleries: usize,
    client: u64,
}

/// A picture made ready.
pub struct Made {
    key: Key,
    /// What it is, and its numbers.
    pub inspected: Inspected,
    /// What they come to.
    pub stats: Stats,
    /// Each number a pixel.
    pub texture: TextureHandle,
    /// Numbers in a row and in a column, as they are drawn.
    pub size: [usize; 2],
}

impl Key {
    /// What is shown now, where the client was looked into so often.
    pub fn of(look: Look<'_>, subject: Subject, plane: Option<usize>, client: u64) -> Self {
        let showing = look.showing;
        Self {
            subject,
            plane,
            generation: showing.generation,
            pinned: showing.film.pinned,
            galleries: look.state.galleries.len(),
            client,
        }
    }
}

impl Made {
    /// Makes it; none where there is no such picture now.
    pub fn new(ctx: &Context, look: Look<'_>, key: Key, opened: Option<&Opened>) -> Option<Self> {
        let inspected = Inspected::of(look, key.subject, key.plane, opened)?;
        let [planes, height, width] = inspected.picture.shape;
        let values = &inspected.picture.values;
        if values.len() != planes * height * width || values.is_empty() {
            return None;
        }
        let columns = if inspected.vector { square(width) } else { width };
        let rows = (height * width).div_ceil(columns);
        let step = rows.max(columns).div_ceil(MAX_SIDE);
        let sides = [columns.div_ceil(step), rows.div_ceil(step)];
        let pixel = |i: usize| {
            let at = i / sides[0] * step * columns + i % sides[0] * step;
            match inspected.scale {
                Scale::Image if planes == 3 => image_color([0, 1, 2].map(|plane| values[plane * height * width + at])),
                // What a wrapped row lacks at its end is drawn like nothing.
                scale => values.get(at).map_or(eframe::egui::Color32::TRANSPARENT, |value| scale.color(*value)),
            }
        };
        let image = ColorImage::new(sides, (0..sides[0] * sides[1]).map(pixel).collect());
        let texture = ctx.load_texture("inspected", image, TextureOptions::NEAREST);
        let stats = Stats::of(values);
        Some(Self { key, inspected, stats, texture, size: [columns, rows] })
    }

    /// Whether it is still what is shown.
    pub fn is_of(&self, key: Key) -> bool {
        self.key == key
    }

    /// The numbers at a row and a column: one, or those of three colours.
    pub fn values_at(&self, [row, column]: [usize; 2]) -> Vec<f32> {
        let [planes, height, width] = self.inspected.picture.shape;
        let (size, at) = (height * width, row * self.size[0] + column);
        let inside = column < self.size[0] && at < size;
        (0..if inside { planes } else { 0 }).map(|plane| self.inspected.picture.values[plane * size + at]).collect()
    }

    /// `row 3, column 7`, or of a vector `number 35`.
    pub fn place(&self, [row, column]: [usize; 2]) -> String {
        if self.inspected.vector {
            t!("number {place}", place = row * self.size[0] + column)
        } else {
            t!("row {row}, column {column}", row, column)
        }
    }

    /// The place and its number in words.
    pub fn words_at(&self, at: [usize; 2]) -> String {
        let values: Vec<String> = self.values_at(at).into_iter().map(super::stats::number).collect();
        let told = match values.as_slice() {
            [] => t!("nothing").to_owned(),
            [red, green, blue] => t!("red {red}, green {green}, blue {blue}", red, green, blue),
            one => one.join(", "),
        };
        format!("{}: {told}", self.place(at))
    }
}

//! Drawing in the original's place, and opening one of one's own.

use std::path::Path;

use eframe::egui::{CursorIcon, Pos2, Response, Role, Sense, Ui, Vec2, WidgetInfo, vec2};

use crate::app::{Act, Look};
use crate::error::{Error, Result};
use crate::live::Shown;
use crate::run::scene::Picture;

/// What is being drawn.
#[derive(Debug, Default)]
pub struct PadView {
    /// Whether the pencil is out.
    pub drawing: bool,
    /// The pad before each stroke.
    pub strokes: Vec<Picture>,
}

/// Reads an image and fits it to a shape (C, H, W): the middle square-ish part, resized.
///
/// # Errors
/// Where the file is no image that is read here, or too large.
pub fn read_image(path: &Path, shape: [usize; 3]) -> Result<Picture> {
    let wrong = |e: &dyn std::fmt::Display| Error::input(format!("the image cannot be read: {e}: {}", path.display()));
    let mut reader =
        image::ImageReader::open(path).map_err(|e| wrong(&e))?.with_guessed_format().map_err(|e| wrong(&e))?;
    let mut limits = image::Limits::default();
    limits.max_image_width = Some(16_384);
    limits.max_image_height = Some(16_384);
    limits.max_alloc = Some(512 << 20);
    reader.limits(limits);
    let picture = reader.decode().map_err(|e| wrong(&e))?;
    let [c, h, w] = shape;
    let fitted = picture.resize_to_fill(w as u32, h as u32, image::imageops::FilterType::Triangle);
    let values: Vec<f32> = if c == 3 {
        let rgb = fitted.to_rgb32f();
        (0..3).flat_map(|channel| rgb.pixels().map(move |p| p.0[channel]).collect::<Vec<_>>()).collect()
    } else {
        let grey = fitted.to_luma32f();
        (0..c).flat_map(|_| grey.pixels().map(|p| p.0[0]).collect::<Vec<_>>()).collect()
    };
    Ok(Picture { shape, values: values.into_iter().map(|v| v.clamp(0.0, 1.0)).collect() })
}

/// Radius of the pencil, as a share of the image's longer side: a digit's stroke.
const PENCIL: f32 = 0.045;

impl PadView {
    /// An empty pad, the pencil out.
    pub fn clear(&mut self, look: Look<'_>, acts: &mut Vec<Act>) {
        let shape = look.showing.facts.as_ref().map_or([1, 28, 28], |facts| facts.patient.shape);
        if shape.contains(&0) {
            return;
        }
        *self = Self { drawing: true, strokes: Vec::new() };
        acts.push(Act::Draw(Picture { shape, values: vec![0.0; shape.iter().product()] }));
    }

    /// The pad before the last stroke.
    pub fn undo(&mut self, acts: &mut Vec<Act>) {
        acts.extend(self.strokes.pop().map(Act::Draw));
    }
}

/// Follows the pencil on the image that `response` is of.
pub fn stroke_ui(ui: &mut Ui, response: &Response, look: Look<'_>, pad: &mut PadView, acts: &mut Vec<Act>) {
    let Shown::Own(picture) = &look.showing.image else { return };
    if !pad.drawing {
        return;
    }
    let sense = ui.interact(response.rect, ui.scope_id().with("pad"), Sense::click_and_drag());
    sense.widget_info(|| WidgetInfo::labeled(Role::Image, true, t!("Drawing pad")));
    let sense = sense.on_hover_cursor(CursorIcon::Crosshair);
    let Some(at) = sense.interact_pointer_pos() else { return };
    let began = sense.is_pointer_button_down_on() && ui.input(|input| input.pointer.any_pressed());
    if began {
        pad.strokes.push(picture.clone());
        if pad.strokes.len() > 100 {
            pad.strokes.remove(0);
        }
    }
    let down = ui.input(|input| input.pointer.primary_down()) || began;
    if down && sense.is_pointer_button_down_on() {
        let before = at - if began { Vec2::ZERO } else { ui.input(|input| input.pointer.delta()) };
        let relative = |p: Pos2| (p - response.rect.min) / response.rect.size();
        acts.push(Act::Draw(drawn(picture, relative(before), relative(at))));
    }
}

/// A picture with a line drawn from one place to another, each a share of its width and height. Soft at its edge.
fn drawn(picture: &Picture, from: Vec2, to: Vec2) -> Picture {
    let [_, h, w] = picture.shape;
    let scale = vec2(w as f32, h as f32);
    let (from, to) = (from * scale, to * scale);
    let radius = (PENCIL * w.max(h) as f32).max(0.7);
    let mut picture = picture.clone();
    for (i, value) in picture.values.iter_mut().enumerate() {
        let (x, y) = (i % w, i / w % h);
        let at = vec2(x as f32 + 0.5, y as f32 + 0.5);
        let ink = 1.0 - (distance(at, from, to) - radius).clamp(0.0, 1.0);
        *value = value.max(ink);
    }
    picture
}

/// From a point to a line that ends at `a` and `b`.
fn distance(p: Vec2, a: Vec2, b: Vec2) -> f32 {
    let line = b - a;
    let share = if line.length_sq() > 0.0 { ((p - a).dot(line) / line.length_sq()).clamp(0.0, 1.0) } else { 0.0 };
    (p - a - share * line).length()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stroke_leaves_ink_where_it_went_and_nowhere_else() {
        let pad = Picture { shape: [1, 28, 28], values: vec![0.0; 784] };
        let picture = drawn(&pad, vec2(0.25, 0.5), vec2(0.75, 0.5));
        let at = |x: usize, y: usize| picture.values[y * 28 + x];
        assert!(at(7, 13) > 0.9 && at(14, 14) > 0.9 && at(20, 13) > 0.9);
        assert!(at(14, 5) == 0.0 && at(2, 13) == 0.0 && at(26, 14) == 0.0);
        // Outside of the pad nothing breaks.
        assert_eq!(drawn(&pad, vec2(-9.0, -9.0), vec2(-8.0, -9.0)), pad);
    }

    #[test]
    fn an_image_of_ones_own_is_fitted_and_a_broken_one_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("own.png");
        let mut picture = image::RgbImage::from_pixel(60, 40, image::Rgb([255, 0, 0]));
        picture.put_pixel(0, 0, image::Rgb([0, 0, 0]));
        picture.save(&path).unwrap();
        let rgb = read_image(&path, [3, 8, 8]).unwrap();
        assert_eq!((rgb.shape, rgb.values.len()), ([3, 8, 8], 192));
        assert!(rgb.values[30] > 0.99 && rgb.values[64 + 30] < 0.01);
        assert_eq!(read_image(&path, [1, 28, 28]).unwrap().values.len(), 784);
        let broken = folder.path().join("broken.png");
        crate::run::whole_files::Writer::default().write(&broken, b"no picture").unwrap();
        let error = read_image(&broken, [1, 28, 28]).unwrap_err().to_string();
        assert!(error.starts_with("the image cannot be read: ") && error.ends_with("broken.png"), "{error}");
        assert!(read_image(folder.path(), [1, 28, 28]).is_err());
    }
}

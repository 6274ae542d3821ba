//! Pictures as textures, each pixel sharp.

use eframe::egui::{ColorImage, Context, TextureHandle, TextureOptions};

use super::theme::{image_color, map_color};
use crate::run::event::{Picture, Scene};

/// Longer sides are thinned out: no screen shows them, and no graphics card takes them all.
const MAX_SIDE: usize = 1024;

/// The textures of the latest scene; none where there is no such picture.
#[derive(Default)]
pub struct Textures {
    /// The patient's image.
    pub original: Option<TextureHandle>,
    /// The gradient map.
    pub map: Option<TextureHandle>,
    /// What entered the client's layers.
    pub sent: Option<TextureHandle>,
    /// What the attacker made of it.
    pub stolen: Option<TextureHandle>,
    /// |patient's image − stolen image|.
    pub error: Option<TextureHandle>,
}

impl Textures {
    /// Shows a scene.
    pub fn show(&mut self, ctx: &Context, scene: &Scene) {
        put(ctx, "original", &mut self.original, image(&scene.original));
        put(ctx, "map", &mut self.map, map(&scene.map));
        put(ctx, "sent", &mut self.sent, image(&scene.sent));
        put(ctx, "stolen", &mut self.stolen, image(&scene.reconstruction));
        put(ctx, "error", &mut self.error, error(&scene.original, &scene.reconstruction));
    }

    /// Shows the patient's image alone, before the first attack has pictures.
    pub fn show_patient(&mut self, ctx: &Context, patient: &Picture) {
        if self.original.is_none() {
            put(ctx, "original", &mut self.original, image(patient));
        }
    }
}

fn put(ctx: &Context, name: &str, slot: &mut Option<TextureHandle>, image: Option<ColorImage>) {
    match (slot.as_mut(), image) {
        (Some(texture), Some(image)) => texture.set(image, TextureOptions::NEAREST),
        (None, Some(image)) => *slot = Some(ctx.load_texture(name, image, TextureOptions::NEAREST)),
        (_, None) => *slot = None,
    }
}

/// Grey or RGB, values in [0, 1].
fn image(picture: &Picture) -> Option<ColorImage> {
    pixels(picture, |at| image_color(if picture.shape[0] == 3 { [at(0), at(1), at(2)] } else { [at(0); 3] }))
}

/// The first plane, values in [−1, 1].
fn map(picture: &Picture) -> Option<ColorImage> {
    pixels(picture, |at| map_color(at(0)))
}

/// |a − b|: black where they agree.
fn error(a: &Picture, b: &Picture) -> Option<ColorImage> {
    if a.shape != b.shape || a.values.len() != b.values.len() {
        return None;
    }
    let values = a.values.iter().zip(&b.values).map(|(a, b)| (a - b.clamp(0.0, 1.0)).abs()).collect();
    image(&Picture { shape: a.shape, values })
}

/// `color` gets a function that gives a channel's value at the pixel.
fn pixels(picture: &Picture, color: impl Fn(&dyn Fn(usize) -> f32) -> eframe::egui::Color32) -> Option<ColorImage> {
    let [c, h, w] = picture.shape;
    if picture.values.is_empty() || picture.values.len() != c * h * w {
        return None;
    }
    let step = h.max(w).div_ceil(MAX_SIDE);
    let (rows, columns) = (h.div_ceil(step), w.div_ceil(step));
    let place = |i: usize| (i / columns * step, i % columns * step);
    let pixel = |i: usize| {
        let (y, x) = place(i);
        color(&|channel| picture.values[(channel * h + y) * w + x])
    };
    Some(ColorImage::new([columns, rows], (0..rows * columns).map(pixel).collect()))
}

#[cfg(test)]
mod tests {
    use eframe::egui::Color32;

    use super::*;

    #[test]
    fn pixels_are_where_they_belong() {
        let rgb = Picture { shape: [3, 1, 2], values: vec![1.0, 0.0, 0.0, 0.0, 0.0, 1.0] };
        let shown = image(&rgb).unwrap();
        assert_eq!((shown.size, shown.pixels[0], shown.pixels[1]), ([2, 1], Color32::RED, Color32::BLUE));
        let grey = |v| Picture { shape: [1, 1, 1], values: vec![v] };
        assert_eq!(error(&grey(1.0), &grey(7.0)).unwrap().pixels, [Color32::BLACK]);
        assert!(error(&rgb, &grey(0.0)).is_none() && image(&Picture::default()).is_none());
        let long = Picture { shape: [1, 1, 3000], values: vec![0.0; 3000] };
        assert_eq!(image(&long).unwrap().size, [1000, 1]);
    }
}

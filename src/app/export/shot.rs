//! The stage as a picture: the window's own pixels, so that the file is what was seen.

use std::path::PathBuf;
use std::sync::Arc;

use crossbeam_channel::{Receiver, TryRecvError, bounded};
use eframe::egui::{ColorImage, Context, Rect, ScreenshotCallback, ViewportCommand};
use image::ImageFormat;

use super::App;
use super::chore::Chore;
use super::trouble::About;
use crate::error::{Error, Result};

/// A picture of the stage that was asked for.
#[derive(Default)]
pub struct Shot {
    /// Where the stage was in the last frame; none where it does not fit into the window and is scrolled.
    stage: Option<Rect>,
    /// Where the picture is to be written, once nothing lies over the stage.
    asked: Option<PathBuf>,
    taken: Option<(PathBuf, Receiver<ColorImage>)>,
}

impl App {
    /// Asks for a picture of the stage, which the next frames give.
    pub(super) fn shoot(&mut self, path: PathBuf, ctx: &Context) -> Result<()> {
        if self.shot.stage.is_none() {
            return Err(Error::input(
                "the whole stage is not in the window: make the window larger or the text smaller, then save it",
            ));
        }
        self.shot.asked = Some(path);
        ctx.request_repaint();
        Ok(())
    }

    /// Whether a picture was asked for and is not there yet.
    pub(super) fn shooting(&self) -> bool {
        self.shot.asked.is_some() || self.shot.taken.is_some()
    }

    /// In a frame in which the stage is here, and `free`, with nothing over it: takes the picture that was asked for.
    pub(super) fn stage_is_at(&mut self, stage: Option<Rect>, free: bool, ctx: &Context) {
        self.shot.stage = stage;
        let Some(rect) = stage.filter(|_| free) else { return };
        let Some(path) = self.shot.asked.take() else { return };
        let (sender, pixels) = bounded(1);
        let (scale, its) = (ctx.pixels_per_point(), ctx.clone());
        let callback = ScreenshotCallback::new(move |whole: Arc<ColorImage>| {
            // Nobody listens any more where the window was closed meanwhile.
            let _ = sender.send(cut(&whole, rect, scale));
            its.request_repaint();
        });
        self.shot.taken = Some((path, pixels));
        ctx.send_viewport_cmd(ViewportCommand::Screenshot(callback));
    }

    /// Takes in a picture that was taken, and lets it be written.
    pub(super) fn hear_shot(&mut self, ctx: &Context) {
        let Some((path, pixels)) = self.shot.taken.take() else { return };
        match pixels.try_recv() {
            Ok(picture) => match Chore::written(path, ctx, move || png(&picture)) {
                Ok(chore) => self.chores.push(chore),
                Err(error) => self.tell_of(About::Saving, &error),
            },
            Err(TryRecvError::Empty) => self.shot.taken = Some((path, pixels)),
            Err(TryRecvError::Disconnected) => {
                self.tell_of(About::Saving, &Error::Internal("the window gives no picture of itself".to_owned()));
            }
        }
    }
}

/// The part of a picture that is at `rect`, in points of so many pixels, as far as it is there.
fn cut(whole: &ColorImage, rect: Rect, scale: f32) -> ColorImage {
    let [width, height] = whole.size;
    let pixel = |at: f32, most: usize| ((at * scale).round().max(0.0) as usize).min(most);
    let [left, right] = [rect.left(), rect.right()].map(|x| pixel(x, width));
    let [top, bottom] = [rect.top(), rect.bottom()].map(|y| pixel(y, height));
    whole.region_by_pixels([left, top], [right - left, bottom - top])
}

fn png(picture: &ColorImage) -> Result<Vec<u8>> {
    let wrong = |e: &dyn std::fmt::Display| Error::Internal(format!("picture of the stage: {e}"));
    let [width, height] = picture.size.map(|side| side as u32);
    let rgb = picture.pixels.iter().flat_map(|pixel| [pixel.r(), pixel.g(), pixel.b()]).collect();
    let page = image::RgbImage::from_raw(width, height, rgb).ok_or_else(|| wrong(&"no pixels"))?;
    let mut bytes = std::io::Cursor::new(Vec::new());
    page.write_to(&mut bytes, ImageFormat::Png).map_err(|e| wrong(&e))?;
    Ok(bytes.into_inner())
}

#[cfg(test)]
mod tests {
    use eframe::egui::{Color32, pos2};

    use super::*;

    #[test]
    fn the_stage_is_cut_out_of_the_window_at_any_scale() {
        let pixels = (0..12 * 8).map(|i| Color32::from_rgb(i as u8, 0, 7)).collect();
        let whole = ColorImage::new([12, 8], pixels);
        let part = cut(&whole, Rect::from_min_max(pos2(2.0, 1.0), pos2(5.0, 3.0)), 2.0);
        assert_eq!((part.size, part.pixels[0].r(), part.pixels[6].r()), ([6, 4], 28, 40));
        // What reaches out of the window is not there.
        assert_eq!(cut(&whole, Rect::from_min_max(pos2(-3.0, 2.0), pos2(99.0, 9.0)), 1.0).size, [12, 6]);
        let written = image::load_from_memory(&png(&part).unwrap()).unwrap().to_rgb8();
        assert_eq!((written.dimensions(), written.get_pixel(0, 1).0), ((6, 4), [40, 0, 7]));
    }
}

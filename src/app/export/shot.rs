//! A part of the window as a picture: its own pixels, or what was drawn there, so that the file is what was seen.

use std::path::PathBuf;
use std::sync::Arc;

use crossbeam_channel::{Receiver, TryRecvError, bounded};
use eframe::egui::epaint::ClippedShape;
use eframe::egui::{ColorImage, Context, LayerId, Rect, ScreenshotCallback, ViewportCommand};

use super::caption::{of_pane, of_stage};
use super::pixels::{cut, rgb, written};
use super::svg::Drawing;
use crate::app::chore::Chore;
use crate::app::purpose::Of;
use crate::app::trouble::About;
use crate::app::workspace::place;
use crate::app::{Act, App, Look};
use crate::error::{Error, Result};
use crate::run::caption::captioned;

/// A picture that was asked for.
#[derive(Default)]
pub struct Shot {
    /// Where the stage was in the last frame; none where it does not fit into the window and is scrolled.
    stage: Option<Rect>,
    /// What is to be written, and where, once nothing lies over it.
    asked: Option<(Of, PathBuf)>,
    taken: Option<(PathBuf, Receiver<Taken>)>,
}

/// What was there.
struct Taken {
    drawing: Drawing,
    pixels: Arc<ColorImage>,
    scale: f32,
}

impl Shot {
    /// What is below the picture that was asked for; none where there is none.
    pub fn caption(&self, look: Look<'_>) -> Option<String> {
        match self.asked.as_ref()?.0 {
            Of::Stage => Some(of_stage(look)),
            Of::Pane(pane) => Some(of_pane(look, pane)),
        }
    }
}

impl App {
    /// Asks for a picture, which the next frames give: SVG by the file's ending, or else PNG.
    pub(in crate::app) fn shoot(&mut self, of: Of, path: PathBuf, ctx: &Context) -> Result<()> {
        match of {
            Of::Stage if self.shot.stage.is_none() => {
                return Err(Error::input(
                    "the whole stage is not in the window: make the window larger or the text smaller, then save it",
                ));
            }
            Of::Stage => {}
            Of::Pane(pane) => self.act(Act::Pane(pane), ctx),
        }
        self.shot.asked = Some((of, path));
        ctx.request_repaint();
        Ok(())
    }

    /// Whether a picture was asked for and is not there yet.
    pub(in crate::app) fn shooting(&self) -> bool {
        self.shot.asked.is_some() || self.shot.taken.is_some()
    }

    /// At the end of a frame in which the stage was here, and `free`, with nothing over it: takes the picture that was
    /// asked for.
    pub(in crate::app) fn take_shot(
        &mut self,
        stage: Option<Rect>,
        free: bool,
        caption: Option<String>,
        ctx: &Context,
    ) {
        self.shot.stage = stage;
        let Some(caption) = caption.filter(|_| free) else { return };
        let Some((of, path)) = self.shot.asked.take() else { return };
        let window = ctx.content_rect();
        let rect = match of {
            Of::Stage => stage,
            Of::Pane(pane) => place(&self.tree, pane),
        };
        let Some(rect) = rect.map(|rect| rect.intersect(window)).filter(Rect::is_positive) else {
            let what = t!("what is to be saved is not in the window: make the window larger or the text smaller");
            return self.tell_of(About::Saving, &Error::input(what));
        };
        let visuals = ctx.global_style().visuals.clone();
        let drawing =
            Drawing { rect, ground: visuals.panel_fill, ink: visuals.text_color(), shapes: shapes(ctx), caption };
        let (sender, pixels) = bounded(1);
        let (scale, its) = (ctx.pixels_per_point(), ctx.clone());
        let callback = ScreenshotCallback::new(move |pixels: Arc<ColorImage>| {
            // Nobody listens any more where the window was closed meanwhile.
            let _ = sender.send(Taken { drawing, pixels, scale });
            its.request_repaint();
        });
        self.shot.taken = Some((path, pixels));
        ctx.send_viewport_cmd(ViewportCommand::Screenshot(callback));
    }

    /// Takes in a picture that was taken, and lets it be written.
    pub(in crate::app) fn hear_shot(&mut self, ctx: &Context) {
        let Some((path, pixels)) = self.shot.taken.take() else { return };
        match pixels.try_recv() {
            Ok(taken) => {
                let scalable = path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("svg"));
                match Chore::written(path, ctx, move || taken.bytes(scalable)) {
                    Ok(chore) => self.chores.push(chore),
                    Err(error) => self.tell_of(About::Saving, &error),
                }
            }
            Err(TryRecvError::Empty) => self.shot.taken = Some((path, pixels)),
            Err(TryRecvError::Disconnected) => {
                self.tell_of(About::Saving, &Error::Internal("the window gives no picture of itself".to_owned()));
            }
        }
    }
}

/// All that was drawn so far in the window's lowest layer, where stage and panes are.
fn shapes(ctx: &Context) -> Vec<ClippedShape> {
    ctx.graphics(|layers| {
        layers.get(LayerId::background()).map(|list| list.all_entries().cloned().collect()).unwrap_or_default()
    })
}

impl Taken {
    fn bytes(&self, scalable: bool) -> Result<Vec<u8>> {
        if scalable {
            return self.drawing.svg(&self.pixels, self.scale).map(String::into_bytes);
        }
        let picture = rgb(&cut(&self.pixels, self.drawing.rect, self.scale))?;
        written(&captioned(&picture, &self.drawing.caption)?)
    }
}

//! A symbol that is pointed at lights up its picture, and a picture its symbols.

use eframe::egui::{Context, Id, Response, Stroke, StrokeKind, Ui};

use crate::method::Ink;

/// What was pointed at in the last frame: a symbol of a formula, and a picture of the stage.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Lit {
    symbol: Option<Ink>,
    picture: Option<Ink>,
    /// The same in this frame, so far.
    next: [Option<Ink>; 2],
}

fn change<T>(ctx: &Context, what: impl FnOnce(&mut Lit) -> T) -> T {
    ctx.data_mut(|data| what(data.get_temp_mut_or_default(Id::unique("lit by formulas"))))
}

/// Begins a frame.
pub fn begin(ctx: &Context) {
    let changed = change(ctx, |lit| {
        let before = (lit.symbol, lit.picture);
        [lit.symbol, lit.picture] = std::mem::take(&mut lit.next);
        before != (lit.symbol, lit.picture)
    });
    if changed {
        ctx.request_repaint();
    }
}

/// A symbol is pointed at.
pub(super) fn light(ctx: &Context, ink: Ink) {
    change(ctx, |lit| {
        let new = lit.symbol != Some(ink);
        lit.next[0] = Some(ink);
        new
    })
    .then(|| ctx.request_repaint());
}

/// Of which ink the picture is that is pointed at.
pub(super) fn pictured(ctx: &Context) -> Option<Ink> {
    change(ctx, |lit| lit.picture)
}

/// A picture of the stage: a line around it while its symbol is pointed at.
pub fn picture_ui(ui: &Ui, picture: &Response, ink: Ink) {
    let (lights, new) = change(ui.ctx(), |lit| {
        if picture.contains_pointer() {
            lit.next[1] = Some(ink);
        }
        (lit.symbol == Some(ink), picture.contains_pointer() && lit.picture != Some(ink))
    });
    if new {
        ui.ctx().request_repaint();
    }
    if lights {
        let stroke = Stroke::new(3.0, ui.visuals().warn_fg_color);
        ui.painter().rect_stroke(picture.rect.expand(2.0), 2.0, stroke, StrokeKind::Outside);
    }
}

//! Short messages that go by themselves; the log keeps them.

use std::time::{Duration, Instant};

use eframe::egui::{Align2, Area, Context, Frame, Id, Order, RichText, accesskit::Live, vec2};

/// How long one is shown.
const SHOWN: Duration = Duration::from_secs(6);
/// Shown at once, at most.
const MOST: usize = 4;

/// The messages that are shown now.
#[derive(Debug, Default)]
pub struct Toasts {
    shown: Vec<(Instant, bool, String)>,
}

impl Toasts {
    /// Shows a message; a warning gets an icon.
    pub fn say(&mut self, text: impl Into<String>, warning: bool) {
        if self.shown.len() == MOST {
            self.shown.remove(0);
        }
        self.shown.push((Instant::now(), warning, text.into()));
    }

    /// Draws them, and asks for a frame when the next one goes.
    pub fn show(&mut self, ctx: &Context) {
        self.shown.retain(|(since, ..)| since.elapsed() < SHOWN);
        let Some((oldest, ..)) = self.shown.first() else { return };
        ctx.request_repaint_after(SHOWN.saturating_sub(oldest.elapsed()));
        let area = Area::new(Id::unique("toasts")).order(Order::Foreground).interactable(false);
        area.anchor(Align2::RIGHT_BOTTOM, vec2(-12.0, -12.0)).show(ctx, |ui| {
            for (_, warning, text) in &self.shown {
                Frame::popup(ui.style()).show(ui, |ui| {
                    ui.set_max_width(420.0);
                    let text = if *warning { format!("{}{text}", t!("Warning: ")) } else { text.clone() };
                    let label = ui.label(RichText::new(text));
                    ctx.accesskit_node_builder(label.id, |node| node.set_live(Live::Polite));
                });
            }
        });
    }

    /// What was said is of something else than what is shown now.
    pub fn clear(&mut self) {
        self.shown.clear();
    }

    /// The texts that are shown now.
    pub fn texts(&self) -> impl Iterator<Item = &str> {
        self.shown.iter().map(|(.., text)| text.as_str())
    }
}

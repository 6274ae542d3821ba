//! One of them, large: the image, its disguise, what was stolen, and the error.

use eframe::egui::{Label, RichText, ScrollArea, TextureHandle, Ui};

use super::shown::{Cache, record_of, stamp, texture};
use super::{epoch, picture_ui};
use crate::app::state::State;
use crate::app::textures::error;
use crate::app::theme::Role;
use crate::app::words::{decimal, target};
use crate::data::Noun;
use crate::score::judging::psnr_of;
use crate::score::metrics::{MSE, PSNR, SSIM};
use crate::split::UNDEFENDED;

/// The error's texture, which is made for the enlarged picture alone.
#[derive(Default)]
pub(super) struct Enlarged {
    of: Option<(usize, usize)>,
    error: Option<TextureHandle>,
}

impl Enlarged {
    /// False where it is closed.
    pub fn ui(
        &mut self,
        ui: &mut Ui,
        state: &State,
        (cache, noun): (&Cache, Noun),
        (at, patient): (usize, usize),
        beside: bool,
    ) -> bool {
        let (Some(gallery), Some(shown)) = (state.galleries.get(at), cache.ready().get(at)) else { return false };
        let mut open = true;
        ui.horizontal_wrapped(|ui| {
            open = !ui.button("Close").on_hover_text(format!("Back to all {}", noun.many)).clicked();
            let mode = if gallery.adaptive { "adaptive" } else { "naive" };
            let words = format!(
                "{} {}: {}, {mode}, at {}, {}",
                noun.one,
                patient + 1,
                gallery.name,
                target(&gallery.target),
                epoch(gallery.epoch)
            );
            ui.add(Label::new(RichText::new(words).strong()).wrap());
        });
        if self.of != Some((at, patient)) {
            let pair = gallery.originals.get(patient).zip(gallery.stolen.get(patient));
            self.error = texture(ui.ctx(), pair.and_then(|(original, stolen)| error(original, stolen)));
            self.of = Some((at, patient));
        }
        let error = Some(self.error.clone());
        let name = format!("{} {}", noun.one, patient + 1);
        let pictures = [
            (noun.one, Role::Patient, shown.originals.get(patient)),
            ("disguised", Role::Disguised, shown.sent.get(patient)),
            ("stolen", Role::Attacker, shown.stolen.get(patient)),
            ("error", Role::Decision, error.as_ref()),
        ];
        let pictures: Vec<_> =
            pictures.into_iter().filter(|one| one.0 != "disguised" || gallery.target != UNDEFENDED).collect();
        ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
            let columns = if beside { 2 } else { pictures.len() };
            let rows = pictures.len().div_ceil(columns) as f32;
            let wide = ui.available_width() / columns as f32 - 10.0;
            // Words below have room too.
            let high = (ui.available_height() - 46.0) / rows - 26.0;
            let side = wide.min(high).clamp(56.0, 320.0);
            for row in pictures.chunks(columns) {
                ui.horizontal_top(|ui| {
                    for (word, role, picture) in row {
                        ui.vertical(|ui| {
                            ui.spacing_mut().item_spacing.y = 2.0;
                            ui.label(RichText::new(*word).color(role.color(ui)));
                            picture_ui(ui, *picture, side, &format!("{name}, {word}, enlarged"));
                        });
                    }
                });
            }
            ui.horizontal_wrapped(|ui| {
                if let Some(Some(score)) = shown.scores.get(patient) {
                    let [ssim, psnr, mse] =
                        [(&SSIM, score.ssim), (&PSNR, psnr_of(score.mse)), (&MSE, score.mse)].map(|(metric, value)| {
                            format!("{} {}", metric.name, metric.with_unit(&decimal(value, metric.digits)))
                        });
                    ui.label(format!("{ssim}, {psnr}, {mse}")).on_hover_text(format!(
                        "Judged against the original, which the attacker does not have. {}",
                        SSIM.leak_help()
                    ));
                }
                if let Some((word, tip)) = record_of(state, at).and_then(|record| stamp(state, record)) {
                    let mode = if gallery.adaptive { "adaptive" } else { "naive" };
                    ui.strong(format!("{word}: {mode}")).on_hover_text(tip);
                }
            });
        });
        open
    }

    /// Another run's pictures are there.
    pub fn forget(&mut self) {
        *self = Self::default();
    }
}

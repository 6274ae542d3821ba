//! Colours of the roles, dark and light, and what is changed of the plain style. The only place with colour literals.

use eframe::egui::{Color32, Context, TextStyle, Theme, Ui};
use egui_plot::{LineStyle, MarkerShape};

/// Who or what is shown; each has one colour everywhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// The patient's image, and the undefended model, which sends it as it is.
    Patient,
    /// What the client makes of the image: the paper's "attacked".
    Disguised,
    /// What the server makes of that: the paper's "recovered".
    Cleaned,
    /// The stream of the fusing convolution.
    FusedStream,
    /// The decision of all three streams.
    Decision,
    /// Who looks on. Red is nobody else's.
    Attacker,
}

impl Role {
    /// Its colour on the present background.
    pub fn color(self, ui: &Ui) -> Color32 {
        self.color_of(if ui.visuals().dark_mode { Theme::Dark } else { Theme::Light })
    }

    /// Its colour in a theme.
    pub fn color_of(self, theme: Theme) -> Color32 {
        let (dark, light) = self.colors();
        if theme == Theme::Dark { dark } else { light }
    }

    /// On a dark and on a light background.
    fn colors(self) -> (Color32, Color32) {
        let rgb = Color32::from_rgb;
        match self {
            Self::Patient => (rgb(0x56, 0xB4, 0xE9), rgb(0x00, 0x65, 0xA3)),
            Self::Disguised => (rgb(0xE6, 0x9F, 0x00), rgb(0x8A, 0x5A, 0x00)),
            Self::Cleaned => (rgb(0x2B, 0xB5, 0x8A), rgb(0x00, 0x70, 0x4F)),
            Self::FusedStream => (rgb(0xB7, 0x9C, 0xF0), rgb(0x6B, 0x3F, 0xA0)),
            Self::Decision => (rgb(0xFF, 0xFF, 0xFF), rgb(0x11, 0x11, 0x11)),
            Self::Attacker => (rgb(0xFF, 0x6B, 0x6B), rgb(0xB3, 0x20, 0x2C)),
        }
    }

    /// How its curve is drawn, so that colour is not all that tells it apart.
    pub fn line_style(self) -> LineStyle {
        match self {
            Self::Disguised => LineStyle::Dotted { spacing: 7.0 },
            Self::Cleaned => LineStyle::Dashed { length: 8.0 },
            _ => LineStyle::Solid,
        }
    }

    /// What marks its points, likewise.
    pub fn marker(self) -> MarkerShape {
        match self {
            Self::Disguised => MarkerShape::Square,
            Self::Cleaned => MarkerShape::Diamond,
            Self::FusedStream => MarkerShape::Up,
            Self::Patient => MarkerShape::Down,
            Self::Decision | Self::Attacker => MarkerShape::Circle,
        }
    }

    /// How thick its curve is.
    pub fn line_width(self) -> f32 {
        match self {
            Self::Decision => 3.0,
            Self::FusedStream => 1.2,
            _ => 2.0,
        }
    }
}

/// Text a little larger and darker than egui's own, so that it can be read from the second row.
pub fn install(ctx: &Context) {
    for (theme, text) in [(Theme::Dark, Color32::from_gray(190)), (Theme::Light, Color32::from_gray(50))] {
        ctx.style_mut_of(theme, |style| {
            style.visuals.widgets.noninteractive.fg_stroke.color = text;
            style.visuals.weak_text_alpha = 0.8;
            for (kind, size) in [(TextStyle::Body, 13.5), (TextStyle::Button, 13.5), (TextStyle::Small, 11.0)] {
                if let Some(font) = style.text_styles.get_mut(&kind) {
                    font.size = size;
                }
            }
        });
    }
}

/// Pixels of a picture. A map's scale is fixed, so that equal maps look equal in every picture, and its
/// root shows small values: blue below 0, black at 0, orange above, as in a run's own pictures.
pub fn map_color(value: f32) -> Color32 {
    let strength = value.abs().sqrt();
    if value > 0.0 {
        Color32::from_rgb(byte(strength), byte(0.6 * strength), 0)
    } else {
        Color32::from_rgb(0, byte(0.55 * strength), byte(strength))
    }
}

/// A picture's pixel from its channels, each in [0, 1].
pub fn image_color(channels: [f32; 3]) -> Color32 {
    let [r, g, b] = channels.map(byte);
    Color32::from_rgb(r, g, b)
}

fn byte(value: f32) -> u8 {
    (value.clamp(0.0, 1.0) * 255.0).round() as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_map_is_blue_black_and_orange() {
        assert_eq!(map_color(-1.0), Color32::from_rgb(0, 140, 255));
        assert_eq!(map_color(0.0), Color32::BLACK);
        assert_eq!(map_color(1.0), Color32::from_rgb(255, 153, 0));
        assert_eq!(map_color(f32::NAN), Color32::BLACK);
    }
}

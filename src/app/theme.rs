//! Colours of the roles, dark and light, and what is changed of the plain style. The only place with colour literals.

use eframe::egui::{
    self, Align2, Color32, Context, FontId, Label, Response, RichText, Sense, Shape, Stroke, TextStyle, Theme, Ui,
    WidgetInfo, vec2,
};
use egui_plot::{LineStyle, MarkerShape};

use crate::run::pictures::{byte, map_rgb};

/// Side of a role's mark.
const MARK: f32 = 11.0;

/// Who or what is shown; each has one colour everywhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// The image as it is, and the undefended model, which sends it as it is.
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

/// Colours that tell curves of the same kind apart, as of several runs; red is not among them, which is the attacker's.
pub const HUES: usize = 8;

/// One of them in a theme, whatever the number.
pub fn hue(at: usize, theme: Theme) -> Color32 {
    let rgb = Color32::from_rgb;
    let (dark, light) = match at % HUES {
        0 => Role::Patient.colors(),
        1 => Role::Disguised.colors(),
        2 => Role::Cleaned.colors(),
        3 => Role::FusedStream.colors(),
        4 => (rgb(0xF0, 0xE4, 0x42), rgb(0x66, 0x60, 0x00)),
        5 => (rgb(0xE3, 0x8B, 0xC8), rgb(0x99, 0x2E, 0x7C)),
        6 => Role::Decision.colors(),
        _ => (rgb(0xC0, 0xA0, 0x7A), rgb(0x6E, 0x4A, 0x24)),
    };
    if theme == Theme::Dark { dark } else { light }
}

/// The role's mark before its name: as its points in the curves, so that colour is not all that tells it apart.
pub fn mark_ui(ui: &mut Ui, role: Role) {
    let (rect, _) = ui.allocate_exact_size(vec2(MARK, MARK), Sense::hover());
    let (at, r, color) = (rect.center(), 0.5 * MARK, role.color(ui));
    let turned = |corners: &[(f32, f32)]| {
        let corners = corners.iter().map(|(x, y)| at + r * vec2(*x, *y)).collect();
        Shape::convex_polygon(corners, color, Stroke::NONE)
    };
    ui.painter().add(match role {
        Role::Patient => turned(&[(-0.9, -0.7), (0.9, -0.7), (0.0, 0.9)]),
        Role::Disguised => turned(&[(-0.75, -0.75), (0.75, -0.75), (0.75, 0.75), (-0.75, 0.75)]),
        Role::Cleaned => turned(&[(0.0, -1.0), (1.0, 0.0), (0.0, 1.0), (-1.0, 0.0)]),
        Role::FusedStream => turned(&[(0.0, -0.9), (0.9, 0.7), (-0.9, 0.7)]),
        Role::Decision => Shape::circle_stroke(at, 0.75 * r, Stroke::new(2.0, color)),
        Role::Attacker => Shape::circle_filled(at, 0.9 * r, color),
    });
}

/// A line of words whose end gives way where there is little room; who points at it reads all of them, and the tip.
pub fn cut_short_ui(ui: &mut Ui, words: RichText, tip: &str) -> Response {
    let text = words.text().to_owned();
    let response = ui.add(Label::new(words).truncate().show_tooltip_when_elided(false));
    if tip.starts_with(&text) { response.on_hover_text(tip) } else { response.on_hover_text(format!("{text}\n{tip}")) }
}

/// A triangle with an exclamation mark: something went wrong. Not red, which is the attacker's.
pub fn warning_ui(ui: &mut Ui) {
    let (rect, response) = ui.allocate_exact_size(vec2(20.0, 18.0), Sense::hover());
    response.widget_info(|| WidgetInfo::labeled(egui::Role::Image, true, t!("Warning")));
    let color = ui.visuals().warn_fg_color;
    let corners = vec![rect.center_top(), rect.right_bottom(), rect.left_bottom()];
    ui.painter().add(Shape::closed_line(corners, Stroke::new(1.8, color)));
    let font = FontId::proportional(13.0);
    ui.painter().text(rect.center() + vec2(0.0, 2.0), Align2::CENTER_CENTER, "!", font, color);
}

/// Text a little larger and darker than egui's own, so that it can be read from the second row.
pub fn install(ctx: &Context) {
    for (theme, text) in [(Theme::Dark, Color32::from_gray(190)), (Theme::Light, Color32::from_gray(50))] {
        ctx.style_mut_of(theme, |style| {
            style.visuals.widgets.noninteractive.fg_stroke.color = text;
            style.visuals.weak_text_alpha = 0.8;
            if theme == Theme::Light {
                // egui's own are too pale on white.
                style.visuals.hyperlink_color = Role::Patient.color_of(theme);
                style.visuals.warn_fg_color = Role::Disguised.color_of(theme);
            }
            // That there is more to the side or below is seen without pointing at it, and the bar covers nothing.
            let scroll = &mut style.spacing.scroll;
            (scroll.floating_width, scroll.floating_allocated_width) = (4.0, 6.0);
            (scroll.dormant_handle_opacity, scroll.active_handle_opacity) = (0.45, 0.7);
            for (kind, size) in [(TextStyle::Body, 13.5), (TextStyle::Button, 13.5), (TextStyle::Small, 11.0)] {
                if let Some(font) = style.text_styles.get_mut(&kind) {
                    font.size = size;
                }
            }
        });
    }
}

/// Lets nothing slide or fade, or all as egui has it.
pub fn move_less(ctx: &Context, less: bool) {
    let usual = egui::Style::default();
    ctx.all_styles_mut(|style| {
        style.animation_time = if less { 0.0 } else { usual.animation_time };
        style.scroll_animation = if less { egui::style::ScrollAnimation::none() } else { usual.scroll_animation };
    });
}

/// The ground of a cell for a share from 0 to 1, and the ink on it.
pub fn shade(ui: &Ui, share: f32) -> (Color32, Color32) {
    shade_of(ui.visuals().extreme_bg_color, ui.visuals().text_color(), share)
}

fn shade_of(least: Color32, most: Color32, share: f32) -> (Color32, Color32) {
    /// Where black and white stand out alike.
    const MIDDLE: u8 = 118;
    let ground = least.lerp_to_gamma(most, share.clamp(0.0, 1.0));
    (ground, if ground.g() > MIDDLE { Color32::BLACK } else { Color32::WHITE })
}

/// A map's pixel, as in a run's own pictures.
pub fn map_color(value: f32) -> Color32 {
    let [r, g, b] = map_rgb(value);
    Color32::from_rgb(r, g, b)
}

/// A picture's pixel from its channels, each in [0, 1].
pub fn image_color(channels: [f32; 3]) -> Color32 {
    let [r, g, b] = channels.map(byte);
    Color32::from_rgb(r, g, b)
}

#[cfg(test)]
mod tests {
    use eframe::egui::Visuals;

    use super::*;

    /// Relative luminance as WCAG has it; `color` over `ground` where it is see-through.
    fn luminance(color: Color32, ground: Color32) -> f64 {
        let [r, g, b, a] = color.to_array().map(|v| f64::from(v) / 255.0);
        let under = ground.to_array().map(|v| f64::from(v) / 255.0);
        let linear = |v: f64| if v <= 0.03928 { v / 12.92 } else { ((v + 0.055) / 1.055).powf(2.4) };
        // Colours are premultiplied.
        let over = |v: f64, under: f64| linear(v + under * (1.0 - a));
        0.2126 * over(r, under[0]) + 0.7152 * over(g, under[1]) + 0.0722 * over(b, under[2])
    }

    fn contrast(text: Color32, ground: Color32) -> f64 {
        let (a, b) = (luminance(text, ground), luminance(ground, Color32::BLACK));
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }

    const ROLES: [Role; 6] =
        [Role::Patient, Role::Disguised, Role::Cleaned, Role::FusedStream, Role::Decision, Role::Attacker];

    fn texts(visuals: &Visuals, theme: Theme) -> Vec<(&'static str, Color32, Color32)> {
        let grounds = [
            ("panel", visuals.panel_fill),
            ("window", visuals.window_fill),
            ("card", visuals.panel_fill.blend(visuals.faint_bg_color)),
            ("plot", visuals.extreme_bg_color),
        ];
        let mut all = Vec::new();
        for (name, ground) in grounds {
            let plain = [
                visuals.text_color(),
                visuals.weak_text_color(),
                visuals.strong_text_color(),
                visuals.hyperlink_color,
                visuals.warn_fg_color,
            ];
            all.extend(plain.map(|text| (name, text, ground)));
            all.extend(ROLES.map(|role| (name, role.color_of(theme), ground)));
            all.extend((0..HUES).map(|at| (name, hue(at, theme), ground)));
        }
        let widgets = &visuals.widgets;
        for one in [widgets.inactive, widgets.hovered, widgets.active, widgets.open] {
            all.push(("button", one.text_color(), one.weak_bg_fill));
        }
        all.push(("chosen", visuals.selection.stroke.color, visuals.selection.bg_fill));
        all
    }

    #[test]
    fn all_text_can_be_read_in_both_themes() {
        let ctx = Context::default();
        install(&ctx);
        for theme in [Theme::Dark, Theme::Light] {
            for (name, text, ground) in texts(&ctx.style_of(theme).visuals, theme) {
                let contrast = contrast(text, ground);
                assert!(contrast >= 4.5, "{theme:?}, {name}: {text:?} on {ground:?} is {contrast:.2}");
            }
        }
        assert!((contrast(Color32::WHITE, Color32::BLACK) - 21.0).abs() < 1e-6);
    }

    #[test]
    fn a_count_can_be_read_on_every_shade() {
        let ctx = Context::default();
        install(&ctx);
        for theme in [Theme::Dark, Theme::Light] {
            let visuals = &ctx.style_of(theme).visuals;
            for share in 0..=100 {
                let (ground, ink) = shade_of(visuals.extreme_bg_color, visuals.text_color(), share as f32 / 100.0);
                let contrast = contrast(ink, ground);
                assert!(contrast >= 4.5, "{theme:?}, {share} %: {ink:?} on {ground:?} is {contrast:.2}");
            }
        }
    }

    #[test]
    fn a_map_is_blue_black_and_orange() {
        assert_eq!(map_color(-1.0), Color32::from_rgb(0, 140, 255));
        assert_eq!(map_color(0.0), Color32::BLACK);
        assert_eq!(map_color(1.0), Color32::from_rgb(255, 153, 0));
        assert_eq!(map_color(f32::NAN), Color32::BLACK);
    }
}

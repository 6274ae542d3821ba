use eframe::egui::{Context, FontFamily, FontId, RawInput, Theme};

use super::*;
use crate::app::formula::boxes::{Laid, Shape};
use crate::method::prose::{Block, Piece};
use crate::workbench::method;

fn with_fonts(check: impl Fn(&Context)) {
    let ctx = Context::default();
    let mut output = ctx.run_ui(RawInput::default(), |ui| check(ui.ctx()));
    output.textures_delta.clear();
}

fn has(ctx: &Context, family: FontFamily, text: &str) -> bool {
    ctx.fonts_mut(|fonts| fonts.has_glyphs(&FontId::new(14.0, family), text))
}

#[test]
fn every_formula_is_laid_out_without_a_missing_glyph() {
    with_fonts(|ctx| {
        let mut glyphs = 0;
        for formula in method().flat_map(|section| section.formulas) {
            let laid = Setter { ctx, size: 18.0 }.lay(&formula.parsed().unwrap());
            assert!(laid.width > 20.0 && laid.height() > 10.0, "{}: {laid:?}", formula.id);
            for (_, shape, ..) in &laid.shapes {
                let Shape::Glyphs(galley) = shape else { continue };
                let text = galley.text();
                let there =
                    [FontFamily::Proportional, FontFamily::Monospace].into_iter().any(|family| has(ctx, family, text));
                assert!(there, "{}: no font has {text:?}", formula.id);
                glyphs += 1;
            }
            // What is not a formula is drawn in the font of words.
            for symbol in formula.symbols() {
                assert!(has(ctx, FontFamily::Proportional, symbol.name), "{}", symbol.name);
            }
            assert!(has(ctx, FontFamily::Proportional, formula.title), "{}", formula.title);
        }
        assert!(glyphs > 200, "{glyphs}");
        for section in method() {
            for block in section.blocks().unwrap() {
                let (Block::Paragraph(pieces) | Block::Item(pieces)) = block else { continue };
                for piece in pieces {
                    if let Piece::Words(text) | Piece::Strong(text) | Piece::Mark(text) = piece {
                        assert!(has(ctx, FontFamily::Proportional, &text), "{}: {text}", section.id);
                    }
                }
            }
        }
    });
}

#[test]
fn what_is_in_a_formula_does_not_lie_over_each_other() {
    with_fonts(|ctx| {
        for formula in method().flat_map(|section| section.formulas) {
            let laid: Laid = Setter { ctx, size: 18.0 }.lay(&formula.parsed().unwrap());
            for (i, (a, one)) in laid.points.iter().enumerate() {
                for (b, other) in &laid.points[..i] {
                    let both = a.shrink(1.5).intersect(b.shrink(1.5));
                    assert!(!both.is_positive(), "{}: {one:?} and {other:?}", formula.id);
                }
            }
        }
    });
}

#[test]
fn each_picture_has_its_colour_in_both_themes_and_a_line_of_its_own() {
    use crate::method::Ink;
    let inks = [Ink::Patient, Ink::Disguised, Ink::Cleaned, Ink::Fused, Ink::Decision, Ink::Attacker];
    for theme in [Theme::Dark, Theme::Light] {
        let colors: Vec<_> = inks.map(|ink| draw::role(ink).unwrap().color_of(theme)).to_vec();
        for (i, color) in colors.iter().enumerate() {
            assert!(!colors[..i].contains(color), "{:?}", inks[i]);
        }
    }
}

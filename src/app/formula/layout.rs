//! Formulas laid out as they are printed: scripts, fractions, roots, sums, braces.

use eframe::egui::{Context, vec2};

use super::boxes::{Face, Laid, Tone, glyphs};
use crate::method::Node;
use crate::method::language::{Accent, Fence};

/// The size of scripts, as a share of what they belong to, and the least of all.
const SCRIPT: f32 = 0.72;
const LEAST: f32 = 8.5;
/// How far above the baseline fractions' bars and signs have their middle, in the size of letters.
const AXIS: f32 = 0.27;

/// Lays a formula out in letters of a size.
pub(super) struct Setter<'a> {
    pub ctx: &'a Context,
    pub size: f32,
}

impl Setter<'_> {
    /// A formula as wide as there is room: broken where it has wide spaces, then in smaller letters.
    pub fn fit(&self, node: &Node, width: f32) -> Laid {
        let laid = self.lay(node);
        if laid.width <= width {
            return laid;
        }
        let laid = self.lay(&broken(node));
        if laid.width <= width {
            return laid;
        }
        let size = (0.97 * self.size * width / laid.width).max(LEAST);
        Setter { size, ..*self }.lay(&broken(node))
    }

    /// A formula.
    pub fn lay(&self, node: &Node) -> Laid {
        match node {
            Node::Row(row) => self.row(row),
            Node::Letter(c) => self.text(&c.to_string(), c.is_ascii_alphabetic() || c.is_lowercase()),
            Node::Word(text) | Node::Number(text) => self.text(text, false),
            Node::Sign('∑') => self.large_sum(),
            Node::Sign(c) => self.text(&c.to_string(), false),
            Node::Space(width) => Laid::space(width * self.size),
            Node::Scripts { base, below, above } => self.scripts(base, below.as_deref(), above.as_deref()),
            Node::Limits { base, below, above } => self.limits(base, below.as_deref(), above.as_deref()),
            Node::Over(accent, node) => self.accent(*accent, node),
            Node::Fraction(top, bottom) => self.fraction(top, bottom),
            Node::Root(node) => self.root(node),
            Node::Fence(fence, node) => self.fence(*fence, node),
            Node::Cases(cases) => self.cases(cases),
            Node::Lines(lines) => self.lines(lines),
            Node::Named(symbol, node) => self.lay(node).name(symbol),
        }
    }

    fn text(&self, text: &str, slanted: bool) -> Laid {
        glyphs(self.ctx, text, Face { size: self.size, slanted, tone: Tone::Strong })
    }

    fn smaller(&self) -> Self {
        Self { size: (SCRIPT * self.size).max(LEAST), ..*self }
    }

    /// How thick lines are.
    fn line(&self) -> f32 {
        (0.065 * self.size).max(1.0)
    }

    fn row(&self, row: &[Node]) -> Laid {
        let mut laid = Laid::default();
        for (i, node) in row.iter().enumerate() {
            let before = i.checked_sub(1).map(|i| row[i].bare());
            let [left, right] = spaces(before, node.bare()).map(|space| Laid::space(space * self.size));
            laid.append(left);
            laid.append(self.lay(node));
            laid.append(right);
        }
        laid
    }

    fn scripts(&self, base: &Node, below: Option<&Node>, above: Option<&Node>) -> Laid {
        let mut laid = self.lay(base);
        let (left, gap) = (laid.width, 0.05 * self.size);
        let (up, down) = (laid.up, laid.down);
        let script = self.smaller();
        if let Some(below) = below {
            let y = (down - 0.02 * self.size).max(if above.is_some() { 0.27 } else { 0.2 } * self.size);
            laid.put(vec2(left + gap, y), script.lay(below));
        }
        if let Some(above) = above {
            let y = (up - 0.42 * self.size).max(if below.is_some() { 0.47 } else { 0.36 } * self.size);
            laid.put(vec2(left + gap, -y), script.lay(above));
        }
        laid.width += gap;
        laid
    }

    /// What is below and above stands in the middle.
    fn limits(&self, base: &Node, below: Option<&Node>, above: Option<&Node>) -> Laid {
        let (base, small) = (self.lay(base), self.smaller());
        let [below, above] = [below, above].map(|node| node.map(|node| small.lay(node)));
        let width = [&below, &above].into_iter().flatten().fold(base.width, |width, laid| width.max(laid.width));
        let (up, down, gap) = (base.up, base.down, 0.14 * self.size);
        let middle = |laid: &Laid| 0.5 * (width - laid.width);
        let mut all = Laid::space(width);
        all.put(vec2(middle(&base), 0.0), base);
        if let Some(below) = below {
            all.put(vec2(middle(&below), down + gap + below.up), below);
        }
        if let Some(above) = above {
            all.put(vec2(middle(&above), -(up + gap + above.down)), above);
        }
        all
    }

    fn large_sum(&self) -> Laid {
        let large = Self { size: 1.45 * self.size, ..*self };
        let sum = large.text("∑", false);
        // Its middle is on the axis.
        let y = 0.5 * (sum.up - sum.down) - AXIS * self.size;
        let mut laid = Laid::default();
        laid.put(vec2(0.0, y), sum);
        laid
    }

    fn accent(&self, accent: Accent, node: &Node) -> Laid {
        let mut laid = self.lay(node);
        let half = (0.38 * laid.width).clamp(0.12 * self.size, 0.24 * self.size);
        // Letters lean to the right.
        let (x, y) = (0.5 * laid.width + 0.05 * self.size, -(laid.up + 0.05 * self.size));
        let high = 0.14 * self.size;
        match accent {
            Accent::Hat => laid.line([vec2(x - half, y), vec2(x, y - high), vec2(x + half, y)], self.line()),
            Accent::Tilde => {
                let wave = (0..=8).map(|i| {
                    let t = i as f32 / 4.0 - 1.0;
                    vec2(x + t * half, y - 0.5 * high - 0.5 * high * (-t * std::f32::consts::PI).sin())
                });
                laid.line(wave, self.line());
            }
        }
        laid.up += 0.05 * self.size + high;
        laid
    }

    fn fraction(&self, top: &Node, bottom: &Node) -> Laid {
        let small = Self { size: (0.92 * self.size).max(LEAST), ..*self };
        let (top, bottom) = (small.lay(top), small.lay(bottom));
        let side = 0.1 * self.size;
        let width = top.width.max(bottom.width) + 2.0 * side;
        let (axis, gap) = (AXIS * self.size, 0.17 * self.size);
        let mut laid = Laid::space(width);
        // The lines below symbols are no part of the bar.
        let above = if top.points.is_empty() { gap } else { gap + 0.12 * self.size };
        let (x, y) = (0.5 * (width - top.width), -axis - above - top.down);
        laid.put(vec2(x, y), top);
        let (x, y) = (0.5 * (width - bottom.width), -axis + gap + bottom.up);
        laid.put(vec2(x, y), bottom);
        laid.line([vec2(0.0, -axis), vec2(width, -axis)], self.line());
        let mut whole = Laid::space(0.06 * self.size);
        whole.append(laid);
        whole.append(Laid::space(0.06 * self.size));
        whole
    }

    fn root(&self, node: &Node) -> Laid {
        let inner = self.lay(node);
        let (top, bottom) = (-(inner.up + 0.16 * self.size), inner.down.max(0.05 * self.size));
        let sign = 0.55 * self.size;
        let right = sign + inner.width + 0.08 * self.size;
        let mut laid = Laid::default();
        laid.put(vec2(sign + 0.04 * self.size, 0.0), inner);
        let foot = vec2(0.32 * self.size, bottom);
        let hook = [vec2(0.04 * self.size, -0.22 * self.size), vec2(0.16 * self.size, -0.28 * self.size), foot];
        laid.line(hook.into_iter().chain([vec2(sign, top), vec2(right, top)]), self.line());
        laid.width = right;
        laid.up = -top + self.line();
        laid
    }

    fn fence(&self, fence: Fence, node: &Node) -> Laid {
        let inner = self.lay(node);
        let (top, bottom) = (-(inner.up.max(0.72 * self.size) + 0.06 * self.size), inner.down + 0.08 * self.size);
        let [gap, foot] = [0.14 * self.size, 0.18 * self.size];
        let apart = if fence == Fence::Norm { 0.16 * self.size } else { 0.0 };
        let left = 0.06 * self.size;
        let start = left + apart + gap;
        let end = start + inner.width + gap;
        let mut laid = Laid::default();
        laid.put(vec2(start, 0.0), inner);
        let lines: &[f32] = if fence == Fence::Norm { &[left, left + apart, end, end + apart] } else { &[left, end] };
        for x in lines {
            laid.line([vec2(*x, top), vec2(*x, bottom)], self.line());
        }
        if fence == Fence::Floor {
            laid.line([vec2(left, bottom), vec2(left + foot, bottom)], self.line());
            laid.line([vec2(end - foot, bottom), vec2(end, bottom)], self.line());
        }
        laid.width = end + apart + 0.08 * self.size;
        laid.up = laid.up.max(-top);
        laid.down = laid.down.max(bottom);
        laid
    }

    fn cases(&self, cases: &[(Node, Node)]) -> Laid {
        let rows: Vec<[Laid; 2]> = cases.iter().map(|(what, when)| [self.lay(what), self.lay(when)]).collect();
        let (brace, gap, apart) = (0.5 * self.size, 0.4 * self.size, self.size);
        let first = rows.iter().map(|[what, _]| what.width).fold(0.0, f32::max);
        let heights: Vec<[f32; 2]> =
            rows.iter().map(|[a, b]| [a.up.max(b.up).max(0.7 * self.size), a.down.max(b.down)]).collect();
        let height = heights.iter().map(|[up, down]| up + down).sum::<f32>() + gap * (rows.len() - 1) as f32;
        let mut y = -AXIS * self.size - 0.5 * height;
        let (top, bottom) = (y - 0.1 * self.size, y + height + 0.1 * self.size);
        let mut laid = Laid::default();
        for ([what, when], [up, down]) in rows.into_iter().zip(heights) {
            laid.put(vec2(brace, y + up), what);
            laid.put(vec2(brace + first + apart, y + up), when);
            y += up + down + gap;
        }
        laid.line(brace_points(0.08 * self.size, 0.32 * self.size, top, bottom), self.line());
        laid.up = laid.up.max(-top);
        laid.down = laid.down.max(bottom);
        laid
    }

    fn lines(&self, lines: &[Node]) -> Laid {
        let mut all = Laid::default();
        let mut y = 0.0;
        for (i, line) in lines.iter().enumerate() {
            let laid = self.lay(line);
            y += if i == 0 { 0.0 } else { laid.up + 0.55 * self.size };
            let down = laid.down;
            all.put(vec2(0.0, y), laid);
            y += down;
        }
        all
    }
}

/// A brace that opens to the right, from top to bottom between two places across.
fn brace_points(left: f32, right: f32, top: f32, bottom: f32) -> Vec<eframe::egui::Vec2> {
    let (spine, middle) = (0.5 * (left + right), 0.5 * (top + bottom));
    let bend = (0.25 * (bottom - top)).min(right - left);
    let quarter = |from: [f32; 2], by: [f32; 2], out: bool| {
        (0..=4).map(move |i| {
            let angle = i as f32 / 4.0 * std::f32::consts::FRAC_PI_2;
            let (a, b) = if out { (angle.sin(), 1.0 - angle.cos()) } else { (1.0 - angle.cos(), angle.sin()) };
            vec2(from[0] + by[0] * a, from[1] + by[1] * b)
        })
    };
    let mut points: Vec<_> = quarter([right, top], [spine - right, bend], true).collect();
    points.extend(quarter([spine, middle - bend], [left - spine, bend], false));
    let mirrored: Vec<_> = points.iter().rev().map(|point| vec2(point.x, top + bottom - point.y)).collect();
    points.extend(mirrored);
    points
}

/// A formula with each wide space as the end of a line.
fn broken(node: &Node) -> Node {
    let parts = |row: &[Node]| -> Vec<Node> {
        row.split(|node| matches!(node, Node::Space(_))).map(|part| Node::Row(part.to_vec())).collect()
    };
    match node {
        Node::Row(row) => Node::Lines(parts(row)),
        Node::Lines(lines) => Node::Lines(
            lines
                .iter()
                .flat_map(|line| if let Node::Row(row) = line { parts(row) } else { vec![line.clone()] })
                .collect(),
        ),
        node => node.clone(),
    }
}

/// The space before and after something, in the size of letters.
fn spaces(before: Option<&Node>, node: &Node) -> [f32; 2] {
    let word = |node: &Node| match node {
        Node::Word(_) | Node::Limits { .. } => true,
        Node::Scripts { base, .. } => matches!(base.bare(), Node::Word(_) | Node::Limits { .. }),
        _ => false,
    };
    match node {
        Node::Sign(c) if "=<>≤≥≠≈∈∝~→".contains(*c) => [0.28, 0.28],
        Node::Sign('+' | '\u{2212}') if crate::method::opens(before) => [0.0, 0.02],
        Node::Sign('+' | '\u{2212}' | '·' | '×' | '⊙') => [0.2, 0.2],
        Node::Sign(',' | ';') => [0.02, 0.25],
        Node::Sign(_) => [0.03, 0.03],
        // Words that bring their own spaces are as they are written.
        Node::Word(text) if text.starts_with(' ') => [0.0, 0.0],
        Node::Space(_) => [0.0, 0.0],
        node => match before {
            Some(Node::Word(text)) if text.ends_with(' ') => [0.0, 0.0],
            Some(before) if word(before) || (word(node) && !matches!(before, Node::Sign(_) | Node::Space(_))) => {
                [0.18, 0.0]
            }
            _ => [0.02, 0.0],
        },
    }
}

#[cfg(test)]
mod tests {
    use eframe::egui::Vec2;

    use super::*;
    use crate::app::formula::boxes::Shape;
    use crate::method::language::parse;

    fn with_fonts(check: impl Fn(&Context)) {
        let ctx = Context::default();
        let mut output = ctx.run_ui(eframe::egui::RawInput::default(), |ui| check(ui.ctx()));
        output.textures_delta.clear();
    }

    fn lay(ctx: &Context, text: &str) -> Laid {
        Setter { ctx, size: 20.0 }.lay(&parse(text).unwrap())
    }

    #[test]
    fn fractions_stand_on_the_axis_and_scripts_at_their_letters() {
        with_fonts(|ctx| {
            let plain = lay(ctx, "x");
            let fraction = lay(ctx, r"\frac{1}{x}");
            assert!(fraction.up > 1.4 * plain.up && fraction.down > plain.down, "{fraction:?}");
            let squared = lay(ctx, "x^2");
            assert!(squared.up > plain.up && squared.width > plain.width && squared.down == plain.down);
            let index = lay(ctx, "x_i");
            assert!(index.down > plain.down && index.up == plain.up);
            let limits = lay(ctx, r"\min_{x, y}");
            assert!(limits.down > 10.0 && limits.width < lay(ctx, r"min_{x, y}").width);
        });
    }

    #[test]
    fn what_no_font_has_is_drawn_as_lines() {
        with_fonts(|ctx| {
            let lines = |text: &str| {
                let laid = lay(ctx, text);
                laid.shapes.iter().filter(|shape| matches!(shape.1, Shape::Path(..))).count()
            };
            assert_eq!([lines(r"\norm{x}"), lines(r"\abs{x}"), lines(r"\floor{x}"), lines(r"\hat{x}")], [4, 2, 4, 1]);
            assert_eq!(
                [lines(r"\sqrt{x}"), lines(r"\frac{x}{y}"), lines(r"\cases{x & y \\ y & x}"), lines("x")],
                [1, 1, 1, 0]
            );
        });
    }

    #[test]
    fn too_wide_a_formula_is_broken_at_its_spaces_and_then_smaller() {
        with_fonts(|ctx| {
            let setter = Setter { ctx, size: 20.0 };
            let node = parse(r"x = y + y + y \quad y = x + x + x").unwrap();
            let whole = setter.lay(&node);
            assert_eq!(setter.fit(&node, whole.width + 1.0).width, whole.width);
            let broken = setter.fit(&node, 0.7 * whole.width);
            assert!(broken.width < 0.7 * whole.width && broken.height() > 1.5 * whole.height());
            let small = setter.fit(&node, 0.3 * whole.width);
            assert!(small.width <= 0.3 * whole.width && small.height() < broken.height(), "{small:?}");
        });
    }

    #[test]
    fn a_minus_that_opens_has_no_space() {
        assert_eq!(spaces(None, &Node::Sign('\u{2212}')), [0.0, 0.02]);
        assert_eq!(spaces(Some(&Node::Letter('x')), &Node::Sign('\u{2212}')), [0.2, 0.2]);
        assert_eq!(spaces(Some(&Node::Sign('(')), &Node::Sign('+')), [0.0, 0.02]);
    }

    #[test]
    fn a_brace_runs_from_top_to_bottom() {
        let points = brace_points(0.0, 4.0, -10.0, 10.0);
        let ends = [points[0], points[points.len() - 1]];
        assert_eq!(ends, [vec2(4.0, -10.0), vec2(4.0, 10.0)]);
        let leftmost = points.iter().copied().fold(Vec2::splat(9.0), |a, b| if b.x < a.x { b } else { a });
        assert!(leftmost.x.abs() < 1e-4 && leftmost.y.abs() < 1e-4, "{points:?}");
    }
}

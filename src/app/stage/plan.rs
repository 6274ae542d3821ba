//! How large everything on the stage is, in a window of some size. Larger text is a smaller window: all sides here are
//! in points, and there are fewer of them.

use eframe::egui::{Vec2, vec2};

pub const GAP: f32 = 8.0;
pub const MARGIN: f32 = 8.0;
/// With the line around it.
pub const EDGE: f32 = MARGIN + 1.0;
/// Height of a line of text with its spacing.
pub const LINE: f32 = 19.0;
/// Height of a line of small text.
const SMALL_LINE: f32 = 14.0;
/// Height of the sentence above the cards, with all spacing.
const LEAD: f32 = 36.0;
/// Height of a row of buttons.
pub const ROW: f32 = 26.0;
/// Height of the bar above the stage.
const BAR: f32 = 46.0;
/// The columns of wire and server need as much.
const WIRE: f32 = 190.0;
const SERVER: f32 = 200.0;
/// The width that the four cards need side by side.
const LEAST: f32 = 820.0;
/// The column beside a picture needs as much for its captions.
const SIDE: f32 = 92.0;
/// Pictures smaller than this are not worth four cards in a row.
const LEAST_BIG: f32 = 100.0;
/// Below this width not even two cards have room side by side.
const TWO: f32 = 450.0;
/// The panes need as much below the stage; else both are scrolled.
const PANES: f32 = 200.0;
/// Beside its name the attacker's card says what it sees and knows: so wide in one line of small text.
const KNOWS: f32 = 500.0;
/// The name itself.
const NAME: f32 = 72.0;
/// One of the server's scores, with its bar.
pub const VOTE: f32 = 26.0;

/// Sides of the pictures; the same in hospital and attacker, so that they can be compared.
#[derive(Clone, Copy, Debug)]
pub struct Sizes {
    /// Of the original and of what was stolen: the largest.
    pub big: f32,
    /// Of those beside them.
    pub small: f32,
    /// Of both gradient maps, and of what was cleaned.
    pub map: f32,
    /// Width of the column beside.
    pub side: f32,
    /// Height of a card's head.
    pub head: f32,
}

/// The stage in a window.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// Cards in a row: 4, 2 or 1.
    pub columns: usize,
    /// Sides of the pictures.
    pub sizes: Sizes,
    /// Size of hospital and attacker.
    pub outer: Vec2,
    /// Size of the wire's card.
    pub wire: Vec2,
    /// Size of the server's card.
    pub server: Vec2,
    /// Height of the whole, where the stage stands above the panes; none where both are scrolled as one page.
    pub fixed: Option<f32>,
}

impl Plan {
    /// For a window's contents of this size, in points.
    pub fn of(window: Vec2) -> Self {
        let row = Self::row(window);
        if row.sizes.big >= LEAST_BIG && window.x >= LEAST { row } else { Self::folded(window) }
    }

    /// The width of a row of cards.
    pub fn width(&self) -> f32 {
        match self.columns {
            4 => 2.0 * self.outer.x + self.wire.x + self.server.x + 3.0 * GAP,
            2 => 2.0 * self.outer.x + GAP,
            _ => self.outer.x,
        }
    }

    /// All four in a row.
    fn row(window: Vec2) -> Self {
        let width = (window.x - 16.0).max(LEAST);
        let most = (0.46 * window.y).clamp(290.0, 620.0);
        let sizes = Sizes::fitting(width, most - LEAD - 4.0);
        let least = LEAD + 4.0 + 2.0 * EDGE + sizes.head + LINE + sizes.big + 2.0 * ROW;
        let height = least.clamp(290.0, most);
        let (outer, card) = (sizes.outer(), height - LEAD - 4.0);
        let spare = 0.5 * (width - 2.0 * outer - 3.0 * GAP - WIRE - SERVER).max(0.0);
        Self {
            columns: 4,
            sizes,
            outer: vec2(outer, card),
            wire: vec2(WIRE + spare, card),
            server: vec2(SERVER + spare, card),
            fixed: (window.y - BAR - height >= PANES).then_some(height),
        }
    }

    /// Two in a row, or one: the page is scrolled, so height is free. The first row is seen as a whole where that
    /// leaves the pictures large enough.
    fn folded(window: Vec2) -> Self {
        let width = window.x - 28.0;
        let columns = if width >= TWO { 2 } else { 1 };
        let outer = if columns == 2 { (0.5 * (width - GAP)).floor() } else { width };
        let inner = outer - 2.0 * EDGE;
        let head = head(inner);
        let around = 2.0 * EDGE + head + LINE + 2.0 * ROW;
        let by_height = (window.y - 2.0 * BAR - LEAD - around).clamp(130.0, 280.0);
        let big = by_height.min(inner - GAP - SIDE).max(72.0).floor();
        let side = (inner - GAP - big).floor();
        let small = ((big - LINE - 4.0) / 2.0).min(side).floor();
        // In the hospital it stands in the column beside the image, above the disguised one.
        let map = small.min(0.5 * (inner - 8.0)).floor();
        let sizes = Sizes { big, small, map, side, head };
        // The column of scores may be higher than a small picture.
        let card = around + big.max(190.0 - LINE) + GAP;
        let below = 2.0 * EDGE + 26.0 + LINE + map + ROW + 4.0 * VOTE + 2.0 * LINE + 14.0;
        let below = below.max(2.0 * EDGE + 170.0 + 0.75 * big);
        let (outer, middle) = (vec2(outer, card), vec2(outer, below));
        Self { columns, sizes, outer, wire: middle, server: middle, fixed: None }
    }
}

/// Height of a head that says in the width `inner` what the attacker sees and knows.
fn head(inner: f32) -> f32 {
    let lines = (KNOWS / (inner - NAME).max(60.0)).ceil();
    (lines * SMALL_LINE + 3.0).max(26.0)
}

impl Sizes {
    fn outer(&self) -> f32 {
        self.big + GAP + self.side + 2.0 * EDGE
    }

    fn fitting(width: f32, height: f32) -> Self {
        let column = 0.5 * (width - 3.0 * GAP - WIRE - SERVER) - 2.0 * EDGE - GAP;
        // A wider column has a lower head, and a lower head leaves a larger picture, which has a wider column.
        let of = |head: f32| {
            // Title and caption above, two rows of controls below.
            let by_height = height - 2.0 * EDGE - head - LINE - 2.0 * ROW;
            let big = by_height.min(column / 1.55).min(column - SIDE).max(80.0).floor();
            (big, (column - big).clamp(SIDE.min(0.55 * big), (0.75 * big).max(SIDE)).floor())
        };
        let (big, side) = of(26.0);
        let head = head(big + GAP + side - 10.0);
        let (big, side) = of(head);
        let small = ((big - LINE - 4.0) / 2.0).min(side).floor();
        let spare = 0.5 * (width - 2.0 * (big + GAP + side + 2.0 * EDGE) - 3.0 * GAP - WIRE - SERVER).max(0.0);
        let by_width = 0.5 * (SERVER + spare - 2.0 * EDGE - 8.0);
        let by_height = height - 2.0 * EDGE - 26.0 - LINE - ROW - 4.0 * VOTE - LINE - 6.0;
        let map = small.min(by_width).min(by_height).max(30.0).floor();
        Self { big, small, map, side, head }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Windows in pixels and the size of text.
    const WINDOWS: [(f32, f32, f32); 14] = [
        (900.0, 600.0, 1.0),
        (1100.0, 700.0, 1.0),
        (1280.0, 800.0, 1.0),
        (1920.0, 1080.0, 1.0),
        (3840.0, 2160.0, 1.0),
        (1280.0, 500.0, 1.0),
        (1100.0, 700.0, 1.25),
        (1280.0, 800.0, 1.25),
        (1100.0, 700.0, 1.5),
        (1280.0, 800.0, 1.5),
        (1100.0, 700.0, 2.0),
        (1280.0, 800.0, 2.0),
        (1920.0, 1080.0, 2.0),
        (900.0, 600.0, 2.0),
    ];

    #[test]
    fn cards_fit_side_by_side_and_the_compared_pictures_are_the_largest() {
        for (width, height, text) in WINDOWS {
            let window = vec2(width, height) / text;
            let plan = Plan::of(window);
            let Sizes { big, small, map, side, .. } = plan.sizes;
            assert!(plan.width() <= window.x - 16.0 + 1.0, "{window:?}: {plan:?}");
            assert!(big > 1.2 * small && big > 1.2 * map && big >= LEAST_BIG, "{window:?}: {plan:?}");
            assert!(big + GAP + side + 2.0 * EDGE <= plan.outer.x + 1.0, "{window:?}: {plan:?}");
            assert!(
                small <= side && map <= small,
                "what stands beside a picture fits its column: {window:?}: {plan:?}"
            );
            assert!(2.0 * map + 8.0 + 2.0 * EDGE <= plan.server.x + 1.0, "{window:?}: {plan:?}");
            assert!(
                2.0 * EDGE + plan.sizes.head + LINE + big + 2.0 * ROW <= plan.outer.y + 1.0,
                "{window:?}: {plan:?}"
            );
        }
    }

    #[test]
    fn plain_text_needs_no_scrolling_and_large_text_folds_the_stage() {
        let plan = |width, height, text: f32| Plan::of(vec2(width, height) / text);
        for (width, height) in [(900.0, 600.0), (1100.0, 700.0), (1280.0, 800.0), (1920.0, 1080.0)] {
            let plan = plan(width, height, 1.0);
            assert!(plan.columns == 4 && plan.fixed.is_some_and(|stage| stage + BAR + PANES <= height), "{plan:?}");
        }
        for (width, height, text) in [(1280.0, 800.0, 1.5), (1280.0, 800.0, 2.0), (1100.0, 700.0, 2.0)] {
            let plan = plan(width, height, text);
            assert!(plan.columns == 2 && plan.fixed.is_none(), "{plan:?}");
        }
        assert!(plan(1280.0, 500.0, 1.0).fixed.is_none(), "panes without room are scrolled to");
    }
}

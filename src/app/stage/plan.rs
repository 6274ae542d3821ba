//! How large everything on the stage is, in a window of some size. Larger text is a smaller window: all sides here are
//! in points, and there are fewer of them.

use eframe::egui::{Vec2, vec2};

pub const GAP: f32 = 8.0;
pub const MARGIN: f32 = 8.0;
/// With the line around it.
pub const EDGE: f32 = MARGIN + 1.0;
/// Height of a line of text with its spacing.
pub const LINE: f32 = 19.0;
/// Height of a row of buttons.
pub const ROW: f32 = 26.0;
/// Height of the verdict below what was stolen, and of the line beside it below the original.
pub const BAND: f32 = 32.0;
/// Height of a card's name, with what is pictured below it.
pub const HEAD: f32 = 24.0;
/// Height of the sentences above the cards, with all spacing.
const ABOVE: f32 = 56.0;
/// Height of the bar above the stage.
pub const BAR: f32 = 46.0;
/// Between things in a card.
pub const SPACE: f32 = 3.0;
/// The columns of the wire and of a server that cleans need as much.
const WIRE: f32 = 180.0;
const SERVER: f32 = 204.0;
/// What a server that has nothing to clean needs: its answer.
const PLAIN_SERVER: f32 = 172.0;
/// The width that the four cards need side by side.
const LEAST: f32 = 820.0;
/// The column beside the original, of a map and a disguise: this share of the original, and at least so much.
const BESIDE: f32 = 0.46;
const LEAST_BESIDE: f32 = 88.0;
/// Pictures smaller than this are not worth four cards in a row, unless somebody wants them so small.
const LEAST_BIG: f32 = 140.0;
const LOWEST: f32 = 100.0;
/// Below this width not even two cards have room side by side.
const TWO: f32 = 450.0;
/// The panes need as much below the stage; else both are scrolled.
const PANES: f32 = 207.0;
/// What a lesson is read in below the stage, where nobody chose its height: a step's sentences, question and answers.
const LESSON: f32 = 285.0;
/// The share of the width that a lesson has beside a page that is scrolled, and at least so many points.
const BESIDE_PAGE: f32 = 0.36;
const LEAST_LESSON: f32 = 240.0;
/// A page beside a lesson has so many points, or else lies above it: then the lesson has this share of the height.
const LEAST_PAGE: f32 = 300.0;
const BELOW_PAGE: f32 = 0.46;
/// The share of the window's height that the two compared pictures get where nobody chose.
const SHARE: f32 = 0.36;
/// One of the server's scores, with its bar.
pub const VOTE: f32 = 26.0;

/// What the plan depends on besides the window.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Shown {
    /// Whether there are a map, a disguise and something to clean.
    pub defended: bool,
    /// Pixels of an image along its longer side; 0 where that is not known.
    pub pixels: usize,
    /// The stage's height as somebody dragged it.
    pub height: Option<f32>,
    /// How many lines the sentence above the cards takes.
    pub lines: usize,
    /// Whether a lesson is in progress, whose words are to be in sight together with what they speak of.
    pub lesson: bool,
    /// Whether it has no pane of its own, and so always stands beside the others.
    pub apart: bool,
}

/// Where a lesson is read while stage and panes are scrolled, which it is not.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Lectern {
    /// At the right of them, so wide.
    Beside(f32),
    /// Below them, so high.
    Below(f32),
}

/// Sides of the pictures; the same in hospital and attacker, so that they can be compared.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sizes {
    /// Of the original and of what was stolen: the largest.
    pub big: f32,
    /// Of those beside the original; 0 where there are none.
    pub small: f32,
    /// Of both gradient maps, and of what was cleaned.
    pub map: f32,
}

/// The stage in a window.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Plan {
    /// Cards in a row: 4, 2 or 1.
    pub columns: usize,
    /// Sides of the pictures.
    pub sizes: Sizes,
    /// Sizes of the cards.
    pub hospital: Vec2,
    pub wire: Vec2,
    pub server: Vec2,
    pub attacker: Vec2,
    /// Height of the whole, where the stage stands above the panes; none where both are scrolled as one page.
    pub fixed: Option<f32>,
    /// How many lines the sentence has.
    pub lines: usize,
    /// Where the lesson has a place of its own.
    pub lectern: Option<Lectern>,
}

/// Height of a card around its large picture.
const AROUND: f32 = 2.0 * EDGE + HEAD + BAND + ROW + 3.0 * SPACE;

/// The width that a lesson has beside a page.
fn beside(width: f32) -> f32 {
    (BESIDE_PAGE * width).floor().max(LEAST_LESSON)
}

impl Plan {
    /// For a window's contents of this size, in points.
    pub fn of(window: Vec2, shown: Shown) -> Self {
        let natural = Self::row(window, Shown { height: None, ..shown });
        let fits = natural.sizes.big >= LEAST_BIG && window.x >= LEAST;
        let plan = if fits { Self::row(window, shown) } else { Self::folded(window, shown) };
        match plan.fixed {
            None if shown.lesson => Self::taught(window, shown),
            Some(_) if shown.apart => Self { lectern: Some(Lectern::Beside(beside(window.x))), ..plan },
            _ => plan,
        }
    }

    /// For what is left of the window by a lesson.
    fn taught(window: Vec2, shown: Shown) -> Self {
        let beside = beside(window.x);
        let (left, lectern) = if window.x - beside >= LEAST_PAGE {
            (window - vec2(beside, 0.0), Lectern::Beside(beside))
        } else {
            let below = (BELOW_PAGE * window.y).floor();
            (window - vec2(0.0, below), Lectern::Below(below))
        };
        Self { lectern: Some(lectern), ..Self::folded(left, shown) }
    }

    /// The width of a row of cards.
    pub fn width(&self) -> f32 {
        match self.columns {
            4 => self.hospital.x + self.wire.x + self.server.x + self.attacker.x + 3.0 * GAP,
            2 => self.hospital.x + self.attacker.x + GAP,
            _ => self.hospital.x,
        }
    }

    /// From what height to what height the stage can be dragged in a window of this height.
    pub fn heights(window: Vec2, lines: usize) -> [f32; 2] {
        let least = above(lines) + AROUND + LOWEST + 4.0;
        [least, (window.y - BAR - PANES).max(least)]
    }

    /// All four in a row.
    fn row(window: Vec2, shown: Shown) -> Self {
        let width = (window.x - 16.0).max(LEAST);
        let [_, most] = Self::heights(window, shown.lines);
        let above = above(shown.lines);
        let around = above + AROUND + 4.0;
        let room = if shown.lesson { window.y - BAR - LESSON - around } else { f32::INFINITY };
        let wanted = shown.height.map_or((SHARE * window.y).min(room), |height| height - around);
        let side = |big: f32| if shown.defended { (BESIDE * big).max(LEAST_BESIDE).floor() } else { 0.0 };
        let server = if shown.defended { SERVER } else { PLAIN_SERVER };
        let beside = if shown.defended { GAP } else { 0.0 };
        let room = width - 4.0 * EDGE - beside - 3.0 * GAP - WIRE - server;
        let by_width =
            if shown.defended { (room / (2.0 + BESIDE)).min((room - LEAST_BESIDE) / 2.0) } else { room / 2.0 };
        let big = whole(wanted, by_width.min(most - around), shown.pixels);
        let small = side(big);
        let hospital = big + beside + small + 2.0 * EDGE;
        let attacker = big + 2.0 * EDGE;
        // What is left goes to the two in the middle, to the server only as far as its pictures can use it.
        let spare = (width - hospital - attacker - 3.0 * GAP - WIRE - server).max(0.0);
        let server = if shown.defended { server + (0.5 * spare).min(120.0) } else { server };
        let wire = width - hospital - attacker - 3.0 * GAP - server;
        // A stage that was dragged higher than its pictures need is higher.
        let height = shown.height.map_or(0.0, |height| height.min(most)).max(around + big);
        let card = height - above - 4.0;
        let by_height = card - 2.0 * EDGE - HEAD - LINE - ROW - 4.0 * VOTE - LINE - 6.0;
        let map = (0.5 * (server - 2.0 * EDGE - 8.0)).min(by_height).max(30.0).floor();
        let map = if shown.defended { map.min(small) } else { map };
        Self {
            columns: 4,
            sizes: Sizes { big, small: small.min(two_beside(big)).floor(), map },
            hospital: vec2(hospital, card),
            wire: vec2(wire, card),
            server: vec2(server, card),
            attacker: vec2(attacker, card),
            fixed: (window.y - BAR - height >= PANES).then_some(height),
            lines: shown.lines,
            lectern: None,
        }
    }

    /// Two in a row, or one: the page is scrolled, so height is free. The first row is seen as a whole where that
    /// leaves the pictures large enough.
    fn folded(window: Vec2, shown: Shown) -> Self {
        let width = window.x - 28.0;
        let columns = if width >= TWO { 2 } else { 1 };
        let outer = if columns == 2 { (0.5 * (width - GAP)).floor() } else { width };
        let inner = outer - 2.0 * EDGE;
        let by_height = (window.y - 2.0 * BAR - ABOVE - AROUND).clamp(130.0, 280.0);
        let beside = if shown.defended { GAP + LEAST_BESIDE } else { 0.0 };
        let most = by_height.min(inner - beside).max(72.0);
        let big = whole(most, most, shown.pixels);
        let small = if shown.defended { two_beside(big).min(inner - GAP - big).floor() } else { 0.0 };
        let map = (0.5 * (inner - 8.0)).min(if shown.defended { small } else { 0.5 * big }).floor();
        // Buttons that have no room beside each other take a second row.
        let card = AROUND + big + 2.0 * ROW;
        let below = 2.0 * EDGE + HEAD + LINE + map + ROW + 4.0 * VOTE + 2.0 * LINE + 14.0;
        let below = below.max(2.0 * EDGE + 190.0 + 0.75 * big);
        let (outer, middle) = (vec2(outer, card), vec2(outer, below));
        let sizes = Sizes { big, small, map };
        let (hospital, attacker, wire, server) = (outer, outer, middle, middle);
        Self { columns, sizes, hospital, wire, server, attacker, fixed: None, lines: 2, lectern: None }
    }
}

/// Height of the sentences above the cards in a row.
fn above(lines: usize) -> f32 {
    ABOVE + ROW * lines.saturating_sub(1) as f32
}

/// The side of two pictures with their captions, one below the other, that are as high as a large one.
fn two_beside(big: f32) -> f32 {
    0.5 * (big - 2.0 * LINE - 2.0 * SPACE)
}

/// The side nearest to `wanted` and no larger than `most` at which each pixel of the image is equally large, if there is
/// one that is near enough.
fn whole(wanted: f32, most: f32, pixels: usize) -> f32 {
    let (wanted, pixels) = (wanted.min(most).floor().max(0.0), pixels.max(1) as f32);
    let near = |times: f32| {
        let side = times * pixels;
        (side >= 0.86 * wanted && side <= 1.2 * wanted && side <= most).then_some(side)
    };
    let times = (wanted / pixels).round();
    near(times).or(near(times - 1.0)).or(near(times + 1.0)).filter(|_| times > 0.0).unwrap_or(wanted)
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
    const PIXELS: [usize; 5] = [0, 28, 64, 224, 1024];

    fn shown(defended: bool, pixels: usize) -> Shown {
        Shown { defended, pixels, ..Shown::default() }
    }

    #[test]
    fn cards_fit_side_by_side_and_the_compared_pictures_are_the_largest() {
        for (width, height, text) in WINDOWS {
            for (defended, pixels) in [true, false].into_iter().flat_map(|d| PIXELS.map(|pixels| (d, pixels))) {
                let window = vec2(width, height) / text;
                let plan = Plan::of(window, shown(defended, pixels));
                let Sizes { big, small, map } = plan.sizes;
                let all = format!("{window:?} {defended} {pixels}: {plan:?}");
                assert!(plan.width() <= window.x - 16.0 + 1.0, "{all}");
                assert!(big > 1.2 * small && big > 1.2 * map && big >= LOWEST, "{all}");
                let beside = if defended { GAP + small } else { 0.0 };
                assert!(big + beside + 2.0 * EDGE <= plan.hospital.x + 1.0, "{all}");
                assert!(!defended || 2.0 * map + 8.0 + 2.0 * EDGE <= plan.server.x + 1.0, "{all}");
                assert!(AROUND + big <= plan.attacker.y + 1.0, "{all}");
                assert!(plan.fixed.is_none_or(|stage| stage + BAR + PANES <= window.y + 0.1), "{all}");
            }
        }
    }

    #[test]
    fn pictures_are_large_and_their_pixels_equal() {
        for (defended, pixels) in [(false, 28), (true, 28), (false, 64), (true, 64), (true, 224), (false, 512)] {
            let plan = Plan::of(vec2(1280.0, 800.0), shown(defended, pixels));
            assert!(plan.sizes.big >= 280.0 && plan.fixed.is_some(), "{defended} {pixels}: {plan:?}");
            assert!(pixels > 64 || plan.sizes.big % pixels as f32 == 0.0, "{plan:?}");
        }
        assert_eq!(whole(288.0, 400.0, 28), 280.0);
        assert_eq!(whole(288.0, 300.0, 64), 256.0);
        assert_eq!(whole(288.0, 400.0, 200), 288.0, "one twice as large would not do");
        assert_eq!(whole(288.0, 250.0, 0), 250.0);
    }

    #[test]
    fn undefended_the_server_has_the_room_that_its_answer_needs() {
        let plan = |defended| Plan::of(vec2(1280.0, 800.0), shown(defended, 28));
        assert!(plan(false).server.x < 0.8 * plan(true).server.x && plan(false).hospital.x == plan(false).attacker.x);
    }

    #[test]
    fn a_dragged_stage_keeps_its_height_as_far_as_there_is_room() {
        let window = vec2(1280.0, 800.0);
        let at = |height| Plan::of(window, Shown { height: Some(height), ..shown(false, 28) });
        let [least, most] = Plan::heights(window, 1);
        let low = at(least);
        assert!(low.columns == 4 && low.sizes.big < 130.0 && low.fixed.is_some_and(|height| height < 300.0), "{low:?}");
        assert!(at(most).sizes.big > 330.0 && at(most).fixed == Some(most), "{:?}", at(most));
        assert_eq!(at(9_000.0), at(most));
    }

    #[test]
    fn plain_text_needs_no_scrolling_and_large_text_folds_the_stage() {
        let plan = |width, height, text: f32| Plan::of(vec2(width, height) / text, shown(true, 28));
        for (width, height) in [(900.0, 600.0), (1100.0, 700.0), (1280.0, 800.0), (1920.0, 1080.0)] {
            let plan = plan(width, height, 1.0);
            assert!(plan.columns == 4 && plan.fixed.is_some(), "{plan:?}");
        }
        for (width, height, text) in [(1280.0, 800.0, 1.5), (1280.0, 800.0, 2.0), (1100.0, 700.0, 2.0)] {
            let plan = plan(width, height, text);
            assert!(plan.columns == 2 && plan.fixed.is_none(), "{plan:?}");
        }
        assert!(plan(1280.0, 500.0, 1.0).fixed.is_none(), "panes without room are scrolled to");
    }

    #[test]
    fn a_lesson_has_room_below_the_stage_or_a_place_of_its_own() {
        for (width, height, text) in WINDOWS.into_iter().chain([(1280.0, 720.0, 1.0), (1280.0, 720.0, 1.5)]) {
            for (defended, pixels) in [true, false].into_iter().flat_map(|d| PIXELS.map(|pixels| (d, pixels))) {
                let window = vec2(width, height) / text;
                let plan = Plan::of(window, Shown { lesson: true, ..shown(defended, pixels) });
                let all = format!("{window:?} {defended} {pixels}: {plan:?}");
                assert_eq!(plan.fixed.is_none(), plan.lectern.is_some(), "{all}");
                let (room, lesson) = match plan.lectern {
                    None => (window.x, plan.fixed.map_or(0.0, |stage| window.y - BAR - stage)),
                    Some(Lectern::Beside(width)) => (window.x - width, window.y - BAR),
                    Some(Lectern::Below(height)) => (window.x, height),
                };
                assert!(plan.width() <= room - 16.0 + 1.0 && lesson >= 130.0, "{all}");
            }
        }
        let at = |lesson| Plan::of(vec2(1280.0, 720.0), Shown { lesson, ..shown(false, 28) });
        let panes = |lesson| 720.0 - BAR - at(lesson).fixed.unwrap();
        assert!(panes(true) > panes(false) + 25.0 && at(true).sizes.big >= 220.0, "{:?}", at(true));
        let [narrow, tiny] = [vec2(853.3, 480.0), vec2(450.0, 300.0)]
            .map(|window| Plan::of(window, Shown { lesson: true, ..shown(false, 28) }).lectern);
        assert!(matches!(narrow, Some(Lectern::Beside(_))) && matches!(tiny, Some(Lectern::Below(_))));
        let large = Plan::of(vec2(1280.0, 800.0), Shown { lesson: true, ..shown(false, 28) });
        assert!(large.sizes.big >= 280.0, "where there is room for both, nothing is smaller: {large:?}");
    }
}

//! The report's drawings, each with what it shows in words.

use std::fmt::Write as _;

use super::axis::{Frame, Range};
use super::gather::{Gathered, Setting};
use super::html::{drawing, escaped};
use super::labels::{Labels, Placed};
use super::points::{Leak, Point, Spread, points, utility};
use crate::score::patients::Spread as Exposure;

const WIDTH: f64 = 640.0;
/// Radius of a point.
const RADIUS: f64 = 5.0;

/// Right answers against a leak: a point a setting with its number, naive and adaptive attackers linked, the front marked.
pub fn frontier(all: &Gathered, leak: Leak) -> String {
    // Two of them and what is said about them fit a page of A4.
    const HEIGHT: f64 = 350.0;
    let points = points(all, leak);
    let metric = utility(all);
    let leaks = points.iter().flat_map(|p| [Some(p.leak.mean), p.naive.as_ref().map(|s| s.mean)].into_iter().flatten());
    let y = match leak {
        // With room for labels above the worst leak.
        Leak::Lineup | Leak::Found => Range { low: 0.0, high: 114.0 },
        Leak::Ssim => Range { low: 0.0, high: 1.14 },
        Leak::Psnr => Range::from_zero(leaks),
    };
    let reach: Vec<_> = points.iter().map(|p| (p.utility.mean, p.utility.error.unwrap_or(0.0))).collect();
    let frame = Frame { edges: [52.0, 26.0, WIDTH - 18.0, HEIGHT - 40.0], x: Range::of_most(&reach), y };
    let mut svg = frame.axes(&metric.axis(), &format!("{} (lower is better)", leak.axis()), None);
    if let Some(chance) = leak.chance() {
        let [left, _, right, _] = frame.edges;
        let at = frame.at_y(chance);
        let _ = writeln!(svg, "<line class=\"chance\" x1=\"{left}\" y1=\"{at:.1}\" x2=\"{right}\" y2=\"{at:.1}\"/>");
        let _ = writeln!(svg, "<text class=\"weak\" x=\"{:.1}\" y=\"{:.1}\">chance</text>", left + 4.0, at - 4.0);
    }
    svg.push_str(&family_lines(all, &frame, &points));
    svg.push_str(&front_line(&frame, &points));
    for point in &points {
        svg.push_str(&point_svg(all, &frame, point, leak));
    }
    svg.push_str(&numbers(all, &frame, &points));
    let on_front: Vec<String> =
        points.iter().filter(|point| point.front).map(|point| all.settings[point.setting].label.clone()).collect();
    let description = format!(
        "{} settings. On the front, which no other setting beats: {}. The table below has all numbers.",
        points.len(),
        on_front.join("; ")
    );
    let title = format!("{} against {}", metric.name, leak.name());
    drawing(&format!("frontier-{}", leak.name().replace(' ', "-")), [WIDTH, HEIGHT], &title, &description, &svg)
}

/// A line from front point to front point.
fn front_line(frame: &Frame, points: &[Point]) -> String {
    let mut front: Vec<&Point> = points.iter().filter(|point| point.front).collect();
    front.sort_by(|a, b| a.utility.mean.total_cmp(&b.utility.mean));
    let places = front.iter().map(|p| format!("{:.1},{:.1}", frame.at_x(p.utility.mean), frame.at_y(p.leak.mean)));
    let places: Vec<String> = places.collect();
    if places.len() < 2 {
        String::new()
    } else {
        format!("<polyline class=\"front\" points=\"{}\"/>\n", places.join(" "))
    }
}

/// A thin line from strength to strength of each defence.
fn family_lines(all: &Gathered, frame: &Frame, points: &[Point]) -> String {
    let mut svg = String::new();
    for family in all.families() {
        let own = family.iter().filter_map(|place| points.iter().find(|point| point.setting == *place));
        let places: Vec<String> =
            own.map(|p| format!("{:.1},{:.1}", frame.at_x(p.utility.mean), frame.at_y(p.leak.mean))).collect();
        let _ = writeln!(svg, "<polyline class=\"family\" points=\"{}\"/>", places.join(" "));
    }
    svg
}

/// The settings' numbers, with the names of those that are the last of their family or have none, where there is room.
fn numbers(all: &Gathered, frame: &Frame, points: &[Point]) -> String {
    /// Width of a letter in the drawings.
    const DIGIT: f64 = 6.2;
    let labels = Labels { area: frame.edges, radius: RADIUS, height: 11.0 };
    let mut ordered: Vec<&Point> = points.iter().collect();
    ordered.sort_by_key(|point| !point.front);
    let at = |point: &Point, leak: f64| [frame.at_x(point.utility.mean), frame.at_y(leak)];
    let places: Vec<[f64; 2]> = ordered.iter().map(|point| at(point, point.leak.mean)).collect();
    let families = all.families();
    let within = |point: &Point| families.iter().any(|family| family[..family.len() - 1].contains(&point.setting));
    let word = |point: &&Point| {
        let number = (point.setting + 1).to_string();
        let name = format!("{number} {}", all.settings[point.setting].label);
        if beyond(frame, point) {
            let metric = utility(all);
            let value = metric.with_unit(&format!("{:.1$}", point.utility.mean, metric.digits));
            return vec![format!("\u{25c2} {name}, at {value}"), format!("\u{25c2} {number}")];
        }
        if within(point) { vec![number] } else { vec![name, number] }
    };
    let words: Vec<Vec<String>> = ordered.iter().map(word).collect();
    let width = |word: &String| DIGIT * word.chars().count() as f64;
    let widths: Vec<Vec<f64>> = words.iter().map(|words| words.iter().map(width).collect()).collect();
    let others = points.iter().flat_map(|point| {
        [point.naive.as_ref(), point.adaptive.as_ref()].into_iter().flatten().map(|leak| at(point, leak.mean))
    });
    let mut svg = String::new();
    let placed = labels.placed(&places, &widths, &others.collect::<Vec<_>>());
    for ((placed, [x, y]), words) in placed.into_iter().zip(places).zip(words) {
        // Where there is no room the point's own words and the table tell which it is.
        let Some(Placed { which, at: [to_x, to_y], far }) = placed else { continue };
        let word = escaped(&words[which]);
        if far {
            let _ =
                writeln!(svg, "<line class=\"lead\" x1=\"{x:.1}\" y1=\"{y:.1}\" x2=\"{to_x:.1}\" y2=\"{to_y:.1}\"/>");
        }
        let _ = writeln!(
            svg,
            "<text class=\"number\" x=\"{to_x:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{word}</text>",
            to_y + 4.0
        );
    }
    svg
}

/// Whether a point has fewer right answers than the axis begins with: it stands at its edge.
fn beyond(frame: &Frame, point: &Point) -> bool {
    point.utility.mean < frame.x.low
}

fn point_svg(all: &Gathered, frame: &Frame, point: &Point, leak: Leak) -> String {
    let setting = &all.settings[point.setting];
    let x = frame.at_x(point.utility.mean);
    let top = frame.at_y(point.leak.mean);
    let mut svg = format!("<g><title>{}</title>\n", escaped(&words(all, point, leak)));
    if let Some(error) = point.utility.error.filter(|_| !beyond(frame, point)) {
        let [from, to] = [-error, error].map(|e| frame.at_x(point.utility.mean + e));
        let _ =
            writeln!(svg, "<line class=\"error\" x1=\"{from:.1}\" y1=\"{top:.1}\" x2=\"{to:.1}\" y2=\"{top:.1}\"/>");
    }
    if let Some(error) = point.leak.error {
        let [from, to] = [-error, error].map(|e| frame.at_y(point.leak.mean + e));
        let _ = writeln!(svg, "<line class=\"error\" x1=\"{x:.1}\" y1=\"{from:.1}\" x2=\"{x:.1}\" y2=\"{to:.1}\"/>");
    }
    let mut mark = |of: &Option<Spread>, class: &str| {
        if let Some(spread) = of {
            let y = frame.at_y(spread.mean);
            let _ = writeln!(svg, "<circle class=\"{class}\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"{RADIUS}\"/>");
        }
    };
    if setting.defended() {
        mark(&point.naive, "naive");
        mark(&point.adaptive, "adaptive");
    } else {
        mark(&point.naive, "plain");
    }
    if let Some([naive, adaptive]) = point.naive.as_ref().zip(point.adaptive.as_ref()).map(|(a, b)| [a.mean, b.mean]) {
        let [from, to] = [naive, adaptive].map(|leak| frame.at_y(leak));
        let _ = writeln!(svg, "<line class=\"link\" x1=\"{x:.1}\" y1=\"{from:.1}\" x2=\"{x:.1}\" y2=\"{to:.1}\"/>");
    }
    svg + "</g>\n"
}

/// A point in words, as who points at it reads it.
fn words(all: &Gathered, point: &Point, leak: Leak) -> String {
    let metric = utility(all);
    let digits = leak.digits();
    let of = |name: &str, spread: &Option<Spread>| {
        spread.as_ref().map(|spread| format!("{name} {}", spread.words(digits))).unwrap_or_default()
    };
    let setting = &all.settings[point.setting];
    let leaks = if setting.defended() {
        of(", naive", &point.naive) + &of(", adaptive", &point.adaptive)
    } else {
        of("", &point.naive)
    };
    let front = if point.front { "; on the front" } else { "" };
    format!(
        "{}. {}: {} {}, {}{leaks}{front}",
        point.setting + 1,
        setting.label,
        metric.name,
        metric.with_unit(&point.utility.words(metric.digits)),
        leak.name()
    )
}

/// A quantity at each cut, for one family of settings.
pub fn over_cuts(id: &str, name: &str, cuts: &[(i64, Spread)], from_zero: bool) -> String {
    const SIZE: [f64; 2] = [310.0, 190.0];
    let ends = |(_, spread): &(i64, Spread)| {
        let error = spread.error.unwrap_or(0.0);
        [spread.mean - error, spread.mean + error]
    };
    let values = || cuts.iter().flat_map(ends);
    let x: Vec<f64> = cuts.iter().map(|(cut, _)| *cut as f64).collect();
    let y = if from_zero { Range::from_zero(values()) } else { Range::around(values()) };
    let frame = Frame { edges: [52.0, 26.0, SIZE[0] - 12.0, SIZE[1] - 38.0], x: Range::around(x.iter().copied()), y };
    let mut svg = frame.axes("cut after layer", name, Some(&x));
    let line: Vec<String> =
        cuts.iter().map(|(cut, s)| format!("{:.1},{:.1}", frame.at_x(*cut as f64), frame.at_y(s.mean))).collect();
    let _ = writeln!(svg, "<polyline class=\"series\" points=\"{}\"/>", line.join(" "));
    for (cut, spread) in cuts {
        let x = frame.at_x(*cut as f64);
        if let Some(error) = spread.error {
            let [from, to] = [-error, error].map(|e| frame.at_y(spread.mean + e));
            let _ =
                writeln!(svg, "<line class=\"error\" x1=\"{x:.1}\" y1=\"{from:.1}\" x2=\"{x:.1}\" y2=\"{to:.1}\"/>");
        }
        let _ = writeln!(svg, "<circle class=\"plain\" cx=\"{x:.1}\" cy=\"{:.1}\" r=\"4\"/>", frame.at_y(spread.mean));
    }
    let told: Vec<String> = cuts.iter().map(|(cut, spread)| format!("{} after layer {cut}", spread.words(3))).collect();
    drawing(id, SIZE, &format!("{name} by cut"), &told.join("; "), &svg)
}

/// How SSIM is spread over patients, or over images where patients are not known: the middle one, the 95th percentile, the
/// worst, a line a setting.
pub fn exposures(all: &[(usize, &Setting, Exposure)]) -> String {
    const ROW: f64 = 22.0;
    let height = 34.0 + ROW * all.len() as f64 + 40.0;
    let frame = Frame {
        edges: [52.0, 22.0, WIDTH - 18.0, height - 40.0],
        x: Range { low: 0.0, high: 1.05 },
        y: Range { low: 0.0, high: all.len() as f64 },
    };
    let [left, top, right, bottom] = frame.edges;
    let mut svg = String::new();
    for tick in [0.0, 0.2, 0.4, 0.6, 0.8, 1.0] {
        let at = frame.at_x(tick);
        let _ = writeln!(svg, "<line class=\"grid\" x1=\"{at:.1}\" y1=\"{top}\" x2=\"{at:.1}\" y2=\"{bottom}\"/>");
        let _ = writeln!(
            svg,
            "<text class=\"weak\" x=\"{at:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{tick:.1}</text>",
            bottom + 14.0
        );
    }
    let middle = f64::midpoint(left, right);
    let _ = writeln!(
        svg,
        "<text x=\"{middle:.1}\" y=\"{:.1}\" text-anchor=\"middle\">SSIM: middle ●, 95th percentile |, worst ○</text>",
        bottom + 30.0
    );
    for (row, (number, setting, spread)) in all.iter().enumerate() {
        let y = top + ROW * (row as f64 + 0.5);
        let [median, p95, worst] =
            [spread.median, spread.p95, spread.worst].map(|ssim| frame.at_x(ssim.clamp(0.0, 1.0)));
        let _ = writeln!(
            svg,
            "<g><title>{}: {:.3}, {:.3}, {:.3}</title>",
            escaped(&setting.label),
            spread.median,
            spread.p95,
            spread.worst
        );
        let _ = writeln!(
            svg,
            "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>",
            left - 8.0,
            y + 4.0,
            number + 1
        );
        let _ =
            writeln!(svg, "<line class=\"range\" x1=\"{median:.1}\" y1=\"{y:.1}\" x2=\"{worst:.1}\" y2=\"{y:.1}\"/>");
        let _ = writeln!(svg, "<circle class=\"plain\" cx=\"{median:.1}\" cy=\"{y:.1}\" r=\"4\"/>");
        let _ = writeln!(
            svg,
            "<line class=\"series\" x1=\"{p95:.1}\" y1=\"{:.1}\" x2=\"{p95:.1}\" y2=\"{:.1}\"/>",
            y - 6.0,
            y + 6.0
        );
        let _ = writeln!(svg, "<circle class=\"naive\" cx=\"{worst:.1}\" cy=\"{y:.1}\" r=\"4\"/></g>");
    }
    let told = all.iter().map(|(number, setting, spread)| {
        format!("{}. {}: median {:.3}, worst {:.3}", number + 1, setting.label, spread.median, spread.worst)
    });
    drawing("exposures", [WIDTH, height], "How similarity is spread", &told.collect::<Vec<_>>().join("; "), &svg)
}

#[cfg(test)]
mod tests {
    use super::super::samples;
    use super::*;

    #[test]
    fn the_frontier_links_naive_and_adaptive_and_says_so_in_words() {
        let runs: Vec<_> =
            (0..2).flat_map(|seed| [samples::summary(seed), samples::defended(seed, "dropout", &[])]).collect();
        let all = Gathered::of(&runs);
        let svg = frontier(&all, Leak::Lineup);
        assert_eq!(svg.matches("class=\"naive\"").count() + svg.matches("class=\"adaptive\"").count(), 2);
        assert_eq!([svg.matches("class=\"link\"").count(), svg.matches("class=\"plain\"").count()], [1, 1]);
        for words in [
            "accuracy 90.0 ± 0.0 %, line-up, naive 50.5 ± 0.5, adaptive 75.0 ± 0.0",
            "line-up 50.5 ± 0.5; on the front",
            "On the front, which no other setting beats: no defence.",
        ] {
            assert!(svg.contains(words), "no {words}: {svg}");
        }
    }
}

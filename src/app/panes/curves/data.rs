//! What a figure is made of: a run's raw values, each series with its name and its ink.

use egui_plot::LineStyle;

use super::figure::{Against, Figure};
use super::ink::{DASHED, DOTTED, Ink, MARKS};
use super::paper_lines::{gains, recovery};
use super::raw::{Raw, Rule, Values};
use crate::app::accuracies::Accuracy;
use crate::app::state::{State, Status};
use crate::app::theme::Role;
use crate::app::words::{decimal, maker, mode, target, yardstick};
use crate::run::summary::{AttackRecord, EpochRow, MetricRow};
use crate::score::band::wilson;
use crate::score::meters::Meters;
use crate::score::metrics::{LINEUP, Metric};

/// Standard errors on each side of a band.
const BAND: f64 = 1.96;

/// Collects a figure's values.
pub fn collect(figure: Figure, state: &State, against: Against) -> Raw {
    match figure {
        Figure::Test => tests(state, against),
        Figure::Training => Raw {
            values: Accuracy::ALL.map(|s| of_steps(state, against, accuracy_values(s), |row| s.of_step(row))).into(),
            ..Raw::against(against)
        },
        Figure::Losses => losses(state, against),
        Figure::Difference => difference(state),
        Figure::Lineup | Figure::Ssim | Figure::Psnr => leaks(state, figure.leak()),
        Figure::Distance | Figure::Fisher => figure.meter().map(|meter| metered(state, meter)).unwrap_or_default(),
        Figure::Gain => state.summary.as_deref().map(gains).unwrap_or_default(),
        Figure::Recovery => state.summary.as_deref().map(recovery).unwrap_or_default(),
    }
    .without_empty()
}

/// Whether any row was watched while it came, so that time can be drawn.
pub fn has_time(state: &State) -> bool {
    // Rows of an earlier session come first.
    state.rows.last().is_some_and(|(at, _)| at.is_some()) || state.epochs.last().is_some_and(|(at, _)| at.is_some())
}

impl Raw {
    fn against(against: Against) -> Self {
        let x_label = match against {
            Against::Step => t!("step"),
            Against::Epoch => t!("epoch"),
            Against::Time => t!("seconds"),
        };
        Self { x_label, ..Self::default() }
    }
}

fn accuracy_values(accuracy: Accuracy) -> Values {
    let (name, tip) = (accuracy.label().to_owned(), accuracy.tooltip());
    Values { name, tip, ink: Ink::of(accuracy.role()), points: Vec::new(), band: Vec::new() }
}

fn tests(state: &State, against: Against) -> Raw {
    let step_of = |model: &str, epoch: usize| {
        let of = |row: &&(Option<f64>, MetricRow)| row.1.epoch == epoch && is_vanilla(&row.1) == (model == "vanilla");
        state.rows.iter().rev().find(of).map(|row| row.1.step as f64)
    };
    let at: Vec<Option<f64>> = state
        .epochs
        .iter()
        .map(|(at, row)| match against {
            Against::Epoch => Some(row.epoch as f64),
            Against::Step => step_of(&row.model, row.epoch),
            Against::Time => *at,
        })
        .collect();
    let values = Accuracy::ALL.map(|accuracy| {
        let value = |(x, row): (&Option<f64>, &_)| Some([(*x)?, accuracy.of_epoch(row)?]);
        let points = at.iter().zip(state.epochs.iter().map(|(_, row)| row)).filter_map(value).collect();
        Values { points, ..accuracy_values(accuracy) }
    });
    let live = Accuracy::ALL.map(|accuracy| live(state, against, accuracy));
    Raw { values: values.into_iter().chain(live).collect(), ..Raw::against(against) }
}

/// Right answers on held-out images while it trained: thin and without marks beside its tests. Its name begins
/// with what sets it apart, for a legend with little room.
fn live(state: &State, against: Against, accuracy: Accuracy) -> Values {
    let mut values = Values {
        name: t!("live {label}", label = accuracy.label()),
        tip: t!("While it trains, every few seconds: 200 held-out images, fixed by seed (all where there are fewer), \
             as many of each class as there are; of the validation set where there is one. The band is Wilson's, \
             95 %."),
        ink: Ink { mark: None, width: 1.2, style: LineStyle::Solid, ..Ink::of(accuracy.role()) },
        ..accuracy_values(accuracy)
    };
    let per_epoch = [false, true].map(|vanilla| steps_per_epoch(state, vanilla));
    for (at, row) in &state.live {
        let Some(right) = accuracy.of_live(row) else { continue };
        let x = match against {
            Against::Step => row.step as f64,
            Against::Epoch => row.step as f64 / per_epoch[usize::from(row.model == "vanilla")],
            Against::Time => *at,
        };
        let [share, low, high] = row.percent(right);
        values.points.push([x, share]);
        values.band.push([x, low, high]);
    }
    if values.points.len() == 1 {
        // One point is no line yet.
        values.ink.mark = Ink::of(accuracy.role()).mark;
    }
    values
}

fn losses(state: &State, against: Against) -> Raw {
    let values = [
        (Accuracy::Disguised, t!("loss a, disguised")),
        (Accuracy::Cleaned, t!("loss r, cleaned")),
        (Accuracy::Fused, t!("loss f, fused")),
    ]
    .map(|(accuracy, name)| {
        let of = move |row: &MetricRow| match accuracy {
            Accuracy::Disguised => row.loss_a,
            Accuracy::Cleaned => row.loss_r,
            _ => row.loss_f,
        };
        of_steps(state, against, Values { name: name.to_owned(), ..accuracy_values(accuracy) }, of)
    });
    Raw { values: values.into(), ..Raw::against(against) }
}

/// One value of each training step.
fn of_steps(state: &State, against: Against, to: Values, of: impl Fn(&MetricRow) -> Option<f64>) -> Values {
    let per_epoch = [false, true].map(|vanilla| steps_per_epoch(state, vanilla));
    let point = |(at, row): &(Option<f64>, MetricRow)| {
        let y = of(row)?;
        let x = match against {
            Against::Step => row.step as f64,
            Against::Epoch => row.step as f64 / per_epoch[usize::from(is_vanilla(row))],
            Against::Time => (*at)?,
        };
        Some([x, y])
    };
    Values { points: state.rows.iter().filter_map(point).collect(), ..to }
}

fn is_vanilla(row: &MetricRow) -> bool {
    row.acc_vanilla.is_some()
}

/// Steps of one model in an epoch: told by the second epoch's first step, by the data, or by what there is.
fn steps_per_epoch(state: &State, vanilla: bool) -> f64 {
    let mut rows = state.rows.iter().map(|(_, row)| row).filter(|row| is_vanilla(row) == vanilla);
    if let Some(next) = rows.clone().find(|row| row.epoch > 1 && row.step > 1) {
        return (next.step - 1) as f64 / (next.epoch - 1) as f64;
    }
    let facts = state.facts.as_ref().filter(|facts| state.status == Status::Going && facts.batch > 0);
    let steps = facts.map(|facts| facts.images.div_ceil(facts.batch)).or_else(|| rows.next_back().map(|row| row.step));
    steps.unwrap_or(1).max(1) as f64
}

/// Attacks by the epoch after which they were launched; guesses and the oracle beside them.
fn leaks(state: &State, metric: &Metric<AttackRecord>) -> Raw {
    let mut raw = Raw::against(Against::Epoch);
    let mut names: Vec<&str> = Vec::new();
    // Guesses are measured on the targets of each attack: the largest count speaks for all.
    let most = state.attacks.iter().filter(|record| yardstick(record).is_some()).map(|record| record.images).max();
    for record in &state.attacks {
        let y = (metric.value)(record).unwrap_or(f64::NAN);
        if let Some(tip) = yardstick(record) {
            if Some(record.images) != most {
                continue;
            }
            let style = if record.name == "nearest" { DASHED } else { DOTTED };
            let (name, value) = (
                t!(
                    "{mode} {maker}, {images} images",
                    mode = mode(record),
                    maker = maker(record),
                    images = record.images
                ),
                metric.with_unit(&decimal(y, metric.short)),
            );
            // They are the same beside each target.
            if raw.rules.iter().any(|rule| rule.name == name && rule.value == value) {
                continue;
            }
            raw.rules.push(Rule {
                name,
                value,
                note: maker(record).to_owned(),
                tip,
                at: y,
                level: true,
                floor: false,
                ink: Ink::rule(None, style),
            });
            continue;
        }
        let place = names.iter().position(|name| *name == record.name).unwrap_or(names.len());
        if place == names.len() {
            names.push(&record.name);
        }
        // Without a defence there is nothing to know of it.
        let on = if record.target == "vanilla" { target(&record.target) } else { mode(record) };
        let name = format!("{}, {on}", record.name);
        let point = [record.epoch as f64, y];
        let band = (metric.error)(record).filter(|error| error.is_finite());
        let band = band.map(|error| match (metric == &LINEUP, record.images) {
            // A share stays within 0 and 100 %, and has a width where all are recognised.
            (true, n @ 1..) => {
                let (low, high) = wilson((0.01 * y * n as f64).round() as usize, n);
                [point[0], 100.0 * low, 100.0 * high]
            }
            _ => [point[0], y - BAND * error, y + BAND * error],
        });
        match raw.values.iter_mut().find(|values| values.name == name) {
            Some(values) => {
                values.points.push(point);
                values.band.extend(band);
            }
            None => raw.values.push(Values {
                name,
                tip: leak_tip(record),
                ink: leak_ink(record, place),
                points: vec![point],
                band: band.into_iter().collect(),
            }),
        }
    }
    for values in &mut raw.values {
        values.points.sort_by(|a, b| a[0].total_cmp(&b[0]));
        values.band.sort_by(|a, b| a[0].total_cmp(&b[0]));
    }
    mark_floor(&mut raw, state);
    raw
}

/// The best of the guesses is the floor: an attack that is not above it has stolen nothing. The oracle, which is chosen
/// with the truth, is none.
fn mark_floor(raw: &mut Raw, state: &State) {
    let oracles: Vec<&str> = state.attacks.iter().filter(|record| mode(record) == "oracle").map(maker).collect();
    let guesses = raw.rules.iter_mut().filter(|rule| !oracles.contains(&rule.note.as_str()));
    if let Some(best) = guesses.filter(|rule| rule.at.is_finite()).max_by(|a, b| a.at.total_cmp(&b.at)) {
        best.floor = true;
    }
}

/// What a leak meter showed of each model, by epoch.
fn metered(state: &State, meter: &Metric<Meters>) -> Raw {
    let mut raw = Raw::against(Against::Epoch);
    for (_, row) in &state.epochs {
        let Some(y) = row.meters.as_ref().and_then(meter.value) else { continue };
        let (name, point) = (target(&row.model), [row.epoch as f64, y]);
        match raw.values.iter_mut().find(|values| values.name == name) {
            Some(values) => values.points.push(point),
            None => raw.values.push(Values {
                name: name.to_owned(),
                tip: t!("Measured on test images after each epoch, without an attack."),
                ink: Ink::of(if row.model == "vanilla" { Role::Patient } else { Role::Attacker }),
                points: vec![point],
                band: Vec::new(),
            }),
        }
    }
    raw
}

/// What the defended model's accuracy is above or below that of its twin, by epoch.
fn difference(state: &State) -> Raw {
    let of = |accuracy: Accuracy, epoch: usize| {
        let its = |(_, row): &&(Option<f64>, EpochRow)| row.epoch == epoch && accuracy.of_epoch(row).is_some();
        state.epochs.iter().rev().find(its).and_then(|(_, row)| accuracy.of_epoch(row))
    };
    let mut epochs: Vec<usize> = state.epochs.iter().map(|(_, row)| row.epoch).collect();
    epochs.sort_unstable();
    epochs.dedup();
    let rows = state.summary.iter().flat_map(|summary| &summary.rows);
    let images = rows.map(|row| row.images).max().unwrap_or(0) as f64;
    let (mut points, mut band) = (Vec::new(), Vec::new());
    for epoch in epochs {
        let (Some(ours), Some(theirs)) = (of(Accuracy::Decision, epoch), of(Accuracy::Vanilla, epoch)) else {
            continue;
        };
        let (x, y) = (epoch as f64, ours - theirs);
        points.push([x, y]);
        let variance = [ours, theirs].map(|percent| percent * (100.0 - percent) / images).iter().sum::<f64>();
        if variance.is_finite() {
            band.push([x, y - BAND * variance.sqrt(), y + BAND * variance.sqrt()]);
        }
    }
    let values = Values {
        name: t!("defended \u{2212} undefended").to_owned(),
        tip: t!(
            "The defended model's answer against its undefended twin's, both on clean test images. The band is 95 \
             %, as if both had been tested on images of their own, which is wider than it need be."
        ),
        ink: Ink::of(Role::Decision),
        points,
        band,
    };
    let twin = Rule {
        name: t!("the undefended twin").to_owned(),
        value: "0".to_owned(),
        note: t!("as good as undefended").to_owned(),
        tip: t!("Here a defence would cost nothing."),
        at: 0.0,
        level: true,
        floor: false,
        ink: Ink::rule(Some(Role::Patient), DASHED),
    };
    let rules = if values.points.is_empty() { Vec::new() } else { vec![twin] };
    Raw { values: vec![values], rules, ..Raw::against(Against::Epoch) }
}

/// Undefended in the patient's colour, defended in the attacker's; dashes for one that did not know of it.
fn leak_ink(record: &AttackRecord, place: usize) -> Ink {
    let role = if record.target == "vanilla" { Role::Patient } else { Role::Attacker };
    let (style, width) = if record.adaptive { (LineStyle::Solid, 2.6) } else { (DASHED, 1.8) };
    let style = if record.target == "vanilla" { LineStyle::Solid } else { style };
    Ink { role: Some(role), style, width, mark: Some(MARKS[place % MARKS.len()]) }
}

fn leak_tip(record: &AttackRecord) -> &'static str {
    match (record.target.as_str(), record.adaptive) {
        ("vanilla", _) => t!("An attack at the undefended model."),
        (_, true) => {
            t!("An attack at the defended model by one who knows the defence: what it holds against this is what \
                 it is worth.")
        }
        (_, false) => t!("An attack at the defended model by one who does not know of the defence."),
    }
}

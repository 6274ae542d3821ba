//! What a defence costs: right answers, the client's time, bytes on the wire.

use super::grouped;
use crate::report::gather::{Model, Setting};
use crate::report::html::signed;
use crate::report::points::Spread;
use crate::score::metrics::{ACCURACY, Metric, SENSITIVITY};
use crate::score::paired::lead;
use crate::score::record::Row;

/// A difference between two settings, in points.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Difference {
    mean: f64,
    /// Its standard error; none where that is not known.
    error: Option<f64>,
    over: Over,
}

/// What the standard error of a difference is over.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Over {
    /// Pairs of models of one seed.
    Seeds(usize),
    /// Pairs of answers to the same image.
    Pairs,
    /// Images, of each of the two by itself.
    Images,
}

impl Over {
    fn words(self) -> String {
        match self {
            Self::Seeds(n) => format!("{n} seeds, in pairs"),
            Self::Pairs => "the test images, in pairs".to_owned(),
            Self::Images => "the test images".to_owned(),
        }
    }
}

/// What a defence costs in right answers: in accuracy, and of two classes in sensitivity.
pub fn accuracy_cost(setting: &Setting, baseline: &Setting) -> Vec<String> {
    [&ACCURACY, &SENSITIVITY].into_iter().filter_map(|metric| cost(setting, baseline, metric)).collect()
}

fn cost(setting: &Setting, baseline: &Setting, metric: &'static Metric<Row>) -> Option<String> {
    let [own, other] = [setting, baseline].map(|one| Spread::over(one, |model| (metric.value)(model.row()?)));
    let (own, other, digits) = (own?, other?, metric.digits);
    let Difference { mean, error, over } = difference(setting, baseline, metric)?;
    let numbers = format!("{:.digits$} {unit} instead of {:.digits$} {unit}", own.mean, other.mean, unit = metric.unit);
    let size = |x: String| {
        let error = error.map(|error| format!(" ± {error:.digits$}")).unwrap_or_default();
        format!("{x}{error} points")
    };
    let name = metric.name;
    let beyond = error.is_some_and(|error| mean.abs() > 2.0 * error);
    let told = if !beyond {
        format!("No cost in {name} was shown: a change of {}", size(signed(mean, digits)))
    } else if mean < 0.0 {
        format!("The defence costs {} of {name}", size(format!("{:.digits$}", -mean)))
    } else {
        format!("With the defence {name} is higher by {}", size(format!("{mean:.digits$}")))
    };
    Some(format!("{told} ({numbers}; ± over {}).", over.words()))
}

/// By how much a setting is above another.
fn difference(setting: &Setting, baseline: &Setting, metric: &'static Metric<Row>) -> Option<Difference> {
    let value = |model: &Model| (metric.value)(model.row()?);
    let both = setting.models.iter().filter_map(|model| {
        let other = baseline.models.iter().find(|other| other.seed == model.seed)?;
        Some((value(model)?, value(other)?))
    });
    let (own, other): (Vec<f64>, Vec<f64>) = both.unzip();
    if own.len() > 1 {
        let (mean, error, _) = lead(&own, &other);
        return Some(Difference { mean, error: Some(error), over: Over::Seeds(own.len()) });
    }
    let (Some(one), Some(two)) = (setting.models.first(), baseline.models.first()) else { return None };
    // The twin of the same run has answered the same images.
    if let Some(gain) =
        one.gain.as_ref().filter(|_| metric == &ACCURACY && one.runs.iter().any(|run| two.runs.contains(run)))
    {
        let error = gain.errors.map(|errors| errors[2]);
        return Some(Difference { mean: gain.over_clean, error, over: Over::Pairs });
    }
    let error = |model: &Model| {
        let row = model.row()?;
        let half = (metric.interval)(row).map(|[low, high]| (high - low) / (2.0 * 1.96));
        half.or_else(|| (metric == &ACCURACY).then(|| row.error()))
    };
    let error = error(one).zip(error(two)).map(|(a, b)| a.hypot(b));
    Some(Difference { mean: value(one)? - value(two)?, error, over: Over::Images })
}

/// What it costs in the client's time and on the wire, beside what it costs without the defence.
pub fn other_costs(setting: &Setting, baseline: Option<&Setting>) -> Vec<String> {
    let time = |one: &Setting| Spread::over(one, |model| model.client_ms).map(|spread| spread.mean);
    let bytes = |one: &Setting| {
        let up = Spread::over(one, |model| Some(model.wire?.smashed_bytes as f64))?;
        let down = Spread::over(one, |model| Some(model.wire?.gradient_bytes as f64))?;
        Some([up.mean, down.mean])
    };
    let mut all = Vec::new();
    if let Some(ms) = time(setting) {
        let instead = baseline.and_then(time).map(|ms| format!(" instead of {ms:.3} ms")).unwrap_or_default();
        all.push(format!("A diagnosis takes the client {ms:.3} ms an image{instead}, on the machine named below."));
    }
    if let Some([up, down]) = bytes(setting) {
        let instead = match baseline.and_then(bytes) {
            Some(other) if other == [up, down] => ", just as without the defence".to_owned(),
            Some([up, down]) => format!(", instead of {} and {}", megabytes(up), megabytes(down)),
            None => String::new(),
        };
        let (up, down) = (megabytes(up), megabytes(down));
        all.push(format!("Training a model sent {up} up the wire and {down} down{instead}."));
    }
    all
}

/// `1,053.7 MB`.
pub fn megabytes(bytes: f64) -> String {
    let tenths = (bytes / 1e5).round() as u64;
    format!("{}.{} MB", grouped(tenths / 10), tenths % 10)
}

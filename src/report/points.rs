//! A setting as a point: how well its models answer against how much they leak, each a mean over seeds with its spread;
//! and which points no other beats.

use serde::{Deserialize, Serialize};

use super::gather::{Gathered, Model, Setting};
use crate::run::summary::AttackRecord;
use crate::score::image::mean_and_error;
use crate::score::lineup::CHANCE;
use crate::score::metrics::{ACCURACY, LINEUP, Metric, PSNR, SSIM, leading};
use crate::score::record::Row;
use crate::score::verdict::ENOUGH;

/// What a leak is measured by; higher is worse in all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Leak {
    /// How often the stolen image picks its target out of eight, in percent.
    #[default]
    Lineup,
    /// Structural similarity.
    Ssim,
    /// Peak signal-to-noise ratio, dB.
    Psnr,
    /// How often a stolen image finds its patient among all, in percent.
    Found,
}

/// Whose attacks a leak is counted by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Scored {
    /// Those of attackers who do not know the defence: what flatters it.
    Naive,
    /// All, of which the worst counts.
    #[default]
    All,
}

/// A number over the seeds of a setting.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Spread {
    /// Its mean.
    pub mean: f64,
    /// Its standard error over seeds; none of one seed.
    pub error: Option<f64>,
    /// By seed, in their order.
    pub each: Vec<f64>,
}

/// A setting's place on the frontier.
#[derive(Clone, Debug, PartialEq)]
pub struct Point {
    /// Which setting, by its place.
    pub setting: usize,
    /// Right answers, by the metric that the table leads with.
    pub utility: Spread,
    /// The worst leak to attackers who do not know the defence, or where there is none to know.
    pub naive: Option<Spread>,
    /// The worst to those who do.
    pub adaptive: Option<Spread>,
    /// The worst of those that it is scored by.
    pub leak: Spread,
    /// Whether no other point has more right answers and a smaller leak.
    pub front: bool,
}

impl Leak {
    /// All, the one to read first.
    pub const ALL: [Self; 4] = [Self::Lineup, Self::Ssim, Self::Psnr, Self::Found];

    /// The metric of attacks, where it is one.
    pub fn metric(self) -> Option<&'static Metric<AttackRecord>> {
        match self {
            Self::Lineup => Some(&LINEUP),
            Self::Ssim => Some(&SSIM),
            Self::Psnr => Some(&PSNR),
            Self::Found => None,
        }
    }

    /// What an axis says.
    pub fn axis(self) -> String {
        self.metric().map_or_else(|| "patients found again, %".to_owned(), Metric::axis)
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        self.metric().map_or("patients found again", |metric| metric.name)
    }

    /// Digits behind the point.
    pub fn digits(self) -> usize {
        self.metric().map_or(1, |metric| metric.digits)
    }

    /// What chance gives, if that is known of all runs alike.
    pub fn chance(self) -> Option<f64> {
        (self == Self::Lineup).then_some(CHANCE)
    }

    /// The worst leak of a model to attackers who know its defence or do not, in the end.
    pub fn of(self, model: &Model, adaptive: bool) -> Option<f64> {
        let Some(metric) = self.metric() else {
            let rows = model.reidentified.iter().filter(|row| row.adaptive == Some(adaptive) && !row.outline_removed);
            return rows.map(|row| row.rank1).reduce(f64::max);
        };
        worst(model, adaptive, metric).and_then(metric.value)
    }
}

/// The attack of a form that a model leaks most to, by a metric: among those at enough targets, if there are any.
pub fn worst<'a>(model: &'a Model, adaptive: bool, metric: &Metric<AttackRecord>) -> Option<&'a AttackRecord> {
    let of = |enough: usize| {
        let all = model.last_attacks().filter(|record| record.adaptive == adaptive && record.images >= enough);
        let measured = all.filter_map(|record| Some((record, (metric.value)(record).filter(|x| x.is_finite())?)));
        measured.max_by(|a, b| a.1.total_cmp(&b.1)).map(|(record, _)| record)
    };
    of(ENOUGH).or_else(|| of(0))
}

impl Spread {
    /// Of these numbers; none of none.
    pub fn of(each: Vec<f64>) -> Option<Self> {
        if each.is_empty() {
            return None;
        }
        let (mean, error) = mean_and_error(&each);
        Some(Self { mean, error: Some(error).filter(|error| error.is_finite()), each })
    }

    /// Of what each model of a setting has; none where one lacks it, since a mean over some would stand beside one over all.
    pub fn over(setting: &Setting, of: impl Fn(&Model) -> Option<f64>) -> Option<Self> {
        Self::of(setting.models.iter().map(of).collect::<Option<_>>()?)
    }

    /// Its standard deviation over seeds; none of one seed.
    pub fn deviation(&self) -> Option<f64> {
        Some(self.error? * (self.each.len() as f64).sqrt())
    }

    /// `94.2 ± 0.3`, or the number alone where there is one seed.
    pub fn words(&self, digits: usize) -> String {
        match self.error {
            Some(error) => format!("{:.digits$} ± {error:.digits$}", self.mean),
            None => format!("{:.digits$}", self.mean),
        }
    }
}

/// The metric of right answers to lead with: all runs are of the same data.
pub fn utility(all: &Gathered) -> &'static Metric<Row> {
    let rows = all.settings.iter().flat_map(|setting| &setting.models).filter_map(Model::row);
    leading(&rows.cloned().collect::<Vec<_>>())
}

/// The settings that have both numbers, as points, with those marked that no other beats; all attacks count.
pub fn points(all: &Gathered, leak: Leak) -> Vec<Point> {
    scored(all, leak, Scored::All)
}

/// The same by some of the attacks. A setting that none of them was launched at has no point.
pub fn scored(all: &Gathered, leak: Leak, by: Scored) -> Vec<Point> {
    let metric = utility(all);
    let places = all.settings.iter().enumerate();
    let mut points: Vec<Point> = places.filter_map(|(i, setting)| point(i, setting, metric, leak, by)).collect();
    let plain: Vec<[f64; 2]> = points.iter().map(|point| [point.utility.mean, point.leak.mean]).collect();
    for (point, front) in points.iter_mut().zip(front(&plain)) {
        point.front = front;
    }
    points
}

fn point(place: usize, setting: &Setting, metric: &Metric<Row>, leak: Leak, by: Scored) -> Option<Point> {
    let utility = Spread::over(setting, |model| (metric.value)(model.row()?))?;
    let [naive, adaptive] = [false, true].map(|adaptive| Spread::over(setting, |model| leak.of(model, adaptive)));
    let either = |model: &Model| {
        let both = [false, true].into_iter().filter_map(|adaptive| leak.of(model, adaptive));
        both.reduce(f64::max)
    };
    let worst = match by {
        Scored::Naive => naive.clone()?,
        Scored::All => Spread::over(setting, either)?,
    };
    Some(Point { setting: place, utility, naive, adaptive, leak: worst, front: false })
}

/// Which of several pairs of right answers and leak no other beats: none has as many right answers and as small a leak,
/// and more of the one or less of the other.
pub fn front(points: &[[f64; 2]]) -> Vec<bool> {
    let beats = |a: &[f64; 2], b: &[f64; 2]| a[0] >= b[0] && a[1] <= b[1] && (a[0] > b[0] || a[1] < b[1]);
    points.iter().map(|point| !points.iter().any(|other| beats(other, point))).collect()
}

/// The better of the metrics that every setting has: what a chart can show.
pub fn measured(all: &Gathered) -> Vec<Leak> {
    Leak::ALL.into_iter().filter(|leak| !points(all, *leak).is_empty()).collect()
}

/// Accuracy over the seeds of a setting, whatever the table leads with.
pub fn accuracy(setting: &Setting) -> Option<Spread> {
    Spread::over(setting, |model| (ACCURACY.value)(model.row()?))
}

#[cfg(test)]
mod tests {
    use super::super::samples;
    use super::*;

    #[test]
    fn the_front_is_what_no_other_beats() {
        let all = [[97.0, 100.0], [96.0, 98.0], [95.0, 99.0], [90.0, 40.0], [90.0, 40.0], [80.0, 40.0]];
        assert_eq!(front(&all), [true, true, false, true, true, false]);
        assert_eq!(front(&[[f64::NAN, 1.0], [1.0, 1.0]]), [true, true], "what is no number beats nothing");
        assert!(front(&[]).is_empty());
    }

    #[test]
    fn a_point_is_the_worst_attack_of_each_form_over_seeds() {
        let runs: Vec<_> = (0..3).map(|seed| samples::defended(seed, "dropout", &[])).collect();
        let all = Gathered::of(&runs);
        let points = points(&all, Leak::Lineup);
        let [point] = points.as_slice() else { panic!("{points:?}") };
        // The samples' naive attack has 50 % + seed, the adaptive one 75 %.
        assert_eq!(point.naive.as_ref().unwrap().each, [50.0, 51.0, 52.0]);
        assert_eq!((point.adaptive.as_ref().unwrap().mean, point.leak.mean, point.front), (75.0, 75.0, true));
        assert_eq!(point.naive.as_ref().unwrap().words(1), "51.0 ± 0.6");
        // Of 50, 51 and 52.
        assert!((point.naive.as_ref().unwrap().deviation().unwrap() - 1.0).abs() < 1e-9);
        assert_eq!(Spread::of(vec![1.0]).unwrap().deviation(), None);
        assert_eq!(super::points(&all, Leak::Found), []);
        // Whoever does not know the defence makes it look better.
        assert_eq!(scored(&all, Leak::Lineup, Scored::Naive)[0].leak.mean, 51.0);
        assert_eq!(measured(&all), [Leak::Lineup, Leak::Ssim, Leak::Psnr]);
    }

    #[test]
    fn too_few_targets_do_not_stand_for_many() {
        let mut run = samples::summary(0);
        let few = AttackRecord { images: 8, lineup: Some(100.0), ..run.attacks[0].clone() };
        run.attacks.insert(0, AttackRecord { name: "few".to_owned(), ..few });
        let all = Gathered::of([&run]);
        let model = &all.settings[0].models[0];
        assert_eq!(worst(model, false, &LINEUP).map(|record| record.name.as_str()), Some("inverse"));
    }
}

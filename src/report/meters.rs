//! Which leak meter can be trusted: whether meters, which need no attack, order the settings as the attacks do.

use super::gather::{Gathered, Model, Setting};
use super::html::{paragraph, signed, table};
use super::points::{Leak, Spread};
use crate::random::Seed;
use crate::score::intervals::{DRAWS, FEWEST};
use crate::score::meters::{METERS, Meters, rank};
use crate::score::metrics::{Better, Metric};

/// From this agreement on, at its lower end, a meter is said to order settings as attacks do.
const TRUSTED: f64 = 0.7;

/// How a meter agrees with attacks over settings.
#[derive(Clone, Debug, PartialEq)]
pub struct Agreement {
    /// Which meter.
    pub meter: &'static Metric<Meters>,
    /// Settings that have both.
    pub settings: usize,
    /// Spearman's rank correlation of what the meter says leaks and what attacks got: 1 is the same order. None of too few.
    pub rank: Option<f64>,
    /// Its 95 % interval, by the bootstrap over settings.
    pub interval: Option<[f64; 2]>,
}

impl Agreement {
    /// Of a meter and the worst leak over all settings, each a mean over its seeds.
    fn of(all: &Gathered, meter: &'static Metric<Meters>, leak: Leak) -> Self {
        let pair = |setting: &Setting| {
            let metered = Spread::over(setting, |model| (meter.value)(&model.meters()?))?.mean;
            let worst =
                |model: &Model| [false, true].into_iter().filter_map(|form| leak.of(model, form)).reduce(f64::max);
            let more = if meter.better == Some(Better::Higher) { -metered } else { metered };
            Some((more, Spread::over(setting, worst)?.mean))
        };
        let pairs: Vec<(f64, f64)> = all.settings.iter().filter_map(pair).collect();
        let enough = pairs.len() >= FEWEST;
        let of = |pairs: &[(f64, f64)]| {
            let (a, b): (Vec<f64>, Vec<f64>) = pairs.iter().copied().unzip();
            rank(&a, &b)
        };
        Self {
            meter,
            settings: pairs.len(),
            rank: of(&pairs).filter(|_| enough),
            interval: if enough { interval(&pairs, of) } else { None },
        }
    }

    /// What it comes to, in words, by rule.
    pub fn words(&self) -> String {
        match self.interval {
            None => format!("no evidence: {} settings, {FEWEST} are needed", self.settings),
            Some([low, _]) if low >= TRUSTED => "orders settings as attacks do".to_owned(),
            Some([low, _]) if low > 0.0 => "agrees with attacks, not setting by setting".to_owned(),
            Some([_, high]) if high < 0.0 => "says the opposite of attacks".to_owned(),
            Some(_) => "not shown to agree with attacks".to_owned(),
        }
    }
}

/// From the 2.5th to the 97.5th percentile over draws of as many settings; draws that have no order are left out.
fn interval(pairs: &[(f64, f64)], of: impl Fn(&[(f64, f64)]) -> Option<f64>) -> Option<[f64; 2]> {
    let draw = |i: usize| {
        let mut stream = Seed(0).stream("meters", i as u64);
        of(&(0..pairs.len()).map(|_| pairs[stream.below(pairs.len())]).collect::<Vec<_>>())
    };
    let mut all: Vec<f64> = (0..DRAWS).filter_map(draw).collect();
    all.sort_by(f64::total_cmp);
    let last = all.len().checked_sub(1)?;
    Some([0.025, 0.975].map(|part| all[(part * last as f64).round() as usize]))
}

/// A table of all meters beside each of the leaks that were measured; none where no run has meters.
pub(super) fn trusted(all: &Gathered, leaks: &[Leak]) -> Option<String> {
    let tables: String = leaks.iter().filter_map(|leak| beside(all, *leak)).collect();
    let words = "A meter needs no attack, so that it can be read while a model is trained; it proves nothing. Here each is held against \
                 the worst leak that attacks came to, setting by setting. Where nothing adds noise to the wire, Fisher information is \
                 that of noise of a hundredth of what is sent; what is done to images before the client\u{2019}s first layer is not in it.";
    (!tables.is_empty()).then(|| paragraph(words) + &tables)
}

/// A row a meter.
fn beside(all: &Gathered, leak: Leak) -> Option<String> {
    let number = |x: f64| signed(x, 2);
    let none = || "–".to_owned();
    let row = |meter| {
        let agreement = Agreement::of(all, meter, leak);
        let interval = agreement.interval.map(|[low, high]| format!("{} to {}", number(low), number(high)));
        let cells = [
            meter.axis(),
            agreement.words(),
            agreement.rank.map_or_else(none, number),
            interval.unwrap_or_else(none),
            agreement.settings.to_string(),
        ];
        (agreement.settings > 0).then(|| cells.into())
    };
    let rows: Vec<Vec<String>> = METERS.into_iter().filter_map(row).collect();
    let caption = format!(
        "Rank correlation (Spearman) of each meter with {} over settings, and its 95 % interval by the bootstrap over settings",
        leak.name()
    );
    let heading = ["meter", "what that comes to", "rank correlation", "95 %", "settings"];
    (!rows.is_empty()).then(|| table(&caption, &heading, 2, &rows))
}

#[cfg(test)]
mod tests {
    use super::super::samples;
    use super::*;
    use crate::run::summary::Summary;
    use crate::score::meters::{DISTANCE_CORRELATION, MSE_FLOOR};

    /// Settings of noise whose line-up goes with their place, and whose meters show `shown`.
    fn runs(shown: impl Fn(usize) -> f64, settings: usize) -> Vec<Summary> {
        let of = |i: usize| {
            let mut summary =
                samples::defended(0, "dropout", &[&format!("defence.dropout.p={}", 0.05 * (i + 1) as f64)]);
            for record in &mut summary.attacks {
                record.lineup = Some(90.0 - i as f64);
            }
            let meters = Meters { distance_correlation: shown(i), mse_floor: 1.0 - shown(i), ..Meters::default() };
            summary.epochs.iter_mut().for_each(|row| row.meters = Some(meters));
            summary
        };
        (0..settings).map(of).collect()
    }

    fn agreement(all: &[Summary], meter: &'static Metric<Meters>) -> Agreement {
        Agreement::of(&Gathered::of(all), meter, Leak::Lineup)
    }

    #[test]
    fn a_meter_that_falls_with_the_leak_is_trusted_whichever_way_it_counts() {
        let all = runs(|i| 0.9 - 0.01 * i as f64, 12);
        for meter in [&DISTANCE_CORRELATION, &MSE_FLOOR] {
            let found = agreement(&all, meter);
            assert!((found.rank.unwrap() - 1.0).abs() < 1e-9, "{found:?}");
            assert_eq!(found.words(), "orders settings as attacks do");
        }
    }

    #[test]
    fn other_orders_are_told_as_such() {
        let opposite = agreement(&runs(|i| 0.01 * i as f64, 12), &DISTANCE_CORRELATION);
        assert_eq!(opposite.words(), "says the opposite of attacks");
        let none = agreement(&runs(|i| if i % 2 == 0 { 0.1 } else { 0.2 }, 12), &DISTANCE_CORRELATION);
        assert_eq!(none.words(), "not shown to agree with attacks");
    }

    #[test]
    fn of_few_settings_nothing_is_said() {
        let few = agreement(&runs(|i| 0.9 - 0.01 * i as f64, 7), &DISTANCE_CORRELATION);
        assert_eq!((few.rank, few.interval), (None, None));
        assert!(few.words().starts_with("no evidence"));
        assert_eq!(trusted(&Gathered::of(&[samples::summary(0)]), &Leak::ALL), None, "runs without meters");
    }
}

//! Leak meters: what could be told of the images by what crosses, without an attack.
//!
//! A meter proves nothing, and stands beside attacks, never in their place: relu has kinks, images are no normal numbers,
//! and attackers are biased. [`rank`] says how far one agrees with what attacks got.

use super::metrics::{Better, Metric};
pub use super::record::Meters;

/// Distance correlation.
pub static DISTANCE_CORRELATION: Metric<Meters> = Metric {
    key: "distance_correlation",
    column: "distance_correlation",
    name: "distance correlation",
    window: "distance correlation",
    better: Some(Better::Lower),
    help: "How much images and what was sent for them have in common: where two images are far apart, so are two sendings. 0 \
           is nothing, 1 all.",
    value: |meters| Some(meters.distance_correlation),
    ..Metric::BASE
};

/// Fisher information per pixel.
pub static DFIL: Metric<Meters> = Metric {
    key: "dfil",
    column: "dfil",
    name: "dFIL",
    window: "dFIL",
    better: Some(Better::Lower),
    digits: 1,
    short: 0,
    help: "Fisher information that what is sent has of a pixel, on average. What a defence does to images before the client's \
           first layer is not in it.",
    value: |meters| Some(meters.dfil),
    ..Metric::BASE
};

/// The error that follows from it.
pub static MSE_FLOOR: Metric<Meters> = Metric {
    key: "mse_floor",
    column: "mse_floor",
    name: "MSE floor",
    window: "MSE floor",
    better: Some(Better::Higher),
    digits: 6,
    short: 4,
    help: "Mean squared error below which no unbiased attacker gets who knows how far pixels spread, by dFIL. Attackers are \
           biased, and may well get below it.",
    value: |meters| Some(meters.mse_floor),
    ..Metric::BASE
};

/// Information on all pixels together.
pub static NATS: Metric<Meters> = Metric {
    key: "nats",
    column: "fisher_nats",
    name: "Fisher leak",
    window: "Fisher leak",
    unit: "nats",
    better: Some(Better::Lower),
    digits: 0,
    short: 0,
    help: "What is sent tells so much of an image, were its pixels normal numbers and the client linear about it; measured once \
           training is over, on two images.",
    value: |meters| meters.nats,
    ..Metric::BASE
};

/// All meters, the one to read first in front.
pub static METERS: [&Metric<Meters>; 4] = [&DISTANCE_CORRELATION, &DFIL, &NATS, &MSE_FLOOR];

impl Meters {
    /// These, if all are numbers: of a model that has diverged they are none, and files have none.
    pub fn if_finite(self) -> Option<Self> {
        let all = [self.distance_correlation, self.dfil, self.mse_floor, self.sigma];
        all.iter().all(|value| value.is_finite()).then_some(Self { nats: self.nats.filter(|x| x.is_finite()), ..self })
    }

    /// Means with these weights; none of none.
    pub fn mean(all: &[(f64, Self)]) -> Option<Self> {
        let weight: f64 = all.iter().map(|(weight, _)| weight).sum();
        let of = |value: fn(&Self) -> Option<f64>| -> Option<f64> {
            let values: Option<Vec<f64>> = all.iter().map(|(weight, meters)| Some(weight * value(meters)?)).collect();
            values.map(|values| values.iter().sum::<f64>() / weight)
        };
        (weight > 0.0).then_some(Self {
            distance_correlation: of(|meters| Some(meters.distance_correlation))?,
            dfil: of(|meters| Some(meters.dfil))?,
            mse_floor: of(|meters| Some(meters.mse_floor))?,
            nats: of(|meters| meters.nats),
            sigma: of(|meters| Some(meters.sigma))?,
            nominal: all.iter().any(|(_, meters)| meters.nominal),
        })
    }

    /// The error that dFIL bounds, where pixels spread by `spread`.
    pub fn floor(dfil: f64, spread: f64) -> f64 {
        // No spread at all leaves nothing to guess.
        if spread > 0.0 { 1.0 / (dfil + spread.powi(-2)) } else { 0.0 }
    }
}

/// ½ ln det(I + `ratio`·G) of a symmetric, positive semidefinite G (`side` × `side`, row by row), in nats: with G = JᵀJ or JJᵀ and
/// ratio = s²/σ², the Fisher leak.
pub fn half_log_det(gram: &[f64], side: usize, ratio: f64) -> f64 {
    let mut a: Vec<f64> = gram.iter().map(|g| g * ratio).collect();
    (0..side).for_each(|i| a[i * side + i] += 1.0);
    // Symmetric elimination from the upper triangle: pivots are the squares of Cholesky's diagonal.
    let mut sum = 0.0;
    for k in 0..side {
        let (above, below) = a.split_at_mut((k + 1) * side);
        let row = &above[k * side..];
        // Rounding may take a pivot below 1, which it is at least.
        let pivot = row[k].max(1.0);
        sum += pivot.ln();
        for (i, other) in below.chunks_exact_mut(side).enumerate() {
            let column = k + 1 + i;
            let factor = row[column] / pivot;
            if factor != 0.0 {
                other[column..].iter_mut().zip(&row[column..]).for_each(|(a, b)| *a -= factor * b);
            }
        }
    }
    0.5 * sum
}

/// Spearman's rank correlation of two lists, ties ranked by their mean; none of fewer than three, or where either is constant.
pub fn rank(a: &[f64], b: &[f64]) -> Option<f64> {
    if a.len() != b.len() || a.len() < 3 {
        return None;
    }
    let ranks = |values: &[f64]| -> Vec<f64> {
        let of = |x: f64| {
            let (below, same) = values.iter().fold((0, 0), |(below, same), v| match v.total_cmp(&x) {
                std::cmp::Ordering::Less => (below + 1, same),
                std::cmp::Ordering::Equal => (below, same + 1),
                std::cmp::Ordering::Greater => (below, same),
            });
            f64::from(below) + f64::from(same - 1) / 2.0
        };
        values.iter().map(|x| of(*x)).collect()
    };
    let (a, b) = (ranks(a), ranks(b));
    let middle = (a.len() - 1) as f64 / 2.0;
    let dot = |p: &[f64], q: &[f64]| p.iter().zip(q).map(|(p, q)| (p - middle) * (q - middle)).sum::<f64>();
    let scale = (dot(&a, &a) * dot(&b, &b)).sqrt();
    (scale > 0.0).then(|| dot(&a, &b) / scale)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(a: f64, b: f64) {
        assert!((a - b).abs() < 1e-9, "{a} is not {b}");
    }

    #[test]
    fn half_the_logarithm_of_a_determinant() {
        // det(I + 2G) of G = [[2, 1], [1, 3]]: 5·7 − 4.
        close(half_log_det(&[2.0, 1.0, 1.0, 3.0], 2, 2.0), 0.5 * 31f64.ln());
        close(half_log_det(&[0.0; 9], 3, 5.0), 0.0);
    }

    #[test]
    fn ranks_agree_whatever_the_scale() {
        close(rank(&[1.0, 2.0, 30.0], &[-1.0, 0.0, 0.5]).unwrap(), 1.0);
        close(rank(&[1.0, 2.0, 3.0], &[9.0, 4.0, 1.0]).unwrap(), -1.0);
        // Ties: ranks 0.5, 0.5, 2 against 0, 1, 2.
        close(rank(&[1.0, 1.0, 2.0], &[1.0, 2.0, 3.0]).unwrap(), 0.75f64.sqrt());
        assert_eq!(rank(&[1.0, 1.0, 1.0], &[1.0, 2.0, 3.0]), None);
        assert_eq!(rank(&[1.0, 2.0], &[1.0, 2.0]), None);
    }

    #[test]
    fn what_is_no_number_is_no_measurement() {
        let meters = Meters { dfil: 3.0, nats: Some(f64::INFINITY), ..Meters::default() };
        assert_eq!(meters.if_finite(), Some(Meters { nats: None, ..meters }));
        assert_eq!(Meters { dfil: f64::NAN, ..meters }.if_finite(), None);
    }

    #[test]
    fn each_meter_is_in_the_docs() {
        let docs = include_str!("../../docs/meters.md");
        for meter in METERS {
            assert!(docs.contains(&format!("\n| {} |", meter.name)), "{}", meter.name);
        }
    }

    #[test]
    fn a_floor_lies_below_the_spread_and_falls_with_information() {
        close(Meters::floor(0.0, 0.3), 0.09);
        assert!(Meters::floor(100.0, 0.3) < 0.01);
        close(Meters::floor(5.0, 0.0), 0.0);
    }
}

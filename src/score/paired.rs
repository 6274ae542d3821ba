//! Differences between two guesses at the same targets, and what chance makes of them.

use super::image::mean_and_error;

/// Standard error of a share in percent that was counted over `n` cases, in points (binomial). Of none or of all it would
/// be nothing, as if one case of one were certain: there it is that of one case more, right and wrong (Laplace). Not a
/// number where nothing was counted.
pub fn share_error(percent: f64, n: usize) -> f64 {
    let least = 100.0 / (n as f64 + 2.0);
    let percent = if percent <= 0.0 || percent >= 100.0 { least } else { percent };
    if n == 0 { f64::NAN } else { (percent * (100.0 - percent)).sqrt() / (n as f64).sqrt() }
}

/// Mean of `a − b` over the targets, its standard error, and the probability of so large a mean where in truth there is
/// none (one-sided): Student's t, but no less than if each target's sign were tossed by a coin, 2⁻ᵐ for m targets that
/// differ. So one target proves nothing however far apart the two are.
///
/// # Panics
/// Where the two differ in length.
pub fn lead(a: &[f64], b: &[f64]) -> (f64, f64, f64) {
    assert_eq!(a.len(), b.len(), "one pair a target");
    let apart: Vec<f64> = a.iter().zip(b).map(|(a, b)| a - b).collect();
    let (mean, se) = mean_and_error(&apart);
    let differ = apart.iter().filter(|d| **d != 0.0).count();
    let coin = 0.5_f64.powi(i32::try_from(differ).unwrap_or(i32::MAX));
    let p = if mean.is_nan() || mean <= 0.0 {
        1.0
    } else if se > 0.0 {
        student_tail(mean / se, apart.len() - 1).max(coin)
    } else {
        coin
    };
    (mean, if se.is_finite() { se } else { 0.0 }, p)
}

/// The 95 % interval of the mean of `a − b` over pairs, by Student's t; none of fewer than two pairs.
///
/// # Panics
/// Where the two differ in length.
pub fn interval(a: &[f64], b: &[f64]) -> Option<[f64; 2]> {
    assert_eq!(a.len(), b.len(), "one pair a seed");
    let apart: Vec<f64> = a.iter().zip(b).map(|(a, b)| a - b).collect();
    let (mean, se) = mean_and_error(&apart);
    let reach = student_quantile(0.025, apart.len().checked_sub(1).filter(|freedom| *freedom > 0)?) * se;
    Some([mean - reach, mean + reach]).filter(|ends| ends.iter().all(|end| end.is_finite()))
}

/// The t above which Student's t with `freedom` degrees is with this probability, below one half.
fn student_quantile(tail: f64, freedom: usize) -> f64 {
    let (mut low, mut high) = (0.0, 1e3);
    for _ in 0..60 {
        let middle = f64::midpoint(low, high);
        if student_tail(middle, freedom) > tail { low = middle } else { high = middle }
    }
    f64::midpoint(low, high)
}

/// Holm's correction: each probability as it counts among all of them, in their order. Looking at many attacks and
/// epochs finds one that chance favoured; what is still small afterwards did not come from looking often.
pub fn holm(p: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..p.len()).collect();
    order.sort_by(|a, b| p[*a].total_cmp(&p[*b]));
    let (mut corrected, mut largest) = (vec![1.0; p.len()], 0.0_f64);
    for (rank, &i) in order.iter().enumerate() {
        largest = largest.max(p[i] * (p.len() - rank) as f64).min(1.0);
        corrected[i] = largest;
    }
    corrected
}

/// Probability that Student's t with `freedom` degrees is above `t` ≥ 0: half the regularised incomplete beta function
/// I(x; freedom/2, ½) at x = freedom / (freedom + t²).
fn student_tail(t: f64, freedom: usize) -> f64 {
    let n = freedom.max(1) as f64;
    0.5 * incomplete_beta(n / (n + t * t), 0.5 * n, 0.5)
}

/// I(x; a, b) by its continued fraction (Lentz), x in [0, 1].
fn incomplete_beta(x: f64, a: f64, b: f64) -> f64 {
    if x <= 0.0 || x >= 1.0 {
        return x.clamp(0.0, 1.0);
    }
    let front = (ln_gamma(a + b) - ln_gamma(a) - ln_gamma(b) + a * x.ln() + b * (1.0 - x).ln()).exp();
    // The fraction converges fast on this side of the mean only.
    if x < (a + 1.0) / (a + b + 2.0) {
        front * beta_fraction(x, a, b) / a
    } else {
        1.0 - front * beta_fraction(1.0 - x, b, a) / b
    }
}

fn beta_fraction(x: f64, a: f64, b: f64) -> f64 {
    let away = |v: f64| if v.abs() < 1e-300 { 1e-300 } else { v };
    let mut c = 1.0;
    let mut d = 1.0 / away(1.0 - (a + b) * x / (a + 1.0));
    let mut value = d;
    for step in 1..500 {
        let m = f64::from(step);
        let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        for term in [even, odd] {
            d = 1.0 / away(1.0 + term * d);
            c = away(1.0 + term / c);
            value *= d * c;
        }
        if (d * c - 1.0).abs() < 1e-14 {
            break;
        }
    }
    value
}

/// Logarithm of the gamma function for x > 0 (Lanczos, g = 7).
fn ln_gamma(x: f64) -> f64 {
    const G: [f64; 9] = [
        0.999_999_999_999_809_9,
        676.520_368_121_885_1,
        -1_259.139_216_722_402_8,
        771.323_428_777_653_1,
        -176.615_029_162_140_6,
        12.507_343_278_686_905,
        -0.138_571_095_265_720_12,
        9.984_369_578_019_572e-6,
        1.505_632_735_149_311_6e-7,
    ];
    if x < 0.5 {
        return (std::f64::consts::PI / (std::f64::consts::PI * x).sin()).ln() - ln_gamma(1.0 - x);
    }
    let x = x - 1.0;
    let t = x + 7.5;
    let sum = G[0] + G[1..].iter().zip(1..).map(|(g, i)| g / (x + f64::from(i))).sum::<f64>();
    0.5 * (2.0 * std::f64::consts::PI).ln() + (x + 0.5) * t.ln() - t + sum.ln()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(got: f64, expected: f64) {
        assert!((got - expected).abs() < 1e-6, "{got}, not {expected}");
    }

    #[test]
    fn students_tail_is_that_of_the_tables() {
        // Two-sided 5 % points: 12.706, 2.228, 1.984; t with one degree is Cauchy's.
        near(student_tail(1.0, 1), 0.25);
        for (t, freedom, tail) in [(12.706_204_736, 1, 0.025), (2.228_138_852, 10, 0.025), (1.983_971_519, 100, 0.025)]
        {
            near(student_tail(t, freedom), tail);
        }
        near(student_tail(0.0, 5), 0.5);
        assert!(student_tail(50.0, 63) < 1e-40);
    }

    #[test]
    fn a_lead_is_paired_and_one_target_proves_nothing() {
        // Differences 1, 1, 0, 2: mean 1, sample variance 2/3.
        let (mean, se, p) = lead(&[1.0, 2.0, 3.0, 4.0], &[0.0, 1.0, 3.0, 2.0]);
        near(mean, 1.0);
        near(se, (2.0_f64 / 3.0 / 4.0).sqrt());
        assert_eq!(p, 0.125, "three that differ cannot say more");
        assert_eq!(lead(&[1.0], &[0.0]), (1.0, 0.0, 0.5));
        assert_eq!(lead(&[0.0; 9], &[0.0; 9]), (0.0, 0.0, 1.0));
        assert_eq!(lead(&[0.0; 9], &[1.0; 9]).2, 1.0, "behind is no lead");
        assert_eq!(lead(&[1.0; 10], &[0.0; 10]).2, 0.5_f64.powi(10));
        assert_eq!(lead(&[], &[]).2, 1.0);
    }

    #[test]
    fn an_interval_is_wide_over_few_pairs() {
        // Differences 1, 2, 3, 4, 5: mean 3, standard error √½; t of 4 degrees is 2.776.
        let [low, high] = interval(&[2.0, 4.0, 6.0, 8.0, 10.0], &[1.0, 2.0, 3.0, 4.0, 5.0]).unwrap();
        near(low, 3.0 - 2.776_445_105 * 0.5_f64.sqrt());
        near(high, 3.0 + 2.776_445_105 * 0.5_f64.sqrt());
        let [low, high] = interval(&[1.0, 0.0], &[0.0, 0.0]).unwrap();
        near(high - low, 12.706_204_736);
        assert_eq!(interval(&[1.0], &[0.0]), None);
        assert_eq!(interval(&[1.0; 3], &[0.0; 3]), Some([1.0; 2]));
    }

    #[test]
    fn looking_often_costs() {
        assert_eq!(holm(&[]), Vec::<f64>::new());
        assert_eq!(holm(&[0.03]), [0.03]);
        // Smallest times three, next times two but no less than that, largest as it is but no less.
        let corrected = holm(&[0.04, 0.01, 0.03]);
        [0.06, 0.03, 0.06].iter().zip(&corrected).for_each(|(expected, got)| near(*got, *expected));
        assert_eq!(holm(&[0.6, 0.9]), [1.0, 1.0]);
    }

    #[test]
    fn a_shares_error_is_binomial() {
        near(share_error(50.0, 100), 5.0);
        // One of one is no certainty: as one of three.
        near(share_error(100.0, 1), 47.140_452_1);
        near(share_error(0.0, 8), 10.606_601_7);
        assert!(share_error(50.0, 0).is_nan() && share_error(f64::NAN, 8).is_nan());
    }
}

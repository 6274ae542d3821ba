//! How far a share that was counted may lie from the true one.

/// Quantile of the normal distribution that leaves 2.5 % on each side.
const Z: f64 = 1.959_963_984_540_054;

/// The 95 % band of a share of which `hits` of `of` were counted, from 0 to 1: Wilson's score interval (1927). Unlike
/// ±1.96 standard errors it stays within 0 and 1, and has a width where all or none were hits. With none counted it is
/// everything.
///
/// ```
/// let (low, high) = cutlayer::score::band::wilson(150, 200);
/// assert!((low - 0.6857).abs() < 1e-4 && (high - 0.8049).abs() < 1e-4);
/// ```
pub fn wilson(hits: usize, of: usize) -> (f64, f64) {
    if of == 0 {
        return (0.0, 1.0);
    }
    let (n, share) = (of as f64, hits as f64 / of as f64);
    let shrink = 1.0 + Z * Z / n;
    let centre = (share + Z * Z / (2.0 * n)) / shrink;
    let half = Z / shrink * (share * (1.0 - share) / n + Z * Z / (4.0 * n * n)).sqrt();
    ((centre - half).max(0.0), (centre + half).min(1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bands_are_those_of_the_formula() {
        // Worked out apart from this function.
        for (hits, of, low, high) in [
            (0, 10, 0.0, 0.277_533),
            (10, 10, 0.722_467, 1.0),
            (5, 10, 0.236_593, 0.763_407),
            (100, 200, 0.431_361, 0.568_639),
        ] {
            let band = wilson(hits, of);
            assert!((band.0 - low).abs() < 1e-5 && (band.1 - high).abs() < 1e-5, "{hits} of {of}: {band:?}");
        }
        assert_eq!(wilson(0, 0), (0.0, 1.0));
    }
}

//! How alike two images are. Pixels are float32 in \[0, 1\]; sums are in float64.

/// Mean squared error.
///
/// # Panics
/// Where the images differ in size.
pub fn mse(a: &[f32], b: &[f32]) -> f64 {
    assert_eq!(a.len(), b.len(), "images of one size");
    a.iter().zip(b).map(|(&a, &b)| (f64::from(a) - f64::from(b)).powi(2)).sum::<f64>() / a.len() as f64
}

/// Peak signal-to-noise ratio in dB for a peak of 1; infinite where the error is 0.
pub fn psnr(mse: f64) -> f64 {
    -10.0 * mse.log10()
}

/// Pearson's correlation, −1 to 1; 0 where one of the two is constant.
///
/// # Panics
/// Where the images differ in size.
pub fn pearson(a: &[f32], b: &[f32]) -> f64 {
    assert_eq!(a.len(), b.len(), "images of one size");
    let mean = |values: &[f32]| values.iter().map(|&v| f64::from(v)).sum::<f64>() / values.len() as f64;
    let (mean_a, mean_b) = (mean(a), mean(b));
    let (mut aa, mut bb, mut ab) = (0.0, 0.0, 0.0);
    for (&a, &b) in a.iter().zip(b) {
        let (a, b) = (f64::from(a) - mean_a, f64::from(b) - mean_b);
        aa += a * a;
        bb += b * b;
        ab += a * b;
    }
    if aa == 0.0 || bb == 0.0 { 0.0 } else { ab / (aa * bb).sqrt() }
}

/// Standard deviation of SSIM's window, in pixels.
const SIGMA: f64 = 1.5;
/// Reach of the window: it is cut at 3.5 standard deviations.
const RADIUS: usize = 5;
/// Width of the window, in pixels.
const TAPS: usize = 2 * RADIUS + 1;

/// Structural similarity, at most 1 (Wang 2004, as `skimage.metrics.structural_similarity` with
/// `data_range=1, gaussian_weights=True, sigma=1.5, use_sample_covariance=False`): the mean over the
/// channels and over the map less a border of 5 pixels, where the window would reach outside.
/// `shape` is C, H, W.
///
/// An image with a side below 11 (where skimage gives up) has no such inside: its whole map counts,
/// the window seeing the image mirrored at its edges.
///
/// # Panics
/// Where an image is not of that shape.
pub fn ssim(a: &[f32], b: &[f32], shape: [usize; 3]) -> f64 {
    let [channels, height, width] = shape;
    let (a, b) = (planes(a, shape), planes(b, shape));
    a.iter().zip(&b).map(|(a, b)| similarity(a, b, height, width).0).sum::<f64>() / channels as f64
}

/// The channels of an image of a shape (C, H, W).
///
/// # Panics
/// Where the image is not of that shape.
pub(super) fn planes(image: &[f32], shape: [usize; 3]) -> Vec<Vec<f64>> {
    let [channels, height, width] = shape;
    assert_eq!(image.len(), channels * height * width, "an image of the shape {shape:?}");
    image.chunks_exact(height * width).map(|plane| plane.iter().map(|&v| f64::from(v)).collect()).collect()
}

/// The smallest side inside of which the window fits.
pub(super) const SIDE: usize = TAPS;

/// SSIM of one channel, and the same without its factor of luminance: contrast and structure alone.
pub(super) fn similarity(a: &[f64], b: &[f64], height: usize, width: usize) -> (f64, f64) {
    const C1: f64 = 0.01 * 0.01;
    const C2: f64 = 0.03 * 0.03;
    let blurred = |x: &[f64], y: &[f64]| {
        let product: Vec<f64> = x.iter().zip(y).map(|(x, y)| x * y).collect();
        blur(&product, height, width)
    };
    let (mean_a, mean_b) = (blur(a, height, width), blur(b, height, width));
    let (aa, bb, ab) = (blurred(a, a), blurred(b, b), blurred(a, b));
    let border = if height.min(width) < TAPS { 0 } else { RADIUS };
    let (mut whole, mut contrast) = (0.0, 0.0);
    for y in border..height - border {
        for i in y * width + border..(y + 1) * width - border {
            let (ma, mb) = (mean_a[i], mean_b[i]);
            let (var_a, var_b, cov) = (aa[i] - ma * ma, bb[i] - mb * mb, ab[i] - ma * mb);
            whole += (2.0 * ma * mb + C1) * (2.0 * cov + C2) / ((ma * ma + mb * mb + C1) * (var_a + var_b + C2));
            contrast += (2.0 * cov + C2) / (var_a + var_b + C2);
        }
    }
    let count = ((height - 2 * border) * (width - 2 * border)) as f64;
    (whole / count, contrast / count)
}

/// The Gaussian window over an H × W plane, first along rows, then along columns.
fn blur(plane: &[f64], height: usize, width: usize) -> Vec<f64> {
    let window = window();
    let mut rows = Vec::with_capacity(plane.len());
    let across = seen(width);
    for row in plane.chunks_exact(width) {
        rows.extend(across.iter().map(|seen| window.iter().zip(seen).map(|(weight, &x)| weight * row[x]).sum::<f64>()));
    }
    let mut both = Vec::with_capacity(plane.len());
    for seen in seen(height) {
        let sum = |x| window.iter().zip(&seen).map(|(weight, &y)| weight * rows[y * width + x]).sum::<f64>();
        both.extend((0..width).map(sum));
    }
    both
}

/// The window's weights, which sum to 1.
fn window() -> [f64; TAPS] {
    let weights: [f64; TAPS] = std::array::from_fn(|i| (-0.5 * ((i as f64 - RADIUS as f64) / SIGMA).powi(2)).exp());
    let sum: f64 = weights.iter().sum();
    weights.map(|weight| weight / sum)
}

/// For each place on a side of `n` pixels, the places its window sees: outside, the side is mirrored
/// with its edge pixel repeated (d c b a | a b c d | d c b a), as often as it takes.
fn seen(n: usize) -> Vec<[usize; TAPS]> {
    let mirrored = |i: isize| {
        let i = i.rem_euclid(2 * n as isize) as usize;
        if i < n { i } else { 2 * n - 1 - i }
    };
    (0..n).map(|centre| std::array::from_fn(|tap| mirrored((centre + tap) as isize - RADIUS as isize))).collect()
}

/// How near a reconstruction comes to the truth.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Score {
    /// Mean squared error; 0 is exact.
    pub mse: f64,
    /// Peak signal-to-noise ratio in dB; infinite where exact.
    pub psnr: f64,
    /// Structural similarity; 1 is exact.
    pub ssim: f64,
}

/// Scores what an attacker got, clamped to \[0, 1\] as a viewer would, against the true image.
/// `shape` is C, H, W. What is not a number stays so in the score.
///
/// # Panics
/// Where an image is not of that shape.
pub fn score(got: &[f32], truth: &[f32], shape: [usize; 3]) -> Score {
    let got: Vec<f32> = got.iter().map(|value| value.clamp(0.0, 1.0)).collect();
    let mse = mse(&got, truth);
    Score { mse, psnr: psnr(mse), ssim: ssim(&got, truth, shape) }
}

/// The mean and its standard error, √(sample variance / n). The mean of nothing and the error of
/// fewer than two values are not numbers.
pub fn mean_and_error(values: &[f64]) -> (f64, f64) {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    let error = if values.len() < 2 { f64::NAN } else { (squares / (n - 1.0) / n).sqrt() };
    (mean, error)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(got: f64, expected: f64) {
        assert!((got - expected).abs() < 1e-6, "{got}, not {expected}");
    }

    /// An image without symmetry: rows, columns and channels cannot be exchanged unnoticed.
    fn pattern(n: usize, step: usize) -> Vec<f32> {
        (0..n).map(|i| (i * step % 97) as f32 / 96.0).collect()
    }

    #[test]
    fn errors_are_those_computed_by_hand() {
        near(mse(&[0.0, 1.0, 0.5], &[0.5, 1.0, 0.0]), 0.5 / 3.0);
        near(psnr(0.01), 20.0);
        assert_eq!(psnr(0.0), f64::INFINITY);
        near(pearson(&[1.0, 2.0, 3.0], &[3.0, 2.0, 1.0]), -1.0);
        near(pearson(&[1.0, 2.0, 3.0, 4.0], &[1.0, 3.0, 2.0, 4.0]), 0.8);
        near(pearson(&[1.0, 1.0], &[0.0, 1.0]), 0.0);
        // Sample variance 4, over 3 values.
        let (mean, error) = mean_and_error(&[1.0, 3.0, 5.0]);
        near(mean, 3.0);
        near(error, (4.0_f64 / 3.0).sqrt());
        assert!(mean_and_error(&[1.0]).1.is_nan());
    }

    #[test]
    fn reference_values_are_met() {
        let case: serde_json::Value =
            serde_json::from_str(include_str!("../../tests/golden/image_metrics.json")).expect("a JSON file");
        let image = |name: &str| -> Vec<f32> {
            let data = case["inputs"][name]["data"].as_array().expect("an image");
            data.iter().map(|value| value.as_f64().expect("a number") as f32).collect()
        };
        let score = score(&image("a"), &image("b"), [1, 28, 28]);
        for (name, got) in [("mse", score.mse), ("psnr", score.psnr), ("ssim", score.ssim)] {
            let expected = case["expected"][name].as_f64().expect("a number");
            assert!((got - expected).abs() <= 1e-4 * expected.abs(), "{name}: {got}, not {expected}");
        }
    }

    #[test]
    fn ssim_agrees_with_the_definition() {
        let (height, width) = (13, 17);
        let (a, b) = (pattern(2 * height * width, 31), pattern(2 * height * width, 58));
        let window = window();
        let mut expected = 0.0;
        for channel in 0..2 {
            for (y, x) in (RADIUS..height - RADIUS).flat_map(|y| (RADIUS..width - RADIUS).map(move |x| (y, x))) {
                // Weighted sums of 1, a, b, a², b², ab over the window around (y, x).
                let mut sums = [0.0; 5];
                for (dy, dx) in (0..TAPS).flat_map(|dy| (0..TAPS).map(move |dx| (dy, dx))) {
                    let i = (channel * height + y + dy - RADIUS) * width + x + dx - RADIUS;
                    let (a, b, weight) = (f64::from(a[i]), f64::from(b[i]), window[dy] * window[dx]);
                    for (sum, value) in sums.iter_mut().zip([a, b, a * a, b * b, a * b]) {
                        *sum += weight * value;
                    }
                }
                let [ma, mb, aa, bb, ab] = sums;
                let (va, vb, cov) = (aa - ma * ma, bb - mb * mb, ab - ma * mb);
                expected +=
                    (2.0 * ma * mb + 1e-4) * (2.0 * cov + 9e-4) / ((ma * ma + mb * mb + 1e-4) * (va + vb + 9e-4));
            }
        }
        near(ssim(&a, &b, [2, height, width]), expected / f64::from(2 * 3 * 7));
    }

    #[test]
    fn equal_images_are_alike_whatever_their_size() {
        for (height, width) in [(28, 28), (11, 11), (10, 40), (3, 2), (1, 1)] {
            let image = pattern(3 * height * width, 31);
            near(ssim(&image, &image, [3, height, width]), 1.0);
            let other = pattern(3 * height * width, 58);
            let value = ssim(&image, &other, [3, height, width]);
            assert!(value < 1.0 && value > -1.0, "{height} × {width}: {value}");
        }
    }

    #[test]
    fn scores_see_the_clamped_image() {
        let truth = pattern(12 * 12, 31);
        let wild: Vec<f32> = truth.iter().map(|&v| if v == 1.0 { 7.0 } else { v }).collect();
        let exact = score(&wild, &truth, [1, 12, 12]);
        assert_eq!((exact.mse, exact.psnr), (0.0, f64::INFINITY));
        near(exact.ssim, 1.0);
    }

    #[test]
    fn mirrored_edges_repeat_the_edge_pixel() {
        assert_eq!(seen(4)[0], [3, 3, 2, 1, 0, 0, 1, 2, 3, 3, 2]);
        assert_eq!(seen(1)[0], [0; TAPS]);
    }
}

//! Structural similarity at several scales: nearer to how alike two images look than at one, and without a network whose
//! weights would have to be downloaded.

use super::image::{SIDE, planes, similarity};

/// Weights of the scales, finest first (Wang, Simoncelli & Bovik 2003).
const WEIGHTS: [f64; 5] = [0.0448, 0.2856, 0.3001, 0.2363, 0.1333];

/// How many scales images of such a side allow: as many of the five as keep both sides at 11 pixels or more, where the
/// window fits; none below.
pub fn scales(height: usize, width: usize) -> usize {
    let side = height.min(width);
    (0..WEIGHTS.len()).take_while(|scale| side >> scale >= SIDE).count()
}

/// Multi-scale structural similarity, at most 1, of images of a shape (C, H, W), the mean over their channels; none where not
/// even one scale fits. The weights of the scales there are sum to 1; luminance counts at the coarsest alone; a negative
/// factor counts as 0; each scale is the mean of 2 × 2 pixels of the one before.
///
/// # Panics
/// Where an image is not of that shape.
pub fn ms_ssim(a: &[f32], b: &[f32], shape: [usize; 3]) -> Option<f64> {
    let [channels, mut height, mut width] = shape;
    let count = scales(height, width);
    let total: f64 = WEIGHTS[..count].iter().sum();
    let (mut a, mut b) = (planes(a, shape), planes(b, shape));
    let mut values = vec![1.0; channels];
    for (scale, weight) in WEIGHTS[..count].iter().enumerate() {
        for (value, (a, b)) in values.iter_mut().zip(a.iter().zip(&b)) {
            let (whole, contrast) = similarity(a, b, height, width);
            let factor = if scale + 1 == count { whole } else { contrast };
            *value *= factor.max(0.0).powf(weight / total);
        }
        let halved = |planes: &[Vec<f64>]| planes.iter().map(|plane| halved(plane, height, width)).collect();
        (a, b) = (halved(&a), halved(&b));
        (height, width) = (height / 2, width / 2);
    }
    (count > 0).then(|| values.iter().sum::<f64>() / channels as f64)
}

/// Means of 2 × 2 pixels; what is left over at an edge is dropped.
fn halved(plane: &[f64], height: usize, width: usize) -> Vec<f64> {
    let (rows, columns) = (height / 2, width / 2);
    let mean = |y: usize, x: usize| {
        let above = 2 * y * width + 2 * x;
        (plane[above] + plane[above + 1] + plane[above + width] + plane[above + width + 1]) / 4.0
    };
    (0..rows * columns).map(|i| mean(i / columns, i % columns)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reference_values_are_met() {
        let case: serde_json::Value =
            serde_json::from_str(include_str!("../../tests/golden/ms_ssim.json")).expect("a JSON file");
        for side in [28, 64] {
            let image = |name: &str| -> Vec<f32> {
                let data = case["inputs"][format!("{name}{side}")]["data"].as_array().expect("an image");
                data.iter().map(|value| value.as_f64().expect("a number") as f32).collect()
            };
            let expected = |name: &str| case["expected"][format!("{name}{side}")].as_f64().expect("a number");
            assert_eq!(scales(side, side) as f64, expected("scales"));
            let got = ms_ssim(&image("a"), &image("b"), [1, side, side]).unwrap();
            assert!((got - expected("ms_ssim")).abs() < 1e-4, "{side}: {got}");
        }
    }

    #[test]
    fn an_image_is_like_itself_at_every_scale_and_like_no_negative() {
        let image: Vec<f32> = (0..3 * 45 * 30).map(|i| (i * 31 % 97) as f32 / 96.0).collect();
        let negative: Vec<f32> = image.iter().map(|value| 1.0 - value).collect();
        assert!((ms_ssim(&image, &image, [3, 45, 30]).unwrap() - 1.0).abs() < 1e-12);
        assert_eq!(ms_ssim(&image, &negative, [3, 45, 30]), Some(0.0));
        assert_eq!(ms_ssim(&image[..100], &image[..100], [1, 10, 10]), None);
        assert_eq!([10, 11, 22, 28, 64, 175, 176, 4000].map(|side| scales(side, 4000)), [0, 1, 2, 2, 3, 4, 5, 5]);
    }
}

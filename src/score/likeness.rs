//! How alike two pictures of bodies are, by what of them: all pixels, the outline alone, two numbers, or what is inside.
//!
//! A patient's other picture may be of the other side, so each is also compared with its mirror image, and the better counts.

use rayon::prelude::*;

/// Brighter than this is body, darker is the black around it; white is 1.
const BODY: f32 = 1.0 / 16.0;
/// Fewer pixels within both outlines say nothing.
const FEWEST: usize = 16;

/// By what two pictures are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// All pixels: their correlation.
    Pixels,
    /// What is body and what is not: the correlation of the two masks.
    Silhouette,
    /// Area of the body and its mean brightness, each over its spread: how near they are.
    TwoNumbers,
    /// The pixels within both outlines: their correlation.
    Inside,
}

/// Pictures (C, H, W) made ready to be compared.
#[derive(Clone, Debug)]
pub struct Pictures {
    width: usize,
    images: Vec<Vec<f32>>,
}

impl Pictures {
    /// Of one size, `width` wide.
    pub fn new(images: Vec<Vec<f32>>, width: usize) -> Self {
        Self { width, images }
    }

    /// How alike each of these (rows) is to each of the others (columns); more is more alike.
    pub fn alike(&self, others: &Self, by: By) -> Vec<f64> {
        if by == By::TwoNumbers {
            return near(&self.two_numbers(), &others.two_numbers());
        }
        let prepared = |images: &[Vec<f32>]| -> Vec<Vec<f32>> {
            images.iter().map(|image| if by == By::Silhouette { mask(image) } else { image.clone() }).collect()
        };
        let (own, theirs) = (prepared(&self.images), prepared(&others.images));
        let alike: fn(&[f32], &[f32]) -> f64 = if by == By::Inside { inside } else { product };
        let [own, theirs] = [own, theirs].map(|all| if by == By::Inside { all } else { standardised(all) });
        let row = |own: &Vec<f32>| {
            let mirrored = self.mirrored(own);
            theirs.iter().map(|other| alike(own, other).max(alike(&mirrored, other))).collect::<Vec<_>>()
        };
        own.par_iter().flat_map_iter(row).collect()
    }

    fn mirrored(&self, image: &[f32]) -> Vec<f32> {
        image.chunks(self.width).flat_map(|row| row.iter().rev().copied()).collect()
    }

    /// Share of the picture that is body, and its mean brightness.
    fn two_numbers(&self) -> Vec<[f64; 2]> {
        let of = |image: &Vec<f32>| {
            let body: Vec<f64> = image.iter().filter(|v| **v > BODY).map(|v| f64::from(*v)).collect();
            let area = body.len() as f64 / image.len().max(1) as f64;
            [area, body.iter().sum::<f64>() / body.len().max(1) as f64]
        };
        self.images.iter().map(of).collect()
    }
}

fn mask(image: &[f32]) -> Vec<f32> {
    image.iter().map(|v| f32::from(u8::from(*v > BODY))).collect()
}

/// Mean 0 and length 1, so that a product is a correlation; nothing where an image does not vary.
fn standardised(images: Vec<Vec<f32>>) -> Vec<Vec<f32>> {
    let one = |image: Vec<f32>| -> Vec<f32> {
        let mean = image.iter().map(|v| f64::from(*v)).sum::<f64>() / image.len() as f64;
        let length = image.iter().map(|v| (f64::from(*v) - mean).powi(2)).sum::<f64>().sqrt();
        image.iter().map(|v| if length > 0.0 { ((f64::from(*v) - mean) / length) as f32 } else { 0.0 }).collect()
    };
    images.into_iter().map(one).collect()
}

fn product(a: &[f32], b: &[f32]) -> f64 {
    a.iter().zip(b).map(|(a, b)| f64::from(a * b)).sum()
}

/// The correlation of the pixels within both outlines.
fn inside(a: &[f32], b: &[f32]) -> f64 {
    let both = a.iter().zip(b).filter(|(a, b)| **a > BODY && **b > BODY).map(|(a, b)| (*a, *b));
    if both.clone().count() < FEWEST { -1.0 } else { correlation(both) }
}

/// Pearson's; 0 where one of the two does not vary.
fn correlation(pairs: impl Iterator<Item = (f32, f32)> + Clone) -> f64 {
    let (mut n, mut x, mut y) = (0.0, 0.0, 0.0);
    for (a, b) in pairs.clone() {
        n += 1.0;
        x += f64::from(a);
        y += f64::from(b);
    }
    let (x, y) = (x / n, y / n);
    let (mut xx, mut yy, mut xy) = (0.0, 0.0, 0.0);
    for (a, b) in pairs {
        let (a, b) = (f64::from(a) - x, f64::from(b) - y);
        xx += a * a;
        yy += b * b;
        xy += a * b;
    }
    let product = (xx * yy).sqrt();
    if product > 0.0 { xy / product } else { 0.0 }
}

/// Minus the distances of pairs of numbers, each over its spread among the others.
fn near(own: &[[f64; 2]], others: &[[f64; 2]]) -> Vec<f64> {
    let spread = |k: usize| {
        let mean = others.iter().map(|two| two[k]).sum::<f64>() / others.len() as f64;
        let variance = others.iter().map(|two| (two[k] - mean).powi(2)).sum::<f64>() / others.len() as f64;
        if variance > 0.0 { variance.sqrt() } else { 1.0 }
    };
    let spreads = [spread(0), spread(1)];
    let distance = |a: &[f64; 2], b: &[f64; 2]| ((a[0] - b[0]) / spreads[0]).hypot((a[1] - b[1]) / spreads[1]);
    own.iter().flat_map(|a| others.iter().map(move |b| -distance(a, b))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A body of one brightness on black, from a column on, in a picture of 8 × 8; `mark` is a bright pixel in it.
    fn picture(from: usize, brightness: f32, mark: usize) -> Vec<f32> {
        (0..64)
            .map(|i| {
                if i == mark {
                    1.0
                } else if i % 8 >= from {
                    brightness
                } else {
                    0.0
                }
            })
            .collect()
    }

    fn alike(a: Vec<f32>, b: &[Vec<f32>], by: By) -> Vec<f64> {
        Pictures::new(vec![a], 8).alike(&Pictures::new(b.to_vec(), 8), by)
    }

    #[test]
    fn each_way_of_comparing_sees_its_own() {
        let others = [picture(4, 0.5, 5), picture(2, 0.5, 5), picture(4, 0.9, 60)];
        let own = picture(4, 0.5, 5);
        let outline = alike(own.clone(), &others, By::Silhouette);
        assert!((outline[0] - 1.0).abs() < 1e-6 && (outline[2] - 1.0).abs() < 1e-6 && outline[1] < 0.9, "{outline:?}");
        let pixels = alike(own.clone(), &others, By::Pixels);
        assert!((pixels[0] - 1.0).abs() < 1e-6 && pixels[2] < 0.999, "{pixels:?}");
        let inside = alike(own.clone(), &others, By::Inside);
        // Another outline, and the same mark in it.
        assert!((inside[1] - 1.0).abs() < 1e-9 && inside[2] < 0.1, "{inside:?}");
        let numbers = alike(own, &others, By::TwoNumbers);
        assert!(numbers[0] == 0.0 && numbers[1] < -0.5 && numbers[2] < -0.5, "{numbers:?}");
    }

    #[test]
    fn the_other_side_is_as_good() {
        let own = picture(4, 0.5, 5);
        let mirrored = Pictures::new(Vec::new(), 8).mirrored(&own);
        for by in [By::Pixels, By::Silhouette, By::Inside, By::TwoNumbers] {
            let one = alike(own.clone(), std::slice::from_ref(&own), by)[0];
            assert!((alike(mirrored.clone(), std::slice::from_ref(&own), by)[0] - one).abs() < 1e-9, "{by:?}");
        }
        assert_eq!(alike(vec![0.0; 64], std::slice::from_ref(&own), By::Pixels), [0.0], "nothing is like nothing");
        assert_eq!(alike(vec![0.0; 64], &[own], By::Inside), [-1.0]);
    }
}

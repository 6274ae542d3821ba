//! What defences send and learn by.

use std::sync::Arc;

use candle_core::{Device, Tensor};
use cutlayer::defence::binarise::binarised;
use cutlayer::defence::cem::loss::{Centres, Measure, spread};
use cutlayer::defence::clip::Norm;
use cutlayer::defence::orthogonal::{Projection, through};
use cutlayer::engine::correlation::distance_correlation;
use cutlayer::engine::similarity::ssim;
use cutlayer::random::Seed;

use super::{STEP, TOLERANCE, check, noise, values};

/// Compares a gradient that comes beside a value with central differences of that value.
fn beside(z: &Tensor, f: impl Fn(&Tensor) -> (f64, Tensor)) {
    let gradient = values(&f(z).1);
    let at = |j: usize, change: f64| {
        let mut moved = values(z);
        moved[j] += change;
        f(&Tensor::from_vec(moved, z.shape(), &Device::Cpu).unwrap()).0
    };
    let numeric: Vec<f64> = (0..z.elem_count()).map(|j| (at(j, STEP) - at(j, -STEP)) / (2.0 * STEP)).collect();
    let largest = numeric.iter().fold(0.0f64, |m, v| m.max(v.abs()));
    assert!(largest > 1e-3, "the value hardly depends on z: nothing is compared");
    for (j, (got, want)) in gradient.into_iter().zip(numeric).enumerate() {
        // Written so that NaN fails.
        let near = (got - want).abs() <= TOLERANCE * largest;
        assert!(near, "entry {j}: the gradient is {got}, differences give {want}");
    }
}

#[test]
fn the_distance_correlation_by_what_is_sent() {
    let x = noise("images", &[6, 1, 4, 4]);
    for shape in [&[6, 3][..], &[6, 2, 3, 2]] {
        beside(&noise("z", shape), |z| {
            let found = distance_correlation(&x, z).unwrap();
            (found.value, found.gradient)
        });
    }
}

#[test]
fn the_spread_about_centres_by_what_is_sent() {
    let labels = [0, 1, 0, 1, 2, 0, 0, 1];
    let centres: Vec<Centres> = (0..3)
        .map(|class| {
            noise(&format!("centres {class}"), &[2, 6]).to_dtype(candle_core::DType::F32).unwrap().to_vec2().unwrap()
        })
        .collect();
    for measure in [Measure::Log, Measure::Linear] {
        beside(&noise("z", &[8, 1, 3, 2]), |z| {
            let found = spread(z, &labels, &centres, measure).unwrap();
            (found.value, found.gradient)
        });
    }
}

#[test]
fn the_similarity_of_images_by_both() {
    // In the range of pixels.
    let image = |name, shape: &[usize]| ((noise(name, shape) * 0.5).unwrap() + 0.5).unwrap();
    for shape in [[2, 1, 13, 12], [1, 2, 6, 5]] {
        check(&[image("a", &shape), image("b", &shape)], |v| ssim(&v[0], &v[1]).unwrap());
    }
}

#[test]
fn clipping_to_a_norm() {
    // One sample above the norm and one below.
    for (norm, c) in [(Norm::Two, 1.5), (Norm::One, 5.0)] {
        let z = || {
            (noise("z", &[2, 3, 4])
                * Tensor::new(&[2.0, 0.1], &Device::Cpu)
                    .unwrap()
                    .reshape((2, 1, 1))
                    .unwrap()
                    .broadcast_as((2, 3, 4))
                    .unwrap())
            .unwrap()
        };
        check(&[z()], |v| norm.clipped(&v[0], c).unwrap());
    }
}

#[test]
fn a_projection_and_its_way_back() {
    for (n, k) in [(24, 7), (600, 100)] {
        let projection = Arc::new(Projection::drawn(n, k, Seed(1)));
        check(&[noise("z", &[2, n / 2, 2])], |v| through(&projection, &v[0]).unwrap().sqr().unwrap());
    }
}

#[test]
fn what_goes_straight_through_comes_back_as_it_is() {
    let z = candle_core::Var::from_tensor(&noise("z", &[2, 9]).to_dtype(candle_core::DType::F32).unwrap()).unwrap();
    let weights = noise("weights", &[2, 9]).to_dtype(candle_core::DType::F32).unwrap();
    let end = (binarised(&z).unwrap() * &weights).unwrap().sum_all().unwrap();
    let back = end.backward().unwrap().remove(&z).unwrap();
    assert_eq!(back.to_vec2::<f32>().unwrap(), weights.to_vec2::<f32>().unwrap());
}

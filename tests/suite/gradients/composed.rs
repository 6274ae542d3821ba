//! What PSGL, the models and the attacks put together from both.

use cutlayer::attack::rmle;
use cutlayer::defence::psgl::downsample::{pack, pack_with_channel, spread_channel, unpack};
use cutlayer::defence::psgl::fusion::conv_sum;
use cutlayer::engine::activation::relu;
use cutlayer::engine::conv::conv2d;
use cutlayer::engine::linear::linear;
use cutlayer::engine::loss::cross_entropy;
use cutlayer::engine::pool::{Pool, pool};
use cutlayer::engine::shuffle::{depth_to_space, space_to_depth};

use super::{away_from_zero, check, conv_inputs, noise, rows};

#[test]
fn packing_even_and_odd_sides() {
    for (h, w) in [(4, 6), (5, 4), (4, 3), (5, 7), (1, 1)] {
        let channel = noise("channel", &[2, 1, usize::div_ceil(h, 2), usize::div_ceil(w, 2)]);
        check(&[noise("x", &[2, 2, h, w]), channel], |v| pack_with_channel(&v[0], &v[1]).unwrap());
        check(&[noise("x", &[2, 2, h, w]), away_from_zero("map", &[2, 2, h, w])], |v| pack(&v[0], &v[1]).unwrap());
    }
}

#[test]
fn folding_and_unfolding_blocks() {
    check(&[noise("x", &[2, 8, 2, 3])], |v| depth_to_space(&v[0]).unwrap());
    check(&[noise("x", &[2, 2, 4, 6])], |v| space_to_depth(&v[0]).unwrap());
    check(&[noise("x", &[2, 9, 3, 2])], |v| unpack(&v[0], 5, 3).unwrap());
    check(&[noise("x", &[2, 1, 3, 2])], |v| spread_channel(&v[0], 5, 4).unwrap());
    // A layer of the inverse network.
    check(&[noise("x", &[2, 3, 2, 2]), noise("weight", &[8, 3, 1, 1]), noise("bias", &[8])], |v| {
        relu(&depth_to_space(&conv2d(&v[0], &v[1], &v[2], 1, 0).unwrap()).unwrap()).unwrap()
    });
}

#[test]
fn fusion_of_features_with_and_without_relu() {
    for with_relu in [false, true] {
        let [weight, bias] = conv_inputs(2, 4);
        check(&[noise("z", &[2, 2, 3, 4]), noise("low", &[2, 2, 3, 4]), weight, bias], |v| {
            conv_sum(&v[0], &v[1], &v[2], &v[3], with_relu).unwrap()
        });
    }
}

#[test]
fn the_objective_of_rmle_with_total_variation() {
    let shape = [2, 2, 5, 4];
    for tv in [0.0, 0.3] {
        let target = noise("target", &[2, 3, 5, 4]);
        let [weight, bias] = conv_inputs(3, 2);
        check(&[noise("image", &shape), target, weight, bias], |v| {
            let features = relu(&conv2d(&v[0], &v[2], &v[3], 1, 1).unwrap()).unwrap();
            rmle::objective(&features, &v[1], &v[0], tv).unwrap()
        });
    }
    // Total variation alone, and of images a pixel wide or high, which vary in one direction only.
    for shape in [[2, 1, 4, 3], [1, 2, 1, 5], [1, 2, 5, 1]] {
        check(&[noise("image", &shape)], |v| {
            let nothing = v[0].zeros_like().unwrap();
            rmle::objective(&nothing, &nothing, &v[0], 1.5).unwrap()
        });
    }
}

#[test]
fn a_residual_sum_of_convolutions() {
    let weights = |name: &str| [noise(name, &[3, 3, 3, 3]), noise(&format!("{name} bias"), &[3])];
    let [[w1, b1], [w2, b2]] = [weights("first"), weights("second")];
    check(&[noise("x", &[2, 3, 5, 4]), w1, b1, w2, b2], |v| {
        let inner = relu(&conv2d(&v[0], &v[1], &v[2], 1, 1).unwrap()).unwrap();
        (&v[0] + conv2d(&inner, &v[3], &v[4], 1, 1).unwrap()).unwrap()
    });
}

#[test]
fn a_whole_network_down_to_its_loss() {
    let labels = rows(&[1, 0]);
    let inputs = [
        noise("x", &[2, 1, 6, 7]),
        noise("first", &[3, 1, 3, 3]),
        noise("first bias", &[3]),
        noise("last", &[4, 27]),
        noise("last bias", &[4]),
    ];
    check(&inputs, |v| {
        let x = relu(&conv2d(&v[0], &v[1], &v[2], 1, 1).unwrap()).unwrap();
        let x = pool(&x, Pool::Max, 2).unwrap().flatten_from(1).unwrap();
        cross_entropy(&linear(&x, &v[3], &v[4]).unwrap(), &labels).unwrap()
    });
}

//! The engine's own operations, but for normalisation.

use candle_core::{DType, Device, Tensor, Var};
use cutlayer::engine::activation::relu;
use cutlayer::engine::conv::{Finish, conv2d, conv2d_then};
use cutlayer::engine::linear::linear;
use cutlayer::engine::loss::carry_on;
use cutlayer::engine::pool::{Pool, pool};

use super::{away_from_zero, check, check_conv, conv_inputs, distinct, noise, row, rows, values};

#[test]
fn convolutions_of_the_usual_kernels() {
    check_conv([2, 3, 6, 6], 4, [3, 1, 1]);
    check_conv([2, 2, 6, 6], 3, [5, 2, 2]);
    check_conv([2, 3, 4, 5], 2, [1, 1, 0]);
    check_conv([2, 2, 6, 6], 3, [4, 2, 1]);
}

#[test]
fn convolutions_at_the_edges_of_what_is_possible() {
    // One pixel, all else padding.
    check_conv([2, 2, 1, 1], 3, [3, 1, 1]);
    check_conv([1, 2, 1, 1], 2, [5, 1, 2]);
    // One sample, odd sides, and rows and columns that the stride leaves over.
    check_conv([1, 1, 5, 7], 2, [3, 1, 1]);
    check_conv([1, 2, 7, 5], 2, [5, 2, 2]);
    check_conv([2, 1, 7, 8], 2, [3, 2, 0]);
    check_conv([1, 1, 8, 5], 2, [4, 3, 1]);
    // A kernel as large as the image, and windows that lie wholly in the padding.
    check_conv([2, 2, 4, 4], 3, [4, 1, 0]);
    check_conv([1, 2, 3, 2], 2, [1, 1, 1]);
    check_conv([1, 1, 2, 3], 2, [3, 2, 3]);
}

#[test]
fn a_convolution_whose_batch_does_not_divide_into_equal_parts() {
    for samples in [8, 9, 17] {
        check_conv([samples, 1, 3, 3], 2, [3, 1, 1]);
    }
}

#[test]
fn a_convolution_of_views_that_are_not_contiguous() {
    let [weight, bias] = conv_inputs(2, 3);
    check(&[noise("x", &[2, 3, 5, 4]), weight, bias], |v| {
        let (x, weight) = (v[0].transpose(2, 3).unwrap(), v[1].transpose(2, 3).unwrap());
        assert!(!x.is_contiguous() && !weight.is_contiguous());
        conv2d(&x, &weight, &v[2], 1, 1).unwrap()
    });
    let [weight, bias] = conv_inputs(2, 3);
    check(&[noise("x", &[3, 4, 6, 5]), weight, bias], |v| {
        let part = v[0].narrow(0, 1, 2).unwrap().narrow(1, 1, 3).unwrap().narrow(2, 1, 4).unwrap();
        conv2d(&part, &v[1], &v[2], 1, 1).unwrap()
    });
}

#[test]
fn gradients_that_come_back_as_views() {
    let [weight, bias] = conv_inputs(2, 2);
    // A mean hands down one number for all, a transposition one of turned steps.
    check(&[noise("x", &[2, 2, 4, 5]), weight, bias], |v| {
        let y = conv2d(&v[0], &v[1], &v[2], 1, 1).unwrap();
        (y.mean_all().unwrap() + y.sum(1).unwrap().mean_all().unwrap()).unwrap()
    });
    let [weight, bias] = conv_inputs(2, 2);
    check(&[away_from_zero("x", &[2, 2, 4, 5]), weight, bias], |v| {
        let y = conv2d(&relu(&v[0].t().unwrap()).unwrap().t().unwrap(), &v[1], &v[2], 1, 1).unwrap();
        pool(&y.t().unwrap(), Pool::Mean, 2).unwrap().t().unwrap()
    });
    check(&[noise("x", &[3, 4]), noise("weight", &[2, 4]), noise("bias", &[2])], |v| {
        linear(&v[0], &v[1], &v[2]).unwrap().t().unwrap().mean(0).unwrap()
    });
}

#[test]
fn frozen_weights_get_no_gradient_and_change_none() {
    let [weight, bias] = conv_inputs(2, 2);
    let x = Var::from_tensor(&noise("x", &[2, 2, 4, 4])).unwrap();
    let gradients = |weight: &Tensor, bias: &Tensor| {
        conv2d(&x, weight, bias, 1, 1).unwrap().sqr().unwrap().sum_all().unwrap().backward().unwrap()
    };
    let trained = (Var::from_tensor(&weight).unwrap(), Var::from_tensor(&bias).unwrap());
    let all = gradients(&trained.0, &trained.1);
    let one = gradients(&trained.0.detach(), &trained.1.detach());
    assert!(all.get(&trained.0).is_some() && all.get(&trained.1).is_some());
    assert!(one.get(&trained.0).is_none() && one.get(&trained.1).is_none());
    assert_eq!(values(all.get(&x).unwrap()), values(one.get(&x).unwrap()));
}

#[test]
fn a_kernel_larger_than_the_padded_image_is_a_clear_error() {
    let conv = |image: &[usize], kernel: usize, padding: usize| {
        let weight = noise("weight", &[1, 1, kernel, kernel]);
        conv2d(&noise("x", image), &weight, &noise("bias", &[1]), 1, padding)
    };
    assert!(conv(&[1, 1, 3, 3], 5, 1).is_ok());
    for (image, kernel, padding) in [([1, 1, 3, 3], 6, 1), ([1, 1, 2, 9], 3, 0), ([2, 1, 9, 2], 5, 1)] {
        let error = conv(&image, kernel, padding).unwrap_err().to_string();
        let size = format!("{}×{}", image[2], image[3]);
        assert!(error.contains(&format!("{kernel}×{kernel}")) && error.contains(&size), "{error}");
    }
}

#[test]
fn shapes_that_do_not_fit_are_errors() {
    let x = noise("x", &[1, 2, 4, 4]);
    assert!(conv2d(&x, &noise("w", &[1, 3, 3, 3]), &noise("b", &[1]), 1, 1).is_err());
    assert!(conv2d(&x, &noise("w", &[1, 2, 3, 1]), &noise("b", &[1]), 1, 1).is_err());
    assert!(conv2d(&x, &noise("w", &[1, 2, 3, 3]), &noise("b", &[2]), 1, 1).is_err());
    assert!(linear(&noise("x", &[2, 3]), &noise("w", &[4, 2]), &noise("b", &[4])).is_err());
    assert!(linear(&noise("x", &[2, 3]), &noise("w", &[4, 3]), &noise("b", &[3])).is_err());
    assert!(pool(&x, Pool::Max, 5).is_err() && pool(&x, Pool::Mean, 0).is_err());
    assert!(relu(&rows(&[1, 2])).is_err(), "whole numbers have no gradient");
}

#[test]
fn fully_connected_layers() {
    for (samples, inputs, outputs) in [(3, 5, 4), (1, 7, 1), (4, 1, 3)] {
        let weight = noise("weight", &[outputs, inputs]);
        check(&[noise("x", &[samples, inputs]), weight, noise("bias", &[outputs])], |v| {
            linear(&v[0], &v[1], &v[2]).unwrap()
        });
    }
    check(&[noise("x", &[5, 3]), noise("weight", &[5, 2]), noise("bias", &[2])], |v| {
        linear(&v[0].t().unwrap(), &v[1].t().unwrap(), &v[2]).unwrap()
    });
}

#[test]
fn pooling_on_even_and_odd_sides() {
    for kind in [Pool::Max, Pool::Mean] {
        for (shape, side) in [([2, 3, 4, 6], 2), ([2, 2, 5, 7], 2), ([1, 2, 8, 7], 3), ([2, 1, 3, 3], 1)] {
            check(&[distinct("x", &shape)], |v| pool(&v[0], kind, side).unwrap());
        }
        check(&[distinct("x", &[2, 2, 5, 4])], |v| pool(&v[0].transpose(2, 3).unwrap(), kind, 2).unwrap());
    }
}

#[test]
fn pixels_that_pooling_drops_get_no_gradient_and_the_first_of_ties_gets_all() {
    let x = Var::from_tensor(&Tensor::ones((1, 1, 3, 3), DType::F64, &Device::Cpu).unwrap()).unwrap();
    let gradient = |kind| values(pool(&x, kind, 2).unwrap().backward().unwrap().get(&x).unwrap());
    assert_eq!(gradient(Pool::Max), [1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]);
    assert_eq!(gradient(Pool::Mean), [0.25, 0.25, 0.0, 0.25, 0.25, 0.0, 0.0, 0.0, 0.0]);
}

#[test]
fn relu_away_from_zero_and_at_it() {
    check(&[away_from_zero("x", &[3, 7])], |v| relu(&v[0]).unwrap());
    check(&[away_from_zero("x", &[3, 7])], |v| relu(&v[0].t().unwrap()).unwrap());
    let x = Var::from_tensor(&row(&[-1.0, -0.0, 0.0, 1e-300, 2.0])).unwrap();
    let y = relu(&x).unwrap();
    assert_eq!(values(&y), [0.0, 0.0, 0.0, 1e-300, 2.0]);
    assert_eq!(values(y.backward().unwrap().get(&x).unwrap()), [0.0, 0.0, 0.0, 1.0, 1.0]);
}

#[test]
fn what_is_not_a_number_passes_through() {
    let x = row(&[1.0, f64::NAN, -1.0, -2.0]);
    let shows = |y: &Tensor| values(y).iter().any(|v| v.is_nan());
    assert!(shows(&relu(&x).unwrap()));
    let image = x.reshape((1, 1, 2, 2)).unwrap();
    for kind in [Pool::Max, Pool::Mean] {
        assert!(shows(&pool(&image, kind, 2).unwrap()), "{kind:?}");
    }
    assert!(shows(&conv2d(&image, &noise("w", &[1, 1, 3, 3]), &noise("b", &[1]), 1, 1).unwrap()));
    assert!(shows(&linear(&x.reshape((1, 4)).unwrap(), &noise("w", &[2, 4]), &noise("b", &[2])).unwrap()));
}

#[test]
fn what_follows_a_convolution_in_the_same_pass() {
    let inputs = [noise("x", &[2, 2, 7, 6]), noise("weight", &[3, 2, 3, 3]), noise("bias", &[3])];
    for finish in [Finish::Relu, Finish::ReluPool] {
        check(&inputs, |v| conv2d_then(&v[0], &v[1], &v[2], (1, 1), finish).unwrap());
    }
}

#[test]
fn going_on_from_a_gradient_that_came_back() {
    let gradient = noise("gradient", &[2, 3]);
    let x = Var::from_tensor(&noise("x", &[2, 3])).unwrap();
    let carried = (carry_on(&x.sqr().unwrap(), &gradient).unwrap() * 3.0).unwrap().backward().unwrap();
    let multiplied = ((x.sqr().unwrap() * &gradient).unwrap().sum_all().unwrap() * 3.0).unwrap().backward().unwrap();
    for (a, b) in values(carried.get(&x).unwrap()).into_iter().zip(values(multiplied.get(&x).unwrap())) {
        assert!((a - b).abs() < 1e-12);
    }
}

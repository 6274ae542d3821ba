//! Analytic gradients against central finite differences in double precision, for every operation that
//! a loss passes through: the engine's, candle's, and what PSGL and the attacks put together from them.

use candle_core::{D, DType, Device, Tensor, Var};
use candle_nn::ops::{sigmoid, softmax};
use cutlayer::attack::rmle;
use cutlayer::engine::activation::relu;
use cutlayer::engine::conv::{Finish, conv2d, conv2d_input_gradient, conv2d_then, conv2d_weight_gradient};
use cutlayer::engine::linear::linear;
use cutlayer::engine::loss::{carry_on, cross_entropy};
use cutlayer::engine::norm::{Tail, batch_norm, batch_norm_by, group_norm};
use cutlayer::engine::pool::{Pool, pool};
use cutlayer::model::network::Network;
use cutlayer::model::parameters::{Init, Parameters};
use cutlayer::model::second::{soft_cross_entropy, soft_cross_entropy_gradient};
use cutlayer::model::spec::LayerSpec;
use cutlayer::psgl::downsample::{depth_to_space, pack, pack_with_channel, space_to_depth, spread_channel, unpack};
use cutlayer::psgl::fusion::conv_sum;
use cutlayer::random::Seed;

/// Step of the differences: their own error is then about 1e-10.
const STEP: f64 = 1e-5;
/// Allowed difference, relative to the input's largest derivative.
const TOLERANCE: f64 = 1e-6;

/// Fixed float64 values in [−1, 1), others for every name.
fn noise(name: &str, shape: &[usize]) -> Tensor {
    let values = Seed(7).stream(name, 0).uniform_tensor(-1.0, 1.0, shape, &Device::Cpu).unwrap();
    values.to_dtype(DType::F64).unwrap()
}

/// Noise whose magnitudes lie in [.2, 1): away from the kink of a relu and from division by zero.
fn away_from_zero(name: &str, shape: &[usize]) -> Tensor {
    let away = values(&noise(name, shape)).into_iter().map(|v| v * 0.8 + 0.2f64.copysign(v)).collect::<Vec<_>>();
    Tensor::from_vec(away, shape, &Device::Cpu).unwrap()
}

/// Values of which no two are nearer than .1: no ties for a maximum.
fn distinct(name: &str, shape: &[usize]) -> Tensor {
    let order = Seed(7).stream(name, 0).permutation(shape.iter().product());
    let spread: Vec<f64> = order.into_iter().map(|i| i as f64 * 0.1 - 1.0).collect();
    Tensor::from_vec(spread, shape, &Device::Cpu).unwrap()
}

fn values(t: &Tensor) -> Vec<f64> {
    t.flatten_all().unwrap().to_vec1().unwrap()
}

fn row(numbers: &[f64]) -> Tensor {
    Tensor::new(numbers, &Device::Cpu).unwrap()
}

fn rows(numbers: &[u32]) -> Tensor {
    Tensor::new(numbers, &Device::Cpu).unwrap()
}

/// Compares the gradient of sum(f(inputs) · fixed weights) by every input with central differences.
#[track_caller]
fn check(inputs: &[Tensor], f: impl Fn(&[Tensor]) -> Tensor) {
    let vars: Vec<Var> = inputs.iter().map(|input| Var::from_tensor(input).unwrap()).collect();
    let y = f(&vars.iter().map(|var| var.as_tensor().clone()).collect::<Vec<_>>());
    let weights = noise("weights of the sum", y.dims());
    let gradients = (&y * &weights).unwrap().sum_all().unwrap().backward().unwrap();
    let weights = values(&weights);
    let sum = |inputs: &[Tensor]| values(&f(inputs)).iter().zip(&weights).map(|(y, w)| y * w).sum::<f64>();
    for (i, (input, var)) in inputs.iter().zip(&vars).enumerate() {
        let gradient = gradients.get(var).unwrap_or_else(|| panic!("input {i} has no gradient"));
        assert_eq!(gradient.dims(), input.dims(), "shape of the gradient of input {i}");
        let at = |j: usize, change: f64| {
            let mut moved = values(input);
            moved[j] += change;
            let mut all = inputs.to_vec();
            all[i] = Tensor::from_vec(moved, input.shape(), &Device::Cpu).unwrap();
            sum(&all)
        };
        let numeric: Vec<f64> = (0..input.elem_count()).map(|j| (at(j, STEP) - at(j, -STEP)) / (2.0 * STEP)).collect();
        let largest = numeric.iter().fold(0.0f64, |m, v| m.max(v.abs()));
        assert!(largest > 1e-3, "the output hardly depends on input {i}: nothing is compared");
        for (j, (got, want)) in values(gradient).into_iter().zip(numeric).enumerate() {
            // Written so that NaN fails.
            let near = (got - want).abs() <= TOLERANCE * largest;
            assert!(near, "input {i}, entry {j}: the gradient is {got}, differences give {want}");
        }
    }
}

#[test]
#[should_panic(expected = "differences give")]
fn the_comparison_notices_half_a_gradient() {
    check(&[noise("x", &[2, 3])], |v| (&v[0] * v[0].detach()).unwrap());
}

/// A gradient check of a convolution by image, weight and bias.
#[track_caller]
fn check_conv(image: [usize; 4], outputs: usize, [kernel, stride, padding]: [usize; 3]) {
    let weight = noise("weight", &[outputs, image[1], kernel, kernel]);
    check(&[noise("x", &image), weight, noise("bias", &[outputs])], |v| {
        conv2d(&v[0], &v[1], &v[2], stride, padding).unwrap()
    });
}

fn conv_inputs(outputs: usize, channels: usize) -> [Tensor; 2] {
    [noise("weight", &[outputs, channels, 3, 3]), noise("bias", &[outputs])]
}

// --- the engine's ---------------------------------------------------------------------------------

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

// --- normalisation --------------------------------------------------------------------------------

/// How channels are normalised.
#[derive(Clone, Copy, Debug)]
enum Norm {
    Batch,
    Running,
    Groups(usize),
}

/// x, γ, β and, where there are four, a skip connection.
fn normalised(norm: Norm, v: &[Tensor], relu: bool) -> Tensor {
    let tail = Tail { skip: v.get(3), relu };
    let channels = v[1].elem_count();
    match norm {
        Norm::Batch => batch_norm(&v[0], &v[1], &v[2], tail).unwrap().0,
        Norm::Running => {
            let mean = noise("running mean", &[channels]);
            let variance = (noise("running variance", &[channels]).abs().unwrap() + 0.1).unwrap();
            batch_norm_by(&v[0], &v[1], &v[2], [&mean, &variance], tail).unwrap()
        }
        Norm::Groups(groups) => group_norm(&v[0], &v[1], &v[2], groups, tail).unwrap(),
    }
}

/// β is positive, so that a relu lets some of every channel through.
fn norm_inputs(shape: &[usize], with_skip: bool) -> Vec<Tensor> {
    let channels = &shape[1..2];
    let mut inputs = vec![noise("x", shape), away_from_zero("gamma", channels), noise("beta", channels).sqr().unwrap()];
    inputs.extend(with_skip.then(|| noise("skip", shape)));
    inputs
}

#[track_caller]
fn check_norm(norm: Norm, shape: &[usize]) {
    for (with_skip, relu) in [(false, false), (false, true), (true, false), (true, true)] {
        let inputs = norm_inputs(shape, with_skip);
        let before = values(&normalised(norm, &inputs, false));
        let near_kink = before.iter().any(|v| v.abs() < 10.0 * STEP);
        assert!(!(relu && near_kink), "choose another name for the noise: a value lies at the relu's kink");
        check(&inputs, |v| normalised(norm, v, relu));
    }
}

#[test]
fn norm_by_the_batch() {
    // Odd sides, one sample, one channel, images of a pixel, flat features, and planes of more than a block.
    for shape in [&[3, 2, 3, 5][..], &[1, 3, 4, 3], &[4, 1, 3, 3], &[5, 3, 1, 1], &[6, 4], &[2, 1, 17, 19]] {
        check_norm(Norm::Batch, shape);
    }
}

#[test]
fn norm_by_running_statistics() {
    for shape in [&[3, 2, 3, 5][..], &[1, 3, 1, 1], &[1, 1, 2, 2], &[1, 4]] {
        check_norm(Norm::Running, shape);
    }
}

#[test]
fn norm_by_groups() {
    for (shape, groups) in [
        (&[2, 4, 3, 5][..], 2),
        (&[1, 6, 1, 1], 2),
        (&[2, 3, 3, 3], 3),
        (&[2, 3, 2, 3], 1),
        (&[3, 1, 2, 2], 1),
        (&[2, 6], 2),
    ] {
        check_norm(Norm::Groups(groups), shape);
    }
}

#[test]
fn norm_of_views_that_are_not_contiguous() {
    for norm in [Norm::Batch, Norm::Running, Norm::Groups(1)] {
        check(&norm_inputs(&[2, 3, 4, 5], true), |v| {
            let turned = |t: &Tensor| t.transpose(2, 3).unwrap();
            let inputs = [turned(&v[0]), v[1].clone(), v[2].clone(), turned(&v[3])];
            turned(&normalised(norm, &inputs, false))
        });
        check(&norm_inputs(&[3, 3, 4, 5], false), |v| {
            let part = v[0].narrow(0, 1, 2).unwrap().narrow(3, 1, 3).unwrap();
            // A mean hands down one number for all.
            (normalised(norm, &[part, v[1].clone(), v[2].clone()], false).powf(4.0).unwrap()).mean_all().unwrap()
        });
    }
}

#[test]
fn norm_lets_what_is_not_a_number_through() {
    for norm in [Norm::Batch, Norm::Running, Norm::Groups(2)] {
        for relu in [false, true] {
            let mut inputs = norm_inputs(&[2, 2, 2, 2], true);
            let mut broken = values(&inputs[0]);
            broken[3] = f64::NAN;
            inputs[0] = Tensor::from_vec(broken, (2, 2, 2, 2), &Device::Cpu).unwrap();
            assert!(values(&normalised(norm, &inputs, relu))[3].is_nan(), "{norm:?}, relu {relu}");
            assert!(values(&normalised(norm, &inputs[..3], relu))[3].is_nan(), "{norm:?}, relu {relu}, no skip");
        }
    }
}

#[test]
fn norm_with_a_relu_passes_no_gradient_at_zero() {
    // γ = 0 makes every value β = 0.
    let x = Var::from_tensor(&noise("x", &[2, 1, 2, 2])).unwrap();
    let beta = Var::from_tensor(&row(&[0.0])).unwrap();
    for norm in [Norm::Batch, Norm::Running, Norm::Groups(1)] {
        for skip in [false, true] {
            let mut inputs = vec![x.as_tensor().clone(), row(&[0.0]), beta.as_tensor().clone()];
            inputs.extend(skip.then(|| x.zeros_like().unwrap()));
            let gradients = normalised(norm, &inputs, true).backward().unwrap();
            assert_eq!(values(gradients.get(&beta).unwrap()), [0.0], "{norm:?}");
        }
    }
}

#[test]
fn norm_with_frozen_weights_gives_them_no_gradient_and_changes_none() {
    let inputs = norm_inputs(&[3, 2, 3, 3], false);
    let x = Var::from_tensor(&inputs[0]).unwrap();
    let (gamma, beta) = (Var::from_tensor(&inputs[1]).unwrap(), Var::from_tensor(&inputs[2]).unwrap());
    for norm in [Norm::Batch, Norm::Running, Norm::Groups(2)] {
        let gradients = |gamma: &Tensor, beta: &Tensor| {
            normalised(norm, &[x.as_tensor().clone(), gamma.clone(), beta.clone()], true)
                .sqr()
                .unwrap()
                .sum_all()
                .unwrap()
                .backward()
                .unwrap()
        };
        let (all, one) = (gradients(&gamma, &beta), gradients(&gamma.detach(), &beta.detach()));
        assert!(all.get(&gamma).is_some() && all.get(&beta).is_some());
        assert!(one.get(&gamma).is_none() && one.get(&beta).is_none());
        assert_eq!(values(all.get(&x).unwrap()), values(one.get(&x).unwrap()), "{norm:?}");
    }
}

#[test]
fn norm_that_cannot_be_says_why() {
    let told = |shape: &[usize]| {
        let v = norm_inputs(shape, false);
        batch_norm(&v[0], &v[1], &v[2], Tail::default()).unwrap_err().to_string()
    };
    for shape in [&[1, 3, 1, 1][..], &[1, 4]] {
        assert!(told(shape).contains("at least 2 values a channel, found ["), "{}", told(shape));
    }
    let v = norm_inputs(&[2, 4, 3, 3], false);
    for groups in [0, 3, 8] {
        let error = group_norm(&v[0], &v[1], &v[2], groups, Tail::default()).unwrap_err().to_string();
        assert!(error.contains(&format!("{groups} groups do not divide 4 channels")), "{error}");
    }
    let three = row(&[1.0, 1.0, 1.0]);
    assert!(batch_norm(&v[0], &three, &v[2], Tail::default()).is_err());
    assert!(batch_norm_by(&v[0], &v[1], &v[2], [&three, &three], Tail::default()).is_err());
    assert!(group_norm(&three, &v[1], &v[2], 1, Tail::default()).is_err());
    let skip = noise("skip", &[2, 4, 3, 2]);
    assert!(group_norm(&v[0], &v[1], &v[2], 2, Tail { skip: Some(&skip), relu: false }).is_err());
}

// --- candle's -------------------------------------------------------------------------------------

#[test]
fn sigmoid_and_tanh() {
    let x = || [(noise("x", &[3, 6]) * 3.0).unwrap()];
    check(&x(), |v| sigmoid(&v[0]).unwrap());
    check(&x(), |v| v[0].tanh().unwrap());
}

#[test]
fn softmax_and_cross_entropy() {
    let logits = || [(noise("x", &[4, 5]) * 4.0).unwrap()];
    check(&logits(), |v| softmax(&v[0], D::Minus1).unwrap());
    let labels = rows(&[4, 0, 2, 2]);
    check(&logits(), |v| cross_entropy(&v[0], &labels).unwrap());
}

#[test]
fn cat_and_narrow() {
    check(&[noise("a", &[2, 2, 3]), noise("b", &[2, 1, 3]), noise("c", &[2, 3, 3])], |v| {
        Tensor::cat(&[&v[0], &v[1], &v[2]], 1).unwrap()
    });
    check(&[noise("a", &[2, 3]), noise("b", &[1, 3])], |v| Tensor::cat(&[&v[0], &v[1], &v[0]], 0).unwrap());
    for (side, start, len) in [(0, 1, 1), (1, 0, 2), (2, 2, 3)] {
        check(&[noise("x", &[2, 3, 5])], |v| v[0].narrow(side, start, len).unwrap());
    }
    check(&[noise("x", &[1, 2, 4, 3])], |v| {
        (v[0].narrow(2, 1, 3).unwrap() - v[0].narrow(2, 0, 3).unwrap()).unwrap().sqr().unwrap()
    });
}

#[test]
fn permute_and_reshape() {
    check(&[noise("x", &[2, 3, 4])], |v| v[0].permute((2, 0, 1)).unwrap().reshape((4, 6)).unwrap());
    check(&[noise("x", &[2, 3, 4])], |v| {
        v[0].permute((0, 2, 1)).unwrap().contiguous().unwrap().reshape((8, 3)).unwrap().sqr().unwrap()
    });
    check(&[noise("x", &[2, 3, 2, 2])], |v| v[0].flatten_from(1).unwrap().transpose(0, 1).unwrap().sqr().unwrap());
}

#[test]
fn index_select_and_gather() {
    // Rows that are chosen twice, and one that is not chosen at all.
    let chosen = rows(&[2, 0, 2, 3]);
    check(&[noise("x", &[4, 3])], |v| v[0].index_select(&chosen, 0).unwrap());
    check(&[noise("x", &[2, 4])], |v| v[0].index_select(&chosen, 1).unwrap());
    let picked = rows(&[1, 0, 4, 4]).reshape((4, 1)).unwrap();
    check(&[noise("x", &[4, 5])], |v| v[0].gather(&picked, 1).unwrap());
    let twice = rows(&[1, 1, 0, 2]).reshape((2, 2)).unwrap();
    check(&[noise("x", &[2, 3])], |v| v[0].gather(&twice, 1).unwrap());
}

#[test]
fn means_sums_and_squares() {
    let x = || [noise("x", &[2, 3, 4])];
    check(&x(), |v| v[0].mean_all().unwrap());
    check(&x(), |v| v[0].sum_all().unwrap());
    check(&x(), |v| v[0].mean(1).unwrap());
    check(&x(), |v| v[0].mean_keepdim(1).unwrap());
    check(&x(), |v| v[0].sum(D::Minus1).unwrap());
    check(&x(), |v| v[0].sum_keepdim(0).unwrap());
    check(&x(), |v| v[0].sqr().unwrap());
    check(&x(), |v| ((v[0].clone() * 3.0).unwrap() - 0.5).unwrap().sqr().unwrap().mean_all().unwrap());
}

#[test]
fn products_and_quotients_with_broadcasting() {
    let x = || noise("x", &[2, 3, 4]);
    for shape in [[2, 3, 1], [1, 3, 4], [1, 1, 1], [2, 1, 4]] {
        check(&[x(), noise("factor", &shape)], |v| v[0].broadcast_mul(&v[1]).unwrap());
        check(&[x(), away_from_zero("divisor", &shape)], |v| v[0].broadcast_div(&v[1]).unwrap());
        check(&[x(), noise("term", &shape)], |v| v[0].broadcast_sub(&v[1]).unwrap().sqr().unwrap());
    }
    check(&[x(), away_from_zero("y", &[2, 3, 4])], |v| (&v[0] * &v[1]).unwrap());
    check(&[x(), away_from_zero("y", &[2, 3, 4])], |v| (&v[0] / &v[1]).unwrap());
    check(&[x()], |v| v[0].broadcast_as((3, 2, 3, 4)).unwrap().sqr().unwrap());
}

#[test]
fn padding_with_zeros() {
    for (side, before, after) in [(2, 1, 2), (3, 0, 3), (2, 2, 0)] {
        check(&[noise("x", &[2, 2, 3, 2])], |v| v[0].pad_with_zeros(side, before, after).unwrap().sqr().unwrap());
    }
}

// --- put together ---------------------------------------------------------------------------------

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

// --- second derivatives ---------------------------------------------------------------------------

#[test]
fn a_convolutions_two_gradients_have_gradients_of_their_own() {
    for ([n, c, h, w], outputs, [kernel, stride, padding]) in [
        ([2, 2, 5, 4], 3, [3, 1, 1]),
        ([1, 2, 7, 6], 2, [5, 2, 2]),
        ([2, 1, 8, 7], 3, [2, 3, 1]),
        ([2, 3, 4, 4], 2, [1, 1, 0]),
    ] {
        let side = |n: usize| (n + 2 * padding - kernel) / stride + 1;
        let grad = noise("grad", &[n, outputs, side(h), side(w)]);
        let weight = noise("weight", &[outputs, c, kernel, kernel]);
        check(&[grad.clone(), weight], |v| conv2d_input_gradient(&v[0], &v[1], (n, c, h, w), stride, padding).unwrap());
        check(&[grad, noise("x", &[n, c, h, w])], |v| {
            conv2d_weight_gradient(&v[0], &v[1], kernel, stride, padding).unwrap()
        });
    }
}

#[test]
fn the_weight_gradients_of_a_network_by_image_and_soft_label() {
    use LayerSpec::{AvgPool, Conv, Flatten, Linear, Relu, Sigmoid, Tanh};
    let conv = |channels, stride| Conv { channels, kernel: 3, stride, padding: 1, bias: true };
    let specs = [conv(3, 2), Sigmoid, conv(2, 1), Relu, AvgPool(2), conv(2, 1), Tanh, Flatten, Linear(4)];
    let mut parameters = Parameters::default();
    let init = Init { seed: Seed(7), model: "second", device: &Device::Cpu };
    Network::init("net", &[2, 9, 9], &specs, &mut parameters, init).unwrap();
    let network = Network::of("net", &specs, &parameters).unwrap().frozen().to_dtype(DType::F64).unwrap();
    let inputs = [away_from_zero("x", &[2, 2, 9, 9]), softmax(&noise("target", &[2, 4]), D::Minus1).unwrap()];
    check(&inputs, |v| {
        let gradients = network.weight_gradients(&v[0], |logits| soft_cross_entropy_gradient(logits, &v[1])).unwrap();
        let flat: Vec<Tensor> = gradients.iter().map(|g| g.flatten_all().unwrap()).collect();
        Tensor::cat(&flat, 0).unwrap()
    });
    // And they are the gradients of that loss by the weights.
    let loss = |network: &Network| {
        let logits = network.forward(&inputs[0]).unwrap();
        soft_cross_entropy(&logits, &inputs[1]).unwrap().to_scalar::<f64>().unwrap()
    };
    let gradients =
        network.weight_gradients(&inputs[0], |logits| soft_cross_entropy_gradient(logits, &inputs[1])).unwrap();
    let names = [0, 2, 5, 8].into_iter().flat_map(|i| [format!("net.{i}.weight"), format!("net.{i}.bias")]);
    for (name, gradient) in names.zip(gradients) {
        let var = parameters.get(&name).unwrap();
        let kept = var.as_detached_tensor().copy().unwrap();
        let nudge = |by: f64| {
            let mut numbers: Vec<f64> = values(&kept.to_dtype(DType::F64).unwrap());
            numbers[0] += by;
            let mut changed: std::collections::BTreeMap<String, Tensor> = parameters.snapshot().unwrap();
            changed.insert(name.clone(), Tensor::from_vec(numbers, kept.shape(), &Device::Cpu).unwrap());
            let other = parameters_of(&specs, &changed);
            loss(&Network::of("net", &specs, &other).unwrap().frozen().to_dtype(DType::F64).unwrap())
        };
        // Weights are float32: a step that it can hold, and a tolerance to match.
        let (step, got) = (1.0 / 1024.0, values(&gradient)[0]);
        let want = (nudge(step) - nudge(-step)) / (2.0 * step);
        assert!((got - want).abs() < 1e-4 * want.abs().max(1e-2), "{name}: {got} {want}");
    }
}

fn parameters_of(specs: &[LayerSpec], values: &std::collections::BTreeMap<String, Tensor>) -> Parameters {
    let mut parameters = Parameters::default();
    let init = Init { seed: Seed(7), model: "second", device: &Device::Cpu };
    Network::init("net", &[2, 9, 9], specs, &mut parameters, init).unwrap();
    parameters.load(values).unwrap();
    parameters
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

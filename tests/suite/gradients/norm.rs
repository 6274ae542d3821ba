//! Normalisation, with what follows it in the same pass.

use candle_core::{Device, Tensor, Var};
use cutlayer::engine::norm::{Tail, batch_norm, batch_norm_by, group_norm};

use super::{STEP, away_from_zero, check, noise, row, values};

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

//! The operations, each in several shapes.

use std::sync::Arc;

use candle_core::{D, Tensor, Var};

use super::Trial;
use crate::engine::activation::{relu, relu_input_gradient};
use crate::engine::channel::sum_by_channel;
use crate::engine::conv::{Finish, conv2d, conv2d_input_gradient, conv2d_then, conv2d_weight_gradient};
use crate::engine::correlation::distance_correlation;
use crate::engine::distance::{Sloped, compared};
use crate::engine::kept::Kept;
use crate::engine::linear::{linear, linear_input_gradient, linear_weight_gradient};
use crate::engine::loss::{carry_on, cross_entropy, soft_cross_entropy_gradient, weighed_cross_entropy};
use crate::engine::mean::{mean_of_last, shared_out};
use crate::engine::norm::{Tail, batch_norm, batch_norm_by, group_norm};
use crate::engine::optimiser::{Step, take};
use crate::engine::pool::{Pool, pool, pool_input_gradient};
use crate::engine::replace::replaced;
use crate::engine::shuffle::{depth_to_space, space_to_depth};
use crate::engine::similarity::ssim;
use crate::engine::tape::{flat, join, masked, sum, times};
use crate::error::Result;

/// All of them.
pub fn trials() -> Vec<Trial> {
    let mut all = Vec::new();
    convolutions(&mut all);
    layers(&mut all);
    norms(&mut all);
    losses(&mut all);
    optimisers(&mut all);
    all
}

/// Images (N, C, H, W), outputs, kernel, stride, padding.
const CONVOLUTIONS: [([usize; 4], usize, usize, usize, usize); 9] = [
    ([2, 3, 7, 5], 4, 3, 1, 1),
    ([3, 2, 7, 9], 4, 5, 2, 2),
    ([2, 2, 9, 8], 3, 1, 2, 0),
    ([1, 2, 4, 6], 3, 4, 1, 0),
    ([2, 3, 5, 8], 3, 3, 2, 1),
    ([2, 3, 5, 5], 2, 2, 1, 4),
    ([2, 1, 10, 7], 2, 2, 4, 0),
    ([1, 1, 1, 1], 1, 1, 1, 0),
    ([5, 66, 5, 4], 64, 3, 1, 0),
];

fn convolutions(all: &mut Vec<Trial>) {
    for (image, outputs, k, s, p) in CONVOLUTIONS {
        let [n, c, h, w] = image;
        let weight = [outputs, c, k, k];
        let grad = [n, outputs, (h + 2 * p - k) / s + 1, (w + 2 * p - k) / s + 1];
        let of = |what: &str| format!("{what} {n}×{c}×{h}×{w} to {outputs}, {k}×{k}, stride {s}, padding {p}");
        let shapes: [&[usize]; 3] = [&image, &weight, &[outputs]];
        all.push(Trial::new(of("convolution"), &shapes, move |a| Ok(conv2d(&a[0], &a[1], &a[2], s, p)?)));
        all.push(Trial::new(of("convolution, relu"), &shapes, move |a| {
            Ok(conv2d_then(&a[0], &a[1], &a[2], (s, p), Finish::Relu)?)
        }));
        if grad[2].min(grad[3]) > 1 {
            all.push(Trial::new(of("convolution, relu, pooling"), &shapes, move |a| {
                Ok(conv2d_then(&a[0], &a[1], &a[2], (s, p), Finish::ReluPool)?)
            }));
        }
        all.push(Trial::new(of("convolution's input gradient"), &[&grad, &weight], move |a| {
            Ok(conv2d_input_gradient(&a[0], &a[1], (n, c, h, w), s, p)?)
        }));
        all.push(Trial::new(of("convolution's weight gradient"), &[&grad, &image], move |a| {
            Ok(conv2d_weight_gradient(&a[0], &a[1], k, s, p)?)
        }));
    }
}

fn layers(all: &mut Vec<Trial>) {
    for [n, inputs, outputs] in [[1, 1, 1], [3, 5, 2], [7, 130, 33]] {
        let of = |what: &str| format!("{what} {n}×{inputs} to {outputs}");
        let (x, weight, grad) = ([n, inputs], [outputs, inputs], [n, outputs]);
        all.push(Trial::new(of("linear"), &[&x, &weight, &[outputs]], |a| Ok(linear(&a[0], &a[1], &a[2])?)));
        all.push(Trial::new(of("linear's input gradient"), &[&grad, &weight], |a| {
            Ok(linear_input_gradient(&a[0], &a[1])?)
        }));
        all.push(Trial::new(of("linear's weight gradient"), &[&grad, &x], |a| {
            Ok(linear_weight_gradient(&a[0], &a[1])?)
        }));
    }
    for (image, side) in
        [([2, 3, 5, 7], 2), ([1, 1, 3, 3], 3), ([2, 1, 7, 4], 3), ([1, 2, 1, 1], 1), ([1, 2, 6, 75], 2)]
    {
        for kind in [Pool::Max, Pool::Mean] {
            let of = |what: &str| format!("{what} {kind:?} {side} of {image:?}");
            all.push(Trial::new(of("pooling"), &[&image], move |a| Ok(pool(&a[0], kind, side)?)));
            // Of a relu most numbers are the same.
            all.push(Trial::new(of("pooling, of ties"), &[&image], move |a| {
                Ok(pool(&(relu(&(&a[0] - 0.5)?)? + 0.25)?, kind, side)?)
            }));
            let grad = [image[0], image[1], image[2] / side, image[3] / side];
            all.push(Trial::new(of("pooling's gradient"), &[&grad, &image], move |a| {
                Ok(pool_input_gradient(&a[0], &a[1], kind, side)?)
            }));
        }
    }
    let image: &[usize] = &[3, 5, 7, 3];
    all.push(Trial::new("relu", &[image], |a| Ok(relu(&a[0])?)));
    all.push(Trial::new("relu's gradient", &[image, image], |a| Ok(relu_input_gradient(&a[0], &a[1])?)));
    for shape in [&[3, 4, 5, 7][..], &[3, 4], &[1, 6, 1, 1]] {
        all.push(Trial::new(format!("sum by channel of {shape:?}"), &[shape], |a| Ok(sum_by_channel(&a[0])?)));
    }
    all.push(Trial::new("mean of the last dimension", &[&[3, 5, 21]], |a| Ok(mean_of_last(&a[0])?)));
    all.push(Trial::new("sharing out", &[&[3, 5, 1]], |a| Ok(shared_out(&a[0], 21)?)));
    all.push(Trial::new("2×2 blocks as channels", &[&[2, 3, 6, 10]], |a| Ok(space_to_depth(&a[0])?)));
    all.push(Trial::new("channels as 2×2 blocks", &[&[2, 12, 3, 5]], |a| Ok(depth_to_space(&a[0])?)));
    all.push(Trial::new("other numbers, straight through", &[image, image], |a| Ok(replaced(&a[0], &a[1])?)));
    all.push(Trial::new("sum, join, mask, factor, flat", &[image, image], |a| {
        let both = join(&sum(&a[0], &a[1])?, &masked(&a[0], &a[1].detach())?, 1)?;
        Ok(flat(&times(&both, -1.5)?)?)
    }));
    all.push(Trial::new("structural similarity", &[&[2, 3, 13, 17], &[2, 3, 13, 17]], |a| {
        let image = |t: &Tensor| t.affine(0.5, 0.5);
        Ok(ssim(&image(&a[0])?, &image(&a[1])?)?)
    }));
}

fn norms(all: &mut Vec<Trial>) {
    let image: &[usize] = &[3, 4, 5, 3];
    let shapes = [image, &[4], &[4], image];
    for with_tail in [false, true] {
        let of = |what: &str| format!("{what}{}", if with_tail { ", with a skip connection and relu" } else { "" });
        let tail = move |a: &[Tensor]| if with_tail { Some(a[3].clone()) } else { None };
        all.push(Trial::new(of("batch normalisation"), &shapes, move |a| {
            let skip = tail(a);
            Ok(batch_norm(&a[0], &a[1], &a[2], Tail { skip: skip.as_ref(), relu: with_tail })?.0)
        }));
        all.push(Trial::new(of("normalisation by running statistics"), &shapes, move |a| {
            let (skip, running) = (tail(a), a[1].detach());
            let statistics = [&running, &(running.sqr()? + 0.5)?];
            Ok(batch_norm_by(&a[0], &a[1], &a[2], statistics, Tail { skip: skip.as_ref(), relu: with_tail })?)
        }));
        all.push(Trial::new(of("group normalisation"), &shapes, move |a| {
            let skip = tail(a);
            Ok(group_norm(&a[0], &a[1], &a[2], 2, Tail { skip: skip.as_ref(), relu: with_tail })?)
        }));
    }
    all.push(Trial::new("running statistics", &[image, &[4], &[4]], |a| {
        let (mean, variance) = (Var::from_tensor(&a[1].detach().copy()?)?, Var::from_tensor(&a[2].detach().copy()?)?);
        batch_norm(&a[0].detach(), &a[1].detach(), &a[2].detach(), Tail::default())?.1.record(&mean, &variance)?;
        Ok(Tensor::cat(&[mean.as_detached_tensor(), variance.as_detached_tensor()], 0)?)
    }));
}

fn losses(all: &mut Vec<Trial>) {
    let labels = |a: &Tensor| Tensor::new(&[2u32, 0, 4, 2, 1, 0, 3], a.device());
    all.push(Trial::new("cross-entropy", &[&[7, 5]], move |a| Ok(cross_entropy(&(&a[0] * 9.0)?, &labels(&a[0])?)?)));
    let weights: Arc<[f64]> = [3.0, 1.0, 0.5, 0.0, 2.0].into();
    all.push(Trial::new("weighed cross-entropy", &[&[7, 5]], move |a| {
        Ok(weighed_cross_entropy(&a[0], &labels(&a[0])?, Some(&weights))?)
    }));
    all.push(Trial::new("cross-entropy's gradient", &[&[7, 5], &[7, 5]], |a| {
        let target = candle_nn::ops::softmax(&a[1], D::Minus1)?;
        Ok(soft_cross_entropy_gradient(&a[0], &target)?)
    }));
    all.push(Trial::new("going on from a gradient", &[&[3, 5], &[3, 5]], |a| Ok(carry_on(&a[0].sqr()?, &a[1])?)));
    let lists: [&[usize]; 4] = [&[5, 7], &[3], &[5, 7], &[3]];
    all.push(Trial::new("gradients compared", &lists, |a| {
        Ok(compared(&a[..2], &a[2..], |sums| {
            let both = (sums.squared * 4.0).sqrt();
            let cosine = sums.product / both;
            let value = 1.0 - cosine + 0.1 * sums.apart;
            Sloped { value, by_a: cosine / sums.squared + 0.2, by_b: -1.0 / both - 0.2 }
        })?)
    }));
    all.push(Trial::new("distance correlation", &[&[9, 2, 5], &[9, 7]], |a| {
        let found = distance_correlation(&a[0], &a[1])?;
        Ok((found.gradient + found.value)?)
    }));
}

fn optimisers(all: &mut Vec<Trial>) {
    // A few steps of a parameter, each with another gradient.
    let walk = |a: &[Tensor], step: &mut dyn FnMut(&Var, &Tensor, u32) -> Result<()>| -> Result<Tensor> {
        let parameter = Var::from_tensor(&a[0].detach().copy()?)?;
        for steps in 1..4 {
            step(&parameter, &(a[1].detach() * f64::from(steps))?, steps)?;
        }
        Ok(parameter.as_detached_tensor())
    };
    let shapes: [&[usize]; 2] = [&[5, 7], &[5, 7]];
    for amsgrad in [false, true] {
        all.push(Trial::new(if amsgrad { "AMSGrad" } else { "Adam" }, &shapes, move |a| {
            let [mut first, mut second] = [35, 35].map(Kept::zeros);
            let mut largest = Kept::zeros(if amsgrad { 35 } else { 0 });
            walk(a, &mut |parameter, gradient, steps| {
                let (first, second, largest) = (&mut first, &mut second, &mut largest);
                Ok(take(parameter, gradient, Step::Adam { rate: 0.1, epsilon: 1e-8, steps, first, second, largest })?)
            })
        }));
    }
    for momentum in [0.0, 0.9] {
        all.push(Trial::new(format!("gradient descent, momentum {momentum}"), &shapes, move |a| {
            let mut velocity = Kept::zeros(if momentum > 0.0 { 35 } else { 0 });
            walk(a, &mut |parameter, gradient, _| {
                Ok(take(parameter, gradient, Step::Sgd { rate: 0.1, momentum, velocity: &mut velocity })?)
            })
        }));
    }
}

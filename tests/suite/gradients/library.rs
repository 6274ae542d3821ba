//! candle's operations that a loss passes through.

use candle_core::{D, Tensor};
use candle_nn::ops::{sigmoid, softmax};
use cutlayer::engine::loss::cross_entropy;

use super::{away_from_zero, check, noise, rows};

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

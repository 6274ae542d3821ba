//! What other devices compute is what the kernels compute: values and gradients of each composition on the CPU.
//!
//! Convolution, normalisation and cross-entropy, whose compositions have more cases, are compared where they are.

use candle_core::{DType, Device, Tensor, Var};

use super::pool::{Pool, pool};
use super::{activation, linear, pool as pooling};
use crate::random::Seed;

fn noise(name: &str, shape: &[usize]) -> Var {
    let values = Seed(5).stream(name, 0).uniform_tensor(-1.0, 1.0, shape, &Device::Cpu).unwrap();
    Var::from_tensor(&values.to_dtype(DType::F64).unwrap()).unwrap()
}

fn assert_near(a: &Tensor, b: &Tensor, what: &str) {
    assert_eq!(a.shape(), b.shape(), "{what}");
    let gap: f64 = (a - b).unwrap().abs().unwrap().max_all().unwrap().to_scalar().unwrap();
    assert!(gap < 1e-12, "{what}: {gap}");
}

/// Both ways' values, and their gradients for an uneven loss.
fn assert_same(kernel: &Tensor, composed: &Tensor, vars: &[&Var], what: &str) {
    assert_near(kernel, composed, what);
    let gradients = [kernel, composed].map(|y| {
        let loss = (y * noise("loss", y.dims()).as_tensor()).unwrap().sum_all().unwrap();
        loss.backward().unwrap()
    });
    for var in vars {
        let [a, b] = gradients.each_ref().map(|gradients| gradients.get(var).unwrap());
        assert_near(a, b, what);
    }
}

#[test]
fn pooling() {
    let small = [([2, 3, 5, 7], 2), ([1, 1, 3, 3], 3), ([2, 1, 7, 4], 3), ([1, 2, 1, 1], 1), ([3, 2, 4, 6], 2)];
    // And one whose rows fill vectors, with some left over.
    for (shape, side) in small.into_iter().chain([([1, 2, 6, 75], 2)]) {
        for kind in [Pool::Max, Pool::Mean] {
            let x = noise("x", &shape);
            let what = format!("{kind:?} {side} of {shape:?}");
            assert_same(&pool(&x, kind, side).unwrap(), &pooling::composed(&x, kind, side).unwrap(), &[&x], &what);
        }
    }
    // Ties: the first wins in both.
    let x = Var::from_tensor(&Tensor::ones((1, 1, 4, 4), DType::F64, &Device::Cpu).unwrap()).unwrap();
    let both = [pool(&x, Pool::Max, 2).unwrap(), pooling::composed(&x, Pool::Max, 2).unwrap()];
    assert_same(&both[0], &both[1], &[&x], "ties");
    // What is no number wins, wherever in its window it is.
    for at in 0..4 {
        let mut window = [1.0, f64::INFINITY, -2.0, 3.0];
        window[at] = f64::NAN;
        let x = Var::from_tensor(&Tensor::from_slice(&window, (1, 1, 2, 2), &Device::Cpu).unwrap()).unwrap();
        for pooled in [pool(&x, Pool::Max, 2).unwrap(), pooling::composed(&x, Pool::Max, 2).unwrap()] {
            assert!(pooled.flatten_all().unwrap().to_vec1::<f64>().unwrap()[0].is_nan(), "{window:?}");
            let gradients = pooled.sum_all().unwrap().backward().unwrap();
            let gradient = gradients.get(&x).unwrap().flatten_all().unwrap().to_vec1::<f64>().unwrap();
            assert!((0..4).all(|i| gradient[i] == f64::from(u8::from(i == at))), "{window:?}: {gradient:?}");
        }
    }
}

#[test]
fn fully_connected() {
    for (n, inputs, outputs) in [(1, 1, 1), (3, 5, 2), (2, 7, 130)] {
        let (x, weight, bias) = (noise("x", &[n, inputs]), noise("w", &[outputs, inputs]), noise("b", &[outputs]));
        let kernel = linear::linear(&x, &weight, &bias).unwrap();
        let composed = linear::composed(&x, &weight, &bias).unwrap();
        assert_same(&kernel, &composed, &[&x, &weight, &bias], &format!("{n} {inputs} {outputs}"));
    }
}

#[test]
fn relu() {
    let x = noise("x", &[3, 1, 5]);
    assert_same(&activation::relu(&x).unwrap(), &activation::composed(&x).unwrap(), &[&x], "relu");
    let zeros = Var::zeros(4, DType::F64, &Device::Cpu).unwrap();
    assert_same(&activation::relu(&zeros).unwrap(), &activation::composed(&zeros).unwrap(), &[&zeros], "at 0");
    let edges = Tensor::new(&[f64::NEG_INFINITY, f64::INFINITY, f64::NAN], &Device::Cpu).unwrap();
    for y in [activation::relu(&edges).unwrap(), activation::composed(&edges).unwrap()] {
        let y = y.to_vec1::<f64>().unwrap();
        assert!(y[0] == 0.0 && y[1] == f64::INFINITY && y[2].is_nan(), "{y:?}");
    }
}

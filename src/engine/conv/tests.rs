//! The kernels against the definition, written out in loops.

use candle_core::{DType, Device, Tensor, Var};

use super::finish::{Finish, Incoming};
use super::geometry::Geometry;
use super::{composed, conv2d, conv2d_input_gradient, conv2d_then, conv2d_weight_gradient};
use crate::engine::Real;
use crate::engine::activation::relu;
use crate::engine::pool::{Pool, pool};
use crate::random::Seed;

type Image = (usize, usize, usize, usize);

/// (N, C, H, W), outputs, kernel, stride, padding: every branch of the layout, small enough for loops.
const SHAPES: [(Image, usize, usize, usize, usize); 27] = [
    ((1, 1, 1, 1), 1, 1, 1, 0),
    ((2, 3, 1, 1), 2, 1, 1, 0),
    ((1, 1, 1, 1), 1, 3, 1, 1),
    ((2, 1, 5, 4), 3, 3, 1, 1),
    ((5, 2, 7, 7), 9, 3, 1, 1),
    ((1, 16, 9, 8), 24, 3, 1, 1),
    ((3, 2, 6, 7), 4, 5, 1, 2),
    ((2, 2, 8, 6), 3, 5, 1, 0),
    ((2, 2, 5, 5), 3, 2, 1, 1),
    ((1, 2, 4, 6), 3, 4, 1, 0),
    ((2, 2, 6, 6), 3, 1, 1, 2),
    ((2, 3, 5, 5), 2, 2, 1, 4),
    ((2, 3, 8, 8), 5, 3, 2, 1),
    ((3, 2, 7, 9), 4, 5, 2, 2),
    ((2, 2, 9, 8), 3, 1, 2, 0),
    ((2, 2, 8, 8), 3, 3, 3, 0),
    ((2, 1, 10, 7), 2, 2, 4, 0),
    ((1, 2, 6, 6), 2, 2, 3, 3),
    ((2, 1, 40, 3), 2, 3, 1, 1),
    ((2, 2, 5, 6), 2, 3, 60_000, 1),
    ((40, 2, 3, 3), 2, 3, 1, 1),
    ((4, 64, 7, 6), 65, 3, 1, 1),
    ((5, 66, 5, 4), 64, 3, 1, 0),
    ((4, 64, 1, 2), 64, 3, 1, 2),
    ((4, 64, 10, 13), 67, 3, 1, 1),
    ((9, 33, 7, 7), 32, 3, 1, 1),
    ((4, 32, 3, 133), 32, 3, 1, 1),
];

fn random(stream: &str, count: usize) -> Vec<f64> {
    let mut stream = Seed(3).stream(stream, 0);
    (0..count).map(|_| stream.uniform(-1.0, 1.0)).collect()
}

/// Calls `visit(weight index, input index, output index)` for every multiplication of the definition.
fn each_product(g: &Geometry, mut visit: impl FnMut(usize, usize, usize)) {
    for n in 0..g.samples {
        for o in 0..g.outputs {
            for (oy, ox) in (0..g.out_height).flat_map(|y| (0..g.out_width).map(move |x| (y, x))) {
                for c in 0..g.channels {
                    for (ky, kx) in (0..g.kernel).flat_map(|y| (0..g.kernel).map(move |x| (y, x))) {
                        let (y, x) = (oy * g.stride + ky, ox * g.stride + kx);
                        let inside = |v: usize, side: usize| v >= g.padding && v < side + g.padding;
                        if inside(y, g.height) && inside(x, g.width) {
                            visit(
                                ((o * g.channels + c) * g.kernel + ky) * g.kernel + kx,
                                ((n * g.channels + c) * g.height + y - g.padding) * g.width + x - g.padding,
                                ((n * g.outputs + o) * g.out_height + oy) * g.out_width + ox,
                            );
                        }
                    }
                }
            }
        }
    }
}

fn assert_near(got: &[f64], want: &[f64], what: &str) {
    assert_eq!(got.len(), want.len(), "{what}");
    for (i, (got, want)) in got.iter().zip(want).enumerate() {
        assert!((got - want).abs() < 1e-10, "{what}: {i}: {got} {want}");
    }
}

#[test]
fn the_three_products_are_the_definitions() {
    for (shape, outputs, kernel, stride, padding) in SHAPES {
        let g = Geometry::new(shape, (outputs, shape.1, kernel, kernel), stride, padding).unwrap();
        let x = random("x", g.samples * g.image());
        let (w, b) = (random("w", outputs * g.window()), random("b", outputs));
        let grad = random("g", g.samples * outputs * g.positions());
        let mut y: Vec<f64> = (0..grad.len()).map(|i| b[i / g.positions() % outputs]).collect();
        let (mut dx, mut dw, mut db) = (vec![0.0; x.len()], vec![0.0; w.len()], vec![0.0; outputs]);
        each_product(&g, |weight, pixel, out| {
            y[out] += w[weight] * x[pixel];
            dx[pixel] += w[weight] * grad[out];
            dw[weight] += x[pixel] * grad[out];
        });
        for (i, v) in grad.iter().enumerate() {
            db[i / g.positions() % outputs] += v;
        }
        let what = format!("{g:?}");
        assert_near(&g.forward(&x, &w, &b, Finish::Plain).values, &y, &what);
        let incoming = Incoming { grad: &grad, finish: Finish::Plain, values: &[], winners: &[] };
        assert_near(&g.input_gradient(incoming, &w), &dx, &what);
        let (got_w, got_b) = g.weight_gradient(incoming, &x);
        assert_near(&got_w, &dw, &what);
        assert_near(&got_b, &db, &what);
    }
}

/// The largest error in float32, as a share of the largest number.
fn error(exact: &[f64], rounded: &[f32]) -> f64 {
    let largest = exact.iter().fold(0.0, |most: f64, v| most.max(v.abs()));
    exact.iter().zip(rounded).fold(0.0, |most: f64, (a, b)| most.max((a - f64::from(*b)).abs())) / largest
}

#[test]
fn fewer_multiplications_are_about_as_exact_in_float32() {
    let mut errors = Vec::new();
    // Three samples go the definition's way.
    for samples in [3, 4] {
        let g = Geometry::new((samples, 64, 16, 16), (64, 64, 3, 3), 1, 1).unwrap();
        let [x, w, grad] = [("x", samples * g.image()), ("w", 64 * g.window()), ("g", samples * 64 * g.positions())]
            .map(|(name, count)| random(name, count).iter().map(|v| *v as f32).collect::<Vec<_>>());
        let exact = [&x, &w, &grad].map(|values| values.iter().map(|v| f64::from(*v)).collect::<Vec<_>>());
        let (narrow, wide) = (products(&g, [&x, &w, &grad]), products(&g, [&exact[0], &exact[1], &exact[2]]));
        errors.push([0, 1, 2].map(|i| error(&wide[i], &narrow[i])));
    }
    assert!(errors[0].iter().all(|e| *e < 1e-6), "{errors:?}");
    assert!(errors[1].iter().all(|e| *e < 2e-6), "{errors:?}");
}

/// Forward, input gradient and weight gradient.
fn products<T: Real>(g: &Geometry, [x, w, grad]: [&[T]; 3]) -> [Vec<T>; 3] {
    let incoming = Incoming { grad, finish: Finish::Plain, values: &[], winners: &[] };
    let y = g.forward(x, w, &vec![T::ZERO; g.outputs], Finish::Plain).values;
    [y, g.input_gradient(incoming, w), g.weight_gradient(incoming, x).0]
}

#[test]
fn what_is_no_number_reaches_all_that_it_belongs_to_in_tiles_too() {
    let g = Geometry::new((4, 32, 9, 7), (32, 32, 3, 3), 1, 1).unwrap();
    let [mut x, mut w, mut grad] =
        [g.samples * g.image(), 32 * g.window(), g.samples * 32 * g.positions()].map(|count| random("nan", count));
    // One at a time: a pixel, a weight, a gradient.
    for which in 0..3 {
        let at = [1234, 567, 4321][which];
        let values = [&mut x, &mut w, &mut grad][which].as_mut_slice();
        let before = std::mem::replace(&mut values[at], f64::NAN);
        let got = products(&g, [&x, &w, &grad]);
        each_product(&g, |weight, pixel, out| {
            if [pixel, weight, out][which] == at {
                let reached = [got[0][out], got[1][pixel], got[2][weight]];
                assert!((0..3).all(|i| i == [1, 2, 0][which] || reached[i].is_nan()), "{which}: {reached:?}");
            }
        });
        [&mut x, &mut w, &mut grad][which][at] = before;
    }
}

#[test]
fn values_that_the_bias_makes_equal_are_a_tie() {
    // 0 and 2⁻³⁰ differ, with 1 added they do not in float32: the first wins.
    let x = Tensor::new(&[[[[0f32, 1.0 / 1_073_741_824.0], [-1.0, -2.0]]]], &Device::Cpu).unwrap();
    let x = Var::from_tensor(&x).unwrap();
    let (w, b) = (
        Tensor::ones((1, 1, 1, 1), DType::F32, &Device::Cpu).unwrap(),
        Tensor::ones(1, DType::F32, &Device::Cpu).unwrap(),
    );
    let y = conv2d_then(&x, &w, &b, (1, 0), Finish::ReluPool).unwrap();
    let dx = y.sum_all().unwrap().backward().unwrap().remove(&x).unwrap();
    assert_eq!(dx.flatten_all().unwrap().to_vec1::<f32>().unwrap(), [1.0, 0.0, 0.0, 0.0]);
}

fn tensor(stream: &str, shape: &[usize]) -> Tensor {
    Tensor::from_vec(random(stream, shape.iter().product()), shape, &Device::Cpu).unwrap()
}

fn numbers(t: &Tensor) -> Vec<f64> {
    t.flatten_all().unwrap().to_vec1().unwrap()
}

#[test]
fn what_follows_in_the_same_pass_gives_the_same_bits() {
    for (shape, outputs, finish) in [
        ([3, 2, 7, 6], 4, Finish::Relu),
        ([3, 2, 7, 5], 4, Finish::ReluPool),
        ([1, 1, 2, 2], 4, Finish::ReluPool),
        ([5, 32, 9, 6], 34, Finish::Relu),
        ([19, 34, 7, 5], 32, Finish::ReluPool),
    ] {
        let vars = |names: [&str; 3]| {
            let shapes = [shape.to_vec(), vec![outputs, shape[1], 3, 3], vec![outputs]];
            [0, 1, 2].map(|i| Var::from_tensor(&tensor(names[i], &shapes[i])).unwrap())
        };
        let [x, w, b] = vars(["x", "w", "b"]);
        let together = conv2d_then(&x, &w, &b, (1, 1), finish).unwrap();
        let plain = relu(&conv2d(&x, &w, &b, 1, 1).unwrap()).unwrap();
        let apart = if finish == Finish::Relu { plain } else { pool(&plain, Pool::Max, 2).unwrap() };
        assert_eq!(numbers(&together), numbers(&apart));
        let weight = tensor("g", together.dims());
        let back = |y: &Tensor| (y * &weight).unwrap().sum_all().unwrap().backward().unwrap();
        let (together, apart) = (back(&together), back(&apart));
        for var in [&x, &w, &b] {
            assert_eq!(numbers(together.get(var).unwrap()), numbers(apart.get(var).unwrap()));
        }
    }
}

#[test]
fn other_devices_composition_gives_the_same_numbers() {
    for (shape, outputs, kernel, stride, padding) in SHAPES {
        let g = Geometry::new(shape, (outputs, shape.1, kernel, kernel), stride, padding).unwrap();
        let x = tensor("x", &[shape.0, shape.1, shape.2, shape.3]);
        let w = tensor("w", &[outputs, shape.1, kernel, kernel]);
        let grad = tensor("g", &[shape.0, outputs, g.out_height, g.out_width]);
        let zero = Tensor::zeros(outputs, DType::F64, &Device::Cpu).unwrap();
        let what = format!("{g:?}");
        let y = conv2d(&x, &w, &zero, stride, padding).unwrap();
        assert_near(&numbers(&y), &numbers(&composed::forward(&x, &w, &zero, &g).unwrap()), &what);
        let dx = conv2d_input_gradient(&grad, &w, shape, stride, padding).unwrap();
        assert_near(&numbers(&dx), &numbers(&composed::input_gradient(&grad, &w, &g).unwrap()), &what);
        let dw = conv2d_weight_gradient(&grad, &x, kernel, stride, padding).unwrap();
        assert_near(&numbers(&dw), &numbers(&composed::weight_gradient(&grad, &x, &g).unwrap()), &what);
    }
}

#[test]
fn a_kernel_larger_than_the_image_a_wrong_bias_and_nan() {
    let (x, w) = (tensor("x", &[1, 1, 3, 3]), tensor("w", &[2, 1, 5, 5]));
    let bias = |n: usize| Tensor::zeros(n, DType::F64, &Device::Cpu).unwrap();
    let error = conv2d(&x, &w, &bias(2), 1, 0).unwrap_err().to_string();
    assert!(error.contains("a 5×5 kernel with padding 0 is larger than 3×3"), "{error}");
    assert!(conv2d(&x, &w, &bias(3), 1, 1).is_err());
    assert!(conv2d_then(&x, &tensor("w", &[1, 1, 3, 3]), &bias(1), (1, 0), Finish::ReluPool).is_err());
    let broken = (x.clone() * f64::NAN).unwrap();
    for finish in [Finish::Plain, Finish::Relu, Finish::ReluPool] {
        let y = conv2d_then(&broken, &w, &bias(2), (1, 2), finish).unwrap();
        assert!(numbers(&y).iter().all(|v| v.is_nan()), "{finish:?}");
    }
    // A transposed image is not contiguous, and gives the transposed result.
    let kernel = tensor("w", &[1, 1, 1, 1]);
    let turned = conv2d(&x.t().unwrap(), &kernel, &bias(1), 1, 0).unwrap();
    let straight = conv2d(&x, &kernel, &bias(1), 1, 0).unwrap().t().unwrap();
    assert_eq!(numbers(&turned), numbers(&straight.contiguous().unwrap()));
}

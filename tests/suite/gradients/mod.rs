//! Analytic gradients against central finite differences in double precision, for every operation that
//! a loss passes through: the engine's, candle's, and what PSGL and the attacks put together from them.

mod composed;
mod defences;
mod engine;
mod library;
mod norm;
mod second;

use candle_core::{DType, Device, Tensor, Var};
use cutlayer::engine::conv::conv2d;
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

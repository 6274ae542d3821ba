//! Gradients of gradients, for gradient matching.

use candle_core::{D, DType, Device, Tensor};
use candle_nn::ops::softmax;
use cutlayer::engine::conv::{conv2d_input_gradient, conv2d_weight_gradient};
use cutlayer::model::network::Network;
use cutlayer::model::parameters::{Init, Parameters};
use cutlayer::model::second::{soft_cross_entropy, soft_cross_entropy_gradient};
use cutlayer::model::spec::LayerSpec;
use cutlayer::random::Seed;

use super::{away_from_zero, check, noise, values};

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

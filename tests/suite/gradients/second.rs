//! Gradients of gradients, for gradient matching and a critic's penalty.

use std::collections::BTreeMap;

use candle_core::{D, DType, Device, Tensor, Var};
use candle_nn::ops::softmax;
use cutlayer::engine::conv::{conv2d_input_gradient, conv2d_weight_gradient};
use cutlayer::engine::loss::soft_cross_entropy_gradient;
use cutlayer::model::network::Network;
use cutlayer::model::parameters::{Init, Parameters};
use cutlayer::model::second::soft_cross_entropy;
use cutlayer::model::spec::LayerSpec;
use cutlayer::random::Seed;

use super::{STEP, TOLERANCE, away_from_zero, check, distinct, noise, values};

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
        let gradients =
            network.weight_gradients(&v[0], |logits| Ok(soft_cross_entropy_gradient(logits, &v[1])?)).unwrap();
        let flat: Vec<Tensor> = gradients.iter().map(|g| g.flatten_all().unwrap()).collect();
        Tensor::cat(&flat, 0).unwrap()
    });
    // And they are the gradients of that loss by the weights.
    let loss = |network: &Network| {
        let logits = network.forward(&inputs[0]).unwrap();
        soft_cross_entropy(&logits, &inputs[1]).unwrap().to_scalar::<f64>().unwrap()
    };
    let gradients =
        network.weight_gradients(&inputs[0], |logits| Ok(soft_cross_entropy_gradient(logits, &inputs[1])?)).unwrap();
    let names = [0, 2, 5, 8].into_iter().flat_map(|i| [format!("net.{i}.weight"), format!("net.{i}.bias")]);
    for (name, gradient) in names.zip(gradients) {
        let var = parameters.get(&name).unwrap();
        let kept = var.as_detached_tensor().copy().unwrap();
        let nudge = |by: f64| {
            let mut numbers: Vec<f64> = values(&kept.to_dtype(DType::F64).unwrap());
            numbers[0] += by;
            let mut changed: BTreeMap<String, Tensor> = parameters.snapshot().unwrap();
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

fn parameters_of(specs: &[LayerSpec], values: &BTreeMap<String, Tensor>) -> Parameters {
    let mut parameters = Parameters::default();
    let init = Init { seed: Seed(7), model: "second", device: &Device::Cpu };
    Network::init("net", &[2, 9, 9], specs, &mut parameters, init).unwrap();
    parameters.load(values).unwrap();
    parameters
}

type Weights = BTreeMap<String, Tensor>;

/// Small networks, one for each kind of layer, and the image that they take.
fn networks() -> Vec<(&'static str, [usize; 4], Vec<LayerSpec>)> {
    use LayerSpec::{BatchNorm, Conv, Flatten, GroupNorm, Linear, MaxPool, MeanPool, Relu, Residual, Sigmoid, Tanh};
    let conv = |channels, bias| Conv { channels, kernel: 3, stride: 1, padding: 1, bias };
    let block = |inner, project| Residual { inner, project };
    let narrow = Conv { channels: 3, kernel: 1, stride: 2, padding: 0, bias: false };
    let shrinking = Conv { channels: 3, kernel: 3, stride: 2, padding: 1, bias: false };
    vec![
        ("max-pooling, edges left over", [2, 2, 7, 5], vec![conv(3, true), Tanh, MaxPool(2), Flatten, Linear(4)]),
        ("max-pooling first", [2, 1, 6, 7], vec![MaxPool(3), Sigmoid, Flatten, Linear(4)]),
        ("mean of the positions", [2, 2, 4, 3], vec![conv(3, false), Sigmoid, MeanPool, Flatten, Linear(4)]),
        ("batch", [3, 2, 4, 3], vec![conv(3, false), BatchNorm, Sigmoid, Flatten, Linear(4)]),
        ("batch first", [3, 2, 3, 3], vec![BatchNorm, conv(2, true), Tanh, Flatten, Linear(4)]),
        ("groups", [2, 2, 4, 3], vec![conv(4, true), GroupNorm(2), Tanh, Flatten, Linear(4)]),
        ("linear alone", [2, 1, 2, 3], vec![Flatten, Linear(5), Sigmoid, Linear(4)]),
        (
            "residual blocks",
            [2, 3, 5, 4],
            vec![
                block(vec![conv(3, false), BatchNorm, Relu, conv(3, true), GroupNorm(3)], vec![]),
                Sigmoid,
                block(vec![shrinking, BatchNorm], vec![narrow, BatchNorm]),
                Tanh,
                Flatten,
                Linear(4),
            ],
        ),
    ]
}

/// Weights in double precision with norms and statistics that are not 1 and 0.
fn weights_of(image: [usize; 4], specs: &[LayerSpec]) -> Weights {
    let mut parameters = Parameters::default();
    let init = Init { seed: Seed(7), model: "second", device: &Device::Cpu };
    Network::init("net", &image[1..], specs, &mut parameters, init).unwrap();
    let numbers = |(name, t): (String, Tensor)| {
        let around = if name.ends_with("running_var") || t.dims().len() == 1 { 1.0 } else { 0.0 };
        let value = ((noise(&name, t.dims()) * 0.6).unwrap() + around).unwrap();
        (name, value)
    };
    parameters.snapshot().unwrap().into_iter().map(numbers).collect()
}

/// In evaluation, or by the batch's statistics; trained or frozen.
fn network_of(specs: &[LayerSpec], weights: &Weights, batch: bool) -> (Parameters, Network) {
    let parameters = Parameters::of(weights.clone()).unwrap();
    let network = Network::of("net", specs, &parameters).unwrap();
    let network = if batch { network.unrecorded() } else { network.frozen() };
    (parameters, network)
}

fn flat(gradients: &[Tensor]) -> Tensor {
    Tensor::cat(&gradients.iter().map(|g| g.flatten_all().unwrap()).collect::<Vec<_>>(), 0).unwrap()
}

/// Image and soft label.
fn inputs_of(image: [usize; 4]) -> [Tensor; 2] {
    let x = (distinct("x", &image) * 0.1).unwrap();
    [x, softmax(&noise("target", &[image[0], 4]), D::Minus1).unwrap()]
}

#[test]
fn every_layers_weight_gradients_have_gradients_of_their_own() {
    for (name, image, specs) in networks() {
        for batch in [false, true] {
            println!("{name}, by the batch: {batch}");
            let (_, network) = network_of(&specs, &weights_of(image, &specs), batch);
            check(&inputs_of(image), |v| {
                flat(&network.weight_gradients(&v[0], |y| Ok(soft_cross_entropy_gradient(y, &v[1])?)).unwrap())
            });
        }
    }
}

#[test]
fn every_layers_input_gradients_have_gradients_of_their_own() {
    for (name, image, specs) in networks() {
        for batch in [false, true] {
            println!("{name}, by the batch: {batch}");
            let (_, network) = network_of(&specs, &weights_of(image, &specs), batch);
            let out = [image[0], 4];
            check(&[inputs_of(image)[0].clone(), noise("grad of the output", &out)], |v| {
                network.input_gradient(&v[0], &v[1]).unwrap()
            });
        }
    }
}

#[test]
fn first_gradients_are_those_of_the_ordinary_way_back() {
    let gap = |a: &Tensor, b: &Tensor| {
        assert_eq!(a.dims(), b.dims());
        values(a).iter().zip(values(b)).fold(0.0f64, |most, (a, b)| most.max((a - b).abs()))
    };
    for (name, image, specs) in networks() {
        let (parameters, network) = network_of(&specs, &weights_of(image, &specs), true);
        let [x, target] = inputs_of(image);
        let x = Var::from_tensor(&x).unwrap();
        let logits = network.forward(&x).unwrap();
        let back = soft_cross_entropy(&logits, &target).unwrap().backward().unwrap();
        let written = network.weight_gradients(&x, |y| Ok(soft_cross_entropy_gradient(y, &target)?)).unwrap();
        // Each of the ordinary gradients once, whatever the order: the layers' is not that of the names.
        let ordinary: Vec<&Tensor> = parameters.trained().filter_map(|(_, var)| back.get(var)).collect();
        assert_eq!(ordinary.len(), written.len(), "{name}");
        for gradient in ordinary {
            let same = |other: &&Tensor| other.dims() == gradient.dims() && gap(other, gradient) < 1e-9;
            assert!(written.iter().any(|other| same(&other)), "{name}: {:?} is not among them", gradient.dims());
        }
        let grad = soft_cross_entropy_gradient(&logits, &target).unwrap().detach();
        let written = network.input_gradient(&x, &grad).unwrap();
        assert!(gap(&written, back.get(&x).unwrap()) < 1e-9, "{name}");
    }
}

#[test]
fn a_critics_penalty_reaches_its_weights() {
    let penalty = |network: &Network, x: &Tensor| {
        let scores = network.forward(x).unwrap();
        let gradient = network.input_gradient(x, &scores.ones_like().unwrap()).unwrap();
        let norm = gradient.sqr().unwrap().flatten_from(1).unwrap().sum(1).unwrap().sqrt().unwrap();
        (norm - 1.0).unwrap().sqr().unwrap().mean_all().unwrap()
    };
    for (name, image, specs) in networks() {
        let weights = weights_of(image, &specs);
        let x = inputs_of(image)[0].clone();
        let (parameters, network) = network_of(&specs, &weights, true);
        let back = penalty(&network, &x).backward().unwrap();
        let mut compared = 0;
        for (weight, var) in parameters.trained() {
            let at = |by: f64| {
                let mut moved = weights.clone();
                let mut numbers = values(var);
                numbers[0] += by;
                moved.insert(weight.clone(), Tensor::from_vec(numbers, var.shape(), &Device::Cpu).unwrap());
                penalty(&network_of(&specs, &moved, true).1, &x).to_scalar::<f64>().unwrap()
            };
            let want = (at(STEP) - at(-STEP)) / (2.0 * STEP);
            // A bias that only moves the scores has no part in it.
            let got = back.get(var).map_or(0.0, |gradient| values(gradient)[0]);
            let near = (got - want).abs() <= 10.0 * TOLERANCE * want.abs().max(1e-2);
            assert!(near, "{name}, {weight}: {got}, differences give {want}");
            compared += usize::from(want.abs() > 1e-3);
        }
        assert!(compared > 0, "{name}: the penalty hardly depends on a weight");
    }
}

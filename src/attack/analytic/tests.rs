use candle_core::Device;

use super::*;
use crate::attack::WeightGradients;
use crate::defence::entry::AS_THEY_ARE;
use crate::engine::loss::soft_cross_entropy_gradient;
use crate::model::network::Network;
use crate::model::parameters::{Init, Parameters};
use crate::model::spec::LayerSpec;
use crate::random::Seed;

const IMAGE: [usize; 3] = [1, 5, 4];

fn images(n: usize) -> Tensor {
    Seed(2).stream("images", 0).uniform_tensor(0.0, 1.0, &[n, 1, 5, 4], &Device::Cpu).unwrap()
}

/// What is seen of training a network that begins with these layers.
fn seen(begin: &[LayerSpec], n: usize, batch: usize) -> Result<Evidence> {
    let layers = [begin, &[LayerSpec::Relu, LayerSpec::Flatten, LayerSpec::Linear(3)]].concat();
    let mut parameters = Parameters::default();
    let init = Init { seed: Seed(4), model: "analytic", device: &Device::Cpu };
    Network::init("net", &IMAGE, &layers, &mut parameters, init)?;
    let network = Network::of("net", &layers, &parameters)?.frozen();
    let target = Tensor::from_slice(&[0f32, 1.0, 0.0].repeat(batch), (batch, 3), &Device::Cpu)?;
    let one = |i: usize| {
        let x = images(n).narrow(0, i * batch, batch)?.contiguous()?;
        network.weight_gradients(&x, |logits| Ok(soft_cross_entropy_gradient(logits, &target)?))
    };
    let each = (0..n / batch).map(one).collect::<Result<_>>()?;
    let client = WeightGradients { batch, each, class_weights: None };
    Ok(Evidence::of_gradients(n, client, WeightGradients::default()).masked(KIND.sees))
}

fn known() -> Knowledge {
    Knowledge {
        image: IMAGE,
        classes: 3,
        layers: Vec::new(),
        client: None,
        oracle: None,
        server: None,
        entry: &AS_THEY_ARE,
        auxiliary: None,
        samples: None,
        defence: None,
        seed: Seed(0),
        name: "analytic".to_owned(),
    }
}

fn stolen(seen: &Evidence) -> (Analytic, Tensor) {
    let mut attack = Analytic::new(seen, &known()).unwrap();
    assert_eq!(attack.outcome().unwrap().images.unwrap().dims(), [seen.samples(), 1, 5, 4]);
    while !attack.done() {
        attack.advance().unwrap();
    }
    let images = attack.reconstruction().unwrap();
    (attack, images)
}

fn worst(a: &Tensor, b: &Tensor) -> f32 {
    (a - b).unwrap().abs().unwrap().max_all().unwrap().to_scalar().unwrap()
}

#[test]
fn a_linear_first_layer_gives_its_image_away() {
    let seen = seen(&[LayerSpec::Flatten, LayerSpec::Linear(16)], 3, 1).unwrap();
    let (attack, got) = stolen(&seen);
    assert!(worst(&got, &images(3)) < 1e-5, "{}", worst(&got, &images(3)));
    assert!(attack.doubt().unwrap().is_none() && attack.loss() < 1e-5);
    let mut begun = Analytic::new(&seen, &known()).unwrap();
    begun.advance().unwrap();
    let mut going = Analytic::new(&seen, &known()).unwrap();
    going.load(&begun.state().unwrap().unwrap()).unwrap();
    assert_eq!(going.progress(), (1, 3));
    while !going.done() {
        going.advance().unwrap();
    }
    assert_eq!(worst(&going.reconstruction().unwrap(), &got), 0.0);
    assert!(going.load(&State::default()).is_err());
}

#[test]
fn of_a_gradient_of_two_those_come_back_that_have_a_row_to_themselves() {
    let seen = seen(&[LayerSpec::Flatten, LayerSpec::Linear(200)], 2, 2).unwrap();
    let (_, got) = stolen(&seen);
    let near = |i: usize| (0..2).any(|j| worst(&got.get(j).unwrap(), &images(2).get(i).unwrap()) < 1e-3);
    assert!(near(0) && near(1), "{got}");
}

#[test]
fn what_it_needs_is_told_beforehand() {
    let conv = LayerSpec::Conv { channels: 2, kernel: 3, stride: 1, padding: 1, bias: true };
    let linear = [LayerSpec::Flatten, LayerSpec::Linear(9)];
    let misfit = |layers: &[LayerSpec], entered| (KIND.misfit)(layers, [entered, IMAGE]);
    assert_eq!(misfit(&linear, IMAGE), None);
    let other = misfit(&[&[LayerSpec::BatchNorm], &linear[..]].concat(), IMAGE).unwrap();
    assert!(other.contains("first layer is linear") && other.ends_with("this one begins with batch norm"), "{other}");
    assert!(misfit(std::slice::from_ref(&conv), IMAGE).unwrap().ends_with("this one begins with conv 3×3, 2"));
    assert!(misfit(&linear, [2, 5, 4]).unwrap().ends_with("this one sees 40 numbers"));
    // And again of a gradient that does not fit.
    assert!(Analytic::new(&seen(&[conv], 1, 1).unwrap(), &known()).is_err());
    let other = Knowledge { image: [1, 5, 5], ..known() };
    assert!(Analytic::new(&seen(&linear, 1, 1).unwrap(), &other).is_err());
}

#[test]
fn a_gradient_of_nothing_leaves_grey_and_a_doubt() {
    let (weight, bias) = (Tensor::zeros((4, 20), candle_core::DType::F32, &Device::Cpu).unwrap(), [0f32; 4]);
    let bias = Tensor::new(&bias, &Device::Cpu).unwrap();
    let client = WeightGradients { batch: 1, each: vec![vec![weight, bias]], class_weights: None };
    let (attack, got) = stolen(&Evidence::of_gradients(1, client, WeightGradients::default()));
    assert!(worst(&got, &(images(1).zeros_like().unwrap() + 0.5).unwrap()) < 1e-6);
    assert_eq!(attack.doubt().unwrap(), Some(Doubt::Unexplained(100.0)));
}

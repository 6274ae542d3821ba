//! Losses and label rules are the reference's; a search that goes on from a state takes the same steps.

use std::collections::BTreeMap;

use candle_core::Device;

use super::*;
use crate::attack::golden::Golden;
use crate::defence::entry::AS_THEY_ARE;
use crate::model::spec::LayerSpec::{self, Conv, MaxPool, Relu};
use crate::model::wire::Smashed;
use crate::random::Seed;
use crate::setting::Values;

fn conv(channels: usize) -> LayerSpec {
    Conv { channels, kernel: 3, stride: 1, padding: 1, bias: true }
}

#[test]
fn losses_and_gradients_are_the_references() {
    let golden = Golden::load("unsplit_losses");
    let parameters = golden.parameters("", "clone.", BTreeMap::new());
    let clone = Network::of("clone", &[conv(4), Relu, MaxPool(2), conv(5), Relu], &parameters).unwrap();
    let (image, z) = (Var::from_tensor(&golden.input("guess")).unwrap(), golden.input("smashed"));
    let features = clone.forward(&image).unwrap();
    let loss = image_loss(&features, &z, &image, [golden.number("tv_weight"), golden.number("l2_weight")]).unwrap();
    golden.check("loss_image", &loss);
    golden.check("grad_image", loss.backward().unwrap().get(&image).unwrap());
    let loss = objective(&features, &z, &image, 0.0).unwrap();
    golden.check("loss_clone", &loss);
    let gradients = loss.backward().unwrap();
    for (name, var) in parameters.iter() {
        golden.check(&name.replace("clone.", "grad."), gradients.get(var).unwrap());
    }
}

#[test]
fn labels_are_told_by_either_gradient_as_the_reference_does() {
    let golden = Golden::load("unsplit_label");
    let (weight, bias) = (golden.input("clone_weight"), golden.input("clone_bias"));
    let features = golden.input("features");
    let smallest = |apart: &Tensor| {
        apart.argmin(1).unwrap().to_vec1::<u32>().unwrap().into_iter().map(f64::from).collect::<Vec<_>>()
    };
    let by_weight = by_weight_gradient(&features, (&weight, &bias), &golden.input("weight_gradient")).unwrap();
    golden.check("mse_weight", &by_weight);
    golden.check_values("label_weight", &smallest(&by_weight));
    let by_feature = by_feature_gradient(&features, (&weight, &bias), &golden.input("feature_gradient")).unwrap();
    golden.check("mse_feature", &by_feature);
    golden.check_values("label_feature", &smallest(&by_feature));
}

fn knowledge(layers: Vec<LayerSpec>) -> Knowledge {
    Knowledge {
        image: [2, 9, 8],
        classes: 3,
        layers,
        entry: &AS_THEY_ARE,
        client: None,
        oracle: None,
        server: None,
        auxiliary: None,
        samples: None,
        defence: None,
        seed: Seed(3),
        name: "test".to_owned(),
    }
}

fn bits(t: &Tensor) -> Vec<u32> {
    t.flatten_all().unwrap().to_vec1::<f32>().unwrap().into_iter().map(f32::to_bits).collect()
}

#[test]
fn a_search_goes_on_from_a_state_with_the_same_bytes_and_each_target_has_a_clone_of_its_own() {
    let mut values = Values::of(KIND.settings);
    for (key, value) in [("rounds", 2), ("steps", 3)] {
        values.put(key, toml::Value::Integer(value)).unwrap();
    }
    let settings = Settings::of(&values).unwrap();
    for layers in [vec![conv(3), Relu], vec![conv(3), Relu, LayerSpec::Flatten, LayerSpec::Linear(5)]] {
        let known = knowledge(layers);
        let mut parameters = Parameters::default();
        let init = Init { seed: Seed(8), model: "victim", device: &Device::Cpu };
        Network::init("client", &known.image, &known.layers, &mut parameters, init).unwrap();
        let client = Network::of("client", &known.layers, &parameters).unwrap().frozen();
        let x = Seed(5).stream("x", 0).uniform_tensor(0.0, 1.0, (3, 2, 9, 8), &Device::Cpu).unwrap();
        let z = client.forward(&x).unwrap();
        let make = |z: &Tensor| UnSplit::new(&Evidence::new(Smashed::new(z)).unwrap(), &known, settings).unwrap();
        let (mut whole, mut parted) = (make(&z), make(&z));
        assert_eq!(whole.progress(), (0, 12));
        while !whole.done() {
            whole.advance().unwrap();
            parted.advance().unwrap();
            let state = parted.state().unwrap().unwrap();
            parted = make(&z);
            parted.load(&state).unwrap();
            assert_eq!(bits(&parted.reconstruction().unwrap()), bits(&whole.reconstruction().unwrap()));
        }
        assert_eq!(whole.doubt().unwrap(), Some(Doubt::FewSteps { done: 6, least: 100 }));
        // What is found of the first target does not depend on those behind it.
        let mut alone = make(&z.narrow(0, 0, 1).unwrap().contiguous().unwrap());
        while !alone.done() {
            alone.advance().unwrap();
        }
        assert_eq!(
            bits(&alone.reconstruction().unwrap()),
            bits(&whole.reconstruction().unwrap().narrow(0, 0, 1).unwrap())
        );
    }
}

#[test]
fn a_loss_that_is_no_number_ends_it() {
    let known = knowledge(vec![conv(3), Relu]);
    let z = Tensor::full(f32::NAN, (1, 3, 9, 8), &Device::Cpu).unwrap();
    let settings = Settings::of(&Values::of(KIND.settings)).unwrap();
    let error =
        UnSplit::new(&Evidence::new(Smashed::new(&z)).unwrap(), &known, settings).unwrap().advance().unwrap_err();
    assert!(matches!(error, Error::Diverged(_)), "{error}");
}

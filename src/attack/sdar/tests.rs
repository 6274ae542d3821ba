//! It goes on from a state with the same bytes, amid the training and after it, and says when it has learnt too little.

use candle_core::{Device, Tensor};

use super::*;
use crate::attack::Doubt;
use crate::data::{Images, Part};
use crate::defence::auxiliary::Auxiliary;
use crate::defence::entry::AS_THEY_ARE;
use crate::model::parameters::{Init, Parameters};
use crate::model::spec::LayerSpec::{self, BatchNorm, Conv, Flatten, Linear, Relu};
use crate::model::wire::{Message, Smashed};
use crate::random::Seed;
use crate::setting::Values;

fn conv(channels: usize) -> LayerSpec {
    Conv { channels, kernel: 3, stride: 2, padding: 1, bias: true }
}

fn knowledge(layers: &[LayerSpec]) -> Knowledge {
    let pixels = (0..24 * 72).map(|i| (i * 7919 % 251) as u8).collect();
    let images = Part::from(Images { shape: [1, 9, 8], pixels, labels: (0..24).map(|i| i % 3).collect() });
    Knowledge {
        image: [1, 9, 8],
        classes: 3,
        layers: layers.to_vec(),
        entry: &AS_THEY_ARE,
        client: None,
        oracle: None,
        server: None,
        auxiliary: Some(Auxiliary::new(images, &Device::Cpu)),
        samples: None,
        defence: None,
        seed: Seed(3),
        name: "test".to_owned(),
    }
}

/// A server behind smashed data of this shape.
fn server(shape: &[usize]) -> Network {
    let specs = if shape.len() == 1 { vec![Linear(3)] } else { vec![Flatten, Linear(3)] };
    let mut parameters = Parameters::default();
    let init = Init { seed: Seed(2), model: "victim", device: &Device::Cpu };
    Network::init("server", shape, &specs, &mut parameters, init).unwrap();
    Network::of("server", &specs, &parameters).unwrap().frozen()
}

/// What a victim sends in step `i`.
fn heard(i: usize, shape: &[usize]) -> Heard {
    let dims = [&[6], shape].concat();
    let numbers = Seed(9).stream("z", i as u64).uniform_tensor(0.0, 1.0, &dims[..], &Device::Cpu).unwrap();
    let labels = Some(Tensor::new(&[0u32, 1, 2, 0, 1, 2], &Device::Cpu).unwrap());
    let messages = vec![Message { crossing: Crossing::Smashed, numbers, packed: None }];
    Heard { epoch: 0, step: i, messages, labels, server: Some(server(shape)) }
}

fn bits(t: &Tensor) -> Vec<u32> {
    t.flatten_all().unwrap().to_vec1::<f32>().unwrap().into_iter().map(f32::to_bits).collect()
}

#[test]
fn it_works_at_any_cut_and_goes_on_from_a_state_with_the_same_bytes() {
    let mut values = Values::of(KIND.settings);
    values.put("iterations", toml::Value::Integer(5)).unwrap();
    values.put("lambda2", toml::Value::Float(0.1)).unwrap();
    let settings = Settings::of(&values).unwrap();
    let cuts = [(vec![conv(3), BatchNorm, Relu], vec![3, 5, 4]), (vec![conv(3), Relu, Flatten, Linear(7)], vec![7])];
    for (layers, shape) in cuts {
        let known = Knowledge { server: Some(server(&shape)), ..knowledge(&layers) };
        let make = || Sdar::new(&known, settings).unwrap();
        let (mut whole, mut parted) = (make(), make());
        for i in 0..2 {
            let step = heard(i, &shape);
            whole.hear(&step).unwrap();
            parted.hear(&step).unwrap();
            let state = parted.state().unwrap();
            parted = make();
            parted.load(&state).unwrap();
            assert_eq!(whole.loss().to_bits(), parted.loss().to_bits());
        }
        let targets = heard(9, &shape);
        let seen = Evidence::new(Smashed::new(targets.crossed(Crossing::Smashed).unwrap())).unwrap();
        let seen = seen.with_labels(targets.labels().unwrap().clone());
        let mut after = whole.attack(&seen, &known).unwrap();
        let mut resumed = parted.attack(&seen, &known).unwrap();
        assert_eq!(after.progress(), (2, 5));
        while !after.done() {
            after.advance().unwrap();
            resumed.advance().unwrap();
            let state = resumed.state().unwrap().unwrap();
            resumed = parted.attack(&seen, &known).unwrap();
            resumed.load(&state).unwrap();
            assert_eq!(bits(&after.reconstruction().unwrap()), bits(&resumed.reconstruction().unwrap()), "{shape:?}");
        }
        assert_eq!(after.reconstruction().unwrap().dims(), [6, 1, 9, 8]);
        assert_eq!(after.doubt().unwrap(), Some(Doubt::FewSteps { done: 5, least: 100 }));
        // It may be asked before any step.
        let mut late = make().attack(&seen, &known).unwrap();
        late.advance().unwrap();
        assert_eq!(late.progress(), (1, 5));
    }
}

#[test]
fn it_keeps_the_last_steps_alone() {
    let layers = [conv(3), Relu];
    let mut attack = Sdar::new(&knowledge(&layers), Settings::of(&Values::of(KIND.settings)).unwrap()).unwrap();
    let victims = |i: u32| {
        let smashed = Tensor::zeros((KEPT / 3,), candle_core::DType::F32, &Device::Cpu).unwrap();
        Victims { smashed, labels: vec![i] }
    };
    (0..5).for_each(|i| attack.keep(victims(i)));
    assert_eq!(attack.kept.iter().map(|one| one.labels[0]).collect::<Vec<_>>(), [2, 3, 4]);
}

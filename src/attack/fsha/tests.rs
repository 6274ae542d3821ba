//! Losses, gradients and a step are those of the reference; an attack that goes on from a state takes the same steps.

use std::collections::BTreeMap;
use std::sync::Arc;

use candle_core::{Device, Tensor};

use super::step::{Scale, autoencode, judge, penalty};
use super::*;
use crate::attack::Doubt;
use crate::attack::fixture::Tripled;
use crate::attack::golden::Golden;
use crate::data::{Images, Part as Data};
use crate::defence::auxiliary::Auxiliary;
use crate::defence::entry::AS_THEY_ARE;
use crate::defence::imitation::{Imitation, Own, Study};
use crate::engine::loss::carry_on;
use crate::model::network::Network;
use crate::model::spec::LayerSpec::{self, Conv, Flatten, Linear, Relu, Residual};
use crate::model::wire::{Message, Smashed};
use crate::random::Seed;
use crate::setting::Values;

fn conv(channels: usize, stride: usize) -> LayerSpec {
    Conv { channels, kernel: 3, stride, padding: 1, bias: true }
}

/// The reference's critic: conv of step 2, leaky relu .2, conv, relu, linear. The leaky relu is .2 x + .8 relu(x).
fn reference_critic(golden: &Golden, prefix: &str) -> (Network, Parameters) {
    let scaled = || Conv { channels: 4, kernel: 1, stride: 1, padding: 0, bias: false };
    let leaky = Residual { inner: vec![Relu, scaled()], project: vec![scaled()] };
    let specs = [conv(4, 2), leaky, conv(5, 1), Relu, Flatten, Linear(1)];
    let diagonal = |by: f64| (Tensor::eye(4, candle_core::DType::F32, &Device::Cpu).unwrap() * by).unwrap();
    let weights =
        |name: &str, by: f64| (format!("critic.1.{name}.weight"), diagonal(by).reshape((4, 4, 1, 1)).unwrap());
    let more = BTreeMap::from([weights("1", 0.8), weights("project.0", 0.2)]);
    let parameters = golden.parameters(prefix, "critic.", more);
    (Network::of("critic", &specs, &parameters).unwrap(), parameters)
}

fn network(golden: &Golden, name: &'static str, specs: &[LayerSpec]) -> (Network, Parameters) {
    let prefix = format!("{name}.");
    let parameters = golden.parameters(&prefix, &prefix, BTreeMap::new());
    (Network::of(name, specs, &parameters).unwrap(), parameters)
}

#[test]
fn the_penalty_and_its_gradients_are_the_references() {
    let golden = Golden::load("gradient_penalty");
    let (critic, parameters) = reference_critic(&golden, "");
    let [z, own, epsilon] = ["z_private", "z_public", "epsilon"].map(|name| golden.input(name));
    let other = epsilon.affine(-1.0, 1.0).unwrap();
    let between = (z.broadcast_mul(&epsilon).unwrap() + own.broadcast_mul(&other).unwrap()).unwrap();
    let penalty = penalty(&critic, &between).unwrap();
    golden.check("per_channel", &penalty);
    let gradients = penalty.backward().unwrap();
    for layer in ["0", "2", "5"] {
        let var = parameters.get(&format!("critic.{layer}.weight")).unwrap();
        golden.check(&format!("grad_per_channel.{layer}.weight"), gradients.get(var).unwrap());
    }
}

#[test]
fn a_hijacked_client_gets_the_references_gradient() {
    let golden = Golden::load("fsha_client_gradient");
    let (critic, weights) = reference_critic(&golden, "critic.");
    let (client, parameters) = network(&golden, "client", &[conv(3, 1), Relu]);
    let z = client.forward(&golden.input("image")).unwrap();
    golden.check("z", &z);
    let epsilon = Tensor::zeros((4, 1, 1, 1), z.dtype(), z.device()).unwrap();
    let judged = judge((&critic, &weights), Scale::Means, &z, &z, &epsilon, 500.0).unwrap();
    golden.check_values("loss", &[judged.client]);
    golden.check("cut_gradient", &judged.cut_gradient);
    let gradients = carry_on(&z, &judged.cut_gradient).unwrap().backward().unwrap();
    for part in ["weight", "bias"] {
        let var = parameters.get(&format!("client.0.{part}")).unwrap();
        golden.check(&format!("grad.0.{part}"), gradients.get(var).unwrap());
    }
}

#[test]
fn an_iteration_is_the_references() {
    let golden = Golden::load("fsha_step");
    let (critic, judges) = reference_critic(&golden, "critic.");
    let (client, clients) = network(&golden, "client", &[conv(3, 1), Relu]);
    let (pilot, pilots) = network(&golden, "pilot", &[conv(3, 1)]);
    let (decoder, decoders) = network(&golden, "decoder", &[conv(1, 1)]);
    let [image, own, epsilon] = ["image", "aux", "epsilon"].map(|name| golden.input(name));
    let z = client.forward(&image).unwrap();
    let (sent, loss, gradients) = autoencode(&own, true, || {
        let z = pilot.forward(&own)?;
        let y = decoder.forward(&z)?;
        Ok((z, y))
    })
    .unwrap();
    let judged = judge((&critic, &judges), Scale::Means, &z, &sent, &epsilon, 500.0).unwrap();
    let stolen = decoder.forward(&z).unwrap().tanh().unwrap();
    let error = (stolen - &image).unwrap().sqr().unwrap().mean_all().unwrap().to_scalar::<f32>().unwrap();
    golden.check_values("losses", &[judged.client, loss, judged.critic, judged.penalty, f64::from(error)]);
    let adam = |parameters: &Parameters| {
        // The leaky relu's weights are no part of the critic, and its last bias cancels out.
        let trained =
            parameters.trained().filter(|(name, _)| !name.starts_with("critic.1.") && *name != "critic.5.bias");
        Adam::of(trained.map(|(name, var)| (name.clone(), var.clone())).collect::<Vec<_>>(), AdamSettings::new(1e-2))
    };
    let by_client = carry_on(&z, &judged.cut_gradient).unwrap().backward().unwrap();
    adam(&clients).step(&by_client).unwrap();
    adam(&pilots).step(&gradients).unwrap();
    adam(&decoders).step(&gradients).unwrap();
    adam(&judges).step(&judged.gradients).unwrap();
    for (name, var) in [&clients, &pilots, &decoders, &judges].into_iter().flat_map(Parameters::iter) {
        if !name.starts_with("critic.1.") && name != "critic.5.bias" {
            golden.check(name, var);
        }
    }
}

/// Images of one colour and 9 × 8 pixels, and what is known beside them.
fn knowledge() -> Knowledge {
    let pixels = (0..24 * 72).map(|i| (i * 7919 % 251) as u8).collect();
    let images = Data::from(Images { shape: [1, 9, 8], pixels, labels: (0..24).map(|i| i % 3).collect() });
    Knowledge {
        image: [1, 9, 8],
        classes: 3,
        layers: vec![conv(3, 1), Relu],
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

/// What a victim sends in step `i`: numbers of this shape.
fn heard(i: usize, shape: &[usize]) -> Heard {
    let dims = [&[6], shape].concat();
    let numbers = Seed(9).stream("z", i as u64).uniform_tensor(0.0, 1.0, &dims[..], &Device::Cpu).unwrap();
    let messages = vec![Message { crossing: Crossing::Smashed, numbers, packed: None }];
    Heard { epoch: 0, step: i, messages, labels: None, server: None }
}

fn bits(t: &Tensor) -> Vec<u32> {
    t.flatten_all().unwrap().to_vec1::<f32>().unwrap().into_iter().map(f32::to_bits).collect()
}

#[test]
fn it_works_at_any_cut_and_goes_on_from_a_state_with_the_same_bytes() {
    let mut values = Values::of(KIND.settings);
    for (key, value) in [("width", 2), ("warm_up", 2)] {
        values.put(key, toml::Value::Integer(value)).unwrap();
    }
    let make = || Fsha::new(&knowledge(), Settings::of(&values).unwrap()).unwrap();
    // Channels with the image's sides, with half of them, with sides that are no power of two of it, and features.
    for shape in [&[3, 9, 8][..], &[4, 5, 4], &[2, 3, 2], &[7]] {
        let (mut whole, mut parted) = (make(), make());
        for i in 0..5 {
            let step = heard(i, shape);
            let [down, again] = [&mut whole, &mut parted].map(|attack| attack.answer(&step).unwrap());
            assert_eq!(down.is_some(), i >= 2, "it is honest at first");
            assert_eq!(down.as_ref().map(bits), again.as_ref().map(bits), "{shape:?}");
            assert!(down.is_none_or(|down| down.dims() == step.crossed(Crossing::Smashed).unwrap().dims()));
            let state = parted.state().unwrap();
            parted = make();
            parted.load(&state).unwrap();
        }
        let seen = Evidence::new(Smashed::new(heard(9, shape).crossed(Crossing::Smashed).unwrap())).unwrap();
        let images = |of: &Fsha| of.attack(&seen, &knowledge()).unwrap().reconstruction().unwrap();
        assert_eq!(images(&whole).dims(), [6, 1, 9, 8]);
        assert_eq!(bits(&images(&whole)), bits(&images(&parted)));
        let told = whole.attack(&seen, &knowledge()).unwrap().doubt().unwrap();
        assert_eq!(told, Some(Doubt::FewSteps { done: 5, least: 100 }));
        // It may be asked before any step.
        assert_eq!(images(&make()).dims(), [6, 1, 9, 8]);
    }
    let straight = Settings { warm_up: 0, ..Settings::of(&values).unwrap() };
    let mut broken = Fsha::new(&knowledge(), straight).unwrap();
    let nothing = Tensor::full(f32::NAN, (6, 7), &Device::Cpu).unwrap();
    let messages = vec![Message { crossing: Crossing::Smashed, numbers: nothing, packed: None }];
    let error = broken.answer(&Heard { epoch: 0, step: 0, messages, labels: None, server: None }).unwrap_err();
    assert!(matches!(error, Error::Diverged(_)), "{error}");
}

/// Disguises images, which takes learning, and triples what it sends.
#[derive(Debug)]
struct Disguised;

impl Imitation for Disguised {
    fn undisguised(&self) -> Option<Arc<dyn Imitation>> {
        Some(Arc::new(Tripled))
    }

    fn study(&self, _: &Own<'_>) -> Result<Box<dyn Study>> {
        Err(Error::Internal("it imitates the disguise".to_owned()))
    }
}

#[test]
fn adaptive_it_goes_through_what_is_done_on_the_wire_and_imitates_no_disguise() {
    let mut values = Values::of(KIND.settings);
    for (key, value) in [("width", 1), ("warm_up", 0)] {
        values.put(key, toml::Value::Integer(value)).unwrap();
    }
    let end = |defence: Option<Arc<dyn Imitation>>| {
        let known = Knowledge { defence, ..knowledge() };
        let mut attack = Fsha::new(&known, Settings::of(&values).unwrap()).unwrap();
        (0..STUDY + 4).for_each(|i| drop(attack.answer(&heard(i, &[7])).unwrap()));
        attack.losses
    };
    let [naive, tripled, disguised] = [None, Some(Arc::new(Tripled) as _), Some(Arc::new(Disguised) as _)].map(end);
    assert!(tripled == disguised && naive[..STUDY] == tripled[..STUDY] && naive[STUDY..] != tripled[STUDY..]);
}

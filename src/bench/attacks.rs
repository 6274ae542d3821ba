//! The cases that are attacks'.

use candle_core::{D, DType, Device, Tensor, Var};
use candle_nn::ops::softmax;

use super::{Case, random, small_plan};
use crate::attack::fsha::{self, Fsha};
use crate::attack::matching::objective::Distance;
use crate::attack::matching::{self, Matching, Way};
use crate::attack::prior::search_step;
use crate::attack::rmle::{Rmle, Settings};
use crate::attack::unsplit::{self, UnSplit};
use crate::attack::{Auxiliary, Evidence, Inversion, Knowledge, WeightGradients};
use crate::data::{Images, Part};
use crate::defence::entry::AS_THEY_ARE;
use crate::engine::loss::soft_cross_entropy_gradient;
use crate::error::{Error, Result};
use crate::model::adam::{Adam, AdamSettings};
use crate::model::decoder::Decoder;
use crate::model::network::Network;
use crate::model::parameters::{Init, Parameters};
use crate::model::spec::LayerSpec;
use crate::model::wire::{CutGradient, Smashed};
use crate::random::{At, Seed};
use crate::setting::Values;
use crate::split::SplitModel;

/// What was seen of random images by somebody who knows `train_small`'s client.
fn white_box(name: &'static str, images: usize, on: &Device) -> Result<(Smashed, Knowledge)> {
    let model = SplitModel::new(small_plan(28, 10), Seed(0), on)?;
    let (smashed, _) = model.ask(&random(&[images, 1, 28, 28], 0, on)?, At::ONCE)?;
    let knowledge = Knowledge {
        image: [1, 28, 28],
        classes: 10,
        layers: model.plan.layers[..model.plan.cut].to_vec(),
        client: Some(model.client.body()),
        oracle: None,
        server: None,
        entry: &AS_THEY_ARE,
        auxiliary: None,
        samples: None,
        defence: None,
        seed: Seed(0),
        name: name.to_owned(),
    };
    Ok((smashed, knowledge))
}

pub(super) fn rmle(name: &'static str, images: usize, on: &Device) -> Result<Case> {
    let (smashed, knowledge) = white_box(name, images, on)?;
    let adam = AdamSettings { rate: 0.01, epsilon: 1e-8, amsgrad: false };
    let settings = Settings { iterations: usize::MAX, adam, tv: 0.01, boxed: false, rehearse: false, settled: 0.0 };
    let mut attack = Rmle::new(&Evidence::new(smashed)?, &knowledge, settings)?;
    Ok(Case { name, per: 1, unit: "iterations/s", device: on.clone(), step: Box::new(move || attack.advance()) })
}

pub(super) fn prior(on: &Device) -> Result<Case> {
    let (smashed, mut knowledge) = white_box("prior_step", 64, on)?;
    knowledge.client = knowledge.client.map(|client| client.frozen());
    let step = Box::new(search_step(smashed.tensor().clone(), knowledge)?);
    Ok(Case { name: "prior_step", per: 1, unit: "iterations/s", device: on.clone(), step })
}

/// A decoder's step on pairs that the attacker made beforehand.
pub(super) fn inverse(on: &Device) -> Result<Case> {
    let (smashed, knowledge) = white_box("inverse_step", 32, on)?;
    let images = random(&[32, 1, 28, 28], 0, on)?;
    let init = Init { seed: Seed(0), model: "bench", device: on };
    let decoder = Decoder::new(&smashed.tensor().dims()[1..], knowledge.image, init)?;
    let mut adam = Adam::new(decoder.parameters(), AdamSettings::new(1e-3));
    let step = move || decoder.learn(&mut adam, smashed.tensor(), &images).map(|_| ());
    Ok(Case { name: "inverse_step", per: 1, unit: "iterations/s", device: on.clone(), step: Box::new(step) })
}

/// The attack's slices are of two steps each on the image and on the clone.
pub(super) fn unsplit(on: &Device) -> Result<Case> {
    use LayerSpec::{MaxPool, Relu};
    let conv = |channels| LayerSpec::Conv { channels, kernel: 5, stride: 1, padding: 0, bias: true };
    let layers = vec![conv(8), Relu, MaxPool(2), conv(16), Relu, MaxPool(2)];
    let (_, knowledge) = white_box("unsplit_step", 1, on)?;
    let knowledge = Knowledge { client: None, layers, ..knowledge };
    let seen = Evidence::new(Smashed::new(&random(&[1, 16, 4, 4], 0, on)?))?;
    let settings = unsplit::Settings { rounds: 1 << 40, steps: 1, rate: 1e-3, tv: 0.1, darkness: 1.0, settled: 0.0 };
    let mut attack = UnSplit::new(&seen, &knowledge, settings)?;
    Ok(Case {
        name: "unsplit_step",
        per: 2,
        unit: "iterations/s",
        device: on.clone(),
        step: Box::new(move || attack.advance()),
    })
}

/// The hijacker's whole iteration and the step that the victim's client takes by it.
pub(super) fn fsha(name: &'static str, width: i64, on: &Device) -> Result<Case> {
    const BATCH: usize = 64;
    let (_, knowledge) = white_box(name, 1, on)?;
    let pixels: Vec<f32> = random(&[2 * BATCH, 1, 28, 28], 1, on)?.flatten_all()?.to_vec1()?;
    let pixels = pixels.iter().map(|v| (255.0 * v) as u8).collect();
    let own = Part::from(Images { shape: [1, 28, 28], pixels, labels: vec![0; 2 * BATCH] });
    let knowledge = Knowledge { client: None, auxiliary: Some(Auxiliary::new(own, on)), ..knowledge };
    let mut values = Values::of(fsha::KIND.settings);
    for (key, value) in [("warm_up", 0.into()), ("brake", 0.0.into()), ("width", width.into())] {
        values.put(key, value)?;
    }
    let mut attack = Fsha::new(&knowledge, fsha::Settings::of(&values)?)?;
    let mut victim = SplitModel::new(small_plan(28, 10), Seed(0), on)?;
    let x = random(&[BATCH, 1, 28, 28], 0, on)?;
    let step = move || {
        let sent = victim.client.send(&x, Ok, Ok)?;
        let down = attack.respond(sent.tensor())?;
        let down = down.ok_or_else(|| Error::Internal("the hijacker kept still".to_owned()))?;
        victim.client.receive(&CutGradient::new(&down), |_, _| Ok(true))
    };
    Ok(Case { name, per: 1, unit: "iterations/s", device: on.clone(), step: Box::new(step) })
}

/// Weights drawn from ±½, as the attack's authors do.
pub(super) fn dlg(on: &Device) -> Result<Case> {
    use LayerSpec::{Flatten, Linear, Sigmoid};
    let conv = |stride| LayerSpec::Conv { channels: 12, kernel: 5, stride, padding: 2, bias: true };
    let layers = [conv(2), Sigmoid, conv(2), Sigmoid, conv(1), Sigmoid, Flatten, Linear(10)];
    let mut parameters = Parameters::default();
    let init = Init { seed: Seed(0), model: "bench", device: on };
    Network::init("lenet", &[1, 28, 28], &layers, &mut parameters, init)?;
    for (i, (_, weight)) in parameters.iter().enumerate() {
        weight.set(&(random(weight.dims(), 10 + i as u64, on)? - 0.5)?)?;
    }
    let network = Network::of("lenet", &layers, &parameters)?.frozen();
    let gradients = |x: &Tensor, target: &Tensor| {
        network.weight_gradients(x, |logits| Ok(soft_cross_entropy_gradient(logits, target)?))
    };
    let one_hot: Vec<f32> = (0..10).map(|k| f32::from(u8::from(k == 3))).collect();
    let one_hot = Tensor::from_vec(one_hot, (1, 10), on)?;
    let truth: Vec<Tensor> =
        gradients(&random(&[1, 1, 28, 28], 0, on)?, &one_hot)?.iter().map(Tensor::detach).collect();
    let image = Var::from_tensor(&random(&[1, 1, 28, 28], 1, on)?)?;
    let label = Var::from_tensor(&random(&[1, 10], 2, on)?)?;
    let vars = [("image".to_owned(), image.clone()), ("label".to_owned(), label.clone())];
    let mut adam = Adam::of(vars, AdamSettings::new(0.1));
    let device = on.clone();
    let step = move || {
        let got = network.weight_gradients(&image, |logits| {
            Ok(soft_cross_entropy_gradient(logits, &softmax(&label, D::Minus1)?)?)
        })?;
        adam.step(&distance(&got, &truth, &device)?.backward()?)
    };
    Ok(Case { name: "dlg_b1", per: 1, unit: "iterations/s", device: on.clone(), step: Box::new(step) })
}

/// The attack itself, on one image.
pub(super) fn inverting(on: &Device) -> Result<Case> {
    let model = SplitModel::new(small_plan(28, 10), Seed(0), on)?;
    let label = Tensor::new(&[3u32], on)?;
    let both = model.weight_gradients(&random(&[1, 1, 28, 28], 0, on)?, &label, At::ONCE)?;
    let [client, server] = both.map(|one| WeightGradients { batch: 1, each: vec![one], class_weights: None });
    let layers = &model.plan.layers[model.plan.cut..];
    let knowledge = Knowledge {
        image: [1, 28, 28],
        classes: 10,
        layers: Vec::new(),
        client: Some(model.client.body()),
        oracle: None,
        server: Some(Network::of("server", layers, model.server.parameters())?.frozen()),
        entry: &AS_THEY_ARE,
        auxiliary: None,
        samples: None,
        defence: None,
        seed: Seed(0),
        name: "inverting_step".to_owned(),
    };
    let settings = matching::Settings {
        distance: Distance::Cosine,
        tv: 1e-4,
        way: Way::Adam { rate: 0.1, signed: true, boxed: true },
        iterations: 1 << 40,
        restarts: 1,
        searches_labels: false,
    };
    let mut attack = Matching::new(&Evidence::of_gradients(1, client, server), &knowledge, settings)?;
    Ok(Case {
        name: "inverting_step",
        per: 1,
        unit: "iterations/s",
        device: on.clone(),
        step: Box::new(move || attack.advance()),
    })
}

/// Σ‖a − b‖² over all tensors.
fn distance(a: &[Tensor], b: &[Tensor], on: &Device) -> Result<Tensor> {
    let mut total = Tensor::zeros((), DType::F32, on)?;
    for (a, b) in a.iter().zip(b) {
        total = (total + (a - b)?.sqr()?.sum_all()?)?;
    }
    Ok(total)
}

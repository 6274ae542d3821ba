//! One step, its hooks, who listens, and who sits in the chair.

use std::cell::RefCell;
use std::sync::{Arc, Mutex};

use candle_core::backprop::GradStore;

use super::*;
use crate::data::Images;
use crate::defence::{Kind, Setup};
use crate::experiment::Experiment;
use crate::model::adam::AdamSettings;
use crate::model::parameters::Parameters;
use crate::model::seat::Lift;
use crate::setting::Values;

#[test]
fn both_parties_go_back_along_their_tapes() {
    for settings in [&[][..], &["model.name=resnet8", "model.cut=4"]] {
        let mut experiment = Experiment::preset("quick").unwrap();
        for setting in settings {
            experiment.set(setting).unwrap();
        }
        let x = Seed(1).stream("x", 0).uniform_tensor(0.0, 1.0, &[4, 1, 28, 28], &Device::Cpu).unwrap();
        let at = At::Train { epoch: 0, step: 0 };
        let labels = Tensor::new(&[0u32, 1, 2, 0], &Device::Cpu).unwrap();
        for plan in experiment.split_plans([1, 28, 28], 10).unwrap() {
            let mut model = SplitModel::new(plan, Seed(0), &Device::Cpu).unwrap();
            let hidden = model.hide(&x, at).unwrap();
            let ForwardPass { total, tape, .. } = model.send(&x, hidden, &labels, at).unwrap().pass;
            assert!(tape.covers(&total), "server, {settings:?}");
            assert!(model.client.covers_sent(), "client, {settings:?}");
        }
    }
}

thread_local! {
    /// Hooks in the order in which they were called.
    static CALLED: RefCell<Vec<&'static str>> = const { RefCell::new(Vec::new()) };
}

fn called(hook: &'static str) {
    CALLED.with_borrow_mut(|all| all.push(hook));
}

/// Is there at every hook, and changes nothing.
#[derive(Debug)]
struct Spy;

static SPY: Kind = Kind { id: "spy", make: |_, _| Ok(Box::new(Spy)), ..Kind::BASE };

impl Defence for Spy {
    fn seat(&self, seat: Box<dyn Seat>) -> Box<dyn Seat> {
        called("seat");
        seat
    }

    fn begin(&mut self, _: &mut Pass<'_>) -> Result<bool> {
        called("begin");
        Ok(true)
    }

    fn epoch(&mut self, pass: &mut Pass<'_>, _: usize) -> Result<bool> {
        called("epoch");
        assert_eq!(pass.smash(&[2, 0])?.1.to_vec1::<u32>()?, [2, 0]);
        Ok(true)
    }

    fn own_step(&mut self, _: &mut Client, _: &Tensor, _: &Tensor, _: At<'_>) -> Result<Option<f64>> {
        called("own_step");
        Ok(None)
    }

    fn image(&self, images: Outgoing, _: &mut Line<'_>, _: At<'_>) -> Result<Outgoing> {
        called("image");
        Ok(images)
    }

    fn labels(&self, labels: Tensor, _: At<'_>) -> Result<Tensor> {
        called("labels");
        Ok(labels)
    }

    fn up(&self, z: Tensor, _: At<'_>) -> Result<Tensor> {
        called("up");
        Ok(z)
    }

    fn arrive(&self, payload: Tensor) -> Result<Tensor> {
        called("arrive");
        Ok(payload)
    }

    fn own_gradient(&mut self, _: &Tensor, _: &Smashed, _: &Tensor, _: At<'_>) -> Result<Option<Tensor>> {
        called("own_gradient");
        Ok(None)
    }

    fn answer(&self, gradient: Tensor, _: At<'_>) -> Result<Tensor> {
        called("answer");
        Ok(gradient)
    }

    fn down(&self, gradient: Tensor, _: At<'_>) -> Result<Tensor> {
        called("down");
        Ok(gradient)
    }

    fn learn(&mut self, _: &Parameters, _: &mut GradStore, _: At<'_>) -> Result<bool> {
        called("learn");
        Ok(true)
    }
}

const FIRST: At<'static> = At::Train { epoch: 0, step: 0 };

/// An undefended model of `quick`, under these defences, and a batch for it.
fn model(kinds: &[&'static Kind]) -> (SplitModel, Tensor, Tensor) {
    let plan = Experiment::preset("quick").unwrap().undefended().split_plans([1, 28, 28], 10).unwrap().swap_remove(0);
    let setups = kinds.iter().map(|kind| Setup { kind, values: Values::of(kind.settings) });
    let plan = SplitPlan { defences: Stack::new(setups).unwrap(), ..plan };
    let x = Seed(1).stream("x", 0).uniform_tensor(0.0, 1.0, &[3, 1, 28, 28], &Device::Cpu).unwrap();
    (SplitModel::new(plan, Seed(0), &Device::Cpu).unwrap(), x, Tensor::new(&[0u32, 1, 2], &Device::Cpu).unwrap())
}

fn weights(model: &SplitModel) -> Vec<f32> {
    let parties = [model.client.parameters(), model.server.parameters()];
    parties
        .iter()
        .flat_map(|p| p.iter())
        .flat_map(|(_, v)| v.flatten_all().unwrap().to_vec1::<f32>().unwrap())
        .collect()
}

#[test]
fn every_hook_is_called_in_its_place_and_one_that_changes_nothing_changes_no_bit() {
    let ((mut plain, x, labels), (mut spied, ..)) = (model(&[]), model(&[&SPY]));
    let images = Images { shape: [1, 28, 28], pixels: vec![7; 3 * 784], labels: vec![0, 1, 2] };
    for epoch in 0..2 {
        assert!(spied.prepare(&images.clone().into(), epoch, &Device::Cpu).unwrap());
        plain.step(&x, &labels, FIRST).unwrap();
        spied.step(&x, &labels, FIRST).unwrap();
    }
    assert_eq!(weights(&plain), weights(&spied));
    let way = ["own_step", "image", "up", "labels", "arrive", "answer", "down", "own_gradient", "learn"];
    let expected: Vec<&str> = ["seat", "begin", "epoch"].into_iter().chain(way).chain(["epoch"]).chain(way).collect();
    assert_eq!(CALLED.take(), expected);
    let asked = |model: &SplitModel| model.answer(&x, At::ONCE).unwrap().scores.to_vec2::<f32>().unwrap();
    assert_eq!(asked(&plain), asked(&spied));
    assert_eq!(CALLED.take(), ["image", "up", "arrive"]);
}

#[derive(Debug)]
struct Ear(Arc<Mutex<Vec<(Crossing, u64)>>>);

impl Listener for Ear {
    fn hear(&mut self, message: &Message) -> Result<()> {
        self.0.lock().unwrap().push((message.crossing, message.bytes()));
        Ok(())
    }
}

#[test]
fn listeners_hear_what_is_counted_and_nothing_of_a_step_that_was_given_up() {
    let (mut model, x, labels) = model(&[]);
    let heard = Arc::new(Mutex::new(Vec::new()));
    model.listeners.push(Box::new(Ear(heard.clone())));
    let hidden = model.hide(&x, FIRST).unwrap();
    drop(model.send(&x, hidden, &labels, FIRST).unwrap());
    assert!(heard.lock().unwrap().is_empty());
    model.step(&x, &labels, FIRST).unwrap();
    let count = model.wire;
    let expected = [(Crossing::Smashed, count.smashed_bytes), (Crossing::CutGradient, count.gradient_bytes)];
    assert_eq!(*heard.lock().unwrap(), expected);
}

/// Sits where another would, and sends back nothing but zeros.
#[derive(Debug)]
struct Hijacker(Box<dyn Seat>);

impl Seat for Hijacker {
    fn answer(&self, z: &Smashed, lift: Lift<'_>) -> Result<Answer> {
        self.0.answer(z, lift)
    }

    fn forward(&self, z: &Smashed, labels: &Tensor, lift: Lift<'_>) -> Result<ForwardPass> {
        self.0.forward(z, labels, lift)
    }

    fn learn(&mut self, pass: ForwardPass) -> Result<(CutGradient, Lesson)> {
        let (gradient, lesson) = self.0.learn(pass)?;
        Ok((CutGradient::new(&gradient.tensor().zeros_like()?), lesson))
    }

    fn jacobian(&self, z: &Smashed, lift: Lift<'_>) -> Result<[CutGradient; 2]> {
        self.0.jacobian(z, lift)
    }

    fn plain_logits(&self, z: &Tensor) -> Result<Tensor> {
        self.0.plain_logits(z)
    }

    fn parameters(&self) -> &Parameters {
        self.0.parameters()
    }

    fn votes(&self) -> Option<Vec<f64>> {
        self.0.votes()
    }

    fn set_votes(&mut self, votes: &[f64]) {
        self.0.set_votes(votes);
    }

    fn pace(&mut self, factor: f64) {
        self.0.pace(factor);
    }

    fn end_epoch(&mut self, hits: &[f64]) {
        self.0.end_epoch(hits);
    }

    fn optimiser_state(&self) -> Result<BTreeMap<String, Tensor>> {
        self.0.optimiser_state()
    }

    fn load_optimiser(&mut self, state: &BTreeMap<String, Tensor>) -> Result<()> {
        self.0.load_optimiser(state)
    }
}

#[test]
fn a_hijacker_takes_the_chair_by_wrapping_who_sits_there() {
    let (mut model, x, labels) = model(&[]);
    let honest = std::mem::replace(&mut model.server, Box::new(Hijacker(model_server())));
    model.server = Box::new(Hijacker(honest));
    let client = |model: &SplitModel| model.client.parameters().snapshot().unwrap();
    let before = client(&model);
    model.step(&x, &labels, FIRST).unwrap();
    for (name, value) in client(&model) {
        let gap = (value - &before[&name]).unwrap().abs().unwrap().max_all().unwrap().to_scalar::<f32>().unwrap();
        assert!(gap < 1e-6, "{name} moved by {gap} without a gradient");
    }
}

/// Any server, to stand in while the model's own is taken out.
fn model_server() -> Box<dyn Seat> {
    model(&[]).0.server
}

#[test]
fn weight_gradients_are_those_of_both_parties_in_a_row_and_change_nothing() {
    use crate::engine::loss::soft_cross_entropy_gradient;
    use crate::model::network::Network;
    use crate::model::second::split_weight_gradients;
    use LayerSpec::{BatchNorm, Conv, Flatten, Linear, Relu};
    let conv = Conv { channels: 3, kernel: 3, stride: 1, padding: 1, bias: false };
    let layers = vec![conv.clone(), BatchNorm, Relu, conv, BatchNorm, Relu, Flatten, Linear(4)];
    let plan = SplitPlan {
        name: UNDEFENDED.to_owned(),
        layers,
        cut: 3,
        image: [2, 5, 5],
        classes: 4,
        defences: Stack::default(),
        optimiser: OptimiserSettings::Adam(AdamSettings::new(0.001)),
        class_weights: None,
    };
    let model = SplitModel::new(plan, Seed(8), &Device::Cpu).unwrap();
    let before = model.client.parameters().snapshot().unwrap();
    let x = Seed(1).stream("x", 0).uniform_tensor(0.0, 1.0, &[2, 2, 5, 5], &Device::Cpu).unwrap();
    let labels = Tensor::new(&[3u32, 1], &Device::Cpu).unwrap();
    let got = model.weight_gradients(&x, &labels, At::ONCE).unwrap();
    let server = Network::of("server", &model.plan.layers[3..], model.server.parameters()).unwrap().frozen();
    let rows = Tensor::new(&[[0f32, 0.0, 0.0, 1.0], [0.0, 1.0, 0.0, 0.0]], &Device::Cpu).unwrap();
    let loss = |logits: &Tensor| Ok(soft_cross_entropy_gradient(logits, &rows)?);
    let wanted = split_weight_gradients(&model.client.body(), &server, &x, Ok, |_, g| Ok(g), loss).unwrap();
    for (got, wanted) in got.iter().flatten().zip(wanted.iter().flatten()) {
        let gap = (got - wanted).unwrap().abs().unwrap().max_all().unwrap().to_scalar::<f32>().unwrap();
        assert!(gap < 1e-6, "{gap}");
    }
    // Of the client a weight, γ and β; of the server these and a weight and a bias.
    assert_eq!((got[0].len(), got[1].len(), wanted[0].len(), wanted[1].len()), (3, 5, 3, 5));
    let bits = |all: &BTreeMap<String, Tensor>| -> Vec<Vec<f32>> {
        all.values().map(|t| t.flatten_all().unwrap().to_vec1().unwrap()).collect()
    };
    assert_eq!(bits(&before), bits(&model.client.parameters().snapshot().unwrap()));
}

#[test]
fn weight_gradients_are_taken_through_the_weights_that_a_defence_sends_through() {
    use crate::experiment::Experiment;
    let gradients = |sigma: f64| {
        let mut experiment = Experiment::preset(crate::experiment::preset::PLAIN_DIGITS).unwrap();
        experiment.set(&format!("defence=[{{ name = \"weight-noise\", sigma = {sigma:?} }}]")).unwrap();
        let mut plan = experiment.split_plans([1, 28, 28], 10).unwrap().swap_remove(0);
        // The same fresh weights whatever the model is called.
        plan.name = "any".to_owned();
        let model = SplitModel::new(plan, Seed(4), &Device::Cpu).unwrap();
        let x = Seed(1).stream("x", 0).uniform_tensor(0.0, 1.0, &[1, 1, 28, 28], &Device::Cpu).unwrap();
        let at = |draw| At::Ask { samples: &[7], draw };
        [1, 1, 2].map(|draw| {
            let [client, server] =
                model.weight_gradients(&x, &Tensor::new(&[3u32], &Device::Cpu).unwrap(), at(draw)).unwrap();
            assert!(!client.is_empty());
            let numbers = |t: &Tensor| t.flatten_all().unwrap().to_vec1::<f32>().unwrap();
            client.iter().chain(&server).flat_map(numbers).collect::<Vec<_>>()
        })
    };
    let ([plain, _, plain_later], [noisy, again, later]) = (gradients(0.0), gradients(0.5));
    assert_eq!((&plain, &noisy), (&plain_later, &again));
    assert!(noisy != plain && noisy != later, "the gradient is of the noisy weights, drawn anew");
}

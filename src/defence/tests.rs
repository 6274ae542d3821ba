//! What holds for every defence that comes with the program.

use std::sync::{Arc, Mutex};

use candle_core::{Device, Tensor};
use toml::Value;

use super::kind::Bytes;
use super::{Kind, Setup, Stack};
use crate::data::{Images, Part};
use crate::error::Result;
use crate::experiment::Experiment;
use crate::model::wire::{Listener, Message, WireCount};
use crate::random::{At, Seed};
use crate::run::facts::WireFacts;
use crate::setting::Values;
use crate::split::{SplitModel, SplitPlan};
use crate::workbench;

/// The setting and the value at which each is no defence, and another at which it is strong.
fn ends(kind: &Kind) -> (&'static str, Value, Value) {
    let real = |key, strong| (key, Value::Float(0.0), Value::Float(strong));
    match kind.id {
        _ if kind.section.is_some() => ("enabled", Value::Boolean(false), Value::Boolean(true)),
        "binarise" => ("on", Value::Boolean(false), Value::Boolean(true)),
        "quantise" => ("bits", Value::Integer(32), Value::Integer(2)),
        "projection" => ("ratio", Value::Float(1.0), Value::Float(8.0)),
        "dropout" => real("p", 0.5),
        "top-k" => real("p", 0.9),
        "image-noise" | "weight-noise" | "gaussian" => real("sigma", 0.5),
        "laplace" => real("b", 0.5),
        "nopeek" => real("alpha", 10.0),
        "cem" | "ressfl" => real("lambda", 50.0),
        other => panic!("{other} is in no test: say at which setting it is no defence"),
    }
}

fn setup(kind: &'static Kind, value: Value) -> Setup {
    let mut values = Values::of(kind.settings);
    values.put(ends(kind).0, value).unwrap();
    Setup { kind, values }
}

/// It alone, with this value.
fn stack(kind: &'static Kind, value: Value) -> Stack {
    // A section of its own has its defaults in the document.
    let Some(section) = kind.section else { return Stack::new([setup(kind, value)]).unwrap() };
    let mut experiment = Experiment::preset("quick").unwrap();
    experiment.set(&format!("{section}.{}={value}", ends(kind).0)).unwrap();
    experiment.stack().unwrap()
}

fn plan(stack: Stack) -> SplitPlan {
    let plan = Experiment::preset("quick").unwrap().undefended().split_plans([1, 28, 28], 10).unwrap().swap_remove(0);
    // The same fresh weights whatever it is called.
    SplitPlan { defences: stack, ..plan }
}

/// A message's numbers and bytes.
type Crossed = (Vec<f32>, u64);

#[derive(Debug)]
struct Ear(Arc<Mutex<Vec<Crossed>>>);

impl Listener for Ear {
    fn hear(&mut self, message: &Message) -> Result<()> {
        let numbers = message.numbers.flatten_all()?.to_vec1::<f32>()?;
        self.0.lock().unwrap().push((numbers, message.bytes()));
        Ok(())
    }
}

/// All that crossed in a few steps over two epochs, the weights after them, and an answer.
fn trained(stack: Stack) -> (Vec<Crossed>, Vec<f32>, WireCount) {
    let pixels: Vec<u8> = (0..8 * 784).map(|i| (i * 7919 % 256) as u8).collect();
    let images = Part::from(Images { shape: [1, 28, 28], pixels, labels: (0..8).map(|i| i % 3).collect() });
    let mut model = SplitModel::new(plan(stack), Seed(0), &Device::Cpu).unwrap();
    let heard = Arc::new(Mutex::new(Vec::new()));
    model.listeners.push(Box::new(Ear(heard.clone())));
    let places: Vec<usize> = (0..8).collect();
    let (x, labels) = images.batch(&places, &Device::Cpu).unwrap();
    for epoch in 0..2 {
        while !model.prepare(&images, epoch, &Device::Cpu).unwrap() {}
        for step in 0..2 {
            model.step(&x, &labels, At::Train { epoch, step }).unwrap();
        }
    }
    let parties = [model.client.parameters(), model.server.parameters()];
    let numbers = |t: &Tensor| t.flatten_all().unwrap().to_vec1::<f32>().unwrap();
    let weights = parties.iter().flat_map(|p| p.iter()).flat_map(|(_, v)| numbers(v.as_tensor())).collect();
    let asked = model.ask(&x, At::ONCE).unwrap().0;
    let mut all = heard.lock().unwrap().clone();
    all.push((numbers(asked.tensor()), 0));
    (all, weights, model.wire)
}

#[test]
fn at_strength_zero_nothing_differs_from_no_defence_to_the_last_bit() {
    let none = trained(Stack::default());
    for kind in workbench::defences() {
        let (_, off, _) = ends(kind);
        let stack = stack(kind, off);
        assert!(stack.is_empty(), "{} has strength where it should have none", kind.id);
        assert_eq!(trained(stack), none, "{}", kind.id);
    }
}

#[test]
fn with_strength_each_changes_what_is_learnt_and_counts_what_crosses() {
    let none = trained(Stack::default());
    for kind in workbench::defences() {
        let stack = stack(kind, ends(kind).2);
        let facts = WireFacts::of(&plan(stack.clone())).unwrap();
        let (_, weights, wire) = trained(stack);
        // In four steps ResSFL's decoder has learnt nothing that is to be feared.
        assert_eq!(weights == none.1, kind.id == "ressfl", "{}", kind.id);
        assert!(weights.iter().all(|w| w.is_finite()), "{}", kind.id);
        // Four steps of eight images: what the facts say of one image is what crossed for it.
        let counted = [wire.smashed_bytes, wire.gradient_bytes].map(|bytes| bytes / 32);
        assert_eq!(counted, [facts.image.smashed_bytes, facts.image.gradient_bytes], "{}", kind.id);
        let packs = ["quantise", "binarise", "top-k", "projection"].contains(&kind.id);
        // So do images that are packed before the first layer.
        let fewer = wire.smashed_bytes < none.2.smashed_bytes;
        assert_eq!(fewer, packs || kind.entry.is_some(), "{}", kind.id);
    }
}

/// The imitator of each draws what the client would send, and a search goes through what crosses on average.
#[test]
fn each_has_an_imitation_that_sends_what_the_client_does() {
    let z = Seed(1).stream("z", 0).uniform_tensor(-1.0, 1.0, &[6, 4, 7, 7], &Device::Cpu).unwrap();
    for kind in workbench::defences().iter().filter(|kind| kind.section.is_none()) {
        let own = setup(kind, ends(kind).2);
        let defence = (kind.make)(&own.values, super::kind::Draws::new(Seed(1), kind.id, 0)).unwrap();
        let imitation = (kind.imitation)(&own.values).unwrap();
        // On average over many draws what the client sends is what a search compares with.
        let draws = 200;
        let ask = |draw| At::Ask { samples: &[0, 1, 2, 3, 4, 5], draw };
        let sent = (0..draws).map(|draw| defence.up(z.clone(), ask(draw)).unwrap());
        let mean = (sent.reduce(|a, b| (a + b).unwrap()).unwrap() * (1.0 / draws as f64)).unwrap();
        let apart = (mean - imitation.up(z.clone()).unwrap()).unwrap().sqr().unwrap().mean_all().unwrap();
        assert!(apart.to_scalar::<f32>().unwrap() < 0.01, "{}: {apart}", kind.id);
        let gradient = imitation.down(&z, z.ones_like().unwrap()).unwrap();
        assert_eq!(gradient.dims(), z.dims(), "{}", kind.id);
    }
}

#[test]
fn in_a_stack_each_packs_what_the_one_before_it_left() {
    let of = |ids: &[&str]| {
        let setups = ids.iter().map(|id| {
            let kind = workbench::defence(id).unwrap();
            setup(kind, ends(kind).2)
        });
        Stack::new(setups).unwrap().bytes(800).unwrap()
    };
    assert_eq!(of(&[]), Bytes::whole(800));
    assert_eq!(of(&["nopeek"]), Bytes::whole(800));
    assert_eq!(of(&["quantise"]), Bytes { up: 208, down: 3200 });
    // Noise on what was rounded leaves no levels, and fewer numbers down stay fewer.
    assert_eq!(of(&["quantise", "gaussian"]), Bytes::whole(800));
    assert_eq!(of(&["projection", "quantise"]), Bytes { up: 208, down: 400 });
}

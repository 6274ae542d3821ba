use std::sync::Arc;

use candle_core::{DType, Device};

use super::*;
use crate::attack::WeightGradients;
use crate::data::Images;
use crate::defence::auxiliary::Auxiliary;
use crate::defence::entry::AS_THEY_ARE;
use crate::defence::imitation::{Imitation, Own, Study, Untouched};
use crate::model::network::Network;
use crate::model::parameters::{Init, Parameters};
use crate::model::second::split_weight_gradients;
use crate::model::spec::LayerSpec;
use crate::random::Seed;

const SIDE: usize = 6;
const CLASSES: usize = 4;

/// A client and a server with sigmoids and weights from ±½, as the first papers attack.
fn parties() -> [Network; 2] {
    let conv = |channels| LayerSpec::Conv { channels, kernel: 3, stride: 1, padding: 1, bias: true };
    let sides = [
        ("client", vec![1, SIDE, SIDE], vec![conv(4), LayerSpec::Sigmoid]),
        (
            "server",
            vec![4, SIDE, SIDE],
            vec![conv(4), LayerSpec::Sigmoid, LayerSpec::Flatten, LayerSpec::Linear(CLASSES)],
        ),
    ];
    sides.map(|(name, input, layers)| {
        let mut parameters = Parameters::default();
        let init = Init { seed: Seed(3), model: "matching", device: &Device::Cpu };
        Network::init(name, &input, &layers, &mut parameters, init).unwrap();
        for (i, (weight, var)) in parameters.iter().enumerate() {
            let mut stream = Seed(3).stream(weight, i as u64);
            var.set(&stream.uniform_tensor(-0.5, 0.5, var.dims(), &Device::Cpu).unwrap()).unwrap();
        }
        Network::of(name, &layers, &parameters).unwrap().frozen()
    })
}

fn images(n: usize) -> Tensor {
    Seed(5).stream("images", 0).uniform_tensor(0.0, 1.0, &[n, 1, SIDE, SIDE], &Device::Cpu).unwrap()
}

/// What is seen of training on `n` images, `batch` a gradient, of classes 0, 1, 2, …
fn evidence(parties: &[Network; 2], n: usize, batch: usize) -> Evidence {
    let x = images(n);
    let mut each = [Vec::new(), Vec::new()];
    for from in (0..n).step_by(batch) {
        let size = batch.min(n - from);
        let labels: Vec<u32> = (from..from + size).map(|i| (i % CLASSES) as u32).collect();
        let target = one_hot(&labels, CLASSES, &x).unwrap();
        let own = x.narrow(0, from, size).unwrap().contiguous().unwrap();
        let loss = |logits: &Tensor| objective::loss_gradient(logits, &target, None);
        let both = split_weight_gradients(&parties[0], &parties[1], &own, Ok, |_, g| Ok(g), loss).unwrap();
        each.iter_mut().zip(both).for_each(|(each, one)| each.push(one));
    }
    let [client, server] = each.map(|each| WeightGradients { batch, each, class_weights: None });
    Evidence::of_gradients(n, client, server)
}

fn knowledge([client, server]: [Network; 2]) -> Knowledge {
    Knowledge {
        image: [1, SIDE, SIDE],
        classes: CLASSES,
        layers: Vec::new(),
        client: Some(client),
        oracle: None,
        server: Some(server),
        entry: &AS_THEY_ARE,
        auxiliary: None,
        samples: None,
        defence: None,
        seed: Seed(1),
        name: "matching".to_owned(),
    }
}

/// A defence that does nothing but send the gradient back another way.
#[derive(Debug)]
struct Roundabout;

impl Imitation for Roundabout {
    fn plain_way_down(&self) -> bool {
        false
    }

    fn study(&self, own: &Own<'_>) -> Result<Box<dyn Study>> {
        Untouched.study(own)
    }
}

/// The same of an attacker that knows such a defence.
fn adaptive(parties: [Network; 2]) -> Knowledge {
    let pixels = vec![9; 2 * SIDE * SIDE];
    let own = Images { shape: [1, SIDE, SIDE], pixels, labels: vec![0, 1] };
    let auxiliary = Some(Auxiliary::new(own.into(), &Device::Cpu));
    Knowledge { auxiliary, defence: Some(Arc::new(Roundabout)), ..knowledge(parties) }
}

const LBFGS: Settings = Settings {
    distance: Distance::Squared,
    tv: 0.0,
    way: Way::Lbfgs,
    iterations: 600,
    restarts: 3,
    searches_labels: true,
};
const ADAM: Settings = Settings {
    distance: Distance::Cosine,
    tv: 1e-6,
    way: Way::Adam { rate: 0.1, signed: true, boxed: true },
    iterations: 400,
    restarts: 1,
    searches_labels: false,
};

fn run(attack: &mut Matching) {
    while !attack.done() {
        attack.advance().unwrap();
    }
}

fn errors(attack: &Matching, n: usize) -> Vec<f32> {
    let apart = (attack.reconstruction().unwrap() - images(n)).unwrap().sqr().unwrap();
    apart.flatten_from(1).unwrap().mean(1).unwrap().to_vec1().unwrap()
}

#[test]
fn images_and_classes_come_back_from_their_gradients() {
    let parties = parties();
    let seen = evidence(&parties, 3, 1);
    for (settings, bound) in [(LBFGS, 1e-5), (Settings { searches_labels: false, ..LBFGS }, 1e-5), (ADAM, 2e-3)] {
        let mut attack = Matching::new(&seen, &knowledge(parties.clone()), settings).unwrap();
        assert!(attack.first().unwrap().is_some() && attack.outcome().is_ok() && attack.loss().is_nan());
        run(&mut attack);
        let errors = errors(&attack, 3);
        assert!(errors.iter().all(|error| *error < bound), "{settings:?}: {errors:?}");
        assert_eq!(attack.outcome().unwrap().labels.unwrap(), [0, 1, 2], "{settings:?}");
        let (done, planned) = attack.progress();
        assert!(done == planned && attack.doubt().unwrap().is_none(), "{settings:?}: {:?}", attack.doubt());
        attack.advance().unwrap();
    }
}

#[test]
fn a_gradient_that_tells_nothing_takes_nothing_from_the_others() {
    let parties = parties();
    let seen = evidence(&parties, 3, 1);
    let [client, server] = [seen.client_gradients(), seen.server_gradients()].map(|one| {
        let mut all = one.unwrap().clone();
        all.each[1] = all.each[1].iter().map(|part| part.zeros_like().unwrap()).collect();
        all
    });
    let seen = Evidence::of_gradients(3, client.clone(), server.clone());
    let mut attack = Matching::new(&seen, &knowledge(parties.clone()), LBFGS).unwrap();
    // Its state is that of a search that has not begun, here as in any other.
    while attack.at < 1 {
        attack.advance().unwrap();
    }
    let state = attack.state().unwrap().unwrap();
    attack.load(&state).unwrap();
    run(&mut attack);
    let errors = errors(&attack, 3);
    assert!(errors[0] < 1e-5 && errors[2] < 1e-5 && errors[1] > 1e-2, "{errors:?}");
    assert_eq!(attack.doubt().unwrap(), Some(Doubt::Unexplained(100.0)));
    let alone = [client, server].map(|all| WeightGradients { each: vec![all.each[1].clone()], ..all });
    let [client, server] = alone;
    let seen = Evidence::of_gradients(1, client, server);
    assert!(matches!(Matching::new(&seen, &knowledge(parties), LBFGS), Err(Error::Diverged(_))));
}

#[test]
fn a_gradient_of_two_tells_both_in_some_order() {
    let parties = parties();
    let mut attack =
        Matching::new(&evidence(&parties, 2, 2), &knowledge(parties), Settings { searches_labels: false, ..LBFGS });
    let attack = attack.as_mut().unwrap();
    run(attack);
    let got = attack.reconstruction().unwrap();
    let apart = |i: usize, j: usize| -> f32 {
        let gap = (got.get(i).unwrap() - images(2).get(j).unwrap()).unwrap();
        gap.sqr().unwrap().mean_all().unwrap().to_scalar().unwrap()
    };
    let straight = apart(0, 0).max(apart(1, 1));
    assert!(straight.min(apart(0, 1).max(apart(1, 0))) < 1e-3, "{straight}");
    assert_eq!(attack.outcome().unwrap().labels.unwrap(), [0, 1]);
}

#[test]
fn a_search_that_cannot_follow_the_clients_gradient_begins_with_what_one_found_that_takes_all() {
    let parties = parties();
    let settings = Settings { searches_labels: false, restarts: 1, ..LBFGS };
    let seen = evidence(&parties, 2, 1);
    let mut attack = Matching::new(&seen, &adaptive(parties), settings).unwrap();
    assert_eq!(attack.progress(), (0, 2 * 2 * 600));
    let mut led = 0;
    while !attack.done() {
        let leading = attack.leading;
        attack.advance().unwrap();
        if leading && !attack.leading {
            led += 1;
        } else if !leading && attack.search.losses.len() == 1 {
            // The client's own gradient is not compared any more; what it told of the image is there.
            assert!(attack.search.losses[0] < 1e-6, "{:?}", attack.search.losses);
        }
    }
    let errors = errors(&attack, 2);
    assert!(led == 2 && errors.iter().all(|error| *error < 1e-5), "{led} {errors:?}");
    assert_eq!(attack.progress(), (2 * 2 * 600, 2 * 2 * 600));
}

#[test]
fn it_goes_on_inside_to_the_bit_and_another_seed_gives_other_numbers() {
    let parties = parties();
    let seen = evidence(&parties, 2, 1);
    let numbers = |attack: &Matching| {
        let images = attack.reconstruction().unwrap().flatten_all().unwrap().to_vec1::<f32>().unwrap();
        images.into_iter().map(f32::to_bits).collect::<Vec<_>>()
    };
    let few = Settings { iterations: 60, restarts: 2, ..LBFGS };
    for (settings, known) in [
        (few, knowledge(parties.clone())),
        (Settings { iterations: 40, ..ADAM }, knowledge(parties.clone())),
        (few, adaptive(parties.clone())),
    ] {
        let new = || Matching::new(&seen, &known, settings).unwrap();
        let mut whole = new();
        run(&mut whole);
        for stop in [0, 1, 45, 75] {
            let (mut first, mut second) = (new(), new());
            (0..stop).for_each(|_| first.advance().unwrap());
            second.load(&first.state().unwrap().unwrap()).unwrap();
            assert_eq!((first.progress(), numbers(&first)), (second.progress(), numbers(&second)), "{stop}");
            run(&mut second);
            assert_eq!(numbers(&whole), numbers(&second), "stopped after {stop} of {settings:?}");
            assert_eq!(whole.doubt().unwrap(), second.doubt().unwrap());
        }
        let other = Knowledge { seed: Seed(2), ..known.clone() };
        let mut other = Matching::new(&seen, &other, Settings { iterations: 5, restarts: 1, ..settings }).unwrap();
        run(&mut other);
        assert!(numbers(&other) != numbers(&whole));
        // A search cut short says so.
        assert!(other.doubt().unwrap().is_some());
    }
}

#[test]
fn what_cannot_be_matched_is_told() {
    let parties = parties();
    let seen = evidence(&parties, 1, 1);
    let blind = Knowledge { server: None, ..knowledge(parties.clone()) };
    let told = |result: Result<Matching>| result.map(|_| ()).unwrap_err().to_string();
    assert!(told(Matching::new(&seen, &blind, LBFGS)).contains("Knows::ServerWeights"));
    let masked = seen.clone().masked(crate::attack::rmle::KIND.sees);
    assert!(told(Matching::new(&masked, &knowledge(parties.clone()), LBFGS)).contains("Sees::ServerGradient"));
    // Weights that are no numbers: no start leads anywhere.
    let broken = parties[1].weights();
    let nan = (broken[0].zeros_like().unwrap() / 0.0).unwrap().to_dtype(DType::F32).unwrap();
    let mut gradients = seen.server_gradients().unwrap().clone();
    gradients.each[0][0] = nan;
    let seen = seen.clone().with_gradients(seen.client_gradients().unwrap().clone(), gradients);
    assert!(Matching::new(&seen, &knowledge(parties), LBFGS).is_err());
}

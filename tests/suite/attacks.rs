//! Attacks in process, on embedded digits and small untrained clients: what must be found is found, and
//! what an attacker cannot know changes nothing.

use std::sync::Arc;

use candle_core::{DType, Device, Tensor};
use cutlayer::attack::inverse::{self, Inverse};
use cutlayer::attack::kind::{Kind, Values};
use cutlayer::attack::rmle::{self, Rmle};
use cutlayer::attack::threat_model::{Knows, Sees};
use cutlayer::attack::{Auxiliary, Doubt, Evidence, Inversion, Knowledge, WeightGradients};
use cutlayer::data;
use cutlayer::defence::Outgoing;
use cutlayer::defence::imitation::Imitator;
use cutlayer::defence::psgl::fusion::DecisionWeights;
use cutlayer::defence::psgl::recovery::{MapNorm, Recovery};
use cutlayer::defence::psgl::strength::{Apply, Strength};
use cutlayer::defence::psgl::{Answering, Inference, Jacobian, Options, WeightsFrom};
use cutlayer::engine::pool::{Pool, pool};
use cutlayer::error::Error;
use cutlayer::model::adam::AdamSettings;
use cutlayer::model::network::Network;
use cutlayer::model::optimiser::OptimiserSettings;
use cutlayer::model::spec::LayerSpec::{self, Conv, Flatten, Linear, Relu};
use cutlayer::model::wire::Smashed;
use cutlayer::random::{At, Seed};
use cutlayer::score::image::{mse, psnr};
use cutlayer::split::{SplitModel, SplitPlan};
use cutlayer::state::State;
use cutlayer::workbench::attacks;

use super::stack::stack;

fn options(strength: Strength) -> Options {
    Options {
        strength,
        mirror: true,
        jacobian: Jacobian::Head,
        recovery: Recovery { mu: 0.55, iterations: 12, map_norm: MapNorm::L1 },
        image_recovery: Recovery { mu: 0.55, iterations: 15, map_norm: MapNorm::L1 },
        fuse_relu: true,
        weights: DecisionWeights::new([0.5, 0.3, 0.2]),
        weights_from: WeightsFrom::Setting,
        inference: Inference::Attacked,
        attack: true,
        server: Answering::Streams,
    }
}

const SPARSE: Strength = Strength { apply: Apply::Sparse, gamma: 0.1, theta: 1.0 };

/// A client of one convolution (8 channels, 3×3) and a relu, never trained.
fn model(side: usize, psgl: Option<Options>) -> SplitModel {
    wide_model(side, 8, psgl)
}

/// The same with another number of channels.
fn wide_model(side: usize, channels: usize, psgl: Option<Options>) -> SplitModel {
    let conv = Conv { channels, kernel: 3, stride: 1, padding: 1, bias: true };
    let layers: Vec<LayerSpec> = vec![conv, Relu, Flatten, Linear(10)];
    let optimiser = OptimiserSettings::Adam(AdamSettings::new(1e-3));
    let plan = SplitPlan {
        name: "attacked".to_owned(),
        layers,
        cut: 2,
        image: [1, side, side],
        classes: 10,
        defences: stack(psgl),
        optimiser,
        class_weights: None,
    };
    SplitModel::new(plan, Seed(2), &Device::Cpu).unwrap()
}

/// The first digits of the test set.
fn victims(n: usize) -> Tensor {
    data::built_in("mnist").unwrap().test.take(n).tensor(&Device::Cpu).unwrap()
}

/// Digits that are not the victims'.
fn auxiliary(n: usize) -> Auxiliary {
    Auxiliary::new(data::built_in("mnist").unwrap().train.take(n), &Device::Cpu)
}

/// Everything there is, masked for a kind: what reaches it is what it declares, and what it does not is not there.
fn assert_masked(kind: &Kind, adaptive: bool, victim: &SplitModel) {
    let words = format!("{} adaptive {adaptive}", kind.id);
    let own = knowledge(victim, Some(auxiliary(4)), adaptive);
    // Any network would do for the server's.
    let server = Some(victim.client.body());
    let samples = Some(auxiliary(3));
    let all = Knowledge { defence: victim.plan.defences.imitation().unwrap(), server, samples, ..own };
    let told = all.clone().masked(kind.knowledge(adaptive));
    let knows = |what| kind.knowledge(adaptive).contains(&what);
    assert_eq!(told.client.is_some(), knows(Knows::ClientWeights), "{words}");
    assert_eq!(told.server.is_some(), knows(Knows::ServerWeights), "{words}");
    assert_eq!(told.auxiliary.is_some(), knows(Knows::Auxiliary), "{words}");
    let labels = told.auxiliary.as_ref().is_some_and(|own| own.labels().is_ok());
    assert_eq!(labels, knows(Knows::Auxiliary) && knows(Knows::AuxiliaryLabels), "{words}");
    assert_eq!(told.samples().is_ok(), knows(Knows::Samples), "{words}");
    assert_eq!(told.defence.is_some(), knows(Knows::Defence), "{words}");
    let asks = knows(Knows::ClientWeights) || knows(Knows::ClientOracle);
    assert_eq!(told.check_oracle().is_ok(), asks, "{words}");
    assert_eq!((told.image, told.classes, told.entry), (all.image, all.classes, all.entry));
    let labels = Tensor::new(&[1u32, 2], &Device::Cpu).unwrap();
    let [client, server] = victim.weight_gradients(&victims(2), &labels, At::ONCE).unwrap();
    let of = |all| WeightGradients { batch: 2, each: vec![all], class_weights: None };
    let evidence = observe(victim, &victims(2)).with_labels(labels).with_gradients(of(client), of(server));
    let seen = evidence.masked(kind.sees);
    assert_eq!((seen.samples(), seen.smashed().is_ok()), (2, kind.sees.contains(&Sees::Smashed)), "{words}");
    assert_eq!(seen.labels().is_ok(), kind.sees.contains(&Sees::Labels), "{words}");
    assert_eq!(seen.client_gradients().is_ok(), kind.sees.contains(&Sees::ClientGradient), "{words}");
    assert_eq!(seen.server_gradients().is_ok(), kind.sees.contains(&Sees::ServerGradient), "{words}");
}

#[test]
fn nothing_reaches_an_attack_that_it_does_not_declare() {
    let victim = model(28, Some(options(SPARSE)));
    // Two that the program does not have: one that declares nothing at all, and one that declares all.
    let nothing = Kind { id: "nothing", sees: &[], ..Kind::BASE };
    let everything = Kind {
        id: "everything",
        sees: &[Sees::Smashed, Sees::Labels],
        knows: &[Knows::ClientOracle, Knows::ServerWeights, Knows::Auxiliary, Knows::AuxiliaryLabels, Knows::Samples],
        ..Kind::BASE
    };
    for kind in attacks().iter().copied().chain([&nothing, &everything]) {
        for adaptive in [false, true] {
            assert_masked(kind, adaptive, &victim);
        }
    }
    let seen = observe(&victim, &victims(2)).masked(nothing.sees);
    assert!(seen.smashed().unwrap_err().to_string().contains("does not declare Sees::Smashed"));
    assert!(nothing.sees_words() == "nothing" && everything.sees_words() == "the smashed data and the labels");
}

/// Settings of an attack that make it short.
fn short(kind: &Kind) -> Values {
    let mut values = Values::of(kind.settings);
    for (key, few) in [("iterations", 4), ("epochs", 2), ("steps", 4), ("restarts", 2), ("pixels", 3)] {
        if values.whole(key).is_ok() {
            values.put(key, toml::Value::Integer(few)).unwrap();
        }
    }
    values
}

/// Everything that a run takes from a finished attack, to the bit.
#[derive(PartialEq)]
struct End {
    got: Vec<f32>,
    /// Of smashed data that it did not watch.
    other: Option<Vec<f32>>,
    loss: u64,
    doubt: Option<Doubt>,
    progress: (usize, usize),
}

fn end_of(attack: &mut dyn Inversion, other: &Smashed) -> End {
    let got = values(&finish(attack));
    let other = attack.reconstruct(other).unwrap().map(|images| values(&images));
    let doubt = attack.doubt().unwrap();
    End { got, other, loss: attack.loss().to_bits(), doubt, progress: attack.progress() }
}

#[test]
fn every_attack_goes_on_from_its_state_with_the_same_numbers() {
    let victim = model(14, Some(options(SPARSE)));
    // Two batches of rMLE, two chunks of auxiliary images.
    let (seen, other) = (observe(&victim, &halved(&victims(18))), observe(&victim, &halved(&victims(3))));
    let (few, server) = (halved(&victims(2)), attacked_stream(&victim));
    let with_gradients = gradients_at(&victim, observe(&victim, &few), &few);
    // The analytic attack wants a client that begins with a linear layer, and has a test of its own.
    for kind in attacks().iter().filter(|kind| kind.id != "analytic" && !kind.make.trains()) {
        let seen = if kind.sees.contains(&Sees::ServerGradient) { &with_gradients } else { &seen };
        for adaptive in [false, true] {
            let all = knowledge(&victim, Some(halved_auxiliary(150)), adaptive);
            let known = Knowledge { server: Some(server.clone()), ..all }.masked(kind.knowledge(adaptive));
            let made = || kind.make.from_evidence(seen, &known, &short(kind)).unwrap();
            let end = end_of(made().as_mut(), other.smashed().unwrap());
            let mut going = made();
            let mut slices = 0;
            loop {
                let words = format!("{} adaptive {adaptive}, after {slices} slices", kind.id);
                let state = going.state().unwrap().unwrap_or_else(|| panic!("{words}: no state"));
                for (name, tensor) in state.tensors() {
                    assert!(matches!(tensor.dtype(), DType::F32 | DType::U32), "{words}: {name}");
                }
                // What was saved does not change with the attack that goes on.
                let copied = |(name, t): (&String, &Tensor)| (name.clone(), t.copy().unwrap());
                let state = State::of(state.tensors().iter().map(copied).collect());
                let done = going.done();
                // Not each of many hundreds.
                if done || slices < 12 || slices % 31 == 0 {
                    let mut resumed = made();
                    resumed.load(&state).unwrap();
                    assert_eq!((resumed.progress(), resumed.done()), (going.progress(), done), "{words}");
                    assert!(end_of(resumed.as_mut(), other.smashed().unwrap()) == end, "{words}");
                }
                if done {
                    break;
                }
                going.advance().unwrap();
                slices += 1;
            }
            assert!(slices > 1, "{} {adaptive} has no middle", kind.id);
            let lacking = made().load(&State::default()).unwrap_err().to_string();
            assert!(lacking.contains("lack"), "{lacking}");
        }
    }
}

fn knowledge(model: &SplitModel, auxiliary: Option<Auxiliary>, adaptive: bool) -> Knowledge {
    Knowledge {
        image: model.plan.image,
        classes: model.plan.classes,
        layers: model.plan.layers[..model.plan.cut].to_vec(),
        client: Some(model.client.body().snapshot().unwrap()),
        oracle: None,
        server: None,
        entry: model.plan.entry(),
        auxiliary,
        samples: None,
        defence: if adaptive { model.plan.defences.imitation().unwrap() } else { None },
        seed: Seed(4),
        name: "test".to_owned(),
    }
}

/// The server's layers that see the smashed data as they are.
fn attacked_stream(model: &SplitModel) -> Network {
    let layers = &model.plan.layers[model.plan.cut..];
    Network::of("server.attacked", layers, model.server.parameters()).unwrap().frozen()
}

/// The same evidence with gradients by weights of two images (2, C, H, W) of classes 1 and 2, one each.
fn gradients_at(model: &SplitModel, seen: Evidence, x: &Tensor) -> Evidence {
    let one = |i: usize| {
        let label = Tensor::new(&[i as u32 + 1], &Device::Cpu).unwrap();
        model.weight_gradients(&x.narrow(0, i, 1).unwrap().contiguous().unwrap(), &label, At::ONCE).unwrap()
    };
    let both = [one(0), one(1)];
    let of = |party: usize| {
        let each = both.iter().map(|both| both[party].clone()).collect();
        WeightGradients { batch: 1, each, class_weights: None }
    };
    seen.with_gradients(of(0), of(1))
}

fn observe(model: &SplitModel, x: &Tensor) -> Evidence {
    Evidence::new(model.ask(x, At::ONCE).unwrap().0).unwrap()
}

fn rmle_settings(iterations: usize) -> rmle::Settings {
    let adam = AdamSettings { amsgrad: true, ..AdamSettings::new(0.1) };
    rmle::Settings { iterations, adam, tv: 0.0, boxed: false, rehearse: false, settled: 0.0 }
}

fn finish(attack: &mut dyn Inversion) -> Tensor {
    while !attack.done() {
        attack.advance().unwrap();
    }
    attack.reconstruction().unwrap()
}

fn values(t: &Tensor) -> Vec<f32> {
    t.flatten_all().unwrap().to_vec1().unwrap()
}

fn error(a: &Tensor, b: &Tensor) -> f64 {
    mse(&values(a), &values(b))
}

fn input_error(result: cutlayer::error::Result<impl Sized>) -> String {
    match result {
        Err(Error::Input(text)) => text,
        Err(other) => panic!("another kind of error: {other}"),
        Ok(_) => panic!("no error"),
    }
}

// --- rMLE -----------------------------------------------------------------------------------------

#[test]
fn rmle_sees_through_an_untrained_layer() {
    let model = model(28, None);
    let x = victims(4);
    let mut attack = Rmle::new(&observe(&model, &x), &knowledge(&model, None, false), rmle_settings(200)).unwrap();
    let got = finish(&mut attack);
    assert_eq!(got.dims(), x.dims());
    for i in 0..4 {
        let psnr = psnr(error(&got.get(i).unwrap(), &x.get(i).unwrap()));
        println!("image {i}: {psnr:.1} dB");
        assert!(psnr > 20.0, "image {i}: {psnr} dB");
    }
    assert!(values(&got).iter().all(|v| (0.0..=1.0).contains(v)));
}

#[test]
fn the_loss_of_rmle_falls() {
    let model = model(28, None);
    let mut attack =
        Rmle::new(&observe(&model, &victims(2)), &knowledge(&model, None, false), rmle_settings(60)).unwrap();
    assert!(attack.loss().is_nan() && attack.progress() == (0, 60));
    let mut losses = Vec::new();
    while !attack.done() {
        attack.advance().unwrap();
        losses.push(attack.loss());
        assert_eq!(attack.progress(), (losses.len(), 60));
    }
    assert!(losses[59] < 0.05 * losses[0], "{losses:?}");
    assert!(losses[59] < losses[29] && losses[29] < losses[9], "{losses:?}");
    // Nothing more is done once all is done.
    let before = values(&attack.reconstruction().unwrap());
    attack.advance().unwrap();
    assert_eq!((values(&attack.reconstruction().unwrap()), attack.progress()), (before, (60, 60)));
}

#[test]
fn a_search_that_has_settled_leaves_its_time_to_the_next() {
    let model = model(28, None);
    let (x, known) = (victims(20), knowledge(&model, None, false));
    let settings = rmle::Settings { boxed: true, settled: 0.5, ..rmle_settings(20_000) };
    let mut attack = Rmle::new(&observe(&model, &x), &known, settings).unwrap();
    let mut slices = 0;
    while !attack.done() {
        attack.advance().unwrap();
        slices += 1;
    }
    // Two batches, and no one of them took a tenth of its steps.
    assert!((200..4_000).contains(&slices), "{slices}");
    assert!(attack.doubt().unwrap().is_none() && attack.progress() == (20_000, 20_000));
    let psnr = psnr(error(&attack.reconstruction().unwrap(), &x));
    assert!(psnr > 20.0, "{psnr} dB");
}

#[test]
fn rmle_does_not_depend_on_the_neighbours_in_the_batch() {
    let model = model(28, None);
    let x = victims(3);
    for settings in [rmle_settings(100), rmle::Settings { tv: 0.01, boxed: true, ..rmle_settings(100) }] {
        let run = |x: &Tensor| {
            finish(&mut Rmle::new(&observe(&model, x), &knowledge(&model, None, false), settings).unwrap())
        };
        let (together, alone) = (run(&x), run(&x.narrow(0, 0, 1).unwrap()));
        let gap =
            values(&together.get(0).unwrap()).iter().zip(values(&alone)).fold(0.0f32, |m, (a, b)| m.max((a - b).abs()));
        println!("largest difference {gap:e}");
        assert!(gap <= 1e-4, "{settings:?}: {gap}");
        assert!(error(&alone, &x.narrow(0, 1, 1).unwrap()) > 0.01, "the images differ");
    }
}

#[test]
fn rmle_works_many_images_in_batches_and_each_as_if_it_were_alone() {
    let model = model(28, Some(options(SPARSE)));
    // Two batches and a part of a third.
    let x = victims(35);
    let seen = observe(&model, &x);
    for adaptive in [false, true] {
        let attack = |from: usize, n: usize| {
            let some = Evidence::new(seen.smashed().unwrap().narrow(from, n).unwrap()).unwrap();
            let knowledge = knowledge(&model, adaptive.then(|| auxiliary(32)), adaptive);
            Rmle::new(&some, &knowledge, rmle_settings(12)).unwrap()
        };
        let mut all = attack(0, 35);
        assert_eq!(all.reconstruction().unwrap().dims(), x.dims());
        let (mut slices, mut before) = (0, 0);
        while !all.done() {
            all.advance().unwrap();
            slices += usize::from(all.loss().is_finite());
            let (done, planned) = all.progress();
            assert_eq!((done, planned), (slices / 3, 12), "three batches go on a third as fast");
            assert!(done >= before);
            before = done;
            let first = all.reconstruction().unwrap().get(0).unwrap();
            assert_eq!(values(&all.first().unwrap().unwrap()), values(&first));
        }
        assert_eq!(slices, 36);
        assert_eq!(all.doubt().unwrap(), Some(Doubt::FewSteps { done: 12, least: 100 }));
        let got = all.reconstruction().unwrap();
        for (from, n) in [(0, 8), (15, 2), (34, 1)] {
            let mut some = attack(from, n);
            let alone = finish(&mut some);
            let together = got.narrow(0, from, n).unwrap();
            let gap = values(&together).iter().zip(values(&alone)).fold(0.0f32, |m, (a, b)| m.max((a - b).abs()));
            assert!(gap <= 1e-4, "adaptive {adaptive}, {from}, {n}: {gap}");
        }
    }
}

#[test]
fn rmle_that_knows_the_defence_finds_the_map_and_the_naive_one_cannot() {
    // Five packed channels need more than eight features, of which the relu hides half.
    let model = wide_model(28, 24, Some(options(SPARSE)));
    let x = victims(3);
    let seen = observe(&model, &x);
    let run = |adaptive: bool| {
        let knowledge = knowledge(&model, adaptive.then(|| auxiliary(96)), adaptive);
        let mut attack = Rmle::new(&seen, &knowledge, rmle_settings(200)).unwrap();
        let got = finish(&mut attack);
        (attack.loss(), error(&got, &x))
    };
    let (naive, adaptive) = (run(false), run(true));
    println!("loss and error: naive {naive:?}, adaptive {adaptive:?}");
    assert!(naive.0 > 1e-6, "without the map there is something left that the naive attack cannot explain");
    assert!(adaptive.0 < 1e-3 * naive.0, "naive {naive:?}, adaptive {adaptive:?}");
    assert!(adaptive.1 < 0.7 * naive.1, "undoing the disguise brings it nearer to the image: {naive:?}, {adaptive:?}");
}

#[test]
fn rmle_needs_what_it_is_declared_to_know() {
    let model = model(28, Some(options(SPARSE)));
    let seen = observe(&model, &victims(1));
    let blind = Knowledge { client: None, ..knowledge(&model, None, false) };
    assert!(Rmle::new(&seen, &blind, rmle_settings(1)).is_err());
    let poor = knowledge(&model, None, true);
    let text = input_error(Rmle::new(&seen, &poor, rmle_settings(1)));
    assert!(text.contains("auxiliary"), "{text}");
}

// --- the inverse network --------------------------------------------------------------------------

/// Digits at half their size: a quarter of the work.
fn halved(x: &Tensor) -> Tensor {
    pool(x, Pool::Mean, 2).unwrap()
}

fn halved_auxiliary(n: usize) -> Auxiliary {
    let own = auxiliary(n);
    let values: Vec<f32> = halved(&own.images().unwrap()).flatten_all().unwrap().to_vec1().unwrap();
    let pixels = values.into_iter().map(|v| (v * 255.0).round() as u8).collect();
    let images = data::Images { shape: [1, 14, 14], pixels, labels: own.labels().unwrap().to_vec() };
    Auxiliary::new(images.into(), &Device::Cpu)
}

fn inverse_settings(epochs: usize) -> inverse::Settings {
    inverse::Settings { epochs, longer: 1, batch: 20, adam: AdamSettings::new(2e-3), halve_every: 20 }
}

#[test]
fn the_inverse_network_beats_the_mean_image() {
    let model = model(14, None);
    let x = halved(&victims(16));
    let knowledge = knowledge(&model, Some(halved_auxiliary(200)), false);
    let mut attack = Inverse::new(&observe(&model, &x), &knowledge, inverse_settings(3)).unwrap();
    let got = finish(&mut attack);
    let mean = knowledge.auxiliary().unwrap().images().unwrap().mean_keepdim(0).unwrap();
    let mean = error(&mean.broadcast_as(x.shape()).unwrap(), &x);
    let inverse = error(&got, &x);
    println!("mean image {mean}, inverse network {inverse}");
    assert!(inverse < 0.5 * mean, "mean image {mean}, inverse network {inverse}");
    // The trained network serves for smashed data that it did not watch, too.
    let others = halved(&victims(24)).narrow(0, 16, 8).unwrap().contiguous().unwrap();
    let other = attack.reconstruct(observe(&model, &others).smashed().unwrap()).unwrap().unwrap();
    assert!(error(&other, &others) < 0.5 * mean);
}

#[test]
fn an_inverse_network_without_auxiliary_images_is_a_clear_error() {
    let model = model(14, None);
    let seen = observe(&model, &halved(&victims(1)));
    for auxiliary in [None, Some(halved_auxiliary(0)), Some(halved_auxiliary(1))] {
        let text = input_error(Inverse::new(&seen, &knowledge(&model, auxiliary, false), inverse_settings(1)));
        assert!(text.contains("auxiliary images") && text.contains("data.aux"), "{text}");
    }
    assert!(Inverse::new(&seen, &knowledge(&model, Some(halved_auxiliary(2)), false), inverse_settings(1)).is_ok());
}

// --- undoing the disguise -------------------------------------------------------------------------

/// What an attacker has learnt of the defence that it knows.
fn imitator(knowledge: &Knowledge) -> Arc<dyn Imitator> {
    let (mut study, own) = (knowledge.study().unwrap().unwrap(), knowledge.own().unwrap());
    let mut slices = 0;
    loop {
        slices += 1;
        if let Some(imitator) = study.advance(&own).unwrap() {
            assert_eq!(slices, study.planned());
            return imitator;
        }
    }
}

/// The error of 64 auxiliary images as they are disguised, and after they were mended in the way that
/// the attacker chose on them.
fn mended(strength: Strength) -> (f64, f64) {
    let model = model(14, Some(options(strength)));
    let knowledge = knowledge(&model, Some(halved_auxiliary(64)), true);
    let imitator = imitator(&knowledge);
    let own = knowledge.own().unwrap();
    let truth = own.images.images().unwrap();
    let disguised = imitator.image(Outgoing::clean(&truth), At::ONCE).unwrap();
    let undoing = imitator.undoing(&own).unwrap().unwrap();
    let channel = disguised.input(own.entry).unwrap().narrow(1, 4, 1).unwrap();
    let mended = undoing.undo(&disguised.images, &channel).unwrap();
    (error(&disguised.images, &truth), error(&mended, &truth))
}

#[test]
fn undoing_never_makes_the_images_it_was_chosen_on_worse() {
    for apply in [Apply::Sparse, Apply::Dense] {
        for (gamma, theta) in [(0.02, 1.0), (0.1, 0.05), (0.1, 1.0), (0.4, 0.5), (1.0, 1.0)] {
            let (before, after) = mended(Strength { apply, gamma, theta });
            assert!(before > 0.0 && after <= before, "{apply:?}, γ {gamma}, θ {theta}: {before} → {after}");
        }
    }
}

#[test]
fn undoing_mends_a_strong_disguise_and_leaves_none_alone() {
    let (before, after) = mended(SPARSE);
    assert!(after < 0.8 * before, "{before} → {after}");
    let (before, after) = mended(Strength { theta: 0.0, ..SPARSE });
    assert_eq!((before, after), (0.0, 0.0));
}

// --- seeds ----------------------------------------------------------------------------------------

#[test]
fn the_same_seed_gives_the_same_reconstruction_to_the_bit() {
    let model = model(14, Some(options(SPARSE)));
    let seen = observe(&model, &halved(&victims(2)));
    let know =
        |adaptive, seed| Knowledge { seed: Seed(seed), ..knowledge(&model, Some(halved_auxiliary(40)), adaptive) };
    let rmle =
        |adaptive, seed| values(&finish(&mut Rmle::new(&seen, &know(adaptive, seed), rmle_settings(30)).unwrap()));
    let inverse =
        |adaptive, seed| values(&finish(&mut Inverse::new(&seen, &know(adaptive, seed), inverse_settings(1)).unwrap()));
    for adaptive in [false, true] {
        assert_eq!(rmle(adaptive, 4), rmle(adaptive, 4), "adaptive: {adaptive}");
        assert_eq!(inverse(adaptive, 4), inverse(adaptive, 4), "adaptive: {adaptive}");
        assert_ne!(inverse(adaptive, 4), inverse(adaptive, 5), "adaptive: {adaptive}");
    }
}

#[test]
fn an_attacker_with_few_images_takes_as_many_steps_as_one_with_many() {
    let model = model(28, None);
    let seen = observe(&model, &victims(2));
    for (images, epochs, planned) in [(20, 0, 400), (1400, 0, 400), (20, 10, 10)] {
        let settings =
            inverse::Settings { epochs, longer: 1, batch: 32, adam: AdamSettings::new(1e-3), halve_every: 20 };
        let attack = Inverse::new(&seen, &knowledge(&model, Some(auxiliary(images)), false), settings).unwrap();
        assert_eq!(attack.progress().1, planned, "{images} images, {epochs} epochs");
        // Nothing was learnt yet, and it says so.
        assert_eq!(attack.doubt().unwrap(), Some(Doubt::FewSteps { done: 0, least: 100 }));
    }
}

//! Training in two halves: the same as training in one, isolated where PSGL says so, and counted on the wire.

use std::collections::BTreeMap;

use candle_core::{DType, Device, Tensor};
use cutlayer::attack::rmle::{self, Rmle};
use cutlayer::attack::{Evidence, Inversion, Knowledge};
use cutlayer::defence::psgl::downsample::pack_clean;
use cutlayer::defence::psgl::fusion::DecisionWeights;
use cutlayer::defence::psgl::recovery::{MapNorm, Recovery};
use cutlayer::defence::psgl::strength::{Apply, Strength};
use cutlayer::defence::psgl::{Answering, Inference, Jacobian, Options, WeightsFrom};
use cutlayer::engine::loss::cross_entropy;
use cutlayer::model::adam::{Adam, AdamSettings};
use cutlayer::model::network::Network;
use cutlayer::model::optimiser::OptimiserSettings;
use cutlayer::model::parameters::{Init, Parameters};
use cutlayer::model::spec::LayerSpec::{
    self, AvgPool, BatchNorm, Conv, Flatten, GroupNorm, Linear, MaxPool, MeanPool, Relu, Residual, Sigmoid, Tanh,
};
use cutlayer::model::spec::shapes;
use cutlayer::model::wire::WireCount;
use cutlayer::model::zoo;
use cutlayer::random::{At, Seed};
use cutlayer::split::{SplitModel, SplitPlan, Step};

use super::stack::stack;

type Weights = BTreeMap<String, Tensor>;

const CLASSES: usize = 4;
const RATE: f64 = 1e-3;
const FIRST: At<'static> = At::Train { epoch: 0, step: 0 };

fn options(jacobian: Jacobian) -> Options {
    Options {
        strength: Strength { apply: Apply::Sparse, gamma: 0.1, theta: 1.0 },
        mirror: true,
        jacobian,
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

fn model(layers: &[LayerSpec], cut: usize, side: usize, psgl: Option<Options>) -> SplitModel {
    model_of(layers, cut, [1, side, side], psgl)
}

fn model_of(layers: &[LayerSpec], cut: usize, image: [usize; 3], psgl: Option<Options>) -> SplitModel {
    let optimiser = OptimiserSettings::Adam(AdamSettings::new(RATE));
    let plan = SplitPlan {
        name: "split".to_owned(),
        layers: layers.to_vec(),
        cut,
        image,
        classes: CLASSES,
        defences: stack(psgl),
        optimiser,
        class_weights: None,
    };
    SplitModel::new(plan, Seed(5), &Device::Cpu).unwrap()
}

/// Images with something to learn: each class is bright in another corner.
fn batch(samples: usize, side: usize) -> (Tensor, Tensor) {
    batch_of(samples, [1, side, side])
}

/// The same of several colours, each as bright as the others.
fn batch_of(samples: usize, [channels, side, _]: [usize; 3]) -> (Tensor, Tensor) {
    let labels: Vec<u32> = (0..samples).map(|i| (i * 3 % CLASSES) as u32).collect();
    let mut noise = Seed(1).stream("images", 0);
    let half = side / 2;
    let mut pixels = Vec::with_capacity(samples * side * side);
    for label in &labels {
        for y in 0..side {
            for x in 0..side {
                let corner = u32::from(y >= half) * 2 + u32::from(x >= half);
                pixels.push(noise.uniform(0.0, 0.5) as f32 + if corner == *label { 0.5 } else { 0.0 });
            }
        }
    }
    let images = Tensor::from_vec(pixels, (samples, 1, side, side), &Device::Cpu).unwrap();
    let images = Tensor::cat(&vec![images; channels], 1).unwrap();
    (images, Tensor::from_vec(labels, samples, &Device::Cpu).unwrap())
}

fn values(t: &Tensor) -> Vec<f32> {
    t.flatten_all().unwrap().to_vec1().unwrap()
}

fn largest_gap(a: &Tensor, b: &Tensor) -> f32 {
    assert_eq!(a.dims(), b.dims());
    values(a).iter().zip(values(b)).fold(0.0, |m, (a, b)| {
        let gap = (a - b).abs();
        if gap.is_nan() { f32::INFINITY } else { m.max(gap) }
    })
}

/// All weights of both parties.
fn weights(model: &SplitModel) -> Weights {
    let mut all = model.client.parameters().snapshot().unwrap();
    all.extend(model.server.parameters().snapshot().unwrap());
    all
}

// --- a split step is a step -----------------------------------------------------------------------

/// `client.3.weight` or `server.0.2.bias` as the name it has in one network of all layers.
fn whole_name(name: &str, cut: usize) -> String {
    let parts: Vec<&str> = name.splitn(3, '.').collect();
    let first = if parts[0] == "server" { cut } else { 0 };
    format!("whole.{}.{}", first + parts[1].parse::<usize>().unwrap(), parts[2])
}

/// Trains a split model and one network of the same weights on the same batches and compares them.
fn compare_with_one_network(layers: &[LayerSpec], cut: usize, side: usize, steps: usize) {
    compare_on(layers, cut, [1, side, side], steps);
}

fn compare_on(layers: &[LayerSpec], cut: usize, image: [usize; 3], steps: usize) {
    let side = image[1];
    let mut split = model_of(layers, cut, image, None);
    let before = weights(&split);
    let rename = |weights: &Weights| -> Weights {
        weights.iter().map(|(name, value)| (whole_name(name, cut), value.clone())).collect()
    };
    let mut parameters = Parameters::default();
    let init = Init { seed: Seed(99), model: "whole", device: &Device::Cpu };
    Network::init("whole", &image, layers, &mut parameters, init).unwrap();
    parameters.load(&rename(&before)).unwrap();
    assert_eq!(parameters.iter().count(), before.len());
    let whole = Network::of("whole", layers, &parameters).unwrap();
    let mut adam = Adam::new(&parameters, AdamSettings::new(RATE));
    for step in 0..steps {
        let (x, labels) = batch_of(2 + step % 2, image);
        let loss = cross_entropy(&whole.forward(&x).unwrap(), &labels).unwrap();
        adam.step(&loss.backward().unwrap()).unwrap();
        let lesson = split.step(&x, &labels, FIRST).unwrap().lesson;
        assert!((lesson.losses[0] - f64::from(loss.to_scalar::<f32>().unwrap())).abs() < 1e-5, "cut {cut}");
    }
    let after = weights(&split);
    for (name, value) in parameters.iter() {
        let gap = largest_gap(value, &rename(&after)[name]);
        assert!(gap <= 1e-5, "cut {cut} at {side}×{side}: {name} differs by {gap}");
    }
    // Adam hides a gradient's size; its moments do not.
    let mut moments = split.client.optimiser_state().unwrap();
    moments.extend(split.server.optimiser_state().unwrap());
    let moments = rename(&moments);
    let number = |t: &Tensor| t.to_dtype(DType::F32).unwrap();
    for (name, value) in adam.state().unwrap() {
        let (value, other) = (number(&value), number(&moments[&name]));
        let (gap, largest) = (largest_gap(&value, &other), largest_gap(&value, &value.zeros_like().unwrap()));
        assert!(gap <= 1e-4 * largest, "cut {cut} at {side}×{side}: {name} differs by {gap} of {largest}");
    }
    for (name, value) in &after {
        assert!(largest_gap(value, &before[name]) > 0.1 * RATE as f32, "cut {cut}: {name} has not moved");
    }
}

/// One layer of every kind.
fn every_kind() -> Vec<LayerSpec> {
    let conv = |channels, kernel, stride, padding| Conv { channels, kernel, stride, padding, bias: true };
    let inner = vec![conv(4, 3, 1, 1), Relu, conv(4, 1, 1, 0)];
    vec![
        conv(4, 5, 2, 2),
        Relu,
        Residual { inner, project: Vec::new() },
        MaxPool(2),
        conv(6, 3, 1, 1),
        Tanh,
        AvgPool(2),
        Flatten,
        Linear(8),
        Sigmoid,
        Linear(CLASSES),
    ]
}

#[test]
fn a_split_step_is_a_step_of_one_network_at_every_cut() {
    let layers = every_kind();
    for cut in 1..layers.len() {
        compare_with_one_network(&layers, cut, 28, 4);
    }
}

#[test]
fn a_split_step_is_a_step_of_one_network_on_larger_images() {
    for cut in [1, 3, 4, 7, 9] {
        compare_with_one_network(&every_kind(), cut, 64, 2);
    }
}

#[test]
fn a_split_step_is_a_step_of_one_network_for_every_named_model_at_every_cut() {
    for name in zoo::NAMES {
        let layers = zoo::layers(name, CLASSES).unwrap();
        for cut in 1..layers.len() {
            compare_with_one_network(&layers, cut, 28, 1);
        }
    }
}

#[test]
fn a_split_step_is_a_step_of_one_network_for_every_named_model_in_colour_and_on_larger_images() {
    for name in zoo::NAMES {
        let layers = zoo::layers(name, CLASSES).unwrap();
        let flatten = layers.iter().position(|layer| *layer == Flatten).unwrap();
        for cut in [1, flatten / 2, flatten, flatten + 1] {
            compare_on(&layers, cut, [3, 32, 32], 2);
        }
        compare_with_one_network(&layers, flatten / 2, 64, 1);
    }
}

#[test]
fn every_named_model_learns_under_psgl_at_every_cut_before_it_is_flat() {
    for name in zoo::NAMES {
        let layers = zoo::layers(name, CLASSES).unwrap();
        let flatten = layers.iter().position(|layer| *layer == Flatten).unwrap();
        for (cut, image) in (1..=flatten).map(|cut| (cut, [1, 28, 28])).chain([(2, [3, 32, 32]), (2, [1, 64, 64])]) {
            let mut model = model_of(&layers, cut, image, Some(options(Jacobian::Head)));
            let (x, labels) = batch_of(3, image);
            let step = model.step(&x, &labels, FIRST).unwrap();
            assert!(step.lesson.losses.iter().all(|loss| loss.is_finite()), "{name}, cut {cut}");
            assert_eq!(model.answer(&x, At::ONCE).unwrap().predicted().unwrap().len(), 3);
        }
    }
}

// --- running statistics ---------------------------------------------------------------------------

/// Every kind of normalisation and block.
fn normalised() -> Vec<LayerSpec> {
    let conv = |channels, kernel, stride| Conv { channels, kernel, stride, padding: kernel / 2, bias: false };
    let halving = Residual {
        inner: vec![conv(6, 3, 2), BatchNorm, Relu, conv(6, 3, 1), BatchNorm],
        project: vec![conv(6, 1, 2), BatchNorm],
    };
    // One block is the end of another: two sums, one relu.
    let nested = Residual {
        inner: vec![Residual { inner: vec![conv(6, 3, 1), GroupNorm(3)], project: vec![] }],
        project: vec![],
    };
    let clipped = Residual { inner: vec![conv(6, 3, 1), BatchNorm, Relu], project: vec![] };
    vec![
        conv(4, 3, 1),
        BatchNorm,
        Relu,
        halving,
        Relu,
        nested,
        Relu,
        clipped,
        GroupNorm(2),
        MeanPool,
        Flatten,
        Linear(CLASSES),
    ]
}

#[test]
fn a_split_step_of_a_normalised_network_is_a_step_of_one_network_at_every_cut() {
    let layers = normalised();
    for cut in 1..layers.len() {
        compare_with_one_network(&layers, cut, 28, 3);
    }
}

/// Statistics by name.
fn statistics(model: &SplitModel) -> Vec<(String, Vec<f32>)> {
    weights(model).iter().filter(|(name, _)| name.contains("running_")).map(|(n, t)| (n.clone(), values(t))).collect()
}

#[test]
fn running_statistics_are_named_as_in_pytorch_and_are_not_trained() {
    let model = model(&normalised(), 4, 28, None);
    let names: Vec<String> = statistics(&model).into_iter().map(|(name, _)| name).collect();
    for name in
        ["client.1.running_mean", "client.3.1.running_var", "client.3.project.1.running_mean", "server.3.1.running_var"]
    {
        assert!(names.contains(&name.to_owned()), "{name} is not among {names:?}");
    }
    let states = [model.client.optimiser_state().unwrap(), model.server.optimiser_state().unwrap()];
    assert!(states.iter().flat_map(BTreeMap::keys).all(|name| !name.contains("running_")));
    assert!(weights(&model).keys().all(|name| name != "client.0.bias"));
}

#[test]
fn only_training_moves_running_statistics() {
    for psgl in [None, Some(options(Jacobian::Head)), Some(options(Jacobian::Server))] {
        let mut model = model(&normalised(), 3, 28, psgl);
        let (x, labels) = batch(4, 28);
        let fresh = statistics(&model);
        model.step(&x, &labels, FIRST).unwrap();
        let before = statistics(&model);
        assert!(before.iter().zip(&fresh).all(|(a, b)| a.1 != b.1), "a step moves every statistic");
        model.ask(&x, At::ONCE).unwrap();
        model.answer(&x, At::ONCE).unwrap();
        if psgl.is_some() {
            model.disguise(&x).unwrap();
        } else {
            model.plain_logits(&x).unwrap();
        }
        // White-box inversion, and a copy that somebody takes along.
        let body = model.client.body();
        let observation = Evidence::new(model.ask(&x, At::ONCE).unwrap().0).unwrap();
        let knowledge = Knowledge {
            image: [1, 28, 28],
            classes: CLASSES,
            layers: model.plan.layers[..model.plan.cut].to_vec(),
            client: Some(body.clone()),
            oracle: None,
            server: None,
            entry: model.plan.entry(),
            auxiliary: None,
            samples: None,
            defence: None,
            seed: Seed(0),
            name: "test".to_owned(),
        };
        let adam = AdamSettings::new(0.1);
        let settings = rmle::Settings { iterations: 3, adam, tv: 0.01, boxed: false, rehearse: false, settled: 0.0 };
        let mut attack = Rmle::new(&observation, &knowledge, settings).unwrap();
        while !attack.done() {
            attack.advance().unwrap();
        }
        let input = if psgl.is_some() { pack_clean(&x).unwrap() } else { x.clone() };
        let copy = body.snapshot().unwrap();
        let answer = values(&copy.forward(&input).unwrap());
        assert_eq!(values(&body.forward(&input).unwrap()), answer);
        assert_eq!(statistics(&model), before);
        // The model goes on; the copy does not.
        model.step(&x, &labels, FIRST).unwrap();
        assert_ne!(statistics(&model), before);
        assert_eq!(values(&copy.forward(&input).unwrap()), answer);
    }
}

#[test]
fn under_psgl_the_clients_running_statistics_are_those_of_what_was_sent() {
    // A normalisation as the first layer sees the packed images themselves.
    let layers = [vec![BatchNorm], small()].concat();
    let mut model = model(&layers, 1, 28, Some(options(Jacobian::Head)));
    let (x, labels) = batch(4, 28);
    let packed = model.step(&x, &labels, FIRST).unwrap().outgoing.input(model.plan.entry()).unwrap();
    let mean = packed.mean((0, 2, 3)).unwrap();
    let running = weights(&model)["client.0.running_mean"].clone();
    assert!(largest_gap(&(mean * 0.1).unwrap(), &running) < 1e-6);
}

#[test]
fn a_batch_of_one_value_a_channel_is_told() {
    let layers = [Flatten, BatchNorm, Linear(CLASSES)];
    let mut model = model(&layers, 1, 28, None);
    let (x, labels) = batch(1, 28);
    let error = model.step(&x, &labels, FIRST).unwrap_err().to_string();
    assert!(error.contains("at least 2 values a channel"), "{error}");
    assert!(model.answer(&x, At::ONCE).is_ok(), "running statistics need no second value");
}

// --- PSGL isolates its streams --------------------------------------------------------------------

fn conv3(channels: usize) -> LayerSpec {
    Conv { channels, kernel: 3, stride: 1, padding: 1, bias: true }
}

fn small() -> Vec<LayerSpec> {
    vec![conv3(4), Relu, conv3(6), Relu, conv3(4), Relu, MaxPool(2), Flatten, Linear(CLASSES)]
}

const SMALL_CUT: usize = 4;

/// The server's weights whose names start with `prefix` replaced by quite different ones.
fn disturb(model: &SplitModel, prefix: &str) {
    let mut stream = Seed(77).stream("other weights", 0);
    let mut server = model.server.parameters().snapshot().unwrap();
    for (name, value) in &mut server {
        if name.starts_with(prefix) {
            *value = stream.uniform_tensor(-0.3, 0.3, value.shape(), &Device::Cpu).unwrap();
        }
    }
    model.server.parameters().load(&server).unwrap();
}

/// Two steps of a model some of whose server's weights were replaced: every cut gradient, and by how
/// much each weight moved.
fn steps_after(jacobian: Jacobian, disturbed: Option<&str>) -> (Vec<Tensor>, BTreeMap<String, Vec<f32>>) {
    let mut model = model(&small(), SMALL_CUT, 28, Some(options(jacobian)));
    if let Some(prefix) = disturbed {
        disturb(&model, prefix);
    }
    let before = weights(&model);
    let (x, labels) = batch(6, 28);
    let gradients = (0..2).map(|_| model.step(&x, &labels, FIRST).unwrap().cut_gradient.tensor().clone()).collect();
    let moved = |(name, after): (String, Tensor)| (name.clone(), values(&(after - &before[&name]).unwrap()));
    (gradients, weights(&model).into_iter().map(moved).collect())
}

fn same(a: &[Tensor], b: &[Tensor]) -> bool {
    a.iter().zip(b).all(|(a, b)| values(a) == values(b))
}

/// Names whose update differs.
fn differing(a: &BTreeMap<String, Vec<f32>>, b: &BTreeMap<String, Vec<f32>>) -> Vec<String> {
    assert!(a.keys().eq(b.keys()));
    a.iter().filter(|(name, value)| b[*name] != **value).map(|(name, _)| name.clone()).collect()
}

#[test]
fn the_attacked_and_recovered_streams_teach_nobody_but_themselves() {
    for jacobian in [Jacobian::Head, Jacobian::Server] {
        let (gradients, updates) = steps_after(jacobian, None);
        for stream in ["server.attacked.", "server.recovered."] {
            let (other_gradients, other_updates) = steps_after(jacobian, Some(stream));
            assert!(same(&gradients, &other_gradients), "{jacobian:?}: {stream} reaches the cut");
            let differing = differing(&updates, &other_updates);
            assert!(!differing.is_empty(), "{jacobian:?}: {stream} was not replaced");
            assert!(
                differing.iter().all(|name| name.starts_with(stream)),
                "{jacobian:?}: {stream} moves {differing:?}"
            );
        }
    }
}

#[test]
fn the_fused_stream_teaches_the_client() {
    for jacobian in [Jacobian::Head, Jacobian::Server] {
        let (gradients, updates) = steps_after(jacobian, None);
        for part in ["server.fused.", "server.fuse."] {
            let (other_gradients, other_updates) = steps_after(jacobian, Some(part));
            assert!(!same(&gradients[..1], &other_gradients[..1]), "{jacobian:?}: {part} does not reach the cut");
            let differing = differing(&updates, &other_updates);
            for moved in ["client.0.weight", "client.2.weight", "server.fused.0.weight", "server.fuse.weight"] {
                assert!(differing.iter().any(|name| name == moved), "{jacobian:?}: {part} does not move {moved}");
            }
        }
    }
}

#[test]
fn every_stream_has_weights_and_a_loss_of_its_own() {
    let mut psgl = model(&small(), SMALL_CUT, 28, Some(options(Jacobian::Head)));
    let (x, labels) = batch(3, 28);
    let step = psgl.step(&x, &labels, FIRST).unwrap();
    assert_eq!(step.lesson.losses.len(), 3);
    assert!(step.own_loss.is_some());
    let names: Vec<String> = weights(&psgl).into_keys().collect();
    for stream in ["attacked", "recovered", "fused"] {
        for layer in [0, 4] {
            assert!(names.contains(&format!("server.{stream}.{layer}.weight")), "{names:?}");
        }
    }
    // What crosses the cut never holds the head.
    assert!(names.iter().filter(|name| name.contains("head")).all(|name| name.starts_with("client.head.")));
}

// --- the wire -------------------------------------------------------------------------------------

/// Bytes of one batch of smashed data.
fn smashed_bytes(model: &SplitModel, samples: usize) -> u64 {
    let values: usize = model.plan.smashed().unwrap().iter().product();
    (samples * values * size_of::<f32>()) as u64
}

#[test]
fn the_wire_counts_what_goes_up_and_down_to_the_byte() {
    for psgl in [None, Some(options(Jacobian::Head))] {
        let mut model = model(&small(), SMALL_CUT, 28, psgl);
        assert_eq!(model.wire, WireCount::default());
        let mut sent = 0;
        for samples in [3, 1, 2] {
            let (x, labels) = batch(samples, 28);
            let step = model.step(&x, &labels, FIRST).unwrap();
            assert_eq!(step.smashed.samples().unwrap(), samples);
            assert_eq!(step.smashed.tensor().dims(), step.cut_gradient.tensor().dims());
            let bytes = smashed_bytes(&model, samples);
            assert_eq!(step.smashed.tensor().elem_count() as u64 * 4, bytes);
            sent += bytes;
            assert_eq!(model.wire, WireCount { smashed_bytes: sent, gradient_bytes: sent, leaked_clean_bytes: 0 });
        }
    }
}

#[test]
fn packed_images_send_as_many_bytes_as_their_shape_says() {
    let (plain, packed) = (model(&small(), 4, 28, None), model(&small(), 4, 28, Some(options(Jacobian::Head))));
    assert_eq!(smashed_bytes(&plain, 1), 6 * 28 * 28 * 4);
    assert_eq!(smashed_bytes(&packed, 1), 6 * 14 * 14 * 4);
    let shape = shapes(&[5, 14, 14], &small()).unwrap()[3].clone();
    assert_eq!(packed.plan.smashed().unwrap(), shape);
}

#[test]
fn only_the_servers_jacobian_leaks_clean_smashed_data() {
    let mut model = model(&small(), SMALL_CUT, 28, Some(options(Jacobian::Server)));
    let (x, labels) = batch(3, 28);
    let z = smashed_bytes(&model, 3);
    for steps in 1..=2 {
        model.step(&x, &labels, FIRST).unwrap();
        // Up: clean and disguised; down: two rows of the Jacobian and the gradient.
        let once = WireCount { smashed_bytes: 2 * z, gradient_bytes: 3 * z, leaked_clean_bytes: z };
        let expected = (0..steps).fold(WireCount::default(), |sum, _| sum.plus(once));
        assert_eq!(model.wire, expected);
    }
    let asked = model.hide(&x, FIRST).unwrap().crossed;
    assert_eq!(WireCount::of(&asked), WireCount { smashed_bytes: z, gradient_bytes: 2 * z, leaked_clean_bytes: z });
}

#[test]
fn asking_for_a_diagnosis_is_no_training() {
    for psgl in [None, Some(options(Jacobian::Head)), Some(options(Jacobian::Server))] {
        let mut model = model(&small(), SMALL_CUT, 28, psgl);
        let (x, labels) = batch(3, 28);
        model.step(&x, &labels, FIRST).unwrap();
        let (wire, before) = (model.wire, weights(&model));
        let predicted = model.answer(&x, At::ONCE).unwrap().predicted().unwrap();
        assert_eq!(predicted.len(), 3);
        assert!(predicted.iter().all(|class| (*class as usize) < CLASSES));
        assert_eq!(model.wire, wire);
        for (name, value) in weights(&model) {
            assert_eq!(values(&value), values(&before[&name]), "{name}");
        }
    }
}

#[test]
fn what_is_sent_does_not_change_when_the_client_learns_on() {
    let mut model = model(&small(), SMALL_CUT, 28, None);
    let (x, labels) = batch(2, 28);
    let first = model.step(&x, &labels, FIRST).unwrap();
    let before = (values(first.smashed.tensor()), values(first.cut_gradient.tensor()));
    let second = model.step(&x, &labels, FIRST).unwrap();
    assert_ne!(values(second.smashed.tensor()), before.0);
    assert_eq!((values(first.smashed.tensor()), values(first.cut_gradient.tensor())), before);
}

// --- learning -------------------------------------------------------------------------------------

#[test]
fn thirty_steps_on_a_fixed_batch_lower_every_loss() {
    let (x, labels) = batch(12, 28);
    for psgl in [None, Some(options(Jacobian::Head)), Some(options(Jacobian::Server))] {
        let plan = SplitPlan {
            optimiser: OptimiserSettings::Adam(AdamSettings::new(5e-3)),
            ..model(&small(), SMALL_CUT, 28, psgl).plan
        };
        let mut model = SplitModel::new(plan, Seed(5), &Device::Cpu).unwrap();
        let steps: Vec<Step> = (0..30).map(|_| model.step(&x, &labels, FIRST).unwrap()).collect();
        let losses = |i: usize| {
            let step = &steps[i];
            step.lesson.losses.iter().copied().chain(step.own_loss).collect::<Vec<f64>>()
        };
        for (stream, (first, last)) in losses(0).into_iter().zip(losses(29)).enumerate() {
            println!("{:?}, loss {stream}: {first:.3} → {last:.3}", psgl.map(|options| options.jacobian));
            assert!(last < 0.8 * first, "{psgl:?}: loss {stream} went from {first} to {last}");
        }
    }
}

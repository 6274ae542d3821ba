//! Reference values computed in double precision by `tests/golden/make_golden.py`, `make_golden2.py` and `make_norm.py`, one
//! test a file.
//!
//! `CUTLAYER_GOLDEN=FOLDER cargo test --test golden` tries other values made by the same scripts, where it has
//! some of them.

#[path = "golden/defences.rs"]
mod defences;
#[path = "suite/stack.rs"]
mod stack;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use candle_core::{DType, Device, Tensor, Var};
use cutlayer::attack::rmle;
use cutlayer::defence::psgl::fusion::{DecisionWeights, conv_sum, decide};
use cutlayer::defence::psgl::recovery::{MapNorm, Recovery};
use cutlayer::defence::psgl::saliency::{disguise, saliency_map};
use cutlayer::defence::psgl::strength::{Apply, Strength};
use cutlayer::defence::psgl::{Answering, Inference, Jacobian, Options, WeightsFrom, downsample};
use cutlayer::engine::conv::conv2d;
use cutlayer::engine::pool::{Pool, pool};
use cutlayer::engine::svt::Svt;
use cutlayer::model::adam::AdamSettings;
use cutlayer::model::network::Network;
use cutlayer::model::optimiser::OptimiserSettings;
use cutlayer::model::parameters::{Init, Parameters};
use cutlayer::model::spec::LayerSpec::{
    self, BatchNorm, Conv, Flatten, Linear, MaxPool, MeanPool, Relu, Residual, Sigmoid,
};
use cutlayer::random::{At, Seed};
use cutlayer::score::image::{mse, psnr, ssim};
use cutlayer::score::multiscale;
use cutlayer::score::patients::{Spread, by_patient, interval};
use cutlayer::score::record::Row;
use cutlayer::score::reidentify::Gallery;
use cutlayer::score::shares::{Shares, area};
use cutlayer::split::{SplitModel, SplitPlan};
use serde_json::Value;
use stack::stack;

/// The folder of other values.
fn given() -> Option<PathBuf> {
    std::env::var_os("CUTLAYER_GOLDEN").map(PathBuf::from)
}

fn own() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden")
}

/// One file: inputs, expected values, and which of these have been compared.
struct Case {
    json: Value,
    seen: BTreeSet<String>,
}

impl Case {
    fn load(name: &str) -> Self {
        let file = format!("{name}.json");
        // Each script may be run without the other.
        let script = |folder: &PathBuf| folder.join(&file).exists() || name != "batch_norm_train3";
        let path = given().filter(script).unwrap_or_else(own).join(&file);
        let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        Self { json: serde_json::from_str(&text).expect("golden JSON"), seen: BTreeSet::new() }
    }

    fn number(&self, name: &str) -> f64 {
        self.json["inputs"][name].as_f64().unwrap_or_else(|| panic!("no number called {name}"))
    }

    fn input64(&self, name: &str) -> Tensor {
        let array = &self.json["inputs"][name];
        let list = |key: &str| array[key].as_array().unwrap_or_else(|| panic!("no array called {name}")).iter();
        let shape: Vec<usize> = list("shape").map(|v| v.as_u64().unwrap() as usize).collect();
        let data: Vec<f64> = list("data").map(|v| v.as_f64().unwrap()).collect();
        Tensor::from_vec(data, shape, &Device::Cpu).unwrap()
    }

    fn input(&self, name: &str) -> Tensor {
        self.input64(name).to_dtype(DType::F32).unwrap()
    }

    fn labels(&self, name: &str) -> Tensor {
        self.input64(name).to_dtype(DType::U32).unwrap()
    }

    fn classes(&self, name: &str) -> Vec<u32> {
        self.labels(name).flatten_all().unwrap().to_vec1().unwrap()
    }

    fn values(&self, name: &str) -> Vec<f32> {
        self.input(name).flatten_all().unwrap().to_vec1().unwrap()
    }

    /// Inputs whose names start with `prefix`.
    fn weights(&self, prefix: &str) -> BTreeMap<String, Tensor> {
        let names = self.json["inputs"].as_object().unwrap().keys().filter(|name| name.starts_with(prefix));
        names.map(|name| (name.clone(), self.input(name))).collect()
    }

    fn check_values(&mut self, name: &str, got: &[f64]) {
        let expected = &self.json["expected"][name];
        let data = match expected.as_array().or_else(|| expected["data"].as_array()) {
            Some(data) => data.clone(),
            None => vec![expected.clone()],
        };
        let want: Vec<f64> = data.iter().map(|v| v.as_f64().unwrap_or_else(|| panic!("{name} is expected?"))).collect();
        assert_eq!(got.len(), want.len(), "{name}: number of values");
        if data.iter().all(Value::is_i64) {
            assert_eq!(got, want, "{name}: whole numbers are equal");
        }
        let largest = want.iter().fold(0.0f64, |m, v| m.max(v.abs()));
        let tolerance = self.json["tolerance"].as_f64().unwrap();
        let gap = got
            .iter()
            .zip(&want)
            .fold(0.0f64, |m, (g, w)| if (g - w).is_nan() { f64::INFINITY } else { m.max((g - w).abs()) });
        println!("{name}: largest difference {gap:.3e}, allowed {:.3e}", tolerance * largest);
        assert!(gap <= tolerance * largest, "{name}: {gap:e} > {tolerance:e} · {largest:e}");
        self.seen.insert(name.to_owned());
    }

    fn check(&mut self, name: &str, got: &Tensor) {
        let got = got.detach().to_dtype(DType::F64).unwrap().flatten_all().unwrap().to_vec1().unwrap();
        self.check_values(name, &got);
    }

    fn check_parameters(&mut self, parameters: &Parameters) {
        for (name, var) in parameters.iter() {
            self.check(name, var);
        }
    }

    /// Every expected value must have been compared.
    fn finish(self) {
        let expected: BTreeSet<String> = self.json["expected"].as_object().unwrap().keys().cloned().collect();
        assert_eq!(self.seen, expected);
    }
}

// --- PSGL, client side ----------------------------------------------------------------------------

#[test]
fn saliency() {
    let mut case = Case::load("saliency");
    let (x, jacobian, predicted) = (case.input("image"), case.input("jacobian"), case.labels("predicted"));
    let (batch, _, c, h, w) = jacobian.dims5().unwrap();
    let index = predicted.reshape((batch, 1, 1, 1, 1)).unwrap().broadcast_as((batch, 1, c, h, w)).unwrap();
    let alpha = jacobian.gather(&index.contiguous().unwrap(), 1).unwrap().squeeze(1).unwrap();
    let beta = (jacobian.sum(1).unwrap() - &alpha).unwrap();
    let map = saliency_map(&alpha, &beta, true).unwrap();
    let strength = |apply| Strength { apply, gamma: case.number("gamma"), theta: case.number("theta") };
    let sparse = disguise(&x, &map, strength(Apply::Sparse)).unwrap();
    let dense = disguise(&x, &map, strength(Apply::Dense)).unwrap();
    case.check("map", &map);
    case.check("attacked_sparse", &sparse);
    case.check("attacked_dense", &dense);
    case.finish();
}

#[test]
fn downsample() {
    let mut case = Case::load("downsample");
    let x = case.input("image");
    let packed = downsample::pack(&x, &case.input("map")).unwrap();
    case.check("packed", &packed);
    case.check("unpacked", &downsample::unpack(&packed, x.dim(2).unwrap(), x.dim(3).unwrap()).unwrap());
    case.finish();
}

// --- PSGL, recovery -------------------------------------------------------------------------------

fn svt(name: &str) {
    let mut case = Case::load(name);
    let matrix = case.input("matrix");
    let (rows, cols) = matrix.dims2().unwrap();
    let mut out = vec![0.0; rows * cols];
    Svt::new(rows, cols).threshold(&case.values("matrix"), case.number("tau") as f32, &mut out);
    case.check("prox", &Tensor::from_vec(out, (rows, cols), &Device::Cpu).unwrap());
    case.finish();
}

#[test]
fn svt_square() {
    svt("svt_square");
}

#[test]
fn svt_wide() {
    svt("svt_wide");
}

#[test]
fn svt_tall() {
    svt("svt_tall");
}

fn apg(name: &str) {
    let mut case = Case::load(name);
    let (rows, cols) = case.input("attacked").dims2().unwrap();
    assert!((f64::from(Recovery::lambda(rows, cols)) - case.number("lambda")).abs() < 1e-6);
    let recovery = Recovery {
        mu: case.number("mu") as f32,
        iterations: case.number("iterations") as usize,
        map_norm: MapNorm::L1,
    };
    let parts = recovery.solve(&case.values("attacked"), rows, cols);
    let tensor = |values: Vec<f32>| Tensor::from_vec(values, (rows, cols), &Device::Cpu).unwrap();
    case.check("recovered", &tensor(parts.low_rank));
    case.check("gradient_map", &tensor(parts.gradient_map));
    case.finish();
}

#[test]
fn apg_image() {
    apg("apg_image");
}

#[test]
fn apg_features() {
    apg("apg_features");
}

#[test]
fn apg_small_mu() {
    apg("apg_small_mu");
}

#[test]
fn apg_large_mu() {
    apg("apg_large_mu");
}

// --- PSGL, fusion ---------------------------------------------------------------------------------

#[test]
fn decision_fusion() {
    let mut case = Case::load("decision_fusion");
    let weights: Vec<f64> =
        case.json["inputs"]["weights_rfa"].as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect();
    let weights = DecisionWeights::new([weights[0], weights[1], weights[2]]);
    let streams = (case.input("attacked"), case.input("recovered"), case.input("fused_stream"));
    let decision = decide(&streams.0, &streams.1, &streams.2, weights).unwrap();
    case.check("scores", &decision.scores);
    case.check("weights", &decision.weights);
    case.check("predicted", &decision.scores.argmax(1).unwrap());
    case.finish();
}

#[test]
fn conv_sum_fusion() {
    let mut case = Case::load("conv_sum_fusion");
    let (z, low) = (case.input("attacked"), case.input("recovered"));
    let fused = conv_sum(&z, &low, &case.input("weight"), &case.input("bias"), true).unwrap();
    case.check("fused", &fused);
    case.finish();
}

// --- layers and their gradients -------------------------------------------------------------------

fn conv(name: &str) {
    let mut case = Case::load(name);
    let var = |name| Var::from_tensor(&case.input(name)).unwrap();
    let (x, weight, bias) = (var("x"), var("weight"), var("bias"));
    let y = conv2d(&x, &weight, &bias, case.number("stride") as usize, case.number("padding") as usize).unwrap();
    let gradients = (&y * case.input("grad_output")).unwrap().sum_all().unwrap().backward().unwrap();
    case.check("y", &y);
    case.check("grad_x", gradients.get(&x).unwrap());
    case.check("grad_weight", gradients.get(&weight).unwrap());
    case.check("grad_bias", gradients.get(&bias).unwrap());
    case.finish();
}

#[test]
fn conv3x3_p1() {
    conv("conv3x3_p1");
}

#[test]
fn conv5x5_s2_p2() {
    conv("conv5x5_s2_p2");
}

#[test]
fn conv1x1() {
    conv("conv1x1");
}

#[test]
fn conv4x4_s2_p1() {
    conv("conv4x4_s2_p1");
}

fn pooling(name: &str, kind: Pool) {
    let mut case = Case::load(name);
    let x = Var::from_tensor(&case.input("x")).unwrap();
    let y = pool(&x, kind, 2).unwrap();
    let gradients = (&y * case.input("grad_output")).unwrap().sum_all().unwrap().backward().unwrap();
    case.check("y", &y);
    case.check("grad_x", gradients.get(&x).unwrap());
    case.finish();
}

#[test]
fn maxpool2() {
    pooling("maxpool2", Pool::Max);
}

#[test]
fn avgpool2() {
    pooling("avgpool2", Pool::Mean);
}

const FIRST: At<'static> = At::Train { epoch: 0, step: 0 };

// --- whole steps ----------------------------------------------------------------------------------

fn conv3(channels: usize) -> LayerSpec {
    Conv { channels, kernel: 3, stride: 1, padding: 1, bias: true }
}

/// A split model with the case's weights; the last layer's size is the number of classes.
fn model(case: &Case, layers: Vec<LayerSpec>, cut: usize, rate: f64, psgl: Option<Options>) -> SplitModel {
    let Some(Linear(classes)) = layers.last().cloned() else { panic!("the last layer is linear") };
    let optimiser = OptimiserSettings::Adam(AdamSettings::new(rate));
    let plan = SplitPlan {
        name: "golden".to_owned(),
        layers,
        cut,
        image: [1, 12, 12],
        classes,
        defences: stack(psgl),
        optimiser,
        class_weights: None,
    };
    let model = SplitModel::new(plan, Seed(0), &Device::Cpu).unwrap();
    model.client.parameters().load(&case.weights("client.")).unwrap();
    model.server.parameters().load(&case.weights("server.")).unwrap();
    assert_eq!(model.client.parameters().iter().count(), case.weights("client.").len());
    assert_eq!(model.server.parameters().iter().count(), case.weights("server.").len());
    model
}

fn classes(case: &Case, last: &str) -> usize {
    case.input(last).dim(0).unwrap()
}

/// A step a batch: every loss, and every parameter at the end.
fn check_training(case: &mut Case, model: &mut SplitModel) {
    let (images, labels) = (case.input("images"), case.labels("labels"));
    let mut losses = Vec::new();
    for i in 0..images.dim(0).unwrap() {
        losses.extend(model.step(&images.get(i).unwrap(), &labels.get(i).unwrap(), FIRST).unwrap().lesson.losses);
    }
    case.check_values("losses", &losses);
    case.check_parameters(model.client.parameters());
    case.check_parameters(model.server.parameters());
}

#[test]
fn split_train20() {
    let mut case = Case::load("split_train20");
    let layers = vec![
        conv3(4),
        Relu,
        MaxPool(2),
        conv3(6),
        Relu,
        conv3(8),
        Relu,
        MaxPool(2),
        Flatten,
        Linear(classes(&case, "server.4.weight")),
    ];
    let mut model = model(&case, layers, 5, 1e-2, None);
    check_training(&mut case, &mut model);
    case.finish();
}

#[test]
fn batch_norm_train3() {
    let mut case = Case::load("batch_norm_train3");
    let conv = |channels, kernel, stride| Conv { channels, kernel, stride, padding: kernel / 2, bias: false };
    let block = Residual {
        inner: vec![conv(6, 3, 2), BatchNorm, Relu, conv(6, 3, 1), BatchNorm],
        project: vec![conv(6, 1, 2), BatchNorm],
    };
    let last = Linear(classes(&case, "server.4.weight"));
    let layers = vec![conv(4, 3, 1), BatchNorm, Relu, block, Relu, MeanPool, Flatten, last];
    let mut model = model(&case, layers, 3, 1e-2, None);
    check_training(&mut case, &mut model);
    let answer = model.answer(&case.input("images").get(0).unwrap(), At::ONCE).unwrap();
    assert!(answer.is_plain());
    case.check("answer", &answer.scores);
    case.finish();
}

#[test]
fn psgl_step() {
    let mut case = Case::load("psgl_step");
    let options = Options {
        strength: Strength { apply: Apply::Sparse, gamma: case.number("gamma"), theta: 1.0 },
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
    };
    let last = Linear(classes(&case, "server.fused.4.weight"));
    let layers = vec![conv3(4), Relu, conv3(6), Relu, conv3(8), Relu, MaxPool(2), Flatten, last];
    let mut model = model(&case, layers, 4, 1e-3, Some(options));
    let step = model.step(&case.input("image"), &case.labels("labels"), FIRST).unwrap();
    case.check("map", step.outgoing.map.as_ref().unwrap());
    case.check("attacked", &step.outgoing.images);
    case.check("smashed", step.smashed.tensor());
    let answer = &step.lesson.answer;
    case.check("recovered", answer.part("low_rank").unwrap());
    for (name, logits) in &answer.streams {
        case.check(&format!("logits_{name}"), logits);
    }
    let losses: Vec<f64> = step.own_loss.into_iter().chain(step.lesson.losses).collect();
    case.check_values("losses", &losses);
    case.check("cut_gradient", step.cut_gradient.tensor());
    case.check_parameters(model.client.parameters());
    case.check_parameters(model.server.parameters());
    case.finish();
}

// --- white-box inversion and metrics --------------------------------------------------------------

#[test]
fn rmle() {
    let mut case = Case::load("rmle");
    let guess = Var::from_tensor(&case.input("guess")).unwrap();
    let features = conv2d(&guess, &case.input("weight"), &case.input("bias"), 1, 1).unwrap();
    let features = cutlayer::engine::activation::relu(&features).unwrap();
    let loss = rmle::objective(&features, &case.input("smashed"), &guess, case.number("tv_weight")).unwrap();
    case.check("loss", &loss);
    case.check("grad", loss.backward().unwrap().get(&guess).unwrap());
    case.finish();
}

/// A LeNet of two strided convolutions with sigmoids and a linear layer, with the file's weights.
fn lenet(case: &Case) -> Network {
    let conv = |channels| Conv { channels, kernel: 5, stride: 2, padding: 2, bias: true };
    let specs = [conv(4), Sigmoid, conv(6), Sigmoid, Flatten, Linear(4)];
    let mut parameters = Parameters::default();
    let init = Init { seed: Seed(0), model: "lenet", device: &Device::Cpu };
    Network::init("net", &[1, 12, 12], &specs, &mut parameters, init).unwrap();
    let layers = [0, 2, 5].into_iter().flat_map(|i| [format!("net.{i}.weight"), format!("net.{i}.bias")]);
    let values = layers.enumerate().map(|(i, name)| (name, case.input(&format!("param{i}"))));
    parameters.load(&values.collect()).unwrap();
    Network::of("net", &specs, &parameters).unwrap().frozen()
}

/// An image's gradient by the weights of a network, for these labels.
fn gradients_of(network: &Network, x: &Tensor, labels: &[u32], classes: usize) -> Vec<Tensor> {
    use cutlayer::attack::matching::labels::one_hot;
    use cutlayer::attack::matching::objective::loss_gradient;
    let target = one_hot(labels, classes, x).unwrap();
    network.weight_gradients(x, |logits| loss_gradient(logits, &target, None)).unwrap()
}

#[test]
fn gradient_matching() {
    use cutlayer::attack::matching::labels::restored;
    use cutlayer::attack::matching::objective::{Distance, Seen};
    let mut case = Case::load("gradient_matching");
    let network = lenet(&case);
    let (label, classes) = (case.number("label") as u32, case.input("param5").elem_count());
    let truth: Vec<Tensor> = gradients_of(&network, &case.input("true_image"), &[label], classes);
    let truth: Vec<Tensor> = truth.iter().map(Tensor::detach).collect();
    let seen = Seen::new(truth.clone()).unwrap();
    let dummy = Var::from_tensor(&case.input("dummy_image")).unwrap();
    let got = gradients_of(&network, &dummy, &[label], classes);
    for (name, distance) in [("l2", Distance::Squared), ("cosine", Distance::Cosine)] {
        let apart = seen.apart(&got, distance).unwrap();
        case.check(name, &apart);
        case.check(&format!("grad_{name}"), apart.backward().unwrap().get(&dummy).unwrap());
    }
    case.check_values("idlg_label", &[f64::from(restored(&truth, classes, 1).unwrap()[0])]);
    // By the rows of the weight's gradient alone, as its authors have it.
    assert_eq!(restored(&truth[..5], classes, 1).unwrap(), restored(&truth, classes, 1).unwrap());
    case.finish();
}

fn inverting_gradients(name: &str, activation: LayerSpec) {
    use cutlayer::attack::matching::objective::{Distance, Seen, total_variation};
    let mut case = Case::load(name);
    let conv = |channels| Conv { channels, kernel: 3, stride: 2, padding: 1, bias: true };
    let specs = [conv(4), activation.clone(), conv(6), activation, Flatten, Linear(4)];
    let mut parameters = Parameters::default();
    let init = Init { seed: Seed(0), model: "inverting", device: &Device::Cpu };
    Network::init("net", &[1, 12, 12], &specs, &mut parameters, init).unwrap();
    let layers = [0, 2, 5].into_iter().flat_map(|i| [format!("net.{i}.weight"), format!("net.{i}.bias")]);
    let values = layers.enumerate().map(|(i, layer)| (layer, case.input(&format!("param{i}"))));
    parameters.load(&values.collect()).unwrap();
    let network = Network::of("net", &specs, &parameters).unwrap().frozen();
    let labels: Vec<u32> = case.values("labels").iter().map(|label| *label as u32).collect();
    let seen = Seen::new((0..6).map(|i| case.input(&format!("received{i}"))).collect()).unwrap();
    let dummy = Var::from_tensor(&case.input("dummy")).unwrap();
    let cosine = seen.apart(&gradients_of(&network, &dummy, &labels, 4), Distance::Cosine).unwrap();
    let tv = total_variation(&dummy).unwrap();
    let loss = (&cosine + (&tv * case.number("alpha")).unwrap()).unwrap();
    for (name, value) in [("cosine", &cosine), ("tv", &tv), ("loss", &loss)] {
        case.check(name, value);
    }
    case.check("grad", loss.backward().unwrap().get(&dummy).unwrap());
    case.finish();
}

#[test]
fn inverting_gradients_relu() {
    inverting_gradients("inverting_gradients_relu", Relu);
}

#[test]
fn inverting_gradients_sigmoid() {
    inverting_gradients("inverting_gradients_sigmoid", Sigmoid);
}

#[test]
fn image_metrics() {
    let mut case = Case::load("image_metrics");
    let (h, w) = case.input("a").dims2().unwrap();
    let (a, b) = (case.values("a"), case.values("b"));
    case.check_values("mse", &[mse(&a, &b)]);
    case.check_values("psnr", &[psnr(mse(&a, &b))]);
    case.check_values("ssim", &[ssim(&a, &b, [1, h, w])]);
    case.finish();
}

#[test]
fn ms_ssim() {
    let mut case = Case::load("ms_ssim");
    for side in [28, 64] {
        let (a, b) = (case.values(&format!("a{side}")), case.values(&format!("b{side}")));
        let shape = [1, side, side];
        case.check_values(&format!("ms_ssim{side}"), &[multiscale::ms_ssim(&a, &b, shape).unwrap()]);
        case.check_values(&format!("scales{side}"), &[multiscale::scales(side, side) as f64]);
        case.check_values(&format!("ssim{side}"), &[ssim(&a, &b, shape)]);
    }
    case.finish();
}

#[test]
fn auroc() {
    let mut case = Case::load("auroc");
    let (labels, scores) = (case.classes("labels"), case.values("scores"));
    let two: Vec<f32> = scores.iter().flat_map(|score| [1.0 - score, *score]).collect();
    // At one half the second class is meant.
    let predicted: Vec<u32> = scores.iter().map(|score| u32::from(*score >= 0.5)).collect();
    let row = Row::measured("x", &predicted, &labels, 2, Some(&two));
    case.check_values("auroc", &[row.auroc.unwrap()]);
    case.check_values("sensitivity", &[row.sensitivity.unwrap() / 100.0]);
    case.check_values("specificity", &[row.specificity.unwrap() / 100.0]);
    case.check_values("balanced_accuracy", &[row.balanced_accuracy / 100.0]);
    let (labels, shares) = (case.classes("class_labels"), case.values("class_scores"));
    case.check_values("macro", &[Shares::new(&shares, &labels, 5).auroc().unwrap()]);
    let of = |class: usize| {
        let all = shares.chunks(5).zip(&labels).map(|(row, label)| (f64::from(row[class]), *label as usize == class));
        area(all.collect()).unwrap()
    };
    case.check_values("per_class", &[0, 1, 2, 3].map(of));
    let first = |row: &[f32]| (1..5).fold(0, |best, class| if row[class] > row[best] { class } else { best }) as u32;
    let predicted: Vec<u32> = shares.chunks(5).map(first).collect();
    let row = Row::measured("x", &predicted, &labels, 5, None);
    case.check_values("balanced_accuracy_classes", &[row.balanced_accuracy / 100.0]);
    case.finish();
}

#[test]
fn patients_bootstrap() {
    let mut case = Case::load("patients_bootstrap");
    let leaks = case.input64("leak").to_vec1::<f64>().unwrap();
    let all = by_patient(&leaks, &case.classes("patient"));
    let worst: Vec<f64> = all.iter().map(|one| one.leak).collect();
    case.check_values("per_patient", &worst);
    let spread = Spread::of(&all, "patient", Seed(0)).unwrap();
    case.check_values("mean", &[spread.mean]);
    case.check_values("p95", &[spread.p95]);
    case.check_values("worst_patient", &[f64::from(spread.worst_unit)]);
    let draws = case.classes("draws");
    let draws = draws.chunks(all.len()).map(|draw| draw.iter().map(|i| *i as usize).collect());
    case.check_values("interval", &interval(&worst, draws).unwrap());
    case.finish();
}

#[test]
fn reidentification() {
    let mut case = Case::load("reidentification");
    let alike = case.input64("similarity").flatten_all().unwrap().to_vec1::<f64>().unwrap();
    let (probes, gallery) = (case.classes("probe_ids"), case.classes("gallery_ids"));
    let found = Gallery { alike: &alike, probes: &probes, gallery: &gallery }.found();
    case.check_values("rank1", &[found.rank1]);
    case.check_values("ranks", &found.ranks.iter().map(|rank| rank.unwrap() as f64).collect::<Vec<_>>());
    case.check_values("rank5", &[found.within(5)]);
    case.check_values("verification_auroc", &[found.verification.unwrap()]);
    case.finish();
}

/// Attacks have theirs beside them (`src/attack`).
const BESIDE_ATTACKS: [&str; 5] =
    ["gradient_penalty", "fsha_client_gradient", "fsha_step", "unsplit_losses", "unsplit_label"];

#[test]
fn every_golden_file_has_a_test() {
    let this = concat!(include_str!("golden.rs"), include_str!("golden/defences.rs"));
    for entry in std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        if let Some(case) = name.strip_suffix(".json").filter(|case| !BESIDE_ATTACKS.contains(case)) {
            assert!(this.contains(&format!("fn {case}()")), "{case} has no test");
        }
    }
    assert_eq!(AdamSettings::new(1e-3).epsilon, 1e-8, "the reference optimiser's epsilon");
}

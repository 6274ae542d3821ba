//! What defences are made of.

use candle_core::{DType, Device, Tensor, Var};
use cutlayer::defence::binarise::{binarised, sides};
use cutlayer::defence::cem::loss::{Centres, Measure, spread};
use cutlayer::defence::orthogonal::Projection;
use cutlayer::defence::quantise::{codes, quantised};
use cutlayer::defence::ressfl::{THRESHOLD, penalty};
use cutlayer::defence::top_k::top_k;
use cutlayer::defence::{Bytes, Kind};
use cutlayer::engine::conv::conv2d;
use cutlayer::engine::correlation::distance_correlation as dependence;
use cutlayer::engine::linear::linear;
use cutlayer::engine::loss::cross_entropy;
use cutlayer::engine::similarity::ssim;
use cutlayer::model::jacobian::{Gram, Traced};
use cutlayer::score::meters::Meters;
use cutlayer::setting::Values;
use cutlayer::split::meter::dfil;
use cutlayer::workbench;

use super::Case;

fn scalar(t: &Tensor) -> f64 {
    t.to_dtype(DType::F64).unwrap().to_scalar().unwrap()
}

#[test]
fn distance_correlation() {
    let mut case = Case::load("distance_correlation");
    let found = dependence(&case.input("x"), &case.input("z")).unwrap();
    case.check_values("dcor", &[found.value]);
    case.finish();
}

#[test]
fn nopeek_gradient() {
    let mut case = Case::load("nopeek_gradient");
    let z = Var::from_tensor(&case.input("z")).unwrap();
    let logits = linear(&z.flatten_from(1).unwrap(), &case.input("weight"), &case.input("bias")).unwrap();
    let loss = cross_entropy(&logits, &case.labels("labels")).unwrap();
    let down = loss.backward().unwrap().remove(&z).unwrap();
    let found = dependence(&case.input("x"), &z).unwrap();
    let alpha = case.number("alpha");
    case.check_values("dcor", &[found.value]);
    case.check("grad_dcor", &found.gradient);
    case.check_values("loss", &[scalar(&loss) + alpha * found.value]);
    case.check("grad_loss", &(down + (&found.gradient * alpha).unwrap()).unwrap());
    case.finish();
}

/// Bytes of one sample of so many numbers that go up under a defence with these settings.
fn up(id: &str, settings: &[(&str, toml::Value)], numbers: usize) -> f64 {
    let kind: &Kind = workbench::defence(id).unwrap();
    let mut values = Values::of(kind.settings);
    for (key, value) in settings {
        values.put(key, value.clone()).unwrap();
    }
    (kind.bytes)(&values, numbers, Bytes::whole(numbers)).unwrap().up as f64
}

#[test]
fn topk_quantise_binarise() {
    let mut case = Case::load("topk_quantise_binarise");
    let (z, gradient) = (case.input("z"), case.input("gradient"));
    let [keep, bits, few] = ["keep", "bits", "keep_gradient"].map(|name| case.number(name) as usize);
    let rows = z.flatten_from(1).unwrap().to_vec2::<f32>().unwrap();
    case.check("topk", &top_k(&z, keep).unwrap());
    let codes = rows.iter().flat_map(|row| codes(row, bits).unwrap().0).map(f64::from).collect::<Vec<_>>();
    case.check_values("codes", &codes);
    case.check("quantised", &quantised(&z, bits).unwrap());
    case.check("binary", &binarised(&z).unwrap());
    let signs = rows.iter().flat_map(|row| sides(row).unwrap().0).map(|above| f64::from(u8::from(above)));
    case.check_values("signs", &signs.collect::<Vec<_>>());
    case.check("pruned_gradient", &top_k(&gradient, few).unwrap());
    let numbers = rows[0].len();
    let left_out = toml::Value::Float(1.0 - keep as f64 / numbers as f64);
    let bytes = [
        up("top-k", &[("p", left_out)], numbers),
        up("quantise", &[("bits", toml::Value::Integer(bits as i64))], numbers),
        up("binarise", &[], numbers),
    ];
    case.check_values("bytes", &bytes);
    case.finish();
}

#[test]
fn cem_loss() {
    let mut case = Case::load("cem_loss");
    let (z, labels) = (case.input("z"), case.classes("labels"));
    let centres: Vec<Centres> = case.input("centroids").to_vec3().unwrap();
    for (measure, [value, gradient]) in
        [(Measure::Log, ["loss", "grad"]), (Measure::Linear, ["loss_linear", "grad_linear"])]
    {
        let found = spread(&z, &labels, &centres, measure).unwrap();
        let nearest: Vec<f64> = found.nearest.iter().map(|at| at.unwrap() as f64).collect();
        case.check_values("assignment", &nearest);
        case.check_values(value, &[found.value]);
        case.check(gradient, &found.gradient);
    }
    case.finish();
}

#[test]
fn ressfl_penalty() {
    let mut case = Case::load("ressfl_penalty");
    assert_eq!(case.number("threshold"), THRESHOLD);
    let (drawn, x) = (Var::from_tensor(&case.input("recon")).unwrap(), case.input("image"));
    let penalty = penalty(&drawn, &x, case.number("lambda")).unwrap();
    case.check_values("ssim", &[scalar(&ssim(&drawn, &x).unwrap())]);
    case.check_values("penalty", &[scalar(&penalty)]);
    case.check("grad_recon", &penalty.backward().unwrap().remove(&drawn).unwrap());
    case.finish();
}

#[test]
fn orthogonal_projection() {
    let mut case = Case::load("orthogonal_projection");
    let projection = std::sync::Arc::new(Projection::of_rows(&case.input64("projection")).unwrap());
    let z = Var::from_tensor(&case.input("z")).unwrap();
    let sent = projection.send(&z).unwrap();
    case.check("sent", &sent);
    case.check("lifted", &projection.lift(&sent).unwrap());
    let lifted = cutlayer::defence::orthogonal::through(&projection, &z).unwrap();
    case.check("lifted", &lifted);
    let back = (lifted * case.input("grad_lifted")).unwrap().sum_all().unwrap().backward().unwrap();
    case.check("grad_z", back.get(&z).unwrap());
    case.finish();
}

#[test]
fn fisher_leakage() {
    let mut case = Case::load("fisher_leakage");
    let [w1, b1, w2, b2] = ["weight1", "bias1", "weight2", "bias2"].map(|name| case.input(name));
    let (sigma, prior, probes) = (case.number("sigma"), case.number("prior"), case.input("probes"));
    let pass = |x: &Tensor| Ok(conv2d(&conv2d(x, &w1, &b1, 1, 1)?.relu()?, &w2, &b2, 2, 1)?);
    let of = |rows: usize| Traced::of(&case.input("image").repeat((rows, 1, 1, 1)).unwrap(), pass).unwrap();
    let sent = of(1).output().dims().to_vec();
    let numbers: usize = sent.iter().product();
    let shaped = |v: &Tensor| v.reshape((v.dim(0).unwrap(), sent[1], sent[2], sent[3])).unwrap();

    let unit = Tensor::eye(numbers, DType::F32, &Device::Cpu).unwrap();
    let jacobian = of(numbers).back(&shaped(&unit)).unwrap();
    let back = of(probes.dim(0).unwrap()).back(&shaped(&probes)).unwrap();
    // A few rows at once, the last of them not full.
    let mut gram = Gram::new(of(7)).unwrap();
    while !gram.advance().unwrap() {}
    let pixels = case.input("image").elem_count() as f64;
    let exact = gram.trace() / pixels / sigma.powi(2);
    case.check("jacobian", &jacobian.flatten_from(1).unwrap());
    case.check_values("dfil", &[exact]);
    case.check_values("dfil_probes", &[dfil(&back, sigma).unwrap()]);
    case.check_values("nats", &[gram.half_log_det((prior / sigma).powi(2))]);
    case.check_values("mse_floor", &[Meters::floor(exact, prior)]);
    case.finish();
}

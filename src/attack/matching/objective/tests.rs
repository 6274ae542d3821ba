use candle_core::{Device, Var};

use super::*;
use crate::engine::tape::{Tape, times};
use crate::model::network::Network;
use crate::model::parameters::{Init, Parameters};
use crate::model::spec::LayerSpec;
use crate::random::Seed;

fn tensor(values: &[f32], shape: &[usize]) -> Tensor {
    Tensor::from_slice(values, shape, &Device::Cpu).unwrap()
}

fn number(t: &Tensor) -> f64 {
    f64::from(t.to_scalar::<f32>().unwrap())
}

#[test]
fn distances_and_smoothness_are_those_computed_by_hand() {
    let seen = Seen::new(vec![tensor(&[3.0, 0.0], &[2]), tensor(&[4.0], &[1, 1])]).unwrap();
    let got = [tensor(&[3.0, 1.0], &[2]), tensor(&[2.0], &[1, 1])];
    assert!((number(&seen.apart(&got, Distance::Squared).unwrap()) - 5.0).abs() < 1e-6);
    let cosine = 17.0 / (5.0 * 14.0f64.sqrt());
    assert!((number(&seen.apart(&got, Distance::Cosine).unwrap()) - (1.0 - cosine)).abs() < 1e-6);
    assert_eq!((seen.unexplained(5.0, Distance::Squared), seen.unexplained(0.3, Distance::Cosine)), (0.2, 0.3));
    assert!(seen.apart(&got[..1], Distance::Squared).is_err());
    for nothing in [0.0, f32::NAN, f32::INFINITY] {
        assert!(Seen::new(vec![tensor(&[nothing], &[1])]).is_err());
    }
    let x = tensor(&[0.0, 0.5, 0.25, 1.0], &[1, 1, 2, 2]);
    assert!((number(&total_variation(&x).unwrap()) - (0.375 + 0.625)).abs() < 1e-6);
    assert_eq!(number(&total_variation(&tensor(&[0.5], &[1, 1, 1, 1])).unwrap()), 0.0);
    assert!((number(&total_variation(&tensor(&[0.5, 0.0], &[1, 1, 1, 2])).unwrap()) - 0.5).abs() < 1e-6);
}

#[test]
fn a_losss_gradient_is_candles_and_counts_classes_as_they_count() {
    let logits = Var::from_tensor(&tensor(&[0.3, -1.0, 0.5, 1.5, 0.0, -0.2], &[2, 3])).unwrap();
    let labels = Tensor::new(&[2u32, 0], &Device::Cpu).unwrap();
    let target = tensor(&[0.0, 0.0, 1.0, 1.0, 0.0, 0.0], &[2, 3]);
    for weights in [None, Some([0.5, 2.0, 1.5])] {
        let shared = weights.map(std::sync::Arc::<[f64]>::from);
        let loss = crate::engine::loss::weighed_cross_entropy(&logits, &labels, shared.as_ref()).unwrap();
        let wanted = loss.backward().unwrap().get(&logits).unwrap().clone();
        let row = weights.map(|weights| tensor(&weights.map(|w| w as f32), &[1, 3]));
        let got = loss_gradient(&logits, &target, row.as_ref()).unwrap();
        let gap = (got - wanted).unwrap().abs().unwrap().max_all().unwrap();
        assert!(number(&gap) < 1e-6, "{weights:?}");
    }
}

/// Otherwise a search takes half again as long.
#[test]
fn a_search_through_rectifiers_and_pooling_goes_back_along_its_tape() {
    let conv = LayerSpec::Conv { channels: 4, kernel: 3, stride: 1, padding: 1, bias: true };
    let layers = [conv, LayerSpec::Relu, LayerSpec::MaxPool(2), LayerSpec::Flatten, LayerSpec::Linear(3)];
    let mut parameters = Parameters::default();
    let init = Init { seed: Seed(3), model: "m", device: &Device::Cpu };
    Network::init("net", &[1, 7, 6], &layers, &mut parameters, init).unwrap();
    let network = Network::of("net", &layers, &parameters).unwrap().frozen();
    let noise = |name: &str| Seed(4).stream(name, 0).uniform_tensor(0.0, 1.0, &[2, 1, 7, 6], &Device::Cpu).unwrap();
    let target = tensor(&[0.0, 0.0, 1.0, 1.0, 0.0, 0.0], &[2, 3]);
    let gradients = |x: &Tensor| network.weight_gradients(x, |logits| loss_gradient(logits, &target, None)).unwrap();
    let seen = Seen::new(gradients(&noise("true")).iter().map(Tensor::detach).collect()).unwrap();
    for distance in [Distance::Squared, Distance::Cosine] {
        let x = Var::from_tensor(&noise("found")).unwrap();
        let mut tape = Tape::default();
        let loss = tape.record(|| {
            let apart = seen.apart(&gradients(&x), distance).unwrap();
            sum(&apart, &times(&total_variation(&x).unwrap(), 0.1).unwrap()).unwrap()
        });
        assert!(tape.covers(&loss));
        let (ours, theirs) = (tape.backward(&loss).unwrap(), loss.backward().unwrap());
        let gap = (ours.get(&x).unwrap() - theirs.get(&x).unwrap()).unwrap().abs().unwrap().max_all().unwrap();
        assert!(number(&gap) < 1e-7, "{distance:?}");
    }
}

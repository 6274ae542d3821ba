//! Every number that is sent is told apart into products that come to it, whatever stands behind the convolution.

use super::*;
use crate::model::parameters::Init;
use crate::model::zoo;
use crate::random::Seed;

/// A client with drawn weights, and what entered it.
fn inside(layers: &[LayerSpec], shape: [usize; 3]) -> (Inside, Tensor) {
    let mut parameters = Parameters::default();
    let init = Init { seed: Seed(3), model: "test", device: &Device::Cpu };
    Network::init("client", &shape, layers, &mut parameters, init).unwrap();
    let [c, h, w] = shape;
    let x = Seed(5).stream("image", 0).uniform_tensor(-0.5, 1.0, &[1, c, h, w], &Device::Cpu).unwrap();
    let inside = Inside::of(layers, parameters.iter().map(|(name, var)| (name, var.as_tensor())), &x).unwrap();
    let sent = Network::of("client", layers, &parameters).unwrap().frozen().forward(&x).unwrap();
    (inside, sent)
}

/// Explains every number of what is sent; the largest error against what the network itself gives.
fn worst(layers: &[LayerSpec], shape: [usize; 3]) -> f32 {
    let (inside, sent) = inside(layers, shape);
    let sent = Planes::of(&sent).unwrap();
    let opened = inside.open().unwrap();
    let last = opened.last.unwrap();
    assert_eq!(last.sent().shape, sent.shape);
    let [channels, height, width] = sent.shape;
    let mut worst = 0f32;
    for (channel, row, column) in
        (0..channels).flat_map(|c| (0..height).flat_map(move |y| (0..width).map(move |x| (c, y, x))))
    {
        let told = last.explain([channel, row, column]).unwrap();
        let sum: f32 = told.inputs.iter().flat_map(|input| &input.products).sum();
        assert!((sum + told.bias - told.convolved).abs() < 1e-4, "{told:?}");
        worst = worst.max((told.value - sent.at([channel, row, column])).abs());
    }
    assert_eq!(last.explain([channels, 0, 0]), None);
    worst
}

fn conv(channels: usize, kernel: usize, stride: usize, padding: usize, bias: bool) -> LayerSpec {
    LayerSpec::Conv { channels, kernel, stride, padding, bias }
}

#[test]
fn the_products_come_to_the_number_that_is_sent() {
    use LayerSpec::{AvgPool, BatchNorm, Flatten, GroupNorm, MaxPool, MeanPool, Relu, Sigmoid, Tanh};
    let cases: [(&[LayerSpec], [usize; 3]); 9] = [
        (&[conv(4, 3, 1, 1, true)], [1, 7, 5]),
        (&[conv(4, 3, 1, 1, true), Relu], [3, 9, 6]),
        (&[conv(4, 5, 2, 2, false), Sigmoid], [2, 11, 8]),
        // What is left over at the edge is dropped.
        (&[conv(4, 3, 1, 1, true), Relu, MaxPool(2)], [1, 9, 7]),
        (&[conv(3, 3, 1, 0, true), Tanh, AvgPool(3)], [2, 10, 13]),
        (&[conv(3, 3, 1, 1, true), Relu, conv(4, 3, 1, 1, true), BatchNorm, Relu, MaxPool(2)], [1, 8, 10]),
        (&[conv(4, 3, 2, 1, false), GroupNorm(2), Relu], [1, 9, 9]),
        (&[conv(4, 3, 1, 1, true), Relu, MaxPool(2), Flatten], [2, 6, 6]),
        (&[conv(4, 2, 3, 0, true), Relu, MeanPool], [1, 9, 9]),
    ];
    for (layers, shape) in cases {
        let worst = worst(layers, shape);
        assert!(worst < 1e-5, "{layers:?}: {worst}");
    }
    for (name, cut) in [("split-cnn", 4), ("split-cnn-vanilla", 3), ("lenet5", 6), ("vgg-he", 5), ("dlg-lenet", 4)] {
        let worst = worst(&zoo::layers(name, 10).unwrap()[..cut], [1, 28, 28]);
        assert!(worst < 1e-5, "{name}: {worst}");
    }
}

#[test]
fn at_the_edge_the_patch_reaches_into_the_padding() {
    let (inside, _) = inside(&[conv(2, 3, 2, 1, true), LayerSpec::Relu], [1, 6, 5]);
    let last = inside.open().unwrap().last.unwrap();
    let told = last.explain([1, 0, 2]).unwrap();
    assert_eq!((told.at, told.corner), ([1, 0, 2], [-1, 3]));
    let patch = &told.inputs[0].patch;
    // The row above the image and the column to its right are not there.
    assert_eq!([patch[0], patch[1], patch[2], patch[5], patch[8]], [0.0; 5]);
    assert_eq!([patch[3], patch[7]], [last.input().at([0, 0, 3]), last.input().at([0, 1, 4])]);
    assert_eq!(told.inputs[0].kernel, last.kernels.of(1, 0));
    assert!(last.kernels.of(2, 0).is_empty() && last.kernels.of(0, 1).is_empty());
}

#[test]
fn of_a_pooling_window_the_winner_is_explained() {
    let (inside, _) = inside(&[conv(2, 3, 1, 1, true), LayerSpec::Relu, LayerSpec::MaxPool(2)], [1, 8, 8]);
    let last = inside.open().unwrap().last.unwrap();
    for at in [[0, 0, 0], [1, 3, 2]] {
        let told = last.explain(at).unwrap();
        let [relu, pooled] = told.steps.as_slice() else { panic!("{:?}", told.steps) };
        assert_eq!([relu.words.as_str(), pooled.words.as_str()], ["relu", "max-pool 2"]);
        assert_eq!((relu.window.len(), pooled.window.len()), (0, 4));
        let most = pooled.window.iter().copied().fold(f32::MIN, f32::max);
        assert!((most - told.value).abs() < 1e-5 && told.at[1] / 2 == at[1] && told.at[2] / 2 == at[2]);
    }
}

#[test]
fn the_strongest_inputs_stand_for_all() {
    let (inside, _) = inside(&[conv(5, 1, 1, 0, true), LayerSpec::Relu, conv(2, 3, 1, 1, true)], [1, 6, 6]);
    let told = inside.open().unwrap().last.unwrap().explain([0, 2, 2]).unwrap();
    let (shown, others, sum) = told.strongest(3);
    assert_eq!((shown.len(), others), (3, 2));
    assert!(shown[0].sum.abs() >= shown[1].sum.abs() && shown[1].sum.abs() >= shown[2].sum.abs());
    let all: f32 = shown.iter().map(|input| input.sum).sum::<f32>() + sum + told.bias;
    assert!((all - told.convolved).abs() < 1e-5);
    assert_eq!(told.strongest(9).1, 0);
}

#[test]
fn what_is_not_a_plain_convolution_says_so() {
    let told = |layers: &[LayerSpec], shape| {
        let opened = inside(layers, shape).0.open().unwrap();
        (opened.first.map(|kernels| kernels.shape), opened.last.unwrap_err())
    };
    let residual = zoo::layers("residual-cnn", 10).unwrap();
    let (first, why) = told(&residual[..4], [1, 28, 28]);
    assert_eq!(first, Some([16, 1, 3, 3]));
    assert_eq!(why, "Layer 3 is a residual block, the sum of two paths: not a plain convolution.");
    let lenet = zoo::layers("lenet5", 10).unwrap();
    let (_, why) = told(&lenet[..8], [1, 28, 28]);
    assert_eq!(why, "Layer 8 is fully connected, a sum over everything before it: not a plain convolution.");
    assert_eq!(told(&[LayerSpec::Relu], [1, 4, 4]), (None, "There is no convolution before the cut.".to_owned()));
}

#[test]
fn weights_of_other_layers_are_refused_and_not_taken_along() {
    let layers = [conv(2, 3, 1, 1, true)];
    let (mut inside, _) = inside(&layers, [1, 6, 6]);
    let one = Tensor::ones(1, candle_core::DType::F32, &Device::Cpu).unwrap();
    let head = "client.head.weight".to_owned();
    let x = Tensor::ones((1, 1, 6, 6), candle_core::DType::F32, &Device::Cpu).unwrap();
    assert!(Inside::of(&layers, [(&head, &one)], &x).unwrap().weights.is_empty());
    inside.weights.clear();
    assert!(inside.open().is_err());
}

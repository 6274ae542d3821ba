//! The models that have a name.
//!
//! | name | what it is |
//! |---|---|
//! | `split-cnn` | ours, the default experiment's (METHOD section 3) |
//! | `split-cnn-vanilla` | its undefended twin |
//! | `lenet5` | LeNet-5 (LeCun et al. 1998) with relu and max-pooling, as inversion papers use it |
//! | `dlg-lenet` | the sigmoid LeNet of Deep Leakage from Gradients (Zhu et al. 2019) |
//! | `vgg-he` | six convolutions and two linear layers, the CIFAR-10 network of He et al. 2019 |
//! | `resnet8` | ResNet (He et al. 2016) in the CIFAR form with one block a stage: batch normalisation and skips |
//! | `residual-cnn` | ours: skip connections without normalisation |
//! | `deep-cnn` | ours, for larger images: pooled three times, and a mean over positions in place of a wide linear layer |
//!
//! Each works on images of 28×28 to 224×224, grey or in colour, packed or not, at every cut; under a defence that recovers planes at every cut whose
//! smashed data still are channels × height × width.

use super::spec::LayerSpec::{self, BatchNorm, Flatten, Linear, MaxPool, MeanPool, Relu, Sigmoid};

/// The names that [`layers`] knows.
pub const NAMES: [&str; 8] =
    ["split-cnn", "split-cnn-vanilla", "lenet5", "dlg-lenet", "vgg-he", "resnet8", "residual-cnn", "deep-cnn"];

/// The layers of a named model for so many classes.
///
/// ```
/// assert_eq!(cutlayer::model::zoo::layers("split-cnn", 10).map(|layers| layers.len()), Some(11));
/// ```
pub fn layers(name: &str, classes: usize) -> Option<Vec<LayerSpec>> {
    let layers = match name {
        "split-cnn" => {
            let client = [conv(16, 3), Relu, conv(32, 3), Relu];
            client.into_iter().chain(split_cnn_server(classes)).collect()
        }
        // The twin as METHOD section 3 has it: pooling in place of packing, so that the smashed data have equal shape.
        "split-cnn-vanilla" => {
            let client = [conv(16, 3), Relu, MaxPool(2), conv(32, 3), Relu];
            client.into_iter().chain(split_cnn_server(classes)).collect()
        }
        "lenet5" => lenet5(classes),
        "dlg-lenet" => dlg_lenet(classes),
        "vgg-he" => vgg_he(classes),
        "resnet8" => resnet8(classes),
        "residual-cnn" => residual_cnn(classes),
        "deep-cnn" => deep_cnn(classes),
        _ => return None,
    };
    Some(layers)
}

/// What a named model is, in a few words.
pub fn words(name: &str) -> &'static str {
    match name {
        "split-cnn" => "the default: three convolutions, two linear layers",
        "split-cnn-vanilla" => "the default's undefended twin",
        "lenet5" => "LeNet-5 with relu",
        "dlg-lenet" => "sigmoid LeNet of the gradient-leakage papers",
        "vgg-he" => "six convolutions, two linear layers (He 2019)",
        "resnet8" => "residual blocks with batch normalisation",
        "residual-cnn" => "residual blocks without normalisation",
        "deep-cnn" => "for larger images: five convolutions, pooled thrice",
        _ => "",
    }
}

/// The server's stream of the default experiment.
fn split_cnn_server(classes: usize) -> [LayerSpec; 7] {
    [conv(64, 3), Relu, MaxPool(2), Flatten, Linear(128), Relu, Linear(classes)]
}

/// The 1998 network took 32×32 images; on 28×28 ones its first convolution pads by two, which gives the same
/// 6×14×14, 16×5×5, 120, 84. Its sigmoids and trainable pooling are relu and max-pooling today.
fn lenet5(classes: usize) -> Vec<LayerSpec> {
    let second = LayerSpec::Conv { channels: 16, kernel: 5, stride: 1, padding: 0, bias: true };
    let features = [conv(6, 5), Relu, MaxPool(2), second, Relu, MaxPool(2), Flatten];
    features.into_iter().chain([Linear(120), Relu, Linear(84), Relu, Linear(classes)]).collect()
}

/// As the authors' code has it (mit-han-lab/dlg), for 28×28 images; sigmoids, since the attack differentiates
/// twice. They draw its weights from ±.5, which is the attack's business.
fn dlg_lenet(classes: usize) -> Vec<LayerSpec> {
    let conv = |stride| LayerSpec::Conv { channels: 12, kernel: 5, stride, padding: 2, bias: true };
    vec![conv(2), Sigmoid, conv(2), Sigmoid, conv(1), Sigmoid, Flatten, Linear(classes)]
}

/// As the authors' code has it (zechenghe/Inverse_Collaborative_Inference, `CIFAR10CNN`): the published cuts
/// conv11, ReLU22 and ReLU32 are 1, 9 and 14. A sigmoid, not a relu, stands between the linear layers.
fn vgg_he(classes: usize) -> Vec<LayerSpec> {
    let stage = |channels| [conv(channels, 3), Relu, conv(channels, 3), Relu, MaxPool(2)];
    let features = [64, 128, 128].into_iter().flat_map(stage);
    features.chain([Flatten, Linear(512), Sigmoid, Linear(classes)]).collect()
}

/// 16, 32 and 64 channels, one basic block each; the second and third halve the sides, and their skip
/// connections are 1×1 convolutions (option B of the paper).
fn resnet8(classes: usize) -> Vec<LayerSpec> {
    let stem = [bare_conv(16, 3, 1), BatchNorm, Relu];
    let blocks = [(16, 1), (32, 2), (64, 2)].into_iter().flat_map(|(channels, stride)| {
        let first = [bare_conv(channels, 3, stride), BatchNorm, Relu];
        let inner = first.into_iter().chain([bare_conv(channels, 3, 1), BatchNorm]).collect();
        let project = if stride == 1 { Vec::new() } else { vec![bare_conv(channels, 1, stride), BatchNorm] };
        [LayerSpec::Residual { inner, project }, Relu]
    });
    stem.into_iter().chain(blocks).chain([MeanPool, Flatten, Linear(classes)]).collect()
}

fn residual_cnn(classes: usize) -> Vec<LayerSpec> {
    let block =
        |channels| LayerSpec::Residual { inner: vec![conv(channels, 3), Relu, conv(channels, 3)], project: Vec::new() };
    let stage = |channels| [conv(channels, 3), Relu, block(channels), Relu, MaxPool(2)];
    [16, 32].into_iter().flat_map(stage).chain([Flatten, Linear(classes)]).collect()
}

/// The first four layers are the default experiment's client; the server has as many weights for images of any size.
fn deep_cnn(classes: usize) -> Vec<LayerSpec> {
    let client = [conv(16, 3), Relu, conv(32, 3), Relu];
    let stage = |channels| [MaxPool(2), conv(channels, 3), Relu];
    let server =
        [64, 128, 128].into_iter().flat_map(stage).chain([MeanPool, Flatten, Linear(64), Relu, Linear(classes)]);
    client.into_iter().chain(server).collect()
}

/// A convolution that keeps height and width; the kernel's side is odd.
fn conv(channels: usize, kernel: usize) -> LayerSpec {
    LayerSpec::Conv { channels, kernel, stride: 1, padding: kernel / 2, bias: true }
}

/// The same without a bias, since a normalisation follows.
fn bare_conv(channels: usize, kernel: usize, stride: usize) -> LayerSpec {
    LayerSpec::Conv { channels, kernel, stride, padding: kernel / 2, bias: false }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::spec::shapes;

    #[test]
    fn every_model_fits_digits_planes_and_colours_packed_or_not_at_three_cuts_or_more() {
        for name in NAMES {
            let layers = layers(name, 7).unwrap();
            let plain = [[1, 28, 28], [1, 64, 64], [3, 32, 32], [1, 128, 128], [3, 224, 224], [13, 112, 112]];
            for input in [[5, 14, 14], [5, 32, 32], [13, 14, 14], [13, 16, 16]].iter().chain(&plain) {
                let shapes = shapes(input, &layers).unwrap();
                assert_eq!(shapes.last(), Some(&vec![7]), "{name} on {input:?}");
                assert!(shapes.iter().filter(|shape| shape.len() == 3).count() >= 3, "{name} on {input:?}");
            }
            assert!(!words(name).is_empty(), "{name}");
        }
        assert_eq!((layers("alexnet", 10), words("alexnet")), (None, ""));
    }

    #[test]
    fn the_default_smashed_data_have_the_shape_of_the_method() {
        let packed = shapes(&[5, 14, 14], &layers("split-cnn", 10).unwrap()).unwrap();
        let vanilla = shapes(&[1, 28, 28], &layers("split-cnn-vanilla", 10).unwrap()).unwrap();
        assert_eq!((&packed[3], &vanilla[4]), (&vec![32, 14, 14], &vec![32, 14, 14]));
    }

    /// After the features, what the linear layers see.
    #[test]
    fn the_models_of_the_papers_have_the_papers_shapes() {
        let flat = |name, input: [usize; 3]| {
            let layers = layers(name, 10).unwrap();
            let at = layers.iter().position(|layer| *layer == Flatten).unwrap();
            shapes(&input, &layers).unwrap()[at - 1].clone()
        };
        assert_eq!(flat("lenet5", [1, 28, 28]), [16, 5, 5]);
        assert_eq!(flat("dlg-lenet", [1, 28, 28]), [12, 7, 7]);
        assert_eq!(flat("vgg-he", [3, 32, 32]), [128, 4, 4]);
        let resnet = layers("resnet8", 10).unwrap();
        let shapes = shapes(&[3, 32, 32], &resnet).unwrap();
        assert_eq!(
            (&shapes[4][..], &shapes[6][..], &shapes[8][..]),
            (&[16, 32, 32][..], &[32, 16, 16][..], &[64, 8, 8][..])
        );
        assert_eq!(shapes[9], [64, 1, 1]);
        let vgg = layers("vgg-he", 10).unwrap();
        let relus: Vec<usize> = (1..=vgg.len()).filter(|cut| vgg[cut - 1] == Relu).collect();
        assert_eq!((relus[3], relus[5]), (9, 14), "ReLU22 and ReLU32");
    }
}

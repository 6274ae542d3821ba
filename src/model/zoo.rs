//! The models that have a name.
//!
//! Each works on 28×28 and 64×64 images, packed or not, at every cut before its flatten layer.

use super::spec::LayerSpec;

/// The names that [`layers`] knows.
pub const NAMES: [&str; 4] = ["split-cnn", "split-cnn-vanilla", "lenet5", "residual-cnn"];

/// The layers of a named model for so many classes.
///
/// ```
/// assert_eq!(cutlayer::model::zoo::layers("split-cnn", 10).map(|layers| layers.len()), Some(11));
/// ```
pub fn layers(name: &str, classes: usize) -> Option<Vec<LayerSpec>> {
    use LayerSpec::{Flatten, Linear, MaxPool, Relu};
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
        "lenet5" => vec![
            conv(6, 5),
            Relu,
            MaxPool(2),
            conv(16, 5),
            Relu,
            MaxPool(2),
            Flatten,
            Linear(120),
            Relu,
            Linear(84),
            Relu,
            Linear(classes),
        ],
        "residual-cnn" => vec![
            conv(16, 3),
            Relu,
            residual(16),
            Relu,
            MaxPool(2),
            conv(32, 3),
            Relu,
            residual(32),
            Relu,
            MaxPool(2),
            Flatten,
            Linear(classes),
        ],
        _ => return None,
    };
    Some(layers)
}

/// The server's stream of the default experiment.
fn split_cnn_server(classes: usize) -> [LayerSpec; 7] {
    use LayerSpec::{Flatten, Linear, MaxPool, Relu};
    [conv(64, 3), Relu, MaxPool(2), Flatten, Linear(128), Relu, Linear(classes)]
}

/// A convolution that keeps height and width; the kernel's side is odd.
fn conv(channels: usize, kernel: usize) -> LayerSpec {
    LayerSpec::Conv { channels, kernel, stride: 1, padding: kernel / 2 }
}

fn residual(channels: usize) -> LayerSpec {
    LayerSpec::Residual(vec![conv(channels, 3), LayerSpec::Relu, conv(channels, 3)])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::spec::shapes;

    #[test]
    fn every_model_fits_digits_and_planes_packed_or_not_at_three_cuts_or_more() {
        for name in NAMES {
            let layers = layers(name, 7).unwrap();
            for input in [[1, 28, 28], [1, 64, 64], [5, 14, 14], [5, 32, 32], [13, 14, 14], [13, 32, 32]] {
                let shapes = shapes(&input, &layers).unwrap();
                assert_eq!(shapes.last(), Some(&vec![7]), "{name} on {input:?}");
                assert!(shapes.iter().filter(|shape| shape.len() == 3).count() >= 3, "{name} on {input:?}");
            }
        }
        assert_eq!(layers("alexnet", 10), None);
    }

    #[test]
    fn the_default_smashed_data_have_the_shape_of_the_method() {
        let packed = shapes(&[5, 14, 14], &layers("split-cnn", 10).unwrap()).unwrap();
        let vanilla = shapes(&[1, 28, 28], &layers("split-cnn-vanilla", 10).unwrap()).unwrap();
        assert_eq!((&packed[3], &vanilla[4]), (&vec![32, 14, 14], &vec![32, 14, 14]));
    }
}

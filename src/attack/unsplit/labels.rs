//! UnSplit's label inference: the class whose gradient, made by a clone of the head, is nearest to the one that was seen.

use candle_core::{D, Tensor, Var};
use candle_nn::ops::softmax;

use crate::engine::loss::cross_entropy;
use crate::error::Result;
use crate::model::adam::{Adam, AdamSettings};
use crate::model::network::Network;
use crate::model::parameters::{Init, Parameters};
use crate::model::spec::LayerSpec::Linear;

/// What was seen of a batch's way back through a head that the client keeps.
#[derive(Clone, Copy, Debug)]
pub enum Seen<'a> {
    /// The gradient of the head's weights, (K, F), a mean over the batch: what the authors compare. Where the client keeps
    /// the head it never crosses the wire.
    Weight(&'a Tensor),
    /// Of what enters the head, (N, F), of the same mean: this does cross.
    Features(&'a Tensor),
}

/// A clone of the head, with weights of its own. It learns along, from the labels that it infers.
pub struct CloneHead {
    parameters: Parameters,
    head: Network,
    adam: Adam,
}

impl CloneHead {
    /// A linear head of so many features and classes, with Adam's step size.
    ///
    /// # Errors
    /// Returns an error if there is no memory left.
    pub fn new(features: usize, classes: usize, rate: f64, init: Init<'_>) -> Result<Self> {
        let (mut parameters, layers) = (Parameters::default(), [Linear(classes)]);
        Network::init("clone", &[features], &layers, &mut parameters, init)?;
        let head = Network::of("clone", &layers, &parameters)?;
        Ok(Self { head, adam: Adam::new(&parameters, AdamSettings::new(rate)), parameters })
    }

    /// The labels (N) of a batch of features u (N, F), and a step on them. A sample's share of the batch's mean is taken
    /// for 1/N of what it would be alone.
    ///
    /// # Errors
    /// Returns an error if the shapes do not fit.
    pub fn infer(&mut self, features: &Tensor, seen: Seen<'_>) -> Result<Tensor> {
        let features = features.detach();
        let samples = features.dim(0)?;
        let [weight, bias] =
            ["weight", "bias"].map(|name| self.parameters.get(&format!("clone.0.{name}")).map(Var::as_detached_tensor));
        let (weight, bias) = (weight?, bias?);
        let apart = match seen {
            Seen::Weight(gradient) => {
                let received = (gradient.unsqueeze(0)? * samples as f64)?;
                by_weight_gradient(&features, (&weight, &bias), &received)?
            }
            Seen::Features(gradient) => {
                by_feature_gradient(&features, (&weight, &bias), &(gradient * samples as f64)?)?
            }
        };
        let labels = apart.argmin(1)?;
        let loss = cross_entropy(&self.head.forward(&features)?, &labels)?;
        self.adam.step(&loss.backward()?)?;
        Ok(labels)
    }
}

/// For each of N single samples and each class c, the mean squared difference between ∂CE(clone(u), c)/∂W and the gradient
/// received: `features` u (N, F), the clone's `weight` (K, F) and `bias` (K), `received` (N, K, F) to (N, K). The class
/// with the smallest is the one inferred.
///
/// That is what the authors' code compares. It is a gradient of the head's weights, which never crosses the wire of a
/// split where the client keeps the head.
///
/// # Errors
/// Returns an error if the shapes do not fit.
pub fn by_weight_gradient(features: &Tensor, (weight, bias): (&Tensor, &Tensor), received: &Tensor) -> Result<Tensor> {
    let slopes = slopes(features, weight, bias)?;
    let each = slopes.unsqueeze(3)?.broadcast_mul(&features.unsqueeze(1)?.unsqueeze(1)?)?;
    Ok(each.broadcast_sub(&received.unsqueeze(1)?)?.flatten_from(2)?.sqr()?.mean(D::Minus1)?)
}

/// The same of ∂CE(clone(u), c)/∂u, which does cross: `received` (N, F).
///
/// # Errors
/// Returns an error if the shapes do not fit.
pub fn by_feature_gradient(features: &Tensor, (weight, bias): (&Tensor, &Tensor), received: &Tensor) -> Result<Tensor> {
    let slopes = slopes(features, weight, bias)?;
    let (n, classes, _) = slopes.dims3()?;
    let each = slopes.reshape((n * classes, classes))?.matmul(weight)?.reshape((n, classes, ()))?;
    Ok(each.broadcast_sub(&received.unsqueeze(1)?)?.sqr()?.mean(D::Minus1)?)
}

/// softmax(logits) − one-hot(c) for every class c: (N, K, K), the second side counting c.
fn slopes(features: &Tensor, weight: &Tensor, bias: &Tensor) -> Result<Tensor> {
    let shares = softmax(&features.matmul(&weight.t()?)?.broadcast_add(bias)?, D::Minus1)?;
    let classes = shares.dim(1)?;
    let each = Tensor::eye(classes, shares.dtype(), shares.device())?;
    Ok(shares.unsqueeze(1)?.broadcast_sub(&each.unsqueeze(0)?)?)
}

#[cfg(test)]
mod tests {
    use candle_core::Device;

    use super::*;
    use crate::data::built_in;
    use crate::engine::loss::carry_on;
    use crate::model::zoo;
    use crate::random::Seed;

    const RATE: f64 = 1e-3;
    const STEPS: usize = 1000;

    /// Which gradient is compared.
    #[derive(Clone, Copy, Debug, PartialEq)]
    enum Form {
        Weight,
        Features,
    }

    /// Trains LeNet-5 on digits, its last layer at the client, while a server that has the 84 features infers labels. In
    /// percent of those of the second half of the steps: how many are right, and how many would be if each class that was
    /// inferred had the name that is most often true.
    fn right(form: Form, batch: usize) -> [f64; 2] {
        let digits = built_in("mnist").unwrap().train;
        let layers = zoo::layers("lenet5", 10).unwrap();
        let (body, head) = layers.split_at(layers.len() - 1);
        let (mut below, mut above) = (Parameters::default(), Parameters::default());
        let init = |model| Init { seed: Seed(4), model, device: &Device::Cpu };
        Network::init("body", &[1, 28, 28], body, &mut below, init("victim")).unwrap();
        Network::init("head", &[84], head, &mut above, init("victim")).unwrap();
        let (body, head) = (Network::of("body", body, &below).unwrap(), Network::of("head", head, &above).unwrap());
        let [mut first, mut last] = [&below, &above].map(|parameters| Adam::new(parameters, AdamSettings::new(RATE)));
        let mut clone = CloneHead::new(84, 10, RATE, init("clone")).unwrap();
        let order = Seed(4).stream("order", 0).permutation(digits.len());
        let mut counts = [[0.0f64; 10]; 10];
        for (step, chosen) in order.chunks_exact(batch).cycle().take(STEPS).enumerate() {
            let (images, labels) = digits.batch(chosen, &Device::Cpu).unwrap();
            let crossed = body.forward(&images).unwrap();
            let u = Var::from_tensor(&crossed.detach()).unwrap();
            let gradients = cross_entropy(&head.forward(&u).unwrap(), &labels).unwrap().backward().unwrap();
            let back = gradients.get(&u).unwrap();
            let seen = match form {
                Form::Weight => Seen::Weight(gradients.get(above.get("head.0.weight").unwrap()).unwrap()),
                Form::Features => Seen::Features(back),
            };
            let inferred = clone.infer(&u, seen).unwrap();
            let (told, true_ones) = (inferred.to_vec1::<u32>().unwrap(), labels.to_vec1::<u32>().unwrap());
            for (told, label) in told.into_iter().zip(true_ones).filter(|_| step >= STEPS / 2) {
                counts[told as usize][label as usize] += 1.0;
            }
            first.step(&carry_on(&crossed, back).unwrap().backward().unwrap()).unwrap();
            last.step(&gradients).unwrap();
        }
        let all: f64 = counts.iter().flatten().sum();
        let right: f64 = (0..10).map(|class| counts[class][class]).sum();
        let named: f64 = counts.iter().map(|row| row.iter().copied().fold(0.0, f64::max)).sum();
        [100.0 * right / all, 100.0 * named / all]
    }

    #[test]
    fn one_image_gives_its_label_away_and_sixteen_do_not() {
        let by_weight = right(Form::Weight, 1);
        assert!(by_weight[0] > 99.5, "{by_weight:?}");
        let of_many = right(Form::Weight, 16);
        assert!(of_many[0] < 50.0, "{of_many:?}");
        let by_features = [1, 16].map(|batch| right(Form::Features, batch));
        // What crosses tells which belong together, for a single image; their names are the clone's own.
        assert!(by_features[0][0] < 30.0 && by_features[0][1] > 30.0 && by_features[1][1] < 20.0, "{by_features:?}");
        println!("weights {by_weight:.1?}, of 16 images {of_many:.1?}; features {by_features:.1?}");
    }
}

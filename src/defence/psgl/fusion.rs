//! Steps 5 and 7 of PSGL: fusing features and fusing decisions (METHOD §2.5, §2.7).

use candle_core::{D, Tensor};
use candle_nn::ops::softmax;

use crate::engine::conv::{Finish, conv2d_then};
use crate::engine::tape::{join, sum};
use crate::error::Result;

/// fuse = relu(conv3×3([z, L])) + z [E, eqs. 7–8; the relu is ours and a switch].
/// z and `recovered` (N, C, H, W), weight (C, 2C, 3, 3), bias (C).
///
/// # Errors
/// Where the shapes do not fit.
pub fn conv_sum(z: &Tensor, recovered: &Tensor, weight: &Tensor, bias: &Tensor, with_relu: bool) -> Result<Tensor> {
    let finish = if with_relu { Finish::Relu } else { Finish::Plain };
    let mixed = conv2d_then(&join(z, recovered, 1)?, weight, bias, (1, 1), finish)?;
    Ok(sum(&mixed, z)?)
}

/// Weights of the three streams' decisions, in the paper's order [E, eqs. 9–11].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DecisionWeights {
    /// Of the recovered stream; the paper's .5.
    pub recovered: f64,
    /// Of the fused stream; the paper's .3.
    pub fused: f64,
    /// Of the attacked stream; the paper's .2.
    pub attacked: f64,
}

impl DecisionWeights {
    /// From `[recovered, fused, attacked]`.
    pub fn new([recovered, fused, attacked]: [f64; 3]) -> Self {
        Self { recovered, fused, attacked }
    }

    /// `[recovered, fused, attacked]`.
    pub fn in_order(&self) -> [f64; 3] {
        [self.recovered, self.fused, self.attacked]
    }

    /// The same three numbers, the largest to the stream of the highest accuracy and so on: the paper
    /// chose its weights because it measured recovered > fused > attacked.
    /// `accuracies` are in the order recovered, fused, attacked; equal ones keep the paper's order.
    #[must_use]
    pub fn in_order_of(self, accuracies: [f64; 3]) -> Self {
        let mut numbers = [self.recovered, self.fused, self.attacked];
        numbers.sort_by(|a, b| b.total_cmp(a));
        let mut streams = [0, 1, 2];
        streams.sort_by(|a, b| accuracies[*b].total_cmp(&accuracies[*a]));
        let mut weights = [0.0; 3];
        for (number, stream) in numbers.into_iter().zip(streams) {
            weights[stream] = number;
        }
        Self::new(weights)
    }
}

/// What decision-level fusion gives.
#[derive(Clone, Debug)]
pub struct Decision {
    /// Fused scores (N, K); each row sums to 1.
    pub scores: Tensor,
    /// Each sample's weights of the recovered, fused and attacked stream (N, 3); each row sums to 1.
    pub weights: Tensor,
}

/// Adaptive weighted average of the streams' softmax scores; logits (N, K).
///
/// # Errors
/// Where the shapes differ.
pub fn decide(attacked: &Tensor, recovered: &Tensor, fused: &Tensor, weights: DecisionWeights) -> Result<Decision> {
    let streams = [(recovered, weights.recovered), (fused, weights.fused), (attacked, weights.attacked)];
    let mut scores = Vec::with_capacity(3);
    let mut raw = Vec::with_capacity(3);
    for (logits, weight) in streams {
        let score = softmax(logits, D::Minus1)?;
        raw.push((score.max_keepdim(D::Minus1)? * weight)?);
        scores.push(score);
    }
    let raw = Tensor::cat(&raw, 1)?;
    let weights = raw.broadcast_div(&raw.sum_keepdim(1)?)?;
    let mut sum = scores[0].zeros_like()?;
    for (i, score) in scores.iter().enumerate() {
        sum = (sum + score.broadcast_mul(&weights.narrow(1, i, 1)?)?)?;
    }
    Ok(Decision { scores: sum, weights })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_follow_the_order_of_the_streams() {
        let paper = DecisionWeights::new([0.5, 0.3, 0.2]);
        assert_eq!(paper.in_order_of([90.0, 80.0, 70.0]), paper);
        assert_eq!(paper.in_order_of([90.0, 90.0, 90.0]), paper);
        assert_eq!(paper.in_order_of([70.0, 90.0, 80.0]), DecisionWeights::new([0.2, 0.5, 0.3]));
    }
}

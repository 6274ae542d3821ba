//! The Jacobian saliency map attack: Papernot et al., "The limitations of deep learning in adversarial settings" (EuroS&P
//! 2016), non-targeted and reversed as PSGL's own client has it (METHOD §2.1).
//!
//! With α = ∂logit_ŷ/∂x and β = Σ_{k≠ŷ} ∂logit_k/∂x of what the streams vote together, those pixels move by θ that hurt ŷ
//! and help the others most; ⌊γ·CHW⌋ in all, in rounds, the map made anew in each. A pixel moves once, and one at the end
//! of its range is left out if it would leave it. Of all rounds the one is handed over, sample by sample, where the loss of
//! the decision was highest.
//!
//! *Naive*: through the model as if it had no defence. *Adaptive*: through the defence.

use candle_core::Tensor;

use super::fgsm::brief;
use super::target::{Stream, decided, losses, losses_at, predicted, pull, tensor};
use super::{Adversary, Kind, Start, Target};
use crate::defence::psgl::saliency::saliency_map;
use crate::error::{Error, Result};
use crate::setting::{Plain, Setting, real, whole};

/// Its card.
pub static KIND: Kind = Kind {
    id: "jsma",
    title: "JSMA",
    about: "Moves a few pixels far: those on which the diagnosis hangs most.",
    settings: &[
        Setting::new("gamma", "Share γ", "of the pixels", real(0.0, 1.0), "Share of the pixels that may move.")
            .default(Plain::Real(0.1)),
        Setting::new("theta", "Step θ", "", real(0.0, 1.0), "How far they move, in units of the pixel range.")
            .default(Plain::Real(1.0)),
        Setting::new(
            "rounds",
            "Rounds",
            "rounds",
            whole(1, 1000),
            "In how many rounds: before each it looks anew which pixels matter.",
        )
        .default(Plain::Whole(10)),
    ],
    budget: |values| {
        let (gamma, theta, rounds) = (values.real("gamma")?, values.real("theta")?, values.whole("rounds")?);
        Ok((
            format!("γ {}, θ {}, {rounds} round{}", brief(gamma), brief(theta), if rounds == 1 { "" } else { "s" }),
            gamma,
        ))
    },
    make: |target, start, values| Ok(Box::new(Jsma::new(target, start, Way::of(values)?)?)),
    quick: &[("rounds", Plain::Whole(4))],
    // Papernot et al. move two pixels of 784 a round until the diagnosis flips, 14.5 % of them at most.
    paper: &[("gamma", Plain::Real(0.145)), ("rounds", Plain::Whole(57))],
    ..Kind::BASE
};

#[derive(Clone, Copy, Debug)]
struct Way {
    gamma: f64,
    theta: f32,
    rounds: usize,
}

impl Way {
    fn of(values: &crate::setting::Values) -> Result<Self> {
        Ok(Self { gamma: values.real("gamma")?, theta: values.real("theta")? as f32, rounds: values.whole("rounds")? })
    }
}

struct Jsma {
    way: Way,
    labels: Vec<u32>,
    like: Tensor,
    /// Numbers of one image.
    size: usize,
    now: Vec<f32>,
    moved: Vec<bool>,
    done: usize,
    best: Vec<f32>,
    highest: Vec<f64>,
}

impl Jsma {
    fn new(target: &dyn Target, start: Start<'_>, way: Way) -> Result<Self> {
        let now = start.input.flatten_all()?.to_vec1::<f32>()?;
        let n = start.input.dim(0)?;
        Ok(Self {
            labels: predicted(target, start.input)?,
            like: start.input.detach(),
            size: now.len() / n.max(1),
            moved: vec![false; now.len()],
            best: now.clone(),
            highest: vec![f64::NEG_INFINITY; n],
            now,
            done: 0,
            way,
        })
    }

    fn image(&self, values: &[f32]) -> Result<Tensor> {
        Ok(Tensor::from_slice(values, self.like.shape(), self.like.device())?)
    }

    fn keep(&mut self, losses: &[f64]) {
        let images = self.best.chunks_mut(self.size).zip(self.now.chunks(self.size));
        for ((loss, highest), (best, now)) in losses.iter().zip(&mut self.highest).zip(images) {
            if loss > highest {
                *highest = *loss;
                best.copy_from_slice(now);
            }
        }
    }

    /// Moves those of an image's pixels whose map is largest, so many that `all` have moved in the end.
    fn move_some(now: &mut [f32], moved: &mut [bool], map: &[f32], all: usize, theta: f32) {
        let room = all.saturating_sub(moved.iter().filter(|moved| **moved).count());
        let can = |i: &usize| {
            let outward = if map[*i] > 0.0 { now[*i] >= 1.0 } else { now[*i] <= 0.0 };
            map[*i] != 0.0 && !moved[*i] && !outward
        };
        let mut order: Vec<usize> = (0..map.len()).filter(can).collect();
        // Ties by their place, so that no more move than may.
        order.sort_by(|a, b| map[*b].abs().total_cmp(&map[*a].abs()).then(a.cmp(b)));
        for i in order.into_iter().take(room) {
            now[i] = (now[i] + theta.copysign(map[i])).clamp(0.0, 1.0);
            moved[i] = true;
        }
    }
}

/// Rows of α and of Σ_k J_k, each stream by its vote.
fn rows(streams: &[Stream], labels: &[u32]) -> Result<[Vec<Tensor>; 2]> {
    let row = |stream: &Stream, all: bool| {
        let classes = stream.logits.dim(1)?;
        let of = |label: &u32| {
            (0..classes).map(|k| if all || k == *label as usize { stream.vote } else { 0.0 }).collect::<Vec<f64>>()
        };
        tensor(&stream.logits, labels.iter().map(of).collect())
    };
    let each = |all| streams.iter().map(|stream| row(stream, all)).collect::<Result<Vec<_>>>();
    Ok([each(false)?, each(true)?])
}

impl Adversary for Jsma {
    fn advance(&mut self, target: &dyn Target) -> Result<()> {
        if self.done() {
            return Ok(());
        }
        let x = self.image(&self.now)?;
        let (mut own, mut every, mut shares) = (None::<Tensor>, None::<Tensor>, Vec::<Vec<f64>>::new());
        let more =
            |all: Option<Tensor>, one: Tensor| Ok::<_, Error>(Some(all.map_or(Ok(one.clone()), |all| all + one)?));
        for draw in 0..target.draws() {
            let (streams, [alpha, sum]) = pull(target, &x, draw, |streams| rows(streams, &self.labels))?;
            (own, every) = (more(own, alpha)?, more(every, sum)?);
            shares.extend(decided(&streams)?);
        }
        if target.draws() == 1 {
            self.keep(&losses(&shares, &self.labels));
        } else {
            self.keep(&losses_at(target, &x, &self.labels)?);
        }
        let none = || Error::Internal("an attack without a draw".to_owned());
        let (alpha, every) = (own.ok_or_else(none)?, every.ok_or_else(none)?);
        let map = saliency_map(&alpha, &(every - &alpha)?, true)?.flatten_all()?.to_vec1::<f32>()?;
        self.done += 1;
        let all = (self.way.gamma * self.size as f64) as usize * self.done / self.way.rounds;
        let images = self.now.chunks_mut(self.size).zip(self.moved.chunks_mut(self.size)).zip(map.chunks(self.size));
        for ((now, moved), map) in images {
            Self::move_some(now, moved, map, all, self.way.theta);
        }
        if self.done() {
            let x = self.image(&self.now)?;
            self.keep(&losses_at(target, &x, &self.labels)?);
        }
        Ok(())
    }

    fn progress(&self) -> (usize, usize) {
        (self.done, self.way.rounds)
    }

    fn outcome(&self) -> Result<Tensor> {
        self.image(&self.best)
    }
}

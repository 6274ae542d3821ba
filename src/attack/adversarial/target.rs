//! What an adversary differentiates, and how its loss is climbed.

use candle_core::{Tensor, Var};

use crate::engine::loss::carry_on;
use crate::engine::tape::{Tape, sum};
use crate::error::{Error, Result};

/// One stream of an answer.
#[derive(Clone, Debug)]
pub struct Stream {
    /// Its vote in the decision.
    pub vote: f64,
    /// Its logits (N, K).
    pub logits: Tensor,
}

/// A model as an adversary knows it, from the input that it may move to the logits.
pub trait Target {
    /// Every stream's logits for inputs (N, …), differentiable by them; `draw` numbers what the model draws, if it does.
    ///
    /// # Errors
    /// Returns an error if the inputs do not fit.
    fn streams(&self, input: &Tensor, draw: usize) -> Result<Vec<Stream>>;

    /// Over how many draws an expectation is taken: 1 where nothing is drawn.
    fn draws(&self) -> usize {
        1
    }
}

/// Where an adversary stands, and which way is up.
#[derive(Clone, Debug)]
pub struct Slope {
    /// The gradient by the input, each sample's on a scale of its own.
    pub gradient: Tensor,
    /// The loss of each sample: −log of the share that the decision gives its label.
    pub losses: Vec<f64>,
}

/// What the streams decide together: of each sample the share of each class. Each stream's softmax counts by its vote and
/// its largest entry, as in fusion at decision level; a single stream is its softmax.
///
/// # Errors
/// Returns an error if the logits are no matrices of one shape.
pub fn decided(streams: &[Stream]) -> Result<Vec<Vec<f64>>> {
    let mut all: Vec<Vec<f64>> = Vec::new();
    let mut weights: Vec<f64> = Vec::new();
    for stream in streams {
        let shares = softmax(&stream.logits)?;
        if all.is_empty() {
            all = shares.iter().map(|row| vec![0.0; row.len()]).collect();
            weights = vec![0.0; shares.len()];
        }
        for ((row, own), weight) in all.iter_mut().zip(&shares).zip(&mut weights) {
            let by = stream.vote * own.iter().copied().fold(0.0, f64::max);
            *weight += by;
            row.iter_mut().zip(own).for_each(|(all, own)| *all += by * own);
        }
    }
    for (row, weight) in all.iter_mut().zip(&weights) {
        for share in row.iter_mut() {
            *share /= weight;
        }
    }
    Ok(all)
}

fn softmax(logits: &Tensor) -> Result<Vec<Vec<f64>>> {
    softmax_without(logits, None)
}

/// The softmax of each row, in double precision; over all classes but the label, whose share is 0, where labels are given.
fn softmax_without(logits: &Tensor, labels: Option<&[u32]>) -> Result<Vec<Vec<f64>>> {
    let mut rows = logits.detach().to_dtype(candle_core::DType::F64)?.to_vec2::<f64>()?;
    for (n, row) in rows.iter_mut().enumerate() {
        if let Some(label) = labels.map(|labels| labels[n] as usize).filter(|_| row.len() > 1) {
            row[label] = f64::NEG_INFINITY;
        }
        let largest = row.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        for v in row.iter_mut() {
            *v = (*v - largest).exp();
        }
        let total: f64 = row.iter().sum();
        for v in row.iter_mut() {
            *v /= total;
        }
    }
    Ok(rows)
}

/// The classes that the target gives to inputs, by the mean over its draws: what an adversary leads away from.
///
/// # Errors
/// Returns an error if the inputs do not fit.
pub fn predicted(target: &dyn Target, input: &Tensor) -> Result<Vec<u32>> {
    let mut all: Vec<Vec<f64>> = Vec::new();
    for draw in 0..target.draws() {
        add(&mut all, decided(&target.streams(&input.detach(), draw)?)?);
    }
    Ok(all.iter().map(|row| largest(row)).collect())
}

fn add(all: &mut Vec<Vec<f64>>, more: Vec<Vec<f64>>) {
    if all.is_empty() {
        *all = more;
    } else {
        all.iter_mut().flatten().zip(more.into_iter().flatten()).for_each(|(all, more)| *all += more);
    }
}

/// The first of the largest.
fn largest(row: &[f64]) -> u32 {
    row.iter()
        .enumerate()
        .fold((0, f64::NEG_INFINITY), |best, (k, v)| if *v > best.1 { (k as u32, *v) } else { best })
        .0
}

/// −log of the share of each sample's label.
pub fn losses(shares: &[Vec<f64>], labels: &[u32]) -> Vec<f64> {
    shares.iter().zip(labels).map(|(row, label)| -row[*label as usize].max(f64::MIN_POSITIVE).ln()).collect()
}

/// The loss of each sample at inputs, by the mean over the target's draws.
///
/// # Errors
/// Returns an error if the inputs do not fit.
pub fn losses_at(target: &dyn Target, input: &Tensor, labels: &[u32]) -> Result<Vec<f64>> {
    let mut all: Vec<Vec<f64>> = Vec::new();
    for draw in 0..target.draws() {
        add(&mut all, decided(&target.streams(&input.detach(), draw)?)?);
    }
    all.iter_mut().flatten().for_each(|share| *share /= target.draws() as f64);
    Ok(losses(&all, labels))
}

/// The gradient of Σ_s vote_s · (log Σ_{k≠y} e^{l_k} − l_y), the log-odds against the label in each stream, and the loss of
/// the decision. Up to a factor each term's gradient is that of cross-entropy; unlike that it has no plateau, however sure a
/// stream may be, so that none masks the gradient of the others. Over the target's draws it is the mean (expectation over
/// transformation, Athalye et al. 2018).
///
/// # Errors
/// Returns an error if the inputs do not fit, or a number stops being finite.
pub fn slope(target: &dyn Target, input: &Tensor, labels: &[u32]) -> Result<Slope> {
    let (mut gradient, mut all) = (None::<Tensor>, Vec::new());
    for draw in 0..target.draws() {
        let (streams, [own]) = pull(target, input, draw, |streams| Ok([up(streams, labels)?]))?;
        add(&mut all, decided(&streams)?);
        gradient = Some(match gradient {
            Some(before) => (before + own)?,
            None => own,
        });
    }
    all.iter_mut().flatten().for_each(|share| *share /= target.draws() as f64);
    let losses = losses(&all, labels);
    match gradient {
        Some(gradient) if losses.iter().all(|loss| loss.is_finite()) => Ok(Slope { gradient, losses }),
        _ => Err(Error::Diverged("the adversary's loss is no number".to_owned())),
    }
}

/// The gradient by the logits of Σ_s vote_s · log-odds_s: the softmax over the other classes, and −1 for the label. Each
/// sample's is scaled so that its largest entry is 1.
pub(super) fn up(streams: &[Stream], labels: &[u32]) -> Result<Vec<Tensor>> {
    let peak = streams.iter().fold(f64::MIN_POSITIVE, |peak, stream| peak.max(stream.vote));
    let of = |stream: &Stream| {
        let mut rows = softmax_without(&stream.logits, Some(labels))?;
        for (row, label) in rows.iter_mut().zip(labels) {
            row[*label as usize] = -1.0;
            for v in row.iter_mut() {
                *v *= stream.vote / peak;
            }
        }
        tensor(&stream.logits, rows)
    };
    streams.iter().map(of).collect()
}

/// Rows as a tensor like the logits.
pub(super) fn tensor(like: &Tensor, rows: Vec<Vec<f64>>) -> Result<Tensor> {
    let values: Vec<f64> = rows.into_iter().flatten().collect();
    Ok(Tensor::from_vec(values, like.shape(), like.device())?.to_dtype(like.dtype())?)
}

/// The streams at inputs without their graphs, and for each of the rows Σ_s ⟨row_s, ∂logits_s/∂input⟩.
///
/// # Errors
/// Returns an error if the inputs do not fit, or the logits do not depend on them.
pub(super) fn pull<const M: usize>(
    target: &dyn Target,
    input: &Tensor,
    draw: usize,
    rows: impl Fn(&[Stream]) -> Result<[Vec<Tensor>; M]>,
) -> Result<(Vec<Stream>, [Tensor; M])> {
    let x = Var::from_tensor(&input.detach())?;
    let mut tape = Tape::default();
    let streams = tape.record(|| target.streams(&x, draw))?;
    let mut back = |row: Vec<Tensor>| {
        let end = tape.record(|| {
            let mut ends = streams.iter().zip(&row).map(|(stream, row)| carry_on(&stream.logits, row));
            let first = ends.next().ok_or_else(|| Error::Internal("an answer without a stream".to_owned()))??;
            ends.try_fold(first, |all, one| Ok::<_, Error>(sum(&all, &one?)?))
        })?;
        let found = tape.backward(&end)?.remove(&x);
        found.ok_or_else(|| Error::Internal("a gradient is missing: the answer does not depend on the input".into()))
    };
    let pulled = rows(&streams)?.into_iter().map(&mut back).collect::<Result<Vec<_>>>()?;
    let pulled = pulled.try_into().map_err(|_| Error::Internal("a row is missing".to_owned()))?;
    let streams = streams.iter().map(|s| Stream { vote: s.vote, logits: s.logits.detach() }).collect();
    Ok((streams, pulled))
}

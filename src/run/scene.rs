//! One image's way from the hospital to the attacker, as plain numbers for a picture of it.

use std::sync::Arc;

use candle_core::Tensor;

use crate::data::Part;
use crate::defence::Outgoing;
use crate::error::Result;
use crate::model::inside::Inside;
use crate::model::seat::Answer;
use crate::model::wire::Smashed;
use crate::random::At;
use crate::random::Seed;
use crate::score::floor::nearest;
use crate::score::image::{Score, score};
use crate::score::lineup::{decoys, most_alike};
use crate::split::SplitModel;

/// Channels of smashed data that are shown at most.
pub const TILES: usize = 36;

/// An image as plain numbers in [0, 1] (a map in [−1, 1]), channel by channel, row by row.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Picture {
    /// Channels, height, width.
    pub shape: [usize; 3],
    /// C·H·W values.
    pub values: Vec<f32>,
}

/// The shown image as the hospital, the wire, the server and the attacker see it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Scene {
    /// The patient's image.
    pub original: Picture,
    /// Its class, where it is known.
    pub label: Option<usize>,
    /// What entered the client's layers: the image, or what a defence made of it.
    pub sent: Picture,
    /// The gradient map; empty where no defence makes one.
    pub map: Picture,
    /// What crossed: the first channels of the smashed data, each a plane; a vector is one row.
    pub smashed: Picture,
    /// Shape of all that crossed for this image.
    pub crossed: Vec<usize>,
    /// The client that sent it, for whoever wants to know how a number of it came about; none where it is not known.
    pub inside: Option<Arc<Inside>>,
    /// What the server makes of it.
    pub opinion: Option<Opinion>,
    /// The reconstruction now; empty before an attack has begun.
    pub reconstruction: Picture,
    /// Classes that the attacker names: of the shown image, and after it of the others that a gradient is of. Empty where it
    /// names none, and of a run, whose table tells how many are right.
    pub labels: Vec<usize>,
    /// What the gradient that the attacker sees says of each class, below 0 of those that occur
    /// ([`by_class`](crate::attack::matching::labels::by_class)); empty where it sees none, and of a run.
    pub classes: Vec<f32>,
    /// Which attack, and how far.
    pub progress: Option<AttackProgress>,
    /// The line-up, judged by the reconstruction.
    pub lineup: Option<Lineup>,
    /// What all this was made with.
    pub stamp: Stamp,
}

/// Which attack, and how far it is.
#[derive(Clone, Debug, PartialEq)]
pub struct AttackProgress {
    /// In words: `rmle, adaptive, at dropout after epoch 6`.
    pub attack: String,
    /// Iterations done.
    pub iteration: usize,
    /// Iterations planned.
    pub planned: usize,
    /// The attacker's own loss.
    pub loss: f64,
}

/// The first few targets of a finished attack, side by side.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Gallery {
    /// The attack's name, as in its record.
    pub name: String,
    /// Whether it knew the defence.
    pub adaptive: bool,
    /// The model, by its name in the run.
    pub target: String,
    /// After which epoch.
    pub epoch: usize,
    /// The patients' images.
    pub originals: Vec<Picture>,
    /// What entered the client's layers.
    pub sent: Vec<Picture>,
    /// What the attack made of them.
    pub stolen: Vec<Picture>,
}

/// What a scene was made with, for the words beside it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Stamp {
    /// Defended, or undefended.
    pub defended: bool,
    /// The attack's name, as [`AttackSpec::name`](crate::experiment::AttackSpec::name) has it; empty before there is
    /// one.
    pub attack: String,
    /// The name of the attack's kind, which is the same where it has no label; empty before there is one.
    pub kind: String,
    /// Whether the attacker knows the defence.
    pub adaptive: bool,
    /// Layers on the hospital's side.
    pub cut: usize,
    /// What the weights were trained on and for how long; none for fresh weights.
    pub trained: Option<String>,
    /// Images that the gradient is of which the attacker sees; 0 where it sees none.
    pub batch: usize,
}

/// What the server makes of one image.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Opinion {
    /// Attacked, recovered and fused stream; empty for a plain server.
    pub streams: Vec<Vote>,
    /// The decision.
    pub decision: Vote,
    /// Each stream's share of the class that was decided on, in their order; empty for a plain server.
    pub of_decided: Vec<f32>,
    /// The streams' weights in the decision, in the order of the votes; empty for a plain server.
    pub weights: Vec<f32>,
    /// Recovered features L, the first channels; empty for a plain server.
    pub features: Picture,
    /// Recovered gradient map S, mean over the channels, divided by its largest |value|; empty for a plain server.
    pub map: Picture,
    /// Its size |S|, mean over the channels, as it is; empty for a plain server.
    pub map_size: Picture,
}

/// A class and its share of the whole.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Vote {
    /// The class.
    pub class: usize,
    /// Its softmax, or its share of the fused score.
    pub share: f32,
}

/// Eight images of one class, one of them the target's; see [`score::lineup`](crate::score::lineup).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Lineup {
    /// The candidates.
    pub pictures: Vec<Picture>,
    /// Which is the patient's.
    pub truth: usize,
    /// Which the reconstruction is most like; none where it is blank.
    pub picked: Option<usize>,
}

impl Picture {
    /// One image of a set.
    ///
    /// # Errors
    /// Returns an error if it cannot be read.
    ///
    /// # Panics
    /// Panics if there is no image `i`.
    pub fn of_image(images: &Part, i: usize) -> Result<Self> {
        Ok(Self { shape: images.shape(), values: images.values(i)? })
    }

    /// An image tensor (C, H, W).
    ///
    /// # Errors
    /// Where it is none.
    pub fn of_tensor(t: &Tensor) -> Result<Self> {
        let (c, h, w) = t.dims3()?;
        Ok(Self { shape: [c, h, w], values: t.flatten_all()?.to_vec1()? })
    }

    /// The first channels of one sample's features, (C, H, W) or a vector.
    ///
    /// # Errors
    /// Where there is no memory left.
    pub fn of_features(t: &Tensor) -> Result<Self> {
        let t = if t.rank() == 3 { t.clone() } else { t.flatten_all()?.reshape((1, 1, ()))? };
        Self::of_tensor(&t.narrow(0, 0, TILES.min(t.dim(0)?))?)
    }

    /// Whether there is nothing to show.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// Whether it shows anything: on a blank canvas there is nothing to steal.
    pub fn has_content(&self) -> bool {
        let (least, most) =
            self.values.iter().fold((f32::INFINITY, f32::NEG_INFINITY), |(a, b), v| (a.min(*v), b.max(*v)));
        // Less than one of a byte's steps cannot be seen.
        most - least > 1.0 / 255.0
    }

    /// How near a reconstruction of this image is to it; none where there is none, or nothing to reconstruct.
    pub fn score_of(&self, reconstruction: &Self) -> Option<Score> {
        let fits = self.shape == reconstruction.shape && self.values.len() == reconstruction.values.len();
        (fits && self.has_content()).then(|| score(&reconstruction.values, &self.values, self.shape))
    }

    /// The image as a batch of one, (1, C, H, W).
    ///
    /// # Errors
    /// Where the values do not fill the shape.
    pub fn tensor(&self) -> Result<Tensor> {
        let [c, h, w] = self.shape;
        Ok(Tensor::from_slice(&self.values, (1, c, h, w), &candle_core::Device::Cpu)?)
    }
}

impl Scene {
    /// A model asked about one image (1, C, H, W): everything but the attacker's part.
    ///
    /// # Errors
    /// Where the image does not fit.
    pub fn of(model: &SplitModel, x: &Tensor) -> Result<Self> {
        let (smashed, outgoing) = model.ask(x, At::ONCE)?;
        let stamp = Stamp { defended: model.plan.defended(), cut: model.plan.cut, ..Stamp::default() };
        let mut scene = Self { original: Picture::of_tensor(&x.get(0)?)?, stamp, ..Self::default() };
        scene.opinion = Some(Opinion::of(&model.answer_to(&smashed)?)?);
        scene.see_wire(&smashed, &outgoing)?;
        let (layers, weights) = (&model.plan.layers[..model.plan.cut], model.client.parameters().iter());
        let input = outgoing.input(model.plan.entry())?.narrow(0, 0, 1)?;
        let inside = Inside::of(layers, weights.map(|(name, var)| (name, var.as_tensor())), &input)?;
        scene.inside = Some(Arc::new(inside));
        Ok(scene)
    }

    fn see_wire(&mut self, smashed: &Smashed, outgoing: &Outgoing) -> Result<()> {
        let first = |t: &Tensor| Picture::of_tensor(&t.get(0)?);
        self.sent = first(&outgoing.images)?;
        self.map = outgoing.map.as_ref().map_or(Ok(Picture::default()), first)?;
        let smashed = smashed.tensor().get(0)?;
        self.smashed = Picture::of_features(&smashed)?;
        self.crossed = smashed.dims().to_vec();
        Ok(())
    }
}

impl Opinion {
    /// The opinion on the first sample.
    ///
    /// # Errors
    /// Where there is no memory left.
    pub fn of(answer: &Answer) -> Result<Self> {
        let decision = vote(&answer.scores, answer.is_plain())?;
        let mut opinion = Self { decision, ..Self::default() };
        if !answer.is_plain() {
            opinion.streams = answer.streams.iter().map(|(_, logits)| vote(logits, true)).collect::<Result<_>>()?;
            let shares = |logits: &Tensor| share_of(logits, decision.class);
            opinion.of_decided = answer.streams.iter().map(|(_, logits)| shares(logits)).collect::<Result<_>>()?;
        }
        if let Some(weights) = &answer.weights {
            opinion.weights = weights.get(0)?.to_vec1()?;
        }
        if let Some(features) = answer.part("low_rank") {
            opinion.features = Picture::of_features(&features.get(0)?)?;
        }
        if let Some(map) = answer.part("gradient_map") {
            opinion.map = mean_map(&map.get(0)?)?;
            opinion.map_size = Picture::of_tensor(&map.get(0)?.abs()?.mean_keepdim(0)?)?;
        }
        Ok(opinion)
    }
}

/// The first sample's largest entry; of logits as a share, by softmax.
fn vote(t: &Tensor, logits: bool) -> Result<Vote> {
    let values: Vec<f32> = t.get(0)?.flatten_all()?.to_vec1()?;
    let best = values.iter().copied().enumerate().max_by(|a, b| a.1.total_cmp(&b.1)).unwrap_or_default();
    let all: f32 = if logits { values.iter().map(|v| (v - best.1).exp()).sum() } else { values.iter().sum() };
    Ok(Vote { class: best.0, share: if logits { 1.0 } else { best.1 } / all })
}

/// The first sample's softmax of a class.
fn share_of(logits: &Tensor, class: usize) -> Result<f32> {
    let values: Vec<f32> = logits.get(0)?.flatten_all()?.to_vec1()?;
    let largest = values.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let all: f32 = values.iter().map(|v| (v - largest).exp()).sum();
    Ok(values.get(class).map_or(0.0, |v| (v - largest).exp() / all))
}

/// Mean over the channels (C, H, W), divided by its largest |value|.
fn mean_map(s: &Tensor) -> Result<Picture> {
    let mut map = Picture::of_tensor(&s.mean_keepdim(0)?)?;
    let largest = map.values.iter().fold(0.0_f32, |m, v| m.max(v.abs()));
    if largest > 0.0 {
        map.values.iter_mut().for_each(|v| *v /= largest);
    }
    Ok(map)
}

impl Lineup {
    /// The target among the attacker's images `pool` of its class; alone where there are too few of them. A drawing has no
    /// class: it is taken for that of the attacker's image nearest to it. The place is drawn from the image itself.
    ///
    /// # Errors
    /// Returns an error if an image cannot be read.
    pub fn of(target: &Picture, label: Option<u32>, pool: &Part, seed: Seed) -> Result<Self> {
        let bytes: Vec<u8> = target.values.iter().map(|v| (v.clamp(0.0, 1.0) * 255.0).round() as u8).collect();
        let fits = pool.shape() == target.shape;
        let label = match label {
            None if fits => nearest(&bytes, pool)?.map(|i| pool.labels()[i]),
            known => known.filter(|_| fits),
        };
        let chosen = label.map(|label| decoys(&bytes, label, pool, seed)).transpose()?.flatten().unwrap_or_default();
        let mut pictures = chosen.iter().map(|i| Picture::of_image(pool, *i)).collect::<Result<Vec<_>>>()?;
        let truth = usize::from(blake3::hash(&bytes).as_bytes()[0]) % (pictures.len() + 1);
        pictures.insert(truth, target.clone());
        Ok(Self { pictures, truth, picked: None })
    }

    /// The same, judged by a reconstruction: nobody is picked where several look equally alike, as to a blank picture.
    #[must_use]
    pub fn judged(&self, reconstruction: &Picture) -> Self {
        let fits = self.pictures.iter().all(|p| p.values.len() == reconstruction.values.len());
        let candidates: Vec<&[f32]> = self.pictures.iter().map(|p| p.values.as_slice()).collect();
        let alike = if fits { most_alike(&reconstruction.values, &candidates) } else { Vec::new() };
        let picked = if let [one] = *alike.as_slice() { Some(one) } else { None };
        Self { picked, ..self.clone() }
    }

    /// Whether the patient was picked; none where there is nobody to pick from.
    pub fn correct(&self) -> Option<bool> {
        (self.pictures.len() > 1).then(|| self.picked == Some(self.truth))
    }
}

#[cfg(test)]
mod tests {
    use candle_core::Device;

    use super::*;
    use crate::data::Images;
    use crate::score::lineup::SIZE;

    #[test]
    fn a_vote_is_the_largest_softmax_of_the_first_sample() {
        let logits = Tensor::new(&[[0.0_f32, 2.0, 1.0], [9.0, 0.0, 0.0]], &Device::Cpu).unwrap();
        let vote = vote(&logits, true).unwrap();
        let whole = 1.0 + 2.0_f32.exp() + 1.0_f32.exp();
        assert_eq!(vote.class, 1);
        assert!((vote.share - 2.0_f32.exp() / whole).abs() < 1e-6);
    }

    #[test]
    fn a_blank_canvas_has_no_score() {
        let grey = |value| Picture { shape: [1, 12, 12], values: vec![value; 144] };
        let mut drawn = grey(0.0);
        assert!(!drawn.has_content() && !Picture::default().has_content());
        // An exact copy of nothing is no leak.
        assert!(drawn.score_of(&grey(0.0)).is_none() && grey(0.5).score_of(&grey(0.5)).is_none());
        drawn.values[70] = 0.5;
        assert!(drawn.has_content() && drawn.score_of(&drawn).is_some_and(|score| score.ssim > 0.999));
        assert!(drawn.score_of(&Picture::default()).is_none());
    }

    #[test]
    fn features_of_any_rank_have_a_picture() {
        let planes = Tensor::zeros((50, 3, 2), candle_core::DType::F32, &Device::Cpu).unwrap();
        assert_eq!(Picture::of_features(&planes).unwrap().shape, [TILES, 3, 2]);
        let row = Tensor::zeros(7, candle_core::DType::F32, &Device::Cpu).unwrap();
        assert_eq!(Picture::of_features(&row).unwrap().shape, [1, 1, 7]);
    }

    #[test]
    fn the_patient_stands_in_the_line_up_once_and_is_found_by_a_good_picture() {
        let pixels: Vec<u8> = (0..40 * 16).map(|i| (i * 37 % 251) as u8).collect();
        let pool = Part::from(Images { shape: [1, 4, 4], pixels, labels: vec![0; 40] });
        let patient = Picture::of_image(&pool, 3).unwrap();
        let lineup_of = |label, pool: &Part| Lineup::of(&patient, label, pool, Seed(0)).unwrap();
        let lineup = lineup_of(Some(0), &pool);
        assert_eq!(lineup.pictures.len(), SIZE);
        // What has no label is taken for what it looks like.
        assert_eq!(lineup_of(None, &pool), lineup);
        assert_eq!(lineup.pictures.iter().filter(|p| **p == patient).count(), 1);
        assert_eq!(lineup.correct(), Some(false));
        assert_eq!(lineup.judged(&patient).correct(), Some(true));
        let alone = lineup_of(Some(0), &pool.take(6));
        assert_eq!((alone.pictures.len(), alone.correct()), (1, None));
    }
}

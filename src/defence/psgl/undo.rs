//! Undoing the intentional attack where a found gradient map points.
//!
//! An attacker that found the disguised image and the map channel knows roughly which pixels moved.
//! How best to mend them it decides on its own auxiliary images, disguised by its own surrogate; one of
//! the choices is to leave everything as it is.

use candle_core::Tensor;
use rayon::prelude::*;

use super::Options;
use super::inpaint::inpainted;
use super::recovery::Recovery;
use super::strength::{Apply, Strength};
use crate::defence::Outgoing;
use crate::defence::imitation::{Imitator, Own, Undoing};
use crate::error::Result;
use crate::random::At;
use crate::score::image::mse;

/// Auxiliary images on which the choice is made; more would not change it.
const JUDGES: usize = 64;
/// A moved pixel ends at 0 or 1 when θ is 1; how near counts as there.
const NEAR_END: f32 = 0.03;

/// Of a dense disguise, the share of the blocks that are taken for moved at first.
const DENSE: f64 = 0.1;

/// What to put in place of a pixel that was moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mend {
    Nothing,
    /// The median of the unflagged neighbours.
    Median,
    /// Filled in from the rim of the flagged blob.
    Inpaint,
    /// Moved back by θ, up or down: whichever ends nearer to what would be filled in. Only where θ leaves a pixel within the
    /// range.
    Back,
    /// The pixel of the image recovered by proximal gradient.
    Recovery,
}

/// A way to undo, and which pixels it takes for moved.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Undo {
    mend: Mend,
    /// Share of the 2×2 blocks, those of the largest map values, that are flagged.
    share: f64,
    /// In flagged blocks, take only pixels at the ends of the range.
    ends_only: bool,
    /// How far the declared defence moves a pixel.
    theta: f32,
    /// The solver on images, as the defence declares it.
    recovery: Recovery,
}

impl Undo {
    /// The best way on the attacker's auxiliary images, disguised by its surrogate.
    ///
    /// # Errors
    /// Returns an error if the images do not fit.
    pub fn choose(own: &Own<'_>, surrogate: &dyn Imitator, options: &Options) -> Result<Self> {
        let truth = own.images.range(0..JUDGES)?;
        let disguised = surrogate.image(Outgoing::clean(&truth), At::ONCE)?;
        let packed = disguised.input(own.entry)?;
        let channel = packed.narrow(1, packed.dim(1)? - 1, 1)?;
        let truth: Vec<f32> = truth.flatten_all()?.to_vec1()?;
        let recovered = recovered_pixels(&disguised.images, options.image_recovery)?;
        let (theta, recovery) = (options.strength.theta as f32, options.image_recovery);
        let nothing = Self { mend: Mend::Nothing, share: 0.0, ends_only: false, theta, recovery };
        let mut best = (f64::INFINITY, nothing);
        for way in nothing.candidates(options.strength) {
            let got = way.apply_with(&disguised.images, &channel, &recovered)?;
            let error = mse(&got.flatten_all()?.to_vec1::<f32>()?, &truth);
            if error < best.0 {
                best = (error, way);
            }
        }
        Ok(best.1)
    }

    /// All ways with this one's solver, this one first. What the defence moves by less than the whole range need not end at
    /// its ends, and then it can be moved back; of a dense disguise every pixel has moved, some by next to nothing.
    fn candidates(self, strength: Strength) -> Vec<Self> {
        let whole = strength.theta >= 1.0;
        let ways: &[Mend] = if whole || strength.apply == Apply::Dense {
            &[Mend::Median, Mend::Inpaint, Mend::Recovery]
        } else {
            &[Mend::Median, Mend::Inpaint, Mend::Back, Mend::Recovery]
        };
        let gamma = if strength.apply == Apply::Dense { DENSE } else { strength.gamma };
        let mut all = vec![self];
        for mend in ways {
            for times in [1.0, 2.0, 3.0, 4.0] {
                for ends_only in [false, true].into_iter().take(if whole { 2 } else { 1 }) {
                    all.push(Self { mend: *mend, share: (times * gamma).min(1.0), ends_only, ..self });
                }
            }
        }
        all
    }

    /// Mends images by their map channels, with their recovery at hand; read only where that is the way.
    fn apply_with(&self, images: &Tensor, channel: &Tensor, recovered: &[f32]) -> Result<Tensor> {
        if self.mend == Mend::Nothing {
            return Ok(images.copy()?);
        }
        let (_, c, h, w) = images.dims4()?;
        let before: Vec<f32> = images.flatten_all()?.to_vec1()?;
        let channel: Vec<f32> = channel.flatten_all()?.to_vec1()?;
        let source = if self.mend == Mend::Recovery { recovered } else { &before };
        let mut pixels = before.clone();
        let (size, blocks) = (c * h * w, h.div_ceil(2) * w.div_ceil(2));
        let images_in = pixels.par_chunks_mut(size).zip(source.par_chunks(size)).zip(channel.par_chunks(blocks));
        images_in.for_each(|((image, source), channel)| {
            let flagged_blocks = self.flagged_blocks(channel);
            for (plane, source) in image.chunks_mut(h * w).zip(source.chunks(h * w)) {
                self.mend_plane(plane, source, &flagged_blocks, w);
            }
        });
        Ok(Tensor::from_vec(pixels, images.shape(), images.device())?)
    }

    fn flagged_blocks(&self, channel: &[f32]) -> Vec<bool> {
        let count = ((self.share * channel.len() as f64).round() as usize).clamp(1, channel.len());
        let mut sorted = channel.to_vec();
        sorted.sort_by(|a, b| b.total_cmp(a));
        let cut = sorted[count - 1];
        channel.iter().map(|v| *v >= cut && *v > 0.0).collect()
    }

    fn mend_plane(&self, plane: &mut [f32], source: &[f32], flagged_blocks: &[bool], w: usize) {
        let block_columns = w.div_ceil(2);
        let flagged: Vec<bool> = plane
            .iter()
            .enumerate()
            .map(|(i, v)| {
                let block = flagged_blocks[(i / w / 2) * block_columns + (i % w) / 2];
                block && (!self.ends_only || *v < NEAR_END || *v > 1.0 - NEAR_END)
            })
            .collect();
        let fills = matches!(self.mend, Mend::Inpaint | Mend::Back);
        let filled = if fills { inpainted(source, &flagged, w) } else { Vec::new() };
        for i in (0..plane.len()).filter(|i| flagged[*i]) {
            plane[i] = match self.mend {
                Mend::Median => median_of_neighbours(source, &flagged, w, i).unwrap_or(plane[i]),
                Mend::Inpaint => filled[i],
                Mend::Back => self.back(plane[i], filled[i]),
                Mend::Nothing | Mend::Recovery => source[i].clamp(0.0, 1.0),
            };
        }
    }
}

impl Undo {
    /// The value before it was moved up or down by θ, the likelier one. One that ended at an end of the range may have come
    /// from anywhere within θ of it.
    fn back(self, moved: f32, filled: f32) -> f32 {
        let (down, up) = (moved - self.theta, moved + self.theta);
        let from_below = if moved > 1.0 - NEAR_END { filled.clamp(down, 1.0) } else { down };
        let from_above = if moved < NEAR_END { filled.clamp(0.0, up) } else { up };
        let likely = |value: f32| (0.0..=1.0).contains(&value).then(|| (value - filled).abs());
        match (likely(from_below), likely(from_above)) {
            (Some(a), Some(b)) => {
                if a <= b {
                    from_below
                } else {
                    from_above
                }
            }
            (Some(_), None) => from_below,
            (None, Some(_)) => from_above,
            (None, None) => filled,
        }
    }
}

impl Undoing for Undo {
    /// The unknown is the map channel (N, 1, ⌈H/2⌉, ⌈W/2⌉).
    fn undo(&self, images: &Tensor, channel: &Tensor) -> Result<Tensor> {
        let needed = self.mend == Mend::Recovery;
        let recovered = if needed { recovered_pixels(images, self.recovery)? } else { Vec::new() };
        self.apply_with(images, channel, &recovered)
    }
}

/// Image-space recovery of every plane.
fn recovered_pixels(images: &Tensor, recovery: Recovery) -> Result<Vec<f32>> {
    let (_, _, h, w) = images.dims4()?;
    let [low_rank, _] = recovery.split(images, h, w)?;
    Ok(low_rank.flatten_all()?.to_vec1()?)
}

/// The median of the unflagged pixels around `at`, in the smallest square (up to 7×7) that holds three.
fn median_of_neighbours(plane: &[f32], flagged: &[bool], w: usize, at: usize) -> Option<f32> {
    let h = plane.len() / w;
    let (y, x) = (at / w, at % w);
    let mut found = Vec::with_capacity(48);
    for radius in 1..=3usize {
        found.clear();
        for ny in y.saturating_sub(radius)..(y + radius + 1).min(h) {
            for nx in x.saturating_sub(radius)..(x + radius + 1).min(w) {
                if !flagged[ny * w + nx] {
                    found.push(plane[ny * w + nx]);
                }
            }
        }
        if found.len() >= 3 {
            break;
        }
    }
    found.sort_by(f32::total_cmp);
    found.get(found.len() / 2).copied()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::defence::psgl::recovery::MapNorm;
    use crate::random::Seed;
    use candle_core::Device;

    const RECOVERY: Recovery = Recovery { mu: 0.55, iterations: 15, map_norm: MapNorm::L1 };

    #[test]
    fn flagged_pixels_get_their_neighbours_median() {
        let mut pixels = vec![0.25f32; 64];
        pixels[0] = 1.0;
        pixels[1] = 0.6;
        let images = Tensor::from_vec(pixels, (1, 1, 8, 8), &Device::Cpu).unwrap();
        let mut channel = vec![0.0f32; 16];
        channel[0] = 0.9;
        let channel = Tensor::from_vec(channel, (1, 1, 4, 4), &Device::Cpu).unwrap();
        let undo = |ends_only| Undo { mend: Mend::Median, share: 0.1, ends_only, theta: 1.0, recovery: RECOVERY };
        let mended =
            |undo: Undo| undo.undo(&images, &channel).unwrap().flatten_all().unwrap().to_vec1::<f32>().unwrap();
        assert_eq!(mended(undo(false)), vec![0.25; 64]);
        let kept = mended(undo(true));
        assert_eq!((kept[0], kept[1]), (0.25, 0.6));
    }

    #[test]
    fn a_pixel_that_moved_by_less_than_the_range_is_moved_back() {
        let undo = Undo { mend: Mend::Back, share: 0.1, ends_only: false, theta: 0.4, recovery: RECOVERY };
        assert!((undo.back(0.7, 0.35) - 0.3).abs() < 1e-6, "it went up");
        assert!((undo.back(0.3, 0.6) - 0.7).abs() < 1e-6, "it went down");
        // At an end of the range what was clipped is unknown within θ.
        assert!((undo.back(1.0, 0.75) - 0.75).abs() < 1e-6);
        assert!((undo.back(1.0, 0.2) - 0.6).abs() < 1e-6);
        assert!((undo.back(0.0, 0.2) - 0.2).abs() < 1e-6);
        let whole = |theta| Strength { apply: Apply::Sparse, gamma: 0.1, theta };
        let has_back = |theta| undo.candidates(whole(theta)).iter().any(|way| way.mend == Mend::Back && way != &undo);
        assert!(
            has_back(0.5)
                && !Undo { mend: Mend::Nothing, ..undo }
                    .candidates(whole(1.0))
                    .iter()
                    .any(|way| way.mend == Mend::Back)
        );
        assert!(undo.candidates(whole(0.5)).iter().all(|way| !way.ends_only));
    }

    #[test]
    fn recovered_pixels_are_those_of_the_declared_defence() {
        let images = Seed(1).stream("images", 0).uniform_tensor(0.0, 1.0, (2, 1, 8, 8), &Device::Cpu).unwrap();
        let channel = Tensor::ones((2, 1, 4, 4), candle_core::DType::F32, &Device::Cpu).unwrap();
        let pixels = |t: &Tensor| t.flatten_all().unwrap().to_vec1::<f32>().unwrap();
        let mended = |recovery| {
            let undo = Undo { mend: Mend::Recovery, share: 1.0, ends_only: false, theta: 1.0, recovery };
            pixels(&undo.undo(&images, &channel).unwrap())
        };
        for recovery in [RECOVERY, Recovery { mu: 0.1, ..RECOVERY }, Recovery { iterations: 3, ..RECOVERY }] {
            let wanted = recovery.solve(&pixels(&images), 8, 8).low_rank;
            assert_eq!(mended(recovery), wanted.iter().map(|v| v.clamp(0.0, 1.0)).collect::<Vec<_>>(), "{recovery:?}");
        }
        assert_ne!(mended(RECOVERY), mended(Recovery { mu: 0.1, ..RECOVERY }));
        assert_ne!(mended(RECOVERY), mended(Recovery { iterations: 3, ..RECOVERY }));
    }
}

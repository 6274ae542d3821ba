//! The line-up: could a stranger pick the patient out by the stolen picture?
//!
//! Eight images, one of them the patient's, the others far from it; the one most like the reconstruction
//! is picked. Unlike PSNR and SSIM it asks whether the picture tells *this* patient from others, which
//! matters where images of one kind are all alike.

use super::image::{mse, pearson};

/// Images in a line-up.
pub const SIZE: usize = 8;

/// Which of `pool` stand beside `target`: `SIZE − 1` indices, evenly spread over the half that is farther from
/// it (mean squared error), exact copies left out, so that none is its double. None where the pool is too small
/// for that: a shorter line-up would be easier. Nothing random.
///
/// # Panics
/// Where the images differ in size.
pub fn decoys(target: &[f32], pool: &[Vec<f32>]) -> Vec<usize> {
    let mut order: Vec<(f64, usize)> = pool.iter().enumerate().map(|(i, image)| (mse(target, image), i)).collect();
    order.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    order.retain(|(distance, _)| *distance > 0.0);
    let far = &order[order.len() / 2..];
    let count = SIZE - 1;
    if far.len() < count {
        return Vec::new();
    }
    (0..count).map(|i| far[i * far.len() / count].1).collect()
}

/// The candidate that correlates most with the reconstruction; none where it is blank or not finite,
/// since nobody could then say.
///
/// # Panics
/// Where the images differ in size.
pub fn pick<'a>(reconstruction: &[f32], candidates: impl IntoIterator<Item = &'a [f32]>) -> Option<usize> {
    let alike = candidates.into_iter().map(|image| pearson(reconstruction, image)).enumerate();
    let best = alike.max_by(|a, b| a.1.total_cmp(&b.1))?;
    (best.1.is_finite() && best.1 > 0.0).then_some(best.0)
}

/// How often, in percent, chance picks the patient.
pub const CHANCE: f64 = 100.0 / SIZE as f64;

/// With fewer line-ups nothing can be said in a defence's favour.
pub const ENOUGH: usize = 8;

/// Whether `rate` percent right over `images` line-ups is more than chance explains: by two of its standard errors.
pub fn beats_chance(rate: f64, images: usize) -> bool {
    let error = (CHANCE * (100.0 - CHANCE) / images.max(1) as f64).sqrt();
    rate > CHANCE + 2.0 * error
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decoys_are_far_and_the_nearest_is_picked() {
        let pool: Vec<Vec<f32>> = (0..40).map(|i| vec![i as f32 / 40.0, 1.0 - i as f32 / 40.0, 0.5]).collect();
        let target = [0.0, 1.0, 0.5];
        let chosen = decoys(&target, &pool);
        assert_eq!(chosen.len(), SIZE - 1);
        assert!(chosen.iter().all(|i| *i >= 20), "{chosen:?}");
        let mut candidates: Vec<&[f32]> = chosen.iter().map(|i| pool[*i].as_slice()).collect();
        candidates.insert(3, &target);
        assert_eq!(pick(&[0.2, 0.7, 0.45], candidates.iter().copied()), Some(3));
        // A grey or broken picture picks nobody.
        assert_eq!(pick(&[0.5; 3], candidates.iter().copied()), None);
        assert_eq!(pick(&[f32::NAN; 3], candidates), None);
        assert_eq!((decoys(&target, &[]).len(), pick(&target, [])), (0, None));
        assert_eq!(decoys(&target, &pool[..12]).len(), 0);
    }

    #[test]
    fn few_line_ups_prove_little() {
        // Three of eight right: the threshold is 12.5 + 2 × 11.7.
        assert!(beats_chance(37.5, 8) && !beats_chance(25.0, 8));
        assert!(beats_chance(25.0, 64) && !beats_chance(12.5, 1_000_000));
        assert!(beats_chance(100.0, 1) && !beats_chance(0.0, 0));
    }
}

//! What class shares say beyond the classes that they choose: how well they rank, and whether they mean what they say.

/// Bins of [`Shares::calibration_error`], equally wide.
pub const BINS: usize = 15;

/// The class shares of some images, with the images' classes.
#[derive(Clone, Copy, Debug)]
pub struct Shares<'a> {
    /// (N, K): what share each class gets of each image.
    each: &'a [f32],
    labels: &'a [u32],
    classes: usize,
}

impl<'a> Shares<'a> {
    /// `shares` are N × K values, those of an image beside each other; `labels` are N classes below K.
    ///
    /// # Panics
    /// Panics if the two do not fit each other, or a class is not below `classes`.
    pub fn new(shares: &'a [f32], labels: &'a [u32], classes: usize) -> Self {
        assert_eq!(shares.len(), labels.len() * classes, "{classes} shares a label");
        assert!(labels.iter().all(|label| (*label as usize) < classes), "labels are below {classes}");
        Self { each: shares, labels, classes }
    }

    /// Returns the area under the ROC curve, from 0 to 1: how often an image of a class gets more of it than one of
    /// another class does, equal shares counting half. Each class is set against all others, and the mean is over the
    /// classes that some images have and some have not; of two classes it is the second, as usual. `None` if there is no
    /// such class, or a share is not a number.
    pub fn auroc(&self) -> Option<f64> {
        if self.each.iter().any(|share| share.is_nan()) {
            return None;
        }
        let classes = if self.classes == 2 { 1..2 } else { 0..self.classes };
        let areas: Vec<f64> = classes.filter_map(|class| self.area(class)).collect();
        (!areas.is_empty()).then(|| areas.iter().sum::<f64>() / areas.len() as f64)
    }

    /// The area of one class against all others.
    fn area(&self, class: usize) -> Option<f64> {
        area(self.rows().map(|(row, label)| (f64::from(row[class]), label == class)).collect())
    }

    /// Returns the expected calibration error in percent: how far the shares of the chosen classes are from how often
    /// the choice is right, within each of [`BINS`] bins of equal width (the upper end belongs to a bin), weighted by
    /// their images (Guo 2017). `None` if there is no image, or a share is not a number.
    pub fn calibration_error(&self) -> Option<f64> {
        self.calibration_error_in(BINS)
    }

    fn calibration_error_in(&self, bins: usize) -> Option<f64> {
        // Of each bin: the sum of its shares, and its right choices.
        let mut sums = vec![(0.0, 0.0); bins];
        for (row, label) in self.rows() {
            let chosen = (1..row.len()).fold(0, |best, class| if row[class] > row[best] { class } else { best });
            let share = f64::from(row[chosen]);
            if share.is_nan() {
                return None;
            }
            let bin = ((share * bins as f64).ceil() as usize).clamp(1, bins) - 1;
            sums[bin].0 += share;
            sums[bin].1 += f64::from(u8::from(chosen == label));
        }
        let apart: f64 = sums.iter().map(|(shares, right)| f64::abs(shares - right)).sum();
        (!self.labels.is_empty()).then(|| 100.0 * apart / self.labels.len() as f64)
    }

    /// Returns the Brier score, from 0 to 2: the squared distance of the shares from 1 for the image's class and 0 for all
    /// others, summed over the classes, mean over the images (Brier 1950). Of two classes it is twice what is often
    /// called so. `None` if there is no image, or a share is not a number.
    pub fn brier(&self) -> Option<f64> {
        let far = |(row, label): (&[f32], usize)| -> f64 {
            let truth = |class| f64::from(u8::from(class == label));
            row.iter().enumerate().map(|(class, share)| (f64::from(*share) - truth(class)).powi(2)).sum()
        };
        let mean = self.rows().map(far).sum::<f64>() / self.labels.len() as f64;
        mean.is_finite().then_some(mean)
    }

    /// The shares of each image, with its class.
    fn rows(&self) -> impl Iterator<Item = (&[f32], usize)> {
        self.each.chunks_exact(self.classes).zip(self.labels.iter().map(|label| *label as usize))
    }
}

/// How often a score of those that are meant is above one of the others, from 0 to 1: the rank sum of Mann and Whitney,
/// equal scores at their mean rank. `None` if there are none of either.
pub fn area(mut ranked: Vec<(f64, bool)>) -> Option<f64> {
    ranked.sort_by(|a, b| a.0.total_cmp(&b.0));
    let of = ranked.iter().filter(|(_, its)| *its).count();
    let others = ranked.len() - of;
    if of == 0 || others == 0 {
        return None;
    }
    let (mut sum, mut below) = (0.0, 0);
    for equal in ranked.chunk_by(|a, b| a.0 == b.0) {
        // Ranks from below + 1 to below + n.
        let middle = below as f64 + (equal.len() + 1) as f64 / 2.0;
        sum += middle * equal.iter().filter(|(_, its)| *its).count() as f64;
        below += equal.len();
    }
    Some((sum - (of * (of + 1)) as f64 / 2.0) / (of as f64 * others as f64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn near(got: Option<f64>, expected: f64) {
        // Shares are float32.
        assert!((got.unwrap() - expected).abs() < 1e-5, "{got:?}, not {expected}");
    }

    /// Shares of two classes, of which the second has these.
    fn two(second: &[f32]) -> Vec<f32> {
        second.iter().flat_map(|share| [1.0 - share, *share]).collect()
    }

    #[test]
    fn two_classes_have_the_areas_of_the_textbooks() {
        // The example of scikit-learn's roc_auc_score.
        near(Shares::new(&two(&[0.1, 0.4, 0.35, 0.8]), &[0, 0, 1, 1], 2).auroc(), 0.75);
        // Of four pairs two are right and one is a tie.
        near(Shares::new(&two(&[0.5, 0.25, 0.5, 0.375]), &[0, 0, 1, 1], 2).auroc(), 0.625);
        near(Shares::new(&two(&[0.3; 4]), &[0, 1, 1, 0], 2).auroc(), 0.5);
        near(Shares::new(&two(&[0.9, 0.1]), &[0, 1], 2).auroc(), 0.0);
        for labels in [[0; 2], [1; 2]] {
            assert_eq!(Shares::new(&two(&[0.9, 0.1]), &labels, 2).auroc(), None, "there is no pair");
        }
        assert_eq!(Shares::new(&[f32::NAN; 4], &[0, 1], 2).auroc(), None);
    }

    /// The area by its definition, pair by pair.
    fn by_pairs(shares: &[f32], labels: &[u32], classes: usize) -> f64 {
        let area = |class: usize| {
            let of = |its: bool| {
                let rows = shares.chunks(classes).zip(labels);
                rows.filter(move |(_, l)| (**l as usize == class) == its).map(move |(row, _)| row[class])
            };
            let won = |a: f32, b: f32| if a == b { 0.5 } else { f64::from(u8::from(a > b)) };
            let all: Vec<f64> = of(true).flat_map(|a| of(false).map(move |b| won(a, b))).collect();
            (!all.is_empty()).then(|| all.iter().sum::<f64>() / all.len() as f64)
        };
        let areas: Vec<f64> = (0..classes).filter_map(area).collect();
        areas.iter().sum::<f64>() / areas.len() as f64
    }

    #[test]
    fn many_classes_are_averaged_and_equal_shares_count_half() {
        // Coarse shares, so that there are many ties; nothing is of the last class.
        let labels: Vec<u32> = (0..60).map(|i| i * i % 7 % 3).collect();
        let shares: Vec<f32> = (0..240).map(|i| (i * 37 % 11) as f32 / 10.0).collect();
        let got = Shares::new(&shares, &labels, 4).auroc();
        near(got, by_pairs(&shares, &labels, 4));
        assert!((0.3..0.7).contains(&got.unwrap()), "{got:?}");
        let perfect: Vec<f32> = labels.iter().flat_map(|l| (0..4).map(move |k| f32::from(*l == k))).collect();
        near(Shares::new(&perfect, &labels, 4).auroc(), 1.0);
    }

    #[test]
    fn calibration_is_that_of_the_formula() {
        // The example of torchmetrics' MulticlassCalibrationError with 3 bins: of three shares between ⅓ and ⅔, .55, .55
        // and .6, one is right, and the one of .9 is right.
        let shares = [0.25, 0.2, 0.55, 0.55, 0.05, 0.4, 0.1, 0.3, 0.6, 0.9, 0.05, 0.05];
        let all = Shares::new(&shares, &[0, 1, 2, 0], 3);
        near(all.calibration_error_in(3), 20.0);
        // Each bin by itself where they are narrow: (.55 + .55 + .4 + .1) / 4.
        near(all.calibration_error_in(1000), 40.0);
        // Sure and right, sure and wrong.
        near(Shares::new(&two(&[0.0, 1.0]), &[0, 1], 2).calibration_error(), 0.0);
        near(Shares::new(&two(&[0.0, 1.0]), &[1, 0], 2).calibration_error(), 100.0);
        // Nine in ten are right, as the shares say.
        let labels: Vec<u32> = (0..10).map(|i| u32::from(i > 0)).collect();
        near(Shares::new(&two(&[0.9; 10]), &labels, 2).calibration_error(), 0.0);
        assert_eq!(Shares::new(&[], &[], 2).calibration_error(), None);
    }

    #[test]
    fn briers_score_is_that_of_the_formula() {
        // Twice scikit-learn's brier_score_loss for its own example, .0375.
        near(Shares::new(&two(&[0.1, 0.9, 0.8, 0.3]), &[0, 1, 1, 0], 2).brier(), 0.075);
        // .5² + .3² + .2², and 1² + 1².
        near(Shares::new(&[0.5, 0.3, 0.2, 0.0, 1.0, 0.0], &[0, 0], 3).brier(), f64::midpoint(0.38, 2.0));
        assert_eq!(Shares::new(&[], &[], 3).brier(), None);
    }

    #[test]
    #[should_panic(expected = "labels are below 2")]
    fn a_class_too_many_is_a_defect() {
        Shares::new(&[0.5, 0.5], &[2], 2);
    }
}

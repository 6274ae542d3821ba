//! Centres of a class's smashed data: k-means, a step at a time.

use crate::random::Stream;

use super::loss::Centres;

/// Some samples of a class, and the centres that are moved among them.
#[derive(Debug)]
pub struct Means {
    samples: Vec<Vec<f32>>,
    /// Which centre each was nearest to before.
    nearest: Vec<usize>,
    centres: Centres,
    steps: usize,
}

/// Steps at most.
const MOST: usize = 50;

impl Means {
    /// Of these samples, from the centres before, or from `count` of the samples, each drawn with a chance in proportion to its
    /// distance from those drawn before it (not to the square, as k-means++ has it: so published code does).
    pub fn new(samples: Vec<Vec<f32>>, before: Option<Centres>, count: usize, stream: &mut Stream) -> Self {
        let centres = before.filter(|centres| !centres.is_empty()).unwrap_or_else(|| drawn(&samples, count, stream));
        Self { nearest: vec![usize::MAX; samples.len()], samples, centres, steps: 0 }
    }

    /// Moves each centre into the middle of the samples that are nearest to it; the centres once that changes nothing.
    pub fn advance(&mut self) -> Option<Centres> {
        let nearest: Vec<usize> = self.samples.iter().map(|sample| closest(sample, &self.centres).0).collect();
        let settled = nearest == self.nearest || self.steps == MOST;
        self.nearest = nearest;
        if settled || self.centres.is_empty() {
            return Some(std::mem::take(&mut self.centres));
        }
        self.steps += 1;
        for (j, centre) in self.centres.iter_mut().enumerate() {
            let own: Vec<&Vec<f32>> =
                self.samples.iter().zip(&self.nearest).filter(|(_, at)| **at == j).map(|(sample, _)| sample).collect();
            // One that is nearest to none stays.
            for (d, value) in centre.iter_mut().enumerate().filter(|_| !own.is_empty()) {
                *value = (own.iter().map(|sample| f64::from(sample[d])).sum::<f64>() / own.len() as f64) as f32;
            }
        }
        None
    }
}

fn drawn(samples: &[Vec<f32>], count: usize, stream: &mut Stream) -> Centres {
    let mut centres = Centres::new();
    while centres.len() < count.min(samples.len()) {
        let far = |sample: &Vec<f32>| if centres.is_empty() { 1.0 } else { closest(sample, &centres).1.sqrt() };
        let chances: Vec<f64> = samples.iter().map(far).collect();
        let all: f64 = chances.iter().sum();
        if all.is_nan() || all <= 0.0 {
            // All the others stand where a centre stands.
            break;
        }
        let mut left = stream.uniform(0.0, all);
        let at = chances.iter().position(|chance| {
            left -= chance;
            left < 0.0
        });
        centres.push(samples[at.unwrap_or(samples.len() - 1)].clone());
    }
    centres
}

/// The centre that is nearest, and its squared distance.
fn closest(sample: &[f32], centres: &[Vec<f32>]) -> (usize, f64) {
    let far = |centre: &Vec<f32>| -> f64 {
        // Sums of a few in float32, which the processor adds at once, and these in float64.
        let pieces = sample.chunks(64).zip(centre.chunks(64));
        pieces.map(|(a, b)| f64::from(a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum::<f32>())).sum()
    };
    let all = centres.iter().map(far).enumerate();
    all.min_by(|a, b| a.1.total_cmp(&b.1)).unwrap_or((0, 0.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Seed;

    #[test]
    fn centres_settle_in_the_middle_of_what_lies_together() {
        let about = |x: f32, y: f32| [[x, y - 0.1], [x, y + 0.1], [x - 0.1, y], [x + 0.1, y]].map(Vec::from);
        let samples: Vec<Vec<f32>> = [about(0.0, 0.0), about(5.0, 0.0), about(0.0, 7.0)].concat();
        let mut stream = Seed(1).stream("centres", 0);
        let settle = |before, stream: &mut Stream| {
            let mut means = Means::new(samples.clone(), before, 3, stream);
            (0..100).find_map(|_| means.advance()).unwrap()
        };
        // Now and then two begin in one heap; from centres that are far apart they do not.
        let found = settle(Some(vec![vec![1.0, 0.0], vec![4.0, 1.0], vec![0.0, 9.0]]), &mut stream);
        for (centre, middle) in found.iter().zip([[0.0, 0.0], [5.0, 0.0], [0.0, 7.0]]) {
            assert!(centre.iter().zip(middle).all(|(a, b)| (a - b).abs() < 1e-6), "{found:?}");
        }
        assert_eq!(settle(None, &mut stream).len(), 3);
        // No more centres than there are different samples.
        let mut same = Means::new(vec![vec![1.0, 2.0]; 4], None, 3, &mut stream);
        assert_eq!((0..9).find_map(|_| same.advance()), Some(vec![vec![1.0, 2.0]]));
        assert_eq!(Means::new(Vec::new(), None, 3, &mut stream).advance(), Some(Vec::new()));
    }
}

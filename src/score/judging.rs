//! Scoring images against the truth: means, single targets, and the lead over the floor.
//!
//! The one place where scores are made. The truth is known here; no attack reaches it.

use std::collections::VecDeque;

use rayon::prelude::*;

use super::floor::{At, Floor, Guess, TRIES};
use super::image::{Score, mean_and_error, psnr, score};
use super::intervals::percentile;
use super::labels::labels_right;
use super::lineup::{CHANCE, Lineups};
use super::metrics::{LINEUP, SSIM};
use super::multiscale::{ms_ssim, scales};
use super::paired::lead;
use super::record::{AttackRecord, Each, Judged, Lead};
use crate::data::Part;
use crate::error::Result;
use crate::random::Seed;

/// An exact copy has no finite PSNR, and JSON no infinity.
const MOST_PSNR: f64 = 200.0;

/// PSNR of one image in dB as records have it, of its mean squared error.
pub fn psnr_of(mse: f64) -> f64 {
    psnr(mse).min(MOST_PSNR)
}

/// Targets measured in one go.
const SLICE: usize = 32;

/// Targets of attacks with everything that their scores are made of: line-ups and guesses, each made once.
pub struct Bench {
    targets: Part,
    lineups: Lineups,
    floor: Floor,
    /// Guesses that are still to be measured, each with the number of its draw.
    waiting: VecDeque<(Guess, usize)>,
    /// Of the first of these, as far as it is.
    partial: Vec<One>,
    /// Of each measured guess: its record, names of target model and epoch left empty.
    floors: Vec<AttackRecord>,
    /// The best SSIM so far among random images of the class.
    best: Vec<f64>,
}

/// What one image scores.
#[derive(Clone, Copy)]
struct One {
    score: Score,
    picked: Option<f64>,
}

impl Bench {
    /// The first `n` of `targets`, to be judged with the attacker's images `pool`. Nothing is measured yet: see
    /// [`Self::advance`].
    ///
    /// # Errors
    /// Returns an error if an image cannot be read.
    pub fn new(targets: &Part, n: usize, pool: &Part, seed: Seed) -> Result<Self> {
        let targets = targets.take(n);
        let possible = |guess: &Guess| !(pool.is_empty() && *guess == Guess::Nearest);
        let draws = |guess| 0..if guess == Guess::ClassImage { TRIES } else { 1 };
        let all = Guess::ALL.into_iter().filter(possible).flat_map(|guess| draws(guess).map(move |draw| (guess, draw)));
        Ok(Self {
            lineups: Lineups::new(&targets, pool, seed)?,
            floor: Floor::new(pool, seed)?,
            waiting: if targets.is_empty() { VecDeque::new() } else { all.collect() },
            partial: Vec::new(),
            floors: Vec::new(),
            best: Vec::new(),
            targets,
        })
    }

    /// How many targets there are.
    pub fn len(&self) -> usize {
        self.targets.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.targets.is_empty()
    }

    /// Measures the guesses at the next few targets; true once all are. `pool` are the same images as before.
    ///
    /// # Errors
    /// Returns an error if an image cannot be read.
    pub fn advance(&mut self, pool: &Part) -> Result<bool> {
        let Some(&(guess, draw)) = self.waiting.front() else { return Ok(true) };
        let from = self.partial.len();
        let to = (from + SLICE).min(self.len());
        let one = |i: usize| {
            let at = At { i, target: &self.targets.image(i)?, label: self.targets.labels()[i], draw };
            self.one(i, &self.floor.guess(guess, at, pool)?)
        };
        let more: Vec<One> = (from..to).into_par_iter().map(one).collect::<Result<_>>()?;
        self.partial.extend(more);
        if to == self.len() {
            let all = std::mem::take(&mut self.partial);
            self.waiting.pop_front();
            self.take(guess, draw, &all);
        }
        Ok(self.waiting.is_empty())
    }

    /// All guesses at once.
    ///
    /// # Errors
    /// Returns an error if an image cannot be read.
    pub fn measured(mut self, pool: &Part) -> Result<Self> {
        while !self.advance(pool)? {}
        Ok(self)
    }

    fn take(&mut self, guess: Guess, draw: usize, all: &[One]) {
        if draw == 0 {
            self.floors.push(AttackRecord { name: guess.name().to_owned(), ..record(all) });
            self.best = vec![f64::NEG_INFINITY; all.len()];
        }
        if guess != Guess::ClassImage {
            return;
        }
        self.best.iter_mut().zip(all).for_each(|(best, one)| *best = best.max(one.score.ssim));
        let mean = mean_and_error(&self.best).0;
        if let Some(judged) = self.floors.last_mut().and_then(|floor| floor.judged.as_mut()) {
            judged.tries.push(mean);
        }
    }

    /// What the guesses reach on these very targets, the oracle last.
    pub fn floors(&self) -> &[AttackRecord] {
        &self.floors
    }

    /// Scores what an attack made of the targets, image by image (C·H·W values each), with its lead over the best guess;
    /// names, iterations and seconds are left to the caller.
    ///
    /// # Errors
    /// Returns an error if a target cannot be read.
    ///
    /// # Panics
    /// Where there are fewer images than targets, or one of another size.
    pub fn scored(&self, got: &[Vec<f32>]) -> Result<AttackRecord> {
        let all: Vec<One> = (0..self.len()).into_par_iter().map(|i| self.one(i, &got[i])).collect::<Result<_>>()?;
        let mut record = record(&all);
        self.set_worst(&mut record, got)?;
        let lead = record.judged.as_ref().and_then(|judged| lead_over(&judged.each, &self.floors));
        if let Some(judged) = &mut record.judged {
            judged.lead = lead;
        }
        Ok(record)
    }

    /// What else is told of images that an attack made: several scales, and the worst of them.
    fn set_worst(&self, record: &mut AttackRecord, got: &[Vec<f32>]) -> Result<()> {
        let shape = self.targets.shape();
        let one = |i: usize| Ok(ms_ssim(&clamped(&got[i]), &self.targets.values(i)?, shape));
        let all: Vec<Option<f64>> = (0..self.len()).into_par_iter().map(one).collect::<Result<_>>()?;
        let all: Option<Vec<f64>> = all.into_iter().collect();
        let all = all.filter(|all| !all.is_empty());
        record.ms_ssim_scales = all.as_ref().map(|_| scales(shape[1], shape[2]));
        record.ms_ssim = all.map(|all| mean_and_error(&all).0);
        (record.ssim_p95, record.ssim_worst) =
            record.judged.as_ref().map_or((None, None), |judged| worst(&judged.each.ssim));
        Ok(())
    }

    /// Scores all that an attack made of the targets: its images as [`Self::scored`] does, and the classes that it inferred.
    /// Without images its lead is in labels.
    ///
    /// # Errors
    /// Returns an error if a target cannot be read.
    ///
    /// # Panics
    /// Where there are fewer images or labels than targets.
    pub fn score_all(&self, images: Option<&[Vec<f32>]>, labels: Option<&[u32]>) -> Result<AttackRecord> {
        let mut record = match images {
            Some(images) => self.scored(images)?,
            None => AttackRecord::without_images(self.len()),
        };
        if let Some(found) = labels {
            let (right, chance, lead) = labels_right(found, self.targets.labels());
            (record.labels_right, record.labels_chance) = (Some(right), Some(chance));
            if let Some(judged) = record.judged.as_mut().filter(|_| images.is_none()) {
                judged.lead = Some(lead);
            }
        }
        Ok(record)
    }

    fn one(&self, i: usize, got: &[f32]) -> Result<One> {
        let score = score(got, &self.targets.values(i)?, self.targets.shape());
        Ok(One { score, picked: self.lineups.picked(i, got) })
    }
}

/// The lead in line-ups, where at least half of the targets have one, else in SSIM: over the guess among `floors` that is
/// best on average at the same targets, or over chance where every guess is below it.
pub fn lead_over(each: &Each, floors: &[AttackRecord]) -> Option<Lead> {
    let floors = floors.iter().filter(|f| Guess::named(&f.name).is_some_and(Guess::is_floor));
    let floors: Vec<(&str, &Each)> = floors.filter_map(|f| Some((f.name.as_str(), &f.judged.as_ref()?.each))).collect();
    let held: Vec<usize> = (0..each.picked.len()).filter(|i| each.picked[*i].is_some()).collect();
    if held.is_empty() || 2 * held.len() < each.picked.len() {
        let guesses = floors.into_iter().map(|(name, floor)| (name, floor.ssim.clone()));
        return best_lead(SSIM.key, &each.ssim, guesses);
    }
    let points = |each: &Each| held.iter().map(|i| 100.0 * each.picked[*i].unwrap_or(0.0)).collect::<Vec<_>>();
    let guesses = floors.into_iter().map(|(name, floor)| (name, points(floor)));
    best_lead(LINEUP.key, &points(each), guesses.chain([("chance", vec![CHANCE; held.len()])]))
}

/// The value that 95 % are below, and the highest; none of nothing and of what is no number.
pub(super) fn worst(values: &[f64]) -> (Option<f64>, Option<f64>) {
    if values.iter().any(|value| !value.is_finite()) {
        return (None, None);
    }
    (percentile(values, 95.0), values.iter().copied().max_by(f64::total_cmp))
}

/// As a viewer would show it.
fn clamped(image: &[f32]) -> Vec<f32> {
    image.iter().map(|value| value.clamp(0.0, 1.0)).collect()
}

/// Means over the targets, and each target by itself.
fn record(all: &[One]) -> AttackRecord {
    let picked: Vec<Option<f64>> = all.iter().map(|one| one.picked).collect();
    let held: Vec<f64> = picked.iter().flatten().copied().collect();
    let mean = |of: fn(&One) -> f64| mean_and_error(&all.iter().map(of).collect::<Vec<_>>());
    let known = |error: f64| if error.is_finite() { error } else { 0.0 };
    let (ssim, ssim_se) = mean(|one| one.score.ssim);
    let (psnr, psnr_se) = mean(|one| one.score.psnr.min(MOST_PSNR));
    AttackRecord {
        images: all.len(),
        mse: mean(|one| one.score.mse).0,
        psnr,
        ssim,
        ssim_se: known(ssim_se),
        lineup: (!held.is_empty()).then(|| 100.0 * mean_and_error(&held).0),
        judged: Some(Judged {
            psnr_se: known(psnr_se),
            each: Each { ssim: all.iter().map(|one| one.score.ssim).collect(), picked, patients: None },
            ..Judged::default()
        }),
        ..AttackRecord::default()
    }
}

fn best_lead<'a>(of: &str, own: &[f64], guesses: impl Iterator<Item = (&'a str, Vec<f64>)>) -> Option<Lead> {
    let rated = guesses.map(|(name, values)| (name, mean_and_error(&values).0, values));
    let (over, floor, values) = rated.max_by(|a, b| a.1.total_cmp(&b.1))?;
    let (mean, se, p) = lead(own, &values);
    Some(Lead { over: over.to_owned(), of: of.to_owned(), floor, mean, se, p })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data;
    use crate::score::verdict::ALPHA;

    /// Digits as an experiment shares them out: 400 targets, the attacker's images.
    fn digits(seed: u64) -> (Part, Part) {
        let set = data::built_in("mnist").unwrap();
        let aux = data::split(&set, 0.125, Seed(seed)).aux;
        let targets = set.test.select(&data::targets(&set.test, 10, 400, Seed(seed)));
        (targets, aux)
    }

    /// The image as 2 × 2 blocks, each of its mean: four numbers, read from the truth.
    fn blocks(image: &[f32]) -> Vec<f32> {
        let mean = |by: usize, bx: usize| -> f32 {
            let rows =
                (14 * by..14 * by + 14).map(|y| image[28 * y + 14 * bx..28 * y + 14 * bx + 14].iter().sum::<f32>());
            rows.sum::<f32>() / 196.0
        };
        let of = [[mean(0, 0), mean(0, 1)], [mean(1, 0), mean(1, 1)]];
        (0..784).map(|i| of[i / 28 / 14][i % 28 / 14]).collect()
    }

    #[test]
    fn a_guess_from_the_label_wins_no_more_than_chance() {
        for seed in 0..3 {
            let (targets, aux) = digits(seed);
            let bench = Bench::new(&targets, 400, &aux, Seed(seed)).unwrap().measured(&aux).unwrap();
            assert_eq!(bench.len(), 400);
            for floor in bench.floors().iter().filter(|floor| floor.name != "nearest") {
                let rate = floor.lineup.unwrap();
                println!("seed {seed}, {}: {rate:.1} %, SSIM {:.3}", floor.name, floor.ssim);
                // 99 % of draws from a binomial with 400 and 1/8.
                assert!((8.25..=17.0).contains(&rate), "{}: {rate} %", floor.name);
            }
            let oracle = bench.floors().last().unwrap();
            assert!(oracle.name == "nearest" && oracle.lineup.unwrap() > 60.0, "an oracle is no guess: {oracle:?}");
        }
    }

    #[test]
    fn cheats_that_never_read_the_wire_lead_by_nothing_and_four_numbers_of_the_truth_lead() {
        let (targets, aux) = digits(0);
        let bench = Bench::new(&targets, 400, &aux, Seed(0)).unwrap().measured(&aux).unwrap();
        // Cheats draw with seeds of their own: the floor's very images would lead by nothing anyway.
        let own = Floor::new(&aux, Seed(99)).unwrap();
        let cheat = |guess| -> Vec<Vec<f32>> {
            let guess = |i: usize| {
                let at = At { i, target: &targets.image(i)?, label: targets.labels()[i], draw: 1 };
                own.guess(guess, at, &aux)
            };
            (0..400).map(guess).collect::<Result<_>>().unwrap()
        };
        for guess in [Guess::ClassMean, Guess::ClassImage, Guess::Mean, Guess::Noise] {
            let lead = bench.scored(&cheat(guess)).unwrap().judged.unwrap().lead.unwrap();
            println!("{}: {:+.1} ± {:.1} points over {}, p {:.3}", guess.name(), lead.mean, lead.se, lead.over, lead.p);
            assert!(lead.p > ALPHA && lead.of == "lineup", "{guess:?}: {lead:?}");
        }
        let four: Vec<Vec<f32>> = (0..400).map(|i| blocks(&targets.values(i).unwrap())).collect();
        let lead = bench.scored(&four).unwrap().judged.unwrap().lead.unwrap();
        println!("2×2 block means: {:+.1} ± {:.1} points over {}, p {:.1e}", lead.mean, lead.se, lead.over, lead.p);
        assert!(lead.p < 1e-6, "{lead:?}");
    }

    #[test]
    fn without_line_ups_the_lead_is_in_ssim_and_without_images_there_is_still_a_floor() {
        let (targets, aux) = digits(1);
        let few = aux.take(20);
        let bench = Bench::new(&targets, 40, &few, Seed(1)).unwrap().measured(&few).unwrap();
        let exact: Vec<Vec<f32>> = (0..40).map(|i| targets.values(i).unwrap()).collect();
        let record = bench.scored(&exact).unwrap();
        let lead = record.judged.unwrap().lead.unwrap();
        assert!(record.lineup.is_none() && lead.of == "ssim" && lead.p < 1e-6 && record.psnr == 200.0, "{lead:?}");
        let nothing = aux.take(0);
        let none = Bench::new(&targets, 40, &nothing, Seed(1)).unwrap().measured(&nothing).unwrap();
        let names: Vec<&str> = none.floors().iter().map(|floor| floor.name.as_str()).collect();
        assert_eq!(names, ["class_mean", "class_image", "mean", "noise"]);
        assert!(none.scored(&exact).unwrap().judged.unwrap().lead.is_some());
    }

    #[test]
    fn more_tries_at_random_can_only_get_nearer() {
        let (targets, aux) = digits(2);
        let bench = Bench::new(&targets, 64, &aux, Seed(2)).unwrap().measured(&aux).unwrap();
        let tries = &bench.floors()[1].judged.as_ref().unwrap().tries;
        assert_eq!(tries.len(), TRIES);
        assert!(tries.windows(2).all(|pair| pair[0] <= pair[1]) && tries[0] < tries[TRIES - 1], "{tries:?}");
        assert_eq!(tries[0], bench.floors()[1].ssim);
    }
}

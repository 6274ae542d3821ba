//! Floors: what can be guessed without a look at the wire's smashed data. An attack that does no better stole nothing.
//!
//! Labels cross the wire in label-sharing split learning, so two of the guesses are made from the label alone. None of
//! them knows the target; [`nearest`] does, and is therefore a ceiling of what the attacker's own images can give, and no
//! guess.

use crate::data::Part;
use crate::error::Result;
use crate::random::Seed;
use crate::score::record::AttackRecord;

/// A guess, or the ceiling beside them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Guess {
    /// The mean of the attacker's images of the target's class: from the label alone.
    ClassMean,
    /// One of the attacker's images of the target's class, drawn by seed: from the label alone.
    ClassImage,
    /// The mean of all of the attacker's images.
    Mean,
    /// Uniform noise.
    Noise,
    /// Of the attacker's images the one nearest to the target by mean squared error: chosen with the truth.
    Nearest,
}

impl Guess {
    /// All, guesses first.
    pub const ALL: [Self; 5] = [Self::ClassMean, Self::ClassImage, Self::Mean, Self::Noise, Self::Nearest];

    /// Its name in records.
    pub fn name(self) -> &'static str {
        match self {
            Self::ClassMean => "class_mean",
            Self::ClassImage => "class_image",
            Self::Mean => "mean",
            Self::Noise => "noise",
            Self::Nearest => "nearest",
        }
    }

    /// The guess of this name; none where it is an attack's.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|guess| guess.name() == name)
    }

    /// The guess that a record is of; none where it is an attack's. An attack may have a guess's name, and takes steps,
    /// which no guess does.
    pub fn of(record: &AttackRecord) -> Option<Self> {
        Self::named(&record.name).filter(|_| record.iterations == 0)
    }

    /// In words.
    pub fn words(self) -> &'static str {
        match self {
            Self::ClassMean => "label only: class mean",
            Self::ClassImage => "label only: random image of the class",
            Self::Mean => "mean image",
            Self::Noise => "noise",
            Self::Nearest => "nearest image by the truth (oracle)",
        }
    }

    /// What it is, in a sentence or two.
    pub fn help(self) -> &'static str {
        match self {
            Self::ClassMean => {
                "Floor: the mean of the attacker's own images of the target's class. Made from the label alone, which \
                 crosses the wire anyway."
            }
            Self::ClassImage => {
                "Floor: one of the attacker's own images of the target's class, drawn by seed. Made from the label alone."
            }
            Self::Mean => "Floor: the mean of all of the attacker's own images.",
            Self::Noise => "Floor: plain noise.",
            Self::Nearest => {
                "Oracle ceiling: of the attacker's own images the one nearest to the target. It is chosen with the truth \
                 in hand, so it is neither an attack nor a floor."
            }
        }
    }

    /// Whether an attack must beat it.
    pub fn is_floor(self) -> bool {
        self != Self::Nearest
    }
}

/// Draws of a random image of the class that are tried, at most: as many as there may be attacks to choose from.
pub const TRIES: usize = 16;

/// A target that is to be guessed, and which of the draws at random.
#[derive(Clone, Copy, Debug)]
pub struct At<'a> {
    /// Its number in the list of targets.
    pub i: usize,
    /// Its pixels, which only the oracle looks at.
    pub target: &'a [u8],
    /// Its class.
    pub label: u32,
    /// Number of the draw, from 0.
    pub draw: usize,
}

/// What is guessed of targets, from the attacker's images `pool`.
#[derive(Clone, Debug)]
pub struct Floor {
    seed: Seed,
    means: Vec<Option<Vec<f32>>>,
    mean: Vec<f32>,
}

impl Floor {
    /// Prepares the guesses. Without any image of their own attackers can only guess noise and grey.
    ///
    /// # Errors
    /// Returns an error if an image cannot be read.
    pub fn new(pool: &Part, seed: Seed) -> Result<Self> {
        let classes = pool.labels().iter().max().map_or(0, |label| *label as usize + 1);
        let size = pool.shape().iter().product();
        let of = |class: usize| mean_of(pool, |i| pool.labels()[i] as usize == class);
        let means = (0..classes).map(of).collect::<Result<_>>()?;
        let mean = mean_of(pool, |_| true)?.unwrap_or_else(|| vec![0.5; size]);
        Ok(Self { seed, means, mean })
    }

    /// The guess at one target, or the mean image where it cannot be made, as of a class of which the attacker has no
    /// image: one guesses something.
    ///
    /// # Errors
    /// Returns an error if an image cannot be read.
    pub fn guess(&self, guess: Guess, at: At<'_>, pool: &Part) -> Result<Vec<f32>> {
        Ok(self.made(guess, at, pool)?.unwrap_or_else(|| self.mean.clone()))
    }

    fn made(&self, guess: Guess, At { i, target, label, draw }: At<'_>, pool: &Part) -> Result<Option<Vec<f32>>> {
        Ok(match guess {
            Guess::ClassMean => self.means.get(label as usize).cloned().flatten(),
            Guess::ClassImage => {
                let members: Vec<usize> = (0..pool.len()).filter(|j| pool.labels()[*j] == label).collect();
                // Without one drawing twice the same: the first few of one order.
                let order = self.seed.stream("floor.class", i as u64).permutation(members.len());
                let at = order.get(draw % members.len().max(1));
                at.map(|at| pool.values(members[*at])).transpose()?
            }
            Guess::Mean => Some(self.mean.clone()),
            Guess::Noise => {
                let mut stream = self.seed.stream("floor.noise", i as u64);
                Some((0..self.mean.len()).map(|_| stream.uniform(0.0, 1.0) as f32).collect())
            }
            Guess::Nearest => nearest(target, pool)?.map(|j| pool.values(j)).transpose()?,
        })
    }
}

/// Of the attacker's images the one nearest to the target by mean squared error, the first of several; none where there
/// are none.
///
/// # Errors
/// Returns an error if an image cannot be read.
pub fn nearest(target: &[u8], pool: &Part) -> Result<Option<usize>> {
    let distance = |a: &[u8], b: &[u8]| -> u64 { a.iter().zip(b).map(|(a, b)| u64::from(a.abs_diff(*b)).pow(2)).sum() };
    let mut best = None;
    for i in 0..pool.len() {
        let apart = distance(target, &pool.image(i)?);
        if best.is_none_or(|(least, _)| apart < least) {
            best = Some((apart, i));
        }
    }
    Ok(best.map(|(_, i)| i))
}

fn mean_of(pool: &Part, belongs: impl Fn(usize) -> bool) -> Result<Option<Vec<f32>>> {
    let mut sum = vec![0_u64; pool.shape().iter().product()];
    let mut count = 0_u32;
    for i in (0..pool.len()).filter(|i| belongs(*i)) {
        sum.iter_mut().zip(pool.image(i)?.iter()).for_each(|(sum, v)| *sum += u64::from(*v));
        count += 1;
    }
    let scale = 255.0 * f64::from(count);
    Ok((count > 0).then(|| sum.into_iter().map(|v| (v as f64 / scale) as f32).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Images;

    fn pool() -> Part {
        let pixels = vec![0, 255, 255, 255, 0, 0, 51, 51];
        Part::from(Images { shape: [1, 1, 2], pixels, labels: vec![0, 0, 1, 1] })
    }

    #[test]
    fn guesses_are_made_from_the_label_and_the_attackers_images_alone() {
        let pool = pool();
        let floor = Floor::new(&pool, Seed(3)).unwrap();
        let at = |label, draw| At { i: 0, target: &[50, 50], label, draw };
        let guess = |guess, label, draw| floor.guess(guess, at(label, draw), &pool).unwrap();
        assert_eq!(guess(Guess::ClassMean, 0, 0), [0.5, 1.0]);
        assert_eq!(guess(Guess::ClassMean, 1, 0), [0.1, 0.1]);
        assert_eq!(guess(Guess::Mean, 0, 0), [0.3, 0.55]);
        // Two draws of a class of two give both of them.
        assert_ne!(guess(Guess::ClassImage, 0, 0), guess(Guess::ClassImage, 0, 1));
        assert_eq!(guess(Guess::ClassImage, 0, 0), guess(Guess::ClassImage, 0, 2));
        assert_eq!(guess(Guess::Nearest, 0, 0), [0.2, 0.2]);
        // Of a class that the attacker has no image of, the mean of all is guessed.
        assert_eq!(guess(Guess::ClassMean, 7, 0), guess(Guess::Mean, 7, 0));
        assert_eq!(guess(Guess::ClassImage, 7, 0), guess(Guess::Mean, 7, 0));
        let none = pool.take(0);
        let empty = Floor::new(&none, Seed(3)).unwrap();
        assert_eq!(empty.guess(Guess::ClassImage, at(0, 5), &none).unwrap(), [0.5, 0.5]);
        assert_eq!(empty.guess(Guess::Nearest, at(0, 0), &none).unwrap(), [0.5, 0.5]);
    }

    #[test]
    fn names_lead_back_and_the_oracle_is_no_floor() {
        for guess in Guess::ALL {
            assert_eq!(Guess::named(guess.name()), Some(guess));
        }
        assert_eq!(Guess::named("rmle"), None);
        assert_eq!(Guess::ALL.iter().filter(|guess| guess.is_floor()).count(), 4);
    }
}

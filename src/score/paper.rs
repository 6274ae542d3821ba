//! The paper's figures, each once, with its source; and how a number measured here may be set beside one.

use std::fmt;

/// A figure of the paper and whose word it is: \[A\] the last abstract, \[A v1\] the first version's, which says what
/// the gains are over, \[E\] the equations at second hand.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Figure {
    /// The value.
    pub value: f64,
    /// As it is printed there.
    pub text: &'static str,
    /// Its source.
    pub mark: &'static str,
}

impl fmt::Display for Figure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} [{}]", self.text, self.mark)
    }
}

/// Gain over attacked images, in points or relative: unstated.
pub const OVER_ATTACKED: Figure = Figure { value: 36.9, text: "36.9", mark: "A v1" };
/// Gain over reconstructed images.
pub const OVER_RECONSTRUCTED: Figure = Figure { value: 17.9, text: "17.9", mark: "A v1" };
/// The third figure of the last abstract, which names three for two baselines: unmatched.
pub const THIRD: Figure = Figure { value: 14.0, text: "14.0", mark: "A" };
/// The best μ on both of its sets.
pub const MU: Figure = Figure { value: 0.55, text: ".55", mark: "E" };
/// The same where settings stand beside the paper's values.
pub const MU_SETTING: &str = "0.55, best on both of its sets";

/// How a gain measured here stands to the paper's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Beside {
    /// Of the same size, within two standard errors.
    Agrees,
    /// Above nothing as the paper's is, and of another size.
    SameDirection,
    /// Below nothing.
    Differs,
    /// Cannot be told from nothing.
    NoGain,
}

/// Sets a gain at settings that were fixed before the run, with its standard error, beside the paper's.
pub fn beside(own: f64, se: f64, paper: f64) -> Beside {
    if (own - paper).abs() <= 2.0 * se {
        Beside::Agrees
    } else if own > 2.0 * se {
        Beside::SameDirection
    } else if own < -2.0 * se {
        Beside::Differs
    } else {
        Beside::NoGain
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_equal_sizes_agree() {
        assert_eq!(beside(77.8, 1.0, 36.9), Beside::SameDirection);
        assert_eq!(beside(38.0, 1.0, 36.9), Beside::Agrees);
        assert_eq!(beside(-3.0, 1.0, 36.9), Beside::Differs);
        assert_eq!(beside(1.5, 1.0, 36.9), Beside::NoGain);
        assert_eq!(beside(0.0, 0.0, 36.9), Beside::NoGain);
        assert!(MU_SETTING.starts_with(&format!("{},", MU.value)));
        assert!([OVER_ATTACKED, OVER_RECONSTRUCTED, THIRD, MU].iter().all(|f| f.text.parse() == Ok(f.value)));
        assert_eq!([OVER_ATTACKED, MU].map(|figure| figure.to_string()), ["36.9 [A v1]", ".55 [E]"]);
    }
}

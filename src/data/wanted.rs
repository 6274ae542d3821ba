//! What is asked of a reader: how the images of a file are wanted, and a place to say how far it has come.

use std::fmt;
use std::str::FromStr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// How images are wanted. By default they stay as they are.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Wanted {
    /// The reader's id; empty for whichever is the first to be sure.
    pub kind: String,
    /// Which values are black and white.
    pub range: Range,
    /// Which of several labels, by a name that the reader knows; empty for its first.
    pub labels: String,
    /// Which part of each picture, by a name that the reader knows; empty for its first.
    pub view: String,
    /// Height and width; 0 for those that the images have.
    pub size: usize,
    /// Grey or in colour.
    pub channels: Channels,
    /// Who says which images are for what.
    pub split: SplitBy,
    /// What they are drawn by, where they are drawn.
    pub split_seed: u64,
    /// Which fold is tested, where all images are drawn into folds.
    pub fold: Option<Fold>,
}

/// One of several folds: all images are drawn into them, class by class and patient by patient, and each is tested in turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fold {
    /// Which, from 1; 0 for none in particular.
    pub number: usize,
    /// How many there are.
    pub of: usize,
    /// Whether they are as even in size as whole patients allow, too.
    pub even: bool,
}

/// Which values of a file are black and white.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Range {
    /// Found by what values there are.
    #[default]
    Auto,
    /// The first is black, the second white; what is beyond is cut off.
    Between(f64, f64),
}

impl FromStr for Range {
    type Err = String;

    /// Reads `auto`, or two numbers with two dots between them: `0..255`, `-1024..3071`.
    fn from_str(text: &str) -> Result<Self, String> {
        if text.trim() == "auto" {
            return Ok(Self::Auto);
        }
        let number = |text: &str| text.trim().parse::<f64>().ok().filter(|number| number.is_finite());
        match text.split_once("..").map(|(black, white)| (number(black), number(white))) {
            Some((Some(black), Some(white))) if black < white => Ok(Self::Between(black, white)),
            _ => Err("allowed is \"auto\", or the values of black and white as in \"0..255\"".to_owned()),
        }
    }
}

impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Auto => f.write_str("auto"),
            Self::Between(black, white) => write!(f, "{black}..{white}"),
        }
    }
}

/// What becomes of colours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Channels {
    /// They stay as they are; where some images of a set are in colour, all are.
    #[default]
    Own,
    /// One channel: .299 R + .587 G + .114 B.
    Grey,
    /// Three channels; a grey image has three that are the same.
    Colour,
}

/// Who says which images are for training, for validation and for testing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SplitBy {
    /// The file, where it does; otherwise they are drawn.
    #[default]
    Given,
    /// They are drawn anew, class by class and patient by patient.
    Drawn,
}

/// How far a reader has come, for whoever waits, who may also tell it to stop.
#[derive(Debug, Default)]
pub struct Progress {
    done: AtomicUsize,
    total: AtomicUsize,
    stopped: AtomicBool,
}

impl Progress {
    /// Begins to count to `total`.
    pub fn begin(&self, total: usize) {
        self.done.store(0, Ordering::Relaxed);
        self.total.store(total, Ordering::Relaxed);
    }

    /// Counts one more.
    ///
    /// # Errors
    /// Returns [`Error::Stopped`] if nobody waits any more: give up.
    pub fn step(&self) -> Result<()> {
        self.done.fetch_add(1, Ordering::Relaxed);
        if self.is_stopped() { Err(Error::Stopped) } else { Ok(()) }
    }

    /// Says that so many are done.
    ///
    /// # Errors
    /// Returns [`Error::Stopped`] if nobody waits any more: give up.
    pub fn reached(&self, done: usize) -> Result<()> {
        self.done.store(done, Ordering::Relaxed);
        if self.is_stopped() { Err(Error::Stopped) } else { Ok(()) }
    }

    /// Done, and of how many; of none where it has not begun to count.
    pub fn seen(&self) -> (usize, usize) {
        (self.done.load(Ordering::Relaxed), self.total.load(Ordering::Relaxed))
    }

    /// Whether the reader is to give up.
    pub fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::Relaxed)
    }

    /// Has the reader give up.
    pub fn stop(&self) {
        self.stopped.store(true, Ordering::Relaxed);
    }
}

/// What a reader is handed beside a path.
#[derive(Clone, Copy, Debug)]
pub struct Ask<'a> {
    /// How the images are wanted.
    pub wanted: &'a Wanted,
    /// Where to count what is read.
    pub progress: &'a Progress,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_is_read_as_it_is_written() {
        for (text, range) in [
            ("auto", Range::Auto),
            ("0..255", Range::Between(0.0, 255.0)),
            ("-1024..3071", Range::Between(-1024.0, 3071.0)),
            ("0..0.5", Range::Between(0.0, 0.5)),
        ] {
            assert_eq!(text.parse(), Ok(range));
            assert_eq!(range.to_string(), text);
        }
        for text in ["", "255", "0-255", "1..1", "2..1", "0..NaN", "0..inf", "..", "a..b"] {
            assert!(text.parse::<Range>().unwrap_err().contains("0..255"), "{text}");
        }
    }

    #[test]
    fn whoever_waits_sees_how_far_it_is_and_can_stop_it() {
        let progress = Progress::default();
        assert_eq!(progress.seen(), (0, 0));
        progress.begin(3);
        assert!(progress.step().is_ok());
        assert_eq!(progress.seen(), (1, 3));
        assert!(progress.reached(2).is_ok());
        assert_eq!(progress.seen(), (2, 3));
        progress.stop();
        assert!(matches!((progress.step(), progress.reached(3)), (Err(Error::Stopped), Err(Error::Stopped))));
    }
}

//! The figures of the pane, and what is to be known of each before it is drawn.

use std::borrow::Cow;

use crate::app::words::{decimal, leak_help};
use crate::run::summary::AttackRecord;
use crate::score::meters::{DFIL, DISTANCE_CORRELATION, Meters};
use crate::score::metrics::{ACCURACY, LINEUP, MSE, Metric, PSNR, SSIM};

/// What is drawn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Figure {
    /// Accuracy on test images after each epoch.
    #[default]
    Test,
    /// What the defended model's is above or below its undefended twin's.
    Difference,
    /// Accuracy of each training batch.
    Training,
    /// Loss of each stream in training.
    Losses,
    /// How often each attack's images are recognised.
    Lineup,
    /// How like the originals they are.
    Ssim,
    /// How near to them, in decibels.
    Psnr,
    /// What images and smashed data have in common, without an attack.
    Distance,
    /// Fisher information on a pixel, without an attack.
    Fisher,
    /// Gains against attack strength.
    Gain,
    /// Error of the cleaned image against the threshold.
    Recovery,
}

/// What curves in training and of tests are drawn against.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Against {
    /// Training steps.
    Step,
    /// Epochs; a step is a fraction of one.
    Epoch,
    /// Seconds since the run was started, where it was watched.
    Time,
}

impl Against {
    /// All, in their order.
    pub const ALL: [Self; 3] = [Self::Step, Self::Epoch, Self::Time];

    /// In a word.
    pub fn label(self) -> &'static str {
        match self {
            Self::Step => t!("step"),
            Self::Epoch => t!("epoch"),
            Self::Time => t!("time"),
        }
    }
}

impl Figure {
    /// All, in their order.
    pub const ALL: [Self; 11] = [
        Self::Test,
        Self::Difference,
        Self::Training,
        Self::Losses,
        Self::Lineup,
        Self::Ssim,
        Self::Psnr,
        Self::Distance,
        Self::Fisher,
        Self::Gain,
        Self::Recovery,
    ];
    /// Those that tell what a model is good for, by epoch.
    pub const UTILITY: [Self; 2] = [Self::Difference, Self::Test];
    /// Those that tell what leaks, by epoch.
    pub const LEAKAGE: [Self; 5] = [Self::Lineup, Self::Ssim, Self::Psnr, Self::Distance, Self::Fisher];

    /// The metric of attacks that a figure of leakage draws.
    pub fn leak(self) -> &'static Metric<AttackRecord> {
        match self {
            Self::Psnr => &PSNR,
            Self::Lineup => &LINEUP,
            _ => &SSIM,
        }
    }

    /// The leak meter that it draws, if it draws one.
    pub fn meter(self) -> Option<&'static Metric<Meters>> {
        match self {
            Self::Distance => Some(&DISTANCE_CORRELATION),
            Self::Fisher => Some(&DFIL),
            _ => None,
        }
    }

    /// Whether it has a value an epoch, and is drawn against nothing else.
    pub fn by_epoch(self) -> bool {
        self == Self::Difference || Self::LEAKAGE.contains(&self)
    }

    /// Its name.
    pub fn title(self) -> Cow<'static, str> {
        Cow::Borrowed(match self {
            Self::Test => t!("Test accuracy"),
            Self::Difference => t!("Accuracy against the twin"),
            Self::Training => t!("Training accuracy"),
            Self::Losses => t!("Losses"),
            Self::Lineup | Self::Ssim | Self::Psnr => {
                return Cow::Owned(t!("Leakage: {name}", name = self.leak().name));
            }
            Self::Distance => t!("Leakage: distance correlation"),
            Self::Fisher => t!("Leakage: Fisher information"),
            Self::Gain => t!("Gain against γ"),
            Self::Recovery => return Cow::Owned(t!("{name} against μ", name = MSE.name)),
        })
    }

    /// What it shows, in a sentence or two.
    pub fn tip(self) -> Cow<'static, str> {
        Cow::Borrowed(match self {
            Self::Test => {
                t!("Share of right answers on test images after each epoch, in percent; and, of a run that is \
                     watched, on 200 held-out images while it trains.")
            }
            Self::Difference => {
                t!("The defended model's accuracy on test images minus that of its undefended twin, in points, \
                     after each epoch: what the defence costs.")
            }
            Self::Training => t!("Share of right answers in each batch before it was learnt from, in percent."),
            Self::Losses => {
                t!("Cross-entropy of each stream in each batch: the paper's CE(a), CE(r) and CE(f). Lower is surer.")
            }
            Self::Lineup | Self::Ssim | Self::Psnr => return Cow::Owned(leak_help(self.leak())),
            Self::Distance => {
                t!(
                    "How much images and what was sent for them have in common, 0 to 1, after each epoch. A meter needs \
                     no attack and proves nothing: it stands beside what attacks get, never in their place."
                )
            }
            Self::Fisher => {
                t!("Fisher information that what is sent has of a pixel on average (dFIL), after each epoch. Where \
                     there is no noise on the wire, some is assumed that is a hundredth of what is sent. What a \
                     defence does to images before the client's first layer is not in it. A meter proves nothing.")
            }
            Self::Gain => {
                t!("What the fused decision gains over the undefended model, in points of accuracy, against the \
                     share γ of pixels that the disguise moves. A gain over disguised images grows with γ for any \
                     defence; fused \u{2212} clean is the one that cannot be inflated.")
            }
            Self::Recovery => {
                t!("Mean squared error of the cleaned image against the original, by the threshold μ of the cleaning. \
                 Below the line of the disguised images cleaning helps.")
            }
        })
    }

    /// What will appear and how, while there is nothing.
    pub fn empty(self) -> &'static str {
        match self {
            Self::Test => {
                t!("During a run the accuracy on held-out images appears here within seconds, that on test images \
                     after each epoch.")
            }
            Self::Difference => {
                t!("What the defence costs appears here after the first epoch of a run that trains a defended \
                     model and its undefended twin.")
            }
            Self::Training => t!("During a run the accuracy in training appears here with the first step."),
            Self::Losses => t!("Losses appear here while a model with several streams is trained."),
            Self::Lineup | Self::Ssim | Self::Psnr => t!("Each attack of the run appears here when it is finished."),
            Self::Distance | Self::Fisher => t!("Meters of what leaks appear here after the first epoch of a run."),
            Self::Gain => {
                t!("Gains appear here at the end of a run that trains a defended model and its undefended twin.")
            }
            Self::Recovery => t!("This appears at the end of a run that trains an undefended twin."),
        }
    }

    /// What its height means.
    pub fn y_label(self) -> Cow<'static, str> {
        Cow::Borrowed(match self {
            Self::Test | Self::Training => t!("right answers, %"),
            Self::Losses => t!("cross-entropy"),
            Self::Lineup => t!("recognised, %"),
            Self::Ssim | Self::Psnr => return Cow::Owned(self.leak().axis()),
            Self::Distance => t!("distance correlation"),
            Self::Fisher => t!("dFIL"),
            Self::Gain => t!("gain, points"),
            Self::Difference => t!("against the twin, points"),
            Self::Recovery => t!("mean squared error"),
        })
    }

    /// Whether it is smoothed.
    pub fn smooths(self) -> bool {
        matches!(self, Self::Training | Self::Losses)
    }

    /// Whether it can be drawn against something else.
    pub fn turns(self) -> bool {
        matches!(self, Self::Test | Self::Training | Self::Losses)
    }

    /// Whether its height is a share: 0 to 100 %, unless it is fitted.
    pub fn percent(self) -> bool {
        matches!(self, Self::Test | Self::Training | Self::Lineup)
    }

    /// Whether its height can be logarithmic: accuracies keep their scale, gains have a sign.
    pub fn can_log(self) -> bool {
        matches!(self, Self::Losses | Self::Ssim | Self::Psnr | Self::Fisher | Self::Recovery)
    }

    /// A value with its unit.
    pub fn value(self, y: f64) -> String {
        match self {
            Self::Test | Self::Training => ACCURACY.with_unit(&decimal(y, ACCURACY.digits)),
            Self::Losses => decimal(y, 3),
            Self::Lineup | Self::Ssim | Self::Psnr => self.leak().with_unit(&decimal(y, self.leak().digits)),
            Self::Distance => decimal(y, DISTANCE_CORRELATION.digits),
            Self::Fisher => decimal(y, DFIL.digits),
            Self::Gain | Self::Difference => crate::app::words::points(y),
            Self::Recovery => decimal(y, MSE.digits),
        }
    }
}

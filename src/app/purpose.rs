//! What a file is asked for.

use super::workspace::Pane;
use crate::data::known::Known;
use crate::run::found::SHARED;
use crate::texts::english;
use crate::workbench::readers;

/// Which part of the window a picture is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Of {
    /// The stage.
    Stage,
    /// A pane.
    Pane(Pane),
}

/// What a file is wanted for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Something to open: an experiment, a run, a data set or an image.
    Open,
    /// A run's folder to open.
    Run,
    /// Where the experiment is to be written.
    Save,
    /// Where what is shown is to be written, as a text.
    Shared,
    /// An image to show.
    Image,
    /// Where the curves' values are to be written.
    CurvesCsv,
    /// Where the curves are to be drawn.
    CurvesPng,
    /// Where the curves are to be drawn.
    CurvesSvg,
    /// Where the table is to be written: Markdown, CSV or LaTeX by its ending.
    Table,
    /// Where it is to be written as LaTeX.
    TableLatex,
    /// Where the film of the reconstruction is to be written.
    Film,
    /// Where a picture of the stage or a pane is to be written: PNG or SVG by its ending.
    Picture(Of),
    /// A new folder for the reconstructions and scores of the run's attacks.
    Attacks,
    /// The images that the experiment is about, and that do not come with the program.
    Fetch(&'static Known),
}

impl Purpose {
    /// What the window over the panes says.
    pub fn title(self) -> &'static str {
        match self {
            Self::Open => t!("Open an experiment, a run, data or an image"),
            Self::Run => t!("Open a run"),
            Self::Save => t!("Save the experiment"),
            Self::Shared => t!("Save what is shown"),
            Self::Image => t!("Open an image"),
            Self::CurvesCsv | Self::CurvesPng | Self::CurvesSvg => t!("Save the curves"),
            Self::Table | Self::TableLatex => t!("Save the table"),
            Self::Picture(Of::Stage) => t!("Save the stage"),
            Self::Picture(Of::Pane(_)) => t!("Save a picture of the pane"),
            Self::Attacks => t!("Save the attacks"),
            Self::Film => t!("Save the reconstruction"),
            Self::Fetch(_) => t!("Where are the images?"),
        }
    }

    /// Whether a file is read.
    pub fn reads(self) -> bool {
        matches!(self, Self::Open | Self::Run | Self::Image | Self::Fetch(_))
    }

    /// The endings that fit, the usual one first.
    pub fn endings(self) -> Vec<&'static str> {
        let fixed: &[&str] = match self {
            Self::Open => {
                let data = readers().iter().flat_map(|kind| kind.endings).copied();
                return ["toml", SHARED].into_iter().chain(data).chain(["png", "jpg", "jpeg", "gif"]).collect();
            }
            Self::Save | Self::Run => &["toml"],
            Self::Shared => &[SHARED],
            Self::Image => &["png", "jpg", "jpeg", "gif"],
            Self::CurvesCsv => &["csv"],
            Self::CurvesPng => &["png"],
            Self::Picture(_) => &["png", "svg"],
            Self::CurvesSvg => &["svg"],
            Self::Table => &["md", "csv", "tex"],
            Self::TableLatex => &["tex"],
            Self::Film => &["gif"],
            Self::Attacks => &[],
            Self::Fetch(_) => {
                return readers().iter().flat_map(|kind| kind.endings).copied().collect();
            }
        };
        fixed.to_vec()
    }

    /// A name for a new file.
    pub(super) fn suggestion(self) -> String {
        let stem = match self {
            Self::Open | Self::Run | Self::Image | Self::Fetch(_) => return String::new(),
            Self::Save => "experiment",
            Self::Shared => "shared",
            Self::CurvesCsv | Self::CurvesPng | Self::CurvesSvg => "curves",
            Self::Table | Self::TableLatex => "table",
            Self::Picture(Of::Stage) => "stage",
            Self::Picture(Of::Pane(pane)) => {
                return format!("{}.png", english(|| pane.title()).to_lowercase().replace(' ', "-"));
            }
            Self::Attacks => return "attacks".to_owned(),
            Self::Film => "reconstruction",
        };
        format!("{stem}.{}", self.endings()[0])
    }
}

//! What views look at: all that is shown, and nothing they could change.

use std::path::PathBuf;

use super::{
    Activity, Auditing, Document, Library, Showing, Source, State, Sweeping, Workspace, best, hidden, language, memory,
    play, textures, ticked,
};
use crate::data::Noun;
use crate::experiment::Experiment;
use crate::lesson::{Part, Progress};
use crate::run::weights::Weights;

/// All that is shown.
#[derive(Clone, Copy)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own, and any of them may hold")]
pub struct Look<'a> {
    /// The shown run.
    pub state: &'a State,
    /// The chosen experiment.
    pub document: &'a Document,
    /// The stage.
    pub showing: &'a Showing,
    /// Its pictures.
    pub(super) textures: &'a textures::Textures,
    /// What the worker is at.
    pub activity: Activity,
    /// Whether the live mirror is at work.
    pub mirroring: bool,
    /// Runs that were made.
    pub library: &'a Library,
    /// Where they are.
    pub runs: &'a PathBuf,
    /// Experiments opened or saved, the latest first.
    pub recent: &'a Vec<PathBuf>,
    /// The workspace.
    pub workspace: Workspace,
    /// How fast all goes, and what is to be reached.
    pub(super) play: play::Play,
    /// Controls that a shared state hides.
    pub(super) hidden: hidden::Hidden,
    /// Whether the log is open below everything.
    pub(super) log: bool,
    /// Whether all is at presenter's size.
    pub(super) presenting: bool,
    /// The lesson in progress, and the part of the window that it speaks of.
    pub(super) lesson: Option<&'a Progress>,
    pub(super) lit: Option<Part>,
    /// Whether there is a scene of the run to go back to.
    pub(super) followed: bool,
    /// Whether the pencil is out.
    pub(super) drawing: bool,
    /// Whether there are trained weights for what the stage shows.
    pub(super) trained: bool,
    /// Whether runs are ticked to be compared, and groups of them that were kept.
    pub(super) ticked: ticked::Ticked,
    pub(super) groups: &'a Vec<memory::Group>,
    /// What can be offered of the shown model's best epoch.
    pub(super) best: Option<best::Offer>,
    /// Runs that were pinned, the first one first.
    pub(super) pinned: &'a Vec<PathBuf>,
    /// Whether there is an earlier session to bring back.
    pub(super) earlier: bool,
    /// Languages.
    pub(super) speaks: language::Speaks<'a>,
    /// The sweep that is at work, or is looked at.
    pub(super) sweeping: &'a Sweeping,
    /// The audit that is at work, or that came to its end.
    pub(super) auditing: &'a Auditing,
    /// The weights that the stage uses, of a run.
    pub weights: Option<&'a Weights>,
    /// The experiment of the run that is going, or whose weights the stage uses.
    pub run: Option<&'a Experiment>,
}

impl Look<'_> {
    /// Whether the stage shows the defended model, or is about to.
    pub fn defended(&self) -> bool {
        let scene = self.showing.scene.as_ref().filter(|_| self.showing.source == Source::Run || !self.showing.waits);
        scene.map_or(self.showing.source != Source::Opening && self.showing.defended, |scene| scene.stamp.defended)
    }

    /// What an image on the stage is called.
    pub fn noun(&self) -> Noun {
        let data = &self.document.experiment().data.name;
        self.showing.facts.as_ref().map_or_else(|| Noun::of(data), |facts| facts.noun())
    }

    /// What an image of the shown run is called.
    pub fn run_noun(&self) -> Noun {
        self.state.noun().unwrap_or_else(|| Noun::of(&self.document.experiment().data.name))
    }
}

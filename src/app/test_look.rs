//! Something to look at, for tests of single views.

use std::path::PathBuf;

use eframe::egui::{Theme, ThemePreference};
use egui_kittest::Harness;

use super::{Activity, Document, Library, Look, Showing, State, Workspace, textures};
use crate::experiment::Experiment;
use crate::experiment::fixture::DIGITS;

/// Everything that a view looks at, owned.
pub struct Shop {
    pub state: State,
    pub document: Document,
    pub showing: Showing,
    pub textures: textures::Textures,
    pub library: Library,
    pub runs: PathBuf,
    pub recent: Vec<PathBuf>,
    pub activity: Activity,
    pub pinned: Vec<PathBuf>,
    pub groups: Vec<super::memory::Group>,
    /// No sweep.
    pub sweeping: super::Sweeping,
    /// No audit.
    pub auditing: super::Auditing,
}

impl Default for Shop {
    fn default() -> Self {
        Self {
            state: State::default(),
            document: Document::new(Experiment::preset(DIGITS).unwrap()),
            showing: Showing::default(),
            textures: textures::Textures::default(),
            library: Library::default(),
            runs: PathBuf::from("runs"),
            recent: Vec::new(),
            activity: Activity::Idle,
            pinned: Vec::new(),
            groups: Vec::new(),
            sweeping: super::Sweeping::default(),
            auditing: super::Auditing::default(),
        }
    }
}

impl Shop {
    /// What is shown.
    pub fn look(&self) -> Look<'_> {
        Look {
            state: &self.state,
            document: &self.document,
            showing: &self.showing,
            textures: &self.textures,
            activity: self.activity,
            mirroring: false,
            library: &self.library,
            runs: &self.runs,
            recent: &self.recent,
            workspace: Workspace::default(),
            play: super::play::Play::default(),
            hidden: super::hidden::Hidden::default(),
            log: false,
            presenting: false,
            drawing: false,
            ticked: super::ticked::Ticked::None,
            groups: &self.groups,
            best: None,
            pinned: &self.pinned,
            earlier: false,
            speaks: crate::app::language::Speaks::default(),
            sweeping: &self.sweeping,
            auditing: &self.auditing,
            trained: false,
            lesson: None,
            lit: None,
            followed: false,
            weights: None,
            run: None,
        }
    }
}

/// Writes what is drawn, dark and light, into the folder that `CUTLAYER_PICTURES` names; does nothing without it.
pub fn picture<S>(harness: &mut Harness<'_, S>, name: &str) {
    let Some(folder) = std::env::var_os("CUTLAYER_PICTURES") else { return };
    super::theme::install(&harness.ctx);
    for (theme, word) in [(Theme::Dark, "dark"), (Theme::Light, "light")] {
        harness.ctx.set_theme(ThemePreference::from(theme));
        harness.run_steps(3);
        let picture = harness.render().unwrap();
        picture.save(std::path::Path::new(&folder).join(format!("{name}-{word}.png"))).unwrap();
    }
}

//! Lessons in the window: begun, followed frame by frame, remembered.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::judged::{Says, said};
use super::panes::frontier::FrontierView;
use super::showing::Source;
use super::{App, LessonAct, Look, Pane, Status, Workspace, workspace};
use crate::error::Result;
use crate::experiment::Experiment;
use crate::lesson::{self, LEAKS, Lesson, Moment, Part, Progress, RunStatus, Saved, numbers};
use crate::live::Shown;
use crate::report::points::{Leak, Scored};
use crate::workbench::attack;

/// What a person did since the window was opened, as far as lessons ask for it.
#[derive(Default)]
pub(super) struct Deeds {
    pub(super) strokes: usize,
    pub(super) stepped: usize,
    pub(super) played: usize,
    /// An experiment's settings that are numbers. While a control is held the document changes and its place in the history
    /// does not, so they are known by the experiment itself.
    settings: Option<(Experiment, BTreeMap<String, f64>)>,
}

/// A lesson as it was left; none that cannot be found any more.
pub(super) fn resumed(saved: &Saved) -> Option<Progress> {
    lesson::find(&saved.lesson).ok().map(|lesson| Progress::resumed(Arc::new(lesson), saved))
}

/// The frontier as a lesson that goes on needs it, or as it is without one.
pub(super) fn frontier(progress: Option<&Progress>) -> FrontierView {
    progress.map(|_| FrontierView::recorded()).unwrap_or_default()
}

/// The part of the window that the shown step is about.
pub(super) fn lit(progress: Option<&Progress>) -> Option<Part> {
    progress?.step().map(|step| step.lit)
}

impl App {
    pub(super) fn lesson(&mut self, act: &LessonAct) -> Result<()> {
        match act {
            LessonAct::Begin(name) => self.begin_lesson(Arc::new(lesson::find(name)?))?,
            LessonAct::End => self.progress = None,
            LessonAct::Answer(answer) => self.take_step(|progress| progress.answer(*answer)),
            LessonAct::Next => self.take_step(Progress::forward),
            LessonAct::Back => self.take_step(Progress::back),
        }
        self.memory.lesson = self.progress.as_ref().map(Progress::saved);
        self.remember();
        Ok(())
    }

    fn take_step(&mut self, step: impl FnOnce(&mut Progress) -> bool) {
        if let Some(progress) = &mut self.progress {
            step(progress);
        }
    }

    /// The window as the lesson begins: its experiment, its model, its attacker, in the workspace that it takes place in. The
    /// frontier has what was recorded: of runs of one's own nobody knows what there is to be seen.
    pub(super) fn begin_lesson(&mut self, lesson: Arc<Lesson>) -> Result<()> {
        let start = &lesson.start;
        let experiment: Experiment = start.experiment()?;
        self.document.take(experiment);
        self.showing.defended = start.defended;
        self.showing.adaptive = start.adaptive;
        self.showing.untrained = !start.trained;
        self.showing.attack = attack(&start.attacker).map(|kind| kind.id);
        self.showing.image = Shown::default();
        self.view.pad = super::stage::pad::PadView::default();
        self.go_to(match start.workspace {
            lesson::Workspace::Decide => Workspace::Decide,
            lesson::Workspace::Attack => Workspace::Attack,
            lesson::Workspace::Teach => Workspace::Teach,
        });
        if start.workspace == lesson::Workspace::Decide {
            workspace::show(&mut self.tree, Pane::Frontier);
        }
        self.view.frontier = FrontierView::recorded();
        self.look(Source::Live);
        self.progress = Some(Progress::new(lesson));
        Ok(())
    }

    /// Looks whether what the lesson asks for has been done. `moment` is what the window shows.
    pub(super) fn follow_lesson(&mut self, moment: Option<Moment>) {
        let (Some(progress), Some(moment)) = (&mut self.progress, moment) else { return };
        if progress.see(&moment) {
            let notice = progress.step().map(|step| step.notice.clone()).unwrap_or_default();
            self.said = t!("Done. {notice}", notice);
            self.memory.lesson = Some(progress.saved());
            self.remember();
        }
    }
}

/// What a lesson sees of the window, whose wipe was moved so often; none where there is no lesson.
pub(super) fn moment(look: Look<'_>, deeds: &mut Deeds, wiped: usize, frontier: &FrontierView) -> Option<Moment> {
    look.lesson?;
    let experiment = look.document.experiment();
    if deeds.settings.as_ref().is_none_or(|(of, _)| of != experiment) {
        deeds.settings = Some((experiment.clone(), numbers(experiment)));
    }
    let settings = deeds.settings.as_ref().map(|(_, settings)| settings.clone()).unwrap_or_default();
    let showing = look.showing;
    let scene = showing.scene.as_ref();
    let answered = scene.filter(|_| !showing.waits);
    let progress = answered.and_then(|scene| scene.progress.as_ref());
    let band = said(look);
    let (drawn, image) = match &showing.image {
        Shown::Own(picture) => (picture.has_content(), 0),
        Shown::Patient(at) => (false, at + 1),
    };
    let cut = if showing.source == Source::Opening { experiment.first_cut() } else { experiment.model.cut };
    Some(Moment {
        drawn,
        strokes: deeds.strokes,
        image,
        cut,
        defended: look.defended(),
        adaptive: showing.adaptive && look.defended(),
        attacker: answered.map_or_else(|| showing.attack().to_owned(), |scene| scene.stamp.kind.clone()),
        trained: answered.map_or(!showing.untrained, |scene| scene.stamp.trained.is_some()),
        source: match showing.source {
            Source::Opening => lesson::Source::Opening,
            Source::Live => lesson::Source::Live,
            Source::Run => lesson::Source::Run,
        },
        step: progress.map_or(0, |progress| progress.iteration),
        planned: progress.map_or(0, |progress| progress.planned),
        recognised: match band.says {
            Says::Recognised => Some(true),
            Says::Guess => Some(false),
            Says::TooWeak | Says::Waiting => None,
        },
        judged: band.says != Says::Waiting,
        labelled: answered.is_some_and(|scene| !scene.labels.is_empty()),
        ssim: showing.shown_score().map(|score| score.ssim),
        run: match look.state.status {
            Status::Fresh => RunStatus::None,
            Status::Going => RunStatus::Going,
            Status::Done => RunStatus::Done,
            Status::Stopped => RunStatus::Stopped,
            Status::Failed => RunStatus::Failed,
        },
        epochs: look.state.epochs.iter().map(|(_, row)| row.epoch).max().unwrap_or(0),
        stepped: deeds.stepped,
        wiped,
        played: deeds.played,
        workspace: match look.workspace {
            Workspace::Teach => lesson::Workspace::Teach,
            Workspace::Attack => lesson::Workspace::Attack,
            Workspace::Decide => lesson::Workspace::Decide,
        },
        scored: if frontier.scored == Scored::Naive { lesson::Scored::Naive } else { lesson::Scored::All },
        leak: Leak::ALL
            .into_iter()
            .zip(LEAKS)
            .find(|(leak, _)| *leak == frontier.leak)
            .map_or("", |one| one.1)
            .to_owned(),
        point: frontier.chosen.map_or(0, |setting| setting + 1),
        settings,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::test_look::Shop;
    use crate::experiment::fixture::GAMMA;

    #[test]
    fn a_lever_that_is_still_held_counts_as_it_stands() {
        let progress = Progress::new(Arc::new(lesson::find("disguise").unwrap()));
        let (mut shop, mut deeds) = (Shop::default(), Deeds::default());
        let mut seen = |shop: &Shop| {
            let look = Look { lesson: Some(&progress), ..shop.look() };
            moment(look, &mut deeds, 0, &FrontierView::default()).unwrap().settings[GAMMA]
        };
        let before = seen(&shop);
        for value in ["0.2", "0.3"] {
            // Never let go of between the two.
            shop.document.set(GAMMA, value).unwrap();
            assert!((seen(&shop) - value.parse::<f64>().unwrap()).abs() < 1e-12, "{value}");
        }
        assert!(shop.document.undo());
        assert!((seen(&shop) - before).abs() < 1e-12);
    }
}

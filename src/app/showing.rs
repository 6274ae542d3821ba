//! What the stage shows: one image's way, from a run or from the live mirror, and how it came to be.

use std::sync::Arc;

use super::words::{decimal, named};
use crate::live::Shown;
use crate::run::facts::Facts;
use crate::run::scene::{Lineup, Picture, Scene};
use crate::score::image::Score;
use crate::score::judging::psnr_of;
use crate::score::metrics::{PSNR, SSIM};
use crate::workbench;

/// Pictures that a film keeps; a longer one loses every other.
const FRAMES: usize = 200;

/// Where the stage's pictures come from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Source {
    /// The opening attack: undefended, cut as early as can be.
    #[default]
    Opening,
    /// The live mirror, under the present levers.
    Live,
    /// The run.
    Run,
}

/// What the stage shows.
#[derive(Clone, Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "independent choices and facts, each with its own control")]
pub struct Showing {
    /// Where the pictures come from.
    pub source: Source,
    /// The latest.
    pub scene: Option<Scene>,
    /// How near the reconstruction in them is.
    pub score: Option<Score>,
    /// What is known of the experiment once its data are loaded.
    pub facts: Option<Arc<Facts>>,
    /// Why the levers' present position cannot be shown.
    pub trouble: Option<String>,
    /// Whether the question has changed since the pictures were made: they belong to the last one.
    pub waits: bool,
    /// Whether what was stolen is of an earlier moment than the rest.
    pub kept: bool,
    /// The reconstruction as it emerged.
    pub film: Film,
    /// Defended, or undefended.
    pub defended: bool,
    /// Who attacks in the live mirror, by the attack's name; none for the first of all.
    pub attack: Option<&'static str>,
    /// Whether the attacker knows the defence.
    pub adaptive: bool,
    /// Whether the live mirror is to use fresh weights though there are trained ones.
    pub untrained: bool,
    /// Which image.
    pub image: Shown,
    /// Counts what was seen, so that textures are made once.
    pub generation: u64,
}

/// One reconstruction, from its beginning.
#[derive(Clone, Debug, Default)]
pub struct Film {
    /// The attack in words and what it was made under: another one is another film.
    of: Option<(String, Picture, bool, usize)>,
    /// Iteration and picture.
    pub frames: Vec<(usize, Picture)>,
    /// Every so many scenes one is kept.
    every: usize,
    count: usize,
    /// The frame that is shown; none follows the latest.
    pub pinned: Option<usize>,
    /// Whether it plays.
    pub playing: bool,
}

impl Showing {
    /// Takes the latest scene. One of training has nothing stolen: what the last attack stole stays beside it.
    pub fn see(&mut self, mut scene: Scene) {
        self.film.add(&scene);
        let before = self.scene.take().filter(|before| {
            self.source == Source::Run
                && scene.progress.is_none()
                && before.original == scene.original
                && before.stamp.defended == scene.stamp.defended
        });
        self.kept = before.as_ref().is_some_and(|before| !before.reconstruction.is_empty());
        if let Some(before) = before {
            scene.reconstruction = before.reconstruction;
            scene.progress = before.progress;
            scene.lineup = before.lineup;
            scene.stamp.adaptive = before.stamp.adaptive;
            scene.stamp.attack = before.stamp.attack;
            scene.stamp.kind = before.stamp.kind;
        }
        self.score = scene.original.score_of(&scene.reconstruction);
        self.scene = Some(scene);
        self.generation += 1;
        self.trouble = None;
        self.waits = false;
    }

    /// Takes that the question cannot be answered, and why. Pictures of an earlier question would be mistaken for it.
    pub fn fail(&mut self, trouble: String) {
        if std::mem::take(&mut self.waits) {
            self.clear();
        }
        self.trouble = Some(trouble);
    }

    /// Puts all pictures away.
    pub fn clear(&mut self) {
        self.scene = None;
        self.score = None;
        self.kept = false;
        self.film = Film::default();
        self.generation += 1;
    }

    /// Pixels of the image along its longer side; 0 while it is not known.
    pub fn pixels(&self) -> usize {
        let scene = self.scene.as_ref().map(|scene| &scene.original);
        let picture = scene.or(self.facts.as_ref().map(|facts| &facts.patient));
        picture.map_or(0, |picture| picture.shape[1].max(picture.shape[2]))
    }

    /// Who attacks in the live mirror, by the attack's name.
    pub fn attack(&self) -> &'static str {
        self.attack.unwrap_or(workbench::attacks()[0].id)
    }

    /// Whether the shown image is blank, so that there is nothing to steal.
    pub fn nothing_to_steal(&self) -> bool {
        self.scene.as_ref().is_some_and(|scene| !scene.original.has_content())
    }

    /// How many images the gradient is of that the shown attacker sees; 0 where it sees none, but the wire.
    pub fn gradient_of(&self) -> usize {
        self.scene.as_ref().map_or(0, |scene| scene.stamp.batch)
    }

    /// The reconstruction to draw: the latest, or the film's pinned frame.
    pub fn reconstruction(&self) -> Option<&Picture> {
        let pinned = self.film.pinned.and_then(|at| self.film.frames.get(at)).map(|frame| &frame.1);
        pinned.or_else(|| self.scene.as_ref().map(|scene| &scene.reconstruction)).filter(|picture| !picture.is_empty())
    }

    /// What came of the attack, in a sentence.
    pub fn words(&self) -> String {
        if let Some(trouble) = &self.trouble {
            return t!("This cannot be shown: {trouble}", trouble);
        }
        if self.nothing_to_steal() {
            return t!("The image is blank: there is nothing to steal").to_owned();
        }
        let Some(score) = self.score else { return String::new() };
        let lineup = self.scene.as_ref().and_then(|scene| scene.lineup.as_ref()).and_then(Lineup::correct);
        let lineup = lineup
            .map_or("", |correct| if correct { t!(", picked from 8: correct") } else { t!(", picked from 8: wrong") });
        let psnr = PSNR.with_unit(&decimal(psnr_of(score.mse), PSNR.short));
        t!("The stolen image is at {psnr}, {ssim}{lineup}", psnr, ssim = named(&SSIM, score.ssim), lineup)
    }

    /// The line-up as the drawn reconstruction has it; none while the question has another answer to come.
    pub fn shown_lineup(&self) -> Option<Lineup> {
        let lineup = self.scene.as_ref().filter(|_| !self.waits)?.lineup.as_ref()?;
        Some(match (self.film.pinned, self.reconstruction()) {
            (Some(_), Some(pinned)) => lineup.judged(pinned),
            _ => lineup.clone(),
        })
    }

    /// How near the drawn reconstruction is to the original; none while the question has another answer to come.
    pub fn shown_score(&self) -> Option<Score> {
        match (self.film.pinned, &self.scene) {
            _ if self.waits => None,
            (Some(_), Some(scene)) => scene.original.score_of(self.reconstruction()?),
            _ => self.score,
        }
    }
}

impl Film {
    fn add(&mut self, scene: &Scene) {
        let Some(progress) = scene.progress.as_ref().filter(|_| !scene.reconstruction.is_empty()) else { return };
        let of = (progress.attack.clone(), scene.original.clone(), scene.stamp.defended, scene.stamp.cut);
        let last = self.frames.last().map_or(0, |frame| frame.0);
        if self.of.as_ref() != Some(&of) || progress.iteration < last {
            *self = Self { of: Some(of), every: 1, ..Self::default() };
        }
        self.count += 1;
        if !self.count.is_multiple_of(self.every) && progress.iteration < progress.planned {
            return;
        }
        if self.frames.len() >= FRAMES {
            let mut keep = true;
            self.frames.retain(|_| {
                keep = !keep;
                !keep
            });
            self.every *= 2;
            self.pinned = self.pinned.map(|at| at / 2);
        }
        self.frames.push((progress.iteration, scene.reconstruction.clone()));
    }

    /// The image that the film is of.
    pub fn patient(&self) -> Option<&Picture> {
        self.of.as_ref().map(|of| &of.1)
    }

    /// One frame on, or back; at its end the film follows the latest again.
    pub fn step(&mut self, by: isize) {
        if self.frames.is_empty() {
            return;
        }
        let last = self.frames.len() - 1;
        let at = self.pinned.unwrap_or(last).saturating_add_signed(by).min(last);
        self.pinned = (at < last).then_some(at);
        if self.pinned.is_none() {
            self.playing = false;
        }
    }

    /// Plays from the beginning, or from where it is pinned; or stops.
    pub fn play(&mut self) {
        self.playing = !self.playing && self.frames.len() > 1;
        if self.playing && self.pinned.is_none() {
            self.pinned = Some(0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::scene::AttackProgress;

    fn scene(iteration: usize, value: f32) -> Scene {
        let values = |v: f32| (0..144).map(|i| if i % 2 == 0 { v - 0.05 } else { v + 0.05 }).collect();
        let picture = |v| Picture { shape: [1, 12, 12], values: values(v) };
        let progress = AttackProgress { attack: "rmle".to_owned(), iteration, planned: 5000, loss: 0.1 };
        Scene { original: picture(0.5), reconstruction: picture(value), progress: Some(progress), ..Scene::default() }
    }

    #[test]
    fn the_reconstruction_is_scored_where_it_can_be() {
        let mut showing = Showing::default();
        showing.see(scene(1, 0.6));
        assert!((showing.score.as_ref().map_or(0.0, |score| score.psnr) - 20.0).abs() < 1e-3);
        showing.see(Scene { original: scene(0, 0.0).original, ..Scene::default() });
        assert!(showing.score.is_none() && showing.reconstruction().is_none());
    }

    #[test]
    fn a_changed_question_takes_its_numbers_with_it() {
        let mut showing = Showing { source: Source::Live, ..Showing::default() };
        showing.see(Scene { lineup: Some(Lineup::default()), ..scene(9, 0.6) });
        assert!(showing.shown_score().is_some() && showing.shown_lineup().is_some());
        showing.waits = true;
        assert!(showing.shown_score().is_none() && showing.shown_lineup().is_none());
        assert!(showing.reconstruction().is_some(), "the pictures stay until there are others");
        showing.see(scene(1, 0.7));
        assert!(showing.shown_score().is_some());
        // An answer that breaks off leaves what it came to; no answer leaves nothing.
        showing.fail("it diverged".to_owned());
        assert!(showing.reconstruction().is_some());
        showing.waits = true;
        showing.fail("no such data".to_owned());
        assert!(showing.scene.is_none() && showing.score.is_none() && showing.film.frames.is_empty());
        assert_eq!(showing.words(), "This cannot be shown: no such data");
    }

    #[test]
    fn of_a_blank_canvas_nothing_is_told_but_that() {
        let mut showing = Showing::default();
        let blank = Picture { shape: [1, 12, 12], values: vec![0.0; 144] };
        showing.see(Scene { original: blank.clone(), ..scene(9, 0.6) });
        assert!(showing.nothing_to_steal() && showing.shown_score().is_none());
        assert_eq!(showing.words(), "The image is blank: there is nothing to steal");
        showing.see(scene(9, 0.6));
        assert!(!showing.nothing_to_steal() && showing.shown_score().is_some());
    }

    #[test]
    fn what_was_stolen_stays_while_training_goes_on() {
        let mut showing = Showing { source: Source::Run, ..Showing::default() };
        showing.see(scene(9, 0.6));
        let training = Scene { original: scene(0, 0.0).original, ..Scene::default() };
        showing.see(training.clone());
        showing.see(training.clone());
        assert!(showing.reconstruction().is_some() && showing.score.is_some());
        assert_eq!(showing.film.frames.len(), 1, "the film is of the attack alone");
        let mut other = training;
        other.stamp.defended = true;
        showing.see(other);
        assert!(showing.reconstruction().is_none());
    }

    #[test]
    fn a_film_is_thinned_stepped_and_begun_anew() {
        let mut showing = Showing::default();
        for i in 1..=1000 {
            showing.see(scene(i, i as f32 / 2000.0));
        }
        let film = &mut showing.film;
        assert!(film.frames.len() <= FRAMES && film.frames.len() > FRAMES / 3, "{}", film.frames.len());
        assert_eq!(film.frames[0].0, 1);
        film.step(-1);
        assert!(film.pinned.is_some());
        film.step(1);
        assert_eq!(film.pinned, None);
        film.play();
        assert_eq!((film.pinned, film.playing), (Some(0), true));
        assert!(showing.shown_score().unwrap().psnr < showing.score.as_ref().unwrap().psnr);
        showing.see(scene(1, 0.1));
        assert_eq!((showing.film.frames.len(), showing.film.pinned), (1, None));
    }
}

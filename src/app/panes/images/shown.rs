//! Galleries made ready for drawing: textures, scores and words, made once.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use eframe::egui::{ColorImage, Context, TextureHandle, TextureOptions};

use crate::app::state::State;
use crate::app::textures::image;
use crate::app::words::{named, phase};
use crate::data::Noun;
use crate::run::scene::Gallery;
use crate::run::scene::Picture;
use crate::run::summary::AttackRecord;
use crate::score::image::Score;
use crate::score::metrics::SSIM;
use crate::texts::say;

/// Time that a frame spends on new galleries at most; one is made at least.
const BUDGET: Duration = Duration::from_millis(3);

/// A gallery made ready.
pub(super) struct Shown {
    pub originals: Vec<Option<TextureHandle>>,
    pub sent: Vec<Option<TextureHandle>>,
    pub stolen: Vec<Option<TextureHandle>>,
    /// How near each stolen image is.
    pub scores: Vec<Option<Score>>,
    /// What each stolen image is, for those who do not see it.
    pub alt: Vec<String>,
    /// The scores in words.
    pub words: Vec<String>,
}

/// All galleries of a run, as far as they are ready.
#[derive(Default)]
pub(super) struct Cache {
    /// The run: its title and its folder.
    of: Option<(String, Option<PathBuf>)>,
    ready: Vec<Shown>,
}

impl Cache {
    /// Makes what is new, a few milliseconds a frame. True where the galleries are those of another run.
    pub fn prepare(&mut self, ctx: &Context, state: &State, noun: Noun) -> bool {
        let same = self.of.as_ref().is_some_and(|of| of.0 == state.title && of.1 == state.folder);
        let another = !same || state.galleries.len() < self.ready.len();
        if another {
            *self = Self { of: Some((state.title.clone(), state.folder.clone())), ready: Vec::new() };
        }
        let begin = Instant::now();
        while let Some(gallery) = state.galleries.get(self.ready.len()) {
            let shown = self.shown(ctx, &state.galleries, gallery, noun);
            self.ready.push(shown);
            if begin.elapsed() > BUDGET {
                break;
            }
        }
        if self.ready.len() < state.galleries.len() {
            ctx.request_repaint();
        }
        another
    }

    /// The galleries that are ready, in the state's order.
    pub fn ready(&self) -> &[Shown] {
        &self.ready
    }

    fn shown(&self, ctx: &Context, all: &[Gallery], gallery: &Gallery, noun: Noun) -> Shown {
        // The same images are attacked again and again.
        let before = |pictures: fn(&Gallery) -> &Vec<Picture>| {
            all[..self.ready.len()].iter().position(|other| pictures(other) == pictures(gallery))
        };
        let put = |pictures: &[Picture]| pictures.iter().map(|one| texture(ctx, image(one))).collect::<Vec<_>>();
        let originals = before(|gallery| &gallery.originals);
        let sent = before(|gallery| &gallery.sent);
        let score = |i: usize| gallery.originals.get(i)?.score_of(gallery.stolen.get(i)?);
        let scores: Vec<Option<Score>> = (0..gallery.stolen.len()).map(score).collect();
        let words: Vec<String> =
            scores.iter().map(|score| named(&SSIM, score.map_or(f64::NAN, |score| score.ssim))).collect();
        let mode = if gallery.adaptive { t!("adaptive") } else { t!("naive") };
        let alt = |(i, words): (usize, &String)| {
            let (one, name) = (say(noun.one), &gallery.name);
            t!(
                "{one} {i}, stolen by {name}, {mode}, after epoch {epoch}: {words}",
                one,
                i = i + 1,
                name,
                mode,
                epoch = gallery.epoch,
                words
            )
        };
        Shown {
            originals: originals.map_or_else(|| put(&gallery.originals), |i| self.ready[i].originals.clone()),
            sent: sent.map_or_else(|| put(&gallery.sent), |i| self.ready[i].sent.clone()),
            stolen: put(&gallery.stolen),
            alt: words.iter().enumerate().map(alt).collect(),
            scores,
            words,
        }
    }
}

/// A texture, each pixel sharp.
pub(super) fn texture(ctx: &Context, image: Option<ColorImage>) -> Option<TextureHandle> {
    Some(ctx.load_texture("gallery", image?, TextureOptions::NEAREST))
}

/// The record of gallery `at`. The same attack launched at the finished run has a gallery and a record
/// of its own, and its latest overwrites its pictures.
pub(super) fn record_of(state: &State, at: usize) -> Option<&AttackRecord> {
    let gallery = state.galleries.get(at)?;
    let key = |name: &str, adaptive, target: &str, epoch| {
        name == gallery.name && adaptive == gallery.adaptive && target == gallery.target && epoch == gallery.epoch
    };
    let again = state.galleries[at + 1..].iter().any(|g| key(&g.name, g.adaptive, &g.target, g.epoch));
    let nth = state.galleries[..at].iter().filter(|g| key(&g.name, g.adaptive, &g.target, g.epoch)).count();
    let mut records = state.attacks.iter().filter(|r| key(&r.name, r.adaptive, &r.target, r.epoch));
    if again { records.nth(nth) } else { records.next_back() }
}

/// What is said of an attack at a defence, in a word, and why; none where there is no defence or nothing to say.
pub(super) fn stamp(state: &State, record: &AttackRecord) -> Option<(&'static str, String)> {
    if record.target == "vanilla" {
        return None;
    }
    let place = state.attacks.iter().position(|other| std::ptr::eq(other, record))?;
    let judgement = state.judgement();
    let ruling = judgement.rulings.get(place)?.as_ref()?;
    Some((say(ruling.standing.word()), phase(&ruling.why)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::panes::images::tests::{gallery, record, state};
    use crate::experiment::fixture::DEFENDED;

    #[test]
    fn galleries_are_scored_once_and_anew_for_another_run() {
        let (ctx, mut cache, mut state) = (Context::default(), Cache::default(), state());
        assert!(cache.prepare(&ctx, &state, Noun::of("mnist")));
        while cache.ready().len() < state.galleries.len() {
            assert!(!cache.prepare(&ctx, &state, Noun::of("mnist")));
        }
        let first = &cache.ready()[0];
        assert_eq!(first.scores.len(), 3);
        assert!(first.scores[0].unwrap().ssim > 0.99 && first.scores[1].unwrap().ssim < 0.9);
        let id = |shown: &Shown| shown.originals[0].as_ref().unwrap().id();
        assert_eq!(id(first), id(&cache.ready()[1]));
        let before = id(first);
        assert!(!cache.prepare(&ctx, &state, Noun::of("mnist")) && id(&cache.ready()[0]) == before);
        state.title = "another".to_owned();
        assert!(cache.prepare(&ctx, &state, Noun::of("mnist")));
        assert_ne!(id(&cache.ready()[0]), before);
    }

    #[test]
    fn an_attack_launched_again_has_its_own_record() {
        let mut state = state();
        let count = state.galleries.len();
        state.galleries.push(gallery("rmle", true, DEFENDED, 2, 0.5));
        state.attacks.push(AttackRecord { lineup: Some(1.0), ..record("rmle", true, DEFENDED, 2) });
        state.attacks.push(AttackRecord { lineup: Some(2.0), ..record("rmle", true, DEFENDED, 2) });
        assert_eq!(record_of(&state, 0).unwrap().lineup, Some(87.5));
        assert_eq!(record_of(&state, count).unwrap().lineup, Some(2.0));
        assert_eq!(record_of(&state, 99), None);
    }

    #[test]
    fn a_stamp_is_the_one_judges_word() {
        let state = state();
        let judgement = state.judgement();
        for (record, ruling) in state.attacks.iter().zip(&judgement.rulings) {
            let word = stamp(&state, record).map(|stamp| stamp.0);
            let wanted = ruling.as_ref().filter(|_| record.target == DEFENDED).map(|ruling| ruling.standing.word());
            assert_eq!(word, wanted, "{record:?}");
        }
        assert_eq!(stamp(&state, &record("rmle", true, DEFENDED, 2)), None, "a record of no run");
    }
}

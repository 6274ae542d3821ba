//! What those who watch a run see of its accuracy while it trains: every few seconds, on a fixed few held-out images.
//!
//! Copies of the models answer, so nothing of it reaches the training, the checkpoint or a file; a few images are a
//! slice, so that a Stop need not wait; and it takes a small share of the time, so that with slow models the points
//! come less often instead of the training.

use std::time::{Duration, Instant};

use super::control::guarded;
use super::event::Event;
use super::held_out::{Asked, HELD_OUT, LiveRow, Round};
use super::session::Session;
use super::steps::three_streams;
use crate::error::Result;
use crate::random::At;
use crate::split::SplitModel;

/// From the beginning of a round to that of the next.
const EVERY: Duration = Duration::from_secs(2);
/// The same at the beginning of a run, when most changes; it grows with the run.
const SOON: Duration = Duration::from_millis(500);
/// Seconds that may be spent before there is a share of anything, so that the first points come soon.
const FIRST_SECS: f64 = 1.0;
/// The share of the run's other work that may be spent after.
const SHARE: f64 = 0.15;
/// Seconds that a slice is to take.
const SLICE_SECS: f64 = 0.02;
/// Images in the first slice, before it is known what one costs.
const FEW: usize = 4;

impl Session {
    /// Takes a slice of the live evaluation, where somebody watches and one is due. It must not change how a run ends:
    /// where it fails, the run goes on without.
    pub fn watch(&mut self) {
        if !self.watch_due() {
            return;
        }
        let start = Instant::now();
        if let Err(error) = guarded(|| self.watch_slice()) {
            tracing::warn!("the held-out images cannot be asked about: {error}");
            self.watch.off = true;
        }
        self.watch.spent += start.elapsed().as_secs_f64();
    }

    fn watch_due(&self) -> bool {
        let watch = &self.watch;
        let wanted = self.sink.slots.watched() && !watch.off && !self.setup.watched.is_empty();
        if !wanted || watch.spent > FIRST_SECS + SHARE * self.speeds.worked() {
            return false;
        }
        // Amid a step a client may be ahead of its server.
        let between_steps = self.position.courses.iter().all(|course| !course.head_learnt);
        // Once all are trained they are asked a last time.
        let ended = self.turn().is_none();
        let due = watch.began.is_none_or(|[first, last]| ended || last.elapsed() >= pause(first.elapsed()));
        watch.round.is_some() || due && between_steps && self.learnt_since()
    }

    /// Whether any model has learnt since it was last asked.
    fn learnt_since(&self) -> bool {
        let an_epoch = self.steps_an_epoch();
        let asked = |i: usize| self.watch.asked.get(i).and_then(|asked| asked.step);
        self.position.courses.iter().enumerate().any(|(i, course)| asked(i) != Some(course.steps(an_epoch)))
    }

    fn watch_slice(&mut self) -> Result<()> {
        let Some(mut round) = self.watch.round.take() else { return self.begin_round() };
        let Some(&i) = round.waiting.front() else { return Ok(()) };
        let images = &self.setup.watched;
        let asked = &mut self.watch.asked[i];
        let Some(copy) = &asked.copy else { return Ok(()) };
        let start = Instant::now();
        let to = (round.images + asked.at_once).min(images.len());
        let samples: Vec<usize> = (round.images..to).collect();
        let (x, _) = images.batch(&samples, &self.setup.device)?;
        let draw = self.position.courses[i].epoch;
        let answer = copy.answer(&x, At::Ask { samples: &samples, draw })?;
        let streams = three_streams(&answer)?;
        let several = streams.is_some();
        let [a, r, f] = streams.unwrap_or_default();
        let truth = &images.labels()[round.images..to];
        for (right, classes) in round.right.iter_mut().zip([answer.predicted()?, a, r, f]) {
            *right += classes.iter().zip(truth).filter(|(a, b)| a == b).count();
        }
        let each = start.elapsed().as_secs_f64() / (to - round.images) as f64;
        asked.at_once = ((SLICE_SECS / each.max(1e-9)) as usize).clamp(1, HELD_OUT);
        round.images = to;
        let ended = to == images.len();
        if ended {
            let [decision, a, r, f] = round.right;
            let (model, step) = (copy.plan.name.clone(), asked.step.unwrap_or_default());
            let streams = several.then_some([a, r, f]);
            let row = LiveRow { model, step, images: to, decision, streams };
            round.waiting.pop_front();
            (round.images, round.right) = (0, [0; 4]);
            self.emit(Event::Live(vec![row]));
        }
        self.watch.round = (!round.waiting.is_empty()).then_some(round);
        Ok(())
    }

    /// Copies every model that has learnt since it was last asked, all at the same moment.
    fn begin_round(&mut self) -> Result<()> {
        let mut round = Round::default();
        let an_epoch = self.steps_an_epoch();
        self.watch.asked.resize_with(self.models.len(), Asked::default);
        let now = Instant::now();
        self.watch.began = Some([self.watch.began.map_or(now, |[first, _]| first), now]);
        for (i, (model, asked)) in self.models.iter().zip(&mut self.watch.asked).enumerate() {
            let step = self.position.courses[i].steps(an_epoch);
            if asked.step == Some(step) {
                continue;
            }
            let copy = match asked.copy.take() {
                Some(copy) => copy,
                None => SplitModel::new(model.plan.clone(), self.setup.seed(), &self.setup.device)?,
            };
            *asked = Asked { step: Some(step), at_once: asked.at_once.max(FEW), copy: Some(copied(model, copy)?) };
            round.waiting.push_back(i);
        }
        self.watch.round = (!round.waiting.is_empty()).then_some(round);
        Ok(())
    }
}

/// From one round to the next, so long after the first.
fn pause(gone: Duration) -> Duration {
    (SOON + gone / 4).min(EVERY)
}

/// The copy, with all that the model's answers depend on.
fn copied(model: &SplitModel, mut copy: SplitModel) -> Result<SplitModel> {
    copy.client.parameters().load(&model.client.parameters().snapshot()?)?;
    copy.server.parameters().load(&model.server.parameters().snapshot()?)?;
    if let Some(votes) = model.server.votes() {
        copy.server.set_votes(&votes);
    }
    copy.load_defences(&model.defence_state()?)?;
    Ok(copy)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounds_come_often_at_first() {
        let mut at = Duration::ZERO;
        let mut rounds = 0;
        while at < Duration::from_mins(1) {
            rounds += usize::from(at <= Duration::from_secs(3));
            assert!(pause(at) <= EVERY && pause(at) >= SOON);
            at += pause(at);
        }
        assert!(rounds >= 4, "{rounds} within three seconds");
    }
}

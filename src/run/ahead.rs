//! How long a run still takes, told from what its parts took so far.

use super::attack_order::{AttackId, forms, is_due};
use super::course::Stage;
use super::event::{Event, Progress};
use super::session::Session;
use super::summary::AttackRecord;

impl Session {
    /// Tells how far the present phase is, and how long the whole run still takes.
    pub(super) fn progress(&mut self, phase: String, done: usize, total: usize) {
        let mut untold = Vec::new();
        let parts = [self.training_left(&mut untold), self.attacks_left(&mut untold), self.table_left(&mut untold)];
        let seconds = parts.iter().sum::<f64>() * self.speeds.on_top(self.watch.spent);
        let seconds_left = (seconds > 0.0 || untold.is_empty()).then_some(seconds);
        self.emit(Event::Progress(Progress { phase, done, total, seconds_left, untold }));
    }

    fn training_left(&self, untold: &mut Vec<String>) -> f64 {
        let train = &self.setup.experiment.train;
        let mut seconds = 0.0;
        for (i, course) in self.position.courses.iter().enumerate().filter(|(_, course)| !course.done()) {
            let steps = train.epochs * self.steps_an_epoch() - course.steps(self.steps_an_epoch());
            let images = (train.epochs - course.epoch) * (self.setup.test.len() + self.setup.validation.len());
            let step = self.speeds.steps[i].each();
            // Before its first test: to learn from an image takes longer than to answer.
            let test = self.speeds.tests[i].each().or_else(|| Some(step? / train.batch as f64));
            match step.zip(test) {
                Some((step, test)) => seconds += steps as f64 * step + images as f64 * test,
                None if steps > 0 => untold.push(format!("training {}", self.models[i].plan.name)),
                None => {}
            }
        }
        seconds
    }

    /// Attacks that run, wait or are still to be ordered; one takes as long as those of its kind took.
    fn attacks_left(&self, untold: &mut Vec<String>) -> f64 {
        let mut seconds = 0.0;
        let mut running = None;
        if let Some(job) = self.attacks.active() {
            let progress = job.progress();
            let share = progress.iteration as f64 / progress.planned.max(1) as f64;
            let name = job.order.id.spec.name();
            if share > 0.0 {
                seconds += self.speeds.attack / share * (1.0 - share);
                running = Some((name, self.speeds.attack / share));
            } else {
                untold.push(name.to_owned());
            }
        }
        let waiting = self.attacks.waiting().iter().map(|order| kind(&order.id));
        for (name, adaptive, target) in waiting.chain(self.attacks_to_order()) {
            let estimate = self.attack_took(name, adaptive, target);
            match estimate.or_else(|| running.filter(|(running, _)| *running == name).map(|(_, seconds)| seconds)) {
                Some(one) => seconds += one,
                None if untold.iter().any(|other| other == name) => {}
                None => untold.push(name.to_owned()),
            }
        }
        seconds
    }

    fn attacks_to_order(&self) -> impl Iterator<Item = (&str, bool, &str)> {
        let last = self.setup.experiment.train.epochs;
        self.models.iter().zip(&self.position.courses).flat_map(move |(model, course)| {
            let first = match course.stage {
                Stage::Order => course.epoch,
                Stage::Train | Stage::Test => course.epoch + 1,
                Stage::Done => last + 1,
            };
            self.setup.experiment.attacks.iter().flat_map(move |spec| {
                let epochs = (first..=last).filter(move |epoch| is_due(spec, *epoch, last));
                let defended = model.plan.defended();
                epochs
                    .flat_map(move |_| forms(spec, defended))
                    .map(|form| (spec.name(), form, model.plan.name.as_str()))
            })
        })
    }

    /// Seconds that such an attack took: the same one, else the same at any model, else any of its name.
    fn attack_took(&self, name: &str, adaptive: bool, target: &str) -> Option<f64> {
        let mean = |fits: &dyn Fn(&AttackRecord) -> bool| {
            let ended = self.position.attacks.iter().zip(&self.times.attacks);
            // Those of a session whose times were lost have none.
            let took = ended.filter(|(record, seconds)| **seconds > 0.0 && record.name == name && fits(record));
            let (sum, count) = took.fold((0.0, 0usize), |(sum, count), (_, seconds)| (sum + seconds, count + 1));
            (count > 0).then(|| sum / count as f64)
        };
        mean(&|record| record.adaptive == adaptive && record.target == target)
            .or_else(|| mean(&|record| record.adaptive == adaptive))
            .or_else(|| mean(&|_| true))
    }

    fn table_left(&self, untold: &mut Vec<String>) -> f64 {
        let left = self.setup.test.len().saturating_sub(self.speeds.judged);
        if let Some(each) = self.speeds.table.each() {
            left as f64 * each
        } else {
            untold.push("the table".to_owned());
            0.0
        }
    }
}

fn kind(id: &AttackId) -> (&str, bool, &str) {
    (id.spec.name(), id.adaptive, &id.target)
}

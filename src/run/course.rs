//! How far each model's training is, and whose turn it is.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::model::seat::Seat;

/// How far one model's training is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Course {
    /// Whole epochs done.
    pub epoch: usize,
    /// What comes next in the epoch.
    pub stage: Stage,
    /// Training steps done in the epoch.
    pub step: usize,
    /// Whether the defences have done what they do before the epoch, where its first step has not been taken.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub ready: bool,
    /// Whether in the step that comes next the client's head has already learnt.
    #[serde(default)]
    pub head_learnt: bool,
    /// Right answers of the recovered, fused and attacked stream in this epoch's training batches, and samples.
    pub stream_hits: [u64; 4],
}

/// What comes next in an epoch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Stage {
    /// Order the attacks that are due after so many epochs.
    #[default]
    Order,
    /// Train.
    Train,
    /// Test.
    Test,
    /// Nothing: the model has been trained, and its last attacks are ordered.
    Done,
}

impl Course {
    /// Training steps done in all epochs, each of which has `an_epoch`.
    pub fn steps(&self, an_epoch: usize) -> usize {
        self.epoch * an_epoch + self.step
    }

    /// Ends an epoch: who sits in the server's chair is told how often its streams were right.
    pub fn end_epoch(&mut self, server: &mut dyn Seat) {
        let [r, f, a, _] = self.stream_hits;
        server.end_epoch(&[r, f, a].map(|hits| hits as f64));
        *self = Self { epoch: self.epoch + 1, ..Self::default() };
    }

    /// Whether the model has been trained.
    pub fn done(&self) -> bool {
        self.stage == Stage::Done
    }

    /// Whether the model has learnt anything: before, its weights are those that come from the seed.
    pub fn begun(&self) -> bool {
        self.epoch > 0 || self.step > 0 || self.head_learnt
    }
}

/// Which model is to go on: the one that has taken the fewest steps, the first of several; none once all are done.
///
/// It depends on the courses alone, so that a run which goes on takes the turns of one that was never interrupted. The
/// one whose turn it is keeps it until its step is whole.
pub fn turn(courses: &[Course], steps_an_epoch: usize) -> Option<usize> {
    let going = courses.iter().enumerate().filter(|(_, course)| !course.done());
    going.min_by_key(|(_, course)| course.steps(steps_an_epoch)).map(|(i, _)| i)
}

/// Gives each model its course in a position of a build that trained one model after another: it says which model is in
/// training and, where a course has them now, how far that one is. Other positions stay as they are.
///
/// # Errors
/// Returns an error if the position is damaged.
pub fn per_model(position: &mut Value) -> serde_json::Result<()> {
    let Some(at) = position.get("model").and_then(Value::as_u64) else { return Ok(()) };
    let present = Course::deserialize(&*position)?;
    let list = |name: &str| position.get(name).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    // They were tested in the order in which they were trained.
    let tested: Vec<&str> = list("epochs").iter().filter_map(|row| row.get("model")?.as_str()).collect();
    let mut names = tested.clone();
    names.dedup();
    let epochs = |i: usize| tested.iter().filter(|name| names.get(i) == Some(name)).count();
    let course = |i: usize| match (i as u64).cmp(&at) {
        std::cmp::Ordering::Less => Course { epoch: epochs(i), stage: Stage::Done, ..Course::default() },
        std::cmp::Ordering::Equal => present.clone(),
        std::cmp::Ordering::Greater => Course::default(),
    };
    // Bytes were counted for each model, trained or not.
    let courses: Vec<Course> = (0..list("wire").len()).map(course).collect();
    position["courses"] = serde_json::to_value(courses)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(epoch: usize, step: usize, stage: Stage) -> Course {
        Course { epoch, stage, step, ..Course::default() }
    }

    #[test]
    fn models_take_turns_step_by_step_and_a_step_is_not_parted() {
        let mut courses = [Course::default(), Course::default()];
        let mut turns = Vec::new();
        while let Some(i) = turn(&courses, 3) {
            let course = &mut courses[i];
            match course.stage {
                Stage::Order if course.epoch == 2 => course.stage = Stage::Done,
                Stage::Order => course.stage = Stage::Train,
                Stage::Train if course.step == 3 => course.stage = Stage::Test,
                // Three slices are a step.
                Stage::Train => {
                    for _ in 0..3 {
                        assert_eq!(turn(&courses, 3), Some(i));
                        courses[i].head_learnt = true;
                    }
                    courses[i].head_learnt = false;
                    courses[i].step += 1;
                    turns.push(i);
                }
                Stage::Test => *course = at(course.epoch + 1, 0, Stage::Order),
                Stage::Done => unreachable!(),
            }
        }
        assert_eq!(turns, [0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1]);
        // One that is behind catches up alone.
        assert_eq!(turn(&[at(1, 2, Stage::Train), at(1, 0, Stage::Test)], 3), Some(1));
        assert_eq!(turn(&[at(2, 0, Stage::Done), at(0, 0, Stage::Order)], 3), Some(1));
    }

    #[test]
    fn positions_of_one_model_after_another_give_each_its_course() {
        let mut position = serde_json::json!({
            "model": 1, "epoch": 1, "stage": "Train", "step": 5, "head_learnt": true, "stream_hits": [1, 2, 3, 4],
            "epochs": [{ "model": "dropout" }, { "model": "dropout" }, { "model": "vanilla" }],
            "wire": [{}, {}],
        });
        let courses = |position: &mut Value| -> Vec<Course> {
            per_model(position).unwrap();
            serde_json::from_value(position["courses"].clone()).unwrap()
        };
        let second = Course { head_learnt: true, stream_hits: [1, 2, 3, 4], ..at(1, 5, Stage::Train) };
        assert_eq!(courses(&mut position), [at(2, 0, Stage::Done), second.clone()]);
        position["model"] = 0.into();
        assert_eq!(courses(&mut position), [second, Course::default()]);
        position["model"] = 2.into();
        assert_eq!(courses(&mut position), [at(2, 0, Stage::Done), at(1, 0, Stage::Done)]);
        let mut new = serde_json::json!({ "courses": [] });
        per_model(&mut new).unwrap();
        assert_eq!(new, serde_json::json!({ "courses": [] }));
    }
}

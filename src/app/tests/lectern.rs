//! With large text in a small window a lesson's words and what they speak of are in sight at once.

use std::cmp::Ordering;
use std::sync::Arc;

use eframe::egui::{Rect, Shape, Theme};
use egui_kittest::kittest::Queryable as _;

use super::pictures::{drawn, looks, nothing_cut_off};
use super::*;
use crate::lesson::{Lesson, Part, Phase, Progress, Saved, Step, Taken, lessons};

/// Pixels and size of text: the smallest that the house promises, and one more.
const WINDOWS: [([f32; 2], f32); 2] = [([1280.0, 720.0], 1.5), ([1280.0, 800.0], 1.5)];

/// Where the line around what is lit up is drawn, as far as it is not cut off.
fn lit(window: &Window) -> Vec<(Rect, Rect)> {
    let color = window.harness.ctx.global_style().visuals.warn_fg_color;
    let shapes = window.harness.output().shapes.iter();
    let lines = shapes.filter_map(|clipped| match &clipped.shape {
        Shape::Rect(rect) if rect.stroke.color == color && rect.stroke.width == 3.0 => {
            Some((rect.rect, clipped.clip_rect))
        }
        _ => None,
    });
    lines.collect()
}

/// Puts a window before a step, its question answered or not, or all done.
fn put(window: &mut Window, lesson: &Lesson, at: usize, phase: Phase) {
    let before = Taken { answer: Some(0), done: true };
    let now = match phase {
        Phase::Ask => Taken::default(),
        Phase::Act => Taken { answer: Some(0), done: false },
        Phase::Notice => before,
    };
    let steps = (0..lesson.steps.len()).map(|i| match i.cmp(&at) {
        Ordering::Less => before,
        Ordering::Equal => now,
        Ordering::Greater => Taken::default(),
    });
    let saved = Saved { lesson: lesson.name.clone(), step: at, steps: steps.collect() };
    window.harness.state_mut().progress = Some(Progress::resumed(Arc::new(lesson.clone()), &saved));
    window.harness.run_steps(10);
}

/// What is to be read of a step in the phase that it is in.
fn words(step: &Step, phase: Phase) -> Vec<String> {
    let question = step.question.as_ref();
    match phase {
        Phase::Ask => {
            let answers = question.iter().flat_map(|question| question.answers.clone());
            [step.text.clone()]
                .into_iter()
                .chain(question.map(|question| question.ask.clone()))
                .chain(answers)
                .collect()
        }
        Phase::Act => vec![format!("Now: {}", step.action)],
        Phase::Notice => vec![step.notice.clone()],
    }
}

#[test]
fn words_and_what_they_speak_of_are_in_sight_at_once() {
    let mut window = Window::open(quick());
    window.rest();
    for lesson in lessons() {
        window.act(Act::Lesson(LessonAct::Begin(lesson.name.clone())));
        window.until("the lesson's pictures", |app| app.showing().scene.is_some() && !app.showing().waits);
        for (pixels, scale) in WINDOWS {
            looks(&mut window, pixels, Theme::Dark, scale);
            for (at, step) in lesson.steps.iter().enumerate() {
                for phase in [Phase::Ask, Phase::Act, Phase::Notice] {
                    put(&mut window, lesson, at, phase);
                    let phase = window.app().progress.as_ref().unwrap().phase();
                    in_sight(
                        &window,
                        step,
                        phase,
                        &format!("{} at {scale} in {pixels:?}, step {at}, {phase:?}", lesson.name),
                    );
                }
            }
        }
        // As one would see them.
        let picture = |window: &mut Window, at: usize, theme: Theme| {
            looks(window, [1280.0, 720.0], theme, 1.5);
            put(window, lesson, at, Phase::Ask);
            let name = format!("lesson-{}-{}-1280x720-at-150-{theme:?}", lesson.name, at + 1).to_lowercase();
            nothing_cut_off(window, &name);
            drawn(window, &name).is_some()
        };
        let last = lesson.steps.len() - 1;
        if ![(1, Theme::Dark), (last, Theme::Light)].into_iter().all(|(at, theme)| picture(&mut window, at, theme)) {
            return;
        }
        window.act(Act::Lesson(LessonAct::End));
    }
}

fn in_sight(window: &Window, step: &Step, phase: Phase, what: &str) {
    let screen = window.harness.ctx.content_rect().expand(1.0);
    let next = window.harness.get_by_label("Back").rect();
    assert!(screen.contains_rect(next), "{what}: the buttons are at {next:?}");
    for label in &words(step, phase) {
        let place = window.harness.get_by_label(label).rect();
        let above = place.bottom() <= next.top() + 1.0 && place.top() >= screen.top();
        assert!(above && screen.contains_rect(place), "{what}: \"{label}\" is at {place:?}, the buttons at {next:?}");
    }
    let lines = lit(window);
    assert_eq!(lines.len(), 1, "{what}: {:?}", step.lit);
    let (line, clip) = lines[0];
    let place = clip.intersect(screen).expand(8.0);
    assert!(
        place.contains_rect(line) || step.lit == Part::Run,
        "{what}: {:?} at {line:?} is not in {place:?}",
        step.lit
    );
}

#[test]
fn the_lesson_has_its_place_in_the_dock_again_once_there_is_room() {
    let mut window = Window::open(quick());
    window.rest();
    window.act(Act::Lesson(LessonAct::Begin("the-mirror".to_owned())));
    looks(&mut window, [1280.0, 720.0], Theme::Dark, 1.5);
    assert_eq!(window.harness.query_all_by_label("Leave the lesson").count(), 1, "once, beside the page");
    assert!(window.harness.query_by_label("Lesson").is_none(), "its tab is put away");
    window.harness.get_by_label("Curves");
    looks(&mut window, [1280.0, 800.0], Theme::Dark, 1.0);
    assert!(window.app().shows(Pane::Lesson));
    window.harness.get_by_label("Lesson");
    assert_eq!(window.harness.query_all_by_label("Leave the lesson").count(), 1);
    // Without one in progress the list of them is a pane like others.
    looks(&mut window, [1280.0, 720.0], Theme::Dark, 1.5);
    window.act(Act::Lesson(LessonAct::End));
    window.harness.run_steps(4);
    window.harness.get_by_label("Lesson");
}

#[test]
fn what_is_wider_than_its_pane_has_a_bar_that_is_seen() {
    let mut window = Window::sized(quick(), 1280.0, 720.0, |harness| harness);
    window.act(Act::Run);
    window.until("the end", |app| app.activity() == Activity::Idle);
    window.act(Act::Workspace(Workspace::Attack));
    window.rest();
    for (size, pixels, scale) in
        [("1280x720", [1280.0, 720.0], 1.0), ("1280x720-at-150", [1280.0, 720.0], 1.5), ("900", [900.0, 600.0], 1.0)]
    {
        for theme in [Theme::Dark, Theme::Light] {
            looks(&mut window, pixels, theme, scale);
            // Nobody points at it.
            window.harness.remove_cursor();
            window.harness.run_steps(4);
            nothing_cut_off(&window, size);
            if scale == 1.0 {
                let bars = bars(&window);
                assert!(bars.iter().any(|bar| bar.width() > 40.0), "{size}: {bars:?}");
            }
            if drawn(&mut window, &format!("attack-{size}-{theme:?}").to_lowercase()).is_none() {
                return;
            }
            if scale > 1.0 {
                for (pane, name) in [(Pane::Images, "images"), (Pane::Table, "table")] {
                    window.act(Act::Pane(pane));
                    window.harness.run_steps(6);
                    drawn(&mut window, &format!("attack-{name}-{size}-{theme:?}").to_lowercase());
                }
            }
        }
    }
}

/// Handles of bars that lie: filled, four points high.
fn bars(window: &Window) -> Vec<Rect> {
    let shapes = window.harness.output().shapes.iter();
    let filled = shapes.filter_map(|clipped| match &clipped.shape {
        Shape::Rect(rect) if rect.fill.a() > 60 && (rect.rect.height() - 4.0).abs() < 0.1 => Some(rect.rect),
        _ => None,
    });
    filled.collect()
}

//! Pictures of the three verdicts under the stolen image, and of each lesson's first step.

use eframe::egui::Theme;
use egui_kittest::kittest::Queryable as _;

use super::pictures::{drawn, looks, nothing_cut_off};
use super::*;
use crate::lesson::lessons;
use crate::score::record::{Each, Judged, Lead};
use crate::score::verdict::{Ruling, Standing};

/// Each with its size and scale.
const SIZES: [(&str, [f32; 2], f32); 3] =
    [("1280", [1280.0, 800.0], 1.0), ("1280-at-150", [1280.0, 800.0], 1.5), ("1920", [1920.0, 1080.0], 1.0)];

/// Lets the one judge say the same of all attacks of the shown run, which picked so many of 64 out of line-ups.
fn ruled(window: &mut Window, standing: Standing, picked: usize) {
    let state = &mut window.harness.state_mut().state;
    let each = Each { picked: (0..64).map(|i| Some(f64::from(u8::from(i < picked)))).collect(), ..Each::default() };
    let lead = Some(Lead { of: "lineup".to_owned(), ..Lead::default() });
    for record in &mut state.attacks {
        record.judged = Some(Judged { each: each.clone(), lead: lead.clone(), ..Judged::default() });
    }
    let ruling = Ruling { standing, why: "As this test has it.".to_owned() };
    let rulings = vec![Some(ruling); state.attacks.len()];
    let of = (state.attacks.len(), state.epochs.len(), state.summary.is_some());
    let judgement = state::Judgement { rulings, verdicts: Vec::new() };
    *state.judgement.lock().unwrap() = Some((of, Arc::new(judgement)));
}

#[test]
fn the_three_verdicts_under_the_stolen_image() {
    let mut experiment = quick();
    experiment.set("attack=[{ name = \"rmle\", images = 2, iterations = 200, early = [] }]").unwrap();
    let mut window = Window::open(experiment);
    window.act(Act::Run);
    window.until("the end", |app| app.activity() == Activity::Idle && app.state().summary.is_some());
    window.rest();
    for (standing, picked, words) in [
        (Standing::Broke, 61, "Recognised: 61 of 64"),
        (Standing::Held, 8, "No better than guessing from the label"),
        (Standing::TooWeak, 9, "Too weak to judge"),
    ] {
        ruled(&mut window, standing, picked);
        for ((size, pixels, scale), theme) in
            SIZES.iter().flat_map(|size| [Theme::Dark, Theme::Light].map(|t| (size, t)))
        {
            let name = format!("verdict-{standing:?}-{size}-{theme:?}").to_lowercase();
            looks(&mut window, *pixels, theme, *scale);
            window.harness.get_by_label(words);
            nothing_cut_off(&window, &name);
            if drawn(&mut window, &name).is_none() {
                return;
            }
        }
    }
}

#[test]
fn each_lessons_first_step() {
    for lesson in lessons() {
        let mut window = Window::open(quick());
        window.rest();
        window.act(Act::Lesson(LessonAct::Begin(lesson.name.clone())));
        window.until("the lesson's pictures", |app| app.showing().scene.is_some() && !app.showing().waits);
        assert_eq!(window.app().progress.as_ref().map(Progress::place), Some(0), "{}", lesson.name);
        window.harness.run_steps(8);
        for ((size, pixels, scale), theme) in
            [("1280x720", [1280.0, 720.0], 1.0), ("1280x720-at-150", [1280.0, 720.0], 1.5)]
                .into_iter()
                .flat_map(|size| [Theme::Dark, Theme::Light].map(|theme| (size, theme)))
        {
            let name = format!("lesson-{}-{size}-{theme:?}", lesson.name).to_lowercase();
            looks(&mut window, pixels, theme, scale);
            nothing_cut_off(&window, &name);
            if drawn(&mut window, &name).is_none() {
                return;
            }
        }
    }
}

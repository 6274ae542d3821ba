//! The lesson: what is to be known, a question before its effect, what to do, and what to notice. Without one, those that
//! there are.

use eframe::egui::{
    Button, Id, Label, ProgressBar, Rect, RichText, Role as Kind, ScrollArea, TextStyle, Ui, WidgetInfo, pos2, vec2,
};

use crate::app::LessonAct;
use crate::app::choice::selectable_if_ui;
use crate::app::lit::{Change, changed};
use crate::app::{Act, Look};
use crate::lesson::{Phase, Progress, Question, Step, lessons};

/// Size of what is read: a little larger than other text.
fn text(ui: &Ui) -> f32 {
    TextStyle::Body.resolve(ui.style()).size + 1.0
}

/// Height of the buttons below a step.
const WAY: f32 = 30.0;

/// Draws the lesson, or the list.
pub fn lesson_ui(ui: &mut Ui, look: Look<'_>, acts: &mut Vec<Act>) {
    let Some(progress) = look.lesson else {
        scrolled_ui(ui, 0.0, |ui| list_ui(ui, acts));
        return;
    };
    scrolled_ui(ui, WAY * text(ui) / 14.5, |ui| progress_ui(ui, progress, acts));
    // However long the step, the way on is in sight.
    way_ui(ui, progress, acts);
}

/// A column that is scrolled, with so much room left below it.
fn scrolled_ui(ui: &mut Ui, below: f32, contents: impl FnOnce(&mut Ui)) {
    let most = (ui.available_height() - below).max(WAY);
    ScrollArea::vertical().auto_shrink(false).max_height(most).show(ui, |ui| {
        ui.spacing_mut().item_spacing.y = 6.0;
        contents(ui);
    });
}

/// The lessons that come with the program.
fn list_ui(ui: &mut Ui, acts: &mut Vec<Act>) {
    ui.add(
        Label::new(t!("Seven lessons, a few minutes each: what split learning gives away, and how to see it.")).wrap(),
    );
    for (i, lesson) in lessons().iter().enumerate() {
        ui.separator();
        ui.horizontal_wrapped(|ui| {
            ui.label(RichText::new(format!("{}  {}", i + 1, lesson.title)).strong().size(text(ui)));
            ui.weak(t!("{minutes} minutes", minutes = lesson.minutes));
        });
        ui.add(Label::new(&lesson.summary).wrap());
        let button = ui.button(t!("Begin"));
        button.widget_info(|| WidgetInfo::labeled(Kind::Button, true, t!("Begin: {title}", title = lesson.title)));
        if button.on_hover_text(t!("The window is set up for it; Undo brings your experiment back")).clicked() {
            acts.push(Act::Lesson(LessonAct::Begin(lesson.name.clone())));
        }
    }
}

fn progress_ui(ui: &mut Ui, progress: &Progress, acts: &mut Vec<Act>) {
    let lesson = progress.lesson();
    let (at, of) = (progress.place() + 1, progress.steps().len());
    ui.horizontal_wrapped(|ui| {
        ui.label(RichText::new(&lesson.title).strong().size(text(ui) + 1.5));
        ui.weak(t!("step {step} of {steps}", step = at, steps = of));
        if ui
            .small_button(t!("Leave the lesson"))
            .on_hover_text(t!("Back to the list; the window stays as it is"))
            .clicked()
        {
            acts.push(Act::Lesson(LessonAct::End));
        }
    });
    let done = progress.steps().iter().filter(|taken| taken.done).count();
    let bar = ui.add(ProgressBar::new(done as f32 / of.max(1) as f32).desired_height(4.0));
    bar.widget_info(|| WidgetInfo::labeled(Kind::ProgressIndicator, true, t!("{done} of {of} steps done", done, of)));
    let Some(step) = progress.step() else { return };
    let phase = progress.phase();
    ui.add(Label::new(RichText::new(&step.text).size(text(ui))).wrap());
    if let Some(question) = &step.question {
        question_ui(ui, question, progress, phase, acts);
    }
    act_ui(ui, step, phase);
    follow_ui(ui, (progress.place(), phase));
}

/// Scrolls to the end where there is something new to be read; a new step is read from its beginning.
fn follow_ui(ui: &Ui, now: (usize, Phase)) {
    // What is new may be laid out anew in the next frames; beyond its end there is nothing to scroll to.
    if let Some(Change { before: Some(before) }) = changed(ui, Id::unique("what was read last of a lesson"), now, 3) {
        let top = pos2(ui.cursor().left(), ui.min_rect().top());
        let place = if before.0 == now.0 { ui.cursor() } else { Rect::from_min_size(top, vec2(1.0, 1.0)) };
        ui.scroll_to_rect(place.with_max_y(place.top()), None);
    }
}

/// The step before, and the next one.
fn way_ui(ui: &mut Ui, progress: &Progress, acts: &mut Vec<Act>) {
    let (at, of, phase) = (progress.place() + 1, progress.steps().len(), progress.phase());
    ui.horizontal(|ui| {
        let back = ui.add_enabled(at > 1, Button::new(t!("Back")));
        if back.on_hover_text(t!("The step before")).on_disabled_hover_text(t!("This is the first step")).clicked() {
            acts.push(Act::Lesson(LessonAct::Back));
        }
        if at == of && phase == Phase::Notice {
            ui.label(RichText::new(t!("The lesson is done.")).strong());
            return;
        }
        let why = match phase {
            Phase::Ask => t!("Answer the question first"),
            Phase::Act => t!("Do what the step asks for first"),
            Phase::Notice => "",
        };
        let next = ui.add_enabled(progress.has_next(), Button::new(RichText::new(t!("Next")).strong()));
        if next.on_hover_text(t!("The next step")).on_disabled_hover_text(why).clicked() {
            acts.push(Act::Lesson(LessonAct::Next));
        }
    });
}

/// A question, answered before the effect is shown; then what explains it.
fn question_ui(ui: &mut Ui, question: &Question, progress: &Progress, phase: Phase, acts: &mut Vec<Act>) {
    ui.add(Label::new(RichText::new(&question.ask).strong().size(text(ui))).wrap());
    ui.horizontal_wrapped(|ui| {
        for (i, answer) in question.answers.iter().enumerate() {
            let chosen = progress.given() == Some(i);
            let button = selectable_if_ui(ui, phase != Phase::Notice, chosen, answer);
            let button = button.on_hover_text(t!("Your answer; it can be changed until the effect is seen"));
            if button.on_disabled_hover_text(t!("The effect has been seen")).clicked() {
                acts.push(Act::Lesson(LessonAct::Answer(i)));
            }
        }
    });
    if phase == Phase::Notice {
        let verdict = match progress.right() {
            Some(true) => t!("Right. "),
            Some(false) => t!("Not so. "),
            None => "",
        };
        ui.add(Label::new(RichText::new(format!("{verdict}{}", question.because)).size(text(ui))).wrap());
    }
}

/// What to do, and once it was done what to notice.
fn act_ui(ui: &mut Ui, step: &Step, phase: Phase) {
    match phase {
        Phase::Ask => {
            ui.weak(t!("Choose an answer; then you will see."));
        }
        Phase::Act => {
            let words = RichText::new(t!("Now: {action}", action = step.action))
                .size(text(ui))
                .color(ui.visuals().warn_fg_color);
            ui.add(Label::new(words).wrap());
        }
        Phase::Notice => {
            ui.add(Label::new(RichText::new(&step.notice).size(text(ui))).wrap());
        }
    }
}

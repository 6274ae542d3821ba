//! What is drawn, read out and written, from values that are known.

use std::time::Duration;

use eframe::egui::{Event, Modifiers, MouseWheelSource, MouseWheelUnit, Rect, Theme, TouchPhase, pos2, vec2};
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable;
use egui_plot::PlotPoint;

use super::data::{collect, has_time};
use super::example::STAMP;
use super::example::example;
use super::figure::{Against, Figure};
use super::place::{Frame, place};
use super::series::{Chart, Settings};
use super::view::{CurvesView, Shown};
use super::{csv, pane_ui, png, svg};
use crate::app::Act;
use crate::app::purpose::Purpose;
use crate::app::state::{State, Status};
use crate::experiment::fixture::DEFENDED;
use crate::run::event;
use crate::run::summary::{EpochRow, MetricRow};

const PLAIN: Settings = Settings { against: Against::Step, keep: 0.0, log_y: false, fitted: false };

/// Three epochs of four steps, watched: a step a second.
fn watched() -> State {
    let mut state = State::started("known".to_owned());
    for step in 1..=12_usize {
        let row = MetricRow {
            epoch: (step - 1) / 4 + 1,
            step,
            loss_a: Some(2.0 / step as f64),
            acc_a: Some(if step == 2 { f64::NAN } else { 10.0 * step as f64 }),
            ..MetricRow::default()
        };
        state.read(event::Event::Steps(vec![row]), Duration::from_secs(step as u64));
    }
    let model = DEFENDED.to_owned();
    let epoch = EpochRow { model, epoch: 2, attacked: Some(60.0), accuracy: 70.0, ..EpochRow::default() };
    state.read(event::Event::Epoch(epoch), Duration::from_secs(9));
    state
}

fn viewing(figure: Option<Figure>) -> CurvesView {
    let mut view = CurvesView::default();
    view.shown = figure.map_or(Shown::All, Shown::One);
    view
}

fn xs(state: &State, figure: Figure, against: Against) -> Vec<f64> {
    collect(figure, state, against).values[0].points.iter().map(|point| point[0]).collect()
}

#[test]
fn smoothing_starts_at_the_first_value_skips_what_is_no_number_and_keeps_what_was_measured() {
    let chart = Chart::of(Figure::Training, &watched(), &Settings { keep: 0.9, ..PLAIN });
    let series = &chart.series[0];
    let (line, raw) = (series.line.all(), series.raw.as_ref().unwrap().all());
    assert_eq!((line.len(), raw.len()), (11, 11));
    assert!((line[0].y - 10.0).abs() < 1e-9 && line[1].x == 3.0);
    assert!(line[10].y > 10.0 && line[10].y < raw[10].y, "{:?}", line[10]);
    assert!(Chart::of(Figure::Training, &watched(), &PLAIN).series[0].raw.is_none());
}

#[test]
fn curves_are_drawn_by_step_by_epoch_and_by_time() {
    let state = watched();
    assert_eq!(xs(&state, Figure::Losses, Against::Step)[11], 12.0);
    assert_eq!(xs(&state, Figure::Losses, Against::Epoch)[..4], [0.25, 0.5, 0.75, 1.0]);
    assert_eq!(xs(&state, Figure::Losses, Against::Time)[11], 12.0);
    assert_eq!(xs(&state, Figure::Test, Against::Epoch), [2.0]);
    assert_eq!(xs(&state, Figure::Test, Against::Step), [8.0]);
    assert_eq!(xs(&state, Figure::Test, Against::Time), [9.0]);
    assert!(has_time(&state) && !has_time(example()));
}

#[test]
fn a_logarithmic_height_drops_what_is_not_above_zero() {
    let mut state = watched();
    state.rows[3].1.loss_a = Some(0.0);
    state.rows[4].1.loss_a = Some(-1.0);
    let chart = Chart::of(Figure::Losses, &state, &Settings { log_y: true, ..PLAIN });
    assert_eq!((chart.series[0].line.all().len(), chart.dropped), (10, 2));
    assert_eq!(chart.series[0].line.all()[0].y, 2_f64.log10());
    assert!((chart.values(PlotPoint::new(1.0, 2_f64.log10()))[1] - 2.0).abs() < 1e-12);
    let accuracy = Chart::of(Figure::Training, &state, &Settings { log_y: true, ..PLAIN });
    assert!(!accuracy.log_y && accuracy.bounds(|_| false)[1] == (0.0, 100.0));
}

#[test]
fn gains_and_thresholds_have_the_papers_lines_and_their_own() {
    let summary = example().summary.as_ref().unwrap();
    let gain = Chart::of(Figure::Gain, example(), &PLAIN);
    let at: Vec<f64> = gain.rules.iter().filter(|rule| rule.level).map(|rule| rule.at).collect();
    assert_eq!(at, [36.9, 17.9, summary.gain.as_ref().unwrap().over_clean]);
    assert!(gain.rules[..2].iter().all(|rule| rule.note.contains("[A v1] abstract")));
    assert_eq!(gain.series[0].line.all().len(), summary.experiment.evaluate.gammas.len());
    let recovery = Chart::of(Figure::Recovery, example(), &PLAIN);
    assert!(recovery.log_x);
    let upright: Vec<&str> = recovery.rules.iter().filter(|r| !r.level).map(|rule| rule.note.as_str()).collect();
    assert_eq!(upright[1], "paper .55 [E]");
    let figure = summary.recovery.as_ref().unwrap();
    let best = figure.mse_by_mu.iter().min_by(|a, b| a.1.total_cmp(&b.1)).unwrap();
    assert_eq!(upright[0], format!("own optimum {}", best.0));
    assert_eq!(recovery.rules[0].at, figure.mse_attacked);
}

#[test]
fn every_attack_has_a_curve_and_every_guess_one_line() {
    let chart = Chart::of(Figure::Ssim, example(), &PLAIN);
    let names: Vec<&str> = chart.series.iter().map(|series| series.name.as_str()).collect();
    for name in ["rmle, undefended", "rmle, naive", "rmle, adaptive", "inverse, adaptive"] {
        assert!(names.contains(&name), "{names:?}");
    }
    let notes: Vec<&str> = chart.rules.iter().map(|rule| rule.note.as_str()).collect();
    assert_eq!(notes, ["class mean", "random image of the class", "mean image", "noise", "oracle: nearest image"]);
    let points: usize = chart.series.iter().map(|series| series.line.all().len()).sum();
    let attacks = example().attacks.iter().filter(|record| crate::app::words::yardstick(record).is_none()).count();
    assert_eq!(points, attacks);
}

#[test]
fn the_table_of_values_is_complete() {
    let state = watched();
    let text = String::from_utf8(csv(&state, &CurvesView::default()).unwrap()).unwrap();
    let count = |figure: &str| text.lines().filter(|line| line.starts_with(figure)).count();
    assert_eq!(text.lines().next(), Some("figure,series,x,y"));
    // One accuracy is no number; an epoch has two.
    assert_eq!([count("Training accuracy"), count("Losses"), count("Test accuracy")], [11, 12, 2]);
    assert!(
        text.contains("Training accuracy,disguised,12,120\n") && text.contains("Test accuracy,fused decision,2,70\n")
    );
    let recorded = String::from_utf8(csv(&State::default(), &CurvesView::default()).unwrap()).unwrap();
    assert!(recorded.lines().skip(1).all(|line| line.starts_with("recorded example: ")));
    assert!(recorded.contains("MSE against μ,cleaned image,0.55,"));
}

#[test]
fn charts_are_made_anew_only_where_something_changed() {
    let mut state = watched();
    let mut view = viewing(Some(Figure::Losses));
    assert!(view.update(&state) && !view.update(&state));
    state.read(event::Event::Steps(vec![MetricRow { step: 13, ..MetricRow::default() }]), Duration::ZERO);
    assert!(view.update(&state) && !view.update(&state));
    view.keep = 0.5;
    assert!(view.update(&state) && !view.update(&state));
    view.shown = Shown::All;
    assert!(view.update(&state) && view.charts().len() == Figure::ALL.len());
    // Another run of the same length.
    state.rows[0].1.loss_a = Some(9.0);
    assert!(view.update(&state));
    // Of many rows a few more change nothing yet; the end of the run does.
    let row = (None, MetricRow { step: 14, loss_a: Some(1.0), ..MetricRow::default() });
    state.rows.resize(100_000, row.clone());
    assert!(view.update(&state));
    state.rows.push(row);
    assert!(!view.update(&state));
    state.status = Status::Done;
    assert!(view.update(&state));
}

#[test]
fn long_curves_are_thinned_out_and_keep_their_extremes() {
    let mut state = watched();
    let row = |step: usize| MetricRow { epoch: 1, step, acc_a: Some((step % 97) as f64), ..MetricRow::default() };
    state.rows = (1..=100_000).map(|step| (None, row(step))).collect();
    let chart = Chart::of(Figure::Training, &state, &PLAIN);
    let line = &chart.series[0].line;
    let all = line.between(f64::NEG_INFINITY, f64::INFINITY);
    assert!(all.len() <= 2400 && line.all().len() == 100_000, "{}", all.len());
    assert!(all.iter().any(|p| p.y == 96.0) && all.iter().any(|p| p.y == 0.0));
    assert!(all.is_sorted_by(|a, b| a.x <= b.x));
    let near = line.between(500.0, 600.0);
    assert_eq!((near.first().unwrap().x, near.last().unwrap().x), (499.0, 601.0));
    assert_eq!(chart.series[0].at(777.4).unwrap().x, 777.0);
}

#[test]
fn pictures_can_be_read_and_name_their_curves() {
    let state = State::default();
    let mut view = viewing(Some(Figure::Gain));
    let text = String::from_utf8(svg(&state, &view, Theme::Light).unwrap()).unwrap();
    for words in ["gain over disguised", "36.9 [A v1] abstract", "recorded example", "Gain against"] {
        assert!(text.contains(words), "{words}");
    }
    view.hidden.insert("paper [A v1], over attacked".to_owned());
    assert!(!String::from_utf8(svg(&state, &view, Theme::Light).unwrap()).unwrap().contains("36.9"));
    let empty = svg(&State::started("new".to_owned()), &view, Theme::Dark).unwrap();
    assert!(String::from_utf8(empty).unwrap().contains("Gains appear here"));
    let picture = image::load_from_memory(&png(&state, &view, Theme::Dark).unwrap()).unwrap().to_rgb8();
    assert_eq!(picture.dimensions(), (1600, 1000));
    let ground = *picture.get_pixel(0, 0);
    assert!(picture.pixels().filter(|pixel| **pixel != ground).count() > 10_000);
}

fn harness(size: [f32; 2], theme: Theme, figure: Option<Figure>, state: &State) -> Harness<'_, (CurvesView, Vec<Act>)> {
    let view = viewing(figure);
    let recorded = state.title == example().title;
    Harness::builder().with_size(vec2(size[0], size[1])).with_theme(theme).build_ui_state(
        move |ui, (view, acts): &mut (CurvesView, Vec<Act>)| {
            crate::app::theme::install(ui.ctx());
            pane_ui(ui, state, recorded, 6.0, view, acts);
        },
        (view, Vec::new()),
    )
}

#[test]
fn curves_are_chosen_hidden_and_saved_by_name() {
    let mut harness = harness([1000.0, 330.0], Theme::Dark, Some(Figure::Test), example());
    harness.step();
    harness.get_by_label(&format!("last values; {STAMP}"));
    harness.get_by_label("cleaned").click();
    harness.step();
    assert!(harness.state().0.hidden.contains("cleaned"));
    harness.get_by_label("Figure: Test accuracy").click();
    harness.run_steps(3);
    harness.get_by_label("Losses").click();
    harness.run_steps(3);
    harness.get_by_label("loss r, cleaned");
    for (label, purpose) in
        [("Save CSV…", Purpose::CurvesCsv), ("Save PNG…", Purpose::CurvesPng), ("Save SVG…", Purpose::CurvesSvg)]
    {
        harness.get_by_label("Save").click();
        harness.run_steps(3);
        harness.get_by_label(label).click();
        harness.step();
        assert_eq!(harness.state_mut().1.pop(), Some(Act::Ask(purpose)));
    }
    harness.get_by_label("View").click();
    harness.run_steps(3);
    harness.get_by_label("log y").click();
    harness.step();
    assert!(harness.state().0.log_y);
}

fn pair(size: [f32; 2], state: &State) -> Harness<'_, (CurvesView, Vec<Act>)> {
    let mut harness = harness(size, Theme::Dark, None, state);
    harness.state_mut().0.shown = Shown::Pair;
    harness.run_steps(3);
    harness
}

#[test]
fn utility_and_leakage_stand_together_over_the_same_epochs() {
    for size in [[800.0, 280.0], [430.0, 300.0]] {
        let mut harness = pair(size, example());
        harness.get_by_label("Accuracy against the twin");
        harness.get_by_label("Leakage: line-up");
        harness.get_by_label("defended \u{2212} undefended");
        // Five of 64 too many for any guess: the floor is the best of these.
        // All of both is to be seen.
        let low = harness.get_by_label("Leakage: line-up").rect();
        assert!(low.bottom() < size[1] - 60.0, "{low:?}");
        let [utility, leakage] = harness.state().0.charts() else { panic!("two charts") };
        assert_eq!((utility.figure, leakage.figure), (Figure::Difference, Figure::Lineup));
        let floors: Vec<&str> = leakage.rules.iter().filter(|rule| rule.floor).map(|rule| rule.note.as_str()).collect();
        assert_eq!(floors, ["mean image"]);
        let within = |band: &[f64; 3]| 0.0 <= band[1] && band[1] < band[2] && band[2] <= 100.0;
        assert!(leakage.series.iter().all(|series| !series.band.is_empty() && series.band.iter().all(within)));
        let last = utility.series[0].last().unwrap();
        let summary = example().summary.as_ref().unwrap();
        let of = |defended: bool| {
            summary.epochs.iter().rev().find(|row| (row.model != "vanilla") == defended).unwrap().accuracy
        };
        assert!((last.y - (of(true) - of(false))).abs() < 1e-9 && last.x == 6.0);
        let band = utility.series[0].band_at(last).unwrap();
        assert!(band[0] < last.y && last.y < band[1] && band[1] - band[0] < 4.0, "{band:?}");
        // Accuracies themselves have an axis that is fitted, and cut.
        harness.state_mut().0.pair[0] = Figure::Test;
        harness.run_steps(3);
        let test = &harness.state().0.charts()[0];
        let [_, y] = test.bounds(|_| false);
        assert!(test.fitted && y.0 >= 50.0 && y.1 == 100.0 && test.is_cut(y.0), "{y:?}");
    }
}

#[test]
fn without_a_twin_accuracies_stand_for_utility() {
    let state = watched();
    let harness = pair([800.0, 280.0], &state);
    assert_eq!(harness.state().0.charts()[0].figure, Figure::Test);
}

#[test]
fn a_click_chooses_an_epoch_for_both() {
    let mut harness = pair([800.0, 280.0], example());
    assert!(harness.query_by_label("The last").is_none());
    let at = pos2(230.0, 120.0);
    harness.hover_at(at);
    harness.step();
    harness.drag_at(at);
    harness.drop_at(at);
    harness.run_steps(3);
    let epoch = harness.state().0.epoch.unwrap();
    assert!((1..=5).contains(&epoch), "{epoch}");
    harness.get_by_label(&format!("epoch: {epoch}"));
    harness.get_by_label("The last").click();
    harness.run_steps(2);
    assert_eq!(harness.state().0.epoch, None);
}

#[test]
fn the_values_follow_the_pointer() {
    let mut harness = harness([760.0, 330.0], Theme::Dark, Some(Figure::Test), example());
    harness.step();
    harness.hover_at(pos2(280.0, 180.0));
    harness.step();
    harness.step();
    harness.get_by_label(&format!("at epoch 3; {STAMP}"));
}

#[test]
fn scrolling_zooms_and_the_view_can_be_reset() {
    let mut harness = harness([760.0, 330.0], Theme::Dark, Some(Figure::Training), example());
    let at = pos2(280.0, 180.0);
    let right_end = |harness: &mut Harness<'_, (CurvesView, Vec<Act>)>| {
        harness.hover_at(pos2(470.0, 180.0));
        harness.step();
        harness.step();
        harness.state().0.pointer.unwrap()
    };
    let before = right_end(&mut harness);
    harness.hover_at(at);
    harness.step();
    harness.event(Event::MouseWheel {
        unit: MouseWheelUnit::Point,
        delta: vec2(0.0, 200.0),
        phase: TouchPhase::Move,
        source: MouseWheelSource::Unknown,
        modifiers: Modifiers::NONE,
    });
    for _ in 0..20 {
        harness.step();
    }
    let near = right_end(&mut harness);
    assert!(near < 0.9 * before, "{near} of {before}");
    harness.get_by_label("Fit").click();
    harness.step();
    harness.step();
    let after = right_end(&mut harness);
    assert!((after - before).abs() < 1.0, "{after} after {before}");
}

#[test]
fn a_box_that_is_dragged_zooms_both_and_a_double_click_shows_all_again() {
    let mut view = viewing(None);
    view.shown = Shown::Pair;
    // Frames as short as a double click wants them.
    let builder = Harness::builder().with_size(vec2(800.0, 280.0)).with_step_dt(1.0 / 60.0);
    let draw = |ui: &mut eframe::egui::Ui, (view, acts): &mut (CurvesView, Vec<Act>)| {
        crate::app::theme::install(ui.ctx());
        pane_ui(ui, example(), true, 6.0, view, acts);
    };
    let mut harness = builder.build_ui_state(draw, (view, Vec::new()));
    harness.run_steps(3);
    let ends = |harness: &mut Harness<'_, (CurvesView, Vec<Act>)>| {
        // What a click at either end chooses.
        [90.0, 330.0].map(|x| {
            harness.state_mut().0.epoch = None;
            harness.hover_at(pos2(x, 120.0));
            harness.step();
            harness.drag_at(pos2(x, 120.0));
            harness.drop_at(pos2(x, 120.0));
            harness.run_steps(40);
            harness.state().0.epoch.unwrap()
        })
    };
    let all = ends(&mut harness);
    assert!(all[1] > all[0] + 2, "{all:?}");
    let zoom = |harness: &mut Harness<'_, (CurvesView, Vec<Act>)>| {
        harness.state_mut().0.epoch = None;
        harness.hover_at(pos2(170.0, 120.0));
        harness.step();
        harness.drag_at(pos2(170.0, 120.0));
        harness.step();
        // The box begins where the drag is known to be one.
        for [x, y] in [[180.0, 126.0], [210.0, 150.0], [240.0, 165.0]] {
            harness.hover_at(pos2(x, y));
            harness.step();
        }
        harness.drop_at(pos2(240.0, 165.0));
        harness.run_steps(40);
        assert_eq!(harness.state().0.epoch, None, "a box chooses no epoch");
    };
    zoom(&mut harness);
    let near = ends(&mut harness);
    assert!(near[1] - near[0] < all[1] - all[0], "{near:?} of {all:?}");
    harness.get_by_label("Fit").click();
    harness.run_steps(40);
    assert_eq!(ends(&mut harness), all);
    zoom(&mut harness);
    for _ in 0..2 {
        harness.drag_at(pos2(200.0, 120.0));
        harness.drop_at(pos2(200.0, 120.0));
        harness.step();
    }
    harness.run_steps(40);
    assert_eq!(ends(&mut harness), all);
}

#[test]
fn epochs_are_stepped_through_by_buttons() {
    let mut harness = pair([800.0, 280.0], example());
    harness.get_by_label("Previous epoch").click();
    harness.run_steps(2);
    assert_eq!(harness.state().0.epoch, Some(5));
    harness.get_by_label("Next epoch").click();
    harness.run_steps(2);
    harness.get_by_label("epoch: 6");
}

#[test]
fn words_in_a_plot_cover_neither_each_other_nor_the_frame() {
    let rect = Rect::from_min_size(pos2(50.0, 10.0), vec2(330.0, 110.0));
    for figure in Figure::ALL {
        let chart = Chart::of(figure, example(), &PLAIN);
        let [x, y] = chart.bounds(|_| false);
        let placed = place(&chart, Frame { rect, x, y }, &|_| false, Some(vec2(110.0, 14.0)), &|_| vec2(120.0, 14.0));
        assert!(placed.iter().any(|words| words.rule.is_none()), "{figure:?} has no stamp");
        for (i, words) in placed.iter().enumerate() {
            assert!(rect.contains_rect(words.rect), "{figure:?}");
            assert!(placed[..i].iter().all(|other| !other.rect.intersects(words.rect)), "{figure:?}");
        }
    }
}

#[test]
fn leak_meters_have_a_curve_a_model_by_epoch() {
    for figure in [Figure::Distance, Figure::Fisher] {
        let raw = collect(figure, example(), Against::Epoch);
        let names: Vec<&str> = raw.values.iter().map(|values| values.name.as_str()).collect();
        assert_eq!(names.len(), 2, "{names:?}");
        for values in &raw.values {
            assert_eq!(values.points.len(), 6, "{figure:?}");
            assert!(values.points.iter().all(|[_, y]| *y > 0.0));
        }
    }
    let distance = collect(Figure::Distance, example(), Against::Epoch);
    assert!(distance.values.iter().flat_map(|values| &values.points).all(|[_, y]| *y <= 1.0));
}

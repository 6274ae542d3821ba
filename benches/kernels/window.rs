//! A frame of the window: what is taken in, laid out and cut into triangles. Only handing the triangles to the graphics
//! card is missing.

use std::hint::black_box;
use std::thread::sleep;
use std::time::{Duration, Instant};

use criterion::Criterion;
use cutlayer::app::{Act, App};
use cutlayer::experiment::Experiment;
use eframe::egui::{Context, Event, Pos2, RawInput, Rect, Vec2};

const SIZE: Vec2 = Vec2::new(1280.0, 800.0);

/// The window's contents with neither a window nor a graphics card.
struct Headless {
    ctx: Context,
    app: App,
    frames: u32,
}

impl Headless {
    fn new(app: App) -> Self {
        Self { ctx: Context::default(), app, frames: 0 }
    }

    /// One frame, with the pointer on its way across the window; gives the number of shapes.
    fn frame(&mut self) -> usize {
        self.frames += 1;
        let along = (self.frames % 1000) as f32 / 1000.0;
        let input = RawInput {
            screen_rect: Some(Rect::from_min_size(Pos2::ZERO, SIZE)),
            time: Some(f64::from(self.frames) / 60.0),
            events: vec![Event::PointerMoved((SIZE * along).to_pos2())],
            ..RawInput::default()
        };
        let app = &mut self.app;
        let mut output = self.ctx.run_ui(input, |ui| {
            app.logic(ui.ctx());
            app.ui(ui);
        });
        let shapes = std::mem::take(&mut output.shapes);
        let pixels = output.pixels_per_point;
        // New glyphs and pictures are uploaded by the graphics card's side.
        output.drop_without_applying_deltas();
        self.ctx.tessellate(shapes, pixels).len()
    }

    /// Frames until nothing is at work behind the window.
    fn rest(&mut self) {
        let deadline = Instant::now() + Duration::from_mins(2);
        while self.app.busy() {
            assert!(Instant::now() < deadline, "the window does not come to rest: {:?}", self.app.state().log);
            self.frame();
            sleep(Duration::from_millis(5));
        }
    }
}

/// The window as it opens, once the first theft is over; then with a whole run in it.
pub fn frames(c: &mut Criterion) {
    let home = match tempfile::tempdir() {
        Ok(home) => home,
        Err(error) => panic!("there is no temporary folder: {error}"),
    };
    let quick = Experiment::preset("quick").ok();
    let mut window = Headless::new(App::in_folder(quick, home.path().to_owned()));
    window.rest();
    c.bench_function("window/a frame after the opening", |b| b.iter(|| black_box(window.frame())));
    let ctx = window.ctx.clone();
    window.app.act(Act::Run, &ctx);
    window.rest();
    c.bench_function("window/a frame after a run", |b| b.iter(|| black_box(window.frame())));
}

//! A frame of the window while a run trains on every core: what is taken in, laid out and cut into triangles. Only handing
//! the triangles to the graphics card is missing.

use std::path::PathBuf;
use std::thread::sleep;
use std::time::{Duration, Instant};

use eframe::egui::{Context, Event, Pos2, RawInput, Rect, Vec2};
use serde::Serialize;

use crate::app::{Act, Activity, App};
use crate::error::{Error, Result};
use crate::experiment::Experiment;

/// The name that it goes by.
pub const FRAMES: &str = "frames";

/// The window, in points.
const SIZE: Vec2 = Vec2::new(1280.0, 800.0);
/// From one frame to the next: the pointer moves, so the window is drawn as often as a screen shows it.
const PACE: Duration = Duration::from_micros(16_667);
/// The run that goes on meanwhile: it trains two models, one of them defended, and is attacked.
const RUN: &str = crate::experiment::preset::DIGITS;
/// Frames before the clock starts.
const WARM_UP: usize = 60;
const PATIENCE: Duration = Duration::from_mins(2);

/// How long frames took.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Frames {
    /// Always [`FRAMES`].
    pub case: &'static str,
    /// How many were drawn while the run was going.
    pub frames: usize,
    /// Of the processor by the window's thread, where the system tells it.
    pub processor: Option<FrameTimes>,
    /// From beginning to end, in which others had the processor too.
    pub passed: FrameTimes,
}

/// Times, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct FrameTimes {
    /// Half are shorter.
    pub median_ms: f64,
    /// 99 of 100 are shorter.
    pub p99_ms: f64,
    /// The longest.
    pub most_ms: f64,
}

/// The window's contents with neither a window nor a graphics card.
pub struct Headless {
    /// Where it is drawn.
    pub ctx: Context,
    /// What is drawn.
    pub app: App,
    frames: u32,
}

/// A folder of its own, which goes with it.
struct Home(PathBuf);

impl Frames {
    /// Draws for so long while a run is going, at least a hundred frames.
    ///
    /// # Errors
    /// Returns an error if there is no temporary folder, or if the run ends before the frames do.
    pub fn measure(long: Duration) -> Result<Self> {
        let home = Home::new()?;
        let mut window = Headless::new(App::in_folder(Some(Experiment::preset(RUN)?), home.0.clone()));
        window.act(Act::Run);
        let begin = Instant::now();
        // Until the first steps, which are what curves and stage show.
        while window.app.showing().scene.is_none() || window.app.state().rows.is_empty() {
            if begin.elapsed() > PATIENCE {
                return Err(Error::Internal(format!("{FRAMES}: the run does not begin")));
            }
            window.paced();
        }
        for _ in 0..WARM_UP {
            window.paced();
        }
        let (mut processor, mut passed) = (Vec::new(), Vec::new());
        let begin = Instant::now();
        while begin.elapsed() < long || passed.len() < 100 {
            let (used, took) = window.paced();
            processor.extend(used);
            passed.push(took);
            if window.app.activity() != Activity::Running {
                return Err(Error::input(format!("{FRAMES}: the run was over after {:.0?}", begin.elapsed())));
            }
        }
        window.app.leave();
        let frames = passed.len();
        Ok(Self {
            case: FRAMES,
            frames,
            processor: FrameTimes::of(processor),
            passed: FrameTimes::of(passed).unwrap_or(NONE),
        })
    }
}

const NONE: FrameTimes = FrameTimes { median_ms: 0.0, p99_ms: 0.0, most_ms: 0.0 };

impl FrameTimes {
    fn of(mut times: Vec<Duration>) -> Option<Self> {
        times.sort_unstable();
        let ms = |time: Duration| 1e3 * time.as_secs_f64();
        let at = |share: f64| times.get((share * times.len() as f64) as usize).map(|time| ms(*time));
        Some(Self { median_ms: at(0.5)?, p99_ms: at(0.99)?, most_ms: ms(*times.last()?) })
    }
}

impl Headless {
    /// Around a window's contents.
    pub fn new(app: App) -> Self {
        Self { ctx: Context::default(), app, frames: 0 }
    }

    /// Does what was asked for.
    pub fn act(&mut self, act: Act) {
        let ctx = self.ctx.clone();
        self.app.act(act, &ctx);
    }

    /// One frame, with the pointer on its way across the window. Returns the number of shapes.
    pub fn frame(&mut self) -> usize {
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
    ///
    /// # Errors
    /// Returns an error with the window's log if there is no rest within two minutes.
    pub fn rest(&mut self) -> Result<()> {
        let deadline = Instant::now() + PATIENCE;
        while self.app.busy() {
            if Instant::now() > deadline {
                let log = &self.app.state().log;
                return Err(Error::Internal(format!("the window does not come to rest: {log:?}")));
            }
            self.frame();
            sleep(Duration::from_millis(5));
        }
        Ok(())
    }

    /// A frame, and the wait until the next one is due. Returns the processor's time and the time that passed.
    fn paced(&mut self) -> (Option<Duration>, Duration) {
        let (before, begin) = (processor_time(), Instant::now());
        std::hint::black_box(self.frame());
        let took = begin.elapsed();
        let used = before.zip(processor_time()).map(|(before, after)| after.saturating_sub(before));
        sleep(PACE.saturating_sub(took));
        (used, took)
    }
}

/// What this thread has had of the processor.
#[cfg(unix)]
fn processor_time() -> Option<Duration> {
    use rustix::time::{ClockId, clock_gettime};
    Duration::try_from(clock_gettime(ClockId::ThreadCPUTime)).ok()
}

#[cfg(not(unix))]
fn processor_time() -> Option<Duration> {
    None
}

impl Home {
    fn new() -> Result<Self> {
        let path = std::env::temp_dir().join(format!("cutlayer-frames-{}", std::process::id()));
        std::fs::create_dir_all(&path).map_err(Error::io("make the folder", &path))?;
        Ok(Self(path))
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_dir_all(&self.0) {
            tracing::debug!("{error}: {}", self.0.display());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_sorted_into_median_tail_and_longest() {
        let times = (1..=200).rev().map(Duration::from_millis).collect();
        assert_eq!(FrameTimes::of(times), Some(FrameTimes { median_ms: 101.0, p99_ms: 199.0, most_ms: 200.0 }));
        assert_eq!(FrameTimes::of(Vec::new()), None);
    }

    #[test]
    fn the_window_is_drawn_while_a_run_is_going_and_leaves_nothing() {
        let frames = Frames::measure(Duration::ZERO).unwrap();
        assert_eq!(frames.frames, 100);
        for times in [frames.passed].into_iter().chain(frames.processor) {
            let FrameTimes { median_ms, p99_ms, most_ms } = times;
            assert!(0.0 < median_ms && median_ms <= p99_ms && p99_ms <= most_ms, "{times:?}");
        }
        assert!(frames.processor.is_some() || !cfg!(unix));
        let left = std::env::temp_dir().join(format!("cutlayer-frames-{}", std::process::id()));
        assert!(!left.exists());
    }
}

//! A frame of the window. Beside a run that trains, `cutlayer bench frames` times it.

use std::hint::black_box;

use criterion::Criterion;
use cutlayer::app::{Act, App};
use cutlayer::bench::Headless;
use cutlayer::experiment::Experiment;

/// The window as it opens, once the first theft is over; then with a whole run in it.
pub fn frames(c: &mut Criterion) {
    let home = match tempfile::tempdir() {
        Ok(home) => home,
        Err(error) => panic!("there is no temporary folder: {error}"),
    };
    let quick = Experiment::preset("quick").ok();
    let mut window = Headless::new(App::in_folder(quick, home.path().to_owned()));
    rest(&mut window);
    c.bench_function("window/a frame after the opening", |b| b.iter(|| black_box(window.frame())));
    window.act(Act::Run);
    rest(&mut window);
    c.bench_function("window/a frame after a run", |b| b.iter(|| black_box(window.frame())));
}

fn rest(window: &mut Headless) {
    if let Err(error) = window.rest() {
        panic!("{error}");
    }
}

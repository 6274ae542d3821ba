//! What the parts of a run took so far; [`ahead`](super::ahead) tells from it how long the rest takes.

/// Seconds, and the units of work that they were spent on.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Rate {
    seconds: f64,
    units: usize,
}

impl Rate {
    /// Adds what was done in so many seconds.
    pub fn add(&mut self, seconds: f64, units: usize) {
        self.seconds += seconds;
        self.units += units;
    }

    /// Seconds that a unit takes, once any was done.
    pub fn each(self) -> Option<f64> {
        (self.units > 0).then(|| self.seconds / self.units as f64)
    }
}

/// What the parts of a run took in this session.
#[derive(Debug, Default)]
pub(super) struct Speeds {
    /// A training step of each model.
    pub steps: Vec<Rate>,
    /// A test image of each model.
    pub tests: Vec<Rate>,
    /// A test image of the table.
    pub table: Rate,
    /// Test images that are in the table.
    pub judged: usize,
    /// Seconds that the running attack has taken.
    pub attack: f64,
    /// Seconds of all attacks.
    attacks: f64,
    /// Seconds of all slices.
    slices: f64,
}

impl Speeds {
    /// For so many models.
    pub fn of(models: usize) -> Self {
        Self { steps: vec![Rate::default(); models], tests: vec![Rate::default(); models], ..Self::default() }
    }

    /// Seconds that all slices of the run have taken.
    pub fn worked(&self) -> f64 {
        self.slices
    }

    /// A slice took so long.
    pub fn worked_for(&mut self, seconds: f64) {
        self.slices += seconds;
    }

    /// A slice of the running attack took so long.
    pub fn attacked_for(&mut self, seconds: f64) {
        self.attack += seconds;
        self.attacks += seconds;
    }

    /// What a second of the measured parts takes of the clock: saving, ordering and showing come on top.
    pub fn on_top(&self, watched: f64) -> f64 {
        let parts = self.steps.iter().chain(&self.tests).chain([&self.table]).map(|rate| rate.seconds);
        let measured = parts.sum::<f64>() + self.attacks;
        if measured > 0.0 { ((self.slices + watched) / measured).max(1.0) } else { 1.0 }
    }
}

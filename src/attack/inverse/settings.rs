//! How long and how fast the inverse network learns, in a run and where somebody watches.

use crate::attack::kind::Values;
use crate::error::Result;
use crate::model::adam::AdamSettings;

/// A network that is watched while it learns takes so many steps: fewer teach it nothing where there are few images,
/// and nobody waits for more.
const WATCHED_STEPS: [usize; 2] = [200, 600];

/// As many epochs as make it [`WATCHED_STEPS`]; of more epochs the rate halves later. An attack that plans its steps itself
/// has enough.
pub(super) fn watched(values: &Values, auxiliary: usize) -> Result<Values> {
    let (own, halve_every) = (values.whole("epochs")?, values.whole("halve_every")?);
    let mut watched = values.clone();
    if own == 0 {
        return Ok(watched);
    }
    let [least, most] = WATCHED_STEPS;
    let steps = auxiliary.div_ceil(values.whole("batch")?).max(1);
    let epochs = own.clamp(least.div_ceil(steps), most.div_ceil(steps));
    let halve_every = if epochs > own { halve_every.max(epochs.div_ceil(2)) } else { halve_every };
    for (key, value) in [("epochs", epochs), ("halve_every", halve_every)] {
        watched.put(key, toml::Value::Integer(value as i64))?;
    }
    Ok(watched)
}

/// How long and how fast.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Settings {
    /// Passes over the auxiliary images; 0 plans steps in place of them: as many passes as make 400 steps, and no fewer
    /// than ten, so that an attacker with few images trains as long as one with many.
    pub epochs: usize,
    /// How many times as many steps are planned of an adaptive form.
    pub longer: usize,
    /// Images a step.
    pub batch: usize,
    /// Adam's rate, ε and AMSGrad.
    pub adam: AdamSettings,
    /// Epochs after which the rate is halved.
    pub halve_every: usize,
}

impl Settings {
    /// From the values of a document.
    ///
    /// # Errors
    /// Returns an error if one is missing.
    pub fn of(values: &Values) -> Result<Self> {
        let [rate, epsilon] = [values.real("rate")?, values.real("epsilon")?];
        Ok(Self {
            epochs: values.whole("epochs")?,
            longer: values.whole("longer")?,
            batch: values.whole("batch")?,
            adam: AdamSettings { rate, epsilon, amsgrad: values.switch("amsgrad")? },
            halve_every: values.whole("halve_every")?,
        })
    }
}

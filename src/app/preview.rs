//! A look at the chosen experiment before it is run: its first patient, and what will cross the wire.

use std::thread::Builder;

use crossbeam_channel::{Receiver, TryRecvError, bounded};
use eframe::egui::Context;

use super::runner::Facts;
use crate::experiment::Experiment;
use crate::run::prepared::Prepared;

/// Looks at one experiment at a time, on a thread of its own: data take a while to load.
#[derive(Default)]
pub struct Preview {
    /// What was looked at last, or is now.
    of: Option<Experiment>,
    coming: Option<Receiver<Facts>>,
}

impl Preview {
    /// What is known of `experiment`, once; it is looked at unless it was the last one.
    pub fn look_at(&mut self, experiment: &Experiment, ctx: &Context) -> Option<Facts> {
        match self.coming.as_ref().map(Receiver::try_recv) {
            Some(Err(TryRecvError::Empty)) => return None,
            Some(result) => {
                self.coming = None;
                if self.of.as_ref() == Some(experiment) {
                    // Without facts the experiment does not fit its data; Run says why.
                    return result.ok();
                }
            }
            None => {}
        }
        if self.of.as_ref() != Some(experiment) {
            self.of = Some(experiment.clone());
            self.coming = start(experiment.clone(), ctx.clone());
        }
        None
    }
}

fn start(experiment: Experiment, ctx: Context) -> Option<Receiver<Facts>> {
    let (sender, receiver) = bounded(1);
    let look = move || {
        if let Ok(facts) = Prepared::new(experiment).and_then(|prepared| Facts::of(&prepared)) {
            // Nobody may be left to know.
            let _ = sender.send(facts);
        }
        drop(sender);
        ctx.request_repaint();
    };
    // The window can do without it.
    Builder::new().name("cutlayer-preview".to_owned()).spawn(look).ok().map(|_| receiver)
}

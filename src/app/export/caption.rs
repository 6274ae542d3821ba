//! What stands below an exported picture: enough to make it again.

use crate::app::judged::said;
use crate::app::words::phase;
use crate::app::{Document, Look, Pane, Showing, Source, Status};

/// Below a picture of the stage.
pub(super) fn of_stage(look: Look<'_>) -> String {
    format!("{}. {}", said(look).words, made(look.document, look.showing))
}

/// Below a picture of a pane.
pub(super) fn of_pane(look: Look<'_>, pane: Pane) -> String {
    let state = look.state;
    let of = match pane {
        Pane::Lesson => look.lesson.map(|lesson| lesson.lesson().title.clone()),
        Pane::Levers => Some(look.document.title()),
        _ if state.status == Status::Fresh => None,
        _ => Some(state.title.clone()),
    };
    let folder = state.folder.as_ref().and_then(|folder| folder.file_name()).filter(|_| pane != Pane::Levers);
    let folder = folder.map(|name| t!(", run {run}", run = name.to_string_lossy())).unwrap_or_default();
    format!("{}{}{folder}. {PROGRAM}", pane.title(), of.map(|of| format!(": {of}")).unwrap_or_default())
}

/// The program and its version.
const PROGRAM: &str = concat!("Cutlayer ", env!("CARGO_PKG_VERSION"), ".");

/// What the pictures on the stage were made with.
pub fn made(document: &Document, showing: &Showing) -> String {
    let experiment = document.experiment();
    let mut parts = vec![document.title(), t!("seed {seed}", seed = experiment.seed)];
    if let Some(scene) = &showing.scene {
        let stamp = &scene.stamp;
        let titles = experiment.stack().map(|stack| stack.titles()).unwrap_or_default();
        parts.push(match (stamp.defended, titles.as_str()) {
            (true, "") => t!("defended").to_owned(),
            (true, titles) => t!("under {titles}", titles),
            (false, _) => t!("undefended").to_owned(),
        });
        // As the wire's handle counts.
        let cut = match showing.source {
            Source::Run => showing.facts.as_ref().map_or(experiment.model.cut, |facts| facts.cut),
            _ => stamp.cut,
        };
        parts.push(t!("cut after layer {cut}", cut));
        parts.push(
            stamp
                .trained
                .as_ref()
                .map_or(t!("never trained").to_owned(), |on| t!("trained on {trained}", trained = on)),
        );
        if let Some(progress) = &scene.progress {
            let (attack, at) = (phase(&progress.attack), progress.iteration);
            parts.push(t!("attacker: {attack}, step {at} of {planned}", attack, at, planned = progress.planned));
        }
    }
    format!("{}. {PROGRAM}", parts.join(", "))
}

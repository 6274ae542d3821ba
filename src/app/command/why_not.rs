//! Why something cannot be done now.

use crate::app::hidden::WHY;
use crate::app::{Act, Activity, Look, Purpose, Source};
use crate::texts::say;

/// Why an act cannot be done now; none where it can.
pub fn why_not(act: &Act, look: &Look<'_>) -> Option<&'static str> {
    let idle = look.activity == Activity::Idle;
    let stopping = look.activity == Activity::Stopping;
    match act {
        act if act.is_hidden(look.hidden) => Some(say(WHY)),
        Act::ShowAll if !look.hidden.any() => Some(t!("None is hidden")),
        Act::Stop | Act::Pause if idle => Some(t!("No run is going")),
        Act::CopyAs(what) => what.why_not(look),
        Act::Day(act) => act.why_not(look),
        Act::Compare(act) => act.why_not(look),
        Act::NextClass | Act::Run | Act::RunOrPause | Act::Step | Act::Stop | Act::Pause if stopping => {
            Some(t!("The run is being saved"))
        }
        Act::Ask(Purpose::Run) if !idle => Some(t!("Can be done once the run has ended")),
        Act::AttackShown(_) | Act::Ask(Purpose::Attacks) if look.state.folder.is_none() => Some(t!("No run is open")),
        Act::AttackShown(_) | Act::Reset | Act::ShowRun(_) | Act::Attack(..) | Act::Continue(_) if !idle => {
            Some(t!("Can be done once the run has ended"))
        }
        Act::Undo if look.document.history().0 == 0 && !look.drawing => Some(t!("Nothing was changed")),
        Act::Redo if look.document.history().1 == 0 => Some(t!("Nothing was taken back")),
        Act::Inspect(subject, _) if subject.of(*look, None).is_none() => Some(t!("There is no such picture yet")),
        Act::Play | Act::Frame(_) if look.showing.film.frames.len() < 2 => Some(t!("No attack has made pictures yet")),
        Act::Follow if look.showing.source == Source::Run => Some(t!("The stage follows the run")),
        Act::Follow if !look.followed => Some(t!("There is no picture of a run to go back to")),
        Act::Ask(Purpose::CurvesCsv | Purpose::CurvesPng | Purpose::CurvesSvg) if look.state.rows.is_empty() => {
            Some(t!("Nothing has been measured yet"))
        }
        Act::Ask(Purpose::Table | Purpose::TableLatex) if !look.state.measured() => {
            Some(t!("Nothing has been measured yet"))
        }
        Act::Ask(Purpose::Film) if look.showing.film.frames.is_empty() => Some(t!("No attack has made pictures yet")),
        _ => None,
    }
}

//! The chosen point: where it stands by naive attackers, and where by all.

use eframe::egui::{Label, RichText, Ui};

use super::{Shown, name, number, open};
use crate::app::words::{decimal, setting_label};
use crate::app::{Act, Activity, Look};
use crate::report::points::{Leak, Point, Scored, utility};
use crate::texts::say;

/// Draws it.
pub(super) fn chosen_ui(ui: &mut Ui, look: Look<'_>, shown: Shown<'_>, place: usize, acts: &mut Vec<Act>) {
    let Some(words) = words(shown, place) else { return };
    ui.add(Label::new(RichText::new(words).strong()).wrap());
    if !shown.set.recorded {
        let idle = look.activity == Activity::Idle;
        let button = ui.add_enabled(idle, eframe::egui::Button::new(t!("Open its run")));
        let button = button.on_hover_text(t!("The run of the setting's first seed."));
        if button.on_disabled_hover_text(t!("A run is at work: stop it first.")).clicked() {
            open(look, shown.set, place, acts);
        }
    }
    ui.add_space(4.0);
}

/// What it is and how far it slides: `Your point, 3: noise …`. None of a setting that has no point.
fn words(Shown { set, leak, .. }: Shown<'_>, place: usize) -> Option<String> {
    let at = |by: Scored| set.points(leak, by).iter().find(|point| point.setting == place);
    let (naive, all) = (at(Scored::Naive), at(Scored::All)?);
    let metric = utility(&set.all);
    let setting = &set.all.settings[place];
    let told = |point: &Point| number(&point.leak, leak.metric(), leak.digits());
    let front = |point: &Point| if point.front { t!("no other beats it") } else { t!("others beat it") };
    let what = t!(
        "Your point, {number}: {label}, {utility} {right}.",
        number = place + 1,
        label = setting_label(setting),
        utility = say(metric.name),
        right = number(&all.utility, Some(metric), metric.digits)
    );
    let leaks = name(leak);
    let slide = match naive {
        None => {
            t!("By attackers who know the defence {leaks} {all}, {front}.", leaks, all = told(all), front = front(all))
        }
        Some(_) if !setting.defended() => {
            t!("There is no defence to know: {leaks} {all}, {front}.", leaks, all = told(all), front = front(all))
        }
        Some(naive) if all.adaptive.is_none() => t!(
            "By naive attackers {leaks} {naive}, {front}. Nobody attacked it who knows the defence.",
            leaks,
            naive = told(naive),
            front = front(naive)
        ),
        Some(naive) => t!(
            "By naive attackers {leaks} {naive}, {front}; by all attackers {all}, {front_by_all}: it slides up by {by}.",
            leaks,
            naive = told(naive),
            front = front(naive),
            all = told(all),
            front_by_all = front(all),
            by = rise(leak, all.leak.mean - naive.leak.mean)
        ),
    };
    Some(format!("{what} {slide}"))
}

/// A difference with its unit.
fn rise(leak: Leak, by: f64) -> String {
    let number = decimal(by, leak.digits());
    match leak.metric().map_or("points", |metric| metric.difference_unit()) {
        "points" => t!("{number} points", number),
        "dB" => format!("{number} dB"),
        _ => number,
    }
}

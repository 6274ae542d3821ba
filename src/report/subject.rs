//! What the first page is about: of all settings the one that looks best, and the undefended one that it is held against.

use super::gather::{Gathered, Setting};
use super::points::{Leak, Point, measured, points};
use super::verdict::Outcome;

/// A setting with what is said of it.
#[derive(Clone, Debug)]
pub struct Subject<'a> {
    /// Which.
    pub setting: &'a Setting,
    /// What is said of it.
    pub outcome: Outcome,
    /// What it is held against.
    pub baseline: Option<&'a Setting>,
}

impl<'a> Subject<'a> {
    /// Of a setting.
    pub fn of(all: &'a Gathered, setting: &'a Setting) -> Self {
        Self { setting, outcome: Outcome::of(setting), baseline: all.baseline(setting) }
    }

    /// What the first page is about: the undefended setting first, then the best one beside it.
    pub fn chosen(all: &'a Gathered) -> Vec<Self> {
        let Some(best) = best(all) else { return Vec::new() };
        let best = Self::of(all, best);
        best.baseline.map(|setting| Self::of(all, setting)).into_iter().chain([best]).collect()
    }
}

/// Of the defended settings, or of all if there is none: the one with the most right answers among those that were not shown
/// to leak; else, among those that have a verdict and that no other beats, the one that leaks least; then any.
fn best(all: &Gathered) -> Option<&Setting> {
    let defended = all.settings.iter().any(Setting::defended);
    let fits = |setting: &Setting| setting.defended() == defended;
    let leak = measured(all).into_iter().next().unwrap_or(Leak::Lineup);
    let points: Vec<Point> = points(all, leak).into_iter().filter(|point| fits(&all.settings[point.setting])).collect();
    let outcome = |point: &Point| Outcome::of(&all.settings[point.setting]);
    let judged = |point: &Point| !matches!(outcome(point), Outcome::NoVerdict(_));
    let most = points
        .iter()
        .filter(|point| outcome(point) == Outcome::NotShown)
        .max_by(|a, b| a.utility.mean.total_cmp(&b.utility.mean));
    let least = |of_verdict: bool, front: bool| {
        let all = points.iter().filter(|point| (point.front || !front) && (judged(point) || !of_verdict));
        all.min_by(|a, b| a.leak.mean.total_cmp(&b.leak.mean))
    };
    let tries = [(true, true), (true, false), (false, true), (false, false)];
    let point = most.or_else(|| tries.into_iter().find_map(|(of_verdict, front)| least(of_verdict, front)));
    point.map(|point| &all.settings[point.setting]).or_else(|| all.settings.iter().find(|setting| fits(setting)))
}

#[cfg(test)]
mod tests {
    use super::super::samples;
    use super::*;

    #[test]
    fn the_page_is_about_the_best_setting_and_what_it_is_held_against() {
        let mut runs = vec![samples::summary(0)];
        let mut weak = samples::defended(0, "dropout", &[]);
        weak.attacks.iter_mut().for_each(|record| record.lineup = Some(60.0));
        runs.push(weak);
        runs.push(samples::defended(0, "image-noise", &[]));
        let all = Gathered::of(&runs);
        let labels: Vec<&str> = Subject::chosen(&all).iter().map(|one| one.setting.label.as_str()).collect();
        assert_eq!(labels, ["no defence", all.settings[1].label.as_str()], "as accurate, and leaks less");
        assert!(all.settings[1].label.starts_with("dropout"));
        // One that was not shown to leak comes before all that leak.
        let mut held = samples::defended(0, "image-noise", &["defence.image-noise.sigma=0.5"]);
        for record in &mut held.attacks {
            let lead = record.judged.as_mut().unwrap().lead.as_mut().unwrap();
            (lead.mean, lead.p) = (0.0, 1.0);
        }
        runs.push(held);
        let all = Gathered::of(&runs);
        let chosen = Subject::chosen(&all);
        assert_eq!(
            (chosen[1].setting.label.as_str(), &chosen[1].outcome),
            ("noise on the image σ 0.5", &Outcome::NotShown)
        );
        assert!(Subject::chosen(&Gathered::default()).is_empty());
    }
}

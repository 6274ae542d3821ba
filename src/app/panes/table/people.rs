//! Patients: how exposed the most exposed of them is, and who is found again by what was stolen.

use eframe::egui::{Grid, Label, RichText, Ui};

use crate::app::state::State;
use crate::app::words::{decimal, maker, mode, points, target};
use crate::run::report::people::{beyond, spreads};
use crate::run::summary::AttackRecord;
use crate::score::metrics::SSIM;
use crate::score::patients::Spread;
use crate::score::people::{Excess, Reidentified};
use crate::split::UNDEFENDED;

/// What is told of patients, written once: an interval takes a thousand draws.
#[derive(Debug, Default)]
pub(super) struct PeopleView {
    /// Title, number of attacks, and whether the run was complete.
    of: Option<(String, usize, bool)>,
    leaks: Vec<[String; 7]>,
    found: Vec<[String; 5]>,
    /// Above who is found again, and what it comes to.
    sentences: [String; 2],
}

impl PeopleView {
    fn write(&mut self, state: &State) {
        let known = self.of.as_ref().map(|(title, count, done)| (title.as_str(), *count, *done));
        let now = (state.title.as_str(), state.attacks.len(), state.summary.is_some());
        if known == Some(now) {
            return;
        }
        self.of = Some((state.title.clone(), state.attacks.len(), state.summary.is_some()));
        let summary = state.summary.as_ref();
        let patients = summary.and_then(|summary| summary.target_patients.as_deref());
        // Without patients each image stands for itself: of these the attacks' own rows tell.
        let leaks = patients.map(|patients| spreads(&state.attacks, Some(patients))).unwrap_or_default();
        self.leaks = leaks.into_iter().map(|(record, spread)| leak_cells(record, &spread)).collect();
        let found = summary.map_or(&[][..], |summary| &summary.reidentified);
        self.found = found.iter().map(found_cells).collect();
        self.sentences = [found.first().map(above).unwrap_or_default(), comes_to(&beyond(found))];
    }
}

/// Draws what is told of patients; nothing where they are not known. Sentences wrap at `width`.
pub(super) fn people_ui(ui: &mut Ui, state: &State, view: &mut PeopleView, width: f32) {
    view.write(state);
    if !view.leaks.is_empty() {
        ui.separator();
        ui.label(RichText::new(t!("Leaks by patient")).strong());
        let legend =
            t!("SSIM of each patient's most exposed image: a mean alone would hide the one who is recognised.");
        sentence_ui(ui, legend, width, true);
        grid_ui(ui, "leaks", &leak_headings(), &view.leaks);
    }
    if !view.found.is_empty() {
        ui.separator();
        ui.label(RichText::new(t!("Patients found again")).strong());
        sentence_ui(ui, &view.sentences[0], width, true);
        grid_ui(ui, "found", &found_headings(), &view.found);
        ui.add_space(4.0);
        sentence_ui(ui, &view.sentences[1], width, false);
    }
}

fn sentence_ui(ui: &mut Ui, text: &str, width: f32, weak: bool) {
    let text = RichText::new(text);
    ui.scope(|ui| {
        ui.set_max_width(width);
        ui.add(Label::new(if weak { text.weak() } else { text }).wrap());
    });
}

fn grid_ui<const N: usize>(ui: &mut Ui, id: &str, headings: &[[&'static str; 2]; N], rows: &[[String; N]]) {
    Grid::new(id).striped(true).spacing([14.0, 4.0]).show(ui, |ui| {
        for [heading, tip] in headings {
            let label = ui.label(RichText::new(*heading).weak());
            if !tip.is_empty() {
                label.on_hover_text(*tip);
            }
        }
        ui.end_row();
        for row in rows {
            for cell in row {
                ui.label(cell);
            }
            ui.end_row();
        }
    });
}

fn leak_headings() -> [[&'static str; 2]; 7] {
    [
        [t!("attack"), ""],
        [t!("on"), ""],
        [t!("mean"), t!("Over patients; in brackets its 95 % interval, by bootstrap over them.")],
        [t!("median"), ""],
        [t!("95th percentile"), t!("One patient in twenty is more exposed than this.")],
        [t!("worst"), ""],
        [t!("whose"), t!("Patients are numbered by first appearance; their names are stored nowhere.")],
    ]
}

fn leak_cells(record: &AttackRecord, spread: &Spread) -> [String; 7] {
    let number = |value: f64| decimal(value, SSIM.digits);
    let mean = spread.ci.map_or_else(|| number(spread.mean), |ci| within(spread.mean, ci, SSIM.digits));
    let whose = t!("patient {patient}, image {image}", patient = spread.worst_unit, image = spread.worst_image + 1);
    let knew = if record.target == UNDEFENDED { maker(record).to_owned() } else { both(maker(record), mode(record)) };
    let numbers = [spread.median, spread.p95, spread.worst].map(number);
    let [median, p95, worst] = numbers;
    [knew, target(&record.target).to_owned(), mean, median, p95, worst, whose]
}

fn found_headings() -> [[&'static str; 2]; 5] {
    [
        [t!("found by"), ""],
        [
            t!("first of all"),
            t!("How often the likest of everybody's other images is of the same patient, in percent; in brackets its \
                 95 % interval, over patients."),
        ],
        [
            t!("same patient or not"),
            t!("How often two images of one patient are more alike than two of different ones, 0 to 1 (AUC)."),
        ],
        [
            t!("above the silhouette"),
            t!("By how much more, paired over patients: points of the first number, then of the second. A star is \
                 beyond chance at 95 %. Only what is above both columns counts: an outline alone finds patients."),
        ],
        [t!("above area and brightness"), ""],
    ]
}

fn found_cells(row: &Reidentified) -> [String; 5] {
    [
        who(row),
        t!("{value} %", value = within(row.rank1, row.rank1_ci, 1)),
        within(row.verification, row.verification_ci, 3),
        excess(row.over_silhouette.as_ref()),
        excess(row.over_two_numbers.as_ref()),
    ]
}

/// Who, or what, finds them.
fn who(row: &Reidentified) -> String {
    let what = match (row.name.as_str(), &row.target, row.adaptive) {
        (name, Some(of), Some(adaptive)) if of != UNDEFENDED => {
            let mode = if adaptive { t!("adaptive") } else { t!("naive") };
            t!("{name}, {mode}, on {target}", name, mode, target = target(of))
        }
        (name, Some(of), _) => t!("{name} on {target}", name, target = target(of)),
        ("original", ..) => t!("the image itself, not stolen").to_owned(),
        ("silhouette", ..) => t!("its silhouette alone").to_owned(),
        ("two_numbers", ..) => t!("its area and brightness alone").to_owned(),
        ("mean", ..) => t!("the same image for all").to_owned(),
        ("noise", ..) => t!("noise").to_owned(),
        (name, None, _) => name.to_owned(),
    };
    if row.outline_removed { t!("{what}, outline removed", what) } else { what }
}

fn both(one: &str, other: &str) -> String {
    format!("{one}, {other}")
}

/// `80.8 (73.4 to 88.2)`.
fn within(value: f64, [low, high]: [f64; 2], digits: usize) -> String {
    let [value, low, high] = [value, low, high].map(|value| decimal(value, digits));
    t!("{value} ({low} to {high})", value, low, high)
}

/// `+3.1*, +0.012`.
fn excess(two: Option<&[Excess; 2]>) -> String {
    let Some([rank, verification]) = two else { return "\u{2013}".to_owned() };
    let star = |excess: &Excess| if excess.is_real() { "*" } else { "" };
    let sign = if verification.value > 0.0 { "+" } else { "" };
    let second = decimal(verification.value, 3);
    format!("{}{}, {sign}{second}{}", points(rank.value), star(rank), star(verification))
}

fn above(first: &Reidentified) -> String {
    t!(
        "Each stolen image is held against another image of everybody's, {people} patients; guessing finds {chance} %.",
        people = first.probes / 2,
        chance = decimal(first.chance, 1)
    )
}

/// What it comes to, by those that find beyond outline and numbers.
fn comes_to(real: &[&Reidentified]) -> String {
    if real.is_empty() {
        return t!(
            "No attack finds patients better than an outline, or two numbers, would: re-identification is not shown."
        )
        .to_owned();
    }
    let all: Vec<String> = real.iter().map(|row| who(row)).collect();
    t!("Beyond what outline, area and brightness give, patients are found by {who}.", who = all.join("; "))
}

#[cfg(test)]
mod tests {
    use eframe::egui::vec2;
    use egui_kittest::Harness;
    use egui_kittest::kittest::Queryable;

    use super::*;
    use crate::app::panes::table::tests::{harness, state};
    use crate::app::test_look::picture;
    use crate::experiment::fixture::DEFENDED;
    use crate::score::record::{Each, Judged};

    /// A run at eight patients' left and right images, of whom two attacks find somebody again.
    fn run() -> State {
        let mut state = state();
        let judged = |ssim: Vec<f64>| Judged {
            each: Each { picked: vec![None; ssim.len()], ssim, patients: None },
            ..Judged::default()
        };
        for (k, record) in state.attacks.iter_mut().enumerate() {
            let ssim = (0..16).map(|i| 0.2 + 0.1 * k as f64 + f64::from(i * 7 % 16) / 50.0).collect();
            (record.images, record.judged) = (16, Some(judged(ssim)));
        }
        // The last is a guess, which takes no iterations.
        state.attacks[3].iterations = 0;
        let row = |name: &str, target: Option<&str>, outline_removed, above: f64| {
            let excess = target.map(|_| [4.0, 0.031].map(|value| Excess { value, ci: [above, 2.0 * value] }));
            Reidentified {
                name: name.to_owned(),
                target: target.map(str::to_owned),
                adaptive: target.map(|_| true),
                outline_removed,
                probes: 16,
                rank1: 37.5,
                rank1_ci: [18.75, 62.5],
                chance: 12.5,
                verification: 0.781,
                verification_ci: [0.65, 0.9],
                over_silhouette: excess,
                over_two_numbers: excess,
            }
        };
        let summary = state.summary.as_mut().unwrap();
        summary.target_patients = Some((0..16).map(|i| i / 2).collect());
        summary.reidentified = vec![
            row("inverse", Some(DEFENDED), false, 0.01),
            row("inverse", Some(DEFENDED), true, -0.01),
            row("rmle", Some(UNDEFENDED), false, 0.01),
            row("original", None, false, 0.0),
            row("original", None, true, 0.0),
            row("silhouette", None, false, 0.0),
            row("two_numbers", None, false, 0.0),
            row("mean", None, false, 0.0),
            row("noise", None, false, 0.0),
        ];
        state
    }

    fn shown(state: State) -> Harness<'static, crate::app::panes::table::tests::Made> {
        let mut harness = harness(state);
        harness.set_size(vec2(1100.0, 1500.0));
        harness.run_steps(3);
        harness
    }

    #[test]
    fn the_table_tells_who_is_most_exposed_and_who_is_found_again() {
        let mut harness = shown(run());
        // By the most exposed image of each: 15 of 50 above .2 at the worst, of the eighth image's patient.
        harness.get_by_label("Leaks by patient");
        harness.get_by_label("rmle, naive");
        harness.get_by_label("0.500");
        assert_eq!(harness.get_all_by_label("patient 4, image 10").count(), 3, "three attacks; a guess leaks nothing");
        harness.get_by_label("Patients found again");
        harness.get_by_label_contains("another image of everybody's, 8 patients; guessing finds 12.5 %.");
        let of = target(DEFENDED);
        harness.get_by_label(&format!("inverse, adaptive, on {of}, outline removed"));
        assert_eq!(harness.get_all_by_label("37.5 (18.8 to 62.5) %").count(), 9);
        assert_eq!(harness.get_all_by_label("+4.0*, +0.031*").count(), 4);
        harness.get_by_label("its area and brightness alone");
        let told = format!("patients are found by inverse, adaptive, on {of}; rmle on {}.", target(UNDEFENDED));
        harness.get_by_label_contains(&told);
        picture(&mut harness, "table-people");
    }

    #[test]
    fn what_is_not_known_of_patients_has_no_place() {
        let mut state = run();
        let summary = state.summary.as_mut().unwrap();
        for row in &mut summary.reidentified {
            row.over_silhouette = row.over_silhouette.map(|both| both.map(|one| Excess { ci: [-1.0, 1.0], ..one }));
        }
        shown(state).get_by_label_contains("re-identification is not shown");
        let mut state = run();
        let summary = state.summary.as_mut().unwrap();
        (summary.target_patients, summary.reidentified) = (None, Vec::new());
        let harness = shown(state);
        for label in ["Leaks by patient", "Patients found again"] {
            assert!(harness.query_by_label(label).is_none(), "{label}");
        }
    }
}

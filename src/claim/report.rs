//! What came of a test, for a terminal.

use std::fmt::Write as _;

use super::{Model, Part, Tested, Trained};
use crate::run::report::table;
use crate::run::summary::AttackRecord;
use crate::score::floor::Guess;
use crate::score::metrics::{LEAD, LINEUP, MSE, Metric, PSNR, SSIM};

/// The metrics of the table.
const COLUMNS: [&Metric<AttackRecord>; 5] = [&SSIM, &PSNR, &MSE, &LINEUP, &LEAD];

/// Models with their accuracies, attacks with their scores, and the verdict.
pub fn report(tested: &Tested) -> String {
    let mut text =
        format!("Noise on images or on weights does not stop deep leakage from gradients\n{}\n", tested.network);
    for assignment in &tested.set {
        let _ = writeln!(text, "with {assignment}");
    }
    let _ = write!(text, "\n{}\n\n{}\n", models_table(tested), attacks_table(tested));
    let working = tested.working();
    let _ = match working.as_slice() {
        [] => writeln!(text, "\nWithout a defence no attack gets through."),
        all => writeln!(text, "\nWithout a defence get through: {}.", all.join(", ")),
    };
    for model in tested.models.iter().filter(|model| model.part != Part::Undefended) {
        let ruling = tested.ruling(model);
        let _ = writeln!(text, "{}: {}. {}", model.name, ruling.says.of_defence(), ruling.why);
    }
    let _ = writeln!(text, "The claim: {} ({:.0} s).", tested.says().word(), tested.seconds);
    text
}

fn models_table(tested: &Tested) -> String {
    let seeds = tested.models.first().map(|model| model.trained.iter().map(|one| format!("seed {}", one.seed)));
    let seeds: Vec<String> = seeds.into_iter().flatten().collect();
    let heading = ["accuracy, % (strength)"].into_iter().chain(seeds.iter().map(String::as_str));
    let mut table = table(&heading.collect::<Vec<_>>());
    for model in &tested.models {
        let cell = |one: &Trained| match model.part {
            Part::Undefended => format!("{:.1}", one.accuracy),
            Part::Noise | Part::Beside => format!("{:.1} ({} {:.3})", one.accuracy, model.symbol, one.strength),
        };
        table.add_row(std::iter::once(model.name.clone()).chain(model.trained.iter().map(cell)));
    }
    table.to_string()
}

fn attacks_table(tested: &Tested) -> String {
    let heading: Vec<String> = COLUMNS.iter().map(|metric| metric.axis()).collect();
    let heading: Vec<&str> = [""].into_iter().chain(heading.iter().map(String::as_str)).collect();
    let mut table = table(&heading);
    let cells = |record: &AttackRecord| {
        COLUMNS.iter().map(|metric| metric.plain(record).unwrap_or("–".to_owned())).collect::<Vec<_>>()
    };
    for model in &tested.models {
        for attacked in &model.attacks {
            table.add_row(std::iter::once(name(model, &attacked.record)).chain(cells(&attacked.record)));
        }
    }
    // The floor is the same beside each model but for its targets, which are those of the seeds.
    if let Some(guess) = tested.models.first().and_then(Model::label_only) {
        let words = Guess::named(&guess.name).map_or_else(|| guess.name.clone(), |guess| guess.words().to_owned());
        table.add_row(std::iter::once(words).chain(cells(guess)));
    }
    table.to_string()
}

fn name(model: &Model, record: &AttackRecord) -> String {
    let form = match (model.part, record.adaptive) {
        (Part::Undefended, _) => "",
        (_, true) => "adaptive ",
        (_, false) => "naive ",
    };
    format!("{}: {form}{}", model.name, record.name)
}

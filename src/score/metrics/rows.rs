//! The metrics of the table's rows: how well classes are told apart.

use super::{Better, Metric};
use crate::score::record::Row;

/// Classes are uneven where the largest has so many times its even share.
const UNEVEN: f64 = 1.2;

/// A share of answers that are right, in percent.
const SHARE: Metric<Row> = Metric { unit: "%", better: Some(Better::Higher), digits: 1, short: 1, ..Metric::BASE };

/// How often answers are right.
pub static ACCURACY: Metric<Row> = Metric {
    key: "accuracy",
    column: "accuracy",
    error_column: "accuracy_se",
    name: "accuracy",
    window: "right",
    help: "Share of right answers: the accuracy.",
    value: |row| Some(row.accuracy),
    interval: |row| row.ci.get("accuracy").copied(),
    error: |row| (row.images > 0).then(|| row.error()),
    ..SHARE
};

/// The same, each class counting alike.
pub static BALANCED: Metric<Row> = Metric {
    key: "balanced_accuracy",
    column: "balanced_accuracy",
    name: "balanced",
    window: "balanced",
    help: "Mean of the classes' own shares: the balanced accuracy. Always naming one class gets no more than chance here.",
    value: |row| Some(row.balanced_accuracy),
    interval: |row| row.ci.get("balanced_accuracy").copied(),
    ..SHARE
};

/// How many of the positive class are found.
pub static SENSITIVITY: Metric<Row> = Metric {
    key: "sensitivity",
    column: "sensitivity",
    name: "sensitivity",
    window: "sensitivity",
    help: "Of two classes, how many images of the positive one are taken for it: the second, unless the experiment says otherwise.",
    value: |row| row.sensitivity,
    interval: |row| row.ci.get("sensitivity").copied(),
    ..SHARE
};

/// How many of the other class are left alone.
pub static SPECIFICITY: Metric<Row> = Metric {
    key: "specificity",
    column: "specificity",
    name: "specificity",
    window: "specificity",
    help: "Of two classes, how many images of the other one, which is not the positive, are taken for it.",
    value: |row| row.specificity,
    interval: |row| row.ci.get("specificity").copied(),
    ..SHARE
};

/// What a constant answer reaches.
pub static MAJORITY: Metric<Row> = Metric {
    key: "majority",
    column: "majority",
    name: "majority class",
    window: "majority",
    unit: "%",
    digits: 1,
    short: 1,
    help: "What always naming the commonest class would reach: the constant predictor.",
    value: |row| Some(row.majority),
    ..Metric::BASE
};

/// How well class shares rank.
pub static AUROC: Metric<Row> = Metric {
    key: "auroc",
    column: "auroc",
    name: "AUROC",
    window: "AUROC",
    better: Some(Better::Higher),
    help: "Area under the ROC curve: how often an image of a class gets more of it than one of another class does; each \
           class against all others, mean over the classes. 0.5 is chance, 1 perfect.",
    value: |row| row.auroc,
    interval: |row| row.ci.get("auroc").copied(),
    ..Metric::BASE
};

/// Whether class shares mean what they say.
pub static ECE: Metric<Row> = Metric {
    key: "ece",
    column: "ece_percent",
    name: "ECE",
    window: "calibration error",
    unit: "%",
    better: Some(Better::Lower),
    digits: 1,
    short: 1,
    help: "Expected calibration error: how far the shares of the chosen classes are from how often the choice is right, in \
           15 bins of equal width.",
    value: |row| row.ece,
    ..Metric::BASE
};

/// How far class shares are from the truth.
pub static BRIER: Metric<Row> = Metric {
    key: "brier",
    column: "brier",
    name: "Brier",
    window: "Brier score",
    better: Some(Better::Lower),
    help: "Brier score: the squared distance of the class shares from the truth, mean over the images; 0 is perfect, 2 the \
           worst.",
    value: |row| row.brier,
    ..Metric::BASE
};

/// What is told of a row of the table, in the order of its columns.
pub static ROWS: [&Metric<Row>; 8] =
    [&ACCURACY, &BALANCED, &MAJORITY, &AUROC, &ECE, &BRIER, &SENSITIVITY, &SPECIFICITY];

/// What a table of these rows leads with: balanced accuracy where the classes are uneven, as then always naming one is
/// often right. Accuracy where that is not known.
pub fn leading(rows: &[Row]) -> &'static Metric<Row> {
    let uneven = |row: &Row| row.confusion.as_ref().is_some_and(|all| row.majority > UNEVEN * 100.0 / all.len() as f64);
    if rows.iter().any(uneven) { &BALANCED } else { &ACCURACY }
}

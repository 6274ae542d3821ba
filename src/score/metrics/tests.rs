//! Each metric stands once, and reads what files have under its key.

use serde::Serialize;
use serde_json::Value;

use super::*;
use crate::score::gains::GAINS;
use crate::score::record::{Each, Judged, Row};
use crate::score::shares::BINS;

fn attack() -> AttackRecord {
    let lead = Lead { of: "lineup".to_owned(), mean: 41.5, se: 6.0, ..Lead::default() };
    let each = Each { ssim: vec![0.3, 0.4], picked: vec![Some(1.0), None], patients: None };
    let judged = Judged { psnr_se: 0.5, lead: Some(lead), each, ..Judged::default() };
    AttackRecord {
        mse: 0.05,
        psnr: 13.0,
        ssim: 0.35,
        ssim_se: 0.02,
        lineup: Some(50.0),
        labels_right: Some(50.0),
        ms_ssim: Some(0.45),
        ssim_p95: Some(0.395),
        ssim_worst: Some(0.4),
        images: 2,
        judged: Some(judged),
        ..AttackRecord::default()
    }
}

fn row() -> Row {
    let (auroc, ece, brier) = (Some(0.9), Some(4.0), Some(0.2));
    let (sensitivity, specificity) = (Some(80.0), Some(60.0));
    let (accuracy, balanced_accuracy, majority, images) = (75.0, 70.0, 60.0, 400);
    let ci = [("accuracy".to_owned(), [70.5, 79.25])].into();
    Row {
        accuracy,
        balanced_accuracy,
        majority,
        images,
        sensitivity,
        specificity,
        auroc,
        ece,
        brier,
        ci,
        ..Row::default()
    }
}

fn gain() -> Gain {
    let (over_attacked, over_reconstructed, over_clean) = (30.0, 20.0, -1.0);
    Gain { over_attacked, over_reconstructed, over_clean, errors: Some([3.0, 2.0, 1.0]), ..Gain::default() }
}

/// Keys, columns and words of some metrics; each reads what JSON has under its key.
fn checked<T: Serialize>(metrics: &[&'static Metric<T>], of: &T) -> Vec<&'static str> {
    let json = serde_json::to_value(of).unwrap();
    let mut columns = Vec::new();
    for metric in metrics {
        let name = metric.name;
        assert!(metric.help.ends_with('.') && !name.is_empty() && !metric.window.is_empty(), "{name}");
        assert!(metric.short <= metric.digits, "{name}");
        if let (Some(Value::Number(number)), Some(value)) = (json.get(metric.key), (metric.value)(of)) {
            assert_eq!(number.as_f64(), Some(value), "{name}");
        } else {
            // What is not a field of the record is deeper in it, or of older records alone.
            assert!(json.get(metric.key).is_none() || (metric.value)(of).is_none(), "{name}");
        }
        assert_eq!(metric.error_column.is_empty(), metric.error_column != format!("{}_se", metric.key), "{name}");
        columns.extend([metric.column, metric.error_column].into_iter().filter(|column| !column.is_empty()));
    }
    columns
}

#[test]
fn each_metric_stands_once_and_reads_what_files_have_under_its_key() {
    let all =
        [checked(&ATTACKS, &attack()), checked(&ROWS, &row()), checked(&GAINS.map(|gain| gain.0), &gain())].concat();
    for (i, column) in all.iter().enumerate() {
        assert!(!all[..i].contains(column), "{column} twice");
    }
    let all: Vec<Option<f64>> = ATTACKS.iter().map(|metric| (metric.value)(&attack())).collect();
    let more = [Some(0.45), Some(0.395), Some(0.4)];
    let main = [Some(0.35), Some(13.0), Some(50.0), None, Some(41.5), Some(0.05), Some(50.0)];
    assert_eq!(all, [&main[..], &more].concat());
    let labels = AttackRecord { labels_right: Some(90.0), ..AttackRecord::without_images(64) };
    let all: Vec<Option<f64>> = ATTACKS.iter().map(|metric| (metric.value)(&labels)).collect();
    let mut only = [None; 10];
    only[6] = Some(90.0);
    assert_eq!(all, only);
    // JSON has no number that is none: the keys are left out, and read again as what they were.
    let json = serde_json::to_value(&labels).unwrap();
    assert!(json.get("ssim").is_none() && json.get("mse").is_none() && json["labels_right"] == 90.0);
    assert!(!serde_json::from_value::<AttackRecord>(json).unwrap().has_images());
    let old = AttackRecord { judged: None, ..attack() };
    assert_eq!([&LINEUP, &FAR_LINEUP].map(|metric| (metric.value)(&old)), [None, Some(50.0)]);
    // One of two targets has a line-up today; an older build held two.
    let error = |record: &AttackRecord| (LINEUP.error)(record).unwrap();
    assert!(((error(&attack()) / error(&old)).powi(2) - 2.0).abs() < 1e-9);
    let errors: Vec<Option<f64>> = GAINS.iter().map(|(metric, ..)| (metric.error)(&gain())).collect();
    assert_eq!(errors, [Some(1.0), Some(3.0), Some(2.0)]);
}

#[test]
fn names_units_and_directions_are_said_alike_everywhere() {
    assert_eq!([SSIM.axis(), PSNR.axis(), LINEUP.axis()], ["SSIM", "PSNR, dB", "line-up, %"]);
    assert_eq!([PSNR.with_unit("13.0"), SSIM.with_unit("0.350")], ["13.0 dB", "0.350"]);
    assert_eq!([LINEUP.difference_unit(), SSIM.difference_unit(), PSNR.difference_unit()], ["points", "SSIM", "dB"]);
    assert_eq!(attack().judged.unwrap().lead.unwrap().metric().column, LINEUP.column);
    assert!(Lead { of: "ssim".to_owned(), ..Lead::default() }.metric() == &SSIM);
    assert_eq!(
        [SSIM.better_of([0.3, 0.5]), MSE.better_of([0.3, 0.5]), ACCURACY.better_of([90.0, 80.0])],
        [Some(0), Some(1), Some(0)]
    );
    assert_eq!([SSIM.better_of([0.3, 0.3]), SSIM.better_of([f64::NAN, 0.3])], [None, None]);
    assert_eq!(MAJORITY.better_of([60.0, 70.0]), None);
    assert!(
        PSNR.leak_help().ends_with(" Higher is a worse leak.") && MSE.leak_help().ends_with(" Lower is a worse leak.")
    );
    assert_eq!(ACCURACY.with_interval(&row()).unwrap(), "75.0 (70.5 to 79.2)");
    assert_eq!(SENSITIVITY.with_interval(&row()).unwrap(), "80.0");
    let of = |classes, majority| Row { majority, confusion: Some(vec![vec![0; classes]; classes]), ..row() };
    // Two of three are uneven in two classes, and even more so in ten.
    assert_eq!([2, 10].map(|classes| leading(&[of(classes, 65.0)]).key), ["balanced_accuracy"; 2]);
    assert_eq!([of(2, 52.0), row()].map(|row| leading(&[row]).key), ["accuracy"; 2]);
    assert_eq!(lineup_chance(), "12.5 %");
    for text in [LINEUP.window, LINEUP.help, FAR_LINEUP.help] {
        assert!(text.contains(&lineup_chance()), "{text}");
    }
    assert!(ECE.help.contains(&format!("{BINS} bins")));
}

#[test]
fn the_documented_names_are_these() {
    let shown = include_str!("../../../docs/words.md");
    let names = ATTACKS.iter().map(|m| (m.key, m.name)).chain(ROWS.iter().map(|m| (m.key, m.name)));
    for (key, name) in names.chain(GAINS.iter().map(|gain| (gain.0.key, gain.0.name))) {
        assert!(shown.contains(&format!("| `{key}` | {name} | ")), "docs/words.md lacks: | `{key}` | {name} |");
    }
}

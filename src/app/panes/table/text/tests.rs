//! The table as a text that can be passed on.

use std::path::Path;

use super::*;
use crate::app::panes::table::tests::{going, state};
use crate::experiment::fixture::DEFENDED;

#[test]
fn the_ending_chooses_the_form_and_others_are_refused() {
    for (name, first) in [("a.md", "quick, seed 7, data mnist, Cutlayer 0.9"), ("a.CSV", "# quick"), ("b.tex", "% ")] {
        let text = super::super::text(&state(), Path::new(name)).unwrap();
        assert!(text.starts_with(first), "{name}: {text}");
    }
    for name in ["a.txt", "a", "csv"] {
        let error = super::super::text(&state(), Path::new(name)).unwrap_err().to_string();
        assert!(error.contains(".md, .csv or .tex") && error.ends_with(name), "{error}");
    }
    let error = super::super::text(&State::default(), Path::new("a.md")).unwrap_err().to_string();
    assert!(error.contains("no table yet"), "{error}");
}

#[test]
fn markdown_pipes_are_aligned_and_over_clean_comes_first() {
    let text = Form::Markdown.write(&state()).unwrap();
    for block in text.split("\n\n").filter(|block| block.starts_with('|')) {
        let lines: Vec<Vec<usize>> = block
            .lines()
            .map(|line| line.chars().enumerate().filter(|(_, c)| *c == '|').map(|(i, _)| i).collect())
            .collect();
        assert!(lines.len() > 2 && lines.iter().all(|line| *line == lines[0]), "{block}");
    }
    let at = |word: &str| text.find(word).unwrap_or_else(|| panic!("{word}: {text}"));
    assert!(at("over clean images ") < at("over disguised images") && at("36.9 [A v1]") < at("17.9 [A v1]"));
    for cells in [", fused decision ", " adaptive |", " \u{2212}1.2 \u{b1} 0.6 |", " +69.2 \u{b1} 2.0 |"] {
        assert!(text.contains(cells), "{cells}: {text}");
    }
}

#[test]
fn latex_has_equal_rows_balanced_braces_and_nothing_bare() {
    let text = Form::Latex.write(&state()).unwrap();
    assert_eq!(text.matches("\\begin{tabular}").count(), 3);
    let body: Vec<&str> = text.lines().filter(|line| !line.starts_with('%')).collect();
    let mut columns = 0;
    for line in &body {
        if let Some(spec) = line.strip_prefix("\\begin{tabular}{").and_then(|rest| rest.strip_suffix('}')) {
            columns = spec.len();
        } else if let Some(row) = line.strip_suffix(" \\\\") {
            let bare = row.replace("\\&", "").replace("\\%", "").replace("\\_", "").replace("\\#", "");
            assert_eq!(bare.matches('&').count() + 1, columns, "{row}");
            assert!(!bare.contains(['%', '_', '#', '~', '^']) && bare.is_ascii(), "{row}");
        }
        assert_eq!(line.matches('{').count(), line.matches('}').count(), "{line}");
    }
    assert_eq!(escaped("a_b & 50 % #1 {x} [y] \u{2212}1"), "a\\_b \\& 50 \\% \\#1 \\{x\\} {[}y{]} $-$1");
    assert_eq!(escaped("\\~^<>\u{b1}\u{2013}").matches('\\').count(), 6);
}

#[test]
fn csv_is_one_rectangle_with_every_digit() {
    let state = state();
    let text = Form::Csv.write(&state).unwrap();
    let mut reader = csv::ReaderBuilder::new().comment(Some(b'#')).from_reader(text.as_bytes());
    let head = reader.headers().unwrap().clone();
    let at = |name: &str| head.iter().position(|column| column == name).unwrap();
    let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    let kinds: Vec<&str> = rows.iter().map(|row| &row[0]).collect();
    assert!(["row", "gain", "attack"].iter().all(|kind| kinds.contains(kind)), "{kinds:?}");
    let attack = rows.iter().find(|row| &row[0] == "attack").unwrap();
    assert_eq!(attack[at("ssim")].parse::<f64>().unwrap(), state.attacks[0].ssim);
    assert_eq!(attack[at("seconds")].parse::<f64>().unwrap(), state.attacks[0].seconds);
    let first = rows.iter().find(|row| &row[0] == "gain").unwrap();
    assert_eq!((&first[1], &first[at("gain_points")]), ("over_clean", "-1.23456789"));
}

#[test]
fn columns_of_the_csv_keep_their_names_and_places() {
    const OF_BUILD_0_1: &str = "kind,name,mode,target,epoch,accuracy,accuracy_se,balanced_accuracy,majority,gain_points,\
                                gain_se,constant_gain_points,paper,ssim,ssim_se,psnr_db,psnr_se,lineup_percent,\
                                far_lineup_percent,lead,verdict,why,mse,images,iterations,seconds";
    let text = Form::Csv.write(&state()).unwrap();
    let new = text.lines().nth(1).and_then(|head| head.strip_prefix(OF_BUILD_0_1));
    assert_eq!(
        new,
        Some(
            ",auroc,ece_percent,brier,lineup_se,lead_se,labels_right_percent,labels_right_se,ms_ssim,ssim_p95,\
                        ssim_worst"
        )
    );
}

#[test]
fn what_is_known_so_far_is_written_while_a_run_goes_on() {
    let text = Form::Markdown.write(&going()).unwrap();
    assert!(text.starts_with("quick, seed 3, Cutlayer ") && text.contains("so far") && !text.contains("36.9"));
    assert!(Form::Csv.write(&going()).unwrap().contains(&format!("epoch,decision,,{DEFENDED},1,43.5")));
    let odd = State { title: "a\nb, \"c\"".to_owned(), ..going() };
    assert_eq!(Form::Csv.write(&odd).unwrap().lines().next().map(|line| line.starts_with("# a b, \"c\"")), Some(true));
}

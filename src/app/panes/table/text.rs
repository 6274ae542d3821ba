//! The table for other programs: Markdown, LaTeX and CSV.

use std::fmt::Write as _;

use super::attacks::Column;
use super::results::{Line, epoch_lines, gain_lines};
use crate::app::state::State;
use crate::app::words::{capitalised, measured, mode, phase, row};
use crate::error::{Error, Result};
use crate::run::summary::{AttackRecord, Row};
use crate::score::metrics::{
    ACCURACY, ATTACKS, AUROC, BALANCED, BRIER, ECE, FAR_LINEUP, LABELS, LEAD, LINEUP, MAJORITY, MS_SSIM, MSE, Metric,
    PSNR, ROWS, SSIM, SSIM_P95, SSIM_WORST, lineup_chance,
};
use crate::score::verdict::Ruling;
use crate::texts::english;

/// A form that other programs read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Tables of bars and dashes.
    Markdown,
    /// One table with empty cells, each number in full.
    Csv,
    /// A `tabular` each, with booktabs.
    Latex,
}

impl Form {
    /// All, in the order of their buttons.
    pub const ALL: [Self; 3] = [Self::Markdown, Self::Csv, Self::Latex];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Markdown => "Markdown",
            Self::Csv => "CSV",
            Self::Latex => "LaTeX",
        }
    }

    /// What it is for, in a sentence.
    pub fn about(self) -> &'static str {
        match self {
            Self::Markdown => t!("For notes and issues: rounded as it is shown here."),
            Self::Csv => t!("For programs: one table, a row for each number's subject, every digit kept."),
            Self::Latex => t!("For a paper: one tabular each; the preamble needs \\usepackage{booktabs}."),
        }
    }

    /// The form that a file's ending asks for.
    ///
    /// # Errors
    /// Names the endings that are allowed.
    pub fn of(path: &std::path::Path) -> Result<Self> {
        let ending = path.extension().map(|ending| ending.to_string_lossy().to_lowercase()).unwrap_or_default();
        match ending.as_str() {
            "md" => Ok(Self::Markdown),
            "csv" => Ok(Self::Csv),
            "tex" => Ok(Self::Latex),
            _ => Err(Error::input(format!(
                "the table is written as .md, .csv or .tex, by the file's ending: {}",
                path.display()
            ))),
        }
    }

    /// The run's table in this form.
    ///
    /// # Errors
    /// Where nothing was measured yet, or there is no memory left.
    pub fn write(self, state: &State) -> Result<String> {
        if !state.measured() {
            return Err(Error::input("there is no table yet: nothing was measured"));
        }
        // Papers and programs take it in.
        english(|| match self {
            Self::Markdown => Ok(markdown(state)),
            Self::Csv => csv(state),
            Self::Latex => Ok(latex(state)),
        })
    }
}

/// What was run: name, seed and the version that ran it.
fn headline(state: &State) -> String {
    let (title, seed) = match state.title.rsplit_once(", seed ") {
        Some((name, seed)) => (name, Some(seed.to_owned())),
        None => (state.title.as_str(), None),
    };
    let title: String = title.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let summary = state.summary.as_deref();
    let seed = summary.map(|summary| summary.seed.to_string()).or(seed);
    let seed = seed.map(|seed| format!(", seed {seed}")).unwrap_or_default();
    let version = summary.map_or(env!("CARGO_PKG_VERSION"), |summary| &summary.machine.version);
    let data = summary.map(|summary| format!(", data {}", summary.experiment.data.name)).unwrap_or_default();
    format!("{title}{seed}{data}, Cutlayer {version}")
}

/// A table as text: a title, a heading, rows of as many cells. The first column holds words, the others numbers.
struct Sheet {
    title: String,
    head: Vec<String>,
    rows: Vec<Vec<String>>,
}

fn sheets(state: &State) -> Vec<Sheet> {
    let strings = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
    let cells = |lines: Vec<Line>| lines.into_iter().map(|line| line.cells).collect::<Vec<_>>();
    let mut sheets = Vec::new();
    if let Some(summary) = &state.summary {
        // Older builds measured fewer.
        let known = |metric: &&&Metric<Row>| summary.rows.iter().any(|row| (metric.value)(row).is_some());
        let metrics: Vec<&Metric<Row>> = ROWS.iter().filter(known).copied().collect();
        let rows = summary.rows.iter().map(|one| {
            let cells = metrics.iter().map(|metric| measured(metric, one).trim_end_matches(" %").to_owned());
            std::iter::once(row(&one.name).0.to_owned()).chain(cells).collect()
        });
        let head = metrics.iter().map(|metric| match metric.unit {
            "" => metric.window.to_owned(),
            unit => format!("{}, {unit}", metric.window),
        });
        sheets.push(Sheet {
            title: "Answers on test images \u{b1} standard error".to_owned(),
            head: std::iter::once("on test images".to_owned()).chain(head).collect(),
            rows: rows.collect(),
        });
        if let Ok(lines) = gain_lines(summary)
            && !lines.is_empty()
        {
            sheets.push(Sheet {
                title: "Gain of the fused decision, points; over clean images is the one that cannot be inflated"
                    .to_owned(),
                head: strings(&["gain", "here", "always the majority", "paper"]),
                rows: cells(lines),
            });
        }
    } else if !state.epochs.is_empty() {
        sheets.push(Sheet {
            title: "Right answers on test images so far, %".to_owned(),
            head: strings(&["model", "epoch", "right"]),
            rows: cells(epoch_lines(&state.epochs)),
        });
    }
    if !state.attacks.is_empty() {
        let judgement = state.judgement();
        // What older builds asked of a line-up was easier: the two never share a table.
        for (title, judged) in [
            (
                format!(
                    "Attacks and guesses; chance picks {} of targets from a line-up of eight of their class",
                    lineup_chance()
                ),
                true,
            ),
            ("As an older build scored it: line-ups with far decoys, which a class mean passes".to_owned(), false),
        ] {
            let of =
                state.attacks.iter().zip(&judgement.rulings).filter(|(record, _)| record.judged.is_some() == judged);
            let row = |(record, ruling): (&AttackRecord, &Option<Ruling>)| {
                Column::ALL.map(|column| column.cell(record, ruling.as_ref())).to_vec()
            };
            let rows: Vec<Vec<String>> = of.map(row).collect();
            if !rows.is_empty() {
                sheets.push(Sheet { title, head: Column::ALL.iter().map(|column| column.full()).collect(), rows });
            }
        }
    }
    sheets
}

fn markdown(state: &State) -> String {
    let mut text = format!("{}\n", headline(state));
    for sheet in sheets(state) {
        let _ = write!(text, "\n**{}**\n\n", sheet.title);
        let escaped = |cells: &[String]| cells.iter().map(|cell| cell.replace('|', "\\|")).collect::<Vec<_>>();
        let head = escaped(&sheet.head);
        let rows: Vec<Vec<String>> = sheet.rows.iter().map(|cells| escaped(cells)).collect();
        let width = |column: usize| rows.iter().chain([&head]).map(|cells| cells[column].chars().count()).max();
        let widths: Vec<usize> = (0..head.len()).map(|column| width(column).unwrap_or(0).max(3)).collect();
        let mut line = |cells: &[String]| {
            for (i, (cell, width)) in cells.iter().zip(&widths).enumerate() {
                let _ = if i == 0 { write!(text, "| {cell:<width$} ") } else { write!(text, "| {cell:>width$} ") };
            }
            text.push_str("|\n");
        };
        line(&head);
        let rule = |(i, width): (usize, &usize)| if i == 0 { "-".repeat(*width) } else { "-".repeat(width - 1) + ":" };
        line(&widths.iter().enumerate().map(rule).collect::<Vec<_>>());
        for cells in &rows {
            line(cells);
        }
    }
    for sentence in state.judgement().verdicts.iter().flat_map(|verdict| &verdict.sentences) {
        let _ = write!(text, "\n{}\n", capitalised(&phase(sentence)));
    }
    text
}

fn latex(state: &State) -> String {
    let mut text = format!("% {}\n% needs \\usepackage{{booktabs}}\n", headline(state));
    for sheet in sheets(state) {
        let cells = |cells: &[String]| cells.iter().map(|cell| escaped(cell)).collect::<Vec<_>>().join(" & ");
        let _ = write!(
            text,
            "\n% {}\n\\begin{{tabular}}{{l{}}}\n\\toprule\n{} \\\\\n\\midrule\n",
            sheet.title,
            "r".repeat(sheet.head.len() - 1),
            cells(&sheet.head)
        );
        sheet.rows.iter().for_each(|row| {
            let _ = writeln!(text, "{} \\\\", cells(row));
        });
        text.push_str("\\bottomrule\n\\end{tabular}\n");
    }
    text
}

/// A cell as LaTeX sets it. A bracket first in a row would be an argument of the line's end before it.
fn escaped(cell: &str) -> String {
    let mut text = String::with_capacity(cell.len() + 8);
    for c in cell.chars() {
        match c {
            '%' | '_' | '&' | '#' | '$' | '{' | '}' => text.extend(['\\', c]),
            '\\' => text.push_str("\\textbackslash{}"),
            '~' => text.push_str("\\textasciitilde{}"),
            '^' => text.push_str("\\textasciicircum{}"),
            '<' => text.push_str("\\textless{}"),
            '>' => text.push_str("\\textgreater{}"),
            '[' | ']' => text.extend(['{', c, '}']),
            '\u{2212}' => text.push_str("$-$"),
            '\u{b1}' => text.push_str("$\\pm$"),
            '\u{3b3}' => text.push_str("$\\gamma$"),
            '\u{3bc}' => text.push_str("$\\mu$"),
            '\u{2013}' => text.push_str("--"),
            '\u{201c}' => text.push_str("``"),
            '\u{201d}' => text.push_str("''"),
            _ => text.push(c),
        }
    }
    text
}

/// Columns of the CSV: what a row is about, then what was measured of it. New ones come last.
static CSV_HEAD: [&str; 36] = [
    "kind",
    "name",
    "mode",
    "target",
    "epoch",
    ACCURACY.column,
    ACCURACY.error_column,
    BALANCED.column,
    MAJORITY.column,
    "gain_points",
    "gain_se",
    "constant_gain_points",
    "paper",
    SSIM.column,
    SSIM.error_column,
    PSNR.column,
    PSNR.error_column,
    LINEUP.column,
    FAR_LINEUP.column,
    LEAD.column,
    "verdict",
    "why",
    MSE.column,
    "images",
    "iterations",
    "seconds",
    AUROC.column,
    ECE.column,
    BRIER.column,
    LINEUP.error_column,
    LEAD.error_column,
    LABELS.column,
    LABELS.error_column,
    MS_SSIM.column,
    SSIM_P95.column,
    SSIM_WORST.column,
];

/// Cells of a row, by column; the others stay empty.
type Cells<'a> = &'a [(&'a str, String)];

/// The cells of all metrics of a record, each with its standard error where it has one.
fn cells_of<T>(metrics: &[&'static Metric<T>], of: &T) -> Vec<(&'static str, String)> {
    let one = |metric: &&'static Metric<T>| {
        let value = (metric.value)(of).map(|value| (metric.column, value.to_string()));
        let error = (metric.error)(of).filter(|_| value.is_some() && metric.has_error());
        value.into_iter().chain(error.map(|error| (metric.error_column, error.to_string())))
    };
    metrics.iter().flat_map(one).collect()
}

fn csv(state: &State) -> Result<String> {
    let wrong = |e: &dyn std::fmt::Display| Error::Internal(format!("table: {e}"));
    let mut csv = csv::Writer::from_writer(Vec::new());
    csv.write_record(CSV_HEAD).map_err(|e| wrong(&e))?;
    let mut put = |cells: Cells<'_>| {
        let cell = |column: &&str| cells.iter().find(|cell| cell.0 == *column).map_or("", |cell| cell.1.as_str());
        csv.write_record(CSV_HEAD.iter().map(cell)).map_err(|e| wrong(&e))
    };
    let of = |kind: &str, name: &str| [("kind", kind.to_owned()), ("name", name.to_owned())].to_vec();
    for row in state.summary.iter().flat_map(|summary| &summary.rows) {
        let mut cells = of("row", &row.name);
        cells.extend(cells_of(&ROWS, row));
        put(&cells)?;
    }
    for line in state.summary.iter().filter_map(|summary| gain_lines(summary).ok()).flatten() {
        let mut cells = of("gain", line.key);
        cells.push(("gain_points", line.value.to_string()));
        cells.extend(line.error.map(|se| ("gain_se", se.to_string())));
        cells.extend(line.constant.map(|gain| ("constant_gain_points", gain.to_string())));
        cells.push(("paper", line.cells[3].clone()));
        put(&cells)?;
    }
    for row in &state.epochs {
        let row = &row.1;
        let streams = [("attacked", row.attacked), ("recovered", row.recovered), ("fused", row.fused_stream)];
        let streams = streams.into_iter().filter_map(|(name, value)| Some((name, value?)));
        let validation = row.validation.map(|accuracy| ("decision on the validation set", accuracy));
        for (name, value) in streams.chain([("decision", row.accuracy)]).chain(validation) {
            let mut cells = of("epoch", name);
            cells.push(("target", row.model.clone()));
            cells.push(("epoch", row.epoch.to_string()));
            cells.push((ACCURACY.column, value.to_string()));
            put(&cells)?;
        }
    }
    let judgement = state.judgement();
    for (record, ruling) in state.attacks.iter().zip(&judgement.rulings) {
        let mut cells = of("attack", &record.name);
        cells.extend(cells_of(&ATTACKS, record));
        if let Some(ruling) = ruling {
            cells.extend([("verdict", ruling.standing.word().to_owned()), ("why", ruling.why.clone())]);
        }
        cells.extend([
            ("mode", mode(record).to_owned()),
            ("target", record.target.clone()),
            ("epoch", record.epoch.to_string()),
            ("images", record.images.to_string()),
            ("iterations", record.iterations.to_string()),
            ("seconds", record.seconds.to_string()),
        ]);
        put(&cells)?;
    }
    let bytes = csv.into_inner().map_err(|e| wrong(&e))?;
    Ok(format!("# {}\n{}", headline(state), String::from_utf8(bytes).map_err(|e| wrong(&e))?))
}

#[cfg(test)]
mod tests;

//! Finished runs beside each other: what they came to, and what differs.

mod lines;

pub(super) use lines::spread;

use std::fmt::Write;

use super::columns::{Chosen, Column, columns};
use crate::app::RunEntry;
use crate::app::words::capitalised;
use crate::score::metrics::{ACCURACY, AUROC, BRIER, ECE};
use crate::texts::say;

/// What one of them does not have.
pub(super) const NONE: &str = "\u{2013}";

/// One row of the comparison.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    /// What is compared.
    pub label: String,
    /// What it is, and how to read it.
    pub tip: String,
    /// As the columns have it.
    pub values: Vec<String>,
    /// The second of two columns less the first; empty where that means nothing.
    pub change: String,
    /// Which of two runs is better, where one is beyond chance.
    pub better: Option<usize>,
}

/// Rows of one kind.
#[derive(Clone, Debug, PartialEq)]
pub struct Group {
    /// What they are of.
    pub title: String,
    /// The rows.
    pub lines: Vec<Line>,
}

/// Runs beside each other.
#[derive(Clone, Debug)]
pub struct Comparison {
    /// What stands beside each other: runs, or settings with their seeds together.
    pub columns: Vec<Column>,
    /// What each came to, whether or not that differs.
    pub results: Group,
    /// What differs.
    pub groups: Vec<Group>,
    /// Numbers and settings that all have, equal as they are written here.
    pub equal: usize,
}

impl Comparison {
    /// Compares runs, those of one setting `pooled` or each by itself; none where one is not finished.
    pub fn of(runs: &[&RunEntry], pooled: bool) -> Option<Self> {
        let chosen = Chosen::of(runs)?;
        let columns = columns(&chosen, pooled);
        let of = lines::Of { chosen: &chosen, columns: &columns };
        let results = Group { title: t!("What each came to").to_owned(), lines: of.results() };
        let mut groups = vec![(t!("Settings").to_owned(), of.settings())];
        for metric in [&ACCURACY, &AUROC, &ECE, &BRIER] {
            groups.push((t!("{name} on test images", name = capitalised(say(metric.name))), of.answers(metric)));
        }
        groups.push((t!("Gain of the fused decision, in points").to_owned(), of.gains()));
        groups.extend(of.attacks());
        let mut this = Self { columns, results, groups: Vec::new(), equal: 0 };
        for (title, lines) in groups {
            this.add(title, lines);
        }
        Some(this)
    }

    /// Keeps what differs, counts the rest.
    fn add(&mut self, title: String, lines: Vec<Line>) {
        let all = lines.len();
        let differs = |line: &Line| line.values.iter().any(|value| *value != line.values[0]);
        let lines: Vec<Line> = lines.into_iter().filter(differs).collect();
        self.equal += all - lines.len();
        if !lines.is_empty() {
            self.groups.push(Group { title, lines });
        }
    }

    /// Whether there are two columns, of which the second less the first is told.
    pub fn is_pair(&self) -> bool {
        self.columns.len() == 2
    }

    /// The results, then what differs.
    pub fn all(&self) -> impl Iterator<Item = &Group> {
        std::iter::once(&self.results).filter(|group| !group.lines.is_empty()).chain(&self.groups)
    }

    /// What all have, in a sentence.
    pub fn equal_words(&self) -> String {
        match (self.equal, self.is_pair()) {
            (1, true) => t!("1 setting or number is equal in both and left out.").to_owned(),
            (n, true) => t!("{n} settings and numbers are equal in both and left out.", n),
            (1, false) => t!("1 setting or number is equal in all and left out.").to_owned(),
            (n, false) => t!("{n} settings and numbers are equal in all and left out.", n),
        }
    }

    /// The table for a paper or a note.
    pub fn markdown(&self) -> String {
        let plain = |text: &str| text.replace('|', "\\|").replace('\n', " ");
        let name = |column: &Column| format!("{}: {}", column.letter, plain(&column.name));
        let mut text = self.columns.iter().map(name).collect::<Vec<_>>().join("  \n");
        let mut heads: Vec<&str> = self.columns.iter().map(|column| column.letter.as_str()).collect();
        if self.is_pair() {
            heads.push(t!("B \u{2212} A"));
        }
        // A `String` takes all that is written to it.
        let _ = writeln!(text, "\n\n| | {} |\n|---|{}", heads.join(" | "), "---:|".repeat(heads.len()));
        for group in self.all() {
            let _ = writeln!(text, "| **{}** |{}", plain(&group.title), " |".repeat(heads.len()));
            for line in &group.lines {
                let value = |(at, value): (usize, &String)| {
                    let value = plain(value);
                    if line.better == Some(at) { format!("**{value}**") } else { value }
                };
                let mut cells: Vec<String> = line.values.iter().enumerate().map(value).collect();
                cells.extend(self.is_pair().then(|| line.change.clone()));
                let _ = writeln!(text, "| {} | {} |", plain(&line.label), cells.join(" | "));
            }
        }
        let _ = writeln!(text, "\n{}", self.equal_words());
        text
    }
}

#[cfg(test)]
mod tests;

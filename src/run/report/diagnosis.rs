//! What a report says of manipulated diagnoses: METHOD §3's second table.

use std::fmt::Write as _;

use super::table;
use crate::score::diagnosis::DiagnosisRow;
use crate::workbench;

/// The streams beside the decision, and what heads their columns.
const STREAMS: [(&str, &str); 3] = [("stream_attacked", "a"), ("stream_recovered", "r"), ("stream_fused", "f")];

/// The table; nothing where nobody tried.
pub fn manipulated(rows: &[DiagnosisRow]) -> String {
    let decisions: Vec<&DiagnosisRow> = rows.iter().filter(|row| !row.stream.starts_with("stream_")).collect();
    let Some(first) = decisions.first() else { return String::new() };
    let several = rows.iter().any(|row| row.stream.starts_with("stream_"));
    let mut head = vec!["attack", "within", "at", "right before, %", "after, % [95 %]", "flipped, % [95 %]"];
    let columns: Vec<String> = STREAMS.iter().map(|(_, name)| format!("{name}: after, flipped")).collect();
    head.extend(columns.iter().filter(|_| several).map(String::as_str));
    let mut own = table(&head);
    for row in &decisions {
        let mut cells = vec![
            words(row),
            row.budget.clone(),
            workbench::paper_word(&row.target).to_owned(),
            format!("{:.1}", row.clean_accuracy),
            with_interval(row.attacked_accuracy, row.attacked_ci),
            with_interval(row.flip_rate, row.flip_ci),
        ];
        let stream = |name: &str| rows.iter().find(|other| other.stream == name && same_attack(other, row));
        let told = |(name, _): &(&str, &str)| {
            stream(name).map_or("–".to_owned(), |row| format!("{:.1}, {:.1}", row.attacked_accuracy, row.flip_rate))
        };
        cells.extend(STREAMS.iter().filter(|_| several).map(told));
        own.add_row(cells);
    }
    let mut text = format!(
        "\nManipulated diagnosis: answers to {} held-out images, an equal share of each class, before and after an attack \
         moved them (or their smashed data); flipped: another answer than before\n{own}\n",
        first.images
    );
    for row in worst(&decisions) {
        let _ = writeln!(
            text,
            "At its worst, {} is right on {:.1} % in place of {:.1} %: {}, {}.",
            workbench::paper_word(&row.target),
            row.attacked_accuracy,
            row.clean_accuracy,
            words(row),
            row.budget
        );
    }
    text
}

/// Of each model the row where it is right least often.
fn worst<'a>(decisions: &[&'a DiagnosisRow]) -> Vec<&'a DiagnosisRow> {
    let mut all: Vec<&DiagnosisRow> = Vec::new();
    for row in decisions {
        match all.iter_mut().find(|known| known.target == row.target) {
            Some(known) if row.attacked_accuracy < known.attacked_accuracy => *known = row,
            Some(_) => {}
            None => all.push(row),
        }
    }
    all
}

fn same_attack(one: &DiagnosisRow, other: &DiagnosisRow) -> bool {
    DiagnosisRow { stream: other.stream.clone(), ..one.clone() }.replaces(other)
}

/// `adaptive pgd`, or `pgd made against vanilla`.
fn words(row: &DiagnosisRow) -> String {
    if row.crafted_at != row.target {
        return format!("{} made against {}", row.attack, workbench::paper_word(&row.crafted_at));
    }
    match (row.stream.as_str(), row.adaptive) {
        ("vanilla", _) => row.attack.clone(),
        (_, true) => format!("adaptive {}", row.attack),
        (_, false) => format!("naive {}", row.attack),
    }
}

fn with_interval(percent: f64, [low, high]: [f64; 2]) -> String {
    format!("{percent:.1} [{low:.1}, {high:.1}]")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::fixture::DEFENDED;

    fn row(target: &str, crafted_at: &str, stream: &str, adaptive: bool, moved: &[u32]) -> DiagnosisRow {
        let row = DiagnosisRow {
            attack: "pgd".to_owned(),
            target: target.to_owned(),
            crafted_at: crafted_at.to_owned(),
            adaptive,
            budget: "ε 0.0314".to_owned(),
            ..DiagnosisRow::default()
        };
        row.counted(stream, &[0, 1, 0, 1], &[0, 1, 0, 1], moved)
    }

    #[test]
    fn each_attack_is_a_line_with_its_streams_beside_the_decision() {
        let rows = [
            row("vanilla", "vanilla", "vanilla", false, &[0, 1, 0, 0]),
            row(DEFENDED, "vanilla", "fused", false, &[0, 1, 0, 1]),
            row(DEFENDED, DEFENDED, "fused", true, &[0, 0, 1, 0]),
            row(DEFENDED, DEFENDED, "stream_attacked", true, &[1, 0, 1, 0]),
        ];
        let text = manipulated(&rows);
        let line = |start: &str| text.lines().find(|line| line.starts_with(start)).unwrap_or_else(|| panic!("{text}"));
        assert!(line("| pgd made against vanilla").contains("100.0 [51.0, 100.0]"), "{text}");
        let adaptive = line("| adaptive pgd");
        assert!(adaptive.contains("25.0 [4.6, 69.9]") && adaptive.contains("0.0, 100.0"), "{text}");
        assert_eq!(text.lines().filter(|line| line.starts_with("| ")).count(), 4, "{text}");
        let last = " is right on 25.0 % in place of 100.0 %: adaptive pgd, ε 0.0314.\n";
        assert!(text.ends_with(last), "{text}");
        assert_eq!(manipulated(&[]), "");
    }
}

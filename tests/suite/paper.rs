//! The paper's figures stand in one file of the source: all else reads them from there.

use std::fs::read_to_string;
use std::path::{Path, PathBuf};

use cutlayer::score::paper::{Figure, MU, OVER_ATTACKED, OVER_RECONSTRUCTED, THIRD};

const FIGURES: [Figure; 4] = [OVER_ATTACKED, OVER_RECONSTRUCTED, THIRD, MU];

/// The file that has them.
const HOME: &str = "src/score/paper.rs";

/// Texts that have the same digits for a reason of their own: the curve's μ are ours.
const OURS: [(&str, &str); 1] = [("src/setting/table.rs", "0.05, 0.2, 0.55, 1.2, 3.5")];

/// Where such numbers are lengths, shares of a width and shades.
const DRAWN: [&str; 4] = ["src/app/", "src/run/pictures.rs", "src/report/axis.rs", "src/report/charts.rs"];

/// Files that are compiled for tests alone.
const FOR_TESTS: [&str; 4] = ["tests.rs", "fixture.rs", "samples.rs", "test_look.rs"];

fn sources(folder: &Path, all: &mut Vec<PathBuf>) {
    for entry in folder.read_dir().unwrap().map(Result::unwrap) {
        let (path, name) = (entry.path(), entry.file_name().to_string_lossy().into_owned());
        if path.is_dir() && name != "tests" {
            sources(&path, all);
        } else if path.extension().is_some_and(|ending| ending == "rs") && !FOR_TESTS.contains(&name.as_str()) {
            all.push(path);
        }
    }
}

/// A source file up to its tests.
fn without_tests(source: &str) -> &str {
    const MARK: &str = "\n#[cfg(test)]\n";
    let tests = |at: &usize| source[at + MARK.len()..].lines().next().is_some_and(|line| line.ends_with("mod tests {"));
    source.match_indices(MARK).map(|(at, _)| at).find(tests).map_or(source, |at| &source[..at])
}

/// What is code of a source file, and its texts; comments are neither.
fn parts(source: &str) -> (String, Vec<String>) {
    let (mut code, mut texts) = (String::new(), Vec::new());
    let mut rest = source;
    while let Some(c) = rest.chars().next() {
        let raw =
            rest.strip_prefix('r').map(|after| after.trim_start_matches('#')).filter(|after| after.starts_with('"'));
        let in_word = code.ends_with(|c: char| c.is_alphanumeric() || c == '_');
        if rest.starts_with("//") {
            rest = &rest[rest.find('\n').unwrap_or(rest.len())..];
        } else if let Some(opened) = raw.filter(|_| !in_word) {
            let end = format!("\"{}", "#".repeat(rest.len() - opened.len() - 1));
            let length = opened[1..].find(&end).expect("a raw text has an end");
            texts.push(opened[1..=length].to_owned());
            rest = &opened[1 + length + end.len()..];
        } else if c == '"' {
            let mut escaped = false;
            let end = |(_, c): &(usize, char)| {
                let ends = *c == '"' && !escaped;
                escaped = *c == '\\' && !escaped;
                ends
            };
            let (length, _) = rest[1..].char_indices().find(end).expect("a text has an end");
            texts.push(rest[1..=length].to_owned());
            rest = &rest[length + 2..];
        } else if rest.starts_with("'\\") || c == '\'' && rest.chars().nth(2) == Some('\'') {
            // A character, and no lifetime.
            let after =
                if rest.starts_with("'\\") { 3 } else { 1 + rest[1..].chars().next().map_or(0, char::len_utf8) };
            rest = &rest[after + rest[after..].find('\'').expect("a character has an end") + 1..];
        } else {
            code.push(c);
            rest = &rest[c.len_utf8()..];
        }
    }
    (code, texts)
}

/// Whether a number stands in a text, and not as a part of another one.
fn has(text: &str, number: &str) -> bool {
    let part = |c: char| c.is_ascii_digit() || c == '.';
    text.match_indices(number).any(|(at, _)| {
        // .55 is 0.55 too.
        let before = text[..at].strip_suffix('0').filter(|_| number.starts_with('.')).unwrap_or(&text[..at]);
        // The end of a sentence is no part of a number.
        let goes_on = text[at + number.len()..].starts_with(|c: char| c.is_ascii_digit());
        !before.ends_with(part) && !goes_on
    })
}

#[test]
fn numbers_are_found_whole_in_code_and_in_texts() {
    let (code, texts) = parts("let a = 1.5; // 2.5\nlet b = \"x \\\" 3.5\"; f('\"', '\\'', r#\"4.5 \"\"#, &'a 0)");
    assert!(has(&code, "1.5") && !code.contains("2.5") && code.contains("&'a 0"), "{code}");
    assert_eq!(texts, ["x \\\" 3.5", "4.5 \""]);
    for (text, found) in
        [(".55", true), ("0.55,", true), ("μ .55.", true), ("1.55", false), (".551", false), ("10.55", false)]
    {
        assert_eq!(has(text, ".55"), found, "{text}");
    }
    assert!(has("36.9 points", "36.9") && !has("136.9", "36.9") && !has("36.95", "36.9"));
}

#[test]
fn the_papers_figures_stand_in_one_file() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    sources(&root.join("src"), &mut files);
    assert!(files.len() > 150, "{} files", files.len());
    let mut at_home = 0;
    for file in files {
        let name = file.strip_prefix(root).unwrap().to_string_lossy().replace('\\', "/");
        let source = read_to_string(&file).unwrap();
        let (code, texts) = parts(without_tests(&source));
        for figure in FIGURES {
            let in_code = has(&code, figure.text);
            if name == HOME {
                at_home += usize::from(in_code);
                continue;
            }
            let drawn = DRAWN.iter().any(|place| name.starts_with(place)) && [THIRD, MU].contains(&figure);
            assert!(!in_code || drawn, "{name} has {figure}: read it from {HOME}");
            for text in texts.iter().filter(|text| has(text, figure.text)) {
                let ours = OURS.contains(&(name.as_str(), text.as_str()));
                assert!(ours, "{name} says {figure} in {text:?}: read it from {HOME}");
            }
        }
    }
    assert_eq!(at_home, FIGURES.len());
}

#[test]
fn what_is_read_by_people_has_the_papers_figures_right() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let [results, method] =
        ["docs/results.md", "assets/method.md"].map(|name| read_to_string(root.join(name)).unwrap());
    for figure in FIGURES {
        assert!(has(&results, figure.text) && has(&method, figure.text), "{figure}");
        assert!(method.contains(&format!("[{}]", figure.mark)), "{figure}");
    }
    for figure in [OVER_ATTACKED, OVER_RECONSTRUCTED, THIRD] {
        assert!(results.contains(&figure.to_string()), "docs/results.md lacks {figure}");
    }
}

//! What the documents say: links and sections that are there, commands and experiments that work.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use cutlayer::experiment::Experiment;
use cutlayer::sweep::Sweep;

use crate::common::program;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every document of the repository that people read, by its path from the root.
fn documents() -> Vec<(PathBuf, String)> {
    let docs = fs::read_dir(root().join("docs")).unwrap().map(|entry| entry.unwrap().path());
    let docs = docs.filter(|path| path.extension().is_some_and(|extension| extension == "md"));
    let others = ["README.md", "ARCHITECTURE.md", "CHANGELOG.md", "NOTICE.md", "assets/method.md"];
    let paths = docs.chain(others.map(|name| root().join(name)));
    paths.map(|path| (path.strip_prefix(root()).unwrap().to_owned(), fs::read_to_string(&path).unwrap())).collect()
}

/// The lines outside blocks of code.
fn prose(text: &str) -> impl Iterator<Item = &str> {
    let mut code = false;
    text.lines().filter(move |line| {
        let fence = line.trim_start().starts_with("```");
        code ^= fence;
        !code && !fence
    })
}

/// The blocks of code in a language.
fn blocks(text: &str, language: &str) -> Vec<String> {
    let mut blocks: Vec<String> = Vec::new();
    let mut inside = false;
    for line in text.lines() {
        if let Some(word) = line.strip_prefix("```") {
            inside = !inside && word == language;
            if inside {
                blocks.push(String::new());
            }
        } else if inside {
            blocks.last_mut().unwrap().extend([line, "\n"]);
        }
    }
    blocks
}

/// Headings as links name them: in small letters, words joined by dashes, all other signs left out.
fn anchors(text: &str) -> BTreeSet<String> {
    let heading = |line: &str| {
        let words = line.strip_prefix('#')?.trim_start_matches('#').strip_prefix(' ')?.to_lowercase();
        let kept = words.chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c));
        Some(kept.map(|c| if c == ' ' { '-' } else { c }).collect())
    };
    prose(text).filter_map(heading).collect()
}

/// What a line links to.
fn links(line: &str) -> impl Iterator<Item = &str> {
    line.split("](").skip(1).filter_map(|rest| rest.split_once(')')).map(|(target, _)| target)
}

#[test]
fn every_link_leads_somewhere() {
    let mut checked = 0;
    for (path, text) in documents() {
        for target in prose(&text).flat_map(links).filter(|target| !target.contains("://")) {
            let (file, anchor) = target.split_once('#').unwrap_or((target, ""));
            let linked = if file.is_empty() { root().join(&path) } else { root().join(&path).with_file_name(file) };
            assert!(linked.exists(), "{} links to {target}, which is not there", path.display());
            if !anchor.is_empty() {
                let there = anchors(&fs::read_to_string(&linked).unwrap());
                assert!(there.contains(anchor), "{} links to {target}: it has {there:?}", path.display());
            }
            checked += 1;
        }
    }
    assert!(checked > 30, "only {checked} links were found");
}

#[test]
fn every_document_is_linked_from_the_readme() {
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    let linked: BTreeSet<&str> = readme.lines().flat_map(links).collect();
    for (path, _) in documents().iter().filter(|(path, _)| path != Path::new("README.md")) {
        assert!(linked.contains(path.to_str().unwrap()), "{} is not linked", path.display());
    }
}

#[test]
fn commands_have_the_options_and_settings_that_the_documents_give_them() {
    let mut checked = 0;
    for (path, text) in documents() {
        for line in blocks(&text, "sh").iter().flat_map(|block| block.lines().map(str::to_owned).collect::<Vec<_>>()) {
            let Some(arguments) = line.strip_prefix("cutlayer ") else { continue };
            let words = words(arguments);
            // A wrong command or option is told before the help is.
            let output = program(words.iter().map(String::as_str).chain(["--help"])).output().unwrap();
            let told = String::from_utf8_lossy(&output.stderr).into_owned();
            assert!(output.status.success(), "{}: {line}: {told}", path.display());
            if let [run, preset, ..] = words.as_slice()
                && run == "run"
                && !preset.starts_with('-')
            {
                let mut experiment = Experiment::load(preset).unwrap();
                for pair in words.windows(2).filter(|pair| pair[0] == "--set") {
                    experiment.set(&pair[1]).unwrap();
                }
                experiment.validate().unwrap();
            }
            checked += 1;
        }
    }
    assert!(checked > 10, "only {checked} commands were found");
}

/// A command line as a shell splits it, up to a comment; quotes keep spaces.
fn words(line: &str) -> Vec<String> {
    let (mut words, mut word, mut quoted) = (Vec::new(), String::new(), false);
    for c in line.chars() {
        match c {
            '\'' => quoted = !quoted,
            '#' if !quoted && word.is_empty() => break,
            ' ' if !quoted => words.push(std::mem::take(&mut word)),
            c => word.push(c),
        }
    }
    words.push(word);
    words.retain(|word| !word.is_empty());
    words
}

#[test]
fn experiments_and_sweeps_of_the_documents_are_such() {
    let mut checked = 0;
    for (path, text) in documents() {
        for block in blocks(&text, "toml") {
            let origin = path.display().to_string();
            if block.lines().any(|line| line.starts_with("[grid]")) {
                Sweep::from_toml("x", &block, &origin, Path::new(".")).unwrap();
            } else {
                Experiment::from_toml(&block, &origin).unwrap().validate().unwrap();
            }
            checked += 1;
        }
    }
    assert!(checked >= 3, "only {checked} experiments were found");
}

/// The sections of the method by number, and under `2.4` the fourth point of the second.
fn sections(method: &str) -> BTreeSet<String> {
    let mut sections = BTreeSet::new();
    let mut at = String::new();
    for line in method.lines() {
        let number = |rest: &str| rest.chars().take_while(char::is_ascii_digit).collect::<String>();
        if let Some(heading) = line.strip_prefix("## ") {
            at = number(heading);
            sections.insert(at.clone());
        } else if line.starts_with(|c: char| c.is_ascii_digit()) {
            let point = number(line);
            if line[point.len()..].starts_with(". ") {
                sections.insert(format!("{at}.{point}"));
            }
        }
    }
    sections
}

/// The numbers that follow a mention of the method: `§2.5, §2.7`, `§2.4–2.7` or `section 3`.
fn mentioned(after: &str) -> Vec<String> {
    let Some(first) = after.strip_prefix(" §").or(after.strip_prefix(" section ")) else { return Vec::new() };
    let number = |text: &str| {
        let digits: String = text.chars().take_while(|c| c.is_ascii_digit() || *c == '.').collect();
        digits.trim_end_matches('.').to_owned()
    };
    let mut all = vec![number(first)];
    let mut rest = &first[all[0].len()..];
    while let Some(next) = [", §", "–", " and §"].iter().find_map(|between| rest.strip_prefix(between)) {
        let found = number(next);
        rest = &next[found.len()..];
        all.push(found);
    }
    all
}

#[test]
fn every_mention_of_the_method_leads_to_a_section() {
    let there = sections(&fs::read_to_string(root().join("assets/method.md")).unwrap());
    assert!(["1", "2.1", "2.7", "6"].iter().all(|section| there.contains(*section)), "{there:?}");
    let mut folders: Vec<PathBuf> = ["src", "tests", "examples", "benches"].map(|name| root().join(name)).to_vec();
    let mut checked = 0;
    while let Some(folder) = folders.pop() {
        for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == "rs") && !path.ends_with("suite/docs.rs") {
                let text = fs::read_to_string(&path).unwrap();
                for after in text.split("METHOD").skip(1) {
                    let sections = mentioned(after);
                    assert!(!sections.is_empty(), "{}: METHOD{:.20} names no section", path.display(), after);
                    for section in sections {
                        assert!(there.contains(&section), "{}: METHOD has no section {section}", path.display());
                        checked += 1;
                    }
                }
            }
        }
    }
    assert!(checked > 10, "only {checked} were found");
}

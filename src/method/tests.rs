use super::language::{self, parse};
use super::prose::{Block, Piece};
use super::*;
use crate::workbench::method;

/// The method without its emphasis.
fn text() -> String {
    include_str!("../../assets/method.md").replace("**", "").replace('\n', " ")
}

/// What it says at METHOD §2.4, or in all of METHOD §4.
fn at(source: &str) -> String {
    let number = source.trim_start_matches(|c: char| !c.is_ascii_digit());
    let (section, point) = number.split_once('.').unwrap_or((number, ""));
    let whole = include_str!("../../assets/method.md");
    let from = whole.find(&format!("\n## {section} ")).unwrap_or_else(|| panic!("no section {section}"));
    let text = &whole[from + 1..];
    let text = &text[..text[3..].find("\n## ").map_or(text.len(), |end| end + 3)];
    if point.is_empty() {
        return text.replace("**", "");
    }
    let from = text.find(&format!("\n{point}. ")).unwrap_or_else(|| panic!("no {source}"));
    let next = point.parse::<usize>().unwrap() + 1;
    let rest = &text[from..];
    rest[..rest.find(&format!("\n{next}. ")).unwrap_or(rest.len())].replace("**", "")
}

#[test]
fn every_formula_is_written_in_the_language_and_stands_once_in_its_section() {
    let mut ids: Vec<&str> = Vec::new();
    let mut sections = 0;
    for section in method() {
        sections += 1;
        let blocks = section.blocks().unwrap();
        let shown: Vec<&str> =
            blocks.iter().filter_map(|b| if let Block::Formula(id) = b { Some(id.as_str()) } else { None }).collect();
        for formula in section.formulas {
            assert!(!formula.title.is_empty() && !ids.contains(&formula.id), "{}", formula.id);
            ids.push(formula.id);
            let node = formula.parsed().unwrap();
            let known = node.symbols();
            assert!(!known.is_empty(), "{}: no symbol is named", formula.id);
            // A symbol of its own that it does not have would be left over from another.
            for own in formula.symbols {
                assert!(known.contains(&own), "{} has no {}", formula.id, own.sign);
            }
            assert_eq!(shown.iter().filter(|id| **id == formula.id).count(), 1, "{} in {}", formula.id, section.id);
        }
        assert_eq!(shown.len(), section.formulas.len(), "{}", section.id);
    }
    assert!(sections >= 12 && ids.len() >= 20, "{sections} sections, {} formulas", ids.len());
}

#[test]
fn marks_are_those_of_the_method() {
    let (mut marks, mut ours) = (0, 0);
    for section in method() {
        let there = at(section.source);
        let check = |mark: &str| {
            let written = if mark == "here" { "here".to_owned() } else { format!("[{mark}]") };
            assert!(there.replace('\n', " ").contains(&written), "{}: {} has no {written}", section.id, section.source);
        };
        for formula in section.formulas.iter().filter(|formula| !formula.mark.is_empty()) {
            check(formula.mark);
            marks += 1;
        }
        for block in section.blocks().unwrap() {
            let (Block::Paragraph(pieces) | Block::Item(pieces)) = block else { continue };
            for piece in pieces {
                if let Piece::Mark(mark) = piece {
                    check(&mark);
                    marks += 1;
                    ours += usize::from(mark == "here");
                }
            }
        }
        // What the method marks as the abstract's or the equations' is marked here too.
        for source in ["A", "E"] {
            let marked = |text: &str| {
                text.split('[').skip(1).any(|rest| {
                    rest.split(']').next().is_some_and(|mark| mark.split([';', ',', ' ']).any(|word| word == source))
                })
            };
            let own =
                section.formulas.iter().map(|formula| format!("[{}]", formula.mark)).collect::<String>() + section.text;
            if section.source.contains('.') {
                assert_eq!(marked(&there), marked(&own), "{}: [{source}]", section.id);
            }
        }
    }
    assert!(marks > 20 && ours >= 5, "{marks} marks, {ours} of them ours");
    assert!(text().contains("nobody may read our choice as the paper's word"));
}

#[test]
fn plain_text_reads_as_it_is_written() {
    let plain = |id: &str| {
        let formula = method().flat_map(|section| section.formulas).find(|formula| formula.id == id).unwrap();
        formula.parsed().unwrap().plain()
    };
    assert_eq!(plain("smashed"), "z = f(x\u{303}; θ_c)");
    assert_eq!(plain("recovery"), "L, S = argmin_(L, S) μ · (‖L‖_* + λ · ‖S‖_1) + 1 / 2 ‖D − L − S‖^2");
    assert_eq!(plain("lambda"), "λ = 1 / √(max(m, n))");
    assert_eq!(plain("map"), "map = 1 / m { −αβ (α < 0 < β); +αβ (β < 0 < α (here)); 0 (otherwise) }");
    assert_eq!(plain("dense"), "x\u{302} = clip(x + θ · map)");
}

#[test]
fn what_is_not_in_the_language_is_told_with_its_place() {
    for (text, told) in [
        ("{x", "“{” at character 0 is not closed"),
        ("x}", "“}” at character 1 closes nothing"),
        ("\\frac{1}", "\\frac wants “{” at character 8"),
        ("\\nabla x", "\\nabla at character 0 is not known"),
        ("x_", "it ends where something is wanted"),
        ("x_1_2", "two “_” at character 4"),
        ("\\cases{x}", "each of the \\cases at character 0 wants “&”"),
        ("\\text{x", "\\text at character 0 is not closed"),
        ("^2", "“^” at character 0 is not expected"),
    ] {
        assert_eq!(parse(text).unwrap_err(), told, "{text}");
    }
    assert_eq!(parse(&"{".repeat(10_000)).unwrap_err(), "too many things lie in each other");
}

#[test]
fn the_longest_sign_names_a_symbol_and_numbers_take_its_place() {
    static ALL: [Symbol; 3] = [
        symbol("S", "whole", Ink::Plain),
        symbol("S_r", "part", Ink::Cleaned),
        symbol("S_r^{max}", "largest", Ink::Cleaned),
    ];
    let all: Vec<&'static Symbol> = ALL.iter().collect();
    let node = language::named(parse("S + S_r · S_r^2 = S_r^{max} + S_q").unwrap(), &all).unwrap();
    let names: Vec<&str> = node.symbols().iter().map(|symbol| symbol.name).collect();
    assert_eq!(names, ["whole", "part", "largest"]);
    let put = node.put_in(&|symbol| (symbol.name == "part").then(|| "0.5".to_owned()));
    assert_eq!(put.plain(), "S + 0.5 · 0.5^2 = S_r^max + S_q");
    assert_eq!(put.symbols().len(), 3, "a number keeps its symbol's name");
}

#[test]
fn numbers_are_short_and_counts_have_groups() {
    assert_eq!(
        [0.0, 0.1, 0.0714285, 4.0, 3136.0, -0.5, 2.5e-7, f64::NAN].map(number),
        ["0", "0.100", "0.0714", "4.00", "3136", "\u{2212}0.500", "2.50e\u{2212}7", "?"]
    );
    assert_eq!([0, 78, 784, 3136, 1_000_000].map(whole), ["0", "78", "784", "3,136", "1,000,000"]);
    assert_eq!(sides(&[16, 14, 14]), "16 × 14 × 14");
}

//! The lessons that come with the program, the document about writing one, and files with something wrong in them.

use std::sync::Arc;

use super::read::{Problem, Read, read};
use super::*;
use crate::random::Seed;
use crate::report::html::escaped;

mod numbers;

const DOCUMENT: &str = include_str!("../../docs/lessons.md");

fn lessons() -> impl Iterator<Item = Arc<Lesson>> {
    LESSONS.iter().map(|lesson| Arc::new(find(lesson.name).unwrap()))
}

/// The example of the document.
fn example() -> &'static str {
    let (_, rest) = DOCUMENT.split_once("```toml lesson\n").unwrap();
    rest.split_once("```").unwrap().0
}

/// What a person does for a check, and what the window then says.
fn fulfil(check: &str, moment: &mut Moment) {
    let setting = |moment: &mut Moment, key: &str, change: fn(f64) -> f64| {
        let value = moment.settings.get_mut(key).unwrap_or_else(|| panic!("no setting {key}"));
        *value = change(*value);
    };
    (moment.step, moment.judged) = (0, false);
    for part in check.split(" and ") {
        match part.split(' ').collect::<Vec<_>>().as_slice() {
            ["drawn"] => (moment.drawn, moment.image) = (true, 0),
            ["stolen"] => (moment.step, moment.planned) = (500, 500),
            ["judged"] => moment.judged = true,
            ["labelled"] => moment.labelled = true,
            ["defended"] => moment.defended = true,
            ["not", "drawn"] => moment.drawn = false,
            ["not", "defended"] => moment.defended = false,
            ["adaptive"] => moment.adaptive = true,
            ["not", "adaptive"] => moment.adaptive = false,
            ["trained"] => moment.trained = true,
            ["stepped"] => moment.stepped += 1,
            ["wiped"] => moment.wiped += 1,
            ["played"] => moment.played += 1,
            ["more", "strokes"] => moment.strokes += 1,
            ["changed", "image"] => (moment.image, moment.drawn) = (moment.image + 1, false),
            ["image", ">=", "1"] => (moment.image, moment.drawn) = (1, false),
            ["cut", _, layers] => moment.cut = layers.parse().unwrap(),
            ["attacker", "=", kind] => moment.attacker = (*kind).to_owned(),
            ["psgl.gamma", ">=", "0.3"] => setting(moment, "psgl.gamma", |_| 0.3),
            ["psgl.gamma", "<=", "0.15"] => setting(moment, "psgl.gamma", |_| 0.1),
            ["changed", "psgl.mu"] => setting(moment, "psgl.mu", |mu| 2.0 * mu),
            [key @ ("attack.dlg.batch" | "attack.idlg.batch"), ">=", "8"] => setting(moment, key, |_| 8.0),
            ["point", ">=", "1"] => moment.point = 1,
            ["point", "=", number] => moment.point = number.parse().unwrap(),
            ["changed", "point"] => moment.point += 1,
            ["scored", "=", "naive"] => moment.scored = Scored::Naive,
            ["scored", "=", "all"] => moment.scored = Scored::All,
            ["leak", "=", leak] => moment.leak = (*leak).to_owned(),
            ["answered"] => {}
            other => panic!("nobody knows how to do {other:?}"),
        }
    }
}

#[test]
fn every_lesson_reads_without_a_problem_or_a_warning() {
    for built_in in &LESSONS {
        let Read { lesson, problems, warnings } = check(built_in.name).unwrap();
        assert_eq!((problems, warnings), (Vec::<Problem>::new(), Vec::new()), "{}", built_in.name);
        let lesson = lesson.unwrap();
        assert_eq!((lesson.name.as_str(), notes(&lesson).unwrap().as_deref()), (built_in.name, Some(built_in.notes)));
        let headings = ["# Instructor's notes: ", "## Time\n", "## Common misreadings\n", "## To discuss\n"];
        assert!(headings.iter().all(|heading| built_in.notes.contains(heading)), "{}", built_in.name);
        let times = built_in.notes.lines().filter(|line| line.starts_with(|c: char| c.is_ascii_digit())).count();
        assert_eq!(times, lesson.steps.len(), "{}: a time a step", built_in.name);
    }
}

#[test]
fn every_lesson_can_be_taken_to_its_end_and_no_check_holds_before_its_act() {
    for lesson in lessons() {
        let mut moment = Moment::at_start(&lesson).unwrap();
        let mut progress = Progress::new(lesson.clone());
        for (i, step) in lesson.steps.iter().enumerate() {
            let place = format!("{}, step[{i}]", lesson.name);
            assert_eq!(progress.place(), i);
            if let Some(question) = &step.question {
                assert_eq!(progress.phase(), Phase::Ask);
                assert!(!progress.see(&moment) && progress.answer(question.right.unwrap_or(0)), "{place}");
            }
            let check = step.check.to_string();
            if check != "answered" {
                assert!(!progress.see(&moment), "{place}: {check} holds before anything was done");
            }
            fulfil(&check, &mut moment);
            assert!(progress.see(&moment), "{place}: {check} does not hold at {moment:?}");
            assert_eq!(progress.forward(), i + 1 < lesson.steps.len());
        }
        assert!(progress.finished());
    }
}

#[test]
fn the_first_lesson_takes_five_minutes_at_most_and_each_no_longer_than_it_says() {
    let all: Vec<_> = lessons().collect();
    assert!(seconds(&all[0]) <= 300, "{} s", seconds(&all[0]));
    for lesson in all {
        assert!(seconds(&lesson) <= 60 * lesson.minutes, "{}: {} s", lesson.name, seconds(&lesson));
    }
}

#[test]
fn a_lesson_is_two_hundred_words_a_minute_two_seconds_an_act_and_five_a_question() {
    let lesson = read("", example()).lesson.unwrap();
    let words = |text: &str| text.split_whitespace().count() as u32;
    let told = lesson.steps.iter().map(|step| {
        let question = step.question.as_ref().unwrap();
        let answers: u32 = question.answers.iter().map(|answer| words(answer)).sum();
        let [ask, because] = [&question.ask, &question.because].map(|text| words(text));
        words(&step.text) + words(&step.action) + words(&step.notice) + ask + because + answers
    });
    let all = words(&lesson.title) + words(&lesson.summary) + told.sum::<u32>();
    assert!(all > 100, "{all}");
    assert_eq!(seconds(&lesson), (all * 60).div_ceil(200) + 2 * (2 + 5));
}

#[test]
fn the_documents_example_is_a_lesson_and_its_lists_are_the_codes() {
    let Read { lesson, problems, warnings } = read("example", example());
    assert_eq!(problems, []);
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    assert!(warnings[0].text.contains("is best with 5 to 8 steps; this one has 2"), "{warnings:?}");
    assert_eq!(
        format!("{} steps, about {} minute", 2, seconds(&lesson.unwrap()).div_ceil(60)),
        "2 steps, about 1 minute"
    );
    let parts = Part::ALL.map(|part| format!("`{part}`")).join(", ");
    assert!(DOCUMENT.contains(&parts), "docs/lessons.md lacks {parts}");
    let rows = DOCUMENT.split("| word | ").nth(1).unwrap().lines().skip(2).take_while(|line| line.starts_with('|'));
    let told: Vec<&str> = rows.collect();
    let wanted: Vec<String> = WORDS
        .iter()
        .map(|word| {
            let examples: Vec<String> = word.example().split(", ").map(|example| format!("`{example}`")).collect();
            format!("| `{}` | {} | {} |", word.name, word.help, examples.join(", "))
        })
        .collect();
    assert_eq!(told, wanted);
    for word in &WORDS {
        for example in word.example().split(", ") {
            Condition::read(example).unwrap_or_else(|error| panic!("{example}: {error}"));
        }
    }
    for limit in [read::PARAGRAPH, read::SENTENCE, read::ANSWER, read::TITLE] {
        assert!(DOCUMENT.contains(&limit.to_string()), "docs/lessons.md does not tell the limit {limit}");
    }
}

/// The example with a part of its text replaced: its only problem, as it is told.
#[track_caller]
fn problem(from: &str, to: &str) -> String {
    assert!(example().contains(from), "the example has no {from}");
    let Read { lesson, problems, .. } = read("example", &example().replacen(from, to, 1));
    assert!(lesson.is_none() && problems.len() == 1, "{to}: {problems:?}");
    problems[0].to_string()
}

#[test]
fn what_is_wrong_is_told_with_line_field_and_what_would_do() {
    let long = format!("do = \"{}\"", "a".repeat(181));
    for (from, to, told) in [
        ("title = \"Two strokes\"\n", "", "1: field title: is missing"),
        ("minutes = 2", "minutes = 0", "3: field minutes: 0: allowed is a whole number from 1 to 90"),
        ("minutes = 2", "minutes = \"2\"", "3: field minutes: is a text; it must be a whole number"),
        ("minutes = 2", "minuts = 2\nminutes = 2", "3: field minuts: no such field; did you mean \"minutes\"?"),
        ("\"vanilla-digits\"", "\"vanilla-digit\"", "6: field start.preset: \"vanilla-digit\": allowed is"),
        ("\"model.cut=2\"", "\"model.cut=2\", \"psgl.gama=1\"", "7: field start.set[1]: psgl.gama: no such field"),
        ("\"model.cut=2\"", "\"model.cut=99\"", "7: field start.set[0]: model.cut = 99"),
        (
            "\"undefended\"",
            "\"defended\"",
            "8: field start.model: is \"defended\", and the preset vanilla-digits has no",
        ),
        ("\"rmle\"", "\"rmel\"", "9: field start.attacker: \"rmel\": allowed is \"rmle\", \"inverse\", \"nearest\", "),
        ("\"untrained\"", "\"fresh\"", "10: field start.weights: \"fresh\": allowed is \"untrained\", \"trained\""),
        ("\"hospital\"", "\"hopsital\"", "13: field step[0].lit: \"hopsital\": allowed is"),
        ("\"The mark says how", "\"\" #", "24: field step[1].text: is empty"),
        ("\"Nothing\", ", "\"The stroke\", ", "16: field step[0].answers[1]: is among the answers twice"),
        ("right = 2", "right = 3", "27: field step[1].right: 3: allowed is a whole number from 0 to 2"),
        ("right = 2", "rigth = 2", "27: field step[1].rigth: no such field; did you mean \"right\"?"),
        (
            "do = \"Drag the mark to after layer 5.\"",
            &long,
            "29: field step[1].do: has 181 characters; allowed are 180",
        ),
        (
            "\"cut >= 5 and stolen\"",
            "\"cutt >= 5\"",
            "30: field step[1].check: unknown word \"cutt\"; did you mean \"cut\"?",
        ),
        (
            "\"drawn and more strokes and stolen\"",
            "\"cut <= 2\"",
            "19: field step[0].check: holds as the lesson starts",
        ),
        (
            "notice = \"Other",
            "notice = 7 #",
            "31: field step[1].notice: is a whole number; it must be a text in quotes",
        ),
        ("summary = \"Draw,", "summary = \"Draw,\\u0007", "2: field summary: has the invisible character \\u{7}"),
    ] {
        let problem = problem(from, to);
        assert!(problem.starts_with(told), "{to}: {problem}");
        assert!(!problem.contains('\n'), "{problem}");
    }
    assert!(problem("answers = [\"The left\"", "answers = [\"The left\" \"").starts_with("26: broken TOML: "));
}

#[test]
fn every_problem_is_told_in_the_order_of_the_lines() {
    let wrong =
        example().replace("lit =", "lamp =").replace("minutes = 2", "minutes = -1").replace("cut >= 5", "cut >> 5");
    let problems = read("example", &wrong).problems;
    let told: Vec<(usize, &str)> = problems.iter().map(|problem| (problem.line, problem.field.as_str())).collect();
    let wanted = [
        (3, "minutes"),
        (12, "step[0].lit"),
        (13, "step[0].lamp"),
        (22, "step[1].lit"),
        (23, "step[1].lamp"),
        (30, "step[1].check"),
    ];
    assert_eq!(told, wanted);
    let many = format!("{}{}", example(), (0..99).fold(String::new(), |all, i| format!("{all}odd{i} = 1\n")));
    let problems = read("example", &many).problems;
    assert_eq!((problems.len(), problems[40].text.as_str()), (41, "and 59 more of the kind"));
}

#[test]
fn what_may_disappoint_a_class_is_a_warning() {
    for (from, to, told) in [
        ("minutes = 2", "minutes = 1", None),
        (
            "\"cut >= 5 and stolen\"",
            "\"recognised\"",
            Some("30: field step[1].check: depends on how a measurement comes out"),
        ),
        ("\"The mark says", "\"One. Two. Three says", Some("24: field step[1].text: has 3 sentences")),
    ] {
        let Read { lesson, warnings, .. } = read("example", &example().replacen(from, to, 1));
        assert!(lesson.is_some());
        let others: Vec<String> =
            warnings.iter().map(ToString::to_string).filter(|w| !w.contains("is best with")).collect();
        assert_eq!(others.len(), usize::from(told.is_some()), "{others:?}");
        assert!(told.is_none_or(|told| others[0].starts_with(told)), "{others:?}");
    }
    let slow = example().replace("text = \"", &format!("text = \"{}", "a ".repeat(100)));
    let warnings = read("example", &slow.replace("minutes = 2", "minutes = 1")).warnings;
    assert!(warnings[0].to_string().starts_with("3: field minutes: says 1, and reading"), "{warnings:?}");
}

#[test]
fn two_thousand_mutations_are_read_or_refused_and_nothing_else() {
    let texts: Vec<&str> = LESSONS.iter().map(|lesson| lesson.text).chain([example()]).collect();
    let pieces = [
        "\"",
        "[",
        "]",
        "[[step]]",
        "=",
        "\n",
        "\\",
        "'",
        "{",
        "}",
        "\0",
        "é",
        "check = \"",
        "1e999",
        "nan",
        "#",
        " and ",
    ];
    let mut stream = Seed(16).stream("lesson-mutations", 0);
    let mut draw = move |below: usize| if below == 0 { 0 } else { stream.below(below) };
    let mut read_well = 0;
    for i in 0..2000 {
        let mut text: Vec<char> = texts[i % texts.len()].chars().collect();
        for _ in 0..=draw(3) {
            let at = draw(text.len());
            let end = (at + draw(20)).min(text.len());
            match draw(4) {
                0 => drop(text.drain(at..end)),
                1 => drop(text.splice(at..at, pieces[draw(pieces.len())].chars())),
                2 => {
                    let copied = text[at..end].to_vec();
                    let to = draw(text.len());
                    text.splice(to..to, copied);
                }
                _ => text.truncate(text.len() - draw(text.len() / 8)),
            }
        }
        let text: String = text.into_iter().collect();
        let Read { lesson, problems, .. } = read("mutated", &text);
        assert_eq!(lesson.is_some(), problems.is_empty(), "{text}");
        let lines = text.lines().count() + 1;
        assert!(problems.iter().all(|problem| (1..=lines).contains(&problem.line) && !problem.text.is_empty()));
        if let Some(lesson) = lesson {
            read_well += 1;
            assert!(hand_out(&lesson, None).ends_with("</html>\n"));
        }
    }
    assert!((20..1980).contains(&read_well), "{read_well} of 2000 were lessons");
}

#[test]
fn deep_nesting_is_one_message() {
    for deep in [
        format!("x = {}", "[".repeat(100_000)),
        format!("x = {}", "{a=".repeat(100_000)),
        "a.".repeat(100_000) + "b = 1",
    ] {
        let problems = read("deep", &deep).problems;
        assert_eq!(problems.len(), 1, "{problems:?}");
        assert_eq!(problems[0].to_string(), "1: broken TOML: lists or sections are nested too deeply");
    }
}

#[test]
fn a_hand_out_has_room_to_write_and_the_answers_only_for_the_instructor() {
    for lesson in lessons() {
        let (plain, told) = (hand_out(&lesson, None), hand_out(&lesson, notes(&lesson).unwrap().as_deref()));
        for step in &lesson.steps {
            let [text, notice, action] = [&step.text, &step.notice, &step.action].map(|text| escaped(text));
            assert!(plain.contains(&text) && plain.contains(&action) && !plain.contains(&notice));
            assert!(told.contains(&text) && told.contains(&notice));
            let question = step.question.as_ref().unwrap();
            let [ask, because] = [&question.ask, &question.because].map(|text| escaped(text));
            assert!(plain.contains(&ask) && !plain.contains(&because) && told.contains(&because));
            assert!(question.answers.iter().all(|answer| plain.contains(&escaped(answer))));
        }
        assert!(plain.contains("class=\"line\"") && !plain.contains("Right: ") && told.contains("Common misreadings"));
        for page in [&plain, &told] {
            assert!(
                !page.contains("<script")
                    && !page.contains("http://")
                    && !page.contains("https://")
                    && !page.contains("url(")
            );
            assert!(page.contains("size: A4") && page.contains("default-src 'none'"));
        }
    }
}

#[test]
fn a_hand_out_holds_no_markup_of_the_lessons() {
    let evil = "<script>alert('x')</script> & \\\"</title>";
    let text = example()
        .replace("Two strokes", &format!("T{evil}"))
        .replace("The left", &format!("L{evil}"))
        .replace("Few pictures do.", evil)
        .replace("What crosses", evil);
    let lesson = read("/home/ada/<b>lesson.toml", &text).lesson.unwrap();
    for page in [hand_out(&lesson, None), hand_out(&lesson, Some(evil))] {
        assert!(!page.contains("<script") && !page.contains("alert('x')") && !page.contains("<b>"), "{page}");
        assert!(page.contains("&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt; &amp; "), "{page}");
        assert!(!page.contains("/home/ada"), "where the file lies is nobody's business");
        assert_eq!(page.matches("</title>").count(), 1);
    }
}

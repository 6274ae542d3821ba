//! The one table of all texts: made from the code, whole, and enough for the window to speak another language.

mod scan;
mod speaking;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use scan::{Quoted, quoted};

use crate::attack::kind::Kind as Attack;
use crate::data::Noun;
use crate::data::known::KNOWN;
use crate::experiment::PRESETS;
use crate::run::whole_files::Writer;
use crate::score::floor::Guess;
use crate::score::gains::GAINS;
use crate::score::metrics::{ATTACKS, ROWS};
use crate::score::names::{WORDS, Word};
use crate::score::verdict::Standing;
use crate::setting::Setting;
use crate::texts::language::ENGLISH;
use crate::workbench;

/// The files of the window, by their paths from the package's folder.
fn files() -> Vec<(String, String)> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let mut folders = vec![root.join("src/app")];
    let mut all = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in folder.read_dir().unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                all.push(path);
            }
        }
    }
    let name = |path: &Path| path.strip_prefix(&root).unwrap().to_str().unwrap().replace('\\', "/");
    let mut all: Vec<(String, String)> =
        all.iter().map(|path| (name(path), std::fs::read_to_string(path).unwrap())).collect();
    all.retain(|(name, _)| !TESTS.iter().any(|end| name.contains(end)));
    all.sort();
    all
}

/// Files of tests.
const TESTS: [&str; 5] = ["/tests/", "/tests.rs", "/test_look.rs", "/fixture.rs", "/samples.rs"];

/// Texts that are said where they are shown, and stand elsewhere: on cards, in tables of settings, metrics, names.
fn listed() -> Vec<(&'static str, Vec<&'static str>)> {
    let settings = |all: &[Setting]| all.iter().flat_map(|setting| [setting.label, setting.help]).collect();
    let attack = |kind: &&'static Attack| {
        let known = [false, true].into_iter().flat_map(|adaptive| kind.known(adaptive));
        let looker = &kind.looker;
        let words = [kind.about, looker.words, looker.brief, looker.tip];
        words.into_iter().chain(kind.seen()).chain(known).collect::<Vec<_>>()
    };
    let defences = workbench::defences();
    let defence = |kind: &&'static crate::defence::Kind| {
        [kind.about, kind.while_off].into_iter().chain(kind.levers.iter().map(|lever| lever.words)).collect::<Vec<_>>()
    };
    let word = |word: &Word| [word.window, word.window.trim_start_matches("guess: "), word.help];
    let words = WORDS.iter().chain(defences.iter().flat_map(|kind| kind.words)).flat_map(word).collect();
    let metrics = ROWS.iter().map(|metric| [metric.name, metric.window, metric.help]);
    let metrics = metrics.chain(ATTACKS.iter().map(|metric| [metric.name, metric.window, metric.help]));
    let metrics = metrics.chain(GAINS.iter().map(|(metric, ..)| [metric.name, metric.window, metric.help]));
    let nouns = ["mnist", "brainmri", "chest", "scans", "patients"].map(Noun::of);
    let nouns = nouns.into_iter().chain([Noun::PATIENT, Noun::GROUP]).flat_map(|noun| [noun.one, noun.many]);
    let standings =
        [Standing::Broke, Standing::Held, Standing::ProvesNothing, Standing::TooWeak, Standing::NotMeasured];
    vec![
        ("attacks", workbench::attacks().iter().flat_map(attack).collect()),
        ("defences", defences.iter().flat_map(defence).collect()),
        ("settings", settings(workbench::settings())),
        ("metrics", metrics.flatten().collect()),
        ("names", words),
        ("images", nouns.collect()),
        ("guesses", Guess::ALL.map(Guess::help).to_vec()),
        ("verdicts", standings.map(Standing::word).to_vec()),
        ("sets", KNOWN.iter().flat_map(|set| [set.title, set.about, set.what, set.licence]).collect()),
        ("presets", PRESETS.map(|(_, about, _)| about).to_vec()),
    ]
}

/// All texts, each where it stands first.
fn table() -> Vec<(String, Vec<String>)> {
    let said = |source: &str| quoted(source).into_iter().filter(is_said).map(|one| one.text).collect::<Vec<_>>();
    let mut all: Vec<(String, Vec<String>)> =
        files().iter().map(|(name, source)| (name.clone(), said(source))).collect();
    let of_lists = |(name, texts): (&str, Vec<&str>)| (name.to_owned(), texts.into_iter().map(str::to_owned).collect());
    all.extend(listed().into_iter().map(of_lists));
    let mut seen = BTreeSet::new();
    for (_, texts) in &mut all {
        texts.retain(|text| !text.is_empty() && seen.insert(text.clone()));
    }
    all.retain(|(_, texts)| !texts.is_empty());
    all
}

/// Whether a text is the first of a macro that says it. Values of `t!` are none.
fn is_said(one: &Quoted) -> bool {
    one.inside.last().is_some_and(|call| call == "t!" || call == "later!") && one.first
}

#[test]
fn the_table_of_texts_is_as_the_code_is() {
    let mut text = "# Every text of Cutlayer's window, made from the code by a test: see docs/translate.md.\n\
                    # A translation is a copy of this file with its own name, its own texts behind the signs =.\n\n\
                    name = \"English\"\n\n[texts]\n"
        .to_owned();
    for (name, texts) in table() {
        writeln!(text, "\n# {name}").unwrap();
        for one in texts {
            // As a key has it, which may not go over lines.
            let one = one.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
            writeln!(text, "\"{one}\" = \"\"").unwrap();
        }
    }
    if std::env::var_os("UPDATE_TEXTS").is_some() {
        let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("assets/texts/en.toml");
        Writer::default().write(&path, text.as_bytes()).unwrap();
        return;
    }
    let lines = |text: &str| text.lines().map(str::to_owned).collect::<BTreeSet<String>>();
    let (now, kept) = (lines(&text), lines(ENGLISH));
    let (new, gone): (Vec<_>, Vec<_>) = (now.difference(&kept).collect(), kept.difference(&now).collect());
    assert!(
        text == ENGLISH,
        "assets/texts/en.toml is not of this code; UPDATE_TEXTS=1 makes it anew. New: {new:#?}, gone: {gone:#?}"
    );
    let (_, trouble) = crate::texts::Language::read(ENGLISH, ENGLISH).unwrap();
    assert!(trouble.is_empty(), "{trouble:?}");
}

#[test]
fn no_two_texts_differ_in_the_names_of_their_places_alone() {
    let mut same: BTreeMap<String, String> = BTreeMap::new();
    for text in table().into_iter().flat_map(|(_, texts)| texts) {
        let (mut bare, mut rest) = (String::new(), text.as_str());
        while let Some((before, after)) = rest.split_once('{') {
            bare += before;
            bare.push('{');
            let (place, behind) = after.split_once('}').unwrap_or_default();
            bare += place.split_once(':').map_or("", |(_, digits)| digits);
            rest = behind;
        }
        if let Some(other) = same.insert(bare + rest, text.clone()) {
            panic!("\"{text}\" and \"{other}\" are one text: give their places the same names");
        }
    }
}

/// Calls whose texts nobody is to read in a language of their own: names that egui goes by, keys, errors, what goes to
/// the developers' log.
const UNSAID: [&str; 26] = [
    "Id::unique",
    ".id_salt",
    "Panel::top",
    "Panel::bottom",
    "Panel::right",
    "Plot::new",
    "VLine::new",
    ".load_texture",
    ".request_discard",
    ".debug_struct",
    ".contains_key",
    ".env",
    "env!",
    "concat!",
    "put",
    "Error::input",
    "Error::Internal",
    "Error::io",
    "wrong",
    "damaged",
    "Event::Failed",
    ".put_session_aside",
    "Experiment::from_toml",
    "tracing::debug!",
    "tracing::info!",
    "eframe::run_native",
];

/// Files whose texts are not shown, each with why.
const FILES: [(&str, &str); 7] = [
    ("src/app/desktop.rs", "commands of the desktop, and errors"),
    ("src/app/export/letters.rs", "SVG"),
    ("src/app/export/svg.rs", "SVG"),
    ("src/app/panes/curves/frames.rs", "a bench"),
    ("src/app/panes/curves/export.rs", "a table that programs read, and errors"),
    ("src/app/panes/table/text.rs", "tables for papers and programs"),
    ("src/app/settings/share.rs", "a command of the terminal"),
];

/// Single texts that stay as they are, each with why.
const STAY: [(&str, &str); 20] = [
    ("the folder", "the doing of an error"),
    ("the system's dialog cannot be opened: {error}", "an error"),
    ("the image that would give the same numbers on the wire, one by one", "letters to measure a column by"),
    ("section {} has no formula {id}", "an error"),
    ("no thread to look into it: {error}", "an error"),
    ("the client could not be looked into", "an error"),
    ("English", "each language is called as it calls itself"),
    ("the window speaks English: {error}", "an error of a translation"),
    ("damaged: {name} is missing", "an error"),
    ("damaged: {name} is no file", "an error"),
    ("damaged: {name} is larger than any that a run writes", "an error"),
    ("--out cannot be used", "what an error of the terminal says"),
    ("it was put aside: {}", "an error"),
    ("it could not be put aside ({error}): {}", "an error"),
    ("\"relu\", \"flatten\", { conv = 8, kernel = 3, padding = 1 }, { maxpool = 2 }, { linear = 10 }", "TOML"),
    ("an unknown version", "a part of an error"),
    ("Cutlayer", "the program's name"),
    ("MB", "a unit"),
    ("GB", "a unit"),
    ("TB", "a unit"),
];

#[test]
fn every_text_that_is_shown_is_in_the_table() {
    let mut forgotten = Vec::new();
    for (name, source) in files() {
        if FILES.iter().any(|(file, _)| *file == name) {
            continue;
        }
        for one in quoted(&source) {
            let shown = !is_said(&one) && !one.compared && !one.is_in(&UNSAID) && reads_as_a_text(&one.text);
            if shown && !STAY.iter().any(|(text, _)| *text == one.text) {
                forgotten.push(format!("{name}:{}: {:?} in {:?}", one.line, one.text, one.inside));
            }
        }
    }
    assert!(forgotten.is_empty(), "neither in t! nor in later!: {forgotten:#?}");
}

/// Whether a text has a word that begins with a capital, or two words.
fn reads_as_a_text(text: &str) -> bool {
    let mut bare = String::new();
    let mut inside = false;
    for letter in text.chars() {
        inside = (inside || letter == '{') && letter != '}';
        bare.push(if inside || letter == '}' { ' ' } else { letter });
    }
    let words: Vec<&str> = bare.split_whitespace().filter(|word| word.chars().any(char::is_alphabetic)).collect();
    let capital = |word: &&str| word.len() > 1 && word.starts_with(|c: char| c.is_ascii_uppercase());
    words.len() > 1 || words.iter().any(capital)
}

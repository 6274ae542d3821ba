//! `cutlayer lesson`: lists, checks and prints.

use std::path::Path;

use crate::common::{call, names, scratch, succeed};
use cutlayer::run::whole_files::Writer;

fn text(path: &Path) -> &str {
    path.to_str().expect("a path of plain letters")
}

/// Exit code, standard output and standard error.
fn told(arguments: &[&str]) -> (Option<i32>, String, String) {
    let output = call(arguments);
    let [out, error] = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap());
    (output.status.code(), out, error)
}

#[test]
fn the_lessons_are_listed_and_each_is_in_order() {
    let list = succeed(["lesson", "list"]);
    let named: Vec<&str> = list.lines().filter_map(|line| line.split(' ').next()).collect();
    let wanted = [
        "what-leaves-the-room",
        "the-mirror",
        "how-deep-is-safe",
        "disguise",
        "be-the-attacker",
        "one-gradient",
        "your-point-on-the-frontier",
    ];
    assert_eq!(named, wanted);
    for name in named {
        let file = format!("{}/assets/lessons/{name}.toml", env!("CARGO_MANIFEST_DIR"));
        let (code, out, error) = told(&["lesson", "check", &file]);
        assert_eq!((code, error.as_str()), (Some(0), ""), "{name}");
        assert!(out.starts_with("ok: ") && out.contains(" steps, about ") && out.ends_with(" minutes\n"), "{out}");
    }
}

#[test]
fn a_lesson_of_ones_own_is_checked_line_by_line_and_printed_with_the_notes_beside_it() {
    let folder = scratch();
    let [file, page, told_page] = ["mine.toml", "mine.html", "told.html"].map(|name| folder.path().join(name));
    let good = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/assets/lessons/the-mirror.toml")).unwrap();
    let wrong =
        good.replacen("lit = \"hospital\"", "lit = \"hopsital\"", 1).replacen("check = \"", "check = \"well ", 1);
    Writer::default().write(&file, wrong.as_bytes()).unwrap();
    let (code, out, error) = told(&["lesson", "check", text(&file)]);
    assert_eq!((code, out.as_str()), (Some(2), ""));
    let place = |needle: &str| wrong.lines().position(|line| line.contains(needle)).unwrap() + 1;
    let [lit, check] = [place("hopsital"), place("\"well ")];
    let lines: Vec<&str> = error.lines().collect();
    assert_eq!(lines.len(), 3, "{error}");
    assert!(
        lines[0].starts_with(&format!("{}:{lit}: field step[0].lit: \"hopsital\": allowed is ", text(&file))),
        "{error}"
    );
    assert!(lines[1].starts_with(&format!("{}:{check}: field step[0].check: ", text(&file))), "{error}");
    assert_eq!(lines[2], format!("cutlayer: 2 problems in the lesson: {}", text(&file)));
    let (code, _, error) = told(&["lesson", "print", text(&file), "--out", text(&page)]);
    assert!(code == Some(2) && error.contains("field step[0].lit") && !page.exists(), "{error}");

    Writer::default().write(&file, good.as_bytes()).unwrap();
    Writer::default().write(&folder.path().join("mine.md"), b"# Mine\n\nMind <the> gap.\n").unwrap();
    assert!(succeed(["lesson", "check", text(&file)]).starts_with("ok: 6 steps, about "));
    succeed(["lesson", "print", text(&file), "--out", text(&page)]);
    succeed(["lesson", "print", text(&file), "--with-notes", "--out", text(&told_page)]);
    let [plain, with_notes] = [page.clone(), told_page].map(|path| std::fs::read_to_string(path).unwrap());
    assert!(!plain.contains("Mind") && with_notes.contains("<h2>Mine</h2>\n<p>Mind &lt;the&gt; gap.</p>"));
    assert_eq!(plain, succeed(["lesson", "print", text(&file)]), "the same on standard output");
    // What is there is never replaced.
    let (code, _, error) = told(&["lesson", "print", "the-mirror", "--out", text(&page)]);
    assert!(code == Some(2) && error.contains("something of that name"), "{error}");
    assert_eq!(names(folder.path()), ["mine.html", "mine.md", "mine.toml", "told.html"]);
}

#[test]
fn what_is_no_lesson_is_refused_in_one_message() {
    let folder = scratch();
    let file = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        Writer::default().write(&path, bytes).unwrap();
        path
    };
    for (path, said) in [
        (folder.path().join("none.toml"), "no such file"),
        (folder.path().to_owned(), "is a folder"),
        (file("large.toml", &b"# \n".repeat(400_000)), "larger than 1 MiB, so no lesson"),
        (file("bytes.toml", b"title = \"\xff\""), "not a text file (UTF-8): byte 9"),
        (file("zero.toml", b"title\0"), "not a text file"),
        (file("deep.toml", format!("x = {}", "[".repeat(100_000)).as_bytes()), "nested too deeply"),
        (file("empty.toml", b""), "field start: is missing"),
    ] {
        let (code, out, error) = told(&["lesson", "check", text(&path)]);
        assert_eq!((code, out.as_str()), (Some(2), ""), "{said}: {error}");
        assert!(error.contains(said) && error.len() < 1500, "{said}: {error}");
    }
    let (code, _, error) = told(&["lesson", "print", "the-miror"]);
    assert!(code == Some(2) && error.contains("did you mean `the-mirror`?") && error.lines().count() == 2, "{error}");
}

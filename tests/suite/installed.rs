//! What makes the program one that is installed: completions, pages for `man`, icon, packages.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use cutlayer::run::whole_files::Writer;

use crate::common::{call, names, scratch, succeed};

fn source(name: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(name)).unwrap()
}

/// The commands that the help lists, but for `help` itself.
fn commands() -> Vec<String> {
    let help = succeed(["--help"]);
    let listed = help.split_once("Commands:\n").expect("a list").1.split_once("\n\n").expect("its end").0;
    let all: Vec<_> = listed.lines().filter_map(|line| Some(line.split_whitespace().next()?.to_owned())).collect();
    assert!(all.len() > 8 && all.iter().any(|name| name == "run"), "{all:?}");
    all.into_iter().filter(|name| name != "help").collect()
}

#[test]
fn every_shell_is_told_every_command() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let script = succeed(["completions", shell]);
        for name in commands() {
            assert!(script.contains(&name), "{shell}: {name} is missing");
        }
        assert!(script.contains("cutlayer") && script.contains("other-data"), "{shell}: {script}");
    }
    let refused = call(["completions", "tcsh"]);
    let told = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(refused.status.code() == Some(2) && told.contains("tcsh") && told.contains("zsh"), "{told}");
}

/// Asks the completions what may follow these words, as bash does.
#[cfg(unix)]
fn offered(words: &[&str]) -> Option<BTreeSet<String>> {
    let last = words.len() - 1;
    let script = format!(
        "{}\nCOMP_WORDS=({}); COMP_CWORD={last}; _cutlayer cutlayer '{}' '{}'; printf '%s\\n' \"${{COMPREPLY[@]}}\"",
        succeed(["completions", "bash"]),
        words.iter().map(|word| format!("'{word}'")).collect::<Vec<_>>().join(" "),
        words[last],
        words[last - 1],
    );
    let output = std::process::Command::new("bash").args(["-c", &script]).output().ok()?;
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Some(String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect())
}

#[cfg(unix)]
#[test]
fn bash_offers_commands_options_presets_and_attacks() {
    let Some(commands_offered) = offered(&["cutlayer", ""]) else {
        return println!("skipped: no bash");
    };
    assert!(commands().iter().all(|name| commands_offered.contains(name)), "{commands_offered:?}");
    let one = |words: &[&str]| offered(words).unwrap();
    assert_eq!(one(&["cutlayer", "run", "--res"]), BTreeSet::from(["--resume".to_owned()]));
    assert_eq!(one(&["cutlayer", "--preset", "psgl-d"]), BTreeSet::from(["psgl-digits".to_owned()]));
    assert_eq!(
        one(&["cutlayer", "attack", "my-run", "--with", "inve"]),
        BTreeSet::from(["inverse", "inverting"].map(str::to_owned))
    );
}

/// The words of a page as a reader sees them.
fn words(page: &str) -> String {
    let marks = [("\\-", "-"), ("\\*(Aq", "'"), ("\\fB", ""), ("\\fI", ""), ("\\fR", ""), ("\\&", "")];
    let plain = marks.iter().fold(page.to_owned(), |text, (mark, sign)| text.replace(mark, sign));
    let said = plain
        .lines()
        .map(|line| line.strip_prefix(".SH ").unwrap_or(line))
        .filter(|line| ![".TP", ".br"].contains(line));
    said.flat_map(str::split_whitespace).map(|word| word.trim_matches('"')).collect::<Vec<_>>().join(" ")
}

#[test]
fn the_manual_has_a_page_a_command_and_nothing_is_cut_off() {
    let folder = scratch();
    let out = folder.path().join("made/man1");
    succeed(["man", "--out", out.to_str().unwrap()]);
    let mut expected: Vec<_> = commands().iter().map(|name| format!("cutlayer-{name}.1")).collect();
    expected.push("cutlayer.1".to_owned());
    expected.sort();
    // A command's own commands have pages too.
    let pages = names(&out);
    let under = |page: &String| commands().iter().any(|name| page.starts_with(&format!("cutlayer-{name}-")));
    assert_eq!(pages.iter().filter(|page| !under(page)).cloned().collect::<Vec<_>>(), expected);

    let main = words(&fs::read_to_string(out.join("cutlayer.1")).unwrap());
    for name in commands() {
        assert!(main.contains(&format!("cutlayer-{name}(1)")), "{name} is missing: {main}");
    }
    // What the help says after its options stands in the page word for word.
    for (arguments, page, heading) in [
        (vec!["--help"], "cutlayer.1", "Environment:"),
        (vec!["--help"], "cutlayer.1", "Exit codes:"),
        (vec!["attack", "--help"], "cutlayer-attack.1", "Attacks:"),
        (vec!["completions", "--help"], "cutlayer-completions.1", "Where they go:"),
    ] {
        let help = succeed(arguments);
        let after = help.split_once(heading).expect(heading).1.split("\n\n").next().unwrap();
        let page = words(&fs::read_to_string(out.join(page)).unwrap());
        let after = after.split_whitespace().collect::<Vec<_>>().join(" ");
        let section = format!("{} {after}", heading.trim_end_matches(':').to_uppercase());
        assert!(after.len() > 80 && page.contains(&section), "{section}\n\nis not in\n\n{page}");
    }
    let printed = succeed(["man"]);
    assert_eq!(printed.matches(".TH ").count(), pages.len());
    // A second time the pages are replaced.
    succeed(["man", "--out", out.to_str().unwrap()]);
    let file = folder.path().join("file");
    Writer::default().write(&file, b"").unwrap();
    let refused = call(["man", "--out", file.to_str().unwrap()]);
    let told = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(refused.status.code() == Some(2) && told.contains(file.to_str().unwrap()), "{told}");
}

#[test]
fn the_desktop_knows_the_window_and_finds_its_icon() {
    let entry = source("assets/linux/cutlayer.desktop");
    for line in ["Exec=cutlayer %f", "Icon=cutlayer", "StartupWMClass=cutlayer"] {
        assert!(entry.lines().any(|it| it == line), "{line} is missing: {entry}");
    }
    assert!(source("src/app/start.rs").contains(".with_app_id(\"cutlayer\")"));
    let icons = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/icon");
    for size in [16, 24, 32, 48, 64, 128, 256, 512] {
        let image = image::open(icons.join(format!("cutlayer-{size}.png"))).unwrap();
        assert_eq!((image.width(), image.height()), (size, size));
    }
}

/// The names of Debian packages in a text.
fn packages(text: &str) -> BTreeSet<&str> {
    let is_name = |word: &&str| word.starts_with("lib") && word.contains(|c: char| c.is_ascii_digit());
    text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-')).filter(is_name).collect()
}

#[test]
fn the_packages_that_the_window_needs_are_the_same_everywhere() {
    let manifest = source("Cargo.toml");
    let depends = manifest.split_once("\ndepends = [").expect("a list").1.split_once("\n]").expect("its end").0;
    let needed = packages(depends);
    assert!(needed.contains("libgl1") && needed.len() > 10, "{needed:?}");
    let readme = source("README.md");
    let told = readme.split_once("The window wants `").expect("a list").1.split_once('`').expect("its end").0;
    assert_eq!(packages(told), needed, "the README's list");
}

//! An experiment as a text that can be passed on: TOML, or a command line.

use super::values::assigned;
use crate::error::{Error, Result};
use crate::experiment::{DefenceSpec, Experiment, PRESETS};
use crate::setting::shorten;

/// What `--set` makes of one experiment to get the other; none where it cannot.
pub fn assignments(from: &Experiment, to: &Experiment) -> Option<Vec<String>> {
    let (old, new) = (from.values(), to.values());
    let mut all = Vec::new();
    let other_attacks = from.attack_names() != to.attack_names();
    if other_attacks {
        all.push(format!("attack={}", list(&to.attacks)?));
    }
    let names = |experiment: &Experiment| experiment.defences.iter().map(DefenceSpec::name).collect::<Vec<_>>();
    let other_defences = names(from) != names(to);
    if other_defences {
        all.push(format!("defence={}", list(&to.defences)?));
    }
    // A named model takes the place of listed layers.
    let unlisted = from.model.layers.is_some() && to.model.layers.is_none();
    for (key, value) in &new {
        let known = other_attacks && key.starts_with("attack.") || other_defences && key.starts_with("defence.");
        if !known && (old.get(key) != Some(value) || (unlisted && *key == "model.name")) {
            all.push(format!("{key}={}", assigned(value)));
        }
    }
    // The list of layers comes last: before the name it would be taken for another model's.
    all.sort_by_key(|assignment| assignment.starts_with("model.layers="));
    let mut made = from.clone();
    let fits = all.iter().all(|assignment| made.set(assignment).is_ok()) && made == *to;
    fits.then_some(all)
}

/// A list as `--set attack=` or `--set defence=` takes it.
pub fn list<T: serde::Serialize>(entries: &[T]) -> Option<String> {
    toml::Value::try_from(entries).ok().map(|list| list.to_string())
}

/// The preset that an experiment is nearest to, and what differs.
pub fn nearest(experiment: &Experiment) -> Option<(&'static str, Vec<String>)> {
    let made = |name: &'static str| Some((name, assignments(&Experiment::preset(name).ok()?, experiment)?));
    PRESETS.iter().filter_map(|preset| made(preset.0)).min_by_key(|(_, differences)| differences.len())
}

/// The command that runs an experiment: `cutlayer run psgl-digits --set psgl.gamma=0.2`.
///
/// # Errors
/// Where no preset can be changed into it by `--set`.
pub fn command_line(experiment: &Experiment) -> Result<String> {
    let nothing = || Error::input("this experiment has what --set cannot say; copy it as TOML");
    let (name, differences) = nearest(experiment).ok_or_else(nothing)?;
    let set = differences.iter().map(|assignment| format!(" --set {}", quoted(assignment)));
    Ok(format!("cutlayer run {name}{}", set.collect::<String>()))
}

/// As a shell reads it.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "._-/=,:+".contains(c);
    if word.chars().all(plain) { word.to_owned() } else { format!("'{}'", word.replace('\'', r"'\''")) }
}

/// Reads either form, with the checks that a file has to pass.
///
/// # Errors
/// What is wrong with it, in words.
pub fn read(text: &str) -> Result<Experiment> {
    let text = text.trim();
    if text.is_empty() {
        return Err(Error::input(
            "paste an experiment as TOML, or a command: cutlayer run psgl-digits --set psgl.mu=1",
        ));
    }
    let experiment = if text.starts_with("cutlayer") || text.contains("--set") {
        read_command(text)?
    } else {
        Experiment::from_toml(text, "the pasted text")?
    };
    experiment.validate()?;
    Ok(experiment)
}

fn read_command(text: &str) -> Result<Experiment> {
    let words = shell_words(text)?;
    let mut words = words.iter().map(String::as_str).peekable();
    words.next_if_eq(&"cutlayer");
    words.next_if_eq(&"run");
    let name = words.next().unwrap_or_default();
    let mut experiment = Experiment::preset(name)?;
    while let Some(word) = words.next() {
        let (flag, joined) = word.split_once('=').map_or((word, None), |(flag, value)| (flag, Some(value)));
        let value = joined.or_else(|| words.next()).unwrap_or_default();
        match flag {
            "--set" => experiment.set(value)?,
            "--seed" | "--threads" => experiment.set(&format!("{}={value}", &flag[2..]))?,
            _ => {
                let found = shorten(word);
                return Err(Error::input(format!("\"{found}\": allowed is --set KEY=VALUE, --seed and --threads")));
            }
        }
    }
    Ok(experiment)
}

/// The words of a command; quotes and a backslash at a line's end as in a shell.
fn shell_words(text: &str) -> Result<Vec<String>> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    let mut letters = text.chars();
    while let Some(c) = letters.next() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (None, '\'' | '"') => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (None | Some('"'), '\\') => match letters.next() {
                Some('\n') | None => {}
                Some(c) => word.get_or_insert_default().push(c),
            },
            (None, c) if c.is_whitespace() => words.extend(word.take()),
            (_, c) => word.get_or_insert_default().push(c),
        }
    }
    if quote.is_some() {
        return Err(Error::input("the command has a quote that does not end"));
    }
    words.extend(word);
    Ok(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_copied_comes_back() {
        for (name, ..) in PRESETS {
            let mut experiment = Experiment::preset(name).unwrap();
            assert_eq!(command_line(&experiment).unwrap(), format!("cutlayer run {name}"));
            for assignment in [
                "seed=7",
                "psgl.gamma=0.25",
                "psgl.apply=dense",
                "evaluate.gammas=[0.1, 0.3]",
                "data.name='./my images'",
                "attack.0.images=5",
            ] {
                experiment.set(assignment).unwrap();
            }
            for text in [command_line(&experiment).unwrap(), experiment.to_toml()] {
                assert_eq!(read(&text).unwrap(), experiment, "{text}");
            }
            experiment.attacks.remove(0);
            let text = command_line(&experiment).unwrap();
            assert_eq!(read(&text).unwrap(), experiment, "{text}");
        }
    }

    #[test]
    fn layers_are_told_too_and_what_differs_is_little() {
        let mut experiment = Experiment::preset("psgl-digits").unwrap();
        experiment.set("model.layers=[{ conv = 4, kernel = 3 }, \"relu\", \"flatten\", { linear = 10 }]").unwrap();
        experiment.set("model.cut=2").unwrap();
        let text = command_line(&experiment).unwrap();
        assert_eq!(read(&text).unwrap(), experiment, "{text}");
        let quick = Experiment::preset("quick").unwrap();
        assert_eq!(nearest(&quick), Some(("quick", Vec::new())));
        let mut plain = quick;
        plain.set("model.name=split-cnn").unwrap();
        assert_eq!(read(&command_line(&plain).unwrap()).unwrap(), plain);
    }

    #[test]
    fn a_wrong_text_is_refused_in_words() {
        for (wrong, says) in [
            ("", "paste an experiment"),
            ("cutlayer run quik", "did you mean `quick`?"),
            ("cutlayer run quick --set psgl.gamma=7", "allowed is a number"),
            ("cutlayer run quick --set 'a", "quote"),
            ("cutlayer run quick --delete all", "--set KEY=VALUE"),
            ("seed = -1", "seed"),
            ("train.epochs = 1 1", "broken TOML"),
        ] {
            let error = read(wrong).unwrap_err().to_string();
            assert!(error.contains(says), "{wrong}: {error}");
        }
        assert_eq!(shell_words("a 'b c' \"d\\\"e\" \\\n f").unwrap(), ["a", "b c", "d\"e", "f"]);
    }
}

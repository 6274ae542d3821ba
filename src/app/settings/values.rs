//! Settings' values as a control shows them, and as `--set` takes them.

use toml::Value;

use crate::experiment::{Experiment, Optimizer};
use crate::setting::{Kind, Paper, Setting, split};
use crate::texts::say;
use crate::workbench::defences;

/// Checks one change without making it.
///
/// # Errors
/// What is wrong with it, in words: the setting's name, what was found, what is allowed.
pub fn check(experiment: &Experiment, key: &str, text: &str) -> Result<(), String> {
    let mut changed = experiment.clone();
    let result = changed.set(&format!("{key}={text}")).and_then(|()| changed.validate());
    let label = experiment.setting(key).map_or(key, |setting| say(setting.label));
    result.map_err(|error| in_words(key, label, &error.to_string()))
}

/// A message that begins with the key begins with the setting's label instead: it stands below its control.
fn in_words(key: &str, label: &str, message: &str) -> String {
    message.strip_prefix(key).map_or_else(|| message.to_owned(), |rest| format!("{label}{rest}"))
}

/// A number as a person writes it, about six digits of it.
pub fn number(x: f64) -> String {
    if x != 0.0 && (x.abs() < 1e-3 || x.abs() >= 1e7) {
        let exact = format!("{x:e}");
        return if exact.len() <= 9 { exact } else { format!("{x:.3e}") };
    }
    let exact = x.to_string();
    if exact.len() <= 8 {
        return exact;
    }
    let text = format!("{x:.5}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// A value as its control shows it.
pub fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Float(x) => number(*x),
        Value::Boolean(on) => if *on { t!("on") } else { t!("off") }.to_owned(),
        Value::Array(list) if list.iter().all(|item| item.is_float() || item.is_integer()) => {
            list.iter().map(shown).collect::<Vec<_>>().join(", ")
        }
        Value::Array(list) => t!("{count} layers", count = list.len()),
        other => other.to_string(),
    }
}

/// A value as `--set` takes it.
pub fn assigned(value: &Value) -> String {
    match value {
        Value::String(text) => word(text),
        other => other.to_string(),
    }
}

/// What was typed in a field, as `--set` takes it.
pub fn typed(kind: Kind, text: &str) -> String {
    let text = text.trim();
    match kind {
        Kind::Text => word(text),
        Kind::List { .. } if !text.starts_with('[') => format!("[{text}]"),
        _ => text.to_owned(),
    }
}

/// Plain where it can be, else in quotes.
fn word(text: &str) -> String {
    let simple = |c: char| c.is_alphanumeric() || "._-/".contains(c);
    if !text.is_empty() && text.chars().all(simple) {
        text.to_owned()
    } else {
        Value::String(text.to_owned()).to_string()
    }
}

/// The value that is told of the paper, or of ours, as `--set` takes it; none where it is no value but words.
pub fn told(setting: &Setting, paper: Paper) -> Option<String> {
    let text = paper.value;
    let value = match setting.kind {
        Kind::Switch => Value::Boolean(match text {
            "on" => true,
            "off" => false,
            _ => return None,
        }),
        Kind::Whole { .. } => Value::Integer(text.parse().ok()?),
        Kind::Real { .. } => Value::Float(first_number(text)?),
        // A sentence is no name of data or of a model.
        Kind::Text if text.contains(' ') => return None,
        Kind::Choice(_) | Kind::Text => Value::String(text.to_owned()),
        Kind::List { .. } => format!("[{text}]").parse().ok()?,
        Kind::Layers => return None,
    };
    setting.kind.check(setting.key, &value).ok().map(|()| assigned(&value))
}

/// `0.55` of "0.55, best on both of its sets", and what a fraction comes to.
fn first_number(text: &str) -> Option<f64> {
    let text = text.split(", ").next()?;
    match text.split_once('/') {
        Some((a, b)) => Some(a.parse::<f64>().ok()? / b.parse::<f64>().ok()?),
        None => text.parse().ok(),
    }
}

/// The words above a section's settings.
pub fn heading(section: &str) -> String {
    if let Some(name) = section.strip_prefix("attack.") {
        return t!("Attack: {title}", title = crate::workbench::attack(name).map_or(name, |kind| kind.title));
    }
    if let Some(kind) = defences().iter().find(|kind| kind.place() == section) {
        return t!("Defence: {title}", title = kind.title);
    }
    let words = match section {
        "" => t!("General"),
        "data" => t!("Data"),
        "model" => t!("Model and cut"),
        "train" => t!("Training"),
        "evaluate" => t!("Evaluation"),
        _ => t!("More"),
    };
    words.to_owned()
}

/// Why a setting has no effect as the experiment is; none where it has.
pub fn without_effect(key: &str, experiment: &Experiment) -> Option<&'static str> {
    let (section, leaf) = split(key);
    let setup = experiment.setups().ok()?.into_iter().find(|setup| setup.kind.place() == section);
    if let Some(setup) = setup {
        let on = experiment.stack().is_ok_and(|stack| stack.iter().any(|other| other.kind.id == setup.kind.id));
        return (setup.kind.idle)(&setup.values, on, leaf);
    }
    match key {
        "train.twin" if !experiment.defended() => {
            Some(t!("There is no defence: the model itself is the undefended one."))
        }
        "train.momentum" if experiment.train.optimizer == Optimizer::Adam => {
            Some(t!("Adam has a momentum of its own: choose sgd first."))
        }
        "evaluate.gammas" if !experiment.fuses() => {
            Some(t!("No defence of several streams is on: there are no gains to measure."))
        }
        _ if !experiment.defended() && key.starts_with("attack.") && matches!(leaf, "naive" | "adaptive") => {
            Some(t!("Without a defence there is nothing to know, so the attack has one form."))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::{AttackSpec, DefenceSpec, PRESETS};
    use crate::setting::Mark;
    use crate::workbench::{attacks, find, settings};

    #[test]
    fn every_value_of_every_preset_can_be_set_to_itself() {
        for (name, ..) in PRESETS {
            let experiment = Experiment::preset(name).unwrap();
            let all = experiment.values();
            // All but those that this preset leaves open, and those of attacks that it does not launch and of defences
            // that it does not have.
            let launched = |key: &str| {
                if let Some(rest) = key.strip_prefix("defence.") {
                    return experiment.defences.iter().any(|spec| rest.starts_with(spec.name()));
                }
                let attack = key.strip_prefix("attack.").and_then(|rest| rest.split('.').next());
                attack.is_none_or(|name| experiment.attacks.iter().any(|spec| spec.name() == name))
            };
            let wanted = settings().iter().filter(|setting| launched(setting.key)).count();
            assert!(all.len() >= wanted - 2, "{name}: {}", all.len());
            for (key, value) in &all {
                let mut same = experiment.clone();
                same.set(&format!("{key}={}", assigned(value))).unwrap();
                assert_eq!(same, experiment, "{name}: {key}");
                let kind = find(key).unwrap().kind;
                if matches!(kind, Kind::Text | Kind::List { .. }) {
                    same.set(&format!("{key}={}", typed(kind, &shown(value)))).unwrap();
                    assert_eq!(same, experiment, "{name}: {key} as it is shown");
                }
            }
        }
    }

    #[test]
    fn the_papers_values_are_set_where_they_are_values() {
        let told = |key: &str| told(find(key).unwrap(), find(key).unwrap().paper.unwrap());
        assert_eq!(told("psgl.mu").as_deref(), Some("0.55"));
        assert_eq!(told("psgl.mirror").as_deref(), Some("false"));
        assert_eq!(told("psgl.apply").as_deref(), Some("dense"));
        assert_eq!(told("psgl.weights").as_deref(), Some("[0.5, 0.3, 0.2]"));
        assert_eq!(told("train.epochs").as_deref(), Some("6"));
        assert_eq!(told("data.name"), None);
        assert_eq!(find("psgl.gamma").unwrap().paper.unwrap().mark, Mark::Here);
        let attacks = attacks().iter().map(|kind| AttackSpec::of(kind)).collect();
        let listed = defences().iter().filter(|kind| kind.section.is_none());
        let defences = listed.map(|kind| DefenceSpec::named(kind.id).unwrap()).collect();
        let mut experiment = Experiment { defences, attacks, ..Experiment::default() };
        for setting in settings() {
            if let Some(text) = setting.paper.and_then(|paper| super::told(setting, paper)) {
                experiment.set(&format!("{}={text}", setting.key)).unwrap();
            }
        }
        assert_eq!(experiment.evaluate.fgsm_epsilon, 8.0 / 255.0);
    }

    #[test]
    fn numbers_are_short_and_messages_speak_of_the_control() {
        assert_eq!([number(0.1), number(8.0 / 255.0), number(1e-7), number(0.0)], ["0.1", "0.03137", "1e-7", "0"]);
        assert_eq!(number(1.0 / 30_000.0), "3.333e-5");
        let error = check(&Experiment::default(), "psgl.gamma", "7").unwrap_err();
        assert_eq!(error, "Strength γ = 7: allowed is a number above 0, up to 1");
        assert_eq!(check(&Experiment::default(), "psgl.gamma", "0.5"), Ok(()));
        assert!(check(&Experiment::default(), "train.epochs", "0").is_err());
        assert_eq!(typed(Kind::Text, " my images/x "), "\"my images/x\"");
    }

    #[test]
    fn every_section_has_its_heading() {
        for setting in settings() {
            assert_ne!(heading(split(setting.key).0), "More", "{}", setting.key);
        }
    }
}

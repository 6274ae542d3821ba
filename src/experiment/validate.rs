//! Checks of a document that need no data: each field against its setting, then fields against each other.
//!
//! A check returns one line that begins with the field; who called adds where the document came from.

use toml::{Table, Value};

use super::attack::{check_label, known, same_name};
use super::defence::{known as known_defences, listed};
use super::document::{DataSpec, Device, Experiment};
use super::schema;
use crate::model::spec::{self, LayerSpec};
use crate::model::zoo;
use crate::setting::{Kind, MAX_LAYERS, Setting, near, shorten, shown, split};
use crate::workbench::{self, find, nearest, settings};

/// Words that begin a layer, for the near one of a misspelt word.
fn layer_words() -> impl Iterator<Item = &'static str> + Clone {
    spec::WORDS.into_iter().chain(spec::KEYS)
}

/// Checks every field of a table: known, of the right type, in its range.
pub(super) fn fields(document: &Table) -> Result<(), String> {
    // First, because the fields of another schema would all look misspelt.
    document.get("schema").map_or(Ok(()), schema::check)?;
    for (key, value) in document {
        match key.as_str() {
            "schema" => {}
            "attack" => attacks(value)?,
            "defence" => defences(value)?,
            // Else a key in quotes would pass for the dotted one and only the reader would stumble over it.
            _ if key.contains('.') => {
                return Err(format!("\"{}\": no such field; write it without quotes", shorten(key)));
            }
            _ => match find(key) {
                Some(setting) => field(setting, value)?,
                None if is_section(key) => section(key, value)?,
                None => return Err(unknown(key, value)),
            },
        }
    }
    Ok(())
}

/// Checks one value against its setting.
pub(super) fn field(setting: &Setting, value: &Value) -> Result<(), String> {
    field_as(setting.key, setting, value)
}

/// The same for a setting that the document has under another key.
fn field_as(key: &str, setting: &Setting, value: &Value) -> Result<(), String> {
    setting.kind.check(key, value)?;
    match (setting.kind, value) {
        (Kind::Layers, Value::Array(list)) => layers(key, list),
        _ => Ok(()),
    }
}

fn is_section(name: &str) -> bool {
    !name.is_empty() && settings().iter().any(|setting| split(setting.key).0 == name)
}

fn section(name: &str, value: &Value) -> Result<(), String> {
    let Value::Table(table) = value else {
        return Err(format!("{name} = {}: is a section: a line [{name}] and below it {}", shown(value), leaves(name)));
    };
    for (leaf, value) in table {
        let key = format!("{name}.{leaf}");
        field(find(&key).ok_or_else(|| unknown(&key, value))?, value)?;
    }
    Ok(())
}

/// The fields of a section, as a person lists them.
pub(super) fn leaves(section: &str) -> String {
    let keys = settings().iter().map(|setting| split(setting.key)).filter(|(name, _)| *name == section);
    keys.map(|(_, leaf)| leaf).collect::<Vec<_>>().join(", ")
}

/// What to say about a key that is none: the near one, or else all that the section has.
pub(super) fn unknown(key: &str, value: &Value) -> String {
    let (section, leaf) = split(key);
    let mut sections: Vec<&str> = settings().iter().filter_map(|s| Some(s.key.split_once('.')?.0)).collect();
    sections.dedup();
    let like_section = (value.is_table() || value.is_array()) && section.is_empty();
    let near_section = near(leaf, sections.iter().copied()).filter(|_| like_section);
    let hint = match (near_section, nearest(key)) {
        (Some(list @ ("attack" | "defence")), _) => format!("did you mean [[{list}]]?"),
        (Some(name), _) => format!("did you mean [{name}]?"),
        // In its own section the short name is what the file has to say.
        (None, Some(near)) if split(near).0 == section => format!("did you mean `{}`?", split(near).1),
        (None, Some(near)) if !value.is_table() => format!("did you mean `{near}`?"),
        _ if is_section(section) => format!("[{section}] has {}", leaves(section)),
        _ => format!("there are schema, {} and the sections {}", leaves(""), sections.join(", ")),
    };
    format!("{}: no such field; {hint}", shorten(key))
}

/// Checks the list of attacks.
pub(super) fn attacks(value: &Value) -> Result<(), String> {
    let Value::Array(list) = value else {
        let wrong = if value.is_table() { "one table".to_owned() } else { shown(value) };
        return Err(format!("attack: allowed is a list, each begun by a line [[attack]]; found {wrong}"));
    };
    for (i, attack) in list.iter().enumerate() {
        let Value::Table(table) = attack else {
            return Err(format!("attack[{i}] = {}: allowed is a table with a name and settings", shown(attack)));
        };
        let name = match table.get("name") {
            Some(Value::String(name)) if workbench::attack(name).is_some() => name,
            Some(Value::String(name)) => {
                return Err(format!("attack[{i}].name = \"{}\": {}", shorten(name), known(name)));
            }
            Some(other) => return Err(format!("attack[{i}].name = {}: {}", shown(other), known(""))),
            None => return Err(format!("attack[{i}].name is missing: {}", known(""))),
        };
        let called = match table.get("label") {
            None => name,
            Some(label) => {
                let wrong = |why: String| format!("attack[{i}].label = {}: {why}", shown(label));
                let text = label.as_str().ok_or_else(|| wrong("allowed is a text".to_owned()))?;
                check_label(text).map_err(wrong)?;
                text
            }
        };
        for (leaf, value) in table.iter().filter(|(leaf, _)| !matches!(leaf.as_str(), "name" | "label")) {
            let setting = find(&format!("attack.{name}.{leaf}"));
            let setting = setting.ok_or_else(|| unknown_of_attack(name, called, leaf, value))?;
            field_as(&format!("attack.{called}.{leaf}"), setting, value)?;
        }
    }
    Ok(())
}

/// Checks the list of defences.
pub(super) fn defences(value: &Value) -> Result<(), String> {
    let Value::Array(list) = value else {
        let wrong = if value.is_table() { "one table".to_owned() } else { shown(value) };
        return Err(format!("defence: allowed is a list, each begun by a line [[defence]]; found {wrong}"));
    };
    for (i, defence) in list.iter().enumerate() {
        let Value::Table(table) = defence else {
            return Err(format!("defence[{i}] = {}: allowed is a table with a name and settings", shown(defence)));
        };
        let name = match table.get("name") {
            Some(Value::String(name)) if listed().any(|kind| kind.id == name) => name,
            Some(Value::String(name)) => {
                return Err(format!("defence[{i}].name = \"{}\": {}", shorten(name), known_defences(name)));
            }
            Some(other) => return Err(format!("defence[{i}].name = {}: {}", shown(other), known_defences(""))),
            None => return Err(format!("defence[{i}].name is missing: {}", known_defences(""))),
        };
        for (leaf, value) in table.iter().filter(|(leaf, _)| *leaf != "name") {
            let key = format!("defence.{name}.{leaf}");
            field(find(&key).ok_or_else(|| unknown(&key, value))?, value)?;
        }
    }
    Ok(())
}

/// What to say about a key that an attack has not, which is called by its label or by its name.
pub(super) fn unknown_of_attack(name: &str, called: &str, leaf: &str, value: &Value) -> String {
    let text = unknown(&format!("attack.{name}.{leaf}"), value);
    text.replacen(&format!("attack.{name}."), &format!("attack.{called}."), 1)
}

/// Checks the entries of a layer list one by one, so that a message names the entry.
fn layers(key: &str, list: &[Value]) -> Result<(), String> {
    for (i, layer) in list.iter().enumerate() {
        let key = format!("{key}[{i}]");
        let words = match layer {
            Value::String(word) => vec![word.as_str()],
            Value::Table(table) => table.keys().map(String::as_str).collect(),
            other => {
                return Err(format!(
                    "{key} = {}: allowed is a word, as in \"relu\", or a table, as in {{ linear = 10 }}",
                    shown(other)
                ));
            }
        };
        for part in ["residual", "project"] {
            if let Some(inner) = layer.get(part) {
                let key = format!("{key}.{part}");
                let inner =
                    inner.as_array().ok_or_else(|| format!("{key} = {}: allowed is a list of layers", shown(inner)))?;
                layers(&key, inner)?;
            }
        }
        if let Err(error) = layer.clone().try_into::<LayerSpec>() {
            let misspelt = words.iter().find(|word| !layer_words().any(|known| known == **word));
            let near = misspelt
                .filter(|_| error.message().starts_with("unknown layer"))
                .and_then(|word| near(word, layer_words()));
            let hint = near.map(|near| format!("; did you mean \"{near}\"?")).unwrap_or_default();
            // The message repeats the word, which may be anything.
            let clean = |c: char| if c.is_control() { '\u{fffd}' } else { c };
            let reason: String = error.message().trim().chars().map(clean).take(300).collect();
            return Err(format!("{key} = {}: {reason}{hint}", shown(layer)));
        }
    }
    Ok(())
}

/// Checks what single fields cannot tell.
pub(super) fn together(experiment: &Experiment) -> Result<(), String> {
    let Experiment { data, model, train, defences, attacks, .. } = experiment;
    // Only a slash or a dot makes a path, so that a misspelt built-in name is not looked for on the disk.
    if !data.name.contains(['/', '\\', '.']) && !DataSpec::BUILT_IN.contains(&data.name.as_str()) {
        let near = near(&data.name, DataSpec::BUILT_IN).map(|near| format!("; did you mean \"{near}\"?"));
        let built_in = DataSpec::BUILT_IN.map(|name| format!("\"{name}\"")).join(" or ");
        let name = shorten(&data.name);
        return Err(format!(
            "data.name = \"{name}\": allowed is {built_in}, or a path, as in \"./{name}\"{}",
            near.unwrap_or_default()
        ));
    }
    data.wanted().map_err(|error| error.to_string())?;
    if data.size > 0 && data.size < 8 {
        return Err(format!("data.size = {}: allowed is 0, or 8 to 1024", data.size));
    }
    if data.folds == 1 || data.fold > data.folds {
        let (folds, fold) = (data.folds, data.fold);
        return Err(format!(
            "data.folds = {folds} and data.fold = {fold}: allowed are 0, or 2 to 20 folds, and one of them from 1, or 0 for all"
        ));
    }
    if train.warmup > train.epochs {
        return Err(format!(
            "train.warmup = {}: allowed is 0 to {}, which is train.epochs",
            train.warmup, train.epochs
        ));
    }
    let count = match &model.layers {
        Some(layers) => layers.len(),
        None => zoo::layers(&model.name, 2).ok_or_else(|| unknown_model(&model.name))?.len(),
    };
    if let Some(nested) = model.layers.as_deref().map(nested).filter(|n| *n > MAX_LAYERS) {
        return Err(format!(
            "model.layers: {nested} layers, those inside residual counted: allowed is up to {MAX_LAYERS}"
        ));
    }
    if !(1..count).contains(&model.cut) {
        return Err(format!(
            "model.cut = {}: allowed is 1 to {}: \"{}\" has {count} layers, and the client and the server need one each",
            model.cut,
            count - 1,
            shorten(&model.name)
        ));
    }
    for setup in experiment.setups().map_err(|e| e.to_string())? {
        (setup.kind.check)(&setup.values)?;
    }
    for (i, defence) in defences.iter().enumerate() {
        let name = defence.name();
        if defences[..i].iter().any(|other| other.name() == name) {
            return Err(format!("defence[{i}].name = \"{name}\": this defence is in the list twice; allowed is once"));
        }
    }
    experiment.stack().map_err(|e| e.to_string())?;
    for (i, attack) in attacks.iter().enumerate() {
        let name = attack.name();
        if attacks[..i].iter().any(|other| same_name(other.name(), name)) {
            return Err(match &attack.label {
                Some(label) => format!("attack[{i}].label = \"{label}\": another attack has it; give each its own"),
                None => format!(
                    "attack[{i}].name = \"{name}\": this attack is in the list twice; give one of them a label of its \
                     own, as in label = \"{name}-2\""
                ),
            });
        }
        if !attack.naive && !attack.adaptive {
            return Err(format!(
                "attack.{name}.naive = false and attack.{name}.adaptive = false: allowed is at least one true"
            ));
        }
        if let Some(late) = attack.early.iter().find(|epoch| **epoch > train.epochs) {
            return Err(format!(
                "attack.{name}.early = {:?}: {late} never comes: allowed is 0 to {epochs}, which is train.epochs",
                attack.early,
                epochs = train.epochs
            ));
        }
    }
    Ok(())
}

/// What to say about a model name without layers that is not in the zoo.
pub(super) fn unknown_model(name: &str) -> String {
    let near = near(name, zoo::NAMES).map(|near| format!("; did you mean \"{near}\"?")).unwrap_or_default();
    let names = zoo::NAMES.map(|name| format!("\"{name}\"")).join(", ");
    format!("model.name = \"{}\": allowed is {names}, or any name together with model.layers{near}", shorten(name))
}

/// Layers of a list, those inside residual blocks counted.
fn nested(layers: &[LayerSpec]) -> usize {
    let inside = |layer: &LayerSpec| match layer {
        LayerSpec::Residual { inner, project } => nested(inner) + nested(project),
        _ => 0,
    };
    layers.iter().map(|layer| 1 + inside(layer)).sum()
}

/// Whether this build has the device.
pub(super) fn device(device: Device) -> Result<(), String> {
    let (word, name) = match device {
        Device::Cuda if !cfg!(feature = "cuda") => ("cuda", "CUDA"),
        Device::Metal if !cfg!(feature = "metal") => ("metal", "Metal"),
        _ => return Ok(()),
    };
    Err(format!(
        "device = \"{word}\": this build has no {name}; build it with `cargo build --release --features {word}`, or set \
         device = \"cpu\""
    ))
}

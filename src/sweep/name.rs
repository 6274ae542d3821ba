//! What cells are called: by what differs, in few letters that every file system takes.
//!
//! A cell's name is made of what it sets itself and of nothing else, so that it stays the same when a file gets more values.

use std::collections::BTreeMap;

use toml::Value;

use super::{ATTACK, Assignments, Cell, DEFENCE, NONE};
use crate::experiment::naming::{LONGEST, safe, setting_words, short};
use crate::workbench;

/// What a cell is called that sets nothing.
const PLAIN: &str = "base";
/// Letters of a hash that tell cells apart whose names would be the same.
const HASH: usize = 8;

/// The cells with their names, and with those of their undefended ones in place of hashes.
pub(super) fn named(mut cells: Vec<Cell>) -> Vec<Cell> {
    let names: Vec<String> = cells.iter().map(|cell| called(&cell.set)).collect();
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for name in &names {
        // Some disks take no account of capitals.
        *counts.entry(name.to_lowercase()).or_default() += 1;
    }
    let mut by_hash = BTreeMap::new();
    for (cell, name) in cells.iter_mut().zip(names) {
        let twice = counts.get(&name.to_lowercase()).is_some_and(|count| *count > 1);
        cell.name = if twice { marked(&name, &cell.set) } else { name };
        by_hash.insert(cell.experiment.hash(), cell.name.clone());
    }
    for cell in &mut cells {
        cell.undefended = cell.undefended.take().and_then(|hash| by_hash.get(&hash).cloned());
    }
    cells
}

/// What a cell with these settings is called: defences first, the seed last.
fn called(set: &Assignments) -> String {
    let mut all: Vec<(&String, &Value)> = set.iter().collect();
    all.sort_by_key(|(key, _)| (rank(key), *key));
    let told: Vec<String> = all.into_iter().map(|(key, value)| told(key, value, set)).collect();
    if told.is_empty() {
        return PLAIN.to_owned();
    }
    let whole = told.join(" ");
    let name = safe(&whole);
    // What was cut off must not be what differs.
    if name.len() + 1 >= LONGEST { marked(&name, set) } else { name }
}

fn rank(key: &str) -> usize {
    match key {
        DEFENCE => 0,
        "seed" => 3,
        _ if lever(key).is_some() => 1,
        _ => 2,
    }
}

/// A setting in a word or two: `dropout`, `p.3`, `cut 2`, `s1`.
fn told(key: &str, value: &Value, set: &Assignments) -> String {
    match (key, value) {
        ("seed", value) => format!("s{}", short(value)),
        (DEFENCE | ATTACK, Value::String(names)) => names.replace(' ', ""),
        (DEFENCE | ATTACK, list) => names_of(list),
        _ => match lever(key) {
            // Its defence is named already.
            Some((id, symbol))
                if set.get(DEFENCE).is_some_and(|names| names_of(names).split('+').any(|own| own == id)) =>
            {
                format!("{symbol}{}", short(value))
            }
            Some((id, symbol)) => format!("{id} {symbol}{}", short(value)),
            None => setting_words(key, value),
        },
    }
}

/// The names of a list of defences or attacks, or that list itself where it is written as names.
fn names_of(list: &Value) -> String {
    let one = |item: &Value| {
        let called = item.get("label").or(item.get("name"));
        called.and_then(Value::as_str).map_or_else(|| short(item), str::to_owned)
    };
    match list {
        Value::Array(items) if items.is_empty() => NONE.to_owned(),
        Value::Array(items) => items.iter().map(one).collect::<Vec<_>>().join("+"),
        Value::String(names) => names.replace(' ', ""),
        other => one(other),
    }
}

/// The defence whose lever a setting is, and the lever's letter.
fn lever(key: &str) -> Option<(&'static str, &'static str)> {
    workbench::defences().iter().find_map(|kind| {
        let leaf = key.strip_prefix(&kind.place())?.strip_prefix('.')?;
        kind.levers.iter().find(|lever| lever.key == leaf).map(|lever| (kind.id, lever.symbol))
    })
}

/// The name with a few letters behind it that only these settings have.
fn marked(name: &str, set: &Assignments) -> String {
    let text: Vec<String> = set.iter().map(|(key, value)| format!("{key}={value}")).collect();
    let hash = blake3::hash(text.join("\n").as_bytes()).to_hex();
    let kept = &name[..name.len().min(LONGEST - HASH - 1)];
    format!("{}-{}", kept.trim_end_matches(['-', '.']), &hash.as_str()[..HASH])
}

//! From a file's axes to cells: every combination, the undefended ones beside them, each experiment checked.

use std::collections::BTreeSet;

use toml::Value;

use super::{ATTACK, Assignments, Cell, DEFENCE, NONE, name, slurm};
use crate::data::known::known;
use crate::defence::Kind;
use crate::experiment::{AttackSpec, DefenceSpec, Experiment};
use crate::run::identity::absolute;
use crate::setting::{near, shorten, shown};
use crate::workbench;

/// A sweep has one undefended cell for all; a twin in each would be trained over and over.
const TWIN: &str = "train.twin";
/// Cells of one sweep at most.
const MOST: usize = 2000;

/// Settings along which cells differ: each key with its values.
pub(super) type Axes = Vec<(String, Vec<Value>)>;

/// A file, read but not expanded.
#[derive(Debug)]
pub(super) struct Document {
    pub title: String,
    pub base: Experiment,
    /// For all cells.
    pub set: Assignments,
    /// Every combination of them, with each of the list.
    pub grid: Axes,
    /// One after another, each a grid of its own; one without axes where the file has none.
    pub list: Vec<Axes>,
    /// Whether each defended cell is to have an undefended one beside it.
    pub undefended: bool,
    /// For all cells, above all of these, as `--set` has them.
    pub above: Vec<String>,
    pub cluster: slurm::Wishes,
}

/// The cells of a file, those without a defence first that the file does not list itself.
pub(super) fn cells(document: &Document) -> Result<Vec<Cell>, String> {
    let mut all = Combined::default();
    check_count(document)?;
    for (i, entry) in document.list.iter().enumerate() {
        for outer in combinations(&document.grid) {
            for inner in combinations(entry) {
                let set: Assignments = outer.clone().into_iter().chain(inner).collect();
                let place = |key: &str| match entry.iter().any(|(own, _)| own == key) {
                    true => format!("list[{i}]"),
                    false if document.set.contains_key(key) && !outer.contains_key(key) => "set".to_owned(),
                    false => "grid".to_owned(),
                };
                let experiment = experiment(document, &set, place)?;
                all.add(set, experiment);
            }
        }
    }
    if document.undefended {
        all.add_undefended(document)?;
    }
    let cells = name::named(all.cells);
    cells.iter().try_for_each(|cell| cell.experiment.validate().map_err(|e| format!("cell {}: {e}", cell.name)))?;
    Ok(cells)
}

/// Refuses more cells than anybody waits for, before they are made.
fn check_count(document: &Document) -> Result<(), String> {
    let count = |axes: &Axes| axes.iter().fold(1_usize, |n, (_, values)| n.saturating_mul(values.len()));
    let lists = document.list.iter().fold(0_usize, |n, entry| n.saturating_add(count(entry)));
    let all = lists.saturating_mul(count(&document.grid));
    if all > MOST { Err(format!("grid and list make {all} cells: allowed are up to {MOST}")) } else { Ok(()) }
}

/// Cells as they come, each experiment once.
#[derive(Default)]
struct Combined {
    cells: Vec<Cell>,
    known: BTreeSet<String>,
}

impl Combined {
    fn add(&mut self, set: Assignments, experiment: Experiment) {
        if self.known.insert(experiment.hash()) {
            self.cells.push(Cell { name: String::new(), set, undefended: None, experiment });
        }
    }

    /// Gives each defended cell the one that is the same without a defence; those that are missing come first. Until cells
    /// have names, they go by the hash of their experiment.
    fn add_undefended(&mut self, document: &Document) -> Result<(), String> {
        let mut missing = Self { known: self.known.clone(), ..Self::default() };
        for cell in self.cells.iter_mut().filter(|cell| cell.experiment.defended()) {
            let mut set: Assignments = cell
                .set
                .iter()
                .filter(|(key, _)| !is_of_defence(key))
                .map(|(key, v)| (key.clone(), v.clone()))
                .collect();
            set.insert(DEFENCE.to_owned(), Value::String(NONE.to_owned()));
            let plain = experiment(document, &set, |_| "grid".to_owned())?;
            cell.undefended = Some(plain.hash());
            missing.add(set, plain);
        }
        missing.cells.append(&mut self.cells);
        self.cells = missing.cells;
        Ok(())
    }
}

/// Whether a setting is one of a defence, or says which there are.
fn is_of_defence(key: &str) -> bool {
    let in_section = |section: &str| key.strip_prefix(section).is_some_and(|rest| rest.starts_with('.'));
    key == DEFENCE
        || in_section(DEFENCE)
        || workbench::defences().iter().filter_map(|kind| kind.section).any(in_section)
}

/// Every combination of the values of some axes; one without any where there are none.
fn combinations(axes: &Axes) -> Vec<Assignments> {
    axes.iter().fold(vec![Assignments::new()], |all, (key, values)| {
        let longer = |one: &Assignments| {
            let one = one.clone();
            values.iter().map(move |value| {
                let mut one = one.clone();
                one.insert(key.clone(), value.clone());
                one
            })
        };
        all.iter().flat_map(longer).collect()
    })
}

/// The base with what a cell sets; its own stand above those of all cells. Which defences and attacks there are is set before
/// their settings, since keys come in the order of the alphabet.
fn experiment(document: &Document, set: &Assignments, place: impl Fn(&str) -> String) -> Result<Experiment, String> {
    let mut experiment = document.base.clone();
    let mut all = document.set.clone();
    all.extend(set.iter().map(|(key, value)| (key.clone(), value.clone())));
    for (key, value) in &all {
        assign(&mut experiment, key, value).map_err(|problem| format!("{}: {problem}", place(key)))?;
    }
    for setting in &document.above {
        experiment.set(setting).map_err(|problem| problem.to_string())?;
    }
    experiment.train.twin = false;
    if known(&experiment.data.name).is_none()
        && let Some(path) = absolute(&experiment.data.name)
    {
        experiment.data.name = path;
    }
    Ok(experiment)
}

fn assign(experiment: &mut Experiment, key: &str, value: &Value) -> Result<(), String> {
    match (key, value) {
        (TWIN, _) => Err(format!(
            "{TWIN} = {}: a sweep sets it itself: one undefended cell a seed is the twin of all",
            shown(value)
        )),
        (DEFENCE, Value::String(names)) => defend(experiment, names),
        (ATTACK, Value::String(names)) => attack(experiment, names),
        (DEFENCE | ATTACK, Value::Table(_)) => set(experiment, key, &Value::Array(vec![value.clone()])),
        _ => set(experiment, key, value),
    }
}

fn set(experiment: &mut Experiment, key: &str, value: &Value) -> Result<(), String> {
    experiment.set(&format!("{key}={value}")).map_err(|e| e.to_string())
}

/// The defences of a name, `none` or several with a plus between them, in place of those that there are; one that was there
/// keeps its settings.
fn defend(experiment: &mut Experiment, names: &str) -> Result<(), String> {
    let kinds = workbench::defences();
    let wanted = listed(DEFENCE, names, &kinds.iter().map(|kind| kind.id).collect())?;
    let of = |id: &str| kinds.iter().find(|kind| kind.id == id).copied();
    for (section, kind) in kinds.iter().filter_map(|kind| Some((kind.section?, kind))) {
        set(experiment, &format!("{section}.enabled"), &Value::Boolean(wanted.contains(&kind.id)))?;
    }
    let spec = |kind: &Kind| {
        let own = experiment.defences.iter().find(|spec| spec.name() == kind.id).cloned();
        own.map_or_else(|| DefenceSpec::named(kind.id).map_err(|e| e.to_string()), Ok)
    };
    let listed = wanted.iter().filter_map(|id| of(id)).filter(|kind| kind.section.is_none());
    experiment.defences = listed.map(spec).collect::<Result<_, _>>()?;
    Ok(())
}

/// The same of attacks.
fn attack(experiment: &mut Experiment, names: &str) -> Result<(), String> {
    let own: Vec<String> = experiment.attack_names().into_iter().map(str::to_owned).collect();
    let kinds = workbench::attacks().iter().map(|kind| kind.id);
    let wanted = listed(ATTACK, names, &own.iter().map(String::as_str).chain(kinds).collect())?;
    let spec = |name: &&str| {
        let own = experiment.attacks.iter().find(|spec| spec.name() == *name).cloned();
        own.map_or_else(|| AttackSpec::named(name).map_err(|e| e.to_string()), Ok)
    };
    experiment.attacks = wanted.iter().map(spec).collect::<Result<_, _>>()?;
    Ok(())
}

/// `none`, or names with a plus between them.
fn listed<'a>(key: &str, names: &'a str, known: &BTreeSet<&str>) -> Result<Vec<&'a str>, String> {
    if names == NONE {
        return Ok(Vec::new());
    }
    let names: Vec<&str> = names.split('+').map(str::trim).collect();
    let Some(wrong) = names.iter().find(|name| !known.contains(**name)) else { return Ok(names) };
    let near = near(wrong, known.iter().copied().chain([NONE]));
    let near = near.map(|near| format!("; did you mean \"{near}\"?")).unwrap_or_default();
    let all = known.iter().copied().collect::<Vec<_>>().join(", ");
    let wrong = shorten(wrong);
    Err(format!("{key} = \"{wrong}\": allowed are \"{NONE}\", or, with + between several, {all}{near}"))
}

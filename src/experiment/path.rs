//! `data.path`, another word for `data.name` that is always a path: a run keeps one of them.

use toml::{Table, Value};

use crate::place::no_name;

/// The key as `--set` has it.
pub(super) const PATH: &str = "data.path";

/// Puts a document's `data.path` in the place of `data.name`.
///
/// # Errors
/// Returns an error if there are both, or if it is no text.
pub(super) fn path_for_name(document: &mut Table) -> Result<(), String> {
    let Some(Value::Table(data)) = document.get_mut("data") else { return Ok(()) };
    let Some(path) = data.remove("path") else { return Ok(()) };
    if data.contains_key("name") {
        return Err("data.path and data.name both say where the images are: leave one out".to_owned());
    }
    let Value::String(path) = path else {
        return Err(format!("data.path = {}: allowed is a text in quotes", crate::setting::shown(&path)));
    };
    data.insert("name".to_owned(), Value::String(no_name(&path)));
    Ok(())
}

/// The value of `data.name` for that of `data.path`, quoted or not.
pub(super) fn path_of(text: &str) -> String {
    let quoted = text.strip_prefix('"').and_then(|text| text.strip_suffix('"'));
    match quoted {
        Some(inside) if !inside.is_empty() => format!("\"{}\"", no_name(inside)),
        _ if text.is_empty() || quoted.is_some() => text.to_owned(),
        _ => no_name(text),
    }
}

#[cfg(test)]
mod tests {
    use crate::experiment::Experiment;

    #[test]
    fn a_path_is_a_path_whatever_it_looks_like() {
        let of = |text: &str| Experiment::from_toml(text, "x").map(|read| read.data.name);
        assert_eq!(of("[data]\npath = \"mnist\"").unwrap(), "./mnist");
        assert_eq!(of("data = { path = \"a/b\", kind = \"auto\" }").unwrap(), "a/b");
        let told = |text: &str| of(text).unwrap_err().to_string();
        assert!(told("[data]\npath = \"x\"\nname = \"y\"").contains("leave one out"));
        assert!(told("[data]\npath = 3").contains("data.path = 3"));
        let mut experiment = Experiment::default();
        for (assignment, name) in
            [("data.path=films", "./films"), ("data.path=\"~/a b\"", "~/a b"), ("data.name=mnist", "mnist")]
        {
            experiment.set(assignment).unwrap();
            assert_eq!(experiment.data.name, name);
        }
        assert!(experiment.set("data.path=").is_err());
    }
}

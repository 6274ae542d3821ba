//! What several test files share: the program as a user calls it, and runs to look at.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

use serde_json::Value;
use tempfile::TempDir;

/// A folder that is removed with the test.
pub fn scratch() -> TempDir {
    tempfile::tempdir().expect("a temporary folder")
}

/// The program with these arguments; its own data go to a folder nobody looks at.
pub fn program<S: AsRef<OsStr>>(arguments: impl IntoIterator<Item = S>) -> Command {
    static HOME: OnceLock<TempDir> = OnceLock::new();
    let mut command = Command::new(env!("CARGO_BIN_EXE_cutlayer"));
    command.args(arguments).env("CUTLAYER_HOME", HOME.get_or_init(scratch).path());
    command.env_remove("DISPLAY").env_remove("WAYLAND_DISPLAY");
    command
}

/// Runs the program to its end.
pub fn call<S: AsRef<OsStr>>(arguments: impl IntoIterator<Item = S>) -> Output {
    program(arguments).output().expect("the program starts")
}

/// Runs the program, which must succeed; what it printed.
pub fn succeed<S: AsRef<OsStr>>(arguments: impl IntoIterator<Item = S>) -> String {
    let output = call(arguments);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("text")
}

/// Runs `quick` in a new folder below `folder`, with more arguments.
pub fn quick(folder: &Path, name: &str, more: &[&str]) -> PathBuf {
    let out = folder.join(name);
    let mut arguments = vec!["run", "quick", "--out", out.to_str().expect("a path")];
    arguments.extend(more);
    succeed(arguments);
    out
}

/// One finished `quick` run that a test file may read, never change.
pub fn finished() -> &'static Path {
    static RUN: OnceLock<(TempDir, PathBuf)> = OnceLock::new();
    let (_, path) = RUN.get_or_init(|| {
        let folder = scratch();
        let path = quick(folder.path(), "run", &[]);
        (folder, path)
    });
    path
}

/// A file of a run.
pub fn file(run: &Path, name: &str) -> Vec<u8> {
    std::fs::read(run.join(name)).unwrap_or_else(|e| panic!("{name}: {e}"))
}

/// A run's summary without what depends on the clock or the machine.
pub fn timeless_summary(run: &Path) -> Value {
    let mut summary = serde_json::from_slice(&file(run, "summary.json")).expect("JSON");
    strip(&mut summary);
    summary
}

fn strip(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.retain(|name, _| !["seconds", "machine", "client_ms_per_image"].contains(&name.as_str()));
            fields.values_mut().for_each(strip);
        }
        Value::Array(items) => items.iter_mut().for_each(strip),
        _ => {}
    }
}

/// Two runs came to the same, byte for byte where bytes can be compared.
pub fn assert_same_run(a: &Path, b: &Path) {
    assert!(file(a, "metrics.csv") == file(b, "metrics.csv"), "metrics.csv differs");
    assert_eq!(timeless_summary(a), timeless_summary(b));
    assert!(file(a, "checkpoint.safetensors") == file(b, "checkpoint.safetensors"), "the checkpoint differs");
    for folder in ["attacks", "best"] {
        let [kept, other] = [a, b].map(|run| names(&run.join(folder)));
        assert_eq!(kept, other, "{folder}/");
        for name in kept.iter().map(|name| format!("{folder}/{name}")) {
            assert!(file(a, &name) == file(b, &name), "{name} differs");
        }
    }
}

/// The names in a folder, sorted; none where there is no such folder.
pub fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut names: Vec<String> = entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

/// Copies a run's folder.
pub fn copy_run(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("a folder");
    for entry in std::fs::read_dir(from).expect("a run").flatten() {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy_run(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).expect("a copy");
        }
    }
}

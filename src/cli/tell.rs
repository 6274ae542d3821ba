//! What is said on standard error, which may be full, closed or without a reader: no reason to end a run.

use std::io::Write;
use std::panic::PanicHookInfo;
use std::path::Path;

use crate::run::control::is_guarded;

/// Writes a line to standard error. Where nobody can read it, it is lost; nothing depends on it.
pub fn tell(text: &str) {
    // In one piece: others may write too.
    let _ = std::io::stderr().lock().write_all(format!("{text}\n").as_bytes());
}

/// Tells of a defect once, in one line, without the folders of the machine that built the program.
///
/// A panic that becomes an error is told where that error arrives. Threads without a name are those of pools, whose
/// panics go on in the thread that gave them work.
pub fn tell_of_defects_plainly() {
    std::panic::set_hook(Box::new(|panic| {
        let thread = std::thread::current();
        let line = defect(panic);
        if is_guarded() || thread.name().is_none() {
            tracing::debug!("{line}");
        } else {
            tell(&format!("cutlayer: {line}"));
        }
    }));
}

fn defect(panic: &PanicHookInfo<'_>) -> String {
    let place = panic.location().map(|at| format!(" ({}:{})", short(at.file()), at.line())).unwrap_or_default();
    format!("the program met a defect{place}: {}", panic.payload_as_str().unwrap_or("no more is known"))
}

/// A source file without what is before its package: `candle-core-0.11.1/src/tensor.rs`.
fn short(file: &str) -> String {
    let path = Path::new(file);
    if path.is_relative() {
        return file.to_owned();
    }
    let parts: Vec<_> = path.iter().map(|part| part.to_string_lossy()).collect();
    let package = parts.iter().rposition(|part| part == "src").map_or(parts.len() - 1, |source| source - 1);
    parts[package.max(1)..].join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn a_place_is_told_without_the_folders_of_the_builder() {
        for (file, told) in [
            ("src/run/worker.rs", "src/run/worker.rs"),
            (
                "/home/me/.cargo/registry/src/index-1/candle-core-0.11.1/src/cpu/mod.rs",
                "candle-core-0.11.1/src/cpu/mod.rs",
            ),
            ("/rustc/0123abcd/library/core/src/option.rs", "core/src/option.rs"),
            ("/home/me/build.rs", "build.rs"),
            ("/x", "x"),
        ] {
            assert_eq!(short(file), told);
        }
    }
}

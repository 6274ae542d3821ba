//! Arguments in, a window or a command's results out, an exit code at the end.

use std::io::IsTerminal;
use std::process::ExitCode;

/// Tensors come and go at every step; this one hands their memory out again in place of giving it back to the system.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Warnings, but not those of the window's system libraries, which no user can act on.
const QUIET: &str = "warn,winit=error,egui_system_font_provider=error";

/// Lets the allocator keep unused memory for ten seconds before the system gets it back: a training step uses the same
/// tens of megabytes as the step before it, and fresh pages must be cleared first.
fn keep_memory() {
    /// mimalloc's documented `purge_delay`, in milliseconds; the bindings have no name for it.
    const PURGE_DELAY: libmimalloc_sys::mi_option_t = 15;
    // SAFETY: sets a number inside the allocator, and is called before any other thread is started.
    #[expect(unsafe_code, reason = "the allocator has only a foreign face")]
    unsafe {
        libmimalloc_sys::mi_option_set(PURGE_DELAY, 10_000);
    }
}

/// Colours are for eyes that want them (<https://no-color.org>); a file keeps the codes.
fn wants_colours() -> bool {
    let set = |name| std::env::var_os(name).filter(|value| !value.is_empty());
    std::io::stderr().is_terminal() && set("NO_COLOR").is_none() && set("TERM").is_none_or(|term| term != "dumb")
}

fn main() -> ExitCode {
    keep_memory();
    let filter = tracing_subscriber::EnvFilter::try_from_default_env().unwrap_or_else(|_| QUIET.into());
    // Its own errors would be told by a macro that panics where standard error cannot be written.
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_ansi(wants_colours()).log_internal_errors(false);
    log.with_writer(std::io::stderr).init();
    cutlayer::workbench().main()
}

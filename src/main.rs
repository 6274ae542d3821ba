//! Arguments in, a window or a command's results out, an exit code at the end.

use std::process::ExitCode;

use clap::Parser;
use cutlayer::cli::Cli;
use cutlayer::error::Error;

/// Tensors come and go at every step; this one hands their memory out again in place of giving it back to the system.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Warnings, but not those of the window's system libraries, which no user can act on.
const QUIET: &str = "warn,winit=error,egui_system_font_provider=error";

fn main() -> ExitCode {
    let filter = tracing_subscriber::EnvFilter::try_from_default_env().unwrap_or_else(|_| QUIET.into());
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    match Cli::parse().execute() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // A Stop has already said what to do next.
            if !matches!(error, Error::Stopped) {
                eprintln!("cutlayer: {error}");
            }
            ExitCode::from(error.exit_code())
        }
    }
}

//! `cutlayer completions`: what a shell needs to complete the command line, made from its one table.

use std::path::Path;

use clap::builder::{PossibleValue, TypedValueParser};
use clap::{Args, CommandFactory};
use clap_complete::{Generator, Shell};

use super::{Cli, print};
use crate::error::{Error, Result};

/// Where each shell looks for its file, shown by `cutlayer completions --help`.
const PLACES: &str = "\
Where they go:
  bash
    cutlayer completions bash > ~/.local/share/bash-completion/completions/cutlayer
  zsh
    cutlayer completions zsh > DIR/_cutlayer, for a DIR of your $fpath
  fish
    cutlayer completions fish > ~/.config/fish/completions/cutlayer.fish
  powershell
    cutlayer completions powershell | Out-String | Invoke-Expression, in $PROFILE
  elvish
    eval (cutlayer completions elvish | slurp), in rc.elv";

#[derive(Debug, Args)]
#[command(after_long_help = PLACES)]
pub(super) struct CompletionsArgs {
    /// Which shell.
    #[arg(value_enum)]
    shell: Shell,
}

/// Prints the completions for a shell.
pub(super) fn completions(args: &CompletionsArgs) -> Result<()> {
    print(&script(args.shell, &called())?)
}

/// The name that the program was called by: one with attacks of its own has another.
fn called() -> String {
    let first = std::env::args_os().next().unwrap_or_default();
    let stem = Path::new(&first).file_stem().and_then(|stem| stem.to_str()).filter(|stem| !stem.is_empty());
    stem.unwrap_or(env!("CARGO_PKG_NAME")).to_owned()
}

/// A shell's completions for a program of this name.
fn script(shell: Shell, name: &str) -> Result<String> {
    let mut command = Cli::command();
    command.set_bin_name(name);
    command.build();
    let mut bytes = Vec::new();
    let unwritten = |why: &dyn std::fmt::Display| Error::Internal(format!("completions for {shell}: {why}"));
    shell.try_generate(&command, &mut bytes).map_err(|error| unwritten(&error))?;
    String::from_utf8(bytes).map_err(|error| unwritten(&error))
}

/// Takes what `inner` takes, and has shells offer `names`, which need not be all that is allowed.
pub(super) fn offering<P: TypedValueParser>(
    inner: P,
    names: Vec<&'static str>,
) -> impl TypedValueParser<Value = P::Value> {
    Offering { inner, names }
}

#[derive(Clone)]
struct Offering<P> {
    inner: P,
    names: Vec<&'static str>,
}

impl<P: TypedValueParser> TypedValueParser for Offering<P> {
    type Value = P::Value;

    fn parse_ref(
        &self,
        command: &clap::Command,
        argument: Option<&clap::Arg>,
        value: &std::ffi::OsStr,
    ) -> std::result::Result<P::Value, clap::Error> {
        self.inner.parse_ref(command, argument, value)
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        Some(Box::new(self.names.iter().copied().map(PossibleValue::new)))
    }
}

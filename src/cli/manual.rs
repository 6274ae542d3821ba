//! `cutlayer man`: pages for `man`, made from the one table of arguments.

use std::fs;
use std::io;
use std::path::PathBuf;

use clap::builder::Resettable;
use clap::{Args, Command, CommandFactory};
use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, roman};

use super::{Cli, place, print};
use crate::error::{Error, Result};
use crate::run::whole_files::Writer;

/// What `cutlayer --help` and its page end with.
pub(super) const AROUND: &str = "\
Environment:
  CUTLAYER_HOME
    The folder for runs and what the window remembers; by default in the platform's data folder.
  CUTLAYER_STREAM_FROM
    From how many bytes on unpacked arrays of images stay on disk while they are read.
  CUTLAYER_DATA_CACHE
    How many bytes of decoded images are kept in that folder at most; 0 keeps nothing.
  CUTLAYER_LANGUAGE
    The window's language for once, as in CUTLAYER_LANGUAGE=en.
  RUST_LOG
    What is logged on standard error, as in RUST_LOG=cutlayer=debug.
  NO_COLOR
    If it is set, the log has no colours.

Exit codes:
  0
    It is done.
  1
    It failed, or was stopped.
  2
    Something in the request is wrong or lacking; the message says what, and what to do.";

#[derive(Debug, Args)]
pub(super) struct ManArgs {
    /// Write a file a page into this folder, which is made if need be.
    #[arg(long, value_name = "FOLDER", value_parser = place())]
    out: Option<PathBuf>,
}

/// Prints the pages one after another, as `man -l -` reads them, or writes them into a folder.
pub(super) fn manual(args: &ManArgs) -> Result<()> {
    let pages = pages()?;
    let Some(folder) = &args.out else {
        return print(&pages.into_iter().map(|(_, page)| page).collect::<String>());
    };
    fs::create_dir_all(folder)
        .map_err(|error| Error::input(format!("the folder cannot be made: {error}: {}", folder.display())))?;
    let writer = Writer::default();
    pages.iter().try_for_each(|(name, page)| writer.write(&folder.join(name), page.as_bytes()))
}

/// The page of the program and one a command, each with its file's name.
fn pages() -> Result<Vec<(String, String)>> {
    let mut program = Cli::command().disable_help_subcommand(true);
    program.build();
    let mut pages = Vec::new();
    add(&mut pages, &program)?;
    Ok(pages)
}

/// Adds a command's page, and those of its own commands.
fn add(pages: &mut Vec<(String, String)>, command: &Command) -> Result<()> {
    let name = command.get_display_name().unwrap_or_else(|| command.get_name());
    let unwritten = |why: &dyn std::fmt::Display| Error::Internal(format!("the page of {name}: {why}"));
    let bytes = page(command).map_err(|error| unwritten(&error))?;
    pages.push((format!("{name}.1"), String::from_utf8(bytes).map_err(|error| unwritten(&error))?));
    // `help` repeats what the pages say.
    let mut own = command.get_subcommands().filter(|command| !command.is_hide_set() && command.get_name() != "help");
    own.try_for_each(|command| add(pages, command))
}

fn page(command: &Command) -> io::Result<Vec<u8>> {
    // What comes after the help has sections of its own, which the generator would run together.
    let body = command.clone().after_help(Resettable::Reset).after_long_help(Resettable::Reset);
    let version = concat!(env!("CARGO_PKG_NAME"), " ", env!("CARGO_PKG_VERSION"));
    let mut bytes = Vec::new();
    Man::new(body).source(version).manual("Cutlayer").render(&mut bytes)?;
    let mut rest = Roff::new();
    // Commands are to be copied: no hyphens in them, nor spaces between words that fill a line.
    rest.control("nh", []).control("ad", ["l"]);
    if let Some(after) = command.get_after_long_help() {
        sections(&mut rest, &after.to_string());
    }
    if command.get_display_name().is_some_and(|name| name != env!("CARGO_PKG_NAME")) {
        rest.control("SH", ["SEE ALSO"]);
        rest.text([bold(env!("CARGO_PKG_NAME")), roman("(1)")]);
    }
    // Without the preamble, which the page has had.
    bytes.extend(rest.to_roff().into_bytes());
    Ok(bytes)
}

/// Sets a text of headings at its margin, terms indented by two, sentences on a term by four, and a list by six.
fn sections(page: &mut Roff, text: &str) {
    for line in text.lines() {
        let words = line.trim();
        match line.len() - line.trim_start().len() {
            _ if words.is_empty() => {}
            0 => {
                page.control("SH", [words.trim_end_matches(':').to_uppercase().as_str()]);
            }
            2 => {
                page.control("TP", []);
                page.text([bold(words)]);
            }
            4 => {
                page.text([roman(words)]);
            }
            _ => {
                page.control("br", []);
                page.text([roman(words)]);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headings_terms_and_sentences_are_told_apart() {
        let mut page = Roff::new();
        sections(&mut page, "Some:\n  one\n    .first line\n    second line\n      listed\n");
        let text = page.to_roff();
        assert_eq!(text, ".SH SOME\n.TP\n\\fBone\\fR\n\\&.first line\nsecond line\n.br\nlisted\n");
    }
}

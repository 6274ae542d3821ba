//! A reader of one's own, in a program that has all the others too: of a text with a line an image, its class and then
//! 8 × 8 digits from 0, black, to 9, white. `cargo run --release --example own_reader -- run quick --out my-run`

use std::path::Path;
use std::process::ExitCode;

use cutlayer::data::reader::{Contents, Kind, Sniff, has_ending};
use cutlayer::data::{Ask, Images};
use cutlayer::error::{Error, Result};

/// Height and width of an image.
const SIDE: usize = 8;
/// Every fourth image is for testing.
const TEST: usize = 4;

/// Its card.
pub static OWN: Kind = Kind {
    id: "own",
    title: "rows of digits",
    about: "a .rows file",
    endings: &["rows"],
    sniff: |path| if has_ending(path, "rows") { Sniff::Yes(path.to_owned()) } else { Sniff::No },
    read,
};

fn read(path: &Path, _: &Ask<'_>) -> Result<Contents> {
    let text = std::fs::read_to_string(path).map_err(Error::io("read the rows", path))?;
    let none = || Images::none([1, SIDE, SIDE]);
    let [mut train, mut test] = [none(), none()];
    for (i, line) in text.lines().enumerate() {
        let Some((class, pixels)) = row(line) else {
            let problem = format!("line {} is no class, space and {} digits", i + 1, SIDE * SIDE);
            return Err(Error::input(format!("{problem}: {}", path.display())));
        };
        let part = if i % TEST == 0 { &mut test } else { &mut train };
        part.labels.push(class);
        part.pixels.extend(pixels);
    }
    // There are no images for validation.
    Ok([train, none(), test].into())
}

/// The class and the pixels of a line.
fn row(line: &str) -> Option<(u32, Vec<u8>)> {
    let (class, digits) = line.split_once(' ')?;
    let grey = |digit: char| Some((digit.to_digit(10)? * 255 / 9) as u8);
    let pixels: Vec<u8> = digits.chars().map(grey).collect::<Option<_>>()?;
    (pixels.len() == SIDE * SIDE).then_some((class.parse().ok()?, pixels))
}

fn main() -> ExitCode {
    let mut arguments: Vec<_> = std::env::args_os().collect();
    if arguments.get(1).is_some_and(|command| command == "run") {
        let set = concat!("data.name=", env!("CARGO_MANIFEST_DIR"), "/examples/digits.rows");
        arguments.extend(["--set", set].map(Into::into));
    }
    cutlayer::workbench().reader(&OWN).main_with(arguments)
}

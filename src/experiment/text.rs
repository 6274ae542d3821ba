//! Bytes of a file as text, whichever of the usual ways they were written in.

use std::io::{ErrorKind, Read};
use std::path::Path;

/// A document is a page or two; what is larger is something else.
const MAX_BYTES: u64 = 1 << 20;

/// The text of a file that is to be a document of a sort: `what` names it in messages.
///
/// # Errors
/// The problem without the path: no file, a folder, no text, or larger than 1 MiB.
pub fn of_file(path: &Path, what: &str) -> Result<String, String> {
    if path.is_dir() {
        return Err("is a folder, not a TOML file".to_owned());
    }
    let problem = |error: std::io::Error| match error.kind() {
        ErrorKind::NotFound => "no such file".to_owned(),
        _ => format!("could not read the {what}: {error}"),
    };
    let mut bytes = Vec::new();
    std::fs::File::open(path).map_err(problem)?.take(MAX_BYTES + 1).read_to_end(&mut bytes).map_err(problem)?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(format!("larger than 1 MiB, so no {what}"));
    }
    decoded(bytes)
}

/// UTF-8, or UTF-16 as PowerShell and Notepad write it; a mark at the start is not part of the text.
///
/// UTF-16 without a mark is known by the first character: those of our files begin with an ASCII one.
///
/// # Errors
/// The problem without a path: no text, and where not.
pub fn decoded(bytes: Vec<u8>) -> Result<String, String> {
    match bytes.as_slice() {
        [0xff, 0xfe, rest @ ..] => utf16(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => utf16(rest, u16::from_be_bytes),
        [first, 0, ..] if *first != 0 => utf16(&bytes, u16::from_le_bytes),
        [0, second, ..] if *second != 0 => utf16(&bytes, u16::from_be_bytes),
        [0xef, 0xbb, 0xbf, ..] => utf8(bytes).map(|text| text[3..].to_owned()),
        _ => utf8(bytes),
    }
}

fn utf8(bytes: Vec<u8>) -> Result<String, String> {
    let no_text = |at: usize| format!("not a text file (UTF-8): byte {at}");
    if let Some(at) = bytes.iter().position(|byte| *byte == 0) {
        return Err(no_text(at));
    }
    String::from_utf8(bytes).map_err(|error| no_text(error.utf8_error().valid_up_to()))
}

fn utf16(bytes: &[u8], unit: impl Fn([u8; 2]) -> u16) -> Result<String, String> {
    let no_text = |at: usize| format!("not a text file (UTF-16): byte {at}");
    let units: Vec<u16> = bytes.chunks_exact(2).map(|pair| unit([pair[0], pair[1]])).collect();
    if let Some(at) = units.iter().position(|unit| *unit == 0) {
        return Err(no_text(2 * at));
    }
    if !bytes.len().is_multiple_of(2) {
        return Err(no_text(bytes.len()));
    }
    String::from_utf16(&units).map_err(|_| no_text(units.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_usual_way_to_write_a_text_is_read() {
        let text = "seed = 3\r\n# γ and 𝛾\n";
        let (little, big): (Vec<u8>, Vec<u8>) = (
            text.encode_utf16().flat_map(u16::to_le_bytes).collect(),
            text.encode_utf16().flat_map(u16::to_be_bytes).collect(),
        );
        let marked = |mark: &[u8], bytes: &[u8]| [mark, bytes].concat();
        for bytes in [
            text.as_bytes().to_vec(),
            marked(&[0xef, 0xbb, 0xbf], text.as_bytes()),
            marked(&[0xff, 0xfe], &little),
            marked(&[0xfe, 0xff], &big),
            little,
            big,
        ] {
            assert_eq!(decoded(bytes.clone()).as_deref(), Ok(text), "{bytes:?}");
        }
        assert_eq!(decoded(Vec::new()).as_deref(), Ok(""));
        assert_eq!(decoded(vec![0xff, 0xfe]).as_deref(), Ok(""));
    }

    #[test]
    fn what_is_no_text_is_refused_with_the_place() {
        let refused = |bytes: &[u8]| decoded(bytes.to_vec()).unwrap_err();
        assert_eq!(refused(b"seed\xff"), "not a text file (UTF-8): byte 4");
        assert_eq!(refused(b"seed\0"), "not a text file (UTF-8): byte 4");
        assert_eq!(refused(&[0xff, 0xfe, b's', 0, b'x']), "not a text file (UTF-16): byte 3");
        assert_eq!(refused(&[0xff, 0xfe, 0, 0, b's', 0]), "not a text file (UTF-16): byte 0");
        assert!(refused(&[0xff, 0xfe, 0, 0xd8]).contains("UTF-16"), "half a letter");
        assert!(refused(&[0; 4]).contains("byte 0"));
    }
}

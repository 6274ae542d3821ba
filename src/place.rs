//! Paths as people write them, and as texts that name any path.
//!
//! A shell replaces `~` only where it sees one: not in `--out=~/runs`, not in an experiment file, not in a text field.
//! And a document is text, while a path may be any bytes; a `file:` URL names every path in plain letters.

use std::ffi::{OsStr, OsString};
use std::path::{Component, Path, PathBuf};

use crate::error::{Error, Result};

/// How a URL of a file begins.
const URL: &str = "file:";

/// The path that a text means: a leading `~` is the home folder, a `file:` URL is decoded, all else is itself. A file
/// that is really called `~` is `./~`.
///
/// ```
/// use cutlayer::place::found;
/// assert_eq!(found("runs/1")?, std::path::Path::new("runs/1"));
/// assert_eq!(found("file:///tmp/my%20images")?, std::path::Path::new("/tmp/my images"));
/// # Ok::<(), cutlayer::error::Error>(())
/// ```
///
/// # Errors
/// [`Error::Input`] where the home folder is not known or is another user's, or the URL is none of a file here.
pub fn found(text: impl AsRef<OsStr>) -> Result<PathBuf> {
    let text = text.as_ref();
    if let Some(url) = text.to_str().and_then(|text| text.strip_prefix(URL)) {
        return decoded(url).ok_or_else(|| {
            Error::input(format!("no URL of a file on this machine, which is file:///… with %XX: {URL}{url}"))
        });
    }
    let path = Path::new(text);
    let mut parts = path.components();
    let Some(Component::Normal(first)) = parts.next() else { return Ok(path.to_owned()) };
    if !first.as_encoded_bytes().starts_with(b"~") {
        return Ok(path.to_owned());
    }
    if first == "~" {
        let home = dirs::home_dir().ok_or_else(|| {
            Error::input(format!("~ is the home folder, and there is none: write the whole path: {}", path.display()))
        })?;
        // `~` alone must not end with a slash.
        let rest = parts.as_path();
        return Ok(if rest.as_os_str().is_empty() { home } else { home.join(rest) });
    }
    // An editor's backup may be called so.
    if Path::new(first).symlink_metadata().is_ok() {
        return Ok(path.to_owned());
    }
    let first = first.to_string_lossy();
    Err(Error::input(format!(
        "only ~ alone is expanded, not {first}: write the whole path, or ./{first} for a file of that name: {}",
        path.display()
    )))
}

/// The program's own folder: `$CUTLAYER_HOME`, else in the platform's data folder.
pub fn home_folder() -> PathBuf {
    let home = std::env::var_os("CUTLAYER_HOME").filter(|home| !home.is_empty());
    let home = home.map(|home| found(&home).unwrap_or_else(|_| home.into()));
    let home = home.or_else(|| dirs::data_dir().map(|data| data.join("cutlayer")));
    home.unwrap_or_else(|| PathBuf::from("cutlayer"))
}

/// A text for which [`found`] gives this path: the path itself, or a `file:` URL where it is no text of one line.
pub fn written(path: &Path) -> String {
    let Some(text) = path.to_str().filter(|text| !text.contains(char::is_control)) else {
        return encoded(&std::path::absolute(path).unwrap_or_else(|_| path.to_owned()));
    };
    if text.starts_with(['~']) || text.starts_with(URL) { format!("./{text}") } else { text.to_owned() }
}

/// Whether a path is a file of this ending, in letters of any size.
pub fn has_ending(path: &Path, ending: &str) -> bool {
    path.extension().is_some_and(|found| found.eq_ignore_ascii_case(ending)) && path.is_file()
}

/// A path that nobody takes for a name: with a slash or a dot in it.
pub fn no_name(path: &str) -> String {
    if path.contains(['/', '\\', '.', '~']) { path.to_owned() } else { format!("./{path}") }
}

/// `data.name=PATH` or `data.path=PATH` as text, whatever bytes the path has. `None` where it is another assignment that is no text.
pub fn assignment(assignment: OsString) -> Option<String> {
    let assignment = match assignment.into_string() {
        Ok(text) => return Some(text),
        Err(assignment) => assignment,
    };
    let (key, value) = split(&assignment)?;
    ["data.name", "data.path"].contains(&key.trim()).then(|| format!("{key}={}", written(Path::new(value))))
}

#[cfg(unix)]
fn split(assignment: &OsStr) -> Option<(&str, &OsStr)> {
    use std::os::unix::ffi::OsStrExt;
    let bytes = assignment.as_bytes();
    let at = bytes.iter().position(|byte| *byte == b'=')?;
    Some((str::from_utf8(&bytes[..at]).ok()?, OsStr::from_bytes(&bytes[at + 1..])))
}

#[cfg(not(unix))]
fn split(_: &OsStr) -> Option<(&str, &OsStr)> {
    None
}

/// What comes after `file:`, as a path.
fn decoded(url: &str) -> Option<PathBuf> {
    let rest = match url.strip_prefix("//") {
        Some(rest) => rest.strip_prefix("localhost").unwrap_or(rest),
        None => url,
    };
    let mut bytes = Vec::new();
    let mut left = rest.strip_prefix('/').map(|_| rest.as_bytes())?;
    while let Some((byte, after)) = left.split_first() {
        left = after;
        if *byte == b'%' {
            let hex = left.get(..2).and_then(|hex| str::from_utf8(hex).ok())?;
            bytes.push(u8::from_str_radix(hex, 16).ok().filter(|byte| *byte != 0)?);
            left = &left[2..];
        } else {
            bytes.push(*byte);
        }
    }
    path_of(bytes)
}

#[cfg(unix)]
#[expect(clippy::unnecessary_wraps, reason = "elsewhere it can fail")]
fn path_of(bytes: Vec<u8>) -> Option<PathBuf> {
    use std::os::unix::ffi::OsStringExt;
    Some(OsString::from_vec(bytes).into())
}

/// `/C:/images` is `C:/images`.
#[cfg(not(unix))]
fn path_of(bytes: Vec<u8>) -> Option<PathBuf> {
    let text = String::from_utf8(bytes).ok()?;
    let drive = text.as_bytes().get(2) == Some(&b':');
    Some(text[usize::from(drive)..].into())
}

#[cfg(unix)]
fn encoded(path: &Path) -> String {
    use std::fmt::Write as _;
    use std::os::unix::ffi::OsStrExt;
    let mut url = format!("{URL}//");
    for &byte in path.as_os_str().as_bytes() {
        if byte.is_ascii_alphanumeric() || b"/-._~".contains(&byte) {
            url.push(char::from(byte));
        } else {
            let _ = write!(url, "%{byte:02X}");
        }
    }
    url
}

/// There a path is text but for halves of letters, which nobody can type.
#[cfg(not(unix))]
fn encoded(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tilde_is_the_home_folder_only_where_it_stands_first_and_alone() {
        let home = dirs::home_dir().unwrap();
        assert_eq!(found("~").unwrap().as_os_str(), home.as_os_str());
        assert_eq!(found("~/a/b c").unwrap(), home.join("a/b c"));
        for same in ["./~", "a/~/b", "/~", "a~", "", "x.npz"] {
            assert_eq!(found(same).unwrap(), Path::new(same));
        }
        let refused = found("~nobody/x").unwrap_err().to_string();
        assert!(refused.starts_with("only ~ alone is expanded, not ~nobody: write the whole path"), "{refused}");
    }

    #[cfg(unix)]
    #[test]
    fn every_path_has_a_text_that_means_it() {
        use std::os::unix::ffi::OsStrExt;
        let raw = |bytes: &'static [u8]| Path::new(OsStr::from_bytes(bytes));
        for path in [raw(b"/caf\xe9/x.npz"), raw(b"/a b/100%"), raw(b"/new\nline\x01"), raw(b"/\xff%41"), raw(b"x/y")] {
            let text = written(path);
            assert!(!text.contains(char::is_control));
            assert_eq!(found(&text).unwrap(), path, "{text}");
        }
        assert_eq!(written(raw(b"/caf\xe9/x.npz")), "file:///caf%E9/x.npz");
        for (odd, text) in [("~/x", "./~/x"), ("file:x", "./file:x")] {
            assert_eq!(written(Path::new(odd)), text);
        }
        assert!(found(written(raw(b"caf\xe9"))).unwrap().is_absolute());
        assert_eq!(found("file://localhost/a%20b").unwrap(), Path::new("/a b"));
        for wrong in ["file:", "file:x", "file://host/x", "file:///%", "file:///%4", "file:///%zz", "file:///%00"] {
            assert!(found(wrong).unwrap_err().to_string().ends_with(wrong), "{wrong}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn data_may_be_named_by_any_bytes() {
        use std::os::unix::ffi::OsStringExt;
        let given = |bytes: &[u8]| assignment(OsString::from_vec(bytes.to_vec()));
        assert_eq!(given(b"seed=3").as_deref(), Some("seed=3"));
        assert_eq!(given(b"data.name=/caf\xe9").as_deref(), Some("data.name=file:///caf%E9"));
        assert_eq!((given(b"seed=\xe9"), given(b"\xe9=1"), given(b"\xe9")), (None, None, None));
    }
}

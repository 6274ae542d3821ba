//! The page as a file: HTML as it is, or printed to PDF by a browser of this machine, whose layout the page is made for.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use crate::error::{Error, Result};
use crate::whole_files::Writer;

/// Browsers that print without a window, as systems call them.
const BROWSERS: [&str; 10] = [
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "chrome",
    "microsoft-edge",
    "msedge",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge",
    "C:\\Program Files (x86)\\Microsoft\\Edge\\Application\\msedge.exe",
];
/// How long one may take.
const PATIENCE: Duration = Duration::from_secs(90);
/// Between two looks at whether it is done.
const LOOK: Duration = Duration::from_millis(50);

/// Whether a file is to be a PDF, by its ending.
pub fn is_pdf(file: &Path) -> bool {
    file.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("pdf"))
}

/// A file in a folder for the page about some images, which is not there yet, nor is an audit's folder beside it.
pub fn new_page(folder: &Path, images: &Path) -> PathBuf {
    let name = images.file_stem().map_or_else(|| "images".into(), |name| name.to_string_lossy().into_owned());
    let page = |i: usize| {
        let number = if i == 0 { String::new() } else { format!("-{}", i + 1) };
        folder.join(format!("{name}-report{number}.html"))
    };
    let is_free = |page: &PathBuf| !page.exists() && !page.with_extension("audit").exists();
    (0..1000).map(page).find(is_free).unwrap_or_else(|| page(0))
}

/// Writes a page to a file that ends in `.pdf`, or else as HTML.
///
/// # Errors
/// Returns an error if the file cannot be written, or no browser can print it; then nothing is written.
pub fn write(page: &str, file: &Path) -> Result<()> {
    if !is_pdf(file) {
        return Writer::default().write(file, page.as_bytes());
    }
    let folder = std::env::temp_dir().join(format!("cutlayer-print-{}", std::process::id()));
    fs::create_dir_all(&folder).map_err(Error::io("make the folder", &folder))?;
    let printed = printed(page, &folder, file);
    // What is left there is the system's to clear away.
    let _ = fs::remove_dir_all(&folder);
    Writer::default().write(file, &printed?)
}

/// The PDF's bytes.
fn printed(page: &str, folder: &Path, file: &Path) -> Result<Vec<u8>> {
    let (html, pdf) = (folder.join("page.html"), folder.join("page.pdf"));
    Writer::default().write(&html, page.as_bytes())?;
    let mut refused = None;
    for browser in BROWSERS {
        // In a container or for root a browser may refuse its own sandbox; the page has no script and asks nothing of a network.
        for more in [&[][..], &["--no-sandbox"]] {
            match print(browser, more, &html, &pdf, &folder.join("profile")) {
                Ok(status) if pdf.is_file() => {
                    tracing::debug!("{browser} printed the page: {status}");
                    return fs::read(&pdf).map_err(Error::io("read what was printed", &pdf));
                }
                Ok(status) => refused = Some(format!("{browser} printed nothing ({status})")),
                Err(error) if error.kind() == ErrorKind::NotFound => break,
                Err(error) => refused = Some(format!("{browser}: {error}")),
            }
        }
    }
    let why = refused.unwrap_or_else(|| "there is no browser here to print it".to_owned());
    Err(Error::input(format!(
        "{why}; install Chromium, or name the report .html and print it from any browser: {}",
        file.display()
    )))
}

/// Lets a browser print; one that takes too long is ended.
fn print(browser: &str, more: &[&str], html: &Path, pdf: &Path, profile: &Path) -> std::io::Result<ExitStatus> {
    let with = |key: &str, path: &Path| {
        let mut argument = std::ffi::OsString::from(key);
        argument.push(path);
        argument
    };
    let mut command = Command::new(browser);
    command.args(["--headless=new", "--disable-gpu", "--no-first-run", "--no-pdf-header-footer"]).args(more);
    command.arg(with("--user-data-dir=", profile)).arg(with("--print-to-pdf=", pdf)).arg(with("file://", html));
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(status);
        }
        if Instant::now() > deadline {
            child.kill()?;
            return child.wait();
        }
        std::thread::sleep(LOOK);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ending_says_what_a_file_is() {
        for (name, pdf) in [("a.pdf", true), ("a.PDF", true), ("a.html", false), ("pdf", false)] {
            assert_eq!(is_pdf(Path::new(name)), pdf, "{name}");
        }
    }

    #[test]
    fn a_new_page_takes_the_place_of_none() {
        let folder = tempfile::tempdir().unwrap();
        let page = || new_page(folder.path(), Path::new("/data/films"));
        assert_eq!(page(), folder.path().join("films-report.html"));
        write("", &page()).unwrap();
        fs::create_dir(folder.path().join("films-report-2.audit")).unwrap();
        assert_eq!(page(), folder.path().join("films-report-3.html"));
    }

    #[test]
    fn html_is_written_as_it_is_and_a_pdf_whole_or_not_at_all() {
        let folder = tempfile::tempdir().unwrap();
        let page = "<!DOCTYPE html><title>a</title><p>words";
        write(page, &folder.path().join("a.html")).unwrap();
        assert_eq!(fs::read_to_string(folder.path().join("a.html")).unwrap(), page);
        let pdf = folder.path().join("a.pdf");
        match write(page, &pdf) {
            Ok(()) => assert!(fs::read(&pdf).unwrap().starts_with(b"%PDF")),
            Err(error) => {
                let error = error.to_string();
                assert!(error.contains("Chromium") && error.ends_with("a.pdf") && !pdf.exists(), "{error}");
            }
        }
    }
}

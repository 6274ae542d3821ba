//! What the desktop does for the window: it shows a folder or a file, and tells that something is done.

use std::path::Path;
use std::process::{Command, Stdio};
use std::thread::Builder;
use std::time::{Duration, Instant};

use crate::error::{Error, Result};

/// What opens a folder.
#[cfg(windows)]
const OPENER: &str = "explorer";
#[cfg(target_os = "macos")]
const OPENER: &str = "open";
#[cfg(not(any(windows, target_os = "macos")))]
const OPENER: &str = "xdg-open";

/// How long an opener is waited for: some stay until the folder is closed again.
const PATIENCE: Duration = Duration::from_secs(5);

/// Shows a folder in the desktop's own program for that. May take seconds: not for the window's thread.
///
/// # Errors
/// Returns an error if there is no such folder or no such program, or it refuses; the path comes last.
pub fn open_folder(path: &Path) -> Result<()> {
    open_with(OPENER, path, "folder")
}

/// Shows a file in the desktop's own program for its kind, as a page in a browser; otherwise as [`open_folder`].
///
/// # Errors
/// As [`open_folder`].
pub fn open_file(path: &Path) -> Result<()> {
    open_with(OPENER, path, "file")
}

fn open_with(opener: &str, path: &Path, what: &str) -> Result<()> {
    let wrong = |why: &str| Error::input(format!("the {what} cannot be opened: {why}: {}", path.display()));
    if !path.exists() {
        return Err(wrong("it is not there any more"));
    }
    let mut child = quiet(Command::new(opener).arg(path))
        .spawn()
        .map_err(|e| wrong(&format!("there is no {opener} to do it ({e})")))?;
    let deadline = Instant::now() + PATIENCE;
    while Instant::now() < deadline {
        match child.try_wait() {
            // Windows' own answers 1 also where all is well.
            Ok(Some(status)) if status.success() || cfg!(windows) => return Ok(()),
            Ok(Some(status)) => return Err(wrong(&format!("{opener} refused ({status})"))),
            Ok(None) => std::thread::sleep(Duration::from_millis(20)),
            Err(e) => return Err(wrong(&e.to_string())),
        }
    }
    Ok(())
}

fn quiet(command: &mut Command) -> &mut Command {
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null())
}

/// Lets the desktop tell something, if it can; never waits. What goes wrong is only logged.
pub fn notify(title: &str, words: &str) {
    let mut command = notifier(title, words);
    let tell = move || match quiet(&mut command).status() {
        Ok(status) if status.success() => tracing::debug!("the desktop told that the run has ended"),
        Ok(status) => tracing::info!("the desktop did not tell that the run has ended: {status}"),
        Err(error) => tracing::info!("the desktop cannot tell that the run has ended: {error}"),
    };
    if let Err(error) = Builder::new().name("cutlayer-notify".to_owned()).spawn(tell) {
        tracing::info!("no thread to tell that the run has ended: {error}");
    }
}

#[cfg(not(any(windows, target_os = "macos")))]
fn notifier(title: &str, words: &str) -> Command {
    let mut command = Command::new("notify-send");
    command.args(["--app-name=Cutlayer", "--icon=cutlayer", "--", title, words]);
    command
}

#[cfg(target_os = "macos")]
fn notifier(title: &str, words: &str) -> Command {
    let mut command = Command::new("osascript");
    // As arguments: nothing in them is taken for the script's own.
    for line in ["on run argv", "display notification (item 2 of argv) with title (item 1 of argv)", "end run"] {
        command.args(["-e", line]);
    }
    command.args([title, words]);
    command
}

#[cfg(windows)]
fn notifier(title: &str, words: &str) -> Command {
    const SCRIPT: &str = "\
        $null = [Windows.UI.Notifications.ToastNotificationManager, Windows.UI.Notifications, ContentType = WindowsRuntime]; \
        $toast = [Windows.UI.Notifications.ToastNotificationManager]::GetTemplateContent(1); \
        $texts = $toast.GetElementsByTagName('text'); \
        $null = $texts.Item(0).AppendChild($toast.CreateTextNode($env:CUTLAYER_TITLE)); \
        $null = $texts.Item(1).AppendChild($toast.CreateTextNode($env:CUTLAYER_WORDS)); \
        [Windows.UI.Notifications.ToastNotificationManager]::CreateToastNotifier('Cutlayer').Show(\
        [Windows.UI.Notifications.ToastNotification]::new($toast))";
    let mut command = Command::new("powershell");
    // In the environment: nothing in them is taken for the script's own.
    command.env("CUTLAYER_TITLE", title).env("CUTLAYER_WORDS", words);
    command.args(["-NoProfile", "-NonInteractive", "-WindowStyle", "Hidden", "-Command", SCRIPT]);
    command
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_opened_is_told_with_its_path() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path();
        open_with("true", path, "folder").unwrap();
        for (opener, says) in [("false", "false refused"), ("no-such-opener", "there is no no-such-opener to do it")] {
            let error = open_with(opener, path, "folder").unwrap_err().to_string();
            assert!(error.contains(says) && error.ends_with(&path.display().to_string()), "{error}");
        }
        let error = open_with("true", &path.join("gone"), "file").unwrap_err().to_string();
        assert!(error.contains("not there any more") && error.ends_with("gone"), "{error}");
    }
}

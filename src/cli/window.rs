//! Opening the window, by whichever way to a display works.

#[cfg(feature = "gui")]
pub(super) use crate::app::Wanted;
use crate::error::Result;
use crate::experiment::Experiment;

/// What the window would open, if this build had one.
#[cfg(not(feature = "gui"))]
pub(super) enum Wanted {
    Path(std::path::PathBuf),
    Shared(String),
    Lesson(String),
}

/// Opens the window and returns when it is closed; why there is none, if there is no way to a display.
///
/// # Errors
/// Where a window that was open is lost.
#[cfg(feature = "gui")]
pub(super) fn open(experiment: Option<Experiment>, wanted: Option<Wanted>) -> Result<Option<String>> {
    use crate::app::{self, Opened};

    // Refused before there is a window, or none.
    wanted.as_ref().map_or(Ok(()), Wanted::check)?;
    let unix = cfg!(all(unix, not(target_os = "macos")));
    if unix && !is_set("DISPLAY") && !WAYLAND.into_iter().any(is_set) {
        return Ok(Some("There is no display for a window".to_owned()));
    }
    Ok(match app::open(experiment, wanted)? {
        Opened::Closed => None,
        Opened::NoDisplay(why) => Some(by_x11(format!("No window could be opened ({})", plainly(&why)))),
    })
}

/// Without the place in the sources where the error arose, and with what to do about a lack.
#[cfg(feature = "gui")]
fn plainly(why: &str) -> String {
    let said = why.rsplit_once(".rs:").and_then(|(_, after)| Some(after.split_once(": ")?.1)).unwrap_or(why);
    let remedy = if said.contains("shared librar") { "; README.md names the packages that a window wants" } else { "" };
    format!("{said}{remedy}")
}

/// # Errors
/// None: this build has no window to lose.
#[cfg(not(feature = "gui"))]
pub(super) fn open(_: Option<Experiment>, wanted: Option<Wanted>) -> Result<Option<String>> {
    // Looked at, so that both are of use in every build.
    let _ = wanted.map(|wanted| match wanted {
        Wanted::Path(path) => path.into_os_string(),
        Wanted::Shared(text) | Wanted::Lesson(text) => text.into(),
    });
    Ok(Some("This build has no window".to_owned()))
}

/// What says that there is Wayland.
#[cfg(feature = "gui")]
const WAYLAND: [&str; 2] = ["WAYLAND_DISPLAY", "WAYLAND_SOCKET"];

#[cfg(feature = "gui")]
fn is_set(name: &str) -> bool {
    std::env::var_os(name).is_some_and(|value| !value.is_empty())
}

/// Begins again without Wayland, where it was there only by name (left over from `ssh -X`, tmux or a snap) and X11 may
/// be there too. A process has one try at a display, so the program takes its own place. Gives back why not.
#[cfg(all(feature = "gui", unix, not(target_os = "macos")))]
fn by_x11(why: String) -> String {
    use std::os::unix::process::CommandExt;

    if !is_set("DISPLAY") || !WAYLAND.into_iter().any(is_set) {
        return why;
    }
    super::tell(&format!("{why}; trying X11."));
    let mut arguments = std::env::args_os();
    let Ok(program) = std::env::current_exe() else { return why };
    let mut again = std::process::Command::new(program);
    if let Some(name) = arguments.next() {
        again.arg0(name);
    }
    for name in WAYLAND {
        again.env_remove(name);
    }
    let error = again.args(arguments).exec();
    format!("{why}, and the program could not begin again for X11 ({error})")
}

#[cfg(all(feature = "gui", not(all(unix, not(target_os = "macos")))))]
fn by_x11(why: String) -> String {
    why
}

#[cfg(all(test, feature = "gui"))]
mod tests {
    use super::plainly;

    #[test]
    fn a_window_that_cannot_be_is_told_without_the_folders_of_the_builder() {
        let lack = "winit EventLoopError: os error at /home/me/winit/src/linux/mod.rs:788: Failed to load one of xlib's shared \
                    libraries";
        let told = "Failed to load one of xlib's shared libraries; README.md names the packages that a window wants";
        assert_eq!(plainly(lack), told);
        assert_eq!(plainly("no display: none"), "no display: none");
    }
}

use std::path::Path;
use std::process::Command;
use std::time::Instant;

use egui_kittest::Harness;
use egui_kittest::kittest::Queryable as _;

use super::*;
use crate::app::Act;
use crate::app::test_look::{Shop, picture};

/// A shell in the program's place, which says and does what an audit would.
#[cfg(unix)]
fn shell(script: &str) -> Work {
    let mut command = Command::new("sh");
    command.args(["-c", script]);
    Work::of(command, "/runs/page.html".into(), &Context::default()).unwrap()
}

#[cfg(unix)]
fn ended(work: Work) -> Result<PathBuf> {
    let until = Instant::now() + Duration::from_secs(30);
    while !work.has_ended() {
        assert!(Instant::now() < until, "it does not end");
        std::thread::sleep(Duration::from_millis(5));
    }
    work.end()
}

#[cfg(unix)]
#[test]
fn how_a_process_ends_is_how_the_audit_ends() {
    assert_eq!(ended(shell("echo training >&2")).unwrap(), Path::new("/runs/page.html"));
    let failed = "echo training: 1/10 >&2; echo 'cutlayer: no images' >&2; echo 'in: /a' >&2; exit 2";
    assert_eq!(ended(shell(failed)).unwrap_err().to_string(), "no images\nin: /a");
    assert!(ended(shell("exit 1")).unwrap_err().to_string().contains("without a word"));
}

#[cfg(unix)]
#[test]
fn one_that_is_stopped_sees_the_end_of_its_input() {
    let mut work = shell("read line; exit 1");
    work.stop();
    assert!(work.is_stopping());
    assert!(matches!(ended(work), Err(Error::Stopped)));
}

#[test]
fn the_dialog_says_what_lacks_and_begins_an_audit() {
    let folder = tempfile::tempdir().unwrap();
    let shop = Shop { runs: folder.path().to_owned(), ..Shop::default() };
    let mut harness = Harness::builder().with_size([800.0, 420.0]).build_ui_state(
        |ui, (view, acts): &mut (AuditView, Vec<Act>)| {
            audit_ui(ui.ctx(), shop.look(), view, acts);
        },
        (AuditView::default(), Vec::new()),
    );
    harness.run_steps(3);
    harness.get_by_label("Start the audit").click();
    harness.run_steps(3);
    harness.get_by_label("Name the folder or file of the images");
    picture(&mut harness, "audit-dialog");
    let images = folder.path().join("films");
    std::fs::create_dir(&images).unwrap();
    let path = images.display().to_string();
    // The field has the keyboard: whoever opens the dialog types at once.
    harness.event(eframe::egui::Event::Text(path));
    harness.run_steps(3);
    harness.get_by_label("Start the audit").click();
    harness.run_steps(3);
    let (_, acts) = harness.state();
    let [Act::Audit(AuditAct::Start { images: found, page })] = acts.as_slice() else { panic!("{acts:?}") };
    assert_eq!((found, page.file_name().unwrap().to_str().unwrap()), (&images, "films-report.html"));
    let page = page.clone();
    // Meanwhile it has begun; what is started again goes on with it.
    std::fs::create_dir_all(page.with_extension("audit")).unwrap();
    harness.get_by_label("Start the audit").click();
    harness.run_steps(3);
    let (_, acts) = harness.state();
    let Some(Act::Audit(AuditAct::Start { page: again, .. })) = acts.last() else { panic!("{acts:?}") };
    assert_eq!((acts.len(), again), (2, &page));
}

//! Diagnoses of a finished run, manipulated and kept.

use std::cell::Cell;
use std::path::Path;

use super::*;
use crate::experiment::Experiment;
use crate::experiment::fixture::DEFENDED;
use crate::run::event::stream;
use crate::run::launch::Means;
use crate::run::session::Session;
use crate::run::worker::{Outcome, Worker};
use crate::workbench::ADVERSARIAL;

/// A small run that is finished.
fn run(path: &Path) {
    let mut experiment = Experiment::preset("quick").unwrap();
    for assignment in ["attack=[]", "data.train=128", "data.test=60", "train.epochs=2"] {
        experiment.set(assignment).unwrap();
    }
    let path = path.to_owned();
    let worker = Worker::start(move |sink| {
        let prepared = Prepared::new(experiment)?;
        let recorder = prepared.begin(&path, false)?;
        Session::new(prepared, Some(recorder), sink)
    });
    assert!(matches!(worker.unwrap().join(|_| {}), Outcome::Done(_)));
}

fn ordered(names: &[&str], set: &[&str], forms: [bool; 2]) -> Ordered {
    let kinds: Vec<_> = ADVERSARIAL.into_iter().filter(|kind| names.contains(&kind.id)).collect();
    let set: Vec<String> = set.iter().map(|one| (*one).to_owned()).collect();
    Ordered { images: 20, ..Ordered::new(&kinds, Means::Default, &set, forms).unwrap() }
}

fn launch(path: &Path, ordered: &Ordered, stop: impl Fn() -> bool) -> Result<Vec<DiagnosisRow>> {
    let (sink, _events, _slots) = stream();
    manipulated(RunFolder::open(path)?, ordered, &DataChoice::default(), sink, stop)
}

#[test]
fn every_attack_in_every_form_at_every_stream_is_measured_and_kept() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run");
    run(&path);
    let all = ["fgsm", "pgd", "jsma", "pgd-z"];
    let rows = launch(&path, &ordered(&all, &["steps=3", "rounds=2"], [false; 2]), || false).unwrap();
    // Of the defended model four streams naive, adaptive and, of images, carried over; of its twin one.
    assert_eq!(rows.len(), 3 * (4 * 3 + 1) + 4 * 2 + 1);
    for row in &rows {
        assert_eq!(row.images, 20);
        assert!(row.attacked_ci[0] <= row.attacked_accuracy && row.attacked_accuracy <= row.attacked_ci[1]);
        assert!(!row.budget.is_empty() && row.epsilon > 0.0);
    }
    let carried: Vec<_> = rows.iter().filter(|row| row.crafted_at != row.target).collect();
    assert!(carried.iter().all(|row| !row.adaptive && row.target == DEFENDED && row.attack != "pgd-z"));
    assert_eq!(earlier(&path).unwrap(), rows);
    // The same again takes the same rows' place, another budget stands beside them.
    let again = launch(&path, &ordered(&["pgd"], &["steps=3"], [false, true]), || false).unwrap();
    assert!(again.iter().all(|row| row.adaptive == (row.target == DEFENDED)));
    let times =
        |rows: &[DiagnosisRow]| rows.iter().map(|row| DiagnosisRow { seconds: 0.0, ..row.clone() }).collect::<Vec<_>>();
    let same = |row: &&DiagnosisRow| row.attack == "pgd" && row.adaptive;
    let before: Vec<DiagnosisRow> = rows.iter().filter(same).cloned().collect();
    let after: Vec<DiagnosisRow> = again.iter().filter(same).cloned().collect();
    assert_eq!(times(&before), times(&after), "to the bit");
    assert_eq!(earlier(&path).unwrap().len(), rows.len());
    launch(&path, &ordered(&["pgd"], &["pgd.steps=4"], [false, true]), || false).unwrap();
    assert_eq!(earlier(&path).unwrap().len(), rows.len() + 5);
}

#[test]
fn without_room_no_diagnosis_flips() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run");
    run(&path);
    let none = ["epsilon=0", "gamma=0", "steps=2", "rounds=2"];
    let rows = launch(&path, &ordered(&["fgsm", "pgd", "jsma", "pgd-z"], &none, [false; 2]), || false).unwrap();
    assert!(rows.iter().all(|row| row.flip_rate == 0.0 && row.attacked_accuracy == row.clean_accuracy), "{rows:?}");
}

#[test]
fn what_was_finished_is_kept_when_it_is_stopped() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run");
    run(&path);
    let looked = Cell::new(0);
    let stop = || {
        looked.set(looked.get() + 1);
        path.join(DIAGNOSIS).exists()
    };
    let stopped = launch(&path, &ordered(&["fgsm", "pgd"], &[], [false; 2]), stop);
    assert!(matches!(stopped, Err(Error::Stopped)) && looked.get() > 1);
    let kept = earlier(&path).unwrap();
    assert!(!kept.is_empty() && kept.iter().all(|row| row.attack == "fgsm"));
    for (wrong, told) in [
        (Ordered { images: 0, ..ordered(&["fgsm"], &[], [false; 2]) }, "at least one image"),
        (Ordered { attacks: Vec::new(), ..ordered(&["fgsm"], &[], [false; 2]) }, "no defence"),
    ] {
        let error = launch(&path, &wrong, || false).unwrap_err().to_string();
        assert!(error.contains(told), "{error}");
    }
    let error = {
        let (kind, set) = (&crate::attack::adversarial::fgsm::KIND, ["gamma=1".to_owned()]);
        Ordered::new(&[kind], Means::Default, &set, [false; 2])
    };
    assert!(error.unwrap_err().to_string().contains("none of the attacks has this setting"));
    Writer::default().write(&path.join(DIAGNOSIS), b"{").unwrap();
    assert!(earlier(&path).unwrap_err().to_string().starts_with("damaged"));
}

//! Same experiment, same seed: same bytes.

use crate::common::{assert_same_run, file, finished, quick, scratch};

#[test]
fn the_same_seed_gives_the_same_bytes() {
    let folder = scratch();
    assert_same_run(finished(), &quick(folder.path(), "again", &[]));
}

#[test]
fn another_seed_gives_other_numbers() {
    let folder = scratch();
    let other = quick(folder.path(), "other", &["--seed", "1", "--set", "attack=[]"]);
    assert_ne!(file(finished(), "metrics.csv"), file(&other, "metrics.csv"));
}

#[test]
fn the_number_of_threads_does_not_matter() {
    let folder = scratch();
    for threads in ["1", "2", "4"] {
        let run = quick(folder.path(), threads, &["--threads", threads, "--set", "attack=[]"]);
        assert!(file(finished(), "metrics.csv") == file(&run, "metrics.csv"), "{threads} threads");
    }
}

#[test]
fn attacks_leave_the_training_alone() {
    let folder = scratch();
    let run = quick(folder.path(), "unattacked", &["--set", "attack=[]"]);
    assert!(file(finished(), "metrics.csv") == file(&run, "metrics.csv"));
}

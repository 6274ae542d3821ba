//! What is counted, and that a bundle which was changed is refused.

use std::fs;
use std::path::Path;

use super::*;
use crate::data::numpy::{Array, npz};
use crate::experiment::Experiment;
use crate::score::image::score;
use crate::score::record::{Each, Judged, Lead};
use crate::workbench;

/// A suite stays what it is: whoever changes a number has to make another one.
#[test]
fn the_suites_are_frozen_and_say_every_setting() {
    let document = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/audit.md")).unwrap();
    for (number, text) in SUITES {
        let hash = blake3::hash(text.as_bytes()).to_hex();
        let told = format!("suite {number} has the BLAKE3 hash `{hash}`");
        assert!(document.contains(&told), "docs/audit.md lacks: {told}");
        let suite = Suite::of(number).unwrap();
        assert_eq!(suite.suite, number);
        for part in &suite.attacks {
            let kind = workbench::attack(&part.name).unwrap();
            for setting in kind.settings {
                assert!(part.set.contains_key(setting.key), "{} lacks {}", part.name, setting.key);
            }
        }
    }
    // Suite 1 is older than the rehearsal, whose default is another.
    let first = Suite::of(1).unwrap();
    let rmle = first.attacks.iter().find(|part| part.name == "rmle").unwrap();
    assert_eq!(rmle.set["rehearse"].as_bool(), Some(false));
    assert!(Suite::of(99).unwrap_err().to_string().contains("there is no suite 99"));
}

fn record(name: &str, adaptive: bool, ssim: [f64; 4], picked: [f64; 4]) -> AttackRecord {
    let each = Each { ssim: ssim.to_vec(), picked: picked.map(Some).to_vec(), patients: None };
    let lead = Some(Lead { of: "lineup".to_owned(), ..Lead::default() });
    AttackRecord {
        name: name.to_owned(),
        adaptive,
        target: "dropout".to_owned(),
        epoch: 1,
        images: 4,
        iterations: 9,
        ssim: ssim.iter().sum::<f64>() / 4.0,
        lineup: Some(25.0 * picked.iter().sum::<f64>()),
        judged: Some(Judged { each, lead, ..Judged::default() }),
        ..AttackRecord::default()
    }
}

#[test]
fn seeds_are_taken_together_and_the_rehearsal_chooses() {
    let suite = Suite::of(1).unwrap();
    let records = [
        record("rmle", false, [0.2, 0.4, 0.2, 0.4], [1.0, 0.0, 0.0, 0.0]),
        record("rmle", false, [0.4, 0.6, 0.4, 0.6], [1.0, 1.0, 0.0, 0.0]),
        record("inverse", true, [0.9, 0.1, 0.1, 0.1], [1.0, 1.0, 1.0, 0.0]),
    ];
    // The truth would choose the inverse network; the rehearsal says otherwise.
    let rehearsal = [
        record("rmle", false, [0.5; 4], [1.0, 1.0, 1.0, 1.0]),
        record("inverse", true, [0.5; 4], [0.0, 0.0, 1.0, 1.0]),
    ];
    let guess = AttackRecord {
        iterations: 0,
        judged: Some(Judged { tries: vec![0.1, 0.2, 0.3], ..Judged::default() }),
        ..record("class_image", false, [0.1; 4], [0.0, 0.0, 0.0, 1.0])
    };
    let models = counted(&suite, &records, &rehearsal, &[guess], &["fsha".to_owned()]);
    let [audited] = models.as_slice() else { panic!("{models:?}") };
    let choice = &audited.attacks[audited.chosen];
    assert_eq!((choice.name.as_str(), choice.adaptive, choice.by_seed.len()), ("rmle", false, 2));
    assert_eq!(choice.lineup.unwrap().mean, 37.5);
    assert!((choice.ssim.mean - 0.4).abs() < 1e-12);
    assert_eq!(audited.floor_lineup, Some(25.0));
    assert!((audited.bound - (0.9 + 0.6 + 0.4 + 0.6) / 4.0).abs() < 1e-12);
    assert_eq!(audited.bound_floor, Some(0.2));
    assert_eq!(
        audited.line,
        "suite 1 at dropout: same-class line-up 37.5 ± 23.9 % by naive rmle, SSIM 0.400 ± 0.058; from the label alone 25.0 %, \
         SSIM 0.100; by chance 12.5 %; upper bound SSIM 0.625 (of as many guesses 0.200); not covered: fsha"
    );
}

#[expect(clippy::disallowed_methods, reason = "a test's file need not be atomic")]
fn write(path: impl AsRef<Path>, bytes: impl AsRef<[u8]>) -> std::io::Result<()> {
    fs::write(path, bytes)
}

/// A finished run of which nothing is real but its files' names.
fn run(path: &Path) {
    fs::create_dir_all(path).unwrap();
    write(path.join("experiment.toml"), Experiment::preset("quick").unwrap().to_toml()).unwrap();
    write(path.join("summary.json"), "{}").unwrap();
    write(path.join("checkpoint.safetensors"), [7; 99]).unwrap();
}

/// Its attacks, two images of 12×12 each; scores that are `off` from those of the images.
fn attacked(copy: &Path, off: f64) -> Vec<AttackRecord> {
    let truth: Vec<f32> = (0..288).map(|i| (i % 17) as f32 / 17.0).collect();
    let got: Vec<f32> = truth.iter().map(|v| 0.5 * v + 0.2).collect();
    let scores = [0, 1].map(|i| score(&got[144 * i..144 * (i + 1)], &truth[144 * i..144 * (i + 1)], [1, 12, 12]));
    let arrays = [
        Array::f32("reconstructions", &[2, 1, 12, 12], got),
        Array::f32("images", &[2, 1, 12, 12], truth),
        Array::f64("mse", scores.iter().map(|score| score.mse).collect()),
        Array::f64("ssim", scores.iter().map(|score| score.ssim + off).collect()),
    ];
    fs::create_dir_all(copy.join("attacks")).unwrap();
    write(copy.join("attacks/one.npz"), npz(&arrays).unwrap()).unwrap();
    let records = vec![record("rmle", false, [0.2, 0.4, 0.2, 0.4], [1.0, 0.0, 0.0, 0.0])];
    write(copy.join("attacks.json"), serde_json::to_vec(&records).unwrap()).unwrap();
    records
}

fn made(folder: &Path, off: f64) -> Audit {
    let mut course = Course::open(&folder.join("audit"), 1, Vec::new()).unwrap();
    let copy = copied_run(&folder.join("original"), &mut course).unwrap();
    let records = attacked(&copy, off);
    let models = counted(&Suite::of(1).unwrap(), &records, &[], &[], &[]);
    let audit = Audit {
        suite: 1,
        program: "0".to_owned(),
        targets: 4,
        models,
        not_covered: Vec::new(),
        rehearsal: Vec::new(),
        floors: Vec::new(),
        files: BTreeMap::new(),
        seal: String::new(),
    };
    sealed(&folder.join("audit"), audit).unwrap()
}

#[test]
fn a_changed_byte_a_missing_file_and_one_too_many_are_named() {
    let folder = tempfile::tempdir().unwrap();
    run(&folder.path().join("original"));
    let (audit, place) = (made(folder.path(), 0.0), folder.path().join("audit"));
    assert_eq!(verified(&place).unwrap().models, audit.models);
    assert_eq!(audit.files.len(), 5);
    let refused = |told: &str| {
        let error = verified(&place).unwrap_err().to_string();
        assert!(error.contains(told), "{error}");
    };
    for name in audit.files.keys().map(String::as_str).chain([AUDIT]) {
        let file = place.join(name);
        let whole = fs::read(&file).unwrap();
        for at in [0, whole.len() / 2, whole.len() - 2] {
            let mut changed = whole.clone();
            changed[at] ^= 1;
            write(&file, changed).unwrap();
            refused(Path::new(name).file_name().unwrap().to_str().unwrap());
        }
        fs::remove_file(&file).unwrap();
        refused(Path::new(name).file_name().unwrap().to_str().unwrap());
        write(&file, whole).unwrap();
    }
    write(place.join("run/more.txt"), "x").unwrap();
    refused("more.txt");
    fs::remove_file(place.join("run/more.txt")).unwrap();
    verified(&place).unwrap();
    // How far it was is none of its files.
    assert!(Course::open(&place, 1, Vec::new()).unwrap().is_sealed());
}

#[test]
fn scores_that_are_not_those_of_the_images_are_refused_though_every_hash_fits() {
    let folder = tempfile::tempdir().unwrap();
    run(&folder.path().join("original"));
    made(folder.path(), 0.01);
    let error = verified(&folder.path().join("audit")).unwrap_err().to_string();
    assert!(error.contains("the ssim of image 0") && error.contains("one.npz"), "{error}");
}

#[test]
fn words_that_are_not_those_of_the_scores_are_refused_though_every_hash_fits() {
    let folder = tempfile::tempdir().unwrap();
    run(&folder.path().join("original"));
    let mut audit = made(folder.path(), 0.0);
    audit.models[0].line = "suite 1: nothing leaks".to_owned();
    sealed(&folder.path().join("audit"), audit).unwrap();
    let error = verified(&folder.path().join("audit")).unwrap_err().to_string();
    assert!(error.contains("not those of its scores"), "{error}");
}

#[test]
fn an_unfinished_run_is_not_audited() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("original");
    run(&path);
    fs::remove_file(path.join("summary.json")).unwrap();
    let mut course = Course::open(&folder.path().join("audit"), 1, Vec::new()).unwrap();
    let error = copied_run(&path, &mut course).unwrap_err().to_string();
    assert!(error.contains("not finished") && !folder.path().join("audit").exists(), "{error}");
}

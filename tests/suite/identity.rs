//! A run and its data: known again wherever they are, refused where they are others, not missed where none are needed.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use crate::common::{call, copy_run, file, finished, program, scratch, succeed};
use cutlayer::data::{Catalogue, Draw, Wanted};
use cutlayer::experiment::Experiment;
use cutlayer::run::weights::Weights;
use cutlayer::run::whole_files::Writer;
use cutlayer::workbench::load;
use serde_json::Value;

fn text(path: &Path) -> &str {
    path.to_str().expect("a path of plain letters")
}

/// One part of a small set: images of 28 × 28 with a bar for their class, and their classes.
#[derive(Clone)]
struct Part {
    images: Vec<Vec<u8>>,
    labels: Vec<u8>,
}

impl Part {
    fn new(n: usize) -> Self {
        let labels: Vec<u8> = (0..n).map(|i| (i % 4) as u8).collect();
        let image = |(i, class): (usize, &u8)| {
            let (top, bar) = (2 + 6 * usize::from(*class), |y: usize, top: usize| (top..top + 6).contains(&y));
            (0..784)
                .map(|at| if bar(at / 28, top) { 200 + (i % 50) as u8 } else { (at * (i + 3) % 41) as u8 })
                .collect()
        };
        Self { images: labels.iter().enumerate().map(image).collect(), labels }
    }
}

/// A folder of IDX files.
fn put(folder: &Path, train: &Part, test: &Part) {
    std::fs::create_dir_all(folder).unwrap();
    let write = |name: &str, sizes: &[usize], data: &[u8]| {
        let mut bytes = vec![0, 0, 8, sizes.len() as u8];
        bytes.extend(sizes.iter().flat_map(|size| (*size as u32).to_be_bytes()));
        bytes.extend_from_slice(data);
        Writer::default().write(&folder.join(name), &bytes).unwrap();
    };
    for (name, part) in [("train", train), ("t10k", test)] {
        write(&format!("{name}-images-idx3-ubyte"), &[part.images.len(), 28, 28], &part.images.concat());
        write(&format!("{name}-labels-idx1-ubyte"), &[part.labels.len()], &part.labels);
    }
}

/// A small run on data of its own: 80 training images, 24 test images.
const SMALL: [&str; 8] = [
    "data.aux=0.2",
    "data.train=0",
    "model.name=lenet5",
    "model.cut=2",
    "psgl.enabled=false",
    "train.epochs=1",
    "evaluate.mu_images=2",
    "attack=[{ name = \"rmle\", images = 2, iterations = 3, early = [] }]",
];

fn arguments<'a>(data: &'a str, out: &'a str, more: &[&'a str]) -> Vec<String> {
    let mut all: Vec<String> = ["run", "quick", "--out", out].map(str::to_owned).to_vec();
    let name = format!("data.name={data}");
    let settings = SMALL.iter().copied().chain(more.iter().copied()).chain([name.as_str()]);
    all.extend(settings.flat_map(|setting| ["--set".to_owned(), setting.to_owned()]));
    all
}

/// `folder/x`, the data, and `folder/run`, a run on them.
fn own_run(folder: &Path) -> (PathBuf, PathBuf) {
    let (data, run) = (folder.join("x"), folder.join("run"));
    put(&data, &Part::new(80), &Part::new(24));
    succeed(arguments(text(&data), text(&run), &[]));
    (data, run)
}

fn attack<'a>(run: &'a Path, more: &[&'a str]) -> Vec<&'a str> {
    ["attack", text(run), "--with", "rmle", "--images", "2"].iter().chain(more).copied().collect()
}

/// The program must refuse; its message.
#[track_caller]
fn refused<S: AsRef<std::ffi::OsStr>>(arguments: impl IntoIterator<Item = S>) -> String {
    let output = call(arguments);
    let message = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{message}");
    assert!(message.starts_with("cutlayer: ") && message.lines().count() == 1, "{message}");
    message
}

/// As if it had been stopped just before its end.
fn unfinish(run: &Path) {
    std::fs::remove_file(run.join("summary.json")).unwrap();
}

#[test]
fn other_images_are_refused_with_what_differs_and_taken_where_insisted_on() {
    let folder = scratch();
    let (data, run) = own_run(folder.path());
    let (train, test) = (Part::new(80), Part::new(24));
    succeed(attack(&run, &[]));
    let kept = file(&run, "data.json");
    let mut pixels = test.clone();
    pixels.images[5][400] ^= 1;
    let mut labels = test.clone();
    labels.labels.swap(2, 3);
    let mut order = train.clone();
    order.images.swap(0, 4);
    let mut class = train.clone();
    class.labels[7] = 4;
    for (train, test, words) in [
        (&train, &pixels, "the test images differ"),
        (&train, &labels, "the labels of the test images differ"),
        (&order, &test, "the training images are in another order"),
        (&Part::new(79), &test, "there were 80 training images and are 79"),
        (&class, &test, "there were 4 classes and are 5"),
    ] {
        put(&data, train, test);
        let message = refused(attack(&run, &[]));
        for words in ["these are not the images of this run: ", words, "--other-data", text(&data)] {
            assert!(message.contains(words), "no {words:?} in {message}");
        }
        unfinish(&run);
        assert_eq!(refused(["run", "--resume", text(&run)]), message, "resume says the same");
        Writer::default().write(&run.join("summary.json"), b"{}").unwrap();
    }
    put(&data, &train, &pixels);
    succeed(attack(&run, &["--other-data"]));
    unfinish(&run);
    let output = call(["run", "--resume", text(&run), "--other-data"]);
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success() && told.contains("Warning: these are not the images of this run"), "{told}");
    assert!(file(&run, "data.json") == kept, "the run is known by what it began with");
    put(&data, &train, &test);
    succeed(attack(&run, &[]));
}

#[test]
fn a_run_that_had_begun_on_more_test_images_does_not_end_on_fewer() {
    let folder = scratch();
    let (data, run) = (folder.path().join("x"), folder.path().join("run"));
    put(&data, &Part::new(80), &Part::new(24));
    let inverse = "attack=[{ name = \"inverse\", images = 2, epochs = 1, early = [] }]";
    succeed(arguments(text(&data), text(&run), &[inverse]));
    put(&data, &Part::new(80), &Part::new(20));
    unfinish(&run);
    let message = refused(["run", "--resume", text(&run), "--other-data"]);
    assert!(message.contains("24 test images, and now there are 20"), "{message}");
}

#[test]
fn the_data_are_found_from_every_folder_and_may_move_when_told() {
    let folder = scratch();
    let (here, there) = (folder.path().join("here"), folder.path().join("there"));
    std::fs::create_dir(&there).unwrap();
    put(&here.join("x"), &Part::new(80), &Part::new(24));
    let output = program(arguments("./x", "run", &[])).current_dir(&here).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let run = here.join("run");
    let kept = Experiment::load(text(&run.join("experiment.toml"))).unwrap();
    assert!(Path::new(&kept.data.name).is_absolute() && Path::new(&kept.data.name).ends_with("x"), "{kept:?}");
    let from_there = program(attack(&run, &[])).current_dir(&there).output().unwrap();
    assert!(from_there.status.success(), "{}", String::from_utf8_lossy(&from_there.stderr));
    // A run may move, and so may its data.
    let moved = there.join("moved");
    std::fs::rename(&run, &moved).unwrap();
    succeed(attack(&moved, &[]));
    std::fs::rename(here.join("x"), there.join("y")).unwrap();
    let message = refused(attack(&moved, &[]));
    assert!(message.contains("not where they were") && message.contains("--data"), "{message}");
    succeed(attack(&moved, &["--data", text(&there.join("y"))]));
    // They are known by what they hold.
    put(&there.join("z"), &Part::new(80), &Part::new(23));
    let message = refused(attack(&moved, &["--data", text(&there.join("z"))]));
    assert!(message.contains("there were 24 test images and are 23"), "{message}");
}

#[test]
fn without_its_images_a_run_is_shown_exported_opened_and_renamed() {
    let folder = scratch();
    let (data, run) = own_run(folder.path());
    let table = succeed(["show", text(&run)]);
    std::fs::remove_dir_all(&data).unwrap();
    let out = folder.path().join("torch");
    succeed(["export", text(&run), "--torch", text(&out)]);
    assert!(out.join("client.safetensors").is_file());
    assert_eq!(succeed(["show", text(&run)]), table);
    let (experiment, weights, _) = Weights::of_run(&run).unwrap();
    assert_eq!((experiment.data.draw, weights.models.len()), (Draw::Balanced, 1));
    let renamed = folder.path().join("renamed");
    std::fs::rename(&run, &renamed).unwrap();
    assert_eq!(succeed(["show", text(&renamed)]), table);
}

#[test]
fn what_a_run_keeps_of_its_data_is_written_once_and_replaced_with_it() {
    let folder = scratch();
    let (data, run) = own_run(folder.path());
    let catalogue = Catalogue::from_json(&String::from_utf8(file(&run, "data.json")).unwrap()).unwrap();
    assert_eq!(catalogue, Catalogue::of(&load(text(&data), &Wanted::default()).unwrap()).unwrap());
    assert_eq!((catalogue.shape, catalogue.train.images, catalogue.test.images), ([1, 28, 28], 80, 24));
    assert_eq!((catalogue.classes.len(), catalogue.test.class_counts), (4, vec![6; 4]));
    // A run from before runs kept anything goes on, whatever its data are now.
    std::fs::remove_file(run.join("data.json")).unwrap();
    put(&data, &Part::new(80), &Part::new(20));
    succeed(attack(&run, &[]));
    assert!(!run.join("data.json").exists(), "nobody knows what it began with");
    // Another run in its place is on other data.
    put(&data, &Part::new(60), &Part::new(20));
    let again = arguments(text(&data), text(&run), &[]).into_iter().chain(["--force".to_owned()]);
    succeed(again);
    let catalogue = Catalogue::from_json(&String::from_utf8(file(&run, "data.json")).unwrap()).unwrap();
    assert_eq!(catalogue.train.images, 60);
    // What is damaged says so.
    Writer::default().write(&run.join("data.json"), b"{").unwrap();
    let message = refused(attack(&run, &[]));
    assert!(message.contains("damaged: ") && message.contains(text(&run.join("data.json"))), "{message}");
}

#[test]
fn options_for_a_run_that_was_made_are_not_for_a_new_one() {
    for more in [["--data", "./x"].as_slice(), &["--other-data"]] {
        let message = refused(["run", "quick"].iter().chain(more));
        assert!(message.contains("--resume") && message.contains("--set data.name="), "{message}");
    }
}

// --- what a run needs is asked for before its first step -------------------------------------------

#[test]
fn auxiliary_images_for_every_attack_are_asked_for_before_the_first_step() {
    let folder = scratch();
    let data = folder.path().join("x");
    put(&data, &Part::new(20), &Part::new(24));
    let (psgl, twenty) = ("psgl.enabled=true", "data.aux=0.01 of 20");
    let inverse = "attack=[{ name = \"inverse\", images = 2, epochs = 1, early = [] }]";
    for (n, more, words) in [
        (20, vec!["data.aux=0.01"], ["attack.rmle: ", "of 20 training images gives 0; set data.aux to 0.025 or more"]),
        (20, vec!["data.aux=0.01", psgl], ["attack.rmle: to imitate the defence", "set data.aux to 0.025 or more"]),
        (64, vec!["data.aux=0.01", inverse], ["attack.inverse: ", "gives 1; set data.aux to 0.024 or more"]),
        (2, vec!["data.aux=0.5", inverse], ["attack.inverse: ", "the set is too small for it"]),
    ] {
        put(&data, &Part::new(n), &Part::new(24));
        let run = folder.path().join("run");
        let message = refused(arguments(text(&data), text(&run), &more));
        for words in words {
            assert!(message.contains(words), "{twenty}: no {words:?} in {message}");
        }
        assert!(!run.exists(), "nothing is begun");
    }
    // What is advised is enough.
    put(&data, &Part::new(64), &Part::new(24));
    succeed(arguments(text(&data), text(&folder.path().join("enough")), &["data.aux=0.024", inverse]));
    put(&data, &Part::new(20), &Part::new(24));
    succeed(arguments(text(&data), text(&folder.path().join("rmle")), &["data.aux=0.025"]));
    // Without attacks nobody needs any.
    succeed(arguments(text(&data), text(&folder.path().join("none")), &["data.aux=0.01", "attack=[]"]));
}

/// Runs a script in a mount namespace of its own, where the machine allows one.
#[cfg(target_os = "linux")]
fn on_a_disk_of(size: &str, folder: &Path, script: &str) -> Option<std::process::Output> {
    let script = format!("mount -t tmpfs -o size={size} none {} && {{ {script}; }}", text(folder));
    let mut trial = std::process::Command::new("unshare");
    let allowed = trial.args(["-rm", "mount", "-t", "tmpfs", "none"]).arg(folder).status();
    let allowed = allowed.is_ok_and(|status| status.success());
    allowed.then(|| {
        let mut command = std::process::Command::new("unshare");
        command.args(["-rm", "sh", "-c", &script]).env_remove("DISPLAY").env_remove("WAYLAND_DISPLAY");
        command.env("BIN", env!("CARGO_BIN_EXE_cutlayer")).output().unwrap()
    })
}

#[cfg(target_os = "linux")]
#[test]
fn a_disk_without_room_is_told_before_the_first_step() {
    let folder = scratch();
    let disk = folder.path().join("disk");
    std::fs::create_dir(&disk).unwrap();
    let script = format!("\"$BIN\" run quick --out {0}/run; code=$?; ls -A {0} >&2; exit $code", text(&disk));
    let Some(output) = on_a_disk_of("300k", &disk, &script) else {
        return println!("skipped: no namespaces on this machine");
    };
    let message = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{message}");
    assert!(message.contains("less room than the run may take") && message.contains("/run\n"), "{message}");
    assert_eq!(message.lines().count(), 1, "nothing is left there: {message}");
    let output = on_a_disk_of("20m", &disk, &script).unwrap();
    let message = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success() && message.ends_with("\nrun\n"), "{message}");
}

#[cfg(unix)]
#[test]
fn a_folder_that_cannot_be_written_is_told_before_an_attack() {
    let folder = scratch();
    let run = folder.path().join("run");
    copy_run(finished(), &run);
    std::fs::remove_dir_all(run.join("images")).unwrap();
    std::fs::File::options().write(true).create_new(true).open(run.join("images")).unwrap().write_all(b"x").unwrap();
    let message = refused(["attack", text(&run), "--with", "rmle", "--images", "2"]);
    assert!(message.contains("the folder cannot be written: ") && message.contains("images"), "{message}");
}

// --- test images -----------------------------------------------------------------------------------

#[test]
fn of_a_sorted_set_a_fair_sample_is_taken_or_its_unfairness_told() {
    let folder = scratch();
    let data = folder.path().join("x");
    let mut sorted = Part::new(80);
    let mut all: Vec<_> = sorted.labels.iter().copied().zip(sorted.images.drain(..)).collect();
    all.sort_by_key(|(label, _)| *label);
    (sorted.labels, sorted.images) = all.into_iter().unzip();
    put(&data, &Part::new(80), &sorted);
    let majority = |run: &Path| {
        let summary: Value = serde_json::from_slice(&file(run, "summary.json")).unwrap();
        summary["rows"][0]["majority"].as_f64().unwrap()
    };
    let (fair, first) = (folder.path().join("fair"), folder.path().join("first"));
    let output = call(arguments(text(&data), text(&fair), &["data.test=16"]));
    assert!(!String::from_utf8(output.stderr).unwrap().contains("fair sample"));
    assert_eq!(majority(&fair), 25.0);
    // A file from before there was a choice means what it always meant; what is wrong with that is said.
    let toml = String::from_utf8(file(&fair, "experiment.toml")).unwrap();
    let toml = toml.replace("schema = 9\n", "schema = 1\n").replace("draw = \"balanced\"\n", "");
    let document = folder.path().join("old.toml");
    Writer::default().write(&document, toml.as_bytes()).unwrap();
    let output = call(["run", text(&document), "--out", text(&first)]);
    let told = String::from_utf8(output.stderr).unwrap();
    assert_eq!(majority(&first), 100.0);
    let wanted = "Warning: data.test = 16: the first test images are no fair sample of all 80: 16 are of class \"0\"";
    assert!(told.contains(wanted) && told.contains("data.draw = \"balanced\""), "{told}");
    // Training does not depend on what is tested.
    assert!(file(&fair, "metrics.csv") == file(&first, "metrics.csv"));
}

//! Data of one's own, from file to result: images that stay on disk, pixels of more than eight bits, and which images are
//! of one patient.

use std::collections::BTreeMap;
use std::io::{Cursor, Write as _};
use std::path::{Path, PathBuf};

use crate::common::{assert_same_run, call, copy_run, file, names, program, scratch, succeed};
use candle_core::{DType, Device, Tensor};
use cutlayer::data::{Part, built_in};
use cutlayer::run::whole_files::Writer;
use serde_json::Value;
use zip::CompressionMethod;
use zip::write::{SimpleFileOptions, ZipWriter};

/// The variable that says from how many bytes on an array stays on disk.
const STREAM_FROM: &str = "CUTLAYER_STREAM_FROM";

fn text(path: &Path) -> &str {
    path.to_str().expect("a path of plain letters")
}

/// A member of an `.npz` file: type, sides, content.
type Member<'a> = (&'a str, &'a str, &'a [usize], Vec<u8>);

/// Writes an `.npz` file, not packed: its images can stay where they are.
fn npz(path: &Path, members: &[Member<'_>]) {
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, descr, shape, data) in members {
        let sides = shape.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        let header = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': ({sides},), }}\n");
        let options = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
        archive.start_file(format!("{name}.npy"), options).unwrap();
        let length = (header.len() as u16).to_le_bytes();
        archive.write_all(&[b"\x93NUMPY\x01\x00", &length[..], header.as_bytes(), data].concat()).unwrap();
    }
    Writer::default().write(path, &archive.finish().unwrap().into_inner()).unwrap();
}

/// The first `n` digits of a part: their pixels and their classes.
fn digits(part: &Part, n: usize) -> (Vec<u8>, Vec<u8>) {
    let pixels = (0..n).flat_map(|i| part.image(i).unwrap().into_owned()).collect();
    (pixels, part.labels()[..n].iter().map(|label| *label as u8).collect())
}

/// A set of digits, pixels made by `make` of a byte and its place, and more members.
fn digits_in(
    path: &Path,
    [train, test]: [usize; 2],
    descr: &str,
    make: impl Fn(u8, usize) -> Vec<u8>,
    more: &[Member<'_>],
) {
    let set = built_in("mnist").unwrap();
    let mut members = more.to_vec();
    let sides = [[train, 28, 28], [test, 28, 28]];
    for (i, (names, part)) in
        [(["x_train", "y_train"], &set.train), (["x_test", "y_test"], &set.test)].into_iter().enumerate()
    {
        let (pixels, labels) = digits(part, sides[i][0]);
        let pixels = pixels.into_iter().enumerate().flat_map(|(at, byte)| make(byte, at)).collect();
        members.push((names[0], descr, &sides[i], pixels));
        members.push((names[1], "|u1", &sides[i][..1], labels));
    }
    npz(path, &members);
}

/// A small run, of what `quick` does.
const SMALL: [&str; 6] = [
    "data.aux=0.2",
    "data.train=0",
    "psgl.enabled=false",
    "train.epochs=1",
    "evaluate.mu_images=2",
    "attack=[{ name = \"rmle\", images = 2, iterations = 3, early = [] }]",
];

fn arguments(data: &Path, out: &Path, settings: &[&str]) -> Vec<String> {
    let mut all: Vec<String> = ["run", "quick", "--out", text(out)].map(str::to_owned).to_vec();
    let name = format!("data.name={}", text(data));
    let settings = settings.iter().copied().chain([name.as_str()]);
    all.extend(settings.flat_map(|setting| ["--set".to_owned(), setting.to_owned()]));
    all
}

/// Runs `quick` in small on a set; what it said on standard error, and its folder.
fn small_run(data: &Path, out: PathBuf) -> (String, PathBuf) {
    small_run_with(data, out, SMALL[5])
}

/// The same with another attack.
fn small_run_with(data: &Path, out: PathBuf, attack: &str) -> (String, PathBuf) {
    let output = call(arguments(data, &out, &[&SMALL[..5], &[attack]].concat()));
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{told}");
    (told, out)
}

/// Every number in a run's checkpoint, by name: what was learnt.
fn weights(run: &Path) -> BTreeMap<String, Vec<u32>> {
    let all = candle_core::safetensors::load(run.join("checkpoint.safetensors"), &Device::Cpu).unwrap();
    let bits = |tensor: Tensor| -> Vec<u32> {
        let flat = tensor.to_dtype(DType::F32).unwrap().flatten_all().unwrap();
        flat.to_vec1::<f32>().unwrap().into_iter().map(f32::to_bits).collect()
    };
    let learnt: BTreeMap<_, _> = all.into_iter().map(|(name, tensor)| (name, bits(tensor))).collect();
    assert!(!learnt.is_empty());
    learnt
}

fn json(run: &Path) -> Value {
    serde_json::from_slice(&file(run, "data.json")).unwrap()
}

/// A whole `quick`, with its defence and both attacks, on 1,000 digits that are in memory or stay in their file.
#[test]
fn a_run_from_disk_ends_as_one_from_memory() {
    let folder = scratch();
    let data = folder.path().join("digits.npz");
    digits_in(&data, [800, 200], "|u1", |byte, _| vec![byte], &[]);
    let run = |name: &str, from: &str| {
        let out = folder.path().join(name);
        let output = program(arguments(&data, &out, &[])).env(STREAM_FROM, from).output().unwrap();
        let told = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success(), "{told}");
        let waited = told.lines().find(|line| line.contains("waited for images from disk")).map(str::to_owned);
        (out, waited)
    };
    let ((memory, none), (disk, waited)) = (run("memory", "100000000"), run("disk", "1"));
    assert_eq!(none, None);
    let waited = waited.expect("how long training waited");
    println!("{waited}");
    let share = waited.strip_prefix("Training waited for images from disk ").and_then(|rest| rest.split_once(" % "));
    assert!((0.0..=100.0).contains(&share.unwrap().0.parse::<f64>().unwrap()), "{waited}");
    assert_same_run(&memory, &disk);
    assert!(file(&memory, "data.json") == file(&disk, "data.json"), "and the images are known as the same");
    let output = program(arguments(&data, &folder.path().join("no"), &[])).env(STREAM_FROM, "64 MB").output().unwrap();
    let told = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{told}");
    assert!(told.contains("CUTLAYER_STREAM_FROM") && told.contains("a whole number of bytes"), "{told}");
}

#[test]
fn all_bits_of_a_pixel_reach_training() {
    let folder = scratch();
    let run = |name: &str, descr: &str, make: fn(u8, usize) -> Vec<u8>| {
        let data = folder.path().join(format!("{name}.npz"));
        digits_in(&data, [100, 30], descr, make, &[]);
        small_run(&data, folder.path().join(name)).1
    };
    let bytes = run("bytes", "|u1", |byte, _| vec![byte]);
    let wide = run("wide", "<u2", |byte, _| u16::from(byte).to_le_bytes().to_vec());
    assert!(file(&bytes, "metrics.csv") == file(&wide, "metrics.csv"), "eight bits are eight bits in any dress");
    assert_eq!(weights(&bytes), weights(&wide));
    assert_eq!(json(&bytes).get("white"), None);
    // Twelve bits, of which the lowest four are nothing or anything: of eight bits there is no difference.
    let plain = run("plain", "<u2", |byte, _| (u16::from(byte) << 4 | 7).to_le_bytes().to_vec());
    let fine = run("fine", "<u2", |byte, at| (u16::from(byte) << 4 | (at * 5 % 16) as u16).to_le_bytes().to_vec());
    assert_eq!((json(&plain)["white"].as_u64(), json(&fine)["white"].as_u64()), (Some(4095), Some(4095)));
    assert_ne!(weights(&plain), weights(&fine), "the lowest bits are learnt from");
    let told = succeed(["data", text(&folder.path().join("fine.npz"))]);
    assert!(told.contains("an .npz file, pixels from 0 to 4095"), "{told}");
}

/// 100 training images of 25 patients and 30 test images of 10; the first `shared` test patients are training's too.
fn patients(path: &Path, shared: u16, offset: u16) {
    let id = |patient: u16| (patient.wrapping_mul(31) + offset).to_le_bytes();
    let train: Vec<u8> = (0..100).flat_map(|i| id(i / 4)).collect();
    let test: Vec<u8> = (0..30).flat_map(|i| id(if i / 3 < shared { i / 3 } else { 100 + i / 3 })).collect();
    let more = [("train_patients", "<u2", &[100][..], train), ("test_patients", "<u2", &[30], test)];
    digits_in(path, [100, 30], "|u1", |byte, _| vec![byte], &more);
}

#[test]
fn patients_on_both_sides_are_told_and_kept_and_known_again() {
    let folder = scratch();
    let data = folder.path().join("films.npz");
    patients(&data, 0, 0);
    let (told, run) = small_run(&data, folder.path().join("apart"));
    assert!(!told.contains("patient"), "{told}");
    assert_eq!(
        (json(&run)["groups"]["noun"].as_str(), json(&run)["groups"]["count"].as_u64()),
        (Some("patient"), Some(35))
    );
    let attack = ["attack", text(&run), "--with", "rmle", "--images", "2"];
    // They may be called anything, as long as the same images are of one patient.
    patients(&data, 0, 500);
    succeed(attack);
    patients(&data, 3, 0);
    let output = call(attack);
    let refused = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{refused}");
    assert!(refused.contains("which images are of one patient has changed"), "{refused}");
    let (told, _) = small_run(&data, folder.path().join("both"));
    // Of the three, some are the victim's and some the attackers'.
    assert!(told.contains("the test set and the training images have ") && told.contains("in common ("), "{told}");
    let described = succeed(["data", text(&data)]);
    assert!(described.contains("32 patients"), "{described}");
}

/// Runs that began before it was known which images are of one patient must end as they would have.
#[test]
fn a_run_of_before_goes_on_without_patients() {
    let folder = scratch();
    let [plain, known] = ["plain.npz", "known.npz"].map(|name| folder.path().join(name));
    digits_in(&plain, [100, 30], "|u1", |byte, _| vec![byte], &[]);
    patients(&known, 2, 0);
    // Of a few steps: whoever has other images learns otherwise from the first one on.
    let learns = "attack=[{ name = \"inverse\", epochs = 2, images = 2, early = [] }]";
    let (_, run) = small_run_with(&plain, folder.path().join("run"), learns);
    let before = file(&run, "data.json");
    let [whole, rest] = ["metrics.csv", "summary.json"];
    let metrics = file(&run, whole);
    std::fs::remove_file(run.join(rest)).unwrap();
    let output = call(["run", "--resume", text(&run), "--data", text(&known)]);
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success() && !told.contains("patient"), "{told}");
    assert!(file(&run, whole) == metrics && file(&run, "data.json") == before);
    // The attackers have the images that they had: what they learn from them is the same.
    let other = folder.path().join("other");
    copy_run(&run, &other);
    for (run, data) in [(&run, &plain), (&other, &known)] {
        succeed(["attack", text(run), "--with", "inverse", "--images", "2", "--data", text(data)]);
    }
    let [stolen, same] = [&run, &other].map(|run| names(&run.join("attacks")));
    let afterwards = |name: &String| name.contains("inverse") && name.contains("afterwards");
    assert!(stolen == same && stolen.iter().any(afterwards), "{stolen:?}");
    for name in stolen.iter().map(|name| format!("attacks/{name}")) {
        assert!(file(&run, &name) == file(&other, &name), "{name}");
    }
    let (_, grouped) = small_run_with(&known, folder.path().join("grouped"), learns);
    assert!(file(&grouped, whole) != metrics, "whoever knows the patients shares the images out another way");
}

#[test]
fn an_attack_afterwards_at_more_targets_than_the_run_has_tells_whose_they_are() {
    let folder = scratch();
    let images = folder.path().join("films");
    std::fs::create_dir(&images).unwrap();
    let mut table = vec!["path,label,patient".to_owned()];
    for i in 0..120_u32 {
        let level = |x: u32, y: u32| if i / 2 % 2 == 0 { (x * 9 + i) as u8 } else { (y * 9 + i) as u8 };
        let picture = image::GrayImage::from_fn(16, 16, |x, y| image::Luma([level(x, y)]));
        picture.save(images.join(format!("{i:03}.png"))).unwrap();
        table.push(format!("{i:03}.png,{},p{}", ["wide", "tall"][(i / 2 % 2) as usize], i / 2));
    }
    Writer::default().write(&images.join("labels.csv"), table.join("\n").as_bytes()).unwrap();
    let run = folder.path().join("run");
    let data = format!("data.path={}", images.display());
    let set = ["attack=[]", "train.epochs=1", "train.batch=16", "data.train=0", "data.test=0", "data.aux=0.25", &data];
    let mut words = vec!["run", "psgl-digits", "--out", text(&run), "--set", "evaluate.mu_images=4"];
    words.extend(set.iter().flat_map(|set| ["--set", *set]));
    succeed(words);
    let json = |name: &str| serde_json::from_slice::<Value>(&file(&run, name)).unwrap();
    let targets = || json("summary.json")["target_patients"].as_array().unwrap().len();
    let own = targets();
    let more = own + 4;
    succeed(["attack", text(&run), "--with", "nearest", "--images", &more.to_string()]);
    let records = json("attacks.json");
    for record in records.as_array().unwrap() {
        assert_eq!(record["images"], more);
        assert_eq!(record["judged"]["each"]["patients"].as_array().unwrap().len(), more);
    }
    // What stands in the run itself stays, and whoever reads both has them all.
    assert_eq!(targets(), own);
    let shown: Value = serde_json::from_str(&succeed(["show", text(&run), "--json"])).unwrap();
    assert_eq!(shown["target_patients"].as_array().unwrap().len(), more);
    assert_eq!(json("data.json")["name"], "films", "the folder's name, not the table's");
}

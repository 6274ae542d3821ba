//! What the program refuses: exit code 2, one message that says what and where, and nothing written.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::common::{copy_run, file, finished, program, quick, scratch};
use candle_core::Tensor;
use cutlayer::experiment::Experiment;
use cutlayer::random::Seed;
use cutlayer::run::checkpoint::Checkpoint;
use cutlayer::run::course::Stage;
use cutlayer::run::whole_files::Writer;

fn text(path: &Path) -> &str {
    path.to_str().expect("a path of plain letters")
}

fn write(path: &Path, bytes: &[u8]) {
    Writer::default().write(path, bytes).unwrap();
}

/// Every file below a folder.
fn contents(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut all = BTreeMap::new();
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() {
            all.insert(path.clone(), Vec::new());
            all.extend(contents(&path));
        } else {
            all.insert(path.clone(), std::fs::read(&path).unwrap());
        }
    }
    all
}

/// The program must refuse these arguments in one message that holds all of `words`, and write nothing: neither among
/// its own data nor in the `watched` folder.
#[track_caller]
fn refused(watched: &Path, arguments: &[&str], words: &[&str]) {
    let (home, before) = (scratch(), contents(watched));
    let output = program(arguments).env("CUTLAYER_HOME", home.path()).output().unwrap();
    let message = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{arguments:?}: {message}");
    assert!(output.stdout.is_empty(), "{arguments:?} printed something");
    assert!(message.starts_with("cutlayer: ") && message.lines().count() <= 2 && message.len() < 600, "{message}");
    for word in words {
        assert!(message.contains(word), "{arguments:?}: no {word:?} in: {message}");
    }
    assert!(contents(home.path()).is_empty(), "{arguments:?} wrote {:?}", contents(home.path()).keys());
    assert!(contents(watched) == before, "{arguments:?} changed {}", watched.display());
}

/// `run quick` with a wrong argument more.
#[track_caller]
fn refused_run(more: &[&str], words: &[&str]) {
    let folder = scratch();
    let out = folder.path().join("below/run");
    let arguments: Vec<_> = ["run", "quick", "--out", text(&out)].into_iter().chain(more.iter().copied()).collect();
    refused(folder.path(), &arguments, words);
}

/// `run FILE` with this text in it.
#[track_caller]
fn refused_file(bytes: &[u8], words: &[&str]) {
    let folder = scratch();
    let (document, out) = (folder.path().join("mine.toml"), folder.path().join("run"));
    write(&document, bytes);
    let words: Vec<_> = words.iter().copied().chain([text(&document)]).collect();
    refused(folder.path(), &["run", text(&document), "--out", text(&out)], &words);
}

// --- experiments ----------------------------------------------------------------------------------

#[test]
fn an_unknown_preset_is_met_with_the_near_one() {
    let folder = scratch();
    refused(folder.path(), &["run", "psgl-digit"], &["\"psgl-digit\"", "did you mean `psgl-digits`", "vanilla-digits"]);
    refused(folder.path(), &["--preset", "quik"], &["\"quik\"", "did you mean `quick`"]);
    refused(folder.path(), &["run", "no/such.toml"], &["no such file", "no/such.toml"]);
    refused(folder.path(), &["run", text(folder.path())], &["is a folder", text(folder.path())]);
}

#[test]
fn a_misspelt_field_is_met_with_the_near_one() {
    refused_run(&["--set", "psgl.gama=0.2"], &["psgl.gama", "no such field", "did you mean `gamma`"]);
    refused_run(&["--set", "psgl=0.2"], &["psgl", "section", "psgl.enabled"]);
    refused_run(&["--set", "psgl.gamma"], &["\"psgl.gamma\"", "key=value"]);
    refused_run(&["--set", "psgl.apply=dens"], &["psgl.apply", "dens", "did you mean \"dense\""]);
    refused_file(b"[psgl]\ngama = 0.2\n", &["psgl.gama", "did you mean `gamma`"]);
    refused_file(b"[pgsl]\ngamma = 0.2\n", &["pgsl", "did you mean [psgl]"]);
    refused_file(b"[model]\nname = \"lenet\"\n", &["model.name = \"lenet\"", "did you mean \"lenet5\""]);
}

#[test]
fn a_number_out_of_range_is_met_with_the_range() {
    for (field, value) in [
        ("model.cut", "0"),
        ("model.cut", "9"),
        ("psgl.gamma", "0"),
        ("psgl.gamma", "1.01"),
        ("psgl.gamma", "-0.1"),
        ("psgl.theta", "0.0"),
        ("psgl.theta", "2"),
        ("psgl.mu", "0"),
        ("psgl.gamma", "nan"),
        ("psgl.theta", "NaN"),
        ("train.rate", "inf"),
        ("train.batch", "0"),
        ("data.aux", "1"),
        ("seed", "-1"),
        ("threads", "-1"),
        ("attack.rmle.images", "0"),
        ("attack.inverse.images", "0"),
    ] {
        refused_run(&["--set", &format!("{field}={value}")], &[field, &value.to_lowercase(), "allowed is"]);
    }
    for value in ["-1", "1.5", "many", "99999999999999999999"] {
        refused_run(&["--seed", value], &["seed = ", value, "allowed is a whole number from 0"]);
    }
    refused_file(b"[psgl]\ngamma = nan\n", &["psgl.gamma = nan", "allowed is"]);
    refused_file(b"seed = -3\n", &["seed = -3", "allowed is"]);
    refused_file(b"[model]\ncut = 11\n", &["model.cut = 11", "allowed is 1 to 10"]);
}

#[test]
fn a_file_that_is_no_experiment_says_where() {
    refused_file(b"\x7fELF\x02\x00\x01", &["not a text file"]);
    refused_file(b"seed = 1\ngamma = = 2\n", &["broken TOML in line 2"]);
    refused_file(b"seed = 1\nseed = 2\n", &["broken TOML in line 2, column 1: duplicate key"]);
    refused_file(&b"# \n".repeat(400_000), &["larger than 1 MiB"]);
    let newer = format!("schema = {}", cutlayer::experiment::SCHEMA + 1);
    refused_file(newer.as_bytes(), &[&newer, "made by a newer version"]);
    refused_file(b"[[attack]]\nname = \"rmel\"\n", &["attack[0].name = \"rmel\"", "did you mean \"rmle\""]);
    refused_file(b"[data]\nname = \"mnits\"\n", &["data.name = \"mnits\"", "did you mean \"mnist\""]);
}

#[test]
fn a_model_that_does_not_fit_names_the_layer() {
    let layers = |list: &str| format!("model.layers=[{list}, \"flatten\", {{ linear = 10 }}]");
    refused_run(&["--set", &layers("{ conv = 4, kernel = 99 }, \"relu\", \"relu\"")], &["model.layers[0]", "99×99"]);
    refused_run(
        &["--set", &layers("{ conv = 4, kernel = 3 }, \"rellu\"")],
        &["model.layers[1]", "did you mean \"relu\""],
    );
    refused_run(&["--set", "model.cut=8"], &["model.cut = 8", "channels × height × width", "cuts that do: 1, "]);
    refused_run(&["--set", "model.input=[1, 64, 64]"], &["model.input = [1, 64, 64]", "[1, 28, 28]"]);
}

#[test]
fn a_device_that_this_build_lacks_names_the_feature() {
    for (device, has) in [("cuda", cfg!(feature = "cuda")), ("metal", cfg!(feature = "metal"))] {
        if !has {
            let assignment = format!("device={device}");
            refused_run(&["--set", &assignment], &[&format!("device = \"{device}\""), &format!("--features {device}")]);
        }
    }
}

// --- folders --------------------------------------------------------------------------------------

#[test]
fn a_folder_for_a_run_must_be_new_or_empty_and_writable() {
    let folder = scratch();
    let (used, below) = (folder.path().join("used"), folder.path().join("used/file/run"));
    std::fs::create_dir(&used).unwrap();
    write(&used.join("file"), b"a letter");
    for out in [&used, &below, &used.join("file")] {
        refused(folder.path(), &["run", "quick", "--out", text(out)], &["--out cannot be used", text(out)]);
    }
    refused(
        folder.path(),
        &["run", "quick", "--out", text(&used), "--force"],
        &["other files than a run", text(&used)],
    );
    refused(finished(), &["run", "quick", "--out", text(finished())], &["not empty", "--force", text(finished())]);
    // Weights go to a new folder, too.
    for out in [&used, &used.join("file")] {
        let arguments = ["export", text(finished()), "--torch", text(out)];
        refused(folder.path(), &arguments, &["--torch cannot be used", text(out)]);
    }
}

#[test]
fn a_folder_that_is_no_run_is_said_to_be_none() {
    let folder = scratch();
    let (empty, lost, out) = (folder.path().join("empty"), folder.path().join("lost"), folder.path().join("out"));
    std::fs::create_dir(&empty).unwrap();
    for (run, words) in [(&empty, "no experiment.toml"), (&lost, "no such folder")] {
        for arguments in [
            vec!["show", text(run)],
            vec!["show", text(run), "--json"],
            vec!["run", "--resume", text(run)],
            vec!["attack", text(run), "--with", "rmle"],
            vec!["export", text(run), "--torch", text(&out)],
        ] {
            refused(folder.path(), &arguments, &[words, text(run)]);
        }
    }
    let file = finished().join("summary.json");
    refused(finished(), &["show", text(&file)], &["a run is a folder", text(&file)]);
}

#[test]
fn a_run_that_is_not_finished_says_how_to_go_on() {
    let folder = scratch();
    let run = folder.path().join("run");
    copy_run(finished(), &run);
    std::fs::remove_file(run.join("summary.json")).unwrap();
    refused(&run, &["show", text(&run)], &["not finished", "cutlayer run --resume", text(&run)]);
    std::fs::remove_file(run.join("checkpoint.safetensors")).unwrap();
    refused(
        &run,
        &["attack", text(&run), "--with", "rmle"],
        &["no trained model", "cutlayer run --resume", text(&run)],
    );
    let out = folder.path().join("out");
    refused(folder.path(), &["export", text(&run), "--torch", text(&out)], &["no weights", text(&run)]);
}

#[test]
fn an_attack_must_be_known_and_have_targets() {
    let run = text(finished());
    refused(finished(), &["attack", run, "--with", "rmel"], &["\"rmel\"", "did you mean \"rmle\"", "\"inverse\""]);
    for images in ["0", "-1", "all"] {
        let arguments = ["attack", run, "--with", "rmle", "--images", images];
        refused(finished(), &arguments, &["images", images, "allowed is a whole number from 1"]);
    }
}

#[test]
fn data_must_be_there_and_be_data() {
    let folder = scratch();
    let noise = folder.path().join("noise.npz");
    write(&noise, &bytes_of_noise(5_000));
    refused(folder.path(), &["data", "mnits"], &["\"mnits\"", "did you mean \"mnist\""]);
    refused(folder.path(), &["data", text(&noise)], &[text(&noise)]);
    refused(
        folder.path(),
        &["data", text(folder.path())],
        &["no data set that can be read", "IDX files", text(folder.path())],
    );
    refused_run(&["--set", &format!("data.name={}", text(&noise))], &[text(&noise)]);
}

// --- damaged runs ---------------------------------------------------------------------------------

fn bytes_of_noise(count: usize) -> Vec<u8> {
    let mut noise = Seed(8).stream("noise", 0);
    (0..count).map(|_| noise.below(256) as u8).collect()
}

/// A run with another checkpoint: whoever reads it must refuse.
#[track_caller]
fn refused_checkpoint(checkpoint: &[u8], words: &[&str]) {
    let folder = scratch();
    let (run, out) = (folder.path().join("run"), folder.path().join("out"));
    copy_run(finished(), &run);
    std::fs::remove_file(run.join("summary.json")).unwrap();
    write(&run.join("checkpoint.safetensors"), checkpoint);
    for arguments in [
        vec!["run", "--resume", text(&run)],
        vec!["attack", text(&run), "--with", "rmle"],
        vec!["export", text(&run), "--torch", text(&out)],
    ] {
        refused(folder.path(), &arguments, words);
    }
}

#[test]
fn a_checkpoint_cut_short_or_of_noise_is_damaged() {
    let whole = file(finished(), "checkpoint.safetensors");
    for length in [0, 7, 100, whole.len() / 2, whole.len() - 1] {
        refused_checkpoint(&whole[..length], &["the checkpoint is damaged", "checkpoint.safetensors"]);
    }
    refused_checkpoint(&bytes_of_noise(3_000), &["the checkpoint is damaged", "checkpoint.safetensors"]);
    let mut flipped = whole.clone();
    flipped[whole.len() - 100] ^= 4;
    refused_checkpoint(&flipped, &["the checkpoint is damaged", "checksum", "checkpoint.safetensors"]);
}

#[test]
fn a_checkpoint_of_another_experiment_or_program_is_refused() {
    let folder = scratch();
    let other = quick(folder.path(), "other", &["--set", "attack=[]", "--set", "train.epochs=1"]);
    let words = ["another experiment than the experiment.toml beside it", "checkpoint.safetensors"];
    refused_checkpoint(&file(&other, "checkpoint.safetensors"), &words);
    let weights = folder.path().join("weights");
    crate::common::succeed(["export", text(&other), "--torch", text(&weights)]);
    refused_checkpoint(
        &file(&weights, "client.safetensors"),
        &["no checkpoint of this program", "checkpoint.safetensors"],
    );
}

/// The finished run's checkpoint with other tensors and a good checksum, as another version might have written it.
fn forged(change: impl FnOnce(&mut BTreeMap<String, Tensor>)) -> Vec<u8> {
    let hash = Experiment::preset("quick").unwrap().hash();
    let mut checkpoint = Checkpoint::load(&finished().join("checkpoint.safetensors"), &hash).unwrap();
    change(&mut checkpoint.tensors);
    checkpoint.to_bytes(&hash).unwrap()
}

#[test]
fn a_checkpoint_of_another_model_names_the_weight() {
    let name = "psgl.client.2.weight";
    let other = forged(|tensors| {
        let smaller = tensors[name].narrow(0, 0, 3).unwrap().contiguous().unwrap();
        tensors.insert(name.to_owned(), smaller);
    });
    refused_checkpoint(&other, &["client.2.weight", "[3, 4, 3, 3]", "[8, 4, 3, 3]"]);
    let missing = forged(|tensors| drop(tensors.remove(name)));
    refused_checkpoint(&missing, &["lack", "client.2.weight"]);
    // A finished model has no optimiser's state left; one that is still to be trained needs it.
    let hash = Experiment::preset("quick").unwrap().hash();
    let mut stateless = Checkpoint::load(&finished().join("checkpoint.safetensors"), &hash).unwrap();
    stateless.position.courses[0].stage = Stage::Train;
    refused_checkpoint(&stateless.to_bytes(&hash).unwrap(), &["the optimiser's state lacks"]);
}

#[test]
fn a_damaged_file_of_a_run_is_named() {
    for (name, bytes, words) in [
        ("experiment.toml", &b"seed = "[..], "broken TOML"),
        ("experiment.toml", b"\xff\xfe", "no text"),
        ("metrics.csv", b"epoch,step\n1,1\n", "damaged: "),
        ("metrics.csv", b"", "damaged: "),
    ] {
        let folder = scratch();
        let run = folder.path().join("run");
        copy_run(finished(), &run);
        std::fs::remove_file(run.join("summary.json")).unwrap();
        write(&run.join(name), bytes);
        refused(&run, &["run", "--resume", text(&run)], &[words, text(&run.join(name))]);
    }
    let folder = scratch();
    let run = folder.path().join("run");
    copy_run(finished(), &run);
    write(&run.join("summary.json"), &file(finished(), "summary.json")[..500]);
    refused(&run, &["show", text(&run)], &["damaged: ", text(&run.join("summary.json"))]);
}

#[test]
fn a_run_that_lost_its_metrics_is_a_damaged_run() {
    let folder = scratch();
    let run = folder.path().join("run");
    copy_run(finished(), &run);
    for name in ["summary.json", "metrics.csv"] {
        std::fs::remove_file(run.join(name)).unwrap();
    }
    refused(&run, &["run", "--resume", text(&run)], &[text(&run.join("metrics.csv"))]);
}

#[test]
fn a_damaged_list_of_attacks_is_noticed_before_the_work() {
    let folder = scratch();
    let run = folder.path().join("run");
    copy_run(finished(), &run);
    write(&run.join("attacks.json"), b"[{");
    let arguments = ["attack", text(&run), "--with", "rmle", "--images", "1"];
    refused(&run, &arguments, &["damaged: ", text(&run.join("attacks.json"))]);
}

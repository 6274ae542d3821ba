//! What a run survives: its terminal, its disk's habits, and names and texts as people write them.
#![cfg(unix)]

use std::ffi::{OsStr, OsString};
use std::fs::{self, OpenOptions};
use std::io::{BufRead, BufReader, Read};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use crate::common::{assert_same_run, call, copy_run, file, finished, program, quick, scratch, succeed};
use cutlayer::experiment::Experiment;
use cutlayer::run::whole_files::Writer;
use serde_json::Value;

/// `quick` without what takes time.
const SHORT: [&str; 6] = ["--set", "attack=[]", "--set", "train.epochs=1", "--set", "train.twin=false"];

fn text(path: &Path) -> &str {
    path.to_str().expect("a path of plain letters")
}

fn run_short(out: impl AsRef<OsStr>) -> Command {
    let mut command = program(["run", "quick", "--out"]);
    command.arg(out).args(SHORT);
    command
}

#[track_caller]
fn ended_well(output: &Output) -> String {
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{:?}: {told}", output.status);
    told
}

// --- the terminal ---------------------------------------------------------------------------------

#[test]
fn the_reader_of_the_progress_may_go() {
    let folder = scratch();
    let run = folder.path().join("run");
    let mut child =
        program(["run", "quick", "--out", text(&run)]).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::with_capacity(1, child.stderr.take().unwrap()).read_line(&mut line).unwrap();
    assert!(line.starts_with("Running in"), "{line}");
    assert!(child.wait().unwrap().success());
    assert_same_run(finished(), &run);
}

#[test]
fn closed_streams_end_no_run_and_no_attack() {
    let folder = scratch();
    let run = folder.path().join("run");
    let closed = |command: &mut Command| {
        let mut shell = Command::new("sh");
        shell.args(["-c", "exec \"$0\" \"$@\" 0<&- 1>&- 2>&-"]).arg(command.get_program()).args(command.get_args());
        shell.env("CUTLAYER_HOME", folder.path()).status().unwrap()
    };
    assert!(closed(&mut run_short(&run)).success());
    assert!(run.join("summary.json").is_file());
    assert!(closed(&mut program(["attack", text(&run), "--with", "rmle", "--images", "1", "--naive"])).success());
    assert!(run.join("attacks.json").is_file());
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_under_the_log_ends_no_run() {
    let full = || OpenOptions::new().write(true).open("/dev/full").unwrap();
    let folder = scratch();
    let run = folder.path().join("run");
    ended_well(&run_short(&run).stderr(full()).output().unwrap());
    // The table is kept in the folder: what cannot be printed is not lost.
    let again = folder.path().join("again");
    let told = ended_well(&run_short(&again).stdout(full()).output().unwrap());
    assert!(told.contains("Warning: standard output cannot be written: No space left"), "{told}");
    assert!(told.lines().last().unwrap().starts_with("The run is in "), "{told}");
    let shown = program(["show", text(&run)]).stdout(full()).output().unwrap();
    let told = String::from_utf8(shown.stderr).unwrap();
    assert_eq!((shown.status.code(), told.lines().count()), (Some(1), 1), "{told}");
    let both = program(["show", text(&run)]).stdout(full()).stderr(full()).output().unwrap();
    assert_eq!(both.status.code(), Some(1));
    let wrong = program(["run", "no-such-thing"]).stderr(full()).output().unwrap();
    assert_eq!(wrong.status.code(), Some(2));
}

#[test]
fn a_run_under_nohup_outlives_its_terminal_and_another_is_saved() {
    let folder = scratch();
    for (name, shield, ends_well) in [("shielded", "trap '' HUP; ", true), ("bare", "", false)] {
        let run = folder.path().join(name);
        let script = format!("{shield}exec \"$0\" \"$@\"");
        let mut inner = program(["run", "quick", "--out", text(&run)]);
        if !ends_well {
            // On a busy machine a short run might be over before the signal comes.
            inner.args(["--set", "train.epochs=2000", "--set", "attack=[]"]);
        }
        let mut child = Command::new("sh")
            .args(["-c", &script])
            .arg(inner.get_program())
            .args(inner.get_args())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map(Result::unwrap);
        assert!(lines.any(|line| line.starts_with("training psgl")));
        assert!(Command::new("kill").args(["-HUP", &child.id().to_string()]).status().unwrap().success());
        let last = lines.last().unwrap();
        let status = child.wait().unwrap();
        assert_eq!(status.success(), ends_well, "{name}: {last}");
        if ends_well {
            assert_same_run(finished(), &run);
        } else {
            assert!(last.starts_with("Stopped and saved."), "{last}");
        }
    }
}

#[test]
fn an_error_is_told_once_and_a_file_gets_no_colours() {
    let folder = scratch();
    let run = folder.path().join("run");
    let arguments = ["run", "quick", "--set", "train.epochs=2000", "--set", "attack=[]", "--out", text(&run)];
    let mut child =
        program(arguments).env("RUST_LOG", "debug").stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let deadline = Instant::now() + Duration::from_mins(1);
    while !run.join("checkpoint.safetensors").exists() && Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(20));
    }
    // At once: a folder that is emptied file by file may get another one meanwhile.
    fs::rename(&run, folder.path().join("gone")).unwrap();
    let mut told = String::new();
    child.stderr.take().unwrap().read_to_string(&mut told).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(2), "{told}");
    assert_eq!(told.matches("taken away").count(), 1, "{told}");
    assert!(!told.contains('\u{1b}'), "{told}");
    assert!(!run.exists());
}

#[test]
fn an_attack_tells_how_far_it_is_into_a_pipe() {
    let folder = scratch();
    let run = folder.path().join("run");
    copy_run(finished(), &run);
    let told = ended_well(&call(["attack", text(&run), "--with", "rmle", "--images", "1", "--naive"]));
    assert!(told.starts_with(&format!("Attacking {}\n", run.display())), "{told}");
    for words in ["rmle, at psgl after epoch 2: 1/", "rmle at psgl after epoch 2: SSIM", "rmle at vanilla"] {
        assert!(told.contains(words), "no {words} in {told}");
    }
}

/// Interrupts an attack at the first line that `when` likes; what it said last, and its exit code.
fn interrupted(arguments: &[&str], when: impl Fn(&str) -> bool) -> (String, Option<i32>) {
    let mut child = program(arguments).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map(Result::unwrap);
    assert!(lines.any(|line| when(&line)));
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    let last = lines.last().unwrap();
    (last, child.wait().unwrap().code())
}

#[test]
fn an_attack_obeys_an_interrupt_and_keeps_what_was_finished() {
    let folder = scratch();
    let run = folder.path().join("run");
    succeed(run_short(&run).get_args());
    let before = fs::read_dir(&run).unwrap().count();
    let attack = ["attack", text(&run), "--with", "rmle", "--images", "8"];
    let (last, code) = interrupted(&attack, |line| line.contains(" at psgl after epoch 1: 1/"));
    assert_eq!((last.as_str(), code), ("Stopped before an attack was finished; nothing was changed", Some(1)));
    assert_eq!(fs::read_dir(&run).unwrap().count(), before);

    let (last, code) = interrupted(&attack, |line| line.contains(": SSIM"));
    assert_eq!(code, Some(1));
    let kept: Vec<Value> = serde_json::from_slice(&file(&run, "attacks.json")).unwrap();
    let wanted = format!("Stopped. Finished attacks are kept in {}", run.join("attacks.json").display());
    assert_eq!((last, kept.len()), (wanted, 1));
    // The lock has been let go of, and the attack can be launched again.
    succeed(["attack", text(&run), "--with", "rmle", "--images", "1", "--naive"]);
    assert_eq!(serde_json::from_slice::<Vec<Value>>(&file(&run, "attacks.json")).unwrap().len(), 2);
}

// --- the disk -------------------------------------------------------------------------------------

/// A library that makes system calls fail as some disks do, if there is a C compiler here. `FLOCK` is the error number
/// of `flock`.
#[cfg(target_os = "linux")]
fn stubborn_disk(folder: &Path) -> Option<PathBuf> {
    let (source, library) = (folder.join("stubborn.c"), folder.join("stubborn.so"));
    let code = r#"
        #define _GNU_SOURCE
        #include <dlfcn.h>
        #include <errno.h>
        #include <stdlib.h>
        #include <sys/stat.h>
        static int refuse(int e) { errno = e; return -1; }
        int fchmod(int f, mode_t m) { return refuse(EPERM); }
        int chmod(const char *p, mode_t m) { return refuse(EPERM); }
        int fchown(int f, uid_t u, gid_t g) { return refuse(EPERM); }
        int linkat(int a, const char *b, int c, const char *d, int e) { return refuse(EPERM); }
        int flock(int f, int o) { return refuse(atoi(getenv("FLOCK"))); }
        int fsync(int f) {
            struct stat s;
            if (!fstat(f, &s) && S_ISDIR(s.st_mode)) return refuse(EINVAL);
            return ((int (*)(int))dlsym(RTLD_NEXT, "fsync"))(f);
        }
        int rename(const char *a, const char *b) {
            static int calls;
            if (++calls % 5 == 0) return refuse(EINTR);
            return ((int (*)(const char *, const char *))dlsym(RTLD_NEXT, "rename"))(a, b);
        }
    "#;
    Writer::default().write(&source, code.as_bytes()).unwrap();
    let made = Command::new("cc").args(["-shared", "-fPIC", "-o"]).args([&library, &source]).arg("-ldl").output();
    made.is_ok_and(|made| made.status.success()).then_some(library)
}

#[cfg(target_os = "linux")]
#[test]
fn a_disk_without_modes_owners_and_locks_keeps_a_run() {
    let folder = scratch();
    let Some(library) = stubborn_disk(folder.path()) else { return println!("skipped: no C compiler") };
    // EPERM, EINTR, EINVAL, ENOLCK, ENOSYS, EOPNOTSUPP
    for number in ["1", "4", "22", "37", "38", "95"] {
        let run = folder.path().join(number);
        let on_it = |command: &mut Command| {
            ended_well(&command.env("LD_PRELOAD", &library).env("FLOCK", number).output().unwrap())
        };
        let told = on_it(&mut run_short(&run));
        let warnings: Vec<_> = told.lines().filter(|line| line.starts_with("Warning: ")).collect();
        assert_eq!(warnings.len(), 1, "{told}");
        assert!(warnings[0].starts_with("Warning: the run cannot be locked ("), "{told}");
        assert!(warnings[0].ends_with(text(&run)), "{told}");
        if number == "38" {
            fs::remove_file(run.join("summary.json")).unwrap();
            on_it(&mut program(["run", "--resume", text(&run)]));
            let told = on_it(&mut program(["attack", text(&run), "--with", "rmle", "--images", "1", "--naive"]));
            assert!(told.contains("Warning: the run cannot be locked (Function not implemented"), "{told}");
        }
        let left = fs::read_dir(&run).unwrap().flatten().any(|e| text(&e.path()).ends_with("cutlayer-part"));
        assert!(!left && run.join("summary.json").is_file());
    }
}

#[test]
fn what_a_killed_writer_left_is_cleared_away_by_the_next() {
    let folder = scratch();
    let run = folder.path().join("run");
    copy_run(finished(), &run);
    for name in [".1-1.cutlayer-part", "images/.1-2.cutlayer-part"] {
        Writer::default().write(&run.join(name), b"half").unwrap();
    }
    succeed(["attack", text(&run), "--with", "rmle", "--images", "1", "--naive"]);
    for name in [".1-1.cutlayer-part", "images/.1-2.cutlayer-part"] {
        assert!(!run.join(name).exists(), "{name}");
    }
}

// --- names ----------------------------------------------------------------------------------------

fn assets() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("assets")
}

#[test]
fn an_empty_home_of_the_program_is_none() {
    let folder = scratch();
    let (home, here) = (folder.path().join("home"), folder.path().join("here"));
    for place in [&home, &here] {
        fs::create_dir(place).unwrap();
    }
    let run = |own: &str| {
        let mut command = program(["run", "quick"]);
        command.args(SHORT).env_remove("XDG_DATA_HOME").env("HOME", &home).env("CUTLAYER_HOME", own).current_dir(&here);
        let told = ended_well(&command.output().unwrap());
        PathBuf::from(told.lines().last().unwrap().strip_prefix("The run is in ").unwrap())
    };
    assert!(run("").starts_with(&home));
    assert!(run("~/mine").starts_with(home.join("mine/runs")));
    assert_eq!(fs::read_dir(&here).unwrap().count(), 0);
}

#[test]
fn a_tilde_is_the_home_folder_wherever_a_path_is_given() {
    let folder = scratch();
    let home = folder.path();
    std::os::unix::fs::symlink(assets().join("mnist"), home.join("digits")).unwrap();
    Writer::default().write(&home.join("e.toml"), b"[data]\nname = \"~/digits\"\ntrain = 64\ntest = 20\n").unwrap();
    let here = scratch();
    let at_home = |arguments: &[&str]| {
        let mut command = program(arguments);
        command.env("HOME", home).current_dir(here.path()).output().unwrap()
    };
    ended_well(&at_home(&["data", "~/digits"]));
    let mut run =
        vec!["run", "~/e.toml", "--out=~/run", "--set", "psgl.enabled=false", "--set", "evaluate.mu_images=2"];
    run.extend(SHORT);
    ended_well(&at_home(&run));
    assert!(home.join("run/summary.json").is_file());
    for more in [
        &["show", "~/run"][..],
        &["run", "--resume=~/run"],
        &["attack", "~/run", "--with", "rmle", "--images", "1"],
        &["export", "~/run", "--torch=~/weights"],
    ] {
        ended_well(&at_home(more));
    }
    assert!(home.join("weights/load.py").is_file());
    for refused in [&["show", "~other/run"][..], &["data", "~other/x"], &["run", "quick", "--out=~other/run"]] {
        let output = at_home(refused);
        let told = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{told}");
        assert!(told.contains("only ~ alone is expanded, not ~other: write the whole path"), "{told}");
    }
    assert_eq!(fs::read_dir(here.path()).unwrap().count(), 0);
}

#[test]
fn a_path_may_be_any_bytes() {
    let folder = scratch();
    let cafe = folder.path().join(OsString::from_vec(b"caf\xe9".to_vec()));
    if fs::create_dir(&cafe).is_err() {
        return println!("skipped: this disk takes only names that are text");
    }
    std::os::unix::fs::symlink(assets().join("mnist"), cafe.join("digits")).unwrap();
    Writer::default().write(&cafe.join("e.toml"), b"[data]\ntrain = 64\ntest = 20\n").unwrap();
    let own = |arguments: &[&OsStr]| ended_well(&program(arguments).env("CUTLAYER_HOME", &cafe).output().unwrap());
    let word = OsStr::new;
    let (digits, run) = (cafe.join("digits"), cafe.join("run"));
    own(&[word("data"), digits.as_os_str()]);
    let mut set = OsString::from("data.name=");
    set.push(&digits);
    let experiment = cafe.join("e.toml");
    let more = ["--set", "psgl.enabled=false", "--set", "evaluate.mu_images=2"].into_iter().chain(SHORT).map(word);
    let begin: Vec<_> =
        [word("run"), experiment.as_os_str(), word("--set"), &set].into_iter().chain(more.clone()).collect();
    own(&[begin.clone(), vec![word("--out"), run.as_os_str()]].concat());
    let kept = Experiment::load(run.join("experiment.toml")).unwrap().data.name;
    assert!(kept.starts_with("file:///") && kept.ends_with("/caf%E9/digits"), "{kept}");
    // Among the program's own data, whose folder has such a name here.
    own(&begin);
    assert_eq!(fs::read_dir(cafe.join("runs")).unwrap().count(), 1);
    own(&[word("show"), run.as_os_str()]);
    own(&[word("run"), word("--resume"), run.as_os_str()]);
    own(&[word("attack"), run.as_os_str(), word("--with"), word("rmle"), word("--images"), word("1")]);
    own(&[word("export"), run.as_os_str(), word("--torch"), cafe.join("weights").as_os_str()]);
    let refused =
        program([word("run"), word("quick"), word("--set"), OsStr::from_bytes(b"seed=\xe9")]).output().unwrap();
    let told = String::from_utf8(refused.stderr).unwrap();
    assert_eq!((refused.status.code(), told.lines().count()), (Some(2), 1), "{told}");
    assert!(told.contains("this is no Unicode text"), "{told}");
}

// --- texts ----------------------------------------------------------------------------------------

#[test]
fn an_experiment_is_read_as_powershell_and_notepad_write_it() {
    let folder = scratch();
    let toml = "# γ\r\nseed = 3\r\n";
    let little: Vec<u8> = toml.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let big: Vec<u8> = toml.encode_utf16().flat_map(u16::to_be_bytes).collect();
    let ways = [
        [&[0xff, 0xfe], &little[..]].concat(),
        [&[0xfe, 0xff], &big[..]].concat(),
        [b"\xef\xbb\xbf", toml.as_bytes()].concat(),
    ];
    for (number, bytes) in ways.into_iter().enumerate() {
        let path = folder.path().join(format!("{number}.toml"));
        Writer::default().write(&path, &bytes).unwrap();
        assert_eq!(Experiment::load(&path).unwrap().seed, 3);
    }
    // A run's own document may have been looked at and saved so.
    let run = quick(folder.path(), "run", &SHORT);
    fs::remove_file(run.join("summary.json")).unwrap();
    let toml = fs::read_to_string(run.join("experiment.toml")).unwrap();
    let again: Vec<u8> = [0xfeff].into_iter().chain(toml.encode_utf16()).flat_map(u16::to_le_bytes).collect();
    Writer::default().write(&run.join("experiment.toml"), &again).unwrap();
    succeed(["run", "--resume", text(&run)]);
}

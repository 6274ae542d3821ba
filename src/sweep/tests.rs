use std::path::Path;

use super::call::Call;
use super::folder::SweepFolder;
use super::library::SWEEPS;
use super::plan::{For, commands};
use super::record::Standing;
use super::slurm::Wishes;
use super::{Cell, Sweep};
use crate::experiment::Experiment;
use crate::whole_files::Writer;

fn read(text: &str) -> Result<Sweep, String> {
    Sweep::from_toml("x", text, "x.toml", Path::new(".")).map_err(|error| error.to_string())
}

fn names(text: &str) -> Vec<String> {
    read(text).unwrap().cells.into_iter().map(|cell| cell.name).collect()
}

#[test]
fn a_grid_is_every_combination_and_a_list_one_after_another() {
    let text = "base = \"quick\"\n[set]\ntrain.epochs = 1\n[grid]\nseed = [0, 1]\n\
                [[list]]\ndefence = \"dropout\"\n\"defence.dropout.p\" = [0.2, 0.5]\n\
                [[list]]\ndefence = \"none\"\nmodel.cut = [2, 4]\n";
    assert_eq!(
        names(text),
        [
            "dropout-p.2-s0",
            "dropout-p.5-s0",
            "dropout-p.2-s1",
            "dropout-p.5-s1",
            "none-cut-2-s0",
            "none-cut-4-s0",
            "none-cut-2-s1",
            "none-cut-4-s1",
        ],
        "cut 4 is the base's own, so that the undefended cells are listed already"
    );
    assert_eq!(names(&text.replace("[2, 4]", "2"))[..2], ["none-s0", "none-s1"], "else they come first");
    let sweep = read(text).unwrap();
    let cell = sweep.cell("dropout-p.5-s1").unwrap();
    let mut expected = Experiment::preset("quick").unwrap().undefended();
    for assignment in ["train.epochs=1", "train.twin=false", "seed=1"] {
        expected.set(assignment).unwrap();
    }
    expected.set("defence=[{ name = \"dropout\", p = 0.5 }]").unwrap();
    assert_eq!(cell.experiment, expected);
    assert_eq!(cell.undefended.as_deref(), Some("none-cut-4-s1"));
    assert_eq!(sweep.cell("4").unwrap(), cell, "by its number, from 1");
    assert!(sweep.cell("0").is_none() && sweep.cell("9").is_none());
}

#[test]
fn every_cell_trains_one_model_and_has_an_undefended_one_of_its_seed() {
    for built_in in &SWEEPS {
        let sweep = Sweep::load(built_in.name).unwrap();
        let find = |name: &str| sweep.cells.iter().find(|cell| cell.name == name).unwrap();
        let mut known = std::collections::BTreeSet::new();
        for Cell { name, undefended, experiment, .. } in &sweep.cells {
            assert!(known.insert(name.to_lowercase()), "{name} is there twice");
            assert!(
                name.len() < 100 && name.chars().all(|c| c.is_ascii_alphanumeric() || "-.,+".contains(c)),
                "{name}"
            );
            assert!(!experiment.train.twin);
            experiment.validate().unwrap();
            let plain = match undefended {
                Some(plain) => &find(plain).experiment,
                None if !experiment.defended() => continue,
                // Where a file lists its undefended cells itself, they need not be the same network.
                None => {
                    let fits = |cell: &&Cell| !cell.experiment.defended() && cell.experiment.seed == experiment.seed;
                    let listed = sweep.cells.iter().find(fits);
                    &listed.unwrap_or_else(|| panic!("{name} has nothing to compare with")).experiment
                }
            };
            assert!(!plain.defended() && plain.seed == experiment.seed);
            assert!(undefended.is_none() || plain.model.cut == experiment.model.cut);
            assert_eq!((&plain.data, &plain.train), (&experiment.data, &experiment.train), "{name}");
        }
    }
    let cells = |name: &str| Sweep::load(name).unwrap().cells;
    assert_eq!(cells("tiny").len(), 12);
    assert_eq!(cells("recognition").len(), 30);
    assert!(cells("digits-small").len() >= 24 && cells("digits-frontier").len() >= 40);
}

#[test]
fn names_stay_when_a_file_gets_more_values() {
    let file = |shares: &str, seeds: &str| {
        format!(
            "base = \"quick\"\n[grid]\ndefence = \"dropout\"\n\"defence.dropout.p\" = {shares}\nseed = {seeds}\n\
             attack.rmle.iterations = 5"
        )
    };
    let few = names(&file("[0.1]", "[0]"));
    assert_eq!(few, ["none-rmle-iterations-5-s0", "dropout-p.1-rmle-iterations-5-s0"]);
    let more = names(&file("[0.1, 0.2]", "[0, 1]"));
    assert!(few.iter().all(|name| more.contains(name)), "{more:?}");
}

#[test]
fn names_that_would_be_the_same_or_too_long_are_told_apart() {
    let data = "base = \"quick\"\nundefended = false\n[grid]\ndata.name = [\"/a/x.npz\", \"/b/x.npz\"]";
    let twice = names(data);
    assert!(twice[0] != twice[1] && twice.iter().all(|name| name.starts_with("x.npz-")), "{twice:?}");
    assert_eq!(twice, names(data), "and are the same tomorrow");
    let long = names(
        "base = \"quick\"\nundefended = false\n[grid]\nseed = [1, 2]\ntrain.rate = 0.0123456\ntrain.momentum = 0.0123456\n\
         train.shift = 0.0123456\ntrain.contrast = 0.0123456\ntrain.rotate = 1.23456\nevaluate.fgsm_epsilon = 0.0123456",
    );
    assert!(long[0] != long[1] && long.iter().all(|name| (70..=80).contains(&name.len())), "{long:?}");
}

#[test]
fn a_wrong_file_is_told_by_field_and_file() {
    let grid = |text: &str| format!("base = \"quick\"\n[grid]\n{text}");
    for (text, says) in [
        ("[grid]\nseed = [1]".to_owned(), "base is missing"),
        ("base = \"quik\"\n[grid]\nseed = [1]".to_owned(), "did you mean `quick`?"),
        ("base = 3\n[grid]\nseed = [1]".to_owned(), "base = 3: allowed is a preset"),
        ("base = \"quick\"".to_owned(), "neither grid nor list is there"),
        (grid(""), "grid: it is empty"),
        (grid("seed = []"), "grid.seed = []: without a value there is no cell"),
        (grid("sed = [1]"), "grid: sed: no such field; did you mean `seed`?"),
        (grid("train.rate = [0.1, -7]"), "grid: train.rate = -7: allowed is"),
        (grid("defence = [\"dropuot\"]"), "grid: defence = \"dropuot\": allowed are \"none\", or"),
        (grid("defence = [\"dropuot\"]"), "did you mean \"dropout\"?"),
        (grid("attack = [\"rmel\"]"), "did you mean \"rmle\"?"),
        (grid("train.twin = [true]"), "grid: train.twin = true: a sweep sets it itself"),
        (grid("\"defence.dropout.p\" = [0.1]"), "this experiment has no defence of the list"),
        (grid("seed = [1]\n[grids]\nx = 1"), "grids: no such field; allowed are title, base"),
        (grid("seed = [1]\n[[list]]\ntrain.epohcs = 3"), "list[0]: train.epohcs: no such field"),
        (grid("seed = [1]\n[set]\ntrain.epochs = 0"), "set: train.epochs = 0: allowed is"),
        (grid("seed = [1]\n[slurm]\npartion = \"x\""), "slurm.partion: no such field"),
        (grid("seed = [1]\n[slurm]\npartition = \"a b\""), "slurm.partition: allowed are letters"),
        (grid("seed = [1"), "broken TOML in line 3"),
        (grid("seed = [1]\nmodel.cut = [2, 40]"), "cell none-cut-40-s1: model.cut = 40: allowed is 1 to 8"),
    ] {
        let error = read(&text).unwrap_err();
        assert!(error.contains(says) && error.ends_with("\nin x.toml"), "{text}: {error}");
    }
    let many: String = (0..300).map(|i| i.to_string()).collect::<Vec<_>>().join(", ");
    let error = read(&grid(&format!("seed = [{many}]\ntrain.epochs = [{many}]"))).unwrap_err();
    assert!(error.contains("90000 cells: allowed are up to 2000"), "{error}");
    let error = Sweep::load("tiyn").unwrap_err().to_string();
    assert!(error.contains("did you mean `tiny`?") && error.contains("digits-small"), "{error}");
}

#[test]
fn a_base_may_lie_beside_the_file_or_stand_in_it() {
    let folder = tempfile::tempdir().unwrap();
    let own = Experiment { seed: 7, ..Experiment::preset("quick").unwrap() };
    Writer::default().write(&folder.path().join("own.toml"), own.to_toml().as_bytes()).unwrap();
    let file = folder.path().join("my sweep.toml");
    Writer::default().write(&file, b"base = \"own.toml\"\n[grid]\nmodel.cut = [2]\n").unwrap();
    let sweep = Sweep::load(&file).unwrap();
    assert_eq!((sweep.name.as_str(), sweep.cells.len(), sweep.cells[1].experiment.seed), ("my sweep", 2, 7));
    let inside = "undefended = false\n[base]\nschema = 9\nseed = 5\n[grid]\nmodel.cut = [2, 4]";
    let sweep = read(inside).unwrap();
    assert_eq!(sweep.cells.iter().map(|cell| cell.experiment.seed).collect::<Vec<_>>(), [5, 5]);
}

#[test]
fn sweep_json_keeps_the_cells_with_their_experiments() {
    let folder = tempfile::tempdir().unwrap();
    let sweep = Sweep::load("tiny").unwrap();
    let held = SweepFolder::new(folder.path()).hold(&sweep).unwrap();
    let failed = Standing::Failed { error: "so".to_owned() };
    let standings: Vec<Standing> = std::iter::once(failed.clone()).chain(vec![Standing::Waiting; 11]).collect();
    held.keep(&sweep, &standings).unwrap();
    let record = held.folder.record().unwrap();
    assert_eq!((record.counts(), &record.cells[0].standing), ([0, 1, 12], &failed));
    assert_eq!(held.folder.sweep().unwrap().cells, sweep.cells);
    let second = SweepFolder::new(folder.path()).hold(&sweep).unwrap_err();
    assert!(second.to_string().starts_with("another process is running this sweep: "), "{second}");
    assert_eq!(second.exit_code(), 2);
    drop(held);
    SweepFolder::new(folder.path()).hold(&sweep).unwrap();
}

#[test]
fn a_place_that_is_taken_is_refused_and_what_differs_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let sweep = Sweep::load("tiny").unwrap();
    let cell = &sweep.cells[3];
    let run = folder.path().join(&cell.name);
    std::fs::create_dir(&run).unwrap();
    let there = SweepFolder::new(folder.path());
    there.check(cell).unwrap();
    let other = Experiment { seed: 77, ..cell.experiment.clone() };
    Writer::default().write(&run.join("experiment.toml"), other.to_toml().as_bytes()).unwrap();
    let error = there.hold(&sweep).unwrap_err().to_string();
    assert!(error.contains("with other settings (seed is 77 there and ") && error.ends_with(&cell.name), "{error}");
    assert!(!folder.path().join(".sweep").exists(), "nothing was written");
}

#[test]
fn a_claim_keeps_others_out_and_failures_are_kept_until_the_next_try() {
    let folder = tempfile::tempdir().unwrap();
    let there = SweepFolder::new(folder.path());
    assert_eq!(there.standing("a"), Standing::Waiting);
    let claim = there.claim("a").unwrap();
    assert!(there.is_claimed("a") && !there.is_claimed("b"));
    assert_eq!(there.standing("a"), Standing::Running);
    drop(claim);
    there.keep_failure("a", &crate::error::Error::input("seed = x"));
    assert!(there.failure("a").unwrap().wrong_input);
    assert_eq!(there.standing("a"), Standing::Failed { error: "seed = x".to_owned() });
    there.forget_failure("a");
    assert_eq!(there.standing("a"), Standing::Waiting);
}

#[test]
fn plans_name_every_cell_that_is_wanted() {
    let sweep = Sweep::load("tiny").unwrap();
    let call = Call {
        program: "/bin/cutlayer".into(),
        file: Some("tiny".into()),
        set: Vec::new(),
        out: "/runs/my sweep".into(),
        threads: None,
    };
    let wishes = Wishes { partition: Some("long".to_owned()), jobs: Some(3), ..Wishes::default() };
    let told = |whom| commands(&sweep, &[0, 1, 4], whom, &call, &wishes, 4);
    let shell = told(For::Shell);
    assert_eq!(shell.lines().count(), 3);
    assert_eq!(
        shell.lines().next(),
        Some(&*format!("/bin/cutlayer sweep tiny --out '/runs/my sweep' --cell {}", sweep.cells[0].name))
    );
    let slurm = told(For::Slurm);
    assert_eq!(slurm.matches("sbatch ").count(), 2, "the fifth has no place in an array of four: {slurm}");
    assert!(
        slurm.contains("--array=0-1%3")
            && slurm.contains("--partition=long")
            && slurm.contains("$((5 + SLURM_ARRAY_TASK_ID))"),
        "{slurm}"
    );
    let hq = told(For::HyperQueue);
    assert!(hq.starts_with("hq submit --array 1-2,5 ") && hq.contains("--cell $HQ_TASK_ID'"), "{hq}");
}

#[test]
fn wishes_of_the_command_line_stand_above_those_of_the_file() {
    let text = "base = \"quick\"\n[grid]\nseed = [1]\n[slurm]\npartition = \"a\"\ntime = \"1:00:00\"\ncpus = 2";
    let file = read(text).unwrap().cluster;
    let given = Wishes { partition: Some("b".to_owned()), ..Wishes::default() };
    let both = given.or(file);
    assert_eq!((both.partition.as_deref(), both.time.as_deref(), both.cpus), (Some("b"), Some("1:00:00"), Some(2)));
    assert_eq!(both.tries(), 3);
    let wrong = Wishes { account: Some("-x".to_owned()), ..Wishes::default() };
    assert!(wrong.check().unwrap_err().to_string().starts_with("--account -x: allowed are"));
}

#[test]
fn settings_from_outside_stand_above_those_of_the_sweep() {
    let text = "base = \"quick\"\n[set]\n\"train.epochs\" = 2\n[grid]\nseed = [0, 1]\n";
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a.toml");
    Writer::default().write(&file, text.as_bytes()).unwrap();
    let with = |above: &[&str]| Sweep::load_with(&file, &above.iter().map(|set| (*set).to_owned()).collect::<Vec<_>>());
    let sweep = with(&["train.epochs=5"]).unwrap();
    assert!(sweep.cells.iter().all(|cell| cell.experiment.train.epochs == 5));
    assert_eq!(sweep.cells.len(), with(&[]).unwrap().cells.len());
    let error = with(&["train.epoch=5"]).unwrap_err().to_string();
    assert!(error.contains("did you mean `epochs`?"), "{error}");
}

#[test]
fn images_that_are_not_there_are_told_once_and_before_anything_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let refused = |above: &[String]| {
        let sweep = Sweep::load_with("mias-frontier", above).unwrap();
        let out = folder.path().join("out");
        let error = SweepFolder::new(&out).hold(&sweep).unwrap_err().to_string();
        assert!(!out.exists());
        error
    };
    let error = refused(&[]);
    assert!(error.contains("does not come with the program") && error.contains("--set data.path=PATH"), "{error}");
    let gone = folder.path().join("gone.npz").display().to_string();
    let error = refused(&[format!("data.path={gone}")]);
    assert!(error.contains("are not there") && error.ends_with(&gone), "{error}");
}

//! What a document may say, and what a wrong one is told.

use std::collections::BTreeSet;

use super::*;
use crate::data::{Draw, Fold};
use crate::model::spec::{LayerSpec, shapes};
use crate::workbench;
use crate::workbench::settings;

fn preset(name: &str) -> Experiment {
    Experiment::preset(name).unwrap()
}

/// The message about a wrong document; none is long, and each ends with where it came from.
fn complaint(text: &str) -> String {
    let message = Experiment::from_toml(text, "my.toml").expect_err(text).to_string();
    assert!(message.lines().count() <= 4 && message.len() < 700, "{text}: {message}");
    message.strip_suffix("\nin my.toml").unwrap_or_else(|| panic!("{message}")).to_owned()
}

/// The default experiment, launching every attack that there is.
fn with_everything() -> Experiment {
    let attacks = workbench::attacks().iter().map(|kind| AttackSpec::of(kind)).collect();
    let listed = workbench::defences().iter().filter(|kind| kind.section.is_none());
    let defences = listed.map(|kind| DefenceSpec::named(kind.id).unwrap()).collect();
    Experiment { defences, attacks, ..Experiment::default() }
}

/// `allowed is "rmle" or …`: every attack.
fn allowed() -> String {
    let names: Vec<String> = workbench::attacks().iter().map(|kind| format!("\"{}\"", kind.id)).collect();
    format!("allowed is {}", names.join(" or "))
}

fn refused(assignment: &str) -> String {
    let mut experiment = Experiment::default();
    let message = match experiment.set(assignment) {
        Ok(()) => experiment.validate().expect_err(assignment).to_string(),
        Err(error) => {
            assert_eq!(experiment, Experiment::default(), "{assignment} changed something");
            error.to_string()
        }
    };
    assert!(message.lines().count() <= 4 && message.len() < 700, "{assignment}: {message}");
    message
}

#[test]
fn every_field_is_a_setting_and_every_setting_a_field() {
    let mut experiment = with_everything();
    experiment.model.input = Some([1, 28, 28]);
    experiment.model.layers = Some(vec![LayerSpec::Relu, LayerSpec::Flatten]);
    let mut keys = BTreeSet::new();
    for (key, value) in experiment.to_table().unwrap() {
        match (key.as_str(), value) {
            ("schema", _) => {}
            ("attack" | "defence", Value::Array(list)) => {
                for one in list {
                    let name = one["name"].as_str().unwrap().to_owned();
                    let leaves = one.as_table().unwrap().keys().filter(|leaf| *leaf != "name");
                    keys.extend(leaves.map(|leaf| format!("{key}.{name}.{leaf}")));
                }
            }
            (_, Value::Table(table)) => keys.extend(table.keys().map(|leaf| format!("{key}.{leaf}"))),
            _ => _ = keys.insert(key),
        }
    }
    assert_eq!(keys, settings().iter().map(|setting| setting.key.to_owned()).collect());
}

#[test]
fn every_word_of_a_choice_can_be_set_and_is_written_back() {
    for setting in settings() {
        if let Kind::Choice(words) = setting.kind {
            for word in words {
                let mut experiment = with_everything();
                experiment.set(&format!("{}={word}", setting.key)).unwrap();
                let leaf = setting::split(setting.key).1;
                assert!(experiment.to_toml().contains(&format!("\n{leaf} = \"{word}\"\n")), "{} {word}", setting.key);
            }
        }
    }
}

#[test]
fn all_presets_are_valid_come_back_equal_and_fit_their_data() {
    for (name, words, text) in PRESETS {
        let experiment = preset(name);
        experiment.validate().unwrap();
        let again = Experiment::from_toml(&experiment.to_toml(), name).unwrap();
        assert_eq!((&again, again.hash()), (&experiment, experiment.hash()), "{name}");
        assert!(text.starts_with("# ") && !words.is_empty(), "{name}");
        let (shape, classes) = match name {
            "psgl-brain" | "psgl-mias" | "psgl-mias-film" => ([1, 64, 64], 3),
            "psgl-breast" | "psgl-pneumonia" => ([1, 28, 28], 2),
            _ => ([1, 28, 28], 10),
        };
        let plan = experiment.check_model(shape, classes).unwrap();
        assert_eq!(plan.twin.is_some(), experiment.psgl.enabled);
        if let Some(twin) = plan.twin {
            assert_eq!(twin.smashed, plan.smashed, "{name}");
        }
    }
    assert_eq!(preset("psgl-digits"), Experiment::default());
    // What runs had in their checkpoints before there was a choice of optimiser, when decoders were given epochs.
    let hash = "448a4e701c760c99938c28ea842fe3ee133b2d16955d76b2b876be1fbdcfa5ce";
    let mut old = preset("psgl-digits");
    for assignment in ["attack.inverse.epochs=10", "attack.inverse.longer=1", "attack.rmle.rehearse=false"] {
        old.set(assignment).unwrap();
    }
    assert_eq!(old.hash(), hash);
}

/// `quick`'s data section as builds wrote it that had no choice of drawing.
const OLD_DATA: &str = "[data]\nname = \"mnist\"\naux = 0.01\ntrain = 512\ntest = 100\n";

#[test]
fn an_old_file_means_the_first_test_images_and_keeps_its_hash() {
    let now = preset("quick").to_toml();
    let start = now.find("[data]").unwrap();
    let end = now.find("[model]").unwrap();
    // With the seed of the run whose checkpoint has this hash.
    let old = format!("{}{OLD_DATA}\n{}", &now[..start], &now[end..]).replacen("seed = 0", "seed = 4", 1);
    let old = old.replace(&format!("schema = {SCHEMA}"), "schema = 1");
    let read = Experiment::from_toml(&old, "old").unwrap();
    assert_eq!(read.hash(), "947a5b373ffc7cccd3c35ecc082b597724ce92e90544ed6174dff41bfb08ac22");
    assert_eq!((read.data.test, read.data.draw), (100, Draw::First));
    let mut same = preset("quick");
    for assignment in ["seed=4", "data.draw=first"] {
        same.set(assignment).unwrap();
    }
    assert_eq!((&read, read.hash()), (&same, same.hash()));
    // A summary has it as JSON.
    let json = serde_json::to_string(&preset("quick")).unwrap();
    let old = json.replace(",\"draw\":\"balanced\"", "").replace(&format!("\"schema\":{SCHEMA}"), "\"schema\":1");
    let recorded = any_schema(&mut serde_json::Deserializer::from_str(&old)).unwrap();
    assert_eq!(recorded.data.draw, Draw::First);
}

#[test]
fn folds_of_an_old_file_are_drawn_as_they_were() {
    let read = |text: &str| Experiment::from_toml(text, "x").unwrap();
    let old = read("schema = 5\nattack = []\n[data]\nfolds = 5\nfold = 2");
    let mut same = read("schema = 9\nattack = []\n[data]\nfolds = 5\nfold = 2");
    assert!(!old.data.even && same.data.even);
    assert_ne!(old.hash(), same.hash());
    // What it is written as now is what it meant, with the hash that checkpoints of then have.
    assert_eq!(read(&old.to_toml()), old);
    same.set("data.even=false").unwrap();
    assert_eq!((&same, same.hash()), (&old, old.hash()));
    let fold = |experiment: &Experiment| experiment.data.wanted().unwrap().fold;
    assert_eq!(fold(&old), Some(Fold { number: 2, of: 5, even: false }));
    // Without folds it says nothing: whoever asks for some has even ones.
    let mut none = read("schema = 5\nattack = []");
    assert_eq!(none.hash(), read("schema = 9\nattack = []").hash());
    none.set("data.folds=5").unwrap();
    assert_eq!(fold(&none), Some(Fold { number: 0, of: 5, even: true }));
}

#[test]
fn where_no_number_of_test_images_is_said_they_are_drawn_fairly() {
    for text in ["", "[data]\naux = 0.2", "[data]\ntest = 0", "[data]\ntest = 40\ndraw = \"balanced\""] {
        assert_eq!(Experiment::from_toml(text, "x").unwrap().data.draw, Draw::Balanced, "{text}");
    }
    // Without a schema a file is of the first; the present one has its defaults.
    for (text, draw) in [
        ("[data]\ntest = 40", Draw::First),
        ("schema = 1\n[data]\ntest = 40", Draw::First),
        ("schema = 2\n[data]\ntest = 40", Draw::Balanced),
    ] {
        assert_eq!(Experiment::from_toml(text, "x").unwrap().data.draw, draw, "{text}");
    }
    for (name, ..) in PRESETS {
        let mut experiment = preset(name);
        experiment.set("data.test=40").unwrap();
        assert_eq!(experiment.data.draw, Draw::Balanced, "{name}");
    }
    // Of all images there is only one choice.
    let mut all = preset("psgl-digits");
    let hash = all.hash();
    all.set("data.draw=first").unwrap();
    assert_eq!(all.hash(), hash);
    all.set("data.test=40").unwrap();
    let first = all.hash();
    all.set("data.draw=balanced").unwrap();
    assert_ne!(all.hash(), first);
}

/// Another value than this one, within the setting's range.
fn another(kind: Kind, value: &Value) -> Value {
    match (kind, value) {
        (Kind::Switch, Value::Boolean(on)) => Value::Boolean(!on),
        (Kind::Whole { max, .. }, Value::Integer(n)) => Value::Integer(if *n < max { n + 1 } else { n - 1 }),
        (Kind::Real { min, max, .. }, Value::Float(x)) => {
            Value::Float(f64::midpoint(*x, if *x < max { max } else { min }))
        }
        (Kind::Choice(words), Value::String(word)) => {
            Value::String((*words.iter().find(|other| *other != word).unwrap()).to_owned())
        }
        (Kind::Text, Value::String(text)) => Value::String(format!("./{text}")),
        (Kind::List { item, .. }, Value::Array(list)) if !list.is_empty() => {
            let mut list = list.clone();
            list[0] = another(*item, &list[0]);
            Value::Array(list)
        }
        (Kind::List { .. }, _) => Value::Array(vec![Value::Integer(1)]),
        (kind, value) => panic!("{kind:?} {value}"),
    }
}

#[test]
fn every_setting_counts_for_the_hash() {
    let mut base = with_everything();
    // Without these, others have no effect.
    base.set("data.test=40").unwrap();
    base.set("data.folds=5").unwrap();
    base.model.input = Some([1, 28, 28]);
    let listed = base.to_table().unwrap();
    let mut hashes = BTreeSet::from([base.hash()]);
    // Which device computes does not count: a run may go on where it did not begin.
    let counts = |setting: &&setting::Setting| setting.kind != Kind::Layers && setting.key != "device";
    for setting in settings().iter().filter(counts) {
        let (section, leaf) = setting::split(setting.key);
        let value = match section.split_once('.') {
            Some((list, name)) => {
                let entries = listed[list].as_array().unwrap();
                &entries.iter().find(|one| one["name"].as_str() == Some(name)).unwrap()[leaf]
            }
            None if section.is_empty() => &listed[leaf],
            None => &listed[section][leaf],
        };
        let mut changed = base.clone();
        changed.set(&format!("{}={}", setting.key, another(setting.kind, value))).unwrap();
        assert!(hashes.insert(changed.hash()), "{} does not count", setting.key);
    }
    let mut elsewhere = base.clone();
    elsewhere.set("device=cuda").unwrap();
    assert_eq!(elsewhere.hash(), base.hash());
    let mut changed = base.clone();
    changed.set("model.layers=[\"flatten\", { linear = 10 }]").unwrap();
    assert!(hashes.insert(changed.hash()), "the layers do not count");
    assert_eq!(Experiment::from_toml(&base.to_toml(), "x").unwrap().hash(), base.hash());
}

#[test]
fn a_file_names_only_what_differs() {
    // What the first schema did not have is as it was then.
    let mut first = Experiment::default();
    for assignment in ["attack.rmle.rehearse=false", "attack.inverse.longer=1"] {
        first.set(assignment).unwrap();
    }
    assert_eq!(Experiment::from_toml("", "x").unwrap(), first);
    assert_eq!(Experiment::from_toml(&format!("schema = {SCHEMA}"), "x").unwrap(), Experiment::default());
    let experiment =
        Experiment::from_toml("schema = 9\n[psgl]\ntheta = 1\n[[attack]]\nname = \"rmle\"\nimages = 2", "x").unwrap();
    assert_eq!(experiment.psgl, PsglSpec::default());
    assert_eq!(experiment.attacks, [AttackSpec { images: 2, ..AttackSpec::named("rmle").unwrap() }]);
    let attack = &experiment.attacks[0];
    assert_eq!((attack.name(), attack.images, attack.early.as_slice()), ("rmle", 2, [0].as_slice()));
    assert!(attack.naive && attack.adaptive);
}

#[test]
fn no_attacks_is_a_choice_that_is_written_and_read() {
    let experiment = Experiment { attacks: vec![], ..Experiment::default() };
    experiment.validate().unwrap();
    assert_eq!(Experiment::from_toml(&experiment.to_toml(), "x").unwrap(), experiment);
}

#[test]
fn numbers_come_back_to_the_last_bit() {
    let mut experiment = Experiment { seed: i64::MAX.unsigned_abs(), ..Experiment::default() };
    experiment.psgl.gamma = f64::from_bits(0.1_f64.to_bits() + 1);
    experiment.train.rate = 1e-7;
    assert_eq!(Experiment::from_toml(&experiment.to_toml(), "x").unwrap(), experiment);
}

#[test]
fn a_misspelt_name_is_told_the_near_one() {
    assert_eq!(complaint("[psgl]\ngama = 0.2"), "psgl.gama: no such field; did you mean `gamma`?");
    assert_eq!(complaint("gamma = 0.2"), "gamma: no such field; did you mean `psgl.gamma`?");
    assert_eq!(complaint("[data]\nepochs = 2"), "data.epochs: no such field; did you mean `train.epochs`?");
    assert_eq!(complaint("[psgll]\ngamma = 0.2"), "psgll: no such field; did you mean [psgl]?");
    assert_eq!(complaint("sed = 1"), "sed: no such field; did you mean `seed`?");
    assert!(complaint("[train]\nzzz = 1").ends_with("[train] has epochs, batch, rate, optimizer, momentum, twin, schedule, warmup, class_weights, flip, shift, rotate, contrast, patience, weights"));
    assert!(complaint("zzzzz = 1").ends_with("the sections data, model, psgl, train, evaluate, defence, attack"));
    assert!(complaint("[zzzzz]").contains("zzzzz: no such field; there are schema, seed, threads, device"));
    assert_eq!(complaint("[[atack]]\nname = \"rmle\""), "atack: no such field; did you mean [[attack]]?");
    assert_eq!(complaint("\"psgl.gamma\" = 0.2"), "\"psgl.gamma\": no such field; write it without quotes");
    assert!(complaint("\"\" = 1").starts_with(": no such field; there are"));
    assert_eq!(
        complaint("[[attack]]\nname = \"rmle\"\niteration = 5"),
        "attack.rmle.iteration: no such field; did you mean `iterations`?"
    );
    assert_eq!(
        complaint("[psgl]\napply = \"spars\""),
        "psgl.apply = \"spars\": allowed is \"sparse\" or \"dense\"; did you mean \"sparse\"?"
    );
    assert_eq!(
        complaint("[[attack]]\nname = \"rmel\""),
        format!("attack[0].name = \"rmel\": {}; did you mean \"rmle\"?", allowed())
    );
    assert!(complaint("[model]\nname = \"lenet\"").ends_with("; did you mean \"lenet5\"?"));
    assert!(complaint("[data]\nname = \"mnst\"").ends_with("as in \"./mnst\"; did you mean \"mnist\"?"));
    let message = Experiment::preset("psgl-digit").unwrap_err().to_string();
    assert!(message.starts_with("unknown preset \"psgl-digit\"; did you mean `psgl-digits`?\npresets: "), "{message}");
    assert!(message.contains("vanilla-digits, psgl-paper-digits, psgl-brain, psgl-breast, psgl-pneumonia, psgl-mias, psgl-mias-film, quick"), "{message}");
    let message = AttackSpec::named("invers").unwrap_err().to_string();
    assert_eq!(message, format!("unknown attack \"invers\": {}; did you mean \"inverse\"?", allowed()));
    assert!(workbench::attacks().iter().all(|kind| AttackSpec::named(kind.id).unwrap().name() == kind.id));
}

#[test]
fn a_value_out_of_range_is_told_the_range() {
    let newer = format!(
        "schema = {}: this was made by a newer version of Cutlayer; version {} reads schemas up to {SCHEMA}: update it",
        SCHEMA + 1,
        env!("CARGO_PKG_VERSION"),
    );
    for (text, expected) in [
        ("[psgl]\ngamma = 0", "psgl.gamma = 0: allowed is a number above 0, up to 1"),
        ("[psgl]\ngamma = 1.5", "psgl.gamma = 1.5: allowed is a number above 0, up to 1"),
        ("[psgl]\ngamma = nan", "psgl.gamma = nan: allowed is a number above 0, up to 1"),
        ("[psgl]\ntheta = 0.0", "psgl.theta = 0.0: allowed is a number above 0, up to 1"),
        ("[psgl]\ntheta = -inf", "psgl.theta = -inf: allowed is a number above 0, up to 1"),
        ("[psgl]\nmu = 0.0001", "psgl.mu = 0.0001: allowed is a number from 0.001 to 100"),
        ("[train]\nrate = inf", "train.rate = inf: allowed is a number from 1e-7 to 1"),
        ("[train]\nepochs = 0", "train.epochs = 0: allowed is a whole number from 1 to 10000"),
        ("threads = 257", "threads = 257: allowed is a whole number from 0 to 256"),
        ("seed = -1", "seed = -1: allowed is a whole number from 0 to 9223372036854775807"),
        ("[data]\naux = 0.6", "data.aux = 0.6: allowed is a number from 0.01 to 0.5"),
        (
            "[psgl]\nweights = [1, 2]",
            "psgl.weights = [1, 2]: allowed is a list of 3, each a number from 0 to 1000; this one has 2",
        ),
        ("[psgl]\nweights = [1, nan, 2]", "psgl.weights[1] = nan: allowed is a number from 0 to 1000"),
        ("[psgl]\nweights = [0, 0, 0]", "psgl.weights = [0.0, 0.0, 0.0]: allowed is a sum above 0"),
        ("[evaluate]\ngammas = [0.1, 2]", "evaluate.gammas[1] = 2: allowed is a number above 0, up to 1"),
        ("[evaluate]\nmus = [0.1, 0.1]", "evaluate.mus[1] = 0.1: is in the list twice"),
        (
            "[[attack]]\nname = \"rmle\"\nimages = 0",
            "attack.rmle.images = 0: allowed is a whole number from 1 to 10000",
        ),
        (
            "[[attack]]\nname = \"rmle\"\nearly = [0, 7]",
            "attack.rmle.early = [0, 7]: 7 never comes: allowed is 0 to 6, which is train.epochs",
        ),
        (
            "[[attack]]\nname = \"rmle\"\nnaive = false\nadaptive = false",
            "attack.rmle.naive = false and attack.rmle.adaptive = false: allowed is at least one true",
        ),
        (
            "[[attack]]\nname = \"rmle\"\n[[attack]]\nname = \"rmle\"",
            "attack[1].name = \"rmle\": this attack is in the list twice; give one of them a label of its own, as in label = \"rmle-2\"",
        ),
        (
            "[model]\ncut = 11",
            "model.cut = 11: allowed is 1 to 10: \"split-cnn\" has 11 layers, and the client and the server need one each",
        ),
        ("[model]\ncut = 0", "model.cut = 0: allowed is a whole number from 1 to 63"),
        (&format!("schema = {}\nfuture = true", SCHEMA + 1), &newer),
    ] {
        assert_eq!(complaint(text), expected);
    }
}

#[test]
fn a_value_of_the_wrong_type_is_told_the_right_one() {
    for (text, expected) in [
        (
            "[train]\nepochs = 6.0",
            "train.epochs = 6.0: allowed is a whole number from 1 to 10000, without a decimal point",
        ),
        ("[train]\nepochs = 6.5", "train.epochs = 6.5: allowed is a whole number from 1 to 10000"),
        ("[psgl]\ngamma = \"0.1\"", "psgl.gamma = \"0.1\": allowed is a number above 0, up to 1, without quotes"),
        ("[psgl]\ngamma = \"much\"", "psgl.gamma = \"much\": allowed is a number above 0, up to 1"),
        ("[psgl]\ngamma = 1979-05-27", "psgl.gamma = 1979-05-27: allowed is a number above 0, up to 1"),
        ("[psgl]\nenabled = 1", "psgl.enabled = 1: allowed is true or false"),
        ("[psgl]\nenabled = \"true\"", "psgl.enabled = \"true\": allowed is true or false, without quotes"),
        ("[psgl]\napply = 3", "psgl.apply = 3: allowed is \"sparse\" or \"dense\""),
        ("[psgl.gamma]\nx = 1", "psgl.gamma = { x = 1 }: allowed is a number above 0, up to 1"),
        ("[seed]", "seed = {}: allowed is a whole number from 0 to 9223372036854775807"),
        (
            "train = 3",
            "train = 3: is a section: a line [train] and below it epochs, batch, rate, optimizer, momentum, twin, \
             schedule, warmup, class_weights, flip, shift, rotate, contrast, patience, weights",
        ),
        (
            "[[train]]",
            "train = [{}]: is a section: a line [train] and below it epochs, batch, rate, optimizer, momentum, twin, \
             schedule, warmup, class_weights, flip, shift, rotate, contrast, patience, weights",
        ),
        ("schema = \"1\"", &format!("schema = \"1\": allowed is a whole number from 1 to {SCHEMA}")),
        ("[attack]\nname = \"rmle\"", "attack: allowed is a list, each begun by a line [[attack]]; found one table"),
        ("attack = 3", "attack: allowed is a list, each begun by a line [[attack]]; found 3"),
        ("attack = [3]", "attack[0] = 3: allowed is a table with a name and settings"),
        ("[[attack]]\nimages = 3", &format!("attack[0].name is missing: {}", allowed())),
        ("[[attack]]\nname = 3", &format!("attack[0].name = 3: {}", allowed())),
        ("[data]\nname = \"\"", "data.name = \"\": allowed is a text in quotes on one line, 1 to 1024 characters"),
    ] {
        assert_eq!(complaint(text), expected);
    }
}

#[test]
fn a_wrong_layer_is_named_by_its_place() {
    for (layers, expected) in [
        ("[]", "model.layers = []: allowed is a list of 2 to 64 layers; this one has 0"),
        ("7", "model.layers = 7: allowed is a list of 2 to 64 layers"),
        ("[\"relu\", 7]", "model.layers[1] = 7: allowed is a word, as in \"relu\", or a table, as in { linear = 10 }"),
        ("[\"relu\", { residual = 7 }]", "model.layers[1].residual = 7: allowed is a list of layers"),
        (
            "[\"relu\", { residual = [\"relu\", 7] }]",
            "model.layers[1].residual[1] = 7: allowed is a word, as in \"relu\", or a table, as in { linear = 10 }",
        ),
        ("[\"relu\", { linear = 0 }]", "model.layers[1] = { linear = 0 }: `linear` = 0: must be at least 1"),
    ] {
        assert_eq!(complaint(&format!("[model]\nlayers = {layers}")), expected);
    }
    for (wrong, near) in [("\"rely\"", "relu"), ("{ lineer = 3 }", "linear"), ("{ residual = [\"tan\"] }", "tanh")] {
        let message = complaint(&format!("[model]\nlayers = [\"relu\", {wrong}]"));
        assert!(message.starts_with("model.layers[1]"), "{message}");
        assert!(
            message.contains("unknown layer") && message.ends_with(&format!("; did you mean \"{near}\"?")),
            "{message}"
        );
    }
    let deep = format!("[model]\nlayers = [{}]", "{ residual = [\"relu\", \"relu\"] },".repeat(40));
    assert!(complaint(&deep).contains("120 layers, those inside residual counted: allowed is up to 64"));
}

#[test]
fn broken_toml_is_told_where_and_why() {
    let message = complaint("seed = 1\n[psgl]\ngamma = = 2");
    assert!(message.starts_with("broken TOML in line 3, column 9: "), "{message}");
    assert!(complaint("seed = 1\nseed = 2").contains("line 2, column 1: duplicate key"));
    assert!(complaint("größe = ä").contains("line 1, column "));
    assert!(complaint("[psgl").contains("line 1"));
    assert!(complaint("seed = 99999999999999999999").contains("line 1"));
    for hostile in
        ["[".repeat(100_000), "a.".repeat(100_000), "x = ".to_owned() + &"[".repeat(100_000), "\u{1}".repeat(9)]
    {
        complaint(&hostile);
    }
    // Keys and values that would not fit on a screen, or would move the cursor of a terminal.
    complaint(&format!("{} = 1", "k".repeat(100_000)));
    assert!(!complaint("[psgl]\n\"\\u001b[2J\" = 1").contains('\u{1b}'));
    assert!(!complaint("[psgl]\napply = \"\\u001b[2J\"").contains('\u{1b}'));
    complaint(&format!("[psgl]\napply = \"{}\"", "k".repeat(100_000)));
    complaint(&format!("[model]\nlayers = [\"relu\", \"{}\"]", "k".repeat(100_000)));
    assert!(!complaint("[model]\nlayers = [\"relu\", \"\\u001b[2J\"]").contains('\u{1b}'));
}

#[test]
fn a_device_that_this_build_lacks_is_told_the_feature() {
    for (device, feature, has) in
        [("cuda", "CUDA", cfg!(feature = "cuda")), ("metal", "Metal", cfg!(feature = "metal"))]
    {
        let experiment = Experiment::from_toml(&format!("device = \"{device}\""), "x").unwrap();
        let expected = format!(
            "device = \"{device}\": this build has no {feature}; build it with `cargo build --release --features \
             {device}`, or set device = \"cpu\""
        );
        assert_eq!(experiment.validate().err().map(|e| e.to_string()), (!has).then_some(expected));
    }
}

#[test]
fn what_was_changed_in_memory_is_checked_too() {
    let wrong = |change: fn(&mut Experiment)| {
        let mut experiment = Experiment::default();
        change(&mut experiment);
        // No panic, and no reader takes it for another experiment.
        let _ = experiment.hash();
        assert!(Experiment::from_toml(&experiment.to_toml(), "x").is_err());
        let error = experiment.validate().unwrap_err();
        assert_eq!(error.exit_code(), 2);
        error.to_string()
    };
    assert!(wrong(|e| e.psgl.gamma = f64::NAN).starts_with("psgl.gamma = nan: allowed is"));
    assert!(wrong(|e| e.psgl.weights[2] = f64::INFINITY).starts_with("psgl.weights[2] = inf: allowed is"));
    assert!(wrong(|e| e.seed = u64::MAX).starts_with("seed = 18446744073709551615: allowed is"));
    assert!(wrong(|e| e.train.epochs = usize::MAX).contains("too large"));
    assert!(wrong(|e| e.model.cut = 11).starts_with("model.cut = 11: allowed is 1 to 10"));
    assert!(wrong(|e| e.schema = SCHEMA + 1).starts_with("schema = "));
    assert!(wrong(|e| e.model.layers = Some(vec![])).starts_with("model.layers = []"));
}

#[test]
fn a_field_is_set_by_its_key() {
    let mut experiment = Experiment::default();
    for assignment in [
        "psgl.gamma=0.2",
        " psgl.theta = .5 ",
        "psgl.apply=dense",
        "data.name=./my images/2024",
        "evaluate.gammas=[0.1]",
        "attack.0.images=4",
        "attack.inverse.amsgrad=true",
        "seed=7",
        "schema=1",
    ] {
        experiment.set(assignment).unwrap_or_else(|error| panic!("{assignment}: {error}"));
    }
    assert_eq!(
        (experiment.psgl.gamma, experiment.psgl.theta, experiment.psgl.apply),
        (0.2, 0.5, crate::defence::psgl::strength::Apply::Dense)
    );
    assert_eq!((experiment.data.name.as_str(), experiment.seed), ("./my images/2024", 7));
    assert_eq!(experiment.attacks[0].images, 4);
    let inverse = &experiment.attacks[1];
    assert!(inverse.name() == "inverse" && inverse.values.switch("amsgrad").unwrap() && inverse.early == [1]);
    experiment.set("data.name=\"mnist\"").unwrap();
    experiment.set("attack=[]").unwrap();
    assert!(experiment.attacks.is_empty());
    assert_eq!(
        experiment.set("attack.0.images=4").unwrap_err().to_string(),
        "attack.0.images: this experiment has no attacks"
    );
    experiment.validate().unwrap();
}

#[test]
fn two_assignments_may_belong_together() {
    let mut experiment = preset("psgl-digits");
    experiment.set("model.cut=11").unwrap();
    assert!(experiment.validate().is_err());
    experiment.set("model.name=lenet5").unwrap();
    experiment.validate().unwrap();
}

#[test]
fn listed_layers_and_a_named_model_replace_each_other() {
    let mut experiment = Experiment::default();
    experiment.set("model.layers=[\"relu\", \"flatten\", { linear = 10 }]").unwrap();
    experiment.set("model.cut=1").unwrap();
    assert_eq!((experiment.model.name.as_str(), experiment.layers(10).unwrap().len()), ("custom", 3));
    experiment.validate().unwrap();
    experiment.set("model.name=mine").unwrap();
    assert_eq!(experiment.layers(10).unwrap().len(), 3);
    experiment.set("model.name=lenet5").unwrap();
    assert_eq!((experiment.model.layers.as_ref(), experiment.layers(10).unwrap().len()), (None, 12));
    let listed = Experiment::from_toml("[model]\ncut = 1\nlayers = [\"relu\", \"flatten\"]", "x").unwrap();
    assert_eq!(listed.model.name, "custom");
}

#[test]
fn a_wrong_assignment_is_told_what_would_do_and_changes_nothing() {
    for (assignment, expected) in [
        ("psgl.gamma", "\"psgl.gamma\": allowed is key=value, as in psgl.gamma=0.2"),
        ("psgl.gama=1", "psgl.gama: no such field; did you mean `gamma`?"),
        ("gamma=1", "gamma: no such field; did you mean `psgl.gamma`?"),
        ("psgl.gamma=2", "psgl.gamma = 2: allowed is a number above 0, up to 1"),
        ("psgl.gamma=nan", "psgl.gamma = nan: allowed is a number above 0, up to 1"),
        ("psgl.gamma=NaN", "psgl.gamma = nan: allowed is a number above 0, up to 1"),
        ("psgl.gamma=much", "psgl.gamma = much: allowed is a number above 0, up to 1"),
        ("psgl.gamma=", "psgl.gamma = : allowed is a number above 0, up to 1"),
        ("psgl.gamma=0.2\nseed = 3", "psgl.gamma = 0.2\u{fffd}seed = 3: allowed is a number above 0, up to 1"),
        ("psgl.gamma.x=1", "psgl.gamma.x: no such field; did you mean `psgl.gamma`?"),
        ("psgl.enabled=yes", "psgl.enabled = yes: allowed is true or false"),
        ("psgl.apply=sparce", "psgl.apply = \"sparce\": allowed is \"sparse\" or \"dense\"; did you mean \"sparse\"?"),
        ("psgl=1", "psgl is a section: set one of its fields, as in psgl.enabled"),
        ("seed=-1", "seed = -1: allowed is a whole number from 0 to 9223372036854775807"),
        ("schema=0", &format!("schema = 0: allowed is a whole number from 1 to {SCHEMA}")),
        ("attack.2.images=4", "attack.2.images: this experiment has the attacks 0 to 1: rmle, inverse"),
        (
            "attack.rmel.images=4",
            "attack.rmel.images: this experiment has the attacks 0 to 1: rmle, inverse; did you mean `attack.rmle`?",
        ),
        ("attack.0.images=0", "attack.rmle.images = 0: allowed is a whole number from 1 to 10000"),
        ("attack.0.imges=1", "attack.rmle.imges: no such field; did you mean `images`?"),
        ("attack.0.name=inverse", "attack.0.name cannot be set; set the list, as in attack=[{ name = \"rmle\" }]"),
        ("attack=[{ name = \"dig\" }]", &format!("attack[0].name = \"dig\": {}; did you mean \"dlg\"?", allowed())),
        ("model.cut=64", "model.cut = 64: allowed is a whole number from 1 to 63"),
    ] {
        assert_eq!(refused(assignment), expected);
    }
    for assignment in [
        "",
        "=",
        "=1",
        ".=1",
        "attack.=1",
        "attack.0=1",
        "attack=3",
        "attack=[",
        "model.layers=[{",
        "model=1",
        "\u{0}=\u{0}",
        "schema=",
    ] {
        refused(assignment);
    }
}

#[test]
fn load_takes_a_preset_or_a_file_and_says_what_is_wrong_with_others() {
    assert_eq!(Experiment::load("quick").unwrap(), preset("quick"));
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        let mut file = std::fs::OpenOptions::new().create(true).truncate(true).write(true).open(&path).unwrap();
        std::io::Write::write_all(&mut file, bytes).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let good = file("good.toml", b"\xef\xbb\xbfseed = 5\r\n");
    assert_eq!(Experiment::load(&good).unwrap().seed, 5);
    for (path, expected) in [
        (file("binary.toml", &[0x7f, b'E', b'L', b'F', 0]), "not a text file (UTF-8): byte 4: "),
        (file("latin.toml", b"# caf\xe9"), "not a text file (UTF-8): byte 5: "),
        (file("large.toml", &vec![b'#'; 1_048_577]), "larger than 1 MiB, so no experiment: "),
        (file("broken.toml", b"seed = \n"), "broken TOML in line 1, column "),
        (file("wrong.toml", b"seed = -1"), "seed = -1: allowed is"),
        (folder.path().to_str().unwrap().to_owned(), "is a folder, not a TOML file: "),
        ("no/such.toml".to_owned(), "no such file: no/such.toml"),
        ("psgl".to_owned(), "unknown preset \"psgl\"; did you mean `psgl-digits`?\npresets: psgl-digits, "),
        (String::new(), "unknown preset \"\"\npresets: "),
        ("a\0b.toml".to_owned(), "could not read the experiment: "),
    ] {
        let error = Experiment::load(&path).unwrap_err();
        assert!(error.to_string().starts_with(expected), "{error}");
        assert_eq!(error.exit_code(), 2);
        assert!(error.to_string().contains(path.trim_end_matches(".toml")) || path.contains('\0'), "{error}");
    }
    file("experiment.toml", b"");
    let message = Experiment::load(folder.path().to_str().unwrap()).unwrap_err().to_string();
    assert!(message.contains("; did you mean the experiment.toml in it?"), "{message}");
}

#[test]
fn the_plan_of_the_default_experiment_is_that_of_the_method() {
    let plan = Experiment::default().check_model([1, 28, 28], 10).unwrap();
    assert_eq!((plan.input, plan.packed, plan.cut), ([1, 28, 28], [5, 14, 14], 4));
    assert_eq!(plan.smashed, [32, 14, 14]);
    let twin = plan.twin.unwrap();
    assert_eq!((twin.cut, twin.smashed), (5, vec![32, 14, 14]));
    assert_eq!(Some(twin.layers), zoo::layers("split-cnn-vanilla", 10));
    let vanilla = preset("vanilla-digits").check_model([1, 28, 28], 10).unwrap();
    assert_eq!((vanilla.packed, vanilla.cut, vanilla.twin), ([1, 28, 28], 5, None));
    let mut alone = Experiment::default();
    alone.train.twin = false;
    assert_eq!(alone.check_model([1, 28, 28], 10).unwrap().twin, None);
    // Odd sides are padded by PSGL and cut by the twin's pool.
    let odd = Experiment::default().check_model([3, 27, 29], 2).unwrap();
    assert_eq!(
        (odd.packed, odd.smashed, odd.twin.unwrap().smashed),
        ([13, 14, 15], vec![32, 14, 15], vec![32, 13, 14])
    );
}

#[test]
fn every_named_model_can_be_cut_in_several_places_under_psgl_and_without() {
    for name in zoo::NAMES {
        for (shape, classes) in [([1, 28, 28], 10), ([1, 64, 64], 3), ([3, 28, 28], 2)] {
            let mut fits = 0;
            let mut experiment = Experiment::default();
            experiment.set(&format!("model.name={name}")).unwrap();
            let count = experiment.layers(classes).unwrap().len();
            for cut in 1..count {
                experiment.model.cut = cut;
                experiment.psgl.enabled = true;
                if let Ok(plan) = experiment.check_model(shape, classes) {
                    assert_eq!(plan.twin.unwrap().smashed, plan.smashed, "{name} {shape:?} cut {cut}");
                    fits += 1;
                }
                experiment.psgl.enabled = false;
                experiment.check_model(shape, classes).unwrap();
            }
            assert!(fits >= 3, "{name} {shape:?}: {fits}");
        }
    }
}

#[test]
fn the_twin_pools_after_the_clients_first_relu_or_else_its_first_layer() {
    let mut experiment = Experiment::default();
    experiment
        .set(
            "model.layers=[{ conv = 4, kernel = 3, padding = 1 }, \"tanh\", { conv = 4, kernel = 3, padding = 1 }, \
             \"relu\", \"flatten\", { linear = 10 }]",
        )
        .unwrap();
    for (cut, pool) in [(1, 1), (2, 1), (3, 1), (4, 4)] {
        experiment.model.cut = cut;
        let plan = experiment.check_model([1, 28, 28], 10).unwrap();
        let twin = plan.twin.unwrap();
        assert_eq!(twin.layers.iter().position(|layer| *layer == LayerSpec::MaxPool(2)), Some(pool));
        assert_eq!((twin.cut, twin.smashed), (cut + 1, plan.smashed));
        assert!(shapes(&[1, 28, 28], &twin.layers).is_ok());
    }
}

#[test]
fn a_model_that_does_not_fit_is_told_what_was_wanted_and_found() {
    let told = |assignments: &[&str], shape, classes| {
        let mut experiment = Experiment::default();
        for assignment in assignments {
            experiment.set(assignment).unwrap();
        }
        experiment.check_model(shape, classes).unwrap_err().to_string()
    };
    let digits = [1, 28, 28];
    assert_eq!(
        told(&["model.cut=8"], digits, 10),
        "model.cut = 8: PSGL needs smashed data that are still channels × height × width; found 3136; cuts that do: 1, \
         2, 3, 4, 5, 6, 7"
    );
    assert_eq!(told(&["model.cut=11"], digits, 10).split(':').next(), Some("model.cut = 11"));
    assert_eq!(
        told(&["model.input=[1, 64, 64]"], digits, 10),
        "model.input = [1, 64, 64]: the images of mnist are [1, 28, 28]"
    );
    let ten = "model.layers=[\"relu\", { conv = 4, kernel = 3 }, \"flatten\", { linear = 10 }]";
    assert_eq!(
        told(&[ten, "model.cut=2"], digits, 3),
        "model.layers[3]: the last layer must give 3 numbers, one for each class of mnist, found 10; end with { \
         linear = 3 }"
    );
    assert!(told(&["model.layers=[\"relu\", \"relu\"]", "model.cut=1"], digits, 10).ends_with("found 5×14×14"));
    assert_eq!(
        told(&["model.layers=[\"relu\", { linear = 10 }]", "model.cut=1"], digits, 10),
        "model.layers[1]: wants a flat input, found 5×14×14; put \"flatten\" before it"
    );
    assert_eq!(
        told(
            &["model.layers=[\"flatten\", { linear = 10 }, \"relu\"]", "model.cut=2", "psgl.enabled=false"],
            digits,
            10
        ),
        "model.cut = 2: no layer after it has weights, so the server could not learn; cut earlier"
    );
    let pooled = "model.layers=[{ maxpool = 14 }, \"flatten\", { linear = 10 }]";
    assert!(
        told(&[pooled, "model.cut=1"], digits, 10).contains("since the head pools by 2; found 5×1×1; no cut of this")
    );
    let tiny = told(
        &["model.layers=[\"relu\", \"flatten\", { linear = 10 }]", "model.cut=1", "psgl.jacobian=server"],
        [1, 1, 1],
        10,
    );
    assert!(tiny.contains("the vanilla twin") && tiny.contains("train.twin = false"), "{tiny}");
    for layers in [
        "[\"flatten\", { linear = 65536 }, { linear = 65536 }, { linear = 10 }]",
        "[{ conv = 65536, kernel = 1, padding = 65536 }, \"flatten\", { linear = 10 }]",
        "[{ residual = [{ conv = 65536, kernel = 65535, padding = 32767 }, { conv = 5, kernel = 1 }] }, \"flatten\", \
         { linear = 10 }]",
    ] {
        let message = told(&[&format!("model.layers={layers}"), "model.cut=1"], digits, 10);
        assert!(message.contains("too large: "), "{message}");
    }
    assert!(told(&[], [1, 0, 28], 10).contains("found 1×0×28 images in 10 classes"));
    assert!(told(&[], digits, 1).contains("at least 2 classes"));
    assert!(told(&[], [1, usize::MAX, 28], 10).contains("allowed is 1 to 8192"));
    let mut unnamed = Experiment::default();
    unnamed.model.name = "resnet".to_owned();
    assert!(unnamed.layers(10).is_err() && unnamed.check_model(digits, 10).is_err());
}

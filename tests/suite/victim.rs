//! A victim exported from PyTorch (tests/torch_victim.py made it): its client computes what PyTorch's did, and attacks take it
//! as they take a run's.

use std::path::{Path, PathBuf};

use candle_core::{DType, Device, Tensor};
use cutlayer::attack::Inversion;
use cutlayer::attack::rmle::{self, Rmle, Settings};
use cutlayer::data::{Part, built_in};
use cutlayer::random::Seed;
use cutlayer::run::victim::{Paths, Victim};
use cutlayer::score::image::{mse, psnr};
use cutlayer::setting::Values;
use serde_json::Value;

use super::common::{scratch, succeed};

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

fn json_of(bytes: &[u8]) -> Value {
    serde_json::from_slice(bytes).unwrap()
}

fn part(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/victim").join(name)
}

fn whole() -> Paths {
    Paths {
        model: Some(part("model.toml")),
        client: Some(part("client.safetensors")),
        smashed: part("smashed.npz"),
        own: Some(part("own.npz")),
    }
}

fn reference() -> Value {
    serde_json::from_slice(&std::fs::read(part("reference.json")).unwrap()).unwrap()
}

/// rMLE at these of the victim's targets.
fn attack(victim: &Victim, from: usize, count: usize) -> Rmle {
    let seen = victim.evidence(from, count).unwrap();
    let known = victim.knowledge(None, Seed(0), "rmle").masked(rmle::KIND.knows);
    Rmle::new(&seen, &known, Settings::of(&Values::of(rmle::KIND.settings)).unwrap()).unwrap()
}

#[test]
fn the_loss_at_an_image_is_pytorchs() {
    let victim = Victim::open(&whole()).unwrap();
    let ramp: Vec<f32> = (0..784).map(|i| (0.1 + 0.8 * f64::from(i) / 783.0) as f32).collect();
    let ramp = Tensor::from_vec(ramp, (1, 1, 28, 28), &Device::Cpu).unwrap();
    for (i, wanted) in reference()["loss_at_ramp"].as_array().unwrap().iter().enumerate() {
        let mut rmle = attack(&victim, i, 1);
        assert!(rmle.start_from(&ramp).unwrap());
        rmle.advance().unwrap();
        let wanted = wanted.as_f64().unwrap();
        assert!((rmle.loss() / wanted - 1.0).abs() < 1e-5, "target {i}: {} of {wanted}", rmle.loss());
    }
}

#[test]
fn the_reconstruction_is_no_worse_than_pytorchs() {
    let victim = Victim::open(&whole()).unwrap();
    let mut rmle = attack(&victim, 0, 8);
    while !rmle.done() {
        rmle.advance().unwrap();
    }
    let got = rmle.reconstruction().unwrap();
    let truth = victim.truth.as_ref().unwrap();
    let own = (0..8).map(|i| {
        let image = got.get(i).unwrap().flatten_all().unwrap().to_vec1::<f32>().unwrap();
        psnr(mse(&image, &truth.values(i).unwrap()))
    });
    let own = own.sum::<f64>() / 8.0;
    let theirs = reference()["psnr"].as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).sum::<f64>() / 8.0;
    assert!(own > theirs - 0.5, "{own} dB, and PyTorch {theirs} dB");
}

fn arguments(more: &[&str], out: &Path) -> Vec<String> {
    let smashed = part("smashed.npz");
    let fixed = ["attack", "--smashed", text(&smashed), "--out", text(out)];
    fixed.iter().chain(more).map(|word| (*word).to_owned()).collect()
}

#[test]
fn the_command_attacks_it_with_weights_or_with_pairs_alone() {
    let folder = scratch();
    let (model, client, own) = (part("model.toml"), part("client.safetensors"), part("own.npz"));
    let out = folder.path().join("whole");
    let all =
        ["--model", text(&model), "--client", text(&client), "--aux", text(&own), "--with", "nearest,inverse,rmle"];
    let few = ["--set", "rmle.iterations=60", "--set", "inverse.epochs=3"];
    let table = succeed(arguments(&[&all[..], &few].concat(), &out));
    assert!(["nearest", "inverse", "rmle", "mean image"].iter().all(|word| table.contains(word)), "{table}");
    let summary = json_of(&std::fs::read(out.join("summary.json")).unwrap());
    assert_eq!((&summary["victim"]["targets"], &summary["victim"]["client_weights"]), (&8.into(), &true.into()));
    assert_eq!(summary["attacks"][2]["name"], "rmle");
    for name in ["images/rmle.png", "images/inverse.png", "reconstructions.npz", "attacks.csv"] {
        assert!(out.join(name).is_file(), "{name}");
    }
    // Pairs alone: no layers, no weights.
    let alone = folder.path().join("pairs");
    succeed(arguments(&["--aux", text(&own), "--with", "inverse,nearest", "--images", "3", few[2], few[3]], &alone));
    let summary = json_of(&std::fs::read(alone.join("summary.json")).unwrap());
    let record = &summary["attacks"][0];
    assert_eq!((&record["images"], &record["knows"][0]), (&3.into(), &"their labels".into()), "{record}");
    assert!(record["knows"].as_array().unwrap().contains(&"pairs of images and smashed data".into()), "{record}");
}

#[test]
fn what_does_not_fit_ends_with_two_and_says_what_is_wanted() {
    let folder = scratch();
    let (model, client, own) = (part("model.toml"), part("client.safetensors"), part("own.npz"));
    let refused = |more: &[&str], says: &str| {
        let out = folder.path().join("out");
        let told = super::common::call(arguments(more, &out));
        assert_eq!(told.status.code(), Some(2), "{more:?}");
        let message = String::from_utf8_lossy(&told.stderr).into_owned();
        assert!(message.contains(says), "{more:?}: {message}");
        assert!(!out.exists(), "{more:?} left something behind");
    };
    refused(&["--with", "rmel", "--aux", text(&own)], "did you mean \"rmle\"?");
    refused(&["--with", "rmle"], "it needs the client (--model, --client), or pairs");
    refused(&["--with", "inverse", "--model", text(&model), "--client", text(&client)], "--aux");
    refused(&["--with", "rmle", "--images", "0", "--aux", text(&own)], "allowed is a whole number from 1");
    refused(&["--with", "rmle", "--model", text(&client), "--client", text(&client)], "client.safetensors");
    refused(&["--with", "rmle", "--model", text(&model), "--client", text(&model)], "not a readable safetensors file");
}

#[test]
fn a_wire_that_carries_the_label_alone_gives_no_lead_over_the_label() {
    let digits = built_in("mnist").unwrap();
    let folder = scratch();
    let pairs = |name: &str, part: &Part, n: usize| {
        let first: Vec<usize> = (0..n).collect();
        let (images, labels) = part.batch(&first, &Device::Cpu).unwrap();
        let hot = Tensor::eye(10, DType::F32, &Device::Cpu).unwrap().index_select(&labels, 0).unwrap();
        let hot = hot.reshape((n, 10, 1, 1)).unwrap();
        let path = folder.path().join(name);
        Tensor::write_npz(&[("smashed", hot), ("images", images), ("labels", labels)], &path).unwrap();
        path
    };
    let (seen, own) = (pairs("seen.npz", &digits.test, 48), pairs("own.npz", &digits.train, 300));
    let out = folder.path().join("found");
    succeed(
        ["attack", "--smashed", text(&seen), "--aux", text(&own), "--with", "nearest,inverse", "--budget", "quick"]
            .into_iter()
            .chain(["--images", "48", "--set", "inverse.epochs=10", "--out", text(&out)]),
    );
    let found = json_of(&std::fs::read(out.join("summary.json")).unwrap());
    for record in found["attacks"].as_array().unwrap().iter().filter(|record| record["judged"]["lead"].is_object()) {
        assert!(record["judged"]["lead"]["p"].as_f64().unwrap() > 0.05, "{record}");
    }
    assert_ne!(found["verdicts"][0]["standing"], "broke");
}

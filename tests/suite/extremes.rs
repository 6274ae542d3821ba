//! Numbers that leave the ordinary: what diverges ends with a word, what stays finite stays readable.

use crate::common::{call, scratch, succeed};
use candle_core::{Device, Tensor};
use cutlayer::defence::psgl::saliency::saliency_map;

/// `quick` with a learning rate of 1 on a deep model: `layer`, 30 times.
fn arguments(out: &str, layer: &str, psgl: bool) -> Vec<String> {
    let deep = vec![layer; 30].join(", ");
    let layers = format!("[{{ conv = 4, kernel = 1 }}, {{ maxpool = 2 }}, {deep}, \"flatten\", {{ linear = 10 }}]");
    let mut arguments: Vec<String> = ["run", "quick", "--out", out].map(str::to_owned).to_vec();
    let changes = [format!("model.layers={layers}"), format!("psgl.enabled={psgl}")];
    let fixed = ["train.rate=1", "psgl.iterations=1", "attack=[]"].map(str::to_owned);
    arguments.extend(changes.into_iter().chain(fixed).flat_map(|change| ["--set".to_owned(), change]));
    arguments
}

#[test]
fn training_that_diverges_says_where_and_keeps_what_was_measured() {
    for psgl in [true, false] {
        let folder = scratch();
        let out = folder.path().join("run");
        let output = call(arguments(out.to_str().unwrap(), "{ conv = 32, kernel = 1 }", psgl));
        let message = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{message}");
        assert!(output.stdout.is_empty(), "no table of a run that has not ended");
        let last = message.lines().last().unwrap();
        let metrics = std::fs::read_to_string(out.join("metrics.csv")).unwrap();
        // The model's rows before the step that is named are there, and only they.
        let name = if psgl { "psgl" } else { "vanilla" };
        let own = |row: &&str| row.ends_with(',') == psgl;
        let step = metrics.lines().skip(1).filter(own).count() + 1;
        assert!(last.starts_with(&format!("cutlayer: training {name}: the loss became ")), "{last}");
        for words in ["in epoch 1, ", &format!("step {step};"), "lower train.rate (now 1)"] {
            assert!(last.contains(words), "no {words} in: {last}");
        }
        assert!(step > 1 && !out.join("summary.json").exists());
    }
}

#[test]
fn a_run_of_huge_numbers_that_ended_can_be_shown_again() {
    let folder = scratch();
    let out = folder.path().join("run");
    let residual = "{ residual = [{ conv = 4, kernel = 1 }] }";
    let table = succeed(arguments(out.to_str().unwrap(), residual, true));
    assert_eq!(succeed(["show", out.to_str().unwrap()]), table);
    assert!(!table.contains("NaN"), "{table}");
}

#[test]
fn the_map_of_huge_derivatives_is_that_of_ordinary_ones() {
    let row = |values: &[f32]| Tensor::from_slice(values, (1, 1, 1, values.len()), &Device::Cpu).unwrap();
    let map = |scale: f32| {
        let (alpha, beta) = (row(&[-scale, 2.0 * scale, scale]), row(&[2.0 * scale, -2.0 * scale, scale]));
        saliency_map(&alpha, &beta, true).unwrap().flatten_all().unwrap().to_vec1::<f32>().unwrap()
    };
    for scale in [1.0, 1e-4, 1e15, 1e25] {
        assert_eq!(map(scale), [0.5, -1.0, 0.0], "scale {scale:e}");
    }
}

#[test]
fn an_attack_that_diverges_is_left_out_and_the_run_goes_on() {
    let folder = scratch();
    let out = folder.path().join("run");
    let deep = vec!["{ residual = [{ conv = 16, kernel = 1 }] }"; 28].join(", ");
    let layers = format!(
        "model.layers=[{{ conv = 16, kernel = 1 }}, {{ maxpool = 4 }}, {deep}, \"flatten\", {{ linear = 10 }}]"
    );
    let changes = ["model.cut=30", "psgl.enabled=false", "train.rate=1", &layers];
    let mut arguments = vec!["run", "quick", "--out", out.to_str().unwrap()];
    arguments.extend(changes.into_iter().flat_map(|change| ["--set", change]));
    let output = call(&arguments);
    let message = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{message}");
    assert!(message.contains("Warning: inverse, at vanilla") && message.contains("left out"), "{message}");
    succeed(["show", out.to_str().unwrap()]);
}

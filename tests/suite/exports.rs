//! Exports as other programs read them: reconstructions with their scores, smashed data and logits.

use std::collections::BTreeMap;
use std::path::Path;

use candle_core::{DType, Tensor};
use cutlayer::run::summary::{AttackRecord, Summary};
use cutlayer::score::image::{mse, ssim};
use cutlayer::score::shares::Shares;
use cutlayer::score::verdict::is_attack;

use crate::common::{call, copy_run, file, finished, names, scratch, succeed};

fn text(path: &Path) -> &str {
    path.to_str().expect("a path of plain letters")
}

fn arrays(file: &Path) -> BTreeMap<String, Tensor> {
    Tensor::read_npz(file).unwrap().into_iter().collect()
}

fn numbers(tensor: &Tensor) -> Vec<f64> {
    tensor.to_dtype(DType::F64).unwrap().flatten_all().unwrap().to_vec1().unwrap()
}

fn pixels(tensor: &Tensor, i: usize) -> Vec<f32> {
    tensor.get(i).unwrap().flatten_all().unwrap().to_vec1().unwrap()
}

fn summary() -> Summary {
    serde_json::from_slice(&file(finished(), "summary.json")).unwrap()
}

fn slug(record: &AttackRecord) -> String {
    let mode = if record.adaptive { "adaptive" } else { "naive" };
    format!("{}-e{}-{}-{mode}", record.target, record.epoch, record.name)
}

#[test]
fn a_run_keeps_the_class_shares_of_its_test_images_and_they_come_to_its_rows() {
    let (all, summary) = (arrays(&finished().join("predictions.npz")), summary());
    let labels = numbers(&all["labels"]);
    for row in ["vanilla_clean", "stream_attacked", "stream_recovered", "stream_fused", "fused"] {
        let shares: Vec<Vec<f32>> = all[row].to_vec2().unwrap();
        assert!(shares.iter().all(|one| (one.iter().sum::<f32>() - 1.0).abs() < 1e-5), "{row}");
        let largest =
            |one: &[f32]| (0..one.len()).fold(0, |best, class| if one[class] > one[best] { class } else { best });
        let right = shares.iter().zip(&labels).filter(|(one, label)| largest(one) as f64 == **label).count();
        let accuracy = 100.0 * right as f64 / labels.len() as f64;
        let told = summary.row(row).unwrap();
        assert!((accuracy - told.accuracy).abs() < 1e-9, "{row}: {accuracy}");
        let (shares, labels) = (shares.concat(), labels.iter().map(|label| *label as u32).collect::<Vec<_>>());
        let shares = Shares::new(&shares, &labels, 10);
        assert_eq!((told.auroc, told.ece, told.brier), (shares.auroc(), shares.calibration_error(), shares.brier()));
        assert!(told.auroc > Some(0.7) && told.ece < Some(60.0) && told.brier < Some(1.0), "{told:?}");
    }
    // Of the other rows classes alone are kept.
    for row in summary.rows.iter().filter(|row| !all.contains_key(&row.name)) {
        assert_eq!((row.auroc, row.ece, row.brier), (None, None, None), "{row:?}");
    }
    let text = succeed(["show", text(finished())]);
    assert!(text.contains("AUROC |") && text.contains("ECE, % |") && text.contains("Brier |"), "{text}");
}

#[test]
fn every_reconstruction_is_exported_with_its_scores() {
    let folder = scratch();
    let out = folder.path().join("attacks");
    let said = succeed(["export", text(finished()), "--attacks", text(&out)]);
    let attacks: Vec<AttackRecord> = summary().attacks.into_iter().filter(is_attack).collect();
    let mut expected: Vec<String> =
        attacks.iter().flat_map(|one| [".csv", ".npz"].map(|ending| slug(one) + ending)).collect();
    expected.sort();
    assert_eq!(names(&out), expected);
    assert!(expected.iter().all(|name| said.contains(name)), "{said}");
    let test = folder.path().join("test.npz");
    succeed(["export", text(finished()), "--arrays", text(&test)]);
    let test = arrays(&test);
    for record in attacks {
        let arrays = arrays(&out.join(slug(&record) + ".npz"));
        assert_eq!(arrays["reconstructions"].dims(), [record.images, 1, 28, 28]);
        let places = numbers(&arrays["places"]);
        let each = &record.judged.as_ref().unwrap().each;
        assert_eq!(numbers(&arrays["ssim"]), each.ssim);
        for (i, (&got, &wanted)) in numbers(&arrays["picked"]).iter().zip(&each.picked).enumerate() {
            assert_eq!((!got.is_nan()).then_some(got), wanted);
            let [stolen, clean] = ["reconstructions", "images"].map(|name| pixels(&arrays[name], i));
            // The images are the run's test images at these places, and the scores are those of the images.
            assert!(clean == pixels(&test["images"], places[i] as usize), "{i}");
            assert_eq!(numbers(&arrays["labels"])[i], numbers(&test["labels"])[places[i] as usize]);
            assert_eq!(ssim(&stolen, &clean, [1, 28, 28]), each.ssim[i]);
            assert_eq!(mse(&stolen, &clean), numbers(&arrays["mse"])[i]);
        }
        let mean = |name: &str| numbers(&arrays[name]).iter().sum::<f64>() / record.images as f64;
        for (name, told) in [("mse", record.mse), ("psnr", record.psnr), ("ssim", record.ssim)] {
            assert!((mean(name) - told).abs() < 1e-9 * told.abs().max(1.0), "{name}: {} and {told}", mean(name));
        }
        let mut csv = csv::Reader::from_path(out.join(slug(&record) + ".csv")).unwrap();
        let heading: Vec<String> = csv.headers().unwrap().iter().map(str::to_owned).collect();
        assert_eq!(
            heading,
            ["attack", "mode", "target", "epoch", "image", "place", "label", "mse", "psnr", "ssim", "picked"]
        );
        let rows: Vec<csv::StringRecord> = csv.records().map(Result::unwrap).collect();
        assert_eq!(rows.len(), record.images);
        for (i, row) in rows.iter().enumerate() {
            assert_eq!((&row[0], &row[2]), (record.name.as_str(), record.target.as_str()));
            assert_eq!(row[9].parse::<f64>().unwrap(), each.ssim[i]);
        }
    }
    // A folder with anything in it stays as it is.
    let again = call(["export", text(finished()), "--attacks", text(&out)]);
    assert!(String::from_utf8_lossy(&again.stderr).contains("the folder is not empty"));
}

#[test]
fn attacks_launched_later_have_files_of_their_own_each_time() {
    let folder = scratch();
    let run = folder.path().join("run");
    copy_run(finished(), &run);
    // A build that kept pictures alone.
    std::fs::remove_dir_all(run.join("attacks")).unwrap();
    let out = folder.path().join("none");
    let told = call(["export", text(&run), "--attacks", text(&out)]);
    assert!(!told.status.success() && !out.exists());
    assert!(String::from_utf8_lossy(&told.stderr).contains("launch them again with `cutlayer attack`"));
    for images in ["1", "2"] {
        succeed(["attack", text(&run), "--with", "rmle", "--naive", "--images", images]);
    }
    let said = succeed(["export", text(&run), "--attacks", text(&out)]);
    let count = |name: &str| arrays(&out.join(name))["reconstructions"].dims()[0];
    assert_eq!(count("psgl-e2-rmle-naive-afterwards.npz"), 1);
    assert_eq!(count("psgl-e2-rmle-naive-afterwards-2.npz"), 2);
    // Each image's scores are in their files and in the run's list of them.
    let later = cutlayer::run::attack_records::earlier(&run).unwrap();
    let launched = later.iter().filter(|record| record.target == "psgl" && is_attack(record));
    for (record, name) in launched.zip(["afterwards", "afterwards-2"]) {
        let arrays = arrays(&out.join(format!("psgl-e2-rmle-naive-{name}.npz")));
        let each = &record.judged.as_ref().unwrap().each;
        assert_eq!((each.ssim.len(), numbers(&arrays["ssim"])), (record.images, each.ssim.clone()));
        let [mse, psnr] = ["mse", "psnr"].map(|name| numbers(&arrays[name]));
        assert!(
            mse.len() == record.images
                && mse.iter().zip(&psnr).all(|(mse, psnr)| (psnr + 10.0 * mse.log10()).abs() < 1e-9)
        );
    }
    let without = summary().attacks.iter().filter(|record| is_attack(record)).count();
    assert!(said.contains(&format!("Of {without} attacks there are none")), "{said}");
}

#[test]
fn a_picture_has_a_caption_and_is_read_back_without() {
    let name = "images/psgl-e2-rmle-adaptive.png";
    let page = image::load_from_memory(&file(finished(), name)).unwrap().to_rgb8();
    let white = (0..page.height()).rev().take_while(|y| page.get_pixel(0, *y).0 == [255; 3]).count();
    assert!((40..200).contains(&white), "{white} rows of caption");
    let rows = cutlayer::run::pictures::tiles(&file(finished(), name), [1, 28, 28]).unwrap();
    assert!(rows.len() >= 2 && rows.iter().all(|row| row.len() == 4));
}

#[test]
fn smashed_data_and_logits_are_exported_of_test_images_and_of_ones_own() {
    let folder = scratch();
    let at = |name: &str| folder.path().join(name);
    let said = succeed(["export", text(finished()), "--arrays", text(&at("all.npz"))]);
    let all = arrays(&at("all.npz"));
    let summary = summary();
    let n = summary.row("fused").unwrap().images;
    assert!(said.contains("smashed"), "{said}");
    for name in ["images", "disguised", "map", "smashed", "scores", "vanilla_smashed", "vanilla_logits"] {
        assert_eq!(all[name].dims()[0], n, "{name}");
    }
    // Their decisions are those that the table counts.
    let labels = numbers(&all["labels"]);
    for (row, decisions) in [("fused", "decisions"), ("vanilla_clean", "vanilla_decisions")] {
        let right = numbers(&all[decisions]).iter().zip(&labels).filter(|(a, b)| a == b).count();
        assert!((100.0 * right as f64 / n as f64 - summary.row(row).unwrap().accuracy).abs() < 1e-9, "{row}");
    }
    // The first three as a file of one's own come to the same.
    let three = all["images"].narrow(0, 0, 3).unwrap().contiguous().unwrap();
    three.write_npy(at("own.npy")).unwrap();
    let own = at("own.npy");
    succeed(["export", text(finished()), "--arrays", text(&at("three.npz")), "--images", text(&own)]);
    let few = arrays(&at("three.npz"));
    assert!(!few.contains_key("labels"));
    for name in ["images", "disguised", "smashed", "scores", "vanilla_logits"] {
        let first = numbers(&all[name].narrow(0, 0, 3).unwrap());
        let far = first.iter().zip(numbers(&few[name])).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
        assert!(far < 1e-5, "{name}: {far}");
    }
}

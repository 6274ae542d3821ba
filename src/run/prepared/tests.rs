//! What is checked and told before the first step.

use std::borrow::Cow;
use std::collections::BTreeSet;

use super::*;
use crate::data::{Groups, Images, Noun, built_in, grouped};
use crate::experiment::fixture::OFF;

/// Images of one pixel and one class, and whose they are.
fn of_patients(numbers: &[u32]) -> Part {
    let images = Images { shape: [1, 1, 1], pixels: vec![0; numbers.len()], labels: vec![0; numbers.len()] };
    Part::all(grouped(images.into(), Groups { numbers: numbers.into(), noun: Noun::PATIENT }))
}

#[test]
fn everybody_has_a_view_of_the_one_set_that_is_open_and_validation_is_kept() {
    let mut experiment = Experiment::preset("quick").unwrap();
    for setting in ["data.name=brainmri", "model.name=lenet5", "model.cut=2", OFF] {
        experiment.set(setting).unwrap();
    }
    let set = built_in("brainmri").unwrap();
    let setup = Prepared::new(experiment).unwrap();
    assert_eq!((setup.validation.len(), setup.catalogue.validation.images), (28, 28));
    let place = |part: &Part, i: usize| match part.image(i).unwrap() {
        Cow::Borrowed(bytes) => bytes.as_ptr(),
        Cow::Owned(_) => panic!("an image was copied"),
    };
    let places = |part: &Part| (0..part.len()).map(|i| place(part, i)).collect::<BTreeSet<_>>();
    assert_eq!(places(&setup.validation), places(&set.validation));
    assert!(places(&setup.watched).is_subset(&places(&set.validation)), "what is watched is not what is scored");
    for part in [&setup.test, &setup.targets] {
        assert!(!part.is_empty() && places(part).is_subset(&places(&set.test)));
    }
    let [victim, auxiliary] = [&setup.victim, &setup.auxiliary].map(places);
    assert!(!victim.is_empty() && !auxiliary.is_empty() && victim.is_disjoint(&auxiliary));
    assert!(victim.union(&auxiliary).all(|image| places(&set.train).contains(image)));
}

#[test]
fn patients_in_common_are_counted_by_side() {
    let (test, none) = (of_patients(&[7, 7, 8, 9]), of_patients(&[]));
    let told = in_common(&test, &of_patients(&[1, 7, 9]), &of_patients(&[8, 2]));
    assert_eq!(told.len(), 2);
    assert_eq!(
        told[0],
        "the test set and the training images have 2 patients in common (3 of 4 test images): accuracy on these is partly \
         that of recognising a patient; divide the set anew, each patient in one part of it"
    );
    let words =
        "the test set and the attackers' images have 1 patient in common (1 of 4 test images): what attackers get";
    assert!(told[1].starts_with(words), "{}", told[1]);
    assert!(in_common(&test, &of_patients(&[1, 2]), &none).is_empty());
    assert!(in_common(&test, &of_patients(&[7]).without_groups(), &none).is_empty(), "nobody knows");
}

#[test]
fn a_set_of_one_class_is_refused_before_the_run() {
    let folder = tempfile::tempdir().unwrap();
    for part in ["train", "t10k"] {
        let images = [&[0, 0, 8, 3, 0, 0, 0, 40, 0, 0, 0, 28, 0, 0, 0, 28][..], &vec![7; 40 * 28 * 28]].concat();
        let labels = [&[0, 0, 8, 1, 0, 0, 0, 40][..], &[3; 40]].concat();
        for (what, bytes) in [("images-idx3", images), ("labels-idx1", labels)] {
            let path = folder.path().join(format!("{part}-{what}-ubyte"));
            crate::whole_files::Writer::default().write(&path, &bytes).unwrap();
        }
    }
    let mut experiment = Experiment::preset("quick").unwrap();
    experiment.set(&format!("data.name={}", folder.path().display())).unwrap();
    let told = Prepared::new(experiment).err().unwrap().to_string();
    assert!(told.starts_with("all labels name one class") && told.ends_with(folder.path().to_str().unwrap()), "{told}");
}

#[test]
fn classes_that_nobody_learns_are_told() {
    let of = |labels: &[u32]| {
        let labels = labels.to_vec();
        Part::from(Images { shape: [1, 1, 1], pixels: vec![0; labels.len()], labels })
    };
    let names = ["a", "b", "c"].map(str::to_owned);
    let told = never_seen(&of(&[0, 1, 2, 2]), &of(&[0, 0]), &names).unwrap();
    assert!(told.starts_with("3 of 4 test images are of classes that no training image is of (b, c)"), "{told}");
    assert_eq!(never_seen(&of(&[0, 0]), &of(&[0, 1]), &names), None);
}

#[test]
fn a_last_batch_of_one_is_told_before_the_run() {
    let mut experiment = Experiment::preset("quick").unwrap();
    experiment = experiment.undefended();
    experiment.set("model.layers=[\"flatten\", \"batchnorm\", { linear = 10 }]").unwrap();
    experiment.set("model.cut=1").unwrap();
    let told = |train: usize, batch: usize| {
        let mut experiment = experiment.clone();
        (experiment.data.train, experiment.train.batch) = (train, batch);
        Prepared::new(experiment).err().map(|e| e.to_string())
    };
    assert_eq!(told(64, 32), None);
    for (train, batch) in [(65, 32), (64, 1)] {
        assert!(told(train, batch).unwrap().starts_with(&format!("train.batch = {batch}: of {train} training images")));
    }
    experiment.set("model.layers=[\"batchnorm\", \"flatten\", { linear = 10 }]").unwrap();
    experiment.data.train = 65;
    assert!(Prepared::new(experiment).is_ok(), "a whole image has many positions");
}

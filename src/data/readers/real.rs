//! Real files, as their SOURCE.md describes them.

use crate::data::{Dataset, READERS_HERE, plain, test_data};

/// How many images of each class training, validation and test have.
fn counts(set: &Dataset) -> [Vec<usize>; 3] {
    [&set.train, &set.validation, &set.test].map(|part| part.class_counts(set.classes.len()))
}

#[test]
fn arrays_have_the_images_that_their_source_describes() {
    for (folder, file, shape, train, validation, test) in [
        ("medmnist", "breastmnist.npz", [1, 28, 28], &[147, 399][..], &[21, 57][..], &[42, 114][..]),
        ("medmnist", "pneumoniamnist.npz", [1, 28, 28], &[1214, 3494], &[135, 389], &[234, 390]),
        ("mias", "mias64.npz", [1, 64, 64], &[144, 44, 36], &[21, 7, 6], &[42, 12, 10]),
        ("mias", "mias_roi64.npz", [1, 64, 64], &[144, 49, 35], &[21, 7, 6], &[42, 12, 10]),
        ("brainmri", "mni152_planes64.npz", [1, 64, 64], &[70, 91, 41], &[10, 13, 5], &[19, 25, 10]),
    ] {
        let Some(folder) = test_data(folder) else { return };
        let set = plain(folder.join(file), READERS_HERE).unwrap();
        assert_eq!(set.shape(), shape, "{file}");
        assert_eq!(counts(&set), [train, validation, test], "{file}");
        assert_eq!(set.findings.range, "bytes, 0–255: scaled by 255", "{file}");
        assert_eq!(set.findings.warnings, [""; 0], "{file}");
        if file.starts_with("mias") {
            let groups = [&set.train, &set.validation, &set.test].map(|part| part.groups().unwrap());
            assert_eq!(groups.map(crate::data::Groups::count), [112, 17, 32]);
            assert_eq!(set.groups().unwrap().1.len(), 161, "nobody is in two parts");
        }
    }
}

#[test]
fn digits_have_the_images_that_their_source_describes() {
    let Some(folder) = test_data("mnist") else { return };
    let set = plain(folder, READERS_HERE).unwrap();
    let [train, validation, test] = counts(&set);
    assert_eq!(train, [801, 902, 793, 826, 784, 690, 811, 856, 755, 782]);
    assert_eq!((validation, test), (vec![0; 10], vec![200, 225, 198, 206, 196, 173, 203, 214, 189, 196]));
    assert_eq!((set.findings.range.as_str(), set.findings.notes.len()), ("bytes, 0–255: scaled by 255", 0));
}

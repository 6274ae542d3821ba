//! What a folder says of the files in it.

use super::made::{ID, NAME};
use super::*;
use crate::data::Dataset;

/// A folder of two classes, with what else lies about in it.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let of = |patient: &'static str, word| Made { patient, words: vec![word; 6], ..Made::default() }.bytes();
    put(folder.path(), "sick/b.dcm", &of("P9", 10));
    put(folder.path(), "sick/deeper/a", &of("P3", 20));
    put(folder.path(), "sound/c.dcm", &of("P9 ", 30));
    put(folder.path(), "sound/d.IMA", &of("", 40));
    put(folder.path(), "sound/broken.dcm", b"nothing");
    put(folder.path(), "sound/notes.txt", b"nothing");
    put(folder.path(), "sound/DICOMDIR", &of("P1", 50));
    folder
}

#[test]
fn folders_are_classes_and_patients_numbers() {
    let folder = folder();
    assert_eq!(sniff(folder.path()), Sniff::Yes(folder.path().to_owned()));
    assert_eq!(sniff(&folder.path().join("sound/DICOMDIR")), Sniff::Yes(folder.path().join("sound")));
    assert_eq!(
        [sniff(&folder.path().join("sound/notes.txt")), sniff(&folder.path().join("none"))],
        [Sniff::No, Sniff::No]
    );
    let found = read_as(folder.path(), &Wanted::default()).unwrap();
    let all = whole(&found);
    assert_eq!((all.labels(), all.shape()), (&[0, 0, 1, 1][..], [1, 2, 3]));
    assert_eq!(found.classes, Some(vec!["sick".to_owned(), "sound".to_owned()]));
    let levels: Vec<u8> = (0..4).map(|i| all.image(i).unwrap()[0]).collect();
    assert_eq!(levels, [0, 85, 170, 255], "one range for all, in the order of the paths");
    assert_eq!(
        found.findings.range,
        "12-bit, no window: 10–40, the least and the largest value of all files, are black and white"
    );
    let skipped: Vec<_> = found
        .findings
        .skipped
        .iter()
        .map(|one| (one.path.strip_prefix(folder.path()).unwrap(), one.why.as_str()))
        .collect();
    assert_eq!(skipped, [(Path::new("sound/broken.dcm"), "is no DICOM file: it lacks the mark DICM")]);
    assert!(!found.findings.unlabelled);
    // One without an id has no number, and then no image has.
    assert!(all.groups().is_none());
    std::fs::remove_file(folder.path().join("sound/d.IMA")).unwrap();
    let found = read_as(folder.path(), &Wanted::default()).unwrap();
    assert_eq!(whole(&found).groups().unwrap().numbers[..], [0, 1, 0], "blanks at the end are none of an id");
}

#[test]
fn a_table_says_more_than_folders() {
    let folder = folder();
    let rows = "path,label,patient,split\nsick/b.dcm,10,x,train\nsick/deeper/a,9,y,test\n./sound/c.dcm,9,x,val\n\
                sound/gone.dcm,9,z,val\nsound/broken.dcm,9,z,val\n";
    put(folder.path(), "a.csv", b"other,columns\n1,2\n");
    put(folder.path(), "labels.CSV", rows.replace('\n', "\r\n").as_bytes());
    let found = read_as(folder.path(), &Wanted::default()).unwrap();
    let reader::Parts::Given(parts) = &found.parts else { panic!("the table says the parts") };
    let [train, validation, test] = parts.clone().map(Part::all);
    assert_eq!([train.labels(), validation.labels(), test.labels()], [[1], [0], [0]]);
    assert_eq!(found.classes, Some(vec!["9".to_owned(), "10".to_owned()]));
    assert_eq!([&train, &validation, &test].map(|part| part.groups().unwrap().numbers[0]), [0, 0, 1]);
    let mut skipped: Vec<_> =
        found.findings.skipped.iter().map(|one| (one.path.file_name().unwrap(), &*one.why)).collect();
    skipped.sort();
    assert_eq!(skipped.len(), 3, "{skipped:?}");
    for ((name, why), (of, told)) in skipped.into_iter().zip([
        ("broken.dcm", "no DICOM file"),
        ("d.IMA", "no row of it"),
        ("gone.dcm", "no such file"),
    ]) {
        assert!(name == of && why.contains(told), "{name:?}: {why}");
    }
    let wanted = Wanted { labels: "patient".to_owned(), ..Wanted::default() };
    assert_eq!(read_as(folder.path(), &wanted).unwrap().classes.unwrap(), ["x", "y", "z"]);
    put(folder.path(), "more.csv", b"path,label\nx,1\n");
    let error = read_as(folder.path(), &Wanted::default()).unwrap_err().to_string();
    assert!(error.contains("two CSV files"), "{error}");
    std::fs::remove_file(folder.path().join("labels.CSV")).unwrap();
    std::fs::remove_file(folder.path().join("more.csv")).unwrap();
    let error = read_as(folder.path(), &wanted).unwrap_err().to_string();
    assert!(error.starts_with("data.labels names a column"), "{error}");
}

#[test]
fn dark_windows_stay_dark_and_few_bits_stay_as_bright_as_many() {
    let folder = tempfile::tempdir().unwrap();
    let window = |centre, width| vec![((0x28, 0x1050), b"DS", centre), ((0x28, 0x1051), b"DS", width)];
    let deep = Made { more: window("32768", "65536"), stored: 16, high: 15, words: vec![1000; 6], ..Made::default() };
    put(folder.path(), "deep.dcm", &deep.bytes());
    let level = |found: &Contents, i| whole(found).values(i).unwrap()[0];
    let found = read_as(folder.path(), &Wanted::default()).unwrap();
    assert!((level(&found, 0) - 1000.0 / 65535.0).abs() < 1e-5, "{}", level(&found, 0));
    let flat =
        Made { more: window("128", "256"), allocated: 8, stored: 8, high: 7, words: vec![51; 6], ..Made::default() };
    put(folder.path(), "flat.dcm", &flat.bytes());
    let found = read_as(folder.path(), &Wanted::default()).unwrap();
    assert!((level(&found, 1) - 0.2).abs() < 1e-4 && level(&found, 0) < 0.02, "{}", level(&found, 1));
}

#[test]
fn without_labels_images_are_there_to_be_looked_at() {
    let folder = tempfile::tempdir().unwrap();
    put(folder.path(), "one.dcm", &Made::default().bytes());
    let found = read_as(&folder.path().join("one.dcm"), &Wanted::default()).unwrap();
    assert!(found.findings.unlabelled && found.findings.notes[0].contains("no labels"));
    assert_eq!(whole(&found).labels(), [0]);
    // A hospital's export: folders of patients are no classes.
    for (i, patient) in ["P1", "P2", "P3"].into_iter().enumerate() {
        put(folder.path(), &format!("export/PAT{i}/STUDY/IM1"), &Made { patient, ..Made::default() }.bytes());
    }
    let found = read_as(&folder.path().join("export"), &Wanted::default()).unwrap();
    assert!(
        found.findings.unlabelled && found.findings.notes[0].contains("not taken for classes"),
        "{:?}",
        found.findings
    );
    let parts = tempfile::tempdir().unwrap();
    for (i, place) in ["train/a", "train/b", "val/a", "test/a", "test/b"].into_iter().enumerate() {
        put(parts.path(), &format!("{place}/x.dcm"), &Made { words: vec![i as u16; 6], ..Made::default() }.bytes());
    }
    let set: Dataset =
        recognise::load(parts.path(), &Ask { wanted: &Wanted::default(), progress: &Progress::default() }, &[&KIND])
            .unwrap();
    assert_eq!((set.train.labels(), set.validation.labels(), set.test.labels()), (&[0, 1][..], &[0][..], &[0, 1][..]));
    assert_eq!(set.classes, ["a", "b"]);
}

#[test]
fn a_patient_is_a_number_and_nothing_else_wherever_one_looks() {
    let folder = tempfile::tempdir().unwrap();
    for i in 0..6 {
        put(folder.path(), &format!("{}/{i}.dcm", i % 2), &Made { words: vec![i; 6], ..Made::default() }.bytes());
    }
    put(folder.path(), "1/bad.dcm", &Made::default().bytes()[..300]);
    let found = read_as(folder.path(), &Wanted::default()).unwrap();
    let shown = format!("{found:?}");
    assert!(found.findings.skipped.len() == 1 && shown.contains("numbers: [0, 0, 0, 0, 0, 0]"), "{shown}");
    assert!(![NAME, ID].iter().any(|name| shown.contains(name)), "{shown}");
}

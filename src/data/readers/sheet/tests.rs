use std::fs;

use super::super::folder::tests::put;
use super::*;
use crate::data::wild::each;
use crate::data::{Dataset, Noun, Progress, READERS_HERE, Wanted, plain};
use crate::random::Seed;
use crate::whole_files::Writer;

/// Six pictures, 0.png to 5.png, grey as they are called, and a table.
fn folder(table: &[u8]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for i in 0..6 {
        put(&folder.path().join(format!("{i}.png")), i);
    }
    write(folder.path(), table);
    folder
}

fn write(folder: &Path, table: &[u8]) {
    Writer::default().write(&folder.join("labels.csv"), table).unwrap();
}

fn listing(table: &str) -> Listing {
    let folder = folder(table.as_bytes());
    listed(&folder.path().join("labels.csv"), "").unwrap()
}

fn problem(table: &str) -> String {
    let folder = folder(table.as_bytes());
    let told = plain(folder.path().join("labels.csv"), READERS_HERE).unwrap_err().to_string();
    told.strip_suffix(&format!(": {}", folder.path().join("labels.csv").display()))
        .unwrap_or_else(|| panic!("{told}"))
        .to_owned()
}

/// Name, label, group and part of each picture.
fn items(listing: &Listing) -> Vec<(String, u32, Option<u32>, Option<usize>)> {
    let name = |path: &Path| path.file_name().unwrap().to_string_lossy().into_owned();
    listing.items.iter().map(|item| (name(&item.path), item.label, item.group, item.part)).collect()
}

#[test]
fn columns_are_found_in_any_order_and_under_usual_names() {
    let expected = [("0.png", 1, Some(0), Some(0)), ("1.png", 0, Some(1), Some(1)), ("2.png", 1, Some(0), Some(2))];
    let expected = expected.map(|(name, label, group, part)| (name.to_owned(), label, group, part));
    for table in [
        "path,label,patient,split\n0.png,ill,P9,train\n1.png,healthy,P2,val\n2.png,ill,P9,test\n",
        "\u{feff}Split;Patient ID;Diagnosis;File\r\nTraining;P9;ill;0.png\r\nVALID;P2;healthy;1.png\r\n\r\ntest;P9;ill;2.png",
        "subject\tset\ttarget\timage_id\nP9\ttrain\till\t0\nP2\tvalidation\thealthy\t1\nP9\ttesting\till\t2\n",
        "age,\"class\",filename,patient,fold\n\"5,5\",\"ill\",\".\\0.png\", P9 ,train\n6,healthy,1.png,P2,dev\n7,ill,2.png,P9,test\n",
    ] {
        let listing = listing(table);
        assert_eq!(items(&listing), expected, "{table}");
        assert_eq!(listing.classes.unwrap(), ["healthy", "ill"]);
        assert_eq!((listing.noun, listing.findings.skipped.len()), (Noun::PATIENT, 0));
    }
}

#[test]
fn labels_that_are_numbers_keep_their_order() {
    let classes = |labels: [&str; 4]| {
        let row = |(i, label): (usize, &&str)| format!("{i}.png,{label}");
        let rows: Vec<String> = labels.iter().enumerate().map(row).collect();
        let listing = listing(&format!("path,label\n{}\n", rows.join("\n")));
        (listing.classes.clone().unwrap(), listing.items.iter().map(|item| item.label).collect::<Vec<_>>())
    };
    assert_eq!(classes(["10", "9", "-1", "9.0"]), (["-1", "9", "10"].map(str::to_owned).to_vec(), vec![2, 1, 0, 1]));
    assert_eq!(classes(["b10", "b9", "a", "b9"]), (["a", "b9", "b10"].map(str::to_owned).to_vec(), vec![2, 1, 0, 1]));
    assert_eq!(classes(["0", "-0", "1", "x"]).0, ["-0", "0", "1", "x"], "texts, since one is");
}

#[test]
fn a_folder_with_one_table_is_read_and_of_two_one_is_chosen() {
    let folder = folder(b"path,label,patient\n0.png,1,a\n1.png,0,b\n2.png,1,c\n3.png,0,d\n4.png,1,e\n5.png,0,a\n");
    Writer::default().write(&folder.path().join("notes.csv"), b"when,what\n1,2\n").unwrap();
    let check = |set: Dataset| {
        assert_eq!((set.kind, set.drawn, set.classes.as_slice()), ("csv", true, &["0".to_owned(), "1".to_owned()][..]));
        assert_eq!(set.groups().map(|(noun, all)| (noun, all.len())), Some((Noun::PATIENT, 5)));
        let patients = [&set.train, &set.validation, &set.test].map(|part| part.groups().cloned());
        let [Some(train), _, Some(test)] = &patients else { panic!("{patients:?}") };
        assert_eq!(train.shared_with(test), [0, 0], "nobody is on both sides");
    };
    check(plain(folder.path(), READERS_HERE).unwrap());
    check(plain(folder.path().join("labels.csv"), READERS_HERE).unwrap());
    Writer::default().write(&folder.path().join("more.csv"), b"file;class\n0.png;a\n").unwrap();
    let told = plain(folder.path(), READERS_HERE).unwrap_err().to_string();
    assert!(told.starts_with("two CSV files here list pictures, labels.csv and more.csv: give one"), "{told}");
    // Class folders with no table that fits are class folders.
    let classes = tempfile::tempdir().unwrap();
    for i in 0..20 {
        put(&classes.path().join(["a", "b"][i % 2]).join(format!("{i}.png")), 5);
    }
    Writer::default().write(&classes.path().join("notes.csv"), b"when,what\n1,2\n").unwrap();
    assert_eq!(plain(classes.path(), READERS_HERE).unwrap().kind, "folder");
}

#[test]
fn rows_without_their_file_and_those_that_come_again_are_listed() {
    let listing = listing("path,label\n0.png,a\ngone.png,b\n1.png,b\n0.png,b\n./1.png,b\n");
    let why: Vec<&str> = listing.findings.skipped.iter().map(|one| one.why.as_str()).collect();
    assert_eq!(
        why,
        [
            "is listed in line 3, and there is no such file",
            "is listed in line 5 again, after line 2 as another class",
            "is listed in line 6 again, after line 4"
        ]
    );
    assert!(listing.findings.skipped[0].path.ends_with("gone.png"));
    // A name alone is looked for in folders below.
    let folder = folder(b"image_id,dx\nx7,a\nx8,b\ntwice,a\n");
    for path in ["part_1/x7.png", "part_2/x8.png", "part_1/twice.png", "part_2/twice.png"] {
        put(&folder.path().join(path), 1);
    }
    let found = listed(&folder.path().join("labels.csv"), "dx").unwrap();
    assert_eq!(items(&found).iter().map(|item| item.0.as_str()).collect::<Vec<_>>(), ["x7.png", "x8.png"]);
    assert_eq!(found.findings.skipped.len(), 1, "of two of one name none is meant");
    let wanted = Wanted { labels: "DX".to_owned(), ..Wanted::default() };
    let ask = Ask { wanted: &wanted, progress: &Progress::default() };
    assert!(read(folder.path(), &ask).is_err(), "a folder is known by the usual names");
    assert_eq!(read(&folder.path().join("labels.csv"), &ask).unwrap().classes.unwrap(), ["a", "b"]);
}

#[test]
fn what_is_wrong_is_told_with_its_line_and_column() {
    for (table, told) in [
        ("path,label\n0.png,a\n1.png,\n", "has an empty cell in line 3, column label"),
        ("path,label\n0.png,a\n1.png\n", "has an empty cell in line 3, column label"),
        ("path,label\n\n ,b\n", "has an empty cell in line 3, column path"),
        ("path,label,patient\n0.png,a,p\n1.png,b,\n", "has an empty cell in line 3, column patient"),
        ("path,label\n0.png,1\n1.png,NaN\n", "has the label NaN in line 3, column label, which is no class"),
        ("path,label\n0.png,1\n1.png,1e300\n", "has the label 1e300 in line 3, column label, which is no class"),
        ("path,label\n0.png,1\n1.png,inf\n", "has the label inf in line 3, column label, which is no class"),
        (
            "path,label,split\n0.png,1,train\n1.png,2,tomorrow\n",
            "has \"tomorrow\" in line 3, column split: allowed are train, val, test",
        ),
        ("path,label\n0.png,1\n1.png,1\n", "has one class only in column label, 1: a set needs two at least"),
        ("path,label\ngone,1\nlost,2\n", "lists no picture that is there"),
        ("path,label\n", "has no rows"),
        (
            "path,age\n0.png,3\n",
            "has no column label (or class, target, diagnosis): there are path, age; data.labels can name another",
        ),
        (
            "path,class,target\n0.png,3,4\n",
            "has two columns that may be the label: class and target; data.labels chooses",
        ),
        ("", "has no column path"),
        ("\u{0}\u{0}", "has no column path"),
    ] {
        assert!(problem(table).starts_with(&format!("this CSV file {told}")), "{table}: {}", problem(table));
    }
    let folder = folder(b"\xff\xfep\0");
    let told = plain(folder.path().join("labels.csv"), READERS_HERE).unwrap_err().to_string();
    assert!(told.contains("UTF-16"), "{told}");
    let many = (0..1002).map(|i| format!("{i}.png,{i}")).collect::<Vec<_>>().join("\n");
    assert!(
        problem(&format!("path,label\n{many}"))
            .contains("more than 1000 different labels in column label up to line 1002")
    );
    // Both stand there, and one of them is the plain word.
    let both = "path,image_id,label,class\n0.png,9,a,1\n1.png,8,b,1\n";
    assert_eq!(listing(both).classes.unwrap(), ["a", "b"]);
    // Numbers of folds are nobody's parts.
    let folds = listing("path,label,fold\n0.png,a,1\n1.png,b,2\n");
    assert!(folds.items.iter().all(|item| item.part.is_none()));
}

#[cfg(unix)]
#[test]
fn paths_that_are_no_text_are_found() {
    use std::os::unix::ffi::OsStrExt;
    let folder = folder(b"path,label\ncaf\xe9.png,na\xefve\n1.png,b\n");
    put(&folder.path().join(std::ffi::OsStr::from_bytes(b"caf\xe9.png")), 3);
    let found = listed(&folder.path().join("labels.csv"), "").unwrap();
    assert_eq!((found.items.len(), found.classes.unwrap()), (2, vec!["b".to_owned(), "na\u{fffd}ve".to_owned()]));
}

/// Any bytes are a table or a problem that ends with its path.
#[test]
fn any_bytes_are_a_table_or_a_problem() {
    let good = [
        b"path,label,patient,split\n0.png,1,a,train\n1.png,0,b,val\n2.png,1,c,test\n3.png,0,c,test\n4.png,1,d,train\n"
            .as_slice(),
        b"\xef\xbb\xbffile;class\r\n\"0.png\";\"x;\"\"y\"\r\n1.png;z\r\n",
    ];
    let folder = folder(b"");
    let path = folder.path().join("labels.csv");
    let (mut tables, mut problems) = (0, 0);
    each(1500, |case| {
        let mut random = Seed(case).stream("table", 0);
        let mut bytes = good[case as usize % 2].to_vec();
        if case % 6 == 0 {
            bytes.truncate(random.below(30));
            bytes.extend((0..random.below(400)).map(|_| random.below(256) as u8));
        }
        for _ in 0..random.below(5) {
            if !bytes.is_empty() {
                let at = random.below(bytes.len());
                bytes[at] = [random.below(256) as u8, b'"', b',', b'\n', b';', 0][random.below(6)];
            }
        }
        #[expect(clippy::disallowed_methods, reason = "a test's file need not be atomic")]
        fs::write(&path, &bytes).unwrap();
        match listed(&path, "") {
            Ok(listing) => {
                tables += 1;
                let classes = listing.classes.unwrap();
                assert!(classes.len() >= 2 && listing.items.iter().all(|item| (item.label as usize) < classes.len()));
            }
            Err(error) => {
                problems += 1;
                assert!(error.to_string().ends_with("labels.csv"), "{error}");
            }
        }
    });
    assert!(tables > 200 && problems > 200, "{tables} tables, {problems} problems");
}

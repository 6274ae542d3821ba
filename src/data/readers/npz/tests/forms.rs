//! The forms in which images and labels come.

use zip::CompressionMethod;

use super::*;
use crate::data::Range;

/// An array in Fortran order.
pub(super) fn fortran(descr: &str, shape: &str, data: &[u8]) -> Vec<u8> {
    let text = format!("{{'descr': '{descr}', 'fortran_order': True, 'shape': {shape}, }}\n");
    [b"\x93NUMPY\x01\x00", (text.len() as u16).to_le_bytes().as_slice(), text.as_bytes(), data].concat()
}

/// All together, so that nothing else is of importance.
fn whole(images: Vec<u8>, labels: Vec<u8>, wanted: &Wanted) -> Result<(Part, Findings), String> {
    let contents = contents(npz(&[("images", images), ("labels", labels)]), wanted)?;
    match contents.parts {
        Parts::Whole(all) => Ok((Part::all(all), contents.findings)),
        Parts::Given(_) => panic!("parted"),
    }
}

fn pictures(images: Vec<u8>, n: usize, wanted: &Wanted) -> Result<(Part, Findings), String> {
    whole(images, npy("|u1", &format!("({n},)"), &vec![0; n]), wanted)
}

#[test]
fn fortran_order_has_the_same_pixels() {
    let sides = [3, 4, 5, 3];
    let all: Vec<u16> = (0..180).map(|i| 300 * i).collect();
    // The place in C order of each number in Fortran order.
    let mut turned = Vec::new();
    for c in 0..3 {
        for (x, y) in (0..sides[2]).flat_map(|x| (0..sides[1]).map(move |y| (x, y))) {
            turned.extend((0..sides[0]).map(|n| all[((n * 4 + y) * 5 + x) * 3 + c]));
        }
    }
    for (descr, bytes) in [("<u2", u16::to_le_bytes as fn(u16) -> [u8; 2]), (">u2", u16::to_be_bytes)] {
        let bytes = |all: &[u16]| all.iter().copied().flat_map(bytes).collect::<Vec<_>>();
        let [c, f] = [npy(descr, "(3, 4, 5, 3)", &bytes(&all)), fortran(descr, "(3, 4, 5, 3)", &bytes(&turned))]
            .map(|images| pictures(images, 3, &Wanted::default()).unwrap().0);
        let all = [0, 1, 2];
        assert_eq!((c.shape(), c.values_of(&all).unwrap()), (f.shape(), f.values_of(&all).unwrap()));
        assert_eq!(c.digest(2).unwrap(), f.digest(2).unwrap());
    }
}

#[test]
fn numbers_of_any_kind_find_their_range() {
    let floats = |all: [f32; 4]| all.map(f32::to_le_bytes).concat();
    for (descr, data, values, range) in [
        ("<f4", floats([0.0, 0.5, 1.0, 0.25]), [0.0, 0.5, 1.0, 0.25], "32-bit floats, 0–1: scaled by 1"),
        ("<f4", floats([0.0, 51.0, 255.0, 102.0]), [0.0, 0.2, 1.0, 0.4], "32-bit floats, 0–255: scaled by 255"),
        ("<f4", floats([-1.0, 0.0, 1.0, 0.5]), [0.0, 0.5, 1.0, 0.75], "32-bit floats, -1 to 1: scaled by 2 from -1"),
        (
            ">i2",
            [-1024_i16, 3071, 0, 1000].map(i16::to_be_bytes).concat(),
            [0.0, 1.0, 1024.0 / 4095.0, 2024.0 / 4095.0],
            "signed 16-bit, -1024 to 3071, the least and the largest: scaled by 4095 from -1024",
        ),
        (
            "<i8",
            [0_i64, 51, 255, 102].map(i64::to_le_bytes).concat(),
            [0.0, 0.2, 1.0, 0.4],
            "signed 64-bit, 0–255: scaled by 255",
        ),
        ("|b1", vec![0, 1, 1, 0], [0.0, 1.0, 1.0, 0.0], "bytes, 0–1: scaled by 1"),
    ] {
        let (all, findings) = pictures(npy(descr, "(1, 2, 2)", &data), 1, &Wanted::default()).unwrap();
        assert_eq!(findings.range, range);
        let now = all.values(0).unwrap();
        assert!(now.iter().zip(values).all(|(now, value)| (now - value).abs() < 1e-5), "{range}: {now:?}");
    }
    let wanted = Wanted { range: Range::Between(0.0, 100.0), ..Wanted::default() };
    let (all, findings) = pictures(npy("|u1", "(1, 1, 2)", &[50, 200]), 1, &wanted).unwrap();
    assert_eq!((all.values(0).unwrap(), findings.notes.len()), (vec![0.5, 1.0], 1));
}

#[test]
fn one_range_holds_for_all_parts() {
    let part = |data: [u8; 2]| npy("|u1", "(1, 1, 2)", &data);
    let labels = npy("|u1", "(1,)", &[0]);
    let all = [("x_train", part([0, 1])), ("y_train", labels.clone()), ("x_test", part([0, 200])), ("y_test", labels)];
    let [train, _, test] = parts(npz(&all));
    assert_eq!((train.white(), train.values(0).unwrap()[1], test.white()), (255, 1.0 / 255.0, 255));
}

#[test]
fn of_a_volume_one_plane_is_the_picture() {
    // The number of a voxel is its place.
    let voxels: Vec<u8> = (0..240).collect();
    let at = |d: usize, y: usize, x: usize| (d * 6 + y) * 8 + x;
    let mut turned = vec![0; 240];
    for (d, y, x) in (0..5).flat_map(|d| (0..6).flat_map(move |y| (0..8).map(move |x| (d, y, x)))) {
        turned[d + 5 * (y + 6 * x)] = voxels[at(d, y, x)];
    }
    for (view, shape, corner) in [
        ("", [1, 6, 8], at(2, 0, 0)),
        ("axial:4", [1, 6, 8], at(4, 0, 0)),
        ("coronal", [1, 5, 8], at(0, 3, 0)),
        ("sagittal:7", [1, 5, 6], at(0, 0, 7)),
    ] {
        let wanted = Wanted { view: view.to_owned(), ..Wanted::default() };
        let [c, f] = [npy("|u1", "(1, 5, 6, 8)", &voxels), fortran("|u1", "(1, 5, 6, 8)", &turned)]
            .map(|images| pictures(images, 1, &wanted).unwrap());
        assert_eq!((c.0.shape(), c.0.pixels()[0]), (shape, voxels[corner]), "{view}");
        assert_eq!(c.0, f.0);
        assert!(c.1.notes[0].starts_with("Volumes of 5 × 6 × 8"), "{:?}", c.1.notes);
    }
    let wanted = Wanted { view: "axial:5".to_owned(), ..Wanted::default() };
    let told = pictures(npy("|u1", "(1, 5, 6, 8)", &voxels), 1, &wanted).unwrap_err();
    assert!(told.contains("images.npy has no plane data.view = \"axial:5\": there are axial:0 to axial:4"), "{told}");
}

#[test]
fn one_of_several_labels_is_learned() {
    let images = || npy("|u1", "(3, 1, 2)", &[200; 6]);
    let labels = |rows: &[u8]| npy("|u1", "(3, 4)", rows);
    let ask = |rows: &[u8], column: &str| {
        let wanted = Wanted { labels: column.to_owned(), ..Wanted::default() };
        whole(images(), labels(rows), &wanted).map(|(all, findings)| (all.labels().to_vec(), findings.notes.join(" ")))
    };
    let hot = [0, 0, 1, 0, 1, 0, 0, 0, 0, 0, 0, 1];
    let (classes, notes) = ask(&hot, "").unwrap();
    assert_eq!(classes, [2, 0, 3]);
    assert!(notes.contains("one-hot"), "{notes}");
    assert_eq!(ask(&hot, "3").unwrap().0, [0, 0, 1], "who names a column wants it");
    let several = [1, 0, 1, 0, 0, 0, 0, 0, 1, 0, 0, 1];
    let (classes, notes) = ask(&several, "").unwrap();
    assert_eq!(classes, [1, 0, 1]);
    assert!(notes.contains("Each image has 4 labels") && notes.contains("number 0 (of 0 to 3)"), "{notes}");
    assert_eq!(ask(&several, "2").unwrap().0, [1, 0, 0]);
    for no in ["4", "-1", "pneumonia"] {
        let told = ask(&several, no).unwrap_err();
        assert_eq!(told, format!("there is no label data.labels = \"{no}\": each image has 4, 0 to 3"));
    }
    let wanted = Wanted { labels: "0".to_owned(), ..Wanted::default() };
    let told = whole(images(), npy("|u1", "(3, 1)", &[0; 3]), &wanted).unwrap_err();
    assert!(told.contains("one label an image"), "{told}");
}

#[test]
fn arrays_are_found_in_folders_and_in_letters_of_any_size() {
    let file = six_and(&[]);
    let wanted = parts(file.clone());
    let renamed = |name: fn(&str) -> String| {
        let mut archive = zip::ZipArchive::new(Cursor::new(file.clone())).unwrap();
        let mut all = Vec::new();
        for i in 0..archive.len() {
            let mut member = archive.by_index(i).unwrap();
            let (old, mut data) = (member.name().unwrap().trim_end_matches(".npy").to_owned(), Vec::new());
            member.read_to_end(&mut data).unwrap();
            all.push((name(&old), data));
        }
        all
    };
    let packed = |all: &[(String, Vec<u8>)]| npz(&all.iter().map(|(n, d)| (n.as_str(), d.clone())).collect::<Vec<_>>());
    let deep = renamed(|name| format!("data/set/{name}"));
    assert_eq!(parts(packed(&deep)), wanted);
    assert_eq!(parts(packed(&renamed(str::to_uppercase))), wanted);
    // Of several sets the one nearest to the top.
    let two = [deep, renamed(|name| format!("a/{name}")), renamed(|name| format!("__MACOSX/a/._{name}"))].concat();
    let contents = contents(packed(&two), &Wanted::default()).unwrap();
    assert_eq!(contents.findings.notes, ["The file holds several sets: that in a/ is read, not data/set/."]);
    let lacking: Vec<_> = two.into_iter().filter(|(name, _)| name != "a/test_labels").collect();
    assert!(
        refused(packed(&lacking)).starts_with("this .npz file lacks the entry a/test_labels.npy; it holds data/set/")
    );
}

#[test]
fn shapes_of_python_2_and_packing_of_other_programs() {
    assert_eq!(pictures(npy("|u1", "(1L, 1L, 2L)", &[8, 200]), 1, &Wanted::default()).unwrap().0.pixels(), [8, 200]);
    let plain = {
        let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
        let options = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
        writer.start_file("images.npy", options).unwrap();
        writer.write_all(&npy("|u1", "(1, 1, 2)", &[8, 200])).unwrap();
        writer.start_file("labels.npy", options).unwrap();
        writer.write_all(&npy("|u1", "(1,)", &[0])).unwrap();
        writer.finish().unwrap().into_inner()
    };
    for (number, name) in [(9, "Deflate64"), (12, "Bzip2"), (14, "Lzma"), (93, "Zstd"), (77, "Unknown")] {
        let mut bytes = plain.clone();
        // The method stands in the member's own header and in the directory.
        let directory = bytes.windows(4).position(|four| four == b"PK\x01\x02").unwrap();
        (bytes[8], bytes[directory + 10]) = (number, number);
        let told = refused(bytes);
        let wanted = format!("the entry images.npy is packed by a compression that is not read, {name}");
        assert!(told.starts_with(&wanted) && !told.contains("damaged"), "{told}");
    }
}

#[test]
fn films_of_mias_are_of_patients() {
    let films = |all: &[u16]| {
        npy("<u2", &format!("({},)", all.len()), &all.iter().flat_map(|n| n.to_le_bytes()).collect::<Vec<_>>())
    };
    let more = |test| [("train_films", films(&[1, 4, 2])), ("val_films", films(&[3])), ("test_films", films(test))];
    let contents = contents(six_and(&more(&[322, 321])), &Wanted::default()).unwrap();
    assert!(contents.findings.notes[0].contains("2k − 1 and 2k"), "{:?}", contents.findings.notes);
    let groups = given(contents).map(|part| part.groups().unwrap().clone());
    assert_eq!(groups[0].noun.one, "patient");
    assert_eq!(groups.map(|groups| groups.numbers.to_vec()), [vec![0, 1, 0], vec![1], vec![2, 2]]);
    let told = refused(six_and(&more(&[0, 1])));
    assert_eq!(told, "the entry test_films.npy holds a film below 1; films are numbered from 1");
}

#[test]
fn what_is_large_is_refused_with_what_to_do() {
    let declared = npy("|u1", "(89996, 224, 224, 3)", &[]);
    let told = refused(with("train_images", declared));
    assert!(
        told.contains("13546917888 bytes") && told.contains("save fewer or smaller images, or the file unpacked"),
        "{told}"
    );
    // Of a file on disk so much is unpacked there, if it holds what it declares; not anything that a few bytes can declare.
    let on_disk = |shape: &str| {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(&with("train_images", npy("|u1", shape, &[7; 99]))).unwrap();
        let ask = Ask { wanted: &Wanted::default(), progress: &Progress::default() };
        read_file(file.path(), &ask, 64 << 20).unwrap_err().to_string()
    };
    let told = on_disk("(89996, 224, 224, 3)");
    assert!(told.starts_with("the entry train_images.npy is cut short: 99 of 13546917888 bytes of data"), "{told}");
    let told = on_disk("(999999, 224, 224, 3)");
    assert!(told.contains("at most 68719476736 ") && told.contains("or the file unpacked (numpy.savez)"), "{told}");
}

//! Films and listings as they are handed out, as this makes them, and as they must not be believed.

use std::io::Cursor;
use std::sync::Arc;

use super::info::Severity::{Benign, Malignant, Normal};
use super::*;
use crate::data::readers::{folder, sheet};
use crate::data::wild::each;
use crate::data::{Dataset, Part, Progress, READERS_HERE, npz, plain, reader, recognise, test_data};
use crate::random::Seed;

const READERS: &[&Kind] = &[&KIND, &npz::KIND];

fn wanted(view: &str, labels: &str, size: usize) -> Wanted {
    Wanted { view: view.to_owned(), labels: labels.to_owned(), size, ..Wanted::default() }
}

fn load(path: &Path, wanted: &Wanted) -> Result<Dataset> {
    recognise::load(path, &Ask { wanted, progress: &Progress::default() }, READERS)
}

/// All images of a reader that tells no parts.
fn contents(folder: &Path, wanted: &Wanted) -> Contents {
    read(folder, &Ask { wanted, progress: &Progress::default() }).unwrap()
}

fn whole(contents: &Contents) -> Part {
    let reader::Parts::Whole(all) = &contents.parts else { panic!("the parts are given") };
    Part::all(Arc::clone(all))
}

fn counts(part: &Part, classes: usize) -> Vec<usize> {
    (0..classes as u32).map(|class| part.labels().iter().filter(|label| **label == class).count()).collect()
}

#[expect(clippy::disallowed_methods, reason = "a test's file need not be atomic")]
fn put(folder: &Path, name: &str, content: &[u8]) {
    std::fs::create_dir_all(folder).unwrap();
    std::fs::write(folder.join(name), content).unwrap();
}

/// A film whose breast is the left half, a level in each of its quarters of rows.
fn film(side: usize, levels: [u8; 4]) -> Vec<u8> {
    let pixel = |i: usize| if i % side < side / 2 { levels[4 * (i / side) / side] } else { 0 };
    let mut file = format!("P5\n# made by a test\n{side} {side}\n255\n").into_bytes();
    file.extend((0..side * side).map(pixel));
    file
}

const INFO: &str = "REFNUM BG CLASS SEVERITY X Y RADIUS\nmdb001 G CIRC B 128 895 20\nmdb002 D NORM \nmdb003 F CALC M *NOTE 3*\n\
                    mdb005 F CIRC B 300 100 20\nmdb005 F SPIC M 0 1023 20\n";

/// Five films, of which Info.txt does not know the fourth.
fn folder(side: usize) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for name in ["mdb001.pgm", "mdb002.PGM", "mdb003.pgm", "mdb004.pgm", "mdb005.pgm"] {
        put(folder.path(), name, &film(side, [40, 80, 120, 160]));
    }
    put(folder.path(), "Info.txt", INFO.as_bytes());
    folder
}

#[test]
fn both_editions_of_the_listing_say_the_same() {
    let prose = format!("        MINI-MIAS\nmdb is short for it.\n\n{}", INFO.split_once('\n').unwrap().1);
    let rows = parse(INFO.as_bytes()).rows;
    assert_eq!(parse(prose.replace('\n', "\r\n").as_bytes()), Info { rows: rows.clone(), odd_lines: vec![] });
    let row = |film, tissue, abnormality, severity, at| Row { film, tissue, abnormality, severity, at };
    let all = [
        row(1, 1, 1, Benign, Some([128, 128])),
        row(2, 2, 6, Normal, None),
        row(3, 0, 0, Malignant, None),
        row(5, 0, 1, Benign, Some([300, 923])),
        row(5, 0, 2, Malignant, Some([0, 0])),
    ];
    assert_eq!(rows, all);
    let odd = parse(b"\nmdb001 X NORM\nmdb002 F CIRC\r\nmdb003 F CIRC B 9\nmdb004 F CIRC B 9 1024 3\nmdb000 F NORM\nmdb1 F NORM\n\xff");
    assert_eq!(odd, Info { rows: vec![], odd_lines: vec![2, 3, 4, 5] });
}

#[test]
fn patches_lie_where_the_listing_counts_from_the_bottom() {
    for side in [1024, 512, 128] {
        let folder = folder(side);
        let found = contents(folder.path(), &wanted("", "", 4));
        let all = whole(&found);
        assert_eq!(all.labels(), [1, 0, 1, 2], "mdb001, 002, and 005 twice");
        assert_eq!(all.groups().unwrap().numbers[..], [0, 0, 1, 1], "mdb001 and 002 are of one patient");
        // A quarter of the rows a level, from the top: 895 from the bottom is in the first, 100 in the last.
        let images: Vec<u8> = (0..4).map(|i| all.image(i).unwrap()[0]).collect();
        assert_eq!(images, [40, 80, 160, 40], "{side}");
        // Around column 0 the patch is moved onto the film.
        assert_eq!(all.image(3).unwrap()[..4], [40; 4]);
        let skipped: Vec<(&str, &str)> = found
            .findings
            .skipped
            .iter()
            .map(|one| (one.path.file_name().unwrap().to_str().unwrap(), one.why.as_str()))
            .collect();
        assert_eq!(skipped[0].0, "mdb003.pgm");
        assert!(skipped[0].1.contains("no coordinates"), "{skipped:?}");
        assert_eq!(skipped[1], ("mdb004.pgm", "Info.txt has no row of it"));
        let loud = found.findings.warnings.join(" ");
        assert_eq!(loud.contains(&format!("The films are of {side} × {side} pixels")), side < 1024, "{loud}");
        assert_eq!(found.findings.range, "8-bit, 0–255: scaled by 255");
    }
}

#[test]
fn films_are_labelled_by_the_worst_of_their_rows() {
    let folder = folder(128);
    for (labels, expected, classes) in [
        ("severity", [1, 0, 2, 2], 3),
        ("abnormal", [1, 0, 1, 1], 2),
        ("abnormality", [1, 6, 0, 2], 7),
        ("density", [1, 2, 0, 0], 3),
    ] {
        let found = contents(folder.path(), &wanted("film", labels, 0));
        let all = whole(&found);
        assert_eq!((all.labels(), found.classes.unwrap().len()), (&expected[..], classes), "{labels}");
        assert_eq!(all.shape(), [1, 64, 64]);
        // The crop around a breast as tall as the film is all of it.
        let image = all.image(0).unwrap();
        assert_eq!((image[0], image[31], image[32], image[64 * 63]), (40, 40, 0, 160));
    }
}

#[test]
fn a_range_makes_other_values_black_and_white() {
    let folder = folder(128);
    let ask = Wanted { range: Range::Between(40.0, 160.0), ..wanted("film", "", 4) };
    let found = contents(folder.path(), &ask);
    let column: Vec<u8> = whole(&found).image(0).unwrap().iter().step_by(4).copied().collect();
    assert_eq!((column, found.findings.range.as_str()), (vec![0, 85, 170, 255], "8-bit, 40–160: scaled by 120"));
}

#[test]
fn a_folder_is_known_by_its_films_and_a_film_stands_for_it() {
    let folder = folder(64);
    let inner = folder.path().join("films");
    put(&inner, "mdb001.pgm", &film(64, [50; 4]));
    put(&inner, "mdb002.pgm", &film(64, [50; 4]));
    for (path, set) in [
        (folder.path().to_owned(), folder.path()),
        (folder.path().join("mdb003.pgm"), folder.path()),
        (folder.path().join("Info.txt"), folder.path()),
        (inner.clone(), inner.as_path()),
        (inner.join("mdb001.pgm"), inner.as_path()),
    ] {
        assert_eq!(sniff(&path), Sniff::Yes(set.to_owned()));
    }
    let up = contents(&inner, &wanted("", "abnormal", 8));
    assert_eq!(
        (whole(&up).labels(), up.findings.warnings[0].as_str()),
        (&[1, 0][..], "Info.txt has 2 films more than the folder.")
    );
    assert_eq!(sniff(&folder.path().join("nothing")), Sniff::No);
    for name in ["mdb001.pgm", "mdb002.PGM", "mdb003.pgm", "mdb004.pgm", "mdb005.pgm"] {
        std::fs::remove_file(folder.path().join(name)).unwrap();
    }
    let told = load(folder.path(), &Wanted::default()).unwrap_err().to_string();
    assert!(told.contains("without films (mdb001.pgm, …); there are some in films: name one of these: "), "{told}");
    for (key, ask) in [("data.view", wanted("lesion", "", 0)), ("data.labels", wanted("", "worst", 0))] {
        let told = load(&inner, &ask).unwrap_err().to_string();
        assert!(told.starts_with(&format!("{key} is \"")) && told.contains("for MIAS allowed are "), "{told}");
    }
}

#[test]
fn films_without_a_listing_are_told_what_is_missing_and_where_it_is() {
    let all = tempfile::tempdir().unwrap();
    let folder = all.path().join("films");
    for name in ["mdb003.pgm", "mdb001.pgm"] {
        put(&folder, name, &film(64, [50; 4]));
    }
    let readers: &[&Kind] = &[&KIND, &sheet::KIND, &folder::KIND];
    let load = |path: &Path, kind: &str| {
        let wanted = Wanted { kind: kind.to_owned(), ..Wanted::default() };
        recognise::load(path, &Ask { wanted: &wanted, progress: &Progress::default() }, readers)
    };
    for (path, kind) in [(folder.clone(), ""), (folder.join("mdb001.pgm"), ""), (folder.clone(), "mias")] {
        let error = load(&path, kind).unwrap_err();
        let told = error.to_string();
        assert!(told.starts_with("this looks like MIAS (mdb001.pgm, …), and Info.txt, which says"), "{told}");
        assert!(told.contains("(http://peipa.essex.ac.uk/info/mias.html)") && error.exit_code() == 2, "{told}");
        assert!(told.ends_with(&format!(": {}", folder.display())), "{told}");
    }
    let told = load(all.path(), "mias").unwrap_err().to_string();
    assert!(told.starts_with("MIAS is films (mdb001.pgm, …) with Info.txt"), "{told}");
    // Where a table says what they are, or folders do, nothing is missing.
    let is_mias = |path: &Path| load(path, "").map_or_else(|error| error.to_string().contains("MIAS"), |_| false);
    assert!(is_mias(&folder));
    put(&folder, "labels.csv", b"path,label\nmdb001.pgm,a\nmdb003.pgm,b\n");
    assert!(!is_mias(&folder));
    let classes = all.path().join("classes");
    put(&classes, "mdb001.pgm", &film(64, [50; 4]));
    assert!(is_mias(&classes));
    for (class, name) in [("a", "mdb002.pgm"), ("b", "mdb003.pgm")] {
        put(&classes.join(class), name, &film(64, [50; 4]));
    }
    assert!(!is_mias(&classes));
}

#[test]
fn a_bad_film_is_left_out_and_told_with_what_is_wrong() {
    let good = film(64, [99; 4]);
    for (what, bytes) in [
        ("cut short: 4095 of 4096", good[..good.len() - 1].to_vec()),
        ("does not begin with P5", b"P2\n64 64\n255\n".to_vec()),
        ("65535 × 65535 pixels", b"P5 65535 65535 255\n".to_vec()),
        ("0 × 0 pixels", b"P5 0 0 255\n".to_vec()),
        ("64 × 65 pixels", b"P5 64 65 255\n".to_vec()),
        ("65535 for its largest", b"P5 64 64 65535\n".to_vec()),
        ("no height", b"P5 64 99999999999 255\n".to_vec()),
        ("no largest value", b"P5 64 64 # no end".to_vec()),
        ("no width", b"P5".to_vec()),
        ("all dark", film(64, [20; 4])),
    ] {
        let folder = folder(64);
        put(folder.path(), "mdb002.PGM", &bytes);
        let found = contents(folder.path(), &wanted("film", "", 0));
        let bad = found.findings.skipped.iter().find(|one| one.path.ends_with("mdb002.PGM")).unwrap();
        assert!(bad.why.contains(what), "{what}: {bad:?}");
        assert_eq!(whole(&found).len(), 3, "{what}");
    }
}

#[test]
fn of_several_pieces_the_largest_is_the_breast() {
    // A label of 16 × 16 at the upper right, brighter than the breast.
    let mut film = Film { side: 128, pixels: vec![0; 128 * 128] };
    let mut paint = |columns: std::ops::Range<usize>, rows: std::ops::Range<usize>, level| {
        rows.for_each(|y| film.pixels[y * 128..][columns.clone()].fill(level));
    };
    paint(100..116, 0..16, 250);
    paint(0..40, 20..100, 60);
    let breast = film.breast().unwrap();
    // Columns 0 to 40 and rows 20 to 100 of 128; the middle of the square that holds them is moved onto the film.
    assert_eq!(breast.around, Window::around([160, 480], 640));
    assert_eq!(breast.centroid, [160, 480]);
}

/// A good listing or film, changed here and there, or bytes that are nothing.
fn mutated(good: &[u8], i: u64) -> Vec<u8> {
    let mut random = Seed(41).stream("mias", i);
    let mut bytes = if i.is_multiple_of(4) {
        (0..random.below(600)).map(|_| random.below(256) as u8).collect()
    } else {
        good.to_vec()
    };
    for _ in 0..random.below(8) {
        if bytes.is_empty() {
            break;
        }
        // What is read first is hit most.
        let near = 1 + random.below(bytes.len());
        let at = random.below(near);
        match random.below(4) {
            0 => bytes[at] = random.below(256) as u8,
            1 => bytes[at] = b"0123456789 #\nP-"[random.below(15)],
            2 => bytes.truncate(at),
            _ => bytes.insert(at, b"09 #\n\r"[random.below(6)]),
        }
    }
    bytes
}

#[test]
fn no_bytes_make_a_film_or_a_listing_fail_otherwise_than_by_a_message() {
    let film = film(32, [30, 90, 150, 210]);
    let (mut films, mut rows) = (0, 0);
    each(4000, |i| {
        if let Ok(film) = Film::read(&mutated(&film, i)) {
            films += 1;
            assert_eq!(film.pixels.len(), film.side * film.side);
            for place in [Place::At([0, 1023]), Place::Centre, Place::Breast] {
                if let Ok(picture) = picture(&film, place, 7, [0.0, 255.0]) {
                    assert_eq!(picture.pixels.len(), 49);
                }
            }
        }
        let info = parse(&mutated(INFO.as_bytes(), i));
        rows += info.rows.len();
        assert!(info.rows.iter().all(|row| row.tissue < 3 && row.abnormality < 7 && (1..1000).contains(&row.film)));
    });
    assert!(films > 500 && rows > 3000, "{films} {rows}: most of what is tried should be nearly good");
}

/// An array of a MedMNIST-like file that is neither images nor labels: u16, one an image.
fn films_of(file: &Path, part: &str) -> Vec<u32> {
    let mut archive = zip::ZipArchive::new(Cursor::new(std::fs::read(file).unwrap())).unwrap();
    let mut bytes = Vec::new();
    archive.by_name(&format!("{part}_films.npy")).unwrap().read_to_end(&mut bytes).unwrap();
    let start = 10 + usize::from(u16::from_le_bytes([bytes[8], bytes[9]]));
    bytes[start..].as_chunks().0.iter().map(|pair| u16::from_le_bytes(*pair).into()).collect()
}

/// All images of the file that `make.py` made, by film, with their labels.
fn made(file: &Path) -> Vec<(u32, u32, Vec<u8>)> {
    let set = plain(file, READERS_HERE).unwrap();
    let parts = [("train", &set.train), ("val", &set.validation), ("test", &set.test)];
    let of = |(name, part): (&str, &Part)| {
        let image = |(i, film)| (film, part.labels()[i], part.image(i).unwrap().into_owned());
        films_of(file, name).into_iter().enumerate().map(image).collect::<Vec<_>>()
    };
    parts.into_iter().flat_map(of).collect()
}

#[test]
fn pieces_of_real_films_are_those_that_were_cut_before() {
    let Some(data) = test_data("mias") else { return };
    for (view, file) in [("patch", "mias_roi64.npz"), ("film", "mias64.npz")] {
        let reference = made(&data.join(file));
        for (folder, films, edited) in [("edited", vec![148, 209], true), ("original", vec![1, 2, 5], false)] {
            if view == "film" && !edited {
                continue;
            }
            let found = contents(&data.join(folder), &wanted(view, "", 0));
            let all = whole(&found);
            let of_films = films_in(&data.join(folder)).unwrap();
            let info = parse(&info::bytes(&data.join("Info.txt")).unwrap());
            let places = listed(&of_films, &info, View::Patch, Labels::Severity);
            assert!(view == "film" || places.items.len() == all.len());
            for film in films {
                let name = format!("mdb{film:03}.pgm");
                let mine: Vec<usize> = match view {
                    "patch" => (0..all.len()).filter(|i| places.items[*i].path.ends_with(&name)).collect(),
                    _ => vec![of_films.keys().position(|number| *number == film).unwrap()],
                };
                let theirs: Vec<_> = reference.iter().filter(|(number, ..)| *number == film).collect();
                assert_eq!(mine.len(), theirs.len(), "{view} {film}");
                for (i, (_, label, pixels)) in mine.into_iter().zip(theirs) {
                    assert_eq!(all.labels()[i], *label, "{view} {film}");
                    let image = all.image(i).unwrap();
                    let far = image.iter().zip(pixels).filter(|(a, b)| a.abs_diff(**b) > 1).count();
                    println!("{view} {film}: {far} of {} pixels differ by more than 1", pixels.len());
                    // What was painted over in the edited films is in the others as it was: no patch lies there, but
                    // where the breast is may differ, so of these only patches are compared.
                    let most = if edited { 0 } else { pixels.len() / 100 };
                    assert!(far <= most, "{view} {film}: {far} of {} pixels", pixels.len());
                }
            }
        }
    }
}

#[test]
fn the_small_films_come_to_the_counts_that_are_known() {
    let Some(data) = test_data("mias") else { return };
    let rows = parse(&info::bytes(&data.join("Info.txt")).unwrap());
    assert!(rows.odd_lines.is_empty());
    let of = |wanted: &dyn Fn(&Row) -> bool| rows.rows.iter().filter(|row| wanted(row)).count();
    assert_eq!([0, 1, 2].map(|tissue| of(&|row| row.tissue == tissue)), [109, 104, 117]);
    let known = [[15, 15], [21, 4], [11, 8], [7, 8], [9, 10], [6, 9]];
    for (abnormality, known) in known.into_iter().enumerate() {
        let severity = |severity| of(&|row| row.abnormality == abnormality && row.severity == severity);
        assert_eq!([Benign, Malignant].map(severity), known, "{}", ABNORMALITIES[abnormality]);
    }
    assert_eq!(of(&|row| row.severity == Normal), 207);

    let folder = data.join("pgm128");
    for (view, known) in [("patch", [207, 68, 51]), ("film", [207, 63, 52])] {
        let found = contents(&folder, &wanted(view, "", 0));
        let all = whole(&found);
        assert_eq!((counts(&all, 3), all.shape()), (known.to_vec(), [1, 64, 64]), "{view}");
        assert_eq!(all.groups().unwrap().count(), 161);
        assert_eq!(found.findings.skipped.len(), if view == "patch" { 4 } else { 0 }, "mdb059 and three of *NOTE 3*");
        assert!(found.findings.warnings[0].contains("128 × 128"), "{:?}", found.findings);
        // Those that were cut from the large films look alike, though these have a 64th of the pixels.
        let reference = made(&data.join(if view == "patch" { "mias_roi64.npz" } else { "mias64.npz" }));
        let mean = |pixels: &[u8]| pixels.iter().map(|pixel| f64::from(*pixel)).sum::<f64>() / pixels.len() as f64;
        let mut order: Vec<usize> = (0..reference.len()).collect();
        order.sort_by_key(|i| reference[*i].0);
        let apart =
            order.iter().enumerate().map(|(i, at)| (mean(&all.image(i).unwrap()) - mean(&reference[*at].2)).abs());
        let worst = apart.fold(0.0, f64::max);
        println!("{view}: means differ by up to {worst:.2}");
        assert!(worst < 4.0, "{view}: {worst}");
    }
    let set = load(&folder, &wanted("film", "density", 28)).unwrap();
    assert_eq!((set.kind, set.classes.join(" "), set.shape()), ("mias", "F G D".to_owned(), [1, 28, 28]));
    assert!(set.drawn && set.train.len() + set.validation.len() + set.test.len() == 322);
}

//! Whatever stands in a folder, under whatever names.

use std::fs;
use std::path::Path;

use super::{dicom, folder, idx, mias, npz, sheet};
use crate::data::reader::Kind;
use crate::data::wild::{each, wild};
use crate::data::{Ask, Progress, Wanted, load};
use crate::random::Seed;

/// All that there are, in their order.
const ALL: &[&Kind] = &[&idx::KIND, &npz::KIND, &mias::KIND, &dicom::KIND, &sheet::KIND, &folder::KIND];

const NAMES: [&str; 16] = [
    "a/1.png",
    "a/2.pgm",
    "b/1.png",
    "b/2",
    "train/a/x.jpg",
    "test/b/x.tif",
    "labels.csv",
    "labels.tsv",
    "Info.txt",
    "mdb001.pgm",
    "mdb002.pgm",
    "1.dcm",
    "set.npz",
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte.gz",
    "t10k-images.idx3-ubyte",
];

/// A good file of each kind.
fn good() -> Vec<Vec<u8>> {
    let mut png = std::io::Cursor::new(Vec::new());
    image::GrayImage::from_fn(4, 3, |x, y| image::Luma([(40 * x + y) as u8]))
        .write_to(&mut png, image::ImageFormat::Png)
        .unwrap();
    let grey: Vec<u8> = (0..=255).collect();
    vec![
        png.into_inner(),
        [b"P5\n16 16\n255\n".as_slice(), &grey].concat(),
        b"path,label,patient,split\na/1.png,1,p,train\na/2.pgm,0,q,train\nb/1.png,1,r,test\nb/2,0,s,val\n".to_vec(),
        b"mdb001 G CIRC B 535 425 197\r\nmdb002 D NORM\r\n".to_vec(),
        [&[0, 0, 8, 3, 0, 0, 0, 4, 0, 0, 0, 8, 0, 0, 0, 8][..], &grey].concat(),
        [&[0, 0, 8, 1, 0, 0, 0, 4][..], &[0, 1, 1, 0]].concat(),
        dicom::tests::made::Made::default().bytes(),
        // The end of an archive in which there is nothing.
        [b"PK\x05\x06".as_slice(), &[0; 18]].concat(),
    ]
}

/// Puts up to nine files into a folder, of which each may be good or may have come to harm, under names that fit or do not;
/// and returns the one that was put last.
fn fill(root: &Path, good: &[Vec<u8>], case: u64) -> std::path::PathBuf {
    let mut random = Seed(case).stream("mixed", 0);
    let mut last = root.to_owned();
    for i in 0..=random.below(9) {
        let whole = &good[random.below(good.len())];
        let bytes = if random.below(3) == 0 { wild(whole, 64 * case + i as u64) } else { whole.clone() };
        last = root.join(NAMES[random.below(NAMES.len())]);
        fs::create_dir_all(last.parent().unwrap()).unwrap();
        #[expect(clippy::disallowed_methods, reason = "a test's file need not be atomic")]
        fs::write(&last, bytes).unwrap();
    }
    last
}

#[test]
fn what_no_reader_knows_is_met_with_what_there_is() {
    let told = |path: &Path| {
        load(path, &Ask { wanted: &Wanted::default(), progress: &Progress::default() }, ALL).unwrap_err().to_string()
    };
    let known = "this is no data set that can be read, a folder of IDX files";
    let root = tempfile::tempdir().unwrap();
    fs::create_dir_all(root.path().join("a/b")).unwrap();
    assert!(told(root.path()).starts_with(known), "{}", told(root.path()));
    let file = root.path().join("notes.dcm");
    #[expect(clippy::disallowed_methods, reason = "a test's file need not be atomic")]
    fs::write(&file, b"notes").unwrap();
    assert!(told(&file).starts_with(known) && told(&file).ends_with("notes.dcm"), "{}", told(&file));
}

/// Neither a folder nor a file in it makes any reader fail otherwise than by a message that names it.
#[test]
fn any_files_under_any_names_are_a_set_or_a_problem() {
    let good = good();
    let (mut sets, mut problems) = (0, 0);
    each(1500, |case| {
        let root = tempfile::tempdir().unwrap();
        let last = fill(root.path(), &good, case);
        let path = if case % 3 == 0 { last.as_path() } else { root.path() };
        // Each reader is asked by its name too.
        let kind = ALL.get(case as usize % 11).map_or("", |kind| kind.id).to_owned();
        let wanted = Wanted { kind, size: 8, ..Wanted::default() };
        match load(path, &Ask { wanted: &wanted, progress: &Progress::default() }, ALL) {
            Ok(set) => {
                sets += 1;
                for part in [&set.train, &set.validation, &set.test] {
                    assert!(part.labels().iter().all(|label| (*label as usize) < set.classes.len()));
                    for i in 0..part.len() {
                        assert!(part.values(i).unwrap().iter().all(|value| (0.0..=1.0).contains(value)));
                    }
                }
            }
            Err(error) => {
                problems += 1;
                let told = error.to_string();
                assert!(told.contains(root.path().to_str().unwrap()) && !told.contains("SECRET"), "{told}");
            }
        }
    });
    assert!(sets > 50 && problems > 50, "{sets} sets, {problems} problems");
}

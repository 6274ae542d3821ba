use std::fs;

use image::{DynamicImage, ImageBuffer, Luma};

use super::*;
use crate::data::wild::each;
use crate::data::{Dataset, READERS_HERE, plain};
use crate::random::Seed;
use crate::whole_files::Writer;

/// A picture of one grey.
pub fn put(path: &Path, grey: u8) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let image: DynamicImage = ImageBuffer::from_pixel(2, 2, Luma([grey])).into();
    let mut bytes = std::io::Cursor::new(Vec::new());
    image.write_to(&mut bytes, image::ImageFormat::Png).unwrap();
    Writer::default().write(path, &bytes.into_inner()).unwrap();
}

fn opened(root: &Path) -> Dataset {
    plain(root, READERS_HERE).unwrap()
}

fn problem(root: &Path) -> String {
    plain(root, READERS_HERE).unwrap_err().to_string()
}

fn all_names(listing: &Listing) -> Vec<String> {
    listing.items.iter().map(|item| item.path.file_name().unwrap().to_string_lossy().into_owned()).collect()
}

#[test]
fn classes_and_files_are_in_natural_order() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    for (i, path) in
        ["10/b.png", "9/a10.png", "9/a9.png", "9/inner/a1.png", "Cat/x.png", "bird/y.png"].iter().enumerate()
    {
        put(&root.join(path), i as u8);
    }
    for left in [".DS_Store", "9/Thumbs.db", "__MACOSX/9/._a9.png", ".git/x.png", "9/.hidden.png", "README.txt"] {
        fs::create_dir_all(root.join(left).parent().unwrap()).unwrap();
        Writer::default().write(&root.join(left), b"anything").unwrap();
    }
    let listing = listed(root).unwrap();
    assert_eq!(listing.classes.as_deref().unwrap(), ["9", "10", "bird", "Cat"]);
    assert_eq!(all_names(&listing), ["a9.png", "a10.png", "a1.png", "b.png", "y.png", "x.png"]);
    assert_eq!((listing.findings.skipped.len(), listing.findings.warnings.len()), (0, 0));
    let set = opened(root);
    assert_eq!((set.kind, set.drawn, set.shape()), ("folder", true, [1, 2, 2]));
    assert_eq!(set.train.len() + set.validation.len() + set.test.len(), 6);
    assert!(set.groups().is_none());
}

#[test]
fn numbers_in_names_go_by_value() {
    let mut names =
        ["b", "a10", "a2", "A3", "a02", "", "a", "a2b", "99999999999999999999999", "100000000000000000000000"];
    names.sort_by(|a, b| natural(a.as_ref(), b.as_ref()));
    let sorted = ["", "99999999999999999999999", "100000000000000000000000", "a", "a02", "a2", "a2b", "A3", "a10", "b"];
    assert_eq!(names, sorted);
}

#[test]
fn parts_may_stand_above_the_classes() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    for (i, path) in
        ["Train/a/1.png", "Train/b/2.png", "valid/b/3.png", "test/a/4.png", "test/b/5.png", "test/stray.png"]
            .iter()
            .enumerate()
    {
        put(&root.join(path), i as u8);
    }
    put(&root.join("extra/6.png"), 9);
    fs::create_dir(root.join("test/c")).unwrap();
    let set = opened(root);
    assert_eq!((set.classes.as_slice(), set.drawn), (&["a".to_owned(), "b".to_owned()][..], false));
    let greys = |part: &crate::data::Part| part.pixels().into_iter().step_by(4).collect::<Vec<_>>();
    assert_eq!([greys(&set.train), greys(&set.validation), greys(&set.test)], [vec![0, 1], vec![2], vec![3, 4]]);
    assert_eq!(set.test.labels(), [0, 1]);
    let found = &set.findings;
    let extra = "The folder \"extra\" beside those of training and test images is left out.";
    let [empty, skipped] = [
        format!("The folder \"{}\" has no pictures.", Path::new("test").join("c").display()),
        "stands in no class folder".to_owned(),
    ];
    // All of their pixels are below 5.
    assert!(found.warnings[2].starts_with("Images are dark"), "{:?}", found.warnings);
    assert_eq!(found.warnings[..2], [extra, &empty]);
    assert_eq!((found.skipped.len(), found.skipped[0].why.as_str()), (1, skipped.as_str()));
    // Without a test folder all are drawn from, and that is said.
    fs::remove_dir_all(root.join("test")).unwrap();
    for i in 0..12 {
        put(&root.join(format!("Train/a/more{i}.png")), i);
    }
    let fewer = opened(root);
    assert!(
        fewer.drawn && fewer.findings.notes.iter().any(|note| note.starts_with("Parts are drawn")),
        "{:?}",
        fewer.findings
    );
    // A class may be called so.
    let vehicles = tempfile::tempdir().unwrap();
    for path in ["train/1.png", "car/2.png", "car/3.png"] {
        put(&vehicles.path().join(path), 7);
    }
    assert_eq!(listed(vehicles.path()).unwrap().classes.unwrap(), ["car", "train"]);
    fs::create_dir_all(root.join("training/a")).unwrap();
    assert!(problem(root).starts_with("both \"Train\" and \"training\" could be"), "{}", problem(root));
}

#[test]
fn what_is_no_picture_is_skipped_and_listed() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    for i in 0..6 {
        put(&root.join(format!("{}/{i}.png", ["a", "b"][i % 2])), i as u8);
    }
    let writer = Writer::default();
    writer.write(&root.join("a/notes.txt"), b"text").unwrap();
    writer.write(&root.join("a/cut.png"), &fs::read(root.join("a/0.png")).unwrap()[..40]).unwrap();
    writer.write(&root.join("b/none.jpg"), b"").unwrap();
    let set = opened(root);
    let skipped: Vec<(String, &str)> = set
        .findings
        .skipped
        .iter()
        .map(|one| (one.path.file_name().unwrap().to_string_lossy().into_owned(), one.why.as_str()))
        .collect();
    assert_eq!(skipped.len(), 3, "{skipped:?}");
    assert!(skipped[0].0 == "cut.png" && skipped[0].1.starts_with("cannot be decoded"), "{skipped:?}");
    assert_eq!(skipped[1].0, "notes.txt");
    assert_eq!(skipped[2], ("none.jpg".to_owned(), "is empty"));
    assert_eq!(set.train.len() + set.validation.len() + set.test.len(), 6);
}

#[test]
fn a_folder_without_classes_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    put(&root.join("1.png"), 1);
    assert!(problem(root).starts_with("there are no class folders with pictures here"), "{}", problem(root));
    put(&root.join("only/1.png"), 1);
    let told = problem(root);
    assert!(
        told.starts_with("all pictures are of one class, \"only\"") && told.ends_with(root.to_str().unwrap()),
        "{told}"
    );
    let broken = tempfile::tempdir().unwrap();
    for path in ["a/1.png", "b/2.png"] {
        fs::create_dir_all(broken.path().join(path).parent().unwrap()).unwrap();
        Writer::default().write(&broken.path().join(path), b"nothing").unwrap();
    }
    let told = problem(broken.path());
    assert!(told.starts_with("no picture can be read: the first is no picture") && told.contains("1.png"), "{told}");
}

#[cfg(unix)]
#[test]
fn links_in_a_circle_end_and_names_that_are_no_text_are_read() {
    use std::os::unix::ffi::OsStrExt;
    use std::os::unix::fs::symlink;
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    let odd = root.join(std::ffi::OsStr::from_bytes(b"caf\xe9"));
    put(&odd.join(std::ffi::OsStr::from_bytes(b"\xff.png")), 3);
    for i in 0..9 {
        put(&root.join(format!("b/{i}.png")), 4);
    }
    symlink(root, root.join("b/up")).unwrap();
    symlink(root.join("b"), root.join("b/self")).unwrap();
    symlink(root.join("nowhere"), root.join("b/gone.png")).unwrap();
    symlink(root.join("loop"), root.join("loop")).unwrap();
    symlink("loop.png", root.join("b/loop.png")).unwrap();
    // In the place of classes too: these pictures are of other classes, or of nobody's set.
    symlink(root, root.join("all")).unwrap();
    symlink(root.parent().unwrap(), root.join("beyond")).unwrap();
    let set = opened(root);
    assert_eq!(set.classes, ["b", "caf\u{fffd}"]);
    let skipped: Vec<(&Path, &str)> =
        set.findings.skipped.iter().map(|one| (one.path.strip_prefix(root).unwrap(), one.why.as_str())).collect();
    for name in ["all", "beyond", "b/up", "b/self"] {
        assert!(skipped.contains(&(Path::new(name), "is a link back to a folder that it is in")), "{skipped:?}");
    }
    for name in ["b/gone.png", "b/loop.png"] {
        let told = skipped.iter().any(|(path, why)| *path == Path::new(name) && why.starts_with("cannot be read"));
        assert!(told, "{name}: {skipped:?}");
    }
    assert_eq!(skipped.len(), 6, "{skipped:?}");
    assert!(set.findings.warnings.iter().all(|warning| !warning.contains("has no pictures")));
    // The link up leads nowhere: the other class's pictures are none of this one's.
    assert_eq!(listed(root).unwrap().items.len(), 12);
}

#[cfg(unix)]
#[test]
fn a_folder_that_may_not_be_looked_into_is_skipped_and_listed() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    for path in ["a/1.png", "b/2.png", "b/closed/3.png", "c/4.png"] {
        put(&root.join(path), 9);
    }
    let mode = |path: &str, mode| fs::set_permissions(root.join(path), fs::Permissions::from_mode(mode)).unwrap();
    mode("b/closed", 0o0);
    mode("c", 0o0);
    // Whoever is root may look into it.
    let closed = root.join("c").read_dir().is_err();
    let listing = listed(root).unwrap();
    mode("b", 0o0);
    let told = listed(root).err().map(|error| error.to_string());
    for path in ["b", "b/closed", "c"] {
        mode(path, 0o700);
    }
    if !closed {
        return;
    }
    let skipped: Vec<_> = listing.findings.skipped.iter().map(|one| (one.path.clone(), one.why.clone())).collect();
    let why = "cannot be looked into (Permission denied (os error 13))";
    assert_eq!(skipped, ["b/closed", "c"].map(|path| (root.join(path), why.to_owned())));
    assert_eq!((listing.items.len(), listing.findings.warnings.len()), (2, 0));
    let told = told.unwrap();
    assert!(told.starts_with("all pictures are of one class, \"a\" (b cannot be looked into"), "{told}");
}

#[cfg(unix)]
#[test]
fn a_pipe_and_a_file_that_may_not_be_read_are_skipped() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    for i in 0..6 {
        put(&root.join(format!("{}/{i}.png", ["a", "b"][i % 2])), i as u8);
    }
    symlink("/dev/zero", root.join("a/endless.png")).unwrap();
    fs::set_permissions(root.join("a/0.png"), fs::Permissions::from_mode(0o0)).unwrap();
    let readable = fs::File::open(root.join("a/0.png")).is_ok();
    let set = opened(root);
    let why: Vec<&str> = set.findings.skipped.iter().map(|one| one.why.as_str()).collect();
    assert!(why.contains(&"is no file"), "{why:?}");
    // Whoever is root may read it.
    assert_eq!(why.len(), if readable { 1 } else { 2 }, "{why:?}");
}

/// Whatever stands in a folder is a set or a problem.
#[test]
fn any_files_are_a_set_or_a_problem() {
    let folder = tempfile::tempdir().unwrap();
    put(&folder.path().join("good.png"), 5);
    let good = fs::read(folder.path().join("good.png")).unwrap();
    let (mut sets, mut problems) = (0, 0);
    each(1000, |case| {
        let mut random = Seed(case).stream("folder", 0);
        let root = tempfile::tempdir().unwrap();
        for i in 0..4 + random.below(3) {
            let class =
                ["a", "b", "train/a", "test/b", ".", "val/a/deep"][random.below(if case % 2 == 0 { 2 } else { 6 })];
            let name =
                [format!("{i}.png"), format!("{i}.jpg"), format!(".{i}"), format!("{i}")][random.below(4)].clone();
            let mut bytes = good.clone();
            if random.below(3) == 0 {
                let at = random.below(bytes.len());
                bytes[at] = random.below(256) as u8;
                bytes.truncate(random.below(bytes.len() + 1));
            }
            fs::create_dir_all(root.path().join(class)).unwrap();
            #[expect(clippy::disallowed_methods, reason = "a test's file need not be atomic")]
            fs::write(root.path().join(class).join(name), &bytes).unwrap();
        }
        match plain(root.path(), READERS_HERE) {
            Ok(set) => {
                sets += 1;
                assert!(set.classes.len() >= 2 && !set.train.is_empty());
            }
            Err(error) => {
                problems += 1;
                assert!(error.to_string().ends_with(root.path().to_str().unwrap()), "{error}");
            }
        }
    });
    assert!(sets > 20 && problems > 20, "{sets} sets, {problems} problems");
}

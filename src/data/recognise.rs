//! How a data file is recognised: the sets that come with the program by their names, paths by the first reader that is sure
//! of them; and the set that is made of it.

use std::ffi::OsStr;
use std::fs::File;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::cache::{Stamp, once};
use super::dataset::complete;
use super::known::{classes_of, known};
use super::reader::{Contents, Kind, Parts, Sniff};
use super::source::BYTE_WHITE;
use super::wanted::{Ask, SplitBy, Wanted};
use super::{BUILT_IN, Dataset, Part, Range, about_path, built_in, portion, shaped};
use crate::error::{Error, Result};
use crate::place;

/// The reader that is the first to be sure of a path, and the path of the set.
pub fn recognised(path: &Path, readers: &[&'static Kind]) -> Option<(&'static Kind, PathBuf)> {
    readers.iter().find_map(|kind| match (kind.sniff)(path) {
        Sniff::Yes(set) => Some((*kind, set)),
        Sniff::No | Sniff::Perhaps => None,
    })
}

/// What a path of data may be: `a folder of IDX files or an .npz file`.
pub fn readable(readers: &[&'static Kind]) -> String {
    let all: Vec<&str> = readers.iter().map(|kind| kind.about).collect();
    match all.split_last() {
        Some((last, [])) => (*last).to_owned(),
        Some((last, others)) => format!("{} or {last}", others.join(", ")),
        None => String::new(),
    }
}

/// Loads a built-in set by name, or reads the set at a path by whichever of `readers` knows it, its images as they are
/// `wanted`. A built-in name wins over a file of that name; `./mnist` is the file. Paths are as [`place::found`] takes
/// them.
///
/// # Errors
/// [`Error::Input`] where there is no such set, it may not be read, or a file is damaged or beyond the limits;
/// [`Error::Io`] where the disk fails; [`Error::Stopped`] where it was told to stop.
pub fn load(name_or_path: impl AsRef<OsStr>, ask: &Ask<'_>, readers: &[&'static Kind]) -> Result<Dataset> {
    let given = name_or_path.as_ref();
    if let Some(name) = given.to_str().filter(|name| BUILT_IN.contains(name)) {
        let told = |problem| Error::input(format!("{problem}: {name}"));
        for_files(ask.wanted).map_err(told)?;
        return arranged(built_in(name)?, ask.wanted).map_err(told);
    }
    let path = place::found(given)?;
    match path.metadata() {
        // A pipe would be waited for, for ever.
        Ok(there) if !there.is_file() && !there.is_dir() => {
            return Err(about_path("this is neither a file nor a folder", &path));
        }
        Ok(_) => {}
        Err(error) => {
            let gone = [ErrorKind::NotFound, ErrorKind::InvalidInput, ErrorKind::NotADirectory].contains(&error.kind());
            let fetched = given.to_str().and_then(known).filter(|_| gone);
            return Err(match fetched {
                Some(set) => Error::input(set.wanted()),
                None if gone && path.is_symlink() => about_path("what this link leads to is not there", &path),
                None if gone => unknown(&given.to_string_lossy(), readers),
                // Links in a circle, a folder that may not be entered, a name that is too long.
                None => about_path(&format!("could not look at the data: {error}"), &path),
            });
        }
    }
    openable(&path)?;
    let (kind, set) = chosen(&path, ask.wanted, readers)?;
    // A folder goes by its own name, whatever the table in it is called.
    let called = if path.is_dir() { path.file_name() } else { set.file_stem() };
    let name = called.unwrap_or(given).to_string_lossy().into_owned();
    let path = set;
    once(Stamp::of(kind.id, ask.wanted, &path), || {
        let Contents { parts, classes, findings } = (kind.read)(&path, ask)?;
        let told = |problem: String| about_path(&problem, &path);
        let (parts, drawn) = parted(parts, findings.unlabelled, ask.wanted).map_err(told)?;
        let depth = match parts[0].white() {
            BYTE_WHITE => String::new(),
            white => format!(", pixels from 0 to {white}"),
        };
        let about = format!("images read from {}{depth}; for the licence see their source", kind.title);
        let largest = parts.iter().flat_map(|part| part.labels().iter().copied()).max();
        let classes = classes.or_else(|| classes_of(&name, largest.map_or(0, |label| label as usize + 1)));
        let set = Dataset::of_parts(&name, &about, classes, parts, findings.into()).map_err(told)?;
        let set = Dataset { kind: kind.id, drawn, ..set };
        arranged(set, ask.wanted).map_err(told)
    })
}

/// Refuses what may not be read, which no reader could tell from what it does not know, and a folder of nothing.
fn openable(path: &Path) -> Result<()> {
    if path.is_file() {
        return File::open(path).map(drop).map_err(Error::opening("open the data", path));
    }
    match path.read_dir().map_err(Error::opening("look into the folder", path))?.next() {
        None => Err(about_path("this folder is empty", path)),
        Some(_) => Ok(()),
    }
}

/// Training, validation and test images, and whether they were drawn. What has no labels is one part.
fn parted(parts: Parts, unlabelled: bool, wanted: &Wanted) -> Result<([Part; 3], bool), String> {
    Ok(match parts {
        Parts::Given(parts) => (complete(parts)?.map(Part::all), false),
        Parts::Whole(all) => {
            let [all] = complete([all])?;
            if unlabelled {
                let all = Part::all(all);
                let none = all.take(0);
                ([all, none.clone(), none], false)
            } else {
                (portion::drawn(all, wanted)?, true)
            }
        }
    })
}

/// Refuses wishes that a reader sees to, of a set that comes with the program.
fn for_files(wanted: &Wanted) -> Result<(), String> {
    let wishes = [
        ("data.range", wanted.range != Range::Auto),
        ("data.labels", !wanted.labels.is_empty()),
        ("data.view", !wanted.view.is_empty()),
    ];
    let wish = wishes.into_iter().find(|(_, is)| *is);
    wish.map_or(Ok(()), |(name, _)| Err(format!("{name} is for files, and this set comes with the program")))
}

/// The reader that is asked for by its id, or whichever is sure of the path, or may read it; and the path of the set.
fn chosen(path: &Path, wanted: &Wanted, readers: &[&'static Kind]) -> Result<(&'static Kind, PathBuf)> {
    if !wanted.kind.is_empty() {
        let kind = readers.iter().find(|kind| kind.id == wanted.kind).ok_or_else(|| {
            let known: Vec<&str> = readers.iter().map(|kind| kind.id).collect();
            Error::input(format!("no reader of data is called \"{}\": there are {}", wanted.kind, known.join(", ")))
        })?;
        return match (kind.sniff)(path) {
            Sniff::Yes(set) => Ok((*kind, set)),
            Sniff::No | Sniff::Perhaps => Ok((*kind, path.to_owned())),
        };
    }
    let try_all =
        || readers.iter().find(|kind| (kind.sniff)(path) == Sniff::Perhaps).map(|kind| (*kind, path.to_owned()));
    recognised(path, readers)
        .or_else(try_all)
        .ok_or_else(|| about_path(&format!("this is no data set that can be read, {}", readable(readers)), path))
}

/// The set with images of the wanted size and channels, in parts that are drawn where that is wanted.
fn arranged(set: Dataset, wanted: &Wanted) -> Result<Dataset, String> {
    // What no file parts is drawn already.
    let anew = (wanted.split == SplitBy::Drawn || wanted.fold.is_some()) && !set.drawn;
    let set = if anew { portion::redrawn(set, wanted)? } else { set };
    shaped::shaped(set, wanted)
}

/// The error for a name that is neither built in nor a path, with the likely name where one is near.
fn unknown(name: &str, readers: &[&'static Kind]) -> Error {
    let lower = name.to_lowercase();
    let near = |known: &&str| strsim::jaro_winkler(&lower, known);
    let likely = BUILT_IN.into_iter().max_by(|a, b| near(a).total_cmp(&near(b))).filter(|known| near(known) >= 0.8);
    let hint = likely.map_or_else(String::new, |known| format!("; did you mean \"{known}\"?"));
    Error::input(format!(
        "no data set, file or folder is called {name:?}: built in are {}; a path may be {}{hint}",
        BUILT_IN.join(" and "),
        readable(readers)
    ))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::{Duration, SystemTime};

    use super::*;
    use crate::data::reader::{Findings, has_ending};
    use crate::data::{Images, Progress, idx, npz, plain};
    use crate::whole_files::Writer;

    /// Some readers.
    const TWO: &[&Kind] = &[&idx::KIND, &npz::KIND];

    #[test]
    fn an_unknown_name_is_met_with_the_known_ones() {
        let text = |name: &str| match plain(name, TWO) {
            Err(Error::Input(text)) => text,
            other => panic!("{other:?}"),
        };
        assert!(text("mnsit").ends_with("did you mean \"mnist\"?"), "{}", text("mnsit"));
        assert!(text("BrainMRI").ends_with("did you mean \"brainmri\"?"));
        let known =
            "built in are mnist and brainmri; a path may be a folder of IDX files or a MedMNIST or Keras .npz file";
        assert!(text("no/such/folder").ends_with(known), "{}", text("no/such/folder"));
        assert!(!text("").contains("did you mean"));
    }

    #[cfg(unix)]
    #[test]
    fn what_is_neither_a_file_nor_a_folder_is_not_waited_for() {
        for kind in ["", "npz", "idx"] {
            let wanted = Wanted { kind: kind.to_owned(), ..Wanted::default() };
            let told = load("/dev/zero", &Ask { wanted: &wanted, progress: &Progress::default() }, TWO).unwrap_err();
            assert_eq!(told.to_string(), "this is neither a file nor a folder: /dev/zero");
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_path_that_cannot_be_opened_is_wrong_input_and_named() {
        use std::fs::{Permissions, create_dir, set_permissions};
        use std::os::unix::fs::{PermissionsExt, symlink};
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        symlink(at("itself"), at("itself")).unwrap();
        symlink(at("there"), at("back")).unwrap();
        symlink(at("back"), at("there")).unwrap();
        symlink(at("nothing"), at("dangling")).unwrap();
        let long = "x".repeat(300);
        let circle = "could not look at the data: Too many levels of symbolic links";
        for (name, says) in [
            ("itself", circle),
            ("back", circle),
            ("there/below", circle),
            ("dangling", "what this link leads to is not there"),
            (long.as_str(), "could not look at the data: File name too long"),
        ] {
            let error = plain(at(name), TWO).unwrap_err();
            let told = error.to_string();
            let named = told.starts_with(says) && told.ends_with(&format!(": {}", at(name).display()));
            assert!(named && error.exit_code() == 2, "{name}: {told}");
        }
        create_dir(at("folder")).unwrap();
        Writer::default().write(&at("file.npz"), b"x").unwrap();
        for (name, says) in [("folder", "could not look into the folder: "), ("file.npz", "could not open the data: ")]
        {
            set_permissions(at(name), Permissions::from_mode(0o0)).unwrap();
            // Whoever is root may read it.
            if at(name).read_dir().is_ok() || File::open(at(name)).is_ok_and(|_| name == "file.npz") {
                continue;
            }
            let error = plain(at(name), TWO).unwrap_err();
            let told = error.to_string();
            assert!(told.starts_with(says) && told.contains("ermission denied") && error.exit_code() == 2, "{told}");
        }
    }

    #[test]
    fn a_file_is_read_once_however_often_it_is_loaded() {
        static READS: AtomicUsize = AtomicUsize::new(0);
        static COUNTED: Kind = Kind {
            id: "counted",
            title: "a counted file",
            about: "a .counted file",
            endings: &["counted"],
            sniff: |path| if has_ending(path, "counted") { Sniff::Yes(path.to_owned()) } else { Sniff::No },
            read: |_, _| {
                READS.fetch_add(1, Ordering::Relaxed);
                let images = || Images { shape: [1, 1, 1], pixels: vec![7], labels: vec![0] };
                Ok([images(), Images::none([1, 1, 1]), images()].into())
            },
        };
        let file = tempfile::Builder::new().suffix(".counted").tempfile().unwrap();
        // What was written just now could change without a sign of it.
        file.as_file().set_modified(SystemTime::now() - Duration::from_mins(1)).unwrap();
        let readers: &[&'static Kind] = &[&COUNTED];
        let first = plain(file.path(), readers).unwrap();
        let again = plain(file.path(), readers).unwrap();
        assert_eq!(READS.load(Ordering::Relaxed), 1);
        assert!(Arc::ptr_eq(first.test.source(), again.test.source()));
        drop((first, again));
        plain(file.path(), readers).unwrap();
        assert_eq!(READS.load(Ordering::Relaxed), 2, "nobody had it any more");
    }

    #[test]
    fn the_reader_that_is_sure_reads_and_the_one_that_may_be_tries() {
        static SURE: Kind = Kind {
            id: "sure",
            title: "a sure thing",
            about: "a .sure file",
            endings: &["sure"],
            sniff: |path| if has_ending(path, "sure") { Sniff::Yes(path.to_owned()) } else { Sniff::No },
            read: |_, _| {
                let images = || Images { shape: [1, 1, 1], pixels: vec![7], labels: vec![0] };
                let classes = Some(vec!["one".to_owned()]);
                Ok(Contents { classes, ..[images(), Images::none([1, 1, 1]), images()].into() })
            },
        };
        let file = tempfile::Builder::new().suffix(".SURE").tempfile().unwrap();
        // It begins as an archive does, and is none.
        std::io::Write::write_all(&mut file.as_file(), b"PK").unwrap();
        // The last in the list is asked too, before anybody tries.
        let all = [TWO, &[&SURE]].concat();
        let set = plain(file.path(), &all).unwrap();
        assert_eq!((set.classes.as_slice(), set.test.pixels()), (&["one".to_owned()][..], vec![7]));
        assert_eq!(set.about, "images read from a sure thing; for the licence see their source");
        let told = plain(file.path(), TWO).unwrap_err().to_string();
        assert!(told.starts_with("not a readable .npz"), "{told}");
        let told = plain(file.path(), &[]).unwrap_err().to_string();
        assert!(told.starts_with("this is no data set"), "{told}");
        let [idx, npz] = [TWO[0].about, TWO[1].about];
        assert_eq!(readable(&all), format!("{idx}, {npz} or a .sure file"));
        assert_eq!(readable(TWO), format!("{idx} or {npz}"));
    }

    #[test]
    fn one_image_without_a_label_can_be_looked_at_and_with_one_is_no_set() {
        fn contents(unlabelled: bool) -> Contents {
            let images = Images { shape: [1, 1, 1], pixels: vec![7], labels: vec![0] };
            let findings = Findings { unlabelled, ..Findings::default() };
            Contents { parts: Parts::Whole(images.into()), classes: None, findings }
        }
        static LONE: Kind = Kind {
            id: "lone",
            title: "a lone image",
            about: "a .lone or .told file",
            endings: &["lone", "told"],
            sniff: |path| Sniff::Yes(path.to_owned()),
            read: |path, _| Ok(contents(has_ending(path, "lone"))),
        };
        let file = |ending: &str| tempfile::Builder::new().suffix(ending).tempfile().unwrap();
        let lone = plain(file(".lone").path(), &[&LONE]).unwrap();
        assert_eq!((lone.train.len(), lone.test.len(), lone.drawn), (1, 0, false));
        let told = plain(file(".told").path(), &[&LONE]).unwrap_err().to_string();
        assert!(told.starts_with("the test set is empty"), "{told}");
    }
}

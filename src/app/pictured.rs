//! The pictures of a run that was made before, read back from its folder.

use std::fs;
use std::path::Path;
use std::time::Duration;

use super::state::State;
use crate::error::{Error, Result};
use crate::experiment::Experiment;
use crate::run::folder::IMAGES;
use crate::run::identity::catalogue;
use crate::run::pictures::tiles;
use crate::run::scene::Gallery;
use crate::run::scene::Picture;

/// A sheet that is larger is no run's.
const MAX_BYTES: u64 = 64 << 20;

/// Fills in the galleries of a run. What cannot be read is left out, with a line in the log.
pub fn fill(state: &mut State, run: &Path, experiment: &Experiment) {
    let folder = run.join(IMAGES);
    if !folder.is_dir() {
        return;
    }
    match catalogue(run, experiment) {
        Ok(data) => {
            let (galleries, troubles) = galleries(&folder, data.shape);
            state.galleries = galleries;
            for trouble in troubles {
                state.say(Duration::ZERO, trouble);
            }
        }
        Err(error) => {
            state.say(Duration::ZERO, t!("The run's pictures are left out, its data are not there: {error}", error));
        }
    }
}

/// The galleries of a run that can be read.
///
/// # Errors
/// Returns an error if it is not known how large its images are.
pub fn of_run(run: &Path, experiment: &Experiment) -> Result<Vec<Gallery>> {
    Ok(galleries(&run.join(IMAGES), catalogue(run, experiment)?.shape).0)
}

/// The galleries in a folder of pictures, in the order of the attacks' table, and what could not be read.
fn galleries(folder: &Path, shape: [usize; 3]) -> (Vec<Gallery>, Vec<String>) {
    let names = fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.file_name());
    let mut found: Vec<(FileName, String)> = names
        .filter_map(|name| name.into_string().ok())
        .filter_map(|name| Some((FileName::of(name.strip_suffix(".png")?)?, name)))
        .collect();
    found.sort();
    let (mut galleries, mut troubles) = (Vec::new(), Vec::new());
    for (named, name) in found {
        match gallery(&named, &folder.join(&name), shape) {
            Ok(gallery) => galleries.push(gallery),
            Err(error) => troubles.push(t!("A picture is left out, {error}", error)),
        }
    }
    (galleries, troubles)
}

/// What a file's name tells: `dropout-e6-rmle-adaptive`, and `-afterwards` where it was launched at the finished run, or
/// `-afterwards-2` where it was so once more.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct FileName {
    target: String,
    name: String,
    adaptive: bool,
    epoch: usize,
    launch: usize,
}

impl FileName {
    fn of(stem: &str) -> Option<Self> {
        // A label may have the word in it, before the mode.
        let (stem, launch) = match stem.rsplit_once("-afterwards") {
            Some((stem, "")) => (stem, 1),
            Some((before, number)) => match number.strip_prefix('-').and_then(|number| number.parse().ok()) {
                Some(launch) => (before, launch),
                None => (stem, 0),
            },
            None => (stem, 0),
        };
        let (target, rest) = stem.split_once("-e")?;
        let (epoch, rest) = rest.split_once('-')?;
        let (name, mode) = rest.rsplit_once('-')?;
        let adaptive = match mode {
            "adaptive" => true,
            "naive" => false,
            _ => return None,
        };
        let known = !target.is_empty() && !name.is_empty();
        let epoch = epoch.parse().ok()?;
        known.then(|| Self { target: target.to_owned(), name: name.to_owned(), adaptive, epoch, launch })
    }
}

fn gallery(named: &FileName, path: &Path, shape: [usize; 3]) -> Result<Gallery> {
    let size = fs::metadata(path).map_err(Error::io("read", path))?.len();
    if size > MAX_BYTES {
        return Err(Error::input(format!("{size} bytes are too many: {}", path.display())));
    }
    let bytes = fs::read(path).map_err(Error::io("read", path))?;
    let rows = tiles(&bytes, shape).map_err(|error| Error::input(format!("{error}: {}", path.display())))?;
    let column = |at: usize| -> Result<Vec<Picture>> {
        let pictures: Option<_> = rows.iter().map(|row| row.get(at).cloned()).collect();
        pictures.ok_or_else(|| Error::input(format!("it has too few columns: {}", path.display())))
    };
    Ok(Gallery {
        name: named.name.clone(),
        adaptive: named.adaptive,
        target: named.target.clone(),
        epoch: named.epoch,
        originals: column(0)?,
        sent: column(1)?,
        stolen: column(2)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::caption::Caption;
    use crate::run::pictures::{Tile, sheet};
    use crate::run::whole_files::Writer;

    #[test]
    fn names_tell_the_attack() {
        let named = FileName::of("dropout-e12-rmle-adaptive-afterwards").unwrap();
        assert_eq!((named.target.as_str(), named.epoch, named.name.as_str()), ("dropout", 12, "rmle"));
        assert!(named.adaptive && named.launch == 1);
        assert_eq!(FileName::of("dropout-e12-rmle-adaptive-afterwards-3").unwrap().launch, 3);
        assert_eq!(FileName::of("vanilla-e0-deep-prior-naive").unwrap().name, "deep-prior");
        assert_eq!(FileName::of("dropout-e1-rmle-λ.01-afterwards-naive").unwrap().name, "rmle-λ.01-afterwards");
        assert_eq!(FileName::of("dropout-e1-rmle-λ.01-naive-afterwards-2").unwrap().launch, 2);
        for wrong in [
            "maps",
            "dropout-e1-rmle",
            "dropout-ex-rmle-naive",
            "-e1-rmle-naive",
            "dropout-e1--naive",
            "dropout-e1-rmle-naive-afterwards3",
            "",
        ] {
            assert_eq!(FileName::of(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_folder_gives_its_galleries_and_a_damaged_picture_is_left_out_in_words() {
        let folder = tempfile::tempdir().unwrap();
        let picture = |v: u8| Picture { shape: [1, 2, 3], values: vec![f32::from(v) / 255.0; 6] };
        let row = |v: u8| {
            let tile = |v| Tile::Image(picture(v));
            vec![tile(v), tile(v + 1), tile(v + 2), Tile::Error(picture(v), picture(v + 2))]
        };
        let put = |name: &str, bytes: &[u8]| Writer::default().write(&folder.path().join(name), bytes).unwrap();
        let bytes = sheet(&[row(10), row(20)], &Caption::default()).unwrap();
        put("vanilla-e2-rmle-naive.png", &bytes);
        put("dropout-e2-rmle-adaptive.png", &bytes);
        put("dropout-e1-rmle-adaptive.png", &bytes);
        put("dropout-e2-inverse-naive.png", &bytes[..bytes.len() / 2]);
        put("dropout-e2-rmle-naive.png", &sheet(&[vec![Tile::Image(picture(1))]], &Caption::default()).unwrap());
        put("maps.png", b"no attack's");
        let (galleries, troubles) = galleries(folder.path(), [1, 2, 3]);
        let found: Vec<(&str, usize)> = galleries.iter().map(|one| (one.target.as_str(), one.epoch)).collect();
        assert_eq!(found, [("dropout", 1), ("dropout", 2), ("vanilla", 2)]);
        assert_eq!(galleries[0].originals, [picture(10), picture(20)]);
        assert_eq!(galleries[0].sent, [picture(11), picture(21)]);
        assert_eq!(galleries[0].stolen, [picture(12), picture(22)]);
        assert_eq!(troubles.len(), 2, "{troubles:?}");
        assert!(troubles.iter().all(|line| line.starts_with("A picture is left out") && line.contains(".png")));
    }
}

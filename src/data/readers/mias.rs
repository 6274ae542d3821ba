//! MIAS, the mini-database of 322 mammograms of the Mammographic Image Analysis Society: films as PGM files (mdb001.pgm),
//! and Info.txt, which says what is on them, beside them or one folder up.
//!
//! Every set is of square images: patches around abnormalities, or whole films cut down to the breast. A patch is 256 ×
//! 256 pixels of a film of 1,024, and that of a normal film lies around the breast's centre of gravity; films that were
//! made smaller have their patches where they would be. Films 2k - 1 and 2k are the right and the left of one patient.

mod film;
mod info;

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use self::film::{Film, Window, header};
use self::info::{ABNORMALITIES, Info, Row, SIDE, Severity, TISSUES, film_of, found, parse, within};
use crate::data::decode::is_picture;
use crate::data::known::KNOWN;
use crate::data::pictures::{Decode, Head, Item, Listing, Picture, gather};
use crate::data::reader::{Contents, Findings, Kind, Skipped, Sniff, has_ending};
use crate::data::readers::folder::any;
use crate::data::readers::sheet::fitting;
use crate::data::{Ask, Noun, Numbering, Range, Wanted, about_path};
use crate::error::{Error, Result};

/// What it is called among the sets that one fetches.
const SET: &str = "./all-mias";
/// Height and width of a patch, in pixels of a film of [`SIDE`].
const PATCH: usize = 256;
/// Height and width of the images of a set for which no other size is wanted.
const USUAL: usize = 64;
/// Longest file of a film that is read: 1,024 × 1,024 bytes and a header.
const MAX_FILM: u64 = (1 << 20) + (1 << 16);
/// Most lines of a listing that are named where they are not understood.
const MOST_NAMED: usize = 5;

/// Its card.
pub static KIND: Kind = Kind {
    id: "mias",
    title: "the MIAS films",
    about: "a folder of the MIAS films (mdb001.pgm, …) with Info.txt",
    endings: &["pgm"],
    sniff,
    read,
};

/// Which part of a film.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum View {
    Patch,
    Film,
}

/// What images are told apart by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Labels {
    Severity,
    Abnormal,
    Abnormality,
    Density,
}

const VIEWS: [(&str, View); 2] = [("patch", View::Patch), ("film", View::Film)];

const LABELS: [(&str, Labels); 4] = [
    ("severity", Labels::Severity),
    ("abnormal", Labels::Abnormal),
    ("abnormality", Labels::Abnormality),
    ("density", Labels::Density),
];

impl Labels {
    fn classes(self) -> Vec<String> {
        let names: &[&str] = match self {
            Self::Severity => &["normal", "benign", "malignant"],
            Self::Abnormal => &["normal", "abnormal"],
            Self::Abnormality => &ABNORMALITIES,
            Self::Density => &TISSUES,
        };
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    fn of(self, row: &Row) -> u32 {
        match self {
            Self::Severity => row.severity as u32,
            Self::Abnormal => u32::from(row.severity > Severity::Normal),
            Self::Abnormality => row.abnormality as u32,
            Self::Density => row.tissue as u32,
        }
    }
}

/// The one of a setting's values that is wanted; the first where nothing is said.
fn chosen<T: Copy>(key: &str, wanted: &str, known: &[(&str, T)]) -> Result<T> {
    let found = known.iter().find(|(name, _)| *name == wanted || wanted.is_empty());
    found.map(|(_, value)| *value).ok_or_else(|| {
        let names: Vec<&str> = known.iter().map(|(name, _)| *name).collect();
        Error::input(format!("{key} is \"{wanted}\": for MIAS allowed are {}", names.join(", ")))
    })
}

/// A folder is told by a film or by its listing; a film or the listing stands for the folder.
fn sniff(path: &Path) -> Sniff {
    let named = path.file_stem().and_then(|stem| stem.to_str()).and_then(film_of).is_some();
    let listing = |path: &Path| info::bytes(path).is_ok_and(|text| !parse(&text).rows.is_empty());
    let folder = if path.is_dir() {
        Some(path)
    } else if (named && has_ending(path, "pgm")) || (is_listing(path) && listing(path)) {
        path.parent()
    } else {
        None
    };
    let Some(folder) = folder else { return Sniff::No };
    // Without a listing, for this reader to say so, where nothing else says what the films are.
    let has_film = has_films(folder) && (found(folder).is_some() || !is_told(folder));
    let known = has_film || within(folder).is_some_and(|path| listing(&path));
    if known { Sniff::Yes(folder.to_owned()) } else { Sniff::No }
}

/// Whether a table, or class folders, tell what the pictures of a folder are.
fn is_told(folder: &Path) -> bool {
    let inside = folder.read_dir().into_iter().flatten().flatten().map(|entry| entry.path());
    !fitting(folder).is_empty() || inside.into_iter().any(|path| path.is_dir() && any(&path, &is_picture))
}

fn is_listing(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.eq_ignore_ascii_case("info.txt")) && path.is_file()
}

fn has_films(folder: &Path) -> bool {
    folder.read_dir().into_iter().flatten().flatten().any(|entry| numbered(&entry.path()).is_some())
}

/// The number of the film that a file is.
fn numbered(path: &Path) -> Option<u32> {
    let number = path.file_stem()?.to_str().and_then(film_of)?;
    has_ending(path, "pgm").then_some(number)
}

/// The files of the films in a folder, by number.
fn films_in(folder: &Path) -> Result<BTreeMap<u32, PathBuf>> {
    let mut films = BTreeMap::new();
    for entry in folder.read_dir().map_err(Error::opening("look into the folder", folder))? {
        let path = entry.map_err(Error::opening("look into the folder", folder))?.path();
        if let Some(number) = numbered(&path) {
            // Of mdb001.pgm and mdb001.PGM the same one whatever order the folder is in.
            let of = films.entry(number).or_insert_with(|| path.clone());
            if path < *of {
                *of = path;
            }
        }
    }
    Ok(films)
}

/// The bytes of a file of at most so many.
fn file_bytes(path: &Path, most: u64) -> Result<Vec<u8>, String> {
    let unreadable = |error| format!("cannot be read ({error})");
    if !path.is_file() {
        return Err("is not a file".to_owned());
    }
    let mut bytes = Vec::new();
    File::open(path).map_err(unreadable)?.take(most + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() as u64 > most { Err(format!("has more than {most} bytes")) } else { Ok(bytes) }
}

fn read(folder: &Path, ask: &Ask<'_>) -> Result<Contents> {
    let view = chosen("data.view", &ask.wanted.view, &VIEWS)?;
    let labels = chosen("data.labels", &ask.wanted.labels, &LABELS)?;
    let size = if ask.wanted.size == 0 { USUAL } else { ask.wanted.size };
    let films = films_in(folder)?;
    let Some(listing) = found(folder) else {
        return Err(about_path(&lacking(&films), folder));
    };
    let text = info::bytes(&listing).map_err(|problem| about_path(&format!("this listing {problem}"), &listing))?;
    let info = parse(&text);
    if films.is_empty() {
        return Err(about_path(
            &format!("Info.txt stands here without films (mdb001.pgm, …){}", below(folder)),
            folder,
        ));
    }
    if info.rows.is_empty() {
        return Err(about_path("this Info.txt has no row of a MIAS film, as in \"mdb003 D NORM\"", &listing));
    }
    let mut listed = listed(&films, &info, view, labels);
    let range = range(ask.wanted.range);
    listed.findings.range = format!("8-bit, {}–{}: scaled by {}", range[0], range[1], range[1] - range[0]);
    listed.findings.notes.push(about(view, labels, size));
    listed.findings.warnings.extend(smaller(&listed.sides, view, size));
    let Listed { items, places, findings, .. } = listed;
    let paths: Vec<PathBuf> = items.iter().map(|item| item.path.clone()).collect();
    let listing = Listing { items, classes: Some(labels.classes()), noun: Noun::PATIENT, findings };
    let pictures = Pieces { paths, places, size, range };
    // Size and range are seen to here.
    let wanted = Wanted { size, range: Range::Auto, ..ask.wanted.clone() };
    gather(listing, pictures, &Ask { wanted: &wanted, ..*ask }).map_err(|error| match error {
        Error::Input(problem) => about_path(&problem, folder),
        error => error,
    })
}

/// What is said where films stand without a listing.
fn lacking(films: &BTreeMap<u32, PathBuf>) -> String {
    let Some(first) = films.values().next().and_then(|path| path.file_name()) else {
        return "MIAS is films (mdb001.pgm, …) with Info.txt, beside them or one folder up".to_owned();
    };
    let more = if films.len() > 1 { ", …" } else { "" };
    let from = KNOWN.iter().find(|set| set.name == SET).map_or("", |set| set.from);
    format!(
        "this looks like MIAS ({}{more}), and Info.txt, which says what is on the films, is neither here nor one folder up: \
         it comes with them ({from}); without it, films can be read from class folders, or by a CSV file with the columns \
         path and label",
        first.to_string_lossy()
    )
}

/// The images as pieces of films.
struct Pieces {
    paths: Vec<PathBuf>,
    places: Vec<Place>,
    size: usize,
    range: [f64; 2],
}

impl Decode for Pieces {
    fn picture(&self, i: usize) -> Result<Picture, String> {
        let film = Film::read(&file_bytes(&self.paths[i], MAX_FILM)?)?;
        picture(&film, self.places[i], self.size, self.range)
    }

    fn head(&self, _: usize) -> Result<Head, String> {
        Ok(Head { shape: [1, self.size, self.size], white: 255, said: vec![] })
    }
}

/// Which values are black and white.
fn range(wanted: Range) -> [f64; 2] {
    match wanted {
        Range::Auto => [0.0, 255.0],
        Range::Between(black, white) => [black, white],
    }
}

/// Folders below that have films, to be named where there are none.
fn below(folder: &Path) -> String {
    let inside = folder.read_dir().into_iter().flatten().flatten().map(|entry| entry.path());
    let mut with: Vec<String> = inside
        .filter(|path| path.is_dir() && has_films(path))
        .filter_map(|path| Some(path.file_name()?.to_string_lossy().into_owned()))
        .collect();
    with.sort();
    if with.is_empty() { String::new() } else { format!("; there are some in {}: name one of these", with.join(", ")) }
}

/// Which part of a film an image is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// A patch around a middle: column, row.
    At([u32; 2]),
    /// A patch around the breast's centre of gravity.
    Centre,
    /// The breast.
    Breast,
}

/// Images that are to be, and what was found on the way.
struct Listed {
    items: Vec<Item>,
    /// The place of each.
    places: Vec<Place>,
    findings: Findings,
    /// Sides of the films.
    sides: BTreeSet<usize>,
}

/// The images that films and listing come to, by film and in the listing's order.
fn listed(films: &BTreeMap<u32, PathBuf>, info: &Info, view: View, labels: Labels) -> Listed {
    let mut all = Listed { items: vec![], places: vec![], findings: Findings::default(), sides: BTreeSet::new() };
    let mut patients = Numbering::default();
    for (number, path) in films {
        let mut skip = |why: &str| all.findings.skipped.push(Skipped { path: path.clone(), why: why.to_owned() });
        let rows: Vec<&Row> = info.rows.iter().filter(|row| row.film == *number).collect();
        let Some(worst) = rows.iter().rev().max_by_key(|row| row.severity) else {
            skip("Info.txt has no row of it");
            continue;
        };
        match side_of(path) {
            Ok(side) => all.sides.insert(side),
            Err(problem) => {
                skip(&problem);
                continue;
            }
        };
        let placed: Vec<(&Row, Place)> = match view {
            View::Film => vec![(worst, Place::Breast)],
            View::Patch => {
                rows.iter()
                    .filter_map(|row| {
                        Some((*row, patch(row).or_else(|| {
                skip("a row of Info.txt has no coordinates for it: no patch, though the film view has it");
                None
            })?))
                    })
                    .collect()
            }
        };
        for (row, place) in placed {
            let (path, label) = (path.clone(), labels.of(row));
            all.items.push(Item { path, label, group: Some(patients.number(number.div_ceil(2))), part: None });
            all.places.push(place);
        }
    }
    all.findings.warnings.extend(oddities(films, info));
    all
}

/// Where the patch of a row is.
fn patch(row: &Row) -> Option<Place> {
    let normal = row.severity == Severity::Normal;
    if normal { Some(Place::Centre) } else { row.at.map(Place::At) }
}

/// Height and width of a film, from the beginning of its file.
fn side_of(path: &Path) -> Result<usize, String> {
    let unreadable = |error| format!("cannot be read ({error})");
    let mut start = Vec::new();
    File::open(path).map_err(unreadable)?.take(1 << 13).read_to_end(&mut start).map_err(unreadable)?;
    header(&start).map(|(side, ..)| side)
}

/// What is odd about a listing and its films, a sentence each.
fn oddities(films: &BTreeMap<u32, PathBuf>, info: &Info) -> Vec<String> {
    let mut all = Vec::new();
    if !info.odd_lines.is_empty() {
        let named: Vec<String> = info.odd_lines.iter().take(MOST_NAMED).map(ToString::to_string).collect();
        let more = if info.odd_lines.len() > MOST_NAMED { ", …" } else { "" };
        all.push(format!("Rows of Info.txt that are not understood are left out: line {}{more}.", named.join(", ")));
    }
    let lacking =
        info.rows.iter().map(|row| row.film).filter(|film| !films.contains_key(film)).collect::<BTreeSet<_>>();
    if !lacking.is_empty() {
        all.push(format!("Info.txt has {} films more than the folder.", lacking.len()));
    }
    all
}

/// What the images are, in a sentence.
fn about(view: View, labels: Labels, size: usize) -> String {
    let what = match view {
        View::Patch => format!(
            "An image is a patch of {PATCH} × {PATCH} pixels of a film of {SIDE}, around an abnormality or the middle of a \
             normal breast, as {size} × {size} means"
        ),
        View::Film => format!("An image is a film, cut to a square around the breast, as {size} × {size} means"),
    };
    let told = match (labels, view) {
        (Labels::Density, _) => "; F is fatty, G fatty-glandular and D dense-glandular tissue",
        (_, View::Film) => "; one with several rows in Info.txt is what the worst of them says",
        _ => "",
    };
    format!("{what}{told}.")
}

/// A sentence where films are smaller than they are handed out.
fn smaller(sides: &BTreeSet<usize>, view: View, size: usize) -> Option<String> {
    let least = *sides.first().filter(|side| **side < SIDE as usize)?;
    let of = if sides.len() == 1 { String::new() } else { " in part".to_owned() };
    let patch = match view {
        View::Patch => {
            let own = PATCH * least / SIDE as usize;
            let scaled = if own < size { format!(", which is scaled up to {size} × {size}") } else { String::new() };
            format!(": a patch is {own} × {own} pixels of one{scaled}")
        }
        View::Film => String::new(),
    };
    Some(format!(
        "The films are{of} of {least} × {least} pixels, not {SIDE} × {SIDE}; coordinates are scaled with them{patch}."
    ))
}

/// One image, `size` × `size`.
fn picture(film: &Film, place: Place, size: usize, [black, white]: [f64; 2]) -> Result<Picture, String> {
    let breast = || film.breast().ok_or("is all dark: no breast can be found on it");
    let window = match place {
        Place::At(at) => Window::around(at.map(|side| side as usize), PATCH),
        Place::Centre => Window::around(breast()?.centroid, PATCH),
        Place::Breast => breast()?.around,
    };
    let level = |value: f32| (255.0 * (f64::from(value) - black) / (white - black)).round().clamp(0.0, 255.0) as u16;
    Ok(Picture { shape: [1, size, size], pixels: film.cut(window, size).into_iter().map(level).collect(), white: 255 })
}

#[cfg(test)]
mod tests;

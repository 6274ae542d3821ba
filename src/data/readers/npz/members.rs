//! The members of an archive by the names of their arrays, whatever order and folder they are in.

use std::io::{Read, Seek};

use zip::read::ZipFile;
use zip::result::ZipError;
use zip::{CompressionMethod, ZipArchive};

/// What the arrays of images and labels of a part are called.
pub(super) type Pair = [&'static str; 2];

/// The parts as other arrays name them.
pub(super) const PARTS: [&str; 3] = ["train", "val", "test"];

/// What the arrays of training, validation and test images and labels are called. Files without those for validation have
/// no such images.
const PARTED: [[Pair; 3]; 2] = [
    [["train_images", "train_labels"], ["val_images", "val_labels"], ["test_images", "test_labels"]],
    [["x_train", "y_train"], ["x_val", "y_val"], ["x_test", "y_test"]],
];

/// What they are called where nobody says which images are for what.
const WHOLE: [Pair; 2] = [["images", "labels"], ["x", "y"]];

/// Names of members that a message lists.
const LISTED: usize = 8;

/// The arrays of a set, by name.
pub(super) struct Members<R> {
    archive: ZipArchive<R>,
    /// The folder of the archive that the set is in, with a slash at its end; empty for none.
    folder: String,
    /// How the set's arrays are called.
    pub names: Names,
    /// Folders with another set.
    pub others: Vec<String>,
}

/// How the arrays of a set are called.
#[derive(Clone, Copy)]
pub(super) enum Names {
    /// Part by part.
    Parted([Pair; 3]),
    /// All together.
    Whole(Pair),
}

impl Names {
    /// The name of the array that a set is known by.
    fn first(self) -> &'static str {
        match self {
            Self::Parted([[images, _], ..]) | Self::Whole([images, _]) => images,
        }
    }
}

impl<R: Read + Seek> Members<R> {
    /// Opens an archive and finds the set in it.
    pub fn open(file: R) -> Result<Self, String> {
        let archive = ZipArchive::new(file).map_err(|error| {
            format!("not a readable .npz (zip) file; it may be cut short, then copy or download it again ({error})")
        })?;
        let all = PARTED.map(Names::Parted).into_iter().chain(WHOLE.map(Names::Whole));
        let mut found = None;
        for names in all {
            let mut folders: Vec<String> =
                archive.file_names().filter_map(|name| folder_of(&name.ok()?, names)).collect();
            // The nearest to the top first.
            folders.sort_by_key(|folder| (folder.matches('/').count(), folder.clone()));
            if !folders.is_empty() {
                let folder = folders.remove(0);
                found = Some((names, folder, folders));
                break;
            }
        }
        let (names, folder, others) = found.unwrap_or((Names::Parted(PARTED[0]), String::new(), Vec::new()));
        Ok(Self { archive, folder, names, others })
    }

    /// The folder of the set, or its place outside of any, for a note.
    pub fn folder(&self) -> &str {
        if self.folder.is_empty() { "the top" } else { &self.folder }
    }

    fn place(&self, array: &str) -> Option<usize> {
        let wanted = format!("{}{array}.npy", self.folder);
        self.archive.index_for_name(&wanted).or_else(|| {
            let mut names = self.archive.file_names();
            names.position(|name| name.is_ok_and(|name| name.eq_ignore_ascii_case(&wanted)))
        })
    }

    /// Whether there is an array of this name.
    pub fn has(&self, array: &str) -> bool {
        self.place(array).is_some()
    }

    /// Returns an error that names what is there if there is no such array.
    pub fn expect(&self, array: &str) -> Result<(), String> {
        if self.has(array) { Ok(()) } else { Err(self.lacks(array)) }
    }

    /// Reads the array of a name.
    pub fn read<T>(
        &mut self,
        array: &str,
        read: impl FnOnce(&mut ZipFile<'_, R>) -> Result<T, String>,
    ) -> Result<T, String> {
        let Some(place) = self.place(array) else { return Err(self.lacks(array)) };
        let name = format!("{}{array}.npy", self.folder);
        let unreadable = |error: ZipError| format!("the entry {name} cannot be read ({error})");
        let raw = self.archive.by_index_raw(place).map_err(unreadable)?;
        let (packed, encrypted) = (raw.compression(), raw.encrypted());
        drop(raw);
        if encrypted {
            return Err(format!("the entry {name} is encrypted: save the file without a password"));
        }
        if !matches!(packed, CompressionMethod::Stored | CompressionMethod::Deflated) {
            let instead = "pack the file by deflate, as numpy.savez_compressed does, or not at all";
            return Err(format!("the entry {name} is packed by a compression that is not read, {packed}: {instead}"));
        }
        let mut member = self.archive.by_index(place).map_err(unreadable)?;
        read(&mut member).map_err(|problem| format!("the entry {name} {problem}"))
    }

    fn lacks(&self, array: &str) -> String {
        let mut names: Vec<String> = self.archive.file_names().filter_map(|name| Some(shown(&name.ok()?))).collect();
        let more = if names.len() > LISTED { ", …" } else { "" };
        names.truncate(LISTED);
        let held = if names.is_empty() { "nothing".to_owned() } else { format!("{}{more}", names.join(", ")) };
        format!("this .npz file lacks the entry {}{array}.npy; it holds {held}", self.folder)
    }
}

/// A stranger's name, fit to be shown.
fn shown(name: &str) -> String {
    name.chars().take(60).flat_map(char::escape_debug).collect()
}

/// The folder that a member is in, with its slash, if it is the first array of a set with these names.
fn folder_of(member: &str, names: Names) -> Option<String> {
    let at = member.rfind('/').map_or(0, |slash| slash + 1);
    let (folder, file) = member.split_at(at);
    let array = file.len().checked_sub(4).and_then(|end| file.split_at_checked(end));
    let (stem, ending) = array?;
    (stem.eq_ignore_ascii_case(names.first()) && ending.eq_ignore_ascii_case(".npy")).then(|| folder.to_owned())
}

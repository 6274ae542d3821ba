//! Decoded pictures on disk: so that a set is decoded once, and may be larger than memory.
//!
//! A file of the folder `data-cache` in the program's own is one set: its images one after another, then their digests,
//! what else came of decoding, and a foot by which all of it is checked. It is named by a hash of what it was made of, so
//! it never gets old: where a picture changes, another is made. It is put there whole, and whoever has it open keeps it if
//! it is deleted. Neither names nor labels nor patients are in it.

use std::fs::{self, File};
use std::io::{BufReader, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::decoded::Decoded;
use super::layout;
use crate::data::array::Pixels;
use crate::data::cache::settled;
use crate::data::range::Seen;
use crate::data::{Progress, Wanted, payload_bytes};
use crate::error::{Error, Result};
use crate::place;
use crate::whole_files::{DRAFT, Draft};

/// The folder, in the program's own.
const FOLDER: &str = "data-cache";
/// How files of sets end.
const ENDING: &str = "pictures";
/// The variable of the environment with the most bytes in the folder; with 0 nothing is kept there.
const MOST: &str = "CUTLAYER_DATA_CACHE";
/// Most bytes in it where nobody says otherwise.
const MOST_USUAL: u64 = 20 << 30;
/// What the last bytes of a file are. It changes with the form of a file, and with how pictures are decoded and scaled.
const FORM: &[u8; 16] = b"cutlayer-pics-01";
/// Bytes of a foot: two lengths, a hash, the form.
const FOOT: u64 = 8 + 8 + 32 + 16;
/// Nobody writes to a draft any more that has not grown for so long.
const ABANDONED: Duration = Duration::from_hours(1);

/// By what a set is known again.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::data) struct Key {
    /// The name of its file.
    name: String,
    /// How many pictures are in its listing.
    pictures: usize,
}

impl Key {
    /// Of what decodes, what is wanted, and the files; none where one of them may change without a sign of it.
    pub fn of(known_as: &str, wanted: &Wanted, files: &[&Path]) -> Option<Self> {
        let mut hash = blake3::Hasher::new();
        hash.update(FORM);
        // Class names, labels and parts are not in the file.
        let words = format!("{:?}", (known_as, wanted.range, wanted.size, wanted.channels, &wanted.view));
        hash.update(words.as_bytes());
        let now = SystemTime::now();
        for file in files {
            let path = std::path::absolute(file).ok()?;
            let bytes = path.as_os_str().as_encoded_bytes();
            hash.update(&(bytes.len() as u64).to_le_bytes()).update(bytes);
            let Ok(metadata) = file.metadata() else {
                hash.update(b"gone");
                continue;
            };
            let written = metadata.modified().ok().filter(|written| settled(*written, now))?;
            let age = written.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
            hash.update(&metadata.len().to_le_bytes()).update(&age.as_nanos().to_le_bytes());
        }
        Some(Self { name: format!("{}.{ENDING}", hash.finalize().to_hex()), pictures: files.len() })
    }
}

/// The folder, and how much may be in it.
#[derive(Debug)]
pub(in crate::data) struct Store {
    pub folder: PathBuf,
    pub most: u64,
}

impl Store {
    /// That of the program.
    ///
    /// # Errors
    /// Returns an error if the environment names something that is no number.
    pub fn usual() -> Result<Self> {
        let named = std::env::var_os(MOST).filter(|named| !named.is_empty());
        // Tests of other things leave nothing in anybody's home.
        let usual = if cfg!(test) { 0 } else { MOST_USUAL };
        let most = named.map_or(Ok(usual), |named| {
            named.to_str().and_then(|named| named.parse().ok()).ok_or_else(|| {
                let named = named.display();
                Error::input(format!("{MOST} = \"{named}\" in the environment: allowed is a whole number of bytes"))
            })
        })?;
        let folder = if cfg!(test) && most == 0 { std::env::temp_dir() } else { place::home_folder().join(FOLDER) };
        Ok(Self { folder, most })
    }

    /// What is kept under a key, every image of it looked at; none where that is nothing, or damaged.
    ///
    /// # Errors
    /// Returns an error if it was told to stop.
    pub fn found(&self, key: &Key, large: u64, progress: &Progress) -> Result<Option<(Decoded, Pixels)>> {
        if self.most == 0 {
            return Ok(None);
        }
        let path = self.folder.join(&key.name);
        let Ok(file) = File::open(&path) else { return Ok(None) };
        let found = read(&file, &path, key, large, progress)?;
        if found.is_some() {
            // It was used now. Where that cannot be said it may go sooner.
            let _ = File::options().write(true).open(&path).and_then(|file| file.set_modified(SystemTime::now()));
        } else {
            drop(file);
            // Whoever makes it anew puts another in its place anyway.
            let _ = fs::remove_file(&path);
        }
        Ok(found)
    }

    /// Keeps a set that is in memory for the next time. Where the disk refuses, the next time takes longer.
    pub fn keep(&self, key: &Key, pixels: &[u8], decoded: &Decoded, digests: &[[u8; 32]]) {
        if self.most > pixels.len() as u64 {
            let kept = Saving::begin(self).and_then(|mut saving| {
                saving.add(pixels)?;
                saving.end(decoded, digests, Some(key))
            });
            if let Err(error) = kept {
                tracing::warn!("decoded pictures are not kept for the next time: {error}");
            }
        }
    }

    /// Removes what was used least lately until no more is there than may be, and what killed writers left.
    fn tidy(&self, newest: &Path) {
        let Ok(entries) = fs::read_dir(&self.folder) else { return };
        let mut all = Vec::new();
        for path in entries.flatten().map(|entry| entry.path()) {
            let Ok(metadata) = path.metadata() else { continue };
            let used = metadata.modified().unwrap_or(SystemTime::UNIX_EPOCH);
            let abandoned = used.elapsed().is_ok_and(|age| age > ABANDONED);
            if abandoned && path.as_os_str().as_encoded_bytes().ends_with(DRAFT.as_bytes()) {
                // It is in nobody's way.
                let _ = fs::remove_file(path);
            } else if path.extension().is_some_and(|ending| ending == ENDING) {
                all.push((path != newest, used, metadata.len(), path));
            }
        }
        all.sort();
        // The newest of all stays whatever the clock says; of the others those that were used last.
        let mut total = 0_u64;
        let (first, others) = all.split_at(all.iter().take_while(|one| !one.0).count());
        for (_, _, size, path) in first.iter().chain(others.iter().rev()) {
            total = total.saturating_add(*size);
            if total > self.most {
                let _ = fs::remove_file(path);
            }
        }
    }
}

/// A file that is being written; nothing is left of it unless it comes to its end.
pub(in crate::data) struct Saving<'a> {
    store: &'a Store,
    file: BufWriter<File>,
    draft: Draft,
    written: u64,
}

impl<'a> Saving<'a> {
    pub fn begin(store: &'a Store) -> Result<Self> {
        let begin = || {
            fs::create_dir_all(&store.folder)?;
            Draft::beside(&store.folder.join(ENDING))
        };
        let (file, draft) = begin().map_err(failed(&store.folder))?;
        Ok(Self { store, file: BufWriter::with_capacity(1 << 20, file), draft, written: 0 })
    }

    pub fn add(&mut self, bytes: &[u8]) -> Result<()> {
        self.written += bytes.len() as u64;
        self.file.write_all(bytes).map_err(failed(&self.store.folder))
    }

    /// Puts the file under a key, or nowhere: then it is gone when it is closed. Returns it, open.
    pub fn end(mut self, decoded: &Decoded, digests: &[[u8; 32]], key: Option<&Key>) -> Result<(File, PathBuf)> {
        let words =
            serde_json::to_vec(decoded).map_err(|error| Error::Internal(format!("a list of pictures: {error}")))?;
        for part in [digests.as_flattened(), &words, &foot(digests, &words)] {
            self.add(part)?;
        }
        let Self { store, file, draft, written } = self;
        let end = || {
            // It need not be synced: what a failing machine leaves half-written does not pass for whole.
            drop(file.into_inner()?);
            let opened = File::open(draft.path())?;
            match key.filter(|_| written <= store.most) {
                Some(key) => {
                    let path = store.folder.join(&key.name);
                    draft.rename(&path)?;
                    store.tidy(&path);
                    Ok((opened, path))
                }
                None => Ok((opened, draft.path().to_owned())),
            }
        };
        end().map_err(failed(&store.folder))
    }
}

fn failed(folder: &Path) -> impl FnOnce(std::io::Error) -> Error + use<> {
    let path = folder.to_owned();
    move |source| Error::Io { doing: "write decoded pictures, for which CUTLAYER_HOME names the place", path, source }
}

fn foot(digests: &[[u8; 32]], words: &[u8]) -> Vec<u8> {
    let lengths = [(digests.len() as u64).to_le_bytes(), (words.len() as u64).to_le_bytes()];
    let mut hash = blake3::Hasher::new();
    hash.update(digests.as_flattened()).update(words).update(lengths.as_flattened());
    [lengths.as_flattened(), hash.finalize().as_bytes(), FORM].concat()
}

/// Reads a file; none where anything in it is not as it was written.
fn read(file: &File, path: &Path, key: &Key, large: u64, progress: &Progress) -> Result<Option<(Decoded, Pixels)>> {
    let Some((decoded, digests)) = words(file, key) else { return Ok(None) };
    let layout = layout(decoded.shape, decoded.white);
    let (size, mut held) = (layout.size(), Vec::new());
    let keep = ((size * digests.len()) as u64) < large.max(1);
    let mut reader = BufReader::with_capacity(1 << 20, file);
    if reader.rewind().is_err() {
        return Ok(None);
    }
    progress.begin(digests.len());
    let (mut image, mut seen) = (vec![0; size], Seen::nothing(layout.number()));
    for digest in &digests {
        progress.step()?;
        if reader.read_exact(&mut image).is_err() || blake3::hash(&image).as_bytes() != digest {
            return Ok(None);
        }
        seen = seen.and(layout.seen(&image));
        if keep {
            held.extend_from_slice(&image);
        }
    }
    if keep {
        return Ok(Some((decoded, Pixels::held(layout, held))));
    }
    let Ok(file) = file.try_clone() else { return Ok(None) };
    Ok(Some((decoded, Pixels::kept(file, path.to_owned(), layout, digests, seen))))
}

/// What stands after the images, if it is whole and fits them.
fn words(mut file: &File, key: &Key) -> Option<(Decoded, Vec<[u8; 32]>)> {
    let all = file.metadata().ok()?.len();
    file.seek(SeekFrom::Start(all.checked_sub(FOOT)?)).ok()?;
    let mut foot_found = Vec::new();
    file.read_to_end(&mut foot_found).ok()?;
    let length = |at: usize| Some(u64::from_le_bytes(*foot_found.get(at..)?.first_chunk()?));
    let (count, words) = (length(0)?, length(8)?);
    if count == 0 || count > key.pictures as u64 || words > all {
        return None;
    }
    let start = all.checked_sub(FOOT + words + 32 * count)?;
    file.seek(SeekFrom::Start(start)).ok()?;
    let mut digests = vec![[0; 32]; count as usize];
    file.read_exact(digests.as_flattened_mut()).ok()?;
    let mut text = vec![0; words as usize];
    file.read_exact(&mut text).ok()?;
    if foot(&digests, &text) != foot_found {
        return None;
    }
    let decoded: Decoded = serde_json::from_slice(&text).ok()?;
    let layout = layout(decoded.shape, decoded.white);
    let [c, h, w] = decoded.shape.map(|side| side as u64);
    let bytes = payload_bytes(count, [c * layout.pixel.bytes() as u64, h, w], u64::MAX).ok()?;
    let skipped = decoded.skipped.iter().map(|(i, _)| i);
    let fits = decoded.kept.iter().chain(skipped).all(|i| (*i as usize) < key.pictures);
    (fits && bytes == start && decoded.kept.len() == digests.len() && matches!(c, 1 | 3)).then_some((decoded, digests))
}

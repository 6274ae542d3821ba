//! The folder of an audit: the run that was audited, what the attacks made of it, and `audit.json` with what it comes to
//! and the hash of every file.
//!
//! Whoever gets it can check it ([`verified`]): that no byte differs, that the scores are those of the images beside them,
//! and that the lines are those of the scores. The run's trained models are there too, so that the attacks can be launched again.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::{Audit, Course, Suite, counted};
use crate::data::named::named;
use crate::error::{Error, Result};
use crate::run::attack_records::earlier;
use crate::run::folder::{CHECKPOINT, DATA, EXPERIMENT, KEPT, METRICS, SUMMARY, check_is_run};
use crate::run::summary::AttackRecord;
use crate::run::victim::Paths;
use crate::score::image::score;
use crate::score::verdict::is_attack;
use crate::whole_files::Writer;

/// The audit's own file.
pub const AUDIT: &str = "audit.json";
/// The run that was audited, in the audit's folder.
pub const RUN: &str = "run";
/// The victim's files in the audit's folder, and how the folders of what was found begin.
const VICTIM: &str = "victim";
const SEED: &str = "seed-";
/// What of a run is taken along.
const TAKEN: [&str; 5] = [EXPERIMENT, DATA, METRICS, SUMMARY, CHECKPOINT];
/// Scores are stored in double precision; images in single.
const ROUNDING: f64 = 1e-6;

/// Copies the run that is audited into the audit's folder, where that was not done before: where the copy is.
///
/// # Errors
/// Returns an error if `run` is no finished run, or the disk refuses.
pub fn copied_run(run: &Path, course: &mut Course) -> Result<PathBuf> {
    let copy = course.folder().join(RUN);
    if course.has_copied() {
        return Ok(copy);
    }
    check_is_run(run)?;
    for name in [SUMMARY, CHECKPOINT] {
        if !run.join(name).is_file() {
            let path = run.display();
            return Err(Error::input(format!(
                "the run is not finished: there is no {name}; go on with `cutlayer run --resume {path}`"
            )));
        }
    }
    course.begin()?;
    fs::create_dir_all(&copy).map_err(Error::io("make the folder", &copy))?;
    for name in TAKEN.iter().filter(|name| run.join(name).is_file()) {
        let (from, to) = (run.join(name), copy.join(name));
        fs::copy(&from, &to).map_err(Error::io("copy", &from))?;
    }
    course.copied()?;
    Ok(copy)
}

/// Copies a victim's files into the audit's folder, where that was not done before: where the copies are.
///
/// # Errors
/// Returns an error if a file cannot be read, or the disk refuses.
pub fn copied_files(victim: &Paths, course: &mut Course) -> Result<Paths> {
    let place = course.folder().join(VICTIM);
    let at = |from: &Option<PathBuf>, name: &str| from.as_ref().map(|_| place.join(name));
    let copies = Paths {
        smashed: place.join("smashed.npz"),
        model: at(&victim.model, "model.toml"),
        client: at(&victim.client, "client.safetensors"),
        own: at(&victim.own, "own.npz"),
    };
    if course.has_copied() {
        return Ok(copies);
    }
    course.begin()?;
    fs::create_dir_all(&place).map_err(Error::io("make the folder", &place))?;
    let copy = |from: &Path, to: &Path| fs::copy(from, to).map_err(Error::opening("copy", from)).map(|_| ());
    copy(&victim.smashed, &copies.smashed)?;
    let some = [(&victim.model, &copies.model), (&victim.client, &copies.client), (&victim.own, &copies.own)];
    for (from, to) in some {
        from.iter().zip(to).try_for_each(|(from, to)| copy(from, to))?;
    }
    course.copied()?;
    Ok(copies)
}

/// Where what was found at a victim under one seed is kept.
pub fn seed_folder(folder: &Path, seed: u64) -> PathBuf {
    folder.join(format!("{SEED}{seed}"))
}

/// All records of attacks at a victim, and the guesses at the same targets, seed by seed.
///
/// # Errors
/// Returns an error if one cannot be read.
pub fn found_at_files(folder: &Path) -> Result<(Vec<AttackRecord>, Vec<AttackRecord>)> {
    #[derive(Deserialize)]
    struct Summary {
        attacks: Vec<AttackRecord>,
    }
    let seed = |name: String| name.strip_prefix(SEED)?.parse::<u64>().ok();
    let entries = fs::read_dir(folder).map_err(Error::io("read", folder))?;
    let mut seeds: Vec<u64> =
        entries.flatten().filter_map(|entry| seed(entry.file_name().to_string_lossy().into_owned())).collect();
    seeds.sort_unstable();
    let (mut records, mut floors) = (Vec::new(), Vec::new());
    for seed in seeds {
        let path = seed_folder(folder, seed).join(SUMMARY);
        let text = fs::read_to_string(&path).map_err(Error::opening("open the summary", &path))?;
        let damaged = |e: serde_json::Error| Error::input(format!("damaged: {e}: {}", path.display()));
        let Summary { attacks } = serde_json::from_str(&text).map_err(damaged)?;
        let (own, guesses): (Vec<_>, Vec<_>) = attacks.into_iter().partition(is_attack);
        records.extend(own);
        floors = guesses;
    }
    Ok((records, floors))
}

/// Writes `audit.json` with the hashes of everything that lies in the folder.
///
/// # Errors
/// Returns an error if a file cannot be read, or the disk refuses.
pub fn sealed(folder: &Path, audit: Audit) -> Result<Audit> {
    let files = listed(folder)?;
    let hashed = |name: &String| Ok((name.clone(), hash_of(&folder.join(name))?));
    let files = files.iter().map(hashed).collect::<Result<BTreeMap<_, _>>>()?;
    let mut audit = Audit { files, ..audit };
    audit.seal = seal(&audit)?;
    let text = serde_json::to_string_pretty(&audit).map_err(|e| Error::Internal(format!("audit: {e}")))?;
    Writer::default().write(&folder.join(AUDIT), (text + "\n").as_bytes())?;
    Ok(audit)
}

/// What an audit that is at its end came to, unchecked.
///
/// # Errors
/// Returns an error if there is none in the folder, or it is damaged.
pub fn sealed_before(folder: &Path) -> Result<Audit> {
    let path = folder.join(AUDIT);
    if folder.is_dir() && !path.exists() {
        return Err(Error::input(format!(
            "{AUDIT} is missing: it is no audit, or one that did not come to its end: {}",
            folder.display()
        )));
    }
    let text = fs::read_to_string(&path).map_err(Error::opening("open the audit", &path))?;
    let damaged = |e: serde_json::Error| Error::input(format!("damaged: {e}: {}", path.display()));
    serde_json::from_str(&text).map_err(damaged)
}

/// Checks an audit's folder: what it came to.
///
/// # Errors
/// Names the file that is not as it was, or the score that is not of the images beside it.
pub fn verified(folder: &Path) -> Result<Audit> {
    let path = folder.join(AUDIT);
    let audit = sealed_before(folder)?;
    if audit.seal != seal(&audit)? {
        return Err(Error::input(format!("what it says was changed after it was sealed: {}", path.display())));
    }
    let there: BTreeSet<String> = listed(folder)?.into_iter().collect();
    if let Some(more) = there.iter().find(|name| !audit.files.contains_key(*name)) {
        return Err(Error::input(format!("the file is none of the audit's: {}", folder.join(more).display())));
    }
    for (name, hash) in &audit.files {
        let file = folder.join(name);
        if !there.contains(name) {
            return Err(Error::input(format!("a file of the audit is missing: {}", file.display())));
        }
        if hash_of(&file)? != *hash {
            return Err(Error::input(format!("the file is not what it was when it was sealed: {}", file.display())));
        }
    }
    for name in audit.files.keys().filter(|name| is_arrays(name)) {
        check_scores(&folder.join(name))?;
    }
    let suite = Suite::of(audit.suite)?;
    let run = folder.join(RUN);
    let records = if run.is_dir() { earlier(&run)? } else { found_at_files(folder)?.0 };
    let models = counted(&suite, &records, &audit.rehearsal, &audit.floors, &audit.not_covered);
    if models != audit.models {
        return Err(Error::input(format!("its words are not those of its scores: {}", path.display())));
    }
    Ok(audit)
}

/// Whether a file of the bundle has an attack's images and scores.
fn is_arrays(name: &str) -> bool {
    name.contains(KEPT) && Path::new(name).extension().is_some_and(|ending| ending == "npz")
}

/// Whether an attack's scores are those of its images.
fn check_scores(path: &Path) -> Result<()> {
    let names = ["reconstructions", "images", "mse", "ssim"];
    let (arrays, _) = named(path, &names)?;
    let Some(all) = names.iter().map(|name| arrays.get(*name)).collect::<Option<Vec<_>>>() else { return Ok(()) };
    let [got, truth, mse, ssim] = all.try_into().map_err(|_| Error::Internal("four arrays".into()))?;
    let wrong = |what: String| Error::input(format!("{what}: {}", path.display()));
    let &[n, c, h, w] = got.shape.as_slice() else {
        return Err(wrong(format!("its reconstructions are {:?}", got.shape)));
    };
    let size = c * h * w;
    if truth.shape != got.shape || [mse, ssim].iter().any(|scores| scores.values.len() != n) || size == 0 {
        return Err(wrong("its images and scores are not as many as its reconstructions".to_owned()));
    }
    for (i, (got, truth)) in got.values.chunks_exact(size).zip(truth.values.chunks_exact(size)).enumerate() {
        let found = score(got, truth, [c, h, w]);
        for (name, found, kept) in [("mse", found.mse, mse.values[i]), ("ssim", found.ssim, ssim.values[i])] {
            if (found - f64::from(kept)).abs() > ROUNDING {
                return Err(wrong(format!("the {name} of image {i} is {found:.6}, and {kept:.6} stands there")));
            }
        }
    }
    Ok(())
}

/// Every file below a folder but the audit's own, by its path with slashes; locks and marks that begin with a dot are none.
fn listed(folder: &Path) -> Result<Vec<String>> {
    let (mut waiting, mut all) = (vec![PathBuf::new()], Vec::new());
    while let Some(inner) = waiting.pop() {
        let place = folder.join(&inner);
        let entries = fs::read_dir(&place).map_err(Error::io("read", &place))?;
        for entry in entries {
            let entry = entry.map_err(Error::io("read", &place))?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let path = inner.join(&name);
            if name.starts_with('.') || path == Path::new(AUDIT) {
                continue;
            }
            if entry.path().is_dir() {
                waiting.push(path);
            } else {
                let parts: Vec<_> = path.iter().map(|part| part.to_string_lossy().into_owned()).collect();
                all.push(parts.join("/"));
            }
        }
    }
    all.sort();
    Ok(all)
}

fn hash_of(path: &Path) -> Result<String> {
    let mut hasher = blake3::Hasher::new();
    let mut file = fs::File::open(path).map_err(Error::opening("open", path))?;
    std::io::copy(&mut file, &mut hasher).map_err(Error::io("read", path))?;
    Ok(hasher.finalize().to_hex().to_string())
}

/// The hash of all that an audit says, without that hash.
fn seal(audit: &Audit) -> Result<String> {
    let open = Audit { seal: String::new(), ..audit.clone() };
    let bytes = serde_json::to_vec(&open).map_err(|e| Error::Internal(format!("audit: {e}")))?;
    Ok(blake3::hash(&bytes).to_hex().to_string())
}

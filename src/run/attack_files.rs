//! What a run keeps of a finished attack: its pictures, and every reconstruction with its scores for other programs.
//!
//! `images/STEM.png` shows the first few targets. `attacks/STEM.npz` has all of them:
//!
//! | array | shape | what |
//! |---|---|---|
//! | `reconstructions` | N, C, H, W | what the attack made, in \[0, 1\] |
//! | `images` | N, C, H, W | the clean images it is scored against |
//! | `labels`, `places` | N | their classes, and which of the run's test images they are, from 0 |
//! | `patients` | N | whose they are, by number, where that is known |
//! | `mse`, `psnr`, `ssim` | N | the scores of each, as in the table of the run |
//! | `picked` | N | 1 where the target was picked out of its line-up, NaN where it has none |
//! | `inferred` | N | the classes that the attack inferred, if it does |
//! | `scores` | N | its number for each target, if it has such |
//!
//! Of an attack that makes no images there is no sheet, and neither they nor their scores.
//!
//! `attacks/STEM.csv` has the same scores, a row an image, with the attack's name in each: the files of several attacks
//! can be put together.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use super::attack_job::{Finished, Job};
use super::attack_order::AttackId;
use super::attack_records::{earlier, same_attack};
use super::caption::Caption;
use super::folder::{IMAGES as PICTURES, KEPT, SUMMARY};
use super::pictures::{Tile, sheet};
use super::recorder::{Recorder, read_summary};
use super::scene::Picture;
use super::summary::AttackRecord;
use crate::attack::form;
use crate::data::numpy::{Array, npz};
use crate::error::{Error, Result};
use crate::score::image::mse;
use crate::score::judging::psnr_of;
use crate::score::metrics::{MSE, PSNR, SSIM};
use crate::score::verdict::{attack_words, is_attack};
use crate::workbench;

/// What it made of the targets, their clean images, and whose they are, in its files.
pub(super) const RECONSTRUCTIONS: &str = "reconstructions";
/// As above.
pub(super) const IMAGES: &str = "images";
/// As above.
pub(super) const PATIENTS: &str = "patients";
/// What an attack inferred, and its numbers, in its files.
const INFERRED: &str = "inferred";
const SCORES: &str = "scores";

/// Writes all of a finished attack's files. `launch` is 0 for an attack of the run itself, and counts those of the same
/// kind that were launched at it afterwards.
///
/// # Errors
/// Where the disk refuses.
pub fn keep(recorder: &Recorder, job: &Job, finished: &Finished, launch: usize) -> Result<()> {
    let stem = format!("{}{}", job.order.id.file_stem(), launched(launch));
    recorder.put(&format!("{KEPT}/{stem}.npz"), &npz(&arrays(job, finished)?)?)?;
    recorder.put(&format!("{KEPT}/{stem}.csv"), &csv(job, finished)?)?;
    if finished.images.is_none() {
        return Ok(());
    }
    recorder.put(&format!("{PICTURES}/{stem}.png"), &attack_sheet(job, finished)?)
}

/// How the names of an attack's files end.
fn launched(launch: usize) -> String {
    match launch {
        0 => String::new(),
        1 => "-afterwards".to_owned(),
        n => format!("-afterwards-{n}"),
    }
}

/// The picture of an attack of a run, known by its record: that of its own, or of the first that was launched at it
/// afterwards. None where there is none, as of an attack that makes no images.
pub fn picture(run: &Path, record: &AttackRecord) -> Option<PathBuf> {
    const LAUNCHES: usize = 9;
    let stem = AttackId::file_stem_of(&record.target, record.epoch, &record.name, record.adaptive);
    let path = |launch: usize| run.join(PICTURES).join(format!("{stem}{}.png", launched(launch)));
    (0..=LAUNCHES).map(path).find(|path| path.is_file())
}

/// Original, sent, reconstruction and error, a row for each of the first targets.
fn attack_sheet(job: &Job, finished: &Finished) -> Result<Vec<u8>> {
    let rows = finished.reconstructions.iter().enumerate().map(|(i, stolen)| {
        let original = job.original(i)?;
        let sent = Picture::of_tensor(&job.capture().sent.get(i)?)?;
        let error = Tile::Error(original.clone(), stolen.clone());
        Ok(vec![Tile::Image(original), Tile::Image(sent), Tile::Image(stolen.clone()), error])
    });
    sheet(&rows.collect::<Result<Vec<_>>>()?, &caption(&finished.record, finished.reconstructions.len()))
}

/// What a sheet of `shown` of an attack's targets says of itself.
fn caption(record: &AttackRecord, shown: usize) -> Caption {
    let sent = if record.target == "vanilla" { "sent" } else { "sent, disguised" };
    let of = if record.images == 1 { "1 image".to_owned() } else { format!("the mean of {} images", record.images) };
    let first = if shown < record.images { format!(" The first {shown} are shown.") } else { String::new() };
    Caption {
        columns: ["original", sent, "stolen", "difference"].map(str::to_owned).to_vec(),
        text: format!(
            "{}, {}: {} {} and {} {}, {of}.{first}",
            workbench::paper_word(&record.target),
            attack_words(record),
            SSIM.name,
            SSIM.plain(record).unwrap_or_default(),
            PSNR.name,
            PSNR.with_unit(&format!("{:.1$}", record.psnr, PSNR.digits))
        ),
    }
}

fn arrays(job: &Job, finished: &Finished) -> Result<Vec<Array>> {
    let truth = job.truth();
    let n = truth.len();
    let [c, h, w] = truth.shape();
    let mut arrays = Vec::new();
    if let Some(images) = &finished.images {
        arrays.push(Array::f32(RECONSTRUCTIONS, &[n, c, h, w], images.concat()));
    }
    arrays.extend([
        Array::f32(IMAGES, &[n, c, h, w], truth.values_of(&(0..n).collect::<Vec<_>>())?),
        Array::classes("labels", truth.labels().iter().copied()),
        Array::classes("places", job.places().iter().map(|place| *place as u32)),
    ]);
    arrays.extend(truth.groups().map(|groups| Array::classes(PATIENTS, groups.numbers.iter().copied())));
    if let Some(errors) = errors(job, finished)? {
        let each = finished.record.judged.as_ref().map(|judged| &judged.each);
        let ssim = each.map(|each| each.ssim.clone()).unwrap_or_default();
        let picked = each.map(|each| each.picked.iter().map(|p| p.unwrap_or(f64::NAN)).collect()).unwrap_or_default();
        arrays.extend([
            Array::f64(MSE.key, errors.clone()),
            Array::f64(PSNR.key, errors.into_iter().map(psnr_of).collect()),
            Array::f64(SSIM.key, ssim),
            Array::f64("picked", picked),
        ]);
    }
    arrays.extend(finished.labels.iter().map(|labels| Array::classes(INFERRED, labels.iter().copied())));
    arrays.extend(finished.scores.iter().map(|scores| Array::f64(SCORES, scores.clone())));
    Ok(arrays)
}

/// Of each image; none where the attack makes no images.
fn errors(job: &Job, finished: &Finished) -> Result<Option<Vec<f64>>> {
    let error = |(i, got): (usize, &Vec<f32>)| Ok(mse(got, &job.truth().values(i)?));
    finished.images.as_ref().map(|images| images.iter().enumerate().map(error).collect()).transpose()
}

fn csv(job: &Job, finished: &Finished) -> Result<Vec<u8>> {
    let wrong = |e: &dyn std::fmt::Display| Error::Internal(format!("scores: {e}"));
    let record = &finished.record;
    let mut csv = csv::Writer::from_writer(Vec::new());
    let about = ["attack", "mode", "target", "epoch", "image", "place", "label"];
    // Few attacks have these.
    let more = [(INFERRED, finished.labels.is_some()), (SCORES, finished.scores.is_some())];
    let more = more.into_iter().filter(|(_, there)| *there).map(|(name, _)| name);
    let head = about.into_iter().chain([MSE.key, PSNR.key, SSIM.key, "picked"]).chain(more);
    csv.write_record(head).map_err(|e| wrong(&e))?;
    let errors = errors(job, finished)?;
    for i in 0..job.truth().len() {
        let each = record.judged.as_ref().map(|judged| &judged.each);
        let text = |value: Option<f64>| value.map(|value| value.to_string()).unwrap_or_default();
        let mse = errors.as_ref().map(|errors| errors[i]);
        let own = [
            record.name.as_str(),
            form(record.adaptive),
            &record.target,
            &record.epoch.to_string(),
            &i.to_string(),
            &job.places()[i].to_string(),
            &job.truth().labels()[i].to_string(),
            &text(mse),
            &text(mse.map(psnr_of)),
            &text(each.and_then(|each| each.ssim.get(i).copied())),
            &text(each.and_then(|each| each.picked.get(i).copied().flatten())),
        ]
        .map(str::to_owned);
        let inferred = finished.labels.as_ref().map(|labels| labels[i].to_string());
        let score = finished.scores.as_ref().map(|scores| scores[i].to_string());
        csv.write_record(own.into_iter().chain(inferred).chain(score)).map_err(|e| wrong(&e))?;
    }
    csv.into_inner().map_err(|e| wrong(&e))
}

/// The scores of all of a run's attacks together: their CSV files with the name of each in a first column, and every column
/// that one of them has.
///
/// # Errors
/// Returns an error if a file cannot be read.
pub fn each_csv(run: &Path) -> Result<Vec<u8>> {
    let folder = run.join(KEPT);
    let entries = fs::read_dir(&folder).map_err(Error::io("read", &folder))?;
    let is_csv = |path: &PathBuf| path.extension().is_some_and(|ending| ending == "csv");
    let mut files: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).filter(is_csv).collect();
    files.sort();
    let (mut head, mut rows) = (vec!["file".to_owned()], Vec::new());
    for path in &files {
        let damaged = |e: csv::Error| Error::input(format!("damaged: {e}: {}", path.display()));
        let stem = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
        let mut reader = csv::Reader::from_path(path).map_err(damaged)?;
        for row in reader.deserialize::<BTreeMap<String, String>>() {
            let mut row = row.map_err(damaged)?;
            row.insert("file".to_owned(), stem.clone());
            rows.push(row);
        }
        let own = reader.headers().map_err(damaged)?;
        let more: Vec<String> =
            own.iter().filter(|name| !head.iter().any(|known| known == name)).map(str::to_owned).collect();
        head.extend(more);
    }
    let wrong = |e: &dyn std::fmt::Display| Error::Internal(format!("scores: {e}"));
    let mut all = csv::Writer::from_writer(Vec::new());
    all.write_record(&head).map_err(|e| wrong(&e))?;
    for row in &rows {
        all.write_record(head.iter().map(|name| row.get(name).map_or("", String::as_str))).map_err(|e| wrong(&e))?;
    }
    all.into_inner().map_err(|e| wrong(&e))
}

/// The files of a run's attacks for other programs.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct KeptFiles {
    /// Of each attack one `.npz` and one `.csv`, sorted.
    pub files: Vec<PathBuf>,
    /// Attacks in the run's tables of which there are none: a build launched them that kept no more than pictures.
    pub without: usize,
}

/// Finds what a run kept of its attacks.
///
/// # Errors
/// Where the run's folder or its tables cannot be read; or there is no such file, and then why.
pub fn kept_files(run: &Path) -> Result<KeptFiles> {
    let folder = run.join(KEPT);
    let mut files: Vec<PathBuf> = match fs::read_dir(&folder) {
        Ok(entries) => entries.flatten().map(|entry| entry.path()).filter(|path| is_kept(path)).collect(),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Vec::new(),
        Err(e) => return Err(Error::io("read", &folder)(e)),
    };
    files.sort();
    let summary = run.join(SUMMARY);
    let measured = if summary.is_file() { read_summary(run)?.attacks } else { Vec::new() };
    let later = earlier(run)?;
    let lacks = |record: &AttackRecord, launch: usize| {
        let stem = AttackId::file_stem_of(&record.target, record.epoch, &record.name, record.adaptive);
        is_attack(record) && !files.contains(&folder.join(format!("{stem}{}.npz", launched(launch))))
    };
    let launch = |i: usize| later[..=i].iter().filter(|record| same_attack(record, &later[i])).count();
    let without = measured.iter().filter(|record| lacks(record, 0)).count()
        + (0..later.len()).filter(|i| lacks(&later[*i], launch(*i))).count();
    if files.is_empty() {
        let why = if without == 0 {
            "no attack at the run has ended yet"
        } else {
            "its attacks are of a build that kept no more than pictures; launch them again with `cutlayer attack`"
        };
        return Err(Error::input(format!("there are no reconstructions to export: {why}: {}", run.display())));
    }
    Ok(KeptFiles { files, without })
}

fn is_kept(path: &Path) -> bool {
    path.extension().is_some_and(|ending| ending == "npz" || ending == "csv")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_caption_says_which_attack_it_is_and_of_how_many_images() {
        let record = AttackRecord {
            name: "rmle".to_owned(),
            adaptive: true,
            target: "dropout".to_owned(),
            epoch: 2,
            images: 64,
            psnr: 14.04,
            ssim: 0.6123,
            ssim_se: 0.0204,
            ..AttackRecord::default()
        };
        let told = caption(&record, 8);
        assert_eq!(told.columns, ["original", "sent, disguised", "stolen", "difference"]);
        assert_eq!(
            told.text,
            "dropout, adaptive rmle after epoch 2: SSIM 0.612 \u{b1} 0.020 and PSNR 14.0 dB, the mean of 64 images. The \
             first 8 are shown."
        );
        let one = AttackRecord { target: "vanilla".to_owned(), images: 1, epoch: 0, ..record };
        assert_eq!(caption(&one, 1).columns[1], "sent");
        assert!(caption(&one, 1).text.ends_with("rmle untrained: SSIM 0.612 \u{b1} 0.020 and PSNR 14.0 dB, 1 image."));
    }
}

//! What is kept of attacks at a victim of another program: pictures, arrays, scores, a summary.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::json;

use super::Victim;
use crate::data::Part;
use crate::data::numpy::{Array, npz};
use crate::error::{Error, Result};
use crate::run::caption::Caption;
use crate::run::pictures::{Tile, sheet};
use crate::run::scene::Picture;
use crate::run::summary::{AttackRecord, Machine};
use crate::score::metrics::{PSNR, SSIM};
use crate::score::verdict::Case;
use crate::whole_files::Writer;

/// The form of its summary.
const SCHEMA: u32 = 1;
/// Targets on a sheet.
const SHOWN: usize = 8;

/// What an attack came to.
#[derive(Clone, Debug)]
pub(super) struct Finished {
    /// Scored, where there is something to score against.
    pub record: AttackRecord,
    /// Its images, C·H·W values each.
    pub images: Option<Vec<Vec<f32>>>,
    /// Classes that it inferred.
    pub labels: Option<Vec<u32>>,
}

/// A folder of results, whole after each attack.
pub(super) struct Kept {
    out: PathBuf,
    writer: Writer,
    finished: Vec<Finished>,
}

impl Kept {
    /// Makes the folder.
    ///
    /// # Errors
    /// Returns an error if there is something in it, or it cannot be made.
    pub fn new(out: &Path) -> Result<Self> {
        if fs::read_dir(out).is_ok_and(|mut entries| entries.next().is_some()) {
            return Err(Error::input(format!("the folder is not empty; name another one: {}", out.display())));
        }
        fs::create_dir_all(out).map_err(Error::io("make the folder", out))?;
        Ok(Self { out: out.to_owned(), writer: Writer::default(), finished: Vec::new() })
    }

    /// Keeps one more attack, and writes all anew.
    ///
    /// # Errors
    /// Returns an error if the disk refuses.
    pub fn keep(&mut self, victim: &Victim, finished: Finished, floors: &[AttackRecord]) -> Result<()> {
        if let Some(images) = &finished.images {
            let folder = self.out.join("images");
            fs::create_dir_all(&folder).map_err(Error::io("make the folder", &folder))?;
            let name = format!("images/{}.png", finished.record.name);
            self.writer.write(&self.out.join(name), &picture(victim, &finished.record, images)?)?;
        }
        self.finished.push(finished);
        self.writer.write(&self.out.join("reconstructions.npz"), &npz(&self.arrays(victim.image))?)?;
        self.writer.write(&self.out.join("attacks.csv"), &self.csv()?)?;
        self.writer.write(&self.out.join("summary.json"), &self.summary(victim, floors)?)
    }

    /// An array of each attack that makes images.
    fn arrays(&self, [c, h, w]: [usize; 3]) -> Vec<Array> {
        let with_images = self.finished.iter().filter_map(|one| Some((&one.record.name, one.images.as_ref()?)));
        let images = with_images.map(|(name, images)| Array::f32(name, &[images.len(), c, h, w], images.concat()));
        let with_labels = self.finished.iter().filter_map(|one| Some((&one.record.name, one.labels.as_ref()?)));
        let labels = with_labels.map(|(name, all)| Array::classes(&format!("{name}_labels"), all.iter().copied()));
        images.chain(labels).collect()
    }

    /// The scores of each target.
    fn csv(&self) -> Result<Vec<u8>> {
        let wrong = |e: &dyn std::fmt::Display| Error::Internal(format!("scores: {e}"));
        let mut csv = csv::Writer::from_writer(Vec::new());
        csv.write_record(["attack", "image", SSIM.key, "picked"]).map_err(|e| wrong(&e))?;
        for record in self.finished.iter().map(|one| &one.record) {
            let each = record.judged.as_ref().map(|judged| &judged.each);
            for (i, ssim) in each.iter().flat_map(|each| each.ssim.iter().enumerate()) {
                let picked = each.and_then(|each| each.picked.get(i).copied().flatten());
                let picked = picked.map(|picked| picked.to_string()).unwrap_or_default();
                csv.write_record([&record.name, &i.to_string(), &ssim.to_string(), &picked]).map_err(|e| wrong(&e))?;
            }
        }
        csv.into_inner().map_err(|e| wrong(&e))
    }

    fn summary(&self, victim: &Victim, floors: &[AttackRecord]) -> Result<Vec<u8>> {
        let mut attacks: Vec<AttackRecord> = self.finished.iter().map(|one| one.record.clone()).collect();
        let floors = floors.iter().map(|floor| AttackRecord { target: super::VICTIM.to_owned(), ..floor.clone() });
        attacks.extend(floors);
        let verdicts = Case { attacks: &attacks, epochs: &[], rows: &[] }.verdicts();
        let summary = json!({
            "schema": SCHEMA,
            "victim": {
                "image": victim.image,
                "smashed": victim.smashed.dims(),
                "targets": victim.targets(),
                "client_weights": victim.client.is_some(),
                "own_images": victim.own.as_ref().map_or(0, Part::len),
                "pairs": victim.pairs.is_some(),
                "scored": victim.truth.is_some(),
            },
            "machine": Machine::here(rayon::current_num_threads()),
            "attacks": attacks,
            "verdicts": verdicts,
        });
        serde_json::to_vec_pretty(&summary).map_err(|e| Error::Internal(format!("summary: {e}")))
    }
}

/// Original, stolen and the difference, a row for each of the first targets; the stolen alone, where nothing else is known.
fn picture(victim: &Victim, record: &AttackRecord, images: &[Vec<f32>]) -> Result<Vec<u8>> {
    let row = |i: usize| {
        let stolen = Picture { shape: victim.image, values: images[i].clone() };
        let Some(truth) = &victim.truth else { return Ok(vec![Tile::Image(stolen)]) };
        let original = Picture::of_image(truth, i)?;
        let error = Tile::Error(original.clone(), stolen.clone());
        Ok(vec![Tile::Image(original), Tile::Image(stolen), error])
    };
    let rows: Vec<_> = (0..SHOWN.min(images.len())).map(row).collect::<Result<_>>()?;
    let columns: &[&str] = if victim.truth.is_some() { &["original", "stolen", "difference"] } else { &["stolen"] };
    let told = |metric: &crate::score::metrics::Metric<AttackRecord>| {
        Some(format!("{} {}", metric.name, metric.with_unit(&metric.plain(record)?)))
    };
    let scores: Vec<String> = [&SSIM, &PSNR].into_iter().filter_map(told).collect();
    let scores = if scores.is_empty() { "not scored".to_owned() } else { scores.join(", ") };
    let text = format!("{}: {scores}, {} images; the first {} are shown.", record.name, images.len(), rows.len());
    sheet(&rows, &Caption { columns: columns.iter().map(|word| (*word).to_owned()).collect(), text })
}

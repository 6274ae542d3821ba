//! What every row of the table answered to every test image: in memory, in the run's folder, and what the table makes of it.

use std::collections::BTreeMap;
use std::path::Path;

use candle_core::{DType, Tensor};

use super::summary::{Gain, GammaGain, Merged, Row};
use crate::data::numpy::{Array, npz};
use crate::error::{Error, Result};
use crate::experiment::{EvaluateSpec, Merge};
use crate::random::Seed;
use crate::score::classification::Confusion;
use crate::score::gains::BASELINES;
use crate::score::intervals::{Answers, paired};
use crate::score::utility::difference;

/// What the bootstrap draws by, the same for all rows and runs: their intervals differ by what was measured alone.
const BOOTSTRAP: Seed = Seed(0);

/// Rows of the table, in its order.
const ROWS: [&str; 10] = [
    "vanilla_clean",
    "vanilla_attacked",
    "vanilla_fgsm",
    "vanilla_recovered",
    "vanilla_inverted",
    "stream_attacked",
    "stream_recovered",
    "stream_fused",
    "fused",
    "defended",
];

/// Classes in the file are under the row's name with this before it.
const CLASSES: &str = "classes_";
/// The truth in the file: classes, and patients where they are known.
const LABELS: &str = "labels";
const UNITS: &str = "patients";

/// The name of a row at one strength of the attack.
pub(super) fn at_gamma(row: &str, gamma: f64) -> String {
    format!("{row} {gamma}")
}

/// Predictions by row, in the order of the test set.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Predictions {
    /// The class that each image was taken for.
    pub classes: BTreeMap<String, Vec<u32>>,
    /// Of some rows, what share each class gets of each image (N × K values).
    pub shares: BTreeMap<String, Vec<f32>>,
}

/// What they come to.
pub struct Verdict {
    /// The table.
    pub rows: Vec<Row>,
    /// Gains, where both models were trained.
    pub gain: Option<Gain>,
    /// The table with classes merged, where that is asked for.
    pub merged: Option<Merged>,
}

/// What predictions are held against.
#[derive(Clone, Copy, Debug)]
pub struct Truth<'a> {
    /// The class of each test image.
    pub labels: &'a [u32],
    /// Number of classes.
    pub classes: usize,
    /// The patient of each test image, by number, where that is known.
    pub units: Option<&'a [u32]>,
    /// The class that sensitivity is of, where there are two.
    pub positive: usize,
    /// The strength of the attack that the table is of.
    pub gamma: f64,
    /// What is measured.
    pub evaluate: &'a EvaluateSpec,
}

impl Predictions {
    /// Adds the classes of more images to a row.
    pub fn add(&mut self, row: &str, classes: Vec<u32>) {
        self.classes.entry(row.to_owned()).or_default().extend(classes);
    }

    /// Adds all rows of others, of the test images that come after these.
    pub fn append(&mut self, other: Self) {
        for (row, classes) in other.classes {
            self.add(&row, classes);
        }
        for (row, shares) in other.shares {
            self.shares.entry(row).or_default().extend(shares);
        }
    }

    /// The table.
    pub fn verdict(&self, truth: &Truth<'_>) -> Verdict {
        let n = truth.labels.len();
        // A row that some of several runs lack is none of all of them.
        let whole = |name: &&&str| self.of(name, truth.gamma).is_some_and(|classes| classes.len() == n);
        let row = |name: &&str| {
            let predicted = self.of(name, truth.gamma)?;
            let shares = self.shares.get(*name).map(Vec::as_slice);
            let answers = truth.answers(predicted, shares);
            let row = Row::measured(name, predicted, truth.labels, truth.classes, shares);
            Some(row.with_intervals(&answers, BOOTSTRAP).of_positive(truth.positive))
        };
        let rows: Vec<Row> = ROWS.iter().filter(whole).filter_map(row).collect();
        Verdict { gain: self.gain(truth, &rows), rows, merged: None }
    }

    /// The table with classes merged: `to` is the new class of each.
    pub fn merged(&self, truth: &Truth<'_>, merge: &Merge) -> Vec<Row> {
        let to = |classes: &[u32]| classes.iter().map(|class| merge.to[*class as usize]).collect::<Vec<_>>();
        let sums = |shares: &Vec<f32>| {
            let mut out = Vec::with_capacity(shares.len() / truth.classes * merge.names.len());
            for row in shares.chunks_exact(truth.classes) {
                let at = out.len();
                out.resize(at + merge.names.len(), 0.0);
                row.iter().zip(&merge.to).for_each(|(share, to)| out[at + *to as usize] += share);
            }
            out
        };
        let fewer = Self {
            classes: self.classes.iter().map(|(row, classes)| (row.clone(), to(classes))).collect(),
            shares: self.shares.iter().map(|(row, shares)| (row.clone(), sums(shares))).collect(),
        };
        let labels = to(truth.labels);
        fewer.verdict(&Truth { labels: &labels, classes: merge.names.len(), positive: 1, ..*truth }).rows
    }

    /// The table, and the one with classes merged where the experiment asks for one.
    ///
    /// # Errors
    /// Returns an error if that names no class.
    pub fn judged(&self, truth: &Truth<'_>, names: &[String]) -> Result<Verdict> {
        let merge = truth.evaluate.merged(names)?;
        let merged = merge.map(|merge| Merged { rows: self.merged(truth, &merge), class_names: merge.names });
        Ok(Verdict { merged, ..self.verdict(truth) })
    }

    /// The classes of a row, at the table's own strength where it has one.
    fn of(&self, name: &str, gamma: f64) -> Option<&Vec<u32>> {
        self.classes.get(name).or_else(|| self.classes.get(&at_gamma(name, gamma)))
    }

    fn gain(&self, truth: &Truth<'_>, rows: &[Row]) -> Option<Gain> {
        let row = |name: &str| rows.iter().find(|row| row.name == name);
        // The paper's gains are those of a fused decision; another defence has none to be compared with them.
        let fused = row("fused")?;
        let [attacked, recovered, clean] = BASELINES.map(row);
        let (attacked, recovered, clean) = (attacked?, recovered?, clean?);
        let share = |row: &str, gamma| {
            let classes = self.classes.get(&at_gamma(row, gamma))?;
            Some(Confusion::new(classes, truth.labels, truth.classes).accuracy())
        };
        let by_gamma = truth.evaluate.gammas.iter().filter_map(|&gamma| {
            Some(GammaGain {
                gamma,
                over_attacked: fused.accuracy - share("vanilla_attacked", gamma)?,
                over_reconstructed: fused.accuracy - share("vanilla_recovered", gamma)?,
            })
        });
        let of = |name: &str| self.of(name, truth.gamma);
        let own = of("fused")?;
        let errors = BASELINES.map(|name| of(name).map(|other| difference(own, other, truth.labels).1));
        let answers = |classes| truth.answers(classes, None);
        let ends = BASELINES.map(|name| of(name).and_then(|other| paired(&answers(own), &answers(other), BOOTSTRAP)));
        let [accuracy, balanced] = [0, 1].map(|metric| all(ends.map(|ends| ends.map(|ends| ends[metric]))));
        Some(Gain {
            errors: all(errors),
            over_attacked: fused.accuracy - attacked.accuracy,
            over_reconstructed: fused.accuracy - recovered.accuracy,
            over_clean: fused.accuracy - clean.accuracy,
            by_gamma: by_gamma.collect(),
            ci: accuracy,
            balanced: Some([attacked, recovered, clean].map(|row| fused.balanced_accuracy - row.balanced_accuracy)),
            balanced_ci: balanced,
        })
    }

    /// All of it with the truth, for the run's folder.
    ///
    /// # Errors
    /// Returns an error if the arrays cannot be packed.
    pub fn file(&self, truth: &Truth<'_>) -> Result<Vec<u8>> {
        let n = truth.labels.len();
        let shares = self.shares.iter().map(|(name, all)| Array::f32(name, &[n, truth.classes], all.clone()));
        let classes =
            self.classes.iter().map(|(name, all)| Array::classes(&format!("{CLASSES}{name}"), all.iter().copied()));
        let labels = Array::classes(LABELS, truth.labels.iter().copied());
        let units = truth.units.map(|units| Array::classes(UNITS, units.iter().copied()));
        npz(&shares.chain(classes).chain([labels]).chain(units).collect::<Vec<_>>())
    }

    /// Reads what [`Self::file`] gave: predictions, labels and patients.
    ///
    /// # Errors
    /// Returns an error if the file is missing, damaged, or of a build that did not keep every row; the path comes last.
    pub fn read(path: &Path) -> Result<(Self, Vec<u32>, Option<Vec<u32>>)> {
        let damaged = |e: &dyn std::fmt::Display| Error::input(format!("damaged ({e}): {}", path.display()));
        let numbers = |t: &Tensor| t.to_dtype(DType::U32)?.flatten_all()?.to_vec1::<u32>();
        let (mut all, mut labels, mut units) = (Self::default(), None, None);
        for (name, tensor) in Tensor::read_npz(path).map_err(|e| damaged(&e))? {
            let whole = |t: &Tensor| numbers(t).map_err(|e| damaged(&e));
            match name.as_str() {
                LABELS => labels = Some(whole(&tensor)?),
                UNITS => units = Some(whole(&tensor)?),
                name => {
                    if let Some(row) = name.strip_prefix(CLASSES) {
                        all.classes.insert(row.to_owned(), whole(&tensor)?);
                    } else {
                        let values = tensor.flatten_all().and_then(|t| t.to_vec1::<f32>());
                        all.shares.insert(name.to_owned(), values.map_err(|e| damaged(&e))?);
                    }
                }
            }
        }
        let labels = labels.ok_or_else(|| damaged(&"it has no labels"))?;
        if all.classes.is_empty() {
            return Err(damaged(&"an older build made it, which did not keep every row"));
        }
        let longer = all.classes.values().any(|classes| classes.len() != labels.len());
        if longer || units.as_ref().is_some_and(|units| units.len() != labels.len()) {
            return Err(damaged(&"its arrays differ in length"));
        }
        Ok((all, labels, units))
    }
}

impl<'a> Truth<'a> {
    fn answers(&self, predicted: &'a [u32], shares: Option<&'a [f32]>) -> Answers<'a> {
        Answers { predicted, labels: self.labels, classes: self.classes, shares, units: self.units }
    }
}

/// All three, if there are three.
fn all<T: Copy>(three: [Option<T>; 3]) -> Option<[T; 3]> {
    if let [Some(a), Some(b), Some(c)] = three { Some([a, b, c]) } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::whole_files::Writer;

    fn write(path: &Path, bytes: impl AsRef<[u8]>) -> Result<()> {
        Writer::default().write(path, bytes.as_ref())
    }

    fn predictions() -> (Predictions, Vec<u32>) {
        let labels: Vec<u32> = (0..40).map(|i| u32::from(i % 4 == 0)).collect();
        let mut all = Predictions::default();
        let wrong = |every: u32| -> Vec<u32> {
            labels.iter().zip(0..).map(|(label, i)| if i % every == 0 { 1 - label } else { *label }).collect()
        };
        for (row, every) in
            [("fused", 20), ("vanilla_clean", 10), ("vanilla_attacked 0.1", 3), ("vanilla_recovered 0.1", 5)]
        {
            all.add(row, wrong(every));
        }
        all.shares
            .insert("fused".into(), all.classes["fused"].iter().flat_map(|c| [1.0 - *c as f32, *c as f32]).collect());
        (all, labels)
    }

    #[test]
    fn a_table_over_parts_is_that_of_the_whole_and_the_file_brings_it_back() {
        let (whole, labels) = predictions();
        let evaluate = EvaluateSpec { gammas: vec![0.1], ..EvaluateSpec::default() };
        let units: Vec<u32> = (0..40).map(|i| i / 2).collect();
        let truth =
            Truth { labels: &labels, classes: 2, units: Some(&units), positive: 1, gamma: 0.1, evaluate: &evaluate };
        let verdict = whole.verdict(&truth);
        let merge = Merge { names: vec!["all".into()], to: vec![0, 0] };
        assert!(whole.merged(&truth, &merge).iter().all(|row| row.accuracy == 100.0));
        let merge = Merge { names: vec!["b".into(), "a".into()], to: vec![1, 0] };
        let turned = whole.merged(&truth, &merge);
        assert_eq!(turned[0].sensitivity, verdict.rows[0].specificity);
        let fused = |rows: &[Row]| rows.iter().find(|row| row.name == "fused").unwrap().auroc;
        assert_eq!(fused(&turned), fused(&verdict.rows));
        let gain = verdict.gain.unwrap();
        assert_eq!((gain.over_clean, gain.by_gamma[0].over_attacked), (5.0, gain.over_attacked));
        let ([low, high], [_, highest]) = (gain.ci.unwrap()[0], gain.balanced_ci.unwrap()[0]);
        assert!(0.0 < low && low < gain.over_attacked && gain.over_attacked < high && highest <= 100.0);
        let part = |from: usize, to: usize| Predictions {
            classes: whole.classes.iter().map(|(k, v)| (k.clone(), v[from..to].to_vec())).collect(),
            shares: whole.shares.iter().map(|(k, v)| (k.clone(), v[2 * from..2 * to].to_vec())).collect(),
        };
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("predictions.npz");
        write(&path, part(0, 15).file(&Truth { labels: &labels[..15], units: Some(&units[..15]), ..truth }).unwrap())
            .unwrap();
        let (mut back, first, its_units) = Predictions::read(&path).unwrap();
        assert_eq!((first.as_slice(), its_units.as_deref()), (&labels[..15], Some(&units[..15])));
        back.append(part(15, 40));
        assert_eq!(back, whole);
        assert_eq!(back.verdict(&truth).rows, verdict.rows);
        // A row that only some have is left out.
        back.classes.get_mut("vanilla_clean").unwrap().truncate(15);
        let verdict = back.verdict(&truth);
        assert!(verdict.gain.is_none() && verdict.rows.iter().all(|row| row.name != "vanilla_clean"));
    }

    #[test]
    fn a_file_of_an_older_build_is_told_as_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("predictions.npz");
        write(&path, npz(&[Array::classes(LABELS, [0, 1]), Array::f32("fused", &[2, 2], vec![0.5; 4])]).unwrap())
            .unwrap();
        let told = Predictions::read(&path).unwrap_err().to_string();
        assert!(told.contains("older build") && told.ends_with("predictions.npz"), "{told}");
        write(&path, b"PK").unwrap();
        assert!(Predictions::read(&path).unwrap_err().to_string().starts_with("damaged"));
    }
}

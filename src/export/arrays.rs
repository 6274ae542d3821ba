//! What models make of images, as NumPy arrays.
//!
//! | array | shape | what |
//! |---|---|---|
//! | `images` | N, C, H, W | what was asked about, in \[0, 1\] |
//! | `labels` | N | classes, where they are known |
//! | `smashed` | N, … | what crosses the wire |
//! | `logits`, `decisions` | N, K and N | of a plain model |
//! | `disguised`, `map` | N, C, H, W | of a model that disguises its images: as they are sent, and the gradient map in \[−1, 1\] |
//! | `low_rank`, `gradient_map` | as `smashed` | where the server recovers them: L and S |
//! | `logits_attacked`, `logits_recovered`, `logits_fused` | N, K | where the server has streams: of each |
//! | `scores`, `decisions` | N, K and N | where the server has streams: of their decision |
//!
//! Those of a second model, as an undefended twin, begin with its name: `vanilla_smashed`.

use candle_core::Tensor;

use crate::data::numpy::{Array, Values};
use crate::error::{Error, Result};
use crate::random::At;
use crate::split::SplitModel;

/// Images that a model is asked about at once.
const BATCH: usize = 50;
/// Bytes of all arrays together at most: they are in memory at once.
const MOST: usize = 2 << 30;

/// What the models, which are of one run, make of `images` (N·C·H·W values in \[0, 1\]).
///
/// # Errors
/// Returns an error if there is no whole image, or if the arrays would take more than 2 GiB.
pub fn arrays(models: &[SplitModel], images: &[f32], labels: Option<&[u32]>) -> Result<Vec<Array>> {
    let first = models.first().ok_or_else(|| Error::Internal("a run without a model".into()))?;
    let [c, h, w] = first.plan.image;
    let (size, device) = (c * h * w, &candle_core::Device::Cpu);
    let all = images.len() / size;
    if all == 0 {
        return Err(Error::input("there is no image to export arrays of"));
    }
    let mut table = Table(vec![Array::f32("images", &[all, c, h, w], images.to_vec())]);
    table.0.extend(labels.map(|labels| Array::classes("labels", labels.iter().copied())));
    for (i, model) in models.iter().enumerate() {
        let prefix = if i == 0 { String::new() } else { format!("{}_", model.plan.name) };
        for (done, batch) in images.chunks(BATCH * size).enumerate() {
            let x = Tensor::from_slice(batch, (batch.len() / size, c, h, w), device)?;
            let before = table.bytes();
            let samples: Vec<usize> = (done * BATCH..done * BATCH + x.dim(0)?).collect();
            table.ask(&prefix, model, &x, At::Ask { samples: &samples, draw: 0 })?;
            if done == 0 {
                check_room(before, table.bytes() - before, batch.len() / size, all)?;
            }
        }
    }
    Ok(table.0)
}

/// Whether what is there, and what each model takes for its first few images, leaves room for the rest.
fn check_room(there: usize, few_bytes: usize, few: usize, all: usize) -> Result<()> {
    let needed = there + few_bytes / few * all;
    if needed > MOST {
        return Err(Error::input(format!(
            "the arrays of {all} images would take {:.1} GiB, more than {} GiB; export those of fewer with --images FILE",
            needed as f64 / f64::from(1 << 30),
            MOST >> 30
        )));
    }
    Ok(())
}

/// Arrays that grow batch by batch.
struct Table(Vec<Array>);

impl Table {
    fn bytes(&self) -> usize {
        self.0.iter().map(Array::bytes).sum()
    }

    /// Asks a model about a few images as a client asks for a diagnosis.
    fn ask(&mut self, prefix: &str, model: &SplitModel, x: &Tensor, at: At<'_>) -> Result<()> {
        let mut add = |name: &str, rows: &Tensor| self.add(&format!("{prefix}{name}"), rows);
        let (smashed, outgoing) = model.ask(x, at)?;
        if let Some(map) = &outgoing.map {
            add("disguised", &outgoing.images)?;
            add("map", map)?;
        }
        add("smashed", smashed.tensor())?;
        let answer = model.answer_to(&smashed)?;
        for (name, part) in &answer.parts {
            add(name, part)?;
        }
        if answer.is_plain() {
            add("logits", &answer.scores)?;
        } else {
            for (name, logits) in &answer.streams {
                add(&format!("logits_{name}"), logits)?;
            }
            add("scores", &answer.scores)?;
        }
        self.append(Array::classes(&format!("{prefix}decisions"), answer.predicted()?));
        Ok(())
    }

    fn add(&mut self, name: &str, rows: &Tensor) -> Result<()> {
        self.append(Array::f32(name, rows.dims(), rows.flatten_all()?.to_vec1()?));
        Ok(())
    }

    /// Adds an array, or its rows to the one of its name.
    fn append(&mut self, rows: Array) {
        match self.0.iter_mut().find(|array| array.name == rows.name) {
            Some(array) => {
                array.shape[0] += rows.shape[0];
                match (&mut array.values, rows.values) {
                    (Values::F32(values), Values::F32(more)) => values.extend(more),
                    (Values::I64(values), Values::I64(more)) => values.extend(more),
                    _ => unreachable!("one name is one kind of array"),
                }
            }
            None => self.0.push(rows),
        }
    }
}

#[cfg(test)]
mod tests {
    use candle_core::Device;

    use super::*;
    use crate::experiment::Experiment;
    use crate::random::Seed;

    #[test]
    fn arrays_hold_what_the_models_answer_image_by_image() {
        let experiment = Experiment::preset("quick").unwrap();
        let plans = experiment.split_plans([1, 28, 28], 10).unwrap();
        let models: Vec<SplitModel> =
            plans.into_iter().map(|plan| SplitModel::new(plan, Seed(3), &Device::Cpu).unwrap()).collect();
        let count = BATCH + 3;
        let x = Seed(1).stream("x", 0).uniform_tensor(0.0, 1.0, &[count, 1, 28, 28], &Device::Cpu).unwrap();
        let values: Vec<f32> = x.flatten_all().unwrap().to_vec1().unwrap();
        let arrays = arrays(&models, &values, None).unwrap();
        let named = |name: &str| arrays.iter().find(|array| array.name == name).unwrap_or_else(|| panic!("no {name}"));
        for name in ["smashed", "low_rank", "gradient_map", "vanilla_smashed"] {
            assert_eq!(named(name).shape, [count, 8, 14, 14], "{name}");
        }
        for name in ["disguised", "map"] {
            assert_eq!(named(name).shape, [count, 1, 28, 28], "{name}");
        }
        assert!(arrays.iter().all(|array| array.name != "labels"));
        for array in &arrays {
            assert_eq!(array.shape[0], count, "{}", array.name);
            let width = if matches!(array.values, Values::F32(_)) { 4 } else { 8 };
            assert_eq!(array.bytes(), width * array.shape.iter().product::<usize>(), "{}", array.name);
        }
        // The last image is the same as if it were asked about alone.
        let last = x.narrow(0, count - 1, 1).unwrap().contiguous().unwrap();
        for (model, name) in models.iter().zip(["decisions", "vanilla_decisions"]) {
            let Values::I64(decisions) = &named(name).values else { panic!("classes") };
            let alone = model.answer(&last, At::ONCE).unwrap().predicted().unwrap()[0];
            assert_eq!(decisions.last(), Some(&i64::from(alone)), "{name}");
        }
    }

    #[test]
    fn arrays_that_no_memory_holds_are_refused_before_they_are_made() {
        assert!(check_room(1 << 20, 50 << 20, 50, 1000).is_ok());
        let told = check_room(1 << 20, 50 << 20, 50, 10_000).unwrap_err().to_string();
        assert!(told.contains("10000 images would take 9.8 GiB") && told.contains("--images"), "{told}");
    }
}

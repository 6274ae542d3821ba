//! Trained models that come with the program, so that its first picture is of a client that diagnoses: a run's weights in
//! half precision, with all that tells how they were made.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::sync::{Arc, OnceLock};

use candle_core::{DType, Device, Tensor};
use safetensors::tensor::SafeTensors;
use serde::{Deserialize, Serialize};

use super::best::{self, Kept, Which};
use super::weights::{ModelWeights, Weights, trained};
use crate::error::{Error, Result};
use crate::experiment::Experiment;
use crate::experiment::preset::DIGITS as PRESET;

/// Undefended and defended, on MNIST digits.
const DIGITS: &[u8] = include_bytes!("../../assets/trained/digits.safetensors");
/// What remakes them.
pub fn remade_by() -> String {
    format!("cutlayer run {PRESET} --out RUN; cutlayer export RUN --half digits.safetensors")
}

/// The classes of [`DIGITS`].
const CLASSES: usize = 10;
const KEY: &str = "cutlayer";
/// The number of the file's form.
const FORM: u32 = 1;

/// What such a file says of itself.
#[derive(Debug, Serialize, Deserialize)]
struct Head {
    form: u32,
    /// The program's version that trained them.
    version: String,
    experiment: String,
    models: BTreeMap<String, About>,
}

#[derive(Debug, Serialize, Deserialize)]
struct About {
    epochs: usize,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    votes: Option<Vec<f64>>,
}

/// The weights that come with the program, where one of their models is this experiment's; none for other images or
/// another network.
pub fn shipped(experiment: &Experiment) -> Option<Arc<Weights>> {
    static READ: OnceLock<Option<(Experiment, Arc<Weights>)>> = OnceLock::new();
    let (made, weights) = READ.get_or_init(|| read(DIGITS).ok().map(|(e, w)| (e, Arc::new(w)))).as_ref()?;
    if !made.data.same_images(&experiment.data) {
        return None;
    }
    let layers = experiment.layers(CLASSES).ok()?;
    weights.models.values().any(|model| model.layers == layers).then(|| weights.clone())
}

/// A run's weights as such a file.
///
/// # Errors
/// Returns an error if the run has no such weights, or their file is damaged.
pub fn half(run: &Path, which: Which) -> Result<Vec<u8>> {
    let (experiment, kept) = best::models(run, which)?;
    let (mut tensors, mut models) = (BTreeMap::new(), BTreeMap::new());
    for Kept { model, epochs, .. } in kept {
        let name = model.plan.name.clone();
        for party in [model.client.parameters(), model.server.parameters()] {
            for (part, var) in party.iter() {
                tensors.insert(format!("{name}.{part}"), var.to_dtype(DType::F16)?.contiguous()?);
            }
        }
        models.insert(name, About { epochs, votes: model.server.votes() });
    }
    let version = env!("CARGO_PKG_VERSION").to_owned();
    let head = Head { form: FORM, version, experiment: experiment.to_toml(), models };
    let head = serde_json::to_string(&head).map_err(|e| Error::Internal(format!("the head of the weights: {e}")))?;
    let metadata = HashMap::from([(KEY.to_owned(), head)]);
    safetensors::serialize(tensors, Some(metadata)).map_err(|e| Error::Internal(format!("weights: {e}")))
}

/// The weights in such a file, and the experiment that trained them.
fn read(bytes: &[u8]) -> Result<(Experiment, Weights)> {
    let wrong = |e: &dyn std::fmt::Display| Error::input(format!("no weights in half precision: {e}"));
    let (_, metadata) = SafeTensors::read_metadata(bytes).map_err(|e| wrong(&e))?;
    let head = metadata.metadata().as_ref().and_then(|all| all.get(KEY)).ok_or_else(|| wrong(&"no head"))?;
    let head: Head = serde_json::from_str(head).map_err(|e| wrong(&e))?;
    if head.form != FORM {
        return Err(wrong(&format!("form {} is not known", head.form)));
    }
    let experiment = Experiment::from_run(&head.experiment, "the weights' own experiment")?;
    let file = candle_core::safetensors::BufferedSafetensors::new(bytes.to_vec())?;
    let value = |name: &str| -> Result<(Vec<usize>, Vec<f32>)> {
        let tensor: Tensor = file.load(name, &Device::Cpu)?.to_dtype(DType::F32)?;
        Ok((tensor.dims().to_vec(), tensor.flatten_all()?.to_vec1()?))
    };
    let names: Vec<String> = file.tensors().into_iter().map(|(name, _)| name).collect();
    let image = crate::data::built_in(&experiment.data.name)?.test.shape();
    let mut models = BTreeMap::new();
    for plan in experiment.split_plans(image, CLASSES)? {
        let Some(About { epochs, votes }) = head.models.get(&plan.name) else { continue };
        let own = format!("{}.", plan.name);
        let mut values = BTreeMap::new();
        for name in &names {
            if let Some(part) = name.strip_prefix(&own) {
                values.insert(part.to_owned(), value(name)?);
            }
        }
        let words = format!("{}, comes with Cutlayer", trained(&experiment, plan.defended(), *epochs));
        let model = ModelWeights { trained: words, layers: plan.layers, cut: plan.cut, values, votes: votes.clone() };
        models.insert(plan.name, model);
    }
    Ok((experiment, Weights { models }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::built_in;
    use crate::experiment::fixture::BRAIN;
    use crate::random::{At, Seed};
    use crate::split::SplitModel;

    #[test]
    fn what_ships_diagnoses_and_is_small() {
        assert!(DIGITS.len() <= 8 << 20, "{} bytes", DIGITS.len());
        let experiment = Experiment::preset(PRESET).unwrap();
        let (made, weights) = read(DIGITS).unwrap();
        // Who attacks it changes no weight.
        let trained = |experiment: &Experiment| Experiment { attacks: Vec::new(), ..experiment.clone() };
        assert_eq!(trained(&made), trained(&experiment), "train them anew: {}", remade_by());
        let test = built_in("mnist").unwrap().test.take(200);
        let x = test.tensor(&Device::Cpu).unwrap();
        for plan in experiment.split_plans([1, 28, 28], CLASSES).unwrap() {
            let name = plan.name.clone();
            let mut model = SplitModel::new(plan, Seed(9), &Device::Cpu).unwrap();
            assert!(weights.models[&name].load_into(&mut model).unwrap(), "{name}");
            let answers = model.answer(&x, At::ONCE).unwrap().predicted().unwrap();
            let right = answers.iter().zip(test.labels()).filter(|(a, b)| *a == *b).count();
            assert!(right >= 180, "{name}: {right} of 200");
        }
    }

    #[test]
    fn they_are_given_to_their_own_network_and_images_alone() {
        let fits = |preset: &str| shipped(&Experiment::preset(preset).unwrap()).is_some();
        assert!(fits(PRESET) && fits("vanilla-digits"));
        assert!(!fits("quick") && !fits(BRAIN));
        assert!(read(b"nothing").is_err() && read(&DIGITS[..1000]).is_err());
    }
}

//! Steps with reference values, which were computed in double precision (`tests/golden`).

use std::path::Path;

use candle_core::{DType, Device, Tensor};
use serde_json::Value;

use super::{Line, There};
use crate::defence::Stack;
use crate::engine::trial::{gap, numbers};
use crate::error::{Error, Result};
use crate::model::adam::AdamSettings;
use crate::model::optimiser::OptimiserSettings;
use crate::model::parameters::Parameters;
use crate::model::spec::LayerSpec::{self, Conv, Flatten, Linear, MaxPool, Relu};
use crate::random::{At, Seed};
use crate::split::{SplitModel, SplitPlan};
use crate::workbench::REFERENCE_STEP;

/// Twenty steps of an undefended model.
const TRAINING: &str = "split_train20";

/// Both files' values beside what comes of the same steps there.
pub fn references(folder: &Path, there: &There) -> Vec<Line> {
    let (step, _) = REFERENCE_STEP;
    let both: [(&str, Check); 2] = [(TRAINING, training), (step, defended_step)];
    both.into_iter()
        .flat_map(|(name, check)| {
            let lines = Golden::read(folder, name).and_then(|golden| there.within(|device| check(&golden, device)));
            lines.unwrap_or_else(|error| vec![Line::failed(name, &error)])
        })
        .collect()
}

/// Takes the steps of a file on a device.
type Check = fn(&Golden, &Device) -> Result<Vec<Line>>;

/// One file: inputs, expected values, and how far they may differ.
struct Golden {
    name: String,
    json: Value,
}

impl Golden {
    fn read(folder: &Path, name: &str) -> Result<Self> {
        let path = folder.join(format!("{name}.json"));
        let text = std::fs::read_to_string(&path).map_err(Error::opening("read", &path))?;
        let json = serde_json::from_str(&text).map_err(|e| Error::input(format!("{e}: {}", path.display())))?;
        Ok(Self { name: name.to_owned(), json })
    }

    fn lacks(&self, what: &str) -> Error {
        Error::input(format!("{}: it lacks {what}", self.name))
    }

    fn list(&self, value: &Value, what: &str) -> Result<Vec<f64>> {
        let all = value.as_array().map(|all| all.iter().filter_map(Value::as_f64).collect::<Vec<_>>());
        all.or_else(|| value.as_f64().map(|one| vec![one])).ok_or_else(|| self.lacks(what))
    }

    fn input(&self, name: &str, device: &Device) -> Result<Tensor> {
        let array = &self.json["inputs"][name];
        let shape: Vec<usize> = self.list(&array["shape"], name)?.into_iter().map(|side| side as usize).collect();
        Ok(Tensor::from_vec(self.list(&array["data"], name)?, shape, &Device::Cpu)?
            .to_dtype(DType::F32)?
            .to_device(device)?)
    }

    /// Loads the inputs whose names the parameters have.
    fn load(&self, parameters: &Parameters) -> Result<()> {
        let named = parameters.iter().map(|(name, _)| Ok((name.clone(), self.input(name, &Device::Cpu)?)));
        parameters.load(&named.collect::<Result<_>>()?)
    }

    fn line(&self, name: &str, got: &[f64]) -> Result<Line> {
        let expected = &self.json["expected"][name];
        let data = if expected["data"].is_array() { &expected["data"] } else { expected };
        let allowed = self.json["tolerance"].as_f64().ok_or_else(|| self.lacks("tolerance"))?;
        Ok(Line::of(format!("{}: {name}", self.name), gap(got, &self.list(data, name)?), allowed))
    }

    fn tensor(&self, name: &str, got: &Tensor) -> Result<Line> {
        self.line(name, &numbers(got)?)
    }

    fn parameters(&self, model: &SplitModel) -> Result<Vec<Line>> {
        let both = [model.client.parameters(), model.server.parameters()];
        both.iter().flat_map(|party| party.iter()).map(|(name, var)| self.tensor(name, var)).collect()
    }

    /// A split model with the file's weights on this device.
    fn model(
        &self,
        layers: Vec<LayerSpec>,
        cut: usize,
        rate: f64,
        defences: Stack,
        device: &Device,
    ) -> Result<SplitModel> {
        let Some(Linear(classes)) = layers.last().cloned() else { return Err(self.lacks("a last layer")) };
        let plan = SplitPlan {
            name: "golden".to_owned(),
            layers,
            cut,
            image: [1, 12, 12],
            classes,
            defences,
            optimiser: OptimiserSettings::Adam(AdamSettings::new(rate)),
            class_weights: None,
        };
        let model = SplitModel::new(plan, Seed(0), device)?;
        self.load(model.client.parameters())?;
        self.load(model.server.parameters())?;
        Ok(model)
    }

    fn last(&self, weight: &str) -> Result<LayerSpec> {
        Ok(Linear(self.input(weight, &Device::Cpu)?.dim(0)?))
    }
}

const FIRST: At<'static> = At::Train { epoch: 0, step: 0 };

fn conv3(channels: usize) -> LayerSpec {
    Conv { channels, kernel: 3, stride: 1, padding: 1, bias: true }
}

fn training(golden: &Golden, device: &Device) -> Result<Vec<Line>> {
    let last = golden.last("server.4.weight")?;
    let layers = vec![conv3(4), Relu, MaxPool(2), conv3(6), Relu, conv3(8), Relu, MaxPool(2), Flatten, last];
    let mut model = golden.model(layers, 5, 1e-2, Stack::default(), device)?;
    let images = golden.input("images", device)?;
    let labels = golden.input("labels", device)?.to_dtype(DType::U32)?;
    let mut losses = Vec::new();
    for i in 0..images.dim(0)? {
        losses.extend(model.step(&images.get(i)?, &labels.get(i)?, FIRST)?.lesson.losses);
    }
    let mut lines = vec![golden.line("losses", &losses)?];
    lines.extend(golden.parameters(&model)?);
    Ok(lines)
}

fn defended_step(golden: &Golden, device: &Device) -> Result<Vec<Line>> {
    let gamma = golden.json["inputs"]["gamma"].as_f64().ok_or_else(|| golden.lacks("gamma"))?;
    let stack = REFERENCE_STEP.1(gamma)?;
    let last = golden.last("server.fused.4.weight")?;
    let layers = vec![conv3(4), Relu, conv3(6), Relu, conv3(8), Relu, MaxPool(2), Flatten, last];
    let mut model = golden.model(layers, 4, 1e-3, stack, device)?;
    let labels = golden.input("labels", device)?.to_dtype(DType::U32)?;
    let step = model.step(&golden.input("image", device)?, &labels, FIRST)?;
    let answer = &step.lesson.answer;
    let lacks = |what: &'static str| move || Error::Internal(format!("the step has no {what}"));
    let map = step.outgoing.map.as_ref().ok_or_else(lacks("map"))?;
    let recovered = answer.part("low_rank").ok_or_else(lacks("recovered part"))?;
    let mut lines = vec![
        golden.tensor("map", map)?,
        golden.tensor("attacked", &step.outgoing.images)?,
        golden.tensor("smashed", step.smashed.tensor())?,
        golden.tensor("recovered", recovered)?,
        golden.tensor("cut_gradient", step.cut_gradient.tensor())?,
    ];
    for (name, logits) in &answer.streams {
        lines.push(golden.tensor(&format!("logits_{name}"), logits)?);
    }
    let losses: Vec<f64> = step.own_loss.iter().chain(&step.lesson.losses).copied().collect();
    lines.push(golden.line("losses", &losses)?);
    lines.extend(golden.parameters(&model)?);
    Ok(lines)
}

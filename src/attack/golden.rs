//! Reference values of attacks, computed in double precision by `tests/golden/make_golden2.py`.

use std::collections::BTreeMap;

use candle_core::{DType, Device, Tensor};
use serde_json::Value;

use crate::model::parameters::Parameters;

/// One file: inputs and expected values.
pub struct Golden(Value);

impl Golden {
    pub fn load(name: &str) -> Self {
        let path = format!("{}/tests/golden/{name}.json", env!("CARGO_MANIFEST_DIR"));
        let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{path}: {e}"));
        Self(serde_json::from_str(&text).expect("golden JSON"))
    }

    fn numbers(of: &Value) -> Vec<f64> {
        of.as_array().expect("numbers").iter().map(|v| v.as_f64().unwrap()).collect()
    }

    pub fn input(&self, name: &str) -> Tensor {
        let array = &self.0["inputs"][name];
        let shape: Vec<usize> = Self::numbers(&array["shape"]).into_iter().map(|side| side as usize).collect();
        let data: Vec<f32> = Self::numbers(&array["data"]).into_iter().map(|v| v as f32).collect();
        Tensor::from_vec(data, shape, &Device::Cpu).unwrap()
    }

    pub fn number(&self, name: &str) -> f64 {
        self.0["inputs"][name].as_f64().unwrap()
    }

    /// Weights whose names begin with `prefix`, under `name` in its place, and besides them those of `more`.
    pub fn parameters(&self, prefix: &str, name: &str, more: BTreeMap<String, Tensor>) -> Parameters {
        let names = self.0["inputs"].as_object().unwrap().keys().filter_map(|key| {
            let weight = key.strip_prefix(prefix)?;
            weight.starts_with(|c: char| c.is_ascii_digit()).then(|| (key.clone(), format!("{name}{weight}")))
        });
        let own = names.map(|(key, name)| (name, self.input(&key)));
        Parameters::of(own.chain(more).collect()).unwrap()
    }

    pub fn check_values(&self, name: &str, got: &[f64]) {
        let expected = &self.0["expected"][name];
        let want = expected.as_f64().map_or_else(|| Self::numbers(&expected["data"]), |one| vec![one]);
        assert_eq!(got.len(), want.len(), "{name}: number of values");
        let largest = want.iter().fold(0.0f64, |m, v| m.max(v.abs()));
        let tolerance = self.0["tolerance"].as_f64().unwrap();
        for (g, w) in got.iter().zip(&want) {
            assert!((g - w).abs() <= tolerance * largest, "{name}: {g} where {w} is expected");
        }
    }

    pub fn check(&self, name: &str, got: &Tensor) {
        self.check_values(name, &got.detach().to_dtype(DType::F64).unwrap().flatten_all().unwrap().to_vec1().unwrap());
    }
}

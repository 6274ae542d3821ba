//! A small victim for the attacks' own tests.

use std::sync::Arc;

use candle_core::{Device, Tensor};

use super::{Auxiliary, Evidence, Knowledge};
use crate::data::{Images, Part};
use crate::defence::Stack;
use crate::defence::entry::AS_THEY_ARE;
use crate::defence::imitation::{Imitation, Imitator, Known, Own, Study};
use crate::error::Result;
use crate::model::adam::AdamSettings;
use crate::model::network::Network;
use crate::model::optimiser::OptimiserSettings;
use crate::model::spec::LayerSpec::{Flatten, Linear, Relu};
use crate::random::{At, Seed};
use crate::split::{SplitModel, SplitPlan, UNDEFENDED};

/// Bars at several places, which are their classes.
pub(super) fn images(n: usize, from: usize) -> Part {
    let pixel = |image: usize, i: usize| {
        let (y, x, place) = (i / 12, i % 12, image * 7919 % 31);
        let inside = x >= place % 7 && x < place % 7 + 3 && y > place % 4;
        if inside { 200 + (place % 5) as u8 * 10 } else { 10 }
    };
    let pixels = (from..from + n).flat_map(|image| (0..144).map(move |i| pixel(image, i))).collect();
    Part::from(Images {
        shape: [1, 12, 12],
        pixels,
        labels: (from..from + n).map(|image| (image * 7919 % 31 % 7 % 3) as u32).collect(),
    })
}

/// A victim that flattens and sends so many numbers; its server has one layer.
pub(super) fn victim(features: usize) -> SplitModel {
    let plan = SplitPlan {
        name: UNDEFENDED.to_owned(),
        layers: vec![Flatten, Linear(features), Relu, Linear(3)],
        cut: 3,
        image: [1, 12, 12],
        classes: 3,
        defences: Stack::default(),
        optimiser: OptimiserSettings::Adam(AdamSettings::new(1e-3)),
        class_weights: None,
    };
    SplitModel::new(plan, Seed(1), &Device::Cpu).unwrap()
}

/// Everything there is to know of it but a defence, with so many images of one's own.
pub(super) fn known(model: &SplitModel, own: usize) -> Knowledge {
    Knowledge {
        image: [1, 12, 12],
        classes: 3,
        layers: model.plan.layers[..model.plan.cut].to_vec(),
        client: Some(model.client.body().frozen()),
        oracle: None,
        server: Some(behind(model)),
        entry: &AS_THEY_ARE,
        auxiliary: Some(Auxiliary::new(images(own, 100), &Device::Cpu)),
        samples: None,
        defence: None,
        seed: Seed(3),
        name: "test".to_owned(),
    }
}

/// What it sends for so many images.
pub(super) fn seen(model: &SplitModel, n: usize) -> Evidence {
    let targets = images(n, 0).tensor(&Device::Cpu).unwrap();
    Evidence::new(model.ask(&targets, At::ONCE).unwrap().0).unwrap()
}

fn behind(model: &SplitModel) -> Network {
    Network::of("server", &model.plan.layers[model.plan.cut..], model.server.parameters()).unwrap().frozen()
}

/// A defence that sends three times the numbers, and an attacker that knows it.
#[derive(Debug)]
pub(super) struct Tripled;

impl Imitation for Tripled {
    fn up(&self, z: Tensor) -> Result<Tensor> {
        Ok((z * 3.0)?)
    }

    fn study(&self, _: &Own<'_>) -> Result<Box<dyn Study>> {
        Ok(Box::new(Known(Arc::new(Tripled))))
    }
}

impl Imitator for Tripled {
    fn up(&self, z: Tensor, _: At<'_>) -> Result<Tensor> {
        Ok((z * 3.0)?)
    }
}

//! Proximal gradient split learning, by the steps of METHOD §2.
//!
//! | step | where | file |
//! |---|---|---|
//! | 1 intentional attack with a gradient map | client | [`saliency`] |
//! | 2 reversible downsampling | client | [`downsample`] |
//! | 4 proximal recovery | server | [`recovery`] |
//! | 5, 7 fusion of features and of decisions | server | [`fusion`] |
//!
//! Steps 3 (smashed data) and 6 (gradient isolation) are how client and server work together: [`client`], [`streams`].
//! What an attacker makes of knowing all this is in [`surrogate`] and [`undo`].

pub mod client;
mod composed;
mod controls;
pub mod downsample;
pub mod fusion;
mod inpaint;
mod large;
mod levers;
mod method;
mod names;
pub mod recovery;
pub mod saliency;
mod settings;
pub mod spec;
pub mod streams;
pub mod strength;
pub mod surrogate;
mod torch;
pub mod trial;
pub mod undo;

use std::sync::Arc;

pub use spec::{Answering, Inference, Jacobian, Options, PsglSpec, WeightsFrom};

use super::{Entry, Kind};
use crate::model::wire::Crossing;
use crate::setting::Values;

/// Its name.
pub const ID: &str = "psgl";

/// Its card.
pub static KIND: Kind = Kind {
    id: ID,
    title: "PSGL",
    about: "Proximal gradient split learning: the client disguises its images by an attack of its own, and the server \
            cleans what it is sent.",
    section: Some("psgl"),
    settings: &settings::SETTINGS,
    symbol: "γ",
    strength: |values| Ok(if values.switch("enabled")? { values.real("gamma")? } else { 0.0 }),
    entry: Some(&PACKED),
    fits,
    server: |values, layers, smashed| match options(values).map_err(|e| e.to_string())?.server {
        Answering::Large => large::large(layers, smashed),
        _ => Ok(layers.to_vec()),
    },
    warning: |values| {
        (options(values).ok()?.recovery.map_norm == recovery::MapNorm::Nuclear).then(|| NUCLEAR.to_owned())
    },
    // A server that is asked for gradients sees the clean image first and answers with two.
    asks: |values| {
        let options = options(values)?;
        let server = options.attack && options.jacobian == Jacobian::Server;
        Ok(if server { &[Crossing::Probe, Crossing::Predicted, Crossing::AllClasses] } else { &[] })
    },
    make: |values, _| Ok(Box::new(client::Guard::new(options(values)?))),
    check: |values| {
        let weights = values.parse::<PsglSpec>().map_err(|e| e.to_string())?.weights;
        let some = weights.iter().sum::<f64>() > 0.0;
        if some { Ok(()) } else { Err(format!("psgl.weights = {weights:?}: allowed is a sum above 0")) }
    },
    bytes: |_, _, before| Ok(before),
    idle,
    while_off: "PSGL is off. Disguise and cleaning still serve the table's rows of the undefended model.",
    fuses: |values| options(values).is_ok_and(|options| !options.server.is_one()),
    controls: &controls::CONTROLS,
    levers: &levers::LEVERS,
    words: &names::WORDS,
    method: &method::SECTIONS,
    torch: Some(|values, votes| Ok(torch::torch(&options(values)?, votes))),
    imitation: |values| Ok(Arc::new(surrogate::Known(options(values)?))),
};

const NUCLEAR: &str = "psgl.map_norm = \"nuclear\": with this norm on both parts the gradient map takes everything and the \
                       recovered part goes to zero, so the recovered stream learns next to nothing; \"l1\" has no such \
                       fault";

/// Disguising and cleaning images serves the table's rows of the undefended model, too.
fn idle(values: &Values, on: bool, key: &str) -> Option<&'static str> {
    let spec = values.parse::<PsglSpec>().unwrap_or_default();
    let dense = spec.apply == strength::Apply::Dense;
    match key {
        "jacobian" | "iterations" | "fuse_relu" | "weights" | "weights_from" | "send" | "attack" | "server" if !on => {
            Some("PSGL is off: switch it on first.")
        }
        "jacobian" | "send" if !spec.attack => Some("The attack is left out: images are sent as they are."),
        "iterations" | "fuse_relu" | "weights" | "weights_from" if spec.server.is_one() => {
            Some("The server answers with one stream: nothing is recovered, fused or voted on.")
        }
        "iterations" if spec.server == Answering::Unrecovered => Some("The recovery is left out."),
        "fuse_relu" if spec.server == Answering::Unfused => Some("The fusing convolution is left out."),
        "gamma" if dense => Some("The dense disguise moves every pixel, so there is no share to choose."),
        _ => None,
    }
}

/// Images packed by reversible downsampling, with their map beside them.
pub static PACKED: Entry = Entry {
    id: "packed",
    shape: downsample::packed_shape,
    enter: |x, map| match map {
        Some(map) => downsample::pack(x, map),
        None => downsample::pack_clean(x),
    },
};

fn options(values: &Values) -> crate::error::Result<Options> {
    Ok(values.parse::<PsglSpec>()?.options())
}

/// It recovers matrices of channels × positions, and its head pools by two.
fn fits(values: &Values, smashed: &[usize]) -> Result<(), String> {
    let pools = options(values).map_err(|e| e.to_string())?.jacobian == Jacobian::Head;
    match smashed {
        [_, h, w] if !pools || (*h >= 2 && *w >= 2) => Ok(()),
        [_, _, _] => {
            Err("with jacobian = \"head\" PSGL needs smashed data of at least 2×2, since the head pools by 2"
                .to_owned())
        }
        _ => Err("PSGL needs smashed data that are still channels × height × width".to_owned()),
    }
}

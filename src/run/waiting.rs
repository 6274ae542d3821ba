//! Attacks that wait, as a checkpoint has them: what a model was asked stands there once for all that were ordered with it.
//!
//! | tensors | what |
//! |---|---|
//! | `asked.MODEL.eEPOCH.smashed`, `.sent`, `.maps`, `.client.…` | what was on the wire, and the client's weights |
//! | `amid.…` | the state of the first attack, where it had begun |
//!
//! Up to form 2 each attack had all of it under `pending.PLACE.`.

use std::collections::BTreeMap;
use std::sync::Arc;

use candle_core::Tensor;
use serde::{Deserialize, Serialize};

use super::orders::{Asked, AttackId, Begun, Order};
use crate::attack::state::State;
use crate::error::{Error, Result};

/// Where the state of the attack at work stands.
const AMID: &str = "amid.";

/// What a checkpoint says of the attack at work, beside its tensors.
#[derive(Serialize, Deserialize)]
pub(super) struct Amid {
    /// See [`Begun::deciphered`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    deciphered: Option<Vec<u32>>,
}

impl Amid {
    /// Of the first order, where that attack has begun.
    pub(super) fn of(orders: &[Order]) -> Option<Self> {
        let begun = orders.first()?.begun.as_ref()?;
        Some(Self { deciphered: begun.deciphered.clone() })
    }
}

fn prefix(id: &AttackId) -> String {
    format!("asked.{}.e{}.", id.target, id.epoch)
}

/// Adds the orders' tensors; they are shared, not copied.
pub(super) fn put(orders: &[Order], tensors: &mut BTreeMap<String, Tensor>) {
    for Order { id, asked, .. } in orders {
        let prefix = prefix(id);
        let own = [("smashed", &asked.smashed), ("sent", &asked.sent), ("maps", &asked.maps)];
        tensors.extend(own.into_iter().map(|(name, tensor)| (format!("{prefix}{name}"), tensor.clone())));
        tensors.extend(asked.client.iter().map(|(name, tensor)| (format!("{prefix}{name}"), tensor.clone())));
    }
    if let Some(begun) = orders.first().and_then(|order| order.begun.as_ref()) {
        tensors.extend(begun.state.tensors().iter().map(|(name, tensor)| (format!("{AMID}{name}"), tensor.clone())));
    }
}

/// Takes the orders and their tensors out of a checkpoint's; `each` is true where every attack has its own.
///
/// # Errors
/// Returns an error if a tensor is missing.
pub(super) fn take(
    tensors: &mut BTreeMap<String, Tensor>,
    ids: Vec<AttackId>,
    amid: Option<Amid>,
    each: bool,
) -> Result<Vec<Order>> {
    let mut all: BTreeMap<String, Arc<Asked>> = BTreeMap::new();
    for (i, id) in ids.iter().enumerate() {
        let key = prefix(id);
        if each {
            // The longest speaks for all: the others are its first rows.
            let own = asked(&format!("pending.{i}."), tensors)?;
            let before = all.get(&key).map_or(0, |before| before.smashed.dims()[0]);
            if own.smashed.dims()[0] > before {
                all.insert(key, Arc::new(own));
            }
        } else if !all.contains_key(&key) {
            let own = asked(&key, tensors)?;
            all.insert(key, Arc::new(own));
        }
    }
    let state = State::of(removed(AMID, tensors));
    let mut begun = amid.map(|amid| Begun { state, seconds: 0.0, deciphered: amid.deciphered });
    let order = |id: AttackId| {
        let asked = all.get(&prefix(&id)).cloned();
        let asked = asked.ok_or_else(|| Error::input(format!("it lacks what {} works on", id.words())))?;
        Ok(Order { id, asked, begun: begun.take() })
    };
    ids.into_iter().map(order).collect()
}

/// What stands under a prefix: the client's weights are what is left beside the rest.
fn asked(prefix: &str, tensors: &mut BTreeMap<String, Tensor>) -> Result<Asked> {
    let mut own = removed(prefix, tensors);
    let mut one = |name: &str| {
        let found = own.remove(name).filter(|tensor| tensor.rank() > 1);
        found.ok_or_else(|| Error::input(format!("it lacks {prefix}{name}")))
    };
    let (smashed, sent, maps) = (one("smashed")?, one("sent")?, one("maps")?);
    Ok(Asked { smashed, sent, maps, client: own, opinion: None })
}

/// The tensors whose names start with `prefix`, which is cut off.
fn removed(prefix: &str, tensors: &mut BTreeMap<String, Tensor>) -> BTreeMap<String, Tensor> {
    let (own, others) = std::mem::take(tensors).into_iter().partition(|(name, _)| name.starts_with(prefix));
    *tensors = others;
    let cut = |(name, tensor): (String, Tensor)| (name[prefix.len()..].to_owned(), tensor);
    let own: BTreeMap<String, Tensor> = own;
    own.into_iter().map(cut).collect()
}

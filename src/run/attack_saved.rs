//! Attacks that wait, as a checkpoint has them: what was captured at a model stands there once for all that were ordered with it.
//!
//! | tensors | what |
//! |---|---|
//! | `capture.MODEL.eEPOCH.smashed`, `.sent`, `.maps` | what was on the wire |
//! | `capture.MODEL.eEPOCH.client.…`, `.server.…` | the client's weights, and the server's where an attack knows them |
//! | `capture.MODEL.eEPOCH.gradient.…` | gradients by weights, where an attack declares to see them |
//! | `amid.…` | the state of the first attack, where it had begun |
//!
//! Up to form 2 each attack had all of it under `pending.PLACE.`.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::Arc;

use candle_core::Tensor;
use serde::{Deserialize, Serialize};

use super::attack_gradients;
use super::attack_order::{AttackId, Begun, Capture, Order};
use crate::error::{Error, Result};
use crate::state::State;

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
    format!("capture.{}.e{}.", id.target, id.epoch)
}

/// Adds the orders' tensors; they are shared, not copied.
pub(super) fn put(orders: &[Order], tensors: &mut BTreeMap<String, Tensor>) {
    for Order { id, capture, .. } in orders {
        let prefix = prefix(id);
        let own = [("smashed", &capture.smashed), ("sent", &capture.sent), ("maps", &capture.maps)];
        tensors.extend(own.into_iter().map(|(name, tensor)| (format!("{prefix}{name}"), tensor.clone())));
        let weights = capture.client.iter().chain(&capture.server);
        tensors.extend(weights.map(|(name, tensor)| (format!("{prefix}{name}"), tensor.clone())));
        let gradients = attack_gradients::named(&capture.gradients);
        tensors.extend(gradients.map(|(name, tensor)| (format!("{prefix}{name}"), tensor)));
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
    let mut all: BTreeMap<String, Arc<Capture>> = BTreeMap::new();
    for (i, id) in ids.iter().enumerate() {
        let key = prefix(id);
        if each {
            // The longest speaks for all: the others are its first rows.
            let own = capture_of(&format!("pending.{i}."), tensors)?;
            let before = all.get(&key).map_or(0, |before| before.smashed.dims()[0]);
            if own.smashed.dims()[0] > before {
                all.insert(key, Arc::new(own));
            }
        } else if let Entry::Vacant(place) = all.entry(key) {
            let own = capture_of(place.key(), tensors)?;
            place.insert(Arc::new(own));
        }
    }
    let state = State::of(removed(AMID, tensors));
    let mut begun = amid.map(|amid| Begun { state, seconds: 0.0, deciphered: amid.deciphered });
    let order = |id: AttackId| {
        let capture = all.get(&prefix(&id)).cloned();
        let capture = capture.ok_or_else(|| Error::input(format!("it lacks what {} works on", id.words())))?;
        Ok(Order { id, capture, begun: begun.take() })
    };
    ids.into_iter().map(order).collect()
}

/// What stands under a prefix: weights are what is left beside the rest.
fn capture_of(prefix: &str, tensors: &mut BTreeMap<String, Tensor>) -> Result<Capture> {
    let mut own = removed(prefix, tensors);
    let mut one = |name: &str| {
        let found = own.remove(name).filter(|tensor| tensor.rank() > 1);
        found.ok_or_else(|| Error::input(format!("it lacks {prefix}{name}")))
    };
    let (smashed, sent, maps) = (one("smashed")?, one("sent")?, one("maps")?);
    let gradients = attack_gradients::take(&mut own)?;
    let (server, client) = own.into_iter().partition(|(name, _)| name.starts_with("server."));
    Ok(Capture { smashed, sent, maps, client, server, gradients, opinion: None })
}

/// The tensors whose names start with `prefix`, which is cut off.
fn removed(prefix: &str, tensors: &mut BTreeMap<String, Tensor>) -> BTreeMap<String, Tensor> {
    let (own, others) = std::mem::take(tensors).into_iter().partition(|(name, _)| name.starts_with(prefix));
    *tensors = others;
    let cut = |(name, tensor): (String, Tensor)| (name[prefix.len()..].to_owned(), tensor);
    let own: BTreeMap<String, Tensor> = own;
    own.into_iter().map(cut).collect()
}

#[cfg(test)]
mod tests {
    use candle_core::{DType, Device};

    use super::*;
    use crate::attack::{inverse, rmle};
    use crate::experiment::AttackSpec;
    use crate::run::attack_gradients::{Batches, Taken};

    fn tensor(rows: usize, from: f32) -> Tensor {
        let values: Vec<f32> = (0..rows * 2).map(|i| from + i as f32).collect();
        Tensor::from_vec(values, (rows, 2), &Device::Cpu).unwrap()
    }

    fn id(spec: AttackSpec, epoch: usize) -> AttackId {
        AttackId { spec, adaptive: false, target: "vanilla".to_owned(), epoch }
    }

    fn ids() -> Vec<AttackId> {
        let few = || AttackSpec { images: 2, ..AttackSpec::of(&rmle::KIND) };
        let many = AttackSpec { images: 9, ..AttackSpec::of(&inverse::KIND) };
        vec![id(few(), 1), id(many, 1), id(few(), 10)]
    }

    #[test]
    fn what_waits_comes_back_and_what_an_older_build_kept_for_each_is_shared() {
        let mut old = BTreeMap::from([("vanilla.client.0.weight".to_owned(), tensor(1, 0.0))]);
        for (i, (rows, from)) in [(2, 0.0), (5, 0.0), (2, 7.0)].into_iter().enumerate() {
            for name in ["smashed", "sent", "maps", "client.0.weight"] {
                old.insert(format!("pending.{i}.{name}"), tensor(rows, from));
            }
        }
        let mut left = old.clone();
        let orders = take(&mut left, ids(), None, true).unwrap();
        assert_eq!(left.keys().collect::<Vec<_>>(), ["vanilla.client.0.weight"]);
        assert!(
            Arc::ptr_eq(&orders[0].capture, &orders[1].capture) && !Arc::ptr_eq(&orders[0].capture, &orders[2].capture)
        );
        // Of nine images there were five.
        assert_eq!(orders.iter().map(Order::images).collect::<Vec<_>>(), [2, 5, 2]);
        assert_eq!(orders[0].smashed().unwrap().to_vec2::<f32>().unwrap(), [[0.0, 1.0], [2.0, 3.0]]);
        assert!(orders[0].capture.gradients.is_empty());
        assert_eq!(orders[0].capture.client.keys().collect::<Vec<_>>(), ["client.0.weight"]);

        let mut orders = orders;
        let state = State::of(BTreeMap::from([("image".to_owned(), tensor(1, 3.0))]));
        orders[0].begun = Some(Begun { state, seconds: 5.0, deciphered: Some(vec![7, 1]) });
        // Gradients by weights come back batch by batch, however many.
        let batches = Batches { batch: 2, samples: 23 };
        let taken: Taken = (0..12).map(|i| [vec![tensor(1, i as f32); 11], vec![tensor(2, 0.5)]]).collect();
        let mut capture = Capture::clone(&orders[0].capture);
        capture.gradients.insert(batches, taken);
        let capture = Arc::new(capture);
        orders[1].capture = capture.clone();
        orders[0].capture = capture;
        let mut tensors = BTreeMap::new();
        put(&orders, &mut tensors);
        let mut torn = tensors.clone();
        torn.remove("capture.vanilla.e1.gradient.2.23.3.0.1");
        assert!(take(&mut torn, ids(), Amid::of(&orders), false).unwrap_err().to_string().contains("lacks gradients"));
        assert_eq!(tensors.keys().filter(|name| name.ends_with(".smashed")).count(), 2);
        let back = take(&mut tensors, ids(), Amid::of(&orders), false).unwrap();
        assert!(tensors.is_empty() && back[1].begun.is_none());
        let taken = &back[0].capture.gradients[&batches];
        let shape = |i: usize| [taken[i][0].len(), taken[i][1].len()];
        assert!(taken.len() == 12 && (0..12).all(|i| shape(i) == [11, 1]) && back[2].capture.gradients.is_empty());
        assert_eq!(taken[11][0][10].to_vec2::<f32>().unwrap(), [[11.0, 12.0]]);
        assert_eq!(back[0].capture.client.keys().collect::<Vec<_>>(), ["client.0.weight"]);
        let begun = back[0].begun.as_ref().unwrap();
        assert_eq!((begun.deciphered.as_deref(), begun.seconds), (Some(&[7, 1][..]), 0.0), "no clock");
        assert_eq!(begun.state.tensor("image").unwrap().to_vec2::<f32>().unwrap(), [[3.0, 4.0]]);

        let mut lacking = BTreeMap::from([("capture.vanilla.e1.smashed".to_owned(), tensor(2, 0.0))]);
        let error = take(&mut lacking, ids(), None, false).unwrap_err().to_string();
        assert_eq!(error, "it lacks capture.vanilla.e1.sent");
        let scalar = Tensor::zeros((), DType::F32, &Device::Cpu).unwrap();
        let mut scalar = BTreeMap::from([("capture.vanilla.e1.smashed".to_owned(), scalar)]);
        assert!(take(&mut scalar, ids(), None, false).is_err(), "a file can say anything");
    }
}

//! Several defences of one model, called in turn.

use std::sync::Arc;

use candle_core::Tensor;

use super::entry::{AS_THEY_ARE, Entry, Outgoing};
use super::imitation::{Imitation, Imitator, Known, Own, Study, Undoing, Unknown};
use super::kind::{Bytes, Draws};
use super::{Defence, Setup};
use crate::error::{Error, Result};
use crate::model::network::Network;
use crate::model::spec::LayerSpec;
use crate::model::wire::Crossing;
use crate::random::{At, Seed};
use crate::state::State;

/// The defences of a model, in the order in which an image meets them; none is plain split learning. One of strength 0 is
/// left out, so a stack without strength is no stack.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Stack(Vec<Setup>);

impl Stack {
    /// Those of `all` that have any strength.
    ///
    /// # Errors
    /// Returns an error if a value is missing, or if two of them have images enter in forms of their own.
    pub fn new(all: impl IntoIterator<Item = Setup>) -> Result<Self> {
        let mut strong = Vec::new();
        for setup in all {
            if (setup.kind.strength)(&setup.values)? != 0.0 {
                strong.push(setup);
            }
        }
        let forms: Vec<&str> = strong.iter().filter(|setup| setup.kind.entry.is_some()).map(|s| s.kind.id).collect();
        match forms.as_slice() {
            [first, second, ..] => Err(Error::input(format!(
                "defence: {first} and {second} cannot stand in one stack: each has a form of its own for the first layer"
            ))),
            _ => Ok(Self(strong)),
        }
    }

    /// Whether it is plain split learning.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The defences, first to last.
    pub fn iter(&self) -> impl Iterator<Item = &Setup> {
        self.0.iter()
    }

    /// What a model under it is called in a run: the ids of its defences, `dropout+own`.
    pub fn label(&self) -> String {
        let ids: Vec<&str> = self.iter().map(|setup| setup.kind.id).collect();
        ids.join("+")
    }

    /// Its defences with their strengths, in words: `dropout p 0.3, own s 1`.
    pub fn words(&self) -> String {
        let one = |setup: &Setup| format!("{} {} {}", setup.kind.title, setup.kind.symbol, setup.shown());
        self.iter().map(one).collect::<Vec<_>>().join(", ")
    }

    /// What its defences are called, `dropout and own`; nothing where there is none.
    pub fn titles(&self) -> String {
        self.iter().map(|setup| setup.kind.title).collect::<Vec<_>>().join(" and ")
    }

    /// Whether its answer is a decision fused of several streams.
    pub fn fuses(&self) -> bool {
        self.iter().any(|setup| (setup.kind.fuses)(&setup.values))
    }

    /// How images enter the client's first layer.
    pub fn entry(&self) -> &'static Entry {
        self.iter().find_map(|setup| setup.kind.entry).unwrap_or(&AS_THEY_ARE)
    }

    /// The layers that answer, given the server's own and the shape of what they see; else what a defence wants, in words.
    ///
    /// # Errors
    /// Returns what a defence of it wants where these layers do not do.
    pub fn server(&self, own: &[LayerSpec], smashed: &[usize]) -> Result<Vec<LayerSpec>, String> {
        self.iter().try_fold(own.to_vec(), |layers, one| (one.kind.server)(&one.values, &layers, smashed))
    }

    /// What is to be told of its settings before a run.
    pub fn warnings(&self) -> impl Iterator<Item = String> {
        self.iter().filter_map(|setup| (setup.kind.warning)(&setup.values))
    }

    /// What a sample of so many numbers takes on the wire: each packs what the one before it left.
    ///
    /// # Errors
    /// Returns an error if a value is missing.
    pub fn bytes(&self, numbers: usize) -> Result<Bytes> {
        self.iter().try_fold(Bytes::whole(numbers), |before, one| (one.kind.bytes)(&one.values, numbers, before))
    }

    /// What crosses in training for an image before it is sent, besides the image itself.
    ///
    /// # Errors
    /// Returns an error if a value is missing.
    pub fn asks(&self) -> Result<Vec<Crossing>> {
        let all = self.iter().map(|setup| (setup.kind.asks)(&setup.values)).collect::<Result<Vec<_>>>()?;
        Ok(all.concat())
    }

    /// Puts each of them to work on the model of this name.
    ///
    /// # Errors
    /// Returns an error if a value is missing.
    pub fn make(&self, seed: Seed, model: &str) -> Result<Vec<Box<dyn Defence>>> {
        let make = |(i, setup): (usize, &Setup)| (setup.kind.make)(&setup.values, Draws::new(seed, model, i));
        self.iter().enumerate().map(make).collect()
    }

    /// What an attacker makes of knowing all of it; none where there is nothing to know.
    ///
    /// # Errors
    /// Returns an error if a value is missing.
    pub fn imitation(&self) -> Result<Option<Arc<dyn Imitation>>> {
        let all = self.iter().map(|setup| (setup.kind.imitation)(&setup.values)).collect::<Result<Vec<_>>>()?;
        Ok(match all.as_slice() {
            [] => None,
            [one] => Some(one.clone()),
            _ => Some(Arc::new(Together(all))),
        })
    }
}

/// Imitations of several defences.
#[derive(Debug)]
struct Together(Vec<Arc<dyn Imitation>>);

impl Together {
    /// The one that has an unknown, and what that is.
    fn searched(&self, images: &[usize; 4]) -> Option<(&Arc<dyn Imitation>, Unknown)> {
        self.0.iter().find_map(|one| Some((one, one.unknown(images)?)))
    }
}

impl Imitation for Together {
    fn unknown(&self, images: &[usize; 4]) -> Option<Unknown> {
        self.searched(images).map(|found| found.1)
    }

    fn enter(&self, entry: &Entry, images: &Tensor, unknown: Option<&Tensor>) -> Result<Tensor> {
        let (n, c, h, w) = images.dims4()?;
        match self.searched(&[n, c, h, w]) {
            Some((one, _)) => one.enter(entry, images, unknown),
            None => (entry.enter)(images, None),
        }
    }

    fn plain_way_down(&self) -> bool {
        self.0.iter().all(|one| one.plain_way_down())
    }

    fn up(&self, z: Tensor) -> Result<Tensor> {
        self.0.iter().try_fold(z, |z, one| one.up(z))
    }

    fn down(&self, z: &Tensor, gradient: Tensor) -> Result<Tensor> {
        // Each on what the ones before it made of z.
        let mut met = Vec::with_capacity(self.0.len());
        let mut z = z.detach();
        for one in &self.0 {
            met.push(z.clone());
            z = one.up(z)?.detach();
        }
        self.0.iter().zip(met).rev().try_fold(gradient, |gradient, (one, z)| one.down(&z, gradient))
    }

    fn undisguised(&self) -> Option<Arc<dyn Imitation>> {
        let all: Vec<_> = self.0.iter().map(|one| one.undisguised().unwrap_or_else(|| one.clone())).collect();
        let any = self.0.iter().any(|one| one.undisguised().is_some());
        any.then(|| Arc::new(Self(all)) as Arc<dyn Imitation>)
    }

    fn study(&self, own: &Own<'_>) -> Result<Box<dyn Study>> {
        let all = self.0.iter().map(|one| one.study(own)).collect::<Result<Vec<_>>>()?;
        Ok(Box::new(OneByOne { all, learnt: Vec::new() }))
    }
}

/// Studies of several defences, one after the other.
struct OneByOne {
    all: Vec<Box<dyn Study>>,
    learnt: Vec<Arc<dyn Imitator>>,
}

impl Study for OneByOne {
    fn planned(&self) -> usize {
        self.all.iter().map(|study| study.planned()).sum()
    }

    fn advance(&mut self, own: &Own<'_>) -> Result<Option<Arc<dyn Imitator>>> {
        if let Some(study) = self.all.get_mut(self.learnt.len()) {
            self.learnt.extend(study.advance(own)?);
        }
        let all: Arc<dyn Imitator> = Arc::new(InTurn(self.learnt.clone()));
        Ok((self.learnt.len() == self.all.len()).then_some(all))
    }

    fn state(&self) -> Result<State> {
        let mut state = InTurn(self.learnt.clone()).state()?;
        state.put_wholes("learnt", &[self.learnt.len()])?;
        if let Some(study) = self.all.get(self.learnt.len()) {
            state.put_all("study.", study.state()?.tensors().clone());
        }
        Ok(state)
    }

    fn load(&mut self, state: &State) -> Result<()> {
        let [learnt] = state.few("learnt", State::wholes)?;
        let all = std::mem::take(&mut self.all);
        for (i, mut study) in all.into_iter().enumerate() {
            if i < learnt {
                self.learnt.push(study.learnt(&state.part(&format!("{i}.")))?);
                // What is learnt needs its place among those that are not.
                study = Box::new(Known(self.learnt[i].clone()));
            } else if i == learnt {
                study.load(&state.part("study."))?;
            }
            self.all.push(study);
        }
        Ok(())
    }

    fn learnt(self: Box<Self>, state: &State) -> Result<Arc<dyn Imitator>> {
        let learnt = |(i, study): (usize, Box<dyn Study>)| study.learnt(&state.part(&format!("{i}.")));
        Ok(Arc::new(InTurn(self.all.into_iter().enumerate().map(learnt).collect::<Result<_>>()?)))
    }
}

/// Imitators of several defences, in their order.
struct InTurn(Vec<Arc<dyn Imitator>>);

impl Imitator for InTurn {
    fn image(&self, images: Outgoing, at: At<'_>) -> Result<Outgoing> {
        self.0.iter().try_fold(images, |images, one| one.image(images, at))
    }

    fn layers(&self, layers: Network, at: At<'_>) -> Result<Network> {
        self.0.iter().try_fold(layers, |layers, one| one.layers(layers, at))
    }

    fn up(&self, z: Tensor, at: At<'_>) -> Result<Tensor> {
        self.0.iter().try_fold(z, |z, one| one.up(z, at))
    }

    fn state(&self) -> Result<State> {
        let mut state = State::default();
        for (i, one) in self.0.iter().enumerate() {
            state.put_all(&format!("{i}."), one.state()?.tensors().clone());
        }
        Ok(state)
    }

    fn undoing(&self, own: &Own<'_>) -> Result<Option<Box<dyn Undoing>>> {
        for one in &self.0 {
            if let Some(way) = one.undoing(own)? {
                return Ok(Some(way));
            }
        }
        Ok(None)
    }
}

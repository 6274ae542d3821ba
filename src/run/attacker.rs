//! An attacker at work: made with what its kind declares to see and to know, and nothing else; at once from what was
//! captured, or once its own training is over.

use std::collections::BTreeMap;
use std::sync::Arc;

use candle_core::{Device, Tensor};

use super::attack_gradients::{self, Batches};
use super::attack_order::{AttackId, Capture, Order};
use super::prepared::Prepared;
use super::replay::Replay;
use crate::attack::insider::{Insider, Look};
use crate::attack::threat_model::{Knows, Sees};
use crate::attack::{Auxiliary, Doubt, Evidence, Inversion, Knowledge, Outcome};
use crate::error::{Error, Result};
use crate::model::network::Network;
use crate::model::parameters::{Init, Parameters};
use crate::model::wire::Smashed;
use crate::random::Seed;
use crate::split::SplitPlan;
use crate::split::gradients::ATTACKED;
use crate::state::State;

/// Where the state of the replayed training stands, and that of the attack after it.
const REPLAY: &str = "replay.";
const AFTER: &str = "after.";

/// An attacker at work. One that has a training of its own works in that first.
pub(super) struct Attacker {
    replay: Option<Replay>,
    inversion: Option<Box<dyn Inversion>>,
    /// What it works on.
    capture: Arc<Capture>,
    /// The state of the attack after a training, until that attack is made again.
    begun: Option<State>,
    /// Slices of its training, done and planned.
    trained: (usize, usize),
    /// Of one that took the server's chair, what came of the model, in percent of right answers.
    copy_accuracy: Option<f64>,
}

impl Attacker {
    /// Makes it, with all of its work still to be done.
    ///
    /// # Errors
    /// Returns an error if it lacks what it needs.
    pub fn new(order: &Order, plan: &SplitPlan, setup: &Prepared) -> Result<Self> {
        let (id, capture) = (&order.id, order.capture.on(&setup.device)?);
        let spec = &id.spec;
        let (mut replay, mut inversion) = (None, None);
        if spec.kind.make.trains() {
            let attack = spec.kind.make.in_training(&knowledge(id, None, plan, setup)?, &spec.values)?;
            replay = Some(Replay::new(id, Insider::new(attack, spec.kind, look(id, plan, setup)), plan, setup)?);
        } else {
            let (seen, known) = (evidence(id, &capture, plan, setup)?, knowledge(id, Some(&capture), plan, setup)?);
            inversion = Some(spec.kind.make.from_evidence(&seen, &known, &spec.values)?);
        }
        let trained = replay.as_ref().map_or((0, 0), |replay| replay.progress(setup));
        Ok(Self { replay, inversion, capture, begun: None, trained, copy_accuracy: None })
    }

    /// Everything that it needs to go on; none where it had better begin again.
    ///
    /// # Errors
    /// Returns an error if a tensor cannot be made.
    pub fn state(&self) -> Result<Option<State>> {
        let of_inversion = self.inversion.as_ref().map(|inversion| inversion.state()).transpose()?.flatten();
        let Some(replay) = &self.replay else { return Ok(of_inversion) };
        let mut state = State::default();
        state.put_all(REPLAY, replay.state()?.tensors().clone());
        if let Some(after) = of_inversion.as_ref().or(self.begun.as_ref()) {
            state.put_all(AFTER, after.tensors().clone());
        }
        Ok(Some(state))
    }

    /// Goes on from what [`Self::state`] gave.
    ///
    /// # Errors
    /// Returns an error if the state is of another attack; this one is then good for nothing.
    pub fn load(&mut self, state: &State, setup: &Prepared) -> Result<()> {
        let state = &state.on(&setup.device)?;
        match (&mut self.replay, &mut self.inversion) {
            (Some(replay), _) => {
                replay.load(&state.part(REPLAY))?;
                self.trained = replay.progress(setup);
                self.begun = Some(state.part(AFTER)).filter(|after| !after.tensors().is_empty());
                Ok(())
            }
            (None, Some(inversion)) => inversion.load(state),
            (None, None) => Ok(()),
        }
    }

    /// One slice of work.
    ///
    /// # Errors
    /// Returns an error if the attack diverges, or lacks what it needs.
    pub fn advance(&mut self, id: &AttackId, setup: &Prepared) -> Result<()> {
        if let Some(inversion) = &mut self.inversion {
            return inversion.advance();
        }
        let Some(replay) = &mut self.replay else { return Ok(()) };
        let captured = replay.advance(setup)?;
        self.trained = replay.progress(setup);
        let Some(capture) = captured else { return Ok(()) };
        if id.spec.kind.make.hijacks() {
            self.copy_accuracy = Some(replay.accuracy(setup)?);
        }
        let known = knowledge(id, Some(&capture), replay.plan(), setup)?;
        let seen = evidence(id, &capture, replay.plan(), setup)?;
        let mut inversion = replay.attack(&seen, &known)?;
        if let Some(begun) = self.begun.take()
            && let Err(error) = inversion.load(&begun)
        {
            tracing::warn!("{} begins again after its training: {error}", id.words());
            inversion = replay.attack(&seen, &known)?;
        }
        (self.capture, self.inversion) = (capture, Some(inversion));
        Ok(())
    }

    /// See [`AttackRecord::copy_accuracy`](super::summary::AttackRecord::copy_accuracy).
    pub fn copy_accuracy(&self) -> Option<f64> {
        self.copy_accuracy
    }

    /// What it works on: of the run's model until it has one of its own training.
    pub fn capture(&self) -> &Capture {
        &self.capture
    }

    /// Steps done and planned; while it is in its training, as far as they can be told.
    pub fn progress(&self) -> (usize, usize) {
        let (done, planned) = self.inversion.as_ref().map_or((0, 1), |inversion| inversion.progress());
        (self.trained.0 + done, self.trained.1 + planned)
    }

    /// Whether all of them are done.
    pub fn done(&self) -> bool {
        self.inversion.as_ref().is_some_and(|inversion| inversion.done())
    }

    /// The attacker's own loss.
    pub fn loss(&self) -> f64 {
        let training = || self.replay.as_ref().map_or(f64::NAN, Replay::loss);
        self.inversion.as_ref().map_or_else(training, |inversion| inversion.loss())
    }

    /// What it hands over now: nothing before its training is over.
    ///
    /// # Errors
    /// Where there is no memory left.
    pub fn outcome(&self) -> Result<Outcome> {
        self.inversion.as_ref().map_or_else(|| Ok(Outcome::default()), |inversion| inversion.outcome())
    }

    /// The first target's reconstruction now (C, H, W), if there is one.
    ///
    /// # Errors
    /// Where there is no memory left.
    pub fn first(&self) -> Result<Option<Tensor>> {
        self.inversion.as_ref().map_or(Ok(None), |inversion| inversion.first())
    }

    /// See [`Inversion::doubt`].
    ///
    /// # Errors
    /// Returns an error if the attacker cannot check itself.
    pub fn doubt(&self) -> Result<Option<Doubt>> {
        self.inversion.as_ref().map_or(Ok(None), |inversion| inversion.doubt())
    }

    /// See [`Inversion::reconstruct`].
    ///
    /// # Errors
    /// Returns an error if z does not fit.
    pub fn reconstruct(&self, other: &Smashed) -> Result<Option<Tensor>> {
        self.inversion.as_ref().map_or(Ok(None), |inversion| inversion.reconstruct(other))
    }
}

/// What it saw of its targets, as far as its kind declares it.
fn evidence(id: &AttackId, capture: &Capture, plan: &SplitPlan, setup: &Prepared) -> Result<Evidence> {
    let smashed = capture.first(id.spec.images)?;
    let mut evidence = Evidence::new(Smashed::new(&smashed))?;
    if id.spec.kind.sees.contains(&Sees::Labels) {
        evidence = evidence.with_labels(setup.targets.take(smashed.dim(0)?).label_tensor(smashed.device())?);
    }
    if let Some(batches) = Batches::seen(&id.spec, capture.smashed.dim(0)?) {
        let lacking = || Error::input(format!("the gradients that {} works on were not kept", id.words()));
        let taken = capture.gradients.get(&batches).ok_or_else(lacking)?;
        evidence = attack_gradients::evidence(evidence, batches, taken, plan.class_weights.as_ref());
    }
    Ok(evidence.masked(id.spec.kind.sees))
}

/// What its randomness is drawn by.
fn seed_of(id: &AttackId, setup: &Prepared) -> Seed {
    if id.spec.seed == 0 { setup.seed() } else { Seed(id.spec.seed as u64) }
}

/// What it knows, as far as its kind declares it; of weights nothing before its own training.
fn knowledge(id: &AttackId, weights: Option<&Capture>, plan: &SplitPlan, setup: &Prepared) -> Result<Knowledge> {
    let device = weights.map_or(&setup.device, |capture| capture.smashed.device()).clone();
    let server = weights.filter(|_| knows_server(id)).map(|capture| server_of(&capture.server, plan, &device));
    let client = weights.map(|capture| client_of(&capture.client, plan, setup.seed(), &device));
    let knowledge = Knowledge {
        image: plan.image,
        classes: plan.classes,
        layers: plan.layers[..plan.cut].to_vec(),
        client: client.transpose()?,
        oracle: None,
        server: server.transpose()?,
        entry: plan.entry(),
        auxiliary: Some(Auxiliary::new(setup.auxiliary.clone(), &device)),
        samples: Some(Auxiliary::new(setup.victim.clone(), &device)),
        defence: if id.adaptive { plan.defences.imitation()? } else { None },
        seed: seed_of(id, setup),
        name: id.file_stem(),
    };
    Ok(knowledge.masked(id.spec.kind.knowledge(id.adaptive)))
}

fn knows_server(id: &AttackId) -> bool {
    id.spec.kind.knowledge(id.adaptive).contains(&Knows::ServerWeights)
}

/// How it sees the server's weights in training, if it knows them.
fn look(id: &AttackId, plan: &SplitPlan, setup: &Prepared) -> Option<Look> {
    let (plan, device) = (plan.clone(), setup.device.clone());
    let look = move |weights: &Parameters| server_of(&weights.snapshot()?, &plan, &device);
    knows_server(id).then(|| Box::new(look) as Look)
}

/// The client's layers with these weights.
fn client_of(weights: &BTreeMap<String, Tensor>, plan: &SplitPlan, seed: Seed, device: &Device) -> Result<Network> {
    let mut parameters = Parameters::default();
    let layers = &plan.layers[..plan.cut];
    Network::init("client", &plan.input(), layers, &mut parameters, Init { seed, model: &plan.name, device })?;
    parameters.load(weights)?;
    Ok(Network::of("client", layers, &parameters)?.frozen())
}

/// The server's layers behind the cut with these weights: of several streams those of the one that sees the smashed data
/// as they are.
///
/// # Errors
/// Returns an error if a weight is missing.
pub(crate) fn server_of(weights: &BTreeMap<String, Tensor>, plan: &SplitPlan, device: &Device) -> Result<Network> {
    let streams = weights.keys().any(|name| name.starts_with(ATTACKED));
    let name = if streams { ATTACKED } else { "server" };
    let (mut parameters, layers) = (Parameters::default(), &plan.layers[plan.cut..]);
    let init = Init { seed: Seed(0), model: &plan.name, device };
    Network::init(name, &plan.smashed()?, layers, &mut parameters, init)?;
    parameters.load(weights)?;
    Ok(Network::of(name, layers, &parameters)?.frozen())
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;
    use crate::attack::kind::{Kind, Make};
    use crate::experiment::{AttackSpec, Experiment};
    use crate::run::attack_order::Capturing;
    use crate::split::SplitModel;

    thread_local! {
        /// What the kinds below were made from.
        static HANDED: RefCell<Option<(Evidence, Knowledge)>> = const { RefCell::new(None) };
    }

    const SPY: Kind = Kind {
        id: "spy",
        make: Make::FromEvidence(|evidence, knowledge, _| {
            HANDED.with_borrow_mut(|handed| *handed = Some((evidence.clone(), knowledge.clone())));
            Err(Error::Internal("it has seen enough".to_owned()))
        }),
        ..Kind::BASE
    };
    static MOST: Kind = Kind {
        sees: &[Sees::Smashed, Sees::Labels, Sees::ClientGradient, Sees::ServerGradient],
        knows: &[Knows::ServerWeights, Knows::Auxiliary, Knows::AuxiliaryLabels],
        ..SPY
    };
    static LEAST: Kind = Kind { sees: &[], knows_adaptive: &[], ..SPY };

    /// What a run hands to this kind at 3 test images.
    fn handed(kind: &'static Kind, defended: bool) -> (Evidence, Knowledge, Prepared, SplitModel) {
        let setup = Prepared::new(Experiment::preset("quick").unwrap()).unwrap();
        let plan = setup.plans.iter().find(|plan| plan.defended() == defended).unwrap().clone();
        let model = SplitModel::new(plan, setup.seed(), &setup.device).unwrap();
        let spec = AttackSpec { images: 3, ..AttackSpec::of(kind) };
        let targets = setup.attacked().unwrap();
        let order = Capturing::new(vec![spec.clone()], 1, &targets).unwrap().all(&model).unwrap().swap_remove(0);
        assert!(Attacker::new(&order, &model.plan, &setup).is_err());
        let (evidence, knowledge) = HANDED.with_borrow_mut(Option::take).unwrap();
        (evidence, knowledge, setup, model)
    }

    #[test]
    fn a_run_supplies_what_a_kind_declares_and_nothing_else() {
        for defended in [false, true] {
            let (evidence, knowledge, setup, model) = handed(&MOST, defended);
            assert_eq!(evidence.labels().unwrap().to_vec1::<u32>().unwrap(), setup.targets.labels()[..3]);
            let own = knowledge.auxiliary().unwrap();
            assert_eq!(own.labels().unwrap(), setup.auxiliary.labels());
            // The server's layers are those behind the cut: of the model itself, or of its attacked stream.
            let z = evidence.smashed().unwrap();
            let logits = |t: &Tensor| t.flatten_all().unwrap().to_vec1::<f32>().unwrap();
            let got = logits(&knowledge.server().unwrap().forward(z.tensor()).unwrap());
            // The attacked stream is the first of several.
            let answer = model.answer_to(z).unwrap().streams.swap_remove(0).1;
            assert_eq!(got, logits(&answer), "defended {defended}");
            assert!(knowledge.client.is_none() && knowledge.defence.is_none() && knowledge.check_oracle().is_err());

            // One gradient a target, of the classes that it has: the last layer's bias has p − y.
            let [client, server] = [evidence.client_gradients().unwrap(), evidence.server_gradients().unwrap()];
            assert_eq!([client.batch, client.each.len(), server.each.len()], [1, 3, 3]);
            let shapes = |of: &[Tensor]| of.iter().map(|t| t.dims().to_vec()).collect::<Vec<_>>();
            assert_eq!(shapes(&client.each[0]), shapes(&model.client.evaluated().weights()));
            assert_eq!(shapes(&server.each[2]), shapes(&knowledge.server().unwrap().weights()));
            for (label, all) in setup.targets.labels()[..3].iter().zip(&server.each) {
                let bias: Vec<f32> = all.last().unwrap().to_vec1().unwrap();
                assert!(bias.iter().enumerate().all(|(k, v)| (*v < 0.0) == (k == *label as usize)), "{bias:?}");
            }
            let (evidence, knowledge, ..) = handed(&LEAST, defended);
            assert!(evidence.client_gradients().is_err() && evidence.server_gradients().is_err());
            assert!(evidence.smashed().is_err() && evidence.labels().is_err() && evidence.samples() == 3);
            assert!(knowledge.client.is_none() && knowledge.server.is_none() && knowledge.auxiliary.is_none());
        }
    }
}

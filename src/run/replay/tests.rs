//! A replay is the run's training to the bit, and hands an attack what its kind declares alone.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use candle_core::Tensor;

use super::*;
use crate::attack::kind::{Kind, Make};
use crate::attack::threat_model::{Knows, Sees};
use crate::attack::{Heard, TrainingAttack};
use crate::error::Error;
use crate::experiment::fixture::{MAP_FROM_SERVER, OFF};
use crate::experiment::{AttackSpec, Experiment};
use crate::model::wire::Crossing;
use crate::run::attack_gradients::Targets;
use crate::run::attack_order::Capturing;
use crate::run::attacker::Attacker;
use crate::run::event::stream;
use crate::run::session::Session;

thread_local! {
    /// What the attacks below heard, and what they were asked in the chair.
    static HEARD: RefCell<[Vec<Heard>; 2]> = const { RefCell::new([Vec::new(), Vec::new()]) };
    /// What they send down, given the honest gradient.
    static SENT: RefCell<fn(&Tensor) -> Option<Tensor>> = const { RefCell::new(|_| None) };
}

/// Keeps all that it is handed.
struct Witness {
    steps: usize,
}

impl TrainingAttack for Witness {
    fn hear(&mut self, step: &Heard) -> Result<()> {
        self.steps += 1;
        HEARD.with_borrow_mut(|heard| heard[0].push(step.clone()));
        Ok(())
    }

    fn answer(&mut self, step: &Heard) -> Result<Option<Tensor>> {
        HEARD.with_borrow_mut(|heard| heard[1].push(step.clone()));
        Ok(SENT.with_borrow(|sent| sent(step.crossed(Crossing::CutGradient).unwrap())))
    }

    fn state(&self) -> Result<State> {
        let mut state = State::default();
        state.put_wholes("steps", &[self.steps])?;
        Ok(state)
    }

    fn load(&mut self, state: &State) -> Result<()> {
        [self.steps] = state.few("steps", State::wholes)?;
        Ok(())
    }

    fn attack(&self, _seen: &Evidence, known: &Knowledge) -> Result<Box<dyn Inversion>> {
        let weights = [known.client.is_some(), known.oracle.is_some(), known.server.is_some()];
        Err(Error::Internal(format!("after {} steps it knows {weights:?}", self.steps)))
    }
}

const WITNESS: Kind = Kind {
    id: "witness",
    make: Make::Listening(|known, _| {
        assert!(known.client.is_none() && known.oracle.is_none() && known.server.is_none(), "nothing is trained yet");
        Ok(Box::new(Witness { steps: 0 }))
    }),
    ..Kind::BASE
};
static LEAST: Kind = Kind { sees: &[], knows: &[], ..WITNESS };
static MOST: Kind = Kind {
    sees: &[
        Sees::Training(Crossing::Smashed),
        Sees::Training(Crossing::Probe),
        Sees::Training(Crossing::Predicted),
        Sees::Training(Crossing::AllClasses),
        Sees::Training(Crossing::CutGradient),
        Sees::TrainingLabels,
    ],
    knows: &[Knows::ServerWeights],
    ..WITNESS
};
static CHAIR: Kind = Kind {
    sees: &[Sees::Training(Crossing::CutGradient)],
    make: Make::InTheChair(|_, _| Ok(Box::new(Witness { steps: 0 }))),
    ..WITNESS
};

fn setup(epochs: usize, more: &str) -> Prepared {
    let mut experiment = Experiment::preset("quick").unwrap();
    for setting in ["attack=[]", "data.train=70", &format!("train.epochs={epochs}"), more] {
        experiment.set(setting).unwrap();
    }
    Prepared::new(experiment).unwrap()
}

fn replay(kind: &'static Kind, epochs: usize, plan: &SplitPlan, setup: &Prepared) -> Replay {
    let id = AttackId { spec: AttackSpec::of(kind), adaptive: false, target: plan.name.clone(), epoch: epochs };
    let attack = kind.make.in_training(&known(plan, setup), &id.spec.values).unwrap();
    let (its, device) = (plan.clone(), setup.device.clone());
    let look: crate::attack::insider::Look =
        Box::new(move |weights| crate::run::attacker::server_of(&weights.snapshot()?, &its, &device));
    let looks = kind.knows.contains(&Knows::ServerWeights);
    Replay::new(&id, Insider::new(attack, kind, looks.then_some(look)), plan, setup).unwrap()
}

/// What is known before a training, of an attack that knows nothing.
fn known(plan: &SplitPlan, setup: &Prepared) -> Knowledge {
    let (client, oracle, server, auxiliary, samples, defence) = (None, None, None, None, None, None);
    let (image, classes, entry, name) = (plan.image, plan.classes, plan.entry(), "test".to_owned());
    let layers = plan.layers[..plan.cut].to_vec();
    Knowledge {
        image,
        classes,
        layers,
        client,
        oracle,
        server,
        entry,
        auxiliary,
        samples,
        defence,
        seed: setup.seed(),
        name,
    }
}

/// Weights and moments, by name, to the bit.
fn bits(model: &SplitModel) -> BTreeMap<String, Vec<u32>> {
    let values =
        |t: &Tensor| t.flatten_all().unwrap().to_vec1::<f32>().unwrap().into_iter().map(f32::to_bits).collect();
    let mut all = BTreeMap::new();
    for parameters in [model.client.parameters(), model.server.parameters()] {
        all.extend(parameters.iter().map(|(name, var)| (name.clone(), values(var))));
    }
    for state in [model.client.optimiser_state().unwrap(), model.server.optimiser_state().unwrap()] {
        let floats = state.into_iter().filter(|(_, t)| t.dtype() == candle_core::DType::F32);
        all.extend(floats.map(|(name, t)| (format!("moments of {name}"), values(&t))));
    }
    all
}

fn train(replay: &mut Replay, setup: &Prepared) -> Result<()> {
    while replay.course.epoch < replay.id.epoch {
        replay.advance(setup)?;
    }
    Ok(())
}

#[test]
fn with_a_listener_it_is_the_runs_training_to_the_bit_however_often_it_is_stopped() {
    let (sink, _events, _slots) = stream();
    let mut run = Session::new(setup(2, "seed=3"), None, sink).unwrap();
    while run.turn().is_some() {
        run.advance().unwrap();
    }
    let setup = setup(2, "seed=3");
    assert_eq!(setup.plans.len(), 2);
    for (plan, honest) in setup.plans.iter().zip(&run.models) {
        let mut going = replay(&LEAST, 2, plan, &setup);
        let mut slices = 0;
        while going.course.epoch < 2 {
            going.advance(&setup).unwrap();
            slices += 1;
            if slices % 3 == 0 {
                let state = going.state().unwrap();
                going = replay(&LEAST, 2, plan, &setup);
                going.load(&state).unwrap();
            }
        }
        assert_eq!(going.progress(&setup), (6, 6), "three batches, the last of six images");
        assert!(bits(&going.model) == bits(honest), "{}", plan.name);
        assert_eq!(going.model.server.votes(), honest.server.votes());
        assert_eq!(going.insider.state().unwrap().wholes("steps").unwrap(), [6], "each step is heard once");
    }
}

#[test]
fn an_attack_hears_what_its_kind_declares_and_nothing_else() {
    let setup = setup(1, MAP_FROM_SERVER);
    let heard = |kind, plan: &SplitPlan| {
        let mut going = replay(kind, 1, plan, &setup);
        train(&mut going, &setup).unwrap();
        (HEARD.take(), going)
    };
    for plan in &setup.plans {
        let ([steps, asked], going) = heard(&MOST, plan);
        assert_eq!((steps.len(), asked.len()), (3, 0), "who listens is not asked");
        let crossed: BTreeSet<&str> = steps[0].messages().iter().map(|message| message.crossing.name()).collect();
        let all = Crossing::ALL.map(Crossing::name);
        let wanted = if plan.defended() { all.to_vec() } else { vec!["smashed", "cut_gradient"] };
        assert_eq!(crossed, wanted.into_iter().collect());
        let order = setup.seed().stream("order", 0).permutation(70);
        let labels: Vec<u32> = order[..32].iter().map(|i| setup.victim.labels()[*i]).collect();
        assert_eq!(steps[0].labels().unwrap().to_vec1::<u32>().unwrap(), labels);
        assert_eq!((steps[2].epoch, steps[2].step), (0, 2));
        // The server's weights are those after the step, and a copy: the first step's are others.
        let z = steps[2].crossed(Crossing::Smashed).unwrap();
        let logits = |t: &Tensor| t.flatten_all().unwrap().to_vec1::<f32>().unwrap();
        let by = |step: usize| logits(&steps[step].server().unwrap().forward(z).unwrap());
        let now = going.model.answer_to(&crate::model::wire::Smashed::new(z)).unwrap().streams.swap_remove(0).1;
        assert_eq!(by(2), logits(&now));
        assert_ne!(by(0), by(2));

        let ([steps, _], _) = heard(&LEAST, plan);
        let step = &steps[0];
        assert!(step.messages().is_empty() && step.labels().is_err() && step.server().is_err());
        let error = step.crossed(Crossing::Smashed).unwrap_err().to_string();
        assert!(error.contains("Sees::Training(Smashed)"), "{error}");

        // In the chair too: of what it is asked about it gets what it declares.
        let ([steps, asked], _) = heard(&CHAIR, plan);
        assert_eq!((steps.len(), asked.len()), (3, 3));
        for step in steps.iter().chain(&asked) {
            let crossed: Vec<Crossing> = step.messages().iter().map(|message| message.crossing).collect();
            assert_eq!(crossed, [Crossing::CutGradient]);
            assert!(step.labels().is_err() && step.server().is_err());
        }
    }
}

#[test]
fn who_sits_in_the_chair_teaches_the_copys_client_and_the_honest_server_learns_below() {
    let setup = setup(1, OFF);
    let plan = &setup.plans[0];
    let weights = |going: &Replay| {
        let of = |parameters: &crate::model::parameters::Parameters| {
            let first = parameters.iter().next().unwrap().1.flatten_all().unwrap();
            first.to_vec1::<f32>().unwrap()
        };
        [of(going.model.client.parameters()), of(going.model.server.parameters())]
    };
    let trained = |sent: fn(&Tensor) -> Option<Tensor>| {
        SENT.set(sent);
        let mut going = replay(&CHAIR, 1, plan, &setup);
        let before = weights(&going);
        (train(&mut going, &setup), before, weights(&going))
    };
    let honest = trained(|_| None);
    let still = trained(|g| Some(g.zeros_like().unwrap()));
    assert_eq!(still.1[0], still.2[0], "a client that is told nothing learns nothing");
    assert!(honest.1[0] != honest.2[0] && still.1[1] != still.2[1]);
    // Uphill in place of downhill.
    let other = trained(|g| Some(g.neg().unwrap()));
    assert!(other.0.is_ok() && other.2[0] != honest.2[0]);
    let error = trained(|g| Some(g.flatten_all().unwrap())).0.unwrap_err();
    assert!(error.to_string().starts_with("the attack witness sends down ["), "{error}");
    let error = trained(|g| Some((g / 0.0).unwrap())).0.unwrap_err();
    assert!(matches!(error, Error::Diverged(_)), "{error}");
    SENT.set(|_| None);
}

#[test]
fn after_its_training_it_knows_the_weights_that_it_declares() {
    let setup = setup(1, OFF);
    let model = SplitModel::new(setup.plans[0].clone(), setup.seed(), &setup.device).unwrap();
    for (kind, weights) in [(&MOST, "[false, false, true]"), (&LEAST, "[false, false, false]")] {
        let spec = AttackSpec { images: 3, ..AttackSpec::of(kind) };
        let images = setup.test.take(3).tensor(&setup.device).unwrap();
        let targets = Targets { images, labels: setup.test.take(3).labels().to_vec(), places: vec![0, 1, 2] };
        let order = Capturing::new(vec![spec.clone()], 1, &targets).unwrap().all(&model).unwrap().swap_remove(0);
        let mut setup = Prepared::new(setup.experiment.clone()).unwrap();
        (setup.targets, setup.places) = (setup.test.take(3), vec![0, 1, 2]);
        let mut attacker = Attacker::new(&order, &model.plan, &setup).unwrap();
        assert_eq!((attacker.progress(), attacker.done()), ((0, 4), false));
        let error = loop {
            if let Err(error) = attacker.advance(&order.id, &setup) {
                break error.to_string();
            }
        };
        assert!(error.ends_with(&format!("after 3 steps it knows {weights}")), "{error}");
    }
}

//! Attacks in a run: what they are given, how they are scored.
//!
//! This is the one place that holds both an attack and the truth; the attack is handed neither.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use candle_core::{Device, Tensor};

use super::attack_order::{Begun, Order, PICTURED};
use super::prepared::Prepared;
use super::scene::{AttackProgress, Gallery, Lineup, Picture, Scene, Stamp};
use super::summary::AttackRecord;
use crate::attack::threat_model::{Knows, Sees};
use crate::attack::{Auxiliary, Evidence, Inversion, Knowledge};
use crate::data::Part;
use crate::error::Result;
use crate::model::network::Network;
use crate::model::parameters::{Init, Parameters};
use crate::model::wire::Smashed;
use crate::random::Seed;
use crate::score::judging::Bench;
use crate::split::{SplitPlan, UNDEFENDED};

/// What attacks are scored on, made once for each number of targets.
#[derive(Default)]
pub struct Benches {
    all: Vec<Arc<Bench>>,
    making: Option<Bench>,
}

impl Benches {
    /// The bench of `n` targets, once it is made; a slice of making it otherwise.
    ///
    /// # Errors
    /// Returns an error if an image cannot be read.
    pub fn of(&mut self, n: usize, targets: &Part, auxiliary: &Part, seed: Seed) -> Result<Option<Arc<Bench>>> {
        let n = n.min(targets.len());
        if let Some(made) = self.all.iter().find(|bench| bench.len() == n) {
            return Ok(Some(made.clone()));
        }
        let kept = self.making.take().filter(|bench| bench.len() == n);
        let mut bench = kept.map_or_else(|| Bench::new(targets, n, auxiliary, seed), Ok)?;
        if bench.advance(auxiliary)? {
            self.all.push(Arc::new(bench));
            return Ok(self.all.last().cloned());
        }
        self.making = Some(bench);
        Ok(None)
    }
}

/// A running attack and what is needed to score it.
pub struct Job {
    /// What was ordered.
    pub order: Order,
    inversion: Box<dyn Inversion>,
    truth: Part,
    /// Which of the run's test images they are.
    places: Vec<usize>,
    bench: Arc<Bench>,
    lineup: Lineup,
    cut: usize,
    seconds: f64,
}

/// A finished attack.
pub struct Finished {
    /// Its scores.
    pub record: AttackRecord,
    /// Reconstructions of the first few targets.
    pub reconstructions: Vec<Picture>,
    /// Of all targets, C·H·W values each.
    pub images: Vec<Vec<f32>>,
}

impl Job {
    /// Starts an ordered attack, or goes on with one that had begun, and gives back what its model had deciphered for the
    /// table, where it was at that.
    ///
    /// # Errors
    /// Returns an error if the attack lacks what it needs.
    pub fn start(
        mut order: Order,
        plan: &SplitPlan,
        setup: &Prepared,
        bench: Arc<Bench>,
    ) -> Result<(Self, Option<Vec<u32>>)> {
        let start = Instant::now();
        let mut inversion = made(&order, plan, setup)?;
        let (mut before, mut deciphered) = (0.0, None);
        if let Some(begun) = order.begun.take() {
            match inversion.load(&begun.state) {
                Ok(()) => (before, deciphered) = (begun.seconds, begun.deciphered),
                // It ends the same: an attack of another build, or of one's own that was changed meanwhile.
                Err(error) => {
                    tracing::warn!("{} begins again: {error}", order.id.words());
                    inversion = made(&order, plan, setup)?;
                }
            }
        }
        let truth = setup.targets.take(order.images());
        let label = truth.labels().first().copied();
        let lineup = Lineup::of(&Picture::of_image(&truth, 0)?, label, &setup.auxiliary, setup.seed())?;
        let places = setup.places[..truth.len()].to_vec();
        let seconds = before + start.elapsed().as_secs_f64();
        Ok((Self { order, inversion, truth, places, bench, lineup, cut: plan.cut, seconds }, deciphered))
    }

    /// The same as an order that goes on from here; one that begins again where the attack keeps no state.
    ///
    /// # Errors
    /// Returns an error if a tensor cannot be made.
    pub fn saved(&self, deciphered: Option<Vec<u32>>) -> Result<Order> {
        let begun = |state| Begun { state, seconds: self.seconds, deciphered };
        Ok(Order { begun: self.inversion.state()?.map(begun), ..self.order.clone() })
    }

    /// Seconds that it has taken.
    pub fn seconds(&self) -> f64 {
        self.seconds
    }

    /// One slice of work.
    ///
    /// # Errors
    /// Where the attack diverges.
    pub fn advance(&mut self) -> Result<()> {
        let start = Instant::now();
        self.inversion.advance()?;
        self.seconds += start.elapsed().as_secs_f64();
        Ok(())
    }

    /// Whether all iterations are done.
    pub fn done(&self) -> bool {
        self.inversion.done()
    }

    /// The running attack.
    pub fn inversion(&self) -> &dyn Inversion {
        self.inversion.as_ref()
    }

    /// How far it is.
    pub fn progress(&self) -> AttackProgress {
        let (iteration, planned) = self.inversion.progress();
        AttackProgress { attack: self.order.id.words(), iteration, planned, loss: self.inversion.loss() }
    }

    /// The first target as everybody sees it now.
    ///
    /// # Errors
    /// Where there is no memory left.
    pub fn scene(&self) -> Result<Scene> {
        let first = |t: &Tensor| Picture::of_tensor(&t.get(0)?);
        let (id, capture) = (&self.order.id, &self.order.capture);
        let defended = id.target != UNDEFENDED;
        let reconstruction = Picture::of_tensor(&self.inversion.first()?)?;
        let trained = (id.epoch > 0).then(|| format!("{} epoch{}", id.epoch, if id.epoch == 1 { "" } else { "s" }));
        Ok(Scene {
            original: self.original(0)?,
            label: self.truth.labels().first().map(|label| *label as usize),
            sent: first(&capture.sent)?,
            map: if defended { first(&capture.maps)? } else { Picture::default() },
            smashed: Picture::of_features(&capture.smashed.get(0)?)?,
            crossed: capture.smashed.dims()[1..].to_vec(),
            opinion: capture.opinion.clone(),
            lineup: Some(self.lineup.judged(&reconstruction)),
            reconstruction,
            progress: Some(self.progress()),
            stamp: Stamp {
                defended,
                attack: id.spec.name().to_owned(),
                kind: id.spec.kind.id.to_owned(),
                adaptive: id.adaptive,
                cut: self.cut,
                trained,
            },
        })
    }

    /// Scores the finished attack against the clean images.
    ///
    /// # Errors
    /// Where there is no memory left.
    pub fn finish(&self) -> Result<Finished> {
        let got = self.inversion.reconstruction()?;
        let (iterations, _) = self.inversion.progress();
        let images = (0..self.truth.len()).map(|i| Ok(got.get(i)?.flatten_all()?.to_vec1()?));
        let images = images.collect::<Result<Vec<Vec<f32>>>>()?;
        let mut scored = self.bench.scored(&images)?;
        if let Some(judged) = &mut scored.judged {
            judged.doubt = self.inversion.doubt()?.map(|doubt| doubt.to_string());
        }
        let record = AttackRecord {
            name: self.order.id.spec.name().to_owned(),
            kind: self.order.id.spec.label.as_ref().map(|_| self.order.id.spec.kind.id.to_owned()),
            adaptive: self.order.id.adaptive,
            target: self.order.id.target.clone(),
            epoch: self.order.id.epoch,
            iterations,
            seconds: self.seconds,
            ..scored
        };
        let few = PICTURED.min(self.truth.len());
        let reconstructions = (0..few).map(|i| Picture::of_tensor(&got.get(i)?)).collect::<Result<_>>()?;
        Ok(Finished { record, reconstructions, images })
    }

    /// The clean images of the targets: what the attack is scored against.
    pub fn truth(&self) -> &Part {
        &self.truth
    }

    /// Which of the run's test images the targets are.
    pub fn places(&self) -> &[usize] {
        &self.places
    }

    /// The clean image of target `i`.
    ///
    /// # Errors
    /// Returns an error if it cannot be read.
    pub fn original(&self, i: usize) -> Result<Picture> {
        Picture::of_image(&self.truth, i)
    }

    /// The pictures of the first few targets.
    ///
    /// # Errors
    /// Where there is no memory left.
    pub fn gallery(&self, finished: &Finished) -> Result<Gallery> {
        let id = &self.order.id;
        let few = finished.reconstructions.len();
        Ok(Gallery {
            name: id.spec.name().to_owned(),
            adaptive: id.adaptive,
            target: id.target.clone(),
            epoch: id.epoch,
            originals: (0..few).map(|i| self.original(i)).collect::<Result<_>>()?,
            sent: (0..few).map(|i| Picture::of_tensor(&self.order.capture.sent.get(i)?)).collect::<Result<_>>()?,
            stolen: finished.reconstructions.clone(),
        })
    }
}

/// The attack with what it may see and know, and nothing else.
fn made(order: &Order, plan: &SplitPlan, setup: &Prepared) -> Result<Box<dyn Inversion>> {
    let (auxiliary, seed, smashed) = (&setup.auxiliary, setup.seed(), order.smashed()?);
    let (device, spec) = (smashed.device().clone(), &order.id.spec);
    let wanted = spec.kind.knowledge(order.id.adaptive).contains(&Knows::ServerWeights);
    let server = if wanted { Some(server_of(&order.capture.server, plan, &device)?) } else { None };
    let knowledge = Knowledge {
        image: plan.image,
        classes: plan.classes,
        client: Some(client_of(order, plan, seed, &device)?),
        oracle: None,
        server,
        entry: plan.entry(),
        auxiliary: Some(Auxiliary::new(auxiliary.clone(), &device)),
        defence: if order.id.adaptive { plan.defences.imitation()? } else { None },
        seed,
        name: order.id.file_stem(),
    };
    let mut evidence = Evidence::new(Smashed::new(&smashed))?;
    if spec.kind.sees.contains(&Sees::Labels) {
        evidence = evidence.with_labels(setup.targets.take(order.images()).label_tensor(&device)?);
    }
    let knowledge = knowledge.masked(spec.kind, order.id.adaptive);
    (spec.kind.make)(&evidence.masked(spec.kind), &knowledge, &spec.values)
}

/// The client's layers with the weights of the order.
fn client_of(order: &Order, plan: &SplitPlan, seed: Seed, device: &Device) -> Result<Network> {
    let mut parameters = Parameters::default();
    let layers = &plan.layers[..plan.cut];
    Network::init("client", &plan.input(), layers, &mut parameters, Init { seed, model: &plan.name, device })?;
    parameters.load(&order.capture.client)?;
    Ok(Network::of("client", layers, &parameters)?.frozen())
}

/// The stream of a server that sees the smashed data as they are, where there are several.
const ATTACKED: &str = "server.attacked";

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
    use crate::attack::kind::Kind;
    use crate::error::Error;
    use crate::experiment::{AttackSpec, Experiment};
    use crate::split::SplitModel;

    thread_local! {
        /// What the kinds below were made from.
        static HANDED: RefCell<Option<(Evidence, Knowledge)>> = const { RefCell::new(None) };
    }

    const SPY: Kind = Kind {
        id: "spy",
        make: |evidence, knowledge, _| {
            HANDED.with_borrow_mut(|handed| *handed = Some((evidence.clone(), knowledge.clone())));
            Err(Error::Internal("it has seen enough".to_owned()))
        },
        ..Kind::BASE
    };
    static MOST: Kind = Kind {
        sees: &[Sees::Smashed, Sees::Labels],
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
        let targets = setup.targets.tensor(&setup.device).unwrap();
        let order = Order::at(&model, &spec, 1, &targets, &setup.places).unwrap().swap_remove(0);
        assert!(made(&order, &model.plan, &setup).is_err());
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

            let (evidence, knowledge, ..) = handed(&LEAST, defended);
            assert!(evidence.smashed().is_err() && evidence.labels().is_err() && evidence.samples() == 3);
            assert!(knowledge.client.is_none() && knowledge.server.is_none() && knowledge.auxiliary.is_none());
        }
    }
}

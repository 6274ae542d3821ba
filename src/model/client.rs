//! The hospital's side: the first layers, under PSGL with the intentional attack before them.

use std::collections::BTreeMap;

use candle_core::{Tensor, Var};

use super::network::Network;
use super::optimiser::{Optimiser, OptimiserSettings};
use super::parameters::{Init, Parameters};
use super::spec::LayerSpec;
use super::wire::{CutGradient, Smashed};
use crate::engine::linear::linear;
use crate::engine::loss::{carry_on, cross_entropy};
use crate::engine::pool::{Pool, pool};
use crate::engine::tape::{Tape, flat};
use crate::error::{Error, Result};
use crate::psgl::downsample::{pack, pack_clean};
use crate::psgl::saliency::{attack, gradient, jacobian_rows, saliency_map};
use crate::psgl::{Inference, Jacobian, Options};

/// The client party: its layers, its own optimiser and, under PSGL, its head.
#[derive(Debug)]
pub struct Client {
    parameters: Parameters,
    body: Network,
    guard: Option<Guard>,
    optimiser: Optimiser,
    /// The graph of the smashed data that was sent last, until its gradient comes back.
    pub(super) sent: Option<(Tensor, Tape)>,
}

/// What PSGL adds to a client.
#[derive(Clone, Debug)]
struct Guard {
    options: Options,
    /// Missing where the server gives the Jacobian.
    head: Option<Head>,
}

/// The auxiliary head: max-pool 2 and a linear layer on z, never sent. Also what an attacker trains in its place.
#[derive(Clone, Debug)]
pub struct Head {
    weight: Tensor,
    bias: Tensor,
}

/// One batch of images on its way out of the hospital.
#[derive(Clone, Debug)]
pub struct Disguised {
    /// The gradient map (N, C, H, W) in [−1, 1].
    pub map: Tensor,
    /// The attacked (disguised) images x̂ (N, C, H, W).
    pub attacked: Tensor,
    /// What the first layer sees (N, 4C + 1, ⌈H/2⌉, ⌈W/2⌉).
    pub packed: Tensor,
}

impl Disguised {
    /// Attacks images by the Jacobian's rows α and β, and packs them.
    ///
    /// # Errors
    /// Where the shapes differ.
    pub fn new(x: &Tensor, alpha: &Tensor, beta: &Tensor, options: &Options) -> Result<Self> {
        let map = saliency_map(alpha, beta, options.mirror)?;
        let attacked = attack(x, &map, options.strength)?;
        let packed = pack(&attacked, &map)?;
        Ok(Self { map, attacked, packed })
    }

    /// Images as they are, with a zero map.
    ///
    /// # Errors
    /// Where x is not (N, C, H, W).
    pub fn none(x: &Tensor) -> Result<Self> {
        Ok(Self { map: x.zeros_like()?, attacked: x.clone(), packed: pack_clean(x)? })
    }
}

impl Head {
    /// Adds a head for smashed data of shape (C, H, W) to `parameters`, as `{name}.weight` and `.bias`.
    ///
    /// # Errors
    /// Where the device has no memory left.
    pub fn init(
        name: &str,
        smashed: &[usize],
        classes: usize,
        parameters: &mut Parameters,
        init: Init<'_>,
    ) -> Result<()> {
        let [channels, height, width] = *smashed else {
            return Err(Error::input(format!(
                "a head wants smashed data of channels × height × width, found {smashed:?}"
            )));
        };
        let side = Self::side(height, width);
        let features = channels * (height / side) * (width / side);
        parameters.add(name, &[classes, features], features, init)
    }

    /// The head whose weights are in `parameters`.
    ///
    /// # Errors
    /// Where they are missing.
    pub fn of(name: &str, parameters: &Parameters) -> Result<Self> {
        let get = |part| Ok::<_, Error>(parameters.get(&format!("{name}.{part}"))?.as_tensor().clone());
        Ok(Self { weight: get("weight")?, bias: get("bias")? })
    }

    /// Smashed data a pixel wide is not pooled.
    fn side(height: usize, width: usize) -> usize {
        2.min(height).min(width)
    }

    /// Smashed data (N, C, H, W) to logits (N, K).
    ///
    /// # Errors
    /// Where the shapes do not fit.
    pub fn forward(&self, z: &Tensor) -> Result<Tensor> {
        let side = Self::side(z.dim(2)?, z.dim(3)?);
        Ok(linear(&flat(&pool(z, Pool::Max, side)?)?, &self.weight, &self.bias)?)
    }

    /// The same head for passes that do not train it.
    #[must_use]
    pub fn frozen(&self) -> Self {
        Self { weight: self.weight.detach(), bias: self.bias.detach() }
    }
}

/// α and β of the images under a head on the client's layers; both networks frozen.
///
/// # Errors
/// Where the shapes do not fit.
pub fn head_jacobian(x: &Tensor, body: &Network, head: &Head) -> Result<(Tensor, Tensor)> {
    let (alpha, beta) = jacobian_rows(&pack_clean(x)?, |packed| head.forward(&body.forward(packed)?))?;
    let x = Var::from_tensor(&x.detach())?;
    let packed = pack_clean(&x)?;
    let back = |row: &Tensor| gradient(&carry_on(&packed, row)?, &x);
    Ok((back(&alpha)?, back(&beta)?))
}

/// What a client is made of.
#[derive(Clone, Copy, Debug)]
pub struct ClientPlan<'a> {
    /// The client's layers.
    pub layers: &'a [LayerSpec],
    /// What the first of them sees, without the batch.
    pub input: [usize; 3],
    /// Shape of the smashed data, without the batch.
    pub smashed: &'a [usize],
    /// Number of classes.
    pub classes: usize,
    /// PSGL's choices; none for plain split learning.
    pub psgl: Option<Options>,
}

impl Client {
    /// A client with fresh weights.
    ///
    /// # Errors
    /// Where the layers do not fit each other.
    pub fn new(plan: ClientPlan<'_>, optimiser: OptimiserSettings, init: Init<'_>) -> Result<Self> {
        let mut parameters = Parameters::default();
        Network::init("client", &plan.input, plan.layers, &mut parameters, init)?;
        let own_head = plan.psgl.is_some_and(|options| options.jacobian == Jacobian::Head);
        if own_head {
            Head::init("client.head", plan.smashed, plan.classes, &mut parameters, init)?;
        }
        let head = own_head.then(|| Head::of("client.head", &parameters)).transpose()?;
        Ok(Self {
            body: Network::of("client", plan.layers, &parameters)?,
            guard: plan.psgl.map(|options| Guard { options, head }),
            optimiser: Optimiser::new(&parameters, optimiser),
            parameters,
            sent: None,
        })
    }

    /// The client's weights, `client.0.weight` and so on.
    pub fn parameters(&self) -> &Parameters {
        &self.parameters
    }

    /// The client's layers for passes that do not train them.
    pub fn body(&self) -> Network {
        self.body.frozen()
    }

    /// PSGL: the head's own step on the clean packed images, which moves head **and** layers before the
    /// map is made. The loss, or none where the server gives the Jacobian.
    ///
    /// # Errors
    /// Where the batch does not fit.
    pub fn learn_head(&mut self, x: &Tensor, labels: &Tensor) -> Result<Option<f64>> {
        let Some(head) = self.guard.as_ref().and_then(|guard| guard.head.as_ref()) else { return Ok(None) };
        // Running statistics are those of what is sent, not of the clean images.
        let body = self.body.unrecorded();
        let packed = pack_clean(x)?;
        let mut tape = Tape::default();
        let loss =
            tape.record(|| cross_entropy(&head.forward(&body.forward(&packed)?)?, labels).map_err(Error::from))?;
        self.optimiser.step(&tape.backward(&loss)?)?;
        Ok(Some(f64::from(loss.to_scalar::<f32>()?)))
    }

    /// PSGL: α and β from the client's own head.
    ///
    /// # Errors
    /// Where the client has none.
    pub fn own_jacobian(&self, x: &Tensor) -> Result<(Tensor, Tensor)> {
        match self.guard.as_ref().and_then(|guard| guard.head.as_ref()) {
            Some(head) => head_jacobian(x, &self.body(), &head.frozen()),
            None => Err(Error::Internal("the client has no head to ask for a Jacobian".into())),
        }
    }

    /// PSGL, the paper's way: smashed data of the clean images, for the server's Jacobian.
    ///
    /// # Errors
    /// Where x does not fit.
    pub fn probe(&self, x: &Tensor) -> Result<Probe> {
        let x = Var::from_tensor(&x.detach())?;
        let z = self.body().forward(&pack_clean(&x)?)?;
        Ok(Probe { x, z })
    }

    /// PSGL: attacks and packs images by the Jacobian's rows.
    ///
    /// # Errors
    /// Where the client knows no PSGL.
    pub fn disguise(&self, x: &Tensor, (alpha, beta): (&Tensor, &Tensor)) -> Result<Disguised> {
        match &self.guard {
            Some(guard) => Disguised::new(x, alpha, beta, &guard.options),
            None => Err(Error::Internal("a plain client disguises nothing".into())),
        }
    }

    /// PSGL's choices, if on.
    pub fn options(&self) -> Option<&Options> {
        self.guard.as_ref().map(|guard| &guard.options)
    }

    /// Whether images are disguised when the client asks for a diagnosis.
    pub fn attacks_at_inference(&self) -> bool {
        self.options().is_some_and(|options| options.inference == Inference::Attacked)
    }

    /// Smashed data for the wire, its graph kept until the gradient comes back.
    ///
    /// # Errors
    /// Where the input does not fit.
    pub fn send(&mut self, input: &Tensor) -> Result<Smashed> {
        let mut tape = Tape::default();
        let z = tape.record(|| self.body.forward(input))?;
        let smashed = Smashed::new(&z);
        self.sent = Some((z, tape));
        Ok(smashed)
    }

    /// Smashed data for the wire, without a graph: nothing is learnt from it.
    ///
    /// # Errors
    /// Where the input does not fit.
    pub fn send_to_ask(&self, input: &Tensor) -> Result<Smashed> {
        Ok(Smashed::new(&self.body().forward(input)?))
    }

    /// Goes on from the gradient that came back: backward through the client's layers and one step.
    ///
    /// # Errors
    /// Where nothing was sent.
    pub fn receive(&mut self, gradient: &CutGradient) -> Result<()> {
        let sent = self.sent.take().ok_or_else(|| Error::Internal("a gradient came back for nothing sent".into()))?;
        let (z, mut tape) = sent;
        let end = tape.record(|| carry_on(&z, gradient.tensor()))?;
        let gradients = tape.backward(&end)?;
        tape.settle()?;
        self.optimiser.step(&gradients)
    }

    /// The optimiser's state, for a checkpoint.
    ///
    /// # Errors
    /// Where there is no memory left.
    pub fn optimiser_state(&self) -> Result<BTreeMap<String, Tensor>> {
        self.optimiser.state()
    }

    /// Takes back the optimiser's state.
    ///
    /// # Errors
    /// Where it is another model's.
    pub fn load_optimiser(&mut self, state: &BTreeMap<String, Tensor>) -> Result<()> {
        self.optimiser.load(state)
    }
}

/// Clean smashed data whose way back to the image is kept on the client.
#[derive(Debug)]
pub struct Probe {
    x: Var,
    z: Tensor,
}

impl Probe {
    /// What goes up.
    pub fn smashed(&self) -> Smashed {
        Smashed::new(&self.z)
    }

    /// α and β at the image from what came down: ∂logit_ŷ/∂z and Σ_k ∂logit_k/∂z.
    ///
    /// # Errors
    /// Where the gradients do not fit.
    pub fn finish(&self, predicted: &CutGradient, all: &CutGradient) -> Result<(Tensor, Tensor)> {
        let back = |g: &CutGradient| gradient(&carry_on(&self.z, g.tensor())?, &self.x);
        let alpha = back(predicted)?;
        let beta = (back(all)? - &alpha)?;
        Ok((alpha, beta))
    }
}

//! The models that an experiment trains: the defended one and its vanilla twin, and whether they fit the data.

use super::document::Experiment;
use crate::defence::Stack;
use crate::defence::entry::AS_THEY_ARE;
use crate::error::{Error, Result};
use crate::model::spec::{LayerSpec, shape_text, shapes};
use crate::split::{SplitPlan, UNDEFENDED};

/// Numbers of one layer's output for one image at most, and weights of one network at most: a file may come from
/// anywhere, and memory that is refused ends the program.
const MAX_NUMBERS: usize = 1 << 26;

/// What fits together: an experiment's model on its data.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// The data's shape (C, H, W).
    pub input: [usize; 3],
    /// What the first layer sees: `input`, or its form under a defence that packs.
    pub packed: [usize; 3],
    /// All layers, client's first, the server's as its defence has them.
    pub layers: Vec<LayerSpec>,
    /// The first so many layers are the client's.
    pub cut: usize,
    /// The shape that crosses the wire, without the batch.
    pub smashed: Vec<usize>,
    /// The undefended model to compare with; only beside a defence, and only where `train.twin` asks for it.
    pub twin: Option<Twin>,
}

/// The vanilla twin (METHOD section 3): pooling by two where a defence packs.
#[derive(Clone, Debug, PartialEq)]
pub struct Twin {
    /// Its layers; the first sees `Plan::input`.
    pub layers: Vec<LayerSpec>,
    /// The first so many layers are the client's.
    pub cut: usize,
    /// The shape that crosses its wire; equal to the plan's where the sides are even and the layers before the pool
    /// keep them.
    pub smashed: Vec<usize>,
}

impl Experiment {
    /// Defended, where it has a defence, and undefended: the network as it is, or with `twin` the one that is trained
    /// beside a defended model, which pools where a defence packs.
    ///
    /// # Errors
    /// Returns an error if the model does not fit the data.
    pub fn both_plans(&self, image: [usize; 3], classes: usize, twin: bool) -> Result<[Option<SplitPlan>; 2]> {
        let all = self.split_plans(image, classes)?;
        let one = |defended: bool| all.iter().find(|plan| plan.defended() == defended).cloned();
        let undefended = match one(false).filter(|_| twin || !self.defended()) {
            Some(plan) => plan,
            None => self.undefended().split_plans(image, classes)?.swap_remove(0),
        };
        Ok([one(true), Some(undefended)])
    }

    /// The models to train, in order: the defended one first, its undefended twin after.
    ///
    /// # Errors
    /// Where the model does not fit the data.
    pub fn split_plans(&self, image: [usize; 3], classes: usize) -> Result<Vec<SplitPlan>> {
        let Plan { layers, cut, twin, .. } = self.check_model(image, classes)?;
        let defences = self.stack()?;
        let name = if defences.is_empty() { UNDEFENDED.to_owned() } else { defences.label() };
        let optimiser = self.train.optimiser();
        let main = SplitPlan { name, layers, cut, image, classes, defences, optimiser, class_weights: None };
        let twin = twin.map(|twin| SplitPlan {
            name: UNDEFENDED.to_owned(),
            layers: twin.layers,
            cut: twin.cut,
            defences: Stack::default(),
            ..main.clone()
        });
        Ok(std::iter::once(main).chain(twin).collect())
    }

    /// The layers, listed or of the named model.
    ///
    /// # Errors
    /// The name is no model's and no layers are listed.
    pub fn layers(&self, classes: usize) -> Result<Vec<LayerSpec>> {
        let listed = self.model.layers.clone();
        listed
            .or_else(|| crate::model::zoo::layers(&self.model.name, classes))
            .ok_or_else(|| Error::input(super::validate::unknown_model(&self.model.name)))
    }

    /// The listed layers for another number of classes; none where they end with as many numbers already or in no linear
    /// layer, and of a named model, which follows by itself.
    pub fn layers_for(&self, classes: usize) -> Option<Vec<LayerSpec>> {
        let mut layers = self.model.layers.clone()?;
        match layers.last_mut() {
            Some(LayerSpec::Linear(n)) if *n != classes => *n = classes,
            _ => return None,
        }
        Some(layers)
    }

    /// The earliest cut that makes sense: after the first activation, or after the first layer where there is none.
    pub fn first_cut(&self) -> usize {
        let activation = |layer: &LayerSpec| matches!(layer, LayerSpec::Relu | LayerSpec::Sigmoid | LayerSpec::Tanh);
        let first = self.layers(2).ok().and_then(|layers| layers.iter().position(activation));
        first.map_or(1, |i| i + 1)
    }

    /// Checks that the model fits images of a shape (C, H, W) and a number of classes.
    ///
    /// # Errors
    /// Names the field or the layer, what it wanted and what it found.
    pub fn check_model(&self, data_shape: [usize; 3], classes: usize) -> Result<Plan> {
        if let Some(wanted) = self.model.input.filter(|wanted| *wanted != data_shape) {
            return Err(Error::input(format!(
                "model.input = {wanted:?}: the images of {} are {data_shape:?}",
                self.data.name
            )));
        }
        if classes < 2 || data_shape.contains(&0) || data_shape.iter().any(|side| *side > 8192) {
            return Err(Error::input(format!(
                "data.name = \"{}\": found {} images in {classes} classes; allowed is 1 to 8192 on each side and at \
                 least 2 classes",
                self.data.name,
                shape_text(&data_shape)
            )));
        }
        super::validate::together(self).map_err(Error::input)?;
        let (mut layers, cut) = (self.layers(classes)?, self.model.cut);
        let defences = self.stack()?;
        let packed = (defences.entry().shape)(data_shape);
        let all = walk(&packed, &layers)?;
        if let Some(last) = all.last().filter(|last| ***last != [classes]) {
            let flat = if last.len() == 1 { format!("; end with {{ linear = {classes} }}") } else { String::new() };
            return Err(Error::input(format!(
                "model.layers[{}]: the last layer must give {classes} numbers, one for each class of {}, found {}{flat}",
                layers.len() - 1,
                self.data.name,
                shape_text(last)
            )));
        }
        if !layers[cut..].iter().any(has_weights) {
            return Err(Error::input(format!(
                "model.cut = {cut}: no layer after it has weights, so the server could not learn; cut earlier"
            )));
        }
        let smashed = all[cut - 1].clone();
        check_smashed(&defences, cut, &all)?;
        let twin = match (self.train.twin, defences.entry() == &AS_THEY_ARE) {
            _ if defences.is_empty() => None,
            (false, _) => None,
            (true, true) => Some(Twin { layers: layers.clone(), cut, smashed: smashed.clone() }),
            (true, false) => Some(twin(&data_shape, &layers, cut)?),
        };
        let own = layers.split_off(cut);
        let wanted = |text: String| Error::input(format!("model.cut = {cut}: {text}"));
        layers.extend(defences.server(&own, &smashed).map_err(wanted)?);
        // It may have made them larger.
        walk(&packed, &layers)?;
        Ok(Plan { input: data_shape, packed, layers, cut, smashed, twin })
    }
}

/// Whether all defences can do with the smashed data; else which cuts would do.
fn check_smashed(defences: &Stack, cut: usize, all: &[Vec<usize>]) -> Result<()> {
    let fits = |shape: &[usize]| defences.iter().try_for_each(|setup| (setup.kind.fits)(&setup.values, shape));
    let Err(wanted) = fits(&all[cut - 1]) else { return Ok(()) };
    let works: Vec<String> =
        (1..all.len()).filter(|cut| fits(&all[cut - 1]).is_ok()).map(|cut| cut.to_string()).collect();
    let works = if works.is_empty() {
        "no cut of this model does".to_owned()
    } else {
        format!("cuts that do: {}", works.join(", "))
    };
    Err(Error::input(format!("model.cut = {cut}: {wanted}; found {}; {works}", shape_text(&all[cut - 1]))))
}

/// [`shapes`] layer by layer, with the caps looked at before the next layer multiplies.
fn walk(input: &[usize], layers: &[LayerSpec]) -> Result<Vec<Vec<usize>>> {
    let mut shape = input.to_vec();
    let mut all = Vec::with_capacity(layers.len());
    let mut weights = 0_usize;
    for (i, layer) in layers.iter().enumerate() {
        let wrong = |text: String| Error::input(format!("model.layers[{i}]: {text}"));
        let next = layer.output_shape(&shape).map_err(wrong)?;
        let (own, largest) = size(layer, &shape, &next);
        weights = weights.saturating_add(own);
        if largest.max(weights) > MAX_NUMBERS {
            return Err(wrong(format!(
                "too large: {largest} numbers for one image and {weights} weights up to here; allowed is {MAX_NUMBERS} \
                 of each"
            )));
        }
        all.push(next.clone());
        shape = next;
    }
    Ok(all)
}

fn numbers(shape: &[usize]) -> usize {
    shape.iter().fold(1, |product: usize, side| product.saturating_mul(*side))
}

/// A layer's weights with its biases, and the size of its largest output, inner layers' included.
fn size(layer: &LayerSpec, input: &[usize], output: &[usize]) -> (usize, usize) {
    let weights = match layer {
        LayerSpec::Conv { channels, kernel, .. } => {
            numbers(&[*channels, input[0], *kernel, *kernel]).saturating_add(*channels)
        }
        LayerSpec::Linear(n) => numbers(&[*n, input[0]]).saturating_add(*n),
        // With running mean and variance.
        LayerSpec::BatchNorm | LayerSpec::GroupNorm(_) => 4 * input[0],
        LayerSpec::Residual { inner, project } => {
            let (a, b) = (branch_size(inner, input), branch_size(project, input));
            return (a.0.saturating_add(b.0), a.1.max(b.1).max(numbers(output)));
        }
        _ => 0,
    };
    (weights, numbers(output))
}

/// The same of one branch of a residual block.
fn branch_size(layers: &[LayerSpec], input: &[usize]) -> (usize, usize) {
    let outputs = shapes(input, layers).unwrap_or_default();
    let inputs = std::iter::once(input).chain(outputs.iter().map(Vec::as_slice));
    let each = layers.iter().zip(inputs).zip(&outputs).map(|((layer, from), to)| size(layer, from, to));
    each.fold((0, 0), |sum, one| (sum.0.saturating_add(one.0), sum.1.max(one.1)))
}

fn has_weights(layer: &LayerSpec) -> bool {
    match layer {
        LayerSpec::Conv { .. } | LayerSpec::Linear(_) | LayerSpec::BatchNorm | LayerSpec::GroupNorm(_) => true,
        LayerSpec::Residual { inner, project } => inner.iter().chain(project).any(has_weights),
        _ => false,
    }
}

fn twin(input: &[usize], layers: &[LayerSpec], cut: usize) -> Result<Twin> {
    let after = layers[..cut].iter().position(|layer| *layer == LayerSpec::Relu).unwrap_or(0);
    let mut layers = layers.to_vec();
    layers.insert(after + 1, LayerSpec::MaxPool(2));
    let all = walk(input, &layers).map_err(|error| {
        Error::input(format!(
            "the vanilla twin, which has {{ maxpool = 2 }} after layer {after}, does not fit: {error}\nset train.twin = \
             false to train without it"
        ))
    })?;
    Ok(Twin { smashed: all[cut].clone(), layers, cut: cut + 1 })
}

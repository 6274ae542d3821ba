//! The convolution behind a smashed tile, as CNN Explainer shows it: patch × kernel = products, channel by channel, their
//! sum, the bias, and what the layers behind make of it.

use std::collections::BTreeMap;

use eframe::egui::{Color32, ColorImage, Image, Label, Rect, RichText, Sense, TextureHandle, TextureOptions, Ui, vec2};

use super::grid::{Grid, mark};
use super::inspected::Scale;
use super::stats::number;
use crate::app::subject::{Layer, Subject};
use crate::model::inside::{Explanation, Input, Kernels, LastConvolution, Opened, Planes, Step};

/// Input channels that are shown; the others are summed up.
const SHOWN: usize = 3;
/// Side of an input channel's picture.
const CHANNEL: f32 = 70.0;
/// Kernels of the strip at most.
const STRIP: usize = 64;
const KERNEL: f32 = 26.0;

/// Pictures of what entered the convolution, channel by channel, made when they are shown.
#[derive(Default)]
pub struct Inputs {
    /// Which of the clients that were looked into they are of.
    of: u64,
    textures: BTreeMap<usize, TextureHandle>,
}

impl Inputs {
    /// Puts away those of another client.
    pub fn be_of(&mut self, client: u64) {
        if self.of != client {
            *self = Self { of: client, textures: BTreeMap::new() };
        }
    }
}

/// What is asked for by a click; `sent` is the number that crossed, where it is known.
pub fn convolution_ui(
    ui: &mut Ui,
    opened: &Opened,
    at: [usize; 3],
    sent: Option<f32>,
    inputs: &mut Inputs,
) -> Option<Subject> {
    let mut clicked = None;
    match &opened.last {
        Ok(last) => match last.explain(at) {
            Some(told) => {
                explanation_ui(ui, last, at, &told, inputs, &mut clicked);
                result_ui(ui, at, &told, sent);
            }
            None => drop(ui.label(t!("There is no such place."))),
        },
        Err(why) => drop(ui.add(Label::new(why).wrap())),
    }
    if let Some(first) = &opened.first {
        strip_ui(ui, first, &mut clicked);
    }
    clicked
}

fn explanation_ui(
    ui: &mut Ui,
    last: &LastConvolution,
    at: [usize; 3],
    told: &Explanation,
    inputs: &mut Inputs,
    clicked: &mut Option<Subject>,
) {
    let [channel, row, column] = at;
    let [_, from_row, from_column] = told.at;
    let title = t!("How channel {channel} comes to its number at row {row}, column {column}", channel, row, column);
    ui.add(Label::new(RichText::new(title).strong().size(15.0)).wrap());
    let kernels = &last.kernels;
    let place = if [from_row, from_column] == [row, column] {
        String::new()
    } else {
        t!(" (its own row {from_row}, column {from_column})", from_row, from_column)
    };
    let [_, channels, side, _] = kernels.shape;
    let each = match channels {
        1 => t!("the one channel that enters it has").to_owned(),
        many => t!("each of the {many} channels that enter it has", many),
    };
    let words = t!(
        "Layer {layer}, {words}{place}: {each} a patch of {side}\u{d7}{side} numbers, which are multiplied by the \
         kernel's weights and added up.",
        layer = kernels.layer + 1,
        words = kernels.words,
        place,
        each,
        side
    );
    ui.add(Label::new(words).wrap());
    let (shown, others, sum) = told.strongest(SHOWN);
    let range = range(&last.input().values);
    let cell = cell(ui, side);
    for input in shown {
        ui.horizontal(|ui| {
            channel_ui(ui, last.input(), input.channel, told.corner, side, range, inputs);
            input_ui(ui, kernels, told.at[0], input, (range, cell, side), clicked);
        });
    }
    if others > 0 {
        let plural = if others == 1 { t!("channel") } else { t!("channels") };
        ui.label(t!("and {others} more {plural}, which add less each: {sum}", others, plural, sum = signed(sum)));
    }
}

/// The size of a cell so that three grids of this side stand beside a picture.
fn cell(ui: &Ui, side: usize) -> eframe::egui::Vec2 {
    let room = (ui.available_width() - CHANNEL - 150.0) / 3.0;
    let wide = (room / side as f32).floor().clamp(8.0, 44.0);
    vec2(wide, wide.min(22.0))
}

fn range(values: &[f32]) -> Scale {
    let finite = || values.iter().copied().filter(|value| value.is_finite());
    let (least, most) = (finite().fold(f32::INFINITY, f32::min), finite().fold(f32::NEG_INFINITY, f32::max));
    // A packed input may have signs; images and what a relu gave have none.
    if least < 0.0 { Scale::Signed(least.abs().max(most)) } else { Scale::Grey(0.0, most) }
}

/// One input channel as a picture, and where the patch is taken from it.
fn channel_ui(
    ui: &mut Ui,
    input: &Planes,
    channel: usize,
    corner: [isize; 2],
    side: usize,
    scale: Scale,
    inputs: &mut Inputs,
) {
    let [_, height, width] = input.shape;
    let texture = inputs.textures.entry(channel).or_insert_with(|| {
        let plane = &input.values[channel * height * width..][..height * width];
        let pixels: Vec<Color32> = plane.iter().map(|value| scale.color(*value)).collect();
        ui.ctx().load_texture("input channel", ColorImage::new([width, height], pixels), TextureOptions::NEAREST)
    });
    let size = texture.size_vec2() * (CHANNEL / texture.size_vec2().max_elem());
    let words = t!("input channel {channel}, {words}", channel, words = scale.words());
    let picture = Image::from_texture((texture.id(), size)).fit_to_exact_size(size).alt_text(words);
    let rect = ui.add(picture).rect;
    let pixel = size / vec2(width as f32, height as f32);
    let min = rect.min + vec2(corner[1] as f32, corner[0] as f32) * pixel;
    // As far as it is not in the padding.
    mark(ui, Rect::from_min_size(min, pixel * side as f32).intersect(rect));
}

fn input_ui(
    ui: &mut Ui,
    kernels: &Kernels,
    output: usize,
    input: &Input,
    (range, cell, side): (Scale, eframe::egui::Vec2, usize),
    clicked: &mut Option<Subject>,
) {
    let channel = input.channel;
    let weights = kernels.weights.iter().fold(0f32, |most, weight| most.max(weight.abs()));
    let products = input.products.iter().fold(0f32, |most, product| most.max(product.abs()));
    let grid = |ui: &mut Ui, values: &[f32], scale, label: String, sense| {
        let values: Vec<Option<f32>> = values.iter().copied().map(Some).collect();
        Grid { values: &values, columns: side, scale, cell, marked: None }.ui(ui, &label, sense)
    };
    grid(ui, &input.patch, range, t!("Patch of input channel {channel}", channel), Sense::hover())
        .on_hover_text(t!("The patch of input channel {channel}; what lies beyond the edge is 0", channel));
    ui.label("\u{d7}");
    let kernel = grid(
        ui,
        &input.kernel,
        Scale::Signed(weights),
        t!("Kernel for input channel {channel}", channel),
        Sense::click(),
    );
    if kernel.on_hover_text(t!("The kernel's weights for this channel. Click to look at the kernel")).clicked() {
        *clicked = Some(Subject::Kernel(Layer::Last, output, channel));
    }
    ui.label("=");
    grid(
        ui,
        &input.products,
        Scale::Signed(products),
        t!("Products of input channel {channel}", channel),
        Sense::hover(),
    )
    .on_hover_text(t!("Each number of the patch times its weight"));
    ui.label(RichText::new(t!("add up to {sum}", sum = signed(input.sum))).strong());
}

/// With its sign, as one that is added.
fn signed(value: f32) -> String {
    if value >= 0.0 { format!("+{}", number(value)) } else { number(value) }
}

/// From the sum to the number on the wire.
fn result_ui(ui: &mut Ui, at: [usize; 3], told: &Explanation, sent: Option<f32>) {
    let sum = told.convolved - told.bias;
    let mut words = t!(
        "sum {sum}, bias {signed}: {convolved}",
        sum = number(sum),
        signed = signed(told.bias),
        convolved = number(told.convolved)
    );
    for step in &told.steps {
        words.push_str(&step_words(step));
    }
    ui.add(Label::new(words).wrap());
    let [channel, row, column] = at;
    let value = number(told.value);
    let end = match sent {
        // Winograd's way of convolving rounds otherwise than adding up does.
        Some(sent) if (sent - told.value).abs() > 1e-4 * (1.0 + told.value.abs()) => {
            t!(
                "This comes to {value}; the defence then makes {sent} of it, which crosses the wire",
                value,
                sent = number(sent)
            )
        }
        _ => t!(
            "This comes to {value}, the number on the wire in channel {channel}, row {row}, column {column}",
            value,
            channel,
            row,
            column
        ),
    };
    ui.add(Label::new(RichText::new(end).strong()).wrap());
}

fn step_words(step: &Step) -> String {
    let value = number(step.value);
    match step.window.as_slice() {
        [] => format!("; {}: {value}", step.words),
        few if few.len() <= 9 => {
            let all: Vec<String> = few.iter().map(|value| number(*value)).collect();
            t!("; {words} of {all}: {value}", words = step.words, all = all.join(", "), value)
        }
        many => t!("; {words} of {many} numbers: {value}", words = step.words, many = many.len(), value),
    }
}

/// The kernels that see the image.
fn strip_ui(ui: &mut Ui, first: &Kernels, clicked: &mut Option<Subject>) {
    let [outputs, inputs, side, _] = first.shape;
    let all = if inputs > 1 { t!(", the first of {inputs} input channels", inputs) } else { String::new() };
    let words = t!(
        "The kernels that see the image: layer {layer}, {words}{all}",
        layer = first.layer + 1,
        words = first.words,
        all
    );
    ui.add_space(4.0);
    ui.add(Label::new(RichText::new(words).strong()).wrap());
    let most = first.weights.iter().fold(0f32, |most, weight| most.max(weight.abs()));
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing = vec2(4.0, 4.0);
        for output in 0..outputs.min(STRIP) {
            let values: Vec<Option<f32>> = first.of(output, 0).iter().copied().map(Some).collect();
            let cell = vec2(1.0, 1.0) * (KERNEL / side as f32);
            let grid = Grid { values: &values, columns: side, scale: Scale::Signed(most), cell, marked: None };
            let response =
                grid.ui(ui, &t!("Kernel {output} of layer {layer}", output, layer = first.layer + 1), Sense::click());
            if response.on_hover_text(t!("Kernel {output}. Click to look at it", output)).clicked() {
                *clicked = Some(Subject::Kernel(Layer::First, output, 0));
            }
        }
        if outputs > STRIP {
            ui.weak(t!("and {others} more", others = outputs - STRIP));
        }
    });
}

//! One stream with as many weights as PSGL's three have together with their fusion: it tells what three streams give from
//! what more weights give.

use crate::model::spec::{LayerSpec, weights};

/// By what share of the weights that are wanted the stream may be smaller or larger.
const APART: f64 = 0.05;
/// Layers are made so many times as wide at most: three times the weights take less.
const WIDEST: f64 = 16.0;
/// Halvings of that range; then the widths, which are whole, no longer change.
const HALVINGS: usize = 40;

/// A stream's layers made wider, all by the same factor, until they have the weights of three such streams and of the
/// convolution that fuses smashed data of this shape. What they answer keeps its shape.
///
/// # Errors
/// Returns what would do where no width comes near enough, as where a single layer has weights.
pub(super) fn large(stream: &[LayerSpec], smashed: &[usize]) -> Result<Vec<LayerSpec>, String> {
    let count = |layers: &[LayerSpec]| weights(smashed, layers).map_err(|e| e.to_string());
    let channels = smashed.first().copied().unwrap_or(0);
    let wanted = 3 * count(stream)? + fusing(channels);
    let step = groups(stream);
    let at = |factor: f64| {
        let layers = wider(stream, smashed, Widths { factor, step }, End::Kept)?;
        let off = count(&layers)? as f64 / wanted as f64 - 1.0;
        Ok::<_, String>((off, layers))
    };
    let (mut low, mut high) = (1.0, WIDEST);
    for _ in 0..HALVINGS {
        let middle = f64::midpoint(low, high);
        if at(middle)?.0 < 0.0 { low = middle } else { high = middle }
    }
    let (below, above) = (at(low)?, at(high)?);
    let (off, layers) = if -below.0 < above.0.abs() { below } else { above };
    if off.abs() <= APART {
        return Ok(layers);
    }
    Err(format!(
        "with server = \"large\" one stream is to have the {wanted} weights of three, and these layers come no nearer than \
         {:.0} %: it takes two layers with weights behind the cut, and more than a few channels",
        100.0 * (1.0 + off)
    ))
}

/// Weights of the 3×3 convolution that fuses received and recovered features.
fn fusing(channels: usize) -> usize {
    channels * (2 * channels * 9 + 1)
}

/// By what layers grow, and the numbers that their widths are multiples of.
#[derive(Clone, Copy)]
struct Widths {
    factor: f64,
    step: usize,
}

/// What becomes of the width of the last of some layers.
#[derive(Clone, Copy)]
enum End {
    /// It stays what it was.
    Kept,
    /// It grows as the others do.
    Wider,
    /// It is that of what the layers see.
    Of(usize),
}

impl Widths {
    fn of(self, width: usize, end: End) -> usize {
        match end {
            End::Kept => width,
            End::Wider => ((self.factor * width as f64 / self.step as f64).round() as usize).max(1) * self.step,
            End::Of(width) => width,
        }
    }
}

fn wider(layers: &[LayerSpec], input: &[usize], widths: Widths, end: End) -> Result<Vec<LayerSpec>, String> {
    let has_width =
        |layer: &LayerSpec| matches!(layer, LayerSpec::Conv { .. } | LayerSpec::Linear(_) | LayerSpec::Residual { .. });
    let last = layers.iter().rposition(has_width);
    let (mut shape, mut wide) = (input.to_vec(), Vec::with_capacity(layers.len()));
    for (i, layer) in layers.iter().enumerate() {
        let end = if Some(i) == last { end } else { End::Wider };
        let layer = match layer {
            LayerSpec::Conv { channels, kernel, stride, padding, bias } => LayerSpec::Conv {
                channels: widths.of(*channels, end),
                kernel: *kernel,
                stride: *stride,
                padding: *padding,
                bias: *bias,
            },
            LayerSpec::Linear(features) => LayerSpec::Linear(widths.of(*features, end)),
            LayerSpec::Residual { inner, project } => {
                // A skip connection without layers keeps its width.
                let end = if project.is_empty() { End::Of(shape[0]) } else { end };
                let branch = |layers: &[LayerSpec]| wider(layers, &shape, widths, end);
                LayerSpec::Residual { inner: branch(inner)?, project: branch(project)? }
            }
            other => other.clone(),
        };
        shape = layer.output_shape(&shape)?;
        wide.push(layer);
    }
    Ok(wide)
}

/// The smallest number that the groups of all normalisations divide.
fn groups(layers: &[LayerSpec]) -> usize {
    let of = |layer: &LayerSpec| match layer {
        LayerSpec::GroupNorm(groups) => *groups,
        LayerSpec::Residual { inner, project } => multiple(groups(inner), groups(project)),
        _ => 1,
    };
    layers.iter().map(of).fold(1, multiple)
}

/// The least common multiple.
fn multiple(a: usize, b: usize) -> usize {
    let (mut x, mut y) = (a, b);
    while y > 0 {
        (x, y) = (y, x % y);
    }
    a / x.max(1) * b
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::spec::shapes;
    use crate::model::zoo;

    /// Three streams and their fusion, and the large one, in weights; none where it cannot be made.
    fn both(name: &str, cut: usize, image: [usize; 3]) -> Option<(usize, usize)> {
        let layers = zoo::layers(name, 10)?;
        let (client, server) = layers.split_at(cut);
        let smashed = shapes(&image, client).ok()?.pop().filter(|shape| shape.len() == 3)?;
        let wide = large(server, &smashed).ok()?;
        assert_eq!(shapes(&smashed, &wide).unwrap().last(), shapes(&smashed, server).unwrap().last(), "{name} {cut}");
        let (one, many) = (weights(&smashed, &wide).unwrap(), weights(&smashed, server).unwrap());
        Some((3 * many + fusing(smashed[0]), one))
    }

    #[test]
    fn the_large_stream_has_the_weights_of_three_whatever_the_model() {
        // 32 × 64 × 9 + 64, 64 × 7 × 7 × 128 + 128, 128 × 10 + 10; and 64 × 32 × 9 + 32 to fuse.
        let (three, one) = both("split-cnn", 4, [5, 14, 14]).unwrap();
        assert_eq!(three, 3 * (18_496 + 401_536 + 1_290) + 18_464);
        assert!(one.abs_diff(three) < three / 100, "{one} and {three}");
        let mut made = 0;
        for name in zoo::NAMES {
            let cuts = 1..zoo::layers(name, 10).unwrap().len();
            for (three, one) in cuts.filter_map(|cut| both(name, cut, [5, 32, 32])) {
                assert!(one.abs_diff(three) as f64 <= APART * three as f64, "{name}: {one} and {three}");
                made += 1;
            }
        }
        assert!(made > 40, "only {made} cuts have a large stream");
    }

    #[test]
    fn groups_and_skip_connections_still_fit() {
        let conv = |channels| LayerSpec::Conv { channels, kernel: 3, stride: 1, padding: 1, bias: false };
        let block = |channels| LayerSpec::Residual { inner: vec![conv(32), conv(channels)], project: Vec::new() };
        // The first block's skip connection has the width of what crossed, the second's a wider one.
        let layers = [block(8), conv(48), LayerSpec::GroupNorm(4), block(48), LayerSpec::Flatten, LayerSpec::Linear(3)];
        let wide = large(&layers, &[8, 7, 7]).unwrap();
        let shapes = shapes(&[8, 7, 7], &wide).unwrap();
        assert!(shapes[0] == [8, 7, 7] && shapes[3][0] > 48 && shapes[3][0].is_multiple_of(4), "{shapes:?}");
        assert_eq!((shapes[5].as_slice(), multiple(4, 6)), (&[3][..], 12));
    }

    #[test]
    fn where_a_single_layer_has_weights_it_is_told() {
        let told = large(&[LayerSpec::Flatten, LayerSpec::Linear(10)], &[4, 3, 3]).unwrap_err();
        // 3 × 370 and 8 × 4 × 9 + 4; it stays 370.
        assert!(told.contains("the 1402 weights of three") && told.contains("than 26 %"), "{told}");
    }
}

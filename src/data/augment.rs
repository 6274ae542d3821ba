//! Training images varied a little in each epoch, so that a small set is not learnt by heart. What is tested or attacked is
//! never varied.

use candle_core::Tensor;

use crate::error::Result;
use crate::random::{Seed, Stream};

/// How far images are varied; nothing by default.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Augment {
    /// Mirror every other one from left to right.
    pub flip: bool,
    /// Move them by up to this share of their sides.
    pub shift: f64,
    /// Turn them by up to so many degrees about the middle.
    pub rotate: f64,
    /// Change the distance from their mean by up to this share.
    pub contrast: f64,
}

/// What becomes of one image.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Change {
    flip: bool,
    /// Down and to the right, in pixels.
    shift: [f64; 2],
    /// In radians, against the clock.
    angle: f64,
    contrast: f64,
}

impl Augment {
    /// Whether it leaves images as they are.
    pub fn is_none(&self) -> bool {
        *self == Self::default()
    }

    /// Images (N, C, H, W) of training in an epoch; `samples` are their places among the training images, by which and by
    /// the epoch their changes are drawn: not by the batch.
    ///
    /// # Errors
    /// Returns an error if the tensor cannot be read.
    pub fn varied(&self, x: &Tensor, samples: &[usize], epoch: usize, seed: Seed) -> Result<Tensor> {
        let (_, _, h, w) = x.dims4()?;
        let size = x.elem_count() / samples.len().max(1);
        let mut values = x.flatten_all()?.to_vec1::<f32>()?;
        let name = format!("augment.{epoch}");
        for (image, sample) in values.chunks_exact_mut(size.max(1)).zip(samples) {
            let change = self.drawn(&mut seed.stream(&name, *sample as u64), [h, w]);
            change.apply(image, [h, w]);
        }
        Ok(Tensor::from_vec(values, x.shape(), x.device())?)
    }

    fn drawn(&self, stream: &mut Stream, [h, w]: [usize; 2]) -> Change {
        // Always as many draws, so that one change is the same with and without the others.
        let mut up_to = |most: f64| stream.uniform(-most, most);
        let [y, x, turn, contrast, side] = [self.shift, self.shift, self.rotate, self.contrast, 1.0].map(&mut up_to);
        Change {
            flip: self.flip && side < 0.0,
            shift: [y * h as f64, x * w as f64],
            angle: turn.to_radians(),
            contrast: 1.0 + contrast,
        }
    }
}

impl Change {
    /// Changes one image, channel by channel; what comes in from outside is black.
    fn apply(&self, image: &mut [f32], [h, w]: [usize; 2]) {
        let still = !self.flip && self.shift == [0.0; 2] && self.angle == 0.0;
        for plane in image.chunks_exact_mut(h * w).filter(|_| !still) {
            let moved = self.moved(plane, [h, w]);
            plane.copy_from_slice(&moved);
        }
        if self.contrast != 1.0 {
            let mean = image.iter().map(|v| f64::from(*v)).sum::<f64>() / image.len() as f64;
            for value in image {
                *value = (mean + (f64::from(*value) - mean) * self.contrast).clamp(0.0, 1.0) as f32;
            }
        }
    }

    /// Each pixel from where it was, bilinear.
    fn moved(&self, plane: &[f32], [h, w]: [usize; 2]) -> Vec<f32> {
        let (sin, cos) = self.angle.sin_cos();
        let [middle_y, middle_x] = [h, w].map(|side| (side as f64 - 1.0) / 2.0);
        let mut out = Vec::with_capacity(h * w);
        for y in 0..h {
            for x in 0..w {
                let (y, x) = (y as f64 - middle_y - self.shift[0], x as f64 - middle_x - self.shift[1]);
                let (y, x) = (cos * y + sin * x, cos * x - sin * y);
                let x = if self.flip { -x } else { x };
                out.push(sampled(plane, [h, w], y + middle_y, x + middle_x));
            }
        }
        out
    }
}

/// The value between pixels, 0 outside.
fn sampled(plane: &[f32], [h, w]: [usize; 2], y: f64, x: f64) -> f32 {
    let (top, left) = (y.floor(), x.floor());
    let (down, right) = ((y - top) as f32, (x - left) as f32);
    let at = |y: f64, x: f64| {
        let inside = y >= 0.0 && x >= 0.0 && y < h as f64 && x < w as f64;
        if inside { plane[y as usize * w + x as usize] } else { 0.0 }
    };
    let upper = at(top, left) * (1.0 - right) + at(top, left + 1.0) * right;
    let lower = at(top + 1.0, left) * (1.0 - right) + at(top + 1.0, left + 1.0) * right;
    upper * (1.0 - down) + lower * down
}

#[cfg(test)]
mod tests {
    use candle_core::Device;

    use super::*;

    const STILL: Change = Change { flip: false, shift: [0.0; 2], angle: 0.0, contrast: 1.0 };

    fn changed(change: Change, image: &[f32], size: [usize; 2]) -> Vec<f32> {
        let mut image = image.to_vec();
        change.apply(&mut image, size);
        image
    }

    #[test]
    fn images_are_mirrored_moved_turned_and_made_paler() {
        let image: Vec<f32> = (1..=9).map(|v| v as f32 / 10.0).collect();
        let near = |got: Vec<f32>, expected: [f32; 9]| {
            assert!(got.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-5), "{got:?}, not {expected:?}");
        };
        let size = [3, 3];
        near(changed(Change { flip: true, ..STILL }, &image, size), [0.3, 0.2, 0.1, 0.6, 0.5, 0.4, 0.9, 0.8, 0.7]);
        near(
            changed(Change { shift: [1.0, 0.0], ..STILL }, &image, size),
            [0.0, 0.0, 0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6],
        );
        near(
            changed(Change { shift: [0.0, 0.5], ..STILL }, &image, size),
            [0.05, 0.15, 0.25, 0.2, 0.45, 0.55, 0.35, 0.75, 0.85],
        );
        let quarter = std::f64::consts::FRAC_PI_2;
        near(changed(Change { angle: quarter, ..STILL }, &image, size), [0.3, 0.6, 0.9, 0.2, 0.5, 0.8, 0.1, 0.4, 0.7]);
        near(
            changed(Change { contrast: 0.5, ..STILL }, &image, size),
            [0.3, 0.35, 0.4, 0.45, 0.5, 0.55, 0.6, 0.65, 0.7],
        );
        // Colours move together, and each has its own values.
        let two = changed(Change { flip: true, ..STILL }, &[0.1, 0.2, 0.3, 0.4], [1, 2]);
        assert_eq!(two, [0.2, 0.1, 0.4, 0.3]);
    }

    #[test]
    fn changes_hang_on_the_image_and_the_epoch_not_on_the_batch() {
        let all = Augment { flip: true, shift: 0.1, rotate: 10.0, contrast: 0.2 };
        let x = Seed(0).stream("x", 0).uniform_tensor(0.0, 1.0, (4, 1, 6, 6), &Device::Cpu).unwrap();
        let list = |t: &Tensor| t.flatten_all().unwrap().to_vec1::<f32>().unwrap();
        let varied = all.varied(&x, &[5, 6, 7, 8], 2, Seed(1)).unwrap();
        let one = all.varied(&x.narrow(0, 2, 1).unwrap(), &[7], 2, Seed(1)).unwrap();
        assert_eq!(list(&varied.narrow(0, 2, 1).unwrap()), list(&one));
        for (epoch, seed) in [(3, 1), (2, 2)] {
            assert_ne!(list(&varied), list(&all.varied(&x, &[5, 6, 7, 8], epoch, Seed(seed)).unwrap()));
        }
        assert!(list(&varied).iter().all(|v| (0.0..=1.0).contains(v)));
        assert_eq!(list(&Augment::default().varied(&x, &[0, 1, 2, 3], 0, Seed(0)).unwrap()), list(&x));
        assert!(Augment::default().is_none() && !all.is_none());
    }

    #[test]
    fn draws_stay_within_what_is_allowed_and_use_it() {
        let all = Augment { flip: true, shift: 0.1, rotate: 10.0, contrast: 0.2 };
        let drawn: Vec<Change> = (0..400).map(|i| all.drawn(&mut Seed(i).stream("", 0), [20, 40])).collect();
        let most = |value: &dyn Fn(&Change) -> f64| drawn.iter().map(value).map(f64::abs).fold(0.0, f64::max);
        assert!((1.9..=2.0).contains(&most(&|c| c.shift[0])) && (3.8..=4.0).contains(&most(&|c| c.shift[1])));
        assert!((9.5..=10.0).contains(&most(&|c| c.angle.to_degrees())));
        assert!((0.19..=0.2).contains(&most(&|c| c.contrast - 1.0)));
        assert!((150..250).contains(&drawn.iter().filter(|c| c.flip).count()));
        let alone = Augment { rotate: 10.0, ..Augment::default() };
        assert_eq!(alone.drawn(&mut Seed(3).stream("", 0), [20, 40]).angle, drawn[3].angle);
    }
}

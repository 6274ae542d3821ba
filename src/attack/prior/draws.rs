//! What the learned prior draws.

use candle_core::{Device, Tensor};

use crate::error::Result;
use crate::random::Stream;

/// The most pixels that an image is moved by; of small images a quarter of their side.
const SHIFT: usize = 4;

/// Standard normal numbers (N, k).
pub(super) fn normal(stream: &mut Stream, n: usize, k: usize, device: &Device) -> Result<Tensor> {
    let values: Vec<f32> = (0..n * k).map(|_| stream.normal() as f32).collect();
    Ok(Tensor::from_vec(values, (n, k), device)?)
}

/// Each image moved by up to [`SHIFT`] pixels down and across; what comes in is its edge.
pub(super) fn shifted(images: &Tensor, stream: &mut Stream) -> Result<Tensor> {
    let (n, c, h, w) = images.dims4()?;
    let from: Vec<f32> = images.flatten_all()?.to_vec1()?;
    let mut to = Vec::with_capacity(from.len());
    for image in from.chunks(c * h * w) {
        let [down, across] = [h, w].map(|side| {
            let most = SHIFT.min(side / 4);
            stream.below(2 * most + 1) as isize - most as isize
        });
        let at = |i: usize, by: isize, side: usize| (i as isize + by).clamp(0, side as isize - 1) as usize;
        for plane in image.chunks(h * w) {
            to.extend((0..h * w).map(|i| plane[at(i / w, down, h) * w + at(i % w, across, w)]));
        }
    }
    Ok(Tensor::from_vec(to, (n, c, h, w), images.device())?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Seed;

    #[test]
    fn a_shifted_image_is_a_piece_of_itself_with_its_edge_drawn_out() {
        let values: Vec<f32> = (0..3 * 12 * 20).map(|i| i as f32).collect();
        let image = Tensor::from_vec(values, (1, 3, 12, 20), &Device::Cpu).unwrap();
        let mut moved = 0;
        for seed in 0..20 {
            let got = shifted(&image, &mut Seed(seed).stream("shift", 0)).unwrap().to_vec3_of(0);
            let (down, across) = ((got[0][5][9] as isize - 109) / 20, (got[0][5][9] as isize - 109) % 20);
            // 109 is the value at (5, 9); a move is by 3 rows at most and by 4 columns.
            let (down, across) = match across {
                ..=-10 => (down - 1, across + 20),
                10.. => (down + 1, across - 20),
                _ => (down, across),
            };
            assert!(down.abs() <= 3 && across.abs() <= 4, "{down} {across}");
            moved += usize::from((down, across) != (0, 0));
            for (c, plane) in got.iter().enumerate() {
                for (y, row) in plane.iter().enumerate() {
                    for (x, value) in row.iter().enumerate() {
                        let at =
                            |i: usize, by: isize, side: usize| (i as isize + by).clamp(0, side as isize - 1) as usize;
                        assert_eq!(*value as usize, c * 240 + at(y, down, 12) * 20 + at(x, across, 20));
                    }
                }
            }
        }
        assert!(moved > 10, "{moved}");
    }

    trait Planes {
        fn to_vec3_of(&self, i: usize) -> Vec<Vec<Vec<f32>>>;
    }

    impl Planes for Tensor {
        fn to_vec3_of(&self, i: usize) -> Vec<Vec<Vec<f32>>> {
            self.get(i).unwrap().to_vec3().unwrap()
        }
    }
}

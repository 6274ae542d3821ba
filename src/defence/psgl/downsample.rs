//! Step 2 of PSGL: reversible downsampling (METHOD §2.2; [E, section IV-B]).
//!
//! 2×2 space-to-depth turns (C, H, W) into (4C, H/2, W/2), and one more channel carries |map|, averaged
//! over channels and 2×2 (that channel is ours). Odd sides are padded at the bottom and right by
//! repeating the edge, and cropped on the way back.

use candle_core::{D, Tensor};

use crate::engine::pool::{Pool, pool};
use crate::engine::shuffle::{depth_to_space, space_to_depth};
use crate::error::Result;

/// Packs images and their gradient map (both N, C, H, W) to (N, 4C + 1, ⌈H/2⌉, ⌈W/2⌉).
///
/// # Errors
/// Where image and map differ in shape.
pub fn pack(x: &Tensor, map: &Tensor) -> Result<Tensor> {
    pack_with_channel(x, &map_channel(map)?)
}

/// What is sent of a gradient map (N, C, H, W): |map|, averaged over channels and 2×2, (N, 1, ⌈H/2⌉, ⌈W/2⌉).
///
/// # Errors
/// Where the map has other dimensions.
pub fn map_channel(map: &Tensor) -> Result<Tensor> {
    // candle's means over other dimensions than the last are slow.
    let map = if map.dim(1)? == 1 { map.abs()? } else { map.abs()?.mean_keepdim(1)? };
    Ok(pool(&even(&map)?, Pool::Mean, 2)?)
}

/// Packs images with a ready map channel (N, 1, ⌈H/2⌉, ⌈W/2⌉).
///
/// # Errors
/// Where the channel does not fit the images.
pub fn pack_with_channel(x: &Tensor, channel: &Tensor) -> Result<Tensor> {
    Ok(Tensor::cat(&[&space_to_depth(&even(x)?)?, channel], 1)?)
}

/// Packs images with a zero map: what a client without the attack would send.
///
/// # Errors
/// Where x is not (N, C, H, W).
pub fn pack_clean(x: &Tensor) -> Result<Tensor> {
    let (n, _, h, w) = x.dims4()?;
    let channel = Tensor::zeros((n, 1, h.div_ceil(2), w.div_ceil(2)), x.dtype(), x.device())?;
    pack_with_channel(x, &channel)
}

/// The images back out of the packed ones, (N, C, `height`, `width`).
///
/// # Errors
/// Where the packed tensor is too small for that size.
pub fn unpack(packed: &Tensor, height: usize, width: usize) -> Result<Tensor> {
    let channels = (packed.dim(1)? - 1) / 4;
    let x = depth_to_space(&packed.narrow(1, 0, 4 * channels)?)?;
    Ok(x.narrow(2, 0, height)?.narrow(3, 0, width)?.contiguous()?)
}

/// The packed shape of (C, H, W).
pub fn packed_shape([c, h, w]: [usize; 3]) -> [usize; 3] {
    [4 * c + 1, h.div_ceil(2), w.div_ceil(2)]
}

/// Repeats the last row and column of an odd side.
fn even(x: &Tensor) -> Result<Tensor> {
    let mut x = x.clone();
    for side in [2, 3] {
        let n = x.dim(side)?;
        if n % 2 == 1 {
            x = Tensor::cat(&[&x, &x.narrow(side, n - 1, 1)?], side)?;
        }
    }
    Ok(x)
}

/// Spreads a map channel (N, 1, h, w) back over the 2×2 pixels it stands for: (N, 1, `height`, `width`).
///
/// # Errors
/// Where the channel is too small for that size.
pub fn spread_channel(channel: &Tensor, height: usize, width: usize) -> Result<Tensor> {
    let four = channel.broadcast_as({
        let mut dims = channel.dims().to_vec();
        dims[channel.rank() - 3] = 4;
        dims
    })?;
    let x = depth_to_space(&four.contiguous()?)?;
    debug_assert_eq!(x.dim(D::Minus(3)).unwrap_or(1), 1);
    Ok(x.narrow(2, 0, height)?.narrow(3, 0, width)?.contiguous()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::Device;

    #[test]
    fn odd_sides_come_back_exactly() {
        for (h, w) in [(5, 7), (4, 5), (1, 1), (6, 4)] {
            let x = Tensor::arange(0f32, (2 * 3 * h * w) as f32, &Device::Cpu).unwrap().reshape((2, 3, h, w)).unwrap();
            let packed = pack(&x, &x.affine(-0.1, 0.0).unwrap()).unwrap();
            assert_eq!(packed.dims()[1..], packed_shape([3, h, w]));
            let back = unpack(&packed, h, w).unwrap();
            assert_eq!(
                back.flatten_all().unwrap().to_vec1::<f32>().unwrap(),
                x.flatten_all().unwrap().to_vec1::<f32>().unwrap()
            );
        }
    }

    #[test]
    fn the_map_channel_is_the_mean_of_a_block() {
        let map = Tensor::new(&[[[[-1f32, 0.0, 0.0, 0.0], [0.0, 0.5, 0.0, 1.0]]]], &Device::Cpu).unwrap();
        let packed = pack(&map.zeros_like().unwrap(), &map).unwrap();
        let channel = packed.narrow(1, 4, 1).unwrap();
        assert_eq!(channel.flatten_all().unwrap().to_vec1::<f32>().unwrap(), [0.375, 0.25]);
        let spread = spread_channel(&channel, 2, 4).unwrap().flatten_all().unwrap().to_vec1::<f32>().unwrap();
        assert_eq!(spread, [0.375, 0.375, 0.25, 0.25, 0.375, 0.375, 0.25, 0.25]);
    }
}

//! What a defence makes of smashed data sample by sample.

use candle_core::Tensor;

use crate::engine::tape::sum;
use crate::error::Result;
use crate::random::Stream;

/// What `f` makes of the numbers of each sample of z (N, …), which it changes in place, as a constant of the same shape.
///
/// # Errors
/// Returns an error if there is no memory left.
pub fn each_sample(z: &Tensor, f: impl Fn(&mut [f32])) -> Result<Tensor> {
    let mut values = z.detach().flatten_all()?.to_vec1::<f32>()?;
    let size = values.len() / z.dim(0)?.max(1);
    values.chunks_exact_mut(size.max(1)).for_each(f);
    Ok(Tensor::from_vec(values, z.shape(), z.device())?)
}

/// z with a number added to each of its own, which the sample's stream draws; differentiable.
///
/// # Errors
/// Returns an error if there is no memory left.
pub fn noisy(z: &Tensor, stream: impl Fn(usize) -> Stream, draw: impl Fn(&mut Stream) -> f64) -> Result<Tensor> {
    let size = z.elem_count() / z.dim(0)?.max(1);
    let mut noise = Vec::with_capacity(z.elem_count());
    for i in 0..z.dim(0)? {
        let mut stream = stream(i);
        noise.extend((0..size).map(|_| draw(&mut stream) as f32));
    }
    Ok(sum(z, &Tensor::from_vec(noise, z.shape(), z.device())?)?)
}

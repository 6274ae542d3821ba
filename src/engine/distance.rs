//! How far two lists of tensors are apart, all numbers together, and the way back.
//!
//! An own operation because gradients are compared in every step of a search by them: of candle's operations that takes a
//! dozen passes over as many numbers as a model has weights, of these two. Sums are in double precision, so that what
//! is close does not drown in rounding.

use candle_core::{DType, Result, Tensor};
use rayon::prelude::*;

use super::fresh::{Fresh, Piece};
use super::loss::carry_on;
use super::own::own_kernels;
use super::simd::widest;
use super::tape::sum;
use super::{PIECE, held};

/// What is to be known of two lists of numbers.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sums {
    /// Σ a b.
    pub product: f64,
    /// Σ a².
    pub squared: f64,
    /// Σ (a − b)².
    pub apart: f64,
}

/// A scalar of value `value` and slopes `by_a` · a + `by_b` · b by the numbers of `a`.
#[derive(Clone, Copy, Debug)]
pub struct Sloped {
    /// The value.
    pub value: f64,
    /// What a counts in the slope by it.
    pub by_a: f64,
    /// What b counts there.
    pub by_b: f64,
}

/// A function of the sums over both lists (float32, pairs of one shape), part of the graph of `a`: a scalar.
///
/// # Errors
/// Where the shapes differ.
pub fn compared(a: &[Tensor], b: &[Tensor], function: impl FnOnce(Sums) -> Sloped) -> Result<Tensor> {
    for (a, b) in a.iter().zip(b) {
        if a.shape() != b.shape() {
            candle_core::bail!("{:?} was compared with {:?}", a.dims(), b.dims());
        }
    }
    let Some(device) = a.first().map(Tensor::device) else { candle_core::bail!("nothing was compared") };
    if !own_kernels(device) {
        return composed(a, b, function);
    }
    let a = a.iter().map(Tensor::contiguous).collect::<Result<Vec<_>>>()?;
    let b = b.iter().map(Tensor::contiguous).collect::<Result<Vec<_>>>()?;
    let mut all = Sums::default();
    for (a, b) in a.iter().zip(&b) {
        let sums = sums(held(a).values()?, held(b).values()?);
        all.product += sums.product;
        all.squared += sums.squared;
        all.apart += sums.apart;
    }
    let sloped = function(all);
    let mut end = Tensor::new(sloped.value as f32, device)?;
    for (a, b) in a.iter().zip(&b) {
        let slopes = slopes(held(a).values()?, held(b).values()?, sloped);
        end = sum(&end, &carry_on(a, &Tensor::from_vec(slopes, a.shape(), a.device())?)?)?;
    }
    Ok(end)
}

/// The same from candle's own operations: three numbers in all come to the processor.
fn composed(a: &[Tensor], b: &[Tensor], function: impl FnOnce(Sums) -> Sloped) -> Result<Tensor> {
    let mut all: Option<Tensor> = None;
    for (a, b) in a.iter().zip(b) {
        let wide = |t: &Tensor| t.detach().to_dtype(DType::F64);
        let (a, b) = (wide(a)?, wide(b)?);
        let sums = [(&a * &b)?, a.sqr()?, (&a - &b)?.sqr()?].iter().map(Tensor::sum_all).collect::<Result<Vec<_>>>()?;
        let sums = Tensor::stack(&sums, 0)?;
        all = Some(match all {
            None => sums,
            Some(all) => (all + sums)?,
        });
    }
    let sums = all.map(|all| all.to_vec1::<f64>()).transpose()?.unwrap_or_default();
    let [product, squared, apart] = sums[..] else { candle_core::bail!("nothing was compared") };
    let Sloped { value, by_a, by_b } = function(Sums { product, squared, apart });
    let mut end: Option<Tensor> = None;
    for (a, b) in a.iter().zip(b) {
        let slopes = ((a.detach() * by_a)? + (b.detach() * by_b)?)?;
        let part = carry_on(a, &slopes)?;
        end = Some(match end {
            None => (part + value)?,
            Some(end) => sum(&end, &part)?,
        });
    }
    end.ok_or_else(|| candle_core::Error::Msg("nothing was compared".into()))
}

fn sums(a: &[f32], b: &[f32]) -> Sums {
    let pieces: Vec<Sums> = a.par_chunks(PIECE).zip(b.par_chunks(PIECE)).map(|(a, b)| sums_of_piece(a, b)).collect();
    pieces.into_iter().fold(Sums::default(), |all, one| Sums {
        product: all.product + one.product,
        squared: all.squared + one.squared,
        apart: all.apart + one.apart,
    })
}

/// In sixteen interleaved parts each.
fn sums_of_piece(a: &[f32], b: &[f32]) -> Sums {
    let mut parts = [[0f64; 16]; 3];
    widest(
        #[inline(always)]
        || {
            let [product, squared, apart] = &mut parts;
            let mut add = |i: usize, a: f32, b: f32| {
                let (a, b) = (f64::from(a), f64::from(b));
                product[i] += a * b;
                squared[i] += a * a;
                apart[i] += (a - b) * (a - b);
            };
            let (wholes_a, wholes_b) = (a.chunks_exact(16), b.chunks_exact(16));
            let rest = wholes_a.remainder().iter().zip(wholes_b.remainder()).enumerate();
            for (a, b) in wholes_a.zip(wholes_b) {
                for i in 0..16 {
                    add(i, a[i], b[i]);
                }
            }
            rest.for_each(|(i, (&a, &b))| add(i, a, b));
        },
    );
    let [product, squared, apart] = parts.map(|part| part.iter().sum());
    Sums { product, squared, apart }
}

fn slopes(a: &[f32], b: &[f32], Sloped { by_a, by_b, .. }: Sloped) -> Vec<f32> {
    let mut fresh = Fresh::new(a.len());
    fresh.pieces(PIECE).zip(a.par_chunks(PIECE).zip(b.par_chunks(PIECE))).for_each(|(out, (a, b))| {
        let out = Piece::open(out);
        widest(
            #[inline(always)]
            || {
                for ((out, &a), &b) in out.iter_mut().zip(a).zip(b) {
                    *out = (by_a * f64::from(a) + by_b * f64::from(b)) as f32;
                }
            },
        );
    });
    fresh.finish()
}

#[cfg(test)]
mod tests {
    use candle_core::{Device, Var};

    use super::*;
    use crate::random::Seed;

    #[test]
    fn sums_and_slopes_are_those_of_plain_arithmetic() {
        let noise = |name: &str, shape: &[usize]| {
            Seed(7).stream(name, 0).uniform_tensor(-1.0, 1.0, shape, &Device::Cpu).unwrap()
        };
        let shapes: [&[usize]; 3] = [&[5, 7], &[3], &[40_000]];
        let a: Vec<Var> = shapes.iter().map(|s| Var::from_tensor(&noise("a", s)).unwrap()).collect();
        let b: Vec<Tensor> = shapes.iter().map(|s| noise("b", s)).collect();
        let numbers = |t: &Tensor| t.flatten_all().unwrap().to_vec1::<f32>().unwrap();
        let all: Vec<(f64, f64)> = a
            .iter()
            .zip(&b)
            .flat_map(|(a, b)| numbers(a).into_iter().zip(numbers(b)))
            .map(|(a, b)| (f64::from(a), f64::from(b)))
            .collect();
        let tracked: Vec<Tensor> = a.iter().map(|a| a.as_tensor().clone()).collect();
        let end = compared(&tracked, &b, |sums| {
            for (got, wanted) in [
                (sums.product, all.iter().map(|(a, b)| a * b).sum::<f64>()),
                (sums.squared, all.iter().map(|(a, _)| a * a).sum()),
                (sums.apart, all.iter().map(|(a, b)| (a - b).powi(2)).sum()),
            ] {
                assert!((got - wanted).abs() < 1e-9 * wanted.abs().max(1.0), "{got} {wanted}");
            }
            Sloped { value: 0.25, by_a: 2.0, by_b: -3.0 }
        })
        .unwrap();
        assert_eq!(end.to_scalar::<f32>().unwrap(), 0.25);
        let gradients = end.backward().unwrap();
        for (a, b) in a.iter().zip(&b) {
            let slopes = numbers(gradients.get(a).unwrap());
            for ((slope, a), b) in slopes.into_iter().zip(numbers(a)).zip(numbers(b)) {
                assert!((slope - (2.0 * a - 3.0 * b)).abs() < 1e-6);
            }
        }
        assert!(compared(&tracked[..1], &b[1..2], |_| unreachable!()).is_err());
    }
}

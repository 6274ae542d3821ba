//! Vectors of the processor at hand, for float32 and float64 alike: a thin face of the `pulp` crate,
//! which chooses the instruction set when the program runs (AVX-512, AVX2, NEON or plain numbers).

use candle_core::WithDType;
use pulp::{Arch, Simd, WithSimd};

/// The numbers the kernels work on: float32 and float64.
pub trait Real:
    WithDType
    + candle_core::cpu::kernels::VecOps
    + Default
    + Send
    + Sync
    + std::ops::AddAssign
    + std::ops::Mul<Output = Self>
    + std::ops::Add<Output = Self>
    + PartialOrd
{
    /// 0.
    const ZERO: Self;
    /// 1.
    const ONE: Self;
    /// As many numbers as one instruction takes.
    type Vector<S: Simd>: Copy;

    /// How many that are.
    fn lanes<S: Simd>() -> usize;
    /// The same number in every lane.
    fn splat<S: Simd>(simd: S, value: Self) -> Self::Vector<S>;
    /// The first numbers of a slice, which has at least as many as there are lanes.
    fn load<S: Simd>(values: &[Self]) -> Self::Vector<S>;
    /// Writes a vector over the first numbers of a slice.
    fn store<S: Simd>(values: &mut [Self], vector: Self::Vector<S>);
    /// a·b + c, lane by lane, rounded once where the processor can.
    fn mul_add<S: Simd>(simd: S, a: Self::Vector<S>, b: Self::Vector<S>, c: Self::Vector<S>) -> Self::Vector<S>;
    /// a + b, lane by lane.
    fn plus<S: Simd>(simd: S, a: Self::Vector<S>, b: Self::Vector<S>) -> Self::Vector<S>;
    /// a − b, lane by lane.
    fn minus<S: Simd>(simd: S, a: Self::Vector<S>, b: Self::Vector<S>) -> Self::Vector<S>;
    /// The sum over the lanes, always in the same order.
    fn sum<S: Simd>(simd: S, vector: Self::Vector<S>) -> Self;
}

macro_rules! real {
    ($T:ident, $vector:ident, $lanes:ident, $splat:ident, $slice:ident, $slice_mut:ident, $mul_add:ident, $add:ident, $sub:ident,
     $sum:ident) => {
        impl Real for $T {
            const ZERO: Self = 0.0;
            const ONE: Self = 1.0;
            type Vector<S: Simd> = S::$vector;

            #[inline(always)]
            fn lanes<S: Simd>() -> usize {
                S::$lanes
            }
            #[inline(always)]
            fn splat<S: Simd>(simd: S, value: Self) -> S::$vector {
                simd.$splat(value)
            }
            #[inline(always)]
            fn load<S: Simd>(values: &[Self]) -> S::$vector {
                S::$slice(values).0[0]
            }
            #[inline(always)]
            fn store<S: Simd>(values: &mut [Self], vector: S::$vector) {
                S::$slice_mut(values).0[0] = vector;
            }
            #[inline(always)]
            fn mul_add<S: Simd>(simd: S, a: S::$vector, b: S::$vector, c: S::$vector) -> S::$vector {
                simd.$mul_add(a, b, c)
            }
            #[inline(always)]
            fn plus<S: Simd>(simd: S, a: S::$vector, b: S::$vector) -> S::$vector {
                simd.$add(a, b)
            }
            #[inline(always)]
            fn minus<S: Simd>(simd: S, a: S::$vector, b: S::$vector) -> S::$vector {
                simd.$sub(a, b)
            }
            #[inline(always)]
            fn sum<S: Simd>(simd: S, vector: S::$vector) -> Self {
                simd.$sum(vector)
            }
        }
    };
}

real!(
    f32,
    f32s,
    F32_LANES,
    splat_f32s,
    as_simd_f32s,
    as_mut_simd_f32s,
    mul_add_e_f32s,
    add_f32s,
    sub_f32s,
    reduce_sum_f32s
);
real!(
    f64,
    f64s,
    F64_LANES,
    splat_f64s,
    as_simd_f64s,
    as_mut_simd_f64s,
    mul_add_e_f64s,
    add_f64s,
    sub_f64s,
    reduce_sum_f64s
);

struct Widest<F>(F);

impl<R, F: FnMut() -> R> WithSimd for Widest<F> {
    type Output = R;

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, _: S) -> R {
        (self.0)()
    }
}

/// Does `work`, a closure marked `#[inline(always)]`, compiled for the processor's widest vectors.
///
/// `pulp` takes closures too, but calls them as `FnOnce`. For one that can be called again that goes through a function of
/// the compiler's making, which is not inlined and so is compiled for any processor.
pub fn widest<R>(work: impl FnMut() -> R) -> R {
    Arch::new().dispatch(Widest(work))
}

/// The sum of many numbers, in sixteen interleaved parts: fast, and more accurate than one after the other.
pub fn sum<T: Real>(values: &[T]) -> T {
    widest(
        #[inline(always)]
        || sum_here(values),
    )
}

#[inline(always)]
fn sum_here<T: Real>(values: &[T]) -> T {
    let mut parts = [T::ZERO; 16];
    let chunks = values.chunks_exact(16);
    let rest = chunks.remainder();
    for chunk in chunks {
        for (part, &v) in parts.iter_mut().zip(chunk) {
            *part += v;
        }
    }
    for (part, &v) in parts.iter_mut().zip(rest) {
        *part += v;
    }
    let mut total = T::ZERO;
    for part in parts {
        total += part;
    }
    total
}

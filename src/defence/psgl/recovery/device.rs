//! The recovery from candle's own operations, for devices that are not the CPU: the whole batch at once, and nothing of it
//! comes to the processor.
//!
//! Such devices have no eigenvectors, so W = V·diag(max(1 − τ/σ, 0))·Vᵀ, by which P is multiplied for the proximal map of
//! τ‖·‖*, is made of products alone. With B = PPᵀ/τ² and the matrix sign (Higham, *Functions of Matrices*, 2008, ch. 5 and 6)
//!
//! B₊ = I + ½(X + X·sign(X)), X = B − I, W = I − B₊^(−½):
//!
//! eigenvalues of B below 1 become 1 in B₊, and 0 in W. sign and root are iterations by odd polynomials of degree five, the
//! first of which grow small eigenvalues fast and the last of which converge. In double precision: B's eigenvalues span
//! the square of what P's singular values do.

use candle_core::{DType, Result, Tensor};

use super::{MapNorm, Recovery, START};

/// Coefficients of x, x³ and x⁵ that multiply small x by the first and keep all in [0.6, 1.2] that has come there.
const FAST: [f64; 3] = [3.4445, -4.7750, 2.0315];
/// Those that converge to ±1 from there, to the third order.
const LAST: [f64; 3] = [15.0 / 8.0, -10.0 / 8.0, 3.0 / 8.0];
/// Fast steps of the sign: what is within 10⁻¹⁰ of 0, as a share of the largest, is left between.
const SIGN_STEPS: usize = 20;
/// Those of the root: from the largest eigenvalue down to a 10⁹th of it.
const ROOT_STEPS: usize = 9;
/// Of either.
const LAST_STEPS: usize = 3;
/// Squarings by which the largest eigenvalue stands out.
const SQUARINGS: usize = 14;

/// L and S of matrices (N, rows, cols), float32.
pub(super) fn solve(recovery: &Recovery, d: &Tensor) -> Result<(Tensor, Tensor)> {
    let (_, rows, cols) = d.dims3()?;
    let d = d.detach();
    if recovery.iterations == 0 {
        return Ok((d.zeros_like()?, d.zeros_like()?));
    }
    let turned = |t: &Tensor| if rows > cols { t.transpose(1, 2)?.contiguous() } else { t.contiguous() };
    let d = turned(&d)?;
    let scale = d.flatten_from(1)?.abs()?.max_keepdim(1)?.unsqueeze(2)?;
    let d = d.broadcast_div(&scale.maximum(f64::from(f32::MIN_POSITIVE))?)?;
    let (lambda, mu) = (f64::from(Recovery::lambda(rows, cols)), f64::from(recovery.mu));
    let (mut tau, decay) = schedule(recovery, &largest(&d)?)?;
    let (mut point, mut gap) = ((&d * 0.5)?, d.zeros_like()?);
    let (mut low, mut map) = (d.zeros_like()?, d.zeros_like()?);
    let mut momentum = 1.0f64;
    for _ in 0..recovery.iterations {
        let bound = (&tau * 0.5)?;
        let map_bound = (&bound * lambda)?;
        low = shrunk(&point, &bound)?;
        let rest = (&d - &point)?;
        map = match recovery.map_norm {
            MapNorm::L1 => soft_threshold(&rest, &map_bound)?,
            MapNorm::Nuclear => shrunk(&rest, &map_bound)?,
        };
        let before = momentum;
        momentum = f64::midpoint(1.0, (1.0 + 4.0 * momentum * momentum).sqrt());
        let new = (&low - &map)?;
        let ahead = ((&new - &gap)? * ((before - 1.0) / momentum))?;
        point = (((&d + &new)? + ahead)? * 0.5)?;
        gap = new;
        tau = tau.broadcast_mul(&decay)?.maximum(mu)?;
    }
    let back = |t: &Tensor| turned(&t.broadcast_mul(&scale)?);
    Ok((back(&low)?, back(&map)?))
}

/// As [`Recovery::schedule`], for the largest singular value of each matrix (N, 1, 1).
fn schedule(recovery: &Recovery, largest: &Tensor) -> Result<(Tensor, Tensor)> {
    let mu = f64::from(recovery.mu);
    let start = (largest * f64::from(START))?.maximum(mu)?;
    let falls = (start.recip()? * mu)?.log()?;
    Ok((start, (falls * (1.0 / recovery.steps_down() as f64))?.exp()?))
}

/// PPᵀ of each matrix (N, m, n), in float64.
fn gram(p: &Tensor) -> Result<Tensor> {
    let p = p.to_dtype(DType::F64)?;
    p.matmul(&p.transpose(1, 2)?)
}

/// The sum of the diagonal of each matrix (N, m, m): (N, 1, 1).
fn trace(t: &Tensor, eye: &Tensor) -> Result<Tensor> {
    t.broadcast_mul(eye)?.sum_keepdim((1, 2))
}

/// The largest singular value of each matrix (N, m, n): (N, 1, 1).
fn largest(d: &Tensor) -> Result<Tensor> {
    let gram = gram(d)?;
    let eye = Tensor::eye(gram.dim(1)?, DType::F64, gram.device())?;
    let scaled = |t: &Tensor| t.broadcast_div(&trace(t, &eye)?.maximum(f64::MIN_POSITIVE)?);
    let mut power = scaled(&gram)?;
    for _ in 0..SQUARINGS {
        power = scaled(&power.matmul(&power)?)?;
    }
    // Rounding may leave it a little below 0 where there is nothing.
    trace(&gram.matmul(&power)?, &eye)?.maximum(0.0)?.sqrt()
}

/// The proximal map of τ‖·‖₁, τ (N, 1, 1).
fn soft_threshold(v: &Tensor, tau: &Tensor) -> Result<Tensor> {
    v.abs()?.broadcast_sub(&tau.to_dtype(v.dtype())?)?.relu()? * v.sign()?
}

/// The proximal map of τ‖·‖* at each matrix (N, m, n), m ≤ n, τ (N, 1, 1).
fn shrunk(p: &Tensor, tau: &Tensor) -> Result<Tensor> {
    let gram = gram(p)?.broadcast_div(&tau.sqr()?)?;
    let eye =
        Tensor::eye(gram.dim(1)?, DType::F64, gram.device())?.unsqueeze(0)?.broadcast_as(gram.shape())?.contiguous()?;
    // At least the largest eigenvalue of B, and of B₊.
    let most = trace(&gram, &eye)?.maximum(1.0)?;
    let above = (&gram - &eye)?;
    let magnitude = above.matmul(&sign(&above.broadcast_div(&most)?, &eye)?)?;
    let raised = (&eye + ((above + magnitude)? * 0.5)?)?;
    let root = inverse_root(&raised.broadcast_div(&most)?, &eye)?.broadcast_div(&most.sqrt()?)?;
    let weights = (eye - root)?;
    // Where no singular value is above τ nothing is left, and not the rounding of it.
    let most = weights.flatten_from(1)?.abs()?.max_keepdim(1)?.unsqueeze(2)?;
    let anything = most.ge(f64::from(f32::EPSILON))?.to_dtype(DType::F64)?;
    weights.broadcast_mul(&anything)?.to_dtype(p.dtype())?.matmul(p)
}

/// The steps in their order.
fn steps(fast: usize) -> impl Iterator<Item = [f64; 3]> {
    std::iter::repeat_n(FAST, fast).chain(std::iter::repeat_n(LAST, LAST_STEPS))
}

/// a·I + b·w + c·w².
fn polynomial(w: &Tensor, eye: &Tensor, [a, b, c]: [f64; 3]) -> Result<Tensor> {
    (w.matmul(&((w * c)? + (eye * b)?)?)? + (eye * a)?)?.contiguous()
}

/// The sign of symmetric matrices whose eigenvalues lie in [−1, 1].
fn sign(x: &Tensor, eye: &Tensor) -> Result<Tensor> {
    let mut x = x.clone();
    for step in steps(SIGN_STEPS) {
        x = x.matmul(&polynomial(&x.matmul(&x)?, eye, step)?)?;
    }
    Ok(x)
}

/// The inverse square root of symmetric matrices whose eigenvalues lie in (0, 1]. Root and inverse root are carried along
/// together: the inverse alone would be unstable.
fn inverse_root(x: &Tensor, eye: &Tensor) -> Result<Tensor> {
    let (mut root, mut inverse) = (x.clone(), eye.clone());
    for step in steps(ROOT_STEPS) {
        let change = polynomial(&inverse.matmul(&root)?, eye, step)?;
        root = root.matmul(&change)?;
        inverse = change.matmul(&inverse)?;
    }
    Ok(inverse)
}

//! Eigenvectors of many small symmetric matrices at once, one in each SIMD lane.
//!
//! Cyclic Jacobi (Golub & Van Loan, *Matrix Computations*, §8.5) in the order of a tournament: in a
//! round every index meets one other, so the rotations of a round are independent of each other. It
//! is fast here because
//!
//! - matrices that change little from call to call start from the last eigenvectors, in whose basis
//!   the new matrix is nearly diagonal: about two whole sweeps are left, where a fresh start takes six or more;
//! - a pair that is settled in every lane is passed over, so the last sweeps cost next to nothing;
//! - pairs of directions that are provably below what the caller asks for are left as they are;
//! - the eigenvectors are turned once a sweep, a narrow strip at a time, which stays in the nearest cache.
//!
//! A lane that has nothing to do in a pair is turned by exactly zero, so no lane knows its neighbours.
//! Rotations are three shears by tan(θ/2), sin θ and tan(θ/2): one operation fewer than the usual
//! four, and small ones do not stretch a vector, so eigenvectors stay orthonormal for long.

use std::ops::Range;

use pulp::Simd;

use super::lanes::{self, Lanes, Square, TILE};

/// A pair is settled where |g| ≤ this · √(λ_p λ_q). Sweeps converge quadratically, so most end far below it.
const SETTLED: f32 = 2e-5;

/// Eigenvalues below this part of the largest count as this large: float32 says no more about them.
const LEAST: f32 = 1e-5;

/// More than any matrix has been seen to need.
const MOST_SWEEPS: usize = 24;

/// Calls after which the eigenvectors are made orthonormal anew.
const STRAIGHTEN: usize = 8;

/// Decomposes one symmetric, positive semidefinite matrix a lane, again and again.
pub struct Eigen<S> {
    side: usize,
    /// The matrix in the basis of the eigenvectors. Only its lower triangle is kept up to date.
    turned: Square<S>,
    /// One eigenvector a row.
    vectors: Square<S>,
    spare: Square<S>,
    /// Sums of the magnitudes in each row of `turned`.
    sums: Lanes<S>,
    /// All pairs (larger index first), round after round.
    pairs: Vec<(usize, usize)>,
    rounds: Vec<Range<usize>>,
    /// What was turned in this sweep, and by tan(θ/2) and sin θ.
    rotations: Vec<(usize, usize)>,
    angles: Lanes<S>,
    /// Indices that are not turned in this round.
    still: Vec<usize>,
    /// Calls since the fresh start; none before it.
    age: Option<usize>,
}

impl<S: Simd> Eigen<S> {
    /// For matrices of this side.
    #[inline(always)]
    pub fn new(side: usize) -> Self {
        let (pairs, rounds) = tournament(side);
        Self {
            side,
            turned: Square::zeros(side),
            vectors: Square::zeros(side),
            spare: Square::zeros(side),
            sums: Lanes::zeros(side),
            rotations: Vec::with_capacity(pairs.len()),
            angles: Lanes::zeros(2 * pairs.len()),
            pairs,
            rounds,
            still: Vec::with_capacity(side),
            age: None,
        }
    }

    /// Number of eigenvalues.
    pub fn side(&self) -> usize {
        self.side
    }

    /// The i-th eigenvalue of each lane; in no order.
    #[inline(always)]
    pub fn value(&self, i: usize) -> S::f32s {
        self.turned.lanes[i * self.turned.pitch + i]
    }

    /// The eigenvector to it, padded with zeros.
    #[inline(always)]
    pub fn vector(&self, i: usize) -> &[S::f32s] {
        &self.vectors.lanes[i * self.vectors.pitch..][..self.vectors.side]
    }

    /// The largest eigenvalue of each lane.
    #[inline(always)]
    pub fn largest(&self, simd: S) -> S::f32s {
        // A loop, as everywhere here: closures passed to the standard library lose the instruction set.
        let mut most = simd.splat_f32s(0.0);
        for i in 0..self.side {
            most = simd.max_f32s(most, self.value(i));
        }
        most
    }

    /// Starts the next call from another's eigenvectors.
    #[inline(always)]
    pub fn start_from(&mut self, other: &Self) {
        self.vectors.lanes.copy_from_slice(&other.vectors.lanes);
        self.age = other.age;
    }

    /// Decomposes `gram`, which is symmetric and finite. Eigenvalues of at least `floor` and of at least
    /// `share` of the lane's largest are found with their vectors; smaller ones may stay mixed among each other.
    #[inline(always)]
    pub fn decompose(&mut self, simd: S, gram: &Square<S>, floor: S::f32s, share: f32) {
        if let Some(age) = self.age {
            self.age = Some(age + 1);
            if (age + 1).is_multiple_of(STRAIGHTEN) {
                self.straighten(simd);
            }
            lanes::times(simd, gram, &self.vectors.lanes, gram.pitch, &mut self.spare.lanes);
            lanes::lower(simd, &self.vectors, &self.spare, &mut self.turned);
        } else {
            self.age = Some(0);
            self.turned.lanes.copy_from_slice(&gram.lanes);
            self.vectors.lanes.fill(simd.splat_f32s(0.0));
            for i in 0..self.side {
                self.vectors.lanes[i * gram.pitch + i] = simd.splat_f32s(1.0);
            }
        }
        for _ in 0..MOST_SWEEPS {
            self.sweep(simd, floor, share);
            if self.rotations.is_empty() {
                break;
            }
            self.turn_vectors(simd);
        }
    }

    /// One step of Newton's iteration towards the nearest orthonormal basis: V ← V + V · ½(I − VᵀV).
    #[inline(always)]
    fn straighten(&mut self, simd: S) {
        lanes::gram(simd, &self.vectors.lanes, self.vectors.pitch, &mut self.turned);
        for (at, v) in self.turned.lanes.iter_mut().enumerate() {
            let one = if at % self.turned.pitch == at / self.turned.pitch { 1.0 } else { 0.0 };
            *v = simd.mul_f32s(simd.splat_f32s(0.5), simd.sub_f32s(simd.splat_f32s(one), *v));
        }
        lanes::times(simd, &self.turned, &self.vectors.lanes, self.vectors.pitch, &mut self.spare.lanes);
        for (v, change) in self.vectors.lanes.iter_mut().zip(self.spare.lanes.iter()) {
            *v = simd.add_f32s(*v, *change);
        }
    }

    /// Row sums of magnitudes. Where some of them are below a bound, so are all eigenvalues of the block
    /// of these rows and columns (Gershgorin), and its pairs need not be settled.
    #[inline(always)]
    fn sum_rows(&mut self, simd: S) {
        let pitch = self.turned.pitch;
        let sums: &mut [S::f32s] = &mut self.sums;
        for i in 0..self.side {
            let row = &self.turned.lanes[i * pitch..=i * pitch + i];
            let (before, rest) = sums.split_at_mut(i);
            let mut sum = simd.abs_f32s(row[i]);
            for (other, g) in before.iter_mut().zip(row) {
                let g = simd.abs_f32s(*g);
                sum = simd.add_f32s(sum, g);
                *other = simd.add_f32s(*other, g);
            }
            rest[0] = sum;
        }
    }

    /// Meets every pair once; `rotations` and `angles` then tell what was turned.
    #[inline(always)]
    fn sweep(&mut self, simd: S, floor: S::f32s, share: f32) {
        let largest = self.largest(simd);
        let floor = simd.max_f32s(floor, simd.mul_f32s(simd.splat_f32s(share), largest));
        let least = simd.max_f32s(floor, simd.mul_f32s(simd.splat_f32s(LEAST), largest));
        let settled = simd.splat_f32s(SETTLED * SETTLED);
        let (zero, one) = (simd.splat_f32s(0.0), simd.splat_f32s(1.0));
        self.sum_rows(simd);
        self.rotations.clear();
        let pitch = self.turned.pitch;
        let (turned, angles): (&mut [S::f32s], &mut [S::f32s]) = (&mut self.turned.lanes, &mut self.angles);
        for (round, pairs) in self.rounds.iter().enumerate() {
            let first = self.rotations.len();
            self.still.clear();
            if self.side % 2 == 1 {
                self.still.push(round);
            }
            for &(p, q) in &self.pairs[pairs.clone()] {
                let (a, b, g) = (turned[p * pitch + p], turned[q * pitch + q], turned[p * pitch + q]);
                let square = simd.mul_f32s(g, g);
                let bound = simd.mul_f32s(settled, simd.mul_f32s(simd.max_f32s(a, least), simd.max_f32s(b, least)));
                let needed = simd.less_than_or_equal_f32s(floor, simd.max_f32s(self.sums[p], self.sums[q]));
                let wanted = simd.and_m32s(needed, simd.less_than_f32s(bound, square));
                if simd.first_true_m32s(wanted) == S::F32_LANES {
                    self.still.extend([p, q]);
                    continue;
                }
                // tan θ = 2g / (d ± √(d² + 4g²)), the smaller of the two angles.
                let d = simd.sub_f32s(b, a);
                let root = simd.sqrt_f32s(simd.mul_add_e_f32s(d, d, simd.mul_f32s(simd.splat_f32s(4.0), square)));
                let root = simd.or_f32s(root, simd.and_f32s(d, simd.splat_f32s(-0.0)));
                let tangent = simd.div_f32s(simd.add_f32s(g, g), simd.add_f32s(d, root));
                let tangent = simd.select_f32s(wanted, tangent, zero);
                let secant = simd.sqrt_f32s(simd.mul_add_e_f32s(tangent, tangent, one));
                turned[p * pitch + p] = simd.negate_mul_add_e_f32s(tangent, g, a);
                turned[q * pitch + q] = simd.mul_add_e_f32s(tangent, g, b);
                turned[p * pitch + q] = simd.select_f32s(wanted, zero, g);
                let at = 2 * self.rotations.len();
                angles[at] = simd.div_f32s(tangent, simd.add_f32s(one, secant));
                angles[at + 1] = simd.div_f32s(tangent, secant);
                self.rotations.push((p, q));
            }
            // From both sides: the block of entries between two turned pairs, then those beside pairs that stayed.
            let fresh = &self.rotations[first..];
            let (angles, _) = angles[2 * first..].as_chunks::<2>();
            for (n, (&(p, q), &by)) in fresh.iter().zip(angles).enumerate() {
                for (&(u, v), &across) in fresh[..n].iter().zip(angles) {
                    let at = [place(p, u, pitch), place(q, u, pitch), place(p, v, pitch), place(q, v, pitch)];
                    let (pu, qu, pv, qv) = (turned[at[0]], turned[at[1]], turned[at[2]], turned[at[3]]);
                    let ((pu, qu), (pv, qv)) = (turn(simd, by, pu, qu), turn(simd, by, pv, qv));
                    let ((pu, pv), (qu, qv)) = (turn(simd, across, pu, pv), turn(simd, across, qu, qv));
                    (turned[at[0]], turned[at[1]], turned[at[2]], turned[at[3]]) = (pu, qu, pv, qv);
                }
                for &k in &self.still {
                    let (p, q) = (place(p, k, pitch), place(q, k, pitch));
                    (turned[p], turned[q]) = turn(simd, by, turned[p], turned[q]);
                }
            }
        }
    }

    /// Turns the eigenvectors as the last sweep turned the matrix.
    #[inline(always)]
    fn turn_vectors(&mut self, simd: S) {
        let (side, pitch) = (self.vectors.side, self.vectors.pitch);
        let (angles, _) = self.angles.as_chunks::<2>();
        let vectors: &mut [S::f32s] = &mut self.vectors.lanes;
        for k in (0..side).step_by(TILE) {
            for (&(p, q), &by) in self.rotations.iter().zip(angles) {
                let (p, q) = (p * pitch + k, q * pitch + k);
                let rows = vectors.get_disjoint_mut([p..p + TILE, q..q + TILE]).expect("two rows");
                let [p, q]: [&mut [_; TILE]; 2] = rows.map(|row| row.first_chunk_mut().expect("a tile"));
                for (p, q) in p.iter_mut().zip(q) {
                    (*p, *q) = turn(simd, by, *p, *q);
                }
            }
        }
    }
}

/// (cos θ · p − sin θ · q, sin θ · p + cos θ · q), from tan(θ/2) and sin θ.
#[inline(always)]
fn turn<S: Simd>(simd: S, [half, sine]: [S::f32s; 2], p: S::f32s, q: S::f32s) -> (S::f32s, S::f32s) {
    let p = simd.negate_mul_add_e_f32s(half, q, p);
    let q = simd.mul_add_e_f32s(sine, p, q);
    (simd.negate_mul_add_e_f32s(half, q, p), q)
}

/// Where entry (i, j) is kept, in the lower triangle.
#[inline(always)]
fn place(i: usize, j: usize, pitch: usize) -> usize {
    i.max(j) * pitch + i.min(j)
}

/// Rounds in which everyone meets everyone once. With an odd number, round r leaves out r.
fn tournament(side: usize) -> (Vec<(usize, usize)>, Vec<Range<usize>>) {
    let (mut pairs, mut rounds) = (Vec::new(), Vec::new());
    // The circle method: on an odd circle those at the same distance from `round` meet; the last stands outside.
    let circle = if side.is_multiple_of(2) { side.saturating_sub(1) } else { side };
    for round in 0..circle {
        let first = pairs.len();
        if side.is_multiple_of(2) {
            pairs.push((side - 1, round));
        }
        for i in 1..=circle / 2 {
            let (p, q) = ((round + i) % circle, (round + circle - i) % circle);
            pairs.push((p.max(q), p.min(q)));
        }
        rounds.push(first..pairs.len());
    }
    (pairs, rounds)
}

#[cfg(test)]
mod tests;

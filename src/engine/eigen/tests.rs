use pulp::{Arch, WithSimd, bytemuck};

use super::*;
use crate::random::Seed;

/// What is wrong with a decomposition, at worst over lanes and steps, relative to the largest eigenvalue.
#[derive(Debug, Default)]
struct Fault {
    /// Of A·v = λ·v, for wanted eigenvalues.
    residual: f64,
    /// Of VVᵀ = I.
    bent: f64,
    /// Of eigenvalues at or above the floor, against faer's.
    missed: f64,
}

/// Decomposes `matrix(lane, step)` for all steps, each from the step before.
struct Follow<F> {
    side: usize,
    steps: usize,
    floor: f32,
    matrix: F,
}

impl<F: Fn(usize, usize) -> Vec<f32>> WithSimd for Follow<F> {
    type Output = Fault;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> Fault {
        let side = self.side;
        let mut fault = Fault::default();
        let mut eigen = Eigen::<S>::new(side);
        for step in 0..self.steps {
            let mut square = Square::<S>::zeros(side);
            let matrices: Vec<Vec<f32>> = (0..S::F32_LANES).map(|lane| (self.matrix)(lane, step)).collect();
            for (lane, matrix) in matrices.iter().enumerate() {
                for (at, v) in matrix.iter().enumerate() {
                    let vector = at / side * square.pitch + at % side;
                    square.lanes.numbers_mut()[vector * S::F32_LANES + lane] = *v;
                }
            }
            eigen.decompose(simd, &square, simd.splat_f32s(self.floor), 0.0);
            for (lane, matrix) in matrices.iter().enumerate() {
                let number = |v: S::f32s| f64::from(bytemuck::cast_slice::<_, f32>(&[v])[lane]);
                let values: Vec<f64> = (0..side).map(|i| number(eigen.value(i))).collect();
                let vectors: Vec<Vec<f64>> =
                    (0..side).map(|i| eigen.vector(i)[..side].iter().map(|v| number(*v)).collect()).collect();
                check(matrix, &values, &vectors, f64::from(self.floor), &mut fault);
            }
        }
        fault
    }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn check(matrix: &[f32], values: &[f64], vectors: &[Vec<f64>], floor: f64, fault: &mut Fault) {
    let side = values.len();
    let exact = faer::Mat::from_fn(side, side, |i, j| f64::from(matrix[i * side + j]));
    let exact = exact.self_adjoint_eigenvalues(faer::Side::Lower).unwrap();
    let largest = exact[side - 1].max(1e-30);
    let rows: Vec<Vec<f64>> = matrix.chunks(side).map(|row| row.iter().map(|v| f64::from(*v)).collect()).collect();
    // Those below the floor may be mixed, but stay below it.
    let mut found = values.to_vec();
    found.sort_by(f64::total_cmp);
    for (found, exact) in found.iter().rev().zip(exact.iter().rev().take_while(|v| **v >= floor * 1.001)) {
        fault.missed = fault.missed.max((found - exact).abs() / largest);
    }
    for (i, (value, vector)) in values.iter().zip(vectors).enumerate() {
        for (j, other) in vectors.iter().enumerate() {
            fault.bent = fault.bent.max((dot(vector, other) - f64::from(u8::from(i == j))).abs());
        }
        if *value >= floor * 1.001 {
            for (row, v) in rows.iter().zip(vector) {
                fault.residual = fault.residual.max((dot(row, vector) - value * v).abs() / largest);
            }
        }
    }
}

/// AAᵀ of a `side` × `inner` matrix of numbers in [−½, ½], which moves by `moved` of a second one.
fn gram_of(side: usize, inner: usize, index: u64, moved: f32) -> Vec<f32> {
    let draw = |name| {
        let mut stream = Seed(7).stream(name, index);
        (0..side * inner).map(|_| stream.below(1001) as f32 / 1000.0 - 0.5).collect::<Vec<f32>>()
    };
    let a: Vec<f32> = draw("eigen.a").iter().zip(draw("eigen.b")).map(|(a, b)| a + moved * b).collect();
    let entry = |i: usize, j: usize| (0..inner).map(|k| a[i * inner + k] * a[j * inner + k]).sum();
    (0..side * side).map(|at| entry((at / side).max(at % side), (at / side).min(at % side))).collect()
}

/// Of each kind one: random, diagonal, zero, rank one, repeated eigenvalues, all entries equal.
fn kind(side: usize, lane: usize) -> Vec<f32> {
    let unit = |at: usize| f32::from(u8::from(at / side == at % side));
    match lane % 6 {
        0 => gram_of(side, side + 3, lane as u64, 0.0),
        1 => (0..side * side).map(|at| unit(at) * (1 + at % side % 3) as f32).collect(),
        2 => vec![0.0; side * side],
        3 => gram_of(side, 1, lane as u64, 0.0),
        4 => (0..side * side).map(|at| 2.0 * unit(at) + 1.0).collect(),
        _ => vec![1.0; side * side],
    }
}

#[test]
fn every_kind_of_matrix_of_every_side() {
    for side in 1..=40 {
        // Six starts, so that every kind is met whatever the number of lanes.
        for start in 0..6 {
            let matrix = |lane, _| kind(side, lane + start);
            let fault = Arch::new().dispatch(Follow { side, steps: 2, floor: 0.0, matrix });
            assert!(fault.residual < 3e-5 && fault.missed < 3e-5 && fault.bent < 1e-5, "side {side}: {fault:?}");
        }
    }
}

#[test]
fn long_walks_stay_accurate() {
    for side in [5, 16, 28] {
        let matrix = |lane, step| gram_of(side, side, lane as u64, 0.02 * step as f32);
        let fault = Arch::new().dispatch(Follow { side, steps: 100, floor: 0.0, matrix });
        assert!(fault.residual < 3e-5 && fault.missed < 3e-5 && fault.bent < 1e-5, "side {side}: {fault:?}");
    }
}

#[test]
fn nothing_above_the_floor_is_missed() {
    for floor in [0.5, 2.0, 4.0, 1e3] {
        let matrix = |lane, step| gram_of(24, 24, lane as u64, 0.1 * step as f32);
        let fault = Arch::new().dispatch(Follow { side: 24, steps: 10, floor, matrix });
        assert!(fault.residual < 3e-5 && fault.missed < 3e-5 && fault.bent < 1e-5, "floor {floor}: {fault:?}");
    }
}

#[test]
fn in_a_tournament_all_meet_once() {
    for side in 1..12 {
        let (pairs, rounds) = tournament(side);
        let mut met: Vec<_> = pairs.clone();
        met.sort_unstable();
        met.dedup();
        assert_eq!((met.len(), pairs.len()), (side * (side - 1) / 2, side * (side - 1) / 2));
        for (round, range) in rounds.iter().enumerate() {
            let mut busy: Vec<usize> = pairs[range.clone()].iter().flat_map(|(p, q)| [*p, *q]).collect();
            busy.extend((side % 2 == 1).then_some(round));
            busy.sort_unstable();
            assert_eq!(busy, (0..side).collect::<Vec<_>>());
        }
    }
}

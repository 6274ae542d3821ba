use super::*;
use crate::random::Seed;

const OURS: Recovery = Recovery { mu: 0.55, iterations: 12, map_norm: MapNorm::L1 };

#[test]
fn zeros_stay_zeros_and_neighbours_do_not_matter() {
    let mut batch = vec![0.0; 3 * 20];
    for (i, v) in batch[20..].iter_mut().enumerate() {
        *v = ((i * 7) % 11) as f32 - 5.0;
    }
    let all = OURS.solve(&batch, 4, 5);
    assert!(all.low_rank[..20].iter().chain(&all.gradient_map[..20]).all(|v| *v == 0.0));
    let alone = OURS.solve(&batch[40..], 4, 5);
    assert_eq!(all.low_rank[40..], alone.low_rank);
    assert_eq!(all.gradient_map[40..], alone.gradient_map);
}

#[test]
fn mu_always_matters_and_a_spike_goes_to_the_map() {
    let mut d: Vec<f32> = (0..144).map(|i| ((i / 12) as f32 * 0.3).sin() * ((i % 12) as f32 * 0.2).cos()).collect();
    d[30] += 4.0;
    let norm = |mu| {
        let low = Recovery { mu, iterations: 40, ..OURS }.solve(&d, 12, 12).low_rank;
        low.iter().map(|v| f64::from(v * v)).sum::<f64>()
    };
    assert!(norm(0.05) > norm(0.55) && norm(0.55) > norm(2.0));
    let map = Recovery { mu: 0.05, iterations: 40, ..OURS }.solve(&d, 12, 12).gradient_map;
    let largest = (0..144).max_by(|a, b| map[*a].abs().total_cmp(&map[*b].abs()));
    assert_eq!(largest, Some(30));
}

#[test]
fn not_a_number_is_not_hidden() {
    let mut d = vec![1.0; 20];
    d[3] = f32::NAN;
    assert!(OURS.solve(&d, 4, 5).low_rank.iter().any(|v| v.is_nan()));
}

fn numbers(count: usize, index: u64) -> Vec<f32> {
    let mut stream = Seed(3).stream("recovery", index);
    (0..count).map(|_| stream.below(2001) as f32 / 700.0 - 1.0).collect()
}

/// The method as METHOD §2.4 writes it, in float64, with a whole singular value decomposition a step.
fn plainly(recovery: &Recovery, d: &[f32], rows: usize, cols: usize) -> [Vec<f64>; 2] {
    type Mat = faer::Mat<f64>;
    let svt = |p: &Mat, tau: f64| {
        let svd = p.thin_svd().unwrap();
        let s = svd.S().column_vector();
        let shrunk = Mat::from_fn(rows, s.nrows(), |i, j| svd.U()[(i, j)] * (s[j] - tau).max(0.0));
        &shrunk * svd.V().transpose()
    };
    let scale = d.iter().fold(0.0f64, |most, v| most.max(f64::from(v.abs())));
    let d = Mat::from_fn(rows, cols, |i, j| f64::from(d[i * cols + j]) / scale);
    let (mu, lambda) = (f64::from(recovery.mu), 1.0 / (rows.max(cols) as f64).sqrt());
    let mut tau = (0.99 * d.singular_values().unwrap()[0]).max(mu);
    let decay = (mu / tau).powf(1.0 / ((0.6 * recovery.iterations as f64) as usize).max(1) as f64);
    let (mut momentum, mut momentum_before) = (1.0f64, 1.0f64);
    let zeros = Mat::zeros(rows, cols);
    let [mut low, mut map, mut low_before, mut map_before] = std::array::from_fn(|_| zeros.clone());
    for _ in 0..recovery.iterations {
        let ahead = |now: &Mat, before: &Mat| now + faer::Scale((momentum_before - 1.0) / momentum) * (now - before);
        let (y_low, y_map) = (ahead(&low, &low_before), ahead(&map, &map_before));
        let residual = faer::Scale(0.5) * (&y_low + &y_map - &d);
        (low_before, map_before) = (low, map);
        low = svt(&(&y_low - &residual), tau / 2.0);
        let point = &y_map - &residual;
        map = match recovery.map_norm {
            MapNorm::L1 => Mat::from_fn(rows, cols, |i, j| {
                let v: f64 = point[(i, j)];
                (v.abs() - lambda * tau / 2.0).max(0.0).copysign(v)
            }),
            MapNorm::Nuclear => svt(&point, lambda * tau / 2.0),
        };
        momentum_before = momentum;
        momentum = f64::midpoint(1.0, (1.0 + 4.0 * momentum * momentum).sqrt());
        tau = (decay * tau).max(mu);
    }
    [low, map].map(|part| (0..rows * cols).map(|at| scale * part[(at / cols, at % cols)]).collect())
}

#[test]
fn as_the_method_is_written() {
    let shapes = [
        (1, 1),
        (1, 9),
        (9, 1),
        (2, 3),
        (13, 13),
        (28, 28),
        (16, 49),
        (40, 8),
        (33, 31),
        (32, 196),
        (64, 64),
        (66, 65),
    ];
    for (rows, cols) in shapes {
        for recovery in
            [OURS, Recovery { mu: 0.05, iterations: 30, ..OURS }, Recovery { map_norm: MapNorm::Nuclear, ..OURS }]
        {
            let mut d = numbers(rows * cols, 0);
            d[0] = 3.0;
            let parts = recovery.solve(&d, rows, cols);
            let [low, map] = plainly(&recovery, &d, rows, cols);
            let gaps = parts.low_rank.iter().chain(&parts.gradient_map).zip(low.iter().chain(&map));
            let gap = gaps.fold(0.0f64, |most, (got, want)| most.max((f64::from(*got) - want).abs()));
            assert!(gap < 2e-4, "{rows}×{cols}, {recovery:?}: {gap:e}");
        }
    }
}

fn bits(parts: &Recovered) -> Vec<u32> {
    parts.low_rank.iter().chain(&parts.gradient_map).map(|v| v.to_bits()).collect()
}

#[test]
fn equal_bytes_alone_in_company_and_with_any_number_of_threads() {
    for map_norm in [MapNorm::L1, MapNorm::Nuclear] {
        let recovery = Recovery { map_norm, ..OURS };
        let (rows, cols, count) = (9, 11, 37);
        let size = rows * cols;
        let mut batch = numbers(count * size, 1);
        batch[2 * size] = f32::NAN;
        batch[3 * size] = f32::INFINITY;
        batch[4 * size..5 * size].fill(0.0);
        batch[5 * size..6 * size].fill(-2.5);
        batch[6 * size..7 * size].iter_mut().for_each(|v| *v *= 1e-30);
        let solve = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| recovery.solve(&batch, rows, cols))
        };
        let together = solve(1);
        assert_eq!(bits(&together), bits(&solve(2)));
        assert_eq!(bits(&together), bits(&solve(4)));
        for (i, matrix) in batch.chunks(size).enumerate() {
            let alone = recovery.solve(matrix, rows, cols);
            let part = |all: &[f32]| all[i * size..(i + 1) * size].to_vec();
            let here = Recovered { low_rank: part(&together.low_rank), gradient_map: part(&together.gradient_map) };
            assert_eq!(bits(&here), bits(&alone), "matrix {i}");
            assert_eq!(here.low_rank.iter().all(|v| v.is_nan()), i == 2 || i == 3);
        }
        assert!(together.low_rank[4 * size..5 * size].iter().all(|v| *v == 0.0));
    }
}

#[test]
fn no_iterations_recover_nothing() {
    let parts = Recovery { iterations: 0, ..OURS }.solve(&numbers(12, 2), 3, 4);
    assert!(parts.low_rank.iter().chain(&parts.gradient_map).all(|v| *v == 0.0));
}

#[test]
fn without_weight_zeros_are_still_zeros() {
    let parts = Recovery { mu: 0.0, ..OURS }.solve(&[0.0; 12], 3, 4);
    assert!(parts.low_rank.iter().chain(&parts.gradient_map).all(|v| *v == 0.0));
}

//! Filling in pixels from around them: what is left of a blob of moved pixels is its rim.

/// Sweeps of over-relaxation at most; blobs of a dozen pixels settle in some forty.
const SWEEPS: usize = 120;
/// Over-relaxation.
const OMEGA: f32 = 1.7;
/// A sweep that changes no pixel by more is the last.
const SETTLED: f32 = 1e-4;

/// The plane (rows of `w` pixels) with each flagged pixel the mean of its four neighbours, flagged ones among them: the
/// solution of Laplace's equation with the unflagged pixels around as its rim. Beyond the plane's edge there is no
/// neighbour. As it was, where every pixel is flagged or none.
pub(super) fn inpainted(plane: &[f32], flagged: &[bool], w: usize) -> Vec<f32> {
    let mut filled = peeled(plane, flagged, w);
    let holes: Vec<usize> = (0..plane.len()).filter(|i| flagged[*i]).collect();
    if holes.len() == plane.len() {
        return plane.to_vec();
    }
    for _ in 0..SWEEPS {
        let mut moved = 0.0_f32;
        for &i in &holes {
            let (sum, count) = around(i, w, plane.len()).fold((0.0, 0.0), |(sum, n), j| (sum + filled[j], n + 1.0));
            let step = OMEGA * (sum / count - filled[i]);
            filled[i] += step;
            moved = moved.max(step.abs());
        }
        if moved < SETTLED {
            break;
        }
    }
    for i in holes {
        filled[i] = filled[i].clamp(0.0, 1.0);
    }
    filled
}

/// A beginning: ring by ring inwards, each pixel the mean of those around it that are known by then.
fn peeled(plane: &[f32], flagged: &[bool], w: usize) -> Vec<f32> {
    let (mut filled, mut unknown) = (plane.to_vec(), flagged.to_vec());
    loop {
        let ring: Vec<(usize, f32)> = (0..plane.len())
            .filter(|i| unknown[*i])
            .filter_map(|i| {
                let known: Vec<f32> = around(i, w, plane.len()).filter(|j| !unknown[*j]).map(|j| filled[j]).collect();
                (!known.is_empty()).then(|| (i, known.iter().sum::<f32>() / known.len() as f32))
            })
            .collect();
        if ring.is_empty() {
            return filled;
        }
        for (i, value) in ring {
            (filled[i], unknown[i]) = (value, false);
        }
    }
}

/// The pixels above, below and beside one.
fn around(i: usize, w: usize, size: usize) -> impl Iterator<Item = usize> {
    let (x, above, below) = (i % w, i.checked_sub(w), Some(i + w).filter(|j| *j < size));
    let (left, right) = ((x > 0).then(|| i - 1), (x + 1 < w).then_some(i + 1));
    [above, below, left, right].into_iter().flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slope_is_filled_in_as_it_was_and_a_median_would_not() {
        let (w, h) = (16, 16);
        let plane: Vec<f32> = (0..w * h).map(|i| 0.2 + 0.03 * (i % w) as f32 + 0.01 * (i / w) as f32).collect();
        let hole = |i: usize| (5..11).contains(&(i % w)) && (4..12).contains(&(i / w));
        let flagged: Vec<bool> = (0..w * h).map(hole).collect();
        let broken: Vec<f32> = plane.iter().zip(&flagged).map(|(v, f)| if *f { 1.0 } else { *v }).collect();
        let filled = inpainted(&broken, &flagged, w);
        let apart = plane.iter().zip(&filled).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(apart < 2e-3, "{apart}");
        let kept = (0..w * h).filter(|i| !flagged[*i]).all(|i| filled[i] == broken[i]);
        assert!(kept);
    }

    #[test]
    fn at_an_edge_and_in_a_corner_the_rim_that_is_there_counts() {
        let plane = [0.5, 0.0, 0.5, 0.5, 0.5, 0.5];
        let filled = inpainted(&plane, &[false, true, false, false, false, false], 3);
        assert!((filled[1] - 0.5).abs() < 1e-3);
        let corner = inpainted(&[0.0, 0.25, 0.25, 0.25], &[true, false, false, false], 2);
        assert!((corner[0] - 0.25).abs() < 1e-3);
        let all = [0.1, 0.9];
        assert_eq!(inpainted(&all, &[true, true], 2), all);
        assert_eq!(inpainted(&all, &[false, false], 2), all);
    }
}

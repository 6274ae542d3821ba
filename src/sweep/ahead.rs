//! How long a sweep still takes, told from what its cells took so far.

/// A cell at work.
#[derive(Clone, Copy, Debug)]
pub struct AtWork {
    /// Seconds since it was put to work.
    pub elapsed: f64,
    /// Seconds that it still takes by its own account, once it has one.
    pub left: Option<f64>,
}

/// Seconds until the sweep ends, given the seconds that cells took which have ended, those at work, how many wait and how many
/// work at once. None before anything can be told.
///
/// Those that wait are taken to be like those that ended, or before any has, like those at work.
pub fn seconds_left(took: &[f64], at_work: &[AtWork], waiting: usize, jobs: usize) -> Option<f64> {
    let told: Vec<f64> = at_work.iter().filter_map(|cell| Some(cell.elapsed + cell.left?)).collect();
    let known = if took.is_empty() { told.as_slice() } else { took };
    if known.is_empty() {
        return (waiting == 0 && at_work.is_empty()).then_some(0.0);
    }
    let each = known.iter().sum::<f64>() / known.len() as f64;
    let left = |cell: &AtWork| cell.left.unwrap_or((each - cell.elapsed).max(0.0));
    let longest = at_work.iter().map(left).fold(0.0, f64::max);
    let all = at_work.iter().map(left).sum::<f64>() + waiting as f64 * each;
    Some((all / jobs.max(1) as f64).max(longest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_waits_takes_as_long_as_what_ended() {
        let at_work = [AtWork { elapsed: 4.0, left: None }, AtWork { elapsed: 1.0, left: Some(2.0) }];
        assert_eq!(seconds_left(&[8.0, 12.0], &at_work, 4, 2), Some((6.0 + 2.0 + 40.0) / 2.0));
        assert_eq!(seconds_left(&[], &at_work, 4, 2), Some((0.0 + 2.0 + 12.0) / 2.0), "by the one that tells");
        assert_eq!(seconds_left(&[], &at_work[..1], 4, 2), None);
        assert_eq!(seconds_left(&[2.0], &[AtWork { elapsed: 1.0, left: Some(9.0) }], 0, 4), Some(9.0), "the longest");
        assert_eq!(seconds_left(&[], &[], 0, 1), Some(0.0));
    }
}

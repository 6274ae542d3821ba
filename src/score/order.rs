//! In which order things that have none are compared: one to one, so that the sum of what they cost together is least.
//!
//! A gradient of several images does not tell their order, so what was made of it is scored so, as the literature does
//! (Geiping et al. 2020). Nothing of it goes back to the attack.

/// Which column each row gets in a square table of costs (Kuhn 1955, in the form of Jonker & Volgenant 1987: the shortest
/// augmenting path for one row after the other). What is no number costs more than anything.
pub fn cheapest(costs: &[Vec<f64>]) -> Vec<usize> {
    let n = costs.len();
    let cost = |row: usize, column: usize| {
        let cost = costs[row][column];
        if cost.is_nan() { f64::MAX / 1e9 } else { cost.min(f64::MAX / 1e9) }
    };
    // Row 0 and column 0 are none; `owner[column]` is the row that has it.
    let (mut of_row, mut of_column, mut owner) = (vec![0.0; n + 1], vec![0.0; n + 1], vec![0; n + 1]);
    for row in 1..=n {
        owner[0] = row;
        let (mut least, mut used, mut from) = (vec![f64::INFINITY; n + 1], vec![false; n + 1], vec![0; n + 1]);
        let mut at = 0;
        while owner[at] != 0 {
            used[at] = true;
            let (mut step, mut next) = (f64::INFINITY, 0);
            for column in 1..=n {
                if used[column] {
                    continue;
                }
                let reduced = cost(owner[at] - 1, column - 1) - of_row[owner[at]] - of_column[column];
                if reduced < least[column] {
                    (least[column], from[column]) = (reduced, at);
                }
                if least[column] < step || next == 0 {
                    (step, next) = (least[column], column);
                }
            }
            for column in 0..=n {
                if used[column] {
                    of_row[owner[column]] += step;
                    of_column[column] -= step;
                } else {
                    least[column] -= step;
                }
            }
            at = next;
        }
        while at != 0 {
            owner[at] = owner[from[at]];
            at = from[at];
        }
    }
    let mut columns = vec![0; n];
    for column in 1..=n {
        columns[owner[column] - 1] = column - 1;
    }
    columns
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Seed;

    fn permutations(n: usize) -> Vec<Vec<usize>> {
        if n == 0 {
            return vec![Vec::new()];
        }
        let longer = |shorter: Vec<usize>| {
            (0..n).map(move |at| {
                let mut all = shorter.clone();
                all.insert(at, n - 1);
                all
            })
        };
        permutations(n - 1).into_iter().flat_map(longer).collect()
    }

    #[test]
    fn no_other_order_is_cheaper() {
        let total =
            |costs: &[Vec<f64>], order: &[usize]| -> f64 { order.iter().zip(costs).map(|(c, row)| row[*c]).sum() };
        let mut stream = Seed(4).stream("costs", 0);
        for n in 1..=6 {
            let costs: Vec<Vec<f64>> = (0..n).map(|_| (0..n).map(|_| stream.uniform(0.0, 1.0)).collect()).collect();
            let order = cheapest(&costs);
            let mut sorted = order.clone();
            sorted.sort_unstable();
            assert_eq!(sorted, (0..n).collect::<Vec<_>>(), "each once");
            let best = permutations(n).iter().map(|other| total(&costs, other)).fold(f64::INFINITY, f64::min);
            assert!((total(&costs, &order) - best).abs() < 1e-12, "{n}");
        }
        assert!(cheapest(&[]).is_empty());
        let strange = vec![vec![f64::NAN, 1.0], vec![1.0, f64::INFINITY]];
        assert_eq!(cheapest(&strange), [1, 0]);
    }
}

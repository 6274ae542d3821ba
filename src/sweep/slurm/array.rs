//! Cells as arrays of jobs, whose indexes end where a cluster says.

/// Cells of one array: their numbers from 1, less the offset, are its indexes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chunk {
    /// What a job adds to its index for the number of its cell.
    pub offset: usize,
    /// Indexes, in order.
    pub indexes: Vec<usize>,
}

/// The cells with these numbers, from 0 and in order, as few arrays as can be: an index is less than `largest`, Slurm's
/// `MaxArraySize`.
pub fn chunks(cells: &[usize], largest: usize) -> Vec<Chunk> {
    let mut all: Vec<Chunk> = Vec::new();
    for &cell in cells {
        match all.last_mut().filter(|chunk| cell - chunk.offset < largest) {
            Some(chunk) => chunk.indexes.push(cell - chunk.offset),
            // An index may be 0, so that one alone fits wherever arrays are allowed at all.
            None => all.push(Chunk { offset: cell, indexes: vec![0] }),
        }
    }
    all
}

/// `1-4,7` for numbers in order.
pub fn ranges(numbers: &[usize]) -> String {
    let mut runs: Vec<(usize, usize)> = Vec::new();
    for &n in numbers {
        match runs.last_mut().filter(|(_, last)| last + 1 == n) {
            Some((_, last)) => *last = n,
            None => runs.push((n, n)),
        }
    }
    let told =
        |(first, last): &(usize, usize)| if first == last { first.to_string() } else { format!("{first}-{last}") };
    runs.iter().map(told).collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arrays_stay_below_the_largest_index_and_miss_no_cell() {
        let cells: Vec<usize> = (0..2500).filter(|i| i % 7 != 3).collect();
        for largest in [1, 10, 1001] {
            let chunks = chunks(&cells, largest);
            let back: Vec<usize> = chunks.iter().flat_map(|c| c.indexes.iter().map(|i| i + c.offset)).collect();
            assert_eq!(back, cells);
            assert!(chunks.iter().all(|chunk| chunk.indexes.iter().all(|i| *i < largest)));
        }
        assert_eq!(chunks(&cells, 1001).len(), 3);
        assert_eq!(chunks(&[5], 1001), [Chunk { offset: 5, indexes: vec![0] }]);
        assert!(chunks(&[], 10).is_empty());
    }

    #[test]
    fn numbers_in_a_row_are_told_as_a_range() {
        assert_eq!(ranges(&[1, 2, 3, 7, 9, 10]), "1-3,7,9-10");
        assert_eq!(ranges(&[]), "");
    }
}

//! What is made of the attacker's images, chunk by chunk, and kept so.

use candle_core::Tensor;

use super::imitation::CHUNK;
use crate::error::Result;

/// Rows (N, …) in the chunks in which they were made: putting these together would take their memory twice.
#[derive(Clone, Debug, Default)]
pub struct Rows {
    /// Each of [`CHUNK`] rows; the last may have fewer.
    chunks: Vec<Tensor>,
}

impl Rows {
    /// Adds the next chunk.
    pub fn push(&mut self, chunk: Tensor) {
        self.chunks.push(chunk);
    }

    /// Number of rows.
    pub fn count(&self) -> usize {
        let last = self.chunks.last().map_or(0, |last| last.dims()[0]);
        self.chunks.len().saturating_sub(1) * CHUNK + last
    }

    /// The rows of these numbers, in that order.
    ///
    /// # Errors
    /// Returns an error if there is no such row.
    pub fn select(&self, rows: impl IntoIterator<Item = usize>) -> Result<Tensor> {
        let one = |row: usize| -> Result<Tensor> { Ok(self.chunks[row / CHUNK].narrow(0, row % CHUNK, 1)?) };
        let rows = rows.into_iter().map(one).collect::<Result<Vec<_>>>()?;
        Ok(Tensor::cat(&rows, 0)?)
    }
}

#[cfg(test)]
mod tests {
    use candle_core::Device;

    use super::*;

    #[test]
    fn rows_are_those_of_all_chunks_together() {
        let whole = Tensor::arange(0u32, 2 * (CHUNK as u32 + 3), &Device::Cpu).unwrap().reshape(((), 2)).unwrap();
        let mut rows = Rows::default();
        assert_eq!(rows.count(), 0);
        rows.push(whole.narrow(0, 0, CHUNK).unwrap());
        rows.push(whole.narrow(0, CHUNK, 3).unwrap());
        assert_eq!(rows.count(), CHUNK + 3);
        let got = rows.select([CHUNK + 2, 0, CHUNK, CHUNK - 1, 0]).unwrap();
        let wanted = [CHUNK + 2, 0, CHUNK, CHUNK - 1, 0].map(|row| vec![2 * row as u32, 2 * row as u32 + 1]);
        assert_eq!(got.to_vec2::<u32>().unwrap(), wanted);
        assert!(rows.select([CHUNK + 3]).is_err());
    }
}

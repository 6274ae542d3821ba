//! What is made of the attacker's images, chunk by chunk: a few in memory, many in a file without a name.

use std::fs::{File, OpenOptions, remove_file};
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};

use candle_core::{Device, Tensor};

use super::imitation::CHUNK;
use crate::data::read_at;
use crate::error::{Error, Result};

/// Bytes that stay in memory: more than these would crowd a machine that trains beside.
const HELD: usize = 64 << 20;

/// Float32 rows (N, …) in the order in which they were made, [`CHUNK`] at a time. Where they are does not change a bit
/// of them.
#[derive(Debug)]
pub struct Rows {
    /// Chunks in memory, all but the last one whole; those in the file come before them.
    held: Vec<Tensor>,
    count: usize,
    /// Bytes in memory above which they move to the file.
    most: usize,
    file: Option<Scratch>,
    /// There is no room for a file: memory has to do.
    refused: bool,
}

impl Default for Rows {
    fn default() -> Self {
        Self { held: Vec::new(), count: 0, most: HELD, file: None, refused: false }
    }
}

impl Rows {
    /// Adds the next chunk.
    pub fn push(&mut self, chunk: Tensor) {
        self.count += chunk.dims()[0];
        self.held.push(chunk);
        let bytes: usize = self.held.iter().map(|chunk| size_of::<f32>() * chunk.elem_count()).sum();
        let few = bytes <= self.most && self.file.is_none();
        if few || self.refused {
            return;
        }
        if let Err(error) = self.spill() {
            tracing::debug!("smashed data stay in memory: {error}");
            self.refused = true;
        }
    }

    /// Moves what is in memory to the file, chunk by chunk: what does not get there stays.
    fn spill(&mut self) -> io::Result<()> {
        let Some(first) = self.held.first() else { return Ok(()) };
        let file = match &mut self.file {
            Some(file) => file,
            None => self.file.insert(Scratch::new(&first.dims()[1..], first.device())?),
        };
        while let Some(first) = self.held.first() {
            file.write(first)?;
            self.held.remove(0);
        }
        Ok(())
    }

    /// Number of rows.
    pub fn count(&self) -> usize {
        self.count
    }

    /// The rows of these numbers, in that order.
    ///
    /// # Errors
    /// Returns an error if there is no such row, or if the file cannot be read any more.
    pub fn select(&self, rows: impl IntoIterator<Item = usize>) -> Result<Tensor> {
        let one = |row: usize| match &self.file {
            Some(file) if row < file.rows => file.read(row),
            _ => {
                let row = row - self.file.as_ref().map_or(0, |file| file.rows);
                let chunk = self.held.get(row / CHUNK);
                let chunk = chunk.ok_or_else(|| Error::Internal("smashed data that were never made".to_owned()))?;
                Ok(chunk.narrow(0, row % CHUNK, 1)?)
            }
        };
        let rows = rows.into_iter().map(one).collect::<Result<Vec<_>>>()?;
        Ok(Tensor::cat(&rows, 0)?)
    }
}

/// A file for rows in the system's folder of temporary files. It is gone with this, and where the system lets it, with
/// the process.
#[derive(Debug)]
struct Scratch {
    // Closed before it is taken away.
    file: File,
    left: Left,
    rows: usize,
    /// Of one row.
    shape: Vec<usize>,
    device: Device,
}

#[derive(Debug)]
struct Left {
    path: PathBuf,
    /// Whether the name is still there.
    named: bool,
}

impl Scratch {
    fn new(shape: &[usize], device: &Device) -> io::Result<Self> {
        static MADE: AtomicU64 = AtomicU64::new(0);
        let name = format!("cutlayer-{}-{}", std::process::id(), MADE.fetch_add(1, Ordering::Relaxed));
        let path = std::env::temp_dir().join(name);
        let file = OpenOptions::new().read(true).write(true).create_new(true).open(&path)?;
        // Where the system takes a name away from a file in use, not even a kill leaves anything.
        let named = remove_file(&path).is_err();
        Ok(Self { file, left: Left { path, named }, rows: 0, shape: shape.to_vec(), device: device.clone() })
    }

    fn write(&mut self, chunk: &Tensor) -> io::Result<()> {
        let values: Vec<f32> = chunk.flatten_all().and_then(|flat| flat.to_vec1()).map_err(io::Error::other)?;
        let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        self.file.write_all(&bytes)?;
        self.rows += chunk.dims()[0];
        Ok(())
    }

    fn read(&self, row: usize) -> Result<Tensor> {
        let mut bytes = vec![0; size_of::<f32>() * self.shape.iter().product::<usize>()];
        let at = (row * bytes.len()) as u64;
        read_at(&self.file, &mut bytes, at).map_err(Error::io("read smashed data", &self.left.path))?;
        let values: Vec<f32> = bytes.as_chunks().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect();
        Ok(Tensor::from_vec(values, [&[1], self.shape.as_slice()].concat(), &self.device)?)
    }
}

impl Drop for Left {
    fn drop(&mut self) {
        if self.named {
            // Best effort: it is in a folder that is cleared anyway.
            let _ = remove_file(&self.path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Three chunks of rows of two numbers, the last one short: row i is [2 i, 2 i + 1].
    fn rows(most: usize) -> Rows {
        let count = 2 * CHUNK + 3;
        let whole = Tensor::arange(0_f32, 2.0 * count as f32, &Device::Cpu).unwrap().reshape((count, 2)).unwrap();
        let mut rows = Rows { most, ..Rows::default() };
        for from in (0..count).step_by(CHUNK) {
            rows.push(whole.narrow(0, from, CHUNK.min(count - from)).unwrap());
        }
        assert_eq!(rows.count(), count);
        rows
    }

    #[test]
    fn rows_are_the_same_wherever_they_are() {
        let chunk = 8 * CHUNK;
        let all = 2 * CHUNK + 3;
        for (most, in_file) in [(usize::MAX, 0), (chunk, all), (0, all)] {
            let rows = rows(most);
            assert_eq!(rows.file.as_ref().map_or(0, |file| file.rows), in_file, "{most}");
            let numbers = [2 * CHUNK + 2, 0, CHUNK, CHUNK - 1, 2 * CHUNK, 0];
            let got = rows.select(numbers).unwrap().to_vec2::<f32>().unwrap();
            assert_eq!(got, numbers.map(|row| vec![2.0 * row as f32, 2.0 * row as f32 + 1.0]), "{most}");
            assert!(rows.select([2 * CHUNK + 3]).is_err(), "{most}");
        }
    }

    #[test]
    fn the_file_is_gone_with_its_rows_and_memory_does_where_there_is_none() {
        let rows = rows(0);
        let path = rows.file.as_ref().unwrap().left.path.clone();
        drop(rows);
        assert!(!path.exists());
        let mut rows = Rows { most: 0, refused: true, ..Rows::default() };
        rows.push(Tensor::zeros((2, 3), candle_core::DType::F32, &Device::Cpu).unwrap());
        assert!(rows.file.is_none());
        assert_eq!(rows.select([1]).unwrap().dims(), [1, 3]);
    }
}

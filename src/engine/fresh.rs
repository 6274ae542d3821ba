//! Output buffers that are cleared piece by piece, by the thread that fills the piece.
//!
//! `vec![0.0; n]` clears on one thread what several then write, and by then it has left their caches: a tenth
//! of a training step. Here a piece is cleared when it is opened, just before it is filled. That isn't lost time: numbers
//! written straight into cold memory made the normalisation slower, since each line is read before it is written, which
//! the system's own clearing avoids.

use std::mem::MaybeUninit;
use std::sync::atomic::{AtomicUsize, Ordering};

use rayon::prelude::*;

use super::PIECE;
use super::simd::Real;

/// A buffer of numbers that nobody has cleared yet.
pub struct Fresh<T> {
    values: Vec<T>,
    length: usize,
    opened: AtomicUsize,
}

/// Some neighbouring numbers of a buffer.
pub struct Piece<'a, T> {
    values: &'a mut [MaybeUninit<T>],
    opened: &'a AtomicUsize,
}

impl<T: Real> Fresh<T> {
    /// Room for so many numbers.
    pub fn new(length: usize) -> Self {
        Self { values: Vec::with_capacity(length), length, opened: AtomicUsize::new(0) }
    }

    /// Zeros, cleared by all threads: for a kernel that fills the whole buffer in a way of its own.
    pub fn zeros(length: usize) -> Vec<T> {
        let mut fresh = Self::new(length);
        fresh.pieces(PIECE).for_each(|piece| {
            piece.open();
        });
        fresh.finish()
    }

    fn room(&mut self) -> (&mut [MaybeUninit<T>], &AtomicUsize) {
        // A second round would count the same pieces twice.
        *self.opened.get_mut() = 0;
        (&mut self.values.spare_capacity_mut()[..self.length], &self.opened)
    }

    /// Pieces of `size` numbers, for several threads.
    pub fn pieces(&mut self, size: usize) -> impl IndexedParallelIterator<Item = Piece<'_, T>> {
        let (room, opened) = self.room();
        room.par_chunks_mut(size.max(1)).map(move |values| Piece { values, opened })
    }

    /// The same, to be dealt out.
    pub fn dealt(&mut self, size: usize) -> impl Iterator<Item = Piece<'_, T>> {
        let (room, opened) = self.room();
        room.chunks_mut(size.max(1)).map(move |values| Piece { values, opened })
    }

    /// The numbers, once every piece has been opened.
    ///
    /// # Panics
    /// Where a piece was left out.
    pub fn finish(mut self) -> Vec<T> {
        assert_eq!(*self.opened.get_mut(), self.length, "a kernel left out a piece of its output");
        // SAFETY: the capacity is at least `length`. Pieces do not overlap and can be opened once each, which writes
        // all their numbers; those opened make up the whole length.
        #[expect(unsafe_code, reason = "the one way to a vector that was not written from its start to its end")]
        unsafe {
            self.values.set_len(self.length);
        }
        self.values
    }
}

impl<'a, T: Real> Piece<'a, T> {
    /// Zeros to be filled.
    pub fn open(self) -> &'a mut [T] {
        for value in self.values.iter_mut() {
            value.write(T::ZERO);
        }
        self.opened.fetch_add(self.values.len(), Ordering::Relaxed);
        // SAFETY: each of them has just been written.
        #[expect(unsafe_code, reason = "says that what was just written is")]
        unsafe {
            self.values.assume_init_mut()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_opened_is_zero_and_what_is_written_stays() {
        let mut fresh = Fresh::<f32>::new(10);
        fresh.pieces(4).enumerate().for_each(|(i, piece)| {
            let values = piece.open();
            assert!(values.iter().all(|v| *v == 0.0));
            values[0] = i as f32 + 1.0;
        });
        assert_eq!(fresh.finish(), [1.0, 0.0, 0.0, 0.0, 2.0, 0.0, 0.0, 0.0, 3.0, 0.0]);
        assert!(Fresh::<f64>::new(0).finish().is_empty());
        assert_eq!(Fresh::<f32>::zeros(PIECE + 1), vec![0.0; PIECE + 1]);
    }

    #[test]
    #[should_panic(expected = "left out a piece")]
    fn a_buffer_with_a_hole_is_not_handed_out() {
        let mut fresh = Fresh::<f32>::new(10);
        for piece in fresh.dealt(5).skip(1) {
            piece.open();
        }
        // Opening the same pieces again does not make up for the one that is missing.
        for piece in fresh.dealt(5).skip(1) {
            piece.open();
        }
        fresh.finish();
    }
}

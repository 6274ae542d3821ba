//! Rooms that the threads of one kernel work in, handed on from piece to piece.
//!
//! rayon's `for_each_init` makes a room anew for every stretch of pieces that a thread takes, some four a thread; clearing a
//! megabyte takes as long as working through a piece of it. Here who is done leaves the room for the next.

use std::sync::{Mutex, PoisonError};

/// The rooms that nobody is in.
#[derive(Debug)]
pub struct Shelf<R, F> {
    free: Mutex<Vec<R>>,
    make: F,
}

impl<R, F: Fn() -> R> Shelf<R, F> {
    /// Rooms made by `make`.
    pub fn new(make: F) -> Self {
        Self { free: Mutex::new(Vec::new()), make }
    }

    /// Works in a free room, or a new one. It holds what the last one left in it.
    pub fn with<A>(&self, work: impl FnOnce(&mut R) -> A) -> A {
        let free = || self.free.lock().unwrap_or_else(PoisonError::into_inner);
        let room = free().pop();
        let mut room = room.unwrap_or_else(&self.make);
        let done = work(&mut room);
        free().push(room);
        done
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[test]
    fn a_room_is_made_only_where_none_is_free() {
        let made = AtomicUsize::new(0);
        let shelf = Shelf::new(|| made.fetch_add(1, Ordering::Relaxed));
        shelf.with(|a| {
            shelf.with(|b| assert_eq!((*a, *b), (0, 1)));
            assert_eq!(shelf.with(|room| std::mem::replace(room, 7)), 1);
            *a = 8;
        });
        assert_eq!(shelf.with(|a| shelf.with(|b| *a + *b)), 15);
        assert_eq!(made.load(Ordering::Relaxed), 2);
    }
}

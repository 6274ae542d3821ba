//! A run: the worker that trains and attacks, the stream of what happens, and what is kept of it.

pub mod attacks;
pub mod checkpoint;
pub mod control;
pub mod event;
pub mod files;
pub mod finish;
pub mod folder;
pub mod judge;
pub mod pictures;
pub mod record;
pub mod report;
pub mod session;
pub mod summary;
pub mod worker;

//! A run: the worker that trains and attacks, the stream of what happens, and what is kept of it.

pub mod afterwards;
mod ahead;
mod attacking;
pub mod attacks;
pub mod checkpoint;
pub mod control;
pub mod course;
pub mod event;
pub mod facts;
pub mod files;
pub mod finish;
pub mod folder;
pub mod judge;
pub mod orders;
pub mod pictures;
pub mod prepared;
pub mod record;
pub mod report;
pub mod scene;
pub mod seeds;
pub mod session;
pub mod summary;
mod training;
pub mod watch;
pub mod weights;
pub mod worker;

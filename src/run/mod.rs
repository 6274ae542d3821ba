//! A run: the worker that trains and attacks, the stream of what happens, and what is kept of it.

pub mod afterwards;
mod attacking;
pub mod attacks;
pub mod checkpoint;
pub mod control;
pub mod event;
pub mod facts;
pub mod files;
pub mod finish;
pub mod folder;
pub mod found;
pub mod identity;
pub mod judge;
pub mod maps;
pub mod orders;
pub mod pictures;
pub mod prepared;
pub mod record;
pub mod report;
mod room;
pub mod scene;
pub mod seeds;
pub mod session;
pub mod summary;
mod training;
pub mod weights;
pub mod worker;

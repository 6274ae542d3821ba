//! The split model: a client, a wire and a server.

pub mod adam;
mod change;
pub mod client;
pub mod decoder;
pub mod inside;
pub mod jacobian;
pub mod network;
mod norm;
pub mod optimiser;
pub mod pace;
pub mod parameters;
pub mod seat;
pub mod second;
pub mod server;
pub mod sgd;
pub mod spec;
pub mod wire;
pub mod zoo;

//! Cutlayer: see, measure and judge what split learning leaks.
#[cfg(feature = "gui")]
pub mod app;
pub mod attack;
pub mod cli;
pub mod data;
pub mod engine;
pub mod error;
pub mod experiment;
pub mod export;
pub mod metrics;
pub mod model;
pub mod psgl;
pub mod random;
pub mod run;
pub mod setting;

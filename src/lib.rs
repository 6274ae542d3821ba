//! Cutlayer: see, measure and judge what split learning leaks.
pub mod attack;
pub mod data;
pub mod engine;
pub mod error;
pub mod experiment;
pub mod metrics;
pub mod model;
pub mod psgl;
pub mod random;
pub mod run;
pub mod setting;

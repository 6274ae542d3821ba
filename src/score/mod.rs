//! How well a network classifies, and how much of an image an attacker has.

pub mod band;
pub mod classification;
pub mod image;
pub mod lineup;

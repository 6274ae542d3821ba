//! How well a network classifies, how much of an image an attacker has, and what may be said of both.

pub mod band;
pub mod classification;
pub mod diagnosis;
pub mod floor;
pub mod gains;
pub mod goal;
pub mod image;
pub mod intervals;
pub mod judging;
mod labels;
pub mod likeness;
pub mod lineup;
pub mod metrics;
pub mod multiscale;
pub mod names;
pub mod order;
pub mod paired;
pub mod paper;
pub mod patients;
pub mod people;
pub mod pooled;
pub mod read_off;
pub mod record;
pub mod reidentify;
pub mod shares;
pub mod utility;
pub mod verdict;

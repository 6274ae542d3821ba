//! How the program behaves, as its users meet it: one test target, so that the crate is linked once.

mod amid;
mod attacks;
mod bad_input;
mod cli;
mod commands;
mod common;
mod data;
mod determinism;
mod docs;
mod exports;
mod extremes;
mod faults;
mod gradients;
mod identity;
mod labels;
mod old_run;
mod own;
mod passes;
mod resume;
mod split;
mod stack;
mod summary;
mod survive;
mod turns;
mod younger;

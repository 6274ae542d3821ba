//! Cutlayer: see, measure and judge what split learning leaks.
//!
//! A hospital's device runs the first layers of a network, a server runs the rest; what crosses the cut
//! can be turned back into the patient's image. This library trains such split models, plain or
//! defended, as by PSGL (proximal gradient split learning), launches model-inversion attacks at them and keeps an honest
//! record. The command line and the window are two of its users.
//!
//! ```text
//!  images ─▶ data ─▶ model::client ─▶ model::wire ─▶ model::server ─▶ run::event ─▶ window | cli | record
//!                      ▲ defence (on both sides)
//!                                                      attack (sees wire + declared knowledge only)
//!  experiment (document: what to run) ─▶ run::worker (one named thread) ─▶ score
//!                                        live (the shown image, asked again at every change)
//! ```
//!
//! Modules use only modules earlier in this list:
//! [`error`], [`place`], [`whole_files`], [`random`], [`data`], [`score`], [`engine`], [`state`], [`model`], [`setting`],
//! [`mod@method`], [`defence`], [`mod@split`], [`attack`], [`mod@workbench`], [`experiment`], [`run`], [`mod@sweep`], [`mod@report`], [`anchor`],
//! [`mod@claim`], [`mod@audit`], [`live`],
//! [`lesson`], [`export`], the window (its texts in `texts`), [`mod@bench`], [`check`] and [`cli`].

// First, so that `t!` is known below.
#[cfg(feature = "gui")]
#[macro_use]
pub mod texts;

pub mod anchor;
#[cfg(feature = "gui")]
pub mod app;
pub mod attack;
pub mod audit;
pub mod bench;
pub mod check;
pub mod claim;
pub mod cli;
pub mod data;
pub mod defence;
pub mod engine;
pub mod error;
pub mod experiment;
pub mod export;
pub mod lesson;
pub mod live;
pub mod method;
pub mod model;
pub mod place;
pub mod random;
pub mod report;
pub mod run;
pub mod score;
pub mod setting;
pub mod split;
pub mod state;
pub mod sweep;
pub mod whole_files;
pub mod workbench;

pub use cli::program::workbench;

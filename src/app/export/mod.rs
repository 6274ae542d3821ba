//! What is seen, as files: the stage or a pane as pixels or as lines that scale, each with a caption.

mod caption;
mod letters;
mod pixels;
mod shot;
mod svg;

pub use caption::made;
pub use shot::Shot;

#[cfg(test)]
pub use super::purpose::Of;

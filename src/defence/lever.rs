//! A lever: one of the few settings of a defence that matter most, and the words beside it in the window. Each
//! defence lists its own.

/// A setting that is pulled while one looks.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Lever {
    /// Which; without a section.
    pub key: &'static str,
    /// Its letter.
    pub symbol: &'static str,
    /// What it moves, in a word or two.
    pub words: &'static str,
    /// From where to where it is pulled; a document may go farther.
    pub range: [f64; 2],
}

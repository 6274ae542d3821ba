//! Runs in the forms that other programs read.
//!
//! | form | file |
//! |---|---|
//! | a model as Python with PyTorch, beside its weights | [`torch`] |
//! | what models make of images, as NumPy arrays | [`arrays`] |

pub mod arrays;
pub mod torch;

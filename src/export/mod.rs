//! Runs in the forms that other programs read.
//!
//! | form | file |
//! |---|---|
//! | a model as Python with PyTorch, beside its weights | [`torch`] |
//! | what models make of images, as NumPy arrays | [`arrays`] |
//! | what attacks made, with the scores of each image | [`attacks`] |

pub mod arrays;
pub mod attacks;
pub mod folder;
pub mod torch;

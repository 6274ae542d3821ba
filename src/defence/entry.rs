//! How images enter the client's first layer.

use candle_core::Tensor;

use crate::error::Result;

/// The form in which images enter the client's first layer. It is part of the architecture, so every attacker knows it.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// Its name, by which two are compared.
    pub id: &'static str,
    /// What the first layer sees of an image (C, H, W), without the batch.
    pub shape: fn([usize; 3]) -> [usize; 3],
    /// Images (N, C, H, W) and, where there is one, their map of the same shape, as the first layer sees them.
    pub enter: fn(&Tensor, Option<&Tensor>) -> Result<Tensor>,
}

/// Images as they are.
pub static AS_THEY_ARE: Entry = Entry { id: "image", shape: |image| image, enter: |x, _| Ok(x.clone()) };

impl PartialEq for Entry {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id
    }
}

/// One batch of images on its way out of the hospital.
#[derive(Clone, Debug)]
pub struct Outgoing {
    /// The images as somebody would see them who could look (N, C, H, W).
    pub images: Tensor,
    /// The gradient map (N, C, H, W) in [−1, 1], where a defence makes one.
    pub map: Option<Tensor>,
}

impl Outgoing {
    /// Images that nothing was done to.
    pub fn clean(images: &Tensor) -> Self {
        Self { images: images.clone(), map: None }
    }

    /// What the client's first layer sees.
    ///
    /// # Errors
    /// Returns an error if images and map differ in shape.
    pub fn input(&self, entry: &Entry) -> Result<Tensor> {
        (entry.enter)(&self.images, self.map.as_ref())
    }
}

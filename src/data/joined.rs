//! Several views as one source, one after another.

use std::sync::Arc;

use super::{Groups, Part, Source};
use crate::error::Result;

/// Joins parts of one set: of one shape and one white, each group with the same number in all of them.
pub(super) fn joined(parts: &[&Part]) -> Arc<dyn Source> {
    let parts: Vec<Part> = parts.iter().copied().filter(|part| !part.is_empty()).cloned().collect();
    let labels = parts.iter().flat_map(Part::labels).copied().collect();
    let known: Option<Vec<&Groups>> = parts.iter().map(Part::groups).collect();
    let groups = known.filter(|all| !all.is_empty()).map(|all| Groups {
        numbers: all.iter().flat_map(|groups| groups.numbers.iter().copied()).collect(),
        noun: all[0].noun,
    });
    Arc::new(Joined { parts, labels, groups })
}

impl Part {
    /// These images and then others of the same set.
    #[must_use]
    pub fn and(&self, others: &Self) -> Self {
        Self::all(joined(&[self, others]))
    }
}

#[derive(Debug)]
struct Joined {
    parts: Vec<Part>,
    labels: Vec<u32>,
    groups: Option<Groups>,
}

impl Joined {
    /// The part that image `i` is in, and its place there.
    fn at(&self, mut i: usize) -> (&Part, usize) {
        for part in &self.parts {
            if i < part.len() {
                return (part, i);
            }
            i -= part.len();
        }
        unreachable!("an image of the parts")
    }
}

impl Source for Joined {
    fn shape(&self) -> [usize; 3] {
        self.parts.first().map_or([0; 3], Part::shape)
    }

    fn len(&self) -> usize {
        self.labels.len()
    }

    fn labels(&self) -> &[u32] {
        &self.labels
    }

    fn groups(&self) -> Option<&Groups> {
        self.groups.as_ref()
    }

    fn white(&self) -> u32 {
        self.parts.first().map_or(super::source::BYTE_WHITE, Part::white)
    }

    fn read(&self, i: usize, out: &mut [u8]) -> Result<()> {
        let (part, i) = self.at(i);
        out.copy_from_slice(&part.image(i)?);
        Ok(())
    }

    fn values(&self, i: usize, out: &mut [f32]) -> Result<()> {
        let (part, i) = self.at(i);
        out.copy_from_slice(&part.values(i)?);
        Ok(())
    }

    fn held(&self, i: usize) -> Option<&[u8]> {
        let (part, i) = self.at(i);
        part.held(i)
    }

    fn streams(&self) -> bool {
        self.parts.iter().any(Part::streams)
    }

    fn digest(&self, i: usize) -> Result<[u8; 32]> {
        let (part, i) = self.at(i);
        part.digest(i)
    }
}

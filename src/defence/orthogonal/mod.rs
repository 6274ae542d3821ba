//! Random orthogonal projection with compression: the client sends fewer numbers, sums of all of them.
//!
//! P is k × n with orthonormal rows, fixed by a seed. The client sends P z, the server goes on with Pᵀ P z, and the gradient
//! by z is Pᵀ P times that by the lifted (LightSplit, arXiv 2605.13265; METHOD §5). P is no secret, so what is on the wire is
//! shown here as everybody reads it, lifted; what protects is that n − k directions of z do not cross.
//!
//! *Imitation*: an attacker projects its own smashed data in the same way, and searches through the projection.

mod projection;

use std::sync::{Arc, OnceLock};

use candle_core::Tensor;

pub use projection::{Projection, through, trials};

use super::imitation::{Imitation, Imitator, Known, Own, Study};
use super::{Bytes, Defence, Kind, Lever};
use crate::error::Result;
use crate::method::{Formula, Ink, Live, Place, Section, symbol};
use crate::random::{At, Seed};
use crate::setting::{Plain, Setting, Values, real, whole};

/// Its card.
pub static KIND: Kind = Kind {
    id: "projection",
    title: "projection",
    about: "The client sends fewer numbers than it has: sums of all of them with random orthonormal weights.",
    settings: &[
        Setting::new(
            "ratio",
            "Compression",
            "times",
            real(1.0, 64.0),
            "How many times fewer numbers cross than the client's layers give. 1 is no defence.",
        )
        .default(Plain::Real(4.0)),
        Setting::new(
            "seed",
            "Projection's seed",
            "",
            whole(0, u32::MAX as i64),
            "What the projection is drawn from. It is no secret: client, server and attacker know it.",
        )
        .default(Plain::Whole(0)),
    ],
    method: &[SECTION],
    symbol: "r",
    strength: |values| Ok(values.real("ratio")? - 1.0),
    levers: &[Lever { key: "ratio", symbol: "r", words: "times fewer numbers", range: [1.0, 64.0] }],
    bytes: |values, numbers, _| Ok(Bytes::whole(crossing(values.real("ratio")?, numbers))),
    make: |values, _| Ok(Box::new(Orthogonal::of(values)?)),
    imitation: |values| Ok(Arc::new(Orthogonal::of(values)?)),
    ..Kind::BASE
};

/// Its formula.
const SECTION: Section = Section {
    id: "projection",
    title: "Random orthogonal projection",
    source: "METHOD §5",
    text: include_str!("../../../assets/method/projection.md"),
    formulas: &[Formula {
        id: "projected",
        title: "Projection",
        place: Some(Place::Wire),
        text: r"p = P · z \quad \tilde{z} = P^T · p \quad k = \frac{n_z}{r}",
        symbols: &[
            symbol("p", "what crosses: k numbers", Ink::Disguised),
            symbol("\\tilde{z}", "what the server goes on with in place of the smashed data", Ink::Disguised),
            symbol("P", "k × n_z with orthonormal rows, drawn once and known to all", Ink::Plain),
            symbol("P^T", "P transposed", Ink::Plain),
            symbol("k", "numbers of an image that cross, rounded up", Ink::Disguised),
            symbol("r", "how many times fewer numbers cross", Ink::Disguised),
            symbol("n_z", "numbers that the client's layers give for one image", Ink::Smashed),
        ],
        live: |sight| {
            let (ratio, n) = (sight.values.real("ratio").ok()?, sight.numbers()?);
            Some(vec![Live::real("r", ratio), Live::count("k", crossing(ratio, n)), Live::count("n_z", n)])
        },
        ..Formula::BASE
    }],
};

/// How many of so many numbers cross.
fn crossing(ratio: f64, numbers: usize) -> usize {
    ((numbers as f64 / ratio).ceil() as usize).clamp(1, numbers.max(1))
}

/// The projection at work, and as an attacker uses it: it is the same.
#[derive(Clone, Debug)]
struct Orthogonal {
    ratio: f64,
    seed: Seed,
    /// Drawn when it is first known how many numbers there are.
    drawn: Arc<OnceLock<Arc<Projection>>>,
}

impl Orthogonal {
    fn of(values: &Values) -> Result<Self> {
        Ok(Self { ratio: values.real("ratio")?, seed: Seed(values.whole("seed")? as u64), drawn: Arc::default() })
    }

    /// What the server reads of z, and what comes back to the client of a gradient by it.
    fn through(&self, z: &Tensor) -> Result<Tensor> {
        let n = z.elem_count() / z.dim(0)?.max(1);
        let draw = || Arc::new(Projection::drawn(n, crossing(self.ratio, n), self.seed));
        let first = self.drawn.get_or_init(draw).clone();
        // One model has smashed data of one size; whoever tries others waits for another draw.
        let projection = if first.takes() == n { first } else { draw() };
        through(&projection, z)
    }
}

impl Defence for Orthogonal {
    fn up(&self, z: Tensor, _: At<'_>) -> Result<Tensor> {
        self.through(&z)
    }

    fn answer(&self, gradient: Tensor, _: At<'_>) -> Result<Tensor> {
        self.through(&gradient)
    }
}

impl Imitation for Orthogonal {
    fn up(&self, z: Tensor) -> Result<Tensor> {
        self.through(&z)
    }

    fn down(&self, _: &Tensor, gradient: Tensor) -> Result<Tensor> {
        self.through(&gradient)
    }

    fn study(&self, _: &Own<'_>) -> Result<Box<dyn Study>> {
        Ok(Box::new(Known(Arc::new(self.clone()))))
    }
}

impl Imitator for Orthogonal {
    fn up(&self, z: Tensor, _: At<'_>) -> Result<Tensor> {
        self.through(&z)
    }
}

#[cfg(test)]
mod tests {
    use candle_core::Device;

    use super::*;

    #[test]
    fn what_was_projected_stays_as_it_is_and_fewer_numbers_cross() {
        let values = Values::of(KIND.settings);
        let own = Orthogonal::of(&values).unwrap();
        let z = Seed(1).stream("z", 0).uniform_tensor(-1.0, 1.0, &[3, 2, 20, 20], &Device::Cpu).unwrap();
        let once = own.through(&z).unwrap();
        let apart = |a: &Tensor, b: &Tensor| {
            (a - b).unwrap().sqr().unwrap().sum_all().unwrap().to_scalar::<f32>().unwrap()
                / z.sqr().unwrap().sum_all().unwrap().to_scalar::<f32>().unwrap()
        };
        assert!(apart(&once, &own.through(&once).unwrap()) < 1e-10);
        // A quarter of the directions is left, and with it about a quarter of what there is.
        let lost = apart(&once, &z);
        assert!((0.65..0.85).contains(&lost), "{lost}");
        assert_eq!((KIND.bytes)(&values, 801, Bytes::whole(801)).unwrap(), Bytes { up: 804, down: 804 });
        // Of another size it is another one.
        assert_eq!(own.through(&z.narrow(2, 0, 5).unwrap().contiguous().unwrap()).unwrap().dims(), [3, 2, 5, 20]);
    }
}

//! Going back through a pass without candle's zeros.
//!
//! candle's `backward` begins the gradient of every tensor with zeros and adds to them, on one thread: three passes over
//! memory where mostly a single gradient arrives, together an eighth of a training step. [`Tape::backward`] walks the same
//! graph in the same order, and hands a first gradient on as it is. For that it must know each operation's way back, which
//! candle keeps to itself: the operations of training note theirs on the tape that is recording. A graph in which another
//! operation has a part (on other devices most of them) goes candle's way.

use std::cell::RefCell;
use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use candle_core::backprop::GradStore;
use candle_core::{CpuStorage, CustomOp1, CustomOp2, CustomOp3, Layout, Result, Shape, Tensor, TensorId};
use rayon::prelude::*;

use super::own::{check, own_kernels};
use super::{PIECE, Real, for_reals, values};

/// From the gradient of an operation's output to those of its arguments.
type Way = Box<dyn Fn(&Tensor) -> Result<Vec<(Tensor, Option<Tensor>)>> + Send>;

/// What a pass changes once it is learnt from.
type Change = Box<dyn FnOnce() -> Result<()> + Send>;

thread_local! {
    /// The tape that is recording on this thread.
    static RECORDING: RefCell<Option<Tape>> = const { RefCell::new(None) };
}

/// The ways back through the operations of one or several passes, and what they change once they are learnt from.
#[derive(Default)]
pub struct Tape {
    ways: HashMap<TensorId, Way>,
    changes: Vec<Change>,
}

impl fmt::Debug for Tape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Tape({} operations)", self.ways.len())
    }
}

impl Tape {
    /// Notes the operations that `pass` carries out on this thread.
    pub fn record<R>(&mut self, pass: impl FnOnce() -> R) -> R {
        /// Goes on with the tape that was recording before, also after a panic.
        struct Outer(Option<Tape>);
        impl Drop for Outer {
            fn drop(&mut self) {
                RECORDING.set(self.0.take());
            }
        }
        let _outer = Outer(RECORDING.replace(Some(std::mem::take(self))));
        let result = pass();
        *self = RECORDING.take().unwrap_or_default();
        result
    }

    /// Makes the changes that the passes left for later.
    ///
    /// # Errors
    /// Where one fails.
    pub fn settle(&mut self) -> Result<()> {
        std::mem::take(&mut self.changes).into_iter().try_for_each(|change| change())
    }

    /// Whether every operation that led to `of` is on the tape.
    pub fn covers(&self, of: &Tensor) -> bool {
        of.sorted_nodes().into_iter().all(|node| node.is_variable() || self.ways.contains_key(&node.id()))
    }

    /// The gradients of a scalar by all variables that it depends on.
    ///
    /// # Errors
    /// Where an operation's way back fails.
    pub fn backward(&self, of: &Tensor) -> Result<GradStore> {
        if self.covers(of) { self.backward_from(of, of.ones_like()?) } else { of.backward() }
    }

    /// The gradients of ⟨`gradient`, of⟩ by all variables that `of` depends on; the tape [covers](Self::covers) it.
    ///
    /// # Errors
    /// Where an operation's way back fails.
    pub fn backward_from(&self, of: &Tensor, gradient: Tensor) -> Result<GradStore> {
        let mut gradients = GradStore::default();
        gradients.insert(of, gradient);
        for node in of.sorted_nodes() {
            let Some(way) = self.ways.get(&node.id()) else { continue };
            let Some(gradient) = gradients.remove(node) else { continue };
            for (argument, more) in way(&gradient.detach())? {
                if let Some(more) = more.filter(|_| argument.track_op()) {
                    let all = match gradients.remove(&argument) {
                        None => more,
                        Some(others) => sum(&others.detach(), &more.detach())?,
                    };
                    gradients.insert(&argument, all);
                }
            }
        }
        Ok(gradients)
    }
}

/// Notes the way back from `y`, if a tape is recording and anything is to be learnt from it.
fn note(y: &Tensor, way: impl FnOnce() -> Way) {
    if y.track_op() {
        RECORDING.with_borrow_mut(|tape| {
            if let Some(tape) = tape {
                tape.ways.insert(y.id(), way());
            }
        });
    }
}

/// Makes a change when the tape that is recording is settled, and at once if none is: a pass that is given up before
/// anything was learnt from it leaves nothing behind.
///
/// # Errors
/// Where the change fails at once.
pub fn once_learnt(change: impl FnOnce() -> Result<()> + Send + 'static) -> Result<()> {
    RECORDING.with_borrow_mut(|tape| match tape {
        Some(tape) => {
            tape.changes.push(Box::new(change));
            Ok(())
        }
        None => change(),
    })
}

/// A candle operation of one argument, a kernel of this engine, noted.
///
/// # Errors
/// Where the operation fails.
pub fn apply1(a: &Tensor, op: impl CustomOp1 + Send + Sync + 'static) -> Result<Tensor> {
    check(a.device(), op.name())?;
    noted1(a, op)
}

pub(super) fn noted1(a: &Tensor, op: impl CustomOp1 + Send + Sync + 'static) -> Result<Tensor> {
    let op: Arc<Box<dyn CustomOp1 + Send + Sync>> = Arc::new(Box::new(op));
    let y = a.apply_op1_arc(op.clone())?;
    note(&y, || {
        let (a, y) = (a.clone(), y.clone());
        Box::new(move |grad| {
            let gradient = op.bwd(&a, &y, grad)?;
            Ok(vec![(a.clone(), gradient)])
        })
    });
    Ok(y)
}

/// The same of two arguments.
///
/// # Errors
/// Where the operation fails.
pub fn apply2(a: &Tensor, b: &Tensor, op: impl CustomOp2 + Send + Sync + 'static) -> Result<Tensor> {
    check(a.device(), op.name())?;
    noted2(a, b, op)
}

pub(super) fn noted2(a: &Tensor, b: &Tensor, op: impl CustomOp2 + Send + Sync + 'static) -> Result<Tensor> {
    let op: Arc<Box<dyn CustomOp2 + Send + Sync>> = Arc::new(Box::new(op));
    let y = a.apply_op2_arc(b, op.clone())?;
    note(&y, || {
        let (a, b, y) = (a.clone(), b.clone(), y.clone());
        Box::new(move |grad| {
            let (da, db) = op.bwd(&a, &b, &y, grad)?;
            Ok(vec![(a.clone(), da), (b.clone(), db)])
        })
    });
    Ok(y)
}

/// The same of three arguments.
///
/// # Errors
/// Where the operation fails.
pub fn apply3(a: &Tensor, b: &Tensor, c: &Tensor, op: impl CustomOp3 + Send + Sync + 'static) -> Result<Tensor> {
    check(a.device(), op.name())?;
    noted3(a, b, c, op)
}

pub(super) fn noted3(a: &Tensor, b: &Tensor, c: &Tensor, op: impl CustomOp3 + Send + Sync + 'static) -> Result<Tensor> {
    let op: Arc<Box<dyn CustomOp3 + Send + Sync>> = Arc::new(Box::new(op));
    let y = a.apply_op3_arc(b, c, op.clone())?;
    note(&y, || {
        let (a, b, c, y) = (a.clone(), b.clone(), c.clone(), y.clone());
        Box::new(move |grad| {
            let (da, db, dc) = op.bwd(&a, &b, &c, &y, grad)?;
            Ok(vec![(a.clone(), da), (b.clone(), db), (c.clone(), dc)])
        })
    });
    Ok(y)
}

/// The same numbers in another shape.
///
/// # Errors
/// Where it has another number of them.
pub fn reshape(x: &Tensor, shape: impl Into<Shape>) -> Result<Tensor> {
    let y = x.reshape(shape.into())?;
    note(&y, || {
        let x = x.clone();
        Box::new(move |grad| {
            let gradient = grad.reshape(x.shape())?;
            Ok(vec![(x.clone(), Some(gradient))])
        })
    });
    Ok(y)
}

/// (N, …) to (N, features).
///
/// # Errors
/// Where x is a scalar.
pub fn flat(x: &Tensor) -> Result<Tensor> {
    let samples = x.dim(0)?;
    reshape(x, (samples, x.elem_count() / samples.max(1)))
}

/// Two tensors as the first and second part along a dimension.
///
/// # Errors
/// Where the other dimensions differ.
pub fn join(a: &Tensor, b: &Tensor, dim: usize) -> Result<Tensor> {
    let y = Tensor::cat(&[a, b], dim)?;
    note(&y, || {
        let (a, b) = (a.clone(), b.clone());
        Box::new(move |grad| {
            let (first, second) = (a.dim(dim)?, b.dim(dim)?);
            let parts = [grad.narrow(dim, 0, first)?, grad.narrow(dim, first, second)?];
            let [da, db] = parts.map(Some);
            Ok(vec![(a.clone(), da), (b.clone(), db)])
        })
    });
    Ok(y)
}

/// x · mask, number by number; the mask is a constant of the same shape.
///
/// # Errors
/// Where the shapes differ.
pub fn masked(x: &Tensor, mask: &Tensor) -> Result<Tensor> {
    let y = (x * mask)?;
    note(&y, || {
        let (x, mask) = (x.clone(), mask.clone());
        Box::new(move |grad| {
            let gradient = (grad * &mask)?;
            Ok(vec![(x.clone(), Some(gradient))])
        })
    });
    Ok(y)
}

/// x times a number.
///
/// # Errors
/// Where there is no memory left.
pub fn times(x: &Tensor, by: f64) -> Result<Tensor> {
    let y = (x * by)?;
    note(&y, || {
        let x = x.clone();
        Box::new(move |grad| Ok(vec![(x.clone(), Some((grad * by)?))]))
    });
    Ok(y)
}

/// a + b, of one shape.
///
/// # Errors
/// Where the shapes differ.
pub fn sum(a: &Tensor, b: &Tensor) -> Result<Tensor> {
    if a.shape() != b.shape() {
        candle_core::bail!("a sum of {:?} and {:?}", a.dims(), b.dims());
    }
    if !own_kernels(a.device()) {
        return a + b;
    }
    apply2(&a.contiguous()?, &b.contiguous()?, Sum)
}

struct Sum;

impl CustomOp2 for Sum {
    fn name(&self) -> &'static str {
        "sum"
    }

    fn cpu_fwd(&self, s1: &CpuStorage, l1: &Layout, s2: &CpuStorage, l2: &Layout) -> Result<(CpuStorage, Shape)> {
        fn add<T: Real>(a: &[T], b: &[T]) -> Vec<T> {
            a.par_iter().zip(b).with_min_len(PIECE).map(|(&a, &b)| a + b).collect()
        }
        let out = for_reals!(self.name(), s1, T => {
            Ok::<_, candle_core::Error>(add(values::<T>(s1, l1)?, values::<T>(s2, l2)?))
        })?;
        Ok((out, l1.shape().clone()))
    }

    fn bwd(&self, _: &Tensor, _: &Tensor, _: &Tensor, grad: &Tensor) -> Result<(Option<Tensor>, Option<Tensor>)> {
        Ok((Some(grad.clone()), Some(grad.clone())))
    }
}

#[cfg(test)]
mod tests {
    use candle_core::{Device, Var};

    use super::*;
    use crate::engine::activation::relu;
    use crate::engine::conv::{Finish, conv2d_then};
    use crate::engine::linear::linear;
    use crate::engine::loss::{carry_on, cross_entropy};
    use crate::engine::mean::mean_of_last;
    use crate::engine::norm::{Tail, batch_norm};
    use crate::engine::pool::{Pool, pool};
    use crate::random::Seed;

    fn noise(name: &str, shape: &[usize]) -> Var {
        Var::from_tensor(&Seed(11).stream(name, 0).uniform_tensor(-1.0, 1.0, shape, &Device::Cpu).unwrap()).unwrap()
    }

    /// Every operation that a tape knows, with a skip connection from and to the middle.
    fn loss(v: &[Var]) -> Result<Tensor> {
        let y = conv2d_then(&v[0], &v[1], &v[2], (1, 1), Finish::ReluPool)?;
        let (z, _) = batch_norm(&y, &v[2], &v[2], Tail { skip: Some(&y), relu: true })?;
        let z = relu(&sum(&join(&z, &y, 1)?, &join(&y, &z, 1)?)?)?;
        let z = pool(&masked(&z, &z.detach())?, Pool::Mean, 2)?;
        let (samples, channels, height, width) = z.dims4()?;
        let means = mean_of_last(&reshape(&z, (samples, channels, height * width))?)?;
        let logits = linear(&flat(&means)?, &v[3], &v[4])?;
        cross_entropy(&logits, &Tensor::new(&[1u32, 0, 2], &Device::Cpu)?)
    }

    fn variables() -> Vec<Var> {
        let shapes: [&[usize]; 5] = [&[3, 2, 9, 8], &[4, 2, 3, 3], &[4], &[3, 8], &[3]];
        shapes.iter().enumerate().map(|(i, shape)| noise(&i.to_string(), shape)).collect()
    }

    fn numbers(t: &Tensor) -> Vec<f32> {
        t.flatten_all().unwrap().to_vec1().unwrap()
    }

    #[test]
    fn its_way_back_is_candles_to_the_bit() {
        let v = variables();
        let mut tape = Tape::default();
        let of = tape.record(|| loss(&v)).unwrap();
        assert!(tape.covers(&of));
        let (ours, theirs) = (tape.backward(&of).unwrap(), of.backward().unwrap());
        for var in &v {
            assert_eq!(numbers(ours.get(var).unwrap()), numbers(theirs.get(var).unwrap()));
        }
        // A tape can be gone back along again, and goes on where another party stopped.
        let x = v[0].as_tensor();
        let mut tape = Tape::default();
        let y = tape.record(|| relu(x)).unwrap();
        let end = tape.record(|| carry_on(&y, &x.detach())).unwrap();
        for _ in 0..2 {
            let gradient = tape.backward(&end).unwrap().remove(x).unwrap();
            assert_eq!(numbers(&gradient), numbers(&x.detach().relu().unwrap()));
        }
    }

    #[test]
    fn an_unknown_operation_goes_candles_way() {
        let v = variables();
        let mut tape = Tape::default();
        let of = tape.record(|| relu(&v[0])?.tanh()?.sum_all()).unwrap();
        assert!(!tape.covers(&of));
        let (ours, theirs) = (tape.backward(&of).unwrap(), of.backward().unwrap());
        assert_eq!(numbers(ours.get(&v[0]).unwrap()), numbers(theirs.get(&v[0]).unwrap()));
    }

    #[test]
    fn only_what_is_recorded_is_noted() {
        let v = variables();
        let outside = relu(&v[0]).unwrap();
        let (mut outer, mut inner) = (Tape::default(), Tape::default());
        let [first, second, third] = outer.record(|| {
            let first = relu(&v[0]).unwrap();
            let second = inner.record(|| relu(&v[0]).unwrap());
            [first, second, relu(&v[0]).unwrap()]
        });
        assert!(outer.covers(&first) && outer.covers(&third) && inner.covers(&second));
        assert!(!outer.covers(&second) && !inner.covers(&first) && !outer.covers(&outside));
        let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| outer.record(|| panic!("a test's"))));
        assert!(panicked.is_err() && RECORDING.with_borrow(Option::is_none));
        // What needs no gradient is not kept.
        let mut tape = Tape::default();
        tape.record(|| relu(&v[0].as_detached_tensor()).unwrap());
        assert!(tape.ways.is_empty());
    }
}

//! What attacks and imitators keep of themselves in a checkpoint, so that they go on with the same numbers.

use std::collections::BTreeMap;

use candle_core::{Device, Tensor};

use crate::error::{Error, Result};

/// Named tensors, and numbers written as such; nothing in it depends on the clock.
#[derive(Clone, Debug, Default)]
pub struct State(BTreeMap<String, Tensor>);

impl State {
    /// Of the tensors that a checkpoint has.
    pub fn of(tensors: BTreeMap<String, Tensor>) -> Self {
        Self(tensors)
    }

    /// All of it, by name.
    pub fn tensors(&self) -> &BTreeMap<String, Tensor> {
        &self.0
    }

    /// Keeps a tensor of 32-bit numbers; it is shared, not copied.
    pub fn put(&mut self, name: &str, value: &Tensor) {
        self.0.insert(name.to_owned(), value.clone());
    }

    /// Keeps several tensors, each under `prefix` and its own name.
    pub fn put_all(&mut self, prefix: &str, values: BTreeMap<String, Tensor>) {
        self.0.extend(values.into_iter().map(|(name, value)| (format!("{prefix}{name}"), value)));
    }

    /// Keeps numbers to the bit, NaN among them.
    ///
    /// # Errors
    /// Returns an error if the tensor cannot be made.
    pub fn put_reals(&mut self, name: &str, values: &[f64]) -> Result<()> {
        self.put_words(name, values.iter().map(|value| value.to_bits()))
    }

    /// Keeps whole numbers.
    ///
    /// # Errors
    /// Returns an error if the tensor cannot be made.
    pub fn put_wholes(&mut self, name: &str, values: &[usize]) -> Result<()> {
        self.put_words(name, values.iter().map(|value| *value as u64))
    }

    /// Their count, then two halves each, the lower first: checkpoints have tensors of 32 bits, and none that is empty.
    fn put_words(&mut self, name: &str, values: impl ExactSizeIterator<Item = u64>) -> Result<()> {
        let halves = |word: u64| [word as u32, (word >> 32) as u32];
        let words: Vec<u32> = std::iter::once(values.len() as u64).chain(values).flat_map(halves).collect();
        let count = words.len();
        self.0.insert(name.to_owned(), Tensor::from_vec(words, count, &Device::Cpu)?);
        Ok(())
    }

    /// The same with its tensors on this device; numbers stay where they are read.
    ///
    /// # Errors
    /// Returns an error if the device fails.
    pub fn on(&self, device: &Device) -> Result<Self> {
        let moved = |(name, t): (&String, &Tensor)| {
            let t = if t.dtype().is_float() { t.to_device(device)? } else { t.clone() };
            Ok((name.clone(), t))
        };
        Ok(Self(self.0.iter().map(moved).collect::<Result<_>>()?))
    }

    /// Whether there is anything of this name.
    pub fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// The tensor of this name.
    ///
    /// # Errors
    /// Returns an error if there is none.
    pub fn tensor(&self, name: &str) -> Result<&Tensor> {
        self.0.get(name).ok_or_else(|| Error::input(format!("the attack's state lacks {name}")))
    }

    /// Those kept under `prefix`, by their own names.
    pub fn all(&self, prefix: &str) -> BTreeMap<String, Tensor> {
        let of = |(name, value): (&String, &Tensor)| Some((name.strip_prefix(prefix)?.to_owned(), value.clone()));
        self.0.iter().filter_map(of).collect()
    }

    /// Those kept under `prefix`, as a state of their own.
    #[must_use]
    pub fn part(&self, prefix: &str) -> Self {
        Self(self.all(prefix))
    }

    /// Numbers that [`State::put_reals`] kept.
    ///
    /// # Errors
    /// Returns an error if there are none of this name.
    pub fn reals(&self, name: &str) -> Result<Vec<f64>> {
        Ok(self.words(name)?.into_iter().map(f64::from_bits).collect())
    }

    /// Whole numbers that [`State::put_wholes`] kept.
    ///
    /// # Errors
    /// Returns an error if there are none of this name, or they are too large for this machine.
    pub fn wholes(&self, name: &str) -> Result<Vec<usize>> {
        let whole = |word| usize::try_from(word).map_err(|_| wrong(name));
        self.words(name)?.into_iter().map(whole).collect()
    }

    /// So many numbers of the kind that `read` reads: `state.few("batch", State::wholes)`.
    ///
    /// # Errors
    /// Returns an error if there are more or fewer.
    pub fn few<T, const N: usize>(&self, name: &str, read: fn(&Self, &str) -> Result<Vec<T>>) -> Result<[T; N]> {
        read(self, name)?.try_into().map_err(|_| wrong(name))
    }

    fn words(&self, name: &str) -> Result<Vec<u64>> {
        let halves: Vec<u32> = self.tensor(name)?.flatten_all()?.to_vec1()?;
        let words: Vec<u64> =
            halves.chunks(2).map(|pair| pair.iter().rev().fold(0, |w, h| w << 32 | u64::from(*h))).collect();
        match words.split_first() {
            Some((count, values)) if *count == values.len() as u64 => Ok(values.to_vec()),
            _ => Err(wrong(name)),
        }
    }
}

/// What is told of numbers that are not what they should be.
pub(crate) fn wrong(name: &str) -> Error {
    Error::input(format!("the attack's state has something else as {name}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_come_back_to_the_bit() {
        let mut state = State::default();
        let reals = [0.1, -0.0, f64::NAN, f64::INFINITY, 1e-310];
        state.put_reals("reals", &reals).unwrap();
        state.put_reals("none", &[]).unwrap();
        state.put_wholes("wholes", &[0, 7, usize::MAX]).unwrap();
        let back = state.reals("reals").unwrap();
        assert!(back.iter().zip(reals).all(|(a, b)| a.to_bits() == b.to_bits()) && back.len() == 5, "{back:?}");
        assert!(state.reals("none").unwrap().is_empty());
        assert_eq!(state.few("wholes", State::wholes).unwrap(), [0, 7, usize::MAX]);
        assert!(state.few::<_, 2>("wholes", State::wholes).is_err());
        assert!(state.reals("gone").unwrap_err().to_string().contains("lacks gone"));
        state.put("image", &Tensor::zeros(3, candle_core::DType::F32, &Device::Cpu).unwrap());
        assert!(state.reals("image").is_err(), "a tensor is no list of numbers");
        let mut outer = State::default();
        outer.put_all("inner.", state.tensors().clone());
        assert_eq!(outer.part("inner.").wholes("wholes").unwrap(), [0, 7, usize::MAX]);
    }
}

//! The wire between hospital and server: the only things that cross it, each a named message, and their bytes.

use std::collections::HashMap;

use candle_core::safetensors::BufferedSafetensors;
use candle_core::{Device, Tensor};
use safetensors::tensor::SafeTensors;

use crate::error::{Error, Result};

/// What the client sends up: what its last layer and its defence make of images, cut off from their graph.
#[derive(Clone, Debug)]
pub struct Smashed(Tensor);

/// What the server sends down: ∂loss/∂z, shaped as the smashed data.
#[derive(Clone, Debug)]
pub struct CutGradient(Tensor);

impl Smashed {
    /// Cuts `z` (N, C, H, W or N, features) off from the client's graph.
    pub(crate) fn new(z: &Tensor) -> Self {
        Self(z.detach())
    }

    /// The numbers on the wire.
    pub fn tensor(&self) -> &Tensor {
        &self.0
    }

    /// Number of samples.
    ///
    /// # Errors
    /// Returns an error if it is a scalar, which it never is.
    pub fn samples(&self) -> Result<usize> {
        Ok(self.0.dim(0)?)
    }

    /// Samples `start..start + len`.
    ///
    /// # Errors
    /// Returns an error if there are fewer.
    pub fn narrow(&self, start: usize, len: usize) -> Result<Self> {
        Ok(Self(self.0.narrow(0, start, len)?.contiguous()?))
    }

    /// The message that takes it up, in which it is called so.
    pub fn message(&self, crossing: Crossing) -> Message {
        Message { crossing, numbers: self.0.clone(), packed: None }
    }
}

impl CutGradient {
    /// Cuts the gradient off from the server's graph.
    pub(crate) fn new(gradient: &Tensor) -> Self {
        Self(gradient.detach())
    }

    /// The numbers on the wire.
    pub fn tensor(&self) -> &Tensor {
        &self.0
    }

    /// The message that takes it down, in which it is called so.
    pub fn message(&self, crossing: Crossing) -> Message {
        Message { crossing, numbers: self.0.clone(), packed: None }
    }
}

/// What a message is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Crossing {
    /// Up: smashed data, to be learnt from or answered.
    Smashed,
    /// Up: smashed data of undisguised images, to be told gradients by them.
    Probe,
    /// Down: ∂logit_ŷ/∂z at a probe.
    Predicted,
    /// Down: Σ_k ∂logit_k/∂z at a probe.
    AllClasses,
    /// Down: ∂loss/∂z.
    CutGradient,
}

impl Crossing {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Smashed, Self::Probe, Self::Predicted, Self::AllClasses, Self::CutGradient];

    /// Its name in a message.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Smashed => "smashed",
            Self::Probe => "probe",
            Self::Predicted => "predicted",
            Self::AllClasses => "all_classes",
            Self::CutGradient => "cut_gradient",
        }
    }

    /// Whether it goes from the hospital to the server.
    pub const fn up(self) -> bool {
        matches!(self, Self::Smashed | Self::Probe)
    }
}

/// One thing that crosses.
#[derive(Clone, Debug)]
pub struct Message {
    /// What it is for.
    pub crossing: Crossing,
    /// Its numbers (N, …), as whoever hears it and knows the form has them.
    pub numbers: Tensor,
    /// Bytes of a sample in the form in which it crosses, where that is not as they are.
    pub packed: Option<usize>,
}

impl Message {
    /// As bytes, for parties in two processes: a safetensors file of one tensor.
    ///
    /// # Errors
    /// Returns an error if the numbers are of a type that such files do not have.
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        let named = [(self.crossing.name(), self.numbers.to_device(&Device::Cpu)?.contiguous()?)];
        let wrong = |e: safetensors::SafeTensorError| Error::Internal(format!("a message: {e}"));
        safetensors::serialize(named, None::<HashMap<String, String>>).map_err(wrong)
    }

    /// What [`Self::to_bytes`] wrote.
    ///
    /// # Errors
    /// Returns an error if the bytes are no message, or one of a name that is not known.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let wrong = |e: &dyn std::fmt::Display| Error::input(format!("no message of the wire: {e}"));
        let tensors = SafeTensors::deserialize(bytes).map_err(|e| wrong(&e))?;
        let names = tensors.names();
        let [name] = names.as_slice() else { return Err(wrong(&format!("it has {} parts", names.len()))) };
        let crossing = Crossing::ALL.into_iter().find(|crossing| crossing.name() == *name);
        let crossing = crossing.ok_or_else(|| wrong(&format!("nothing is called {name:?}")))?;
        let numbers = BufferedSafetensors::new(bytes.to_vec())?.load(crossing.name(), &Device::Cpu)?;
        Ok(Self { crossing, numbers, packed: None })
    }

    /// The same message in a form of so many bytes a sample.
    #[must_use]
    pub fn packed(self, bytes: usize) -> Self {
        Self { packed: Some(bytes), ..self }
    }

    /// Bytes that it takes on the wire.
    pub fn bytes(&self) -> u64 {
        let whole = self.numbers.elem_count() * self.numbers.dtype().size_in_bytes();
        self.packed.map_or(whole, |bytes| bytes * self.numbers.dims().first().copied().unwrap_or(1)) as u64
    }
}

/// Somebody who sees all that crosses in training.
pub trait Listener: std::fmt::Debug + Send {
    /// Hears a message. Those of a step that was given up are not heard.
    ///
    /// # Errors
    /// Returns an error if it cannot do with it what it wants to.
    fn hear(&mut self, message: &Message) -> Result<()>;
}

/// Bytes that have crossed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct WireCount {
    /// Smashed data, up.
    pub smashed_bytes: u64,
    /// Gradients, down.
    pub gradient_bytes: u64,
    /// Of the smashed data, how many bytes were those of undisguised images.
    pub leaked_clean_bytes: u64,
}

impl WireCount {
    /// Of these messages.
    pub fn of(messages: &[Message]) -> Self {
        let each = messages.iter().map(|message| Self::of_bytes(message.crossing, message.bytes()));
        each.fold(Self::default(), Self::plus)
    }

    /// Of so many bytes that cross for this.
    pub fn of_bytes(crossing: Crossing, bytes: u64) -> Self {
        let if_so = |so: bool| if so { bytes } else { 0 };
        Self {
            smashed_bytes: if_so(crossing.up()),
            gradient_bytes: if_so(!crossing.up()),
            leaked_clean_bytes: if_so(crossing == Crossing::Probe),
        }
    }

    /// Both counts together.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self {
            smashed_bytes: self.smashed_bytes + other.smashed_bytes,
            gradient_bytes: self.gradient_bytes + other.gradient_bytes,
            leaked_clean_bytes: self.leaked_clean_bytes + other.leaked_clean_bytes,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_message_survives_the_way_and_its_bytes_are_counted() {
        let z = Tensor::new(&[[1f32, -2.0, 3.5]], &Device::Cpu).unwrap();
        let messages = Crossing::ALL.map(|crossing| Smashed::new(&z).message(crossing));
        for message in &messages {
            let back = Message::from_bytes(&message.to_bytes().unwrap()).unwrap();
            assert_eq!(back.crossing, message.crossing);
            assert_eq!(back.numbers.to_vec2::<f32>().unwrap(), z.to_vec2::<f32>().unwrap());
        }
        let count = WireCount::of(&messages);
        assert_eq!((count.smashed_bytes, count.gradient_bytes, count.leaked_clean_bytes), (24, 36, 12));
        assert!(Message::from_bytes(b"nothing").is_err());
        let strange = safetensors::serialize([("labels", z)], None::<HashMap<String, String>>).unwrap();
        assert!(Message::from_bytes(&strange).unwrap_err().to_string().contains("labels"));
    }
}

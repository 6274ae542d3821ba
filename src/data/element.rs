//! One number of an array as a file stores it: whole or not, of either sign, from either end.

use super::layout::Pixel;
use super::range::Number;

/// How an array's numbers are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Element {
    kind: Kind,
    /// Bytes of one.
    pub size: usize,
    /// Whether the high byte comes first.
    big: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Unsigned,
    Signed,
    Float,
}

impl Element {
    /// The type that NumPy writes as `|u1`, `<i8`, `>f4`; none where it is no number. True and false are 1 and 0.
    pub fn of_numpy(descr: &str) -> Option<Self> {
        let (order, kind_and_size) = descr.split_at_checked(1)?;
        let (kind, size) = match kind_and_size {
            "b1" | "u1" => (Kind::Unsigned, 1),
            "u2" => (Kind::Unsigned, 2),
            "u4" => (Kind::Unsigned, 4),
            "u8" => (Kind::Unsigned, 8),
            "i1" => (Kind::Signed, 1),
            "i2" => (Kind::Signed, 2),
            "i4" => (Kind::Signed, 4),
            "i8" => (Kind::Signed, 8),
            "f2" => (Kind::Float, 2),
            "f4" => (Kind::Float, 4),
            "f8" => (Kind::Float, 8),
            _ => return None,
        };
        Some(Self { kind, size, big: order == ">" })
    }

    /// What it is called.
    pub fn number(self) -> Number {
        let bits = 8 * self.size;
        match self.kind {
            Kind::Unsigned if self.size == 1 => Number::Byte,
            Kind::Unsigned => Number::Unsigned(bits),
            Kind::Signed => Number::Signed(bits),
            Kind::Float => Number::Float(bits),
        }
    }

    /// The same as a pixel that may stay as it is; none where it must be converted.
    pub fn pixel(self) -> Option<Pixel> {
        match (self.kind, self.size) {
            (Kind::Unsigned, 1) => Some(Pixel::Byte),
            (Kind::Unsigned, 2) => Some(if self.big { Pixel::Big16 } else { Pixel::Little16 }),
            _ => None,
        }
    }

    /// The value of one, which stands in `size` bytes; whole ones beyond 2⁵³ are rounded.
    pub fn value(self, bytes: &[u8]) -> f64 {
        let join = |value: u64, byte: &u8| value << 8 | u64::from(*byte);
        let bits = if self.big { bytes.iter().fold(0, join) } else { bytes.iter().rev().fold(0, join) };
        let unused = 64 - 8 * self.size as u32;
        match (self.kind, self.size) {
            (Kind::Unsigned, _) => bits as f64,
            (Kind::Signed, _) => ((bits << unused) as i64 >> unused) as f64,
            (Kind::Float, 8) => f64::from_bits(bits),
            (Kind::Float, 4) => f32::from_bits(bits as u32).into(),
            (Kind::Float, _) => half(bits as u16),
        }
    }

    /// The values of all that stand in `bytes`.
    pub fn values(self, bytes: &[u8]) -> impl Iterator<Item = f64> {
        bytes.chunks_exact(self.size).map(move |one| self.value(one))
    }
}

/// A number of 16 bits as IEEE 754 has it: a sign, five bits of an exponent, ten of a fraction.
fn half(bits: u16) -> f64 {
    let (exponent, fraction) = (i32::from(bits >> 10 & 31), f64::from(bits & 1023) / 1024.0);
    let size = match exponent {
        0 => fraction * 2_f64.powi(-14),
        31 if fraction == 0.0 => f64::INFINITY,
        31 => f64::NAN,
        _ => (1.0 + fraction) * 2_f64.powi(exponent - 15),
    };
    if bits >> 15 == 1 { -size } else { size }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_every_kind_are_read_from_either_end() {
        let value = |descr: &str, bytes: &[u8]| Element::of_numpy(descr).unwrap().value(bytes);
        for (descr, bytes, wanted) in [
            ("|u1", &[200][..], 200.0),
            ("|b1", &[1], 1.0),
            ("|i1", &[0xff], -1.0),
            ("<u2", &[1, 2], 513.0),
            (">u2", &[1, 2], 258.0),
            ("<i2", &[0, 0x80], -32768.0),
            (">i4", &[0xff, 0xff, 0xfc, 0], -1024.0),
            ("<i8", &[0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff], -2.0),
            ("<f4", &0.25_f32.to_le_bytes(), 0.25),
            (">f8", &(-1.5_f64).to_be_bytes(), -1.5),
            ("<f2", &[0, 0x3c], 1.0),
            (">f2", &[0xc1, 0], -2.5),
            ("<f2", &[1, 0], 2_f64.powi(-24)),
            ("<f2", &[0, 0x7c], f64::INFINITY),
        ] {
            assert_eq!(value(descr, bytes), wanted, "{descr} {bytes:?}");
        }
        assert!(value("<f2", &[1, 0x7c]).is_nan());
        for no in ["", "<", "<c8", "|S3", "<U4", "|u3", "<f16", "é1", "<M8[s]", "|V2"] {
            assert_eq!(Element::of_numpy(no), None, "{no}");
        }
    }
}

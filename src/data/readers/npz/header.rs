//! What a NumPy array declares of itself.
//!
//! It is read here, strictly, and not by a general reader of Python literals: the text is a stranger's, and such readers
//! allocate what it declares, multiply its shape unchecked and recurse as deep as it nests.

use std::io::Read;

use crate::data::element::Element;

/// Longest header of an array, in bytes; NumPy writes 118.
const MAX_HEADER: u64 = 4096;

/// What a NumPy array declares of itself.
pub(in crate::data) struct Header {
    /// The element type as written, such as `<i8`: byte order, kind, size.
    pub descr: String,
    /// `u` unsigned, `i` signed, or another.
    pub kind: char,
    /// Bytes an element, where the kind is a number; 0 of what has no size, such as objects of Python.
    pub size: usize,
    /// Whether the first index runs fastest.
    pub fortran: bool,
    /// Its sides.
    pub shape: Vec<u64>,
    /// Bytes before the first element.
    pub(super) bytes: u64,
}

impl Header {
    /// Reads up to the first byte of data: magic, version, length, then a Python dict in the one form
    /// that NumPy and other writers use: `{'descr': '|u1', 'fortran_order': False, 'shape': (9, 1), }`.
    pub fn read(file: &mut dyn Read) -> Result<Self, String> {
        let damaged = |error| format!("is damaged or cut short ({error})");
        let mut start = [0; 8];
        file.read_exact(&mut start).map_err(damaged)?;
        let mut length = [0; 4];
        match start {
            [0x93, b'N', b'U', b'M', b'P', b'Y', 1, _] => file.read_exact(&mut length[..2]).map_err(damaged)?,
            [0x93, b'N', b'U', b'M', b'P', b'Y', 2 | 3, _] => file.read_exact(&mut length).map_err(damaged)?,
            _ => return Err("is not a NumPy array of a known version".into()),
        }
        let long = start[6] > 1;
        let length = u64::from(u32::from_le_bytes(length));
        if length > MAX_HEADER {
            return Err(format!("declares a header of {length} bytes; at most {MAX_HEADER} are read"));
        }
        let mut text = String::new();
        file.take(length).read_to_string(&mut text).map_err(damaged)?;
        let bytes = if long { 12 } else { 10 } + length;
        Self::parse(&text, bytes).ok_or_else(|| "has a header that is not understood".into())
    }

    fn parse(text: &str, bytes: u64) -> Option<Self> {
        let field = |key: &str| text.split_once(&format!("'{key}':")).map(|(_, rest)| rest.trim_start());
        let (descr, _) = field("descr")?.strip_prefix('\'')?.split_once('\'')?;
        let mut letters = descr.chars();
        letters.next()?;
        let (kind, size) = (letters.next()?, letters.as_str().parse().unwrap_or_default());
        let fortran = match field("fortran_order")? {
            value if value.starts_with("True") => true,
            value if value.starts_with("False") => false,
            _ => return None,
        };
        let (shape, _) = field("shape")?.strip_prefix('(')?.split_once(')')?;
        let sides = shape.split(',').map(str::trim).filter(|side| !side.is_empty());
        // Python 2 wrote long numbers as 200L.
        let shape = sides.map(|side| side.strip_suffix('L').unwrap_or(side).parse().ok()).collect::<Option<_>>()?;
        Some(Self { descr: descr.to_owned(), kind, size, fortran, shape, bytes })
    }

    /// Its elements as numbers.
    ///
    /// # Errors
    /// Names the type if it is no number.
    pub fn element(&self, allowed: &str) -> Result<Element, String> {
        Element::of_numpy(&self.descr).ok_or_else(|| format!("holds elements of type {}, not {allowed}", self.descr))
    }

    /// The value of one element that is a whole number, `size` bytes.
    pub(super) fn integer(&self, bytes: &[u8]) -> i128 {
        let bits = 8 * bytes.len();
        let join = |value: i128, &byte: &u8| value << 8 | i128::from(byte);
        let unsigned =
            if self.descr.starts_with('>') { bytes.iter().fold(0, join) } else { bytes.iter().rev().fold(0, join) };
        let negative = self.kind == 'i' && unsigned >> (bits - 1) == 1;
        if negative { unsigned - (1 << bits) } else { unsigned }
    }
}

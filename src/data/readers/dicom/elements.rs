//! The elements of a DICOM file up to its pixels, one after another, without recursion: of those that count the value, all
//! others skipped. No value is ever put into a message, since any of them may be somebody's name.
//!
//! DICOM PS3.5 §7 (data sets), §7.5 (sequences), annex A (transfer syntaxes); PS3.10 §7 (files).

use std::io::{self, BufRead, Cursor, Read, Seek};

use flate2::bufread::DeflateDecoder;

use super::syntax::{BIG, EXPLICIT, IMPLICIT, Packing, Syntax, by_uid, unknown};

/// A group and an element within it.
pub type Tag = (u16, u16);

/// The pixels; and those that are floating-point numbers.
pub const PIXELS: Tag = (0x7fe0, 0x0010);
const FLOAT_PIXELS: [Tag; 2] = [(0x7fe0, 0x0008), (0x7fe0, 0x0009)];
/// The transfer syntax, in the group that is about the file.
const SYNTAX: Tag = (0x0002, 0x0010);
/// Begins an item of a sequence, ends an item, ends a sequence.
pub const ITEM: Tag = (0xfffe, 0xe000);
const ITEM_END: Tag = (0xfffe, 0xe00d);
const SEQUENCE_END: Tag = (0xfffe, 0xe0dd);
/// A length that is not said: the end is marked.
pub const UNDEFINED: u32 = u32::MAX;

/// What stands before the magic of a file.
const PREAMBLE: u64 = 128;
/// Longest value that is read, in bytes.
const MAX_VALUE: u32 = 1024;
/// Most elements before the pixels.
const MAX_ELEMENTS: usize = 1_000_000;
/// Most bytes that packed data may unpack to.
const MAX_UNPACKED: u64 = 1 << 28;
/// Sequences and items within each other whose lengths are not said.
const DEEPEST: usize = 64;
/// Values with a length of four bytes; of all others it has two.
const LONG: [&[u8; 2]; 13] =
    [b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"SQ", b"SV", b"UC", b"UN", b"UR", b"UT", b"UV"];
/// All others.
const SHORT: [&[u8; 2]; 21] = [
    b"AE", b"AS", b"AT", b"CS", b"DA", b"DS", b"DT", b"FL", b"FD", b"IS", b"LO", b"LT", b"PN", b"SH", b"SL", b"SS",
    b"ST", b"TM", b"UI", b"UL", b"US",
];

/// What the element of the pixels says of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pixels {
    /// Their length as it is declared, or [`UNDEFINED`].
    pub length: u32,
    /// Whether they stand in words of 16 bits, whatever their own size.
    pub words: bool,
}

/// How a file begins: with a preamble and the magic, or at once with an element. Bytes before the first element.
fn begins(start: &[u8]) -> Option<u64> {
    if start.get(PREAMBLE as usize..).is_some_and(|magic| magic.starts_with(b"DICM")) {
        return Some(PREAMBLE + 4);
    }
    guessed(start).map(|_| 0)
}

/// Whether a file begins as DICOM does, told by its first bytes, of which 132 are enough.
pub fn is_dicom(start: &[u8]) -> bool {
    begins(start).is_some()
}

/// The way in which data are written that begin so: with an early element of group 2 or 8, and a small length.
fn guessed(start: &[u8]) -> Option<&'static Syntax> {
    let head: &[u8; 8] = start.first_chunk()?;
    let big = head[0] == 0;
    let [group, element, length] = [0, 2, 6].map(|at| number16(big, [head[at], head[at + 1]]));
    let explicit = SHORT.contains(&&[head[4], head[5]]) && length <= 256;
    let implicit = !big && u32::from_le_bytes([head[4], head[5], head[6], head[7]]) <= 256;
    match (matches!((group, element), (2 | 8, 0..=0x80)), explicit) {
        (true, true) => by_uid(if big { BIG } else { EXPLICIT }),
        (true, false) if implicit => by_uid(IMPLICIT),
        _ => None,
    }
}

fn number16(big: bool, bytes: [u8; 2]) -> u16 {
    if big { u16::from_be_bytes(bytes) } else { u16::from_le_bytes(bytes) }
}

fn number32(big: bool, bytes: [u8; 4]) -> u32 {
    if big { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) }
}

/// What to say of an error of the system: its kind alone, which names nothing of the file.
#[expect(clippy::needless_pass_by_value, reason = "it stands in `map_err`")]
pub fn unreadable(error: io::Error) -> String {
    format!("cannot be read ({})", error.kind())
}

/// Something to be read from anywhere.
pub trait Bytes: BufRead + Seek {}

impl<T: BufRead + Seek> Bytes for T {}

/// A file whose elements are read.
pub struct Walk<'a> {
    file: Box<dyn Bytes + 'a>,
    /// Its length in bytes.
    end: u64,
    at: u64,
    explicit: bool,
    big: bool,
}

/// The head of an element.
struct Head {
    tag: Tag,
    vr: [u8; 2],
    length: u32,
}

impl<'a> Walk<'a> {
    /// Begins with a file of so many bytes: goes to its data, unpacked where they are packed as a whole, and says how
    /// they are written.
    ///
    /// # Errors
    /// Tells what is wrong with the file.
    pub fn begin(file: impl Bytes + 'a, end: u64) -> Result<(Self, &'static Syntax), String> {
        let mut walk = Self { file: Box::new(file), end, at: 0, explicit: true, big: false };
        let start = walk.peek((PREAMBLE + 4) as usize)?;
        walk.go(begins(&start).ok_or("is no DICOM file: it lacks the mark DICM")?)?;
        let mut syntax = None;
        // The group about the file is always written in the one way.
        while walk.peek(2)? == [2, 0] {
            let Some(head) = walk.next()? else { break };
            if head.tag == SYNTAX {
                let uid = walk.value(&head)?;
                syntax = Some(by_uid(text(&uid)).ok_or_else(|| unknown(text(&uid)))?);
            } else {
                walk.skip(&head)?;
            }
        }
        let syntax = match syntax {
            Some(syntax) => syntax,
            None => guessed(&walk.peek(8)?).ok_or("names no transfer syntax (0002,0010)")?,
        };
        (walk.explicit, walk.big) = (syntax.explicit, syntax.big);
        if syntax.packing == Packing::Deflated {
            let mut data = Vec::new();
            DeflateDecoder::new(walk.file).take(MAX_UNPACKED + 1).read_to_end(&mut data).map_err(unreadable)?;
            if data.len() as u64 > MAX_UNPACKED {
                return Err(format!("unpacks to more than {MAX_UNPACKED} bytes"));
            }
            (walk.end, walk.at) = (data.len() as u64, 0);
            walk.file = Box::new(Cursor::new(data));
        }
        Ok((walk, syntax))
    }

    /// Reads the elements of the data up to the pixels: hands over the value of each, or the first 1,024 bytes of it, that
    /// `wants`, and returns where the pixels are.
    ///
    /// # Errors
    /// Tells what is wrong with the file.
    pub fn until_pixels(
        &mut self,
        wants: impl Fn(Tag) -> bool,
        mut found: impl FnMut(Tag, Vec<u8>),
    ) -> Result<Option<Pixels>, String> {
        // How values are written outside of each sequence and item that is open.
        let mut open: Vec<bool> = Vec::new();
        for _ in 0..MAX_ELEMENTS {
            let Some(head) = self.next()? else { return Ok(None) };
            match head.tag {
                ITEM_END | SEQUENCE_END => self.explicit = open.pop().unwrap_or(self.explicit),
                tag if open.is_empty() && tag == PIXELS => {
                    let words = head.vr == *b"OW";
                    return Ok(Some(Pixels { length: head.length, words }));
                }
                tag if open.is_empty() && FLOAT_PIXELS.contains(&tag) => {
                    return Err("has floating-point pixels (7FE0,0008), which are not read".to_owned());
                }
                _ if head.length == UNDEFINED => {
                    if open.len() == DEEPEST {
                        return Err(format!("has sequences more than {DEEPEST} deep in each other"));
                    }
                    open.push(self.explicit);
                    // What is of an unknown type is written in the simplest way (PS3.5 §6.2.2, note 2).
                    self.explicit &= head.vr != *b"UN";
                }
                tag if open.is_empty() && wants(tag) => found(tag, self.value(&head)?),
                _ => self.skip(&head)?,
            }
        }
        Err(format!("has more than {MAX_ELEMENTS} elements before its pixels"))
    }

    /// The tag and the length of the next item of packed pixels, whose bytes begin where this now is; none at their end.
    ///
    /// # Errors
    /// Tells what is wrong with the file.
    pub fn item(&mut self) -> Result<Option<u32>, String> {
        match self.next()? {
            Some(Head { tag: ITEM, length, .. }) if length != UNDEFINED => Ok(Some(length)),
            Some(Head { tag: SEQUENCE_END, .. }) | None => Ok(None),
            Some(_) => Err("has pixel data (7FE0,0010) whose items are damaged".to_owned()),
        }
    }

    /// Number of bytes that are left.
    pub fn left(&self) -> u64 {
        self.end - self.at
    }

    /// Passes over bytes.
    ///
    /// # Errors
    /// Tells that there are fewer.
    pub fn pass(&mut self, bytes: u64) -> Result<(), String> {
        if bytes > self.left() {
            return Err(format!("is cut short: {} of {bytes} bytes", self.left()));
        }
        self.go(self.at + bytes)
    }

    /// Reads so many bytes. Memory is taken only for those that there are.
    ///
    /// # Errors
    /// Tells that there are fewer, or that they cannot be read.
    pub fn bytes(&mut self, count: u64) -> Result<Vec<u8>, String> {
        if count > self.left() {
            return Err(format!("is cut short: {} of {count} bytes", self.left()));
        }
        let mut bytes = Vec::new();
        self.file.by_ref().take(count).read_to_end(&mut bytes).map_err(unreadable)?;
        self.at += bytes.len() as u64;
        if bytes.len() as u64 == count { Ok(bytes) } else { Err("became shorter while it was read".to_owned()) }
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], String> {
        self.bytes(N as u64)?.try_into().map_err(|_| "became shorter while it was read".to_owned())
    }

    /// The next bytes, at most so many, which are still to be read.
    fn peek(&mut self, most: usize) -> Result<Vec<u8>, String> {
        let (from, count) = (self.at, self.left().min(most as u64));
        let bytes = self.bytes(count)?;
        self.go(from)?;
        Ok(bytes)
    }

    fn go(&mut self, to: u64) -> Result<(), String> {
        self.file.seek_relative(to as i64 - self.at as i64).map_err(unreadable)?;
        self.at = to;
        Ok(())
    }

    /// The head of the next element; none at the end.
    fn next(&mut self) -> Result<Option<Head>, String> {
        if self.left() == 0 {
            return Ok(None);
        }
        let big = self.big;
        let tag = (number16(big, self.array()?), number16(big, self.array()?));
        if !self.explicit || tag.0 == ITEM.0 {
            return Ok(Some(Head { tag, vr: [0; 2], length: number32(big, self.array()?) }));
        }
        let vr = self.array()?;
        let length = if SHORT.contains(&&vr) {
            number16(big, self.array()?).into()
        } else if LONG.contains(&&vr) {
            self.pass(2)?;
            number32(big, self.array()?)
        } else {
            return Err(format!("has an element {} of no known type: it is damaged", shown(tag)));
        };
        Ok(Some(Head { tag, vr, length }))
    }

    fn skip(&mut self, head: &Head) -> Result<(), String> {
        let short = |problem| format!("{problem} of the element {}", shown(head.tag));
        self.pass(head.length.into()).map_err(short)
    }

    /// The value of an element, or its beginning.
    fn value(&mut self, head: &Head) -> Result<Vec<u8>, String> {
        let begin = self.at;
        self.skip(head)?;
        let end = self.at;
        self.go(begin)?;
        let value = self.bytes(head.length.min(MAX_VALUE).into())?;
        self.go(end)?;
        Ok(value)
    }
}

/// A tag as it is printed: `(0028,0010)`.
pub fn shown((group, element): Tag) -> String {
    format!("({group:04X},{element:04X})")
}

/// A text without what pads it; empty where it is none.
pub fn text(value: &[u8]) -> &str {
    let ends = |c: char| c == '\0' || c == ' ';
    std::str::from_utf8(value).unwrap_or_default().trim_matches(ends)
}

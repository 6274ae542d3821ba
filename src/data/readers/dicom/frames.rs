//! The frames of a file: what their header says of them, and their values as they are stored.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use super::elements::{Bytes, PIXELS, Pixels, Tag, UNDEFINED, Walk, shown, text, unreadable};
use super::rle::unpacked;
use super::syntax::{Packing, Syntax};

/// Most bytes of a frame.
const MAX_FRAME: u64 = 1 << 26;
/// Most frames of a file.
const MAX_FRAMES: u64 = 1 << 20;

const PATIENT: Tag = (0x0010, 0x0020);
const SAMPLES: Tag = (0x0028, 0x0002);
const COLOURS: Tag = (0x0028, 0x0004);
const PLANES: Tag = (0x0028, 0x0006);
const FRAMES: Tag = (0x0028, 0x0008);
const ROWS: Tag = (0x0028, 0x0010);
const COLUMNS: Tag = (0x0028, 0x0011);
const ALLOCATED: Tag = (0x0028, 0x0100);
const STORED: Tag = (0x0028, 0x0101);
const HIGH: Tag = (0x0028, 0x0102);
const SIGNED: Tag = (0x0028, 0x0103);
const CENTRE: Tag = (0x0028, 0x1050);
const WIDTH: Tag = (0x0028, 0x1051);
const INTERCEPT: Tag = (0x0028, 0x1052);
const SLOPE: Tag = (0x0028, 0x1053);
const FUNCTION: Tag = (0x0028, 0x1056);

const WANTED: [Tag; 16] = [
    PATIENT, SAMPLES, COLOURS, PLANES, FRAMES, ROWS, COLUMNS, ALLOCATED, STORED, HIGH, SIGNED, CENTRE, WIDTH,
    INTERCEPT, SLOPE, FUNCTION,
];

/// What a file calls a patient. It can be compared, and nothing else: it is never shown.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct PatientId(Vec<u8>);

/// What a colour is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Colours {
    /// Grey, the lowest value black.
    BlackFirst,
    /// Grey, the lowest value white.
    WhiteFirst,
    /// Red, green and blue.
    Rgb,
}

/// How levels are made of values within a window (PS3.3 §C.11.2.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Function {
    /// `LINEAR`.
    Linear,
    /// `LINEAR_EXACT`.
    Exact,
    /// `SIGMOID`.
    Sigmoid,
}

/// Which values are seen: centre and width, in rescaled units.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Window {
    /// The value that is half bright.
    pub centre: f64,
    /// How many values there are from black to white.
    pub width: f64,
    /// How.
    pub function: Function,
}

/// What the header says of the frames.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Header {
    /// Height and width, in pixels.
    pub sides: [usize; 2],
    /// Number of frames.
    pub frames: usize,
    /// What a pixel is made of.
    pub colours: Colours,
    /// Bits of a value that are in use.
    pub bits: u32,
    /// The first window, where there is one.
    pub window: Option<Window>,
    /// What a stored value is multiplied by, and what is added.
    pub rescale: [f64; 2],
    /// Whether all reds come first, then all greens, and all blues.
    planar: bool,
    /// Bytes of a value.
    bytes: usize,
    /// Bits below those that are in use.
    shift: u32,
    signed: bool,
}

/// A file whose frames can be read.
pub struct Frames<'a> {
    /// What its header says.
    pub header: Header,
    /// How it is written.
    pub syntax: &'static Syntax,
    /// Whose image it is, where that is said.
    pub patient: Option<PatientId>,
    walk: Walk<'a>,
    pixels: Pixels,
    /// Where the walk is among the packed frames: the number of the next.
    next: usize,
}

/// Values of elements.
#[derive(Default)]
struct Values {
    all: Vec<(Tag, Vec<u8>)>,
    big: bool,
}

impl Values {
    fn of(&self, tag: Tag) -> Option<&[u8]> {
        self.all.iter().find(|(known, _)| *known == tag).map(|(_, value)| value.as_slice())
    }

    /// A whole number of two bytes.
    fn short(&self, tag: Tag) -> Option<u16> {
        let bytes = *self.of(tag)?.first_chunk()?;
        Some(if self.big { u16::from_be_bytes(bytes) } else { u16::from_le_bytes(bytes) })
    }

    fn needed(&self, tag: Tag, name: &str) -> Result<u16, String> {
        self.short(tag).ok_or_else(|| format!("lacks {name} {}", shown(tag)))
    }

    /// The first of several texts.
    fn word(&self, tag: Tag) -> &str {
        self.of(tag).and_then(|value| value.split(|byte| *byte == b'\\').next()).map_or("", text)
    }

    /// The first of several numbers that are written out.
    fn decimal(&self, tag: Tag) -> Option<f64> {
        self.word(tag).parse().ok().filter(|number: &f64| number.is_finite())
    }

    fn window(&self) -> Option<Window> {
        let (centre, width) = (self.decimal(CENTRE)?, self.decimal(WIDTH)?);
        let function = match self.word(FUNCTION) {
            "SIGMOID" => Function::Sigmoid,
            "LINEAR_EXACT" => Function::Exact,
            _ => Function::Linear,
        };
        let least = if function == Function::Linear { 1.0 } else { f64::MIN_POSITIVE };
        (width >= least).then_some(Window { centre, width, function })
    }

    fn colours(&self) -> Result<Colours, String> {
        let samples = self.short(SAMPLES).unwrap_or(1);
        match (self.word(COLOURS), samples) {
            ("MONOCHROME1", 1) => Ok(Colours::WhiteFirst),
            ("MONOCHROME2", 1) => Ok(Colours::BlackFirst),
            ("RGB", 3) => Ok(Colours::Rgb),
            (other, samples) => {
                let known = [
                    "MONOCHROME1",
                    "MONOCHROME2",
                    "RGB",
                    "PALETTE COLOR",
                    "YBR_FULL",
                    "YBR_FULL_422",
                    "YBR_ICT",
                    "YBR_RCT",
                ];
                let named = known.iter().find(|known| **known == other).map_or("of another kind", |known| known);
                Err(format!(
                    "has pixels that are {named} {} with {samples} samples {}; MONOCHROME1, MONOCHROME2 and RGB are read",
                    shown(COLOURS),
                    shown(SAMPLES)
                ))
            }
        }
    }

    fn header(&self) -> Result<Header, String> {
        let sides = [self.needed(ROWS, "Rows")?, self.needed(COLUMNS, "Columns")?].map(usize::from);
        let colours = self.colours()?;
        let allocated = self.needed(ALLOCATED, "BitsAllocated")?;
        let bits = self.short(STORED).unwrap_or(allocated);
        let high = self.short(HIGH).unwrap_or(bits.saturating_sub(1));
        if ![8, 16].contains(&allocated) || !(1..=allocated).contains(&bits) || !(bits - 1..allocated).contains(&high) {
            return Err(format!(
                "has {bits} of {allocated} bits up to bit {high} {}; values of 8 and 16 bits are read",
                shown(ALLOCATED)
            ));
        }
        let frames = self.of(FRAMES).map_or(Some(1), |_| self.word(FRAMES).parse::<u64>().ok());
        let frames = frames.filter(|frames| (1..=MAX_FRAMES).contains(frames));
        let frames =
            frames.ok_or_else(|| format!("has no number of frames from 1 to {MAX_FRAMES} {}", shown(FRAMES)))?;
        let (bytes, samples) = (usize::from(allocated / 8), if colours == Colours::Rgb { 3 } else { 1 });
        let size = (sides[0] * sides[1] * samples * bytes) as u64;
        if size == 0 || size > MAX_FRAME {
            let [rows, columns] = sides;
            return Err(format!(
                "declares {rows} × {columns} pixels {}; a frame has 1 to {MAX_FRAME} bytes",
                shown(ROWS)
            ));
        }
        let slope = self.decimal(SLOPE).filter(|slope| *slope != 0.0).unwrap_or(1.0);
        Ok(Header {
            sides,
            frames: frames as usize,
            colours,
            bits: bits.into(),
            window: self.window(),
            rescale: [slope, self.decimal(INTERCEPT).unwrap_or(0.0)],
            planar: self.short(PLANES) == Some(1),
            bytes,
            shift: u32::from(high + 1 - bits),
            signed: self.short(SIGNED) == Some(1),
        })
    }
}

impl Header {
    /// Channels, height, width.
    pub fn shape(&self) -> [usize; 3] {
        let [height, width] = self.sides;
        [self.channels(), height, width]
    }

    /// Samples of a pixel.
    fn channels(&self) -> usize {
        if self.colours == Colours::Rgb { 3 } else { 1 }
    }

    /// Pixels of a frame.
    fn area(&self) -> usize {
        self.sides[0] * self.sides[1]
    }

    /// Bytes of a frame.
    fn size(&self) -> u64 {
        (self.area() * self.channels() * self.bytes) as u64
    }

    /// A value from its bits.
    fn value(&self, word: u16) -> i32 {
        let value = i32::from(word) >> self.shift & ((1 << self.bits) - 1);
        let negative = self.signed && value >> (self.bits - 1) == 1;
        if negative { value - (1 << self.bits) } else { value }
    }
}

impl<'a> Frames<'a> {
    /// Reads the header of a file of so many bytes.
    ///
    /// # Errors
    /// Tells what is wrong with it, with the element's tag and without a value.
    pub fn open(file: impl Bytes + 'a, bytes: u64) -> Result<Self, String> {
        let (mut walk, syntax) = Walk::begin(file, bytes)?;
        let mut values = Values { big: syntax.big, ..Values::default() };
        let pixels = walk.until_pixels(|tag| WANTED.contains(&tag), |tag, value| values.all.push((tag, value)))?;
        let pixels = pixels.ok_or_else(|| format!("has no pixel data {}", shown(PIXELS)))?;
        if syntax.packing == Packing::Foreign {
            let name = syntax.name;
            return Err(format!(
                "has pixels that are packed as {name}, which is not read: save it uncompressed or as RLE"
            ));
        }
        let header = values.header()?;
        let id = values.of(PATIENT).map(|id| {
            let ends = |byte: &u8| *byte == b' ' || *byte == 0;
            let start = id.iter().position(|byte| !ends(byte)).unwrap_or(id.len());
            let end = id.iter().rposition(|byte| !ends(byte)).map_or(start, |last| last + 1);
            PatientId(id[start..end].to_vec())
        });
        Ok(Self { header, syntax, patient: id.filter(|id| !id.0.is_empty()), walk, pixels, next: 0 })
    }

    /// Opens a file.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn of_file(path: &Path) -> Result<Frames<'static>, String> {
        let metadata = path.metadata().map_err(unreadable)?;
        if !metadata.is_file() {
            return Err("is not a file".to_owned());
        }
        Frames::open(BufReader::new(File::open(path).map_err(unreadable)?), metadata.len())
    }

    /// The values of frame `k` as they are stored, each channel by itself, row by row. Frames that are packed are read in
    /// their order only: `k` is not below one that was read before.
    ///
    /// # Errors
    /// Tells what is wrong with the pixels.
    pub fn stored(&mut self, k: usize) -> Result<Vec<i32>, String> {
        match (self.syntax.packing, self.pixels.length) {
            (Packing::Rle, UNDEFINED) => self.packed(k),
            (Packing::Rle, _) | (_, UNDEFINED) => {
                Err(format!("has pixel data {} of a length that its transfer syntax forbids", shown(PIXELS)))
            }
            _ => self.plain(k),
        }
    }

    fn plain(&mut self, k: usize) -> Result<Vec<i32>, String> {
        let header = self.header;
        let (size, count) = (header.size(), header.frames as u64);
        let declared = u64::from(self.pixels.length);
        // The first frame is read from where the walk stands, and the others after it.
        let there = if self.next == 0 { self.walk.left() } else { u64::MAX };
        if declared.min(there) < size * count {
            let found = declared.min(there);
            return Err(format!("is cut short: {found} of {} bytes of pixel data {}", size * count, shown(PIXELS)));
        }
        self.walk.pass(size * (k - self.next) as u64)?;
        let mut data = self.walk.bytes(size)?;
        self.next = k + 1;
        if self.syntax.big && header.bytes == 1 && self.pixels.words {
            // Two bytes make a word, of which the high one comes first.
            data.as_chunks_mut::<2>().0.iter_mut().for_each(|pair| pair.swap(0, 1));
        }
        let word = |i: usize| match (header.bytes, self.syntax.big) {
            (1, _) => u16::from(data[i]),
            (_, false) => u16::from_le_bytes([data[2 * i], data[2 * i + 1]]),
            (_, true) => u16::from_be_bytes([data[2 * i], data[2 * i + 1]]),
        };
        let (area, channels) = (header.area(), header.channels());
        let place = |i: usize| if header.planar { i } else { i % area * channels + i / area };
        Ok((0..area * channels).map(|i| header.value(word(place(i)))).collect())
    }

    fn packed(&mut self, k: usize) -> Result<Vec<i32>, String> {
        let header = self.header;
        let short = |problem: String| format!("{problem} of pixel data {}", shown(PIXELS));
        // The first item says where the others are, or nothing.
        let passed = if self.next == 0 { k + 1 } else { k - self.next };
        let lacking = || format!("is cut short: it lacks frame {} of {}", k + 1, header.frames);
        for _ in 0..passed {
            let length = self.walk.item()?.ok_or_else(lacking)?;
            self.walk.pass(length.into()).map_err(short)?;
        }
        let length = self.walk.item()?.ok_or_else(lacking)?;
        let frame = self.walk.bytes(length.into()).map_err(short)?;
        self.next = k + 1;
        let segments = unpacked(&frame, header.channels() * header.bytes, header.area())?;
        let channel = |bytes: &[Vec<u8>]| {
            let word = |i: usize| bytes.iter().fold(0, |word: u16, segment| word << 8 | u16::from(segment[i]));
            (0..header.area()).map(|i| header.value(word(i))).collect::<Vec<_>>()
        };
        Ok(segments.chunks(header.bytes).flat_map(channel).collect())
    }
}

//! Small DICOM files, made in memory.

use std::io::Write;

use flate2::Compression;
use flate2::write::DeflateEncoder;

use super::super::elements::{ITEM, Tag};

pub const IMPLICIT: &str = "1.2.840.10008.1.2";
pub const EXPLICIT: &str = "1.2.840.10008.1.2.1";
pub const DEFLATED: &str = "1.2.840.10008.1.2.1.99";
pub const BIG: &str = "1.2.840.10008.1.2.2";
pub const RLE: &str = "1.2.840.10008.1.2.5";

/// A name and an id that must never be seen.
pub const NAME: &str = "SECRET^NAME";
pub const ID: &str = "SECRET-ID";

/// A file that is to be: grey, unless it is told otherwise.
#[derive(Clone)]
pub struct Made {
    pub syntax: &'static str,
    /// Whether it has a preamble and a group about itself.
    pub preamble: bool,
    pub rows: u16,
    pub columns: u16,
    pub colours: &'static str,
    pub planar: u16,
    pub allocated: u16,
    pub stored: u16,
    pub high: u16,
    pub signed: bool,
    pub frames: Option<&'static str>,
    /// Texts of elements, such as window and rescale.
    pub more: Vec<(Tag, &'static [u8; 2], &'static str)>,
    pub patient: &'static str,
    /// The values as words, frame after frame, as they stand in the file.
    pub words: Vec<u16>,
}

impl Default for Made {
    /// Two by three pixels of 12 bits.
    fn default() -> Self {
        Self {
            syntax: EXPLICIT,
            preamble: true,
            rows: 2,
            columns: 3,
            colours: "MONOCHROME2",
            planar: 0,
            allocated: 16,
            stored: 12,
            high: 11,
            signed: false,
            frames: None,
            more: vec![],
            patient: ID,
            words: vec![0, 1, 1024, 2048, 3000, 4095],
        }
    }
}

struct Writer {
    explicit: bool,
    big: bool,
    bytes: Vec<u8>,
}

impl Writer {
    fn short(&mut self, value: u16) {
        self.bytes.extend(if self.big { value.to_be_bytes() } else { value.to_le_bytes() });
    }

    fn long(&mut self, value: u32) {
        self.bytes.extend(if self.big { value.to_be_bytes() } else { value.to_le_bytes() });
    }

    fn head(&mut self, tag: Tag, vr: [u8; 2], length: u32) {
        self.short(tag.0);
        self.short(tag.1);
        if !self.explicit || tag.0 == ITEM.0 {
            return self.long(length);
        }
        self.bytes.extend(vr);
        if [b"OB", b"OW", b"SQ", b"UN"].contains(&&vr) {
            self.short(0);
            self.long(length);
        } else {
            self.short(length as u16);
        }
    }

    fn text(&mut self, tag: Tag, vr: [u8; 2], value: &str) {
        let even = value.len().next_multiple_of(2);
        self.head(tag, vr, even as u32);
        self.bytes.extend(value.bytes().chain([b' ']).take(even));
    }

    fn number(&mut self, tag: Tag, value: u16) {
        self.head(tag, *b"US", 2);
        self.short(value);
    }
}

impl Made {
    fn samples(&self) -> usize {
        if self.colours == "RGB" { 3 } else { 1 }
    }

    /// The file.
    pub fn bytes(&self) -> Vec<u8> {
        let mut file = Writer { explicit: true, big: false, bytes: vec![] };
        if self.preamble {
            file.bytes = [&[0; 128][..], b"DICM"].concat();
            // An element about the file that is skipped.
            file.head((2, 1), *b"OB", 2);
            file.bytes.extend([0, 1]);
            file.text((2, 0x10), *b"UI", self.syntax);
        }
        let data = self.data();
        if self.syntax == DEFLATED {
            let mut packed = DeflateEncoder::new(file.bytes, Compression::default());
            packed.write_all(&data).unwrap();
            packed.finish().unwrap()
        } else {
            [file.bytes, data].concat()
        }
    }

    fn data(&self) -> Vec<u8> {
        let mut data = Writer { explicit: self.syntax != IMPLICIT, big: self.syntax == BIG, bytes: vec![] };
        data.text((8, 0x60), *b"CS", "OT");
        // A sequence of no said length, with a nested one, and one whose content is of no said type: values in it that
        // would be wrong outside.
        data.head((8, 0x1115), *b"SQ", u32::MAX);
        data.head(ITEM, *b"  ", u32::MAX);
        data.number((0x28, 0x10), 999);
        data.head((8, 0x1199), *b"SQ", 8);
        data.head(ITEM, *b"  ", 0);
        data.head((0xfffe, 0xe00d), *b"  ", 0);
        data.head((0xfffe, 0xe0dd), *b"  ", 0);
        data.head((9, 0x1010), *b"UN", u32::MAX);
        let outside = std::mem::replace(&mut data.explicit, false);
        data.head(ITEM, *b"  ", u32::MAX);
        data.number((0x28, 0x11), 999);
        data.head((0xfffe, 0xe00d), *b"  ", 0);
        data.explicit = outside;
        data.head((0xfffe, 0xe0dd), *b"  ", 0);
        data.text((0x10, 0x10), *b"PN", NAME);
        data.text((0x10, 0x20), *b"LO", self.patient);
        data.number((0x28, 2), self.samples() as u16);
        data.text((0x28, 4), *b"CS", self.colours);
        data.number((0x28, 6), self.planar);
        if let Some(frames) = self.frames {
            data.text((0x28, 8), *b"IS", frames);
        }
        for (element, value) in [
            (0x10, self.rows),
            (0x11, self.columns),
            (0x100, self.allocated),
            (0x101, self.stored),
            (0x102, self.high),
            (0x103, u16::from(self.signed)),
        ] {
            data.number((0x28, element), value);
        }
        for (tag, vr, value) in &self.more {
            data.text(*tag, **vr, value);
        }
        self.pixels(&mut data);
        data.bytes
    }

    fn pixels(&self, data: &mut Writer) {
        let tag = (0x7fe0, 0x0010);
        if self.syntax == RLE {
            data.head(tag, *b"OB", u32::MAX);
            data.head(ITEM, *b"  ", 0);
            let per_frame = usize::from(self.rows) * usize::from(self.columns) * self.samples();
            for frame in self.words.chunks(per_frame) {
                let packed = self.packed(frame);
                data.head(ITEM, *b"  ", packed.len() as u32);
                data.bytes.extend(packed);
            }
            return data.head((0xfffe, 0xe0dd), *b"  ", 0);
        }
        if self.allocated == 8 {
            data.head(tag, *b"OB", self.words.len().next_multiple_of(2) as u32);
            data.bytes.extend(self.words.iter().map(|word| *word as u8));
            data.bytes.resize(data.bytes.len() + self.words.len() % 2, 0);
        } else {
            data.head(tag, *b"OW", 2 * self.words.len() as u32);
            self.words.iter().for_each(|word| data.short(*word));
        }
    }

    /// A frame in runs: a literal, and a run where the last three are equal.
    fn packed(&self, frame: &[u16]) -> Vec<u8> {
        let samples = self.samples();
        let bytes = usize::from(self.allocated / 8);
        let mut header = vec![(samples * bytes) as u32];
        let mut body = Vec::new();
        for sample in 0..samples {
            for byte in (0..bytes).rev() {
                header.push(64 + body.len() as u32);
                let plane: Vec<u8> =
                    frame.iter().skip(sample).step_by(samples).map(|word| (word >> (8 * byte)) as u8).collect();
                let run = plane.iter().rev().take_while(|value| **value == plane[plane.len() - 1]).count();
                let (literal, run) = plane.split_at(plane.len() - if run > 2 { run } else { 0 });
                for part in literal.chunks(128) {
                    body.push(part.len() as u8 - 1);
                    body.extend(part);
                }
                for part in run.chunks(128).filter(|part| part.len() > 1) {
                    body.extend([(257 - part.len()) as u8, part[0]]);
                }
                // A segment is of even length; 128 means nothing.
                body.resize(body.len().next_multiple_of(2), 128);
            }
        }
        header.resize(16, 0);
        header.into_iter().flat_map(u32::to_le_bytes).chain(body).collect()
    }
}

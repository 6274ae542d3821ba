//! An array of labels: one an image, one-hot, or several of which one is learned.

use std::io::Read;

use super::header::Header;
use crate::data::element::Element;
use crate::data::reader::Findings;
use crate::data::{MAX_CLASSES, MAX_IMAGES, read_payload};

/// Most bytes of an array of labels.
const MAX_LABEL_BYTES: u64 = 256 << 20;

/// What an array says of the classes of images: a row of numbers each.
pub(super) struct Labels {
    element: Element,
    columns: usize,
    bytes: Vec<u8>,
}

impl Labels {
    /// Reads an array of numbers.
    pub fn read(file: &mut dyn Read) -> Result<Self, String> {
        let header = Header::read(file)?;
        let (count, columns) = match *header.shape {
            [count] => (count, 1),
            [count, columns] if (1..=u64::from(MAX_CLASSES)).contains(&columns) => (count, columns),
            _ => {
                let shape = &header.shape;
                return Err(format!(
                    "has the shape {shape:?}, not (N,) or (N, 1), one label an image, or (N, K), at most {MAX_CLASSES}"
                ));
            }
        };
        let element = header.element("whole numbers: number the classes from 0")?;
        if count > MAX_IMAGES {
            return Err(format!("declares {count} labels; at most {MAX_IMAGES} are read"));
        }
        let bytes = count * columns * element.size as u64;
        if bytes > MAX_LABEL_BYTES {
            return Err(format!("declares {bytes} bytes of labels; at most {MAX_LABEL_BYTES} are read"));
        }
        Ok(Self { element, columns: columns as usize, bytes: read_payload(file, bytes)? })
    }

    fn rows(&self) -> impl Iterator<Item = &[u8]> {
        self.bytes.chunks_exact(self.columns * self.element.size)
    }

    /// The place of the one in a row of zeros.
    fn hot(&self, row: &[u8]) -> Option<usize> {
        let mut place = None;
        for (i, value) in self.element.values(row).enumerate() {
            match value {
                0.0 => {}
                1.0 if place.is_none() => place = Some(i),
                _ => return None,
            }
        }
        place
    }

    /// The classes in a column.
    fn column(&self, column: usize) -> Result<Vec<u32>, String> {
        let class = |row: &[u8]| {
            let value = self.element.value(&row[column * self.element.size..][..self.element.size]);
            let fits = value.fract() == 0.0 && (0.0..f64::from(MAX_CLASSES)).contains(&value);
            let last = MAX_CLASSES - 1;
            if fits { Ok(value as u32) } else { Err(format!("holds the label {value}; 0 to {last} are allowed")) }
        };
        self.rows().map(class).collect()
    }
}

/// The classes of all parts of a set, each with the name of its array: of several labels the one whose number is
/// `wanted`, or the first.
pub(super) fn classes(
    all: &[(String, Labels)],
    wanted: &str,
    findings: &mut Findings,
) -> Result<Vec<Vec<u32>>, String> {
    let columns = all.first().map_or(1, |(_, labels)| labels.columns);
    if let Some((name, other)) = all.iter().find(|(_, labels)| labels.columns != columns) {
        return Err(format!("the entry {name} has {} labels an image, and {} has {columns}", other.columns, all[0].0));
    }
    let last = columns - 1;
    let which = match (columns, wanted) {
        (_, "") => 0,
        (1, _) => {
            return Err(format!("there is one label an image: data.labels = \"{wanted}\" is for sets with several"));
        }
        _ => wanted.trim().parse().ok().filter(|column| *column <= last).ok_or_else(|| {
            format!("there is no label data.labels = \"{wanted}\": each image has {columns}, 0 to {last}")
        })?,
    };
    if columns > 1 && wanted.is_empty() {
        let hot: Option<Vec<Vec<u32>>> = all.iter().map(|(_, labels)| one_hot(labels)).collect();
        if let Some(hot) = hot {
            findings.notes.push(format!("Labels are one-hot: the class is the place of the 1, 0 to {last}."));
            return Ok(hot);
        }
    }
    if columns > 1 {
        findings.notes.push(format!(
            "Each image has {columns} labels, of which several may apply: number {which} (of 0 to {last}) is learned; \
             data.labels names another."
        ));
    }
    let class = |(name, labels): &(String, Labels)| {
        labels.column(which).map_err(|problem| format!("the entry {name} {problem}"))
    };
    all.iter().map(class).collect()
}

/// The classes of labels that are all one-hot.
fn one_hot(labels: &Labels) -> Option<Vec<u32>> {
    labels.rows().map(|row| Some(labels.hot(row)? as u32)).collect()
}

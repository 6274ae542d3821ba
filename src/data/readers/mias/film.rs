//! A film: read, where the breast is on it, and pieces of it in another size.

use std::ops::Range;

use super::info::SIDE;

/// Columns and rows in which the breast is looked for.
const COARSE: usize = 128;
/// What is brighter, of 255, may be breast.
const DARK: f32 = 20.0;
/// Longest header, in bytes: comments may be of any length.
const MAX_HEADER: usize = 4096;

/// A film of bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Film {
    /// Height and width, in pixels.
    pub side: usize,
    /// Row by row from the top, 0 black and 255 white.
    pub pixels: Vec<u8>,
}

/// A square in pixels of a film of [`SIDE`]: where its left and its top is, and its side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    left: usize,
    top: usize,
    side: usize,
}

impl Window {
    /// A square around a middle (column, row), moved so that it lies on the film.
    pub fn around([x, y]: [usize; 2], side: usize) -> Self {
        let most = (SIDE as usize).saturating_sub(side);
        let from = |middle: usize| middle.saturating_sub(side / 2).min(most);
        Self { left: from(x), top: from(y), side }
    }
}

/// Where the breast is, in pixels of a film of [`SIDE`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Breast {
    /// The smallest square around it.
    pub around: Window,
    /// Its centre of gravity: column, row.
    pub centroid: [usize; 2],
}

/// The side of the film whose header this is, where its pixels begin, and the value that is white.
///
/// # Errors
/// Tells what is wrong with the header.
pub fn header(file: &[u8]) -> Result<(usize, usize, u32), String> {
    let Some(rest) = file.strip_prefix(b"P5") else {
        return Err("is no binary PGM: it does not begin with P5".to_owned());
    };
    let mut at = file.len() - rest.len();
    let mut numbers = [0_u32; 3];
    for (number, what) in numbers.iter_mut().zip(["width", "height", "largest value"]) {
        *number = field(&file[..file.len().min(MAX_HEADER)], &mut at).ok_or(format!("has no {what} in its header"))?;
    }
    let [width, height, largest] = numbers;
    if width != height || !(16..=SIDE).contains(&width) {
        return Err(format!("is {width} × {height} pixels; films are square, of 16 to {SIDE} pixels"));
    }
    if !(1..=255).contains(&largest) {
        return Err(format!("has {largest} for its largest value; films have 8 bits, 255 at most"));
    }
    // One white space ends the header.
    Ok((width as usize, at + 1, largest))
}

/// The next number of a header, after white space and comments.
fn field(header: &[u8], at: &mut usize) -> Option<u32> {
    let mut spaced = false;
    loop {
        match header.get(*at)? {
            b'#' => *at += header[*at..].iter().position(|byte| *byte == b'\n')?,
            byte if byte.is_ascii_whitespace() => *at += 1,
            _ => break,
        }
        spaced = true;
    }
    let digits = header[*at..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    let number = std::str::from_utf8(&header[*at..*at + digits]).ok()?.parse().ok();
    *at += digits;
    let ends = header.get(*at).is_some_and(u8::is_ascii_whitespace);
    number.filter(|_| spaced && ends)
}

impl Film {
    /// Reads a film from a binary PGM.
    ///
    /// # Errors
    /// Tells what is wrong with the file.
    pub fn read(file: &[u8]) -> Result<Self, String> {
        let (side, start, largest) = header(file)?;
        let found = file.get(start..).unwrap_or_default();
        let Some(pixels) = found.get(..side * side) else {
            return Err(format!("is cut short: {} of {} bytes of pixels", found.len(), side * side));
        };
        let byte = |pixel: &u8| ((u32::from(*pixel) * 255 + largest / 2) / largest).min(255) as u8;
        Ok(Self { side, pixels: if largest == 255 { pixels.to_vec() } else { pixels.iter().map(byte).collect() } })
    }

    /// Finds the breast: the largest connected piece that is not dark, on the film made small. None where all is dark.
    pub fn breast(&self) -> Option<Breast> {
        let coarse = self.side.min(COARSE);
        let small = self.cut(Window { left: 0, top: 0, side: SIDE as usize }, coarse);
        let piece = largest_piece(small.iter().map(|value| *value > DARK + 0.5).collect(), coarse);
        let (columns, rows) =
            (Extent::of(piece.iter().map(|i| i % coarse))?, Extent::of(piece.iter().map(|i| i / coarse))?);
        // Pixels of a whole film to one of the small one.
        let unit = f64::from(SIDE) / coarse as f64;
        let whole = |coarse: f64| (coarse * unit) as usize;
        let middle = |along: &Extent| usize::midpoint(whole(along.first as f64), whole(along.last as f64 + 1.0));
        let side = whole(columns.length().max(rows.length()) as f64);
        Some(Breast {
            around: Window::around([middle(&columns), middle(&rows)], side),
            centroid: [columns.mean, rows.mean].map(|mean| whole(mean + 0.5)),
        })
    }

    /// A piece of the film, `n` × `n` values from 0 to 255, each the mean of the pixels whose middle lies in its box, or
    /// the pixel that it lies in where the boxes are smaller than those.
    pub fn cut(&self, window: Window, n: usize) -> Vec<f32> {
        let unit = self.side as f64 / f64::from(SIDE);
        let boxes = |from: usize| {
            let scale = window.side as f64 * unit / n as f64;
            let reach = 0.5 * scale.max(1.0);
            (0..n).map(move |i| {
                let middle = from as f64 * unit + (i as f64 + 0.5) * scale;
                let last = ((middle + reach + 0.5) as usize).clamp(1, self.side);
                ((middle - reach + 0.5).max(0.0) as usize).min(last - 1)..last
            })
        };
        let mean = |sum: f32, over: &Range<usize>| sum / over.len() as f32;
        let columns: Vec<_> = boxes(window.left).collect();
        // Rows are made narrow once, however many boxes they are in.
        let narrow = |y: usize| -> Vec<f32> {
            let row = &self.pixels[y * self.side..][..self.side];
            columns.iter().map(|over| mean(row[over.clone()].iter().copied().map(f32::from).sum(), over)).collect()
        };
        let down = |rows: Range<usize>| {
            let all: Vec<Vec<f32>> = rows.clone().map(narrow).collect();
            (0..n).map(|x| mean(all.iter().map(|row| row[x]).sum(), &rows)).collect::<Vec<_>>()
        };
        boxes(window.top).flat_map(down).collect()
    }
}

/// How far a piece reaches along one axis.
struct Extent {
    first: usize,
    last: usize,
    mean: f64,
}

impl Extent {
    fn of(places: impl Iterator<Item = usize> + Clone) -> Option<Self> {
        let (first, last) = (places.clone().min()?, places.clone().max()?);
        let mean = places.clone().sum::<usize>() as f64 / places.count() as f64;
        Some(Self { first, last, mean })
    }

    fn length(&self) -> usize {
        self.last + 1 - self.first
    }
}

/// The places of the largest piece of a square mask, connected along rows and columns.
fn largest_piece(mut todo: Vec<bool>, side: usize) -> Vec<usize> {
    let mut best = Vec::new();
    for seed in 0..todo.len() {
        if !std::mem::take(&mut todo[seed]) {
            continue;
        }
        // What is reached stays in it; the first `done` have been looked around from.
        let (mut piece, mut done) = (vec![seed], 0);
        while let Some(&at) = piece.get(done) {
            done += 1;
            let beside = [
                (at >= side).then(|| at - side),
                (at + side < todo.len()).then_some(at + side),
                (at % side > 0).then(|| at - 1),
                (at % side + 1 < side).then_some(at + 1),
            ];
            for next in beside.into_iter().flatten() {
                if std::mem::take(&mut todo[next]) {
                    piece.push(next);
                }
            }
        }
        if piece.len() > best.len() {
            best = piece;
        }
    }
    best
}

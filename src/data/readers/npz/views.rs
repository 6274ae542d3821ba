//! Which numbers of an array are the pixels of a picture: the order of its sides, and of a volume one plane.

use crate::data::{MAX_SIDE, payload_bytes};

/// The planes of a volume (depth, height, width), each by the side that stays the same in it.
const PLANES: [&str; 3] = ["axial", "coronal", "sagittal"];

/// Where the pixels of pictures are in an array of N × …: sides beyond the first, by their place in its shape.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct View {
    /// Number of pictures.
    pub count: u64,
    /// Channels, height, width of a picture.
    pub shape: [usize; 3],
    /// The side of the channels, if there is one, of the rows and of the columns.
    sides: (Option<usize>, usize, usize),
    /// The side of a volume that stays the same, and where on it.
    fixed: Option<(usize, usize)>,
}

/// Numbers from one to the next, in every direction.
pub(super) struct Steps {
    /// Before the first.
    start: usize,
    channel: usize,
    row: usize,
    column: usize,
}

impl View {
    /// Of an array of this shape, the plane that `wanted` names; and what there is to say.
    ///
    /// # Errors
    /// Says what shapes there may be, or what planes.
    pub fn of(sides: &[u64], wanted: &str) -> Result<(Self, Option<String>), String> {
        let refused = || {
            format!(
                "has the shape {sides:?}, not (N, H, W) or (N, H, W, 3), (N, 3, H, W) or that of volumes, (N, D, H, W)"
            )
        };
        let (channel, space): (_, &[usize]) = match sides {
            [_, _, _] => (None, &[1, 2]),
            [_, _, _, 1 | 3] => (Some(3), &[1, 2]),
            [_, 1 | 3, _, _] => (Some(1), &[2, 3]),
            [_, _, _, _, 1 | 3] => (Some(4), &[1, 2, 3]),
            [_, 1 | 3, _, _, _] => (Some(1), &[2, 3, 4]),
            // What has two or four of anything is no volume.
            [_, d, h, w] if [d, h, w].into_iter().all(|side| *side > 4) => (None, &[1, 2, 3]),
            _ => return Err(refused()),
        };
        let count = sides[0];
        let of = |side: usize| sides[side];
        let (rows, columns, depth) = match *space {
            [rows, columns] => (rows, columns, None),
            [depth, rows, columns] => (rows, columns, Some(depth)),
            _ => return Err(refused()),
        };
        payload_bytes(count, [1, of(rows), of(columns)], u64::MAX)?;
        if let Some(depth) = depth.map(of).filter(|depth| !(1..=MAX_SIDE).contains(depth)) {
            return Err(format!("declares volumes of {depth} planes; 1 to {MAX_SIDE} are read"));
        }
        let side = |side: usize| of(side) as usize;
        let channels = channel.map_or(1, side);
        let Some(depth) = depth else {
            if !wanted.is_empty() {
                let planes = PLANES.join(", ");
                return Err(format!("holds flat images: data.view = \"{wanted}\" is for volumes ({planes})"));
            }
            let shape = [channels, side(rows), side(columns)];
            return Ok((Self { count, shape, sides: (channel, rows, columns), fixed: None }, None));
        };
        let axes = [depth, rows, columns];
        let (plane, at) = plane(wanted, axes.map(side))?;
        let [rows, columns] = match plane {
            0 => [axes[1], axes[2]],
            1 => [axes[0], axes[2]],
            _ => [axes[0], axes[1]],
        };
        let shape = [channels, side(rows), side(columns)];
        let note = said(axes.map(side), plane, at, wanted);
        Ok((Self { count, shape, sides: (channel, rows, columns), fixed: Some((axes[plane], at)) }, Some(note)))
    }

    /// Whether an array in C order holds pictures as they are, one after another.
    pub fn is_plain(&self) -> bool {
        self.fixed.is_none()
    }

    /// Whether the channels of a pixel stand side by side there.
    pub fn interleaved(&self) -> bool {
        self.shape[0] > 1 && self.sides.0.is_some_and(|channel| channel > self.sides.2)
    }

    /// The steps of an array whose sides are so far apart.
    pub fn steps(&self, strides: &[usize]) -> Steps {
        let (channel, rows, columns) = self.sides;
        Steps {
            start: self.fixed.map_or(0, |(side, at)| at * strides[side]),
            channel: channel.map_or(0, |side| strides[side]),
            row: strides[rows],
            column: strides[columns],
        }
    }

    /// Adds the numbers of one picture, planar, to `out`; each is of `size` bytes, the picture's first is number `from`.
    pub fn gather(&self, stored: &[u8], from: usize, steps: &Steps, size: usize, out: &mut Vec<u8>) {
        let [channels, height, width] = self.shape;
        for channel in 0..channels {
            for row in 0..height {
                let start = from + steps.start + channel * steps.channel + row * steps.row;
                for column in 0..width {
                    let at = (start + column * steps.column) * size;
                    out.extend_from_slice(&stored[at..at + size]);
                }
            }
        }
    }
}

/// The plane that is wanted, as in `coronal:14`, and where it is; the middle one where that is not said.
fn plane(wanted: &str, volume: [usize; 3]) -> Result<(usize, usize), String> {
    let (name, at) = wanted.split_once(':').map_or((wanted, None), |(name, at)| (name, Some(at.trim())));
    let name = name.trim();
    let plane =
        if name.is_empty() { Some(0) } else { PLANES.iter().position(|plane| plane.eq_ignore_ascii_case(name)) };
    let known = || {
        let all: Vec<String> =
            PLANES.iter().zip(volume).map(|(plane, side)| format!("{plane}:0 to {plane}:{}", side - 1)).collect();
        format!("has no plane data.view = \"{wanted}\": there are {}", all.join(", "))
    };
    let plane = plane.ok_or_else(known)?;
    let at = at.map_or(Ok(volume[plane] / 2), |at| at.parse().map_err(|_| known()))?;
    if at < volume[plane] { Ok((plane, at)) } else { Err(known()) }
}

fn said([d, h, w]: [usize; 3], plane: usize, at: usize, wanted: &str) -> String {
    let name = PLANES[plane];
    let last = [d, h, w][plane] - 1;
    let middle = if wanted.contains(':') { "" } else { ", the middle one" };
    format!(
        "Volumes of {d} × {h} × {w}: of each, {name} plane {at} (of 0 to {last}{middle}) is the picture; data.view names \
         another, as in \"axial:{}\", \"coronal:{}\", \"sagittal:{}\".",
        d / 2,
        h / 2,
        w / 2
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sides_of_an_array_are_told_apart() {
        let shape =
            |sides: &[u64]| View::of(sides, "").map(|(view, _)| (view.shape, view.interleaved(), view.is_plain()));
        assert_eq!(shape(&[9, 28, 20]), Ok(([1, 28, 20], false, true)));
        assert_eq!(shape(&[9, 28, 20, 1]), Ok(([1, 28, 20], false, true)));
        assert_eq!(shape(&[9, 28, 20, 3]), Ok(([3, 28, 20], true, true)));
        assert_eq!(shape(&[9, 1, 28, 20]), Ok(([1, 28, 20], false, true)));
        assert_eq!(shape(&[9, 3, 28, 20]), Ok(([3, 28, 20], false, true)));
        assert_eq!(shape(&[9, 12, 28, 20]), Ok(([1, 28, 20], false, false)));
        assert_eq!(shape(&[9, 12, 28, 20, 1]), Ok(([1, 28, 20], false, false)));
        for no in
            [&[9][..], &[9, 784], &[9, 28, 20, 4], &[9, 28, 20, 2], &[9, 4, 28, 28], &[], &[9, 5, 5, 5, 5], &[0; 7]]
        {
            assert!(shape(no).unwrap_err().contains(&format!("has the shape {no:?}")), "{no:?}");
        }
        assert!(shape(&[9, 5000, 8, 8]).unwrap_err().contains("5000 planes"));
        assert!(shape(&[9, 8, 8, 5000]).unwrap_err().contains("8 × 5000 pixels"));
    }

    #[test]
    fn planes_are_found_by_name_and_number() {
        let of =
            |wanted| View::of(&[2, 28, 30, 32], wanted).map(|(view, note)| (view.shape, view.fixed, note.unwrap()));
        let (shape, fixed, note) = of("").unwrap();
        assert_eq!((shape, fixed), ([1, 30, 32], Some((1, 14))));
        assert!(
            note.contains("28 × 30 × 32") && note.contains("axial plane 14 (of 0 to 27, the middle one)"),
            "{note}"
        );
        for (wanted, shape, fixed) in [
            ("axial:3", [1, 30, 32], (1, 3)),
            ("coronal", [1, 28, 32], (2, 15)),
            ("Sagittal: 31", [1, 28, 30], (3, 31)),
        ] {
            let (now, at, note) = of(wanted).unwrap();
            assert_eq!((now, at), (shape, Some(fixed)), "{wanted}: {note}");
        }
        for no in ["axial:28", "axial:-1", "axial:", "oblique:3", "sagittal:99999999999999999999", "3"] {
            let told = of(no).unwrap_err();
            assert!(told.contains(no) && told.contains("axial:0 to axial:27, coronal:0 to coronal:29"), "{told}");
        }
        let told = View::of(&[9, 28, 28], "axial:3").unwrap_err();
        assert_eq!(told, "holds flat images: data.view = \"axial:3\" is for volumes (axial, coronal, sagittal)");
    }
}

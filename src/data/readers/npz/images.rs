//! An array of images.

use std::io::Read;

use super::header::Header;
use super::views::View;
use crate::data::array::{Pixels, most_bytes};
use crate::data::disk::Place;
use crate::data::element::Element;
use crate::data::layout::{Layout, Pixel};
use crate::data::{MAX_BYTES, payload_bytes, read_payload, unpacked};

/// What an array of numbers that are no pixels yet may hold.
const NUMBERS: &str = "numbers (|u1, <u2, <i2, <f4, …)";

/// The images of an array, channels brought to the front, and what there is to say; they may stay at `place`, where the
/// array begins in a file.
pub(super) fn images(
    file: &mut dyn Read,
    view: &str,
    place: Option<Place<'_>>,
) -> Result<(Pixels, Option<String>), String> {
    let header = Header::read(file)?;
    let element = header.element(NUMBERS)?;
    let (view, note) = View::of(&header.shape, view)?;
    let pixels = match element.pixel().filter(|_| view.is_plain() && !header.fortran) {
        Some(pixel) => plain(file, &header, &view, pixel, place)?,
        None => converted(file, &header, &view, element)?,
    };
    Ok((pixels, note))
}

/// Images that stand there as they are.
fn plain(
    file: &mut dyn Read,
    header: &Header,
    view: &View,
    pixel: Pixel,
    place: Option<Place<'_>>,
) -> Result<Pixels, String> {
    let [channels, height, width] = view.shape.map(|side| side as u64);
    payload_bytes(view.count, [channels * pixel.bytes() as u64, height, width], most_bytes(place)).map_err(
        |problem| {
            // In a file that can be read where it is, there is room for any.
            let packed = place.is_none_or(|place| place.packed);
            let stay = if packed { ", or the file unpacked (numpy.savez): then they stay on disk" } else { "" };
            format!("{problem}{stay}")
        },
    )?;
    let place = place.map(|place| Place { start: place.start + header.bytes, ..place });
    let layout = Layout { interleaved: view.interleaved(), ..Layout::plain(view.shape, pixel) };
    unpacked::read(file, view.count, layout, place)
}

/// Images whose numbers are picked from the array, or are no pixels: they are held in memory.
fn converted(file: &mut dyn Read, header: &Header, view: &View, element: Element) -> Result<Pixels, String> {
    let sides = &header.shape[1..];
    let [channels, height, width] = view.shape.map(|side| side as u64);
    let size = element.size as u64;
    let limited = |problem: String| {
        format!(
            "{problem}, or store them as bytes or 16 bits in C order (numpy.ascontiguousarray): then they stay on disk"
        )
    };
    payload_bytes(view.count, [channels * size, height, width], MAX_BYTES).map_err(limited)?;
    // What is read at once: one image or volume, in Fortran order all of them.
    let one = sides.iter().try_fold(size, |bytes, side| bytes.checked_mul(*side));
    let at_once = one.and_then(|one| if header.fortran { one.checked_mul(view.count) } else { Some(one) });
    let Some((one, at_once)) = one.zip(at_once.filter(|bytes| *bytes <= MAX_BYTES)) else {
        let what = if header.fortran { "bytes in Fortran order" } else { "bytes in each volume" };
        return Err(limited(format!(
            "declares too many {what}; at most {MAX_BYTES} are read: save fewer or smaller images"
        )));
    };
    let planar = if header.fortran {
        let stored = read_payload(file, at_once)?;
        in_fortran_order(&stored, &header.shape, view, element.size)
    } else {
        in_c_order(file, one, sides, view, element.size)?
    };
    match element.pixel() {
        Some(pixel) => {
            let layout = Layout::plain(view.shape, pixel);
            Ok(Pixels::held(layout, layout.planar(planar)))
        }
        None => Pixels::numbers(view.shape, element, planar),
    }
}

/// The numbers of images of `one` bytes each, read one after another.
fn in_c_order(file: &mut dyn Read, one: u64, sides: &[u64], view: &View, size: usize) -> Result<Vec<u8>, String> {
    // The first side is that of the images, which are read one by one.
    let mut strides = vec![1; sides.len() + 1];
    for side in (1..sides.len()).rev() {
        strides[side] = strides[side + 1] * sides[side] as usize;
    }
    let damaged = |error| format!("is damaged or cut short ({error})");
    let (steps, mut planar, mut stored) = (view.steps(&strides), Vec::new(), Vec::new());
    for i in 0..view.count {
        stored.clear();
        file.take(one).read_to_end(&mut stored).map_err(damaged)?;
        if (stored.len() as u64) < one {
            let [found, all] = [i * one + stored.len() as u64, view.count.saturating_mul(one)];
            return Err(format!("is cut short: {found} of {all} bytes of data"));
        }
        view.gather(&stored, 0, &steps, size, &mut planar);
    }
    match file.read(&mut [0]).map_err(damaged)? {
        0 => Ok(planar),
        _ => Err(format!("goes on after the {} bytes of data that it declares", view.count.saturating_mul(one))),
    }
}

/// The numbers of images whose first index, that of the image, runs fastest.
fn in_fortran_order(stored: &[u8], shape: &[u64], view: &View, size: usize) -> Vec<u8> {
    let mut strides = vec![1; shape.len()];
    for side in 1..shape.len() {
        strides[side] = strides[side - 1] * shape[side - 1] as usize;
    }
    let (steps, mut planar) = (view.steps(&strides), Vec::new());
    for i in 0..view.count as usize {
        view.gather(stored, i, &steps, size, &mut planar);
    }
    planar
}

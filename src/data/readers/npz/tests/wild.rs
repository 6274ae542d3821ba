//! Bytes that nobody meant.

use super::forms::fortran;
use super::*;
use crate::data::wild::{each, wild};

/// Reads every image that is said to be there.
fn use_all(contents: Contents) {
    let all: Vec<Arc<dyn Source>> = match contents.parts {
        Parts::Given(parts) => parts.into(),
        Parts::Whole(all) => vec![all],
    };
    for part in all {
        let mut values = vec![0.0; part.shape().iter().product()];
        for i in 0..part.len() {
            part.values(i, &mut values).unwrap();
            assert!(values.iter().all(|value| (0.0..=1.0).contains(value)), "{values:?}");
        }
    }
}

#[test]
fn archives_that_came_to_harm_are_read_or_refused() {
    let good = six_and(&[("train_films", npy("<u2", "(3,)", &[1, 0, 2, 0, 3, 0]))]);
    let mut read = 0;
    each(2000, |i| {
        if let Ok(contents) = contents(wild(&good, i), &Wanted::default()) {
            use_all(contents);
            read += 1;
        }
    });
    assert!(read > 0, "some are still good");
}

#[test]
fn arrays_that_came_to_harm_are_read_or_refused() {
    let floats = (0..12).flat_map(|i| (i as f32 / 7.0).to_be_bytes()).collect::<Vec<_>>();
    let volumes = (0..250).map(|i| i as u8).collect::<Vec<_>>();
    let labels = [0_i64, 1].map(i64::to_le_bytes).concat();
    let hot = [0_f32, 1.0, 1.0, 0.0].map(f32::to_le_bytes).concat();
    let mut read = 0;
    for (images, classes) in [
        (npy("|u1", "(2, 2, 3)", &[200; 12]), npy("<i8", "(2,)", &labels)),
        (fortran(">f4", "(2, 2, 3)", &floats), npy("<f4", "(2, 2)", &hot)),
        (npy("<i2", "(2L, 5L, 5L, 5L)", &[&volumes[..], &volumes].concat()), npy("|u1", "(2, 1)", &[0, 1])),
    ] {
        each(1000, |i| {
            // One of the two came to harm, and the archive has good sums.
            let [images, classes] = match i % 3 {
                0 => [images.clone(), wild(&classes, i)],
                _ => [wild(&images, i), classes.clone()],
            };
            let view = ["", "axial:1", "sagittal"][(i % 5).min(2) as usize].to_owned();
            let file = npz(&[("images", images), ("labels", classes)]);
            if let Ok(contents) = contents(file, &Wanted { view, ..Wanted::default() }) {
                use_all(contents);
                read += 1;
            }
        });
    }
    assert!(read > 20, "some are still good: {read}");
}

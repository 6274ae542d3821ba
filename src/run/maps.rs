//! The gradient map that the hospital sends beside the one that the server finds, so that they can be compared.

use super::scene::{Picture, Scene};
use crate::defence::psgl::downsample::map_channel;
use crate::error::Result;
use crate::score::image::pearson;

/// Sizes of the sent and of the found map on one grid, each as a share of its own largest: they have different units.
#[derive(Clone, Debug, PartialEq)]
pub struct Maps {
    /// |map| as it is sent: averaged over the channels and 2×2 pixels, then over whatever else of it falls on one
    /// place of the found map. (1, h, w) in \[0, 1\].
    pub sent: Picture,
    /// |S| of the found map, averaged over the channels of the smashed data. (1, h, w) in \[0, 1\].
    pub found: Picture,
    /// Pearson's correlation of the two, −1 to 1; none where one of them is the same everywhere.
    pub correlation: Option<f64>,
}

impl Maps {
    /// The maps of a scene; none where no map was sent or none was looked for.
    ///
    /// # Errors
    /// Returns an error if the scene's map does not fill its shape.
    pub fn of(scene: &Scene) -> Result<Option<Self>> {
        let Some(found) = scene.opinion.as_ref().map(|opinion| &opinion.map_size).filter(|map| !map.is_empty()) else {
            return Ok(None);
        };
        if scene.map.is_empty() {
            return Ok(None);
        }
        let sent = Picture::of_tensor(&map_channel(&scene.map.tensor()?)?.get(0)?)?;
        let sent = regridded(&sent, found.shape[1], found.shape[2]);
        let varies = |map: &Picture| map.values.iter().any(|value| *value != map.values[0]);
        let correlation = (varies(&sent) && varies(found)).then(|| pearson(&sent.values, &found.values));
        let correlation = correlation.filter(|value| value.is_finite());
        Ok(Some(Self { sent: of_largest(&sent), found: of_largest(found), correlation }))
    }
}

/// One plane on another grid: each place is the mean of the pixels that it covers a part of.
fn regridded(plane: &Picture, height: usize, width: usize) -> Picture {
    let [_, h, w] = plane.shape;
    let covers = |i: usize, of: usize, from: usize| i * from / of..((i + 1) * from).div_ceil(of);
    let mean = |y: usize, x: usize| {
        let (rows, columns) = (covers(y, height, h), covers(x, width, w));
        let count = rows.len() * columns.len();
        let sum: f32 = rows.map(|row| plane.values[row * w..][columns.clone()].iter().sum::<f32>()).sum();
        sum / count as f32
    };
    let values = (0..height * width).map(|i| mean(i / width, i % width)).collect();
    Picture { shape: [1, height, width], values }
}

/// Divided by its largest value; as it is where that is 0.
fn of_largest(plane: &Picture) -> Picture {
    let largest = plane.values.iter().copied().fold(0.0_f32, f32::max);
    let scale = if largest > 0.0 { 1.0 / largest } else { 1.0 };
    Picture { shape: plane.shape, values: plane.values.iter().map(|value| value * scale).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::scene::Opinion;

    fn scene(map: Picture, map_size: Picture) -> Scene {
        Scene { map, opinion: Some(Opinion { map_size, ..Opinion::default() }), ..Scene::default() }
    }

    #[test]
    fn maps_are_compared_as_sent_whatever_their_signs_and_units() {
        // Blocks of 2×2 with the means .5, .25, 1 and 0; signs do not cross the wire.
        let map = vec![
            -0.5, 0.5, 0.25, -0.25, //
            0.5, -0.5, 0.25, 0.25, //
            1.0, -1.0, 0.0, 0.0, //
            1.0, 1.0, 0.0, 0.0,
        ];
        let sent = Picture { shape: [1, 4, 4], values: map };
        let found = |values: [f32; 4]| Picture { shape: [1, 2, 2], values: values.to_vec() };
        let maps = Maps::of(&scene(sent.clone(), found([5.0, 2.5, 10.0, 0.0]))).unwrap().unwrap();
        assert_eq!(maps.sent.values, [0.5, 0.25, 1.0, 0.0]);
        assert_eq!((&maps.sent, maps.sent.shape), (&maps.found, [1, 2, 2]));
        assert!((maps.correlation.unwrap() - 1.0).abs() < 1e-9);
        let turned = Maps::of(&scene(sent.clone(), found([5.0, 7.5, 0.0, 10.0]))).unwrap().unwrap();
        assert!((turned.correlation.unwrap() + 1.0).abs() < 1e-6);
        // Deeper layers see less: the sent map comes to their grid.
        let one = Maps::of(&scene(sent.clone(), Picture { shape: [1, 1, 1], values: vec![3.0] })).unwrap().unwrap();
        assert_eq!((one.sent.values, one.found.values, one.correlation), (vec![1.0], vec![1.0], None));
        assert_eq!(Maps::of(&scene(Picture::default(), found([1.0; 4]))).unwrap(), None);
        assert_eq!(Maps::of(&scene(sent, Picture::default())).unwrap(), None);
        assert_eq!(Maps::of(&Scene::default()).unwrap(), None);
    }

    #[test]
    fn another_grid_takes_the_mean_of_what_falls_on_a_place() {
        let plane = Picture { shape: [1, 1, 5], values: vec![1.0, 2.0, 3.0, 4.0, 5.0] };
        assert_eq!(regridded(&plane, 1, 5), plane);
        assert_eq!(regridded(&plane, 1, 1).values, [3.0]);
        assert_eq!(regridded(&plane, 1, 2).values, [2.0, 4.0]);
        assert_eq!(regridded(&plane, 2, 1).shape, [1, 2, 1]);
    }
}

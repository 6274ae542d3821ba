//! Where the labels of a drawing's points stand: beside their points, over no other label and no point.

/// Corners of a box: left, top, right, bottom; y grows downwards.
type Box = [f64; 4];

/// Between a point and its label.
const GAP: f64 = 2.0;
/// How far a label is moved off its point at most, in label heights.
const STEPS: usize = 5;

/// A drawing whose labels are placed.
#[derive(Clone, Copy, Debug)]
pub struct Labels {
    /// Where labels may stand: left, top, right, bottom.
    pub area: [f64; 4],
    /// Radius of a point.
    pub radius: f64,
    /// Height of a label.
    pub height: f64,
}

/// A label that found a place.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Placed {
    /// Which of its wordings.
    pub which: usize,
    /// Its middle.
    pub at: [f64; 2],
    /// Whether it is so far off that a line should lead to its point.
    pub far: bool,
}

impl Labels {
    /// A place for the label of each of `points`, so wide as `widths` say, a width a wording, the best one first; `marks` are points
    /// that nothing may cover, theirs or others. None where there is no room. Earlier ones choose first.
    pub fn placed(&self, points: &[[f64; 2]], widths: &[Vec<f64>], marks: &[[f64; 2]]) -> Vec<Option<Placed>> {
        let dot = |[x, y]: [f64; 2]| [x - self.radius, y - self.radius, x + self.radius, y + self.radius];
        let mut taken: Vec<Box> = marks.iter().chain(points).copied().map(dot).collect();
        let place = |(point, widths): (&[f64; 2], &Vec<f64>)| {
            let is_free =
                |at, width| self.is_inside(at, width) && !taken.iter().any(|own| cover(*own, self.of(at, width)));
            let (which, width, at, far) = widths.iter().enumerate().find_map(|(which, width)| {
                let (at, far) = self.candidates(*point, *width).find(|(at, _)| is_free(*at, *width))?;
                Some((which, *width, at, far))
            })?;
            taken.push(self.of(at, width));
            Some(Placed { which, at, far })
        };
        points.iter().zip(widths).map(place).collect()
    }

    fn of(&self, [x, y]: [f64; 2], width: f64) -> Box {
        [x - width / 2.0, y - self.height / 2.0, x + width / 2.0, y + self.height / 2.0]
    }

    fn is_inside(&self, at: [f64; 2], width: f64) -> bool {
        let [left, top, right, bottom] = self.of(at, width);
        left >= self.area[0] && top >= self.area[1] && right <= self.area[2] && bottom <= self.area[3]
    }

    /// Places around a point, the nearest first: of those at one distance first to the upper right, then the other sides.
    fn candidates(&self, [x, y]: [f64; 2], width: f64) -> impl Iterator<Item = ([f64; 2], bool)> {
        const SIDES: [[f64; 2]; 8] =
            [[1.0, -1.0], [-1.0, -1.0], [1.0, 1.0], [-1.0, 1.0], [0.0, -1.0], [0.0, 1.0], [1.0, 0.0], [-1.0, 0.0]];
        let Self { radius, height, .. } = *self;
        (0..=STEPS).flat_map(move |step| {
            let off = step as f64 * height;
            SIDES.into_iter().map(move |[right, down]| {
                // Diagonally a label may reach into the corner of the point's box, where the point is not.
                let near = if right != 0.0 && down != 0.0 { 0.3 * radius } else { 0.0 };
                let across = right * (radius + GAP + width / 2.0 + off - near);
                let along = down * (radius + GAP + height / 2.0 + off - near);
                ([x + across, y + along], step > 0)
            })
        })
    }
}

/// Whether two boxes have a point in common.
fn cover(a: Box, b: Box) -> bool {
    a[0] < b[2] && b[0] < a[2] && a[1] < b[3] && b[1] < a[3]
}

#[cfg(test)]
mod tests {
    use super::*;

    const LABELS: Labels = Labels { area: [0.0, 0.0, 200.0, 100.0], radius: 5.0, height: 11.0 };

    #[test]
    fn a_lonely_label_is_to_the_upper_right_and_near() {
        let [Some(placed)] = LABELS.placed(&[[50.0, 50.0]], &[vec![12.0]], &[])[..] else { panic!("no place") };
        assert!(placed.at[0] > 50.0 && placed.at[1] < 50.0 && !placed.far, "{placed:?}");
    }

    #[test]
    fn labels_of_a_crowd_cover_neither_each_other_nor_a_point() {
        let points: Vec<[f64; 2]> = (0..14).map(|i| [60.0 + 4.0 * f64::from(i), 50.0 + f64::from(i % 3)]).collect();
        let widths = vec![vec![13.0]; points.len()];
        let marks = [[60.0, 80.0]];
        let placed: Vec<[f64; 2]> =
            LABELS.placed(&points, &widths, &marks).into_iter().flatten().map(|placed| placed.at).collect();
        assert!(placed.len() >= 12, "{} of 14 have a place", placed.len());
        let boxes: Vec<Box> = placed.iter().map(|at| LABELS.of(*at, 13.0)).collect();
        for (i, own) in boxes.iter().enumerate() {
            assert!(boxes[..i].iter().all(|other| !cover(*own, *other)), "label {i}");
            assert!(own[0] >= 0.0 && own[1] >= 0.0 && own[2] <= 200.0 && own[3] <= 100.0, "{own:?}");
            for [x, y] in points.iter().chain(&marks) {
                assert!(!(own[0]..own[2]).contains(x) || !(own[1]..own[3]).contains(y), "label {i} hides a point");
            }
        }
    }

    #[test]
    fn without_room_there_is_none() {
        let tight = Labels { area: [0.0, 0.0, 20.0, 12.0], ..LABELS };
        assert_eq!(tight.placed(&[[10.0, 6.0]], &[vec![18.0]], &[]), [None]);
        // A shorter wording may have.
        let [Some(placed)] = LABELS.placed(&[[50.0, 50.0]], &[vec![900.0, 12.0]], &[])[..] else { panic!("no place") };
        assert_eq!(placed.which, 1);
    }
}

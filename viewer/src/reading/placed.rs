//! A finding's shape in patient space: the places to take hold of, and what it becomes when one of them is moved.

use mj_imaging::Plane;
use mj_model::{Extent, Geometry, PointLps, Shape, VectorLps, Volume};

/// A shape in patient space, of a finding or one that is being drawn.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Placed {
    /// Drawn in a plane.
    Shape(Shape<PointLps>),
    /// A ball.
    Ball { centre: PointLps, radius_mm: f64 },
}

impl Placed {
    /// A finding's geometry where it is drawn on a volume; none for what is not drawn. Places on an image are those of a
    /// single image: on a volume of several nobody knows which.
    pub(crate) fn of(volume: &Volume, geometry: &Geometry) -> Option<Self> {
        match geometry {
            Geometry::InSpace(shape) => Some(Self::Shape(shape.clone())),
            Geometry::OnImage(_) if volume.grid.dims[2] > 1 => None,
            Geometry::OnImage(shape) => Some(Self::Shape(shape.map(|[i, j]| volume.grid.lps_from_voxel([i, j, 0.0])))),
            Geometry::Extent(Extent::Sphere { centre, radius_mm }) => Some(Self::Ball { centre: *centre, radius_mm: *radius_mm }),
            Geometry::Extent(Extent::Segment { .. } | Extent::WholeImage) => None,
        }
    }

    /// The geometry to be kept: in millimetres, or in pixels where the image has no calibration.
    pub(crate) fn geometry(&self, volume: &Volume) -> Geometry {
        let pixel = |p: PointLps| {
            let [i, j, _] = volume.grid.voxel_from_lps(p);
            [i, j]
        };
        match self {
            Self::Shape(shape) if volume.is_calibrated => Geometry::InSpace(shape.clone()),
            Self::Shape(shape) => Geometry::OnImage(shape.map(pixel)),
            Self::Ball { centre, radius_mm } => Geometry::Extent(Extent::Sphere { centre: *centre, radius_mm: *radius_mm }),
        }
    }

    /// A rectangle, or an ellipse, between two opposite corners, along the sides of a picture.
    pub(crate) fn in_box(plane: &Plane, [a, b]: [PointLps; 2], is_round: bool) -> Self {
        let (across, along) = (plane.right * (b - a).dot(plane.right), plane.down * (b - a).dot(plane.down));
        if !is_round {
            return Self::Shape(Shape::Contours { contours: vec![vec![a, a + across, a + across + along, a + along]] });
        }
        let middle = a + (across + along) * 0.5;
        let axis = |half: VectorLps| [middle + -half, middle + half];
        ellipse([axis(across * 0.5), axis(along * 0.5)])
    }

    /// The closed lines around a region; empty for what encloses none.
    pub(crate) fn contours(&self) -> Vec<Vec<PointLps>> {
        match self {
            Self::Shape(shape) if shape.is_region() => shape.outline().into_iter().map(|(line, _)| line).collect(),
            _ => Vec::new(),
        }
    }

    /// Places whose images are those of the shape, its middle first.
    pub(crate) fn touched(&self, volume: &Volume) -> Vec<PointLps> {
        match self {
            Self::Shape(shape) => {
                let middle = Geometry::InSpace(shape.clone()).centre();
                middle.into_iter().chain(shape.positions()).collect()
            }
            Self::Ball { centre, radius_mm } => {
                let (axis, mm) = (volume.grid.axes[2], volume.grid.spacing_mm[2]);
                let n = (radius_mm / mm).floor() as i64;
                let mut steps: Vec<i64> =
                    (-n..=n).filter(|step| volume.grid.nearest_voxel(*centre + axis * (*step as f64 * mm)).is_some()).collect();
                steps.sort_by_key(|step| step.abs());
                steps.into_iter().map(|step| *centre + axis * (step as f64 * mm)).collect()
            }
        }
    }

    /// The circle in which a plane cuts the ball, with its centre's foot on the plane and its radius; the plane may be up to
    /// `half_mm` thick on either side. Units: mm.
    pub(crate) fn circle(&self, plane: &Plane, half_mm: f64) -> Option<(PointLps, f64)> {
        let Self::Ball { centre, radius_mm } = self else { return None };
        let depth = plane.depth_mm(*centre);
        let away = (depth.abs() - half_mm).max(0.0);
        (away < *radius_mm).then(|| (*centre + -(plane.normal() * depth), (radius_mm * radius_mm - away * away).sqrt()))
    }

    /// The places to take hold of in a viewport that shows a plane.
    pub(crate) fn grips(&self, plane: &Plane) -> Vec<PointLps> {
        match self {
            // A drawn outline has hundreds of places: it is moved as a whole.
            Self::Shape(Shape::Contours { contours }) => rectangle(contours).map_or_else(Vec::new, |corners| corners.to_vec()),
            Self::Shape(shape) => shape.positions(),
            Self::Ball { .. } => self.circle(plane, 0.0).map_or_else(Vec::new, |(middle, radius)| {
                let (right, down) = (plane.right * radius, plane.down * radius);
                vec![middle, middle + right, middle + down, middle + -right, middle + -down]
            }),
        }
    }

    /// With one of its [`Self::grips`] at another place of the plane: an ellipse stays one, a rectangle keeps its angles, the
    /// short axis stays across the long one, a ball stays round.
    pub(crate) fn with_grip(&self, n: usize, to: PointLps, plane: &Plane) -> Self {
        match self {
            Self::Shape(Shape::Contours { contours }) => match rectangle(contours).and_then(|corners| with_corner(corners, n, to)) {
                Some(corners) => Self::Shape(Shape::Contours { contours: vec![corners.to_vec()] }),
                None => self.clone(),
            },
            Self::Shape(Shape::Bidirectional { long, short }) => {
                let axes = Axes { long: *long, short: *short, normal: plane.normal() };
                let moved = if n < 2 { axes.with_long(n, to) } else { axes.with_short(n - 2, to) };
                moved.map_or_else(|| self.clone(), |[long, short]| Self::Shape(Shape::Bidirectional { long, short }))
            }
            Self::Shape(Shape::Ellipse { long, short }) => {
                let (axis, other) = if n < 2 { (*long, *short) } else { (*short, *long) };
                with_axis(axis, other, n % 2, to, plane.normal()).map_or_else(|| self.clone(), ellipse)
            }
            Self::Shape(shape) => {
                let mut at = 0..;
                Self::Shape(shape.map(|p| if at.next() == Some(n) { to } else { p }))
            }
            Self::Ball { centre, .. } if n > 0 => {
                // The far side of the circle stays where it is in depth: the ball grows about its centre.
                Self::Ball { centre: *centre, radius_mm: centre.distance_mm(to).max(0.1) }
            }
            Self::Ball { centre, radius_mm } => {
                let foot = *centre + -(plane.normal() * plane.depth_mm(*centre));
                Self::Ball { centre: *centre + (to - foot), radius_mm: *radius_mm }
            }
        }
    }

    /// Moved as a whole.
    pub(crate) fn shifted(&self, by: VectorLps) -> Self {
        match self {
            Self::Shape(shape) => Self::Shape(shape.map(|p| p + by)),
            Self::Ball { centre, radius_mm } => Self::Ball { centre: *centre + by, radius_mm: *radius_mm },
        }
    }
}

/// The ellipse of two axes, whichever is the longer.
fn ellipse([one, other]: [[PointLps; 2]; 2]) -> Placed {
    let length = |[a, b]: [PointLps; 2]| a.distance_mm(b);
    let (long, short) = if length(one) < length(other) { (other, one) } else { (one, other) };
    Placed::Shape(Shape::Ellipse { long, short })
}

/// The corners of a single contour that is a rectangle.
fn rectangle(contours: &[Vec<PointLps>]) -> Option<[PointLps; 4]> {
    let [contour] = contours else { return None };
    let corners: [PointLps; 4] = contour.as_slice().try_into().ok()?;
    let [a, b, c, d] = corners;
    let (across, along) = (b - a, d - a);
    let size = across.length().max(along.length());
    let is_closed = (a + across + along).distance_mm(c) <= 1e-6 * size;
    (is_closed && across.dot(along).abs() <= 1e-6 * across.length() * along.length()).then_some(corners)
}

/// A rectangle with one corner elsewhere; the opposite one and the directions of the sides stay.
fn with_corner(corners: [PointLps; 4], n: usize, to: PointLps) -> Option<[PointLps; 4]> {
    let at = |step: usize| corners[(n + step) % 4];
    let fixed = at(2);
    let sides = [at(3) - fixed, at(1) - fixed].map(VectorLps::unit);
    let [first, second] = [sides[0]?, sides[1]?];
    let diagonal = to - fixed;
    let (first, second) = (first * diagonal.dot(first), second * diagonal.dot(second));
    let mut moved = corners;
    moved[n % 4] = fixed + first + second;
    moved[(n + 3) % 4] = fixed + second;
    moved[(n + 1) % 4] = fixed + first;
    // No side may vanish: it would leave nothing to take hold of, and no direction.
    (first.length() > 1e-3 && second.length() > 1e-3).then_some(moved)
}

/// An ellipse with one end of `axis` elsewhere: the other end stays, the axis across it keeps its length.
fn with_axis(axis: [PointLps; 2], across: [PointLps; 2], n: usize, to: PointLps, normal: VectorLps) -> Option<[[PointLps; 2]; 2]> {
    let fixed = axis[1 - n];
    let side = normal.cross((to - fixed).unit()?);
    let half = side * (across[0].distance_mm(across[1]) / 2.0);
    // The ends keep their sides, so that the ellipse does not turn over.
    let half = if half.dot(across[1] - across[0]) < 0.0 { -half } else { half };
    let middle = fixed + (to - fixed) * 0.5;
    let axis = if n == 0 { [to, fixed] } else { [fixed, to] };
    (fixed.distance_mm(to) > 1e-3).then_some([axis, [middle + -half, middle + half]])
}

/// A long axis and one across it.
struct Axes {
    long: [PointLps; 2],
    short: [PointLps; 2],
    normal: VectorLps,
}

impl Axes {
    /// Where along the long axis the short one crosses it, from 0 to 1, and how far its ends lie to the side of it.
    fn crossing(&self) -> Option<(f64, [f64; 2])> {
        let [a, b] = self.long;
        let side = self.normal.cross((b - a).unit()?);
        let at = (self.short[0] - a).dot(b - a) / (b - a).dot(b - a);
        Some((at, self.short.map(|p| (p - a).dot(side))))
    }

    fn with_long(&self, n: usize, to: PointLps) -> Option<[[PointLps; 2]; 2]> {
        let (at, ends) = self.crossing()?;
        let mut long = self.long;
        long[n.min(1)] = to;
        across(long, at, ends, self.normal).map(|short| [long, short])
    }

    /// The moved end takes the short axis along the long one with it.
    fn with_short(&self, n: usize, to: PointLps) -> Option<[[PointLps; 2]; 2]> {
        let (_, mut ends) = self.crossing()?;
        let [a, b] = self.long;
        let side = self.normal.cross((b - a).unit()?);
        ends[n.min(1)] = (to - a).dot(side);
        let at = ((to - a).dot(b - a) / (b - a).dot(b - a)).clamp(0.0, 1.0);
        across(self.long, at, ends, self.normal).map(|short| [self.long, short])
    }
}

/// The axis across a long one: at a share of its length, from one distance to the side to another. Units: mm.
pub(crate) fn across([a, b]: [PointLps; 2], at: f64, ends: [f64; 2], normal: VectorLps) -> Option<[PointLps; 2]> {
    let side = normal.cross((b - a).unit()?);
    Some(ends.map(|mm| a + (b - a) * at + side * mm))
}

#[cfg(test)]
mod tests {
    use super::*;
    use mj_model::Grid;

    fn plane() -> Plane {
        let axis = VectorLps::new;
        let grid = Grid {
            dims: [64; 3],
            origin: PointLps::default(),
            axes: [axis(1.0, 0.0, 0.0), axis(0.0, 1.0, 0.0), axis(0.0, 0.0, 1.0)],
            spacing_mm: [1.0; 3],
        };
        Plane::axial(&grid, grid.centre(), 64, 64).through(PointLps::new(0.0, 0.0, 5.0))
    }

    fn p(x: f64, y: f64) -> PointLps {
        PointLps::new(x, y, 5.0)
    }

    fn sizes(placed: &Placed) -> Vec<f64> {
        let Placed::Shape(shape) = placed else { return Vec::new() };
        shape.sizes(&mj_model::Unit::mm(), &mj_model::Unit::mm2()).iter().map(|q| (q.value * 1e6).round() / 1e6).collect()
    }

    #[test]
    fn a_moved_place_leaves_the_shape_what_it_is() {
        let plane = plane();
        let square = Placed::in_box(&plane, [p(10.0, 10.0), p(20.0, 30.0)], false);
        assert_eq!(square.grips(&plane).len(), 4);
        for n in 0..4 {
            let opposite = square.grips(&plane)[(n + 2) % 4];
            let moved = square.with_grip(n, p(41.0, 52.0), &plane);
            let corners = moved.grips(&plane);
            assert_eq!(corners.len(), 4, "no rectangle any more");
            assert!(corners[n].distance_mm(p(41.0, 52.0)) < 1e-9 && corners[(n + 2) % 4].distance_mm(opposite) < 1e-9);
            let wanted = (41.0 - opposite.x).abs() * (52.0 - opposite.y).abs();
            assert!((sizes(&moved)[0] - wanted).abs() < 1e-6, "{n}");
        }
        // Flat it would be none.
        assert_eq!(square.with_grip(0, p(20.0, 12.0), &plane), square);

        let round = Placed::in_box(&plane, [p(10.0, 10.0), p(30.0, 20.0)], true);
        assert_eq!(round.grips(&plane)[..2], [p(10.0, 15.0), p(30.0, 15.0)]);
        let turned = round.with_grip(1, p(10.0, 55.0), &plane);
        assert_eq!(sizes(&turned)[1..], [40.0, 10.0]);
        let Placed::Shape(Shape::Ellipse { long, short }) = &turned else { panic!("{turned:?}") };
        assert!((long[1] - long[0]).dot(short[1] - short[0]).abs() < 1e-9);
        assert!((short[0] + (short[1] - short[0]) * 0.5).distance_mm(p(10.0, 35.0)) < 1e-9);
        // A short axis drawn out becomes the long one.
        assert_eq!(sizes(&round.with_grip(3, p(20.0, 70.0), &plane))[1..], [60.0, 20.0]);
    }

    #[test]
    fn the_short_axis_stays_across_the_long_one() {
        let plane = plane();
        let cross = Placed::Shape(Shape::Bidirectional { long: [p(0.0, 0.0), p(40.0, 0.0)], short: [p(10.0, -6.0), p(10.0, 9.0)] });
        let turned = cross.with_grip(1, p(0.0, 20.0), &plane);
        let Placed::Shape(Shape::Bidirectional { long, short }) = &turned else { panic!("{turned:?}") };
        assert_eq!(sizes(&turned), [20.0, 15.0]);
        assert!((long[1] - long[0]).dot(short[1] - short[0]).abs() < 1e-9);
        // A quarter along, as before.
        assert!((short[0].y - 5.0).abs() < 1e-9 && (short[0].x - 6.0).abs() < 1e-9, "{short:?}");
        let wider = cross.with_grip(3, p(30.0, 11.0), &plane);
        let Placed::Shape(Shape::Bidirectional { long, short }) = &wider else { panic!("{wider:?}") };
        assert_eq!((*long, short.map(|q| (q.x.round(), q.y.round()))), ([p(0.0, 0.0), p(40.0, 0.0)], [(30.0, -6.0), (30.0, 11.0)]));
    }

    #[test]
    fn a_ball_is_a_circle_where_a_plane_cuts_it() {
        let plane = plane();
        let ball = Placed::Ball { centre: PointLps::new(20.0, 20.0, 9.0), radius_mm: 5.0 };
        let (middle, radius) = ball.circle(&plane, 0.0).unwrap();
        assert!(middle.distance_mm(p(20.0, 20.0)) < 1e-9 && (radius - 3.0).abs() < 1e-9);
        assert!(ball.circle(&plane.through(PointLps::new(0.0, 0.0, 3.9)), 0.0).is_none());
        assert!((ball.circle(&plane, 4.0).unwrap().1 - 5.0).abs() < 1e-9, "a slab holds its widest circle");
        let moved = ball.with_grip(0, p(30.0, 20.0), &plane);
        assert_eq!(moved, Placed::Ball { centre: PointLps::new(30.0, 20.0, 9.0), radius_mm: 5.0 });
        // Three to the side of a centre four behind the plane.
        let rim = ball.with_grip(1, p(23.0, 20.0), &plane);
        assert_eq!(rim, ball);
    }
}

//! Shapes of findings: in patient space, or on an image of which no millimetres are known.

use crate::code::{Code, Quantity, Unit, known};
use crate::space::{PointLps, VectorLps};
use crate::uid::{InstanceUid, SeriesUid, SopClassUid};
use serde::{Deserialize, Serialize};

/// A place on one image: column and row, from 0 at the centre of the first pixel. Units: pixels.
pub type Pixel = [f64; 2];

/// A shape that is drawn, in patient space ([`PointLps`]) or on one image ([`Pixel`]).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Shape<P> {
    /// A single place.
    Point {
        /// The place.
        at: P,
    },
    /// A straight line.
    #[serde(alias = "pixel_line")]
    Line {
        /// First end.
        a: P,
        /// Second end.
        b: P,
    },
    /// The longest diameter and the longest one across it (RECIST, WHO).
    Bidirectional {
        /// Ends of the long axis.
        long: [P; 2],
        /// Ends of the short axis.
        short: [P; 2],
    },
    /// An angle.
    Angle {
        /// End of the first arm, vertex, end of the second arm.
        arms: [P; 3],
    },
    /// Two lines and the angle between them, as of two end plates of vertebrae (Cobb).
    Cobb {
        /// Ends of the first line.
        first: [P; 2],
        /// Ends of the second line.
        second: [P; 2],
    },
    /// A line through places, not closed.
    Polyline {
        /// In order; two or more.
        points: Vec<P>,
    },
    /// An ellipse by its two axes.
    Ellipse {
        /// Ends of the long axis.
        long: [P; 2],
        /// Ends of the short axis, across the middle of the long one.
        short: [P; 2],
    },
    /// Closed contours, each in one plane; three or more places each, the first not repeated at the end.
    Contours {
        /// One or more.
        contours: Vec<Vec<P>>,
    },
    /// A closed smooth curve through places, see [`Shape::outline`].
    Spline {
        /// In order; three or more.
        control: Vec<P>,
    },
}

/// Where a finding is.
///
/// Stored as one object with a `type`; a place of three numbers is in patient space, one of two on the image.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Geometry {
    /// A shape in patient space. Units: mm, LPS.
    InSpace(Shape<PointLps>),
    /// A shape on the first image of the finding, without a place in patient space. Units: pixels.
    OnImage(Shape<Pixel>),
    /// Something that is not drawn as a shape.
    Extent(Extent),
}

/// What a finding takes up, where no shape is drawn.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Extent {
    /// A ball in patient space.
    Sphere {
        /// Centre. Units: mm, LPS.
        centre: PointLps,
        /// Radius. Units: mm.
        radius_mm: f64,
    },
    /// A segment of a segmentation.
    Segment {
        /// Series of the segmentation, when known.
        series: Option<SeriesUid>,
        /// SOP Instance UID of the segmentation.
        instance: InstanceUid,
        /// Its SOP Class UID.
        sop_class: SopClassUid,
        /// Segment Number, from 1.
        number: u16,
        /// Centre of its voxels, when known. Units: mm, LPS.
        centre: Option<PointLps>,
    },
    /// The images as a whole.
    WholeImage,
}

/// A place that shapes are made of.
pub trait Position: Copy + PartialEq {
    /// Its coordinates; the third of a place on an image is 0.
    fn xyz(self) -> [f64; 3];
    /// The place of coordinates; of a place on an image the third is left out.
    fn from_xyz(xyz: [f64; 3]) -> Self;
}

impl Position for PointLps {
    fn xyz(self) -> [f64; 3] {
        self.into()
    }
    fn from_xyz(xyz: [f64; 3]) -> Self {
        xyz.into()
    }
}

impl Position for Pixel {
    fn xyz(self) -> [f64; 3] {
        [self[0], self[1], 0.0]
    }
    fn from_xyz([x, y, _]: [f64; 3]) -> Self {
        [x, y]
    }
}

/// Straight pieces between two control places of a spline.
const SPLINE_PIECES: usize = 16;

impl<P: Position> Shape<P> {
    /// Every place of it, in order.
    #[must_use]
    pub fn positions(&self) -> Vec<P> {
        match self {
            Self::Point { at } => vec![*at],
            Self::Line { a, b } => vec![*a, *b],
            Self::Bidirectional { long, short } | Self::Ellipse { long, short } => [*long, *short].concat(),
            Self::Angle { arms } => arms.to_vec(),
            Self::Cobb { first, second } => [*first, *second].concat(),
            Self::Polyline { points } => points.clone(),
            Self::Contours { contours } => contours.concat(),
            Self::Spline { control } => control.clone(),
        }
    }

    /// The same shape with every place changed.
    #[must_use]
    pub fn map<Q>(&self, mut change: impl FnMut(P) -> Q) -> Shape<Q> {
        match self {
            Self::Point { at } => Shape::Point { at: change(*at) },
            Self::Line { a, b } => Shape::Line { a: change(*a), b: change(*b) },
            Self::Bidirectional { long, short } => Shape::Bidirectional { long: long.map(&mut change), short: short.map(change) },
            Self::Angle { arms } => Shape::Angle { arms: arms.map(change) },
            Self::Cobb { first, second } => Shape::Cobb { first: first.map(&mut change), second: second.map(change) },
            Self::Polyline { points } => Shape::Polyline { points: points.iter().copied().map(change).collect() },
            Self::Ellipse { long, short } => Shape::Ellipse { long: long.map(&mut change), short: short.map(change) },
            Self::Contours { contours } => {
                Shape::Contours { contours: contours.iter().map(|c| c.iter().copied().map(&mut change).collect()).collect() }
            }
            Self::Spline { control } => Shape::Spline { control: control.iter().copied().map(change).collect() },
        }
    }

    /// True when it has the places its kind needs, none of them NaN or infinite.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        let has_enough = match self {
            Self::Polyline { points } => points.len() >= 2,
            Self::Contours { contours } => !contours.is_empty() && contours.iter().all(|c| c.len() >= 3),
            Self::Spline { control } => control.len() >= 3,
            _ => true,
        };
        has_enough && self.positions().iter().all(|p| p.xyz().iter().all(|v| v.is_finite()))
    }

    /// True for a shape that encloses an area.
    #[must_use]
    pub const fn is_region(&self) -> bool {
        matches!(self, Self::Ellipse { .. } | Self::Contours { .. } | Self::Spline { .. })
    }

    /// The lines it is drawn with, and whether each is closed. A spline is a Catmull-Rom curve (tension ½) of
    /// 16 straight pieces between two places; an ellipse has 96 pieces.
    #[must_use]
    pub fn outline(&self) -> Vec<(Vec<P>, bool)> {
        match self {
            Self::Point { at } => vec![(vec![*at], false)],
            Self::Line { a, b } => vec![(vec![*a, *b], false)],
            Self::Bidirectional { long, short } => vec![(long.to_vec(), false), (short.to_vec(), false)],
            Self::Angle { arms } => vec![(arms.to_vec(), false)],
            Self::Cobb { first, second } => vec![(first.to_vec(), false), (second.to_vec(), false)],
            Self::Polyline { points } => vec![(points.clone(), false)],
            Self::Ellipse { long, short } => vec![(ellipse(*long, *short), true)],
            Self::Contours { contours } => contours.iter().map(|c| (c.clone(), true)).collect(),
            Self::Spline { control } => vec![(spline(control), true)],
        }
    }

    /// Middle of the box around it.
    fn middle(&self) -> Option<P> {
        let all: Vec<[f64; 3]> = self.positions().into_iter().map(Position::xyz).collect();
        let first = all.first()?;
        let (mut low, mut high) = (*first, *first);
        for p in &all {
            for axis in 0..3 {
                low[axis] = low[axis].min(p[axis]);
                high[axis] = high[axis].max(p[axis]);
            }
        }
        Some(P::from_xyz(std::array::from_fn(|axis| f64::midpoint(low[axis], high[axis]))))
    }

    /// What its geometry alone says: lengths, angles, the area of a single region. `length` and `area` are the units of
    /// its coordinates; angles are in degrees.
    #[must_use]
    pub fn sizes(&self, length: &Unit, area: &Unit) -> Vec<Quantity> {
        let of = |what: Code, value: f64, unit: &Unit| Quantity { what, value, unit: unit.clone() };
        let (long_axis, short_axis) = (known::long_axis(), known::short_axis());
        match self {
            Self::Point { .. } => Vec::new(),
            Self::Line { a, b } => vec![of(known::length(), distance(*a, *b), length)],
            Self::Bidirectional { long: [a, b], short: [c, d] } => {
                vec![of(long_axis, distance(*a, *b), length), of(short_axis, distance(*c, *d), length)]
            }
            Self::Angle { arms: [a, vertex, b] } => {
                vec![of(known::angle(), angle(toward(*vertex, *a), toward(*vertex, *b)).to_degrees(), &Unit::deg())]
            }
            Self::Cobb { first: [a, b], second: [c, d] } => {
                let between = angle(toward(*a, *b), toward(*c, *d)).to_degrees();
                vec![of(known::cobb_angle(), between.min(180.0 - between), &Unit::deg())]
            }
            Self::Polyline { points } => vec![of(known::path_length(), path(points, false), length)],
            Self::Ellipse { long: [a, b], short: [c, d] } => {
                let (long, short) = (distance(*a, *b), distance(*c, *d));
                let inside = std::f64::consts::FRAC_PI_4 * long * short;
                vec![of(known::area(), inside, area), of(long_axis, long, length), of(short_axis, short, length)]
            }
            Self::Contours { .. } | Self::Spline { .. } => match self.outline().as_slice() {
                [(points, _)] => {
                    vec![of(known::area(), enclosed(points), area), of(known::perimeter(), path(points, true), length)]
                }
                _ => Vec::new(),
            },
        }
    }
}

impl Geometry {
    /// A line in patient space. Units: mm, LPS.
    #[must_use]
    pub const fn line(a: PointLps, b: PointLps) -> Self {
        Self::InSpace(Shape::Line { a, b })
    }

    /// The images as a whole.
    #[must_use]
    pub const fn whole_image() -> Self {
        Self::Extent(Extent::WholeImage)
    }

    /// The shape in patient space, if it is one.
    #[must_use]
    pub const fn in_space(&self) -> Option<&Shape<PointLps>> {
        if let Self::InSpace(shape) = self { Some(shape) } else { None }
    }

    /// A representative point, for jumping to it. Units: mm, LPS. `None` without a place in patient space.
    #[must_use]
    pub fn centre(&self) -> Option<PointLps> {
        match self {
            Self::InSpace(shape) => shape.middle(),
            Self::Extent(Extent::Sphere { centre, .. }) => Some(*centre),
            Self::Extent(Extent::Segment { centre, .. }) => *centre,
            Self::OnImage(_) | Self::Extent(Extent::WholeImage) => None,
        }
    }

    /// True when it has the places its kind needs and no coordinate is NaN or infinite.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        match self {
            Self::InSpace(shape) => shape.is_whole(),
            Self::OnImage(shape) => shape.is_whole(),
            Self::Extent(Extent::Sphere { centre, radius_mm }) => centre.is_finite() && radius_mm.is_finite() && *radius_mm > 0.0,
            Self::Extent(Extent::Segment { centre, number, .. }) => *number > 0 && centre.is_none_or(PointLps::is_finite),
            Self::Extent(Extent::WholeImage) => true,
        }
    }

    /// What it says by itself: lengths, angles, areas in millimetres (pixels on an uncalibrated image); diameter and
    /// volume of a sphere.
    #[must_use]
    pub fn sizes(&self) -> Vec<Quantity> {
        match self {
            Self::InSpace(shape) => shape.sizes(&Unit::mm(), &Unit::mm2()),
            Self::OnImage(shape) => shape.sizes(&Unit::px(), &Unit::px2()),
            Self::Extent(Extent::Sphere { radius_mm, .. }) => vec![
                Quantity { what: known::diameter(), value: 2.0 * radius_mm, unit: Unit::mm() },
                Quantity { what: known::volume(), value: 4.0 / 3.0 * std::f64::consts::PI * radius_mm.powi(3) / 1000.0, unit: Unit::ml() },
            ],
            Self::Extent(Extent::Segment { .. } | Extent::WholeImage) => Vec::new(),
        }
    }
}

fn toward<P: Position>(from: P, to: P) -> VectorLps {
    PointLps::from(to.xyz()) - PointLps::from(from.xyz())
}

fn distance<P: Position>(a: P, b: P) -> f64 {
    toward(a, b).length()
}

/// Units: radians. 0 when one of them has no direction.
fn angle(a: VectorLps, b: VectorLps) -> f64 {
    // Exact for small angles too, unlike the arc cosine.
    a.cross(b).length().atan2(a.dot(b))
}

fn path<P: Position>(points: &[P], is_closed: bool) -> f64 {
    let open: f64 = points.windows(2).filter_map(|w| Some(distance(*w.first()?, *w.last()?))).sum();
    let closing = points.first().zip(points.last()).filter(|_| is_closed).map_or(0.0, |(a, b)| distance(*b, *a));
    open + closing
}

/// Area of a flat polygon, by the cross products of its sides (Newell).
fn enclosed<P: Position>(points: &[P]) -> f64 {
    let Some(&first) = points.first() else { return 0.0 };
    let mut sum = VectorLps::default();
    for pair in points.windows(2) {
        if let [a, b] = pair {
            sum = sum + toward(first, *a).cross(toward(first, *b));
        }
    }
    sum.length() / 2.0
}

/// The weighted sum of places whose weights sum to one.
fn weighted<P: Position>(parts: &[(P, f64)]) -> P {
    let mut sum = [0.0; 3];
    for (place, weight) in parts {
        for (s, v) in sum.iter_mut().zip(place.xyz()) {
            *s += v * weight;
        }
    }
    P::from_xyz(sum)
}

fn ellipse<P: Position>(long: [P; 2], short: [P; 2]) -> Vec<P> {
    const PIECES: usize = 96;
    let [a, b] = long;
    let [c, d] = short;
    (0..PIECES)
        .map(|n| {
            let (sin, cos) = (n as f64 / PIECES as f64 * std::f64::consts::TAU).sin_cos();
            // Middle of the long axis, then half of each axis.
            weighted(&[(a, (1.0 - cos) / 2.0), (b, (1.0 + cos) / 2.0), (c, -sin / 2.0), (d, sin / 2.0)])
        })
        .collect()
}

fn spline<P: Position>(control: &[P]) -> Vec<P> {
    let n = control.len();
    let at = |i: usize| control.get(i % n).copied();
    let mut out = Vec::with_capacity(n * SPLINE_PIECES);
    for i in 0..n {
        let (Some(before), Some(a), Some(b), Some(after)) = (at(i + n - 1), at(i), at(i + 1), at(i + 2)) else { continue };
        for piece in 0..SPLINE_PIECES {
            let t = piece as f64 / SPLINE_PIECES as f64;
            let (t2, t3) = (t * t, t * t * t);
            out.push(weighted(&[
                (before, (-t3 + 2.0 * t2 - t) / 2.0),
                (a, (3.0 * t3 - 5.0 * t2 + 2.0) / 2.0),
                (b, (-3.0 * t3 + 4.0 * t2 + t) / 2.0),
                (after, (t3 - t2) / 2.0),
            ]));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn p(x: f64, y: f64, z: f64) -> PointLps {
        PointLps::new(x, y, z)
    }

    fn sizes(geometry: &Geometry) -> Vec<(String, f64, String)> {
        geometry.sizes().into_iter().map(|q| (q.what.name_en, (q.value * 1e6).round() / 1e6, q.unit.0)).collect()
    }

    #[test]
    fn shapes_say_their_sizes() {
        let one = |name: &str, value: f64, unit: &str| (name.to_owned(), value, unit.to_owned());
        let ruler = Geometry::line(p(0.0, 0.0, 0.0), p(3.0, 4.0, 0.0));
        assert_eq!(sizes(&ruler), [one("Length", 5.0, "mm")]);
        let right = Geometry::InSpace(Shape::Angle { arms: [p(2.0, 0.0, 1.0), p(0.0, 0.0, 1.0), p(0.0, 5.0, 1.0)] });
        assert_eq!(sizes(&right), [one("Angle", 90.0, "deg")]);
        // Whichever way the lines were drawn.
        for second in [[[0.0, 0.0], [10.0, 10.0]], [[10.0, 10.0], [0.0, 0.0]]] {
            let cobb = Geometry::OnImage(Shape::Cobb { first: [[0.0, 50.0], [10.0, 50.0]], second });
            assert_eq!(sizes(&cobb), [one("Cobb angle", 45.0, "deg")]);
        }
        let round = Shape::Ellipse { long: [p(-5.0, 0.0, 0.0), p(5.0, 0.0, 0.0)], short: [p(0.0, -3.0, 0.0), p(0.0, 3.0, 0.0)] };
        let area = std::f64::consts::PI * 15.0;
        assert!((round.sizes(&Unit::mm(), &Unit::mm2())[0].value - area).abs() < 1e-9);
        assert!((enclosed(&round.outline()[0].0) / area - 1.0).abs() < 1e-3, "the outline is that ellipse");
        let square = Geometry::OnImage(Shape::Contours { contours: vec![vec![[0.0, 0.0], [4.0, 0.0], [4.0, 4.0], [0.0, 4.0]]] });
        assert_eq!(sizes(&square), [one("Area", 16.0, "{pixels2}"), one("Perimeter", 16.0, "{pixels}")]);
        let ball = Geometry::Extent(Extent::Sphere { centre: p(1.0, 2.0, 3.0), radius_mm: 10.0 });
        assert_eq!(sizes(&ball), [one("Diameter", 20.0, "mm"), one("Volume", 4.18879, "ml")]);
    }

    #[test]
    fn a_spline_goes_through_its_places_and_is_smooth() {
        let control = vec![p(0.0, 0.0, 7.0), p(10.0, 0.0, 7.0), p(10.0, 10.0, 7.0), p(0.0, 10.0, 7.0)];
        let outline = Shape::Spline { control: control.clone() }.outline().remove(0).0;
        assert_eq!(outline.len(), 64);
        assert!(control.iter().enumerate().all(|(i, c)| outline[i * 16].distance_mm(*c) < 1e-12));
        assert!(outline.iter().all(|q| (q.z - 7.0).abs() < 1e-12));
        let turns = (0..64).map(|i| {
            let at = |n: usize| outline[n % 64];
            angle(at(i + 1) - at(i), at(i + 2) - at(i + 1)).to_degrees()
        });
        assert!(turns.fold(0.0, f64::max) < 20.0);
    }

    #[test]
    fn two_numbers_are_on_the_image_and_three_in_the_patient() {
        let read = |json: &str| serde_json::from_str::<Geometry>(json).unwrap();
        assert_eq!(read(r#"{"type":"line","a":[0,0,1],"b":[1.5,0,1]}"#), Geometry::line(p(0.0, 0.0, 1.0), p(1.5, 0.0, 1.0)));
        let on_image = Geometry::OnImage(Shape::Line { a: [0.0, 1.0], b: [2.0, 3.0] });
        // As it was written before shapes were one kind.
        assert_eq!(read(r#"{"type":"pixel_line","a":[0,1],"b":[2,3]}"#), on_image);
        assert_eq!(read(r#"{"type":"whole_image"}"#), Geometry::whole_image());
        for geometry in [
            on_image,
            Geometry::Extent(Extent::Sphere { centre: p(1.0, 2.0, 3.0), radius_mm: 4.0 }),
            Geometry::InSpace(Shape::Contours { contours: vec![vec![p(0.0, 0.0, 0.1); 3], vec![p(1.0, 0.0, 1.0 / 3.0); 4]] }),
        ] {
            assert_eq!(read(&serde_json::to_string(&geometry).unwrap()), geometry);
        }
        assert!(serde_json::from_str::<Geometry>(r#"{"type":"line","a":[0],"b":[1]}"#).is_err());
    }

    #[test]
    fn a_shape_needs_its_places() {
        assert!(!Geometry::InSpace(Shape::Polyline { points: vec![p(0.0, 0.0, 0.0)] }).is_whole());
        assert!(!Geometry::InSpace(Shape::Contours { contours: Vec::new() }).is_whole());
        assert!(!Geometry::OnImage(Shape::Point { at: [f64::NAN, 0.0] }).is_whole());
        assert!(!Geometry::Extent(Extent::Sphere { centre: p(0.0, 0.0, 0.0), radius_mm: 0.0 }).is_whole());
    }
}

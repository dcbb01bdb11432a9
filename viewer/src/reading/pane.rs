//! One viewport: which plane it shows, how far it is magnified and moved.

use egui::{Pos2, Rect, pos2};
use mj_imaging::Plane;
use mj_lang::{Text, key};
use mj_model::{Grid, PointLps, VectorLps};

/// What a viewport shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PaneKind {
    /// Seen from the feet.
    Axial,
    /// Seen from the front.
    Coronal,
    /// Seen from the left.
    Sagittal,
    /// The brightest values through the whole volume, seen from the front or as it was turned.
    Mip,
    /// Shapes in the volume, likewise.
    Vr,
    /// The images as they were stored, for a series that is no volume.
    Native,
}

impl PaneKind {
    /// The four viewports of a volume, in the order of `ViewState`.
    pub const VOLUME: [Self; 4] = [Self::Axial, Self::Coronal, Self::Sagittal, Self::Mip];

    /// Stable English name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Axial => "axial",
            Self::Coronal => "coronal",
            Self::Sagittal => "sagittal",
            Self::Mip => "mip",
            Self::Vr => "vr",
            Self::Native => "native",
        }
    }

    /// True where the whole volume is looked through, from any side.
    #[must_use]
    pub const fn is_through(self) -> bool {
        matches!(self, Self::Mip | Self::Vr)
    }

    /// What people read.
    #[must_use]
    pub const fn text(self) -> Text {
        match self {
            Self::Axial => key::READING_PANE_AXIAL,
            Self::Coronal => key::READING_PANE_CORONAL,
            Self::Sagittal => key::READING_PANE_SAGITTAL,
            Self::Mip => key::READING_PANE_MIP,
            Self::Vr => key::READING_PANE_VR,
            Self::Native => key::READING_PANE_NATIVE,
        }
    }
}

/// How a viewport looks at its plane.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pane {
    /// What it shows.
    pub kind: PaneKind,
    /// Magnification; 1 fits the whole grid.
    pub zoom: f64,
    /// Displacement of the picture's centre along right and down. Units: mm.
    pub pan_mm: [f64; 2],
    /// Directions of the picture's right and bottom, where a look through the volume was turned.
    pub turned: Option<(VectorLps, VectorLps)>,
}

/// Smallest and largest magnification.
const ZOOM: (f64, f64) = (0.2, 40.0);

impl Pane {
    /// A viewport that fits its picture.
    #[must_use]
    pub const fn new(kind: PaneKind) -> Self {
        Self { kind, zoom: 1.0, pan_mm: [0.0, 0.0], turned: None }
    }

    /// The plane in a grid, through a position, with a size in pixels.
    #[must_use]
    pub fn plane(&self, grid: &Grid, through: PointLps, width: usize, height: usize) -> Plane {
        let (w, h) = (width.max(1), height.max(1));
        let centre = grid.centre();
        let plane = match self.kind {
            PaneKind::Axial => Plane::axial(grid, centre, w, h).through(through),
            PaneKind::Coronal => Plane::coronal(grid, centre, w, h).through(through),
            PaneKind::Sagittal => Plane::sagittal(grid, centre, w, h).through(through),
            PaneKind::Mip | PaneKind::Vr => {
                let front = Plane::coronal(grid, centre, w, h);
                let (right, down) = self.turned.unwrap_or((front.right, front.down));
                Plane { right, down, ..front }
            }
            PaneKind::Native => {
                Plane { centre, right: grid.axes[0], down: grid.axes[1], mm_per_pixel: 1.0, width: w, height: h }.fitted(grid)
            }
        };
        let mut plane = plane;
        plane.mm_per_pixel /= self.zoom;
        plane.centre = plane.centre + plane.right * self.pan_mm[0] + plane.down * self.pan_mm[1];
        plane
    }

    /// Turns what is looked through, as if its front followed the pointer. `by`: to the right and downwards. Units: radians.
    pub fn turn(&mut self, plane: &Plane, by: [f64; 2]) {
        let about = |side: VectorLps, into: VectorLps, angle: f64| side * angle.cos() - into * angle.sin();
        let right = about(plane.right, plane.normal(), by[0]);
        let down = about(plane.down, right.cross(plane.down), by[1]);
        // Right and down stay perpendicular and of length one, however often they are turned.
        let turned = right.unit().and_then(|right| Some((right, (down - right * down.dot(right)).unit()?)));
        self.turned = turned.or(self.turned);
    }

    /// Magnifies by a factor about a position of the picture, which stays where it is.
    pub fn zoom_about(&mut self, plane: &Plane, pixel: [f64; 2], factor: f64) {
        let zoom = (self.zoom * factor).clamp(ZOOM.0, ZOOM.1);
        let factor = zoom / self.zoom;
        let fixed = plane.lps_from_pixel(pixel) - plane.centre;
        let share = 1.0 - 1.0 / factor;
        self.pan_mm[0] += fixed.dot(plane.right) * share;
        self.pan_mm[1] += fixed.dot(plane.down) * share;
        self.zoom = zoom;
    }
}

/// The grid axis a direction runs along (within about two degrees), and whether it runs the same way.
#[must_use]
pub fn axis_along(grid: &Grid, direction: VectorLps) -> Option<(usize, bool)> {
    (0..3).find_map(|a| {
        let cos = grid.axes[a].dot(direction);
        (cos.abs() > 0.9994).then_some((a, cos > 0.0))
    })
}

/// The position `steps` slices on along a plane's normal; stays inside the grid, and on voxel centres where
/// the plane runs along the grid.
#[must_use]
pub fn step(grid: &Grid, at: PointLps, normal: VectorLps, steps: f64) -> PointLps {
    let mut ijk = grid.voxel_from_lps(at);
    if let Some((axis, same)) = axis_along(grid, normal) {
        let wanted = (ijk[axis] + if same { steps } else { -steps }).round();
        ijk[axis] = wanted.clamp(0.0, (grid.dims[axis].max(1) - 1) as f64);
        return grid.lps_from_voxel(ijk);
    }
    let mm = grid.spacing_mm.iter().copied().fold(f64::INFINITY, f64::min);
    inside(grid, at, at + normal * (mm * steps))
}

/// The position to put the crosshair on: inside the grid, on a voxel centre across `normal` where the plane
/// runs along the grid.
#[must_use]
pub fn snapped(grid: &Grid, at: PointLps) -> PointLps {
    let mut ijk = grid.voxel_from_lps(at);
    for (a, index) in ijk.iter_mut().enumerate() {
        *index = index.round().clamp(0.0, (grid.dims[a].max(1) - 1) as f64);
    }
    grid.lps_from_voxel(ijk)
}

fn inside(grid: &Grid, from: PointLps, to: PointLps) -> PointLps {
    let is_in = |p: PointLps| {
        let ijk = grid.voxel_from_lps(p);
        (0..3).all(|a| ijk[a] >= -0.5 && ijk[a] <= grid.dims[a] as f64 - 0.5)
    };
    if is_in(to) || !is_in(from) { to } else { from }
}

/// Number of the slice a plane passes through, from 1, and how many there are: along the grid axis of the
/// normal, or by distance for an oblique grid.
#[must_use]
pub fn slice_number(grid: &Grid, at: PointLps, normal: VectorLps) -> (usize, usize) {
    if let Some((axis, _)) = axis_along(grid, normal) {
        let n = grid.dims[axis].max(1);
        let index = grid.voxel_from_lps(at)[axis].round().clamp(0.0, (n - 1) as f64);
        return (index as usize + 1, n);
    }
    let mm = grid.spacing_mm.iter().copied().fold(f64::INFINITY, f64::min);
    let corners = (0..8_usize).map(|c| {
        let ijk = [0, 1, 2].map(|a| if c >> a & 1 == 1 { (grid.dims[a].max(1) - 1) as f64 } else { 0.0 });
        (grid.lps_from_voxel(ijk) - at).dot(normal)
    });
    let (low, high) = corners.fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), d| (l.min(d), h.max(d)));
    let n = ((high - low) / mm).round().max(0.0) as usize + 1;
    (((-low / mm).round().max(0.0) as usize + 1).min(n), n)
}

/// Maps between a viewport's rectangle on the screen and its plane's pixels.
#[derive(Debug, Clone, Copy)]
pub struct Mapping {
    /// The rectangle. Units: points.
    pub rect: Rect,
    /// The plane; its pixels are physical pixels of the rectangle.
    pub plane: Plane,
    /// Physical pixels per point.
    pub ppp: f32,
}

impl Mapping {
    /// Pixel coordinates of a place on the screen; whole numbers are pixel centres.
    #[must_use]
    pub fn pixel(&self, at: Pos2) -> [f64; 2] {
        [f64::from(at.x - self.rect.min.x) * f64::from(self.ppp) - 0.5, f64::from(at.y - self.rect.min.y) * f64::from(self.ppp) - 0.5]
    }

    /// Position in patient space of a place on the screen.
    #[must_use]
    pub fn lps(&self, at: Pos2) -> PointLps {
        self.plane.lps_from_pixel(self.pixel(at))
    }

    /// Place on the screen of a position, projected onto the plane.
    #[must_use]
    pub fn screen(&self, p: PointLps) -> Pos2 {
        let [x, y] = self.plane.pixel_from_lps(p);
        pos2(self.rect.min.x + ((x + 0.5) / f64::from(self.ppp)) as f32, self.rect.min.y + ((y + 0.5) / f64::from(self.ppp)) as f32)
    }

    /// Points on the screen per mm.
    #[must_use]
    pub fn points_per_mm(&self) -> f64 {
        1.0 / (self.plane.mm_per_pixel * f64::from(self.ppp))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grid() -> Grid {
        let axis = VectorLps::new;
        Grid {
            dims: [64, 64, 40],
            origin: PointLps::new(-32.0, -32.0, 100.0),
            axes: [axis(1.0, 0.0, 0.0), axis(0.0, 1.0, 0.0), axis(0.0, 0.0, 1.0)],
            spacing_mm: [1.0, 1.0, 2.5],
        }
    }

    #[test]
    fn scrolling_stays_on_slices_and_inside() {
        let g = grid();
        let axial = Pane::new(PaneKind::Axial).plane(&g, g.centre(), 100, 100);
        let start = snapped(&g, g.centre());
        let up = step(&g, start, axial.normal(), 1.0);
        assert!(((up - start).z.abs() - 2.5).abs() < 1e-9);
        let (n, of) = slice_number(&g, up, axial.normal());
        assert_eq!(of, 40);
        assert_eq!(slice_number(&g, step(&g, up, axial.normal(), -1.0), axial.normal()).0 + 1, n);
        assert_eq!(slice_number(&g, step(&g, up, axial.normal(), 1000.0), axial.normal()).0, 40);
        assert_eq!(slice_number(&g, step(&g, up, axial.normal(), -1000.0), axial.normal()).0, 1);
    }

    #[test]
    fn the_point_under_the_pointer_stays_when_magnified() {
        let g = grid();
        let mut pane = Pane::new(PaneKind::Coronal);
        let plane = pane.plane(&g, g.centre(), 200, 150);
        let before = plane.lps_from_pixel([30.0, 40.0]);
        pane.zoom_about(&plane, [30.0, 40.0], 1.7);
        let after = pane.plane(&g, g.centre(), 200, 150).lps_from_pixel([30.0, 40.0]);
        assert!((before - after).length() < 1e-9 && (pane.zoom - 1.7).abs() < 1e-12);
    }

    #[test]
    fn the_front_follows_the_pointer_when_turned() {
        let g = grid();
        let mut pane = Pane::new(PaneKind::Vr);
        let look = |pane: &Pane| pane.plane(&g, g.centre(), 200, 150);
        let front = g.centre() + look(&pane).normal() * -10.0;
        let before = look(&pane).pixel_from_lps(front);
        pane.turn(&look(&pane), [0.3, 0.0]);
        assert!(look(&pane).pixel_from_lps(front)[0] > before[0] + 1.0);
        pane.turn(&look(&pane), [0.0, 0.2]);
        assert!(look(&pane).pixel_from_lps(front)[1] > before[1] + 0.5);
        for n in 0..2000 {
            pane.turn(&look(&pane), [0.01 * f64::from(n % 7), -0.013]);
        }
        let plane = look(&pane);
        assert!((plane.right.length() - 1.0).abs() < 1e-9 && plane.right.dot(plane.down).abs() < 1e-9);
        assert_eq!(plane.mm_per_pixel, look(&Pane::new(PaneKind::Vr)).mm_per_pixel);
    }

    #[test]
    fn screen_and_patient_are_inverse() {
        let g = grid();
        let plane = Pane::new(PaneKind::Sagittal).plane(&g, g.centre(), 300, 200);
        let map = Mapping { rect: Rect::from_min_size(pos2(10.0, 20.0), egui::vec2(200.0, 133.3)), plane, ppp: 1.5 };
        let p = map.lps(pos2(77.0, 91.0));
        assert!((map.screen(p) - pos2(77.0, 91.0)).length() < 1e-3);
    }
}

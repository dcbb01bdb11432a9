//! One set of icons, drawn as lines of one width.

use egui::{Color32, Painter, Pos2, Rect, Stroke, Vec2, pos2, vec2};

/// An icon. Each is drawn on a 16 × 16 grid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Icon {
    /// Crosshair and selection.
    Point,
    /// Through the slices.
    Scroll,
    /// Brightness and contrast.
    Window,
    /// Magnifier.
    Zoom,
    /// Hand.
    Pan,
    /// Ruler.
    Length,
    /// Two lines across each other.
    Bidirectional,
    /// Two arms.
    Angle,
    /// Two lines that lean towards each other.
    Cobb,
    /// Ellipse.
    Ellipse,
    /// Rectangle.
    Rectangle,
    /// Outline drawn by hand.
    Freehand,
    /// Curve through places.
    Spline,
    /// Ball.
    Sphere,
    /// Dropper.
    Probe,
    /// Arrow.
    Arrow,
    /// Letter.
    Text,
    /// Opens a list below.
    Down,
    /// Turn back.
    Undo,
    /// Turn forward.
    Redo,
    /// Bin.
    Delete,
    /// Key image.
    Key,
    /// Fit.
    Reset,
    /// Four panes.
    Layout,
    /// Text on pictures.
    Overlay,
    /// Question mark.
    Help,
    /// List.
    Menu,
    /// Triangle with a mark.
    Warning,
    /// Cross.
    Close,
    /// Thick slab.
    Slab,
    /// A body with three faces.
    Solid,
    /// A body with a part cut away.
    Cut,
    /// Images lying on each other.
    Stored,
    /// Panel at the side.
    Panel,
    /// Two pictures beside each other.
    Beside,
    /// Triangle that plays.
    Play,
    /// Eye.
    Seen,
    /// Eye crossed out.
    Hidden,
}

/// Draws an icon in the middle of a rectangle.
pub fn paint(painter: &Painter, icon: Icon, rect: Rect, colour: Color32, size: f32, width: f32) {
    let pen = Pen { painter, origin: rect.center() - Vec2::splat(size / 2.0), scale: size / 16.0, stroke: Stroke::new(width, colour) };
    match icon {
        Icon::Point => {
            pen.line(&[(8.0, 1.5), (8.0, 6.0)]);
            pen.line(&[(8.0, 10.0), (8.0, 14.5)]);
            pen.line(&[(1.5, 8.0), (6.0, 8.0)]);
            pen.line(&[(10.0, 8.0), (14.5, 8.0)]);
        }
        Icon::Scroll => {
            pen.rect(3.0, 6.5, 10.0, 7.0);
            pen.line(&[(4.5, 4.5), (11.5, 4.5)]);
            pen.line(&[(6.0, 2.5), (10.0, 2.5)]);
        }
        Icon::Arrow => {
            pen.line(&[(13.5, 13.5), (3.0, 3.0)]);
            pen.line(&[(3.0, 8.0), (3.0, 3.0), (8.0, 3.0)]);
        }
        Icon::Text => {
            pen.line(&[(3.0, 5.0), (3.0, 3.0), (13.0, 3.0), (13.0, 5.0)]);
            pen.line(&[(8.0, 3.0), (8.0, 13.5)]);
            pen.line(&[(6.0, 13.5), (10.0, 13.5)]);
        }
        Icon::Seen | Icon::Hidden => {
            pen.ellipse(8.0, 8.0, 6.5, 4.0);
            pen.circle(8.0, 8.0, 1.8);
            if icon == Icon::Hidden {
                pen.line(&[(2.5, 13.5), (13.5, 2.5)]);
            }
        }
        Icon::Play => pen.line(&[(4.0, 2.5), (13.0, 8.0), (4.0, 13.5), (4.0, 2.5)]),
        Icon::Window => {
            pen.circle(8.0, 8.0, 5.5);
            pen.half_disc(8.0, 8.0, 5.5);
        }
        Icon::Zoom => {
            pen.circle(7.0, 7.0, 4.5);
            pen.line(&[(10.3, 10.3), (14.0, 14.0)]);
            pen.line(&[(7.0, 5.0), (7.0, 9.0)]);
            pen.line(&[(5.0, 7.0), (9.0, 7.0)]);
        }
        Icon::Pan => {
            pen.line(&[(8.0, 1.5), (8.0, 14.5)]);
            pen.line(&[(1.5, 8.0), (14.5, 8.0)]);
            pen.line(&[(6.2, 3.3), (8.0, 1.5), (9.8, 3.3)]);
            pen.line(&[(6.2, 12.7), (8.0, 14.5), (9.8, 12.7)]);
            pen.line(&[(3.3, 6.2), (1.5, 8.0), (3.3, 9.8)]);
            pen.line(&[(12.7, 6.2), (14.5, 8.0), (12.7, 9.8)]);
        }
        Icon::Length => {
            pen.line(&[(2.5, 13.5), (13.5, 2.5)]);
            pen.line(&[(1.0, 12.0), (4.0, 15.0)]);
            pen.line(&[(12.0, 1.0), (15.0, 4.0)]);
            pen.line(&[(6.3, 8.2), (7.8, 9.7)]);
            pen.line(&[(8.8, 5.7), (10.3, 7.2)]);
        }
        Icon::Bidirectional => {
            pen.line(&[(2.5, 13.5), (13.5, 2.5)]);
            pen.line(&[(1.2, 12.2), (3.8, 14.8)]);
            pen.line(&[(12.2, 1.2), (14.8, 3.8)]);
            pen.line(&[(5.0, 5.0), (11.0, 11.0)]);
        }
        Icon::Angle => {
            pen.line(&[(12.0, 2.0), (2.0, 13.0), (14.5, 13.0)]);
            pen.line(&[(5.9, 8.8), (7.6, 10.6), (8.2, 13.0)]);
        }
        Icon::Cobb => {
            pen.line(&[(2.0, 2.5), (14.0, 5.5)]);
            pen.line(&[(2.0, 13.5), (14.0, 10.5)]);
            pen.line(&[(8.0, 5.5), (8.0, 7.0)]);
            pen.line(&[(8.0, 9.0), (8.0, 10.5)]);
        }
        Icon::Ellipse => pen.ellipse(8.0, 8.0, 6.5, 4.5),
        Icon::Rectangle => pen.rect(2.0, 3.5, 12.0, 9.0),
        Icon::Freehand => {
            pen.line(&[(8.5, 2.5), (5.0, 2.8), (2.5, 5.0), (2.8, 7.5), (2.0, 10.0), (4.0, 13.0), (7.5, 13.0), (9.5, 11.5)]);
            pen.line(&[(9.5, 11.5), (12.5, 11.8), (14.0, 9.0), (12.8, 6.5), (13.2, 4.5), (11.0, 2.8), (8.5, 2.5)]);
        }
        Icon::Spline => {
            pen.line(&[(2.5, 12.5), (3.0, 8.5), (5.0, 6.0), (8.0, 6.5), (10.5, 7.5), (12.5, 6.5), (13.5, 3.5)]);
            for (x, y) in [(2.5, 12.5), (6.0, 6.0), (13.5, 3.5)] {
                pen.circle(x, y, 1.5);
            }
        }
        Icon::Sphere => {
            pen.circle(8.0, 8.0, 6.0);
            pen.ellipse(8.0, 8.0, 6.0, 2.2);
        }
        Icon::Probe => {
            pen.circle(8.0, 8.0, 2.2);
            for (dx, dy) in [(1.0, 0.0), (-1.0, 0.0), (0.0, 1.0), (0.0, -1.0)] {
                pen.line(&[(8.0 + dx * 4.0, 8.0 + dy * 4.0), (8.0 + dx * 6.5, 8.0 + dy * 6.5)]);
            }
        }
        Icon::Down => pen.line(&[(4.0, 6.5), (8.0, 10.0), (12.0, 6.5)]),
        Icon::Undo => {
            pen.line(&[(5.5, 3.0), (2.5, 6.0), (5.5, 9.0)]);
            pen.line(&[(2.5, 6.0), (10.0, 6.0), (12.3, 7.0), (13.5, 9.3), (12.3, 11.8), (10.0, 12.8), (6.0, 12.8)]);
        }
        Icon::Redo => {
            pen.line(&[(10.5, 3.0), (13.5, 6.0), (10.5, 9.0)]);
            pen.line(&[(13.5, 6.0), (6.0, 6.0), (3.7, 7.0), (2.5, 9.3), (3.7, 11.8), (6.0, 12.8), (10.0, 12.8)]);
        }
        Icon::Delete => {
            pen.line(&[(2.5, 4.0), (13.5, 4.0)]);
            pen.line(&[(6.0, 4.0), (6.0, 2.0), (10.0, 2.0), (10.0, 4.0)]);
            pen.line(&[(4.0, 4.0), (4.7, 14.0), (11.3, 14.0), (12.0, 4.0)]);
            pen.line(&[(6.7, 6.5), (6.9, 11.5)]);
            pen.line(&[(9.3, 6.5), (9.1, 11.5)]);
        }
        Icon::Key => {
            pen.rect(1.5, 3.0, 13.0, 10.0);
            pen.circle(5.5, 6.5, 1.4);
            pen.line(&[(2.5, 12.0), (6.5, 9.0), (8.5, 10.5), (11.5, 7.0), (14.0, 9.8)]);
        }
        Icon::Reset => {
            pen.line(&[(2.0, 6.0), (2.0, 2.0), (6.0, 2.0)]);
            pen.line(&[(10.0, 2.0), (14.0, 2.0), (14.0, 6.0)]);
            pen.line(&[(14.0, 10.0), (14.0, 14.0), (10.0, 14.0)]);
            pen.line(&[(6.0, 14.0), (2.0, 14.0), (2.0, 10.0)]);
        }
        Icon::Layout => {
            pen.rect(2.0, 2.0, 12.0, 12.0);
            pen.line(&[(8.0, 2.0), (8.0, 14.0)]);
            pen.line(&[(2.0, 8.0), (14.0, 8.0)]);
        }
        Icon::Overlay => {
            pen.rect(1.5, 2.5, 13.0, 11.0);
            pen.line(&[(3.8, 5.3), (7.0, 5.3)]);
            pen.line(&[(3.8, 7.5), (6.0, 7.5)]);
            pen.line(&[(9.0, 10.8), (12.2, 10.8)]);
        }
        Icon::Help => {
            pen.circle(8.0, 8.0, 6.0);
            pen.line(&[(6.0, 6.3), (6.6, 5.0), (8.0, 4.5), (9.5, 5.1), (9.9, 6.4), (9.2, 7.5), (8.0, 8.2), (8.0, 9.4)]);
            pen.line(&[(8.0, 11.0), (8.0, 11.8)]);
        }
        Icon::Menu => {
            for y in [4.0, 8.0, 12.0] {
                pen.line(&[(2.0, y), (14.0, y)]);
            }
        }
        Icon::Warning => {
            pen.line(&[(8.0, 2.0), (14.5, 13.5), (1.5, 13.5), (8.0, 2.0)]);
            pen.line(&[(8.0, 6.3), (8.0, 9.7)]);
            pen.line(&[(8.0, 11.2), (8.0, 12.0)]);
        }
        Icon::Close => {
            pen.line(&[(3.5, 3.5), (12.5, 12.5)]);
            pen.line(&[(12.5, 3.5), (3.5, 12.5)]);
        }
        Icon::Slab => {
            pen.line(&[(2.0, 5.0), (14.0, 5.0)]);
            pen.line(&[(2.0, 11.0), (14.0, 11.0)]);
            pen.line(&[(5.0, 5.0), (3.0, 11.0)]);
            pen.line(&[(9.0, 5.0), (7.0, 11.0)]);
            pen.line(&[(13.0, 5.0), (11.0, 11.0)]);
        }
        Icon::Solid => {
            pen.line(&[(8.0, 1.5), (14.0, 4.5), (14.0, 11.5), (8.0, 14.5), (2.0, 11.5), (2.0, 4.5), (8.0, 1.5)]);
            pen.line(&[(2.0, 4.5), (8.0, 7.5), (14.0, 4.5)]);
            pen.line(&[(8.0, 7.5), (8.0, 14.5)]);
        }
        Icon::Cut => {
            pen.line(&[(8.0, 1.5), (14.0, 4.5), (14.0, 11.5), (8.0, 14.5)]);
            pen.line(&[(8.0, 1.5), (8.0, 14.5)]);
            pen.line(&[(8.0, 1.5), (2.0, 4.5)]);
            pen.line(&[(2.0, 7.0), (2.0, 9.0)]);
            pen.line(&[(2.0, 11.5), (4.0, 12.5)]);
            pen.line(&[(6.0, 13.5), (8.0, 14.5)]);
        }
        Icon::Stored => {
            pen.rect(1.5, 5.5, 9.0, 9.0);
            pen.line(&[(4.5, 5.5), (4.5, 3.5), (12.5, 3.5), (12.5, 11.5), (10.5, 11.5)]);
            pen.line(&[(6.5, 3.5), (6.5, 1.5), (14.5, 1.5), (14.5, 9.5), (12.5, 9.5)]);
        }
        Icon::Beside => {
            pen.rect(1.5, 3.5, 5.5, 9.0);
            pen.rect(9.0, 3.5, 5.5, 9.0);
            pen.line(&[(7.0, 8.0), (9.0, 8.0)]);
        }
        Icon::Panel => {
            pen.rect(2.0, 2.5, 12.0, 11.0);
            pen.line(&[(10.0, 2.5), (10.0, 13.5)]);
        }
    }
}

struct Pen<'a> {
    painter: &'a Painter,
    origin: Pos2,
    scale: f32,
    stroke: Stroke,
}

impl Pen<'_> {
    fn at(&self, (x, y): (f32, f32)) -> Pos2 {
        self.origin + vec2(x, y) * self.scale
    }
    fn line(&self, points: &[(f32, f32)]) {
        self.painter.line(points.iter().map(|&p| self.at(p)).collect(), self.stroke);
    }
    fn rect(&self, x: f32, y: f32, w: f32, h: f32) {
        self.line(&[(x, y), (x + w, y), (x + w, y + h), (x, y + h), (x, y)]);
    }
    fn circle(&self, x: f32, y: f32, r: f32) {
        self.painter.circle_stroke(self.at((x, y)), r * self.scale, self.stroke);
    }
    fn ellipse(&self, x: f32, y: f32, rx: f32, ry: f32) {
        let points = (0..=32).map(|n| {
            let (sin, cos) = (std::f32::consts::TAU * n as f32 / 32.0).sin_cos();
            self.at((x + rx * cos, y + ry * sin))
        });
        self.painter.line(points.collect(), self.stroke);
    }
    fn half_disc(&self, x: f32, y: f32, r: f32) {
        let points = (0..=16).map(|n| {
            let angle = std::f32::consts::PI * (n as f32 / 16.0 - 0.5);
            let (sin, cos) = angle.sin_cos();
            let p = self.at((x, y));
            pos2(p.x + cos * r * self.scale, p.y + sin * r * self.scale)
        });
        self.painter.add(egui::Shape::convex_polygon(points.collect(), self.stroke.color, Stroke::NONE));
    }
}

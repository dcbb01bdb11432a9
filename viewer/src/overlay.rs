//! What is written and drawn on a picture: who it is, where it is, how it is shown.
//!
//! The same code draws in the window, on key images and on the pictures of the headless worker.

use crate::ui::Theme;
use egui::{Align2, Color32, FontId, Painter, Pos2, Rect, Shape, Stroke, Vec2, pos2, vec2};
use mj_dicom::Header;
use mj_imaging::Plane;
use mj_lang::{Text, key};
use mj_model::{Lang, Volume, Window};

/// A line of a corner.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    /// The text.
    pub text: String,
    /// What weight it has.
    pub weight: Weight,
}

/// Weight of a corner's line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weight {
    /// The patient's name.
    Lead,
    /// Plain.
    Plain,
    /// Secondary.
    Quiet,
}

impl Line {
    /// A plain line.
    #[must_use]
    pub fn plain(text: impl Into<String>) -> Self {
        Self { text: text.into(), weight: Weight::Plain }
    }
    /// A secondary line.
    #[must_use]
    pub fn quiet(text: impl Into<String>) -> Self {
        Self { text: text.into(), weight: Weight::Quiet }
    }
}

/// The four corners of a picture, from the edge inwards.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Corners {
    /// Patient.
    pub top_left: Vec<Line>,
    /// Study and series.
    pub top_right: Vec<Line>,
    /// Plane, window, zoom; the last line is lowest.
    pub bottom_left: Vec<Line>,
    /// Slice and position; the last line is lowest.
    pub bottom_right: Vec<Line>,
}

/// Patient: name, id, sex and age.
#[must_use]
pub fn patient_lines(header: &Header, lang: Lang) -> Vec<Line> {
    let name = header.patient.name.display(lang).into_shown();
    let name = if name.trim().is_empty() { key::OVERLAY_NO_NAME.get(lang).to_owned() } else { name };
    let id = header.patient.key.id.show().trim();
    let id = if id.is_empty() { key::OVERLAY_NO_ID.get(lang).to_owned() } else { key::OVERLAY_ID.with(lang, &[("id", id)]) };
    let about: Vec<String> = [sex(&header.patient.sex, lang), age(header, lang)].into_iter().flatten().collect();
    let mut lines = vec![Line { text: name, weight: Weight::Lead }, Line::plain(id)];
    if !about.is_empty() {
        lines.push(Line::plain(about.join("  ")));
    }
    lines
}

/// Study and series: dates and descriptions.
#[must_use]
pub fn study_lines(header: &Header, lang: Lang) -> Vec<Line> {
    let study = &header.study;
    let mut lines = Vec::new();
    let date = match (&study.date, study.time.get(..5)) {
        (Some(date), Some(time)) => format!("{date}  {time}"),
        (Some(date), None) => date.clone(),
        (None, _) => key::OVERLAY_NO_DATE.get(lang).to_owned(),
    };
    lines.push(Line::plain(date));
    if !study.description.is_empty() {
        lines.push(Line::plain(study.description.clone()));
    }
    lines.push(Line::quiet(series_name(header, lang)));
    if !study.institution.is_empty() {
        lines.push(Line::quiet(study.institution.clone()));
    }
    lines
}

/// True when the sides of the patient are known: an image without position or orientation has none that could
/// be named.
#[must_use]
pub const fn has_orientation(volume: &Volume) -> bool {
    volume.is_placed
}

/// Center and width of a window, as precise as its width asks for.
#[must_use]
pub fn window_numbers(window: &Window) -> (String, String) {
    let decimals = decimals(window.width);
    (format!("{:.decimals$}", window.center), format!("{:.decimals$}", window.width))
}

/// The window as a line of a corner. Of images in colour it is a brightness and a contrast, said only when changed.
#[must_use]
pub fn window_line(window: &Window, name: &str, is_colour: bool, lang: Lang) -> Option<String> {
    let (c, w) = window_numbers(window);
    if !is_colour {
        return Some(match window.table() {
            Some(_) => key::OVERLAY_LOOKUP_TABLE.with(lang, &[("name", name)]).trim_end().to_owned(),
            None => key::OVERLAY_WINDOW.with(lang, &[("c", &c), ("w", &w), ("name", name)]),
        });
    }
    let is_changed = (window.center, window.width) != (128.0, 256.0);
    is_changed.then(|| key::OVERLAY_TONE.with(lang, &[("c", &c), ("w", &w)]))
}

/// A value under the pointer: whole, or with two decimals, or with three digits where it is small.
#[must_use]
pub fn value(value: f64) -> String {
    let is_whole = value.fract() == 0.0 || (value.abs() > 0.5 && (value - value.round()).abs() < 1e-6);
    let decimals = if is_whole { 0 } else { decimals(value.abs().min(1.0)) };
    format!("{value:.decimals$}")
}

/// Decimals that give a number of a size at least three digits; none from 20 on.
pub(crate) fn decimals(size: f64) -> usize {
    match size {
        _ if size >= 20.0 => 0,
        _ if size > 0.0 && size < 1.0 => (2.0 - size.log10().floor()).min(12.0) as usize,
        _ => 2,
    }
}

/// What must be known of a picture wherever it goes: compressed with loss, without calibration, computed from slices that
/// are no block themselves, out of a file that is cut short. No patient data.
#[must_use]
pub fn marks(volume: &Volume, lang: Lang) -> Vec<String> {
    let is_warned = |code: &str| volume.warnings.iter().any(|w| w.code == code);
    let scale = if is_warned("geometry.only_regions") { key::OVERLAY_REGIONS } else { key::OVERLAY_UNCALIBRATED };
    let marks = [
        (is_warned("pixel.lossy"), key::OVERLAY_LOSSY),
        (!volume.is_calibrated, scale),
        (is_warned("geometry.resampled"), key::OVERLAY_RESAMPLED),
        (is_warned("geometry.gap_left_empty"), key::OVERLAY_GAP),
        (is_warned(mj_dicom::dataset::CUT_SHORT), key::OVERLAY_CUT_SHORT),
    ];
    marks.into_iter().filter(|(is_so, _)| *is_so).map(|(_, text)| text.get(lang).to_owned()).collect()
}

/// Number and description of a series, for example `3 · CT · Chest 1.0`.
#[must_use]
pub fn series_name(header: &Header, _lang: Lang) -> String {
    let series = &header.series;
    let number = series.number.map(|n| n.to_string()).unwrap_or_default();
    [number.as_str(), series.modality.as_str(), series.description.as_str()]
        .into_iter()
        .filter(|part| !part.is_empty())
        .collect::<Vec<_>>()
        .join(" · ")
}

fn sex(sex: &str, lang: Lang) -> Option<String> {
    let text = match sex {
        "M" => key::OVERLAY_SEX_M,
        "F" => key::OVERLAY_SEX_F,
        "O" => key::OVERLAY_SEX_O,
        _ => return None,
    };
    Some(text.get(lang).to_owned())
}

/// Age at the study: from the file, else from birth date and study date.
fn age(header: &Header, lang: Lang) -> Option<String> {
    let told = |n: u32, unit: Text| Some(unit.with(lang, &[("n", &n.to_string())]));
    if let Some(text) = header.patient.age.as_deref().map(str::trim)
        && let Some((digits, unit)) = text.len().checked_sub(1).and_then(|at| text.split_at_checked(at))
        && let Ok(n) = digits.parse::<u32>()
    {
        match unit {
            "Y" => return told(n, key::OVERLAY_AGE_Y),
            "M" => return told(n, key::OVERLAY_AGE_M),
            "W" => return told(n, key::OVERLAY_AGE_W),
            "D" => return told(n, key::OVERLAY_AGE_D),
            _ => {}
        }
    }
    let parts = |text: &str| -> Option<(i32, i32)> {
        let mut fields = text.split('-').map(|f| f.parse::<i32>().ok());
        let (y, m, d) = (fields.next()??, fields.next()??, fields.next()??);
        Some((y, m * 100 + d))
    };
    let (born, on) = (parts(header.patient.birth_date.as_ref()?.show())?, parts(header.study.date.as_ref()?)?);
    let years = on.0 - born.0 - i32::from(on.1 < born.1);
    u32::try_from(years).ok().filter(|&years| years < 150).and_then(|years| told(years, key::OVERLAY_AGE_Y))
}

/// Text with a dark edge, readable on any picture. Gives the rectangle it takes.
pub fn text(painter: &Painter, theme: &Theme, at: Pos2, align: Align2, text: &str, font: FontId, colour: Color32) -> Rect {
    let galley = painter.layout_no_wrap(text.to_owned(), font, colour);
    haloed(painter, theme, at, align, galley, colour)
}

/// Text with a dark edge, cut with an ellipsis where it is wider than `most`.
#[expect(clippy::too_many_arguments, reason = "one call per line of a corner; a struct would only repeat the names")]
fn cut_text(painter: &Painter, theme: &Theme, at: Pos2, align: Align2, text: &str, font: FontId, colour: Color32, most: f32) -> Rect {
    let mut job = egui::text::LayoutJob::simple_singleline(text.to_owned(), font, colour);
    job.wrap = egui::text::TextWrapping::truncate_at_width(most.max(24.0));
    let galley = painter.layout_job(job);
    haloed(painter, theme, at, align, galley, colour)
}

fn haloed(painter: &Painter, theme: &Theme, at: Pos2, align: Align2, galley: std::sync::Arc<egui::Galley>, colour: Color32) -> Rect {
    let rect = align.anchor_size(at, galley.size());
    // On whole pixels, so that small type stays crisp.
    let ppp = painter.pixels_per_point();
    let min = pos2((rect.min.x * ppp).round() / ppp, (rect.min.y * ppp).round() / ppp);
    // A faint plate and a dark edge: white bone or an open window must not swallow small type.
    if !galley.text().is_empty() {
        let plate = Rect::from_min_size(min, galley.size()).expand2(vec2(3.0, 0.0));
        painter.rect_filled(plate, 2.0, theme.colours.overlay_halo.gamma_multiply(0.45));
    }
    for d in [vec2(1.0, 0.0), vec2(-1.0, 0.0), vec2(0.0, 1.0), vec2(0.0, -1.0), vec2(1.0, 1.0), vec2(-1.0, 1.0)] {
        painter.galley_with_override_text_color(min + d, galley.clone(), theme.colours.overlay_halo);
    }
    painter.galley(min, galley, colour);
    rect
}

/// A line with a dark edge.
pub fn line(painter: &Painter, theme: &Theme, points: [Pos2; 2], stroke: Stroke) {
    painter.line_segment(points, Stroke::new(stroke.width + 2.0, theme.colours.overlay_halo));
    painter.line_segment(points, stroke);
}

/// Writes the four corners.
pub fn corners(painter: &Painter, theme: &Theme, rect: Rect, corners: &Corners) {
    let inner = rect.shrink(8.0);
    let most = inner.width() * 0.48;
    let step = |weight: Weight| match weight {
        Weight::Lead => (theme.sizes.lead, theme.colours.overlay_text),
        Weight::Plain => (theme.sizes.small, theme.colours.overlay_text),
        Weight::Quiet => (theme.sizes.small, theme.colours.overlay_quiet),
    };
    let column = |lines: &[Line], x: f32, align: egui::Align, from_top: bool| {
        let mut y = if from_top { inner.top() } else { inner.bottom() };
        let ordered: Vec<&Line> = if from_top { lines.iter().collect() } else { lines.iter().rev().collect() };
        for l in ordered {
            let (size, colour) = step(l.weight);
            let anchor = Align2([align, if from_top { egui::Align::TOP } else { egui::Align::BOTTOM }]);
            let taken = cut_text(painter, theme, pos2(x, y), anchor, &l.text, Theme::font(size), colour, most);
            y = if from_top { taken.bottom() + 1.0 } else { taken.top() - 1.0 };
        }
    };
    column(&corners.top_left, inner.left(), egui::Align::LEFT, true);
    column(&corners.top_right, inner.right(), egui::Align::RIGHT, true);
    column(&corners.bottom_left, inner.left(), egui::Align::LEFT, false);
    column(&corners.bottom_right, inner.right(), egui::Align::RIGHT, false);
}

/// Writes the letters of orientation at the middle of each edge.
///
/// Source: PS3.3 §C.7.6.1.1.1.
pub fn letters(painter: &Painter, theme: &Theme, rect: Rect, plane: &Plane) {
    let font = || Theme::font(theme.sizes.lead);
    let inner = rect.shrink(8.0);
    for (direction, at, align) in [
        (-plane.right, inner.left_center(), Align2::LEFT_CENTER),
        (plane.right, inner.right_center(), Align2::RIGHT_CENTER),
        (-plane.down, inner.center_top(), Align2::CENTER_TOP),
        (plane.down, inner.center_bottom(), Align2::CENTER_BOTTOM),
    ] {
        text(painter, theme, at, align, &direction.letters(), font(), theme.colours.orientation);
    }
}

/// Draws a scale bar along the bottom, a round length that takes about a quarter of the picture.
pub fn scale_bar(painter: &Painter, theme: &Theme, rect: Rect, points_per_mm: f64) {
    let Some((mm, label)) = round_length(f64::from(rect.width()) * 0.28 / points_per_mm) else { return };
    let length = (mm * points_per_mm) as f32;
    let y = rect.bottom() - 30.0;
    let (left, right) = (rect.center().x - length / 2.0, rect.center().x + length / 2.0);
    let stroke = Stroke::new(1.0, theme.colours.overlay_text);
    line(painter, theme, [pos2(left, y), pos2(right, y)], stroke);
    for n in 0..=4_u8 {
        let x = left + length * f32::from(n) / 4.0;
        let tall = if n % 4 == 0 { 5.0 } else { 3.0 };
        line(painter, theme, [pos2(x, y - tall), pos2(x, y)], stroke);
    }
    text(painter, theme, pos2(right + 6.0, y), Align2::LEFT_CENTER, &label, Theme::font(theme.sizes.small), theme.colours.overlay_text);
}

/// The largest of 1, 2, 5 × 10ⁿ mm that is not longer, with its label in mm or cm.
fn round_length(most_mm: f64) -> Option<(f64, String)> {
    if !(most_mm.is_finite() && most_mm > 1e-3) {
        return None;
    }
    let power = 10_f64.powf(most_mm.log10().floor());
    let mm = [5.0, 2.0, 1.0].into_iter().map(|m| m * power).find(|&mm| mm <= most_mm)?;
    let label = if mm >= 10.0 { format!("{}\u{2009}cm", mm / 10.0) } else { format!("{mm}\u{2009}mm") };
    Some((mm, label))
}

/// Draws a thin crosshair with a gap at its centre.
pub fn crosshair(painter: &Painter, theme: &Theme, rect: Rect, at: Pos2) {
    const GAP: f32 = 14.0;
    let stroke = Stroke::new(1.0, theme.colours.crosshair.gamma_multiply(0.8));
    let ppp = painter.pixels_per_point();
    let at = pos2(((at.x * ppp).floor() + 0.5) / ppp, ((at.y * ppp).floor() + 0.5) / ppp);
    let part = |a: Pos2, b: Pos2| {
        painter.line_segment([a, b], stroke);
    };
    if rect.x_range().contains(at.x) {
        if at.y - GAP > rect.top() {
            part(pos2(at.x, rect.top()), pos2(at.x, at.y - GAP));
        }
        if at.y + GAP < rect.bottom() {
            part(pos2(at.x, at.y + GAP), pos2(at.x, rect.bottom()));
        }
    }
    if rect.y_range().contains(at.y) {
        if at.x - GAP > rect.left() {
            part(pos2(rect.left(), at.y), pos2(at.x - GAP, at.y));
        }
        if at.x + GAP < rect.right() {
            part(pos2(at.x + GAP, at.y), pos2(rect.right(), at.y));
        }
    }
}

/// A shape on the screen.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Figure {
    /// Its lines, and whether each is closed.
    pub lines: Vec<(Vec<Pos2>, bool)>,
    /// Short marks, at ends and middles.
    pub ticks: Vec<[Pos2; 2]>,
    /// Thin lines that only show what belongs together: an angle's arc, what joins two lines.
    pub links: Vec<Vec<Pos2>>,
    /// Places to take hold of.
    pub grips: Vec<Pos2>,
}

impl Figure {
    /// Every straight piece of its lines.
    pub fn sides(&self) -> impl Iterator<Item = [Pos2; 2]> {
        self.lines.iter().flat_map(|(line, is_closed)| {
            let closing = line.last().zip(line.first()).filter(|_| *is_closed).map(|(a, b)| [*a, *b]);
            line.windows(2).filter_map(|pair| pair.try_into().ok()).chain(closing)
        })
    }

    /// The box around it.
    #[must_use]
    pub fn bounds(&self) -> Rect {
        let lines = self.lines.iter().flat_map(|(line, _)| line);
        lines.chain(self.ticks.iter().flatten()).fold(Rect::NOTHING, |rect, p| rect.union(Rect::from_min_max(*p, *p)))
    }

    /// Marks across both ends of a line.
    pub fn tick_ends(&mut self, [a, b]: [Pos2; 2]) {
        let along = (b - a).normalized();
        let across = Vec2::new(-along.y, along.x) * 5.0;
        self.ticks.extend([a, b].map(|end| [end - across, end + across]));
    }
}

/// How a shape is drawn.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct FigureLook {
    /// Chosen.
    pub is_selected: bool,
    /// Not acknowledged by the record.
    pub is_pending: bool,
    /// With round places to take hold of.
    pub has_grips: bool,
    /// Thin: only the trace of a shape that lies elsewhere.
    pub is_quiet: bool,
    /// In a colour of its own.
    pub colour: Option<Color32>,
}

/// The label of a shape.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Label {
    /// One line below the other; empty for no label.
    pub lines: Vec<String>,
    /// More below it, for which it does not move.
    pub detail: Option<String>,
    /// Where the middle of its left edge stands when nobody has moved it.
    pub at: Pos2,
    /// How far it was moved from there.
    pub moved: Option<Vec2>,
}

/// What a label that nobody has moved keeps away from.
#[derive(Debug, Clone, Default)]
pub struct Taken<'a> {
    /// Labels.
    pub labels: Vec<Rect>,
    /// Lines of other shapes, with the box around each.
    pub figures: Vec<(Rect, &'a Figure)>,
}

impl Taken<'_> {
    /// What stands on every picture: letters at the middles of its edges, text in its corners, the scale.
    #[must_use]
    pub fn of_picture(rect: Rect) -> Vec<Rect> {
        let inner = rect.shrink(8.0);
        let letters = [Align2::LEFT_CENTER, Align2::RIGHT_CENTER, Align2::CENTER_TOP, Align2::CENTER_BOTTOM];
        let corners = [Align2::LEFT_TOP, Align2::RIGHT_TOP, Align2::LEFT_BOTTOM, Align2::RIGHT_BOTTOM];
        let place = |align: Align2, size: Vec2| align.align_size_within_rect(size, inner);
        letters
            .map(|align| place(align, vec2(20.0, 20.0)))
            .into_iter()
            .chain(corners.map(|align| place(align, vec2(140.0, 60.0))))
            .collect()
    }

    /// How much is in the way of a label: another label more than a line.
    fn in_the_way(&self, of: Rect) -> usize {
        let labels = self.labels.iter().filter(|other| other.intersects(of)).count();
        let lines = self.figures.iter().filter(|(around, other)| around.intersects(of) && other.sides().any(|side| meets(of, side)));
        2 * labels + lines.count()
    }
}

/// True when a straight piece passes through a rectangle. Source: Y.-D. Liang, B. A. Barsky, ACM TOG 3(1), 1984.
fn meets(rect: Rect, [a, b]: [Pos2; 2]) -> bool {
    let along = b - a;
    let (mut from, mut to) = (0.0_f32, 1.0_f32);
    for (d, low, high) in [(along.x, rect.left() - a.x, rect.right() - a.x), (along.y, rect.top() - a.y, rect.bottom() - a.y)] {
        if d.abs() < 1e-6 {
            if low > 0.0 || high < 0.0 {
                return false;
            }
            continue;
        }
        let (enters, leaves) = (low / d, high / d);
        (from, to) = (from.max(enters.min(leaves)), to.min(enters.max(leaves)));
    }
    from <= to
}

/// Draws a shape with its label. Gives the label's rectangle.
pub fn figure(painter: &Painter, theme: &Theme, figure: &Figure, label: &Label, look: &FigureLook, taken: &Taken<'_>) -> Rect {
    let of_theme = if look.is_selected { theme.colours.measure_selected } else { theme.colours.measure };
    let colour = look.colour.unwrap_or(of_theme);
    let width = match (look.is_quiet, look.colour) {
        (true, _) => 1.0,
        // Nothing else tells that it is chosen.
        (false, Some(_)) => 2.5,
        (false, None) => 1.5,
    };
    let stroke = Stroke::new(width, colour);
    for (line, is_closed) in &figure.lines {
        outline(painter, theme, line, *is_closed, look.is_pending, stroke);
    }
    for link in &figure.links {
        painter.extend(Shape::dashed_line(link, Stroke::new(1.0, colour.gamma_multiply(0.8)), 2.0, 3.0));
    }
    for tick in &figure.ticks {
        line(painter, theme, *tick, stroke);
    }
    for at in figure.grips.iter().filter(|_| look.has_grips) {
        painter.circle_filled(*at, 5.0, theme.colours.overlay_halo);
        painter.circle_stroke(*at, 4.0, stroke);
    }
    figure_label(painter, theme, figure, label, colour, taken)
}

/// A line with a dark edge; dashed where it is not stored yet.
fn outline(painter: &Painter, theme: &Theme, points: &[Pos2], is_closed: bool, is_dashed: bool, stroke: Stroke) {
    let mut points = points.to_vec();
    points.extend(points.first().copied().filter(|_| is_closed));
    for stroke in [Stroke::new(stroke.width + 2.0, theme.colours.overlay_halo), stroke] {
        if is_dashed {
            painter.extend(Shape::dashed_line(&points, stroke, 6.0, 4.0));
        } else {
            painter.line(points.clone(), stroke);
        }
    }
}

fn figure_label(painter: &Painter, theme: &Theme, figure: &Figure, label: &Label, colour: Color32, taken: &Taken<'_>) -> Rect {
    let font = || Theme::font(theme.sizes.body);
    let sizes: Vec<Vec2> = label.lines.iter().map(|text| painter.layout_no_wrap(text.clone(), font(), colour).size()).collect();
    if label.lines.is_empty() {
        return Rect::NOTHING;
    }
    let size = sizes.iter().fold(Vec2::ZERO, |all, line| vec2(all.x.max(line.x), all.y + line.y));
    let rect = label_place(label, size, figure.bounds(), painter.clip_rect().shrink2(vec2(24.0, 6.0)), taken);
    lead(painter, figure, rect, colour);
    let (mut all, mut y) = (rect, rect.top());
    for text in label.lines.iter().chain(&label.detail) {
        let written = self::text(painter, theme, pos2(rect.left(), y), Align2::LEFT_TOP, text, font(), colour);
        (all, y) = (all.union(written), written.bottom());
    }
    all
}

/// Where a label stands: where it was moved to, else at the place around its shape where least is in its way; always inside
/// the picture, beside the letters at its edges.
fn label_place(label: &Label, size: Vec2, bounds: Rect, room: Rect, taken: &Taken<'_>) -> Rect {
    const GAP: f32 = 10.0;
    let beside = |at: Pos2| Rect::from_min_size(pos2(at.x, at.y - size.y / 2.0), size);
    let inside = |rect: Rect| {
        let left = rect.left().clamp(room.left(), (room.right() - size.x).max(room.left()));
        let top = rect.top().clamp(room.top(), (room.bottom() - size.y).max(room.top()));
        Rect::from_min_size(pos2(left, top), size)
    };
    if let Some(moved) = label.moved {
        return inside(beside(label.at + moved));
    }
    let (x, y) = (bounds.center().x - size.x / 2.0, bounds.center().y);
    let around = [
        label.at,
        pos2(bounds.right() + GAP, y),
        pos2(bounds.left() - GAP - size.x, y),
        pos2(x, bounds.bottom() + GAP + size.y / 2.0),
        pos2(x, bounds.top() - GAP - size.y / 2.0),
        pos2(bounds.right() + GAP, bounds.bottom() + GAP + size.y / 2.0),
        pos2(bounds.right() + GAP, bounds.top() - GAP - size.y / 2.0),
        pos2(bounds.left() - GAP - size.x, bounds.bottom() + GAP + size.y / 2.0),
        pos2(bounds.left() - GAP - size.x, bounds.top() - GAP - size.y / 2.0),
    ];
    let inner = around.into_iter().map(beside).filter(|rect| room.contains_rect(*rect));
    inner.min_by_key(|rect| taken.in_the_way(*rect)).unwrap_or_else(|| inside(beside(label.at)))
}

/// A line from a label to its shape, where it was moved far from it.
fn lead(painter: &Painter, figure: &Figure, label: Rect, colour: Color32) {
    let places = figure.lines.iter().flat_map(|(line, _)| line).chain(figure.ticks.iter().flatten());
    let away = places.map(|p| (*p, label.distance_sq_to_pos(*p))).min_by(|a, b| a.1.total_cmp(&b.1));
    if let Some((nearest, _)) = away.filter(|(_, squared)| *squared > 50.0 * 50.0) {
        let from = label.clamp(nearest);
        painter.extend(Shape::dashed_line(&[nearest, from], Stroke::new(1.0, colour.gamma_multiply(0.6)), 2.0, 3.0));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mj_model::Curve;

    #[test]
    fn a_series_with_a_file_cut_short_says_so_on_the_picture() {
        let axes = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]].map(|[x, y, z]| mj_model::VectorLps::new(x, y, z));
        let grid = mj_model::Grid { dims: [1; 3], origin: mj_model::PointLps::new(0.0, 0.0, 0.0), axes, spacing_mm: [1.0; 3] };
        let mut volume = Volume::of(grid, mj_model::Samples::U8(vec![0]));
        assert!(marks(&volume, Lang::En).is_empty());
        volume.warnings.push(mj_model::Warning::new(mj_dicom::dataset::CUT_SHORT, "1 of 7 files"));
        assert_eq!(marks(&volume, Lang::En), ["file cut short, missing part left empty"]);
        assert_eq!(marks(&volume, Lang::Zh), ["文件不完整，缺少部分留空"]);
    }

    #[test]
    fn scale_bars_have_round_lengths() {
        assert_eq!(round_length(73.0).unwrap(), (50.0, "5\u{2009}cm".into()));
        assert_eq!(round_length(2.4).unwrap(), (2.0, "2\u{2009}mm".into()));
        assert_eq!(round_length(10.0).unwrap(), (10.0, "1\u{2009}cm".into()));
        assert!(round_length(0.0).is_none() && round_length(f64::NAN).is_none());
    }

    #[test]
    fn a_label_goes_where_there_is_room_unless_somebody_put_it() {
        let (size, room) = (vec2(40.0, 16.0), Rect::from_min_max(pos2(0.0, 0.0), pos2(200.0, 200.0)));
        let shape = Rect::from_min_max(pos2(80.0, 80.0), pos2(120.0, 120.0));
        let label = Label { lines: vec!["1".into()], at: pos2(130.0, 100.0), ..Label::default() };
        let place =
            |label: &Label, labels: &[Rect]| label_place(label, size, shape, room, &Taken { labels: labels.to_vec(), figures: vec![] });
        let right = place(&label, &[]);
        assert_eq!(right, Rect::from_min_size(pos2(130.0, 92.0), size));
        let left = place(&label, &[right]);
        assert!(left.right() <= 70.0 && room.contains_rect(left), "{left:?}");
        let below = place(&label, &[right, left]);
        assert!(below.top() >= 130.0 && !below.intersects(right) && !below.intersects(left), "{below:?}");
        // A line of another shape through the right.
        let line = Figure { lines: vec![(vec![pos2(140.0, 0.0), pos2(141.0, 200.0)], false)], ..Figure::default() };
        let other = Taken { labels: vec![], figures: vec![(line.bounds(), &line)] };
        assert_eq!(label_place(&label, size, shape, room, &other), left);
        assert!(meets(right, [pos2(0.0, 0.0), pos2(200.0, 150.0)]) && !meets(right, [pos2(0.0, 0.0), pos2(200.0, 20.0)]));
        assert!(!meets(right, [pos2(0.0, 0.0), pos2(65.0, 50.0)]), "it ends before");
        // At the picture's edge.
        let edge = Label { at: pos2(190.0, 100.0), ..label.clone() };
        assert!(room.contains_rect(place(&edge, &[])));
        let moved = Label { moved: Some(vec2(-20.0, 30.0)), ..label };
        assert_eq!(place(&moved, &[right]), right.translate(vec2(-20.0, 30.0)));
        let far = Label { moved: Some(vec2(500.0, 500.0)), ..moved };
        assert_eq!(place(&far, &[]).max, room.max);
    }

    #[test]
    fn small_numbers_keep_their_digits() {
        let window = |center, width| window_numbers(&Window { curve: Curve::LinearExact, ..Window::linear(center, width, "") });
        assert_eq!(window(40.0, 400.0), ("40".into(), "400".into()));
        assert_eq!(window(2.5, 5.0), ("2.50".into(), "5.00".into()));
        assert_eq!(window(0.0015, 0.003), ("0.00150".into(), "0.00300".into()));
        let shown = [-1000.0, 40.000_000_1, 12.345, 0.001_234, 0.0, 1e-9].map(value);
        assert_eq!(shown, ["-1000", "40", "12.35", "0.00123", "0", "0.00000000100"]);
    }
}

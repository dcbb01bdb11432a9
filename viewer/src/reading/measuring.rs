//! The numbers of shapes: what their geometry says, and what the voxels inside them are.

use crate::overlay;
use crate::reading::placed::Placed;
use crate::reading::scene::Scene;
use mj_imaging::measure::{self, RegionStats};
use mj_lang::key;
use mj_model::code::known;
use mj_model::{Code, Finding, FindingState, Geometry, Lang, Measurement, Quantity, Shape, Unit, Volume};

/// The sign between a long and a short axis.
const BY: &str = " × ";

/// Everything that can be measured of a shape on what is shown, the main number first.
pub(crate) fn measured(scene: &Scene, placed: &Placed) -> Vec<Measurement> {
    let Some(volume) = scene.volume() else { return Vec::new() };
    let mut all: Vec<Measurement> = sizes(scene, &placed.geometry(volume)).into_iter().map(|size| new(size, None)).collect();
    // The brightness of a colour is no value of anything.
    if !scene.is_colour() {
        all.extend(values(volume, placed));
    }
    all
}

fn new(quantity: Quantity, derivation: Option<Code>) -> Measurement {
    Measurement { derivation, ..Measurement::new(uuid::Uuid::new_v4().to_string(), quantity) }
}

/// What the geometry says: in mm where the image, or the region of it that holds all of the shape, is calibrated, else in
/// pixels.
fn sizes(scene: &Scene, geometry: &Geometry) -> Vec<Quantity> {
    match (geometry, region_mm(scene, geometry)) {
        (Geometry::OnImage(shape), Some(mm)) => scaled(shape, mm),
        _ => geometry.sizes(),
    }
}

/// The sizes of a shape on an image whose pixels are a known distance apart, along a row and down a column. Units: pixels from
/// 0, mm.
fn scaled(shape: &Shape<[f64; 2]>, mm_per_pixel: [f64; 2]) -> Vec<Quantity> {
    shape.map(|[x, y]| [x * mm_per_pixel[0], y * mm_per_pixel[1]]).sizes(&Unit::mm(), &Unit::mm2())
}

/// Distances of pixels in the calibrated region of an ultrasound image that holds all of a shape. Units: mm.
fn region_mm(scene: &Scene, geometry: &Geometry) -> Option<[f64; 2]> {
    let Geometry::OnImage(shape) = geometry else { return None };
    let (mut low, mut high) = ([f64::INFINITY; 2], [f64::NEG_INFINITY; 2]);
    for (line, _) in shape.outline() {
        for place in line {
            low = [0, 1].map(|a| low[a].min(place[a]));
            high = [0, 1].map(|a| high[a].max(place[a]));
        }
    }
    scene.stack()?.region_mm(scene.shown.slice, low, high)
}

/// The values of the voxels inside, or of the one at a place.
fn values(volume: &Volume, placed: &Placed) -> Vec<Measurement> {
    let what = if volume.unit == Unit::hu() { known::attenuation() } else { known::signal() };
    let quantity = |value| Quantity { what: what.clone(), value, unit: volume.unit.clone() };
    let stats = match placed {
        Placed::Shape(Shape::Point { at }) => {
            return measure::voxel_value(volume, *at).into_iter().map(|value| new(quantity(value), None)).collect();
        }
        Placed::Shape(_) => measure::region_stats(volume, &placed.contours()),
        Placed::Ball { centre, radius_mm } => measure::ball_stats(volume, *centre, *radius_mm),
    };
    let Some(RegionStats { mean, standard_deviation, min, max, is_interpolated, .. }) = stats else { return Vec::new() };
    let method = is_interpolated.then(known::interpolated);
    let all = [(known::mean(), mean), (known::standard_deviation(), standard_deviation), (known::minimum(), min), (known::maximum(), max)];
    all.into_iter().map(|(derivation, value)| Measurement { method: method.clone(), ..new(quantity(value), Some(derivation)) }).collect()
}

/// A new finding of which nothing is known but its shape.
pub(crate) fn new_finding(scene: &Scene, placed: &Placed) -> Option<Finding> {
    let volume = scene.volume()?;
    let (id, geometry) = (uuid::Uuid::new_v4().to_string(), placed.geometry(volume));
    let mut made = Finding::new(id, scene.study.clone(), volume.series.clone(), geometry, "");
    made.frame_of_reference.clone_from(&volume.frame_of_reference);
    made.images = scene.images_of(&placed.touched(volume));
    made.measurements = measured(scene, placed);
    Some(made)
}

/// A new arrow or text.
pub(crate) fn new_annotation(scene: &Scene, placed: &Placed) -> Option<Finding> {
    Some(Finding { kind: known::annotation(), measurements: Vec::new(), ..new_finding(scene, placed)? })
}

/// The finding with another shape, or with the same one elsewhere.
pub(crate) fn reshaped(scene: &Scene, finding: &Finding, placed: &Placed, is_same_shape: bool) -> Option<Finding> {
    let volume = scene.volume()?;
    let mut changed = finding.clone();
    changed.geometry = placed.geometry(volume);
    changed.images = scene.images_of(&placed.touched(volume));
    if !finding.is_annotation() {
        changed.measurements = followed(&finding.measurements, measured(scene, placed), is_same_shape);
    }
    if changed.state == FindingState::Proposed || changed.state == FindingState::Accepted {
        changed.state = FindingState::Edited;
    }
    Some(changed)
}

/// The measurements of a shape that was changed: each of the same kind keeps its id. Of what was measured besides, values of
/// voxels go, and sizes too unless the shape is the same; anything else stays.
fn followed(before: &[Measurement], mut now: Vec<Measurement>, is_same_shape: bool) -> Vec<Measurement> {
    // A line that somebody measured as a diameter stays one.
    let is_length = |m: &&Measurement| m.derivation.is_none() && is_one_of(&m.quantity.what, &line_lengths());
    if let [only] = now.as_mut_slice()
        && only.quantity.what.is_same(&known::length())
        && let Some(named) = before.iter().find(is_length)
    {
        only.quantity.what = named.quantity.what.clone();
    }
    for measurement in &mut now {
        let same = before.iter().find(|old| old.is_same_kind(&measurement.quantity.what, measurement.derivation.as_ref()));
        if let Some(old) = same {
            measurement.id.clone_from(&old.id);
            measurement.revision = old.revision;
        }
    }
    let is_kept = |old: &&Measurement| !is_value(old) && (is_same_shape || !is_size(old)) && now.iter().all(|m| m.id != old.id);
    let others: Vec<Measurement> = before.iter().filter(is_kept).cloned().collect();
    now.extend(others);
    now
}

fn line_lengths() -> [Code; 4] {
    [known::length(), known::diameter(), known::long_axis(), known::short_axis()]
}

fn is_one_of(code: &Code, codes: &[Code]) -> bool {
    codes.iter().any(|c| c.is_same(code))
}

/// True for what a shape's geometry decides.
fn is_size(measurement: &Measurement) -> bool {
    let sizes = [known::path_length(), known::perimeter(), known::area(), known::angle(), known::cobb_angle(), known::volume()];
    let what = &measurement.quantity.what;
    is_one_of(what, &line_lengths()) || is_one_of(what, &sizes)
}

/// True for what voxels decide.
fn is_value(measurement: &Measurement) -> bool {
    is_one_of(&measurement.quantity.what, &[known::attenuation(), known::signal()])
}

/// The main number of a finding as one line: `12.3 × 8.1 mm`, `Ø 12.3 mm  0.98 ml`, `120.0 mm²`.
pub(crate) fn main_line(measurements: &[Measurement]) -> String {
    let find = |what: &Code| measurements.iter().find(|m| m.is_same_kind(what, None)).map(|m| &m.quantity);
    if let (Some(diameter), Some(volume)) = (find(&known::diameter()), find(&known::volume())) {
        return format!("Ø {}  {}", diameter.shown(), small_volume(volume));
    }
    match (find(&known::area()), find(&known::long_axis()), find(&known::short_axis())) {
        (None, Some(long), Some(short)) if long.unit == short.unit => format!("{:.1}{BY}{}", long.value, short.shown()),
        (Some(area), ..) => area.shown(),
        _ => measurements.iter().find(|m| m.derivation.is_none()).map(|m| one_value(&m.quantity)).unwrap_or_default(),
    }
}

/// A volume with its digits where it is small.
fn small_volume(volume: &Quantity) -> String {
    if volume.value < 10.0 { with_unit(format!("{:.2}", volume.value), &volume.unit) } else { volume.shown() }
}

/// A single number; a voxel's value as precise as it is.
fn one_value(quantity: &Quantity) -> String {
    let is_of_voxel = is_one_of(&quantity.what, &[known::attenuation(), known::signal()]);
    if is_of_voxel { with_unit(overlay::value(quantity.value), &quantity.unit) } else { quantity.shown() }
}

fn with_unit(number: String, unit: &Unit) -> String {
    if unit.label().is_empty() { number } else { format!("{number}\u{2009}{}", unit.label()) }
}

/// Mean and spread of the values inside: `40.2 ± 12.3 HU`.
pub(crate) fn mean_line(measurements: &[Measurement]) -> Option<String> {
    pair(measurements, [known::mean(), known::standard_deviation()], " ± ")
}

/// The lowest and the highest value inside: `-20.0 … 90.0 HU`.
pub(crate) fn range_line(measurements: &[Measurement]) -> Option<String> {
    pair(measurements, [known::minimum(), known::maximum()], " … ")
}

fn pair(measurements: &[Measurement], derivations: [Code; 2], between: &str) -> Option<String> {
    let find = |derivation: &Code| measurements.iter().find(|m| m.derivation.as_ref().is_some_and(|d| d.is_same(derivation)));
    let [a, b] = derivations;
    let (a, b) = (&find(&a)?.quantity, &find(&b)?.quantity);
    let decimals = if a.unit == Unit::hu() { 1 } else { overlay::decimals(a.value.abs().max(b.value.abs())).max(1) };
    Some(with_unit(format!("{:.decimals$}{between}{:.decimals$}", a.value, b.value), &a.unit))
}

/// A length where only the detector's pixels have a size: what lies in the patient is smaller by an unknown magnification, so
/// the length there is named as such.
pub(crate) fn detector_line(scene: &Scene, geometry: &Geometry, measurements: &[Measurement], lang: Lang) -> Option<String> {
    let Geometry::OnImage(shape @ (Shape::Line { .. } | Shape::Bidirectional { .. })) = geometry else { return None };
    let mm = scene.stack().and_then(|stack| stack.detector_mm(scene.shown.slice))?;
    if measurements.first()?.quantity.unit != Unit::px() {
        return None;
    }
    let there: Vec<String> = scaled(shape, mm).iter().map(|size| format!("{:.1}", size.value)).collect();
    Some(key::OVERLAY_DETECTOR.with(lang, &[("mm", &there.join(BY))]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use mj_model::{Extent, PointLps};

    fn measurement(what: Code, value: f64, unit: Unit, derivation: Option<Code>) -> Measurement {
        new(Quantity { what, value, unit }, derivation)
    }

    #[test]
    fn labels_say_the_main_number_first() {
        let of = |sizes: Vec<Quantity>| main_line(&sizes.into_iter().map(|q| new(q, None)).collect::<Vec<_>>());
        let p = |x, y| [x, y];
        let on_image = |shape| of(Geometry::OnImage(shape).sizes());
        assert_eq!(on_image(Shape::Line { a: p(0.0, 0.0), b: p(3.0, 4.0) }), "5.0\u{2009}px");
        let cross = Shape::Bidirectional { long: [p(0.0, 0.0), p(12.3, 0.0)], short: [p(5.0, -4.0), p(5.0, 4.1)] };
        assert_eq!(on_image(cross), "12.3 × 8.1\u{2009}px");
        let round = Shape::Ellipse { long: [p(0.0, 0.0), p(10.0, 0.0)], short: [p(5.0, -1.0), p(5.0, 1.0)] };
        assert_eq!(on_image(round), "15.7\u{2009}px²");
        let ball = |radius_mm| of(Geometry::Extent(Extent::Sphere { centre: PointLps::default(), radius_mm }).sizes());
        assert_eq!(ball(6.15), "Ø 12.3\u{2009}mm  0.97\u{2009}ml");
        assert_eq!(ball(20.0), "Ø 40.0\u{2009}mm  33.5\u{2009}ml");
    }

    #[test]
    fn values_keep_their_digits() {
        let (mean, sd) = (Some(known::mean()), Some(known::standard_deviation()));
        let line = |a: f64, b: f64, unit: Unit| {
            let all = [measurement(known::signal(), a, unit.clone(), mean.clone()), measurement(known::signal(), b, unit, sd.clone())];
            mean_line(&all).unwrap()
        };
        assert_eq!(line(40.24, 12.26, Unit::hu()), "40.2 ± 12.3\u{2009}HU");
        assert_eq!(line(0.001_234, 0.000_21, Unit::one()), "0.00123 ± 0.00021");
        assert_eq!(line(3.456, 0.4, Unit("g/ml{SUVbw}".into())), "3.46 ± 0.40\u{2009}g/ml SUVbw");
        let probe = [measurement(known::attenuation(), -34.0, Unit::hu(), None)];
        assert_eq!((main_line(&probe).as_str(), mean_line(&probe)), ("-34\u{2009}HU", None));
    }

    #[test]
    fn ids_stay_with_what_is_measured() {
        let odd = measurement(Code::new("99X", "1", "Score", "评分"), 3.0, Unit::one(), None);
        let before = [
            measurement(known::area(), 10.0, Unit::mm2(), None),
            measurement(known::attenuation(), 5.0, Unit::hu(), Some(known::mean())),
            odd.clone(),
        ];
        // Out of the volume there is no mean any more; what nobody here measured stays.
        let now = followed(&before, vec![measurement(known::area(), 12.0, Unit::mm2(), None)], false);
        assert_eq!(now.len(), 2);
        assert_eq!((&now[0].id, now[0].quantity.value, &now[1]), (&before[0].id, 12.0, &odd));
        // A line measured as a diameter by somebody else.
        let diameter = [measurement(known::diameter(), 7.0, Unit::mm(), None)];
        let now = followed(&diameter, vec![measurement(known::length(), 8.0, Unit::mm(), None)], false);
        assert!(now.len() == 1 && now[0].id == diameter[0].id && now[0].quantity.what.is_same(&known::diameter()));
        // Contours of several slices say no volume here: the one somebody measured holds while they are only moved.
        let volume = [measurement(known::volume(), 7.0, Unit::ml(), None)];
        assert_eq!(followed(&volume, Vec::new(), true), volume);
        assert!(followed(&volume, Vec::new(), false).is_empty());
    }
}

//! What tells several images of one place apart: echoes, weightings, phases, acquisitions, kernels.
//!
//! A value parts a series only where two images of one place differ in it. Acquisition Number, for example, counts every
//! slice of a sequential head CT, and parts nothing there.

use super::frame::{Place, Slice};
use crate::dataset::View;
use dicom_core::Tag;
use dicom_dictionary_std::tags;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// What two blocks of one series differ in. The order is the one in which reasons are tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Trait {
    /// Diffusion b-value. Units: s/mm².
    BValue,
    /// Image Type: magnitude or phase, water or fat, original or derived.
    ImageType,
    /// Echo Time. Units: ms; the echo's number where the time is absent.
    Echo,
    /// Convolution Kernel of a CT.
    Kernel,
    /// Tube voltage. Units: kV.
    Voltage,
    /// Direction of the diffusion gradient, counted.
    Direction,
    /// Temporal Position.
    Phase,
    /// Part of the cardiac cycle. Units: percent.
    CardiacPhase,
    /// Frame Reference Time of a PET. Units: s.
    FrameTime,
    /// Time after the trigger. Units: ms.
    TriggerTime,
    /// Acquisition Number: phases after contrast, or repeated scans.
    Acquisition,
    /// Another dimension of a multi-frame object.
    Dimension,
    /// Acquisition time, counted.
    Time,
    /// None of these: the images of a place were counted.
    Set,
}

impl Trait {
    /// Those that can be read, in the order in which they are tried.
    const READ: [Self; 13] = [
        Self::BValue,
        Self::ImageType,
        Self::Echo,
        Self::Kernel,
        Self::Voltage,
        Self::Direction,
        Self::Phase,
        Self::CardiacPhase,
        Self::FrameTime,
        Self::TriggerTime,
        Self::Acquisition,
        Self::Dimension,
        Self::Time,
    ];

    /// Stable name; the words are in the catalogue under `stack.<code>`.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::BValue => "b_value",
            Self::ImageType => "image_type",
            Self::Echo => "echo",
            Self::Kernel => "kernel",
            Self::Voltage => "voltage",
            Self::Direction => "direction",
            Self::Phase => "phase",
            Self::CardiacPhase => "cardiac_phase",
            Self::FrameTime => "frame_time",
            Self::TriggerTime => "trigger_time",
            Self::Acquisition => "acquisition",
            Self::Dimension => "dimension",
            Self::Time => "time",
            Self::Set => "set",
        }
    }

    /// Every one, for tests of the catalogue.
    pub fn all() -> impl Iterator<Item = Self> {
        Self::READ.into_iter().chain([Self::Set])
    }

    /// True for what counts the time: images of one place are then frames in time.
    pub(super) const fn is_time(self) -> bool {
        matches!(self, Self::Phase | Self::CardiacPhase | Self::FrameTime | Self::TriggerTime | Self::Time)
    }

    /// True where the value itself means nothing to a reader, or differs a little from slice to slice.
    const fn is_counted(self) -> bool {
        matches!(self, Self::Direction | Self::Dimension | Self::Time)
    }

    /// True where values may differ from slice to slice, so that the first of each place belong together.
    const fn may_be_ranked(self) -> bool {
        matches!(self, Self::TriggerTime | Self::FrameTime | Self::Acquisition | Self::Time)
    }
}

/// One difference of a block from the others of its series, for a thumbnail: `b = 1000`, `phase 2`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Apart {
    /// What differs.
    pub what: Trait,
    /// Its value, a number or a term of the file; the unit is in the words of the catalogue.
    pub value: String,
}

/// A value that can be sorted: numbers in thousandths first, then text.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Value(i64, String);

/// What a file says about each trait.
#[derive(Debug, Clone, Default)]
pub(super) struct Marks(Vec<(Trait, Value)>);

impl Marks {
    pub(super) fn of(place: &Place<'_, '_>) -> Self {
        let root = place.root;
        let direction = directions(place);
        let number = |what, value: Option<f64>| value.filter(|v| v.abs() < 1e12).map(|v| (what, numbered(v)));
        let text = |what, value: String| (!value.is_empty()).then_some((what, Value(0, value)));
        let echo = place.float(tags::MR_ECHO_SEQUENCE, tags::EFFECTIVE_ECHO_TIME);
        let content = |tag| place.float(tags::FRAME_CONTENT_SEQUENCE, tag);
        let in_seconds = root.float(tags::FRAME_REFERENCE_TIME).map(|ms| ms / 1000.0);
        let found = [
            number(Trait::BValue, b_value(place)),
            text(Trait::ImageType, place.image_type().join("\\")),
            number(Trait::Echo, echo.or_else(|| root.float(tags::ECHO_TIME)).or_else(|| root.float(tags::ECHO_NUMBERS))),
            text(Trait::Kernel, kernel(place)),
            number(Trait::Voltage, place.float(tags::CTX_RAY_DETAILS_SEQUENCE, tags::KVP)),
            text(Trait::Direction, direction),
            number(Trait::Phase, root.float(tags::TEMPORAL_POSITION_IDENTIFIER).or_else(|| content(tags::TEMPORAL_POSITION_INDEX))),
            number(Trait::CardiacPhase, place.float(tags::CARDIAC_SYNCHRONIZATION_SEQUENCE, tags::NOMINAL_PERCENTAGE_OF_CARDIAC_PHASE)),
            number(Trait::FrameTime, in_seconds),
            number(
                Trait::TriggerTime,
                place
                    .float(tags::CARDIAC_SYNCHRONIZATION_SEQUENCE, tags::NOMINAL_CARDIAC_TRIGGER_DELAY_TIME)
                    .or_else(|| root.float(tags::TRIGGER_TIME)),
            ),
            number(Trait::Acquisition, root.float(tags::ACQUISITION_NUMBER).or_else(|| content(tags::FRAME_ACQUISITION_NUMBER))),
            text(Trait::Dimension, dimensions(place)),
            text(Trait::Time, time(place)),
        ];
        Self(found.into_iter().flatten().collect())
    }

    fn get(&self, what: Trait) -> Option<&Value> {
        self.0.iter().find(|(known, _)| *known == what).map(|(_, value)| value)
    }
}

fn numbered(value: f64) -> Value {
    let thousandths = (value * 1000.0).round();
    Value(thousandths as i64, (thousandths / 1000.0).to_string())
}

/// The b-value, also as the makers wrote it before there was an attribute. Units: s/mm².
///
/// Source: PS3.3 §C.8.13.5.9 (MR Diffusion Macro).
fn b_value(place: &Place<'_, '_>) -> Option<f64> {
    let root = place.root;
    let private =
        |creator: Tag, name: &str, tag: Tag| root.first_text(creator).eq_ignore_ascii_case(name).then(|| root.float(tag)).flatten();
    place
        .float(tags::MR_DIFFUSION_SEQUENCE, tags::DIFFUSION_B_VALUE)
        .or_else(|| private(Tag(0x0019, 0x0010), "SIEMENS MR HEADER", Tag(0x0019, 0x100C)))
        .or_else(|| private(Tag(0x2001, 0x0010), "Philips Imaging DD 001", Tag(0x2001, 0x1003)))
        // GE adds a thousand million for some protocols.
        .or_else(|| private(Tag(0x0043, 0x0010), "GEMS_PARM_01", Tag(0x0043, 0x1039)).map(|b| b % 1e9))
}

/// Direction of the diffusion gradient, rounded.
fn directions(place: &Place<'_, '_>) -> String {
    let of_frame = place
        .group(tags::MR_DIFFUSION_SEQUENCE)
        .and_then(|group| group.item(tags::DIFFUSION_GRADIENT_DIRECTION_SEQUENCE))
        .map(|item| item.floats(tags::DIFFUSION_GRADIENT_ORIENTATION));
    let values = of_frame.unwrap_or_else(|| place.root.floats(tags::DIFFUSION_GRADIENT_ORIENTATION));
    values.iter().map(|v| format!("{v:.4}")).collect::<Vec<_>>().join(",")
}

fn kernel(place: &Place<'_, '_>) -> String {
    let of_frame = place.group(tags::CT_RECONSTRUCTION_SEQUENCE).map(|group| group.texts(tags::CONVOLUTION_KERNEL).join("\\"));
    of_frame.filter(|name| !name.is_empty()).unwrap_or_else(|| place.root.texts(tags::CONVOLUTION_KERNEL).join("\\"))
}

/// Indices of the dimensions that are neither stack nor place. Source: PS3.3 §C.7.6.17.
fn dimensions(place: &Place<'_, '_>) -> String {
    const OF_PLACE: [Tag; 4] =
        [tags::STACK_ID, tags::IN_STACK_POSITION_NUMBER, tags::IMAGE_POSITION_PATIENT, tags::PLANE_POSITION_SEQUENCE];
    let values = place.floats(tags::FRAME_CONTENT_SEQUENCE, tags::DIMENSION_INDEX_VALUES);
    let pointers = place.root.items(tags::DIMENSION_INDEX_SEQUENCE).map(|item| pointer(&item));
    let others = pointers.zip(values).filter(|(pointer, _)| pointer.is_none_or(|tag| !OF_PLACE.contains(&tag)));
    others.map(|(_, value)| value.to_string()).collect::<Vec<_>>().join(",")
}

/// Dimension Index Pointer: a tag as two words in the byte order of the file.
fn pointer(item: &View<'_>) -> Option<Tag> {
    let [a, b, c, d] = *item.raw(tags::DIMENSION_INDEX_POINTER)?.first_chunk::<4>()?;
    let word = |pair| if item.is_big_endian() { u16::from_be_bytes(pair) } else { u16::from_le_bytes(pair) };
    Some(Tag(word([a, b]), word([c, d])))
}

fn time(place: &Place<'_, '_>) -> String {
    let of_frame = place.group(tags::FRAME_CONTENT_SEQUENCE).map(|group| group.first_text(tags::FRAME_ACQUISITION_DATE_TIME));
    let of_image = || [tags::ACQUISITION_DATE_TIME, tags::ACQUISITION_TIME].map(|tag| place.root.first_text(tag)).concat();
    of_frame.filter(|at| !at.is_empty()).unwrap_or_else(of_image)
}

/// True when two images lie at one place. Units: mm.
pub(super) fn is_same_place(a: &Slice, b: &Slice) -> bool {
    match (a.position, b.position) {
        (Some(p), Some(q)) => p.distance_mm(q) < 1e-3,
        _ => false,
    }
}

/// Images sorted along the normal, those of one place together.
pub(super) fn layers(slices: Vec<Slice>) -> Vec<Vec<Slice>> {
    let mut layers: Vec<Vec<Slice>> = Vec::new();
    for slice in slices {
        match layers.last_mut() {
            Some(layer) if layer.first().is_some_and(|s| is_same_place(s, &slice)) => layer.push(slice),
            _ => layers.push(vec![slice]),
        }
    }
    layers
}

/// A part of a series, and what it differs in from the other parts.
pub(super) type Part = (Vec<Slice>, Vec<Apart>);

/// Parts images so that, where a reason can be named, no part holds two of one place. The order along the normal is kept.
pub(super) fn part(slices: Vec<Slice>) -> Vec<Part> {
    part_by(slices, &Trait::READ)
}

fn part_by(slices: Vec<Slice>, reasons: &[Trait]) -> Vec<Part> {
    let layers = layers(slices);
    let has_doubles = layers.iter().any(|layer| layer.len() > 1);
    let tried = reasons.iter().enumerate().filter(|_| has_doubles).find_map(|(at, &what)| Some((at, what, split(&layers, what)?)));
    let Some((at, what, keys)) = tried else { return vec![(layers.into_iter().flatten().collect(), Vec::new())] };
    let mut parts: BTreeMap<Option<Value>, Vec<Slice>> = BTreeMap::new();
    for (slice, key) in layers.into_iter().flatten().zip(keys) {
        parts.entry(key).or_default().push(slice);
    }
    let names = names(what, parts.keys());
    let rest = reasons.get(at + 1..).unwrap_or_default();
    let mut out = Vec::new();
    for (slices, name) in parts.into_values().zip(names) {
        for (inner, mut differences) in part_by(slices, rest) {
            differences.insert(0, name.clone());
            out.push((inner, differences));
        }
    }
    out
}

/// The part of every image (layer by layer) when images of one place differ in a trait, and when it explains them.
fn split(layers: &[Vec<Slice>], what: Trait) -> Option<Vec<Option<Value>>> {
    let value = |s: &Slice| s.marks.get(what).cloned();
    let in_layer = layers.iter().map(|layer| layer.iter().map(value).collect::<BTreeSet<_>>());
    let most = in_layer.map(|values| values.len()).max().unwrap_or(0);
    if most < 2 {
        return None;
    }
    let all: Vec<Option<Value>> = layers.iter().flatten().map(value).collect();
    let mut counts: BTreeMap<&Option<Value>, usize> = BTreeMap::new();
    all.iter().for_each(|v| *counts.entry(v).or_default() += 1);
    if counts.len() <= most || counts.values().all(|&n| n >= super::geometry::FEWEST) {
        return Some(all);
    }
    // Times that differ a little from slice to slice: the first of each place, the second of each place, and so on.
    let is_even = layers.iter().all(|layer| layer.iter().map(value).collect::<BTreeSet<_>>().len() == most && layer.len() == most);
    (is_even && what.may_be_ranked()).then(|| {
        let rank = |layer: &Vec<Slice>| {
            let order: BTreeSet<_> = layer.iter().map(value).collect();
            let at = |s: &Slice| order.iter().position(|v| *v == value(s)).unwrap_or(0) + 1;
            layer.iter().map(|s| Some(Value(at(s) as i64, format!("#{}", at(s))))).collect::<Vec<_>>()
        };
        layers.iter().flat_map(rank).collect()
    })
}

/// A name for every part.
fn names<'a>(what: Trait, values: impl Iterator<Item = &'a Option<Value>> + Clone) -> Vec<Apart> {
    let words = |v: &Value| v.1.split('\\').map(str::to_owned).collect::<BTreeSet<String>>();
    let shared = values.clone().flatten().map(words).reduce(|a, b| a.intersection(&b).cloned().collect()).unwrap_or_default();
    let name = |(at, value): (usize, &Option<Value>)| match value {
        None if what.is_counted() => (what, (at + 1).to_string()),
        None => (what, "-".to_owned()),
        Some(Value(_, text)) if text.starts_with('#') => {
            (if what.is_time() { Trait::Phase } else { what }, text.trim_start_matches('#').to_owned())
        }
        Some(_) if what.is_counted() => (what, (at + 1).to_string()),
        Some(Value(_, text)) if what == Trait::ImageType => {
            let own: Vec<&str> = text.split('\\').filter(|word| !shared.contains(*word)).collect();
            (what, if own.is_empty() { text.replace('\\', "/") } else { own.join("/") })
        }
        Some(Value(_, text)) => (what, text.replace('\\', "/")),
    };
    values.enumerate().map(name).map(|(what, value)| Apart { what, value }).collect()
}

/// The trait in which images of one place differ first, if any.
pub(super) fn difference(slices: &[Slice]) -> Option<Trait> {
    Trait::READ.into_iter().find(|&what| {
        let mut values = slices.iter().map(|s| s.marks.get(what));
        values.next().is_some_and(|first| values.any(|other| other != first))
    })
}

/// Several scans of one region whose slices do not fall on the same places: parts that are even each for itself, although
/// together they are not, and that overlap. `None` where that is not so.
pub(super) fn overlapping(slices: &[Slice], is_even: impl Fn(&[Slice]) -> bool, depth: impl Fn(&Slice) -> f64) -> Option<Vec<Part>> {
    for what in [Trait::Phase, Trait::Echo, Trait::BValue, Trait::Acquisition, Trait::Kernel, Trait::ImageType] {
        let mut parts: BTreeMap<Option<Value>, Vec<Slice>> = BTreeMap::new();
        slices.iter().for_each(|s| parts.entry(s.marks.get(what).cloned()).or_default().push(s.clone()));
        if parts.len() < 2 || !parts.values().all(|part| part.len() >= super::geometry::FEWEST && is_even(part)) {
            continue;
        }
        let ranges: Vec<(f64, f64)> = parts.values().filter_map(|p| Some((depth(p.first()?), depth(p.last()?)))).collect();
        let overlap = |a: &(f64, f64), b: &(f64, f64)| a.1.min(b.1) - a.0.max(b.0) > 0.0;
        let do_all = ranges.iter().enumerate().all(|(at, a)| ranges.iter().enumerate().any(|(other, b)| other != at && overlap(a, b)));
        if do_all {
            let names = names(what, parts.keys());
            return Some(parts.into_values().zip(names).map(|(part, name)| (part, vec![name])).collect());
        }
    }
    None
}

//! Findings, their geometry and their measurements.
//!
//! A measurement always belongs to a finding; a ruler makes an unclassified one. Findings are append-only
//! revisions: an edit, a deletion and an undo each append one (`revision + 1`), and "stale" is a comparison
//! of revisions.

use crate::Lang;
use crate::clock::Moment;
use crate::code::{Code, Quantity, known};
use crate::geometry::Geometry;
use crate::uid::{FrameOfReferenceUid, InstanceUid, SeriesUid, SopClassUid, StudyUid, TrackingUid};
use serde::{Deserialize, Serialize};

/// State of a finding in review.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FindingState {
    /// Made by a device, no person has looked.
    Proposed,
    /// A person made it or accepted it.
    Accepted,
    /// A person changed it after accepting.
    Edited,
    /// A person rejected it.
    Rejected,
    /// A person took it back; kept as a revision, not drawn.
    Deleted,
}

/// Why a result of another system is kept and listed, but neither drawn nor reported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Held {
    /// It names another patient than its study has here.
    OtherPatient,
    /// It names another date than its study has here.
    OtherDate,
    /// Its images belong to another series than it says.
    OtherSeries,
    /// The images it speaks of are not here.
    ImagesNotHere,
    /// Its frame of reference is not that of its images.
    OtherFrameOfReference,
    /// It lies outside of the images that it names: moved, mirrored or of another orientation.
    OffImage,
    /// It says one side and lies on the other.
    OtherSide,
    /// What it speaks of cannot be shown as a shape.
    UnknownShape,
}

impl Held {
    /// Stable code, under which the catalogue has the sentence for a doctor.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::OtherPatient => "finding.other_patient",
            Self::OtherDate => "finding.other_date",
            Self::OtherSeries => "finding.other_series",
            Self::ImagesNotHere => "finding.images_not_here",
            Self::OtherFrameOfReference => "finding.other_frame_of_reference",
            Self::OffImage => "finding.off_image",
            Self::OtherSide => "finding.other_side",
            Self::UnknownShape => "finding.unknown_shape",
        }
    }

    /// Every reason, for tests of the catalogue.
    pub const ALL: [Self; 8] = [
        Self::OtherPatient,
        Self::OtherDate,
        Self::OtherSeries,
        Self::ImagesNotHere,
        Self::OtherFrameOfReference,
        Self::OffImage,
        Self::OtherSide,
        Self::UnknownShape,
    ];
}

/// Side of the patient (never of the picture).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// Left.
    Left,
    /// Right.
    Right,
    /// Both.
    Both,
    /// Not sided, or not known.
    #[default]
    None,
}

/// One image frame a geometry was drawn on.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ImageRef {
    /// SOP Instance UID.
    pub instance: InstanceUid,
    /// SOP Class UID.
    pub sop_class: SopClassUid,
    /// Frame number from 1, for multi-frame objects.
    pub frame: Option<u32>,
}

/// Who or what made a revision.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Origin {
    /// Person or device.
    pub who: OriginKind,
    /// Person's id or the model's name.
    pub name: String,
    /// Model version; empty for a person.
    pub version: String,
}

impl Origin {
    /// A person, by id.
    #[must_use]
    pub fn person(id: &str) -> Self {
        Self { who: OriginKind::Person, name: id.to_owned(), version: String::new() }
    }
}

/// Kind of origin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OriginKind {
    /// A person.
    Person,
    /// A device: an AI model or an algorithm without a person.
    Device,
}

/// A number measured on images. `revision` counts changes of this measurement.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Measurement {
    /// Id, stable over revisions.
    pub id: String,
    /// From 1.
    pub revision: u32,
    /// What, how much, in which unit.
    #[serde(flatten)]
    pub quantity: Quantity,
    /// Which statistic of several values it is, for example the mean.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub derivation: Option<Code>,
    /// By which method it was measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<Code>,
}

impl Measurement {
    /// A measurement that is none of a series of values. Its revision counts from 1.
    #[must_use]
    pub const fn new(id: String, quantity: Quantity) -> Self {
        Self { id, revision: 1, quantity, derivation: None, method: None }
    }

    /// True when both measure the same: concept and statistic.
    #[must_use]
    pub fn is_same_kind(&self, what: &Code, derivation: Option<&Code>) -> bool {
        let derivations = match (&self.derivation, derivation) {
            (Some(ours), Some(theirs)) => ours.is_same(theirs),
            (None, None) => true,
            _ => false,
        };
        derivations && self.quantity.what.is_same(what)
    }
}

/// One revision of a finding.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// Id, stable over revisions (a random UUID).
    pub id: String,
    /// Tracking Unique Identifier, stable over revisions and over time.
    pub tracking_uid: TrackingUid,
    /// From 1. The highest is the present one.
    pub revision: u32,
    /// The study it belongs to.
    pub study: StudyUid,
    /// The series it was drawn on.
    pub series: SeriesUid,
    /// Frame of reference of `geometry`.
    pub frame_of_reference: Option<FrameOfReferenceUid>,
    /// The images it was drawn on, nearest first.
    pub images: Vec<ImageRef>,
    /// State in review.
    pub state: FindingState,
    /// What it is.
    pub kind: Code,
    /// What its maker calls it, in free words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// Where in the body, when known.
    pub site: Option<Code>,
    /// Side of the patient.
    pub side: Side,
    /// Place and shape.
    pub geometry: Geometry,
    /// Measurements that belong to it.
    pub measurements: Vec<Measurement>,
    /// How sure it is that this is a finding, as a device or a person says. Units: percent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certainty_percent: Option<f64>,
    /// Why a person rejected it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Code>,
    /// Why it is kept aside, neither drawn nor reported.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held: Option<Held>,
    /// The device that proposed it first, whoever changed it since.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proposed_by: Option<Origin>,
    /// Who made this revision.
    pub origin: Origin,
    /// When this revision was made.
    pub at: Moment,
}

impl Finding {
    /// A new finding of which nothing is known but where it is, made by a person: accepted, not classified, without
    /// measurements, as revision 0.
    #[must_use]
    pub fn new(id: String, study: StudyUid, series: SeriesUid, geometry: Geometry, person: &str) -> Self {
        Self {
            id,
            tracking_uid: TrackingUid::fresh(),
            revision: 0,
            study,
            series,
            frame_of_reference: None,
            images: Vec::new(),
            state: FindingState::Accepted,
            kind: known::unclassified_finding(),
            label: None,
            site: None,
            side: Side::None,
            geometry,
            measurements: Vec::new(),
            certainty_percent: None,
            reason: None,
            held: None,
            proposed_by: None,
            origin: Origin::person(person),
            at: crate::clock::now(),
        }
    }

    /// Brings the measurements that its shape alone decides up to the shape, in the unit they are in.
    pub fn follow_shape(&mut self) {
        for size in self.geometry.sizes() {
            let measured = self.measurements.iter_mut().find(|m| m.is_same_kind(&size.what, None) && m.quantity.unit == size.unit);
            if let Some(measurement) = measured {
                measurement.quantity = size;
            }
        }
    }

    /// What it is, and what its maker calls it where that says something else.
    #[must_use]
    pub fn name(&self, lang: Lang) -> String {
        let kind = self.kind.name(lang);
        let says = |name: &str, label: &str| name.eq_ignore_ascii_case(label);
        let label = self.label.as_deref().map(str::trim);
        match label.filter(|label| !label.is_empty() && !says(&self.kind.name_en, label) && !says(&self.kind.name_zh, label)) {
            Some(label) => format!("{kind} · {label}"),
            None => kind.to_owned(),
        }
    }

    /// True for an arrow (from its head to its tail) or a text (at a place): drawn on images, but nothing of what the report
    /// speaks of.
    #[must_use]
    pub fn is_annotation(&self) -> bool {
        self.kind.is_same(&known::annotation())
    }

    /// True when it is to be drawn and reported.
    #[must_use]
    pub fn is_live(&self) -> bool {
        self.held.is_none() && !matches!(self.state, FindingState::Rejected | FindingState::Deleted)
    }

    /// The measurement of an id.
    #[must_use]
    pub fn measurement(&self, id: &str) -> Option<&Measurement> {
        self.measurements.iter().find(|m| m.id == id)
    }

    /// What of it holds NaN or an infinity, which no JSON can carry, or lacks places; `None` when all is well.
    #[must_use]
    pub fn non_finite(&self) -> Option<&'static str> {
        if !self.geometry.is_whole() {
            return Some("geometry");
        }
        if self.certainty_percent.is_some_and(|v| !v.is_finite()) {
            return Some("certainty");
        }
        self.measurements.iter().any(|m| !m.quantity.value.is_finite()).then_some("measurement")
    }
}

/// A finding that a person stands for: made, accepted or edited by one, and not taken back. Only such go into what is
/// signed. An annotation is none.
#[derive(Debug, Clone, PartialEq)]
pub struct Confirmed(Finding);

impl Confirmed {
    /// The finding, if a person stands for it.
    #[must_use]
    pub fn of(finding: Finding) -> Option<Self> {
        let is_reviewed = matches!(finding.state, FindingState::Accepted | FindingState::Edited);
        let is_by_person = finding.origin.who == OriginKind::Person;
        (is_reviewed && finding.held.is_none() && is_by_person && !finding.is_annotation()).then_some(Self(finding))
    }

    /// The finding.
    #[must_use]
    pub const fn finding(&self) -> &Finding {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_a_person_stands_for_is_confirmed() {
        let of = |state, who, held| {
            let (study, series) = (StudyUid::parse("1.2").unwrap(), SeriesUid::parse("1.3").unwrap());
            let made = Finding::new("f".into(), study, series, Geometry::whole_image(), "p1");
            Confirmed::of(Finding { state, held, origin: Origin { who, ..made.origin.clone() }, ..made }).is_some()
        };
        let (study, series) = (StudyUid::parse("1.2").unwrap(), SeriesUid::parse("1.3").unwrap());
        let arrow = Finding { kind: known::annotation(), ..Finding::new("f".into(), study, series, Geometry::whole_image(), "p1") };
        assert!(Confirmed::of(arrow).is_none());
        use FindingState::{Accepted, Deleted, Edited, Proposed, Rejected};
        use OriginKind::{Device, Person};
        assert!(of(Accepted, Person, None) && of(Edited, Person, None));
        // A segmentation that somebody drew elsewhere is a proposal too.
        for state in [Proposed, Rejected, Deleted] {
            assert!(!of(state, Person, None), "{state:?}");
        }
        for state in [Proposed, Accepted, Edited, Rejected, Deleted] {
            assert!(!of(state, Device, None) && !of(state, Person, Some(Held::OtherSide)), "{state:?}");
        }
    }
}

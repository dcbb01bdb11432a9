//! Results of other systems: a measurement or CAD report, a segmentation or a structure set becomes findings, a
//! presentation state annotations, that wait for a person.
//!
//! Each is held against the images it speaks of before anybody sees it drawn: whose they are, which series, where they lie,
//! which side. What does not fit is kept and listed with its reason ([`Held`]), never drawn and never reported.

mod export;
mod images;
mod interlock;
mod marks;
mod objects;
mod segments;
mod structures;
mod taken;

use crate::{Error, Record, Result};
use mj_dicom::plane::Plane;
use mj_dicom::sr::{self, RunOutcome, SrContent, SrFinding};
use mj_dicom::{Dataset, Header};
use mj_model::code::known;
use mj_model::finding::{ImageRef, Origin, OriginKind};
use mj_model::uid::TrackingUid;
use mj_model::{Finding, FindingState, Geometry, Held, InstanceUid, Measurement, SeriesUid, StudyUid};
pub use objects::{Exported, ImageForm, NotExported, export_codes};
use serde::Serialize;
use sha2::{Digest as _, Sha256};
pub(crate) use taken::runs;
pub use taken::{ResultKind, Run, WaitingResult, is_of_data};

/// What came of taking a result.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ResultsTaken {
    /// The object it came from.
    pub sop_instance_uid: InstanceUid,
    /// What came of the algorithm, when it is said.
    pub outcome: Option<RunOutcome>,
    /// New findings, those held included, and those that were held and now fit.
    pub findings: Vec<Finding>,
    /// How many of its findings were in the record already, by Tracking UID.
    pub already_present: usize,
    /// Findings that a person decided on and of which this object says something else; they stay as they are.
    pub contradicts: Vec<String>,
    /// Coordinates that are not understood, by graphic type; regions without any.
    pub left_out: Vec<String>,
}

impl ResultsTaken {
    /// Of an object of which nothing was taken yet.
    fn nothing(instance: &InstanceUid) -> Self {
        Self {
            sop_instance_uid: instance.clone(),
            outcome: None,
            findings: Vec::new(),
            already_present: 0,
            contradicts: Vec::new(),
            left_out: Vec::new(),
        }
    }
}

/// Most images of one finding that are looked at, evenly spread.
const LOOKED_AT: usize = 32;

impl Record {
    /// Makes findings of a structured report that is in the record. They are proposals, whoever made them; the same report
    /// taken twice adds nothing.
    ///
    /// # Errors
    /// [`Error::Unknown`] when the object is not here; [`Error::Dicom`] when it is no structured report; database errors.
    pub async fn take_results(&self, instance: &InstanceUid, who: &str) -> Result<ResultsTaken> {
        let dataset = Dataset::from_vec(self.object_bytes(instance).await?)?;
        let header = dataset.header()?;
        let content = sr::read(&dataset)?;
        let left_out = content.findings.iter().flat_map(|f| f.left_out.clone()).collect();
        let mut taken = ResultsTaken { outcome: content.outcome, left_out, ..ResultsTaken::nothing(instance) };
        for (at, group) in content.findings.iter().enumerate() {
            let made = self.finding_of(&header, &content, group).await?;
            match self.take_item(&mut taken, &format!("group {}", at + 1), made, who).await? {
                Some(new) => taken.findings.push(new),
                None => taken.already_present += 1,
            }
        }
        self.note_result(&taken, None).await?;
        Ok(taken)
    }

    async fn finding_of(&self, header: &Header, content: &SrContent, group: &SrFinding) -> Result<Finding> {
        let home = self.home_of(header, content, group).await?;
        let geometry = group.geometry.clone().filter(Geometry::is_whole);
        let mut finding = Finding {
            tracking_uid: TrackingUid::parse(&group.tracking_uid).unwrap_or_else(|_| TrackingUid::fresh()),
            frame_of_reference: group.frame_of_reference.clone(),
            images: group.images.clone(),
            state: FindingState::Proposed,
            kind: group.kind.clone().map_or_else(known::unclassified_finding, mj_report::codes::named),
            site: group.site.clone().map(mj_report::codes::named),
            side: group.side,
            measurements: group.measurements.iter().map(measurement).collect(),
            certainty_percent: group.certainty_percent,
            proposed_by: Some(proposer(header, content, group)),
            origin: proposer(header, content, group),
            ..Finding::new(self.new_id(), home.study.clone(), home.series.clone(), geometry.unwrap_or_else(Geometry::whole_image), "")
        };
        let wrong = interlock::judge(self, header, &home, &finding).await?;
        finding.held = wrong.or((!group.left_out.is_empty()).then_some(Held::UnknownShape));
        if finding.held.is_none() {
            self.lay_into_space(&mut finding).await?;
        }
        Ok(finding)
    }

    /// A shape on an image that lies in patient space is laid there: in a volume, nobody would know on which slice it is.
    async fn lay_into_space(&self, finding: &mut Finding) -> Result<()> {
        let (Geometry::OnImage(shape), Some(image)) = (&finding.geometry, finding.images.first()) else { return Ok(()) };
        let dataset = Dataset::from_vec(self.object_bytes(&image.instance).await?)?;
        let header = dataset.header()?;
        let plane = Plane::of(&dataset).ok().and_then(|plane| plane.grid).filter(|_| header.frames <= 1);
        if let (Some(grid), Some(frame)) = (plane, header.series.frame_of_reference) {
            finding.geometry = Geometry::InSpace(shape.map(|[column, row]| grid.lps_from_voxel([column, row, 0.0])));
            finding.frame_of_reference = Some(frame);
        }
        Ok(())
    }

    /// Where a finding belongs: study and series of its images here, else what the report says of them.
    async fn home_of(&self, header: &Header, content: &SrContent, group: &SrFinding) -> Result<Home> {
        let named = group.images.first();
        let evidence = content.evidence.iter().find(|e| named.is_some_and(|image| image.instance == e.instance));
        let told = evidence.map(|e| e.series.clone()).or_else(|| group.series.clone());
        let here = match named {
            Some(image) => self.object_if_here(&image.instance).await?.map(|object| object.series),
            None => None,
        };
        let series = here.clone().or_else(|| told.clone()).unwrap_or_else(|| header.series.uid.clone());
        // Images of another study of the patient than the report's own: the finding stands where the images are.
        let study = match self.study_of_series(&series).await {
            Ok(study) => study,
            Err(Error::Unknown(_)) => header.study.uid.clone(),
            Err(other) => return Err(other),
        };
        Ok(Home { study, series, told, images: spread(&group.images) })
    }

    async fn object_if_here(&self, instance: &InstanceUid) -> Result<Option<crate::StoredObject>> {
        match self.object(instance).await {
            Ok(object) => Ok(Some(object)),
            Err(Error::Unknown(_)) => Ok(None),
            Err(other) => Err(other),
        }
    }
}

/// Where a finding belongs.
struct Home {
    study: StudyUid,
    series: SeriesUid,
    /// The series that the report names for its images.
    told: Option<SeriesUid>,
    /// The images that are looked at.
    images: Vec<ImageRef>,
}

/// The same for the same part of the same object, which names it in words.
fn derived_uid(part: &str) -> TrackingUid {
    let digest = Sha256::digest(part.as_bytes());
    let uuid = digest.first_chunk::<16>().map(|bytes| uuid::Builder::from_custom_bytes(*bytes).into_uuid());
    let uid = uuid.and_then(|uuid| TrackingUid::parse(&format!("2.25.{}", uuid.as_u128())).ok());
    uid.unwrap_or_else(TrackingUid::fresh)
}

fn spread(images: &[ImageRef]) -> Vec<ImageRef> {
    images.iter().step_by(images.len().div_ceil(LOOKED_AT).max(1)).cloned().collect()
}

fn measurement(found: &sr::SrMeasurement) -> Measurement {
    let mut measurement = Measurement::new(mj_model::uid::fresh(), found.quantity.clone());
    measurement.quantity.what = mj_report::codes::named(measurement.quantity.what);
    measurement.derivation = found.derivation.clone().map(mj_report::codes::named);
    measurement.method = found.method.clone().map(mj_report::codes::named);
    measurement
}

/// The device that made a finding, or the person, where a report of one names no algorithm.
fn proposer(header: &Header, content: &SrContent, group: &SrFinding) -> Origin {
    if let Some((name, version)) = &group.algorithm {
        return Origin { who: OriginKind::Device, name: name.clone(), version: version.clone() };
    }
    if let Some(person) = content.observers.first() {
        return Origin::person(person);
    }
    let device = content.devices.first().cloned().unwrap_or_else(|| header.series.description.clone());
    Origin { who: OriginKind::Device, name: device, version: String::new() }
}

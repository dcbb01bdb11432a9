//! Segmentations of other systems: their segments are kept as segments, and wait for a person as findings.

use super::{Home, ResultsTaken, interlock, spread};
use crate::{Record, Result, StoredObject};
use mj_dicom::seg::{FramePlace, frame_places};
use mj_dicom::{Dataset, Header};
use mj_model::code::known;
use mj_model::finding::{ImageRef, Origin, OriginKind};
use mj_model::plan::{Segment, SegmentFacts};
use mj_model::uid::TrackingUid;
use mj_model::{
    Extent, Finding, FindingState, FrameOfReferenceUid, Geometry, Held, InstanceUid, Measurement, PointLps, Quantity, SeriesUid, StudyUid,
    Unit, clock,
};

impl Record {
    /// Keeps the segments of a segmentation that is in the record, and makes a finding of each. Taken twice, it adds nothing.
    ///
    /// # Errors
    /// [`crate::Error::Unknown`] when the object is not here; [`crate::Error::Dicom`] when it cannot be read; database errors.
    pub async fn take_segments(&self, instance: &InstanceUid, read: Vec<SegmentFacts>, who: &str) -> Result<ResultsTaken> {
        let dataset = Dataset::from_vec(self.object_bytes(instance).await?)?;
        let header = dataset.header()?;
        let places = frame_places(&dataset);
        let outcome = if read.is_empty() { mj_dicom::sr::RunOutcome::FoundNothing } else { mj_dicom::sr::RunOutcome::Found };
        let mut taken = ResultsTaken { outcome: Some(outcome), ..ResultsTaken::nothing(instance) };
        for one in read {
            let made = self.finding_of_segment(&header, &places, &one).await?;
            match self.take_item(&mut taken, &format!("segment {}", one.number), made.clone(), who).await? {
                Some(new) => taken.findings.push(new),
                None => taken.already_present += 1,
            }
            if made.held.is_none()
                && let Some(box_lps) = one.box_lps
            {
                self.keep_segment(segment(&made, &one, box_lps, instance, self.new_id()), who).await?;
            }
        }
        self.note_result(&taken, None).await?;
        Ok(taken)
    }

    /// Keeps a segment of an object, unless it is here already.
    async fn keep_segment(&self, segment: Segment, who: &str) -> Result<()> {
        let known = self.segments(&segment.series).await?;
        if !known.iter().any(|one| one.seg_instance == segment.seg_instance && one.number == segment.number) {
            self.put_segment(segment, who).await?;
        }
        Ok(())
    }

    /// The segmentations that findings which are drawn lie in, each once; one that is no longer here is left out.
    ///
    /// # Errors
    /// Database errors.
    pub async fn segmentations_of(&self, findings: &[Finding]) -> Result<Vec<StoredObject>> {
        let mut objects: Vec<StoredObject> = Vec::new();
        for finding in findings.iter().filter(|finding| finding.is_live()) {
            let Geometry::Extent(Extent::Segment { instance, .. }) = &finding.geometry else { continue };
            if objects.iter().all(|known| known.instance != *instance) {
                objects.extend(self.object_if_here(instance).await?);
            }
        }
        Ok(objects)
    }

    async fn finding_of_segment(&self, header: &Header, places: &[FramePlace], read: &SegmentFacts) -> Result<Finding> {
        let images: Vec<ImageRef> =
            places.iter().filter_map(|p| (p.segment == Some(read.number)).then(|| p.image.clone()).flatten()).collect();
        let images = if images.is_empty() { places.iter().filter_map(|p| p.image.clone()).collect() } else { images };
        let here = match images.first() {
            Some(image) => self.object_if_here(&image.instance).await?.map(|object| object.series),
            None => self.series_in_space(&header.study.uid, header.series.frame_of_reference.as_ref()).await?,
        };
        let home = Home {
            study: header.study.uid.clone(),
            series: here.unwrap_or_else(|| header.series.uid.clone()),
            told: None,
            images: spread(&images),
        };
        let centre = read.box_lps.map(|(low, high)| low + (high - low) * 0.5);
        let geometry = Geometry::Extent(Extent::Segment {
            series: Some(header.series.uid.clone()),
            instance: header.instance.clone(),
            sop_class: header.sop_class.clone(),
            number: read.number,
            centre,
        });
        let origin = match &read.algorithm {
            Some(name) => Origin { who: OriginKind::Device, name: name.clone(), version: String::new() },
            None => Origin::person(&header.series.description),
        };
        let volume = Quantity { what: known::volume(), value: read.volume_ml, unit: Unit::ml() };
        let mut finding = Finding {
            tracking_uid: TrackingUid::parse(&read.tracking_uid).unwrap_or_else(|_| TrackingUid::fresh()),
            frame_of_reference: header.series.frame_of_reference.clone(),
            images: home.images.clone(),
            state: FindingState::Proposed,
            kind: read.kind.clone().map_or_else(known::unclassified_finding, mj_report::codes::named),
            side: read.side,
            label: Some(read.label.clone()).filter(|label| !label.is_empty()),
            measurements: vec![Measurement::new(mj_model::uid::fresh(), volume)],
            proposed_by: Some(origin.clone()),
            origin,
            ..Finding::new(self.new_id(), home.study.clone(), home.series.clone(), geometry, "")
        };
        let misplaced = interlock::is_misplaced(self, places).await?;
        finding.held = interlock::judge(self, header, &home, &finding).await?.or(misplaced.then_some(Held::OffImage));
        Ok(finding)
    }

    /// The images of a study in a frame of reference, for an object that names none.
    pub(super) async fn series_in_space(&self, study: &StudyUid, frame: Option<&FrameOfReferenceUid>) -> Result<Option<SeriesUid>> {
        for series in self.image_series(study).await.unwrap_or_default() {
            let Some(object) = self.series_objects(&series).await?.into_iter().find(|o| o.rows > 0) else { continue };
            let of = Dataset::from_vec(self.object_bytes(&object.instance).await?)?.header()?;
            if of.series.modality != "SEG" && of.series.frame_of_reference.as_ref() == frame {
                return Ok(Some(series));
            }
        }
        Ok(None)
    }
}

fn segment(finding: &Finding, read: &SegmentFacts, box_lps: (PointLps, PointLps), instance: &InstanceUid, id: String) -> Segment {
    Segment {
        id,
        revision: 0,
        study: finding.study.clone(),
        series: finding.series.clone(),
        label: if read.label.is_empty() { finding.kind.name_en.clone() } else { read.label.clone() },
        kind: read.kind.clone(),
        seg_instance: instance.clone(),
        number: read.number,
        voxels: read.voxels,
        volume_ml: read.volume_ml,
        mesh_volume_ml: read.mesh_volume_ml,
        box_lps,
        made_by: serde_json::json!({"imported": instance, "segment": read.number}),
        origin: finding.origin.clone(),
        at: clock::now(),
    }
}

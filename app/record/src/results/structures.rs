//! Structure sets of other systems: their regions wait for a person as findings.

use super::images::{ImageHere, Images};
use super::{Home, ResultsTaken, derived_uid, interlock, spread};
use crate::{Error, Record, Result};
use mj_dicom::rtstruct::{self, Contour, ContourKind, Roi, StructureSet};
use mj_dicom::{Dataset, Header, plane};
use mj_model::finding::{ImageRef, Origin, OriginKind};
use mj_model::uid::TrackingUid;
use mj_model::{Finding, FindingState, FrameOfReferenceUid, Geometry, Held, InstanceUid, Measurement, PointLps, SeriesUid, Shape};

/// A region, or what of it is a shape of its own.
struct Part<'a> {
    /// `None` when nothing of it is understood.
    shape: Option<Shape<PointLps>>,
    contours: Vec<&'a Contour>,
    /// True when contours of the region are not understood, so that it would be shown with something missing.
    is_incomplete: bool,
}

/// A part against the images that it names.
#[derive(Default)]
struct Placed {
    images: Vec<ImageRef>,
    wrong: Option<Held>,
    frame_of_reference: Option<FrameOfReferenceUid>,
}

impl Record {
    /// Makes findings of the regions of a structure set that is in the record: its closed contours together as one, each
    /// open line and each point as one. They are proposals; the same set taken twice adds nothing.
    ///
    /// # Errors
    /// [`Error::Unknown`] when the object is not here; [`Error::Dicom`] when it is no structure set or cannot be read;
    /// database errors.
    pub async fn take_structures(&self, instance: &InstanceUid, who: &str) -> Result<ResultsTaken> {
        let dataset = Dataset::from_vec(self.object_bytes(instance).await?)?;
        let header = dataset.header()?;
        let set = rtstruct::read(&dataset)?;
        let mut taken = ResultsTaken::nothing(instance);
        let mut images = Images::of(self);
        for roi in &set.rois {
            let (parts, left_out) = parts(roi);
            taken.left_out.extend(left_out);
            for (at, part) in parts.iter().enumerate() {
                let mut made = self.finding_of_part(&header, &set, (roi, part), &mut images).await?;
                made.tracking_uid = tracking_uid(instance, roi.number, at);
                match self.take_item(&mut taken, &format!("region {} {at}", roi.number), made, who).await? {
                    Some(new) => taken.findings.push(new),
                    None => taken.already_present += 1,
                }
            }
        }
        self.note_result(&taken, None).await?;
        Ok(taken)
    }

    async fn finding_of_part(
        &self,
        header: &Header,
        set: &StructureSet,
        (roi, part): (&Roi, &Part<'_>),
        images: &mut Images<'_>,
    ) -> Result<Finding> {
        let (home, placed) = self.place_part(header, set, (roi, part), images).await?;
        let origin = origin(header, set, roi);
        let geometry = part.shape.clone().map_or_else(Geometry::whole_image, Geometry::InSpace);
        let sizes = geometry.sizes().into_iter();
        let mut finding = Finding {
            frame_of_reference: placed.frame_of_reference,
            images: placed.images,
            state: FindingState::Proposed,
            label: Some(roi.name.clone()).filter(|name| !name.is_empty()),
            measurements: sizes.map(|size| Measurement::new(mj_model::uid::fresh(), size)).collect(),
            proposed_by: Some(origin.clone()),
            origin,
            ..Finding::new(self.new_id(), home.study.clone(), home.series.clone(), geometry, "")
        };
        let judged = interlock::judge(self, header, &home, &finding).await?;
        finding.held = judged.or(placed.wrong).or(part.is_incomplete.then_some(Held::UnknownShape));
        Ok(finding)
    }

    /// Where a part belongs, and on which images it lies.
    async fn place_part(
        &self,
        header: &Header,
        set: &StructureSet,
        (roi, part): (&Roi, &Part<'_>),
        images: &mut Images<'_>,
    ) -> Result<(Home, Placed)> {
        let frame = roi.frame_of_reference.as_ref().or_else(|| set.frames_of_reference.first());
        let named = part.contours.iter().flat_map(|contour| &contour.images).next();
        let (series, told, placed) = match named {
            Some(named) => {
                let of_set = set.series.iter().find(|series| series.images.iter().any(|image| image.instance == named.instance));
                let told = of_set.map(|series| series.series.clone());
                let here = images.get(&named.instance).await?.map(|image| image.series);
                let series = here.or_else(|| told.clone()).unwrap_or_else(|| header.series.uid.clone());
                (series, told, on_named(part, frame, images).await?)
            }
            None => {
                let series = self.series_of_set(header, set, frame).await?;
                let here = match &series {
                    Some(series) => self.images_of(self.series_objects(series).await?).await?,
                    None => Vec::new(),
                };
                (series.unwrap_or_else(|| header.series.uid.clone()), None, on_nearest(part, frame, &here))
            }
        };
        let study = match self.study_of_series(&series).await {
            Ok(study) => study,
            Err(Error::Unknown(_)) => header.study.uid.clone(),
            Err(other) => return Err(other),
        };
        Ok((Home { study, series, told, images: spread(&placed.images) }, placed))
    }

    /// The series that a set is about, when it is here; else one of its study in its frame of reference.
    async fn series_of_set(&self, header: &Header, set: &StructureSet, frame: Option<&FrameOfReferenceUid>) -> Result<Option<SeriesUid>> {
        for series in &set.series {
            if self.study_of_series(&series.series).await.is_ok() {
                return Ok(Some(series.series.clone()));
            }
        }
        match frame {
            Some(frame) => self.series_in_space(&header.study.uid, Some(frame)).await,
            None => Ok(None),
        }
    }
}

/// Holds each contour against the images that it names. One that names none of its images while others do lies between
/// images, and is left to the frame of reference.
///
/// Sets with a frame of reference of their own making are common. Where every contour lies on an image that it names, these
/// images say where it is, and their frame of reference holds.
async fn on_named(part: &Part<'_>, frame: Option<&FrameOfReferenceUid>, images: &mut Images<'_>) -> Result<Placed> {
    let mut placed = Placed { frame_of_reference: frame.cloned(), ..Placed::default() };
    let mut frames: Vec<Option<FrameOfReferenceUid>> = Vec::new();
    let mut are_all_on = true;
    for contour in &part.contours {
        let mut here = Vec::new();
        for image in &contour.images {
            if !placed.images.contains(image) {
                placed.images.push(image.clone());
            }
            match images.get(&image.instance).await? {
                Some(image) => here.push(image),
                None => placed.wrong = Some(Held::ImagesNotHere),
            }
        }
        let with_place: Vec<&ImageHere> = here.iter().filter(|image| image.plane.grid.is_some()).collect();
        let is_on = with_place.iter().any(|image| contour.places.iter().all(|place| image.plane.pixel(*place).is_some()));
        if !with_place.is_empty() && !is_on {
            placed.wrong = placed.wrong.or(Some(Held::OffImage));
        }
        are_all_on &= is_on;
        frames.extend(here.into_iter().map(|image| image.frame_of_reference));
    }
    if let Some(Some(of_images)) = frames.first()
        && are_all_on
        && frames.iter().all(|other| other.as_ref() == Some(of_images))
    {
        placed.frame_of_reference = Some(of_images.clone());
    }
    Ok(placed)
}

/// Finds the images that contours lie on, which name none.
fn on_nearest(part: &Part<'_>, frame: Option<&FrameOfReferenceUid>, here: &[ImageHere]) -> Placed {
    let mut placed = Placed { frame_of_reference: frame.cloned(), ..Placed::default() };
    let planes: Vec<plane::Plane> = here.iter().map(|image| image.plane.clone()).collect();
    for contour in &part.contours {
        if let Some(plane) = plane::nearest(&planes, &contour.places)
            && !placed.images.contains(&plane.image)
        {
            placed.images.push(plane.image.clone());
        }
    }
    placed
}

/// The shapes of a region, and what of it is not taken.
fn parts(roi: &Roi) -> (Vec<Part<'_>>, Vec<String>) {
    let told = |what: &str| format!("{} ({what})", roi.name);
    if roi.contours.is_empty() {
        return (Vec::new(), vec![told("0")]);
    }
    let (mut parts, mut left_out, mut is_incomplete) = (Vec::new(), Vec::new(), false);
    let (mut closed, mut of_closed) = (Vec::new(), Vec::new());
    for contour in &roi.contours {
        let mut one = |shape| parts.push(Part { shape: Some(shape), contours: vec![contour], is_incomplete: false });
        let places = open_ended(contour);
        match (&contour.kind, places.as_slice()) {
            (ContourKind::ClosedPlanar, [_, _, _, ..]) => {
                closed.push(places);
                of_closed.push(contour);
            }
            (ContourKind::OpenPlanar | ContourKind::OpenNonplanar, [_, _, ..]) => one(Shape::Polyline { points: places }),
            (ContourKind::Point, &[at]) => one(Shape::Point { at }),
            // Too few places enclose or join nothing: the region is whole without.
            (ContourKind::ClosedPlanar | ContourKind::OpenPlanar | ContourKind::OpenNonplanar, _) => {
                left_out.push(told(contour.kind.term()));
            }
            _ => {
                is_incomplete = true;
                left_out.push(told(contour.kind.term()));
            }
        }
    }
    if !closed.is_empty() {
        parts.insert(0, Part { shape: Some(Shape::Contours { contours: closed }), contours: of_closed, is_incomplete });
    }
    if parts.is_empty() {
        parts.push(Part { shape: None, contours: roi.contours.iter().collect(), is_incomplete: true });
    }
    for part in &mut parts {
        part.is_incomplete |= is_incomplete;
    }
    (parts, left_out)
}

/// The places of a contour; of a closed one without the first again at its end.
fn open_ended(contour: &Contour) -> Vec<PointLps> {
    let mut places = contour.places.clone();
    let is_repeated = contour.kind == ContourKind::ClosedPlanar && places.len() > 1 && places.first() == places.last();
    if is_repeated {
        places.pop();
    }
    places
}

/// The same for the same part of the same object.
fn tracking_uid(instance: &InstanceUid, roi: i64, part: usize) -> TrackingUid {
    derived_uid(&format!("structure set {instance} {roi} {part}"))
}

/// Who drew a region, by the name of the set: a set tells the algorithm's kind, not its name.
fn origin(header: &Header, set: &StructureSet, roi: &Roi) -> Origin {
    let names = [&set.label, &set.name, &header.series.description];
    let name = names.into_iter().find(|name| !name.is_empty()).cloned().unwrap_or_default();
    if roi.algorithm == "MANUAL" {
        return Origin::person(&name);
    }
    Origin { who: OriginKind::Device, name, version: String::new() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contour(kind: ContourKind, places: &[[f64; 3]]) -> Contour {
        Contour { kind, places: places.iter().map(|p| PointLps::from(*p)).collect(), images: Vec::new() }
    }

    #[test]
    fn a_region_is_its_closed_contours_its_lines_and_its_points() {
        let [a, b, c] = [[0.0, 0.0, 1.0], [4.0, 0.0, 1.0], [4.0, 4.0, 1.0]];
        let contours = vec![
            contour(ContourKind::Point, &[b]),
            contour(ContourKind::ClosedPlanar, &[a, b, c, a]),
            contour(ContourKind::OpenNonplanar, &[a, c]),
            contour(ContourKind::ClosedPlanar, &[c, b, a]),
            contour(ContourKind::ClosedPlanar, &[a, b, a]),
        ];
        let roi = Roi { number: 3, name: "Tumour".into(), contours, ..Roi::default() };
        let (parts, left_out) = super::parts(&roi);
        let p = PointLps::from;
        let shapes: Vec<_> = parts.iter().map(|part| part.shape.clone().unwrap()).collect();
        assert_eq!(
            shapes,
            [
                Shape::Contours { contours: vec![vec![p(a), p(b), p(c)], vec![p(c), p(b), p(a)]] },
                Shape::Point { at: p(b) },
                Shape::Polyline { points: vec![p(a), p(c)] },
            ]
        );
        assert_eq!(left_out, ["Tumour (CLOSED_PLANAR)"]);
        assert!(parts.iter().all(|part| !part.is_incomplete));
    }

    #[test]
    fn what_is_not_understood_marks_the_whole_region() {
        let square = [[0.0, 0.0, 1.0], [4.0, 0.0, 1.0], [4.0, 4.0, 1.0]];
        let contours = vec![contour(ContourKind::ClosedPlanar, &square), contour(ContourKind::ClosedPlanarXor, &square)];
        let roi = Roi { name: "Ring".into(), contours, ..Roi::default() };
        let (parts, left_out) = super::parts(&roi);
        assert!(parts.len() == 1 && parts[0].is_incomplete && parts[0].shape.is_some());
        assert_eq!(left_out, ["Ring (CLOSEDPLANAR_XOR)"]);
        let unknown = Roi { contours: vec![contour(ContourKind::Other("CUBE".into()), &square)], ..roi };
        let (parts, _) = super::parts(&unknown);
        assert!(parts.len() == 1 && parts[0].shape.is_none() && parts[0].is_incomplete);
        let empty = Roi { name: "Skin".into(), ..Roi::default() };
        assert!(super::parts(&empty).0.is_empty() && super::parts(&empty).1 == ["Skin (0)"]);
    }

    #[test]
    fn a_part_keeps_its_tracking_uid() {
        let [one, other] = ["1.2.3", "1.2.4"].map(|uid| InstanceUid::parse(uid).unwrap());
        let all = [tracking_uid(&one, 1, 0), tracking_uid(&one, 1, 1), tracking_uid(&one, 2, 0), tracking_uid(&other, 1, 0)];
        assert_eq!(all[0], tracking_uid(&one, 1, 0));
        assert!(all.iter().enumerate().all(|(at, uid)| uid.as_str().len() <= 64 && !all[..at].contains(uid)));
    }
}

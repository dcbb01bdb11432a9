//! Findings leave as objects that lie on images: presentation states, structure sets, key object selections.

use super::images::ImageHere;
use crate::sign::station;
use crate::{Error, Record, Result};
use mj_dicom::context::{Context, Device, Written};
use mj_dicom::gsps::{self, Annotation, GspsInput, Look};
use mj_dicom::ko::{self, KoInput};
use mj_dicom::plane::Plane;
use mj_dicom::rtstruct::{self, RoiInput, RtInput};
use mj_model::finding::ImageRef;
use mj_model::{
    Confirmed, Finding, FindingState, FrameOfReferenceUid, Geometry, InstanceUid, Lang, Moment, SeriesUid, Shape, StudyUid, clock,
};

/// Series Numbers: behind the images, the reports and the findings as SR.
const GSPS_SERIES_NUMBER: i64 = 9004;
const RTSTRUCT_SERIES_NUMBER: i64 = 9005;
const KO_SERIES_NUMBER: i64 = 9006;

/// Colour of outlines, sRGB.
const OUTLINE: [u8; 3] = [255, 210, 0];
/// Longest name of a region. Units: characters.
const LONGEST_NAME: usize = 64;

/// A finding's images are in colour: a presentation state of this kind is for grey ones.
const IN_COLOUR: &str = "export.in_colour";
/// The segmentation that holds a finding's segment holds others that no person stands for.
const NOT_ALL_CONFIRMED: &str = "export.not_all_confirmed";
/// A finding names no image that is here.
const NO_IMAGE: &str = "export.no_image";

/// Objects that lie on images.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ImageForm {
    /// Grayscale presentation states, one for each series.
    Gsps,
    /// Structure sets, one for each series.
    Rtstruct,
    /// One key object selection.
    Ko,
}

/// Objects of findings, with what could not be told in them.
#[derive(Debug, Default)]
#[must_use = "what was left out has to be told"]
pub struct Exported {
    /// The objects, read back and compared.
    pub objects: Vec<Written>,
    /// Findings that are in none of them.
    pub left_out: Vec<NotExported>,
}

/// A finding that an object does not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotExported {
    /// Its id.
    pub finding: String,
    /// Why; the catalogue has the sentence.
    pub code: &'static str,
}

impl NotExported {
    /// A segmentation leaves whole or not at all: another segment of it is not confirmed.
    #[must_use]
    pub const fn not_all_confirmed(finding: String) -> Self {
        Self { finding, code: NOT_ALL_CONFIRMED }
    }
}

/// Every code of [`NotExported`], for tests of the catalogue.
#[must_use]
pub fn export_codes() -> Vec<&'static str> {
    let drawn = gsps::Reason::ALL.map(gsps::Reason::code);
    let outlined = rtstruct::Reason::ALL.map(rtstruct::Reason::code);
    drawn.into_iter().chain(outlined).chain([IN_COLOUR, NOT_ALL_CONFIRMED, NO_IMAGE]).collect()
}

/// What all objects of one export share.
struct Shared {
    context: Context,
    device: Device,
    person: Option<String>,
    title: String,
    lang: Lang,
    at: Moment,
}

/// Findings on one series of images.
struct Ground {
    series: SeriesUid,
    images: Vec<ImageHere>,
    frame_of_reference: Option<FrameOfReferenceUid>,
    findings: Vec<Finding>,
}

impl Record {
    /// The findings of a study that a person stands for, in a form, read back and compared. What cannot be told in that form
    /// as it is, is left out and named.
    ///
    /// # Errors
    /// [`Error::FindingState`] when there is no such finding; [`Error::NoImage`]; [`Error::Dicom`] when what was written does
    /// not read back as it was; disk, seal and database errors.
    pub async fn findings_on_images(&self, study: &StudyUid, form: ImageForm, lang: Lang) -> Result<Exported> {
        // What others drew and nobody took over is theirs.
        let is_stood_for = |finding: &Finding| finding.is_live() && finding.state != FindingState::Proposed;
        let is_drawn = |finding: &Finding| form == ImageForm::Gsps && finding.is_annotation() && is_stood_for(finding);
        let all = self.findings(study).await?.into_iter();
        let kept = |finding: Finding| if is_drawn(&finding) { Some(finding) } else { Confirmed::of(finding).map(|c| c.finding().clone()) };
        let findings: Vec<Finding> = all.filter_map(kept).collect();
        if findings.is_empty() {
            return Err(Error::FindingState("finding.nothing_confirmed"));
        }
        let shared = self.shared(study, &findings, lang).await?;
        let mut exported = Exported::default();
        if form == ImageForm::Ko {
            self.select(&shared, &findings, &mut exported).await?;
            return Ok(exported);
        }
        for ground in self.grounds(findings).await? {
            match form {
                ImageForm::Gsps => draw(&shared, &ground, &mut exported)?,
                _ => outline(&shared, &ground, &mut exported)?,
            }
        }
        Ok(exported)
    }

    async fn shared(&self, study: &StudyUid, findings: &[Finding], lang: Lang) -> Result<Shared> {
        let context = Context::of(&self.reference_image(study).await?)?;
        let mut tx = self.write().await?;
        let device = station(tx.conn()).await?;
        tx.commit().await?;
        let person = self.last_person(&findings.iter().collect::<Vec<_>>()).await.map(|person| person.name);
        let title = mj_report::codes::title(lang);
        Ok(Shared { context, device, person, title, lang, at: clock::now() })
    }

    /// Findings by the series that they lie on, with its images.
    async fn grounds(&self, findings: Vec<Finding>) -> Result<Vec<Ground>> {
        let mut grounds: Vec<Ground> = Vec::new();
        for finding in findings {
            if let Some(ground) = grounds.iter_mut().find(|ground| ground.series == finding.series) {
                ground.findings.push(finding);
                continue;
            }
            let images = match self.series_objects(&finding.series).await {
                Ok(objects) => self.images_of(objects).await?,
                Err(Error::Unknown(_)) => Vec::new(),
                Err(other) => return Err(other),
            };
            let frame_of_reference = images.iter().find_map(|image| image.frame_of_reference.clone());
            grounds.push(Ground { series: finding.series.clone(), images, frame_of_reference, findings: vec![finding] });
        }
        Ok(grounds)
    }

    /// One selection of the images that findings lie on.
    async fn select(&self, shared: &Shared, findings: &[Finding], exported: &mut Exported) -> Result<()> {
        let mut images: Vec<(SeriesUid, Vec<ImageRef>)> = Vec::new();
        for finding in findings {
            let mut is_in = false;
            for image in &finding.images {
                let Some(object) = self.object_if_here(&image.instance).await? else { continue };
                // Objects of a single frame have no numbers of frames.
                let image = ImageRef { frame: image.frame.filter(|_| object.frames > 1), ..image.clone() };
                is_in = true;
                match images.iter_mut().find(|(series, _)| *series == object.series) {
                    Some((_, of)) if of.contains(&image) => {}
                    Some((_, of)) => of.push(image),
                    None => images.push((object.series, vec![image])),
                }
            }
            if !is_in {
                exported.left_out.push(NotExported { finding: finding.id.clone(), code: NO_IMAGE });
            }
        }
        if images.is_empty() {
            return Ok(());
        }
        let Some(title) = ko::titles().into_iter().next() else { return Ok(()) };
        let input = KoInput {
            context: &shared.context,
            instance: InstanceUid::fresh(),
            series: SeriesUid::fresh(),
            series_number: KO_SERIES_NUMBER,
            title: &title,
            description: &shared.title,
            images: &images,
            person: shared.person.as_deref(),
            at: shared.at,
            device: &shared.device,
        };
        let written = ko::write(&input)?;
        ko::assert_as_written(&written.bytes, &input)?;
        exported.objects.push(written);
        Ok(())
    }
}

impl Ground {
    /// The window of the images, where all have the same map to their unit; else the full range is asked for.
    fn look(&self) -> Option<Look> {
        let first = self.images.first()?.look.clone()?;
        let is_same = |image: &ImageHere| image.look.as_ref().is_some_and(|look| look.map == first.map);
        self.images.iter().all(is_same).then_some(first)
    }

    /// The images as planes. One in another frame of reference than the first counts as one without a place; of an object
    /// with several frames there are those that findings name.
    fn planes(&self) -> Vec<Plane> {
        let mut planes: Vec<Plane> = Vec::with_capacity(self.images.len());
        for here in &self.images {
            let is_elsewhere = here.frame_of_reference != self.frame_of_reference;
            let plane = Plane { grid: here.plane.grid.filter(|_| !is_elsewhere), ..here.plane.clone() };
            if here.frames <= 1 {
                planes.push(plane);
                continue;
            }
            let named = self.findings.iter().flat_map(|finding| &finding.images);
            for image in named.filter(|image| image.instance == plane.image.instance) {
                let frame = Some(image.frame.unwrap_or(1));
                let one = Plane { image: ImageRef { frame, ..plane.image.clone() }, ..plane.clone() };
                if !planes.contains(&one) {
                    planes.push(one);
                }
            }
        }
        planes
    }

    fn all_left_out(&self, code: &'static str) -> impl Iterator<Item = NotExported> {
        self.findings.iter().map(move |finding| NotExported { finding: finding.id.clone(), code })
    }
}

fn named(findings: &[&Finding], at: usize, code: &'static str) -> Option<NotExported> {
    findings.get(at).map(|finding| NotExported { finding: finding.id.clone(), code })
}

/// The presentation state of a series.
fn draw(shared: &Shared, ground: &Ground, exported: &mut Exported) -> Result<()> {
    let photometric = ground.images.first().map_or("", |image| image.photometric.as_str());
    if !photometric.is_empty() && !photometric.starts_with("MONOCHROME") {
        exported.left_out.extend(ground.all_left_out(IN_COLOUR));
        return Ok(());
    }
    let planes = ground.planes();
    let (mut remarks, findings): (Vec<&Finding>, Vec<&Finding>) = ground.findings.iter().partition(|finding| finding.is_annotation());
    let annotations: Vec<Annotation> = remarks.iter().filter_map(|finding| annotation(&planes, finding).ok()).collect();
    remarks.retain(|finding| match annotation(&planes, finding) {
        Ok(_) => true,
        Err(code) => {
            exported.left_out.push(NotExported { finding: finding.id.clone(), code });
            false
        }
    });
    if annotations.is_empty() && findings.is_empty() {
        return Ok(());
    }
    let input = GspsInput {
        context: &shared.context,
        instance: InstanceUid::fresh(),
        series: SeriesUid::fresh(),
        series_number: GSPS_SERIES_NUMBER,
        title: &shared.title,
        creator: shared.person.as_deref().unwrap_or_default(),
        image_series: ground.series.clone(),
        frame_of_reference: ground.frame_of_reference.clone(),
        images: &planes,
        findings: &findings,
        annotations: &annotations,
        look: ground.look(),
        is_inverted: photometric == "MONOCHROME1",
        at: shared.at,
        device: &shared.device,
    };
    let left_out = gsps::left_out(&input);
    exported.left_out.extend(left_out.iter().filter_map(|left| match left.source {
        gsps::Source::Finding(at) => named(&findings, at, left.why.code()),
        gsps::Source::Annotation(at) => named(&remarks, at, left.why.code()),
    }));
    if left_out.len() < findings.len() + remarks.len() {
        let drawn = gsps::write(&input)?;
        gsps::assert_as_written(&drawn.written.bytes, &input)?;
        exported.objects.push(drawn.written);
    }
    Ok(())
}

/// An arrow or a text on the image it was drawn on; the code of the reason for one without a place there, and for an outline.
fn annotation(planes: &[Plane], finding: &Finding) -> std::result::Result<Annotation, &'static str> {
    let image = finding.images.first().ok_or(NO_IMAGE)?.clone();
    let shape = match &finding.geometry {
        Geometry::OnImage(shape) => shape.clone(),
        Geometry::InSpace(shape) => {
            let grid = planes.iter().find(|plane| plane.image.instance == image.instance).and_then(|plane| plane.grid).ok_or(NO_IMAGE)?;
            shape.map(|p| {
                let [column, row, _] = grid.voxel_from_lps(p);
                [column, row]
            })
        }
        Geometry::Extent(_) => return Err(NO_IMAGE),
    };
    let text = finding.label.clone().unwrap_or_default();
    match shape {
        Shape::Line { a: head, b: tail } => Ok(Annotation { image, text, anchor: tail, arrow: Some([tail, head]) }),
        Shape::Point { at } => Ok(Annotation { image, text, anchor: at, arrow: None }),
        _ => Err(gsps::Reason::NoShape.code()),
    }
}

/// The structure set of a series.
fn outline(shared: &Shared, ground: &Ground, exported: &mut Exported) -> Result<()> {
    let Some(frame_of_reference) = ground.frame_of_reference.clone() else {
        exported.left_out.extend(ground.all_left_out(rtstruct::Reason::NoPlace.code()));
        return Ok(());
    };
    let planes: Vec<Plane> = ground.planes().into_iter().filter(|plane| plane.grid.is_some()).collect();
    let names = region_names(&ground.findings, shared.lang);
    let regions: Vec<&Finding> = ground.findings.iter().collect();
    let region = |(finding, name)| RoiInput { finding, name, colour: OUTLINE, interpreted_type: "" };
    let rois: Vec<RoiInput<'_>> = ground.findings.iter().zip(names.iter().map(String::as_str)).map(region).collect();
    let input = RtInput {
        context: &shared.context,
        instance: InstanceUid::fresh(),
        series: SeriesUid::fresh(),
        series_number: RTSTRUCT_SERIES_NUMBER,
        label: &shared.title,
        title: &shared.title,
        creator: shared.person.as_deref().unwrap_or_default(),
        frame_of_reference,
        image_series: ground.series.clone(),
        images: &planes,
        rois: &rois,
        at: shared.at,
        device: &shared.device,
    };
    let left_out = rtstruct::left_out(&input);
    exported.left_out.extend(left_out.iter().filter_map(|left| named(&regions, left.roi, left.why.code())));
    if left_out.len() < rois.len() {
        let outlined = rtstruct::write(&input)?;
        rtstruct::assert_as_written(&outlined.written.bytes, &input)?;
        exported.objects.push(outlined.written);
    }
    Ok(())
}

/// A name for each region, by its label or kind; of equal ones the later ones are numbered.
fn region_names(findings: &[Finding], lang: Lang) -> Vec<String> {
    let mut names: Vec<String> = Vec::with_capacity(findings.len());
    for finding in findings {
        let name = finding.label.as_deref().unwrap_or_else(|| finding.kind.name(lang)).trim().replace('\\', "/");
        let cut = |ending: &str| name.chars().take(LONGEST_NAME - ending.len()).chain(ending.chars()).collect::<String>();
        let numbered = (2..).map(|n| cut(&format!(" ({n})")));
        let free = std::iter::once(cut("")).chain(numbered).find(|name| !names.contains(name));
        names.extend(free);
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;
    use mj_model::{Grid, PointLps, SopClassUid, VectorLps};

    fn here(n: u32, frame_of_reference: &str, frames: u32) -> ImageHere {
        let axes = [VectorLps::new(1.0, 0.0, 0.0), VectorLps::new(0.0, 1.0, 0.0), VectorLps::new(0.0, 0.0, 1.0)];
        let grid = Grid { dims: [8, 8, 1], origin: PointLps::default(), axes, spacing_mm: [1.0; 3] };
        let sop_class = SopClassUid::parse("1.2.840.10008.5.1.4.1.1.2").unwrap();
        let image = ImageRef { instance: InstanceUid::parse(&format!("1.2.{n}")).unwrap(), sop_class, frame: None };
        ImageHere {
            plane: Plane { image, size: [8, 8], grid: Some(grid).filter(|_| frames <= 1) },
            series: SeriesUid::parse("1.2.3").unwrap(),
            frame_of_reference: FrameOfReferenceUid::parse(frame_of_reference).ok(),
            frames,
            photometric: "MONOCHROME2".into(),
            look: None,
        }
    }

    #[test]
    fn frames_that_findings_name_are_images_and_other_frames_of_reference_have_no_place() {
        let images = vec![here(1, "1.9", 1), here(2, "1.8", 1), here(3, "1.9", 40)];
        let on_frame = |frame| {
            let geometry = Geometry::OnImage(Shape::Point { at: [1.0, 2.0] });
            let study = StudyUid::parse("1.2.3").unwrap();
            let images = vec![ImageRef { frame, ..images[2].plane.image.clone() }];
            Finding { images, ..Finding::new("f".into(), study, images_series(), geometry, "p") }
        };
        let findings = [Some(7), Some(7), None].map(on_frame).to_vec();
        let ground = Ground { series: images_series(), frame_of_reference: images[0].frame_of_reference.clone(), images, findings };
        let planes: Vec<_> = ground.planes().iter().map(|p| (p.image.instance.to_string(), p.image.frame, p.grid.is_some())).collect();
        let wanted = [("1.2.1", None, true), ("1.2.2", None, false), ("1.2.3", Some(7), false), ("1.2.3", Some(1), false)];
        assert_eq!(planes, wanted.map(|(uid, frame, has_place)| (uid.to_owned(), frame, has_place)));
    }

    fn images_series() -> SeriesUid {
        SeriesUid::parse("1.2.3").unwrap()
    }

    #[test]
    fn regions_have_names_of_their_own() {
        let finding = |label: Option<&str>| {
            let uid = |text| (StudyUid::parse(text).unwrap(), SeriesUid::parse(text).unwrap());
            let (study, series) = uid("1.2.3");
            Finding { label: label.map(str::to_owned), ..Finding::new("f".into(), study, series, Geometry::whole_image(), "p") }
        };
        let long = "长".repeat(70);
        let all = [Some("GTV"), Some("GTV"), Some(long.as_str()), Some(long.as_str()), None, Some("GTV")].map(finding);
        let names = region_names(&all, Lang::En);
        let kind = mj_model::code::known::unclassified_finding().name_en;
        let cut = |n: usize| "长".repeat(n);
        assert_eq!(names, ["GTV", "GTV (2)", &cut(64), &format!("{} (2)", cut(60)), &kind, "GTV (3)"]);
    }
}

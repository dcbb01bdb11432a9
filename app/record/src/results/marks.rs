//! Presentation states of other systems: what is drawn in them waits for a person as annotations on its images.
//!
//! Nothing of an annotation is measured, and none reaches a report. How a state wants its images to look is not applied.

use super::{Home, ResultsTaken, derived_uid, interlock};
use crate::{Error, Record, Result};
use mj_dicom::gsps::{self, Graphic, Marks, Place, Presentation, Spot, Text};
use mj_dicom::{Dataset, Header};
use mj_model::code::known;
use mj_model::finding::{ImageRef, Origin, OriginKind};
use mj_model::geometry::Pixel;
use mj_model::uid::TrackingUid;
use mj_model::{Finding, FindingState, Geometry, InstanceUid, SeriesUid, Shape};

/// Images that one mark may lie on; a mark on more is a stamp on the whole series, and named instead.
const MOST_IMAGES: usize = 8;

/// A mark as it is drawn on an image.
struct Drawn {
    shape: Shape<Pixel>,
    text: Option<String>,
    tracking_uid: Option<TrackingUid>,
}

impl Record {
    /// Makes annotations of what is drawn in a presentation state that is in the record, one for each graphic and text and each
    /// image it lies on. They are proposals; the same state taken twice adds nothing, and marks that carry the Tracking UID of a
    /// finding of the study are that finding's.
    ///
    /// # Errors
    /// [`Error::Unknown`] when the object is not here; [`Error::Dicom`] when it is no presentation state or cannot be read;
    /// database errors.
    pub async fn take_marks(&self, instance: &InstanceUid, who: &str) -> Result<ResultsTaken> {
        let dataset = Dataset::from_vec(self.object_bytes(instance).await?)?;
        let header = dataset.header()?;
        let state = gsps::read(&dataset)?;
        let mut taken = ResultsTaken::nothing(instance);
        for (group, marks) in state.marks.iter().enumerate() {
            let (drawn, left_out) = drawn(marks);
            taken.left_out.extend(left_out);
            let images = images_of(&state, marks);
            if images.len() > MOST_IMAGES {
                taken.left_out.push(format!("{} ({} images)", marks.layer, images.len()));
                continue;
            }
            for (at, mark) in drawn.iter().enumerate() {
                for (n, image) in images.iter().enumerate() {
                    let item = format!("mark {group} {at} {n}");
                    self.take_mark(&mut taken, (&header, &state), (mark, image), &item, who).await?;
                }
            }
        }
        self.note_result(&taken, None).await?;
        Ok(taken)
    }

    async fn take_mark(
        &self,
        taken: &mut ResultsTaken,
        (header, state): (&Header, &Presentation),
        (mark, image): (&Drawn, &ImageRef),
        item: &str,
        who: &str,
    ) -> Result<()> {
        let made = self.annotation_of(header, state, (mark, image)).await?;
        if mark.tracking_uid.is_some() && self.is_of_finding(&made).await? {
            taken.already_present += 1;
            return Ok(());
        }
        let made = Finding { tracking_uid: derived_uid(&format!("presentation state {} {item}", taken.sop_instance_uid)), ..made };
        match self.take_item(taken, item, made, who).await? {
            Some(new) => taken.findings.push(new),
            None => taken.already_present += 1,
        }
        Ok(())
    }

    /// True when a mark belongs to a finding that is in its study: it is drawn already.
    async fn is_of_finding(&self, made: &Finding) -> Result<bool> {
        match self.findings(&made.study).await {
            Ok(known) => Ok(known.iter().any(|finding| finding.tracking_uid == made.tracking_uid)),
            Err(Error::Unknown(_)) => Ok(false),
            Err(other) => Err(other),
        }
    }

    async fn annotation_of(&self, header: &Header, state: &Presentation, (mark, image): (&Drawn, &ImageRef)) -> Result<Finding> {
        let home = self.home_of_image(header, state, image).await?;
        let origin = origin(header, state);
        let mut finding = Finding {
            tracking_uid: mark.tracking_uid.clone().unwrap_or_else(TrackingUid::fresh),
            images: vec![image.clone()],
            state: FindingState::Proposed,
            kind: known::annotation(),
            label: mark.text.clone(),
            proposed_by: Some(origin.clone()),
            origin,
            ..Finding::new(self.new_id(), home.study.clone(), home.series.clone(), Geometry::OnImage(mark.shape.clone()), "")
        };
        finding.held = interlock::judge(self, header, &home, &finding).await?;
        if finding.held.is_none() {
            self.lay_into_space(&mut finding).await?;
        }
        Ok(finding)
    }

    /// Study and series of an image here, else what the state says of it.
    async fn home_of_image(&self, header: &Header, state: &Presentation, image: &ImageRef) -> Result<Home> {
        let told = state.series.iter().find(|(_, images)| images.iter().any(|of| of.instance == image.instance));
        let told: Option<SeriesUid> = told.map(|(series, _)| series.clone());
        let here = self.object_if_here(&image.instance).await?.map(|object| object.series);
        let series = here.or_else(|| told.clone()).unwrap_or_else(|| header.series.uid.clone());
        let study = match self.study_of_series(&series).await {
            Ok(study) => study,
            Err(Error::Unknown(_)) => header.study.uid.clone(),
            Err(other) => return Err(other),
        };
        Ok(Home { study, series, told, images: vec![image.clone()] })
    }
}

/// The images of marks: those they name, else all of the state. Source: PS3.3 §C.10.5.
fn images_of(state: &Presentation, marks: &Marks) -> Vec<ImageRef> {
    if marks.images.is_empty() { state.series.iter().flat_map(|(_, images)| images.clone()).collect() } else { marks.images.clone() }
}

/// What is drawn on the image, and what is not understood or lies on the screen, by its kind.
fn drawn(marks: &Marks) -> (Vec<Drawn>, Vec<String>) {
    let (mut out, mut left_out) = (Vec::new(), Vec::new());
    let graphics = marks.graphics.iter().map(of_graphic);
    for one in graphics.chain(marks.texts.iter().map(of_text)) {
        match one {
            Ok(drawn) => out.push(drawn),
            Err(what) => left_out.push(what),
        }
    }
    (out, left_out)
}

fn of_graphic(graphic: &Graphic) -> std::result::Result<Drawn, String> {
    match &graphic.place {
        Place::OnImage(shape) => {
            // A line of two ends is an arrow among annotations; here it is one without a head.
            let shape = match shape {
                Shape::Line { a, b } => Shape::Polyline { points: vec![*a, *b] },
                other => other.clone(),
            };
            Ok(Drawn { shape, text: None, tracking_uid: graphic.tracking_uid.clone() })
        }
        Place::Listed { units, kind, .. } => Err(format!("{kind} ({units})")),
    }
}

/// A text stands at its box; where it points at something, an arrow leads from there to it.
fn of_text(text: &Text) -> std::result::Result<Drawn, String> {
    let on_image = |spot: &Spot| match spot {
        Spot::OnImage(at) => Ok(*at),
        Spot::Listed { units, .. } => Err(format!("TEXT ({units})")),
    };
    let anchor = text.anchor.as_ref().map(on_image).transpose();
    let corner = text.bounds.as_ref().map(|[top_left, _]| on_image(top_left)).transpose();
    let shape = match (anchor, corner) {
        (Ok(Some(a)), Ok(Some(b))) if text.is_anchor_visible && a != b => Shape::Line { a, b },
        (_, Ok(Some(at))) | (Ok(Some(at)), _) => Shape::Point { at },
        (Err(what), _) | (_, Err(what)) => return Err(what),
        (Ok(None), Ok(None)) => return Err("TEXT".to_owned()),
    };
    let words = text.text.trim();
    if words.is_empty() {
        return Err("TEXT (0)".to_owned());
    }
    Ok(Drawn { shape, text: Some(words.to_owned()), tracking_uid: text.tracking_uid.clone() })
}

/// The person that the state names, else the device by the state's description.
fn origin(header: &Header, state: &Presentation) -> Origin {
    if !state.creator.is_empty() {
        return Origin::person(&state.creator);
    }
    let names = [&state.description, &state.label, &header.series.description];
    let name = names.into_iter().find(|name| !name.is_empty()).cloned().unwrap_or_default();
    Origin { who: OriginKind::Device, name, version: String::new() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(anchor: Option<Spot>, bounds: Option<[Spot; 2]>) -> Text {
        Text { text: "see here\n".into(), anchor, bounds, is_anchor_visible: true, tracking_uid: None }
    }

    #[test]
    fn a_text_stands_at_its_box_and_points_at_its_anchor() {
        let [a, b] = [[4.0, 5.0], [20.0, 8.0]];
        let spot = |at| Some(Spot::OnImage(at));
        let boxed = |at: Pixel| Some([Spot::OnImage(at), Spot::OnImage([at[0] + 9.0, at[1] + 3.0])]);
        let on_screen = || Spot::Listed { units: "DISPLAY".into(), at: [0.1, 0.1] };
        let shape = |text: &Text| of_text(text).map(|drawn| drawn.shape);
        assert_eq!(shape(&text(spot(a), boxed(b))), Ok(Shape::Line { a, b }));
        assert_eq!(shape(&text(spot(a), None)), Ok(Shape::Point { at: a }));
        assert_eq!(shape(&text(None, boxed(b))), Ok(Shape::Point { at: b }));
        // A box on the screen is nowhere on the image; what it points at is.
        assert_eq!(shape(&text(spot(a), Some([on_screen(), on_screen()]))), Ok(Shape::Point { at: a }));
        assert_eq!(shape(&text(None, Some([on_screen(), on_screen()]))), Err("TEXT (DISPLAY)".to_owned()));
        assert_eq!(of_text(&text(spot(a), None)).unwrap().text.as_deref(), Some("see here"));
    }
}

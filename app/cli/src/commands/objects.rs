//! What objects without pixels say, in words.

use super::Ctx;
use super::findings::to_json;
use crate::failure::Failure;
use mj_dicom::gsps::{self, Marks, Presentation};
use mj_dicom::rtstruct::{self, StructureSet};
use mj_dicom::{Dataset, sr};
use mj_model::InstanceUid;
use mj_model::finding::ImageRef;
use mj_record::Record;
use serde_json::{Value, json};

/// An instance with what it says: the outline of a report or a selection, the marks of a presentation state, the regions of a
/// structure set. What cannot be read is told beside the rest.
pub(super) async fn show(ctx: &Ctx<'_>, record: &Record, instance: &InstanceUid) -> Result<Value, Failure> {
    let object = record.object(instance).await?;
    let mut json = to_json(&object)?;
    if object.rows > 0 {
        return Ok(json);
    }
    let said =
        match Dataset::from_vec(record.object_bytes(instance).await?).and_then(|dataset| content(&dataset, object.sop_class.as_str())) {
            Ok(said) => said,
            Err(why) => Some(("not_read", to_json(&mj_lang::tell(&why, ctx.out.lang))?)),
        };
    if let (Some(object), Some((name, said))) = (json.as_object_mut(), said) {
        object.insert(name.into(), said);
    }
    Ok(json)
}

type Said = Option<(&'static str, Value)>;

fn content(dataset: &Dataset, sop_class: &str) -> mj_dicom::Result<Said> {
    Ok(match sop_class {
        rtstruct::RT_STRUCTURE_SET => Some(("structure_set", structures(&rtstruct::read(dataset)?))),
        _ if gsps::is_presentation(sop_class) => Some(("presentation", presentation(&gsps::read(dataset)?))),
        _ if sr::is_report(sop_class) || sop_class == mj_dicom::ko::KEY_OBJECT_SELECTION => Some(("outline", json!(sr::outline(dataset)?))),
        _ => None,
    })
}

fn structures(set: &StructureSet) -> Value {
    let regions = set.rois.iter().map(|roi| {
        let mut kinds: Vec<&str> = roi.contours.iter().map(|contour| contour.kind.term()).collect();
        kinds.sort_unstable();
        kinds.dedup();
        json!({
            "number": roi.number, "name": roi.name, "description": roi.description, "algorithm": roi.algorithm,
            "interpreted_type": roi.interpreted_type, "frame_of_reference": roi.frame_of_reference, "colour": roi.colour,
            "contours": roi.contours.len(), "kinds": kinds,
            "places": roi.contours.iter().map(|contour| contour.places.len()).sum::<usize>(),
        })
    });
    let series = set.series.iter().map(|series| json!({"study": series.study, "series": series.series, "images": series.images.len()}));
    json!({
        "label": set.label, "name": set.name, "frames_of_reference": set.frames_of_reference,
        "series": series.collect::<Vec<_>>(), "rois": regions.collect::<Vec<_>>(),
    })
}

fn presentation(state: &Presentation) -> Value {
    let layers = state.layers.iter();
    let layers = layers.map(|layer| json!({"name": layer.name, "order": layer.order, "description": layer.description}));
    let series = state.series.iter().map(|(series, images)| json!({"series": series, "images": images.len()}));
    let windows = state.windows.iter().map(|(_, window)| json!({"center": window.center, "width": window.width, "name": window.name}));
    json!({
        "label": state.label, "description": state.description, "creator": state.creator, "is_inverted": state.is_inverted,
        "layers": layers.collect::<Vec<_>>(), "series": series.collect::<Vec<_>>(), "windows": windows.collect::<Vec<_>>(),
        "images": marked(&state.marks),
    })
}

/// What is drawn on each image; what is drawn on all stands under no image.
fn marked(marks: &[Marks]) -> Vec<Value> {
    let mut images: Vec<(Option<&ImageRef>, usize, Vec<&str>)> = Vec::new();
    for of in marks {
        let on: Vec<Option<&ImageRef>> = if of.images.is_empty() { vec![None] } else { of.images.iter().map(Some).collect() };
        for image in on {
            let texts = of.texts.iter().map(|text| text.text.as_str());
            match images.iter_mut().find(|(known, ..)| *known == image) {
                Some((_, graphics, known)) => {
                    *graphics += of.graphics.len();
                    known.extend(texts);
                }
                None => images.push((image, of.graphics.len(), texts.collect())),
            }
        }
    }
    let one = |(image, graphics, texts): (Option<&ImageRef>, usize, Vec<&str>)| {
        json!({
            "instance": image.map(|image| &image.instance), "frame": image.and_then(|image| image.frame),
            "graphics": graphics, "texts": texts,
        })
    };
    images.into_iter().map(one).collect()
}

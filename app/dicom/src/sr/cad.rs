//! Reading CAD reports: chest (TID 4100) and mammography (TID 4000). Source: PS3.16.

use super::group_read::{self, SrFinding};
use super::read::MAX_DEPTH;
use crate::dataset::View;
use dicom_dictionary_std::tags;
use mj_model::finding::ImageRef;

/// What came of a run of an algorithm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunOutcome {
    /// It ran and found something.
    Found,
    /// It ran and found nothing.
    FoundNothing,
    /// It did not run to its end, or not on all images.
    Failed,
    /// It does not apply to these images, so it did not run.
    NotApplicable,
}

impl RunOutcome {
    /// By the code of CAD Processing and Findings Summary. Source: PS3.16 CID 6047.
    pub(super) fn of_summary(code: &str) -> Option<Self> {
        Some(match code {
            "111242" => Self::Found,
            "111241" => Self::FoundNothing,
            // Not all algorithms succeeded, with or without findings: nobody may take it for a whole answer.
            "111243" | "111244" | "111245" => Self::Failed,
            _ => return None,
        })
    }

    /// By the status of the detections: not attempted. Source: PS3.16 CID 6042.
    pub(super) fn of_detections(code: &str) -> Option<Self> {
        (code == "111225").then_some(Self::NotApplicable)
    }
}

/// The findings of a CAD report: every single image finding and composite feature.
pub(super) fn findings(root: &View<'_>) -> Vec<SrFinding> {
    let mut out = Vec::new();
    walk(root, root, &mut out, 0);
    out
}

fn walk(root: &View<'_>, view: &View<'_>, out: &mut Vec<SrFinding>, depth: usize) {
    if depth > MAX_DEPTH {
        return;
    }
    for item in view.items(tags::CONTENT_SEQUENCE) {
        let concept = item.code(tags::CONCEPT_NAME_CODE_SEQUENCE);
        let is_code = item.first_text(tags::VALUE_TYPE) == "CODE";
        let of = |code: &str| is_code && concept.as_ref().is_some_and(|c| c.scheme == "DCM" && c.code == code);
        let before = out.len();
        walk(root, &item, out, depth + 1);
        // A composite feature is told by the single image findings below it, where there are any.
        if of("111059") || (of("111015") && out.len() == before) {
            let mut finding = group_read::group(&item);
            finding.kind = item.code(tags::CONCEPT_CODE_SEQUENCE);
            referenced_images(root, &item, &mut finding.images, 0);
            out.push(finding);
        }
    }
}

/// Images that coordinates were selected from by reference to another item of the tree.
fn referenced_images(root: &View<'_>, view: &View<'_>, images: &mut Vec<ImageRef>, depth: usize) {
    if depth > MAX_DEPTH {
        return;
    }
    for item in view.items(tags::CONTENT_SEQUENCE) {
        let path: Vec<usize> = item.floats(tags::REFERENCED_CONTENT_ITEM_IDENTIFIER).iter().map(|v| *v as usize).collect();
        if !path.is_empty() {
            let image = item_at(root, &path).and_then(|item| group_read::image(&item));
            if let Some(image) = image.filter(|image| !images.contains(image)) {
                images.push(image);
            }
        }
        referenced_images(root, &item, images, depth + 1);
    }
}

/// The item at a path of numbers from 1, the first of which is the root. Source: PS3.3 §C.17.3.2.5.
fn item_at<'a>(root: &View<'a>, path: &[usize]) -> Option<View<'a>> {
    let mut at = root.clone();
    for number in path.get(1..)? {
        at = at.items(tags::CONTENT_SEQUENCE).nth(number.checked_sub(1)?)?;
    }
    Some(at)
}

//! Any structured report as lines that people can read.

use super::read::MAX_DEPTH;
use crate::dataset::{Dataset, View};
use crate::error::{Error, Result};
use dicom_dictionary_std::tags;
use serde::Serialize;

/// A content item as a line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SrLine {
    /// Steps below the root.
    pub depth: usize,
    /// Meaning of the item's concept; empty without.
    pub name: String,
    /// Its value in words; empty for a container.
    pub value: String,
}

/// Most lines that are given: what is longer says so in its last line.
const MOST: usize = 20_000;

/// The content tree in reading order.
///
/// # Errors
/// [`Error::WrongKind`] when the object is no structured report.
pub fn outline(dataset: &Dataset) -> Result<Vec<SrLine>> {
    let root = dataset.root();
    if root.first_text(tags::VALUE_TYPE) != "CONTAINER" {
        return Err(Error::WrongKind { wanted: "structured report" });
    }
    let mut out = Vec::new();
    put(&root, 0, &mut out);
    if out.len() >= MOST {
        out.push(SrLine { depth: 0, name: "…".into(), value: String::new() });
    }
    Ok(out)
}

fn put(view: &View<'_>, depth: usize, out: &mut Vec<SrLine>) {
    if depth > MAX_DEPTH || out.len() >= MOST {
        return;
    }
    let name = view.code(tags::CONCEPT_NAME_CODE_SEQUENCE).map_or_else(String::new, |c| c.name_en);
    out.push(SrLine { depth, name, value: value(view) });
    for item in view.items(tags::CONTENT_SEQUENCE) {
        put(&item, depth + 1, out);
    }
}

fn value(view: &View<'_>) -> String {
    match view.first_text(tags::VALUE_TYPE).as_str() {
        "TEXT" => view.text(tags::TEXT_VALUE),
        "CODE" => view.code(tags::CONCEPT_CODE_SEQUENCE).map_or_else(String::new, |c| c.name_en),
        "NUM" => view.item(tags::MEASURED_VALUE_SEQUENCE).map_or_else(String::new, |measured| {
            let unit = measured.code(tags::MEASUREMENT_UNITS_CODE_SEQUENCE).map_or_else(String::new, |c| c.code);
            format!("{} {}", measured.text(tags::NUMERIC_VALUE), if unit == "1" { "" } else { &unit }).trim_end().to_owned()
        }),
        "UIDREF" => view.text(tags::UID),
        "PNAME" => view.text(tags::PERSON_NAME),
        "DATE" => view.text(tags::DATE),
        "TIME" => view.text(tags::TIME),
        "DATETIME" => view.text(tags::DATE_TIME),
        "SCOORD" | "SCOORD3D" => {
            let n = view.floats(tags::GRAPHIC_DATA).len() / if view.first_text(tags::VALUE_TYPE) == "SCOORD" { 2 } else { 3 };
            format!("{} ({n})", view.first_text(tags::GRAPHIC_TYPE))
        }
        "IMAGE" | "COMPOSITE" | "WAVEFORM" => {
            view.item(tags::REFERENCED_SOP_SEQUENCE).map_or_else(String::new, |r| r.text(tags::REFERENCED_SOP_INSTANCE_UID))
        }
        _ => String::new(),
    }
}

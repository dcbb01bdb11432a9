//! What took the images that a finding lies on, from the header of one image a series.

use crate::{Record, Result};
use dicom_dictionary_std::tags;
use mj_dicom::{Dataset, View};
use mj_model::SeriesUid;
use std::collections::BTreeMap;

/// Longest text that is taken over. Units: characters.
const LONGEST: usize = 64;
/// No magnet for people is stronger; what is written larger is in another unit. Units: T.
const STRONGEST_T: f64 = 20.0;

/// What took a series and how; all empty when the images are not here, cannot be read or do not say. Neither the
/// institution nor the station's name or serial number is read.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Scanner {
    /// Manufacturer and its name for the model, with the field strength of a magnet: `Maker Model 3 T`.
    /// Source: PS3.3 §C.7.5.1, §C.8.3.1.
    pub name: Option<String>,
    /// Convolution kernel; a CT has one. Source: PS3.3 §C.8.2.1.
    pub kernel: Option<String>,
    /// Nominal slice thickness in mm to three decimals, without trailing zeros. Source: PS3.3 §C.7.6.2.
    pub thickness_mm: Option<String>,
}

impl Scanner {
    fn of(head: &Dataset) -> Self {
        let root = head.root();
        let groups = [tags::PER_FRAME_FUNCTIONAL_GROUPS_SEQUENCE, tags::SHARED_FUNCTIONAL_GROUPS_SEQUENCE];
        let in_group = |group| groups.iter().find_map(|&all| root.item(all)?.item(group));
        let one_of = |group| in_group(group).unwrap_or_else(|| root.clone());
        let kernel = one_of(tags::CT_RECONSTRUCTION_SEQUENCE).texts(tags::CONVOLUTION_KERNEL).join(" ");
        let thickness = one_of(tags::PIXEL_MEASURES_SEQUENCE).float(tags::SLICE_THICKNESS).filter(|mm| *mm > 0.0);
        Self { name: name(&root), kernel: Some(said(&kernel)).filter(|text| !text.is_empty()), thickness_mm: thickness.map(short) }
    }
}

fn name(root: &View<'_>) -> Option<String> {
    let (maker, model) = (said(&root.text(tags::MANUFACTURER)), said(&root.text(tags::MANUFACTURER_MODEL_NAME)));
    let is_in_model = model.to_lowercase().starts_with(&maker.to_lowercase());
    let tesla = root.float(tags::MAGNETIC_FIELD_STRENGTH).filter(|t| (0.0..=STRONGEST_T).contains(t) && *t > 0.0);
    let parts = [Some(maker).filter(|_| !is_in_model), Some(model), tesla.map(|t| format!("{} T", short(t)))];
    let parts: Vec<String> = parts.into_iter().flatten().filter(|part| !part.is_empty()).collect();
    Some(parts.join(" ")).filter(|name| !name.is_empty())
}

/// A number to three decimals, without trailing zeros.
fn short(value: f64) -> String {
    format!("{value:.3}").trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// A text of another system for a table: one line, not too long, nothing that a terminal would obey.
pub(super) fn said(text: &str) -> String {
    let plain: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let words: Vec<&str> = plain.split_whitespace().collect();
    words.join(" ").chars().take(LONGEST).collect()
}

impl Record {
    /// What took each series, from the header of its first image. A segmentation was made by a program, not by a scanner.
    pub(super) async fn scanners(&self, series: impl IntoIterator<Item = SeriesUid>) -> Result<BTreeMap<SeriesUid, Scanner>> {
        let mut files = Vec::new();
        let mut conn = self.read().await?;
        for one in series {
            let file: Option<String> = sqlx::query_scalar(
                "SELECT object_file FROM instance JOIN series USING (series_pk) WHERE series_uid = ? AND rows > 0 AND modality <> 'SEG'
                 ORDER BY instance_number IS NULL, instance_number, instance_pk LIMIT 1",
            )
            .bind(one.as_str())
            .fetch_optional(&mut *conn)
            .await?;
            files.extend(file.map(|file| (one, file)));
        }
        drop(conn);
        let record = self.clone();
        // An image that cannot be read does not say what took it; the counts are right without.
        let read = move |(one, file): (SeriesUid, String)| {
            let head = record.read_head(&record.inner.dir.join(file));
            (one, head.map(|head| Scanner::of(&head)).unwrap_or_default())
        };
        Ok(tokio::task::spawn_blocking(move || files.into_iter().map(read).collect()).await?)
    }
}

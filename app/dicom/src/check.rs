//! Examination of one file: can it be opened, and what are its stored values?

use crate::dataset::Dataset;
use crate::error::{Error, Result};
use crate::pixels::{Decoder, FrameSamples};
use dicom_dictionary_std::tags;
use mj_model::{Coded, Warning};
use serde::Serialize;
use sha2::{Digest, Sha256};
use std::fmt::Write as _;

/// One line of `mingjing check`. Values before any lookup table and without colour conversion; of a file that is cut short,
/// those that are there.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CheckLine {
    /// The file.
    pub path: String,
    /// `opened` or `refused`.
    pub result: &'static str,
    /// Stable code of the refusal.
    pub code: Option<String>,
    /// English words of the refusal.
    pub message: Option<String>,
    /// SOP Class UID.
    pub sop_class: Option<String>,
    /// Transfer Syntax UID.
    pub transfer_syntax: Option<String>,
    /// Rows.
    pub rows: Option<u32>,
    /// Columns.
    pub columns: Option<u32>,
    /// Frames.
    pub frames: Option<u32>,
    /// Bits Allocated.
    pub bits_allocated: Option<u16>,
    /// Bits Stored.
    pub bits_stored: Option<u16>,
    /// Pixel Representation: two's complement.
    pub signed: Option<bool>,
    /// Photometric Interpretation.
    pub photometric: Option<String>,
    /// Smallest stored value.
    pub stored_min: Option<f64>,
    /// Largest stored value.
    pub stored_max: Option<f64>,
    /// Mean of all stored values.
    pub stored_mean: Option<f64>,
    /// SHA-256 over all decoded stored values, see `pixels::samples_sha256`.
    pub samples_sha256: Option<String>,
    /// What is odd.
    pub warnings: Vec<Warning>,
    /// The refusal itself, for telling it in the person's language.
    #[serde(skip)]
    pub error: Option<Error>,
}

/// Examines the bytes of a file. Never fails: a refusal is a result.
#[must_use]
pub fn check(bytes: &[u8], name: &str) -> CheckLine {
    let mut line = CheckLine::new(name);
    if let Err(error) = examine(bytes, &mut line) {
        line.result = "refused";
        line.code = Some(error.code().to_owned());
        line.message = Some(error.to_string());
        (line.stored_min, line.stored_max, line.stored_mean, line.samples_sha256) = (None, None, None, None);
        line.error = Some(error);
    }
    line
}

impl CheckLine {
    fn new(name: &str) -> Self {
        Self {
            path: name.to_owned(),
            result: "opened",
            code: None,
            message: None,
            sop_class: None,
            transfer_syntax: None,
            rows: None,
            columns: None,
            frames: None,
            bits_allocated: None,
            bits_stored: None,
            signed: None,
            photometric: None,
            stored_min: None,
            stored_max: None,
            stored_mean: None,
            samples_sha256: None,
            warnings: Vec::new(),
            error: None,
        }
    }
}

fn examine(bytes: &[u8], line: &mut CheckLine) -> Result<()> {
    let dataset = Dataset::read(bytes)?;
    let root = dataset.root();
    let sop_class = root.first_text(tags::SOP_CLASS_UID);
    line.sop_class = Some(sop_class.clone()).filter(|uid| !uid.is_empty());
    line.transfer_syntax = Some(dataset.transfer_syntax().to_owned());
    match dataset.header() {
        Ok(header) => line.warnings = header.warnings,
        Err(Error::DicomDir) => return Err(Error::DicomDir),
        // Enough for looking at it, though not for keeping it.
        Err(error) => {
            line.warnings.push(Warning::new(error.code(), error.to_string()));
            line.warnings.extend(dataset.cut_warning());
        }
    }
    if !dataset.has_pixels() && is_document(&sop_class) {
        return Ok(());
    }
    let decoder = Decoder::of_part(&dataset)?;
    let layout = decoder.layout().clone();
    line.rows = Some(layout.rows);
    line.columns = Some(layout.columns);
    line.frames = Some(layout.frames);
    line.bits_allocated = Some(layout.bits_allocated);
    line.bits_stored = Some(layout.bits_stored);
    line.signed = Some(layout.is_signed);
    line.photometric = Some(layout.photometric.clone());
    let mut total = Statistics::default();
    for frame in (0..layout.frames).filter(|&frame| decoder.rows_there(frame) > 0) {
        total.add(&decoder.frame(frame)?);
    }
    line.stored_min = Some(total.min);
    line.stored_max = Some(total.max);
    line.stored_mean = Some(total.sum / total.count as f64);
    line.samples_sha256 = Some(total.hash.finalize().iter().fold(String::new(), |mut hex, byte| {
        // Writing into a String cannot fail.
        if write!(hex, "{byte:02x}").is_err() {
            hex.clear();
        }
        hex
    }));
    Ok(())
}

/// Smallest, largest, sum and hash of stored values, frame by frame.
struct Statistics {
    min: f64,
    max: f64,
    sum: f64,
    count: u64,
    hash: Sha256,
}

impl Default for Statistics {
    fn default() -> Self {
        Self { min: f64::INFINITY, max: f64::NEG_INFINITY, sum: 0.0, count: 0, hash: Sha256::new() }
    }
}

impl Statistics {
    fn add(&mut self, frame: &FrameSamples) {
        frame.for_each(|value| {
            self.min = self.min.min(value);
            self.max = self.max.max(value);
            self.sum += value;
        });
        self.count += frame.len() as u64;
        frame.feed(&mut |bytes| self.hash.update(bytes));
    }
}

/// SOP classes that never hold pixels: reports, plans, structure sets, presentation states, documents.
/// Source: PS3.4 §B.5.
#[must_use]
pub fn is_document(sop_class: &str) -> bool {
    let Some(rest) = sop_class.strip_prefix("1.2.840.10008.5.1.4.1.1.") else { return sop_class.starts_with("1.2.840.10008.5.1.4.") };
    ["88.", "104.", "11.", "66", "67", "9.", "481.3", "481.5", "481.8", "481.9"].iter().any(|prefix| rest.starts_with(prefix))
        && rest != "66.4"
        && rest != "66.7"
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    /// Stored minimum, maximum and mean of the tables of the data's README, by file.
    fn expected(root: &Path) -> Vec<(String, String, [f64; 3])> {
        let text = std::fs::read_to_string(root.join("README.md")).unwrap();
        let rows = text.lines().filter(|l| l.starts_with("| `") && l.contains(".dcm`"));
        rows.filter_map(|row| {
            let cells: Vec<&str> = row.split('|').map(str::trim).collect();
            let numbers: Vec<f64> = cells.get(7)?.split(" / ").filter_map(|n| n.parse().ok()).collect();
            let syntax = cells.get(6)?.split(' ').next()?.to_owned();
            // Their reference reader turned YBR into RGB.
            if cells.get(5)?.starts_with("YBR") {
                return None;
            }
            Some((cells.get(1)?.trim_matches('`').to_owned(), syntax, numbers.try_into().ok()?))
        })
        .collect()
    }

    #[test]
    fn stored_values_agree_with_the_tables_of_the_data() {
        let Some(root) = mj_testdata::path("README.md").and_then(|p| p.parent().map(Path::to_path_buf)) else { return };
        let (mut compared, mut wrong, mut refused) = (0, Vec::new(), Vec::new());
        for (file, syntax, [min, max, mean]) in expected(&root) {
            let line = check(&std::fs::read(root.join(&file)).unwrap(), &file);
            let Some(got) = line.stored_mean else {
                refused.push(format!("{file} {syntax}: {:?} {:?}", line.code, line.message));
                continue;
            };
            compared += 1;
            // Lossy codings: decoders round differently.
            let slack = if crate::syntax::is_lossy(&syntax) { 2.0 } else { 1e-3 };
            let near = |a: Option<f64>, b: f64, slack: f64| a.is_some_and(|a| (a - b).abs() <= slack);
            if !near(line.stored_min, min, slack)
                || !near(line.stored_max, max, slack)
                || !near(Some(got), mean, if slack > 1.0 { 0.2 } else { 1e-3 })
            {
                wrong.push(format!("{file} {syntax}: {:?} {:?} {got} for {min} {max} {mean}", line.stored_min, line.stored_max));
            }
        }
        println!("compared {compared}, refused {}:\n{}", refused.len(), refused.join("\n"));
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
        assert!(compared > 100, "{compared}");
        assert!(refused.is_empty(), "{}", refused.join("\n"));
    }

    #[test]
    fn every_file_is_opened_or_refused_by_name() {
        let Some(root) = mj_testdata::path("broken") else { return };
        for folder in ["broken", "pixel", "charset", "syntax/awkward_codestreams", "dicomdir"] {
            for entry in std::fs::read_dir(root.join("..").join(folder)).unwrap().map(|e| e.unwrap()).filter(|e| e.path().is_file()) {
                let line = check(&std::fs::read(entry.path()).unwrap(), &entry.file_name().to_string_lossy());
                println!("{folder} {} {} {:?} {:?}", line.path, line.result, line.code, line.message);
                assert_eq!(line.result == "refused", line.code.is_some(), "{}", line.path);
                // Never an empty picture: what could not be decoded has no values.
                assert_eq!(line.result == "refused", line.samples_sha256.is_none() && line.error.is_some(), "{}", line.path);
            }
        }
    }

    #[test]
    fn lossless_codings_of_one_image_give_the_same_samples() {
        let Some(root) = mj_testdata::path("syntax") else { return };
        let hash = |file: &str| {
            let line = check(&std::fs::read(root.join("..").join(file)).unwrap(), file);
            line.samples_sha256.unwrap_or_else(|| panic!("{file}: {:?}", line.message))
        };
        let nema = |image: &str, coding: &str| format!("syntax/nema_wg04/{image}_{coding}.dcm");
        for image in ["CT1", "MR1", "NM1"] {
            for coding in ["JPLL", "JLSL", "J2KR", "RLE"] {
                assert_eq!(hash(&nema(image, coding)), hash(&nema(image, "UNC")), "{image} {coding}");
            }
        }
        let ct = |syntax: &str| hash(&format!("syntax/one_ct_many_syntaxes/1.2.840.10008.1.2{syntax}.dcm"));
        for syntax in [".1", ".2", ".1.99", ".5", ".4.57", ".4.70", ".4.80", ".4.90"] {
            assert_eq!(ct(syntax), ct(""), "{syntax}");
        }
        let fragments = |name: &str| hash(&format!("syntax/fragments_and_offset_tables/CT0012.{name}.dcm"));
        for name in [
            "fragmented_no_bot_jpeg_lossless.70",
            "fragmented_no_bot_jpeg_ls.80",
            "not_fragmented_bot_jpeg_ls.80",
            "not_fragmented_bot_rle",
        ] {
            assert_eq!(fragments(name), fragments("explicit_little_endian"), "{name}");
        }
        assert_eq!(hash("pixel/color-pl.dcm"), hash("pixel/color-px.dcm"));
        for coding in ["RLE", "J2KR"] {
            assert_eq!(hash(&nema("US1", coding)), hash(&nema("US1", "UNC")), "US1 {coding}");
        }
        let small = |coding: &str| hash(&format!("syntax/pydicom/MR_small{coding}.dcm"));
        for coding in ["_RLE", "_bigendian", "_implicit", "_jp2klossless", "_jpeg_ls_lossless"] {
            assert_eq!(small(coding), small(""), "MR_small {coding}");
        }
    }
}

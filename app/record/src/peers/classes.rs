//! SOP classes and transfer syntaxes, and in which order we like them.

use dicom_dictionary_std::uids;

pub use mj_dicom::write::{IMPLEMENTATION_CLASS_UID, IMPLEMENTATION_VERSION_NAME};

/// The DICOM application context (PS3.7 §A.2.1).
pub(super) const APPLICATION_CONTEXT: &str = "1.2.840.10008.3.1.1.1";

/// Verification, the class of C-ECHO.
pub(super) const VERIFICATION: &str = uids::VERIFICATION;

/// The uncompressed little-endian pair that everything but pixels travels in.
pub(super) const NATIVE: [&str; 2] = [uids::EXPLICIT_VR_LITTLE_ENDIAN, uids::IMPLICIT_VR_LITTLE_ENDIAN];

/// Retired, but old archives hold it.
pub(super) const EXPLICIT_VR_BIG_ENDIAN: &str = "1.2.840.10008.1.2.2";

/// Transfer syntaxes that we take, best first; the last is taken only when nothing better is offered.
pub const TRANSFER_SYNTAXES: [&str; 15] = [
    uids::EXPLICIT_VR_LITTLE_ENDIAN,
    uids::IMPLICIT_VR_LITTLE_ENDIAN,
    uids::JPEGLS_LOSSLESS,
    uids::JPEG_LOSSLESS_SV1,
    uids::JPEG_LOSSLESS,
    uids::RLE_LOSSLESS,
    uids::JPEG_BASELINE8_BIT,
    uids::JPEGLS_NEAR_LOSSLESS,
    uids::DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN,
    uids::JPEG2000_LOSSLESS,
    uids::JPEG2000,
    uids::JPEG_EXTENDED12_BIT,
    uids::HTJ2K_LOSSLESS,
    uids::HTJ2K,
    EXPLICIT_VR_BIG_ENDIAN,
];

/// How many of [`TRANSFER_SYNTAXES`], from the front, are taken in the caller's order: all that are not retired.
pub(super) const N_PREFERRED: usize = 14;

/// Whether a data set in this transfer syntax may be rewritten as the other uncompressed one.
pub(super) fn is_native(transfer_syntax: &str) -> bool {
    NATIVE.contains(&transfer_syntax)
}

/// Whether a UID is one of the standard's storage SOP classes, retired and future ones included: they all
/// live under one root, with a few queries in between.
///
/// Source: PS3.4 §B.5 and §I.4, PS3.6 annex A.
#[must_use]
pub fn is_storage_class(uid: &str) -> bool {
    /// Protocol approvals and inventories have their query classes under the same root.
    const QUERIES: [&str; 8] = ["200.4", "200.5", "200.6", "201.2", "201.3", "201.4", "201.5", "201.6"];
    /// Delivery instructions of radiotherapy.
    const ELSEWHERE: [&str; 2] = ["34.7", "34.10"];
    let Some(rest) = uid.strip_prefix("1.2.840.10008.5.1.4.") else { return false };
    match rest.strip_prefix("1.1.") {
        Some(number) => !number.is_empty() && !QUERIES.contains(&number),
        None => ELSEWHERE.contains(&rest),
    }
}

/// The storage classes that studies of a modality usually hold, for a peer that does not say which there are.
pub(super) fn classes_of_modality(modality: &str) -> &'static [&'static str] {
    match modality.trim() {
        "CT" => &[uids::CT_IMAGE_STORAGE, uids::ENHANCED_CT_IMAGE_STORAGE],
        "MR" => &[uids::MR_IMAGE_STORAGE, uids::ENHANCED_MR_IMAGE_STORAGE],
        "PT" => &[uids::POSITRON_EMISSION_TOMOGRAPHY_IMAGE_STORAGE],
        "NM" => &[uids::NUCLEAR_MEDICINE_IMAGE_STORAGE],
        "CR" => &[uids::COMPUTED_RADIOGRAPHY_IMAGE_STORAGE],
        "DX" => &[uids::DIGITAL_X_RAY_IMAGE_STORAGE_FOR_PRESENTATION],
        "MG" => &[uids::DIGITAL_MAMMOGRAPHY_X_RAY_IMAGE_STORAGE_FOR_PRESENTATION],
        "US" => &[uids::ULTRASOUND_IMAGE_STORAGE, uids::ULTRASOUND_MULTI_FRAME_IMAGE_STORAGE],
        "XA" => &[uids::X_RAY_ANGIOGRAPHIC_IMAGE_STORAGE],
        "RF" => &[uids::X_RAY_RADIOFLUOROSCOPIC_IMAGE_STORAGE],
        "SC" | "OT" => &[uids::SECONDARY_CAPTURE_IMAGE_STORAGE],
        "SR" => &[uids::BASIC_TEXT_SR_STORAGE, uids::ENHANCED_SR_STORAGE, uids::COMPREHENSIVE_SR_STORAGE, uids::COMPREHENSIVE3_DSR_STORAGE],
        "DOC" => &[uids::ENCAPSULATED_PDF_STORAGE],
        "SEG" => &[uids::SEGMENTATION_STORAGE],
        "PR" => &[uids::GRAYSCALE_SOFTCOPY_PRESENTATION_STATE_STORAGE],
        "KO" => &[uids::KEY_OBJECT_SELECTION_DOCUMENT_STORAGE],
        "RTSTRUCT" => &[uids::RT_STRUCTURE_SET_STORAGE],
        "REG" => &[uids::SPATIAL_REGISTRATION_STORAGE],
        _ => &[],
    }
}

/// The modalities asked for when a peer says nothing about a study at all.
pub(super) const USUAL_MODALITIES: [&str; 14] = ["CT", "MR", "PT", "CR", "DX", "US", "SC", "SR", "DOC", "SEG", "PR", "KO", "XA", "MG"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn storage_is_told_from_the_rest() {
        for storage in [
            uids::CT_IMAGE_STORAGE,
            uids::SEGMENTATION_STORAGE,
            uids::ENCAPSULATED_PDF_STORAGE,
            uids::COMPREHENSIVE_SR_STORAGE,
            uids::DIGITAL_X_RAY_IMAGE_STORAGE_FOR_PROCESSING,
            "1.2.840.10008.5.1.4.1.1.6",
        ] {
            assert!(is_storage_class(storage), "{storage}");
        }
        for other in [
            uids::VERIFICATION,
            uids::STORAGE_COMMITMENT_PUSH_MODEL,
            uids::MEDIA_STORAGE_DIRECTORY_STORAGE,
            uids::MODALITY_WORKLIST_INFORMATION_MODEL_FIND,
            "1.2.3",
        ] {
            assert!(!is_storage_class(other), "{other}");
        }
        for modality in USUAL_MODALITIES {
            assert!(!classes_of_modality(modality).is_empty());
            assert!(classes_of_modality(modality).iter().all(|uid| is_storage_class(uid)), "{modality}");
        }
    }
}

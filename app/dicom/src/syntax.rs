//! Transfer syntaxes by UID. Source: PS3.5 §10, PS3.6 annex A.

/// Implicit VR Little Endian.
pub const IMPLICIT_LE: &str = "1.2.840.10008.1.2";
/// Explicit VR Little Endian.
pub const EXPLICIT_LE: &str = "1.2.840.10008.1.2.1";
/// Deflated Explicit VR Little Endian.
pub const DEFLATED_LE: &str = "1.2.840.10008.1.2.1.99";
/// Explicit VR Big Endian (retired, still met).
pub const EXPLICIT_BE: &str = "1.2.840.10008.1.2.2";
/// RLE Lossless.
pub const RLE: &str = "1.2.840.10008.1.2.5";
/// Deflated Image Frame Compression.
pub const DEFLATED_FRAME: &str = "1.2.840.10008.1.2.8.1";
/// Encapsulated Uncompressed Explicit VR Little Endian.
pub const ENCAPSULATED_UNCOMPRESSED: &str = "1.2.840.10008.1.2.1.98";
/// JPEG Baseline (Process 1).
pub const JPEG_BASELINE: &str = "1.2.840.10008.1.2.4.50";
/// JPEG Extended (Process 2 and 4).
pub const JPEG_EXTENDED: &str = "1.2.840.10008.1.2.4.51";
/// JPEG Lossless (Process 14).
pub const JPEG_LOSSLESS: &str = "1.2.840.10008.1.2.4.57";
/// JPEG Lossless, First-Order Prediction (Process 14, selection value 1).
pub const JPEG_LOSSLESS_SV1: &str = "1.2.840.10008.1.2.4.70";
/// JPEG-LS Lossless.
pub const JPEG_LS: &str = "1.2.840.10008.1.2.4.80";
/// JPEG-LS Near-Lossless.
pub const JPEG_LS_NEAR: &str = "1.2.840.10008.1.2.4.81";

/// The name of a transfer syntax for people; the UID itself when it is not known.
#[must_use]
pub fn name(uid: &str) -> &str {
    match uid {
        IMPLICIT_LE => "Implicit VR Little Endian",
        EXPLICIT_LE => "Explicit VR Little Endian",
        DEFLATED_LE => "Deflated Explicit VR Little Endian",
        EXPLICIT_BE => "Explicit VR Big Endian",
        RLE => "RLE Lossless",
        DEFLATED_FRAME => "Deflated Image Frame",
        ENCAPSULATED_UNCOMPRESSED => "Encapsulated Uncompressed",
        JPEG_BASELINE => "JPEG Baseline",
        JPEG_EXTENDED => "JPEG Extended",
        JPEG_LOSSLESS => "JPEG Lossless",
        JPEG_LOSSLESS_SV1 => "JPEG Lossless SV1",
        JPEG_LS => "JPEG-LS Lossless",
        JPEG_LS_NEAR => "JPEG-LS Near-Lossless",
        "1.2.840.10008.1.2.4.53" => "JPEG Spectral Selection",
        "1.2.840.10008.1.2.4.90" => "JPEG 2000 Lossless",
        "1.2.840.10008.1.2.4.91" => "JPEG 2000",
        "1.2.840.10008.1.2.4.92" | "1.2.840.10008.1.2.4.93" => "JPEG 2000 Part 2",
        "1.2.840.10008.1.2.4.100" | "1.2.840.10008.1.2.4.101" => "MPEG2",
        "1.2.840.10008.1.2.4.102" | "1.2.840.10008.1.2.4.103" => "MPEG-4 AVC/H.264",
        "1.2.840.10008.1.2.4.107" | "1.2.840.10008.1.2.4.108" => "HEVC/H.265",
        "1.2.840.10008.1.2.4.110" | "1.2.840.10008.1.2.4.111" | "1.2.840.10008.1.2.4.112" => "JPEG XL",
        "1.2.840.10008.1.2.4.201" | "1.2.840.10008.1.2.4.202" | "1.2.840.10008.1.2.4.203" => "High-Throughput JPEG 2000",
        other => other,
    }
}

/// True for pixel data stored in fragments (PS3.5 §A.4).
#[must_use]
pub fn is_encapsulated(uid: &str) -> bool {
    !matches!(uid, IMPLICIT_LE | EXPLICIT_LE | DEFLATED_LE | EXPLICIT_BE | "")
}

/// True for syntaxes that may have lost detail of the image.
#[must_use]
pub fn is_lossy(uid: &str) -> bool {
    matches!(
        uid,
        JPEG_BASELINE | JPEG_EXTENDED | JPEG_LS_NEAR | "1.2.840.10008.1.2.4.53" | "1.2.840.10008.1.2.4.91" | "1.2.840.10008.1.2.4.93"
    )
}

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

/// JPEG 2000 Lossless.
pub const JPEG_2000_LOSSLESS: &str = "1.2.840.10008.1.2.4.90";
/// JPEG 2000, lossless or lossy.
pub const JPEG_2000: &str = "1.2.840.10008.1.2.4.91";
/// JPEG 2000 Part 2, multi-component, lossless.
pub const JPEG_2000_PART_2_LOSSLESS: &str = "1.2.840.10008.1.2.4.92";
/// JPEG 2000 Part 2, multi-component, lossless or lossy.
pub const JPEG_2000_PART_2: &str = "1.2.840.10008.1.2.4.93";
/// High-Throughput JPEG 2000 Lossless.
pub const HTJ2K_LOSSLESS: &str = "1.2.840.10008.1.2.4.201";
/// High-Throughput JPEG 2000 with RPCL options, lossless.
pub const HTJ2K_LOSSLESS_RPCL: &str = "1.2.840.10008.1.2.4.202";
/// High-Throughput JPEG 2000, lossless or lossy.
pub const HTJ2K: &str = "1.2.840.10008.1.2.4.203";
/// JPEG Spectral Selection (Process 6 and 8; retired, still met).
pub const JPEG_SPECTRAL: &str = "1.2.840.10008.1.2.4.53";
/// JPEG Full Progression (Process 10 and 12; retired, still met).
pub const JPEG_PROGRESSIVE: &str = "1.2.840.10008.1.2.4.55";

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
        JPEG_SPECTRAL => "JPEG Spectral Selection",
        JPEG_PROGRESSIVE => "JPEG Full Progression",
        JPEG_2000_LOSSLESS => "JPEG 2000 Lossless",
        JPEG_2000 => "JPEG 2000",
        JPEG_2000_PART_2_LOSSLESS | JPEG_2000_PART_2 => "JPEG 2000 Part 2",
        HTJ2K_LOSSLESS | HTJ2K_LOSSLESS_RPCL => "High-Throughput JPEG 2000 Lossless",
        HTJ2K => "High-Throughput JPEG 2000",
        "1.2.840.10008.1.2.4.94" | "1.2.840.10008.1.2.4.95" | "1.2.840.10008.1.2.4.204" | "1.2.840.10008.1.2.4.205" => "JPIP",
        "1.2.840.10008.1.2.4.110" | "1.2.840.10008.1.2.4.111" | "1.2.840.10008.1.2.4.112" => "JPEG XL",
        other => video(other).unwrap_or(other),
    }
}

/// The name of a video coding; none for what is no video. Syntaxes of fragmentable streams end in `.1`.
fn video(uid: &str) -> Option<&'static str> {
    let rest = uid.strip_prefix("1.2.840.10008.1.2.")?;
    Some(match rest.strip_suffix(".1").filter(|_| rest.len() > 5).unwrap_or(rest) {
        "4.100" | "4.101" => "MPEG2",
        "4.102" | "4.103" | "4.104" | "4.105" | "4.106" => "MPEG-4 AVC/H.264",
        "4.107" | "4.108" => "HEVC/H.265",
        "7" | "7.1" | "7.2" | "7.3" => "SMPTE ST 2110",
        _ => return None,
    })
}

/// True for video, which is no sequence of coded pictures.
#[must_use]
pub fn is_video(uid: &str) -> bool {
    video(uid).is_some()
}

/// True for the JPEG processes of ITU-T T.81 that are decoded, lossless ones included.
#[must_use]
pub fn is_jpeg(uid: &str) -> bool {
    matches!(uid, JPEG_BASELINE | JPEG_EXTENDED | JPEG_SPECTRAL | JPEG_PROGRESSIVE | JPEG_LOSSLESS | JPEG_LOSSLESS_SV1)
}

/// True for JPEG-LS.
#[must_use]
pub fn is_jpeg_ls(uid: &str) -> bool {
    matches!(uid, JPEG_LS | JPEG_LS_NEAR)
}

/// True for JPEG 2000 and High-Throughput JPEG 2000 whose frames are codestreams in the file.
#[must_use]
pub fn is_jpeg_2000(uid: &str) -> bool {
    matches!(
        uid,
        JPEG_2000_LOSSLESS | JPEG_2000 | JPEG_2000_PART_2_LOSSLESS | JPEG_2000_PART_2 | HTJ2K_LOSSLESS | HTJ2K_LOSSLESS_RPCL | HTJ2K
    )
}

/// True for pixel data stored in fragments (PS3.5 §A.4).
#[must_use]
pub fn is_encapsulated(uid: &str) -> bool {
    !matches!(uid, IMPLICIT_LE | EXPLICIT_LE | DEFLATED_LE | EXPLICIT_BE | "")
}

/// True for syntaxes that may have lost detail of the image.
#[must_use]
pub fn is_lossy(uid: &str) -> bool {
    matches!(uid, JPEG_BASELINE | JPEG_EXTENDED | JPEG_SPECTRAL | JPEG_PROGRESSIVE | JPEG_LS_NEAR | JPEG_2000 | JPEG_2000_PART_2 | HTJ2K)
        || is_video(uid)
}

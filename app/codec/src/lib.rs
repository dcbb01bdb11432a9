//! Image codecs written in C, behind safe functions: `OpenJPEG` for JPEG 2000 and HTJ2K, `libjpeg-turbo` for JPEG.
//!
//! The only crate of the project that calls them. It knows nothing of DICOM: a caller says what the picture must be,
//! and holds the header of the stream against that first, so that a lie costs no memory.
//! What is here runs in the viewer's process alone, which may die without a loss.

mod openjpeg;
mod turbo;

pub use openjpeg::{Plane, decode_jpeg_2000};
pub use turbo::{JpegSamples, Wanted, decode_jpeg};

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    fn fixture(file: &str) -> Vec<u8> {
        std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(file)).unwrap()
    }

    const RIGHT: Wanted = Wanted { columns: 40, rows: 24, components: 1, precision: 12 };

    #[test]
    fn samples_come_in_the_size_of_their_precision() {
        let sizes = [("jpeg_8u.jpg", 8, 1), ("jpeg_8u_ybr.jpg", 8, 3), ("jpeg_12u.jpg", 12, 1), ("jpegll_16u_sv1.jpg", 16, 1)];
        for (file, precision, components) in sizes {
            let samples = decode_jpeg(&fixture(file), Wanted { precision, components, ..RIGHT }).unwrap();
            let (n, is_wide) = match samples {
                JpegSamples::Bytes(samples) => (samples.len(), false),
                JpegSamples::Words(samples) => (samples.len(), true),
            };
            assert_eq!((n, is_wide), (40 * 24 * components, precision > 8), "{file}");
        }
    }

    /// The library writes as much as the stream says: no other size may get that far.
    #[test]
    fn a_picture_of_another_size_is_not_decoded() {
        let stream = fixture("jpeg_12u.jpg");
        for wrong in [
            Wanted { columns: 39, ..RIGHT },
            Wanted { rows: 1, ..RIGHT },
            Wanted { precision: 8, ..RIGHT },
            Wanted { precision: 16, ..RIGHT },
            Wanted { components: 0, ..RIGHT },
            Wanted { components: 4, ..RIGHT },
            Wanted { columns: usize::MAX, ..RIGHT },
        ] {
            assert!(decode_jpeg(&stream, wrong).is_err(), "{wrong:?}");
        }
        assert!(decode_jpeg(&stream, RIGHT).is_ok());
    }

    #[test]
    fn components_are_shown_once_and_whole() {
        let shown = decode_jpeg_2000(&fixture("ht_8u_rct.j2k"), |planes| {
            planes.iter().map(|plane| (plane.size, plane.samples.len(), plane.samples.iter().max().copied())).collect::<Vec<_>>()
        });
        let shown = shown.unwrap();
        assert_eq!(shown.len(), 3);
        assert!(shown.iter().all(|&(size, n, most)| size == [40, 24] && n == 960 && most.is_some_and(|m| (240..256).contains(&m))));
    }

    #[test]
    fn what_is_no_picture_is_told() {
        for stream in [&b""[..], b"\xFF", b"\xFF\xD8\xFF\xD9", b"\xFF\x4F\xFF\x51", &[0; 4096], &[0xFF; 4096]] {
            assert!(!decode_jpeg(stream, RIGHT).unwrap_err().is_empty());
            assert!(!decode_jpeg_2000(stream, |planes| planes.len()).unwrap_err().is_empty());
        }
    }
}

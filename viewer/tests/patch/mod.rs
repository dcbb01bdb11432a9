//! DICOM files made poorer: what our own writer always writes, some devices do not.

/// The bytes of an explicit VR little endian file, one attribute turned into another, so that readers miss it.
fn renamed(mut bytes: Vec<u8>, tag: [u16; 2], vr: &[u8; 2], to: u16) -> Vec<u8> {
    let [group, element] = tag.map(u16::to_le_bytes);
    let head = [group[0], group[1], element[0], element[1], vr[0], vr[1]];
    let at = bytes.windows(6).position(|w| w == head).unwrap();
    bytes[at + 2..at + 4].copy_from_slice(&to.to_le_bytes());
    bytes
}

/// Without Image Position and Image Orientation, as a chest film.
pub(crate) fn without_place(bytes: Vec<u8>) -> Vec<u8> {
    renamed(renamed(bytes, [0x20, 0x32], b"DS", 0x30), [0x20, 0x37], b"DS", 0x35)
}

/// Without Pixel Spacing.
#[allow(dead_code, reason = "not every test program needs it")]
pub(crate) fn without_spacing(bytes: Vec<u8>) -> Vec<u8> {
    renamed(bytes, [0x28, 0x30], b"DS", 0x31)
}

/// With Lossy Image Compression "01".
#[allow(dead_code, reason = "not every test program needs it")]
pub(crate) fn lossy(mut bytes: Vec<u8>) -> Vec<u8> {
    let pixels = bytes.windows(6).position(|w| w == [0xE0, 0x7F, 0x10, 0x00, b'O', b'W']).unwrap();
    drop(bytes.splice(pixels..pixels, [0x28, 0x00, 0x10, 0x21, b'C', b'S', 2, 0, b'0', b'1']));
    bytes
}

/// True where a PNG holds a colour in the middle of its left edge, where the letter of a side stands.
pub(crate) fn has_letter(bytes: &[u8]) -> bool {
    let mut reader = png::Decoder::new(std::io::Cursor::new(bytes)).read_info().unwrap();
    let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
    let info = reader.next_frame(&mut pixels).unwrap();
    assert_eq!(info.color_type, png::ColorType::Rgb);
    let (w, h) = (info.width as usize, info.height as usize);
    let inside = (h / 2 - 10..h / 2 + 10).flat_map(|y| (4..30).map(move |x| (y * w + x) * 3));
    inside.filter_map(|at| pixels.get(at..at + 3)).any(|p| p[0].abs_diff(p[2]) > 60)
}

use super::samples::{interleave, typed, unpack_bits};
use super::*;

fn layout(bits_allocated: u16, bits_stored: u16, is_signed: bool) -> Layout {
    Layout {
        rows: 1,
        columns: 4,
        frames: 1,
        samples_per_pixel: 1,
        bits_allocated,
        bits_stored,
        high_bit: bits_stored - 1,
        is_signed,
        is_planar: false,
        photometric: "MONOCHROME2".into(),
        is_float: false,
        is_big_endian: false,
    }
}

#[test]
fn unused_bits_are_dropped_and_the_sign_extended() {
    // 12 stored bits with an overlay in bit 15; -1 and -2048.
    let raw = [0xFF, 0x8F, 0x00, 0x08, 0x01, 0x80, 0xFF, 0x07];
    assert_eq!(typed(&raw, &layout(16, 12, true), false).unwrap(), FrameSamples::I16(vec![-1, -2048, 1, 2047]));
    assert_eq!(typed(&raw, &layout(16, 12, false), false).unwrap(), FrameSamples::U16(vec![0xFFF, 0x800, 1, 0x7FF]));
    // High bit 15 of 12 stored ones: the value lies at the top.
    let top = Layout { high_bit: 15, ..layout(16, 12, true) };
    assert_eq!(typed(&[0x10, 0x00, 0xF0, 0xFF, 0x05, 0x80, 0, 0], &top, false).unwrap(), FrameSamples::I16(vec![1, -1, -2048, 0]));
}

#[test]
fn big_endian_and_planes() {
    assert_eq!(typed(&[0, 1, 0, 2, 0, 3, 0, 4], &layout(16, 16, false), true).unwrap(), FrameSamples::U16(vec![1, 2, 3, 4]));
    let colour = Layout { samples_per_pixel: 3, is_planar: true, ..layout(8, 8, false) };
    assert_eq!(interleave(&[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12], &colour), [1, 5, 9, 2, 6, 10, 3, 7, 11, 4, 8, 12]);
}

#[test]
fn single_bits_run_over_frames() {
    let bits = Layout { columns: 3, frames: 3, ..layout(1, 1, false) };
    let raw = [0b1010_1101, 0b0000_0001];
    for (frame, wanted) in [(0, [1, 0, 1]), (1, [1, 0, 1]), (2, [0, 1, 1])] {
        assert_eq!(unpack_bits(&raw, &bits, frame).unwrap(), FrameSamples::U8(wanted.to_vec()), "{frame}");
    }
    assert!(unpack_bits(&raw[..1], &bits, 2).is_err());
}

#[test]
fn rle_never_reads_outside() {
    let plain = layout(8, 8, false);
    let mut stream = vec![0_u8; 64];
    stream[0] = 1;
    stream[4] = 64;
    for (tail, wanted) in [
        (&[0xFD_u8, 7][..], Some(vec![7, 7, 7, 7])),
        (&[1, 5, 6, 0xFF, 9], Some(vec![5, 6, 9, 9])),
        (&[3, 1], None),
        (&[], None),
        (&[0x80], None),
    ] {
        let whole = [stream.as_slice(), tail].concat();
        assert_eq!(rle::decode(&whole, &plain).ok(), wanted.map(FrameSamples::U8), "{tail:?}");
    }
    stream[4] = 200;
    assert!(rle::decode(&stream, &plain).is_err());
}

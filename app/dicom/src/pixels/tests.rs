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

/// A file with one compressed fragment, of square frames of 16 bits.
fn compressed(syntax: &str, edge: u16, frames: &str, fragment: &[u8]) -> Vec<u8> {
    let mut out = vec![0; 128];
    out.extend_from_slice(b"DICM");
    let mut short = |group: u16, element: u16, vr: &[u8; 2], value: &[u8]| {
        out.extend([group.to_le_bytes(), element.to_le_bytes(), *vr, (value.len() as u16).to_le_bytes()].concat());
        out.extend_from_slice(value);
    };
    let mut uid = syntax.as_bytes().to_vec();
    uid.resize(uid.len().next_multiple_of(2), 0);
    short(2, 0x10, b"UI", &uid);
    short(0x28, 2, b"US", &1_u16.to_le_bytes());
    short(0x28, 8, b"IS", frames.as_bytes());
    for element in [0x10, 0x11] {
        short(0x28, element, b"US", &edge.to_le_bytes());
    }
    for (element, value) in [(0x100, 16_u16), (0x101, 16), (0x102, 15), (0x103, 0)] {
        short(0x28, element, b"US", &value.to_le_bytes());
    }
    out.extend_from_slice(b"\xE0\x7F\x10\x00OB\0\0\xFF\xFF\xFF\xFF\xFE\xFF\x00\xE0\0\0\0\0\xFE\xFF\x00\xE0");
    out.extend((fragment.len() as u32).to_le_bytes());
    out.extend_from_slice(fragment);
    out.extend_from_slice(b"\xFE\xFF\xDD\xE0\0\0\0\0");
    out
}

#[test]
fn a_gibibyte_out_of_nothing_is_not_believed() {
    let new = |edge, frames: &str, fragment: &[u8]| {
        let dataset = Dataset::read(&compressed(syntax::JPEG_2000, edge, frames, fragment)).unwrap();
        Decoder::new(&dataset).map(|decoder| decoder.layout().decoded_bytes())
    };
    assert_eq!(new(30_000, "1 ", &[0; 1000]), Err(Error::Truncated { what: "compressed frames" }));
    assert_eq!(new(30_000, "1 ", &vec![0; 1_800_000]), Ok(1_800_000_000));
    assert_eq!(new(10_000, "1 ", &[0; 1000]), Ok(200_000_000));
    assert_eq!(new(65_535, "9 ", &[0; 1000]), Err(Error::TooLarge { mib: (65_535 * 65_535 * 2 * 9) >> 20 }));
}

/// Fragments of a cut file with this many whole ones; the table of offsets is empty or full.
fn cut_fragments(sizes: &[usize], offsets: Option<&[u32]>, last: &[u8]) -> Vec<u8> {
    let mut file = compressed(syntax::RLE, 2, "4 ", &[]);
    let at = file.windows(4).position(|w| w == b"\xE0\x7F\x10\x00").unwrap();
    file.truncate(at + 12);
    let mut item = |declared: usize, bytes: &[u8]| {
        file.extend_from_slice(b"\xFE\xFF\x00\xE0");
        file.extend((declared as u32).to_le_bytes());
        file.extend_from_slice(bytes);
    };
    let table: Vec<u8> = offsets.unwrap_or_default().iter().flat_map(|o| o.to_le_bytes()).collect();
    item(table.len(), &table);
    sizes.iter().for_each(|&n| item(n, &vec![9; n]));
    file.extend_from_slice(last);
    file
}

fn n_there(file: &[u8]) -> Result<usize> {
    let dataset = Dataset::read(file)?;
    assert_eq!(Decoder::new(&dataset).err(), Some(Error::Truncated { what: "pixel data" }));
    let decoder = Decoder::of_part(&dataset)?;
    Ok((0..decoder.layout().frames).filter(|&k| decoder.rows_there(k) == decoder.layout().rows).count())
}

#[test]
fn of_compressed_frames_those_before_the_cut_are_there() {
    // Cut in a fragment, in the head of one, and between two.
    let in_body = b"\xFE\xFF\x00\xE0\x64\0\0\0\x09\x09".as_slice();
    for (last, there) in [(in_body, 2), (b"\xFE\xFF\x00\xE0\x64", 2), (b"\xFE", 2), (b"", 2)] {
        assert_eq!(n_there(&cut_fragments(&[10, 10], None, last)), Ok(there), "{last:?}");
        // Two fragments a frame: the second frame is whole only where the table says that it ends before the cut.
        let two_each = Some([0, 36, 72, 108].as_slice());
        assert_eq!(n_there(&cut_fragments(&[10, 10, 10], two_each, last)), Ok(1), "{last:?}");
    }
    // Not one frame is whole.
    assert_eq!(n_there(&cut_fragments(&[], None, in_body)), Err(Error::Truncated { what: "fragment of pixel data" }));
    assert_eq!(n_there(&cut_fragments(&[10], Some(&[0, 36, 72, 108]), in_body)), Err(Error::Truncated { what: "compressed frames" }));
}

#[test]
fn rows_of_planes_need_every_plane() {
    let grey = Layout { rows: 4, ..layout(16, 16, false) };
    assert_eq!([0, 7, 8, 31, 32, 99].map(|bytes| grey.rows_there(0, bytes)), [0, 0, 1, 3, 4, 4]);
    assert_eq!([32, 40, 64].map(|bytes| Layout { frames: 2, ..grey.clone() }.rows_there(1, bytes)), [0, 1, 4]);
    let planes = Layout { samples_per_pixel: 3, is_planar: true, ..Layout { rows: 2, ..layout(8, 8, false) } };
    assert_eq!([8, 19, 20, 23, 24].map(|bytes| planes.rows_there(0, bytes)), [0, 0, 1, 1, 2]);
    let raw: Vec<u8> = (0..21).collect();
    let there = Layout { rows: 1, ..planes.clone() };
    assert_eq!(
        samples::from_native(&first_rows(&raw, &planes, &there), &there).unwrap(),
        FrameSamples::U8(vec![0, 8, 16, 1, 9, 17, 2, 10, 18, 3, 11, 19])
    );
    // Bits of a frame are there together or not.
    let bits = Layout { columns: 3, frames: 3, ..layout(1, 1, false) };
    assert_eq!([0, 1].map(|bytes| bits.rows_there(1, bytes)), [0, 1]);
    assert_eq!([1, 2].map(|bytes| bits.rows_there(2, bytes)), [0, 1]);
}

#[test]
fn video_is_told_as_video_however_long_it_is() {
    for syntax in ["1.2.840.10008.1.2.4.100", "1.2.840.10008.1.2.4.103.1", "1.2.840.10008.1.2.4.108"] {
        let dataset = Dataset::read(&compressed(syntax, 1080, "90000 ", b"\0\0\x01\xB3")).unwrap();
        assert_eq!(Decoder::new(&dataset).map(|_| ()), Err(Error::Video { uid: syntax.into() }));
    }
}

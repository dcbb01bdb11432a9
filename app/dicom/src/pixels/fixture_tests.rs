//! Small codestreams of outside encoders: they give their picture, and however damaged they are, an error or a picture.

use super::codec::Codec;
use super::layout::Layout;
use super::samples::FrameSamples;
use crate::error::Error;
use std::path::Path;

const ROWS: u32 = 24;
const COLUMNS: u32 = 40;

/// A codestream and what it holds.
struct Fixture {
    file: &'static str,
    bits: u16,
    is_signed: bool,
    components: u16,
    /// Most that lossy coding may change a sample.
    slack: i32,
}

const fn mono(file: &'static str, bits: u16, is_signed: bool, slack: i32) -> Fixture {
    Fixture { file, bits, is_signed, components: 1, slack }
}

const fn colour(file: &'static str, bits: u16, slack: i32) -> Fixture {
    Fixture { file, bits, is_signed: false, components: 3, slack }
}

const FIXTURES: &[Fixture] = &[
    mono("j2k_8u.j2k", 8, false, 0),
    mono("j2k_12u.j2k", 12, false, 0),
    mono("j2k_16u.j2k", 16, false, 0),
    mono("j2k_16s.j2k", 16, true, 0),
    mono("j2k_8u_lossy.j2k", 8, false, 3),
    mono("j2k_12u_lossy.j2k", 12, false, 3),
    mono("j2k_16u_lossy.j2k", 16, false, 3),
    colour("j2k_8u_rgb.j2k", 8, 0),
    colour("j2k_8u_rct.j2k", 8, 0),
    colour("j2k_8u_ict.j2k", 8, 3),
    colour("j2k_16u_rct.j2k", 16, 0),
    mono("ht_8u.j2k", 8, false, 0),
    mono("ht_12u.j2k", 12, false, 0),
    mono("ht_12s.j2k", 12, true, 0),
    mono("ht_16u.j2k", 16, false, 0),
    mono("ht_16s.j2k", 16, true, 0),
    mono("ht_8u_lossy.j2k", 8, false, 3),
    mono("ht_12u_lossy.j2k", 12, false, 3),
    mono("ht_16u_lossy.j2k", 16, false, 3),
    colour("ht_8u_rct.j2k", 8, 0),
    mono("jpeg_8u.jpg", 8, false, 1),
    mono("jpeg_12u.jpg", 12, false, 1),
    colour("jpeg_12u_rgb.jpg", 12, 1),
    colour("jpeg_8u_ybr.jpg", 8, 3),
    colour("jpeg_12u_ybr.jpg", 12, 3),
    mono("jpegll_12u.jpg", 12, false, 0),
    mono("jpegll_16u_sv1.jpg", 16, false, 0),
    mono("jpegll_16u_sv2.jpg", 16, false, 0),
    mono("jpegll_16u_sv3.jpg", 16, false, 0),
    mono("jpegll_16u_sv4.jpg", 16, false, 0),
    mono("jpegll_16u_sv5.jpg", 16, false, 0),
    mono("jpegll_16u_sv6.jpg", 16, false, 0),
    mono("jpegll_16u_sv7.jpg", 16, false, 0),
    colour("jpegll_8u_rgb.jpg", 8, 0),
];

impl Fixture {
    fn bytes(&self) -> Vec<u8> {
        std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("../codec/fixtures").join(self.file)).unwrap()
    }

    fn codec(&self) -> Codec {
        if self.file.ends_with("jpg") { Codec::Jpeg } else { Codec::Jpeg2000 }
    }

    fn layout(&self) -> Layout {
        Layout {
            rows: ROWS,
            columns: COLUMNS,
            frames: 1,
            samples_per_pixel: self.components,
            bits_allocated: if self.bits == 8 { 8 } else { 16 },
            bits_stored: self.bits,
            high_bit: self.bits - 1,
            is_signed: self.is_signed,
            is_planar: false,
            photometric: String::new(),
            is_float: false,
            is_big_endian: false,
        }
    }

    /// The picture before it was coded, as `make.py` draws it; YBR by the matrix of JFIF.
    fn picture(&self) -> Vec<i32> {
        let most = (1 << self.bits) - 1;
        let gradient = |r: i64, c: i64, k: i64| (r * c + 7 * r + 11 * c + 31 * k) * i64::from(most) / 1549;
        let mut out = Vec::new();
        for (r, c) in (0..i64::from(ROWS)).flat_map(|r| (0..i64::from(COLUMNS)).map(move |c| (r, c))) {
            let pixel = (0..i64::from(self.components)).map(|k| gradient(r, c, k) as i32);
            let sign = if self.is_signed { 1 << (self.bits - 1) } else { 0 };
            if self.file.contains("ybr") {
                let [red, green, blue] = pixel.map(f64::from).collect::<Vec<_>>().try_into().unwrap();
                let y = 0.299 * red + 0.587 * green + 0.114 * blue;
                let middle = f64::from(1 << (self.bits - 1));
                let ybr = [y, (blue - y) / 1.772 + middle, (red - y) / 1.402 + middle];
                out.extend(ybr.map(|s| s.round() as i32));
            } else {
                out.extend(pixel.map(|s| s - sign));
            }
        }
        out
    }
}

fn values(samples: &FrameSamples) -> Vec<i32> {
    let mut out = Vec::new();
    samples.for_each(|s| out.push(s as i32));
    out
}

#[test]
fn every_codestream_gives_its_picture() {
    for fixture in FIXTURES {
        let samples = fixture.codec().decode(&fixture.bytes(), &fixture.layout()).unwrap_or_else(|e| panic!("{}: {e}", fixture.file));
        let (got, wanted) = (values(&samples), fixture.picture());
        assert_eq!(got.len(), wanted.len(), "{}", fixture.file);
        let worst = got.iter().zip(&wanted).map(|(a, b)| (a - b).abs()).max().unwrap();
        assert!(worst <= fixture.slack, "{}: off by {worst}", fixture.file);
        let is_right_type = match (fixture.bits, fixture.is_signed) {
            (8, _) => matches!(samples, FrameSamples::U8(_)),
            (_, false) => matches!(samples, FrameSamples::U16(_)),
            (_, true) => matches!(samples, FrameSamples::I16(_)),
        };
        assert!(is_right_type, "{}", fixture.file);
    }
}

#[test]
fn what_the_header_says_wrongly_is_an_error() {
    for fixture in FIXTURES {
        let (bytes, right) = (fixture.bytes(), fixture.layout());
        for wrong in [
            Layout { rows: ROWS + 1, ..right.clone() },
            Layout { columns: 60_000, rows: 60_000, ..right.clone() },
            Layout { samples_per_pixel: 4 - right.samples_per_pixel, ..right.clone() },
        ] {
            let error = fixture.codec().decode(&bytes, &wrong).unwrap_err();
            assert!(matches!(error, Error::Codec { .. }), "{}: {error}", fixture.file);
        }
        if fixture.bits > 8 {
            let narrow = Layout { bits_allocated: 8, bits_stored: 8, high_bit: 7, ..right };
            assert!(fixture.codec().decode(&bytes, &narrow).is_err(), "{}", fixture.file);
        }
    }
}

#[test]
fn a_cut_codestream_is_refused_or_was_whole() {
    for fixture in FIXTURES {
        let (bytes, layout) = (fixture.bytes(), fixture.layout());
        let whole = fixture.codec().decode(&bytes, &layout).unwrap();
        let mut least = bytes.len();
        for end in 0..bytes.len() {
            if let Ok(samples) = fixture.codec().decode(&bytes[..end], &layout) {
                assert!(samples == whole, "{} cut at {end} of {}", fixture.file, bytes.len());
                least = least.min(end);
            }
        }
        // The end marker and the padding before it.
        assert!(least + 8 >= bytes.len(), "{}: whole at {least} of {}", fixture.file, bytes.len());
    }
}

#[test]
fn what_encoders_slip_does_not_matter() {
    for file in ["jpeg_8u.jpg", "jpeg_12u.jpg", "jpeg_8u_ybr.jpg", "jpegll_16u_sv1.jpg"] {
        let fixture = FIXTURES.iter().find(|f| f.file == file).unwrap();
        let (bytes, layout) = (fixture.bytes(), fixture.layout());
        let wanted = Codec::Jpeg.decode(&bytes, &layout).unwrap();
        // Zeros before the end marker, and after it; another band of the spectrum in the header of a sequential scan.
        let (scan, end) = bytes.split_at(bytes.len() - 2);
        assert_eq!(Codec::Jpeg.decode(&[scan, &[0; 7], end, &[0]].concat(), &layout).unwrap(), wanted, "{file}");
        if !file.starts_with("jpegll") {
            let at = bytes.windows(3).rposition(|w| w == [0, 63, 0]).unwrap();
            let mut slipped = bytes.clone();
            slipped[at + 1] = 0;
            assert_eq!(Codec::Jpeg.decode(&slipped, &layout).unwrap(), wanted, "{file}");
        }
    }
}

#[test]
fn a_changed_byte_never_breaks_the_decoder() {
    let (mut refused, mut shown) = (0, 0);
    for fixture in FIXTURES {
        let (mut bytes, layout) = (fixture.bytes(), fixture.layout());
        for at in 0..bytes.len() {
            let kept = bytes[at];
            for value in [kept ^ 1, kept ^ 0x80, 0x00, 0xFF] {
                bytes[at] = value;
                match fixture.codec().decode(&bytes, &layout) {
                    Ok(samples) => {
                        shown += 1;
                        assert_eq!(samples.len(), layout.n_samples(), "{} at {at}", fixture.file);
                    }
                    Err(_) => refused += 1,
                }
            }
            bytes[at] = kept;
        }
    }
    assert!(refused > 10_000 && shown > 10_000, "{refused} {shown}");
}

#[test]
fn pixel_representation_holds_where_the_codestream_has_another_sign() {
    let [signed, unsigned] = ["ht_12s.j2k", "ht_12u.j2k"].map(|file| FIXTURES.iter().find(|f| f.file == file).unwrap());
    let as_unsigned = Codec::Jpeg2000.decode(&signed.bytes(), &unsigned.layout()).unwrap();
    let wanted: Vec<i32> = signed.picture().iter().map(|s| s & 0xFFF).collect();
    assert_eq!(values(&as_unsigned), wanted);
    let as_signed = Codec::Jpeg2000.decode(&unsigned.bytes(), &signed.layout()).unwrap();
    let wanted: Vec<i32> = unsigned.picture().iter().map(|s| (s << 20) >> 20).collect();
    assert_eq!(values(&as_signed), wanted);
}

#[test]
fn a_jp2_file_gives_its_codestream() {
    let fixture = &FIXTURES[0];
    let (bytes, layout) = (fixture.bytes(), fixture.layout());
    let wanted = Codec::Jpeg2000.decode(&bytes, &layout).unwrap();
    let boxed = |length: u32, kind: &[u8; 4], content: &[u8]| [&length.to_be_bytes(), kind.as_slice(), content].concat();
    let head = [boxed(12, b"jP  ", b"\r\n\x87\n"), boxed(10, b"free", &[0, 0])].concat();
    for length in [bytes.len() as u32 + 8, 0] {
        let file = [head.clone(), boxed(length, b"jp2c", &bytes)].concat();
        assert_eq!(Codec::Jpeg2000.decode(&file, &layout).unwrap(), wanted);
        for end in 0..head.len() + 8 {
            assert!(Codec::Jpeg2000.decode(&file[..end], &layout).is_err(), "{end}");
        }
    }
    let long = [head, boxed(u32::MAX, b"jp2c", &bytes)].concat();
    assert_eq!(Codec::Jpeg2000.decode(&long, &layout).unwrap_err(), Error::Truncated { what: "JPEG 2000 codestream" });
}

#[test]
fn a_thousand_tiles_are_refused() {
    let fixture = &FIXTURES[0];
    let mut bytes = fixture.bytes();
    bytes[24..32].copy_from_slice(&[0, 0, 0, 1, 0, 0, 0, 1]);
    let error = Codec::Jpeg2000.decode(&bytes, &fixture.layout()).unwrap_err();
    assert!(matches!(error, Error::UnsupportedPixels { .. }), "{error}");
}

#[test]
fn tiny_pieces_are_refused_in_every_header() {
    let fixture = &FIXTURES[0];
    let bytes = fixture.bytes();
    let cod = bytes.windows(2).position(|w| w == [0xFF, 0x52]).unwrap();
    let length = usize::from(bytes[cod + 3]);
    let (head, style, rest) = (&bytes[..cod], &bytes[cod + 4..cod + 2 + length], &bytes[cod + 2 + length..]);
    let marked = |style: &[u8]| [&[0xFF, 0x52, 0, style.len() as u8 + 2], style].concat();
    let with = |precincts: [u8; 2], block: u8| {
        let mut style = style.to_vec();
        (style[0], style[6], style[7]) = (style[0] | 1, block, block);
        // One level, so two resolutions.
        assert_eq!((style[5], style.len()), (1, 10));
        [&style[..], &precincts].concat()
    };
    let decode = |bytes: &[u8]| Codec::Jpeg2000.decode(bytes, &fixture.layout());
    let is_refused = |bytes: &[u8]| matches!(decode(bytes), Err(Error::UnsupportedPixels { .. }));
    assert!(!is_refused(&[head, &marked(&with([0x77, 0x88], 4)), rest].concat()));
    assert!(!is_refused(&[head, &marked(&with([0x33, 0x44], 2)), rest].concat()));
    for (precincts, block) in [([0x77, 0x11], 4), ([0x77, 0x38], 4), ([0x20, 0x88], 4), ([0x77, 0x88], 1)] {
        let bad = marked(&with(precincts, block));
        assert!(is_refused(&[head, &bad, rest].concat()), "{precincts:?} {block}");
        // The same in the header of a tile part, whose length grows by it.
        let sot = bytes.windows(2).position(|w| w == [0xFF, 0x90]).unwrap();
        let mut in_tile = [&bytes[..sot + 12], &bad, &bytes[sot + 12..]].concat();
        let grown = u32::from_be_bytes(bytes[sot + 6..sot + 10].try_into().unwrap()) + bad.len() as u32;
        in_tile[sot + 6..sot + 10].copy_from_slice(&grown.to_be_bytes());
        assert!(is_refused(&in_tile), "tile: {precincts:?} {block}");
    }
}

#[test]
fn video_is_named() {
    for (uid, name) in [
        ("1.2.840.10008.1.2.4.100", "MPEG2"),
        ("1.2.840.10008.1.2.4.102.1", "MPEG-4 AVC/H.264"),
        ("1.2.840.10008.1.2.4.107", "HEVC/H.265"),
        ("1.2.840.10008.1.2.7.1", "SMPTE ST 2110"),
    ] {
        assert_eq!(Codec::of(uid).unwrap_err(), Error::Video { uid: uid.into() });
        assert_eq!(crate::syntax::name(uid), name);
    }
    for uid in ["1.2.840.10008.1.2.4.110", "1.2.840.10008.1.2.4.94", "1.2.840.10008.1.2.4.1"] {
        assert_eq!(Codec::of(uid).unwrap_err(), Error::UnsupportedSyntax { uid: uid.into() });
    }
}

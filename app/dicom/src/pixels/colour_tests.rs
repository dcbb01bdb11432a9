use super::colour::rgb;
use super::lut::{Descriptor, voi_tables};
use super::palette::Palette;
use super::*;
use crate::write::Object;
use dicom_core::VR;
use mj_model::Curve;

fn dataset(object: Object) -> Dataset {
    Dataset::read(&object.into_file("1.2.840.10008.5.1.4.1.1.7", "1.2.3").unwrap()).unwrap()
}

/// One row of 8-bit pixels of three samples, side by side or in planes.
fn image(photometric: &str, planar: u16, samples: &[u8]) -> Dataset {
    let mut object = Object::new();
    let columns = if photometric.ends_with("422") { samples.len() / 2 } else { samples.len() / 3 };
    object
        .u16s(tags::SAMPLES_PER_PIXEL, &[3])
        .text(tags::PHOTOMETRIC_INTERPRETATION, VR::CS, photometric)
        .u16s(tags::PLANAR_CONFIGURATION, &[planar])
        .u16s(tags::ROWS, &[1])
        .u16s(tags::COLUMNS, &[columns as u16])
        .u16s(tags::BITS_ALLOCATED, &[8])
        .u16s(tags::BITS_STORED, &[8])
        .u16s(tags::HIGH_BIT, &[7])
        .u16s(tags::PIXEL_REPRESENTATION, &[0])
        .bytes(tags::PIXEL_DATA, VR::OB, samples.to_vec());
    dataset(object)
}

fn colours(dataset: &Dataset) -> Vec<[u8; 3]> {
    let decoder = Decoder::new(dataset).unwrap();
    rgb(&decoder.frame(0).unwrap(), decoder.layout(), &dataset.root(), |_| 7).unwrap()
}

#[test]
fn every_kind_of_colour_becomes_red_green_blue() {
    let red_and_blue = vec![[255, 0, 0], [0, 0, 255]];
    assert_eq!(colours(&image("RGB", 0, &[255, 0, 0, 0, 0, 255])), red_and_blue);
    assert_eq!(colours(&image("RGB", 1, &[255, 0, 0, 0, 0, 255])), red_and_blue);
    // What the codec gave is already red, green, blue.
    assert_eq!(colours(&image("YBR_RCT", 0, &[255, 0, 0, 0, 0, 255])), red_and_blue);
    // PS3.3 §C.7.6.3.1.2: red is Y 76, CB 85, CR 255; blue is Y 29, CB 255, CR 107.
    for (made, wanted) in colours(&image("YBR_FULL", 0, &[76, 85, 255, 29, 255, 107])).iter().zip(&red_and_blue) {
        assert!(made.iter().zip(wanted).all(|(a, b)| a.abs_diff(*b) <= 2), "{made:?} is not {wanted:?}");
    }
    // Two pixels of one colour and their own brightness.
    assert_eq!(colours(&image("YBR_FULL_422", 0, &[0, 255, 128, 128])), [[0; 3], [255; 3]]);
    // Black at 16, white at 235, and nothing beyond.
    assert_eq!(colours(&image("YBR_PARTIAL_422", 0, &[16, 235, 128, 128])), [[0; 3], [255; 3]]);
    assert_eq!(colours(&image("YBR_PARTIAL_422", 0, &[0, 255, 128, 128])), [[0; 3], [255; 3]]);
    let unknown = image("XYZ", 0, &[1, 2, 3]);
    let decoder = Decoder::new(&unknown).unwrap();
    assert!(matches!(rgb(&decoder.frame(0).unwrap(), decoder.layout(), &unknown.root(), |_| 0), Err(Error::UnsupportedPixels { .. })));
}

#[test]
fn sixteen_bits_of_colour_are_shown_in_eight() {
    let layout = Layout { samples_per_pixel: 3, bits_allocated: 16, bits_stored: 12, ..Layout::of(&image("RGB", 0, &[0; 3])).unwrap() };
    let empty = image("RGB", 0, &[0; 3]);
    let made = |photometric: &str, bits_stored, samples: Vec<u16>| {
        let layout = Layout { photometric: photometric.into(), bits_stored, ..layout.clone() };
        rgb(&FrameSamples::U16(samples), &layout, &empty.root(), |_| 0).unwrap()
    };
    assert_eq!(made("RGB", 12, vec![4095, 2048, 0]), [[255, 128, 0]]);
    assert_eq!(made("YBR_FULL", 16, vec![65_535, 32_768, 32_768]), [[255; 3]]);
    assert_eq!(made("YBR_FULL", 16, vec![0, 32_768, 32_768]), [[0; 3]]);
}

/// Red, green and blue alike: descriptor and data, plain or segmented.
fn palette(descriptor: [u16; 3], words: &[u16], is_segmented: bool, is_signed: bool) -> Result<Palette> {
    let mut object = Object::new();
    let [red, green, blue] = if is_segmented {
        [
            tags::SEGMENTED_RED_PALETTE_COLOR_LOOKUP_TABLE_DATA,
            tags::SEGMENTED_GREEN_PALETTE_COLOR_LOOKUP_TABLE_DATA,
            tags::SEGMENTED_BLUE_PALETTE_COLOR_LOOKUP_TABLE_DATA,
        ]
    } else {
        [tags::RED_PALETTE_COLOR_LOOKUP_TABLE_DATA, tags::GREEN_PALETTE_COLOR_LOOKUP_TABLE_DATA, tags::BLUE_PALETTE_COLOR_LOOKUP_TABLE_DATA]
    };
    let data: Vec<u8> = words.iter().flat_map(|w| w.to_le_bytes()).collect();
    object
        .u16s(tags::RED_PALETTE_COLOR_LOOKUP_TABLE_DESCRIPTOR, &descriptor)
        .u16s(tags::GREEN_PALETTE_COLOR_LOOKUP_TABLE_DESCRIPTOR, &descriptor)
        .u16s(tags::BLUE_PALETTE_COLOR_LOOKUP_TABLE_DESCRIPTOR, &descriptor);
    for tag in [red, green, blue] {
        object.bytes(tag, VR::OW, data.clone());
    }
    Palette::of(&dataset(object).root(), is_signed)
}

#[test]
fn palettes_begin_at_their_first_value_and_end_at_their_last() {
    let wide = palette([3, 10, 16], &[0x1000, 0x2000, 0xFF00], false, false).unwrap();
    assert_eq!([0.0, 10.0, 11.0, 12.0, 900.0].map(|v| wide.pick(v)[0]), [0x10, 0x10, 0x20, 0xFF, 0xFF]);
    assert!(wide.is_below(9.0) && !wide.is_below(10.0));
    // The first value of signed samples, written as US.
    let signed = palette([3, 0xFFFE, 16], &[0x1000, 0x2000, 0xFF00], false, true).unwrap();
    assert_eq!([-3.0, -2.0, -1.0, 0.0].map(|v| signed.pick(v)[0]), [0x10, 0x10, 0x20, 0xFF]);
    // 8 bits: packed, and one entry a word; and 16 that are 8.
    for (bits, words) in [(8, vec![0x2010, 0x0030]), (8, vec![0x10, 0x20, 0x30]), (16, vec![0x10, 0x20, 0x30])] {
        let narrow = palette([3, 0, bits], &words, false, false).unwrap();
        assert_eq!([0.0, 1.0, 2.0].map(|v| narrow.pick(v)[1]), [0x10, 0x20, 0x30], "{words:?}");
    }
}

#[test]
fn segmented_palettes_unfold() {
    // Discrete 0 and 256, linear in 4 steps to 1280, the first two segments once more (offset 0 bytes).
    let words = [0, 2, 0, 0x100, 1, 4, 0x500, 2, 2, 0, 0];
    let made = palette([12, 0, 16], &words, true, false).unwrap();
    let wanted = [0, 1, 2, 3, 4, 5, 0, 1, 2, 3, 4, 5];
    assert_eq!((0..12_u8).map(|v| made.pick(v.into())[2]).collect::<Vec<_>>(), wanted);
    // The same in bytes, where an offset has four of them; the last byte pads.
    let bytes = [0_u8, 2, 0, 100, 1, 4, 120, 2, 2, 0, 0, 0, 0, 0];
    let words: Vec<u16> = bytes.chunks(2).map(|c| u16::from_le_bytes([c[0], c[1]])).collect();
    let made = palette([12, 0, 8], &words, true, false).unwrap();
    assert_eq!([0.0, 1.0, 2.0, 5.0, 6.0, 11.0].map(|v| made.pick(v)[0]), [0, 100, 105, 120, 0, 120]);
}

#[test]
fn damaged_tables_are_told_and_never_panic() {
    for words in [
        vec![],
        vec![0],
        vec![0, 9, 1],
        vec![1, 4, 100],
        vec![7, 1, 1],
        // Indirect to itself, beyond the end, and to nothing.
        vec![0, 1, 5, 2, 65_535, 6, 0],
        vec![0, 1, 5, 2, 1, 0xFFFF, 0xFFFF],
        vec![2, 1, 0],
    ] {
        assert!(palette([256, 0, 16], &words, true, false).is_err(), "{words:?}");
    }
    for descriptor in [[4, 0, 0], [4, 0, 17], [4, 0, 65_535]] {
        assert!(palette(descriptor, &[1, 2, 3, 4], false, false).is_err(), "{descriptor:?}");
    }
    assert!(palette([4, 0, 16], &[], false, false).is_err());
    // Fewer entries than declared: those that are there.
    assert_eq!(palette([0, 0, 16], &[0x100, 0x200], false, false).unwrap().pick(60_000.0), [2; 3]);
}

#[test]
fn voi_tables_are_read_as_far_as_they_are_whole() {
    let table = |descriptor: &[u16], data: &[u16], name: &str| {
        let mut item = Object::new();
        item.u16s(tags::LUT_DESCRIPTOR, descriptor).text(tags::LUT_EXPLANATION, VR::LO, name).u16s(tags::LUT_DATA, data);
        item
    };
    let mut object = Object::new();
    object.items(
        tags::VOILUT_SEQUENCE,
        vec![
            table(&[3, 65_534, 12], &[0, 2048, 4095], "HARD"),
            table(&[3, 0, 99], &[0], ""),
            table(&[3, 0], &[0], ""),
            table(&[3, 0, 12], &[], ""),
        ],
    );
    let (tables, n_damaged) = voi_tables(&dataset(object).root(), true);
    assert_eq!((tables.len(), n_damaged), (1, 3));
    assert_eq!((tables[0].name.as_str(), tables[0].center, tables[0].width), ("HARD", -0.5, 3.0));
    assert!(matches!(&tables[0].curve, Curve::Table(t) if t.first == -2 && t.white == 4095));
    assert_eq!((tables[0].share(-2.0), tables[0].share(0.0)), (0.0, 1.0));
}

#[test]
fn descriptors_keep_their_sign() {
    let read = |vr, bytes: Vec<u8>, is_signed| {
        let mut object = Object::new();
        object.bytes(tags::LUT_DESCRIPTOR, vr, bytes);
        Descriptor::read(&dataset(object).root(), tags::LUT_DESCRIPTOR, is_signed)
    };
    let bytes = [0_u16, 0x8000, 16].iter().flat_map(|v| v.to_le_bytes()).collect::<Vec<u8>>();
    for vr in [VR::US, VR::SS] {
        assert_eq!(read(vr, bytes.clone(), true), Some(Descriptor { n: 65_536, first: -32_768, bits: 16 }));
        assert_eq!(read(vr, bytes.clone(), false), Some(Descriptor { n: 65_536, first: 32_768, bits: 16 }));
    }
    assert_eq!(read(VR::DS, b"a\\b\\c".to_vec(), false), None);
    assert_eq!(read(VR::DS, b"1e9\\-1e9\\16".to_vec(), false), None);
    assert_eq!(read(VR::DS, b"1\\0\\nan ".to_vec(), false), None);
}

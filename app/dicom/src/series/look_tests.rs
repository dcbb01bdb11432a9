use super::*;
use crate::source::InMemory;
use crate::write::Object;
use dicom_core::{Tag, VR};
use dicom_dictionary_std::tags;
use mj_model::{Cover, Curve, Padding, Voxel};

/// A grey image of 16 bits allocated, 12 stored, with what a test adds.
fn image(rows: u16, columns: u16, frames: &str, cells: &[u16], add: impl FnOnce(&mut Object)) -> Stack {
    let mut object = Object::new();
    object
        .uid(tags::STUDY_INSTANCE_UID, "1.2.3.1")
        .uid(tags::SERIES_INSTANCE_UID, "1.2.3.2")
        .text(tags::MODALITY, VR::CS, "OT")
        .u16s(tags::SAMPLES_PER_PIXEL, &[1])
        .text(tags::PHOTOMETRIC_INTERPRETATION, VR::CS, "MONOCHROME2")
        .text(tags::NUMBER_OF_FRAMES, VR::IS, frames)
        .u16s(tags::ROWS, &[rows])
        .u16s(tags::COLUMNS, &[columns])
        .u16s(tags::BITS_ALLOCATED, &[16])
        .u16s(tags::BITS_STORED, &[12])
        .u16s(tags::HIGH_BIT, &[11])
        .u16s(tags::PIXEL_REPRESENTATION, &[0])
        .bytes(tags::PIXEL_DATA, VR::OW, cells.iter().flat_map(|c| c.to_le_bytes()).collect());
    add(&mut object);
    let bytes = object.into_file("1.2.840.10008.5.1.4.1.1.7", "1.2.3.4").unwrap();
    let file: Arc<dyn Source> = Arc::new(InMemory { name: "test".into(), bytes });
    open(&[file], &Watch::default()).unwrap().stacks.remove(0)
}

fn codes(stack: &Stack) -> Vec<&str> {
    stack.warnings().iter().map(|w| w.code.as_str()).filter(|code| !code.starts_with("geometry.no_")).collect()
}

fn covered(stack: &Stack, k: usize) -> Vec<u8> {
    stack.load_image(k).unwrap().cover.map(|c| c.pixels).unwrap_or_default()
}

#[test]
fn overlays_in_unused_bits_are_graphics_and_no_values() {
    // Bit 15 of the second and third cell, bit 13 of the first; 12 bits of sample below.
    let cells = [0x2005, 0x8006, 0x8FFF, 0x0008];
    let group = |object: &mut Object, group: u16, bit: u16| {
        object
            .u16s(Tag(group, 0x0010), &[1])
            .u16s(Tag(group, 0x0011), &[4])
            .text(Tag(group, 0x0040), VR::CS, "G")
            .u16s(Tag(group, 0x0100), &[16])
            .u16s(Tag(group, 0x0102), &[bit]);
    };
    let stack = image(1, 4, "1", &cells, |o| group(o, 0x6000, 15));
    assert_eq!(covered(&stack, 0), [0, Cover::GRAPHIC, Cover::GRAPHIC, 0]);
    let volume = stack.load_image(0).unwrap().volume;
    assert_eq!((0..4).map(|i| volume.stored(Voxel { i, j: 0, k: 0 }).unwrap()).collect::<Vec<_>>(), [5.0, 6.0, 4095.0, 8.0]);
    // The last group there is; and a bit of the sample itself, which is none.
    assert_eq!(covered(&image(1, 4, "1", &cells, |o| group(o, 0x601E, 13)), 0), [Cover::GRAPHIC, 0, 0, 0]);
    for bit in [0, 11, 16, 999] {
        assert!(covered(&image(1, 4, "1", &cells, |o| group(o, 0x6000, bit)), 0).is_empty(), "{bit}");
    }
}

#[test]
fn overlay_planes_lie_where_their_origin_says() {
    let plane = |origin: [u16; 2], frames: Option<&'static str>, data: Vec<u8>| {
        move |o: &mut Object| {
            let origin: Vec<u8> = origin.iter().flat_map(|v| v.to_le_bytes()).collect();
            o.u16s(Tag(0x6002, 0x0010), &[2])
                .u16s(Tag(0x6002, 0x0011), &[3])
                .bytes(Tag(0x6002, 0x0050), VR::SS, origin)
                .u16s(Tag(0x6002, 0x0100), &[1])
                .u16s(Tag(0x6002, 0x0102), &[0])
                .bytes(Tag(0x6002, 0x3000), VR::OW, data);
            if let Some(frames) = frames {
                o.text(Tag(0x6002, 0x0015), VR::IS, frames);
            }
        }
    };
    let g = Cover::GRAPHIC;
    // Rows 1 0 1, 0 1 0, from the lowest bit on.
    let bits = vec![0b01_0101, 0];
    let stack = image(3, 3, "1", &[0; 9], plane([2, 1], None, bits.clone()));
    assert_eq!(covered(&stack, 0), [0, 0, 0, g, 0, g, 0, g, 0]);
    // Partly outside the image, to the left and above.
    let stack = image(3, 3, "1", &[0; 9], plane([0, 0xFFFF], None, bits.clone()));
    assert!(covered(&stack, 0).is_empty());
    let stack = image(3, 3, "1", &[0; 9], plane([0, 0], None, bits));
    assert_eq!(covered(&stack, 0), [g, 0, 0, 0, 0, 0, 0, 0, 0]);
    // Two frames, not aligned to bytes: 6 bits each.
    let stack = image(3, 3, "2", &[0; 18], plane([1, 1], Some("2"), vec![0b0000_0001, 0b0000_1000]));
    assert_eq!(covered(&stack, 0), [g, 0, 0, 0, 0, 0, 0, 0, 0]);
    assert_eq!(covered(&stack, 1), [0, 0, 0, 0, 0, g, 0, 0, 0]);
    // Data that ends too early.
    assert!(covered(&image(3, 3, "1", &[0; 9], plane([1, 1], None, Vec::new())), 0).is_empty());
}

#[test]
fn shutters_hide_what_lies_outside() {
    let hidden =
        |stack: &Stack| covered(stack, 0).iter().map(|p| char::from(if p & Cover::SHUTTER != 0 { b'#' } else { b'.' })).collect::<String>();
    let rectangle = |o: &mut Object, shapes: &[&str]| {
        o.values(tags::SHUTTER_SHAPE, VR::CS, shapes)
            .text(tags::SHUTTER_LEFT_VERTICAL_EDGE, VR::IS, "2")
            .text(tags::SHUTTER_RIGHT_VERTICAL_EDGE, VR::IS, "4")
            .text(tags::SHUTTER_UPPER_HORIZONTAL_EDGE, VR::IS, "1")
            .text(tags::SHUTTER_LOWER_HORIZONTAL_EDGE, VR::IS, "2")
            .u16s(tags::SHUTTER_PRESENTATION_VALUE, &[0x8000]);
    };
    let stack = image(3, 5, "1", &[0; 15], |o| rectangle(o, &["RECTANGULAR"]));
    assert_eq!(hidden(&stack), "#...##...######");
    assert_eq!(stack.load_image(0).unwrap().cover.unwrap().shutter_grey, 128);
    let circle = |o: &mut Object| {
        o.text(tags::CENTER_OF_CIRCULAR_SHUTTER, VR::IS, "2\\3").text(tags::RADIUS_OF_CIRCULAR_SHUTTER, VR::IS, "1");
    };
    let stack = image(3, 5, "1", &[0; 15], |o| {
        o.text(tags::SHUTTER_SHAPE, VR::CS, "CIRCULAR");
        circle(o);
    });
    assert_eq!(hidden(&stack), "##.###...###.##");
    // Both: only what is inside both.
    let stack = image(3, 5, "1", &[0; 15], |o| {
        rectangle(o, &["RECTANGULAR", "CIRCULAR"]);
        circle(o);
    });
    assert_eq!(hidden(&stack), "##.###...######");
    // A triangle; and polygons and circles that say nothing hide nothing.
    let polygon = |vertices: &'static str| {
        image(4, 5, "1", &[0; 20], move |o| {
            o.text(tags::SHUTTER_SHAPE, VR::CS, "POLYGONAL").text(tags::VERTICES_OF_THE_POLYGONAL_SHUTTER, VR::IS, vertices);
        })
    };
    assert_eq!(hidden(&polygon("0\\0\\0\\6\\6\\0")), "....#".to_owned() + "...##" + "..###" + ".####");
    assert_eq!(hidden(&polygon("1\\1\\2\\2")), "");
    assert_eq!(hidden(&polygon("x")), "");
}

#[test]
fn padding_is_background_with_its_limit() {
    let stack = image(1, 5, "1", &[0, 3, 7, 8, 4095], |o| {
        o.u16s(tags::PIXEL_PADDING_VALUE, &[7]).u16s(tags::PIXEL_PADDING_RANGE_LIMIT, &[3]);
    });
    let image = stack.load_image(0).unwrap();
    assert_eq!(image.volume.padding, Some(Padding { low: 3.0, high: 7.0 }));
    assert_eq!(image.cover.unwrap().pixels, [0, Cover::PADDING, Cover::PADDING, 0, 0]);
}

#[test]
fn windows_have_their_functions_and_tables_come_first() {
    let stack = image(1, 2, "1", &[0; 2], |o| {
        let mut lut = Object::new();
        lut.u16s(tags::LUT_DESCRIPTOR, &[2, 0, 8]).u16s(tags::LUT_DATA, &[0, 255]);
        o.text(tags::WINDOW_CENTER, VR::DS, "100\\200")
            .text(tags::WINDOW_WIDTH, VR::DS, "50\\60")
            .values(tags::WINDOW_CENTER_WIDTH_EXPLANATION, VR::LO, &["A", "B"])
            .text(tags::VOILUT_FUNCTION, VR::CS, "SIGMOID")
            .items(tags::VOILUT_SEQUENCE, vec![lut]);
    });
    let found: Vec<(&str, bool, bool)> =
        stack.windows().iter().map(|w| (w.name.as_str(), w.table().is_some(), w.curve == Curve::Sigmoid)).collect();
    assert_eq!(found, [("", true, false), ("A", false, true), ("B", false, true)]);
    assert_eq!(codes(&stack), [""; 0]);
}

#[test]
fn black_and_white_are_turned_once() {
    let shown = |photometric: &'static str, shape: &'static str| {
        let stack = image(1, 2, "1", &[0; 2], |o| {
            o.text(tags::PHOTOMETRIC_INTERPRETATION, VR::CS, photometric);
            if !shape.is_empty() {
                o.text(tags::PRESENTATION_LUT_SHAPE, VR::CS, shape);
            }
        });
        (stack.load_image(0).unwrap().volume.is_inverted, !codes(&stack).is_empty())
    };
    assert_eq!(shown("MONOCHROME2", ""), (false, false));
    assert_eq!(shown("MONOCHROME1", ""), (true, false));
    assert_eq!(shown("MONOCHROME1", "INVERSE"), (true, false));
    assert_eq!(shown("MONOCHROME2", "IDENTITY"), (false, false));
    // What contradicts itself is said.
    assert_eq!(shown("MONOCHROME1", "IDENTITY"), (true, true));
    assert_eq!(shown("MONOCHROME2", "INVERSE"), (true, true));
}

#[test]
fn frames_have_the_times_of_the_file() {
    let cine = |texts: &[(Tag, VR, &str)]| {
        let stack = image(1, 1, "3", &[0; 3], |o| {
            for (tag, vr, text) in texts {
                o.text(*tag, *vr, text);
            }
        });
        stack.cine().cloned().unwrap()
    };
    let none = cine(&[]);
    assert!(!none.is_given && !none.is_sweeping && (none.ms(0) - 1000.0 / 15.0).abs() < 1e-9);
    let time = (tags::FRAME_TIME, VR::DS, "40");
    assert_eq!(cine(&[time]).ms(2), 40.0);
    let vector = cine(&[(tags::FRAME_TIME_VECTOR, VR::DS, "0\\20\\60")]);
    assert_eq!([0, 1, 2, 9].map(|k| vector.ms(k)), [20.0, 60.0, 60.0, 60.0]);
    assert_eq!(cine(&[time, (tags::RECOMMENDED_DISPLAY_FRAME_RATE, VR::IS, "10")]).ms(0), 100.0);
    assert!(cine(&[(tags::PREFERRED_PLAYBACK_SEQUENCING, VR::IS, "1")]).is_sweeping);
    // Times that cannot be: as if there were none.
    for wrong in ["0", "-5", "1e9", "x"] {
        assert!(!cine(&[(tags::FRAME_TIME, VR::DS, wrong)]).is_given, "{wrong}");
    }
}

#[test]
fn lengths_on_a_detector_are_no_lengths_in_the_patient() {
    let stack = |modality: &'static str, imager: &'static str, pixel: &'static str, calibration: &'static str| {
        image(2, 2, "1", &[0; 4], |o| {
            o.text(tags::MODALITY, VR::CS, modality);
            for (tag, vr, text) in [
                (tags::IMAGER_PIXEL_SPACING, VR::DS, imager),
                (tags::PIXEL_SPACING, VR::DS, pixel),
                (tags::PIXEL_SPACING_CALIBRATION_TYPE, VR::CS, calibration),
            ] {
                if !text.is_empty() {
                    o.text(tag, vr, text);
                }
            }
        })
    };
    let known = |s: Stack| (s.is_calibrated(), s.detector_mm(0), s.grid().map(|g| [g.spacing_mm[0], g.spacing_mm[1]]));
    assert_eq!(known(stack("DX", "0.2\\0.1", "", "")), (false, Some([0.1, 0.2]), Some([1.0, 2.0])));
    assert_eq!(known(stack("DX", "0.2\\0.1", "0.2\\0.1", "")), (false, Some([0.1, 0.2]), Some([1.0, 2.0])));
    assert_eq!(known(stack("DX", "0.2\\0.2", "0.2\\0.2", "GEOMETRY")), (true, None, Some([0.2, 0.2])));
    assert_eq!(known(stack("DX", "0.2\\0.2", "0.15\\0.15", "")), (true, None, Some([0.15, 0.15])));
    let unclear = stack("CR", "", "0.15\\0.15", "");
    assert_eq!(codes(&unclear), ["geometry.spacing_plane_unknown"]);
    assert!(unclear.is_calibrated());
    assert!(stack("CT", "", "0.15\\0.15", "").is_calibrated());
}

#[test]
fn ultrasound_regions_give_lengths_inside_them_only() {
    let stack = image(20, 20, "1", &[0; 400], |o| {
        let mut region = Object::new();
        region
            .u16s(tags::REGION_SPATIAL_FORMAT, &[1])
            .u16s(tags::REGION_DATA_TYPE, &[1])
            .u32s(tags::REGION_LOCATION_MIN_X0, &[2])
            .u32s(tags::REGION_LOCATION_MIN_Y0, &[2])
            .u32s(tags::REGION_LOCATION_MAX_X1, &[15])
            .u32s(tags::REGION_LOCATION_MAX_Y1, &[15])
            .u16s(tags::PHYSICAL_UNITS_X_DIRECTION, &[3])
            .u16s(tags::PHYSICAL_UNITS_Y_DIRECTION, &[3])
            .f64s(tags::PHYSICAL_DELTA_X, &[0.05])
            .f64s(tags::PHYSICAL_DELTA_Y, &[-0.04]);
        o.text(tags::MODALITY, VR::CS, "US").items(tags::SEQUENCE_OF_ULTRASOUND_REGIONS, vec![region]);
    });
    let mm = stack.region_mm(0, [3.0, 3.0], [10.0, 10.0]).unwrap();
    assert!((mm[0] - 0.5).abs() < 1e-12 && (mm[1] - 0.4).abs() < 1e-12, "{mm:?}");
    assert_eq!(stack.region_mm(0, [0.0, 3.0], [10.0, 10.0]), None);
    assert!(!stack.is_calibrated());
    assert_eq!(codes(&stack), ["geometry.only_regions"]);
}

#[test]
fn a_supplemental_palette_colours_only_what_lies_in_it() {
    let stack = image(1, 3, "1", &[0, 100, 201], |o| {
        o.text(tags::PIXEL_PRESENTATION, VR::CS, "COLOR").text(tags::WINDOW_CENTER, VR::DS, "100.5").text(
            tags::WINDOW_WIDTH,
            VR::DS,
            "201",
        );
        for (n, [descriptor, data]) in [
            [tags::RED_PALETTE_COLOR_LOOKUP_TABLE_DESCRIPTOR, tags::RED_PALETTE_COLOR_LOOKUP_TABLE_DATA],
            [tags::GREEN_PALETTE_COLOR_LOOKUP_TABLE_DESCRIPTOR, tags::GREEN_PALETTE_COLOR_LOOKUP_TABLE_DATA],
            [tags::BLUE_PALETTE_COLOR_LOOKUP_TABLE_DESCRIPTOR, tags::BLUE_PALETTE_COLOR_LOOKUP_TABLE_DATA],
        ]
        .into_iter()
        .enumerate()
        {
            let entry = [0x1100_u16, 0x2200 * (n as u16 + 1)];
            o.u16s(descriptor, &[2, 200, 16]).bytes(data, VR::OW, entry.iter().flat_map(|e| e.to_le_bytes()).collect());
        }
    });
    assert!(stack.is_colour());
    let colour = stack.load_colour(0).unwrap();
    assert_eq!(colour.rgb, [[0; 3], [128; 3], [0x22, 0x44, 0x66]]);
    assert_eq!(colour.at(2, 0), Some([0x22, 0x44, 0x66]));
    assert_eq!(colour.at(3, 0), None);
    assert!(image(1, 1, "1", &[0], |_| {}).load_colour(0).is_err());
}

#[test]
fn a_modality_table_of_bytes_gives_values_in_its_unit() {
    let stack = image(1, 3, "1", &[0, 1, 9], |o| {
        let mut lut = Object::new();
        // Packed bytes of 8 bits.
        lut.u16s(tags::LUT_DESCRIPTOR, &[2, 0, 8]).text(tags::MODALITY_LUT_TYPE, VR::LO, "HU").bytes(tags::LUT_DATA, VR::OW, vec![7, 250]);
        o.items(tags::MODALITY_LUT_SEQUENCE, vec![lut]);
    });
    assert_eq!(stack.unit(), Unit::hu());
    let volume = stack.load_image(0).unwrap().volume;
    assert_eq!((0..3).map(|i| volume.value(Voxel { i, j: 0, k: 0 }).unwrap()).collect::<Vec<_>>(), [7.0, 250.0, 250.0]);
    assert_eq!(codes(&stack), ["pixel.modality_lut"]);
}

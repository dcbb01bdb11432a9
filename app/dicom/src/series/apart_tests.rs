//! Several images of one place, localizers, multi-frame objects: what is parted, and what the parts are called.

use super::made::{AXIAL, CT, ENHANCED_CT, ENHANCED_MR, Kind as Made, MR, Plane};
use super::{Kind, Series, Stack, Trait, open};
use crate::source::Source;
use crate::watch::Watch;
use crate::write::Object;
use dicom_core::{Tag, VR};
use dicom_dictionary_std::tags;
use std::sync::Arc;

const IN_CT: Made = Made::of(CT, "CT", 4, 4, [1.0, 1.0]);
const IN_MR: Made = Made::of(MR, "MR", 4, 4, [1.0, 1.0]);
const CORONAL: [f64; 6] = [1.0, 0.0, 0.0, 0.0, 0.0, -1.0];

fn plane(orientation: [f64; 6], position: [f64; 3], value: i16) -> Plane {
    Plane { position, orientation, samples: vec![value; 16] }
}

fn axial(z: f64, value: i16) -> Plane {
    plane(AXIAL, [0.0, 0.0, z], value)
}

fn opened(files: &[Arc<dyn Source>]) -> Series {
    open(files, &Watch::default()).unwrap()
}

fn codes(stack: &Stack) -> Vec<&str> {
    stack.warnings().iter().map(|w| w.code.as_str()).collect()
}

/// Kind, number of images, names as `code=value`, and the value of the first pixel of each image.
fn seen(series: &Series) -> Vec<(Kind, Vec<String>, Vec<f64>)> {
    let of = |stack: &Stack| {
        let names = stack.apart().iter().map(|a| format!("{}={}", a.what.code(), a.value)).collect();
        let values = (0..stack.n_slices()).map(|k| stack.load_slice(k).unwrap().samples.stored(0).unwrap()).collect();
        (stack.kind(), names, values)
    };
    series.stacks.iter().map(of).collect()
}

/// Sets of three slices at the same places, each with an attribute of its own; the values of set n are n0, n1, n2.
fn sets(made: Made, edits: &[&dyn Fn(&mut Object)]) -> Series {
    let mut files = Vec::new();
    for k in 0..3_i16 {
        for (set, edit) in edits.iter().enumerate() {
            let value = set as i16 * 10 + k;
            // Instance numbers run against the order of the sets, so that they cannot be what parts them.
            let number = 100 - i64::from(value);
            files.push(made.image(number, &axial(f64::from(k) * 2.0, value), edit));
        }
    }
    let series = opened(&files);
    for stack in &series.stacks {
        assert!(stack.warnings().is_empty(), "{:?}", stack.warnings());
    }
    series
}

fn check(made: Made, edits: &[&dyn Fn(&mut Object)], names: &[&str]) {
    let found = seen(&sets(made, edits));
    let expected: Vec<(Kind, Vec<String>, Vec<f64>)> = names
        .iter()
        .enumerate()
        .map(|(set, name)| {
            let names = name.split(' ').map(str::to_owned).collect();
            (Kind::Volume, names, (0..3).map(|k| (set * 10 + k) as f64).collect())
        })
        .collect();
    assert_eq!(found, expected);
}

#[test]
fn each_reason_parts_and_names() {
    let float = |tag: Tag, value: f64| {
        move |o: &mut Object| {
            o.f64s(tag, &[value]);
        }
    };
    let number = |tag: Tag, value: f64| {
        move |o: &mut Object| {
            o.decimals(tag, &[value]);
        }
    };
    let text = |tag: Tag, value: &'static str| {
        move |o: &mut Object| {
            o.bytes(tag, VR::CS, value.into());
        }
    };
    let b = |value| float(tags::DIFFUSION_B_VALUE, value);
    check(IN_MR, &[&b(0.0), &b(500.0), &b(1000.0)], &["b_value=0", "b_value=500", "b_value=1000"]);
    let echo = |value| number(tags::ECHO_TIME, value);
    check(IN_MR, &[&echo(12.0), &echo(80.5)], &["echo=12", "echo=80.5"]);
    let phase = |value| number(tags::TEMPORAL_POSITION_IDENTIFIER, value);
    check(IN_MR, &[&phase(1.0), &phase(2.0)], &["phase=1", "phase=2"]);
    let acquisition = |value| number(tags::ACQUISITION_NUMBER, value);
    check(IN_CT, &[&acquisition(3.0), &acquisition(4.0)], &["acquisition=3", "acquisition=4"]);
    let kernel = |value| text(tags::CONVOLUTION_KERNEL, value);
    check(IN_CT, &[&kernel("B30f"), &kernel("B70f")], &["kernel=B30f", "kernel=B70f"]);
    let image = |value| text(tags::IMAGE_TYPE, value);
    check(IN_MR, &[&image("DERIVED\\PRIMARY\\FAT"), &image("DERIVED\\PRIMARY\\WATER")], &["image_type=FAT", "image_type=WATER"]);
    let trigger = |value| number(tags::TRIGGER_TIME, value);
    check(IN_MR, &[&trigger(0.0), &trigger(350.0)], &["trigger_time=0", "trigger_time=350"]);
    let voltage = |value| number(tags::KVP, value);
    check(IN_CT, &[&voltage(80.0), &voltage(140.0)], &["voltage=80", "voltage=140"]);
}

#[test]
fn reasons_combine_and_what_has_none_is_counted() {
    let both = |b: f64, direction: [f64; 3]| {
        move |o: &mut Object| {
            o.f64s(tags::DIFFUSION_B_VALUE, &[b]).f64s(tags::DIFFUSION_GRADIENT_ORIENTATION, &direction);
        }
    };
    check(
        IN_MR,
        &[&both(0.0, [0.0; 3]), &both(1000.0, [0.0, 1.0, 0.0]), &both(1000.0, [1.0, 0.0, 0.0])],
        &["b_value=0", "b_value=1000 direction=1", "b_value=1000 direction=2"],
    );
    let nothing = |_: &mut Object| ();
    let found = seen(&sets(IN_MR, &[&nothing, &nothing]));
    assert_eq!(found.iter().map(|s| s.1.join(" ")).collect::<Vec<_>>(), ["set=1", "set=2"]);
}

#[test]
fn times_that_differ_from_slice_to_slice_are_ranked() {
    let mut files = Vec::new();
    for k in 0..4_i16 {
        for phase in 0..3_i16 {
            let at = f64::from(phase) * 40.0 + f64::from(k) * 1.25;
            let image = IN_MR.image(i64::from(k * 3 + 3 - phase), &axial(f64::from(k), phase * 10 + k), |o| {
                o.decimals(tags::TRIGGER_TIME, &[at]);
            });
            files.push(image);
        }
    }
    let found = seen(&opened(&files));
    assert_eq!(found.iter().map(|s| s.1.join(" ")).collect::<Vec<_>>(), ["phase=1", "phase=2", "phase=3"]);
    assert_eq!(found[2].2, [20.0, 21.0, 22.0, 23.0]);
}

#[test]
fn a_value_that_does_not_explain_parts_nothing() {
    // One acquisition for each slice, as a sequential head CT counts.
    let files: Vec<_> = (0..4_i16)
        .map(|k| {
            IN_CT.image(i64::from(k), &axial(f64::from(k), k), |o| {
                o.integer(tags::ACQUISITION_NUMBER, i64::from(k));
            })
        })
        .collect();
    assert_eq!(seen(&opened(&files)), [(Kind::Volume, vec![], vec![0.0, 1.0, 2.0, 3.0])]);
}

#[test]
fn acquisitions_that_overlap_are_apart_and_those_that_interleave_evenly_are_not() {
    let of = |places: &[f64], acquisition: i64, from: i16| -> Vec<Arc<dyn Source>> {
        let image = |(n, z): (usize, &f64)| {
            IN_CT.image(i64::from(from) + n as i64, &axial(*z, from + n as i16), |o| {
                o.integer(tags::ACQUISITION_NUMBER, acquisition);
            })
        };
        places.iter().enumerate().map(image).collect()
    };
    let files = [of(&[0.0, 5.0, 10.0, 15.0], 1, 10), of(&[8.0, 13.0, 18.0, 23.0], 2, 20)].concat();
    let found = seen(&opened(&files));
    assert_eq!(
        found,
        [
            (Kind::Volume, vec!["acquisition=1".to_owned()], vec![10.0, 11.0, 12.0, 13.0]),
            (Kind::Volume, vec!["acquisition=2".to_owned()], vec![20.0, 21.0, 22.0, 23.0])
        ]
    );
    // Packages of one scan.
    let files = [of(&[0.0, 4.0, 8.0], 1, 10), of(&[2.0, 6.0, 10.0], 2, 20)].concat();
    assert_eq!(seen(&opened(&files)), [(Kind::Volume, vec![], vec![10.0, 20.0, 11.0, 21.0, 12.0, 22.0])]);
}

#[test]
fn localizers_are_a_stack_of_their_own() {
    let mut files: Vec<_> = (0..8_i16).map(|k| IN_CT.image(i64::from(k), &axial(f64::from(k), k), |_| ())).collect();
    files.push(IN_CT.image(90, &plane(CORONAL, [0.0, 0.0, 0.0], 90), |o| {
        o.bytes(tags::IMAGE_TYPE, VR::CS, b"ORIGINAL\\PRIMARY\\LOCALIZER".to_vec());
    }));
    // In the plane of the others, but a localizer by name.
    files.push(IN_CT.image(91, &axial(40.0, 91), |o| {
        o.bytes(tags::IMAGE_TYPE, VR::CS, b"ORIGINAL\\PRIMARY\\LOCALIZER".to_vec());
    }));
    let series = opened(&files);
    let found = seen(&series);
    assert_eq!(found[0], (Kind::Volume, vec![], (0..8).map(f64::from).collect()));
    assert_eq!((found.len(), found[1].0, found[1].2.clone()), (2, Kind::Stack, vec![90.0, 91.0]));
    assert!(codes(&series.stacks[1]).contains(&"geometry.localizer") && !codes(&series.stacks[0]).contains(&"geometry.localizer"));
    // Without a name: three planes of three images each.
    let sagittal = [0.0, 1.0, 0.0, 0.0, 0.0, -1.0];
    let mut files = Vec::new();
    for (at, orientation) in [AXIAL, CORONAL, sagittal].into_iter().enumerate() {
        for n in 0..3_i16 {
            let position = [f64::from(n), f64::from(n), f64::from(n)];
            files.push(IN_MR.image(at as i64 * 10 + i64::from(n), &plane(orientation, position, n), |_| ()));
        }
    }
    let series = opened(&files);
    assert_eq!(series.stacks.iter().map(|s| (s.kind(), s.n_slices())).collect::<Vec<_>>(), [(Kind::Stack, 3); 3]);
    assert!(series.stacks.iter().all(|s| codes(s) == ["geometry.localizer", "geometry.mixed_orientation"]), "{:?}", series.stacks);
}

#[test]
fn one_place_in_time_is_a_cine() {
    let files: Vec<_> = (0..6_i16)
        .map(|n| {
            IN_MR.image(i64::from(n), &axial(3.0, n), |o| {
                o.decimals(tags::TRIGGER_TIME, &[f64::from(n) * 30.0]);
            })
        })
        .collect();
    assert_eq!(seen(&opened(&files)), [(Kind::Cine, vec![], (0..6).map(f64::from).collect())]);
}

#[test]
fn frames_of_an_enhanced_object_are_parted_by_its_dimensions() {
    let made = Made::of(ENHANCED_MR, "MR", 4, 4, [1.0, 1.0]);
    // Two echoes of three slices, stored echo by echo in falling order of z.
    let planes: Vec<Plane> = (0..6_i16).map(|n| axial(-2.0 * f64::from(n % 3), n)).collect();
    let pointers = |object: &mut Object| {
        let pointer = |tag: Tag| {
            let mut item = Object::new();
            item.bytes(tags::DIMENSION_INDEX_POINTER, VR::AT, [tag.group().to_le_bytes(), tag.element().to_le_bytes()].concat());
            item
        };
        let all = [tags::STACK_ID, tags::IN_STACK_POSITION_NUMBER, tags::EFFECTIVE_ECHO_TIME].map(pointer);
        object.items(tags::DIMENSION_INDEX_SEQUENCE, all.to_vec());
    };
    let indices = |at: usize, content: &mut Object| {
        content.text(tags::STACK_ID, VR::SH, "1").u32s(tags::DIMENSION_INDEX_VALUES, &[1, at as u32 % 3 + 1, at as u32 / 3 + 1]);
    };
    let by_index = made.frames(&planes, |at, _, content| indices(at, content), pointers);
    let expected = |names: [&str; 2]| {
        [(names[0], [2.0, 1.0, 0.0]), (names[1], [5.0, 4.0, 3.0])].map(|(name, v)| (Kind::Volume, vec![name.to_owned()], v.to_vec()))
    };
    assert_eq!(seen(&opened(&[by_index])), expected(["dimension=1", "dimension=2"]));
    let by_echo = made.frames(
        &planes,
        |at, groups, content| {
            indices(at, content);
            let mut echo = Object::new();
            echo.f64s(tags::EFFECTIVE_ECHO_TIME, &[if at < 3 { 12.0 } else { 90.0 }]);
            groups.item(tags::MR_ECHO_SEQUENCE, echo);
        },
        pointers,
    );
    assert_eq!(seen(&opened(&[by_echo])), expected(["echo=12", "echo=90"]));
    let by_phase = Made::of(ENHANCED_CT, "CT", 4, 4, [1.0, 1.0]).frames(
        &planes,
        |at, _, content| {
            content.u32s(tags::TEMPORAL_POSITION_INDEX, &[at as u32 / 3 + 1]);
        },
        |_| (),
    );
    assert_eq!(seen(&opened(&[by_phase])), expected(["phase=1", "phase=2"]));
    // Two stacks of one orientation, which together would look even.
    let planes: Vec<Plane> = (0..6_i16).map(|n| axial(f64::from(n), n)).collect();
    let stacks = made.frames(
        &planes,
        |at, _, content| {
            content.text(tags::STACK_ID, VR::SH, if at < 3 { "A" } else { "B" });
        },
        |_| (),
    );
    assert_eq!(opened(&[stacks]).stacks.iter().map(Stack::n_slices).collect::<Vec<_>>(), [3, 3]);
}

#[test]
fn real_multi_frame_objects_open_in_order() {
    for (file, n) in [("dwi_39frames.dcm", 39), ("mprage_128x128x96.dcm", 96), ("colour_fa_39frames.dcm", 39)] {
        let Some(path) = mj_testdata::path(&format!("mr/enhanced_mr_siemens_xa30/{file}")) else { return };
        let series = opened(&[Arc::new(path) as Arc<dyn Source>]);
        assert_eq!(series.stacks.iter().map(|s| (s.kind(), s.n_slices())).collect::<Vec<_>>(), [(Kind::Volume, n)], "{file}");
        assert!(!codes(&series.stacks[0]).iter().any(|code| code.starts_with("geometry.")), "{file}");
    }
}

#[test]
fn every_reason_has_a_name_of_its_own() {
    let mut names: Vec<&str> = Trait::all().map(Trait::code).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), Trait::all().count());
}

use super::*;
use crate::dataset::Dataset;
use crate::write::Object;
use dicom_core::VR;

/// A PET header of a man of 80 kg, 370 MBq of F-18 at 11:00, scanned at 12:00.
fn header() -> (Object, Object) {
    let mut tracer = Object::new();
    tracer
        .text(tags::RADIOPHARMACEUTICAL_START_TIME, VR::TM, "110000.00")
        .decimals(tags::RADIONUCLIDE_TOTAL_DOSE, &[370e6])
        .decimals(tags::RADIONUCLIDE_HALF_LIFE, &[6586.2]);
    let mut object = Object::new();
    object
        .uid(tags::STUDY_INSTANCE_UID, "2.25.1")
        .uid(tags::SERIES_INSTANCE_UID, "2.25.2")
        .text(tags::MODALITY, VR::CS, "PT")
        .text(tags::UNITS, VR::CS, "BQML")
        .text(tags::DECAY_CORRECTION, VR::CS, "START")
        .values(tags::CORRECTED_IMAGE, VR::CS, &["DECY", "ATTN", "SCAT"])
        .decimals(tags::PATIENT_WEIGHT, &[80.0])
        .decimals(tags::PATIENT_SIZE, &[1.8])
        .text(tags::PATIENT_SEX, VR::CS, "M")
        .text(tags::SERIES_DATE, VR::DA, "20261127")
        .text(tags::SERIES_TIME, VR::TM, "120000")
        .text(tags::ACQUISITION_DATE, VR::DA, "20261127")
        .text(tags::ACQUISITION_TIME, VR::TM, "120230.5");
    (object, tracer)
}

fn facts(edit: impl FnOnce(&mut Object, &mut Object)) -> Facts {
    let (mut object, mut tracer) = header();
    edit(&mut object, &mut tracer);
    object.item(tags::RADIOPHARMACEUTICAL_INFORMATION_SEQUENCE, tracer);
    let dataset = Dataset::read(&object.into_file(PET_IMAGES[0], "2.25.9").unwrap()).unwrap();
    Facts::of(&dataset.root(), &dataset.header().unwrap()).unwrap()
}

fn told(images: &[Facts]) -> Result<Suv, String> {
    let mut warnings = Vec::new();
    of_images(images.iter(), &mut warnings).ok_or_else(|| warnings.iter().map(|w| w.code.clone()).collect())
}

/// SUVbw of 1 Bq/ml when the dose has decayed for so long.
fn expected(decay_s: f64) -> f64 {
    80_000.0 / (370e6 * 0.5_f64.powf(decay_s / 6586.2))
}

fn check(edit: impl FnOnce(&mut Object, &mut Object), expected: f64) {
    let found = told(&[facts(edit)]).unwrap();
    assert!((found.body_weight / expected - 1.0).abs() < 1e-12, "{found:?} is not {expected}");
}

fn refused(edit: impl FnOnce(&mut Object, &mut Object), code: &str) {
    assert_eq!(told(&[facts(edit)]), Err(code.to_owned()));
}

#[test]
fn decay_is_taken_from_injection_to_scan() {
    check(|_, _| (), expected(3600.0));
    check(
        |o, _| {
            o.text(tags::DECAY_CORRECTION, VR::CS, "ADMIN");
        },
        expected(0.0),
    );
    // Given before midnight, scanned after it.
    check(
        |_, t| {
            t.text(tags::RADIOPHARMACEUTICAL_START_TIME, VR::TM, "2330");
        },
        expected(12.5 * 3600.0),
    );
    // With its day it needs no guess; it goes before the time alone.
    check(
        |_, t| {
            t.text(tags::RADIOPHARMACEUTICAL_START_DATE_TIME, VR::DT, "20261126235900.5");
        },
        expected(12.0 * 3600.0 + 59.5),
    );
    // Another half-life, a dose in Bq of Ga-68.
    check(
        |_, t| {
            t.decimals(tags::RADIONUCLIDE_HALF_LIFE, &[4057.74]);
        },
        80_000.0 / (370e6 * 0.5_f64.powf(3600.0 / 4057.74)),
    );
}

#[test]
fn a_series_made_later_is_not_the_scan() {
    let later = |o: &mut Object| {
        o.text(tags::SERIES_TIME, VR::TM, "180000");
    };
    check(|o, _| later(o), expected(3600.0 + 150.5));
    // Back from the mean of the frame: 300 s of frame, whose mean rate is 300 s after the scan began.
    let rate = 2_f64.ln() / 6586.2;
    let mean = ((rate * 300.0) / (1.0 - (-rate * 300.0).exp())).ln() / rate;
    check(
        |o, _| {
            later(o);
            o.decimals(tags::FRAME_REFERENCE_TIME, &[300_000.0]).integer(tags::ACTUAL_FRAME_DURATION, 300_000);
        },
        expected(3600.0 + 150.5 + mean - 300.0),
    );
    check(
        |o, _| {
            later(o);
            o.text(GE[0], VR::LO, "GEMS_PETD_01").text(GE[1], VR::DT, "20261127120100");
        },
        expected(3660.0),
    );
    // The earliest bed position counts.
    let mut early = facts(|o, _| later(o));
    let late = early.clone();
    early.acquired_at = early.acquired_at.map(|at| at.checked_sub(jiff::SignedDuration::from_secs(100)).unwrap());
    let found = told(&[late, early]).unwrap();
    assert!((found.body_weight / expected(3600.0 + 50.5) - 1.0).abs() < 1e-12);
}

#[test]
fn lean_body_mass_after_janmahasatian() {
    // 80 kg, 1.8 m: index 24.691358; men 9270 * 80 / (6680 + 216 * 24.691358), women 9270 * 80 / (8780 + 244 * 24.691358).
    for (sex, lean) in [("M", 2_224_800.0 / 36_040.0), ("F", 741_600.0 / (8780.0 + 244.0 * 80.0 / 3.24))] {
        let found = told(&[facts(|o, _| {
            o.text(tags::PATIENT_SEX, VR::CS, sex);
        })])
        .unwrap();
        assert!((found.lean_body_mass.unwrap() / found.body_weight * 80.0 - lean).abs() < 1e-9, "{sex} {found:?}");
    }
    for edit in [
        |o: &mut Object| {
            o.text(tags::PATIENT_SEX, VR::CS, "O");
        },
        |o: &mut Object| {
            o.decimals(tags::PATIENT_SIZE, &[0.0]);
        },
    ] {
        assert_eq!(told(&[facts(|o, _| edit(o))]).unwrap().lean_body_mass, None);
    }
}

#[test]
fn counts_need_the_makers_factor_and_uptake_needs_none() {
    let units = |o: &mut Object, units: &str| {
        o.text(tags::UNITS, VR::CS, units);
    };
    let philips = |o: &mut Object, tag: Tag, value: f64| {
        units(o, "CNTS");
        o.text(PHILIPS[0], VR::LO, "Philips PET Private Group").decimals(tag, &[value]);
    };
    check(|o, _| philips(o, PHILIPS[1], 0.000_551), 0.000_551);
    check(|o, _| philips(o, PHILIPS[2], 1.72), 1.72 * expected(3600.0));
    refused(|o, _| philips(o, PHILIPS[1], 0.0), "suv.units");
    refused(
        |o, _| {
            o.text(tags::UNITS, VR::CS, "CNTS").decimals(PHILIPS[1], &[0.5]);
        },
        "suv.units",
    );
    check(|o, _| units(o, "GML"), 1.0);
    let kind = |o: &mut Object, kind: &str| {
        units(o, "GML");
        o.text(tags::SUV_TYPE, VR::CS, kind);
    };
    check(|o, _| kind(o, "LBMJANMA"), 80.0 * 36_040.0 / 2_224_800.0);
    // James: 1.1 * 80 - 128 * (80 / 180)^2 = 62.716 kg.
    check(|o, _| kind(o, "LBMJAMES128"), 80.0 / (88.0 - 128.0 * (80.0_f64 / 180.0).powi(2)));
    refused(|o, _| kind(o, "BSA"), "suv.kind");
}

#[test]
fn what_cannot_be_computed_says_why() {
    let empty = |tag: Tag| {
        move |o: &mut Object, t: &mut Object| {
            o.empty(tag, VR::LO);
            t.empty(tag, VR::LO);
        }
    };
    refused(empty(tags::PATIENT_WEIGHT), "suv.no_weight");
    refused(empty(tags::RADIONUCLIDE_TOTAL_DOSE), "suv.no_dose");
    refused(empty(tags::RADIONUCLIDE_HALF_LIFE), "suv.no_half_life");
    refused(empty(tags::RADIOPHARMACEUTICAL_START_TIME), "suv.no_times");
    refused(empty(tags::ACQUISITION_TIME), "suv.no_times");
    refused(empty(tags::UNITS), "suv.units");
    refused(empty(tags::CORRECTED_IMAGE), "suv.not_attenuation_corrected");
    refused(
        |o, _| {
            o.values(tags::CORRECTED_IMAGE, VR::CS, &["ATTN"]);
        },
        "suv.not_decay_corrected",
    );
    refused(
        |o, _| {
            o.text(tags::DECAY_CORRECTION, VR::CS, "NONE");
        },
        "suv.not_decay_corrected",
    );
    refused(
        |_, t| {
            t.text(tags::RADIOPHARMACEUTICAL_START_DATE_TIME, VR::DT, "20261127130000");
        },
        "suv.times_contradict",
    );
    let other = facts(|o, _| {
        o.decimals(tags::PATIENT_WEIGHT, &[81.0]);
    });
    assert_eq!(told(&[facts(|_, _| ()), other]), Err("suv.varies".to_owned()));
    assert_eq!(told(&[]), Err(String::new()));
}

#[test]
fn times_as_files_write_them() {
    for (text, found) in [
        ("114500.25", Some("11:45:00.25")),
        ("1145", Some("11:45:00")),
        ("11", Some("11:00:00")),
        ("11:45:59", Some("11:45:59")),
        ("114560", Some("11:45:59")),
        ("", None),
        ("9", None),
        ("256000", None),
        ("ab", None),
        ("上午", None),
    ] {
        assert_eq!(time(text), found.map(|t| t.parse().unwrap()), "{text}");
    }
    assert_eq!(date_time("20261127113000.5").unwrap().to_string(), "2026-11-27T11:30:00.5");
    assert_eq!(date_time("20261127113000.5+0800"), None, "of another clock than the other times");
    assert_eq!((date_time("20261127"), date_time("2026"), date("20261341")), (None, None, None));
}

#[test]
fn real_pet_equals_the_computation_by_hand() {
    let Some(folder) = mj_testdata::path("pet/qin_headneck_0024_pet") else { return };
    let files: Vec<std::sync::Arc<dyn crate::source::Source>> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| std::sync::Arc::new(entry.unwrap().path()) as std::sync::Arc<dyn crate::source::Source>)
        .collect();
    let series = crate::series::open(&files, &crate::watch::Watch::default()).unwrap();
    let found = series.stacks[0].suv().unwrap();
    // 66.2 kg, 381.47 MBq at 11:39:00, series at 13:02:44.678, no height in the file.
    let by_hand = 66_200.0 / (381.47e6 * (-(2_f64.ln()) * 5024.678 / 6586.2).exp());
    assert!((found.body_weight / by_hand - 1.0).abs() < 1e-12, "{found:?}");
    assert_eq!(found.lean_body_mass, None);
}

use super::*;

fn small() -> Spec {
    Spec { seed: 7, slices: 24, size: 64 }
}

#[test]
fn the_same_bytes_whatever_the_threads() {
    let with = |threads: usize| {
        rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap().install(|| generate(&small(), &|_, _| ()).unwrap())
    };
    let (one, three) = (with(1), with(3));
    assert!(one == three);
    let other = generate(&Spec { seed: 8, ..small() }, &|_, _| ()).unwrap();
    assert!(other.current.hu != one.current.hu);
}

#[test]
fn left_is_left_and_the_truth_says_so() {
    let spec = Spec { seed: 1, slices: 75, size: 128 };
    let phantom = generate(&spec, &|_, _| ()).unwrap();
    let grid = phantom.current.grid;
    let centre_x = |label: u8| {
        let xs: Vec<f64> = phantom
            .labels
            .iter()
            .enumerate()
            .filter(|(_, l)| **l == label)
            .map(|(at, _)| grid.lps_from_voxel([(at % 128) as f64, 0.0, 0.0]).x)
            .collect();
        xs.iter().sum::<f64>() / xs.len() as f64
    };
    assert!(centre_x(scene::label::LIVER) < -20.0 && centre_x(scene::label::SPLEEN) > 50.0);
    assert!(centre_x(scene::label::HEART) > 5.0 && centre_x(1) < -30.0 && centre_x(4) > 30.0);
    let volume = |value: u8| {
        let rows = phantom.truth["labels"].as_array().unwrap();
        rows.iter().find(|r| r["value"] == value).unwrap()["volume_ml"].as_f64().unwrap()
    };
    // Ranges of grown-ups.
    for (value, low, high) in [
        (1, 500.0, 1600.0),
        (3, 600.0, 1800.0),
        (4, 500.0, 1700.0),
        (5, 500.0, 1700.0),
        (scene::label::HEART, 350.0, 900.0),
        (scene::label::LIVER, 1000.0, 2200.0),
        (scene::label::SPLEEN, 120.0, 400.0),
        (scene::label::LEFT_KIDNEY, 100.0, 250.0),
        (scene::label::RIGHT_KIDNEY, 90.0, 250.0),
        (scene::label::TUMOUR, 25.0, 45.0),
    ] {
        assert!((low..high).contains(&volume(value)), "label {value}: {} ml", volume(value));
    }
    let nodules = phantom.truth["nodules"].as_array().unwrap();
    assert_eq!(nodules.len(), 9);
    assert_eq!(nodules.iter().filter(|n| n["in_prior"].is_null()).count(), 1);
    assert_eq!(
        nodules.iter().filter(|n| n["in_prior"]["diameter_mm"].as_f64().is_some_and(|d| d < n["diameter_mm"].as_f64().unwrap())).count(),
        1
    );
}

#[test]
fn the_prior_maps_onto_the_present() {
    // A solid nodule's centre, mapped through the truth's matrix, is the nodule's centre.
    let phantom = generate(&small(), &|_, _| ()).unwrap();
    let m: Vec<Vec<f64>> = serde_json::from_value(phantom.truth["prior_to_current"].clone()).unwrap();
    for n in phantom.truth["nodules"].as_array().unwrap() {
        let Ok(p) = serde_json::from_value::<[f64; 3]>(n["in_prior"]["centre_lps"].clone()) else { continue };
        let c: [f64; 3] = serde_json::from_value(n["centre_lps"].clone()).unwrap();
        for r in 0..3 {
            let mapped = m[r][0] * p[0] + m[r][1] * p[1] + m[r][2] * p[2] + m[r][3];
            assert!((mapped - c[r]).abs() < 0.05, "{mapped} {}", c[r]);
        }
    }
}

#[test]
fn sizes_that_cannot_be_made_are_refused() {
    assert_eq!(generate(&Spec { seed: 1, slices: 2, size: 64 }, &|_, _| ()), Err(Error::BadPhantom { size: 64, slices: 2 }));
}

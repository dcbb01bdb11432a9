use super::*;
use crate::dataset::Dataset;
#[cfg(feature = "pixels")]
use mj_model::SopClassUid;
use mj_model::{PointLps, VectorLps};

fn dataset(relative: &str) -> Option<Dataset> {
    Some(Dataset::from_vec(std::fs::read(mj_testdata::path(relative)?).unwrap()).unwrap())
}

fn device() -> Device {
    Device { name: "Mingjing".into(), version: "0.1.0".into(), serial: "1".into(), uid: "2.25.1".into() }
}

fn input<'a>(context: &'a Context, grid: &'a Grid, sources: &'a [SliceSource], device: &'a Device, mask: &'a Mask) -> SegInput<'a> {
    SegInput {
        context,
        instance: InstanceUid::parse("2.25.11").unwrap(),
        series: SeriesUid::parse("2.25.12").unwrap(),
        series_number: 900,
        title: "分割 segmentation",
        creator: "Reader",
        grid,
        frame_of_reference: FrameOfReferenceUid::parse("2.25.13").unwrap(),
        source_series: context.series.clone(),
        sources,
        is_resampled: false,
        segments: vec![SegmentInput {
            label: "肝脏",
            category: Code::new("SCT", "123037004", "Anatomical Structure", "解剖结构"),
            kind: Code::new("SCT", "10200004", "Liver", "肝脏"),
            algorithm: Algorithm::Semiautomatic("region growing".into()),
            tracking: None,
            colour: [200, 80, 60],
            mask,
        }],
        at: Moment::parse("2026-11-21T08:10:00+08:00").unwrap(),
        device,
    }
}

fn odd_grid() -> Grid {
    Grid {
        dims: [7, 5, 4],
        origin: PointLps::new(-10.0, 20.0, 5.5),
        axes: [VectorLps::new(1.0, 0.0, 0.0), VectorLps::new(0.0, 0.0, -1.0), VectorLps::new(0.0, 1.0, 0.0)],
        spacing_mm: [0.5, 0.75, 2.0],
    }
}

#[cfg(feature = "pixels")]
#[test]
fn a_segment_says_its_side_by_its_type_or_its_region() {
    use crate::write::Object;
    let side = |of: dicom_core::Tag, modifier: dicom_core::Tag, code: &str| {
        let (mut segment, mut kind) = (Object::new(), Object::new());
        kind.code(modifier, &Code::new("SCT", code, "Left or right", ""));
        segment.item(of, kind);
        read::side(&Dataset::read(&segment.into_file(SEGMENTATION, "1.2.3").unwrap()).unwrap().root())
    };
    let by_type = |code| side(tags::SEGMENTED_PROPERTY_TYPE_CODE_SEQUENCE, tags::SEGMENTED_PROPERTY_TYPE_MODIFIER_CODE_SEQUENCE, code);
    let by_region = |code| side(tags::ANATOMIC_REGION_SEQUENCE, tags::ANATOMIC_REGION_MODIFIER_SEQUENCE, code);
    use mj_model::Side;
    assert_eq!([by_type("7771000"), by_type("24028007"), by_type("51440002")], [Side::Left, Side::Right, Side::Both]);
    assert_eq!([by_region("7771000"), by_region("24028007"), by_region("1")], [Side::Left, Side::Right, Side::None]);
}

#[cfg(feature = "pixels")]
#[test]
fn what_is_written_is_read_back() {
    let Some(source) = dataset("seg_sr/liver_ct3slice/ct/01.dcm") else { return };
    let (context, grid, device) = (Context::of(&source).unwrap(), odd_grid(), device());
    let mut mask = Mask::empty(grid);
    // Slices 0 and 3 only: 35 voxels a frame, so the second frame begins inside a byte.
    for at in [0, 3, 34, 3 * 35, 3 * 35 + 17, 3 * 35 + 34] {
        mask.voxels[at] = 1;
    }
    let sources: Vec<SliceSource> = (0..4)
        .map(|k| SliceSource {
            instance: InstanceUid::parse(&format!("2.25.10{k}")).unwrap(),
            sop_class: SopClassUid::parse("1.2.840.10008.5.1.4.1.1.2").unwrap(),
            frame: None,
        })
        .collect();
    let written = write(&input(&context, &grid, &sources, &device, &mask)).unwrap();
    assert_eq!(written.bytes, write(&input(&context, &grid, &sources, &device, &mask)).unwrap().bytes);
    crate::outside::keep(&written.bytes, "seg");
    crate::outside::dciodvfy(&written.bytes, "seg");
    let segments = read(&Dataset::read(&written.bytes).unwrap()).unwrap();
    assert_eq!((segments.len(), segments[0].label.as_str(), segments[0].number), (1, "肝脏", 1));
    let back = &segments[0].whole();
    assert_eq!(back.count(), 6);
    // The empty slices between are known by the distance named; here the two frames are 3 slices apart.
    assert!(back.grid.origin.distance_mm(grid.origin) < 1e-9);
    assert_eq!((back.grid.dims, back.grid.spacing_mm), (grid.dims, grid.spacing_mm));
    assert!((back.volume_ml() - mask.volume_ml()).abs() < 1e-12 && back.voxels == mask.voxels);
    // A frame lies on its source image; on planes computed between images it does not.
    for (is_resampled, told) in [(false, "YES"), (true, "NO")] {
        let written = write(&SegInput { is_resampled, ..input(&context, &grid, &sources, &device, &mask) }).unwrap();
        let dataset = Dataset::read(&written.bytes).unwrap();
        let frame = dataset.root().item(tags::PER_FRAME_FUNCTIONAL_GROUPS_SEQUENCE).unwrap();
        let source = frame.item(tags::DERIVATION_IMAGE_SEQUENCE).unwrap().item(tags::SOURCE_IMAGE_SEQUENCE).unwrap();
        assert_eq!(source.first_text(tags::SPATIAL_LOCATIONS_PRESERVED), told);
    }
}

#[cfg(feature = "pixels")]
#[test]
fn volumes_of_real_segmentations() {
    for (file, label, voxels, ml) in [
        ("seg_sr/liver_ct3slice/liver_seg.dcm", "Liver", 107_098, 70.36),
        ("seg_sr/qin_headneck_0003_tid1500/seg.dcm", "", 795, 33.58),
        ("pet/qin_headneck_0024_seg/tumor_User1_Manual_Trial1.dcm", "", 266, 11.24),
        ("syntax/pydicom/liver_rle.dcm", "Liver", 107_098, 70.36),
        ("syntax/pydicom/liver_expb.dcm", "Liver", 107_098, 70.36),
        ("syntax/pydicom/liver_deflate.dcm", "Liver", 107_098, 70.36),
    ] {
        let Some(dataset) = dataset(file) else { return };
        let segments = read(&dataset).unwrap_or_else(|error| panic!("{file}: {error}"));
        let (count, volume) = segments.iter().fold((0, 0.0), |(n, ml), s| (n + s.mask.count(), ml + s.mask.volume_ml()));
        println!("{file}: {count} voxels, {volume} ml, {:?}", segments.iter().map(|s| &s.label).collect::<Vec<_>>());
        assert_eq!(count, voxels, "{file}");
        assert!((volume - ml).abs() < 0.01, "{file}: {volume}");
        assert!(label.is_empty() || segments[0].label.eq_ignore_ascii_case(label), "{file}: {}", segments[0].label);
    }
}

#[cfg(feature = "pixels")]
#[test]
fn other_kinds_of_segmentation() {
    for file in [
        "tiny_24x38x3/label_seg.dcm",
        "tiny_24x38x3/sparse-labelmap-ppv5.dcm",
        "highdicom/seg_image_ct_binary.dcm",
        "highdicom/seg_image_ct_binary_fractional.dcm",
        "highdicom/seg_image_ct_binary_single_frame.dcm",
    ] {
        let Some(dataset) = dataset(&format!("seg_sr/{file}")) else { return };
        let segments = read(&dataset).unwrap_or_else(|error| panic!("{file}: {error}"));
        assert!(segments.iter().any(|s| s.mask.count() > 0), "{file}");
    }
    let Some(image) = dataset("syntax/pydicom/CT_small.dcm") else { return };
    assert_eq!(read(&image).unwrap_err(), Error::WrongKind { wanted: "SEG" });
}

#[test]
fn masks_of_another_grid_and_empty_ones_are_refused() {
    let Some(source) = dataset("seg_sr/liver_ct3slice/ct/01.dcm") else { return };
    let (context, grid, device) = (Context::of(&source).unwrap(), odd_grid(), device());
    let other = Mask::empty(Grid { dims: [7, 5, 3], ..grid });
    for mask in [&other, &Mask::empty(grid)] {
        assert!(matches!(write(&input(&context, &grid, &[], &device, mask)), Err(Error::CannotWrite { .. })));
    }
}

/// A series of a tilted gantry: each frame lies on its image, but they slide in their plane.
#[cfg(feature = "pixels")]
#[test]
fn frames_that_slide_are_refused() {
    let Some(source) = dataset("seg_sr/liver_ct3slice/ct/01.dcm") else { return };
    let (context, device) = (Context::of(&source).unwrap(), device());
    let straight = odd_grid();
    let tilted = (straight.axes[2] + straight.axes[1] * 0.4).unit().unwrap();
    for (axis, is_refused) in [(straight.axes[2], false), (tilted, true)] {
        let grid = Grid { axes: [straight.axes[0], straight.axes[1], axis], ..straight };
        let mut mask = Mask::empty(grid);
        mask.voxels.fill(1);
        let written = write(&input(&context, &grid, &[], &device, &mask)).unwrap();
        let read = read(&Dataset::read(&written.bytes).unwrap());
        let refused = matches!(read, Err(Error::BadValue { keyword: "ImagePositionPatient" }));
        assert_eq!(refused, is_refused, "{:?}", read.err());
    }
}

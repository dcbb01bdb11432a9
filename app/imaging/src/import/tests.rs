use super::*;
use crate::oracle::value_at;
use crate::testing::{oblique_grid, volume_of};
use crate::{Interpolation, Plane, Projection, export, reslice, surface, window};
use mj_model::{Grid, Mask, PointLps, VectorLps, Voxel};
use std::io::Write as _;
use tempfile::TempDir;

/// A folder to put files into.
struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }
    fn put(&self, name: &str, bytes: &[u8]) -> std::path::PathBuf {
        let path = self.0.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, bytes).unwrap();
        path
    }
    fn open(&self, name: &str, bytes: &[u8]) -> Result<Opened> {
        open(&self.put(name, bytes))
    }
}

pub(super) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    out.write_all(bytes).unwrap();
    out.finish().unwrap()
}

fn zlib(bytes: &[u8]) -> Vec<u8> {
    let mut out = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::default());
    out.write_all(bytes).unwrap();
    out.finish().unwrap()
}

/// A NIfTI header, by the words of the standard.
#[derive(Clone)]
struct Nifti {
    is_two: bool,
    is_big: bool,
    dim: Vec<i64>,
    datatype: i16,
    pixdim: [f64; 4],
    qform: i32,
    sform: i32,
    quatern: [f64; 3],
    qoffset: [f64; 3],
    srow: [[f64; 4]; 3],
    scl: [f64; 2],
    units: u8,
    magic: &'static [u8; 3],
}

impl Nifti {
    fn new(dim: &[i64], datatype: i16) -> Self {
        Self {
            is_two: false,
            is_big: false,
            dim: dim.to_vec(),
            datatype,
            pixdim: [1.0, 2.0, 3.0, 4.0],
            qform: 0,
            sform: 1,
            quatern: [0.0; 3],
            qoffset: [0.0; 3],
            srow: [[2.0, 0.0, 0.0, -10.0], [0.0, 3.0, 0.0, -20.0], [0.0, 0.0, 4.0, 30.0]],
            scl: [0.0; 2],
            units: 2,
            magic: b"n+1",
        }
    }

    fn bytes(&self, data: &[u8]) -> Vec<u8> {
        let length = if self.is_two { 544 } else { 352 };
        let mut h = vec![0_u8; length];
        let big = self.is_big;
        let mut put = |at: usize, le: &[u8]| {
            let mut b = le.to_vec();
            if big {
                b.reverse();
            }
            h[at..at + b.len()].copy_from_slice(&b);
        };
        let two = self.is_two;
        let float = |v: f64| if two { v.to_le_bytes().to_vec() } else { (v as f32).to_le_bytes().to_vec() };
        let width = if two { 8 } else { 4 };
        let mut floats = |at: usize, values: &[f64]| {
            for (n, v) in values.iter().enumerate() {
                put(at + n * width, &float(*v));
            }
        };
        floats(if two { 104 } else { 76 }, &self.pixdim);
        floats(if two { 176 } else { 112 }, &self.scl);
        floats(if two { 352 } else { 256 }, &self.quatern);
        floats(if two { 376 } else { 268 }, &self.qoffset);
        for (row, values) in self.srow.iter().enumerate() {
            floats(if two { 400 + row * 32 } else { 280 + row * 16 }, values);
        }
        let mut dim = vec![self.dim.len() as i64];
        dim.extend(&self.dim);
        for (n, v) in dim.iter().enumerate() {
            if two { put(16 + n * 8, &v.to_le_bytes()) } else { put(40 + n * 2, &(*v as i16).to_le_bytes()) }
        }
        put(0, &(if two { 540_i32 } else { 348 }).to_le_bytes());
        put(if two { 12 } else { 70 }, &self.datatype.to_le_bytes());
        if two {
            put(344, &self.qform.to_le_bytes());
            put(348, &self.sform.to_le_bytes());
            put(500, &i32::from(self.units).to_le_bytes());
            if self.magic == b"n+2" {
                put(168, &544_i64.to_le_bytes());
            }
        } else {
            put(252, &(self.qform as i16).to_le_bytes());
            put(254, &(self.sform as i16).to_le_bytes());
            put(123, &[self.units]);
            if self.magic == b"n+1" {
                put(108, &352_f32.to_le_bytes());
            }
        }
        let at = if two { 4 } else { 344 };
        h[at..at + 3].copy_from_slice(self.magic);
        if two {
            h[8..12].copy_from_slice(b"\r\n\x1a\n");
        }
        h.extend_from_slice(data);
        h
    }
}

fn ramp(n: usize) -> Vec<u8> {
    (0..n).map(|v| v as u8).collect()
}

fn nrrd(fields: &str, data: &[u8]) -> Vec<u8> {
    let mut out = format!("NRRD0005\n# made by a test\n{fields}\n\n").into_bytes();
    out.extend_from_slice(data);
    out
}

fn meta(fields: &str, data: &[u8]) -> Vec<u8> {
    let mut out = format!("ObjectType = Image\n{fields}\nElementDataFile = LOCAL\n").into_bytes();
    out.extend_from_slice(data);
    out
}

fn codes(opened: &Opened) -> Vec<&str> {
    opened.volume.warnings.iter().map(|w| w.code.as_str()).collect()
}

fn near(a: PointLps, b: [f64; 3]) -> bool {
    a.distance_mm(b.into()) < 1e-4
}

/// One bright voxel at the patient's left, front and head, in every format and every order of axes that it can say
/// it in. What each says is told here by the format's own words, not by the reader's.
#[test]
fn left_is_left_in_every_format() {
    let folder = Folder::new();
    let bright = |i: usize, j: usize, k: usize| {
        let mut data = vec![0_u8; 4 * 3 * 2];
        data[(k * 3 + j) * 4 + i] = 200;
        data
    };
    // All grids have their first voxel at the far right, back, foot end, or at the other end, as said.
    let right_to_left = bright(3, 2, 1);
    let mut files: Vec<(&str, Vec<u8>)> = Vec::new();
    // NIfTI is RAS: an i that grows towards the left has a negative x, j towards the front a positive y.
    let mut header = Nifti::new(&[4, 3, 2], 2);
    header.srow = [[-2.0, 0.0, 0.0, 3.0], [0.0, 3.0, 0.0, -3.0], [0.0, 0.0, 4.0, -2.0]];
    files.push(("a.nii", header.bytes(&right_to_left)));
    let lefts_first = Nifti { srow: [[2.0, 0.0, 0.0, -3.0], [0.0, 3.0, 0.0, -3.0], [0.0, 0.0, 4.0, -2.0]], ..header.clone() };
    files.push(("b.nii.gz", gzip(&lefts_first.bytes(&bright(0, 2, 1)))));
    let two = Nifti { is_two: true, is_big: true, magic: b"n+2", ..header.clone() };
    files.push(("c.nii", two.bytes(&right_to_left)));
    // The same by the quaternion: the identity is RAS itself.
    let q = Nifti { sform: 0, qform: 1, qoffset: [-3.0, -3.0, -2.0], ..header };
    files.push(("d.nii", q.bytes(&bright(0, 2, 1))));
    // Half a turn about z: i towards the left, j towards the back.
    let half = Nifti { quatern: [0.0, 0.0, 1.0], qoffset: [3.0, 3.0, -2.0], ..q.clone() };
    files.push(("e.nii", half.bytes(&bright(3, 0, 1))));
    // The same turned, with the third axis running down.
    let down = Nifti { pixdim: [-1.0, 2.0, 3.0, 4.0], qoffset: [3.0, 3.0, 2.0], ..half };
    files.push(("f.nii", down.bytes(&bright(3, 0, 0))));
    let plain = "type: uint8\ndimension: 3\nsizes: 4 3 2\nencoding: raw\n";
    let spaces = [
        ("left-posterior-superior", "(2,0,0) (0,-3,0) (0,0,4)", "(-3,3,-2)"),
        ("right-anterior-superior", "(-2,0,0) (0,3,0) (0,0,4)", "(3,-3,-2)"),
        ("LAS", "(2,0,0) (0,3,0) (0,0,4)", "(-3,-3,-2)"),
    ];
    for (n, (space, directions, origin)) in spaces.into_iter().enumerate() {
        let fields = format!("{plain}space: {space}\nspace directions: {directions}\nspace origin: {origin}");
        files.push((["g.nrrd", "h.nrrd", "i.nrrd"][n], nrrd(&fields, &right_to_left)));
    }
    let matrix = "NDims = 3\nTransformMatrix = 1 0 0 0 -1 0 0 0 1\nOffset = -3 3 -2\nElementSpacing = 2 3 4\nDimSize = 4 3 2";
    files.push(("j.mha", meta(&format!("{matrix}\nElementType = MET_UCHAR"), &right_to_left)));
    for (name, bytes) in files {
        let opened = folder.open(name, &bytes).unwrap_or_else(|e| panic!("{name}: {e}"));
        let volume = &opened.volume;
        assert!(volume.is_placed && volume.is_calibrated, "{name}");
        assert_eq!(value_at(volume, PointLps::new(3.0, -3.0, 2.0), Interpolation::Nearest), Some(200.0), "{name}");
        // Seen from the feet the patient's left is at the right of the picture, the front at the top.
        let plane = Plane::axial(&volume.grid, PointLps::new(0.0, 0.0, 2.0), 8, 8);
        let picture = reslice::slice(volume, &plane, Interpolation::Nearest);
        let brightest = picture.values.iter().enumerate().filter(|(_, v)| **v == 200.0).map(|(at, _)| [at % 8, at / 8]);
        assert!(brightest.clone().count() > 0 && brightest.into_iter().all(|[x, y]| x >= 4 && y < 4), "{name}");
    }
}

#[test]
fn the_sform_goes_before_the_qform_and_two_places_are_told() {
    let folder = Folder::new();
    let both = Nifti { qform: 1, qoffset: [-10.0, -20.0, 30.0], ..Nifti::new(&[4, 3, 2], 2) };
    let agreed = folder.open("a.nii", &both.bytes(&ramp(24))).unwrap();
    assert!(agreed.volume.warnings.is_empty(), "{:?}", agreed.volume.warnings);
    assert!(near(agreed.volume.grid.lps_from_voxel([1.0, 1.0, 1.0]), [8.0, 17.0, 34.0]));
    let other = Nifti { qoffset: [-10.0, -20.0, 35.0], sform: 4, ..both };
    let opened = folder.open("b.nii", &other.bytes(&ramp(24))).unwrap();
    assert_eq!(codes(&opened), ["research.two_places", "research.template"]);
    assert!(near(opened.volume.grid.origin, [10.0, 20.0, 30.0]));
    let neither = Nifti { sform: 0, ..Nifti::new(&[4, 3, 2], 2) };
    let opened = folder.open("c.nii", &neither.bytes(&ramp(24))).unwrap();
    assert!(!opened.volume.is_placed && opened.volume.is_calibrated);
    assert_eq!(opened.volume.grid.spacing_mm, [2.0, 3.0, 4.0]);
}

#[test]
fn every_sample_type_keeps_its_values_in_both_byte_orders() {
    let folder = Folder::new();
    type Bytes = fn(i32) -> Vec<u8>;
    let types: [(i16, &str, Bytes, &str); 10] = [
        (256, "int8", |v| (v as i8).to_le_bytes().to_vec(), "i16"),
        (2, "uint8", |v| vec![v as u8], "u8"),
        (4, "int16", |v| (v as i16).to_le_bytes().to_vec(), "i16"),
        (512, "uint16", |v| (v as u16).to_le_bytes().to_vec(), "u16"),
        (8, "int32", |v| v.to_le_bytes().to_vec(), "i16"),
        (768, "uint32", |v| (v as u32).to_le_bytes().to_vec(), "i16"),
        (1024, "int64", |v| i64::from(v).to_le_bytes().to_vec(), "i16"),
        (1280, "uint64", |v| (v as u64).to_le_bytes().to_vec(), "i16"),
        (16, "float", |v| (v as f32).to_le_bytes().to_vec(), "f32"),
        (64, "double", |v| f64::from(v).to_le_bytes().to_vec(), "f32"),
    ];
    for (code, name, of, sample) in types {
        for is_big in [false, true] {
            let data: Vec<u8> = (0..24)
                .flat_map(|v| {
                    let mut b = of(v * 5);
                    if is_big {
                        b.reverse();
                    }
                    b
                })
                .collect();
            let endian = if is_big { "big" } else { "little" };
            let fields = format!(
                "type: {name}\ndimension: 3\nsizes: 4 3 2\nspace: LPS\nspace directions: (1,0,0) (0,1,0) (0,0,1)\nspace origin: (0,0,0)\nencoding: gzip\nendian: {endian}"
            );
            let files = [
                folder.open("a.nii", &Nifti { is_big, ..Nifti::new(&[4, 3, 2], code) }.bytes(&data)),
                folder.open("b.nrrd", &nrrd(&fields, &gzip(&data))),
            ];
            for opened in files {
                let volume = opened.unwrap_or_else(|e| panic!("{name} {endian}: {e}")).volume;
                assert_eq!(volume.samples.type_name(), sample, "{name} {endian}");
                for at in 0..24 {
                    assert_eq!(volume.samples.stored(at), Some(at as f64 * 5.0), "{name} {endian} {at}");
                }
                assert!(volume.warnings.is_empty(), "{:?}", volume.warnings);
            }
        }
    }
}

#[test]
fn what_does_not_fit_becomes_floats_and_rounding_is_told() {
    let folder = Folder::new();
    let of = |values: [i32; 2]| {
        let data: Vec<u8> = values.iter().flat_map(|v| v.to_le_bytes()).collect();
        folder.open("a.nii", &Nifti::new(&[2, 1, 1], 8).bytes(&data)).unwrap()
    };
    assert_eq!(of([-1, 32_767]).volume.samples, Samples::I16(vec![-1, 32_767]));
    assert_eq!(of([0, 65_535]).volume.samples, Samples::U16(vec![0, 65_535]));
    assert_eq!(of([-1, 65_535]).volume.samples, Samples::F32(vec![-1.0, 65_535.0]));
    assert!(codes(&of([-1, 16_777_216])).is_empty());
    assert_eq!(codes(&of([-1, 16_777_217])), ["research.rounded"]);
    let doubles = |values: [f64; 2]| {
        let data: Vec<u8> = values.iter().flat_map(|v| v.to_le_bytes()).collect();
        folder.open("b.nii", &Nifti::new(&[2, 1, 1], 64).bytes(&data)).unwrap()
    };
    assert!(codes(&doubles([0.5, -3.25])).is_empty());
    assert_eq!(codes(&doubles([0.1, 1.0])), ["research.rounded"]);
    let opened = doubles([f64::NAN, 7.0]);
    assert_eq!(codes(&opened), ["research.no_number"]);
    assert_eq!(opened.stored_range(), Some((7.0, 7.0, 7.0)));
    assert_eq!(doubles([f64::NAN, f64::NAN]).stored_range(), None);
}

#[test]
fn what_is_no_number_is_black_and_spoils_nothing_else() {
    let folder = Folder::new();
    let mut values = [50.0_f32; 4 * 4 * 4];
    (values[0], values[1]) = (f32::NAN, f32::INFINITY);
    let data: Vec<u8> = values.iter().flat_map(|v| v.to_le_bytes()).collect();
    let opened = folder.open("a.nii", &Nifti::new(&[4, 4, 4], 16).bytes(&data)).unwrap();
    let volume = &opened.volume;
    let plane = Plane::axial(&volume.grid, volume.grid.lps_from_voxel([0.0, 0.0, 0.0]), 16, 16).fitted(&volume.grid);
    let picture = reslice::slice(volume, &plane, Interpolation::Linear);
    let grey =
        window::grey(&picture, &Window { center: 40.0, width: 20.0, name: String::new(), curve: mj_model::Curve::LinearExact }, false);
    assert!(grey.contains(&255) && grey.contains(&0));
    let mip = reslice::MipIndex::new(volume).project(volume, &Plane::coronal(&volume.grid, volume.grid.centre(), 8, 8));
    assert!(mip.values.contains(&50.0), "{:?}", mip.values);
    assert!(surface::mesh(&crate::segment::threshold(volume, (40.0, 60.0), &Default::default()).unwrap()).volume_ml() > 0.0);
}

#[test]
fn scaling_is_the_one_linear_map() {
    let folder = Folder::new();
    let of = |scl| folder.open("a.nii", &Nifti { scl, ..Nifti::new(&[4, 3, 2], 2) }.bytes(&ramp(24))).unwrap().volume;
    let scaled = of([0.5, -1024.0]);
    assert_eq!(scaled.value([3, 0, 0].into()), Some(-1022.5));
    assert_eq!(scaled.stored([3, 0, 0].into()), Some(3.0));
    for none in [[0.0, 7.0], [f64::NAN, 7.0]] {
        assert_eq!(of(none).map, LinearMap::default());
    }
    let bad = folder.open("b.nii", &Nifti { scl: [1.0, f64::NAN], ..Nifti::new(&[4, 3, 2], 2) }.bytes(&ramp(24)));
    assert_eq!(bad.unwrap_err(), Error::broken("scl_inter"));
    let metres = Nifti { units: 1, ..Nifti::new(&[4, 3, 2], 2) };
    assert_eq!(folder.open("c.nii", &metres.bytes(&ramp(24))).unwrap().volume.grid.spacing_mm, [2000.0, 3000.0, 4000.0]);
}

#[test]
fn pairs_and_detached_headers_find_their_voxels_and_no_other_file() {
    let folder = Folder::new();
    let pair = Nifti { magic: b"ni1", ..Nifti::new(&[4, 3, 2], 2) };
    let header = folder.put("p/a.hdr", &pair.bytes(&[])[..348]);
    assert!(matches!(open(&header), Err(Error::NoDataFile { name }) if name == "a.img"));
    let image = folder.put("p/a.img", &ramp(24));
    for path in [&header, &image] {
        assert_eq!(open(path).unwrap().volume.samples, Samples::U8(ramp(24)), "{path:?}");
    }
    let fields = "type: uint8\ndimension: 3\nsizes: 4 3 2\nspacings: 1 1 2\nencoding: raw\n";
    let nhdr = |file: &str, more: &str| folder.put("n/a.nhdr", &nrrd(&format!("{fields}{more}data file: {file}"), &[]));
    folder.put("n/deep/a.raw", &[&[9, 9, b'\n', 8], ramp(24).as_slice()].concat());
    let read = |more: &str| open(&nhdr("./deep/a.raw", more)).map(|o| o.volume.samples);
    assert_eq!(read("line skip: 1\nbyte skip: 1\n").unwrap(), Samples::U8(ramp(24)));
    assert_eq!(read("byte skip: -1\n").unwrap(), Samples::U8(ramp(24)));
    assert_eq!(read("byte skip: 5\n").unwrap_err(), Error::Truncated { what: "voxels" });
    for elsewhere in ["../p/a.img", "/etc/hostname", "deep/../../p/a.img"] {
        assert_eq!(open(&nhdr(elsewhere, "")).unwrap_err(), Error::unsupported("voxels in another folder"), "{elsewhere}");
    }
    for several in ["LIST", "a%03d.raw 1 9 1"] {
        assert_eq!(open(&nhdr(several, "")).unwrap_err(), Error::unsupported("voxels in several files"));
    }
    assert!(matches!(open(&nhdr("none.raw", "")), Err(Error::NoDataFile { .. })));
    let mhd = "ObjectType = Image\nNDims = 3\nDimSize = 4 3 2\nElementType = MET_UCHAR\nElementSpacing = 1 1 1\nElementDataFile = ";
    folder.put("m/a.zraw", &zlib(&ramp(24)));
    let packed = mhd.replace("ElementDataFile", "CompressedData = True\nElementDataFile");
    let opened = folder.open("m/a.mhd", format!("{packed}a.zraw\n").as_bytes()).unwrap();
    assert_eq!(opened.volume.samples, Samples::U8(ramp(24)));
    assert!(!opened.volume.is_placed && opened.volume.is_calibrated);
    folder.put("m/a.raw", &[&[7; 5], ramp(24).as_slice()].concat());
    let at_end = mhd.replace("ElementDataFile", "HeaderSize = -1\nElementDataFile");
    assert_eq!(folder.open("m/b.mhd", format!("{at_end}a.raw").as_bytes()).unwrap().volume.samples, Samples::U8(ramp(24)));
}

#[test]
fn text_and_other_axes() {
    let folder = Folder::new();
    let fields = "type: short\ndimension: 3\nsizes: 2 2 2\nencoding: ascii\nspacings: 1 2 3\nunits: \"mm\" \"mm\" \"cm\"\n";
    let opened = folder.open("a.nrrd", &nrrd(fields, b"-1 2\n3,4 5 6 7\n 300")).unwrap();
    assert_eq!(opened.volume.samples, Samples::I16(vec![-1, 2, 3, 4, 5, 6, 7, 300]));
    assert_eq!((opened.volume.grid.spacing_mm, opened.volume.is_calibrated), ([1.0, 2.0, 30.0], true));
    assert_eq!(folder.open("a.nrrd", &nrrd(fields, b"1 2 3 4 5 6 7")).unwrap_err(), Error::Truncated { what: "voxels" });
    assert_eq!(folder.open("a.nrrd", &nrrd(fields, b"1 2 3 4 5 6 7 40000")).unwrap_err(), Error::broken("numbers"));
    // Spacings of an unknown unit are proportions, no lengths.
    let unknown = folder.open("b.nrrd", &nrrd(&fields.replace("units: \"mm\" \"mm\" \"cm\"\n", ""), b"1 2 3 4 5 6 7 8")).unwrap();
    assert_eq!(codes(&unknown), ["geometry.no_spacing", "geometry.no_position"]);
    assert!(!unknown.volume.is_calibrated && !unknown.volume.is_placed && unknown.volume.grid.spacing_mm == [1.0, 2.0, 3.0]);
    // Layers of a segmentation lie side by side; time comes last.
    let placed = "space: LPS\nspace origin: (0,0,0)\nencoding: raw\ntype: uint8\ndimension: 4\n";
    let first = format!("{placed}sizes: 3 2 2 2\nkinds: list domain domain domain\nspace directions: none (1,0,0) (0,1,0) (0,0,1)");
    let opened = folder.open("c.nrrd", &nrrd(&first, &ramp(24))).unwrap();
    assert_eq!(opened.volume.samples, Samples::U8(vec![0, 3, 6, 9, 12, 15, 18, 21]));
    assert_eq!(opened.volume.warnings, [Warning::new("research.first_of_several", "3")]);
    let last = format!("{placed}sizes: 2 2 2 3\nspace directions: (1,0,0) (0,1,0) (0,0,1) none");
    assert_eq!(folder.open("d.nrrd", &nrrd(&last, &ramp(24))).unwrap().volume.samples, Samples::U8(ramp(8)));
    let colour = first.replace("list", "RGB-color");
    assert_eq!(folder.open("e.nrrd", &nrrd(&colour, &ramp(24))).unwrap_err(), Error::unsupported("rgb-color"));
    let between = format!("{placed}sizes: 2 3 2 2\nspace directions: (1,0,0) none (0,1,0) (0,0,1)");
    assert!(matches!(folder.open("f.nrrd", &nrrd(&between, &ramp(24))), Err(Error::Unsupported { .. })));
    let frames = folder.open("g.nii", &Nifti::new(&[2, 2, 2, 3], 2).bytes(&ramp(24))).unwrap();
    assert_eq!(codes(&frames), ["research.first_of_several"]);
    assert_eq!(frames.volume.samples, Samples::U8(ramp(8)));
    let scanner = last.replace("LPS", "scanner-xyz");
    let opened = folder.open("h.nrrd", &nrrd(&scanner, &ramp(24))).unwrap();
    assert!(!opened.volume.is_placed && opened.volume.is_calibrated);
}

#[test]
fn what_cannot_be_shown_right_is_refused_by_name() {
    let folder = Folder::new();
    let header = || Nifti::new(&[4, 3, 2], 2);
    let refused = |header: Nifti| folder.open("a.nii", &header.bytes(&ramp(24))).unwrap_err();
    let sheared = Nifti { srow: [[2.0, 0.0, 0.5, 0.0], [0.0, 3.0, 0.0, 0.0], [0.0, 0.0, 4.0, 0.0]], ..header() };
    assert!(matches!(refused(sheared), Error::Sheared { degrees } if (degrees - 7.125).abs() < 0.01));
    let flat = Nifti { srow: [[2.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0], [0.0, 0.0, 4.0, 0.0]], ..header() };
    assert_eq!(refused(flat), Error::broken("spacing"));
    let nowhere = Nifti { srow: [[2.0, 0.0, 0.0, f64::NAN], [0.0, 3.0, 0.0, 0.0], [0.0, 0.0, 4.0, 0.0]], ..header() };
    assert_eq!(refused(nowhere), Error::broken("positions"));
    assert_eq!(refused(Nifti { datatype: 128, ..header() }), Error::unsupported("RGB24"));
    assert_eq!(refused(Nifti { magic: b"\0\0\0", ..header() }), Error::unsupported("Analyze 7.5"));
    assert_eq!(refused(Nifti { dim: vec![4, -3, 2], ..header() }), Error::broken("dim"));
    let as_nifti = folder.open("b.nii", b"NRRD0004 this is something else, long enough to be looked at").unwrap_err();
    assert_eq!(as_nifti, Error::WrongContent { format: ResearchFormat::Nifti });
    let as_nrrd = folder.open("b.nrrd", &header().bytes(&ramp(24))).unwrap_err();
    assert_eq!(as_nrrd, Error::WrongContent { format: ResearchFormat::Nrrd });
    assert_eq!(folder.open("b.mha", &[0; 600]).unwrap_err(), Error::WrongContent { format: ResearchFormat::MetaImage });
    assert_eq!(folder.open("b.dcm", &[0; 600]).unwrap_err(), Error::UnknownFormat);
    assert!(matches!(open(folder.0.path().join("absent.nii").as_path()), Err(Error::Io { .. })));
    std::fs::create_dir(folder.0.path().join("folder.nii")).unwrap();
    assert!(matches!(open(folder.0.path().join("folder.nii").as_path()), Err(Error::Io { .. })));
    // Damage within the packed voxels is noticed by their checksum.
    let mut packed = gzip(&Nifti::new(&[10, 10, 10], 2).bytes(&ramp(1000)));
    let at = packed.len() - 6;
    packed[at] ^= 1;
    assert_eq!(folder.open("c.nii.gz", &packed).unwrap_err(), Error::broken("checksum"));
}

#[test]
fn a_lying_header_costs_nothing() {
    let folder = Folder::new();
    let huge = Nifti::new(&[2000, 2000, 1000], 2);
    assert_eq!(folder.open("a.nii", &huge.bytes(&ramp(24))).unwrap_err(), Error::Truncated { what: "voxels" });
    assert_eq!(folder.open("a.nii.gz", &gzip(&huge.bytes(&ramp(24)))).unwrap_err(), Error::Truncated { what: "voxels" });
    let beyond = Nifti::new(&[32_767, 32_767, 32_767, 32_767], 64);
    assert!(matches!(folder.open("b.nii", &beyond.bytes(&[])), Err(Error::TooLarge { .. })));
    let overflow = "type: double\ndimension: 3\nsizes: 4294967296 4294967296 4294967296\nencoding: raw\nendian: little\nspacings: 1 1 1";
    assert!(matches!(folder.open("c.nrrd", &nrrd(overflow, &[])), Err(Error::TooLarge { .. })));
}

#[test]
fn what_we_write_comes_back_the_same() {
    let folder = Folder::new();
    for (slope, intercept) in [(1.0, -1024.0), (0.5, 0.25)] {
        let mut written = volume_of(oblique_grid([5, 4, 3]), |v| (v.i + 10 * v.j + 100 * v.k) as i16);
        written.map = LinearMap { slope, intercept };
        for (name, bytes) in [("a.nrrd", export::nrrd(&written)), ("a.nii.gz", export::nifti(&written))] {
            let read = folder.open(name, &bytes).unwrap().volume;
            assert!(read.warnings.is_empty() && read.is_placed && read.is_calibrated, "{name}: {:?}", read.warnings);
            same_place(&read.grid, &written.grid, 1e-4, name);
            for at in 0..60 {
                let value = |v: &Volume| v.map.apply(v.samples.stored(at).unwrap());
                assert_eq!(value(&read), value(&written), "{name} {at}");
            }
        }
    }
    let mut mask = Mask::empty(oblique_grid([3, 3, 3]));
    mask.voxels[13] = 1;
    let read = folder.open("m.nrrd", &export::mask_nrrd(&mask)).unwrap().volume;
    assert_eq!(read.samples, Samples::U8(mask.voxels));
    assert_eq!(read.grid.spacing_mm.map(|s| (s * 1e9).round()), mask.grid.spacing_mm.map(|s| (s * 1e9).round()));
}

fn same_place(one: &Grid, other: &Grid, mm: f64, what: &str) {
    assert_eq!(one.dims, other.dims, "{what}");
    for ijk in [[0.0, 0.0, 0.0], [4.0, 3.0, 2.0], [4.0, 0.0, 2.0]] {
        let away = one.lps_from_voxel(ijk).distance_mm(other.lps_from_voxel(ijk));
        assert!(away < mm, "{what}: {away} mm at {ijk:?}");
    }
}

/// A left-handed grid (the usual order of voxels in many research files) and the same voxels in a right-handed one.
#[test]
fn a_left_handed_grid_gives_the_same_pictures_surface_and_files() {
    let folder = Folder::new();
    let axis = VectorLps::new;
    let right = Grid {
        dims: [12, 10, 8],
        origin: PointLps::new(-9.0, -8.0, 5.0),
        axes: [axis(0.8, 0.6, 0.0), axis(-0.6, 0.8, 0.0), axis(0.0, 0.0, 1.0)],
        spacing_mm: [0.7, 0.9, 1.5],
    };
    let left = Grid { origin: right.lps_from_voxel([0.0, 0.0, 7.0]), axes: [right.axes[0], right.axes[1], axis(0.0, 0.0, -1.0)], ..right };
    assert!(left.axes[0].cross(left.axes[1]).dot(left.axes[2]) < 0.0);
    let value = |v: Voxel| (v.i * 31 + v.j * 17 + v.k * v.k * 5) as i16 % 400;
    let (a, b) = (volume_of(right, value), volume_of(left, |v| value(Voxel { k: 7 - v.k, ..v })));
    let at = right.lps_from_voxel([5.3, 4.6, 3.4]);
    let oblique = Plane::oblique(&right, at, VectorLps::new(1.0, 2.0, 3.0), 40, 30).unwrap();
    for plane in [Plane::axial(&right, at, 40, 30), Plane::coronal(&right, at, 40, 30), Plane::sagittal(&right, at, 40, 30), oblique] {
        let same = |make: &dyn Fn(&Volume) -> crate::Picture| {
            let close = |(x, y): (&f32, &f32)| (x.is_nan() && y.is_nan()) || (x - y).abs() < 1e-2;
            let (pa, pb) = (make(&a), make(&b));
            assert!(pa.values.iter().zip(&pb.values).all(close));
            assert!(pa.values.iter().any(|v| v.is_finite()));
        };
        same(&|v| reslice::slice(v, &plane, Interpolation::Linear));
        same(&|v| reslice::slab(v, &plane, 4.0, Projection::Max));
        same(&|v| reslice::MipIndex::new(v).project(v, &plane));
    }
    let egg = |v: Voxel| (v.i as f64 - 5.0).powi(2) / 16.0 + (v.j as f64 - 4.5).powi(2) / 9.0 + (v.k as f64 - 3.0).powi(2) / 5.0 < 1.0;
    let mesh = |grid: Grid, is_inside: &dyn Fn(Voxel) -> bool| {
        let mask = volume_of(grid, |v| i16::from(is_inside(v)));
        surface::mesh(&crate::segment::threshold(&mask, (1.0, 1.0), &Default::default()).unwrap())
    };
    let (ma, mb) = (mesh(right, &egg), mesh(left, &|v| egg(Voxel { k: 7 - v.k, ..v })));
    assert!(ma.volume_ml() > 0.0 && (ma.volume_ml() - mb.volume_ml()).abs() < 1e-3 * ma.volume_ml());
    // The index of a voxel stays what it was in the file.
    for (name, bytes) in [("l.nrrd", export::nrrd(&b)), ("l.nii.gz", export::nifti(&b))] {
        let read = folder.open(name, &bytes).unwrap().volume;
        same_place(&read.grid, &left, 1e-4, name);
        assert_eq!(read.samples, b.samples, "{name}");
    }
}

/// Every error and warning of this module has its texts in both languages.
#[test]
fn errors_and_warnings_have_texts() {
    use mj_model::Coded as _;
    let catalogue = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../assets/lang/research.toml")).unwrap();
    let text = String::new;
    let errors = [
        Error::UnknownFormat,
        Error::WrongContent { format: ResearchFormat::Nrrd },
        Error::Truncated { what: "" },
        Error::Broken { what: text() },
        Error::Unsupported { what: text() },
        Error::Sheared { degrees: 0.0 },
        Error::TooLarge { mib: 0 },
        Error::Io { kind: std::io::ErrorKind::NotFound },
        Error::NoDataFile { name: text() },
    ];
    for error in errors {
        for part in ["message", "hint"] {
            assert!(catalogue.contains(&format!("[error.{}.{part}]", error.code())), "{} {part}", error.code());
        }
        for (name, _) in error.args() {
            assert!(catalogue.contains(&format!("{{{name}}}")), "{} {name}", error.code());
        }
    }
    let source = [include_str!("nifti.rs"), include_str!("nrrd.rs"), include_str!("metaimage.rs"), include_str!("data.rs")].concat();
    let codes: Vec<&str> = source.split("Warning::new(\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    assert!(codes.len() > 8);
    for code in codes.into_iter().filter(|c| c.starts_with("research.")) {
        assert!(catalogue.contains(&format!("[warning.{code}]")), "{code}");
    }
}

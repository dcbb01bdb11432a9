//! A record in a temporary folder, and small synthetic objects.

use mj_model::code::known;
use mj_model::finding::ImageRef;
use mj_model::{Code, Finding, Geometry, InstanceUid, Measurement, PointLps, Quantity, SeriesUid, SopClassUid, StudyUid, Unit};
use mj_record::{Passphrase, Record, Watch};
use std::path::Path;

pub(crate) const CT: &str = "1.2.840.10008.5.1.4.1.1.2";

pub(crate) fn passphrase() -> Passphrase {
    Passphrase::new("correct horse").unwrap()
}

pub(crate) async fn new_record(dir: &Path) -> Record {
    Record::init(dir.join("record"), &passphrase()).await.unwrap()
}

pub(crate) async fn reopen(dir: &Path) -> Record {
    Record::open(dir.join("record"), &passphrase()).await.unwrap()
}

/// What a synthetic image says.
#[derive(Clone)]
pub(crate) struct Image {
    pub(crate) study: String,
    pub(crate) series: String,
    pub(crate) instance: String,
    pub(crate) patient_id: String,
    pub(crate) issuer: String,
    pub(crate) name: String,
    pub(crate) birth: String,
    pub(crate) sex: String,
    pub(crate) spacing: String,
    pub(crate) date: String,
    pub(crate) accession: String,
    pub(crate) description: String,
    pub(crate) history: String,
    /// Manufacturer, its name for the model, convolution kernel and slice thickness.
    pub(crate) scanner: [String; 4],
    pub(crate) modality: String,
    pub(crate) number: i64,
    pub(crate) pixels: Option<Vec<u8>>,
}

impl Image {
    pub(crate) fn new(study: u32, number: i64) -> Self {
        Self {
            study: format!("1.2.826.0.1.{study}"),
            series: format!("1.2.826.0.1.{study}.1"),
            instance: format!("1.2.826.0.1.{study}.1.{number}"),
            patient_id: format!("P{study}"),
            issuer: "HOSPITAL".into(),
            name: "Shili^Yi=示例^一".into(),
            birth: "19600502".into(),
            sex: "F".into(),
            spacing: "1\\1".into(),
            date: "20260102".into(),
            accession: format!("A{study:05}"),
            description: "Chest CT".into(),
            history: "咳嗽两周".into(),
            scanner: ["Maker", "Model X", "B60f", "1.250"].map(str::to_owned),
            modality: "CT".into(),
            number,
            pixels: Some((0..64_u8).map(|i| i.wrapping_mul(37).wrapping_add(number as u8)).flat_map(|b| [b, 1]).collect()),
        }
    }

    pub(crate) fn study_uid(&self) -> StudyUid {
        StudyUid::parse(&self.study).unwrap()
    }

    pub(crate) fn instance_uid(&self) -> InstanceUid {
        InstanceUid::parse(&self.instance).unwrap()
    }

    /// A part-10 file, explicit VR little endian, 8x8 pixels of 16 bits.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let mut set = Vec::new();
        let mut put = |tag: (u16, u16), vr: &str, value: &[u8]| element(&mut set, tag, vr, value);
        put((8, 5), "CS", b"ISO_IR 192");
        put((8, 0x16), "UI", CT.as_bytes());
        put((8, 0x18), "UI", self.instance.as_bytes());
        put((8, 0x20), "DA", self.date.as_bytes());
        put((8, 0x30), "TM", b"081500");
        put((8, 0x50), "SH", self.accession.as_bytes());
        put((8, 0x60), "CS", self.modality.as_bytes());
        let [maker, model, kernel, thickness_mm] = &self.scanner;
        put((8, 0x70), "LO", maker.as_bytes());
        put((8, 0x80), "LO", "示范医院".as_bytes());
        put((8, 0x1010), "SH", b"STATION7");
        put((8, 0x1030), "LO", self.description.as_bytes());
        put((8, 0x1090), "LO", model.as_bytes());
        put((0x10, 0x10), "PN", self.name.as_bytes());
        put((0x10, 0x20), "LO", self.patient_id.as_bytes());
        put((0x10, 0x21), "LO", self.issuer.as_bytes());
        put((0x10, 0x30), "DA", self.birth.as_bytes());
        put((0x10, 0x40), "CS", self.sex.as_bytes());
        put((0x10, 0x21B0), "LT", self.history.as_bytes());
        put((0x18, 0x50), "DS", thickness_mm.as_bytes());
        put((0x18, 0x1000), "LO", b"SERIAL-42");
        put((0x18, 0x1210), "SH", kernel.as_bytes());
        put((0x20, 0x0D), "UI", self.study.as_bytes());
        put((0x20, 0x0E), "UI", self.series.as_bytes());
        put((0x20, 0x11), "IS", b"1");
        put((0x20, 0x13), "IS", self.number.to_string().as_bytes());
        put((0x20, 0x32), "DS", format!("0\\0\\{}", self.number).as_bytes());
        put((0x20, 0x37), "DS", b"1\\0\\0\\0\\1\\0");
        put((0x20, 0x52), "UI", format!("{}.9", self.study).as_bytes());
        if let Some(pixels) = &self.pixels {
            let us = |n: u16| n.to_le_bytes();
            put((0x28, 2), "US", &us(1));
            put((0x28, 4), "CS", b"MONOCHROME2");
            put((0x28, 0x10), "US", &us(8));
            put((0x28, 0x11), "US", &us(8));
            put((0x28, 0x30), "DS", self.spacing.as_bytes());
            put((0x28, 0x100), "US", &us(16));
            put((0x28, 0x101), "US", &us(16));
            put((0x28, 0x102), "US", &us(15));
            put((0x28, 0x103), "US", &us(0));
            put((0x7FE0, 0x10), "OW", pixels);
        }
        let mut meta = Vec::new();
        element(&mut meta, (2, 1), "OB", &[0, 1]);
        element(&mut meta, (2, 2), "UI", CT.as_bytes());
        element(&mut meta, (2, 3), "UI", self.instance.as_bytes());
        element(&mut meta, (2, 0x10), "UI", b"1.2.840.10008.1.2.1");
        element(&mut meta, (2, 0x12), "UI", b"1.2.826.0.1.3680043.10.1");
        let mut file = vec![0; 128];
        file.extend_from_slice(b"DICM");
        element(&mut file, (2, 0), "UL", &(meta.len() as u32).to_le_bytes());
        file.extend(meta);
        file.extend(set);
        file
    }
}

fn element(out: &mut Vec<u8>, tag: (u16, u16), vr: &str, value: &[u8]) {
    let pad = if vr == "UI" || vr.starts_with('O') { 0 } else { b' ' };
    let odd = value.len() % 2;
    let length = value.len() + odd;
    out.extend(tag.0.to_le_bytes());
    out.extend(tag.1.to_le_bytes());
    out.extend(vr.as_bytes());
    if matches!(vr, "OB" | "OW") {
        out.extend([0, 0]);
        out.extend((length as u32).to_le_bytes());
    } else {
        out.extend((length as u16).to_le_bytes());
    }
    out.extend(value);
    out.extend(std::iter::repeat_n(pad, odd));
}

/// Writes images into a folder, one file each.
pub(crate) fn write(folder: &Path, images: &[Image]) {
    std::fs::create_dir_all(folder).unwrap();
    for image in images {
        std::fs::write(folder.join(format!("{}.dcm", image.instance)), image.bytes()).unwrap();
    }
}

/// A record with one study of some slices.
pub(crate) async fn record_with_study(dir: &Path, n_slices: i64) -> (Record, StudyUid) {
    let record = new_record(dir).await;
    let images: Vec<Image> = (1..=n_slices).map(|n| Image::new(7, n)).collect();
    write(&dir.join("in"), &images);
    record.import(&[dir.join("in")], &Watch::default()).await.unwrap();
    (record, images[0].study_uid())
}

/// A ruler on the study of [`record_with_study`].
pub(crate) fn ruler(study: &StudyUid, id: &str, length_mm: f64) -> Finding {
    let geometry = Geometry::line(PointLps::new(0.0, 0.0, 1.0), PointLps::new(length_mm, 0.0, 1.0));
    let series = SeriesUid::parse(&format!("{study}.1")).unwrap();
    Finding {
        images: vec![ImageRef {
            instance: InstanceUid::parse(&format!("{study}.1.1")).unwrap(),
            sop_class: SopClassUid::parse(CT).unwrap(),
            frame: None,
        }],
        kind: Code::new("SCT", "427359005", "Solitary nodule of lung", "肺结节"),
        measurements: vec![Measurement::new("m1".into(), Quantity { what: known::length(), value: length_mm, unit: Unit::mm() })],
        ..Finding::new(id.into(), study.clone(), series, geometry, "u1")
    }
}

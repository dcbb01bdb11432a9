//! Small documents and findings for the tests of this crate.

use crate::document::{Block, BlockKind, Document};
use mj_model::code::known;
use mj_model::finding::{Origin, OriginKind};
use mj_model::uid::TrackingUid;
use mj_model::{Code, Finding, FindingState, Geometry, Lang, Measurement, Moment, Quantity, SeriesUid, Side, StudyUid, Unit};

/// A document of the blocks `findings` (with this text) and `impression` (empty).
pub(crate) fn document(text: &str) -> Document {
    let mut findings = Block::new("findings", "检查所见", "Findings", BlockKind::Findings);
    findings.text = text.into();
    let mut impression = Block::new("impression", "诊断意见", "Impression", BlockKind::Impression);
    impression.is_required = true;
    Document {
        id: "r1".into(),
        study: StudyUid::parse("1.2.3").unwrap(),
        template: "chest_ct".into(),
        lang: Lang::Zh,
        revision: 0,
        blocks: vec![findings, impression],
    }
}

/// An accepted nodule of the right upper lobe with one length, `m1`. Units: mm.
pub(crate) fn finding(id: &str, length_mm: f64) -> Finding {
    Finding {
        id: id.into(),
        tracking_uid: TrackingUid::parse("2.25.7").unwrap(),
        revision: 1,
        study: StudyUid::parse("1.2.3").unwrap(),
        series: SeriesUid::parse("1.2.3.4").unwrap(),
        frame_of_reference: None,
        images: Vec::new(),
        state: FindingState::Accepted,
        kind: Code::new("SCT", "427359005", "Solitary nodule of lung", "肺结节"),
        label: None,
        site: Some(Code::new("SCT", "42400003", "Upper lobe of right lung", "右肺上叶")),
        side: Side::Right,
        geometry: Geometry::whole_image(),
        measurements: vec![Measurement::new("m1".into(), Quantity { what: known::length(), value: length_mm, unit: Unit::mm() })],
        certainty_percent: None,
        reason: None,
        held: None,
        proposed_by: None,
        origin: Origin { who: OriginKind::Person, name: "p1".into(), version: String::new() },
        at: Moment::parse("2026-11-21T08:10:00+08:00").unwrap(),
    }
}

/// A preliminary report of one nodule with one picture.
pub(crate) fn sheet(lang: Lang) -> crate::sheet::Sheet {
    use crate::sheet::{Hospital, PatientLines, Picture, Section, Sheet, Signer, StudyLines};
    let at = Moment::parse("2026-11-21T08:10:00+08:00").unwrap();
    Sheet {
        lang,
        title: if lang == Lang::Zh { "胸部CT检查报告单" } else { "Chest CT report" }.into(),
        hospital: Hospital { name: "示范医院".into(), department: "医学影像科".into(), contact: String::new() },
        patient: PatientLines {
            name: mj_model::Phi::new("演示甲".into()), sex: "F".into(), age: "065Y".into(), ..PatientLines::default()
        },
        study: StudyLines { date: "2026-11-20".into(), modality: "CT".into(), ..StudyLines::default() },
        sections: vec![Section {
            kind: BlockKind::Findings,
            title: "检查所见".into(),
            text: "右肺上叶见肺结节，长度约12.3\u{2009}mm。".into(),
        }],
        pictures: vec![Picture { png: Vec::new(), caption: "横断面".into() }],
        state: crate::State::Preliminary,
        reporting: Some(Signer { name: "医师甲".into(), at }),
        reviewing: None,
        report_id: "R-1".into(),
        content_sha256: "ab".repeat(32),
        amends: None,
        printed_at: at,
    }
}

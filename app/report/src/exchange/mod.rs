//! A signed report in the forms that hospital systems take: FHIR R4 ([`fhir`]) and HL7 v2 ([`hl7`]).
//!
//! Both are made from one [`Source`]: the words, numbers and people of one signed version. What is not known is left out;
//! numbers have the digits that the report shows, the measured values stand in the structured report (SR).

pub mod fhir;
pub mod hl7;
mod narrative;

use crate::document::{BlockKind, Document};
use crate::life::{AmendKind, Signature, State};
use mj_model::{Code, Confirmed, InstanceUid, Measurement, PersonName, Phi, SeriesUid, Side, SopClassUid, StudyUid};
use sha2::{Digest as _, Sha256};

/// Everything that the forms say.
#[derive(Debug, Clone)]
pub struct Source {
    /// What was signed.
    pub document: Document,
    /// Title as printed, for example 胸部CT检查报告单.
    pub title: String,
    /// State of this version.
    pub state: State,
    /// Signatures up to this version, oldest first; never empty.
    pub signatures: Vec<Signature>,
    /// The earlier report that it adds to or replaces.
    pub amends: Option<Earlier>,
    /// Whom it is about.
    pub patient: Patient,
    /// What it is about.
    pub study: Study,
    /// Findings at the revisions that were signed.
    pub findings: Vec<Confirmed>,
    /// The printed report.
    pub pdf: Vec<u8>,
    /// SOP Instance UID of the structured report: names this version.
    pub sr: InstanceUid,
}

/// The earlier report.
#[derive(Debug, Clone)]
pub struct Earlier {
    /// Adds or replaces.
    pub kind: AmendKind,
    /// Its id, a UUID.
    pub id: String,
    /// The sentence that says so, in the report's language.
    pub sentence: String,
}

/// The patient.
#[derive(Debug, Clone)]
pub struct Patient {
    /// Name.
    pub name: PersonName,
    /// Patient ID (0010,0020).
    pub id: Phi<String>,
    /// Issuer of Patient ID (0010,0021); may be empty.
    pub issuer: Phi<String>,
    /// Patient's Sex (0010,0040): `M`, `F`, `O` or empty.
    pub sex: String,
    /// `YYYY-MM-DD`, when known.
    pub birth_date: Option<Phi<String>>,
}

/// The study.
#[derive(Debug, Clone)]
pub struct Study {
    /// Study Instance UID.
    pub uid: StudyUid,
    /// Accession Number (0008,0050); may be empty.
    pub accession: Phi<String>,
    /// Study Description (0008,1030); may be empty.
    pub description: String,
    /// Study Date, `YYYY-MM-DD`, when known.
    pub date: Option<String>,
    /// Study Time, `HH:MM:SS`, of an unknown time zone, when known.
    pub time: Option<String>,
    /// Institution Name (0008,0080); may be empty.
    pub institution: String,
    /// Series of the examination, without what was made of it afterwards.
    pub series: Vec<Series>,
}

/// A series.
#[derive(Debug, Clone)]
pub struct Series {
    /// Series Instance UID.
    pub uid: SeriesUid,
    /// Series Number, when known.
    pub number: Option<i64>,
    /// Modality (0008,0060).
    pub modality: String,
    /// Series Description; may be empty.
    pub description: String,
    /// Number of its instances here.
    pub instances: u32,
}

/// An image that a finding was drawn on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Image {
    pub(crate) instance: InstanceUid,
    pub(crate) sop_class: SopClassUid,
}

impl Source {
    /// The signature that was put first: of the one who reports.
    pub(crate) fn first_signature(&self) -> Option<&Signature> {
        self.signatures.first()
    }

    /// The signature that made this version.
    pub(crate) fn last_signature(&self) -> Option<&Signature> {
        self.signatures.last()
    }

    /// The text of the first field of a kind, as people read it; `None` when it is empty.
    pub(crate) fn text_of(&self, kind: BlockKind) -> Option<String> {
        let text = self.document.first_of(kind).map(|block| plain(&block.plain()))?;
        (!text.is_empty()).then_some(text)
    }

    /// The images of a finding that stand in a series of the study.
    pub(crate) fn images_of(&self, finding: &Confirmed) -> Vec<Image> {
        let images = finding.finding().images.iter();
        let mut found: Vec<Image> =
            images.map(|image| Image { instance: image.instance.clone(), sop_class: image.sop_class.clone() }).collect();
        found.dedup();
        found
    }
}

/// Text without what only a printed page needs: thin spaces.
pub(crate) fn plain(text: &str) -> String {
    text.trim().replace('\u{2009}', " ")
}

/// A number with the digits that the report shows: one decimal.
pub(crate) fn shown_number(measurement: &Measurement) -> String {
    let shown = format!("{:.1}", measurement.quantity.value);
    if shown == "-0.0" { "0.0".into() } else { shown }
}

/// The LOINC code of a field's heading. Source: PS3.16 CID 7001.
pub(crate) const fn heading(kind: BlockKind) -> Option<(&'static str, &'static str)> {
    match kind {
        BlockKind::History => Some(("11329-0", "History")),
        BlockKind::Technique => Some(("55111-9", "Current Procedure Descriptions")),
        BlockKind::Comparison => Some(("18834-2", "Comparison")),
        BlockKind::Findings => Some(("59776-5", "Findings")),
        BlockKind::Impression => Some(("19005-8", "Impressions")),
        BlockKind::Recommendation => Some(("18783-1", "Recommendations")),
        BlockKind::Other => None,
    }
}

/// The SNOMED CT concept of a side; `None` where the finding has none.
pub(crate) fn side(side: Side) -> Option<Code> {
    match side {
        Side::Left => Some(Code::new("SCT", "7771000", "Left", "左")),
        Side::Right => Some(Code::new("SCT", "24028007", "Right", "右")),
        Side::Both => Some(Code::new("SCT", "51440002", "Right and left", "双侧")),
        Side::None => None,
    }
}

/// Laterality, the concept whose value is a [`side`].
pub(crate) fn laterality() -> Code {
    Code::new("SCT", "272741003", "Laterality", "侧别")
}

/// A finding, the concept whose value is what it is. Source: PS3.16 CID 7001.
pub(crate) fn finding_concept() -> Code {
    Code::new("DCM", "121071", "Finding", "所见")
}

/// Tracking Unique Identifier. Source: PS3.16 TID 4108.
pub(crate) fn tracking_concept() -> Code {
    Code::new("DCM", "112040", "Tracking Unique Identifier", "追踪标识")
}

/// True when somebody has said what a finding is.
pub(crate) fn is_classified(code: &Code) -> bool {
    !code.is_same(&mj_model::code::known::unclassified_finding())
}

/// A UUID that is the same whenever it is made from the same parts (version 8: a hash). Source: RFC 9562 §5.8.
pub(crate) fn stable_uuid(parts: &[&str]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        hash.update(part.as_bytes());
    }
    let digest = hash.finalize();
    let mut number = digest.iter().take(16).fold(0_u128, |sum, &byte| (sum << 8) | u128::from(byte));
    number = (number & !(0xF << 76) & !(0x3 << 62)) | (0x8 << 76) | (0x2 << 62);
    let hex = format!("{number:032x}");
    let part = |from: usize, to: usize| hex.get(from..to).unwrap_or_default();
    [part(0, 8), part(8, 12), part(12, 16), part(16, 20), part(20, 32)].join("-")
}

#[cfg(test)]
pub(crate) mod testing {
    use super::*;
    use crate::testing::{document, finding};
    use mj_model::{Moment, person::Role};

    /// A final report of one nodule; its impression holds everything that needs escaping.
    pub(crate) fn source() -> Source {
        let mut document = document("右肺上叶见结节。\n余未见异常。");
        document.id = "6f1c2a3e-0000-4000-8000-000000000001".into();
        document.blocks[1].text = "a|b^c~d\\e&f <g>\n\"结论\"".into();
        document.blocks[0].marks.push(crate::Mark {
            id: "k".into(),
            start: 0,
            end: 8,
            claim: crate::Claim::bound("f1".into(), crate::ClaimState::Verified),
        });
        let signed = |name: &str, role, at: &str| Signature {
            person: "u1".into(),
            name: name.into(),
            role,
            at: Moment::parse(at).unwrap(),
            sha256: "ab".repeat(32),
        };
        Source {
            document,
            title: "胸部CT检查报告单".into(),
            state: State::Final,
            signatures: vec![
                signed("医师甲", Role::Reporting, "2026-11-21T08:10:00+08:00"),
                signed("审核乙", Role::Reviewing, "2026-11-21T09:00:00+08:00"),
            ],
            amends: None,
            patient: Patient {
                name: PersonName::parse("Shili^Yi=示例^一"),
                id: Phi::new("P|1".into()),
                issuer: Phi::new("示范医院".into()),
                sex: "F".into(),
                birth_date: Some(Phi::new("1961-02-03".into())),
            },
            study: Study {
                uid: StudyUid::parse("1.2.3").unwrap(),
                accession: Phi::new("A-1".into()),
                description: "Chest CT".into(),
                date: Some("2026-11-20".into()),
                time: Some("10:11:12".into()),
                institution: "示范医院".into(),
                series: vec![Series {
                    uid: SeriesUid::parse("1.2.3.4").unwrap(),
                    number: Some(2),
                    modality: "CT".into(),
                    description: "thin".into(),
                    instances: 40,
                }],
            },
            findings: vec![Confirmed::of(finding("f1", 12.34)).unwrap()],
            pdf: b"%PDF-1.7".to_vec(),
            sr: InstanceUid::parse("1.2.9").unwrap(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_uuids_and_depend_on_every_part() {
        let id = stable_uuid(&["a", "bc"]);
        assert_eq!((id.len(), id.as_bytes()[14], stable_uuid(&["a", "bc"])), (36, b'8', id.clone()));
        assert!(matches!(id.as_bytes()[19], b'8' | b'9' | b'a' | b'b'), "{id}");
        assert_ne!(id, stable_uuid(&["ab", "c"]));
    }
}

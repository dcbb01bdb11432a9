//! The printed report: everything that stands on paper, and nothing else.

use crate::document::{Block, BlockKind, Document};
use crate::life::State;
use mj_model::{Lang, Moment, Phi};
use serde::{Deserialize, Serialize};

/// A report as it is printed. Whoever fills it decides what is known; empty fields are left out or printed as
/// a blank line to be filled by hand, as hospitals do.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Sheet {
    /// Language of the printed words.
    pub lang: Lang,
    /// Title, for example 胸部CT检查报告单.
    pub title: String,
    /// Who issues it.
    pub hospital: Hospital,
    /// Whom it is about.
    pub patient: PatientLines,
    /// What was done.
    pub study: StudyLines,
    /// Fields in order; empty ones are not printed.
    pub sections: Vec<Section>,
    /// Key images.
    pub pictures: Vec<Picture>,
    /// State; a draft and a preliminary report bear it across the page.
    pub state: State,
    /// 报告医师.
    pub reporting: Option<Signer>,
    /// 审核医师.
    pub reviewing: Option<Signer>,
    /// Short id of the report.
    pub report_id: String,
    /// SHA-256 of the content, hexadecimal. Empty for a draft.
    pub content_sha256: String,
    /// For an addendum or a correction: short id and time of the report it speaks of.
    pub amends: Option<Amended>,
    /// When this sheet was made.
    pub printed_at: Moment,
}

/// The issuing hospital.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Hospital {
    /// Name.
    pub name: String,
    /// Department, for example 医学影像科.
    pub department: String,
    /// Address and telephone for the footer; may be empty.
    pub contact: String,
}

/// The patient as printed.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct PatientLines {
    /// Name in the language of the sheet.
    pub name: Phi<String>,
    /// Patient's Sex (0010,0040): `M`, `F`, `O`; printed as a word.
    pub sex: String,
    /// Age as DICOM writes it (`065Y`) or as words; printed as a number of years, months, weeks or days.
    pub age: String,
    /// Birth date, `YYYY-MM-DD`; may be empty.
    pub birth_date: Phi<String>,
    /// 病历号: Patient ID (0010,0020).
    pub id: Phi<String>,
    /// 住院号.
    pub inpatient_number: Phi<String>,
    /// 门诊号.
    pub outpatient_number: Phi<String>,
    /// Ward, 病区.
    pub ward: String,
    /// Bed, 床号.
    pub bed: String,
}

/// The study as printed.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct StudyLines {
    /// 检查号: Accession Number (0008,0050).
    pub accession: Phi<String>,
    /// 检查日期, `YYYY-MM-DD HH:MM` or without time.
    pub date: String,
    /// 设备: modality.
    pub modality: String,
    /// 检查项目 / 检查部位.
    pub description: String,
    /// 申请科室.
    pub requesting_department: String,
    /// 申请医师.
    pub referring_physician: String,
}

/// A field of the report as printed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Section {
    /// What it is for.
    pub kind: BlockKind,
    /// Title.
    pub title: String,
    /// Text as people read it.
    pub text: String,
}

/// A picture in the report.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Picture {
    /// PNG file.
    pub png: Vec<u8>,
    /// What it shows.
    pub caption: String,
}

impl std::fmt::Debug for Picture {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Picture({} bytes)", self.png.len())
    }
}

/// Someone who signed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signer {
    /// Name as it stands under the report.
    pub name: String,
    /// When.
    pub at: Moment,
}

/// The report that an addendum or a correction speaks of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Amended {
    /// Its short id.
    pub report_id: String,
    /// When it was signed.
    pub signed_at: Moment,
}

impl Section {
    /// The printed fields of a document, empty ones included.
    #[must_use]
    pub fn all_of(document: &Document) -> Vec<Self> {
        let section = |b: &Block| Self { kind: b.kind, title: b.title(document.lang).into(), text: b.plain() };
        document.blocks.iter().map(section).collect()
    }
}

//! C-FIND in the study root: what does the peer have? (PS3.4 §C.4.1)

use super::{
    Peer, PeerError,
    associate::{Accepted, Association, Proposed},
    classes::NATIVE,
    command::{Command, element, field},
    dataset::{self, Tag},
    status::StatusClass,
};
use dicom_dictionary_std::uids;
use mj_dicom::charset::{CharacterSet, Shape};
use mj_model::{InstanceUid, PersonName, Phi, SeriesUid, SopClassUid, StudyUid, TransferSyntaxUid};
use serde::Serialize;

const MODEL: &str = uids::STUDY_ROOT_QUERY_RETRIEVE_INFORMATION_MODEL_FIND;
/// One answer is a few hundred bytes; a peer that sends more than this has lost its way.
const MAX_ANSWER: usize = 4 << 20;

/// Which kind of thing is searched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FindLevel {
    /// Studies.
    Study,
    /// Series of one study.
    Series,
    /// Instances of one series.
    Instance,
}

impl FindLevel {
    const fn keyword(self) -> &'static str {
        match self {
            Self::Study => "STUDY",
            Self::Series => "SERIES",
            Self::Instance => "IMAGE",
        }
    }

    /// What is always asked for at this level.
    const fn returned(self) -> &'static [Key] {
        use Key::*;
        match self {
            Self::Study => &[
                StudyDate,
                StudyTime,
                AccessionNumber,
                ModalitiesInStudy,
                SopClassesInStudy,
                StudyDescription,
                PatientName,
                PatientId,
                IssuerOfPatientId,
                PatientBirthDate,
                PatientSex,
                StudyInstanceUid,
                StudyId,
                NumberOfSeries,
                NumberOfInstances,
            ],
            Self::Series => &[StudyInstanceUid, SeriesInstanceUid, Modality, SeriesDescription, BodyPart, SeriesNumber, SeriesInstances],
            Self::Instance => &[StudyInstanceUid, SeriesInstanceUid, SopInstanceUid, SopClassUid, InstanceNumber, AvailableTransferSyntax],
        }
    }
}

/// An attribute that can be searched by, or asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "the names are the standard's keywords")]
pub enum Key {
    SopClassUid,
    SopInstanceUid,
    StudyDate,
    StudyTime,
    AccessionNumber,
    Modality,
    ModalitiesInStudy,
    SopClassesInStudy,
    StudyDescription,
    SeriesDescription,
    PatientName,
    PatientId,
    IssuerOfPatientId,
    PatientBirthDate,
    PatientSex,
    BodyPart,
    StudyInstanceUid,
    SeriesInstanceUid,
    StudyId,
    SeriesNumber,
    InstanceNumber,
    NumberOfSeries,
    NumberOfInstances,
    SeriesInstances,
    AvailableTransferSyntax,
}

impl Key {
    /// Tag and VR.
    const fn element(self) -> (Tag, [u8; 2]) {
        match self {
            Self::SopClassUid => ((0x0008, 0x0016), *b"UI"),
            Self::SopInstanceUid => ((0x0008, 0x0018), *b"UI"),
            Self::StudyDate => ((0x0008, 0x0020), *b"DA"),
            Self::StudyTime => ((0x0008, 0x0030), *b"TM"),
            Self::AccessionNumber => ((0x0008, 0x0050), *b"SH"),
            Self::Modality => ((0x0008, 0x0060), *b"CS"),
            Self::ModalitiesInStudy => ((0x0008, 0x0061), *b"CS"),
            Self::SopClassesInStudy => ((0x0008, 0x0062), *b"UI"),
            Self::StudyDescription => ((0x0008, 0x1030), *b"LO"),
            Self::SeriesDescription => ((0x0008, 0x103E), *b"LO"),
            Self::AvailableTransferSyntax => ((0x0008, 0x3002), *b"UI"),
            Self::PatientName => ((0x0010, 0x0010), *b"PN"),
            Self::PatientId => ((0x0010, 0x0020), *b"LO"),
            Self::IssuerOfPatientId => ((0x0010, 0x0021), *b"LO"),
            Self::PatientBirthDate => ((0x0010, 0x0030), *b"DA"),
            Self::PatientSex => ((0x0010, 0x0040), *b"CS"),
            Self::BodyPart => ((0x0018, 0x0015), *b"CS"),
            Self::StudyInstanceUid => ((0x0020, 0x000D), *b"UI"),
            Self::SeriesInstanceUid => ((0x0020, 0x000E), *b"UI"),
            Self::StudyId => ((0x0020, 0x0010), *b"SH"),
            Self::SeriesNumber => ((0x0020, 0x0011), *b"IS"),
            Self::InstanceNumber => ((0x0020, 0x0013), *b"IS"),
            Self::NumberOfSeries => ((0x0020, 0x1206), *b"IS"),
            Self::NumberOfInstances => ((0x0020, 0x1208), *b"IS"),
            Self::SeriesInstances => ((0x0020, 0x1209), *b"IS"),
        }
    }
}

/// A search.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FindQuery {
    /// What is searched.
    pub level: FindLevel,
    /// What it must match; wildcards `*` and `?` in texts, ranges `A-B` in dates.
    pub keys: Vec<(Key, Phi<String>)>,
    /// Stop after so many answers.
    pub limit: usize,
}

impl FindQuery {
    /// A search at a level that matches everything yet.
    #[must_use]
    pub const fn new(level: FindLevel) -> Self {
        Self { level, keys: Vec::new(), limit: 1000 }
    }

    /// Studies.
    #[must_use]
    pub const fn studies() -> Self {
        Self::new(FindLevel::Study)
    }

    /// Series of a study.
    #[must_use]
    pub fn series_of(study: &StudyUid) -> Self {
        Self::new(FindLevel::Series).matching(Key::StudyInstanceUid, study.as_str())
    }

    /// Instances of a series: all of them, for a series may well have thousands.
    #[must_use]
    pub fn instances_of(study: &StudyUid, series: &SeriesUid) -> Self {
        let query = Self::new(FindLevel::Instance)
            .matching(Key::StudyInstanceUid, study.as_str())
            .matching(Key::SeriesInstanceUid, series.as_str());
        Self { limit: 100_000, ..query }
    }

    /// Adds a key that must match, given as DICOM's matching rules want it (PS3.4 §C.2.2.2).
    #[must_use]
    pub fn matching(mut self, key: Key, value: &str) -> Self {
        self.keys.retain(|(k, _)| *k != key);
        self.keys.push((key, Phi::new(value.into())));
        self
    }

    /// Adds a name as a person types it. Blanks, and the places between Chinese characters, match anything,
    /// because family and given name are parted by `^` in the peer's data: 示例一 finds `示例^一`.
    #[must_use]
    pub fn named(self, typed: &str) -> Self {
        let mut pattern = String::from("*");
        for c in typed.trim().chars() {
            let blank = c.is_whitespace() || matches!(c, '*' | '^' | '=');
            if (blank || !c.is_ascii()) && !pattern.ends_with('*') {
                pattern.push('*');
            }
            if !blank {
                pattern.push(c);
            }
        }
        if !pattern.ends_with('*') {
            pattern.push('*');
        }
        self.matching(Key::PatientName, &pattern)
    }

    /// The identifier as sent.
    fn encode(&self, explicit: bool) -> Result<Vec<u8>, PeerError> {
        let mut elements: Vec<(Tag, [u8; 2], &str)> =
            vec![((0x0008, 0x0005), *b"CS", "ISO_IR 192"), ((0x0008, 0x0052), *b"CS", self.level.keyword())];
        for key in self.level.returned() {
            let (tag, vr) = key.element();
            let value = self.keys.iter().find(|(k, _)| k == key).map_or("", |(_, v)| v.show().as_str());
            elements.push((tag, vr, value));
        }
        for (key, value) in self.keys.iter().filter(|(k, _)| !self.level.returned().contains(k)) {
            let (tag, vr) = key.element();
            elements.push((tag, vr, value.show()));
        }
        elements.sort_by_key(|e| e.0);
        let mut out = Vec::with_capacity(512);
        for (tag, vr, value) in elements {
            if value.len() > 1024 || value.chars().any(char::is_control) {
                return Err(PeerError::BadKey);
            }
            dataset::push(&mut out, explicit, tag, vr, value.as_bytes());
        }
        Ok(out)
    }
}

/// One answer. What the peer left out is empty.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct FoundRow {
    /// Study Instance UID.
    pub study_uid: Option<StudyUid>,
    /// Series Instance UID.
    pub series_uid: Option<SeriesUid>,
    /// SOP Instance UID.
    pub sop_instance_uid: Option<InstanceUid>,
    /// SOP Class UID, of an instance.
    pub sop_class_uid: Option<SopClassUid>,
    /// Transfer syntax in which the peer has the instance, where it says so.
    pub transfer_syntax_uid: Option<TransferSyntaxUid>,
    /// SOP Classes in Study.
    pub sop_classes: Vec<SopClassUid>,
    /// Patient's Name.
    pub name: PersonName,
    /// Patient ID.
    pub patient_id: Phi<String>,
    /// Issuer of Patient ID.
    pub issuer: Phi<String>,
    /// Patient's Sex.
    pub sex: String,
    /// Patient's Birth Date as `YYYY-MM-DD`.
    pub birth_date: Option<Phi<String>>,
    /// Study Date as `YYYY-MM-DD`.
    pub date: Option<String>,
    /// Study Time as sent.
    pub time: String,
    /// Study ID.
    pub study_id: String,
    /// Study or series description.
    pub description: String,
    /// Modality, or Modalities in Study.
    pub modalities: Vec<String>,
    /// Accession Number.
    pub accession: Phi<String>,
    /// Body Part Examined.
    pub body_part: String,
    /// Series or instance number.
    pub number: Option<i64>,
    /// Number of series of the study.
    pub series: Option<u32>,
    /// Number of instances of the study or series.
    pub instances: Option<u32>,
}

impl FoundRow {
    /// Reads an answer; its text is decoded by its own Specific Character Set.
    fn decode(data: &[u8], explicit: bool) -> Self {
        let elements = dataset::flat(data, explicit);
        let raw = |tag: Tag| elements.iter().find(|e| e.0 == tag).map_or(&[][..], |e| e.1);
        let character_set = CharacterSet::declared(raw((0x0008, 0x0005)));
        let text = |key: Key| {
            let (tag, vr) = key.element();
            let shape = if vr == *b"PN" { Shape::Name } else { Shape::Values };
            character_set.decode(raw(tag), shape).text.trim_matches([' ', '\0']).to_owned()
        };
        let many =
            |key: Key| text(key).split('\\').map(|v| v.trim_matches([' ', '\0']).to_owned()).filter(|v| !v.is_empty()).collect::<Vec<_>>();
        let first = |a: Key, b: Key| Some(text(a)).filter(|t| !t.is_empty()).unwrap_or_else(|| text(b));
        let modalities = many(Key::ModalitiesInStudy);
        Self {
            study_uid: StudyUid::parse(&text(Key::StudyInstanceUid)).ok(),
            series_uid: SeriesUid::parse(&text(Key::SeriesInstanceUid)).ok(),
            sop_instance_uid: InstanceUid::parse(&text(Key::SopInstanceUid)).ok(),
            sop_class_uid: SopClassUid::parse(&text(Key::SopClassUid)).ok(),
            transfer_syntax_uid: TransferSyntaxUid::parse(&text(Key::AvailableTransferSyntax)).ok(),
            sop_classes: many(Key::SopClassesInStudy).iter().filter_map(|u| SopClassUid::parse(u).ok()).collect(),
            name: PersonName::parse(&text(Key::PatientName)),
            patient_id: Phi::new(text(Key::PatientId)),
            issuer: Phi::new(text(Key::IssuerOfPatientId)),
            sex: text(Key::PatientSex),
            birth_date: date(&text(Key::PatientBirthDate)).map(Phi::new),
            date: date(&text(Key::StudyDate)),
            time: text(Key::StudyTime),
            study_id: text(Key::StudyId),
            description: first(Key::SeriesDescription, Key::StudyDescription),
            modalities: if modalities.is_empty() { many(Key::Modality) } else { modalities },
            accession: Phi::new(text(Key::AccessionNumber)),
            body_part: text(Key::BodyPart),
            number: first(Key::InstanceNumber, Key::SeriesNumber).parse().ok(),
            series: text(Key::NumberOfSeries).parse().ok(),
            instances: first(Key::SeriesInstances, Key::NumberOfInstances).parse().ok(),
        }
    }
}

fn date(text: &str) -> Option<String> {
    let ok = text.len() == 8 && text.bytes().all(|b| b.is_ascii_digit());
    ok.then(|| format!("{}-{}-{}", &text[..4], &text[4..6], &text[6..]))
}

/// Searches a peer. Rows come in the peer's order; past [`FindQuery::limit`] the search is cancelled.
///
/// # Errors
/// See [`PeerError`]; [`PeerError::Failed`] carries the peer's own words.
pub async fn find(peer: &Peer, query: &FindQuery) -> Result<Vec<FoundRow>, PeerError> {
    let association = Association::request(peer, &[Proposed::new(MODEL, &NATIVE)], MAX_ANSWER).await?;
    let (mut association, context) = association.offering(MODEL, "C-FIND").await?;
    let result = search(&mut association, &context, query).await;
    association.end(result).await
}

async fn search(association: &mut Association, context: &Accepted, query: &FindQuery) -> Result<Vec<FoundRow>, PeerError> {
    let explicit = context.transfer_syntax == NATIVE[0];
    let id = association.next_id();
    let command = Command::new(field::FIND_RQ)
        .uid(element::AFFECTED_SOP_CLASS, MODEL)
        .number(element::MESSAGE_ID, id)
        .number(element::PRIORITY, 0)
        .with_data();
    association.wire.send(context.id, &command, Some(&query.encode(explicit)?)).await?;
    let mut rows = Vec::new();
    let mut cancelled = false;
    loop {
        let message = association.message("C-FIND").await?;
        if message.command.kind() != field::FIND_RSP {
            return Err(PeerError::Protocol { what: "an answer to something else" });
        }
        let status = message.command.status();
        match StatusClass::of(status) {
            StatusClass::Pending if rows.len() < query.limit => rows.push(FoundRow::decode(&message.data, explicit)),
            StatusClass::Pending if cancelled => {}
            StatusClass::Pending => {
                cancelled = true;
                let cancel = Command::new(field::CANCEL_RQ).number(element::RESPONDED_TO, id);
                association.wire.send(context.id, &cancel, None).await?;
            }
            StatusClass::Success | StatusClass::Warning | StatusClass::Cancel => return Ok(rows),
            StatusClass::Failure => {
                return Err(PeerError::Failed { service: "C-FIND", status, comment: message.command.text(element::ERROR_COMMENT) });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn typed_names_become_patterns() {
        for (typed, pattern) in [
            ("示例一", "*示*例*一*"),
            ("shili yi", "*shili*yi*"),
            ("Shili 示", "*Shili*示*"),
            ("*", "*"),
            ("", "*"),
            ("D'Exemple^J", "*D'Exemple*J*"),
        ] {
            let query = FindQuery::studies().named(typed);
            assert_eq!(query.keys, [(Key::PatientName, Phi::new(pattern.to_owned()))], "{typed}");
        }
    }

    #[test]
    fn identifiers_are_sorted_and_read_back() {
        let query = FindQuery::studies()
            .matching(Key::PatientName, "Shili^Yi=示例^一")
            .matching(Key::StudyDate, "20260102")
            .matching(Key::Modality, "CT");
        for explicit in [true, false] {
            let bytes = query.encode(explicit).unwrap();
            let tags: Vec<Tag> = dataset::flat(&bytes, explicit).iter().map(|e| e.0).collect();
            assert!(tags.is_sorted() && tags.contains(&(0x0008, 0x0060)));
            let row = FoundRow::decode(&bytes, explicit);
            assert_eq!(row.name.display(mj_model::Lang::Zh).show(), "示例一");
            assert_eq!((row.date.as_deref(), row.modalities.as_slice()), (Some("2026-01-02"), &["CT".to_owned()][..]));
        }
    }

    #[test]
    fn keys_that_would_break_the_message_are_refused() {
        for bad in ["a\r\nb".to_owned(), "x".repeat(1025)] {
            assert!(matches!(FindQuery::studies().matching(Key::PatientId, &bad).encode(true), Err(PeerError::BadKey)));
        }
    }
}

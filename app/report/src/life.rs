//! What may follow what: draft, preliminary, final, and then only an addendum or a correction.
//!
//! A signed report is a [`Signed`], which has no way to its text but reading; what it says is covered by the
//! hash in its signatures. Only a [`Draft`] can be edited.

use crate::check::{CheckResult, Severity};
use crate::document::{Block, Document};
use crate::error::{Error, Result};
use crate::op::{Edit, Op};
use crate::rebase::rebase;
use mj_model::person::{Person, Role};
use mj_model::{Lang, Moment};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// State of a report as stored and told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Being written.
    Draft,
    /// Signed by the reporting physician, not yet read over.
    Preliminary,
    /// Read over and signed.
    Final,
    /// A signed addition to a final report.
    Addendum,
    /// A signed replacement of a final report.
    Corrected,
}

impl State {
    /// Its name: `draft`, `preliminary`, `final`, `addendum`, `corrected`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Preliminary => "preliminary",
            Self::Final => "final",
            Self::Addendum => "addendum",
            Self::Corrected => "corrected",
        }
    }

    /// True when the text can no longer change.
    #[must_use]
    pub const fn is_signed(self) -> bool {
        !matches!(self, Self::Draft)
    }

    /// True when nobody else has to sign.
    #[must_use]
    pub const fn is_complete(self) -> bool {
        matches!(self, Self::Final | Self::Addendum | Self::Corrected)
    }
}

/// A signature.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signature {
    /// Id of the person.
    pub person: String,
    /// Name as it stood under the report when it was signed.
    pub name: String,
    /// What the person signed as.
    pub role: Role,
    /// When.
    pub at: Moment,
    /// SHA-256 of the content that was signed, hexadecimal; see [`content_sha256`].
    pub sha256: String,
}

/// How a report speaks of an earlier one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AmendKind {
    /// It adds to it; both are to be read.
    Addendum,
    /// It replaces it.
    Corrected,
}

/// The earlier report that a report adds to or replaces.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Amends {
    /// Adds or replaces.
    pub kind: AmendKind,
    /// Id of the earlier report.
    pub report: String,
    /// Hash of its content.
    pub sha256: String,
}

/// What a signature covers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Content {
    /// The text with its anchors.
    pub document: Document,
    /// What it adds to or replaces.
    pub amends: Option<Amends>,
    /// SHA-256 of each picture in the report, hexadecimal, in order.
    pub pictures: Vec<String>,
}

/// The fields of the hash, in the order they are written. Titles and templates' names are in it, since they
/// are printed; the number of the last edit is not.
#[derive(Serialize)]
struct Canonical<'a> {
    format: u32,
    id: &'a str,
    study: &'a str,
    template: &'a str,
    lang: Lang,
    blocks: &'a [Block],
    amends: &'a Option<Amends>,
    pictures: &'a [String],
}

/// SHA-256 of the content, hexadecimal: over its canonical form, JSON without blanks and with the fields in
/// the order of format 1 (`format`, `id`, `study`, `template`, `lang`, `blocks`, `amends`, `pictures`).
///
/// # Errors
/// [`Error::Damaged`] when the content cannot be written down.
pub fn content_sha256(content: &Content) -> Result<String> {
    let Content { document, amends, pictures } = content;
    let canonical = Canonical {
        format: 1,
        id: &document.id,
        study: document.study.as_str(),
        template: &document.template,
        lang: document.lang,
        blocks: &document.blocks,
        amends,
        pictures,
    };
    let bytes = serde_json::to_vec(&canonical).map_err(|_source| Error::Damaged { what: "content that cannot be written down" })?;
    Ok(hex(&Sha256::digest(&bytes)))
}

/// SHA-256 of bytes (a picture, a PDF), hexadecimal.
#[must_use]
pub fn sha256_hex(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A report that is being written.
#[derive(Debug, Clone, PartialEq)]
pub struct Draft {
    content: Content,
}

/// A signed report that still has to be read over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Preliminary;
/// A signed report that nobody else has to sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Final;

/// A signed report: its content can be read and no more.
#[derive(Debug, Clone, PartialEq)]
pub struct Signed<S> {
    content: Content,
    signatures: Vec<Signature>,
    stage: S,
}

/// A report at whatever stage it is, as it comes from a store.
#[derive(Debug, Clone, PartialEq)]
pub enum Report {
    /// Being written.
    Draft(Draft),
    /// Signed once.
    Preliminary(Signed<Preliminary>),
    /// Signed and read over; addenda and corrections too.
    Final(Signed<Final>),
}

/// What became of an edit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Taken {
    /// Revision of the document after the edit.
    pub revision: u64,
    /// The operations as they were done.
    pub ops: Vec<Op>,
}

impl Draft {
    /// A draft of its own, or one that amends a signed report.
    #[must_use]
    pub const fn new(document: Document, amends: Option<Amends>) -> Self {
        Self { content: Content { document, amends, pictures: Vec::new() } }
    }

    /// The document.
    #[must_use]
    pub const fn document(&self) -> &Document {
        &self.content.document
    }

    /// What it adds to or replaces.
    #[must_use]
    pub const fn amends(&self) -> Option<&Amends> {
        self.content.amends.as_ref()
    }

    /// Takes an edit. `since` are the operations done since the edit's base revision, oldest first; the edit
    /// is moved past them.
    ///
    /// # Errors
    /// [`Error::FutureRevision`], or as [`Document::apply`].
    pub fn edit(&mut self, edit: &Edit, since: &[Op]) -> Result<Taken> {
        let present = self.content.document.revision;
        if edit.base_revision > present {
            return Err(Error::FutureRevision { base: edit.base_revision, present });
        }
        let ops = if edit.base_revision == present { edit.ops.clone() } else { rebase(&edit.ops, since) };
        self.content.document.apply(&ops)?;
        Ok(Taken { revision: self.content.document.revision, ops })
    }

    /// What a signature would cover, with the pictures that go into the report (their hashes).
    #[must_use]
    pub fn content(&self, pictures: Vec<String>) -> Content {
        Content { pictures, ..self.content.clone() }
    }

    /// Signs. A reporting physician makes it preliminary, a reviewing one final at once.
    ///
    /// # Errors
    /// [`Error::Blocked`] while a blocking check stands; [`Error::WrongRole`]; [`Error::Damaged`].
    pub fn sign(self, by: &Person, at: Moment, pictures: Vec<String>, checks: &[CheckResult]) -> Result<Report> {
        let count = checks.iter().filter(|check| check.severity == Severity::Block).count();
        if count > 0 {
            return Err(Error::Blocked { count });
        }
        let content = self.content(pictures);
        let signatures = vec![signature(by, at, &content)?];
        match by.role {
            Role::Reporting => Ok(Report::Preliminary(Signed { content, signatures, stage: Preliminary })),
            Role::Reviewing => Ok(Report::Final(Signed { content, signatures, stage: Final })),
            Role::Surgeon | Role::Engineer => Err(Error::WrongRole),
        }
    }
}

fn signature(by: &Person, at: Moment, content: &Content) -> Result<Signature> {
    let sha256 = content_sha256(content)?;
    Ok(Signature { person: by.id.clone(), name: by.name.clone(), role: by.role, at, sha256 })
}

impl<S> Signed<S> {
    /// What was signed.
    #[must_use]
    pub const fn content(&self) -> &Content {
        &self.content
    }

    /// The document that was signed.
    #[must_use]
    pub const fn document(&self) -> &Document {
        &self.content.document
    }

    /// The signatures, oldest first.
    #[must_use]
    pub fn signatures(&self) -> &[Signature] {
        &self.signatures
    }

    /// Checks that the content is what every signature covers.
    ///
    /// # Errors
    /// [`Error::HashMismatch`].
    pub fn verify(&self) -> Result<()> {
        let sha256 = content_sha256(&self.content)?;
        let all_agree = !self.signatures.is_empty() && self.signatures.iter().all(|s| s.sha256 == sha256);
        if all_agree { Ok(()) } else { Err(Error::HashMismatch) }
    }
}

impl Signed<Preliminary> {
    /// The second signature: a reviewing physician who is not the one who signed first.
    ///
    /// # Errors
    /// [`Error::WrongRole`], [`Error::SamePerson`], [`Error::HashMismatch`].
    pub fn countersign(mut self, by: &Person, at: Moment) -> Result<Signed<Final>> {
        if by.role != Role::Reviewing {
            return Err(Error::WrongRole);
        }
        if self.signatures.iter().any(|s| s.person == by.id) {
            return Err(Error::SamePerson);
        }
        self.verify()?;
        self.signatures.push(signature(by, at, &self.content)?);
        Ok(Signed { content: self.content, signatures: self.signatures, stage: Final })
    }

    /// Back to the desk: the reviewing physician asks for changes. The signed version stays in the record; a
    /// draft of the same report goes on from it.
    #[must_use]
    pub fn reopen(&self) -> Draft {
        Draft { content: Content { pictures: Vec::new(), ..self.content.clone() } }
    }
}

impl Signed<Final> {
    /// A draft of another report that adds to this one: the same fields, empty.
    ///
    /// # Errors
    /// [`Error::Damaged`].
    pub fn addendum(&self, id: &str) -> Result<Draft> {
        let empty = |b: &Block| Block { is_required: false, ..Block::new(&b.id, &b.title_zh, &b.title_en, b.kind) };
        let blocks = self.content.document.blocks.iter().map(empty).collect();
        let document = Document { id: id.into(), revision: 0, blocks, ..self.content.document.clone() };
        Ok(Draft::new(document, Some(self.amended(AmendKind::Addendum)?)))
    }

    /// A draft of another report that replaces this one and begins with its text.
    ///
    /// # Errors
    /// [`Error::Damaged`].
    pub fn correction(&self, id: &str) -> Result<Draft> {
        let document = Document { id: id.into(), revision: 0, ..self.content.document.clone() };
        Ok(Draft::new(document, Some(self.amended(AmendKind::Corrected)?)))
    }

    fn amended(&self, kind: AmendKind) -> Result<Amends> {
        Ok(Amends { kind, report: self.content.document.id.clone(), sha256: content_sha256(&self.content)? })
    }
}

impl Report {
    /// A report from what a store kept: without signatures a draft, with one by a reporting physician a
    /// preliminary, otherwise a final one.
    ///
    /// # Errors
    /// [`Error::HashMismatch`] when a signature does not cover the content; [`Error::Damaged`].
    pub fn from_parts(content: Content, signatures: Vec<Signature>) -> Result<Self> {
        content.document.validate()?;
        let is_reviewed = signatures.iter().any(|s| s.role == Role::Reviewing);
        if signatures.is_empty() {
            return Ok(Self::Draft(Draft { content }));
        }
        if is_reviewed {
            let signed = Signed { content, signatures, stage: Final };
            signed.verify().map(|()| Self::Final(signed))
        } else {
            let signed = Signed { content, signatures, stage: Preliminary };
            signed.verify().map(|()| Self::Preliminary(signed))
        }
    }

    /// What it says.
    #[must_use]
    pub const fn content(&self) -> &Content {
        match self {
            Self::Draft(draft) => &draft.content,
            Self::Preliminary(signed) => &signed.content,
            Self::Final(signed) => &signed.content,
        }
    }

    /// Its signatures, oldest first.
    #[must_use]
    pub fn signatures(&self) -> &[Signature] {
        match self {
            Self::Draft(_) => &[],
            Self::Preliminary(signed) => &signed.signatures,
            Self::Final(signed) => &signed.signatures,
        }
    }

    /// Its state.
    #[must_use]
    pub fn state(&self) -> State {
        match self {
            Self::Draft(_) => State::Draft,
            Self::Preliminary(_) => State::Preliminary,
            Self::Final(signed) => match signed.content.amends.as_ref().map(|a| a.kind) {
                None => State::Final,
                Some(AmendKind::Addendum) => State::Addendum,
                Some(AmendKind::Corrected) => State::Corrected,
            },
        }
    }

    /// The draft, to edit or sign.
    ///
    /// # Errors
    /// [`Error::Signed`].
    pub fn into_draft(self) -> Result<Draft> {
        match self {
            Self::Draft(draft) => Ok(draft),
            Self::Preliminary(_) | Self::Final(_) => Err(Error::Signed),
        }
    }

    /// The second signature.
    ///
    /// # Errors
    /// [`Error::NotFollowing`] unless preliminary; as [`Signed::countersign`].
    pub fn countersign(self, by: &Person, at: Moment) -> Result<Self> {
        match self {
            Self::Preliminary(signed) => signed.countersign(by, at).map(Self::Final),
            other => Err(Error::NotFollowing { from: other.state().name(), to: State::Final.name() }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::op::EditSource;
    use crate::testing::document;

    fn person(id: &str, role: Role) -> Person {
        Person { id: id.into(), name: format!("医师{id}"), role }
    }

    fn at() -> Moment {
        Moment::parse("2026-11-21T08:10:00+08:00").unwrap()
    }

    #[test]
    fn signed_once_read_over_and_amended() {
        let draft = Draft::new(document("正常。"), None);
        let report = draft.sign(&person("1", Role::Reporting), at(), vec!["aa".into()], &[]).unwrap();
        assert_eq!(report.state(), State::Preliminary);
        assert_eq!(report.clone().into_draft(), Err(Error::Signed));
        assert_eq!(report.clone().countersign(&person("2", Role::Reporting), at()), Err(Error::WrongRole));
        assert_eq!(report.clone().countersign(&person("1", Role::Reviewing), at()), Err(Error::SamePerson));
        let done = report.countersign(&person("2", Role::Reviewing), at()).unwrap();
        assert_eq!((done.state(), done.signatures().len()), (State::Final, 2));
        assert!(matches!(done.clone().countersign(&person("3", Role::Reviewing), at()), Err(Error::NotFollowing { .. })));
        let Report::Final(signed) = &done else { unreachable!() };
        signed.verify().unwrap();
        let again = signed.addendum("r2").unwrap().sign(&person("2", Role::Reviewing), at(), vec![], &[]).unwrap();
        assert_eq!(again.state(), State::Addendum);
        let corrected = signed.correction("r3").unwrap();
        assert_eq!(corrected.document().blocks, signed.document().blocks);
        assert_eq!(corrected.sign(&person("2", Role::Reviewing), at(), vec![], &[]).unwrap().state(), State::Corrected);
        // What a store kept comes back as what it was, and a changed character is seen.
        let back = Report::from_parts(done.content().clone(), done.signatures().to_vec()).unwrap();
        assert_eq!(back, done);
        let mut changed = done.content().clone();
        changed.document.blocks[0].text.push('x');
        assert_eq!(Report::from_parts(changed, done.signatures().to_vec()), Err(Error::HashMismatch));
        let mut other_picture = done.content().clone();
        other_picture.pictures = vec!["ab".into()];
        assert_eq!(Report::from_parts(other_picture, done.signatures().to_vec()), Err(Error::HashMismatch));
    }

    #[test]
    fn a_blocking_check_stands_against_signing() {
        let block = CheckResult {
            rule: "x".into(),
            severity: Severity::Block,
            field: None,
            span: None,
            message: String::new(),
            ask: false,
            fix: String::new(),
        };
        let draft = Draft::new(document("正常。"), None);
        assert_eq!(
            draft.clone().sign(&person("1", Role::Reporting), at(), vec![], std::slice::from_ref(&block)),
            Err(Error::Blocked { count: 1 })
        );
        let warn = CheckResult { severity: Severity::Warn, ..block };
        assert!(draft.clone().sign(&person("1", Role::Reporting), at(), vec![], &[warn]).is_ok());
        assert_eq!(draft.sign(&person("1", Role::Engineer), at(), vec![], &[]), Err(Error::WrongRole));
    }

    #[test]
    fn the_hash_of_a_content_never_changes() {
        let content = Content { document: document("右肺结节。"), amends: None, pictures: vec![] };
        let first = content_sha256(&content).unwrap();
        assert_eq!(first, FIXED);
        let mut later = content.clone();
        later.document.revision = 9;
        assert_eq!(content_sha256(&later).unwrap(), first);
    }

    /// Signatures made by earlier versions must stay valid.
    const FIXED: &str = "98375b19247b7e43ff5b934ce380af3df2d0049933fe9cbaa92cfef1d5ff6e99";

    #[test]
    fn an_edit_against_an_older_revision_is_moved() {
        let mut draft = Draft::new(document("ab"), None);
        let insert = |at: usize, text: &str| vec![Op::Insert { block: "findings".into(), at, text: text.into() }];
        let edit = |base_revision: u64, ops: Vec<Op>| Edit { base_revision, ops, by: EditSource::Typing };
        let first = draft.edit(&edit(0, insert(0, "1")), &[]).unwrap();
        let second = draft.edit(&edit(0, insert(1, "2")), &first.ops).unwrap();
        assert_eq!((second.revision, draft.document().blocks[0].text.as_str()), (2, "1a2b"));
        assert!(matches!(draft.edit(&edit(9, vec![]), &[]), Err(Error::FutureRevision { .. })));
    }
}

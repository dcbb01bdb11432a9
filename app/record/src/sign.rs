//! Signing: a change of type, and one transaction with everything that follows from it.
//!
//! The report as SR and as PDF, the signature, the audit row and the outbox rows are there together or not at
//! all. What was signed is kept as it was and never changes; a countersignature is a further version.

use crate::audit::note;
use crate::db::{WriteTx, json, to_json};
use crate::findings::of_study;
use crate::ingest::{Candidate, Ingested};
use crate::people::role_text;
use crate::{Error, Record, Report, Result, outbox, reports};
use mj_dicom::context::{Context, Device, Written};
use mj_dicom::encapsulated::{PdfInput, read_pdf, write_pdf};
use mj_dicom::sr::{self, ObjectRef, Observer, Section, SectionKind, SrInput};
use mj_dicom::{Dataset, dataset_sha256};
use mj_model::person::{Person, Role};
use mj_model::{Confirmed, InstanceUid, SeriesUid, StudyUid};
use mj_report::life::AmendKind;
use mj_report::{BlockKind, Document, Signature};
use serde::Serialize;
use serde_json::json;
use sqlx::{Row as _, SqliteConnection};
use std::collections::BTreeMap;

/// Series Number of reports as SR and as PDF: far behind the images.
const SR_SERIES_NUMBER: i64 = 9001;
const PDF_SERIES_NUMBER: i64 = 9002;

/// What is to be signed, by whom, and where it goes.
#[derive(Debug, Clone)]
pub struct SignRequest {
    /// Id or short id of the report.
    pub report: String,
    /// Id of the person, or a name that only one has.
    pub person: String,
    /// The PDF, typeset from [`Record::sheet_for_signing`].
    pub pdf: Vec<u8>,
    /// Names of the servers that get SR and PDF.
    pub deliver_to: Vec<String>,
    /// Why it is signed against what rules ask; kept in the audit.
    pub reasons: Vec<mj_report::check::Reason>,
}

/// What came of signing.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Signed {
    /// The report.
    pub report: Report,
    /// SOP Instance UID of the structured report.
    pub sr: InstanceUid,
    /// SOP Instance UID of the encapsulated PDF.
    pub pdf: InstanceUid,
}

/// Whether a signed report is still what was signed; its serde form is the command line's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Verified {
    /// True when nothing changed.
    pub valid: bool,
    /// Names of those who signed.
    pub signed_by: String,
    /// When it was signed last.
    pub at: String,
    /// What does not fit: `content`, `sr`, `pdf`; `reopened` for a file whose report was opened again since.
    pub changed: Vec<String>,
}

impl Record {
    /// Signs a draft. A reporting physician makes it preliminary, a reviewing one final.
    ///
    /// # Errors
    /// [`Error::Report`] when a check blocks it, the role does not allow it or it is signed already;
    /// [`Error::ReportChanged`] when the PDF is of another text; [`Error::NoImage`]; [`Error::Unknown`]; disk and
    /// database errors.
    pub async fn sign(&self, request: SignRequest) -> Result<Signed> {
        self.sign_as(request, false).await
    }

    /// The second signature, which makes a preliminary report final.
    ///
    /// # Errors
    /// As [`Record::sign`].
    pub async fn countersign(&self, request: SignRequest) -> Result<Signed> {
        self.sign_as(request, true).await
    }

    async fn sign_as(&self, request: SignRequest, is_countersign: bool) -> Result<Signed> {
        let person = self.person(&request.person).await?;
        for server in &request.deliver_to {
            self.server(server).await?;
        }
        let before = self.report(&request.report).await?;
        let id = before.document.id.clone();
        let study = before.document.study.clone();
        let (pictures, _) = self.report_pictures(&before).await?;
        let pictures = pictures.iter().map(|picture| mj_report::life::sha256_hex(&picture.png)).collect();
        let image = self.reference_image(&study).await?;

        let mut tx = self.write().await?;
        let at = mj_model::clock::now();
        let life = reports::load_life(tx.conn(), &id).await?;
        let mut against = Vec::new();
        let (signed, findings) = if is_countersign {
            (life.countersign(&person, at)?, signed_findings(tx.conn(), &id).await?)
        } else {
            let found = self.checks_of(tx.conn(), &id, None).await?;
            let checks = mj_report::check::in_the_way(&found, &request.reasons);
            // Every place that a reason was given for, so that one reason for several can be seen.
            against.extend(found.iter().filter(|c| c.ask).map(|c| json!({ "rule": c.rule, "field": c.field, "span": c.span })));
            // Signed before anybody was called: it stays open until somebody is.
            for what in uncalled(&before.document, &found) {
                crate::critical::mark_within(&mut tx, &study, &what, &person.id).await?;
            }
            let findings = of_study(tx.conn(), &study).await?;
            (life.into_draft()?.sign(&person, at, pictures, &checks)?, findings.into_iter().filter_map(Confirmed::of).collect())
        };
        let signature = signed.signatures().last().cloned().ok_or(Error::Stored("signature"))?;
        self.require_typeset(&id, &person, &signature)?;

        // UIDs are minted here, in the transaction that needs them.
        let made = Made {
            title: self.template(&signed.content().document.template).map(|t| t.title.get(signed.content().document.lang).to_owned()),
            document: signed.content().document.clone(),
            signatures: signed.signatures().to_vec(),
            is_final: signed.state().is_complete(),
            modalities: modalities(tx.conn(), &findings).await?,
            authors: authors(tx.conn(), &findings).await?,
            findings,
            predecessor: predecessor(tx.conn(), &id, &before).await?,
            device: station(tx.conn()).await?,
            at,
        };
        let signed_pdf = crate::certificates::signed_by(tx.conn(), &request.pdf, &person, at).await?;
        let (sr, pdf) = made.write(&image, &signed_pdf)?;
        let placed = self.enter_made(&mut tx, [&sr, &pdf], &id).await?;
        add_signature(&mut tx, &id, &signed, &signature, &made, [&sr, &pdf], &signed_pdf).await?;
        let state = signed.state();
        sqlx::query("UPDATE report SET state = ? WHERE report_id = ?").bind(state.name()).bind(&id).execute(tx.conn()).await?;
        reports::refresh_study_state(tx.conn(), &study).await?;
        let detail = json!({ "state": state, "sha256": signature.sha256, "sr": sr.sop_instance, "pdf": pdf.sop_instance, "study": study, "reasons": request.reasons, "against": against });
        note(&mut tx, &person.id, if is_countersign { "report.countersigned" } else { "report.signed" }, &id, &detail).await?;
        for server in &request.deliver_to {
            outbox::enqueue_within(&mut tx, &[sr.sop_instance.clone(), pdf.sop_instance.clone()], server, &person.id).await?;
        }
        self.commit_with(tx, placed).await?;
        Ok(Signed { report: self.report(&id).await?, sr: sr.sop_instance, pdf: pdf.sop_instance })
    }

    /// When a sheet was made for this signature in this program, it must be of this content.
    fn require_typeset(&self, report: &str, person: &Person, signature: &Signature) -> Result<()> {
        let typeset = self.inner.typeset.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        match typeset.get(&(report.to_owned(), person.id.clone())) {
            Some(sha256) if *sha256 != signature.sha256 => Err(Error::ReportChanged),
            _ => Ok(()),
        }
    }

    /// Opens a preliminary report again: its signature stays in the record and counts no more.
    ///
    /// # Errors
    /// [`Error::Report`] unless it is preliminary; [`Error::Unknown`]; database errors.
    pub async fn reopen(&self, report: &str, who: &str) -> Result<Report> {
        let id = self.full_id(report, 'r').await?;
        let mut tx = self.write().await?;
        let life = reports::load_life(tx.conn(), &id).await?;
        if !matches!(life, mj_report::Report::Preliminary(_)) {
            return Err(mj_report::Error::NotFollowing { from: life.state().name(), to: "draft" }.into());
        }
        sqlx::query("UPDATE report SET state = 'draft', round = round + 1 WHERE report_id = ?").bind(&id).execute(tx.conn()).await?;
        reports::refresh_study_state(tx.conn(), &life.content().document.study).await?;
        note(&mut tx, who, "report.reopened", &id, &serde_json::Value::Null).await?;
        // Findings may have moved on while it was signed.
        reports::catch_up(&mut tx, &id, who).await?;
        tx.commit().await?;
        self.report(&id).await
    }

    /// The PDF of a signed report, its latest version.
    ///
    /// # Errors
    /// [`Error::NotSigned`]; [`Error::Unknown`]; disk, seal and database errors.
    pub async fn signed_pdf(&self, report: &str) -> Result<Vec<u8>> {
        let (_, pdf) = self.signed_objects(report).await?;
        Ok(read_pdf(&Dataset::read(&self.object_bytes(&pdf).await?)?)?)
    }

    /// The structured report of a signed report as a DICOM file, its latest version.
    ///
    /// # Errors
    /// As [`Record::signed_pdf`].
    pub async fn signed_sr(&self, report: &str) -> Result<Vec<u8>> {
        let (sr, _) = self.signed_objects(report).await?;
        self.object_bytes(&sr).await
    }

    /// SOP Instance UIDs of the latest signed version: structured report and PDF.
    ///
    /// # Errors
    /// [`Error::NotSigned`]; [`Error::Unknown`]; database errors.
    pub async fn signed_objects(&self, report: &str) -> Result<(InstanceUid, InstanceUid)> {
        let id = self.full_id(report, 'r').await?;
        let mut conn = self.read().await?;
        let row = latest(&mut conn, &id).await?.ok_or(Error::NotSigned)?;
        let uid = |column| crate::worklist::uid(row.try_get::<&str, _>(column)?, InstanceUid::parse);
        Ok((uid("sr_instance")?, uid("pdf_instance")?))
    }

    /// Checks a signed report: content against the hash in its signatures, the PDF against its own, the objects
    /// against theirs.
    ///
    /// # Errors
    /// [`Error::NotSigned`]; [`Error::Unknown`]; database errors. What does not fit is no error: it is told.
    pub async fn verify(&self, report: &str) -> Result<Verified> {
        let id = self.full_id(report, 'r').await?;
        let (row, signatures, content_fits) = {
            let mut conn = self.read().await?;
            let row = latest(&mut conn, &id).await?.ok_or(Error::NotSigned)?;
            let signatures = reports::signatures(&mut conn, &id).await?;
            (row, signatures, reports::load_life(&mut conn, &id).await.is_ok())
        };
        let mut changed = Vec::new();
        if !content_fits {
            changed.push("content".to_owned());
        }
        for (name, column) in [("sr", "sr_instance"), ("pdf", "pdf_instance")] {
            let instance = crate::worklist::uid(row.try_get::<&str, _>(column)?, InstanceUid::parse)?;
            if !self.is_object_whole(&instance).await {
                changed.push(name.to_owned());
            }
        }
        let pdf = self.signed_pdf(&id).await.map(|pdf| mj_report::life::sha256_hex(&pdf)).unwrap_or_default();
        if pdf != row.try_get::<&str, _>("pdf_sha256")? && !changed.iter().any(|what| what == "pdf") {
            changed.push("pdf".to_owned());
        }
        Ok(Verified {
            valid: changed.is_empty(),
            signed_by: signatures.iter().map(|s| s.name.as_str()).collect::<Vec<_>>().join(", "),
            at: signatures.last().map(|s| s.at.to_string()).unwrap_or_default(),
            changed,
        })
    }

    /// Checks a file that should be a signed report, a PDF or one of the two DICOM objects, against what was signed.
    ///
    /// # Errors
    /// [`Error::Dicom`] when it is neither; [`Error::NotSigned`] for an object that is no signed report of this record;
    /// database errors. What does not fit is no error: it is told.
    pub async fn verify_file(&self, bytes: &[u8]) -> Result<Verified> {
        let mut conn = self.read().await?;
        if bytes.starts_with(b"%PDF") {
            let sha256 = mj_report::life::sha256_hex(bytes);
            let found = signed_version(&mut conn, "pdf_sha256", &sha256).await?;
            // A PDF that was changed names no report any more.
            return Ok(found.unwrap_or_else(|| Verified {
                valid: false,
                signed_by: String::new(),
                at: String::new(),
                changed: vec!["pdf".to_owned()],
            }));
        }
        let (instance, sha256) = (Dataset::read(bytes)?.header()?.instance, dataset_sha256(bytes)?);
        for (what, column) in [("sr", "sr_instance"), ("pdf", "pdf_instance")] {
            let Some(mut verified) = signed_version(&mut conn, column, instance.as_str()).await? else { continue };
            let known = crate::ingest::known_instance(&mut conn, &instance).await?;
            if known.is_none_or(|known| known.sha256 != sha256) {
                verified.changed.push(what.to_owned());
            }
            verified.valid = verified.changed.is_empty();
            return Ok(verified);
        }
        Err(Error::NotSigned)
    }

    async fn is_object_whole(&self, instance: &InstanceUid) -> bool {
        let known = async {
            let mut conn = self.read().await?;
            crate::ingest::known_instance(&mut conn, instance).await
        };
        let (Ok(Some(known)), Ok(bytes)) = (known.await, self.object_bytes(instance).await) else { return false };
        mj_dicom::dataset_sha256(&bytes).is_ok_and(|sha256| sha256 == known.sha256)
    }

    /// The data set of an image of the study: patient and study are copied from it.
    pub(crate) async fn reference_image(&self, study: &StudyUid) -> Result<Dataset> {
        let file: Option<String> = {
            let mut conn = self.read().await?;
            sqlx::query_scalar(
                "SELECT object_file FROM instance JOIN series USING (series_pk) JOIN study USING (study_pk)
                 WHERE study_uid = ? AND has_pixels AND modality <> 'SEG' ORDER BY bytes, instance_pk LIMIT 1",
            )
            .bind(study.as_str())
            .fetch_optional(&mut *conn)
            .await?
        };
        let bytes = self.load_object(file.ok_or(Error::NoImage)?).await?;
        Ok(Dataset::read(&bytes)?)
    }

    /// Lets our own objects enter by the one door, within the transaction that signs.
    async fn enter_made(&self, tx: &mut WriteTx, made: [&Written; 2], report: &str) -> Result<crate::objects::Placed> {
        let mut prepared = Vec::with_capacity(made.len());
        for one in made {
            let candidate = Candidate::bytes(format!("report {report}"), one.bytes.clone());
            prepared.push(self.prepare(candidate).await.map_err(|failed| failed.error)?);
        }
        let (placed, outcomes) = self.enter_within(tx, prepared, "report.objects").await?;
        let all_stored = outcomes.iter().all(|(_, outcome)| matches!(outcome, Ingested::Stored { .. }));
        if all_stored { Ok(placed) } else { Err(Error::Contradicts("import.same_uid_other_content")) }
    }
}

/// The critical results that a report states and no call is recorded of, in its own words.
fn uncalled(document: &Document, found: &[mj_report::CheckResult]) -> Vec<String> {
    let words = |check: &mj_report::CheckResult| {
        let [start, end] = check.span?;
        let block = document.block(check.field.as_deref()?).ok()?;
        Some(block.plain().chars().skip(start).take(end.saturating_sub(start)).collect())
    };
    found.iter().filter(|check| check.rule == "critical_uncalled").filter_map(words).collect()
}

/// The signed version that a column of [`report_signature`] names, with those who had signed by then. Not valid when the
/// report was opened again since: its signatures count no more.
///
/// [`report_signature`]: reports::signatures
async fn signed_version(conn: &mut SqliteConnection, column: &'static str, value: &str) -> Result<Option<Verified>> {
    let sql = format!(
        "SELECT report_id, version, round, at, round = (SELECT round FROM report WHERE report.report_id = s.report_id) AS counts
         FROM report_signature AS s WHERE {column} = ? ORDER BY counts DESC, signature_pk DESC LIMIT 1"
    );
    let Some(row) = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(value).fetch_optional(&mut *conn).await? else { return Ok(None) };
    let names: Vec<String> =
        sqlx::query_scalar("SELECT person_name FROM report_signature WHERE report_id = ? AND round = ? AND version <= ? ORDER BY version")
            .bind(row.try_get::<&str, _>("report_id")?)
            .bind(row.try_get::<i64, _>("round")?)
            .bind(row.try_get::<i64, _>("version")?)
            .fetch_all(conn)
            .await?;
    let counts: bool = row.try_get("counts")?;
    Ok(Some(Verified {
        valid: counts,
        signed_by: names.join(", "),
        at: row.try_get("at")?,
        changed: if counts { Vec::new() } else { vec!["reopened".to_owned()] },
    }))
}

/// Everything that goes into the objects of a signed version.
struct Made {
    /// Title of the template.
    title: Option<String>,
    document: Document,
    signatures: Vec<Signature>,
    is_final: bool,
    /// What a device proposed and nobody looked at cannot stand here.
    findings: Vec<Confirmed>,
    /// Modality of each series that the findings lie on.
    modalities: BTreeMap<SeriesUid, String>,
    /// Who made or changed the findings.
    authors: Vec<String>,
    predecessor: Option<ObjectRef>,
    device: Device,
    at: mj_model::Moment,
}

impl Made {
    fn write(&self, image: &Dataset, pdf: &[u8]) -> Result<(Written, Written)> {
        let observer =
            |role: Role| self.signatures.iter().rev().find(|s| s.role == role).map(|s| Observer { name: s.name.clone(), at: s.at });
        let title = self.title.clone().unwrap_or_else(|| "Report".to_owned());
        let section = |block: &mj_report::Block| Section {
            kind: section_kind(block.kind),
            title: block.title(self.document.lang).to_owned(),
            text: block.plain(),
        };
        let sr = sr::write(&SrInput {
            context: image,
            instance: InstanceUid::fresh(),
            series: SeriesUid::fresh(),
            series_number: SR_SERIES_NUMBER,
            title: &title,
            lang: self.document.lang,
            sections: self.document.blocks.iter().filter(|block| !block.text.trim().is_empty()).map(section).collect(),
            findings: self.findings.iter().map(Confirmed::finding).collect(),
            modalities: &self.modalities,
            reporting: observer(Role::Reporting),
            authors: self.authors.clone(),
            reviewing: observer(Role::Reviewing),
            at: self.at,
            is_complete: true,
            is_verified: self.is_final,
            is_final: self.is_final,
            predecessor: self.predecessor.clone(),
            device: self.device.clone(),
        })?;
        sr::assert_as_written(&sr.bytes, &self.findings.iter().map(Confirmed::finding).collect::<Vec<_>>())?;
        let context = Context::of(image)?;
        let pdf = write_pdf(&PdfInput {
            context: &context,
            instance: InstanceUid::fresh(),
            series: SeriesUid::fresh(),
            series_number: PDF_SERIES_NUMBER,
            title: &title,
            pdf,
            at: self.at,
            is_verified: self.is_final,
            device: &self.device,
        })?;
        Ok((sr, pdf))
    }
}

const fn section_kind(kind: BlockKind) -> SectionKind {
    match kind {
        BlockKind::History => SectionKind::History,
        BlockKind::Technique => SectionKind::Technique,
        BlockKind::Comparison => SectionKind::Comparison,
        BlockKind::Findings => SectionKind::Findings,
        BlockKind::Impression => SectionKind::Impression,
        BlockKind::Recommendation => SectionKind::Recommendation,
        BlockKind::Other => SectionKind::Other,
    }
}

/// Modality of each series that findings lie on.
pub(crate) async fn modalities(conn: &mut SqliteConnection, findings: &[Confirmed]) -> Result<BTreeMap<SeriesUid, String>> {
    let mut found = BTreeMap::new();
    for finding in findings.iter().map(Confirmed::finding) {
        let modality: Option<String> = sqlx::query_scalar("SELECT modality FROM series WHERE series_uid = ?")
            .bind(finding.series.as_str())
            .fetch_optional(&mut *conn)
            .await?;
        found.extend(modality.map(|modality| (finding.series.clone(), modality)));
    }
    Ok(found)
}

/// Names of the persons of the record who made or changed findings, up to the revisions that are given, the first first.
pub(crate) async fn authors(conn: &mut SqliteConnection, findings: &[Confirmed]) -> Result<Vec<String>> {
    let mut found: Vec<String> = Vec::new();
    for finding in findings.iter().map(Confirmed::finding) {
        let names: Vec<String> = sqlx::query_scalar(
            "SELECT name FROM finding_revision JOIN person ON who = 'u' || person_pk WHERE finding_id = ? AND revision <= ? ORDER BY revision",
        )
        .bind(&finding.id)
        .bind(finding.revision)
        .fetch_all(&mut *conn)
        .await?;
        for name in names {
            if !found.contains(&name) {
                found.push(name);
            }
        }
    }
    Ok(found)
}

async fn add_signature(
    tx: &mut WriteTx,
    id: &str,
    signed: &mj_report::Report,
    signature: &Signature,
    made: &Made,
    [sr, pdf_object]: [&Written; 2],
    pdf: &[u8],
) -> Result<()> {
    let findings: Vec<(&str, u32)> = made.findings.iter().map(Confirmed::finding).map(|f| (f.id.as_str(), f.revision)).collect();
    sqlx::query(
        "INSERT INTO report_signature (report_id, version, round, state, revision, person_id, person_name, role, at, sha256, content, findings,
             sr_instance, pdf_instance, pdf_sha256)
         VALUES (?1, (SELECT count(*) + 1 FROM report_signature WHERE report_id = ?1), (SELECT round FROM report WHERE report_id = ?1),
             ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
    )
    .bind(id)
    .bind(signed.state().name())
    .bind(i64::try_from(made.document.revision).unwrap_or(i64::MAX))
    .bind(&signature.person)
    .bind(&signature.name)
    .bind(role_text(signature.role))
    .bind(signature.at.to_string())
    .bind(&signature.sha256)
    .bind(to_json(signed.content())?)
    .bind(to_json(&findings)?)
    .bind(sr.sop_instance.as_str())
    .bind(pdf_object.sop_instance.as_str())
    .bind(mj_report::life::sha256_hex(pdf))
    .execute(tx.conn())
    .await?;
    Ok(())
}

pub(crate) async fn latest(conn: &mut SqliteConnection, id: &str) -> Result<Option<sqlx::sqlite::SqliteRow>> {
    Ok(sqlx::query(
        "SELECT sr_instance, pdf_instance, pdf_sha256, findings FROM report_signature
         WHERE report_id = ?1 AND round = (SELECT round FROM report WHERE report_id = ?1) ORDER BY version DESC LIMIT 1",
    )
    .bind(id)
    .fetch_optional(conn)
    .await?)
}

/// The findings at the revisions that were signed: a countersignature covers the same numbers.
async fn signed_findings(conn: &mut SqliteConnection, id: &str) -> Result<Vec<Confirmed>> {
    let row = latest(conn, id).await?.ok_or(Error::NotSigned)?;
    findings_at(conn, json(&row, "findings")?).await
}

/// Findings at revisions, those that a person stands for.
pub(crate) async fn findings_at(conn: &mut SqliteConnection, revisions: Vec<(String, u32)>) -> Result<Vec<Confirmed>> {
    let mut findings = Vec::with_capacity(revisions.len());
    for (finding, revision) in revisions {
        let row = sqlx::query("SELECT content FROM finding_revision WHERE finding_id = ? AND revision = ?")
            .bind(finding)
            .bind(revision)
            .fetch_one(&mut *conn)
            .await?;
        findings.extend(Confirmed::of(json(&row, "content")?));
    }
    Ok(findings)
}

/// The structured report that the new one takes the place of: its own version before, or the one it corrects. An addendum
/// stands beside the report it adds to, which holds on.
async fn predecessor(conn: &mut SqliteConnection, id: &str, report: &Report) -> Result<Option<ObjectRef>> {
    let corrected = report.amends.as_ref().filter(|amends| amends.kind == AmendKind::Corrected).map(|amends| amends.report.as_str());
    let instance: Option<String> = sqlx::query_scalar(
        "SELECT sr_instance FROM report_signature WHERE report_id IN (?1, ?2) ORDER BY report_id = ?1 DESC, version DESC LIMIT 1",
    )
    .bind(id)
    .bind(corrected)
    .fetch_optional(&mut *conn)
    .await?;
    let Some(instance) = instance else { return Ok(None) };
    let row = sqlx::query(
        "SELECT study_uid, series_uid, sop_class FROM instance JOIN series USING (series_pk) JOIN study USING (study_pk) WHERE instance_uid = ?",
    )
    .bind(&instance)
    .fetch_one(conn)
    .await?;
    Ok(Some(ObjectRef {
        study: crate::worklist::uid(row.try_get("study_uid")?, StudyUid::parse)?,
        series: crate::worklist::uid(row.try_get("series_uid")?, SeriesUid::parse)?,
        instance: crate::worklist::uid(&instance, InstanceUid::parse)?,
        sop_class: crate::worklist::uid(row.try_get("sop_class")?, mj_model::SopClassUid::parse)?,
    }))
}

/// This installation as the device that makes objects.
pub(crate) async fn station(conn: &mut SqliteConnection) -> Result<Device> {
    sqlx::query("INSERT OR IGNORE INTO station VALUES (1, ?)").bind(mj_model::uid::fresh()).execute(&mut *conn).await?;
    let uid: String = sqlx::query_scalar("SELECT uid FROM station").fetch_one(conn).await?;
    Ok(Device { name: "Mingjing".into(), version: env!("CARGO_PKG_VERSION").into(), serial: String::new(), uid })
}

//! Reports: the journal of edits. An edit is acknowledged when its transaction is on the disk.
//!
//! The document is rebuilt from the last snapshot and the edits after it; nothing of the journal ever changes,
//! and undo appends.

use crate::audit::note;
use crate::db::{WriteTx, json, to_json};
use crate::findings::{of_patient, require_study, spoken_of};
use crate::{Error, Record, Result};
use mj_model::{Lang, Moment, StudyUid};
use mj_report::life::{AmendKind, Amends};
use mj_report::template::Prefill;
use mj_report::{CheckContext, CheckResult, Content, Document, Edit, EditSource, Op, Signature, State, Template};
use serde::Serialize;
use serde_json::json;
use sqlx::{Row as _, SqliteConnection};
use std::collections::BTreeMap;

/// Edits between two snapshots of a document.
const SNAPSHOT_EVERY: u64 = 50;

/// A report as the record keeps it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// Short id, `r12`.
    pub short_id: String,
    /// The text.
    pub document: Document,
    /// State.
    pub state: State,
    /// Signatures, oldest first.
    pub signatures: Vec<Signature>,
    /// What it adds to or replaces.
    pub amends: Option<Amends>,
    /// Who began it.
    pub created_by: String,
    /// When.
    pub created_at: Moment,
}

impl Report {
    /// The command line's form.
    #[must_use]
    pub fn to_json(&self) -> serde_json::Value {
        let shown = mj_report::Shown::of(&self.document, self.state, &self.signatures);
        serde_json::to_value(shown).unwrap_or_default()
    }
}

/// What became of an edit.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Applied {
    /// Revision of the document after the edit.
    pub revision: u64,
    /// The edit's operations as they were done, moved past those of others.
    pub ops: Vec<Op>,
    /// Operations done since the edit's base revision, which the editor has not seen.
    pub others: Vec<Op>,
    /// What brought chips and claims that came back up to their findings, as one more revision; empty when nothing
    /// was behind.
    pub caught_up: Vec<Op>,
}

impl Applied {
    /// Revision of the document now.
    #[must_use]
    pub const fn last_revision(&self) -> u64 {
        self.revision + if self.caught_up.is_empty() { 0 } else { 1 }
    }
}

/// What an edit takes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Undoes {
    /// Nothing: a person's edit.
    Nothing,
    /// Nothing, and nobody takes it back: the station made it by itself.
    Automatic,
    /// The edit of this revision.
    Revision(u64),
}

impl Record {
    /// Begins a report from a template: history and prior are filled in from the record.
    ///
    /// # Errors
    /// [`Error::Unknown`] when the study is not in the record; database errors.
    pub async fn new_report(&self, study: &StudyUid, template: &Template, lang: Lang, who: &str) -> Result<Report> {
        let mut tx = self.write().await?;
        require_study(tx.conn(), study).await?;
        let mut document = Document::from_template(template, study.clone(), lang);
        let history: String =
            sqlx::query_scalar("SELECT clinical_history FROM study WHERE study_uid = ?").bind(study.as_str()).fetch_one(tx.conn()).await?;
        document.prefill(template, Prefill::ClinicalHistory, &history);
        if let Some(prior) = latest_before(tx.conn(), study).await? {
            let text =
                [prior.date.as_deref().unwrap_or_default(), prior.modalities.join("/").as_str(), prior.description.as_str()].join(" ");
            document.prefill(template, Prefill::Prior, text.trim());
        }
        let id = document.id.clone();
        insert_report(&mut tx, &document, None, who).await?;
        tx.commit().await?;
        self.report(&id).await
    }

    /// A report, by id or short id.
    ///
    /// # Errors
    /// [`Error::Unknown`]; database errors.
    pub async fn report(&self, id: &str) -> Result<Report> {
        let id = self.full_id(id, 'r').await?;
        let mut conn = self.read().await?;
        read_report(&mut conn, &id).await
    }

    /// A study's reports, oldest first.
    ///
    /// # Errors
    /// Database errors.
    pub async fn reports(&self, study: &StudyUid) -> Result<Vec<Report>> {
        let mut conn = self.read().await?;
        let ids: Vec<String> = sqlx::query_scalar("SELECT report_id FROM report WHERE study_uid = ? ORDER BY report_pk")
            .bind(study.as_str())
            .fetch_all(&mut *conn)
            .await?;
        let mut reports = Vec::with_capacity(ids.len());
        for id in ids {
            reports.push(read_report(&mut conn, &id).await?);
        }
        Ok(reports)
    }

    /// Applies an edit to a draft and journals it. Returns when it is on the disk.
    ///
    /// # Errors
    /// [`Error::Report`] when the report is signed or the edit does not fit; [`Error::Unknown`]; database errors.
    pub async fn apply(&self, report: &str, edit: Edit, who: &str) -> Result<Applied> {
        let id = self.full_id(report, 'r').await?;
        let mut tx = self.write().await?;
        let document = load_draft(tx.conn(), &id).await?;
        let present = document.revision;
        if edit.base_revision > present {
            return Err(mj_report::Error::FutureRevision { base: edit.base_revision, present }.into());
        }
        let others = ops_after(tx.conn(), &id, edit.base_revision).await?;
        let ops = if others.is_empty() { edit.ops } else { mj_report::rebase(&edit.ops, &others) };
        if ops.is_empty() {
            return Ok(Applied { revision: present, ops, others, caught_up: Vec::new() });
        }
        refuse_strangers(tx.conn(), &document, &ops).await?;
        let revision = append(&mut tx, document, &ops, edit.by, Undoes::Nothing, who).await?;
        let caught_up = catch_up(&mut tx, &id, who).await?.1;
        tx.commit().await?;
        Ok(Applied { revision, ops, others, caught_up })
    }

    /// Takes back the last edit that is not taken back, by appending its inverse. `None` when there is none.
    ///
    /// # Errors
    /// As [`Record::apply`].
    pub async fn undo(&self, report: &str, who: &str) -> Result<Option<Applied>> {
        self.take_back(report, who, false).await
    }

    /// Takes back the last undo, unless somebody typed since. `None` when there is none.
    ///
    /// # Errors
    /// As [`Record::apply`].
    pub async fn redo(&self, report: &str, who: &str) -> Result<Option<Applied>> {
        self.take_back(report, who, true).await
    }

    async fn take_back(&self, report: &str, who: &str, is_redo: bool) -> Result<Option<Applied>> {
        let id = self.full_id(report, 'r').await?;
        let mut tx = self.write().await?;
        let document = load_draft(tx.conn(), &id).await?;
        let Some(target) = undo_target(tx.conn(), &id, is_redo).await? else { return Ok(None) };
        let row = sqlx::query("SELECT inverse FROM report_edit WHERE report_id = ? AND revision = ?")
            .bind(&id)
            .bind(to_i64(target))
            .fetch_one(tx.conn())
            .await?;
        let inverse: Vec<Op> = json(&row, "inverse")?;
        let after = ops_after(tx.conn(), &id, target).await?;
        let ops = mj_report::rebase(&inverse, &after);
        let revision = append(&mut tx, document, &ops, EditSource::Undo, Undoes::Revision(target), who).await?;
        // What comes back may show a number that has changed since.
        let applied = Applied { revision, ops, others: Vec::new(), caught_up: catch_up(&mut tx, &id, who).await?.1 };
        tx.commit().await?;
        Ok(Some(applied))
    }

    /// Reads a report over.
    ///
    /// # Errors
    /// [`Error::Unknown`]; database errors.
    pub async fn check_report(&self, report: &str) -> Result<Vec<CheckResult>> {
        let id = self.full_id(report, 'r').await?;
        let mut conn = self.read().await?;
        self.checks_of(&mut conn, &id, None).await
    }

    /// As [`Record::check_report`], with the messages in a language.
    ///
    /// # Errors
    /// As [`Record::check_report`].
    pub async fn check_report_in(&self, report: &str, lang: Lang) -> Result<Vec<CheckResult>> {
        let id = self.full_id(report, 'r').await?;
        let mut conn = self.read().await?;
        self.checks_of(&mut conn, &id, Some(lang)).await
    }

    /// The checks of a report, in a language or in its own.
    pub(crate) async fn checks_of(&self, conn: &mut SqliteConnection, id: &str, lang: Option<Lang>) -> Result<Vec<CheckResult>> {
        let document = load(conn, id).await?;
        let spoken = spoken_of(conn, &document).await?;
        let context = self.context_of(conn, &document.study).await?;
        let template = self.template(&document.template);
        let amends: Option<String> =
            sqlx::query_scalar("SELECT amends FROM report WHERE report_id = ?").bind(id).fetch_one(&mut *conn).await?;
        let amends: Option<Amends> = amends.map(|json| serde_json::from_str(&json)).transpose().map_err(|_bad| Error::Stored("amends"))?;
        let is_addendum = amends.is_some_and(|amends| amends.kind == AmendKind::Addendum);
        let context = CheckContext { lang, template, is_addendum, priors: spoken.priors, ..context };
        Ok(mj_report::check(&document, &spoken.findings, &context))
    }

    /// What a check knows of a study: its patient and date, those of the patient's earlier studies, the department's rules.
    async fn context_of(&self, conn: &mut SqliteConnection, study: &StudyUid) -> Result<CheckContext> {
        let row = sqlx::query(
            "SELECT patient_pk, sex, date, birth_date, age, name_alphabetic, name_ideographic, name_phonetic
             FROM study JOIN patient USING (patient_pk) WHERE study_uid = ?",
        )
        .bind(study.as_str())
        .fetch_one(&mut *conn)
        .await?;
        let names = ["name_ideographic", "name_alphabetic", "name_phonetic"].map(|column| row.try_get::<String, _>(column));
        let names = names.into_iter().collect::<std::result::Result<Vec<_>, _>>()?.into_iter().filter(|name| !name.is_empty()).collect();
        let other_names = other_names(conn, row.try_get("patient_pk")?).await?;
        let study_date: Option<String> = row.try_get("date")?;
        let birth: Option<String> = row.try_get("birth_date")?;
        let age: Option<String> = row.try_get("age")?;
        let prior_dates = crate::worklist::priors(conn, study).await?.into_iter().filter_map(|prior| prior.date).collect();
        let called =
            crate::critical::of_study(conn, study).await?.into_iter().filter(|one| one.call.is_some()).map(|one| one.what).collect();
        let (rules, rules_problem) = self.rules_now();
        Ok(CheckContext {
            patient_sex: row.try_get("sex")?,
            age_years: age_years(age.as_deref(), birth.as_deref(), study_date.as_deref()),
            study_date,
            names,
            other_names,
            prior_dates,
            called,
            rules,
            rules_problem,
            ..CheckContext::default()
        })
    }

    /// Puts the study's accepted findings into a draft and composes lines of the impression for those that it does not take
    /// up; what stands there stays. One edit, which undo takes back. Gives the composed lines with their reasons.
    ///
    /// # Errors
    /// [`Error::Report`] when the report is signed or was begun from a template that is not here; [`Error::Unknown`];
    /// database errors.
    pub async fn draft_report(&self, report: &str, who: &str) -> Result<Vec<mj_report::draft::Line>> {
        let id = self.full_id(report, 'r').await?;
        let mut tx = self.write().await?;
        let document = load_draft(tx.conn(), &id).await?;
        let spoken = spoken_of(tx.conn(), &document).await?;
        let context = self.context_of(tx.conn(), &document.study).await?;
        let template = self.template(&document.template).map_or_else(|| Template::named(&document.template), Ok)?;
        let patient = mj_report::draft::Patient { age_years: context.age_years };
        let made = mj_report::draft::draft(&document, &template, spoken.known(), patient)?;
        if !made.ops.is_empty() {
            append(&mut tx, document, &made.ops, EditSource::Template, Undoes::Nothing, who).await?;
            catch_up(&mut tx, &id, who).await?;
        }
        tx.commit().await?;
        Ok(made.lines)
    }

    /// A text of elsewhere read over as a report on a study: against its findings, its patient and the dates of earlier
    /// studies.
    ///
    /// # Errors
    /// [`Error::Unknown`]; database errors.
    pub async fn check_text(&self, text: &str, study: &StudyUid, context: CheckContext) -> Result<Vec<CheckResult>> {
        let mut conn = self.read().await?;
        require_study(&mut conn, study).await?;
        let known = self.context_of(&mut conn, study).await?;
        let document = Document { study: study.clone(), ..Document::from_text(text, context.lang) };
        let spoken = spoken_of(&mut conn, &document).await?;
        let patient_sex = if context.patient_sex.is_empty() { known.patient_sex } else { context.patient_sex };
        let context = CheckContext { lang: context.lang, ordered_side: context.ordered_side, patient_sex, priors: spoken.priors, ..known };
        Ok(mj_report::check(&document, &spoken.findings, &context))
    }

    /// A person stands for a sentence again as it and its finding are now: stale claims become verified. `mark` is the id of
    /// the claim; all stale ones where `None`.
    ///
    /// # Errors
    /// [`Error::Report`] when the report is signed; [`Error::Unknown`] when there is no such claim; database errors.
    pub async fn confirm_claims(&self, report: &str, mark: Option<&str>, who: &str) -> Result<Applied> {
        let id = self.full_id(report, 'r').await?;
        let mut tx = self.write().await?;
        let document = load_draft(tx.conn(), &id).await?;
        let stale = |m: &&str| mark.is_some_and(|wanted| wanted == *m) || mark.is_none();
        let marks: Vec<String> = document.marks().map(|(_, m)| m.id.as_str()).filter(stale).map(str::to_owned).collect();
        if let Some(mark) = mark.filter(|_| marks.is_empty()) {
            return Err(Error::Unknown(mark.to_owned()));
        }
        let spoken = spoken_of(tx.conn(), &document).await?;
        let ops: Vec<Op> = marks.iter().filter_map(|mark| mj_report::confirm(&document, mark, spoken.known())).collect();
        if ops.is_empty() {
            return Ok(Applied { revision: document.revision, ops, others: Vec::new(), caught_up: Vec::new() });
        }
        let revision = append(&mut tx, document, &ops, EditSource::Binding, Undoes::Nothing, who).await?;
        tx.commit().await?;
        Ok(Applied { revision, ops, others: Vec::new(), caught_up: Vec::new() })
    }

    /// Begins an addendum to, or a correction of, a final report.
    ///
    /// # Errors
    /// [`Error::Report`] when the report is not final; [`Error::Unknown`]; database errors.
    pub async fn amend(&self, report: &str, kind: AmendKind, who: &str) -> Result<Report> {
        let id = self.full_id(report, 'r').await?;
        let mut tx = self.write().await?;
        let mj_report::Report::Final(signed) = load_life(tx.conn(), &id).await? else {
            let state = read_report(tx.conn(), &id).await?.state;
            return Err(mj_report::Error::NotFollowing { from: state.name(), to: State::Addendum.name() }.into());
        };
        let new_id = mj_model::uid::fresh();
        let draft = match kind {
            AmendKind::Addendum => signed.addendum(&new_id)?,
            AmendKind::Corrected => signed.correction(&new_id)?,
        };
        insert_report(&mut tx, draft.document(), draft.amends(), who).await?;
        catch_up(&mut tx, &new_id, who).await?;
        tx.commit().await?;
        self.report(&new_id).await
    }
}

/// The patient's latest study of an earlier date; none when the study has no date.
async fn latest_before(conn: &mut SqliteConnection, study: &StudyUid) -> Result<Option<crate::StudyRow>> {
    let date: Option<String> =
        sqlx::query_scalar("SELECT date FROM study WHERE study_uid = ?").bind(study.as_str()).fetch_one(&mut *conn).await?;
    let Some(date) = date else { return Ok(None) };
    let others = crate::worklist::priors(conn, study).await?;
    Ok(others.into_iter().find(|other| other.date.as_ref().is_some_and(|other| *other < date)))
}

/// Brings chips and claims of a draft up to what is known, as an edit of the station's own. Gives the revision then and what
/// was done; nothing when nothing was behind.
pub(crate) async fn catch_up(tx: &mut WriteTx, id: &str, who: &str) -> Result<(u64, Vec<Op>)> {
    let document = load(tx.conn(), id).await?;
    let spoken = spoken_of(tx.conn(), &document).await?;
    let ops = mj_report::living(&document, spoken.known());
    let revision = match ops.is_empty() {
        true => document.revision,
        false => append(tx, document, &ops, EditSource::Binding, Undoes::Automatic, who).await?,
    };
    Ok((revision, ops))
}

/// A chip may show only a number of the report's own patient.
async fn refuse_strangers(conn: &mut SqliteConnection, document: &Document, ops: &[Op]) -> Result<()> {
    for op in ops {
        if let Op::InsertSlot { slot, .. } = op
            && of_patient(conn, &slot.finding, &document.study).await?.is_none()
        {
            return Err(Error::Unknown(slot.finding.clone()));
        }
    }
    Ok(())
}

/// Names of other patients of the record, the latest first: enough to find one that slipped into a text.
const OTHER_NAMES: i64 = 2_000;

async fn other_names(conn: &mut SqliteConnection, patient: i64) -> Result<Vec<String>> {
    let names: Vec<String> = sqlx::query_scalar(
        "SELECT DISTINCT replace(replace(name_ideographic, '^', ''), '=', '') FROM patient
         WHERE patient_pk <> ?1 AND name_ideographic <> '' AND name_ideographic <> (SELECT name_ideographic FROM patient WHERE patient_pk = ?1)
         ORDER BY patient_pk DESC LIMIT ?2",
    )
    .bind(patient)
    .bind(OTHER_NAMES)
    .fetch_all(conn)
    .await?;
    Ok(names)
}

/// The age in years: as the images say it (`065Y`), else from birth to the examination.
fn age_years(age: Option<&str>, birth: Option<&str>, study: Option<&str>) -> Option<f64> {
    let said = age.and_then(|age| {
        let n: f64 = age.get(..3)?.parse().ok()?;
        Some(match age.get(3..4)? {
            "Y" => n,
            "M" => n / 12.0,
            "W" => n / 52.18,
            "D" => n / 365.25,
            _ => return None,
        })
    });
    let days = |date: &str| {
        let mut parts = date.split('-').map(|part| part.parse::<f64>().ok());
        Some(parts.next()?? * 365.25 + parts.next()?? * 30.44 + parts.next()??)
    };
    said.or_else(|| Some((days(study?)? - days(birth?)?) / 365.25))
}

async fn insert_report(tx: &mut WriteTx, document: &Document, amends: Option<&Amends>, who: &str) -> Result<()> {
    let at = mj_model::clock::now().to_string();
    sqlx::query(
        "INSERT INTO report (report_id, study_uid, template, lang, state, revision, amends, created_by, created_at)
         VALUES (?, ?, ?, ?, 'draft', ?, ?, ?, ?)",
    )
    .bind(&document.id)
    .bind(document.study.as_str())
    .bind(&document.template)
    .bind(to_json(&document.lang)?)
    .bind(to_i64(document.revision))
    .bind(amends.map(to_json).transpose()?)
    .bind(who)
    .bind(at)
    .execute(tx.conn())
    .await?;
    snapshot(tx.conn(), document).await?;
    refresh_study_state(tx.conn(), &document.study).await?;
    note(tx, who, "report.begun", &document.id, &json!({ "study": document.study, "template": document.template })).await
}

/// Ids of the drafts of a study's patient.
pub(crate) async fn open_reports(conn: &mut SqliteConnection, study: &StudyUid) -> Result<Vec<String>> {
    Ok(sqlx::query_scalar(
        "SELECT report_id FROM report JOIN study USING (study_uid)
         WHERE report.state = 'draft' AND patient_pk = (SELECT patient_pk FROM study WHERE study_uid = ?) ORDER BY report_pk",
    )
    .bind(study.as_str())
    .fetch_all(conn)
    .await?)
}

/// The document at its present revision: the last snapshot and the edits after it.
pub(crate) async fn load(conn: &mut SqliteConnection, id: &str) -> Result<Document> {
    let row = sqlx::query("SELECT document FROM report_snapshot WHERE report_id = ? ORDER BY revision DESC LIMIT 1")
        .bind(id)
        .fetch_optional(&mut *conn)
        .await?
        .ok_or_else(|| Error::Unknown(id.to_owned()))?;
    let mut document: Document = json(&row, "document")?;
    let edits = sqlx::query("SELECT revision, ops FROM report_edit WHERE report_id = ? AND revision > ? ORDER BY revision")
        .bind(id)
        .bind(to_i64(document.revision))
        .fetch_all(conn)
        .await?;
    for edit in edits {
        document.apply(&json::<Vec<Op>>(&edit, "ops")?)?;
        if to_i64(document.revision) != edit.try_get::<i64, _>("revision")? {
            return Err(Error::Stored("report"));
        }
    }
    Ok(document)
}

async fn load_draft(conn: &mut SqliteConnection, id: &str) -> Result<Document> {
    let state: Option<String> =
        sqlx::query_scalar("SELECT state FROM report WHERE report_id = ?").bind(id).fetch_optional(&mut *conn).await?;
    match state.as_deref() {
        None => Err(Error::Unknown(id.to_owned())),
        Some("draft") => load(conn, id).await,
        Some(_) => Err(mj_report::Error::Signed.into()),
    }
}

/// Applies operations to a document, appends the edit to the journal, and notes it.
pub(crate) async fn append(tx: &mut WriteTx, mut document: Document, ops: &[Op], by: EditSource, undoes: Undoes, who: &str) -> Result<u64> {
    let inverse = document.inverse(ops)?;
    document.apply(ops)?;
    let (id, revision) = (document.id.clone(), document.revision);
    let undoes = match undoes {
        Undoes::Nothing => None,
        Undoes::Automatic => Some(0),
        Undoes::Revision(revision) => Some(to_i64(revision)),
    };
    sqlx::query("INSERT INTO report_edit VALUES (?, ?, ?, ?, ?, ?, ?, ?)")
        .bind(&id)
        .bind(to_i64(revision))
        .bind(to_json(&ops)?)
        .bind(to_json(&inverse)?)
        .bind(to_json(&by)?)
        .bind(undoes)
        .bind(who)
        .bind(mj_model::clock::now().to_string())
        .execute(tx.conn())
        .await?;
    sqlx::query("UPDATE report SET revision = ? WHERE report_id = ?").bind(to_i64(revision)).bind(&id).execute(tx.conn()).await?;
    if revision.is_multiple_of(SNAPSHOT_EVERY) {
        snapshot(tx.conn(), &document).await?;
    }
    note(tx, who, "report.edited", &id, &json!({ "revision": revision, "by": by })).await?;
    Ok(revision)
}

async fn snapshot(conn: &mut SqliteConnection, document: &Document) -> Result<()> {
    sqlx::query("INSERT OR REPLACE INTO report_snapshot VALUES (?, ?, ?)")
        .bind(&document.id)
        .bind(to_i64(document.revision))
        .bind(to_json(document)?)
        .execute(conn)
        .await?;
    Ok(())
}

async fn ops_after(conn: &mut SqliteConnection, id: &str, revision: u64) -> Result<Vec<Op>> {
    let rows = sqlx::query("SELECT ops FROM report_edit WHERE report_id = ? AND revision > ? ORDER BY revision")
        .bind(id)
        .bind(to_i64(revision))
        .fetch_all(conn)
        .await?;
    let mut ops = Vec::new();
    for row in &rows {
        ops.append(&mut json::<Vec<Op>>(row, "ops")?);
    }
    Ok(ops)
}

/// The edit that an undo (or redo) takes back.
async fn undo_target(conn: &mut SqliteConnection, id: &str, is_redo: bool) -> Result<Option<u64>> {
    let edits: Vec<(i64, Option<i64>)> =
        sqlx::query_as("SELECT revision, undoes FROM report_edit WHERE report_id = ? ORDER BY revision").bind(id).fetch_all(conn).await?;
    Ok(target_of(&edits, is_redo).map(|revision| u64::try_from(revision).unwrap_or(0)))
}

/// Each edit stands or is taken back; taking back a taking back lets the first stand again.
fn target_of(edits: &[(i64, Option<i64>)], is_redo: bool) -> Option<i64> {
    // Of the edits that stand: true for one that takes something back.
    let mut standing: BTreeMap<i64, bool> = BTreeMap::new();
    for (revision, undoes) in edits {
        match undoes {
            Some(0) => {}
            None => {
                // Somebody typed: what was taken back before is past redoing.
                standing.retain(|_, is_undo| !*is_undo);
                standing.insert(*revision, false);
            }
            Some(target) => {
                let was_undo = standing.remove(target).unwrap_or(false);
                if was_undo {
                    // A redo: the first edit stands again, in the place of the edit that brings it back.
                    standing.insert(*revision, false);
                } else {
                    standing.insert(*revision, true);
                }
            }
        }
    }
    standing.iter().rev().find(|(_, is_undo)| **is_undo == is_redo).map(|(revision, _)| *revision)
}

/// The report with its state and signatures.
pub(crate) async fn read_report(conn: &mut SqliteConnection, id: &str) -> Result<Report> {
    let row = sqlx::query("SELECT report_pk, state, amends, created_by, created_at FROM report WHERE report_id = ?")
        .bind(id)
        .fetch_optional(&mut *conn)
        .await?
        .ok_or_else(|| Error::Unknown(id.to_owned()))?;
    Ok(Report {
        short_id: format!("r{}", row.try_get::<i64, _>("report_pk")?),
        document: load(conn, id).await?,
        state: serde_json::from_value(json!(row.try_get::<&str, _>("state")?)).map_err(|_bad| Error::Stored("state"))?,
        signatures: signatures(conn, id).await?,
        amends: row
            .try_get::<Option<String>, _>("amends")?
            .map(|text| serde_json::from_str(&text))
            .transpose()
            .map_err(|_bad| Error::Stored("amends"))?,
        created_by: row.try_get("created_by")?,
        created_at: crate::audit::moment(&row, "created_at")?,
    })
}

/// The signatures of a report that count, oldest first.
pub(crate) async fn signatures(conn: &mut SqliteConnection, id: &str) -> Result<Vec<Signature>> {
    let rows = sqlx::query(
        "SELECT person_id, person_name, role, at, sha256 FROM report_signature
         WHERE report_id = ?1 AND round = (SELECT round FROM report WHERE report_id = ?1) ORDER BY version",
    )
    .bind(id)
    .fetch_all(conn)
    .await?;
    rows.iter()
        .map(|row| {
            Ok(Signature {
                person: row.try_get("person_id")?,
                name: row.try_get("person_name")?,
                role: serde_json::from_value(json!(row.try_get::<&str, _>("role")?)).map_err(|_bad| Error::Stored("role"))?,
                at: crate::audit::moment(row, "at")?,
                sha256: row.try_get("sha256")?,
            })
        })
        .collect()
}

/// The report as its life cycle knows it: a signed one is read from what was signed, and checked against the
/// hash in every signature.
pub(crate) async fn load_life(conn: &mut SqliteConnection, id: &str) -> Result<mj_report::Report> {
    let report = read_report(conn, id).await?;
    if report.signatures.is_empty() {
        let content = Content { document: report.document, amends: report.amends, pictures: Vec::new() };
        return Ok(mj_report::Report::from_parts(content, Vec::new())?);
    }
    let row = sqlx::query("SELECT content FROM report_signature WHERE report_id = ? ORDER BY version DESC LIMIT 1")
        .bind(id)
        .fetch_one(conn)
        .await?;
    Ok(mj_report::Report::from_parts(json(&row, "content")?, report.signatures)?)
}

/// Brings the worklist's state of a study up to date.
pub(crate) async fn refresh_study_state(conn: &mut SqliteConnection, study: &StudyUid) -> Result<()> {
    // The latest report says what the study's state is; an amended report's draft counts as a draft again.
    sqlx::query(
        "UPDATE study SET report_state = COALESCE((SELECT state FROM report WHERE report.study_uid = study.study_uid ORDER BY report_pk DESC LIMIT 1), 'none')
         WHERE study_uid = ?",
    )
    .bind(study.as_str())
    .execute(conn)
    .await?;
    Ok(())
}

fn to_i64(revision: u64) -> i64 {
    i64::try_from(revision).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::target_of;

    #[test]
    fn undo_and_redo_find_their_edit() {
        let check = |edits: &[(i64, Option<i64>)], undo: Option<i64>, redo: Option<i64>| {
            assert_eq!((target_of(edits, false), target_of(edits, true)), (undo, redo), "{edits:?}");
        };
        check(&[], None, None);
        check(&[(1, None), (2, None)], Some(2), None);
        check(&[(1, None), (2, None), (3, Some(2))], Some(1), Some(3));
        check(&[(1, None), (2, None), (3, Some(2)), (4, Some(1))], None, Some(4));
        // Undo, undo, redo: the second stands no more, the first stands again as revision 5.
        check(&[(1, None), (2, None), (3, Some(2)), (4, Some(1)), (5, Some(4))], Some(5), Some(3));
        check(&[(1, None), (2, None), (3, Some(2)), (4, Some(1)), (5, Some(4)), (6, Some(3))], Some(6), None);
        // Typing ends redoing; a chip that followed its finding is nobody's edit.
        check(&[(1, None), (2, Some(1)), (3, None)], Some(3), None);
        check(&[(1, None), (2, Some(0))], Some(1), None);
    }
}

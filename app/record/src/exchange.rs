//! Signed reports for other hospital systems: what FHIR and HL7 are made from, and delivery over MLLP.

use crate::audit::note;
use crate::db::json;
use crate::{Error, Record, Result, StudyDetail, reports};
use mj_dicom::Dataset;
use mj_dicom::encapsulated::read_pdf;
use mj_model::InstanceUid;
use mj_report::exchange::hl7::{self, Ack, Print};
use mj_report::exchange::{Earlier, Patient, Series, Source, Study};
use mj_report::life::{AmendKind, Amends};
use mj_report::wording::word_with;
use serde_json::json;
use sqlx::Row as _;

impl Record {
    /// A signed report, its latest version, with everything that its FHIR and HL7 forms say.
    ///
    /// # Errors
    /// [`Error::NotSigned`]; [`Error::Report`] when the content no longer has the hash that was signed; [`Error::Unknown`];
    /// disk, seal and database errors.
    pub async fn exchange_source(&self, report: &str) -> Result<Source> {
        let report = self.report(report).await?;
        let id = report.document.id.clone();
        let (life, findings, sr, pdf) = {
            let mut conn = self.read().await?;
            let row = crate::sign::latest(&mut conn, &id).await?.ok_or(Error::NotSigned)?;
            let uid = |column| crate::worklist::uid(row.try_get::<&str, _>(column)?, InstanceUid::parse);
            let revisions: Vec<(String, u32)> = json(&row, "findings")?;
            let findings = crate::sign::findings_at(&mut conn, revisions).await?;
            (reports::load_life(&mut conn, &id).await?, findings, uid("sr_instance")?, uid("pdf_instance")?)
        };
        let document = life.content().document.clone();
        let study = self.study(&document.study).await?;
        let pdf = read_pdf(&Dataset::read(&self.object_bytes(&pdf).await?)?)?;
        let amends = match &life.content().amends {
            None => None,
            Some(amends) => self.earlier(amends, document.lang).await?,
        };
        let title = self.template(&document.template).map(|t| t.title.get(document.lang).to_owned()).unwrap_or_default();
        Ok(Source {
            title,
            state: life.state(),
            signatures: life.signatures().to_vec(),
            amends,
            patient: patient_of(&study),
            study: study_of(&study),
            findings,
            pdf,
            sr,
            document,
        })
    }

    /// The report that another one speaks of.
    async fn earlier(&self, amends: &Amends, lang: mj_model::Lang) -> Result<Option<Earlier>> {
        let earlier = self.report(&amends.report).await?;
        let name = if amends.kind == AmendKind::Corrected { "amends_corrected" } else { "amends_addendum" };
        Ok(earlier.signatures.last().map(|last| Earlier {
            kind: amends.kind,
            id: amends.report.clone(),
            sentence: word_with(name, lang, &[("id", &earlier.short_id), ("at", &last.at.to_the_minute())]),
        }))
    }

    /// Sends a signed report as HL7 ORU^R01 over MLLP, at once, and gives the receiver's answer. Both stand in the audit. It
    /// is not tried again by itself.
    ///
    /// # Errors
    /// As [`Record::exchange_source`]; [`Error::Peer`] when the receiver cannot be reached or does not answer. An answer that
    /// refuses the report is no error: it is given.
    pub async fn send_hl7(&self, report: &str, host: &str, port: u16) -> Result<Ack> {
        let source = self.exchange_source(report).await?;
        let message = hl7::oru(&source, Print::Enclosed)?;
        let control_id = hl7::control_id(&source);
        let answer = crate::peers::mllp::send(host, port, &message, &control_id, crate::peers::mllp::PATIENCE).await?;
        let mut tx = self.write().await?;
        let detail = json!({ "to": format!("{host}:{port}"), "control_id": control_id, "answer": answer.code, "text": answer.text, "sr": source.sr });
        note(&mut tx, "", "report.sent_hl7", &source.document.id, &detail).await?;
        tx.commit().await?;
        Ok(answer)
    }
}

fn patient_of(study: &StudyDetail) -> Patient {
    let patient = &study.row.patient;
    Patient {
        name: patient.person_name(),
        id: patient.id.clone(),
        issuer: patient.issuer.clone(),
        sex: patient.sex.clone(),
        birth_date: patient.birth_date.clone(),
    }
}

/// The study without the series of what was made of it: reports, segmentations, presentation states.
fn study_of(study: &StudyDetail) -> Study {
    let is_image = |modality: &str| !matches!(modality, "SR" | "SEG" | "PR" | "KO" | "DOC" | "PLAN" | "RTSTRUCT" | "REG");
    let series = study.row.series.iter().filter(|series| is_image(&series.modality)).map(|series| Series {
        uid: series.series_uid.clone(),
        number: series.number,
        modality: series.modality.clone(),
        description: series.description.clone(),
        instances: series.instances,
    });
    Study {
        uid: study.row.study_uid.clone(),
        accession: study.row.accession.clone(),
        description: study.row.description.clone(),
        date: study.row.date.clone(),
        time: study.row.time.clone(),
        institution: study.institution.clone(),
        series: series.collect(),
    }
}

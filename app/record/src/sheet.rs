//! A report as it is printed, filled from the record.

use crate::{Error, Record, Report, Result, key_images};
use mj_model::person::{Person, Role};
use mj_model::{Lang, Moment, Phi};
use mj_report::sheet::{Amended, Hospital, PatientLines, Picture, Section, Signer, StudyLines};
use mj_report::{Sheet, Signature, State};

impl Record {
    /// The printed form of a report as it is now.
    ///
    /// # Errors
    /// [`Error::Unknown`]; disk, seal and database errors.
    pub async fn sheet(&self, report: &str) -> Result<Sheet> {
        let report = self.report(report).await?;
        let (pictures, signed) = self.report_pictures(&report).await?;
        let sha256 = report.signatures.first().map(|s| s.sha256.clone()).unwrap_or_default();
        debug_assert!(signed || sha256.is_empty());
        self.fill_sheet(&report, report.state, &report.signatures, pictures, sha256).await
    }

    /// The printed form as it will be once this person has signed (or countersigned): what the PDF of
    /// [`SignRequest`](crate::SignRequest) is typeset from.
    ///
    /// # Errors
    /// [`Error::Report`] when the person may not sign so; [`Error::Unknown`]; disk, seal and database errors.
    pub async fn sheet_for_signing(&self, report: &str, person: &str, is_countersign: bool) -> Result<Sheet> {
        let report = self.report(report).await?;
        let person: Person = self.person(person).await?;
        let (pictures, _) = self.report_pictures(&report).await?;
        let hashes = pictures.iter().map(|picture| mj_report::life::sha256_hex(&picture.png)).collect();
        let life = {
            let mut conn = self.read().await?;
            crate::reports::load_life(&mut conn, &report.document.id).await?
        };
        let at = mj_model::clock::now();
        let signed = if is_countersign { life.countersign(&person, at)? } else { life.into_draft()?.sign(&person, at, hashes, &[])? };
        let sha256 = signed.signatures().first().map(|s| s.sha256.clone()).unwrap_or_default();
        let key = (report.document.id.clone(), person.id.clone());
        self.inner.typeset.lock().unwrap_or_else(std::sync::PoisonError::into_inner).insert(key, sha256.clone());
        self.fill_sheet(&report, signed.state(), signed.signatures(), pictures, sha256).await
    }

    /// The pictures of a report: of a signed one those that were signed. True when signed.
    pub(crate) async fn report_pictures(&self, report: &Report) -> Result<(Vec<Picture>, bool)> {
        let (chosen, signed) = {
            let mut conn = self.read().await?;
            let all = key_images::of_study(&mut conn, &report.document.study).await?;
            match crate::reports::load_life(&mut conn, &report.document.id).await? {
                mj_report::Report::Draft(_) => (all.into_iter().filter(|one| one.in_report).collect(), false),
                life => {
                    let wanted = life.content().pictures.clone();
                    let found =
                        wanted.iter().map(|hash| all.iter().find(|one| one.sha256 == *hash).cloned().ok_or(Error::Stored("picture")));
                    (found.collect::<Result<Vec<_>>>()?, true)
                }
            }
        };
        let mut pictures = Vec::with_capacity(chosen.len());
        for one in chosen {
            let png = self.load_object(one.file).await?.to_vec();
            pictures.push(Picture { png, caption: one.caption });
        }
        Ok((pictures, signed))
    }

    async fn fill_sheet(
        &self,
        report: &Report,
        state: State,
        signatures: &[Signature],
        pictures: Vec<Picture>,
        content_sha256: String,
    ) -> Result<Sheet> {
        let (document, lang) = (&report.document, report.document.lang);
        let study = self.study(&document.study).await?;
        let amends = match &report.amends {
            None => None,
            Some(amends) => {
                let earlier = self.report(&amends.report).await?;
                earlier.signatures.last().map(|last| Amended { report_id: earlier.short_id.clone(), signed_at: last.at })
            }
        };
        let title = self.template(&document.template).map(|t| t.title.get(lang).to_owned()).unwrap_or_default();
        let signer = |role: Role| signatures.iter().rev().find(|s| s.role == role).map(|s| Signer { name: s.name.clone(), at: s.at });
        let date = [study.row.date.as_deref().unwrap_or_default(), study.row.time.as_deref().and_then(|t| t.get(..5)).unwrap_or_default()];
        Ok(Sheet {
            lang,
            title,
            hospital: Hospital { name: study.institution.clone(), ..Hospital::default() },
            patient: PatientLines {
                name: study.row.patient.display(lang),
                sex: study.row.patient.sex.clone(),
                age: study.age.clone().unwrap_or_default(),
                birth_date: study.row.patient.birth_date.clone().unwrap_or_default(),
                id: study.hospital_number.clone(),
                inpatient_number: Phi::default(),
                outpatient_number: Phi::default(),
                ward: String::new(),
                bed: String::new(),
            },
            study: StudyLines {
                accession: study.row.accession.clone(),
                date: date.join(" ").trim().to_owned(),
                modality: image_modalities(&study.row.modalities),
                description: study.row.description.clone(),
                requesting_department: String::new(),
                referring_physician: study.referring.clone(),
            },
            sections: [sections(report, lang), self.calls(report, lang).await?].concat(),
            pictures,
            state,
            reporting: signer(Role::Reporting),
            reviewing: signer(Role::Reviewing),
            report_id: report.short_id.clone(),
            content_sha256,
            amends,
            printed_at: printed_at(signatures),
        })
    }
}

impl Record {
    /// The calls about critical results, as a section of their own; none where there was none.
    async fn calls(&self, report: &Report, lang: Lang) -> Result<Vec<Section>> {
        let critical = self.critical_of(&report.document.study).await?;
        let line = |one: &crate::critical::Critical| {
            let call = one.call.as_ref()?;
            let read_back = mj_report::wording::word(if call.read_back { "read_back" } else { "not_read_back" }, lang);
            let values = [("what", one.what.as_str()), ("to", &call.to), ("at", &call.at.to_the_minute()), ("read_back", &read_back)];
            Some(mj_report::wording::word_with("critical_call", lang, &values))
        };
        let lines: Vec<String> = critical.iter().filter_map(line).collect();
        let title = mj_report::wording::word("critical_calls", lang);
        Ok(if lines.is_empty() { Vec::new() } else { vec![Section { kind: mj_report::BlockKind::Other, title, text: lines.join("\n") }] })
    }
}

fn sections(report: &Report, lang: Lang) -> Vec<Section> {
    let section = |block: &mj_report::Block| Section { kind: block.kind, title: block.title(lang).to_owned(), text: block.plain() };
    report.document.blocks.iter().map(section).collect()
}

/// What we made ourselves is no device of the examination.
fn image_modalities(all: &[String]) -> String {
    let images: Vec<&str> = all.iter().map(String::as_str).filter(|m| !matches!(*m, "SR" | "SEG" | "PR" | "KO" | "DOC" | "PLAN")).collect();
    images.join("/")
}

/// A signed report is printed as of its last signature.
fn printed_at(signatures: &[Signature]) -> Moment {
    signatures.last().map_or_else(mj_model::clock::now, |last| last.at)
}

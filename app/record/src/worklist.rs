//! The worklist: finding studies while a person types.

use crate::{Error, Record, Result};
use mj_model::person::Lang;
use mj_model::{PersonName, Phi, SeriesUid, StudyUid};
use serde::{Deserialize, Serialize};
use sqlx::sqlite::SqliteRow;
use sqlx::{QueryBuilder, Row as _, Sqlite, SqliteConnection};

/// Which studies, in which order.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct StudyQuery {
    /// Words that must all occur, anywhere, in name, ids, accession number, description, modality or date.
    pub text: String,
    /// Only studies with this modality.
    pub modality: Option<String>,
    /// Only studies in this state.
    pub state: Option<StateFilter>,
    /// Most rows to give; 0 means [`StudyQuery::DEFAULT_LIMIT`].
    pub limit: u32,
    /// Rows to leave out at the front.
    pub offset: u32,
    /// Order.
    pub sort: Sort,
}

impl StudyQuery {
    /// Rows of a page when no limit is given.
    pub const DEFAULT_LIMIT: u32 = 200;

    /// A query by text alone.
    #[must_use]
    pub fn text(text: impl Into<String>) -> Self {
        Self { text: text.into(), ..Self::default() }
    }
}

/// Order of the worklist.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sort {
    /// Latest study first.
    #[default]
    DateDesc,
    /// Earliest study first.
    DateAsc,
    /// By name: the alphabetic group (pinyin for most Chinese names), else the ideographic one.
    Name,
}

/// Filters of the worklist by state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StateFilter {
    /// Nobody opened it.
    Unread,
    /// Opened, not reported.
    Opened,
    /// A report is being written.
    Draft,
    /// Signed once.
    Preliminary,
    /// Signed for good, corrections and addenda included.
    Final,
    /// Something waits in the outbox or is on its way.
    Sending,
    /// A server refused something, or it is parked.
    Refused,
    /// Something was kept aside.
    Conflict,
}

/// States of a study.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct StudyState {
    /// `unread`, `opened`.
    pub read: String,
    /// `none`, `draft`, `preliminary`, `final`, `addendum`, `corrected`.
    pub report: String,
    /// `complete`, or `conflict` when something was kept aside.
    pub local: String,
    /// `none`, `waiting`, `sending`, `accepted`, `verified`, `refused`, `parked`: the one that needs most care.
    pub outbox: String,
}

/// A patient as the worklist shows one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PatientRow {
    /// Alphabetic group of the name, components parted by `^`.
    pub name: Phi<String>,
    /// Ideographic group.
    pub name_ideographic: Phi<String>,
    /// Phonetic group.
    pub name_phonetic: Phi<String>,
    /// Patient ID.
    pub id: Phi<String>,
    /// Issuer of Patient ID.
    pub issuer: Phi<String>,
    /// `M`, `F`, `O` or empty.
    pub sex: String,
    /// `YYYY-MM-DD`.
    pub birth_date: Option<Phi<String>>,
    /// Age at the study, as in the file or computed: `058Y`.
    pub age: Option<String>,
}

impl PatientRow {
    /// The name's three groups.
    #[must_use]
    pub fn person_name(&self) -> PersonName {
        PersonName { alphabetic: self.name.clone(), ideographic: self.name_ideographic.clone(), phonetic: self.name_phonetic.clone() }
    }

    /// The name as people read it.
    #[must_use]
    pub fn display(&self, lang: Lang) -> Phi<String> {
        self.person_name().display(lang)
    }
}

/// A series of a study.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeriesRow {
    /// Series Instance UID.
    pub series_uid: SeriesUid,
    /// Short id, `e12`.
    pub id: String,
    /// Series Number.
    pub number: Option<i64>,
    /// Modality.
    pub modality: String,
    /// Series Description.
    pub description: String,
    /// Body Part Examined.
    pub body_part: String,
    /// Number of instances here.
    pub instances: u32,
}

/// A row of the worklist; its serde form is the command line's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StudyRow {
    /// Study Instance UID.
    pub study_uid: StudyUid,
    /// Short id, `s12`.
    pub id: String,
    /// The patient.
    pub patient: PatientRow,
    /// `YYYY-MM-DD`.
    pub date: Option<String>,
    /// `HH:MM:SS`.
    pub time: Option<String>,
    /// Study Description.
    pub description: String,
    /// Modalities that occur, sorted.
    pub modalities: Vec<String>,
    /// Accession Number.
    pub accession: Phi<String>,
    /// States.
    pub state: StudyState,
    /// Series, by number.
    pub series: Vec<SeriesRow>,
}

/// A page of the worklist.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StudyPage {
    /// The rows.
    pub rows: Vec<StudyRow>,
    /// How many studies fit the query in all.
    pub total: u64,
}

/// Up to so many studies are collected by the text index and sorted.
const FEW: u64 = 1000;

const COLUMNS: &str =
    "SELECT study.study_pk, study_uid, date, time, description, modalities, accession, age, read_state, report_state, local_state,
    outbox_state, name_alphabetic, name_ideographic, name_phonetic, patient_id, issuer, sex, birth_date";
const TABLES: &str = " FROM study JOIN patient USING (patient_pk)";

impl Record {
    /// Studies that fit a query.
    ///
    /// # Errors
    /// Database errors.
    pub async fn studies(&self, query: &StudyQuery) -> Result<StudyPage> {
        let expression = match_expression(&query.text, query.modality.as_deref());
        if expression.is_none() && !query.text.trim().is_empty() {
            // Punctuation alone fits nothing.
            return Ok(StudyPage { rows: Vec::new(), total: 0 });
        }
        let mut conn = self.read().await?;
        let total = count(&mut conn, expression.as_deref(), query.state).await?;
        let mut rows = match expression.as_deref() {
            // Few fit: the text index names them. Many fit: the first of them come soon when reading in order.
            Some(expression) if total <= FEW => page(&mut conn, expression, query).await?,
            _ => page_in_order(&mut conn, query).await?,
        };
        add_series(&mut conn, &mut rows).await?;
        Ok(StudyPage { rows: rows.into_iter().map(|(_, row)| row).collect(), total })
    }

    /// One study as the worklist shows it.
    ///
    /// # Errors
    /// [`Error::Unknown`]; database errors.
    pub async fn study_row(&self, study: &StudyUid) -> Result<StudyRow> {
        let mut conn = self.read().await?;
        study_row(&mut conn, study).await
    }

    /// Notes that a person opened the study.
    ///
    /// # Errors
    /// [`Error::Unknown`]; database errors.
    pub async fn mark_opened(&self, study: &StudyUid, who: &str) -> Result<()> {
        let mut tx = self.write().await?;
        let read_state: Option<String> =
            sqlx::query_scalar("SELECT read_state FROM study WHERE study_uid = ?").bind(study.as_str()).fetch_optional(tx.conn()).await?;
        match read_state.as_deref() {
            None => return Err(Error::Unknown(study.to_string())),
            Some("unread") => {
                sqlx::query("UPDATE study SET read_state = 'opened' WHERE study_uid = ?").bind(study.as_str()).execute(tx.conn()).await?;
            }
            Some(_) => {}
        }
        // Who looked at whom is kept, the second time as well.
        crate::audit::note(&mut tx, who, "study.opened", study.as_str(), &serde_json::Value::Null).await?;
        tx.commit().await
    }
}

/// One study by UID.
pub(crate) async fn study_row(conn: &mut SqliteConnection, study: &StudyUid) -> Result<StudyRow> {
    let mut builder = QueryBuilder::<Sqlite>::new(COLUMNS);
    builder.push(TABLES);
    builder.push(" WHERE study_uid = ").push_bind(study.as_str());
    let row = builder.build().fetch_optional(&mut *conn).await?.ok_or_else(|| Error::Unknown(study.to_string()))?;
    let mut rows = vec![row_of(&row)?];
    add_series(conn, &mut rows).await?;
    rows.pop().map(|(_, row)| row).ok_or(Error::Stored("study"))
}

/// Other studies of the same patient, latest first.
pub(crate) async fn priors(conn: &mut SqliteConnection, study: &StudyUid) -> Result<Vec<StudyRow>> {
    let mut builder = QueryBuilder::<Sqlite>::new(COLUMNS);
    builder.push(TABLES);
    builder.push(" WHERE study.patient_pk = (SELECT patient_pk FROM study WHERE study_uid = ").push_bind(study.as_str());
    builder.push(") AND study_uid <> ").push_bind(study.as_str()).push(" ORDER BY sort_date DESC, study.study_pk DESC");
    let found = builder.build().fetch_all(&mut *conn).await?;
    let mut rows = found.iter().map(row_of).collect::<Result<Vec<_>>>()?;
    add_series(conn, &mut rows).await?;
    Ok(rows.into_iter().map(|(_, row)| row).collect())
}

async fn count(conn: &mut SqliteConnection, expression: Option<&str>, state: Option<StateFilter>) -> Result<u64> {
    let mut builder = QueryBuilder::<Sqlite>::new("SELECT count(*) FROM ");
    match expression {
        Some(expression) => {
            builder.push("study_text");
            if state.is_some() {
                builder.push(" CROSS JOIN study ON study.study_pk = study_text.rowid");
            }
            builder.push(" WHERE study_text MATCH ").push_bind(expression.to_owned());
        }
        None => {
            builder.push("study WHERE 1");
        }
    }
    push_filters(&mut builder, None, state);
    let n: i64 = builder.build_query_scalar().fetch_one(conn).await?;
    Ok(u64::try_from(n).unwrap_or(0))
}

/// A page of a query that few studies fit.
async fn page(conn: &mut SqliteConnection, expression: &str, query: &StudyQuery) -> Result<Vec<(i64, StudyRow)>> {
    let mut builder = QueryBuilder::<Sqlite>::new(COLUMNS);
    builder.push(TABLES).push(" WHERE 1");
    push_filters(&mut builder, Some(expression), query.state);
    fetch_page(conn, builder, query).await
}

/// A page of a query that many studies fit: reads along in the page's order until it is full.
async fn page_in_order(conn: &mut SqliteConnection, query: &StudyQuery) -> Result<Vec<(i64, StudyRow)>> {
    let mut builder = QueryBuilder::<Sqlite>::new(COLUMNS);
    builder.push(" FROM study INDEXED BY ").push(if query.sort == Sort::Name { "study_by_name" } else { "study_by_date" });
    builder.push(" CROSS JOIN patient USING (patient_pk) WHERE 1");
    push_filters(&mut builder, None, query.state);
    for part in query.text.split_whitespace() {
        let part = plain_words([part]);
        if !part.is_empty() {
            builder.push(" AND instr(words, ").push_bind(part).push(") > 0");
        }
    }
    if let Some(modality) = &query.modality {
        builder.push(" AND instr(' ' || modalities || ' ', ").push_bind(format!(" {modality} ")).push(") > 0");
    }
    fetch_page(conn, builder, query).await
}

async fn fetch_page(conn: &mut SqliteConnection, mut builder: QueryBuilder<Sqlite>, query: &StudyQuery) -> Result<Vec<(i64, StudyRow)>> {
    builder.push(match query.sort {
        Sort::DateDesc => " ORDER BY sort_date DESC, study.study_pk DESC",
        Sort::DateAsc => " ORDER BY sort_date, study.study_pk",
        Sort::Name => " ORDER BY sort_name, study.study_pk",
    });
    let limit = if query.limit == 0 { StudyQuery::DEFAULT_LIMIT } else { query.limit };
    builder.push(" LIMIT ").push_bind(limit).push(" OFFSET ").push_bind(query.offset);
    builder.build().fetch_all(conn).await?.iter().map(row_of).collect()
}

fn push_filters(builder: &mut QueryBuilder<Sqlite>, expression: Option<&str>, state: Option<StateFilter>) {
    if let Some(expression) = expression {
        builder
            .push(" AND study.study_pk IN (SELECT rowid FROM study_text WHERE study_text MATCH ")
            .push_bind(expression.to_owned())
            .push(")");
    }
    if let Some(state) = state {
        builder.push(match state {
            StateFilter::Unread => " AND read_state = 'unread'",
            StateFilter::Opened => " AND read_state = 'opened' AND report_state = 'none'",
            StateFilter::Draft => " AND report_state = 'draft'",
            StateFilter::Preliminary => " AND report_state = 'preliminary'",
            StateFilter::Final => " AND report_state IN ('final', 'addendum', 'corrected')",
            StateFilter::Sending => " AND outbox_state IN ('waiting', 'sending')",
            StateFilter::Refused => " AND outbox_state IN ('refused', 'parked')",
            StateFilter::Conflict => " AND local_state = 'conflict'",
        });
    }
}

fn row_of(row: &SqliteRow) -> Result<(i64, StudyRow)> {
    let pk: i64 = row.try_get("study_pk")?;
    let phi = |column: &str| Ok::<_, Error>(Phi::new(row.try_get::<String, _>(column)?));
    let date: Option<String> = row.try_get("date")?;
    let birth_date: Option<String> = row.try_get("birth_date")?;
    let age: Option<String> = row.try_get("age")?;
    let age = age.or_else(|| age_at(birth_date.as_deref()?, date.as_deref()?));
    let modalities: String = row.try_get("modalities")?;
    let patient = PatientRow {
        name: phi("name_alphabetic")?,
        name_ideographic: phi("name_ideographic")?,
        name_phonetic: phi("name_phonetic")?,
        id: phi("patient_id")?,
        issuer: phi("issuer")?,
        sex: row.try_get("sex")?,
        birth_date: birth_date.map(Phi::new),
        age,
    };
    let state = StudyState {
        read: row.try_get("read_state")?,
        report: row.try_get("report_state")?,
        local: row.try_get("local_state")?,
        outbox: row.try_get("outbox_state")?,
    };
    let study = StudyRow {
        study_uid: uid(row.try_get("study_uid")?, StudyUid::parse)?,
        id: format!("s{pk}"),
        patient,
        date,
        time: row.try_get("time")?,
        description: row.try_get("description")?,
        modalities: modalities.split_whitespace().map(str::to_owned).collect(),
        accession: phi("accession")?,
        state,
        series: Vec::new(),
    };
    Ok((pk, study))
}

async fn add_series(conn: &mut SqliteConnection, studies: &mut [(i64, StudyRow)]) -> Result<()> {
    // SQLite takes 32,766 bound values; pages are far smaller, but a caller may ask for more.
    for some in studies.chunks_mut(10_000) {
        let mut builder = QueryBuilder::<Sqlite>::new(
            "SELECT study_pk, series_pk, series_uid, number, modality, description, body_part, n_instances FROM series WHERE study_pk IN (",
        );
        let mut list = builder.separated(", ");
        for (pk, _) in some.iter() {
            list.push_bind(*pk);
        }
        builder.push(") ORDER BY study_pk, number IS NULL, number, series_pk");
        let by_pk: std::collections::HashMap<i64, usize> = some.iter().enumerate().map(|(at, (pk, _))| (*pk, at)).collect();
        for row in builder.build().fetch_all(&mut *conn).await? {
            let series = series_of(&row)?;
            if let Some((_, study)) = by_pk.get(&row.try_get("study_pk")?).and_then(|at| some.get_mut(*at)) {
                study.series.push(series);
            }
        }
    }
    Ok(())
}

pub(crate) fn series_of(row: &SqliteRow) -> Result<SeriesRow> {
    Ok(SeriesRow {
        series_uid: uid(row.try_get("series_uid")?, SeriesUid::parse)?,
        id: format!("e{}", row.try_get::<i64, _>("series_pk")?),
        number: row.try_get("number")?,
        modality: row.try_get("modality")?,
        description: row.try_get("description")?,
        body_part: row.try_get("body_part")?,
        instances: row.try_get("n_instances")?,
    })
}

/// A UID that the database holds.
pub(crate) fn uid<T>(text: &str, parse: fn(&str) -> std::result::Result<T, mj_model::uid::NotAUid>) -> Result<T> {
    parse(text).map_err(|_bad| Error::Stored("uid"))
}

/// Age at the study in the form of Patient's Age (0010,1010), `nnnY`, `nnnM` under two years, `nnnD` under one
/// month. Source: PS3.5 §6.2 (AS).
pub(crate) fn age_at(birth: &str, study: &str) -> Option<String> {
    let (birth, study): (jiff::civil::Date, jiff::civil::Date) = (birth.parse().ok()?, study.parse().ok()?);
    let span = birth.until((jiff::Unit::Year, study)).ok()?;
    let (years, months, days) = (i64::from(span.get_years()), i64::from(span.get_months()), i64::from(span.get_days()));
    match (years * 12 + months, days) {
        (24.., _) => Some(format!("{years:03}Y")),
        (months @ 1..24, _) => Some(format!("{months:03}M")),
        (0, days @ 0..) => Some(format!("{days:03}D")),
        _ => None,
    }
}

/// Lower-case words: runs of letters and digits.
fn words(text: &str) -> impl Iterator<Item = Vec<char>> {
    let lower = text.to_lowercase();
    let found: Vec<Vec<char>> =
        lower.split(|c: char| !c.is_alphanumeric()).filter(|w| !w.is_empty()).map(|w| w.chars().collect()).collect();
    found.into_iter()
}

/// One token for each pair of neighbouring characters and one for the last character, as code points, so that
/// any tokenizer leaves them whole: `ab` → `61g62 62g`.
fn push_pairs(word: &[char], out: &mut String) {
    use std::fmt::Write as _;
    for (at, first) in word.iter().enumerate() {
        let written = match word.get(at + 1) {
            Some(second) => write!(out, "{:x}g{:x} ", *first as u32, *second as u32),
            None => write!(out, "{:x}g ", *first as u32),
        };
        // Writing into a String cannot fail.
        debug_assert!(written.is_ok());
    }
}

/// What the text index holds for a study: all parts of these texts.
pub(crate) fn index_text<'t>(texts: impl IntoIterator<Item = &'t str>) -> String {
    let mut out = String::new();
    for text in texts {
        for word in words(text) {
            push_pairs(&word, &mut out);
        }
    }
    out
}

/// The same words, plain and parted by blanks.
pub(crate) fn plain_words<'t>(texts: impl IntoIterator<Item = &'t str>) -> String {
    let all: Vec<String> = texts.into_iter().flat_map(words).map(|word| word.into_iter().collect()).collect();
    all.join(" ")
}

/// The query of the text index: what stands between blanks is a phrase of pairs, so that it is found in the middle
/// of a name or number as well, whatever marks part its words. `None` when there is nothing to match.
fn match_expression(text: &str, modality: Option<&str>) -> Option<String> {
    let mut parts: Vec<String> = text.split_whitespace().filter_map(phrase_of).take(12).collect();
    if let Some(modality) = modality {
        let code: String = modality.chars().filter(char::is_ascii_alphanumeric).collect();
        if !code.is_empty() {
            parts.push(format!("modality : \"{}\"", code.to_lowercase()));
        }
    }
    (!parts.is_empty()).then(|| parts.join(" AND "))
}

fn phrase_of(text: &str) -> Option<String> {
    let mut tokens = String::new();
    let mut last_len = 0;
    for word in words(text) {
        push_pairs(&word, &mut tokens);
        last_len = word.len();
    }
    let mut tokens: Vec<&str> = tokens.split_whitespace().collect();
    let ending = match last_len {
        0 => return None,
        // A single character may be the first of a pair.
        1 => " *",
        // The token of the last character would only match at a word's end.
        _ => {
            tokens.pop();
            ""
        }
    };
    Some(format!("pairs : \"{}\"{ending}", tokens.join(" ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions() {
        assert_eq!(match_expression("ab", None).unwrap(), "pairs : \"61g62\"");
        assert_eq!(match_expression("王小 C", Some("CT")).unwrap(), "pairs : \"738bg5c0f\" AND pairs : \"63g\" * AND modality : \"ct\"");
        assert_eq!(match_expression("ab-c", None).unwrap(), "pairs : \"61g62 62g 63g\" *");
        assert_eq!(match_expression("\"* -", None), None);
        assert_eq!(index_text(["Ab"]), "61g62 62g ");
    }

    #[test]
    fn ages() {
        assert_eq!(age_at("1960-05-02", "2024-05-01").as_deref(), Some("063Y"));
        assert_eq!(age_at("2023-05-02", "2024-05-03").as_deref(), Some("012M"));
        assert_eq!(age_at("2024-05-02", "2024-05-12").as_deref(), Some("010D"));
        assert_eq!(age_at("2024-05-02", "2023-05-12"), None);
        assert_eq!(age_at("nonsense", "2023-05-12"), None);
    }
}

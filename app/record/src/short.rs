//! From what a person writes, a UID, a short id or the beginning of one, to what it names.

use crate::{Error, Record, Result};
use mj_model::{InstanceUid, SeriesUid, StudyUid};
use serde::Serialize;
use sqlx::{AssertSqlSafe, SqliteConnection};

/// What an id names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", content = "id", rename_all = "snake_case")]
pub enum Subject {
    /// A study.
    Study(StudyUid),
    /// A series.
    Series(SeriesUid),
    /// An instance.
    Instance(InstanceUid),
    /// A report.
    Report(String),
    /// A finding.
    Finding(String),
    /// A segment.
    Segment(String),
    /// A plan.
    Plan(String),
}

impl Subject {
    /// The full id.
    #[must_use]
    pub fn id(&self) -> &str {
        match self {
            Self::Study(uid) => uid.as_str(),
            Self::Series(uid) => uid.as_str(),
            Self::Instance(uid) => uid.as_str(),
            Self::Report(id) | Self::Finding(id) | Self::Segment(id) | Self::Plan(id) => id,
        }
    }
}

/// Letter of the short id, table, key column, id column.
const TABLES: [(char, &str, &str); 7] = [
    ('s', "study", "study_uid"),
    ('e', "series", "series_uid"),
    ('i', "instance", "instance_uid"),
    ('r', "report", "report_id"),
    ('f', "finding", "finding_id"),
    ('g', "segment", "segment_id"),
    ('p', "plan", "plan_id"),
];

/// Shortest beginning of a UID or UUID that is looked for.
const SHORTEST: usize = 4;

impl Record {
    /// What an id names: a UID, a short id (`s12`, `e3`), or the beginning of a UID or id where only one thing
    /// begins so.
    ///
    /// # Errors
    /// [`Error::Unknown`]; [`Error::Ambiguous`] with the candidates; database errors.
    pub async fn resolve(&self, id: &str) -> Result<Subject> {
        let id = id.trim();
        let mut conn = self.read().await?;
        if let Some(found) = by_short(&mut conn, id).await? {
            return Ok(found);
        }
        let mut found = by_text(&mut conn, id, false).await?;
        if found.is_empty() && id.len() >= SHORTEST {
            found = by_text(&mut conn, id, true).await?;
        }
        if found.len() > 1 {
            let candidates = found.iter().map(|subject| subject.id().to_owned()).collect();
            return Err(Error::Ambiguous { id: id.to_owned(), candidates });
        }
        found.pop().ok_or_else(|| Error::Unknown(id.to_owned()))
    }
}

impl Record {
    /// The full id of something of one kind, from a full id, a short id or the beginning of one.
    pub(crate) async fn full_id(&self, id: &str, kind: char) -> Result<String> {
        let found = self.resolve(id).await?;
        let letter = match &found {
            Subject::Study(_) => 's',
            Subject::Series(_) => 'e',
            Subject::Instance(_) => 'i',
            Subject::Report(_) => 'r',
            Subject::Finding(_) => 'f',
            Subject::Segment(_) => 'g',
            Subject::Plan(_) => 'p',
        };
        if letter == kind { Ok(found.id().to_owned()) } else { Err(Error::WrongKind(id.to_owned())) }
    }
}

async fn by_short(conn: &mut SqliteConnection, id: &str) -> Result<Option<Subject>> {
    let mut chars = id.chars();
    let (Some(letter), Ok(pk)) = (chars.next(), chars.as_str().parse::<i64>()) else { return Ok(None) };
    let Some((letter, table, column)) = TABLES.iter().find(|(l, ..)| *l == letter.to_ascii_lowercase()) else { return Ok(None) };
    let sql = format!("SELECT {column} FROM {table} WHERE {table}_pk = ?");
    let found: Option<String> = sqlx::query_scalar(AssertSqlSafe(sql)).bind(pk).fetch_optional(conn).await?;
    found.map(|id| subject(*letter, id)).transpose()
}

async fn by_text(conn: &mut SqliteConnection, id: &str, is_beginning: bool) -> Result<Vec<Subject>> {
    let mut found = Vec::new();
    for (letter, table, column) in TABLES {
        // A range, so that the index serves it: everything from the text to the text with a last character after it.
        let sql = if is_beginning {
            format!("SELECT {column} FROM {table} WHERE {column} >= ?1 AND {column} < ?1 || char(1114111) ORDER BY {column} LIMIT 11")
        } else {
            format!("SELECT {column} FROM {table} WHERE {column} = ?1")
        };
        let ids: Vec<String> = sqlx::query_scalar(AssertSqlSafe(sql)).bind(id).fetch_all(&mut *conn).await?;
        for id in ids {
            found.push(subject(letter, id)?);
        }
    }
    Ok(found)
}

fn subject(letter: char, id: String) -> Result<Subject> {
    let bad = |_bad| Error::Stored("uid");
    Ok(match letter {
        's' => Subject::Study(StudyUid::try_from(id).map_err(bad)?),
        'e' => Subject::Series(SeriesUid::try_from(id).map_err(bad)?),
        'i' => Subject::Instance(InstanceUid::try_from(id).map_err(bad)?),
        'r' => Subject::Report(id),
        'f' => Subject::Finding(id),
        'g' => Subject::Segment(id),
        _ => Subject::Plan(id),
    })
}

//! Who did what, and when: rows written in the transaction of the change itself, chained by hashes.

use crate::db::WriteTx;
use crate::{Record, Result};
use mj_model::Moment;
use serde::Serialize;
use sha2::{Digest as _, Sha256};
use sqlx::{Row as _, SqliteConnection};

/// One row of the audit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AuditEntry {
    /// Running number from 1.
    pub n: i64,
    /// When.
    pub at: Moment,
    /// Person's id or the program part.
    pub who: String,
    /// What was done, dotted English: `report.signed`, `finding.changed`, `import`, …
    pub what: String,
    /// UID or id of what it was done to.
    pub subject: String,
    /// More about it.
    pub detail: serde_json::Value,
}

/// Whether the chain of the audit holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AuditProof {
    /// Number of rows.
    pub rows: i64,
    /// The first row whose hash does not fit, if one does not.
    pub broken_at: Option<i64>,
}

/// Appends a row within a transaction.
pub(crate) async fn note(tx: &mut WriteTx, who: &str, what: &str, subject: &str, detail: &serde_json::Value) -> Result<()> {
    let conn = tx.conn();
    let last: Option<(i64, Vec<u8>)> =
        sqlx::query_as("SELECT audit_pk, hash FROM audit ORDER BY audit_pk DESC LIMIT 1").fetch_optional(&mut *conn).await?;
    let (n, before) = last.map_or((1, Vec::new()), |(n, hash)| (n + 1, hash));
    let (at, detail) = (mj_model::clock::now().to_string(), detail.to_string());
    let hash = chained(&before, n, [&at, who, what, subject, &detail]);
    sqlx::query("INSERT INTO audit VALUES (?, ?, ?, ?, ?, ?, ?)")
        .bind(n)
        .bind(&at)
        .bind(who)
        .bind(what)
        .bind(subject)
        .bind(&detail)
        .bind(hash)
        .execute(conn)
        .await?;
    Ok(())
}

/// SHA-256 over the hash before, the number and each text with its length.
fn chained(before: &[u8], n: i64, texts: [&str; 5]) -> Vec<u8> {
    let mut hasher = Sha256::new();
    hasher.update(before);
    hasher.update(n.to_le_bytes());
    for text in texts {
        hasher.update((text.len() as u64).to_le_bytes());
        hasher.update(text.as_bytes());
    }
    hasher.finalize().to_vec()
}

impl Record {
    /// The latest rows of the audit, newest first.
    ///
    /// # Errors
    /// Database errors.
    pub async fn audit(&self, limit: u32) -> Result<Vec<AuditEntry>> {
        let mut conn = self.read().await?;
        let rows = sqlx::query("SELECT audit_pk, at, who, what, subject, detail FROM audit ORDER BY audit_pk DESC LIMIT ?")
            .bind(limit)
            .fetch_all(&mut *conn)
            .await?;
        rows.iter()
            .map(|row| {
                Ok(AuditEntry {
                    n: row.try_get("audit_pk")?,
                    at: moment(row, "at")?,
                    who: row.try_get("who")?,
                    what: row.try_get("what")?,
                    subject: row.try_get("subject")?,
                    detail: crate::db::json(row, "detail")?,
                })
            })
            .collect()
    }

    /// Recomputes the chain of hashes.
    ///
    /// # Errors
    /// Database errors.
    pub async fn audit_proof(&self) -> Result<AuditProof> {
        let mut conn = self.read().await?;
        proof(&mut conn).await
    }
}

async fn proof(conn: &mut SqliteConnection) -> Result<AuditProof> {
    type Raw = (i64, String, String, String, String, String, Vec<u8>);
    let rows: Vec<Raw> =
        sqlx::query_as("SELECT audit_pk, at, who, what, subject, detail, hash FROM audit ORDER BY audit_pk").fetch_all(conn).await?;
    let (mut before, mut expected) = (Vec::new(), 1);
    for (n, at, who, what, subject, detail, hash) in &rows {
        if *n != expected || chained(&before, *n, [at, who, what, subject, detail]) != *hash {
            return Ok(AuditProof { rows: rows.len() as i64, broken_at: Some(*n) });
        }
        before.clone_from(hash);
        expected += 1;
    }
    Ok(AuditProof { rows: rows.len() as i64, broken_at: None })
}

/// Reads a moment.
pub(crate) fn moment(row: &sqlx::sqlite::SqliteRow, column: &'static str) -> Result<Moment> {
    Moment::parse(row.try_get::<&str, _>(column)?).map_err(|_bad| crate::Error::Stored(column))
}

//! The database: opening, migrating, reading and the one way of writing.

use crate::{Error, Result, exit};
use mj_seal::Key;
use sha2::{Digest as _, Sha256};
use sqlx::pool::PoolConnection;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqlitePoolOptions, SqliteRow, SqliteSynchronous};
use sqlx::{ConnectOptions as _, Row as _, Sqlite, SqlitePool, Transaction};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Mutex, OwnedMutexGuard};

/// How long a writer waits for another process's transaction.
const BUSY: Duration = Duration::from_secs(20);

/// Migrations in order; a file, once released, never changes.
const MIGRATIONS: &[(&str, &str)] = &[
    ("20261121_100000_first", include_str!("../migrations/20261121_100000_first.sql")),
    ("20261128_030000_results", include_str!("../migrations/20261128_030000_results.sql")),
    ("20261128_050000_critical", include_str!("../migrations/20261128_050000_critical.sql")),
    ("20261128_060000_certificates", include_str!("../migrations/20261128_060000_certificates.sql")),
];

/// The open database.
#[derive(Clone)]
pub(crate) struct Db {
    pool: SqlitePool,
    /// One writer at a time within the process: SQLite's own waiting is not fair.
    writer: Arc<Mutex<()>>,
}

/// A writing transaction. Dropped without [`WriteTx::commit`], it leaves no trace.
pub(crate) struct WriteTx {
    tx: Transaction<'static, Sqlite>,
    _writer: OwnedMutexGuard<()>,
}

impl Db {
    /// Opens the database file, making it when it is not there, and brings it to the present schema.
    pub(crate) async fn open(file: &Path, key: &Key) -> Result<Self> {
        let raw_key = format!("\"x'{}'\"", key.to_hex().as_str());
        let options = SqliteConnectOptions::new()
            .filename(file)
            .create_if_missing(true)
            // First of all, or SQLCipher takes the file for a broken one.
            .pragma("key", raw_key)
            // Sorting and temporary tables would otherwise leave readable files outside the record.
            .pragma("temp_store", "MEMORY")
            .pragma("cache_size", "-32768")
            .journal_mode(SqliteJournalMode::Wal)
            // An edit is acknowledged when it survives a power cut, so every commit is synced.
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(BUSY)
            .statement_cache_capacity(200)
            // Statements are not logged at any level: the first one holds the key.
            .disable_statement_logging();
        let pool = SqlitePoolOptions::new()
            .max_connections(4)
            .acquire_timeout(BUSY)
            .idle_timeout(None)
            .max_lifetime(None)
            .connect_with(options)
            .await
            .map_err(wrong_key)?;
        exit::without_teardown();
        let db = Self { pool, writer: Arc::default() };
        db.migrate().await?;
        Ok(db)
    }

    /// A connection for reading.
    pub(crate) async fn read(&self) -> Result<PoolConnection<Sqlite>> {
        Ok(self.pool.acquire().await?)
    }

    /// Begins a writing transaction: takes the write lock at once, so that what it reads stays true.
    pub(crate) async fn write(&self) -> Result<WriteTx> {
        let writer = Arc::clone(&self.writer).lock_owned().await;
        let tx = self.pool.begin_with("BEGIN IMMEDIATE").await?;
        Ok(WriteTx { tx, _writer: writer })
    }

    /// The number that every writing transaction raises, of whatever process.
    pub(crate) async fn data_version(&self) -> Result<i64> {
        let mut conn = self.read().await?;
        Ok(sqlx::query_scalar("SELECT n FROM data_version").fetch_one(&mut *conn).await?)
    }

    /// Waits for running queries and closes; folds the write-ahead log into the database.
    pub(crate) async fn close(&self) {
        self.pool.close().await;
    }

    /// All new migrations in one transaction, so that two processes that open the record at once do it once.
    async fn migrate(&self) -> Result<()> {
        let mut tx = self.write().await?;
        sqlx::raw_sql(
            "CREATE TABLE IF NOT EXISTS migration (version TEXT PRIMARY KEY, sha256 TEXT NOT NULL, at TEXT NOT NULL) WITHOUT ROWID",
        )
        .execute(tx.conn())
        .await?;
        let applied: Vec<(String, String)> =
            sqlx::query_as("SELECT version, sha256 FROM migration ORDER BY version").fetch_all(tx.conn()).await?;
        if applied.iter().any(|(version, _)| MIGRATIONS.iter().all(|(known, _)| known != version)) {
            return Err(Error::Later);
        }
        let mut is_changed = false;
        for (version, sql) in MIGRATIONS {
            let sha256 = crate::keys::hex(&Sha256::digest(sql.as_bytes()));
            match applied.iter().find(|(known, _)| known == version) {
                Some((_, before)) if *before == sha256 => continue,
                Some(_) => return Err(Error::Stored("schema")),
                None => {}
            }
            sqlx::raw_sql(*sql).execute(tx.conn()).await?;
            sqlx::query("INSERT INTO migration VALUES (?, ?, ?)")
                .bind(version)
                .bind(sha256)
                .bind(mj_model::clock::now().to_string())
                .execute(tx.conn())
                .await?;
            is_changed = true;
        }
        if is_changed { tx.commit().await } else { Ok(()) }
    }
}

impl WriteTx {
    /// The connection, for queries within the transaction.
    pub(crate) fn conn(&mut self) -> &mut SqliteConnection {
        &mut self.tx
    }

    /// Makes it durable: returns when it is on the disk.
    pub(crate) async fn commit(mut self) -> Result<()> {
        sqlx::query("UPDATE data_version SET n = n + 1").execute(&mut *self.tx).await?;
        Ok(self.tx.commit().await?)
    }
}

/// 26 is "file is not a database": the key does not fit.
fn wrong_key(error: sqlx::Error) -> Error {
    match &error {
        sqlx::Error::Database(inner) if inner.code().as_deref() == Some("26") => Error::Stored("database"),
        _ => error.into(),
    }
}

/// Reads a column as JSON.
pub(crate) fn json<T: serde::de::DeserializeOwned>(row: &SqliteRow, column: &'static str) -> Result<T> {
    serde_json::from_str(row.try_get::<&str, _>(column)?).map_err(|_bad| Error::Stored(column))
}

/// Writes a value as JSON text.
pub(crate) fn to_json<T: serde::Serialize>(value: &T) -> Result<String> {
    serde_json::to_string(value).map_err(|_bad| Error::Stored("value"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_commit_is_on_the_disk() {
        let dir = tempfile::tempdir().unwrap();
        let db = Db::open(&dir.path().join("record.db"), &Key::generate().unwrap()).await.unwrap();
        let mut conn = db.read().await.unwrap();
        let of = |name: &'static str| {
            sqlx::query_scalar::<_, String>(sqlx::AssertSqlSafe(format!("SELECT CAST({name} AS TEXT) FROM pragma_{name}")))
        };
        // 2 is FULL: every commit is synced. See https://www.sqlite.org/pragma.html#pragma_synchronous
        assert_eq!(of("synchronous").fetch_one(&mut *conn).await.unwrap(), "2");
        assert_eq!(of("journal_mode").fetch_one(&mut *conn).await.unwrap(), "wal");
    }
}

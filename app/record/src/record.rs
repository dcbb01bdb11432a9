//! The open record.

use crate::db::{Db, WriteTx};
use crate::disk::{Disk, RealDisk};
use crate::keys::{self, Keys};
use crate::session::{self, Session};
use crate::{Error, Passphrase, Result};
use mj_seal::Key;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use zeroize::Zeroizing;

/// A record: a folder with everything encrypted in it. Cheap to clone; all clones are the same open record.
#[derive(Clone)]
pub struct Record {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) dir: PathBuf,
    pub(crate) keys: Keys,
    pub(crate) db: Db,
    pub(crate) disk: Arc<dyn Disk>,
    pub(crate) session: Session,
    /// Content hashes of the sheets made for signing, by report and person: the PDF must be of what is signed.
    pub(crate) typeset: std::sync::Mutex<std::collections::BTreeMap<(String, String), String>>,
    /// The department's own rules.
    pub(crate) rulebook: std::sync::Mutex<crate::rulebook::Rulebook>,
    pub(crate) shelf: std::sync::Mutex<crate::shelf::Shelf>,
    /// Who decodes pixels for comparing two data sets of one UID.
    pub(crate) hasher: std::sync::RwLock<Option<Arc<dyn crate::PixelHasher>>>,
}

/// What a child worker gets in its handshake.
#[derive(Clone)]
pub struct Grant {
    /// Key of sealed objects, 64 hexadecimal digits.
    pub object_key: Zeroizing<String>,
    /// Folder where the child puts sealed files it made.
    pub inbox: PathBuf,
}

impl std::fmt::Debug for Grant {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Grant(‹secret›)")
    }
}

impl std::fmt::Debug for Record {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Record")
    }
}

impl Record {
    /// Makes a new record in a folder (made when absent) and opens it.
    ///
    /// # Errors
    /// [`Error::Exists`] when a record is there already; disk errors.
    pub async fn init(dir: impl AsRef<Path>, passphrase: &Passphrase) -> Result<Self> {
        Self::init_on(dir, passphrase, Arc::new(RealDisk)).await
    }

    /// As [`Record::init`], on a given disk.
    ///
    /// # Errors
    /// As [`Record::init`].
    pub async fn init_on(dir: impl AsRef<Path>, passphrase: &Passphrase, disk: Arc<dyn Disk>) -> Result<Self> {
        let (dir, passphrase) = (absolute(dir.as_ref())?, passphrase.clone());
        let made = tokio::task::spawn_blocking(move || {
            if dir.join(keys::HEAD).exists() || dir.join("record.db").exists() {
                return Err(Error::Exists(dir));
            }
            session::lay_out(&dir, disk.as_ref())?;
            let keys = keys::create(&dir, &passphrase, disk.as_ref())?;
            Ok((dir, keys, disk))
        });
        let (dir, keys, disk) = made.await??;
        Self::with_keys(dir, keys, disk).await
    }

    /// Opens a record. Several processes may have it open at once. What a killed process left half-done is
    /// cleaned away.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::WrongPassphrase`], [`Error::DatabaseMissing`], [`Error::Later`]; disk and
    /// database errors.
    pub async fn open(dir: impl AsRef<Path>, passphrase: &Passphrase) -> Result<Self> {
        Self::open_on(dir, passphrase, Arc::new(RealDisk)).await
    }

    /// As [`Record::open`], on a given disk.
    ///
    /// # Errors
    /// As [`Record::open`].
    pub async fn open_on(dir: impl AsRef<Path>, passphrase: &Passphrase, disk: Arc<dyn Disk>) -> Result<Self> {
        let (dir, passphrase) = (absolute(dir.as_ref())?, passphrase.clone());
        let unlocked = tokio::task::spawn_blocking(move || {
            let keys = keys::unlock(&dir, &passphrase)?;
            // A database made anew over old objects would hide them for good.
            let has_objects = || std::fs::read_dir(dir.join("objects")).is_ok_and(|mut entries| entries.next().is_some());
            if !dir.join("record.db").exists() && has_objects() {
                return Err(Error::DatabaseMissing(dir));
            }
            session::lay_out(&dir, disk.as_ref())?;
            Ok((dir, keys, disk))
        });
        let (dir, keys, disk) = unlocked.await??;
        Self::with_keys(dir, keys, disk).await
    }

    /// Gives a record another passphrase. The record key is wrapped anew; no other data is rewritten, and processes
    /// that have the record open go on.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::WrongPassphrase`]; disk errors.
    pub async fn change_passphrase(dir: impl AsRef<Path>, old: &Passphrase, new: &Passphrase) -> Result<()> {
        let (dir, old, new) = (absolute(dir.as_ref())?, old.clone(), new.clone());
        tokio::task::spawn_blocking(move || keys::rewrap(&dir, &old, &new, &RealDisk)).await?
    }

    async fn with_keys(dir: PathBuf, keys: Keys, disk: Arc<dyn Disk>) -> Result<Self> {
        let db = Db::open(&dir.join("record.db"), &keys.database).await?;
        let session = Session::open(&dir)?;
        let record = Self {
            inner: Arc::new(Inner {
                dir,
                keys,
                db,
                disk,
                session,
                typeset: std::sync::Mutex::default(),
                rulebook: std::sync::Mutex::default(),
                shelf: std::sync::Mutex::default(),
                hasher: std::sync::RwLock::default(),
            }),
        };
        record.clean_leftovers().await?;
        Ok(record)
    }

    /// Removes what processes that are gone left half-done: files being written, and objects put in place
    /// whose transaction never came.
    async fn clean_leftovers(&self) -> Result<()> {
        let dir = self.inner.dir.clone();
        let found = tokio::task::spawn_blocking(move || session::leftovers(&dir)).await??;
        let mut conn = self.inner.db.read().await?;
        for leftover in found {
            for file in &leftover.moved {
                if !is_known_object(&mut conn, file).await? {
                    match std::fs::remove_file(self.inner.dir.join(file)) {
                        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                            return Err(Error::io(self.inner.dir.join(file), error));
                        }
                        _ => tracing::info!("an object without a transaction was removed"),
                    }
                }
            }
            leftover.remove();
        }
        Ok(())
    }

    /// The record's folder.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.inner.dir
    }

    /// What a child worker needs to read and make objects.
    #[must_use]
    pub fn grant(&self) -> Grant {
        Grant { object_key: self.inner.keys.objects.to_hex(), inbox: self.inner.dir.join("inbox") }
    }

    /// A number that every change raises, by whatever process: compare it to notice changes made elsewhere.
    ///
    /// # Errors
    /// Database errors.
    pub async fn data_version(&self) -> Result<i64> {
        self.inner.db.data_version().await
    }

    /// Waits for running queries and closes the database. Other clones can no longer be used.
    pub async fn close(&self) {
        self.inner.db.close().await;
    }

    pub(crate) fn object_key(&self) -> &Key {
        &self.inner.keys.objects
    }

    pub(crate) async fn write(&self) -> Result<WriteTx> {
        self.inner.db.write().await
    }

    pub(crate) async fn read(&self) -> Result<sqlx::pool::PoolConnection<sqlx::Sqlite>> {
        self.inner.db.read().await
    }
}

/// True when a transaction took the object file.
pub(crate) async fn is_known_object(conn: &mut sqlx::SqliteConnection, file: &str) -> Result<bool> {
    let known: i64 = sqlx::query_scalar(
        "SELECT EXISTS (SELECT 1 FROM instance WHERE object_file = ?1) OR EXISTS (SELECT 1 FROM conflict WHERE object_file = ?1)
             OR EXISTS (SELECT 1 FROM key_image WHERE object_file = ?1)",
    )
    .bind(file)
    .fetch_one(conn)
    .await?;
    Ok(known != 0)
}

fn absolute(dir: &Path) -> Result<PathBuf> {
    std::path::absolute(dir).map_err(|error| Error::io(dir, error))
}

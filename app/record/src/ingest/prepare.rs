//! Making a file ready to enter: read, parse, hash, seal, sync.

use super::Failed;
use super::walk::MAX_OBJECT;
use crate::objects::Staged;
use crate::{Error, Record, Result};
use mj_dicom::{Dataset, Header, dataset_sha256};
use mj_model::ResearchFormat;
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

/// A file that may be an object.
pub(crate) struct Candidate {
    /// Where it comes from, as a person reads it.
    pub(crate) from: String,
    pub(crate) content: Content,
}

pub(crate) enum Content {
    File(PathBuf),
    Bytes(Vec<u8>),
    /// It could not even be read.
    Failed(Error),
}

impl Candidate {
    pub(crate) fn bytes(from: String, bytes: Vec<u8>) -> Self {
        Self { from, content: Content::Bytes(bytes) }
    }

    pub(super) fn failed(from: String, error: Error) -> Self {
        Self { from, content: Content::Failed(error) }
    }
}

/// An object that is ready to enter.
pub(crate) struct Prepared {
    pub(crate) from: String,
    pub(crate) header: Header,
    pub(crate) sha256: [u8; 32],
    /// The sealed file; none when the same object was found in the record already.
    pub(crate) staged: Option<Staged>,
    /// What was found out when the record held another data set of the same UID.
    pub(crate) twin: Option<super::twins::Verdict>,
}

impl Record {
    /// Makes a file ready. What is in the record already is not sealed again.
    pub(crate) async fn prepare(&self, candidate: Candidate) -> std::result::Result<Prepared, Failed> {
        let Candidate { from, content } = candidate;
        match self.prepare_content(content).await {
            Ok((header, sha256, staged, twin)) => Ok(Prepared { from, header, sha256, staged, twin }),
            Err(error) => Err(Failed { error: of_research(error, &from), from }),
        }
    }

    async fn prepare_content(&self, content: Content) -> Result<(Header, [u8; 32], Option<Staged>, Option<super::twins::Verdict>)> {
        let (bytes, header, sha256) = tokio::task::spawn_blocking(move || {
            let bytes = match content {
                Content::File(path) => read_bounded(&path)?,
                Content::Bytes(bytes) => bytes,
                Content::Failed(error) => return Err(error),
            };
            let (header, sha256) = (Dataset::read(&bytes)?.header()?, dataset_sha256(&bytes)?);
            Ok((bytes, header, sha256))
        })
        .await??;
        let known = {
            let mut conn = self.read().await?;
            super::enter::known_instance(&mut conn, &header.instance).await?
        };
        if known.as_ref().is_some_and(|known| known.sha256 == sha256) {
            return Ok((header, sha256, None, None));
        }
        let record = self.clone();
        let staged = tokio::task::spawn_blocking(move || record.stage(&bytes)).await??;
        let twin = match known {
            Some(known) if header.has_pixels && known.has_pixels => self.compare(&known, &staged).await?,
            _ => None,
        };
        Ok((header, sha256, Some(staged), twin))
    }
}

/// What is no DICOM object but has a research format's name is told as such: it names no patient, so there is none to
/// keep it under. Old DICOM objects may be called `.img` too, so the content is looked at first.
fn of_research(error: Error, from: &str) -> Error {
    if matches!(error, Error::Dicom(mj_dicom::Error::NotDicom)) && ResearchFormat::of(Path::new(from)).is_some() {
        return Error::Skip(
            "import.research_file",
            "names no patient, so it is not kept; open it with mingjing-viewer --room reading FILE or mingjing render FILE",
        );
    }
    error
}

fn read_bounded(path: &Path) -> Result<Vec<u8>> {
    let failed = |error| match Error::io(path, error) {
        // A file that may not be read is that file's trouble, not the record's.
        Error::ReadOnly(source) => Error::Disk { path: path.to_owned(), source },
        other => other,
    };
    let file = File::open(path).map_err(failed)?;
    let len = file.metadata().map_err(failed)?.len();
    if len > MAX_OBJECT {
        return Err(Error::Skip("import.too_large", "larger than 2 GiB"));
    }
    let mut bytes = Vec::with_capacity(usize::try_from(len).unwrap_or(0));
    file.take(MAX_OBJECT + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > MAX_OBJECT {
        return Err(Error::Skip("import.too_large", "larger than 2 GiB"));
    }
    Ok(bytes)
}

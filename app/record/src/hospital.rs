//! The record at work with the hospital's servers: asking, fetching, and being a server itself.

use crate::ingest::{Ingested, Tally};
use crate::peers::{self, FindQuery, FoundRow, GetWhat, Peer, Received, ServeConfig, Sink, StoreStatus, Stored};
use crate::{Error, ImportReceipt, Record, Result, Server};
use mj_dicom::Watch;
use mj_model::StudyUid;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

/// A server that stores what it receives into the record.
#[derive(Debug)]
pub struct RecordServer {
    server: peers::Server,
    stop: tokio::sync::oneshot::Sender<()>,
}

impl RecordServer {
    /// The address it listens on, with the real port.
    #[must_use]
    pub fn local_addr(&self) -> SocketAddr {
        self.server.local_addr
    }

    /// Stops it and waits until every association has ended.
    pub async fn stop(self) {
        // It may have ended by itself.
        if self.stop.send(()).is_ok() {
            self.server.finished().await;
        }
    }
}

/// Takes arriving instances through the one door and counts them.
struct Door {
    record: Record,
    tally: Mutex<Tally>,
    /// The first trouble of the record itself, such as a full disk.
    trouble: Mutex<Option<Error>>,
}

impl Door {
    fn new(record: &Record) -> Self {
        Self { record: record.clone(), tally: Mutex::default(), trouble: Mutex::default() }
    }

    async fn take(&self, received: Received) -> StoreStatus {
        let from = format!("C-STORE {}", received.from_aet);
        match self.record.ingest_bytes(received.bytes, &from).await {
            Ok(outcome) => {
                let status = match &outcome {
                    Ingested::Stored { .. } | Ingested::Completed { .. } => StoreStatus::Stored,
                    Ingested::AlreadyPresent { .. } => StoreStatus::AlreadyPresent,
                    Ingested::Conflict { .. } | Ingested::Waiting { .. } => StoreStatus::Conflict,
                };
                self.tally.lock().unwrap_or_else(PoisonError::into_inner).take(from, outcome);
                status
            }
            Err(Error::Dicom(_)) => StoreStatus::Unreadable,
            Err(error) => {
                tracing::error!(%error, "an instance that arrived could not be stored");
                let status =
                    if matches!(error, Error::DiskFull(_) | Error::Busy) { StoreStatus::OutOfResources } else { StoreStatus::Failed };
                self.trouble.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
                status
            }
        }
    }
}

impl Sink for Door {
    fn store(&self, received: Received) -> Stored<'_> {
        Box::pin(self.take(received))
    }
}

/// How we call a server.
pub(crate) fn peer_of(server: &Server) -> Peer {
    Peer::new(&server.host, server.port, &server.aet, &server.our_aet)
}

impl Record {
    /// Asks a server for a sign of life (C-ECHO). Gives the time it took in milliseconds.
    ///
    /// # Errors
    /// [`Error::Unknown`] for the name; [`Error::Peer`].
    pub async fn echo(&self, server: &str) -> Result<u64> {
        let took = peers::echo(&peer_of(&self.server(server).await?)).await?;
        Ok(u64::try_from(took.as_millis()).unwrap_or(u64::MAX))
    }

    /// Searches a server (C-FIND).
    ///
    /// # Errors
    /// [`Error::Unknown`] for the name; [`Error::Peer`].
    pub async fn find_on(&self, server: &str, query: &FindQuery) -> Result<Vec<FoundRow>> {
        Ok(peers::find(&peer_of(&self.server(server).await?), query).await?)
    }

    /// Fetches a study from a server (C-GET) through the one door.
    ///
    /// # Errors
    /// [`Error::Unknown`] for the name; [`Error::Cancelled`]; [`Error::Incomplete`] when the server kept something
    /// back (what came is stored); [`Error::Peer`]; disk and database errors.
    pub async fn fetch(&self, server: &str, study: &StudyUid, watch: &Watch) -> Result<ImportReceipt> {
        let peer = peer_of(&self.server(server).await?);
        let door = Door::new(self);
        let report = peers::get(&peer, &GetWhat::study(study.clone()), &door, &watch.cancel).await?;
        if let Some(trouble) = door.trouble.into_inner().unwrap_or_else(PoisonError::into_inner) {
            return Err(trouble);
        }
        if !report.cancelled {
            self.settle_waiting().await?;
        }
        let mut tally = door.tally.into_inner().unwrap_or_else(PoisonError::into_inner);
        self.conclude(&mut tally).await?;
        let receipt = tally.into_receipt();
        self.keep_receipt(&receipt).await?;
        if report.cancelled {
            return Err(Error::Cancelled);
        }
        if report.failed > 0 || report.remaining > 0 {
            return Err(Error::Incomplete { came: report.kept, missing: report.failed + report.remaining });
        }
        Ok(receipt)
    }

    /// Listens for instances (C-STORE SCP) and stores them.
    ///
    /// # Errors
    /// [`Error::Peer`] when the title is none or the port cannot be opened.
    pub async fn serve(&self, aet: &str, addr: SocketAddr) -> Result<RecordServer> {
        let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
        let shutdown = async move {
            // Either the signal, or the handle was dropped.
            if stopped.await.is_err() {
                tracing::debug!("the server's handle was dropped");
            }
        };
        let server = peers::serve(ServeConfig::new(aet, addr), Arc::new(Door::new(self)), shutdown).await?;
        Ok(RecordServer { server, stop })
    }
}

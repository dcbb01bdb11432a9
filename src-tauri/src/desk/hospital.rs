//! People, servers, the outbox, and what comes from the hospital.

use super::error::{Error, Result};
use super::studies::study_uid;
use super::{Desk, LOOK_AGAIN, lines, lock};
use crate::page::dto::{Event, FoundLine, OutboxLine, PersonLine, ServerLine};
use mj_record::peers::{FindQuery, Key};
use mj_record::{Record, Server, Watch};
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

/// Our AE title unless the hospital gave another.
const OUR_AET: &str = "MINGJING";

/// Time between two questions to the servers.
const ASK_LINE: Duration = Duration::from_secs(60);

impl Desk {
    /// Everyone who works here.
    ///
    /// # Errors
    /// Those of the record.
    pub async fn people(&self) -> Result<Vec<PersonLine>> {
        Ok(self.record()?.people().await?.iter().map(lines::person).collect())
    }

    /// Adds a person. The first one becomes the reader.
    ///
    /// # Errors
    /// Those of the record.
    pub async fn add_person(&self, name: &str, role: &str) -> Result<Vec<PersonLine>> {
        let role = lines::role(role).ok_or(Error::Internal("no such role"))?;
        let person = self.record()?.add_person(name, role).await?;
        if self.boot().person.is_empty() {
            self.choose_person(person.id);
        }
        self.people().await
    }

    /// The hospital's servers.
    ///
    /// # Errors
    /// Those of the record.
    pub async fn servers(&self) -> Result<Vec<ServerLine>> {
        Ok(self.record()?.servers().await?.iter().map(lines::server).collect())
    }

    /// Adds a server.
    ///
    /// # Errors
    /// Those of the record.
    pub async fn add_server(&self, line: ServerLine) -> Result<Vec<ServerLine>> {
        let port = u16::try_from(line.port).map_err(|_out_of_range| Error::Internal("no such port"))?;
        let record = self.record()?;
        record.add_server(Server { name: line.name, host: line.host, port, aet: line.aet, our_aet: OUR_AET.into() }).await?;
        let desk = self.clone();
        // The answer may take as long as the line's patience; the page need not wait for it.
        drop(self.0.runtime.spawn(async move { desk.ask_line(&record).await }));
        self.servers().await
    }

    /// Asks a server for an echo. Gives the time. Units: ms.
    ///
    /// # Errors
    /// Why the server did not answer.
    pub async fn test_server(&self, name: &str) -> Result<u64> {
        Ok(self.record()?.echo(name).await?.max(1))
    }

    /// Studies of a server by a patient's name or id.
    ///
    /// # Errors
    /// Why the server did not answer.
    pub async fn find_studies(&self, server: &str, text: &str) -> Result<Vec<FoundLine>> {
        let lang = self.lang();
        let text = text.trim();
        let query = match text {
            "" => FindQuery::studies(),
            id if id.bytes().any(|b| b.is_ascii_digit()) => FindQuery::studies().matching(Key::PatientId, id),
            name => FindQuery::studies().named(name),
        };
        let found = self.record()?.find_on(server, &query).await?;
        Ok(found
            .into_iter()
            .filter_map(|row| {
                Some(FoundLine {
                    uid: row.study_uid?.to_string(),
                    name: row.name.display(lang),
                    patient_id: row.patient_id,
                    date: row.date.unwrap_or_default(),
                    description: row.description,
                    modalities: row.modalities.join(" "),
                    instances: row.instances.unwrap_or(0),
                })
            })
            .collect())
    }

    /// Fetches a study. Gives the number of instances that are new here.
    ///
    /// # Errors
    /// Why the server did not send; those of the record.
    pub async fn fetch_study(&self, server: &str, study: &str) -> Result<u64> {
        let receipt = self.record()?.fetch(server, &study_uid(study)?, &Watch::default()).await?;
        self.emit(Event::StudiesChanged {});
        Ok(receipt.stored)
    }

    /// Begins to receive on a port, from this computer alone or from others too. Gives the port (a free one for 0).
    ///
    /// # Errors
    /// When the port cannot be listened on.
    pub async fn listen(&self, aet: &str, port: u32, from_others: bool) -> Result<u32> {
        let port = u16::try_from(port).map_err(|_out_of_range| Error::Internal("no such port"))?;
        let address = if from_others { Ipv4Addr::UNSPECIFIED } else { Ipv4Addr::LOCALHOST };
        let server = self.record()?.serve(aet, SocketAddr::from((address, port))).await?;
        let port = server.local_addr().port();
        let before = lock(&self.0.server).replace(server);
        if let Some(before) = before {
            before.stop().await;
        }
        Ok(port.into())
    }

    /// The outbox.
    ///
    /// # Errors
    /// Those of the record.
    pub async fn outbox(&self) -> Result<Vec<OutboxLine>> {
        self.outbox_of(&self.record()?).await
    }

    /// Sends what waits, now.
    ///
    /// # Errors
    /// Those of the record.
    pub async fn flush_outbox(&self) -> Result<Vec<OutboxLine>> {
        let record = self.record()?;
        record.flush(&Watch::default()).await?;
        self.tell_outbox(&record).await;
        self.emit(Event::StudiesChanged {});
        self.outbox_of(&record).await
    }

    async fn outbox_of(&self, record: &Record) -> Result<Vec<OutboxLine>> {
        let lang = self.lang();
        let mut lines = Vec::new();
        // The newest are what a person looks for.
        for row in record.outbox().await?.iter().rev() {
            let object = record.object(&row.object).await.map(|o| object_name(o.sop_class.as_str(), lang)).unwrap_or_default();
            lines.push(lines::outbox(row, object, lang));
        }
        Ok(lines)
    }

    /// Asks every server whether it is there, and tells the page.
    pub(crate) async fn ask_line(&self, record: &Record) {
        let Ok(servers) = record.servers().await else { return };
        let mut online = true;
        for server in servers {
            online &= record.echo(&server.name).await.is_ok();
        }
        self.set_online(online);
        self.tell_outbox(record).await;
    }

    /// Tells the page how the outbox stands.
    pub(crate) async fn tell_outbox(&self, record: &Record) {
        match record.outbox().await {
            Ok(rows) => {
                let (waiting, refused) = lines::outbox_counts(&rows);
                self.emit(Event::OutboxChanged { waiting, refused, online: self.is_online() });
            }
            Err(error) => tracing::warn!(%error, "the outbox could not be read"),
        }
    }
}

/// What an object is, by its SOP class. Source: PS3.4 §B.5.
fn object_name(sop_class: &str, lang: mj_model::Lang) -> &'static str {
    let text = match sop_class {
        "1.2.840.10008.5.1.4.1.1.104.1" => mj_lang::key::DESK_OBJECT_PDF,
        "1.2.840.10008.5.1.4.1.1.66.4" => mj_lang::key::DESK_OBJECT_SEG,
        other if other.starts_with("1.2.840.10008.5.1.4.1.1.88.") => mj_lang::key::DESK_OBJECT_SR,
        _ => mj_lang::key::DESK_OBJECT_IMAGE,
    };
    text.get(lang)
}

/// Watches what other processes change, and keeps the outbox going.
pub(crate) async fn watch(desk: Desk, record: Record) {
    let sending = tokio::spawn({
        let record = record.clone();
        async move { record.run_outbox(std::future::pending()).await }
    });
    let _stop_with_us = Abort(sending);
    let mut seen = record.data_version().await.unwrap_or(0);
    desk.tell_outbox(&record).await;
    // What came while no desk ran.
    let mut failed = std::collections::BTreeSet::new();
    desk.take_results(&record, &mut failed).await;
    loop {
        tokio::time::sleep(LOOK_AGAIN).await;
        let Ok(now) = record.data_version().await else { continue };
        if now != seen {
            seen = now;
            desk.take_results(&record, &mut failed).await;
            desk.emit(Event::StudiesChanged {});
            desk.tell_outbox(&record).await;
            for told in [desk.tell_report().await, desk.tell_findings_of_others().await] {
                if let Err(error) = told {
                    tracing::warn!(%error, "the open study could not be read again");
                }
            }
        }
    }
}

/// Asks the servers once a minute whether they are there.
pub(crate) async fn watch_line(desk: Desk, record: Record) {
    loop {
        desk.ask_line(&record).await;
        tokio::time::sleep(ASK_LINE).await;
    }
}

/// Ends a task when its watcher ends.
struct Abort<T>(tokio::task::JoinHandle<T>);

impl<T> Drop for Abort<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

//! C-STORE and C-ECHO as a provider: the hospital sends to us. (PS3.4 annex B, PS3.7 §9.3)
//!
//! One task accepts, one task serves each association, and one signal stops them all: running associations
//! finish the instance in hand, answer it, and are then aborted.

use super::{
    PeerError, Sink, StoreStatus,
    associate::{Accepted, aet, max_length},
    classes::{
        APPLICATION_CONTEXT, IMPLEMENTATION_CLASS_UID, IMPLEMENTATION_VERSION_NAME, N_PREFERRED, TRANSFER_SYNTAXES, VERIFICATION,
        is_native, is_storage_class,
    },
    command::{Command, field},
    get::received,
    wire::{Control, Message, OUR_MAX_PDU, Wire},
};
use dicom_ul::pdu::{
    AssociationAC, AssociationRQ, Pdu, PresentationContextResult, PresentationContextResultReason, UserVariableItem, read_pdu,
};
use std::{net::SocketAddr, sync::Arc, time::Duration};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{Semaphore, watch},
    task::{JoinHandle, JoinSet},
    time::timeout,
};

/// How a server behaves.
#[derive(Debug, Clone)]
pub struct ServeConfig {
    /// Our AE title.
    pub aet: String,
    /// Address to listen on; port 0 takes a free one.
    pub addr: SocketAddr,
    /// Refuse callers that call us by another title.
    pub check_called_aet: bool,
    /// Calling AE titles that may connect; empty means any.
    pub allowed_callers: Vec<String>,
    /// Associations at a time; further callers are told to try later.
    pub max_associations: usize,
    /// How long a caller may be silent.
    pub timeout: Duration,
    /// Largest data set taken, in bytes; a larger one is refused as out of resources.
    pub max_object_bytes: usize,
}

impl ServeConfig {
    /// A server that takes any caller, eight at a time, and objects up to 2 GiB.
    #[must_use]
    pub fn new(aet: &str, addr: SocketAddr) -> Self {
        Self {
            aet: aet.into(),
            addr,
            check_called_aet: false,
            allowed_callers: Vec::new(),
            max_associations: 8,
            timeout: Duration::from_secs(60),
            max_object_bytes: 2 << 30,
        }
    }
}

/// A running server.
#[derive(Debug)]
pub struct Server {
    /// The address it listens on, with the real port.
    pub local_addr: SocketAddr,
    done: JoinHandle<()>,
}

impl Server {
    /// Waits until the shutdown signal has been given and every association has ended.
    pub async fn finished(self) {
        if let Err(error) = self.done.await {
            tracing::error!(%error, "the DICOM server stopped by accident");
        }
    }
}

/// Starts a server. It runs until `shutdown` completes.
///
/// # Errors
/// [`PeerError::BadAet`], [`PeerError::Listen`].
pub async fn serve(
    config: ServeConfig,
    sink: Arc<dyn Sink>,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> Result<Server, PeerError> {
    let config = ServeConfig { aet: aet(&config.aet)?, max_associations: config.max_associations.max(1), ..config };
    let failed = |source| PeerError::Listen { address: config.addr.to_string(), source };
    let listener = TcpListener::bind(config.addr).await.map_err(failed)?;
    let local_addr = listener.local_addr().map_err(failed)?;
    tracing::info!(port = local_addr.port(), aet = config.aet, "waiting for DICOM associations");
    let done = tokio::spawn(accept_all(listener, Arc::new(config), sink, shutdown));
    Ok(Server { local_addr, done })
}

async fn accept_all(listener: TcpListener, config: Arc<ServeConfig>, sink: Arc<dyn Sink>, shutdown: impl Future<Output = ()> + Send) {
    let (stop, stopped) = watch::channel(false);
    let places = Arc::new(Semaphore::new(config.max_associations));
    // Those that are only told to come later must not pile up either.
    let turned_away = Arc::new(Semaphore::new(config.max_associations.saturating_mul(2)));
    let mut running = JoinSet::new();
    let mut shutdown = std::pin::pin!(shutdown);
    loop {
        let stream = tokio::select! {
            () = &mut shutdown => break,
            Some(ended) = running.join_next() => {
                if let Err(error) = ended {
                    tracing::error!(%error, "an association ended by accident");
                }
                continue;
            }
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => stream,
                Err(error) => {
                    tracing::warn!(%error, "accepting failed");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                    continue;
                }
            },
        };
        let place = Arc::clone(&places).try_acquire_owned().ok();
        let full = place.is_none();
        let Ok(place) = place.map_or_else(|| Arc::clone(&turned_away).try_acquire_owned(), Ok) else { continue };
        let (config, sink, stopped) = (Arc::clone(&config), Arc::clone(&sink), stopped.clone());
        running.spawn(async move {
            match associate(stream, &config, full, sink.as_ref(), stopped).await {
                Ok(n) => tracing::info!(instances = n, "association ended"),
                Err(error) => tracing::warn!(%error, "association ended early"),
            }
            drop(place);
        });
    }
    drop(listener);
    if stop.send(true).is_err() {
        tracing::debug!("no association was running");
    }
    let all = async { while running.join_next().await.is_some() {} };
    if timeout(config.timeout, all).await.is_err() {
        tracing::warn!("associations did not end in time and were dropped");
    }
}

/// Why an association is refused: result, source, reason (PS3.8 §9.3.4).
type Refusal = [u8; 3];

/// Negotiates and serves one association; gives the number of instances kept.
async fn associate(
    stream: TcpStream,
    config: &ServeConfig,
    full: bool,
    sink: &dyn Sink,
    stopped: watch::Receiver<bool>,
) -> Result<u32, PeerError> {
    let mut wire = Wire::new(stream, config.timeout, config.max_object_bytes)?;
    let request = match wire.control("negotiating").await? {
        Control::Negotiation(1, bytes) => match read_pdu(bytes.as_slice(), OUR_MAX_PDU, false) {
            Ok(Some(Pdu::AssociationRQ(request))) => request,
            _ => {
                wire.abort(2, 6).await;
                return Err(PeerError::Protocol { what: "an unreadable association request" });
            }
        },
        _ => {
            wire.abort(2, 2).await;
            return Err(PeerError::Protocol { what: "no association request" });
        }
    };
    if let Some(refusal) = refusal(&request, config, full || *stopped.borrow()) {
        tracing::info!(caller = request.calling_ae_title, ?refusal, "association refused");
        wire.reject(refusal).await?;
        return Ok(0);
    }
    wire.limit_to(max_length(&request.user_variables));
    let (answer, accepted) = answer_to(&request);
    wire.send_pdu(&Pdu::AssociationAC(answer)).await?;
    let caller = request.calling_ae_title;
    tracing::info!(caller, contexts = accepted.len(), "association accepted");
    serve_one(wire, &accepted, &caller, sink, stopped).await
}

fn refusal(request: &AssociationRQ, config: &ServeConfig, busy: bool) -> Option<Refusal> {
    if busy {
        return Some([2, 3, 2]);
    }
    if request.protocol_version & 1 == 0 {
        return Some([1, 2, 2]);
    }
    if request.application_context_name.trim_end_matches('\0') != APPLICATION_CONTEXT {
        return Some([1, 1, 2]);
    }
    if config.check_called_aet && request.called_ae_title != config.aet {
        return Some([1, 1, 7]);
    }
    let unknown = !config.allowed_callers.is_empty() && !config.allowed_callers.contains(&request.calling_ae_title);
    unknown.then_some([1, 1, 3])
}

/// What we answer to each proposed context, and those that are agreed.
fn answer_to(request: &AssociationRQ) -> (AssociationAC, Vec<Accepted>) {
    let mut accepted = Vec::new();
    let mut results = Vec::new();
    for context in &request.presentation_contexts {
        let sop_class = context.abstract_syntax.trim_matches(['\0', ' ']).to_owned();
        let known = sop_class == VERIFICATION || is_storage_class(&sop_class);
        let chosen = choose(&context.transfer_syntaxes, sop_class == VERIFICATION);
        let (reason, transfer_syntax) = match (known, chosen) {
            (false, _) => (PresentationContextResultReason::AbstractSyntaxNotSupported, None),
            (true, None) => (PresentationContextResultReason::TransferSyntaxesNotSupported, None),
            (true, Some(ts)) => (PresentationContextResultReason::Acceptance, Some(ts)),
        };
        if let Some(ts) = &transfer_syntax {
            accepted.push(Accepted { id: context.id, sop_class, transfer_syntax: ts.clone() });
        }
        let transfer_syntax = transfer_syntax.unwrap_or_else(|| "1.2.840.10008.1.2".into());
        results.push(PresentationContextResult { id: context.id, reason, transfer_syntax });
    }
    let answer = AssociationAC {
        protocol_version: 1,
        calling_ae_title: request.calling_ae_title.clone(),
        called_ae_title: request.called_ae_title.clone(),
        application_context_name: APPLICATION_CONTEXT.into(),
        presentation_contexts: results,
        user_variables: vec![
            UserVariableItem::MaxLength(OUR_MAX_PDU),
            UserVariableItem::ImplementationClassUID(IMPLEMENTATION_CLASS_UID.into()),
            UserVariableItem::ImplementationVersionName(IMPLEMENTATION_VERSION_NAME.into()),
        ],
    };
    (answer, accepted)
}

/// The caller's first transfer syntax that is not retired, else its first that we can keep.
fn choose(proposed: &[String], native_only: bool) -> Option<String> {
    let trimmed = || proposed.iter().map(|t| t.trim_matches(['\0', ' ']));
    let (preferred, kept) = TRANSFER_SYNTAXES.split_at(N_PREFERRED);
    let found = if native_only {
        trimmed().find(|t| is_native(t))
    } else {
        trimmed().find(|t| preferred.contains(t)).or_else(|| trimmed().find(|t| kept.contains(t)))
    };
    found.map(str::to_owned)
}

async fn serve_one(
    mut wire: Wire,
    accepted: &[Accepted],
    caller: &str,
    sink: &dyn Sink,
    mut stopped: watch::Receiver<bool>,
) -> Result<u32, PeerError> {
    let patience = wire.patience();
    let mut kept = 0;
    loop {
        // The signal is heeded between messages only: an instance in hand is finished and answered.
        let next = tokio::select! {
            biased;
            // A sender that is gone means the same: nobody keeps the server any more.
            _ = async { stopped.wait_for(|stop| *stop).await.is_ok() } => {
                wire.abort(0, 0).await;
                return Ok(kept);
            }
            readable = wire.readable(patience) => match readable {
                Ok(true) => wire.message("the next message").await,
                Ok(false) => {
                    wire.abort(0, 0).await;
                    return Err(PeerError::Timeout { step: "the next message" });
                }
                Err(error) => Err(error),
            },
        };
        let message = match next {
            Ok(Some(message)) => message,
            Ok(None) => return Ok(kept),
            Err(error @ PeerError::Protocol { .. }) => {
                wire.abort(2, 2).await;
                return Err(error);
            }
            Err(error) => return Err(error),
        };
        let (context, request) = (message.context, message.command.clone());
        let Some(agreed) = accepted.iter().find(|c| c.id == context) else {
            wire.abort(2, 5).await;
            return Err(PeerError::Protocol { what: "a message in a context that was not agreed" });
        };
        let response = match request.kind() {
            field::ECHO_RQ => Command::response(&request, 0),
            field::STORE_RQ => {
                let status = take(message, agreed, caller, sink).await;
                kept += u32::from(status.is_kept());
                Command::response(&request, status.code()).comment(status.comment())
            }
            // The requester may cancel what is not there; PS3.7 §9.3.2.3 wants no answer.
            field::CANCEL_RQ => continue,
            // Unrecognized operation (PS3.7 §C.5.25).
            _ => Command::response(&request, 0x0211),
        };
        wire.send(context, &response, None).await?;
    }
}

async fn take(message: Message, agreed: &Accepted, caller: &str, sink: &dyn Sink) -> StoreStatus {
    match received(message, agreed, caller) {
        Some(Ok(received)) => sink.store(received).await,
        Some(Err(status)) => status,
        None => StoreStatus::Unreadable,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_syntax_that_is_not_retired_is_chosen() {
        let choose = |list: &[&str]| choose(&list.iter().map(|&t| t.to_owned()).collect::<Vec<_>>(), false);
        assert_eq!(
            choose(&["1.2.840.10008.1.2.2", "1.2.840.10008.1.2.4.80\0", "1.2.840.10008.1.2"]).as_deref(),
            Some("1.2.840.10008.1.2.4.80")
        );
        assert_eq!(choose(&["1.2.840.10008.1.2.4.90", "1.2.840.10008.1.2"]).as_deref(), Some("1.2.840.10008.1.2.4.90"));
        assert_eq!(choose(&["1.2.840.10008.1.2.2"]).as_deref(), Some("1.2.840.10008.1.2.2"));
        assert_eq!(choose(&["1.2.840.10008.1.2.4.100"]), None);
    }
}

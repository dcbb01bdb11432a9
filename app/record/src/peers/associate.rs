//! Asking a peer for an association, and what was agreed.
//!
//! Source: PS3.8 §7.1 and annex B (contexts), PS3.7 §D.3.3.4 (role selection).

use super::{
    Peer, PeerError, Rejection,
    classes::{APPLICATION_CONTEXT, IMPLEMENTATION_CLASS_UID, IMPLEMENTATION_VERSION_NAME},
    command::Command,
    wire::{Control, Message, OUR_MAX_PDU, Wire},
};
use dicom_ul::pdu::{
    AssociationAC, AssociationRQ, Pdu, PresentationContextProposed, PresentationContextResultReason, RequestorRoles, UserVariableItem,
    read_pdu,
};
use tokio::{net::TcpStream, time::timeout};

/// Presentation contexts have odd ids of one byte.
pub(super) const MAX_CONTEXTS: usize = 128;

/// A context that we propose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Proposed {
    pub(super) sop_class: String,
    pub(super) transfer_syntaxes: Vec<String>,
    /// We want to be the provider of this class: instances come to us (C-GET).
    pub(super) as_provider: bool,
}

impl Proposed {
    pub(super) fn new(sop_class: &str, transfer_syntaxes: &[&str]) -> Self {
        Self { sop_class: sop_class.into(), transfer_syntaxes: transfer_syntaxes.iter().map(|&t| t.into()).collect(), as_provider: false }
    }

    pub(super) fn provided_by_us(mut self) -> Self {
        self.as_provider = true;
        self
    }
}

/// A context that the peer accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Accepted {
    pub(super) id: u8,
    pub(super) sop_class: String,
    pub(super) transfer_syntax: String,
}

/// An association that we asked for.
#[derive(Debug)]
pub(super) struct Association {
    pub(super) wire: Wire,
    pub(super) accepted: Vec<Accepted>,
    message_id: u16,
}

/// An AE title as DICOM allows it, without its padding.
pub(super) fn aet(title: &str) -> Result<String, PeerError> {
    let title = title.trim();
    let allowed = |c: char| c.is_ascii_graphic() && c != '\\' || c == ' ';
    if title.is_empty() || title.len() > 16 || !title.chars().all(allowed) {
        return Err(PeerError::BadAet { aet: title.into() });
    }
    Ok(title.into())
}

impl Association {
    /// Connects and negotiates.
    ///
    /// # Errors
    /// See [`PeerError`]; an association in which no context at all was accepted is given back all the same.
    pub(super) async fn request(peer: &Peer, proposed: &[Proposed], max_data: usize) -> Result<Self, PeerError> {
        let (called, calling) = (aet(&peer.called_aet)?, aet(&peer.calling_aet)?);
        let address = || format!("{}:{}", peer.host, peer.port);
        let stream = match timeout(peer.timeout, TcpStream::connect((peer.host.as_str(), peer.port))).await {
            Ok(Ok(stream)) => stream,
            Ok(Err(source)) => return Err(PeerError::Unreachable { address: address(), source }),
            Err(_elapsed) => return Err(PeerError::Unreachable { address: address(), source: std::io::ErrorKind::TimedOut.into() }),
        };
        let mut wire = Wire::new(stream, peer.timeout, max_data)?;
        wire.send_pdu(&Pdu::AssociationRQ(request_of(called, calling, proposed))).await?;
        let answer = match wire.control("negotiating").await? {
            Control::Negotiation(2, bytes) => match read_pdu(bytes.as_slice(), OUR_MAX_PDU, false) {
                Ok(Some(Pdu::AssociationAC(answer))) => answer,
                _ => return Err(PeerError::Protocol { what: "an unreadable answer to the association request" }),
            },
            Control::Negotiation(3, bytes) => {
                let at = |i: usize| bytes.get(i).copied().unwrap_or(0);
                return Err(PeerError::Rejected(Rejection::from_bytes(at(7), at(8), at(9))));
            }
            _ => return Err(PeerError::Protocol { what: "no answer to the association request" }),
        };
        wire.limit_to(max_length(&answer.user_variables));
        let accepted = accepted_of(&answer, proposed);
        Ok(Self { wire, accepted, message_id: 0 })
    }

    /// The first accepted context of a class, or the named error that the peer does not offer it; the
    /// association is then released.
    pub(super) async fn offering(self, sop_class: &str, service: &'static str) -> Result<(Self, Accepted), PeerError> {
        match self.accepted.iter().find(|c| c.sop_class == sop_class).cloned() {
            Some(context) => Ok((self, context)),
            None => {
                self.wire.release().await;
                Err(PeerError::NotOffered { service })
            }
        }
    }

    /// A fresh message id.
    pub(super) fn next_id(&mut self) -> u16 {
        self.message_id = self.message_id.wrapping_add(1).max(1);
        self.message_id
    }

    /// The next message; a peer that releases in the middle has left us.
    pub(super) async fn message(&mut self, step: &'static str) -> Result<Message, PeerError> {
        self.wire.message(step).await?.ok_or(PeerError::Cut { step, source: None })
    }

    /// Sends a request and waits for the one response of it.
    pub(super) async fn ask(
        &mut self,
        context: u8,
        command: &Command,
        data: Option<&[u8]>,
        step: &'static str,
    ) -> Result<Command, PeerError> {
        self.wire.send(context, command, data).await?;
        let answer = self.message(step).await?.command;
        if answer.kind() == command.kind() | 0x8000 { Ok(answer) } else { Err(PeerError::Protocol { what: "an answer to something else" }) }
    }

    /// Ends in order after success, and by an abort after an error that left the connection usable.
    pub(super) async fn end<T>(self, result: Result<T, PeerError>) -> Result<T, PeerError> {
        match &result {
            Ok(_) | Err(PeerError::Failed { .. } | PeerError::NotOffered { .. }) => self.wire.release().await,
            Err(PeerError::Cut { .. } | PeerError::Aborted { .. }) => {}
            Err(PeerError::Protocol { .. }) => self.wire.abort(2, 2).await,
            Err(_) => self.wire.abort(0, 0).await,
        }
        result
    }
}

fn request_of(called_ae_title: String, calling_ae_title: String, proposed: &[Proposed]) -> AssociationRQ {
    let mut user_variables = vec![
        UserVariableItem::MaxLength(OUR_MAX_PDU),
        UserVariableItem::ImplementationClassUID(IMPLEMENTATION_CLASS_UID.into()),
        UserVariableItem::ImplementationVersionName(IMPLEMENTATION_VERSION_NAME.into()),
    ];
    let mut provided: Vec<&str> = proposed.iter().filter(|p| p.as_provider).map(|p| p.sop_class.as_str()).collect();
    provided.sort_unstable();
    provided.dedup();
    user_variables.extend(
        provided.into_iter().map(|uid| UserVariableItem::ScuScpRoleSelectionSubItem(uid.into(), RequestorRoles { scu: false, scp: true })),
    );
    AssociationRQ {
        protocol_version: 1,
        calling_ae_title,
        called_ae_title,
        application_context_name: APPLICATION_CONTEXT.into(),
        presentation_contexts: proposed
            .iter()
            .take(MAX_CONTEXTS)
            .enumerate()
            .filter_map(|(i, p)| {
                let id = u8::try_from(2 * i + 1).ok()?;
                Some(PresentationContextProposed {
                    id,
                    abstract_syntax: p.sop_class.clone(),
                    transfer_syntaxes: p.transfer_syntaxes.clone(),
                })
            })
            .collect(),
        user_variables,
    }
}

/// The peer's limit for one PDU.
pub(super) fn max_length(items: &[UserVariableItem]) -> Option<u32> {
    items.iter().find_map(|i| if let UserVariableItem::MaxLength(n) = i { Some(*n) } else { None })
}

fn accepted_of(answer: &AssociationAC, proposed: &[Proposed]) -> Vec<Accepted> {
    let granted = |uid: &str| {
        answer.user_variables.iter().any(
            |item| matches!(item, UserVariableItem::ScuScpRoleSelectionSubItem(u, roles) if u.trim_end_matches('\0') == uid && roles.scp),
        )
    };
    let mut accepted = Vec::new();
    for result in answer.presentation_contexts.iter().filter(|c| c.reason == PresentationContextResultReason::Acceptance) {
        let Some(p) = usize::from(result.id).checked_sub(1).and_then(|i| proposed.get(i / 2)) else { continue };
        let transfer_syntax = result.transfer_syntax.trim_end_matches(['\0', ' ']).to_owned();
        // A syntax that we did not propose cannot be agreed upon; a class that we may not provide is of no use.
        if p.transfer_syntaxes.contains(&transfer_syntax) && (!p.as_provider || granted(&p.sop_class)) {
            accepted.push(Accepted { id: result.id, sop_class: p.sop_class.clone(), transfer_syntax });
        }
    }
    accepted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn titles_are_checked_before_they_are_sent() {
        assert_eq!(aet(" PACS 1 ").unwrap(), "PACS 1");
        for bad in ["", "  ", "SEVENTEENLETTERS1", "A\\B", "医院"] {
            assert!(matches!(aet(bad), Err(PeerError::BadAet { .. })), "{bad}");
        }
    }

    #[test]
    fn ids_are_odd_and_fit_a_byte() {
        let many = vec![Proposed::new("1.2", &["1.2.840.10008.1.2"]); MAX_CONTEXTS];
        let rq = request_of("A".into(), "B".into(), &many);
        assert_eq!((rq.presentation_contexts.len(), rq.presentation_contexts.last().unwrap().id), (128, 255));
    }
}

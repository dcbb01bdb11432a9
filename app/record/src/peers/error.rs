//! What goes wrong between us and a peer, by what was tried and what the person can do about it.

use mj_model::Coded;

/// Why a peer said no to an association, as far as it changes what to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rejection {
    /// It does not know our AE title (PS3.8 §9.3.4: source 1, reason 3).
    CallingAetUnknown,
    /// It has another AE title (source 1, reason 7).
    CalledAetUnknown,
    /// Too many associations, try later (source 3, or result 2).
    Busy,
    /// No reason, or another one: result, source and reason as sent.
    Other(u8, u8, u8),
}

impl Rejection {
    pub(super) const fn from_bytes(result: u8, source: u8, reason: u8) -> Self {
        match (result, source, reason) {
            (_, 1, 3) => Self::CallingAetUnknown,
            (_, 1, 7) => Self::CalledAetUnknown,
            (2, ..) | (_, 3, 1 | 2) => Self::Busy,
            _ => Self::Other(result, source, reason),
        }
    }
}

/// A failure of the exchange with a peer as a whole; the fate of single instances is
/// [`StoreOutcome`](super::StoreOutcome). `Display` is for the log: no UID, no path, no host, no patient.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PeerError {
    /// The host has no address, or nothing listens there.
    #[error("no connection to the peer")]
    Unreachable {
        /// Host and port, for the screen.
        address: String,
        /// Cause.
        #[source]
        source: std::io::Error,
    },
    /// A step took longer than the peer's patience.
    #[error("the peer did not answer in time ({step})")]
    Timeout {
        /// What we waited for.
        step: &'static str,
    },
    /// The peer refused the association.
    #[error("the peer refused the association: {0:?}")]
    Rejected(Rejection),
    /// The peer (or a layer in between) sent an abort.
    #[error("the peer aborted the association (source {source_code}, reason {reason})")]
    Aborted {
        /// 0 the peer's application, 2 its upper layer.
        source_code: u8,
        /// Reason, meaningful when the source is 2.
        reason: u8,
    },
    /// The connection ended in the middle of an exchange.
    #[error("the connection was cut ({step})")]
    Cut {
        /// What was under way.
        step: &'static str,
        /// Cause, where the system named one.
        #[source]
        source: Option<std::io::Error>,
    },
    /// The peer does not offer the service.
    #[error("the peer does not offer {service}")]
    NotOffered {
        /// The service, for example `C-GET`.
        service: &'static str,
    },
    /// The peer ended the operation with a failure status.
    #[error("the peer ended {service} with status {status:04X}")]
    Failed {
        /// The service, for example `C-FIND`.
        service: &'static str,
        /// Status (0000,0900).
        status: u16,
        /// Error Comment (0000,0902), for the screen.
        comment: String,
    },
    /// Bytes that are no DICOM upper layer protocol, or a message out of order.
    #[error("the peer broke the protocol: {what}")]
    Protocol {
        /// What was wrong.
        what: &'static str,
    },
    /// An AE title that is empty, too long or has characters that DICOM does not allow.
    #[error("not an AE title")]
    BadAet {
        /// The title as given, for the screen.
        aet: String,
    },
    /// A search text that cannot be sent.
    #[error("a search key cannot be sent")]
    BadKey,
    /// The local port could not be opened.
    #[error("cannot listen for associations")]
    Listen {
        /// Address and port, for the screen.
        address: String,
        /// Cause.
        #[source]
        source: std::io::Error,
    },
    /// The user stopped it.
    #[error("cancelled")]
    Cancelled,
}

impl PeerError {
    /// Every code of this type, for the check that each has its texts.
    pub const CODES: &'static [&'static str] = &[
        "peer.unreachable",
        "peer.timeout",
        "peer.rejected",
        "peer.calling_aet_unknown",
        "peer.called_aet_unknown",
        "peer.busy",
        "peer.aborted",
        "peer.cut",
        "peer.not_offered",
        "peer.failed",
        "peer.protocol",
        "peer.bad_aet",
        "peer.bad_key",
        "peer.listen",
        "peer.cancelled",
    ];

    /// Whether the same thing, tried again later, may well work: the outbox keeps trying these and parks the
    /// others until a person has looked.
    #[must_use]
    pub const fn is_retryable(&self) -> bool {
        match self {
            Self::Unreachable { .. } | Self::Timeout { .. } | Self::Aborted { .. } | Self::Cut { .. } | Self::Rejected(Rejection::Busy) => {
                true
            }
            // Out of resources (PS3.4 §B.2.3, §C.4).
            Self::Failed { status, .. } => *status >> 8 == 0xA7,
            Self::Rejected(_)
            | Self::NotOffered { .. }
            | Self::Protocol { .. }
            | Self::BadAet { .. }
            | Self::BadKey
            | Self::Listen { .. }
            | Self::Cancelled => false,
        }
    }

    /// The end of a connection as an error, from what the system said.
    pub(super) fn cut(step: &'static str, source: std::io::Error) -> Self {
        if source.kind() == std::io::ErrorKind::UnexpectedEof {
            Self::Cut { step, source: None }
        } else {
            Self::Cut { step, source: Some(source) }
        }
    }
}

impl Coded for PeerError {
    fn code(&self) -> &'static str {
        match self {
            Self::Unreachable { .. } => "peer.unreachable",
            Self::Timeout { .. } => "peer.timeout",
            Self::Rejected(Rejection::CallingAetUnknown) => "peer.calling_aet_unknown",
            Self::Rejected(Rejection::CalledAetUnknown) => "peer.called_aet_unknown",
            Self::Rejected(Rejection::Busy) => "peer.busy",
            Self::Rejected(Rejection::Other(..)) => "peer.rejected",
            Self::Aborted { .. } => "peer.aborted",
            Self::Cut { .. } => "peer.cut",
            Self::NotOffered { .. } => "peer.not_offered",
            Self::Failed { .. } => "peer.failed",
            Self::Protocol { .. } => "peer.protocol",
            Self::BadAet { .. } => "peer.bad_aet",
            Self::BadKey => "peer.bad_key",
            Self::Listen { .. } => "peer.listen",
            Self::Cancelled => "peer.cancelled",
        }
    }

    fn args(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::Unreachable { address, source } | Self::Listen { address, source } => {
                vec![("address", address.clone()), ("cause", source.to_string())]
            }
            Self::Rejected(Rejection::Other(result, source, reason)) => vec![("reason", format!("{result}/{source}/{reason}"))],
            Self::Aborted { source_code, reason } => vec![("reason", format!("{source_code}/{reason}"))],
            Self::NotOffered { service } => vec![("service", (*service).into())],
            Self::Failed { service, status, comment } => {
                vec![("service", (*service).into()), ("status", format!("{status:04X}")), ("comment", comment.clone())]
            }
            Self::Protocol { what } => vec![("what", (*what).into())],
            Self::BadAet { aet } => vec![("aet", aet.clone())],
            Self::Rejected(_) | Self::Timeout { .. } | Self::Cut { .. } | Self::BadKey | Self::Cancelled => Vec::new(),
        }
    }
}

//! C-ECHO: is the peer there, and does it know us? (PS3.7 §9.1.5)

use super::{
    Peer, PeerError,
    associate::{Association, Proposed},
    classes::{NATIVE, VERIFICATION},
    command::{Command, element, field},
    status::StatusClass,
};
use std::time::{Duration, Instant};

/// Verifies a peer; gives the time from the first packet to the answer.
///
/// # Errors
/// Every way in which a peer cannot be reached or says no, see [`PeerError`].
pub async fn echo(peer: &Peer) -> Result<Duration, PeerError> {
    let start = Instant::now();
    let association = Association::request(peer, &[Proposed::new(VERIFICATION, &NATIVE)], 1 << 16).await?;
    let (mut association, context) = association.offering(VERIFICATION, "C-ECHO").await?;
    let id = association.next_id();
    let command = Command::new(field::ECHO_RQ).uid(element::AFFECTED_SOP_CLASS, VERIFICATION).number(element::MESSAGE_ID, id);
    let result = association.ask(context.id, &command, None, "C-ECHO").await.and_then(|answer| match StatusClass::of(answer.status()) {
        StatusClass::Success | StatusClass::Warning => Ok(start.elapsed()),
        _ => Err(PeerError::Failed { service: "C-ECHO", status: answer.status(), comment: answer.text(element::ERROR_COMMENT) }),
    });
    association.end(result).await
}

//! What became of a proposal, read from its revisions.

use mj_model::{Code, Finding, FindingState, Held, Measurement, Moment};

/// What became of a proposal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// No person has decided, or the decision was taken back.
    Waiting,
    /// It does not fit its images, so nobody is asked: no decision, even where a person has put it away.
    Held(Held),
    /// A person accepted it as it was.
    Accepted,
    /// A person stands for it after changing its kind, site, side or shape, or one of its numbers.
    Edited,
    /// A person rejected it, with the reason when one was given. What was deleted was rejected.
    Rejected(Option<Code>),
}

impl Verdict {
    /// True when a person decided.
    #[must_use]
    pub const fn is_decision(&self) -> bool {
        matches!(self, Self::Accepted | Self::Edited | Self::Rejected(_))
    }
}

/// What became of a proposal, and when.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Decided {
    pub(super) verdict: Verdict,
    pub(super) proposed_at: Moment,
    pub(super) decided_at: Option<Moment>,
}

/// What became of a proposal; `revisions` are all of its, oldest first. The last decision counts, whoever made it; it was
/// made at the revision since which it has been the same. `None` without revisions.
///
/// Which revisions are people's follows from their state: what a device proposes is [`FindingState::Proposed`], and an undo
/// by a person goes back to that.
pub(super) fn decided(revisions: &[Finding]) -> Option<Decided> {
    // What was held and fits since its images came can only then be decided on, and only then has its place in space.
    let proposal = revisions.iter().find(|revision| revision.held.is_none()).or_else(|| revisions.first())?;
    let verdict = verdict(proposal, revisions.last()?);
    let unbroken = revisions.iter().rev().take_while(|revision| self::verdict(proposal, revision) == verdict);
    let decided_at = unbroken.last().map(|revision| revision.at).filter(|_| verdict.is_decision());
    Some(Decided { verdict, proposed_at: proposal.at, decided_at })
}

fn verdict(proposal: &Finding, revision: &Finding) -> Verdict {
    if let Some(held) = revision.held {
        return Verdict::Held(held);
    }
    match revision.state {
        FindingState::Proposed => Verdict::Waiting,
        FindingState::Accepted | FindingState::Edited if is_changed(proposal, revision) => Verdict::Edited,
        FindingState::Accepted | FindingState::Edited => Verdict::Accepted,
        FindingState::Rejected | FindingState::Deleted => Verdict::Rejected(revision.reason.clone()),
    }
}

/// True when something that the model said was corrected. Numbers that a person added correct nothing, nor do words.
fn is_changed(proposal: &Finding, revision: &Finding) -> bool {
    let same = |a: Option<&Code>, b: Option<&Code>| match (a, b) {
        (Some(a), Some(b)) => a.is_same(b),
        (None, None) => true,
        _ => false,
    };
    let is_kept = |told: &Measurement| {
        revision.measurements.iter().any(|now| now.quantity == told.quantity && same(now.derivation.as_ref(), told.derivation.as_ref()))
    };
    !proposal.kind.is_same(&revision.kind)
        || !same(proposal.site.as_ref(), revision.site.as_ref())
        || proposal.side != revision.side
        || proposal.geometry != revision.geometry
        || !proposal.measurements.iter().all(is_kept)
}

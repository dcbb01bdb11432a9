//! A report as programs read it: the shape of `report show` on the command line.

use crate::document::{Block, ClaimState, Document, SlotState};
use crate::life::{Report, Signature, State};
use mj_model::person::Role;
use mj_model::{Lang, Moment};
use serde::{Deserialize, Serialize};

/// A report told to a program.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shown {
    /// Id of the report.
    pub id: String,
    /// Number of edits so far.
    pub revision: u64,
    /// State.
    pub state: State,
    /// Template it began from.
    pub template: String,
    /// Study it is about.
    pub study: String,
    /// Language.
    pub lang: Lang,
    /// Fields in order.
    pub fields: Vec<Field>,
    /// Signatures, oldest first.
    pub signatures: Vec<ShownSignature>,
}

/// A field told to a program.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Field {
    /// Id.
    pub id: String,
    /// Title in the report's language.
    pub title: String,
    /// Text as people read it.
    pub text: String,
    /// Numbers and claims in it, in the order of the text.
    pub claims: Vec<ShownClaim>,
}

/// A number or a claim told to a program.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShownClaim {
    /// Where in `text`. Units: characters.
    pub span: [usize; 2],
    /// Id of the finding it rests on.
    pub finding: Option<String>,
    /// Id of the measurement it rests on.
    pub measurement: Option<String>,
    /// What is known of it.
    pub state: ClaimState,
}

/// A signature told to a program.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShownSignature {
    /// Id of the person.
    pub person: String,
    /// Name under the report.
    pub name: String,
    /// What the person signed as.
    pub role: Role,
    /// When.
    pub at: Moment,
    /// Hash of the content.
    pub sha256: String,
}

impl Field {
    /// A field from a block.
    #[must_use]
    pub fn of(block: &Block, lang: Lang) -> Self {
        let slots = block.slots.iter().map(|slot| ShownClaim {
            span: block.plain_span(slot.at, slot.at + 1),
            finding: Some(slot.finding.clone()),
            measurement: Some(slot.measurement.clone()),
            state: match slot.state {
                SlotState::Verified => ClaimState::Verified,
                SlotState::Stale => ClaimState::Stale,
                SlotState::Gone => ClaimState::Contradicted,
            },
        });
        let marks = block.marks.iter().map(|mark| ShownClaim {
            span: block.plain_span(mark.start, mark.end),
            finding: mark.claim.finding.clone(),
            measurement: mark.claim.measurement.clone(),
            state: mark.claim.state,
        });
        let mut claims: Vec<ShownClaim> = slots.chain(marks).collect();
        claims.sort_by_key(|claim| claim.span);
        Self { id: block.id.clone(), title: block.title(lang).into(), text: block.plain(), claims }
    }
}

impl Shown {
    /// A report from its document, state and signatures.
    #[must_use]
    pub fn of(document: &Document, state: State, signatures: &[Signature]) -> Self {
        let shown = |s: &Signature| ShownSignature {
            person: s.person.clone(),
            name: s.name.clone(),
            role: s.role,
            at: s.at,
            sha256: s.sha256.clone(),
        };
        Self {
            id: document.id.clone(),
            revision: document.revision,
            state,
            template: document.template.clone(),
            study: document.study.as_str().into(),
            lang: document.lang,
            fields: document.blocks.iter().map(|block| Field::of(block, document.lang)).collect(),
            signatures: signatures.iter().map(shown).collect(),
        }
    }
}

impl From<&Report> for Shown {
    fn from(report: &Report) -> Self {
        Self::of(&report.content().document, report.state(), report.signatures())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::binding::insert_number;
    use crate::testing::{document, finding};

    #[test]
    fn the_written_form_is_fixed() {
        let mut doc = document("右肺结节约。");
        doc.blocks.pop();
        doc.apply(&[insert_number("findings", 5, &finding("f1", 12.3), "m1").unwrap()]).unwrap();
        let json = serde_json::to_string(&Shown::of(&doc, State::Draft, &[])).unwrap();
        assert_eq!(
            json,
            "{\"id\":\"r1\",\"revision\":1,\"state\":\"draft\",\"template\":\"chest_ct\",\"study\":\"1.2.3\",\"lang\":\"zh\",\"fields\":[{\"id\":\"findings\",\"title\":\"检查所见\",\
             \"text\":\"右肺结节约12.3\u{2009}mm。\",\"claims\":[{\"span\":[5,12],\"finding\":\"f1\",\"measurement\":\"m1\",\"state\":\"verified\"}]}],\"signatures\":[]}"
        );
    }
}

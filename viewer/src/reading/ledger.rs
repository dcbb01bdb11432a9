//! The findings of the open study as this window knows them.
//!
//! The record owns findings; this ledger keeps, per finding, the revision the record acknowledged, the change
//! on its way, and the change that waits behind it. One change per finding is on its way at a time, because
//! each names the revision it is based on. Undo and redo append changes like any other.

use mj_model::finding::Origin;
use mj_model::{Finding, FindingState, Measurement, Told, clock};
use std::collections::BTreeMap;

/// One finding.
#[derive(Debug, Clone, Default)]
struct Entry {
    stored: Option<Finding>,
    in_flight: Option<Finding>,
    wanted: Option<Finding>,
}

/// A change, for undo.
#[derive(Debug, Clone)]
struct Step {
    before: Option<Finding>,
    after: Finding,
}

/// The ledger.
#[derive(Debug, Default)]
pub struct Ledger {
    entries: BTreeMap<String, Entry>,
    /// Ids in the order they became known, which gives the numbers people see.
    order: Vec<String>,
    undo: Vec<Step>,
    redo: Vec<Step>,
    person: String,
}

/// A finding as it is drawn.
#[derive(Debug, Clone, Copy)]
pub struct Shown<'a> {
    /// Number from 1, stable while the study is open.
    pub number: usize,
    /// Its newest state here.
    pub finding: &'a Finding,
    /// True until the record acknowledged this state.
    pub is_pending: bool,
}

impl Ledger {
    /// A ledger with the revisions the record has, written by a person.
    #[must_use]
    pub fn new(findings: Vec<Finding>, person: String) -> Self {
        let mut ledger = Self { person, ..Self::default() };
        for finding in findings {
            ledger.stored(finding);
        }
        ledger
    }

    /// All live findings in order.
    pub fn shown(&self) -> impl Iterator<Item = Shown<'_>> {
        let entries = self.order.iter().enumerate().filter_map(|(at, id)| Some((at, self.entries.get(id)?)));
        entries.filter_map(|(at, entry)| {
            let finding = entry.present()?;
            finding.is_live().then_some(Shown { number: at + 1, finding, is_pending: entry.in_flight.is_some() || entry.wanted.is_some() })
        })
    }

    /// Findings that are kept aside, neither drawn nor counted, in order.
    pub fn held(&self) -> impl Iterator<Item = &Finding> {
        let entries = self.order.iter().filter_map(|id| self.entries.get(id)?.present());
        entries.filter(|f| f.held.is_some() && !matches!(f.state, FindingState::Rejected | FindingState::Deleted))
    }

    /// The newest state of a finding, deleted ones included.
    #[must_use]
    pub fn get(&self, id: &str) -> Option<&Finding> {
        self.entries.get(id)?.present()
    }

    /// True when a change can be taken back.
    #[must_use]
    pub fn can_undo(&self) -> bool {
        !self.undo.is_empty()
    }

    /// True when a change taken back can be made again.
    #[must_use]
    pub fn can_redo(&self) -> bool {
        !self.redo.is_empty()
    }

    /// True while the record has not acknowledged everything.
    #[must_use]
    pub fn is_waiting(&self) -> bool {
        self.entries.values().any(|e| e.in_flight.is_some() || e.wanted.is_some())
    }

    /// Commits a new state of a finding. Gives the message to send now, if one may go.
    pub fn commit(&mut self, finding: Finding) -> Option<Finding> {
        let before = self.get(&finding.id).cloned();
        self.undo.push(Step { before, after: finding.clone() });
        self.redo.clear();
        self.want(finding)
    }

    /// Deletes a finding.
    pub fn delete(&mut self, id: &str) -> Option<Finding> {
        let gone = Finding { state: FindingState::Deleted, ..self.get(id)?.clone() };
        self.commit(gone)
    }

    /// Takes the last change back by appending the state before it. Gives id and message.
    pub fn undo(&mut self) -> Option<(String, Option<Finding>)> {
        let step = self.undo.pop()?;
        let back = step.before.clone().unwrap_or_else(|| Finding { state: FindingState::Deleted, ..step.after.clone() });
        self.redo.push(step);
        let id = back.id.clone();
        Some((id, self.want(back)))
    }

    /// Makes a change again that was taken back.
    pub fn redo(&mut self) -> Option<(String, Option<Finding>)> {
        let step = self.redo.pop()?;
        let again = step.after.clone();
        self.undo.push(step);
        let id = again.id.clone();
        Some((id, self.want(again)))
    }

    /// The record stored a revision: ours, or a change made elsewhere. Gives the next message of this finding.
    pub fn stored(&mut self, finding: Finding) -> Option<Finding> {
        let id = finding.id.clone();
        if !self.order.contains(&id) {
            self.order.push(id.clone());
        }
        let entry = self.entries.entry(id.clone()).or_default();
        // The next revision after the one a change is based on is that change. Where another writer was faster,
        // the change is refused.
        if entry.in_flight.as_ref().is_some_and(|ours| finding.revision == ours.revision + 1) {
            entry.in_flight = None;
        }
        if entry.stored.as_ref().is_none_or(|known| known.revision <= finding.revision) {
            entry.stored = Some(finding);
        }
        self.pump(&id)
    }

    /// The record refused a change: back to the revision it has. Gives true when the finding was known.
    pub fn refused(&mut self, id: &str, _why: &Told) -> bool {
        let Some(entry) = self.entries.get_mut(id) else { return false };
        entry.in_flight = None;
        entry.wanted = None;
        if entry.stored.is_none() {
            self.entries.remove(id);
        }
        // What the record does not have cannot be undone.
        self.undo.retain(|step| step.after.id != id);
        self.redo.retain(|step| step.after.id != id);
        true
    }

    fn want(&mut self, finding: Finding) -> Option<Finding> {
        let id = finding.id.clone();
        if !self.order.contains(&id) {
            self.order.push(id.clone());
        }
        self.entries.entry(id.clone()).or_default().wanted = Some(finding);
        self.pump(&id)
    }

    /// Sends the waiting change of a finding when nothing of it is on its way.
    fn pump(&mut self, id: &str) -> Option<Finding> {
        let person = self.person.clone();
        let entry = self.entries.get_mut(id)?;
        if entry.in_flight.is_some() {
            return None;
        }
        let mut finding = entry.wanted.take()?;
        finding.revision = entry.stored.as_ref().map_or(0, |f| f.revision);
        finding.at = clock::now();
        finding.origin = Origin::person(&person);
        for measurement in &mut finding.measurements {
            measurement.revision = next_revision(measurement, entry.stored.as_ref());
        }
        entry.in_flight = Some(finding.clone());
        Some(finding)
    }
}

/// A measurement's revision counts changes of its value.
fn next_revision(new: &Measurement, stored: Option<&Finding>) -> u32 {
    match stored.and_then(|f| f.measurement(&new.id)) {
        None => 1,
        Some(old) if old.quantity == new.quantity => old.revision,
        Some(old) => old.revision + 1,
    }
}

impl Entry {
    fn present(&self) -> Option<&Finding> {
        self.wanted.as_ref().or(self.in_flight.as_ref()).or(self.stored.as_ref())
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use mj_model::{Geometry, PointLps, SeriesUid, StudyUid};

    /// A line of a length along x.
    pub(crate) fn line(id: &str, mm: f64) -> Finding {
        let geometry = Geometry::line(PointLps::default(), PointLps::new(mm, 0.0, 0.0));
        let quantity = geometry.sizes().remove(0);
        let (study, series) = (StudyUid::parse("1.2").unwrap(), SeriesUid::parse("1.3").unwrap());
        let measurements = vec![Measurement::new(format!("{id}-m"), quantity)];
        Finding { measurements, ..Finding::new(id.into(), study, series, geometry, "") }
    }

    /// What the record does with a message.
    fn ack(sent: &Finding) -> Finding {
        Finding { revision: sent.revision + 1, ..sent.clone() }
    }

    #[test]
    fn one_change_is_on_its_way_and_the_last_wins() {
        let mut ledger = Ledger::new(Vec::new(), "p1".into());
        let first = ledger.commit(line("a", 10.0)).unwrap();
        assert_eq!((first.revision, first.measurements[0].revision, first.origin.name.as_str()), (0, 1, "p1"));
        assert!(ledger.commit(line("a", 11.0)).is_none());
        assert!(ledger.commit(line("a", 12.0)).is_none());
        assert!(ledger.shown().all(|s| s.is_pending));
        let second = ledger.stored(ack(&first)).unwrap();
        assert_eq!((second.revision, second.measurements[0].revision), (1, 2));
        assert!((second.measurements[0].quantity.value - 12.0).abs() < 1e-12);
        assert!(ledger.stored(ack(&second)).is_none());
        assert!(!ledger.is_waiting() && ledger.shown().all(|s| !s.is_pending));
    }

    /// What the other side reads of a message.
    fn over_the_link<M: serde::Serialize + serde::de::DeserializeOwned>(message: &M) -> M {
        let mut line = Vec::new();
        mj_link::LineWriter::new(&mut line).send(message).unwrap();
        match mj_link::LineReader::new(line.as_slice()).next().unwrap() {
            mj_link::Received::Message(message) => message,
            _ => panic!("no message"),
        }
    }

    /// What the record does with a message, both ways through the link's lines.
    fn ack_over_the_link(sent: &Finding) -> Finding {
        let sent = mj_link::ToParent::FindingChanged { study: sent.study.clone(), finding: sent.clone() };
        let mj_link::ToParent::FindingChanged { study, finding } = over_the_link(&sent) else { panic!("another message") };
        let answer = mj_link::ToViewer::FindingStored { study, finding: ack(&finding) };
        let mj_link::ToViewer::FindingStored { finding, .. } = over_the_link(&answer) else { panic!("another message") };
        finding
    }

    #[test]
    fn any_length_is_acknowledged_over_the_link() {
        let mut mm = 10.0_f64;
        for n in 0..500 {
            mm = mm * 1.013_7 + 0.1 / 3.0;
            let mut ledger = Ledger::new(Vec::new(), "p1".into());
            let drawn = line("a", mm % 300.0);
            let first = ledger.commit(drawn.clone()).unwrap();
            assert!(ledger.stored(ack_over_the_link(&first)).is_none());
            assert!(!ledger.is_waiting(), "{n}: {mm} is not acknowledged");
            assert_eq!(ledger.get("a").unwrap().geometry, drawn.geometry, "{n}: changed on its way");
            assert!(ledger.delete("a").is_some(), "{n}: the deletion was not sent");
        }
    }

    #[test]
    fn an_acknowledgement_counts_whatever_the_record_made_of_it_and_however_late() {
        let mut ledger = Ledger::new(vec![Finding { revision: 1, ..line("a", 5.0) }], String::new());
        let sent = ledger.commit(line("a", 6.0)).unwrap();
        assert!(ledger.commit(line("a", 7.0)).is_none());
        // The record rounds, and a revision made after ours is told before ours.
        ledger.stored(Finding { revision: 3, ..line("a", 8.0) });
        assert!(ledger.is_waiting());
        let next = ledger.stored(Finding { revision: sent.revision + 1, ..line("a", 6.000_001) }).unwrap();
        assert_eq!(next.revision, 3, "the waiting change builds on the newest revision");
    }

    #[test]
    fn undo_and_redo_append() {
        let mut ledger = Ledger::new(Vec::new(), String::new());
        let a1 = ledger.commit(line("a", 10.0)).unwrap();
        ledger.stored(ack(&a1));
        let a2 = ledger.commit(line("a", 20.0)).unwrap();
        ledger.stored(ack(&a2));
        let (_, back) = ledger.undo().unwrap();
        let back = back.unwrap();
        assert_eq!((back.revision, back.measurements[0].revision), (2, 3));
        assert!((back.measurements[0].quantity.value - 10.0).abs() < 1e-12);
        ledger.stored(ack(&back));
        let (_, gone) = ledger.undo().unwrap();
        let gone = gone.unwrap();
        assert_eq!((gone.revision, gone.state), (3, FindingState::Deleted));
        ledger.stored(ack(&gone));
        assert_eq!(ledger.shown().count(), 0);
        let (_, again) = ledger.redo().unwrap();
        assert_eq!(again.unwrap().revision, 4);
        assert_eq!(ledger.shown().count(), 1);
        assert!(ledger.can_redo());
    }

    #[test]
    fn a_refused_change_goes_back() {
        let told = Told { code: "finding.stale".into(), message: String::new(), hint: String::new() };
        let mut ledger = Ledger::new(vec![Finding { revision: 3, ..line("a", 5.0) }], String::new());
        ledger.commit(line("a", 6.0)).unwrap();
        assert!(ledger.refused("a", &told));
        assert_eq!(ledger.get("a").unwrap().revision, 3);
        assert!(!ledger.can_undo());
        ledger.commit(line("b", 6.0)).unwrap();
        ledger.refused("b", &told);
        assert!(ledger.get("b").is_none());
    }

    #[test]
    fn a_change_made_elsewhere_is_taken_over() {
        let mut ledger = Ledger::new(vec![Finding { revision: 1, ..line("a", 5.0) }], String::new());
        ledger.stored(Finding { revision: 2, ..line("a", 9.0) });
        assert_eq!(ledger.get("a").unwrap().geometry, line("a", 9.0).geometry);
        ledger.stored(Finding { revision: 1, ..line("a", 5.0) });
        assert_eq!(ledger.get("a").unwrap().revision, 2, "an older revision came late");
    }
}

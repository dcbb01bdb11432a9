//! The plans of the open study as this window knows them.
//!
//! The record owns plans. A segment has one here, its newest. A finished movement of the plane goes to the
//! record at once, before its volumes are computed, so that no crash loses it; the volumes follow as the next
//! revision. One change of a plan is on its way at a time, because each names the revision it is based on.

use mj_model::clock;
use mj_model::finding::{Origin, OriginKind};
use mj_model::plan::{CutPlane, Plan, PlanInput, PlanResult, PlanStep, Segment};
use std::collections::BTreeMap;

/// The plan of one segment.
#[derive(Debug, Clone, Default)]
struct Entry {
    stored: Option<Plan>,
    in_flight: Option<Plan>,
    wanted: Option<Plan>,
}

/// The plans, by the id of the segment that they cut.
#[derive(Debug, Default)]
pub struct Plans {
    entries: BTreeMap<String, Entry>,
    person: String,
}

impl Plans {
    /// The revisions the record has, the oldest plan first; changes are written by a person.
    #[must_use]
    pub fn new(plans: Vec<Plan>, person: String) -> Self {
        let mut all = Self { person, ..Self::default() };
        for plan in plans {
            if let Some(segment) = cut_of(&plan).map(|(segment, _)| segment.to_owned()) {
                all.entries.insert(segment, Entry { stored: Some(plan), ..Entry::default() });
            }
        }
        all
    }

    /// Where a segment's plan cuts.
    #[must_use]
    pub fn plane_of(&self, segment: &str) -> Option<CutPlane> {
        self.entries.get(segment)?.present().and_then(cut_of).map(|(_, plane)| plane)
    }

    /// True while the record has not acknowledged everything.
    #[must_use]
    pub fn is_waiting(&self) -> bool {
        self.entries.values().any(|e| e.in_flight.is_some() || e.wanted.is_some())
    }

    /// True when a segment has a plan.
    #[must_use]
    pub fn has(&self, segment: &str) -> bool {
        self.entries.get(segment).is_some_and(|e| e.present().is_some())
    }

    /// The plane of a segment was moved. Gives the message to send now, if one may go.
    pub fn moved(&mut self, segment: &Segment, plane: CutPlane) -> Option<Plan> {
        let entry = self.entries.entry(segment.id.clone()).or_default();
        let known = entry.present();
        let plan = Plan {
            id: known.map_or_else(|| uuid::Uuid::new_v4().to_string(), |p| p.id.clone()),
            revision: 0,
            study: segment.study.clone(),
            name: known.map_or_else(|| segment.label.clone(), |p| p.name.clone()),
            inputs: vec![PlanInput { id: segment.id.clone(), revision: segment.revision }],
            steps: vec![PlanStep::Cut { segment: segment.id.clone(), plane }],
            results: Vec::new(),
            origin: Origin { who: OriginKind::Person, name: self.person.clone(), version: String::new() },
            at: clock::now(),
        };
        entry.wanted = Some(plan);
        entry.pump()
    }

    /// The volumes of a plane are computed: they complete the segment's plan when it cuts there and lacks them.
    pub fn computed(&mut self, segment: &str, plane: CutPlane, results: &[PlanResult]) -> Option<Plan> {
        let entry = self.entries.get_mut(segment)?;
        let lacks = entry.present().filter(|p| p.results.is_empty() && cut_of(p).is_some_and(|(_, at)| at == plane))?;
        entry.wanted = Some(Plan { results: results.to_vec(), at: clock::now(), ..lacks.clone() });
        entry.pump()
    }

    /// The record stored a revision: ours, or a change made elsewhere. Gives the next message of this plan.
    pub fn stored(&mut self, plan: Plan) -> Option<Plan> {
        let segment = cut_of(&plan)?.0.to_owned();
        let entry = self.entries.entry(segment).or_default();
        if entry.stored.as_ref().is_some_and(|known| known.id == plan.id && known.revision > plan.revision) {
            return None;
        }
        if entry.in_flight.as_ref().is_some_and(|ours| ours.id == plan.id && ours.revision < plan.revision) {
            entry.in_flight = None;
        }
        entry.stored = Some(plan);
        entry.pump()
    }

    /// The record refused a change of a plan.
    pub fn refused(&mut self, id: &str) {
        for entry in self.entries.values_mut().filter(|e| e.in_flight.as_ref().is_some_and(|p| p.id == id)) {
            entry.in_flight = None;
            entry.wanted = None;
        }
    }
}

impl Entry {
    fn present(&self) -> Option<&Plan> {
        self.wanted.as_ref().or(self.in_flight.as_ref()).or(self.stored.as_ref())
    }

    /// Sends the waiting change when nothing is on its way.
    fn pump(&mut self) -> Option<Plan> {
        if self.in_flight.is_some() {
            return None;
        }
        let mut plan = self.wanted.take()?;
        plan.revision = self.stored.as_ref().filter(|s| s.id == plan.id).map_or(0, |s| s.revision);
        self.in_flight = Some(plan.clone());
        Some(plan)
    }
}

/// Segment and plane of a plan of one cut.
fn cut_of(plan: &Plan) -> Option<(&str, CutPlane)> {
    match plan.steps.as_slice() {
        [PlanStep::Cut { segment, plane }] => Some((segment, *plane)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mj_model::{InstanceUid, PointLps, SeriesUid, StudyUid, VectorLps};

    fn segment() -> Segment {
        Segment {
            id: "s".into(),
            revision: 2,
            study: StudyUid::parse("1.2").unwrap(),
            series: SeriesUid::parse("1.3").unwrap(),
            label: "liver".into(),
            kind: None,
            seg_instance: InstanceUid::parse("1.4").unwrap(),
            number: 1,
            voxels: 8,
            volume_ml: 1.0,
            mesh_volume_ml: 1.0,
            box_lps: (PointLps::default(), PointLps::default()),
            made_by: serde_json::Value::Null,
            origin: Origin { who: OriginKind::Person, name: String::new(), version: String::new() },
            at: clock::now(),
        }
    }

    fn at(x: f64) -> CutPlane {
        CutPlane { point: PointLps::new(x, 0.0, 0.0), normal: VectorLps::new(1.0, 0.0, 0.0) }
    }

    fn result() -> Vec<PlanResult> {
        vec![PlanResult { name: "remnant".into(), volume_ml: 0.5, mesh_volume_ml: 0.5, interval_ml: (0.4, 0.6), percent: 50.0 }]
    }

    /// What the record does with a message.
    fn ack(sent: &Plan) -> Plan {
        Plan { revision: sent.revision + 1, ..sent.clone() }
    }

    #[test]
    fn a_plane_goes_at_once_and_its_volumes_after_it() {
        let mut plans = Plans::new(Vec::new(), "p1".into());
        let first = plans.moved(&segment(), at(1.0)).unwrap();
        assert_eq!((first.revision, first.results.len(), first.inputs[0].revision, first.origin.name.as_str()), (0, 0, 2, "p1"));
        assert!(plans.computed("s", at(1.0), &result()).is_none(), "one change at a time");
        let second = plans.stored(ack(&first)).unwrap();
        assert_eq!((second.id == first.id, second.revision, second.results.len()), (true, 1, 1));
        assert!(plans.stored(ack(&second)).is_none() && !plans.is_waiting());
        assert!(plans.computed("s", at(1.0), &result()).is_none(), "they are there already");
        assert_eq!(plans.plane_of("s"), Some(at(1.0)));
    }

    #[test]
    fn volumes_of_an_older_plane_are_not_taken() {
        let mut plans = Plans::new(Vec::new(), String::new());
        let first = plans.moved(&segment(), at(1.0)).unwrap();
        assert!(plans.moved(&segment(), at(2.0)).is_none());
        assert!(plans.computed("s", at(1.0), &result()).is_none());
        let second = plans.stored(ack(&first)).unwrap();
        assert!(second.results.is_empty());
        assert_eq!(plans.plane_of("s"), Some(at(2.0)));
    }

    #[test]
    fn a_refused_change_does_not_stop_the_next() {
        let mut plans = Plans::new(Vec::new(), String::new());
        let first = plans.moved(&segment(), at(1.0)).unwrap();
        plans.refused(&first.id);
        assert!(!plans.is_waiting());
        assert!(plans.moved(&segment(), at(2.0)).is_some());
    }

    #[test]
    fn the_newest_plan_of_a_segment_is_the_one() {
        let mut plans = Plans::new(Vec::new(), String::new());
        let old = ack(&plans.moved(&segment(), at(1.0)).unwrap());
        let new = Plan { id: "other".into(), steps: vec![PlanStep::Cut { segment: "s".into(), plane: at(9.0) }], ..old.clone() };
        let plans = Plans::new(vec![old, new], String::new());
        assert_eq!(plans.plane_of("s"), Some(at(9.0)));
        assert!(plans.has("s") && !plans.has("t"));
    }
}

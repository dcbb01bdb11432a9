//! What people decide on what models propose.

use super::Desk;
use super::error::Result;
use crate::page::dto::{ChartLine, DriftLine, LedgerView, ModelLine, PointLine};
use mj_lang::key;
use mj_model::Lang;
use mj_record::performance::{BASELINE, By, Chart, Drift, Row, SUBGROUP, Watched};

/// What the page counts by.
const BY: [By; 3] = [By::Model, By::Version, By::Scanner];

impl Desk {
    /// Counts by model, version and scanner, and the control charts, as the record has them now.
    ///
    /// # Errors
    /// Those of the record.
    pub async fn ledger(&self) -> Result<LedgerView> {
        let all = self.record()?.performance().await?;
        let lang = self.boot().lang;
        let rows = all.rows(&BY).iter().map(|row| model(row, lang)).collect();
        let charts = all.charts().into_iter().map(chart).collect();
        Ok(LedgerView { rows, charts, subgroup: SUBGROUP, baseline: SUBGROUP * BASELINE })
    }
}

fn model(row: &Row, lang: Lang) -> ModelLine {
    let part = |by: By| row.group.get(&by).cloned().flatten();
    let times = |name: &str, n: u32| key::PERFORMANCE_REASON.with(lang, &[("name", name), ("n", &n.to_string())]);
    ModelLine {
        model: part(By::Model).unwrap_or_default(),
        version: part(By::Version).unwrap_or_default(),
        scanner: part(By::Scanner).unwrap_or_default(),
        proposed: row.proposed,
        waiting: row.waiting,
        held: row.held,
        accepted: row.accepted,
        edited: row.edited,
        rejected: row.rejected,
        added: row.added,
        rejected_share: row.rejected_share.map(|share| share.share),
        rejected_low: row.rejected_share.map(|share| share.low),
        rejected_high: row.rejected_share.map(|share| share.high),
        reasons: row.reasons.iter().map(|r| times(r.reason.name(lang), r.count)).collect::<Vec<_>>().join("; "),
    }
}

fn chart(chart: Chart) -> ChartLine {
    let what = match chart.what {
        Watched::Rejected => "rejected",
        Watched::Edited => "edited",
    };
    let points = chart.points.into_iter().map(|point| PointLine {
        is_signal: !point.signals.is_empty(),
        week: point.week,
        share: point.share,
        is_baseline: point.is_baseline,
    });
    ChartLine {
        model: chart.model.name,
        version: chart.model.version,
        scanner: chart.scanner.unwrap_or_default(),
        what: what.to_owned(),
        decisions: chart.decisions,
        needed: chart.needed,
        centre: chart.limits.map(|limits| limits.centre),
        lower: chart.limits.map(|limits| limits.lower),
        upper: chart.limits.map(|limits| limits.upper),
        is_uneven: chart.is_baseline_uneven,
        points: points.collect(),
        drift: chart.drift.map(drift),
    }
}

fn drift(drift: Drift) -> DriftLine {
    let Drift { since_week, before, now, decisions, is_more, .. } = drift;
    DriftLine { since_week, before, now, decisions, is_more }
}

//! How often people accept, edit and reject what models propose, and whether that changes.
//!
//! What is printed for people is whole: they have the record open. JSON and the table file are what may leave the hospital.

use super::Ctx;
use super::findings::to_json;
use crate::args::Ledger;
use crate::failure::Failure;
use crate::out::Done;
use mj_lang::{Text, key};
use mj_model::{Code, Held, Lang};
use mj_record::Record;
use mj_record::performance::{BASELINE, By, Chart, Drift, LEAST, Performance, Row, SUBGROUP, Share, Watched};

/// How many seconds, minutes and hours are told as such before the next unit is taken.
const STEPS: [(f64, f64, Text); 3] =
    [(120.0, 1.0, key::PERFORMANCE_SECONDS), (7200.0, 60.0, key::PERFORMANCE_MINUTES), (172_800.0, 3600.0, key::PERFORMANCE_HOURS)];

pub(super) async fn ledger(ctx: &Ctx<'_>, record: &Record, ask: &Ledger) -> Result<Done, Failure> {
    let mut all = record.performance().await?;
    if let Some(since) = ask.since {
        all = all.since(since);
    }
    let by = ask.by();
    let (lang, leaving) = (ctx.out.lang, all.leaving(&by));
    if let Some(file) = &ask.csv {
        let table = table(&leaving.rows, &by, lang);
        std::fs::write(file, table).map_err(|source| Failure::File { what: "write", path: file.clone(), source })?;
    }
    let mut json = to_json(&leaving)?;
    if let Some(object) = json.as_object_mut() {
        object.insert("by".into(), to_json(&by)?);
        object.insert("since".into(), to_json(&ask.since.map(|since| since.to_string()))?);
        object.insert("subgroup".into(), SUBGROUP.into());
        object.insert("warnings".into(), leaving.charts.iter().filter_map(|chart| warning(chart, lang)).collect());
    }
    let charts = all.charts();
    let is_unsaid = leaving.is_withheld && ask.csv.is_some();
    ctx.out.result(&json, |_| told(&all, &by, &charts, is_unsaid, lang))?;
    Ok(if charts.iter().any(|chart| chart.drift.is_some()) { Done::NeedsDecision } else { Done::Well })
}

/// Everything, for people.
fn told(all: &Performance, by: &[By], charts: &[Chart], is_unsaid: bool, lang: Lang) -> String {
    let needed = (SUBGROUP * (BASELINE + 1)).to_string();
    if all.total().is_none() {
        return key::PERFORMANCE_EMPTY.with(lang, &[("needed", &needed)]);
    }
    let warnings = charts.iter().filter_map(|chart| warning(chart, lang)).map(|text| format!("! {text}"));
    let rows = all.rows(by);
    let rows = rows.iter().flat_map(|row| lines(row, lang));
    let withheld = is_unsaid.then(|| key::PERFORMANCE_WITHHELD.with(lang, &[("least", &LEAST.to_string())]));
    warnings.chain(rows).chain(charts.iter().map(|chart| line(chart, lang))).chain(withheld).collect::<Vec<_>>().join("\n")
}

/// A row for people, with what there is of times and reasons below it.
fn lines(row: &Row, lang: Lang) -> Vec<String> {
    let group = name(row, lang);
    let counted = |n: u32, share: Option<Share>| match share {
        Some(share) if n > 0 => key::PERFORMANCE_COUNTED.with(
            lang,
            &[("n", &n.to_string()), ("share", &percent(share.share)), ("low", &percent(share.low)), ("high", &percent(share.high))],
        ),
        _ => n.to_string(),
    };
    let values = [
        ("group", group),
        ("proposed", row.proposed.to_string()),
        ("accepted", counted(row.accepted, row.accepted_share)),
        ("edited", counted(row.edited, row.edited_share)),
        ("rejected", counted(row.rejected, row.rejected_share)),
        ("waiting", row.waiting.to_string()),
        ("held", row.held.to_string()),
        ("added", row.added.to_string()),
    ];
    let below = [
        row.median_decision_s.map(|s| key::PERFORMANCE_MEDIAN.with(lang, &[("time", &duration(s, lang))])),
        Some(reasons(row, lang)).filter(|text| !text.is_empty()).map(|text| key::PERFORMANCE_REASONS.with(lang, &[("reasons", &text)])),
        Some(held_reasons(row, lang))
            .filter(|text| !text.is_empty())
            .map(|text| key::PERFORMANCE_HELD_REASONS.with(lang, &[("reasons", &text)])),
    ];
    let row = key::PERFORMANCE_ROW.with(lang, &values.each_ref().map(|(name, value)| (*name, value.as_str())));
    std::iter::once(row).chain(below.into_iter().flatten().map(|text| format!("  {text}"))).collect()
}

fn name(row: &Row, lang: Lang) -> String {
    if row.merged > 0 {
        return key::PERFORMANCE_MERGED.with(lang, &[("n", &row.merged.to_string())]);
    }
    let part = |(by, text): (&By, &Option<String>)| match text {
        Some(text) if *by == By::Thickness => format!("{text} mm"),
        Some(text) => text.clone(),
        // A model of which no version is known is called by its name alone.
        None if *by == By::Version => String::new(),
        None => key::PERFORMANCE_NOT_SAID.get(lang).to_owned(),
    };
    let parts: Vec<String> = row.group.iter().map(part).filter(|part| !part.is_empty()).collect();
    if parts.is_empty() { key::PERFORMANCE_ALL.get(lang).to_owned() } else { parts.join(" · ") }
}

fn times(name: &str, n: u32, lang: Lang) -> String {
    key::PERFORMANCE_REASON.with(lang, &[("name", name), ("n", &n.to_string())])
}

fn reasons(row: &Row, lang: Lang) -> String {
    row.reasons.iter().map(|r| times(Code::name(&r.reason, lang), r.count, lang)).collect::<Vec<_>>().join("; ")
}

fn held_reasons(row: &Row, lang: Lang) -> String {
    let sentence = |code: &str| {
        let held = Held::ALL.into_iter().find(|held| held.code() == code);
        held.map_or_else(|| code.to_owned(), |held| mj_lang::tell(&mj_record::Error::Held(held), lang).message)
    };
    row.held_reasons.iter().map(|(code, n)| times(&sentence(code), *n, lang)).collect::<Vec<_>>().join("; ")
}

/// A chart in one line.
fn line(chart: &Chart, lang: Lang) -> String {
    let what = match chart.what {
        Watched::Rejected => key::PERFORMANCE_REJECTED,
        Watched::Edited => key::PERFORMANCE_EDITED,
    };
    let (whose, what) = (whose(chart), what.get(lang));
    let (Some(limits), Some(last)) = (chart.limits, chart.points.last()) else {
        let (n, needed) = (chart.decisions.to_string(), chart.needed.to_string());
        return key::PERFORMANCE_TOO_FEW.with(lang, &[("whose", &whose), ("what", what), ("n", &n), ("needed", &needed)]);
    };
    if chart.is_baseline_uneven {
        let n = (SUBGROUP * BASELINE).to_string();
        return key::PERFORMANCE_UNEVEN.with(lang, &[("whose", &whose), ("what", what), ("n", &n)]);
    }
    let values = [
        ("before", percent(limits.centre)),
        ("lower", percent(limits.lower)),
        ("upper", percent(limits.upper)),
        ("now", percent(last.share)),
        ("subgroup", SUBGROUP.to_string()),
        ("week", last.week.clone()),
    ];
    let values = values.each_ref().map(|(name, value)| (*name, value.as_str()));
    key::PERFORMANCE_CHART.with(lang, &[[("whose", whose.as_str()), ("what", what)].as_slice(), &values].concat())
}

/// What has changed and what to do, where something has.
fn warning(chart: &Chart, lang: Lang) -> Option<String> {
    let Drift { since_week, before, now, decisions, is_more, .. } = chart.drift.as_ref()?;
    let text = match (chart.what, is_more) {
        (Watched::Rejected, true) => key::PERFORMANCE_DRIFT_REJECTED_MORE,
        (Watched::Rejected, false) => key::PERFORMANCE_DRIFT_REJECTED_LESS,
        (Watched::Edited, true) => key::PERFORMANCE_DRIFT_EDITED_MORE,
        (Watched::Edited, false) => key::PERFORMANCE_DRIFT_EDITED_LESS,
    };
    let (whose, n, now, before) = (whose(chart), decisions.to_string(), percent(*now), percent(*before));
    Some(text.with(lang, &[("whose", &whose), ("week", since_week), ("n", &n), ("now", &now), ("before", &before)]))
}

/// Model and version, with the scanner where it is about one: `Finder 2.0 (Maker Model)`.
fn whose(chart: &Chart) -> String {
    let model = [chart.model.name.as_str(), chart.model.version.as_str()].join(" ");
    let scanner = chart.scanner.as_ref().map(|name| format!(" ({name})")).unwrap_or_default();
    format!("{}{scanner}", model.trim())
}

fn percent(share: f64) -> String {
    format!("{:.0}", share * 100.0)
}

fn duration(s: f64, lang: Lang) -> String {
    let of = |text: Text, unit_s: f64| text.with(lang, &[("n", &format!("{:.0}", s / unit_s))]);
    let step = STEPS.iter().find(|(below, ..)| s < *below);
    step.map_or_else(|| of(key::PERFORMANCE_DAYS, 86_400.0), |(_, unit_s, text)| of(*text, *unit_s))
}

/// The rows as comma-separated values (RFC 4180) in UTF-8 with a byte order mark: without it, Excel on a Chinese Windows takes the
/// file for GBK and shows other characters.
fn table(rows: &[Row], by: &[By], lang: Lang) -> String {
    let lines = std::iter::once(headings(by, lang)).chain(rows.iter().map(|row| cells(row, by, lang)));
    let mut text = String::from('\u{FEFF}');
    for line in lines {
        text.push_str(&line.iter().map(|cell| quoted(cell)).collect::<Vec<_>>().join(","));
        text.push_str("\r\n");
    }
    text
}

/// A cell in quotes. One that a spreadsheet would run as a formula begins with an apostrophe: the names come from files of others.
fn quoted(cell: &str) -> String {
    let is_formula = cell.starts_with(['=', '+', '-', '@', '\t', '\r']);
    format!("\"{}{}\"", if is_formula { "'" } else { "" }, cell.replace('"', "\"\""))
}

fn headings(by: &[By], lang: Lang) -> Vec<String> {
    let of_group = |by: &By| match by {
        By::Model => key::PERFORMANCE_COLUMN_MODEL,
        By::Version => key::PERFORMANCE_COLUMN_VERSION,
        By::Scanner => key::PERFORMANCE_COLUMN_SCANNER,
        By::Kernel => key::PERFORMANCE_COLUMN_KERNEL,
        By::Thickness => key::PERFORMANCE_COLUMN_THICKNESS,
    };
    let counts = [
        key::PERFORMANCE_COLUMN_MERGED,
        key::PERFORMANCE_COLUMN_PROPOSED,
        key::PERFORMANCE_COLUMN_WAITING,
        key::PERFORMANCE_COLUMN_HELD,
        key::PERFORMANCE_COLUMN_ACCEPTED,
        key::PERFORMANCE_COLUMN_EDITED,
        key::PERFORMANCE_COLUMN_REJECTED,
        key::PERFORMANCE_COLUMN_ADDED,
    ];
    let shares = [key::PERFORMANCE_COLUMN_ACCEPTED, key::PERFORMANCE_COLUMN_EDITED, key::PERFORMANCE_COLUMN_REJECTED].map(|what| {
        [key::PERFORMANCE_COLUMN_SHARE, key::PERFORMANCE_COLUMN_LOW, key::PERFORMANCE_COLUMN_HIGH]
            .map(|column| column.with(lang, &[("what", what.get(lang))]))
    });
    let last = [key::PERFORMANCE_COLUMN_MEDIAN, key::PERFORMANCE_COLUMN_REASONS, key::PERFORMANCE_COLUMN_HELD_REASONS];
    let get = |text: Text| text.get(lang).to_owned();
    let plain = by.iter().map(of_group).chain(counts).map(get);
    plain.chain(shares.into_iter().flatten()).chain(last.map(get)).collect()
}

fn cells(row: &Row, by: &[By], lang: Lang) -> Vec<String> {
    let group = by.iter().map(|by| row.group.get(by).cloned().flatten().unwrap_or_default());
    let counts = [row.merged, row.proposed, row.waiting, row.held, row.accepted, row.edited, row.rejected, row.added];
    let shares = [row.accepted_share, row.edited_share, row.rejected_share].into_iter().flat_map(|share| {
        let of = |part: fn(Share) -> f64| share.map(|share| part(share).to_string()).unwrap_or_default();
        [of(|s| s.share), of(|s| s.low), of(|s| s.high)]
    });
    let median = row.median_decision_s.map(|s| s.to_string()).unwrap_or_default();
    let last = [median, reasons(row, lang), held_reasons(row, lang)];
    group.chain(counts.map(|n| n.to_string())).chain(shares).chain(last).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_quoted_and_run_as_nothing() {
        assert_eq!(quoted("Finder, \"2\""), "\"Finder, \"\"2\"\"\"");
        assert_eq!(quoted("=HYPERLINK(1)"), "\"'=HYPERLINK(1)\"");
    }

    #[test]
    fn durations_have_a_fitting_unit() {
        let of = |s| duration(s, Lang::En);
        assert_eq!([of(0.0), of(119.0), of(150.0), of(7200.0), of(172_800.0)], ["0 s", "119 s", "2 min", "2 h", "2 days"]);
    }
}

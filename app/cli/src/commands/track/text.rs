//! The result in plain lines.

use mj_lang::{Text, key};
use mj_model::Lang;
use serde_json::Value;

/// All of it, for a person.
pub(super) fn of(json: &Value, lang: Lang) -> String {
    let mut lines = vec![head(json, lang)];
    lines.push(registration(json, lang));
    let list = |name: &str| json[name].as_array().map(Vec::as_slice).unwrap_or_default();
    let titled = |title: Text, count: usize| title.with(lang, &[("count", &count.to_string())]);
    lines.push(titled(key::TRACK_PAIRS, list("pairs").len()));
    lines.extend(list("pairs").iter().flat_map(|p| pair(p, lang)));
    for (name, title) in [("new", key::TRACK_NEW), ("gone", key::TRACK_GONE)] {
        if !list(name).is_empty() {
            lines.push(titled(title, list(name).len()));
            lines.extend(list(name).iter().map(|f| format!("  {}  {}", finding(f, lang), named("why", &f["why"], lang))));
        }
    }
    if let Some(kept) = json["kept"].as_u64().filter(|n| *n > 0) {
        lines.push(titled(key::TRACK_KEPT, usize::try_from(kept).unwrap_or(usize::MAX)));
    }
    lines.extend(recist(&json["recist"], lang));
    lines.join("\n")
}

/// The catalogue's word for a stable name of ours.
fn named(family: &str, name: &Value, lang: Lang) -> String {
    let name = name.as_str().unwrap_or_default().to_lowercase();
    mj_lang::find(&format!("track.{family}.{name}")).map_or(name, |text| text.get(lang).to_owned())
}

fn head(json: &Value, lang: Lang) -> String {
    let date = |field: &str| json[field].as_str().map_or_else(|| key::TRACK_NO_DATE.get(lang).to_owned(), str::to_owned);
    let days = match json["interval_days"].as_i64() {
        Some(days) => key::TRACK_DAYS.with(lang, &[("days", &days.to_string())]),
        None => key::TRACK_NO_DATE.get(lang).to_owned(),
    };
    key::TRACK_HEAD.with(lang, &[("prior", &date("prior_date")), ("current", &date("current_date")), ("days", &days)])
}

fn registration(json: &Value, lang: Lang) -> String {
    let found = &json["registration"];
    let why = &json["registration_reason"];
    if found.is_null() {
        let part = |field: &str| why[field].as_str().unwrap_or_default();
        return format!("! {} {}", part("message"), part("hint"));
    }
    let number = |field: &str| format!("{:.2}", found[field].as_f64().unwrap_or_default());
    let overlap = format!("{:.0}", found["overlap"].as_f64().unwrap_or_default() * 100.0);
    key::TRACK_REGISTERED.with(lang, &[("similarity", &number("similarity")), ("detail", &number("detail")), ("overlap", &overlap)])
}

/// Id, name, size; marked where no person stands for it.
fn finding(f: &Value, lang: Lang) -> String {
    let text = |v: &Value| v.as_str().unwrap_or_default().to_owned();
    let kind = match lang {
        Lang::Zh => text(&f["kind"]["name_zh"]),
        Lang::En => text(&f["kind"]["name_en"]),
    };
    // A label is called as its maker calls it.
    let name = if f["name"] == f["kind"]["name_en"] { kind } else { text(&f["name"]) };
    let size = f["diameter_mm"].as_f64().map(|mm| format!("  {mm:.1} mm")).unwrap_or_default();
    let is_open = f["is_confirmed"].as_bool() == Some(false);
    let open = if is_open { format!("  ({})", key::TRACK_UNCONFIRMED.get(lang)) } else { String::new() };
    format!("{}  {name}{size}{open}", text(&f["id"]))
}

fn pair(pair: &Value, lang: Lang) -> Vec<String> {
    let apart = pair["distance_mm"].as_f64().map(|mm| key::TRACK_APART.with(lang, &[("mm", &format!("{mm:.1}"))]));
    let by = named("by", &pair["by"], lang);
    let how = [Some(by), apart].into_iter().flatten().collect::<Vec<_>>().join(", ");
    let mut lines = vec![format!("  {}  →  {}  [{how}]", finding(&pair["prior"], lang), finding(&pair["current"], lang))];
    let against: Vec<String> = pair["contradictions"].as_array().into_iter().flatten().map(|c| named("against", c, lang)).collect();
    if !against.is_empty() {
        lines.push(format!("    ! {}", key::TRACK_CONTRADICTS.with(lang, &[("what", &against.join(", "))])));
    }
    lines.push(format!("    {}", growth(&pair["growth"], lang)));
    lines
}

fn growth(growth: &Value, lang: Lang) -> String {
    let mut parts = vec![named("trend", &growth["trend"], lang)];
    parts.extend(change(&growth["long_axis_mm"], "mm", 1, lang));
    if let Some(volume) = change(&growth["volume_ml"], "ml", 2, lang) {
        let is_derived = growth["from_diameter"].as_bool() == Some(true);
        parts.push(if is_derived { format!("{volume} {}", key::TRACK_FROM_DIAMETER.get(lang)) } else { volume });
    }
    parts.push(match growth["doubling_days"].as_f64() {
        Some(days) => key::TRACK_DOUBLING.with(lang, &[("days", &format!("{days:.0}"))]),
        None => key::TRACK_NO_DOUBLING.with(lang, &[("reason", &named("no", &growth["no_doubling"], lang))]),
    });
    parts.join("; ")
}

/// Two numbers and their change, in percent where there is one.
fn change(change: &Value, unit: &str, digits: usize, lang: Lang) -> Option<String> {
    let number = |field: &str| change[field].as_f64().map(|v| format!("{v:.digits$}"));
    Some(key::TRACK_CHANGE.with(
        lang,
        &[("prior", &number("prior")?), ("current", &number("current")?), ("unit", unit), ("change", &percent_or(change, digits)?)],
    ))
}

fn percent_or(change: &Value, digits: usize) -> Option<String> {
    match change["percent"].as_f64() {
        Some(percent) => Some(format!("{percent:+.0} %")),
        None => change["absolute"].as_f64().map(|v| format!("{v:+.digits$}")),
    }
}

fn recist(recist: &Value, lang: Lang) -> Vec<String> {
    let response = named("recist", &recist["response"], lang);
    let response = match &recist["reason"] {
        Value::Null => response,
        reason => format!("{response}: {}", named("recist", reason, lang)),
    };
    let mut lines = vec![key::TRACK_RECIST_HEAD.with(lang, &[("response", &response)])];
    let targets = recist["targets"].as_array().map(Vec::as_slice).unwrap_or_default();
    let sum = &recist["sum_mm"];
    let number = |field: &str| sum[field].as_f64().map(|v| format!("{v:.1}"));
    if let (Some(prior), Some(current), Some(change)) = (number("prior"), number("current"), percent_or(sum, 1)) {
        let count = targets.len().to_string();
        let values: [(&str, &str); 4] = [("count", &count), ("prior", &prior), ("current", &current), ("change", &change)];
        lines.push(format!("  {}; {}", key::TRACK_RECIST_SUM.with(lang, &values), key::TRACK_RECIST_REFERENCE.get(lang)));
    }
    let count = |text: Text, n: usize| (n > 0).then(|| format!("  {}", text.with(lang, &[("count", &n.to_string())])));
    lines.extend(count(key::TRACK_RECIST_NEW, recist["new_lesions"].as_array().map_or(0, Vec::len)));
    let assumed = targets.iter().filter(|t| t["is_assumed_gone"].as_bool() == Some(true)).count();
    lines.extend(count(key::TRACK_RECIST_ASSUMED_GONE, assumed));
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use mj_record::track::{By, Contradiction, NoDoubling, NotEvaluable, Response, Trend, Why};
    use serde::Serialize;

    fn has_text<T: Serialize>(family: &str, all: &[T]) {
        for one in all {
            let name = serde_json::to_value(one).unwrap();
            let key = format!("track.{family}.{}", name.as_str().unwrap().to_lowercase());
            assert!(mj_lang::find(&key).is_some(), "no text {key}");
        }
    }

    #[test]
    fn every_stable_name_has_its_text() {
        has_text("by", &[By::TrackingUid, By::Registration, By::Hand]);
        has_text("trend", &[Trend::Grown, Trend::Shrunk, Trend::WithinError, Trend::Unknown]);
        use NoDoubling::{NoDate, NoGrowth, NoSize, SameDay, WithinError, ZeroVolume};
        has_text("no", &[NoGrowth, NoSize, ZeroVolume, NoDate, SameDay, WithinError]);
        has_text("why", &[Why::NotFound, Why::NotShown, Why::NotRegistered, Why::NoPlace]);
        has_text("against", &[Contradiction::Kind, Contradiction::Site, Contradiction::Side]);
        has_text("recist", &[Response::Cr, Response::Pr, Response::Sd, Response::Pd, Response::Ne]);
        use NotEvaluable::{NoTarget, NotConfirmed, NotFollowed, NotMeasured};
        has_text("recist", &[NoTarget, NotConfirmed, NotFollowed, NotMeasured]);
    }

    #[test]
    fn what_could_not_be_told_says_why() {
        let json = serde_json::json!({
            "prior_date": null, "current_date": "2026-03-12", "interval_days": null, "kept": 0,
            "registration": null, "registration_reason": {"code": "track.no_series", "message": "No series.", "hint": "Join."},
            "pairs": [], "gone": [], "new": [],
            "recist": {"response": "NE", "reason": "no_target", "targets": [], "sum_mm": null, "new_lesions": []},
        });
        let told = of(&json, Lang::En);
        for line in ["(date unknown)", "! No series. Join.", "not evaluable (NE): no confirmed lesion of the prior study is large enough"] {
            assert!(told.contains(line), "{told}");
        }
        // A first number of zero has no percent: the difference stands there.
        let zero = serde_json::json!({"prior": 0.0, "current": 3.0, "absolute": 3.0, "percent": null});
        assert_eq!(change(&zero, "mm", 1, Lang::En).unwrap(), "0.0 → 3.0 mm (+3.0)");
    }
}

//! Writes `app/web/src/generated/`: the page's types, texts and theme, all from Rust.

use super::dto;
use super::ts::Ts;

const HEAD: &str = "// Generated from Rust by `cargo run -p mj-desk --bin mj-desk-gen`. Do not edit.\n\n";

/// Types of other crates that cross to the page; a test compares them with what serde writes.
const FOREIGN: &str = include_str!("foreign.ts");

/// One generated file: its name and its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Generated {
    /// File name.
    pub name: &'static str,
    /// Its text.
    pub text: String,
}

/// All generated files.
#[must_use]
pub fn all(theme: &toml::Table) -> Vec<Generated> {
    vec![
        Generated { name: "types.ts", text: types() },
        Generated { name: "texts.ts", text: texts() },
        Generated { name: "theme.css", text: theme_css(theme) },
    ]
}

fn types() -> String {
    macro_rules! declare {
        ($($t:ident),* $(,)?) => { [$(<dto::$t as Ts>::declaration()),*] };
    }
    let declarations = declare!(
        RecordState,
        Boot,
        StudyLine,
        StudyLines,
        StudyFilter,
        MeasurementLine,
        FindingLine,
        ReportLine,
        KeyImageLine,
        TemplateLine,
        StudyView,
        SignatureLine,
        ReportView,
        Cursor,
        EditSent,
        ReasonSent,
        EditKept,
        CheckLine,
        PersonLine,
        ModelLine,
        PointLine,
        DriftLine,
        ChartLine,
        LedgerView,
        ServerLine,
        OutboxLine,
        SignedView,
        SkippedLine,
        ImportDone,
        FoundLine,
        ViewerState,
        SpeechState,
        PhraseLine,
        SpeechNow,
        Event,
    );
    format!("{HEAD}{FOREIGN}\n{}", declarations.join("\n"))
}

fn texts() -> String {
    let mut out = format!("{HEAD}/** Every text of the page: Chinese, English. */\nexport const texts = {{\n");
    for text in mj_lang::ALL.iter().filter(|t| ["desk.", "app.", "performance."].iter().any(|area| t.key().starts_with(area))) {
        let quoted = |lang| serde_json::Value::from(text.get(lang)).to_string();
        out.push_str(&format!("  {:?}: [{}, {}],\n", text.key(), quoted(mj_model::Lang::Zh), quoted(mj_model::Lang::En)));
    }
    out + "} as const;\n\nexport type TextKey = keyof typeof texts;\n"
}

fn theme_css(theme: &toml::Table) -> String {
    let mut out = String::from("/* Generated from assets/theme.toml. Do not edit. */\n");
    let mut rule = |selector: &str, tables: &[(&str, &str)]| {
        let mut body = String::new();
        for (table, prefix) in tables {
            let mut tokens: Vec<_> = theme.get(*table).and_then(toml::Value::as_table).into_iter().flatten().collect();
            // The parser's own order depends on how it was built.
            tokens.sort_by_key(|(name, _)| *name);
            for (name, value) in tokens {
                body.push_str(&format!("  --{prefix}{}: {};\n", name.replace('_', "-"), css_value(table, name, value)));
            }
        }
        out.push_str(&format!("{selector} {{\n{body}}}\n"));
    };
    rule(":root", &[("type", "type-"), ("space", "space-"), ("radius", "radius-"), ("size", "size-"), ("duration", "duration-")]);
    rule(":root, [data-theme=\"dark\"]", &[("dark", "")]);
    rule("[data-theme=\"light\"]", &[("light", "")]);
    rule("[data-theme=\"high_contrast\"]", &[("high_contrast", "")]);
    out
}

fn css_value(table: &str, name: &str, value: &toml::Value) -> String {
    match value {
        toml::Value::String(text) if name == "family" => format!("\"{text}\""),
        toml::Value::String(text) => text.clone(),
        toml::Value::Integer(n) if table == "duration" => format!("{n}ms"),
        toml::Value::Integer(n) => format!("{n}px"),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    #[test]
    fn the_page_has_the_present_types_texts_and_theme() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let theme: toml::Table = std::fs::read_to_string(root.join("assets/theme.toml")).unwrap().parse().unwrap();
        for file in all(&theme) {
            let path = root.join("app/web/src/generated").join(file.name);
            assert!(
                std::fs::read_to_string(&path).unwrap_or_default() == file.text,
                "{} is old: cargo run -p mj-desk --bin mj-desk-gen",
                file.name
            );
        }
    }
}

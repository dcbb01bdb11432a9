//! A printed report as plain text and as Markdown, and the lines of its identity block.

use crate::life::State;
use crate::sheet::Sheet;
use crate::wording::{word, word_with};
use mj_model::Lang;

/// A label and what stands behind it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Label in the language of the sheet.
    pub label: String,
    /// Value; a dash where nothing is known.
    pub value: String,
}

/// Patient's Sex (0010,0040) as a word.
#[must_use]
pub fn sex(code: &str, lang: Lang) -> String {
    match code.trim() {
        "M" => word("male", lang),
        "F" => word("female", lang),
        "O" => word("other", lang),
        other => other.to_owned(),
    }
}

/// Patient's Age (0010,1010) as words: `065Y` is 65岁. Other text stays as it is. Source: PS3.5 §6.2 (AS).
#[must_use]
pub fn age(text: &str, lang: Lang) -> String {
    let text = text.trim();
    let parts = text.split_at_checked(3).and_then(|(n, unit)| n.parse::<u16>().ok().map(|n| (n.to_string(), unit)));
    match parts {
        Some((n, "Y")) => word_with("years", lang, &[("n", &n)]),
        Some((n, "M")) => word_with("months", lang, &[("n", &n)]),
        Some((n, "W")) => word_with("weeks", lang, &[("n", &n)]),
        Some((n, "D")) => word_with("days", lang, &[("n", &n)]),
        _ => text.to_owned(),
    }
}

impl Sheet {
    /// The identity block in the order it is printed. What every hospital prints is always there, the rest
    /// only where it is known.
    #[must_use]
    pub fn identity(&self) -> Vec<Line> {
        let (p, s) = (&self.patient, &self.study);
        let sex = sex(&p.sex, self.lang);
        let age = age(&p.age, self.lang);
        let lines: [(&str, &str, bool); 15] = [
            ("name", p.name.show(), true),
            ("sex", &sex, true),
            ("age", &age, true),
            ("birth_date", p.birth_date.show(), false),
            ("patient_id", p.id.show(), true),
            ("inpatient_number", p.inpatient_number.show(), false),
            ("outpatient_number", p.outpatient_number.show(), false),
            ("ward", &p.ward, false),
            ("bed", &p.bed, false),
            ("accession", s.accession.show(), true),
            ("study_date", &s.date, true),
            ("modality", &s.modality, false),
            ("requesting_department", &s.requesting_department, true),
            ("referring_physician", &s.referring_physician, false),
            ("description", &s.description, true),
        ];
        let printed = lines.into_iter().filter(|(_, value, always)| *always || !value.trim().is_empty());
        printed.map(|(name, value, _)| self.line(name, value)).collect()
    }

    /// The lines under the report: who, and when to the minute.
    #[must_use]
    pub fn signers(&self) -> Vec<Line> {
        let signers = [("reporting", "reported_at", &self.reporting), ("reviewing", "reviewed_at", &self.reviewing)];
        let lines = signers.into_iter().flat_map(|(who, when, signer)| {
            let (name, at) = signer.as_ref().map_or_else(Default::default, |s| (s.name.clone(), s.at.to_the_minute()));
            [self.line(who, &name), self.line(when, &at)]
        });
        lines.collect()
    }

    /// The state as a word.
    #[must_use]
    pub fn state_word(&self) -> String {
        word(&format!("state_{}", self.state.name()), self.lang)
    }

    /// What stands across the page; `None` once nobody else has to sign.
    #[must_use]
    pub fn watermark(&self) -> Option<String> {
        match self.state {
            State::Draft | State::Preliminary => Some(word(&format!("watermark_{}", self.state.name()), self.lang)),
            State::Final | State::Addendum | State::Corrected => None,
        }
    }

    /// The sentence about the earlier report, for an addendum or a correction.
    #[must_use]
    pub fn amends_sentence(&self) -> Option<String> {
        let amended = self.amends.as_ref()?;
        let name = if self.state == State::Corrected { "amends_corrected" } else { "amends_addendum" };
        Some(word_with(name, self.lang, &[("id", &amended.report_id), ("at", &amended.signed_at.to_the_minute())]))
    }

    /// The caption of a picture with its number, from 1.
    #[must_use]
    pub fn caption(&self, n: usize, caption: &str) -> String {
        let number = word_with("picture", self.lang, &[("n", &n.to_string())]);
        if caption.trim().is_empty() { number } else { format!("{number}　{caption}") }
    }

    /// The sections that have text.
    pub fn printed_sections(&self) -> impl Iterator<Item = &crate::sheet::Section> {
        self.sections.iter().filter(|section| !section.text.trim().is_empty())
    }

    fn line(&self, name: &str, value: &str) -> Line {
        let value = value.trim();
        Line { label: word(name, self.lang), value: if value.is_empty() { "—".into() } else { value.into() } }
    }
}

/// The report as plain text, for a terminal, a message or a system without layout.
#[must_use]
pub fn render_txt(sheet: &Sheet) -> String {
    let colon = if sheet.lang == Lang::Zh { "：" } else { ": " };
    let mut out = Vec::new();
    out.extend([sheet.hospital.name.clone(), sheet.title.clone()].into_iter().filter(|line| !line.is_empty()));
    out.push(format!("[{}]", sheet.state_word()));
    out.extend(sheet.amends_sentence());
    out.push(String::new());
    out.extend(sheet.identity().into_iter().map(|line| format!("{}{colon}{}", line.label, line.value)));
    for section in sheet.printed_sections() {
        out.extend([String::new(), format!("{}{colon}", section.title), section.text.trim().to_owned()]);
    }
    for (i, picture) in sheet.pictures.iter().enumerate() {
        out.extend((i == 0).then(String::new));
        out.push(sheet.caption(i + 1, &picture.caption));
    }
    out.push(String::new());
    out.extend(sheet.signers().into_iter().map(|line| format!("{}{colon}{}", line.label, line.value)));
    out.push(format!("{}{colon}{}", word("report_no", sheet.lang), sheet.report_id));
    if !sheet.content_sha256.is_empty() {
        out.push(format!("{}{colon}{}", word("content_hash", sheet.lang), sheet.content_sha256));
    }
    out.extend([word("for_clinicians", sheet.lang), word("not_certified", sheet.lang), String::new()]);
    out.join("\n").replace('\u{2009}', " ")
}

/// The report as Markdown (CommonMark with tables). Text of the report is escaped, so that it means itself.
#[must_use]
pub fn render_md(sheet: &Sheet) -> String {
    let mut out = Vec::new();
    if !sheet.hospital.name.is_empty() {
        out.extend([format!("**{}**", escape(&sheet.hospital.name)), String::new()]);
    }
    out.extend([format!("# {}", escape(&sheet.title)), String::new(), format!("**{}**", sheet.state_word()), String::new()]);
    out.extend(sheet.amends_sentence().into_iter().flat_map(|s| [escape(&s), String::new()]));
    let table = |lines: Vec<Line>| {
        let rows = lines.into_iter().map(|line| format!("| {} | {} |", escape(&line.label), escape(&line.value)));
        ["| | |".to_owned(), "|---|---|".to_owned()].into_iter().chain(rows).collect::<Vec<_>>()
    };
    out.extend(table(sheet.identity()));
    for section in sheet.printed_sections() {
        out.extend([String::new(), format!("## {}", escape(&section.title)), String::new()]);
        // Two blanks at the end keep the lines of the report apart.
        out.push(section.text.trim().split('\n').map(escape).collect::<Vec<_>>().join("  \n"));
    }
    for (i, picture) in sheet.pictures.iter().enumerate() {
        out.extend([String::new(), escape(&sheet.caption(i + 1, &picture.caption))]);
    }
    out.push(String::new());
    out.extend(table(sheet.signers()));
    out.extend([String::new(), format!("{}: `{}`", word("report_no", sheet.lang), sheet.report_id.replace('`', ""))]);
    if !sheet.content_sha256.is_empty() {
        out.push(format!("{}: `{}`", word("content_hash", sheet.lang), sheet.content_sha256.replace('`', "")));
    }
    out.extend([String::new(), word("for_clinicians", sheet.lang), word("not_certified", sheet.lang), String::new()]);
    out.join("\n").replace('\u{2009}', " ")
}

fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.replace('\n', " ").chars() {
        if matches!(c, '\\' | '`' | '*' | '_' | '#' | '<' | '>' | '[' | ']' | '|' | '&' | '~') {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::sheet;

    #[test]
    fn ages_and_sexes_as_words() {
        for (text, zh, en) in [("065Y", "65岁", "65 years"), ("006M", "6个月", "6 months"), ("", "", ""), ("约60", "约60", "约60")] {
            assert_eq!((age(text, Lang::Zh).as_str(), age(text, Lang::En).as_str()), (zh, en));
        }
        assert_eq!((sex("F", Lang::Zh).as_str(), sex(" ", Lang::En).as_str()), ("女", ""));
    }

    #[test]
    fn plain_text_has_everything() {
        let text = render_txt(&sheet(Lang::Zh));
        for wanted in [
            "胸部CT检查报告单",
            "姓名：演示甲",
            "年龄：65岁",
            "申请科室：—",
            "检查所见：\n右肺上叶见肺结节，长度约12.3 mm。",
            "图 1　横断面",
            "报告医师：医师甲",
            "报告时间：2026-11-21 08:10",
            "审核医师：—",
        ] {
            assert!(text.contains(wanted), "{wanted}\n{text}");
        }
        assert!(!text.contains("床号"));
    }

    #[test]
    fn markdown_escapes_what_was_typed() {
        let mut sheet = sheet(Lang::En);
        sheet.sections[0].text = "# <b>*x*</b> | [a](b)\nsecond".into();
        let md = render_md(&sheet);
        assert!(md.contains("\\# \\<b\\>\\*x\\*\\</b\\> \\| \\[a\\](b)  \nsecond"), "{md}");
        assert!(md.contains("| Name | 演示甲 |"));
    }
}

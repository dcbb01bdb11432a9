//! Report templates: data files that say which fields a report has and what stands in them at first.

use crate::document::{Block, BlockKind, Document, refuse_forbidden};
use crate::error::{Error, Result};
use mj_model::{Code, Finding, Lang, Side, StudyUid};
use serde::{Deserialize, Serialize};
use std::sync::LazyLock;

mod write;

/// The files that come with the program, by name. Of those that fit a study equally well the first is offered: what is general
/// stands before what is special.
const FILES: [(&str, &str); 19] = [
    ("chest_ct", include_str!("../../../assets/templates/chest_ct.toml")),
    ("abdomen_ct", include_str!("../../../assets/templates/abdomen_ct.toml")),
    ("abdomen_pelvis_ct", include_str!("../../../assets/templates/abdomen_pelvis_ct.toml")),
    ("liver_ct", include_str!("../../../assets/templates/liver_ct.toml")),
    ("brain_ct", include_str!("../../../assets/templates/brain_ct.toml")),
    ("trauma_ct", include_str!("../../../assets/templates/trauma_ct.toml")),
    ("ldct_screening", include_str!("../../../assets/templates/ldct_screening.toml")),
    ("preop_lung_ct", include_str!("../../../assets/templates/preop_lung_ct.toml")),
    ("preop_liver_ct", include_str!("../../../assets/templates/preop_liver_ct.toml")),
    ("chest_xray", include_str!("../../../assets/templates/chest_xray.toml")),
    ("bone_age", include_str!("../../../assets/templates/bone_age.toml")),
    ("brain_mr", include_str!("../../../assets/templates/brain_mr.toml")),
    ("spine_mr", include_str!("../../../assets/templates/spine_mr.toml")),
    ("lumbar_mr", include_str!("../../../assets/templates/lumbar_mr.toml")),
    ("cervical_mr", include_str!("../../../assets/templates/cervical_mr.toml")),
    ("knee_mr", include_str!("../../../assets/templates/knee_mr.toml")),
    ("liver_lirads", include_str!("../../../assets/templates/liver_lirads.toml")),
    ("mammography", include_str!("../../../assets/templates/mammography.toml")),
    ("thyroid_us", include_str!("../../../assets/templates/thyroid_us.toml")),
];

static BUILTIN: LazyLock<Vec<Template>> = LazyLock::new(|| FILES.iter().filter_map(|(_, text)| Template::parse(text).ok()).collect());

/// A text in both languages.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Both {
    /// Chinese.
    pub zh: String,
    /// English.
    pub en: String,
}

impl Both {
    /// The text in a language.
    #[must_use]
    pub fn get(&self, lang: Lang) -> &str {
        match lang {
            Lang::Zh => &self.zh,
            Lang::En => &self.en,
        }
    }
}

/// Words of each language.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Words {
    /// Chinese.
    #[serde(default)]
    pub zh: Vec<String>,
    /// English, lower case.
    #[serde(default)]
    pub en: Vec<String>,
}

/// A report template.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Template {
    /// Name by which it is asked for, for example `chest_ct`.
    pub name: String,
    /// Title of the printed report.
    pub title: Both,
    /// What it is offered for.
    pub applies: Applies,
    /// Fields in order.
    #[serde(rename = "block")]
    pub blocks: Vec<TemplateBlock>,
    /// Findings and the line they must lead to; run by the tests.
    #[serde(default, rename = "case", skip_serializing_if = "Vec::is_empty")]
    pub cases: Vec<Case>,
}

/// A phrase to put into a field with one touch.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, Deserialize)]
pub struct Phrase {
    /// What it is about.
    pub title: String,
    /// The phrase.
    pub text: String,
}

/// Which studies a template is offered for.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Applies {
    /// Modalities (0008,0060).
    pub modality: Vec<String>,
    /// Body Part Examined (0018,0015), defined terms of PS3.16 Annex L.
    #[serde(default)]
    pub body_part: Vec<String>,
    /// Words of the study's description that speak for it, either language, lower case.
    #[serde(default)]
    pub words: Vec<String>,
    /// The sex it is for, `M` or `F`; any where empty.
    #[serde(default)]
    pub sex: String,
    /// The least age it is for. Units: years.
    #[serde(default)]
    pub age_from: Option<f64>,
    /// The age from which it is not offered any more. Units: years.
    #[serde(default)]
    pub age_below: Option<f64>,
    /// Codes of ordered procedures (0008,0100) that it is meant for.
    #[serde(default)]
    pub order_codes: Vec<String>,
}

/// What is known of a study for which a template is chosen. What is not known is empty and speaks for none.
#[derive(Debug, Clone, Copy, Default)]
pub struct Occasion<'a> {
    /// Modalities (0008,0060).
    pub modalities: &'a [String],
    /// Body Part Examined (0018,0015).
    pub body_part: &'a str,
    /// Study Description (0008,1030).
    pub description: &'a str,
    /// The patient's sex, `M`, `F` or `O`.
    pub sex: &'a str,
    /// The patient's age at the study. Units: years.
    pub age_years: Option<f64>,
    /// Code of the ordered procedure.
    pub order_code: &'a str,
}

/// The years of an age as DICOM writes it: `058Y`, `006M`, `003W`, `010D`.
#[must_use]
pub fn age_years(text: &str) -> Option<f64> {
    let text = text.trim();
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let n: f64 = digits.parse().ok()?;
    match unit {
        "Y" => Some(n),
        "M" => Some(n / 12.0),
        "W" => Some(n / 52.18),
        "D" => Some(n / 365.25),
        _ => None,
    }
}

/// What a field is filled with from the study when a report begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Prefill {
    /// The clinical history of the request.
    ClinicalHistory,
    /// The newest prior study.
    Prior,
}

/// A field of a template.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct TemplateBlock {
    /// Id of the block.
    pub id: String,
    /// What it is for.
    pub kind: BlockKind,
    /// Its title.
    pub title: Both,
    /// True when a report cannot be signed while it is empty.
    #[serde(default, skip_serializing_if = "is_default")]
    pub required: bool,
    /// True when the reader is told at signing that it is empty.
    #[serde(default, skip_serializing_if = "is_default")]
    pub expected: bool,
    /// Text that stands there at first.
    #[serde(default, skip_serializing_if = "is_default")]
    pub text: Both,
    /// What is filled in from the study.
    #[serde(default)]
    pub prefill: Option<Prefill>,
    /// A phrase offered for a study without findings.
    #[serde(default)]
    pub normal: Option<Both>,
    /// Parts, a line each, that stand there at first with their clauses.
    #[serde(default, rename = "part", skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<Part>,
    /// Things to fill in or to pick, as templates of others have them.
    #[serde(default, rename = "field", skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<Field>,
}

impl TemplateBlock {
    /// An empty field of a report.
    #[must_use]
    pub fn new(id: &str, kind: BlockKind, title: Both) -> Self {
        let (text, parts, fields) = (Both::default(), Vec::new(), Vec::new());
        Self { id: id.into(), kind, title, required: false, expected: false, text, prefill: None, normal: None, parts, fields }
    }
}

/// How a [`Field`] is filled in (IHE MRRT, data-field-type).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FieldKind {
    /// Free text.
    #[default]
    Text,
    /// A number.
    Number,
    /// A date.
    Date,
    /// A time of day.
    Time,
    /// One of the choices.
    One,
    /// Some of the choices.
    Many,
    /// The title itself, or nothing.
    Check,
}

/// What an empty [`Field`] does when the report is to be signed (IHE MRRT, data-field-completion-action).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum AtSigning {
    /// Nothing: it has no line while it is empty.
    #[default]
    Silent,
    /// The place is open in the text; the reader is told and may sign.
    Warn,
    /// The place is open in the text and stands in the way until it is filled in or taken out.
    Block,
}

/// What may be chosen in a [`Field`].
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Choice {
    /// Chinese.
    pub zh: String,
    /// English.
    pub en: String,
    /// The concept it names.
    #[serde(default)]
    pub code: Option<Code>,
}

impl Choice {
    /// The text in a language.
    #[must_use]
    pub fn get(&self, lang: Lang) -> &str {
        match lang {
            Lang::Zh => &self.zh,
            Lang::En => &self.en,
        }
    }
}

/// A thing to fill in or to pick, within a field of a report.
#[derive(Debug, Clone, PartialEq, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Field {
    /// Id of the file it came from; may be empty.
    #[serde(default, skip_serializing_if = "is_default")]
    pub id: String,
    /// What it is about.
    pub title: Both,
    /// How it is filled in.
    #[serde(default)]
    pub kind: FieldKind,
    /// The concept it asks for.
    #[serde(default)]
    pub code: Option<Code>,
    /// What may be chosen.
    #[serde(default, rename = "choice", skip_serializing_if = "Vec::is_empty")]
    pub choices: Vec<Choice>,
    /// What is filled in at first.
    #[serde(default, skip_serializing_if = "is_default")]
    pub text: Both,
    /// Unit of a number, as shown.
    #[serde(default, skip_serializing_if = "is_default")]
    pub unit: String,
    /// The least number that makes sense, in its unit.
    #[serde(default)]
    pub min: Option<f64>,
    /// The greatest.
    #[serde(default)]
    pub max: Option<f64>,
    /// What it does while it is empty.
    #[serde(default)]
    pub at_signing: AtSigning,
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// A place that is still to be filled in; one of the marks of the check "unfilled".
const OPEN: &str = "____";

impl Field {
    /// What its line begins with.
    fn head(&self, lang: Lang) -> String {
        format!("{}{}", self.title.get(lang), if lang == Lang::Zh { "：" } else { ": " })
    }

    /// A line of the field with a value.
    fn line(&self, value: &str, lang: Lang) -> String {
        if self.kind == FieldKind::Check {
            return self.title.get(lang).to_owned();
        }
        let unit = if self.unit.is_empty() { String::new() } else { format!(" {}", self.unit) };
        format!("{}{value}{unit}", self.head(lang))
    }

    /// The line that stands in the text at first: what the template fills in, or a place left open where it must be filled.
    #[must_use]
    pub fn first(&self, lang: Lang) -> Option<String> {
        match (self.text.get(lang), self.at_signing) {
            ("", AtSigning::Silent) => None,
            ("", _) => Some(self.line(OPEN, lang)),
            (text, _) => Some(self.line(text, lang)),
        }
    }

    /// Phrases that fill it in with one touch.
    fn phrases(&self, lang: Lang) -> Vec<Phrase> {
        let phrase = |text: String| Phrase { title: self.title.get(lang).into(), text };
        if self.choices.is_empty() {
            return vec![phrase(self.line(OPEN, lang))];
        }
        self.choices.iter().map(|choice| phrase(self.line(choice.get(lang), lang))).collect()
    }
}

/// A part of a field: a region of the body with what is said of it when nothing was found.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Part {
    /// Id, unique in the template.
    pub id: String,
    /// Sub-heading; printed in English, offered as a navigation entry in both languages.
    pub title: Both,
    /// SNOMED CT codes of sites that belong here.
    #[serde(default)]
    pub sites: Vec<String>,
    /// Words in the name of a site or a finding that belong here.
    #[serde(default)]
    pub words: Words,
    /// What is said when nothing was found.
    #[serde(rename = "clause")]
    pub clauses: Vec<Clause>,
}

/// One statement of normality.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Clause {
    /// Chinese, without the stop.
    pub zh: String,
    /// English, lower case, without the stop.
    pub en: String,
    /// Words in the name of a finding that the clause denies, either language, lower case.
    #[serde(default)]
    pub denies: Vec<String>,
}

/// A test case of a template.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// What it shows.
    pub name: String,
    /// What was found.
    pub kind: Code,
    /// Where.
    #[serde(default)]
    pub site: Option<Code>,
    /// On which side.
    #[serde(default)]
    pub side: Side,
    /// Length, if one was measured. Units: mm.
    #[serde(default)]
    pub length_mm: Option<f64>,
    /// Part it belongs to.
    #[serde(default)]
    pub part: Option<String>,
    /// The line afterwards, Chinese.
    pub zh: String,
    /// The line afterwards, English.
    pub en: String,
}

impl Clause {
    /// The statement in a language.
    #[must_use]
    pub fn get(&self, lang: Lang) -> &str {
        match lang {
            Lang::Zh => &self.zh,
            Lang::En => &self.en,
        }
    }

    /// True when a finding of this kind makes the statement untrue.
    #[must_use]
    pub fn denies(&self, kind: &Code) -> bool {
        let english = kind.name_en.to_lowercase();
        self.denies.iter().any(|word| kind.name_zh.contains(word.as_str()) || english.contains(word.as_str()))
    }
}

impl Part {
    /// The line that stands in the text at first.
    #[must_use]
    pub fn normal(&self, lang: Lang) -> String {
        let clauses: Vec<&str> = self.clauses.iter().map(|clause| clause.get(lang)).collect();
        match lang {
            Lang::Zh => format!("{}。", clauses.join("，")),
            Lang::En => format!("{}: {}.", self.title.en, clauses.join("; ")),
        }
    }

    /// How strongly a name speaks for this part: characters of the longest word in it.
    fn weight(&self, name: &Code) -> usize {
        let english = name.name_en.to_lowercase();
        let zh = self.words.zh.iter().filter(|word| name.name_zh.contains(word.as_str()));
        let en = self.words.en.iter().filter(|word| english.contains(word.as_str()));
        // Two Chinese characters say about as much as a short English word.
        zh.map(|word| word.chars().count() * 3).chain(en.map(|word| word.len())).max().unwrap_or(0)
    }
}

impl Template {
    /// Reads a template from a file's text.
    ///
    /// # Errors
    /// [`Error::BadFile`] when it is not TOML of this shape, holds forbidden characters, two blocks of one id, or a sex or ages that
    /// nobody has.
    pub fn parse(text: &str) -> Result<Self> {
        let bad = |why: String| Error::BadFile { kind: "template", why };
        let template: Self = toml::from_str(text).map_err(|e| bad(e.to_string()))?;
        refuse_forbidden(text.replace('\r', "").as_str())?;
        // It becomes the name of a file.
        let is_fit = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' || ('\u{4E00}'..='\u{9FFF}').contains(&c);
        if template.name.is_empty() || template.name.chars().count() > 60 || !template.name.chars().all(is_fit) {
            return Err(bad("a name is of small letters, digits, _ and Chinese characters, 60 at most".into()));
        }
        if template.blocks.is_empty() {
            return Err(bad("no fields".into()));
        }
        for (i, block) in template.blocks.iter().enumerate() {
            if template.blocks.iter().skip(i + 1).any(|other| other.id == block.id) {
                return Err(bad(format!("two blocks of the id {}", block.id)));
            }
        }
        let applies = &template.applies;
        if !matches!(applies.sex.as_str(), "" | "M" | "F") {
            return Err(bad(format!("sex {}: M or F", applies.sex)));
        }
        if applies.age_from.zip(applies.age_below).is_some_and(|(from, below)| from >= below) {
            return Err(bad("nobody is of that age".into()));
        }
        Ok(template)
    }

    /// A template that comes with the program.
    #[must_use]
    pub fn builtin(name: &str) -> Option<Self> {
        BUILTIN.iter().find(|template| template.name == name).cloned()
    }

    /// As [`Template::builtin`], with an error that lists what there is.
    ///
    /// # Errors
    /// [`Error::NoSuchTemplate`].
    pub fn named(name: &str) -> Result<Self> {
        let known = || BUILTIN.iter().map(|t| t.name.as_str()).collect::<Vec<_>>().join(", ");
        Self::builtin(name).ok_or_else(|| Error::NoSuchTemplate { name: name.into(), known: known() })
    }

    /// All templates that come with the program; the first is the one offered when none fits.
    #[must_use]
    pub fn all() -> &'static [Self] {
        &BUILTIN
    }

    /// How well the template fits a study: 0 not at all, the higher the better. Of another modality, for the other sex or
    /// another age it never fits; the code of the order says more than any words.
    #[must_use]
    pub fn fit(&self, of: &Occasion<'_>) -> u32 {
        let applies = &self.applies;
        let is_other_sex = matches!(of.sex, "M" | "F") && !applies.sex.is_empty() && applies.sex != of.sex;
        let is_other_age = of
            .age_years
            .is_some_and(|age| applies.age_from.is_some_and(|from| age < from) || applies.age_below.is_some_and(|below| age >= below));
        if is_other_sex || is_other_age || !applies.modality.iter().any(|m| of.modalities.contains(m)) {
            return 0;
        }
        let (code, description) = (of.order_code.trim(), of.description.to_lowercase());
        let by_code = !code.is_empty() && applies.order_codes.iter().any(|c| c == code);
        let by_part = applies.body_part.iter().any(|part| part.eq_ignore_ascii_case(of.body_part.trim()));
        let by_words = applies.words.iter().filter(|word| description.contains(word.as_str())).count();
        1 + u32::from(by_code) * 1_000_000 + u32::from(by_part) * 10 + u32::try_from(by_words).unwrap_or(u32::MAX).min(10_000) * 4
    }

    /// True where a line of a report leaves a place open that the template lets stay open: of a [`Field`] that only warns.
    #[must_use]
    pub fn may_stay_open(&self, block: &str, line: &str, lang: Lang) -> bool {
        let fields = self.blocks.iter().filter(|from| from.id == block).flat_map(|from| &from.fields);
        let of_line = fields.filter(|field| line.starts_with(&field.head(lang)));
        of_line.map(|field| field.at_signing).max() == Some(AtSigning::Warn)
    }

    /// Phrases offered for a field: what each part says when nothing was found, and the field's own phrase.
    #[must_use]
    pub fn phrases(&self, block: &str, lang: Lang) -> Vec<Phrase> {
        let from = self.blocks.iter().find(|from| from.id == block);
        let parts = from.into_iter().flat_map(|from| &from.parts);
        let of_parts = parts.map(|part| Phrase { title: part.title.get(lang).into(), text: part.normal(lang) });
        let whole = from.and_then(|from| Some((from, from.normal.as_ref()?)));
        let of_fields = from.into_iter().flat_map(|from| &from.fields).flat_map(|field| field.phrases(lang));
        let of_parts = of_parts.chain(of_fields);
        of_parts.chain(whole.map(|(from, normal)| Phrase { title: from.title.get(lang).into(), text: normal.get(lang).into() })).collect()
    }

    /// The part a finding belongs to: by the code of its site, else by the words in the names of site and kind.
    #[must_use]
    pub fn part_of(&self, finding: &Finding) -> Option<&Part> {
        let parts = || self.blocks.iter().flat_map(|block| &block.parts);
        let site = finding.site.as_ref();
        let by_code = site.and_then(|site| parts().find(|part| part.sites.contains(&site.code)));
        let by_name = |name: &Code| {
            let heaviest = parts().map(|part| part.weight(name)).max().filter(|&w| w > 0)?;
            parts().find(|part| part.weight(name) == heaviest)
        };
        by_code.or_else(|| site.and_then(by_name)).or_else(|| by_name(&finding.kind))
    }
}

impl Document {
    /// A report as it begins: the template's fields with their first text and, in fields with parts, the
    /// clauses of normality.
    #[must_use]
    pub fn from_template(template: &Template, study: StudyUid, lang: Lang) -> Self {
        let blocks = template.blocks.iter().map(|from| {
            let parts = from.parts.iter().map(|part| part.normal(lang));
            let lines: Vec<String> = parts.chain(from.fields.iter().filter_map(|field| field.first(lang))).collect();
            let first = from.text.get(lang);
            let text = if first.is_empty() { lines.join("\n") } else { [&[first.to_owned()], lines.as_slice()].concat().join("\n") };
            let block = Block::new(&from.id, &from.title.zh, &from.title.en, from.kind);
            Block { text, is_required: from.required, ..block }
        });
        let blocks = blocks.collect();
        Self { id: mj_model::uid::fresh(), study, template: template.name.clone(), lang, revision: 0, blocks }
    }

    /// Fills the fields that the template takes from the study (the clinical history, the prior) where they are
    /// still empty. For a report that has no edits yet; forbidden characters are left out.
    pub fn prefill(&mut self, template: &Template, what: Prefill, text: &str) {
        let wanted = |id: &str| template.blocks.iter().any(|from| from.id == id && from.prefill == Some(what));
        for block in &mut self.blocks {
            if block.text.is_empty() && wanted(&block.id) {
                block.text = crate::document::clean(text).trim().to_owned();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_can_be_read_and_bears_its_name() {
        for (name, text) in FILES {
            let template = Template::parse(text).unwrap_or_else(|e| panic!("{name}: {e}"));
            assert_eq!(template.name, name);
            assert!(template.blocks.iter().any(|b| b.kind == BlockKind::Impression && b.required), "{name}");
        }
        assert_eq!(Template::all().len(), FILES.len());
        assert_eq!(Template::named("nothing").unwrap_err().to_string(), "there is no template of that name");
    }

    #[test]
    fn a_report_begins_with_what_is_normal() {
        let template = Template::builtin("chest_ct").unwrap();
        for lang in [Lang::Zh, Lang::En] {
            let doc = Document::from_template(&template, StudyUid::parse("1.2").unwrap(), lang);
            doc.validate().unwrap();
            let findings = doc.block("findings").unwrap();
            assert_eq!(findings.text.lines().count(), 7);
            assert!(doc.block("impression").unwrap().text.is_empty());
            assert_eq!((template.phrases("findings", lang).len(), template.phrases("impression", lang).len()), (7, 1));
            let mut filled = doc.clone();
            filled.prefill(&template, Prefill::ClinicalHistory, "咳嗽\u{FFFC}两周。\r\n");
            assert_eq!(filled.block("history").unwrap().text, "咳嗽两周。");
        }
    }

    /// The template that stands first in the shell's list, which keeps the order of equals.
    fn chosen(of: &Occasion<'_>) -> String {
        let mut all: Vec<&Template> = Template::all().iter().collect();
        all.sort_by_key(|template| std::cmp::Reverse(template.fit(of)));
        all.first().map(|template| template.name.clone()).unwrap()
    }

    #[test]
    fn the_study_chooses_its_template() {
        let cases = [
            ("CT", "CHEST", "", "chest_ct"),
            ("CT", "", "胸部CT平扫", "chest_ct"),
            ("CT", "", "肺部CT平扫+增强", "chest_ct"),
            ("CT", "", "CT Chest w/o contrast", "chest_ct"),
            ("CT", "", "CHEST ROUTINE", "chest_ct"),
            ("CT", "CHEST", "胸部CT平扫+三维重建", "chest_ct"),
            ("CT", "CHEST", "胸部CT（术前检查）", "chest_ct"),
            ("CT", "CHEST", "肺动脉CTA", "chest_ct"),
            ("CT", "CHEST", "胸部CT平扫 外伤", "chest_ct"),
            ("CT", "CHEST", "CT Chest PE protocol", "chest_ct"),
            ("CT", "", "肝脏三期增强", "liver_ct"),
            ("CT", "LIVER", "Abdomen", "liver_ct"),
            ("CT", "", "上腹部CT增强", "liver_ct"),
            ("CT", "ABDOMEN", "上腹部CT平扫+增强", "liver_ct"),
            ("CT", "", "CT Liver triphasic", "liver_ct"),
            ("CT", "", "CT Abdomen w contrast", "abdomen_ct"),
            ("CT", "ABDOMEN", "", "abdomen_ct"),
            ("CT", "", "腹部CT平扫", "abdomen_ct"),
            ("CT", "ABDOMEN", "双肾CT平扫+增强", "abdomen_ct"),
            ("CT", "", "泌尿系CT（CTU）", "abdomen_ct"),
            ("CT", "", "胰腺CT薄层增强", "abdomen_ct"),
            ("CT", "", "CT KUB stone protocol", "abdomen_ct"),
            ("CT", "", "全腹部CT增强", "abdomen_pelvis_ct"),
            ("CT", "ABDOMEN", "全腹CT平扫", "abdomen_pelvis_ct"),
            ("CT", "", "下腹部+盆腔CT平扫", "abdomen_pelvis_ct"),
            ("CT", "ABDOMEN", "CT Abdomen and Pelvis W contrast", "abdomen_pelvis_ct"),
            ("CT", "", "CT ABD/PEL W/O", "abdomen_pelvis_ct"),
            ("CT", "HEAD", "", "brain_ct"),
            ("CT", "BRAIN", "", "brain_ct"),
            ("CT", "", "头颅CT平扫", "brain_ct"),
            ("CT", "", "颅脑CT平扫", "brain_ct"),
            ("CT", "", "CT HEAD W/O CONTRAST", "brain_ct"),
            ("CT", "", "Brain CT", "brain_ct"),
            ("CT", "HEAD", "头颅CT平扫（外伤）", "brain_ct"),
            ("CT", "", "CT Head trauma", "brain_ct"),
            ("CT", "", "创伤全身CT", "trauma_ct"),
            ("CT", "", "多发伤 头胸腹盆CT平扫+增强", "trauma_ct"),
            ("CT", "", "全身CT平扫（外伤）", "trauma_ct"),
            ("CT", "", "Whole Body CT Trauma", "trauma_ct"),
            ("CT", "", "CT POLYTRAUMA PANSCAN", "trauma_ct"),
            ("CT", "CHEST", "胸部低剂量CT平扫", "ldct_screening"),
            ("CT", "", "低剂量螺旋CT肺癌筛查", "ldct_screening"),
            ("CT", "CHEST", "LDCT", "ldct_screening"),
            ("CT", "", "CT Chest Low Dose Lung Screening", "ldct_screening"),
            ("CT", "", "CT Lung Cancer Screening", "ldct_screening"),
            ("CT", "LIVER", "肝脏CT三期增强 肝癌复查", "liver_lirads"),
            ("CT", "LIVER", "CT Liver HCC LI-RADS", "liver_lirads"),
            ("CT", "", "肝脏三维重建 术前评估", "preop_liver_ct"),
            ("CT", "LIVER", "活体肝移植供体肝体积测量", "preop_liver_ct"),
            ("CT", "", "CT Liver volumetry FLR", "preop_liver_ct"),
            ("CT", "CHEST", "肺段三维重建（胸外科术前）", "preop_lung_ct"),
            ("CT", "", "CT Chest segmentectomy planning", "preop_lung_ct"),
            ("DX", "CHEST", "", "chest_xray"),
            ("CR", "", "胸部正侧位", "chest_xray"),
            ("DX", "", "胸片（床旁）", "chest_xray"),
            ("DX", "", "XR Chest PA and lateral", "chest_xray"),
            ("CR", "", "CXR portable", "chest_xray"),
            ("DX", "HAND", "左手正位片（骨龄）", "bone_age"),
            ("CR", "", "骨龄测定", "bone_age"),
            ("DX", "HAND", "XR Bone Age Left Hand", "bone_age"),
            ("MR", "", "颅脑MR平扫+DWI", "brain_mr"),
            ("MR", "HEAD", "", "brain_mr"),
            ("MR", "", "MRI Brain w/wo contrast", "brain_mr"),
            ("MR", "", "垂体MR动态增强", "brain_mr"),
            ("MR", "", "腰椎MR平扫", "lumbar_mr"),
            ("MR", "SPINE", "腰椎间盘MR平扫", "lumbar_mr"),
            ("MR", "LSPINE", "", "lumbar_mr"),
            ("MR", "", "MRI Lumbar Spine WO", "lumbar_mr"),
            ("MR", "", "MR L-SPINE", "lumbar_mr"),
            ("MR", "SPINE", "颈椎MR平扫", "cervical_mr"),
            ("MR", "", "MRI C-Spine without contrast", "cervical_mr"),
            ("MR", "", "MRI Cervical Spine", "cervical_mr"),
            ("MR", "", "胸椎MR平扫+增强", "spine_mr"),
            ("MR", "SPINE", "MRI Thoracic Spine", "spine_mr"),
            ("MR", "", "全脊柱MR", "spine_mr"),
            ("MR", "SPINE", "", "spine_mr"),
            ("MR", "", "左膝关节MR平扫", "knee_mr"),
            ("MR", "KNEE", "", "knee_mr"),
            ("MR", "", "MR Knee Right WO Contrast", "knee_mr"),
            ("MR", "", "肝脏MR平扫+普美显增强", "liver_lirads"),
            ("MR", "ABDOMEN", "MRI Liver with Eovist", "liver_lirads"),
            ("MG", "", "", "mammography"),
            ("MG", "BREAST", "双侧乳腺钼靶（CC+MLO）", "mammography"),
            ("MG", "", "MAMMO SCREENING BILATERAL TOMO", "mammography"),
            ("US", "", "甲状腺彩超", "thyroid_us"),
            ("US", "THYROID", "甲状腺及颈部淋巴结超声", "thyroid_us"),
            ("US", "", "US Thyroid", "thyroid_us"),
            // None fits: the first.
            ("NM", "", "全身骨显像", "chest_ct"),
            ("XA", "", "冠状动脉造影", "chest_ct"),
            ("", "", "", "chest_ct"),
        ];
        for (modality, body_part, description, wanted) in cases {
            let of = Occasion { modalities: &[modality.to_owned()], body_part, description, ..Occasion::default() };
            assert_eq!(chosen(&of), wanted, "{modality} {body_part} {description}");
        }
        let mr = Occasion { modalities: &["MR".to_owned()], body_part: "CHEST", description: "chest", ..Occasion::default() };
        assert_eq!(Template::all()[0].fit(&mr), 0);
    }

    #[test]
    fn sex_age_and_order_decide_before_words() {
        let modalities = ["DX".to_owned()];
        let hand =
            |age_years| Occasion { modalities: &modalities, description: "左手正位片（骨龄）", age_years, ..Occasion::default() };
        assert_eq!(chosen(&hand(Some(7.5))), "bone_age");
        assert_eq!(chosen(&hand(None)), "bone_age");
        assert_eq!(Template::builtin("bone_age").unwrap().fit(&hand(Some(45.0))), 0);
        let modalities = ["CT".to_owned()];
        let low_dose = |age_years| Occasion { modalities: &modalities, description: "胸部低剂量CT", age_years, ..Occasion::default() };
        assert_eq!((chosen(&low_dose(Some(6.0))).as_str(), chosen(&low_dose(Some(61.0))).as_str()), ("chest_ct", "ldct_screening"));

        let mut template = Template::builtin("abdomen_ct").unwrap();
        template.applies = Applies { sex: "F".into(), age_from: Some(18.0), order_codes: vec!["CT0815".into()], ..template.applies };
        let of = |sex, age_years, order_code| Occasion {
            modalities: &modalities,
            description: "头颅CT",
            sex,
            age_years,
            order_code,
            ..Occasion::default()
        };
        assert_eq!(template.fit(&of("F", Some(40.0), "")), 1);
        assert_eq!(template.fit(&of("", None, "")), 1);
        assert_eq!(template.fit(&of("O", Some(18.0), "")), 1);
        assert_eq!(template.fit(&of("M", Some(40.0), "CT0815")), 0);
        assert_eq!(template.fit(&of("F", Some(17.9), "CT0815")), 0);
        let head = Template::builtin("brain_ct").unwrap();
        assert!(head.fit(&of("F", Some(40.0), "CT0815")) > template.fit(&of("F", Some(40.0), "CT0816")));
        assert!(head.fit(&of("F", Some(40.0), "CT0815")) < template.fit(&of("F", Some(40.0), " CT0815 ")));
        assert_eq!(template.fit(&Occasion { modalities: &["MR".to_owned()], order_code: "CT0815", ..Occasion::default() }), 0);
    }

    #[test]
    fn ages_as_dicom_writes_them() {
        assert_eq!([age_years("058Y"), age_years("006M"), age_years(" 7Y ")], [Some(58.0), Some(0.5), Some(7.0)]);
        assert!(age_years("010D").is_some_and(|age| age < 0.03) && age_years("003W").is_some_and(|age| age < 0.06));
        assert_eq!(["", "Y", "58", "58岁", "-1Y", "058X", "1.5Y"].map(age_years), [None; 7]);
    }

    #[test]
    fn nobody_of_that_sex_or_age() {
        let text = FILES[0].1;
        let with = |line: &str| Template::parse(&text.replacen("[applies]\n", &format!("[applies]\n{line}\n"), 1));
        assert!(with("sex = \"F\"").is_ok() && with("age_from = 1.0").is_ok());
        assert!(with("sex = \"female\"").is_err() && with("age_from = 20.0\nage_below = 20.0").is_err());
    }

    /// A clause must be found in the field again, in its own line, and every template has cases.
    #[test]
    fn clauses_stand_once_in_their_field() {
        for template in Template::all() {
            assert!(template.cases.len() >= 2, "{}", template.name);
            for block in &template.blocks {
                for lang in [Lang::Zh, Lang::En] {
                    let lines: Vec<String> = block.parts.iter().map(|part| part.normal(lang)).collect();
                    let text = lines.join("\n");
                    for clause in block.parts.iter().flat_map(|part| &part.clauses) {
                        assert_eq!(text.matches(clause.get(lang)).count(), 1, "{}: {}", template.name, clause.get(lang));
                    }
                }
            }
        }
    }

    #[test]
    fn a_damaged_file_says_where() {
        assert!(matches!(Template::parse("name = 1"), Err(Error::BadFile { kind: "template", .. })));
    }
}

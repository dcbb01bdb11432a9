//! Report templates: data files that say which fields a report has and what stands in them at first.

use crate::document::{Block, BlockKind, Document, refuse_forbidden};
use crate::error::{Error, Result};
use mj_model::{Code, Finding, Lang, Side, StudyUid};
use serde::Deserialize;
use std::sync::LazyLock;

/// The files that come with the program, by name.
const FILES: [(&str, &str); 4] = [
    ("chest_ct", include_str!("../../../assets/templates/chest_ct.toml")),
    ("liver_ct", include_str!("../../../assets/templates/liver_ct.toml")),
    ("brain_ct", include_str!("../../../assets/templates/brain_ct.toml")),
    ("chest_xray", include_str!("../../../assets/templates/chest_xray.toml")),
];

static BUILTIN: LazyLock<Vec<Template>> = LazyLock::new(|| FILES.iter().filter_map(|(_, text)| Template::parse(text).ok()).collect());

/// A text in both languages.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
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
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
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
#[derive(Debug, Clone, PartialEq, Deserialize)]
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
    #[serde(default, rename = "case")]
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
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
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
}

/// What a field is filled with from the study when a report begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Prefill {
    /// The clinical history of the request.
    ClinicalHistory,
    /// The newest prior study.
    Prior,
}

/// A field of a template.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TemplateBlock {
    /// Id of the block.
    pub id: String,
    /// What it is for.
    pub kind: BlockKind,
    /// Its title.
    pub title: Both,
    /// True when a report cannot be signed while it is empty.
    #[serde(default)]
    pub required: bool,
    /// Text that stands there at first.
    #[serde(default)]
    pub text: Both,
    /// What is filled in from the study.
    #[serde(default)]
    pub prefill: Option<Prefill>,
    /// A phrase offered for a study without findings.
    #[serde(default)]
    pub normal: Option<Both>,
    /// Parts, a line each, that stand there at first with their clauses.
    #[serde(default, rename = "part")]
    pub parts: Vec<Part>,
}

/// A part of a field: a region of the body with what is said of it when nothing was found.
#[derive(Debug, Clone, PartialEq, Deserialize)]
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
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
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
#[derive(Debug, Clone, PartialEq, Deserialize)]
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
    /// [`Error::BadFile`] when it is not TOML of this shape, holds forbidden characters or two blocks of one id.
    pub fn parse(text: &str) -> Result<Self> {
        let bad = |why: String| Error::BadFile { kind: "template", why };
        let template: Self = toml::from_str(text).map_err(|e| bad(e.to_string()))?;
        refuse_forbidden(text.replace('\r', "").as_str())?;
        for (i, block) in template.blocks.iter().enumerate() {
            if template.blocks.iter().skip(i + 1).any(|other| other.id == block.id) {
                return Err(bad(format!("two blocks of the id {}", block.id)));
            }
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

    /// How well the template fits a study: 0 not at all, the higher the better.
    #[must_use]
    pub fn fit(&self, modalities: &[String], body_part: &str, description: &str) -> u32 {
        if !self.applies.modality.iter().any(|m| modalities.contains(m)) {
            return 0;
        }
        let description = description.to_lowercase();
        let by_part = self.applies.body_part.iter().any(|part| part.eq_ignore_ascii_case(body_part.trim()));
        let by_words = self.applies.words.iter().filter(|word| description.contains(word.as_str())).count();
        1 + u32::from(by_part) * 10 + u32::try_from(by_words).unwrap_or(u32::MAX - 20) * 4
    }

    /// Phrases offered for a field: what each part says when nothing was found, and the field's own phrase.
    #[must_use]
    pub fn phrases(&self, block: &str, lang: Lang) -> Vec<Phrase> {
        let from = self.blocks.iter().find(|from| from.id == block);
        let parts = from.into_iter().flat_map(|from| &from.parts);
        let of_parts = parts.map(|part| Phrase { title: part.title.get(lang).into(), text: part.normal(lang) });
        let whole = from.and_then(|from| Some((from, from.normal.as_ref()?)));
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
            let lines: Vec<String> = from.parts.iter().map(|part| part.normal(lang)).collect();
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
    fn chosen(modality: &str, part: &str, description: &str) -> String {
        let modalities = [modality.to_owned()];
        let mut all: Vec<&Template> = Template::all().iter().collect();
        all.sort_by_key(|template| std::cmp::Reverse(template.fit(&modalities, part, description)));
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
            ("CT", "", "肝脏三期增强", "liver_ct"),
            ("CT", "LIVER", "Abdomen", "liver_ct"),
            ("CT", "", "上腹部CT增强", "liver_ct"),
            ("CT", "", "CT Abdomen w contrast", "liver_ct"),
            ("CT", "HEAD", "", "brain_ct"),
            ("CT", "BRAIN", "", "brain_ct"),
            ("CT", "", "头颅CT平扫", "brain_ct"),
            ("CT", "", "颅脑CT平扫", "brain_ct"),
            ("CT", "", "CT HEAD W/O CONTRAST", "brain_ct"),
            ("CT", "", "Brain CT", "brain_ct"),
            ("DX", "CHEST", "", "chest_xray"),
            ("CR", "", "胸部正侧位", "chest_xray"),
            ("DX", "", "胸片（床旁）", "chest_xray"),
            ("DX", "", "XR Chest PA and lateral", "chest_xray"),
            ("CR", "", "CXR portable", "chest_xray"),
            // None fits: the first.
            ("US", "", "甲状腺彩超", "chest_ct"),
        ];
        for (modality, part, description, wanted) in cases {
            assert_eq!(chosen(modality, part, description), wanted, "{modality} {part} {description}");
        }
        assert_eq!(Template::all()[0].fit(&["MR".to_owned()], "CHEST", "chest"), 0);
    }

    #[test]
    fn a_damaged_file_says_where() {
        assert!(matches!(Template::parse("name = 1"), Err(Error::BadFile { kind: "template", .. })));
    }
}

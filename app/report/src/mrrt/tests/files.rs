//! Templates of two societies, where the test data is: what came in against what stands in the source.

use super::comes_back;
use crate::document::{BlockKind, Document};
use crate::mrrt::read;
use crate::template::{FieldKind, Template};
use mj_model::{Lang, StudyUid};

/// What a page has to fill in, or what came of it.
#[derive(Debug, PartialEq, Eq)]
struct Counts {
    lists: usize,
    options: usize,
    boxes: usize,
    radios: usize,
    /// Inputs for text, numbers, dates.
    inputs: usize,
}

#[test]
fn every_file_comes_in_whole() {
    let Some(folder) = mj_testdata::path("report_templates") else { return };
    let mut rows = Vec::new();
    for set in ["drg_mrrt", "radreport_de"] {
        let files = std::fs::read_dir(folder.join(set)).unwrap().map(|e| e.unwrap().path());
        for file in files.filter(|f| f.extension().is_some_and(|e| e == "html")) {
            let html = std::fs::read_to_string(&file).unwrap();
            let name = file.file_name().unwrap().to_string_lossy().into_owned();
            let template = read(&html).unwrap_or_else(|e| panic!("{name}: {e}")).template;
            let source = Source::of(&html);
            let (wanted, got) = (source.counts(), counts(&template, &source));
            looks_right(&name, &template, &source);
            comes_back(&template, &name);
            rows.push((name, wanted, got));
        }
    }
    rows.sort_by(|a, b| a.0.cmp(&b.0));
    let table: Vec<String> = rows.iter().map(|(name, wanted, got)| format!("{name}: {wanted:?}, came in {got:?}")).collect();
    assert!(rows.len() == 31 && rows.iter().all(|(_, wanted, got)| wanted == got), "{}", table.join("\n"));
}

fn looks_right(name: &str, template: &Template, source: &Source) {
    let blocks = &template.blocks;
    assert!([BlockKind::Findings, BlockKind::Impression].iter().all(|kind| blocks.iter().any(|b| b.kind == *kind)), "{name}");
    let titles: Vec<&str> = blocks.iter().flat_map(|b| b.title.en.split(" / ")).collect();
    for header in source.headers() {
        assert!(titles.contains(&header.as_str()), "{name}: no field of the section {header} in {titles:?}");
    }
    for block in blocks {
        let mut fields: Vec<&str> = block.fields.iter().map(|f| f.title.en.as_str()).collect();
        fields.sort_unstable();
        assert!(fields.iter().all(|title| !title.is_empty()) && fields.windows(2).all(|two| two[0] != two[1]), "{name}: {fields:?}");
        for field in &block.fields {
            let fits = field.text.en.is_empty() || field.choices.is_empty() || field.choices.iter().any(|c| c.en == field.text.en);
            assert!(fits, "{name}: {field:?}");
        }
    }
    // The text of each text area stands in a field.
    for (_, text) in source.elements("textarea") {
        let words = words(&text);
        let has = |held: &str| self::words(held) == words;
        let found = blocks.iter().any(|b| has(&b.text.en) || b.fields.iter().any(|f| has(&f.text.en)));
        assert!(words.is_empty() || found, "{name}: {text}");
    }
    Document::from_template(template, StudyUid::parse("1.2").unwrap(), Lang::Zh).validate().unwrap();
}

fn counts(template: &Template, source: &Source) -> Counts {
    let fields = || template.blocks.iter().flat_map(|b| &b.fields);
    let is_radio = |id: &str| id.starts_with("radio:");
    let lists = || fields().filter(|f| matches!(f.kind, FieldKind::One | FieldKind::Many) && !is_radio(&f.id));
    let ids_of = |name: &str| -> Vec<String> {
        let id =
            |tag: &str| ["id", "name", "data-field", "data-f"].iter().find_map(|name| attribute(tag, name)).unwrap_or_default().to_owned();
        source.elements(name).iter().map(|(tag, _)| id(tag)).collect()
    };
    let areas = ids_of("textarea");
    // An id that stands twice has got a number.
    let bare = |id: &str| id.rsplit_once('_').filter(|(_, n)| n.parse::<u8>().is_ok()).map_or(id, |(bare, _)| bare).to_owned();
    let is_area = |id: &str| areas.iter().any(|area| area == id) || areas.contains(&bare(id)) && !ids_of("input").iter().any(|i| i == id);
    let is_input = |kind: FieldKind| !matches!(kind, FieldKind::One | FieldKind::Many | FieldKind::Check);
    Counts {
        lists: lists().count(),
        options: lists().map(|f| f.choices.len()).sum(),
        boxes: fields().filter(|f| f.kind == FieldKind::Check).count(),
        radios: fields().filter(|f| is_radio(&f.id)).map(|f| f.choices.len()).sum(),
        inputs: fields().filter(|f| is_input(f.kind) && !is_area(&f.id)).count(),
    }
}

/// A page as text, without its comments: read without any parser, so that the reader is not measured by itself.
struct Source(String);

impl Source {
    fn of(html: &str) -> Self {
        let mut out = String::new();
        let mut rest = html;
        while let Some((before, after)) = rest.split_once("<!--") {
            out.push_str(before);
            rest = after.split_once("-->").map_or("", |(_, rest)| rest);
        }
        Self(out + rest)
    }

    /// Tags of a name with the text up to the element's end or the next of its kind.
    fn elements(&self, name: &str) -> Vec<(String, String)> {
        let (open, close) = (format!("<{name}"), format!("</{name}"));
        let pieces =
            self.0.split(open.as_str()).skip(1).filter(|piece| piece.starts_with(|c: char| c == '>' || c == '/' || c.is_whitespace()));
        // A `>` within quotes ends no tag.
        let end = |piece: &str| piece.match_indices('>').map(|(at, _)| at).find(|at| piece[..*at].matches('"').count().is_multiple_of(2));
        let parts = pieces.filter_map(|piece| end(piece).map(|at| (&piece[..at], &piece[at + 1..])));
        parts.map(|(tag, rest)| (tag.to_owned(), rest.split(close.as_str()).next().unwrap_or_default().to_owned())).collect()
    }

    fn counts(&self) -> Counts {
        let kind_of = |tag: &str| attribute(tag, "type").unwrap_or("text").to_lowercase();
        // A radio button without a value is the one for "nothing chosen".
        let says = self.elements("input").into_iter().filter(|(tag, _)| kind_of(tag) != "radio" || attribute(tag, "value") != Some(""));
        let inputs: Vec<String> = says.map(|(tag, _)| kind_of(&tag)).collect();
        let of = |names: &[&str]| inputs.iter().filter(|kind| names.contains(&kind.as_str())).count();
        let (boxes, radios) = (of(&["checkbox"]), of(&["radio"]));
        let lists = self.elements("select");
        let options = lists.iter().flat_map(|(_, within)| Self(within.clone()).elements("option").into_iter().enumerate());
        // The first may be a dash; a value that is empty is no choice anywhere.
        let is_choice = |(i, (tag, text)): &(usize, (String, String))| {
            attribute(tag, "value") != Some("") && (*i > 0 || words(text).chars().any(char::is_alphanumeric))
        };
        Counts {
            lists: lists.len(),
            options: options.filter(is_choice).count(),
            boxes,
            radios,
            inputs: inputs.len() - boxes - radios - of(&["hidden", "button", "submit", "reset", "file", "image"]),
        }
    }

    /// Headers of sections, as far as they are plain words.
    fn headers(&self) -> Vec<String> {
        let headers = self.elements("header").into_iter().map(|(_, text)| words(&text).trim_end_matches(':').to_owned());
        headers.filter(|text| !text.is_empty() && !text.contains(['<', '&'])).collect()
    }
}

fn attribute<'a>(tag: &'a str, name: &str) -> Option<&'a str> {
    let at = [' ', '\n', '\t'].iter().find_map(|blank| tag.split_once(&format!("{blank}{name}=\"")))?.1;
    at.split('"').next()
}

fn words(text: &str) -> String {
    let dashes = ["&nbsp;", "&mdash;", "&ndash;"].iter().fold(text.to_owned(), |text, entity| text.replace(entity, " "));
    dashes.split_whitespace().collect::<Vec<_>>().join(" ")
}

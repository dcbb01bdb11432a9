//! From MRRT's HTML to a template.

use crate::document::{BlockKind, clean};
use crate::error::{Error, Result};
use crate::template::{Applies, AtSigning, Both, Field, FieldKind, Template, TemplateBlock};
use dom_query::{Document as Html, NodeId, NodeRef};
use std::collections::HashMap;

/// More than any template needs. Units: bytes.
const MOST_BYTES: usize = 2 << 20;
/// Deeper than any form is nested; what is deeper is no template.
const MOST_DEPTH: usize = 200;
/// More fields than a person would fill in.
const MOST_FIELDS: usize = 4000;

/// A template as it came in.
#[derive(Debug, Clone, PartialEq)]
pub struct Imported {
    /// The template. It has the file's one language for both.
    pub template: Template,
    /// What the file holds that a report has no place for, a sentence each.
    pub left_out: Vec<String>,
}

/// The text of a file: UTF-8, UTF-16 with its mark, or what its meta element says.
#[must_use]
pub fn decode(bytes: &[u8]) -> String {
    if let Some((encoding, _)) = encoding_rs::Encoding::for_bom(bytes) {
        return encoding.decode(bytes).0.into_owned();
    }
    if let Ok(text) = std::str::from_utf8(bytes) {
        return text.to_owned();
    }
    let head = String::from_utf8_lossy(bytes.get(..bytes.len().min(2048)).unwrap_or_default()).to_lowercase();
    let named = head.split("charset=").nth(1).map(|rest| {
        rest.trim_start_matches(['"', '\''])
            .split(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '-' | '_')))
            .next()
            .unwrap_or_default()
    });
    let encoding = named.and_then(|name| encoding_rs::Encoding::for_label(name.as_bytes())).unwrap_or(encoding_rs::WINDOWS_1252);
    encoding.decode(bytes).0.into_owned()
}

/// Reads a template from a file's text.
///
/// # Errors
/// [`Error::BadFile`] for a text that is too long, or in which no section has anything to fill in.
pub fn read(html: &str) -> Result<Imported> {
    let bad = |why: &str| Error::BadFile { kind: "template", why: why.into() };
    if html.len() > MOST_BYTES {
        return Err(bad("longer than 2 MiB"));
    }
    if is_nested_too_deep(html) {
        return Err(bad("elements within elements more than 200 deep"));
    }
    let page = Html::from(html);
    let mut form = Form::default();
    if let Some(body) = page.body() {
        if is_too_deep(&body) {
            return Err(bad("elements within elements more than 200 deep"));
        }
        form.labels = labels(&body);
        form.walk(&body);
    }
    let blocks: Vec<TemplateBlock> = form.blocks.iter().map(|(_, block)| block.clone()).collect();
    if blocks.iter().all(|block| block.fields.is_empty()) && form.n_texts == 0 {
        return Err(bad("no section with anything to fill in: not a report template in the form of IHE MRRT"));
    }
    let meta = |name: &str| {
        let metas = page.select("meta");
        let found = metas.nodes().iter().find(|m| m.attr("name").is_some_and(|n| n.eq_ignore_ascii_case(name)));
        found.and_then(|m| m.attr("content")).map(|c| tidy(&c)).unwrap_or_default()
    };
    let title = [meta("dcterms.title"), tidy(&page.select("title").text())].into_iter().find(|t| !t.is_empty()).unwrap_or_default();
    let id = meta("dcterms.identifier");
    let name = slug(if id.is_empty() { &title } else { &id });
    let mut left_out = form.left_out(&page);
    let mut blocks = blocks;
    complete(&mut blocks, &mut left_out);
    let about = format!("{title} {} {}", meta("dcterms.subject"), meta("rrt:modality"));
    let applies = Applies { modality: modalities(&about), words: words(&title), ..Applies::default() };
    let template = Template { name, title: both(&title), applies, blocks, cases: Vec::new() };
    Ok(Imported { template, left_out })
}

/// As [`is_too_deep`], of the text: a tree that deep takes long to be made. Elements whose end need not be written do not count.
fn is_nested_too_deep(html: &str) -> bool {
    const UNCLOSED: [&str; 19] = [
        "input", "br", "meta", "img", "link", "hr", "p", "li", "option", "td", "tr", "th", "dt", "dd", "col", "wbr", "base", "source",
        "!--",
    ];
    let mut depth = 0_usize;
    for tag in html.split('<').skip(1) {
        let name: String = tag.chars().take(16).take_while(|c| c.is_ascii_alphanumeric() || matches!(c, '/' | '!' | '-')).collect();
        let name = name.to_ascii_lowercase();
        match name.strip_prefix('/') {
            Some(name) if UNCLOSED.contains(&name) => {}
            Some(_) => depth = depth.saturating_sub(1),
            None if name.is_empty() || UNCLOSED.contains(&name.as_str()) || name.starts_with('!') => {}
            None => depth += 1,
        }
        if depth > 4 * MOST_DEPTH {
            return true;
        }
    }
    false
}

fn is_too_deep(body: &NodeRef<'_>) -> bool {
    let mut depths = HashMap::from([(body.id, 0)]);
    for node in body.descendants_it() {
        let depth = node.parent().and_then(|parent| depths.get(&parent.id).copied()).unwrap_or(0) + 1;
        if depth > MOST_DEPTH {
            return true;
        }
        depths.insert(node.id, depth);
    }
    false
}

/// Labels by the id of the input they name.
fn labels(body: &NodeRef<'_>) -> HashMap<String, String> {
    let is_label = |n: &NodeRef<'_>| n.node_name().is_some_and(|name| name.eq_ignore_ascii_case("label"));
    let named = body.descendants_it().filter(|n| is_label(n) && n.has_attr("for")).map(|n| (attr(&n, "for"), tidy(&own_text(&n))));
    named.filter(|(id, text)| !id.is_empty() && !text.is_empty()).collect()
}

/// A report needs a field for what was found and one for what it means.
fn complete(blocks: &mut Vec<TemplateBlock>, left_out: &mut Vec<String>) {
    if !blocks.iter().any(|b| b.kind == BlockKind::Findings) {
        let most = blocks.iter_mut().filter(|b| b.kind == BlockKind::Other).max_by_key(|b| b.fields.len());
        if let Some(block) = most {
            block.kind = BlockKind::Findings;
        }
    }
    if !blocks.iter().any(|b| b.kind == BlockKind::Impression) {
        left_out.push("no section for the impression: an empty one was added".into());
        let title = Both { zh: "诊断意见".into(), en: "Impression".into() };
        blocks.push(TemplateBlock { required: true, ..TemplateBlock::new("impression", BlockKind::Impression, title) });
    }
}

/// A section of the page, by its element and the heading within it.
type Key = (Option<NodeId>, Option<NodeId>);

/// The page while it is read, in the order of its text.
#[derive(Default)]
struct Form {
    blocks: Vec<(Key, TemplateBlock)>,
    /// Labels by the id of their input.
    labels: HashMap<String, String>,
    /// The last heading of each section.
    headings: Vec<(Option<NodeId>, NodeId, String)>,
    n_fields: usize,
    /// Places for the text of a section.
    n_texts: usize,
    n_hidden: usize,
}

impl Form {
    fn walk(&mut self, body: &NodeRef<'_>) {
        for node in body.descendants_it().filter(NodeRef::is_element) {
            let name = node.node_name().unwrap_or_default().to_ascii_lowercase();
            match name.as_str() {
                "h1" | "h2" | "h3" | "h4" | "legend" if !is_header(&node) => {
                    let text = tidy(&own_text(&node));
                    if !text.is_empty() {
                        self.headings.push((section_of(&node).map(|s| s.id), node.id, text));
                    }
                }
                "select" | "input" | "textarea" if self.n_fields < MOST_FIELDS => self.take(&node, &name),
                _ => {}
            }
        }
    }

    fn take(&mut self, node: &NodeRef<'_>, name: &str) {
        let kind = match (name, attr(node, "type").to_ascii_lowercase().as_str()) {
            ("input", "button" | "submit" | "reset" | "image" | "file") => return,
            ("input", "hidden") => {
                self.n_hidden += 1;
                return;
            }
            ("select", _) if node.has_attr("multiple") => FieldKind::Many,
            ("select", _) | ("input", "radio") => FieldKind::One,
            ("input", "checkbox") => FieldKind::Check,
            ("input", "number" | "range") => FieldKind::Number,
            ("input", "date" | "month" | "datetime-local") => FieldKind::Date,
            ("input", "time") => FieldKind::Time,
            _ => match attr(node, "data-field-type").to_ascii_uppercase().as_str() {
                "NUMBER" => FieldKind::Number,
                "DATE" => FieldKind::Date,
                "TIME" => FieldKind::Time,
                _ => FieldKind::Text,
            },
        };
        self.n_fields += 1;
        let at_signing = at_signing(node);
        let label = self.labels.get(&attr(node, "id")).cloned().unwrap_or_else(|| label_of(node));
        let label = label.trim_end_matches([':', '：', ' ']).to_owned();
        let block_title = self.block_of(node).title.zh.clone();
        if name == "textarea" && (label.is_empty() || label == block_title) {
            // The section's own text.
            self.n_texts += 1;
            let block = self.block_of(node);
            let text = clean(&node.text()).trim().to_owned();
            if block.text.zh.is_empty() {
                block.text = both(&text);
            }
            block.required |= at_signing != AtSigning::Silent;
            return;
        }
        let block = self.block_of(node);
        let id = [attr(node, "id"), attr(node, "name")].into_iter().find(|id| !id.is_empty()).unwrap_or_default();
        if attr(node, "type").eq_ignore_ascii_case("radio") {
            return radio(block, node, &label, at_signing);
        }
        let named = ["aria-label", "title", "data-en", "name", "placeholder", "id"].into_iter().map(|name| attr(node, name));
        let Some(title) = [label].into_iter().chain(named).find(|title| !title.is_empty()) else { return };
        let (choices, text) = content(node, kind, &title);
        let unit = ["data-field-units", "data-field-unit", "data-unit"].into_iter().map(|name| attr(node, name)).find(|u| !u.is_empty());
        let unit = unit.unwrap_or_default();
        block.fields.push(Field { id, title: both(&title), kind, choices, text: both(&text), unit, at_signing });
    }

    fn block_of(&mut self, node: &NodeRef<'_>) -> &mut TemplateBlock {
        let section = section_of(node);
        let within = section.as_ref().map(|s| s.id);
        let heading = self.headings.iter().rev().find(|(of, _, _)| *of == within);
        let key = (within, heading.map(|(_, id, _)| *id));
        let at = self.blocks.iter().position(|(known, _)| *known == key).unwrap_or_else(|| {
            let path: Vec<String> =
                section.iter().flat_map(path_of).chain(heading.map(|(_, _, text)| text.clone())).filter(|t| !t.is_empty()).collect();
            let title = if path.is_empty() { "Report".to_owned() } else { path.join(" / ") };
            let n = self.blocks.len() + 1;
            self.blocks.push((key, TemplateBlock::new(&format!("s{n}"), kind_of(&title), both(&title))));
            n - 1
        });
        &mut self.blocks[at].1
    }

    fn left_out(&self, page: &Html) -> Vec<String> {
        let mut out = Vec::new();
        let scripts = page.select("script").nodes().iter().filter(|s| !attr(s, "type").contains("xml")).count();
        if scripts > 0 {
            out.push(format!("{scripts} scripts: what they work out is not worked out here"));
        }
        let pictures = page.select("img, svg, canvas, video, iframe, object").length();
        if pictures > 0 {
            out.push(format!("{pictures} pictures or embedded pages"));
        }
        if self.n_hidden > 0 {
            out.push(format!("{} hidden fields", self.n_hidden));
        }
        if self.n_fields >= MOST_FIELDS {
            out.push(format!("fields beyond the first {MOST_FIELDS}"));
        }
        out
    }
}

/// Radio buttons of one name are one list to pick from; what stands before them names it.
fn radio(block: &mut TemplateBlock, node: &NodeRef<'_>, label: &str, at_signing: AtSigning) {
    let group = attr(node, "name");
    let value = attr(node, "value");
    let choice = both(if label.is_empty() { &value } else { label }.trim());
    if choice.zh.is_empty() {
        return;
    }
    let id = format!("radio:{group}");
    let is_checked = node.has_attr("checked");
    let at = block.fields.iter().position(|field| field.id == id && !group.is_empty());
    let at = at.unwrap_or_else(|| {
        let title = group_title(node).unwrap_or_else(|| group.clone());
        let blank = Field { id, title: both(&title), kind: FieldKind::One, ..Field::default() };
        block.fields.push(blank);
        block.fields.len() - 1
    });
    if let Some(field) = block.fields.get_mut(at) {
        if is_checked {
            field.text = choice.clone();
        }
        field.choices.push(choice);
        field.at_signing = field.at_signing.max(at_signing);
    }
}

/// What may be chosen, and what is filled in at first.
fn content(node: &NodeRef<'_>, kind: FieldKind, title: &str) -> (Vec<Both>, String) {
    match kind {
        FieldKind::One | FieldKind::Many => {
            let options: Vec<(String, bool)> = node
                .descendants_it()
                .filter(|n| n.node_name().is_some_and(|name| name.eq_ignore_ascii_case("option")))
                .map(|n| (tidy(&n.text()), n.has_attr("selected")))
                .filter(|(text, _)| !text.is_empty())
                .collect();
            // What nobody chose is not stated: only an entry that the file marks as chosen.
            let chosen: Vec<&str> = options.iter().filter(|(_, chosen)| *chosen).map(|(text, _)| text.as_str()).collect();
            let chosen = chosen.join(", ");
            (options.iter().map(|(text, _)| both(text)).collect(), chosen)
        }
        FieldKind::Check => (Vec::new(), if node.has_attr("checked") { title.to_owned() } else { String::new() }),
        _ if node.node_name().is_some_and(|n| n.eq_ignore_ascii_case("textarea")) => (Vec::new(), tidy(&node.text())),
        _ => (Vec::new(), tidy(&attr(node, "value"))),
    }
}

fn attr(node: &NodeRef<'_>, name: &str) -> String {
    node.attr(name).map(|value| value.trim().to_owned()).unwrap_or_default()
}

fn at_signing(node: &NodeRef<'_>) -> AtSigning {
    match attr(node, "data-field-completion-action").to_ascii_uppercase().as_str() {
        "PROHIBIT" => AtSigning::Block,
        "ALERT" => AtSigning::Warn,
        _ if node.has_attr("required") => AtSigning::Block,
        _ => AtSigning::Silent,
    }
}

/// The nearest section with a name.
fn section_of<'a>(node: &NodeRef<'a>) -> Option<NodeRef<'a>> {
    node.ancestors_it(None).find(|a| {
        a.node_name().is_some_and(|name| name.eq_ignore_ascii_case("section") || name.eq_ignore_ascii_case("fieldset"))
            && (a.has_attr("data-section-name") || header_of(a).is_some())
    })
}

/// Headings of a section and those around it, outermost first.
fn path_of(section: &NodeRef<'_>) -> Vec<String> {
    let mut out = vec![title_of(section)];
    let mut inner = *section;
    while let Some(outer) = section_of(&inner) {
        out.insert(0, title_of(&outer));
        inner = outer;
        if out.len() > 6 {
            break;
        }
    }
    out
}

fn title_of(section: &NodeRef<'_>) -> String {
    header_of(section).filter(|t| !t.is_empty()).unwrap_or_else(|| tidy(&attr(section, "data-section-name")))
}

/// The text of a section's own header.
fn header_of(section: &NodeRef<'_>) -> Option<String> {
    let header = section.children_it(false).find(|child| child.node_name().is_some_and(|name| name.eq_ignore_ascii_case("header")))?;
    Some(tidy(&own_text(&header)))
}

fn is_header(node: &NodeRef<'_>) -> bool {
    node.ancestors_it(None).any(|a| a.node_name().is_some_and(|name| name.eq_ignore_ascii_case("header")))
}

/// The words that name an input without a label of its own: the label around it, or the cell before it.
fn label_of(node: &NodeRef<'_>) -> String {
    let around = || {
        let label = node.ancestors_it(None).find(|a| a.node_name().is_some_and(|name| name.eq_ignore_ascii_case("label")))?;
        Some(tidy(&own_text(&label)))
    };
    let cell = || {
        let cell =
            node.ancestors_it(None).find(|a| a.node_name().is_some_and(|name| matches!(&*name.to_ascii_lowercase(), "td" | "th")))?;
        let before = cell.prev_element_sibling()?;
        Some(tidy(&own_text(&before)))
    };
    around().filter(|t| !t.is_empty()).or_else(cell).unwrap_or_default()
}

/// What names a group of radio buttons: the label or the cell around all of them.
fn group_title(node: &NodeRef<'_>) -> Option<String> {
    let group = attr(node, "name");
    let is_of_group = |n: &NodeRef<'_>| attr(n, "name") == group;
    node.ancestors_it(Some(6)).find_map(|a| {
        let text = own_text_but(&a, &|n| n.node_name().is_some_and(|name| name.eq_ignore_ascii_case("label")) && is_choice(n));
        let text = tidy(&text);
        // The group lies close together; a page of thousands is not gone through for every button.
        let holds_others = a.descendants_it().take(300).filter(is_of_group).nth(1).is_some();
        (holds_others && !text.is_empty() && text.chars().count() < 80).then(|| text.trim_end_matches([':', '：']).to_owned())
    })
}

/// A label of one button alone.
fn is_choice(label: &NodeRef<'_>) -> bool {
    label.has_attr("for")
        || label.descendants_it().filter(|n| n.node_name().is_some_and(|name| name.eq_ignore_ascii_case("input"))).count() == 1
}

fn own_text(node: &NodeRef<'_>) -> String {
    own_text_but(node, &|_| false)
}

/// Text of an element without that of the inputs within it, of labels within a label, and of what else is named.
fn own_text_but(node: &NodeRef<'_>, but: &dyn Fn(&NodeRef<'_>) -> bool) -> String {
    let mut out = String::new();
    for text in node.descendants_it().filter(NodeRef::is_text) {
        let is_inner = text.ancestors_it(None).take_while(|a| a.id != node.id).any(|a| {
            let name = a.node_name().map(|n| n.to_ascii_lowercase()).unwrap_or_default();
            matches!(&*name, "select" | "textarea" | "script" | "style" | "button" | "label") && (name != "label" || is_choice(&a))
                || but(&a)
        });
        if !is_inner {
            out.push_str(&text.text());
            out.push(' ');
        }
    }
    out
}

/// One line: blanks and line ends become one blank, what has no place in a report goes.
fn tidy(text: &str) -> String {
    clean(text).split_whitespace().collect::<Vec<_>>().join(" ")
}

fn both(text: &str) -> Both {
    Both { zh: text.to_owned(), en: text.to_owned() }
}

/// What a section is for, by its title in Chinese, English or German.
pub(super) fn kind_of(title: &str) -> BlockKind {
    let title = title.to_lowercase();
    let is = |words: &[&str]| words.iter().any(|word| title.contains(word));
    if is(&["impression", "beurteilung", "conclusion", "zusammenfassung", "诊断", "印象", "结论"]) {
        BlockKind::Impression
    } else if is(&["recommend", "empfehlung", "建议"]) {
        BlockKind::Recommendation
    } else if is(&["comparison", "vergleich", "voruntersuch", "对比"]) {
        BlockKind::Comparison
    } else if is(&["technique", "technik", "protocol", "protokoll", "procedure", "untersuchung", "kontrastmittel", "检查技术", "扫描"])
    {
        BlockKind::Technique
    } else if is(&["clinical", "klinisch", "anamnes", "indikation", "indication", "fragestellung", "history", "病史", "临床"]) {
        BlockKind::History
    } else if is(&["finding", "befund", "所见", "表现"]) {
        BlockKind::Findings
    } else {
        BlockKind::Other
    }
}

/// Modalities (0008,0060) that a text names.
fn modalities(about: &str) -> Vec<String> {
    let about = about.to_lowercase();
    let tokens: Vec<&str> = about.split(|c: char| !c.is_alphanumeric()).collect();
    let known: [(&str, &[&str]); 7] = [
        ("CT", &["ct", "cta", "ctpa"]),
        ("MR", &["mr", "mrt", "mri"]),
        ("US", &["us", "ultraschall", "ultrasound", "sonographie"]),
        ("DX", &["cr", "dx", "rx", "xr", "röntgen", "radiography", "rt"]),
        ("MG", &["mg", "mammographie", "mammography"]),
        ("PT", &["pet", "pt"]),
        ("NM", &["nm", "szintigraphie"]),
    ];
    let named = |words: &[&str]| words.iter().any(|word| tokens.contains(word));
    let mut out: Vec<String> = known.iter().filter(|(_, words)| named(words)).map(|(code, _)| (*code).to_owned()).collect();
    if out.contains(&"DX".to_owned()) {
        out.push("CR".into());
    }
    out
}

/// Words of a title by which a study may be known.
fn words(title: &str) -> Vec<String> {
    let lower = title.to_lowercase();
    lower.split(|c: char| !c.is_alphanumeric()).filter(|word| word.chars().count() > 3).map(str::to_owned).collect()
}

/// A name of a template: letters, digits and `_`.
pub(super) fn slug(text: &str) -> String {
    let mut out = String::new();
    for c in text.to_lowercase().chars() {
        match c {
            'a'..='z' | '0'..='9' | '\u{4E00}'..='\u{9FFF}' => out.push(c),
            _ if !out.is_empty() && !out.ends_with('_') => out.push('_'),
            _ => {}
        }
    }
    let out: String = out.trim_end_matches('_').chars().take(60).collect();
    if out.is_empty() { "template".into() } else { out }
}

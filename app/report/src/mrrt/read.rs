//! From MRRT's HTML to a template.

use super::codes::Codes;
use super::form::{Form, attr};
use super::words::{both, modalities, slug, tidy, words};
use crate::document::BlockKind;
use crate::error::{Error, Result};
use crate::template::{Applies, Both, FieldKind, Prefill, Template, TemplateBlock};
use dom_query::{Document as Html, NodeRef};
use std::collections::HashMap;

/// More than any template needs. Units: bytes.
pub const MOST_BYTES: usize = 2 << 20;
/// Deeper than any form is nested; what is deeper is no template.
const MOST_DEPTH: usize = 200;

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
    let Some(body) = page.body() else { return Err(bad("no page of HTML")) };
    if is_too_deep(&body) {
        return Err(bad("elements within elements more than 200 deep"));
    }
    let scripts = page.select("script");
    let codes = Codes::read(scripts.nodes().iter().filter(|s| attr(s, "type").contains("xml")).map(|s| s.text().to_string()));
    let form = Form::read(&body, &codes);
    if form.is_empty() {
        return Err(bad("no section with anything to fill in: not a report template in the form of IHE MRRT"));
    }
    let mut left_out = left_out(&page, &form, &codes);
    let mut blocks = form.into_blocks();
    complete(&mut blocks, &mut left_out);
    Ok(Imported { template: template_of(&page, blocks), left_out })
}

fn template_of(page: &Html, blocks: Vec<TemplateBlock>) -> Template {
    let meta = |name: &str| {
        let metas = page.select("meta");
        let found = metas.nodes().iter().find(|m| m.attr("name").is_some_and(|n| n.eq_ignore_ascii_case(name)));
        found.and_then(|m| m.attr("content")).map(|c| tidy(&c)).unwrap_or_default()
    };
    let title = [meta("dcterms.title"), tidy(&page.select("title").text())].into_iter().find(|t| !t.is_empty()).unwrap_or_default();
    let id = meta("dcterms.identifier");
    let name = slug(if id.is_empty() { &title } else { &id });
    let about = format!("{title} {} {}", meta("dcterms.subject"), meta("rrt:modality"));
    let applies = Applies { modality: modalities(&about), words: words(&title), ..Applies::default() };
    Template { name, title: both(&title), applies, blocks, cases: Vec::new() }
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

/// A report needs a field for what was found and one for what it means; history and comparison are filled from the study.
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
    for (kind, prefill) in [(BlockKind::History, Prefill::ClinicalHistory), (BlockKind::Comparison, Prefill::Prior)] {
        let is_blank = |b: &&mut TemplateBlock| b.kind == kind && b.text.zh.is_empty() && b.fields.is_empty();
        if let Some(block) = blocks.iter_mut().find(is_blank) {
            block.prefill = Some(prefill);
        }
    }
}

/// What the page holds that a report has no place for, and what is otherwise than it looks in a browser.
fn left_out(page: &Html, form: &Form<'_>, codes: &Codes) -> Vec<String> {
    let scripts = page.select("script").nodes().iter().filter(|s| !attr(s, "type").contains("xml")).count();
    let pictures = page.select("img, svg, canvas, video, iframe, object").length();
    let dependent = page.select("[data-show-if], [data-dependent-on], [dependent-on]").length();
    let handlers = page.select("[onclick], [onchange], [oninput]").length();
    let zeros = form.fields().filter(|f| f.kind == FieldKind::Number && f.text.zh.parse() == Ok(0.0)).count();
    let counted = [
        (scripts, "scripts: what they work out is not worked out here"),
        (handlers, "inputs that start a script: it does not run here"),
        (pictures, "pictures or embedded pages"),
        (dependent, "parts that appear only with others: here they are always offered"),
        (form.n_hidden, "hidden fields"),
        (form.n_nameless, "inputs without a name"),
        (form.n_beyond, "fields beyond the most that are taken"),
        (codes.n_unused(), "concepts of sections, or beyond the first of an input"),
        (zeros, "numbers begin with 0, as the file says: look at them before signing"),
    ];
    let mut out: Vec<String> = counted.iter().filter(|(n, _)| *n > 0).map(|(n, what)| format!("{n} {what}")).collect();
    if codes.is_broken {
        out.push("the list of concepts is not well-formed XML".into());
    }
    out
}

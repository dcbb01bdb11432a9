//! The form of a page: its sections, and what they have to fill in.

use super::codes::Codes;
use super::naming::{Naming, context_of, label_around};
use super::words::{both, kind_of, tidy, title_of_text};
use crate::document::{BlockKind, clean};
use crate::template::{AtSigning, Choice, Field, FieldKind, TemplateBlock};
use dom_query::{NodeId, NodeRef};
use std::collections::{HashMap, HashSet};

/// What stands between several that are chosen at first.
pub(super) const CHOSEN: &str = ", ";
/// More fields than a person would fill in.
const MOST_FIELDS: usize = 4000;
/// Units that stand as a hint in an empty number field.
const UNITS: [&str; 14] = ["mm", "cm", "m", "ml", "mL", "l", "HU", "HE", "kg", "g", "%", "°", "ms", "s"];

/// A section of the page, by its element and the heading within it.
type Key = (Option<NodeId>, Option<NodeId>);

/// A section while it is read.
struct Section {
    key: Key,
    block: TemplateBlock,
    /// What each of its fields belongs to, told where two have one title.
    contexts: Vec<String>,
}

/// The page while it is read, in the order of its text.
pub(super) struct Form<'a> {
    codes: &'a Codes,
    naming: Naming,
    blocks: Vec<Section>,
    /// Sections whose own text has been taken.
    with_text: HashSet<Key>,
    /// The last heading of each section.
    headings: Vec<(Option<NodeId>, NodeId, String)>,
    ids: HashSet<String>,
    /// How often an id was asked for.
    counts: HashMap<String, usize>,
    n_fields: usize,
    pub(super) n_hidden: usize,
    pub(super) n_nameless: usize,
    pub(super) n_beyond: usize,
}

impl<'a> Form<'a> {
    pub(super) fn read(body: &NodeRef<'_>, codes: &'a Codes) -> Self {
        let mut form = Self {
            codes,
            naming: Naming::of(body),
            blocks: Vec::new(),
            with_text: HashSet::new(),
            headings: Vec::new(),
            ids: HashSet::new(),
            counts: HashMap::new(),
            n_fields: 0,
            n_hidden: 0,
            n_nameless: 0,
            n_beyond: 0,
        };
        form.walk(body);
        form
    }

    /// True where nothing is to be filled in.
    pub(super) fn is_empty(&self) -> bool {
        self.with_text.is_empty() && self.fields().next().is_none()
    }

    pub(super) fn fields(&self) -> impl Iterator<Item = &Field> {
        self.blocks.iter().flat_map(|section| &section.block.fields)
    }

    /// The fields of a report, in which no two things to fill in have one title.
    pub(super) fn into_blocks(self) -> Vec<TemplateBlock> {
        let finished = |mut section: Section| {
            section.tell_apart();
            section.block
        };
        self.blocks.into_iter().map(finished).collect()
    }

    fn walk(&mut self, body: &NodeRef<'_>) {
        for node in body.descendants_it() {
            if node.is_text() {
                self.naming.hear(&node);
                continue;
            }
            match tag(&node).as_str() {
                "h1" | "h2" | "h3" | "h4" | "legend" if !is_within(&node, &["header"]) => {
                    self.naming.enter(&node, &tag(&node));
                    let text = title_of_text(&own_text(&node));
                    if !text.is_empty() {
                        self.headings.push((section_of(&node).map(|s| s.id), node.id, text));
                    }
                }
                name @ ("select" | "input" | "textarea") => self.meet(&node, name),
                name => self.naming.enter(&node, name),
            }
        }
    }

    fn meet(&mut self, node: &NodeRef<'_>, name: &str) {
        match (name, attr(node, "type").to_ascii_lowercase().as_str()) {
            ("input", "button" | "submit" | "reset" | "image" | "file") => {}
            ("input", "hidden") => self.n_hidden += 1,
            _ if self.n_fields >= MOST_FIELDS => self.n_beyond += 1,
            ("input", "radio") => {
                self.n_fields += 1;
                self.radio(node);
            }
            _ => {
                self.n_fields += 1;
                self.take(node, name);
            }
        }
    }

    fn take(&mut self, node: &NodeRef<'_>, name: &str) {
        let at_signing = at_signing(node);
        let key = self.key_of(node);
        let label = self.naming.label(node);
        let is_own = name == "textarea" && !self.with_text.contains(&key) && {
            let title = &self.block_of(node, key).title.zh;
            label.is_empty() || title.split(" / ").any(|part| part == label)
        };
        if is_own {
            self.with_text.insert(key);
            self.naming.forget();
            let block = self.block_of(node, key);
            block.text = both(clean(&node.text()).trim());
            block.required |= at_signing == AtSigning::Block;
            block.expected |= at_signing == AtSigning::Warn;
            return;
        }
        let title = self.naming.name(node, &label);
        let kind = kind_of_input(node, name);
        if title.is_empty() {
            self.n_nameless += 1;
            return;
        }
        let (choices, text) = self.content(node, kind);
        let code = self.codes.of(&attr(node, "id"), &attr(node, "data-radlex"), &title);
        let number = |name: &str| attr(node, name).parse::<f64>().ok().filter(|n| n.is_finite() && kind == FieldKind::Number);
        let (min, max) = (number("min"), number("max"));
        let (id, unit, context) = (self.fresh_id(node), unit_of(node, kind), context_of(node, &title));
        let field = Field { id, title: both(&title), kind, code, choices, text: both(&text), unit, min, max, at_signing };
        self.section_at(node, key).push(field, context);
    }

    /// The id of an input, or its name, made unlike those before it.
    fn fresh_id(&mut self, node: &NodeRef<'_>) -> String {
        let id = ["id", "name", "data-field", "data-f"].into_iter().map(|name| attr(node, name)).find(|id| !id.is_empty());
        let id = id.unwrap_or_else(|| format!("field_{}", self.n_fields));
        let fresh = numbered(&id, "_", "", &mut self.counts, |fresh| !self.ids.contains(fresh));
        self.ids.insert(fresh.clone());
        fresh
    }

    /// Radio buttons of one name are one list to pick from; what stands before them names it.
    fn radio(&mut self, node: &NodeRef<'_>) {
        let (group, value, key) = (attr(node, "name"), attr(node, "value"), self.key_of(node));
        let around = label_around(node);
        let label = [around, self.naming.label(node), value].into_iter().find(|l| !l.is_empty()).unwrap_or_default();
        if label.is_empty() {
            self.n_nameless += 1;
            return;
        }
        let is_first = group.is_empty() || !self.ids.contains(&format!("radio:{group}"));
        if is_first && is_mark(&label) || node.attr("value").is_some_and(|value| value.trim().is_empty()) {
            // The button for "nothing chosen".
            return;
        }
        let code = self.codes.of(&attr(node, "id"), &attr(node, "data-radlex"), &label);
        let (at_signing, is_checked) = (at_signing(node), node.has_attr("checked"));
        let id = if group.is_empty() { self.fresh_id(node) } else { format!("radio:{group}") };
        let section = self.section_at(node, key);
        let at = section.block.fields.iter().position(|field| field.id == id && !group.is_empty()).unwrap_or_else(|| {
            let title = group_title(node).unwrap_or_else(|| if group.is_empty() { label.clone() } else { group.clone() });
            let context = context_of(node, &title);
            section.push(Field { id: id.clone(), title: both(&title), kind: FieldKind::One, ..Field::default() }, context);
            section.block.fields.len() - 1
        });
        if let Some(field) = section.block.fields.get_mut(at) {
            if is_checked {
                field.text = both(&label);
            }
            field.choices.push(Choice { zh: label.clone(), en: label, code });
            field.at_signing = field.at_signing.max(at_signing);
        }
        self.ids.insert(id);
    }

    /// What may be chosen, and what is filled in at first.
    fn content(&self, node: &NodeRef<'_>, kind: FieldKind) -> (Vec<Choice>, String) {
        match kind {
            FieldKind::One | FieldKind::Many => self.choices(node),
            // Its text is its title, once that is known.
            FieldKind::Check => (Vec::new(), if node.has_attr("checked") { "x".to_owned() } else { String::new() }),
            _ if tag(node) == "textarea" => (Vec::new(), tidy(&node.text())),
            _ => (Vec::new(), tidy(&attr(node, "value"))),
        }
    }

    /// The options of a list. What nobody chose is not stated: only an option that the file marks as chosen is.
    fn choices(&self, node: &NodeRef<'_>) -> (Vec<Choice>, String) {
        let options: Vec<NodeRef<'_>> = node.descendants_it().filter(|n| tag(n) == "option").collect();
        let says_nothing = |n: &NodeRef<'_>, i: usize| {
            let text = tidy(&n.text());
            text.is_empty() || i == 0 && is_mark(&text) || n.attr("value").is_some_and(|value| value.trim().is_empty())
        };
        let (mut choices, mut chosen) = (Vec::new(), Vec::new());
        for (_, option) in options.iter().enumerate().filter(|(i, n)| !says_nothing(n, *i)) {
            let text = tidy(&option.text());
            if option.has_attr("selected") {
                chosen.push(text.clone());
            }
            let code = self.codes.of(&attr(option, "id"), &attr(option, "data-radlex"), &text);
            choices.push(Choice { zh: text.clone(), en: text, code });
        }
        (choices, chosen.join(CHOSEN))
    }

    fn key_of(&self, node: &NodeRef<'_>) -> Key {
        let within = section_of(node).map(|s| s.id);
        (within, self.headings.iter().rev().find(|(of, _, _)| *of == within).map(|(_, id, _)| *id))
    }

    fn block_of(&mut self, node: &NodeRef<'_>, key: Key) -> &mut TemplateBlock {
        &mut self.section_at(node, key).block
    }

    fn section_at(&mut self, node: &NodeRef<'_>, key: Key) -> &mut Section {
        let at = self.blocks.iter().position(|section| section.key == key).unwrap_or_else(|| {
            let block = self.new_block(node, key);
            self.blocks.push(Section { key, block, contexts: Vec::new() });
            self.blocks.len() - 1
        });
        &mut self.blocks[at]
    }

    fn new_block(&self, node: &NodeRef<'_>, key: Key) -> TemplateBlock {
        let section = section_of(node);
        let heading = self.headings.iter().rev().find(|(_, id, _)| Some(*id) == key.1).map(|(_, _, text)| text.clone());
        let path: Vec<String> = section.iter().flat_map(path_of).chain(heading).filter(|t| !t.is_empty()).collect();
        let title = if path.is_empty() { "Report".to_owned() } else { path.join(" / ") };
        let named = section.as_ref().map(|s| attr(s, "data-section-name")).unwrap_or_default();
        let kind = [kind_of(&path), kind_of(&[named])].into_iter().find(|kind| *kind != BlockKind::Other).unwrap_or(BlockKind::Other);
        let own_id = section.as_ref().filter(|_| key.1.is_none()).map(|s| attr(s, "id")).filter(|id| !id.is_empty());
        let is_free = |id: &String| !self.blocks.iter().any(|section| section.block.id == *id);
        let numbered = || (self.blocks.len() + 1..).map(|n| format!("s{n}")).find(is_free).unwrap_or_default();
        let id = own_id.filter(is_free).unwrap_or_else(numbered);
        let required = section.as_ref().is_some_and(|s| attr(s, "data-section-required").eq_ignore_ascii_case("true"));
        TemplateBlock { required, ..TemplateBlock::new(&id, kind, both(&title)) }
    }
}

fn kind_of_input(node: &NodeRef<'_>, name: &str) -> FieldKind {
    match (name, attr(node, "type").to_ascii_lowercase().as_str()) {
        ("select", _) if node.has_attr("multiple") => FieldKind::Many,
        ("select", _) => FieldKind::One,
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
    }
}

/// True for dashes and dots, which stand for nothing chosen.
fn is_mark(text: &str) -> bool {
    !text.chars().any(|c| c.is_alphanumeric() || c == '+')
}

fn unit_of(node: &NodeRef<'_>, kind: FieldKind) -> String {
    let named = ["data-field-units", "data-field-unit", "data-unit"].into_iter().map(|name| attr(node, name)).find(|u| !u.is_empty());
    let hint = || Some(attr(node, "placeholder")).filter(|hint| kind == FieldKind::Number && UNITS.contains(&hint.as_str()));
    named.or_else(hint).unwrap_or_default()
}

/// A text, or that text with the first number from 2 that makes it free. `counts` remembers the last number of each text.
fn numbered(text: &str, before: &str, after: &str, counts: &mut HashMap<String, usize>, is_free: impl Fn(&String) -> bool) -> String {
    let count = counts.entry(text.to_owned()).or_insert(0);
    loop {
        *count += 1;
        let candidate = if *count == 1 { text.to_owned() } else { format!("{text}{before}{count}{after}") };
        if is_free(&candidate) {
            return candidate;
        }
    }
}

impl Section {
    fn push(&mut self, field: Field, context: String) {
        self.block.fields.push(field);
        self.contexts.push(context);
    }

    /// Titles that stand twice get what they belong to before them, and a number where that is one, too.
    fn tell_apart(&mut self) {
        let mut count: HashMap<String, usize> = HashMap::new();
        for field in &self.block.fields {
            *count.entry(field.title.zh.clone()).or_default() += 1;
        }
        let (mut taken, mut counts) = (HashSet::new(), HashMap::new());
        for (field, context) in self.block.fields.iter_mut().zip(&self.contexts) {
            let title = field.title.zh.clone();
            let is_vague = count.get(&title).is_some_and(|n| *n > 1) || title.chars().count() < 4;
            let title = if is_vague && !context.is_empty() { format!("{context} – {title}") } else { title };
            let title = numbered(&title, " (", ")", &mut counts, |title| !taken.contains(title));
            taken.insert(title.clone());
            if field.kind == FieldKind::Check && !field.text.zh.is_empty() {
                field.text = both(&title);
            }
            field.title = both(&title);
        }
    }
}

fn at_signing(node: &NodeRef<'_>) -> AtSigning {
    match attr(node, "data-field-completion-action").to_ascii_uppercase().as_str() {
        "PROHIBIT" => AtSigning::Block,
        "ALERT" => AtSigning::Warn,
        _ if node.has_attr("required") => AtSigning::Block,
        _ => AtSigning::Silent,
    }
}

/// What names a group of radio buttons: the label or the cell around all of them.
fn group_title(node: &NodeRef<'_>) -> Option<String> {
    let group = attr(node, "name");
    let is_of_group = |n: &NodeRef<'_>| attr(n, "name") == group;
    node.ancestors_it(Some(6)).find_map(|a| {
        // The group lies close together; a page of thousands is not gone through for every button.
        let holds_others = a.descendants_it().take(300).filter(is_of_group).nth(1).is_some();
        let text = holds_others.then(|| title_of_text(&own_text(&a)))?;
        (!text.is_empty() && text.chars().count() < 80).then_some(text)
    })
}

/// An attribute, trimmed; empty where there is none.
pub(super) fn attr(node: &NodeRef<'_>, name: &str) -> String {
    node.attr(name).map(|value| value.trim().to_owned()).unwrap_or_default()
}

/// The name of an element in lower case; empty for what is none.
pub(super) fn tag(node: &NodeRef<'_>) -> String {
    node.node_name().map(|name| name.to_ascii_lowercase()).unwrap_or_default()
}

/// True within an element of one of these names.
pub(super) fn is_within(node: &NodeRef<'_>, names: &[&str]) -> bool {
    node.ancestors_it(None).any(|a| names.contains(&tag(&a).as_str()))
}

/// The nearest section with a name.
fn section_of<'n>(node: &NodeRef<'n>) -> Option<NodeRef<'n>> {
    node.ancestors_it(None)
        .find(|a| matches!(tag(a).as_str(), "section" | "fieldset") && (a.has_attr("data-section-name") || header_of(a).is_some()))
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
    header_of(section).filter(|t| !t.is_empty()).unwrap_or_else(|| title_of_text(&attr(section, "data-section-name")))
}

/// The text of a section's own header.
fn header_of(section: &NodeRef<'_>) -> Option<String> {
    let header = section.children_it(false).take(50).find(|child| tag(child) == "header")?;
    Some(title_of_text(&own_text(&header)))
}

/// Text of an element without that of the inputs within it and of their labels.
pub(super) fn own_text(node: &NodeRef<'_>) -> String {
    text_without(node, &["select", "textarea", "script", "style", "button", "label"])
}

/// Text of an element without that of some elements within it.
pub(super) fn text_without(node: &NodeRef<'_>, names: &[&str]) -> String {
    let mut out = String::new();
    // A name is short: a page of one huge cell is not gone through for every input in it.
    for text in node.descendants_it().take(1000).filter(NodeRef::is_text) {
        if out.len() > 2000 {
            break;
        }
        let mut within = text.ancestors_it(None).take_while(|a| a.id != node.id);
        if !within.any(|a| names.contains(&tag(&a).as_str())) {
            out.extend(text.text().chars().take(2000));
            out.push(' ');
        }
    }
    out
}

//! What an input is called: its label, or the words that stand before it where a reader of the page would look.

use super::form::{attr, is_within, own_text, tag, text_without};
use super::words::title_of_text;
use dom_query::{NodeId, NodeRef};
use std::collections::HashMap;

/// Longer text before an input explains and does not name. Units: characters.
const MOST_CHARS: usize = 100;

/// A label as it stands on the page.
struct Label {
    /// The row it stands in.
    row: Option<NodeId>,
    text: String,
}

/// What was read of the page last. A row is a line of a table, a paragraph, or a box.
pub(super) struct Naming {
    /// Labels by the id of the input they name. Pages that were made by copying name one input twice.
    labels: HashMap<String, Vec<Label>>,
    /// Text since the last input or the start of the row.
    heard: String,
    /// Text of the last row that had no input.
    heading: String,
    row: Option<NodeId>,
    /// What the inputs of the row are about.
    row_name: String,
}

impl Naming {
    pub(super) fn of(body: &NodeRef<'_>) -> Self {
        let mut labels: HashMap<String, Vec<Label>> = HashMap::new();
        for label in body.descendants_it().filter(|n| tag(n) == "label" && n.has_attr("for")) {
            let text = title_of_text(&own_text(&label));
            if !text.is_empty() {
                labels.entry(attr(&label, "for")).or_default().push(Label { row: row_of(&label), text });
            }
        }
        Self { labels, heard: String::new(), heading: String::new(), row: None, row_name: String::new() }
    }

    /// Takes in a text as it stands on the page.
    pub(super) fn hear(&mut self, text: &NodeRef<'_>) {
        const NO_NAMES: [&str; 13] =
            ["select", "textarea", "script", "style", "button", "header", "legend", "h1", "h2", "h3", "h4", "title", "summary"];
        // Longer text is no name, and need not be gone through again for every input.
        if self.heard.len() < 2000 && !is_within(text, &NO_NAMES) {
            self.heard.extend(text.text().chars().take(2000));
            self.heard.push(' ');
        }
    }

    /// An element begins.
    pub(super) fn enter(&mut self, node: &NodeRef<'_>, name: &str) {
        if is_row(name) {
            self.leave_row();
            self.row = Some(node.id);
        }
        if matches!(name, "section" | "fieldset" | "h1" | "h2" | "h3" | "h4") {
            self.heading.clear();
        }
    }

    fn leave_row(&mut self) {
        let text = trimmed(&self.heard);
        if !text.is_empty() && self.row_name.is_empty() {
            self.heading = text;
        }
        self.row_name.clear();
        self.heard.clear();
    }

    /// What was heard belongs to no further input.
    pub(super) fn forget(&mut self) {
        self.heard.clear();
    }

    /// The label of an input, from its own row or around it. A copied page may have a label of another row for it, too.
    pub(super) fn label(&self, node: &NodeRef<'_>) -> String {
        let row = row_of(node);
        let labels = self.labels.get(&attr(node, "id")).map(Vec::as_slice).unwrap_or_default();
        let here = labels.iter().find(|label| label.row == row).map(|label| label.text.clone());
        let around = || Some(label_around(node)).filter(|text| !text.is_empty());
        // What stands before it in its own row names it better than a label elsewhere.
        let is_first = self.row != row || self.row_name.is_empty();
        let words_here = self.row == row && is_first && !trimmed(&self.heard).is_empty();
        let elsewhere = || labels.first().filter(|_| !words_here).map(|label| label.text.clone());
        here.or_else(around).or_else(elsewhere).unwrap_or_default()
    }

    /// What an input with this label is called; empty where nothing names it.
    pub(super) fn name(&mut self, node: &NodeRef<'_>, label: &str) -> String {
        let row = row_of(node);
        if self.row != row {
            self.leave_row();
            self.row = row;
        }
        let (words, begins_anew) = (trimmed(&self.heard), begins_anew(&self.heard));
        self.heard.clear();
        let attributes = ["aria-label", "title", "placeholder"].into_iter().map(|name| title_of_text(&attr(node, name)));
        let attribute = attributes.into_iter().find(|text| text.chars().count() > 2).unwrap_or_default();
        let is_first = self.row_name.is_empty();
        if is_first {
            if !label.is_empty() || !words.is_empty() {
                // It was the head of another line.
                self.heading.clear();
            }
            self.row_name = [label, &words, &self.heading].into_iter().find(|t| !t.is_empty()).unwrap_or_default().to_owned();
        }
        if !label.is_empty() {
            return label.to_owned();
        }
        if begins_anew && !is_first {
            self.row_name.clone_from(&words);
        }
        let head = column_head(node);
        let of_column = head.filter(|head| !is_first || *head != self.row_name);
        let what = if is_first || begins_anew {
            of_column
        } else {
            [words, of_column.unwrap_or_default(), attribute.clone()].into_iter().find(|t| !t.is_empty())
        };
        let named = ["data-en", "name", "id"].into_iter().map(|name| attr(node, name)).find(|text| !text.is_empty());
        match (self.row_name.as_str(), what) {
            ("", Some(what)) => what,
            ("", None) => [attribute, named.unwrap_or_default()].into_iter().find(|t| !t.is_empty()).unwrap_or_default(),
            (row, Some(what)) => format!("{row} – {what}"),
            (row, None) => row.to_owned(),
        }
    }
}

/// What an input belongs to besides its title: the first cell of its line in a table, or a label around several.
pub(super) fn context_of(node: &NodeRef<'_>, title: &str) -> String {
    let head = |a: NodeRef<'_>| match tag(&a).as_str() {
        "tr" => {
            let first = cells_of(&a).into_iter().next().filter(|cell| !node.ancestors_it(None).any(|n| n.id == cell.id))?;
            Some(trimmed(&text_without(&first, &["select", "textarea", "script", "button"])))
        }
        "label" => Some(trimmed(&own_text(&a))),
        _ => None,
    };
    let heads = node.ancestors_it(None).filter_map(head);
    heads.into_iter().find(|text| !text.is_empty() && text != title && !title.starts_with(text.as_str())).unwrap_or_default()
}

/// The text of the label around an input.
pub(super) fn label_around(node: &NodeRef<'_>) -> String {
    let label = node.ancestors_it(None).find(|a| tag(a) == "label");
    label.map(|label| title_of_text(&own_text(&label))).unwrap_or_default()
}

fn is_row(name: &str) -> bool {
    matches!(name, "tr" | "p" | "li" | "div" | "dd" | "section" | "fieldset" | "body")
}

fn row_of(node: &NodeRef<'_>) -> Option<NodeId> {
    node.ancestors_it(None).find(|a| is_row(&tag(a))).map(|a| a.id)
}

/// True for words that end with a colon and stand in no brackets: they name what follows, whatever the row is about.
fn begins_anew(heard: &str) -> bool {
    let heard = heard.trim();
    heard.ends_with([':', '：']) && !heard.contains('(')
}

/// Words without the signs around them; empty where they are too long or say nothing.
fn trimmed(heard: &str) -> String {
    let text = title_of_text(heard);
    // What stands in brackets that are still open: "cm (Bild" is about the picture.
    let text = text.rsplit_once('(').filter(|(_, within)| !within.contains(')')).map_or(text.as_str(), |(_, within)| within);
    let text =
        text.trim_start_matches(|c: char| !c.is_alphanumeric()).trim_end_matches(|c: char| !c.is_alphanumeric() && !")%°".contains(c));
    let says_nothing = matches!(text, "x" | "X") || text.chars().count() > MOST_CHARS;
    if says_nothing { String::new() } else { text.to_owned() }
}

/// The head of the column that an input stands in, of a table whose first row has only heads.
fn column_head(node: &NodeRef<'_>) -> Option<String> {
    let cell = node.ancestors_it(None).find(is_cell)?;
    let row = cell.parent()?;
    let table = cell.ancestors_it(None).find(|a| tag(a) == "table")?;
    let first = table.descendants_it().find(|n| tag(n) == "tr").filter(|first| first.id != row.id)?;
    let (heads, cells) = (cells_of(&first), cells_of(&row));
    let has_input = first.descendants_it().any(|n| matches!(tag(&n).as_str(), "input" | "select" | "textarea"));
    if has_input || heads.len() < 3 || heads.len() != cells.len() {
        return None;
    }
    let at = cells.iter().position(|c| c.id == cell.id)?;
    heads.get(at).map(|head| title_of_text(&own_text(head))).filter(|text| !text.is_empty())
}

fn is_cell(node: &NodeRef<'_>) -> bool {
    matches!(tag(node).as_str(), "td" | "th")
}

fn cells_of<'n>(row: &NodeRef<'n>) -> Vec<NodeRef<'n>> {
    // More columns has no form.
    row.children_it(false).filter(is_cell).take(100).collect()
}

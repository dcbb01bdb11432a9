//! The concepts that a page names for its inputs and choices (MRRT 8.1.3, coded_content).

use super::words::tidy;
use mj_model::Code;
use std::cell::RefCell;
use std::collections::{HashMap, HashSet};

/// Concepts by the id of the element they are of.
#[derive(Debug, Default)]
pub(super) struct Codes {
    by_id: HashMap<String, Code>,
    /// How many are named in all.
    n: usize,
    /// Ids of those that came into the template.
    used: RefCell<HashSet<String>>,
    /// True when there is a list of concepts that is not well-formed.
    pub(super) is_broken: bool,
}

impl Codes {
    /// Reads the contents of a page's XML scripts.
    pub(super) fn read(scripts: impl Iterator<Item = String>) -> Self {
        let mut codes = Self::default();
        for script in scripts {
            // It may stand in a comment, so that old browsers do not show it.
            let xml = script.trim().trim_start_matches("<!--").trim_end_matches("-->").trim();
            match roxmltree::Document::parse(xml) {
                Ok(xml) => codes.take(&xml),
                Err(_not_xml) => codes.is_broken |= xml.contains("<coded_content"),
            }
        }
        codes
    }

    fn take(&mut self, xml: &roxmltree::Document<'_>) {
        for entry in xml.descendants().filter(|n| n.has_tag_name("entry")) {
            let id = entry.attributes().find(|a| a.name().eq_ignore_ascii_case("origtxt")).map(|a| tidy(a.value()));
            let Some(code) = entry.descendants().find(|n| n.has_tag_name("code")) else { continue };
            let part = |name: &str| tidy(code.attribute(name).unwrap_or_default());
            let (value, meaning, scheme) = (part("value"), part("meaning"), part("scheme"));
            if let Some(id) = id.filter(|_| !value.is_empty()) {
                self.n += 1;
                self.by_id.entry(id).or_insert_with(|| Code::new(&designator(&scheme), &value, &meaning, &meaning));
            }
        }
    }

    /// Concepts that did not come in: of elements that are no inputs, and further ones of an input that has one.
    pub(super) fn n_unused(&self) -> usize {
        self.n - self.used.borrow().len().min(self.n)
    }

    /// The concept of an element, by its id or by the RadLex number that stands on it.
    pub(super) fn of(&self, id: &str, radlex: &str, meaning: &str) -> Option<Code> {
        let known = self.by_id.get(id).cloned().inspect(|_| {
            self.used.borrow_mut().insert(id.to_owned());
        });
        known.or_else(|| radlex.starts_with("RID").then(|| Code::new("RADLEX", radlex, meaning, meaning)))
    }
}

/// Coding Scheme Designators of PS3.16 §8 for names as they stand in such pages.
fn designator(scheme: &str) -> String {
    match scheme.to_ascii_uppercase().as_str() {
        "SNOMEDCT" | "SNOMED-CT" | "SNOMED CT" | "SNOMED" => "SCT".into(),
        "LOINC" => "LN".into(),
        upper @ ("RADLEX" | "DCM" | "UCUM") => upper.into(),
        _ => scheme.to_owned(),
    }
}

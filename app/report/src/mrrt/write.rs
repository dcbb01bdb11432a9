//! From a template to MRRT's HTML.

use super::form::CHOSEN;
use crate::document::BlockKind;
use crate::template::{AtSigning, Field, FieldKind, Template, TemplateBlock};
use mj_model::{Code, Lang};
use std::fmt::{Result, Write as _};

/// A template as an HTML5 page in the form of IHE MRRT, in one language. Reading it again gives the same fields; the parts of
/// a field of our own templates become text fields with what is normal in them.
#[must_use]
pub fn write(template: &Template, lang: Lang) -> String {
    let mut out = String::new();
    // Writing into a text does not fail.
    match page(&mut out, template, lang) {
        Ok(()) | Err(std::fmt::Error) => out,
    }
}

fn page(out: &mut String, template: &Template, lang: Lang) -> Result {
    let title = escaped(template.title.get(lang));
    let code = match lang {
        Lang::Zh => "zh",
        Lang::En => "en",
    };
    write!(
        out,
        "<!DOCTYPE html>\n<html lang=\"{code}\">\n<head>\n<meta charset=\"UTF-8\" />\n<title>{title}</title>\n\
         <meta name=\"dcterms.title\" content=\"{title}\" />\n<meta name=\"dcterms.identifier\" content=\"{}\" />\n\
         <meta name=\"dcterms.type\" content=\"IMAGE_REPORT_TEMPLATE\" />\n<meta name=\"dcterms.language\" content=\"{code}\" />\n\
         <meta name=\"dcterms.publisher\" content=\"Mingjing\" />\n<meta name=\"dcterms.subject\" content=\"{}\" />\n",
        escaped(&template.name),
        escaped(&template.applies.modality.join("; ")),
    )?;
    attributes(out, template)?;
    out.push_str("</head>\n<body>\n");
    for block in &template.blocks {
        section(out, block, lang)?;
    }
    out.push_str("</body>\n</html>\n");
    Ok(())
}

/// The coded content (MRRT 8.1.3): the places that a part of a field is about, the concepts of inputs and choices.
fn attributes(out: &mut String, template: &Template) -> Result {
    out.push_str(
        "<script type=\"text/xml\">\n<!--\n<template_attributes>\n<top-level-flag>true</top-level-flag>\n<status>ACTIVE</status>\n\
         <coding_schemes>\n<coding_scheme name=\"SNOMEDCT\" designator=\"2.16.840.1.113883.6.96\" />\n\
         <coding_scheme name=\"RadLex\" designator=\"2.16.840.1.113883.6.256\" />\n\
         <coding_scheme name=\"LOINC\" designator=\"2.16.840.1.113883.6.1\" />\n</coding_schemes>\n<coded_content>\n",
    );
    for block in &template.blocks {
        for part in &block.parts {
            for site in &part.sites {
                entry(out, &format!("{}_{}", block.id, part.id), &Code::new("SCT", site, &part.title.en, &part.title.zh))?;
            }
        }
        for (n, field) in block.fields.iter().enumerate() {
            let id = id_of(block, n, field);
            field.code.iter().try_for_each(|code| entry(out, &id, code))?;
            for (i, choice) in field.choices.iter().enumerate() {
                choice.code.iter().try_for_each(|code| entry(out, &id_of_choice(&id, i), code))?;
            }
        }
    }
    out.push_str("</coded_content>\n</template_attributes>\n-->\n</script>\n");
    Ok(())
}

fn entry(out: &mut String, id: &str, code: &Code) -> Result {
    let scheme = match code.scheme.as_str() {
        "SCT" => "SNOMEDCT",
        "RADLEX" => "RadLex",
        "LN" => "LOINC",
        other => other,
    };
    // The script stands in a comment of the page, which two hyphens would end.
    let [id, meaning, value, scheme] = [id, &code.name_en, &code.code, scheme].map(|text| escaped(text).replace("--", "-&#45;"));
    writeln!(out, "<entry ORIGTXT=\"{id}\"><term><code meaning=\"{meaning}\" value=\"{value}\" scheme=\"{scheme}\" /></term></entry>")
}

fn id_of(block: &TemplateBlock, n: usize, field: &Field) -> String {
    if field.id.is_empty() { format!("{}_{n}", block.id) } else { field.id.clone() }
}

fn id_of_choice(field: &str, n: usize) -> String {
    format!("{field}__{n}")
}

fn section(out: &mut String, block: &TemplateBlock, lang: Lang) -> Result {
    let title = escaped(block.title.get(lang));
    writeln!(out, "<section id=\"{}\" data-section-name=\"{}\">", escaped(&block.id), escaped(name_of(block.kind)))?;
    writeln!(out, "<header class=\"level1\">{title}</header>")?;
    let text = block.text.get(lang);
    if !text.is_empty() || block.required || block.expected || block.fields.is_empty() && block.parts.is_empty() {
        let action = action(match (block.required, block.expected) {
            (true, _) => AtSigning::Block,
            (_, true) => AtSigning::Warn,
            _ => AtSigning::Silent,
        });
        writeln!(
            out,
            "<p><textarea id=\"{0}_text\" name=\"{0}_text\" data-field-type=\"TEXTAREA\" data-field-completion-action=\"{action}\">{1}</textarea></p>",
            escaped(&block.id),
            escaped(text)
        )?;
    }
    for part in &block.parts {
        let id = escaped(&format!("{}_{}", block.id, part.id));
        writeln!(
            out,
            "<p><label for=\"{id}\">{}</label> <textarea id=\"{id}\" name=\"{id}\" data-field-type=\"TEXTAREA\" data-field-completion-action=\"NONE\">{}</textarea></p>",
            escaped(part.title.get(lang)),
            escaped(&part.normal(lang))
        )?;
    }
    for (n, field) in block.fields.iter().enumerate() {
        one_field(out, &escaped(&id_of(block, n, field)), field, lang)?;
    }
    out.push_str("</section>\n");
    Ok(())
}

fn one_field(out: &mut String, id: &str, field: &Field, lang: Lang) -> Result {
    let title = escaped(field.title.get(lang));
    let (text, action) = (field.text.get(lang), action(field.at_signing));
    let head = format!("id=\"{id}\" name=\"{id}\" data-field-completion-action=\"{action}\"");
    let unit = if field.unit.is_empty() { String::new() } else { format!(" data-field-units=\"{}\"", escaped(&field.unit)) };
    write!(out, "<p><label for=\"{id}\">{title}</label> ")?;
    match field.kind {
        FieldKind::One | FieldKind::Many => {
            let many = if field.kind == FieldKind::Many { " multiple" } else { "" };
            writeln!(out, "<select {head}{many} data-field-type=\"SELECTION_LIST\">")?;
            if text.is_empty() {
                out.push_str("<option value=\"\"></option>\n");
            }
            for (i, choice) in field.choices.iter().enumerate() {
                let id = if choice.code.is_some() { format!(" id=\"{}\"", id_of_choice(id, i)) } else { String::new() };
                let choice = choice.get(lang);
                let is_chosen = choice == text || field.kind == FieldKind::Many && text.split(CHOSEN).any(|chosen| chosen == choice);
                let selected = if is_chosen { " selected" } else { "" };
                writeln!(out, "<option{id} value=\"{0}\"{selected}>{0}</option>", escaped(choice))?;
            }
            out.push_str("</select>");
        }
        FieldKind::Check => {
            let checked = if text.is_empty() { "" } else { " checked" };
            write!(out, "<input type=\"checkbox\" {head}{checked} />")?;
        }
        FieldKind::Number => {
            let bound = |name: &str, n: Option<f64>| n.map(|n| format!(" {name}=\"{n}\"")).unwrap_or_default();
            let (min, max) = (bound("min", field.min), bound("max", field.max));
            write!(out, "<input type=\"number\" {head}{unit}{min}{max} value=\"{}\" data-field-type=\"NUMBER\" />", escaped(text))?;
        }
        FieldKind::Date => write!(out, "<input type=\"date\" {head} value=\"{}\" data-field-type=\"DATE\" />", escaped(text))?,
        FieldKind::Time => write!(out, "<input type=\"time\" {head} value=\"{}\" data-field-type=\"TIME\" />", escaped(text))?,
        FieldKind::Text => write!(out, "<input type=\"text\" {head}{unit} value=\"{}\" data-field-type=\"TEXT\" />", escaped(text))?,
    }
    out.push_str("</p>\n");
    Ok(())
}

const fn action(at_signing: AtSigning) -> &'static str {
    match at_signing {
        AtSigning::Silent => "NONE",
        AtSigning::Warn => "ALERT",
        AtSigning::Block => "PROHIBIT",
    }
}

/// The names of sections that MRRT proposes.
const fn name_of(kind: BlockKind) -> &'static str {
    match kind {
        BlockKind::History => "Clinical Information",
        BlockKind::Technique => "Procedure Information",
        BlockKind::Comparison => "Comparison",
        BlockKind::Findings => "Findings",
        BlockKind::Impression => "Impression",
        BlockKind::Recommendation => "Recommendation",
        BlockKind::Other => "Other",
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

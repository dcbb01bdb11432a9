//! From a template to MRRT's HTML.

use crate::document::BlockKind;
use crate::template::{AtSigning, Field, FieldKind, Template, TemplateBlock};
use mj_model::Lang;
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

/// The coded content (MRRT 8.1.3): SNOMED CT codes of the places that a part of a field is about.
fn attributes(out: &mut String, template: &Template) -> Result {
    out.push_str(
        "<script type=\"text/xml\">\n<!--\n<template_attributes>\n<top-level-flag>true</top-level-flag>\n<status>ACTIVE</status>\n\
         <coding_schemes>\n<coding_scheme name=\"SNOMEDCT\" designator=\"2.16.840.1.113883.6.96\" />\n</coding_schemes>\n<coded_content>\n",
    );
    for (block, part) in template.blocks.iter().flat_map(|block| block.parts.iter().map(move |part| (block, part))) {
        for site in &part.sites {
            let id = escaped(&format!("{}_{}", block.id, part.id));
            let (code, meaning) = (escaped(site), escaped(&part.title.en));
            writeln!(
                out,
                "<entry ORIGTXT=\"{id}\"><term><code meaning=\"{meaning}\" value=\"{code}\" scheme=\"SNOMEDCT\" /></term></entry>"
            )?;
        }
    }
    out.push_str("</coded_content>\n</template_attributes>\n-->\n</script>\n");
    Ok(())
}

fn section(out: &mut String, block: &TemplateBlock, lang: Lang) -> Result {
    let title = escaped(block.title.get(lang));
    writeln!(out, "<section id=\"{}\" data-section-name=\"{}\">", escaped(&block.id), escaped(name_of(block.kind)))?;
    writeln!(out, "<header class=\"level1\">{title}</header>")?;
    let text = block.text.get(lang);
    if !text.is_empty() || block.required || block.fields.is_empty() && block.parts.is_empty() {
        let action = action(if block.required { AtSigning::Block } else { AtSigning::Silent });
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
        let id = if field.id.is_empty() { format!("{}_{n}", block.id) } else { field.id.clone() };
        one_field(out, &escaped(&id), field, lang)?;
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
            for choice in &field.choices {
                let choice = choice.get(lang);
                let selected = if choice == text { " selected" } else { "" };
                writeln!(out, "<option value=\"{0}\"{selected}>{0}</option>", escaped(choice))?;
            }
            out.push_str("</select>");
        }
        FieldKind::Check => {
            let checked = if text.is_empty() { "" } else { " checked" };
            write!(out, "<input type=\"checkbox\" {head}{checked} />")?;
        }
        FieldKind::Number => {
            _ = write!(out, "<input type=\"number\" {head}{unit} value=\"{}\" data-field-type=\"NUMBER\" />", escaped(text))
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

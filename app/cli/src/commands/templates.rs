//! Report templates: those that come with the program and the department's own, in and out.

use super::Ctx;
use crate::args::TemplateCommand;
use crate::failure::Failure;
use crate::out::Done;
use mj_lang::key;
use mj_record::{Record, TemplateTaken, read_template};
use mj_report::Template;
use serde::Serialize;
use std::path::{Path, PathBuf};

pub(super) async fn run(ctx: &Ctx<'_>, command: TemplateCommand) -> Result<Done, Failure> {
    let record = ctx.record().await?;
    match command {
        TemplateCommand::List => list(ctx, &record),
        TemplateCommand::Show { name } => show(ctx, &named(&record, &name)?),
        TemplateCommand::Import { paths } => import(ctx, &record, &paths),
        TemplateCommand::Export { name, out } => export(ctx, &named(&record, &name)?, &out),
    }
}

/// Writes a template in the form that the file's name ends with.
fn export(ctx: &Ctx<'_>, template: &Template, out: &Path) -> Result<Done, Failure> {
    let end = out.extension().and_then(|end| end.to_str()).unwrap_or_default().to_ascii_lowercase();
    let text = match end.as_str() {
        "html" | "htm" => mj_report::mrrt::write(template, ctx.out.lang),
        "toml" => template.to_toml()?,
        _ => return Err(Failure::Unknown { what: "form", name: out.display().to_string(), known: ".html, .toml".into() }),
    };
    std::fs::write(out, text).map_err(|source| Failure::File { what: "write", path: out.to_owned(), source })?;
    ctx.out.result(&serde_json::json!({"written": [out]}), |_| out.display().to_string())?;
    Ok(Done::Well)
}

/// A template by its name, or an error that lists what there is.
pub(super) fn named(record: &Record, name: &str) -> Result<Template, Failure> {
    record.template(name).ok_or_else(|| Failure::Unknown {
        what: "template",
        name: name.to_owned(),
        known: record.templates().iter().map(|t| t.name.clone()).collect::<Vec<_>>().join(", "),
    })
}

#[derive(Serialize)]
struct Line {
    name: String,
    title: String,
    modality: Vec<String>,
    /// True for one of the department's own.
    own: bool,
}

#[derive(Serialize)]
struct Listed {
    templates: Vec<Line>,
    /// Files that cannot be used.
    refused: Vec<Refused>,
}

#[derive(Serialize)]
struct Refused {
    path: PathBuf,
    reason: String,
}

fn list(ctx: &Ctx<'_>, record: &Record) -> Result<Done, Failure> {
    let own = record.own_templates();
    let line = |t: &Template| Line {
        name: t.name.clone(),
        title: t.title.get(ctx.out.lang).to_owned(),
        modality: t.applies.modality.clone(),
        own: own.iter().any(|o| o.name == t.name),
    };
    let refused: Vec<Refused> = record.template_problems().into_iter().map(|(path, reason)| Refused { path, reason }).collect();
    let listed = Listed { templates: record.templates().iter().map(line).collect(), refused };
    ctx.out.result(&listed, |listed| {
        let lines = listed.templates.iter().map(|l| format!("{:<28} {:<10} {}", l.name, l.modality.join(" "), l.title));
        let refused = listed.refused.iter().map(|r| format!("{}: {}", r.path.display(), r.reason));
        lines.chain(refused).collect::<Vec<_>>().join("\n")
    })?;
    Ok(if listed.refused.is_empty() { Done::Well } else { Done::NeedsDecision })
}

/// The text that a report begins with, field by field.
fn show(ctx: &Ctx<'_>, template: &Template) -> Result<Done, Failure> {
    let lang = ctx.out.lang;
    let fields: Vec<serde_json::Value> = template
        .blocks
        .iter()
        .map(|block| {
            let inputs: Vec<serde_json::Value> = block
                .fields
                .iter()
                .map(|f| {
                    let choices: Vec<&str> = f.choices.iter().map(|c| c.get(lang)).collect();
                    serde_json::json!({"title": f.title.get(lang), "choices": choices, "text": f.text.get(lang), "unit": f.unit})
                })
                .collect();
            let phrases: Vec<String> = template.phrases(&block.id, lang).into_iter().map(|p| p.text).collect();
            serde_json::json!({"id": block.id, "title": block.title.get(lang), "kind": block.kind, "required": block.required, "fields": inputs, "phrases": phrases})
        })
        .collect();
    let shown = serde_json::json!({"name": template.name, "title": template.title.get(lang), "modality": template.applies.modality, "fields": fields});
    ctx.out.result(&shown, |_| {
        let block = |b: &mj_report::template::TemplateBlock| {
            let phrases = template.phrases(&b.id, lang);
            let lines = phrases.iter().map(|p| format!("  {}", p.text));
            [b.title.get(lang).to_owned()].into_iter().chain(lines).collect::<Vec<_>>().join("\n")
        };
        template.blocks.iter().map(block).collect::<Vec<_>>().join("\n")
    })?;
    Ok(Done::Well)
}

#[derive(Serialize)]
struct Import {
    imported: Vec<Imported>,
    refused: Vec<Refused>,
}

#[derive(Serialize)]
struct Imported {
    path: PathBuf,
    name: String,
    title: String,
    /// True where it takes the place of another of its name: an earlier file, or one that comes with the program.
    replaced: bool,
    /// What the file holds that a report has no place for.
    left_out: Vec<String>,
}

/// Puts templates into the record's folder; each file is looked at by itself.
fn import(ctx: &Ctx<'_>, record: &Record, paths: &[PathBuf]) -> Result<Done, Failure> {
    let mut done = Import { imported: Vec::new(), refused: Vec::new() };
    for path in paths.iter().flat_map(|path| files_of(path)) {
        // Of two files of one import that say the same name the second would silently take the place of the first.
        let taken = |name: &str| done.imported.iter().find(|i| i.name == name).map(|i| i.path.display().to_string());
        let read = read_template(&path).and_then(|(template, _)| match taken(&template.name) {
            Some(other) => Err(format!("its name {} is that of {other}", template.name)),
            None => record.take_template(&path),
        });
        match read {
            Ok(TemplateTaken { template, replaced, left_out }) => {
                let title = template.title.get(ctx.out.lang).to_owned();
                done.imported.push(Imported { path, name: template.name, title, replaced, left_out });
            }
            Err(reason) => done.refused.push(Refused { path, reason }),
        }
    }
    ctx.out.result(&done, |done| {
        let imported = done.imported.iter().map(|i| {
            let left_out =
                i.left_out.iter().map(|what| format!("\n  {}", key::CLI_TEMPLATE_LEFT_OUT.with(ctx.out.lang, &[("what", what)])));
            let replaced = if i.replaced { format!("\n  {}", key::CLI_TEMPLATE_REPLACED.get(ctx.out.lang)) } else { String::new() };
            format!("{}  {}{replaced}{}", i.name, i.title, left_out.collect::<String>())
        });
        let refused = done.refused.iter().map(|r| format!("{}: {}", r.path.display(), r.reason));
        imported.chain(refused).collect::<Vec<_>>().join("\n")
    })?;
    Ok(if done.refused.is_empty() { Done::Well } else { Done::NeedsDecision })
}

/// The file itself, or the templates in a folder, in the order of their names.
fn files_of(path: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(path) else { return vec![path.to_owned()] };
    let is_template =
        |p: &PathBuf| p.extension().is_some_and(|e| ["html", "htm", "xhtml", "toml"].iter().any(|known| e.eq_ignore_ascii_case(known)));
    let mut files: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).filter(is_template).collect();
    files.sort();
    files
}

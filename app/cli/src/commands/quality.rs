//! Rules and their test cases, and a department's reports read over in one go.

use super::Ctx;
use crate::args::RulesCommand;
use crate::failure::Failure;
use crate::out::Done;
use mj_lang::key;
use mj_report::check::{CheckContext, Severity};
use mj_report::rules::Rules;
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

pub(super) fn rules(ctx: &Ctx<'_>, command: RulesCommand) -> Result<Done, Failure> {
    match command {
        RulesCommand::Test { file } => test(ctx, file.as_deref()),
        RulesCommand::List => {
            let lines: Vec<RuleLine> = Rules::builtin()
                .rules
                .iter()
                .map(|(name, rule)| RuleLine {
                    rule: name.clone(),
                    severity: rule.severity,
                    ask: rule.ask,
                    message: rule.message.get(ctx.out.lang).to_owned(),
                    cases: rule.cases.len(),
                })
                .collect();
            ctx.out.result(&lines, |lines| {
                lines.iter().map(|l| format!("{:<22} {:<6} {}", l.rule, l.severity.name(), l.message)).collect::<Vec<_>>().join("\n")
            })?;
            Ok(Done::Well)
        }
        RulesCommand::Export { file } => {
            std::fs::write(&file, Rules::text()).map_err(|source| Failure::File { what: "write", path: file.clone(), source })?;
            ctx.out.result(&serde_json::json!({"written": [file]}), |_| file.display().to_string())?;
            Ok(Done::Well)
        }
    }
}

#[derive(Serialize)]
struct RuleLine {
    rule: String,
    severity: Severity,
    ask: bool,
    message: String,
    cases: usize,
}

/// Runs the test cases of a rules file, or of the rules that come with the program. What fails is for a person to mend (3).
fn test(ctx: &Ctx<'_>, file: Option<&Path>) -> Result<Done, Failure> {
    let rules = match file {
        None => Rules::builtin().clone(),
        Some(path) => {
            let text = std::fs::read_to_string(path).map_err(|source| Failure::File { what: "read", path: path.into(), source })?;
            Rules::parse(&text)?
        }
    };
    let run = rules.run_cases();
    ctx.out.result(&run, |run| {
        let failed = run.failed.iter().map(|f| format!("{} ({}): {:?} ≠ {:?}", f.rule, f.case, f.got, f.wanted));
        let count = key::CLI_RULES_RUN.with(ctx.out.lang, &[("cases", &run.cases.to_string()), ("failed", &run.failed.len().to_string())]);
        failed.chain([count]).collect::<Vec<_>>().join("\n")
    })?;
    Ok(if run.failed.is_empty() { Done::Well } else { Done::NeedsDecision })
}

/// A folder of reports read over. Holds no text of a report.
#[derive(Debug, Default, Serialize)]
struct Scorecard {
    /// Reports that were read.
    reports: usize,
    /// Those in which nothing was found that warns or blocks.
    clean: usize,
    /// Those that could not be signed so.
    blocked: usize,
    /// How many reports each rule found something in, and how often in all.
    rules: BTreeMap<String, Count>,
    /// Each report, by its path in the folder.
    files: Vec<FileScore>,
    /// What could not be read.
    skipped: Vec<Skipped>,
}

#[derive(Debug, Default, Serialize)]
struct Count {
    severity: &'static str,
    reports: usize,
    times: usize,
}

#[derive(Debug, Serialize)]
struct FileScore {
    path: PathBuf,
    block: usize,
    warn: usize,
    info: usize,
    rules: Vec<String>,
}

#[derive(Debug, Serialize)]
struct Skipped {
    path: PathBuf,
    reason: String,
}

/// Reads every text of a folder over as a report: `*.txt` and `*.md`. Sex and age are not known of a bare text.
pub(super) fn quality(ctx: &Ctx<'_>, folder: &Path) -> Result<Done, Failure> {
    let mut card = Scorecard::default();
    let context = CheckContext { lang: None, ..CheckContext::default() };
    for path in texts(folder)? {
        let name = path.strip_prefix(folder).unwrap_or(&path).to_path_buf();
        match std::fs::read(&path) {
            Err(e) => card.skipped.push(Skipped { path: name, reason: e.to_string() }),
            Ok(bytes) => match String::from_utf8(bytes) {
                Err(_not_utf8) => card.skipped.push(Skipped { path: name, reason: key::CLI_QUALITY_NOT_TEXT.get(ctx.out.lang).into() }),
                Ok(text) => card.add(name, &mj_report::check_text(text.trim_start_matches('\u{FEFF}'), &context)),
            },
        }
    }
    if card.reports == 0 && card.skipped.is_empty() {
        return Err(Failure::NoReports(folder.to_path_buf()));
    }
    ctx.out.result(&card, |card| card.told(ctx.out.lang))?;
    Ok(Done::Well)
}

fn texts(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let failed = |source| Failure::File { what: "read", path: folder.to_path_buf(), source };
    let mut out = Vec::new();
    let mut waiting = vec![folder.to_path_buf()];
    while let Some(next) = waiting.pop() {
        for entry in std::fs::read_dir(&next).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let path = entry.path();
            if entry.file_type().map_err(failed)?.is_dir() {
                waiting.push(path);
            } else if path.extension().is_some_and(|e| e == "txt" || e == "md") {
                out.push(path);
            }
        }
    }
    out.sort();
    Ok(out)
}

impl Scorecard {
    fn add(&mut self, path: PathBuf, checks: &[mj_report::CheckResult]) {
        let count = |severity: Severity| checks.iter().filter(|c| c.severity == severity).count();
        let (block, warn, info) = (count(Severity::Block), count(Severity::Warn), count(Severity::Info));
        self.reports += 1;
        self.clean += usize::from(block + warn == 0);
        self.blocked += usize::from(block > 0);
        let mut names: Vec<String> = checks.iter().map(|c| c.rule.clone()).collect();
        for check in checks {
            let count = self.rules.entry(check.rule.clone()).or_default();
            count.severity = check.severity.name();
            count.times += 1;
        }
        names.sort_unstable();
        names.dedup();
        for name in &names {
            self.rules.entry(name.clone()).or_default().reports += 1;
        }
        self.files.push(FileScore { path, block, warn, info, rules: names });
    }

    fn told(&self, lang: mj_model::Lang) -> String {
        let [reports, clean, blocked, skipped] = [self.reports, self.clean, self.blocked, self.skipped.len()].map(|n| n.to_string());
        let values = [("reports", reports.as_str()), ("clean", &clean), ("blocked", &blocked), ("skipped", &skipped)];
        let head = key::CLI_QUALITY_HEAD.with(lang, &values);
        let rules = self.rules.iter().map(|(name, c)| format!("{name:<22} {:<6} {:>5} {:>5}", c.severity, c.reports, c.times));
        let worst = self.files.iter().filter(|f| f.block > 0).map(|f| format!("{}: {}", f.path.display(), f.rules.join(", ")));
        let skipped = self.skipped.iter().map(|s| format!("{}: {}", s.path.display(), s.reason));
        [head].into_iter().chain(rules).chain(worst).chain(skipped).collect::<Vec<_>>().join("\n")
    }
}

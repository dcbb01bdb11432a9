//! The rules of the department: a file in the record's folder that is read again whenever it changes.

use crate::Record;
use mj_report::rules::Rules;
use std::path::PathBuf;
use std::time::SystemTime;

/// Where the department's rules lie in the record's folder. It holds no patient data and is not sealed.
const FILE: &str = "rules/checks.toml";

/// The rules as they were read last.
#[derive(Debug, Default)]
pub(crate) struct Rulebook {
    /// Time of change and size of the file that was looked at last.
    seen: Option<(SystemTime, u64)>,
    /// The last rules that could be used; those that come with the program where `None`.
    rules: Option<Rules>,
    /// Why the file as it is now cannot be used.
    problem: Option<String>,
}

impl Rulebook {
    /// Reads the file again when it is another than before. One that cannot be read, or whose test cases fail, is refused:
    /// the rules before it stay.
    fn look(&mut self, file: &std::path::Path) {
        let meta = match std::fs::metadata(file) {
            Ok(meta) => meta,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
                *self = Self::default();
                return;
            }
            Err(e) => {
                self.problem = Some(format!("{FILE}: {e}"));
                return;
            }
        };
        let now = Some((meta.modified().unwrap_or(SystemTime::UNIX_EPOCH), meta.len()));
        if self.seen == now {
            return;
        }
        self.seen = now;
        match std::fs::read_to_string(file).map_err(|e| e.to_string()).and_then(|text| usable(&text)) {
            Ok(rules) => (self.rules, self.problem) = (Some(rules), None),
            Err(why) => self.problem = Some(format!("{FILE}: {why}")),
        }
    }
}

fn usable(text: &str) -> std::result::Result<Rules, String> {
    let rules = Rules::parse(text).map_err(|e| e.why())?;
    match rules.run_cases().failed.first() {
        None => Ok(rules),
        Some(failed) => Err(format!("rule {}, case {}: {:?} ≠ {:?}", failed.rule, failed.case, failed.got, failed.wanted)),
    }
}

impl Record {
    /// The file in which the department keeps its own rules; it need not be there.
    #[must_use]
    pub fn rules_file(&self) -> PathBuf {
        self.dir().join(FILE)
    }

    /// The department's rules as they are now, and why its file cannot be used if it cannot.
    pub(crate) fn rules_now(&self) -> (Option<Rules>, Option<String>) {
        let mut book = self.inner.rulebook.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        book.look(&self.rules_file());
        (book.rules.clone(), book.problem.clone())
    }
}

//! Printing results and errors: plain lines for people, JSON for programs.

use crate::failure::Failure;
use mj_model::Lang;
use serde::Serialize;
use std::io::{IsTerminal as _, Write as _};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// How a command ended well.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Done {
    /// All done.
    Well,
    /// Done, but a person must decide something (conflicts).
    NeedsDecision,
}

impl Done {
    pub(crate) fn exit_code(self) -> ExitCode {
        ExitCode::from(match self {
            Self::Well => 0,
            Self::NeedsDecision => 3,
        })
    }
}

/// Where output goes. Clones share one progress line.
#[derive(Debug, Clone)]
pub(crate) struct Out {
    is_json: bool,
    is_quiet: bool,
    /// Language of messages.
    pub(crate) lang: Lang,
    last_percent: Arc<AtomicU64>,
}

impl Out {
    pub(crate) fn new(is_json: bool, is_quiet: bool, lang: Lang) -> Self {
        Self { is_json, is_quiet, lang, last_percent: Arc::new(AtomicU64::new(u64::MAX)) }
    }

    /// Prints a result: its JSON form, or plain lines.
    pub(crate) fn result<T: Serialize>(&self, value: &T, plain: impl FnOnce(&T) -> String) -> Result<(), Failure> {
        let text = if self.is_json {
            serde_json::to_string(value).map_err(|e| written(std::io::Error::other(e)))?
        } else if self.is_quiet {
            return Ok(());
        } else {
            plain(value)
        };
        self.line(&text)
    }

    /// Prints one line to stdout now.
    pub(crate) fn line(&self, text: &str) -> Result<(), Failure> {
        let mut stdout = std::io::stdout().lock();
        writeln!(stdout, "{text}").and_then(|()| stdout.flush()).map_err(written)
    }

    /// Shows progress on stderr, when a person is looking.
    pub(crate) fn progress(&self, done: u64, total: u64) {
        if self.is_quiet || total == 0 || !std::io::stderr().is_terminal() {
            return;
        }
        let percent = done.min(total) * 100 / total;
        if self.last_percent.swap(percent, Ordering::Relaxed) != percent {
            let end = if done >= total { "\n" } else { "" };
            // Progress that cannot be shown is no reason to stop the work.
            drop(write!(std::io::stderr(), "\r{percent:3} %  {done}/{total}{end}"));
        }
    }

    /// Prints an error and gives the exit code.
    pub(crate) fn fail(&self, failure: &Failure) -> ExitCode {
        self.warn(failure);
        ExitCode::from(failure.exit_code())
    }

    /// Prints an error that does not end the command.
    pub(crate) fn warn(&self, failure: &Failure) {
        let told = failure.told(self.lang);
        let text = if self.is_json {
            let mut value = serde_json::json!({"code": told.code, "message": told.message, "hint": told.hint});
            if let (Failure::Checks(checks) | Failure::Warned(checks), Some(object)) = (failure, value.as_object_mut()) {
                object.insert("checks".into(), serde_json::json!(checks));
            }
            value.to_string()
        } else {
            format!("{} [{}]\n{}", told.message, told.code, told.hint)
        };
        // With stderr gone there is nobody left to tell.
        drop(writeln!(std::io::stderr(), "{}", text.trim_end()));
    }
}

fn written(source: std::io::Error) -> Failure {
    Failure::File { what: "write", path: "stdout".into(), source }
}

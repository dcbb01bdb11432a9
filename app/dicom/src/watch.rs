//! Watching and stopping long work.

use crate::error::{Error, Result};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Called with work done and work in all.
pub type Progress = Box<dyn Fn(u64, u64) + Send + Sync>;

/// How a caller follows long work and stops it.
pub struct Watch {
    /// Called from any thread with (done, total).
    pub progress: Progress,
    /// Set to true to stop; work then ends with [`Error::Cancelled`].
    pub cancel: Arc<AtomicBool>,
}

impl Default for Watch {
    fn default() -> Self {
        Self { progress: Box::new(|_done, _total| {}), cancel: Arc::default() }
    }
}

impl std::fmt::Debug for Watch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Watch").field("cancel", &self.cancel).finish_non_exhaustive()
    }
}

impl Watch {
    /// An error when the person wants to stop.
    ///
    /// # Errors
    /// [`Error::Cancelled`].
    pub fn check(&self) -> Result<()> {
        if self.cancel.load(Ordering::Relaxed) { Err(Error::Cancelled) } else { Ok(()) }
    }
}

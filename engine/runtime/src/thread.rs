//! The engine's threads: each has the engine's name and its own, for whoever looks at the process.

use crate::error::RuntimeError;
use std::thread::{Builder, JoinHandle};

/// Starts a thread.
///
/// # Errors
/// If the system gives none.
pub(crate) fn thread(
    what: &'static str,
    run: impl FnOnce() + Send + 'static,
) -> Result<JoinHandle<()>, RuntimeError> {
    Builder::new()
        .name(format!("trueup-{what}"))
        .spawn(run)
        .map_err(|source| RuntimeError::Thread { what, source })
}

//! Why the runtime could not do what was asked.

use std::io;

/// Why the runtime could not do what was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RuntimeError {
    /// The system gave no thread.
    #[error("could not start the {what} thread")]
    Thread {
        /// What the thread is for.
        what: &'static str,
        /// What the system said.
        source: io::Error,
    },
    /// A setting is outside of what is allowed.
    #[error("setting `{key}` is {value}, allowed is {allowed}")]
    Setting {
        /// Which setting.
        key: &'static str,
        /// What it says.
        value: String,
        /// What it may say.
        allowed: &'static str,
    },
    /// The engine was stopped.
    #[error("the engine has stopped")]
    Stopped,
}

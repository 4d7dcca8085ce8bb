//! How a program hears that it is to end, and says what happens: signals and the log.
//!
//! The first signal lets the program finish in order, the second ends it.

use super::exit::{Exit, Failure};
use crate::client::Stop;

/// The wish to stop that an interrupt or a request to terminate sets.
pub(super) fn stop() -> Result<Stop, Failure> {
    let stop = Stop::default();
    for signal in signal_hook::consts::TERM_SIGNALS {
        let registered =
            signal_hook::flag::register_conditional_shutdown(*signal, 130, stop.flag())
                .and_then(|_| signal_hook::flag::register(*signal, stop.flag()));
        registered.map_err(|error| {
            let message = format!("could not listen for signals: {error}");
            Failure::new(Exit::Internal, message, "the system refuses what every program may do")
        })?;
    }
    Ok(stop)
}

/// Writes what happens to the standard error, a line each; of a short run only what went wrong.
pub(super) fn log_to_stderr(is_short: bool) {
    let level = if is_short { tracing::Level::WARN } else { tracing::Level::INFO };
    let subscriber = tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_max_level(level)
        .with_target(false)
        // Whoever read the log may be gone; that ends nothing here.
        .log_internal_errors(false);
    // A second call would mean that a test set one before.
    let _ = subscriber.try_init();
}

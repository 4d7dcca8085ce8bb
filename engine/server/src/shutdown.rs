//! Waiting for the end: a signal, or an engine that stopped by itself.

use std::sync::Arc;
use std::time::Duration;
use trueup_runtime::engine::Engine;

/// How often the engine is looked at.
const LOOK: Duration = Duration::from_millis(500);

/// Why it ended.
#[derive(Debug)]
pub(crate) enum Ended {
    /// Someone asked for it.
    Told,
    /// The engine could not go on, for this reason.
    Failed(String),
}

/// Waits for an interrupt, a request to terminate, or the engine's failure.
pub(crate) fn wait(engine: &Arc<Engine>) -> std::io::Result<Ended> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let mut look = tokio::time::interval(LOOK);
        let told = told();
        tokio::pin!(told);
        loop {
            tokio::select! {
                result = &mut told => return result.map(|()| Ended::Told),
                _ = look.tick() => {}
            }
            if let Some(error) = engine.failure() {
                let cause = std::error::Error::source(&*error).map(ToString::to_string);
                let cause = cause.map(|cause| format!(": {cause}")).unwrap_or_default();
                return Ok(Ended::Failed(format!("the engine stopped: {error}{cause}")));
            }
        }
    })
}

#[cfg(unix)]
async fn told() -> std::io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        result = tokio::signal::ctrl_c() => result,
        _ = terminate.recv() => Ok(()),
    }
}

#[cfg(not(unix))]
async fn told() -> std::io::Result<()> {
    tokio::signal::ctrl_c().await
}

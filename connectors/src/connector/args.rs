//! What every connector can be told: where the engine is, who this is, how long to try.

use super::exit::{Exit, Failure};
use clap::Args;
use std::path::{Path, PathBuf};
use std::time::Duration;
use trueup_model::calendar::Zone;

/// Where an engine listens for connectors if nothing else is said.
pub const ENGINE_DEFAULT: &str = "127.0.0.1:7118";

/// How long a run that is to end tries to reach the engine if nothing else is said.
const PATIENCE_ONCE: Duration = Duration::from_secs(30);

/// To whom facts are delivered, and as whose.
#[derive(Clone, Debug, Args)]
pub struct DeliveryArguments {
    /// The source: a name that stays the same, under which the engine keeps how far it was read.
    #[arg(long, value_name = "NAME", value_parser = name)]
    pub source: String,
    /// Where the engine listens for connectors.
    #[arg(long, value_name = "HOST:PORT", default_value = ENGINE_DEFAULT, env = "TRUEUP_ENGINE")]
    pub engine: String,
    /// Whose facts they are.
    #[arg(long, value_name = "NAME", default_value = "default", value_parser = name)]
    pub tenant: String,
    /// A file with the secret that the engine asks for.
    #[arg(long, value_name = "FILE")]
    pub token_file: Option<PathBuf>,
    /// A file with the certificate of the authority (CA) that issued the engine's; with it, what is
    /// delivered is encrypted, and needs a certificate of one's own.
    #[arg(long, value_name = "FILE", requires_all = ["certificate", "key"])]
    pub authority: Option<PathBuf>,
    /// A file with the certificate that is shown to the engine.
    #[arg(long, value_name = "FILE", requires = "authority")]
    pub certificate: Option<PathBuf>,
    /// A file with the key of that certificate.
    #[arg(long, value_name = "FILE", requires = "authority")]
    pub key: Option<PathBuf>,
    /// For whom the engine's certificate must be, if not for the host of `--engine`.
    #[arg(long, value_name = "NAME", requires = "authority")]
    pub engine_name: Option<String>,
    /// A number that is greater for each new process of the source; else the time of its start.
    #[arg(long, value_name = "NUMBER")]
    pub generation: Option<u64>,
    /// How long to try while no engine answers, such as 5m; else 30s for a run that is to end, and
    /// for ever for one that goes on.
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub patience: Option<Duration>,
    /// Print at the end, as JSON, what was read and delivered.
    #[arg(long)]
    pub json: bool,
}

impl DeliveryArguments {
    /// How long to try while no engine answers; `None` for ever.
    pub(super) fn patience(&self, is_to_end: bool) -> Option<Duration> {
        self.patience.or(is_to_end.then_some(PATIENCE_ONCE))
    }
}

/// A name that a person gave.
fn name(text: &str) -> Result<String, String> {
    let is_plain = !text.trim().is_empty() && text.len() <= 128 && !text.contains(char::is_control);
    if is_plain { Ok(text.to_owned()) } else { Err("a name has 1 to 128 bytes".to_owned()) }
}

/// A duration such as `300s`, `5m` or `1h 30m`.
///
/// # Errors
/// What is expected, in words.
pub fn duration(text: &str) -> Result<Duration, String> {
    let parsed = text.parse::<jiff::SignedDuration>().ok();
    let positive = parsed.and_then(|parsed| Duration::try_from(parsed).ok());
    let positive = positive.filter(|length| !length.is_zero());
    positive.ok_or_else(|| "write it as 500ms, 300s, 5m or 1h".to_owned())
}

/// A time zone.
///
/// # Errors
/// What is expected, in words.
pub fn zone(text: &str) -> Result<Zone, String> {
    Zone::named(text).map_err(|error| error.to_string())
}

/// The name of the document that a file is: it stays when the folder is called otherwise.
pub(super) fn document_name(source: &str, path: &Path) -> String {
    let file =
        path.file_name().map_or_else(|| path.to_string_lossy(), |name| name.to_string_lossy());
    format!("{source}/{file}")
}

/// Refuses two files that would be one document.
pub(super) fn check_names<'p>(paths: impl Iterator<Item = &'p Path>) -> Result<(), Failure> {
    let mut names = std::collections::BTreeSet::new();
    for path in paths {
        if !names.insert(path.file_name()) {
            let message =
                format!("two files are called {}", document_name("", path).trim_matches('/'));
            let hint =
                "a document is known by its file's name: rename one, or give it its own --source";
            return Err(Failure::new(Exit::Usage, message, hint));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{duration, name};
    use std::time::Duration;

    #[test]
    fn durations_and_names_are_read_strictly() {
        assert_eq!(duration("300s"), Ok(Duration::from_secs(300)));
        assert_eq!(duration("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(duration("5m"), Ok(Duration::from_secs(300)));
        for wrong in ["", "300", "0s", "-5s", "soon"] {
            assert!(duration(wrong).is_err(), "{wrong}");
        }
        assert!(name("lic1").is_ok() && name(" ").is_err() && name(&"x".repeat(129)).is_err());
    }
}

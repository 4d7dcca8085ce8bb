//! What is written down when an engine stops by itself, for whoever finds it stopped.

use serde::Serialize;
use std::path::{Path, PathBuf};
use trueup_model::time::Timestamp;

/// What happened.
#[derive(Debug, Serialize)]
pub(crate) struct Incident<'a> {
    /// When.
    pub(crate) at: String,
    /// What, with its causes.
    pub(crate) what: &'a str,
    /// Where the journal is.
    pub(crate) journal: String,
    /// The program's version.
    pub(crate) version: &'static str,
    /// The last record of the journal that survives a loss of power, as far as this process knows.
    pub(crate) durable_record: u64,
    /// The last record that something vouches for; whoever sent later ones still has them.
    pub(crate) sealed_record: u64,
    /// What to do.
    pub(crate) remedy: &'static str,
}

impl<'a> Incident<'a> {
    /// Something happened now.
    pub(crate) fn new(
        now: Timestamp,
        what: &'a str,
        journal: &Path,
        (durable_record, sealed_record): (u64, u64),
    ) -> Self {
        Self {
            at: now.to_string(),
            what,
            journal: journal.display().to_string(),
            version: env!("CARGO_PKG_VERSION"),
            durable_record,
            sealed_record,
            remedy: "look at the disk, run `trueup verify` on the folder, then start again",
        }
    }

    /// Writes it next to the journal; where that cannot be, the log has it alone.
    pub(crate) fn write(&self, now: Timestamp) -> std::io::Result<PathBuf> {
        let folder = Path::new(&self.journal);
        let name = folder
            .file_name()
            .map_or_else(|| "journal".to_owned(), |name| name.to_string_lossy().into_owned());
        let file = format!("{name}.incident-{}.json", now.0);
        let path = folder.parent().unwrap_or(Path::new("")).join(file);
        let text = serde_json::to_string_pretty(self)?;
        std::fs::write(&path, text + "\n")?;
        Ok(path)
    }
}

#[cfg(test)]
mod tests {
    use super::Incident;
    use trueup_model::time::Timestamp;

    #[test]
    fn an_incident_stands_next_to_the_journal_and_says_what_happened() {
        let folder = tempfile::tempdir().unwrap();
        let journal = folder.path().join("kept");
        let now = Timestamp::RECORDED;
        let path = Incident::new(now, "could not sync", &journal, (7, 5)).write(now).unwrap();
        assert_eq!(path.parent(), Some(folder.path()));
        let text = std::fs::read_to_string(path).unwrap();
        for word in ["could not sync", "\"sealed_record\": 5", "1990-01-01", "trueup verify"] {
            assert!(text.contains(word), "{word} is not in {text}");
        }
    }
}

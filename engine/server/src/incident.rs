//! What is written down when an engine stops by itself, for whoever finds it stopped.

use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use trueup_model::time::Timestamp;
use trueup_runtime::cluster::WorkerFailure;

/// What comes after the name of a file that was looked into.
const MENDED: &str = ".mended";

/// Of what kind it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Kind {
    /// The journal failed, or is damaged.
    Journal,
    /// A worker failed while it computed.
    Worker,
    /// What was published is something else when it is computed again.
    Published,
}

/// What a file says of a worker that failed.
#[derive(Debug, Deserialize)]
struct Read {
    kind: Kind,
    first_epoch: Option<u64>,
    last_epoch: Option<u64>,
}

/// Workers that failed and were not looked into yet.
#[derive(Debug, Default)]
pub(crate) struct Failures {
    files: Vec<PathBuf>,
    /// The epochs of the last one, if it says them.
    pub(crate) epochs: Option<(u64, u64)>,
}

/// What happened.
#[derive(Debug, Serialize)]
pub(crate) struct Incident<'a> {
    /// When.
    pub(crate) at: String,
    /// Of what kind it was.
    pub(crate) kind: Kind,
    /// What, with its causes.
    pub(crate) what: &'a str,
    /// The first epoch that a worker that failed worked on, if it is known.
    pub(crate) first_epoch: Option<u64>,
    /// The last one.
    pub(crate) last_epoch: Option<u64>,
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
            kind: Kind::Journal,
            what,
            first_epoch: None,
            last_epoch: None,
            journal: journal.display().to_string(),
            version: env!("CARGO_PKG_VERSION"),
            durable_record,
            sealed_record,
            remedy: "look at the disk, run `trueup verify` on the folder, then start again",
        }
    }

    /// What was published was computed again now, and differs.
    pub(crate) fn of_difference(now: Timestamp, what: &'a str, journal: &Path) -> Self {
        Self {
            kind: Kind::Published,
            remedy: "keep a backup of the journal's folder and report it; `--accept-differences` goes on \
                     with what is computed now",
            ..Self::new(now, what, journal, (0, 0))
        }
    }

    /// A worker failed now.
    pub(crate) fn of_worker(now: Timestamp, failure: &'a WorkerFailure, journal: &Path) -> Self {
        Self {
            kind: Kind::Worker,
            first_epoch: failure.epochs.map(|(first, _)| first),
            last_epoch: failure.epochs.map(|(_, last)| last),
            remedy: "start again: the fact that brought it down is found and left out; report it",
            ..Self::new(now, &failure.reason, journal, (0, 0))
        }
    }

    /// Writes it next to the journal; where that cannot be, the log has it alone.
    pub(crate) fn write(&self, now: Timestamp) -> std::io::Result<PathBuf> {
        let (folder, prefix) = place(Path::new(&self.journal));
        let path = folder.join(format!("{prefix}{}.json", now.0));
        let text = serde_json::to_string_pretty(self)?;
        std::fs::write(&path, text + "\n")?;
        Ok(path)
    }
}

/// Where the incidents of a journal are, and with what their names begin.
fn place(journal: &Path) -> (PathBuf, String) {
    let name = journal
        .file_name()
        .map_or_else(|| "journal".to_owned(), |name| name.to_string_lossy().into_owned());
    let folder = journal.parent().unwrap_or(Path::new("")).to_owned();
    (folder, format!("{name}.incident-"))
}

impl Failures {
    /// Those next to a journal; what cannot be read is none.
    pub(crate) fn of(journal: &Path) -> Self {
        let (folder, prefix) = place(journal);
        let shown = if folder.as_os_str().is_empty() { Path::new(".") } else { &folder };
        let entries = std::fs::read_dir(shown).into_iter().flatten().flatten();
        let mut files: Vec<PathBuf> = entries
            .filter(|entry| {
                let name = entry.file_name();
                let name = name.to_string_lossy();
                name.starts_with(&prefix) && name.ends_with(".json")
            })
            .map(|entry| entry.path())
            .collect();
        files.sort();
        let mut found = Self::default();
        for file in files {
            let text = std::fs::read_to_string(&file).unwrap_or_default();
            if let Ok(Read { kind: Kind::Worker, first_epoch, last_epoch }) =
                serde_json::from_str(&text)
            {
                found.epochs = first_epoch.zip(last_epoch);
                found.files.push(file);
            }
        }
        found
    }

    /// Whether there are none.
    pub(crate) fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    /// Has them count as looked into.
    pub(crate) fn put_away(&self) {
        for file in &self.files {
            let mut name = file.clone().into_os_string();
            name.push(MENDED);
            if let Err(error) = std::fs::rename(file, name) {
                tracing::warn!(%error, file = %file.display(), "an incident is looked into again");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Failures, Incident};
    use trueup_runtime::cluster::WorkerFailure;

    #[test]
    fn a_worker_that_failed_is_found_until_it_was_looked_into_and_other_incidents_are_not() {
        let folder = tempfile::tempdir().unwrap();
        let journal = folder.path().join("kept");
        let (first, second) = (Timestamp::RECORDED, Timestamp::RECORDED.plus_us(1));
        Incident::new(first, "could not sync", &journal, (7, 5)).write(first).unwrap();
        assert!(Failures::of(&journal).is_empty());
        Incident::of_difference(first.plus_us(-1), "epoch 4 differs", &journal)
            .write(first.plus_us(-1))
            .unwrap();
        assert!(Failures::of(&journal).is_empty());
        let failure = WorkerFailure { reason: "no sum".to_owned(), epochs: Some((3, 5)) };
        Incident::of_worker(second, &failure, &journal).write(second).unwrap();
        let found = Failures::of(&journal);
        assert_eq!((found.files.len(), found.epochs), (1, Some((3, 5))));
        assert!(Failures::of(&folder.path().join("other")).is_empty());
        found.put_away();
        assert!(Failures::of(&journal).is_empty());
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 3, "all are kept");
    }

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

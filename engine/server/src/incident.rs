//! What is written down when an engine stops by itself, for whoever finds it stopped.

use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use trueup_model::time::Timestamp;
use trueup_runtime::cluster::{Failing, PartFailure};

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
    /// It was looked for the fact that brings a worker down, and no fact explains it.
    Unexplained,
    /// Taking a snapshot failed.
    Snapshots,
}

/// What a file says of a part that failed.
#[derive(Debug, Deserialize)]
struct Read {
    kind: Kind,
    first_epoch: Option<u64>,
    last_epoch: Option<u64>,
    tried: Option<String>,
    #[serde(default)]
    durable_record: u64,
}

/// What failed and was not looked into yet, or in vain.
#[derive(Debug, Default)]
pub(crate) struct Failures {
    /// All files, of whatever kind.
    open: Vec<PathBuf>,
    /// Of workers.
    files: Vec<PathBuf>,
    /// The epochs of the last one, if it says them.
    pub(crate) epochs: Option<(u64, u64)>,
    /// Those that no fact explains: what was tried, and the last record of the journal.
    unexplained: Vec<(PathBuf, Option<String>, u64)>,
    /// Those of snapshots, and what took them.
    snapshots: Vec<(PathBuf, Option<String>)>,
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
    /// The build and the rules with which it happens, where that matters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) tried: Option<String>,
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
            tried: None,
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

    /// A part of an engine with this fingerprint failed now.
    pub(crate) fn of_part(
        now: Timestamp,
        failure: &'a PartFailure,
        journal: &Path,
        fingerprint: u128,
    ) -> Self {
        let general = Self::new(now, &failure.reason, journal, (0, 0));
        match failure.part {
            Failing::Worker => Self {
                kind: Kind::Worker,
                first_epoch: failure.epochs.map(|(first, _)| first),
                last_epoch: failure.epochs.map(|(_, last)| last),
                remedy: "start again: the fact that brought it down is found and left out; report it",
                ..general
            },
            Failing::Snapshots => Self {
                kind: Kind::Snapshots,
                tried: Some(tried(fingerprint)),
                remedy: "report it, and start again: this build then takes no snapshots of this journal, \
                         which grows; another build does, and this one when this file is taken away",
                ..general
            },
        }
    }

    /// Now no fact was found without which an engine with this fingerprint does not fail.
    pub(crate) fn of_search(
        now: Timestamp,
        what: &'a str,
        journal: &Path,
        (fingerprint, last, epoch): (u128, u64, Option<u64>),
    ) -> Self {
        Self {
            kind: Kind::Unexplained,
            tried: Some(tried(fingerprint)),
            first_epoch: epoch,
            last_epoch: epoch,
            remedy: "report it with this file and a backup of the journal's folder; another build or other \
                     rules are tried by themselves, and these when this file is taken away",
            ..Self::new(now, what, journal, (last, 0))
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

/// How a fingerprint is written.
fn tried(fingerprint: u128) -> String {
    format!("{fingerprint:032x}")
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
            let Ok(Read { kind, first_epoch, last_epoch, tried, durable_record }) =
                serde_json::from_str(&text)
            else {
                continue;
            };
            found.open.push(file.clone());
            match kind {
                Kind::Worker => {
                    found.epochs = first_epoch.zip(last_epoch);
                    found.files.push(file);
                }
                Kind::Unexplained => found.unexplained.push((file, tried, durable_record)),
                Kind::Snapshots => found.snapshots.push((file, tried)),
                Kind::Journal | Kind::Published => {}
            }
        }
        found
    }

    /// The file that says that no fact explains why an engine with this fingerprint fails, with a journal up to
    /// this record.
    pub(crate) fn unexplained(&self, fingerprint: u128, last: u64) -> Option<&Path> {
        let same = (Some(tried(fingerprint)), last);
        let mut files = self.unexplained.iter();
        let (file, ..) = files.find(|(_, tried, at)| (tried, at) == (&same.0, &same.1))?;
        Some(file)
    }

    /// The file that says that taking a snapshot ended an engine with this fingerprint.
    pub(crate) fn of_snapshots(&self, fingerprint: u128) -> Option<&Path> {
        let same = Some(tried(fingerprint));
        let (file, _) = self.snapshots.iter().find(|(_, tried)| *tried == same)?;
        Some(file)
    }

    /// The files of everything that nobody has looked into.
    pub(crate) fn open(&self) -> &[PathBuf] {
        &self.open
    }

    /// Whether there are none of workers.
    pub(crate) fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    /// Has them count as looked into.
    pub(crate) fn put_away(&self) {
        for file in self.files.iter().chain(self.unexplained.iter().map(|(file, ..)| file)) {
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
    use trueup_runtime::cluster::{Failing, PartFailure};

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
        let failure = failure(Failing::Worker);
        Incident::of_part(second, &failure, &journal, 1).write(second).unwrap();
        let found = Failures::of(&journal);
        assert_eq!((found.files.len(), found.epochs), (1, Some((3, 5))));
        assert!(Failures::of(&folder.path().join("other")).is_empty());
        found.put_away();
        assert!(Failures::of(&journal).is_empty());
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 3, "all are kept");
    }

    fn failure(part: Failing) -> PartFailure {
        PartFailure { part, reason: "no sum".to_owned(), epochs: Some((3, 5)) }
    }

    #[test]
    fn what_no_fact_explains_is_known_for_the_same_build_and_journal_until_it_is_put_away() {
        let folder = tempfile::tempdir().unwrap();
        let journal = folder.path().join("kept");
        let now = Timestamp::RECORDED;
        let incident = Incident::of_search(now, "epoch 4 fails", &journal, (7, 30, Some(4)));
        let path = incident.write(now).unwrap();
        let found = Failures::of(&journal);
        assert!(found.is_empty(), "it is no worker that failed");
        assert_eq!(found.unexplained(7, 30), Some(path.as_path()));
        assert_eq!((found.unexplained(8, 30), found.unexplained(7, 31)), (None, None));
        found.put_away();
        assert_eq!(Failures::of(&journal).unexplained(7, 30), None);
    }

    #[test]
    fn snapshots_that_ended_an_engine_are_known_for_the_same_build_and_are_no_facts_fault() {
        let folder = tempfile::tempdir().unwrap();
        let journal = folder.path().join("kept");
        let now = Timestamp::RECORDED;
        let failure = failure(Failing::Snapshots);
        let path = Incident::of_part(now, &failure, &journal, 7).write(now).unwrap();
        let found = Failures::of(&journal);
        assert!(found.is_empty());
        assert_eq!((found.of_snapshots(7), found.of_snapshots(8)), (Some(path.as_path()), None));
        found.put_away();
        assert!(Failures::of(&journal).of_snapshots(7).is_some(), "nothing was looked into");
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

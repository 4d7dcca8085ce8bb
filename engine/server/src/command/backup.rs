//! Copies an engine's journal and snapshot, while it runs or not, and puts such a copy back.

use crate::args::{BackupArguments, RestoreArguments, WhichJournal};
use crate::command::serve::DIFFERS;
use crate::config::{Values, environment};
use crate::exit::{Exit, Failure};
use crate::render::Format;
use serde::Serialize;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use trueup_connectors::connector::progress::Progress;
use trueup_runtime::backup::{BackupManifest, Done, backup, restore};
use trueup_runtime::clock::{Clock as _, SystemClock};
use trueup_runtime::error::RuntimeError;
use trueup_runtime::settings::Keys;

/// How often it is said how far the work is, in microseconds.
const SAY_US: u64 = 200_000;

/// What was copied, for programs.
#[derive(Debug, Serialize)]
struct Answer {
    folder: String,
    epoch: Option<u64>,
    record: u64,
    snapshot: Option<u64>,
    files: usize,
    bytes: u64,
    /// How many records were copied without being looked into, because their keys were not named.
    locked_records: u64,
}

/// Copies a journal and its newest snapshot.
pub(crate) fn back_up(arguments: &BackupArguments) -> anyhow::Result<Exit> {
    let (journal, keys) = journal(&arguments.journal)?;
    let keys = arguments.keys.read()?.or(keys);
    let copied = working("copied", |told| backup(&journal, keys, &arguments.folder, told));
    let copied = copied.map_err(|error| refused("no backup was taken", &error))?;
    say(&Answer::new(&arguments.folder, &copied), arguments.output.format(), "copied to")?;
    Ok(Exit::Clean)
}

/// Puts a copy back.
pub(crate) fn put_back(arguments: &RestoreArguments) -> anyhow::Result<Exit> {
    let (journal, _) = journal(&arguments.journal)?;
    let restored = working("restored", |told| restore(&arguments.folder, &journal, told));
    let restored = restored.map_err(|error| refused("nothing was restored", &error))?;
    say(&Answer::new(&journal, &restored), arguments.output.format(), "restored to")?;
    Ok(Exit::Clean)
}

/// The folder of the journal, as it is named or as the configuration has it, and its keys if that names them.
fn journal(which: &WhichJournal) -> Result<(PathBuf, Option<Arc<Keys>>), Failure> {
    if let Some(folder) = &which.journal {
        return Ok((folder.clone(), None));
    }
    let settings = Values::read(which.config.as_deref(), environment)?.check()?.settings;
    let folder = settings.journal.ok_or_else(|| {
        let message = "the configuration keeps no journal";
        Failure::new(Exit::Config, message, "set journal.enabled, or name a folder with --journal")
    })?;
    Ok((folder, settings.journal_keys))
}

/// Does long work, and says how far it is.
fn working<T>(what: &str, work: impl FnOnce(&mut dyn FnMut(Done)) -> T) -> T {
    let (clock, mut progress) = (SystemClock::default(), Progress::on_standard_error());
    let mut said_us = 0;
    let done = work(&mut |Done { bytes, of }| {
        let now = clock.monotonic_us();
        if now >= said_us + SAY_US {
            said_us = now;
            let (done, all) = (bytes.div_ceil(1 << 20), of.div_ceil(1 << 20));
            progress.say(&format!("{what} {done} of {all} MiB"));
        }
    });
    progress.clear();
    done
}

/// Why a folder could not be copied, restored or looked into.
pub(super) fn refused(what: &str, error: &RuntimeError) -> Failure {
    let cause = std::error::Error::source(error);
    let cause = cause.map_or_else(|| error.to_string(), ToString::to_string);
    let (exit, hint) = if matches!(error, RuntimeError::PublishedDiffers(_)) {
        (Exit::Differs, DIFFERS)
    } else if error.is_locked() {
        (Exit::Config, "`journal.key_file` or --key-file names the file with the keys")
    } else if error.is_damage() {
        (Exit::Damaged, "`trueup verify` on the folder says more; nothing was changed")
    } else if matches!(error, RuntimeError::Folder { .. }) {
        (Exit::NoInput, "the journal's folder is that of `journal.folder`")
    } else {
        (Exit::CannotWrite, "look at the disk, and try again")
    };
    Failure::new(exit, format!("{what}: {cause}"), hint)
}

fn say(answer: &Answer, format: Format, what: &str) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    let Answer { folder, epoch, record, snapshot, files, bytes, locked_records } = answer;
    match format {
        Format::Json => writeln!(out, "{}", serde_json::to_string_pretty(answer)?)?,
        Format::Table | Format::Csv => {
            let shown = |number: &Option<u64>| number.map_or("none".to_owned(), |n| n.to_string());
            writeln!(
                out,
                "{what} {folder}: last closed epoch {}, last record {record}, snapshot {}, \
                 {files} files, {bytes} bytes",
                shown(epoch),
                shown(snapshot),
            )?;
            if *locked_records > 0 {
                writeln!(
                    out,
                    "{locked_records} records are encrypted with keys that were not named: they were \
                     copied as they are, and only their checksums were looked at"
                )?;
            }
        }
    }
    Ok(())
}

impl Answer {
    fn new(folder: &Path, manifest: &BackupManifest) -> Self {
        Self {
            folder: folder.display().to_string(),
            epoch: manifest.epoch,
            record: manifest.record,
            snapshot: manifest.snapshot,
            files: manifest.files.len(),
            bytes: manifest.bytes(),
            locked_records: manifest.locked,
        }
    }
}

//! Looks at a journal's folder while no engine uses it, and cuts off what nothing vouches for if told to.

use crate::args::{RepairArguments, VerifyArguments};
use crate::exit::{Exit, Failure};
use crate::render::Format;
use comfy_table::Table;
use serde::Serialize;
use std::io::Write as _;
use std::path::Path;
use trueup_runtime::error::RuntimeError;
use trueup_runtime::inspect::{Inspection, SnapshotReport};

/// What a folder holds, for programs.
#[derive(Debug, Serialize)]
struct Answer {
    segments: Vec<SegmentRow>,
    snapshots: Vec<SnapshotRow>,
    last_record: u64,
    sealed_record: u64,
    closed_epoch: Option<u64>,
    horizon_first: Option<String>,
    horizon_last: Option<String>,
    torn_bytes: u64,
    damage: Option<String>,
    can_be_cut: bool,
    locked_records: u64,
    locked: Option<String>,
}

#[derive(Debug, Serialize)]
struct SegmentRow {
    file: String,
    bytes: u64,
    first_record: u64,
    records: u64,
    first_epoch: Option<u64>,
    last_epoch: Option<u64>,
}

#[derive(Debug, Serialize)]
struct SnapshotRow {
    epoch: u64,
    bytes: u64,
    records: u64,
    through_record: u64,
    damage: Option<String>,
    locked: Option<String>,
}

/// Reads everything and says what is there, and what is wrong.
pub(crate) fn verify(arguments: &VerifyArguments) -> anyhow::Result<Exit> {
    let folder = &arguments.folder;
    check_folder(folder)?;
    let found =
        Inspection::of(folder, arguments.keys.read()?).map_err(|error| refused(folder, &error))?;
    let exit = if found.journal.damage.is_some() {
        Exit::Damaged
    } else if found.snapshots.iter().any(|one| one.damage.is_some()) {
        Exit::SnapshotDamaged
    } else {
        Exit::Clean
    };
    let answer = Answer::new(found);
    let mut out = std::io::stdout().lock();
    match arguments.output.format() {
        Format::Json => writeln!(out, "{}", serde_json::to_string_pretty(&answer)?)?,
        Format::Table | Format::Csv => out.write_all(answer.table().as_bytes())?,
    }
    Ok(exit)
}

/// Cuts off what nothing vouches for.
pub(crate) fn repair(arguments: &RepairArguments) -> anyhow::Result<Exit> {
    let folder = &arguments.folder;
    check_folder(folder)?;
    let keys = arguments.keys.read()?;
    let mut out = std::io::stdout().lock();
    if !arguments.lose_unsealed {
        let found = Inspection::of(folder, keys).map_err(|error| refused(folder, &error))?;
        let answer = Answer::new(found);
        let lost = match (&answer.damage, answer.can_be_cut, answer.torn_bytes) {
            (None, _, 0) => "nothing is to be repaired".to_owned(),
            (Some(damage), false, _) => return Err(sealed(damage).into()),
            (_, _, _) => format!(
                "what comes after record {} would be lost; nothing vouches for it, and whoever sent \
                 it still has it: say --lose-unsealed to cut it off",
                answer.last_record
            ),
        };
        writeln!(out, "{lost}")?;
        let nothing = answer.damage.is_none() && answer.torn_bytes == 0;
        return Ok(if nothing { Exit::Clean } else { Exit::Damaged });
    }
    match Inspection::cut(folder, keys) {
        Ok(None) => writeln!(out, "nothing is to be repaired")?,
        Ok(Some(cut)) => writeln!(
            out,
            "{} bytes were cut off; they are in {}",
            cut.bytes,
            folder.join(&cut.file).display()
        )?,
        Err(RuntimeError::Journal(error)) => return Err(sealed(&error.to_string()).into()),
        Err(error) => return Err(refused(folder, &error).into()),
    }
    Ok(Exit::Clean)
}

fn check_folder(folder: &Path) -> Result<(), Failure> {
    if folder.is_dir() {
        return Ok(());
    }
    let message = format!("{} is no folder", folder.display());
    Err(Failure::new(Exit::NoInput, message, "name the folder of `journal.folder`"))
}

fn sealed(damage: &str) -> Failure {
    let hint = "restore the file from a copy; nothing was changed";
    let message = format!("what would be lost was acknowledged for good: {damage}");
    Failure::new(Exit::Damaged, message, hint)
}

fn refused(folder: &Path, error: &RuntimeError) -> Failure {
    let cause = std::error::Error::source(error);
    let cause = cause.map_or_else(|| error.to_string(), ToString::to_string);
    let message = format!("{} could not be looked at: {cause}", folder.display());
    Failure::new(Exit::Unavailable, message, "stop the engine that uses it, or look at the disk")
}

impl Answer {
    fn new(found: Inspection) -> Self {
        let Inspection { journal, horizons, snapshots } = found;
        let segments = journal.segments.into_iter().map(|segment| SegmentRow {
            file: segment.file,
            bytes: segment.bytes,
            first_record: segment.first,
            records: segment.records,
            first_epoch: segment.epochs.map(|(first, _)| first),
            last_epoch: segment.epochs.map(|(_, last)| last),
        });
        Self {
            segments: segments.collect(),
            snapshots: snapshots.into_iter().map(SnapshotRow::new).collect(),
            last_record: journal.last,
            sealed_record: journal.sealed,
            closed_epoch: journal.closed,
            horizon_first: horizons.map(|(first, _)| first.to_string()),
            horizon_last: horizons.map(|(_, last)| last.to_string()),
            torn_bytes: journal.torn_bytes,
            damage: journal.damage.map(|error| error.to_string()),
            can_be_cut: journal.is_unsealed,
            locked_records: journal.locked,
            locked: journal.first_locked.map(|error| error.to_string()),
        }
    }

    fn table(&self) -> String {
        let mut segments = Table::new();
        segments.set_header(["file", "bytes", "first record", "records", "epochs"]);
        for row in &self.segments {
            let epochs = row.first_epoch.zip(row.last_epoch);
            let epochs = epochs.map_or_else(String::new, |(first, last)| format!("{first}–{last}"));
            segments.add_row([
                row.file.clone(),
                row.bytes.to_string(),
                row.first_record.to_string(),
                row.records.to_string(),
                epochs,
            ]);
        }
        let mut snapshots = Table::new();
        snapshots.set_header(["snapshot", "bytes", "records", "through record", "damage"]);
        for row in &self.snapshots {
            snapshots.add_row([
                row.epoch.to_string(),
                row.bytes.to_string(),
                row.records.to_string(),
                row.through_record.to_string(),
                row.damage.as_ref().or(row.locked.as_ref()).cloned().unwrap_or_default(),
            ]);
        }
        let shown = |epoch: Option<u64>| epoch.map_or_else(|| "none".to_owned(), |e| e.to_string());
        let mut text = format!("{segments}\n{snapshots}\n");
        text.push_str(&format!(
            "last record {}, sealed up to {}, last closed epoch {}, torn bytes {}\n",
            self.last_record,
            self.sealed_record,
            shown(self.closed_epoch),
            self.torn_bytes
        ));
        if let Some((first, last)) = self.horizon_first.as_ref().zip(self.horizon_last.as_ref()) {
            text.push_str(&format!("horizon from {first} to {last}\n"));
        }
        if let Some(locked) = &self.locked {
            text.push_str(&format!(
                "{locked}\n{} records are encrypted with keys that were not named (--key-file): only \
                 their checksums were looked at\n",
                self.locked_records
            ));
        }
        text.push_str(&match &self.damage {
            None => "the journal is good\n".to_owned(),
            Some(damage) if self.can_be_cut => format!(
                "{damage}\nnothing vouches for what is there: `trueup repair` can cut it off\n"
            ),
            Some(damage) => format!("{damage}\n"),
        });
        text
    }
}

impl SnapshotRow {
    fn new(found: SnapshotReport) -> Self {
        let SnapshotReport { epoch, bytes, records, through, damage, locked } = found;
        let damage = damage.map(|error| error.to_string());
        let locked = locked.map(|error| error.to_string());
        Self { epoch, bytes, records, through_record: through, damage, locked }
    }
}

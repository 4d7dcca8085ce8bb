//! What can be said to the commands that work on a journal's folder.

use super::{Output, Which};
use crate::config::read_keys;
use crate::exit::{Exit, Failure};
use clap::Args;
use std::path::PathBuf;
use std::sync::Arc;
use trueup_runtime::settings::Keys;

/// The keys of what is encrypted.
#[derive(Clone, Debug, Args)]
pub(crate) struct WithKeys {
    /// The file of keys with which it is encrypted, as `journal.key_file`.
    #[arg(long, value_name = "FILE")]
    pub(crate) key_file: Option<PathBuf>,
}

impl WithKeys {
    /// The keys, if a file is named.
    pub(crate) fn read(&self) -> Result<Option<Arc<Keys>>, Failure> {
        let read = self.key_file.as_deref().map(read_keys).transpose();
        read.map_err(|problem| {
            let hint = "a key file begins with `trueup keys 1`, and each line after is `key HEX`";
            Failure::new(Exit::Config, format!("key file {problem}"), hint)
        })
    }
}

/// Which journal to look at.
#[derive(Clone, Debug, Args)]
pub(crate) struct VerifyArguments {
    /// The journal's folder.
    pub(crate) folder: PathBuf,
    /// What it is encrypted with.
    #[command(flatten)]
    pub(crate) keys: WithKeys,
    /// How to write the answer.
    #[command(flatten)]
    pub(crate) output: Output,
}

/// Which journal to repair.
#[derive(Clone, Debug, Args)]
pub(crate) struct RepairArguments {
    /// The journal's folder.
    pub(crate) folder: PathBuf,
    /// Cut off what comes after the last good record; it is kept in a file of its own.
    #[arg(long)]
    pub(crate) lose_unsealed: bool,
    /// What it is encrypted with.
    #[command(flatten)]
    pub(crate) keys: WithKeys,
}

/// Where a journal is.
#[derive(Clone, Debug, Args)]
pub(crate) struct WhichJournal {
    /// The configuration that names the journal's folder.
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// The journal's folder, in place of what the configuration says.
    #[arg(long, value_name = "DIR", conflicts_with = "config")]
    pub(crate) journal: Option<PathBuf>,
}

/// What to copy.
#[derive(Clone, Debug, Args)]
pub(crate) struct BackupArguments {
    /// The folder of the backup, new or empty.
    pub(crate) folder: PathBuf,
    /// What is copied.
    #[command(flatten)]
    pub(crate) journal: WhichJournal,
    /// What it is encrypted with, over what the configuration says.
    #[command(flatten)]
    pub(crate) keys: WithKeys,
    /// How to write the answer.
    #[command(flatten)]
    pub(crate) output: Output,
}

/// What to put back.
#[derive(Clone, Debug, Args)]
pub(crate) struct RestoreArguments {
    /// The folder of the backup.
    pub(crate) folder: PathBuf,
    /// Where it goes, new or empty.
    #[command(flatten)]
    pub(crate) journal: WhichJournal,
    /// How to write the answer.
    #[command(flatten)]
    pub(crate) output: Output,
}

/// What to look back at.
#[derive(Clone, Debug, Args)]
pub(crate) struct ReplayArguments {
    /// The journal's folder, or a backup's.
    pub(crate) folder: PathBuf,
    /// What to show: positions, discrepancies, levels, rollups, sessions and so on.
    #[arg(value_name = "VIEW", default_values_t = ["positions", "discrepancies"].map(str::to_owned))]
    pub(crate) views: Vec<String>,
    /// The epoch as of which it is shown; else the last one that is closed.
    #[arg(long, value_name = "EPOCH")]
    pub(crate) through: Option<u64>,
    /// Begin with the newest snapshot of this epoch or an earlier one; else with the newest that serves.
    #[arg(long, value_name = "EPOCH")]
    pub(crate) from: Option<u64>,
    /// The configuration, whose policy and limits hold.
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// What it is encrypted with, over what the configuration says.
    #[command(flatten)]
    pub(crate) keys: WithKeys,
    /// Worker threads, over what the configuration says.
    #[arg(long, value_name = "COUNT")]
    pub(crate) workers: Option<usize>,
    /// Which rows.
    #[command(flatten)]
    pub(crate) which: Which,
    /// How to write the answer.
    #[command(flatten)]
    pub(crate) output: Output,
}

/// What is to be computed for a trial; the facts to leave out come from the standard input.
#[derive(Clone, Debug, Args)]
pub(crate) struct TrialArguments {
    /// The journal's folder.
    pub(crate) folder: PathBuf,
    /// The epoch at which it ends; else the last one that is closed.
    #[arg(long, value_name = "EPOCH")]
    pub(crate) through: Option<u64>,
    /// The configuration, whose policy and limits hold.
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
}

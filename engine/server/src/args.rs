//! What can be typed: commands and their switches, with the help that explains them.

mod asking;
mod folder;

pub(crate) use asking::{AskArguments, ExplainArguments, TopArguments, Where};
pub(crate) use folder::{
    BackupArguments, RepairArguments, ReplayArguments, RestoreArguments, TrialArguments,
    VerifyArguments, WhichJournal,
};

use crate::filter::Filter;
use crate::render::Format;
use clap::{Args, Parser, Subcommand};
use std::net::SocketAddr;
use std::path::PathBuf;

/// Where an engine listens for questions if nothing else is said.
pub(crate) const API_DEFAULT: &str = "127.0.0.1:7117";

/// Keeps a license position exactly right while usage and contracts change.
#[derive(Debug, Parser)]
#[command(name = "trueup", version, max_term_width = 100, after_help = EXIT_CODES)]
pub(crate) struct Arguments {
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
}

const EXIT_CODES: &str = "\
Exit codes: 0 nothing to look at; 10 a discrepancy of severity 1; 11 of severity 2 or 3; 12 of
severity 4 or 5; 65 input was set aside (see quarantine); 66 a file cannot be read; 69 no engine
answers; 70 a bug; 71 the engine stopped because its journal failed; 74 a file cannot be written; 75
another process of the cluster is gone; 76 a journal is damaged; 77 a snapshot is; 78 a configuration,
policy or mapping is wrong; 79 what was published is something else when it is computed again; 2 the
command line was not understood.";

/// The commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Show a small company's license position, with everything in it that goes wrong in practice.
    Demo(DemoArguments),
    /// Read logs, license files and lists once; print positions and discrepancies.
    Reconcile(ReconcileArguments),
    /// Run an engine that connectors feed and that answers questions.
    Serve(ServeArguments),
    /// Run an engine over several processes of this machine, and start all of them anew if one fails.
    Launch(LaunchArguments),
    /// What is entitled, needed and missing, the most urgent first.
    Positions(AskArguments),
    /// Demand and rights at one instant.
    Levels(AskArguments),
    /// What someone must look at, the most urgent first.
    Discrepancies(AskArguments),
    /// Totals over the account tree and the product tree.
    Rollups(AskArguments),
    /// What is left of credits, by grant and turn.
    Credits(AskArguments),
    /// Use that no credit covers.
    Overages(AskArguments),
    /// What metered use costs by bands of prices.
    Charges(AskArguments),
    /// What is owed for shortfalls, each excess once a year.
    TrueUps(AskArguments),
    /// What lines cost in each period or for their term.
    Fees(AskArguments),
    /// What is still to be billed of metered use, in whole billing units.
    Bills(AskArguments),
    /// How much of what is allocated to people and machines is in use.
    Allocations(AskArguments),
    /// Why a position or discrepancy is what it is.
    Explain(ExplainArguments),
    /// What could not be understood, with source, position and remedy.
    Quarantine(AskArguments),
    /// What log, license file and server say of each feature.
    Pools(AskArguments),
    /// Checkouts, from open to close.
    Sessions(AskArguments),
    /// Refused attempts.
    Denials(AskArguments),
    /// What each operator of a running engine costs, the costliest first.
    Top(TopArguments),
    /// Read a stopped engine's journal and snapshots, and say what is there and what is wrong.
    Verify(VerifyArguments),
    /// Cut off what a journal ends with and nothing vouches for.
    Repair(RepairArguments),
    /// Copy a journal and its newest snapshot to another folder, while an engine runs or not.
    Backup(BackupArguments),
    /// Put a backup where an engine will find it.
    Restore(RestoreArguments),
    /// Say what an engine would have answered as of an epoch, from its journal or a backup.
    Replay(ReplayArguments),
    /// Compute a journal without some of its facts, for whoever looks for those that stop an engine.
    #[command(hide = true)]
    Trial(TrialArguments),
    /// Show the configuration and where each value comes from.
    Config(ConfigArguments),
}

/// How an answer is written.
#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct Output {
    /// How to write the answer.
    #[arg(long, value_enum, default_value_t, conflicts_with = "json")]
    format: Format,
    /// The same as `--format json`.
    #[arg(long)]
    json: bool,
}

impl Output {
    /// The format that was asked for.
    pub(crate) fn format(self) -> Format {
        if self.json { Format::Json } else { self.format }
    }
}

/// Which rows to show.
#[derive(Clone, Debug, Args)]
pub(crate) struct Which {
    /// Only this tenant; `*` stands for any letters.
    #[arg(long, value_name = "NAME")]
    tenant: Option<String>,
    /// Only this account; `*` stands for any letters.
    #[arg(long, value_name = "NAME")]
    account: Option<String>,
    /// Only this product; `*` stands for any letters.
    #[arg(long, value_name = "NAME")]
    product: Option<String>,
    /// Only this metric: concurrent, `named_user`, volume.
    #[arg(long, value_name = "NAME")]
    metric: Option<String>,
    /// A period such as 2026-03, or `all`, `every`, `current`.
    #[arg(long, value_name = "LABEL")]
    period: Option<String>,
    /// Only this state or kind, such as over or `expired_in_use`.
    #[arg(long, value_name = "NAME")]
    kind: Option<String>,
    /// The instant to look at, RFC 3339 with an offset.
    #[arg(long, value_name = "INSTANT")]
    at: Option<String>,
    /// Totals by the account tree of today, and not by that of the time of use.
    #[arg(long)]
    as_current: bool,
    /// Wait until this epoch is published.
    #[arg(long, value_name = "EPOCH")]
    wait_for: Option<u64>,
    /// Show at most this many rows.
    #[arg(long, value_name = "ROWS")]
    limit: Option<usize>,
}

impl ServeArguments {
    /// The files that are named for the API, each with its switch and its key in the configuration.
    pub(crate) fn api_files(&self) -> [(&'static str, &'static str, &Option<PathBuf>); 3] {
        [
            ("--api-certificate", "certificate_file", &self.api_certificate),
            ("--api-key", "key_file", &self.api_key),
            ("--api-authority", "authority_file", &self.api_authority),
        ]
    }
}

impl Which {
    /// The rows as a filter.
    pub(crate) fn filter(&self) -> Filter {
        Filter {
            tenant: self.tenant.clone(),
            account: self.account.clone(),
            product: self.product.clone(),
            metric: self.metric.clone(),
            period: self.period.clone(),
            kind: self.kind.clone(),
            at: self.at.clone(),
            tree: self.as_current.then(|| "current".to_owned()),
            wait_for: self.wait_for,
            limit: self.limit,
        }
    }
}

/// How to run the demonstration.
#[derive(Clone, Debug, Args)]
pub(crate) struct DemoArguments {
    /// Stay up and answer questions when the tables are printed.
    #[arg(long)]
    pub(crate) serve: bool,
    /// Where to answer.
    #[arg(long, value_name = "HOST:PORT", default_value = API_DEFAULT)]
    pub(crate) listen: SocketAddr,
    /// Worker threads.
    #[arg(long, value_name = "COUNT", default_value_t = 1)]
    pub(crate) workers: usize,
    /// Write the demonstration's input files to this folder instead, to try them by hand.
    #[arg(long, value_name = "DIR")]
    pub(crate) extract: Option<PathBuf>,
    /// How to write the answer.
    #[command(flatten)]
    pub(crate) output: Output,
}

/// How to reconcile files once.
#[derive(Clone, Debug, Args)]
pub(crate) struct ReconcileArguments {
    /// Logs, license files, options files, server status, tables and events, in any order. What each
    /// is is found out from its content. `FILE@INSTANT` says from when on a license file holds.
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<String>,
    /// Write positions, discrepancies, totals and the rest as JSON and CSV to this folder.
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    /// A policy: metrics, thresholds, zones, closing.
    #[arg(long, value_name = "FILE")]
    pub(crate) policy: Option<PathBuf>,
    /// A mapping for a table or event file, as `FILE=MAPPING`; may be given several times.
    #[arg(long, value_name = "FILE=MAPPING")]
    pub(crate) mapping: Vec<String>,
    /// The zone of local times in logs and lists, and of periods: an IANA name. `FILE=ZONE` says it
    /// of one file; may be given several times.
    #[arg(long, value_name = "ZONE")]
    pub(crate) time_zone: Vec<String>,
    /// The license server's host, if the files do not say it.
    #[arg(long, value_name = "HOST")]
    pub(crate) server: Option<String>,
    /// Whose files they are.
    #[arg(long, value_name = "NAME", default_value = "default")]
    pub(crate) tenant: String,
    /// The instant up to which figures are evaluated, RFC 3339; else the latest in the files.
    #[arg(long, value_name = "INSTANT")]
    pub(crate) as_of: Option<String>,
    /// Worker threads.
    #[arg(long, value_name = "COUNT", default_value_t = 1)]
    pub(crate) workers: usize,
    /// The period to show, such as 2026-03, `all` or `every`; else the last one.
    #[arg(long, value_name = "LABEL")]
    pub(crate) period: Option<String>,
    /// Also explain this position or discrepancy.
    #[arg(long, value_name = "ID")]
    pub(crate) explain: Vec<String>,
    /// End with code 0 whatever is found.
    #[arg(long)]
    pub(crate) exit_zero: bool,
    /// How to write the answer.
    #[command(flatten)]
    pub(crate) output: Output,
}

/// How to run an engine.
#[derive(Clone, Debug, Args)]
pub(crate) struct ServeArguments {
    /// The configuration file.
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Where to answer questions, over what the configuration says.
    #[arg(long, value_name = "HOST:PORT")]
    pub(crate) api: Option<SocketAddr>,
    /// The certificate that whoever asks is shown, over what the configuration says.
    #[arg(long, value_name = "FILE")]
    pub(crate) api_certificate: Option<PathBuf>,
    /// The key of that certificate, over what the configuration says.
    #[arg(long, value_name = "FILE")]
    pub(crate) api_key: Option<PathBuf>,
    /// The authority (CA) whose certificates whoever asks must show, over what the configuration says.
    #[arg(long, value_name = "FILE")]
    pub(crate) api_authority: Option<PathBuf>,
    /// Where to listen for connectors, over what the configuration says.
    #[arg(long, value_name = "HOST:PORT")]
    pub(crate) connectors: Option<SocketAddr>,
    /// Worker threads, over what the configuration says.
    #[arg(long, value_name = "COUNT")]
    pub(crate) workers: Option<usize>,
    /// Go on if epochs that were published are something else when they are computed again; the journal
    /// says so from then on.
    #[arg(long)]
    pub(crate) accept_differences: bool,
    /// End at once when the program that started this one ends.
    #[arg(long, hide = true)]
    pub(crate) with_parent: bool,
}

/// How to run an engine over several processes.
#[derive(Clone, Debug, Args)]
pub(crate) struct LaunchArguments {
    /// How many processes, each with as many workers as the configuration says.
    #[arg(long, value_name = "COUNT", default_value_t = 2,
        value_parser = clap::value_parser!(u32).range(1..=64))]
    pub(crate) processes: u32,
    /// Give up when they fail this often in a row, each time within a minute.
    #[arg(long, value_name = "COUNT", default_value_t = 5)]
    pub(crate) failures: u32,
    /// How to run the engine.
    #[command(flatten)]
    pub(crate) serve: ServeArguments,
}

/// How to show the configuration.
#[derive(Clone, Debug, Args)]
pub(crate) struct ConfigArguments {
    /// The configuration file.
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Print every key with its default and what it means, as a file to begin with.
    #[arg(long)]
    pub(crate) defaults: bool,
}

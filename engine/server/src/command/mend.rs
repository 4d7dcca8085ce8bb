//! Finds the facts that stop an engine, and has them left out.
//!
//! A worker that failed wrote down on which epochs it worked. An engine that begins with the same journal
//! would fail in the same way, so before it begins, engines in processes of their own compute the journal up to
//! an epoch without some of its facts (`search.rs`). What is found is written down in the journal as left out, so
//! that all that read it leave it out, and stands in the quarantine. How much is tried is bounded; that nothing was
//! found is written down too, so that it is not tried again, and stays for people.

use crate::args::{ServeArguments, TrialArguments};
use crate::command::search::{Stuck, Trials, culprits};
use crate::command::serve::{build, configuration};
use crate::config::{Values, environment};
use crate::exit::{Exit, Failure};
use crate::incident::{Failures, Incident};
use anyhow::Context as _;
use std::fmt::Write as _;
use std::io::{BufRead as _, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use trueup_model::fact::FactId;
use trueup_runtime::backup::look_back;
use trueup_runtime::clock::{Clock as _, SystemClock};
use trueup_runtime::inspect::Inspection;
use trueup_runtime::memory::Gauge;
use trueup_runtime::recovery::Replayed;
use trueup_runtime::settings::{Keys, Settings};
use trueup_runtime::suspects::{Suspect, leave_out, suspects, suspects_through};

/// What is said where the journal cannot be looked into.
const UNREAD: &str = "the journal could not be read";
/// What to do where no fact is to blame.
const REPORT: &str = "this is a fault of the program: report it with the incidents' files; another build is tried \
    by itself, and this one again when the file that says so is taken away";

/// Looks into workers that failed, if there are any; the facts that bring them down are left out then.
///
/// # Errors
/// If something fails that has nothing to do with facts, or no fact explains it.
pub(super) fn mend(arguments: &ServeArguments) -> anyhow::Result<()> {
    let config = configuration(arguments)?;
    let keys = config.settings.journal_keys.clone();
    let journal = config.settings.journal.clone();
    let Some(journal) = journal.filter(|journal| journal.is_dir()) else {
        return Ok(());
    };
    let failures = Failures::of(&journal);
    if failures.is_empty() {
        return Ok(());
    }
    let config_file = arguments.config.as_deref();
    let mut trials = Processes { journal: &journal, keys: keys.clone(), config: config_file };
    let fingerprint = Settings { build: build()?, ..config.settings.clone() }.fingerprint();
    let last = trials.inspect()?.journal.last;
    if let Some(file) = failures.unexplained(fingerprint, last) {
        let message = format!("no fact is to blame, as was found before: {}", file.display());
        return Err(Failure::new(Exit::Internal, message, REPORT).into());
    }
    tracing::warn!("a worker failed; it is looked for the fact that brings it down");
    let found = match culprits(&mut trials, failures.epochs) {
        Ok(found) => found,
        Err(Stuck::NoFact(what, epoch)) => {
            return Err(give_up(&journal, &what, (fingerprint, last, epoch)).into());
        }
        Err(Stuck::Other(error)) => return Err(error),
    };
    failures.put_away();
    if found.is_empty() {
        tracing::warn!("it does not fail again, and nothing is left out");
        return Ok(());
    }
    leave_out(&journal, keys, &found).context("what was found could not be written down")?;
    for Suspect { id, revision } in found {
        tracing::warn!(
            fact = format!("{:032x}", id.0),
            revision,
            "a fact stops the engine and is left out; `trueup quarantine` says where it is from"
        );
    }
    Ok(())
}

/// Writes down that no fact explains it; says so.
fn give_up(
    journal: &Path,
    what: &str,
    (fingerprint, last, epoch): (u128, u64, Option<u64>),
) -> Failure {
    let now = SystemClock::default().now();
    let what = format!("no fact is to blame: {what}");
    let incident = Incident::of_search(now, &what, journal, (fingerprint, last, epoch));
    match incident.write(now) {
        Ok(path) => tracing::error!(file = %path.display(), "what was found was written down"),
        Err(error) => tracing::error!(%error, "what was found could not be written down"),
    }
    Failure::new(Exit::Internal, what, REPORT)
}

/// Engines in processes of their own, that read a journal up to an epoch without some facts.
struct Processes<'t> {
    journal: &'t Path,
    keys: Option<Arc<Keys>>,
    config: Option<&'t Path>,
}

impl Processes<'_> {
    fn inspect(&self) -> anyhow::Result<Inspection> {
        Inspection::of(self.journal, self.keys.clone()).context(UNREAD)
    }
}

impl Trials for Processes<'_> {
    fn kept(&mut self) -> anyhow::Result<(u64, u64)> {
        let found = self.inspect()?;
        let good = found.snapshots.iter().filter(|snapshot| snapshot.damage.is_none());
        let newest = good.map(|snapshot| snapshot.epoch).max().unwrap_or(0);
        Ok((newest, found.journal.closed.unwrap_or(newest)))
    }

    fn facts_of(&mut self, epoch: u64) -> anyhow::Result<Vec<Suspect>> {
        suspects(self.journal, self.keys.clone(), epoch, epoch).context(UNREAD)
    }

    fn facts_through(&mut self, epoch: u64) -> anyhow::Result<Vec<Suspect>> {
        suspects_through(self.journal, self.keys.clone(), epoch).context(UNREAD)
    }

    fn fails(&mut self, through: Option<u64>, without: &[Suspect]) -> anyhow::Result<bool> {
        let program = std::env::current_exe().context("no own program")?;
        let mut command = Command::new(program);
        command.arg("trial").arg(self.journal);
        if let Some(config) = self.config {
            command.arg("--config").arg(config);
        }
        if let Some(through) = through {
            command.arg("--through").arg(through.to_string());
        }
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .context("no process for a trial")?;
        let mut said = String::new();
        for Suspect { id, revision } in without {
            let _ = writeln!(said, "{:032x} {revision}", id.0);
        }
        if let Some(mut input) = child.stdin.take() {
            // A child that fails at once reads nothing, and its end says so.
            let _ = input.write_all(said.as_bytes());
        }
        let status = child.wait().context("a trial got lost")?;
        match status.code() {
            Some(0) => Ok(false),
            None => Ok(true),
            Some(code) => {
                let message = format!("a trial ended with code {code} before it computed anything");
                let hint = "`trueup verify` on the journal's folder says more";
                Err(Failure::new(Exit::Internal, message, hint).into())
            }
        }
    }
}

/// Computes a journal up to an epoch, without the facts that the input names; fails as a worker does.
pub(crate) fn trial(arguments: &TrialArguments) -> anyhow::Result<Exit> {
    let without: Vec<Suspect> = std::io::stdin()
        .lock()
        .lines()
        .map_while(Result::ok)
        .filter_map(|line| {
            let (id, revision) = line.split_once(' ')?;
            let id = FactId(u128::from_str_radix(id, 16).ok()?);
            Some(Suspect { id, revision: revision.parse().ok()? })
        })
        .collect();
    let config = Values::read(arguments.config.as_deref(), environment)?.check()?;
    // It is not asked what was published, but whether anything can be.
    let settings = Settings {
        journal: None,
        snapshots: None,
        memory: Gauge::default(),
        accepts_differences: true,
        ..config.settings
    };
    let wanted = Replayed { from: None, through: arguments.through, without };
    let clock = Arc::new(SystemClock::default());
    look_back(settings, clock, &arguments.folder, wanted)?;
    Ok(Exit::Clean)
}

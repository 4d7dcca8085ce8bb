//! Finds the facts that stop an engine, and has them left out.
//!
//! A worker that failed wrote down on which epochs it worked. An engine that begins with the same journal
//! would fail in the same way, so before it begins, engines in processes of their own compute the journal up to
//! an epoch without some of its facts: first the epoch is found by halves, then the fact. What is found
//! is written down in the journal as left out, so that all that read it leave it out, and stands in the
//! quarantine. How much is tried is bounded; what is not found so stays for people.

use crate::args::{ServeArguments, TrialArguments};
use crate::command::serve::configuration;
use crate::config::{Values, environment};
use crate::exit::{Exit, Failure};
use crate::incident::Failures;
use anyhow::Context as _;
use std::fmt::Write as _;
use std::io::{BufRead as _, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use trueup_model::fact::FactId;
use trueup_runtime::backup::look_back;
use trueup_runtime::clock::SystemClock;
use trueup_runtime::memory::Gauge;
use trueup_runtime::recovery::Replayed;
use trueup_runtime::settings::{Keys, Settings};
use trueup_runtime::suspects::{Suspect, leave_out, suspects};

/// How many facts are left out at most for one start.
const LEFT_OUT_MAX: usize = 8;
/// How many engines are tried at most for one start.
const TRIALS_MAX: usize = 256;

/// Looks into workers that failed, if there are any; the facts that bring them down are left out then.
///
/// # Errors
/// If something fails that has nothing to do with facts, or no fact explains it.
pub(super) fn mend(arguments: &ServeArguments) -> anyhow::Result<()> {
    let config = configuration(arguments)?;
    let keys = config.settings.journal_keys;
    let Some(journal) = config.settings.journal.filter(|journal| journal.is_dir()) else {
        return Ok(());
    };
    let failures = Failures::of(&journal);
    if failures.is_empty() {
        return Ok(());
    }
    tracing::warn!("a worker failed; it is looked for the fact that brings it down");
    let mut trials = Trials {
        journal: &journal,
        keys: keys.clone(),
        config: arguments.config.as_deref(),
        made: 0,
    };
    let found = culprits(&mut trials, &journal, failures.epochs)?;
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

/// The facts without which everything can be computed.
fn culprits(
    trials: &mut Trials<'_>,
    journal: &Path,
    epochs: Option<(u64, u64)>,
) -> anyhow::Result<Vec<Suspect>> {
    let mut found: Vec<Suspect> = Vec::new();
    let mut hint = epochs;
    while trials.fails(None, &found)? {
        if found.len() == LEFT_OUT_MAX {
            return Err(no_fact(&format!("more than {LEFT_OUT_MAX} facts bring it down")).into());
        }
        let epoch = first_failing(trials, hint.take(), &found)?;
        let of_epoch = suspects(journal, trials.keys.clone(), epoch, epoch);
        let of_epoch = of_epoch.context("the journal could not be read")?;
        let without = |count: usize| [found.as_slice(), &of_epoch[..count]].concat();
        if trials.fails(Some(epoch), &without(of_epoch.len()))? {
            return Err(no_fact(&format!("epoch {epoch} fails without any of its facts")).into());
        }
        // Without the first `passing` it goes well, without the first `failing` it does not.
        let (mut failing, mut passing) = (0, of_epoch.len());
        while passing - failing > 1 {
            let middle = failing + (passing - failing) / 2;
            if trials.fails(Some(epoch), &without(middle))? {
                failing = middle;
            } else {
                passing = middle;
            }
        }
        let Some(culprit) = of_epoch.get(failing) else {
            return Err(no_fact(&format!("epoch {epoch} has no facts")).into());
        };
        tracing::warn!(epoch, trials = trials.made, "found a fact that brings a worker down");
        found.push(*culprit);
    }
    Ok(found)
}

/// The first epoch that cannot be computed, which one up to the last cannot.
fn first_failing(
    trials: &mut Trials<'_>,
    hint: Option<(u64, u64)>,
    without: &[Suspect],
) -> anyhow::Result<u64> {
    let kept = trials.kept()?;
    let (mut good, mut bad) = kept;
    if let Some((first, last)) = hint.filter(|(first, last)| *first > kept.0 && *last <= kept.1)
        && trials.fails(Some(last), without)?
    {
        bad = last;
        // What was published before it can be computed.
        if first - 1 > good && !trials.fails(Some(first - 1), without)? {
            good = first - 1;
        }
    }
    while bad - good > 1 {
        let middle = good + (bad - good) / 2;
        if trials.fails(Some(middle), without)? {
            bad = middle;
        } else {
            good = middle;
        }
    }
    Ok(bad)
}

fn no_fact(what: &str) -> Failure {
    let hint = "this is a fault of the program: report it with the incident's file";
    Failure::new(Exit::Internal, format!("no fact is to blame: {what}"), hint)
}

/// Engines of their own, that read a journal up to an epoch without some facts.
struct Trials<'t> {
    journal: &'t Path,
    keys: Option<Arc<Keys>>,
    config: Option<&'t Path>,
    made: usize,
}

impl Trials<'_> {
    /// The epoch of the newest snapshot, or 0, and the last epoch that is closed.
    fn kept(&self) -> anyhow::Result<(u64, u64)> {
        let found = trueup_runtime::inspect::Inspection::of(self.journal, self.keys.clone());
        let found = found.context("the journal could not be read")?;
        let good = found.snapshots.iter().filter(|snapshot| snapshot.damage.is_none());
        let newest = good.map(|snapshot| snapshot.epoch).max().unwrap_or(0);
        Ok((newest, found.journal.closed.unwrap_or(newest)))
    }

    /// Whether an engine fails that computes everything up to an epoch, or all there is, without these facts.
    fn fails(&mut self, through: Option<u64>, without: &[Suspect]) -> anyhow::Result<bool> {
        self.made += 1;
        if self.made > TRIALS_MAX {
            return Err(no_fact(&format!("it was not found in {TRIALS_MAX} trials")).into());
        }
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

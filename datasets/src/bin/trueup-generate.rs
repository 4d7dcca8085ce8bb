//! `trueup-generate`: writes a generated world and its right answers into a folder.
//!
//! Exit codes: 0 done, 2 asked for something that cannot be made, 74 could not write.

use clap::Parser;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use trueup_datasets::scenario::{Generated, SCENARIOS, ScenarioError, Settings, generate};

/// The exit code for a request that cannot be met.
const EXIT_USAGE: u8 = 2;
/// The exit code for a file that could not be written.
const EXIT_CANNOT_WRITE: u8 = 74;

/// Generates a world of license telemetry and contracts, with its right answers.
#[derive(Debug, Parser)]
#[command(name = "trueup-generate", version)]
struct Arguments {
    /// Which world; see --list
    #[arg(long, default_value = "demo")]
    scenario: String,
    /// Everything is drawn from it: the same seed gives the same bytes
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Days of logs, for scenarios that leave it open
    #[arg(long)]
    days: Option<u32>,
    /// How many times the usual number of people, for scenarios that leave it open
    #[arg(long)]
    scale: Option<u32>,
    /// The folder to write to; it is made if it is missing, files in it are replaced
    #[arg(long, required_unless_present = "list")]
    out: Option<PathBuf>,
    /// Lists the scenarios
    #[arg(long)]
    list: bool,
}

/// Why nothing, or not everything, was written.
#[derive(Debug, thiserror::Error)]
enum GenerateError {
    /// The request cannot be met.
    #[error(transparent)]
    Request(#[from] ScenarioError),
    /// The file system refused.
    #[error("could not write {}: {source}; check that the folder exists and has room", path.display())]
    Write { path: PathBuf, source: io::Error },
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let mut out = io::stdout().lock();
    let done = if arguments.list { list(&mut out) } else { run(&arguments, &mut out) };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Nobody is left to tell if standard error is closed too.
            let _ = writeln!(io::stderr(), "trueup-generate: {error}");
            ExitCode::from(match error {
                GenerateError::Request(_) => EXIT_USAGE,
                GenerateError::Write { .. } => EXIT_CANNOT_WRITE,
            })
        }
    }
}

/// Says what there is.
fn list(out: &mut impl io::Write) -> Result<(), GenerateError> {
    for scenario in SCENARIOS {
        let sizes = if scenario.is_sizable { " (--days, --scale)" } else { "" };
        say(out, &format!("{:<8} {}{sizes}", scenario.name, scenario.summary))?;
    }
    Ok(())
}

fn run(arguments: &Arguments, out: &mut impl io::Write) -> Result<(), GenerateError> {
    let settings = Settings { seed: arguments.seed, days: arguments.days, scale: arguments.scale };
    let generated = generate(&arguments.scenario, &settings)?;
    let Some(folder) = &arguments.out else { return Ok(()) };
    let bytes = write_all(folder, &generated)?;
    let count = generated.files.len() + 1 + usize::from(generated.readme.is_some());
    say(out, &format!("{count} files, {bytes} bytes, in {}", folder.display()))
}

/// Writes every file and the answers; gives their size together.
fn write_all(folder: &Path, generated: &Generated) -> Result<u64, GenerateError> {
    let refused = |path: &Path| {
        let path = path.to_owned();
        move |source| GenerateError::Write { path, source }
    };
    std::fs::create_dir_all(folder).map_err(refused(folder))?;
    let answers = generated.expected.to_json();
    let mut all: Vec<(&str, &[u8])> = vec![("expected.json", &answers)];
    all.extend(generated.readme.iter().map(|page| ("README.md", page.as_bytes())));
    all.extend(generated.files.iter().map(|(name, content)| (name.as_str(), content.as_slice())));
    let mut bytes = 0;
    for (name, content) in all {
        let path = folder.join(name);
        std::fs::write(&path, content).map_err(refused(&path))?;
        bytes += content.len() as u64;
    }
    Ok(bytes)
}

fn say(out: &mut impl io::Write, words: &str) -> Result<(), GenerateError> {
    let refused = |source| GenerateError::Write { path: PathBuf::from("standard output"), source };
    writeln!(out, "{words}").map_err(refused)
}

#[cfg(test)]
#[path = "trueup-generate/tests.rs"]
mod tests;

//! Valgrind's callgrind: whether it is there, and what it counts of one path of this program.

use std::error::Error;
use std::process::{Command, Output};
use trueup_benches::gate::{Count, Ground};

/// The function that is counted, as callgrind finds it among the symbols.
const MEASURED: &str = "instructions::measured_part*";

/// The version of valgrind, if it is there.
pub(crate) fn version() -> Option<String> {
    let output = Command::new("valgrind").arg("--version").output().ok()?;
    let words = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    output.status.success().then_some(words)
}

/// The compiler and the target of this machine.
pub(crate) fn ground() -> Result<Ground, Box<dyn Error>> {
    let output = Command::new("rustc").arg("-vV").output()?;
    let words = String::from_utf8_lossy(&output.stdout).into_owned();
    let after = |begin: &str| {
        let line = words.lines().find_map(|line| line.strip_prefix(begin));
        line.map(ToOwned::to_owned).ok_or("rustc does not say its version and host")
    };
    let (rustc, host) = (after("release: ")?, after("host: ")?);
    let mut target = format!("{host}, {}", widest());
    // Code that is built bit by bit is cut into other parts, and inlined less.
    if option_env!("CARGO_PROFILE_BENCH_INCREMENTAL") == Some("true") {
        target += ", incremental";
    }
    Ok(Ground { rustc, target })
}

/// The widest vectors that libraries choose at run time, as far as valgrind knows them.
fn widest() -> &'static str {
    #[cfg(target_arch = "x86_64")]
    if std::arch::is_x86_feature_detected!("avx2") {
        return "avx2";
    }
    "no wide vectors"
}

/// Runs a path under callgrind.
pub(crate) fn count(case: &str) -> Result<Count, Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let counts = folder.path().join("counts");
    let output = Command::new("valgrind")
        .arg("--tool=callgrind")
        .arg(format!("--toggle-collect={MEASURED}"))
        .arg(format!("--callgrind-out-file={}", counts.display()))
        .arg(std::env::current_exe()?)
        .args(["--case", case])
        // What the environment holds lies on the stack, and moves it.
        .env_clear()
        .envs(std::env::var_os("PATH").map(|path| ("PATH", path)))
        .output()?;
    let units = units(&output).ok_or_else(|| failed(case, &output))?;
    let counted = std::fs::read_to_string(counts)?;
    let totals = counted.lines().find_map(|line| line.strip_prefix("totals: "));
    let instructions = totals.and_then(|totals| totals.trim().parse().ok());
    match instructions {
        Some(instructions) if instructions > 0 => Ok(Count { units, instructions }),
        Some(_) | None => Err(format!("callgrind did not find {MEASURED}").into()),
    }
}

/// What the path says when it is done.
fn units(output: &Output) -> Option<u64> {
    let words = String::from_utf8_lossy(&output.stdout);
    output.status.success().then(|| words.trim().parse().ok()).flatten()
}

fn failed(case: &str, output: &Output) -> String {
    format!("{case} failed under valgrind: {}", String::from_utf8_lossy(&output.stderr))
}

//! Very many crashes, on all processors: seeds of every mode in turn, until as many were compared as
//! `PROPTEST_CASES` says, 256 if it says nothing.

use super::fault::Mode;
use super::flaw::Flaw;
use super::outcome::Outcome;
use super::run::run;
use crate::clock::{Clock as _, SystemClock};
use proptest::test_runner::Config;
use std::num::NonZero;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// After how many runs that went wrong there is no need for more.
const WRONG_MAX: usize = 20;

/// What many runs came to.
#[derive(Debug, Default)]
struct Many {
    all: Outcome,
    runs: usize,
    /// How many crashes were followed by a start that was compared with what was promised.
    compared: usize,
    wrong: Vec<String>,
}

impl Many {
    fn is_done(&self, crashes: usize) -> bool {
        self.compared >= crashes || self.wrong.len() >= WRONG_MAX
    }

    fn add(&mut self, mode: Mode, seed: u64, came: Result<Outcome, String>) {
        self.runs += 1;
        match came {
            Ok(outcome) => {
                // The first start of a run is of an empty disk, and no crash was before it.
                self.compared += outcome.crashes.min(outcome.recoveries.saturating_sub(1));
                self.all.add(outcome);
            }
            Err(wrong) => self.wrong.push(format!("(Mode::{mode:?}, {seed}): {wrong}")),
        }
    }
}

/// Runs seeds on all processors.
fn many(crashes: usize, threads: usize) -> Many {
    let (next, done) = (AtomicUsize::new(0), Mutex::new(Many::default()));
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while !done.lock().unwrap().is_done(crashes) {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    let mode = Mode::ALL[number % Mode::ALL.len()];
                    let seed = (number / Mode::ALL.len()) as u64;
                    let came = run(mode, seed, Flaw::None);
                    done.lock().unwrap().add(mode, seed, came);
                }
            });
        }
    });
    done.into_inner().unwrap()
}

#[test]
fn as_many_crashes_as_are_asked_for_take_back_nothing() {
    let crashes = usize::try_from(Config::default().cases).unwrap();
    let threads = std::thread::available_parallelism().map_or(1, NonZero::get);
    let clock = SystemClock::default();
    let Many { all, runs, compared, wrong } = many(crashes, threads);
    let took_ms = clock.monotonic_us() / 1000;
    println!(
        "{compared} crashes compared of {crashes} asked for, {runs} runs, {threads} threads, {took_ms} ms"
    );
    println!("{all:?}");
    assert!(wrong.is_empty(), "add these to FOUND of `tests.rs`:\n{}", wrong.join("\n"));
    assert!(compared >= crashes, "{compared} crashes were compared, and {crashes} asked for");
}

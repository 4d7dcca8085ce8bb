//! The program, killed again and again while a connector delivers: its answers are those of an undisturbed run.
//!
//! A few times in the ordinary tests; as often as one likes with `just kills 1000`, which sets `TRUEUP_KILLS` and
//! shows how long each takes. Many kills come in several runs, each at other moments and compared by itself; each run has a
//! seed, of which `TRUEUP_SEED` is the first, so that several can go on beside each other.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]
#![expect(clippy::print_stderr, reason = "a long test says how far it is")]

mod load;
#[expect(dead_code, reason = "some of it is for other tests")]
#[path = "../it/support.rs"]
mod support;

use crossbeam_channel::bounded;
use load::{Random, answers, compare, config, deliver, free_port};
use rustix::process::Signal;
use serde_json::Value;
use std::path::Path;
use std::str::FromStr;
use std::time::Duration;
use support::{Engine, children, ends, folder, signal};
use trueup_runtime::clock::{Clock as _, SystemClock};

/// How often something is killed if nothing else is said.
const KILLS: usize = 3;
/// How many kills a run has at most: an engine that has been fed for long takes long to start.
const KILLS_PER_RUN_MAX: usize = 25;
/// How many logs are delivered between two kills.
const LOGS_PER_KILL: usize = 8;
/// How long a kill waits at most after the logs it waits for, so that it comes at any moment.
const LATER_MS_MAX: usize = 20;

/// How an engine runs, and what of it is killed.
#[derive(Clone, Copy, Debug)]
enum Form {
    /// In one process, which is killed and started again.
    Alone,
    /// In two processes, of which any is killed; the program that watches over them starts them again.
    Pair,
}

impl Form {
    fn start(self, folder: &Path, port: u16) -> Engine {
        let command: &[&str] = match self {
            Self::Alone => &["serve"],
            Self::Pair => &["launch", "--processes", "2", "--failures", "1000000"],
        };
        Engine::start_with(folder, command, &config(port))
    }

    /// Kills the engine, or a process of it; gives one that runs again, and what was killed.
    fn kill(self, mut engine: Engine, at: (&Path, u16), random: &mut Random) -> (Engine, usize) {
        match self {
            Self::Alone => {
                engine.kill();
                (self.start(at.0, at.1), 0)
            }
            Self::Pair => {
                let pids = children(engine.child.id());
                assert_eq!(pids.len(), 2, "{pids:?}");
                let victim = random.below(2);
                assert!(signal(Some(Signal::KILL), &pids[victim]));
                engine.become_ready();
                (engine, victim)
            }
        }
    }
}

/// What an engine answers after it was killed so often while it was fed; the seed says at which moments.
fn run(form: Form, kills: usize, days: usize, seed: u64) -> [Vec<Value>; 2] {
    let folder = folder();
    let (path, port) = (folder.path(), free_port());
    let (done, heard) = bounded(days);
    let clock = SystemClock::default();
    let mut random = Random(seed);
    let mut engine = form.start(path, port);
    let (engine, epoch) = std::thread::scope(|scope| {
        let fed = scope.spawn(move || deliver(port, days, &done));
        for kill in 0..kills {
            let day = heard.iter().find(|day| *day + 1 >= (kill + 1) * LOGS_PER_KILL);
            assert!(day.is_some(), "{form:?}: the connector ended before kill {kill}");
            let later_ms = u64::try_from(random.below(LATER_MS_MAX)).unwrap();
            std::thread::park_timeout(Duration::from_millis(later_ms));
            let began = clock.monotonic_us();
            let (again, victim) = form.kill(engine, (path, port), &mut random);
            engine = again;
            let now = clock.monotonic_us();
            eprintln!(
                "{form:?}: kill {kill} of {kills}, process {victim}, after {} ms; ready again after {} ms",
                began / 1000,
                (now - began) / 1000
            );
        }
        (engine, fed.join().unwrap())
    });
    let found = answers(&engine, path, epoch);
    match form {
        Form::Alone => engine.kill(),
        Form::Pair => stop(engine),
    }
    ends(path, 0, &["verify", "journal", "--json"]);
    found
}

/// Tells a cluster to stop, and waits until all of its processes have.
fn stop(mut engine: Engine) {
    assert!(signal(Some(Signal::TERM), &engine.child.id().to_string()));
    assert_eq!(engine.child.wait().unwrap().code(), Some(0), "told to stop");
}

/// What the environment says under a name; nothing if it says no number.
fn asked<T: FromStr>(name: &str) -> Option<T> {
    std::env::var_os(name)?.into_string().ok()?.parse().ok()
}

fn check(form: Form) {
    let kills = asked("TRUEUP_KILLS").unwrap_or(KILLS);
    let (mut killed, mut undisturbed) = (0, None);
    for seed in asked("TRUEUP_SEED").unwrap_or(0x5EED).. {
        let count = KILLS_PER_RUN_MAX.min(kills - killed);
        let days = (count + 1) * LOGS_PER_KILL;
        let known = undisturbed.take().filter(|(of, _)| *of == days);
        let (_, expected) = known.unwrap_or_else(|| (days, run(Form::Alone, 0, days, seed)));
        compare(&run(form, count, days, seed), &expected, &format!("{form:?}, seed {seed:#x}"));
        killed += count;
        let rows: usize = expected.iter().map(Vec::len).sum();
        eprintln!(
            "{form:?}: killed {killed} times, and {rows} rows are those of an undisturbed run"
        );
        if killed >= kills {
            return;
        }
        undisturbed = Some((days, expected));
    }
}

#[test]
fn an_engine_that_is_killed_under_load_answers_as_one_that_never_was() {
    check(Form::Alone);
}

#[test]
fn a_cluster_of_which_any_process_is_killed_under_load_answers_as_one_that_never_was() {
    check(Form::Pair);
}

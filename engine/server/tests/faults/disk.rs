//! Disks whose syncs fail, and disks that are full for a while.

use crate::load::{Random, config, free_port};
use crate::support::{Engine, children, folder, rows, signal};
use crate::{LOGS_PER_ROUND, Load, check, incidents, loaded, rounds, run};
use rustix::process::Signal;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// The code of an engine whose journal failed.
const JOURNAL_FAILED: i32 = 71;
/// How many logs an engine whose sync is to fail gets at most.
const LOGS_UNTIL_FAILURE_MAX: usize = LOGS_PER_ROUND / 3;
/// How often it is looked whether something came to pass, mostly for ten milliseconds.
const TURNS_MAX: usize = 12_000;

/// An engine whose system calls are traced; both end with this.
struct Traced(Child);

impl Traced {
    fn end(&mut self) {
        for traced in children(self.0.id()) {
            signal(Some(Signal::KILL), &traced);
        }
        // It ends with what it traces.
        let _ = self.0.wait();
    }
}

impl Drop for Traced {
    fn drop(&mut self) {
        if matches!(self.0.try_wait(), Ok(None)) {
            self.end();
        }
    }
}

/// How an engine ends of which each thread's sync of this number fails; `None` if none came to that.
fn end_of(path: &Path, call: &str, number: usize, load: &Load<'_>) -> Option<i32> {
    let inject = format!("inject={call}:error=EIO:when={number}");
    let child = Command::new("strace")
        .args(["-f", "--seccomp-bpf", "-o", "/dev/null"])
        .args(["-e", &format!("trace={call}"), "-e", &inject])
        .args([env!("CARGO_BIN_EXE_trueup"), "serve", "--config", "trueup.toml"])
        .current_dir(path)
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut traced = Traced(child);
    let (mut passed, mut looks) = (0, 0);
    for _ in 0..TURNS_MAX {
        if let Some(status) = traced.0.try_wait().unwrap() {
            return status.code();
        }
        passed += usize::from(passed < LOGS_UNTIL_FAILURE_MAX && load.pass_soon());
        looks += usize::from(passed == LOGS_UNTIL_FAILURE_MAX);
        if looks > 200 {
            traced.end();
            return None;
        }
        if passed == LOGS_UNTIL_FAILURE_MAX {
            std::thread::park_timeout(Duration::from_millis(10));
        }
    }
    panic!("{call} {number}: neither an end nor {LOGS_UNTIL_FAILURE_MAX} logs");
}

#[test]
fn an_engine_whose_syncs_fail_stops_with_its_code_and_goes_on_after_a_restart() {
    if !run("strace -f --seccomp-bpf -o /dev/null -e trace=fsync true") {
        eprintln!("skipped: it takes strace, and the right to trace");
        return;
    }
    let folder = folder();
    let (path, port) = (folder.path(), free_port());
    let mut random = Random(0xD15C);
    let start = || Engine::start_with(path, &["serve"], &config(port));
    // So that there is something that can be damaged.
    let first = start();
    let (engine, epoch) = loaded(port, |load| {
        load.pass(4);
        first.kill();
        let mut failed = 0;
        for round in 0..rounds() {
            // The first sync is one of opening; later ones come under load.
            for (call, number) in
                [("fdatasync", 1), ("fdatasync", 2 + random.below(4)), ("fsync", 1 + round % 2)]
            {
                let ended = end_of(path, call, number, load);
                eprintln!("round {round}: {call} {number} failed, and the engine ended: {ended:?}");
                let Some(code) = ended else {
                    assert_eq!(call, "fsync", "a thread always comes to so few syncs");
                    continue;
                };
                failed += 1;
                assert_eq!((code, incidents(path)), (JOURNAL_FAILED, failed), "{call} {number}");
            }
            let between = start();
            load.pass(2);
            between.kill();
        }
        assert!(failed >= 2 * rounds(), "{failed}");
        start()
    });
    check(engine, path, epoch, "after syncs that failed");
}

/// A file system in memory, mounted at a folder until it is dropped.
struct Small<'p> {
    at: &'p Path,
}

impl<'p> Small<'p> {
    /// Mounts one of so many KiB; `None` without the right to.
    fn mount(at: &'p Path, kibibytes: usize) -> Option<Self> {
        std::fs::create_dir(at).unwrap();
        let mounted = run(&format!("mount -t tmpfs -o size={kibibytes}k none {}", at.display()));
        mounted.then_some(Self { at })
    }

    fn resize(&self, kibibytes: usize) {
        let at = self.at.display();
        assert!(run(&format!("mount -o remount,size={kibibytes}k {at}")), "{kibibytes}");
    }
}

impl Drop for Small<'_> {
    fn drop(&mut self) {
        run(&format!("umount -l {}", self.at.display()));
    }
}

/// Waits until the engine says that the disk is full.
fn wait_until_full(engine: &Engine, load: &Load<'_>) {
    let is_full = || engine.get("/v1/health").contains("held back: the disk is full");
    let came = (0..TURNS_MAX).any(|_| {
        load.pass_soon();
        is_full()
    });
    assert!(came, "the disk is never full");
}

#[test]
fn an_engine_whose_disk_is_full_answers_and_goes_on_when_there_is_room() {
    let folder = folder();
    let (path, port) = (folder.path(), free_port());
    let journal = path.join("journal");
    // So many KiB are full after a few dozen logs; they are less than the room that is made at a time.
    let (least, more) = (96, 32);
    let Some(small) = Small::mount(&journal, least) else {
        eprintln!("skipped: it takes the right to mount");
        return;
    };
    let config = config(port).replace("[snapshots]", "[snapshots]\nenabled = false");
    let start = || Engine::start_with(path, &["serve"], &config);
    let mut engine = start();
    let (engine, epoch) = loaded(port, |load| {
        for round in 0..rounds() {
            wait_until_full(&engine, load);
            engine.ask_until(path, &["sessions"], |answer| !rows(answer).is_empty());
            if round % 2 == 0 {
                // One that begins on a full disk says so, and nothing is lost.
                engine.kill();
                engine = start();
                wait_until_full(&engine, load);
            }
            eprintln!("round {round}: the disk was full");
            small.resize(least + more * (round + 1));
        }
        small.resize(64 * 1024);
        engine
    });
    assert!(engine.get("/v1/health").contains("taking input"));
    check(engine, path, epoch, "after full disks");
}

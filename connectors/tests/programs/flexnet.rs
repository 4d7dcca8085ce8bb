//! `trueup-flexnet`: once, while a log grows and rotates, through restarts of either side, and when
//! something is wrong.

use crate::engine::{Engine, identities};
use crate::run::{FLEXNET, Folder, age, append};
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::ops::Range;
use trueup_connectors::formats::flexnet::log::{LogOptions, LogReader};
use trueup_connectors::formats::{Collected, Context};
use trueup_model::calendar::Zone;
use trueup_model::fact::{Action, Body, FactId};
use trueup_model::time::Timestamp;

const BANNER: &str =
    " 0:00:00 (lmgrd) FlexNet Licensing (v11.18) started on lic1.example.org (linux) (1/9/2023)\n";

const LICENSE: &str = "\
SERVER lic1.example.org ANY 27000
VENDOR simd
INCREMENT mesh simd 5.0 permanent 10 SIGN=0
";

/// Checkouts and returns, three in each second.
fn events(numbers: Range<u64>) -> String {
    let mut text = String::new();
    for number in numbers {
        let second = number / 3;
        let (hour, minute) = (second / 3600, second / 60 % 60);
        let kind = if number % 2 == 0 { "OUT" } else { "IN" };
        let _ = writeln!(
            text,
            "{hour:2}:{minute:02}:{:02} (simd) {kind}: \"mesh\" user{}@ws{}  ",
            second % 60,
            number % 7,
            number % 5,
        );
    }
    text
}

/// The identities of all facts of a log that is read at once.
fn whole(text: &str) -> BTreeSet<FactId> {
    let context = Context {
        tenant: "default".to_owned(),
        source: "lic1".to_owned(),
        document: "lic1/debug.log".to_owned(),
        zone: Zone::named("Europe/Berlin").unwrap(),
        received_at: Timestamp(0),
    };
    let mut collected = Collected::default();
    let mut reader = LogReader::new(context, LogOptions::default());
    reader.push(text.as_bytes(), &mut collected);
    reader.finish(&mut collected);
    identities(&collected.facts)
}

/// That the engine has the facts of a log that is read at once.
fn check_same(engine: &Engine, log: &str) {
    let (found, wanted) = (identities(&engine.state().facts), whole(log));
    let (more, fewer) = (found.difference(&wanted).count(), wanted.difference(&found).count());
    assert_eq!((more, fewer), (0, 0), "facts too many and too few");
}

fn arguments(engine: &Engine, rest: &str) -> String {
    format!("--source lic1 --time-zone Europe/Berlin --engine {} {rest}", engine.address)
}

#[test]
fn a_finished_log_is_delivered_once() {
    let (engine, folder) = (Engine::start(), Folder::new());
    let log = format!("{BANNER}{}", events(0..20_000));
    folder.write("debug.log", &log);
    let once = arguments(&engine, "--log debug.log --once");
    let ended = folder.run(FLEXNET, &format!("{once} --json"));
    assert_eq!((ended.code(), ended.err().as_str()), (0, ""));
    let report = ended.json();
    assert_eq!(report["files"][0]["format"], "flexnet_log");
    assert_eq!((&report["rejects"], &report["failures"]), (&0.into(), &0.into()));
    assert_eq!(report["epoch"], engine.state().sequence);
    check_same(&engine, &log);
    assert_eq!(engine.sessions(), 20_000);
    engine.wait("it said good-bye", |state| state.byes == 1);
    // The engine knows how far it was read; only what is new is told.
    append(&folder.path("debug.log"), &events(20_000..20_010));
    let again = folder.run(FLEXNET, &once);
    assert_eq!(again.code(), 0, "{}", again.err());
    assert!(again.out().contains("debug.log  flexnet_log: 11 facts"), "{}", again.out());
    assert_eq!(engine.sessions(), 20_010);
}

#[test]
fn parts_of_one_log_are_put_together() {
    let (engine, folder) = (Engine::start(), Folder::new());
    let old = folder.write("debug.log.1", format!("{BANNER}{}", events(0..500)));
    age(&old, 3_600);
    folder.write("debug.log", events(400..900));
    let rest = "--log debug.log --log debug.log.1 --once";
    let ended = folder.run(FLEXNET, &arguments(&engine, rest));
    assert_eq!(ended.code(), 0, "{}", ended.err());
    let log = format!("{BANNER}{}", events(0..900));
    check_same(&engine, &log);
    folder
        .run(FLEXNET, &arguments(&engine, rest.trim_end_matches("--once")))
        .check(2, "hint: run one for each server");
}

#[test]
fn a_log_is_followed_through_growth_and_rotation() {
    let (engine, folder) = (Engine::start(), Folder::new());
    let path = folder.write("debug.log", format!("{BANNER}{}", events(0..100)));
    let rest = "--log debug.log --poll 20ms";
    let running = folder.start(FLEXNET, &arguments(&engine, rest));
    engine.wait("the beginning came", |state| state.sessions() == 100);
    let more = events(100..200);
    let (half, other) = more.split_at(2_345);
    append(&path, half);
    engine.wait("a part came", |state| state.sessions() > 110);
    append(&path, other);
    engine.wait("the rest came", |state| state.sessions() == 200);
    std::fs::rename(&path, folder.path("debug.log.1")).unwrap();
    append(&folder.path("debug.log.1"), &events(200..250));
    append(&path, &events(250..300));
    engine.wait("both files came", |state| state.sessions() == 300);
    // Copied away and begun anew in place.
    append(&path, &events(300..310));
    std::fs::copy(&path, folder.path("debug.log.2")).unwrap();
    folder.write("debug.log", events(310..320));
    engine.wait("the new beginning came", |state| state.sessions() == 320);
    let ended = running.stop();
    assert_eq!(ended.code(), 0, "{}", ended.err());
    engine.wait("it said good-bye", |state| state.byes == 1);
    let log = format!("{BANNER}{}", events(0..320));
    check_same(&engine, &log);
}

#[test]
fn a_connection_that_breaks_is_resumed_without_loss_or_repetition() {
    let (engine, folder) = (Engine::start(), Folder::new());
    let log = format!("{BANNER}{}", events(0..60_000));
    folder.write("debug.log", &log);
    engine.break_after(3);
    let ended = folder.run(FLEXNET, &arguments(&engine, "--log debug.log --once --json"));
    assert_eq!(ended.code(), 0, "{}", ended.err());
    assert_eq!(ended.json()["failures"], 1);
    assert_eq!(engine.sessions(), 60_000);
    assert_eq!(engine.state().connections, 2);
    check_same(&engine, &log);
}

#[test]
fn a_process_that_was_killed_is_continued_by_the_next_even_after_a_rotation() {
    let (engine, folder) = (Engine::start(), Folder::new());
    let path = folder.write("debug.log", format!("{BANNER}{}", events(0..1_000)));
    let follow = arguments(&engine, "--log debug.log --poll 20ms");
    let first = folder.start(FLEXNET, &follow);
    engine.wait("the beginning came", |state| state.sessions() == 1_000);
    first.kill();
    // While nobody looks, the log goes on, is rotated twice, and goes on.
    append(&path, &events(1_000..1_100));
    std::fs::rename(&path, folder.path("debug.log.2")).unwrap();
    folder.write("debug.log.1", events(1_100..1_200));
    append(&path, &events(1_200..1_300));
    let second = folder.start(FLEXNET, &follow);
    engine.wait("the rest came", |state| state.sessions() >= 1_300);
    let ended = second.stop();
    assert_eq!(ended.code(), 0, "{}", ended.err());
    let log = format!("{BANNER}{}", events(0..1_300));
    check_same(&engine, &log);
    assert_eq!(engine.sessions(), 1_300, "{}", ended.err());
}

#[test]
fn a_log_without_a_date_is_dated_by_its_time_until_a_line_says_one() {
    let (engine, folder) = (Engine::start(), Folder::new());
    let path = folder.write("debug.log", events(0..90));
    let follow = arguments(&engine, "--log debug.log --poll 20ms --server lic1.example.org");
    let running = folder.start(FLEXNET, &follow);
    engine.wait("the events came", |state| state.sessions() == 90);
    append(&path, " 0:00:30 (lmgrd) TIMESTAMP 1/9/2023\n");
    append(&path, &events(90..100));
    engine.wait("the rest came", |state| state.sessions() == 100);
    running.stop().check(0, "the line says 2023-01-09 where");
    // What was dated by assumption is told again: now all of it as the line says.
    let again = folder.run(FLEXNET, &arguments(&engine, "--log debug.log --once"));
    assert_eq!(again.code(), 0, "{}", again.err());
    assert_eq!(engine.sessions(), 200);
}

#[test]
fn a_changed_license_file_is_a_new_version() {
    let (engine, folder) = (Engine::start(), Folder::new());
    folder.write("license.dat", LICENSE);
    folder.write("simd.opt", "RESERVE 2 mesh GROUP staff\n");
    let rest = "--license license.dat --options simd.opt --poll 20ms";
    let running = folder.start(FLEXNET, &arguments(&engine, rest));
    engine.wait("both came", |state| state.versions().len() == 2);
    // Written again as it was: no news.
    folder.write("license.dat", LICENSE);
    folder.write("license.dat", LICENSE.replace("permanent 10", "permanent 12"));
    engine.wait("the new version came", |state| state.versions().len() == 3);
    assert_eq!(running.stop().code(), 0);
    let state = engine.state();
    let versions = state.versions();
    let [first, options, second] = versions.as_slice() else { panic!("{versions:?}") };
    assert_eq!(
        (first.document.as_str(), options.document.as_str()),
        ("lic1/license.dat", "lic1/simd.opt")
    );
    assert_eq!((first.document.as_str(), first.rows), (second.document.as_str(), second.rows));
    assert!(first.version < second.version);
    assert_eq!(first.effective_from, Timestamp::MIN);
    assert_eq!(second.effective_from, Timestamp(second.version.cast_signed()));
    drop(state);
    // The next process has nothing to add.
    let again = folder.run(FLEXNET, &arguments(&engine, &format!("{rest} --once")));
    assert!(again.out().contains("had all of it before"), "{}", again.out());
    assert_eq!(engine.state().versions().len(), 3);
}

#[test]
fn answers_of_the_server_come_from_files_and_from_a_command() {
    let (engine, folder) = (Engine::start(), Folder::new());
    let answer = "\
Flexible License Manager status on Fri 10/20/2017 17:02
License server status: 27000@lic1
lic1: license server UP (MASTER) v11.7
Vendor daemon status (on lic1):
  simd: UP v11.6
Users of mesh:  (Total of 20 licenses issued;  Total of 0 licenses in use)
";
    folder.write("saved.txt", answer);
    folder.write("now.txt", answer.replace("17:02", "17:04"));
    let mut command = folder.command(FLEXNET, &arguments(&engine, "--lmstat saved.txt --once"));
    let ended = command.args(["--lmstat-command", "cat now.txt; exit 1"]).output().unwrap();
    assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
    let state = engine.state();
    let pools = state.facts.iter().filter_map(|fact| match &fact.action {
        Action::Assert(Body::ObservedPool(pool)) => Some((pool.server.as_str(), pool.at)),
        Action::Assert(_) | Action::Retract(_) => None,
    });
    let at = |text: &str| text.parse::<Timestamp>().unwrap();
    let expected =
        [("simd@lic1", at("2017-10-20T15:02:00Z")), ("simd@lic1", at("2017-10-20T15:04:00Z"))];
    assert_eq!(pools.collect::<Vec<_>>(), expected);
}

#[test]
fn what_is_wrong_is_said_with_a_way_out() {
    let (engine, folder) = (Engine::start(), Folder::new());
    folder.write("debug.log", BANNER);
    let check = |rest: &str, code, words: &str| {
        folder.run(FLEXNET, rest).check(code, words);
    };
    let usual = arguments(&engine, "--once");
    check(&usual, 2, "--log");
    check("--source lic1 --log debug.log --once", 2, "--time-zone");
    check("--source lic1 --time-zone Berlin --log debug.log", 2, "Europe/Madrid");
    check(&format!("{usual} --log debug.log --follow"), 2, "cannot be used with");
    check(&format!("{usual} --log debug.log --lmstat-interval soon"), 2, "write it as");
    check(
        &format!("{usual} --log debug.log --license a/debug.log"),
        2,
        "hint: a document is known",
    );
    check(&format!("{usual} --log nowhere.log"), 66, "could not read nowhere.log");
    check(&format!("{usual} --log ."), 66, "is a directory");
    check(
        &format!("{usual} --log debug.log --token-file none"),
        66,
        "could not read the token file",
    );
    engine.ask_for(b"secret");
    check(&format!("{usual} --log debug.log"), 78, "hint: --token-file");
    folder.write("token", "secret\n");
    check(&format!("{usual} --log debug.log --token-file token"), 0, "");
    folder.write("damaged.log", format!("{BANNER}{}0:01:00 (simd) OUT: mesh\n", events(0..3)));
    check(&format!("{usual} --log damaged.log --token-file token"), 65, "");
}

#[test]
fn an_engine_that_is_away_is_waited_for_as_long_as_was_said() {
    let folder = Folder::new();
    folder.write("debug.log", BANNER);
    let nobody = "--source lic1 --time-zone UTC --engine 127.0.0.1:1 --log debug.log";
    let ended = folder.run(FLEXNET, &format!("{nobody} --once --patience 300ms"));
    ended.check(69, "error: gave up after");
    ended.check(69, "hint: start one with `trueup serve`");
    // One that follows waits for ever, and can be stopped meanwhile.
    let away = Engine::start();
    away.state().is_away = true;
    let waiting = folder.start(FLEXNET, &arguments(&away, "--log debug.log"));
    away.wait("it tried", |state| state.connections > 1);
    waiting.stop().check(69, "nothing is lost");
}

//! A client against an engine's end that follows a script: nothing is lost, doubled or reordered,
//! whatever breaks, whenever.

mod script;
mod threads;

use super::batch::BatchLimits;
use super::error::ClientError;
use super::retry::RetryPolicy;
use super::{Client, Resume, Secret, Settings};
use crate::formats::Sink as _;
use script::{Moment, ScriptClock, ScriptDial, World};
use std::time::Duration;
use trueup_model::fact::{Action, Body, Fact, FactId, Provenance};
use trueup_model::quantity::Quantity;
use trueup_model::time::Timestamp;
use trueup_model::usage::{SeatClass, UsageEvent, UsageOp};
use trueup_wire::message::ErrorCode;

fn settings(generation: u64) -> Settings {
    Settings {
        batch: BatchLimits { records_max: 5, bytes_max: 100_000 },
        ..Settings::new("campus", "meter", generation, Secret(b"secret".to_vec()))
    }
}

/// The `index`-th fact of a source: metered use, and a seat now and then.
fn fact(index: u64, user: &str) -> Fact<&str> {
    let body = if index % 4 == 3 {
        Body::Seat(trueup_model::usage::Seat {
            product: "mesh",
            user,
            device: None,
            account: None,
            class: SeatClass::Full,
            span: trueup_model::time::Span::ALWAYS,
            last_active: None,
        })
    } else {
        Body::Usage(UsageEvent {
            at: Timestamp(index.cast_signed()),
            product: "solver",
            account: None,
            user: Some(user),
            device: None,
            quantity: Quantity::ONE,
            op: UsageOp::Add,
        })
    };
    Fact {
        id: FactId(u128::from(index)),
        revision: 0,
        arrived_at: Timestamp(0),
        provenance: Provenance { document: "meter.log", position: index },
        document: None,
        action: Action::Assert(body),
    }
}

fn user(index: u64) -> String {
    format!("user {}", index % 7)
}

type ScriptClient = Client<ScriptDial, ScriptClock>;

fn connect(world: &World, settings: Settings) -> Result<(ScriptClient, Resume), ClientError> {
    Client::connect(settings, world.dial(), world.clock())
}

/// Gives facts to a client, and marks the position after every third.
fn give(client: &mut ScriptClient, from: u64, to: u64) -> Result<(), ClientError> {
    for index in from..to {
        client.accept(fact(index, &user(index)))?;
        if index % 3 == 2 {
            client.mark(&(index + 1).to_le_bytes())?;
        }
        if index % 17 == 16 {
            client.poll()?;
        }
    }
    client.mark(&to.to_le_bytes())
}

/// Where a resumed process reads on.
fn position(resume: &Resume) -> u64 {
    resume.position.as_slice().try_into().map_or(0, u64::from_le_bytes)
}

/// The identities of the facts that the engine has, each checked against what was sent.
fn identities(world: &World) -> Vec<u64> {
    world.durable_facts(|index, found| {
        let name = user(index);
        assert_eq!(found, &script::owned(fact(index, &name)));
    })
}

/// That the engine has every fact of one process once. A batch has one kind, so order holds within
/// each kind.
fn check_once(world: &World, count: u64, story: &str) {
    let mut found = identities(world);
    found.sort_unstable();
    assert_eq!(found, (0..count).collect::<Vec<_>>(), "{story}");
    world.check_order(story);
}

#[test]
fn facts_arrive_once_and_in_order_and_the_position_with_them() {
    let world = World::new();
    let (mut client, resume) = connect(&world, settings(1)).unwrap();
    assert_eq!(resume, Resume::default());
    give(&mut client, 0, 100).unwrap();
    let ack = client.flush_and_wait().unwrap();
    assert_eq!(ack.epoch, world.epoch());
    check_once(&world, 100, "undisturbed");
    let metrics = client.close().unwrap();
    assert_eq!((metrics.facts_total, metrics.held_batches, metrics.held_bytes), (100, 0, 0));
    assert_eq!(metrics.sealed_sequence, metrics.batches_total);
    assert_eq!((metrics.connections_total, metrics.failures_total), (1, 0));
    assert_eq!(position(&world.resume()), 100);
    assert!(world.heard_bye());
}

#[test]
fn a_connection_that_breaks_at_any_moment_loses_and_doubles_nothing() {
    let undisturbed = World::new();
    let (mut client, _) = connect(&undisturbed, settings(1)).unwrap();
    give(&mut client, 0, 60).unwrap();
    client.close().unwrap();
    let moments = undisturbed.moments();
    assert!(moments > 30, "only {moments} moments");
    let mut resent = 0;
    for moment in 0..moments {
        for (how, pace) in Moment::ALL.into_iter().flat_map(|how| [(how, 1), (how, 4)]) {
            let world = World::new();
            world.work_every(pace);
            world.break_at(moment, how);
            let (mut disturbed, _) = connect(&world, settings(1)).unwrap();
            give(&mut disturbed, 0, 60).unwrap();
            let metrics = disturbed.close().unwrap();
            resent += metrics.resent_batches_total;
            check_once(&world, 60, &format!("{how:?} at moment {moment}, pace {pace}"));
        }
    }
    // The promise is empty if nothing had to be sent again.
    assert!(resent > 100, "{resent} batches were sent again");
}

#[test]
fn connections_that_break_again_and_again_lose_and_double_nothing() {
    let mut connections = 0;
    for seed in 0..150 {
        let world = World::new();
        world.work_every(1 + seed % 5);
        world.break_often(seed, 12);
        let (mut client, _) = connect(&world, settings(1)).unwrap();
        give(&mut client, 0, 80).unwrap();
        connections += client.close().unwrap().connections_total;
        check_once(&world, 80, &format!("seed {seed}"));
    }
    assert!(connections > 600, "{connections} connections");
}

#[test]
fn a_process_that_ends_anywhere_is_continued_by_the_next_one() {
    for seed in 0..100 {
        let world = World::new();
        world.work_every(1 + seed % 5);
        world.break_often(seed, 25);
        let mut generation = 1;
        let mut next = 0;
        while next < 80 {
            let (mut client, resume) = connect(&world, settings(generation)).unwrap();
            let from = position(&resume);
            // What is durable is never behind a position that was given out.
            assert!(from <= next, "seed {seed}");
            let to = (from + 1 + world.number(40)).min(80);
            give(&mut client, from, to).unwrap();
            if world.number(2) == 0 || to == 80 {
                client.flush_and_wait().unwrap();
                assert!(position(&world.resume()) == to, "seed {seed}");
            }
            next = to;
            generation += 1;
        }
        let mut found = identities(&world);
        found.sort_unstable();
        found.dedup();
        assert_eq!(found, (0..80).collect::<Vec<_>>(), "seed {seed}");
        // Sequences go on over processes; the engine's end has checked that none was skipped.
        world.check_order(&format!("seed {seed}"));
    }
}

#[test]
fn a_slow_engine_makes_the_caller_wait_and_what_is_held_stays_bounded() {
    let world = World::new();
    world.seal_every(40);
    let limit = 4000;
    let bounded = Settings { held_bytes_max: limit, ..settings(1) };
    let (mut client, _) = connect(&world, bounded).unwrap();
    let mut most = 0;
    for index in 0..400 {
        client.accept(fact(index, &user(index))).unwrap();
        most = most.max(client.metrics().held_bytes);
    }
    client.close().unwrap();
    // Never beyond the limit between two calls.
    assert!(most <= limit as u64, "{most} bytes were held");
    assert!(most > limit as u64 / 2, "{most} bytes were held");
    check_once(&world, 400, "slow");
}

#[test]
fn an_engine_that_gives_no_credit_is_waited_for() {
    let world = World::new();
    world.grant_every(30);
    let large = BatchLimits { records_max: 40_000, bytes_max: usize::MAX };
    let (mut client, _) = connect(&world, Settings { batch: large, ..settings(1) }).unwrap();
    // Each batch takes more than half of the least window of records.
    for index in 0..120_000 {
        client.accept(fact(index, "ana")).unwrap();
    }
    client.flush_and_wait().unwrap();
    let mut found = world.durable_facts(|_, _| {});
    found.sort_unstable();
    assert!(found.into_iter().eq(0..120_000));
}

#[test]
fn a_full_dictionary_starts_anew_and_loses_nothing() {
    for seed in 0..40 {
        let world = World::new();
        world.break_often(seed, 30);
        let small = Settings { dictionary_codes_max: 5, ..settings(1) };
        let (mut client, _) = connect(&world, small).unwrap();
        give(&mut client, 0, 60).unwrap();
        let metrics = client.close().unwrap();
        assert!(metrics.dictionary_restarts_total > 5);
        check_once(&world, 60, &format!("seed {seed}"));
    }
}

#[test]
fn a_dictionary_without_room_for_one_fact_is_an_error() {
    let world = World::new();
    let none = Settings { dictionary_codes_max: 2, ..settings(1) };
    let (mut client, _) = connect(&world, none).unwrap();
    let error = client.accept(fact(0, "ana")).unwrap_err();
    assert!(matches!(error, ClientError::DictionaryTooSmall));
}

#[test]
fn a_fact_with_too_long_a_name_arrives_as_a_reject_and_the_others_as_they_are() {
    let world = World::new();
    let (mut client, _) = connect(&world, settings(1)).unwrap();
    let long = "u".repeat(1025);
    let mut sink = client.sink();
    sink.accept(fact(0, "ana"));
    sink.accept(fact(1, &long));
    sink.accept(fact(2, "eva"));
    sink.note(7, "the date carrier disagrees");
    assert!(!sink.has_failed());
    sink.finish().unwrap();
    let metrics = client.close().unwrap();
    assert_eq!((metrics.facts_total, metrics.rejected_total, metrics.notes_total), (3, 1, 1));
    assert_eq!(world.kinds(), ["Usage", "Usage", "Reject"]);
}

#[test]
fn an_empty_batch_moves_the_position_once() {
    let world = World::new();
    let (mut client, _) = connect(&world, settings(1)).unwrap();
    client.flush().unwrap();
    client.mark(b"line 9").unwrap();
    client.flush().unwrap();
    client.mark(b"line 9").unwrap();
    client.flush().unwrap();
    let metrics = client.close().unwrap();
    assert_eq!((metrics.batches_total, metrics.facts_total), (1, 0));
    assert_eq!(world.resume(), Resume { sequence: 1, position: b"line 9".to_vec() });
    let (mut again, resume) = connect(&world, settings(2)).unwrap();
    assert_eq!(resume.position, b"line 9");
    let error = again.mark(&[0; 4097]).unwrap_err().to_string();
    assert_eq!(error, "the position has 4097 bytes, and 4096 are allowed");
    again.mark(&[0; 4096]).unwrap();
    again.close().unwrap();
}

#[test]
fn an_older_process_is_told_that_it_was_replaced() {
    let world = World::new();
    let (mut old, _) = connect(&world, settings(1)).unwrap();
    old.accept(fact(0, "ana")).unwrap();
    old.flush_and_wait().unwrap();
    let (new, _) = connect(&world, settings(2)).unwrap();
    world.break_connections();
    old.accept(fact(1, "ana")).unwrap();
    let error = old.flush_and_wait().unwrap_err();
    assert!(matches!(error, ClientError::Fenced { .. }));
    assert_eq!(
        error.to_string(),
        "another process has taken over source `meter` (generation 1 of the connector is fenced by \
         generation 2; stop this process, another one has taken over); stop one of the two, or give \
         them different source names"
    );
    drop(new);
}

#[test]
fn a_wrong_token_is_not_tried_again() {
    let world = World::new();
    let wrong = Settings { token: Secret(b"guess".to_vec()), ..settings(1) };
    let error = connect(&world, wrong).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the engine does not let source `meter` of tenant `campus` send (the token is not known); \
         check the token and the names"
    );
    assert_eq!(world.connections(), 1);
}

#[test]
fn an_engine_of_another_version_is_named() {
    let world = World::new();
    world.refuse(ErrorCode::Version, "the engine knows 2 to 4", u32::MAX);
    let error = connect(&world, settings(1)).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the engine speaks another version (the engine knows 2 to 4); upgrade the older of the two"
    );
}

#[test]
fn a_busy_engine_is_tried_again_with_growing_pauses() {
    let world = World::new();
    world.refuse(ErrorCode::Busy, "too many connections", 6);
    let (client, _) = connect(&world, settings(1)).unwrap();
    assert_eq!(client.metrics().failures_total, 6);
    let paused = world.clock_now();
    // At most 100 + 200 + 400 + 800 + 1600 + 3200 ms, and hardly less than a tenth of it.
    assert!(paused <= Duration::from_millis(6300), "{paused:?}");
    assert!(paused >= Duration::from_millis(630), "{paused:?}");
}

#[test]
fn attempts_that_all_fail_give_up_with_the_last_reason() {
    let world = World::new();
    world.refuse(ErrorCode::Unavailable, "the journal failed", u32::MAX);
    let retry = RetryPolicy { attempts_max: Some(4), ..RetryPolicy::default() };
    let error = connect(&world, Settings { retry, ..settings(1) }).unwrap_err();
    assert_eq!(error.to_string(), "gave up after 4 attempts");
    let cause = std::error::Error::source(&error).unwrap();
    assert_eq!(cause.to_string(), "the engine refused (Unavailable): the journal failed");
    assert_eq!(world.connections(), 4);
}

#[test]
fn patience_ends_when_it_was_said_to() {
    let world = World::new();
    world.refuse(ErrorCode::Unavailable, "the journal failed", u32::MAX);
    let patience = Some(Duration::from_secs(20));
    let error = connect(&world, Settings { patience, ..settings(1) }).unwrap_err();
    assert!(matches!(error, ClientError::GaveUp { .. }), "{error}");
    assert_eq!(world.clock_now(), Duration::from_secs(20));
}

#[test]
fn a_client_that_is_to_stop_tries_once_more_and_says_what_it_holds() {
    let world = World::new();
    let stopping = settings(1);
    let stop = stopping.stop.clone();
    let (mut client, _) = connect(&world, stopping).unwrap();
    world.refuse(ErrorCode::Unavailable, "the journal failed", u32::MAX);
    world.break_connections();
    give(&mut client, 0, 4).unwrap();
    stop.set();
    let error = client.close().unwrap_err();
    assert!(matches!(error, ClientError::Stopped { held_batches: 2, .. }), "{error}");
    assert_eq!((world.clock_now(), world.connections()), (Duration::ZERO, 2));
    // An engine that is there gets everything in spite of it.
    let willing = World::new();
    let (mut told, _) = connect(&willing, Settings { stop, ..settings(1) }).unwrap();
    give(&mut told, 0, 50).unwrap();
    told.close().unwrap();
    check_once(&willing, 50, "stopping");
}

#[test]
fn an_engine_that_says_welcome_and_then_fails_is_not_hurried() {
    let world = World::new();
    world.fall_silent_after_welcome();
    let retry = RetryPolicy { attempts_max: Some(5), ..RetryPolicy::default() };
    let (mut client, _) = connect(&world, Settings { retry, ..settings(1) }).unwrap();
    client.accept(fact(0, "ana")).unwrap();
    let error = client.flush_and_wait().unwrap_err();
    let ClientError::GaveUp { attempts: 5, source } = error else { panic!("{error}") };
    assert_eq!(source.to_string(), "the engine at the script said nothing for 30 seconds");
    // Each connection was asked for a sign of life before it was given up.
    assert_eq!(world.heartbeats(), 5);
}

#[test]
fn an_idle_client_keeps_its_connection_alive() {
    let world = World::new();
    let (mut client, _) = connect(&world, settings(1)).unwrap();
    for _ in 0..100 {
        world.pass(Duration::from_secs(5));
        client.poll().unwrap();
    }
    assert!(world.heartbeats() > 30, "{} heartbeats", world.heartbeats());
    assert_eq!(client.metrics().connections_total, 1);
}

#[test]
fn a_poll_connects_again_when_it_is_time_and_does_not_wait() {
    let world = World::new();
    let (mut client, _) = connect(&world, settings(1)).unwrap();
    client.accept(fact(0, &user(0))).unwrap();
    world.refuse(ErrorCode::Busy, "restarting", 3);
    world.break_connections();
    let before = world.clock_now();
    for _ in 0..50 {
        client.poll().unwrap();
    }
    assert_eq!(world.clock_now(), before);
    for _ in 0..50 {
        world.pass(Duration::from_millis(100));
        client.poll().unwrap();
    }
    assert_eq!(client.metrics().connections_total, 2);
    client.close().unwrap();
    check_once(&world, 1, "polled");
}

#[test]
fn an_engine_that_lost_sealed_batches_is_an_error_with_a_way_out() {
    let world = World::new();
    let (mut client, _) = connect(&world, settings(1)).unwrap();
    give(&mut client, 0, 20).unwrap();
    client.flush_and_wait().unwrap();
    let sealed = client.metrics().sealed_sequence;
    world.lose_everything();
    client.accept(fact(20, "ana")).unwrap();
    let error = client.flush_and_wait().unwrap_err().to_string();
    assert_eq!(
        error,
        format!(
            "the engine resumes after batch 0, and batch {sealed} was sealed: it lost data; restore \
             its journal, or restart this connector to read its source again"
        )
    );
}

#[test]
fn two_processes_of_one_generation_are_an_error() {
    let world = World::new();
    let (mut one, _) = connect(&world, settings(1)).unwrap();
    let (mut other, _) = connect(&world, settings(1)).unwrap();
    give(&mut one, 0, 20).unwrap();
    one.flush_and_wait().unwrap();
    world.break_connections();
    other.accept(fact(0, "ana")).unwrap();
    let error = other.flush_and_wait().unwrap_err();
    assert!(matches!(error, ClientError::ForeignBatches { made: 1, .. }), "{error}");
}

#[test]
fn unsealed_batches_that_a_restarted_engine_lost_are_sent_again() {
    let world = World::new();
    world.seal_every(u64::MAX);
    let (mut client, _) = connect(&world, settings(1)).unwrap();
    give(&mut client, 0, 40).unwrap();
    client.flush().unwrap();
    // The engine had them durable and not sealed, and its last group was damaged.
    let lost = world.lose_unsealed();
    assert!(lost > 3, "{lost} batches");
    world.seal_every(1);
    client.close().unwrap();
    check_once(&world, 40, "damaged");
}
